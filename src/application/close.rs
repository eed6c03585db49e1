//! Closing the books: the ledger after the run, its comparison with the broker, the verdict.
//!
//! A difference is reported and never repaired here: the next run explains it by the broker's
//! facts, or stops.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use tracing::{error, info};

use crate::application::chronicle::filled_share;
use crate::application::ports::BrokerError;
use crate::application::run::House;
use crate::application::trouble;
use crate::domain::account::{Account, Position};
use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::money::Shares;
use crate::domain::notices;
use crate::domain::opposed::opposed;
use crate::domain::plan::RebalancePlan;
use crate::domain::report::{EquityPoint, RunReport, Verdict};
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::sleeve::settle::settle;
use crate::domain::symbol::Symbol;

/// How long positions may lag behind fills before a difference counts.
const POSITION_LAG_MAX: Duration = Duration::from_secs(5);
const POSITION_WAIT: Duration = Duration::from_millis(250);
/// Points of the equity curve carried along: about a year of sessions.
const CURVE_POINTS_MAX: usize = 260;

/// Books the fills, compares with the broker, and says how the run ended.
pub(super) async fn close(house: &House<'_>, plan: &RebalancePlan, report: &mut RunReport) {
    let (ledger, entries) =
        settle(plan, report.buy_plan.as_ref(), &report.execution, &report.signals);
    if let Some(books) = &mut report.books {
        let capital = plan.sleeves.iter().map(|sleeve| (sleeve.strategy.clone(), sleeve.capital));
        books.book_run(plan.session.date, &entries);
        books.close(plan.session.date, &ledger, (&report.prices, &capital.collect()));
    }
    match account_after(house, &ledger).await {
        Ok((account, positions, differing)) => {
            if let Some(shown) = &mut report.account {
                shown.cash_after = account.cash;
                shown.equity_after = account.equity;
                shown.positions = positions;
            }
            add_point(report, account.equity);
            report.incidents.extend(mismatch(&ledger, report, &differing));
        }
        Err(error) => {
            report.incidents.push(trouble::broker(&error, "reading the account after the run"));
        }
    }
    report.ledger = Some(ledger);
    report.opposed = opposed(report);
    (report.verdict, report.summary) = verdict(report);
    if filled_share(report).is_some_and(|share| share < Decimal::new(5, 1)) {
        let what = "over half of the orders were not filled";
        report.incidents.push(
            Incident::new(Category::Critical, Code::MostOrdersFailed, "run", what)
                .meaning("The account is far from what the strategies want.")
                .action("Read why each order failed before the next run."),
        );
    }
}

/// Account and positions once they agree with the ledger, or have had time to; with the symbols
/// that do not.
async fn account_after(
    house: &House<'_>,
    ledger: &Ledger,
) -> Result<(Account, Vec<Position>, BTreeSet<Symbol>), BrokerError> {
    let desk = &house.desk;
    let patience = desk.clock.now().saturating_add(POSITION_LAG_MAX).unwrap_or(Timestamp::MAX);
    let mut wait = POSITION_WAIT;
    loop {
        let (account, positions) = tokio::join!(desk.broker.account(), desk.broker.positions());
        let (account, positions) = (account?, positions?);
        let differing = differences(ledger, &positions);
        if differing.is_empty() || desk.clock.now() >= patience {
            return Ok((account, positions, differing));
        }
        desk.clock.sleep(wait).await;
        wait *= 2; // a few looks, whatever the lag
    }
}

fn differences(ledger: &Ledger, positions: &[Position]) -> BTreeSet<Symbol> {
    let mut symbols = ledger.symbols();
    symbols.extend(positions.iter().map(|position| position.symbol.clone()));
    let held = |symbol: &Symbol| {
        let position = positions.iter().find(|position| position.symbol == *symbol);
        position.map_or(Shares::ZERO, |position| position.shares)
    };
    symbols.into_iter().filter(|symbol| ledger.total(symbol) != held(symbol)).collect()
}

fn mismatch(ledger: &Ledger, report: &RunReport, differing: &BTreeSet<Symbol>) -> Option<Incident> {
    if differing.is_empty() {
        return None;
    }
    let unknown: BTreeSet<&Symbol> = report
        .execution
        .outcomes()
        .filter(|outcome| outcome.is_unknown())
        .map(|outcome| &outcome.symbol)
        .collect();
    let unexplained: Vec<&Symbol> = differing.iter().filter(|s| !unknown.contains(s)).collect();
    if unexplained.is_empty() {
        return None; // an unknown order explains it, and is reported as such
    }
    let names: Vec<&str> = unexplained.iter().map(|symbol| symbol.as_str()).collect();
    let what = format!("positions and sleeves differ after the run: {}", names.join(", "));
    error!(symbols = %names.join(","), "positions and sleeves differ after the run");
    let mut incident = Incident::new(Category::Critical, Code::PositionMismatchAfter, "run", what)
        .meaning("Somebody traded by hand during the run, or an order did more than it reported.")
        .action(
            "Compare the account's activity with the report; the next run explains it or stops.",
        );
    for symbol in unexplained {
        incident = incident
            .with(symbol.as_str(), format!("{} in sleeves and foreign", ledger.total(symbol)));
    }
    Some(incident)
}

fn add_point(report: &mut RunReport, equity: crate::domain::money::Usd) {
    let session = report.key.session;
    report.equity_curve.retain(|point| point.session != session);
    report.equity_curve.push(EquityPoint { session, equity });
    let surplus = report.equity_curve.len().saturating_sub(CURVE_POINTS_MAX);
    report.equity_curve.drain(..surplus);
}

fn verdict(report: &RunReport) -> (Verdict, String) {
    let planned = report.planned_orders();
    let filled = report.execution.outcomes().filter(|outcome| outcome.is_filled()).count();
    let touched = report.execution.outcomes().filter(|o| !o.filled().is_zero()).count();
    let unknown = report.execution.outcomes().filter(|outcome| outcome.is_unknown()).count();
    if unknown > 0 {
        (Verdict::Unknown, format!("the end of {unknown} of {planned} orders was not seen"))
    } else if planned == 0 {
        (Verdict::NothingToDo, "nothing to trade".to_owned())
    } else if filled == planned {
        (Verdict::Done, format!("{filled} of {planned} orders filled"))
    } else if touched > 0 {
        (Verdict::Partial, format!("{filled} of {planned} orders filled in full"))
    } else {
        (Verdict::Failed, format!("none of {planned} orders filled"))
    }
}

/// The last touches before a report is kept: when it ended, what it cost, its incidents in order.
pub(super) fn settled(report: &mut RunReport, house: &House<'_>) {
    let now = house.desk.clock.now();
    report.finished_at = now;
    report.requests = house.desk.broker.requests();
    let mut rates = std::mem::take(&mut report.rates);
    rates.count(report);
    report.incidents.extend(notices::of_rates(rates.total()));
    report.rates = rates;
    if report.verdict != Verdict::Closed {
        report.compare();
    }
    // After the comparison: each change is news of its own, and nothing trades any more.
    let shapes = house.desk.broker.shapes();
    report.incidents.extend(notices::of_shapes(&report.shapes.changes(&shapes)));
    report.shapes = std::mem::take(&mut report.shapes).followed_by(shapes);
    for incident in &mut report.incidents {
        incident.at.get_or_insert(now);
    }
    report.incidents.sort_by_key(|incident| incident.category);
    report.receipt = Some(house.receipt(report));
    for incident in &report.incidents {
        if incident.category <= Category::Strategy {
            error!(category = %incident.category, code = %incident.code, what = %incident.what, "incident");
        } else {
            info!(category = %incident.category, code = %incident.code, what = %incident.what, "incident");
        }
    }
}

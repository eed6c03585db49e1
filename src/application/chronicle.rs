//! What a run knows, collected into its report on the way.
//!
//! One function per source, each only copying, so that a run that stops early still reports
//! everything that was known by then.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use tracing::info;

use crate::application::journal::PlanRecord;
use crate::application::journal::history::History;
use crate::domain::books::benchmark;
use crate::domain::execution::Execution;
use crate::domain::incident::Incident;
use crate::domain::plan::{Action, PlanItem, RebalancePlan};
use crate::domain::policy::Policy;
use crate::domain::rates::Rates;
use crate::domain::report::{
    AccountReport, DataReport, Marks, RECORD_VERSION, RunReport, Standing, Verdict,
};
use crate::domain::revision::Hindsight;
use crate::domain::run::{RunAction, RunKey};
use crate::domain::shapes::Shapes;
use crate::domain::snapshot::{Past, Snapshot};

/// A report that knows nothing yet.
pub(super) fn blank(
    key: RunKey,
    action: RunAction,
    now: Timestamp,
    (code, policy): (&str, &Policy),
) -> RunReport {
    RunReport {
        version: RECORD_VERSION,
        key,
        action,
        force: None,
        verdict: Verdict::Failed,
        summary: String::new(),
        started_at: now,
        finished_at: now,
        code: code.to_owned(),
        policy_hash: policy.hash(),
        next_session: None,
        marks: Marks::default(),
        account: None,
        signals: Vec::new(),
        plan: None,
        buy_plan: None,
        execution: Execution::default(),
        ledger: None,
        books: None,
        benchmark: None,
        rates: Rates::default(),
        transfers: BTreeMap::new(),
        prices: BTreeMap::new(),
        assets: BTreeMap::new(),
        opposed: Vec::new(),
        limits: Vec::new(),
        data: None,
        equity_curve: Vec::new(),
        incidents: Vec::new(),
        recovered: Vec::new(),
        standing: None,
        requests: 0,
        receipt: None,
        shapes: Shapes::default(),
        previous: None,
        plan_record: None,
        inputs: None,
        rules: None,
    }
}

/// What earlier runs left behind.
pub(super) fn take_history(report: &mut RunReport, history: &History) {
    report.standing = history.told.as_ref().map(|told| Standing {
        session: told.body.key.session,
        incidents: told.body.incidents.clone(),
    });
    if let Some(newest) = &history.newest {
        report.rates.clone_from(&newest.body.rates);
        report.shapes.clone_from(&newest.body.shapes);
    }
    if let Some(last) = &history.last {
        report.previous = Some(last.hash.clone());
        report.equity_curve.clone_from(&last.body.equity_curve);
        report.transfers.clone_from(&last.body.transfers);
    }
}

/// One line of the log for each item of a plan, whatever is done with it.
pub(super) fn list_items(run: &RunKey, plan: Option<&RebalancePlan>) {
    for item in plan.iter().flat_map(|plan| &plan.items) {
        let PlanItem { symbol, action, held, wanted, reason, .. } = item;
        let (word, detail) = match action {
            Action::Hold(why) => ("hold", format!("{why:?}")),
            Action::Skip(why) => ("skip", format!("{why:?}")),
            Action::Sell(shares) => ("sell", shares.to_string()),
            Action::Buy(shares) => ("buy", shares.to_string()),
        };
        info!(%run, %symbol, action = word, %detail, %held, %wanted, %reason, "planned");
    }
}

/// What was observed.
pub(super) fn take_snapshot(report: &mut RunReport, snapshot: &Snapshot, data: DataReport) {
    let account = &snapshot.account;
    report.account = Some(AccountReport {
        ending: account.ending.clone(),
        fingerprint: account.fingerprint.clone(),
        cash_before: account.cash,
        equity_before: account.equity,
        equity_previous_close: account.equity_before,
        cash_after: account.cash,
        equity_after: account.equity,
        positions: snapshot.positions.values().cloned().collect(),
    });
    report.data = Some(data);
    let mut sessions: BTreeSet<_> = report.equity_curve.iter().map(|point| point.session).collect();
    if !sessions.is_empty() {
        sessions.insert(report.key.session);
        report.benchmark = benchmark::over(&snapshot.histories, &sessions);
    }
    report.assets.clone_from(&snapshot.assets);
    let known = if let Past::Known(known) = &snapshot.past { known.books.as_ref() } else { None };
    let traded = known.into_iter().flat_map(|books| &books.trades).flat_map(|trades| &trades.all);
    for symbol in snapshot.positions.keys().chain(traded.map(|trade| &trade.symbol)) {
        if let Some(price) = snapshot.fallback_price(symbol) {
            report.prices.insert(symbol.clone(), price);
        }
    }
}

/// What the closes of now say of the run before.
pub(super) fn take_hindsight(
    report: &mut RunReport,
    (hindsight, incidents): (Hindsight, Vec<Incident>),
) {
    if let Some(data) = &mut report.data {
        data.hindsight = hindsight;
    }
    report.incidents.extend(incidents);
}

/// What was planned, by this invocation or an earlier one.
pub(super) fn take_plan(report: &mut RunReport, record: PlanRecord) {
    let PlanRecord {
        plan,
        inputs,
        signals,
        limits,
        incidents,
        data,
        account,
        transfers,
        books,
        benchmark,
    } = record;
    for item in &plan.items {
        if let Some(price) = item.reference {
            report.prices.insert(item.symbol.clone(), price);
        }
    }
    report.plan = Some(plan);
    report.inputs = Some(inputs);
    report.signals = signals;
    report.limits = limits;
    report.incidents = incidents;
    report.data = data;
    report.account = account;
    report.transfers = transfers;
    report.books = books;
    report.benchmark = benchmark;
}

/// Fraction of the planned orders that were filled in full; `None` without any.
pub(super) fn filled_share(report: &RunReport) -> Option<Decimal> {
    let filled = report.execution.outcomes().filter(|outcome| outcome.is_filled()).count();
    Decimal::from(filled).checked_div(Decimal::from(report.planned_orders()))
}

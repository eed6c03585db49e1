//! Consecutive offline sessions with the ledger carried on, each reconciled with the world's truth.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stderr};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::json;

use crate::domain::order::Side;
use crate::domain::plan::SleeveState;
use crate::domain::report::{RunReport, Verdict};
use crate::domain::run::{RunAction, StrategyName};
use crate::interface::cli::offline::{Stage, scheduled};
use crate::interface::cli::{Doing, Trouble, say, say_wrong};
use crate::simulator::world::World;

/// What the sessions came to.
#[derive(Default)]
struct Sum {
    checked: u32,
    traded: u32,
    orders: usize,
    verdicts: BTreeMap<&'static str, u32>,
    strategies: BTreeMap<StrategyName, u32>,
    broken: Vec<String>,
}

/// Runs the sessions from `first` on.
pub(super) async fn run(
    doing: &Doing,
    stage: &Stage,
    first: Date,
    json: bool,
) -> Result<u8, Trouble> {
    let sessions: Vec<Date> = stage.world.market(|market| {
        let all = market.days.sessions().iter().map(|session| session.date);
        let most = usize::try_from(doing.days).unwrap_or(usize::MAX);
        all.filter(|date| *date >= first).take(most).collect()
    });
    let mut sum = Sum::default();
    let progress = stderr().is_terminal();
    for (at, date) in sessions.iter().enumerate() {
        stage.world.advance_to(scheduled(*date)?);
        let done = stage.run(doing, RunAction::Trade, *date).await?;
        if done.is_repeated() {
            let what = format!("session {date} was run before in {}", stage.folder.display());
            return Err(Trouble::setting(what, "add --fresh to run these sessions again"));
        }
        let Some(report) = done.report() else {
            return Err(Trouble::setting(format!("session {date} left no report"), "report this"));
        };
        sum.add(report, &stage.world);
        if json {
            say(&line(report));
        } else if progress {
            let equity = report.equity_curve.last().map(|point| point.equity.round_cents());
            let equity = equity.map_or_else(String::new, |equity| format!(", equity {equity}"));
            say_wrong(&format!(
                "\x1b[1A\x1b[2Ksession {} of {}: {date}{equity}",
                at + 1,
                sessions.len()
            ));
        }
    }
    sum.tell(stage, json);
    Ok(u8::from(!sum.broken.is_empty()))
}

impl Sum {
    fn add(&mut self, report: &RunReport, world: &World) {
        self.checked += 1;
        *self.verdicts.entry(report.verdict.word()).or_default() += 1;
        let orders = report.execution.outcomes().filter(|o| !o.filled().is_zero()).count();
        self.orders += orders;
        self.traded += u32::from(orders > 0);
        for strategy in strategies_that_traded(report) {
            *self.strategies.entry(strategy).or_default() += 1;
        }
        if let Err(why) = reconcile(report, world) {
            self.broken.push(format!("{}: {why}", report.key.session));
        }
    }

    fn tell(&self, stage: &Stage, json: bool) {
        if json {
            return;
        }
        say(&format!(
            "{} sessions checked, {} with trades, {} orders; equity, cash and sleeves {}",
            self.checked,
            self.traded,
            self.orders,
            if self.broken.is_empty() {
                "reconcile to the cent every day"
            } else {
                "DO NOT reconcile"
            },
        ));
        for (strategy, count) in &self.strategies {
            say(&format!("  {strategy:<24} traded in {count} sessions"));
        }
        for (verdict, count) in &self.verdicts {
            say(&format!("  {verdict:<24} {count} sessions"));
        }
        for broken in &self.broken {
            say(&format!("  {broken}"));
        }
        say(&format!("equity {} in {}", stage.world.equity().round_dp(2), stage.folder.display()));
    }
}

/// The strategies whose sleeve gave or got shares by an order or a crossing.
fn strategies_that_traded(report: &RunReport) -> Vec<StrategyName> {
    let Some(plan) = &report.plan else { return Vec::new() };
    let filled = |side| {
        let outcomes = report.execution.outcomes();
        outcomes.filter(move |o| o.side == side && !o.filled().is_zero()).map(|o| &o.symbol)
    };
    let sold = filled(Side::Sell).filter_map(|symbol| plan.item(symbol)).flat_map(|i| &i.parts);
    let buys = report.buy_plan.iter().flat_map(|buy_plan| &buy_plan.items);
    let bought = buys.filter(|item| filled(Side::Buy).any(|symbol| *symbol == item.symbol));
    let parts = sold.chain(bought.flat_map(|item| &item.parts));
    let mut names: Vec<StrategyName> =
        parts.filter(|part| !part.shares.is_zero()).map(|part| part.strategy.clone()).collect();
    names.extend(plan.crossings.iter().flat_map(|c| [c.from.clone(), c.to.clone()]));
    names.sort();
    names.dedup();
    names
}

/// Sleeves + foreign = positions, per symbol; cash + positions = equity, to the cent; and the
/// report's figures are the world's. Works from the world's truth, not from the broker's answers.
fn reconcile(report: &RunReport, world: &World) -> Result<(), String> {
    let ledger = report.ledger.as_ref().ok_or("no ledger")?;
    let held: BTreeMap<_, _> = world.positions().into_iter().collect();
    let symbols = ledger.symbols().into_iter().chain(held.keys().cloned());
    for symbol in symbols {
        let position = held.get(&symbol).copied().unwrap_or_default();
        let owned = ledger.total(&symbol).decimal();
        if position != owned {
            return Err(format!("{symbol}: position {position}, sleeves and foreign {owned}"));
        }
    }
    let value: Decimal = held
        .iter()
        .map(|(symbol, shares)| world.price(symbol.as_str()).map(|price| price * shares))
        .sum::<Option<Decimal>>()
        .ok_or("a position without a price")?;
    let cent = Decimal::new(1, 2);
    let account = report.account.as_ref().ok_or("no account")?;
    let off = |what: &str, ours: Decimal, truth: Decimal| {
        if (ours - truth).abs() < cent {
            Ok(())
        } else {
            Err(format!("{what}: {ours}, the world has {truth}"))
        }
    };
    off("cash", account.cash_after.decimal(), world.cash())?;
    off("cash and positions", world.cash() + value, world.equity())?;
    off("equity", account.equity_after.decimal(), world.equity())
}

fn line(report: &RunReport) -> String {
    let due = report.plan.iter().flat_map(|plan| &plan.sleeves);
    let due = due.filter(|sleeve| matches!(sleeve.state, SleeveState::Due(_))).count();
    json!({
        "session": report.key.session.to_string(),
        "verdict": report.verdict,
        "summary": report.summary,
        "orders": report.execution.outcomes().count(),
        "due": due,
        "equity": report.equity_curve.last().map(|point| point.equity),
        "good": report.verdict.is_good() && report.verdict != Verdict::Closed,
    })
    .to_string()
}

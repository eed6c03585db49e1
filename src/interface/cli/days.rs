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
use crate::interface::cli::{Doing, Trouble, say, say_progress};
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

/// Runs so many sessions from the first on.
pub(super) async fn run(doing: &Doing, days: u32, json: bool) -> Result<u8, Trouble> {
    let (stage, first) = Stage::of(doing, RunAction::Trade).await?;
    let days = usize::try_from(days).unwrap_or(usize::MAX);
    let sessions: Vec<Date> = stage.world.market(|market| {
        let all = market.days.sessions().iter().map(|session| session.date);
        all.filter(|date| *date >= first).take(days).collect()
    });
    let mut sum = Sum::default();
    let mut progress = Progress { shown: !json && stderr().is_terminal(), of: sessions.len() };
    for (at, date) in sessions.iter().enumerate() {
        stage.world.advance_to(scheduled(*date)?);
        let done = stage.run(doing, RunAction::Trade, *date).await;
        if done.is_err() {
            progress.end();
        }
        let done = done?;
        let Some(report) = done.report().filter(|_| !done.is_repeated()) else {
            progress.end();
            let what = format!("session {date} was run before in {}", stage.folder.display());
            return Err(Trouble::setting(what, "add --fresh to run these sessions again"));
        };
        sum.add(report, &stage.world);
        if json {
            say(&line(report));
        }
        progress.tell(at + 1, report);
    }
    progress.end();
    sum.tell(&stage, json);
    Ok(u8::from(!sum.broken.is_empty()))
}

/// How far it is, in one line that is written over; only for people who watch.
struct Progress {
    shown: bool,
    of: usize,
}

impl Progress {
    fn tell(&self, at: usize, report: &RunReport) {
        if self.shown {
            let equity = report.equity_curve.last().map(|point| point.equity.round_cents());
            let equity = equity.map_or_else(String::new, |equity| format!(", equity {equity}"));
            let session = report.key.session;
            say_progress(&format!("\r\x1b[2Ksession {at} of {}: {session}{equity}", self.of));
        }
    }

    /// Clears the line for what comes after it.
    fn end(&mut self) {
        if std::mem::take(&mut self.shown) {
            say_progress("\r\x1b[2K");
        }
    }
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
            "{} checked, {} with trades, {} orders; equity, cash and sleeves {}",
            sessions(self.checked),
            self.traded,
            self.orders,
            if self.broken.is_empty() {
                "reconcile to the cent every day"
            } else {
                "DO NOT reconcile"
            },
        ));
        for (strategy, count) in &self.strategies {
            say(&format!("  {strategy:<24} traded in {}", sessions(*count)));
        }
        for (verdict, count) in &self.verdicts {
            say(&format!("  {verdict:<24} {}", sessions(*count)));
        }
        for broken in &self.broken {
            say(&format!("  {broken}"));
        }
        say(&format!("equity {} in {}", stage.world.equity().round_dp(2), stage.folder.display()));
    }
}

fn sessions(count: u32) -> String {
    format!("{count} session{}", if count == 1 { "" } else { "s" })
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

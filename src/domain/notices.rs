//! What a decision tells the operator: each finding with what it means and the one thing to do.
//!
//! The sentences stand here together, apart from the rules that find something, so that both can
//! be read in one go. What goes wrong outside the decision is worded in `application::trouble`.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::domain::books::entry::Holder;
use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::money::{Price, Usd, Weight};
use crate::domain::plan::{Action, HeldReason, PlanItem, RebalancePlan, SkipReason, SleeveState};
use crate::domain::rates::Counts;
use crate::domain::revision::{Revision, Turned};
use crate::domain::risk::Refusal;
use crate::domain::shapes::Change;
use crate::domain::sleeve::capital::{Valuation, ValuationError};
use crate::domain::sleeve::due::Wish;
use crate::domain::sleeve::fold::LedgerError;
use crate::domain::strategy::{Signal, StrategyError, StrategyOutcome};
use crate::domain::symbol::Symbol;
use crate::domain::target::Targets;

const COMPONENT: &str = "decide";
/// Code of a past that was rewritten and would have turned a signal.
pub const HISTORY_REVISED: Code = Code::HistoryRevised;
/// Changed fields that are named.
const CHANGES_MAX: usize = 12;
/// Rewritten symbols whose closes are told in one incident.
const REVISIONS_MAX: usize = 3;
/// What every stop before the first order means.
const NO_ORDERS: &str = "No order is sent; every position stays as it is.";

/// A strategy that failed: its sleeve is held.
pub fn of_signal(outcome: &StrategyOutcome) -> Option<Incident> {
    let error = outcome.result.as_ref().err()?;
    let (category, code, action) = match error {
        StrategyError::NoHistory { .. }
        | StrategyError::TooShort { .. }
        | StrategyError::Stale { .. }
        | StrategyError::NotFinite { .. } => {
            (Category::Data, Code::StrategyData, "Nothing today; if it repeats, check the symbol.")
        }
        StrategyError::Timeout { .. }
        | StrategyError::Empty
        | StrategyError::InvalidWeights { .. }
        | StrategyError::Unreadable { .. } => {
            (Category::Strategy, Code::StrategyFailed, "Look at the strategy's text.")
        }
    };
    let what = format!("{} has no signal: {error}", outcome.strategy);
    Some(
        Incident::new(category, code, COMPONENT, what)
            .meaning("Its sleeve is held as it is; the others trade.")
            .action(action)
            .with("strategy", &outcome.strategy),
    )
}

/// Orders of ours that still work although none should.
pub fn of_open_orders(open: &[&str]) -> Incident {
    let what = format!("orders of ours are still open: {}", open.join(", "));
    Incident::new(Category::Critical, Code::OwnOrderOpen, COMPONENT, what)
        .meaning(NO_ORDERS)
        .action("Cancel them at the broker, or run `alchemiser cancel-all`.")
}

/// Cash that moved and that no entry of the account explains.
pub fn of_books(moved: Usd) -> Incident {
    let amount = moved.round_cents();
    let what = format!("the account's cash moved by ${amount} that none of its entries explains");
    Incident::new(Category::Warning, Code::BooksDiffer, COMPONENT, what)
        .meaning("The sleeves' profits leave it out; it stands in the books as a difference.")
        .action("Look at the account's activities; an entry that comes late explains it by itself.")
        .with("moved", moved)
}

/// Rates of the last thirty days that should be better.
pub fn of_rates(total: Counts) -> Vec<Incident> {
    let Counts { planned, filled, attempts, refused, .. } = total;
    let warning = |code, what| Incident::new(Category::Warning, code, "rates", what);
    let few = total.fills_too_little().then(|| {
        let what = format!("{filled} of {planned} orders of the last 30 days were filled in full");
        warning(Code::FewFilled, what)
            .meaning("Below 95% the account follows its strategies late.")
            .action("Read in the reports which symbols were left, and why.")
    });
    let many = total.is_refused_too_often().then(|| {
        let what = format!("{refused} of {attempts} attempts of the last 30 days were refused");
        warning(Code::ManyRefused, what)
            .meaning("Above 5% something about the account or its orders is not as it should be.")
            .action("Read the refusals in the reports; most have one cause.")
    });
    few.into_iter().chain(many).collect()
}

/// Fields of the broker's answers that are not as they were in the run before.
pub fn of_shapes(changes: &[Change]) -> Option<Incident> {
    if changes.is_empty() {
        return None;
    }
    let mut named: Vec<String> = changes.iter().take(CHANGES_MAX).map(Change::to_string).collect();
    if changes.len() > CHANGES_MAX {
        named.push(format!("and {} more", changes.len() - CHANGES_MAX));
    }
    let what = format!("the broker's answers have changed: {}", named.join("; "));
    Some(
        Incident::new(Category::Warning, Code::AnswersChanged, "broker", what)
            .meaning("Such changes mostly do no harm, and nothing trades otherwise for them; they are said once.")
            .action("Look in the broker's change log whether more is to come."),
    )
}

/// Shares that the books did not know as the ledger does.
pub fn of_strange_shares(strange: &[(Holder, Symbol)]) -> Option<Incident> {
    if strange.is_empty() {
        return None;
    }
    let names: Vec<String> = strange
        .iter()
        .map(|(holder, symbol)| match holder {
            Some(strategy) => format!("{symbol} of {strategy}"),
            None => format!("foreign {symbol}"),
        })
        .collect();
    let what = format!("the books did not own what the ledger owns: {}", names.join(", "));
    Some(
        Incident::new(Category::Warning, Code::BooksDiffer, COMPONENT, what)
            .meaning(
                "They own it now, at today's price; what was earned with it before is not known.",
            )
            .action("Nothing; if it repeats, keep the records of both runs and report it."),
    )
}

/// A ledger that cannot be carried forward.
pub fn of_ledger(error: &LedgerError) -> Incident {
    let (code, action) = match error {
        LedgerError::Mismatch(_) => (
            Code::PositionMismatch,
            "Compare the positions with `alchemiser sleeves` and rebuild the ledger.",
        ),
        LedgerError::Unsettled(_) => (
            Code::OrderUnsettled,
            "Look the orders up at the broker, then run `alchemiser resume`.",
        ),
    };
    Incident::new(Category::Critical, code, COMPONENT, error.to_string())
        .meaning(NO_ORDERS)
        .action(action)
}

/// No ledger although something of ours exists.
pub fn of_lost_ledger() -> Incident {
    let what = "the ledger is lost: orders or records of ours exist and no ledger does";
    Incident::new(Category::Critical, Code::LedgerLost, COMPONENT, what)
        .meaning(NO_ORDERS)
        .action("Rebuild it from the records with `alchemiser sleeves`.")
}

/// Shares that were there before us, of symbols that a strategy may name.
pub fn of_undecided(symbols: &BTreeSet<Symbol>) -> Incident {
    let list: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let quoted: Vec<String> = list.iter().map(|symbol| format!("\"{symbol}\"")).collect();
    let what = format!(
        "the account holds {} and `adopt` does not say what becomes of them",
        list.join(", ")
    );
    let action = format!(
        "Set `adopt` in the policy: [{}] or true to let the strategies take them over (they may \
         be sold), false to leave them alone.",
        quoted.join(", ")
    );
    Incident::new(Category::Configuration, Code::AdoptUndecided, COMPONENT, what)
        .meaning(NO_ORDERS)
        .action(action)
}

/// Something that must be counted has no value.
pub fn of_valuation(error: &ValuationError) -> Incident {
    let (category, code, action) = match error {
        ValuationError::NoPrice(_) => {
            (Category::Critical, Code::PriceMissing, "Look the symbol up at the broker.")
        }
        ValuationError::UnsizedOrder { .. } => {
            (Category::Trading, Code::ForeignOrderUnsized, "Cancel the order or wait for its end.")
        }
    };
    Incident::new(category, code, COMPONENT, error.to_string()).meaning(NO_ORDERS).action(action)
}

/// Sleeves that were touched by hand, with what the next run would want.
pub fn of_touched(targets: &Targets<'_>, valuation: Valuation<'_>) -> Vec<Incident> {
    let touched = targets
        .sleeves
        .iter()
        .filter(|sleeve| sleeve.state == SleeveState::Held(HeldReason::TouchedByHand));
    touched
        .map(|sleeve| {
            let what = format!("shares of {} were sold by hand", sleeve.claim.strategy);
            let incident = Incident::new(Category::Warning, Code::SleeveTouched, COMPONENT, what)
                .meaning("The sleeve is held for this run; the next one trades it again.")
                .action("Halt before the next run if it must stay as it is.")
                .with("strategy", sleeve.claim.strategy);
            let Wish::Signal(_) = sleeve.claim.wish else { return incident };
            sleeve.symbols().into_iter().fold(incident, |incident, symbol| {
                let has = sleeve.claim.sleeve.shares_of(&symbol);
                let money = sleeve.capital * sleeve.claim.weight_of(&symbol);
                let next = valuation.price(&symbol).map(|price| money.shares_at(price));
                let next = next.map_or("no price".to_owned(), |shares| shares.to_string());
                incident.with(&format!("next run {symbol}"), format!("{has} to {next}"))
            })
        })
        .collect()
}

/// What a plan leaves undone.
pub fn of_plan(plan: &RebalancePlan) -> Vec<Incident> {
    plan.items.iter().filter_map(of_item).collect()
}

fn of_item(item: &PlanItem) -> Option<Incident> {
    let Action::Skip(skip) = &item.action else { return None };
    let symbol = &item.symbol;
    let (category, code, what) = match skip {
        SkipReason::UnusableQuote(why) => (
            Category::Data,
            Code::QuoteUnusable,
            format!("{symbol} has no price to trade on: {why}"),
        ),
        SkipReason::NotTradable => {
            (Category::Trading, Code::NotTradable, format!("the broker does not trade {symbol}"))
        }
        SkipReason::SplitSuspect => {
            (Category::Data, Code::SplitSuspect, format!("{symbol} moved as in a split"))
        }
        SkipReason::ForeignOrder => {
            (Category::Warning, Code::ForeignOrder, format!("another order works in {symbol}"))
        }
        SkipReason::Dust => {
            (Category::Warning, Code::Dust, format!("{} {symbol} cannot be sold", item.held))
        }
        // Ordinary arithmetic, listed with the plan.
        SkipReason::BelowMinimum | SkipReason::WholeShares | SkipReason::Budget => return None,
    };
    let (meaning, action) = if *skip == SkipReason::Dust {
        ("It stays in its sleeve; this is said once.", "Nothing.")
    } else {
        ("Its shares stay, its buys wait; the rest is traded.", "Nothing today.")
    };
    Some(
        Incident::new(category, code, COMPONENT, what)
            .meaning(meaning)
            .action(action)
            .with("symbol", symbol),
    )
}

/// The gate's refusals.
pub fn of_refusals(refusals: &[Refusal]) -> Vec<Incident> {
    let incident = |refusal: &Refusal| {
        let code = Code::Gate(refusal.rule);
        Incident::new(Category::Critical, code, "risk", refusal.what.clone())
            .meaning(NO_ORDERS)
            .action("Read the limits in the report; nothing trades until this is in order.")
    };
    refusals.iter().map(incident).collect()
}

/// A strategy whose last signal would have been another, had the past been told then as it is told
/// now.
pub fn of_turned(turned: &Turned<'_>) -> Incident {
    let Turned { strategy, as_of, said, would_say, revisions } = turned;
    let what = format!(
        "the past was rewritten: {strategy} would have decided otherwise on the closes through {as_of}"
    );
    let would = match would_say {
        Ok(signal) => format!("would have wanted {}", wish(signal)),
        Err(error) => format!("would have had no signal ({error})"),
    };
    let mut closes: Vec<String> = revisions.iter().take(REVISIONS_MAX).map(|r| closes(r)).collect();
    if revisions.len() > REVISIONS_MAX {
        closes.push(format!("and {} other symbols", revisions.len() - REVISIONS_MAX));
    }
    let meaning = format!("It wanted {} and {would}. {}.", wish(said), closes.join("; "));
    let incident = Incident::new(Category::Warning, HISTORY_REVISED, COMPONENT, what)
        .meaning(meaning)
        .action("Nothing today: this run decided on the closes of now. If it repeats, ask for their source.")
        .with("strategy", strategy);
    let named = revisions.iter().take(REVISIONS_MAX);
    named.fold(incident, |incident, revision| incident.with("symbol", &revision.symbol))
}

/// `SPY 60%, cash 40%`.
fn wish(signal: &Signal) -> String {
    let percent = |weight: Weight| (weight.decimal() * Decimal::ONE_HUNDRED).normalize();
    let weights = signal.weights.iter();
    let mut parts: Vec<String> =
        weights.map(|(symbol, weight)| format!("{symbol} {}%", percent(*weight))).collect();
    if !signal.cash.is_zero() {
        parts.push(format!("cash {}%", percent(signal.cash)));
    }
    parts.join(", ")
}

/// `KMLM on 2026-11-12: 26.42 then, 27.9 now (3 days from 2026-11-10 to 2026-11-12)`.
fn closes(revision: &Revision) -> String {
    let Revision { symbol, days, first, last, most, was, is, rescaled } = revision;
    let close = |close: Option<Price>| close.map_or("no close".to_owned(), |c| c.to_string());
    let (was, is) = (close(*was), close(*is));
    let scale = if *rescaled { " at the same scale" } else { "" };
    let span =
        if *days == 1 { String::new() } else { format!(" ({days} days from {first} to {last})") };
    format!("{symbol} on {most}: {was} then, {is} now{scale}{span}")
}

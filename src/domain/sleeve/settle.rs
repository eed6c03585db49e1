//! The ledger after a run: the plan's, with the orders' fills attributed.
//!
//! Built from the plan and the outcomes alone, without asking the broker: `close` compares it with
//! the broker's positions afterwards, and that comparison would mean nothing otherwise.

use std::collections::BTreeSet;

use crate::domain::books::entry::{Entry, traded};
use crate::domain::execution::{Execution, OrderOutcome};
use crate::domain::money::{Shares, Usd};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::{AttemptState, Side};
use crate::domain::plan::{
    BuyPlan, DueReason, Part, PlanItem, RebalancePlan, SleevePlan, SleeveState,
};
use crate::domain::sleeve::attribution::{share_out, share_out_parts};
use crate::domain::sleeve::capital::ORDER_MIN;
use crate::domain::sleeve::ledger::{LastRebalance, Ledger, Sleeve, Unsettled};
use crate::domain::strategy::StrategyOutcome;
use crate::domain::symbol::Symbol;

/// The ledger after a run, and what its orders moved.
///
/// Fills go to the sleeves pro rata of the planned parts; orders whose end was not seen stay in
/// the ledger as unsettled; each due sleeve's last rebalance is noted, finished when everything
/// it wanted is done, not counting what was left by a minimum or by whole shares. A sleeve that
/// was held because it was touched is free again.
///
/// The ledger stays booked up to the moment of the plan's snapshot: what happened by hand during
/// the run is found by the next [`carry_forward`](crate::domain::sleeve::fold::carry_forward),
/// which knows the run's own executions by their orders.
pub fn settle(
    plan: &RebalancePlan,
    buy_plan: Option<&BuyPlan>,
    execution: &Execution,
    signals: &[StrategyOutcome],
) -> (Ledger, Vec<Entry>) {
    let mut ledger = plan.ledger.clone();
    let mut entries = Vec::new();
    for outcome in execution.outcomes() {
        let parts = planned_parts(plan, buy_plan, outcome);
        entries.extend(attribute(&mut ledger, outcome, parts));
    }
    for planned in &plan.sleeves {
        let SleeveState::Due(why) = &planned.state else { continue };
        let sleeve = ledger.sleeves.entry(planned.strategy.clone()).or_default();
        if *why == DueReason::GivenUp {
            sleeve.last = None; // whoever allocates it again begins anew
            continue;
        }
        let done = is_done(planned, sleeve, plan);
        sleeve.last = Some(rebalanced(planned, sleeve.last.as_ref(), done, plan, signals));
    }
    for sleeve in ledger.sleeves.values_mut() {
        sleeve.touched = false;
    }
    ledger.sleeves.retain(|_, sleeve| !sleeve.shares.is_empty() || sleeve.last.is_some());
    let mut named = ledger.symbols();
    named.extend(ledger.unsettled.values().map(|order| order.symbol.clone()));
    ledger.assets.retain(|symbol, _| named.contains(symbol));
    (ledger, entries)
}

fn planned_parts<'a>(
    plan: &'a RebalancePlan,
    buy_plan: Option<&'a BuyPlan>,
    outcome: &OrderOutcome,
) -> &'a [Part] {
    let bought = buy_plan.and_then(|b| b.items.iter().find(|item| item.symbol == outcome.symbol));
    match (outcome.side, bought) {
        (Side::Buy, Some(item)) => &item.parts,
        (Side::Buy, None) | (Side::Sell, _) => {
            plan.item(&outcome.symbol).map_or(&[], |item| item.parts.as_slice())
        }
    }
}

/// Gives the sleeves what an order executed, and notes what it may still execute. Shares beyond
/// the planned ones are given to nobody: the next look at the positions will not explain them.
fn attribute(ledger: &mut Ledger, outcome: &OrderOutcome, parts: &[Part]) -> Vec<Entry> {
    let OrderOutcome { symbol, side, attempts, .. } = outcome;
    let rooms: Vec<Shares> = parts.iter().map(|part| part.shares).collect();
    let believes = is_planted(Mutant::OrderedMeansBought);
    let filled = if believes { outcome.planned } else { outcome.filled() };
    let fills = share_out(filled, &rooms);
    let mut rest: Vec<Part> = Vec::new();
    let mut done: Vec<Part> = Vec::new();
    for (part, shares) in parts.iter().zip(fills) {
        if !shares.is_zero() {
            done.push(Part { strategy: part.strategy.clone(), shares });
        }
        match side {
            Side::Buy => ledger.credit(&part.strategy, symbol, shares),
            Side::Sell => {
                // The gate saw that the sleeve owns its part; more than that is not taken.
                let owned = ledger.sleeves.get(&part.strategy);
                let owned = owned.map(|sleeve| sleeve.shares_of(symbol)).unwrap_or_default();
                ledger.debit(&part.strategy, symbol, shares.min(owned));
            }
        }
        rest.push(Part {
            strategy: part.strategy.clone(),
            shares: part.shares.minus_at_most(shares),
        });
    }
    for attempt in attempts {
        if attempt.state.is_terminal() || attempt.state == AttemptState::Drafted {
            continue;
        }
        ledger.unsettled.insert(
            attempt.id.clone(),
            Unsettled {
                symbol: symbol.clone(),
                side: *side,
                booked: attempt.filled,
                amount: attempt.fill_price.map_or(Usd::ZERO, |price| attempt.filled * price),
                parts: share_out_parts(attempt.shares.minus_at_most(attempt.filled), &rest),
            },
        );
    }
    traded(symbol, *side, &done, outcome.value())
}

fn rebalanced(
    planned: &SleevePlan,
    before: Option<&LastRebalance>,
    done: bool,
    plan: &RebalancePlan,
    signals: &[StrategyOutcome],
) -> LastRebalance {
    let session = plan.session.date;
    let signal = signals
        .iter()
        .find(|outcome| outcome.strategy == planned.strategy)
        .and_then(|outcome| outcome.result.as_ref().ok());
    let unfinished = before.map_or(0, |last| last.unfinished);
    let is_new_session = before.is_none_or(|last| last.session != session || unfinished == 0);
    LastRebalance {
        session,
        finished: if done { Some(session) } else { before.and_then(|last| last.finished) },
        unfinished: if done { 0 } else { unfinished.saturating_add(u8::from(is_new_session)) },
        allocation: planned.allocation,
        strategy_hash: planned.strategy_hash.clone(),
        named: signal.map(|s| s.symbols().cloned().collect()).unwrap_or_default(),
    }
}

/// Everything a sleeve wanted is done, but for what a minimum or whole shares left.
fn is_done(planned: &SleevePlan, sleeve: &Sleeve, plan: &RebalancePlan) -> bool {
    let symbols: BTreeSet<&Symbol> = planned.wants.keys().chain(sleeve.shares.keys()).collect();
    planned.waiting.is_empty()
        && symbols.into_iter().all(|symbol| {
            let wanted = planned.wants.get(symbol).copied().unwrap_or_default();
            let has = sleeve.shares_of(symbol);
            plan.item(symbol).is_some_and(|item| is_near(wanted, has, item, plan))
        })
}

fn is_near(wanted: Shares, has: Shares, item: &PlanItem, plan: &RebalancePlan) -> bool {
    let missing = wanted.minus_at_most(has) + has.minus_at_most(wanted);
    let is_exit = wanted.is_zero();
    let minimum = if is_exit { ORDER_MIN } else { plan.capital.resize_min };
    let is_small = item.reference.is_some_and(|price| missing * price < minimum);
    missing.is_zero() || is_small || (!item.fractionable && missing < Shares::ONE)
}

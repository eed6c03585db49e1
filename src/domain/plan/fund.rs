//! The buy plan: what the money allows, after the sells.
//!
//! A pure function of the plan, the sells' fills and the cash, used once; its result is stored
//! before the first buy. Only cash counts, never what the broker would lend.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::domain::execution::OrderOutcome;
use crate::domain::money::{Price, Shares, Usd};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::Side;
use crate::domain::plan::{BuyItem, BuyPlan, Cut, Part, PlanItem, RebalancePlan};
use crate::domain::policy::Policy;
use crate::domain::risk::ApprovedPlan;
use crate::domain::run::StrategyName;
use crate::domain::sleeve::attribution::share_out_parts;
use crate::domain::sleeve::capital::{ORDER_MIN, Shrink};

/// What will be bought, from the plan, the sells' outcomes and the cash after them.
///
/// In this order: each sleeve's buys are cut to its room, its capital less the value of the
/// shares it still holds, so that a failed sell costs only its own sleeve; all are cut alike so
/// that they cost at most the cash less the reserve at reference prices, and at most the cash at
/// their worst limits; what fell below its minimum is dropped; whole shares are rounded down.
pub fn fund(plan: &ApprovedPlan, sold: &[OrderOutcome], cash: Usd, policy: &Policy) -> BuyPlan {
    let plan = plan.plan();
    let mut wishes: Vec<Wish<'_>> = plan
        .orders(Side::Buy)
        .filter_map(|(item, _)| Wish::of(item, policy.limits.collar))
        .collect();
    cut_to_rooms(&mut wishes, plan, sold);
    cut_to_cash(&mut wishes, plan, cash);
    let mut buy_plan =
        BuyPlan { cash, reserve: plan.capital.reserve, items: Vec::new(), cuts: Vec::new() };
    for wish in wishes {
        let wanted: Shares = wish.item.parts.iter().map(|part| part.shares).sum();
        let symbol = wish.item.symbol.clone();
        let (parts, reason) = wish.rounded(plan);
        let allowed: Shares = parts.iter().map(|part| part.shares).sum();
        if allowed < wanted {
            let symbol = symbol.clone();
            buy_plan.cuts.push(Cut { symbol, wanted, allowed, reason: reason.to_owned() });
        }
        if !allowed.is_zero() {
            buy_plan.items.push(BuyItem {
                symbol,
                shares: allowed,
                reference: wish.reference,
                worst_limit: wish.worst,
                parts,
            });
        }
    }
    buy_plan
}

/// A buy of the plan while it is being cut.
struct Wish<'a> {
    item: &'a PlanItem,
    reference: Price,
    worst: Price,
    parts: Vec<Part>,
}

impl<'a> Wish<'a> {
    /// The worst limit is the collar beyond the ask that the plan saw; `None` without a price,
    /// which the gate does not let pass.
    fn of(item: &'a PlanItem, collar: Decimal) -> Option<Self> {
        let reference = item.reference?;
        let ask = Decimal::ONE + item.half_spread?;
        let worst = reference.scaled(ask * (Decimal::ONE + collar))?.tick_down()?;
        Some(Self { item, reference, worst, parts: item.parts.clone() })
    }

    fn cost(&self, price: Price) -> Usd {
        self.parts.iter().map(|part| part.shares * price).sum()
    }

    /// What remains after minimums and whole shares, and the reason for what does not.
    fn rounded(&self, plan: &RebalancePlan) -> (Vec<Part>, &'static str) {
        let kept: Vec<Part> = self
            .item
            .parts
            .iter()
            .zip(&self.parts)
            .filter(|(planned, part)| !self.fell_below_minimum(planned, part, plan))
            .map(|(_, part)| part.clone())
            .collect();
        let mut shares: Shares = kept.iter().map(|part| part.shares).sum();
        if !self.item.fractionable {
            shares = shares.round_down_whole();
        }
        if shares * self.reference < ORDER_MIN {
            return (Vec::new(), "the money left for it is below the smallest order");
        }
        (share_out_parts(shares, &kept), "the money does not reach for all of it")
    }

    fn fell_below_minimum(&self, planned: &Part, part: &Part, plan: &RebalancePlan) -> bool {
        let before = plan.owned_before(&part.strategy, &self.item.symbol);
        let minimum = if before.is_zero() { ORDER_MIN } else { plan.capital.resize_min };
        planned.shares * self.reference >= minimum && part.shares * self.reference < minimum
    }
}

/// Cuts each sleeve's buys to its capital less the value of what it still holds.
fn cut_to_rooms(wishes: &mut [Wish<'_>], plan: &RebalancePlan, sold: &[OrderOutcome]) {
    for sleeve in &plan.sleeves {
        let held = value_held(plan, &sleeve.strategy, sold);
        let wanted: Usd = wishes
            .iter()
            .flat_map(|wish| wish.parts.iter().map(|part| (part, wish.reference)))
            .filter(|(part, _)| part.strategy == sleeve.strategy)
            .map(|(part, reference)| part.shares * reference)
            .sum();
        let shrink = Shrink::to_fit(sleeve.capital, held, wanted);
        for part in wishes.iter_mut().flat_map(|wish| &mut wish.parts) {
            if part.strategy == sleeve.strategy {
                part.shares = shrink.shares(part.shares);
            }
        }
    }
}

/// Value of the shares that a sleeve holds after crossings and sells.
fn value_held(plan: &RebalancePlan, strategy: &StrategyName, sold: &[OrderOutcome]) -> Usd {
    let gone: BTreeMap<_, Shares> = sold
        .iter()
        .filter_map(|outcome| {
            let item = plan.item(&outcome.symbol)?;
            let fills = share_out_parts(outcome.filled(), &item.parts);
            let own = fills.into_iter().find(|part| part.strategy == *strategy)?;
            Some((&outcome.symbol, own.shares))
        })
        .collect();
    let Some(sleeve) = plan.ledger.sleeves.get(strategy) else { return Usd::ZERO };
    let left = sleeve.shares.iter().map(|(symbol, shares)| {
        let left = shares.minus_at_most(gone.get(symbol).copied().unwrap_or_default());
        let price = plan.item(symbol).and_then(|item| item.reference);
        price.map_or(Usd::ZERO, |price| left * price)
    });
    left.sum()
}

/// Cuts all buys alike, so that they fit the cash at reference prices and at worst limits.
fn cut_to_cash(wishes: &mut [Wish<'_>], plan: &RebalancePlan, cash: Usd) {
    let cash = cash - plan.capital.foreign_open_buys;
    let at_reference = wishes.iter().map(|wish| wish.cost(wish.reference)).sum();
    let at_worst = wishes.iter().map(|wish| wish.cost(wish.worst)).sum();
    let spends_all = is_planted(Mutant::ReserveSpent);
    let reserve = if spends_all { Usd::ZERO } else { plan.capital.reserve };
    let by_reference = Shrink::to_fit(cash, reserve, at_reference);
    let by_worst = Shrink::to_fit(cash, Usd::ZERO, at_worst);
    for part in wishes.iter_mut().flat_map(|wish| &mut wish.parts) {
        part.shares = by_reference.shares(part.shares).min(by_worst.shares(part.shares));
    }
}

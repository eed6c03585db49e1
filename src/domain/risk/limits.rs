//! The plan against the policy's limits on orders, turnover and positions.
//!
//! Limits are relative to the plan's own money, so that a strategy may hold its whole sleeve in
//! one fund and change all of it in a day. What bounds single orders again is in `attempt`.

use rust_decimal::Decimal;

use crate::domain::money::Usd;
use crate::domain::order::Side;
use crate::domain::plan::{HeldReason, PlanItem, RebalancePlan, SleeveState};
use crate::domain::policy::Policy;
use crate::domain::report::LimitUse;
use crate::domain::risk::Findings;
use crate::domain::risk::exposure::value_after;
use crate::domain::snapshot::{Known, Past, Snapshot};

/// Checks everything that the policy limits about the plan itself.
pub(super) fn check(
    plan: &RebalancePlan,
    snapshot: &Snapshot,
    policy: &Policy,
    findings: &mut Findings,
) {
    counts(plan, snapshot, policy, findings);
    turnover(plan, snapshot, policy, findings);
    positions(plan, policy, findings);
    strategies(plan, policy, findings);
    for item in plan.items.iter().filter(|item| item.order().is_some()) {
        order(item, snapshot, policy, findings);
    }
}

/// A fraction as a percentage with at most one decimal.
pub(super) fn percent(fraction: Decimal) -> String {
    format!("{}%", (fraction * Decimal::ONE_HUNDRED).round_dp(1).normalize())
}

/// A use of a limit, both as fractions.
pub(super) fn fraction(limit: &str, what: &str, used: Decimal, allowed: Decimal) -> LimitUse {
    LimitUse {
        limit: format!("limits.{limit}"),
        what: what.to_owned(),
        used: percent(used),
        allowed: percent(allowed),
        within: used <= allowed,
    }
}

/// What an earlier run of the day has used up.
fn known(snapshot: &Snapshot) -> Option<&Known> {
    match &snapshot.past {
        Past::Known(known) => Some(known),
        Past::First | Past::Lost => None,
    }
}

fn counts(plan: &RebalancePlan, snapshot: &Snapshot, policy: &Policy, findings: &mut Findings) {
    let orders = plan.items.iter().filter(|item| item.order().is_some()).count();
    let orders = u32::try_from(orders).unwrap_or(u32::MAX);
    let today = orders.saturating_add(known(snapshot).map_or(0, |known| known.orders_today));
    for (rule, limit, what, used, allowed) in [
        (
            "orders-run",
            "orders_run_max",
            "orders in this run",
            orders,
            policy.limits.orders_run_max,
        ),
        ("orders-day", "orders_day_max", "orders today", today, policy.limits.orders_day_max),
    ] {
        findings.limit(
            rule,
            LimitUse {
                limit: format!("limits.{limit}"),
                what: what.to_owned(),
                used: used.to_string(),
                allowed: allowed.to_string(),
                within: used <= allowed,
            },
        );
    }
}

/// Turnover is measured against D, or the sleeves' value where that is more: selling all that is
/// held to buy something else must always fit.
fn turnover(plan: &RebalancePlan, snapshot: &Snapshot, policy: &Policy, findings: &mut Findings) {
    let (sold, bought) = (plan.value(Side::Sell), plan.value(Side::Buy));
    let base = plan.capital.deployable.max(plan.capital.sleeves);
    let share = |value: Usd| match value.ratio_to(base) {
        Some(share) => share,
        None if value == Usd::ZERO => Decimal::ZERO,
        None => Decimal::ONE_THOUSAND, // something of nothing: beyond all that a policy may allow
    };
    let limits = &policy.limits;
    findings.limit(
        "turnover-run",
        fraction(
            "turnover_run_max",
            "larger of bought and sold value",
            share(sold.max(bought)),
            limits.turnover_run_max,
        ),
    );
    let before = known(snapshot).map_or(Usd::ZERO, |known| known.turnover_today);
    findings.limit(
        "turnover-day",
        fraction(
            "turnover_day_max",
            "bought plus sold value today",
            share(sold + bought + before),
            limits.turnover_day_max,
        ),
    );
}

/// The position limit was applied as a cap when the plan was drafted; here it is checked again
/// where the plan buys.
fn positions(plan: &RebalancePlan, policy: &Policy, findings: &mut Findings) {
    let most = plan.capital.equity * policy.limits.position_max;
    for item in &plan.items {
        let Some((Side::Buy, _)) = item.order() else { continue };
        let after = value_after(item);
        findings.require(after <= most, "position", || {
            format!("{} would be worth {after}, at most {most} is allowed", item.symbol)
        });
    }
    let largest = plan.items.iter().map(|item| (value_after(item), &item.symbol)).max();
    if let Some((value, symbol)) = largest {
        let used = value.ratio_to(plan.capital.equity).unwrap_or_default();
        let what = format!("largest position, {symbol}; targets are cut to it");
        let allowed = policy.limits.position_max.decimal();
        // A cap, not a stop: what is held already may have grown beyond it.
        let line = fraction("position_max", &what, used, allowed);
        findings.limits.push(LimitUse { within: true, ..line });
    }
}

/// Too many strategies without a signal.
fn strategies(plan: &RebalancePlan, policy: &Policy, findings: &mut Findings) {
    let failed: Decimal = plan
        .sleeves
        .iter()
        .filter(|sleeve| sleeve.state == SleeveState::Held(HeldReason::Failed))
        .map(|sleeve| sleeve.allocation.decimal())
        .sum();
    let allowed = policy.limits.failed_allocation_max.decimal();
    let what = "allocation of failed strategies";
    findings.limit("failed-allocation", fraction("failed_allocation_max", what, failed, allowed));
}

fn order(item: &PlanItem, snapshot: &Snapshot, policy: &Policy, findings: &mut Findings) {
    let Some((side, shares)) = item.order() else { return };
    let symbol = &item.symbol;
    let asset = snapshot.assets.get(symbol);
    let tradable = asset.is_some_and(|asset| asset.tradable && asset.us_equity);
    findings.require(tradable, "not-tradable", || {
        format!("{symbol} is not a share or fund that the broker trades")
    });
    let position = snapshot.positions.get(symbol);
    let available = position.map(|position| position.available).unwrap_or_default();
    findings.require(side == Side::Buy || shares <= available, "not-available", || {
        format!("{shares} {symbol} to sell, {available} available")
    });
    let foreign =
        snapshot.orders.iter().any(|order| order.symbol == *symbol && !order.status.is_terminal());
    findings.require(!foreign, "open-order", || format!("an order works in {symbol} already"));
    let spread = item.half_spread.map(|half| half * Decimal::TWO);
    let narrow = spread.is_some_and(|spread| spread <= policy.limits.spread_max);
    findings.require(narrow, "spread", || format!("{symbol} has no quote or too wide a spread"));
    let volume = item.volume_share.is_none_or(|share| share <= policy.limits.volume_share_max);
    findings.require(volume, "volume-share", || {
        format!("{shares} {symbol} are too much of a median day's volume")
    });
}

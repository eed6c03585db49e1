//! The gate before each attempt.
//!
//! Judged again, although the plan passed: minutes go by between the two, quotes move, orders
//! fill, and a resumed run starts in the middle. The first rule that says no is enough here.

use jiff::SignedDuration;
use rust_decimal::Decimal;

use crate::domain::execution::BROKER_MIN;
use crate::domain::market::Quote;
use crate::domain::money::Shares;
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::{ClientOrderId, OrderRequest, Side};
use crate::domain::plan::RebalancePlan;
use crate::domain::policy::Policy;
use crate::domain::pricing;
use crate::domain::risk::usage::{submits_max, writes_max};
use crate::domain::risk::{Demand, Permit, Refusal};

/// The order for one attempt, if every rule allows it now.
pub(super) fn request(
    plan: &RebalancePlan,
    demand: &Demand,
    permit: &Permit<'_>,
) -> Result<OrderRequest, Refusal> {
    time(plan, permit)?;
    usage(plan, permit)?;
    size(plan, demand, permit)?;
    price(demand, permit)?;
    let id = ClientOrderId::of(&plan.key, &demand.symbol, demand.side, demand.attempt);
    Ok(OrderRequest::new(id, demand.symbol.clone(), demand.side, demand.shares, demand.limit))
}

fn require(kept: bool, rule: &'static str, what: impl FnOnce() -> String) -> Result<(), Refusal> {
    if kept { Ok(()) } else { Err(Refusal { rule, what: what() }) }
}

fn time(plan: &RebalancePlan, permit: &Permit<'_>) -> Result<(), Refusal> {
    let now = permit.now;
    let timing = &permit.policy.timing;
    let seconds = |count: u32| SignedDuration::from_secs(i64::from(count));
    let (open, close) = (plan.session.open, plan.session.close);
    require(now >= open + seconds(timing.open_guard_seconds), "open-guard", || {
        format!("it is {now}, the session opens at {open} and its first moments are not traded")
    })?;
    require(now < plan.session.orders_end(timing), "cutoff", || {
        format!("it is {now}, too near to the close at {close}")
    })?;
    let good = now < plan.valid_until || is_planted(Mutant::PlanNeverOld);
    require(good, "plan-too-old", || {
        format!("the plan was good until {}, it is {now}", plan.valid_until)
    })
}

fn usage(plan: &RebalancePlan, permit: &Permit<'_>) -> Result<(), Refusal> {
    let (usage, limits) = (permit.usage, &permit.policy.limits);
    require(usage.rejections < limits.rejections_max, "rejections", || {
        format!("{} orders were refused or rejected in this run", usage.rejections)
    })?;
    require(usage.unknowns < limits.unknowns_max, "unknowns", || {
        format!("the end of {} orders of this run is unknown", usage.unknowns)
    })?;
    require(usage.submits_last_second < limits.submits_per_second_max, "submit-rate", || {
        format!("{} orders were sent within a second", usage.submits_last_second)
    })?;
    let most = submits_max(plan, permit.policy);
    require(usage.submits < most, "submits", || {
        format!("{} attempts were sent, the plan has {most} in all", usage.submits)
    })?;
    let most = writes_max(plan, permit.policy);
    require(usage.writes < most, "writes", || {
        format!("the run sent and cancelled {} times, at most {most} are allowed", usage.writes)
    })
}

/// The shares that the plan, and for a buy the buy plan too, still allow.
fn size(plan: &RebalancePlan, demand: &Demand, permit: &Permit<'_>) -> Result<(), Refusal> {
    let Demand { symbol, side, shares, .. } = demand;
    let planned = plan.item(symbol).and_then(|item| Some((item, item.order()?)));
    let Some((item, (_, planned))) = planned.filter(|(_, (planned, _))| planned == side) else {
        return Err(Refusal {
            rule: "not-planned",
            what: format!("the plan has no {side} of {symbol}"),
        });
    };
    let allowed = match side {
        Side::Sell => planned,
        Side::Buy => bought(demand, permit)?.min(planned),
    };
    require(!shares.is_zero(), "empty", || format!("an order for no shares of {symbol}"))?;
    let rest = allowed.minus_at_most(permit.usage.filled);
    require(*shares <= rest, "larger-than-planned", || {
        format!("{side} {shares} {symbol}: {rest} of {allowed} are left to {side}")
    })?;
    require(item.fractionable || shares.is_whole(), "not-whole", || {
        format!("{symbol} trades in whole shares, not {shares}")
    })?;
    require(
        *side == Side::Sell || *shares * demand.limit >= BROKER_MIN, // sells are exempt
        "below-broker-minimum",
        || format!("a buy of {} is below the broker's smallest", *shares * demand.limit),
    )
}

fn bought(demand: &Demand, permit: &Permit<'_>) -> Result<Shares, Refusal> {
    let symbol = &demand.symbol;
    let item = permit
        .buy_plan
        .and_then(|plan| plan.items.iter().find(|item| item.symbol == *symbol))
        .ok_or_else(|| Refusal {
            rule: "not-funded",
            what: format!("no buy plan allows buying {symbol}"),
        })?;
    require(demand.limit <= item.worst_limit, "worst-limit", || {
        format!("{symbol} was budgeted with {}, not {}", item.worst_limit, demand.limit)
    })?;
    Ok(item.shares)
}

fn price(demand: &Demand, permit: &Permit<'_>) -> Result<(), Refusal> {
    let Demand { symbol, side, limit, .. } = demand;
    fresh(permit.quote, permit.policy, permit)?;
    let tries = pricing::attempts(permit.policy.urgency);
    require((1..=tries).contains(&demand.attempt), "attempt", || {
        format!("attempt {} of {tries}", demand.attempt)
    })?;
    let on_tick = limit.tick_down() == Some(*limit) || is_planted(Mutant::NoTick);
    require(on_tick, "tick", || format!("{limit} is between two ticks"))?;
    let furthest = pricing::marketable(*side, permit.quote, permit.policy.limits.collar);
    let inside = furthest.is_some_and(|furthest| match side {
        Side::Buy => *limit <= furthest,
        Side::Sell => *limit >= furthest,
    });
    require(inside, "collar", || {
        let (bid, ask) = (permit.quote.bid(), permit.quote.ask());
        format!("{side} {symbol} at {limit} reaches beyond the collar of the quote {bid}/{ask}")
    })
}

fn fresh(quote: &Quote, policy: &Policy, permit: &Permit<'_>) -> Result<(), Refusal> {
    let rules = policy.quote_rules();
    let age = permit.now.duration_since(quote.at()).unsigned_abs();
    require(age <= rules.age_max, "stale-quote", || {
        format!("the quote is {} s old", age.as_secs())
    })?;
    let wide = quote.half_spread() * Decimal::TWO;
    require(wide <= rules.spread_max, "spread", || format!("the spread is {wide} of the price"))
}

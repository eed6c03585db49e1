//! How much of the account a plan would have in the market, and at what cost to trade.
//!
//! That it buys nothing which no strategy may name is seen to where a signal is taken.

use rust_decimal::Decimal;

use crate::domain::money::{Shares, Usd};
use crate::domain::order::Side;
use crate::domain::plan::{PlanItem, RebalancePlan};
use crate::domain::policy::Policy;
use crate::domain::report::LimitUse;
use crate::domain::risk::Findings;
use crate::domain::risk::limits::{fraction, percent};

/// A plan that leaves less than this part of what the strategies ask for invested goes to cash
/// without any of them saying so.
const INVESTED_MIN: Decimal = Decimal::from_parts(5, 0, 0, false, 1);

/// Checks what would be invested after the plan.
pub(super) fn check(plan: &RebalancePlan, policy: &Policy, findings: &mut Findings) {
    gross(plan, findings);
    to_cash(plan, findings);
    widest(plan, policy, findings);
}

/// What all sleeves would be worth, of what the account has without borrowing. Shown and no stop:
/// the buy plan is cut to the cash less the reserve, whatever became of the sells.
fn gross(plan: &RebalancePlan, findings: &mut Findings) {
    let capital = &plan.capital;
    let own = capital.cash - capital.foreign_open_buys + capital.sleeves;
    let after: Usd = plan.items.iter().map(value_after).sum();
    let Some(share) = after.ratio_to(own).filter(|_| own.is_positive()) else { return };
    let what = "value of all sleeves, of cash and sleeves; buys are cut to the cash";
    let line = fraction("exposure", what, share, Decimal::ONE);
    findings.limits.push(LimitUse { limit: "exposure".to_owned(), within: true, ..line });
}

/// A way to cash that no strategy asked for.
fn to_cash(plan: &RebalancePlan, findings: &mut Findings) {
    let after: Usd =
        plan.items.iter().filter_map(|item| item.reference.map(|price| item.wanted * price)).sum();
    let asked = plan.capital.asked;
    let sells = plan.orders(Side::Sell).next().is_some();
    let within = !sells || after >= asked.scaled(INVESTED_MIN);
    findings.require(within, "to-cash", || {
        format!("the plan sells and leaves {after} invested, the strategies ask for {asked}")
    });
    let missing = Decimal::ONE - after.ratio_to(asked).unwrap_or(Decimal::ONE);
    findings.limits.push(LimitUse {
        limit: "to-cash".to_owned(),
        what: "not invested of what the strategies ask for".to_owned(),
        used: percent(missing.max(Decimal::ZERO)),
        allowed: percent(Decimal::ONE - INVESTED_MIN),
        within,
    });
}

/// The widest spread and the largest part of a day's volume among the orders. Each order is judged
/// by itself; here the nearest to its limit is shown.
fn widest(plan: &RebalancePlan, policy: &Policy, findings: &mut Findings) {
    let ordered = || plan.items.iter().filter(|item| item.order().is_some());
    let spread = ordered().filter_map(|item| Some((item.half_spread? * Decimal::TWO, item)));
    let volume = ordered().filter_map(|item| Some((item.volume_share?, item)));
    let limits = &policy.limits;
    for (limit, what, most, used) in [
        ("spread_max", "widest spread", limits.spread_max, spread.max_by_key(|(used, _)| *used)),
        (
            "volume_share_max",
            "largest part of a median day's volume",
            limits.volume_share_max,
            volume.max_by_key(|(used, _)| *used),
        ),
    ] {
        if let Some((used, item)) = used {
            findings.limits.push(fraction(limit, &format!("{what}, {}", item.symbol), used, most));
        }
    }
}

/// Value of all sleeves' shares of a symbol after the plan.
pub(super) fn value_after(item: &PlanItem) -> Usd {
    let shares: Shares = match item.order() {
        Some((Side::Buy, shares)) => item.held + shares,
        Some((Side::Sell, shares)) => item.held.minus_at_most(shares),
        None => item.held,
    };
    item.reference.map_or(Usd::ZERO, |price| shares * price)
}

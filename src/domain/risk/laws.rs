//! What must hold of every plan, whatever the account and the policy: a second pair of eyes on
//! the arithmetic that drafted it.

use std::collections::BTreeSet;

use crate::domain::money::{Shares, Usd};
use crate::domain::order::Side;
use crate::domain::plan::{PlanItem, RebalancePlan, SleeveState};
use crate::domain::risk::Findings;
use crate::domain::run::StrategyName;

/// Checks the laws that need nothing but the plan.
pub(super) fn check(plan: &RebalancePlan, findings: &mut Findings) {
    findings.require(plan.key.session == plan.session.date, "session", || {
        format!("the plan is for {} and trades on {}", plan.key.session, plan.session.date)
    });
    let symbols: BTreeSet<_> = plan.items.iter().map(|item| &item.symbol).collect();
    findings.require(symbols.len() == plan.items.len(), "one-side", || {
        "a symbol has more than one item".to_owned()
    });
    for item in &plan.items {
        order(plan, item, findings);
    }
    for crossing in &plan.crossings {
        let both = is_due(plan, &crossing.from) && is_due(plan, &crossing.to);
        findings.require(both && crossing.from != crossing.to, "held-sleeve", || {
            format!(
                "{} {} would pass from {} to {}, and one of them is held",
                crossing.shares, crossing.symbol, crossing.from, crossing.to
            )
        });
    }
    capital(plan, findings);
}

fn is_due(plan: &RebalancePlan, strategy: &StrategyName) -> bool {
    let sleeve = plan.sleeves.iter().find(|sleeve| sleeve.strategy == *strategy);
    sleeve.is_some_and(|sleeve| matches!(sleeve.state, SleeveState::Due(_)))
}

fn order(plan: &RebalancePlan, item: &PlanItem, findings: &mut Findings) {
    let Some((side, shares)) = item.order() else { return };
    let symbol = &item.symbol;
    findings.require(item.reference.is_some(), "no-price", || {
        format!("{side} of {symbol} without a price")
    });
    let parts: Shares = item.parts.iter().map(|part| part.shares).sum();
    findings.require(parts == shares && !shares.is_zero(), "parts", || {
        format!("{side} of {shares} {symbol} is for {parts}")
    });
    findings.require(item.fractionable || shares.is_whole(), "whole-shares", || {
        format!("{symbol} trades in whole shares, not {shares}")
    });
    for part in &item.parts {
        findings.require(is_due(plan, &part.strategy), "held-sleeve", || {
            format!("{side} of {symbol} for {}, which is held", part.strategy)
        });
        let sleeve = plan.ledger.sleeves.get(&part.strategy);
        let owned = sleeve.map(|sleeve| sleeve.shares_of(symbol)).unwrap_or_default();
        findings.require(side == Side::Buy || part.shares <= owned, "sells-more-than-held", || {
            format!("{} would sell {} {symbol} and owns {owned}", part.strategy, part.shares)
        });
    }
    findings.require(side == Side::Buy || shares <= item.held, "sells-more-than-held", || {
        format!("{shares} {symbol} to sell, the sleeves own {}", item.held)
    });
}

fn capital(plan: &RebalancePlan, findings: &mut Findings) {
    let due = plan.sleeves.iter().filter(|sleeve| matches!(sleeve.state, SleeveState::Due(_)));
    let claimed: Usd = due.map(|sleeve| sleeve.capital).sum();
    let (deployable, held) = (plan.capital.deployable, plan.capital.held);
    findings.require(claimed + held <= deployable.max(held), "over-allocated", || {
        format!("due sleeves may use {claimed} and held ones {held} of {deployable}")
    });
}

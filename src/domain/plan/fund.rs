//! The buy plan: what the money allows, after the sells.

use crate::domain::execution::OrderOutcome;
use crate::domain::money::Usd;
use crate::domain::plan::BuyPlan;
use crate::domain::policy::Policy;
use crate::domain::risk::ApprovedPlan;

/// What will be bought, from the plan, the sells' outcomes and the cash after them.
pub fn fund(plan: &ApprovedPlan, _sold: &[OrderOutcome], cash: Usd, _policy: &Policy) -> BuyPlan {
    BuyPlan { cash, reserve: plan.plan().capital.reserve, items: Vec::new(), cuts: Vec::new() }
}

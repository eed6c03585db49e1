//! What a run has used up of its limits while it acts.
//!
//! A resumed run does not begin from nothing: what an earlier invocation used is derived from the
//! broker's orders and the run's records, so that a limit holds for the run and not for a process.

use crate::domain::money::Shares;
use crate::domain::order::OrderStatus;
use crate::domain::plan::RebalancePlan;
use crate::domain::policy::Policy;
use crate::domain::pricing;
use crate::domain::report::LimitUse;

/// Each attempt is sent once and cancelled once.
const WRITES_EACH: u32 = 2;
/// Sends and cancels of a run beyond that: repetitions after lost answers.
const WRITES_SPARE: u32 = 10;

/// What a run has used up already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Attempts sent in this run.
    pub submits: u32,
    /// Requests of this run that changed something at the broker: sends, repeated ones, cancels.
    pub writes: u32,
    /// Attempts sent within the second before now.
    pub submits_last_second: u32,
    /// Attempts refused or rejected in this run.
    pub rejections: u32,
    /// Attempts of this run whose end is unknown.
    pub unknowns: u32,
    /// Shares that earlier attempts of the same order executed.
    pub filled: Shares,
}

/// Attempts that a plan may send in all.
pub fn submits_max(plan: &RebalancePlan, policy: &Policy) -> u32 {
    let orders = plan.items.iter().filter(|item| item.order().is_some()).count();
    let orders = u32::try_from(orders).unwrap_or(u32::MAX);
    orders.saturating_mul(u32::from(pricing::attempts(policy.urgency)))
}

/// Sends and cancels after which a run sends no more; cancels are never stopped.
pub fn writes_max(plan: &RebalancePlan, policy: &Policy) -> u32 {
    submits_max(plan, policy).saturating_mul(WRITES_EACH).saturating_add(WRITES_SPARE)
}

impl Usage {
    /// An attempt that an earlier invocation sent, as the broker shows it.
    pub fn take_up(&mut self, status: &OrderStatus) {
        self.submits += 1;
        self.writes += 1;
        match status {
            OrderStatus::Cancelled | OrderStatus::PendingCancel => self.writes += 1,
            OrderStatus::Working
            | OrderStatus::PartiallyFilled
            | OrderStatus::DoneForDay
            | OrderStatus::Filled
            | OrderStatus::Expired
            | OrderStatus::Rejected
            | OrderStatus::Replaced
            | OrderStatus::Other(_) => {}
        }
    }

    /// Each limit on acting with what was used of it, for the report.
    pub fn uses(&self, plan: &RebalancePlan, policy: &Policy) -> Vec<LimitUse> {
        let limits = &policy.limits;
        [
            ("attempts", "attempts sent", self.submits, submits_max(plan, policy)),
            ("writes", "sends and cancels", self.writes, writes_max(plan, policy)),
            (
                "limits.rejections_max",
                "orders refused or rejected; the last stops the sending",
                self.rejections,
                limits.rejections_max,
            ),
            (
                "limits.unknowns_max",
                "orders whose end is unknown; the last stops the sending",
                self.unknowns,
                limits.unknowns_max,
            ),
        ]
        .map(|(limit, what, used, allowed)| LimitUse {
            limit: limit.to_owned(),
            what: what.to_owned(),
            used: used.to_string(),
            allowed: allowed.to_string(),
            within: used <= allowed,
        })
        .to_vec()
    }
}

//! The risk gate: the only maker of an [`ApprovedPlan`], and through it of an order.
//!
//! The plan is judged as a whole before its first order: a stop never leaves sells without
//! their buys. Every attempt is judged again when it is about to leave. Each check is evaluated
//! even after another failed, so that the operator sees the full list.

pub mod attempt;
pub mod equity;
pub mod exposure;
pub mod laws;
pub mod limits;
pub mod probe;
pub mod usage;

pub use usage::Usage;

use crate::domain::market::Quote;
use crate::domain::money::{Price, Shares};
use crate::domain::order::{OrderRequest, Side};
use crate::domain::plan::{BuyPlan, RebalancePlan};
use crate::domain::policy::Policy;
use crate::domain::report::LimitUse;
use crate::domain::snapshot::Snapshot;
use crate::domain::symbol::Symbol;

use jiff::Timestamp;

/// A plan that passed the gate. Only [`approve`] and [`restore`] make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedPlan(RebalancePlan);

/// One attempt that the executor would like to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Ticker.
    pub symbol: Symbol,
    /// Side.
    pub side: Side,
    /// Attempt, from 1.
    pub attempt: u8,
    /// Shares of this attempt.
    pub shares: Shares,
    /// Its limit price.
    pub limit: Price,
}

/// What an attempt is judged by at the moment it leaves.
#[derive(Debug, Clone, Copy)]
pub struct Permit<'a> {
    /// The stored buy plan; no buy leaves without one.
    pub buy_plan: Option<&'a BuyPlan>,
    /// The fresh quote the limit was made from.
    pub quote: &'a Quote,
    /// Now, by our clock; a plan is only made while it agrees with the broker's.
    pub now: Timestamp,
    /// The policy.
    pub policy: &'a Policy,
    /// What the run has used up.
    pub usage: Usage,
}

/// One rule that said no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Refusal {
    /// Stable short name of the rule, kebab-case.
    pub rule: &'static str,
    /// What was found, in a sentence.
    pub what: String,
}

/// A plan that may not be traded, and every reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The plan, for the report.
    pub plan: RebalancePlan,
    /// All rules that said no; never empty.
    pub refusals: Vec<Refusal>,
    /// Use of each limit.
    pub limits: Vec<LimitUse>,
}

/// What the gate found: each limit's use, and each refusal.
#[derive(Debug, Default)]
struct Findings {
    limits: Vec<LimitUse>,
    refusals: Vec<Refusal>,
}

/// Judges a plan as a whole, before its first order.
///
/// # Errors
/// [`Refused`] with the plan and every rule that said no.
pub fn approve(
    plan: RebalancePlan,
    snapshot: &Snapshot,
    policy: &Policy,
) -> Result<(ApprovedPlan, Vec<LimitUse>), Box<Refused>> {
    let mut findings = Findings::default();
    laws::check(&plan, &mut findings);
    limits::check(&plan, snapshot, policy, &mut findings);
    exposure::check(&plan, policy, &mut findings);
    equity::check(&plan, snapshot, policy, &mut findings);
    let Findings { limits, refusals } = findings;
    if refusals.is_empty() {
        Ok((ApprovedPlan(plan), limits))
    } else {
        Err(Box::new(Refused { plan, refusals, limits }))
    }
}

/// Takes up an approved plan again from its stored form, checking the laws that need nothing else.
///
/// # Errors
/// [`Refusal`] when the stored plan breaks a law: it was not written by the gate.
pub fn restore(plan: RebalancePlan) -> Result<ApprovedPlan, Refusal> {
    let mut findings = Findings::default();
    laws::check(&plan, &mut findings);
    match findings.refusals.into_iter().next() {
        None => Ok(ApprovedPlan(plan)),
        Some(refusal) => Err(refusal),
    }
}

impl ApprovedPlan {
    /// The plan.
    pub const fn plan(&self) -> &RebalancePlan {
        &self.0
    }

    /// The order for one attempt, if every rule allows it now.
    ///
    /// # Errors
    /// [`Refusal`] with the first rule that says no.
    pub fn request(&self, demand: &Demand, permit: &Permit<'_>) -> Result<OrderRequest, Refusal> {
        attempt::request(&self.0, demand, permit)
    }
}

impl Findings {
    /// Notes a refusal unless the rule is kept.
    fn require(&mut self, kept: bool, rule: &'static str, what: impl FnOnce() -> String) {
        if !kept {
            self.refusals.push(Refusal { rule, what: what() });
        }
    }

    /// Notes the use of a limit, and a refusal when it is exceeded.
    fn limit(&mut self, rule: &'static str, use_: LimitUse) {
        let LimitUse { what, used, allowed, within, .. } = &use_;
        self.require(*within, rule, || format!("{what}: {used}, allowed {allowed}"));
        self.limits.push(use_);
    }
}

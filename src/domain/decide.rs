//! The one pure function between seeing and acting.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::account::Position;
use crate::domain::incident::Incident;
use crate::domain::money::Usd;
use crate::domain::plan::RebalancePlan;
use crate::domain::policy::Policy;
use crate::domain::report::LimitUse;
use crate::domain::risk::ApprovedPlan;
use crate::domain::run::RunKey;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::snapshot::Snapshot;
use crate::domain::strategy::{StrategyOutcome, StrategySlot};
use crate::domain::symbol::Symbol;

/// What a run decided.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// What each strategy said, in the policy's order.
    pub signals: Vec<StrategyOutcome>,
    /// The ledger carried forward, before any crossing; `None` when it could not be.
    pub ledger: Option<Ledger>,
    /// Cash paid in (negative: out) since the last run.
    pub transfers: Usd,
    /// The plan, when the gate let it pass.
    pub plan: Option<ApprovedPlan>,
    /// The plan even when the gate refused it, for the report.
    pub drafted: Option<RebalancePlan>,
    /// Use of each limit of the gate.
    pub limits: Vec<LimitUse>,
    /// What the operator should know.
    pub incidents: Vec<Incident>,
    /// Why nothing may be traded, in a sentence.
    pub blocked: Option<String>,
}

/// What has to be observed before a decision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Universe {
    /// Closes wanted of each symbol.
    pub closes: BTreeMap<Symbol, usize>,
    /// Symbols whose flags, quotes and splits are wanted: what may trade.
    pub tradable: BTreeSet<Symbol>,
}

/// Signals, sleeves, targets, plan and gate. The same inputs give the same bytes.
pub fn decide(
    _snapshot: &Snapshot,
    _signals: &[StrategyOutcome],
    _book: &[StrategySlot],
    _policy: &Policy,
    _key: &RunKey,
) -> Decision {
    Decision::default()
}

/// What has to be observed: what the strategies look at and may name, and what is held.
pub fn universe(
    _book: &[StrategySlot],
    _ledger: Option<&Ledger>,
    _positions: &[Position],
) -> Universe {
    Universe::default()
}

/// What each strategy says on the closes up to and including a day.
pub fn evaluate(
    book: &[StrategySlot],
    histories: &crate::domain::market::Histories,
    as_of: jiff::civil::Date,
) -> Vec<StrategyOutcome> {
    let one = |slot: &StrategySlot| {
        let (hash, result) = match &slot.engine {
            Ok(engine) => (engine.needs().hash.clone(), engine.evaluate(histories, as_of)),
            Err(error) => (String::new(), Err(error.clone())),
        };
        StrategyOutcome { strategy: slot.name.clone(), hash, result }
    };
    book.iter().map(one).collect()
}

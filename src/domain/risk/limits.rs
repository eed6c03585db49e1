//! Checks of the gate.

use crate::domain::plan::RebalancePlan;
use crate::domain::policy::Policy;
use crate::domain::risk::Findings;
use crate::domain::snapshot::Snapshot;

pub(super) fn check(
    _plan: &RebalancePlan,
    _snapshot: &Snapshot,
    _policy: &Policy,
    _findings: &mut Findings,
) {
}

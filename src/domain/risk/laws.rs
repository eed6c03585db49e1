//! Checks of the gate.

use crate::domain::plan::RebalancePlan;
use crate::domain::risk::Findings;

pub(super) fn check(_plan: &RebalancePlan, _findings: &mut Findings) {}

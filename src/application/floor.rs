//! The floor: what acting needs besides the plan.

use jiff::Timestamp;

use crate::application::alarm::Alarm;
use crate::application::desk::{Desk, Observation};
use crate::application::journal::Journal;
use crate::application::ports::Store;

/// What acting needs besides the plan.
pub struct Floor<'a> {
    /// The ways to the market.
    pub desk: &'a Desk<'a>,
    /// The run's records.
    pub journal: &'a Journal<'a>,
    /// For the control object.
    pub store: &'a dyn Store,
    /// Where the operator is told at once.
    pub alarm: &'a Alarm,
    /// The quotes that the plan was made with, when this invocation made it.
    pub observed: Option<&'a Observation>,
    /// When the operator was asked while the plan was kept, and permitted orders.
    pub permitted_at: Option<Timestamp>,
    /// SHA-256 of the stored plan.
    pub plan_hash: &'a str,
    /// What an earlier invocation may have sent of this plan.
    pub sent: Sent,
    /// No order leaves from here on.
    pub no_submit_after: Timestamp,
    /// Everything has to have ended by then.
    pub end: Timestamp,
}

/// What was sent of a plan before this invocation came to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Nothing: this invocation made the plan.
    Nothing,
    /// Perhaps orders: they are looked for first.
    Perhaps,
}

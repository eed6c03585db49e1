//! The attempt under way: until when it works, and when to look or to cancel again.
//!
//! Looks and cancellations that bring nothing are repeated at growing intervals: often enough to
//! see an end soon, seldom enough to leave requests for the other orders.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::order::OrderRequest;

/// Wait before the first look after a lost answer; doubled each time, up to the next line.
const AGAIN: Duration = Duration::from_millis(500);
const AGAIN_MAX: Duration = Duration::from_secs(5);
/// Wait before a cancellation that the broker took is asked for again; one may get lost.
const CANCEL_AGAIN: Duration = Duration::from_secs(2);

/// What is remembered of the attempt under way besides its state.
pub(super) struct Current {
    /// What was sent, when this invocation sent it.
    pub(super) request: Option<OrderRequest>,
    /// The broker's id, once it is known.
    pub(super) broker_id: Option<String>,
    /// It works until then.
    pub(super) until: Timestamp,
    /// An answer that was lost is looked for from then on.
    pub(super) look_at: Timestamp,
    /// A cancellation may be asked for from then on.
    pub(super) cancel_at: Timestamp,
    /// It went out again with fewer shares.
    pub(super) reduced: bool,
    look_wait: Duration,
    cancel_wait: Duration,
}

impl Current {
    /// An attempt that may work for so long.
    pub(super) fn new(request: Option<OrderRequest>, now: Timestamp, lasts: Duration) -> Self {
        Self {
            request,
            broker_id: None,
            until: now.saturating_add(lasts).unwrap_or(now),
            look_at: now,
            cancel_at: Timestamp::MIN,
            reduced: false,
            look_wait: AGAIN,
            cancel_wait: AGAIN,
        }
    }

    /// Nothing was found yet.
    pub(super) fn look_later(&mut self, now: Timestamp) {
        self.look_at = now.saturating_add(self.look_wait).unwrap_or(now);
        self.look_wait = (self.look_wait * 2).min(AGAIN_MAX);
    }

    /// A cancellation was asked for, and taken or not.
    pub(super) fn cancel_later(&mut self, taken: bool, now: Timestamp) {
        let least = if taken { CANCEL_AGAIN } else { Duration::ZERO };
        let wait = self.cancel_wait.max(least);
        self.cancel_at = now.saturating_add(wait).unwrap_or(now);
        self.cancel_wait = (wait * 2).min(AGAIN_MAX);
    }
}

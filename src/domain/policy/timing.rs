//! Times and waits.

use serde::{Deserialize, Serialize};

use crate::domain::policy::{PolicyError, out_of_range};

/// Times and waits, all in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// A trade event older than this never trades.
    pub lateness_max_seconds: u32,
    /// A plan is good for this long.
    pub plan_valid_seconds: u32,
    /// No order in the first seconds after the open.
    pub open_guard_seconds: u32,
    /// No order in the last seconds before the close; see [`Session::orders_end`](crate::domain::session::Session::orders_end).
    pub cutoff_seconds: u32,
    /// How long one attempt may work before it is cancelled.
    pub attempt_seconds: u32,
    /// How long the stream is waited for before polling alone.
    pub stream_seconds: u32,
    /// How long one phase of orders may take in all.
    pub phase_seconds: u32,
    /// How long to wait for a cancelled order to end.
    pub settle_seconds: u32,
    /// How far our clock may differ from the broker's.
    pub clock_skew_max_seconds: u32,
}

impl Timing {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        for (key, seconds, most, allowed) in [
            ("timing.lateness_max_seconds", self.lateness_max_seconds, 3600, "1 to 3600"),
            ("timing.plan_valid_seconds", self.plan_valid_seconds, 3600, "1 to 3600"),
            ("timing.cutoff_seconds", self.cutoff_seconds, 3600, "1 to 3600"),
            ("timing.attempt_seconds", self.attempt_seconds, 120, "1 to 120"),
            ("timing.stream_seconds", self.stream_seconds, 120, "1 to 120"),
            ("timing.phase_seconds", self.phase_seconds, 240, "1 to 240"),
            ("timing.settle_seconds", self.settle_seconds, 60, "1 to 60"),
            ("timing.clock_skew_max_seconds", self.clock_skew_max_seconds, 120, "1 to 120"),
        ] {
            if !(1..=most).contains(&seconds) {
                return Err(out_of_range(key, seconds, allowed));
            }
        }
        if self.open_guard_seconds > 3600 {
            return Err(out_of_range(
                "timing.open_guard_seconds",
                self.open_guard_seconds,
                "0 to 3600",
            ));
        }
        Ok(())
    }
}

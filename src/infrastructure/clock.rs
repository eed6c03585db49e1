//! The machine's clock: where production reads time and sleeps, and the only such place.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::application::ports::Clock;

/// The clock of the machine: the only place that reads the time and really waits.
#[derive(Debug, Clone, Copy, Default)]
pub struct MachineClock;

#[async_trait]
impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others ask")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the wait that others ask for")]
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

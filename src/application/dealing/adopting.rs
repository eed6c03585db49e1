//! Adopting: taking up what an earlier invocation sent of a plan.

use std::time::Duration;

use tracing::warn;

use crate::application::dealing::Dealing;
use crate::application::dealing::refusals::refused;
use crate::application::order_life::OrderLife;
use crate::application::stop::Stop;
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::{ClientOrderId, Order};
use crate::domain::pricing;

use jiff::Timestamp;

/// How often an order that no list shows is looked up by its id before it counts as never sent.
const LOOKS: u32 = 3;
const LOOK_WAIT: Duration = Duration::from_millis(500);

impl Dealing<'_> {
    /// Takes up what an earlier invocation sent, once the broker says what that is.
    ///
    /// A list may lag behind, so an order that it does not show is looked up by its id where nothing
    /// will be sent any more; elsewhere the same id goes out again, and the broker knows it.
    pub(super) async fn adopt(
        &mut self,
        lives: &mut [OrderLife],
        (end, sends): (Timestamp, Sends),
    ) -> Result<(), Stop> {
        if is_planted(Mutant::NobodyAdopts) {
            return Ok(());
        }
        let desk = self.floor.desk;
        let lasts = Duration::from_secs(u64::from(desk.policy.timing.attempt_seconds));
        let orders = self.orders_for_sure(end).await?;
        let refused = refused(self.floor.journal).await?;
        for life in lives {
            for attempt in 1..=pricing::attempts(desk.policy.urgency) {
                let (symbol, side) = (life.attempts.symbol(), life.attempts.side());
                let id = ClientOrderId::of(self.floor.journal.key(), symbol, side, attempt);
                let listed = orders.iter().find(|o| o.client_id == id.as_str()).cloned();
                let order = match (listed, sends) {
                    (None, Sends::Nothing) if !life.attempts.rest().is_zero() => {
                        self.looked_up(&id).await?
                    }
                    (listed, _) => listed,
                };
                let Some(order) = order else { break };
                self.usage.take_up(&order.status);
                let concern = life.adopt(id, &order, (desk.clock.now(), lasts));
                self.concern(concern);
            }
            self.look_at_attempts(life).await?;
            self.recall(life, &refused);
        }
        Ok(())
    }

    /// The run's orders; without them nobody can say what was sent.
    async fn orders_for_sure(&mut self, end: Timestamp) -> Result<Vec<Order>, Stop> {
        let desk = self.floor.desk;
        loop {
            match self.orders().await {
                Ok(orders) => return Ok(orders),
                Err(error) if desk.clock.now() >= end => {
                    return Err(Stop::broker(&error, "reading the orders of this run"));
                }
                Err(error) => warn!(%error, "orders not readable for now"),
            }
            if let Some(watch) = &mut self.watch {
                watch.wait(desk, end).await;
            }
        }
    }

    async fn looked_up(&self, id: &ClientOrderId) -> Result<Option<Order>, Stop> {
        let desk = self.floor.desk;
        for look in 1..=LOOKS {
            let found = desk.broker.order(id).await;
            let found = found.map_err(|e| Stop::broker(&e, "looking up an order of this run"))?;
            if found.is_some() || look == LOOKS {
                return Ok(found);
            }
            desk.clock.sleep(LOOK_WAIT).await;
        }
        Ok(None)
    }
}

/// Whether this invocation may still send orders of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sends {
    Orders,
    Nothing,
}

//! Adopting: taking up what an earlier invocation sent of a plan.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use tracing::warn;

use crate::application::dealing::refusals::refused;
use crate::application::dealing::{Dealing, TOGETHER};
use crate::application::floor::Sent;
use crate::application::order_life::OrderLife;
use crate::application::steps::Step;
use crate::application::stop::Stop;
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::{ClientOrderId, Order};
use crate::domain::pricing;

/// How often an order that no list shows is looked up by its id before it counts as never sent.
const LOOKS: u32 = 3;
const LOOK_WAIT: Duration = Duration::from_millis(500);

impl Dealing<'_> {
    /// Takes up what an earlier invocation sent, once the broker lists it.
    pub(super) async fn adopt(
        &mut self,
        lives: &mut [OrderLife],
        end: Timestamp,
    ) -> Result<(), Stop> {
        if is_planted(Mutant::NobodyAdopts) {
            return Ok(());
        }
        let orders = self.orders_for_sure(end).await?;
        let refused = refused(self.floor.journal).await?;
        for life in lives {
            while let Some(id) = self.next_id(life)
                && let Some(order) = orders.iter().find(|o| o.client_id == id.as_str())
            {
                self.take_up(life, id, order);
            }
            self.look_at_attempts(life).await?;
            self.recall(life, &refused);
        }
        Ok(())
    }

    /// Looks up by its id what an earlier invocation may have sent and this one will not.
    ///
    /// A list may lag behind, so an order that none shows may be there all the same. Where it is sent
    /// again the broker knows its id; where it is not, because time is over, the operator says stop or
    /// a limit is reached, nobody else would find it, and the run would be closed without it.
    pub(super) async fn seek(
        &mut self,
        lives: &mut [OrderLife],
        last: Timestamp,
    ) -> Result<(), Stop> {
        if self.floor.sent == Sent::Nothing || is_planted(Mutant::NobodyAdopts) {
            return Ok(());
        }
        loop {
            let (now, until) = (self.floor.desk.clock.now(), self.until(last));
            let mut sought: Vec<(&mut OrderLife, ClientOrderId)> = lives
                .iter_mut()
                .filter(|life| is_unsought(life) && matches!(life.step(now, until), Step::Over))
                .filter_map(|life| self.next_id(life).map(|id| (life, id)))
                .take(TOGETHER)
                .collect();
            if sought.is_empty() {
                return Ok(());
            }
            let found = join_all(sought.iter().map(|(_, id)| self.looked_up(id))).await;
            for ((life, id), found) in sought.iter_mut().zip(found) {
                life.sought = Some(life.attempts.list().len());
                if let Some(order) = found? {
                    self.take_up(life, id.clone(), &order);
                    self.look_at_attempts(life).await?;
                }
            }
        }
    }

    /// The id under which the next attempt of an order would be sent, if it may have another.
    fn next_id(&self, life: &OrderLife) -> Option<ClientOrderId> {
        let attempt = u8::try_from(life.attempts.list().len() + 1).ok()?;
        let (symbol, side) = (life.attempts.symbol(), life.attempts.side());
        (attempt <= pricing::attempts(self.floor.desk.policy.urgency))
            .then(|| ClientOrderId::of(self.floor.journal.key(), symbol, side, attempt))
    }

    fn take_up(&mut self, life: &mut OrderLife, id: ClientOrderId, order: &Order) {
        let desk = self.floor.desk;
        let lasts = Duration::from_secs(u64::from(desk.policy.timing.attempt_seconds));
        self.usage.take_up(&order.status);
        let concern = life.adopt(id, order, (desk.clock.now(), lasts));
        self.concern(concern);
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

/// Whether something of an order is left over, and nobody has looked for a next attempt of it.
fn is_unsought(life: &OrderLife) -> bool {
    !life.attempts.rest().is_zero() && life.sought != Some(life.attempts.list().len())
}

//! Withdrawing: open orders of ours are cancelled, and waited for until they are seen to end.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use crate::application::desk::Desk;
use crate::application::ports::BrokerError;
use crate::domain::order::Order;

/// Wait between two looks at an order that is being cancelled.
const WAIT: Duration = Duration::from_millis(500);

/// Cancels open orders of ours, whichever run sent them.
///
/// # Errors
/// [`BrokerError`] when the orders cannot be read.
pub(super) async fn withdraw(desk: &Desk<'_>) -> Result<(), BrokerError> {
    let open = open_of_ours(&desk.broker.open_orders().await?);
    withdraw_these(desk, open).await
}

/// Cancels these orders, and any other of ours that turns up meanwhile, until none is open or the
/// time to settle is over. A cancellation that fails is asked for again.
///
/// # Errors
/// [`BrokerError`] when the orders cannot be read any more.
pub(super) async fn withdraw_these(
    desk: &Desk<'_>,
    mut open: Vec<Order>,
) -> Result<(), BrokerError> {
    let patience = Duration::from_secs(u64::from(desk.policy.timing.settle_seconds));
    let end = desk.clock.now().saturating_add(patience).unwrap_or(Timestamp::MAX);
    let mut asked = BTreeSet::new();
    while !open.is_empty() && desk.clock.now() < end {
        for order in open {
            if asked.contains(&order.broker_id) {
                continue;
            }
            warn!(id = %order.client_id, symbol = %order.symbol, "cancelling an order of ours");
            match desk.broker.cancel(&order.broker_id).await {
                Ok(()) => drop(asked.insert(order.broker_id)),
                Err(error) => warn!(%error, id = %order.client_id, "order not cancelled yet"),
            }
        }
        desk.clock.sleep(WAIT).await;
        open = open_of_ours(&desk.broker.open_orders().await?);
    }
    Ok(())
}

/// Orders of ours that have not ended.
pub(super) fn open_of_ours(orders: &[Order]) -> Vec<Order> {
    let open = orders.iter().filter(|order| order.is_ours() && !order.status.is_terminal());
    open.cloned().collect()
}

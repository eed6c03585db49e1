//! Cancelling our own open orders, and nobody else's.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::application::ports::{Broker, BrokerError, Clock};
use crate::domain::order::Order;
use crate::infrastructure::clock::MachineClock;
use crate::interface::cli::asking::Consent;
use crate::interface::cli::{Place, Trouble, online, say};

/// How often the orders are looked at until they have ended.
const LOOKS_MAX: u32 = 20;
const LOOK_WAIT: Duration = Duration::from_secs(1);

/// Whose orders.
#[derive(Debug, Clone, Args)]
pub(super) struct CancelAll {
    #[command(flatten)]
    place: Place,
    /// JSON file with the broker's `key_id` and `secret_key`.
    #[arg(long, value_name = "FILE", default_value = "secret.json")]
    secret: PathBuf,
    /// Origin of an exchange on this machine instead of the broker, for mode paper.
    #[arg(long, value_name = "URL")]
    broker_url: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

/// Cancels every open order of ours in the account, and waits until each has ended.
pub(super) async fn cancel_all(what: &CancelAll, as_json: bool) -> Result<u8, Trouble> {
    let place = &what.place;
    let outside = online::outside(place, &what.secret, what.broker_url.clone()).await?;
    let broker = outside.broker(place.mode, None);
    let open = ours(&broker).await?;
    if !as_json {
        for order in &open {
            say(&line(order));
        }
    }
    if open.is_empty() {
        if as_json {
            say(&json!({ "cancelled": [], "open": [] }).to_string());
        } else {
            say("no open order of ours");
        }
        return Ok(0);
    }
    let question = format!("Cancel {} in {}/{}.", orders(open.len()), place.mode, place.account);
    what.consent.obtain(&question, "cancel")?;
    let mut refusals = Vec::new();
    for order in &open {
        if let Err(error) = broker.cancel(&order.broker_id).await {
            refusals.push(format!("{}: {error}", order.client_id)); // it may have ended meanwhile
        }
    }
    let mut left = ours(&broker).await?;
    for _ in 0..LOOKS_MAX {
        if left.is_empty() {
            break;
        }
        MachineClock.sleep(LOOK_WAIT).await;
        left = ours(&broker).await?;
    }
    let names = |orders: &[Order]| orders.iter().map(|o| o.client_id.clone()).collect::<Vec<_>>();
    if as_json {
        let value = json!({ "cancelled": names(&open), "open": names(&left), "refused": refusals });
        say(&value.to_string());
    } else {
        for refusal in &refusals {
            say(&format!("refused: {refusal}"));
        }
        match left.len() {
            0 => say(&format!("{} ended; others' orders were left alone", orders(open.len()))),
            count => say(&format!("{} still open: look at the broker", orders(count))),
        }
    }
    Ok(u8::from(!left.is_empty()))
}

async fn ours(broker: &dyn Broker) -> Result<Vec<Order>, Trouble> {
    let open = broker.open_orders().await.map_err(|error: BrokerError| {
        Trouble::setting(error, "cancel at the broker's own page if it cannot wait")
    })?;
    Ok(open.into_iter().filter(Order::is_ours).collect())
}

/// An order in a line.
pub(super) fn line(order: &Order) -> String {
    let shares = order.shares.map_or_else(|| "?".to_owned(), |shares| shares.to_string());
    let limit = order.limit.map(|limit| format!(" at {limit}")).unwrap_or_default();
    let (side, symbol, filled) = (order.side, &order.symbol, order.filled);
    format!("{side} {shares} {symbol}{limit}, {filled} executed, {}", order.client_id)
}

fn orders(count: usize) -> String {
    format!("{count} order{}", if count == 1 { "" } else { "s" })
}

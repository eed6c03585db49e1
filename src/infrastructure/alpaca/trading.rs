//! Account, positions and orders.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};
use serde_json::json;

use crate::application::ports::{Broker, BrokerError, Refusal};
use crate::domain::account::{Account, Activity, Asset, MarketClock, Position};
use crate::domain::order::{ClientOrderId, Order, OrderRequest, Side};
use crate::domain::session::Calendar;
use crate::domain::symbol::Symbol;
use crate::infrastructure::alpaca::door::Call;
use crate::infrastructure::alpaca::wire::{self, OrderKey, Unreadable};
use crate::infrastructure::alpaca::{Alpaca, activity, encode};
use crate::infrastructure::http::{Host, Method};

/// A read usually takes 20 ms; this is when we ask again.
const READ_TIMEOUT: Duration = Duration::from_secs(8);
/// How late an order sent before the cut-off may still arrive; the cut-off allows for it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// The broker's largest page of orders.
const ORDERS_A_PAGE: usize = 500;
/// Pages of orders: 5,000 orders are more than a day's limit a hundredfold.
const ORDER_PAGES_MAX: usize = 10;
/// The broker's largest page of activities.
const ACTIVITIES_A_PAGE: usize = 100;
/// Pages of activities: a month of a busy account.
const ACTIVITY_PAGES_MAX: usize = 50;
/// Assets are asked for one by one: the list of all has several megabytes.
const ASSETS_TOGETHER: usize = 4;
/// `after` leaves out its own moment, and the broker may cut our nanoseconds off.
const AFTER_MARGIN: SignedDuration = SignedDuration::from_millis(1);

#[async_trait]
impl Broker for Alpaca {
    async fn account(&self) -> Result<Account, BrokerError> {
        let (account, world) = self.read("/v2/account".to_owned(), wire::account).await?;
        match world {
            Some(world) if world != self.mode => Err(BrokerError::Unauthorised(format!(
                "the keys belong to a {world} account, the run is {}",
                self.mode
            ))),
            Some(_) | None => Ok(account),
        }
    }

    async fn positions(&self) -> Result<Vec<Position>, BrokerError> {
        self.read("/v2/positions".to_owned(), wire::positions).await
    }

    async fn orders_since(&self, since: Timestamp) -> Result<Vec<Order>, BrokerError> {
        let from = since.checked_sub(AFTER_MARGIN).unwrap_or(since);
        self.orders("all", Some(from)).await
    }

    async fn open_orders(&self) -> Result<Vec<Order>, BrokerError> {
        self.orders("open", None).await
    }

    async fn order(&self, id: &ClientOrderId) -> Result<Option<Order>, BrokerError> {
        let target =
            format!("/v2/orders:by_client_order_id?client_order_id={}", encode(id.as_str()));
        let order = match self.read(target, |body| wire::one_order(body, None)).await {
            Err(BrokerError::Refused { reason: Refusal::NotFound, .. }) => return Ok(None),
            answer => answer?,
        };
        if order.client_id == id.as_str() {
            Ok(Some(order))
        } else {
            Err(BrokerError::Malformed(format!("asked for order {id}, got another")))
        }
    }

    async fn assets(&self, symbols: &[Symbol]) -> Result<BTreeMap<Symbol, Asset>, BrokerError> {
        let symbols = BTreeSet::from_iter(symbols);
        let answers: Vec<_> = symbols.into_iter().map(|symbol| self.asset(symbol)).collect();
        let found: Vec<Option<Asset>> =
            stream::iter(answers).buffer_unordered(ASSETS_TOGETHER).try_collect().await?;
        Ok(found.into_iter().flatten().map(|asset| (asset.symbol.clone(), asset)).collect())
    }

    async fn clock(&self) -> Result<MarketClock, BrokerError> {
        self.read("/v2/clock".to_owned(), wire::clock).await
    }

    async fn calendar(&self, first: Date, last: Date) -> Result<Calendar, BrokerError> {
        // Some have seen the end left out of the answer.
        let end = last.saturating_add(Span::new().days(1));
        let target = format!("/v2/calendar?start={first}&end={end}");
        let mut sessions = self.read(target, wire::sessions).await?;
        sessions.retain(|session| (first..=last).contains(&session.date));
        Ok(Calendar::new(sessions))
    }

    async fn activities_since(&self, since: Timestamp) -> Result<Vec<Activity>, BrokerError> {
        let target = format!(
            "/v2/account/activities?after={}&direction=asc&page_size={ACTIVITIES_A_PAGE}",
            encode(&since.to_string())
        );
        let mut rows = Vec::new();
        let mut seen = BTreeSet::new();
        let mut page_target = target.clone();
        for _ in 0..ACTIVITY_PAGES_MAX {
            let page = self.read(page_target, activity::page).await?;
            let (count, last) = (page.len(), page.last().map(|row| row.id.clone()));
            let known = seen.len();
            rows.extend(page.into_iter().filter(|row| seen.insert(row.id.clone())));
            match last {
                Some(last) if count >= ACTIVITIES_A_PAGE && seen.len() > known => {
                    page_target = format!("{target}&page_token={}", encode(&last));
                }
                Some(_) if count >= ACTIVITIES_A_PAGE => break,
                Some(_) | None => return Ok(activity::join(rows)),
            }
        }
        Err(BrokerError::Malformed("activities without end".to_owned()))
    }

    async fn submit(&self, order: &OrderRequest) -> Result<Order, BrokerError> {
        let call = call(Method::Post, "/v2/orders".to_owned(), order_body(order));
        let answer = self.door.write(&call).await?;
        // Whatever a success says, the order may exist; unread it must be looked up.
        let taken = wire::one_order(&answer.body, Some(order)).map_err(|unreadable| {
            let (Unreadable::Garbled(what) | Unreadable::Wrong(what)) = unreadable;
            BrokerError::Ambiguous(what)
        })?;
        if taken.client_id == order.id().as_str() {
            Ok(taken)
        } else {
            let said = format!("sent order {}, the answer names another", order.id());
            Err(BrokerError::Ambiguous(said))
        }
    }

    async fn cancel(&self, broker_id: &str) -> Result<(), BrokerError> {
        let target = format!("/v2/orders/{}", encode(broker_id));
        self.door.write(&call(Method::Delete, target, Vec::new())).await.map(drop)
    }

    fn requests(&self) -> u32 {
        self.door.requests()
    }
}

impl Alpaca {
    async fn read<T>(
        &self,
        target: String,
        reader: impl Fn(&[u8]) -> Result<T, Unreadable> + Send,
    ) -> Result<T, BrokerError> {
        self.door.read(&call(Method::Get, target, Vec::new()), reader).await
    }

    /// Orders in the order of their submission. The broker has no cursor: each page starts just
    /// before the last order of the one before, and what is seen twice counts once.
    async fn orders(
        &self,
        status: &str,
        mut after: Option<Timestamp>,
    ) -> Result<Vec<Order>, BrokerError> {
        let mut orders = Vec::new();
        let mut seen = BTreeSet::new();
        for _ in 0..ORDER_PAGES_MAX {
            let mut target = format!(
                "/v2/orders?status={status}&limit={ORDERS_A_PAGE}&direction=asc&nested=false"
            );
            if let Some(after) = after {
                target = format!("{target}&after={}", encode(&after.to_string()));
            }
            let page = self.read(target, wire::orders).await?;
            let (count, known) = (page.len(), seen.len());
            let last = page.iter().filter_map(|(key, _)| key.submitted_at).max();
            for (OrderKey { id, .. }, order) in page {
                if seen.insert(id) {
                    orders.extend(order);
                }
            }
            if count < ORDERS_A_PAGE {
                return Ok(orders);
            }
            after = last.and_then(|last| last.checked_sub(AFTER_MARGIN).ok());
            if after.is_none() || seen.len() == known {
                break;
            }
        }
        Err(BrokerError::Malformed("list of orders without end".to_owned()))
    }

    async fn asset(&self, symbol: &Symbol) -> Result<Option<Asset>, BrokerError> {
        let asset = match self.read(format!("/v2/assets/{symbol}"), wire::asset).await {
            Err(BrokerError::Refused { reason: Refusal::NotFound, .. }) => return Ok(None),
            answer => answer?,
        };
        if asset.symbol == *symbol {
            Ok(Some(asset))
        } else {
            Err(BrokerError::Malformed(format!("asked for asset {symbol}, got {}", asset.symbol)))
        }
    }
}

fn call(method: Method, target: String, body: Vec<u8>) -> Call {
    let timeout = match method {
        Method::Get => READ_TIMEOUT,
        Method::Post | Method::Delete | Method::Patch => WRITE_TIMEOUT,
    };
    Call { method, host: Host::Trading, target, body, timeout }
}

/// A limit order for the day. The intent makes the broker refuse a sale of what is not held.
fn order_body(order: &OrderRequest) -> Vec<u8> {
    let (side, intent) = match order.side() {
        Side::Buy => ("buy", "buy_to_open"),
        Side::Sell => ("sell", "sell_to_close"),
    };
    json!({
        "symbol": order.symbol(),
        "qty": order.shares(),
        "side": side,
        "type": "limit",
        "time_in_force": "day",
        "limit_price": order.limit(),
        "client_order_id": order.id(),
        "position_intent": intent,
        "extended_hours": false,
    })
    .to_string()
    .into_bytes()
}

//! Account, positions and orders.
//!
//! One method per question of the port. Orders are limits for the day, in shares, marked so that
//! a sale cannot become a short one; lists are read to their end or are errors.

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
use crate::domain::shapes::Shapes;
use crate::domain::symbol::Symbol;
use crate::infrastructure::alpaca::door::Call;
use crate::infrastructure::alpaca::shapes::Answer;
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
/// Assets are asked for one by one, because the list of all has several megabytes; together as many
/// as a change of every sleeve's symbols needs, so that it is one wait.
const ASSETS_TOGETHER: usize = 12;
/// `after` leaves out its own moment, and the broker may cut our nanoseconds off.
const AFTER_MARGIN: SignedDuration = SignedDuration::from_millis(1);

#[async_trait]
impl Broker for Alpaca {
    async fn account(&self) -> Result<Account, BrokerError> {
        let (account, world) =
            self.read(Answer::Account, "/v2/account".to_owned(), wire::account).await?;
        match world {
            Some(world) if world != self.mode => Err(BrokerError::Unauthorised(format!(
                "the keys belong to a {world} account, the run is {}",
                self.mode
            ))),
            Some(_) | None => Ok(account),
        }
    }

    async fn positions(&self) -> Result<Vec<Position>, BrokerError> {
        self.read(Answer::Positions, "/v2/positions".to_owned(), wire::positions).await
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
        let order = match self.read(Answer::Order, target, |body| wire::one_order(body, None)).await
        {
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
        self.read(Answer::Clock, "/v2/clock".to_owned(), wire::clock).await
    }

    async fn calendar(&self, first: Date, last: Date) -> Result<Calendar, BrokerError> {
        // Some have seen the end left out of the answer.
        let end = last.saturating_add(Span::new().days(1));
        let target = format!("/v2/calendar?start={first}&end={end}");
        let mut sessions = self.read(Answer::Calendar, target, wire::sessions).await?;
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
            let page = self.read(Answer::Activities, page_target, activity::page).await?;
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
            self.door.notice(Answer::Sent, &answer.body);
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

    fn shapes(&self) -> Shapes {
        self.door.shapes()
    }
}

impl Alpaca {
    async fn read<T>(
        &self,
        what: Answer,
        target: String,
        reader: impl Fn(&[u8]) -> Result<T, Unreadable> + Send,
    ) -> Result<T, BrokerError> {
        self.door.read((what, &call(Method::Get, target, Vec::new())), reader).await
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
            let page = self.read(Answer::Orders, target, wire::orders).await?;
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
        let asset =
            match self.read(Answer::Asset, format!("/v2/assets/{symbol}"), wire::asset).await {
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use jiff::civil::date;
    use serde_json::Value;

    use super::*;
    use crate::domain::money::{Price, Shares};
    use crate::domain::order::OrderStatus;
    use crate::domain::run::{AccountName, Mode, RunKey, Slot};
    use crate::infrastructure::alpaca::{Connection, Feeds};
    use crate::infrastructure::clock::MachineClock;
    use crate::infrastructure::http::{Request, Response, Transport, TransportError};
    use crate::infrastructure::local::secrets::StaticKeys;

    type Given = Result<Response, TransportError>;

    /// Gives one answer to every request and remembers the requests.
    struct Always {
        answer: Given,
        requests: Mutex<Vec<Request>>,
    }

    #[async_trait]
    impl Transport for Always {
        async fn carry(&self, request: Request) -> Given {
            self.requests.lock().unwrap().push(request);
            self.answer.clone()
        }
    }

    fn request(side: Side) -> OrderRequest {
        let key = RunKey {
            mode: Mode::Paper,
            account: AccountName::parse("main").unwrap(),
            session: date(2026, 11, 20),
            slot: Slot::parse("open").unwrap(),
            generation: 0,
        };
        let symbol = Symbol::parse("SOXL").unwrap();
        let id = ClientOrderId::of(&key, &symbol, side, 1);
        let (shares, limit) = (Shares::parse("12.557436865"), Price::parse("86.90"));
        OrderRequest::ungated(id, symbol, side, shares.unwrap(), limit.unwrap())
    }

    async fn submitted(side: Side, answer: Given) -> (Result<Order, BrokerError>, Vec<Request>) {
        let transport = Arc::new(Always { answer, requests: Mutex::default() });
        let connection = Connection {
            transport: transport.clone(),
            credentials: Arc::new(StaticKeys::new("PKINVENTED", "s3cr3t")),
            clock: Arc::new(MachineClock),
            mode: Mode::Paper,
            deadline: None,
        };
        let feeds = Feeds { bars: "sip".to_owned(), quotes: "iex".to_owned() };
        let order = Alpaca::new(connection, feeds).submit(&request(side)).await;
        let requests = std::mem::take(&mut *transport.requests.lock().unwrap());
        (order, requests)
    }

    #[expect(clippy::unnecessary_wraps, reason = "spelt as a transport answers")]
    fn answer(status: u16, body: &str) -> Given {
        Ok(Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
    }

    #[tokio::test]
    async fn an_order_is_a_limit_for_the_day_that_cannot_go_short() {
        for (side, word, intent) in
            [(Side::Sell, "sell", "sell_to_close"), (Side::Buy, "buy", "buy_to_open")]
        {
            let taken = r#"{"id":"f1a0","status":"pending_new"}"#;
            let (order, requests) = submitted(side, answer(200, taken)).await;
            assert_eq!(requests.len(), 1);
            assert_eq!(
                (requests[0].method, requests[0].target.as_str()),
                (Method::Post, "/v2/orders")
            );
            let sent: Value = serde_json::from_slice(&requests[0].body).unwrap();
            let expected = json!({
                "symbol": "SOXL", "qty": "12.557436865", "side": word, "type": "limit",
                "time_in_force": "day", "limit_price": "86.9", "position_intent": intent,
                "client_order_id": request(side).id().as_str(), "extended_hours": false,
            });
            assert_eq!(sent, expected);
            // An answer with nothing but id and status is filled up from what was sent.
            let order = order.unwrap();
            assert_eq!((order.broker_id.as_str(), order.status), ("f1a0", OrderStatus::Working));
            assert_eq!(order.client_id, request(side).id().as_str());
            assert_eq!((order.side, order.filled), (side, Shares::ZERO));
            assert_eq!(order.shares, Some(request(side).shares()));
            assert_eq!(order.limit, Some(request(side).limit()));
        }
    }

    #[tokio::test]
    async fn an_order_is_never_sent_twice_and_a_lost_answer_is_ambiguous() {
        let not_sent = || Err(TransportError::NotSent("dns".to_owned()));
        let no_answer = || Err(TransportError::NoAnswer("timed out".to_owned()));
        for (given, ambiguous) in [
            (no_answer(), true),
            (answer(500, "{\"code\":50010000,\"message\":\"internal\"}"), true),
            (answer(502, "<html>"), true),
            (answer(504, ""), true),
            (answer(200, ""), true),
            (answer(200, "{\"id\":\"f1a0\",\"sta"), true),
            (answer(200, "<html>ok</html>"), true),
            (answer(200, "{\"status\":\"new\"}"), true),
            (answer(200, "{\"id\":\"f1a0\",\"status\":\"new\",\"client_order_id\":\"x\"}"), true),
            (answer(302, ""), true),
            (not_sent(), false),
            (answer(401, ""), false),
            (answer(403, "<html>"), false),
            (answer(429, ""), false),
            (answer(422, "{\"code\":40010001,\"message\":\"qty must be > 0\"}"), false),
        ] {
            let (order, requests) = submitted(Side::Buy, given.clone()).await;
            assert_eq!(requests.len(), 1, "{given:?}");
            let error = order.unwrap_err();
            assert_eq!(
                matches!(error, BrokerError::Ambiguous(_)),
                ambiguous,
                "{given:?} {error:?}"
            );
        }
    }

    #[tokio::test]
    async fn an_id_that_exists_says_so() {
        let said = r#"{"code":40010001,"message":"client_order_id must be unique"}"#;
        let (order, _) = submitted(Side::Buy, answer(422, said)).await;
        let error = order.unwrap_err();
        assert!(matches!(error, BrokerError::Refused { reason: Refusal::DuplicateId, .. }));
    }
}

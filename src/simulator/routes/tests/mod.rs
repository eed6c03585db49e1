//! What stands on the wire: statuses, bodies and the broker's quirks.

mod account;
mod bookings;
mod data;
mod trading;

use rust_decimal::Decimal;

use super::*;
use crate::domain::symbol::Symbol;
use crate::infrastructure::http::Host;
use crate::simulator::calendar::TradingDays;
use crate::simulator::exchange::{Fills, Hand, Rules};
use crate::simulator::market::{FixedQuote, Split};

/// Everything a request meets, with time in hand.
struct Hall {
    exchange: Exchange,
    market: Market,
    door: Door,
    now: Timestamp,
}

fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

impl Hall {
    fn new() -> Self {
        let now = "2026-11-20T15:00:00Z".parse().unwrap();
        let mut market = Market::new(TradingDays::nyse());
        for (name, price) in [("SPY", 600.0), ("QQQ", 500.0), ("TLT", 90.0)] {
            market.list_at(symbol(name), price);
        }
        let rules = Rules { fills: Fills::plain(), ..Rules::default() };
        let exchange = Exchange::new(rules, Decimal::from(10_000), 1, now, &market);
        Self { exchange, market, door: Door::default(), now }
    }

    fn raw(&mut self, method: Method, target: &str, body: &str) -> Response {
        let headers =
            vec![("apca-api-key-id", "PK".to_owned()), ("apca-api-secret-key", "s".to_owned())];
        self.ask(&Request {
            method,
            host: Host::Trading,
            target: target.to_owned(),
            headers,
            body: body.as_bytes().to_vec(),
            timeout: Duration::from_secs(1),
        })
    }

    fn ask(&mut self, request: &Request) -> Response {
        let Self { exchange, market, door, now } = self;
        let mut desk = Desk { exchange, market, door, now: *now, trouble: None };
        desk.answer(request)
    }

    fn get(&mut self, target: &str) -> Value {
        let response = self.raw(Method::Get, target, "");
        assert_eq!(response.status, 200, "{target}: {}", String::from_utf8_lossy(&response.body));
        serde_json::from_slice(&response.body).unwrap()
    }

    fn fails(&mut self, method: Method, target: &str, body: &str) -> (u16, i64, String) {
        let response = self.raw(method, target, body);
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        let message = body["message"].as_str().unwrap().to_owned();
        (response.status, body["code"].as_i64().unwrap_or_default(), message)
    }

    fn post(&mut self, body: &Value) -> Value {
        let response = self.raw(Method::Post, "/v2/orders", &body.to_string());
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
        serde_json::from_slice(&response.body).unwrap()
    }

    fn pass(&mut self, millis: i64) {
        self.now += SignedDuration::from_millis(millis);
        self.exchange.advance(self.now, &self.market);
    }
}

fn buy(id: &str, limit: &str) -> Value {
    json!({"symbol": "SPY", "qty": "1", "side": "buy", "type": "limit", "limit_price": limit,
        "time_in_force": "day", "client_order_id": id})
}

//! HTTP requests in, HTTP answers out: the broker's wire in our own reading of its documents.
//!
//! Pure but for the exchange it changes: no waiting, no sockets, no clock. Statuses, bodies and
//! quirks follow what was observed at the broker in 2026; where only documents speak, they do.

mod account;
mod corporate;
mod market_data;
mod orders;
mod query;
mod submit;
mod wire;

pub(super) use wire::trade_update;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::infrastructure::http::{Method, Request, Response};
use crate::simulator::exchange::{Exchange, OrderTrouble, Refusal};
use crate::simulator::market::Market;
use query::Query;

/// Requests a minute that the broker answers on either host.
const REQUESTS_A_MINUTE: u32 = 200;

/// The keys that the simulated broker takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Keys {
    /// Any key pair.
    #[default]
    Any,
    /// This pair only.
    Only {
        /// Key id.
        id: String,
        /// Secret key.
        secret: String,
    },
}

/// What the data subscription covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DataPlan {
    /// The free plan: consolidated data at least 15 minutes old.
    #[default]
    Basic,
    /// Everything at once.
    Plus,
}

/// How the front door is set up.
#[derive(Debug, Clone)]
pub struct Door {
    /// The keys.
    pub keys: Keys,
    /// The data subscription.
    pub plan: DataPlan,
    /// Requests a minute.
    pub requests_a_minute: u32,
    /// How old account and positions are shown.
    pub reads_lag: Duration,
    window: i64,
    used: u32,
    answered: u64,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            keys: Keys::default(),
            plan: DataPlan::default(),
            requests_a_minute: REQUESTS_A_MINUTE,
            reads_lag: Duration::ZERO,
            window: 0,
            used: 0,
            answered: 0,
        }
    }
}

impl Door {
    /// True when a key pair opens the door.
    pub fn admits(&self, given_id: &str, given_secret: &str) -> bool {
        match &self.keys {
            Keys::Any => !given_id.is_empty() && !given_secret.is_empty(),
            Keys::Only { id, secret } => given_id == id && given_secret == secret,
        }
    }
}

/// What a request meets.
pub struct Desk<'a> {
    /// The exchange.
    pub exchange: &'a mut Exchange,
    /// The prices.
    pub market: &'a Market,
    /// The front door.
    pub door: &'a mut Door,
    /// The moment.
    pub now: Timestamp,
    /// Trouble scripted for an order that this request may place.
    pub trouble: Option<OrderTrouble>,
}

/// An answer before it is spelt out.
pub(super) struct Answer {
    status: u16,
    body: String,
}

impl Answer {
    /// # Panics
    /// Never: bodies are plain data, keyed by texts.
    fn json(status: u16, body: &impl Serialize) -> Self {
        Self { status, body: serde_json::to_string(body).expect("plain data serialises") }
    }

    fn ok(body: &impl Serialize) -> Self {
        Self::json(200, body)
    }

    fn text(body: String) -> Self {
        Self { status: 200, body }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let mut body = json!({"code": refusal.code, "message": refusal.message});
        for (name, value) in refusal.extras {
            body[name] = Value::String(value);
        }
        Self::json(refusal.status, &body)
    }
}

impl Desk<'_> {
    /// Answers one request.
    pub fn answer(&mut self, request: &Request) -> Response {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let answer = if self.is_known(&request.headers) {
            if self.count_request() {
                let answer = self.route(request, path, &Query::parse(query));
                answer.unwrap_or_else(Answer::from)
            } else {
                Answer::json(429, &json!({"code": 42_910_000, "message": "rate limit exceeded"}))
            }
        } else {
            unauthorized(path)
        };
        self.spell(answer)
    }

    fn route(&mut self, request: &Request, path: &str, query: &Query) -> Result<Answer, Refusal> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let method = request.method;
        match (method, parts.as_slice()) {
            (Method::Get, ["v2", "account"]) => Ok(self.account()),
            (Method::Get, ["v2", "account", "configurations"]) => Ok(self.configurations()),
            (Method::Patch, ["v2", "account", "configurations"]) => self.configure(&request.body),
            (Method::Get, ["v2", "account", "portfolio", "history"]) => Ok(self.portfolio()),
            (Method::Get, ["v2", "account", "activities"]) => self.activities(None, query),
            (Method::Get, ["v2", "account", "activities", kind]) => {
                self.activities(Some(kind), query)
            }
            (Method::Get, ["v2", "positions"]) => Ok(self.positions()),
            (Method::Get, ["v2", "positions", name]) => self.position(name),
            (Method::Get, ["v2", "orders"]) => self.orders(query),
            (Method::Post, ["v2", "orders"]) => self.submit(&request.body),
            (Method::Delete, ["v2", "orders"]) => Ok(self.cancel_all()),
            (Method::Get, ["v2", "orders:by_client_order_id"]) => self.order_by_client_id(query),
            (Method::Get, ["v2", "orders", id]) => self.order(id),
            (Method::Delete, ["v2", "orders", id]) => self.cancel(id),
            (Method::Get, ["v2", "clock"]) => Ok(self.clock()),
            (Method::Get, ["v2", "calendar"]) => self.calendar(query),
            (Method::Get, ["v2", "assets"]) => Ok(self.assets(query)),
            (Method::Get, ["v2", "assets", name]) => self.asset(name),
            (Method::Get, ["v2", "stocks", rest @ ..]) => self.market_data(rest, query),
            (Method::Get, ["v1", "corporate-actions"]) => self.corporate_actions(query),
            _ => Err(Refusal::not_found("endpoint not found")),
        }
    }

    fn is_known(&self, headers: &[(&'static str, String)]) -> bool {
        let value = |name: &str| {
            headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
        };
        let pair = value("apca-api-key-id").zip(value("apca-api-secret-key"));
        pair.is_some_and(|(id, secret)| self.door.admits(id, secret))
    }

    /// Counts a request against the minute's budget; false when that is used up.
    fn count_request(&mut self) -> bool {
        let minute = self.now.as_second().div_euclid(60);
        if minute != self.door.window {
            (self.door.window, self.door.used) = (minute, 0);
        }
        self.door.used = self.door.used.saturating_add(1);
        self.door.used <= self.door.requests_a_minute
    }

    fn spell(&mut self, answer: Answer) -> Response {
        self.door.answered += 1;
        let limit = self.door.requests_a_minute;
        let reset = (self.now.as_second().div_euclid(60) + 1) * 60;
        let kind = if answer.body.starts_with('<') { "text/html" } else { "application/json" };
        let headers = [
            ("content-type", kind.to_owned()),
            ("x-request-id", format!("{:032x}", self.door.answered)),
            ("x-ratelimit-limit", limit.to_string()),
            ("x-ratelimit-remaining", limit.saturating_sub(self.door.used).to_string()),
            ("x-ratelimit-reset", reset.to_string()),
        ];
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Response { status: answer.status, headers, body: answer.body.into_bytes() }
    }

    /// The moment whose account and positions are shown.
    fn shown_at(&self) -> Timestamp {
        let lag = SignedDuration::try_from(self.door.reads_lag).unwrap_or_default();
        self.now.checked_sub(lag).unwrap_or(self.now)
    }
}

/// Clock, calendar and data answer a web server's page, the account answers JSON.
fn unauthorized(path: &str) -> Answer {
    let page = ["/v2/clock", "/v2/calendar", "/v2/stocks", "/v1/"];
    if page.iter().any(|start| path.starts_with(start)) {
        let body = "<html><head><title>401 Authorization Required</title></head></html>";
        return Answer { status: 401, body: body.to_owned() };
    }
    Answer::json(401, &json!({"message": "unauthorized."}))
}

#[cfg(test)]
mod tests;

//! The Alpaca brokerage behind the ports, one [`Alpaca`] per run.
//!
//! Reading order: [`trading`] and [`market_data`] say which requests answer which question,
//! `door` is how any request is made, `wire`, `activity` and `page` read answers, `shapes`
//! notices which fields they have, `error` says what a refusal means, [`stream`] is the wake-up line. Facts about the wire that are written
//! here without a source come from the broker's public documents, read 2026-10 and 2026-11.
//!
//! What a run costs in requests: account, positions, open orders, orders since, clock, calendar
//! and activities one each (activities and orders one more per 100 and 500 rows), one per asset
//! asked for, one per page of bars (37 symbols of 250 closes fit one), one per look at quotes and
//! one more when some quotes alone will not do, one for splits, one per order sent, cancelled or
//! looked up.
//!
//! Left out on purpose: replacing orders, closing positions by command, market orders, amounts
//! instead of shares. The executor needs none of them and each has a trap.

mod activity;
mod bars;
mod door;
mod error;
pub mod market_data;
mod page;
mod shapes;
pub mod stream;
pub mod trading;
mod wire;

use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;

use crate::application::ports::{Clock, Credentials};
use crate::domain::run::Mode;
use crate::infrastructure::alpaca::door::Door;
use crate::infrastructure::http::Transport;

/// What the adapter works with.
#[derive(Clone)]
pub struct Connection {
    /// Carries requests.
    pub transport: Arc<dyn Transport>,
    /// Source of the keys.
    pub credentials: Arc<dyn Credentials>,
    /// Time and waits.
    pub clock: Arc<dyn Clock>,
    /// The world the account must belong to.
    pub mode: Mode,
    /// No wait and no answer is waited for beyond this.
    pub deadline: Option<Timestamp>,
}

/// The pinned feeds of market data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feeds {
    /// Feed of the daily bars, such as `sip`.
    pub bars: String,
    /// Feed of quotes and trades, such as `iex`.
    pub quotes: String,
}

/// Broker and market data of one run: its budget of requests, its keys and its deadline.
pub struct Alpaca {
    door: Door,
    mode: Mode,
    feeds: Feeds,
}

impl Alpaca {
    /// An adapter for one run; nothing is asked yet.
    pub fn new(connection: Connection, feeds: Feeds) -> Self {
        let Connection { transport, credentials, clock, mode, deadline } = connection;
        Self { door: Door::new(transport, credentials, clock, deadline), mode, feeds }
    }
}

/// A value within a query, percent-encoded.
fn encode(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            _ => {
                let _ = write!(text, "%{byte:02X}"); // writing to a String cannot fail
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_a_query_cannot_break_out_of_it() {
        assert_eq!(encode("al1-P_2.~"), "al1-P_2.~");
        assert_eq!(encode("a b&c=d/é+%"), "a%20b%26c%3Dd%2F%C3%A9%2B%25");
    }
}

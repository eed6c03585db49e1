//! The exchange and the account as one pure state machine: time and prices come in with every call.
//!
//! Nothing here reads a clock or waits. What happens later (an acknowledgement, an execution, a
//! cancellation, the end of a session) stands in a queue of events; [`Exchange::advance`] works
//! it off in order. Chance is seeded, so the same calls give the same trace.

mod activity;
mod admit;
mod book;
mod by_hand;
mod life;
mod matching;
mod money;
mod order;

pub use activity::{Activity, Booking, Entry, Fill};
pub use book::{Book, Holding, cents};
pub use by_hand::Hand;
pub use money::Money;
pub use order::{
    Intent, Kind, NewOrder, Order, OrderTrouble, Refusal, Size, Status, TimeInForce, side_word,
};

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::domain::symbol::Symbol;
use crate::simulator::market::Market;
use crate::simulator::random::{Random, uuid_named};
use life::Event;

/// Earlier states of the book kept for reads that lag; no lag is longer than these many changes.
const PAST_BOOKS_MAX: usize = 64;

/// Whether the exchange keeps the client from its own mistakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// As the broker: no overdraft, no accidental short sale.
    #[default]
    Strict,
    /// Sales beyond the position and buys beyond the cash go through, so that a test sees them.
    Permissive,
}

/// How orders are executed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fills {
    /// From acknowledgement to execution of a marketable order, more or less a third.
    pub delay: Duration,
    /// Chance a second that a limit inside the spread is met.
    pub inside_spread: f64,
    /// Chance that an execution is a partial one.
    pub partial: f64,
}

impl Default for Fills {
    /// Like the broker's paper venue, with somebody now and then meeting a price inside the spread.
    fn default() -> Self {
        Self { delay: Duration::from_millis(300), inside_spread: 0.6, partial: 0.1 }
    }
}

impl Fills {
    /// Marketable orders are executed at once and in full, others never: for tests that mind neither.
    pub const fn plain() -> Self {
        Self { delay: Duration::from_millis(300), inside_spread: 0.0, partial: 0.0 }
    }
}

/// How the exchange and the account are set up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Strict or permissive.
    pub strictness: Strictness,
    /// How orders are executed.
    pub fills: Fills,
    /// From submission to `new`.
    pub acknowledge: Duration,
    /// From a cancel request to `canceled`.
    pub cancel: Duration,
    /// What the account's equity is multiplied with for its buying power: 1, 2 or 4.
    pub multiplier: u32,
    /// No sale may open a short position.
    pub no_shorting: bool,
    /// Fractions may be ordered.
    pub fractional_trading: bool,
    /// The owner has suspended trading.
    pub suspended: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            strictness: Strictness::default(),
            fills: Fills::default(),
            acknowledge: Duration::from_millis(20),
            cancel: Duration::from_millis(80),
            multiplier: 1,
            no_shorting: true,
            fractional_trading: true,
            suspended: false,
        }
    }
}

/// What the broker says of the account besides its money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account's id.
    pub id: String,
    /// The account's number, `PA` first on paper.
    pub number: String,
    /// `ACTIVE` to trade.
    pub status: String,
    /// The broker blocked trading.
    pub trading_blocked: bool,
    /// The broker blocked the account.
    pub account_blocked: bool,
}

/// A listed asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Lasting id.
    pub id: String,
    /// Ticker.
    pub symbol: Symbol,
    /// Active, or a leftover of a delisting.
    pub active: bool,
    /// May be traded.
    pub tradable: bool,
    /// May be traded in fractions.
    pub fractionable: bool,
}

/// A push message about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// When it was sent.
    pub at: Timestamp,
    /// The broker's word for what happened.
    pub event: &'static str,
    /// The execution, for `fill` and `partial_fill`.
    pub execution: Option<Execution>,
    /// The order right after.
    pub order: Order,
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Its id.
    pub id: String,
    /// Its price.
    pub price: Decimal,
    /// Its shares.
    pub qty: Decimal,
    /// The position after it.
    pub position: Decimal,
}

/// The exchange with one account.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// How it is set up.
    pub rules: Rules,
    /// Who the account is.
    pub identity: Identity,
    /// When the account was opened.
    pub opened_at: Timestamp,
    book: Book,
    past: VecDeque<(Timestamp, Book)>,
    assets: BTreeMap<Symbol, Asset>,
    orders: Vec<Order>,
    by_id: BTreeMap<String, usize>,
    by_client_id: BTreeMap<String, usize>,
    open: BTreeSet<usize>,
    events: BTreeMap<(Timestamp, u64), Event>,
    sequence: u64,
    updates: Vec<Update>,
    activities: Vec<Activity>,
    closes: Vec<(Date, Decimal)>,
    random: Random,
}

impl Exchange {
    /// An exchange with an account that owns some cash, opened at a moment.
    pub fn new(rules: Rules, cash: Decimal, seed: u64, now: Timestamp, market: &Market) -> Self {
        let mut random = Random::of(seed, "exchange");
        let identity = Identity {
            id: random.uuid(),
            number: format!("PA3{:09}", random.bits() % 1_000_000_000),
            status: "ACTIVE".to_owned(),
            trading_blocked: false,
            account_blocked: false,
        };
        let book = Book::with_cash(cash);
        let mut exchange = Self {
            rules,
            identity,
            opened_at: now,
            past: VecDeque::from([(Timestamp::MIN, book.clone())]),
            book,
            assets: BTreeMap::new(),
            orders: Vec::new(),
            by_id: BTreeMap::new(),
            by_client_id: BTreeMap::new(),
            open: BTreeSet::new(),
            events: BTreeMap::new(),
            sequence: 0,
            updates: Vec::new(),
            activities: Vec::new(),
            closes: Vec::new(),
            random,
        };
        for symbol in market.symbols() {
            exchange.list(symbol);
        }
        exchange.plan_session(now, market);
        exchange
    }

    /// Lists an asset under its usual flags, if it is not listed yet.
    pub fn list(&mut self, symbol: &Symbol) -> &mut Asset {
        self.assets.entry(symbol.clone()).or_insert_with(|| Asset {
            id: uuid_named(symbol.as_str()),
            symbol: symbol.clone(),
            active: true,
            tradable: true,
            fractionable: true,
        })
    }

    /// An asset by ticker or id.
    pub fn asset(&self, name: &str) -> Option<&Asset> {
        let by_id = || self.assets.values().find(|asset| same_id(&asset.id, name));
        self.assets.get(name).or_else(by_id)
    }

    /// All assets by ticker.
    pub fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.assets.values()
    }

    /// All orders ever taken in, oldest first.
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// Index of an order by the exchange's id, with or without dashes.
    pub fn find(&self, id: &str) -> Option<usize> {
        let dashed = if id.len() == 32 { dashed(id) } else { id.to_owned() };
        self.by_id.get(&dashed).copied()
    }

    /// Index of an order by the client's name for it.
    pub fn find_client(&self, id: &str) -> Option<usize> {
        self.by_client_id.get(id).copied()
    }

    /// One more look-up of an order; false while it is still hidden from look-ups.
    pub fn look_up(&mut self, at: usize) -> bool {
        let Some(order) = self.orders.get_mut(at) else { return false };
        let visible = order.hidden_lookups == 0;
        order.hidden_lookups = order.hidden_lookups.saturating_sub(1);
        visible
    }

    /// Push messages so far, oldest first.
    pub fn updates(&self) -> &[Update] {
        &self.updates
    }

    /// Entries of the account, oldest first.
    pub fn activities(&self) -> &[Activity] {
        &self.activities
    }

    /// Equity at the close of each session so far.
    pub fn closes(&self) -> &[(Date, Decimal)] {
        &self.closes
    }

    /// Cash and positions.
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// Orders that are not finished, oldest first.
    pub fn open_orders(&self) -> impl Iterator<Item = &Order> {
        self.open.iter().filter_map(|at| self.orders.get(*at))
    }

    fn remember(&mut self, now: Timestamp) {
        if self.past.len() >= PAST_BOOKS_MAX {
            self.past.pop_front();
        }
        self.past.push_back((now, self.book.clone()));
    }

    fn later(&mut self, at: Timestamp, event: Event) {
        self.sequence += 1;
        self.events.insert((at, self.sequence), event);
    }

    fn record(&mut self, at: Timestamp, entry: Entry) {
        let uuid = self.random.uuid();
        let id = activity::activity_id(at, &uuid);
        self.activities.push(Activity { id, at, entry });
    }
}

fn same_id(id: &str, name: &str) -> bool {
    id == name || (name.len() == 32 && id == dashed(name))
}

/// A UUID given without dashes, with them.
fn dashed(plain: &str) -> String {
    let mut text = plain.to_owned();
    for at in [20, 16, 12, 8] {
        if text.is_char_boundary(at) {
            text.insert(at, '-');
        }
    }
    text
}

#[cfg(test)]
mod tests;

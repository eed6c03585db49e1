//! One shared world with virtual time: the exchange, its prices, its faults, and the present moment.
//!
//! Time stands still until somebody waits. Every wait (a request's round trip, the clock's
//! sleep, a wait on the stream) is entered in one list; when all of them have been polled and
//! nothing else has happened, the earliest is granted and time moves there, working off the
//! exchange's events on the way. So waits that run side by side overlap as they would in real
//! time, and the same program sees the same world in every run.

mod builder;
pub(super) mod ports;
mod traffic;
mod waiting;

pub use builder::WorldBuilder;
pub use traffic::Asked;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::application::ports::{Clock, TradeUpdates};
use crate::domain::order::Side;
use crate::domain::symbol::Symbol;
use crate::infrastructure::http::{Request, Transport};
use crate::simulator::calendar::TradingDays;
use crate::simulator::exchange::{Activity, Exchange, Hand, Order, Refusal};
use crate::simulator::faults::{Fault, Faults};
use crate::simulator::market::{FixedQuote, Market, Split, Spread};
use crate::simulator::random::continued;
use crate::simulator::routes::Door;

/// A shared handle: clones see the same world.
#[derive(Clone)]
pub struct World {
    shared: Arc<Mutex<State>>,
}

/// Everything there is.
#[derive(Clone)]
pub(super) struct State {
    pub(super) exchange: Exchange,
    pub(super) market: Market,
    pub(super) door: Door,
    pub(super) now: Timestamp,
    pub(super) faults: Faults,
    pub(super) round_trip: Duration,
    pub(super) waits: BTreeSet<(Timestamp, u64)>,
    pub(super) tickets: u64,
    /// Counts whatever happens, so that a waiter can tell whether the others are still busy.
    pub(super) activity: u64,
    /// Requests that would change something, on their way from somebody who waits, by ticket.
    flying: BTreeMap<u64, (Timestamp, Request)>,
    /// Requests that are still on their way although nobody waits for their answer any more.
    under_way: BTreeMap<(Timestamp, u64), Request>,
    asked: Vec<Asked>,
    trace: u64,
    requests: u64,
}

impl World {
    /// A world to be furnished.
    pub fn builder() -> WorldBuilder {
        WorldBuilder::default()
    }

    pub(super) fn of(exchange: Exchange, market: Market, now: Timestamp) -> Self {
        let state = State {
            exchange,
            market,
            door: Door::default(),
            now,
            faults: Faults::default(),
            round_trip: ports::ROUND_TRIP,
            waits: BTreeSet::new(),
            tickets: 0,
            activity: 0,
            flying: BTreeMap::new(),
            under_way: BTreeMap::new(),
            asked: Vec::new(),
            trace: 0,
            requests: 0,
        };
        Self { shared: Arc::new(Mutex::new(state)) }
    }

    /// Reads or changes anything in the world; the lock is held while `what` runs.
    pub(super) fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        let mut state: MutexGuard<'_, State> =
            self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        what(&mut state)
    }

    /// A second world, equal to this one, in which everybody died just now: nobody waits, and
    /// what they had sent arrives all the same.
    #[must_use]
    pub fn parted(&self) -> Self {
        let mut state = self.with(|state| state.clone());
        state.waits.clear();
        for (ticket, (arrives, request)) in std::mem::take(&mut state.flying) {
            state.under_way.insert((arrives, ticket), request);
        }
        Self { shared: Arc::new(Mutex::new(state)) }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.with(|state| state.now)
    }

    /// When the exchange opens.
    pub fn days(&self) -> TradingDays {
        self.with(|state| state.market.days.clone())
    }

    /// The moment of the exchange's next event, if any.
    pub fn next_event(&self) -> Option<Timestamp> {
        self.with(|state| state.next_event())
    }

    /// Every request that would change something, in the order of their arrival.
    pub fn asked(&self) -> Vec<Asked> {
        self.with(|state| state.asked.clone())
    }

    /// Moves time forward to a moment, working off what happens until then; never backward.
    pub fn advance_to(&self, moment: Timestamp) {
        self.with(|state| state.advance_to(moment));
    }

    /// Moves time forward.
    pub fn advance(&self, duration: Duration) {
        self.with(|state| {
            let target = state.after(duration);
            state.advance_to(target);
        });
    }

    /// The exchange's HTTP side; each request takes a round trip of virtual time.
    pub fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(ports::InProcess(self.clone()))
    }

    /// The world's clock: a sleep moves virtual time.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(ports::VirtualClock(self.clone()))
    }

    /// The stream of order messages.
    pub fn updates(&self) -> Arc<dyn TradeUpdates> {
        Arc::new(ports::Updates(self.clone()))
    }

    /// Scripts some trouble.
    pub fn fault(&self, fault: Fault) {
        self.with(|state| {
            state.faults.add(fault);
            state.door.reads_lag = state.faults.reads_lag.unwrap_or_default();
        });
    }

    /// Takes back all trouble that has not struck yet.
    pub fn clear_faults(&self) {
        self.with(|state| {
            state.faults.clear();
            state.door.reads_lag = Duration::ZERO;
        });
    }

    /// Changes the exchange's or the account's settings: rules, identity, assets.
    pub fn exchange<T>(&self, change: impl FnOnce(&mut Exchange) -> T) -> T {
        self.with(|state| change(&mut state.exchange))
    }

    /// Changes prices or sessions in ways that have no setter of their own.
    pub fn market<T>(&self, change: impl FnOnce(&mut Market) -> T) -> T {
        self.with(|state| change(&mut state.market))
    }

    /// Changes the front door: keys, data plan, rate limit.
    pub fn door<T>(&self, change: impl FnOnce(&mut Door) -> T) -> T {
        self.with(|state| change(&mut state.door))
    }

    /// Moves a price from now on; a symbol with a series returns to it at the next close.
    pub fn set_price(&self, symbol: &str, price: &str) {
        let (symbol, price) = (builder::ticker(symbol), builder::float(price));
        self.with(|state| {
            state.market.move_to(&symbol, price, state.now);
            state.exchange.list(&symbol);
            state.exchange.reprice(&symbol, state.now);
        });
    }

    /// Fixes a symbol's quote from now on; `None` lets it follow the price again.
    pub fn set_quote(&self, symbol: &str, quote: Option<FixedQuote>) {
        let symbol = builder::ticker(symbol);
        self.with(|state| {
            state.market.fix_quote(&symbol, quote);
            state.exchange.reprice(&symbol, state.now);
        });
    }

    /// Gives a symbol its own spread.
    pub fn set_spread(&self, symbol: &str, spread: Spread) {
        self.with(|state| state.market.set_spread(&builder::ticker(symbol), spread));
    }

    /// Stops trading in a symbol.
    pub fn halt(&self, symbol: &str) {
        self.with(|state| state.market.halt(&builder::ticker(symbol), Some(state.now)));
    }

    /// Resumes trading in a symbol.
    pub fn resume(&self, symbol: &str) {
        let symbol = builder::ticker(symbol);
        self.with(|state| {
            state.market.halt(&symbol, None);
            state.exchange.reprice(&symbol, state.now);
        });
    }

    /// Ends a symbol's bars with a day; `None` brings them back.
    pub fn end_bars(&self, symbol: &str, last: Option<jiff::civil::Date>) {
        self.with(|state| state.market.end_bars(&builder::ticker(symbol), last));
    }

    /// Books cash by hand.
    pub fn book_cash(&self, hand: Hand, amount: &str) {
        let amount = builder::decimal(amount);
        self.with(|state| state.exchange.book_cash(hand, amount, state.now));
    }

    /// A person's market order, executed at once at the present price.
    ///
    /// # Errors
    /// [`Refusal`] as for any order.
    pub fn trade_by_hand(&self, symbol: &str, side: Side, qty: &str) -> Result<(), Refusal> {
        let (symbol, qty) = (builder::ticker(symbol), builder::decimal(qty));
        self.with(|state| {
            let at = (state.now, &state.market);
            state.exchange.trade_by_hand(&symbol, side, qty, at).map(|_| ())
        })
    }

    /// Pays a cash dividend per share on what is held now.
    pub fn pay_dividend(&self, symbol: &str, per_share: &str) {
        let (symbol, rate) = (builder::ticker(symbol), builder::decimal(per_share));
        self.with(|state| state.exchange.pay_dividend(&symbol, rate, state.now));
    }

    /// Splits a symbol now: price, bars, position and announcement at once.
    pub fn split(&self, symbol: &str, new: u32, old: u32) {
        let now = self.now();
        self.split_market(symbol, Split { new, old, at: now, bars_at: now, announced: true });
        self.split_position(symbol, new, old);
    }

    /// Splits a symbol's price only: the position and the bars follow later or never.
    pub fn split_market(&self, symbol: &str, split: Split) {
        self.with(|state| state.market.split(&builder::ticker(symbol), split));
    }

    /// Splits the position only, with its entries.
    pub fn split_position(&self, symbol: &str, new: u32, old: u32) {
        let symbol = builder::ticker(symbol);
        self.with(|state| {
            let (at, bars_at) = (state.now, state.now);
            let split = Split { new, old, at, bars_at, announced: true };
            state.exchange.book_split(&symbol, &split, state.now, &state.market);
        });
    }

    /// Gives a symbol a new ticker.
    pub fn rename(&self, from: &str, to: &str) {
        let (from, to) = (builder::ticker(from), builder::ticker(to));
        self.with(|state| {
            state.market.rename(&from, &to);
            state.exchange.book_rename(&from, &to, state.now);
        });
    }

    /// All orders ever taken in, oldest first.
    pub fn orders(&self) -> Vec<Order> {
        self.with(|state| state.exchange.orders().to_vec())
    }

    /// All entries of the account, oldest first.
    pub fn activities(&self) -> Vec<Activity> {
        self.with(|state| state.exchange.activities().to_vec())
    }

    /// Cash, in whole cents.
    pub fn cash(&self) -> Decimal {
        self.with(|state| state.exchange.book().cash)
    }

    /// Cash and positions at present prices.
    pub fn equity(&self) -> Decimal {
        self.with(|state| {
            state.exchange.money(state.exchange.book(), state.now, &state.market).equity
        })
    }

    /// Shares held; negative for a short position, zero for none.
    pub fn position(&self, symbol: &str) -> Decimal {
        self.with(|state| state.exchange.book().qty(&builder::ticker(symbol)))
    }

    /// Every position, by symbol.
    pub fn positions(&self) -> Vec<(Symbol, Decimal)> {
        self.with(|state| {
            let positions = state.exchange.book().positions.iter();
            positions.map(|(symbol, holding)| (symbol.clone(), holding.qty)).collect()
        })
    }

    /// The present price of a symbol.
    pub fn price(&self, symbol: &str) -> Option<Decimal> {
        self.with(|state| state.market.mark(&builder::ticker(symbol), state.now))
    }

    /// The least cash there ever was.
    pub fn min_cash_seen(&self) -> Decimal {
        self.with(|state| state.exchange.book().cash_min)
    }

    /// The smallest position there ever was in a symbol; below zero is a short sale.
    pub fn min_position_seen(&self, symbol: &str) -> Decimal {
        self.with(|state| {
            let least = &state.exchange.book().position_min;
            least.get(&builder::ticker(symbol)).copied().unwrap_or_default()
        })
    }

    /// Requests that reached the exchange.
    pub fn requests(&self) -> u64 {
        self.with(|state| state.requests)
    }

    /// A fingerprint of every request, answer and event so far: equal for equal runs.
    pub fn trace(&self) -> u64 {
        self.with(|state| state.trace)
    }
}

impl State {
    pub(super) fn after(&self, duration: Duration) -> Timestamp {
        let wait = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        self.now.checked_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// Takes the messages since a number into the trace.
    fn follow(&mut self, before: usize) {
        for update in self.exchange.updates().get(before..).unwrap_or_default() {
            let line = format!("{} {} {}", update.at, update.event, update.order.id);
            self.trace = continued(self.trace, line.as_bytes());
            self.activity += 1;
        }
    }
}

#[cfg(test)]
mod tests;

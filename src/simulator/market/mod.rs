//! What the simulated exchange's shares are worth at any moment.
//!
//! A price is a pure function of symbol and moment: the series of closes, the moves made by
//! hand on top of it, and the splits. A run dated D decides on closes through the session
//! before D, trades around that close while D is open, and is marked at the close of D, which
//! is what keeps a strategy from seeing the day it trades on.

mod files;
mod listing;
mod synthetic;

pub use files::{FolderError, folder, histories};
pub use listing::{FixedQuote, Split};
pub use synthetic::{Synthetic, synthetic};

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::domain::market::History;
use crate::domain::session::Session;
use crate::domain::symbol::Symbol;
use crate::simulator::calendar::TradingDays;
use crate::simulator::random::Random;
use listing::Listing;

/// Dollars traded a day in every symbol, about what a mid-sized fund sees.
const DOLLARS_A_DAY: f64 = 250_000_000.0;
/// Shares traded a day stay within what a listed fund can show.
const VOLUME_RANGE: (f64, f64) = (20_000.0, 400_000_000.0);

/// How a price moves between two closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Intraday {
    /// It stays at the close before, and jumps to the session's own close at its end.
    #[default]
    Flat,
    /// It opens with a gap and drifts to the session's close, a step a minute.
    Drift,
}

/// The distance between bid and ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// As a fraction of the price.
    pub ratio: Decimal,
    /// At least this many dollars.
    pub least: Decimal,
}

impl Default for Spread {
    /// Four basis points, at least a cent: a liquid fund in the middle of the day.
    fn default() -> Self {
        Self { ratio: Decimal::new(4, 4), least: Decimal::new(1, 2) }
    }
}

/// The best bid and ask at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// Best bid; `None` when nobody bids.
    pub bid: Option<Decimal>,
    /// Best ask; `None` when nobody offers.
    pub ask: Option<Decimal>,
    /// When it was made.
    pub at: Timestamp,
}

/// One daily bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Its session's date.
    pub day: Date,
    /// Midnight of that date in New York, which is what a bar is stamped with.
    pub start: Timestamp,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Shares traded.
    pub volume: f64,
}

/// Whether bars take splits back into the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjustment {
    /// As they were printed.
    Raw,
    /// As if every split had always been.
    Split,
}

/// All listed symbols and their prices.
#[derive(Debug, Clone)]
pub struct Market {
    /// When the exchange opens.
    pub days: TradingDays,
    /// Between two closes.
    pub intraday: Intraday,
    /// Unless a symbol has its own.
    pub spread: Spread,
    listings: BTreeMap<Symbol, Listing>,
}

impl Market {
    /// A market without symbols.
    pub fn new(days: TradingDays) -> Self {
        let (intraday, spread) = (Intraday::default(), Spread::default());
        Self { days, intraday, spread, listings: BTreeMap::new() }
    }

    /// Lists a symbol with a series of closes; replaces what was listed under it.
    pub fn list(&mut self, symbol: Symbol, history: &History) {
        self.listings.insert(symbol, Listing::of(history));
    }

    /// Lists a symbol that has always stood at one price, until it is moved.
    pub fn list_at(&mut self, symbol: Symbol, price: f64) {
        let listing = Listing { moves: vec![(Timestamp::MIN, price)], ..Listing::default() };
        self.listings.insert(symbol, listing);
    }

    /// Every listed symbol.
    pub fn symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.listings.keys()
    }

    /// The price of a share at a moment, before any rounding.
    pub fn price(&self, symbol: &Symbol, now: Timestamp) -> Option<f64> {
        let listing = self.listings.get(symbol)?;
        let now = listing.halted.map_or(now, |halted| halted.min(now));
        let closed = self.days.closed_by(now);
        if let Some((at, price)) = listing.moved(now) {
            let ends = closed.is_some_and(|session| *at < session.close);
            if listing.closes.is_empty() || !ends {
                return Some(price * listing.split_factor(*at, now));
            }
        }
        let before = listing.close_through(closed?.date)?;
        let price = match (self.intraday, self.days.open_at(now)) {
            (Intraday::Drift, Some(session)) => drift(symbol, listing, before, (session, now)),
            (Intraday::Flat, _) | (Intraday::Drift, None) => before,
        };
        Some(price * listing.split_factor(Timestamp::MIN, now))
    }

    /// The price as the broker shows it: a decimal with at most six places.
    pub fn mark(&self, symbol: &Symbol, now: Timestamp) -> Option<Decimal> {
        shown(self.price(symbol, now)?)
    }

    /// Best bid and ask.
    pub fn touch(&self, symbol: &Symbol, now: Timestamp) -> Option<Touch> {
        let listing = self.listings.get(symbol)?;
        if let Some(quote) = listing.quote {
            return Some(Touch { bid: quote.bid, ask: quote.ask, at: quote.at.unwrap_or(now) });
        }
        let moment = listing.halted.map_or(now, |halted| halted.min(now));
        let open = self.days.open_at(moment).is_some();
        let closed = self.days.closed_by(moment).map_or(moment, |session| session.close);
        let at = if open { moment } else { closed };
        let middle = self.mark(symbol, moment)?;
        let spread = listing.spread.unwrap_or(self.spread);
        let half = (middle * spread.ratio).max(spread.least) / Decimal::TWO;
        let tick = if middle - half >= Decimal::ONE { 2 } else { 4 };
        let bid = (middle - half).trunc_with_scale(tick);
        let ask = (middle + half)
            .round_dp_with_strategy(tick, rust_decimal::RoundingStrategy::AwayFromZero);
        Some(Touch { bid: (bid > Decimal::ZERO).then_some(bid), ask: Some(ask), at })
    }

    /// The close of a session as known at a moment; `None` when the symbol did not trade in it.
    pub fn close(&self, symbol: &Symbol, day: Date, known: (Timestamp, Adjustment)) -> Option<f64> {
        let (now, adjustment) = known;
        let listing = self.listings.get(symbol)?;
        let session = self.days.on(day)?;
        if !listing.traded_on(day) || listing.bars_end.is_some_and(|last| day > last) {
            return None;
        }
        let moment = session.close.min(now);
        let price = self.price(symbol, moment)?;
        Some(match adjustment {
            Adjustment::Raw => price,
            Adjustment::Split => price * listing.bar_factor(moment, now),
        })
    }

    /// The daily bar of a session as known at a moment: today's is partial while it goes on.
    pub fn bar(&self, symbol: &Symbol, day: Date, known: (Timestamp, Adjustment)) -> Option<Bar> {
        let session = self.days.on(day).filter(|session| session.open <= known.0)?;
        let close = self.close(symbol, day, known)?;
        let before = self.days.before(day).and_then(|day| self.close(symbol, day.date, known));
        let open = before.unwrap_or(close);
        let mut random = random_of(symbol, day, 0);
        let wick = 1.0 + 0.004 * random.unit();
        let whole_day = session.close.duration_since(session.open).as_secs_f64();
        let elapsed = known.0.duration_since(session.open).as_secs_f64() / whole_day;
        let volume = self.volume(symbol, day)? * elapsed.clamp(0.001, 1.0);
        let (high, low) = (open.max(close) * wick, open.min(close) / wick);
        // Clocks change on Sundays, so every session opens nine and a half hours after midnight.
        let start = session.open - SignedDuration::from_mins(570);
        Some(Bar { day, start, open, high, low, close, volume: volume.round() })
    }

    /// Sessions in which a symbol has bars, between two dates, as known at a moment.
    pub fn sessions_of(
        &self,
        span: (Date, Date),
        now: Timestamp,
    ) -> impl Iterator<Item = &Session> {
        let sessions = self.days.sessions();
        let start = sessions.partition_point(|session| session.date < span.0);
        let end = sessions.partition_point(|s| s.date <= span.1 && s.open <= now);
        sessions.get(start..end.max(start)).unwrap_or_default().iter()
    }

    /// True while trading in a symbol is stopped.
    pub fn is_halted(&self, symbol: &Symbol) -> bool {
        self.listings.get(symbol).is_some_and(|listing| listing.halted.is_some())
    }

    /// True when the symbol is listed.
    pub fn is_listed(&self, symbol: &Symbol) -> bool {
        self.listings.contains_key(symbol)
    }

    /// Splits announced for a symbol.
    pub fn splits(&self) -> impl Iterator<Item = (&Symbol, &Split)> {
        self.listings.iter().flat_map(|(symbol, l)| l.splits.iter().map(move |s| (symbol, s)))
    }

    /// Moves a price; a symbol with a series returns to it at the next close.
    pub fn move_to(&mut self, symbol: &Symbol, price: f64, now: Timestamp) {
        let listing = self.listings.entry(symbol.clone()).or_default();
        let first = if listing.is_new() { Timestamp::MIN } else { now };
        listing.moves.push((first, price));
    }

    /// Fixes a symbol's quote, or lets it follow the price again.
    pub fn fix_quote(&mut self, symbol: &Symbol, quote: Option<FixedQuote>) {
        self.listings.entry(symbol.clone()).or_default().quote = quote;
    }

    /// Gives a symbol its own spread.
    pub fn set_spread(&mut self, symbol: &Symbol, spread: Spread) {
        self.listings.entry(symbol.clone()).or_default().spread = Some(spread);
    }

    /// Stops or resumes trading in a symbol.
    pub fn halt(&mut self, symbol: &Symbol, since: Option<Timestamp>) {
        self.listings.entry(symbol.clone()).or_default().halted = since;
    }

    /// Ends a symbol's bars with a day, as when a feed lags; `None` brings them back.
    pub fn end_bars(&mut self, symbol: &Symbol, last: Option<Date>) {
        self.listings.entry(symbol.clone()).or_default().bars_end = last;
    }

    /// Splits a symbol.
    pub fn split(&mut self, symbol: &Symbol, split: Split) {
        self.listings.entry(symbol.clone()).or_default().splits.push(split);
    }

    /// Gives a listing a new ticker.
    pub fn rename(&mut self, from: &Symbol, to: &Symbol) {
        if let Some(listing) = self.listings.remove(from) {
            self.listings.insert(to.clone(), listing);
        }
    }

    fn volume(&self, symbol: &Symbol, day: Date) -> Option<f64> {
        let listing = self.listings.get(symbol)?;
        let price = listing.typical_price()?;
        let mut random = random_of(symbol, day, 1);
        let shares = DOLLARS_A_DAY / price * (0.6 + 0.8 * random.unit());
        Some(shares.clamp(VOLUME_RANGE.0, VOLUME_RANGE.1))
    }
}

/// Chance of its own for each symbol, day and use.
fn random_of(symbol: &Symbol, day: Date, use_of: u64) -> Random {
    let ordinal = day.duration_since(Date::ZERO).as_hours().unsigned_abs() / 24;
    Random::of(ordinal << 16 | use_of, symbol.as_str())
}

/// A session's path from the close before to its own: half of it as a gap, the rest by the minute.
fn drift(symbol: &Symbol, listing: &Listing, before: f64, at: (&Session, Timestamp)) -> f64 {
    let (session, now) = at;
    let after = listing.close_through(session.date).unwrap_or(before);
    let minutes = |from: Timestamp, to: Timestamp| {
        u32::try_from(to.duration_since(from).as_mins()).unwrap_or_default()
    };
    let minute = minutes(session.open, now);
    let done = f64::from(minute) / f64::from(minutes(session.open, session.close).max(1));
    let mut random = random_of(symbol, session.date, 2 + u64::from(minute));
    let wobble = 1.0 + 0.0005 * random.normal() * (1.0 - done);
    before * (after / before).powf(0.5 + 0.5 * done) * wobble
}

/// A price as a decimal with at most six places; `None` outside what a price can be.
pub fn shown(price: f64) -> Option<Decimal> {
    let exact = crate::domain::money::Price::parse(&format!("{price:.6}")).ok()?;
    Some(exact.decimal().normalize())
}

#[cfg(test)]
mod tests;

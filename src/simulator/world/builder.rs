//! Furnishing a world: `World::builder().cash("100000").at("2026-11-20T14:35:00Z").price("SPY", "600").build()`.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::domain::market::History;
use crate::domain::session::exchange_date;
use crate::domain::symbol::Symbol;
use crate::simulator::calendar::TradingDays;
use crate::simulator::exchange::{Exchange, Fills, Rules, Strictness};
use crate::simulator::market::{FixedQuote, Market, Spread};
use crate::simulator::world::World;

/// A Friday morning after the open, a week before a half day.
const MOMENT: &str = "2026-11-20T14:35:00Z";

/// What a world is made of; every part has a default.
pub struct WorldBuilder {
    market: Option<Market>,
    now: Timestamp,
    cash: Decimal,
    seed: u64,
    rules: Rules,
    round_trip: Option<Duration>,
    prices: Vec<(Symbol, f64)>,
    closes: Vec<(Symbol, Vec<f64>)>,
    positions: BTreeMap<Symbol, (Decimal, Option<Decimal>)>,
    whole: Vec<Symbol>,
    untradable: Vec<Symbol>,
    halted: Vec<Symbol>,
    quotes: Vec<(Symbol, FixedQuote)>,
    spreads: Vec<(Symbol, Spread)>,
    last_equity: Option<Decimal>,
}

impl Default for WorldBuilder {
    fn default() -> Self {
        Self {
            market: None,
            now: moment(MOMENT),
            cash: Decimal::from(100_000),
            seed: 1,
            rules: Rules::default(),
            round_trip: None,
            prices: Vec::new(),
            closes: Vec::new(),
            positions: BTreeMap::new(),
            whole: Vec::new(),
            untradable: Vec::new(),
            halted: Vec::new(),
            quotes: Vec::new(),
            spreads: Vec::new(),
            last_equity: None,
        }
    }
}

impl WorldBuilder {
    /// Prices from a market, such as a folder's or a synthetic one; else only what is set here.
    #[must_use]
    pub fn market(mut self, market: Market) -> Self {
        self.market = Some(market);
        self
    }

    /// The present moment.
    #[must_use]
    pub fn at(mut self, now: &str) -> Self {
        self.now = moment(now);
        self
    }

    /// The account's cash.
    #[must_use]
    pub fn cash(mut self, cash: &str) -> Self {
        self.cash = decimal(cash);
        self
    }

    /// Equity at the close before the present session; else the present equity is shown.
    #[must_use]
    pub fn last_equity(mut self, equity: &str) -> Self {
        self.last_equity = Some(decimal(equity));
        self
    }

    /// The seed of fills and ids.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How orders are executed.
    #[must_use]
    pub const fn fills(mut self, fills: Fills) -> Self {
        self.rules.fills = fills;
        self
    }

    /// Every setting of exchange and account.
    #[must_use]
    pub const fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Lets sales beyond the position and buys beyond the cash through.
    #[must_use]
    pub const fn permissive(mut self) -> Self {
        self.rules.strictness = Strictness::Permissive;
        self
    }

    /// What a request and its answer take.
    #[must_use]
    pub const fn round_trip(mut self, round_trip: Duration) -> Self {
        self.round_trip = Some(round_trip);
        self
    }

    /// A symbol at a price: it has always stood there, unless it has closes.
    #[must_use]
    pub fn price(mut self, symbol: &str, price: &str) -> Self {
        self.prices.push((ticker(symbol), float(price)));
        self
    }

    /// A symbol's closes, oldest first, the last being that of the session before the present one.
    #[must_use]
    pub fn closes(mut self, symbol: &str, closes: &[f64]) -> Self {
        self.closes.push((ticker(symbol), closes.to_vec()));
        self
    }

    /// Shares that the account holds from the start, entered at the present price.
    #[must_use]
    pub fn position(mut self, symbol: &str, qty: &str) -> Self {
        self.positions.insert(ticker(symbol), (decimal(qty), None));
        self
    }

    /// Shares that the account holds from the start, with their entry price.
    #[must_use]
    pub fn position_at(mut self, symbol: &str, qty: &str, entry: &str) -> Self {
        self.positions.insert(ticker(symbol), (decimal(qty), Some(decimal(entry))));
        self
    }

    /// A symbol that trades in whole shares.
    #[must_use]
    pub fn non_fractionable(mut self, symbol: &str) -> Self {
        self.whole.push(ticker(symbol));
        self
    }

    /// A symbol that the broker does not trade.
    #[must_use]
    pub fn not_tradable(mut self, symbol: &str) -> Self {
        self.untradable.push(ticker(symbol));
        self
    }

    /// A symbol whose trading is stopped.
    #[must_use]
    pub fn halt(mut self, symbol: &str) -> Self {
        self.halted.push(ticker(symbol));
        self
    }

    /// A fixed quote; an empty text is a missing side.
    #[must_use]
    pub fn quote(mut self, symbol: &str, bid: &str, ask: &str) -> Self {
        let side = |text: &str| (!text.is_empty()).then(|| decimal(text));
        let quote = FixedQuote { bid: side(bid), ask: side(ask), at: None };
        self.quotes.push((ticker(symbol), quote));
        self
    }

    /// A symbol's own spread as a fraction of its price, at least a cent.
    #[must_use]
    pub fn spread(mut self, symbol: &str, ratio: &str) -> Self {
        let spread = Spread { ratio: decimal(ratio), ..Spread::default() };
        self.spreads.push((ticker(symbol), spread));
        self
    }

    /// The world.
    pub fn build(self) -> World {
        let now = self.now;
        let mut market = self.market.unwrap_or_else(|| Market::new(TradingDays::nyse()));
        for (symbol, closes) in &self.closes {
            let history = history(&market.days, now, closes);
            market.list(symbol.clone(), &history);
        }
        for (symbol, price) in &self.prices {
            if market.is_listed(symbol) {
                market.move_to(symbol, *price, now);
            } else {
                market.list_at(symbol.clone(), *price);
            }
        }
        for (symbol, quote) in self.quotes {
            market.fix_quote(&symbol, Some(quote));
        }
        for (symbol, spread) in self.spreads {
            market.set_spread(&symbol, spread);
        }
        for symbol in self.halted {
            market.halt(&symbol, Some(now));
        }
        let mut exchange = Exchange::new(self.rules, self.cash, self.seed, now, &market);
        for symbol in &self.whole {
            exchange.list(symbol).fractionable = false;
        }
        for symbol in &self.untradable {
            exchange.list(symbol).tradable = false;
        }
        for (symbol, (qty, entry)) in &self.positions {
            let entry = entry.or_else(|| market.mark(symbol, now)).unwrap_or(Decimal::ONE);
            exchange.place(symbol, *qty, entry, now);
        }
        let before = market.days.before(exchange_date(now)).map(|session| session.date);
        if let Some((day, equity)) = before.zip(self.last_equity) {
            exchange.note_close(day, equity);
        }
        let world = World::of(exchange, market, now);
        if let Some(round_trip) = self.round_trip {
            world.with(|state| state.round_trip = round_trip);
        }
        world
    }
}

fn history(days: &TradingDays, now: Timestamp, closes: &[f64]) -> History {
    let today = exchange_date(now);
    let before = days.sessions().iter().rev().filter(|session| session.date < today);
    let mut dates: Vec<_> = before.take(closes.len()).map(|session| session.date).collect();
    dates.reverse();
    History::new(dates, closes.to_vec(), Vec::new()).unwrap_or_default()
}

// A scenario is written by hand: a wrong literal in it must stop the test at once.

/// # Panics
/// When the text is no ticker.
pub(super) fn ticker(text: &str) -> Symbol {
    Symbol::parse(text).expect("a scenario names a ticker")
}

/// # Panics
/// When the text is no decimal number.
pub(super) fn decimal(text: &str) -> Decimal {
    text.parse().expect("a scenario states a decimal number")
}

/// # Panics
/// When the text is no number.
pub(super) fn float(text: &str) -> f64 {
    text.parse().expect("a scenario states a number")
}

fn moment(text: &str) -> Timestamp {
    text.parse().expect("a scenario states a moment")
}

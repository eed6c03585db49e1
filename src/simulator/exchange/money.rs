//! What the account's money comes to at a moment, and what of it is spoken for.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::domain::order::Side;
use crate::domain::session::exchange_date;
use crate::domain::symbol::Symbol;
use crate::simulator::exchange::{Book, Exchange, Intent, cents};
use crate::simulator::market::Market;

/// Money of the account at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    /// Whole cents.
    pub cash: Decimal,
    /// Cash and positions.
    pub equity: Decimal,
    /// Value of long positions.
    pub long: Decimal,
    /// Value of short positions, negative.
    pub short: Decimal,
    /// What open buys keep.
    pub reserved: Decimal,
    /// What may still be spent.
    pub buying_power: Decimal,
}

impl Exchange {
    /// Notes the equity at a close that lies before the simulated time.
    pub fn note_close(&mut self, day: Date, equity: Decimal) {
        self.closes.push((day, equity));
    }

    /// Equity at the close before a moment's New York date; `None` before the first.
    pub fn last_equity(&self, now: Timestamp) -> Option<(Date, Decimal)> {
        let today = exchange_date(now);
        self.closes.iter().rev().find(|(day, _)| *day < today).copied()
    }

    /// Cash and positions as they were at a moment, as far back as is remembered.
    pub fn book_at(&self, moment: Timestamp) -> &Book {
        let known = self.past.iter().rev().find(|(since, _)| *since <= moment);
        known.or(self.past.front()).map_or(&self.book, |(_, book)| book)
    }

    /// The account's money by a state of the book.
    pub fn money(&self, book: &Book, now: Timestamp, market: &Market) -> Money {
        let (mut long, mut short) = (Decimal::ZERO, Decimal::ZERO);
        for (symbol, holding) in &book.positions {
            let value = holding.qty * market.mark(symbol, now).unwrap_or_default();
            if value >= Decimal::ZERO { long += value } else { short += value }
        }
        let equity = book.cash + long + short;
        let reserved = self.reserved(now, market);
        let gross = match self.rules.multiplier {
            0 | 1 => book.cash,
            2 => (equity - (long - short) / Decimal::TWO).max(Decimal::ZERO) * Decimal::TWO,
            more => (equity - (long - short) * Decimal::new(3, 1)) * Decimal::from(more),
        };
        let buying_power = cents((gross - reserved).max(Decimal::ZERO));
        Money { cash: book.cash, equity, long, short, reserved, buying_power }
    }

    /// Shares of a position kept by open orders that close it.
    pub fn held_for_orders(&self, symbol: &Symbol, now: Timestamp, market: &Market) -> Decimal {
        let price = market.mark(symbol, now).unwrap_or(Decimal::ONE);
        let selling = self.open_orders().filter(|order| {
            order.symbol() == symbol
                && order.asked.side == Side::Sell
                && order.intent == Intent::SellToClose
        });
        selling.map(|order| order.remaining(price)).sum()
    }

    fn reserved(&self, now: Timestamp, market: &Market) -> Decimal {
        let reserves = self.open_orders().map(|order| {
            let ask = market.touch(order.symbol(), now).and_then(|touch| touch.ask);
            let mark = || market.mark(order.symbol(), now);
            order.reserved(ask.or_else(mark).unwrap_or_default())
        });
        reserves.sum()
    }
}

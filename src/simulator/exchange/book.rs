//! What the account owns: cash in whole cents, and positions.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::domain::order::Side;
use crate::domain::symbol::Symbol;

/// Cash and positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    /// Whole cents.
    pub cash: Decimal,
    /// By symbol; never zero.
    pub positions: BTreeMap<Symbol, Holding>,
    /// The least cash there ever was.
    pub cash_min: Decimal,
    /// The smallest position there ever was in each symbol; negative is a short sale.
    pub position_min: BTreeMap<Symbol, Decimal>,
}

/// One position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Shares; negative for a short position.
    pub qty: Decimal,
    /// Average price paid.
    pub entry: Decimal,
}

/// Rounded to whole cents, as the broker reports cash.
pub fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

impl Book {
    /// An account with some cash and nothing else.
    pub fn with_cash(cash: Decimal) -> Self {
        let cash = cents(cash);
        Self { cash, cash_min: cash, ..Self::default() }
    }

    /// Shares held; zero for none.
    pub fn qty(&self, symbol: &Symbol) -> Decimal {
        self.positions.get(symbol).map_or(Decimal::ZERO, |holding| holding.qty)
    }

    /// Books cash in (positive) or out.
    pub fn credit(&mut self, amount: Decimal) {
        self.cash = cents(self.cash + amount);
        self.cash_min = self.cash_min.min(self.cash);
    }

    /// Books an execution.
    pub fn trade(&mut self, symbol: &Symbol, side: Side, qty: Decimal, price: Decimal) {
        let value = cents(qty * price);
        let (signed, cash) = match side {
            Side::Buy => (qty, -value),
            Side::Sell => (-qty, value),
        };
        self.credit(cash);
        let held = self.positions.get(symbol).cloned();
        let before = held.as_ref().map_or(Decimal::ZERO, |holding| holding.qty);
        let after = before + signed;
        let entry = match held {
            Some(holding) if (before > Decimal::ZERO) != (signed > Decimal::ZERO) => {
                if (after > Decimal::ZERO) == (before > Decimal::ZERO) {
                    holding.entry
                } else {
                    price
                }
            }
            Some(holding) => ((before * holding.entry + signed * price) / after).round_dp(9),
            None => price,
        };
        self.set(symbol, after, entry);
    }

    /// Puts a position to a size and an entry price; zero removes it.
    pub fn set(&mut self, symbol: &Symbol, qty: Decimal, entry: Decimal) {
        let least = self.position_min.entry(symbol.clone()).or_insert(qty);
        *least = (*least).min(qty);
        if qty.is_zero() {
            self.positions.remove(symbol);
        } else {
            let holding = Holding { qty: qty.normalize(), entry: entry.normalize() };
            self.positions.insert(symbol.clone(), holding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_round_trip_leaves_only_the_difference_in_whole_cents() {
        let spy = Symbol::parse("SPY").unwrap();
        let mut book = Book::with_cash(decimal("1000"));
        book.trade(&spy, Side::Buy, decimal("0.557436865"), decimal("214.879891"));
        assert_eq!(book.cash, decimal("880.22"));
        assert_eq!(book.qty(&spy), decimal("0.557436865"));
        book.trade(&spy, Side::Sell, decimal("0.557436865"), decimal("216"));
        assert_eq!((book.cash, book.positions.len()), (decimal("1000.63"), 0));
        assert_eq!(book.cash_min, decimal("880.22"));
    }

    #[test]
    fn the_entry_price_averages_buys_and_ignores_sales() {
        let spy = Symbol::parse("SPY").unwrap();
        let mut book = Book::with_cash(decimal("10000"));
        book.trade(&spy, Side::Buy, decimal("10"), decimal("100"));
        book.trade(&spy, Side::Buy, decimal("30"), decimal("120"));
        assert_eq!(book.positions[&spy].entry, decimal("115"));
        book.trade(&spy, Side::Sell, decimal("15"), decimal("90"));
        assert_eq!(book.positions[&spy], Holding { qty: decimal("25"), entry: decimal("115") });
    }

    #[test]
    fn a_sale_beyond_the_position_shows_as_a_short_one() {
        let spy = Symbol::parse("SPY").unwrap();
        let mut book = Book::with_cash(decimal("0"));
        book.trade(&spy, Side::Buy, decimal("1"), decimal("100"));
        book.trade(&spy, Side::Sell, decimal("3"), decimal("110"));
        assert_eq!(book.positions[&spy], Holding { qty: decimal("-2"), entry: decimal("110") });
        assert_eq!(book.position_min[&spy], decimal("-2"));
        assert_eq!(book.cash_min, decimal("-100"));
    }
}

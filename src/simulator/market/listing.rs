//! One listed symbol: its closes, and what was done to it by hand.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::domain::market::History;
use crate::simulator::market::Spread;

/// A quote that does not follow the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FixedQuote {
    /// Best bid, if any.
    pub bid: Option<Decimal>,
    /// Best ask, if any.
    pub ask: Option<Decimal>,
    /// When it was made; `None` for always fresh.
    pub at: Option<Timestamp>,
}

/// `new` shares for `old`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// Shares after.
    pub new: u32,
    /// Shares before.
    pub old: u32,
    /// From here on the share trades at the new price.
    pub at: Timestamp,
    /// From here on bars are adjusted; later than `at` when the data lag behind.
    pub bars_at: Timestamp,
    /// Whether the list of corporate actions names it.
    pub announced: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    pub(super) days: Vec<Date>,
    pub(super) closes: Vec<f64>,
    pub(super) moves: Vec<(Timestamp, f64)>,
    pub(super) quote: Option<FixedQuote>,
    pub(super) spread: Option<Spread>,
    pub(super) halted: Option<Timestamp>,
    pub(super) bars_end: Option<Date>,
    pub(super) splits: Vec<Split>,
}

impl Split {
    /// What a price is multiplied with.
    fn factor(&self) -> f64 {
        f64::from(self.old) / f64::from(self.new)
    }
}

impl Listing {
    pub(super) fn of(history: &History) -> Self {
        let (days, closes) = (history.days().to_vec(), history.closes().to_vec());
        Self { days, closes, ..Self::default() }
    }

    pub(super) fn is_new(&self) -> bool {
        self.closes.is_empty() && self.moves.is_empty()
    }

    /// The last move by hand up to a moment.
    pub(super) fn moved(&self, now: Timestamp) -> Option<&(Timestamp, f64)> {
        self.moves.iter().rev().find(|(at, _)| *at <= now)
    }

    pub(super) fn close_through(&self, day: Date) -> Option<f64> {
        let end = self.days.partition_point(|known| *known <= day);
        end.checked_sub(1).and_then(|at| self.closes.get(at)).copied()
    }

    pub(super) fn traded_on(&self, day: Date) -> bool {
        self.closes.is_empty() || self.days.binary_search(&day).is_ok()
    }

    /// What splits in `(after, through]` do to a price.
    pub(super) fn split_factor(&self, after: Timestamp, through: Timestamp) -> f64 {
        let effective = self.splits.iter().filter(|s| after < s.at && s.at <= through);
        effective.map(Split::factor).product()
    }

    /// What splits after a bar do to it, once the data have caught up.
    pub(super) fn bar_factor(&self, bar: Timestamp, now: Timestamp) -> f64 {
        let later = |s: &&Split| bar < s.at && s.at <= now && s.bars_at <= now;
        self.splits.iter().filter(later).map(Split::factor).product()
    }

    /// A price to size volumes by.
    pub(super) fn typical_price(&self) -> Option<f64> {
        self.closes.get(self.closes.len() / 2).copied().or(self.moves.first().map(|m| m.1))
    }
}

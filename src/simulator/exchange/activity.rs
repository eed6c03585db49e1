//! What was booked to the account: executions, cash and corporate actions.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::domain::order::Side;
use crate::domain::session::exchange_zone;
use crate::domain::symbol::Symbol;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// New York time to the millisecond, then a UUID.
    pub id: String,
    /// When it was booked.
    pub at: Timestamp,
    /// What it was.
    pub entry: Entry,
}

/// The kinds of entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An execution.
    Fill(Fill),
    /// Anything else.
    Other(Booking),
}

/// An execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    /// The order's id.
    pub order_id: String,
    /// Ticker.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Shares of this execution.
    pub qty: Decimal,
    /// Shares of the order executed so far.
    pub cumulative: Decimal,
    /// Shares of the order still open.
    pub leaves: Decimal,
    /// Price.
    pub price: Decimal,
}

/// An entry that is no execution.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Booking {
    /// The broker's code, such as `DIV`, `FEE`, `CSD`, `JNLC`, `SPLIT`.
    pub code: &'static str,
    /// The broker's code of the variety, such as `CDIV`.
    pub sub_code: Option<&'static str>,
    /// The date it carries.
    pub date: Date,
    /// Cash booked.
    pub amount: Decimal,
    /// The symbol it belongs to.
    pub symbol: Option<Symbol>,
    /// Shares it moved or was paid for.
    pub qty: Option<Decimal>,
    /// Dollars per share.
    pub per_share: Option<Decimal>,
    /// Price of the shares it moved.
    pub price: Option<Decimal>,
    /// In words.
    pub description: String,
    /// Shared by entries of one event.
    pub group: Option<String>,
}

impl Activity {
    /// The broker's code.
    pub const fn code(&self) -> &'static str {
        match &self.entry {
            Entry::Fill(_) => "FILL",
            Entry::Other(booking) => booking.code,
        }
    }
}

/// The broker's id of an entry: New York time to the millisecond, not UTC, then a UUID.
pub(super) fn activity_id(at: Timestamp, uuid: &str) -> String {
    let local = at.to_zoned(exchange_zone());
    format!("{}{:03}::{uuid}", local.strftime("%Y%m%d%H%M%S"), local.millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_starts_with_new_york_time() {
        let at = "2026-10-08T15:10:18.097465Z".parse().unwrap();
        assert_eq!(activity_id(at, "u"), "20261008111018097::u");
    }
}

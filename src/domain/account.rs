//! What the broker says of the account: money, positions and the assets behind them.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::money::{Price, Shares, Usd};
use crate::domain::symbol::Symbol;

/// The broker's account as read at one moment; the account number never leaves the adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Hash of the account number, for comparing accounts without showing one.
    pub fingerprint: String,
    /// Last three characters of the account number, for people.
    pub ending: String,
    /// Settled and unsettled cash; negative is a debit.
    pub cash: Usd,
    /// Cash plus positions by the broker's own prices.
    pub equity: Usd,
    /// Equity at the previous session's close, if the broker says.
    pub equity_before: Option<Usd>,
    /// Why the account may not trade; empty when it may.
    pub blocks: BTreeSet<AccountBlock>,
}

/// Something that keeps an account from trading.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountBlock {
    /// The account is not in status ACTIVE; the broker's word for what it is.
    NotActive(String),
    /// The broker blocked trading.
    TradingBlocked,
    /// The broker blocked the account.
    AccountBlocked,
    /// The owner suspended trading at the broker.
    SuspendedByOwner,
}

/// The broker's lasting name for an asset; survives a change of ticker.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AssetId(pub String);

/// A long position as the broker reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Ticker.
    pub symbol: Symbol,
    /// The broker's asset id.
    pub asset: AssetId,
    /// Shares held; a short position is reported as [`PositionError`] by the adapter.
    pub shares: Shares,
    /// Shares not reserved by open orders.
    pub available: Shares,
    /// The broker's own current price; missing for halted or delisted assets.
    pub price: Option<Price>,
    /// Average entry price, if the broker says.
    pub entry: Option<Price>,
}

/// What may be done with an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Ticker.
    pub symbol: Symbol,
    /// The broker's asset id.
    pub id: AssetId,
    /// Active and tradable.
    pub tradable: bool,
    /// Fractions may be ordered.
    pub fractionable: bool,
    /// A US share or fund, the only class we trade.
    pub us_equity: bool,
}

/// The broker's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketClock {
    /// The broker's time.
    pub now: Timestamp,
    /// Whether the core session is on.
    pub is_open: bool,
}

/// Something that happened in the account besides the state of orders, oldest first in lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// The broker's id of the activity.
    pub id: String,
    /// When it was booked: the trade's own time, or the start of the booking day for entries that
    /// only carry a date.
    pub at: Timestamp,
    /// What happened.
    pub what: ActivityKind,
}

/// The kinds of activity that move shares or cash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum ActivityKind {
    /// An execution of any order of the account, ours or another's.
    Fill {
        /// The broker's order id.
        order: String,
        /// Ticker.
        symbol: Symbol,
        /// Side of the order.
        side: crate::domain::order::Side,
        /// Shares executed.
        shares: Shares,
        /// Execution price.
        price: Price,
    },
    /// A dividend in cash.
    Dividend {
        /// Ticker.
        symbol: Symbol,
        /// Amount credited.
        amount: Usd,
        /// Shares it was paid for, if the broker says.
        #[serde(default)]
        shares: Option<Shares>,
        /// The date the entry carries.
        date: Date,
    },
    /// A split: `new` shares for `old`.
    Split {
        /// Ticker.
        symbol: Symbol,
        /// Shares held after, as a ratio's upper part.
        new: Shares,
        /// Shares held before, as a ratio's lower part.
        old: Shares,
    },
    /// The ticker of an asset changed.
    Rename {
        /// Ticker before.
        from: Symbol,
        /// Ticker after.
        to: Symbol,
    },
    /// A fee or tax, usually negative.
    Fee {
        /// Ticker, when the fee belongs to one.
        symbol: Option<Symbol>,
        /// Amount credited.
        amount: Usd,
    },
    /// Cash paid in (positive) or out (negative).
    Transfer {
        /// Amount credited.
        amount: Usd,
    },
    /// Interest and other cash entries.
    Cash {
        /// The broker's code of the entry.
        code: String,
        /// Amount credited.
        amount: Usd,
    },
    /// An entry of a kind we do not know that names shares: reported, and it may explain nothing.
    Unknown {
        /// The broker's code of the entry.
        code: String,
    },
}

/// A position that this system cannot own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("short position in {symbol}: {shares}")]
pub struct PositionError {
    /// Ticker.
    pub symbol: Symbol,
    /// Shares sold short.
    pub shares: Shares,
}

impl Activity {
    /// Cash paid in (negative: out), if that is what happened.
    pub const fn transfer(&self) -> Option<Usd> {
        match self.what {
            ActivityKind::Transfer { amount } => Some(amount),
            ActivityKind::Fill { .. }
            | ActivityKind::Dividend { .. }
            | ActivityKind::Split { .. }
            | ActivityKind::Rename { .. }
            | ActivityKind::Fee { .. }
            | ActivityKind::Cash { .. }
            | ActivityKind::Unknown { .. } => None,
        }
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

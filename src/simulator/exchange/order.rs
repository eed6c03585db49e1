//! Orders as the simulated exchange keeps them, and how it says no.

use std::fmt;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::domain::order::Side;
use crate::domain::symbol::Symbol;

/// What makes an order marketable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// At any price.
    Market,
    /// At this price or a better one.
    Limit(Decimal),
    /// At any price once the market has reached this one.
    Stop(Decimal),
    /// At `limit` or better once the market has reached `stop`.
    StopLimit {
        /// What sets it off.
        stop: Decimal,
        /// The worst price after that.
        limit: Decimal,
    },
}

/// How long an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeInForce {
    /// To the end of the session.
    Day,
    /// Ninety days.
    Gtc,
    /// At the opening auction.
    Opg,
    /// At the closing auction.
    Cls,
    /// At once, as much as there is.
    Ioc,
    /// At once and in full.
    Fok,
}

/// How much is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Shares.
    Qty(Decimal),
    /// Dollars.
    Notional(Decimal),
}

/// What an order is meant to do to the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Grow or start a long position.
    BuyToOpen,
    /// Shrink a short position.
    BuyToClose,
    /// Start or grow a short position.
    SellToOpen,
    /// Shrink a long position.
    SellToClose,
}

/// An order as asked for: form checked, rules not yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// Ticker.
    pub symbol: Symbol,
    /// How much.
    pub size: Size,
    /// Buy or sell.
    pub side: Side,
    /// Its type and prices.
    pub kind: Kind,
    /// How long.
    pub time_in_force: TimeInForce,
    /// The client's name for it; made up when missing.
    pub client_id: Option<String>,
    /// What the client says it does to the position.
    pub intent: Option<Intent>,
    /// Outside the core session too; kept and shown, but the simulation trades in the core session only.
    pub extended_hours: bool,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Taken in while the exchange is closed.
    Accepted,
    /// Taken in, not yet acknowledged by the market.
    PendingNew,
    /// Working.
    New,
    /// Working, with some shares executed.
    PartiallyFilled,
    /// Working, with a cancel on its way.
    PendingCancel,
    /// Executed in full.
    Filled,
    /// Cancelled.
    Canceled,
    /// Ran out of time.
    Expired,
    /// Rejected after it was taken in.
    Rejected,
}

/// An order at the exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The exchange's id.
    pub id: String,
    /// The client's name for it.
    pub client_id: String,
    /// The asset's id.
    pub asset_id: String,
    /// As asked for, sizes cut to nine decimals.
    pub asked: NewOrder,
    /// What it does to the position.
    pub intent: Intent,
    /// Where it stands.
    pub status: Status,
    /// Shares executed.
    pub filled: Decimal,
    /// Money exchanged for them, unrounded.
    pub value: Decimal,
    /// When it was taken in.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was sent to the market; changes when a queued order is released.
    pub submitted_at: Timestamp,
    /// When it will expire.
    pub expires_at: Timestamp,
    /// When it was last executed.
    pub filled_at: Option<Timestamp>,
    /// When it was cancelled.
    pub canceled_at: Option<Timestamp>,
    /// When its cancellation was asked for.
    pub cancel_requested_at: Option<Timestamp>,
    /// When it expired.
    pub expired_at: Option<Timestamp>,
    /// When it was rejected.
    pub failed_at: Option<Timestamp>,
    /// Trouble scripted for it.
    pub trouble: Option<OrderTrouble>,
    /// Look-ups that will not see it yet.
    pub hidden_lookups: u32,
    /// Counts changes of its price or state, so that an outdated event is known as such.
    pub(super) epoch: u32,
    /// A stop that was set off.
    pub(super) triggered: bool,
}

/// Trouble that befalls one order after it was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderTrouble {
    /// The market rejects it a moment later.
    RejectedLater,
    /// It stays in `pending_new` and is never executed; a cancel is taken and works.
    Frozen,
    /// A cancel is taken and never completes.
    CancelStuck,
    /// A part is executed, then nothing more.
    PartialThenStop {
        /// The part, from 0 to 1.
        part: Decimal,
    },
    /// It works and is never executed.
    NeverFilled,
    /// It is executed in the moment its cancel arrives, so that the cancel loses the race.
    FilledOnCancel,
    /// It is not seen by this many look-ups, by id or in lists.
    Hidden {
        /// How many.
        lookups: u32,
    },
}

/// How the exchange says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The broker's number for the reason.
    pub code: u32,
    /// The broker's words.
    pub message: String,
    /// Further fields of the answer.
    pub extras: Vec<(&'static str, String)>,
}

impl Refusal {
    /// Forbidden by a rule of trading.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self { status: 403, code: 40_310_000, message: message.into(), extras: Vec::new() }
    }

    /// A value that breaks a rule.
    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self { status: 422, code: 42_210_000, message: message.into(), extras: Vec::new() }
    }

    /// A field that is malformed or missing.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self { status: 422, code: 40_010_001, message: message.into(), extras: Vec::new() }
    }

    /// No such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { status: 404, code: 40_410_000, message: message.into(), extras: Vec::new() }
    }

    /// The same with one more field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.extras.push((name, format!("{value}")));
        self
    }
}

impl Status {
    /// The broker's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::PendingNew => "pending_new",
            Self::New => "new",
            Self::PartiallyFilled => "partially_filled",
            Self::PendingCancel => "pending_cancel",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
        }
    }

    /// True while more can happen.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Accepted
            | Self::PendingNew
            | Self::New
            | Self::PartiallyFilled
            | Self::PendingCancel => true,
            Self::Filled | Self::Canceled | Self::Expired | Self::Rejected => false,
        }
    }
}

impl Kind {
    /// The broker's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit(_) => "limit",
            Self::Stop(_) => "stop",
            Self::StopLimit { .. } => "stop_limit",
        }
    }

    /// Its limit price.
    pub const fn limit(self) -> Option<Decimal> {
        match self {
            Self::Limit(limit) | Self::StopLimit { limit, .. } => Some(limit),
            Self::Market | Self::Stop(_) => None,
        }
    }

    /// Its stop price.
    pub const fn stop(self) -> Option<Decimal> {
        match self {
            Self::Stop(stop) | Self::StopLimit { stop, .. } => Some(stop),
            Self::Market | Self::Limit(_) => None,
        }
    }
}

impl TimeInForce {
    /// The broker's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Gtc => "gtc",
            Self::Opg => "opg",
            Self::Cls => "cls",
            Self::Ioc => "ioc",
            Self::Fok => "fok",
        }
    }
}

impl Intent {
    /// The broker's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BuyToOpen => "buy_to_open",
            Self::BuyToClose => "buy_to_close",
            Self::SellToOpen => "sell_to_open",
            Self::SellToClose => "sell_to_close",
        }
    }
}

/// The broker's word for a side.
pub const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

impl Order {
    /// Ticker.
    pub const fn symbol(&self) -> &Symbol {
        &self.asked.symbol
    }

    /// Shares ordered; `None` for orders by dollars.
    pub const fn qty(&self) -> Option<Decimal> {
        match self.asked.size {
            Size::Qty(qty) => Some(qty),
            Size::Notional(_) => None,
        }
    }

    /// Dollars ordered.
    pub const fn notional(&self) -> Option<Decimal> {
        match self.asked.size {
            Size::Qty(_) => None,
            Size::Notional(dollars) => Some(dollars),
        }
    }

    /// Shares still to execute at a price.
    pub fn remaining(&self, price: Decimal) -> Decimal {
        match self.asked.size {
            Size::Qty(qty) => qty - self.filled,
            Size::Notional(dollars) => ((dollars - self.value) / price).trunc_with_scale(9),
        }
    }

    /// Average price of what was executed.
    pub fn average(&self) -> Option<Decimal> {
        let average = self.value.checked_div(self.filled)?;
        Some(average.round_dp(9).normalize())
    }

    /// True when a part of a share is ordered, by shares or by dollars.
    pub fn is_fractional(&self) -> bool {
        self.qty().is_none_or(|qty| !qty.fract().is_zero())
    }

    /// Dollars that this open buy keeps from being spent, at a market price where it has no limit.
    pub fn reserved(&self, market: Decimal) -> Decimal {
        if self.asked.side == Side::Sell || !self.status.is_open() {
            return Decimal::ZERO;
        }
        match self.asked.size {
            Size::Qty(qty) => (qty - self.filled) * self.asked.kind.limit().unwrap_or(market),
            Size::Notional(dollars) => dollars - self.value,
        }
    }
}

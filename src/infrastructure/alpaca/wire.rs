//! Reading the broker's JSON, tolerant of everything but a missing essential.
//!
//! The broker adds and removes fields without notice, sends numbers as texts or as numbers and
//! leaves what it does not know null. So there are no mirror structs here: an object is its
//! fields, and each reader asks for the few it needs. Numbers are read from their own text, so
//! that they stay exact.

use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::domain::account::{Account, AccountBlock, Asset, AssetId, MarketClock, Position};
use crate::domain::hash::sha256_hex;
use crate::domain::money::{Price, Shares, Usd};
use crate::domain::order::{ClientOrderId, Order, OrderRequest, OrderStatus, Side};
use crate::domain::run::Mode;
use crate::domain::session::Session;
use crate::domain::symbol::Symbol;

/// Characters of the account's fingerprint: 64 bits tell one person's accounts apart.
const FINGERPRINT_LENGTH: usize = 16;
/// Characters of the account number shown to people.
const ENDING_LENGTH: usize = 3;
/// What the numbers of paper accounts start with.
const PAPER_PREFIX: &str = "PA";
/// The only class of asset we trade.
const SHARES_CLASS: &str = "us_equity";

/// Why an answer could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// No JSON, or cut off: asking again may help.
    Garbled(String),
    /// JSON that lacks what no answer may lack.
    Wrong(String),
}

/// The fields of one object.
pub(super) struct Fields<'a> {
    what: &'static str,
    fields: BTreeMap<Name<'a>, &'a RawValue>,
}

/// The name of a field; a text of its own only where it is spelt with escapes.
#[derive(PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
pub(super) struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl Name<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

pub(super) fn unreadable(what: &str, error: &serde_json::Error) -> Unreadable {
    let said = format!("{what}: {error}");
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => Unreadable::Garbled(said),
        Category::Data => Unreadable::Wrong(said),
    }
}

/// The one object of a body.
pub(super) fn object<'a>(body: &'a [u8], what: &'static str) -> Result<Fields<'a>, Unreadable> {
    let fields = serde_json::from_slice(body).map_err(|error| unreadable(what, &error))?;
    Ok(Fields { what, fields })
}

/// The objects of a list.
pub(super) fn list<'a>(body: &'a [u8], what: &'static str) -> Result<Vec<Fields<'a>>, Unreadable> {
    let rows: Vec<BTreeMap<Name<'a>, &RawValue>> =
        serde_json::from_slice(body).map_err(|error| unreadable(what, &error))?;
    Ok(rows.into_iter().map(|fields| Fields { what, fields }).collect())
}

impl<'a> Fields<'a> {
    pub(super) fn wrong(&self, key: &str, why: impl Display) -> Unreadable {
        Unreadable::Wrong(format!("{}: {key} {why}", self.what))
    }

    /// The raw value of a field that is there and not null.
    pub(super) fn raw(&self, key: &str) -> Option<&'a str> {
        self.fields.get(key).map(|raw| raw.get()).filter(|raw| *raw != "null")
    }

    /// The fields of an object within this one.
    pub(super) fn inner(&self, key: &str) -> Result<Option<Fields<'a>>, Unreadable> {
        self.raw(key).map(|raw| object(raw.as_bytes(), self.what)).transpose()
    }

    /// The objects by name within this one.
    pub(super) fn entries(&self, key: &str) -> Result<Vec<(String, Fields<'a>)>, Unreadable> {
        let Some(inner) = self.inner(key)? else { return Ok(Vec::new()) };
        let what = self.what;
        let entry = |(name, raw): (Name<'a>, &'a RawValue)| {
            Ok((name.0.into_owned(), object(raw.get().as_bytes(), what)?))
        };
        let there = inner.fields.into_iter().filter(|(_, raw)| raw.get() != "null");
        there.map(entry).collect()
    }

    /// The objects of a list within this one; none when the list is null or missing.
    pub(super) fn rows(&self, key: &str) -> Result<Vec<Fields<'a>>, Unreadable> {
        self.raw(key).map_or(Ok(Vec::new()), |raw| list(raw.as_bytes(), self.what))
    }

    /// A text, number or truth value as text; blank counts as missing.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, Unreadable> {
        let Some(raw) = self.raw(key) else { return Ok(None) };
        let text = match raw.as_bytes().first() {
            Some(b'"') => {
                serde_json::from_str(raw).map_err(|_| self.wrong(key, "is not a text"))?
            }
            Some(b'{' | b'[') | None => return Err(self.wrong(key, "is not a single value")),
            Some(_) => raw.to_owned(),
        };
        Ok(Some(text).filter(|text| !text.trim().is_empty()))
    }

    pub(super) fn need_text(&self, key: &str) -> Result<String, Unreadable> {
        self.text(key)?.ok_or_else(|| self.wrong(key, "missing"))
    }

    /// A value that may be missing, but not wrong.
    pub(super) fn value<T: FromStr<Err: Display>>(
        &self,
        key: &str,
    ) -> Result<Option<T>, Unreadable> {
        let parse = |text: String| text.parse().map_err(|error| self.wrong(key, error));
        self.text(key)?.map(parse).transpose()
    }

    pub(super) fn need<T: FromStr<Err: Display>>(&self, key: &str) -> Result<T, Unreadable> {
        self.value(key)?.ok_or_else(|| self.wrong(key, "missing"))
    }

    /// A price; zero is how the broker writes that there is none.
    pub(super) fn price(&self, key: &str) -> Result<Option<Price>, Unreadable> {
        match self.value::<Usd>(key)? {
            None => Ok(None),
            Some(amount) if amount == Usd::ZERO => Ok(None),
            Some(amount) => {
                Price::new(amount.decimal()).map(Some).map_err(|error| self.wrong(key, error))
            }
        }
    }

    pub(super) fn symbol(&self, key: &str) -> Result<Symbol, Unreadable> {
        self.symbol_or_none(key)?.ok_or_else(|| self.wrong(key, "missing"))
    }

    pub(super) fn symbol_or_none(&self, key: &str) -> Result<Option<Symbol>, Unreadable> {
        let parse = |text: String| Symbol::parse(&text).map_err(|error| self.wrong(key, error));
        self.text(key)?.map(parse).transpose()
    }

    fn is_set(&self, key: &str) -> Result<bool, Unreadable> {
        Ok(self.value(key)?.unwrap_or(false))
    }
}

/// The account, and which world its number belongs to, if there is a number.
pub(super) fn account(body: &[u8]) -> Result<(Account, Option<Mode>), Unreadable> {
    let fields = object(body, "account")?;
    let id = fields.need_text("id")?;
    let number = fields.text("account_number")?;
    let currency = fields.text("currency")?;
    if let Some(other) = currency.filter(|currency| currency != "USD") {
        return Err(fields.wrong("currency", format!("is {other}, not USD")));
    }
    let world = number
        .as_deref()
        .map(|number| if number.starts_with(PAPER_PREFIX) { Mode::Paper } else { Mode::Live });
    // An account that hides its number is told apart by its id; armed for live it is not.
    let name = number.unwrap_or(id);
    let mut fingerprint = sha256_hex(name.as_bytes());
    fingerprint.truncate(FINGERPRINT_LENGTH);
    let skip = name.chars().count().saturating_sub(ENDING_LENGTH);
    let account = Account {
        fingerprint,
        ending: name.chars().skip(skip).collect(),
        cash: fields.need("cash")?,
        equity: fields.need("equity")?,
        equity_before: fields.value("last_equity")?,
        blocks: blocks(&fields)?,
    };
    Ok((account, world))
}

fn blocks(fields: &Fields<'_>) -> Result<std::collections::BTreeSet<AccountBlock>, Unreadable> {
    let mut blocks = std::collections::BTreeSet::new();
    let status = fields.need_text("status")?;
    if status != "ACTIVE" {
        blocks.insert(AccountBlock::NotActive(status));
    }
    for (key, block) in [
        ("trading_blocked", AccountBlock::TradingBlocked),
        ("account_blocked", AccountBlock::AccountBlocked),
        ("trade_suspended_by_user", AccountBlock::SuspendedByOwner),
    ] {
        if fields.is_set(key)? {
            blocks.insert(block);
        }
    }
    Ok(blocks)
}

/// All positions; one that is short or no share is an error, as it can be neither kept nor left out.
pub(super) fn positions(body: &[u8]) -> Result<Vec<Position>, Unreadable> {
    list(body, "position")?.iter().map(position).collect()
}

fn position(fields: &Fields<'_>) -> Result<Position, Unreadable> {
    let symbol = fields.symbol("symbol")?;
    let quantity = fields.need_text("qty")?;
    let side = fields.text("side")?;
    if quantity.starts_with('-') || side.as_deref().is_some_and(|side| side != "long") {
        return Err(fields.wrong("qty", format!("of {symbol} is a short position: {quantity}")));
    }
    Ok(Position {
        asset: AssetId(fields.need_text("asset_id")?),
        shares: Shares::parse(&quantity).map_err(|error| fields.wrong("qty", error))?,
        available: fields.need("qty_available")?,
        price: fields.price("current_price")?,
        entry: fields.price("avg_entry_price")?,
        symbol,
    })
}

/// Orders of a list. Finished orders for options and the like are left out: they touch no share.
pub(super) fn orders(body: &[u8]) -> Result<Vec<(OrderKey, Option<Order>)>, Unreadable> {
    list(body, "order")?.iter().map(listed_order).collect()
}

/// What paging needs to know of an order, even of one that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrderKey {
    pub(super) id: String,
    pub(super) submitted_at: Option<Timestamp>,
}

fn listed_order(fields: &Fields<'_>) -> Result<(OrderKey, Option<Order>), Unreadable> {
    let key = OrderKey { id: fields.need_text("id")?, submitted_at: fields.value("submitted_at")? };
    let class = fields.text("asset_class")?;
    let is_share = class.is_none_or(|class| class == SHARES_CLASS);
    if !is_share && status(&fields.need_text("status")?).is_terminal() {
        return Ok((key, None));
    }
    Ok((key, Some(order(fields, None)?)))
}

/// The order of a body; `sent` is what we sent, if this is the answer to it.
pub(super) fn one_order(body: &[u8], sent: Option<&OrderRequest>) -> Result<Order, Unreadable> {
    order(&object(body, "order")?, sent)
}

/// Only id and status must be there: for an order of ours its name says symbol and side.
fn order(fields: &Fields<'_>, sent: Option<&OrderRequest>) -> Result<Order, Unreadable> {
    let broker_id = fields.need_text("id")?;
    let status_text = fields.need_text("status")?;
    let named = fields.text("client_order_id")?;
    let client_id = named.or_else(|| sent.map(|sent| sent.id().to_string())).unwrap_or_default();
    let parts = || ClientOrderId::parse(&client_id).ok().and_then(|id| id.parts());
    let symbol = fields.symbol_or_none("symbol")?.or_else(|| parts().map(|parts| parts.symbol));
    let symbol = symbol.ok_or_else(|| fields.wrong("symbol", format!("missing in {broker_id}")))?;
    let side = fields.text("side")?.as_deref().and_then(side);
    let side = side.or_else(|| parts().map(|parts| parts.side));
    let side = side.ok_or_else(|| fields.wrong("side", format!("unknown in {broker_id}")))?;
    let shares = fields.value("qty")?;
    let filled = match fields.value("filled_qty")? {
        Some(filled) => filled,
        None => filled_by_status(&status_text, shares)
            .ok_or_else(|| fields.wrong("filled_qty", format!("missing in {broker_id}")))?,
    };
    Ok(Order {
        broker_id,
        client_id,
        symbol,
        side,
        shares: shares.or_else(|| sent.map(OrderRequest::shares)),
        filled,
        fill_price: fields.price("filled_avg_price")?,
        limit: fields.price("limit_price")?.or_else(|| sent.map(OrderRequest::limit)),
        status: status(&status_text),
        submitted_at: fields.value("submitted_at")?,
        filled_at: fields.value("filled_at")?,
    })
}

/// What a status alone says of the executed shares; `None` where it says nothing.
fn filled_by_status(status: &str, ordered: Option<Shares>) -> Option<Shares> {
    match status {
        "accepted" | "pending_new" | "new" | "accepted_for_bidding" | "held" => Some(Shares::ZERO),
        "filled" => ordered,
        _ => None,
    }
}

/// Buy or sell, however the broker words it.
pub(super) fn side(text: &str) -> Option<Side> {
    match text {
        "buy" | "buy_to_cover" => Some(Side::Buy),
        "sell" | "sell_short" => Some(Side::Sell),
        _ => None,
    }
}

fn status(text: &str) -> OrderStatus {
    match text {
        "new"
        | "accepted"
        | "pending_new"
        | "accepted_for_bidding"
        | "held"
        | "stopped"
        | "suspended"
        | "calculated"
        | "pending_replace" => OrderStatus::Working,
        "partially_filled" => OrderStatus::PartiallyFilled,
        "pending_cancel" => OrderStatus::PendingCancel,
        "done_for_day" => OrderStatus::DoneForDay,
        "filled" => OrderStatus::Filled,
        "canceled" | "cancelled" => OrderStatus::Cancelled,
        "expired" => OrderStatus::Expired,
        "rejected" => OrderStatus::Rejected,
        "replaced" => OrderStatus::Replaced,
        other => OrderStatus::Other(other.chars().take(40).collect()),
    }
}

pub(super) fn asset(body: &[u8]) -> Result<Asset, Unreadable> {
    let fields = object(body, "asset")?;
    let class = fields.text("class")?;
    Ok(Asset {
        symbol: fields.symbol("symbol")?,
        id: AssetId(fields.need_text("id")?),
        tradable: fields.need_text("status")? == "active" && fields.need("tradable")?,
        fractionable: fields.need("fractionable")?,
        us_equity: class.is_none_or(|class| class == SHARES_CLASS),
    })
}

pub(super) fn clock(body: &[u8]) -> Result<MarketClock, Unreadable> {
    let fields = object(body, "clock")?;
    Ok(MarketClock { now: fields.need("timestamp")?, is_open: fields.need("is_open")? })
}

pub(super) fn sessions(body: &[u8]) -> Result<Vec<Session>, Unreadable> {
    let session = |fields: &Fields<'_>| {
        let date: Date = fields.need("date")?;
        let (open, close) = (wall_time(fields, "open")?, wall_time(fields, "close")?);
        Session::at(date, open, close)
            .filter(|session| session.open < session.close)
            .ok_or_else(|| fields.wrong("date", format!("{date} has no such hours")))
    };
    list(body, "calendar")?.iter().map(session).collect()
}

/// New York wall time, `09:30` or `0930`.
fn wall_time(fields: &Fields<'_>, key: &str) -> Result<Time, Unreadable> {
    let text = fields.need_text(key)?;
    let time = Time::strptime("%H:%M", &text).or_else(|_| Time::strptime("%H%M", &text));
    time.map_err(|_| fields.wrong(key, format!("is not a time: {text}")))
}

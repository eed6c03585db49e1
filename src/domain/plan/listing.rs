//! Each symbol as a plan sees it today: its reference price, and why it may not trade.
//!
//! Valuing and trading are kept apart: any price the broker knows will do to say what a sleeve is
//! worth, only a usable quote will do to trade.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::domain::account::ActivityKind;
use crate::domain::market::{History, Quote, QuoteReading};
use crate::domain::money::{Price, Shares};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::plan::SkipReason;
use crate::domain::policy::Policy;
use crate::domain::snapshot::{Snapshot, Splits};
use crate::domain::symbol::Symbol;

/// Sessions over which a median day's volume is taken: a month.
pub const VOLUME_SESSIONS: usize = 20;

/// One symbol today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Usable mid; else, for valuing only, the broker's price, then the last close.
    pub reference: Option<Price>,
    /// The usable quote.
    pub quote: Option<Quote>,
    /// Why nothing may be traded in it today.
    pub blocked: Option<SkipReason>,
    /// Whether fractions of it may be ordered.
    pub fractionable: bool,
    /// Shares traded on a median day, when volumes are known.
    pub median_volume: Option<Shares>,
}

/// The listings of some symbols.
pub fn list(
    symbols: &BTreeSet<Symbol>,
    snapshot: &Snapshot,
    policy: &Policy,
) -> BTreeMap<Symbol, Listing> {
    symbols.iter().map(|symbol| (symbol.clone(), listing(symbol, snapshot, policy))).collect()
}

fn listing(symbol: &Symbol, snapshot: &Snapshot, policy: &Policy) -> Listing {
    let reading: QuoteReading = snapshot.quotes.get(symbol).copied().unwrap_or_default();
    let judged = reading.judge(snapshot.now, &policy.quote_rules());
    let quote = judged.ok();
    let reference = quote.map(|quote| quote.mid()).or_else(|| snapshot.fallback_price(symbol));
    let asset = snapshot.assets.get(symbol);
    let tradable = asset.is_some_and(|asset| asset.tradable && asset.us_equity);
    let blocked = if !tradable {
        Some(SkipReason::NotTradable)
    } else if is_foreign_order_open(symbol, snapshot) {
        Some(SkipReason::ForeignOrder)
    } else if is_split_suspect(symbol, reference, snapshot, policy.limits.split_suspect_move)
        && !is_planted(Mutant::SplitIgnored)
    {
        Some(SkipReason::SplitSuspect)
    } else {
        judged.err().map(SkipReason::UnusableQuote)
    };
    let median = snapshot
        .histories
        .get(symbol)
        .and_then(|history| history.median_volume(VOLUME_SESSIONS))
        .and_then(|volume| Shares::parse(&volume.to_string()).ok());
    Listing {
        reference,
        quote,
        blocked,
        fractionable: asset.is_some_and(|asset| asset.fractionable),
        median_volume: median,
    }
}

/// An order that is not ours works in the symbol, or shares of it are set aside for one.
fn is_foreign_order_open(symbol: &Symbol, snapshot: &Snapshot) -> bool {
    let working = snapshot
        .orders
        .iter()
        .any(|order| order.symbol == *symbol && !order.is_ours() && !order.status.is_terminal());
    let reserved =
        snapshot.positions.get(symbol).is_some_and(|position| position.available < position.shares);
    working || reserved
}

/// A price far from the last close, or a listed split that position or price do not show yet.
///
/// See [`Splits`]: a far move is real once the broker was asked and lists no split. A listed
/// split trades once the closes agree with the price (they are adjusted) and, where shares are
/// held, the account shows the split as booked.
fn is_split_suspect(
    symbol: &Symbol,
    reference: Option<Price>,
    snapshot: &Snapshot,
    move_max: Decimal,
) -> bool {
    let close = snapshot.histories.get(symbol).and_then(History::last_close);
    let far = match (reference, close) {
        (Some(price), Some(close)) => {
            (price.decimal() / close.decimal() - Decimal::ONE).abs() > move_max
        }
        (None, _) | (_, None) => false, // nothing to compare with
    };
    match &snapshot.splits {
        Splits::Unknown => far,
        Splits::Listed(symbols) if symbols.contains(symbol) => {
            let held = snapshot.positions.get(symbol).is_some_and(|held| !held.shares.is_zero());
            far || (held && !is_split_booked(symbol, snapshot))
        }
        Splits::Listed(_) => false,
    }
}

/// The account shows a split of the symbol since the last completed session.
fn is_split_booked(symbol: &Symbol, snapshot: &Snapshot) -> bool {
    let Some(last) = snapshot.calendar.before(snapshot.session.date) else { return false };
    snapshot.activities.iter().any(|activity| {
        activity.at >= last.close
            && matches!(&activity.what, ActivityKind::Split { symbol: split, .. } if split == symbol)
    })
}

impl Listing {
    /// The reference price, when the symbol may trade today.
    pub fn tradable_at(&self) -> Option<Price> {
        if self.blocked.is_none() { self.reference } else { None }
    }
}

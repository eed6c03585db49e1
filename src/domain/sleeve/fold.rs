//! The ledger as a fold over broker facts: fills of our orders, then activities, then a check.
//!
//! Nothing is guessed. What the facts do not explain is a mismatch, and a mismatch is an error.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::domain::account::{Activity, ActivityKind};
use crate::domain::books::entry::{Entry, Holder, traded};
use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::money::{Price, Shares, Usd};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::{Order, Side};
use crate::domain::plan::Part;
use crate::domain::run::StrategyName;
use crate::domain::sleeve::attribution::{pro_rata, share_out_parts};
use crate::domain::sleeve::ledger::{Ledger, Unsettled};
use crate::domain::sleeve::tickers::Tickers;
use crate::domain::snapshot::Snapshot;
use crate::domain::symbol::Symbol;

/// After a split the broker may round the last decimals the other way than we do.
const SPLIT_ROUNDING: Decimal = Decimal::from_parts(1, 0, 0, false, 6);

/// A ledger brought up to the moment of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// Who owns which shares now.
    pub ledger: Ledger,
    /// Cash paid in (negative: out) since the ledger was last booked.
    pub transfers: Usd,
    /// What the operator should know.
    pub notes: Vec<Incident>,
    /// What moved shares and cash, in the order it was booked.
    pub entries: Vec<Entry>,
}

/// Why a ledger cannot be carried forward: no orders until a person looked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Shares that no fact explains.
    #[error("no fact explains these shares: {0}")]
    Mismatch(String),
    /// An order of ours may still be executed.
    #[error("the end of these orders of ours is unknown: {0}")]
    Unsettled(String),
}

/// The ledger of an account that no run has touched: every share is foreign.
pub fn first(snapshot: &Snapshot) -> Ledger {
    let mut ledger =
        Ledger { began: Some(snapshot.now), booked_until: Some(snapshot.now), ..Ledger::default() };
    for (symbol, position) in &snapshot.positions {
        if !position.shares.is_zero() {
            ledger.foreign.insert(symbol.clone(), position.shares);
            ledger.assets.insert(symbol.clone(), position.asset.clone());
        }
    }
    ledger
}

/// Brings a ledger up to a snapshot by the broker's facts alone.
///
/// Fills of our unsettled orders come first, then the activities that were not booked yet,
/// oldest first; executions of our own orders among them are known already and do not count
/// twice. Works at the end of a run as well as at its start.
///
/// # Errors
/// [`LedgerError::Unsettled`] for an order of ours of this session that the broker does not show
/// as ended; [`LedgerError::Mismatch`] when sleeves and foreign shares are not the positions.
pub fn carry_forward(before: &Ledger, snapshot: &Snapshot) -> Result<Carried, LedgerError> {
    let fresh = not_booked(before, snapshot);
    let tickers = Tickers::read(before, &fresh, snapshot);
    let renamed = tickers.changed().filter(|(from, _)| before.total(from) > Shares::ZERO);
    let renamed = renamed.map(|(from, to)| Entry::Renamed { from: from.clone(), to: to.clone() });
    let mut fold = Fold {
        ledger: tickers.applied(before),
        notes: Vec::new(),
        entries: renamed.collect(),
        split: BTreeSet::new(),
    };
    fold.settle_orders(snapshot, &tickers)?;
    let ours: BTreeSet<&str> = snapshot
        .orders
        .iter()
        .filter(|order| order.is_ours())
        .map(|order| order.broker_id.as_str())
        .collect();
    for activity in &fresh {
        fold.book(activity, &ours, &tickers)?;
    }
    fold.reconcile(snapshot)?;
    fold.ledger.booked_until = Some(snapshot.now);
    fold.remember(snapshot);
    let transfers = transfers(before, snapshot);
    Ok(Carried { ledger: fold.ledger, transfers, notes: fold.notes, entries: fold.entries })
}

struct Fold {
    ledger: Ledger,
    notes: Vec<Incident>,
    entries: Vec<Entry>,
    /// Symbols that were split on the way.
    split: BTreeSet<Symbol>,
}

/// Cash paid in (negative: out) that this ledger has not seen.
pub fn transfers(before: &Ledger, snapshot: &Snapshot) -> Usd {
    let fresh = not_booked(before, snapshot).into_iter();
    fresh.filter_map(Activity::transfer).sum()
}

/// The activities this ledger has not booked, oldest first.
fn not_booked<'a>(before: &Ledger, snapshot: &'a Snapshot) -> Vec<&'a Activity> {
    let mut fresh: Vec<&Activity> = snapshot
        .activities
        .iter()
        .filter(|activity| !before.booked.contains(&activity.id))
        .filter(|activity| before.look_back().is_none_or(|from| activity.at >= from))
        .filter(|activity| before.began.is_none_or(|began| activity.at > began))
        .collect();
    fresh.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    fresh.dedup_by(|a, b| a.id == b.id);
    fresh
}

impl Fold {
    fn settle_orders(&mut self, snapshot: &Snapshot, tickers: &Tickers) -> Result<(), LedgerError> {
        let known: BTreeMap<&str, &Order> =
            snapshot.orders.iter().map(|order| (order.client_id.as_str(), order)).collect();
        let mut open = Vec::new();
        for (id, mut unsettled) in std::mem::take(&mut self.ledger.unsettled) {
            unsettled.symbol = tickers.now(&unsettled.symbol);
            match known.get(id.as_str()) {
                Some(order) => {
                    self.book_fills(&unsettled, order)?;
                    if !order.status.is_terminal() {
                        open.push(id.to_string());
                    }
                }
                None if id.parts().is_some_and(|parts| parts.session < snapshot.session.date) => {
                    // A DAY order of an earlier session that the broker does not know is dead.
                }
                None => open.push(id.to_string()),
            }
        }
        if open.is_empty() { Ok(()) } else { Err(LedgerError::Unsettled(open.join(", "))) }
    }

    /// Attributes what an unsettled order executed since it was last booked.
    fn book_fills(&mut self, unsettled: &Unsettled, order: &Order) -> Result<(), LedgerError> {
        let new = order.filled.minus_at_most(unsettled.booked);
        let parts = share_out_parts(new, &unsettled.parts);
        let price = order.fill_price.or(order.limit);
        let amount = price.map_or(Usd::ZERO, |price| order.filled * price) - unsettled.amount;
        self.entries.extend(traded(&unsettled.symbol, unsettled.side, &parts, amount));
        for Part { strategy, shares } in parts {
            match unsettled.side {
                Side::Buy => self.ledger.credit(&strategy, &unsettled.symbol, shares),
                Side::Sell => {
                    let taken = self.ledger.debit(&strategy, &unsettled.symbol, shares);
                    taken.ok_or_else(|| {
                        LedgerError::Mismatch(format!(
                            "{strategy} sold {shares} {} by {} and owned fewer",
                            unsettled.symbol, order.client_id
                        ))
                    })?;
                }
            }
        }
        Ok(())
    }

    fn book(
        &mut self,
        activity: &Activity,
        ours: &BTreeSet<&str>,
        tickers: &Tickers,
    ) -> Result<(), LedgerError> {
        match &activity.what {
            ActivityKind::Fill { order, .. } if ours.contains(order.as_str()) => {}
            ActivityKind::Fill { symbol, side: Side::Buy, shares, .. }
                if is_planted(Mutant::ForeignTaken) =>
            {
                if let Some(first) = self.ledger.sleeves.keys().next().cloned() {
                    self.ledger.credit(&first, &tickers.now(symbol), *shares);
                }
            }
            ActivityKind::Fill { symbol, side: Side::Buy, shares, price, .. } => {
                let symbol = tickers.now(symbol);
                *self.ledger.foreign.entry(symbol.clone()).or_default() += *shares;
                self.by_hand((None, &symbol), Side::Buy, (*shares, *price));
            }
            ActivityKind::Fill { symbol, side: Side::Sell, shares, price, .. } => {
                self.sold_by_hand(&tickers.now(symbol), *shares, *price)?;
            }
            ActivityKind::Split { symbol, new, old } => {
                self.split(&tickers.now(symbol), *new, *old);
            }
            ActivityKind::Unknown { code } => self.notes.push(
                Incident::new(
                    Category::Warning,
                    Code::ActivityUnknown,
                    "ledger",
                    format!("the account has an entry of the unknown kind {code}"),
                )
                .meaning("It may move shares or cash; it explains nothing here.")
                .action("Look at the account's activities at the broker.")
                .with("activity", &activity.id),
            ),
            ActivityKind::Dividend { symbol, amount, shares, date } => {
                let (symbol, amount) = (tickers.now(symbol), *amount);
                let (shares, date) = (*shares, *date);
                self.entries.push(Entry::Dividend { symbol, amount, shares, date });
            }
            ActivityKind::Fee { symbol, amount } => {
                let symbol = symbol.as_ref().map(|symbol| tickers.now(symbol));
                self.entries.push(Entry::Fee { symbol, amount: *amount });
            }
            ActivityKind::Transfer { amount } => self.entries.push(Entry::Transfer(*amount)),
            ActivityKind::Cash { amount, .. } => self.entries.push(Entry::Cash(*amount)),
            ActivityKind::Rename { .. } => {} // in `tickers`
        }
        Ok(())
    }

    /// Foreign shares go first, then the sleeves' pro rata; each sleeve that gave is touched.
    fn sold_by_hand(
        &mut self,
        symbol: &Symbol,
        shares: Shares,
        price: Price,
    ) -> Result<(), LedgerError> {
        let foreign = self.ledger.foreign.get(symbol).copied().unwrap_or_default();
        let from_foreign = foreign.min(shares);
        self.ledger.foreign.insert(symbol.clone(), foreign.minus_at_most(from_foreign));
        self.by_hand((None, symbol), Side::Sell, (from_foreign, price));
        let rest = shares.minus_at_most(from_foreign);
        if rest > self.ledger.owned(symbol) {
            return Err(LedgerError::Mismatch(format!(
                "{shares} {symbol} were sold by hand and the ledger shows fewer"
            )));
        }
        let sleeves: Vec<Part> = self.holders(symbol);
        for Part { strategy, shares } in share_out_parts(rest, &sleeves) {
            if self.ledger.debit(&strategy, symbol, shares).is_some() {
                if let Some(sleeve) = self.ledger.sleeves.get_mut(&strategy) {
                    sleeve.touched = true;
                }
                self.by_hand((Some(strategy), symbol), Side::Sell, (shares, price));
            }
        }
        Ok(())
    }

    /// Notes a trade that was not ours.
    fn by_hand(
        &mut self,
        (holder, symbol): (Holder, &Symbol),
        side: Side,
        (shares, price): (Shares, Price),
    ) {
        if !shares.is_zero() {
            let (symbol, amount) = (symbol.clone(), shares * price);
            self.entries.push(Entry::Traded { holder, symbol, side, shares, amount });
        }
    }

    fn holders(&self, symbol: &Symbol) -> Vec<Part> {
        let sleeves = self.ledger.sleeves.iter();
        sleeves
            .map(|(strategy, sleeve)| Part {
                strategy: strategy.clone(),
                shares: sleeve.shares_of(symbol),
            })
            .filter(|part| !part.shares.is_zero())
            .collect()
    }

    /// Scales all holders alike; the whole is scaled once, so that rounding costs nothing.
    fn split(&mut self, symbol: &Symbol, new: Shares, old: Shares) {
        let total = pro_rata(self.ledger.total(symbol), new, old);
        self.set_total(symbol, total);
        self.split.insert(symbol.clone());
    }

    /// Changes the shares of all holders of a symbol in proportion.
    fn set_total(&mut self, symbol: &Symbol, total: Shares) {
        let before = self.ledger.total(symbol);
        let mut rest = total;
        let mut first: Option<StrategyName> = None;
        for (strategy, sleeve) in &mut self.ledger.sleeves {
            if let Some(shares) = sleeve.shares.get_mut(symbol) {
                *shares = pro_rata(total, *shares, before).min(rest);
                rest = rest.minus_at_most(*shares);
                first.get_or_insert_with(|| strategy.clone());
            }
        }
        let foreign = self.ledger.foreign.get(symbol).copied().unwrap_or_default();
        let kept = pro_rata(total, foreign, before).min(rest);
        self.ledger.foreign.insert(symbol.clone(), kept);
        rest = rest.minus_at_most(kept);
        match first {
            Some(strategy) => self.ledger.credit(&strategy, symbol, rest),
            None => *self.ledger.foreign.entry(symbol.clone()).or_default() += rest,
        }
        let sleeves = self.ledger.sleeves.iter().filter(|(_, s)| s.shares.contains_key(symbol));
        let sleeves = sleeves.map(|(name, sleeve)| (Some(name.clone()), sleeve.shares_of(symbol)));
        let foreign = self.ledger.foreign.get(symbol).map(|shares| (None, *shares));
        let scaled = sleeves.chain(foreign).map(|(holder, shares)| Entry::Scaled {
            holder,
            symbol: symbol.clone(),
            shares,
        });
        self.entries.extend(scaled.collect::<Vec<_>>());
    }

    /// Sleeves plus foreign shares must be the broker's position, per asset.
    fn reconcile(&mut self, snapshot: &Snapshot) -> Result<(), LedgerError> {
        let held = snapshot.positions.iter().filter(|(_, position)| !position.shares.is_zero());
        let symbols: BTreeSet<Symbol> =
            self.ledger.symbols().into_iter().chain(held.map(|(s, _)| s.clone())).collect();
        let mut differences = Vec::new();
        for symbol in symbols {
            let position = snapshot.positions.get(&symbol);
            let actual = position.map(|position| position.shares).unwrap_or_default();
            let expected = self.ledger.total(&symbol);
            let asset = position.map(|position| &position.asset);
            let recorded = self.ledger.assets.get(&symbol);
            if actual != expected && self.is_cash_in_lieu(&symbol, expected, actual) {
                self.set_total(&symbol, actual);
            } else if actual != expected {
                differences.push(format!("{symbol} {actual}, by the ledger {expected}"));
            } else if let (Some(asset), Some(recorded)) = (asset, recorded)
                && asset != recorded
                && !expected.is_zero()
            {
                differences.push(format!("{symbol} is another asset than the ledger's"));
            }
        }
        if differences.is_empty() {
            Ok(())
        } else {
            Err(LedgerError::Mismatch(differences.join("; ")))
        }
    }

    /// After a split less than a whole share may have become cash.
    fn is_cash_in_lieu(&self, symbol: &Symbol, expected: Shares, actual: Shares) -> bool {
        let less = expected.decimal() - actual.decimal();
        self.split.contains(symbol)
            && !expected.is_zero()
            && less < Decimal::ONE
            && less >= -SPLIT_ROUNDING
    }

    /// Drops what is empty, names the assets, and keeps the ids that might be sent again.
    fn remember(&mut self, snapshot: &Snapshot) {
        self.ledger.foreign.retain(|_, shares| !shares.is_zero());
        for sleeve in self.ledger.sleeves.values_mut() {
            sleeve.shares.retain(|_, shares| !shares.is_zero());
        }
        self.ledger.name_assets(snapshot);
        let from = self.ledger.look_back();
        self.ledger.booked = snapshot
            .activities
            .iter()
            .filter(|activity| from.is_none_or(|from| activity.at >= from))
            .map(|activity| activity.id.clone())
            .collect();
    }
}

//! The ledger: shares by sleeve, and what is foreign.
//!
//! Data with the few moves that keep it whole. How it follows the broker's facts is in `fold`,
//! how a run's fills get into it in `settle`. It holds no cash and no prices on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::account::AssetId;
use crate::domain::money::{Shares, Usd, Weight};
use crate::domain::order::{ClientOrderId, Side};
use crate::domain::plan::Part;
use crate::domain::run::StrategyName;
use crate::domain::snapshot::Snapshot;
use crate::domain::symbol::Symbol;

/// Who owns which shares, as of a moment. Carried forward by broker facts only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// When the first ledger was made: whatever happened before is in its foreign shares.
    #[serde(default)]
    pub began: Option<Timestamp>,
    /// When the account was last looked at; what happened up to then was booked if it was known.
    pub booked_until: Option<Timestamp>,
    /// Ids of the activities booked since [`Ledger::look_back`], so that none counts twice.
    pub booked: BTreeSet<String>,
    /// Sleeves by strategy, those given up included while they hold shares.
    pub sleeves: BTreeMap<StrategyName, Sleeve>,
    /// Shares of the account that belong to no sleeve.
    pub foreign: BTreeMap<Symbol, Shares>,
    /// Asset ids of every symbol named above: a rename follows them.
    pub assets: BTreeMap<Symbol, AssetId>,
    /// Symbols whose foreign shares were adopted once already.
    pub adopted: BTreeSet<Symbol>,
    /// True while nobody has said what becomes of the shares found at the first run.
    #[serde(default)]
    pub adopt_undecided: bool,
    /// Symbols whose unsellable rest was shown to the operator already.
    #[serde(default)]
    pub dust: BTreeSet<Symbol>,
    /// Ids of the operator's instructions that were booked, so that none counts twice.
    #[serde(default)]
    pub instructed: BTreeSet<String>,
    /// Orders of ours whose end was not seen when the ledger was written, by client order id.
    pub unsettled: BTreeMap<ClientOrderId, Unsettled>,
}

/// An order of ours that may still be executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsettled {
    /// Ticker.
    pub symbol: Symbol,
    /// Side.
    pub side: Side,
    /// Executed shares that the sleeves already show.
    pub booked: Shares,
    /// Money exchanged for those.
    #[serde(default)]
    pub amount: Usd,
    /// What each sleeve would get or give if the rest of it were executed as well.
    pub parts: Vec<Part>,
}

/// One strategy's shares and its last rebalance.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sleeve {
    /// Shares by symbol; none is zero.
    pub shares: BTreeMap<Symbol, Shares>,
    /// Its last rebalance, if it ever had one.
    pub last: Option<LastRebalance>,
    /// True when its shares were moved by hand and it has not yet been held for one run.
    pub touched: bool,
}

/// What a sleeve's last rebalance looked like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRebalance {
    /// Session in which it was last due and attempted.
    pub session: Date,
    /// Session in which it was last finished.
    pub finished: Option<Date>,
    /// Sessions in a row in which it was due and not finished.
    pub unfinished: u8,
    /// Its allocation then.
    pub allocation: Weight,
    /// SHA-256 of the strategy's text then.
    pub strategy_hash: String,
    /// Symbols its signal named then.
    pub named: BTreeSet<Symbol>,
}

/// Entries of the account may be booked some days after the date they carry, and the list of
/// executions may lag; a week covers both with a holiday in between.
const LOOK_BACK: Duration = Duration::from_hours(7 * 24);

impl Ledger {
    /// From when activities and orders have to be read to carry this ledger forward; `None` for
    /// a ledger that never saw the account.
    pub fn look_back(&self) -> Option<Timestamp> {
        let earliest = self.booked_until?.checked_sub(LOOK_BACK).ok()?;
        Some(self.began.map_or(earliest, |began| began.max(earliest)))
    }

    /// Shares of a symbol owned by all sleeves together.
    pub fn owned(&self, symbol: &Symbol) -> Shares {
        self.sleeves.values().map(|sleeve| sleeve.shares_of(symbol)).sum()
    }

    /// Shares of a symbol owned by all sleeves and nobody.
    pub fn total(&self, symbol: &Symbol) -> Shares {
        self.owned(symbol) + self.foreign.get(symbol).copied().unwrap_or_default()
    }

    /// Gives a sleeve shares.
    pub(in crate::domain) fn credit(
        &mut self,
        strategy: &StrategyName,
        symbol: &Symbol,
        shares: Shares,
    ) {
        if !shares.is_zero() {
            let sleeve = self.sleeves.entry(strategy.clone()).or_default();
            *sleeve.shares.entry(symbol.clone()).or_default() += shares;
        }
    }

    /// Takes shares from a sleeve; `None`, and nothing taken, when it owns fewer.
    pub(in crate::domain) fn debit(
        &mut self,
        strategy: &StrategyName,
        symbol: &Symbol,
        shares: Shares,
    ) -> Option<()> {
        let sleeve = self.sleeves.get_mut(strategy)?;
        let left = sleeve.shares_of(symbol).minus(shares)?;
        if left.is_zero() {
            sleeve.shares.remove(symbol);
        } else {
            sleeve.shares.insert(symbol.clone(), left);
        }
        Some(())
    }

    /// Notes the asset id of every symbol it names, as far as the broker says, and drops others.
    pub(in crate::domain) fn name_assets(&mut self, snapshot: &Snapshot) {
        let mut assets = BTreeMap::new();
        let unsettled = self.unsettled.values().map(|order| order.symbol.clone());
        for symbol in self.symbols().into_iter().chain(unsettled) {
            let position = snapshot.positions.get(&symbol).map(|position| &position.asset);
            let asset = snapshot.assets.get(&symbol).map(|asset| &asset.id);
            let id = position.or(asset).or_else(|| self.assets.get(&symbol)).cloned();
            if let Some(id) = id {
                assets.insert(symbol, id);
            }
        }
        self.assets = assets;
    }

    /// Every symbol that a sleeve or nobody owns shares of.
    pub fn symbols(&self) -> BTreeSet<Symbol> {
        let owned = self.sleeves.values().flat_map(|sleeve| sleeve.shares.keys());
        owned.chain(self.foreign.keys()).cloned().collect()
    }
}

impl Sleeve {
    /// Shares of a symbol it owns.
    pub fn shares_of(&self, symbol: &Symbol) -> Shares {
        self.shares.get(symbol).copied().unwrap_or_default()
    }
}

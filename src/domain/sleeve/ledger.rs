//! The ledger: shares by sleeve, and what is foreign.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::account::AssetId;
use crate::domain::money::{Shares, Weight};
use crate::domain::order::{ClientOrderId, Side};
use crate::domain::plan::Part;
use crate::domain::run::StrategyName;
use crate::domain::symbol::Symbol;

/// Who owns which shares, as of a moment. Carried forward by broker facts only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Everything up to here is booked: activities at or before it are not booked again.
    pub booked_until: Option<Timestamp>,
    /// Ids of activities booked at exactly that moment or later, so that none counts twice.
    pub booked: BTreeSet<String>,
    /// Sleeves by strategy, those given up included while they hold shares.
    pub sleeves: BTreeMap<StrategyName, Sleeve>,
    /// Shares of the account that belong to no sleeve.
    pub foreign: BTreeMap<Symbol, Shares>,
    /// Asset ids of every symbol named above: a rename follows them.
    pub assets: BTreeMap<Symbol, AssetId>,
    /// Symbols whose foreign shares were adopted once already.
    pub adopted: BTreeSet<Symbol>,
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
    /// The sleeves it was for.
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

impl Ledger {
    /// Shares of a symbol owned by all sleeves together.
    pub fn owned(&self, symbol: &Symbol) -> Shares {
        self.sleeves.values().map(|sleeve| sleeve.shares_of(symbol)).sum()
    }

    /// Shares of a symbol owned by all sleeves and nobody.
    pub fn total(&self, symbol: &Symbol) -> Shares {
        self.owned(symbol) + self.foreign.get(symbol).copied().unwrap_or_default()
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

//! The rebalance plan: the immutable contract between deciding and acting.
//!
//! A plan says what will be traded and why; it is stored before the first order leaves, and a
//! resumed run continues from the stored bytes. The buy plan is made once, after the sells.

pub mod draft;
pub mod fund;
pub mod listing;
pub mod size;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::hash::sha256_hex;
use crate::domain::market::UnusableQuote;
use crate::domain::money::{Price, Shares, Usd, Weight};
use crate::domain::order::Side;
use crate::domain::run::{RunKey, StrategyName};
use crate::domain::session::Session;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::symbol::Symbol;

/// What a run intends to trade. Made by `draft`, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebalancePlan {
    /// The run it belongs to.
    pub key: RunKey,
    /// The session it trades in.
    pub session: Session,
    /// When it was drafted: the snapshot's moment.
    pub drafted_at: Timestamp,
    /// No order of it may be submitted from here on.
    pub valid_until: Timestamp,
    /// The money it was made from.
    pub capital: Capital,
    /// The sleeves, in the policy's order.
    pub sleeves: Vec<SleevePlan>,
    /// One item per symbol that any sleeve holds or wants, by symbol.
    pub items: Vec<PlanItem>,
    /// Shares that pass between sleeves without an order, at the reference price.
    pub crossings: Vec<Crossing>,
    /// Symbols that due sleeves wanted on both sides.
    pub conflicts: Vec<Conflict>,
    /// The ledger with the crossings booked: what the orders' fills are added to.
    pub ledger: Ledger,
    /// SHA-256 of the policy, hexadecimal.
    pub policy_hash: String,
}

/// The money a plan was made from, all at the plan's reference prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capital {
    /// The broker's cash.
    pub cash: Usd,
    /// What foreign open buys may still spend.
    pub foreign_open_buys: Usd,
    /// Value of all sleeves' shares.
    pub sleeves: Usd,
    /// Value of foreign shares; not counted in the equity.
    pub foreign: Usd,
    /// The broker's own equity figure, for comparison.
    pub broker_equity: Usd,
    /// E: cash less foreign open buys plus sleeves, at most the capital limit.
    pub equity: Usd,
    /// R: what stays cash.
    pub reserve: Usd,
    /// D: equity less reserve.
    pub deployable: Usd,
    /// H: value of the held sleeves.
    pub held: Usd,
    /// k: the factor by which due sleeves shrink because held ones take more than their share.
    pub scale: Decimal,
    /// What the strategies would have invested: held sleeves as they are, due ones as they wish.
    #[serde(default)]
    pub asked: Usd,
    /// m: the smallest resize worth an order.
    pub resize_min: Usd,
}

/// One strategy's sleeve in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SleevePlan {
    /// The strategy.
    pub strategy: StrategyName,
    /// Its fraction of the deployable capital; zero for sleeves that are being given up.
    pub allocation: Weight,
    /// Whether it trades today, and why.
    pub state: SleeveState,
    /// k × C for a due sleeve, C for a held one.
    pub capital: Usd,
    /// Value of its shares before the run.
    pub value: Usd,
    /// Shares it wants of each symbol once the plan is done; empty for a held sleeve.
    pub wants: BTreeMap<Symbol, Shares>,
    /// Symbols whose change has to wait: blocked today, or the less sure side of a conflict.
    #[serde(default)]
    pub waiting: BTreeSet<Symbol>,
    /// SHA-256 of the strategy's text.
    pub strategy_hash: String,
}

/// Whether a sleeve trades today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "why")]
pub enum SleeveState {
    /// Its orders are part of the plan.
    Due(DueReason),
    /// No order comes from it.
    Held(HeldReason),
}

/// Why a sleeve is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DueReason {
    /// The strategy trades every session.
    EverySession,
    /// The first session of a new period.
    NewPeriod,
    /// It has never been rebalanced.
    FirstTime,
    /// The signal names a symbol its last rebalance did not.
    NewSymbol(Symbol),
    /// It holds a symbol the signal does not name.
    Leftover(Symbol),
    /// A weight is further from its target than the threshold.
    Drift(Symbol),
    /// Its allocation changed.
    AllocationChanged,
    /// The strategy's text changed.
    StrategyChanged,
    /// Its last rebalance was not finished.
    Unfinished,
    /// It has no allocation: its shares are passed on or sold.
    GivenUp,
}

/// Why a sleeve is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldReason {
    /// Nothing calls for a rebalance today.
    NotDue,
    /// The strategy has no signal.
    Failed,
    /// Its shares were moved by hand since the last run.
    TouchedByHand,
}

/// One symbol in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanItem {
    /// Ticker.
    pub symbol: Symbol,
    /// What is done with it.
    pub action: Action,
    /// Whether fractions of it may be ordered.
    pub fractionable: bool,
    /// Price it was sized at; `None` only when no price is known at all.
    pub reference: Option<Price>,
    /// Half the spread as a fraction of the price, when there is a usable quote.
    pub half_spread: Option<Decimal>,
    /// The order as a fraction of the median day's volume, when volumes are known.
    pub volume_share: Option<Decimal>,
    /// Shares held by all sleeves before the run.
    pub held: Shares,
    /// Shares wanted by all sleeves after it.
    pub wanted: Shares,
    /// Why, in one sentence.
    pub reason: String,
    /// The sleeves it is for, with the shares each gives or gets.
    pub parts: Vec<Part>,
}

/// What is done with a symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do", content = "detail")]
pub enum Action {
    /// Nothing, because nothing is wanted.
    Hold(HoldReason),
    /// Nothing, although something was wanted.
    Skip(SkipReason),
    /// Sell this many shares.
    Sell(Shares),
    /// Buy about this many; the buy plan decides after the sells.
    Buy(Shares),
}

/// Why a symbol needs no order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldReason {
    /// It is where it should be.
    OnTarget,
    /// The wish is smaller than the smallest resize.
    BelowResize,
    /// The sleeves that hold it are held.
    SleeveHeld,
    /// All of it passed between sleeves.
    Crossed,
    /// The less sure side of a conflict waits.
    Conflict,
}

/// Why a wanted order is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipReason {
    /// No price to trade on.
    UnusableQuote(UnusableQuote),
    /// The broker does not trade it.
    NotTradable,
    /// Its price jumped as in a split that no corporate action confirms.
    SplitSuspect,
    /// Somebody else's order is open in it.
    ForeignOrder,
    /// The order would be below the smallest one.
    BelowMinimum,
    /// Less than one whole share of an asset that trades whole.
    WholeShares,
    /// What is left cannot be sold.
    Dust,
    /// The budget left nothing for it.
    Budget,
}

/// A sleeve's part of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The sleeve.
    pub strategy: StrategyName,
    /// Shares it gives or gets.
    pub shares: Shares,
}

/// Shares that pass between two sleeves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    /// Ticker.
    pub symbol: Symbol,
    /// Giving sleeve.
    pub from: StrategyName,
    /// Receiving sleeve.
    pub to: StrategyName,
    /// Shares.
    pub shares: Shares,
    /// The plan's reference price.
    pub price: Price,
}

/// A symbol that due sleeves wanted on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Ticker.
    pub symbol: Symbol,
    /// Sleeves that wanted to sell.
    pub sellers: Vec<Part>,
    /// Sleeves that wanted to buy.
    pub buyers: Vec<Part>,
    /// What was done, in one sentence.
    pub outcome: String,
}

/// What will be bought: a pure function of the plan, the sells' outcome and the cash after them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuyPlan {
    /// Cash the broker showed after the sells, the smaller of read and worked out.
    pub cash: Usd,
    /// R of the plan.
    pub reserve: Usd,
    /// The buys, by symbol.
    pub items: Vec<BuyItem>,
    /// What the plan wanted and the money did not allow.
    pub cuts: Vec<Cut>,
}

/// One buy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuyItem {
    /// Ticker.
    pub symbol: Symbol,
    /// Shares to buy.
    pub shares: Shares,
    /// The plan's reference price.
    pub reference: Price,
    /// No attempt may pay more than this.
    pub worst_limit: Price,
    /// The sleeves it is for.
    pub parts: Vec<Part>,
}

/// A buy made smaller or dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Ticker.
    pub symbol: Symbol,
    /// Shares the plan wanted.
    pub wanted: Shares,
    /// Shares the buy plan allows.
    pub allowed: Shares,
    /// Why, in a few words.
    pub reason: String,
}

impl PlanItem {
    /// Side and size of its order, if it has one.
    pub const fn order(&self) -> Option<(Side, Shares)> {
        match &self.action {
            Action::Sell(shares) => Some((Side::Sell, *shares)),
            Action::Buy(shares) => Some((Side::Buy, *shares)),
            Action::Hold(_) | Action::Skip(_) => None,
        }
    }
}

impl BuyPlan {
    /// What to buy of each symbol.
    pub fn orders(&self) -> Vec<(Symbol, Shares)> {
        self.items.iter().map(|item| (item.symbol.clone(), item.shares)).collect()
    }
}

impl RebalancePlan {
    /// SHA-256 of the plan in its stored form, hexadecimal.
    ///
    /// # Panics
    /// Never: a plan always serialises.
    pub fn hash(&self) -> String {
        sha256_hex(&serde_json::to_vec(self).expect("a plan serialises"))
    }

    /// The items with an order on one side.
    pub fn orders(&self, side: Side) -> impl Iterator<Item = (&PlanItem, Shares)> {
        self.items.iter().filter_map(move |item| match item.order() {
            Some((item_side, shares)) if item_side == side => Some((item, shares)),
            _ => None,
        })
    }

    /// Value of the orders on one side, at the plan's reference prices.
    pub fn value(&self, side: Side) -> Usd {
        self.orders(side)
            .filter_map(|(item, shares)| item.reference.map(|price| shares * price))
            .sum()
    }

    /// Shares of a symbol that a sleeve owned before the crossings were booked.
    pub fn owned_before(&self, strategy: &StrategyName, symbol: &Symbol) -> Shares {
        let crossed = |end: fn(&Crossing) -> &StrategyName| -> Shares {
            let here = self.crossings.iter().filter(|crossing| crossing.symbol == *symbol);
            here.filter(|crossing| end(crossing) == strategy).map(|crossing| crossing.shares).sum()
        };
        let after = self.ledger.sleeves.get(strategy).map(|sleeve| sleeve.shares_of(symbol));
        (after.unwrap_or_default() + crossed(|crossing| &crossing.from))
            .minus_at_most(crossed(|crossing| &crossing.to))
    }

    /// The item of a symbol.
    pub fn item(&self, symbol: &Symbol) -> Option<&PlanItem> {
        self.items.iter().find(|item| item.symbol == *symbol)
    }
}

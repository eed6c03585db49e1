//! What a strategy is, and what it says: target weights with the path that led to them.
//!
//! A strategy sees closes and nothing else: not the account, not its sleeve, not a clock. It
//! cannot size, order or remember; that is what makes it replaceable and its past repeatable.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::market::Histories;
use crate::domain::money::Weight;
use crate::domain::run::StrategyName;
use crate::domain::symbol::Symbol;
use crate::domain::symphony::outline::Drawing;
use crate::domain::symphony::trace::Trace;

/// The door for any kind of strategy: closes in, weights out, nothing else.
pub trait StrategyEngine: Send + Sync {
    /// Name of the strategy and of its sleeve.
    fn name(&self) -> &StrategyName;

    /// What it may look at and what it may name.
    fn needs(&self) -> &Needs;

    /// Target weights on the closes up to and including `as_of`.
    ///
    /// Must be pure: the same histories give the same signal, byte for byte.
    ///
    /// # Errors
    /// [`StrategyError`] when a value that the taken path or a ranking needs cannot be computed;
    /// never a neutral default.
    fn evaluate(&self, market: &Histories, as_of: Date) -> Result<Signal, StrategyError>;

    /// [`StrategyEngine::evaluate`], with what would turn each decision in the trace where the
    /// strategy can tell. The same weights.
    ///
    /// # Errors
    /// As [`StrategyEngine::evaluate`].
    fn explain(&self, market: &Histories, as_of: Date) -> Result<Signal, StrategyError> {
        self.evaluate(market, as_of)
    }

    /// All that the strategy could do, with the way that [`StrategyEngine::evaluate`] takes through
    /// it; `None` where it has no tree to show.
    fn drawing(&self, _market: &Histories, _as_of: Date) -> Option<Drawing> {
        None
    }
}

/// What a strategy looks at and what it may hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Needs {
    /// Closes wanted of each symbol it looks at or may hold.
    pub closes: BTreeMap<Symbol, usize>,
    /// Symbols it may give weight to.
    pub nameable: BTreeSet<Symbol>,
    /// When it wants to trade.
    pub rebalance: Rebalance,
    /// SHA-256 of the strategy's text, hexadecimal.
    pub hash: String,
}

/// When a strategy's sleeve is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rebalance {
    /// Every session.
    #[default]
    Daily,
    /// First session of the week, Monday to Sunday.
    Weekly,
    /// First session of the month.
    Monthly,
    /// First session of the quarter.
    Quarterly,
    /// First session of the year.
    Yearly,
    /// When a weight is further than this from its target, or the set of holdings changes.
    Threshold(Weight),
}

/// What a strategy wants to hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Name of the strategy.
    pub strategy: StrategyName,
    /// Last session whose closes were used.
    pub as_of: Date,
    /// Target weights in the order the strategy lists them; none is zero, none repeats.
    pub weights: Vec<(Symbol, Weight)>,
    /// Weight of explicit cash; with the weights it sums to exactly 1.
    pub cash: Weight,
    /// Every condition and ranking that was visited.
    pub trace: Trace,
    /// Smallest normalised margin on the path, 0 to 1; `None` when nothing was compared.
    pub confidence: Option<f64>,
}

/// Why a strategy has no signal today.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum StrategyError {
    /// A symbol has no history at all.
    #[error("no closes for {symbol}")]
    NoHistory {
        /// The symbol.
        symbol: Symbol,
    },
    /// A symbol's history is shorter than a window needs.
    #[error("too few closes for {symbol}: {what} needs {needed}, have {have}")]
    TooShort {
        /// The symbol, or a title for a ranked group.
        symbol: String,
        /// The function and its window.
        what: String,
        /// Closes or returns needed.
        needed: usize,
        /// Closes or returns there are.
        have: usize,
    },
    /// A symbol's last close is not the expected session's.
    #[error("stale closes for {symbol}: last {last}, expected {expected}")]
    Stale {
        /// The symbol.
        symbol: Symbol,
        /// Day of its last bar.
        last: Date,
        /// The session expected.
        expected: Date,
    },
    /// A value is not a finite number.
    #[error("not a finite value: {what} of {symbol}")]
    NotFinite {
        /// The symbol, or a title for a ranked group.
        symbol: String,
        /// The function and its window.
        what: String,
    },
    /// The step budget ran out.
    #[error("evaluation stopped after {steps} steps")]
    Timeout {
        /// Steps spent.
        steps: u64,
    },
    /// The tree gave no weights.
    #[error("empty signal")]
    Empty,
    /// The weights are not weights.
    #[error("invalid weights: {reason}")]
    InvalidWeights {
        /// What is wrong with them.
        reason: String,
    },
    /// The strategy's text could not be read.
    #[error("{reason}")]
    Unreadable {
        /// The reader's message with its place.
        reason: String,
    },
}

/// A strategy's result in a run: a signal, or the reason why its sleeve is held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StrategyOutcome {
    /// Name of the strategy.
    pub strategy: StrategyName,
    /// SHA-256 of its text, hexadecimal; empty when it could not be read.
    pub hash: String,
    /// The signal or the failure.
    pub result: Result<Signal, StrategyError>,
}

/// A strategy at its place in the policy: its sleeve's allocation and the engine that fills it.
pub struct StrategySlot {
    /// Name of the strategy and of its sleeve.
    pub name: StrategyName,
    /// Fraction of the deployable capital.
    pub allocation: Weight,
    /// The engine, or why there is none.
    pub engine: Result<Box<dyn StrategyEngine>, StrategyError>,
}

impl Signal {
    /// The weight of a symbol; nothing when it is not named.
    pub fn weight_of(&self, symbol: &Symbol) -> Weight {
        self.weights
            .iter()
            .find(|(named, _)| named == symbol)
            .map_or(Weight::ZERO, |(_, weight)| *weight)
    }

    /// The symbols it names.
    pub fn symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.weights.iter().map(|(symbol, _)| symbol)
    }
}

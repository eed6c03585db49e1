//! Why a value is not known: small enough to be made and dropped on the way, since the start of every
//! portfolio's history is found by running into it. Words are found at the end, for the one that
//! stays.

use crate::domain::strategy::StrategyError;
use crate::domain::symphony::study::{STEPS_MAX, Study};
use crate::domain::symphony::tree::{SeriesId, SymbolId};

/// Longest account of why a portfolio's history breaks off.
const CAUSE_LENGTH_MAX: usize = 200;

/// Why a value is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The budget is spent.
    Spent,
    /// A close or a number is missing.
    Missing(Missing),
    /// A portfolio has fewer returns than its measure needs, as far as `have` sessions before one.
    Broken { series: SeriesId, session: usize, have: usize, by: Option<Missing> },
}

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// A symbol's bar of a session.
    Bar(SymbolId, usize),
    /// Closes for an indicator.
    Closes { series: SeriesId, have: usize },
    /// A finite number; of the inverse where that was asked.
    Number { series: SeriesId, is_inverse: bool },
}

impl Fault {
    /// What is missing at the bottom of it.
    pub(crate) const fn missing(self) -> Option<Missing> {
        match self {
            Self::Spent => None,
            Self::Missing(missing) => Some(missing),
            Self::Broken { by, .. } => by,
        }
    }
}

impl Study<'_> {
    /// A fault in words.
    pub(crate) fn say(&self, fault: Fault) -> StrategyError {
        match fault {
            Fault::Spent => StrategyError::Timeout { steps: STEPS_MAX },
            Fault::Missing(missing) => self.say_missing(missing),
            Fault::Broken { series, session, have, by } => {
                let series = self.tree.series(series);
                let words = series.measure.words();
                let what = match by {
                    Some(missing) => {
                        let date = self.board.date(session.saturating_sub(have));
                        let cause = self.say_missing(missing);
                        let account = format!("{words} (no return on {date}: {cause})");
                        account.chars().take(CAUSE_LENGTH_MAX).collect()
                    }
                    None => words,
                };
                let symbol = self.tree.measured(series.of);
                StrategyError::TooShort {
                    symbol,
                    what,
                    needed: series.measure.returns_needed(),
                    have,
                }
            }
        }
    }

    fn say_missing(&self, missing: Missing) -> StrategyError {
        match missing {
            Missing::Bar(symbol, session) => self.board.absence(symbol, session),
            Missing::Closes { series, have } => {
                let series = self.tree.series(series);
                StrategyError::TooShort {
                    symbol: self.tree.measured(series.of),
                    what: series.measure.words(),
                    needed: series.measure.closes_needed(),
                    have,
                }
            }
            Missing::Number { series, is_inverse } => {
                let series = self.tree.series(series);
                let prefix = if is_inverse { "inverse of " } else { "" };
                StrategyError::NotFinite {
                    symbol: self.tree.measured(series.of),
                    what: format!("{prefix}{}", series.measure.words()),
                }
            }
        }
    }
}

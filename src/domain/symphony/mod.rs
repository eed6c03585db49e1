//! The strategy language: text to tree, tree to weights, and the trace of how.
//!
//! In reading order: `form` (brackets and words), `read` (forms to a tree), `tree`, `function`
//! (the indicators), `needs` (how much history), `board` (closes side by side), `study` (values
//! on demand), `evaluate` (today's walk), [`trace`].

mod board;
mod evaluate;
pub mod form;
pub mod function;
mod needs;
mod read;
mod study;
pub mod trace;
mod tree;

use std::fmt;

use jiff::civil::Date;

use crate::domain::market::Histories;
use crate::domain::run::StrategyName;
use crate::domain::strategy::{Needs, Signal, StrategyEngine, StrategyError};
use crate::domain::symphony::form::ReadError;
use crate::domain::symphony::tree::Tree;

pub use crate::domain::symphony::study::STEPS_MAX;

/// A strategy written in the symphony language.
pub struct SymphonyEngine {
    name: StrategyName,
    tree: Tree,
    looks_back: bool,
    needs: Needs,
}

impl SymphonyEngine {
    /// Reads a symphony's text.
    ///
    /// # Errors
    /// [`ReadError`] with line and column, what was expected there and what was found.
    ///
    /// ```
    /// use alchemiser::domain::{run::StrategyName, symphony::SymphonyEngine};
    /// let text = r#"(defsymphony "Calm" {:rebalance-frequency :daily}
    ///   (weight-equal [(if (> (rsi "SPY" {:windw 10}) 79) [(asset "BIL")] [(asset "SPY")])]))"#;
    /// let error = SymphonyEngine::read(StrategyName::parse("calm")?, text).unwrap_err();
    /// let said = "line 2, column 34: expected a window such as {:window 10}, found {:windw 10}";
    /// assert_eq!(error.to_string(), said);
    /// # Ok::<(), alchemiser::domain::run::NameError>(())
    /// ```
    pub fn read(name: StrategyName, text: &str) -> Result<Self, ReadError> {
        let tree = read::read(text)?;
        let needs = needs::of(&tree, text);
        Ok(Self { name, looks_back: needs::looks_back(&tree), tree, needs })
    }

    /// The title that the text gives it.
    pub fn title(&self) -> &str {
        &self.tree.title
    }

    /// How many distinct parts it has, identical ones counted once.
    pub fn size(&self) -> usize {
        self.tree.nodes.len()
    }
}

impl fmt::Debug for SymphonyEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SymphonyEngine({}, {} nodes)", self.name, self.size())
    }
}

impl StrategyEngine for SymphonyEngine {
    fn name(&self) -> &StrategyName {
        &self.name
    }

    fn needs(&self) -> &Needs {
        &self.needs
    }

    fn evaluate(&self, market: &Histories, as_of: Date) -> Result<Signal, StrategyError> {
        let decision = evaluate::evaluate(&self.tree, self.looks_back, market, as_of)?;
        Ok(Signal {
            strategy: self.name.clone(),
            as_of,
            weights: decision.weights,
            cash: decision.cash,
            confidence: decision.trace.confidence(),
            trace: decision.trace,
        })
    }
}

//! Decisions without their paths: for many days, or many times.

use jiff::civil::Date;

use crate::domain::market::Histories;
use crate::domain::money::Weight;
use crate::domain::strategy::StrategyError;
use crate::domain::symbol::Symbol;
use crate::domain::symphony::SymphonyEngine;
use crate::domain::symphony::evaluate::walk;
use crate::domain::symphony::parts::Parts;
use crate::domain::symphony::study::{self, Study};
use crate::domain::symphony::tree::SymbolId;

/// Working memory of decisions: kept from one to the next, of whichever strategy, it spares them
/// every allocation.
#[derive(Debug, Default)]
pub struct Scratch {
    study: study::Scratch,
    parts: Parts,
    /// The parts whose weights are known.
    before: Parts,
    weights: Vec<(SymbolId, Weight)>,
}

/// What a strategy wants to hold, without how it came to that.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'d> {
    symbols: &'d [Symbol],
    weights: &'d [(SymbolId, Weight)],
    cash: Weight,
}

impl<'d> Decided<'d> {
    /// Symbols in the order they were first reached, none with a weight of zero.
    pub fn weights(&self) -> impl Iterator<Item = (&'d Symbol, Weight)> {
        let symbols = self.symbols;
        self.weights.iter().map(move |(symbol, weight)| (&symbols[symbol.index()], *weight))
    }

    /// What is left: with the weights it sums to exactly 1.
    pub const fn cash(&self) -> Weight {
        self.cash
    }
}

impl SymphonyEngine {
    /// What [`crate::domain::strategy::StrategyEngine::evaluate`] would name, in memory that is used
    /// again.
    ///
    /// # Errors
    /// The same.
    pub fn decide<'s>(
        &'s self,
        market: &Histories,
        as_of: Date,
        scratch: &'s mut Scratch,
    ) -> Result<Decided<'s>, StrategyError> {
        let mut study = Study::new(&self.tree, (market, as_of), false, &mut scratch.study);
        let walked = walk(&mut study, None, &mut scratch.parts, None);
        study.end();
        walked?;
        let cash = scratch.parts.settle(&mut scratch.weights)?;
        Ok(Decided { symbols: &self.tree.symbols, weights: &scratch.weights, cash })
    }

    /// [`SymphonyEngine::decide`] on each of some days, oldest first: what an earlier one has worked
    /// out is not worked out again.
    ///
    /// A day has the whole budget of steps to itself.
    pub fn decide_each(
        &self,
        market: &Histories,
        days: &[Date],
        scratch: &mut Scratch,
        mut visit: impl FnMut(Date, Result<Decided<'_>, StrategyError>),
    ) {
        let Some(last) = days.last() else { return };
        let Scratch { study, parts, before, weights } = scratch;
        let mut study = Study::new(&self.tree, (market, *last), true, study);
        let mut known: Option<Weight> = None;
        let mut passed = 0;
        for day in days {
            let later = study.sessions().get(passed..).unwrap_or_default();
            passed += later.iter().position(|session| session >= day).unwrap_or(later.len());
            let Some(session) = study.sessions().get(passed).filter(|s| *s == day).map(|_| passed)
            else {
                // None of its symbols traded: whatever is needed is missing.
                visit(*day, self.decide(market, *day, &mut Scratch::default()));
                continue;
            };
            let walked = walk(&mut study, Some(session), parts, None);
            let decided = walked.and_then(|_| match known.filter(|_| parts.same(before)) {
                Some(cash) => Ok(cash),
                None => parts.settle(weights),
            });
            known = decided.as_ref().ok().copied();
            std::mem::swap(parts, before);
            let symbols = &self.tree.symbols;
            visit(*day, decided.map(|cash| Decided { symbols, weights, cash }));
        }
        study.end();
    }
}

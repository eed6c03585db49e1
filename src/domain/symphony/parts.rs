//! What a walk hands out: parts of the whole, and the exact weights they become.

use rust_decimal::Decimal;

use crate::domain::money::Weight;
use crate::domain::strategy::StrategyError;
use crate::domain::symphony::tree::SymbolId;

/// How far the parts may sum away from the whole by float noise.
const SUM_TOLERANCE: f64 = 1e-9;

/// Parts of the whole by symbol.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Symbols in the order they were first reached, each with the sum of its parts.
    listed: Vec<(SymbolId, f64)>,
    place_of: Vec<Option<usize>>,
    cash: f64,
}

impl Parts {
    /// Nothing yet of so many symbols.
    pub(crate) fn clear(&mut self, symbols: usize) {
        for (symbol, _) in self.listed.drain(..) {
            self.place_of[symbol.index()] = None;
        }
        self.place_of.resize(symbols.max(self.place_of.len()), None);
        self.cash = 0.0;
    }

    /// Whether both hand out the same.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.listed == other.listed && self.cash.to_bits() == other.cash.to_bits()
    }

    /// Gives a part to a symbol.
    pub(crate) fn hold(&mut self, symbol: SymbolId, part: f64) {
        let place = *self.place_of[symbol.index()].get_or_insert(self.listed.len());
        match self.listed.get_mut(place) {
            Some((_, sum)) => *sum += part,
            None => self.listed.push((symbol, part)),
        }
    }

    /// Leaves a part as cash.
    pub(crate) fn leave(&mut self, part: f64) {
        self.cash += part;
    }

    /// The part of a symbol.
    pub(crate) fn of(&self, symbol: SymbolId) -> f64 {
        self.place_of[symbol.index()].map_or(0.0, |place| self.listed[place].1)
    }

    /// Symbols that have a part, in the order they were first reached.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = SymbolId> {
        self.listed.iter().map(|(symbol, _)| *symbol)
    }

    /// Parts as weights: rounded down to nine decimals, the remainder to the first listed, nothing
    /// that is zero; with the cash, which is the answer, they sum to exactly 1.
    pub(crate) fn settle(
        &self,
        weights: &mut Vec<(SymbolId, Weight)>,
    ) -> Result<Weight, StrategyError> {
        let invalid = |reason: String| StrategyError::InvalidWeights { reason };
        weights.clear();
        let sum = self.listed.iter().map(|(_, part)| part).sum::<f64>() + self.cash;
        // Written so that NaN is refused as well.
        if (sum - 1.0).abs().partial_cmp(&SUM_TOLERANCE).is_none_or(std::cmp::Ordering::is_gt) {
            return Err(invalid(format!("the parts sum to {sum}")));
        }
        let weight =
            |part: f64| Weight::from_ratio(part).map_err(|error| invalid(error.to_string()));
        let cash = weight(self.cash)?;
        let mut left = cash.complement().decimal();
        for (symbol, part) in &self.listed {
            let weight = weight(*part)?;
            if !weight.is_zero() {
                left -= weight.decimal();
                weights.push((*symbol, weight));
            }
        }
        let Some((_, first)) = weights.first_mut() else { return Err(StrategyError::Empty) };
        if left < Decimal::ZERO {
            return Err(invalid(format!("the weights exceed 1 by {}", -left)));
        }
        *first = Weight::new(first.decimal() + left).map_err(|error| invalid(error.to_string()))?;
        Ok(cash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::symphony::read::read;

    #[test]
    fn parts_that_do_not_make_a_whole_are_refused() {
        let tree = read("(defsymphony \"t\" {} (asset \"A\"))").unwrap();
        let crate::domain::symphony::tree::Node::Asset(symbol) = tree.node(tree.root) else {
            panic!("an asset")
        };
        let settled = |part, cash| {
            let (mut parts, mut weights) = (Parts::default(), Vec::new());
            parts.clear(1);
            parts.hold(*symbol, part);
            parts.leave(cash);
            parts.settle(&mut weights).map(|cash| (weights[0].1.to_string(), cash.to_string()))
        };
        for (part, cash) in [(0.5, 0.0), (f64::NAN, 0.0), (0.9, 0.2), (-0.5, 1.5)] {
            let settled = settled(part, cash);
            assert!(matches!(settled, Err(StrategyError::InvalidWeights { .. })), "{part} {cash}");
        }
        assert_eq!(settled(0.75, 0.25), Ok(("0.75".into(), "0.25".into())));
    }
}

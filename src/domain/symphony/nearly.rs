//! Comparisons on many days, by values that are nearly right.
//!
//! An average of prices over a window is summed afresh for each day, so that it is the same whichever
//! day is asked first. Where two hundred prices are added up only to be far from the other side of a
//! comparison, the window that rolls on from the day before says the same: its values are within a
//! billionth. Only where both sides are nearer than a millionth does the sum itself decide, so no
//! answer is ever another.

use crate::domain::symphony::condition::{Comparison, Operand};
use crate::domain::symphony::function::Function;
use crate::domain::symphony::study::{Known, Study, run_through};
use crate::domain::symphony::tree::{Measured, SeriesId};

/// Share of the larger side up to which two sides are too near for values that are nearly right.
const NEAR: f64 = 1e-6;

impl Study<'_> {
    /// Whether a comparison holds at the close of a session.
    #[inline]
    pub(super) fn compare(&mut self, test: Comparison, session: usize) -> Known<bool> {
        let left = self.nearly(test.left, session)?;
        let right = match test.right {
            Operand::Number(constant) => constant.value(),
            Operand::Series(series) => self.nearly(series, session)?,
        };
        if (left - right).abs() > NEAR * left.abs().max(right.abs()) {
            return Ok(test.relation.holds(left, right));
        }
        Ok(self.test(test, session)?.holds)
    }

    /// [`Study::value`] to a billionth.
    #[inline]
    fn nearly(&mut self, id: SeriesId, session: usize) -> Known<f64> {
        let series = self.tree.series(id);
        if let Measured::Closes(symbol) = series.of
            && series.measure.function.rolls()
            && self.in_turn
        {
            let bar = self.board.bar(symbol, session)?;
            if self.scratch.nearly[id.index()].is_empty() {
                let closes = self.board.closes(symbol);
                self.spend(closes.len())?;
                run_through(series.measure, closes, &mut self.scratch.nearly[id.index()]);
            }
            let value = self.scratch.nearly[id.index()][bar];
            if value.is_finite() {
                return Ok(value);
            }
        }
        self.value(id, session)
    }
}

impl Function {
    /// Whether each day's window is cheaper to roll on than to sum.
    const fn rolls(self) -> bool {
        matches!(self, Self::MovingAveragePrice | Self::StdevPrice)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::{Date, date};

    use super::*;
    use crate::domain::market::{Histories, History};
    use crate::domain::symbol::Symbol;
    use crate::domain::symphony::condition::Relation;
    use crate::domain::symphony::read::read;
    use crate::domain::symphony::study::Scratch;
    use crate::domain::symphony::tree::Constant;

    #[test]
    fn a_comparison_that_only_the_last_digit_decides_is_decided_by_the_sum_itself() {
        for measure in ["moving-average-price", "stdev-price"] {
            let text = format!(
                "(defsymphony \"t\" {{}} (if (> ({measure} \"A\" {{:window 20}}) 5) [] [(asset \"A\")]))"
            );
            let tree = read(&text).unwrap();
            let days: Vec<Date> =
                date(2026, 1, 1).series(jiff::Span::new().days(1)).take(300).collect();
            let closes = (0..300).map(|at| 0.1 + f64::from(at * 37 % 101) / 7.0).collect();
            let last = days[299];
            let history = History::new(days, closes, vec![]).unwrap();
            let market = Histories::new(BTreeMap::from([(Symbol::parse("A").unwrap(), history)]));
            let mut scratch = Scratch::default();
            let mut study = Study::new(&tree, (&market, last), true, &mut scratch);
            let mut left = None;
            tree.nodes.iter().for_each(|node| node.each_series(|id| left = Some(id)));
            let left = left.unwrap();
            let mut differ = 0;
            for session in 19..300 {
                let sum = study.value(left, session).unwrap();
                differ +=
                    u32::from(sum.to_bits() != study.nearly(left, session).unwrap().to_bits());
                let right = Operand::Number(Constant::new(sum));
                let holds = |relation| Comparison { left, relation, right };
                assert!(study.compare(holds(Relation::Equal), session).unwrap(), "{session}");
                assert!(study.compare(holds(Relation::AtLeast), session).unwrap(), "{session}");
                assert!(!study.compare(holds(Relation::Above), session).unwrap(), "{session}");
            }
            assert!(differ > 20, "{measure}: {differ}");
        }
    }
}

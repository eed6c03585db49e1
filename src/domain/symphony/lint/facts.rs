//! What is known of values on the way to a place: from the conditions passed there, and from what a
//! function can say at all.
//!
//! Everything here has to be true of the evaluator's own floats, not only of the numbers they stand
//! for: a claim is made only where no finite value contradicts it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::domain::symphony::condition::{Comparison, Condition, Operand, Relation};
use crate::domain::symphony::function::Function;
use crate::domain::symphony::measure::Measure;
use crate::domain::symphony::tree::{SeriesId, Tree};

/// A comparison that was decided on the way, and where it is written: its number in
/// [`Occurrences::conditions`](crate::domain::symphony::places::Occurrences).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Told {
    pub(crate) comparison: Comparison,
    pub(crate) holds: bool,
    pub(crate) at: usize,
}

/// Why a comparison can come out in one way only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Why {
    /// No value of the measure says otherwise.
    Nature(Measure),
    /// Both sides are the same.
    Same,
    /// It follows from what was decided before.
    Told(Told),
}

/// How a comparison always comes out, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Settled {
    pub(crate) holds: bool,
    pub(crate) why: Why,
}

/// One end of a range; `is_open` when the value itself is outside.
#[derive(Debug, Clone, Copy)]
struct Bound {
    value: f64,
    is_open: bool,
    why: Why,
}

#[derive(Debug, Clone, Copy)]
struct Range {
    low: Bound,
    high: Bound,
}

/// Which orders of two values are possible, the one with the smaller number first.
#[derive(Debug, Clone, Copy)]
struct Orders {
    possible: Possible,
    why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Possible {
    less: bool,
    equal: bool,
    greater: bool,
}

/// What to put back when a branch is left.
enum Undo {
    Range(SeriesId, Option<Range>),
    Orders((SeriesId, SeriesId), Option<Orders>),
}

/// The facts of a path.
#[derive(Default)]
pub(crate) struct Facts {
    ranges: BTreeMap<SeriesId, Range>,
    orders: BTreeMap<(SeriesId, SeriesId), Orders>,
    undo: Vec<Undo>,
}

impl Facts {
    /// A mark to go back to.
    pub(crate) fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Forgets what was learned since a mark.
    pub(crate) fn forget(&mut self, mark: usize) {
        while self.undo.len() > mark {
            match self.undo.pop() {
                Some(Undo::Range(id, Some(range))) => drop(self.ranges.insert(id, range)),
                Some(Undo::Range(id, None)) => drop(self.ranges.remove(&id)),
                Some(Undo::Orders(pair, Some(orders))) => drop(self.orders.insert(pair, orders)),
                Some(Undo::Orders(pair, None)) => drop(self.orders.remove(&pair)),
                None => return,
            }
        }
    }

    /// How a comparison comes out here, when it can in one way only.
    pub(crate) fn settle(&self, tree: &Tree, comparison: &Comparison) -> Option<Settled> {
        let left = self.range(tree, comparison.left);
        let possible = match comparison.right {
            Operand::Number(constant) => {
                let is = Possible::of(left, Range::just(constant.value(), left.low.why));
                return comparison
                    .relation
                    .settle(is)
                    .map(|holds| Settled { holds, why: left.nearer(constant.value()).why });
            }
            Operand::Series(right) if right == comparison.left => {
                let is = Possible { less: false, equal: true, greater: false };
                let why = Why::Same;
                return comparison.relation.settle(is).map(|holds| Settled { holds, why });
            }
            Operand::Series(right) => (right, Possible::of(left, self.range(tree, right))),
        };
        let (right, by_range) = possible;
        let known = self.known(comparison.left, right);
        let by_order = known.map_or(Possible::ANY, |known| known.possible);
        let holds = comparison.relation.settle(by_range.and(by_order))?;
        let why = match known {
            Some(known) if comparison.relation.settle(by_order).is_some() => known.why,
            _ => {
                // One of two ranges that lie apart: whichever was told, else what a function can be.
                let right = self.range(tree, right);
                let ends = [left.low, left.high, right.low, right.high];
                let told = ends.iter().map(|end| end.why).find(|why| matches!(why, Why::Told(_)));
                told.or(known.map(|known| known.why)).unwrap_or(left.low.why)
            }
        };
        Some(Settled { holds, why })
    }

    /// Learns that a condition came out one way; `at` is the number of its first place.
    pub(crate) fn learn(&mut self, tree: &Tree, condition: &Condition, holds: bool, at: usize) {
        match condition {
            Condition::Compare(comparison) => {
                self.learn_comparison(tree, Told { comparison: *comparison, holds, at });
            }
            // All parts of an `and` that holds hold; none of an `or` that does not.
            Condition::All(parts) | Condition::Any(parts) => {
                let all_alike = matches!(condition, Condition::All(_)) == holds;
                if all_alike || parts.len() == 1 {
                    let mut at = at;
                    for part in parts {
                        self.learn(tree, part, holds, at);
                        at += part.size();
                    }
                }
            }
        }
    }

    fn learn_comparison(&mut self, tree: &Tree, told: Told) {
        let Comparison { left, relation, right } = told.comparison;
        let is = relation.possible(told.holds);
        match right {
            Operand::Number(constant) => {
                let limits = Range::just(constant.value(), Why::Told(told));
                self.narrow(tree, left, is, limits);
            }
            Operand::Series(right) if right == left => {}
            Operand::Series(right) => {
                let known = self.known(left, right);
                let narrower = known.map_or(Possible::ANY, |known| known.possible).and(is);
                if known.is_none_or(|known| known.possible != narrower) {
                    let (pair, possible) = if left < right {
                        ((left, right), narrower)
                    } else {
                        ((right, left), narrower.turned())
                    };
                    let orders = Orders { possible, why: Why::Told(told) };
                    let before = self.orders.insert(pair, orders);
                    self.undo.push(Undo::Orders(pair, before));
                }
                let (of_left, of_right) = (self.range(tree, left), self.range(tree, right));
                self.narrow(tree, left, narrower, of_right);
                self.narrow(tree, right, narrower.turned(), of_left);
            }
        }
    }

    /// Cuts a range to what stands in one of the orders to some value within limits.
    fn narrow(&mut self, tree: &Tree, id: SeriesId, is: Possible, limits: Range) {
        let before = self.range(tree, id);
        let mut range = before;
        if !is.greater {
            let is_open = limits.high.is_open || !is.equal;
            range.high = before.high.lower(Bound { is_open, ..limits.high });
        }
        if !is.less {
            let is_open = limits.low.is_open || !is.equal;
            range.low = before.low.higher(Bound { is_open, ..limits.low });
        }
        if before.low.same_as(range.low) && before.high.same_as(range.high) {
            return;
        }
        let known = self.ranges.insert(id, range);
        self.undo.push(Undo::Range(id, known));
    }

    fn range(&self, tree: &Tree, id: SeriesId) -> Range {
        let known = self.ranges.get(&id).copied();
        known.unwrap_or_else(|| Range::of(tree.series(id).measure))
    }

    /// What is known of the order of two values, seen from the first.
    fn known(&self, left: SeriesId, right: SeriesId) -> Option<Orders> {
        if left < right {
            return self.orders.get(&(left, right)).copied();
        }
        let known = self.orders.get(&(right, left))?;
        Some(Orders { possible: known.possible.turned(), why: known.why })
    }
}

impl Range {
    /// All values that a measure can have.
    fn of(measure: Measure) -> Self {
        let (low, high) = match (measure.function, measure.windows()) {
            (Function::PercentagePriceOscillator, [short, long])
            | (Function::PercentagePriceOscillatorSignal, [short, long, _])
                if short == long =>
            {
                (0.0, 0.0)
            }
            (Function::MaxDrawdown, [1]) => (0.0, 0.0),
            (Function::Rsi | Function::MaxDrawdown, _) => (0.0, 100.0),
            // An average of prices may be rounded to 0, a price is above it.
            (
                Function::CurrentPrice
                | Function::MovingAveragePrice
                | Function::ExponentialMovingAveragePrice
                | Function::StdevPrice
                | Function::StdevReturn,
                _,
            ) => (0.0, f64::INFINITY),
            (
                Function::MovingAverageReturn
                | Function::CumulativeReturn
                | Function::PercentagePriceOscillator,
                _,
            ) => (-100.0, f64::INFINITY),
            (Function::PercentagePriceOscillatorSignal, _) => (f64::NEG_INFINITY, f64::INFINITY),
        };
        let is_open = measure.function == Function::CurrentPrice;
        let why = Why::Nature(measure);
        Self {
            low: Bound { value: low, is_open: is_open || low.is_infinite(), why },
            high: Bound { value: high, is_open: high.is_infinite(), why },
        }
    }

    fn just(value: f64, why: Why) -> Self {
        let bound = Bound { value, is_open: false, why };
        Self { low: bound, high: bound }
    }

    /// The end from which a value is outside, or the one that keeps it from moving.
    fn nearer(self, value: f64) -> Bound {
        let from_above = Ordering::Less != order(value, self.high.value);
        if from_above { self.high } else { self.low }
    }
}

impl Bound {
    fn lower(self, other: Self) -> Self {
        match order(other.value, self.value) {
            Ordering::Less => other,
            Ordering::Equal if other.is_open && !self.is_open => other,
            Ordering::Equal | Ordering::Greater => self,
        }
    }

    fn higher(self, other: Self) -> Self {
        match order(other.value, self.value) {
            Ordering::Greater => other,
            Ordering::Equal if other.is_open && !self.is_open => other,
            Ordering::Equal | Ordering::Less => self,
        }
    }

    fn same_as(self, other: Self) -> bool {
        order(self.value, other.value) == Ordering::Equal && self.is_open == other.is_open
    }
}

impl Possible {
    const ANY: Self = Self { less: true, equal: true, greater: true };

    /// The orders in which a value of one range and one of another can stand.
    fn of(left: Range, right: Range) -> Self {
        let meets = |high: Bound, low: Bound| match order(high.value, low.value) {
            Ordering::Less => false,
            Ordering::Equal => !high.is_open && !low.is_open,
            Ordering::Greater => true,
        };
        Self {
            less: order(left.low.value, right.high.value) == Ordering::Less,
            equal: meets(left.high, right.low) && meets(right.high, left.low),
            greater: order(left.high.value, right.low.value) == Ordering::Greater,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            less: self.less && other.less,
            equal: self.equal && other.equal,
            greater: self.greater && other.greater,
        }
    }

    fn turned(self) -> Self {
        Self { less: self.greater, equal: self.equal, greater: self.less }
    }
}

impl Relation {
    /// The orders in which it holds, or does not.
    fn possible(self, holds: bool) -> Possible {
        let (less, equal, greater) = match self {
            Self::Above => (false, false, true),
            Self::Below => (true, false, false),
            Self::AtLeast => (false, true, true),
            Self::AtMost => (true, true, false),
            Self::Equal => (false, true, false),
        };
        Possible { less: less == holds, equal: equal == holds, greater: greater == holds }
    }

    /// How it comes out when only some orders are possible; nothing of what cannot be at all.
    fn settle(self, is: Possible) -> Option<bool> {
        let nothing = Possible { less: false, equal: false, greater: false };
        let (can_hold, can_fail) = (is.and(self.possible(true)), is.and(self.possible(false)));
        match (can_hold == nothing, can_fail == nothing) {
            (true, false) => Some(false),
            (false, true) => Some(true),
            (true, true) | (false, false) => None,
        }
    }
}

/// The order of two numbers; neither is ever NaN.
fn order(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or(Ordering::Equal)
}

//! The decision trace: every condition, ranking and weighing on the taken path, with its values.

use serde::{Deserialize, Serialize};

use crate::domain::symbol::Symbol;

/// The path a strategy took, in the order it was walked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Trace {
    /// What was visited.
    pub steps: Vec<Step>,
}

/// One thing that was looked at.
///
/// Depth counts the splits above it: a ladder of conditions is one path and stays at one
/// depth; the children of a weighting or a ranking are one deeper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// A group was entered.
    Group(Group),
    /// A comparison of two values.
    Condition(Condition),
    /// Several comparisons that decide together.
    Compound(Compound),
    /// A ranking of candidates.
    Ranking(Ranking),
    /// A weighing of members by the inverse of their volatility.
    Weighing(Weighing),
}

/// A titled part of the tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Splits above it.
    pub depth: u16,
    /// Its title.
    pub title: String,
}

/// A comparison and its outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Splits above it.
    pub depth: u16,
    /// Left side in words, such as `RSI(10) of SPY`.
    pub left: String,
    /// Left value.
    pub left_value: f64,
    /// `>`, `<`, `>=`, `<=` or `=`.
    pub comparison: String,
    /// Right side in words, or the number.
    pub right: String,
    /// Right value.
    pub right_value: f64,
    /// Whether it holds.
    pub holds: bool,
    /// How far the left value is from turning it, 0 to 1; the scale is that of
    /// [`crate::domain::symphony::measure::Measure::margin`].
    pub margin: f64,
    /// Which closes would turn it, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
}

/// Which closes of one symbol would turn a decision, all else being as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// The symbol whose close is moved.
    pub symbol: Symbol,
    /// Its last close.
    pub close: f64,
    /// The nearest other last close that would have turned it; `None` if no price does.
    pub instead: Option<Edge>,
    /// The nearest next close with which it comes out differently from today.
    pub next: Option<Edge>,
}

/// The first close, seen from another one, at which something is different.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// The close.
    pub close: f64,
    /// How far it is from the last close, in percent of that.
    pub percent: f64,
}

impl Edge {
    /// A close as seen from another.
    pub(crate) fn at(close: f64, from: f64) -> Self {
        Self { close, percent: (close / from - 1.0) * 100.0 }
    }
}

/// Conditions joined by `and` or `or`, as far as they were looked at: an `and` ends with the
/// first that does not hold, an `or` with the first that does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compound {
    /// Splits above it.
    pub depth: u16,
    /// `and` or `or`.
    pub operator: String,
    /// Whether it holds.
    pub holds: bool,
    /// Conditions that were looked at, in written order.
    pub parts: Vec<Part>,
    /// Conditions that are written in it.
    pub written: usize,
}

/// A part of a compound condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "part")]
pub enum Part {
    /// A comparison of two values.
    Condition(Condition),
    /// Several of them.
    Compound(Compound),
}

/// A ranking and its picks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// Splits above it.
    pub depth: u16,
    /// Score in words, such as `mean return over 90 days`.
    pub by: String,
    /// `highest` or `lowest`.
    pub order: String,
    /// All candidates with their scores, best first.
    pub scores: Vec<(String, f64)>,
    /// How many of them were picked.
    pub picked: usize,
    /// Gap between the last picked and the first not picked that is another portfolio, 0 to 1
    /// on the same scale as a condition's margin; `None` when there is no such candidate.
    pub margin: Option<f64>,
    /// Which closes would let that candidate pass the last picked, where that was asked: of the one
    /// that is an asset, else of a symbol in them. `None` too when they held nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
}

/// A weighing by inverse volatility.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weighing {
    /// Splits above it.
    pub depth: u16,
    /// Measure in words, such as `volatility over 14 days`.
    pub by: String,
    /// Members as listed.
    pub members: Vec<Member>,
}

/// A member of a weighing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// What it is called.
    pub name: String,
    /// Its volatility in percent.
    pub volatility: f64,
    /// Its share of the weighing, 0 to 1.
    pub share: f64,
}

impl Trace {
    /// The smallest margin on the path; `None` when nothing was compared.
    pub fn confidence(&self) -> Option<f64> {
        self.steps.iter().filter_map(Step::margin).reduce(f64::min)
    }

    /// Places of the steps that decided something, the closest first.
    pub fn closest(&self) -> Vec<usize> {
        let margin = |(at, step): (usize, &Step)| step.margin().map(|margin| (margin, at));
        let mut margins: Vec<(f64, usize)> =
            self.steps.iter().enumerate().filter_map(margin).collect();
        margins.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        margins.into_iter().map(|(_, at)| at).collect()
    }
}

impl Step {
    /// How far it is from turning, 0 to 1; `None` where nothing was compared.
    pub fn margin(&self) -> Option<f64> {
        match self {
            Self::Condition(condition) => Some(condition.margin),
            Self::Compound(compound) => compound.deciding().map(|condition| condition.margin),
            Self::Ranking(ranking) => ranking.margin,
            Self::Group(_) | Self::Weighing(_) => None,
        }
    }
}

impl Compound {
    /// The comparison that is the first to turn the whole: the closest one where each could, and
    /// the last one looked at where it alone decided.
    pub fn deciding(&self) -> Option<&Condition> {
        let each_could = (self.operator == "and") == self.holds;
        if !each_could {
            return self.parts.last().and_then(Part::deciding);
        }
        let parts = self.parts.iter().filter_map(Part::deciding);
        parts.reduce(|closest, other| if other.margin < closest.margin { other } else { closest })
    }

    /// Every comparison that was looked at.
    pub fn conditions<'s>(&'s self) -> Vec<&'s Condition> {
        let of = |part: &'s Part| match part {
            Part::Condition(condition) => vec![condition],
            Part::Compound(compound) => compound.conditions(),
        };
        self.parts.iter().flat_map(of).collect()
    }
}

impl Part {
    fn deciding(&self) -> Option<&Condition> {
        match self {
            Self::Condition(condition) => Some(condition),
            Self::Compound(compound) => compound.deciding(),
        }
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        match self {
            Self::Condition(condition) => condition.holds,
            Self::Compound(compound) => compound.holds,
        }
    }
}

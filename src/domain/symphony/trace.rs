//! The decision trace: every condition and ranking on the taken path, with both values.

use serde::{Deserialize, Serialize};

/// The path a strategy took, in the order it was walked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Trace {
    /// Conditions and rankings visited.
    pub steps: Vec<Step>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// A comparison of two values.
    Condition(Condition),
    /// A ranking of candidates.
    Ranking(Ranking),
}

/// A comparison and its outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Depth in the tree, for indenting.
    pub depth: u16,
    /// Left side in words, such as `RSI(10) of SPY`.
    pub left: String,
    /// Left value.
    pub left_value: f64,
    /// `>` or `<`.
    pub comparison: String,
    /// Right side in words, or the number.
    pub right: String,
    /// Right value.
    pub right_value: f64,
    /// Whether it holds.
    pub holds: bool,
    /// How far the left value is from turning it, as a fraction of its scale, 0 to 1.
    pub margin: f64,
}

/// A ranking and its picks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// Depth in the tree, for indenting.
    pub depth: u16,
    /// Score in words, such as `mean return over 90 days`.
    pub by: String,
    /// `highest` or `lowest`.
    pub order: String,
    /// All candidates with their scores, best first.
    pub scores: Vec<(String, f64)>,
    /// How many of them were picked.
    pub picked: usize,
    /// Gap between the last picked and the first not picked, as a fraction of its scale, 0 to 1.
    pub margin: Option<f64>,
}

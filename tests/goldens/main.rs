//! Golden weights and indicators: what the strategies must say on known days.
//!
//! The tests in `shared` read real prices and expectations from the folder `../shared/data`
//! (or from below `ALCHEMISER_SHARED`) and fail without it; a test runner's filter leaves them
//! out where the folder does not exist: `not test(/^shared::/)`. The tests in `own` need
//! nothing: generated closes, committed expectations, and a second evaluator that shares no
//! code with the first.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken expectation ends a test")]

mod generated;
mod linter;
mod many;
mod own;
#[path = "../python/mod.rs"]
mod python;
mod reference;
mod shared;
mod trees;

use std::collections::BTreeMap;

use alchemiser::domain::strategy::Signal;
use alchemiser::domain::symbol::Symbol;

/// Days and strategies compared, so that no test passes by comparing nothing.
fn claims_something(compared: usize, at_least: usize) {
    assert!(compared >= at_least, "only {compared} comparisons");
}

fn weights(signal: &Signal) -> BTreeMap<Symbol, f64> {
    let number = |text: String| text.parse::<f64>().unwrap();
    signal.weights.iter().map(|(s, w)| (s.clone(), number(w.to_string()))).collect()
}

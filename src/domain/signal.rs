//! What each strategy says today, checked before anybody believes it.
//!
//! The type is [`Signal`]; here engines are asked and their answers tested against what they
//! declared, so that an engine with a fault fails alone instead of reaching the plan.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::domain::market::Histories;
use crate::domain::strategy::{Needs, Signal, StrategyError, StrategyOutcome, StrategySlot};

/// One outcome for each slot of the book, in its order, on the closes up to and including a day.
pub fn evaluate(book: &[StrategySlot], market: &Histories, as_of: Date) -> Vec<StrategyOutcome> {
    book.iter()
        .map(|slot| match &slot.engine {
            Err(error) => StrategyOutcome {
                strategy: slot.name.clone(),
                hash: String::new(),
                result: Err(error.clone()),
            },
            Ok(engine) => StrategyOutcome {
                strategy: slot.name.clone(),
                hash: engine.needs().hash.clone(),
                result: engine
                    .explain(market, as_of)
                    .and_then(|signal| check(signal, engine.needs(), as_of)),
            },
        })
        .collect()
}

fn invalid(reason: impl Into<String>) -> StrategyError {
    StrategyError::InvalidWeights { reason: reason.into() }
}

/// Weights that are weights: named once each, none zero, nameable, summing with cash to one.
fn check(signal: Signal, needs: &Needs, as_of: Date) -> Result<Signal, StrategyError> {
    if signal.weights.is_empty() && signal.cash.is_zero() {
        return Err(StrategyError::Empty);
    }
    if signal.as_of != as_of {
        return Err(invalid(format!("signal of {}, expected {as_of}", signal.as_of)));
    }
    let mut seen = BTreeSet::new();
    let mut sum = signal.cash.decimal();
    for (symbol, weight) in &signal.weights {
        if weight.is_zero() || !seen.insert(symbol) {
            return Err(invalid(format!("{symbol} is named twice or with nothing")));
        }
        if !needs.nameable.contains(symbol) {
            return Err(invalid(format!("{symbol} is outside the strategy's universe")));
        }
        sum += weight.decimal();
    }
    if sum != Decimal::ONE {
        return Err(invalid(format!("the weights sum to {sum}, not 1")));
    }
    Ok(signal)
}

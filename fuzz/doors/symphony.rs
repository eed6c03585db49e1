//! The text of a strategy, read and then evaluated over a small market.

use std::collections::BTreeMap;

use alchemiser::domain::market::{Histories, History};
use alchemiser::domain::run::StrategyName;
use alchemiser::domain::strategy::StrategyEngine;
use alchemiser::domain::symbol::Symbol;
use alchemiser::domain::symphony::SymphonyEngine;
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

/// The first day of the market.
const FIRST: Date = date(2026, 9, 1);
/// Closes of each symbol.
const CLOSES: usize = 40;

/// A strategy that can be read fails with a reason or says weights that sum to one.
pub(crate) fn enter(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let name = StrategyName::parse("fuzzed").expect("a name");
    let Ok(engine) = SymphonyEngine::read(name, text) else { return };
    let market = market();
    let today = market.iter().next().and_then(|(_, history)| history.last_day());
    let Ok(signal) = engine.evaluate(&market, today.expect("there are days")) else { return };
    let weights: Decimal = signal.weights.iter().map(|(_, weight)| weight.decimal()).sum();
    assert_eq!(weights + signal.cash.decimal(), Decimal::ONE, "{text}");
    let nameable = &engine.needs().nameable;
    assert!(signal.weights.iter().all(|(symbol, _)| nameable.contains(symbol)), "{text}");
}

/// Three symbols that rise, fall and swing.
fn market() -> Histories {
    let days: Vec<Date> = FIRST.series(jiff::Span::new().days(1)).take(CLOSES).collect();
    let steps = || (0..CLOSES).map(|n| f64::from(u8::try_from(n).unwrap_or(0)));
    let closes: [(&str, Vec<f64>); 3] = [
        ("SPY", steps().map(|n| 500.0 + n).collect()),
        ("QQQ", steps().map(|n| 400.0 - n).collect()),
        ("BIL", steps().map(|n| 100.0 + 5.0 * (n * 0.7).sin()).collect()),
    ];
    let histories = closes.map(|(symbol, closes)| {
        let history = History::new(days.clone(), closes, vec![]).expect("days and closes");
        (Symbol::parse(symbol).expect("a ticker"), history)
    });
    Histories::new(BTreeMap::from(histories))
}

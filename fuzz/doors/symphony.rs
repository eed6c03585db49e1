//! The text of a strategy, read, written out again, and evaluated over a small market.

use std::collections::BTreeMap;

use alchemiser::domain::market::{Histories, History};
use alchemiser::domain::run::StrategyName;
use alchemiser::domain::strategy::{Signal, StrategyEngine};
use alchemiser::domain::symbol::Symbol;
use alchemiser::domain::symphony::lint::{Against, Code, check};
use alchemiser::domain::symphony::{Encoding, SymphonyEngine};
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

/// The first day of the market.
const FIRST: Date = date(2026, 9, 1);
/// Closes of each symbol.
const CLOSES: usize = 40;

/// A check finds an error exactly where a strategy cannot be read, inside of the text. A strategy that
/// can be read is the same when it was written out in either encoding, and fails with
/// a reason or says weights that sum to one.
pub(crate) fn enter(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let found = check(text, &Against::default()).findings;
    let has_error = found.iter().any(|finding| finding.code == Code::Unreadable);
    assert!(found.iter().all(|finding| finding.place.end <= text.len()), "{found:?}");
    let engine = read(text);
    assert_eq!(engine.is_none(), has_error, "{found:?}");
    let Some(engine) = engine else { return };
    let plain = engine.write(Encoding::Text);
    for encoding in [Encoding::Text, Encoding::Json] {
        let Ok(written) = engine.write(encoding) else { continue };
        let again = read(&written).expect("what was written can be read");
        assert_eq!(again.write(Encoding::Text), plain, "{written}");
    }
    decide(&engine, &market());
}

/// The strategy of a text, if it is one.
pub(crate) fn read(text: &str) -> Option<SymphonyEngine> {
    SymphonyEngine::read(StrategyName::parse("fuzzed").expect("a name"), text).ok()
}

/// Decides on the last day of the first symbol.
pub(crate) fn decide(engine: &SymphonyEngine, market: &Histories) {
    let today = market.iter().next().and_then(|(_, history)| history.last_day());
    let today = today.expect("there are days");
    let decided = engine.evaluate(market, today);
    let explained = engine.explain(market, today);
    let weights = |signal: &Signal| (signal.weights.clone(), signal.cash);
    assert_eq!(decided.as_ref().map(weights), explained.as_ref().map(weights));
    let Ok(signal) = decided else { return };
    let sum: Decimal = signal.weights.iter().map(|(_, weight)| weight.decimal()).sum();
    assert_eq!(sum + signal.cash.decimal(), Decimal::ONE, "{signal:?}");
    let nameable = &engine.needs().nameable;
    assert!(signal.weights.iter().all(|(symbol, _)| nameable.contains(symbol)), "{signal:?}");
}

/// Three symbols that rise, fall and swing.
fn market() -> Histories {
    let steps = || (0..CLOSES).map(|n| f64::from(u8::try_from(n).unwrap_or(0)));
    histories([
        ("SPY", steps().map(|n| 500.0 + n).collect()),
        ("QQQ", steps().map(|n| 400.0 - n).collect()),
        ("BIL", steps().map(|n| 100.0 + 5.0 * (n * 0.7).sin()).collect()),
    ])
}

/// Closes on the days up to a common last one.
pub(crate) fn histories(closes: [(&str, Vec<f64>); 3]) -> Histories {
    let histories = closes.map(|(symbol, closes)| {
        let days = FIRST.series(jiff::Span::new().days(-1)).take(closes.len());
        let mut days: Vec<Date> = days.collect();
        days.reverse();
        let history = History::new(days, closes, vec![]).expect("days and closes");
        (Symbol::parse(symbol).expect("a ticker"), history)
    });
    Histories::new(BTreeMap::from(histories))
}

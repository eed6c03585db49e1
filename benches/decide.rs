//! From closes in memory to weights: the three built-in strategies on 70 symbols and 300 bars.
//!
//! The goal is 0.4 ms for all three together; and reading their texts, which a cold start does.
#![expect(clippy::unwrap_used, reason = "a broken bench stops")]

use std::collections::BTreeMap;
use std::hint::black_box;

use alchemiser::domain::book::BUILT_INS;
use alchemiser::domain::market::{Histories, History};
use alchemiser::domain::run::StrategyName;
use alchemiser::domain::strategy::StrategyEngine;
use alchemiser::domain::symbol::Symbol;
use alchemiser::domain::symphony::SymphonyEngine;
use criterion::{Criterion, criterion_group, criterion_main};
use jiff::civil::{Date, date};

const SYMBOLS: usize = 70;
const BARS: usize = 300;

fn engines() -> Vec<SymphonyEngine> {
    let read = |(name, text): (&str, &str)| {
        SymphonyEngine::read(StrategyName::parse(name).unwrap(), text).unwrap()
    };
    BUILT_INS.into_iter().map(read).collect()
}

/// Random walks that share half of their moves, as markets do.
fn market(engines: &[SymphonyEngine]) -> (Histories, Date) {
    let mut symbols: Vec<Symbol> =
        engines.iter().flat_map(|engine| engine.needs().closes.keys().cloned()).collect();
    symbols.sort();
    symbols.dedup();
    for extra in symbols.len()..SYMBOLS {
        symbols.push(Symbol::parse(&format!("X{extra}")).unwrap());
    }
    let mut state = 1_u32;
    let mut step = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state >> 8) / f64::from(1_u32 << 24) - 0.5) * 0.03
    };
    let common: Vec<f64> = (0..BARS).map(|_| step()).collect();
    let days: Vec<Date> = date(2025, 1, 1).series(jiff::Span::new().days(1)).take(BARS).collect();
    let as_of = *days.last().unwrap();
    let mut history = || {
        let mut close = 100.0;
        let closes = common.iter().map(|shared| {
            close *= 1.0 + shared + step();
            close
        });
        History::new(days.clone(), closes.collect(), vec![]).unwrap()
    };
    let histories: BTreeMap<Symbol, History> =
        symbols.into_iter().map(|symbol| (symbol, history())).collect();
    (Histories::new(histories), as_of)
}

fn decide(criterion: &mut Criterion) {
    let engines = engines();
    let (market, as_of) = market(&engines);
    for engine in &engines {
        criterion.bench_function(engine.name().as_str(), |bench| {
            bench.iter(|| engine.evaluate(black_box(&market), as_of).unwrap());
        });
    }
    criterion.bench_function("all three", |bench| {
        bench.iter(|| {
            engines
                .iter()
                .map(|e| e.evaluate(black_box(&market), as_of).unwrap())
                .collect::<Vec<_>>()
        });
    });
    criterion.bench_function("reading all three", |bench| bench.iter(self::engines));
}

criterion_group!(benches, decide);
criterion_main!(benches);

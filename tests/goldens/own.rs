//! Generated prices: committed expectations, and the plain second evaluator.

use std::collections::{BTreeMap, BTreeSet};

use alchemiser::domain::book::BUILT_INS;
use alchemiser::domain::run::StrategyName;
use alchemiser::domain::strategy::StrategyEngine;
use alchemiser::domain::symbol::Symbol;
use alchemiser::domain::symphony::function::Function;
use alchemiser::domain::symphony::measure::Measure;
use alchemiser::domain::symphony::{Encoding, SymphonyEngine};
use jiff::civil::Date;
use serde::Deserialize;

use crate::generated::{COMMITTED_SEED, DAYS, closes, day, histories};
use crate::{claims_something, reference, weights};

const WEIGHTS: &str = include_str!("../fixtures/goldens/weights.json");
const INDICATORS: &str = include_str!("../fixtures/goldens/indicators.json");
/// Weights are rounded to nine decimals, and the first takes the remainder.
const WEIGHT_TOLERANCE: f64 = 1e-8;
const INDICATOR_TOLERANCE: f64 = 1e-9;
/// From here on every window of the built-ins is filled.
const FIRST_DAY: usize = 215;

#[derive(Deserialize)]
struct Indicators {
    days: Vec<usize>,
    rows: Vec<IndicatorRow>,
}

#[derive(Deserialize)]
struct IndicatorRow {
    symbol: String,
    #[serde(rename = "fn")]
    name: String,
    window: u16,
    values: Vec<Option<f64>>,
}

fn engines() -> Vec<SymphonyEngine> {
    let read = |(name, text): (&str, &str)| {
        SymphonyEngine::read(StrategyName::parse(name).unwrap(), text).unwrap()
    };
    BUILT_INS.into_iter().map(read).collect()
}

fn symbols(engines: &[SymphonyEngine]) -> BTreeSet<Symbol> {
    engines.iter().flat_map(|engine| engine.needs().closes.keys().cloned()).collect()
}

fn same(ours: &BTreeMap<Symbol, f64>, expected: &BTreeMap<String, f64>) -> bool {
    ours.len() == expected.len()
        && ours.iter().all(|(symbol, weight)| {
            let other = expected.get(symbol.as_str());
            other.is_some_and(|other| (weight - other).abs() <= WEIGHT_TOLERANCE)
        })
}

#[test]
fn the_built_ins_give_the_committed_weights() {
    let expected: BTreeMap<String, BTreeMap<Date, BTreeMap<String, f64>>> =
        serde_json::from_str(WEIGHTS).unwrap();
    let mut engines = engines();
    let market = histories(&closes(&symbols(&engines), COMMITTED_SEED));
    let by_steps = engines.iter().map(|engine| {
        let json = engine.write(Encoding::Json).unwrap();
        SymphonyEngine::read(engine.name().clone(), &json).unwrap()
    });
    engines.extend(by_steps.collect::<Vec<SymphonyEngine>>());
    let mut compared = 0;
    for engine in &engines {
        for (day, expected) in &expected[engine.name().as_str()] {
            let ours = weights(&engine.evaluate(&market, *day).unwrap());
            assert!(same(&ours, expected), "{engine:?} {day}: {ours:?}, expected {expected:?}");
            compared += 1;
        }
    }
    claims_something(compared, 600);
}

#[test]
fn the_built_ins_agree_with_the_plain_evaluator_on_other_markets() {
    let engines = engines();
    let symbols = symbols(&engines);
    let mut holdings = BTreeSet::new();
    let mut compared = 0;
    for seed in 1..=6 {
        let closes = closes(&symbols, seed);
        let market = histories(&closes);
        for (engine, (_, text)) in engines.iter().zip(BUILT_INS) {
            let body = reference::read(text);
            for at in (FIRST_DAY..DAYS).step_by(13) {
                let ours = weights(&engine.evaluate(&market, day(at)).unwrap());
                let expected = reference::weights(&closes, &body, at).unwrap();
                assert!(same(&ours, &expected), "{engine:?} {seed} {at}: {ours:?}, {expected:?}");
                holdings.insert(ours.into_keys().collect::<Vec<Symbol>>());
                compared += 1;
            }
        }
    }
    claims_something(compared, 140);
    // The markets lead down many paths.
    claims_something(holdings.len(), 20);
}

#[test]
fn indicators_agree_with_the_committed_ones() {
    let closes = closes(&symbols(&engines()), COMMITTED_SEED);
    let indicators: Indicators = serde_json::from_str(INDICATORS).unwrap();
    let (mut compared, mut short) = (0, 0);
    for row in &indicators.rows {
        let function = Function::named(&row.name).unwrap();
        let measure = Measure::over(function, row.window);
        for (day, expected) in indicators.days.iter().zip(&row.values) {
            let seen: Vec<f64> = closes[&row.symbol][..=*day].iter().flatten().copied().collect();
            match (measure.of(&seen), expected) {
                (Ok(ours), Some(expected)) => {
                    let apart = (ours - expected).abs() / expected.abs();
                    assert!(apart <= INDICATOR_TOLERANCE, "{} {day}: {ours} {expected}", row.name);
                    compared += 1;
                }
                (Err(_), None) => short += 1,
                (ours, expected) => panic!("{} {day}: {ours:?} {expected:?}", row.name),
            }
        }
    }
    claims_something(compared, 90);
    claims_something(short, 20);
}

//! Decisions for many days at once, and in memory that is used again: what each day alone decides.

use alchemiser::domain::book::BUILT_INS;
use alchemiser::domain::market::Histories;
use alchemiser::domain::money::Weight;
use alchemiser::domain::run::StrategyName;
use alchemiser::domain::strategy::{StrategyEngine, StrategyError};
use alchemiser::domain::symbol::Symbol;
use alchemiser::domain::symphony::{Decided, Scratch, SymphonyEngine};
use jiff::civil::Date;

use crate::claims_something;
use crate::generated::{Closes, DAYS, closes, day, histories};
use crate::trees::{Draw, market, read, seen};

type Holdings = Result<(Vec<(Symbol, Weight)>, Weight), StrategyError>;

fn held(decided: Result<Decided<'_>, StrategyError>) -> Holdings {
    decided.map(|decided| {
        let weights = decided.weights().map(|(symbol, weight)| (symbol.clone(), weight));
        (weights.collect(), decided.cash())
    })
}

fn alone(engine: &SymphonyEngine, market: &Histories, day: Date) -> Holdings {
    let signal = engine.evaluate(&market.through(day), day);
    signal.map(|signal| (signal.weights, signal.cash))
}

/// Compares all of some days with each alone; how many came to weights.
fn compare(
    engine: &SymphonyEngine,
    market: &Histories,
    days: &[Date],
    scratch: &mut Scratch,
) -> usize {
    let mut together = Vec::new();
    engine.decide_each(market, days, scratch, |day, decided| together.push((day, held(decided))));
    assert_eq!(together.len(), days.len());
    for (day, ours) in &together {
        let expected = alone(engine, market, *day);
        assert_eq!(*ours, expected, "{engine:?} on {day}, one of many");
        let again = held(engine.decide(market, *day, scratch));
        assert_eq!(again, expected, "{engine:?} on {day}, in used memory");
    }
    together.iter().filter(|(_, ours)| ours.is_ok()).count()
}

#[test]
fn drawn_symphonies_decide_for_many_days_what_they_decide_for_each() {
    let markets: Vec<Closes> = (1..=4).map(market).collect();
    let mut scratch = Scratch::default();
    let mut decided = 0;
    for seed in 0..400 {
        let text = Draw::new(seed).symphony();
        let engine = read(&text);
        let symbols = engine.needs().closes.keys().map(Symbol::to_string).collect();
        let market = seen(&markets[usize::try_from(seed).unwrap() % markets.len()], &symbols);
        let Some(length) = market.values().map(Vec::len).max() else { continue }; // only cash
        // The day after the last is one on which nothing trades.
        let days: Vec<Date> = (0..=length).map(day).collect();
        decided += compare(&engine, &histories(&market), &days, &mut scratch);
    }
    claims_something(decided, 5_000);
}

#[test]
fn the_built_ins_decide_for_many_days_what_they_decide_for_each() {
    let mut scratch = Scratch::default();
    for (name, text) in BUILT_INS {
        let engine = SymphonyEngine::read(StrategyName::parse(name).unwrap(), text).unwrap();
        let symbols = engine.needs().closes.keys().cloned().collect();
        let market = histories(&closes(&symbols, 7));
        let days: Vec<Date> = (DAYS - 60..DAYS).map(day).collect();
        claims_something(compare(&engine, &market, &days, &mut scratch), 50);
    }
}

#[test]
fn a_decision_in_used_memory_asks_for_none() {
    let mut scratch = Scratch::default();
    let engines = BUILT_INS.map(|(name, text)| {
        SymphonyEngine::read(StrategyName::parse(name).unwrap(), text).unwrap()
    });
    let symbols = engines.iter().flat_map(|engine| engine.needs().closes.keys().cloned()).collect();
    let market = histories(&closes(&symbols, 7));
    let mut counted = Vec::new();
    for at in [DAYS - 40, DAYS - 1, DAYS - 1] {
        for engine in &engines {
            let decide = || drop(engine.decide(&market, day(at), &mut scratch).map(|_| ()));
            counted.push(allocation_counter::measure(decide).count_total);
        }
    }
    let (first, again) = counted.split_at(2 * engines.len());
    claims_something(usize::try_from(first[0]).unwrap(), 10);
    assert!(again.iter().all(|count| *count == 0), "{counted:?}");
}

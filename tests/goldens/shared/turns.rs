//! What would turn each decision of the built-ins on every golden day, tried out with the plain
//! evaluator's indicators.

use std::collections::BTreeMap;

use alchemiser::domain::market::{Histories, History};
use alchemiser::domain::strategy::StrategyEngine;
use alchemiser::domain::symbol::Symbol;
use alchemiser::domain::symphony::SymphonyEngine;
use alchemiser::domain::symphony::trace::{Condition, Edge, Ranking, Step, Turn};
use jiff::civil::Date;

use super::{engine, extended, goldens, prices};
use crate::{claims_something, reference};

/// Just before and just past a close.
const NEAR: f64 = 1e-9;
/// The same for rankings, where scores that agree to nine decimals are equal.
const NEAR_SCORES: f64 = 1e-7;

/// The function, the windows and the symbol of words such as `RSI(10) of SPY`.
fn meant(words: &str) -> Option<(&'static str, Vec<usize>, &str)> {
    let (what, symbol) = words.split_once(" of ")?;
    let number = |text: &str| vec![text.split([' ', '-', ')']).next().unwrap().parse().unwrap()];
    let after = |start: &str| what.strip_prefix(start).map(number);
    let (name, windows) = match what {
        "price" => ("current-price", Vec::new()),
        _ if what.ends_with("-day average") => ("moving-average-price", number(what)),
        _ => [
            ("rsi", after("RSI(")),
            ("cumulative-return", after("return over ")),
            ("moving-average-return", after("mean return over ")),
            ("stdev-return", after("volatility over ")),
            ("max-drawdown", after("drawdown within ")),
        ]
        .into_iter()
        .find_map(|(name, windows)| Some((name, windows?)))
        .unwrap_or_else(|| panic!("{words}")),
    };
    Some((name, windows, symbol))
}

/// A side's value with another last close of one symbol.
fn value(market: &Histories, day: Date, words: &str, moved: (&Symbol, f64)) -> f64 {
    let Some((name, windows, symbol)) = meant(words) else { return words.parse().unwrap() };
    let symbol = Symbol::parse(symbol).unwrap();
    let through = market.get(&symbol).unwrap().through(day);
    let mut closes = through.closes().to_vec();
    if symbol == *moved.0 {
        *closes.last_mut().unwrap() = moved.1;
    }
    reference::indicator(name, &windows, &closes).unwrap()
}

fn holds(market: &Histories, day: Date, condition: &Condition, moved: (&Symbol, f64)) -> bool {
    let left = value(market, day, &condition.left, moved);
    let right = value(market, day, &condition.right, moved);
    match condition.comparison.as_str() {
        ">" => left > right,
        "<" => left < right,
        other => panic!("{other}"),
    }
}

/// Whether the last candidate that was picked still comes before the first that was not.
fn is_first(market: &Histories, day: Date, ranking: &Ranking, moved: (&Symbol, f64)) -> bool {
    let score = |at: usize| {
        let (name, score) = &ranking.scores[at];
        if name == moved.0.as_str() {
            let words = format!("{} of {name}", ranking.by);
            (value(market, day, &words, moved) * 1e9).round()
        } else {
            (score * 1e9).round()
        }
    };
    let (last, rival) = (score(ranking.picked - 1), score(ranking.picked));
    if ranking.order == "highest" { last > rival } else { last < rival }
}

/// Tries a turn out: nothing changes just before its close, and everything just past it.
fn is_true(turn: &Turn, near: f64, is: bool, mut now: impl FnMut((&Symbol, f64)) -> bool) -> bool {
    let mut at = |close: f64| now((&turn.symbol, close));
    match turn.instead {
        Some(Edge { close, percent }) => {
            let away = near * percent.signum();
            let said = (close / turn.close - 1.0) * 100.0;
            at(close * (1.0 + away)) != is
                && at(close * (1.0 - away)) == is
                && (said - percent).abs() < 1e-9
        }
        None => [0.001, 0.1, 0.5, 0.9, 1.1, 2.0, 10.0, 1_000.0]
            .into_iter()
            .all(|times| at(turn.close * times) == is),
    }
}

#[test]
fn the_close_that_would_turn_a_decision_turns_it_and_the_one_before_does_not() {
    let (mut conditions, mut rankings, mut never) = (0, 0, 0);
    for (name, golden, market) in [
        ("nuclear", "Nuclear", Histories::new(prices())),
        ("tecl", "TECL", Histories::new(prices())),
        ("klm", "KLM_FNGU_EXT", extended()),
    ] {
        let engine = engine(name);
        let days: BTreeMap<_, _> = goldens().remove(golden).unwrap().weights;
        for day in days.into_iter().filter_map(|(day, weights)| weights.map(|_| day)) {
            for step in engine.explain(&market, day).unwrap().trace.steps {
                match step {
                    Step::Condition(condition) => {
                        let turn = condition.turn.as_ref().unwrap();
                        let now = |moved: (&Symbol, f64)| holds(&market, day, &condition, moved);
                        assert!(is_true(turn, NEAR, condition.holds, now), "{day} {condition:?}");
                        never += usize::from(turn.instead.is_none());
                        conditions += 1;
                    }
                    Step::Ranking(ranking) => {
                        let Some(turn) = &ranking.turn else { continue };
                        let cut = &ranking.scores[ranking.picked - 1..=ranking.picked];
                        if cut.iter().all(|(name, _)| name != turn.symbol.as_str()) {
                            continue; // between two portfolios: below
                        }
                        let now = |moved: (&Symbol, f64)| is_first(&market, day, &ranking, moved);
                        assert!(is_true(turn, NEAR_SCORES, true, now), "{day} {ranking:?}");
                        rankings += 1;
                    }
                    Step::Group(_) | Step::Compound(_) | Step::Weighing(_) => {}
                }
            }
        }
    }
    claims_something(conditions, 5_000);
    claims_something(rankings, 500);
    assert!(never < conditions / 10, "{never} of {conditions} that no price turns");
}

/// The first ranking on a day with another last close of one symbol.
fn ranked(
    engine: &SymphonyEngine,
    market: &Histories,
    day: Date,
    moved: (&Symbol, f64),
) -> Ranking {
    let moved_market = market.iter().map(|(symbol, history)| {
        let seen = history.through(day);
        let mut closes = seen.closes().to_vec();
        if let Some(last) = closes.last_mut().filter(|_| symbol == moved.0) {
            *last = moved.1;
        }
        (symbol.clone(), History::new(seen.days().to_vec(), closes, Vec::new()).unwrap())
    });
    let market = Histories::new(moved_market.collect());
    let steps = engine.evaluate(&market, day).unwrap().trace.steps;
    let first = steps.into_iter().find_map(|step| match step {
        Step::Ranking(ranking) => Some(ranking),
        Step::Group(_) | Step::Condition(_) | Step::Compound(_) | Step::Weighing(_) => None,
    });
    first.unwrap()
}

/// KLM ranks whole portfolios: their scores move with what they held the evening before.
#[test]
fn the_close_that_would_turn_a_ranking_of_portfolios_turns_it() {
    let (engine, market) = (engine("klm"), extended());
    let days: BTreeMap<_, _> = goldens().remove("KLM_FNGU_EXT").unwrap().weights;
    let days = days.into_iter().filter_map(|(day, weights)| weights.map(|_| day));
    let (mut tried, mut never) = (0, 0);
    for day in days.step_by(4) {
        let signal = engine.explain(&market, day).unwrap();
        let Some(Step::Ranking(ranking)) = signal.trace.steps.first() else { panic!("{day}") };
        let Some(turn) = &ranking.turn else { continue };
        let [last, rival] =
            [ranking.picked - 1, ranking.picked].map(|at| ranking.scores[at].0.clone());
        if last == rival {
            continue; // two of one name cannot be told apart here
        }
        let now = |moved: (&Symbol, f64)| {
            let scores = ranked(&engine, &market, day, moved).scores;
            let place = |name: &String| scores.iter().position(|(other, _)| other == name);
            place(&last) < place(&rival)
        };
        assert!(is_true(turn, NEAR_SCORES, true, now), "{day} {ranking:?}");
        tried += 1;
        never += usize::from(turn.instead.is_none());
    }
    claims_something(tried, 50);
    assert!(never < tried, "no price turns any");
}

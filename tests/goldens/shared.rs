//! Real prices and golden weights from the shared folder.

mod library;
mod turns;

use std::collections::BTreeMap;
use std::path::PathBuf;

use alchemiser::domain::book;
use alchemiser::domain::market::{Histories, History};
use alchemiser::domain::price_file;
use alchemiser::domain::run::StrategyName;
use alchemiser::domain::strategy::StrategyEngine;
use alchemiser::domain::symbol::Symbol;
use alchemiser::domain::symphony::function::Function;
use alchemiser::domain::symphony::measure::Measure;
use alchemiser::domain::symphony::trace::Step;
use alchemiser::domain::symphony::{Encoding, SymphonyEngine};
use jiff::civil::Date;
use serde::Deserialize;

use crate::{claims_something, weights};

/// The goldens print six decimals.
const WEIGHT_TOLERANCE: f64 = 1e-6;
/// Relative; what different orders of summing may change.
const INDICATOR_TOLERANCE: f64 = 1e-9;

#[derive(Deserialize)]
struct Goldens {
    strategies: BTreeMap<String, Golden>,
}

#[derive(Deserialize)]
struct Golden {
    weights: BTreeMap<Date, Option<BTreeMap<Symbol, f64>>>,
    #[serde(default)]
    root_filter: BTreeMap<Date, Option<RootFilter>>,
}

#[derive(Deserialize)]
struct RootFilter {
    scores: Vec<f64>,
}

#[derive(Deserialize)]
struct Indicators {
    dates: Vec<Date>,
    rows: Vec<IndicatorRow>,
}

#[derive(Deserialize)]
struct IndicatorRow {
    symbol: Symbol,
    #[serde(rename = "fn")]
    name: String,
    window: Option<u16>,
    values: Vec<Option<f64>>,
}

fn folder() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    std::env::var_os("ALCHEMISER_SHARED").map_or(beside, PathBuf::from).join("data")
}

fn text(name: &str) -> String {
    let path = folder().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; leave `shared::` tests out without it", path.display())
    })
}

fn prices() -> BTreeMap<Symbol, History> {
    let files = std::fs::read_dir(folder().join("prices")).expect("the folder of prices");
    let stems = files.map(|file| file.unwrap().path().file_stem().unwrap().to_owned());
    let stems = stems.map(|stem| stem.into_string().unwrap());
    // The extended series is no ticker of its own; `extended` gives it another's name.
    stems
        .filter(|stem| stem != "FNGU_EXT")
        .map(|stem| (Symbol::parse(&stem).unwrap(), history(&stem)))
        .collect()
}

fn history(stem: &str) -> History {
    price_file::parse(&text(&format!("prices/{stem}.csv"))).unwrap()
}

fn extended() -> Histories {
    let mut prices = prices();
    prices.insert(Symbol::parse("FNGU").unwrap(), history("FNGU_EXT"));
    Histories::new(prices)
}

fn goldens() -> BTreeMap<String, Golden> {
    serde_json::from_str::<Goldens>(&text("golden_weights.json")).unwrap().strategies
}

fn engine(name: &str) -> SymphonyEngine {
    let text = book::built_in(name).unwrap();
    SymphonyEngine::read(StrategyName::parse(name).unwrap(), text).unwrap()
}

/// The same strategy through the step form.
fn by_steps(engine: &SymphonyEngine) -> SymphonyEngine {
    let json = engine.write(Encoding::Json).unwrap();
    SymphonyEngine::read(engine.name().clone(), &json).unwrap()
}

fn differ(ours: &BTreeMap<Symbol, f64>, golden: &BTreeMap<Symbol, f64>) -> bool {
    ours.len() != golden.len()
        || ours.iter().any(|(symbol, weight)| {
            golden.get(symbol).is_none_or(|other| (weight - other).abs() > WEIGHT_TOLERANCE)
        })
}

/// Compares every day that has golden weights; gives the number of days and the differences.
fn compare(
    golden: &Golden,
    weights_on: impl Fn(Date) -> BTreeMap<Symbol, f64>,
) -> (usize, Vec<String>) {
    let days = golden.weights.iter().filter_map(|(day, weights)| Some((*day, weights.as_ref()?)));
    let mut compared = 0;
    let mut differences = Vec::new();
    for (day, expected) in days {
        compared += 1;
        let ours = weights_on(day);
        if differ(&ours, expected) {
            differences.push(format!("{day}: {ours:?}, golden {expected:?}"));
        }
    }
    (compared, differences)
}

fn gives_its_goldens(name: &str, golden: &str, market: &Histories, at_least: usize) {
    let text = engine(name);
    for engine in [by_steps(&text), text] {
        let (compared, differences) = compare(&goldens()[golden], |day| {
            weights(&engine.evaluate(market, day).unwrap_or_else(|error| panic!("{day}: {error}")))
        });
        assert_eq!(differences, Vec::<String>::new(), "{golden}");
        claims_something(compared, at_least);
    }
}

#[test]
fn nuclear_gives_its_golden_weights_on_every_day() {
    gives_its_goldens("nuclear", "Nuclear", &Histories::new(prices()), 500);
}

#[test]
fn tecl_gives_its_golden_weights_on_every_day() {
    gives_its_goldens("tecl", "TECL", &Histories::new(prices()), 500);
}

#[test]
fn klm_gives_its_golden_weights_on_every_day() {
    gives_its_goldens("klm", "KLM", &Histories::new(prices()), 50);
}

#[test]
fn klm_on_the_extended_series_gives_its_golden_weights_on_every_day() {
    gives_its_goldens("klm", "KLM_FNGU_EXT", &extended(), 500);
}

#[test]
fn klm_scores_its_eight_candidates_like_the_goldens() {
    let engine = engine("klm");
    let market = extended();
    let mut compared = 0;
    for (day, row) in &goldens()["KLM_FNGU_EXT"].root_filter {
        let Some(row) = row else { continue };
        let signal = engine.evaluate(&market, *day).unwrap();
        let Some(Step::Ranking(root)) = signal.trace.steps.first() else {
            panic!("{day}: the first step is the root ranking")
        };
        let mut expected = row.scores.clone();
        expected.sort_by(|a, b| b.total_cmp(a));
        let worst = root
            .scores
            .iter()
            .zip(&expected)
            .map(|((_, ours), golden)| (ours - golden).abs())
            .fold(0.0, f64::max);
        assert!(root.scores.len() == 8 && worst < 2e-9, "{day}: {:?}", root.scores);
        compared += 1;
    }
    claims_something(compared, 500);
}

#[test]
fn the_history_a_run_fetches_gives_the_weights_of_the_whole_history() {
    let mut compared = 0;
    for (name, golden, market) in [
        ("nuclear", "Nuclear", Histories::new(prices())),
        ("tecl", "TECL", Histories::new(prices())),
        ("klm", "KLM_FNGU_EXT", extended()),
    ] {
        let engine = engine(name);
        let needs = engine.needs();
        let (days, differences) = compare(&goldens()[golden], |day| {
            let fetched = market.iter().filter_map(|(symbol, history)| {
                let count = *needs.closes.get(symbol)?;
                let end = history.days().partition_point(|d| *d <= day);
                let start = end.saturating_sub(count);
                let (days, closes) = (&history.days()[start..end], &history.closes()[start..end]);
                let cut = History::new(days.to_vec(), closes.to_vec(), vec![]).unwrap();
                Some((symbol.clone(), cut))
            });
            let fetched = Histories::new(fetched.collect());
            weights(&engine.evaluate(&fetched, day).unwrap())
        });
        assert_eq!(differences, Vec::<String>::new(), "{golden}");
        compared += days;
    }
    claims_something(compared, 1_500);
}

#[test]
fn indicators_agree_with_the_goldens_to_nine_digits() {
    let prices = prices();
    let indicators: Indicators = serde_json::from_str(&text("golden_indicators.json")).unwrap();
    let (mut compared, mut short) = (0, 0);
    for row in &indicators.rows {
        let function = Function::named(&row.name).unwrap();
        let measure = Measure::over(function, row.window.unwrap_or(1));
        for (day, golden) in indicators.dates.iter().zip(&row.values) {
            let closes = prices[&row.symbol].through(*day);
            match (measure.of(closes.closes()), golden) {
                (Ok(ours), Some(golden)) => {
                    let apart = (ours - golden).abs() / golden.abs().max(f64::MIN_POSITIVE);
                    assert!(
                        apart <= INDICATOR_TOLERANCE,
                        "{} {measure:?} {day}: {ours} {golden}",
                        row.symbol
                    );
                    compared += 1;
                }
                (Err(_), None) => short += 1,
                (ours, golden) => {
                    panic!("{} {measure:?} {day}: {ours:?} {golden:?}", row.symbol)
                }
            }
        }
    }
    claims_something(compared, 1_000);
    claims_something(short, 5);
}

//! Closes from a fixed generator of whole numbers, the same on every machine and in any language.
//!
//! One draw of a linear congruential generator per day moves all symbols together, one more
//! moves each alone; a drift per forty days makes trends; a symbol's place in the list decides
//! how it follows the common move (once, twice, inversely, not at all). All moves are in
//! hundredths of a percent of a price in hundredths of a cent, with divisions rounded down.

use std::collections::{BTreeMap, BTreeSet};

use alchemiser::domain::market::{Histories, History};
use alchemiser::domain::symbol::Symbol;
use jiff::civil::{Date, date};

/// Length of the generated histories.
pub(crate) const DAYS: usize = 320;
/// The state from which the committed expectations were made.
pub(crate) const COMMITTED_SEED: u32 = 20_241_120;
const DRIFT: [i64; 8] = [40, -60, 25, 80, -90, 10, -30, 60];
const FOLLOWING: [i64; 4] = [1, 2, -1, 0];

/// Closes by symbol and day; `None` before a symbol's first day.
pub(crate) type Closes = BTreeMap<String, Vec<Option<f64>>>;

pub(crate) fn closes(symbols: &BTreeSet<Symbol>, seed: u32) -> Closes {
    let mut state = seed;
    let mut draw = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        i64::from(state >> 16) % 601 - 300
    };
    let mut levels = vec![1_000_000_i64; symbols.len()];
    let mut closes: Vec<Vec<Option<f64>>> = vec![Vec::new(); symbols.len()];
    for day in 0..DAYS {
        let common = (draw() + DRIFT[day / 40]).div_euclid(2);
        for (at, symbol) in symbols.iter().enumerate() {
            let step = FOLLOWING[at % 4] * common + draw().div_euclid(2);
            levels[at] = (levels[at] * (10_000 + step)).div_euclid(10_000);
            let close = f64::from(i32::try_from(levels[at]).unwrap()) / 10_000.0;
            closes[at].push((day >= first_day(symbol.as_str())).then_some(close));
        }
    }
    symbols.iter().map(Symbol::to_string).zip(closes).collect()
}

/// Two symbols are young, as in the real market.
fn first_day(symbol: &str) -> usize {
    match symbol {
        "FNGU" => 100,
        "KMLM" => 50,
        _ => 0,
    }
}

pub(crate) fn day(number: usize) -> Date {
    let days = jiff::Span::new().days(i64::try_from(number).unwrap());
    date(2024, 1, 1).checked_add(days).unwrap()
}

pub(crate) fn histories(closes: &Closes) -> Histories {
    let history = |column: &Vec<Option<f64>>| {
        let bars = column.iter().enumerate();
        let (days, closes) = bars.filter_map(|(at, close)| Some((day(at), (*close)?))).unzip();
        History::new(days, closes, Vec::new()).unwrap()
    };
    let named = closes.iter().map(|(name, column)| (Symbol::parse(name).unwrap(), history(column)));
    Histories::new(named.collect())
}

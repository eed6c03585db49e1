//! From a text to weights: what reading, deciding and deciding for years of days take.
//!
//! A figure is the least of many tries: what else the machine does only ever adds. Growth is a ratio
//! of two such figures of one run, and memory is counted, not timed.

#![expect(clippy::print_stdout, reason = "a benchmark tells its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "the program lives in the machine's time")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use alchemiser::domain::book::BUILT_INS;
use alchemiser::domain::market::{Histories, History};
use alchemiser::domain::run::StrategyName;
use alchemiser::domain::strategy::StrategyEngine;
use alchemiser::domain::symbol::Symbol;
use alchemiser::domain::symphony::{Scratch, SymphonyEngine};
use jiff::civil::{Date, date};

const SYMBOLS: usize = 70;
const BARS: usize = 300;
/// Sessions of the long evaluations, and the closes before the first of them.
const SESSIONS: usize = 3_000;
const BEFORE: usize = 400;

const DECIDE_MAX: Duration = Duration::from_micros(200);
const READ_MAX: Duration = Duration::from_millis(60);
const READ_BYTES: usize = 3_000_000;
const YEARS_MAX: Duration = Duration::from_millis(250);
const SWITCH_MAX: Duration = Duration::from_nanos(100);
const GROWTH_MAX: f64 = 2.1;

const SWITCH: &str = r#"(defsymphony "Switch" {}
  (if (> (current-price "SPY") (moving-average-price "SPY" {:window 200}))
    [(if (> (rsi "TQQQ" {:window 10}) 79) [(asset "UVXY")] [(asset "TQQQ")])]
    [(asset "BIL")]))"#;

fn main() {
    let engines = built_ins();
    let mut scratch = Scratch::default();
    let (market, days) = market(&engines, SYMBOLS, BARS);
    let as_of = *days.last().unwrap();
    for engine in &engines {
        let one = best(|| decide(std::slice::from_ref(engine), &market, as_of, &mut scratch));
        println!("decide, {}: {:.1} us", engine.name(), micros(one));
    }
    let three = best(|| decide(&engines, &market, as_of, &mut scratch));
    tell("decide, all three", three, DECIDE_MAX);
    let told = best(|| {
        for engine in &engines {
            black_box(engine.evaluate(&market, as_of).unwrap());
        }
    });
    println!("the same with the path told, in fresh memory: {:.1} us", micros(told));
    let counted =
        allocation_counter::measure(|| decide(&engines, &market, as_of, &mut scratch)).count_total;
    println!("allocations of a decision in used memory: {counted} (bound 0)");

    let more = self::market(&engines, 2 * SYMBOLS, BARS).0;
    growth("symbols", three, best(|| decide(&engines, &more, as_of, &mut scratch)));
    let (longer, days) = self::market(&engines, SYMBOLS, 2 * BARS);
    let last = *days.last().unwrap();
    growth("bars", three, best(|| decide(&engines, &longer, last, &mut scratch)));
    let twice: Vec<SymphonyEngine> = built_ins().into_iter().chain(built_ins()).collect();
    growth("strategies", three, best(|| decide(&twice, &market, as_of, &mut scratch)));

    println!("reading all three: {:.1} us", micros(best(|| drop(black_box(built_ins())))));
    let text = long_text();
    let read = best(|| drop(black_box(read("long", &text))));
    println!("a text of {} bytes has {} parts", text.len(), self::read("long", &text).size());
    tell("reading it", read, READ_MAX);

    let switch = [self::read("switch", SWITCH)];
    let (market, days) = self::market(&switch, 4, BEFORE + SESSIONS);
    let years = best(|| each_day(&switch, &market, &days[BEFORE..], &mut scratch));
    tell("the switch, a bar", years / u32::try_from(SESSIONS).unwrap(), SWITCH_MAX);
    let (market, days) = self::market(&engines, SYMBOLS, BEFORE + SESSIONS);
    let years = best(|| each_day(&engines, &market, &days[BEFORE..], &mut scratch));
    tell("all three on 3,000 days", years, YEARS_MAX);
}

fn decide(engines: &[SymphonyEngine], market: &Histories, as_of: Date, scratch: &mut Scratch) {
    for engine in engines {
        black_box(engine.decide(black_box(market), as_of, scratch).unwrap());
    }
}

fn each_day(engines: &[SymphonyEngine], market: &Histories, days: &[Date], scratch: &mut Scratch) {
    for engine in engines {
        engine.decide_each(black_box(market), days, scratch, |_, decided| {
            black_box(decided.unwrap());
        });
    }
}

/// The least time that something takes, of tries for about two seconds, ten at least.
fn best(mut run: impl FnMut()) -> Duration {
    run();
    let began = Instant::now();
    let mut least = Duration::MAX;
    for tries in 1.. {
        let start = Instant::now();
        run();
        least = least.min(start.elapsed());
        if tries >= 10 && began.elapsed() > Duration::from_secs(2) {
            break;
        }
    }
    least
}

fn tell(name: &str, took: Duration, bound: Duration) {
    println!("{name}: {:.3} us (bound {} us)", micros(took), micros(bound));
}

fn growth(what: &str, once: Duration, twice: Duration) {
    let times = twice.as_secs_f64() / once.as_secs_f64();
    println!("twice the {what}: {times:.2} times as long (bound {GROWTH_MAX})");
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

fn read(name: &str, text: &str) -> SymphonyEngine {
    SymphonyEngine::read(StrategyName::parse(name).unwrap(), text).unwrap()
}

fn built_ins() -> Vec<SymphonyEngine> {
    BUILT_INS.into_iter().map(|(name, text)| read(name, text)).collect()
}

/// A text of ladders that share nothing, as long as the longest that is known.
fn long_text() -> String {
    let mut text =
        String::from("(defsymphony \"Long\" {:rebalance-frequency :daily}\n(weight-equal [");
    for number in 0.. {
        if text.len() > READ_BYTES {
            break;
        }
        let (window, level) = (2 + number % 250, 20 + number / 250);
        let _ = write!(
            text,
            "(group \"rung {number}\" [(if (> (rsi \"SPY\" {{:window {window}}}) {level})\n  \
             [(asset \"UVXY\" \"ProShares Ultra VIX Short-Term Futures ETF\")]\n  \
             [(filter (stdev-return {{:window 10}}) (select-top 1) [(asset \"TQQQ\") (asset \"BIL\")])])])\n"
        );
    }
    text.push_str("]))");
    text
}

/// Random walks that share half of their moves, as markets do: the symbols that the strategies look
/// at and others beside them.
fn market(engines: &[SymphonyEngine], symbols: usize, bars: usize) -> (Histories, Vec<Date>) {
    let looked_at = engines.iter().flat_map(|engine| engine.needs().closes.keys().cloned());
    let mut all: BTreeSet<Symbol> = looked_at.collect();
    for extra in all.len()..symbols {
        all.insert(Symbol::parse(&format!("X{extra}")).unwrap());
    }
    let mut state = 1_u32;
    let mut step = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state >> 8) / f64::from(1_u32 << 24) - 0.5) * 0.03
    };
    let common: Vec<f64> = (0..bars).map(|_| step()).collect();
    let days: Vec<Date> = date(2012, 1, 1).series(jiff::Span::new().days(1)).take(bars).collect();
    let mut history = || {
        let mut close = 100.0;
        let closes = common.iter().map(|shared| {
            close *= 1.0 + shared + step();
            close
        });
        History::new(days.clone(), closes.collect(), vec![]).unwrap()
    };
    let histories: BTreeMap<Symbol, History> =
        all.into_iter().map(|symbol| (symbol, history())).collect();
    (Histories::new(histories), days)
}

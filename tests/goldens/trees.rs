//! Symphonies from a generator: the evaluator against the plain one, and the writer against the
//! reader.

use std::collections::{BTreeMap, BTreeSet};

use alchemiser::domain::run::StrategyName;
use alchemiser::domain::strategy::{Signal, StrategyEngine, StrategyError};
use alchemiser::domain::symbol::Symbol;
use alchemiser::domain::symphony::function::Function;
use alchemiser::domain::symphony::measure::Measure;
use alchemiser::domain::symphony::{Encoding, SymphonyEngine};

use crate::generated::{Closes, closes, day, histories};
use crate::{claims_something, reference, weights};

/// Symphonies compared.
const TREES: u32 = 10_000;
/// Deepest nesting of nodes.
const DEPTH_MAX: usize = 12;
/// Length of the histories; the plain evaluator walks all of it for every value.
pub(crate) const DAYS: usize = 40;
/// Rankings by their own past within rankings by their own past: each costs the plain evaluator
/// forty times as much.
const RANKED_MAX: usize = 2;
/// Weights are rounded to nine decimals, and the first takes the remainder.
const WEIGHT_TOLERANCE: f64 = 1e-7;
/// Two ways to compute a value may fall on two sides of a test that is closer than this.
const HAIR: f64 = 1e-9;

const TICKERS: [&str; 7] = ["AAA", "BBB", "CCC", "YOUNG", "HOLED", "BRK/B", "EQUITIES::BRK-B//USD"];
const PRICED: [&str; 3] =
    ["moving-average-price", "exponential-moving-average-price", "stdev-price"];
const MEASURED: [&str; 5] =
    ["moving-average-return", "cumulative-return", "stdev-return", "max-drawdown", "rsi"];

/// Draws one symphony.
pub(crate) struct Draw {
    state: u64,
    /// Choices among few conditions, so that they contradict each other.
    is_narrow: bool,
    /// Nodes that may still be drawn.
    left: usize,
    /// Parts drawn before, with their depth and the rankings in them.
    parts: Vec<Part>,
}

#[derive(Clone)]
struct Part {
    text: String,
    depth: usize,
    ranked: usize,
    is_asset: bool,
}

impl Draw {
    pub(crate) fn new(seed: u32) -> Self {
        Self { state: u64::from(seed) + 1, is_narrow: false, left: 40, parts: Vec::new() }
    }

    /// One that asks the same few questions again and again.
    pub(crate) fn narrow(seed: u32) -> Self {
        Self { is_narrow: true, ..Self::new(seed) }
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99_991);
        usize::try_from(self.state >> 33).unwrap() % most
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    pub(crate) fn symphony(&mut self) -> String {
        let meta = [
            "{}",
            "{:rebalance-frequency :weekly}",
            "{:asset-class \"EQUITIES\", :rebalance-threshold 0.05}",
        ];
        let meta = self.pick(&meta);
        // A first part in a random mood, so that deep ladders occur as well as bushes.
        let body = self.node(DEPTH_MAX, RANKED_MAX).text;
        format!("(defsymphony \"t\" {meta} {body})")
    }

    /// A node of at most so many levels, with at most so many rankings one in another.
    fn node(&mut self, levels: usize, ranked: usize) -> Part {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || levels <= 1 {
            return self.asset();
        }
        let kind = if self.is_narrow {
            [0, 3, 5, 7, 9, 9, 9, 9, 9, 12, 12, 15][self.below(12)]
        } else {
            self.below(16)
        };
        let part = match kind {
            0 | 1 => self.asset(),
            2 => self.group(levels, ranked),
            3 | 4 => self.equal(levels, ranked),
            5 | 6 => self.specified(levels, ranked),
            7 | 8 => self.weighed(levels, ranked),
            9..=11 => self.choice(levels, ranked),
            12..=14 => self.filter(levels, ranked),
            _ => self.repeated(levels, ranked),
        };
        self.parts.push(part.clone());
        part
    }

    fn asset(&mut self) -> Part {
        let described = self.pick(&["", " \"described\"", " nil"]);
        let text = format!("(asset \"{}\"{described})", self.pick(&TICKERS));
        Part { text, depth: 1, ranked: 0, is_asset: true }
    }

    /// A part that occurred before and fits.
    fn repeated(&mut self, levels: usize, ranked: usize) -> Part {
        let fit = |part: &&Part| part.depth <= levels && part.ranked <= ranked;
        let fitting: Vec<Part> = self.parts.iter().filter(fit).cloned().collect();
        if fitting.is_empty() {
            return self.asset();
        }
        fitting[self.below(fitting.len())].clone()
    }

    /// Children in brackets or without, of which some may be empty.
    fn children(&mut self, count: usize, levels: usize, ranked: usize) -> (String, Vec<Part>) {
        let mut parts = Vec::new();
        for _ in 0..count {
            if self.below(12) == 0 {
                let text = "[]".to_owned();
                parts.push(Part { text, depth: 1, ranked: 0, is_asset: false });
            } else {
                parts.push(self.node(levels - 1, ranked));
            }
        }
        let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
        let has_empty = texts.contains(&"[]");
        let bare = count > 0 && !has_empty && self.below(4) == 0;
        let listed = texts.join(" ");
        (if bare { listed } else { format!("[{listed}]") }, parts)
    }

    fn around(text: String, parts: &[Part], ranks: bool) -> Part {
        let most = |of: fn(&Part) -> usize| parts.iter().map(of).max().unwrap_or(0);
        let ranked = most(|part| part.ranked) + usize::from(ranks);
        Part { text, depth: most(|part| part.depth) + 1, ranked, is_asset: false }
    }

    fn group(&mut self, levels: usize, ranked: usize) -> Part {
        let (listed, parts) = self.children(1, levels, ranked);
        Self::around(format!("(group \"a title\" {listed})"), &parts, false)
    }

    fn equal(&mut self, levels: usize, ranked: usize) -> Part {
        let count = 1 + self.below(4);
        let (listed, parts) = self.children(count, levels, ranked);
        Self::around(format!("(weight-equal {listed})"), &parts, false)
    }

    /// A branch: nothing, one child, or several.
    fn branch(&mut self, levels: usize, ranked: usize) -> (String, Vec<Part>) {
        let count = [0, 1, 1, 1, 1, 2][self.below(6)];
        let (listed, parts) = self.children(count, levels, ranked);
        if count == 2 && !listed.starts_with('[') {
            (format!("[{listed}]"), parts)
        } else {
            (listed, parts)
        }
    }

    fn specified(&mut self, levels: usize, ranked: usize) -> Part {
        let sets: [&[&str]; 5] = [
            &["1"],
            &["0.6", "0.4"],
            &["0", "1.0"],
            &["0.333", "0.333", "0.334"],
            &["25e-2", "0.75"],
        ];
        let set = sets[self.below(sets.len())];
        let (mut text, mut all) = ("(weight-specified".to_owned(), Vec::new());
        for weight in set {
            let (branch, parts) = self.branch(levels - 1, ranked);
            text.extend([" ", weight, " ", &branch]);
            all.extend(parts);
        }
        let mut part = Self::around(text + ")", &all, false);
        part.depth += 1; // a branch of several is a weighting of its own
        part
    }

    fn weighed(&mut self, levels: usize, ranked: usize) -> Part {
        let (count, days) = (1 + self.below(3), 2 + self.below(7));
        let inside = if ranked == 0 { 1 } else { levels };
        let (listed, parts) = self.children(count, inside.max(2), ranked.saturating_sub(1));
        let text = format!("(weight-inverse-volatility {days} {listed})");
        Self::around(text, &parts, parts.iter().any(|part| !part.is_asset))
    }

    fn filter(&mut self, levels: usize, ranked: usize) -> Part {
        let inside = if ranked == 0 { 2 } else { levels };
        let count = 1 + self.below(4);
        let (listed, parts) = self.children(count, inside, ranked.saturating_sub(1));
        let only_assets = parts.iter().all(|part| part.is_asset);
        let score = match self.below(3) {
            0 if only_assets => self.price_function(""),
            _ => {
                let name = self.pick(&MEASURED);
                self.windowed(name, "")
            }
        };
        let (end, count) = (self.pick(&["top", "bottom"]), 1 + self.below(3));
        let text = format!("(filter {score} (select-{end} {count}) {listed})");
        Self::around(text, &parts, !only_assets)
    }

    /// A function of prices, of a ticker or as a score.
    fn price_function(&mut self, ticker: &str) -> String {
        match self.below(6) {
            0 => format!("(current-price{ticker})"),
            1 => {
                let (short, long) = (1 + self.below(5), 2 + self.below(9));
                format!("(percentage-price-oscillator{ticker} {short} {long})")
            }
            2 => {
                let (short, long) = (1 + self.below(5), 2 + self.below(9));
                format!(
                    "(percentage-price-oscillator-signal{ticker} \
                     {{:smooth-window 4 :long-window {long}, :short-window {short}}})"
                )
            }
            _ => {
                let name = self.pick(&PRICED);
                self.windowed(name, ticker)
            }
        }
    }

    /// A function with one window, in one of its spellings.
    fn windowed(&mut self, name: &str, ticker: &str) -> String {
        let days = 2 + self.below(9);
        match self.below(6) {
            0 => format!("({name}{ticker} {days})"),
            1 => format!("((unimplemented \"{name}\"){ticker} {{:window {days}}})"),
            _ => format!("({name}{ticker} {{:window {days}}})"),
        }
    }

    fn choice(&mut self, levels: usize, ranked: usize) -> Part {
        let condition = self.condition(3);
        let (then, mut parts) = self.branch(levels - 1, ranked);
        let (otherwise, more) = self.branch(levels - 1, ranked);
        parts.extend(more);
        let mut part = Self::around(format!("(if {condition} {then} {otherwise})"), &parts, false);
        part.depth += 1;
        part
    }

    fn condition(&mut self, levels: usize) -> String {
        if levels > 1 && self.below(4) == 0 {
            let (word, count) = (self.pick(&["and", "or"]), 1 + self.below(3));
            let parts: Vec<String> = (0..count).map(|_| self.condition(levels - 1)).collect();
            return format!("({word} {})", parts.join(" "));
        }
        if self.is_narrow {
            return self.narrow_comparison();
        }
        let ticker = format!(" \"{}\"", self.pick(&TICKERS));
        let sign = self.pick(&[">", "<", ">=", "<="]);
        match self.below(8) {
            // The only values that are surely equal however they are computed.
            0 => format!("(= (current-price{ticker}) (current-price{ticker}))"),
            1 => format!("(= (current-price{ticker}) 1e-3)"),
            2 | 3 => {
                let other = format!(" \"{}\"", self.pick(&TICKERS));
                let (left, right) = (self.price_function(&ticker), self.price_function(&other));
                format!("({sign} {left} {right})")
            }
            4 => {
                let level = 60 + self.below(90);
                format!("({sign} (current-price{ticker}) {level}.517)")
            }
            _ => {
                let name = self.pick(&MEASURED);
                let (left, level) = (self.windowed(name, &ticker), self.below(60));
                let level = if name == "rsi" { level + 21 } else { level / 20 };
                let minus = if name == "cumulative-return" { self.pick(&["-", ""]) } else { "" };
                format!("({sign} {left} {minus}{level}.319)")
            }
        }
    }
}

impl Draw {
    /// One of few values compared with one of few levels, or with another of them.
    fn narrow_comparison(&mut self) -> String {
        let levels: [(&str, &[&str]); 6] = [
            ("rsi", &["-1", "0", "30", "50", "70", "99.5", "100", "101"]),
            ("max-drawdown", &["-1", "0", "1", "3", "100"]),
            ("stdev-return", &["0", "1", "2"]),
            ("cumulative-return", &["-100", "-2", "0", "2"]),
            ("moving-average-price", &["0", "90", "100", "110"]),
            ("current-price", &["0", "90", "100", "110"]),
        ];
        let mut value = || {
            let (name, levels) = levels[self.below(levels.len())];
            let ticker = self.pick(&["AAA", "AAA", "BBB"]);
            let days = if name == "stdev-return" { "2" } else { self.pick(&["1", "2"]) };
            let window = if name == "current-price" { String::new() } else { format!(" {days}") };
            (format!("({name} \"{ticker}\"{window})"), self.pick(levels))
        };
        let (left, level) = value();
        let (other, _) = value();
        let sign = self.pick(&[">", "<", ">=", "<=", "="]);
        if self.below(3) == 0 {
            format!("({sign} {left} {other})")
        } else {
            format!("({sign} {left} {level})")
        }
    }
}

/// Forty days of six symbols: one is young, one has a hole, and nobody trades on one of the days.
pub(crate) fn market(seed: u32) -> Closes {
    let names = ["AAA", "BBB", "CCC", "YOUNG", "HOLED", "BRK.B"];
    let symbols: BTreeSet<Symbol> = names.map(|name| Symbol::parse(name).unwrap()).into();
    let mut market = closes(&symbols, seed);
    for (symbol, column) in &mut market {
        column.truncate(DAYS);
        match symbol.as_str() {
            "YOUNG" => column[..15].fill(None),
            "HOLED" => column[27] = None,
            _ => {}
        }
        column[22] = None;
    }
    market
}

/// The market of some symbols on the days on which any of them traded.
pub(crate) fn seen(market: &Closes, symbols: &BTreeSet<String>) -> Closes {
    let columns: BTreeMap<&String, &Vec<Option<f64>>> =
        market.iter().filter(|(symbol, _)| symbols.contains(*symbol)).collect();
    let traded: Vec<usize> =
        (0..DAYS).filter(|at| columns.values().any(|column| column[*at].is_some())).collect();
    let column = |column: &Vec<Option<f64>>| traded.iter().map(|at| column[*at]).collect();
    columns.into_iter().map(|(symbol, closes)| (symbol.clone(), column(closes))).collect()
}

pub(crate) fn read(text: &str) -> SymphonyEngine {
    let read = SymphonyEngine::read(StrategyName::parse("drawn").unwrap(), text);
    read.unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn agree(
    ours: &Result<Signal, StrategyError>,
    plain: &Result<reference::Portfolio, reference::Gap>,
) -> bool {
    match (ours, plain) {
        (Ok(signal), Ok(plain)) => {
            let ours = weights(signal);
            let more = |weight: f64| weight > WEIGHT_TOLERANCE;
            ours.iter().all(|(symbol, weight)| {
                let other = plain.get(symbol.as_str()).copied().unwrap_or(0.0);
                (weight - other).abs() <= WEIGHT_TOLERANCE
            }) && plain.iter().all(|(symbol, weight)| {
                !more(*weight) || ours.contains_key(&Symbol::parse(symbol).unwrap())
            })
        }
        (Err(StrategyError::Empty), Ok(plain)) => plain.is_empty(),
        (Err(_), Err(reference::Gap)) => true,
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

#[test]
fn ten_thousand_drawn_symphonies_mean_what_the_plain_evaluator_says() {
    let markets: Vec<Closes> = (1..=4).map(market).collect();
    let (mut decided, mut failed, mut empty, mut hairs) = (0, 0, 0, 0);
    let mut depths = BTreeSet::new();
    for seed in 0..TREES {
        let mut draw = Draw::new(seed);
        let text = draw.symphony();
        depths.extend(draw.parts.last().map(|part| part.depth));
        let engine = read(&text);
        let symbols = engine.needs().closes.keys().map(Symbol::to_string).collect();
        let market = &markets[usize::try_from(seed).unwrap() % markets.len()];
        let closes = seen(market, &symbols);
        let Some(days) = closes.values().map(Vec::len).max() else { continue }; // nothing but cash
        let at = days - 1 - draw.below(3);
        let ours = engine.evaluate(&histories(&closes), day(at));
        let plain = reference::weights(&closes, &reference::read(&text), at);
        match &ours {
            Ok(_) => decided += 1,
            Err(StrategyError::Empty) => empty += 1,
            Err(_) => failed += 1,
        }
        if !agree(&ours, &plain) {
            let near = ours.as_ref().ok().and_then(|signal| signal.confidence);
            assert!(near.is_some_and(|near| near < HAIR), "{seed}\n{text}\n{ours:?}\n{plain:?}");
            hairs += 1;
        }
    }
    claims_something(decided, 5_000);
    claims_something(failed, 500);
    claims_something(empty, 50);
    claims_something(depths.into_iter().max().unwrap(), DEPTH_MAX - 1);
    assert!(hairs <= 3, "{hairs} decisions by a hair");
}

#[test]
fn every_function_has_the_plain_ones_value_on_drawn_closes() {
    let mut compared = 0;
    let mut draw = Draw::new(7);
    for seed in 1..=40 {
        let market = market(seed);
        for closes in market.values().map(|column| column.iter().flatten().copied()) {
            let closes: Vec<f64> = closes.collect();
            for function in Function::ALL {
                let windows = [3, 9, 4].map(|least| least + draw.below(12));
                let measure =
                    Measure::with(function, windows.map(|days| u16::try_from(days).unwrap()));
                let ours = measure.of(&closes);
                match (ours, reference::indicator(function.name(), &windows, &closes)) {
                    (Ok(ours), Ok(plain)) => {
                        let apart = (ours - plain).abs() / plain.abs().max(1e-3);
                        assert!(apart < 1e-9, "{measure:?}: {ours} {plain}");
                        compared += 1;
                    }
                    (Err(_), Err(reference::Gap)) => {}
                    other => panic!("{measure:?}: {other:?}"),
                }
            }
        }
    }
    claims_something(compared, 2_000);
}

/// Closes at an enormous level that hardly move: what a sum of squares loses altogether, and a plain
/// second pass to the rounding of its mean. The whole numbers here are exact.
#[test]
fn tiny_moves_at_an_enormous_level_are_not_lost() {
    let mut draw = Draw::new(11);
    for level in [1_000_000_000_i64, 40_000_000_000, 4_000_000_000_000] {
        for window in [2_u16, 5, 20, 200] {
            // In sixteenths, which a float holds exactly.
            let sixteenths: Vec<i64> =
                (0..250).map(|_| 16 * level + i64::try_from(draw.below(9)).unwrap()).collect();
            let closes: Vec<f64> = sixteenths.iter().map(|close| exactly(*close) / 16.0).collect();
            let last = &sixteenths[sixteenths.len() - usize::from(window)..];
            let count = i64::from(window);
            let moves = || last.iter().map(|close| close - 16 * level);
            let (sum, squares) = (moves().sum::<i64>(), moves().map(|m| m * m).sum::<i64>());
            let variance =
                exactly(count * squares - sum * sum) / exactly(count * (count - 1)) / 256.0;
            let ours = Measure::over(Function::StdevPrice, window).of(&closes).unwrap();
            let apart = (ours - variance.sqrt()).abs() / variance.sqrt().max(1e-3);
            assert!(apart < 1e-9, "{level} {window}: {ours} {}", variance.sqrt());
            let mean = exactly(level) + exactly(sum) / exactly(16 * count);
            let ours = Measure::over(Function::MovingAveragePrice, window).of(&closes).unwrap();
            assert!((ours - mean).abs() / mean < 1e-9, "{level} {window}");
        }
    }
}

fn exactly(number: i64) -> f64 {
    let float: f64 = number.to_string().parse().unwrap();
    assert_eq!(format!("{float:.0}"), number.to_string());
    float
}

#[test]
fn ten_thousand_drawn_symphonies_are_written_and_read_again_as_they_were() {
    let mut words = BTreeMap::new();
    for seed in 0..TREES {
        let text = Draw::new(seed).symphony();
        let engine = read(&text);
        let (plain, steps) =
            (engine.write(Encoding::Text).unwrap(), engine.write(Encoding::Json).unwrap());
        for again in [read(&plain), read(&steps)] {
            assert_eq!(again.write(Encoding::Text).unwrap(), plain, "{seed}\n{text}");
            assert_eq!(again.write(Encoding::Json).unwrap(), steps, "{seed}\n{text}");
            assert_eq!((again.size(), again.title()), (engine.size(), engine.title()));
            assert_eq!(again.needs().closes, engine.needs().closes);
        }
        for word in plain.split(|sign: char| sign.is_whitespace() || "()[]{}".contains(sign)) {
            *words.entry(word.to_owned()).or_insert(0) += 1;
        }
    }
    // Every construct has its part in this.
    for word in PRICED.iter().chain(&MEASURED).chain(&[
        "current-price",
        "percentage-price-oscillator",
        "percentage-price-oscillator-signal",
        "and",
        "or",
        ">",
        "<",
        ">=",
        "<=",
        "=",
        "if",
        "filter",
        "group",
        "weight-equal",
        "weight-specified",
        "weight-inverse-volatility",
        "select-top",
        "select-bottom",
    ]) {
        claims_something(words.get(*word).copied().unwrap_or(0), 500);
    }
}

//! Whether the past was rewritten: the closes that a run decided on, held against what is told of
//! the same days later.
//!
//! Adjusted closes are scaled back after a dividend or a split, by one factor for every day before
//! it. No indicator changes by that, and no comparison of a symbol with itself, so the factor is
//! taken out first and is no revision. What is left is one, and may have turned a signal: the
//! strategies are asked again for the day they decided, on the closes of then with only the
//! rewritten days replaced. So neither a longer window, nor a rounded cent, nor the session that
//! came since can make the difference.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::market::{Histories, History};
use crate::domain::money::{Price, Weight};
use crate::domain::run::StrategyName;
use crate::domain::strategy::{Signal, StrategyError, StrategyOutcome, StrategySlot};
use crate::domain::symbol::Symbol;

/// Half of the cent to which adjusted closes are rounded.
const ROUNDING: f64 = 0.005;
/// What the last digits of a float can make of a ratio.
const FLOAT: f64 = 1e-9;
/// Digits after the point of a close that was brought to the scale of another.
const SCALED_DECIMALS: usize = 4;

/// What became of the closes that the run before decided on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hindsight {
    /// Nobody asked: the run made no plan, or its record is of before this was looked at.
    #[default]
    Unasked,
    /// There was nothing to compare with.
    Missing(Gap),
    /// They were compared.
    Compared {
        /// The last session they decided on.
        through: Date,
        /// Symbols that both know.
        symbols: usize,
        /// What was rewritten, the largest change first.
        revisions: Vec<Revision>,
    },
}

/// Why there is nothing to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gap {
    /// No run came before.
    FirstRun,
    /// The run before left no closes.
    NotKept,
    /// They could not be read.
    Unreadable,
    /// They were not there by the time the plan was made, which does not wait for them.
    Late,
}

/// One symbol's past that is told otherwise than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The symbol.
    pub symbol: Symbol,
    /// Days with another close, or with a close only then or only now.
    pub days: usize,
    /// The first of them.
    pub first: Date,
    /// The last of them.
    pub last: Date,
    /// The one that changed most.
    pub most: Date,
    /// Its close as it was decided on; `None` when there was none.
    pub was: Option<Price>,
    /// Its close as it is told now, at the scale of then; `None` when it is gone.
    pub is: Option<Price>,
    /// Whether the whole history was rescaled besides.
    pub rescaled: bool,
}

/// Two tellings of the same past.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The last session that was compared.
    pub through: Date,
    /// Symbols that both know.
    pub symbols: usize,
    /// What was rewritten, the largest change first.
    pub revisions: Vec<Revision>,
    /// The closes of then with the rewritten days as they are told now, at the scale of then.
    pub rewritten: Histories,
}

/// A strategy that would have decided otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Turned<'a> {
    /// The strategy.
    pub strategy: &'a StrategyName,
    /// The last session it decided on.
    pub as_of: Date,
    /// What it said.
    pub said: &'a Signal,
    /// What it would have said.
    pub would_say: Result<Signal, StrategyError>,
    /// What was rewritten of the symbols that it looks at.
    pub revisions: Vec<&'a Revision>,
}

impl Revision {
    /// How much the most changed close changed, as a fraction; `None` for one told only once.
    pub fn change(&self) -> Option<Decimal> {
        let (was, is) = (self.was?, self.is?);
        (is.usd() - was.usd()).ratio_to(was.usd())
    }
}

/// The closes of one day: then and now.
type Pair = (Option<f64>, Option<f64>);

/// The factor by which a history was rescaled, and how far off it may be.
#[derive(Clone, Copy)]
struct Scale {
    factor: f64,
    error: f64,
}

/// Compares the closes that were decided on, up to and including a day, with what is told now.
pub fn compare(then: &Histories, now: &Histories, through: Date) -> Comparison {
    let mut found: Vec<(f64, Revision)> = Vec::new();
    let mut rewritten = BTreeMap::new();
    let mut symbols = 0;
    for (symbol, before) in then.iter() {
        rewritten.insert(symbol.clone(), before.clone());
        let Some(after) = now.get(symbol) else { continue };
        let days = common(before, after, through);
        let Some(scale) = scale(&days) else { continue };
        symbols += 1;
        let changed: BTreeMap<Date, Pair> =
            days.into_iter().filter(|(_, pair)| scale.shows_change(*pair)).collect();
        if let Some(revision) = revision(symbol, &changed, scale) {
            found.push(revision);
            rewritten.insert(symbol.clone(), replaced(before, &changed, scale));
        }
    }
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let revisions = found.into_iter().map(|(_, revision)| revision).collect();
    Comparison { through, symbols, revisions, rewritten: Histories::new(rewritten) }
}

/// The strategies that said something and would have said something else, had the past been told
/// then as it is told now. One whose text is another by now, or that does not say the same on the
/// same closes any more, proves nothing about the closes.
pub fn turned<'a>(
    book: &'a [StrategySlot],
    decided: &'a [StrategyOutcome],
    then: &Histories,
    comparison: &'a Comparison,
) -> Vec<Turned<'a>> {
    let mut turned = Vec::new();
    for slot in book {
        let Ok(engine) = &slot.engine else { continue };
        let needs = engine.needs();
        let revisions = comparison.revisions.iter();
        let revisions: Vec<&Revision> =
            revisions.filter(|revision| needs.closes.contains_key(&revision.symbol)).collect();
        let outcome =
            decided.iter().find(|said| said.strategy == slot.name && said.hash == needs.hash);
        let Some(Ok(said)) = outcome.map(|outcome| &outcome.result) else { continue };
        let is_same = |signal: &Signal| wish(signal) == wish(said);
        if revisions.is_empty() || !engine.evaluate(then, said.as_of).is_ok_and(|s| is_same(&s)) {
            continue;
        }
        let would_say = engine.evaluate(&comparison.rewritten, said.as_of);
        if !would_say.as_ref().is_ok_and(is_same) {
            let (strategy, as_of) = (&slot.name, said.as_of);
            turned.push(Turned { strategy, as_of, said, would_say, revisions });
        }
    }
    turned
}

/// What a signal wants, whatever the order in which it says so.
fn wish(signal: &Signal) -> (BTreeMap<&Symbol, Weight>, Weight) {
    (signal.weights.iter().map(|(symbol, weight)| (symbol, *weight)).collect(), signal.cash)
}

/// The days that both tell of. Windows begin and end elsewhere every day; between the later
/// beginning and the earlier end, a day that one of them lacks was added or taken away.
fn common(then: &History, now: &History, through: Date) -> BTreeMap<Date, Pair> {
    let first = then.days().first().max(now.days().first()).copied();
    let last = then.last_day().min(now.last_day()).map(|last| last.min(through));
    let (Some(first), Some(last)) = (first, last) else { return BTreeMap::new() };
    let within = |history: &History| -> Vec<(Date, f64)> {
        let days = history.days().iter().zip(history.closes());
        let days = days.filter(|(day, _)| first <= **day && **day <= last);
        days.map(|(day, close)| (*day, *close)).collect()
    };
    let mut days: BTreeMap<Date, Pair> = BTreeMap::new();
    for (day, close) in within(then) {
        days.entry(day).or_default().0 = Some(close);
    }
    for (day, close) in within(now) {
        days.entry(day).or_default().1 = Some(close);
    }
    days
}

/// The factor of most days: the middle of all. `None` when no day is told twice.
fn scale(days: &BTreeMap<Date, Pair>) -> Option<Scale> {
    let both = days.values().filter_map(|(then, now)| Some(((*then)?, (*now)?)));
    let mut ratios: Vec<(f64, f64)> =
        both.map(|(then, now)| (now / then, rounding(then, now))).collect();
    ratios.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let (factor, error) = *ratios.get(ratios.len() / 2)?;
    let is_plain = (factor - 1.0).abs() <= FLOAT;
    Some(Scale { factor, error: if is_plain { 0.0 } else { error } })
}

/// How far rounded cents can move the ratio of two closes.
fn rounding(then: f64, now: f64) -> f64 {
    ROUNDING / then + ROUNDING / now
}

impl Scale {
    /// Whether most days have another close than before.
    fn is_rescaled(self) -> bool {
        self.error > 0.0
    }

    /// How far a day is from what the factor alone makes of it; beyond all when it is told once.
    fn distance(self, pair: Pair) -> f64 {
        let (Some(then), Some(now)) = pair else { return f64::INFINITY };
        (now / (then * self.factor) - 1.0).abs()
    }

    /// Whether a day says something else, and not only in the rounding of what was rescaled.
    fn shows_change(self, pair: Pair) -> bool {
        let rounded = match pair {
            (Some(then), Some(now)) if self.is_rescaled() => rounding(then, now) + self.error,
            _ => 0.0,
        };
        self.distance(pair) > rounded + FLOAT
    }

    /// A close of now at the scale of then.
    fn back(self, now: f64) -> f64 {
        if self.is_rescaled() { now / self.factor } else { now }
    }
}

/// One symbol's changes in short, with the largest distance; `None` without any.
fn revision(
    symbol: &Symbol,
    changed: &BTreeMap<Date, Pair>,
    scale: Scale,
) -> Option<(f64, Revision)> {
    let (first, last) = (*changed.keys().next()?, *changed.keys().next_back()?);
    let distances = changed.iter().map(|(day, pair)| (scale.distance(*pair), day, pair));
    let (distance, most, pair) = distances.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let exact = |close: f64| Price::parse(&close.to_string()).ok();
    let scaled = |close: f64| {
        let text = format!("{:.SCALED_DECIMALS$}", scale.back(close));
        Price::parse(&text).ok()
    };
    let is = pair.1.and_then(|now| if scale.is_rescaled() { scaled(now) } else { exact(now) });
    let revision = Revision {
        symbol: symbol.clone(),
        days: changed.len(),
        first,
        last,
        most: *most,
        was: pair.0.and_then(exact),
        is,
        rescaled: scale.is_rescaled(),
    };
    Some((distance, revision))
}

/// A history with some days as they are told now.
fn replaced(then: &History, changed: &BTreeMap<Date, Pair>, scale: Scale) -> History {
    let days = then.days().iter().copied().zip(then.closes().iter().copied());
    let mut closes: BTreeMap<Date, f64> = days.collect();
    for (day, (_, now)) in changed {
        match now {
            Some(now) => closes.insert(*day, scale.back(*now)),
            None => closes.remove(day),
        };
    }
    let (days, closes) = closes.into_iter().unzip();
    History::new(days, closes, Vec::new()).unwrap_or_else(|_| then.clone())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::symphony::SymphonyEngine;

    const DAYS: i8 = 20;
    const THROUGH: Date = date(2026, 1, DAYS);

    fn symbol(name: &str) -> Symbol {
        Symbol::parse(name).unwrap()
    }

    /// Twenty January days that rise from 100 by one a day.
    fn plain() -> Vec<(Date, f64)> {
        (1..=DAYS).map(|day| (date(2026, 1, day), 99.0 + f64::from(day))).collect()
    }

    /// The same with another close on some days; a close of zero is none.
    fn with(changes: &[(i8, f64)]) -> Vec<(Date, f64)> {
        let mut days: BTreeMap<Date, f64> = plain().into_iter().collect();
        for (day, close) in changes {
            days.insert(date(2026, 1, *day), *close);
        }
        days.into_iter().filter(|(_, close)| *close > 0.0).collect()
    }

    /// Every close times a factor, to the cent.
    fn rescaled(days: Vec<(Date, f64)>, factor: f64) -> Vec<(Date, f64)> {
        days.into_iter().map(|(day, c)| (day, (c * factor * 100.0).round() / 100.0)).collect()
    }

    fn market(symbols: &[(&str, Vec<(Date, f64)>)]) -> Histories {
        let history = |days: &[(Date, f64)]| {
            let (days, closes) = days.iter().copied().unzip();
            History::new(days, closes, Vec::new()).unwrap()
        };
        Histories::new(symbols.iter().map(|(name, days)| (symbol(name), history(days))).collect())
    }

    fn compared(now: Vec<(Date, f64)>) -> Comparison {
        compare(&market(&[("A", plain())]), &market(&[("A", now)]), THROUGH)
    }

    /// `3 from 5 to 7, most on 6: 105 then, 110 now`.
    fn told(comparison: &Comparison) -> Vec<String> {
        let close = |close: Option<Price>| close.map_or("none".to_owned(), |c| c.to_string());
        let line = |r: &Revision| {
            let (first, last, most) = (r.first.day(), r.last.day(), r.most.day());
            let (was, is) = (close(r.was), close(r.is));
            format!("{} from {first} to {last}, most on {most}: {was} then, {is} now", r.days)
        };
        comparison.revisions.iter().map(line).collect()
    }

    #[test]
    fn the_same_past_in_a_later_window_is_no_revision() {
        let mut now = with(&[(21, 500.0), (22, 1.0)]);
        now.drain(..3);
        let comparison = compared(now);
        assert_eq!((comparison.symbols, told(&comparison)), (1, vec![]));
        assert_eq!(comparison.rewritten, market(&[("A", plain())]));
    }

    #[test]
    fn a_dividend_and_a_split_rescale_everything_and_are_no_revision() {
        for factor in [0.9971, 0.9999, 0.1, 10.0, 0.05] {
            let comparison = compared(rescaled(plain(), factor));
            assert_eq!(told(&comparison), [""; 0], "{factor}");
            assert_eq!(comparison.rewritten, market(&[("A", plain())]), "{factor}");
        }
    }

    #[test]
    fn a_changed_day_is_named_with_both_closes() {
        let comparison = compared(with(&[(5, 103.01), (6, 110.0)]));
        assert_eq!(told(&comparison), ["2 from 5 to 6, most on 6: 105 then, 110 now"]);
        let expected = with(&[(5, 103.01), (6, 110.0)]);
        assert_eq!(comparison.rewritten, market(&[("A", expected)]));
    }

    #[test]
    fn a_changed_day_below_a_split_is_told_at_the_scale_of_then() {
        let comparison = compared(rescaled(with(&[(6, 110.0)]), 0.1));
        assert_eq!(told(&comparison), ["1 from 6 to 6, most on 6: 105 then, 110 now"]);
        assert!(comparison.revisions[0].rescaled);
    }

    #[test]
    fn a_past_that_is_rescaled_in_part_is_a_revision_of_the_smaller_part() {
        let mut now = rescaled(plain(), 0.99);
        now.splice(..4, plain().into_iter().take(4));
        let comparison = compared(now);
        assert_eq!(told(&comparison), ["4 from 1 to 4, most on 4: 103 then, 104.0404 now"]);
    }

    #[test]
    fn a_day_that_was_added_or_taken_away_is_a_revision() {
        assert_eq!(
            told(&compared(with(&[(6, 0.0)]))),
            ["1 from 6 to 6, most on 6: 105 then, none now"]
        );
        let then = market(&[("A", with(&[(6, 0.0)]))]);
        let comparison = compare(&then, &market(&[("A", plain())]), THROUGH);
        assert_eq!(told(&comparison), ["1 from 6 to 6, most on 6: none then, 105 now"]);
        assert_eq!(comparison.rewritten, market(&[("A", plain())]));
    }

    #[test]
    fn what_only_one_of_them_knows_is_not_compared() {
        let then = market(&[("A", plain()), ("B", plain())]);
        let now = market(&[("A", plain()[..2].to_vec()), ("C", with(&[(6, 1.0)]))]);
        let comparison = compare(&then, &now, THROUGH);
        assert_eq!((comparison.symbols, told(&comparison)), (1, vec![]));
        let empty = compare(&Histories::default(), &now, THROUGH);
        assert_eq!((empty.symbols, told(&empty)), (0, vec![]));
    }

    #[test]
    fn the_largest_change_comes_first() {
        let then = market(&[("A", plain()), ("B", plain()), ("C", plain())]);
        let now = market(&[
            ("A", with(&[(6, 106.0)])),
            ("B", with(&[(6, 0.0)])),
            ("C", with(&[(6, 120.0)])),
        ]);
        let order = compare(&then, &now, THROUGH).revisions;
        let order: Vec<&str> = order.iter().map(|revision| revision.symbol.as_str()).collect();
        assert_eq!(order, ["B", "C", "A"]);
    }

    /// Holds X while A is above its average of five days, else Y.
    const ABOVE_AVERAGE: &str = "(defsymphony \"t\" {} (if (> (current-price \"A\") \
        (moving-average-price \"A\" {:window 5})) [(asset \"X\")] [(asset \"Y\")]))";

    fn book(text: &str) -> Vec<StrategySlot> {
        let name = StrategyName::parse("mine").unwrap();
        let engine = SymphonyEngine::read(name.clone(), text).unwrap();
        vec![StrategySlot { name, allocation: Weight::ONE, engine: Ok(Box::new(engine)) }]
    }

    /// Who would have said what on the second telling, after deciding on the first.
    fn would_say(text: &str, now: Vec<(Date, f64)>) -> Vec<String> {
        let (book, then) = (book(text), market(&[("A", plain()), ("B", plain())]));
        let decided = crate::domain::signal::evaluate(&book, &then, THROUGH);
        let comparison = compare(&then, &market(&[("A", now), ("B", plain())]), THROUGH);
        let turned = turned(&book, &decided, &then, &comparison);
        let lines = turned.iter().map(|turned| match &turned.would_say {
            Ok(signal) => format!("{} {:?}", turned.strategy, wish(signal).0),
            Err(error) => format!("{}: {error}", turned.strategy),
        });
        lines.collect()
    }

    #[test]
    fn a_strategy_that_would_have_decided_otherwise_is_found() {
        let rewritten = would_say(ABOVE_AVERAGE, with(&[(18, 200.0)]));
        assert_eq!(rewritten, ["mine {Y: Weight(1)}"]);
        assert_eq!(would_say(ABOVE_AVERAGE, with(&[(18, 118.0)])), [""; 0]);
        assert_eq!(would_say(ABOVE_AVERAGE, with(&[(3, 200.0)])), [""; 0], "before the window");
    }

    #[test]
    fn a_past_that_leaves_a_strategy_without_a_signal_turns_it() {
        let whole = ABOVE_AVERAGE.replace(":window 5", ":window 20");
        let said = would_say(&whole, with(&[(6, 0.0)]));
        assert_eq!(said, ["mine: too few closes for A: 20-day average needs 20, have 19"]);
    }

    #[test]
    fn a_revision_of_what_a_strategy_does_not_look_at_is_not_its_concern() {
        let text = ABOVE_AVERAGE.replace("\"A\"", "\"B\"");
        assert_eq!(would_say(&text, with(&[(18, 200.0)])), [""; 0]);
    }

    #[test]
    fn another_text_or_another_word_on_the_same_closes_proves_nothing() {
        let (book, then) = (book(ABOVE_AVERAGE), market(&[("A", plain())]));
        let comparison = compare(&then, &market(&[("A", with(&[(18, 200.0)]))]), THROUGH);
        let decided = crate::domain::signal::evaluate(&book, &then, THROUGH);
        assert_eq!(turned(&book, &decided, &then, &comparison).len(), 1);
        let mut other_text = decided.clone();
        other_text[0].hash = "ab".repeat(32);
        assert_eq!(turned(&book, &other_text, &then, &comparison), []);
        let mut other_name = decided.clone();
        other_name[0].strategy = StrategyName::parse("other").unwrap();
        assert_eq!(turned(&book, &other_name, &then, &comparison), []);
        let mut other_word = decided.clone();
        other_word[0].result.as_mut().unwrap().weights[0].0 = symbol("Z");
        assert_eq!(turned(&book, &other_word, &then, &comparison), []);
        let mut failed = decided;
        failed[0].result = Err(StrategyError::Empty);
        assert_eq!(turned(&book, &failed, &then, &comparison), []);
    }
}

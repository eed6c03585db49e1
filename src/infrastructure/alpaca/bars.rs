//! Which daily bars to ask for together, and what becomes of them: columns of closes.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::market::{History, HistoryError};
use crate::domain::symbol::Symbol;

/// Bars the broker puts on one page, of all symbols together.
pub(super) const BARS_A_PAGE: usize = 10_000;
/// Bars a symbol usually has, so that its columns need not grow while they are read.
const BARS_USUAL: usize = 340;
/// Symbols of one request, so that its address stays within what servers accept.
const SYMBOLS_A_REQUEST: usize = 100;

/// Bars of one symbol.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Columns {
    days: Vec<Date>,
    closes: Vec<f64>,
    volumes: Vec<f64>,
}

/// Symbols asked for together, from a common first day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) symbols: Vec<Symbol>,
    pub(super) first: Date,
}

/// As few groups as the page size allows, each of which fits one page.
pub(super) fn groups(closes: &BTreeMap<Symbol, usize>, through: Date) -> Vec<Group> {
    let mut wanted: Vec<(&Symbol, usize)> = closes.iter().map(|(s, count)| (s, *count)).collect();
    wanted.sort_by_key(|(_, count)| std::cmp::Reverse(*count)); // like needs together
    let mut rest = wanted.as_slice();
    let mut groups = Vec::new();
    while let Some((_, longest)) = rest.first() {
        let days = calendar_days(*longest);
        let room = (BARS_A_PAGE / weekdays(days)).clamp(1, SYMBOLS_A_REQUEST).min(rest.len());
        let (group, after) = rest.split_at(room);
        let symbols = group.iter().map(|(symbol, _)| (*symbol).clone()).collect();
        let span = jiff::Span::new().days(i64::try_from(days).unwrap_or(i64::MAX));
        groups.push(Group { symbols, first: through.saturating_sub(span) });
        rest = after;
    }
    groups
}

/// Calendar days that surely hold so many sessions: a year has about 252, and two weeks on top
/// cover a cluster of holidays or an unplanned closure.
fn calendar_days(sessions: usize) -> usize {
    sessions.min(BARS_A_PAGE).saturating_mul(29) / 20 + 15
}

/// At most this many sessions lie in so many calendar days.
const fn weekdays(days: usize) -> usize {
    days * 5 / 7 + 2
}

impl Columns {
    /// Empty columns.
    pub(super) fn with_room() -> Self {
        Self {
            days: Vec::with_capacity(BARS_USUAL),
            closes: Vec::with_capacity(BARS_USUAL),
            volumes: Vec::with_capacity(BARS_USUAL),
        }
    }

    /// Adds a bar.
    pub(super) fn push(&mut self, day: Date, close: f64, volume: f64) {
        self.days.push(day);
        self.closes.push(close);
        self.volumes.push(volume);
    }

    /// Adds the bars of a later page.
    pub(super) fn append(&mut self, mut later: Self) {
        if self.days.is_empty() {
            *self = later;
            return;
        }
        self.days.append(&mut later.days);
        self.closes.append(&mut later.closes);
        self.volumes.append(&mut later.volumes);
    }

    /// The last `count` bars no later than `through`, in order; a bar sent twice counts once.
    ///
    /// # Errors
    /// [`HistoryError`] when two bars of a day differ or a close is no price.
    pub(super) fn history(mut self, through: Date, count: usize) -> Result<History, HistoryError> {
        if !self.days.is_sorted_by(|a, b| a < b) {
            self.sort();
        }
        let end = self.days.partition_point(|day| *day <= through);
        let start = end.saturating_sub(count);
        if self.volumes.iter().any(|volume| !volume.is_finite()) {
            self.volumes.clear(); // better none than a gap
        }
        let Self { days, closes, volumes } = self;
        History::new(cut(days, start, end), cut(closes, start, end), cut(volumes, start, end))
    }

    fn sort(&mut self) {
        let mut bars: Vec<(Date, f64, f64)> = (self.days.iter().zip(&self.closes))
            .zip(&self.volumes)
            .map(|((day, close), volume)| (*day, *close, *volume))
            .collect();
        bars.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        bars.dedup_by(|a, b| a.0 == b.0 && a.1.total_cmp(&b.1).is_eq());
        self.days = bars.iter().map(|bar| bar.0).collect();
        self.closes = bars.iter().map(|bar| bar.1).collect();
        self.volumes = bars.iter().map(|bar| bar.2).collect();
    }
}

/// The part of a column from `start` up to `end`, in its own memory.
fn cut<T>(mut column: Vec<T>, start: usize, end: usize) -> Vec<T> {
    column.truncate(end);
    column.drain(..start.min(column.len()));
    column
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn symbol(text: &str) -> Symbol {
        Symbol::parse(text).unwrap()
    }

    #[test]
    fn groups_fit_a_page_and_are_as_few_as_can_be() {
        let through = date(2026, 11, 19);
        let wants = |symbols: usize, closes: usize| -> BTreeMap<Symbol, usize> {
            (0..symbols).map(|n| (symbol(&format!("S{n}")), closes)).collect()
        };
        for (symbols, closes, requests) in [(1, 250, 1), (50, 250, 2), (70, 250, 2), (70, 300, 3)] {
            let groups = groups(&wants(symbols, closes), through);
            assert_eq!(groups.len(), requests, "{symbols} x {closes}");
            let asked: usize = groups.iter().map(|group| group.symbols.len()).sum();
            assert_eq!(asked, symbols);
            for group in &groups {
                let days = through.since((jiff::Unit::Day, group.first)).unwrap().get_days();
                let sessions = usize::try_from(days).unwrap() * 252 / 365;
                assert!(sessions >= closes && group.symbols.len() * sessions <= BARS_A_PAGE);
            }
        }
        assert!(groups(&BTreeMap::new(), through).is_empty());
        let mut mixed = wants(40, 250);
        mixed.insert(symbol("LONG"), 900);
        assert_eq!(groups(&mixed, through)[0].symbols[0], symbol("LONG"));
    }

    #[test]
    fn bars_twice_or_out_of_order_are_put_right_and_contradictions_refused() {
        let columns = |closes: [f64; 3]| Columns {
            days: vec![date(2026, 1, 6), date(2026, 1, 5), date(2026, 1, 6)],
            closes: closes.to_vec(),
            volumes: vec![1.0, 2.0, 1.0],
        };
        let history = columns([11.0, 10.0, 11.0]).history(date(2026, 1, 9), 9).unwrap();
        assert_eq!(history.closes(), [10.0, 11.0]);
        let contradiction = columns([11.0, 10.0, 12.0]).history(date(2026, 1, 9), 9);
        assert!(matches!(contradiction, Err(HistoryError::Unordered(_))));
    }
}

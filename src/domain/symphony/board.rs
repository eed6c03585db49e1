//! Closes side by side: one column per symbol, aligned by session date.
//!
//! Indicators of a symbol see its own bars only: a day without a bar is no observation. A
//! portfolio's history needs all its members on the same days, so the board also knows the
//! sessions: every day on which any symbol of the strategy has a bar. Nothing is filled in. A
//! missing bar is an error for whoever needs it.

use jiff::civil::Date;

use crate::domain::market::{Histories, History};
use crate::domain::strategy::StrategyError;
use crate::domain::symbol::Symbol;
use crate::domain::symphony::fault::{Fault, Missing};
use crate::domain::symphony::tree::{SymbolId, Tree};

/// The histories of a strategy's symbols up to the decision day.
pub(crate) struct Board<'m> {
    symbols: &'m [Symbol],
    columns: Vec<Column<'m>>,
    /// Days that already are all sessions; else those that were merged are.
    shared: Option<&'m [Date]>,
    merged: Vec<Date>,
}

/// What a board leaves behind for the next one.
#[derive(Debug, Default)]
pub(crate) struct Boards {
    columns: Vec<Column<'static>>,
    sessions: Vec<Date>,
}

#[derive(Debug)]
struct Column<'m> {
    days: &'m [Date],
    closes: &'m [f64],
    /// Session of the first bar, when every session from there on has a bar.
    first: Option<usize>,
}

impl<'m> Board<'m> {
    /// Lays out the columns; nothing after `as_of` is seen.
    ///
    /// Without `looks_back` the only session is the decision day, which spares the alignment.
    pub(crate) fn lay(
        tree: &'m Tree,
        market: &'m Histories,
        as_of: Date,
        looks_back: bool,
        left: Boards,
    ) -> Self {
        // Nothing is in them but their room.
        let mut columns: Vec<Column<'m>> =
            left.columns.into_iter().map(Column::shortened).collect();
        columns
            .extend(tree.symbols.iter().map(|symbol| Column::through(market.get(symbol), as_of)));
        let mut merged = left.sessions;
        let shared = if looks_back {
            align(&mut columns, as_of, &mut merged)
        } else {
            merged.push(as_of);
            None
        };
        Self { symbols: &tree.symbols, columns, shared, merged }
    }

    /// What it leaves behind.
    pub(crate) fn clear(mut self) -> Boards {
        self.columns.clear();
        self.merged.clear();
        let columns = self.columns.into_iter().map(|_| Column::NOTHING).collect();
        Boards { columns, sessions: self.merged }
    }

    /// All sessions, oldest first; the decision day is the last.
    pub(crate) fn sessions(&self) -> &[Date] {
        self.shared.unwrap_or(&self.merged)
    }

    /// The date of a session.
    pub(crate) fn date(&self, session: usize) -> Date {
        self.sessions()[session]
    }

    /// All closes of a symbol, oldest first.
    #[inline]
    pub(crate) fn closes(&self, symbol: SymbolId) -> &'m [f64] {
        self.columns[symbol.index()].closes
    }

    /// The place of a symbol's bar of a session among its closes.
    #[inline]
    pub(crate) fn bar(&self, symbol: SymbolId, session: usize) -> Result<usize, Fault> {
        let column = &self.columns[symbol.index()];
        if let Some(first) = column.first
            && session >= first
        {
            return Ok(session - first);
        }
        let day = self.date(session);
        let found = column.days.binary_search(&day);
        found.map_err(|_| Fault::Missing(Missing::Bar(symbol, session)))
    }

    /// A symbol's return from the session before to this one, as a fraction.
    pub(crate) fn daily_return(&self, symbol: SymbolId, session: usize) -> Result<f64, Fault> {
        let closes = self.closes(symbol);
        let (before, now) = (self.bar(symbol, session - 1)?, self.bar(symbol, session)?);
        Ok(closes[now] / closes[before] - 1.0)
    }

    /// That a symbol has no bar of a session, and which is its last before that.
    pub(crate) fn absence(&self, symbol: SymbolId, session: usize) -> StrategyError {
        let (column, day) = (&self.columns[symbol.index()], self.date(session));
        let after = column.days.partition_point(|other| *other < day);
        let symbol = self.symbols[symbol.index()].clone();
        match after.checked_sub(1).map(|last| column.days[last]) {
            Some(last) => StrategyError::Stale { symbol, last, expected: day },
            None => StrategyError::NoHistory { symbol },
        }
    }
}

impl Column<'static> {
    const NOTHING: Self = Self { days: &[], closes: &[], first: None };
}

impl<'m> Column<'m> {
    /// One that lives longer, for a shorter time.
    fn shortened(longer: Column<'static>) -> Self {
        longer
    }

    fn through(history: Option<&'m History>, as_of: Date) -> Self {
        let (days, closes) =
            history.map_or((&[][..], &[][..]), |history| (history.days(), history.closes()));
        let end = days.partition_point(|day| *day <= as_of);
        Self { days: &days[..end], closes: &closes[..end], first: None }
    }
}

/// The union of all days, ending with the decision day. Usually the longest column is already
/// that and the others are its tails; then nothing is copied, and it is the answer.
fn align<'m>(
    columns: &mut [Column<'m>],
    as_of: Date,
    merged: &mut Vec<Date>,
) -> Option<&'m [Date]> {
    let longest = columns.iter().map(|column| column.days).max_by_key(|days| days.len());
    let longest = longest.unwrap_or_default();
    let covers = |column: &Column<'_>| {
        column.first.is_some() || column.days.iter().all(|day| longest.binary_search(day).is_ok())
    };
    find_tails(columns, longest);
    if longest.last() == Some(&as_of) && columns.iter().all(covers) {
        return Some(longest);
    }
    merged.extend(columns.iter().flat_map(|column| column.days.iter().copied()).chain([as_of]));
    merged.sort_unstable();
    merged.dedup();
    find_tails(columns, merged);
    None
}

/// Marks the columns that have every session from their first bar on.
fn find_tails(columns: &mut [Column<'_>], sessions: &[Date]) {
    for column in columns {
        // Most symbols share their days.
        let tail = std::ptr::eq(sessions, column.days) || sessions.ends_with(column.days);
        column.first = tail.then(|| sessions.len() - column.days.len());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;
    use crate::domain::symphony::read::read;
    use crate::domain::symphony::tree::Node;

    const TEXT: &str = "(defsymphony \"t\" {} (weight-equal [(asset \"A\") (asset \"B\")]))";

    fn market(a: &[i8], b: &[i8]) -> Histories {
        let history = |days: &[i8]| {
            let closes = days.iter().map(|day| f64::from(*day)).collect();
            History::new(days.iter().map(|day| date(2026, 1, *day)).collect(), closes, vec![])
        };
        Histories::new(BTreeMap::from([
            (Symbol::parse("A").unwrap(), history(a).unwrap()),
            (Symbol::parse("B").unwrap(), history(b).unwrap()),
        ]))
    }

    fn bars(a: &[i8], b: &[i8]) -> Vec<[Option<usize>; 2]> {
        let tree = read(TEXT).unwrap();
        let market = market(a, b);
        let board = Board::lay(&tree, &market, date(2026, 1, 9), true, Boards::default());
        let ids = [0, 1].map(|at| {
            let Node::Asset(symbol) = tree.nodes[at] else { panic!("an asset") };
            symbol
        });
        (0..board.sessions().len()).map(|at| ids.map(|id| board.bar(id, at).ok())).collect()
    }

    #[test]
    fn a_young_symbol_lines_up_with_the_last_sessions() {
        assert_eq!(
            bars(&[5, 6, 7, 8, 9], &[8, 9]),
            [
                [Some(0), None],
                [Some(1), None],
                [Some(2), None],
                [Some(3), Some(0)],
                [Some(4), Some(1)]
            ]
        );
    }

    #[test]
    fn a_hole_is_missing_on_its_day_only() {
        assert_eq!(
            bars(&[7, 8, 9], &[7, 9]),
            [[Some(0), Some(0)], [Some(1), None], [Some(2), Some(1)]]
        );
        assert_eq!(bars(&[7, 9], &[8, 9]), [[Some(0), None], [None, Some(0)], [Some(1), Some(1)]]);
    }

    #[test]
    fn days_after_the_decision_are_not_seen_and_a_stale_symbol_is_missing_today() {
        assert_eq!(
            bars(&[8, 9, 10], &[7, 8]),
            [[None, Some(0)], [Some(0), Some(1)], [Some(1), None]]
        );
    }
}

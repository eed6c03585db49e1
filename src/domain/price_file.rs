//! A file of daily closes: a line `date,close` as heading, then one line per session.
//!
//! For offline runs and for explaining a strategy; a run at the broker never reads one. Only the
//! text is read here, files are opened elsewhere. Volumes are left out: few sources have them.

use jiff::civil::Date;

use crate::domain::market::{History, HistoryError};

/// Longest file accepted: two hundred years of sessions.
const LINES_MAX: usize = 50_400;

/// Why a price file cannot be read; lines count from 1.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PriceFileError {
    /// The first line is not the heading.
    #[error("line 1: expected the heading `date,close`, found {0:?}")]
    Heading(String),
    /// A line is not a date and a close.
    #[error("line {line}: expected `date,close` such as `2026-11-20,663.4`, found {found:?}")]
    Line {
        /// Its number.
        line: usize,
        /// The line, shortened.
        found: String,
    },
    /// The columns are no history.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The file is longer than any history.
    #[error("more than {LINES_MAX} lines")]
    TooLong,
}

/// Reads a price file's text.
///
/// # Errors
/// [`PriceFileError`] with the line; a broken row is never skipped.
pub fn parse(text: &str) -> Result<History, PriceFileError> {
    let shortened = |line: &str| line.chars().take(60).collect::<String>();
    let mut lines = text.lines().map(str::trim_end).enumerate();
    match lines.next() {
        Some((_, "date,close")) => {}
        other => {
            return Err(PriceFileError::Heading(shortened(other.map_or("", |(_, line)| line))));
        }
    }
    let (mut days, mut closes) = (Vec::new(), Vec::new());
    for (number, line) in lines {
        if number > LINES_MAX {
            return Err(PriceFileError::TooLong);
        }
        if line.is_empty() {
            continue;
        }
        let row = line
            .split_once(',')
            .and_then(|(day, close)| Some((day.parse::<Date>().ok()?, close.parse::<f64>().ok()?)));
        let Some((day, close)) = row else {
            return Err(PriceFileError::Line { line: number + 1, found: shortened(line) });
        };
        days.push(day);
        closes.push(close);
    }
    Ok(History::new(days, closes, Vec::new())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        let history = parse("date,close\n2026-01-02,10.25\r\n2026-01-05,10.5\n").unwrap();
        assert_eq!(history.closes(), [10.25, 10.5]);
    }

    #[test]
    fn a_broken_row_is_named_and_never_skipped() {
        let error = parse("date,close\n2026-01-02,10.25\n2026-01-05;10.5\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 3: expected `date,close` such as `2026-11-20,663.4`, found \"2026-01-05;10.5\""
        );
        for text in ["", "Date,Close\n", "date,close\n2026-13-01,1\n", "date,close\n2026-01-02,\n"]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(matches!(
            parse("date,close\n2026-01-02,-1\n"),
            Err(PriceFileError::History(HistoryError::BadClose { .. }))
        ));
    }
}

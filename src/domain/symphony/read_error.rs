//! Why a text is no symphony, and where.

use std::ops::Range;

/// Longest piece of the text shown in an error.
const FOUND_LENGTH_MAX: usize = 48;

/// A text that is no symphony: where, what was expected there, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: expected {expected}, found {found}")]
pub struct ReadError {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What should stand there.
    pub expected: String,
    /// What stands there, shortened.
    pub found: String,
    /// The bytes of the text that it is about.
    pub span: Range<usize>,
    /// What was probably meant, where that can be guessed.
    pub hint: Option<String>,
}

impl ReadError {
    /// With a guess at what was meant.
    pub(crate) fn hinted(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// A piece of text on one line, cut to a length that fits a mail.
pub(crate) fn shortened(piece: &str) -> String {
    let mut words = String::new();
    for word in piece.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.extend(word.chars().take(FOUND_LENGTH_MAX + 1));
        if words.chars().count() > FOUND_LENGTH_MAX {
            return words.chars().take(FOUND_LENGTH_MAX).chain(" ..".chars()).collect();
        }
    }
    words
}

//! A number on its way between float and decimal.

use std::fmt;

/// A short number as text, without asking for memory.
#[derive(Debug, Default)]
pub(super) struct Digits {
    text: [u8; 16],
    length: usize,
}

impl Digits {
    /// What was written.
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }
}

impl fmt::Write for Digits {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let end = self.length + piece.len();
        self.text.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(piece.as_bytes());
        self.length = end;
        Ok(())
    }
}

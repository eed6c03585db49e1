//! The name of a listed share or fund.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest symbol accepted; listed ones have at most five letters and a class suffix.
const SYMBOL_LENGTH_MAX: usize = 12;

/// A ticker in the broker's spelling: capitals and digits, a share class after a dot (`BRK.B`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(Arc<str>);

/// The text is not a ticker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a ticker: {0:?}")]
pub struct SymbolError(String);

impl Symbol {
    /// Reads a ticker; the class separators `/` and `-` become the broker's dot.
    ///
    /// # Errors
    /// [`SymbolError`] for anything that is not one to twelve capitals, digits and at most one separator.
    ///
    /// ```
    /// use alchemiser::domain::symbol::Symbol;
    /// assert_eq!(Symbol::parse("BRK/B")?.as_str(), "BRK.B");
    /// assert!(Symbol::parse("^VIX").is_err());
    /// # Ok::<(), alchemiser::domain::symbol::SymbolError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, SymbolError> {
        let refused = || SymbolError(text.chars().take(40).collect());
        let spelt: String =
            text.chars().map(|c| if matches!(c, '/' | '-') { '.' } else { c }).collect();
        let (root, class) = match spelt.split_once('.') {
            Some((root, class)) => (root, Some(class)),
            None => (spelt.as_str(), None),
        };
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        };
        let right = plain(root)
            && root.starts_with(|c: char| c.is_ascii_uppercase())
            && class.is_none_or(plain)
            && spelt.len() <= SYMBOL_LENGTH_MAX;
        if right { Ok(Self(Arc::from(spelt))) } else { Err(refused()) }
    }

    /// The ticker as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Symbol {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Symbol {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Symbol {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_shares_take_the_brokers_spelling() {
        for text in ["BRK.B", "BRK/B", "BRK-B"] {
            assert_eq!(Symbol::parse(text).unwrap().to_string(), "BRK.B");
        }
    }

    #[test]
    fn what_is_no_ticker_is_refused() {
        for text in [
            "",
            "spy",
            "SPY ",
            "^VIX",
            "A.B.C",
            ".B",
            "A.",
            "1ABC",
            "ABCDEFGHIJKLM",
            "BTC//USD",
            "ΑΒΓ",
        ] {
            assert!(Symbol::parse(text).is_err(), "{text:?}");
        }
    }
}

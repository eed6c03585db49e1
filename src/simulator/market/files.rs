//! A market from a folder of `SYMBOL.csv` files of daily closes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::domain::market::History;
use crate::domain::price_file::{self, PriceFileError};
use crate::domain::symbol::Symbol;
use crate::simulator::calendar::TradingDays;
use crate::simulator::market::Market;

/// Most files read from one folder.
const FILES_MAX: usize = 2_000;

/// Why a folder is no market.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder or a file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// Which one.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is no price file.
    #[error("{path}: {source}")]
    Malformed {
        /// Which one.
        path: String,
        /// Why.
        #[source]
        source: PriceFileError,
    },
    /// There is nothing to trade in it.
    #[error("no price files such as SPY.csv in {0}")]
    Empty(String),
}

/// A market of every `SYMBOL.csv` of a folder; the exchange opens on the dates that the files name.
///
/// # Errors
/// [`FolderError`] when a file cannot be read or understood, or when there is none.
pub fn folder(path: &Path, aliases: &BTreeMap<Symbol, String>) -> Result<Market, FolderError> {
    let histories = histories(path, aliases)?;
    let dates: BTreeSet<_> = histories.values().flat_map(|h| h.days().iter().copied()).collect();
    let mut market = Market::new(TradingDays::listed(dates));
    for (symbol, history) in &histories {
        market.list(symbol.clone(), history);
    }
    Ok(market)
}

/// The closes of every `SYMBOL.csv` of a folder.
///
/// `aliases` lists a symbol from another's file, such as FNGU from `FNGU_EXT.csv`. Files whose
/// name is neither a ticker nor an alias's source are passed over.
///
/// # Errors
/// [`FolderError`] when a file cannot be read or understood, or when there is none.
pub fn histories(
    path: &Path,
    aliases: &BTreeMap<Symbol, String>,
) -> Result<BTreeMap<Symbol, History>, FolderError> {
    let unreadable =
        |path: &Path, source| FolderError::Unreadable { path: path.display().to_string(), source };
    let mut stems = BTreeSet::new();
    for entry in fs::read_dir(path).map_err(|e| unreadable(path, e))?.take(FILES_MAX) {
        let name = entry.map_err(|e| unreadable(path, e))?.file_name();
        if let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".csv")) {
            stems.insert(stem.to_owned());
        }
    }
    let mut read = BTreeMap::new();
    for stem in &stems {
        let Ok(symbol) = Symbol::parse(stem) else { continue };
        read.entry(symbol).or_insert_with(|| stem.clone());
    }
    for (symbol, stem) in aliases {
        read.insert(symbol.clone(), stem.clone());
    }
    let mut histories = BTreeMap::new();
    for (symbol, stem) in read {
        let file = path.join(format!("{stem}.csv"));
        let text = fs::read_to_string(&file).map_err(|e| unreadable(&file, e))?;
        let malformed =
            |source| FolderError::Malformed { path: file.display().to_string(), source };
        histories.insert(symbol, price_file::parse(&text).map_err(malformed)?);
    }
    if histories.is_empty() {
        return Err(FolderError::Empty(path.display().to_string()));
    }
    Ok(histories)
}

//! A strategy from a file of the operator's.

use std::path::Path;

use crate::domain::run::StrategyName;
use crate::domain::symphony::SymphonyEngine;
use crate::interface::cli::Trouble;

/// Reads a strategy file in either encoding; the strategy is named after the file.
pub(super) fn read(path: &Path) -> Result<SymphonyEngine, Trouble> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
    let name = stem.and_then(|stem| StrategyName::parse(&stem).ok());
    let name = match name {
        Some(name) => name,
        None => StrategyName::parse("symphony").map_err(|e| Trouble::setting(e, "report this"))?,
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Trouble::setting(format!("{}: {error}", path.display()), "name a strategy file that exists")
    })?;
    SymphonyEngine::read(name, &text).map_err(|error| {
        Trouble::setting(format!("{}: {error}", path.display()), "correct the strategy file")
    })
}

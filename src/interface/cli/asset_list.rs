//! The broker's list of assets, kept in a file for work without a network.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::domain::symbol::Symbol;
use crate::interface::cli::Trouble;

/// An entry of the broker's answer, of which only this matters.
#[derive(Debug, Deserialize)]
struct Listed {
    symbol: String,
    tradable: Option<bool>,
}

/// Reads the broker's answer (`GET /v2/assets`), a JSON list of tickers, or a ticker per line with
/// `#` before remarks: which symbols there are, and whether each can be traded.
pub(super) fn assets(path: &Path) -> Result<BTreeMap<Symbol, bool>, Trouble> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let next = "give the broker's list of assets as JSON, or a ticker per line";
    let text =
        std::fs::read_to_string(path).map_err(|error| Trouble::setting(named(&error), next))?;
    let found = parse(&text).map_err(|error| Trouble::setting(named(&error), next))?;
    if found.is_empty() {
        return Err(Trouble::setting(named(&"no ticker in it"), next));
    }
    Ok(found)
}

fn parse(text: &str) -> Result<BTreeMap<Symbol, bool>, serde_json::Error> {
    // A name that is no ticker of ours, such as a coin pair, cannot be asked for either.
    let known = |(name, may): (&str, bool)| Some((Symbol::parse(name).ok()?, may));
    if !text.trim_start().starts_with('[') {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        return Ok(lines.filter_map(|line| known((line, true))).collect());
    }
    if let Ok(names) = serde_json::from_str::<Vec<String>>(text) {
        return Ok(names.iter().filter_map(|name| known((name, true))).collect());
    }
    let listed: Vec<Listed> = serde_json::from_str(text)?;
    let entries = listed.iter().map(|one| (one.symbol.as_str(), one.tradable.unwrap_or(true)));
    Ok(entries.filter_map(known).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, bool)> {
        let found = parse(text).unwrap();
        found.into_iter().map(|(symbol, may)| (symbol.to_string(), may)).collect()
    }

    #[test]
    fn a_list_comes_as_the_brokers_answer_as_names_or_as_lines() {
        let lines = read("# funds\nSPY\n BRK.B # a class\n\nBTC/USD1234567\n");
        assert_eq!(lines, [("BRK.B".to_owned(), true), ("SPY".to_owned(), true)]);
        assert_eq!(read("[\"SPY\", \"BRK/B\"]"), lines);
        let answer = r#"[{"symbol": "SPY", "tradable": true, "class": "us_equity"},
                         {"symbol": "OLD", "tradable": false}, {"symbol": "NEW"}]"#;
        let rows = [("NEW", true), ("OLD", false), ("SPY", true)];
        assert_eq!(read(answer), rows.map(|(name, may)| (name.to_owned(), may)));
        assert!(parse("[{\"name\": \"SPY\"}]").is_err());
    }
}

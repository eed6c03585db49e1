//! Tickers against what is known of them outside of the text: the broker's list, and closes.

use std::collections::BTreeMap;

use crate::domain::market::Histories;
use crate::domain::spelling::meant;
use crate::domain::symbol::Symbol;
use crate::domain::symphony::lint::finding::{Code, Finding, Findings};
use crate::domain::symphony::measure::Measure;
use crate::domain::symphony::places::{Place, Places};
use crate::domain::symphony::tree::{Measured, SeriesId, Tree};

/// What a strategy is held against besides its own text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Against<'a> {
    /// Symbols that the broker lists, and whether each can be traded.
    pub assets: Option<&'a BTreeMap<Symbol, bool>>,
    /// Closes.
    pub histories: Option<&'a Histories>,
}

/// What a ticker is there for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Use {
    Held,
    Measured,
}

/// Looks up every ticker and every indicator.
pub(crate) fn look(tree: &Tree, outline: &Places, against: &Against<'_>, findings: &mut Findings) {
    if let Some(assets) = against.assets {
        for (symbol, place) in &outline.held {
            if let Some(finding) = listed(tree.symbol(*symbol), place, assets, Use::Held) {
                findings.add((symbol.index(), 0), finding);
            }
        }
        for (series, place) in &outline.looked_at {
            let Measured::Closes(symbol) = tree.series(*series).of else { continue };
            if let Some(finding) = listed(tree.symbol(symbol), place, assets, Use::Measured) {
                findings.add((symbol.index(), 0), finding);
            }
        }
    }
    for (series, place) in &outline.looked_at {
        long_enough(tree, *series, place, against, findings);
    }
}

fn listed(
    symbol: &Symbol,
    place: &Place,
    assets: &BTreeMap<Symbol, bool>,
    made: Use,
) -> Option<Finding> {
    match assets.get(symbol) {
        None => {
            let what = format!("{symbol} is not in the list of assets");
            let near = meant(symbol.as_str(), assets.keys().map(Symbol::as_str));
            let next = near
                .unwrap_or_else(|| "correct the ticker, or use a fund that is listed".to_owned());
            let why = "without closes the strategy fails on every path that needs them";
            Some(Finding::new(Code::UnknownTicker, place, what, &next).because(why))
        }
        Some(false) if made == Use::Held => {
            let what = format!("{symbol} is listed and cannot be traded");
            let why = "its part of the strategy would stay uninvested";
            let next = "use another fund in its place";
            Some(Finding::new(Code::NotTradable, place, what, next).because(why))
        }
        Some(_) => None,
    }
}

/// Whether the closes of an indicator fill its window.
pub(crate) fn long_enough(
    tree: &Tree,
    id: SeriesId,
    place: &Place,
    against: &Against<'_>,
    findings: &mut Findings,
) {
    let series = tree.series(id);
    let (Some(histories), Measured::Closes(symbol)) = (against.histories, series.of) else {
        return;
    };
    let symbol = tree.symbol(symbol);
    let have = histories.get(symbol).map_or(0, |history| history.closes().len());
    let needed = Measure::closes_needed(series.measure);
    if have >= needed {
        return;
    }
    let what = match have {
        0 => format!("there are no closes of {symbol}"),
        _ => format!(
            "{} of {symbol} needs {needed} closes and there are {have}",
            series.measure.words()
        ),
    };
    let finding = Finding::new(
        Code::ShortHistory,
        place,
        what,
        "shorten the window, or measure a fund that is older",
    )
    .because("the strategy fails on every path that needs it");
    findings.add((id.index(), 1), finding);
}

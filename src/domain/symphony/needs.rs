//! What a tree looks at, how far back, and what it may name: derived from the tree alone.
//!
//! The rule, for one symbol: the most, over all its uses, of
//! `max(250, 10 x windows of a recursion, closes any other function needs) + lookback of the use`.
//! A use on the decision day has lookback 0. A portfolio that is ranked or weighed by its own
//! history is evaluated on earlier days as well: everything inside it has the lookback of the
//! ranking plus the returns the score needs (for a recursion the greater of 250 and 10 windows).
//! Lookbacks add up when such portfolios nest. With this much history the weights are those of
//! the whole history, to within what is left of a recursion's start after ten windows.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::hash::sha256_hex;
use crate::domain::strategy::Needs;
use crate::domain::symbol::Symbol;
use crate::domain::symphony::function::Function;
use crate::domain::symphony::measure::Measure;
use crate::domain::symphony::tree::{Measured, Node, NodeId, SymbolId, Tree};

/// Most closes ever asked for of a symbol: the longest page of bars the broker sends, forty
/// years of sessions. Only absurdly nested rankings reach it.
const CLOSES_MAX: usize = 10_000;
/// Closes of a symbol that is only held: what its price is measured by when it is one day old.
const HELD: Measure = Measure::over(Function::CurrentPrice, 1);

/// The needs of a tree read from a text.
pub(crate) fn of(tree: &Tree, text: &str) -> Needs {
    let mut closes = BTreeMap::new();
    let lookbacks = lookbacks(tree);
    for (node, lookback) in tree.nodes.iter().zip(&lookbacks) {
        let Some(lookback) = *lookback else { continue };
        let mut ask = |symbol: SymbolId, measure: Measure| {
            let wanted = measure.closes_wanted().saturating_add(lookback).min(CLOSES_MAX);
            let asked = closes.entry(tree.symbol(symbol).clone()).or_insert(0);
            *asked = wanted.max(*asked);
        };
        if let Node::Asset(symbol) = node {
            ask(*symbol, HELD);
        }
        node.each_series(|id| {
            let series = tree.series(id);
            if let Measured::Closes(symbol) = series.of {
                ask(symbol, series.measure);
            }
        });
    }
    let nameable = nameable(tree);
    Needs { closes, nameable, rebalance: tree.rebalance, hash: sha256_hex(text.as_bytes()) }
}

/// For each node the days before the decision day on which it may be evaluated; `None` for
/// nodes that the root does not reach.
fn lookbacks(tree: &Tree) -> Vec<Option<usize>> {
    let mut lookbacks: Vec<Option<usize>> = vec![None; tree.nodes.len()];
    lookbacks[tree.root.index()] = Some(0);
    // Parents have higher numbers than their children, so each node is final when visited.
    for at in (0..tree.nodes.len()).rev() {
        let Some(lookback) = lookbacks[at] else { continue };
        let node = &tree.nodes[at];
        let mut reach = |child: NodeId, days: usize| {
            let known = &mut lookbacks[child.index()];
            *known = Some(days.max(known.unwrap_or(0)));
        };
        node.each_child(|child| reach(child, lookback));
        node.each_series(|id| {
            let series = tree.series(id);
            if let Measured::Portfolio(child) = series.of {
                let returns = series.measure.returns_wanted();
                reach(child, lookback.saturating_add(returns));
            }
        });
    }
    lookbacks
}

fn nameable(tree: &Tree) -> BTreeSet<Symbol> {
    let assets = tree.nodes.iter().filter_map(|node| match node {
        Node::Asset(symbol) => Some(tree.symbol(*symbol).clone()),
        Node::Cash
        | Node::Equal(_)
        | Node::Specified(_)
        | Node::InverseVolatility { .. }
        | Node::If { .. }
        | Node::Group { .. }
        | Node::Filter { .. } => None,
    });
    assets.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::symphony::read::read;

    fn closes(body: &str) -> Vec<(String, usize)> {
        let text = format!("(defsymphony \"t\" {{}} {body})");
        let needs = of(&read(&text).unwrap(), &text);
        needs.closes.into_iter().map(|(symbol, closes)| (symbol.to_string(), closes)).collect()
    }

    fn row(symbol: &str, closes: usize) -> (String, usize) {
        (symbol.to_owned(), closes)
    }

    #[test]
    fn what_is_only_held_or_lightly_measured_needs_a_year() {
        let body = "(if (> (rsi \"SPY\" {:window 10}) 79) [(asset \"UVXY\")] [(asset \"SPY\")])";
        assert_eq!(closes(body), [row("SPY", 250), row("UVXY", 250)]);
    }

    #[test]
    fn long_windows_ask_for_more() {
        let body = "(if (> (rsi \"QQQ\" {:window 90}) (cumulative-return \"SPY\" {:window 400})) \
                    [(asset \"A\")] [(asset \"A\")])";
        assert_eq!(closes(body), [row("A", 250), row("QQQ", 900), row("SPY", 401)]);
    }

    #[test]
    fn inside_a_ranked_group_the_lookback_is_added() {
        let inner = "(group \"g\" [(if (> (rsi \"SPY\" {:window 30}) 50) [(asset \"A\")] [])])";
        let by_volatility =
            format!("(filter (stdev-return {{:window 5}}) (select-top 1) [{inner} (asset \"B\")])");
        assert_eq!(closes(&by_volatility), [row("A", 255), row("B", 250), row("SPY", 305)]);
        let nested = format!(
            "(filter (rsi {{:window 40}}) (select-top 1) [(group \"h\" [{by_volatility}])])"
        );
        assert_eq!(closes(&nested), [row("A", 655), row("B", 650), row("SPY", 705)]);
    }

    #[test]
    fn only_assets_are_nameable_not_what_is_merely_looked_at() {
        let text = "(defsymphony \"t\" {:rebalance-threshold 0.1} \
                    (if (> (current-price \"SPY\") 1) [(asset \"A\")] [(asset \"BRK/B\")]))";
        let needs = of(&read(text).unwrap(), text);
        let names: Vec<String> = needs.nameable.iter().map(Symbol::to_string).collect();
        assert_eq!(names, ["A", "BRK.B"]);
        assert_eq!(needs.hash, sha256_hex(text.as_bytes()));
    }
}

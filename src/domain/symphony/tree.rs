//! The decision tree: nodes in one column, children before parents, identical subtrees once.
//!
//! Texts have no labels, so they repeat whole subtrees; each distinct one is stored once and
//! named by its number. Indicators are interned as well: a *series* is a measure of a symbol's
//! closes or of a portfolio's own returns, and a condition or a score is the number of one.

use std::hash::Hash;

use indexmap::IndexSet;

use crate::domain::strategy::Rebalance;
use crate::domain::symbol::Symbol;
use crate::domain::symphony::condition::{Condition, Operand};
use crate::domain::symphony::measure::Measure;

/// Most distinct nodes of a tree. The largest known symphony has 1,831.
const NODES_MAX: usize = 50_000;
/// Deepest nesting of nodes: whatever is read in one encoding can be written and read in the
/// other. The deepest known symphony has about 145 levels.
pub(crate) const DEPTH_MAX: u16 = 190;
/// Most distinct indicators of a tree; symbols are bounded by them and by the nodes.
const SERIES_MAX: usize = 50_000;

/// Number of a node; a child's is smaller than its parents'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(u16);

/// Number of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SymbolId(u16);

/// Number of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SeriesId(u16);

/// A finite number that can be compared and hashed by its bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Constant(u64);

/// A whole strategy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    pub(crate) title: String,
    pub(crate) rebalance: Rebalance,
    pub(crate) root: NodeId,
    pub(crate) nodes: Vec<Node>,
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) series: Vec<Series>,
    /// Nodes whose past returns are asked for more than once: those measured by their own
    /// history, and those with several parents.
    pub(crate) remembered: Vec<bool>,
    /// Series that are looked at on earlier days too, inside what is measured by its own history.
    pub(crate) past: Vec<bool>,
    /// True when some part is measured by its own history.
    pub(crate) looks_back: bool,
}

/// What stands at a place of the tree: always a portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    Asset(SymbolId),
    /// A branch left empty.
    Cash,
    Equal(Box<[NodeId]>),
    Specified(Box<[(Constant, NodeId)]>),
    InverseVolatility {
        /// Each member with its volatility.
        members: Box<[Candidate]>,
        by: Measure,
    },
    If {
        condition: Condition,
        then: NodeId,
        otherwise: NodeId,
    },
    Group {
        title: Box<str>,
        child: NodeId,
    },
    Filter {
        by: Measure,
        pick: Pick,
        count: u16,
        candidates: Box<[Candidate]>,
    },
}

/// Which end of a ranking is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Pick {
    Top,
    Bottom,
}

/// A ranked or weighed child and its score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Candidate {
    pub(crate) node: NodeId,
    pub(crate) score: SeriesId,
}

/// A measure of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Series {
    pub(crate) of: Measured,
    pub(crate) measure: Measure,
}

/// What has a history to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Measured {
    /// A symbol's closes.
    Closes(SymbolId),
    /// The returns of the portfolio that a node stands for.
    Portfolio(NodeId),
}

/// The tree is larger than any real strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooLarge {
    /// More distinct parts.
    Parts,
    /// Nodes nested deeper.
    Depth,
}

/// Nodes on their way to a tree; every reader of a strategy fills one.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    nodes: IndexSet<Node>,
    /// Levels of nodes from each one down, itself included.
    depths: Vec<u16>,
    symbols: IndexSet<Symbol>,
    series: IndexSet<Series>,
}

impl Arena {
    /// The number of a node, new or known.
    pub(crate) fn node(&mut self, node: Node) -> Result<NodeId, TooLarge> {
        let mut below = 0;
        node.each_child(|child| below = below.max(self.depths[child.index()]));
        if below >= DEPTH_MAX {
            return Err(TooLarge::Depth);
        }
        let number = number(&mut self.nodes, node, NODES_MAX)?;
        if self.depths.len() < self.nodes.len() {
            self.depths.push(below + 1);
        }
        Ok(NodeId(number))
    }

    /// The number of a symbol that is known by this very text.
    pub(crate) fn known_symbol(&self, text: &str) -> Option<SymbolId> {
        let place = self.symbols.get_index_of(text)?;
        u16::try_from(place).ok().map(SymbolId)
    }

    /// The number of a symbol, new or known.
    pub(crate) fn symbol(&mut self, symbol: Symbol) -> Result<SymbolId, TooLarge> {
        number(&mut self.symbols, symbol, NODES_MAX).map(SymbolId)
    }

    /// The number of a series, new or known.
    pub(crate) fn series(&mut self, series: Series) -> Result<SeriesId, TooLarge> {
        number(&mut self.series, series, SERIES_MAX).map(SeriesId)
    }

    /// A child with its score: an asset by its closes, anything else by its own returns.
    pub(crate) fn candidate(&mut self, id: NodeId, by: Measure) -> Result<Candidate, TooLarge> {
        let of = match self.nodes[id.index()] {
            Node::Asset(symbol) => Measured::Closes(symbol),
            Node::Cash
            | Node::Equal(_)
            | Node::Specified(_)
            | Node::InverseVolatility { .. }
            | Node::If { .. }
            | Node::Group { .. }
            | Node::Filter { .. } => Measured::Portfolio(id),
        };
        Ok(Candidate { node: id, score: self.series(Series { of, measure: by })? })
    }

    /// True when a node is a plain asset.
    pub(crate) fn is_asset(&self, id: NodeId) -> bool {
        matches!(self.nodes[id.index()], Node::Asset(_))
    }

    /// The finished tree.
    pub(crate) fn into_tree(self, title: String, rebalance: Rebalance, root: NodeId) -> Tree {
        let nodes: Vec<Node> = self.nodes.into_iter().collect();
        let symbols = self.symbols.into_iter().collect();
        let series: Vec<Series> = self.series.into_iter().collect();
        let remembered = remembered(&nodes, &series);
        let past = past(&nodes, &series);
        let looks_back = series.iter().any(|series| matches!(series.of, Measured::Portfolio(_)));
        Tree { title, rebalance, root, nodes, symbols, series, remembered, past, looks_back }
    }
}

fn remembered(nodes: &[Node], series: &[Series]) -> Vec<bool> {
    let mut parents = vec![0_usize; nodes.len()];
    for node in nodes {
        node.each_child(|child| parents[child.index()] += 1);
    }
    for series in series {
        match series.of {
            Measured::Portfolio(node) => parents[node.index()] += 2,
            Measured::Closes(_) => {}
        }
    }
    let simple = |node: &Node| matches!(node, Node::Asset(_) | Node::Cash);
    nodes.iter().zip(parents).map(|(node, parents)| parents > 1 && !simple(node)).collect()
}

fn past(nodes: &[Node], series: &[Series]) -> Vec<bool> {
    let mut inside = vec![false; nodes.len()];
    for series in series {
        if let Measured::Portfolio(node) = series.of {
            inside[node.index()] = true;
        }
    }
    let mut past = vec![false; series.len()];
    // Children have smaller numbers than their parents.
    for (at, node) in nodes.iter().enumerate().rev() {
        if inside[at] {
            node.each_child(|child| inside[child.index()] = true);
        }
    }
    for (node, _) in nodes.iter().zip(inside).filter(|(_, inside)| *inside) {
        node.each_series(|id| past[id.index()] = true);
    }
    past
}

/// The number of a part, new or known.
fn number<T: Hash + Eq>(parts: &mut IndexSet<T>, part: T, most: usize) -> Result<u16, TooLarge> {
    let (place, is_new) = parts.insert_full(part);
    if is_new && place >= most {
        parts.pop();
        return Err(TooLarge::Parts);
    }
    u16::try_from(place).map_err(|_| TooLarge::Parts)
}

impl Tree {
    /// The node of a number.
    #[inline]
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The series of a number.
    #[inline]
    pub(crate) fn series(&self, id: SeriesId) -> Series {
        self.series[id.index()]
    }

    /// The symbol of a number.
    pub(crate) fn symbol(&self, id: SymbolId) -> &Symbol {
        &self.symbols[id.index()]
    }

    /// What a node is called in explanations and errors.
    pub(crate) fn label(&self, id: NodeId) -> String {
        match self.node(id) {
            Node::Asset(symbol) => self.symbol(*symbol).to_string(),
            Node::Cash => "cash".to_owned(),
            Node::Group { title, .. } => title.to_string(),
            Node::Equal(_) | Node::Specified(_) | Node::InverseVolatility { .. } => {
                format!("untitled weighting {}", id.0)
            }
            Node::If { .. } => format!("untitled choice {}", id.0),
            Node::Filter { .. } => format!("untitled ranking {}", id.0),
        }
    }

    /// What a series measures, as explanations and errors call it.
    pub(crate) fn measured(&self, of: Measured) -> String {
        match of {
            Measured::Closes(symbol) => self.symbol(symbol).to_string(),
            Measured::Portfolio(node) => self.label(node),
        }
    }
}

impl Node {
    /// Calls `visit` with every child, in listed order.
    pub(crate) fn each_child(&self, mut visit: impl FnMut(NodeId)) {
        match self {
            Self::Asset(_) | Self::Cash => {}
            Self::Equal(children) => children.iter().copied().for_each(visit),
            Self::Specified(children) => children.iter().for_each(|(_, child)| visit(*child)),
            Self::InverseVolatility { members: candidates, .. }
            | Self::Filter { candidates, .. } => {
                candidates.iter().for_each(|candidate| visit(candidate.node));
            }
            Self::If { then, otherwise, .. } => {
                visit(*then);
                visit(*otherwise);
            }
            Self::Group { child, .. } => visit(*child),
        }
    }

    /// Calls `visit` with every series that it looks at itself.
    pub(crate) fn each_series(&self, mut visit: impl FnMut(SeriesId)) {
        match self {
            Self::If { condition, .. } => {
                condition.each_comparison(&mut |comparison| {
                    visit(comparison.left);
                    match comparison.right {
                        Operand::Series(right) => visit(right),
                        Operand::Number(_) => {}
                    }
                });
            }
            Self::InverseVolatility { members: candidates, .. }
            | Self::Filter { candidates, .. } => {
                candidates.iter().for_each(|candidate| visit(candidate.score));
            }
            Self::Asset(_)
            | Self::Cash
            | Self::Equal(_)
            | Self::Specified(_)
            | Self::Group { .. } => {}
        }
    }
}

impl NodeId {
    /// Its place in the column of nodes.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl SymbolId {
    /// Its place in the column of symbols.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl SeriesId {
    /// Its place in the column of series.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl Constant {
    /// A number; minus zero becomes zero so that both are the same constant.
    pub(crate) fn new(value: f64) -> Self {
        Self((value + 0.0).to_bits())
    }

    /// The number.
    pub(crate) fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identical_subtrees_are_stored_once() {
        let mut arena = Arena::default();
        let mut pair = || {
            let one = arena.symbol(Symbol::parse("SPY").unwrap()).unwrap();
            let spy = arena.node(Node::Asset(one)).unwrap();
            arena.node(Node::Equal(Box::new([spy, spy]))).unwrap()
        };
        assert_eq!(pair(), pair());
        assert_eq!((arena.nodes.len(), arena.symbols.len()), (2, 1));
    }

    #[test]
    fn a_tree_beyond_any_real_strategy_is_refused() {
        let mut arena = Arena::default();
        let mut last = arena.node(Node::Cash).unwrap();
        for _ in 1..DEPTH_MAX {
            last = arena.node(Node::Equal(Box::new([last]))).unwrap();
        }
        assert_eq!(arena.node(Node::Equal(Box::new([last]))), Err(TooLarge::Depth));
        let titled = |at: usize| Node::Group { title: at.to_string().into(), child: NodeId(0) };
        for at in usize::from(DEPTH_MAX)..NODES_MAX {
            arena.node(titled(at)).unwrap();
        }
        assert_eq!(arena.node(titled(0)), Err(TooLarge::Parts));
    }
}

//! Where the parts of a tree stand in its text, for a check.
//!
//! Identical parts are one node of the tree, so places are kept per occurrence: the reader notes each
//! node and each condition as it completes it, children before parents, and [`Places::occurrences`]
//! makes the tree of occurrences from that. Reading alone keeps none of it.

use std::ops::Range;

use crate::domain::symphony::condition::Condition;
use crate::domain::symphony::form::ReadError;
use crate::domain::symphony::tree::{Node, NodeId, SeriesId, SymbolId, Tree};

/// Most errors of one text that are told; the rest is likely to follow from them.
pub(crate) const ERRORS_MAX: usize = 20;

/// Bytes of the text.
pub(crate) type Place = Range<usize>;

/// What the reader notes on its way.
#[derive(Debug, Default)]
pub(crate) struct Places {
    nodes: Vec<Planted>,
    /// Every condition, parts before the compound that joins them.
    conditions: Vec<Place>,
    /// Every ticker that may be held.
    pub(crate) held: Vec<(SymbolId, Place)>,
    /// Every indicator of a ticker.
    pub(crate) looked_at: Vec<(SeriesId, Place)>,
    /// What could not be read.
    pub(crate) errors: Vec<ReadError>,
}

#[derive(Debug)]
struct Planted {
    node: NodeId,
    place: Place,
    /// Conditions noted before it.
    conditions: usize,
}

/// One occurrence of a node.
#[derive(Debug, Clone)]
pub(crate) struct Occurrence {
    pub(crate) node: NodeId,
    pub(crate) place: Place,
    /// For a choice, where the places of its condition begin in [`Occurrences::conditions`]: parts
    /// before the compound that joins them.
    pub(crate) condition: usize,
    children: Range<usize>,
}

/// The tree of occurrences.
#[derive(Debug, Default)]
pub(crate) struct Occurrences {
    all: Vec<Occurrence>,
    children: Vec<usize>,
    pub(crate) conditions: Vec<Place>,
}

impl Places {
    /// Notes a node whose children are noted.
    pub(crate) fn note_node(&mut self, node: NodeId, place: &Place) {
        let conditions = self.conditions.len();
        self.nodes.push(Planted { node, place: place.clone(), conditions });
    }

    /// Notes a condition whose parts are noted.
    pub(crate) fn note_condition(&mut self, place: &Place) {
        self.conditions.push(place.clone());
    }

    /// The tree of occurrences of a tree that was read without an error.
    pub(crate) fn occurrences(&mut self, tree: &Tree) -> Occurrences {
        let nodes = std::mem::take(&mut self.nodes);
        let mut found = Occurrences {
            all: Vec::with_capacity(nodes.len()),
            children: Vec::with_capacity(nodes.len()),
            conditions: std::mem::take(&mut self.conditions),
        };
        // What no parent has taken yet. A choice takes its children and its condition, also in a
        // chain, whose conditions stand first to last and whose choices are planted last to first.
        let (mut roots, mut open, mut noted) = (Vec::new(), Vec::new(), 0);
        for Planted { node, place, conditions } in nodes {
            open.extend(noted..conditions);
            noted = conditions;
            let mut count = 0;
            tree.node(node).each_child(|_| count += 1);
            let first = found.children.len();
            found.children.extend(roots.drain(roots.len().saturating_sub(count)..));
            let mut condition = 0;
            if let Node::If { condition: decides, .. } = tree.node(node) {
                let begins = open.len().saturating_sub(decides.size());
                condition = open.drain(begins..).next().unwrap_or(0);
            }
            roots.push(found.all.len());
            let children = first..found.children.len();
            found.all.push(Occurrence { node, place, condition, children });
        }
        found
    }
}

impl Occurrences {
    /// The whole tree's.
    pub(crate) fn root(&self) -> Option<&Occurrence> {
        self.all.last()
    }

    /// The children of an occurrence, in listed order.
    pub(crate) fn children(&self, of: &Occurrence) -> impl Iterator<Item = &Occurrence> {
        self.children[of.children.clone()].iter().map(|child| &self.all[*child])
    }
}

impl Condition {
    /// How many conditions it is made of, itself included.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Compare(_) => 1,
            Self::All(parts) | Self::Any(parts) => 1 + parts.iter().map(Self::size).sum::<usize>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::symphony::form::Source;
    use crate::domain::symphony::read::survey;
    use crate::domain::symphony::write::{Encoding, write};
    use bumpalo::Bump;

    /// Every occurrence as its text, parents first, a choice with the text of its condition.
    fn texts(text: &str) -> Vec<String> {
        let (tree, mut outline) = survey(text, &Source(text).form(&Bump::new()).unwrap()).unwrap();
        let occurrences = outline.occurrences(&tree);
        let mut found = Vec::new();
        let mut left = vec![occurrences.root().unwrap()];
        while let Some(at) = left.pop() {
            let mut said = text[at.place.clone()].to_owned();
            if let Node::If { condition, .. } = tree.node(at.node) {
                let whole = at.condition + condition.size() - 1;
                said = format!("{} ? {said}", &text[occurrences.conditions[whole].clone()]);
            }
            found.push(said);
            let mut children: Vec<_> = occurrences.children(at).collect();
            children.reverse();
            left.extend(children);
        }
        found
    }

    #[test]
    fn every_occurrence_has_its_place_and_a_choice_its_condition() {
        let (high, low) = ("(> (rsi \"A\" 5) 79)", "(< (rsi \"A\" 5) 20)");
        let inner = format!("(if (and {high} {low}) (asset \"A\") [])");
        let body = format!("(weight-equal {inner} (if {low} [{inner} (asset \"B\")] {inner}))");
        let found = texts(&format!("(defsymphony \"t\" {{}} {body})"));
        let compound = format!("(and {high} {low}) ? {inner}");
        let expected = [
            &body,
            &compound,
            "(asset \"A\")",
            "[]",
            &format!("{low} ? (if {low} [{inner} (asset \"B\")] {inner})"),
            &format!("[{inner} (asset \"B\")]"),
            &compound,
            "(asset \"A\")",
            "[]",
            "(asset \"B\")",
            &compound,
            "(asset \"A\")",
            "[]",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_chain_of_steps_keeps_each_condition_with_its_branch() {
        let asset = |name: &str| format!("{{\"step\":\"asset\",\"ticker\":\"{name}\"}}");
        let way = |level: u8, inside: &str| {
            format!(
                "{{\"step\":\"if-child\",\"lhs-fn\":\"current-price\",\"lhs-val\":\"A\",\
                 \"comparator\":\"gt\",\"rhs-val\":\"{level}\",\"children\":[{inside}]}}"
            )
        };
        let last = |inside: &str| {
            format!("{{\"step\":\"if-child\",\"is-else-condition?\":true,\"children\":[{inside}]}}")
        };
        let choice =
            |ways: &[String]| format!("{{\"step\":\"if\",\"children\":[{}]}}", ways.join(","));
        let inner = choice(&[way(7, &asset("C")), last(&asset("D"))]);
        let chain = choice(&[way(1, &inner), way(2, &asset("E")), last(&asset("F"))]);
        let text = format!("{{\"step\":\"root\",\"name\":\"t\",\"children\":[{chain}]}}");
        let found = texts(&text);
        let level = |said: &str| said.split("rhs-val\":\"").nth(1).map(|rest| rest[..1].to_owned());
        let levels: Vec<_> = found.iter().map(|said| level(said)).collect();
        let some = |level: &str| Some(level.to_owned());
        assert_eq!(levels, [some("1"), some("7"), None, None, some("2"), None, None]);
        let (tree, _) = survey(&text, &Source(&text).form(&Bump::new()).unwrap()).unwrap();
        assert!(write(&tree, Encoding::Text).is_ok());
    }
}

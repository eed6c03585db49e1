//! Weightings, rankings and choices that do not do what their writer may think.

use std::collections::BTreeMap;

use crate::domain::opposites::{number, opposites};
use crate::domain::symphony::lint::finding::{Code, Finding, Findings};
use crate::domain::symphony::places::{Occurrence, Occurrences};
use crate::domain::symphony::tree::{Node, NodeId, SymbolId, Tree};

/// What each node surely holds whenever it is held at all.
pub(crate) struct Portfolios {
    /// Funds with opposites, by their number in the list; at most 128.
    surely: Vec<u128>,
    /// By number in the list of funds, those on the other side.
    against: Vec<u128>,
    /// By number in the list of funds, the tree's symbol.
    symbols: BTreeMap<usize, SymbolId>,
}

impl Portfolios {
    /// Works it out from the assets up.
    pub(crate) fn of(tree: &Tree) -> Self {
        let mut symbols = BTreeMap::new();
        for node in &tree.nodes {
            if let Node::Asset(symbol) = node
                && let Some(fund) = number(tree.symbol(*symbol))
            {
                symbols.insert(fund, *symbol);
            }
        }
        let mut against = vec![0; 128];
        for (one, symbol) in &symbols {
            for (other, rival) in &symbols {
                if opposites(tree.symbol(*symbol), tree.symbol(*rival)).is_some() {
                    against[*one] |= 1 << other;
                }
            }
        }
        let mut surely: Vec<u128> = Vec::with_capacity(tree.nodes.len());
        for node in &tree.nodes {
            let held = held(tree, node, &surely);
            surely.push(held);
        }
        Self { surely, against, symbols }
    }

    /// Looks at one occurrence.
    pub(crate) fn look(
        &self,
        tree: &Tree,
        occurrences: &Occurrences,
        at: &Occurrence,
        findings: &mut Findings,
    ) {
        match tree.node(at.node) {
            Node::Asset(_) | Node::Cash | Node::Group { .. } => {}
            Node::If { then, otherwise, .. } => {
                if then == otherwise {
                    same_branches(at, occurrences, findings);
                }
            }
            Node::Equal(_) | Node::InverseVolatility { .. } => {
                duplicates(tree, occurrences, at, findings);
                self.cancelling(tree, occurrences, at, findings);
            }
            Node::Specified(children) => {
                for (place, (weight, child)) in children.iter().enumerate() {
                    if weight.value() <= 0.0 {
                        weightless(tree, *child, place, (at, occurrences), findings);
                    }
                }
                duplicates(tree, occurrences, at, findings);
                self.cancelling(tree, occurrences, at, findings);
            }
            Node::Filter { count, candidates, .. } => {
                let count = usize::from(*count);
                if count >= candidates.len() {
                    picks_all(at, (count, candidates.len()), findings);
                }
                duplicates(tree, occurrences, at, findings);
                if count >= 2 {
                    self.cancelling(tree, occurrences, at, findings);
                }
            }
        }
    }

    /// Two children that hold two sides of one index.
    fn cancelling(
        &self,
        tree: &Tree,
        occurrences: &Occurrences,
        at: &Occurrence,
        findings: &mut Findings,
    ) {
        let weightless = |place: usize| {
            let Node::Specified(children) = tree.node(at.node) else { return false };
            children.get(place).is_some_and(|(weight, _)| weight.value() <= 0.0)
        };
        // By fund, the first child that holds it.
        let mut holders: BTreeMap<usize, &Occurrence> = BTreeMap::new();
        let mut held = 0_u128;
        for (place, child) in occurrences.children(at).enumerate() {
            let own = self.surely[child.node.index()];
            if own == 0 || weightless(place) {
                continue;
            }
            for fund in self.symbols.keys().filter(|fund| own & (1 << **fund) != 0) {
                let rivals = self.against[*fund] & held & !own;
                if rivals != 0
                    && let Some(rival) = self.symbols.keys().find(|one| rivals & (1 << **one) != 0)
                    && let Some(holder) = holders.get(rival)
                {
                    let pair = [self.symbols[rival], self.symbols[fund]];
                    cancelling_pair(tree, at, (pair, [holder, child]), findings);
                }
                holders.entry(*fund).or_insert(child);
            }
            held |= own;
        }
    }
}

fn cancelling_pair(
    tree: &Tree,
    at: &Occurrence,
    (pair, places): ([SymbolId; 2], [&Occurrence; 2]),
    findings: &mut Findings,
) {
    let [first, second] = pair.map(|symbol| tree.symbol(symbol));
    let Some(known) = opposites(first, second) else { return };
    let [one, other] = known.tenths.map(|tenths| f64::from(tenths) / 10.0);
    let is_choosy = matches!(tree.node(at.node), Node::Filter { count, candidates, .. }
        if usize::from(*count) < candidates.len());
    let how = if is_choosy { "can be picked together" } else { "are held together" };
    let what = format!("{first} ({one}x) and {second} ({other}x) {how}");
    let why = format!("both follow {}: they cancel, and each costs its fee", known.follow);
    let next = "hold one side of it, or less of it and the rest in cash";
    let finding = Finding::new(Code::SelfCancelling, &places[1].place, what, next)
        .because(why)
        .beside(&places[0].place, format!("{first} here"));
    findings.add((at.node.index(), pair[1].index()), finding);
}

fn held(tree: &Tree, node: &Node, surely: &[u128]) -> u128 {
    let of = |child: NodeId| surely[child.index()];
    match node {
        Node::Asset(symbol) => number(tree.symbol(*symbol)).map_or(0, |fund| 1 << fund),
        Node::Cash => 0,
        Node::Group { child, .. } => of(*child),
        Node::Equal(children) => children.iter().fold(0, |all, child| all | of(*child)),
        Node::Specified(children) => {
            let weighty = children.iter().filter(|(weight, _)| weight.value() > 0.0);
            weighty.fold(0, |all, (_, child)| all | of(*child))
        }
        Node::InverseVolatility { members, .. } => {
            members.iter().fold(0, |all, member| all | of(member.node))
        }
        Node::If { then, otherwise, .. } => of(*then) & of(*otherwise),
        Node::Filter { count, candidates, .. } => {
            let picks_all = usize::from(*count) >= candidates.len();
            let whole = if picks_all { 0 } else { u128::MAX };
            let (all, common) = candidates
                .iter()
                .fold((0, whole), |(all, common), one| (all | of(one.node), common & of(one.node)));
            if picks_all { all } else { common }
        }
    }
}

fn same_branches(at: &Occurrence, occurrences: &Occurrences, findings: &mut Findings) {
    let branches: Vec<&Occurrence> = occurrences.children(at).collect();
    let [then, otherwise] = branches[..] else { return };
    let what = "both branches are the same".to_owned();
    let next = "put the branch in place of the choice, or correct one of the two";
    let finding = Finding::new(Code::SameBranches, &otherwise.place, what, next)
        .because("whatever the condition says, nothing changes")
        .beside(&then.place, "the other branch");
    findings.add((at.node.index(), 0), finding);
}

fn duplicates(tree: &Tree, occurrences: &Occurrences, at: &Occurrence, findings: &mut Findings) {
    let mut known: BTreeMap<NodeId, (&Occurrence, Option<&Occurrence>, usize)> = BTreeMap::new();
    for child in occurrences.children(at) {
        let (_, second, count) = known.entry(child.node).or_insert((child, None, 0));
        *count += 1;
        if *count > 1 {
            second.get_or_insert(child);
        }
    }
    for (node, (first, second, count)) in known {
        let Some(second) = second else { continue };
        let (why, next) = if let Node::Filter { count, .. } = tree.node(at.node) {
            let why = match count {
                1 => "only ties are decided by it: the copy listed first wins",
                _ => "each copy takes a place of its own among those picked",
            };
            (why, "list it once")
        } else {
            ("each copy gets a part of its own", "list it once and give it its weight")
        };
        let what = format!("{} is listed {count} times", tree.label(node));
        let finding = Finding::new(Code::DuplicateCandidate, &second.place, what, next)
            .because(why)
            .beside(&first.place, "first here");
        findings.add((at.node.index(), node.index()), finding);
    }
}

fn picks_all(at: &Occurrence, (count, candidates): (usize, usize), findings: &mut Findings) {
    let what = match candidates {
        1 => "a ranking of one".to_owned(),
        _ => format!("this ranking picks {count} of {candidates}"),
    };
    let next = "rank more candidates, pick fewer, or write a weighting instead";
    let finding = Finding::new(Code::PicksAll, &at.place, what, next)
        .because("whatever the scores are, all are taken");
    findings.add((at.node.index(), 0), finding);
}

fn weightless(
    tree: &Tree,
    child: NodeId,
    place: usize,
    (at, occurrences): (&Occurrence, &Occurrences),
    findings: &mut Findings,
) {
    let Some(occurrence) = occurrences.children(at).nth(place) else { return };
    let what = format!("{} has a weight of 0", tree.label(child));
    let finding = Finding::new(
        Code::WeightOfZero,
        &occurrence.place,
        what,
        "give it a weight, or take it out",
    )
    .because("it is never held, and nothing in it is looked at");
    findings.add((at.node.index(), place), finding);
}

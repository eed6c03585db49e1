//! Today's decision: one walk down the taken path, leaving weights and a trace.

use jiff::civil::Date;

use crate::domain::market::Histories;
use crate::domain::money::Weight;
use crate::domain::strategy::StrategyError;
use crate::domain::symbol::Symbol;
use crate::domain::symphony::condition::{self, Comparison, Operand};
use crate::domain::symphony::cut::cut;
use crate::domain::symphony::fault::Fault;
use crate::domain::symphony::measure::Measure;
use crate::domain::symphony::parts::Parts;
use crate::domain::symphony::study::{Scratch, Study, Tested, Weighed};
use crate::domain::symphony::trace::{
    Compound, Condition, Group, Member, Part, Ranking, Step, Trace, Turn, Weighing,
};
use crate::domain::symphony::tree::{Measured, Node, NodeId, Pick, SeriesId, SymbolId, Tree};
use crate::domain::symphony::turn::{Side, turn};

/// Most visits that are kept for a drawing: more than anybody looks at.
const VISITS_MAX: usize = 20_000;

/// A decision and how it came about.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) weights: Vec<(Symbol, Weight)>,
    pub(crate) cash: Weight,
    pub(crate) trace: Trace,
    /// Nodes that were given a part of the whole, with that part, in the order of the walk.
    pub(crate) visits: Vec<(NodeId, f64)>,
}

/// Weights and path of a tree on the closes up to and including `as_of`.
///
/// Only what the taken path or a ranking on it needs is computed. What would turn each decision is
/// found where `turns` asks for it.
pub(crate) fn evaluate(
    tree: &Tree,
    turns: bool,
    market: &Histories,
    as_of: Date,
) -> Result<Decision, StrategyError> {
    let (mut scratch, mut parts) = (Scratch::default(), Parts::default());
    let mut study = Study::new(tree, (market, as_of), false, &mut scratch);
    let told = Some(Told { turns, ..Told::default() });
    let Told { trace, visits, .. } = walk(&mut study, None, &mut parts, told)?.unwrap_or_default();
    let mut weights = Vec::new();
    let cash = parts.settle(&mut weights)?;
    let named = |(symbol, weight): (SymbolId, Weight)| (tree.symbol(symbol).clone(), weight);
    Ok(Decision { weights: weights.into_iter().map(named).collect(), cash, trace, visits })
}

/// Hands out the parts of a session, the last one if none is named; the answer is the path, where it
/// is to be told.
pub(crate) fn walk(
    study: &mut Study<'_>,
    session: Option<usize>,
    parts: &mut Parts,
    told: Option<Told>,
) -> Result<Option<Told>, StrategyError> {
    let tree = study.tree();
    let today = session.unwrap_or(study.sessions().len().saturating_sub(1));
    study.begin();
    parts.clear(tree.symbols.len());
    let mut walk = Walk { tree, study, today, told, parts };
    let entered = walk.enter(tree.root, 1.0, 0);
    let told = walk.told;
    entered.map_err(|fault| study.say(fault)).map(|()| told)
}

/// The path so far, and whether to find what would turn each decision on it.
#[derive(Debug, Default)]
pub(crate) struct Told {
    trace: Trace,
    visits: Vec<(NodeId, f64)>,
    turns: bool,
}

pub(super) struct Walk<'w, 'm> {
    pub(super) tree: &'m Tree,
    pub(super) study: &'w mut Study<'m>,
    pub(super) today: usize,
    pub(super) told: Option<Told>,
    pub(super) parts: &'w mut Parts,
}

impl Walk<'_, '_> {
    /// Gives a part of the whole to a node.
    pub(super) fn enter(&mut self, id: NodeId, part: f64, depth: u16) -> Result<(), Fault> {
        self.study.spend(1)?;
        if part <= 0.0 {
            return Ok(()); // a weight of nothing needs no value
        }
        if let Some(told) = &mut self.told
            && told.visits.len() < VISITS_MAX
        {
            told.visits.push((id, part));
        }
        let tree = self.tree;
        match tree.node(id) {
            Node::Asset(symbol) => self.parts.hold(*symbol, part),
            Node::Cash => self.parts.leave(part),
            Node::Group { title, child } => {
                self.tell(|_| Step::Group(Group { depth, title: title.to_string() }));
                self.enter(*child, part, depth)?;
            }
            Node::Equal(children) => {
                self.share_equally(children.iter().copied(), part, depth)?;
            }
            Node::Specified(children) => {
                let below = deeper(depth, children.len());
                for (weight, child) in children {
                    self.enter(*child, part * weight.value(), below)?;
                }
            }
            Node::If { condition, then, otherwise } => {
                let holds = match &self.told {
                    None => self.study.holds(condition, self.today)?,
                    Some(_) => self.tell_condition(condition, depth)?,
                };
                self.enter(if holds { *then } else { *otherwise }, part, depth)?;
            }
            Node::Filter { by, pick, count, candidates } => {
                let ranked = self.study.rank(candidates, *pick, self.today)?;
                let picked = usize::from(*count).min(ranked.len());
                let cut = cut(&ranked, picked);
                let turn = cut.and_then(|cut| self.turn_of_cut(*by, *pick, cut));
                self.tell(|walk| {
                    Step::Ranking(Ranking {
                        depth,
                        by: by.words(),
                        order: pick.words().to_owned(),
                        scores: ranked.iter().map(|s| (walk.tree.label(s.node), s.score)).collect(),
                        picked,
                        margin: cut.map(|(last, rival)| by.margin(last.score, rival.score)),
                        turn,
                    })
                });
                let chosen = ranked[..picked].iter().map(|scored| scored.node);
                self.share_equally(chosen, part, depth)?;
                self.study.take_ranking(ranked);
            }
            Node::InverseVolatility { members, by } => {
                let shares = self.study.weigh(members, self.today)?;
                self.tell(|walk| Step::Weighing(walk.weighing(*by, &shares, depth)));
                let below = deeper(depth, shares.len());
                for member in &shares {
                    self.enter(member.node, part * member.share, below)?;
                }
                self.study.take_weighing(shares);
            }
        }
        Ok(())
    }

    fn share_equally(
        &mut self,
        nodes: impl ExactSizeIterator<Item = NodeId>,
        part: f64,
        depth: u16,
    ) -> Result<(), Fault> {
        let below = deeper(depth, nodes.len());
        let count = u32::try_from(nodes.len()).map_or(f64::INFINITY, f64::from);
        for node in nodes {
            self.enter(node, part / count, below)?;
        }
        Ok(())
    }

    /// Adds a step to the path, where it is told.
    fn tell(&mut self, step: impl FnOnce(&Self) -> Step) {
        if self.told.is_none() {
            return;
        }
        let step = step(self);
        if let Some(told) = &mut self.told {
            told.trace.steps.push(step);
        }
    }

    fn tell_condition(
        &mut self,
        condition: &condition::Condition,
        depth: u16,
    ) -> Result<bool, Fault> {
        let decided = self.decide(condition, depth)?;
        let holds = decided.holds();
        self.tell(|_| match decided {
            Part::Condition(condition) => Step::Condition(condition),
            Part::Compound(compound) => Step::Compound(compound),
        });
        Ok(holds)
    }

    fn weighing(&self, by: Measure, shares: &[Weighed], depth: u16) -> Weighing {
        let members = shares.iter().map(|member| Member {
            name: self.tree.label(member.node),
            volatility: member.volatility,
            share: member.share,
        });
        Weighing { depth, by: by.words(), members: members.collect() }
    }

    /// What a condition comes to, with every value that was looked at.
    fn decide(&mut self, condition: &condition::Condition, depth: u16) -> Result<Part, Fault> {
        let (written, operator, all) = match condition {
            condition::Condition::Compare(comparison) => {
                let tested = self.study.test(*comparison, self.today)?;
                return Ok(Part::Condition(self.condition(*comparison, tested, depth)));
            }
            condition::Condition::All(parts) => (parts, "and", true),
            condition::Condition::Any(parts) => (parts, "or", false),
        };
        let mut parts = Vec::with_capacity(written.len());
        let mut holds = all;
        for part in written {
            parts.push(self.decide(part, depth)?);
            if parts.last().is_some_and(|part| part.holds() != all) {
                holds = !all;
                break;
            }
        }
        let (operator, written) = (operator.to_owned(), written.len());
        Ok(Part::Compound(Compound { depth, operator, holds, parts, written }))
    }

    fn condition(&self, comparison: Comparison, tested: Tested, depth: u16) -> Condition {
        let left = self.tree.series(comparison.left);
        let right = match comparison.right {
            Operand::Number(constant) => constant.value().to_string(),
            Operand::Series(series) => self.series_words(series),
        };
        Condition {
            depth,
            left: self.series_words(comparison.left),
            left_value: tested.left,
            comparison: comparison.relation.sign().to_owned(),
            right,
            right_value: tested.right,
            holds: tested.holds,
            margin: left.measure.margin(tested.left, tested.right),
            turn: self.turn_of(comparison, tested),
        }
    }

    /// Which closes of the left side's symbol would turn a comparison.
    fn turn_of(&self, comparison: Comparison, tested: Tested) -> Option<Turn> {
        let left = self.tree.series(comparison.left);
        let Measured::Closes(symbol) = left.of else { return None };
        if !self.finds_turns() {
            return None;
        }
        let right = match comparison.right {
            Operand::Series(id) if self.tree.series(id).of == left.of => {
                Side::Moves(self.tree.series(id).measure)
            }
            Operand::Series(_) | Operand::Number(_) => Side::Stays(tested.right),
        };
        let history = (self.tree.symbol(symbol), self.study.closes(symbol));
        let compare = |left, right| comparison.relation.holds(left, right);
        turn(history, [Side::Moves(left.measure), right], tested.holds, compare)
    }

    pub(super) fn finds_turns(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.turns)
    }

    fn series_words(&self, id: SeriesId) -> String {
        let series = self.tree.series(id);
        format!("{} of {}", series.measure.words(), self.tree.measured(series.of))
    }
}

/// Children are one deeper only where the path splits.
fn deeper(depth: u16, children: usize) -> u16 {
    if children > 1 { depth.saturating_add(1) } else { depth }
}

impl Pick {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Top => "highest",
            Self::Bottom => "lowest",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;
    use crate::domain::market::History;
    use crate::domain::strategy::Rebalance;
    use crate::domain::symphony::function::Function;
    use crate::domain::symphony::study::STEPS_MAX;
    use crate::domain::symphony::tree::Arena;

    /// A weighting whose every level holds the level below twice: two to the fortieth paths.
    fn doubled(arena: &mut Arena) -> NodeId {
        let symbol = arena.symbol(Symbol::parse("A").unwrap()).unwrap();
        let mut node = arena.node(Node::Asset(symbol)).unwrap();
        for _ in 0..40 {
            node = arena.node(Node::Equal(Box::new([node, node]))).unwrap();
        }
        node
    }

    fn decide(arena: Arena, root: NodeId) -> Result<Decision, StrategyError> {
        let days: Vec<Date> = (1..=9).map(|day| date(2026, 1, day)).collect();
        let closes = (1..=9).map(f64::from).collect();
        let history = History::new(days, closes, vec![]).unwrap();
        let market = BTreeMap::from([(Symbol::parse("A").unwrap(), history)]);
        let tree = arena.into_tree("t".to_owned(), Rebalance::Daily, root);
        evaluate(&tree, false, &Histories::new(market), date(2026, 1, 9))
    }

    #[test]
    fn a_walk_without_end_stops_at_the_step_budget() {
        let mut arena = Arena::default();
        let root = doubled(&mut arena);
        let error = decide(arena, root).unwrap_err();
        assert_eq!(error, StrategyError::Timeout { steps: STEPS_MAX });
    }

    #[test]
    fn the_past_of_a_part_reached_twice_is_worked_out_once() {
        let mut arena = Arena::default();
        let endless = doubled(&mut arena);
        let by = Measure::over(Function::StdevReturn, 5);
        let asset = arena.symbol(Symbol::parse("A").unwrap()).unwrap();
        let asset = arena.node(Node::Asset(asset)).unwrap();
        let candidates =
            [asset, endless].map(|node| arena.candidate(node, by).unwrap()).to_vec().into();
        let pick = Pick::Bottom;
        let ranking = Node::Filter { by, pick, count: 1, candidates };
        let root = arena.node(ranking).unwrap();
        // Both score the same and the plain asset is listed first, so nothing walks the other.
        let decision = decide(arena, root).unwrap();
        assert_eq!(decision.weights.len(), 1);
    }
}

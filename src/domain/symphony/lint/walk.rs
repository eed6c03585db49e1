//! The walk over every way that a decision can take, with what is known on it.
//!
//! It goes over occurrences, as often as the text repeats a part: what is known differs from place to
//! place. A text of eight megabytes bounds it.

use crate::domain::symphony::condition::{Comparison, Condition};
use crate::domain::symphony::lint::facts::{Facts, Settled, Why};
use crate::domain::symphony::lint::finding::{Code, Finding, Findings};
use crate::domain::symphony::lint::portfolio::Portfolios;
use crate::domain::symphony::lint::tickers::{Against, long_enough};
use crate::domain::symphony::lint::{units, words};
use crate::domain::symphony::places::{Occurrence, Occurrences, Place};
use crate::domain::symphony::tree::{Candidate, Node, SymbolId, Tree};

/// Looks at everything that can be reached.
pub(crate) struct Walk<'m> {
    tree: &'m Tree,
    occurrences: &'m Occurrences,
    against: &'m Against<'m>,
    portfolios: Portfolios,
    facts: Facts,
    findings: &'m mut Findings,
    reached: Reached,
}

/// What the walk came to.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    pub(crate) cash: bool,
    /// By symbol.
    pub(crate) held: Vec<bool>,
}

/// Where a comparison stands: its choice, and which of the condition's parts it is.
#[derive(Clone, Copy)]
struct Spot<'m> {
    choice: &'m Occurrence,
    at: usize,
}

impl<'m> Walk<'m> {
    /// Walks the whole tree; the answer is what can be held.
    pub(crate) fn over(
        tree: &'m Tree,
        occurrences: &'m Occurrences,
        against: &'m Against<'m>,
        findings: &'m mut Findings,
    ) -> Reached {
        let reached = Reached { cash: false, held: vec![false; tree.symbols.len()] };
        let (portfolios, facts) = (Portfolios::of(tree), Facts::default());
        let mut walk = Self { tree, occurrences, against, portfolios, facts, findings, reached };
        if let Some(root) = occurrences.root() {
            walk.enter(root);
        }
        walk.reached
    }

    fn enter(&mut self, at: &'m Occurrence) {
        let (tree, occurrences) = (self.tree, self.occurrences);
        self.portfolios.look(tree, occurrences, at, self.findings);
        match tree.node(at.node) {
            Node::Cash => self.reached.cash = true,
            Node::Asset(symbol) => self.hold(*symbol),
            Node::Group { .. } | Node::Equal(_) => {
                occurrences.children(at).for_each(|child| self.enter(child));
            }
            Node::Specified(children) => {
                for ((weight, _), child) in children.iter().zip(occurrences.children(at)) {
                    // A weight of nothing is passed over by the evaluator as well.
                    if weight.value() > 0.0 {
                        self.enter(child);
                    }
                }
            }
            Node::InverseVolatility { members: candidates, .. }
            | Node::Filter { candidates, .. } => self.candidates(at, candidates),
            Node::If { condition, .. } => self.choice(at, condition),
        }
    }

    /// What is ranked by its own past is evaluated on earlier days too, on which nothing is known.
    fn candidates(&mut self, at: &'m Occurrence, candidates: &[Candidate]) {
        let known = std::mem::take(&mut self.facts);
        for (candidate, child) in candidates.iter().zip(self.occurrences.children(at)) {
            long_enough(self.tree, candidate.score, &child.place, self.against, self.findings);
            self.enter(child);
        }
        self.facts = known;
    }

    fn choice(&mut self, at: &'m Occurrence, condition: &'m Condition) {
        let settled = self.judge(condition, Spot { choice: at, at: at.condition });
        for (branch, holds) in self.occurrences.children(at).zip([true, false]) {
            if settled == Some(!holds) {
                self.unreachable(at, condition, branch, holds);
                continue;
            }
            let mark = self.facts.mark();
            self.facts.learn(self.tree, condition, holds, at.condition);
            self.enter(branch);
            self.facts.forget(mark);
        }
    }

    fn unreachable(
        &mut self,
        at: &Occurrence,
        condition: &Condition,
        branch: &Occurrence,
        holds: bool,
    ) {
        let whole = &self.occurrences.conditions[at.condition + condition.size() - 1];
        let what = "this branch is never taken".to_owned();
        let never = if holds { "its condition never holds" } else { "the condition always holds" };
        let next = "correct the condition, or take the branch out";
        let finding =
            Finding::new(Code::UnreachableBranch, &branch.place, what, next).beside(whole, never);
        self.findings.add((at.node.index(), usize::from(holds)), finding);
    }

    /// How a condition always comes out here, if it does; its parts are looked at with what is known
    /// of the parts before them.
    fn judge(&mut self, condition: &'m Condition, spot: Spot<'m>) -> Option<bool> {
        let (parts, all) = match condition {
            Condition::Compare(comparison) => return self.compare(comparison, spot),
            Condition::All(parts) => (parts, true),
            Condition::Any(parts) => (parts, false),
        };
        let mark = self.facts.mark();
        let mut settled = Some(all);
        let mut at = spot.at;
        for part in parts {
            let holds = self.judge(part, Spot { at, ..spot });
            if holds == Some(!all) {
                settled = holds; // no part after it is ever looked at
                break;
            }
            if holds.is_none() {
                settled = None;
            }
            self.facts.learn(self.tree, part, all, at);
            at += part.size();
        }
        self.facts.forget(mark);
        settled
    }

    fn compare(&mut self, comparison: &Comparison, spot: Spot<'_>) -> Option<bool> {
        let place = &self.occurrences.conditions[spot.at];
        let subject = (spot.choice.node.index(), spot.at - spot.choice.condition);
        units::look(self.tree, comparison, (place, subject), self.findings);
        let settled = self.facts.settle(self.tree, comparison)?;
        let finding = self.settled(comparison, settled, place);
        self.findings.add(subject, finding);
        Some(settled.holds)
    }

    fn settled(&self, comparison: &Comparison, settled: Settled, place: &Place) -> Finding {
        let Settled { holds, why } = settled;
        let (code, how) = if holds {
            (Code::AlwaysHolds, "always holds")
        } else {
            (Code::NeverHolds, "never holds")
        };
        let here = if matches!(why, Why::Told(_)) { " here" } else { "" };
        let what = format!("{} {how}{here}", words::comparison(self.tree, comparison));
        let next = match why {
            Why::Nature(_) | Why::Same => "correct it, or take the test out",
            Why::Told(_) => "take one of the two tests out, or change the order in which they come",
        };
        let finding = Finding::new(code, place, what, next);
        match why {
            Why::Nature(measure) => finding.because(words::nature(measure)),
            Why::Same => finding.because("both sides are the same"),
            Why::Told(told) => {
                let before = &self.occurrences.conditions[told.at];
                finding.beside(before, words::told(self.tree, &told))
            }
        }
    }

    fn hold(&mut self, symbol: SymbolId) {
        self.reached.held[symbol.index()] = true;
    }
}

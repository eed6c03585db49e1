//! What a portfolio would have returned, and measures of that.
//!
//! A portfolio's return from one session to the next is that of the weights it had at the earlier
//! close. It is worked out down the tree, without ever making a list of weights.

use crate::domain::indicator;
use crate::domain::symphony::fault::{Fault, Missing};
use crate::domain::symphony::measure::Measure;
use crate::domain::symphony::study::{Known, Study, Weighed, keep};
use crate::domain::symphony::tree::{Node, NodeId, SeriesId};

impl Study<'_> {
    /// A measure of what a portfolio would have returned up to a session.
    pub(super) fn value_of_portfolio(
        &mut self,
        id: SeriesId,
        node: NodeId,
        measure: Measure,
        session: usize,
    ) -> Known<f64> {
        let needed = measure.returns_needed();
        let is_recursive = measure.function.is_recursive();
        let mut returns = self.scratch.lists.pop().unwrap_or_default();
        let most = if is_recursive { session } else { needed };
        let broken = self.history((node, session), most, &mut returns)?;
        if returns.len() < needed {
            let have = returns.len();
            self.scratch.lists.push(returns);
            return Err(Fault::Broken { series: id, session, have, by: broken });
        }
        let sessions = self.board.sessions().len();
        let value = if is_recursive {
            self.spend(returns.len())?;
            indicator::build_index(&mut returns);
            let mut run = self.scratch.lists.pop().unwrap_or_default();
            measure.run_into(&returns, &mut run);
            // The same run answers for its earlier days: its start is what breaks off all.
            for (back, earlier) in run.iter().rev().enumerate() {
                keep(&mut self.scratch.values[id.index()], sessions, session - back, *earlier);
            }
            let value = run.last().copied().unwrap_or(f64::NAN);
            self.scratch.lists.push(run);
            value
        } else {
            let value = measure.of_returns(&returns);
            keep(&mut self.scratch.values[id.index()], sessions, session, value);
            value
        };
        self.scratch.lists.push(returns);
        Ok(value)
    }

    /// Up to `most` daily returns of a portfolio, oldest first, ending with a session: the
    /// longest unbroken run; the answer is what is missing where it breaks off, if it does.
    pub(super) fn history(
        &mut self,
        (node, session): (NodeId, usize),
        most: usize,
        returns: &mut Vec<f64>,
    ) -> Known<Option<Missing>> {
        returns.clear();
        let mut broken = None;
        for day in (1..=session).rev().take(most) {
            match self.daily_return(node, day) {
                Ok(value) => returns.push(value),
                Err(Fault::Spent) => return Err(Fault::Spent),
                Err(fault) => {
                    broken = fault.missing();
                    break;
                }
            }
        }
        returns.reverse();
        Ok(broken)
    }

    /// A portfolio's return from the session before to this one, as a fraction, by the weights
    /// it had at the earlier close. `session` is at least 1.
    fn daily_return(&mut self, id: NodeId, session: usize) -> Known<f64> {
        self.spend(1)?;
        if !self.tree.remembered[id.index()] {
            return self.fresh_return(id, session);
        }
        let known = self.scratch.returns[id.index()].get(session).copied().unwrap_or(f64::NAN);
        if known.is_finite() {
            return Ok(known);
        }
        let value = self.fresh_return(id, session)?;
        let sessions = self.board.sessions().len();
        keep(&mut self.scratch.returns[id.index()], sessions, session, value);
        Ok(value)
    }

    fn fresh_return(&mut self, id: NodeId, session: usize) -> Known<f64> {
        let tree = self.tree;
        let before = session - 1;
        match tree.node(id) {
            Node::Asset(symbol) => self.board.daily_return(*symbol, session),
            Node::Cash => Ok(0.0),
            Node::Group { child, .. } => self.daily_return(*child, session),
            Node::If { condition, then, otherwise } => {
                let holds = self.holds(condition, before)?;
                self.daily_return(if holds { *then } else { *otherwise }, session)
            }
            Node::Equal(children) => self.mean_return(children.iter().copied(), session),
            Node::Filter { pick, count: 1, candidates, .. } => {
                match self.first_ranked(candidates, *pick, before)? {
                    Some(first) => self.daily_return(first, session),
                    None => Ok(f64::NAN),
                }
            }
            Node::Filter { pick, count, candidates, .. } => {
                let ranked = self.rank(candidates, *pick, before)?;
                let picked = ranked.iter().take(usize::from(*count));
                let mean = self.mean_return(picked.map(|scored| scored.node), session);
                self.take_ranking(ranked);
                mean
            }
            Node::Specified(children) => {
                let mut sum = 0.0;
                for (weight, child) in children {
                    if weight.value() > 0.0 {
                        sum += weight.value() * self.daily_return(*child, session)?;
                    }
                }
                Ok(sum)
            }
            Node::InverseVolatility { members, .. } => {
                let mut sum = 0.0;
                let shares = self.weigh(members, before)?;
                let mut fault = None;
                for Weighed { node, share, .. } in &shares {
                    match self.daily_return(*node, session) {
                        Ok(value) => sum += share * value,
                        Err(found) => {
                            fault = Some(found);
                            break;
                        }
                    }
                }
                self.take_weighing(shares);
                fault.map_or(Ok(sum), Err)
            }
        }
    }

    fn mean_return(&mut self, nodes: impl Iterator<Item = NodeId>, session: usize) -> Known<f64> {
        let (mut sum, mut count) = (0.0, 0.0);
        for node in nodes {
            sum += self.daily_return(node, session)?;
            count += 1.0;
        }
        Ok(sum / count)
    }
}

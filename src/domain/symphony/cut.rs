//! Where a ranking is cut, and which close of one symbol would let the next candidate in.
//!
//! An asset is moved by its own close. A portfolio's last return depends on the closes of what it
//! held the evening before, and in a straight line: the symbol moved is the one of which the two at
//! the cut held the most different parts.

use std::cmp::Ordering;

use crate::domain::symphony::evaluate::Walk;
use crate::domain::symphony::measure::Measure;
use crate::domain::symphony::parts::Parts;
use crate::domain::symphony::study::Scored;
use crate::domain::symphony::trace::Turn;
use crate::domain::symphony::tree::{Node, NodeId, Pick, SymbolId};
use crate::domain::symphony::turn::{Returns, Side, nearest_of_returns, turn};

/// The last pick and the best candidate that would change the portfolio in its place.
///
/// A candidate listed twice is its own neighbour in the ranking; it is passed over because
/// picking the other copy would change nothing.
pub(super) fn cut(ranked: &[Scored], picked: usize) -> Option<(Scored, Scored)> {
    let (inside, outside) = ranked.split_at(picked);
    let is_new = |rival: &&Scored| inside.iter().all(|chosen| chosen.node != rival.node);
    Some((*inside.last()?, *outside.iter().find(is_new)?))
}

impl Walk<'_, '_> {
    /// Which closes would let a rival pass the last candidate that was picked: that candidate's own
    /// where it is an asset, else the rival's, and between two portfolios those of a symbol in them.
    pub(super) fn turn_of_cut(
        &mut self,
        by: Measure,
        pick: Pick,
        (last, rival): (Scored, Scored),
    ) -> Option<Turn> {
        if !self.finds_turns() {
            return None;
        }
        let symbol = |scored: Scored| {
            let Node::Asset(symbol) = self.tree.node(scored.node) else { return None };
            Some(*symbol)
        };
        let is_first = |left, right| match pick.order(left, right) {
            Ordering::Less => true,
            Ordering::Equal => last.place < rival.place,
            Ordering::Greater => false,
        };
        let (symbol, sides) = match (symbol(last), symbol(rival)) {
            (Some(symbol), _) => (symbol, [Side::Moves(by), Side::Stays(rival.score)]),
            (None, Some(symbol)) => (symbol, [Side::Stays(last.score), Side::Moves(by)]),
            (None, None) => {
                let spent = self.study.spent();
                let turn = self.turn_of_portfolios(by, [last.node, rival.node], is_first);
                self.study.respend(spent); // whoever asks why gets no other answer than who does not
                return turn;
            }
        };
        let history = (self.tree.symbol(symbol), self.study.closes(symbol));
        turn(history, sides, true, is_first)
    }

    fn turn_of_portfolios(
        &mut self,
        by: Measure,
        nodes: [NodeId; 2],
        is_first: impl Fn(f64, f64) -> bool,
    ) -> Option<Turn> {
        let before = self.today.checked_sub(1)?;
        let [last, rival] = nodes.map(|node| self.holdings(node, before));
        let (last, rival) = (last?, rival?);
        // Where both held the same of everything, the most of it: their earlier days differ.
        let sway = |symbol: SymbolId| {
            let (last, rival) = (last.of(symbol), rival.of(symbol));
            ((last - rival).abs(), last + rival)
        };
        let mut symbol: Option<SymbolId> = None;
        for held in last.symbols().chain(rival.symbols()) {
            if sway(held) > symbol.map_or((0.0, 0.0), sway) {
                symbol = Some(held);
            }
        }
        let symbol = symbol?;
        let closes = self.study.closes(symbol);
        let close = closes[self.study.bar(symbol, self.today)?];
        let base = closes[self.study.bar(symbol, before)?];
        let moved = [last.of(symbol), rival.of(symbol)];
        let sides = self.returns(
            nodes,
            |mut before, part| {
                let daily = before.pop()?; // as it is with today's close
                Some(Returns { measure: by, before, daily, part, base, close })
            },
            moved,
        )?;
        let instead = nearest_of_returns(close, sides, &is_first);
        let [last, rival] = nodes.map(|node| self.holdings(node, self.today));
        let moved = [last?.of(symbol), rival?.of(symbol)];
        let sides = self.returns(
            nodes,
            |before, part| {
                Some(Returns { measure: by, before, daily: 0.0, part, base: close, close })
            },
            moved,
        )?;
        let next = nearest_of_returns(close, sides, &is_first);
        Some(Turn { symbol: self.tree.symbol(symbol).clone(), close, instead, next })
    }

    /// The returns of two portfolios so far, each with its part of the symbol that is moved.
    fn returns(
        &mut self,
        nodes: [NodeId; 2],
        side: impl Fn(Vec<f64>, f64) -> Option<Returns>,
        parts: [f64; 2],
    ) -> Option<[Returns; 2]> {
        let [last, rival] = [0, 1].map(|at| {
            let mut returns = Vec::new();
            self.study.history((nodes[at], self.today), self.today, &mut returns).ok()?;
            side(returns, parts[at])
        });
        Some([last?, rival?])
    }

    /// What a portfolio consists of at the close of a session.
    fn holdings(&mut self, node: NodeId, session: usize) -> Option<Parts> {
        let mut parts = Parts::default();
        parts.clear(self.tree.symbols.len());
        let (tree, study) = (self.tree, &mut *self.study);
        let mut walk = Walk { tree, study, today: session, told: None, parts: &mut parts };
        walk.enter(node, 1.0, 0).ok()?;
        Some(parts)
    }
}

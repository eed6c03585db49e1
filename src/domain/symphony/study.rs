//! Values on demand: indicators, tests and rankings.
//!
//! Everything is asked for by session, so the same questions serve today's decision and the
//! history of a ranked portfolio. Answers are kept for the length of one evaluation: one column
//! per indicator and one per portfolio that is asked more than once. NaN marks what is not yet
//! known; a value that is not finite is an error and is never kept.

use std::cmp::Ordering;

use jiff::civil::Date;

use crate::domain::market::Histories;
use crate::domain::symphony::board::{Board, Boards};
use crate::domain::symphony::condition::{Comparison, Condition, Operand};
use crate::domain::symphony::fault::{Fault, Missing};
use crate::domain::symphony::function::Function;
use crate::domain::symphony::measure::Measure;
use crate::domain::symphony::tree::{
    Candidate, Measured, NodeId, Pick, Series, SeriesId, SymbolId, Tree,
};

/// Most steps of one evaluation; a step is a node visited or a close read. The built-in
/// strategies spend about a hundred thousand, and this many take less than a second.
pub const STEPS_MAX: u64 = 20_000_000;
/// Scores that agree to this many decimals are ties, and ties keep their listed order.
const SCORE_STEPS: f64 = 1e9;

pub(super) type Known<T> = Result<T, Fault>;

/// Working memory of evaluations: kept from one to the next it spares them every allocation.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Per series: by bar for symbols, by session for portfolios; empty until first asked. Where
    /// only the last session is asked for, a single number.
    pub(super) values: Vec<Vec<f64>>,
    /// Per series of prices, by bar: nearly its values; empty until first asked.
    pub(super) nearly: Vec<Vec<f64>>,
    /// Per node: by session; empty until first asked.
    pub(super) returns: Vec<Vec<f64>>,
    /// Per symbol: its return from each bar to the next; empty until first asked.
    daily: Vec<Vec<f64>>,
    pub(super) lists: Vec<Vec<f64>>,
    rankings: Vec<Vec<Scored>>,
    weighings: Vec<Vec<Weighed>>,
    boards: Boards,
}

/// One evaluation's questions and the answers so far.
pub(crate) struct Study<'m> {
    pub(super) tree: &'m Tree,
    pub(super) board: Board<'m>,
    pub(super) scratch: &'m mut Scratch,
    /// Whether the decision day is one of several.
    pub(super) in_turn: bool,
    steps: u64,
}

/// Both sides of a test and whether it holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tested {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) holds: bool,
}

/// A candidate with its score.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scored {
    pub(crate) node: NodeId,
    pub(crate) score: f64,
    /// The score to the decimals that count.
    coarse: f64,
    /// Where it is listed.
    pub(crate) place: usize,
}

/// A member with its volatility and its share of the weighing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weighed {
    pub(crate) node: NodeId,
    pub(crate) volatility: f64,
    pub(crate) share: f64,
}

impl<'m> Study<'m> {
    /// A study of a tree on the closes up to and including a day; nothing is computed yet. `in_turn`
    /// where sessions before that one will be asked about too.
    pub(crate) fn new(
        tree: &'m Tree,
        (market, as_of): (&'m Histories, Date),
        in_turn: bool,
        scratch: &'m mut Scratch,
    ) -> Self {
        let left = std::mem::take(&mut scratch.boards);
        let board = Board::lay(tree, market, as_of, in_turn || tree.looks_back, left);
        for (columns, count) in [
            (&mut scratch.values, tree.series.len()),
            (&mut scratch.nearly, tree.series.len()),
            (&mut scratch.returns, tree.nodes.len()),
            (&mut scratch.daily, tree.symbols.len()),
        ] {
            columns.iter_mut().for_each(Vec::clear);
            columns.resize_with(count.max(columns.len()), Vec::new);
        }
        Self { tree, board, scratch, in_turn, steps: 0 }
    }

    /// Leaves the memory to the next.
    pub(crate) fn end(self) {
        self.scratch.boards = self.board.clear();
    }

    /// All closes of a symbol up to the decision day.
    pub(crate) fn closes(&self, symbol: SymbolId) -> &'m [f64] {
        self.board.closes(symbol)
    }

    /// What is studied.
    pub(crate) fn tree(&self) -> &'m Tree {
        self.tree
    }

    /// All sessions, oldest first.
    pub(crate) fn sessions(&self) -> &[Date] {
        self.board.sessions()
    }

    /// Begins another decision: the budget is whole again.
    pub(crate) fn begin(&mut self) {
        self.steps = 0;
    }

    /// Work done so far.
    pub(super) const fn spent(&self) -> u64 {
        self.steps
    }

    /// Forgets the work since it was that much.
    pub(super) const fn respend(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// The place of a symbol's bar of a session among its closes.
    pub(super) fn bar(&self, symbol: SymbolId, session: usize) -> Option<usize> {
        self.board.bar(symbol, session).ok()
    }

    /// Counts work done.
    ///
    /// # Errors
    /// [`Fault::Spent`] when the budget is spent.
    #[inline]
    pub(crate) fn spend(&mut self, steps: usize) -> Known<()> {
        self.steps = self.steps.saturating_add(u64::try_from(steps).unwrap_or(u64::MAX));
        if self.steps > STEPS_MAX {
            return Err(Fault::Spent);
        }
        Ok(())
    }

    /// A test at the close of a session.
    pub(crate) fn test(&mut self, test: Comparison, session: usize) -> Known<Tested> {
        let left = self.value(test.left, session)?;
        let right = match test.right {
            Operand::Number(constant) => constant.value(),
            Operand::Series(series) => self.value(series, session)?,
        };
        Ok(Tested { left, right, holds: test.relation.holds(left, right) })
    }

    /// Whether a condition holds at the close of a session; only what decides it is computed.
    pub(crate) fn holds(&mut self, condition: &Condition, session: usize) -> Known<bool> {
        let (parts, all) = match condition {
            Condition::Compare(comparison) => return self.compare(*comparison, session),
            Condition::All(parts) => (parts, true),
            Condition::Any(parts) => (parts, false),
        };
        for part in parts {
            if self.holds(part, session)? != all {
                return Ok(!all);
            }
        }
        Ok(all)
    }

    /// All candidates, best first; ties keep their listed order. The list is lent: see
    /// [`Study::take_ranking`].
    pub(crate) fn rank(
        &mut self,
        candidates: &[Candidate],
        pick: Pick,
        session: usize,
    ) -> Known<Vec<Scored>> {
        let mut scored = self.scratch.rankings.pop().unwrap_or_default();
        scored.clear();
        for (place, Candidate { node, score }) in candidates.iter().enumerate() {
            match self.value(*score, session) {
                Ok(score) => {
                    scored.push(Scored { node: *node, score, coarse: coarse(score), place });
                }
                Err(fault) => {
                    self.take_ranking(scored);
                    return Err(fault);
                }
            }
        }
        // Their places make the order whole, so that it needs no room of its own.
        scored.sort_unstable_by(|a, b| pick.before(a.coarse, b.coarse).then(a.place.cmp(&b.place)));
        Ok(scored)
    }

    /// The first of [`Study::rank`].
    pub(super) fn first_ranked(
        &mut self,
        candidates: &[Candidate],
        pick: Pick,
        session: usize,
    ) -> Known<Option<NodeId>> {
        let mut first: Option<(f64, NodeId)> = None;
        for Candidate { node, score } in candidates {
            let coarse = coarse(self.value(*score, session)?);
            if first.is_none_or(|(best, _)| pick.before(coarse, best) == Ordering::Less) {
                first = Some((coarse, *node));
            }
        }
        Ok(first.map(|(_, node)| node))
    }

    /// Takes back a list of [`Study::rank`].
    pub(crate) fn take_ranking(&mut self, ranked: Vec<Scored>) {
        self.scratch.rankings.push(ranked);
    }

    /// Takes back a list of [`Study::weigh`].
    pub(crate) fn take_weighing(&mut self, shares: Vec<Weighed>) {
        self.scratch.weighings.push(shares);
    }

    /// Members as listed, with shares proportional to the inverse of their volatility.
    pub(crate) fn weigh(&mut self, members: &[Candidate], session: usize) -> Known<Vec<Weighed>> {
        let mut shares = self.scratch.weighings.pop().unwrap_or_default();
        shares.clear();
        let mut sum = 0.0;
        for Candidate { node, score } in members {
            let volatility = match self.value(*score, session) {
                Ok(volatility) => volatility,
                Err(fault) => {
                    self.take_weighing(shares);
                    return Err(fault);
                }
            };
            let share = 1.0 / volatility;
            if !share.is_finite() {
                self.take_weighing(shares);
                return Err(not_finite(*score, true));
            }
            sum += share;
            shares.push(Weighed { node: *node, volatility, share });
        }
        for member in &mut shares {
            member.share /= sum;
        }
        Ok(shares)
    }

    /// An indicator at the close of a session.
    #[inline]
    pub(crate) fn value(&mut self, id: SeriesId, session: usize) -> Known<f64> {
        let series = self.tree.series(id);
        let place = match series.of {
            Measured::Closes(symbol) => {
                let bar = self.board.bar(symbol, session)?;
                if series.measure.function == Function::CurrentPrice {
                    return Ok(self.board.closes(symbol)[bar]);
                }
                bar
            }
            Measured::Portfolio(_) => session,
        };
        let known = self.scratch.values[id.index()].get(place).copied().unwrap_or(f64::NAN);
        if known.is_finite() { Ok(known) } else { self.work_out(id, series, place) }
    }

    /// An indicator that is not known yet.
    #[inline(never)]
    fn work_out(&mut self, id: SeriesId, series: Series, place: usize) -> Known<f64> {
        let value = match series.of {
            Measured::Closes(symbol) => self.value_of_closes(id, symbol, series.measure, place)?,
            Measured::Portfolio(node) => {
                self.value_of_portfolio(id, node, series.measure, place)?
            }
        };
        if value.is_finite() { Ok(value) } else { Err(not_finite(id, false)) }
    }

    fn value_of_closes(
        &mut self,
        id: SeriesId,
        symbol: SymbolId,
        measure: Measure,
        bar: usize,
    ) -> Known<f64> {
        let closes = self.board.closes(symbol);
        let needed = measure.closes_needed();
        if bar + 1 < needed {
            return Err(Fault::Missing(Missing::Closes { series: id, have: bar + 1 }));
        }
        if !self.keeps_past(id) {
            if let Some(known) = self.scratch.values[id.index()].first() {
                return Ok(*known);
            }
            let is_recursive = measure.function.is_recursive();
            self.spend(if is_recursive { closes.len() } else { needed })?;
            let value = measure.of(&closes[..=bar]).unwrap_or(f64::NAN);
            self.scratch.values[id.index()].push(value);
            return Ok(value);
        }
        if measure.function.is_recursive() {
            // One run of the recursion answers for every day.
            if self.scratch.values[id.index()].is_empty() {
                self.spend(closes.len())?;
                run_through(measure, closes, &mut self.scratch.values[id.index()]);
            }
            return Ok(self.scratch.values[id.index()][bar]);
        }
        self.spend(needed)?;
        let value = if measure.function.is_of_returns() {
            let daily = self.daily_returns(symbol);
            measure.of_returns(&daily[bar + 1 - needed..bar])
        } else {
            measure.of(&closes[..=bar]).unwrap_or(f64::NAN)
        };
        keep(&mut self.scratch.values[id.index()], closes.len(), bar, value);
        Ok(value)
    }

    /// A symbol's return from each of its bars to the next, as a fraction.
    fn daily_returns(&mut self, symbol: SymbolId) -> &[f64] {
        let daily = &mut self.scratch.daily[symbol.index()];
        if daily.is_empty() {
            let closes = self.board.closes(symbol);
            daily.extend(closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0));
        }
        daily
    }

    /// Whether a series is asked for on more days than the last.
    fn keeps_past(&self, id: SeriesId) -> bool {
        self.in_turn || self.tree.past[id.index()]
    }
}

fn not_finite(series: SeriesId, is_inverse: bool) -> Fault {
    Fault::Missing(Missing::Number { series, is_inverse })
}

impl Pick {
    /// Which of two scores comes first; equal to the decimals that count is equal.
    pub(crate) fn order(self, left: f64, right: f64) -> Ordering {
        self.before(coarse(left), coarse(right))
    }

    /// [`Pick::order`] of scores that are [`coarse`] already.
    fn before(self, left: f64, right: f64) -> Ordering {
        let rising = left.partial_cmp(&right).unwrap_or(Ordering::Equal);
        match self {
            Self::Top => rising.reverse(),
            Self::Bottom => rising,
        }
    }
}

/// A score to the decimals that count, as a whole number of them.
fn coarse(score: f64) -> f64 {
    (score * SCORE_STEPS).round()
}

/// A measure on each of some closes; NaN where it has no value yet.
pub(super) fn run_through(measure: Measure, closes: &[f64], column: &mut Vec<f64>) {
    measure.run_into(closes, column);
    let without = closes.len() - column.len();
    column.resize(closes.len(), f64::NAN);
    column.rotate_right(without);
}

/// Writes a value into a column that is laid out on first use.
pub(super) fn keep(column: &mut Vec<f64>, length: usize, at: usize, value: f64) {
    if column.is_empty() {
        column.resize(length, f64::NAN);
    }
    column[at] = value;
}

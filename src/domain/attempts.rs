//! The attempts of one order: what was sent, what the broker says of each, what is left.

use jiff::Timestamp;

use crate::domain::execution::{Attempt, OrderOutcome, TOO_LITTLE};
use crate::domain::fill_price::{BeyondReason, beyond_reason};
use crate::domain::money::{Price, Shares};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::{AttemptEvent, AttemptState, ClientOrderId, Order, OrderRequest, Side};
use crate::domain::symbol::Symbol;

/// One order of the plan with its attempts, oldest first.
#[derive(Debug, Clone)]
pub struct Attempts {
    symbol: Symbol,
    side: Side,
    planned: Shares,
    list: Vec<Attempt>,
}

/// The broker's order under our id is not the one we would have sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{id}: the broker has {theirs}, we meant {ours}")]
pub struct Mismatch {
    /// The shared id.
    pub id: ClientOrderId,
    /// What the broker has.
    pub theirs: String,
    /// What we would have sent.
    pub ours: String,
}

impl Attempts {
    /// An order of which nothing was sent yet.
    pub const fn new(symbol: Symbol, side: Side, planned: Shares) -> Self {
        Self { symbol, side, planned, list: Vec::new() }
    }

    /// Ticker.
    pub const fn symbol(&self) -> &Symbol {
        &self.symbol
    }

    /// Side.
    pub const fn side(&self) -> Side {
        self.side
    }

    /// All attempts, oldest first.
    pub fn list(&self) -> &[Attempt] {
        &self.list
    }

    /// Where the last attempt stands.
    pub fn state(&self) -> Option<AttemptState> {
        self.list.last().map(|attempt| attempt.state)
    }

    /// Shares executed so far.
    pub fn filled(&self) -> Shares {
        if is_planted(Mutant::RestForgetsFills) {
            return Shares::ZERO;
        }
        self.list.iter().map(|attempt| attempt.filled).sum()
    }

    /// Shares not executed yet.
    pub fn rest(&self) -> Shares {
        self.planned.minus_at_most(self.filled())
    }

    /// Begins the next attempt.
    pub fn draft(&mut self, request: &OrderRequest, arrival: Option<Price>) {
        debug_assert!(request.shares() <= self.rest(), "an attempt never exceeds the rest");
        debug_assert!(self.state().is_none_or(AttemptState::is_terminal), "one attempt at a time");
        self.list.push(Attempt {
            id: request.id().clone(),
            shares: request.shares(),
            limit: Some(request.limit()),
            arrival,
            state: AttemptState::Drafted,
            filled: Shares::ZERO,
            fill_price: None,
            submitted_at: None,
            ended_at: None,
        });
    }

    /// Takes up an attempt that an earlier process sent: at most the rest was meant.
    ///
    /// # Errors
    /// [`Mismatch`] when the broker's order is not one of this plan.
    pub fn adopt(
        &mut self,
        id: ClientOrderId,
        order: &Order,
        now: Timestamp,
    ) -> Result<(), Mismatch> {
        self.list.push(Attempt {
            id,
            shares: self.rest(),
            limit: order.limit,
            arrival: None,
            state: AttemptState::Drafted,
            filled: Shares::ZERO,
            fill_price: None,
            submitted_at: order.submitted_at,
            ended_at: None,
        });
        self.seen(order, now).map(|_| ())
    }

    /// The last attempt goes out again under the same id with fewer shares.
    pub fn reduce(&mut self, request: &OrderRequest) {
        if let Some(attempt) = self.list.last_mut().filter(|a| a.id == *request.id()) {
            attempt.shares = attempt.shares.min(request.shares());
            attempt.limit = Some(request.limit());
        }
    }

    /// The last attempt meets an event; what the table forbids changes nothing.
    pub fn on(&mut self, event: &AttemptEvent, now: Timestamp) {
        let Some(attempt) = self.list.last_mut() else { return };
        attempt.state = attempt.state.on(event).unwrap_or(attempt.state);
        if *event == AttemptEvent::Submitted {
            attempt.submitted_at.get_or_insert(now);
        }
        if attempt.state.is_terminal() {
            attempt.ended_at.get_or_insert(now);
        }
    }

    /// Takes the broker's view of one of the attempts. Later, repeated and reordered views are
    /// harmless: executed shares only grow, and an end is an end. Answers whether it was the last.
    ///
    /// # Errors
    /// [`Mismatch`] when symbol or side differ, or when more was ordered or executed than meant.
    pub fn seen(&mut self, order: &Order, now: Timestamp) -> Result<bool, Mismatch> {
        let count = self.list.len();
        let found =
            self.list.iter_mut().enumerate().find(|(_, a)| a.id.as_str() == order.client_id);
        let Some((at, attempt)) = found else { return Ok(false) };
        let ordered = order.shares.filter(|shares| *shares <= attempt.shares);
        let same = order.symbol == self.symbol && order.side == self.side;
        let (Some(ordered), true, true) = (ordered, same, order.filled <= attempt.shares) else {
            let shares = order.shares.map_or_else(|| "an amount".to_owned(), |s| s.to_string());
            return Err(Mismatch {
                id: attempt.id.clone(),
                theirs: format!(
                    "{} {shares} {}, {} executed",
                    order.side, order.symbol, order.filled
                ),
                ours: format!("{} {} {}", self.side, attempt.shares, self.symbol),
            });
        };
        attempt.shares = ordered;
        if order.filled >= attempt.filled {
            attempt.filled = order.filled;
            attempt.fill_price = order.fill_price.or(attempt.fill_price);
        }
        attempt.submitted_at = attempt.submitted_at.or(order.submitted_at);
        let event = AttemptEvent::Seen(order.status.clone());
        attempt.state = attempt.state.on(&event).unwrap_or(attempt.state);
        if attempt.state.is_terminal() {
            attempt.ended_at.get_or_insert(order.filled_at.unwrap_or(now));
        }
        Ok(at + 1 == count)
    }

    /// The first execution whose price cannot be true of its order.
    pub fn beyond_reason(&self) -> Option<BeyondReason> {
        self.list.iter().find_map(|attempt| beyond_reason(self.side, attempt))
    }

    /// What became of the order; `shortfall` is dropped when it was filled after all,
    /// and when what is left is a sliver, which has words of its own.
    pub fn outcome(self, shortfall: Option<String>) -> OrderOutcome {
        let filled = self.filled() >= self.planned;
        let Self { symbol, side, planned, list: mut attempts } = self;
        attempts.retain(|attempt| attempt.state != AttemptState::Drafted);
        let mut outcome = OrderOutcome { symbol, side, planned, attempts, shortfall: None };
        if let Some(rest) = outcome.sliver() {
            outcome.shortfall = Some(format!("the last {rest} shares are {TOO_LITTLE}"));
        } else if !filled {
            outcome.shortfall = shortfall.or_else(|| Some("not finished".to_owned()));
        }
        outcome
    }
}

//! What became of a plan: one outcome per order, with every attempt.
//!
//! Only what was seen at the broker is in it. An attempt whose end was not seen stays unknown; it
//! is never counted as filled, and never as gone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::money::{Price, Shares, Usd};
use crate::domain::order::{AttemptState, ClientOrderId, Side};
use crate::domain::symbol::Symbol;

/// The broker refuses buys below this (code 40310000), and what is worth less moves no sleeve.
pub const BROKER_MIN: Usd = Usd::dollars(1);
/// What is said of shares that are worth less.
pub const TOO_LITTLE: &str = "worth less than the broker's smallest order of $1";

/// Everything that happened between the plan and the final record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Execution {
    /// Outcomes of the sells, by symbol.
    pub sells: Vec<OrderOutcome>,
    /// Outcomes of the buys, by symbol.
    pub buys: Vec<OrderOutcome>,
    /// Why no more orders were sent, when that was cut short.
    pub stopped: Option<String>,
}

/// What became of one order of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderOutcome {
    /// Ticker.
    pub symbol: Symbol,
    /// Side.
    pub side: Side,
    /// Shares the plan or buy plan asked for.
    pub planned: Shares,
    /// The attempts, in order.
    pub attempts: Vec<Attempt>,
    /// Why it ended without being filled in full, in words; `None` when it was filled.
    pub shortfall: Option<String>,
}

/// One order at the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its name at the broker.
    pub id: ClientOrderId,
    /// Shares ordered.
    pub shares: Shares,
    /// Limit price.
    pub limit: Option<Price>,
    /// Mid price when it was priced.
    pub arrival: Option<Price>,
    /// Where it ended.
    pub state: AttemptState,
    /// Shares executed.
    pub filled: Shares,
    /// Average price of what was executed.
    pub fill_price: Option<Price>,
    /// When it was sent.
    pub submitted_at: Option<Timestamp>,
    /// When it was seen to have ended.
    pub ended_at: Option<Timestamp>,
}

impl OrderOutcome {
    /// Shares executed over all attempts.
    pub fn filled(&self) -> Shares {
        self.attempts.iter().map(|attempt| attempt.filled).sum()
    }

    /// Money exchanged over all attempts whose price is known.
    pub fn value(&self) -> Usd {
        self.attempts
            .iter()
            .filter_map(|attempt| attempt.fill_price.map(|price| attempt.filled * price))
            .sum()
    }

    /// True when all planned shares were executed, or all but a sliver.
    pub fn is_filled(&self) -> bool {
        self.filled() >= self.planned || self.sliver().is_some()
    }

    /// What executions left over of an order that has ended, when it is worth too little to be
    /// ordered.
    pub fn sliver(&self) -> Option<Shares> {
        let (filled, limit) = (self.filled(), self.attempts.last()?.limit?);
        let rest = self.planned.minus_at_most(filled);
        let some_left = !rest.is_zero() && !filled.is_zero();
        let ended = self.attempts.iter().all(|attempt| attempt.state.is_terminal());
        (some_left && ended && rest * limit < BROKER_MIN).then_some(rest)
    }

    /// True when an attempt's end was never seen.
    pub fn is_unknown(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.state == AttemptState::Unknown)
    }

    /// Mid price when the first attempt was priced.
    pub fn arrival(&self) -> Option<Price> {
        self.attempts.iter().find_map(|attempt| attempt.arrival)
    }
}

impl Execution {
    /// All outcomes, sells first.
    pub fn outcomes(&self) -> impl Iterator<Item = &OrderOutcome> {
        self.sells.iter().chain(&self.buys)
    }
}

//! Orders: the request we send, the broker's view of it, and the life of one attempt.
//!
//! An [`OrderRequest`] has private fields and is made only by the risk gate. The life of an
//! attempt is one table, [`AttemptState::on`]: each legal arrow stands on its own line, and the
//! terminal states absorb every late, repeated or reordered message.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::money::{Price, Shares};
use crate::domain::symbol::Symbol;

pub use crate::domain::order_id::{ClientOrderId, ForeignOrderId, ORDER_ID_PREFIX, OrderIdParts};

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Shares for cash.
    Sell,
    /// Cash for shares.
    Buy,
}

/// An order that passed the risk gate: the only thing the broker port accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderRequest {
    id: ClientOrderId,
    symbol: Symbol,
    side: Side,
    shares: Shares,
    limit: Price,
}

/// The broker's word for where an order stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderStatus {
    /// Known to the broker and not finished: new, accepted, pending, held and the like.
    Working,
    /// Working with some shares executed.
    PartiallyFilled,
    /// A cancel is on its way.
    PendingCancel,
    /// Done for the day: no more executions today; terminal for a DAY order.
    DoneForDay,
    /// Executed in full.
    Filled,
    /// Cancelled; may have executed in part.
    Cancelled,
    /// Expired; may have executed in part.
    Expired,
    /// Rejected after it was accepted; may have executed in part.
    Rejected,
    /// Replaced by another order; only a person does that to ours.
    Replaced,
    /// A status this code does not know: treated as not finished, and reported.
    Other(String),
}

/// An order as the broker reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The broker's id.
    pub broker_id: String,
    /// The client order id as text: ours or another's.
    pub client_id: String,
    /// Ticker.
    pub symbol: Symbol,
    /// Side.
    pub side: Side,
    /// Shares ordered; orders by amount of money have none.
    pub shares: Option<Shares>,
    /// Shares executed so far.
    pub filled: Shares,
    /// Average price of what was executed, if the broker says yet.
    pub fill_price: Option<Price>,
    /// Limit price, if it has one.
    pub limit: Option<Price>,
    /// Where it stands.
    pub status: OrderStatus,
    /// When the broker took it in.
    pub submitted_at: Option<Timestamp>,
    /// When it was last executed.
    pub filled_at: Option<Timestamp>,
}

/// Where one attempt of ours stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptState {
    /// Decided, not sent.
    Drafted,
    /// Sent; the answer is not known yet or was lost.
    Sent,
    /// The broker has it.
    Working,
    /// We asked for its cancellation.
    Cancelling,
    /// Executed in full.
    Filled,
    /// Cancelled, perhaps executed in part.
    Cancelled,
    /// Expired, perhaps executed in part.
    Expired,
    /// Rejected after acceptance, perhaps executed in part.
    Rejected,
    /// Refused at the door: the broker has no such order.
    Refused,
    /// We stopped looking without having seen an end.
    Unknown,
}

/// What can happen to an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEvent {
    /// The request left us.
    Submitted,
    /// The broker refused it with an answer that proves it has no such order.
    Refused,
    /// The broker showed the order in this status.
    Seen(OrderStatus),
    /// We asked for its cancellation.
    CancelRequested,
    /// Time to look ran out.
    GaveUp,
}

/// An arrow that is not in the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an attempt that is {state:?} cannot meet {event:?}")]
pub struct IllegalTransition {
    /// Where the attempt stood.
    pub state: AttemptState,
    /// What was said to have happened.
    pub event: AttemptEvent,
}

impl AttemptState {
    /// The state after an event.
    ///
    /// # Errors
    /// [`IllegalTransition`] for an arrow that cannot happen, which is a fault of ours.
    #[expect(clippy::match_same_arms, reason = "a table: each arrow on a line of its own")]
    pub fn on(self, event: &AttemptEvent) -> Result<Self, IllegalTransition> {
        use AttemptEvent as E;
        use AttemptState as S;
        let next = match (self, event) {
            (S::Drafted, E::Submitted) => S::Sent,
            (S::Drafted, E::Seen(status)) => Self::seen(self, status), // an earlier process sent it
            (S::Drafted, E::GaveUp) => S::Drafted, // never sent: nothing to know
            (S::Drafted, E::Refused | E::CancelRequested) => {
                return Err(IllegalTransition { state: self, event: event.clone() });
            }

            (S::Sent, E::Submitted) => S::Sent, // the same id again after a lost answer
            (S::Sent, E::Refused) => S::Refused,
            (S::Sent, E::Seen(status)) => Self::seen(self, status),
            (S::Sent, E::CancelRequested) => S::Sent, // cannot cancel what was not seen
            (S::Sent, E::GaveUp) => S::Unknown,

            (S::Working, E::Seen(status)) => Self::seen(self, status),
            (S::Working, E::CancelRequested) => S::Cancelling,
            (S::Working, E::GaveUp) => S::Unknown,
            (S::Working, E::Submitted | E::Refused) => S::Working, // a duplicate met the first

            (S::Cancelling, E::Seen(status)) => Self::seen(self, status),
            (S::Cancelling, E::GaveUp) => S::Unknown,
            (S::Cancelling, E::Submitted | E::Refused | E::CancelRequested) => S::Cancelling,

            (S::Unknown, E::Seen(status)) => Self::seen(self, status), // it turned up after all
            (S::Unknown, E::Submitted | E::Refused | E::CancelRequested | E::GaveUp) => S::Unknown,

            // A refusal answers one copy of a request; another copy may have been taken in.
            (S::Refused, E::Seen(status)) => Self::seen(self, status),
            (S::Refused, E::Submitted) => S::Sent, // the same id, made smaller
            (S::Refused, E::Refused | E::CancelRequested | E::GaveUp) => S::Refused,

            (S::Filled | S::Cancelled | S::Expired | S::Rejected, _) => self,
        };
        Ok(next)
    }

    fn seen(self, status: &OrderStatus) -> Self {
        match status {
            OrderStatus::Filled => Self::Filled,
            OrderStatus::Cancelled | OrderStatus::Replaced => Self::Cancelled,
            OrderStatus::Expired | OrderStatus::DoneForDay => Self::Expired,
            OrderStatus::Rejected => Self::Rejected,
            OrderStatus::PendingCancel => Self::Cancelling,
            OrderStatus::Working | OrderStatus::PartiallyFilled | OrderStatus::Other(_) => {
                if self == Self::Cancelling { Self::Cancelling } else { Self::Working }
            }
        }
    }

    /// True when nothing more can happen at the broker.
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Filled | Self::Cancelled | Self::Expired | Self::Rejected | Self::Refused
        )
    }
}

impl OrderStatus {
    /// True when no more shares can be executed under this order.
    pub const fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Filled
                | Self::Cancelled
                | Self::Expired
                | Self::Rejected
                | Self::Replaced
                | Self::DoneForDay
        )
    }
}

impl Order {
    /// True when the order carries an id of ours.
    pub fn is_ours(&self) -> bool {
        ClientOrderId::parse(&self.client_id).is_ok()
    }
}

impl OrderRequest {
    /// Made by the risk gate alone.
    pub(in crate::domain) const fn new(
        id: ClientOrderId,
        symbol: Symbol,
        side: Side,
        shares: Shares,
        limit: Price,
    ) -> Self {
        Self { id, symbol, side, shares, limit }
    }

    /// A request without a gate, for tests of what carries requests.
    #[cfg(test)]
    pub(crate) const fn ungated(
        id: ClientOrderId,
        symbol: Symbol,
        side: Side,
        shares: Shares,
        limit: Price,
    ) -> Self {
        Self::new(id, symbol, side, shares, limit)
    }

    /// Name under which the broker will know it.
    pub const fn id(&self) -> &ClientOrderId {
        &self.id
    }

    /// Ticker.
    pub const fn symbol(&self) -> &Symbol {
        &self.symbol
    }

    /// Side.
    pub const fn side(&self) -> Side {
        self.side
    }

    /// Shares ordered.
    pub const fn shares(&self) -> Shares {
        self.shares
    }

    /// Limit price, on a tick.
    pub const fn limit(&self) -> Price {
        self.limit
    }
}

impl Side {
    /// The word used in mails and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sell => "sell",
            Self::Buy => "buy",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [AttemptState; 10] = [
        AttemptState::Drafted,
        AttemptState::Sent,
        AttemptState::Working,
        AttemptState::Cancelling,
        AttemptState::Filled,
        AttemptState::Cancelled,
        AttemptState::Expired,
        AttemptState::Rejected,
        AttemptState::Refused,
        AttemptState::Unknown,
    ];

    fn statuses() -> Vec<OrderStatus> {
        vec![
            OrderStatus::Working,
            OrderStatus::PartiallyFilled,
            OrderStatus::PendingCancel,
            OrderStatus::DoneForDay,
            OrderStatus::Filled,
            OrderStatus::Cancelled,
            OrderStatus::Expired,
            OrderStatus::Rejected,
            OrderStatus::Replaced,
            OrderStatus::Other("pending_review".to_owned()),
        ]
    }

    #[test]
    fn a_terminal_state_at_the_broker_absorbs_every_later_message() {
        let ended = [
            AttemptState::Filled,
            AttemptState::Cancelled,
            AttemptState::Expired,
            AttemptState::Rejected,
        ];
        for state in ended {
            for status in statuses() {
                assert_eq!(state.on(&AttemptEvent::Seen(status)).unwrap(), state);
            }
            assert_eq!(state.on(&AttemptEvent::GaveUp).unwrap(), state);
            assert_eq!(state.on(&AttemptEvent::CancelRequested).unwrap(), state);
        }
    }

    #[test]
    fn a_message_seen_twice_changes_nothing_the_second_time() {
        for state in STATES {
            for status in statuses() {
                let event = AttemptEvent::Seen(status);
                let once = state.on(&event).unwrap();
                assert_eq!(once.on(&event).unwrap(), once, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn an_unknown_status_is_never_an_end() {
        let status = OrderStatus::Other("frozen".to_owned());
        assert!(!status.is_terminal());
        for state in STATES.into_iter().filter(|state| !state.is_terminal()) {
            assert!(!state.on(&AttemptEvent::Seen(status.clone())).unwrap().is_terminal());
        }
    }

    #[test]
    fn what_was_never_sent_cannot_be_refused_or_cancelled() {
        for event in [AttemptEvent::Refused, AttemptEvent::CancelRequested] {
            let error = AttemptState::Drafted.on(&event).unwrap_err();
            assert_eq!(error.state, AttemptState::Drafted);
        }
    }

    #[test]
    fn a_lost_answer_that_never_clears_is_unknown_and_may_still_turn_up() {
        let sent = AttemptState::Drafted.on(&AttemptEvent::Submitted).unwrap();
        let unknown = sent.on(&AttemptEvent::GaveUp).unwrap();
        assert_eq!(unknown, AttemptState::Unknown);
        assert_eq!(
            unknown.on(&AttemptEvent::Seen(OrderStatus::Filled)).unwrap(),
            AttemptState::Filled
        );
    }

    #[test]
    fn what_the_broker_has_is_not_undone_by_words_about_a_request() {
        use AttemptEvent as E;
        use AttemptState as S;
        let words = [E::Submitted, E::Refused, E::CancelRequested, E::GaveUp];
        for (state, after) in [
            (S::Sent, [S::Sent, S::Refused, S::Sent, S::Unknown]),
            (S::Working, [S::Working, S::Working, S::Cancelling, S::Unknown]),
            (S::Cancelling, [S::Cancelling, S::Cancelling, S::Cancelling, S::Unknown]),
            (S::Unknown, [S::Unknown; 4]),
            (S::Refused, [S::Sent, S::Refused, S::Refused, S::Refused]),
        ] {
            assert_eq!(words.each_ref().map(|word| state.on(word).unwrap()), after, "{state:?}");
        }
    }
}

//! Orders: the request we send, the broker's view of it, and the life of one attempt.
//!
//! An [`OrderRequest`] has private fields and is made only by the risk gate. The life of an
//! attempt is one table, [`AttemptState::on`]: each legal arrow stands on its own line, and the
//! terminal states absorb every late, repeated or reordered message.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::hash::sha256_hex;
use crate::domain::money::{Price, Shares};
use crate::domain::run::{Mode, RunKey};
use crate::domain::symbol::Symbol;

/// What every order id of ours starts with.
pub const ORDER_ID_PREFIX: &str = "al1-";
/// Longest order id; older broker documents state 48, newer ones 128.
const ORDER_ID_LENGTH_MAX: usize = 48;
const CHECK_DIGITS: usize = 4;

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Shares for cash.
    Sell,
    /// Cash for shares.
    Buy,
}

/// The name under which the broker knows one attempt for ever.
///
/// A pure function of mode, session, slot, generation, symbol, side and attempt, so that a
/// second process, a second deployment or an empty store produces the same name and the broker
/// refuses it. Neither account nor plan is part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientOrderId(String);

/// The text is no order id of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an order id of ours: {0:?}")]
pub struct ForeignOrderId(pub String);

/// What an order id says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderIdParts {
    /// Paper or live.
    pub mode: Mode,
    /// Session of the run.
    pub session: Date,
    /// Slot of the run.
    pub slot: String,
    /// Generation of the run.
    pub generation: u8,
    /// Ticker.
    pub symbol: Symbol,
    /// Side.
    pub side: Side,
    /// Attempt, from 1.
    pub attempt: u8,
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

impl ClientOrderId {
    /// The id of an attempt; attempts count from 1.
    ///
    /// # Panics
    /// Never in practice: slot and symbol are bounded so that the id stays within 48 characters.
    pub fn of(key: &RunKey, symbol: &Symbol, side: Side, attempt: u8) -> Self {
        let mode = match key.mode {
            Mode::Paper => 'P',
            Mode::Live => 'L',
        };
        let side = match side {
            Side::Sell => 'S',
            Side::Buy => 'B',
        };
        let body = format!(
            "{ORDER_ID_PREFIX}{mode}-{}-{}-g{}-{symbol}-{side}-{attempt}",
            key.session.strftime("%Y%m%d"),
            key.slot,
            key.generation,
        );
        let id = format!("{body}-{}", check_digits(&body));
        assert!(id.len() <= ORDER_ID_LENGTH_MAX, "order id too long: {id}");
        Self(id)
    }

    /// Reads an id, checking its digits.
    ///
    /// # Errors
    /// [`ForeignOrderId`] for an id that this system did not make.
    pub fn parse(text: &str) -> Result<Self, ForeignOrderId> {
        let id = Self(text.to_owned());
        id.parts().map(|_| id).ok_or_else(|| ForeignOrderId(text.chars().take(60).collect()))
    }

    /// What the id says; `None` when the text is no id of ours.
    pub fn parts(&self) -> Option<OrderIdParts> {
        let (body, check) = self.0.rsplit_once('-')?;
        if check_digits(body) != check {
            return None;
        }
        let rest = body.strip_prefix(ORDER_ID_PREFIX)?;
        let (mode, rest) = rest.split_once('-')?;
        let (session, rest) = rest.split_once('-')?;
        let (rest, attempt) = rest.rsplit_once('-')?;
        let (rest, side) = rest.rsplit_once('-')?;
        let (rest, symbol) = rest.rsplit_once('-')?;
        let (slot, generation) = rest.rsplit_once("-g")?;
        Some(OrderIdParts {
            mode: match mode {
                "P" => Mode::Paper,
                "L" => Mode::Live,
                _ => return None,
            },
            session: Date::strptime("%Y%m%d", session).ok()?,
            slot: slot.to_owned(),
            generation: generation.parse().ok()?,
            symbol: Symbol::parse(symbol).ok()?,
            side: match side {
                "S" => Side::Sell,
                "B" => Side::Buy,
                _ => return None,
            },
            attempt: attempt.parse().ok()?,
        })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_digits(body: &str) -> String {
    let mut digits = sha256_hex(body.as_bytes());
    digits.truncate(CHECK_DIGITS);
    digits
}

impl fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for ClientOrderId {
    type Error = ForeignOrderId;
    fn try_from(text: String) -> Result<Self, ForeignOrderId> {
        Self::parse(&text)
    }
}

impl From<ClientOrderId> for String {
    fn from(id: ClientOrderId) -> Self {
        id.0
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
    use jiff::civil::date;

    use super::*;
    use crate::domain::run::{AccountName, Slot};

    fn key() -> RunKey {
        RunKey {
            mode: Mode::Paper,
            account: AccountName::parse("main").unwrap(),
            session: date(2026, 11, 20),
            slot: Slot::parse("open").unwrap(),
            generation: 0,
        }
    }

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
    fn an_order_id_is_the_same_for_the_same_intent_and_reads_back() {
        let symbol = Symbol::parse("BRK.B").unwrap();
        let id = ClientOrderId::of(&key(), &symbol, Side::Sell, 2);
        assert_eq!(id, ClientOrderId::of(&key(), &symbol, Side::Sell, 2));
        assert!(id.as_str().starts_with("al1-P-20261120-open-g0-BRK.B-S-2-"), "{id}");
        let parts = ClientOrderId::parse(id.as_str()).unwrap().parts().unwrap();
        assert_eq!((parts.symbol, parts.side, parts.attempt), (symbol, Side::Sell, 2));
        assert_eq!((parts.slot.as_str(), parts.generation), ("open", 0));
    }

    #[test]
    fn an_altered_order_id_is_not_ours() {
        let id = ClientOrderId::of(&key(), &Symbol::parse("SPY").unwrap(), Side::Buy, 1);
        let altered = id.as_str().replace("-B-1-", "-B-2-");
        assert!(ClientOrderId::parse(&altered).is_err());
        assert!(ClientOrderId::parse("f1a08ee3-8b15-4d31-b04b-944f30a06604").is_err());
    }

    #[test]
    fn the_longest_names_fit_an_order_id() {
        let mut key = key();
        key.slot = Slot::parse("close-15").unwrap();
        key.generation = 3;
        let id = ClientOrderId::of(&key, &Symbol::parse("ABCDEFGHI.WS").unwrap(), Side::Buy, 9);
        assert!(id.as_str().len() <= ORDER_ID_LENGTH_MAX);
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
}

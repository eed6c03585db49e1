//! The name of an attempt at the broker: made from the intent alone, with check digits.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::hash::sha256_hex;
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::Side;
use crate::domain::run::{Mode, RunKey};
use crate::domain::symbol::Symbol;

/// What every order id of ours starts with.
pub const ORDER_ID_PREFIX: &str = "al1-";
/// Longest order id; older broker documents state 48, newer ones 128.
const ORDER_ID_LENGTH_MAX: usize = 48;
const CHECK_DIGITS: usize = 4;

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
        let attempt = if is_planted(Mutant::RandomIds) { made_up() } else { attempt };
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

    /// The id of an order that only checks the broker: no run takes it for one of its own.
    pub(in crate::domain) fn probe(now: Timestamp) -> Self {
        Self(format!("check-{}", now.as_millisecond()))
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

/// A number that differs each time, for [`Mutant::RandomIds`].
fn made_up() -> u8 {
    use std::sync::atomic::{AtomicU8, Ordering};
    static NEXT: AtomicU8 = AtomicU8::new(0);
    1 + NEXT.fetch_add(1, Ordering::Relaxed) % 4
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
}

//! Arming: the operator's leave for real money, for one account, some programs and some days.
//!
//! It names the account by its fingerprint and the program by its hash, so that a wrong key pair or
//! a deployment disarms by itself. Its ramp lets a system that is new to real money begin with a
//! part of the capital.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::account::Account;
use crate::domain::money::{Usd, Weight};
use crate::domain::snapshot::{Past, Snapshot};

/// Longest time an arming may last: somebody has to look once a month.
pub const DAYS_MAX: i64 = 30;
/// Digits of a program's hash.
const HASH_LENGTH: usize = 64;
const HOURS_A_DAY: i64 = 24;

/// The arming record as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arming {
    /// Fingerprint of the one account that may trade.
    pub account: String,
    /// SHA-256 of the programs that may trade it, hexadecimal.
    pub codes: BTreeSet<String>,
    /// From when.
    pub since: Timestamp,
    /// Until when.
    pub expires: Timestamp,
    /// Above this equity nothing is traded.
    #[serde(default)]
    pub max_equity: Option<Usd>,
    /// Who armed.
    pub who: String,
    /// Why, in the operator's words.
    pub reason: String,
    /// What part of the capital is used in the first sessions with real money; all of it later.
    pub ramp: Vec<RampStep>,
}

/// A step of the ramp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RampStep {
    /// Sessions it lasts.
    pub sessions: usize,
    /// Part of the capital.
    pub part: Weight,
}

/// Why an arming record does not permit a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotArmed {
    /// Its time is over.
    #[error("the arming ended at {0}")]
    Expired(Timestamp),
    /// It begins later, or lasts longer than anybody may arm for.
    #[error(
        "the arming is from {since} to {expires}; it must have begun and last {DAYS_MAX} days at most"
    )]
    Span {
        /// From when.
        since: Timestamp,
        /// Until when.
        expires: Timestamp,
    },
    /// The program cannot say which it is.
    #[error("this program does not know its own hash: {0}")]
    Nameless(String),
    /// A deployment came after it.
    #[error("the arming does not name this program, {0}: a deployment disarms")]
    OtherCode(String),
    /// The keys open another account.
    #[error("the arming is for account {armed}, the broker shows {shown}")]
    OtherAccount {
        /// Fingerprint in the record.
        armed: String,
        /// Fingerprint of the broker's account.
        shown: String,
    },
    /// More money than it was given for.
    #[error("equity {equity} is above the {most} that the arming is for")]
    TooMuch {
        /// Equity of the account.
        equity: Usd,
        /// The most.
        most: Usd,
    },
}

/// The ramp of a first arming: a tenth for a week of sessions, half for two.
pub fn first_ramp() -> Vec<RampStep> {
    let steps = [(5, "0.1"), (10, "0.5")];
    let step = |(sessions, part)| Some(RampStep { sessions, part: Weight::parse(part).ok()? });
    steps.into_iter().filter_map(step).collect()
}

/// The hash in the name of a program, if it has one: `0.1.0+` and 64 digits.
pub fn code_hash(code: &str) -> Option<&str> {
    let (_, hash) = code.split_once('+')?;
    is_code_hash(hash).then_some(hash)
}

/// Whether a text is a program's hash.
pub fn is_code_hash(text: &str) -> bool {
    let digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.len() == HASH_LENGTH && text.chars().all(digit)
}

impl Arming {
    /// Whether it permits a program to trade now, as far as nobody has to be asked.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn permits(&self, code: &str, now: Timestamp) -> Result<(), NotArmed> {
        let Self { since, expires, .. } = *self;
        if now >= expires {
            return Err(NotArmed::Expired(expires));
        }
        if since > now || expires.duration_since(since).as_hours() > DAYS_MAX * HOURS_A_DAY {
            return Err(NotArmed::Span { since, expires });
        }
        let hash = code_hash(code).ok_or_else(|| NotArmed::Nameless(code.to_owned()))?;
        if self.codes.contains(hash) { Ok(()) } else { Err(NotArmed::OtherCode(hash.to_owned())) }
    }

    /// Whether it is for this account.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn is_for(&self, account: &Account) -> Result<(), NotArmed> {
        if self.account != account.fingerprint {
            let (armed, shown) = (self.account.clone(), account.fingerprint.clone());
            return Err(NotArmed::OtherAccount { armed, shown });
        }
        match self.max_equity {
            Some(most) if account.equity > most => {
                Err(NotArmed::TooMuch { equity: account.equity, most })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The part of the capital in use after so many sessions with real money; `None` is all of it.
    pub fn part_after(&self, sessions: usize) -> Option<Weight> {
        let mut until = 0_usize;
        let step = self.ramp.iter().find(|step| {
            until = until.saturating_add(step.sessions);
            sessions < until
        });
        step.map(|step| step.part)
    }
}

/// A part of the money that is managed: cash and what the sleeves hold, at the broker's prices.
pub fn part_of_capital(part: Weight, snapshot: &Snapshot) -> Usd {
    let sleeves = match &snapshot.past {
        Past::Known(known) => known.ledger.sleeves.values().collect(),
        Past::First | Past::Lost => Vec::new(),
    };
    let holdings = sleeves.into_iter().flat_map(|sleeve| &sleeve.shares);
    let values = holdings.filter_map(|(symbol, shares)| {
        snapshot.fallback_price(symbol).map(|price| *shares * price)
    });
    let managed = snapshot.account.cash + values.sum();
    (managed * part).at_least_zero().round_down()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn armed() -> Arming {
        Arming {
            account: "f1".to_owned(),
            codes: BTreeSet::from(["ab".repeat(32)]),
            since: at("2026-11-01T00:00:00Z"),
            expires: at("2026-12-01T00:00:00Z"),
            max_equity: Some(Usd::dollars(1000)),
            who: "ann".to_owned(),
            reason: "ready".to_owned(),
            ramp: first_ramp(),
        }
    }

    fn code() -> String {
        format!("0.1.0+{}", "ab".repeat(32))
    }

    #[test]
    fn an_arming_is_for_its_programs_and_its_days() {
        let now = at("2026-11-20T14:35:00Z");
        assert_eq!(armed().permits(&code(), now), Ok(()));
        let other = format!("0.1.0+{}", "cd".repeat(32));
        assert_eq!(armed().permits(&other, now), Err(NotArmed::OtherCode("cd".repeat(32))));
        let bare = NotArmed::Nameless("0.1.0".to_owned());
        assert_eq!(armed().permits("0.1.0", now), Err(bare));
        let end = at("2026-12-01T00:00:00Z");
        assert_eq!(armed().permits(&code(), end), Err(NotArmed::Expired(end)));
        let long = Arming { expires: at("2026-12-02T00:00:00Z"), ..armed() };
        assert!(matches!(long.permits(&code(), now), Err(NotArmed::Span { .. })));
        let early = at("2026-10-31T23:59:59Z");
        assert!(matches!(armed().permits(&code(), early), Err(NotArmed::Span { .. })));
    }

    #[test]
    fn an_arming_is_for_one_account_up_to_its_equity() {
        let account = |fingerprint: &str, dollars| Account {
            fingerprint: fingerprint.to_owned(),
            ending: "123".to_owned(),
            cash: Usd::dollars(dollars),
            equity: Usd::dollars(dollars),
            equity_before: None,
            blocks: BTreeSet::new(),
        };
        assert_eq!(armed().is_for(&account("f1", 1000)), Ok(()));
        assert!(matches!(armed().is_for(&account("f2", 1000)), Err(NotArmed::OtherAccount { .. })));
        assert!(matches!(armed().is_for(&account("f1", 1001)), Err(NotArmed::TooMuch { .. })));
    }

    #[test]
    fn the_ramp_goes_from_a_tenth_over_a_half_to_all() {
        let part = |sessions| armed().part_after(sessions).map(|part| part.to_string());
        let parts = [0, 4, 5, 14, 15, 200].map(part);
        let words = parts.each_ref().map(Option::as_deref);
        assert_eq!(words, [Some("0.1"), Some("0.1"), Some("0.5"), Some("0.5"), None, None]);
    }
}

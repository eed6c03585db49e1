//! The control object: positive permission to trade. Missing or not understood means stop.
//!
//! Unlike a record it may be changed, by the operator alone. A run reads it before it keeps a plan,
//! before every round of orders and while orders work; reading it once would make a halt wait for
//! tomorrow. One that cannot be read for the moment is no halt: nothing leaves until it can be, and
//! what is left may be done by a later invocation.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::application::ports::{Store, StoreError};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::run::{AccountName, Mode, RunKey};

/// Longest reason and name shown; the object is the operator's, but letters have their size.
const WORDS_MAX: usize = 200;

/// What the operator says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Trade.
    Run,
    /// No new orders. What a run has open may work to the end of its attempt.
    HaltNew,
    /// No new orders; our open ones are cancelled at once.
    HaltAll,
}

/// The control object as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// What is permitted.
    pub state: State,
    /// Why, in the operator's words.
    pub reason: String,
    /// Who said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Until when; a halt is over then, and so is a permission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What the control object permits now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// Orders may be sent.
    Given,
    /// The operator said no.
    Halted(Halt),
    /// Nobody knows for the moment: no order, and the day is not over.
    Away(String),
    /// There is none that could be read: a person must act.
    Void(String),
}

/// The operator's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// What becomes of open orders.
    pub working: Working,
    control: Control,
}

/// What becomes of our open orders under a halt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Working {
    /// They may work to the end of their attempt.
    Goes,
    /// They are cancelled at once.
    Ends,
}

impl fmt::Display for Halt {
    /// `halted since 2026-11-20 14:40 UTC by WHO: WHY`, as far as the object says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Control { reason, who, since, until, .. } = &self.control;
        f.write_str("halted")?;
        if let Some(since) = since {
            write!(f, " since {}", since.strftime("%Y-%m-%d %H:%M UTC"))?;
        }
        let who = who.as_deref().map_or_else(|| "the operator".to_owned(), clip);
        write!(f, " by {who}: {}", clip(reason))?;
        match until {
            Some(until) => write!(f, " (until {})", until.strftime("%Y-%m-%d %H:%M UTC")),
            None => Ok(()),
        }
    }
}

fn clip(words: &str) -> String {
    words.chars().take(WORDS_MAX).collect()
}

/// Where an account's control object lies.
pub fn control_key(mode: Mode, account: &AccountName) -> String {
    format!("control/{mode}/{account}/state.json")
}

/// Reads what is permitted at a moment.
pub async fn permission(store: &dyn Store, key: &RunKey, now: Timestamp) -> Permission {
    let name = control_key(key.mode, &key.account);
    let record = match store.get(&name).await {
        Ok(Some(record)) => record,
        Ok(None) if is_planted(Mutant::SilenceIsConsent) => return Permission::Given,
        Ok(None) => {
            let what = format!("no control object at {name}: run `alchemiser init` once");
            return Permission::Void(what);
        }
        Err(error @ StoreError::Unavailable { .. }) => {
            return Permission::Away(format!("control object not readable: {error}"));
        }
        Err(error @ StoreError::Denied { .. }) => {
            return Permission::Void(format!("control object not readable: {error}"));
        }
    };
    match serde_json::from_slice::<Control>(&record.bytes) {
        Ok(control) => control.at(now),
        Err(error) => Permission::Void(format!("control object {name} not understood: {error}")),
    }
}

impl Control {
    /// What it permits at a moment.
    pub fn at(self, now: Timestamp) -> Permission {
        let over = self.until.is_some_and(|until| until <= now);
        let working = match (self.state, over) {
            (State::Run, false) | (State::HaltNew | State::HaltAll, true) => {
                return Permission::Given;
            }
            (State::Run, true) => {
                let until = self.until.map(|until| until.to_string()).unwrap_or_default();
                return Permission::Void(format!("the permission to trade ended at {until}"));
            }
            (State::HaltNew, false) => Working::Goes,
            (State::HaltAll, false) => Working::Ends,
        };
        Permission::Halted(Halt { working, control: self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn control(state: &str, until: &str) -> Control {
        let text = format!(
            r#"{{"state":"{state}","reason":"a storm","who":"ann","since":"2026-11-19T20:00:00Z"{until}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    const UNTIL: &str = r#","until":"2026-11-21T00:00:00Z""#;

    #[test]
    fn a_halt_says_since_when_by_whom_why_and_until_when() {
        let Permission::Halted(halt) = control("halt-new", UNTIL).at(at("2026-11-20T14:35:00Z"))
        else {
            unreachable!("it is a halt")
        };
        assert_eq!(halt.working, Working::Goes);
        let said = "halted since 2026-11-19 20:00 UTC by ann: a storm (until 2026-11-21 00:00 UTC)";
        assert_eq!(halt.to_string(), said);
        let bare: Control = serde_json::from_str(r#"{"state":"halt-all","reason":"x"}"#).unwrap();
        let Permission::Halted(halt) = bare.at(at("2026-11-20T14:35:00Z")) else {
            unreachable!("it is a halt")
        };
        assert_eq!(halt.to_string(), "halted by the operator: x");
    }

    #[test]
    fn a_halt_and_a_permission_are_over_when_they_say_so() {
        let (before, after) = (at("2026-11-20T23:59:59Z"), at("2026-11-21T00:00:00Z"));
        assert_eq!(control("halt-all", UNTIL).at(after), Permission::Given);
        assert!(matches!(control("halt-all", UNTIL).at(before), Permission::Halted(_)));
        assert_eq!(control("run", UNTIL).at(before), Permission::Given);
        assert!(matches!(control("run", UNTIL).at(after), Permission::Void(_)));
        assert_eq!(control("run", "").at(after), Permission::Given);
    }
}

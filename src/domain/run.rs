//! What starts a run and what names it.
//!
//! Names are short and plain because they become parts of paths, secrets and order ids. What a run
//! does is in `application::run`.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::session::exchange_date;

/// Longest name of an account, slot or strategy: names go into record paths and order ids.
const NAME_LENGTH_MAX: usize = 24;
/// Longest slot: it is part of every client order id, which has 48 characters in all.
const SLOT_LENGTH_MAX: usize = 8;
/// Highest generation of one session: the first run and three forced repeats.
pub const GENERATION_MAX: u8 = 3;

/// The text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {what}: {text:?} (lower-case letters, digits and inner dashes)")]
pub struct NameError {
    /// What the text should have been.
    pub what: &'static str,
    /// The text.
    pub text: String,
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads a name: lower-case letters, digits and inner dashes.
            ///
            /// # Errors
            /// [`NameError`] for anything else.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                let right = !text.is_empty()
                    && text.len() <= $max
                    && text.chars().all(plain)
                    && !text.starts_with('-')
                    && !text.ends_with('-');
                if right {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NameError { what: $what, text: text.chars().take(60).collect() })
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

name_type!(
    /// Short name of an account: selects secret, policy and record prefix.
    AccountName, "an account name", NAME_LENGTH_MAX
);
name_type!(
    /// Name of the daily run within its session, such as `open`.
    Slot, "a slot", SLOT_LENGTH_MAX
);
name_type!(
    /// Name of a strategy and of its sleeve.
    StrategyName, "a strategy name", NAME_LENGTH_MAX
);

/// Which of the broker's two worlds a run trades in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The broker's paper account.
    Paper,
    /// Real money.
    Live,
}

/// What a run is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunAction {
    /// The whole job.
    Trade,
    /// Everything but orders; claims nothing.
    Preview,
    /// Finish a run that was left open.
    Resume,
}

/// One run: at most one of each key ever trades.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunKey {
    /// Paper or live.
    pub mode: Mode,
    /// Account name.
    pub account: AccountName,
    /// Exchange date of the session traded.
    pub session: Date,
    /// Name of the daily run.
    pub slot: Slot,
    /// 0 for the scheduled run, then one more for each forced repeat.
    pub generation: u8,
}

/// The text names no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a run such as paper/main/2026-11-20/open/g0: {0:?}")]
pub struct RunKeyError(String);

impl FromStr for RunKey {
    type Err = RunKeyError;

    /// Reads what [`RunKey`] is shown as.
    fn from_str(text: &str) -> Result<Self, RunKeyError> {
        let refused = || RunKeyError(text.chars().take(80).collect());
        let parts: Vec<&str> = text.split('/').collect();
        let [mode, account, session, slot, generation] = parts[..] else { return Err(refused()) };
        let key = Self {
            mode: match mode {
                "paper" => Mode::Paper,
                "live" => Mode::Live,
                _ => return Err(refused()),
            },
            account: account.parse().map_err(|_| refused())?,
            session: session.parse().map_err(|_| refused())?,
            slot: slot.parse().map_err(|_| refused())?,
            generation: generation
                .strip_prefix('g')
                .and_then(|g| g.parse().ok())
                .ok_or_else(refused)?,
        };
        if key.to_string() == text { Ok(key) } else { Err(refused()) }
    }
}

/// A permitted repetition of a finished run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Force {
    /// The generation to open: the last finished one plus one.
    pub generation: u8,
    /// Why, in the operator's words.
    pub reason: String,
    /// The permission ends here.
    pub not_after: Timestamp,
}

/// A validated event: what a run is asked to do, where, and for when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRequest {
    /// What to do.
    pub action: RunAction,
    /// Paper or live.
    pub mode: Mode,
    /// Account name.
    pub account: AccountName,
    /// Name of the daily run.
    pub slot: Slot,
    /// The scheduler's own time for this run; decides the session.
    pub scheduled_for: Timestamp,
    /// Permission to repeat a finished run.
    pub force: Option<Force>,
}

/// A validated event that asks whether the session's run ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchRequest {
    /// Paper or live.
    pub mode: Mode,
    /// Account name.
    pub account: AccountName,
    /// Name of the daily run.
    pub slot: Slot,
    /// The scheduler's own time for this look; decides the session.
    pub scheduled_for: Timestamp,
}

impl WatchRequest {
    /// The scheduled run that the look is for.
    pub fn key(&self) -> RunKey {
        RunKey {
            mode: self.mode,
            account: self.account.clone(),
            session: exchange_date(self.scheduled_for),
            slot: self.slot.clone(),
            generation: 0,
        }
    }
}

impl RunRequest {
    /// The run it is for: the session is that of its scheduled time, never that of a clock.
    pub fn key(&self) -> RunKey {
        RunKey {
            mode: self.mode,
            account: self.account.clone(),
            session: exchange_date(self.scheduled_for),
            slot: self.slot.clone(),
            generation: self.force.as_ref().map_or(0, |force| force.generation),
        }
    }
}

impl Mode {
    /// The word used in paths, events and mails.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Live => "live",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for RunKey {
    /// The path of the run's records below `runs/`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mode, account, session, slot, generation } = self;
        write!(f, "{mode}/{account}/{session}/{slot}/g{generation}")
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn names_are_plain_and_short() {
        assert_eq!(StrategyName::parse("nuclear-2").unwrap().as_str(), "nuclear-2");
        for text in ["", "Nuclear", "a b", "-a", "a-", "../x", "a/b", "twenty-five-characters-xxx"]
        {
            assert!(StrategyName::parse(text).is_err(), "{text:?}");
        }
        assert!(Slot::parse("open").is_ok() && Slot::parse("openclose").is_err());
        assert!(serde_json::from_str::<AccountName>("\"Main\"").is_err());
    }

    #[test]
    fn a_run_key_reads_as_its_path() {
        let key = RunKey {
            mode: Mode::Paper,
            account: AccountName::parse("main").unwrap(),
            session: date(2026, 11, 20),
            slot: Slot::parse("open").unwrap(),
            generation: 0,
        };
        assert_eq!(key.to_string(), "paper/main/2026-11-20/open/g0");
        assert_eq!("paper/main/2026-11-20/open/g0".parse(), Ok(key));
        for text in [
            "",
            "main/2026-11-20/open/g0",
            "paper/main/2026-11-20/open/0",
            "paper/main/2026-11-20/open/g00",
            "paper/main/20261120/open/g0",
            "demo/main/2026-11-20/open/g0",
            "paper/main/2026-11-20/open/g0/final.json",
        ] {
            assert!(text.parse::<RunKey>().is_err(), "{text}");
        }
    }
}

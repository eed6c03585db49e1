//! What went wrong, for a person: category, meaning, and the one thing to do.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::code::Code;

/// Who has to care, and how fast. The order is the order of a mail: worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Category {
    /// Trading stopped or its outcome is unknown; mailed at once.
    Critical,
    /// The operator's settings or the event are wrong; no trade, mailed at once.
    Configuration,
    /// An order did not do what the plan wanted.
    Trading,
    /// Prices are missing, stale, short or suspect.
    Data,
    /// A strategy could not be evaluated; its sleeve is held.
    Strategy,
    /// The mail could not be sent.
    Notification,
    /// Worth knowing, nothing to do today.
    Warning,
}

/// Names in an incident's context that say what it is about.
const SUBJECTS: [&str; 2] = ["symbol", "strategy"];

const fn first_day() -> u32 {
    1
}

/// One thing that went wrong, as stored, logged and mailed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Who has to care.
    pub category: Category,
    /// Stable short name, kebab-case: what alarms and repeats are keyed by.
    pub code: String,
    /// The part of the system that noticed.
    pub component: String,
    /// What happened.
    pub what: String,
    /// What it means for the account.
    pub meaning: String,
    /// The one thing to do.
    pub action: String,
    /// Symbols, values, ids; already redacted.
    pub context: Vec<(String, String)>,
    /// Runs in a row, by session, that ended with it; told as news on the first.
    #[serde(default = "first_day")]
    pub day: u32,
    /// When it was noticed; `None` until the application stamps it, because the domain has no clock.
    pub at: Option<Timestamp>,
}

impl Incident {
    /// An incident without context.
    pub fn new(category: Category, code: Code, component: &str, what: impl Into<String>) -> Self {
        Self {
            category,
            code: code.word().into_owned(),
            component: component.to_owned(),
            what: what.into(),
            meaning: String::new(),
            action: String::new(),
            context: Vec::new(),
            day: first_day(),
            at: None,
        }
    }

    /// Whether another is about the same thing: the same code, and the same symbol or strategy.
    pub fn is_same(&self, other: &Self) -> bool {
        let about = |incident: &Self| -> Vec<(String, String)> {
            let context = incident.context.iter();
            context.filter(|(name, _)| SUBJECTS.contains(&name.as_str())).cloned().collect()
        };
        self.code == other.code && about(self) == about(other)
    }

    /// True when it was there before.
    pub const fn is_standing(&self) -> bool {
        self.day > 1
    }

    /// The same with its meaning for the account.
    #[must_use]
    pub fn meaning(mut self, meaning: impl Into<String>) -> Self {
        self.meaning = meaning.into();
        self
    }

    /// The same with the one thing to do.
    #[must_use]
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = action.into();
        self
    }

    /// The same with one more named value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.context.push((name.to_owned(), value.to_string()));
        self
    }
}

impl Category {
    /// The word used in mails and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "CRITICAL",
            Self::Configuration => "CONFIGURATION",
            Self::Trading => "TRADING",
            Self::Data => "DATA",
            Self::Strategy => "STRATEGY",
            Self::Notification => "NOTIFICATION",
            Self::Warning => "WARNING",
        }
    }

    /// True for what is mailed without waiting for the run's end.
    pub const fn is_immediate(self) -> bool {
        matches!(self, Self::Critical | Self::Configuration)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

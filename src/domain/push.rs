//! A push: the few words that reach a telephone or another program when something is critical.
//!
//! It says less than the mail: no money, no account, nothing but what stands in an incident.

use serde::Serialize;

use crate::domain::incident::Category;

/// Version of the form that a webhook gets.
pub const PUSH_VERSION: u32 = 1;

/// What is told; every text is one short line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Version of this form.
    pub version: u32,
    /// The run.
    pub run: String,
    /// How it ended; `None` while it is still at work.
    pub verdict: Option<String>,
    /// Category of its worst incident.
    pub category: Category,
    /// Code of that incident.
    pub code: String,
    /// What happened.
    pub what: String,
    /// The one thing to do.
    pub action: String,
}

impl Note {
    /// `CRITICAL order-unknown, paper/main/2026-11-20/open/g0`, in plain letters.
    pub fn title(&self) -> String {
        format!("{} {}, {}", self.category, self.code, self.run)
    }

    /// What happened and what to do, on lines of their own.
    pub fn text(&self) -> String {
        let verdict = self.verdict.as_ref().map(|word| format!("\nVerdict: {word}"));
        format!("{}\nDo: {}{}", self.what, self.action, verdict.unwrap_or_default())
    }
}

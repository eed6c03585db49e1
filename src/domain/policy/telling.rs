//! Who is told, and by what way.

use serde::{Deserialize, Serialize};

/// Who gets the mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailPolicy {
    /// Sender address.
    pub from: String,
    /// Recipient addresses.
    pub to: Vec<String>,
    /// Whether a closed day is mailed.
    pub closed_days: ClosedDays,
}

/// Whether a day on which the exchange is closed is mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClosedDays {
    /// One line.
    Mail,
    /// Nothing.
    Silent,
}

//! Who is told, and by what way.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::domain::policy::{PolicyError, out_of_range};

/// Longest address of a push.
const ADDRESS_LENGTH_MAX: usize = 500;

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

/// Where a push goes when something is critical, beside the mail; nowhere unless told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushPolicy {
    /// A topic of ntfy or of what speaks like it: it gets a text.
    pub ntfy: Option<PushAddress>,
    /// An address that gets a JSON document.
    pub webhook: Option<PushAddress>,
}

/// A way on which a push goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel<'a> {
    /// A topic.
    Ntfy(&'a PushAddress),
    /// A webhook.
    Webhook(&'a PushAddress),
}

/// The address of a topic or webhook. Who knows it can read or write there, so it is never shown:
/// no `Display`, and stored or hashed it is only a word.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct PushAddress(String);

impl PushPolicy {
    /// The channels that are asked for.
    pub fn channels(&self) -> impl Iterator<Item = Channel<'_>> {
        let ntfy = self.ntfy.as_ref().map(Channel::Ntfy);
        ntfy.into_iter().chain(self.webhook.as_ref().map(Channel::Webhook))
    }

    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        for channel in self.channels() {
            if !channel.address().is_plain() {
                return Err(out_of_range(channel.key(), "(hidden)", "an https address"));
            }
        }
        Ok(())
    }
}

impl<'a> Channel<'a> {
    /// Its address.
    pub const fn address(self) -> &'a PushAddress {
        match self {
            Self::Ntfy(address) | Self::Webhook(address) => address,
        }
    }

    /// Its key in the policy.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Ntfy(_) => "push.ntfy",
            Self::Webhook(_) => "push.webhook",
        }
    }
}

impl PushAddress {
    /// The address, for the one place that sends there.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// An address of the web, without a name and password in it. Which hosts it may name is the
    /// adapter's to say.
    fn is_plain(&self) -> bool {
        let rest = self.0.strip_prefix("https://").or_else(|| self.0.strip_prefix("http://"));
        let authority = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let is_printable = self.0.bytes().all(|byte| byte.is_ascii_graphic());
        !authority.is_empty()
            && !authority.contains('@')
            && is_printable
            && self.0.len() <= ADDRESS_LENGTH_MAX
    }
}

impl From<String> for PushAddress {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Serialize for PushAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("set")
    }
}

impl fmt::Debug for PushAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushAddress")
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::policy::{Channel, Policy};

    const TOPIC: &str = "https://ntfy.example/nobody-guesses-this";

    #[test]
    fn a_policy_without_a_push_pushes_nowhere_and_one_with_two_to_both() {
        assert_eq!(Policy::compiled_in().push.channels().count(), 0);
        let text = format!("[push]\nntfy = \"{TOPIC}\"\nwebhook = \"https://hooks.example/a\"");
        let policy = Policy::parse(&text).unwrap();
        let keys: Vec<&str> = policy.push.channels().map(Channel::key).collect();
        assert_eq!(keys, ["push.ntfy", "push.webhook"]);
        assert_eq!(policy.push.channels().next().unwrap().address().expose(), TOPIC);
    }

    #[test]
    fn an_address_is_in_no_text_that_is_made_of_a_policy() {
        let policy = Policy::parse(&format!("[push]\nntfy = \"{TOPIC}\"")).unwrap();
        let shown = format!("{policy:?} {}", serde_json::to_string(&policy).unwrap());
        assert!(shown.contains(r#""ntfy":"set""#) && !shown.contains("nobody-guesses"), "{shown}");
    }

    #[test]
    fn no_fault_of_a_policy_shows_an_address() {
        for text in [
            "[push]\nntfy = TOPIC",
            "[push]\nntfy = \"TOPIC",
            "[push]\nntfy = \"\"\"\nTOPIC",
            "[push]\nntfy = [\"TOPIC\"]",
            "[push]\nntfi = \"TOPIC\"",
            "[push]\n\"TOPIC\" = 1",
            "[push]\nntfy = \"TOPIC\" x",
            "push = { ntfy = \"TOPIC\"",
            "push = \"TOPIC\"",
            "ntfy = \"TOPIC\"",
            "[push]\nntfy = \"name@TOPIC\"",
            "[push]\nntfy = \"TOPIC with a space\"",
        ] {
            let wrong = Policy::parse(&text.replace("TOPIC", TOPIC)).unwrap_err().to_string();
            assert!(!wrong.contains("nobody-guesses"), "{text}: {wrong}");
            assert!(wrong.len() > 20, "{text}: {wrong}");
            let wrong = Policy::parse(&text.replace("TOPIC", "ntfy.example/nobody-guesses"));
            assert!(!wrong.unwrap_err().to_string().contains("nobody-guesses"), "{text}");
        }
    }
}

//! Pushes over HTTPS: a text for ntfy and what speaks like it, a JSON document for a webhook.
//!
//! Nobody's keys go along, redirects are not followed, and no answer is read. What went wrong is
//! told without the address, which is a secret of its own.

use std::time::Duration;

use async_trait::async_trait;

use crate::application::ports::{Messenger, PushError};
use crate::domain::incident::Category;
use crate::domain::policy::Channel;
use crate::domain::push::Note;
use crate::infrastructure::hosts::may_be_pushed_to;
use crate::infrastructure::https::{Tls, client};

/// A channel that takes longer has its push or will not get it.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Sends pushes; the client is made when the first is sent, which is on hardly any day.
#[derive(Debug, Clone)]
pub struct PushSender {
    tls: Tls,
}

impl PushSender {
    /// Nothing is connected yet.
    pub fn new(tls: &Tls) -> Self {
        Self { tls: tls.clone() }
    }
}

#[async_trait]
impl Messenger for PushSender {
    async fn push(&self, channel: Channel<'_>, note: &Note) -> Result<(), PushError> {
        let address = channel.address().expose();
        if may_be_pushed_to(address).is_err() {
            return Err(PushError::Refused("not an address that may be pushed to".to_owned()));
        }
        let client = client(&self.tls, TIMEOUT).build();
        let client = client.map_err(|_| PushError::Unavailable("no client".to_owned()))?;
        let post = client.post(address).timeout(TIMEOUT);
        let post = match channel {
            Channel::Ntfy(_) => {
                let (priority, tag) = urgency(note.category);
                // See https://docs.ntfy.sh/publish/, read 2026-11.
                post.header("title", note.title())
                    .header("priority", priority)
                    .header("tags", tag)
                    .header("content-type", "text/plain; charset=utf-8")
                    .body(note.text())
            }
            Channel::Webhook(_) => {
                let json = serde_json::to_vec(note).unwrap_or_default();
                post.header("content-type", "application/json").body(json)
            }
        };
        let answer = post.send().await.map_err(|error| failed(&error))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status if status.is_server_error() || status.as_u16() == 429 => {
                Err(PushError::Unavailable(format!("answered {}", status.as_u16())))
            }
            status => Err(PushError::Refused(format!("answered {}", status.as_u16()))),
        }
    }
}

/// Priority and tag of a push to a topic.
const fn urgency(category: Category) -> (&'static str, &'static str) {
    match category {
        Category::Critical => ("urgent", "rotating_light"),
        Category::Configuration => ("high", "wrench"),
        Category::Trading
        | Category::Data
        | Category::Strategy
        | Category::Notification
        | Category::Warning => ("default", "warning"),
    }
}

/// What went wrong, in words that name no host.
fn failed(error: &reqwest::Error) -> PushError {
    let why = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_builder() {
        return PushError::Refused("not an address".to_owned());
    } else {
        "no answer"
    };
    PushError::Unavailable(why.to_owned())
}

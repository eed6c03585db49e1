//! Mail through SES: the finished message as it is.
//!
//! SES knows no way to make a repeated request harmless, so nothing is repeated here; whoever
//! offers the mail again knows that it may arrive twice.

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::Builder;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{Destination, EmailContent, RawMessage};

use crate::application::ports::{Letter, MailError, Mailer};
use crate::infrastructure::aws::{Fault, fault};

/// The mail carrier.
#[derive(Debug, Clone)]
pub(super) struct SesCarrier {
    ses: Client,
}

impl SesCarrier {
    pub(super) fn new(ses: Client) -> Self {
        Self { ses }
    }
}

#[async_trait]
impl Mailer for SesCarrier {
    async fn send(&self, letter: &Letter) -> Result<String, MailError> {
        let raw = RawMessage::builder().data(Blob::new(letter.raw.clone())).build();
        let raw = raw.map_err(|_| MailError::Refused("the message is empty".to_owned()))?;
        let to = Destination::builder().set_to_addresses(Some(letter.to.clone())).build();
        let mail = self.ses.send_email().from_email_address(&letter.from).destination(to);
        let mail = mail.content(EmailContent::builder().raw(raw).build());
        let once = Builder::default().retry_config(RetryConfig::disabled());
        match mail.customize().config_override(once).send().await {
            Ok(taken) => Ok(taken.message_id.unwrap_or_default()),
            Err(error) => Err(refusal(&fault(&error))),
        }
    }
}

/// A refusal that the same mail would meet again, or a trouble that may pass.
fn refusal(failure: &Fault) -> MailError {
    let what = match failure.code.as_str() {
        "MessageRejected" => {
            "; sender or recipient is not verified, or the account is in the sandbox"
        }
        "MailFromDomainNotVerifiedException" => "; the sender's domain is not verified",
        "AccountSuspendedException" | "SendingPausedException" => "; sending is switched off",
        "AccessDeniedException" => "; the function may not send from this address or to this one",
        "LimitExceededException" => "; the day's allowance is used up",
        _ => "",
    };
    let words = format!("{}{what}", failure.words);
    let passing =
        ["Throttling", "ThrottlingException", "RequestTimeout", "RequestTimeoutException"];
    match failure.status {
        Some(_) if passing.contains(&failure.code.as_str()) => MailError::Unavailable(words),
        Some(429) | None => MailError::Unavailable(words),
        Some(status) if status >= 500 => MailError::Unavailable(words),
        Some(_) => MailError::Refused(words),
    }
}

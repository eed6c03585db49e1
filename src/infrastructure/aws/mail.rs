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

/// What the carrier says of a letter that is too large, whatever it calls the error; met by others:
/// <https://github.com/aws/aws-sdk-go-v2/issues/1774> (read 2026-11).
const TOO_LARGE: &str = "Message length is more than";

/// A refusal that the same mail would meet again, one of its size, or a trouble that may pass.
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
        Some(413) => MailError::TooLarge(words),
        Some(_) if failure.words.contains(TOO_LARGE) => MailError::TooLarge(words),
        Some(_) if passing.contains(&failure.code.as_str()) => MailError::Unavailable(words),
        Some(429) | None => MailError::Unavailable(words),
        Some(status) if status >= 500 => MailError::Unavailable(words),
        Some(_) => MailError::Refused(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_the_size_is_told_from_one_of_the_letter_and_from_a_trouble_that_passes() {
        let told = |status, code: &str, words: &str| {
            let (code, words) = (code.to_owned(), words.to_owned());
            match refusal(&Fault { status, code, words }) {
                MailError::TooLarge(_) => "too large",
                MailError::Refused(_) => "refused",
                MailError::Unavailable(_) => "unavailable",
            }
        };
        let size = "Message length is more than 41943040 bytes long: '47000000'.";
        for (status, code, words, kind) in [
            (Some(400), "BadRequestException", size, "too large"),
            (Some(400), "InvalidParameterValue", size, "too large"),
            (Some(413), "", "Request Entity Too Large", "too large"),
            (Some(400), "BadRequestException", "Missing final '@domain'", "refused"),
            (Some(400), "MessageRejected", "Email address is not verified", "refused"),
            (Some(429), "TooManyRequestsException", "Rate exceeded", "unavailable"),
            (Some(400), "Throttling", "Rate exceeded", "unavailable"),
            (Some(503), "", "Service Unavailable", "unavailable"),
            (None, "", "timed out", "unavailable"),
        ] {
            assert_eq!(told(status, code, words), kind, "{status:?} {code} {words}");
        }
    }
}

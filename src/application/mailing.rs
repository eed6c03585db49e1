//! Handing a letter to the carrier: again when it is busy, smaller when it is too large.
//!
//! A letter that the carrier finds too large is still told: without its pictures, and in the end as
//! the beginning of its text, which says whether it traded, what is open and what to do.

use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use crate::application::ports::{Clock, Letter, MailError, Mailer};
use crate::application::tell::Once;
use crate::domain::hash::sha256_hex;
use crate::domain::policy::MailPolicy;
use crate::presentation::{self, Mail, MailParts};

/// How often a mail is offered before the record alone has to do.
const MAIL_TRIES: u32 = 3;
/// Wait after the first refusal of a mail; longer after the second.
const MAIL_WAIT: Duration = Duration::from_millis(500);

/// What a letter is sent in, whatever its size.
pub(super) struct Envelope<'a> {
    pub(super) mail: &'a MailPolicy,
    pub(super) date: Timestamp,
    /// The lasting id's part before the sender's domain.
    pub(super) id: String,
    /// What names the letter in its boundaries.
    pub(super) name: String,
}

impl Envelope<'_> {
    /// The letter that goes over the wire.
    pub(super) fn around(&self, mail: &Mail) -> Letter {
        let (from, to) = (&self.mail.from, &self.mail.to);
        let raw = presentation::mime(&MailParts {
            from: from.clone(),
            to: to.clone(),
            subject: mail.subject.clone(),
            text: mail.text.clone(),
            html: mail.html.clone(),
            images: mail.images.clone(),
            date: self.date,
            message_id: format!("{}@{}", self.id, domain_of(from)),
            boundary: sha256_hex(self.name.as_bytes())[..24].to_owned(),
        });
        Letter { from: from.clone(), to: to.clone(), subject: mail.subject.clone(), raw }
    }
}

fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("localhost", |(_, domain)| domain)
}

/// Sends a letter that nobody else would send; the answer is the carrier's id.
pub(super) async fn post(
    mail: &Mail,
    envelope: &Envelope<'_>,
    carrier: (&dyn Mailer, &dyn Clock),
) -> Result<String, String> {
    let brief = || mail.brief("The rest is in the store's records and in the function's log.");
    let whole = std::iter::once_with(|| envelope.around(mail));
    send(whole.chain(std::iter::once_with(|| envelope.around(&brief()))), carrier, None).await
}

/// Sends the first of some letters, each smaller than the one before, that is not too large.
pub(super) async fn send(
    letters: impl Iterator<Item = Letter>,
    carrier: (&dyn Mailer, &dyn Clock),
    once: Option<&Once<'_>>,
) -> Result<String, String> {
    let mut why = String::new();
    for letter in letters {
        match offer(&letter, carrier, once).await {
            Ok(id) => return Ok(id),
            Err(error @ MailError::TooLarge(_)) => {
                why = error.to_string();
                warn!(bytes = letter.raw.len(), %why, "letter not taken, a smaller one follows");
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Err(why)
}

/// Offers a letter to the carrier a few times; the answer is the carrier's id. While it waits,
/// another invocation may find the letter still owed and send it: then it is not offered again.
async fn offer(
    letter: &Letter,
    (mailer, clock): (&dyn Mailer, &dyn Clock),
    once: Option<&Once<'_>>,
) -> Result<String, MailError> {
    let mut attempt = 1;
    loop {
        let error = match mailer.send(letter).await {
            Err(error @ MailError::Unavailable(_)) => error,
            ended => return ended,
        };
        if attempt == MAIL_TRIES {
            return Err(error);
        }
        clock.sleep(MAIL_WAIT * attempt).await;
        attempt += 1;
        if let Some(once) = once
            && let Some(sent) = once.sent_meanwhile().await
        {
            return Ok(sent);
        }
    }
}

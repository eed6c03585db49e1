//! Letters of a day, a week or a month, from the final records alone.
//!
//! It reads no broker, no keys and no policy but the mail's, and writes only beside the reports:
//! ```text
//! reports/{mode}/{account}/{period}.html   the page, a view
//! reports/{mode}/{account}/{period}.json   after the mail was taken: the carrier's id
//! ```
//! A period is mailed once; when in doubt whether it was, it is mailed again.

use jiff::ToSpan;
use jiff::civil::Date;
use tracing::{info, warn};

use crate::application::journal::JournalError;
use crate::application::journal::history::{final_of, finals_between, last_final};
use crate::application::mailing::{Envelope, post};
use crate::application::ports::{Clock, Mailer, Store};
use crate::application::tell::Mailed;
use crate::application::trouble;
use crate::domain::period::{Period, PeriodRequest, Summary};
use crate::domain::policy::MailPolicy;
use crate::domain::run::{AccountName, Mode, RunKey, Slot};
use crate::domain::session::exchange_date;
use crate::presentation::{self, PeriodReport};

/// Most runs of an account in a period: three slots and a few repetitions on each day of a month.
const RUNS_MAX: usize = 150;

/// Where the letter is written: everything it may touch.
pub struct PeriodPost<'a> {
    /// The records.
    pub store: &'a dyn Store,
    /// Mail.
    pub mailer: &'a dyn Mailer,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Who writes to whom.
    pub mail: &'a MailPolicy,
}

/// What the records tell of a period, and what became of the mail.
///
/// # Errors
/// [`JournalError`] when the store does not list or give records.
pub async fn tell_period(
    request: &PeriodRequest,
    at: &PeriodPost<'_>,
) -> Result<(PeriodReport, Mailed), JournalError> {
    let today = exchange_date(at.clock.now());
    let report = period_report(at.store, request, today).await?;
    let place = request.place();
    let page = presentation::period_page(&report);
    if let Err(error) = at.store.put_view(&format!("{place}.html"), page.as_bytes()).await {
        warn!(%error, "page of the period not kept");
    }
    let told = format!("{place}.json");
    if at.store.get(&told).await?.is_some() {
        info!(period = %request.period, "this period's letter was sent before");
        return Ok((report, Mailed::Before));
    }
    let letter = presentation::period_letter(&report);
    let id = place.replace('/', ".");
    let envelope = Envelope { mail: at.mail, date: at.clock.now(), id, name: place.clone() };
    let mailed = match post(&letter, &envelope, (at.mailer, at.clock)).await {
        Ok(id) => {
            info!(period = %request.period, "letter of the period sent");
            let record = serde_json::to_vec(&id).unwrap_or_default();
            if let Err(error) = at.store.put_once(&told, &record).await {
                warn!(%error, "not recorded that it was sent; it may be sent again");
            }
            Mailed::Sent(id)
        }
        Err(why) => {
            warn!(%why, "letter of the period not sent");
            Mailed::Failed(why)
        }
    };
    Ok((report, mailed))
}

/// What the records tell of a period, for every account that is asked for.
///
/// # Errors
/// [`JournalError`] when the store does not list or give records.
pub async fn period_report(
    store: &dyn Store,
    request: &PeriodRequest,
    today: Date,
) -> Result<PeriodReport, JournalError> {
    let PeriodRequest { mode, account, accounts, period } = request;
    let asked = if accounts.is_empty() { std::slice::from_ref(account) } else { accounts };
    let mut summaries = Vec::new();
    for account in asked {
        let summary = summary(store, (*mode, account), *period, today).await?;
        summaries.push((account.clone(), summary));
    }
    Ok(PeriodReport { mode: *mode, period: *period, accounts: summaries })
}

/// One account's part. A record that cannot be read is told, and the others are counted.
async fn summary(
    store: &dyn Store,
    whose: (Mode, &AccountName),
    period: Period,
    today: Date,
) -> Result<Summary, JournalError> {
    let Period { first, last, .. } = period;
    let before = match last_final(store, &eve(whose, first)).await {
        Ok(kept) => kept.map(|kept| kept.body),
        Err(JournalError::Store(error)) => return Err(error.into()),
        Err(_) => None, // the period itself is not to suffer for it
    };
    let mut summary = Summary::after(period, before);
    for key in finals_between(store, whose, (first, last), RUNS_MAX).await? {
        match final_of(store, &key).await {
            Ok(Some(kept)) => summary.add(kept.body),
            Ok(None) => {}
            Err(JournalError::Store(error)) => return Err(error.into()),
            Err(error) => summary.add_unreadable(key.session, &trouble::journal(&error)),
        }
    }
    summary.end(today);
    Ok(summary)
}

/// A run that is later than all of the day before a date, whatever their slots.
fn eve((mode, account): (Mode, &AccountName), date: Date) -> RunKey {
    let session = date.saturating_sub(1.day());
    let slot = Slot::parse("eve").expect("the constant is a slot");
    RunKey { mode, account: account.clone(), session, slot, generation: u8::MAX }
}

//! Telling: the page into the store, one mail to the operator.
//!
//! After the final record, never before it: a mail that is lost can be sent again from the record.
//! A mail that could not be sent is an incident, and never a reason for the run to have failed.

use std::iter::once_with;

use jiff::{SignedDuration, Timestamp};
use tokio::join;
use tracing::{info, warn};

use crate::application::index;
use crate::application::journal::Journal;
use crate::application::mailing::{self, Envelope, post};
use crate::application::ports::{Clock, Mailer, Store, StoreError};
use crate::application::run::House;
use crate::domain::code::Code;
use crate::domain::hash::sha256_hex;
use crate::domain::incident::{Category, Incident};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::policy::{ClosedDays, MailPolicy};
use crate::domain::report::{RunReport, Verdict};
use crate::domain::run::{RunAction, RunKey};
use crate::presentation::{self, Pictures};

/// Who began to send a letter so long ago has sent it, or never will.
const SENDING_LASTS: SignedDuration = SignedDuration::from_mins(2);
/// How many invocations may try to send one letter in turn before they no longer look at each other.
const TURNS_MAX: u32 = 16;

/// What became of a run's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mailed {
    /// Taken by the carrier under this id.
    Sent(String),
    /// Sent by an earlier invocation.
    Before,
    /// Left to another invocation, which is about to send it.
    Elsewhere,
    /// The policy wants none.
    Silent,
    /// Not taken; the reason.
    Failed(String),
}

impl Mailed {
    /// True when a mail was owed and not taken.
    pub const fn has_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

/// Where a run's page lies in the store.
pub fn page_key(report: &RunReport, writer: &str) -> String {
    let key = &report.key;
    match report.action {
        RunAction::Preview => format!("previews/{key}/{writer}.html"),
        RunAction::Trade | RunAction::Resume => format!("reports/{key}.html"),
    }
}

/// The record that keeps a letter from being sent twice.
pub(super) struct Once<'a> {
    pub(super) journal: &'a Journal<'a>,
    pub(super) name: String,
    /// Hash of the final record that the letter is about.
    pub(super) about: Option<String>,
    pub(super) sent_before: Sent,
}

/// Whose a letter is.
enum Owner {
    /// It is on record as sent.
    Sent,
    /// Another's, who is about to send it.
    Another,
    /// This invocation's, in its turn.
    Ours(u32),
}

impl Once<'_> {
    /// Whose the letter is: sent it is nobody's, and whoever began to send it a moment ago and has
    /// not given up keeps it.
    ///
    /// Whoever wrote the final record has turn 0, and each later turn is begun once. Whoever began
    /// and died leaves it to the next that comes later; where the store does not say, two letters
    /// are better than none.
    async fn owner(&self, clock: &dyn Clock) -> Owner {
        let Sent::Perhaps { since } = self.sent_before else { return Owner::Ours(0) };
        if let Ok(Some(_)) = self.journal.read::<String>(&self.name).await {
            return Owner::Sent;
        }
        let mut begun = since;
        for turn in 0..TURNS_MAX {
            if let Some(at) = begun
                && clock.now().duration_since(at) < SENDING_LASTS
            {
                match self.journal.read::<String>(&self.given_up(turn)).await {
                    Ok(None) => return Owner::Another,
                    Ok(Some(_)) => {}
                    Err(_) => return Owner::Ours(turn),
                }
            }
            let next = format!("begun/{}/{}", turn + 1, self.name);
            match self.journal.keep(&next, None, &()).await {
                Ok(kept) if kept.mine => return Owner::Ours(turn + 1),
                Ok(kept) => begun = Some(kept.at),
                Err(_) => return Owner::Ours(turn),
            }
        }
        Owner::Ours(TURNS_MAX)
    }

    /// The id under which another invocation sent the letter, if it is on record by now.
    pub(super) async fn sent_meanwhile(&self) -> Option<String> {
        let sent = self.journal.read::<String>(&self.name).await;
        sent.ok().flatten().map(|sent| sent.body)
    }

    fn given_up(&self, turn: u32) -> String {
        format!("given-up/{turn}/{}", self.name)
    }

    /// Records how the letter was sent, or why it was not.
    async fn record(&self, turn: u32, sent: Result<&String, &String>) {
        let kept = match sent {
            Ok(id) => self.journal.keep(&self.name, self.about.as_deref(), id).await,
            Err(why) => self.journal.keep(&self.given_up(turn), None, why).await,
        };
        if let Err(error) = kept {
            warn!(%error, "mail not recorded; a repetition may send it again or too late");
        }
    }
}

/// Whether an earlier invocation may have sent a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// None can have: the record it follows was written just now.
    Never,
    /// Perhaps; its own record says.
    Perhaps {
        /// When another wrote the record it follows, who was to send it next.
        since: Option<Timestamp>,
    },
}

/// Stores the page and sends the mail, unless an earlier invocation did, which the named record
/// says.
pub(super) async fn tell(
    report: &mut RunReport,
    house: &House<'_>,
    once: Option<Once<'_>>,
) -> Mailed {
    let journal = once.as_ref().map(|once| once.journal);
    let (mailed, (), (), ()) = join!(
        mail(report, house, once),
        keep_page(report, house),
        list(report, house),
        house.push_end(report, journal),
    );
    if let Mailed::Failed(why) = &mailed {
        warn!(run = %report.key, %why, "mail not sent");
        report.incidents.push(
            Incident::new(Category::Notification, Code::MailNotSent, "tell", why.clone())
                .meaning("The run is recorded, but nobody was told by mail.")
                .action("Check the sender's and the recipient's standing with the mail carrier."),
        );
    }
    mailed
}

async fn keep_page(report: &RunReport, house: &House<'_>) {
    if house.pictures == Pictures::NeitherPage {
        return;
    }
    let page = presentation::page_html(report);
    let key = page_key(report, house.writer);
    if let Err(error) = house.store.put_view(&key, page.as_bytes()).await {
        warn!(%error, "report page not stored"); // the mail and the record say the same
    }
}

/// Adds the run to the list of runs.
async fn list(report: &RunReport, house: &House<'_>) {
    if house.pictures == Pictures::NeitherPage || report.action == RunAction::Preview {
        return;
    }
    if let Err(error) = index::add(report, house.store).await {
        warn!(%error, "run not listed"); // its record and page are there
    }
}

/// Whether the operator wants no letter of a run that ended so.
pub(super) fn is_silent(report: &RunReport, mail: &MailPolicy) -> bool {
    report.verdict == Verdict::Closed && mail.closed_days == ClosedDays::Silent
}

async fn mail(report: &RunReport, house: &House<'_>, once: Option<Once<'_>>) -> Mailed {
    let mail = &house.desk.policy.mail;
    if is_silent(report, mail) {
        return Mailed::Silent;
    }
    let mut turn = 0;
    if let Some(once) = &once
        && !is_planted(Mutant::MailAgain)
    {
        match once.owner(house.desk.clock).await {
            Owner::Sent => return Mailed::Before,
            Owner::Another => return Mailed::Elsewhere,
            Owner::Ours(ours) => turn = ours,
        }
    }
    let sent = send(report, house, once.as_ref()).await;
    if let Some(once) = &once {
        once.record(turn, sent.as_ref()).await;
    }
    match sent {
        Ok(id) => {
            info!(run = %report.key, verdict = report.verdict.word(), "mail sent");
            Mailed::Sent(id)
        }
        Err(why) => Mailed::Failed(why),
    }
}

/// Records and mails why an invocation was refused before it had a run; says what became of the
/// mail and whether the record is kept.
pub async fn refuse(
    incidents: &[Incident],
    mail: &MailPolicy,
    (store, mailer, clock): (&dyn Store, &dyn Mailer, &dyn Clock),
    writer: &str,
) -> (Mailed, Result<(), StoreError>) {
    let now = clock.now();
    let record = serde_json::to_vec(incidents).unwrap_or_default();
    let kept = store.put_once(&format!("refusals/{writer}.json"), &record).await.map(|_| ());
    if let Err(error) = &kept {
        warn!(%error, "refusal not recorded");
    }
    let name = format!("refusal.{writer}");
    let envelope = Envelope { mail, date: now, id: name.clone(), name };
    match post(&presentation::alert(incidents, None), &envelope, (mailer, clock)).await {
        Ok(id) => (Mailed::Sent(id), kept),
        Err(why) => {
            warn!(%why, "refusal not mailed");
            (Mailed::Failed(why), kept)
        }
    }
}

/// Mails incidents of a run that is still at work; the answer is the carrier's id.
pub(super) async fn send_alert(
    incidents: &[Incident],
    house: &House<'_>,
    run: &RunKey,
) -> Result<String, String> {
    let (mail, clock) = (&house.desk.policy.mail, house.desk.clock);
    let name = format!("alert.{}", run.to_string().replace('/', "."));
    let envelope = Envelope { mail, date: clock.now(), id: name.clone(), name };
    post(&presentation::alert(incidents, Some(run)), &envelope, (house.mailer, clock)).await
}

async fn send(
    report: &RunReport,
    house: &House<'_>,
    once: Option<&Once<'_>>,
) -> Result<String, String> {
    let mail = &house.desk.policy.mail;
    let drawn = presentation::letter_with(report, house.pictures);
    let envelope = Envelope {
        mail,
        date: report.finished_at,
        id: message_id(report, once.is_none().then_some(house.writer), &drawn.subject),
        name: report.key.to_string(),
    };
    // Made only where they are needed: hardly ever.
    let plain = || presentation::letter_with(report, Pictures::LeftOut);
    let rest = format!("The whole report: `alchemiser report {}`.", report.key);
    let letters = once_with(|| envelope.around(&drawn))
        .chain(once_with(|| envelope.around(&plain())))
        .chain(once_with(|| envelope.around(&plain().brief(&rest))));
    mailing::send(letters, (house.mailer, house.desk.clock), once).await
}

/// Mail programs show only one of two letters under one id. Invocations may end in the same second, by
/// clocks that are off, and in the same way; what a run says is one letter, whoever sends it again, and
/// has no `writer` therefore.
fn message_id(report: &RunReport, writer: Option<&str>, subject: &str) -> String {
    let seconds: i64 = Timestamp::as_second(report.finished_at);
    let run = report.key.to_string().replace('/', ".");
    let letter = writer.map_or_else(|| subject.to_owned(), |writer| format!("{subject}\n{writer}"));
    let digest = &sha256_hex(letter.as_bytes())[..8];
    format!("{run}.{seconds}.{digest}")
}

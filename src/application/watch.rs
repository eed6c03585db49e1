//! The dead-man check: did the session's run end well? If not, say so with its last known state.
//!
//! It reads the run's records and nothing else: no broker, no keys, no policy but the mail's, so
//! that it survives what breaks a run. It writes only below `watch/`:
//! ```text
//! watch/{run}/{writer}.json         every look, with what it saw
//! watch/{run}/told/{finding}.json   after the mail about it was taken
//! ```
//! where `{run}` is the scheduled run. A finding is mailed once for a session; a good one only
//! after a bad one was told. When in doubt whether it was told, it is told again.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tracing::{error, info, warn};

use crate::application::journal::history::last_final;
use crate::application::journal::traces::{newest_generation, traces};
use crate::application::journal::{Journal, JournalError};
use crate::application::mailing::{Envelope, post};
use crate::application::ports::{Clock, Mailer, Store, StoreError};
use crate::application::tell::Mailed;
use crate::application::trouble;
use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::policy::MailPolicy;
use crate::domain::report::RunReport;
use crate::domain::run::{RunKey, WatchRequest};
use crate::domain::watch::{Before, Ending, Finding, Look, is_due};
use crate::presentation;

/// Version of the form of a look's record.
const LOOK_VERSION: u32 = 1;
/// A look may be for a moment this much ahead of the clock: clocks differ a little.
const AHEAD_MAX: SignedDuration = SignedDuration::from_secs(60);
const COMPONENT: &str = "watch";

/// Where the watch stands: everything it may touch.
pub struct WatchPost<'a> {
    /// The records.
    pub store: &'a dyn Store,
    /// Mail.
    pub mailer: &'a dyn Mailer,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Who writes to whom.
    pub mail: &'a MailPolicy,
    /// A name for this look that no other has.
    pub writer: &'a str,
    /// Version of the code.
    pub code: &'a str,
}

/// What came of a look.
#[derive(Debug)]
pub struct Watched {
    /// The look.
    pub look: Look,
    /// What it found, in one sentence.
    pub summary: String,
    /// What is wrong with the run, then what went wrong with the look itself.
    pub incidents: Vec<Incident>,
    /// What became of the mail.
    pub mailed: Mailed,
}

impl Watched {
    /// True when no run is due, or the run due has a good final record.
    pub const fn is_good(&self) -> bool {
        self.look.finding.is_good()
    }
}

/// Looks at the session's run, records the look, and tells the operator what is news.
pub async fn watch(request: &WatchRequest, at: &WatchPost<'_>) -> Watched {
    let scheduled = request.key();
    let look = look(request, at).await;
    let summary = look.sentence();
    let finding = look.finding.as_str();
    if look.finding.is_good() {
        info!(run = %look.run, finding, %summary, "watched");
    } else {
        error!(run = %look.run, finding, %summary, "watched: no good final record");
    }
    let mut beside = Vec::new();
    let record = Record {
        version: LOOK_VERSION,
        writer: at.writer,
        code: at.code,
        scheduled_for: request.scheduled_for,
        good: look.finding.is_good(),
        summary: &summary,
        look: &look,
    };
    let name = format!("watch/{scheduled}/{}.json", at.writer);
    beside.extend(keep(at, &name, &record, "this look is not on record").await);
    let mailed = tell(&look, &scheduled, at, &mut beside).await;
    for incident in &beside {
        warn!(category = %incident.category, code = %incident.code, what = %incident.what, "incident");
    }
    let incidents = look.incident().into_iter().chain(beside).collect();
    Watched { look, summary, incidents, mailed }
}

#[derive(Serialize)]
struct Record<'a> {
    version: u32,
    writer: &'a str,
    code: &'a str,
    scheduled_for: Timestamp,
    good: bool,
    summary: &'a str,
    #[serde(flatten)]
    look: &'a Look,
}

async fn look(request: &WatchRequest, at: &WatchPost<'_>) -> Look {
    let (scheduled, now) = (request.key(), at.clock.now());
    let of_scheduled = |finding| Look { run: scheduled.clone(), at: now, finding };
    if let Some(refusal) = refusal(request, now) {
        return of_scheduled(Finding::Refused(Box::new(refusal)));
    }
    if !is_due(scheduled.session) || is_planted(Mutant::WatchSleeps) {
        return of_scheduled(Finding::NotDue);
    }
    match found(&scheduled, at, now).await {
        Ok((run, finding)) => Look { run, at: now, finding },
        Err(error) => of_scheduled(Finding::Unreadable(Box::new(unreadable(&error)))),
    }
}

/// What the request alone forbids.
fn refusal(request: &WatchRequest, now: Timestamp) -> Option<Incident> {
    let refused = |code, what: String| {
        Incident::new(Category::Configuration, code, COMPONENT, what)
            .meaning("Nothing was looked at, so nobody knows whether a run ended well.")
    };
    (request.scheduled_for.duration_since(now) > AHEAD_MAX).then(|| {
        let what = format!("the look is for {}, which is still to come", request.scheduled_for);
        refused(Code::EventEarly, what)
            .action("Let the scheduler send its own scheduled time, in UTC.")
    })
}

async fn found(
    scheduled: &RunKey,
    at: &WatchPost<'_>,
    now: Timestamp,
) -> Result<(RunKey, Finding), JournalError> {
    let Some((run, names)) = newest_generation(at.store, scheduled).await? else {
        return Ok((scheduled.clone(), Finding::NeverRan(before(scheduled, at).await)));
    };
    let journal = Journal::new(at.store, at.clock, run.clone(), (at.writer, at.code));
    if let Some(kept) = journal.read::<RunReport>("final.json").await? {
        let ending = Ending::of(&kept.body);
        let finding =
            if ending.verdict.is_good() { Finding::Good(ending) } else { Finding::NotGood(ending) };
        return Ok((run, finding));
    }
    let traces = traces(&journal, &names).await?;
    let finding =
        if traces.is_held(now) { Finding::AtWork(traces) } else { Finding::LeftOpen(traces) };
    Ok((run, finding))
}

/// That no run was there stays true whatever the older records say.
async fn before(scheduled: &RunKey, at: &WatchPost<'_>) -> Before {
    match last_final(at.store, scheduled).await {
        Ok(None) => Before::Nothing,
        Ok(Some(kept)) => Before::Final {
            session: kept.body.key.session,
            verdict: kept.body.verdict,
            finished_at: kept.body.finished_at,
        },
        Err(error) => Before::Unreadable { why: error.to_string() },
    }
}

fn unreadable(error: &JournalError) -> Incident {
    let action = match error {
        JournalError::Store(StoreError::Denied { .. }) => {
            "Give the watcher its rights to list and read the bucket, and on its key."
        }
        JournalError::Store(StoreError::Unavailable { .. }) => {
            "Look at the store's status page; the next look tries again."
        }
        JournalError::Corrupt { .. } => {
            "Restore the record from the bucket's versions, or deploy the code that wrote it."
        }
        JournalError::Newer { .. } => {
            "Deploy the newer code to the watcher as well; it reads the records of older code too."
        }
    };
    let mut incident = trouble::journal(error);
    COMPONENT.clone_into(&mut incident.component);
    incident
        .meaning("Whether the run ended well is not known: its records cannot be read.")
        .action(action)
}

/// Mails what is news, and remembers what was mailed.
async fn tell(
    look: &Look,
    scheduled: &RunKey,
    at: &WatchPost<'_>,
    beside: &mut Vec<Incident>,
) -> Mailed {
    if !may_be_news(look) {
        return Mailed::Silent;
    }
    let folder = format!("watch/{scheduled}/told/");
    let name = format!("{folder}{}.json", told_name(look));
    let told = match at.store.list(&folder).await {
        Ok(told) => told,
        Err(error) => {
            beside.push(not_remembered(&error, "what was told before cannot be read", at));
            Vec::new() // better told twice than never
        }
    };
    if told.contains(&name) {
        return Mailed::Before;
    }
    let words: Vec<String> = told
        .iter()
        .filter_map(|key| key.strip_prefix(&folder)?.strip_suffix(".json"))
        .map(str::to_owned)
        .collect();
    if look.finding.is_good() && words.iter().all(|word| is_good_word(word)) {
        return Mailed::Silent;
    }
    match send(look, &words, beside, at).await {
        Ok(id) => {
            info!(run = %look.run, finding = look.finding.as_str(), "mail sent");
            let what = "the mail is not on record; the next look may send it again";
            beside.extend(keep(at, &name, &Told { at: look.at, mail: &id }, what).await);
            Mailed::Sent(id)
        }
        Err(why) => {
            let incident =
                Incident::new(Category::Notification, Code::MailNotSent, COMPONENT, why.clone())
                    .meaning("Nobody was told by mail; the next look tries again.")
                    .action(
                        "Check the sender's and the recipient's standing with the mail carrier.",
                    );
            beside.push(Incident { at: Some(look.at), ..incident });
            Mailed::Failed(why)
        }
    }
}

#[derive(Serialize)]
struct Told<'a> {
    at: Timestamp,
    mail: &'a str,
}

/// A run that is still at work is no news while its orders may be good: an invocation that took
/// over from another needs its minutes, and the metric says anyway that there is no good record
/// yet. Later than that, the ends of its orders are what it lacks, which the operator must know.
fn may_be_news(look: &Look) -> bool {
    match &look.finding {
        Finding::NotDue => false,
        Finding::AtWork(traces) => traces.is_overdue(look.at),
        Finding::Good(_)
        | Finding::NotGood(_)
        | Finding::LeftOpen(_)
        | Finding::NeverRan(_)
        | Finding::Unreadable(_)
        | Finding::Refused(_) => true,
    }
}

/// The finding, with the generation of a forced repeat: what was told of another run is not told
/// of this one.
fn told_name(look: &Look) -> String {
    match look.run.generation {
        0 => look.finding.as_str().to_owned(),
        generation => format!("{}-g{generation}", look.finding.as_str()),
    }
}

fn is_good_word(word: &str) -> bool {
    word == "good" || word.starts_with("good-")
}

async fn send(
    look: &Look,
    told: &[String],
    beside: &[Incident],
    at: &WatchPost<'_>,
) -> Result<String, String> {
    let mail = presentation::watch_letter(look, told, beside);
    let id = format!("watch.{}.{}", look.run.to_string().replace('/', "."), told_name(look));
    let envelope = Envelope { mail: at.mail, date: look.at, id: id.clone(), name: id };
    post(&mail, &envelope, (at.mailer, at.clock)).await
}

/// Writes a record of the watch; it never keeps the watch from telling.
async fn keep(
    at: &WatchPost<'_>,
    key: &str,
    body: &impl Serialize,
    what: &str,
) -> Option<Incident> {
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let put = at.store.put_once(key, &bytes).await;
    put.err().map(|error| not_remembered(&error, what, at))
}

fn not_remembered(error: &StoreError, what: &str, at: &WatchPost<'_>) -> Incident {
    let category = match error {
        StoreError::Denied { .. } => Category::Configuration,
        StoreError::Unavailable { .. } => Category::Warning,
    };
    let incident =
        Incident::new(category, Code::WatchNotRecorded, COMPONENT, format!("{what}: {error}"))
            .meaning("The watch goes on, but it may tell the same twice.")
            .action("Give the watcher its rights to list, read and write below watch/.");
    Incident { at: Some(at.clock.now()), ..incident }
}

//! The function: event in, answer out. Nothing here knows what carries the event.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tracing::{error, info};

use crate::application::journal::{Journal, JournalError};
use crate::application::period::{PeriodPost, tell_period};
use crate::application::ports::{Clock, StoreError};
use crate::application::run::{Ended, run};
use crate::application::tell::{Mailed, refuse};
use crate::application::trouble;
use crate::application::watch::{WatchPost, Watched, watch};
use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::period::PeriodRequest;
use crate::domain::run::{AccountName, Mode, RunAction, RunRequest, WatchRequest};
use crate::interface::connections::Connections;
use crate::interface::event::{Event, EventError};
use crate::interface::response::{MAIL_FAILED, Response, mail_word, noted, reported, seen, told};
use crate::interface::settings::{Settings, SettingsError};
use crate::interface::telemetry;
use crate::interface::wiring::{Invocation, Outside};
use crate::presentation::PeriodReport;
use crate::presentation::metrics::{Metrics, Unit};

/// Time kept for the answer itself: after it the process is stopped without a word.
const LAST_WORDS: SignedDuration = SignedDuration::from_millis(1_000);

/// The invocation could not even leave a record: the failure destination has to tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Name to search for in logs and alarms.
    pub kind: &'static str,
    /// What happened.
    pub message: String,
}

/// The function's connections, or how each invocation fails without them: a process that ends
/// instead is started again and again, and nobody learns why.
///
/// # Errors
/// [`Failure`] when the settings name no world.
pub async fn connect(settings: Result<Settings, SettingsError>) -> Result<Connections, Failure> {
    let settings = settings.map_err(|wrong| unworldly(Incident::from(&wrong)))?;
    let connections = Connections::open(&settings).await.map_err(|wrong| unworldly(*wrong))?;
    connections.prefetch().await;
    Ok(connections)
}

/// Answers one event as the function's carrier hands it over: with the request's id, the moment
/// in milliseconds at which it is cut off, and the connections or why there are none.
///
/// # Errors
/// [`Failure`] when there are none, no final record could be left, or the program broke off.
pub async fn invoke(
    event: Value,
    request_id: String,
    deadline_ms: u64,
    connections: Result<&Connections, &Failure>,
) -> Result<Response, Failure> {
    let connections = connections.map_err(Failure::clone)?;
    let deadline = i64::try_from(deadline_ms).ok().map(Timestamp::from_millisecond);
    let Some(Ok(deadline)) = deadline else {
        let message = format!("the invocation's deadline is no moment: {deadline_ms} ms");
        return Err(Failure { kind: "Runtime", message });
    };
    let started = connections.clock().now();
    let parsed = Event::parse(event, started);
    let (mode, account) = match &parsed {
        Ok(event) => (event.whose().0, event.whose().1.clone()),
        Err(_) => (Mode::Paper, nobody()),
    };
    let outside = connections.outside(mode, &account).map_err(|wrong| unworldly(*wrong))?;
    let invocation = Invocation { writer: format!("{request_id}-{:016x}", nonce()), deadline };
    let mut metrics = Metrics::new(mode, account);
    let drill = matches!(parsed, Ok(Event::Drill { .. }));
    let answer = attend(parsed, invocation.clone(), &outside, &mut metrics);
    let answered = match in_time(answer, outside.clock.as_ref(), deadline).await {
        Some(Ok(answered)) => answered,
        Some(Err(Panicked)) => Err(after_panic(drill, &invocation, &outside).await),
        None => Err(Failure {
            kind: "DeadlineReached",
            message: "the invocation's time ended before its work; the next resume goes on"
                .to_owned(),
        }),
    };
    if let Err(failure) = &answered {
        error!(kind = failure.kind, what = %failure.message, "failed");
        metrics.add("Failed", Unit::Count, 1);
    }
    let now = outside.clock.now();
    metrics.add_time(started, now, deadline);
    telemetry::emit(&metrics.line(now));
    answered
}

/// Tells apart two deliveries of one request, which have one id: what one of them wrote is not the
/// other's. The hasher's keys come from the system's source of chance.
fn nonce() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// An answer that was broken off by a panic.
struct Panicked;

/// Waits for an answer until shortly before the deadline, after which nobody could hear it.
async fn in_time<T>(
    answer: impl Future<Output = T>,
    clock: &dyn Clock,
    deadline: Timestamp,
) -> Option<Result<T, Panicked>> {
    let left = deadline.duration_since(clock.now()) - LAST_WORDS;
    let answer = AssertUnwindSafe(answer).catch_unwind(); // what it borrows is not looked at again
    tokio::select! {
        biased;
        answered = answer => Some(answered.map_err(|_| Panicked)),
        () = clock.sleep(Duration::try_from(left).unwrap_or_default()) => None,
    }
}

/// Records and mails that the program broke off. What it was doing stands in the records so far,
/// from which a resume goes on.
async fn after_panic(drill: bool, invocation: &Invocation, outside: &Outside) -> Failure {
    let incident = if drill {
        let what = "a drill: this invocation broke off on purpose";
        Incident::new(Category::Critical, Code::Drill, "function", what)
            .meaning("Nothing was traded. The failure queue and the alarms must now show it.")
            .action("Check that the alarm reached you; if not, confirm its subscription.")
    } else {
        let what = "a fault of the program broke the invocation off";
        Incident::new(Category::Critical, Code::Panic, "function", what)
            .meaning("Orders may be open; the records say what was done until then.")
            .action("Read the log for the place; the next resume settles the run.")
    };
    let _ = refused(incident.clone(), invocation, outside).await;
    Failure { kind: "Panic", message: incident.what }
}

/// Stands for the account of an event that names none.
fn nobody() -> AccountName {
    AccountName::parse("main").expect("a plain word is a name")
}

/// Without a store and a mailer the failure itself has to tell.
fn unworldly(incident: Incident) -> Failure {
    error!(code = %incident.code, what = %incident.what, "no world to work in");
    Failure { kind: "Configuration", message: incident.what }
}

/// Answers one event in a given world.
///
/// # Errors
/// [`Failure`] only when no final record could be left.
pub async fn answer(
    event: Value,
    invocation: Invocation,
    outside: &Outside,
) -> Result<Response, Failure> {
    let event = Event::parse(event, outside.clock.now());
    let mut metrics = Metrics::new(Mode::Paper, nobody());
    attend(event, invocation, outside, &mut metrics).await
}

async fn attend(
    event: Result<Event, EventError>,
    invocation: Invocation,
    outside: &Outside,
    metrics: &mut Metrics,
) -> Result<Response, Failure> {
    let refusal = match event {
        Ok(Event::Run(request)) => {
            let site = outside.furnish(request.mode, &request.account, invocation.clone()).await;
            match site {
                Ok(site) => {
                    let ended = Box::pin(run(&request, &site.house())).await;
                    count(&ended, metrics, outside.clock.now());
                    return respond(ended);
                }
                Err(incident) if incident.code == Code::StoreUnavailable => {
                    return Err(opened_at_least(&request, incident, &invocation, outside).await);
                }
                Err(incident) => incident,
            }
        }
        Ok(Event::Drill { .. }) => drill(),
        Ok(Event::Watch(request)) => {
            let watched = look(&request, &invocation, outside).await;
            metrics.say("finding", watched.look.finding.as_str());
            metrics.add("GoodFinalRecord", Unit::Count, u64::from(watched.is_good()));
            metrics.add("MailFailed", Unit::Count, u64::from(watched.mailed.has_failed()));
            return Ok(seen(&watched));
        }
        Ok(Event::Report(request)) => match told_period(&request, outside).await {
            Ok((report, mailed)) => {
                metrics.add("MailFailed", Unit::Count, u64::from(mailed.has_failed()));
                return Ok(reported(&report, &mailed));
            }
            Err(error) => trouble::journal(&error),
        },
        Err(error) => Incident::from(&error),
    };
    let (response, kept) = refused(refusal, &invocation, outside).await;
    metrics.say("outcome", &response.outcome);
    metrics.add("MailFailed", Unit::Count, u64::from(response.mail.starts_with(MAIL_FAILED)));
    match kept {
        Ok(()) => Ok(response),
        Err(error) => Err(Failure { kind: "RecordNotKept", message: error.to_string() }),
    }
}

/// The records cannot be read for now: the run is opened, if that much can be written, so that a
/// resume finds it and goes on.
async fn opened_at_least(
    request: &RunRequest,
    incident: Incident,
    invocation: &Invocation,
    outside: &Outside,
) -> Failure {
    if request.action == RunAction::Trade && request.force.is_none() {
        let names = (invocation.writer.as_str(), outside.code.as_str());
        let (store, clock) = (outside.store.as_ref(), outside.clock.as_ref());
        let opened = Journal::new(store, clock, request.key(), names).open(request).await;
        if let Err(error) = opened {
            error!(%error, "run not opened");
        }
    }
    let message = incident.what.clone();
    let _ = refused(incident, invocation, outside).await;
    Failure { kind: "RunLeftOpen", message }
}

/// Looks whether a run ended well; reads records and nothing else.
async fn look(request: &WatchRequest, invocation: &Invocation, outside: &Outside) -> Watched {
    let mail = outside.default_policy().mail;
    let at = WatchPost {
        store: outside.store.as_ref(),
        mailer: outside.mailer.as_ref(),
        clock: outside.clock.as_ref(),
        mail: &mail,
        writer: &invocation.writer,
        code: &outside.code,
    };
    Box::pin(watch(request, &at)).await
}

/// Tells of a period; reads records and nothing else.
async fn told_period(
    request: &PeriodRequest,
    outside: &Outside,
) -> Result<(PeriodReport, Mailed), JournalError> {
    let mail = outside.default_policy().mail;
    let at = PeriodPost {
        store: outside.store.as_ref(),
        mailer: outside.mailer.as_ref(),
        clock: outside.clock.as_ref(),
        mail: &mail,
    };
    Box::pin(tell_period(request, &at)).await
}

#[expect(clippy::panic, reason = "it is what a drill is for")]
fn drill() -> Incident {
    panic!("a drill")
}

/// The answer for an end of a run.
///
/// # Errors
/// [`Failure`] when the run has no final record, be it for want of a store or because a later
/// invocation has to finish it.
fn respond(ended: Ended) -> Result<Response, Failure> {
    let plain = |outcome: &str, run: String| Response {
        outcome: outcome.to_owned(),
        run: Some(run),
        mode: None,
        mail: mail_word(&Mailed::Silent),
        incidents: Vec::new(),
    };
    let response = match ended {
        Ended::Reported { report, kept: Err(error), .. } => {
            error!(run = %report.key, %error, "no final record");
            return Err(Failure { kind: "RecordNotKept", message: error.to_string() });
        }
        Ended::Reported { report, left_open: true, .. } => {
            error!(run = %report.key, why = %report.summary, "run left open");
            return Err(Failure { kind: "RunLeftOpen", message: report.summary });
        }
        Ended::Reported { report, mailed, kept: Ok(()), left_open: false } => {
            let outcome = serde_json::to_value(report.verdict).ok();
            let outcome = outcome.and_then(|word| word.as_str().map(str::to_owned));
            told(&report, outcome.unwrap_or_default(), &mailed)
        }
        Ended::Repeated { report, mailed } => told(&report, "repeated".to_owned(), &mailed),
        Ended::InProgress(key) => plain("in-progress", key.to_string()),
        Ended::NothingOpen(key) => plain("nothing-open", key.to_string()),
    };
    info!(outcome = %response.outcome, run = response.run, mail = %response.mail, "answered");
    Ok(response)
}

/// The figures of a run that this invocation worked on; a repetition has none of its own.
fn count(ended: &Ended, metrics: &mut Metrics, now: Timestamp) {
    let mailed = match ended {
        Ended::Reported { report, mailed, .. } if report.action == RunAction::Preview => mailed,
        Ended::Reported { report, mailed, .. } => {
            metrics.add_run(report);
            metrics.add_stages(report, now);
            mailed
        }
        Ended::Repeated { mailed, .. } => mailed,
        Ended::InProgress(_) | Ended::NothingOpen(_) => return,
    };
    metrics.add("MailFailed", Unit::Count, u64::from(mailed.has_failed()));
}

/// The answer to an event that got no run, and whether the refusal is on record.
async fn refused(
    incident: Incident,
    invocation: &Invocation,
    outside: &Outside,
) -> (Response, Result<(), StoreError>) {
    error!(category = %incident.category, code = %incident.code, what = %incident.what, "refused");
    let policy = outside.default_policy();
    let (mailed, kept) = refuse(
        std::slice::from_ref(&incident),
        &policy.mail,
        (outside.store.as_ref(), outside.mailer.as_ref(), outside.clock.as_ref()),
        &invocation.writer,
    )
    .await;
    let response = Response {
        outcome: "refused".to_owned(),
        run: None,
        mode: None,
        mail: mail_word(&mailed),
        incidents: vec![noted(&incident)],
    };
    (response, kept)
}

//! The function: event in, answer out. Nothing here knows what carries the event.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tracing::{error, info};

use crate::application::run::{Ended, run};
use crate::application::tell::{Mailed, refuse};
use crate::domain::incident::{Category, Incident};
use crate::domain::report::RunReport;
use crate::domain::run::Mode;
use crate::interface::event::Event;
use crate::interface::settings::{Settings, SettingsError};
use crate::interface::wiring::{Invocation, Outside};

/// What the function answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Response {
    /// How it ended: a verdict, `repeated`, `in-progress`, `nothing-open` or `refused`.
    pub outcome: String,
    /// The run, if the event named one.
    pub run: Option<String>,
    /// Paper or live.
    pub mode: Option<Mode>,
    /// What became of the mail.
    pub mail: String,
    /// What went wrong.
    pub incidents: Vec<Noted>,
}

/// An incident in the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Noted {
    /// Category.
    pub category: Category,
    /// Stable short name.
    pub code: String,
    /// What happened.
    pub message: String,
}

/// The invocation could not even leave a record: the failure destination has to tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Name to search for in logs and alarms.
    pub kind: &'static str,
    /// What happened.
    pub message: String,
}

/// Answers one event as the function's carrier hands it over: with the request's id, the moment
/// in milliseconds at which it is cut off, and the settings or what is wrong with them.
///
/// # Errors
/// [`Failure`] when the settings name no world, or no final record could be left.
pub async fn invoke(
    event: Value,
    request_id: String,
    deadline_ms: u64,
    settings: Result<&Settings, &SettingsError>,
) -> Result<Response, Failure> {
    let settings = settings.map_err(|wrong| unworldly(Incident::from(wrong)))?;
    let deadline = i64::try_from(deadline_ms).ok().map(Timestamp::from_millisecond);
    let Some(Ok(deadline)) = deadline else {
        let message = format!("the invocation's deadline is no moment: {deadline_ms} ms");
        return Err(Failure { kind: "Runtime", message });
    };
    handle(event, Invocation { writer: request_id, deadline }, settings).await
}

/// Answers one event in the world that the settings name.
///
/// # Errors
/// [`Failure`] only when no final record could be left.
pub async fn handle(
    event: Value,
    invocation: Invocation,
    settings: &Settings,
) -> Result<Response, Failure> {
    let mode = match event.get("mode").and_then(Value::as_str) {
        Some("live") => Mode::Live,
        _ => Mode::Paper,
    };
    match Outside::from_settings(settings, mode) {
        Ok(outside) => answer(event, invocation, &outside).await,
        Err(incident) => Err(unworldly(*incident)),
    }
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
    let request = match Event::parse(event, outside.clock.now()) {
        Ok(Event::Run(request)) => request,
        Ok(Event::Watch(_) | Event::Report { .. }) => {
            let incident = Incident::new(
                Category::Configuration,
                "action-not-available",
                "event",
                "this version has no watch and no period reports",
            );
            return Ok(refused(incident, &invocation, outside).await);
        }
        Err(error) => return Ok(refused(Incident::from(&error), &invocation, outside).await),
    };
    let site = match outside.furnish(request.mode, &request.account, invocation.clone()).await {
        Ok(site) => site,
        Err(incident) => return Ok(refused(incident, &invocation, outside).await),
    };
    respond(Box::pin(run(&request, &site.house())).await)
}

/// The answer for an end of a run.
///
/// # Errors
/// [`Failure`] when the run has no final record, be it for want of a store or because a later
/// invocation has to finish it.
pub fn respond(ended: Ended) -> Result<Response, Failure> {
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

fn told(report: &RunReport, outcome: String, mailed: &Mailed) -> Response {
    Response {
        outcome,
        run: Some(report.key.to_string()),
        mode: Some(report.key.mode),
        mail: mail_word(mailed),
        incidents: report.incidents.iter().map(noted).collect(),
    }
}

async fn refused(incident: Incident, invocation: &Invocation, outside: &Outside) -> Response {
    error!(category = %incident.category, code = %incident.code, what = %incident.what, "refused");
    let policy = outside.default_policy();
    let mailed = refuse(
        std::slice::from_ref(&incident),
        &policy.mail,
        (outside.store.as_ref(), outside.mailer.as_ref(), outside.clock.as_ref()),
        &invocation.writer,
    )
    .await;
    Response {
        outcome: "refused".to_owned(),
        run: None,
        mode: None,
        mail: mail_word(&mailed),
        incidents: vec![noted(&incident)],
    }
}

fn noted(incident: &Incident) -> Noted {
    Noted {
        category: incident.category,
        code: incident.code.clone(),
        message: incident.what.clone(),
    }
}

fn mail_word(mailed: &Mailed) -> String {
    match mailed {
        Mailed::Sent(_) => "sent".to_owned(),
        Mailed::Before => "sent before".to_owned(),
        Mailed::Silent => "none".to_owned(),
        Mailed::Failed(why) => format!("failed: {why}"),
    }
}

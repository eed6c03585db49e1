//! What the function answers.

use serde::Serialize;
use tracing::info;

use crate::application::tell::Mailed;
use crate::application::watch::Watched;
use crate::domain::incident::{Category, Incident};
use crate::domain::report::RunReport;
use crate::domain::run::Mode;
use crate::presentation::PeriodReport;

/// How the answer begins about a mail that was not taken.
pub(super) const MAIL_FAILED: &str = "failed";

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

/// The answer to a look.
pub(super) fn seen(watched: &Watched) -> Response {
    let response = Response {
        outcome: watched.look.finding.as_str().to_owned(),
        run: Some(watched.look.run.to_string()),
        mode: Some(watched.look.run.mode),
        mail: mail_word(&watched.mailed),
        incidents: watched.incidents.iter().map(noted).collect(),
    };
    info!(outcome = %response.outcome, run = response.run, mail = %response.mail, "looked");
    response
}

/// The answer to a run that has a report.
pub(super) fn told(report: &RunReport, outcome: String, mailed: &Mailed) -> Response {
    Response {
        outcome,
        run: Some(report.key.to_string()),
        mode: Some(report.key.mode),
        mail: mail_word(mailed),
        incidents: report.incidents.iter().map(noted).collect(),
    }
}

/// The answer to a letter about a period.
pub(super) fn reported(report: &PeriodReport, mailed: &Mailed) -> Response {
    let response = Response {
        outcome: if *mailed == Mailed::Before { "repeated" } else { "reported" }.to_owned(),
        run: None,
        mode: Some(report.mode),
        mail: mail_word(mailed),
        incidents: Vec::new(),
    };
    info!(outcome = %response.outcome, period = %report.period, mail = %response.mail, "reported");
    response
}

/// An incident in the answer.
pub(super) fn noted(incident: &Incident) -> Noted {
    Noted {
        category: incident.category,
        code: incident.code.clone(),
        message: incident.what.clone(),
    }
}

/// What became of the mail, in words.
pub(super) fn mail_word(mailed: &Mailed) -> String {
    match mailed {
        Mailed::Sent(_) => "sent".to_owned(),
        Mailed::Before => "sent before".to_owned(),
        Mailed::Elsewhere => "being sent by another invocation".to_owned(),
        Mailed::Silent => "none".to_owned(),
        Mailed::Failed(why) => format!("{MAIL_FAILED}: {why}"),
    }
}

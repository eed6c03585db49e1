//! Why a stage of a run did not go on.
//!
//! A stop is no failure of the program: it is an end of the run with a verdict, which is recorded
//! and told like any other. Only a passing one leaves the run open for a later invocation.

use std::fmt::Display;
use std::time::Duration;

use jiff::SignedDuration;

use crate::application::control::Permission;
use crate::application::journal::JournalError;
use crate::application::ports::BrokerError;
use crate::application::trouble;
use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::report::Verdict;
use crate::domain::run::RunKey;

/// Code of the incident of a record that cannot be trusted.
pub(super) const JOURNAL_CORRUPT: Code = Code::JournalCorrupt;

/// Why a stage did not go on.
pub(super) struct Stop {
    pub(super) verdict: Verdict,
    pub(super) summary: String,
    pub(super) incident: Option<Box<Incident>>,
    /// A later invocation may still trade: no final record.
    pub(super) passing: bool,
}

impl Stop {
    pub(super) fn incident(verdict: Verdict, incident: Incident, passing: bool) -> Self {
        Self {
            verdict,
            summary: incident.what.clone(),
            incident: Some(Box::new(incident)),
            passing,
        }
    }

    pub(super) fn critical(code: Code, what: String) -> Self {
        let incident = Incident::new(Category::Critical, code, "run", what)
            .meaning("Nothing was traded because of it.")
            .action("Read the report; if it repeats, halt and look at the broker's account.");
        Self::incident(Verdict::Blocked, incident, false)
    }

    pub(super) fn fault(what: &str) -> Self {
        Self::critical(Code::InternalFault, what.to_owned())
    }

    pub(super) fn broker(error: &BrokerError, doing: &str) -> Self {
        Self::incident(Verdict::Failed, trouble::broker(error, doing), trouble::is_passing(error))
    }

    /// What kept us from observing; a broker out of reach may be back for the next resume.
    pub(super) fn observing(incident: Incident) -> Self {
        let passing = [Code::BrokerUnreachable, Code::BrokerRateLimited, Code::SecretUnavailable]
            .into_iter()
            .any(|code| incident.code == code);
        Self::incident(Verdict::Failed, incident, passing)
    }

    pub(super) fn late(age: SignedDuration) -> Self {
        let what = format!("the event is {} minutes old; it no longer trades", age.as_mins());
        let incident = Incident::new(Category::Trading, Code::EventLate, "run", what)
            .meaning(
                "Nothing was traded: prices and plan would not be those of the scheduled time.",
            )
            .action("Look at why the event came late; tomorrow's run goes on from here.");
        Self::incident(Verdict::Blocked, incident, false)
    }

    pub(super) fn out_of_time(left: Duration) -> Self {
        let what = format!("the invocation began with only {} seconds left", left.as_secs());
        let incident = Incident::new(Category::Critical, Code::Deadline, "run", what)
            .meaning("Nothing was begun: sells without time for their buys would be worse.")
            .action("The next resume trades if it comes in time; look at why this one began late.");
        Self::incident(Verdict::Blocked, incident, true)
    }

    pub(super) fn left_open(run: &RunKey) -> Self {
        let what = format!("run {run} is still open: a preview after it would be a guess");
        let incident = Incident::new(Category::Trading, Code::RunLeftOpen, "run", what)
            .meaning("Nothing was previewed and nothing was touched.")
            .action("Let the run end, or resume it; then preview again.");
        Self::incident(Verdict::Blocked, incident, false)
    }

    /// Another run of the account may still send orders.
    pub(super) fn overlap(run: impl Display) -> Self {
        let what = format!("run {run} is still being worked on");
        Self { passing: true, ..Self::critical(Code::Overlap, what) }
    }

    /// A record cannot be trusted.
    pub(super) fn is_of_the_journal(&self) -> bool {
        let is_one = |code: Code| self.incident.as_ref().is_some_and(|said| said.code == code);
        is_one(JOURNAL_CORRUPT) || is_one(Code::RecordNewer)
    }

    /// What the operator permits, if that is no order; only an answer that is away may come yet.
    pub(super) fn not_permitted(permission: &Permission) -> Option<Self> {
        let incident = trouble::not_permitted(permission)?;
        let passing = matches!(permission, Permission::Away(_));
        Some(Self::incident(Verdict::Blocked, incident, passing))
    }
}

impl From<JournalError> for Stop {
    fn from(error: JournalError) -> Self {
        let passing = matches!(&error, JournalError::Store(_));
        Self::incident(Verdict::Failed, trouble::journal(&error), passing)
    }
}

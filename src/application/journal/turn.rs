//! Turns: which of a session's runs plans next, when slots of one account meet.
//!
//! A lease keeps the invocations of *one* run apart. Two runs of one session have leases of their
//! own, and each would plan with the same shares and the same cash. So a run takes the session's
//! next turn before its plan is kept, and may only have it once the run that had the turn before
//! has ended, in a final record that this run has read: the ledger it plans from then knows those
//! fills. Whoever has to wait sends nothing and stays open; a resume reads that ledger anew.

use serde::de::IgnoredAny;

use crate::application::journal::{Journal, JournalError, Kept, decode};
use crate::application::ports::Record;
use crate::domain::report::RunReport;
use crate::domain::run::RunKey;

/// Turns of one session: far more than slots and generations that anybody schedules for a day.
const TURNS_MAX: usize = 100;

/// Whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// This run's, which may plan.
    Ours,
    /// That of a run whose end this run has not read.
    Anothers(String),
}

impl Journal<'_> {
    /// Takes the session's next turn. A run cut off after it had taken one finds its own again.
    /// `ended` are the runs of the session whose final records the plan starts from.
    ///
    /// # Errors
    /// [`JournalError`] when the store fails or a record cannot be trusted.
    pub async fn take_turn(&self, ended: &[Kept<RunReport>]) -> Result<Turn, JournalError> {
        for number in 1..=TURNS_MAX {
            let name = self.turn_name(number);
            let record = self.put(&name, None, &()).await?;
            if let Some(turn) = self.judged(&name, &record, ended)? {
                return Ok(turn);
            }
        }
        let reason = format!("{TURNS_MAX} turns are taken");
        Err(JournalError::corrupt(&self.turn_name(TURNS_MAX), reason))
    }

    /// Whose turn it is before anybody takes the next: ours, if nobody has one whose end this run
    /// has not read.
    ///
    /// # Errors
    /// [`JournalError`] when the store fails or a record cannot be trusted.
    pub async fn whose_turn(&self, ended: &[Kept<RunReport>]) -> Result<Turn, JournalError> {
        for number in 1..=TURNS_MAX {
            let name = self.turn_name(number);
            let Some(record) = self.store.get(&name).await? else { break };
            if let Some(turn) = self.judged(&name, &record, ended)? {
                return Ok(turn);
            }
        }
        Ok(Turn::Ours)
    }

    fn turn_name(&self, number: usize) -> String {
        let RunKey { mode, account, session, .. } = &self.key;
        format!("runs/{mode}/{account}/{session}/turn/{number}.json")
    }

    /// Whose a turn is, unless it is over.
    fn judged(
        &self,
        name: &str,
        record: &Record,
        ended: &[Kept<RunReport>],
    ) -> Result<Option<Turn>, JournalError> {
        let (run, _, Kept::<IgnoredAny> { .. }) = decode(name, record)?;
        if run == self.key.to_string() {
            return Ok(Some(Turn::Ours));
        }
        let is_over = ended.iter().any(|report| report.body.key.to_string() == run);
        Ok((!is_over).then_some(Turn::Anothers(run)))
    }
}

//! What a run has at hand in its house: which run a request is for, and that run's records.

use std::time::Duration;

use crate::application::journal::listing::Listing;
use crate::application::journal::{Journal, JournalError};
use crate::application::run::House;
use crate::application::tell::is_silent;
use crate::domain::receipt::Receipt;
use crate::domain::report::RunReport;
use crate::domain::run::{RunAction, RunKey, RunRequest};

/// A lease outlives its holder's deadline by this much.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

impl House<'_> {
    /// The run that a request is for. A resume goes on with the newest generation of its session
    /// that was opened: an older one has ended, or that one could not have been.
    pub async fn key_of(&self, request: &RunRequest) -> RunKey {
        let key = request.key();
        match request.action {
            RunAction::Trade | RunAction::Preview => key,
            RunAction::Resume => match self.listing(&key).await {
                Ok(listing) => listing.newest_opened(&key).unwrap_or(key),
                Err(_) => key, // the stages ask again, and say why
            },
        }
    }

    /// Names of the account's records of a run's month: those listed while this was furnished, if
    /// they are of that month and new enough.
    pub(super) async fn listing(&self, key: &RunKey) -> Result<Listing, JournalError> {
        let now = self.desk.clock.now();
        if let Some(listing) = self.listing.filter(|listing| listing.is_for(key, now)) {
            return Ok(listing.clone());
        }
        let of = (key.mode, &key.account);
        Ok(Listing::of(self.store, self.desk.clock, of, key.session).await?)
    }

    pub(super) fn journal(&self, key: RunKey) -> Journal<'_> {
        Journal::new(self.store, self.desk.clock, key, (self.writer, self.code))
    }

    /// What a run used and costs, its record, page and mail to come included.
    pub(super) fn receipt(&self, report: &RunReport) -> Receipt {
        let mail = &self.desk.policy.mail;
        let recipients = u32::try_from(mail.to.len()).unwrap_or(u32::MAX);
        let owed = if is_silent(report, mail) { 0 } else { recipients };
        let took = report.finished_at.duration_since(report.started_at);
        Receipt::new(self.meter.used(), owed, took, self.meter.function())
    }

    pub(super) fn lease(&self) -> Duration {
        let left = self.deadline.duration_since(self.desk.clock.now());
        Duration::try_from(left).unwrap_or_default() + LEASE_MARGIN
    }
}

//! Claims: which invocation works on a run, by leases that nobody renews.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::join;

use crate::application::journal::listing::Listing;
use crate::application::journal::{Journal, JournalError, Kept};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::report::RunReport;
use crate::domain::run::RunRequest;

/// Invocations of one run that may take over from each other; retries and resumes are about ten.
const EPOCHS_MAX: usize = 200;

/// What a claim found.
#[derive(Debug)]
pub enum Claim {
    /// The run is ours to work on, at this lease epoch.
    Ours {
        /// Epoch of the lease.
        epoch: usize,
        /// The request that opened the run.
        opened: Box<RunRequest>,
        /// What went before.
        before: Before,
    },
    /// Somebody else works on it.
    InProgress,
    /// It is finished.
    Finished(Box<Kept<RunReport>>),
    /// It was never opened, and this request may not open it.
    NeverOpened,
}

/// Whether an earlier invocation may have done something for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// This is the first one that ever worked on it: it has no plan and no end.
    Nothing,
    /// Perhaps.
    Perhaps,
}

/// Whether a claim may open a run that nobody opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It may.
    Allowed,
    /// It may only continue one.
    Forbidden,
}

/// It lasts so long from the moment of its own storing, by the store's time, so that nobody's
/// clock matters and it can be asked for together with the records that open a run.
#[derive(Serialize, Deserialize)]
pub(super) struct Lease {
    seconds: u64,
}

impl Journal<'_> {
    /// Claims the run: leaves a trace of this invocation, then finds out whether it may work.
    ///
    /// # Errors
    /// [`JournalError`] when the store fails or a record cannot be trusted.
    pub async fn claim(
        &self,
        request: &RunRequest,
        opening: Opening,
        lease: Duration,
        listing: Option<&Listing>,
    ) -> Result<Claim, JournalError> {
        let is_new = opening == Opening::Allowed
            && listing.is_some_and(|listing| !listing.shows_any(&self.key));
        if is_new && let Some(claim) = self.begin(request, lease).await? {
            return Ok(claim);
        }
        let (ended, opened) =
            join!(self.read::<RunReport>("final.json"), self.read::<RunRequest>("open.json"));
        if let Some(report) = ended? {
            return Ok(Claim::Finished(Box::new(report)));
        }
        if opened?.is_none() && opening == Opening::Forbidden {
            return Ok(Claim::NeverOpened);
        }
        let (now, opened) = self.open(request).await?;
        let Some(epoch) = self.free_epoch(now).await? else { return Ok(Claim::InProgress) };
        if !self.keep(&lease_name(epoch), None, &Lease::lasting(lease)).await?.mine {
            return Ok(Claim::InProgress);
        }
        // Whoever held the lease before may have finished between our first look and our claim.
        match self.read::<RunReport>("final.json").await {
            Ok(Some(report)) => Ok(Claim::Finished(Box::new(report))),
            Ok(None) => Ok(Claim::Ours { epoch, opened, before: Before::Perhaps }),
            Err(error) => {
                let _ = self.release(epoch).await; // a lease not given back runs out by itself
                Err(error)
            }
        }
    }

    /// Claims a run of which nothing is known, with its three first records at once. Nobody can
    /// have done anything for it when the first lease of all is ours; `None` when it is not.
    async fn begin(
        &self,
        request: &RunRequest,
        lease: Duration,
    ) -> Result<Option<Claim>, JournalError> {
        let (name, lease) = (lease_name(1), Lease::lasting(lease));
        let (opened, leased) = join!(self.open(request), self.keep(&name, None, &lease));
        match (opened, leased) {
            (Ok((_, opened)), Ok(Kept { mine: true, .. })) => {
                Ok(Some(Claim::Ours { epoch: 1, opened, before: Before::Nothing }))
            }
            (Ok(_), Ok(_)) => Ok(None),
            (Err(error), Ok(Kept { mine: true, .. })) => {
                let _ = self.release(1).await; // a lease not given back runs out by itself
                Err(error)
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// Opens the run without claiming it, so that another invocation may: with the store's time
    /// and the request that stands in the record.
    ///
    /// # Errors
    /// [`JournalError`] when the store fails or a record cannot be trusted.
    pub async fn open(
        &self,
        request: &RunRequest,
    ) -> Result<(Timestamp, Box<RunRequest>), JournalError> {
        let delivery = format!("deliveries/{}.json", self.writer);
        let (delivered, opened) =
            join!(self.keep(&delivery, None, request), self.keep("open.json", None, request));
        Ok((delivered?.at, Box::new(opened?.body)))
    }

    /// Gives the lease back before it runs out.
    ///
    /// # Errors
    /// [`JournalError`] when the store fails; the lease then runs out by itself.
    pub async fn release(&self, epoch: usize) -> Result<(), JournalError> {
        self.keep(&format!("lease/{epoch:04}.released"), None, &()).await.map(|_| ())
    }

    /// Gives back the lease that this invocation holds, if any: for whoever stops half-way.
    ///
    /// # Errors
    /// [`JournalError`] when the store fails; the lease then runs out by itself.
    pub async fn abandon(&self) -> Result<(), JournalError> {
        let names = self.store.list(&self.path("lease/")).await?;
        let last = names.iter().filter(|name| !name.ends_with(".released")).count();
        match self.read::<Lease>(&lease_name(last)).await? {
            Some(lease) if lease.mine => self.release(last).await,
            Some(_) | None => Ok(()),
        }
    }

    async fn free_epoch(&self, now: Timestamp) -> Result<Option<usize>, JournalError> {
        let prefix = self.path("lease/");
        let names = self.store.list(&prefix).await?;
        let last = names.iter().filter(|name| !name.ends_with(".released")).count();
        if last >= EPOCHS_MAX {
            let reason = format!("{last} leases");
            return Err(JournalError::Corrupt { key: prefix, reason });
        }
        if last == 0 {
            return Ok(Some(1));
        }
        let released = names.iter().any(|name| name.ends_with(&format!("/{last:04}.released")));
        let over = match self.read::<Lease>(&lease_name(last)).await? {
            Some(_) if is_planted(Mutant::LeaseForEver) => false,
            Some(lease) => lease.body.end(lease.at) <= now,
            None => false,
        };
        Ok((released || over).then_some(last + 1))
    }
}

impl Lease {
    fn lasting(duration: Duration) -> Self {
        Self { seconds: duration.as_secs() + 1 } // a started second counts
    }

    pub(super) fn end(&self, from: Timestamp) -> Timestamp {
        from.saturating_add(Duration::from_secs(self.seconds)).unwrap_or(Timestamp::MAX)
    }
}

pub(super) fn lease_name(epoch: usize) -> String {
    format!("lease/{epoch:04}.json")
}

//! Looking back before going on: whether a record continues from the bytes it should.
//!
//! A record may read well and still be another than the one that was written: restored from an
//! older version, taken from another bucket, edited with care. What was decided on from the true
//! one then no longer fits it, and that shows here. Nothing is repaired; the run stops.

use jiff::ToSpan;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::try_join;

use crate::application::journal::history::{Found, History, MONTHS_MAX, final_of, runs_in};
use crate::application::journal::listing::{Listing, month as names_begin};
use crate::application::journal::{
    AttemptRecord, Journal, JournalError, Kept, PlanRecord, attempt_name, decode,
};
use crate::application::ports::Store;
use crate::domain::order::Side;
use crate::domain::report::RunReport;
use crate::domain::symbol::Symbol;

/// The record of a plan.
pub const PLAN: &str = "plan.json";

impl Journal<'_> {
    /// Writes a record once that continues from `parent`, and returns what is stored: if somebody
    /// else was first, theirs, which continues from the same bytes.
    ///
    /// # Errors
    /// [`JournalError`] as for [`Journal::keep`], and when the stored one continues from others.
    pub async fn keep_after<T: Serialize + DeserializeOwned>(
        &self,
        parent: &str,
        name: &str,
        body: &T,
    ) -> Result<Kept<T>, JournalError> {
        let kept = self.keep(name, Some(parent), body).await?;
        self.continues(name, &kept, parent)?;
        Ok(kept)
    }

    /// Reads a record that continues from `parent`.
    ///
    /// # Errors
    /// [`JournalError`] as for [`Journal::read`], and when it continues from other bytes.
    pub async fn read_after<T: DeserializeOwned>(
        &self,
        parent: &str,
        name: &str,
    ) -> Result<Option<Kept<T>>, JournalError> {
        let Some(kept) = self.read::<T>(name).await? else { return Ok(None) };
        self.continues(name, &kept, parent)?;
        Ok(Some(kept))
    }

    /// Reads the run's plan, and looks whether it is this run's and made from the inputs it names.
    ///
    /// # Errors
    /// [`JournalError`] when the store fails or a record cannot be trusted.
    pub async fn plan(&self) -> Result<Option<Kept<PlanRecord>>, JournalError> {
        let Some(kept) = self.read::<PlanRecord>(PLAN).await? else { return Ok(None) };
        self.look_at_plan(&kept).await?;
        Ok(Some(kept))
    }

    /// Looks whether a plan is this run's and made from the inputs it names.
    ///
    /// # Errors
    /// [`JournalError`] when the store fails or a record cannot be trusted.
    pub async fn look_at_plan(&self, kept: &Kept<PlanRecord>) -> Result<(), JournalError> {
        let record = &kept.body;
        if record.plan.key != *self.key() {
            let reason = format!("the plan is for run {}", record.plan.key);
            return Err(JournalError::corrupt(&self.path(PLAN), reason));
        }
        if let Some(inputs) = self.read::<IgnoredAny>(&record.inputs).await? {
            return self.continues(PLAN, kept, &inputs.hash);
        }
        let reason = format!("its inputs {} are missing", record.inputs);
        Err(JournalError::corrupt(&self.path(PLAN), reason))
    }

    /// What the record of an order's attempt continues from: the attempt before it, back to the
    /// plan for the second. Looks at each of them on the way.
    ///
    /// # Errors
    /// [`JournalError`] when the store fails, or a record is missing or cannot be trusted.
    pub async fn parent_of_attempt(
        &self,
        (side, symbol): (Side, &Symbol),
        attempt: u8,
        plan_hash: &str,
    ) -> Result<String, JournalError> {
        let mut parent = plan_hash.to_owned();
        for before in 2..attempt {
            let name = attempt_name(side, symbol, before);
            match self.read_after::<AttemptRecord>(&parent, &name).await? {
                Some(kept) => parent = kept.hash,
                // It was kept before its order went out.
                None => return Err(JournalError::corrupt(&self.path(&name), "it is missing")),
            }
        }
        Ok(parent)
    }

    fn continues<T>(&self, name: &str, kept: &Kept<T>, parent: &str) -> Result<(), JournalError> {
        if kept.previous.as_deref() == Some(parent) {
            return Ok(());
        }
        let reason = "it does not continue from the record before it";
        Err(JournalError::corrupt(&self.path(name), reason))
    }
}

/// Looks whether the ledger that a run starts from is the one that was written: the last final
/// record fits its plan, the letter about it, and the final record before it.
///
/// # Errors
/// [`JournalError`] when the store fails or the records do not fit each other.
pub async fn look_at_last(
    store: &dyn Store,
    history: &History,
    listing: Option<&Listing>,
) -> Result<(), JournalError> {
    let Some(last) = &history.last else { return Ok(()) };
    let run = &last.body.key;
    let plan_name = format!("runs/{run}/{PLAN}");
    let letter_name = format!("runs/{run}/mail/run.json");
    let (plan, letter, before) = try_join!(
        hash_of(store, &plan_name),
        parent_of(store, &letter_name),
        final_before(store, last, listing),
    )?;
    let broken =
        |reason: &str| Err(JournalError::corrupt(&format!("runs/{run}/final.json"), reason));
    if last.body.plan_record.is_some() && last.body.plan_record != plan {
        return broken("it does not continue from the plan of its run");
    }
    if letter.is_some_and(|about| about != last.hash) {
        return broken("it is not the one that was mailed");
    }
    match before {
        Some(before) if last.body.previous.as_ref() != Some(&before.hash) => {
            broken("it does not continue from the final record before it")
        }
        Some(_) | None => Ok(()), // there was none, or it was put away long ago
    }
}

async fn hash_of(store: &dyn Store, name: &str) -> Result<Option<String>, JournalError> {
    let Some(record) = store.get(name).await? else { return Ok(None) };
    decode::<IgnoredAny>(name, &record).map(|(_, _, kept)| Some(kept.hash))
}

async fn parent_of(store: &dyn Store, name: &str) -> Result<Option<String>, JournalError> {
    let Some(record) = store.get(name).await? else { return Ok(None) };
    decode::<IgnoredAny>(name, &record).map(|(_, _, kept)| kept.previous)
}

/// The final record with a ledger that was written before this one.
async fn final_before(
    store: &dyn Store,
    last: &Kept<RunReport>,
    listing: Option<&Listing>,
) -> Result<Option<Kept<RunReport>>, JournalError> {
    let of = &last.body.key;
    let mut month = of.session.first_of_month();
    let mut newest: Option<Kept<RunReport>> = None;
    for _ in 0..MONTHS_MAX {
        let prefix = names_begin(of.mode, &of.account, month);
        let names = match listing.filter(|listing| listing.is_of(&prefix)) {
            Some(listing) => listing.names().to_vec(),
            None => store.list(&prefix).await?,
        };
        for Found { key, is_final, .. } in runs_in(&names, of.mode, &of.account).into_iter().rev() {
            if !is_final || key == *of || key.session > of.session {
                continue;
            }
            // Names do not say which run of a session came last.
            if newest.as_ref().is_some_and(|newest| newest.body.key.session != key.session) {
                return Ok(newest);
            }
            let Some(found) = final_of(store, &key).await? else { continue };
            let (ended, report) = (found.body.finished_at, &found.body);
            let is_newer = newest.as_ref().is_none_or(|newest| newest.body.finished_at < ended);
            if report.ledger.is_some() && ended <= last.body.finished_at && is_newer {
                newest = Some(found);
            }
        }
        if newest.is_some() || last.body.previous.is_none() {
            return Ok(newest);
        }
        month = month.saturating_sub(1.month());
    }
    Ok(newest)
}

//! The journal: create-once records from which the state of a run is derived.
//!
//! ```text
//! runs/{run}/deliveries/{writer}.json   every invocation that passed validation
//! runs/{run}/open.json                  the first of them
//! runs/{run}/lease/{epoch}.json         who works on it, and until when; `.released` ends it early
//! runs/{run}/snapshot.json              every input of the decision
//! runs/{run}/plan.json                  the approved plan
//! runs/{run}/att/{S|B}/{SYMBOL}/{k}.json  attempt k > 1: what the terminal attempts left over
//! runs/{run}/sells.json buyplan.json buys.json
//! runs/{run}/final.json                 the report
//! runs/{run}/mail/run.json              after the mail was taken
//! ```
//! Beside them lie what is no record of a run: `reports/{run}.html`, a view that may be made
//! again; `previews/`; `refusals/`, for events that named no run; `watch/`, for looks at runs;
//! `control/` and `config/`.
//!
//! No record is ever changed. A writer that finds another's bytes goes on with those bytes. The
//! lease only saves work: safety rests on the plan, the attempts and the broker's unique ids.

pub mod history;
pub mod inputs;
pub mod traces;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::application::ports::{Clock, Put, Record, Store, StoreError};
use crate::domain::hash::sha256_hex;
use crate::domain::incident::Incident;
use crate::domain::money::{Shares, Usd};
use crate::domain::order::{ClientOrderId, Side};
use crate::domain::plan::RebalancePlan;
use crate::domain::report::{AccountReport, DataReport, LimitUse, RunReport};
use crate::domain::run::{RunKey, RunRequest};
use crate::domain::strategy::StrategyOutcome;
use crate::domain::symbol::Symbol;

/// Version of the records' form.
const RECORD_VERSION: u32 = 1;
/// How often a write without an answer is repeated; the same bytes each time, so that is safe.
const PUT_TRIES: u32 = 4;
/// Wait before the first repetition; doubled each time.
const PUT_WAIT: Duration = Duration::from_millis(200);
/// Invocations of one run that may take over from each other; retries and resumes are about ten.
const EPOCHS_MAX: usize = 200;

/// Why the journal stops a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record cannot be read.
    #[error("record not readable: {key}: {reason}")]
    Corrupt {
        /// The record.
        key: String,
        /// Why.
        reason: String,
    },
    /// A record was written by newer code.
    #[error("record of a newer form: {key}: version {version}")]
    Newer {
        /// The record.
        key: String,
        /// Its version.
        version: u32,
    },
}

/// The records of one run, as seen by one invocation.
pub struct Journal<'a> {
    store: &'a dyn Store,
    clock: &'a dyn Clock,
    key: RunKey,
    writer: &'a str,
    code: &'a str,
}

/// A record as it is stored, whoever wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept<T> {
    /// Its content.
    pub body: T,
    /// SHA-256 of its bytes.
    pub hash: String,
    /// The store's time of writing.
    pub at: Timestamp,
    /// Whether this invocation wrote it.
    pub mine: bool,
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    version: u32,
    run: String,
    writer: String,
    code: String,
    previous: Option<String>,
    body: T,
}

/// Attempt k > 1 of an order: what was left after the attempts before it ended at the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// Shares of this attempt.
    pub shares: Shares,
    /// The ended attempts and what each executed.
    pub evidence: BTreeMap<ClientOrderId, Shares>,
}

/// The approved plan with what the report says of it, so that a resumed run tells the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// The plan.
    pub plan: RebalancePlan,
    /// What each strategy said.
    pub signals: Vec<StrategyOutcome>,
    /// Use of each limit.
    pub limits: Vec<LimitUse>,
    /// What was noticed while deciding.
    pub incidents: Vec<Incident>,
    /// Where the data came from.
    pub data: Option<DataReport>,
    /// The account before.
    pub account: Option<AccountReport>,
    /// Cash paid in and out, by session.
    pub transfers: BTreeMap<Date, Usd>,
}

#[derive(Serialize, Deserialize)]
struct Lease {
    not_after: Timestamp,
}

/// What a claim found.
#[derive(Debug)]
pub enum Claim {
    /// The run is ours to work on, at this lease epoch.
    Ours {
        /// Epoch of the lease.
        epoch: usize,
        /// The request that opened the run.
        opened: Box<RunRequest>,
    },
    /// Somebody else works on it.
    InProgress,
    /// It is finished.
    Finished(Box<Kept<RunReport>>),
    /// It was never opened, and this request may not open it.
    NeverOpened,
}

/// Whether a claim may open a run that nobody opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It may.
    Allowed,
    /// It may only continue one.
    Forbidden,
}

impl<'a> Journal<'a> {
    /// The journal of a run; `writer` must differ between invocations.
    pub const fn new(
        store: &'a dyn Store,
        clock: &'a dyn Clock,
        key: RunKey,
        (writer, code): (&'a str, &'a str),
    ) -> Self {
        Self { store, clock, key, writer, code }
    }

    /// The run.
    pub const fn key(&self) -> &RunKey {
        &self.key
    }

    /// Claims the run: leaves a trace of this invocation, then finds out whether it may work.
    ///
    /// # Errors
    /// [`JournalError`] when the store fails or a record cannot be trusted.
    pub async fn claim(
        &self,
        request: &RunRequest,
        opening: Opening,
        lease: Duration,
    ) -> Result<Claim, JournalError> {
        if let Some(report) = self.read::<RunReport>("final.json").await? {
            return Ok(Claim::Finished(Box::new(report)));
        }
        let opened_before = self.read::<RunRequest>("open.json").await?.is_some();
        if !opened_before && opening == Opening::Forbidden {
            return Ok(Claim::NeverOpened);
        }
        let delivery = format!("deliveries/{}.json", self.writer);
        let now = self.keep(&delivery, None, request).await?.at;
        let opened = Box::new(self.keep("open.json", None, request).await?.body);
        let Some(epoch) = self.free_epoch(now).await? else { return Ok(Claim::InProgress) };
        let not_after = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
        let kept = self.keep(&lease_name(epoch), None, &Lease { not_after }).await?;
        if !kept.mine {
            return Ok(Claim::InProgress);
        }
        // Whoever held the lease before may have finished between our first look and our claim.
        match self.read::<RunReport>("final.json").await? {
            Some(report) => Ok(Claim::Finished(Box::new(report))),
            None => Ok(Claim::Ours { epoch, opened }),
        }
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
            Some(lease) => lease.body.not_after <= now,
            None => false,
        };
        Ok((released || over).then_some(last + 1))
    }

    /// Writes a record once and returns what is stored: ours, or what was there first.
    ///
    /// # Errors
    /// [`JournalError`] when the store gives no answer within a few tries, or when the stored
    /// record cannot be trusted.
    ///
    /// # Panics
    /// Never: records are plain data that always serialises.
    pub async fn keep<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        previous: Option<&str>,
        body: &T,
    ) -> Result<Kept<T>, JournalError> {
        let key = self.path(name);
        let envelope = Envelope {
            version: RECORD_VERSION,
            run: self.key.to_string(),
            writer: self.writer.to_owned(),
            code: self.code.to_owned(),
            previous: previous.map(str::to_owned),
            body,
        };
        let bytes = serde_json::to_vec(&envelope).expect("plain data serialises");
        let mut wait = PUT_WAIT;
        for attempt in 1.. {
            match self.store.put_once(&key, &bytes).await {
                Ok(Put::Stored { at }) => return self.decode(&key, &Record { bytes, at }),
                Ok(Put::Exists(record)) => return self.decode(&key, &record),
                Err(StoreError::Unavailable { .. }) if attempt < PUT_TRIES => {
                    self.clock.sleep(wait).await;
                    wait *= 2;
                }
                Err(error) => return Err(error.into()),
            }
        }
        unreachable!("the loop above returns")
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`JournalError`] when the store fails or the record cannot be trusted.
    pub async fn read<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<Kept<T>>, JournalError> {
        let key = self.path(name);
        match self.store.get(&key).await? {
            Some(record) => self.decode(&key, &record).map(Some),
            None => Ok(None),
        }
    }

    fn path(&self, name: &str) -> String {
        format!("runs/{}/{name}", self.key)
    }

    fn decode<T: DeserializeOwned>(
        &self,
        key: &str,
        record: &Record,
    ) -> Result<Kept<T>, JournalError> {
        let (run, writer, kept) = decode(key, record)?;
        if run != self.key.to_string() {
            let reason = format!("belongs to run {run}");
            return Err(JournalError::Corrupt { key: key.to_owned(), reason });
        }
        Ok(Kept { mine: writer == self.writer, ..kept })
    }
}

/// Name of an attempt's record within a run.
pub fn attempt_name(side: Side, symbol: &Symbol, attempt: u8) -> String {
    let letter = match side {
        Side::Sell => 'S',
        Side::Buy => 'B',
    };
    format!("att/{letter}/{symbol}/{attempt}.json")
}

fn lease_name(epoch: usize) -> String {
    format!("lease/{epoch:04}.json")
}

fn decode<T: DeserializeOwned>(
    key: &str,
    record: &Record,
) -> Result<(String, String, Kept<T>), JournalError> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let corrupt = |error: serde_json::Error| JournalError::Corrupt {
        key: key.to_owned(),
        reason: error.to_string(),
    };
    let Version { version } = serde_json::from_slice(&record.bytes).map_err(corrupt)?;
    if version > RECORD_VERSION {
        return Err(JournalError::Newer { key: key.to_owned(), version });
    }
    let envelope: Envelope<T> = serde_json::from_slice(&record.bytes).map_err(corrupt)?;
    let kept =
        Kept { body: envelope.body, hash: sha256_hex(&record.bytes), at: record.at, mine: false };
    Ok((envelope.run, envelope.writer, kept))
}

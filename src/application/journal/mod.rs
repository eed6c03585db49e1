//! The journal: create-once records from which the state of a run is derived.
//!
//! ```text
//! runs/{run}/deliveries/{writer}.json   every invocation that passed validation
//! runs/{run}/open.json                  the first of them
//! runs/{run}/lease/{epoch}.json         who works on it, and how long; `.released` ends it early
//! runs/{run}/snapshot.json              every input of the decision; `snapshot/{writer}.json`
//!                                       when an invocation before left one and no plan
//! runs/{run}/plan.json                  the approved plan
//! runs/{run}/att/{S|B}/{SYMBOL}/{k}.json  attempt k > 1: what the terminal attempts left over
//! runs/{run}/intent/{S|B}/{SYMBOL}/{k}.json  before attempt k is sent, where nothing is sent twice
//! runs/{run}/refused/{S|B}/{SYMBOL}/{k}.json  what the broker said when it refused attempt k
//! runs/{run}/sells.json buyplan.json buys.json
//! runs/{run}/final.json                 the report
//! runs/{run}/mail/run.json              after the mail was taken
//! runs/{mode}/{account}/{session}/turn/{n}.json  which of a session's runs plans next (see [`turn`])
//! ```
//! Beside them lie what is no record of a run: `reports/{run}.html`, a view that may be made
//! again; `previews/`; `refusals/`, for events that named no run; `watch/`, for looks at runs;
//! `control/` and `config/`.
//!
//! No record is ever changed. A writer that finds another's bytes goes on with those bytes. The
//! lease only saves work: safety rests on the plan, the attempts and the broker's unique ids.
//!
//! Every record begins with a digest of the rest of its bytes, and names as its `previous` the
//! SHA-256 of the bytes it continues from. The parents are fixed, and each can be told from what
//! is stored, so that writers of one run always agree on them:
//! ```text
//! snapshot.json            the final record whose ledger it starts from; none in a first run
//! plan.json                the snapshot that it names as its inputs
//! sells.json buyplan.json  the plan, for both are kept at once
//! refused/../{k}.json      the plan
//! buys.json                the buy plan
//! att/../2.json            the plan; attempt 3 then continues from 2, and 4 from 3
//! final.json               the final record before it; its body names the plan's record as well
//! mail/run.json            the final record it is about
//! ```
//! Deliveries, leases, turns and the opening continue from nothing. Whoever continues from a record looks
//! at its digest, its run and its parent first (see [`chain`]); one that is not what it should be
//! stops the run.

pub mod chain;
mod claim;
pub mod history;
pub mod inputs;
pub mod listing;
pub mod traces;
pub mod turn;

pub use claim::{Before, Claim, Opening};

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::application::ports::{Clock, Put, Record, Store, StoreError};
use crate::domain::books::Books;
use crate::domain::books::benchmark::Benchmark;
use crate::domain::hash::sha256_hex;
use crate::domain::incident::Incident;
use crate::domain::money::{Price, Shares, Usd};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::{ClientOrderId, Side};
use crate::domain::plan::RebalancePlan;
use crate::domain::report::{AccountReport, DataReport, LimitUse, RECORD_VERSION, RunReport};
use crate::domain::run::RunKey;
use crate::domain::strategy::StrategyOutcome;
use crate::domain::symbol::Symbol;

/// How often a write without an answer is repeated; the same bytes each time, so that is safe.
const PUT_TRIES: u32 = 4;
/// Wait before the first repetition; doubled each time.
const PUT_WAIT: Duration = Duration::from_millis(200);
/// Record of the inputs of a run's first decision.
pub const FIRST_SNAPSHOT: &str = "snapshot.json";
/// Records begin with this and a digest; those without one are of before it was written.
const DIGEST_KEY: &str = "{\"digest\":\"";

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
    #[error(
        "record of a newer form: {key}: version {version}, this code reads up to {RECORD_VERSION}"
    )]
    Newer {
        /// The record.
        key: String,
        /// Its version.
        version: u32,
    },
}

impl JournalError {
    fn corrupt(key: &str, reason: impl std::fmt::Display) -> Self {
        Self::Corrupt { key: key.to_owned(), reason: reason.to_string() }
    }
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
    /// SHA-256 of the bytes it continues from.
    pub previous: Option<String>,
    /// The store's time of writing.
    pub at: Timestamp,
    /// Whether this invocation wrote it.
    pub mine: bool,
    /// The code that wrote it.
    pub code: String,
}

/// Without its digest, which stands before all this.
impl<T> Kept<T> {
    /// What somebody would see who went on with his own words, for [`Mutant::PlanAgain`].
    pub(super) fn if_mine(self, body: T) -> Self {
        Self { body, mine: true, ..self }
    }
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

/// An attempt about to be sent: whoever wrote this record may send it, once, and nobody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentRecord {
    /// Its name at the broker.
    pub id: ClientOrderId,
    /// Shares.
    pub shares: Shares,
    /// Limit price.
    pub limit: Price,
}

/// The approved plan with what the report says of it, so that a resumed run tells the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// The plan.
    pub plan: RebalancePlan,
    /// Name of the record of its inputs.
    #[serde(default = "first_snapshot")]
    pub inputs: String,
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
    /// The market over the time of the equity curve.
    #[serde(default)]
    pub benchmark: Option<Benchmark>,
    /// What every sleeve paid, received and earned before the first order.
    #[serde(default)]
    pub books: Option<Books>,
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
        let record = self.put(&key, previous, body).await?;
        self.decode(&key, &record)
    }

    /// Writes a record once under its whole key; what comes back is stored, whoever wrote it and
    /// for whichever run.
    async fn put<T: Serialize>(
        &self,
        key: &str,
        previous: Option<&str>,
        body: &T,
    ) -> Result<Record, JournalError> {
        let envelope = Envelope {
            version: RECORD_VERSION,
            run: self.key.to_string(),
            writer: self.writer.to_owned(),
            code: self.code.to_owned(),
            previous: previous.map(str::to_owned),
            body,
        };
        let bytes = sealed(&envelope);
        let mut wait = PUT_WAIT;
        for attempt in 1.. {
            match self.store.put_once(key, &bytes).await {
                Ok(Put::Stored { at }) => return Ok(Record { bytes, at }),
                Ok(Put::Exists(Record { at, .. })) if is_planted(Mutant::MemoryOverStore) => {
                    return Ok(Record { bytes, at });
                }
                Ok(Put::Exists(record)) => return Ok(record),
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

    /// Names of the run's records that begin with a text, within the run.
    ///
    /// # Errors
    /// [`JournalError`] when the store gives no list.
    pub async fn names(&self, begin: &str) -> Result<Vec<String>, JournalError> {
        let run = self.path("");
        let names = self.store.list(&self.path(begin)).await?;
        Ok(names.iter().filter_map(|name| name.strip_prefix(&run)).map(str::to_owned).collect())
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
            return Err(JournalError::corrupt(key, format!("belongs to run {run}")));
        }
        Ok(Kept { mine: writer == self.writer, ..kept })
    }
}

/// A run's final record from its bytes alone, wherever they were found.
///
/// # Errors
/// [`JournalError`] for bytes that are not such a record, damaged, or of a newer form.
pub fn final_record(name: &str, bytes: Vec<u8>) -> Result<Kept<RunReport>, JournalError> {
    let at = Timestamp::UNIX_EPOCH; // bytes do not say when they were stored
    let (run, _, kept) = decode::<RunReport>(name, &Record { bytes, at })?;
    if run != kept.body.key.to_string() {
        return Err(JournalError::corrupt(name, format!("belongs to run {run}")));
    }
    Ok(kept)
}

/// Name of an attempt's record within a run.
pub fn attempt_name(side: Side, symbol: &Symbol, attempt: u8) -> String {
    format!("att/{}/{symbol}/{attempt}.json", letter(side))
}

/// Name of the record that gives one invocation the right to send an attempt.
pub fn intent_name(side: Side, symbol: &Symbol, attempt: u8) -> String {
    format!("intent/{}/{symbol}/{attempt}.json", letter(side))
}

const fn letter(side: Side) -> char {
    match side {
        Side::Sell => 'S',
        Side::Buy => 'B',
    }
}

fn decode<T: DeserializeOwned>(
    key: &str,
    record: &Record,
) -> Result<(String, String, Kept<T>), JournalError> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let corrupt = |error: serde_json::Error| JournalError::corrupt(key, error);
    if !is_whole(&record.bytes) {
        return Err(JournalError::corrupt(key, "its digest is of other bytes"));
    }
    // Newer code may have given the body another form, so the version alone is asked first then.
    let envelope: Result<Envelope<T>, _> = serde_json::from_slice(&record.bytes);
    let version = match &envelope {
        Ok(envelope) => envelope.version,
        Err(_) => serde_json::from_slice::<Version>(&record.bytes).map_err(corrupt)?.version,
    };
    match version {
        0 => return Err(JournalError::corrupt(key, "no record has version 0")),
        1..=RECORD_VERSION => {}
        newer => return Err(JournalError::Newer { key: key.to_owned(), version: newer }),
    }
    let Envelope { body, run, writer, code, previous, .. } = envelope.map_err(corrupt)?;
    let hash = sha256_hex(&record.bytes);
    let kept = Kept { body, hash, previous, at: record.at, mine: false, code };
    Ok((run, writer, kept))
}

/// An envelope's bytes, with a digest of all that follows it.
fn sealed<T: Serialize>(envelope: &Envelope<T>) -> Vec<u8> {
    let plain = serde_json::to_string(envelope).expect("plain data serialises");
    let rest = format!("\",{}", plain.strip_prefix('{').unwrap_or(&plain));
    format!("{DIGEST_KEY}{}{rest}", sha256_hex(rest.as_bytes())).into_bytes()
}

/// Whether the bytes are those that were digested.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(sealed) = bytes.strip_prefix(DIGEST_KEY.as_bytes()) else { return true };
    let Some(end) = sealed.iter().position(|byte| *byte == b'"') else { return false };
    let (digest, rest) = sealed.split_at(end);
    digest == sha256_hex(rest).as_bytes()
}

fn first_snapshot() -> String {
    FIRST_SNAPSHOT.to_owned()
}

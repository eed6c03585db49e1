//! Every input of a decision in a form that can be stored and read back, closes compressed.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::application::journal::{JournalError, decode};
use crate::application::ports::Store;
use crate::domain::account::{Account, Activity, Asset, Position};
use crate::domain::market::{Histories, History, QuoteReading};
use crate::domain::order::Order;
use crate::domain::run::RunKey;
use crate::domain::session::{Calendar, Session};
use crate::domain::snapshot::{Past, Snapshot, Splits};
use crate::domain::symbol::Symbol;

/// Largest unpacked closes accepted: two hundred symbols with sixty years each.
const UNPACKED_MAX: u64 = 64 << 20;

/// Largest record of inputs that a later run looks at: twice what two hundred symbols with a
/// thousand closes each take.
const LOOKED_AT_MAX: usize = 4 << 20;

/// A snapshot as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    now: Timestamp,
    session: Session,
    calendar: Calendar,
    account: Account,
    positions: BTreeMap<Symbol, Position>,
    orders: Vec<Order>,
    activities: Vec<Activity>,
    assets: BTreeMap<Symbol, Asset>,
    closes: String,
    quotes: BTreeMap<Symbol, QuoteReading>,
    splits: Splits,
    past: Past,
}

/// What of stored inputs is read by a later run: it looks at nothing else of them.
#[derive(Deserialize)]
struct Closes {
    closes: String,
}

type Columns = (Vec<Date>, Vec<f64>, Vec<f64>);
type ColumnViews<'a> = (&'a [Date], &'a [f64], &'a [f64]);

/// Why stored inputs are not a snapshot.
#[derive(Debug, thiserror::Error)]
#[error("stored closes not readable: {0}")]
pub struct InputsError(String);

/// Reads the closes that an ended run decided on; `None` when it left no inputs of that name.
///
/// # Errors
/// [`JournalError`] when the store fails, or the record is damaged, another run's, or too large.
pub async fn closes_of(
    store: &dyn Store,
    run: &RunKey,
    name: &str,
) -> Result<Option<Histories>, JournalError> {
    let name = format!("runs/{run}/{name}");
    let Some(record) = store.get(&name).await? else { return Ok(None) };
    if record.bytes.len() > LOOKED_AT_MAX {
        return Err(JournalError::corrupt(&name, "it is too large to be looked at"));
    }
    let (of, _, kept) = decode::<Closes>(&name, &record)?;
    if of != run.to_string() {
        return Err(JournalError::corrupt(&name, format!("belongs to run {of}")));
    }
    unpacked(&kept.body.closes).map(Some).map_err(|error| JournalError::corrupt(&name, error))
}

impl Inputs {
    /// Packs a snapshot.
    ///
    /// # Panics
    /// Never: columns are plain data, and packing goes to memory.
    pub fn pack(snapshot: &Snapshot) -> Self {
        let columns: BTreeMap<&Symbol, ColumnViews<'_>> = snapshot
            .histories
            .iter()
            .map(|(symbol, h)| (symbol, (h.days(), h.closes(), h.volumes())))
            .collect();
        let json = serde_json::to_vec(&columns).expect("columns serialise");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&json).expect("memory takes bytes");
        let packed = encoder.finish().expect("memory takes bytes");
        let snapshot = snapshot.clone();
        Self {
            now: snapshot.now,
            session: snapshot.session,
            calendar: snapshot.calendar,
            account: snapshot.account,
            positions: snapshot.positions,
            orders: snapshot.orders,
            activities: snapshot.activities,
            assets: snapshot.assets,
            closes: STANDARD.encode(packed),
            quotes: snapshot.quotes,
            splits: snapshot.splits,
            past: snapshot.past,
        }
    }

    /// Unpacks the snapshot again.
    ///
    /// # Errors
    /// [`InputsError`] when the closes were damaged.
    pub fn unpack(self) -> Result<Snapshot, InputsError> {
        Ok(Snapshot {
            now: self.now,
            session: self.session,
            calendar: self.calendar,
            account: self.account,
            positions: self.positions,
            orders: self.orders,
            activities: self.activities,
            assets: self.assets,
            histories: unpacked(&self.closes)?,
            quotes: self.quotes,
            splits: self.splits,
            past: self.past,
        })
    }
}

fn unpacked(closes: &str) -> Result<Histories, InputsError> {
    let damaged = |reason: &dyn std::fmt::Display| InputsError(reason.to_string());
    let packed = STANDARD.decode(closes).map_err(|error| damaged(&error))?;
    let mut json = Vec::new();
    let unpacker = GzDecoder::new(packed.as_slice());
    unpacker.take(UNPACKED_MAX).read_to_end(&mut json).map_err(|error| damaged(&error))?;
    let columns: BTreeMap<Symbol, Columns> =
        serde_json::from_slice(&json).map_err(|error| damaged(&error))?;
    let mut histories = BTreeMap::new();
    for (symbol, (days, closes, volumes)) in columns {
        let history = History::new(days, closes, volumes).map_err(|error| damaged(&error))?;
        histories.insert(symbol, history);
    }
    Ok(Histories::new(histories))
}

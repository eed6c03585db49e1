//! The store of a trial: records in memory, in the world's time, and what goes wrong with them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::application::ports::{Clock, Put, Record, Store, StoreError};
use crate::simulator::world::World;

/// What a request to the store and its answer take.
const ROUND_TRIP: Duration = Duration::from_millis(4);

/// What goes wrong with the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelfTrouble {
    /// Which calls.
    pub call: ShelfCall,
    /// Only keys that contain this.
    pub containing: &'static str,
    /// So many pass first.
    pub skip: u32,
    /// How many are struck; `u32::MAX` for all.
    pub times: u32,
    /// What happens to them.
    pub what: ShelfFault,
}

/// The store's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShelfCall {
    /// Create-once writes.
    Put,
    /// Reads and listings.
    Read,
    /// All of them.
    Any,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShelfFault {
    /// It does not arrive.
    Lost,
    /// It takes effect, and the answer is lost.
    AnswerLost,
    /// It may not be made.
    Denied,
    /// The bytes are stored damaged.
    Damaged,
    /// Everything below `runs/` is gone from now on.
    Wiped,
}

/// One accepted write, as the store saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// When.
    pub at: Timestamp,
    /// Its key.
    pub key: String,
    /// Its bytes as sent.
    pub bytes: Vec<u8>,
    /// Whether it was a create-once record and not a view.
    pub once: bool,
}

#[derive(Clone, Default)]
struct Kept {
    records: BTreeMap<String, Record>,
    written: Vec<Written>,
    troubles: Vec<ShelfTrouble>,
    damaged: Vec<String>,
    wiped: bool,
}

/// The store.
#[derive(Clone)]
pub struct Shelf {
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<Kept>>,
}

impl Shelf {
    /// An empty store in a world's time.
    pub fn new(world: &World) -> Self {
        Self { clock: world.clock(), kept: Arc::default() }
    }

    /// An equal store in another world.
    #[must_use]
    pub fn parted(&self, world: &World) -> Self {
        let kept = self.with(|kept| kept.clone());
        Self { clock: world.clock(), kept: Arc::new(Mutex::new(kept)) }
    }

    fn with<T>(&self, what: impl FnOnce(&mut Kept) -> T) -> T {
        what(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Accepted writes so far.
    pub fn writes(&self) -> usize {
        self.with(|kept| kept.written.len())
    }

    /// Lays down or replaces what an operator writes.
    pub fn lay(&self, key: &str, text: &str) {
        let record = Record { bytes: text.as_bytes().to_vec(), at: self.clock.now() };
        self.with(|kept| kept.records.insert(key.to_owned(), record));
    }

    /// Takes something away.
    pub fn remove(&self, key: &str) {
        self.with(|kept| kept.records.remove(key));
    }

    /// Some trouble from now on.
    pub fn trouble(&self, trouble: &ShelfTrouble) {
        self.with(|kept| {
            if trouble.what == ShelfFault::Wiped {
                kept.records.retain(|key, _| !key.starts_with("runs/"));
                kept.wiped = true;
            } else {
                kept.troubles.push(trouble.clone());
            }
        });
    }

    /// No more trouble.
    pub fn clear(&self) {
        self.with(|kept| kept.troubles.clear());
    }

    /// What is stored now.
    pub fn records(&self) -> BTreeMap<String, Record> {
        self.with(|kept| kept.records.clone())
    }

    /// Every write ever accepted, in order.
    pub fn written(&self) -> Vec<Written> {
        self.with(|kept| kept.written.clone())
    }

    /// Keys of records that were stored damaged.
    pub fn damaged(&self) -> Vec<String> {
        self.with(|kept| kept.damaged.clone())
    }

    /// Whether the runs' records were lost at some time.
    pub fn was_wiped(&self) -> bool {
        self.with(|kept| kept.wiped)
    }

    /// What befalls a call.
    fn strike(&self, call: ShelfCall, key: &str) -> Option<ShelfFault> {
        self.with(|kept| {
            for trouble in &mut kept.troubles {
                let concerned = trouble.call == ShelfCall::Any || trouble.call == call;
                if trouble.times == 0 || !concerned || !key.contains(trouble.containing) {
                    continue;
                }
                if trouble.skip > 0 {
                    trouble.skip -= 1;
                    continue;
                }
                trouble.times -= u32::from(trouble.times != u32::MAX);
                return Some(trouble.what);
            }
            None
        })
    }

    async fn half_way(&self) {
        self.clock.sleep(ROUND_TRIP / 2).await;
    }

    fn store(&self, key: &str, bytes: &[u8], fault: Option<ShelfFault>) -> Put {
        let at = self.clock.now();
        self.with(|kept| {
            if let Some(record) = kept.records.get(key) {
                return Put::Exists(record.clone());
            }
            let mut stored = bytes.to_vec();
            if fault == Some(ShelfFault::Damaged) {
                stored.truncate(bytes.len() / 2);
                kept.damaged.push(key.to_owned());
            }
            kept.written.push(Written {
                at,
                key: key.to_owned(),
                bytes: bytes.to_vec(),
                once: true,
            });
            kept.records.insert(key.to_owned(), Record { bytes: stored, at });
            Put::Stored { at }
        })
    }
}

fn failed(fault: ShelfFault, key: &str) -> StoreError {
    let key = key.to_owned();
    match fault {
        ShelfFault::Denied => StoreError::Denied { key, reason: "no right".to_owned() },
        ShelfFault::Lost | ShelfFault::AnswerLost | ShelfFault::Damaged | ShelfFault::Wiped => {
            StoreError::Unavailable { key, reason: "no answer".to_owned() }
        }
    }
}

#[async_trait]
impl Store for Shelf {
    async fn put_once(&self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        self.half_way().await;
        let fault = self.strike(ShelfCall::Put, key);
        let put = match fault {
            Some(fault @ (ShelfFault::Lost | ShelfFault::Denied)) => Err(failed(fault, key)),
            Some(fault @ ShelfFault::AnswerLost) => {
                self.store(key, bytes, None);
                Err(failed(fault, key))
            }
            other => Ok(self.store(key, bytes, other)),
        };
        self.half_way().await;
        put
    }

    async fn put_view(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.half_way().await;
        let fault = self.strike(ShelfCall::Put, key);
        let at = self.clock.now();
        let effect = !matches!(fault, Some(ShelfFault::Lost | ShelfFault::Denied));
        if effect {
            self.with(|kept| {
                let written =
                    Written { at, key: key.to_owned(), bytes: bytes.to_vec(), once: false };
                kept.written.push(written);
                kept.records.insert(key.to_owned(), Record { bytes: bytes.to_vec(), at });
            });
        }
        self.half_way().await;
        match fault {
            Some(fault @ (ShelfFault::Lost | ShelfFault::AnswerLost | ShelfFault::Denied)) => {
                Err(failed(fault, key))
            }
            Some(ShelfFault::Damaged | ShelfFault::Wiped) | None => Ok(()),
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        self.half_way().await;
        let fault = self.strike(ShelfCall::Read, key);
        let found = self.with(|kept| kept.records.get(key).cloned());
        self.half_way().await;
        fault.map_or(Ok(found), |fault| Err(failed(fault, key)))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.half_way().await;
        let fault = self.strike(ShelfCall::Read, prefix);
        let found = self.with(|kept| {
            let from = kept.records.range(prefix.to_owned()..);
            from.map(|(key, _)| key).take_while(|key| key.starts_with(prefix)).cloned().collect()
        });
        self.half_way().await;
        fault.map_or(Ok(found), |fault| Err(failed(fault, prefix)))
    }
}

impl fmt::Display for ShelfTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, containing, skip, times, what } = self;
        if *what == ShelfFault::Wiped {
            return f.write_str("the runs' records are lost");
        }
        let times = if *times == u32::MAX { "every".to_owned() } else { format!("{times}") };
        write!(f, "{what:?}, {times} {call:?} of {containing:?} after {skip}")
    }
}

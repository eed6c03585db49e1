//! The meter: what an invocation asks of its store and mailer, counted at the ports.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;

use crate::application::ports::{Letter, MailError, Mailer, Put, Record, Store, StoreError};
use crate::domain::receipt::{Function, Used};

/// Names on one page of a list.
const NAMES_A_PAGE: usize = 1_000;

/// What is known of the machine that an invocation runs on.
#[derive(Clone, Copy)]
pub struct Machine {
    /// The most memory that the process has held so far, in bytes.
    pub memory: fn() -> Option<u64>,
    /// The function that the process belongs to; `None` on a machine of one's own.
    pub function: Option<Function>,
}

/// Counts what one invocation uses.
#[derive(Debug, Default)]
pub struct Meter {
    machine: Machine,
    reads: AtomicU32,
    writes: AtomicU32,
    mails: AtomicU32,
}

/// A port whose use is counted.
pub struct Metered<T: ?Sized> {
    port: Arc<T>,
    meter: Arc<Meter>,
}

impl Default for Machine {
    /// One that nothing is known of.
    fn default() -> Self {
        Self { memory: || None, function: None }
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("function", &self.function).finish_non_exhaustive()
    }
}

impl Meter {
    /// A meter that has counted nothing yet.
    pub fn new(machine: Machine) -> Self {
        Self { machine, ..Self::default() }
    }

    /// The function that the process belongs to.
    pub fn function(&self) -> Option<Function> {
        self.machine.function
    }

    /// What was used so far.
    pub fn used(&self) -> Used {
        let count = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        Used {
            reads: count(&self.reads),
            writes: count(&self.writes),
            mails: count(&self.mails),
            memory_bytes: (self.machine.memory)(),
        }
    }

    fn read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    fn write(&self, times: usize) {
        self.writes.fetch_add(u32::try_from(times).unwrap_or(u32::MAX), Ordering::Relaxed);
    }
}

impl<T: ?Sized> Metered<T> {
    /// A port with a meter before it.
    pub fn new(port: &Arc<T>, meter: &Arc<Meter>) -> Self {
        Self { port: Arc::clone(port), meter: Arc::clone(meter) }
    }
}

#[async_trait]
impl Store for Metered<dyn Store> {
    async fn put_once(&self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        self.meter.write(1);
        let put = self.port.put_once(key, bytes).await;
        if let Ok(Put::Exists(_)) = &put {
            self.meter.read(); // what was there is fetched
        }
        put
    }

    async fn put_view(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.meter.write(1);
        self.port.put_view(key, bytes).await
    }

    async fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        self.meter.read();
        self.port.get(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let names = self.port.list(prefix).await;
        let pages = names.as_ref().map_or(1, |names| names.len().div_ceil(NAMES_A_PAGE).max(1));
        self.meter.write(pages); // a list costs what a write does
        names
    }
}

#[async_trait]
impl Mailer for Metered<dyn Mailer> {
    async fn send(&self, letter: &Letter) -> Result<String, MailError> {
        let sent = self.port.send(letter).await;
        if sent.is_ok() {
            let recipients = u32::try_from(letter.to.len()).unwrap_or(u32::MAX);
            self.meter.mails.fetch_add(recipients, Ordering::Relaxed);
        }
        sent
    }
}

//! The names of an account's records, listed once for everything that begins with a look at them.
//!
//! A listing only saves looks: what it does not show may have been written since, so whoever
//! goes by it still has to win the create-once record that it leads to.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::application::ports::{Clock, Store, StoreError};
use crate::domain::run::{AccountName, GENERATION_MAX, Mode, RunKey};

/// An older listing is taken anew: it is made while an invocation is furnished, seconds at most
/// before its run begins.
const FRESH: Duration = Duration::from_secs(10);

/// Names of an account's records of one month, in order, as they were at one moment.
#[derive(Debug, Clone)]
pub struct Listing {
    prefix: String,
    names: Vec<String>,
    at: Timestamp,
}

impl Listing {
    /// Lists the records of the month of a date.
    ///
    /// # Errors
    /// [`StoreError`] when the store gives no list.
    pub async fn of(
        store: &dyn Store,
        clock: &dyn Clock,
        (mode, account): (Mode, &AccountName),
        date: Date,
    ) -> Result<Self, StoreError> {
        let (prefix, at) = (month(mode, account, date), clock.now());
        let names = store.list(&prefix).await?;
        Ok(Self { prefix, names, at })
    }

    /// True when it is of a run's month and made just now.
    pub fn is_for(&self, key: &RunKey, now: Timestamp) -> bool {
        self.prefix == month(key.mode, &key.account, key.session)
            && now.duration_since(self.at).unsigned_abs() <= FRESH
    }

    /// True when it is of the names that begin so.
    pub(super) fn is_of(&self, prefix: &str) -> bool {
        self.prefix == prefix
    }

    /// The names, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether a run had a record of this name.
    pub fn shows(&self, key: &RunKey, record: &str) -> bool {
        self.names.contains(&format!("runs/{key}/{record}"))
    }

    /// The highest generation of a run that was opened, whatever generation is asked for.
    pub fn newest_opened(&self, key: &RunKey) -> Option<RunKey> {
        let generations = (0..=GENERATION_MAX).rev();
        let mut keys = generations.map(|generation| RunKey { generation, ..key.clone() });
        keys.find(|key| self.shows(key, "open.json"))
    }

    /// Whether a run had any record.
    pub fn shows_any(&self, key: &RunKey) -> bool {
        let folder = format!("runs/{key}/");
        self.names.iter().any(|name| name.starts_with(&folder))
    }
}

/// What the names of an account's records of a month begin with.
pub(super) fn month(mode: Mode, account: &AccountName, date: Date) -> String {
    format!("runs/{mode}/{account}/{}", date.strftime("%Y-%m"))
}

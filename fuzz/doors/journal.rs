//! Stored records, read back as a later invocation would.

use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::Duration;

use alchemiser::application::control::Control;
use alchemiser::application::journal::history::{last_final, look_back};
use alchemiser::application::journal::inputs::Inputs;
use alchemiser::application::journal::traces::traces;
use alchemiser::application::journal::{AttemptRecord, Journal, PlanRecord};
use alchemiser::application::ports::{Clock, Put, Record, Store, StoreError};
use alchemiser::domain::execution::OrderOutcome;
use alchemiser::domain::plan::BuyPlan;
use alchemiser::domain::report::RunReport;
use alchemiser::domain::run::{AccountName, Mode, RunKey, RunRequest, Slot};
use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::date;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The run whose records are read; the records of another are refused.
static RUN: LazyLock<RunKey> = LazyLock::new(|| RunKey {
    mode: Mode::Paper,
    account: AccountName::parse("main").expect("a name"),
    session: date(2026, 11, 20),
    slot: Slot::parse("open").expect("a name"),
    generation: 0,
});

/// The first byte says which record is read, the rest is what the store holds.
pub(crate) fn enter(bytes: &[u8]) {
    let Some((what, held)) = bytes.split_first() else { return };
    let store = Holding(held.to_vec());
    super::wait_for(read(*what, &store));
}

async fn read(what: u8, store: &Holding) {
    match what {
        b'f' => same_again::<RunReport>(store, "final.json").await,
        b'o' => same_again::<RunRequest>(store, "open.json").await,
        b'p' => same_again::<PlanRecord>(store, "plan.json").await,
        b'a' => same_again::<AttemptRecord>(store, "att/B/SPY/2.json").await,
        b's' => same_again::<Vec<OrderOutcome>>(store, "sells.json").await,
        b'b' => same_again::<BuyPlan>(store, "buyplan.json").await,
        b'm' => same_again::<String>(store, "mail/run.json").await,
        b'i' => {
            let journal = Journal::new(store, &Still, RUN.clone(), ("writer", "code"));
            if let Ok(Some(kept)) = journal.read::<Inputs>("snapshot.json").await {
                let _ = kept.body.unpack();
            }
        }
        b'c' => {
            let Ok(control) = serde_json::from_slice::<Control>(&store.0) else { return };
            let written = serde_json::to_vec(&control).expect("the operator's word serialises");
            let again = serde_json::from_slice::<Control>(&written);
            assert_eq!(again.expect("what was written can be read"), control);
        }
        b'h' => {
            let later = RunKey { session: date(2026, 11, 23), ..RUN.clone() };
            let _ = look_back(store, &later, None).await;
            let _ = last_final(store, &later).await;
        }
        _ => {
            let journal = Journal::new(store, &Still, RUN.clone(), ("writer", "code"));
            let names = ["deliveries/writer.json", "lease/0001.json", "open.json", "plan.json"];
            let _ = traces(&journal, &names.map(str::to_owned)).await;
        }
    }
}

/// Whatever is understood is written as it was read.
async fn same_again<T>(store: &Holding, name: &str)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let journal = Journal::new(store, &Still, RUN.clone(), ("writer", "code"));
    let Ok(Some(kept)) = journal.read::<T>(name).await else { return };
    let written = serde_json::to_vec(&kept.body).expect("records serialise");
    let again: T = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(again, kept.body, "{name}");
}

/// A store that holds the same bytes under every key.
struct Holding(Vec<u8>);

#[async_trait]
impl Store for Holding {
    async fn put_once(&self, _: &str, _: &[u8]) -> Result<Put, StoreError> {
        Ok(Put::Exists(Record { bytes: self.0.clone(), at: Timestamp::UNIX_EPOCH }))
    }

    async fn put_view(&self, _: &str, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn get(&self, _: &str) -> Result<Option<Record>, StoreError> {
        Ok(Some(Record { bytes: self.0.clone(), at: Timestamp::UNIX_EPOCH }))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let name = format!("runs/{}/final.json", *RUN);
        Ok(if name.starts_with(prefix) { vec![name] } else { Vec::new() })
    }
}

/// A clock that stands still.
struct Still;

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn sleep(&self, _: Duration) {}
}

//! The receipt at the end of every letter, against what was really asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use alchemiser::application::meter::Machine;
use alchemiser::application::ports::{Put, Record, Store, StoreError};
use alchemiser::application::run::{Ended, run};
use alchemiser::domain::receipt::{Architecture, Function};
use alchemiser::domain::report::{RunReport, Verdict};
use alchemiser::domain::run::{AccountName, Mode, RunAction};
use alchemiser::infrastructure::local::secrets::StaticKeys;
use alchemiser::interface::wiring::{Invocation, Outside};
use alchemiser::presentation::page_html;
use async_trait::async_trait;
use jiff::ToSpan;

use crate::kept::Shelf;
use crate::stage::Stage;

/// A store that counts on its own.
struct Tally {
    shelf: Arc<Shelf>,
    reads: AtomicU32,
    writes: AtomicU32,
}

#[async_trait]
impl Store for Tally {
    async fn put_once(&self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let put = self.shelf.put_once(key, bytes).await;
        let fetched = u32::from(matches!(put, Ok(Put::Exists(_))));
        self.reads.fetch_add(fetched, Ordering::Relaxed);
        put
    }

    async fn put_view(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.shelf.put_view(key, bytes).await
    }

    async fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.shelf.get(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.shelf.list(prefix).await
    }
}

/// A run of the function or of a laptop; its report, with the reads and writes that the store saw.
async fn invoked(stage: &Stage, machine: Machine) -> (RunReport, u32, u32) {
    let (reads, writes) = (AtomicU32::new(0), AtomicU32::new(0));
    let tally = Arc::new(Tally { shelf: stage.shelf.clone(), reads, writes });
    let outside = Outside {
        transport: stage.world.transport(),
        credentials: Arc::new(StaticKeys::new("test-key-id", "test-secret")),
        updates: stage.world.updates(),
        clock: stage.world.clock(),
        store: tally.clone(),
        mailer: stage.post.clone(),
        policy_text: None,
        mail_from: None,
        mail_to: Some(vec!["a@example.com".to_owned(), "b@example.com".to_owned()]),
        messenger: None,
        machine,
        code: "0.1.0".to_owned(),
    };
    let deadline = stage.world.now() + 300.seconds();
    let invocation = Invocation { writer: "metered".to_owned(), deadline };
    let account = AccountName::parse("main").unwrap();
    let site = outside.furnish(Mode::Paper, &account, invocation).await.ok().unwrap();
    let ended = Box::pin(run(&stage.event(RunAction::Trade), &site.house())).await;
    let Ended::Reported { report, .. } = ended else { panic!("{ended:?}") };
    let count = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
    (*report, count(&tally.reads), count(&tally.writes))
}

fn function() -> Machine {
    let function = Function { memory_mb: 256, architecture: Architecture::X86 };
    Machine { memory: || Some(16_568_320), function: Some(function) }
}

#[tokio::test(flavor = "current_thread")]
async fn a_receipt_counts_what_the_store_and_the_mail_carrier_saw_to_the_very_end() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    for verdict in [Verdict::Done, Verdict::NothingToDo] {
        let (report, reads, writes) = invoked(&stage, function()).await;
        assert_eq!(report.verdict, verdict);
        let receipt = report.receipt.unwrap();
        assert_eq!((receipt.used.reads, receipt.used.writes), (reads, writes), "{verdict:?}");
        assert_eq!(receipt.used.mails, 2, "one for each recipient");
        let letter = stage.post.last();
        let total = receipt.cost.unwrap().total().decimal().round_dp(4);
        for line in ["Memory", "15.8 of 256 MiB", &format!("about ${total}")] {
            assert!(letter.contains(line), "{line}: {letter}");
        }
        let record = stage.record().unwrap();
        assert_eq!(record.receipt, Some(receipt));
        let page = stage.shelf.text(&format!("reports/{}.html", record.key));
        assert_eq!(Some(page_html(&record)), page, "from the record alone, byte for byte");
        stage.next_session();
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_machine_of_ones_own_gets_no_cost_and_a_simulated_one_no_memory() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    let laptop = Machine { memory: || Some(16_568_320), function: None };
    let (report, ..) = invoked(&stage, laptop).await;
    assert_eq!(report.receipt.unwrap().cost, None);
    let letter = stage.post.last();
    assert!(letter.contains("15.8 MiB") && !letter.contains("keeping the keys"), "{letter}");
    let told = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5").run().await;
    assert_eq!(told.report().receipt.unwrap().used.memory_bytes, None);
}

#[tokio::test(flavor = "current_thread")]
async fn a_closed_day_ends_with_its_receipt_as_well() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.goes_to("2026-11-26".parse().unwrap()); // Thanksgiving
    let (report, reads, writes) = invoked(&stage, function()).await;
    assert_eq!(report.verdict, Verdict::Closed);
    let used = report.receipt.unwrap().used;
    assert_eq!((used.reads, used.writes, used.mails), (reads, writes, 2));
    let letter = stage.post.last();
    assert!(letter.contains("Receipt") && letter.contains("15.8 of 256 MiB"), "{letter}");
}

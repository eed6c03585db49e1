//! What a run learns of the runs before it, and who may work on it: the journal asked directly.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alchemiser::application::journal::chain::look_at_last;
use alchemiser::application::journal::history::{History, finals_before, last_final, look_back};
use alchemiser::application::journal::listing::Listing;
use alchemiser::application::journal::{
    Claim, FIRST_SNAPSHOT, Journal, JournalError, Kept, Opening, PlanRecord,
};
use alchemiser::application::ports::{Clock, Put, Record, Store, StoreError};
use alchemiser::domain::report::{RECORD_VERSION, RunReport, Verdict};
use alchemiser::domain::run::{AccountName, Mode, RunAction, RunKey, RunRequest, Slot};
use async_trait::async_trait;
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::kept::{Outage, Shelf};
use crate::stage::Stage;

const LEASE: Duration = Duration::from_mins(1);

/// An empty store, and a report with books to be put into it for any run.
struct Archive {
    stage: Stage,
    clock: Arc<dyn Clock>,
    sample: RunReport,
    request: RunRequest,
}

/// A store that counts what is asked of it.
struct Counted<'a> {
    shelf: &'a Shelf,
    lists: AtomicUsize,
    reads: AtomicUsize,
}

#[async_trait]
impl Store for Counted<'_> {
    async fn put_once(&self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        self.shelf.put_once(key, bytes).await
    }

    async fn put_view(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.shelf.put_view(key, bytes).await
    }

    async fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.shelf.get(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        self.shelf.list(prefix).await
    }
}

fn counted(shelf: &Shelf) -> Counted<'_> {
    Counted { shelf, lists: AtomicUsize::new(0), reads: AtomicUsize::new(0) }
}

fn account() -> AccountName {
    AccountName::parse("main").unwrap()
}

fn run(session: Date, slot: &str, generation: u8) -> RunKey {
    let slot = Slot::parse(slot).unwrap();
    RunKey { mode: Mode::Paper, account: account(), session, slot, generation }
}

fn friday() -> RunKey {
    run(date(2026, 11, 20), "open", 0)
}

fn monday() -> RunKey {
    run(date(2026, 11, 23), "open", 0)
}

fn tuesday() -> RunKey {
    run(date(2026, 11, 24), "open", 0)
}

impl Archive {
    async fn empty() -> Self {
        let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
        let request = stage.event(RunAction::Trade);
        stage.run().await;
        let sample = stage.record().unwrap();
        stage.shelf.lose("runs/");
        Self { clock: stage.world.clock(), stage, sample, request }
    }

    fn shelf(&self) -> &Shelf {
        &self.stage.shelf
    }

    fn journal(&self, key: &RunKey) -> Journal<'_> {
        self.journal_of(key, "first")
    }

    fn journal_of<'a>(&'a self, key: &RunKey, writer: &'a str) -> Journal<'a> {
        Journal::new(self.shelf(), &*self.clock, key.clone(), (writer, "1"))
    }

    /// Puts away a report with books of a run that ended so many minutes after the sample.
    async fn ends(&self, key: &RunKey, minutes: i64, previous: Option<&str>) -> Kept<RunReport> {
        self.ends_with(key, previous, |report| {
            report.finished_at += minutes.minutes();
        })
        .await
    }

    async fn ends_with(
        &self,
        key: &RunKey,
        previous: Option<&str>,
        with: impl FnOnce(&mut RunReport),
    ) -> Kept<RunReport> {
        let mut report = RunReport {
            key: key.clone(),
            previous: previous.map(str::to_owned),
            plan_record: None,
            ..self.sample.clone()
        };
        with(&mut report);
        self.journal(key).keep("final.json", previous, &report).await.unwrap()
    }

    async fn past(&self, key: &RunKey) -> History {
        look_back(self.shelf(), key, None).await.unwrap()
    }

    async fn listing(&self, month: Date) -> Listing {
        let whose = (Mode::Paper, &account());
        Listing::of(self.shelf(), &*self.clock, whose, month).await.unwrap()
    }

    /// Claims Friday's run for a writer.
    async fn claim(&self, writer: &str) -> Claim {
        let journal = self.journal_of(&friday(), writer);
        journal.claim(&self.request, Opening::Allowed, LEASE, None).await.unwrap()
    }

    fn passes(&self, time: Duration) -> Timestamp {
        self.stage.world.advance(time);
        self.clock.now()
    }
}

fn key_of(kept: Option<&Kept<RunReport>>) -> Option<String> {
    kept.map(|kept| kept.body.key.to_string())
}

#[tokio::test(flavor = "current_thread")]
async fn of_a_sessions_runs_the_one_that_ended_last_has_the_books_whatever_its_name() {
    for (early, late) in [("close", "open"), ("open", "close")] {
        let archive = Archive::empty().await;
        archive.ends(&run(date(2026, 11, 20), late, 0), 60, None).await;
        archive.ends(&run(date(2026, 11, 20), early, 0), 0, None).await;
        let past = archive.past(&monday()).await;
        let last = format!("paper/main/2026-11-20/{late}/g0");
        assert_eq!(key_of(past.last.as_ref()), Some(last), "{early} before {late}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_without_books_does_not_hide_those_before_it() {
    let archive = Archive::empty().await;
    archive.ends(&friday(), 0, None).await;
    archive
        .ends_with(&monday(), None, |report| {
            report.ledger = None;
            report.verdict = Verdict::Closed;
        })
        .await;
    let past = archive.past(&tuesday()).await;
    assert_eq!(key_of(past.newest.as_ref()), Some(monday().to_string()));
    assert_eq!(key_of(past.told.as_ref()), Some(friday().to_string()), "a closed day says nothing");
    assert_eq!(key_of(past.last.as_ref()), Some(friday().to_string()));
    assert!(past.today.is_empty() && past.unfinished.is_empty() && !past.planned);
    archive.shelf().lose(&format!("runs/{}", friday()));
    assert_eq!(key_of(archive.past(&tuesday()).await.told.as_ref()), None);
}

#[tokio::test(flavor = "current_thread")]
async fn what_came_later_is_no_part_of_a_runs_past() {
    let archive = Archive::empty().await;
    let closing = run(date(2026, 11, 20), "close", 1);
    let repeated = run(date(2026, 11, 20), "open", 1);
    for key in [&friday(), &closing, &repeated, &monday()] {
        archive.ends(key, 0, None).await;
    }
    let past = archive.past(&friday()).await;
    assert_eq!(key_of(past.last.as_ref()), Some(closing.to_string()), "another slot is not later");
    assert_eq!(past.today.len(), 1);
    let past = archive.past(&repeated).await;
    let today: Vec<_> = past.today.iter().map(|kept| kept.body.key.clone()).collect();
    assert_eq!(today, [closing.clone(), friday()], "in the order of their names");
    let last = last_final(archive.shelf(), &friday()).await.unwrap();
    assert_eq!(key_of(last.as_ref()), Some(closing.to_string()));
    let last = last_final(archive.shelf(), &repeated).await.unwrap();
    assert_eq!(key_of(last.as_ref()), Some(friday().to_string()));
    let first = last_final(archive.shelf(), &run(date(2026, 11, 19), "open", 0)).await.unwrap();
    assert_eq!(first, None);
}

#[tokio::test(flavor = "current_thread")]
async fn the_newest_reports_come_first_and_no_more_than_asked_for() {
    let archive = Archive::empty().await;
    let october = run(date(2026, 10, 30), "open", 0);
    for key in [&october, &friday(), &monday(), &tuesday()] {
        archive.ends(key, 0, None).await;
    }
    archive
        .journal(&run(date(2026, 11, 19), "open", 0))
        .keep("plan.json", None, &())
        .await
        .unwrap();
    for most in 0..=3 {
        let finals = finals_before(archive.shelf(), &monday(), most).await.unwrap();
        let keys: Vec<_> = finals.into_iter().map(|report| report.key).collect();
        assert_eq!(keys, [monday(), friday(), october.clone()][..most], "{most}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_plan_is_known_whenever_it_was_and_open_only_if_it_came_before() {
    let archive = Archive::empty().await;
    let plans = |key: &RunKey| {
        let journal = archive.journal(key);
        async move { journal.keep("plan.json", None, &()).await.map(|_| ()) }
    };
    plans(&tuesday()).await.unwrap();
    archive.ends(&run(date(2026, 11, 19), "open", 0), 0, None).await;
    let past = archive.past(&monday()).await;
    assert!(past.planned, "a later one is a plan as well");
    assert_eq!(past.unfinished, []);
    plans(&friday()).await.unwrap();
    archive.journal(&monday()).keep("open.json", None, &()).await.unwrap();
    assert_eq!(archive.past(&monday()).await.unfinished, [friday()]);
    assert_eq!(archive.past(&tuesday()).await.unfinished, [friday()], "one without a plan is not");
}

#[tokio::test(flavor = "current_thread")]
async fn a_report_about_another_run_is_not_believed() {
    let archive = Archive::empty().await;
    let stray = RunReport { key: monday(), ..archive.sample.clone() };
    archive.journal(&friday()).keep("final.json", None, &stray).await.unwrap();
    let past = look_back(archive.shelf(), &tuesday(), None).await;
    assert!(matches!(past, Err(JournalError::Corrupt { .. })), "{past:?}");
}

/// Whether the last final record is believed, given a list of names.
async fn believed(archive: &Archive, key: &RunKey, listing: Option<&Listing>) -> bool {
    let past = archive.past(key).await;
    let store = counted(archive.shelf());
    let looked = look_at_last(&store, &past, listing).await;
    let is_listed = listing.is_some();
    assert_eq!(store.lists.load(Ordering::Relaxed) == 0, is_listed, "what is listed is used");
    match looked {
        Ok(()) => true,
        Err(JournalError::Corrupt { .. }) => false,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_books_continue_from_the_newest_before_them() {
    let archive = Archive::empty().await;
    let first = archive.ends(&run(date(2026, 11, 18), "open", 0), 0, None).await;
    let second = archive.ends(&friday(), 60, Some(&first.hash)).await;
    let same_day = run(date(2026, 11, 20), "close", 0);
    let third = archive.ends(&same_day, 90, Some(&second.hash)).await;
    assert!(believed(&archive, &monday(), None).await, "from another slot of its session");
    let without = |report: &mut RunReport| report.ledger = None;
    archive.ends_with(&run(date(2026, 11, 23), "early", 0), None, without).await;
    archive.ends(&monday(), 120, Some(&third.hash)).await;
    let listing = archive.listing(date(2026, 11, 24)).await;
    assert!(believed(&archive, &tuesday(), None).await);
    assert!(believed(&archive, &tuesday(), Some(&listing)).await);
    let torn = Archive::empty().await;
    torn.ends(&friday(), 0, None).await;
    torn.ends(&monday(), 120, Some(&first.hash)).await;
    let listing = torn.listing(date(2026, 11, 24)).await;
    assert!(!believed(&torn, &tuesday(), None).await);
    assert!(!believed(&torn, &tuesday(), Some(&listing)).await);
}

#[tokio::test(flavor = "current_thread")]
async fn books_of_the_month_before_are_looked_at_too() {
    let december = run(date(2026, 12, 1), "open", 0);
    for is_whole in [true, false] {
        let archive = Archive::empty().await;
        let first = archive.ends(&tuesday(), 0, None).await;
        let parent = if is_whole { first.hash } else { "ab".repeat(32) };
        archive.ends(&december, 120, Some(&parent)).await;
        let listing = archive.listing(date(2026, 12, 1)).await;
        let past = archive.past(&run(date(2026, 12, 2), "open", 0)).await;
        let looked = look_at_last(archive.shelf(), &past, Some(&listing)).await;
        assert_eq!(looked.is_ok(), is_whole);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_list_of_names_serves_ten_seconds_its_account_and_its_month() {
    let archive = Archive::empty().await;
    let again = run(date(2026, 11, 20), "open", 2);
    for (key, record) in [(&friday(), "open.json"), (&again, "open.json"), (&monday(), "x.json")] {
        archive.journal(key).keep(record, None, &()).await.unwrap();
    }
    let listing = archive.listing(date(2026, 11, 30)).await;
    let other = RunKey { account: AccountName::parse("other").unwrap(), ..friday() };
    let now = archive.passes(Duration::from_secs(10));
    assert!(listing.is_for(&friday(), now) && listing.is_for(&monday(), now));
    assert!(!listing.is_for(&other, now));
    assert!(!listing.is_for(&run(date(2026, 12, 1), "open", 0), now));
    let later = archive.passes(Duration::from_millis(1));
    assert!(!listing.is_for(&friday(), later), "somebody may have written since");
    assert!(listing.shows(&friday(), "open.json") && !listing.shows(&friday(), "plan.json"));
    assert_eq!(listing.newest_opened(&friday()), Some(again));
    assert_eq!(listing.newest_opened(&monday()), None, "it has a record, and was not opened");
    assert!(listing.shows_any(&monday()) && !listing.shows_any(&tuesday()));
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_of_which_nothing_is_listed_is_claimed_without_a_look() {
    let archive = Archive::empty().await;
    let listing = archive.listing(date(2026, 11, 20)).await;
    let store = counted(archive.shelf());
    let claim = async |writer| {
        let journal = Journal::new(&store, &*archive.clock, friday(), (writer, "1"));
        journal.claim(&archive.request, Opening::Allowed, LEASE, Some(&listing)).await.unwrap()
    };
    assert!(matches!(claim("first").await, Claim::Ours { epoch: 1, .. }));
    assert_eq!(store.reads.load(Ordering::Relaxed), 0);
    assert!(matches!(claim("second").await, Claim::InProgress), "the list may be old");
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_that_ended_or_may_not_be_opened_gets_no_record_more() {
    let archive = Archive::empty().await;
    archive.ends(&friday(), 0, None).await;
    let listing = archive.listing(date(2026, 11, 20)).await;
    let before = archive.shelf().keys("runs/");
    for (key, opening) in [(friday(), Opening::Allowed), (monday(), Opening::Forbidden)] {
        let journal = archive.journal(&key);
        let claim = journal.claim(&archive.request, opening, LEASE, Some(&listing)).await.unwrap();
        match opening {
            Opening::Allowed => assert!(matches!(claim, Claim::Finished(_))),
            Opening::Forbidden => assert!(matches!(claim, Claim::NeverOpened)),
        }
        assert_eq!(archive.shelf().keys("runs/"), before);
    }
    archive.journal(&monday()).open(&archive.request).await.unwrap();
    let resumed = archive.journal(&monday());
    let claim = resumed.claim(&archive.request, Opening::Forbidden, LEASE, None).await.unwrap();
    assert!(matches!(claim, Claim::Ours { epoch: 1, .. }), "what was opened may be continued");
}

#[tokio::test(flavor = "current_thread")]
async fn a_lease_lasts_its_time_and_a_started_second_more() {
    let archive = Archive::empty().await;
    assert!(matches!(archive.claim("first").await, Claim::Ours { epoch: 1, .. }));
    archive.passes(LEASE + Duration::from_millis(900));
    assert!(matches!(archive.claim("second").await, Claim::InProgress));
    archive.passes(Duration::from_millis(100));
    assert!(matches!(archive.claim("third").await, Claim::Ours { epoch: 2, .. }));
}

#[tokio::test(flavor = "current_thread")]
async fn only_who_holds_the_lease_gives_it_back() {
    let archive = Archive::empty().await;
    let abandons = async |writer| archive.journal_of(&friday(), writer).abandon().await.unwrap();
    abandons("nobody").await;
    assert!(matches!(archive.claim("first").await, Claim::Ours { epoch: 1, .. }));
    abandons("second").await;
    assert!(matches!(archive.claim("second").await, Claim::InProgress));
    abandons("first").await;
    assert!(matches!(archive.claim("second").await, Claim::Ours { epoch: 2, .. }));
    abandons("first").await;
    assert!(matches!(archive.claim("third").await, Claim::InProgress), "it is the second's now");
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_is_offered_four_times_at_growing_intervals() {
    for (failures, waits) in [(0, 0), (1, 200), (3, 1_400), (4, 1_400)] {
        let archive = Archive::empty().await;
        archive.shelf().fails(Outage { after: 0, times: failures, takes_effect: false });
        let begun = archive.clock.now();
        let kept = archive.journal(&friday()).keep("open.json", None, &()).await;
        assert_eq!(kept.is_ok(), failures < 4, "{failures}");
        let waited = archive.clock.now().duration_since(begun).as_millis();
        assert_eq!(waited, waits, "{failures}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_plan_of_before_inputs_had_names_was_made_from_the_first() {
    let mut record = a_plan().await;
    record["body"].as_object_mut().unwrap().remove("inputs").unwrap();
    let read: PlanRecord = serde_json::from_value(record["body"].take()).unwrap();
    assert_eq!(read.inputs, FIRST_SNAPSHOT);
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_of_newer_code_is_not_read_however_well_it_reads() {
    let archive = Archive::empty().await;
    let key = friday();
    for version in [1, RECORD_VERSION, RECORD_VERSION + 1] {
        let record = json!({
            "version": version, "run": key.to_string(), "writer": "first", "code": "2",
            "previous": null, "body": null,
        });
        archive.shelf().lay(&format!("runs/{key}/open.json"), &record.to_string());
        match archive.journal(&key).read::<()>("open.json").await {
            Ok(kept) => assert!(version <= RECORD_VERSION && kept.is_some()),
            Err(JournalError::Newer { version: told, .. }) => {
                assert_eq!((told, version), (version, RECORD_VERSION + 1));
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_plan_for_another_run_is_not_followed() {
    let archive = Archive::empty().await;
    let plan: PlanRecord = serde_json::from_value(a_plan().await["body"].take()).unwrap();
    for (key, is_its_own) in [(friday(), true), (monday(), false)] {
        let journal = archive.journal(&key);
        let inputs = journal.keep(&plan.inputs, None, &()).await.unwrap();
        journal.keep_after(&inputs.hash, "plan.json", &plan).await.unwrap();
        let read = journal.plan().await;
        assert_eq!(read.is_ok(), is_its_own, "{read:?}");
    }
}

/// The record of a plan of Friday, as it is stored.
async fn a_plan() -> Value {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    let plan = stage.shelf.text("runs/paper/main/2026-11-20/open/g0/plan.json").unwrap();
    serde_json::from_str(&plan).unwrap()
}

//! The dead-man check: what it finds in the records that real runs leave, and what it tells.

use std::cell::Cell;
use std::time::Duration;

use alchemiser::application::ports::{Mailer, Put, Record, Store, StoreError};
use alchemiser::application::tell::Mailed;
use alchemiser::application::watch::{WatchPost, Watched, watch};
use alchemiser::domain::policy::Policy;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::{AccountName, Mode, RunAction, Slot, WatchRequest};
use alchemiser::domain::watch::{Before, Finding};
use alchemiser::simulator::exchange::{Fills, OrderTrouble};
use alchemiser::simulator::faults::{Fault, On, Trouble};
use async_trait::async_trait;
use jiff::ToSpan;
use jiff::civil::date;

use crate::cut::{Cut, killed_at};
use crate::kept::Shelf;
use crate::stage::{POLICY, Stage};

const FOLDER: &str = "runs/paper/main/2026-11-20/open/g0";
const RUN: &str = "paper/main/2026-11-20/open/g0";
/// The first look comes so long after the run was due, the second after the close.
const FIRST_LOOK: Duration = Duration::from_mins(25);
const UNTIL_AFTER_THE_CLOSE: Duration = Duration::from_mins(365);

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

/// Somebody who looks, at the world's time, into a store and posts through a carrier.
struct Lookout<'a> {
    stage: &'a Stage,
    store: &'a dyn Store,
    looks: Cell<u32>,
}

impl<'a> Lookout<'a> {
    fn of(stage: &'a Stage) -> Self {
        Self::into(stage, &*stage.shelf)
    }

    fn into(stage: &'a Stage, store: &'a dyn Store) -> Self {
        Self { stage, store, looks: Cell::new(0) }
    }

    fn request(&self) -> WatchRequest {
        WatchRequest {
            mode: Mode::Paper,
            account: AccountName::parse("main").unwrap(),
            slot: Slot::parse("open").unwrap(),
            scheduled_for: self.stage.world.now(),
        }
    }

    async fn looks(&self) -> Watched {
        self.looks_for(&self.request()).await
    }

    async fn looks_for(&self, request: &WatchRequest) -> Watched {
        let mailer: &dyn Mailer = &*self.stage.post;
        let (policy, clock) = (Policy::compiled_in(), self.stage.world.clock());
        let number = self.looks.replace(self.looks.get() + 1);
        let writer = format!("look-{number}");
        let post = WatchPost {
            store: self.store,
            mailer,
            clock: &*clock,
            mail: &policy.mail,
            writer: &writer,
            code: "test",
        };
        watch(request, &post).await
    }
}

/// Subjects of the letters that watches sent.
fn letters(stage: &Stage) -> Vec<String> {
    let subjects = stage.post.subjects().into_iter();
    subjects.filter(|subject| subject.starts_with("[PAPER WATCH]")).collect()
}

fn codes(watched: &Watched) -> Vec<String> {
    watched.incidents.iter().map(|said| format!("{} {}", said.category, said.code)).collect()
}

fn envelope(run: &str, version: u32, body: &str) -> String {
    format!(
        "{{\"version\":{version},\"run\":\"{run}\",\"writer\":\"x\",\"code\":\"x\",\"previous\":null,\"body\":{body}}}"
    )
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_that_ended_well_is_good_and_nobody_is_written_to() {
    let stage = stage();
    assert_eq!(stage.run().await.verdict(), Verdict::Done);
    stage.world.advance(FIRST_LOOK);
    let watched = Lookout::of(&stage).looks().await;
    assert!(watched.is_good());
    assert_eq!(watched.look.run.to_string(), RUN);
    assert_eq!(watched.summary, "the run ended OK: 2 of 2 orders filled");
    assert_eq!((watched.incidents.len(), &watched.mailed), (0, &Mailed::Silent));
    assert_eq!(letters(&stage), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_day_on_which_the_exchange_was_closed_is_good() {
    let mut stage = stage();
    stage.goes_to(date(2026, 11, 26));
    assert_eq!(stage.run().await.verdict(), Verdict::Closed);
    let watched = Lookout::of(&stage).looks().await;
    assert!(watched.is_good(), "{}", watched.summary);
    assert_eq!(letters(&stage), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_holiday_without_even_the_record_that_it_was_one_is_not_good() {
    let mut stage = stage();
    stage.goes_to(date(2026, 11, 26));
    let watched = Lookout::of(&stage).looks().await;
    assert!(!watched.is_good());
    assert_eq!(letters(&stage), ["[PAPER WATCH] 26 Nov open: no run"]);
}

#[tokio::test(flavor = "current_thread")]
async fn on_a_weekend_no_run_is_due_and_nothing_is_said() {
    let mut stage = stage();
    for day in [date(2026, 11, 21), date(2026, 11, 22)] {
        stage.goes_to(day);
        let watched = Lookout::of(&stage).looks().await;
        assert!(watched.is_good());
        assert_eq!(watched.look.finding, Finding::NotDue);
        assert!(stage.shelf.text(&format!("watch/paper/main/{day}/open/g0/look-0.json")).is_some());
    }
    assert_eq!(stage.post.subjects(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn the_day_is_new_yorks_whatever_the_date_in_utc() {
    let stage = stage();
    stage.world.advance_to("2026-11-21T01:00:00Z".parse().unwrap()); // Friday evening there
    let watched = Lookout::of(&stage).looks().await;
    assert_eq!(watched.look.run.to_string(), RUN);
    assert_eq!(watched.look.finding.as_str(), "never-ran");
}

#[tokio::test(flavor = "current_thread")]
async fn a_weekday_without_a_run_is_told_with_the_last_record_there_is() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.world.advance(FIRST_LOOK);
    let watched = Lookout::of(&stage).looks().await;
    assert!(!watched.is_good());
    assert_eq!(codes(&watched), ["CRITICAL no-run"]);
    assert_eq!(
        watched.summary,
        "no run of 2026-11-23 left any record; the last final record is of 2026-11-20 (OK)"
    );
    assert!(matches!(watched.mailed, Mailed::Sent(_)));
    assert_eq!(letters(&stage), ["[PAPER WATCH] 23 Nov open: no run, last record of 20 Nov"]);
    let letter = stage.post.last();
    for words in ["failure queue", "Fri 20 Nov 2026, OK", "3 days ago", "None was sent."] {
        assert!(letter.contains(words), "{words}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_look_at_an_earlier_day_sees_nothing_of_the_days_after_it() {
    let stage = stage();
    stage.run().await;
    let lookout = Lookout::of(&stage);
    let scheduled_for = stage.world.now() - 24.hours();
    let watched = lookout.looks_for(&WatchRequest { scheduled_for, ..lookout.request() }).await;
    assert_eq!(watched.look.finding, Finding::NeverRan(Before::Nothing));
    assert_eq!(letters(&stage), ["[PAPER WATCH] 19 Nov open: no run"]);
}

#[tokio::test(flavor = "current_thread")]
async fn the_same_finding_is_mailed_once_however_often_it_is_found() {
    let stage = stage();
    let lookout = Lookout::of(&stage);
    stage.world.advance(FIRST_LOOK);
    lookout.looks().await;
    stage.world.advance(UNTIL_AFTER_THE_CLOSE);
    let second = lookout.looks().await;
    assert!(!second.is_good());
    assert_eq!((codes(&second), &second.mailed), (vec!["CRITICAL no-run".into()], &Mailed::Before));
    assert_eq!(letters(&stage), ["[PAPER WATCH] 20 Nov open: no run"]);
    let kept = stage.shelf.keys("watch/");
    let names = ["look-0.json", "look-1.json", "told/never-ran.json"];
    assert_eq!(kept, names.map(|name| format!("watch/{RUN}/{name}")));
}

#[tokio::test(flavor = "current_thread")]
async fn the_next_sessions_trouble_is_told_anew() {
    let mut stage = stage();
    Lookout::of(&stage).looks().await;
    stage.next_session();
    Lookout::of(&stage).looks().await;
    assert_eq!(
        letters(&stage),
        ["[PAPER WATCH] 20 Nov open: no run", "[PAPER WATCH] 23 Nov open: no run"]
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_that_was_blocked_is_told_with_its_verdict_and_its_own_incident() {
    let stage = stage();
    stage.permits("halt-all");
    assert_eq!(stage.run().await.verdict(), Verdict::Blocked);
    stage.world.advance(FIRST_LOOK);
    let watched = Lookout::of(&stage).looks().await;
    assert!(!watched.is_good());
    assert_eq!(watched.summary, "the run ended BLOCKED: halted by the operator: a test");
    assert_eq!(codes(&watched), ["TRADING run-not-good"]);
    assert!(watched.incidents[0].action.contains("end the halt"), "the run's own advice");
    assert_eq!(letters(&stage), ["[PAPER WATCH] 20 Nov open: the run is BLOCKED, halted"]);
    let letter = stage.post.last();
    assert!(letter.contains("WHAT THE RUN SAID") && letter.contains("halted by the operator"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_that_filled_a_part_is_told() {
    let stage = stage();
    stage.troubles("BIL", 9, OrderTrouble::PartialThenStop { part: "0.1".parse().unwrap() });
    assert_eq!(stage.run().await.verdict(), Verdict::Partial);
    let watched = Lookout::of(&stage).looks().await;
    assert_eq!(watched.summary, "the run ended PARTIAL: 1 of 2 orders filled in full");
    assert_eq!(codes(&watched), ["TRADING run-not-good"]);
    let Finding::NotGood(ending) = &watched.look.finding else { panic!("{}", watched.summary) };
    assert_eq!((ending.sent, ending.unknown), (2, 0));
}

/// A run whose only order cannot be cancelled and is not filled.
async fn unseen_end() -> Stage {
    let stage = Stage::furnished(|world| world.fills(Fills::plain())).plays("a", "1", "SPY");
    stage.troubles("SPY", 1, OrderTrouble::CancelStuck);
    assert_eq!(stage.run().await.verdict(), Verdict::Unknown);
    stage
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_whose_end_nobody_saw_is_critical_for_the_watch_too() {
    let stage = unseen_end().await;
    let watched = Lookout::of(&stage).looks().await;
    assert_eq!(codes(&watched), ["CRITICAL run-not-good"]);
    assert_eq!(
        letters(&stage),
        ["[PAPER WATCH] 20 Nov open: the run is UNKNOWN ORDERS, order-unknown"]
    );
    assert!(stage.post.last().contains("the end of 1 was not seen"));
}

/// A run that died right after its first orders left.
async fn died_after_ordering() -> Stage {
    for request in 1.. {
        let mut stage = Stage::new().plays("a", "1", "SPY");
        stage.run().await;
        stage.next_session();
        stage.wants("a", "QQQ");
        assert!(killed_at(&stage, request, Cut::After).await.is_none(), "no order was ever sent");
        if !stage.orders_today().is_empty() {
            return stage;
        }
    }
    unreachable!("the loop returns")
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_that_died_in_the_middle_is_told_with_how_far_it_came() {
    let stage = died_after_ordering().await;
    stage.world.advance(FIRST_LOOK);
    let watched = Lookout::of(&stage).looks().await;
    assert!(!watched.is_good());
    assert_eq!(codes(&watched), ["CRITICAL run-left-open"]);
    assert_eq!(
        watched.summary,
        "the run has not ended and nobody works on it; a plan with 1 sell and 1 buy; no end of the sells"
    );
    let Finding::LeftOpen(traces) = &watched.look.finding else { panic!("{}", watched.summary) };
    assert_eq!((traces.deliveries, traces.lease.unwrap().returned), (1, false));
    assert_eq!(traces.newest.as_ref().unwrap().0, "plan.json");
    assert_eq!(letters(&stage), ["[PAPER WATCH] 23 Nov open: left open, 2 orders planned"]);
    let letter = stage.post.last();
    assert!(letter.contains("resume event") && letter.contains("Lease: ran out"));
}

#[tokio::test(flavor = "current_thread")]
async fn how_often_orders_went_out_again_is_told() {
    let stage = stage();
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
    stage.shelf.denies("final.json");
    stage.run().await;
    stage.world.advance(FIRST_LOOK);
    let watched = Lookout::of(&stage).looks().await;
    let Finding::LeftOpen(traces) = &watched.look.finding else { panic!("{}", watched.summary) };
    assert_eq!(traces.repeats, 1);
    assert!(stage.post.last().contains("Further attempts: 1"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_that_could_not_reach_the_broker_is_left_open_without_a_plan() {
    let stage = stage();
    stage.world.fault(Fault::request(On::any("/v2/clock").always(), Trouble::NoConnection));
    stage.run().await;
    let watched = Lookout::of(&stage).looks().await;
    assert_eq!(
        watched.summary,
        "the run has not ended and nobody works on it; no plan and so no order"
    );
    let Finding::LeftOpen(traces) = &watched.look.finding else { panic!("{}", watched.summary) };
    assert_eq!(traces.mailed, ["broker-unreachable"]);
    assert!(traces.lease.unwrap().returned);
    assert!(watched.incidents[0].meaning.starts_with("Nothing was traded"));
    assert_eq!(letters(&stage), ["[PAPER WATCH] 20 Nov open: left open, no plan"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_still_at_work_is_not_good_yet_and_is_told_only_once_it_is_overdue() {
    let stage = died_after_ordering().await;
    let lookout = Lookout::of(&stage);
    stage.world.advance(Duration::from_mins(1));
    let early = lookout.looks().await;
    assert!(!early.is_good());
    assert_eq!(early.look.finding.as_str(), "at-work");
    assert_eq!(
        (codes(&early), &early.mailed),
        (vec!["WARNING run-at-work".into()], &Mailed::Silent)
    );
    // Another invocation takes over and holds the lease when the plan is long past.
    let key = stage.event(RunAction::Trade).key();
    stage.world.advance(FIRST_LOOK);
    let lease = envelope(&key.to_string(), 1, "{\"seconds\":240}");
    stage.shelf.lay(&format!("runs/{key}/lease/0002.json"), &lease);
    let late = lookout.looks().await;
    assert_eq!(codes(&late), ["TRADING run-at-work"]);
    assert_eq!(letters(&stage), ["[PAPER WATCH] 23 Nov open: still at work, 2 orders planned"]);
    stage.world.advance(Duration::from_secs(241));
    assert_eq!(lookout.looks().await.look.finding.as_str(), "left-open", "the lease ran out");
    assert_eq!(letters(&stage).len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_that_ended_well_after_bad_news_is_told_once() {
    let stage = died_after_ordering().await;
    let lookout = Lookout::of(&stage);
    stage.world.advance(FIRST_LOOK);
    lookout.looks().await;
    stage.invoke(RunAction::Resume).await;
    let ended = stage.record().unwrap().verdict;
    assert!(
        !ended.is_good(),
        "the sell was cancelled unfilled, or the buy came too late: {ended:?}"
    );
    assert_eq!(lookout.looks().await.look.finding.as_str(), "not-good");
    assert_eq!(letters(&stage).len(), 2, "another finding, another letter");

    let stage = self::stage();
    let lookout = Lookout::of(&stage);
    stage.world.advance(Duration::from_mins(1));
    lookout.looks().await; // too early: nothing has come yet
    assert_eq!(stage.run().await.verdict(), Verdict::Done);
    for _ in 0..3 {
        assert!(lookout.looks().await.is_good());
    }
    assert_eq!(
        letters(&stage),
        [
            "[PAPER WATCH] 20 Nov open: no run",
            "[PAPER WATCH] 20 Nov open: recovered, the run is OK"
        ]
    );
    let letter = stage.post.last();
    assert!(letter.contains("Told before") && letter.contains("never-ran"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_letter_that_was_refused_is_sent_by_the_next_look() {
    let stage = stage();
    let lookout = Lookout::of(&stage);
    stage.post.refuses(true);
    let first = lookout.looks().await;
    assert!(matches!(first.mailed, Mailed::Failed(_)));
    assert_eq!(codes(&first), ["CRITICAL no-run", "NOTIFICATION mail-not-sent"]);
    stage.post.refuses(false);
    let second = lookout.looks().await;
    assert!(matches!(second.mailed, Mailed::Sent(_)));
    assert_eq!(codes(&second), ["CRITICAL no-run"]);
    assert_eq!(lookout.looks().await.mailed, Mailed::Before);
    assert_eq!(letters(&stage).len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_store_that_takes_no_record_of_the_watch_keeps_nobody_from_being_told() {
    let stage = stage();
    let lookout = Lookout::of(&stage);
    stage.shelf.denies("watch/");
    let watched = lookout.looks().await;
    assert!(matches!(watched.mailed, Mailed::Sent(_)));
    let missing = "CONFIGURATION watch-not-recorded";
    assert_eq!(codes(&watched), ["CRITICAL no-run", missing, missing]);
    assert!(stage.post.last().contains("watch-not-recorded"), "the letter says so as well");
    lookout.looks().await;
    assert_eq!(letters(&stage).len(), 2, "better twice than never");
}

/// A shelf of which a part cannot be read.
struct Shut<'a> {
    shelf: &'a Shelf,
    part: &'static str,
    denied: bool,
}

impl Shut<'_> {
    fn check(&self, key: &str) -> Result<(), StoreError> {
        let (key, reason) = (key.to_owned(), "scripted".to_owned());
        match (key.contains(self.part), self.denied) {
            (false, _) => Ok(()),
            (true, true) => Err(StoreError::Denied { key, reason }),
            (true, false) => Err(StoreError::Unavailable { key, reason }),
        }
    }
}

#[async_trait]
impl Store for Shut<'_> {
    async fn put_once(&self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        self.shelf.put_once(key, bytes).await
    }

    async fn put_view(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        panic!("a watch replaces nothing: {key} {}", bytes.len())
    }

    async fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        self.check(key)?;
        self.shelf.get(key).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.check(prefix)?;
        self.shelf.list(prefix).await
    }
}

#[tokio::test(flavor = "current_thread")]
async fn records_that_cannot_be_read_are_never_taken_for_a_good_end() {
    for (part, denied, code) in [
        ("runs/", true, "CONFIGURATION store-denied"),
        ("runs/", false, "CRITICAL store-unavailable"),
        ("final.json", true, "CONFIGURATION store-denied"),
    ] {
        let stage = stage();
        stage.run().await;
        let shut = Shut { shelf: &stage.shelf, part, denied };
        let lookout = Lookout::into(&stage, &shut);
        let watched = lookout.looks().await;
        assert!(!watched.is_good());
        assert_eq!(codes(&watched), [code]);
        assert!(matches!(watched.mailed, Mailed::Sent(_)));
        assert_eq!(lookout.looks().await.mailed, Mailed::Before, "{part}");
        assert!(letters(&stage)[0].contains("records not readable"), "{:?}", letters(&stage));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn when_nobody_knows_what_was_told_it_is_told_again() {
    let stage = stage();
    let shut = Shut { shelf: &stage.shelf, part: "told/", denied: true };
    let lookout = Lookout::into(&stage, &shut);
    for number in 1..=2 {
        let watched = lookout.looks().await;
        assert_eq!(codes(&watched), ["CRITICAL no-run", "CONFIGURATION watch-not-recorded"]);
        assert_eq!(letters(&stage).len(), number);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_final_record_that_cannot_be_trusted_is_not_a_good_end() {
    let other_run = envelope("paper/main/2026-11-19/open/g0", 1, "{}");
    let newer = envelope(RUN, 99, "{}");
    for record in ["{", "{}", &newer, &envelope(RUN, 1, "{}"), &other_run] {
        let stage = stage();
        stage.shelf.lay(&format!("{FOLDER}/final.json"), record);
        let watched = Lookout::of(&stage).looks().await;
        assert!(!watched.is_good(), "{record}");
        let code = if record == newer { "record-newer" } else { "journal-corrupt" };
        assert_eq!(codes(&watched), [format!("CRITICAL {code}")], "{record}");
        assert!(watched.summary.contains("final.json"), "{}", watched.summary);
        assert_eq!(letters(&stage).len(), 1, "{record}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_older_record_that_cannot_be_trusted_does_not_hide_that_no_run_came() {
    let stage = stage();
    stage.shelf.lay("runs/paper/main/2026-11-19/open/g0/final.json", "{");
    let watched = Lookout::of(&stage).looks().await;
    let Finding::NeverRan(Before::Unreadable { why }) = &watched.look.finding else {
        panic!("{}", watched.summary)
    };
    assert!(why.contains("2026-11-19"));
    assert_eq!(codes(&watched), ["CRITICAL no-run"]);
}

#[tokio::test(flavor = "current_thread")]
async fn the_highest_generation_that_was_opened_is_the_one_that_counts() {
    let stage = stage();
    stage.run().await;
    let lookout = Lookout::of(&stage);
    assert!(lookout.looks().await.is_good());
    let repeat = RUN.replace("g0", "g1");
    stage.shelf.lay(&format!("runs/{repeat}/deliveries/x.json"), &envelope(&repeat, 1, "{}"));
    let watched = lookout.looks().await;
    assert_eq!(watched.look.run.to_string(), repeat);
    assert_eq!(watched.look.finding.as_str(), "left-open");
    assert_eq!(letters(&stage), ["[PAPER WATCH] 20 Nov open g1: left open, no plan"]);
}

#[tokio::test(flavor = "current_thread")]
async fn one_accounts_trouble_does_not_show_in_anothers_look() {
    let stage = stage();
    stage.run().await;
    for other in ["main2/2026-11-20/open", "main/2026-11-20/open2", "second/2026-11-20/open"] {
        stage.shelf.lay(&format!("runs/paper/{other}/g0/final.json"), "{");
        stage.shelf.lay(&format!("runs/paper/{other}/g1/deliveries/x.json"), "{");
    }
    let lookout = Lookout::of(&stage);
    assert!(lookout.looks().await.is_good());
    let second = AccountName::parse("second").unwrap();
    let troubled = lookout.looks_for(&WatchRequest { account: second, ..lookout.request() }).await;
    assert!(!troubled.is_good());
    let again = lookout.looks().await;
    assert!(again.is_good() && again.mailed == Mailed::Silent, "not even as a recovery");
}

#[tokio::test(flavor = "current_thread")]
async fn a_watch_for_the_future_is_refused_and_said_once() {
    let stage = stage();
    let lookout = Lookout::of(&stage);
    let scheduled_for = stage.world.now() + 10.minutes();
    let request = WatchRequest { scheduled_for, ..lookout.request() };
    let early = lookout.looks_for(&request).await;
    assert!(!early.is_good());
    assert_eq!(codes(&early), ["CONFIGURATION event-early"]);
    assert_eq!(lookout.looks_for(&request).await.mailed, Mailed::Before);
}

#[tokio::test(flavor = "current_thread")]
async fn a_watch_asks_the_broker_nothing_and_writes_below_its_own_prefix_alone() {
    let stage = died_after_ordering().await;
    stage.world.advance(FIRST_LOOK);
    let (requests, before) = (stage.world.requests(), stage.shelf.keys(""));
    Lookout::of(&stage).looks().await;
    assert_eq!(stage.world.requests(), requests);
    let added = stage.shelf.keys("").into_iter().filter(|key| !before.contains(key));
    let added: Vec<String> = added.collect();
    assert!(added.len() == 2 && added.iter().all(|key| key.starts_with("watch/")), "{added:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_look_is_on_record_with_what_it_saw() {
    let stage = stage();
    stage.shelf.lose(POLICY); // the watch needs none
    Lookout::of(&stage).looks().await;
    let record = stage.shelf.text(&format!("watch/{RUN}/look-0.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["version"], 1);
    assert_eq!(record["finding"]["state"], "never-ran");
    assert_eq!(record["good"], false);
    assert_eq!(record["at"], stage.world.now().to_string());
    assert!(record["summary"].as_str().unwrap().starts_with("no run of 2026-11-20"));
}

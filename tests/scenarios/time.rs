//! What a run's time goes to, and what becomes of one that has too little.

use std::time::Duration;

use alchemiser::application::run::{Ended, run};
use alchemiser::application::tell::Mailed;
use alchemiser::domain::order::Side;
use alchemiser::domain::report::{Marks, RunReport, Verdict};
use alchemiser::domain::run::RunAction;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::exchange::Fills;
use alchemiser::simulator::faults::{Fault, On, Trouble};
use futures_util::future::join_all;

use crate::cut::LEASE_OVER;
use crate::stage::Stage;

/// What a request to the broker takes.
const ROUND_TRIP: Duration = Duration::from_millis(10);
/// What a request to the store takes.
const STORE_TRIP: Duration = Duration::from_millis(9);

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

/// Two sells and two buys that are executed at once, after a first run.
async fn flip() -> Stage {
    let fills = Fills { delay: Duration::from_millis(60), inside_spread: 1.0, partial: 0.0 };
    let stage = Stage::furnished(|world| world.fills(fills).round_trip(ROUND_TRIP));
    let mut stage = stage.plays("a", "1", "SPY 0.5, BIL 0.5").rule("urgency = \"high\"");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ 0.5, GLD 0.5");
    stage
}

/// The longest executions of the day's sells and of its buys.
fn fills(stage: &Stage, since: jiff::Timestamp) -> Duration {
    let orders = stage.world.orders();
    let longest = |side: Side| {
        let orders = orders.iter().filter(|o| o.created_at >= since && o.asked.side == side);
        orders.map(|o| o.updated_at.duration_since(o.created_at).unsigned_abs()).max().unwrap()
    };
    longest(Side::Sell) + longest(Side::Buy)
}

/// Data, flags, the account after; and for each side half a round trip until the exchange has the
/// orders, and a whole one for their truth once the news has come, which takes no time here.
const BROKER_WAITS: u32 = 3 + 3;
/// Policy and names, the strategy's file, the claim, snapshot, plan, buy plan, final record, and the
/// list of runs, read and written beside the letter, which takes no time here.
const STORE_WAITS: u32 = 9;
/// News is looked at at once, with a few milliseconds to gather what comes together: acceptance and
/// two executions in each phase. Less than a wait for the store, so that one too many shows.
const GATHERING: Duration = Duration::from_millis(8);

#[tokio::test(flavor = "current_thread")]
async fn a_run_waits_for_what_depends_on_each_other_and_for_fills_and_for_nothing_else() {
    let stage = flip().await;
    stage.shelf.takes(STORE_TRIP);
    let began = stage.world.now();
    let told = stage.run().await;
    assert_eq!((told.verdict(), stage.orders_today().len()), (Verdict::Done, 4));
    let took = stage.world.now().duration_since(began).unsigned_abs();
    let waits = ROUND_TRIP * BROKER_WAITS + STORE_TRIP * STORE_WAITS + fills(&stage, began);
    assert!(took <= waits + GATHERING, "{took:?} of {waits:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn of_twenty_deliveries_at_once_only_the_one_that_trades_asks_the_broker() {
    let twin = flip().await;
    let before = twin.world.requests();
    twin.run().await;
    let alone = twin.world.requests() - before;
    let stage = flip().await;
    stage.shelf.takes(STORE_TRIP);
    let before = stage.world.requests();
    let all = join_all((0..20).map(|_| stage.run())).await;
    assert_eq!(all.iter().filter(|told| !told.is_in_progress()).count(), 1);
    assert_eq!(stage.world.positions(), twin.world.positions());
    assert_eq!(stage.world.requests() - before, alone);
}

#[tokio::test(flavor = "current_thread")]
async fn names_listed_before_another_invocation_traded_do_not_trade_again() {
    for action in [RunAction::Trade, RunAction::Resume] {
        let stage = stage();
        let site = stage.site(stage.world.transport()).await.unwrap();
        let first = stage.run().await;
        let again = run(&stage.event(action), &site.house()).await;
        let Ended::Repeated { report, mailed } = again else { panic!("{again:?}") };
        assert_eq!((&*report, mailed), (first.report(), Mailed::Before));
        assert_eq!(stage.orders().len(), 2);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_halt_that_comes_while_a_run_decides_stops_its_first_order() {
    let stage = flip().await; // its first orders are sells, right after the plan is kept
    let flags = On::new(Method::Get, "/v2/assets/QQQ");
    stage.world.fault(Fault::request(flags, Trouble::Slow(Duration::from_secs(4))));
    let halt = async {
        stage.world.clock().sleep(Duration::from_secs(2)).await;
        stage.permits("halt-new");
        stage.world.clock().sleep(Duration::from_millis(1)).await;
    };
    let (told, ()) = tokio::join!(stage.run(), halt);
    assert_eq!(stage.orders_today(), [""; 0]);
    assert!(told.errors().contains(&"CONFIGURATION halted".to_owned()), "{:?}", told.errors());
    assert!(!told.verdict().is_good());
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_that_begins_too_near_its_deadline_leaves_the_market_to_the_next_resume() {
    let stage = stage();
    stage.leaves(44);
    let told = stage.run().await;
    assert_eq!(told.errors(), ["CRITICAL deadline"]);
    assert!(matches!(told.ended, Ended::Reported { left_open: true, .. }));
    assert_eq!((stage.world.requests(), stage.orders().len()), (0, 0));
    assert!(stage.shelf.keys("runs/").iter().all(|key| !key.contains("/lease/")));
    let again = stage.run().await;
    assert_eq!(*again.mailed(), Mailed::Before, "told once");
    stage.leaves(300);
    stage.world.advance(Duration::from_mins(6));
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!((told.verdict(), stage.orders().len()), (Verdict::Done, 2));
    assert_eq!(stage.post.subjects().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_with_time_for_both_sides_trades() {
    let stage = stage();
    stage.leaves(45);
    assert_eq!(stage.run().await.verdict(), Verdict::Done);
}

#[tokio::test(flavor = "current_thread")]
async fn a_repeat_near_its_deadline_is_a_repeat_and_a_resume_of_nothing_is_nothing() {
    let stage = stage();
    stage.leaves(30);
    let told = stage.invoke(RunAction::Resume).await;
    assert!(matches!(told.ended, Ended::NothingOpen(_)));
    stage.leaves(300);
    stage.run().await;
    stage.leaves(30);
    assert!(stage.run().await.is_repeated());
    assert_eq!(stage.post.subjects().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_planned_run_taken_up_too_near_a_deadline_is_finished_by_the_next_invocation() {
    let stage = flip().await;
    let sent = async {
        while stage.orders_today().is_empty() {
            stage.world.clock().sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        biased;
        () = sent => {}
        told = stage.run() => panic!("{:?} before it could die", told.verdict()),
    }
    stage.world.advance(LEASE_OVER);
    stage.leaves(44);
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!((told.errors(), stage.record()), (vec!["CRITICAL deadline".to_owned()], None));
    stage.leaves(300);
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!((told.verdict(), told.errors().len()), (Verdict::Done, 0));
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_marks_the_end_of_each_stage_in_their_order() {
    let stage = stage();
    let told = stage.run().await;
    let report = told.report();
    let Marks { observed_at, decided_at, acted_at } = report.marks;
    let (observed_at, decided_at) = (observed_at.unwrap(), decided_at.unwrap());
    let acted_at = acted_at.unwrap();
    assert!(report.started_at < observed_at && observed_at <= decided_at);
    assert!(decided_at < acted_at && acted_at <= report.finished_at);
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_without_marks_still_reads() {
    let stage = stage();
    stage.run().await;
    let mut record = serde_json::to_value(stage.record().unwrap()).unwrap();
    record.as_object_mut().unwrap().remove("marks").unwrap();
    let read: RunReport = serde_json::from_value(record).unwrap();
    assert_eq!(read.marks, Marks::default());
}

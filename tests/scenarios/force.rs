//! Forced repetitions: one more generation of a session's run, or a refusal in words.

use std::time::Duration;

use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::simulator::exchange::{Fills, OrderTrouble};
use alchemiser::simulator::faults::{Fault, On, Trouble};

use crate::cut::{Cut, LEASE_OVER, killed_at};
use crate::stage::Stage;
use crate::told::Told;

/// A run that ended with half of SPY bought.
async fn half_done() -> Stage {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    let part = "0.5".parse().unwrap();
    stage.troubles("SPY", 1, OrderTrouble::PartialThenStop { part });
    stage.troubles("SPY", 4, OrderTrouble::NeverFilled);
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.sleeves().as_str()), (Verdict::Partial, "a: BIL 490, SPY 49"));
    stage.world.clear_faults();
    stage
}

#[track_caller]
fn is_refused(stage: &Stage, told: &Told, words: &str) {
    assert_eq!(told.verdict(), Verdict::Blocked, "{words}");
    assert_eq!(told.errors(), ["CONFIGURATION force-refused"], "{words}");
    let summary = &told.report().summary;
    assert!(summary.contains(words), "{summary}");
    assert!(stage.post.subjects().last().is_some_and(|subject| subject.contains("BLOCKED")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_forced_repetition_buys_what_the_first_run_left_over() {
    let mut stage = half_done().await;
    stage.forces(1, 10);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done, "{:?}", told.report().summary);
    assert_eq!(told.sleeves(), "a: BIL 490, SPY 98");
    let (report, letter) = (told.report(), stage.post.last());
    assert_eq!(report.key.generation, 1);
    assert_eq!(report.force.as_ref().unwrap().reason, "a test");
    assert_eq!(stage.record().as_ref(), Some(report));
    assert!(letter.contains("Forced because") && letter.contains("a test"), "{letter}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_force_clicked_twice_repeats_once() {
    let mut stage = half_done().await;
    stage.forces(1, 10);
    let (one, other) = tokio::join!(stage.run(), stage.run());
    assert!(one.is_in_progress() != other.is_in_progress(), "one of them steps back");
    let (orders, letters) = (stage.orders(), stage.post.subjects());
    stage.wants("a", "GLD");
    assert!(stage.run().await.is_repeated());
    stage.world.advance(Duration::from_mins(15));
    let again = stage.run().await;
    assert!(again.is_repeated(), "even when the permission is over: {:?}", again.report().summary);
    assert_eq!((stage.orders(), stage.post.subjects()), (orders, letters));
}

#[tokio::test(flavor = "current_thread")]
async fn a_repetition_after_a_full_run_plans_nothing() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    stage.forces(1, 10);
    assert_eq!(stage.run().await.verdict(), Verdict::NothingToDo);
    assert_eq!(stage.orders().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_missing_for_a_repetition_is_said_and_nothing_is_claimed() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.forces(1, 10);
    is_refused(&stage, &stage.run().await, "open/g0 never began");

    let mut stage = half_done().await;
    let records = stage.shelf.keys("runs/");
    for (generation, words) in [(0, "none of 1 to 3"), (2, "g1 never began"), (4, "none of 1 to 3")]
    {
        stage.forces(generation, 10);
        if generation > 0 {
            is_refused(&stage, &stage.run().await, words);
        }
    }
    stage.forces(1, 10);
    stage.world.advance(Duration::from_mins(11));
    is_refused(&stage, &stage.run().await, "the permission to repeat ended");
    stage.forces(1, 10);
    stage.permits("halt-new");
    is_refused(&stage, &stage.run().await, "halted by the operator: a test");
    stage.permits("run");
    assert_eq!(stage.shelf.keys("runs/"), records, "no refusal claims a generation");
    assert_eq!(stage.run().await.verdict(), Verdict::Done);
}

#[tokio::test(flavor = "current_thread")]
async fn an_unfinished_run_is_not_repeated_but_resumed_first() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.world.fault(Fault::request(On::any("/v2/account").always(), Trouble::NoConnection));
    stage.run().await;
    stage.world.clear_faults();
    stage.forces(1, 10);
    is_refused(&stage, &stage.run().await, "open/g0 has no end yet");
    assert_eq!(stage.invoke(RunAction::Resume).await.verdict(), Verdict::Done);
    assert_eq!(stage.run().await.verdict(), Verdict::NothingToDo);
}

#[tokio::test(flavor = "current_thread")]
async fn an_open_order_of_ours_forbids_a_repetition() {
    let stage = Stage::furnished(|world| world.fills(Fills::plain()));
    let mut stage = stage.plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.troubles("SPY", 1, OrderTrouble::CancelStuck);
    let first = stage.run().await;
    assert_eq!(first.verdict(), Verdict::Unknown);
    stage.forces(1, 10);
    is_refused(&stage, &stage.run().await, "orders of ours are still open: al1-P-");
    assert!(stage.shelf.keys("runs/").iter().all(|key| !key.contains("/g1/")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_repetition_that_dies_is_resumed_wherever_it_was() {
    let twin = {
        let mut twin = half_done().await;
        twin.forces(1, 15);
        let before = twin.world.requests();
        twin.run().await;
        i64::try_from(twin.world.requests() - before).unwrap()
    };
    for request in 1..=twin {
        let mut stage = half_done().await;
        stage.forces(1, 15);
        assert!(killed_at(&stage, request, Cut::After).await.is_none(), "{request} of {twin}");
        stage.world.advance(LEASE_OVER);
        let told = if request == 1 {
            stage.run().await // the first request is made before anything is claimed
        } else {
            stage.invoke(RunAction::Resume).await
        };
        assert_eq!(told.verdict(), Verdict::Done, "{request} of {twin}");
        assert_eq!(told.report().key.generation, 1);
        assert_eq!(told.report().force.as_ref().unwrap().reason, "a test", "{request}");
        assert_eq!(stage.account(), "BIL 490, SPY 98, $2000", "{request}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_repetition_whose_permission_ended_meanwhile_sends_nothing_more() {
    let mut stage = half_done().await;
    stage.forces(1, 2);
    stage.world.fault(Fault::request(On::any("/v2/positions").always(), Trouble::NoConnection));
    assert_eq!(stage.run().await.verdict(), Verdict::Failed);
    stage.world.clear_faults();
    stage.world.advance(Duration::from_mins(3));
    let orders = stage.orders();
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!(told.errors(), ["CONFIGURATION force-refused"]);
    assert_eq!(stage.orders(), orders);
}

#[tokio::test(flavor = "current_thread")]
async fn the_days_limits_count_every_generation() {
    let mut stage = half_done().await.limit("orders_day_max = 5");
    stage.forces(1, 10);
    let told = stage.run().await;
    assert_eq!(told.errors(), ["CRITICAL gate-orders-day"], "{:?}", told.report().summary);
    let mut stage = Stage::new().plays("a", "1", "SPY").limit("turnover_day_max = \"1.5\"");
    stage.run().await;
    stage.wants("a", "GLD");
    stage.forces(1, 10);
    let told = stage.run().await;
    assert_eq!(told.errors(), ["CRITICAL gate-turnover-day"], "{:?}", told.report().summary);
}

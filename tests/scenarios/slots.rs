//! Two slots of one account: two runs with the same shares and the same cash.

use std::pin::pin;
use std::time::Duration;

use alchemiser::application::run::run;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::{RunAction, RunRequest, Slot};

use crate::cut::LEASE_OVER;
use crate::stage::Stage;
use crate::told::Told;

/// The session after the first; everything is to be sold and bought anew.
async fn flip() -> Stage {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ 0.5, GLD 0.5");
    stage
}

async fn slot(stage: &Stage, name: &str, action: RunAction) -> Told {
    let request = RunRequest { slot: Slot::parse(name).unwrap(), ..stage.event(action) };
    let site = stage.site(stage.world.transport()).await.unwrap();
    Told { ended: Box::pin(run(&request, &site.house())).await }
}

/// Which runs took the session's turns, in their order.
fn turns(stage: &Stage) -> Vec<String> {
    let keys = stage.shelf.keys("runs/paper/main/2026-11-23/turn/");
    let texts = keys.iter().map(|key| stage.shelf.text(key).unwrap());
    let envelopes = texts.map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap());
    envelopes.map(|envelope| envelope["run"].as_str().unwrap().to_owned()).collect()
}

const OPEN: &str = "paper/main/2026-11-23/open/g0";
const CLOSE: &str = "paper/main/2026-11-23/close/g0";

#[tokio::test(flavor = "current_thread")]
async fn two_slots_at_once_do_not_trade_beside_each_other() {
    for millis in [0, 1, 5, 20, 60, 100, 150, 250, 1000] {
        let stage = flip().await;
        let later = async {
            stage.world.clock().sleep(Duration::from_millis(millis)).await;
            slot(&stage, "close", RunAction::Trade).await
        };
        let (one, other) = tokio::join!(slot(&stage, "open", RunAction::Trade), later);
        let one_won = one.verdict() == Verdict::Done;
        let (won, lost) = if one_won { (one, other) } else { (other, one) };
        assert_eq!((won.verdict(), won.errors()), (Verdict::Done, vec![]), "{millis}");
        assert_eq!(lost.errors(), ["CRITICAL overlap"], "{millis}");
        let winner = &won.report().key;
        let said = format!("run {winner} is still being worked on");
        assert_eq!(lost.report().summary, said, "{millis}");
        assert_eq!(turns(&stage), [winner.to_string()], "{millis}");
        stage.keeps_the_laws(won.report());
        let twin = flip().await;
        twin.run().await;
        assert_eq!(stage.account(), twin.account(), "{millis}: as if there had been one");
        assert_eq!(stage.orders().len(), twin.orders().len(), "{millis}: {:?}", stage.orders());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_slot_that_had_to_wait_trades_on_its_resume_from_the_others_ledger() {
    let stage = flip().await;
    stage.wants("a", "SPY 0.4, BIL 0.5, GLD 0.1"); // little enough for two runs of one day
    let (one, other) = tokio::join!(
        slot(&stage, "open", RunAction::Trade),
        slot(&stage, "close", RunAction::Trade)
    );
    let verdicts = (one.verdict(), other.verdict());
    let (first, waited) = match verdicts {
        (Verdict::Done, Verdict::Blocked) => (OPEN, "close"),
        (Verdict::Blocked, Verdict::Done) => (CLOSE, "open"),
        _ => panic!("{verdicts:?}"),
    };
    let before = stage.orders_today().len();
    stage.wants("a", "SPY 0.4, BIL 0.4, GLD 0.2");
    let told = slot(&stage, waited, RunAction::Resume).await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::Done, vec![]));
    let orders = stage.orders_today()[before..].join(", ");
    assert!(orders.contains("sell BIL") && orders.contains("buy GLD"), "{orders}");
    assert_eq!(turns(&stage), [first.to_owned(), told.report().key.to_string()]);
    let held = stage.account();
    let held = held.rsplit_once(", $").unwrap().0;
    assert_eq!(told.sleeves(), format!("a: {held}"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_killed_between_its_turn_and_its_plan_goes_on_with_its_own_turn() {
    let stage = flip().await;
    stage.shelf.takes(Duration::from_millis(20));
    {
        let mut work = pin!(slot(&stage, "open", RunAction::Trade));
        let taken = async {
            while turns(&stage).is_empty() {
                stage.world.clock().sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            biased;
            () = taken => {}
            told = &mut work => panic!("{:?} before it could be killed", told.verdict()),
        }
    }
    assert_eq!(stage.shelf.text(&format!("runs/{OPEN}/plan.json")), None);
    // While it may still plan, nobody else does.
    let told = slot(&stage, "close", RunAction::Trade).await;
    assert_eq!((told.verdict(), told.errors()[0].as_str()), (Verdict::Blocked, "CRITICAL overlap"));
    assert_eq!(stage.orders_today(), [""; 0]);
    stage.world.advance(LEASE_OVER);
    let told = slot(&stage, "open", RunAction::Resume).await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::Done, vec![]));
    assert_eq!(turns(&stage), [OPEN]);
    let told = slot(&stage, "close", RunAction::Resume).await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::NothingToDo, vec![]));
    assert_eq!(turns(&stage), [OPEN, CLOSE]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_turn_that_cannot_be_trusted_stops_the_run() {
    let stage = flip().await;
    stage.shelf.lay("runs/paper/main/2026-11-23/turn/1.json", "{");
    let told = stage.run().await;
    assert_eq!(told.errors(), ["CRITICAL journal-corrupt"]);
    assert_eq!(stage.orders_today(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_preview_takes_no_turn() {
    let stage = flip().await;
    let told = stage.invoke(RunAction::Preview).await;
    assert_eq!(told.verdict(), Verdict::Preview);
    assert_eq!(turns(&stage), [""; 0]);
}

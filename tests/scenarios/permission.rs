//! What the operator's word does to a run: halts, a word that is away, code that changed.

use std::time::Duration;

use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::exchange::{Fills, OrderTrouble};
use alchemiser::simulator::faults::{Effect, Fault, On, Trouble};

use crate::cut::{Cut, LEASE_OVER, killed_at};
use crate::stage::{CONTROL, Stage};
use crate::told::Told;

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

/// The next session's flip, whose sell of SPY is not met inside the spread.
async fn slow_flip() -> Stage {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.wants("a", "GLD 0.5, QQQ 0.5");
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
    stage
}

/// Runs, and lays down this state after some seconds.
async fn halted_after(stage: &Stage, seconds: u64, word: &str) -> Told {
    let halt = async {
        stage.world.clock().sleep(Duration::from_secs(seconds)).await;
        stage.permits(word);
    };
    tokio::join!(stage.run(), halt).0
}

#[tokio::test(flavor = "current_thread")]
async fn a_halt_of_new_orders_lets_an_order_work_to_the_end_of_its_attempt() {
    let stage = slow_flip().await;
    let told = halted_after(&stage, 3, "halt-new").await;
    assert_eq!(stage.orders_today(), ["sell BIL 490 #1 filled 490", "sell SPY 98 #1 canceled 0"]);
    let attempts = told.report().execution.outcomes().flat_map(|outcome| &outcome.attempts);
    let lasted = attempts
        .filter(|a| a.filled.is_zero())
        .map(|a| a.ended_at.unwrap().duration_since(a.submitted_at.unwrap()).as_secs());
    assert_eq!(lasted.collect::<Vec<_>>(), [10], "the whole attempt, not the three seconds");
    assert!(told.errors().contains(&"CONFIGURATION halted".to_owned()), "{:?}", told.errors());
}

#[tokio::test(flavor = "current_thread")]
async fn a_halt_of_everything_cancels_open_orders_at_once() {
    let stage = slow_flip().await;
    let told = halted_after(&stage, 3, "halt-all").await;
    assert_eq!(stage.orders_today(), ["sell BIL 490 #1 filled 490", "sell SPY 98 #1 canceled 0"]);
    let attempts = told.report().execution.outcomes().flat_map(|outcome| &outcome.attempts);
    let lasted = attempts
        .filter(|a| a.filled.is_zero())
        .map(|a| a.ended_at.unwrap().duration_since(a.submitted_at.unwrap()).as_secs());
    let lasted = lasted.collect::<Vec<_>>();
    assert!(lasted.iter().all(|seconds| *seconds <= 6) && lasted.len() == 1, "{lasted:?}");
    assert_eq!(told.sleeves(), "a: SPY 98", "it cancels, and sells nothing");
}

#[tokio::test(flavor = "current_thread")]
async fn a_halt_that_was_forgotten_is_said_in_every_letter() {
    let mut stage = stage();
    let halt =
        r#"{"state":"halt-new","reason":"on holiday","who":"ann","since":"2026-11-16T15:00:00Z"}"#;
    stage.shelf.lay(CONTROL, halt);
    let said = "halted since 2026-11-16 15:00 UTC by ann: on holiday";
    for session in ["2026-11-23", "2026-11-24", "2026-11-26"] {
        stage.goes_to(session.parse().unwrap());
        let told = stage.run().await;
        assert!(told.errors().contains(&"CONFIGURATION halted".to_owned()), "{session}");
        assert!(stage.post.last().contains(said), "{session}: {}", stage.post.last());
    }
    assert_eq!(stage.orders(), [""; 0]);
    let told = stage.invoke(RunAction::Preview).await;
    assert!(told.incidents().contains(&"CONFIGURATION halted".to_owned()), "a preview says it too");
}

#[tokio::test(flavor = "current_thread")]
async fn a_halt_ends_by_itself_when_it_says_so() {
    let mut stage = stage();
    let halt = r#"{"state":"halt-all","reason":"x","until":"2026-11-23T00:00:00Z"}"#;
    stage.shelf.lay(CONTROL, halt);
    assert_eq!(stage.run().await.verdict(), Verdict::Blocked);
    stage.goes_to("2026-11-23".parse().unwrap());
    assert_eq!(stage.run().await.verdict(), Verdict::Done);
}

#[tokio::test(flavor = "current_thread")]
async fn a_word_that_is_away_before_the_plan_leaves_the_day_to_a_resume() {
    let stage = stage();
    stage.shelf.hides(CONTROL);
    let told = stage.run().await;
    assert_eq!(told.errors(), ["CRITICAL control-unreadable"]);
    assert_eq!((stage.orders().len(), stage.record()), (0, None), "nothing sent, nothing ended");
    stage.shelf.shows();
    stage.world.advance(Duration::from_mins(6));
    assert_eq!(stage.invoke(RunAction::Resume).await.verdict(), Verdict::Done);
    assert_eq!(stage.account(), "BIL 490, SPY 98, $2000");
}

#[tokio::test(flavor = "current_thread")]
async fn a_word_that_is_away_for_seconds_only_delays_the_orders() {
    let stage = slow_flip().await;
    let blip = async {
        stage.world.clock().sleep(Duration::from_secs(5)).await;
        stage.shelf.hides(CONTROL);
        stage.world.clock().sleep(Duration::from_secs(20)).await;
        stage.shelf.shows();
    };
    let (told, ()) = tokio::join!(stage.run(), blip);
    assert_eq!((told.verdict(), told.errors().len()), (Verdict::Done, 0), "{:?}", told.errors());
    let sent_while_away = stage.world.orders().into_iter().filter(|order| {
        let age = order.created_at.duration_since(told.report().started_at).as_secs();
        (6..25).contains(&age)
    });
    assert_eq!(sent_while_away.count(), 0, "no order leaves while nobody knows");
}

#[tokio::test(flavor = "current_thread")]
async fn a_word_that_stays_away_between_sells_and_buys_leaves_them_to_a_resume() {
    let stage = slow_flip().await;
    let away = async {
        stage.world.clock().sleep(Duration::from_secs(5)).await;
        stage.shelf.hides(CONTROL);
    };
    let (told, ()) = tokio::join!(stage.run(), away);
    assert_eq!(told.errors()[0], "CRITICAL control-unreadable");
    assert_eq!(stage.record(), None, "the day is not over");
    assert_eq!(told.outcomes(), ["sell BIL 490 of 490", "sell SPY 0 of 98"], "told all the same");
    stage.shelf.shows();
    stage.world.advance(Duration::from_mins(4));
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!(told.verdict(), Verdict::Done, "{:?}", told.report().summary);
    assert_eq!(told.sleeves(), "a: GLD 244.98775, QQQ 122.493875");
}

#[tokio::test(flavor = "current_thread")]
async fn code_that_did_not_make_the_plan_only_settles_it() {
    let stage = Stage::furnished(|world| world.fills(Fills::plain()));
    let mut stage = stage.plays("a", "1", "SPY 0.5, BIL 0.5");
    for request in 1..60 {
        assert!(killed_at(&stage, request, Cut::After).await.is_none(), "an order works by then");
        if !stage.orders().is_empty() {
            break;
        }
        stage.world.advance(LEASE_OVER);
        stage.shelf.lose("runs/");
        stage.schedules(stage.world.now());
    }
    let orders = stage.orders().len();
    stage.runs_code("0.2.0");
    stage.world.advance(LEASE_OVER);
    let told = stage.invoke(RunAction::Resume).await;
    assert!(told.errors().contains(&"CRITICAL code-changed".to_owned()), "{:?}", told.errors());
    assert!(told.is_kept(), "recorded and told");
    assert_eq!(stage.orders().len(), orders, "no order beyond those that were out");
    assert!(stage.orders().iter().all(|order| !order.contains(" new ")), "{:?}", stage.orders());
}

/// A run that sends nothing twice.
fn careful() -> Stage {
    stage().rule("submit_mode = \"at-most-once\"")
}

/// The way to the exchange is cut before the first order arrives.
fn lose_the_first_order(stage: &Stage) {
    let on = On::new(Method::Post, "/v2/orders").containing("SPY");
    stage.world.fault(Fault::request(on, Trouble::NoAnswer { effect: Effect::None }));
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_that_was_lost_goes_out_again_only_where_ids_are_trusted() {
    let trusting = stage();
    lose_the_first_order(&trusting);
    assert_eq!(trusting.run().await.verdict(), Verdict::Done);

    let stage = careful();
    lose_the_first_order(&stage);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Unknown);
    assert_eq!(stage.orders(), ["buy BIL 490 #1 filled 490"]);
    assert_eq!(told.errors(), ["CRITICAL order-unknown", "TRADING order-not-filled"]);
    let intents = stage.shelf.keys("runs/").into_iter().filter(|key| key.contains("/intent/B/"));
    assert_eq!(intents.count(), 2, "each order had its intent");
}

#[tokio::test(flavor = "current_thread")]
async fn an_intent_that_another_invocation_wrote_is_never_sent() {
    let twin = careful();
    twin.run().await;
    let count = i64::try_from(twin.world.requests()).unwrap();
    for cut in [Cut::Before, Cut::After] {
        for request in 1..=count {
            let stage = careful();
            assert!(killed_at(&stage, request, cut).await.is_none(), "{request} of {count}");
            let intents =
                || stage.shelf.keys("runs/").iter().filter(|k| k.contains("/intent/")).count();
            stage.world.advance(LEASE_OVER); // what had left arrives, whoever sent it
            let (before, orders) = (intents(), stage.orders().len());
            let told = stage.run().await;
            let fresh = intents() - before;
            assert_eq!(stage.orders().len(), orders + fresh, "{cut:?} {request}: one order each");
            let good = [Verdict::Done, Verdict::Unknown].contains(&told.verdict());
            assert!(good, "{cut:?} {request}: {:?}", told.report().summary);
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn without_its_intent_on_record_no_order_leaves() {
    let stage = careful();
    stage.shelf.denies("/intent/");
    let told = stage.run().await;
    assert_eq!((told.verdict(), stage.orders().len()), (Verdict::Failed, 0));
    assert!(
        told.errors().contains(&"CONFIGURATION store-denied".to_owned()),
        "{:?}",
        told.errors()
    );
}

/// An operator's instruction, as the command line writes it.
fn instructs(stage: &Stage, id: &str, what: &str) {
    let text = format!(
        r#"{{"id":"{id}","at":"2026-11-20T20:00:00Z","who":"ann","reason":"a test","what":{what}}}"#
    );
    stage.shelf.lay(&format!("control/paper/main/instructions/{id}.json"), &text);
}

#[tokio::test(flavor = "current_thread")]
async fn assigned_shares_are_held_for_a_run_and_then_traded_and_booked_once() {
    let stage = Stage::furnished(|world| world.position("GLD", "10"));
    let mut stage = stage.rule("adopt = false").plays("a", "1", "SPY 0.5, BIL 0.5");
    let told = stage.run().await;
    assert!(told.sleeves().contains("foreign: GLD 10"), "{}", told.sleeves());
    stage.next_session();
    let assign = r#"{"kind":"assign","strategy":"a","symbol":"GLD","shares":"4"}"#;
    instructs(&stage, "20261120T200000", assign);
    let told = stage.run().await;
    assert!(told.sleeves().contains("GLD 4") && told.sleeves().ends_with("foreign: GLD 6"));
    assert!(told.incidents().contains(&"WARNING instruction-booked".to_owned()));
    assert_eq!(stage.orders_today(), [""; 0], "the sleeve is held");
    stage.next_session();
    let told = stage.run().await;
    assert!(stage.orders_today()[0].starts_with("sell GLD 4 "), "{:?}", stage.orders_today());
    assert!(told.sleeves().ends_with("foreign: GLD 6"), "{}", told.sleeves());
    stage.next_session();
    let told = stage.run().await;
    assert!(told.sleeves().ends_with("foreign: GLD 6"), "not booked again: {}", told.sleeves());
    instructs(&stage, "20261125T200000", r#"{"kind":"release","strategy":"a"}"#);
    stage.next_session();
    let told = stage.run().await;
    assert!(told.sleeves().starts_with("foreign: BIL"), "{}", told.sleeves());
    assert_eq!(stage.orders_today(), [""; 0]);
}

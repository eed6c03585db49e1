//! Limits that hold for a run and not for a process, and what the report says of their use.

use std::sync::Arc;

use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::faults::{Effect, Fault, On, Trouble};

use crate::cut::{Cut, LEASE_OVER, killed_at};
use crate::stage::Stage;
use crate::told::Told;

/// Five buys, of which the broker refuses some.
fn refusing(symbols: &[&str]) -> Stage {
    let stage = Stage::new().plays("a", "1", "SPY 0.2, BIL 0.2, QQQ 0.2, GLD 0.2, TLT 0.2");
    for symbol in symbols {
        let on = On::new(Method::Post, "/v2/orders").containing(symbol);
        let trouble = Trouble::Status { status: 422, effect: Effect::None };
        stage.world.fault(Fault::request(on, trouble));
    }
    stage
}

fn used(told: &Told, limit: &str) -> String {
    let lines = told.report().limits.iter().filter(|line| line.limit == limit);
    lines.map(|line| format!("{} of {}", line.used, line.allowed)).collect::<Vec<_>>().join("; ")
}

#[tokio::test(flavor = "current_thread")]
async fn refusals_before_a_resume_count_in_it_and_are_not_asked_for_again() {
    let stage = refusing(&["BIL", "GLD"]);
    let count = i64::try_from({
        let twin = refusing(&["BIL", "GLD"]);
        twin.run().await;
        twin.world.requests()
    });
    let mut resumed = 0;
    for request in 10..count.unwrap() {
        let stage = refusing(&["BIL", "GLD"]);
        assert!(killed_at(&stage, request, Cut::After).await.is_none());
        let before = stage.shelf.keys("runs/paper/main/2026-11-20/open/g0/refused/").len();
        stage.world.advance(LEASE_OVER);
        let told = stage.invoke(RunAction::Resume).await;
        if before == 2 {
            resumed += 1;
            assert_eq!(used(&told, "limits.rejections_max"), "2 of 3", "request {request}");
            assert_eq!(told.verdict(), Verdict::Partial, "request {request}");
            let refused = ["BIL", "GLD"].map(|symbol| stage.orders().join(",").contains(symbol));
            assert_eq!(refused, [false; 2], "request {request}: not asked again");
        }
    }
    assert!(resumed > 2, "{resumed}");
    assert_eq!(stage.orders(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_that_had_its_refusals_sends_nothing_when_it_is_resumed() {
    let stage = refusing(&["BIL", "GLD", "QQQ"]);
    stage.shelf.denies("final.json");
    let told = stage.run().await;
    assert!(told.errors().contains(&"CRITICAL many-rejections".to_owned()), "{:?}", told.errors());
    stage.shelf.denies("nothing");
    stage.shelf.lose("runs/paper/main/2026-11-20/open/g0/buys.json");
    let orders = stage.orders();
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!(stage.orders(), orders);
    assert_eq!(used(&told, "limits.rejections_max"), "3 of 3");
    assert!(told.errors().contains(&"CRITICAL many-rejections".to_owned()), "{:?}", told.errors());
}

#[tokio::test(flavor = "current_thread")]
async fn sends_and_cancels_of_an_earlier_invocation_are_counted() {
    let stage = Stage::new().plays("a", "1", "SPY");
    stage.troubles("SPY", 2, alchemiser::simulator::exchange::OrderTrouble::NeverFilled);
    stage.shelf.denies("final.json");
    stage.run().await;
    stage.shelf.denies("nothing");
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(used(&told, "attempts"), "3 of 4");
    assert_eq!(used(&told, "writes"), "5 of 18", "three sends and two cancels");
}

#[tokio::test(flavor = "current_thread")]
async fn a_broker_that_loses_every_order_is_not_asked_for_ever() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    let on = On::new(Method::Post, "/v2/orders").always();
    stage.world.fault(Fault::request(on, Trouble::NoAnswer { effect: Effect::None }));
    let told = stage.run().await;
    let sent: u32 = used(&told, "writes").split(' ').next().unwrap().parse().unwrap();
    assert!((4..=26).contains(&sent), "{sent}");
    assert_eq!(told.verdict(), Verdict::Unknown);
    assert_eq!(stage.orders(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn positions_that_look_as_if_yesterday_had_not_been_send_nothing_again() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    stage.next_session();
    for (path, stale) in [("/v2/positions", "[]"), ("/v2/orders", "[]")] {
        let yesterday = Arc::new(move |_| stale.to_owned());
        let on = On::new(Method::Get, path).always();
        stage.world.fault(Fault::request(on, Trouble::Rewrite(yesterday)));
    }
    let told = stage.run().await;
    assert_eq!(told.errors(), ["CRITICAL position-mismatch"]);
    assert_eq!(stage.orders_today(), [""; 0]);
}

//! What the wire does to a run: lost answers, refusals to talk, outages.

use std::time::Duration;

use alchemiser::domain::report::Verdict;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::exchange::OrderTrouble;
use alchemiser::simulator::faults::{Effect, Fault, On, Trouble};

use crate::stage::Stage;

const BOUGHT: [&str; 2] = ["buy BIL 490 #1 filled 490", "buy SPY 98 #1 filled 98"];

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

fn post() -> On {
    On::new(Method::Post, "/v2/orders").containing("SPY")
}

async fn buys_once(fault: Fault) -> Stage {
    let stage = stage();
    let what = format!("{fault:?}");
    stage.world.fault(fault);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done, "{what}");
    let mut orders = stage.orders();
    orders.sort();
    assert_eq!(orders, BOUGHT, "{what}");
    assert_eq!(stage.account(), "BIL 490, SPY 98, $2000", "{what}");
    stage
}

#[tokio::test(flavor = "current_thread")]
async fn a_lost_answer_to_an_order_does_not_send_it_twice() {
    for effect in [Effect::Done, Effect::None] {
        for trouble in [
            Trouble::Status { status: 500, effect },
            Trouble::Status { status: 504, effect },
            Trouble::Html { status: 502, effect },
        ] {
            buys_once(Fault::request(post(), trouble)).await;
        }
    }
    for trouble in [Trouble::CutShort, Trouble::Garbled, Trouble::NoConnection] {
        buys_once(Fault::request(post(), trouble)).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_waited_for_in_vain_costs_an_attempt_and_no_share_too_many() {
    for effect in [Effect::Done, Effect::None] {
        let stage = stage();
        stage.world.fault(Fault::request(post(), Trouble::NoAnswer { effect }));
        let told = stage.run().await;
        assert_eq!(told.verdict(), Verdict::Done, "{effect:?}");
        let spy: Vec<String> = stage.orders().into_iter().filter(|o| o.contains("SPY")).collect();
        let lost = ["buy SPY 98 #1 canceled 0", "buy SPY 98 #2 filled 98"];
        let expected = match effect {
            Effect::Done => vec!["buy SPY 98 #1 filled 98"],
            Effect::None => lost.to_vec(),
        };
        assert_eq!(spy, expected, "{effect:?}");
        assert_eq!(told.sleeves(), "a: BIL 490, SPY 98", "{effect:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_that_look_ups_do_not_see_yet_is_not_sent_twice() {
    let stage = stage();
    let trouble = Trouble::NoAnswer { effect: Effect::Done };
    stage.world.fault(Fault::request(post(), trouble));
    stage.troubles("SPY", 1, OrderTrouble::Hidden { lookups: 3 });
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.orders(), BOUGHT);
}

#[tokio::test(flavor = "current_thread")]
async fn too_many_requests_makes_an_order_wait_and_go_out_once() {
    let wait = Duration::from_secs(5);
    let stage = buys_once(Fault::request(post(), Trouble::TooMany { wait })).await;
    let spy = stage.world.orders().into_iter().find(|o| o.symbol().as_str() == "SPY").unwrap();
    let bil = stage.world.orders().into_iter().find(|o| o.symbol().as_str() == "BIL").unwrap();
    assert!(spy.created_at.duration_since(bil.created_at).as_secs() >= 4, "it waited");
}

#[tokio::test(flavor = "current_thread")]
async fn a_read_that_fails_for_a_moment_is_asked_again() {
    let wait = Duration::from_secs(2);
    for path in [
        "/v2/clock",
        "/v2/calendar*",
        "/v2/account",
        "/v2/positions",
        "/v2/orders*",
        "/v2/account/activities*",
        "/v2/stocks/bars*",
        "/v2/stocks/quotes/latest*",
        "/v2/assets*",
    ] {
        for trouble in [
            Trouble::TooMany { wait },
            Trouble::NoAnswer { effect: Effect::None },
            Trouble::Html { status: 502, effect: Effect::None },
            Trouble::CutShort,
        ] {
            buys_once(Fault::request(On::new(Method::Get, path), trouble)).await;
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn slow_answers_only_take_time() {
    let on = On::any("/v2/*").always();
    buys_once(Fault::request(on, Trouble::Slow(Duration::from_millis(800)))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn positions_and_cash_that_lag_behind_fills_are_waited_for() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ 0.5, GLD 0.5");
    stage.world.fault(Fault::ReadsLag(Duration::from_secs(2)));
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(told.incidents(), [""; 0]);
    assert_eq!(stage.account(), "GLD 245, QQQ 122.5, $2000");
}

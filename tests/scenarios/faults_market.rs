//! Markets that are not as the calendar says, and prices that are not as they were.

use std::sync::Arc;
use std::time::Duration;

use alchemiser::domain::report::Verdict;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::exchange::OrderTrouble;
use alchemiser::simulator::faults::{Fault, On, Trouble};
use alchemiser::simulator::market::Split;
use serde_json::Value;

use crate::stage::Stage;

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

fn rewriting(path: &str, change: impl Fn(String) -> String + Send + Sync + 'static) -> Fault {
    let on = On::new(Method::Get, path).always();
    Fault::request(on, Trouble::Rewrite(Arc::new(change)))
}

#[tokio::test(flavor = "current_thread")]
async fn a_clock_that_says_closed_on_a_day_of_the_calendar_keeps_the_run_from_trading() {
    let stage = stage();
    let closed = |body: String| body.replace("\"is_open\":true", "\"is_open\":false");
    stage.world.fault(rewriting("/v2/clock", closed));
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Blocked);
    assert_eq!(told.errors(), ["CRITICAL clock-calendar"]);
    assert_eq!(stage.orders(), [""; 0]);
}

/// Changes the calendar's line of the run's day; `None` takes it out.
fn calendar_says(change: fn(Value) -> Option<Value>) -> Fault {
    rewriting("/v2/calendar", move |body| {
        let days: Vec<Value> = serde_json::from_str(&body).unwrap();
        let of = |day: Value| if day["date"] == "2026-11-20" { change(day) } else { Some(day) };
        Value::Array(days.into_iter().filter_map(of).collect()).to_string()
    })
}

#[tokio::test(flavor = "current_thread")]
async fn a_clock_that_says_open_when_the_calendar_says_closed_is_critical_and_trades_nothing() {
    let no_day = |_| None;
    let over_since_a_moment = |mut day: Value| {
        day["close"] = "09:32".into();
        Some(day)
    };
    for (calendar, said) in [
        (calendar_says(no_day), "the exchange is closed on 2026-11-20"),
        (
            calendar_says(over_since_a_moment),
            "the session of 2026-11-20 closed at 2026-11-20T14:32:00Z",
        ),
    ] {
        let stage = stage();
        stage.world.fault(calendar);
        let told = stage.run().await;
        assert_eq!(told.verdict(), Verdict::Blocked, "{said}");
        assert_eq!(told.errors(), ["CRITICAL clock-calendar"], "{said}");
        let what = &told.report().summary;
        assert_eq!(*what, format!("the broker's clock says open, its calendar says {said}"));
        assert_eq!(stage.orders(), [""; 0], "{said}");
        assert_eq!(stage.post.subjects().len(), 1, "{said}");
        assert!(told.is_kept(), "{said}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_market_that_is_halted_as_a_whole_in_mid_run_costs_only_the_buys() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ 0.5, GLD 0.5");
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled); // the sells take ten seconds
    let breaker = async {
        stage.world.clock().sleep(Duration::from_secs(5)).await;
        for symbol in ["SPY", "BIL", "QQQ", "GLD", "TLT"] {
            stage.world.halt(symbol);
        }
        stage.world.clock().sleep(Duration::from_millis(1)).await;
    };
    let (told, ()) = tokio::join!(stage.run(), breaker);
    assert!(!told.verdict().is_good(), "{:?}", told.incidents());
    assert!(told.is_kept());
    for symbol in ["SPY", "BIL", "QQQ", "GLD", "TLT"] {
        stage.world.resume(symbol);
    }
    stage.next_session();
    let told = stage.run().await;
    assert!(told.verdict().is_good(), "{:?}", told.incidents());
    assert!(told.sleeves().contains("GLD") && told.sleeves().contains("QQQ"), "{}", told.sleeves());
}

#[tokio::test(flavor = "current_thread")]
async fn the_days_on_which_clocks_change_are_traded_once_at_their_own_hour() {
    // The Mondays after; in UTC the hour is another than on the Friday before.
    for (friday, monday, hour) in [
        ("2026-03-06T14:35:00Z", "2026-03-09", "13:35:00Z"),
        ("2026-10-30T13:35:00Z", "2026-11-02", "14:35:00Z"),
    ] {
        let mut stage =
            Stage::furnished(|world| world.at(friday)).plays("a", "1", "SPY 0.5, BIL 0.5");
        assert_eq!(stage.run().await.verdict(), Verdict::Done, "{friday}");
        stage.next_session();
        assert!(stage.world.now().to_string().ends_with(hour), "{}", stage.world.now());
        let told = stage.run().await;
        assert_eq!(told.report().key.session.to_string(), monday);
        assert_eq!(told.verdict(), Verdict::NothingToDo, "{monday}: {:?}", told.incidents());
        assert!(stage.run().await.is_repeated());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_split_that_the_position_does_not_show_yet_blocks_its_symbol_alone() {
    let mut stage = Stage::new().plays("a", "0.5", "SPY").plays("b", "0.5", "BIL");
    stage.run().await;
    stage.next_session();
    let now = stage.world.now();
    let split = Split { new: 10, old: 1, at: now, bars_at: now, announced: true };
    stage.world.split_market("SPY", split);
    stage.wants("a", "GLD");
    stage.wants("b", "TLT");
    let told = stage.run().await;
    let orders = stage.orders_today();
    assert!(orders.iter().all(|line| !line.contains("SPY")), "{orders:?}");
    assert!(!told.incidents().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_price_that_leaves_the_collar_before_the_order_is_not_chased() {
    for price in ["600", "420"] {
        let stage = stage();
        let flags = On::new(Method::Get, "/v2/assets/SPY"); // asked for once the plan is drawn
        stage.world.fault(Fault::request(flags, Trouble::Slow(Duration::from_secs(4))));
        let jump = async {
            stage.world.clock().sleep(Duration::from_secs(2)).await;
            stage.world.set_price("SPY", price);
            stage.world.clock().sleep(Duration::from_millis(1)).await;
        };
        let (told, ()) = tokio::join!(stage.run(), jump);
        let worst = told.report().plan.as_ref().unwrap();
        let item = worst.items.iter().find(|item| item.symbol.as_str() == "SPY").unwrap();
        let spent = stage.world.min_cash_seen();
        assert!(spent >= 0.into(), "{price}: {spent}");
        let bid = stage.world.orders().into_iter().filter(|o| o.symbol() == &item.symbol);
        for order in bid {
            let limit = order.asked.kind.limit().unwrap();
            assert!(limit <= "515".parse().unwrap(), "{price}: {limit}");
        }
    }
}

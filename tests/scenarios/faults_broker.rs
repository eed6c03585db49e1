//! A broker whose answers are wrong in ways that no refusal and no lost answer is.

use std::sync::Arc;
use std::time::Duration;

use alchemiser::domain::order::Side;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::exchange::{Fills, OrderTrouble};
use alchemiser::simulator::faults::{Effect, Fault, On, Trouble};
use serde_json::Value;

use crate::cut::{Cut, LEASE_OVER, killed_at};
use crate::stage::Stage;

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

/// Changes the orders of a symbol wherever the broker shows them.
fn showing(symbol: &'static str, change: impl Fn(&mut Value) + Send + Sync + 'static) -> Fault {
    let rewrite = move |body: String| {
        let Ok(mut shown) = serde_json::from_str::<Value>(&body) else { return body };
        let orders: Vec<&mut Value> = if shown.is_array() {
            shown.as_array_mut().into_iter().flatten().collect()
        } else {
            vec![&mut shown]
        };
        for order in orders.into_iter().filter(|order| order["symbol"] == symbol) {
            change(order);
        }
        shown.to_string()
    };
    let on = On::new(Method::Get, "/v2/orders*").always();
    Fault::request(on, Trouble::Rewrite(Arc::new(rewrite)))
}

/// A run that died with its orders at the exchange, taken up when they have ended.
async fn taken_up(fault: Fault) -> (Stage, crate::told::Told) {
    let stage = stage();
    let twin = self::stage();
    twin.run().await;
    let requests = i64::try_from(twin.world.requests()).unwrap();
    killed_at(&stage, requests, Cut::Before).await;
    assert_eq!(stage.orders().len(), 2);
    stage.world.advance(LEASE_OVER);
    stage.world.fault(fault);
    let told = stage.invoke(RunAction::Resume).await;
    (stage, told)
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_under_our_name_that_is_not_ours_stops_everything() {
    for (field, other) in [("side", "sell"), ("qty", "99")] {
        let change = move |order: &mut Value| order[field] = other.into();
        let (stage, told) = taken_up(showing("SPY", change)).await;
        let errors = told.errors();
        let said = "CRITICAL adopted-order-differs".to_owned();
        assert!(errors.contains(&said), "{field}: {errors:?}");
        assert_eq!(stage.orders().len(), 2, "{field}: nothing more is sent");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn more_shares_executed_than_were_ordered_stop_everything() {
    let change = |order: &mut Value| order["filled_qty"] = "980".into();
    let (stage, told) = taken_up(showing("SPY", change)).await;
    let said = "CRITICAL adopted-order-differs".to_owned();
    assert!(told.errors().contains(&said), "{:?}", told.errors());
    assert_eq!(stage.orders().len(), 2);
}

/// The broker tells another price of every execution of a symbol.
fn pricing(symbol: &'static str, price: &'static str) -> Fault {
    showing(symbol, move |order| {
        if !order["filled_avg_price"].is_null() {
            order["filled_avg_price"] = price.into();
        }
    })
}

#[tokio::test(flavor = "current_thread")]
async fn a_sale_at_a_price_beyond_reason_is_critical_and_nothing_is_bought() {
    for (price, fault) in [("450", "beyond its limit of"), ("640", "over 25% away from")] {
        let mut stage = stage();
        stage.run().await;
        stage.next_session();
        stage.wants("a", "QQQ 0.5, GLD 0.5");
        stage.world.fault(pricing("SPY", price));
        let told = stage.run().await;
        let said = &told.report().incidents[0];
        assert_eq!((said.category.as_str(), said.code.as_str()), ("CRITICAL", "fill-price"));
        assert!(said.what.starts_with("sell 98 by al1-P-"), "{}", said.what);
        assert!(said.what.contains(&format!("at {price}, {fault} 5")), "{}", said.what);
        let orders = stage.orders_today();
        assert_eq!(orders, ["sell BIL 490 #1 filled 490", "sell SPY 98 #1 filled 98"], "{price}");
        assert_eq!(told.sleeves(), "", "what was executed is booked all the same");
        let times = told.errors().into_iter().filter(|e| e.contains("fill-price")).count();
        assert_eq!(times, 1, "{price}: said once, however often it is shown");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_purchase_at_a_price_beyond_reason_is_critical_and_its_rest_is_not_sent() {
    for price in ["510", "370"] {
        let stage = stage();
        stage.troubles("SPY", 1, OrderTrouble::PartialThenStop { part: "0.5".parse().unwrap() });
        stage.world.fault(pricing("SPY", price));
        let told = stage.run().await;
        assert!(
            told.errors().contains(&"CRITICAL fill-price".to_owned()),
            "{price}: {:?}",
            told.errors()
        );
        assert_ne!(told.verdict(), Verdict::Done, "{price}");
        let spy: Vec<String> = stage.orders().into_iter().filter(|o| o.contains("SPY")).collect();
        assert_eq!(spy, ["buy SPY 98 #1 canceled 49"], "{price}");
        assert_eq!(stage.world.position("SPY"), 49.into());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_that_vanishes_is_unknown_and_never_sent_under_another_name() {
    let stage = Stage::furnished(|world| world.fills(Fills::plain()));
    let mut stage = stage.plays("a", "1", "SPY 0.5, BIL 0.5");
    let vanish = |body: String| {
        let Ok(Value::Array(mut orders)) = serde_json::from_str(&body) else { return body };
        orders.retain(|order| order["symbol"] != "SPY");
        Value::Array(orders).to_string()
    };
    let lists = On::new(Method::Get, "/v2/orders").always();
    stage.world.fault(Fault::request(lists, Trouble::Rewrite(Arc::new(vanish))));
    let by_name = On::new(Method::Get, "/v2/orders:by_client_order_id").containing("SPY").always();
    let body = Trouble::Status { status: 404, effect: Effect::None };
    stage.world.fault(Fault::request(by_name, body));
    stage.troubles("SPY", 1, OrderTrouble::CancelStuck);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Unknown, "{:?}", told.incidents());
    let spy: Vec<String> = stage.orders().into_iter().filter(|o| o.contains("SPY")).collect();
    assert_eq!(spy.len(), 1, "{spy:?}");
    stage.world.clear_faults();
    stage.next_session();
    let told = stage.run().await;
    assert!(told.verdict().is_good(), "{:?}", told.incidents());
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_that_is_never_acknowledged_is_cancelled_and_sent_anew() {
    let stage = stage();
    stage.troubles("SPY", 1, OrderTrouble::Frozen);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    let spy: Vec<String> = stage.orders().into_iter().filter(|o| o.contains("SPY")).collect();
    assert_eq!(spy, ["buy SPY 98 #1 canceled 0", "buy SPY 98 #2 filled 98"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_list_that_leaves_out_an_order_or_shows_it_twice_changes_nothing() {
    for times in [0, 2] {
        let stage = stage();
        let change = move |body: String| {
            let Ok(Value::Array(orders)) = serde_json::from_str(&body) else { return body };
            let of = |order: &Value| if order["symbol"] == "SPY" { times } else { 1 };
            let shown = orders.iter().flat_map(|o| std::iter::repeat_n(o.clone(), of(o)));
            Value::Array(shown.collect()).to_string()
        };
        let on = On::new(Method::Get, "/v2/orders").after(2).times(3); // the run's first looks
        stage.world.fault(Fault::request(on, Trouble::Rewrite(Arc::new(change))));
        let told = stage.run().await;
        assert_eq!(told.verdict(), Verdict::Done, "{times}: {:?}", told.incidents());
        assert_eq!(stage.account(), "BIL 490, SPY 98, $2000", "{times}");
        assert_eq!(stage.orders().len(), 2, "{times}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_that_a_person_cancels_goes_out_again_at_most_to_the_end_of_the_ladder() {
    let stage = Stage::furnished(|world| world.fills(Fills::plain()));
    let stage = stage.plays("a", "1", "SPY");
    stage.troubles("SPY", u32::MAX, OrderTrouble::NeverFilled);
    let person = async {
        for _ in 0..60 {
            stage.world.clock().sleep(Duration::from_secs(1)).await;
            let open = stage.world.orders().into_iter().find(|order| order.status.is_open());
            if let Some(open) = open {
                stage.cancels_by_hand(&open.id).await;
            }
        }
    };
    let (told, ()) = tokio::join!(stage.run(), person);
    assert_eq!(stage.orders().len(), 4, "{:?}", stage.orders());
    assert_eq!(told.verdict(), Verdict::Failed);
    assert!(told.errors().contains(&"TRADING order-not-filled".to_owned()), "{:?}", told.errors());
}

#[tokio::test(flavor = "current_thread")]
async fn an_execution_that_is_taken_back_later_stops_the_next_run() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    let bust = |body: String| body.replace("\"98\"", "\"90\"");
    let on = On::new(Method::Get, "/v2/positions").always();
    stage.world.fault(Fault::request(on, Trouble::Rewrite(Arc::new(bust))));
    stage.wants("a", "GLD");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Blocked);
    assert!(
        told.errors().contains(&"CRITICAL position-mismatch".to_owned()),
        "{:?}",
        told.errors()
    );
    assert_eq!(stage.orders_today(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_person_who_trades_another_symbol_in_mid_run_keeps_what_is_theirs() {
    let stage = stage();
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
    let person = async {
        stage.world.clock().sleep(Duration::from_secs(5)).await;
        stage.world.trade_by_hand("TLT", Side::Buy, "3").unwrap();
        stage.world.clock().sleep(Duration::from_millis(1)).await;
    };
    let (told, ()) = tokio::join!(stage.run(), person);
    assert_eq!(stage.world.position("TLT"), 3.into());
    assert!(!told.sleeves().contains("a: BIL 490, SPY 98, TLT"), "{}", told.sleeves());
    let mut stage = stage;
    stage.next_session();
    let told = stage.run().await;
    assert_eq!(told.sleeves().split(" | ").last(), Some("foreign: TLT 3"));
    assert_eq!(stage.orders_today(), [""; 0], "{:?}", told.incidents());
}

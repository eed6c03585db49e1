//! What a program in the world sees: one account, one time, faults as they were set.

use std::task::Poll;

use serde_json::{Value, json};

use super::*;
use crate::application::ports::Wake;
use crate::infrastructure::http::{Host, Method, TransportError};
use crate::simulator::exchange::{Fills, OrderTrouble, Status};
use crate::simulator::faults::{Effect, On, StreamTrouble, Trouble};

fn request(method: Method, target: &str, body: &Value) -> Request {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let headers =
        vec![("apca-api-key-id", "PK".to_owned()), ("apca-api-secret-key", "secret".to_owned())];
    let (host, timeout) = (Host::Trading, Duration::from_secs(5));
    Request { method, host, target: target.to_owned(), headers, body, timeout }
}

async fn send(world: &World, method: Method, target: &str, body: Value) -> (u16, Value) {
    let answer = world.transport().carry(request(method, target, &body)).await.unwrap();
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
}

fn buy(symbol: &str, qty: &str, limit: &str, id: &str) -> Value {
    json!({"symbol": symbol, "qty": qty, "side": "buy", "type": "limit", "limit_price": limit,
        "time_in_force": "day", "client_order_id": id})
}

fn world() -> World {
    World::builder().price("SPY", "600").fills(Fills::plain()).build()
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[tokio::test]
async fn a_buy_is_pending_first_and_filled_a_moment_later() {
    let world = world();
    let order = buy("SPY", "10", "601", "a");
    let (status, answer) = send(&world, Method::Post, "/v2/orders", order).await;
    assert_eq!((status, answer["status"].as_str().unwrap()), (200, "pending_new"));
    world.clock().sleep(seconds(1)).await;
    let target = "/v2/orders:by_client_order_id?client_order_id=a";
    let (_, answer) = send(&world, Method::Get, target, Value::Null).await;
    assert_eq!(answer["status"], "filled");
    assert_eq!(answer["filled_avg_price"], "600.12", "at the touch, not at the limit");
    assert_eq!((world.cash(), world.position("SPY")), ("93998.8".parse().unwrap(), 10.into()));
}

#[tokio::test]
async fn time_moves_only_when_somebody_waits() {
    let world = world();
    let start = world.now();
    send(&world, Method::Get, "/v2/clock", Value::Null).await;
    assert_eq!(world.now().duration_since(start).as_millis(), 10, "a round trip");
    world.clock().sleep(seconds(60)).await;
    assert_eq!(world.now().duration_since(start).as_millis(), 60_010);
}

#[tokio::test]
async fn waits_side_by_side_overlap() {
    let world = world();
    let (start, clock) = (world.now(), world.clock());
    let twice = async {
        clock.sleep(seconds(3)).await;
        clock.sleep(seconds(3)).await;
        assert_eq!(world.now().duration_since(start).as_secs(), 6);
    };
    tokio::join!(clock.sleep(seconds(7)), twice, clock.sleep(seconds(10)));
    assert_eq!(world.now().duration_since(start).as_secs(), 10);
}

#[tokio::test]
async fn a_time_limit_does_not_outrun_the_work_beside_it() {
    let world = world();
    let clock = world.clock();
    let work = async {
        for _ in 0..50 {
            send(&world, Method::Get, "/v2/clock", Value::Null).await;
        }
    };
    tokio::select! {
        biased;
        () = clock.sleep(seconds(1)) => panic!("50 round trips of 10 ms fit into a second"),
        () = work => {}
    }
    assert!(world.with(|state| state.waits.is_empty()), "a dropped wait is forgotten");
}

#[tokio::test]
async fn a_sleeper_that_nobody_polls_does_not_stop_time() {
    let world = world();
    let (start, clock) = (world.now(), world.clock());
    let mut limit = clock.sleep(seconds(1));
    let once = std::future::poll_fn(|context| Poll::Ready(limit.as_mut().poll(context))).await;
    assert!(once.is_pending());
    clock.sleep(seconds(5)).await;
    assert_eq!(world.now().duration_since(start).as_secs(), 5);
    limit.await;
    assert_eq!(world.now().duration_since(start).as_secs(), 5, "it was over long ago");
}

#[tokio::test]
async fn days_pass_from_close_to_close() {
    let world = World::builder()
        .closes("SPY", &[600.0, 610.0])
        .position("SPY", "10")
        .cash("1000")
        .last_equity("7000")
        .fills(Fills::plain())
        .build();
    let (_, account) = send(&world, Method::Get, "/v2/account", Value::Null).await;
    assert_eq!(
        (account["equity"].as_str(), account["last_equity"].as_str()),
        (Some("7100"), Some("7000"))
    );
    let next = *world.days().after("2026-11-20".parse().unwrap()).unwrap();
    world.advance_to(next.open);
    let (_, account) = send(&world, Method::Get, "/v2/account", Value::Null).await;
    assert_eq!(account["last_equity"], "7100", "the close of the session before");
    let day = "/v2/stocks/bars?symbols=SPY&timeframe=1Day&start=2026-11-18&feed=iex";
    let (_, bars) = send(&world, Method::Get, day, Value::Null).await;
    assert_eq!(bars["bars"]["SPY"].as_array().unwrap().len(), 2, "the closes given");
}

#[tokio::test]
async fn a_wait_on_the_stream_ends_with_the_message_and_not_later() {
    let world = world();
    let mut stream = world.updates().open().await.unwrap();
    send(&world, Method::Post, "/v2/orders", buy("SPY", "1", "601", "a")).await;
    let mut events = Vec::new();
    while stream.wait(seconds(30)).await == Wake::Message {
        events.push(world.now());
    }
    let named: Vec<&str> = world.with(|s| s.exchange.updates().iter().map(|u| u.event).collect());
    assert_eq!(named, ["pending_new", "new", "fill"]);
    assert_eq!(events.len(), 3);
    assert!(world.now().duration_since(events[2]).as_secs() == 30, "silence takes its time");
}

#[tokio::test]
async fn a_stream_can_be_refused_mute_or_cut() {
    let world = world();
    world.fault(Fault::Stream(StreamTrouble::Refused));
    assert!(world.updates().open().await.is_err());
    world.fault(Fault::Stream(StreamTrouble::Mute));
    let mut mute = world.updates().open().await.unwrap();
    world.fault(Fault::Stream(StreamTrouble::CutAfter(1)));
    let mut cut = world.updates().open().await.unwrap();
    send(&world, Method::Post, "/v2/orders", buy("SPY", "1", "601", "a")).await;
    assert_eq!(mute.wait(seconds(5)).await, Wake::Silence);
    assert_eq!(cut.wait(seconds(5)).await, Wake::Message);
    assert_eq!(cut.wait(seconds(5)).await, Wake::Lost);
}

#[tokio::test]
async fn a_lost_answer_may_leave_an_order_behind() {
    for (effect, orders) in [(Effect::Done, 1), (Effect::None, 0)] {
        let world = world();
        let start = world.now();
        let on = On::new(Method::Post, "/v2/orders");
        world.fault(Fault::request(on, Trouble::NoAnswer { effect }));
        let order = request(Method::Post, "/v2/orders", &buy("SPY", "1", "601", "a"));
        let lost = world.transport().carry(order).await;
        assert!(matches!(lost, Err(TransportError::NoAnswer(_))));
        assert_eq!(world.orders().len(), orders);
        assert_eq!(world.now().duration_since(start).as_secs(), 5, "the caller's time limit");
    }
}

#[tokio::test]
async fn scripted_answers_look_like_the_brokers() {
    let world = world();
    let strike = |trouble| world.fault(Fault::request(On::any("/v2/account"), trouble));
    let ask = || world.transport();
    let account = || request(Method::Get, "/v2/account", &Value::Null);
    strike(Trouble::TooMany { wait: seconds(30) });
    let answer = ask().carry(account()).await.unwrap();
    let reset: i64 = answer.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert_eq!((answer.status, reset - world.now().as_second()), (429, 30));
    strike(Trouble::Html { status: 502, effect: Effect::None });
    let answer = ask().carry(account()).await.unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (502, Some("text/html")));
    strike(Trouble::CutShort);
    let answer = ask().carry(account()).await.unwrap();
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    strike(Trouble::Slow(seconds(9)));
    assert!(ask().carry(account()).await.is_err(), "slower than the caller's limit");
    strike(Trouble::NoConnection);
    assert!(matches!(ask().carry(account()).await, Err(TransportError::NotSent(_))));
    strike(Trouble::Rewrite(Arc::new(|body| body.replace("ACTIVE", "FROZEN"))));
    let answer = ask().carry(account()).await.unwrap();
    assert!(String::from_utf8(answer.body).unwrap().contains("FROZEN"));
    assert_eq!(ask().carry(account()).await.unwrap().status, 200, "all spent");
}

#[tokio::test]
async fn a_refused_order_does_not_spend_an_order_fault() {
    let world = world();
    world.fault(Fault::next_order(OrderTrouble::RejectedLater));
    let (status, _) = send(&world, Method::Post, "/v2/orders", buy("NONE", "1", "1", "a")).await;
    assert_eq!(status, 422);
    send(&world, Method::Post, "/v2/orders", buy("SPY", "1", "601", "b")).await;
    world.advance(seconds(1));
    assert_eq!(world.orders()[0].status, Status::Rejected);
}

#[tokio::test]
async fn a_new_order_can_be_hidden_from_look_ups_for_a_while() {
    let world = world();
    world.fault(Fault::next_order(OrderTrouble::Hidden { lookups: 2 }));
    send(&world, Method::Post, "/v2/orders", buy("SPY", "1", "601", "a")).await;
    let target = "/v2/orders:by_client_order_id?client_order_id=a";
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(send(&world, Method::Get, target, Value::Null).await.0);
    }
    assert_eq!(seen, [404, 404, 200]);
}

#[tokio::test]
async fn account_and_positions_can_lag_behind_the_orders() {
    let world = world();
    world.fault(Fault::ReadsLag(seconds(5)));
    send(&world, Method::Post, "/v2/orders", buy("SPY", "10", "601", "a")).await;
    world.advance(seconds(2));
    assert_eq!(world.orders()[0].status, Status::Filled);
    let (_, account) = send(&world, Method::Get, "/v2/account", Value::Null).await;
    let (_, positions) = send(&world, Method::Get, "/v2/positions", Value::Null).await;
    assert_eq!(
        (account["cash"].as_str(), positions.as_array().unwrap().len()),
        (Some("100000"), 0)
    );
    world.advance(seconds(5));
    let (_, account) = send(&world, Method::Get, "/v2/account", Value::Null).await;
    assert_eq!(account["cash"], "93998.8");
}

async fn busy_run(seed: u64) -> u64 {
    let fills = Fills { inside_spread: 0.2, partial: 0.5, ..Fills::default() };
    let world = World::builder().price("SPY", "600").spread("SPY", "0.001").seed(seed);
    let world = world.fills(fills).build();
    for number in 0..20 {
        let order = buy("SPY", "3", "600.10", &format!("o{number}"));
        send(&world, Method::Post, "/v2/orders", order).await;
        world.clock().sleep(seconds(2)).await;
    }
    world.clock().sleep(seconds(600)).await;
    world.trace()
}

#[tokio::test]
async fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    assert_eq!(busy_run(3).await, busy_run(3).await);
    assert_ne!(busy_run(3).await, busy_run(4).await);
}

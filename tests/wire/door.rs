//! Retries, pace, budget, deadline and keys.

use std::time::Duration;

use alchemiser::application::ports::{Broker, BrokerError, CredentialsError, Freshness};
use alchemiser::domain::run::Mode;
use alchemiser::infrastructure::http::Response;

use crate::script::{
    FRESH_ID, FRESH_SECRET, KEY_ID, SECRET, World, fixture, no_answer, not_sent, ok, status,
};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::test]
async fn a_read_is_repeated_with_growing_waits_until_it_is_answered() {
    let world = World::new([
        status(503, "<html>maintenance</html>"),
        no_answer(),
        not_sent(),
        ok("{\"timestamp\":\"2026-11-20T"), // cut off in the middle
        ok(fixture("clock")),
    ]);
    let alpaca = world.alpaca();
    assert!(alpaca.clock().await.unwrap().is_open);
    assert_eq!(world.waits(), [ms(500), ms(1000), ms(2000), ms(4000)]);
    assert_eq!(alpaca.requests(), 5);
}

#[tokio::test]
async fn a_read_gives_up_after_five_tries() {
    let world = World::ruled(|_| status(500, r#"{"code":50010000,"message":"internal"}"#));
    let error = world.alpaca().clock().await.unwrap_err();
    assert_eq!(error, BrokerError::Unavailable("500 internal".to_owned()));
    assert_eq!(world.targets().len(), 5);
}

#[tokio::test]
async fn what_asking_again_cannot_change_is_not_asked_again() {
    for answer in [
        status(400, r#"{"message":"invalid"}"#),
        status(403, r#"{"message":"forbidden."}"#),
        status(404, r#"{"code":40410000,"message":"not found"}"#),
        status(422, r#"{"code":40010001,"message":"invalid"}"#),
        status(302, ""),
        ok(r#"{"is_open":true}"#), // lacks an essential
    ] {
        let world = World::new([answer]);
        assert!(world.alpaca().clock().await.is_err());
        assert_eq!((world.targets().len(), world.waits().len()), (1, 0));
    }
}

#[tokio::test]
async fn too_many_requests_are_waited_out_until_the_broker_says() {
    let slow = |reset: &str| {
        let headers = vec![("x-ratelimit-reset".to_owned(), reset.to_owned())];
        Ok(Response { status: 429, headers, body: Vec::new() })
    };
    // The script starts at 1795185300.
    for (reset, wait) in [
        ("1795185320", 21_000),
        ("1795185299", 500),    // already over
        ("1999999999", 65_000), // not for years
        ("soon", 500),
    ] {
        let world = World::new([slow(reset), ok(fixture("clock"))]);
        assert!(world.alpaca().clock().await.is_ok());
        assert_eq!(world.waits(), [ms(wait)], "{reset}");
    }
}

#[tokio::test]
async fn a_cancel_is_repeated_only_when_it_never_left() {
    let unsent = World::new([not_sent(), not_sent(), status(204, "")]);
    assert_eq!(unsent.alpaca().cancel("o1").await, Ok(()));
    for answer in [no_answer(), status(503, ""), status(504, "<html>"), status(429, "")] {
        let world = World::new([answer]);
        let error = world.alpaca().cancel("o1").await.unwrap_err();
        assert!(
            matches!(error, BrokerError::Ambiguous(_) | BrokerError::RateLimited { .. }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn nothing_is_waited_for_beyond_the_deadline() {
    let world = World::ruled(|_| status(503, ""));
    let alpaca = world.alpaca_until(Mode::Paper, Some("2026-11-20T14:35:02Z"));
    assert!(matches!(alpaca.clock().await, Err(BrokerError::Unavailable(_))));
    assert_eq!(world.waits(), [ms(500), ms(1000)]); // two more seconds would be too many
    assert_eq!(world.requests.lock().unwrap()[2].timeout, ms(500));
    let late = World::ruled(|_| panic!("nothing may be sent"));
    let alpaca = late.alpaca_until(Mode::Paper, Some("2026-11-20T14:35:00Z"));
    let error = alpaca.clock().await.unwrap_err();
    assert_eq!(error.to_string(), "broker unreachable: the run's time is over");
}

#[tokio::test]
async fn no_minute_sees_more_than_150_requests() {
    let world = World::ruled(|_| ok(fixture("clock")));
    let alpaca = world.alpaca();
    for _ in 0..150 {
        alpaca.clock().await.unwrap();
    }
    assert!(world.waits().is_empty());
    alpaca.clock().await.unwrap();
    assert_eq!(world.waits(), [ms(60_000)]);
    alpaca.clock().await.unwrap();
    assert_eq!(world.waits().len(), 1);
}

#[tokio::test]
async fn a_run_has_a_budget_of_requests() {
    let world = World::ruled(|_| ok(fixture("clock")));
    let alpaca = world.alpaca();
    for _ in 0..600 {
        alpaca.clock().await.unwrap();
    }
    let error = alpaca.clock().await.unwrap_err();
    let said = "the run's 600 requests are used up";
    assert_eq!(error, BrokerError::Unavailable(said.to_owned()));
    assert_eq!((alpaca.requests(), world.targets().len()), (600, 600));
}

#[tokio::test]
async fn rotated_keys_are_fetched_once_and_the_read_goes_on() {
    let world = World::new([
        status(401, "<html>401</html>"),
        ok(fixture("clock")),
        ok(fixture("clock")),
        status(401, r#"{"message":"unauthorized."}"#),
    ]);
    let alpaca = world.alpaca();
    assert!(alpaca.clock().await.is_ok());
    assert_eq!(
        (world.header(0, "apca-api-key-id"), world.header(0, "apca-api-secret-key")),
        (KEY_ID.to_owned(), SECRET.to_owned())
    );
    assert_eq!(
        (world.header(1, "apca-api-key-id"), world.header(1, "apca-api-secret-key")),
        (FRESH_ID.to_owned(), FRESH_SECRET.to_owned())
    );
    assert!(alpaca.clock().await.is_ok());
    assert_eq!(world.header(2, "apca-api-key-id"), FRESH_ID);
    assert!(matches!(alpaca.clock().await, Err(BrokerError::Unauthorised(_))));
    assert_eq!(*world.asked_for_keys.lock().unwrap(), [Freshness::Remembered, Freshness::Fresh]);
}

#[tokio::test]
async fn keys_that_did_not_change_are_not_tried_again() {
    let world = World::ruled(|_| status(401, "")).with_fresh(Ok((KEY_ID, SECRET)));
    let alpaca = world.alpaca();
    assert!(matches!(alpaca.clock().await, Err(BrokerError::Unauthorised(_))));
    assert!(matches!(alpaca.clock().await, Err(BrokerError::Unauthorised(_))));
    assert_eq!(world.targets().len(), 2);
}

#[tokio::test]
async fn a_source_of_keys_that_fails_says_so() {
    let gone = CredentialsError::Missing { name: "alchemiser/paper/main".to_owned() };
    let world = World::ruled(|_| status(401, "")).with_fresh(Err(gone.clone()));
    assert_eq!(world.alpaca().clock().await, Err(BrokerError::Credentials(gone)));
}

//! Pushes against a small server on a loopback port.

use std::time::Duration;

use alchemiser::application::ports::{Messenger, PushError};
use alchemiser::domain::incident::Category;
use alchemiser::domain::policy::{Channel, Policy, PushPolicy};
use alchemiser::domain::push::{Note, PUSH_VERSION};
use alchemiser::infrastructure::https::{Tls, Trust};
use alchemiser::infrastructure::push::PushSender;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Takes one request and gives one answer; an empty answer is none at all.
async fn server(answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let taken = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !is_whole(&request) {
            let mut piece = [0; 4096];
            match socket.read(&mut piece).await.unwrap() {
                0 => break,
                count => request.extend_from_slice(&piece[..count]),
            }
        }
        if answer.is_empty() {
            let _ = socket.read(&mut [0]).await; // until the other side hangs up
        }
        let _ = socket.write_all(answer.as_bytes()).await;
        String::from_utf8(request).unwrap()
    });
    (origin, taken)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| body.len() >= length.parse().unwrap())
}

fn policy(key: &str, address: &str) -> PushPolicy {
    Policy::parse(&format!("[push]\n{key} = \"{address}\"")).unwrap().push
}

fn note() -> Note {
    Note {
        version: PUSH_VERSION,
        run: "paper/main/2026-11-20/open/g0".to_owned(),
        verdict: Some("UNKNOWN ORDERS".to_owned()),
        category: Category::Critical,
        code: "order-unknown".to_owned(),
        what: "the end of a sale of ÄÖ was not seen".to_owned(),
        action: "Run `alchemiser resume`.".to_owned(),
    }
}

async fn pushed(policy: &PushPolicy) -> Result<(), PushError> {
    let channel: Channel<'_> = policy.channels().next().unwrap();
    PushSender::new(&Tls::new(Trust::Compiled)).push(channel, &note()).await
}

const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn a_topic_gets_a_text_with_title_priority_and_tag() {
    let (origin, taken) = server(GOOD).await;
    pushed(&policy("ntfy", &format!("{origin}/my-topic"))).await.unwrap();
    let request = taken.await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /my-topic HTTP/1.1\r\n"), "{head}");
    for header in [
        "title: CRITICAL order-unknown, paper/main/2026-11-20/open/g0",
        "priority: urgent",
        "tags: rotating_light",
    ] {
        assert!(head.lines().any(|line| line == header), "{head}");
    }
    let text = "the end of a sale of ÄÖ was not seen\nDo: Run `alchemiser resume`.\n\
                Verdict: UNKNOWN ORDERS";
    assert_eq!(body, text);
}

#[tokio::test]
async fn a_webhook_gets_a_document() {
    let (origin, taken) = server("HTTP/1.1 204 No Content\r\n\r\n").await;
    pushed(&policy("webhook", &format!("{origin}/hook?key=7"))).await.unwrap();
    let request = taken.await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hook?key=7 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    let document = json!({
        "version": 1, "run": "paper/main/2026-11-20/open/g0", "verdict": "UNKNOWN ORDERS",
        "category": "CRITICAL", "code": "order-unknown",
        "what": "the end of a sale of ÄÖ was not seen", "action": "Run `alchemiser resume`.",
    });
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), document);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_no_failure_names_the_address() {
    let (elsewhere, untouched) = server(GOOD).await;
    let moved =
        format!("HTTP/1.1 307 Moved\r\nlocation: {elsewhere}/x\r\ncontent-length: 0\r\n\r\n");
    let refused = |said: &str| Err(PushError::Refused(said.to_owned()));
    let unavailable = |said: &str| Err(PushError::Unavailable(said.to_owned()));
    for (answer, end) in [
        (&*Box::leak(moved.into_boxed_str()), refused("answered 307")),
        ("HTTP/1.1 404 Gone\r\ncontent-length: 0\r\n\r\n", refused("answered 404")),
        ("HTTP/1.1 429 Slow\r\ncontent-length: 0\r\n\r\n", unavailable("answered 429")),
        ("HTTP/1.1 503 Down\r\ncontent-length: 0\r\n\r\n", unavailable("answered 503")),
        ("nonsense\r\n\r\n", unavailable("no answer")),
    ] {
        let (origin, _taken) = server(answer).await;
        let sent = pushed(&policy("ntfy", &format!("{origin}/my-topic"))).await;
        assert_eq!(sent, end, "{answer}");
    }
    assert!(!untouched.is_finished(), "nobody came to where the redirect points");
    untouched.abort();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let nobody = format!("http://{}/my-topic", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(pushed(&policy("ntfy", &nobody)).await, unavailable("no connection"));
}

#[tokio::test]
async fn a_channel_that_hangs_is_given_up_after_three_seconds() {
    let (origin, taken) = server("").await;
    let policy = policy("webhook", &origin);
    let sent = timeout(Duration::from_secs(5), pushed(&policy)).await.expect("it gives up");
    assert_eq!(sent, Err(PushError::Unavailable("no answer in time".to_owned())));
    taken.abort();
}

#[tokio::test]
async fn nothing_is_sent_unencrypted_to_another_machine() {
    let sent = pushed(&policy("ntfy", "http://192.0.2.1/my-topic")).await;
    assert!(matches!(sent, Err(PushError::Refused(_))), "{sent:?}");
}

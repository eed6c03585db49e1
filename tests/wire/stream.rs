//! The stream of order messages against a small server on a loopback port.

use std::sync::Arc;
use std::time::Duration;

use alchemiser::application::ports::{BrokerError, TradeUpdates, Wake};
use alchemiser::domain::run::Mode;
use alchemiser::infrastructure::alpaca::stream::TradeStream;
use alchemiser::infrastructure::hosts::Hosts;
use alchemiser::infrastructure::https::{Tls, Trust};
use alchemiser::infrastructure::local::secrets::StaticKeys;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

type Socket = WebSocketStream<TcpStream>;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(60);

#[derive(Clone, Copy)]
enum Dress {
    Text,
    Binary,
}

fn message(dress: Dress, value: &Value) -> Message {
    match dress {
        Dress::Text => Message::text(value.to_string()),
        Dress::Binary => Message::binary(value.to_string().into_bytes()),
    }
}

async fn server<F, R>(then: F) -> (TradeStream, JoinHandle<R::Output>)
where
    F: FnOnce(TcpStream) -> R + Send + 'static,
    R: Future<Output: Send + 'static> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let hosts = Hosts::local(Mode::Paper, &origin).unwrap();
    let task = tokio::spawn(async move { then(listener.accept().await.unwrap().0).await });
    (
        TradeStream::new(
            &hosts,
            Arc::new(StaticKeys::new("PKSTREAM", "s3cr3t-stream")),
            Tls::new(Trust::Compiled),
        ),
        task,
    )
}

async fn heard(socket: &mut Socket) -> Value {
    let frame = socket.next().await.unwrap().unwrap();
    serde_json::from_slice(&frame.into_data()).unwrap()
}

/// Logs the client in and acknowledges what it wants to hear.
async fn welcome(tcp: TcpStream, dress: Dress) -> Socket {
    let mut socket = tokio_tungstenite::accept_async(tcp).await.unwrap();
    let log_in = json!({"action": "auth", "key": "PKSTREAM", "secret": "s3cr3t-stream"});
    assert_eq!(heard(&mut socket).await, log_in);
    let yes = json!({"stream": "authorization",
                     "data": {"status": "authorized", "action": "authenticate"}});
    socket.send(message(dress, &yes)).await.unwrap();
    let listen = json!({"action": "listen", "data": {"streams": ["trade_updates"]}});
    assert_eq!(heard(&mut socket).await, listen);
    let listening = json!({"stream": "listening", "data": {"streams": ["trade_updates"]}});
    socket.send(message(dress, &listening)).await.unwrap();
    socket
}

fn update() -> Value {
    json!({"stream": "trade_updates", "data": {"event": "fill", "order": {"id": "o1"}}})
}

#[tokio::test]
async fn a_message_about_an_order_wakes_in_text_and_in_binary() {
    for dress in [Dress::Text, Dress::Binary] {
        let (stream, task) = server(move |tcp| async move {
            let mut socket = welcome(tcp, dress).await;
            socket.send(message(dress, &json!({"stream": "listening"}))).await.unwrap();
            socket.send(Message::text("not json")).await.unwrap();
            socket.send(Message::binary(vec![0xff, 0xfe])).await.unwrap();
            socket.send(message(dress, &update())).await.unwrap();
            // The client says goodbye.
            while let Some(Ok(frame)) = socket.next().await {
                if frame.is_close() {
                    return true;
                }
            }
            false
        })
        .await;
        let mut line = stream.open().await.unwrap();
        assert_eq!(line.wait(LONG).await, Wake::Message);
        assert_eq!(line.wait(SHORT).await, Wake::Silence);
        line.close().await;
        assert!(task.await.unwrap());
        assert_eq!(line.wait(LONG).await, Wake::Lost);
    }
}

#[tokio::test]
async fn a_message_that_comes_while_nobody_waits_is_not_lost() {
    let (stream, task) = server(|tcp| async move {
        let mut socket = welcome(tcp, Dress::Binary).await;
        let raw = message(Dress::Binary, &update());
        socket.send(raw).await.unwrap();
        socket
    })
    .await;
    let mut line = stream.open().await.unwrap();
    let _socket = task.await.unwrap();
    assert_eq!(line.wait(Duration::from_secs(5)).await, Wake::Message);
    line.close().await;
}

#[tokio::test]
async fn wrong_keys_are_told_apart_from_trouble() {
    let (stream, task) = server(|tcp| async move {
        let mut socket = tokio_tungstenite::accept_async(tcp).await.unwrap();
        let _ = heard(&mut socket).await;
        let no = json!({"stream": "authorization",
                        "data": {"status": "unauthorized", "action": "authenticate"}});
        socket.send(message(Dress::Binary, &no)).await.unwrap();
        socket.next().await
    })
    .await;
    let error = stream.open().await.err().unwrap();
    assert!(matches!(error, BrokerError::Unauthorised(_)), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("s3cr3t-stream"));
    assert!(task.await.unwrap().unwrap().unwrap().is_close());
}

#[tokio::test]
async fn a_line_that_does_not_offer_order_messages_is_no_line() {
    let (stream, _task) = server(|tcp| async move {
        let mut socket = tokio_tungstenite::accept_async(tcp).await.unwrap();
        let _ = heard(&mut socket).await;
        let yes = json!({"stream": "authorization", "data": {"status": "authorized"}});
        socket.send(message(Dress::Text, &yes)).await.unwrap();
        let _ = heard(&mut socket).await;
        let none = json!({"stream": "listening", "data": {"streams": []}});
        socket.send(message(Dress::Text, &none)).await.unwrap();
        socket.next().await.is_some()
    })
    .await;
    assert!(matches!(stream.open().await.err(), Some(BrokerError::Unavailable(_))));
}

#[tokio::test]
async fn a_dead_line_is_silent_and_a_cut_one_lost() {
    let (stream, task) = server(|tcp| async move { welcome(tcp, Dress::Text).await }).await;
    let mut line = stream.open().await.unwrap();
    let mute = task.await.unwrap(); // open, and never a word
    assert_eq!(line.wait(SHORT).await, Wake::Silence);
    drop(mute);
    assert_eq!(line.wait(LONG).await, Wake::Lost);
    assert_eq!(line.wait(LONG).await, Wake::Lost);
    line.close().await;
}

#[tokio::test]
async fn pings_are_answered_while_waiting() {
    let (stream, task) = server(|tcp| async move {
        let mut socket = welcome(tcp, Dress::Text).await;
        socket.send(Message::Ping("still there?".into())).await.unwrap();
        let pong = socket.next().await.unwrap().unwrap();
        socket.send(message(Dress::Text, &update())).await.unwrap();
        pong
    })
    .await;
    let mut line = stream.open().await.unwrap();
    assert_eq!(line.wait(LONG).await, Wake::Message);
    assert_eq!(task.await.unwrap(), Message::Pong("still there?".into()));
    line.close().await;
}

#[tokio::test]
async fn a_message_of_unreasonable_size_ends_the_line() {
    let (stream, _task) = server(|tcp| async move {
        let mut socket = welcome(tcp, Dress::Text).await;
        let _ = socket.send(Message::text("x".repeat(400_000))).await;
        socket.next().await.is_some()
    })
    .await;
    let mut line = stream.open().await.unwrap();
    assert_eq!(line.wait(LONG).await, Wake::Lost);
}

#[tokio::test]
async fn a_second_connection_refused_by_the_broker_says_too_many() {
    for (status, limited) in [("429 Too Many Requests", true), ("503 Unavailable", false)] {
        let (stream, task) = server(move |mut tcp| async move {
            let mut request = [0_u8; 4096];
            let _ = tcp.read(&mut request).await.unwrap();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            tcp.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let error = stream.open().await.err().unwrap();
        task.await.unwrap();
        assert_eq!(matches!(error, BrokerError::RateLimited { .. }), limited, "{error:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let hosts = Hosts::local(Mode::Paper, &origin).unwrap();
    let stream =
        TradeStream::new(&hosts, Arc::new(StaticKeys::new("k", "s")), Tls::new(Trust::Compiled));
    assert!(matches!(stream.open().await.err(), Some(BrokerError::Unavailable(_))));
}

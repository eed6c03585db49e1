//! What a real client meets on the loopback port.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::simulator::exchange::Fills;
use crate::simulator::faults::{Effect, Fault, On, Trouble};

fn world() -> World {
    World::builder().price("SPY", "600").fills(Fills::plain()).build()
}

async fn server(serving: Serving) -> (World, Server) {
    let world = world();
    let server = Server::start(world.clone(), serving).await.unwrap();
    (world, server)
}

fn owner() -> Serving {
    Serving { pace: Pace::Owner, ..Serving::default() }
}

/// One request over a fresh connection; the answer's head and body.
async fn raw(server: &Server, head: &str, body: &str) -> (String, Vec<u8>) {
    let mut socket = TcpStream::connect(server.address()).await.unwrap();
    let keys = "apca-api-key-id: PK\r\napca-api-secret-key: s\r\nhost: x\r\nconnection: close";
    let text = format!("{head}\r\n{keys}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    socket.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(answer.len());
    let body = answer.get(end + 4..).unwrap_or_default().to_vec();
    (String::from_utf8(answer[..end].to_vec()).unwrap(), body)
}

const BUY: &str = r#"{"symbol":"SPY","qty":1,"side":"buy","type":"limit","limit_price":601,"time_in_force":"day"}"#;

#[tokio::test]
async fn a_real_client_gets_the_same_answers_as_one_in_process() {
    let (world, server) = server(owner()).await;
    let (head, body) = raw(&server, "POST /v2/orders HTTP/1.1", BUY).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("x-request-id"));
    let order: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(order["status"], "pending_new");
    assert_eq!(world.orders().len(), 1);
    let cancel = format!("DELETE /v2/orders/{} HTTP/1.1", order["id"].as_str().unwrap());
    let (head, body) = raw(&server, &cancel, "").await;
    assert!(head.starts_with("HTTP/1.1 204") && body.is_empty(), "{head}");
}

#[tokio::test]
async fn a_long_answer_is_packed_when_the_client_unpacks() {
    let (_world, server) = server(owner()).await;
    let plain = raw(&server, "GET /v2/account HTTP/1.1", "").await.1;
    let head = "GET /v2/account HTTP/1.1\r\naccept-encoding: gzip";
    let (head, packed) = raw(&server, head, "").await;
    assert!(head.contains("content-encoding: gzip"));
    let mut unpacked = Vec::new();
    io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
}

#[tokio::test]
async fn a_lost_answer_is_a_cut_connection() {
    let (world, server) = server(owner()).await;
    let on = On::new(Method::Post, "/v2/orders");
    world.fault(Fault::request(on, Trouble::NoAnswer { effect: Effect::Done }));
    let (head, _) = raw(&server, "POST /v2/orders HTTP/1.1", BUY).await;
    assert_eq!((head.as_str(), world.orders().len()), ("", 1));
}

async fn say(socket: &mut (impl SinkExt<Message> + Unpin), message: Value) {
    let _ = socket.send(Message::text(message.to_string())).await;
}

async fn hear<S, E>(socket: &mut S) -> (bool, Value)
where
    S: StreamExt<Item = Result<Message, E>> + Unpin,
{
    match socket.next().await {
        Some(Ok(Message::Binary(bytes))) => (true, serde_json::from_slice(&bytes).unwrap()),
        Some(Ok(Message::Text(text))) => (false, serde_json::from_str(&text).unwrap()),
        _ => (false, Value::Null),
    }
}

#[tokio::test]
async fn the_stream_understands_both_dialects_and_tells_of_every_step() {
    let old = json!({"action": "authenticate", "data": {"key_id": "PK", "secret_key": "s"}});
    let new = json!({"action": "auth", "key": "PK", "secret": "s"});
    for (login, frames) in [(old, Frames::Binary), (new, Frames::Text)] {
        let (world, server) = server(Serving { frames, ..owner() }).await;
        let (mut socket, _) = tokio_tungstenite::connect_async(server.stream_url()).await.unwrap();
        say(&mut socket, login).await;
        let (binary, reply) = hear(&mut socket).await;
        assert_eq!(binary, frames == Frames::Binary);
        assert_eq!(reply["data"]["status"], "authorized");
        let streams = json!(["trade_updates", "nonsense"]);
        say(&mut socket, json!({"action": "listen", "data": {"streams": streams}})).await;
        let (_, reply) = hear(&mut socket).await;
        assert_eq!(reply, json!({"stream": "listening", "data": {"streams": ["trade_updates"]}}));
        raw(&server, "POST /v2/orders HTTP/1.1", BUY).await;
        world.advance(Duration::from_secs(1));
        for event in ["pending_new", "new", "fill"] {
            let data = hear(&mut socket).await.1["data"].clone();
            assert_eq!(data["event"], event);
            assert!(data["timestamp"].is_string() && data["order"]["id"].is_string());
            assert_eq!(data["execution_id"].is_string(), event == "fill");
        }
    }
}

#[tokio::test]
async fn a_second_stream_and_wrong_keys_are_turned_away() {
    let (world, server) = server(owner()).await;
    world.door(|door| {
        let (id, secret) = ("PK".to_owned(), "right".to_owned());
        door.keys = crate::simulator::routes::Keys::Only { id, secret };
    });
    let (mut socket, _) = tokio_tungstenite::connect_async(server.stream_url()).await.unwrap();
    assert!(tokio_tungstenite::connect_async(server.stream_url()).await.is_err());
    let listen = json!({"action": "listen", "data": {"streams": ["trade_updates"]}});
    say(&mut socket, listen).await;
    assert_eq!(hear(&mut socket).await.1["data"]["status"], "unauthorized");
    say(&mut socket, json!({"action": "auth", "key": "PK", "secret": "wrong"})).await;
    assert_eq!(hear(&mut socket).await.1["data"]["status"], "unauthorized");
    assert_eq!(hear(&mut socket).await.1, Value::Null, "cut off");
}

#[tokio::test]
async fn with_the_wall_clock_orders_are_filled_by_themselves() {
    let (world, server) = server(Serving::default()).await;
    let (mut socket, _) = tokio_tungstenite::connect_async(server.stream_url()).await.unwrap();
    say(&mut socket, json!({"action": "auth", "key": "PK", "secret": "s"})).await;
    say(&mut socket, json!({"action": "listen", "data": {"streams": ["trade_updates"]}})).await;
    let mut last = Value::Null;
    while last["stream"] != "listening" {
        last = hear(&mut socket).await.1;
    }
    raw(&server, "POST /v2/orders HTTP/1.1", BUY).await;
    while last != "fill" {
        last = hear(&mut socket).await.1["data"]["event"].clone();
    }
    assert_eq!(world.position("SPY"), 1.into());
}

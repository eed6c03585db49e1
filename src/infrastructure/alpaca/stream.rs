//! The broker's push messages about orders: a wake-up line, never the truth.
//!
//! A message only says that it is worth asking. So nothing is read from it but its kind, nothing
//! lost on it is missed, and any trouble ends in [`Wake::Lost`], after which polling goes on
//! alone. The broker allows one connection per account, so it is closed on every path.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::ServerName;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tracing::{debug, info};

use crate::application::ports::{
    BrokerError, Credentials, Freshness, KeyPair, TradeUpdates, UpdateStream, Wake,
};
use crate::infrastructure::hosts::Hosts;
use crate::infrastructure::https::Tls;

/// Connecting, logging in and subscribing usually take 100 ms; polling does not wait for more.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
/// A farewell that takes longer is left to the operating system.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest message; an order with its envelope has about 2 kB.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Buffers as large as a burst of messages; the library's own defaults are for bulk.
const BUFFER_BYTES: usize = 16 * 1024;
/// Frames read while waiting for one answer or message; more is a flood.
const FRAMES_MAX: usize = 1_000;
/// What we listen to.
const TRADE_UPDATES: &str = "trade_updates";

/// Opens the stream of order messages.
#[derive(Clone)]
pub struct TradeStream {
    address: String,
    credentials: Arc<dyn Credentials>,
    tls: Tls,
}

impl TradeStream {
    /// A stream at one of these hosts; nothing is opened yet.
    pub fn new(hosts: &Hosts, credentials: Arc<dyn Credentials>, tls: Tls) -> Self {
        Self { address: hosts.stream().to_owned(), credentials, tls }
    }
}

#[async_trait]
impl TradeUpdates for TradeStream {
    // These are limits on a socket, which no clock of a simulated world could move: hence
    // tokio's timer and not the `Clock` port, here and below.
    async fn open(&self) -> Result<Box<dyn UpdateStream>, BrokerError> {
        let keys = self.credentials.keys(Freshness::Remembered).await?;
        let end = Instant::now() + OPEN_TIMEOUT;
        let socket = timeout_at(end, reach(&self.address, &self.tls)).await.map_err(late)??;
        listen(&self.address, socket, &keys, end).await
    }
}

/// Listens over a socket that is connected already, whatever is at its other end.
///
/// # Errors
/// [`BrokerError`] as for [`TradeUpdates::open`].
pub async fn listen_over<S>(socket: S, keys: &KeyPair) -> Result<Box<dyn UpdateStream>, BrokerError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    listen("ws://localhost/stream", Box::new(socket), keys, Instant::now() + OPEN_TIMEOUT).await
}

fn late(_: Elapsed) -> BrokerError {
    BrokerError::Unavailable("order messages: no answer in time".to_owned())
}

/// Greets the broker over a connected socket, logs in and subscribes.
async fn listen(
    address: &str,
    socket: Box<dyn Socket>,
    keys: &KeyPair,
    end: Instant,
) -> Result<Box<dyn UpdateStream>, BrokerError> {
    let socket = timeout_at(end, greet(address, socket)).await.map_err(late)??;
    let mut line = Line { socket: Some(socket) };
    let log_in = json!({
        "action": "auth",
        "key": keys.id.expose(),
        "secret": keys.secret.expose(),
    });
    let ready = timeout_at(end, line.subscribe(log_in.to_string())).await.map_err(late);
    if let Err(error) = ready.and_then(|ready| ready) {
        line.close().await;
        return Err(error);
    }
    debug!("order messages open");
    Ok(Box::new(line))
}

/// A socket, encrypted or not.
trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

type WebSocket = WebSocketStream<Box<dyn Socket>>;

fn unreachable(what: &dyn std::fmt::Display) -> BrokerError {
    BrokerError::Unavailable(format!("order messages: {what}"))
}

async fn reach(address: &str, tls: &Tls) -> Result<Box<dyn Socket>, BrokerError> {
    let (encrypted, host, port) =
        parts(address).ok_or_else(|| unreachable(&"address not understood"))?;
    let plain = TcpStream::connect((host, port)).await.map_err(|error| unreachable(&error))?;
    plain.set_nodelay(true).map_err(|error| unreachable(&error))?;
    if !encrypted {
        return Ok(Box::new(plain));
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|error| unreachable(&error))?;
    let connector = TlsConnector::from(tls.config());
    Ok(Box::new(connector.connect(name, plain).await.map_err(|error| unreachable(&error))?))
}

async fn greet(address: &str, socket: Box<dyn Socket>) -> Result<WebSocket, BrokerError> {
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    match tokio_tungstenite::client_async_with_config(address, socket, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(match answer.status().as_u16() {
            401 | 403 => BrokerError::Unauthorised(format!("order messages: {}", answer.status())),
            429 => BrokerError::RateLimited { retry_at: None },
            _ => unreachable(&answer.status()),
        }),
        Err(error) => Err(unreachable(&error)),
    }
}

/// Whether an address is encrypted, its host and its port.
fn parts(address: &str) -> Option<(bool, &str, u16)> {
    let (encrypted, rest) = match address.strip_prefix("wss://") {
        Some(rest) => (true, rest),
        None => (false, address.strip_prefix("ws://")?),
    };
    let (authority, _path) = rest.split_once('/')?;
    let usual = if encrypted { 443 } else { 80 };
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, port.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    Some((encrypted, host, port.map_or(Ok(usual), str::parse).ok()?))
}

/// The open line; without a socket it is lost.
struct Line {
    socket: Option<WebSocket>,
}

/// What came in.
enum Heard {
    Frame(Vec<u8>),
    Other,
    Gone,
}

impl Line {
    async fn subscribe(&mut self, log_in: String) -> Result<(), BrokerError> {
        let answer = self.converse(log_in, "authorization").await?;
        if answer["status"] != "authorized" {
            return Err(BrokerError::Unauthorised("order messages: keys not accepted".to_owned()));
        }
        let listen = json!({ "action": "listen", "data": { "streams": [TRADE_UPDATES] } });
        let answer = self.converse(listen.to_string(), "listening").await?;
        let offered = answer["streams"].as_array();
        if offered.is_some_and(|streams| streams.iter().any(|stream| stream == TRADE_UPDATES)) {
            Ok(())
        } else {
            Err(BrokerError::Unavailable("order messages: not offered".to_owned()))
        }
    }

    /// Says something and waits for the answer on the stream of that name.
    async fn converse(&mut self, say: String, stream: &str) -> Result<Value, BrokerError> {
        let gone = || BrokerError::Unavailable("order messages: connection lost".to_owned());
        let socket = self.socket.as_mut().ok_or_else(gone)?;
        socket.send(Message::text(say)).await.map_err(|_| gone())?;
        for _ in 0..FRAMES_MAX {
            let Heard::Frame(frame) = self.hear().await else {
                if self.socket.is_none() {
                    return Err(gone());
                }
                continue;
            };
            let mut frame: Value = serde_json::from_slice(&frame).unwrap_or_default();
            if frame["stream"] == stream {
                return Ok(frame["data"].take());
            }
        }
        Err(gone())
    }

    /// The next frame. Dropped half-way it loses nothing: what was read stays in the socket.
    async fn hear(&mut self) -> Heard {
        let Some(socket) = self.socket.as_mut() else { return Heard::Gone };
        match socket.next().await {
            // The broker sends its JSON in binary frames as well as in text frames.
            Some(Ok(Message::Text(text))) => Heard::Frame(text.as_bytes().to_vec()),
            Some(Ok(Message::Binary(bytes))) => Heard::Frame(bytes.to_vec()),
            // The library answers pings itself while we read.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Heard::Other,
            Some(Ok(Message::Close(_)) | Err(_)) | None => {
                info!("order messages lost");
                self.socket = None;
                Heard::Gone
            }
        }
    }

    /// Reads on until a message about an order, the end, or a flood of anything else.
    async fn next_message(&mut self) -> Wake {
        for _ in 0..FRAMES_MAX {
            match self.hear().await {
                Heard::Frame(frame) if is_trade_update(&frame) => return Wake::Message,
                Heard::Frame(_) | Heard::Other => {}
                Heard::Gone => return Wake::Lost,
            }
        }
        self.close().await;
        Wake::Lost
    }
}

#[async_trait]
impl UpdateStream for Line {
    async fn wait(&mut self, at_most: Duration) -> Wake {
        timeout(at_most, self.next_message()).await.unwrap_or(Wake::Silence)
    }

    async fn close(&mut self) {
        if let Some(mut socket) = self.socket.take() {
            let _ = timeout(CLOSE_TIMEOUT, socket.close(None)).await; // dropping it closes it too
        }
    }
}

/// Only the stream's name matters; a frame that cannot be read is none.
fn is_trade_update(frame: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        stream: Cow<'a, str>,
    }
    serde_json::from_slice::<Envelope<'_>>(frame)
        .is_ok_and(|envelope| envelope.stream == TRADE_UPDATES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_fall_into_their_parts() {
        assert_eq!(
            parts("wss://api.alpaca.markets/stream"),
            Some((true, "api.alpaca.markets", 443))
        );
        assert_eq!(parts("ws://127.0.0.1:8080/stream"), Some((false, "127.0.0.1", 8080)));
        assert_eq!(parts("ws://[::1]:9/stream"), Some((false, "::1", 9)));
        assert_eq!(parts("ws://[::1]/stream"), Some((false, "::1", 80)));
        for wrong in ["http://x/stream", "ws://x:y/stream", "wss://host", ""] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_trade_updates_wake() {
        assert!(is_trade_update(br#"{"stream":"trade_updates","data":{"event":"fill"}}"#));
        for other in [&br#"{"stream":"listening"}"#[..], b"{}", b"\xff\xfe", b"[]", b""] {
            assert!(!is_trade_update(other));
        }
    }
}

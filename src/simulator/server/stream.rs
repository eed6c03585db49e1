//! The stream of order messages over a websocket, in both of the broker's dialects.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::simulator::faults::StreamTrouble;
use crate::simulator::routes::trade_update;
use crate::simulator::server::{BEAT, Frames, Reply, Shared, StreamSeat, bare};

/// The one stream there is.
const TRADE_UPDATES: &str = "trade_updates";
/// A client that has not said who it is by then is cut off.
const LOGIN: Duration = Duration::from_secs(10);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// One client of the stream.
struct Client {
    seat: StreamSeat,
    socket: Socket,
    authorized: bool,
    listening: bool,
    /// Messages sent or passed over so far.
    seen: usize,
    /// Messages until a scripted cut.
    left: Option<u32>,
}

/// Answers the request for a websocket; a second connection of the account is refused.
pub(super) fn upgrade(mut request: Request<Incoming>, shared: &Arc<Shared>) -> Reply {
    let trouble = shared.world.with(|state| state.faults.stream);
    let Some(key) = request.headers().get(SEC_WEBSOCKET_KEY).cloned() else {
        return bare(StatusCode::BAD_REQUEST);
    };
    let seat = if trouble == Some(StreamTrouble::Refused) { None } else { shared.take_stream() };
    let Some(seat) = seat else { return bare(StatusCode::TOO_MANY_REQUESTS) };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(upgraded) = upgraded.await {
            let io = TokioIo::new(upgraded);
            let socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
            let left = match trouble {
                Some(StreamTrouble::CutAfter(count)) => Some(count),
                // Noise and lateness are for runs in virtual time; this line is for real clients.
                Some(
                    StreamTrouble::Refused
                    | StreamTrouble::Mute
                    | StreamTrouble::Noisy(_)
                    | StreamTrouble::Late(_),
                )
                | None => None,
            };
            let seen = seat.0.world.with(|state| state.exchange.updates().len());
            let client = Client { seat, socket, authorized: false, listening: false, seen, left };
            // A client that hangs up is no concern of the exchange.
            let _ = client.serve(trouble == Some(StreamTrouble::Mute)).await;
        }
    });
    let mut reply = bare(StatusCode::SWITCHING_PROTOCOLS);
    let headers = reply.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Ok(accept) = HeaderValue::try_from(derive_accept_key(key.as_bytes())) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    reply
}

/// The connection is over.
struct Gone;

impl Client {
    async fn serve(mut self, mute: bool) -> Result<(), Gone> {
        let mut beat = tokio::time::interval(BEAT);
        let mut login = Box::pin(super::wait(LOGIN));
        loop {
            tokio::select! {
                biased;
                message = self.socket.next() => {
                    let Some(Ok(message)) = message else { return Err(Gone) };
                    match message {
                        Message::Text(text) => self.hear(text.as_bytes()).await?,
                        Message::Binary(bytes) => self.hear(&bytes).await?,
                        Message::Close(_) => return Err(Gone),
                        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                    }
                }
                () = &mut login, if !self.authorized => return Err(Gone),
                _ = beat.tick() => {
                    self.seat.0.keep_pace();
                    if !mute {
                        self.pass_on().await?;
                    }
                }
            }
        }
    }

    async fn hear(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        let Ok(said) = serde_json::from_slice::<Value>(bytes) else { return Ok(()) };
        match said["action"].as_str() {
            Some("authenticate") => {
                let data = &said["data"];
                self.log_in(&data["key_id"], &data["secret_key"]).await
            }
            Some("auth") => self.log_in(&said["key"], &said["secret"]).await,
            Some("listen") if self.authorized => {
                let asked = said["data"]["streams"].as_array().cloned().unwrap_or_default();
                self.listening = asked.iter().any(|stream| stream == TRADE_UPDATES);
                self.seen = self.seat.0.world.with(|state| state.exchange.updates().len());
                let streams = if self.listening { vec![TRADE_UPDATES] } else { Vec::new() };
                self.say(&json!({"stream": "listening", "data": {"streams": streams}})).await
            }
            Some("listen") => self.say(&authorization("unauthorized", "listen")).await,
            _ => Ok(()),
        }
    }

    async fn log_in(&mut self, id: &Value, secret: &Value) -> Result<(), Gone> {
        let (id, secret) = (id.as_str().unwrap_or_default(), secret.as_str().unwrap_or_default());
        self.authorized = self.seat.0.world.with(|state| state.door.admits(id, secret));
        let status = if self.authorized { "authorized" } else { "unauthorized" };
        self.say(&authorization(status, "authenticate")).await?;
        if self.authorized { Ok(()) } else { Err(Gone) }
    }

    /// Sends what has happened since the last look.
    async fn pass_on(&mut self) -> Result<(), Gone> {
        let from = self.seen;
        let news: Vec<Value> = self.seat.0.world.with(|state| {
            let updates = state.exchange.updates().get(from..).unwrap_or_default();
            let numbered = updates.iter().zip(from..);
            numbered.map(|(update, number)| trade_update(update, number)).collect()
        });
        self.seen += news.len();
        if !self.listening {
            return Ok(());
        }
        for message in news {
            if self.left == Some(0) {
                return Err(Gone);
            }
            self.left = self.left.map(|left| left - 1);
            self.say(&message).await?;
        }
        Ok(())
    }

    async fn say(&mut self, message: &Value) -> Result<(), Gone> {
        let text = message.to_string();
        let frame = match self.seat.0.serving.frames {
            Frames::Binary => Message::binary(text.into_bytes()),
            Frames::Text => Message::text(text),
        };
        self.socket.send(frame).await.map_err(|_| Gone)
    }
}

fn authorization(status: &str, action: &str) -> Value {
    json!({"stream": "authorization", "data": {"status": status, "action": action}})
}

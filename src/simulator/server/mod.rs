//! The simulated exchange on a loopback port, for real clients: the same routes, and the stream.
//!
//! The only place of the simulator with sockets, tasks and the wall clock. Served by hyper, which
//! the HTTP client brings along anyway.

mod stream;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue, UPGRADE,
};
use hyper::service::service_fn;
use hyper::{Method as Verb, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::infrastructure::http::{Host, Method, Request, Response};
use crate::simulator::world::World;
use crate::simulator::world::ports::{Outcome, meet};

/// Largest request body: an order has a few hundred bytes.
const BODY_MAX: usize = 64 * 1024;
/// Most connections at once; a client holds one or two.
const CONNECTIONS_MAX: usize = 64;
/// Smaller answers are sent as they are.
const GZIP_FROM: usize = 600;
/// What a client may wait for a request that was given no limit of its own.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often time is moved along with the wall clock and messages are looked for.
const BEAT: Duration = Duration::from_millis(20);

/// Who moves the world's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// The wall clock: a second is a second.
    #[default]
    Wall,
    /// Whoever owns the world; requests take no time.
    Owner,
}

/// How the stream's messages are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Frames {
    /// Binary frames that carry JSON, as the broker sends them.
    #[default]
    Binary,
    /// Text frames.
    Text,
}

/// How the exchange is served.
#[derive(Debug, Clone, Copy, Default)]
pub struct Serving {
    /// The port on the loopback address; 0 takes a free one.
    pub port: u16,
    /// Who moves time.
    pub pace: Pace,
    /// How messages are framed.
    pub frames: Frames,
}

/// A running server; it stops when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// What every connection knows.
struct Shared {
    world: World,
    serving: Serving,
    started: (Timestamp, Instant),
    /// The broker takes one stream connection of an account.
    streaming: AtomicBool,
}

impl Server {
    /// Serves a world on a loopback port.
    ///
    /// # Errors
    /// When the port cannot be bound.
    #[expect(clippy::disallowed_methods, reason = "a real client lives in wall-clock time")]
    pub async fn start(world: World, serving: Serving) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, serving.port)).await?;
        let address = listener.local_addr()?;
        let started = (world.now(), Instant::now());
        let streaming = AtomicBool::new(false);
        let shared = Arc::new(Shared { world, serving, started, streaming });
        let task = tokio::spawn(accept(listener, shared));
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base address of its HTTP side, such as `http://127.0.0.1:8080`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of its stream.
    pub fn stream_url(&self) -> String {
        format!("ws://{}/stream", self.address)
    }

    /// Waits until the server ends, which it does only when it is dropped or its task dies.
    pub async fn finished(&mut self) {
        let _ = (&mut self.task).await; // a task that died is finished too
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes connections; all of them end with this task.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut beat = tokio::time::interval(BEAT);
    loop {
        tokio::select! {
            biased;
            Some(_) = connections.join_next() => {}
            taken = listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                if let Ok((socket, _)) = taken {
                    connections.spawn(connection(socket, Arc::clone(&shared)));
                }
            }
            _ = beat.tick() => shared.keep_pace(),
        }
    }
}

async fn connection(socket: TcpStream, shared: Arc<Shared>) {
    let _ = socket.set_nodelay(true); // only a delay is lost
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { serve(request, &shared).await }
    });
    let http = hyper::server::conn::http1::Builder::new();
    // A client that hangs up is no concern of the exchange.
    let _ = http.serve_connection(TokioIo::new(socket), service).with_upgrades().await;
}

type Reply = hyper::Response<Full<Bytes>>;

/// The connection is cut without an answer.
#[derive(Debug, thiserror::Error)]
#[error("connection cut")]
struct Cut;

async fn serve(request: hyper::Request<Incoming>, shared: &Arc<Shared>) -> Result<Reply, Cut> {
    shared.keep_pace();
    if request.uri().path() == "/stream" && request.headers().contains_key(UPGRADE) {
        return Ok(stream::upgrade(request, shared));
    }
    let zip = accepts_gzip(request.headers());
    let request = match read(request).await {
        Ok(request) => request,
        Err(status) => return Ok(bare(status)),
    };
    match meet(&shared.world, &request) {
        Outcome::Answer { response, after } => {
            if !after.is_zero() {
                wait(after).await;
            }
            Ok(write(response, zip))
        }
        Outcome::Lost | Outcome::NoConnection => Err(Cut),
    }
}

async fn read(request: hyper::Request<Incoming>) -> Result<Request, StatusCode> {
    let (head, body) = request.into_parts();
    let verbs = [
        (Verb::GET, Method::Get),
        (Verb::POST, Method::Post),
        (Verb::DELETE, Method::Delete),
        (Verb::PATCH, Method::Patch),
    ];
    let method = verbs.into_iter().find(|(verb, _)| *verb == head.method).map(|(_, method)| method);
    let method = method.ok_or(StatusCode::METHOD_NOT_ALLOWED)?;
    let body = Limited::new(body, BODY_MAX).collect().await;
    let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?.to_bytes().to_vec();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let data = ["/v2/stocks", "/v1"].iter().any(|start| target.starts_with(start));
    let host = if data { Host::Data } else { Host::Trading };
    let names = ["apca-api-key-id", "apca-api-secret-key"];
    let value = |name: &'static str| {
        let value = head.headers.get(name)?.to_str().ok()?;
        Some((name, value.to_owned()))
    };
    let headers = names.into_iter().filter_map(value).collect();
    Ok(Request { method, host, target, headers, body, timeout: TIMEOUT })
}

fn write(response: Response, zip: bool) -> Reply {
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut body = response.body;
    let mut headers = HeaderMap::new();
    for (name, value) in &response.headers {
        let pair = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()));
        if let (Ok(name), Ok(value)) = pair {
            headers.insert(name, value);
        }
    }
    if zip && body.len() >= GZIP_FROM {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        if packer.write_all(&body).is_ok()
            && let Ok(packed) = packer.finish()
        {
            body = packed;
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    let mut reply = hyper::Response::new(Full::new(Bytes::from(body)));
    *reply.status_mut() = status;
    *reply.headers_mut() = headers;
    reply
}

fn bare(status: StatusCode) -> Reply {
    let mut reply = hyper::Response::new(Full::default());
    *reply.status_mut() = status;
    reply
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let value = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.contains("gzip"))
}

#[expect(clippy::disallowed_methods, reason = "a real client lives in wall-clock time")]
async fn wait(duration: Duration) {
    tokio::time::sleep(duration).await;
}

impl Shared {
    /// Moves the world's time along with the wall clock, if that is the pace.
    fn keep_pace(&self) {
        if self.serving.pace == Pace::Wall {
            let (from, began) = self.started;
            let elapsed = jiff::SignedDuration::try_from(began.elapsed()).unwrap_or_default();
            self.world.advance_to(from.checked_add(elapsed).unwrap_or(from));
        }
    }

    /// Takes the account's one stream connection, if it is free.
    fn take_stream(self: &Arc<Self>) -> Option<StreamSeat> {
        let taken = self.streaming.swap(true, Ordering::SeqCst);
        (!taken).then(|| StreamSeat(Arc::clone(self)))
    }
}

/// The account's one stream connection; given back when dropped.
struct StreamSeat(Arc<Shared>);

impl Drop for StreamSeat {
    fn drop(&mut self) {
        self.0.streaming.store(false, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests;

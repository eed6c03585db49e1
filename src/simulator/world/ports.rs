//! The world behind the ports: transport, clock, order messages.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::application::ports::{BrokerError, Clock, TradeUpdates, UpdateStream, Wake};
use crate::domain::symbol::Symbol;
use crate::infrastructure::http::{Method, Request, Response, Transport, TransportError};
use crate::simulator::faults::{Effect, StreamTrouble, Trouble};
use crate::simulator::world::World;
use crate::simulator::world::waiting::Waiting;

/// What a request and its answer take, unless told otherwise.
pub(super) const ROUND_TRIP: Duration = Duration::from_millis(10);

pub(super) struct InProcess(pub(super) World);

pub(super) struct VirtualClock(pub(super) World);

pub(super) struct Updates(pub(super) World);

struct Messages {
    world: World,
    seen: usize,
    left: Option<u32>,
    trouble: Option<StreamTrouble>,
}

#[async_trait]
impl Transport for InProcess {
    async fn carry(&self, request: Request) -> Result<Response, TransportError> {
        let world = &self.0;
        let half = world.with(|state| state.round_trip) / 2;
        let packet = Packet::leaving(world, &request, half);
        Waiting::for_time(world, half).await;
        packet.arrived();
        let (back, end) = match meet(world, &request) {
            Outcome::Answer { response, after } => (half + after, Ok(response)),
            Outcome::Lost => (Duration::MAX, Err(TransportError::NoAnswer("timed out".to_owned()))),
            Outcome::NoConnection => {
                return Err(TransportError::NotSent("connection refused".to_owned()));
            }
        };
        let left = request.timeout.saturating_sub(half);
        Waiting::for_time(world, back.min(left)).await;
        if back > left { Err(TransportError::NoAnswer("timed out".to_owned())) } else { end }
    }
}

/// A request that changes something, on its way to the exchange: when its sender dies meanwhile it
/// arrives all the same.
struct Packet {
    world: World,
    ticket: Option<u64>,
}

impl Packet {
    fn leaving(world: &World, request: &Request, travels: Duration) -> Self {
        let changes = request.method != Method::Get;
        let send_off = || world.with(|state| state.send_off(request.clone(), state.after(travels)));
        Self { world: world.clone(), ticket: changes.then(send_off) }
    }

    fn arrived(mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.world.with(|state| state.arrived(ticket));
        }
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.world.with(|state| state.deserted(ticket));
        }
    }
}

/// What became of a request.
pub(in crate::simulator) enum Outcome {
    /// An answer, so long after it was worked out.
    Answer {
        /// The answer.
        response: Response,
        /// How long it takes.
        after: Duration,
    },
    /// No answer will come.
    Lost,
    /// It never arrived.
    NoConnection,
}

/// Lets a request meet the trouble scripted for it, or the exchange.
pub(in crate::simulator) fn meet(world: &World, request: &Request) -> Outcome {
    let struck = world.with(|state| state.faults.strike(request));
    let answer = || world.with(|state| state.answer(request));
    let now = |response| Outcome::Answer { response, after: Duration::ZERO };
    match struck {
        None => now(answer()),
        Some(Trouble::Slow(after)) => Outcome::Answer { response: answer(), after },
        Some(Trouble::NoConnection) => Outcome::NoConnection,
        Some(Trouble::Late(delay)) => {
            world.with(|state| state.send_on(request.clone(), state.after(delay)));
            Outcome::Lost
        }
        Some(Trouble::NoAnswer { effect }) => {
            if effect == Effect::Done {
                answer();
            }
            Outcome::Lost
        }
        Some(trouble) => now(troubled(world, &trouble, answer)),
    }
}

/// The answer under a trouble that still gives one.
fn troubled(world: &World, trouble: &Trouble, answer: impl Fn() -> Response) -> Response {
    let failed = |status: u16, effect: Effect, body: &str, kind: &str| {
        if effect == Effect::Done {
            answer();
        }
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        Response { status, headers, body: body.as_bytes().to_vec() }
    };
    let rewritten = |rewrite: &dyn Fn(String) -> String| {
        let mut response = answer();
        response.body = rewrite(String::from_utf8_lossy(&response.body).into_owned()).into_bytes();
        response
    };
    let page = "<html><head><title>Bad Gateway</title></head><body>nginx</body></html>";
    match trouble {
        Trouble::TooMany { wait } => {
            let until = world.with(|state| state.after(*wait)).as_second();
            let body = r#"{"code":42910000,"message":"rate limit exceeded"}"#;
            let mut response = failed(429, Effect::None, body, "application/json");
            for (name, value) in [("x-ratelimit-remaining", 0), ("x-ratelimit-reset", until)] {
                response.headers.push((name.to_owned(), value.to_string()));
            }
            response
        }
        Trouble::Status { status, effect } => {
            let body = r#"{"code":50010000,"message":"internal server error occurred"}"#;
            failed(*status, *effect, body, "application/json")
        }
        Trouble::Html { status, effect } => failed(*status, *effect, page, "text/html"),
        Trouble::CutShort => rewritten(&|body| body.chars().take(body.len() / 2).collect()),
        Trouble::Garbled => rewritten(&|body| format!("\u{fffd}{body}")),
        Trouble::Body(body) => failed(200, Effect::None, body, "application/json"),
        Trouble::Rewrite(rewrite) => rewritten(rewrite.as_ref()),
        Trouble::Slow(_) | Trouble::NoConnection | Trouble::NoAnswer { .. } | Trouble::Late(_) => {
            answer()
        }
    }
}

/// The symbol of a new order, to find the trouble scripted for it.
pub(super) fn ordered_symbol(request: &Request) -> Option<Symbol> {
    if request.method != Method::Post || request.target != "/v2/orders" {
        return None;
    }
    let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
    Symbol::parse(body.get("symbol")?.as_str()?).ok()
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        Waiting::for_time(&self.0, duration).await;
    }
}

#[async_trait]
impl TradeUpdates for Updates {
    async fn open(&self) -> Result<Box<dyn UpdateStream>, BrokerError> {
        let world = &self.0;
        let (trip, trouble) = world.with(|state| (state.round_trip, state.faults.stream));
        Waiting::for_time(world, trip).await;
        let left = match trouble {
            Some(StreamTrouble::Refused) => {
                return Err(BrokerError::Unavailable("stream refused: 429".to_owned()));
            }
            Some(StreamTrouble::CutAfter(count)) => Some(count),
            Some(StreamTrouble::Mute | StreamTrouble::Noisy(_) | StreamTrouble::Late(_)) | None => {
                None
            }
        };
        let seen = world.with(|state| state.exchange.updates().len());
        Ok(Box::new(Messages { world: world.clone(), seen, left, trouble }))
    }
}

#[async_trait]
impl UpdateStream for Messages {
    async fn wait(&mut self, at_most: Duration) -> Wake {
        if self.left == Some(0) {
            return Wake::Lost;
        }
        match self.trouble {
            Some(StreamTrouble::Mute) => {
                Waiting::for_time(&self.world, at_most).await;
                return Wake::Silence;
            }
            Some(StreamTrouble::Noisy(every)) => {
                Waiting::for_time(&self.world, at_most.min(every)).await;
                return if every <= at_most { Wake::Message } else { Wake::Silence };
            }
            Some(StreamTrouble::Refused | StreamTrouble::CutAfter(_) | StreamTrouble::Late(_))
            | None => {}
        }
        Waiting::for_message(&self.world, at_most, self.seen).await;
        let known = self.world.with(|state| state.exchange.updates().len());
        if known <= self.seen {
            return Wake::Silence;
        }
        self.seen += 1;
        if let Some(StreamTrouble::Late(delay)) = self.trouble {
            Waiting::for_time(&self.world, delay).await;
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        Wake::Message
    }

    async fn close(&mut self) {
        self.left = Some(0);
    }
}

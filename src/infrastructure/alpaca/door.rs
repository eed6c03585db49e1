//! The one door every request goes through: keys, time, pace, budget, log and retries.
//!
//! Only reads are repeated, with growing waits and never past the run's deadline. A cancel is
//! repeated only when it never left; an order never is. Waits are not randomised: one account
//! has one client.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::Mutex;
use tracing::{debug, info};

use crate::application::ports::{BrokerError, Clock, Credentials, Freshness, KeyPair};
use crate::domain::shapes::Shapes;
use crate::infrastructure::alpaca::error;
use crate::infrastructure::alpaca::shapes::{Answer as Asked, notice};
use crate::infrastructure::alpaca::wire::Unreadable;
use crate::infrastructure::http::{Host, Method, Request, Response, Transport, TransportError};

/// Requests of one run after which no order is sent any more. A quiet run needs about 25, one
/// that walks 40 orders down the whole ladder about 350.
const REQUESTS_MAX: u32 = 400;
/// Requests of one run in all; the difference is kept for watching and cancelling what was sent.
const REQUESTS_HARD_MAX: u32 = 600;
/// Requests started in any one minute; the broker allows 200 per account.
const REQUESTS_A_MINUTE: usize = 150;
const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// Tries of one read.
const TRIES_MAX: u32 = 5;
/// Wait before the second try; doubled before each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Added to the broker's own time for coming back, as clocks differ a little.
const RESET_MARGIN: SignedDuration = SignedDuration::from_secs(1);
/// Longest wait before a try: the broker's rate window and its margin.
const WAIT_MAX: Duration = Duration::from_secs(65);
/// Shorter keys are no broker's and would blot out ordinary words.
const KEY_LENGTH_MIN: usize = 6;

/// One request, before keys and time are added.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) host: Host,
    pub(super) target: String,
    pub(super) body: Vec<u8>,
    pub(super) timeout: Duration,
}

/// The way to the broker, for one run.
pub(super) struct Door {
    transport: Arc<dyn Transport>,
    credentials: Arc<dyn Credentials>,
    clock: Arc<dyn Clock>,
    deadline: Option<Timestamp>,
    keys: Mutex<Keys>,
    pace: StdMutex<VecDeque<Timestamp>>,
    requests: AtomicU32,
    shapes: StdMutex<Shapes>,
}

#[derive(Default)]
struct Keys {
    pair: Option<KeyPair>,
    refreshed: bool,
}

type Answer = Result<Response, TransportError>;

impl Door {
    pub(super) fn new(
        transport: Arc<dyn Transport>,
        credentials: Arc<dyn Credentials>,
        clock: Arc<dyn Clock>,
        deadline: Option<Timestamp>,
    ) -> Self {
        Self {
            transport,
            credentials,
            clock,
            deadline,
            keys: Mutex::default(),
            pace: StdMutex::default(),
            requests: AtomicU32::new(0),
            shapes: StdMutex::default(),
        }
    }

    pub(super) fn requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The shapes of the answers understood so far.
    pub(super) fn shapes(&self) -> Shapes {
        self.shapes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notices the shape of an answer that was understood.
    pub(super) fn notice(&self, what: Asked, body: &[u8]) {
        notice(what, body, &mut self.shapes.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Reads, again while that may help. An answer cut off in the middle counts as none.
    pub(super) async fn read<T>(
        &self,
        (what, call): (Asked, &Call),
        reader: impl Fn(&[u8]) -> Result<T, Unreadable> + Send,
    ) -> Result<T, BrokerError> {
        let (mut tries, mut wait) = (1, FIRST_WAIT);
        loop {
            let (failure, again) = match self.ask(call).await? {
                Ok(answer) if is_success(&answer) => match reader(&answer.body) {
                    Ok(value) => {
                        self.notice(what, &answer.body);
                        return Ok(value);
                    }
                    Err(Unreadable::Wrong(what)) => return Err(BrokerError::Malformed(what)),
                    Err(Unreadable::Garbled(what)) => (BrokerError::Malformed(what), true),
                },
                Ok(answer) => worth_repeating(error::of_answer(call.method, &answer)),
                Err(silence) => worth_repeating(error::of_silence(call.method, &silence)),
            };
            if !again || tries == TRIES_MAX || !self.wait(&failure, wait).await {
                return Err(failure);
            }
            (tries, wait) = (tries + 1, wait * 2);
        }
    }

    /// Writes once; a cancel that never left may be sent again.
    pub(super) async fn write(&self, call: &Call) -> Result<Response, BrokerError> {
        let (mut tries, mut wait) = (1, FIRST_WAIT);
        loop {
            let silence = match self.ask(call).await? {
                Ok(answer) if is_success(&answer) => return Ok(answer),
                Ok(answer) => return Err(error::of_answer(call.method, &answer)),
                Err(silence) => silence,
            };
            let failure = error::of_silence(call.method, &silence);
            let again = call.method == Method::Delete
                && matches!(silence, TransportError::NotSent(_))
                && tries < TRIES_MAX;
            if !again || !self.wait(&failure, wait).await {
                return Err(failure);
            }
            (tries, wait) = (tries + 1, wait * 2);
        }
    }

    /// Waits before another try; false when the run's time does not allow it.
    async fn wait(&self, failure: &BrokerError, usual: Duration) -> bool {
        let now = self.clock.now();
        let wait = if let BrokerError::RateLimited { retry_at: Some(at) } = failure {
            let until = at.duration_since(now) + RESET_MARGIN;
            Duration::try_from(until).unwrap_or(usual).clamp(usual, WAIT_MAX)
        } else {
            usual
        };
        if self.is_over(now, wait) {
            return false;
        }
        self.clock.sleep(wait).await;
        true
    }

    fn is_over(&self, now: Timestamp, wait: Duration) -> bool {
        let then = now.checked_add(wait);
        self.deadline.is_some_and(|end| then.map_or(true, |then| end <= then))
    }

    /// One request. Outer errors mean that nothing was sent.
    async fn ask(&self, call: &Call) -> Result<Answer, BrokerError> {
        let keys = self.keys().await?;
        let answer = self.carry(call, &keys).await?;
        if !matches!(&answer, Ok(answer) if answer.status == 401) {
            return Ok(answer);
        }
        // The keys may have been rotated. Later requests of the run profit even where this one,
        // an order, is not repeated.
        match (self.fresher_than(&keys).await?, call.method) {
            (Some(keys), Method::Get | Method::Delete) => self.carry(call, &keys).await,
            (_, Method::Get | Method::Post | Method::Delete | Method::Patch) => Ok(answer),
        }
    }

    async fn carry(&self, call: &Call, keys: &KeyPair) -> Result<Answer, BrokerError> {
        self.take_turn(call.method).await?;
        let started = self.clock.now();
        let answer = self.transport.carry(call.request(keys, self.time_left(call)?)).await;
        let took = self.clock.now().duration_since(started);
        log(call, &answer, took);
        Ok(without_keys(answer, keys))
    }

    /// Counts the request against the run's budget and waits for the minute's.
    async fn take_turn(&self, method: Method) -> Result<(), BrokerError> {
        let most = match method {
            Method::Post | Method::Patch => REQUESTS_MAX,
            Method::Get | Method::Delete => REQUESTS_HARD_MAX,
        };
        if self.requests() >= most {
            let said = format!("the run's {most} requests are used up");
            return Err(BrokerError::Unavailable(said));
        }
        let now = self.clock.now();
        let turn = self.next_turn(now);
        let wait = Duration::try_from(turn.duration_since(now)).unwrap_or_default();
        if !wait.is_zero() {
            if self.is_over(now, wait) {
                return Err(BrokerError::RateLimited { retry_at: Some(turn) });
            }
            self.clock.sleep(wait).await;
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// When the next request may start, so that no minute sees too many.
    fn next_turn(&self, now: Timestamp) -> Timestamp {
        let mut turns = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = if turns.len() < REQUESTS_A_MINUTE {
            now
        } else {
            let free = turns.pop_front().and_then(|oldest| oldest.checked_add(MINUTE).ok());
            free.map_or(now, |free| free.max(now))
        };
        turns.push_back(turn);
        turn
    }

    fn time_left(&self, call: &Call) -> Result<Duration, BrokerError> {
        let Some(deadline) = self.deadline else { return Ok(call.timeout) };
        match Duration::try_from(deadline.duration_since(self.clock.now())) {
            Ok(left) if !left.is_zero() => Ok(left.min(call.timeout)),
            _ => Err(BrokerError::Unavailable("the run's time is over".to_owned())),
        }
    }

    async fn keys(&self) -> Result<KeyPair, BrokerError> {
        let mut keys = self.keys.lock().await;
        if let Some(pair) = &keys.pair {
            return Ok(pair.clone());
        }
        let pair = self.credentials.keys(Freshness::Remembered).await?;
        keys.pair = Some(pair.clone());
        Ok(pair)
    }

    /// Keys other than those just refused: another request's fresh ones, or the source's, which
    /// is asked once a run.
    async fn fresher_than(&self, refused: &KeyPair) -> Result<Option<KeyPair>, BrokerError> {
        let mut keys = self.keys.lock().await;
        if !keys.refreshed {
            keys.refreshed = true;
            keys.pair = Some(self.credentials.keys(Freshness::Fresh).await?);
        }
        Ok(keys.pair.clone().filter(|pair| !same(pair, refused)))
    }
}

impl Call {
    fn request(&self, keys: &KeyPair, timeout: Duration) -> Request {
        let mut headers = vec![
            ("accept", "application/json".to_owned()),
            ("apca-api-key-id", keys.id.expose().to_owned()),
            ("apca-api-secret-key", keys.secret.expose().to_owned()),
        ];
        if !self.body.is_empty() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        Request {
            method: self.method,
            host: self.host,
            target: self.target.clone(),
            headers,
            body: self.body.clone(),
            timeout,
        }
    }
}

fn same(one: &KeyPair, other: &KeyPair) -> bool {
    one.id.expose() == other.id.expose() && one.secret.expose() == other.secret.expose()
}

fn is_success(answer: &Response) -> bool {
    (200..300).contains(&answer.status)
}

fn worth_repeating(failure: BrokerError) -> (BrokerError, bool) {
    let again = matches!(failure, BrokerError::RateLimited { .. } | BrokerError::Unavailable(_));
    (failure, again)
}

/// One line a request, with the id that the broker's support asks for.
fn log(call: &Call, answer: &Answer, took: SignedDuration) {
    let (method, target) = (call.method, call.target.as_str());
    let took_ms = took.as_millis();
    match (answer, method) {
        (Ok(answer), Method::Get) => {
            let request_id = answer.header("x-request-id");
            debug!(?method, target, status = answer.status, request_id, took_ms, "broker answered");
        }
        (Ok(answer), Method::Post | Method::Delete | Method::Patch) => {
            let request_id = answer.header("x-request-id");
            info!(?method, target, status = answer.status, request_id, took_ms, "broker answered");
        }
        (Err(TransportError::NotSent(_)), _) => {
            info!(?method, target, took_ms, "broker not reached");
        }
        (Err(TransportError::NoAnswer(_)), _) => {
            info!(?method, target, took_ms, "broker did not answer");
        }
    }
}

/// An error page may echo what was sent; its text goes into errors and mails.
fn without_keys(answer: Answer, keys: &KeyPair) -> Answer {
    let scrub = |text: &str| {
        let mut text = text.to_owned();
        for key in [&keys.secret, &keys.id] {
            if key.expose().len() >= KEY_LENGTH_MIN {
                text = text.replace(key.expose(), "[key]");
            }
        }
        text
    };
    match answer {
        Ok(answer) if is_success(&answer) => Ok(answer),
        Ok(mut answer) => {
            // Read first: an escape in a text, such as `\/`, would hide what it spells.
            answer.body = match serde_json::from_slice(&answer.body) {
                Ok(body) => each_text(body, &scrub).to_string().into_bytes(),
                Err(_) => scrub(&String::from_utf8_lossy(&answer.body)).into_bytes(),
            };
            Ok(answer)
        }
        Err(TransportError::NotSent(why)) => Err(TransportError::NotSent(scrub(&why))),
        Err(TransportError::NoAnswer(why)) => Err(TransportError::NoAnswer(scrub(&why))),
    }
}

/// The same value with every text in it changed, names of fields included.
fn each_text(value: Value, change: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(&text)),
        Value::Array(list) => list.into_iter().map(|value| each_text(value, change)).collect(),
        Value::Object(fields) => {
            let pair = |(name, value): (String, Value)| (change(&name), each_text(value, change));
            fields.into_iter().map(pair).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

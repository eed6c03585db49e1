//! A world of canned answers: transport, clock and keys that only remember.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alchemiser::application::ports::{
    Clock, Credentials, CredentialsError, Freshness, KeyPair, Secret,
};
use alchemiser::domain::run::Mode;
use alchemiser::infrastructure::alpaca::{Alpaca, Connection, Feeds};
use alchemiser::infrastructure::http::{Request, Response, Transport, TransportError};
use async_trait::async_trait;
use jiff::Timestamp;

/// When every script begins.
pub(crate) const START: &str = "2026-11-20T14:35:00Z";
/// Keys no message may ever contain.
pub(crate) const KEY_ID: &str = "PKCANARYKEYID0000001";
pub(crate) const SECRET: &str = "canary-secret-never-shown-0001";
pub(crate) const FRESH_ID: &str = "PKCANARYKEYID0000002";
pub(crate) const FRESH_SECRET: &str = "canary-secret-never-shown-0002";

type Answer = Result<Response, TransportError>;
type Rule = Box<dyn Fn(&Request) -> Answer + Send>;

/// Everything a test needs to look at afterwards.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) requests: Arc<Mutex<Vec<Request>>>,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) asked_for_keys: Arc<Mutex<Vec<Freshness>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    rule: Arc<Mutex<Option<Rule>>>,
    fresh: Result<(&'static str, &'static str), CredentialsError>,
}

/// Stands still except when somebody waits.
pub(crate) struct StillClock {
    now: Mutex<Timestamp>,
    pub(crate) waits: Mutex<Vec<Duration>>,
}

#[async_trait]
impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        *self.now.lock().unwrap() += duration;
        self.waits.lock().unwrap().push(duration);
    }
}

struct Canned(World);

#[async_trait]
impl Transport for Canned {
    async fn carry(&self, request: Request) -> Answer {
        self.0.requests.lock().unwrap().push(request.clone());
        if let Some(rule) = &*self.0.rule.lock().unwrap() {
            return rule(&request);
        }
        let next = self.0.answers.lock().unwrap().pop_front();
        next.unwrap_or_else(|| panic!("no answer left for {}", request.target))
    }
}

struct Remembered(World);

#[async_trait]
impl Credentials for Remembered {
    async fn keys(&self, freshness: Freshness) -> Result<KeyPair, CredentialsError> {
        self.0.asked_for_keys.lock().unwrap().push(freshness);
        let (id, secret) = match freshness {
            Freshness::Remembered => (KEY_ID, SECRET),
            Freshness::Fresh => self.0.fresh.clone()?,
        };
        Ok(KeyPair { id: Secret::new(id.to_owned()), secret: Secret::new(secret.to_owned()) })
    }
}

impl World {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let now = Mutex::new(START.parse().unwrap());
        Self {
            requests: Arc::default(),
            clock: Arc::new(StillClock { now, waits: Mutex::default() }),
            asked_for_keys: Arc::default(),
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            rule: Arc::default(),
            fresh: Ok((FRESH_ID, FRESH_SECRET)),
        }
    }

    /// Answers made from the request.
    pub(crate) fn ruled(rule: impl Fn(&Request) -> Answer + Send + 'static) -> Self {
        let world = Self::new([]);
        *world.rule.lock().unwrap() = Some(Box::new(rule));
        world
    }

    /// What the source of keys says when asked again.
    pub(crate) fn with_fresh(
        mut self,
        fresh: Result<(&'static str, &'static str), CredentialsError>,
    ) -> Self {
        self.fresh = fresh;
        self
    }

    pub(crate) fn alpaca(&self) -> Alpaca {
        self.alpaca_until(Mode::Paper, None)
    }

    pub(crate) fn alpaca_until(&self, mode: Mode, deadline: Option<&str>) -> Alpaca {
        let connection = Connection {
            transport: Arc::new(Canned(self.clone())),
            credentials: Arc::new(Remembered(self.clone())),
            clock: self.clock.clone(),
            mode,
            deadline: deadline.map(|deadline| deadline.parse().unwrap()),
        };
        Alpaca::new(connection, Feeds { bars: "sip".to_owned(), quotes: "iex".to_owned() })
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|request| request.target.clone()).collect()
    }

    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.clock.waits.lock().unwrap().clone()
    }

    pub(crate) fn header(&self, nth: usize, name: &str) -> String {
        let requests = self.requests.lock().unwrap();
        let found = requests[nth].headers.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Answer {
    status(200, body)
}

#[expect(clippy::unnecessary_wraps, reason = "spelt as a transport answers")]
pub(crate) fn status(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    let headers = vec![("x-request-id".to_owned(), "f00d".to_owned())];
    Ok(Response { status, headers, body: body.into() })
}

pub(crate) fn not_sent() -> Answer {
    Err(TransportError::NotSent("no route".to_owned()))
}

pub(crate) fn no_answer() -> Answer {
    Err(TransportError::NoAnswer("timed out".to_owned()))
}

/// A stored answer with invented values in the true shape.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/wire/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// One object of a stored answer with a field changed; `None` takes it out.
pub(crate) fn changed(name: &str, field: &str, value: Option<serde_json::Value>) -> Vec<u8> {
    let mut answer: serde_json::Value = serde_json::from_slice(&fixture(name)).unwrap();
    let object = if answer.is_array() { &mut answer[0] } else { &mut answer };
    let fields = object.as_object_mut().unwrap();
    match value {
        Some(value) => drop(fields.insert(field.to_owned(), value)),
        None => drop(fields.remove(field)),
    }
    answer.to_string().into_bytes()
}

/// The names of the fields of a stored answer's first object.
pub(crate) fn fields(name: &str) -> Vec<String> {
    let answer: serde_json::Value = serde_json::from_slice(&fixture(name)).unwrap();
    let object = if answer.is_array() { &answer[0] } else { &answer };
    object.as_object().unwrap().keys().cloned().collect()
}

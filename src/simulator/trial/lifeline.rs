//! What a process of ours hangs on: every call that leaves the process passes through here, and
//! the process can be cut off before or after any of them.
//!
//! Waits are no calls: whatever a process has waited for changes nothing outside it, so a process
//! that dies while it waits leaves the same world as one that died after its last call.

use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::application::ports::{
    BrokerError, Clock, Letter, MailError, Mailer, Put, Record, Store, StoreError, TradeUpdates,
    UpdateStream,
};
use crate::infrastructure::http::{Method, Request, Response, Transport, TransportError};
use crate::simulator::trial::truth::Sent;
use crate::simulator::world::World;

/// What becomes of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It lives to its end.
    Lives,
    /// It is killed at a call, counted from 1.
    Killed {
        /// Which call.
        call: u32,
        /// On which side of it.
        edge: Edge,
    },
    /// Nothing of it moves for a while, from a call on.
    Frozen {
        /// Which call.
        call: u32,
        /// How long.
        lasts: Duration,
    },
    /// It panics in the middle of a call.
    Panics {
        /// Which call.
        call: u32,
    },
}

/// The two sides of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Before anything left the process.
    Before,
    /// After it took effect, before the answer is read.
    After,
}

/// One process: its calls so far, and its fate.
pub struct Lifeline {
    world: World,
    fate: Fate,
    calls: AtomicU32,
    last: Mutex<String>,
    frozen_until: Mutex<Option<Timestamp>>,
    sent: Mutex<Vec<Sent>>,
    dead: AtomicBool,
    gone: Notify,
    look: Option<Look>,
}

/// Sees a living process on both sides of each call: its number, the side, and what it is.
pub type Look = Box<dyn Fn(&Lifeline, Fate, String) + Send + Sync>;

impl Lifeline {
    /// A process that nothing has been asked of yet.
    pub fn new(world: &World, fate: Fate, look: Option<Look>) -> Arc<Self> {
        Arc::new(Self {
            world: world.clone(),
            fate,
            calls: AtomicU32::new(0),
            last: Mutex::default(),
            frozen_until: Mutex::default(),
            sent: Mutex::default(),
            dead: AtomicBool::new(false),
            gone: Notify::new(),
            look,
        })
    }

    /// Calls made so far.
    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Requests that would change something at the broker, as they left.
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the last call was.
    pub fn last_call(&self) -> String {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends when the process is killed, and only then.
    pub async fn killed(&self) {
        self.gone.notified().await;
    }

    /// A call on its way out and back. Once the process is dead none of its calls goes on.
    async fn through<T>(&self, what: impl Fn() -> String, call: impl Future<Output = T>) -> T {
        if self.is_dead() {
            return pending().await;
        }
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        match self.fate {
            Fate::Killed { call, edge } if call == number => {
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = what();
                if edge == Edge::Before {
                    return self.die().await;
                }
            }
            Fate::Frozen { call, lasts } if call == number => {
                let until = self.world.now().saturating_add(lasts).ok();
                *self.frozen_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
            }
            Fate::Panics { call } if call == number => {
                panics();
            }
            Fate::Lives | Fate::Killed { .. } | Fate::Frozen { .. } | Fate::Panics { .. } => {}
        }
        self.look(number, Edge::Before, &what);
        self.thaw().await;
        let mut call = pin!(call);
        let alive = |context: &mut Context<'_>| {
            if self.is_dead() { Poll::Pending } else { call.as_mut().poll(context) }
        };
        let answer = poll_fn(alive).await;
        if self.fate == (Fate::Killed { call: number, edge: Edge::After }) {
            return self.die().await;
        }
        self.look(number, Edge::After, &what);
        self.thaw().await;
        answer
    }

    fn look(&self, call: u32, edge: Edge, what: &impl Fn() -> String) {
        if let Some(look) = &self.look {
            look(self, Fate::Killed { call, edge }, what());
        }
    }

    fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    async fn die<T>(&self) -> T {
        self.dead.store(true, Ordering::Relaxed);
        self.gone.notify_one();
        pending().await
    }

    /// Whether the process moves again since this very moment.
    fn is_thawing(&self) -> bool {
        let until = *self.frozen_until.lock().unwrap_or_else(PoisonError::into_inner);
        until == Some(self.world.now())
    }

    /// Waits until the process moves again.
    async fn thaw(&self) {
        let until = *self.frozen_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = until {
            let left = until.duration_since(self.world.now());
            if let Ok(left) = Duration::try_from(left)
                && !left.is_zero()
            {
                self.world.clock().sleep(left).await;
            }
        }
    }
}

/// What a panic of a script says.
pub const PANIC: &str = "the script of this trial";

/// A fault of the program itself, as a trial's script wants it.
///
/// # Panics
/// Always.
#[expect(clippy::panic, reason = "a trial has to see what a panic of the product comes to")]
pub fn panics() -> ! {
    std::panic::panic_any(PANIC)
}

/// A port of the world as one process reaches it.
#[derive(Clone)]
pub struct On<P: ?Sized>(pub Arc<Lifeline>, pub Arc<P>);

#[async_trait]
impl Transport for On<dyn Transport> {
    async fn carry(&self, request: Request) -> Result<Response, TransportError> {
        let what = format!("{:?} {}", request.method, request.target);
        let line = &self.0;
        let call = async move {
            if request.method != Method::Get {
                let body = String::from_utf8_lossy(&request.body).into_owned();
                let (at, held) = (line.world.now(), line.is_thawing());
                let sent = Sent { at, target: request.target.clone(), body, held };
                line.sent.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
            }
            self.1.carry(request).await
        };
        line.through(|| what.clone(), call).await
    }
}

#[async_trait]
impl Store for On<dyn Store> {
    async fn put_once(&self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        self.0.through(|| format!("put {key}"), self.1.put_once(key, bytes)).await
    }

    async fn put_view(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.through(|| format!("put view {key}"), self.1.put_view(key, bytes)).await
    }

    async fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        self.0.through(|| format!("get {key}"), self.1.get(key)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.0.through(|| format!("list {prefix}"), self.1.list(prefix)).await
    }
}

#[async_trait]
impl Mailer for On<dyn Mailer> {
    async fn send(&self, letter: &Letter) -> Result<String, MailError> {
        self.0.through(|| format!("mail {}", letter.subject), self.1.send(letter)).await
    }
}

#[async_trait]
impl TradeUpdates for On<dyn TradeUpdates> {
    async fn open(&self) -> Result<Box<dyn UpdateStream>, BrokerError> {
        self.0.through(|| "open the stream".to_owned(), self.1.open()).await
    }
}

/// A process's own clock, which may be off.
pub struct Watch {
    /// The world's clock.
    pub clock: Arc<dyn Clock>,
    /// How far it is off.
    pub skew: SignedDuration,
}

#[async_trait]
impl Clock for Watch {
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        now.checked_add(self.skew).unwrap_or(now)
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lives => f.write_str("lives"),
            Self::Killed { call, edge: Edge::Before } => write!(f, "killed before call {call}"),
            Self::Killed { call, edge: Edge::After } => write!(f, "killed after call {call}"),
            Self::Frozen { call, lasts } => write!(f, "frozen {lasts:?} from call {call} on"),
            Self::Panics { call } => write!(f, "panics in call {call}"),
        }
    }
}

//! Records and letters kept in memory, and their troubles.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alchemiser::application::ports::{Letter, MailError, Mailer, Put, Record, Store, StoreError};
use alchemiser::simulator::world::World;
use async_trait::async_trait;

/// When and how writes to the shelf fail.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Outage {
    /// Writes that still work.
    pub(crate) after: usize,
    /// Writes that fail then.
    pub(crate) times: usize,
    /// Whether a failing write is stored all the same.
    pub(crate) takes_effect: bool,
}

#[derive(Default)]
struct Shelved {
    records: BTreeMap<String, Record>,
    outage: Outage,
    writes: usize,
    reads: usize,
    unreadable: Option<usize>,
    hidden: Option<String>,
    deny: Option<String>,
    round_trip: Duration,
    slow: Option<(String, Duration)>,
}

/// A store in memory; its time is the world's.
pub(crate) struct Shelf {
    world: World,
    state: Mutex<Shelved>,
}

/// A carrier that keeps its letters.
#[derive(Default)]
pub(crate) struct Post {
    state: Mutex<(Vec<Letter>, Carriage)>,
}

/// What becomes of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Carriage {
    /// They are taken.
    #[default]
    Good,
    /// They are refused.
    Refused,
    /// They are taken, and nobody hears of it.
    Unanswered,
    /// Those of more bytes are too large.
    Bounded(usize),
    /// So many are turned away for now, then they are taken.
    Busy(u32),
}

fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shelf {
    pub(crate) fn new(world: &World) -> Self {
        Self { world: world.clone(), state: Mutex::default() }
    }

    /// Lays down or replaces what an operator writes.
    pub(crate) fn lay(&self, key: &str, text: &str) {
        let record = Record { bytes: text.as_bytes().to_vec(), at: self.world.now() };
        locked(&self.state).records.insert(key.to_owned(), record);
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let record = locked(&self.state).records.get(key).cloned()?;
        Some(String::from_utf8(record.bytes).unwrap())
    }

    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let state = locked(&self.state);
        state.records.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    /// Loses every record below a prefix.
    pub(crate) fn lose(&self, prefix: &str) {
        locked(&self.state).records.retain(|key, _| !key.starts_with(prefix));
    }

    /// Writes fail from now on as told.
    pub(crate) fn fails(&self, outage: Outage) {
        let mut state = locked(&self.state);
        (state.outage, state.writes) = (outage, 0);
    }

    /// Everything asked of the shelf takes so long from now on.
    pub(crate) fn takes(&self, round_trip: Duration) {
        locked(&self.state).round_trip = round_trip;
    }

    /// A record takes so long to be read.
    pub(crate) fn slows(&self, key: &str, delay: Duration) {
        locked(&self.state).slow = Some((key.to_owned(), delay));
    }

    /// Half of the way to the shelf, or back.
    async fn half_way(&self) {
        let half = locked(&self.state).round_trip / 2;
        if !half.is_zero() {
            self.world.clock().sleep(half).await;
        }
    }

    /// Writes of keys that contain a text are denied.
    pub(crate) fn denies(&self, containing: &str) {
        locked(&self.state).deny = Some(containing.to_owned());
    }

    /// The n-th read from now on fails, once.
    pub(crate) fn fails_to_read(&self, nth: usize) {
        let mut state = locked(&self.state);
        (state.unreadable, state.reads) = (Some(nth), 0);
    }

    /// A record cannot be read for now.
    pub(crate) fn hides(&self, key: &str) {
        locked(&self.state).hidden = Some(key.to_owned());
    }

    /// Every record can be read again.
    pub(crate) fn shows(&self) {
        locked(&self.state).hidden = None;
    }

    /// Whether that many reads came.
    pub(crate) fn has_failed_to_read(&self) -> bool {
        let state = locked(&self.state);
        state.unreadable.is_some_and(|nth| state.reads > nth)
    }

    /// Create-once writes since the last outage was set.
    pub(crate) fn writes(&self) -> usize {
        locked(&self.state).writes
    }
}

impl Shelved {
    fn check(&mut self, key: &str) -> Option<StoreError> {
        if self.deny.as_ref().is_some_and(|part| key.contains(part)) {
            return Some(StoreError::Denied { key: key.to_owned(), reason: "no right".to_owned() });
        }
        self.writes += 1;
        let Outage { after, times, .. } = self.outage;
        let failing = after..after.saturating_add(times);
        failing.contains(&(self.writes - 1)).then(|| unavailable(key))
    }
}

fn unavailable(key: &str) -> StoreError {
    StoreError::Unavailable { key: key.to_owned(), reason: "scripted outage".to_owned() }
}

#[async_trait]
impl Store for Shelf {
    async fn put_once(&self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        self.half_way().await;
        let put = self.put(key, bytes);
        self.half_way().await;
        put
    }

    async fn put_view(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.half_way().await;
        let at = self.world.now();
        let record = Record { bytes: bytes.to_vec(), at };
        locked(&self.state).records.insert(key.to_owned(), record);
        self.half_way().await;
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        self.half_way().await;
        let slow = locked(&self.state).slow.clone().filter(|(slow, _)| slow == key);
        if let Some((_, delay)) = slow {
            self.world.clock().sleep(delay).await;
        }
        let found = self.find(key);
        self.half_way().await;
        found
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.half_way().await;
        let keys = self.keys(prefix);
        self.half_way().await;
        Ok(keys)
    }
}

impl Shelf {
    fn put(&self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        let at = self.world.now();
        let mut state = locked(&self.state);
        let failure = state.check(key);
        let failure = match failure {
            Some(failure) if !state.outage.takes_effect => return Err(failure),
            failure => failure,
        };
        let there = state.records.get(key).cloned();
        if there.is_none() {
            state.records.insert(key.to_owned(), Record { bytes: bytes.to_vec(), at });
        }
        match (failure, there) {
            (Some(failure), _) => Err(failure),
            (None, Some(record)) => Ok(Put::Exists(record)),
            (None, None) => Ok(Put::Stored { at }),
        }
    }

    fn find(&self, key: &str) -> Result<Option<Record>, StoreError> {
        let mut state = locked(&self.state);
        state.reads += 1;
        let hidden = state.hidden.as_deref() == Some(key);
        if hidden || state.unreadable == Some(state.reads - 1) {
            return Err(unavailable(key));
        }
        Ok(state.records.get(key).cloned())
    }
}

impl Post {
    /// Subjects of the letters so far.
    pub(crate) fn subjects(&self) -> Vec<String> {
        locked(&self.state).0.iter().map(|letter| letter.subject.clone()).collect()
    }

    /// Every letter taken, in order.
    pub(crate) fn letters(&self) -> Vec<Letter> {
        locked(&self.state).0.clone()
    }

    /// The last letter as it went out.
    pub(crate) fn last(&self) -> String {
        let state = locked(&self.state);
        String::from_utf8_lossy(&state.0.last().expect("a letter").raw).into_owned()
    }

    /// No letter is taken, or all are again.
    pub(crate) fn refuses(&self, refuses: bool) {
        locked(&self.state).1 = if refuses { Carriage::Refused } else { Carriage::Good };
    }

    /// Every letter is taken, and its answer is lost.
    pub(crate) fn answers_nothing(&self) {
        locked(&self.state).1 = Carriage::Unanswered;
    }

    /// A letter of more bytes is too large from now on.
    pub(crate) fn takes_at_most(&self, bytes: usize) {
        locked(&self.state).1 = Carriage::Bounded(bytes);
    }

    /// The next so many letters are turned away for now.
    pub(crate) fn turns_away(&self, letters: u32) {
        locked(&self.state).1 = Carriage::Busy(letters);
    }
}

#[async_trait]
impl Mailer for Post {
    async fn send(&self, letter: &Letter) -> Result<String, MailError> {
        let mut state = locked(&self.state);
        if state.1 == Carriage::Refused {
            return Err(MailError::Refused("the sender is not verified".to_owned()));
        }
        if let Carriage::Bounded(most) = state.1
            && letter.raw.len() > most
        {
            let bytes = letter.raw.len();
            let words = format!("Message length is more than {most} bytes long: '{bytes}'.");
            return Err(MailError::TooLarge(words));
        }
        if let Carriage::Busy(left @ 1..) = &mut state.1 {
            *left -= 1;
            return Err(MailError::Unavailable("throttled".to_owned()));
        }
        state.0.push(letter.clone());
        match state.1 {
            Carriage::Unanswered => Err(MailError::Unavailable("timed out".to_owned())),
            Carriage::Good | Carriage::Refused | Carriage::Busy(_) | Carriage::Bounded(_) => {
                Ok(format!("letter-{}", state.0.len()))
            }
        }
    }
}

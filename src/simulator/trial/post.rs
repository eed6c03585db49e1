//! The mail of a trial: what was handed over, and what goes wrong with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::application::ports::{Clock, Letter, MailError, Mailer};
use crate::simulator::trial::script::PostTrouble;
use crate::simulator::world::World;

/// What handing a letter over takes.
const ROUND_TRIP: Duration = Duration::from_millis(8);

/// A letter that reached the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// When.
    pub at: Timestamp,
    /// The letter.
    pub letter: Letter,
}

#[derive(Clone, Default)]
struct Tray {
    letters: Vec<Delivered>,
    troubles: Vec<PostTrouble>,
    offered: usize,
}

/// The carrier.
#[derive(Clone)]
pub struct Post {
    clock: Arc<dyn Clock>,
    tray: Arc<Mutex<Tray>>,
}

impl Post {
    /// A carrier in a world's time.
    pub fn new(world: &World) -> Self {
        Self { clock: world.clock(), tray: Arc::default() }
    }

    /// An equal carrier in another world.
    #[must_use]
    pub fn parted(&self, world: &World) -> Self {
        let tray = self.with(|tray| tray.clone());
        Self { clock: world.clock(), tray: Arc::new(Mutex::new(tray)) }
    }

    fn with<T>(&self, what: impl FnOnce(&mut Tray) -> T) -> T {
        what(&mut self.tray.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The next letters meet some trouble.
    pub fn trouble(&self, times: u32, trouble: PostTrouble) {
        self.with(|tray| tray.troubles.extend((0..times).map(|_| trouble)));
    }

    /// No more trouble.
    pub fn clear(&self) {
        self.with(|tray| tray.troubles.clear());
    }

    /// Everything that reached the operator, in order.
    pub fn letters(&self) -> Vec<Delivered> {
        self.with(|tray| tray.letters.clone())
    }

    /// How often a letter was offered.
    pub fn offered(&self) -> usize {
        self.with(|tray| tray.offered)
    }
}

#[async_trait]
impl Mailer for Post {
    async fn send(&self, letter: &Letter) -> Result<String, MailError> {
        self.clock.sleep(ROUND_TRIP / 2).await;
        let at = self.clock.now();
        let answer = self.with(|tray| {
            tray.offered += 1;
            let trouble =
                if tray.troubles.is_empty() { None } else { Some(tray.troubles.remove(0)) };
            let taken = Delivered { at, letter: letter.clone() };
            match trouble {
                None => {
                    tray.letters.push(taken);
                    Ok(format!("letter-{}", tray.letters.len()))
                }
                Some(PostTrouble::AnswerLost) => {
                    tray.letters.push(taken);
                    Err(MailError::Unavailable("no answer".to_owned()))
                }
                Some(PostTrouble::NotTaken) => Err(MailError::Unavailable("throttled".to_owned())),
                Some(PostTrouble::Refused) => {
                    Err(MailError::Refused("address not verified".to_owned()))
                }
            }
        });
        self.clock.sleep(ROUND_TRIP / 2).await;
        answer
    }
}

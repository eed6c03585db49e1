//! What really happened in a trial: all that the oracle goes by.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::application::ports::Record;
use crate::simulator::trial::post::Delivered;
use crate::simulator::trial::script::{Delivery, Script, What};
use crate::simulator::trial::shelf::Written;
use crate::simulator::world::World;

/// Everything that happened.
pub struct Truth {
    /// What was meant to happen.
    pub script: Script,
    /// The exchange after the last session: orders, entries, requests.
    pub world: World,
    /// The sessions with the moment of their scheduled run.
    pub days: Vec<Lived>,
    /// Number of the calm session at the end, if there was one.
    pub calm_end: Option<usize>,
    /// Cash at the very start.
    pub cash: rust_decimal::Decimal,
    /// Every start of the function, in the order of their ends.
    pub deliveries: Vec<Process>,
    /// Every write that the store ever took.
    pub written: Vec<Written>,
    /// The store at the end.
    pub records: BTreeMap<String, Record>,
    /// Records that were stored damaged.
    pub damaged: Vec<String>,
    /// Whether the runs' records were lost at some time.
    pub wiped: bool,
    /// Every letter that reached the operator.
    pub letters: Vec<Delivered>,
    /// What was done to the world, and when.
    pub happened: Vec<(Timestamp, What)>,
    /// Log lines, where they were kept.
    pub log: Option<String>,
}

/// A session as it was lived.
#[derive(Debug, Clone)]
pub struct Lived {
    /// Its date.
    pub date: Date,
    /// When its run was due.
    pub due: Timestamp,
    /// When everything of it was over.
    pub over: Timestamp,
}

/// One start of the function and its end.
#[derive(Debug, Clone)]
pub struct Process {
    /// Number of the session, from 0.
    pub day: usize,
    /// What was delivered.
    pub delivery: Delivery,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// The moment at which it had to have ended, by the true time.
    pub deadline: Timestamp,
    /// The name it wrote under.
    pub writer: String,
    /// Calls that left it.
    pub calls: u32,
    /// Requests of its that would change something at the broker, as they left.
    pub sent: Vec<Sent>,
    /// The last of them, when it was killed there.
    pub last_call: String,
    /// How it ended.
    pub end: End,
}

/// A request that would change something, as it left a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// When.
    pub at: Timestamp,
    /// What was asked.
    pub target: String,
    /// Its body.
    pub body: String,
    /// Whether it left in the moment in which a process that had stood still moved again: it was
    /// in hand before.
    pub held: bool,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It was killed.
    Killed,
    /// Its time was over and it was stopped.
    TimedOut,
    /// It panicked.
    Panicked,
    /// It answered, in these words: what came of it, and whether it calls itself a failure.
    Answered {
        /// Such as `done`, `repeated`, `in-progress`.
        outcome: String,
        /// Whether it owned up to having left the run without a final record.
        failed: bool,
        /// Incident codes of its report.
        incidents: Vec<String>,
        /// What became of the mail.
        mail: MailEnd,
    },
}

/// What became of the mail of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailEnd {
    /// None was owed.
    None,
    /// Taken.
    Sent,
    /// Not taken.
    Failed,
}

impl Truth {
    /// A fingerprint of everything: equal for equal trials.
    pub fn fingerprint(&self) -> u64 {
        let mut print = self.world.trace();
        let mut add = |bytes: &[u8]| print = crate::simulator::random::continued(print, bytes);
        for written in &self.written {
            add(written.at.to_string().as_bytes());
            add(written.key.as_bytes());
            add(&written.bytes);
        }
        for letter in &self.letters {
            add(letter.at.to_string().as_bytes());
            add(&letter.letter.raw);
        }
        for process in &self.deliveries {
            add(format!("{process:?}").as_bytes());
        }
        print
    }

    /// When the calm session at the end was due; never, if there was none.
    pub fn calm_from(&self) -> Timestamp {
        let calm = self.calm_end.and_then(|number| self.days.get(number));
        calm.map_or(Timestamp::MAX, |lived| lived.due)
    }

    /// What a day's script lets happen, and when it did.
    pub fn happened_on(&self, day: usize) -> impl Iterator<Item = &(Timestamp, What)> {
        let from = self.days.get(day).map_or(Timestamp::MAX, |lived| lived.due);
        let until = self.days.get(day + 1).map_or(Timestamp::MAX, |lived| lived.due);
        self.happened.iter().filter(move |(at, _)| from <= *at && *at < until)
    }
}

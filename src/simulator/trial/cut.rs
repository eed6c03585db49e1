//! A trial as it stood when one of its processes died: what comes after can be lived through from
//! there as often as one likes, without living through what came before.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::simulator::trial::hands::{Mark, Surroundings};
use crate::simulator::trial::lifeline::{Fate, Look};
use crate::simulator::trial::script::What;
use crate::simulator::trial::truth::{Lived, Process, Sent};

/// Of deaths that leave the same behind, one in so many is lived through all the same.
const ALIKE_KEPT_EVERY: u32 = 8;

/// A trial with one process just killed.
pub struct Cut {
    /// The session, and its date.
    pub day: (usize, Date),
    /// The moment.
    pub at: Timestamp,
    /// Where the process stands among the happenings of its session.
    pub happening: usize,
    /// How it died.
    pub fate: Fate,
    /// So many deaths of the process leave the same behind as this one, itself included.
    pub stands_for: u32,
    /// Everything outside processes.
    pub around: Surroundings,
    /// Processes so far; the last is the one that died.
    pub processes: Vec<Process>,
    /// What was done to the world so far.
    pub happened: Vec<(Timestamp, What)>,
    /// Sessions so far, without this one.
    pub days: Vec<Lived>,
}

/// What is seen of a process on one side of one of its calls.
pub struct Glance {
    /// How it would have died there.
    pub fate: Fate,
    /// So many such sides in a row leave the same behind.
    pub stands_for: u32,
    /// When.
    pub at: Timestamp,
    /// Calls made.
    pub calls: u32,
    /// What the call was.
    pub last_call: String,
    /// What had left it.
    pub sent: Vec<Sent>,
    /// Everything outside it, without it.
    pub around: Surroundings,
}

/// What was seen of one process.
#[derive(Default)]
pub struct Seen {
    /// Every side of a call behind which something else is left than behind the one before; and
    /// some of the others.
    pub glances: Vec<Glance>,
    last: Option<Mark>,
    sides: u32,
}

/// A look that keeps what it sees, and what it has seen so far.
///
/// A process that dies between two of its effects leaves the same world wherever it dies: what it
/// only read is known to nobody else, and nobody sees when it stopped. So of the sides of calls
/// between two effects the first stands for all.
pub fn looking(around: &Surroundings) -> (Look, Arc<Mutex<Seen>>) {
    let (around, seen) = (around.clone(), Arc::<Mutex<Seen>>::default());
    let kept = Arc::clone(&seen);
    let look: Look = Box::new(move |line, fate, last_call| {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.sides += 1;
        let mark = Some(around.mark());
        let is_alike = kept.last == mark && !kept.sides.is_multiple_of(ALIKE_KEPT_EVERY);
        kept.last = mark;
        match kept.glances.last_mut() {
            Some(glance) if is_alike => glance.stands_for += 1,
            Some(_) | None => {
                let (calls, sent) = (line.calls(), line.sent());
                let (around, at) = (around.parted(), around.world.now());
                let glance = Glance { fate, stands_for: 1, at, calls, last_call, sent, around };
                kept.glances.push(glance);
            }
        }
    });
    (look, seen)
}

//! Kills at every call of a run, on both sides of it; and at every pair of calls of a run and of
//! the resumes that follow.
//!
//! What came before a kill is lived through once for all kills of a process; now and then the whole
//! script is lived through from its beginning as well, and has to come out the same. Kills that leave
//! the same world behind are lived through once, and now and then once more (see
//! [`looking`](crate::simulator::trial::cut::looking)).

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::interface::cli::simulate::battery::{judged, judged_on, quietly};
use crate::interface::cli::simulate::stage::{Unplayable, cuts};
use crate::simulator::oracle::Violation;
use crate::simulator::trial::cut::Cut;
use crate::simulator::trial::draw::{Kind, script};
use crate::simulator::trial::script::{Delivery, Happening, Script, Task, What};

/// One point in so many is lived through from the beginning as well.
const WHOLE_EVERY: u64 = 25;
/// The resumes of the schedule come while a killed run's lease still holds; one comes after it.
const AFTER_THE_LEASE: Duration = Duration::from_mins(14);

/// What a sweep came to.
#[derive(Debug, Default, Clone)]
pub struct Swept {
    /// Scenarios whose every call was cut.
    pub scenarios: usize,
    /// Places at which a process was killed: calls times two sides, or pairs of them.
    pub points: u64,
    /// Those of them that were lived through; the others leave the same world behind as one of these.
    pub lived: u64,
    /// Those that were lived through from the beginning as well, and which came out differently.
    pub whole: u64,
    /// Points that came out differently from the beginning.
    pub unequal: Vec<String>,
    /// What was violated, with what was killed where.
    pub violations: Vec<(String, Violation)>,
}

/// A scenario of a sweep: a calm script of one or two sessions, the last of which is cut.
pub fn scenario(number: u64) -> Script {
    let calm: &[Kind] = &[];
    let mut script = script(number * 10, Some(calm));
    script.days.truncate(1 + usize::from(number % 2 == 1));
    if let Some(day) = script.days.last_mut() {
        let what = What::Delivery(Delivery::of(Task::Resume));
        day.happenings.push(Happening { after: AFTER_THE_LEASE, what });
    }
    script
}

/// Kills the run of each scenario's last session at every call, before and after.
pub fn kills(scenarios: &[u64], look: impl Fn(u64) + Sync) -> Swept {
    swept(scenarios, look, |number, swept| {
        let script = scenario(number);
        for cut in died(&script, None, Task::Trade)? {
            swept.judge(number, &killed(&script, &cut), &cut, 1);
        }
        Ok(())
    })
}

/// Kills the run at every call, before and after, and for each the resumes that follow at every
/// call of their own.
pub fn pairs(scenarios: &[u64], look: impl Fn(u64) + Sync) -> Swept {
    swept(scenarios, look, |number, swept| {
        let script = scenario(number);
        for first in died(&script, None, Task::Trade)? {
            let once = killed(&script, &first);
            for second in died(&once, Some(&first), Task::Resume)? {
                swept.judge(number, &killed(&once, &second), &second, first.stands_for);
            }
        }
        Ok(())
    })
}

fn died(script: &Script, from: Option<&Cut>, task: Task) -> Result<Vec<Cut>, Unplayable> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|error| Unplayable::new(script, &error))?;
    runtime.block_on(cuts(script, from, task))
}

/// The script with one of its processes ended as it was cut.
fn killed(script: &Script, cut: &Cut) -> Script {
    let mut script = script.clone();
    let day = script.days.get_mut(cut.day.0);
    let happening = day.and_then(|day| day.happenings.get_mut(cut.happening));
    if let Some(delivery) = happening.and_then(|happening| happening.what.delivery_mut()) {
        delivery.fate = cut.fate;
    }
    script
}

impl Swept {
    /// Lives a point through that stands for as many others.
    fn judge(&mut self, number: u64, point: &Script, cut: &Cut, times: u32) {
        self.points += u64::from(cut.stands_for) * u64::from(times);
        self.lived += 1;
        let (truth, found) = judged_on(point, cut);
        self.violations.extend(found.into_iter().map(|v| (named(number, point), v)));
        if (self.lived + number).is_multiple_of(WHOLE_EVERY) {
            self.whole += 1;
            let whole = judged(point).0.map(|truth| truth.fingerprint());
            if whole != truth.map(|truth| truth.fingerprint()) {
                self.unequal.push(named(number, point));
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.scenarios += other.scenarios;
        self.points += other.points;
        self.lived += other.lived;
        self.whole += other.whole;
        self.unequal.extend(other.unequal);
        self.violations.extend(other.violations);
    }
}

/// Sweeps every scenario, on all cores.
fn swept(
    scenarios: &[u64],
    look: impl Fn(u64) + Sync,
    sweep: impl Fn(u64, &mut Swept) -> Result<(), Unplayable> + Sync,
) -> Swept {
    quietly();
    let next = AtomicUsize::new(0);
    let whole = Mutex::new(Swept::default());
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(number) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut part = Swept { scenarios: 1, ..Swept::default() };
                    if let Err(unplayable) = sweep(*number, &mut part) {
                        let what = unplayable.to_string();
                        let violation = Violation { check: "playable", what };
                        part.violations.push((format!("scenario {number}"), violation));
                    }
                    let mut whole = whole.lock().unwrap_or_else(PoisonError::into_inner);
                    whole.add(part);
                    look(whole.points);
                }
            });
        }
    });
    whole.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn named(number: u64, point: &Script) -> String {
    let kills = point.days.last().into_iter().flat_map(|day| &day.happenings);
    let kills: Vec<String> = kills.filter(|h| !h.is_plain()).map(ToString::to_string).collect();
    format!("scenario {number}: {}", kills.join(", "))
}

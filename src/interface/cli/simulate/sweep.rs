//! Kills at every call of a run, on both sides of it; and at every pair of calls of a run and of
//! the resume that follows.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::interface::cli::simulate::battery::judged;
use crate::simulator::oracle::Violation;
use crate::simulator::trial::draw::{Kind, script};
use crate::simulator::trial::lifeline::{Edge, Fate};
use crate::simulator::trial::script::{Delivery, Happening, Script, Task, What};
use crate::simulator::trial::truth::Truth;

/// The two sides of a call.
const EDGES: [Edge; 2] = [Edge::Before, Edge::After];
/// Calls of a run beyond which a scenario is too long for pairs.
const PAIR_CALLS_MAX: u32 = 60;

/// What a sweep came to.
#[derive(Debug, Default, Clone)]
pub struct Swept {
    /// Scenarios whose every call was cut.
    pub scenarios: usize,
    /// Places at which a process was killed: calls times two sides, or pairs of them.
    pub points: usize,
    /// What was violated, with what was killed where.
    pub violations: Vec<(String, Violation)>,
}

/// A scenario of a sweep: a calm script of one or two sessions, the last of which is cut.
pub fn scenario(number: u64) -> Script {
    let calm: &[Kind] = &[];
    let mut script = script(number * 10, Some(calm));
    script.days.truncate(1 + usize::from(number % 2 == 1));
    script
}

/// Kills the run of each scenario's last session at every call, before and after.
pub fn kills(scenarios: &[u64], look: impl Fn(usize) + Sync) -> Swept {
    swept(scenarios, look, |number| {
        let script = scenario(number);
        let calls = calls(&script, Task::Trade);
        let mut points = Vec::new();
        for call in 1..=calls {
            for edge in EDGES {
                points.push(killed(&script, &[(Task::Trade, Fate::Killed { call, edge })]));
            }
        }
        points
    })
}

/// Kills the run at every call, and for each the resume after it at every call of its own.
pub fn pairs(scenarios: &[u64], look: impl Fn(usize) + Sync) -> Swept {
    swept(scenarios, look, |number| {
        let script = scenario(number);
        let calls_of_run = calls(&script, Task::Trade).min(PAIR_CALLS_MAX);
        let mut points = Vec::new();
        for (at, call) in (1..=calls_of_run).enumerate() {
            let edge = EDGES[at % 2];
            let first = (Task::Trade, Fate::Killed { call, edge });
            let once = killed(&script, &[first]);
            for second in 1..=calls(&once, Task::Resume) {
                let edge = EDGES[usize::from(second % 2 == 0)];
                let fate = Fate::Killed { call: second, edge };
                points.push(killed(&script, &[first, (Task::Resume, fate)]));
            }
        }
        points
    })
}

/// Lives through every point of every scenario, on all cores.
fn swept(
    scenarios: &[u64],
    look: impl Fn(usize) + Sync,
    points_of: impl Fn(u64) -> Vec<Script> + Sync,
) -> Swept {
    let next = AtomicUsize::new(0);
    let whole = Mutex::new(Swept::default());
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(number) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let points = points_of(*number);
                    let mut part = Swept { scenarios: 1, points: points.len(), ..Swept::default() };
                    for point in &points {
                        let found = judged(point).1;
                        let named = found.into_iter().map(|v| (named(*number, point), v));
                        part.violations.extend(named);
                    }
                    let mut whole = whole.lock().unwrap_or_else(PoisonError::into_inner);
                    whole.scenarios += part.scenarios;
                    whole.points += part.points;
                    whole.violations.extend(part.violations);
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

/// How many calls the last session's process of a kind makes when it lives.
fn calls(script: &Script, task: Task) -> u32 {
    let truth: Option<Truth> = judged(script).0;
    let last = script.days.len().saturating_sub(1);
    let of_day = truth.iter().flat_map(|truth| &truth.deliveries);
    let calls = of_day.filter(|p| p.day == last && p.delivery.action == task).map(|p| p.calls);
    calls.max().unwrap_or_default()
}

/// The script with its last session's processes of some kinds ended so: a run, and the first
/// resume that comes when the run's lease is over.
fn killed(script: &Script, fates: &[(Task, Fate)]) -> Script {
    let mut script = script.clone();
    let Some(day) = script.days.last_mut() else { return script };
    for (task, fate) in fates {
        let deliveries = day.happenings.iter_mut().filter_map(|h| h.what.delivery_mut());
        let mut of_task = deliveries.filter(|delivery| delivery.action == *task);
        if let Some(delivery) = of_task.next() {
            delivery.fate = *fate;
        }
    }
    // The resumes of the schedule come while a killed run's lease still holds; one after it.
    let after = Duration::from_mins(14);
    day.happenings.push(Happening { after, what: What::Delivery(Delivery::of(Task::Resume)) });
    script
}

//! Many trials, on every core, each judged; and what they came to.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::domain::mutant::Mutant;
use crate::interface::cli::simulate::stage::{Unplayable, live, live_on};
use crate::simulator::oracle::{Violation, judge};
use crate::simulator::trial::cut::Cut;
use crate::simulator::trial::draw::{Kind, script};
use crate::simulator::trial::lifeline::PANIC;
use crate::simulator::trial::script::Script;
use crate::simulator::trial::truth::{End, Truth};

/// One trial in this many is lived through twice, to see that it comes out the same.
const TWICE_EVERY: u64 = 100;
/// Seeds that a core takes at a time.
const BATCH: u64 = 16;
/// Violations remembered; a fault that shows everywhere need not fill the memory.
const REMEMBERED_MAX: usize = 2_000;

/// What many trials came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Trials lived through.
    pub trials: u64,
    /// Sessions in which something could go wrong.
    pub fault_days: u64,
    /// Sessions without trouble: calm trials, and the calm end of every other.
    pub calm_days: u64,
    /// Starts of the function.
    pub deliveries: u64,
    /// Processes killed, stopped at their deadline, or panicked.
    pub broken: u64,
    /// Starts while another process was at work on the run.
    pub overlaps: u64,
    /// Orders that reached the exchange.
    pub orders: u64,
    /// Requests that arrived when nobody waited for them any more.
    pub late: u64,
    /// Letters that reached the operator.
    pub letters: u64,
    /// Hours of virtual time that runs took.
    pub seconds: u64,
    /// Trials lived through twice, and those of them that came out differently.
    pub twice: u64,
    /// Seeds that came out differently the second time.
    pub unequal: Vec<u64>,
    /// Seeds with what was violated, first ones first.
    pub violations: Vec<(u64, Violation)>,
}

impl Tally {
    /// True when nothing was found.
    pub const fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.unequal.is_empty()
    }

    /// Adds another tally.
    pub fn add(&mut self, other: Self) {
        self.trials += other.trials;
        self.fault_days += other.fault_days;
        self.calm_days += other.calm_days;
        self.deliveries += other.deliveries;
        self.broken += other.broken;
        self.overlaps += other.overlaps;
        self.orders += other.orders;
        self.late += other.late;
        self.letters += other.letters;
        self.seconds += other.seconds;
        self.twice += other.twice;
        self.unequal.extend(other.unequal);
        self.violations.extend(other.violations);
        self.violations.sort_by_key(|(seed, _)| *seed);
        self.violations.truncate(REMEMBERED_MAX);
    }

    fn of(truth: &Truth) -> Self {
        let days = u64::try_from(truth.days.len()).unwrap_or_default();
        let calm_end = u64::from(truth.calm_end.is_some());
        let troubled = if truth.script.is_calm() { 0 } else { days - calm_end };
        let count = |n: usize| u64::try_from(n).unwrap_or_default();
        let broken = |end: &End| matches!(end, End::Killed | End::TimedOut | End::Panicked);
        let overlap =
            |end: &End| matches!(end, End::Answered { outcome, .. } if outcome == "in-progress");
        let spent = truth.deliveries.iter().map(|p| p.ended.duration_since(p.started).as_secs());
        Self {
            trials: 1,
            fault_days: troubled,
            calm_days: days - troubled,
            deliveries: count(truth.deliveries.len()),
            broken: count(truth.deliveries.iter().filter(|p| broken(&p.end)).count()),
            overlaps: count(truth.deliveries.iter().filter(|p| overlap(&p.end)).count()),
            orders: count(truth.world.orders().len()),
            late: count(truth.world.asked().iter().filter(|asked| asked.late).count()),
            letters: count(truth.letters.len()),
            seconds: spent.map(i64::unsigned_abs).sum(),
            ..Self::default()
        }
    }
}

/// Lives a script through and judges it.
pub fn judged(script: &Script) -> (Option<Truth>, Vec<Violation>) {
    quietly();
    judged_as(live(script))
}

/// The same, from a cut on.
pub fn judged_on(script: &Script, cut: &Cut) -> (Option<Truth>, Vec<Violation>) {
    judged_as(live_on(script, cut))
}

fn judged_as(
    lives: impl Future<Output = Result<Truth, Unplayable>>,
) -> (Option<Truth>, Vec<Violation>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    match runtime.map(|runtime| runtime.block_on(lives)) {
        Ok(Ok(truth)) => {
            let found = judge(&truth);
            (Some(truth), found)
        }
        Ok(Err(unplayable)) => {
            (None, vec![Violation { check: "playable", what: unplayable.to_string() }])
        }
        Err(error) => (None, vec![Violation { check: "playable", what: error.to_string() }]),
    }
}

/// Which trials, and under which planted fault.
#[derive(Debug, Clone)]
pub struct Battery {
    /// The seeds.
    pub seeds: Range<u64>,
    /// Only these kinds of trouble.
    pub only: Option<Vec<Kind>>,
    /// A safeguard that is missing; only where the feature `mutants` is on.
    pub mutant: Option<Mutant>,
}

/// Trials of a range of seeds on all cores; `look` sees each core's part as it is done and may say
/// that it is enough.
pub fn battery(asked: &Battery, look: impl Fn(&Tally) -> Goes + Sync) -> Tally {
    let Battery { seeds, only, mutant } = asked;
    let next = AtomicU64::new(seeds.start);
    let enough = AtomicBool::new(false);
    let whole = Mutex::new(Tally::default());
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                planted(*mutant);
                while !enough.load(Ordering::Relaxed) {
                    let from = next.fetch_add(BATCH, Ordering::Relaxed);
                    if from >= seeds.end {
                        break;
                    }
                    let mut part = Tally::default();
                    for seed in from..(from + BATCH).min(seeds.end) {
                        part.add(trial(seed, only.as_deref()));
                    }
                    let mut whole = whole.lock().unwrap_or_else(PoisonError::into_inner);
                    whole.add(part);
                    if look(&whole) == Goes::Enough {
                        enough.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    whole.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// This thread's processes lack a safeguard from now on.
fn planted(mutant: Option<Mutant>) {
    #[cfg(feature = "mutants")]
    crate::domain::mutant::plant(mutant);
    #[cfg(not(feature = "mutants"))]
    let _ = mutant; // nothing can be planted
}

/// Whether a battery goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goes {
    /// It does.
    On,
    /// What was seen is enough.
    Enough,
}

fn trial(seed: u64, only: Option<&[Kind]>) -> Tally {
    let script = script(seed, only);
    let (truth, found) = judged(&script);
    let Some(truth) = truth else {
        let violations = found.into_iter().map(|violation| (seed, violation)).collect();
        return Tally { trials: 1, violations, ..Tally::default() };
    };
    let mut tally = Tally::of(&truth);
    tally.violations = found.into_iter().map(|violation| (seed, violation)).collect();
    if seed % TWICE_EVERY == 7 {
        let (again, _) = judged(&script);
        tally.twice = 1;
        if again.is_none_or(|again| again.fingerprint() != truth.fingerprint()) {
            tally.unequal.push(seed);
        }
    }
    tally
}

/// Panics that a script wants are no news for the terminal.
pub(super) fn quietly() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload().downcast_ref::<&str>() != Some(&PANIC) {
                before(panic);
            }
        }));
    });
}

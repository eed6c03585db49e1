//! Days full of trouble, by the thousand: production code above the transport and the
//! ports, in virtual time, judged by an oracle that goes by the world alone.
//!
//! Run by `make simulate`, with a profile of its own; it is no part of an ordinary test build. A
//! violation prints its seed, the smallest trouble that is enough, and how to live through it again.

#![expect(clippy::print_stdout, reason = "the figures are the point of it")]

#[path = "catalogue/invariants.rs"]
#[allow(dead_code, reason = "the catalogue reads the other fields")]
mod invariants;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Mutex;

use alchemiser::domain::mutant::Mutant;
use alchemiser::interface::cli::simulate::battery::{Battery, Goes, Tally, battery};
use alchemiser::interface::cli::simulate::sweep::{Swept, kills, pairs};
use alchemiser::interface::cli::simulate::{rows, smallest};
use alchemiser::simulator::oracle::{CHECKS, Violation};
use invariants::{INVARIANTS, Invariant};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Trials that are lived through, and the fault days that they have at least: what two cores reach in
/// three minutes. Longer runs ask for more by `SIMULATE_TRIALS`.
const TRIALS: u64 = 8_000;
const FAULT_DAYS_LEAST: u64 = 24_000;
/// Seeds in which every planted fault has to be caught.
const MUTANT_SEEDS: u64 = 2_000;
/// Scenarios whose every call is cut, and those whose every pair of calls is.
const SCENARIOS: u64 = 200;
const PAIR_SCENARIOS: u64 = 10;

/// A number from the environment, for longer runs than the usual.
fn asked(name: &str, usual: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how long a run is to be is asked here alone")]
    let said = std::env::var(name);
    said.ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn shown(tally: &Tally) {
    for (name, value) in rows(tally) {
        println!("  {name:<34}{value:>12}");
    }
}

#[test]
fn nothing_is_done_twice_and_nothing_is_lost_in_thousands_of_days_of_trouble() {
    let (trials, from) = (asked("SIMULATE_TRIALS", TRIALS), asked("SIMULATE_FROM", 0));
    let seeds = from..from + trials;
    let all = Battery { seeds, only: None, mutant: None };
    let step = (trials / 40).max(1);
    let known = Mutex::new(BTreeSet::new());
    let tally = battery(&all, |tally| {
        let mut known = known.lock().unwrap();
        for (seed, what) in &tally.violations {
            if known.insert(*seed) {
                println!("  seed {seed}: {}: {}", what.check, what.what);
            }
        }
        if tally.trials % step < 16 {
            println!("  {} of {trials} trials, {} found", tally.trials, known.len());
        }
        Goes::On
    });
    shown(&tally);
    for (seed, what) in smallest(&tally, None) {
        println!("seed {seed}: alchemiser simulate --replay {seed}\n{what}");
    }
    let least = FAULT_DAYS_LEAST * trials / TRIALS;
    assert!(tally.fault_days >= least, "{} fault days", tally.fault_days);
    assert!(tally.twice >= tally.trials / 101, "one in a hundred is lived through twice");
    assert!(tally.is_clean(), "violations of {:?}", checks(&tally));
}

fn checks(tally: &Tally) -> BTreeSet<&'static str> {
    tally.violations.iter().map(|(_, violation)| violation.check).collect()
}

#[test]
fn a_run_killed_at_any_call_is_finished_and_done_once() {
    let scenarios: Vec<u64> = (0..asked("SIMULATE_SCENARIOS", SCENARIOS)).collect();
    let swept = kills(&scenarios, |_| {});
    judged(&swept, scenarios.len());
}

#[test]
fn a_run_and_its_resume_killed_at_any_two_calls_are_finished_and_done_once() {
    let scenarios: Vec<u64> = (0..asked("SIMULATE_PAIRS", PAIR_SCENARIOS)).collect();
    let swept = pairs(&scenarios, |_| {});
    judged(&swept, scenarios.len());
}

fn judged(swept: &Swept, scenarios: usize) {
    println!("  {} scenarios, {} points", swept.scenarios, swept.points);
    println!("  {} of them lived through, {} from the beginning as well", swept.lived, swept.whole);
    for (point, violation) in swept.violations.iter().take(10) {
        println!("  {point}: {}: {}", violation.check, violation.what);
    }
    assert_eq!(swept.scenarios, scenarios);
    assert!(
        swept.lived >= 10 * u64::try_from(scenarios).expect("few"),
        "a run makes more calls than that"
    );
    assert!(swept.violations.is_empty(), "{} violations", swept.violations.len());
    assert!(swept.whole >= swept.lived / 100, "some are lived through from the beginning");
    assert_eq!(swept.unequal, Vec::<String>::new(), "came out differently from the beginning");
}

/// Seeds by which planted faults were caught before, each with the check that saw it: tried first,
/// so that all of them need seconds. Where one no longer serves, all seeds are tried.
const CAUGHT_BEFORE: &[(&str, &str, u64)] = &[
    ("any-version", "another-version-sends-nothing", 609),
    ("asked-once", "halt-stops-orders", 287),
    ("attempt-not-kept", "plan-before-order", 2),
    ("buy-plan-not-kept", "plan-before-order", 0),
    ("buying-power", "buys-within-budget", 0),
    ("buys-at-once", "buys-after-sells", 1),
    ("buys-at-once", "calm-is-perfect", 0),
    ("deadline-ignored", "ends-in-time", 298),
    ("duplicate-means-refused", "final-tells-the-truth", 444),
    ("ended-without-orders", "final-tells-the-truth", 115),
    ("failure-sells", "cash-only-when-said", 11),
    ("failure-sells", "failure-sells-nothing", 11),
    ("force-anyway", "generations-in-turn", 759),
    ("foreign-taken", "foreign-untouched", 44),
    ("lease-for-ever", "every-run-ends", 7),
    ("left-open-forgotten", "every-run-ends", 7),
    ("lost-is-first", "lost-records-stop", 507),
    ("lost-means-refused", "final-tells-the-truth", 9),
    ("mail-again", "told-once", 0),
    ("mail-first", "told-once", 0),
    ("memory-over-store", "chain-holds", 232),
    ("never-too-late", "late-never-trades", 4),
    ("new-id-after-not-found", "attempts-in-turn", 22),
    ("new-id-after-not-found", "filled-at-most-planned", 28),
    ("next-before-cancelled", "attempts-in-turn", 2),
    ("no-cutoff", "in-session", 208),
    ("no-tick", "on-the-tick", 40),
    ("nobody-adopts", "final-tells-the-truth", 7),
    ("ordered-means-bought", "ledger-is-the-account", 354),
    ("plan-again", "filled-at-most-planned", 378),
    ("plan-never-old", "late-never-trades", 49),
    ("planned-proceeds", "buys-within-budget", 2),
    ("random-ids", "calm-is-perfect", 40),
    ("random-ids", "plan-before-order", 40),
    ("reserve-spent", "buys-within-budget", 0),
    ("rest-forgets-fills", "filled-at-most-planned", 1),
    ("rest-forgets-fills", "never-short", 7),
    ("silence-is-consent", "halt-stops-orders", 39),
    ("skew-ignored", "skew-never-trades", 36),
    ("split-ignored", "split-waits", 476),
    ("stream-is-truth", "buys-after-sells", 3),
    ("stream-is-truth", "calm-is-perfect", 0),
    ("unknown-means-gone", "final-tells-the-truth", 133),
    ("watch-sleeps", "somebody-is-told", 54),
];

#[test]
fn every_planted_fault_is_caught_and_by_the_checks_of_the_laws_it_breaks() {
    let mut missed = Vec::new();
    let all: Vec<&str> = CHECKS.iter().map(|(name, ..)| *name).collect();
    let any = Mutant::ALL.iter().map(|mutant| ("any", *mutant, all.as_slice()));
    let of_law = |law: &'static Invariant| {
        let named = |name: &&str| Mutant::ALL.iter().find(|mutant| mutant.as_str() == *name);
        let mutants = law.mutants.iter().map(move |name| named(name).expect("it exists"));
        mutants.map(|mutant| (law.name, *mutant, law.checks))
    };
    for (law, mutant, checks) in any.chain(INVARIANTS.iter().flat_map(of_law)) {
        let name = mutant.as_str();
        let served = |known: &&(&str, &str, u64)| known.0 == name && checks.contains(&known.1);
        let before = CAUGHT_BEFORE.iter().find(served).map(|(_, _, seed)| *seed);
        let first = before.and_then(|seed| caught(mutant, checks, seed..seed + 1));
        if let Some((seed, by)) = first.or_else(|| caught(mutant, checks, 0..MUTANT_SEEDS)) {
            println!("  {law:<4}{name:<26} caught by seed {seed:>5}: {by}");
        } else {
            println!("  {law:<4}{name:<26} SURVIVES {MUTANT_SEEDS} seeds");
            missed.push((law, name));
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
    assert!(CAUGHT_BEFORE.iter().all(|(_, _, seed)| *seed < MUTANT_SEEDS));
}

/// The first of some seeds by which some checks catch a planted fault, and the check that does.
fn caught(mutant: Mutant, checks: &[&str], seeds: Range<u64>) -> Option<(u64, &'static str)> {
    let all = Battery { seeds, only: None, mutant: Some(mutant) };
    let is_theirs = |(_, violation): &&(u64, Violation)| checks.contains(&violation.check);
    let tally = battery(&all, |tally| match tally.violations.iter().find(is_theirs) {
        Some(_) => Goes::Enough,
        None => Goes::On,
    });
    tally.violations.iter().find(is_theirs).map(|(seed, by)| (*seed, by.check))
}

//! Days full of trouble, by the thousand: production code above the transport and the
//! ports, in virtual time, judged by an oracle that goes by the world alone.
//!
//! Run by `make simulate`, with a profile of its own; it is no part of an ordinary test build. A
//! violation prints its seed, the smallest trouble that is enough, and how to live through it again.

#![expect(clippy::print_stdout, reason = "the figures are the point of it")]

use std::collections::BTreeSet;
use std::sync::Mutex;

use alchemiser::domain::mutant::Mutant;
use alchemiser::interface::cli::simulate::battery::{Battery, Goes, Tally, battery};
use alchemiser::interface::cli::simulate::sweep::{Swept, kills, pairs};
use alchemiser::interface::cli::simulate::{rows, smallest};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Trials that are lived through, and the fault days that they have at least: what two cores reach in
/// two minutes. Longer runs ask for more by `SIMULATE_TRIALS`.
const TRIALS: u64 = 4_800;
const FAULT_DAYS_LEAST: u64 = 14_000;
/// Seeds in which every planted fault has to be caught.
const MUTANT_SEEDS: u64 = 2_000;
/// Scenarios whose every call is cut, and those whose every pair of calls is.
const SCENARIOS: u64 = 40;
const PAIR_SCENARIOS: u64 = 1;

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
    for (point, violation) in swept.violations.iter().take(10) {
        println!("  {point}: {}: {}", violation.check, violation.what);
    }
    assert_eq!(swept.scenarios, scenarios);
    assert!(swept.points >= 20 * scenarios, "a run makes more calls than that");
    assert!(swept.violations.is_empty(), "{} violations", swept.violations.len());
}

#[test]
fn every_planted_fault_is_caught() {
    let mut missed = Vec::new();
    for mutant in Mutant::ALL {
        let seeds = 0..MUTANT_SEEDS;
        let all = Battery { seeds, only: None, mutant: Some(*mutant) };
        let tally =
            battery(
                &all,
                |tally| {
                    if tally.violations.is_empty() { Goes::On } else { Goes::Enough }
                },
            );
        if let Some((seed, by)) = tally.violations.first() {
            println!("  {:<26} caught by seed {seed:>5}: {}", mutant.as_str(), by.check);
        } else {
            println!("  {:<26} SURVIVES {} seeds", mutant.as_str(), tally.trials);
            missed.push(mutant.as_str());
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

//! Every input that fuzzing found worth keeping, through the same doors.
//!
//! `fuzz/` has its own workspace, which needs libFuzzer; what it found is checked without.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::Path;

#[path = "../fuzz/doors/mod.rs"]
mod doors;

/// Sends every kept input of a target through its door, and answers how many there were.
fn replay(target: &str, enter: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        enter(&bytes);
        count += 1;
    }
    count
}

#[test]
fn the_brokers_answers_are_read_or_refused() {
    assert!(replay("broker", doors::broker::enter) > 0);
}

#[test]
fn the_brokers_messages_are_heard_or_end_the_line() {
    assert!(replay("stream", doors::stream::enter) > 0);
}

#[test]
fn the_text_of_a_strategy_is_read_or_refused() {
    assert!(replay("symphony", doors::symphony::enter) > 0);
}

#[test]
fn the_steps_of_a_strategy_are_read_or_refused() {
    assert!(replay("steps", doors::steps::enter) > 0);
}

#[test]
fn a_strategy_decides_on_any_market_or_says_why_not() {
    assert!(replay("evaluate", doors::evaluate::enter) > 0);
}

#[test]
fn an_event_is_understood_in_full_or_refused() {
    assert!(replay("event", doors::event::enter) > 0);
}

#[test]
fn a_policy_is_understood_in_full_or_refused() {
    assert!(replay("policy", doors::policy::enter) > 0);
}

#[test]
fn stored_records_are_read_back_or_refused() {
    assert!(replay("journal", doors::journal::enter) > 0);
}

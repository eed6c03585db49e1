//! What was written: once, for good, to the end, and true.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::Value;

use crate::simulator::oracle::Findings;
use crate::simulator::oracle::reading::{Evidence, Ours, amount, digest};
use crate::simulator::trial::truth::End;

/// A run has one plan, whoever made it.
pub fn one_plan(evidence: &Evidence<'_>, findings: &mut Findings) {
    if evidence.truth.wiped {
        return;
    }
    let mut plans: BTreeMap<&str, usize> = BTreeMap::new();
    for written in evidence.truth.written.iter().filter(|w| w.key.ends_with("plan.json")) {
        *plans.entry(&written.key).or_default() += 1;
    }
    for (key, count) in plans {
        findings.require(count == 1, || format!("{key} was written {count} times"));
    }
}

/// Records stay as they were written, and views never take a record's place.
pub fn records_never_change(evidence: &Evidence<'_>, findings: &mut Findings) {
    let truth = evidence.truth;
    for written in truth.written.iter().filter(|written| written.key.starts_with("runs/")) {
        findings.require(written.once, || format!("{} was written as a view", written.key));
        if truth.wiped || truth.damaged.contains(&written.key) {
            continue;
        }
        let kept = truth.records.get(&written.key);
        let same = kept.is_some_and(|kept| kept.bytes == written.bytes);
        findings.require(same, || format!("{} is not what was written", written.key));
    }
}

/// Every record continues from one that was written before it. Hashing every record takes time, so
/// one trial in five is looked at.
pub fn chain_holds(evidence: &Evidence<'_>, findings: &mut Findings) {
    if evidence.truth.script.seed % 5 != 2 {
        return;
    }
    let mut known = BTreeSet::new();
    let records = evidence.truth.written.iter().filter(|written| written.once);
    for written in records.filter(|written| written.key.starts_with("runs/")) {
        let record: Value = serde_json::from_slice(&written.bytes).unwrap_or_default();
        if let Some(parent) = record["previous"].as_str() {
            findings.require(known.contains(parent), || {
                format!("{} continues from a record that nobody wrote", written.key)
            });
        }
        known.insert(digest(&written.bytes));
    }
}

/// Once the trouble is over, every run that made a plan has its final record.
pub fn every_run_ends(evidence: &Evidence<'_>, findings: &mut Findings) {
    if evidence.is_damaged() {
        return; // a run whose records cannot be trusted must not be ended by guessing
    }
    for (name, run) in evidence.runs.iter().filter(|(_, run)| run.at("plan.json").is_some()) {
        findings.require(run.at("final.json").is_some(), || {
            let last = evidence.truth.deliveries.iter().rev().take(4);
            let ends: Vec<&End> = last.map(|process| &process.end).collect();
            format!("{name} has a plan and no end; the last processes: {ends:?}")
        });
    }
}

/// The final record's orders are the exchange's, share for share and at the exchange's price.
///
/// Where the records of a run were lost, a later one may know nothing of its orders and has to stop.
pub fn final_tells_the_truth(evidence: &Evidence<'_>, findings: &mut Findings) {
    if evidence.truth.wiped {
        return;
    }
    for (name, run) in &evidence.runs {
        let Some(at) = run.at("final.json") else { continue };
        let outcomes = run.outcomes();
        let told: BTreeMap<&str, &Value> = outcomes
            .iter()
            .flat_map(|outcome| outcome["attempts"].as_array().into_iter().flatten())
            .filter_map(|attempt| Some((attempt["id"].as_str()?, attempt)))
            .collect();
        for ours in evidence.of_run(name) {
            let unknown = run.is_unknown(&ours.symbol, ours.side);
            let Some(attempt) = told.get(ours.order.client_id.as_str()) else {
                // Only an order that arrived after everybody had given it up may be missing.
                let late = ours.order.created_at >= at || unknown;
                findings.require(late, || format!("{} is not in the final record", ours.name()));
                continue;
            };
            if unknown || ours.order.updated_at > at {
                continue;
            }
            same(ours, attempt, findings);
        }
        for (id, attempt) in told {
            let known = evidence.ours.iter().any(|ours| ours.order.client_id == id);
            let nothing = amount(attempt, "filled").is_zero();
            findings.require(known || nothing, || {
                format!("{name} tells of fills of {id}, which the exchange never saw")
            });
        }
    }
}

fn same(ours: &Ours, attempt: &Value, findings: &mut Findings) {
    let filled = amount(attempt, "filled");
    findings.require(filled == ours.order.filled, || {
        format!("{}: {filled} told, {} executed", ours.name(), ours.order.filled)
    });
    if let Some(average) = ours.order.average() {
        let told = amount(attempt, "fill_price");
        let near = (told - average).abs() <= Decimal::new(1, 6);
        findings
            .require(near, || format!("{}: told at {told}, executed at {average}", ours.name()));
    }
    let ended = ours.ended().is_some();
    let state = attempt["state"].as_str().unwrap_or_default();
    let over = ["filled", "cancelled", "expired", "rejected", "refused"].contains(&state);
    findings.require(ended == over || state == "unknown", || {
        format!("{}: told as {state}, it is {}", ours.name(), ours.order.status.as_str())
    });
}

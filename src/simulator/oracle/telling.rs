//! What the operator learns, and what nobody may learn.

use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::simulator::oracle::Findings;
use crate::simulator::oracle::reading::{Evidence, amount};
use crate::simulator::trial::lifeline::Fate;
use crate::simulator::trial::script::{Engines, PostTrouble, Task, What, Wish};
use crate::simulator::trial::shelf::ShelfFault;
use crate::simulator::trial::truth::{End, Lived, MailEnd, Process};
use crate::simulator::trial::vault;

/// Dollars that are too little to be ordered.
const SLIVER: Decimal = Decimal::from_parts(5, 0, 0, false, 0);
/// The shortest time in which an invocation has to be able to end itself.
const LASTS_LEAST: Duration = Duration::from_secs(45);

/// No key shows in any record, letter or log line: plain, or as mails and URLs spell it.
///
/// Looking through every byte takes time, so one trial in five is looked through.
pub fn secrets_show_nowhere(evidence: &Evidence<'_>, findings: &mut Findings) {
    if evidence.truth.script.seed % 5 != 1 {
        return;
    }
    let secrets = [vault::KEY_ID, vault::SECRET_KEY, vault::ROTATED.0, vault::ROTATED.1];
    let spelt: Vec<String> = secrets.iter().flat_map(|secret| spellings(secret)).collect();
    let mut look = |place: &str, bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        for secret in &spelt {
            findings.require(!text.contains(secret.as_str()), || format!("a key shows in {place}"));
        }
    };
    for written in &evidence.truth.written {
        look(&written.key, &written.bytes);
    }
    for delivered in &evidence.truth.letters {
        look(&delivered.letter.subject, &delivered.letter.raw);
    }
    if let Some(log) = &evidence.truth.log {
        look("the log", log.as_bytes());
    }
}

/// A secret as it stands, as JSON and URLs escape it, and as base64 shows it in any alignment.
fn spellings(secret: &str) -> Vec<String> {
    use base64::Engine as _;
    let mut all = vec![secret.to_owned(), secret.replace('/', "\\/")];
    all.push(secret.replace('/', "%2F").replace('+', "%2B"));
    for shift in 0..3 {
        let padded = format!("{}{secret}", "x".repeat(shift));
        let text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(padded);
        let (from, until) = (4 * usize::from(shift > 0), text.len() - 4);
        all.push(text[from..until].to_owned());
    }
    all
}

/// An invocation with time enough ends by itself before its time is over.
pub fn ends_in_time(evidence: &Evidence<'_>, findings: &mut Findings) {
    for process in &evidence.truth.deliveries {
        let frozen = matches!(process.delivery.fate, Fate::Frozen { .. });
        let enough = process.delivery.lasts >= LASTS_LEAST && process.delivery.skew.is_zero();
        findings.require(process.end != End::TimedOut || frozen || !enough, || {
            format!("{} ran out of its {:?}", process.writer, process.delivery.lasts)
        });
    }
}

/// A day that did not end well is told to somebody, unless the mail itself is in trouble.
pub fn somebody_is_told(evidence: &Evidence<'_>, findings: &mut Findings) {
    for (number, lived) in evidence.truth.days.iter().enumerate() {
        let of_day = || evidence.truth.deliveries.iter().filter(|process| process.day == number);
        let watched = of_day().any(|p| p.delivery.action == Task::Watch && answered(p));
        let next = evidence.truth.days.get(number + 1).map_or(Timestamp::MAX, |next| next.due);
        // Letters may be refused days after the trouble with them began.
        let until_then = evidence.truth.happened.iter().filter(|(at, _)| *at < next);
        let unsent = until_then.into_iter().any(|(_, what)| matches!(what, What::Post(..)));
        let mute = unsent
            || evidence.truth.happened_on(number).any(|(_, what)| {
                matches!(what, What::Shelf(trouble) if trouble.what != ShelfFault::Wiped)
            });
        if !watched || mute {
            continue;
        }
        let letters = evidence.truth.letters.iter();
        let told = letters.filter(|letter| lived.due <= letter.at && letter.at < next).count();
        let ended = evidence
            .runs
            .get(&format!("{}/open/g0", lived.date))
            .is_some_and(|run| run.at("final.json").is_some_and(|at| at < next));
        findings.require(told > 0 || ended, || format!("nobody was told of {}", lived.date));
        let sent = of_day().any(|p| matches!(&p.end, End::Answered { mail: MailEnd::Sent, .. }));
        findings.require(!sent || told > 0, || {
            format!("on {} a mail is said to be sent and none came", lived.date)
        });
    }
}

fn answered(process: &Process) -> bool {
    matches!(process.end, End::Answered { .. })
}

/// A run's end is told once, unless a mail's answer or its mark was lost.
pub fn told_once(evidence: &Evidence<'_>, findings: &mut Findings) {
    let lost = evidence
        .any(|what| matches!(what, What::Post(_, PostTrouble::AnswerLost) | What::Shelf(_)));
    let unruly = evidence.truth.deliveries.iter().any(|process| !answered(process));
    let previews = evidence.truth.deliveries.iter();
    let previews = previews.filter(|process| process.delivery.action == Task::Preview).count();
    if lost || unruly || previews > 1 {
        return;
    }
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for delivered in &evidence.truth.letters {
        let raw = String::from_utf8_lossy(&delivered.letter.raw);
        let id = raw.lines().find(|line| line.to_ascii_lowercase().starts_with("message-id:"));
        *seen.entry(id.unwrap_or_default().to_owned()).or_default() += 1;
    }
    for (id, count) in seen {
        findings.require(count == 1, || format!("{id} came {count} times"));
    }
}

/// No letter says that a run went well before its final record is kept.
pub fn told_after_the_end(evidence: &Evidence<'_>, findings: &mut Findings) {
    let mut ends: Vec<Timestamp> =
        evidence.runs.values().filter_map(|run| run.at("final.json")).collect();
    ends.sort();
    let mut seen = std::collections::BTreeSet::new();
    for delivered in &evidence.truth.letters {
        let raw = String::from_utf8_lossy(&delivered.letter.raw);
        let id = raw.lines().find(|line| line.to_ascii_lowercase().starts_with("message-id:"));
        let good = delivered.letter.subject.starts_with("[PAPER OK]");
        if !good || !seen.insert(id.unwrap_or_default().to_owned()) {
            continue;
        }
        let kept = ends.partition_point(|end| *end <= delivered.at);
        findings.require(seen.len() <= kept, || {
            format!("{} at {} before any final record", delivered.letter.subject, delivered.at)
        });
    }
}

/// A trial without trouble is perfect: every order filled, one letter a day, the targets reached.
pub fn calm_is_perfect(evidence: &Evidence<'_>, findings: &mut Findings) {
    let truth = evidence.truth;
    if !truth.script.is_calm() {
        return;
    }
    let slivers = |day: usize| truth.days.get(day).is_some_and(|d| rest_is_natural(evidence, d));
    for process in truth.deliveries.iter().filter(|p| p.delivery.action == Task::Trade) {
        if slivers(process.day) {
            continue;
        }
        let good = matches!(
            &process.end,
            End::Answered { outcome, failed: false, .. }
                if outcome == "done" || outcome == "nothing-to-do"
        );
        findings.require(good, || format!("a calm day ended as {:?}", process.end));
    }
    for (number, lived) in truth.days.iter().enumerate() {
        if slivers(number) {
            continue; // what is told of a partial day is told by the watch too
        }
        let on_day = truth.letters.iter().filter(|l| lived.due <= l.at && l.at <= lived.over);
        let count = on_day.count();
        findings.require(count == 1, || format!("{count} letters on the calm {}", lived.date));
    }
    // Where the surer side of a conflict wins, the other keeps what it has.
    let nets = !truth.script.setting.policy.contains("highest-confidence");
    let left = slivers(truth.days.len().saturating_sub(1));
    if nets && !left && truth.script.setting.engines == Engines::Tables {
        targets_reached(evidence, findings);
    }
}

/// Whether a day's orders left something unfilled, and each rest is either too little to be ordered,
/// as many small executions may leave it, or what a market that executes in parts still owed when the
/// last attempt ended.
fn rest_is_natural(evidence: &Evidence<'_>, lived: &Lived) -> bool {
    let Some(run) = evidence.runs.get(&format!("{}/open/g0", lived.date)) else { return false };
    let setting = &evidence.truth.script.setting;
    let attempts_most = if setting.policy.contains("urgency = \"high\"") { 1 } else { 4 };
    let rests: Vec<bool> = run
        .outcomes()
        .into_iter()
        .filter_map(|outcome| {
            let attempts: Vec<_> = outcome["attempts"].as_array().into_iter().flatten().collect();
            let filled: Vec<Decimal> = attempts.iter().map(|a| amount(a, "filled")).collect();
            let symbol = outcome["symbol"].as_str().unwrap_or_default();
            let price = evidence.truth.world.price(symbol).unwrap_or_default();
            let rest = (amount(outcome, "planned") - filled.iter().sum::<Decimal>()) * price;
            let in_parts = setting.fills.partial > 0.0
                && attempts.len() == attempts_most
                && filled.last().is_some_and(|filled| !filled.is_zero());
            (!rest.is_zero()).then_some(rest <= SLIVER || in_parts)
        })
        .collect();
    !rests.is_empty() && rests.iter().all(|natural| *natural)
}

/// Each position is worth what the strategies want, but for the smallest resize of each sleeve.
fn targets_reached(evidence: &Evidence<'_>, findings: &mut Findings) {
    let truth = evidence.truth;
    let Some(last) = truth.days.last() else { return };
    let run = evidence.runs.get(&format!("{}/open/g0", last.date));
    let Some(plan) = run.and_then(|run| run.plan()) else { return };
    let (equity, reserve) =
        (amount(&plan["capital"], "equity"), amount(&plan["capital"], "reserve"));
    let wishes = truth.script.days.last().map(|day| day.wishes.clone()).unwrap_or_default();
    let strategies = &truth.script.setting.strategies;
    for (symbol, _) in crate::simulator::trial::draw::PRICES {
        let Some(price) = truth.world.price(symbol) else { continue };
        let wanted: Decimal = strategies
            .iter()
            .zip(&wishes)
            .map(|((_, allocation), wish)| {
                let Wish::Weights(weights) = wish else { return Decimal::ZERO };
                let weight = weights.iter().find(|(named, _)| *named == symbol);
                let weight = weight.and_then(|(_, weight)| weight.parse::<Decimal>().ok());
                let allocation: Decimal = allocation.parse().unwrap_or_default();
                allocation * weight.unwrap_or_default() * (equity - reserve)
            })
            .sum();
        let held = truth.world.position(symbol) * price;
        let smallest = (equity * Decimal::new(25, 4)).max(Decimal::from(5));
        // What a sale of whole shares leaves over is missing to every other symbol.
        let whole = truth.script.setting.whole.and_then(|symbol| truth.world.price(symbol));
        let whole = whole.unwrap_or_default();
        let count = Decimal::from(strategies.len());
        let slack = (smallest + whole) * count + equity * Decimal::new(1, 2);
        findings.require((held - wanted).abs() <= slack, || {
            format!("{symbol} is worth {held}, the strategies want {wanted}, give or take {slack}")
        });
    }
}

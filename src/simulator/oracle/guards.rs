//! When nothing may be sent, and for whom.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::domain::order::Side;
use crate::simulator::exchange::Entry;
use crate::simulator::oracle::Findings;
use crate::simulator::oracle::reading::{Evidence, Ours, RUNS, amount, digest};
use crate::simulator::trial::draw::PRICES;
use crate::simulator::trial::lifeline::Fate;
use crate::simulator::trial::script::{Code, Engines, Permit, Task, Turn, What, Wish};
use crate::simulator::trial::shelf::ShelfFault;
use crate::simulator::trial::shelf::Written;
use crate::simulator::trial::truth::Lived;

/// No order in the first minute of a session, nor in its last two.
const GUARD: SignedDuration = SignedDuration::from_secs(60);
const CUTOFF: SignedDuration = SignedDuration::from_secs(120);
/// An event of this age never trades; a run that began in time may take some minutes.
const LATENESS: SignedDuration = SignedDuration::from_mins(20);
const RUN_LASTS: SignedDuration = SignedDuration::from_mins(5);
/// A plan is good for this long.
const PLAN_LASTS: SignedDuration = SignedDuration::from_mins(15);
/// Clocks may differ by so much.
const SKEW: SignedDuration = SignedDuration::from_secs(31);
/// A halt comes as late as what is under way: a permission is good for a second, a request takes one.
const HALT_GRACE: SignedDuration = SignedDuration::from_millis(2_500);

/// Whether an order reached the exchange after whoever sent it had stopped waiting.
fn came_late(evidence: &Evidence<'_>, ours: &Ours) -> bool {
    let asked = evidence.truth.world.asked();
    asked.iter().any(|asked| {
        asked.late
            && asked.at == ours.order.created_at
            && asked.body.contains(&ours.order.client_id)
    })
}

/// Whether an order was in hand when its process stood still, and left when that moved again.
pub fn was_held(evidence: &Evidence<'_>, ours: &Ours) -> bool {
    let sent = evidence.truth.deliveries.iter().flat_map(|process| &process.sent);
    sent.filter(|sent| sent.held).any(|sent| sent.body.contains(&ours.order.client_id))
}

fn lived<'a>(evidence: &'a Evidence<'_>, ours: &Ours) -> Option<(usize, &'a Lived)> {
    evidence.truth.days.iter().enumerate().find(|(_, lived)| lived.date == ours.session)
}

/// A strategy that fails has no part in any sale or purchase of its day.
pub fn failure_sells_nothing(evidence: &Evidence<'_>, findings: &mut Findings) {
    let script = &evidence.truth.script;
    if script.setting.engines == Engines::Trees {
        return; // what a tree says is not known here
    }
    for (number, day) in script.days.iter().enumerate() {
        let Some(lived) = evidence.truth.days.get(number) else { continue };
        let stale: BTreeSet<&str> = evidence
            .truth
            .happened_on(number)
            .filter(|(at, _)| *at <= lived.due)
            .filter_map(|(_, what)| match what.turn() {
                Some(Turn::Stale(symbol)) => Some(symbol),
                Some(_) | None => None,
            })
            .collect();
        let failed: BTreeSet<&str> = script
            .setting
            .strategies
            .iter()
            .zip(&day.wishes)
            .filter(|(_, wish)| match wish {
                Wish::Weights(weights) => weights.iter().any(|(s, _)| stale.contains(s)),
                Wish::Cash => false,
                Wish::Fails | Wish::Empty | Wish::TooMuch | Wish::Panics => true,
            })
            .map(|((name, _), _)| *name)
            .collect();
        let Some(run) = evidence.runs.get(&format!("{}/open/g0", lived.date)) else { continue };
        let items = run.plan().and_then(|plan| plan["items"].as_array());
        for item in items.into_iter().flatten() {
            let word = item["action"]["do"].as_str().unwrap_or_default();
            let parts = item["parts"].as_array().into_iter().flatten();
            for part in parts.filter(|_| matches!(word, "sell" | "buy")) {
                let strategy = part["strategy"].as_str().unwrap_or_default();
                findings.require(!failed.contains(strategy), || {
                    format!("{word} of {} for {strategy}, which failed", item["symbol"])
                });
            }
        }
    }
}

/// A plan that sells leaves invested at least half of what the strategies ask for; and half of what
/// was, if none of them says cash.
pub fn cash_only_when_said(evidence: &Evidence<'_>, findings: &mut Findings) {
    for (name, run) in &evidence.runs {
        let Some(plan) = run.plan() else { continue };
        let items: Vec<&Value> = plan["items"].as_array().into_iter().flatten().collect();
        let sells = items.iter().any(|item| item["action"]["do"] == "sell");
        let value = |of: &str| -> Decimal {
            items.iter().map(|item| amount(item, of) * amount(item, "reference")).sum()
        };
        let (before, after) = (value("held"), value("wanted"));
        let asked = amount(&plan["capital"], "asked");
        findings.require(!sells || after * Decimal::TWO >= asked, || {
            format!("{name} sells and leaves {after} invested of {asked} asked for")
        });
        let waits = plan["conflicts"].as_array().is_some_and(|listed| !listed.is_empty())
            && evidence.truth.script.setting.policy.contains("highest-confidence");
        let unsaid = !waits && !may_say_cash(evidence, name);
        findings.require(!sells || !unsaid || after * Decimal::TWO >= before, || {
            format!("{name} sells and leaves {after} invested of {before}, and nobody said so")
        });
    }
}

/// Whether a strategy said cash on the day of a run, or it is not known; or cash was taken out, or
/// what it named could not be bought.
fn may_say_cash(evidence: &Evidence<'_>, run: &str) -> bool {
    let script = &evidence.truth.script;
    let number = evidence.truth.days.iter().position(|l| run.starts_with(&l.date.to_string()));
    let day = number.and_then(|number| script.days.get(number).or(script.days.last()));
    script.setting.engines == Engines::Trees
        || evidence.any(|what| matches!(what, What::Hand(_)))
        || evidence.any(|what| what.turn().is_some_and(|turn| !matches!(turn, Turn::Moves(..))))
        || day.is_none_or(|day| day.wishes.contains(&Wish::Cash))
}

/// Orders reach the exchange in their own session, and neither at its very beginning nor at its end.
pub fn in_session(evidence: &Evidence<'_>, findings: &mut Findings) {
    let days = evidence.truth.world.days();
    for ours in &evidence.ours {
        let created = ours.order.created_at;
        let Some(session) = days.on(ours.session) else {
            findings.require(false, || format!("{} on a day without a session", ours.name()));
            continue;
        };
        let first = session.open.saturating_add(GUARD).unwrap_or(session.open);
        let last = session.close.saturating_sub(CUTOFF).unwrap_or(session.close);
        let late = was_held(evidence, ours) || came_late(evidence, ours) && created < session.close;
        findings.require(first <= created && (created <= last || late), || {
            format!(
                "{} was taken in at {created}, the session closes {}",
                ours.name(),
                session.close
            )
        });
    }
}

/// A run that was due too long ago gets no plan, and an old plan sends nothing.
pub fn late_never_trades(evidence: &Evidence<'_>, findings: &mut Findings) {
    for (name, run) in evidence.runs.iter().filter(|(name, _)| name.ends_with("g0")) {
        let Some(planned) = run.at("plan.json") else { continue };
        let lived =
            evidence.truth.days.iter().find(|lived| name.starts_with(&lived.date.to_string()));
        let Some(lived) = lived else { continue };
        let frozen =
            evidence.truth.deliveries.iter().any(|p| {
                matches!(p.delivery.fate, Fate::Frozen { .. }) || !p.delivery.skew.is_zero()
            });
        let latest = LATENESS + if frozen { RUN_LASTS * 4 } else { RUN_LASTS };
        findings.require(planned.duration_since(lived.due) <= latest, || {
            format!("{name} was planned at {planned}, it was due at {}", lived.due)
        });
    }
    let on_time = |ours: &&Ours| !came_late(evidence, ours) && !was_held(evidence, ours);
    for ours in evidence.ours.iter().filter(on_time) {
        let Some(plan) = plan_at(evidence, &ours.run, ours.order.created_at) else { continue };
        let planned = plan.at;
        let age = ours.order.created_at.duration_since(planned);
        let skewed = evidence.truth.deliveries.iter().any(|p| !p.delivery.skew.is_zero());
        let most = PLAN_LASTS + if skewed { SKEW } else { SignedDuration::from_secs(1) };
        findings.require(age <= most, || {
            format!("{} was sent {} s after its plan", ours.name(), age.as_secs())
        });
    }
}

/// A process whose clock is off makes no plan.
pub fn skew_never_trades(evidence: &Evidence<'_>, findings: &mut Findings) {
    for process in evidence.truth.deliveries.iter().filter(|p| p.delivery.skew.abs() > SKEW) {
        for (name, run) in &evidence.runs {
            let Some((_, record)) = run.records.get("plan.json") else { continue };
            findings.require(record["writer"] != process.writer.as_str(), || {
                format!("{name} was planned by {}, whose clock is off", process.writer)
            });
        }
    }
}

/// Once the operator says stop, nothing more leaves but what is under way.
pub fn halt_stops_orders(evidence: &Evidence<'_>, findings: &mut Findings) {
    let said: Vec<(Timestamp, Permit)> = evidence
        .truth
        .happened
        .iter()
        .filter_map(|(at, what)| Some((*at, what.permit()?)))
        .collect();
    for (number, (from, permit)) in said.iter().enumerate() {
        if *permit == Permit::Run {
            continue;
        }
        let calm = evidence.truth.calm_from();
        let later = said.iter().skip(number + 1).find(|(_, permit)| *permit == Permit::Run);
        let until = later.map_or(calm, |(at, _)| *at).min(calm);
        let from = from.saturating_add(HALT_GRACE).unwrap_or(*from);
        for process in &evidence.truth.deliveries {
            // A process that stands still may send what it had in hand when it moves again.
            let sent = process.sent.iter().filter(|sent| sent.target == "/v2/orders" && !sent.held);
            for sent in sent.filter(|sent| from < sent.at && sent.at < until) {
                findings.require(false, || {
                    format!("{} sent an order at {}, halted since {from}", process.writer, sent.at)
                });
            }
        }
    }
}

/// Only what a strategy can name is traded.
pub fn universe(evidence: &Evidence<'_>, findings: &mut Findings) {
    for ours in &evidence.ours {
        let known = PRICES.iter().any(|(symbol, _)| *symbol == ours.symbol);
        findings.require(known, || format!("{} is outside the universe", ours.name()));
    }
}

/// A symbol whose price shows a split and whose position does not is left alone. One that no list
/// announces cannot be told from a fall.
pub fn split_waits(evidence: &Evidence<'_>, findings: &mut Findings) {
    for ours in &evidence.ours {
        let Some((number, _)) = lived(evidence, ours) else { continue };
        for (at, what) in evidence.truth.happened_on(number) {
            let What::Market(Turn::Splits { symbol, announced: true, position: false, .. }) = what
            else {
                continue;
            };
            let concerned = *symbol == ours.symbol && held(evidence, symbol, *at);
            findings.require(!concerned, || format!("{} in the middle of a split", ours.name()));
        }
    }
}

/// Whether the account held a symbol at a moment: bought and sold, and split before.
fn held(evidence: &Evidence<'_>, symbol: &str, moment: Timestamp) -> bool {
    let entries = evidence.truth.world.activities();
    let entries = entries.iter().filter(|entry| entry.at <= moment);
    let moved: rust_decimal::Decimal = entries
        .filter_map(|entry| match &entry.entry {
            Entry::Fill(fill) if fill.symbol.as_str() == symbol => Some(match fill.side {
                Side::Buy => fill.qty,
                Side::Sell => -fill.qty,
            }),
            Entry::Other(booking) if matches!(booking.code, "SPLIT" | "CIL") => booking
                .qty
                .filter(|_| booking.symbol.as_ref().is_some_and(|s| s.as_str() == symbol)),
            Entry::Fill(_) | Entry::Other(_) => None,
        })
        .sum();
    !moved.is_zero()
}

/// Without its records a run must not begin anew while the broker knows orders of ours.
pub fn lost_records_stop(evidence: &Evidence<'_>, findings: &mut Findings) {
    let wipes =
        evidence.truth.happened.iter().filter(|(_, what)| {
            what.shelf().is_some_and(|trouble| trouble.what == ShelfFault::Wiped)
        });
    for (wiped, _) in wipes {
        let known = evidence.ours.iter().any(|ours| ours.order.created_at < *wiped);
        let lived = evidence.truth.days.iter().find(|lived| lived.due > *wiped);
        let (true, Some(lived)) = (known, lived) else { continue };
        let carried = carried_over(evidence, *wiped);
        for ours in &evidence.ours {
            let told = carried.is_some_and(|at| at <= ours.order.created_at);
            findings.require(ours.session < lived.date || told, || {
                format!("{} although the records were lost at {wiped}", ours.name())
            });
        }
    }
}

/// When a run that had read its past before the records were lost wrote down what came of it: a
/// final record with a ledger, that continues from one that was lost, and no plan of it was lost.
/// Nothing is lost to the runs that follow it.
fn carried_over(evidence: &Evidence<'_>, wiped: Timestamp) -> Option<Timestamp> {
    let written = evidence.truth.written.iter();
    let (before, after): (Vec<_>, Vec<_>) =
        written.filter(|w| w.once && w.key.starts_with(RUNS)).partition(|w| w.at <= wiped);
    let finals = before.iter().filter(|w| w.key.ends_with("/final.json"));
    let finals: BTreeSet<String> = finals.map(|w| digest(&w.bytes)).collect();
    let told = after.iter().find(|written| {
        let Some(run) = written.key.strip_suffix("final.json") else { return false };
        let record: Value = serde_json::from_slice(&written.bytes).unwrap_or_default();
        let knew = record["previous"].as_str().is_some_and(|parent| finals.contains(parent));
        let plan = format!("{run}plan.json");
        let is_whole = before.iter().all(|lost| lost.key != plan);
        knew && is_whole && record["body"]["ledger"].is_object()
    });
    told.map(|written| written.at)
}

/// The plan of a run that stood at a moment: after a loss of all records it may have another.
fn plan_at<'a>(evidence: &'a Evidence<'_>, run: &str, at: Timestamp) -> Option<&'a Written> {
    let key = format!("{RUNS}{run}/plan.json");
    let mut written = evidence.truth.written.iter().rev();
    written.find(|written| written.once && written.key == key && written.at <= at)
}

/// Code that did not make a plan settles it and sends nothing of it.
pub fn another_version_sends_nothing(evidence: &Evidence<'_>, findings: &mut Findings) {
    for process in &evidence.truth.deliveries {
        let code = match process.delivery.code {
            Code::Usual => "usual",
            Code::Other => "other",
        };
        for sent in process.sent.iter().filter(|sent| sent.target == "/v2/orders") {
            let ours = evidence.ours.iter().find(|ours| sent.body.contains(&ours.order.client_id));
            let Some(ours) = ours else { continue };
            let Some(plan) = plan_at(evidence, &ours.run, sent.at) else { continue };
            let plan: Value = serde_json::from_slice(&plan.bytes).unwrap_or_default();
            let same = plan["code"].as_str().is_some_and(|by| by == code);
            findings.require(same, || {
                format!("{} sent an order of a plan that other code had made", process.writer)
            });
        }
    }
}

/// A preview touches nothing.
pub fn preview_sends_nothing(evidence: &Evidence<'_>, findings: &mut Findings) {
    let previews = evidence.truth.deliveries.iter();
    for process in previews.filter(|p| matches!(p.delivery.action, Task::Preview | Task::Watch)) {
        findings.require(process.sent.is_empty(), || {
            format!("{:?} sent {:?}", process.delivery.action, process.sent)
        });
    }
}

/// A repetition begins only when the run before it has ended, and only by order.
pub fn generations_in_turn(evidence: &Evidence<'_>, findings: &mut Findings) {
    for (name, run) in &evidence.runs {
        let Some((base, generation)) = name.rsplit_once("/g") else { continue };
        let Ok(generation) = generation.parse::<u8>() else { continue };
        if generation == 0 {
            continue;
        }
        let asked = evidence.truth.script.days.iter().flat_map(|day| &day.happenings).any(
            |h| matches!(&h.what, What::Delivery(d) if d.action == Task::Force { generation }),
        );
        findings.require(asked, || format!("{name} was never ordered"));
        let Some(planned) = run.at("plan.json") else { continue };
        let before = evidence.runs.get(&format!("{base}/g{}", generation - 1));
        let ended = before.and_then(|run| run.at("final.json")).is_some_and(|at| at <= planned);
        findings.require(ended, || format!("{name} was planned before the run before had ended"));
    }
}

//! What was sent and executed: at most once, in its turn, never more than planned.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::domain::order::Side;
use crate::simulator::exchange::{Kind, OrderTrouble, TimeInForce};
use crate::simulator::oracle::Findings;
use crate::simulator::oracle::guards::was_held;
use crate::simulator::oracle::reading::{Evidence, Ours, PREFIX, amount, decimal};
use crate::simulator::trial::script::{ByHand, What};

/// Attempts that an order may have.
const ATTEMPTS_MAX: u8 = 4;
/// No phase of a trial is shorter.
const PHASE_LEAST: SignedDuration = SignedDuration::from_secs(25);

/// Every order in the account is ours by its id, or was placed by hand.
pub fn ids_are_ours(evidence: &Evidence<'_>, findings: &mut Findings) {
    let by_hand = evidence.truth.happened.iter().filter(|(_, what)| {
        matches!(what, What::Hand(ByHand::Buys(..) | ByHand::Sells(..) | ByHand::PlacesOrder(_)))
    });
    let (placed, found) = (by_hand.count(), evidence.others.len());
    findings.require(found <= placed, || {
        let ids: Vec<&str> = evidence.others.iter().map(|o| o.client_id.as_str()).collect();
        format!("{found} orders are nobody's, {placed} were placed by hand: {ids:?}")
    });
    for ours in &evidence.ours {
        let same =
            ours.order.symbol().as_str() == ours.symbol && ours.order.asked.side == ours.side;
        findings.require(same, || format!("{} is for something else", ours.name()));
    }
}

/// No order without a stored plan that names it, and no buy without a stored buy plan.
pub fn plan_before_order(evidence: &Evidence<'_>, findings: &mut Findings) {
    for ours in &evidence.ours {
        let run = evidence.runs.get(&ours.run);
        let created = ours.order.created_at;
        let planned = run.and_then(|run| run.at("plan.json")).is_some_and(|at| at <= created);
        findings.require(planned, || format!("{} came before its plan", ours.name()));
        if ours.side == Side::Buy {
            let funded = run.and_then(|run| run.at("buyplan.json")).is_some_and(|at| at <= created);
            findings.require(funded, || format!("{} came before its buy plan", ours.name()));
        }
        if ours.attempt > 1 {
            let name = attempt_record(ours);
            let kept = run.and_then(|run| run.at(&name)).is_some_and(|at| at <= created);
            findings.require(kept, || format!("{} came before its record", ours.name()));
        }
    }
}

fn attempt_record(ours: &Ours) -> String {
    let letter = match ours.side {
        Side::Sell => 'S',
        Side::Buy => 'B',
    };
    format!("att/{letter}/{}/{}.json", ours.symbol, ours.attempt)
}

/// Over all its attempts an item is executed at most as planned, whatever happened.
pub fn filled_at_most_planned(evidence: &Evidence<'_>, findings: &mut Findings) {
    let mut filled: BTreeMap<(&str, &str, Side), Decimal> = BTreeMap::new();
    for ours in &evidence.ours {
        *filled.entry((&ours.run, &ours.symbol, ours.side)).or_default() += ours.order.filled;
    }
    for ((run, symbol, side), filled) in filled {
        let Some(records) = evidence.runs.get(run) else { continue };
        let mut planned = records.planned(side, symbol).unwrap_or_default();
        if side == Side::Buy {
            planned = planned.min(records.funded(symbol).unwrap_or_default());
        }
        findings.require(filled <= planned, || {
            format!("{side} {symbol} of {run}: {filled} executed, {planned} planned")
        });
    }
}

/// No symbol is traded on both sides by one run.
pub fn one_side(evidence: &Evidence<'_>, findings: &mut Findings) {
    let sold: BTreeSet<(&str, &str)> = sides(evidence, Side::Sell);
    for (run, symbol) in sides(evidence, Side::Buy) {
        findings.require(!sold.contains(&(run, symbol)), || {
            format!("{symbol} is both bought and sold by {run}")
        });
    }
}

fn sides<'a>(evidence: &'a Evidence<'_>, side: Side) -> BTreeSet<(&'a str, &'a str)> {
    let on_side = evidence.ours.iter().filter(|ours| ours.side == side);
    on_side.map(|ours| (ours.run.as_str(), ours.symbol.as_str())).collect()
}

/// An attempt follows only after the one before has ended, and for no more than its rest.
pub fn attempts_in_turn(evidence: &Evidence<'_>, findings: &mut Findings) {
    for ours in evidence.ours.iter().filter(|ours| ours.attempt > 1) {
        let earlier: Vec<&Ours> = evidence
            .of_run(&ours.run)
            .filter(|o| o.symbol == ours.symbol && o.side == ours.side && o.attempt < ours.attempt)
            .collect();
        let before = usize::from(ours.attempt - 1);
        findings.require(earlier.len() == before, || {
            format!("{} follows {} attempts", ours.name(), earlier.len())
        });
        for other in &earlier {
            let over = other.ended().is_some_and(|ended| ended <= ours.order.created_at);
            findings.require(over, || {
                format!("{} was sent while #{} was at work", ours.name(), other.attempt)
            });
        }
        let Some(run) = evidence.runs.get(&ours.run) else { continue };
        let planned = match ours.side {
            Side::Sell => run.planned(Side::Sell, &ours.symbol),
            Side::Buy => run.funded(&ours.symbol),
        };
        let filled: Decimal = earlier.iter().map(|other| other.order.filled).sum();
        let rest = planned.unwrap_or_default() - filled;
        findings.require(ours.shares() <= rest, || {
            format!("{} is for {} shares, {rest} were left", ours.name(), ours.shares())
        });
    }
}

/// Requests under one id never grow: a lost answer is no reason to order more.
pub fn same_id_never_larger(evidence: &Evidence<'_>, findings: &mut Findings) {
    let mut least: BTreeMap<String, Decimal> = BTreeMap::new();
    let asked = evidence.truth.world.asked();
    for asked in asked.iter().filter(|asked| asked.target == "/v2/orders" && !asked.late) {
        let Ok(body) = serde_json::from_str::<Value>(&asked.body) else { continue };
        let id = body["client_order_id"].as_str().unwrap_or_default().to_owned();
        let shares = decimal(&body["qty"]).unwrap_or_default();
        let most = least.entry(id.clone()).or_insert(shares);
        findings.require(shares <= *most, || {
            format!("{id} was asked for {shares} shares after {most}")
        });
        *most = (*most).min(shares);
    }
}

/// Buys begin when every sell has ended, or is on record as one whose end nobody saw.
pub fn buys_after_sells(evidence: &Evidence<'_>, findings: &mut Findings) {
    for (name, run) in &evidence.runs {
        let buys = evidence.of_run(name).filter(|ours| ours.side == Side::Buy);
        let Some(first) = buys.map(|ours| ours.order.created_at).min() else { continue };
        for sell in evidence.of_run(name).filter(|ours| ours.side == Side::Sell) {
            let over = sell.ended().is_some_and(|ended| ended <= first);
            // An order whose every copy was late came when its end had been given up.
            let came_later = sell.order.created_at > first;
            // One whose end nobody could see was waited for as long as a phase lasts, unless its
            // process stood still meanwhile with the order in hand. What is on its way is waited
            // for as well: it may come to the exchange long after it left. The attempts of one sale
            // share that time.
            let left = first_sent(evidence, name, sell).unwrap_or(sell.order.created_at);
            let patient = left.saturating_add(PHASE_LEAST).is_ok_and(|over| over <= first);
            let waited = patient || was_held(evidence, sell);
            let unknown = waited && run.is_unknown(&sell.symbol, Side::Sell);
            findings.require(over || came_later || unknown, || {
                format!("a buy of {name} was taken in at {first}, {} had not ended", sell.name())
            });
        }
    }
}

/// When the first attempt of an item of a run left a process.
fn first_sent(evidence: &Evidence<'_>, run: &str, ours: &Ours) -> Option<Timestamp> {
    let attempts = evidence.of_run(run);
    let attempts = attempts.filter(|o| o.symbol == ours.symbol && o.side == ours.side);
    let ids: Vec<&str> = attempts.map(|attempt| attempt.order.client_id.as_str()).collect();
    let sent = evidence.truth.deliveries.iter().flat_map(|process| &process.sent);
    sent.filter(|sent| ids.iter().any(|id| sent.body.contains(id))).map(|sent| sent.at).min()
}

/// Limit orders for the day, on a tick, for at most nine decimals of a share; also those that the
/// exchange refused.
pub fn on_the_tick(evidence: &Evidence<'_>, findings: &mut Findings) {
    for asked in evidence.truth.world.asked().iter().filter(|asked| asked.target == "/v2/orders") {
        let Ok(body) = serde_json::from_str::<Value>(&asked.body) else { continue };
        let ours = body["client_order_id"].as_str().is_some_and(|id| id.starts_with(PREFIX));
        let limit = amount(&body, "limit_price");
        findings.require(!ours || is_on_tick(limit), || format!("a limit of {limit} was sent"));
    }
    for ours in &evidence.ours {
        let asked = &ours.order.asked;
        let Kind::Limit(limit) = asked.kind else {
            findings.require(false, || format!("{} is no limit order", ours.name()));
            continue;
        };
        findings.require(is_on_tick(limit), || format!("{} has the limit {limit}", ours.name()));
        let day = asked.time_in_force == TimeInForce::Day && !asked.extended_hours;
        findings.require(day, || format!("{} is not for the day", ours.name()));
        let shares = ours.shares();
        let some = shares > Decimal::ZERO && shares.normalize().scale() <= 9;
        findings.require(some, || format!("{} is for {shares} shares", ours.name()));
    }
}

fn is_on_tick(limit: Decimal) -> bool {
    let places = if limit >= Decimal::ONE { 2 } else { 4 };
    limit > Decimal::ZERO && limit.normalize().scale() <= places
}

/// Four attempts at most, and so many requests a run as its orders can need.
pub fn attempts_bounded(evidence: &Evidence<'_>, findings: &mut Findings) {
    for ours in &evidence.ours {
        findings.require((1..=ATTEMPTS_MAX).contains(&ours.attempt), || {
            format!("{} is one attempt too many", ours.name())
        });
    }
    for lived in &evidence.truth.days {
        let orders = evidence.ours.iter().filter(|ours| ours.session == lived.date).count();
        findings.require(orders <= 80, || format!("{orders} orders on {}", lived.date));
    }
}

/// After the calm session no order of ours is at work, but one that no cancel can end.
pub fn none_left_open(evidence: &Evidence<'_>, findings: &mut Findings) {
    let end = evidence.truth.days.last().map_or(Timestamp::MAX, |lived| lived.over);
    for ours in evidence.ours.iter().filter(|ours| ours.ended().is_none()) {
        let stuck = ours.order.trouble == Some(OrderTrouble::CancelStuck);
        findings.require(stuck && ours.order.expires_at > end, || {
            format!("{} is still open at the end", ours.name())
        });
    }
}

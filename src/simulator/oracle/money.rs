//! Cash and shares: never less than nothing, never somebody else's, and all of it accounted for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::domain::order::Side;
use crate::simulator::exchange::{Entry, Hand};
use crate::simulator::oracle::Findings;
use crate::simulator::oracle::reading::{Evidence, amount, decimal};
use crate::simulator::trial::draw::PRICES;
use crate::simulator::trial::script::{ByHand, Turn, What};

/// Average prices are rounded: what the broker shows may differ by so much from the executions.
const ROUNDING: Decimal = Decimal::ONE;

/// No position was ever below zero, though the exchange would have let it.
pub fn never_short(evidence: &Evidence<'_>, findings: &mut Findings) {
    for (symbol, _) in PRICES {
        let least = evidence.truth.world.min_position_seen(symbol);
        findings.require(least >= Decimal::ZERO, || format!("{symbol} stood at {least}"));
    }
}

/// Cash was never below zero, though the exchange would have lent it.
pub fn cash_never_negative(evidence: &Evidence<'_>, findings: &mut Findings) {
    if evidence.any(takes_cash) {
        return; // a person may take out what a buy plan counts on
    }
    let least = evidence.truth.world.min_cash_seen();
    findings.require(least >= Decimal::ZERO, || format!("cash stood at {least}"));
}

fn takes_cash(what: &What) -> bool {
    matches!(what, What::Hand(ByHand::Cash(Hand::Withdrawal | Hand::Fee, _) | ByHand::Buys(..)))
}

/// A buy plan spends what there is: at its worst limits no more than the cash, at its reference
/// prices no more than the cash without the reserve; and the cash it names was there.
pub fn buys_within_budget(evidence: &Evidence<'_>, findings: &mut Findings) {
    for (name, run) in &evidence.runs {
        let (Some(at), Some(body)) = (run.at("buyplan.json"), run.body("buyplan.json")) else {
            continue;
        };
        let cash = amount(body, "cash");
        let reserve = amount(body, "reserve");
        let items = body.get("items").and_then(Value::as_array);
        let sum = |price: &str| -> Decimal {
            let all = items.into_iter().flatten();
            all.map(|item| amount(item, "shares") * amount(item, price)).sum()
        };
        let (worst, reference) = (sum("worst_limit"), sum("reference"));
        findings.require(worst <= cash.max(Decimal::ZERO) + ROUNDING, || {
            format!("{name} may spend {worst} of {cash}")
        });
        findings.require(reference <= (cash - reserve).max(Decimal::ZERO) + ROUNDING, || {
            format!("{name} means to spend {reference} of {cash} with {reserve} to be kept")
        });
        let there = cash_at(evidence, at);
        let moved = evidence.any(|what| matches!(what, What::Hand(_) | What::ReadsLag(_)));
        findings.require(moved || cash <= there + ROUNDING, || {
            format!("{name} counts on {cash} when there was {there}")
        });
    }
}

/// Cash at a moment, worked out from the entries of the account.
fn cash_at(evidence: &Evidence<'_>, moment: Timestamp) -> Decimal {
    let entries = evidence.truth.world.activities();
    let until = entries.iter().filter(|entry| entry.at <= moment);
    let moved: Decimal = until
        .map(|entry| match &entry.entry {
            Entry::Fill(fill) => {
                let value = (fill.qty * fill.price).round_dp(2);
                match fill.side {
                    Side::Sell => value,
                    Side::Buy => -value,
                }
            }
            Entry::Other(booking) => booking.amount,
        })
        .sum();
    evidence.truth.cash + moved
}

/// We cancel only what is ours, and sell only what we bought.
pub fn foreign_untouched(evidence: &Evidence<'_>, findings: &mut Findings) {
    let asked = evidence.truth.world.asked();
    for asked in asked.iter().filter(|asked| asked.body.is_empty()) {
        let Some(id) = asked.target.strip_prefix("/v2/orders/") else { continue };
        let foreign = evidence.others.iter().any(|order| order.id == id);
        findings.require(!foreign, || format!("a foreign order was cancelled: {id}"));
    }
    if evidence.any(|what| matches!(what, What::Market(Turn::Splits { .. }))) {
        return; // counts of shares before and after a split do not compare
    }
    let mut owned: BTreeMap<String, Decimal> = BTreeMap::new();
    for entry in evidence.truth.world.activities() {
        let Entry::Fill(fill) = entry.entry else { continue };
        if !evidence.ours.iter().any(|ours| ours.order.id == fill.order_id) {
            continue;
        }
        let held = owned.entry(fill.symbol.to_string()).or_default();
        match fill.side {
            Side::Buy => *held += fill.qty,
            Side::Sell => *held -= fill.qty,
        }
        let held = *held;
        findings.require(held >= Decimal::ZERO, || {
            format!("{} more {} were sold than ever bought", -held, fill.symbol)
        });
    }
}

/// At the end of the calm session the sleeves and what is foreign are the account's positions.
pub fn ledger_is_the_account(evidence: &Evidence<'_>, findings: &mut Findings) {
    let calm = evidence.truth.calm_end.and_then(|number| evidence.truth.days.get(number));
    let Some(last) = calm else { return };
    let Some(run) = evidence.runs.get(&format!("{}/open/g0", last.date)) else { return };
    let Some(body) = run.body("final.json") else { return };
    let good = ["done", "nothing-to-do", "partial"].iter().any(|word| body["verdict"] == *word);
    let Some(ledger) = body.get("ledger").filter(|ledger| good && ledger.is_object()) else {
        return;
    };
    let mut known: BTreeMap<String, Decimal> = BTreeMap::new();
    let sleeves = ledger["sleeves"].as_object().into_iter().flatten();
    let shares = sleeves.filter_map(|(_, sleeve)| sleeve["shares"].as_object());
    for (symbol, count) in shares.chain(ledger["foreign"].as_object()).flatten() {
        *known.entry(symbol.clone()).or_default() += decimal(count).unwrap_or_default();
    }
    known.retain(|_, count| !count.is_zero());
    let held: BTreeMap<String, Decimal> =
        evidence.truth.world.positions().into_iter().map(|(s, n)| (s.to_string(), n)).collect();
    findings.require(known == held, || format!("sleeves {known:?}, positions {held:?}"));
}

/// Weights are weights, and the due sleeves' claims fit the money.
pub fn weights_are_weights(evidence: &Evidence<'_>, findings: &mut Findings) {
    for (name, run) in &evidence.runs {
        let Some(body) = run.body("plan.json") else { continue };
        for outcome in body["signals"].as_array().into_iter().flatten() {
            let Some(signal) = outcome["result"].get("Ok") else { continue };
            let pairs = signal["weights"].as_array().into_iter().flatten();
            let weights: Vec<Decimal> = pairs.filter_map(|pair| decimal(&pair[1])).collect();
            let sum: Decimal = weights.iter().sum::<Decimal>() + amount(signal, "cash");
            let fit = weights.iter().all(|w| *w > Decimal::ZERO && *w <= Decimal::ONE);
            findings.require(fit && sum == Decimal::ONE, || {
                format!("{name}: weights of {} sum to {sum}", outcome["strategy"])
            });
        }
        let capital = &body["plan"]["capital"];
        let due = body["plan"]["sleeves"].as_array().into_iter().flatten();
        let due = due.filter(|sleeve| sleeve["state"]["state"] == "due");
        let claimed: Decimal = due.map(|sleeve| amount(sleeve, "capital")).sum();
        let (deployable, held) = (amount(capital, "deployable"), amount(capital, "held"));
        findings.require(claimed + held <= deployable.max(held) + ROUNDING, || {
            format!("{name}: due sleeves claim {claimed}, held ones {held} of {deployable}")
        });
    }
}

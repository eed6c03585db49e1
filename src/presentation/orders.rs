//! Plan against fills: what was ordered, what came of it, at which price; and what was left alone.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::domain::execution::OrderOutcome;
use crate::domain::money::Usd;
use crate::domain::opposed::{Opposed, Stake};
use crate::domain::order::{AttemptState, Side};
use crate::domain::plan::{Action, Part, PlanItem, RebalancePlan};
use crate::domain::quality::Quality;
use crate::domain::report::{RunReport, Verdict};
use crate::domain::run::RunAction;
use crate::domain::symbol::Symbol;
use crate::presentation::figures::{
    basis_points, change, clock_time, count, money, percent, percent_change, price, shares,
};
use crate::presentation::line::clip;
use crate::presentation::sheet::{Align, Block, Fact, Room, Row, Section, Table, Tone};
use crate::presentation::tally::Tally;
use crate::presentation::words;

/// Sleeves named below an order.
const PARTS_MAX: usize = 6;
/// Strategies named beside a fund.
const STAKES_MAX: usize = 4;
/// Symbols named in one row.
const SYMBOLS_MAX: usize = 16;

/// The orders with their fills, or what a preview would send.
pub(crate) fn orders(report: &RunReport, room: Room) -> Option<Section> {
    let mut rows: Vec<Row> =
        report.execution.outcomes().map(|order| outcome_row(report, order, room)).collect();
    rows.extend(unsent_rows(report, room));
    let title = match report.verdict {
        Verdict::Preview => "What it would do",
        Verdict::Done
        | Verdict::NothingToDo
        | Verdict::Closed
        | Verdict::Blocked
        | Verdict::Partial
        | Verdict::Failed
        | Verdict::Unknown => "Orders",
    };
    let stopped = report.execution.stopped.as_ref();
    let stopped = stopped.map(|why| format!("Stopped early: {}", clip(why, room.signs)));
    let blocks = vec![
        Block::Prose(stopped.unwrap_or_default().into()),
        Block::Facts(totals(report)),
        Block::rows(rows, room),
    ];
    Section::of(title, blocks)
}

fn outcome_row(report: &RunReport, order: &OrderOutcome, room: Room) -> Row {
    let filled = order.filled();
    let (tone, right) = if order.is_unknown() {
        (Tone::Bad, "UNKNOWN".to_owned())
    } else if order.is_filled() {
        (Tone::Quiet, money(order.value()))
    } else if filled.is_zero() {
        (Tone::Look, "not filled".to_owned())
    } else {
        (Tone::Look, money(order.value()))
    };
    let ended = order.attempts.last().map_or("not sent", |last| words::attempt(last.state));
    let missing = match &order.shortfall {
        Some(why) if order.is_filled() => format!("Done: {}.", clip(why, room.signs)),
        Some(why) => format!("Not in full: {}", clip(why, room.signs)),
        None if order.is_filled() => String::new(),
        None => format!("Not in full, last attempt {ended}."),
    };
    Row::new(format!("{} {}", words::side(order.side), order.symbol), right)
        .tone(tone)
        .under(fill_line(report, order))
        .under(missing)
        .under(item_line(report, &order.symbol, room))
}

/// `210.75 shares at $71.2414, mid $71.26: cost 2.6 bps, $3.93 (half-spread 3.0 bps). 2 attempts.`
fn fill_line(report: &RunReport, order: &OrderOutcome) -> String {
    let size = if order.filled() >= order.planned {
        format!("{} shares", shares(order.planned))
    } else {
        format!("{} of {} shares", shares(order.filled()), shares(order.planned))
    };
    let attempts = order.attempts.iter().filter(|a| a.state != AttemptState::Drafted).count();
    let attempts =
        if attempts == 1 { String::new() } else { format!(" {}.", count(attempts, "attempt")) };
    format!("{size}{}.{attempts}", price_words(report, order))
}

fn price_words(report: &RunReport, order: &OrderOutcome) -> String {
    let quality = Quality::of(order, report);
    let Some(paid) = quality.price else {
        return if order.filled().is_zero() { "" } else { ", price not known yet" }.to_owned();
    };
    let (Some(arrival), Some(cost), Some(rate)) = (quality.arrival, quality.cost, quality.rate())
    else {
        return format!(" at {}; no mid price was known", price(paid));
    };
    let against = format!(" at {}, mid {}", price(paid), price(arrival));
    let half = quality.half_spread.map(|half| format!(" (half-spread {})", basis_points(half)));
    let half = half.unwrap_or_default();
    if cost.round_cents() == Usd::ZERO {
        format!("{against}: no cost{half}")
    } else if cost.is_negative() {
        format!("{against}: better by {}, {}{half}", basis_points(-rate), money(-cost))
    } else {
        format!("{against}: cost {}, {}{half}", basis_points(rate), money(cost))
    }
}

fn item_line(report: &RunReport, symbol: &Symbol, room: Room) -> String {
    let Some(item) = report.plan.as_ref().and_then(|plan| plan.item(symbol)) else {
        return String::new();
    };
    clip(&item.reason, room.signs)
}

/// `tecl 300, klm 12.5`.
pub(crate) fn parts(parts: &[Part]) -> String {
    let texts: Vec<String> =
        parts.iter().map(|part| format!("{} {}", part.strategy, shares(part.shares))).collect();
    words::listed(&texts, PARTS_MAX)
}

/// Planned orders of which there is no outcome: all of them in a preview or a blocked run.
fn unsent_rows(report: &RunReport, room: Room) -> Vec<Row> {
    let Some(plan) = &report.plan else { return Vec::new() };
    let seen = |symbol: &Symbol| report.execution.outcomes().any(|o| o.symbol == *symbol);
    let cut = |symbol: &Symbol| {
        report.buy_plan.as_ref().is_some_and(|buys| buys.items.iter().all(|i| i.symbol != *symbol))
    };
    let planned = [Side::Sell, Side::Buy]
        .into_iter()
        .flat_map(|side| plan.orders(side).map(move |(item, quantity)| (side, item, quantity)));
    planned
        .filter(|(_, item, _)| !seen(&item.symbol))
        .filter(|(side, item, _)| *side == Side::Sell || !cut(&item.symbol))
        .map(|(side, item, quantity)| {
            let value = item.reference.map(|reference| money(quantity * reference));
            let value = value.unwrap_or_else(|| "no price".to_owned());
            let head = format!("{} {}", words::side(side), item.symbol);
            let size = format!("{} shares{}", shares(quantity), expected(item));
            let row = if report.verdict == Verdict::Preview {
                Row::new(head, value).under(format!("{size}."))
            } else {
                Row::new(head, "not sent").tone(Tone::Look).under(format!("{size}: {value}."))
            };
            row.under(clip(&item.reason, room.signs))
        })
        .collect()
}

fn expected(item: &PlanItem) -> String {
    let about = item.reference.map(|reference| format!(" at about {}", price(reference)));
    let spread = item.half_spread.map(|half| format!(", half-spread {}", basis_points(half)));
    let volume = item
        .volume_share
        .filter(|part| *part >= Decimal::new(1, 3))
        .map(|part| format!(", {} of a day's volume", percent(part)));
    [about, spread, volume].into_iter().flatten().collect()
}

fn totals(report: &RunReport) -> Vec<Fact> {
    let tally = Tally::of(report);
    if tally.sent == 0 {
        return Vec::new();
    }
    let mut facts =
        vec![Fact::new("Sold", money(tally.sold)), Fact::new("Bought", money(tally.bought))];
    facts.extend(tally.turnover.map(|part| Fact::new("Turnover, one way", percent(part))));
    if let Some(cost) = tally.cost {
        let rate = tally.cost_rate.map(|rate| format!(" ({})", basis_points(rate)));
        let name = if cost.is_negative() { "Better than mid" } else { "Cost against mid" };
        let rate = rate.unwrap_or_default().replace('−', "");
        facts.push(Fact::new(name, format!("{}{rate}", money(cost.abs()))));
    }
    facts
}

/// Every attempt of every order, as a table.
pub(crate) fn attempts(report: &RunReport, room: Room) -> Option<Section> {
    let columns = vec![
        ("Order", Align::Left),
        ("Sent", Align::Left),
        ("Shares", Align::Right),
        ("Limit", Align::Right),
        ("Mid", Align::Right),
        ("Filled", Align::Right),
        ("Price", Align::Right),
        ("Ended", Align::Left),
        ("Id", Align::Left),
    ];
    let shown = |value: Option<_>| value.map(price).unwrap_or_default();
    let rows = report.execution.outcomes().flat_map(|order| {
        order.attempts.iter().map(move |attempt| {
            let sent = attempt.submitted_at.map(clock_time).unwrap_or_default();
            let ended = attempt.ended_at.map(clock_time).unwrap_or_default();
            vec![
                format!("{} {}", words::side(order.side), order.symbol).into(),
                sent.into(),
                attempt.shares.to_string().into(),
                shown(attempt.limit).into(),
                shown(attempt.arrival).into(),
                attempt.filled.to_string().into(),
                shown(attempt.fill_price).into(),
                format!("{} {ended}", words::attempt(attempt.state)).into(),
                attempt.id.as_str().into(),
            ]
        })
    });
    let table = Table { columns, rows: rows.take(room.rows).collect() };
    Section::of("Every attempt", vec![Block::Table(table)])
}

/// What was wanted and not sent, then what was left alone.
pub(crate) fn left_alone(report: &RunReport, room: Room) -> Option<Section> {
    let plan = report.plan.as_ref()?;
    let skipped = plan.items.iter().filter_map(|item| match &item.action {
        Action::Skip(why) => Some(
            Row::new(item.symbol.as_str(), "skipped")
                .tone(Tone::Look)
                .under(format!("{}.", words::capital(&words::skip(why))))
                .under(clip(&item.reason, room.signs)),
        ),
        Action::Hold(_) | Action::Sell(_) | Action::Buy(_) => None,
    });
    let cuts = report.buy_plan.iter().flat_map(|buys| &buys.cuts).map(|cut| {
        let allowed = format!("{} of {} shares", shares(cut.allowed), shares(cut.wanted));
        let why = clip(&cut.reason, room.signs);
        Row::new(format!("Buy {}", cut.symbol), "cut").under(format!("{allowed}: {why}."))
    });
    let mut rows: Vec<Row> = skipped.chain(cuts).collect();
    rows.extend(if room.is_page() { held_rows(plan) } else { held_groups(plan) });
    Section::of("Not traded", vec![Block::rows(rows, room)])
}

fn held(plan: &RebalancePlan) -> impl Iterator<Item = (&PlanItem, &'static str)> {
    plan.items.iter().filter_map(|item| match &item.action {
        Action::Hold(why) => Some((item, words::hold(why))),
        Action::Skip(_) | Action::Sell(_) | Action::Buy(_) => None,
    })
}

fn held_rows(plan: &RebalancePlan) -> Vec<Row> {
    held(plan)
        .map(|(item, why)| {
            let value = item.reference.map(|reference| money(item.held * reference));
            Row::new(item.symbol.as_str(), value.unwrap_or_else(|| "no price".to_owned()))
                .under(format!("{}.", words::capital(why)))
                .under(item.reason.as_str())
        })
        .collect()
}

/// One row for each reason, with the symbols it holds for.
fn held_groups(plan: &RebalancePlan) -> Vec<Row> {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (item, why) in held(plan) {
        groups.entry(why).or_default().push(item.symbol.to_string());
    }
    let row = |(why, symbols): (&str, Vec<String>)| {
        Row::new(count(symbols.len(), "symbol"), "held").under(format!(
            "{}: {}.",
            words::capital(why),
            words::listed(&symbols, SYMBOLS_MAX)
        ))
    };
    groups.into_iter().map(row).collect()
}

/// Where strategies disagreed, and what passed between them without an order.
pub(crate) fn between(report: &RunReport, room: Room) -> Option<Section> {
    let plan = report.plan.as_ref()?;
    let conflicts = plan.conflicts.iter().map(|conflict| {
        Row::new(conflict.symbol.as_str(), "wanted on both sides")
            .under(format!(
                "Sellers: {}. Buyers: {}.",
                parts(&conflict.sellers),
                parts(&conflict.buyers)
            ))
            .under(clip(&conflict.outcome, room.signs))
    });
    let crossings = plan.crossings.iter().map(|crossing| {
        let value = crossing.shares * crossing.price;
        Row::new(format!("{} to {}", crossing.from, crossing.to), money(value)).under(format!(
            "{} {} at {}, without an order.",
            shares(crossing.shares),
            crossing.symbol,
            price(crossing.price)
        ))
    });
    let opposed = report.opposed.iter().map(|opposed| opposed_row(opposed, report.action));
    let rows = conflicts.chain(crossings).chain(opposed).collect();
    Section::of("Between the strategies", vec![Block::rows(rows, room)])
}

/// A fund against its opposite, and what of it is certain to be for nothing.
fn opposed_row(opposed: &Opposed, action: RunAction) -> Row {
    let Opposed { follows, bull, bear, cancelled, tied, half_spreads } = opposed;
    let holds = match action {
        RunAction::Preview => "would hold",
        RunAction::Trade | RunAction::Resume => "holds",
    };
    let stake = |stake: &Stake, sign: &str| {
        let names: Vec<String> = stake.strategies.iter().map(ToString::to_string).collect();
        let names = words::listed(&names, STAKES_MAX);
        let times = stake.factor.normalize();
        format!("{names} {holds} {} of {} ({sign}{times}x)", money(stake.value), stake.symbol)
    };
    let idle = format!("{} without exposure", money(*tied));
    let row = Row::new(format!("{} against {}", bull.symbol, bear.symbol), idle).under(format!(
        "{}, {}, both on {follows}: {} of exposure cancels out on each side, and {} is tied up \
             without any while both funds' fees and daily rebalancing go on.",
        stake(bull, ""),
        stake(bear, "−"),
        money(*cancelled),
        money(*tied)
    ));
    row.under(half_spreads.map_or_else(String::new, |paid| {
        format!("Both were traded today; half the spread on that was about {}.", money(paid))
    }))
}

/// The change of a quantity of shares in the spelling of money's changes.
pub(crate) fn shares_change(before: Decimal, after: Decimal) -> String {
    let difference = (after - before).normalize();
    if difference > Decimal::ZERO {
        format!("+{difference}")
    } else {
        difference.to_string().replace('-', "−")
    }
}

/// A change of equity with its rate: `+$415.20 (+0.4%)`.
pub(crate) fn change_with_rate(amount: Usd, rate: Option<Decimal>) -> String {
    match rate {
        Some(rate) => {
            format!("{} ({})", change(amount), percent_change(rate))
        }
        None => change(amount),
    }
}

//! What executions cost: order by order on a run's page, added up in the letter of a period.

use jiff::SignedDuration;

use crate::domain::execution::OrderOutcome;
use crate::domain::quality::{CostTable, Costs, Quality};
use crate::domain::report::RunReport;
use crate::presentation::figures::{basis_points, change, count, money, percent, price, seconds};
use crate::presentation::line::Line;
use crate::presentation::sheet::{Align, Block, Fact, Room, Row, Section, Table};
use crate::presentation::words;

/// Symbols of a period named in a letter: those that cost most.
const SYMBOLS_MAX: usize = 5;

/// Every order's way from the decision to its end; what was not executed has no price.
pub(crate) fn execution(report: &RunReport, room: Room) -> Option<Section> {
    let columns = vec![
        ("Order", Align::Left),
        ("Decided at", Align::Right),
        ("Mid found", Align::Right),
        ("Paid", Align::Right),
        ("Half-spread", Align::Right),
        ("Against mid", Align::Right),
        ("Shortfall", Align::Right),
        ("in dollars", Align::Right),
        ("Of volume", Align::Right),
        ("Delay", Align::Right),
        ("Attempts", Align::Right),
    ];
    let rows = report.execution.outcomes().map(|order| row(report, order));
    let table = Table { columns, rows: rows.take(room.rows).collect() };
    let told = "Shortfall is the cost against the price decided on, of what was executed; \
                the delay runs from the decision to the order's end.";
    let has_rows = !table.rows.is_empty();
    let blocks = vec![Block::Prose(told.into()), Block::Table(table)];
    has_rows.then(|| Section::of("What the executions cost", blocks))?
}

fn row(report: &RunReport, order: &OrderOutcome) -> Vec<Line> {
    let quality = Quality::of(order, report);
    let item = report.plan.as_ref().and_then(|plan| plan.item(&order.symbol));
    let volume = item.and_then(|item| item.volume_share).map(percent);
    let figures = [
        quality.decision.map(price),
        quality.arrival.map(price),
        quality.price.map(price),
        quality.half_spread.map(basis_points),
        quality.rate().map(basis_points),
        quality.shortfall_rate().map(basis_points),
        quality.shortfall.map(change),
        volume,
        quality.delay.map(seconds),
        Some(quality.attempts.to_string()),
    ];
    let name = Line::from(format!("{} {}", words::side(order.side), order.symbol));
    std::iter::once(name).chain(figures.map(|text| text.unwrap_or_default().into())).collect()
}

/// What all orders of a period cost, those symbols that cost most, and on a page all of them and the
/// half hours of the day.
pub(crate) fn over(table: &CostTable, room: Room) -> Option<Section> {
    if table.all.orders == 0 {
        return None;
    }
    let mut symbols: Vec<_> = table.symbols.iter().collect();
    symbols.sort_by_key(|(symbol, costs)| (std::cmp::Reverse(costs.shortfall), *symbol));
    let mut blocks = vec![Block::Facts(facts(&table.all))];
    if room.is_page() {
        let rows = symbols.iter().map(|(symbol, costs)| line(symbol.as_str(), costs));
        blocks.push(Block::Table(Table { columns: columns("Symbol"), rows: rows.collect() }));
        let rows = table.stretches.iter();
        let rows = rows.map(|(at, costs)| line(&at.strftime("from %H:%M").to_string(), costs));
        blocks.push(Block::Table(Table { columns: columns("Sent"), rows: rows.collect() }));
    } else {
        let costly =
            symbols.iter().filter(|(_, costs)| costs.shortfall.round_cents().is_positive());
        let rows = costly.take(SYMBOLS_MAX).map(|(symbol, costs)| {
            let rate = costs.shortfall_rate().map(basis_points).unwrap_or_default();
            Row::new(symbol.as_str(), change(costs.shortfall)).under(format!(
                "{rate} of {} in {}.",
                money(costs.value),
                orders(costs)
            ))
        });
        blocks.push(Block::Rows(rows.collect()));
    }
    Section::of("What the executions cost", blocks)
}

fn facts(all: &Costs) -> Vec<Fact> {
    let rated = |amount, rate: Option<_>| match rate {
        Some(rate) => format!("{} ({})", change(amount), basis_points(rate)),
        None => change(amount),
    };
    let mut facts = vec![
        Fact::new("Executed", format!("{} in {}", money(all.value), orders(all))),
        Fact::new("Against the mid found", rated(all.cost, all.rate())),
        Fact::new("Half-spreads expected", rated(all.expected, all.expected_rate())),
        Fact::new("Shortfall since the decision", rated(all.shortfall, all.shortfall_rate())),
    ];
    facts.extend(all.delay_each().map(|delay| Fact::new("Time to an order's end", each(delay))));
    facts
}

fn each(delay: SignedDuration) -> String {
    format!("{} on average", seconds(delay))
}

fn orders(costs: &Costs) -> String {
    let number = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    format!(
        "{}, {}",
        count(number(costs.orders), "order"),
        count(number(costs.attempts), "attempt")
    )
}

fn columns(first: &'static str) -> Vec<(&'static str, Align)> {
    vec![
        (first, Align::Left),
        ("Orders", Align::Right),
        ("Attempts", Align::Right),
        ("Value", Align::Right),
        ("Half-spread", Align::Right),
        ("Against mid", Align::Right),
        ("Shortfall", Align::Right),
        ("in dollars", Align::Right),
        ("Delay", Align::Right),
    ]
}

fn line(name: &str, costs: &Costs) -> Vec<Line> {
    let rate = |rate: Option<_>| rate.map(basis_points).unwrap_or_default();
    vec![
        name.into(),
        costs.orders.to_string().into(),
        costs.attempts.to_string().into(),
        money(costs.value).into(),
        rate(costs.expected_rate()).into(),
        rate(costs.rate()).into(),
        rate(costs.shortfall_rate()).into(),
        change(costs.shortfall).into(),
        costs.delay_each().map(seconds).unwrap_or_default().into(),
    ]
}

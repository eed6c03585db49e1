//! What the account holds now against what the plan aims at, as bars.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::domain::money::Usd;
use crate::domain::plan::{RebalancePlan, SleevePlan, SleeveState};
use crate::domain::report::{AccountReport, RunReport};
use crate::domain::symbol::Symbol;
use crate::presentation::chart::Chart;
use crate::presentation::chart::picture::{
    Ink, LETTERING, Picture, Point, Shape, Side, WIDTH, width, words,
};
use crate::presentation::figures::percent;
use crate::presentation::sheet::{Block, Fact, Section};
use crate::presentation::words::listed;

/// Symbols with a bar of their own; the rest share one.
const SYMBOLS_MAX: usize = 12;
/// Parts below this are no bar: they would read 0.0%.
const PART_MIN: Decimal = Decimal::from_parts(5, 0, 0, false, 4);
const EDGE: i16 = 36;
/// Between two columns.
const GAP: i16 = 28;
const HEADING: i16 = 76;
const ROW: i16 = 62;
const BAR: i16 = 30;
/// How far a mark stands out above and below its bar, and how thick it is.
const MARK: (i16, i16) = (7, 6);

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    name: String,
    /// Part of the account's equity that it is.
    now: Decimal,
    /// Part that the plan aims at; `None` without a plan.
    target: Option<Decimal>,
}

/// What is held of each symbol against the plan; `None` while the account or its worth is unknown.
pub(crate) fn allocation(report: &RunReport) -> Option<Section> {
    let account = report.account.as_ref()?;
    let now = holdings(report, account);
    let targets = report.plan.as_ref().map(|plan| aims(report, plan, &now.foreign));
    let parts = parts(account, &now, targets.as_ref())?;
    Section::of("Allocation", vec![Block::Chart(chart(&parts, &now.unpriced))])
}

/// What is held, by symbol.
pub(super) struct Holdings {
    pub(super) value: BTreeMap<Symbol, Usd>,
    /// Of it the shares that no strategy owns: they are neither sold nor bought.
    pub(super) foreign: BTreeMap<Symbol, Usd>,
    unpriced: Vec<Symbol>,
}

/// What is held now, at the report's prices.
pub(super) fn holdings(report: &RunReport, account: &AccountReport) -> Holdings {
    let (mut value, mut foreign, mut unpriced) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for held in &account.positions {
        let Some(price) = held.price.or_else(|| report.prices.get(&held.symbol).copied()) else {
            unpriced.push(held.symbol.clone());
            continue;
        };
        value.insert(held.symbol.clone(), held.shares * price);
        let others = report.ledger.as_ref().and_then(|ledger| ledger.foreign.get(&held.symbol));
        foreign.extend(others.map(|others| (held.symbol.clone(), *others * price)));
    }
    Holdings { value, foreign, unpriced }
}

/// Money aimed at in each symbol, and the whole it is a part of.
pub(super) struct Aims {
    pub(super) money: BTreeMap<Symbol, Usd>,
    pub(super) whole: Usd,
}

/// What the plan aims at, shares of no strategy as they are.
pub(super) fn aims(
    report: &RunReport,
    plan: &RebalancePlan,
    foreign: &BTreeMap<Symbol, Usd>,
) -> Aims {
    let mut money = foreign.clone();
    for sleeve in &plan.sleeves {
        for (symbol, aim) in sleeve_aims(report, plan, sleeve) {
            *money.entry(symbol).or_default() += aim;
        }
    }
    Aims { money, whole: plan.capital.broker_equity }
}

/// A due sleeve aims at its signal's weights, a held one at what it has, one given up at nothing.
fn sleeve_aims(
    report: &RunReport,
    plan: &RebalancePlan,
    sleeve: &SleevePlan,
) -> Vec<(Symbol, Usd)> {
    match &sleeve.state {
        SleeveState::Due(_) => {
            let said = report.signals.iter().find(|outcome| outcome.strategy == sleeve.strategy);
            let weights = said.and_then(|outcome| outcome.result.as_ref().ok());
            let weights = weights.into_iter().flat_map(|signal| &signal.weights);
            weights.map(|(symbol, weight)| (symbol.clone(), sleeve.capital * *weight)).collect()
        }
        SleeveState::Held(_) => {
            let held = plan.ledger.sleeves.get(&sleeve.strategy);
            let held = held.into_iter().flat_map(|sleeve| &sleeve.shares);
            held.filter_map(|(symbol, shares)| {
                Some((symbol.clone(), *shares * *report.prices.get(symbol)?))
            })
            .collect()
        }
    }
}

/// The bars, longest first, what is left of the symbols, and cash; `None` for an empty account.
fn parts(account: &AccountReport, now: &Holdings, aims: Option<&Aims>) -> Option<Vec<Part>> {
    let of_now = |value: Usd| {
        account.equity_after.is_positive().then(|| value.ratio_to(account.equity_after))?
    };
    let cash = of_now(account.cash_after)?;
    let of_aims = |aims: &Aims, value: Usd| value.ratio_to(aims.whole).unwrap_or_default();
    let mut symbols: Vec<&Symbol> = now.value.keys().collect();
    symbols.extend(aims.into_iter().flat_map(|aims| aims.money.keys()));
    symbols.sort();
    symbols.dedup();
    let mut parts: Vec<Part> = symbols
        .into_iter()
        .map(|symbol| Part {
            name: symbol.to_string(),
            now: now.value.get(symbol).and_then(|value| of_now(*value)).unwrap_or_default(),
            target: aims
                .map(|aims| of_aims(aims, aims.money.get(symbol).copied().unwrap_or_default())),
        })
        .filter(|part| longest(part) >= PART_MIN)
        .collect();
    let left =
        aims.map(|aims| of_aims(aims, aims.whole - aims.money.values().copied().sum::<Usd>()));
    parts.sort_by_key(|part| Reverse(longest(part)));
    if parts.len() > SYMBOLS_MAX {
        let others = parts.split_off(SYMBOLS_MAX);
        parts.push(Part {
            name: format!("{} others", others.len()),
            now: others.iter().map(|part| part.now).sum(),
            target: aims.map(|_| others.iter().filter_map(|part| part.target).sum()),
        });
    }
    parts.push(Part { name: "cash".to_owned(), now: cash, target: left });
    Some(parts)
}

fn longest(part: &Part) -> Decimal {
    part.now.max(part.target.unwrap_or_default())
}

fn chart(parts: &[Part], unpriced: &[Symbol]) -> Chart {
    let told = |part: &Part| match part.target {
        Some(target) => format!("{}, target {}", percent(part.now), percent(target)),
        None => percent(part.now),
    };
    let planned = parts.iter().any(|part| part.target.is_some());
    let list: Vec<String> =
        parts.iter().map(|part| format!("{} {}", part.name, told(part))).collect();
    let marks =
        if planned { "Marks: the plan's target." } else { "There was no plan to compare it with." };
    let names: Vec<String> = unpriced.iter().map(Symbol::to_string).collect();
    let missing = match listed(&names, SYMBOLS_MAX) {
        none if none.is_empty() => none,
        names => format!(" Without a price and left out: {names}."),
    };
    let aim = if planned { " against the plan's target" } else { "" };
    Chart {
        name: "allocation",
        picture: picture(parts),
        alt: format!("Bars of the allocation now{aim}. {}.", list.join("; ")).into(),
        caption: format!("Bars: part of equity now. {marks}{missing}").into(),
        figures: parts.iter().map(|part| Fact::new(part.name.as_str(), told(part))).collect(),
    }
}

/// Where the columns stand.
struct Columns {
    /// Start and end of the bars.
    bars: (i16, i16),
    /// End of the figures of today.
    now: i16,
    /// End of the targets.
    target: i16,
}

fn columns(parts: &[Part]) -> Columns {
    let widest = |texts: Vec<String>, heading: &str| {
        texts.iter().map(|text| width(text)).max().unwrap_or_default().max(width(heading))
    };
    let names = parts.iter().map(|part| width(&part.name)).max().unwrap_or_default();
    let nows = widest(parts.iter().map(|part| percent(part.now)).collect(), "now");
    let targets: Vec<String> = parts.iter().filter_map(|part| part.target).map(percent).collect();
    let target = WIDTH - EDGE;
    let now = if targets.is_empty() { target } else { target - widest(targets, "target") - GAP };
    Columns { bars: (EDGE + names + GAP, now - nows - GAP), now, target }
}

fn picture(parts: &[Part]) -> Picture {
    let columns = columns(parts);
    let scale = parts.iter().map(longest).max().unwrap_or_default();
    let mut shapes = vec![words((columns.now, HEADING - GAP), Side::End, "now", Ink::Dim)];
    if parts.iter().any(|part| part.target.is_some()) {
        let at = (columns.target, HEADING - GAP);
        shapes.push(words(at, Side::End, "target", Ink::Mark));
    }
    let mut top = HEADING;
    for part in parts {
        shapes.extend(row(part, &columns, scale, top));
        top += ROW;
    }
    Picture { height: top + EDGE / 2, shapes }
}

fn row(part: &Part, columns: &Columns, scale: Decimal, top: i16) -> Vec<Shape> {
    let (start, end) = columns.bars;
    let x = |part: Decimal| {
        let along = part.checked_div(scale).unwrap_or_default() * Decimal::from(end - start);
        start + along.round().to_i16().unwrap_or_default().clamp(0, end - start)
    };
    let upper = top + (ROW - BAR) / 2;
    let lower = upper + BAR;
    let bar = |to, ink| Shape::Bar(Point { x: start, y: upper }, Point { x: to, y: lower }, ink);
    let baseline = top + ROW / 2 + LETTERING / 3;
    let mut shapes = vec![
        words((EDGE, baseline), Side::Start, &part.name, Ink::Text),
        bar(end, Ink::Rule),
        bar(x(part.now), Ink::Fill),
        words((columns.now, baseline), Side::End, &percent(part.now), Ink::Text),
    ];
    if let Some(target) = part.target {
        let ((out, thick), at) = (MARK, x(target));
        let from = Point { x: at - thick / 2, y: upper - out };
        let to = Point { x: at + thick / 2, y: lower + out };
        shapes.push(Shape::Bar(from, to, Ink::Mark));
        let at = (columns.target, baseline);
        shapes.push(words(at, Side::End, &percent(target), Ink::Mark));
    }
    shapes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{AssetId, Position};
    use crate::domain::money::Shares;
    use crate::domain::plan::{DueReason, HeldReason};
    use crate::presentation::chart::raster;
    use crate::presentation::sample::{dec, price, symbol, trading_day, usd};

    fn chart_of(report: &RunReport) -> Chart {
        let section = allocation(report).unwrap();
        match section.blocks.into_iter().next() {
            Some(Block::Chart(chart)) => chart,
            other => panic!("{other:?}"),
        }
    }

    /// The figures as the text twin shows them.
    fn figures(report: &RunReport) -> Vec<String> {
        let figures = chart_of(report).figures;
        figures
            .iter()
            .map(|fact| format!("{} {}", fact.name.as_str(), fact.value.as_str()))
            .collect()
    }

    /// The trading day with figures that divide well: equity 100,000, one price for all.
    fn round_day() -> RunReport {
        let mut report = trading_day();
        let account = report.account.as_mut().unwrap();
        account.equity_after = usd("100000");
        account.cash_after = usd("10000");
        account.positions.truncate(1);
        account.positions[0].symbol = symbol("TECL");
        account.positions[0].shares = Shares::whole(900);
        account.positions[0].price = Some(price("100"));
        let ledger = report.ledger.as_mut().unwrap();
        ledger.foreign.clear();
        let plan = report.plan.as_mut().unwrap();
        plan.capital.broker_equity = usd("100000");
        for (sleeve, capital) in plan.sleeves.iter_mut().zip(["30000", "50000", "18000"]) {
            sleeve.capital = usd(capital);
        }
        report
    }

    #[test]
    fn a_target_is_what_the_signals_want_of_the_sleeves_capital() {
        assert_eq!(
            figures(&round_day()),
            [
                "TECL 90.0%, target 56.0%", // 50,000 of tecl and a third of 18,000 of klm
                "SMR 0.0%, target 11.3%",
                "BWXT 0.0%, target 10.1%",
                "LEU 0.0%, target 8.6%",
                "SOXL 0.0%, target 6.0%",
                "SVIX 0.0%, target 6.0%",
                "cash 10.0%, target 2.0%",
            ]
        );
    }

    #[test]
    fn a_held_sleeve_aims_at_what_it_has_and_one_given_up_at_nothing() {
        let mut report = round_day();
        let plan = report.plan.as_mut().unwrap();
        plan.sleeves[0].state = SleeveState::Held(HeldReason::Failed);
        plan.sleeves[1].state = SleeveState::Due(DueReason::GivenUp);
        plan.sleeves[1].strategy = crate::presentation::sample::strategy("gone");
        plan.sleeves.truncate(2);
        assert_eq!(
            figures(&report),
            ["TECL 90.0%, target 0.0%", "BIL 0.0%, target 11.0%", "cash 10.0%, target 89.0%"]
        );
    }

    #[test]
    fn shares_of_no_strategy_are_aimed_at_as_they_are() {
        let mut report = round_day();
        let ledger = report.ledger.as_mut().unwrap();
        ledger.foreign.insert(symbol("TECL"), Shares::whole(200));
        report.plan.as_mut().unwrap().sleeves.truncate(1);
        let figures = figures(&report);
        assert_eq!(figures[0], "TECL 90.0%, target 20.0%");
        assert_eq!(figures.last().unwrap(), "cash 10.0%, target 50.0%");
    }

    #[test]
    fn without_a_plan_there_are_bars_but_no_marks() {
        let mut report = round_day();
        report.plan = None;
        assert_eq!(figures(&report), ["TECL 90.0%", "cash 10.0%"]);
        let chart = chart_of(&report);
        assert_eq!(chart.alt.as_str(), "Bars of the allocation now. TECL 90.0%; cash 10.0%.");
        let mark = |shape: &Shape| match shape {
            Shape::Bar(_, _, ink) | Shape::Words { ink, .. } => *ink == Ink::Mark,
            Shape::Line { .. } | Shape::Dot(..) => false,
        };
        assert!(!chart.picture.shapes.iter().any(mark));
    }

    #[test]
    fn bars_are_as_long_as_their_parts_of_the_longest() {
        let chart = chart_of(&round_day());
        let bars: Vec<(i16, i16)> = chart
            .picture
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Bar(from, to, Ink::Fill) => Some((from.x, to.x - from.x)),
                Shape::Bar(..) | Shape::Line { .. } | Shape::Dot(..) | Shape::Words { .. } => None,
            })
            .collect();
        assert!(bars.iter().all(|(start, _)| *start == bars[0].0), "{bars:?}");
        let (longest, cash) = (bars[0].1, bars[bars.len() - 1].1);
        assert!((longest - 9 * cash).abs() <= 9, "90% and 10%: {longest} and {cash}");
        assert!(bars[1..6].iter().all(|(_, length)| *length == 0), "{bars:?}");
    }

    #[test]
    fn sixty_positions_keep_twelve_bars_and_lose_nothing() {
        let mut report = round_day();
        report.plan.as_mut().unwrap().sleeves.clear();
        report.account.as_mut().unwrap().positions = (2..=61)
            .map(|number| Position {
                symbol: symbol(&format!("LONGSYMBOL{number}")),
                asset: AssetId(String::new()),
                shares: Shares::whole(number * 10),
                available: Shares::ZERO,
                price: Some(price("4.761904762")), // 18,900 shares are 90,000
                entry: None,
            })
            .collect();
        let chart = chart_of(&report);
        assert_eq!(chart.figures.len(), SYMBOLS_MAX + 2);
        assert_eq!(chart.figures[0].name.as_str(), "LONGSYMBOL61");
        assert_eq!(chart.figures[SYMBOLS_MAX].name.as_str(), "48 others");
        let now =
            chart.figures.iter().map(|fact| dec(fact.value.as_str().split_once('%').unwrap().0));
        let sum: Decimal = now.sum();
        assert!((sum - Decimal::ONE_HUNDRED).abs() < dec("0.5"), "{sum}");
        assert!(raster::draw(&chart.picture).is_some());
        let start =
            columns(&[Part { name: "W".repeat(12), now: dec("1"), target: Some(dec("1")) }]);
        assert!(start.bars.1 - start.bars.0 > 200, "the widest name leaves room for bars");
    }

    #[test]
    fn an_account_of_nothing_or_unknown_worth_has_no_chart() {
        for equity in ["0", "-5"] {
            let mut report = round_day();
            report.account.as_mut().unwrap().equity_after = usd(equity);
            assert!(allocation(&report).is_none(), "{equity}");
        }
        let mut report = round_day();
        report.account = None;
        assert!(allocation(&report).is_none());
    }

    #[test]
    fn what_has_no_price_is_named_and_what_is_owed_has_no_bar() {
        let mut report = round_day();
        report.prices.clear();
        let account = report.account.as_mut().unwrap();
        account.cash_after = usd("-3000");
        let mut halted = account.positions[0].clone();
        halted.symbol = symbol("HALT");
        halted.price = None;
        account.positions.push(halted);
        let chart = chart_of(&report);
        assert!(chart.caption.as_str().ends_with("Without a price and left out: HALT."));
        assert_eq!(chart.figures.last().unwrap().value.as_str(), "−3.0%, target 2.0%");
        assert!(raster::draw(&chart.picture).is_some());
    }

    #[test]
    fn an_account_all_in_cash_has_one_bar() {
        let mut report = round_day();
        report.plan.as_mut().unwrap().sleeves.clear();
        let account = report.account.as_mut().unwrap();
        account.positions.clear();
        account.cash_after = usd("100000");
        assert_eq!(figures(&report), ["cash 100.0%, target 100.0%"]);
    }
}

//! How far the account was from the plan's targets before the run, and how far it is now.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::domain::money::Usd;
use crate::domain::plan::PlanItem;
use crate::domain::report::RunReport;
use crate::domain::symbol::Symbol;
use crate::presentation::chart::Chart;
use crate::presentation::chart::allocation::{aims, holdings};
use crate::presentation::chart::picture::{
    Ink, LETTERING, Picture, Point, Shape, Side, Stroke, WIDTH, width, words,
};
use crate::presentation::figures::percent_change;
use crate::presentation::sheet::{Block, Fact, Section};

/// Symbols with a row of their own: those that were farthest off.
const SYMBOLS_MAX: usize = 10;
/// What is nearer to its target than this part of equity is on it: it would read 0.0%.
const PART_MIN: Decimal = Decimal::from_parts(5, 0, 0, false, 4);
const EDGE: i16 = 36;
/// Between two columns.
const GAP: i16 = 28;
const HEADING: i16 = 76;
const ROW: i16 = 62;
const BAR: i16 = 14;

/// One symbol's distance from its target, in parts of equity: above it is positive.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Distance {
    name: String,
    before: Decimal,
    now: Decimal,
}

/// The distances before the run and after it; `None` without a plan or where nothing was off.
pub(crate) fn drift(report: &RunReport) -> Option<Section> {
    let distances = distances(report)?;
    Section::of("Distance from the targets", vec![Block::Chart(chart(&distances))])
}

fn distances(report: &RunReport) -> Option<Vec<Distance>> {
    let (plan, account) = (report.plan.as_ref()?, report.account.as_ref()?);
    let now = holdings(report, account);
    let aims = aims(report, plan, &now.foreign);
    let mut distances: Vec<Distance> = plan
        .items
        .iter()
        .filter_map(|item| {
            let Aim { before, now, target } = aim(item, &now.value, &now.foreign, &aims.money)?;
            let target = target.ratio_to(aims.whole)?;
            Some(Distance {
                name: item.symbol.to_string(),
                before: before.ratio_to(aims.whole)? - target,
                now: now.ratio_to(account.equity_after)? - target,
            })
        })
        .filter(|distance| farthest(distance) >= PART_MIN)
        .collect();
    distances.sort_by_key(|distance| Reverse(farthest(distance)));
    distances.truncate(SYMBOLS_MAX);
    (!distances.is_empty()).then_some(distances)
}

/// Money in a symbol: before the run, now, and aimed at.
struct Aim {
    before: Usd,
    now: Usd,
    target: Usd,
}

type Money = BTreeMap<Symbol, Usd>;

/// `None` without a price. Shares of no strategy are in all three.
fn aim(item: &PlanItem, now: &Money, foreign: &Money, aims: &Money) -> Option<Aim> {
    let of = |money: &Money| money.get(&item.symbol).copied().unwrap_or_default();
    let before = item.held * item.reference? + of(foreign);
    Some(Aim { before, now: of(now), target: of(aims) })
}

fn farthest(distance: &Distance) -> Decimal {
    distance.before.abs().max(distance.now.abs())
}

fn chart(distances: &[Distance]) -> Chart {
    let told = |distance: &Distance| {
        let [before, now] = [distance.before, distance.now].map(percent_change);
        format!("{before} before, {now} now")
    };
    let list: Vec<String> =
        distances.iter().map(|distance| format!("{} {}", distance.name, told(distance))).collect();
    Chart {
        name: "drift",
        picture: picture(distances),
        alt: format!(
            "Bars of the distance from the targets, in parts of equity. {}.",
            list.join("; ")
        )
        .into(),
        caption: "Parts of equity above the target (right) or below it (left).".into(),
        figures: distances.iter().map(|at| Fact::new(at.name.as_str(), told(at))).collect(),
    }
}

fn picture(distances: &[Distance]) -> Picture {
    let widest = |heading: &str, of: fn(&Distance) -> Decimal| {
        let texts = distances.iter().map(|distance| width(&percent_change(of(distance))));
        texts.max().unwrap_or_default().max(width(heading))
    };
    let names = distances.iter().map(|distance| width(&distance.name)).max().unwrap_or_default();
    let now = WIDTH - EDGE;
    let before = now - widest("now", |distance| distance.now) - GAP;
    let bars = (EDGE + names + GAP, before - widest("before", |distance| distance.before) - GAP);
    let scale = distances.iter().map(farthest).max().unwrap_or_default();
    let heading = HEADING - GAP;
    let mut shapes = vec![
        words((before, heading), Side::End, "before", Ink::Mark),
        words((now, heading), Side::End, "now", Ink::Fill),
    ];
    let mut top = HEADING;
    for distance in distances {
        let baseline = top + ROW / 2 + LETTERING / 3;
        shapes.push(words((EDGE, baseline), Side::Start, &distance.name, Ink::Text));
        shapes.extend(bar(distance.before, bars, scale, (top + ROW / 2 - BAR - 2, Ink::Mark)));
        shapes.extend(bar(distance.now, bars, scale, (top + ROW / 2 + 2, Ink::Fill)));
        let before_told = percent_change(distance.before);
        shapes.push(words((before, baseline), Side::End, &before_told, Ink::Mark));
        shapes.push(words((now, baseline), Side::End, &percent_change(distance.now), Ink::Fill));
        top += ROW;
    }
    let middle = i16::midpoint(bars.0, bars.1);
    let axis = vec![Point { x: middle, y: HEADING }, Point { x: middle, y: top }];
    shapes.push(Shape::Line { points: axis, thick: 2, stroke: Stroke::Solid, ink: Ink::Dim });
    Picture { height: top + EDGE / 2, shapes }
}

/// From the middle to the right above the target, to the left below it.
fn bar(
    part: Decimal,
    (start, end): (i16, i16),
    scale: Decimal,
    (top, ink): (i16, Ink),
) -> Vec<Shape> {
    let (middle, half) = (i16::midpoint(start, end), (end - start) / 2);
    let along = part.checked_div(scale).unwrap_or_default() * Decimal::from(half);
    let x = middle + along.round().to_i16().unwrap_or_default().clamp(-half, half);
    let (from, to) = (middle.min(x), middle.max(x));
    let bar = Shape::Bar(Point { x: from, y: top }, Point { x: to, y: top + BAR }, ink);
    if from == to { Vec::new() } else { vec![bar] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Shares;
    use crate::presentation::chart::raster;
    use crate::presentation::sample::{price, symbol, trading_day, usd};

    /// A day with an equity of 100,000 and two symbols at 100: TECL from 300 to 500 shares, which is
    /// its target; BTAL sold, which nobody wants.
    fn two_symbols() -> RunReport {
        let mut report = trading_day();
        let account = report.account.as_mut().unwrap();
        account.equity_after = usd("100000");
        account.positions.truncate(1);
        account.positions[0].symbol = symbol("TECL");
        account.positions[0].shares = Shares::whole(500);
        account.positions[0].price = Some(price("100"));
        report.ledger.as_mut().unwrap().foreign.clear();
        report.signals.retain(|outcome| outcome.strategy.as_str() == "tecl");
        let plan = report.plan.as_mut().unwrap();
        plan.capital.broker_equity = usd("100000");
        plan.sleeves.retain(|sleeve| sleeve.strategy.as_str() == "tecl");
        plan.sleeves[0].capital = usd("50000");
        plan.items.retain(|item| ["TECL", "BTAL"].contains(&item.symbol.as_str()));
        for item in &mut plan.items {
            let held = if item.symbol.as_str() == "TECL" { 300 } else { 40 };
            (item.held, item.reference) = (Shares::whole(held), Some(price("100")));
        }
        report
    }

    #[test]
    fn what_was_bought_came_nearer_and_what_was_sold_is_gone() {
        let distances = distances(&two_symbols()).unwrap();
        let told: Vec<String> = distances
            .iter()
            .map(|at| format!("{} {} {}", at.name, at.before.normalize(), at.now.normalize()))
            .collect();
        assert_eq!(told, ["TECL -0.2 0", "BTAL 0.04 0"]);
    }

    #[test]
    fn bars_go_left_below_the_target_and_right_above_it() {
        let report = two_symbols();
        let chart = chart(&distances(&report).unwrap());
        let bars: Vec<(i16, i16)> = chart
            .picture
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Bar(from, to, Ink::Mark) => Some((from.x, to.x)),
                Shape::Bar(..) | Shape::Line { .. } | Shape::Dot(..) | Shape::Words { .. } => None,
            })
            .collect();
        let [(left, middle), (start, right)] = bars.as_slice() else { panic!("{bars:?}") };
        assert_eq!(middle, start, "both begin in the middle");
        let fifth = (middle - left) / 5;
        assert!((right - start - fifth).abs() <= 1, "4% is a fifth of 20%: {bars:?}");
        assert!(raster::draw(&chart.picture).is_some());
    }

    #[test]
    fn an_account_on_its_targets_has_no_picture() {
        let mut report = two_symbols();
        let plan = report.plan.as_mut().unwrap();
        plan.items.retain(|item| item.symbol.as_str() == "TECL");
        plan.items[0].held = Shares::whole(500);
        assert!(drift(&report).is_none());
        report.plan = None;
        assert!(drift(&report).is_none());
    }

    #[test]
    fn the_farthest_come_first_and_more_than_ten_are_left_out() {
        let mut report = two_symbols();
        let plan = report.plan.as_mut().unwrap();
        let item = plan.items[0].clone();
        plan.items = (1..60)
            .map(|number| {
                let mut item = item.clone();
                item.symbol = symbol(&format!("X{number}"));
                item.held = Shares::whole(number);
                item
            })
            .collect();
        let distances = distances(&report).unwrap();
        assert_eq!(distances.len(), SYMBOLS_MAX);
        assert_eq!(distances[0].name, "X59");
        assert!(raster::draw(&chart(&distances).picture).is_some());
    }
}

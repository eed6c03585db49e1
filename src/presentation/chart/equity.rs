//! Equity at the end of past runs, as a line over the calendar.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::domain::books::benchmark::Benchmark;
use crate::domain::books::returns::points;
use crate::domain::money::Usd;
use crate::domain::report::{EquityPoint, RunReport};
use crate::presentation::chart::Chart;
use crate::presentation::chart::picture::{
    Ink, LETTERING, Picture, Point, Shape, Side, Stroke, WIDTH, width,
};
use crate::presentation::figures::{count, day_month, day_month_year, dollars, money};
use crate::presentation::sheet::{Block, Fact, Section};
use crate::presentation::words::capital;

const HEIGHT: i16 = 500;
const LEFT: i16 = 36;
const TOP: i16 = 44;
/// Where the lowest line of the scale lies; the dates stand below.
const BOTTOM: i16 = 408;
const DATES: i16 = 470;
/// Between the curve's end and the scale's figures, and from them to the edge.
const GAP: i16 = 28;
/// Lines of the scale aimed at; rounded steps make it three to six.
const LINES: u8 = 4;
/// A range below this part of the equity is not blown up: a calm week should look calm.
const RANGE_MIN: Decimal = Decimal::from_parts(1, 0, 0, false, 2);
/// The range around an equity of nothing.
const DOLLARS_MIN: Decimal = Decimal::ONE;
/// Days between two points that holidays can explain; the longest closure since 1990 was six.
const DAYS_MAX: i32 = 7;
/// Runs named where there is no picture.
const FIGURES_MAX: usize = 5;

type Points = Vec<(Date, Usd)>;

/// Equity at the end of past runs beside the market's; `None` before the first.
pub(crate) fn equity_curve(report: &RunReport) -> Option<Section> {
    let market = report.benchmark.as_ref();
    let chart = curve_of(&report.equity_curve, &report.transfers, market)?;
    Section::of("Equity over the runs", vec![Block::Chart(chart)])
}

/// The curve of these points; of two of one session the last counts.
pub(crate) fn curve_of(
    curve: &[EquityPoint],
    transfers: &BTreeMap<Date, Usd>,
    market: Option<&Benchmark>,
) -> Option<Chart> {
    let by_session: BTreeMap<Date, EquityPoint> =
        curve.iter().map(|point| (point.session, *point)).collect();
    let curve: Vec<EquityPoint> = by_session.into_values().collect();
    let instead = market.map(|market| {
        let instead = market.instead(&points(&curve, transfers));
        (market.symbol.to_string(), instead)
    });
    let own = curve.iter().map(|point| (point.session, point.equity)).collect();
    chart(&own, instead.filter(|(_, instead)| instead.len() > 1 && instead.len() == curve.len()))
}

/// The chart of the account's points, beside those of the same money in a fund.
fn chart(points: &Points, market: Option<(String, Points)>) -> Option<Chart> {
    let (first, last) = (points.first()?, points.last()?);
    let low = points.iter().min_by_key(|(_, equity)| *equity)?;
    let high = points.iter().max_by_key(|(_, equity)| *equity)?;
    let all = points.iter().chain(market.iter().flat_map(|(_, instead)| instead));
    let bounds =
        all.fold((low.1, high.1), |(low, high), (_, worth)| (low.min(*worth), high.max(*worth)));
    let scale = Scale::over(bounds.0.decimal(), bounds.1.decimal())?;
    let mut caption = if points.len() == 1 {
        format!("{} after the first run on record, {}.", money(first.1), day_month(first.0))
    } else {
        let (low, high, since) = (money(low.1), money(high.1), date(first.0, last.0));
        format!("Between {low} and {high}, {} runs since {since}.", points.len())
    };
    if points.windows(2).any(is_gap) {
        caption.push_str(" Dashed: more than a week without a run.");
    }
    let at = |point: &(Date, Usd)| format!("{} on {}", money(point.1), date(point.0, last.0));
    let mut alt = format!(
        "Line of the equity after {} up to {}. First {}, lowest {}, highest {}, last {}.",
        count(points.len(), "run"),
        day_month_year(last.0),
        at(first),
        at(low),
        at(high),
        at(last)
    );
    let recent = points.iter().skip(points.len().saturating_sub(FIGURES_MAX));
    let mut figures: Vec<Fact> =
        recent.map(|(on, equity)| Fact::new(day_month(*on), money(*equity))).collect();
    if let Some((symbol, (_, worth))) =
        market.as_ref().and_then(|(symbol, instead)| Some((symbol, instead.last()?)))
    {
        let worth = money(*worth);
        let payments = format!("the same payments into {symbol}");
        caption = format!("{caption} {} would be {worth} now.", capital(&payments));
        alt = format!("{alt} A second line: {payments}, last {worth}.");
        figures.push(Fact::new(capital(&payments), worth));
    }
    Some(Chart {
        name: "equity",
        picture: picture(points, market, &scale),
        alt: alt.into(),
        caption: caption.into(),
        figures,
    })
}

/// A date as short as it can be told from others up to `last`.
fn date(on: Date, last: Date) -> String {
    if on.year() == last.year() { day_month(on) } else { day_month_year(on) }
}

fn is_gap(pair: &[(Date, Usd)]) -> bool {
    matches!(pair, [(one, _), (next, _)] if days(*one, *next) > DAYS_MAX)
}

fn days(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

/// Round money values from below the lowest to above the highest point.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Scale {
    /// The lines, lowest first; at least two, none equal.
    lines: Vec<Decimal>,
}

impl Scale {
    /// `None` for figures so large that they cannot be divided, which no account reaches.
    fn over(low: Decimal, high: Decimal) -> Option<Self> {
        let least = high.abs().max(low.abs()).checked_mul(RANGE_MIN)?.max(DOLLARS_MIN);
        let missing = least.checked_sub(high.checked_sub(low)?)?.max(Decimal::ZERO);
        let beside = missing / Decimal::TWO;
        let floor = if low < Decimal::ZERO { Decimal::MIN } else { Decimal::ZERO };
        let low = low.checked_sub(beside)?.max(floor);
        let high = high.checked_add(beside)?;
        let step = round_step((high - low) / Decimal::from(LINES))?;
        let bottom = (low / step).floor();
        let top = (high / step).ceil().max(bottom + Decimal::ONE);
        let steps = (top - bottom).to_u8()?;
        let lines = (0..=steps).map(|at| (bottom + Decimal::from(at)) * step).collect();
        Some(Self { lines })
    }

    /// How far down a value lies.
    fn y(&self, value: Decimal) -> i16 {
        let (Some(low), Some(high)) = (self.lines.first(), self.lines.last()) else {
            return BOTTOM;
        };
        let part = (value - low).checked_div(high - low).unwrap_or_default();
        let up = part * Decimal::from(BOTTOM - TOP);
        BOTTOM - up.round().to_i16().unwrap_or_default().clamp(0, BOTTOM - TOP)
    }

    fn label(&self, line: Decimal) -> String {
        let whole = self.lines.iter().all(|line| line.fract().is_zero());
        let amount = Usd::new(line).unwrap_or_default();
        if whole { dollars(amount) } else { money(amount) }
    }
}

/// The smallest of 1, 2, 5, 10, 20, .. hundredths that is at least so much.
fn round_step(least: Decimal) -> Option<Decimal> {
    let mut power = Decimal::new(1, 2);
    while power.checked_mul(Decimal::TEN)? <= least {
        power *= Decimal::TEN;
    }
    let steps = [1, 2, 5, 10].map(|times| power.checked_mul(Decimal::from(times)));
    steps.into_iter().flatten().find(|step| *step >= least)
}

fn picture(points: &Points, market: Option<(String, Points)>, scale: &Scale) -> Picture {
    let labels: Vec<(Decimal, String)> =
        scale.lines.iter().map(|line| (*line, scale.label(*line))).collect();
    let figures = labels.iter().map(|(_, label)| width(label)).max().unwrap_or_default();
    let right = WIDTH - LEFT - GAP - figures;
    let mut shapes = Vec::new();
    for (line, label) in labels {
        let y = scale.y(line);
        let points = vec![Point { x: LEFT, y }, Point { x: right, y }];
        shapes.push(Shape::Line { points, thick: 2, stroke: Stroke::Solid, ink: Ink::Rule });
        let at = Point { x: WIDTH - LEFT, y: y + LETTERING / 3 };
        shapes.push(Shape::Words { at, side: Side::End, text: label.into(), ink: Ink::Dim });
    }
    let names = market.as_ref().map(|(symbol, _)| legend(symbol, right));
    if let Some((_, instead)) = market {
        shapes.extend(curve(&instead, scale, (right, Ink::Mark, 4)));
    }
    shapes.extend(curve(points, scale, (right, Ink::Fill, 6)));
    shapes.extend(last_point(points, scale, right));
    shapes.extend(dates(points, right));
    shapes.extend(names.into_iter().flatten());
    Picture { height: HEIGHT, shapes }
}

/// Which line is which, between the dates.
fn legend(symbol: &str, right: i16) -> Vec<Shape> {
    let words = [("account", Ink::Fill), (symbol, Ink::Mark)];
    let whole = words.iter().map(|(text, _)| width(text)).sum::<i16>() + LEFT;
    let mut x = (LEFT + right - whole) / 2;
    let mut shapes = Vec::new();
    for (text, ink) in words {
        let at = Point { x, y: DATES };
        shapes.push(Shape::Words { at, side: Side::Start, text: text.into(), ink });
        x += width(text) + LEFT;
    }
    shapes
}

/// Where a point lies between the first day and the last.
fn place(points: &Points, (on, worth): &(Date, Usd), scale: &Scale, right: i16) -> Point {
    let first = points.first().map_or(*on, |(first, _)| *first);
    let last = points.last().map_or(*on, |(last, _)| *last);
    let along = i64::from(days(first, *on)) * i64::from(right - LEFT);
    let along = along / i64::from(days(first, last).max(1));
    Point { x: LEFT + i16::try_from(along).unwrap_or_default(), y: scale.y(worth.decimal()) }
}

/// The line in pieces, dashed over gaps.
fn curve(points: &Points, scale: &Scale, (right, ink, thick): (i16, Ink, i16)) -> Vec<Shape> {
    let place = |point: &(Date, Usd)| place(points, point, scale, right);
    let line = |points: Vec<Point>, thick, stroke| Shape::Line { points, thick, stroke, ink };
    let mut shapes = Vec::new();
    for pair in points.windows(2).filter(|pair| is_gap(pair)) {
        shapes.push(line(pair.iter().map(place).collect(), thick / 2, Stroke::Dashed));
    }
    for piece in points.chunk_by(|one, next| !is_gap(&[*one, *next])) {
        match piece {
            [alone] => shapes.push(Shape::Dot(place(alone), 5, ink)),
            _ => shapes.push(line(piece.iter().map(place).collect(), thick, Stroke::Solid)),
        }
    }
    shapes
}

/// A dot on the last point, with its figure where it is the only one.
fn last_point(points: &Points, scale: &Scale, right: i16) -> Vec<Shape> {
    let place = |point: &(Date, Usd)| place(points, point, scale, right);
    let mut shapes = Vec::new();
    shapes.extend(points.last().map(|last| Shape::Dot(place(last), 11, Ink::Fill)));
    if let [alone] = points.as_slice() {
        let at = Point { x: LEFT + GAP, y: place(alone).y - GAP };
        let text = format!("{} after the first run", dollars(alone.1)).into();
        shapes.push(Shape::Words { at, side: Side::Start, text, ink: Ink::Text });
    }
    shapes
}

fn dates(points: &Points, right: i16) -> Vec<Shape> {
    let Some(((first, _), (last, _))) = points.first().zip(points.last()) else {
        return Vec::new();
    };
    let words = |on: &Date, x, side| Shape::Words {
        at: Point { x, y: DATES },
        side,
        text: date_of_axis(*on, first.year() == last.year()).into(),
        ink: Ink::Dim,
    };
    let mut shapes = vec![words(first, LEFT, Side::Start)];
    if first < last {
        shapes.push(words(last, right, Side::End));
    }
    shapes
}

fn date_of_axis(on: Date, one_year: bool) -> String {
    if one_year { day_month(on) } else { day_month_year(on) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as on;
    use proptest::prelude::{Strategy, any, prop, prop_assert, proptest};

    use super::*;
    use crate::presentation::chart::raster;
    use crate::presentation::sample::{dec, usd};

    fn points(equities: &[&str]) -> Points {
        let first = on(2026, 11, 16);
        let days = (0..).map(|day| first.checked_add(jiff::Span::new().days(day)).unwrap());
        days.zip(equities.iter().map(|equity| usd(equity))).collect()
    }

    /// The pieces of the curve with their strokes.
    fn pieces(chart: &Chart) -> Vec<(Stroke, Vec<Point>)> {
        let pieces = chart.picture.shapes.iter().filter_map(|shape| match shape {
            Shape::Line { points, stroke, ink: Ink::Fill, .. } => Some((*stroke, points.clone())),
            Shape::Line { .. } | Shape::Bar(..) | Shape::Dot(..) | Shape::Words { .. } => None,
        });
        pieces.collect()
    }

    fn labels(chart: &Chart) -> Vec<&str> {
        let labels = chart.picture.shapes.iter().filter_map(|shape| match shape {
            Shape::Words { text, .. } => Some(text.as_str()),
            Shape::Line { .. } | Shape::Bar(..) | Shape::Dot(..) => None,
        });
        labels.collect()
    }

    #[test]
    fn the_curve_runs_from_the_first_to_the_last_day_with_the_highest_on_top() {
        let chart = chart(&points(&["100000", "95000", "110000"]), None).unwrap();
        let pieces = pieces(&chart);
        let [(Stroke::Solid, line)] = pieces.as_slice() else { panic!("{pieces:?}") };
        assert_eq!(line[0].x, LEFT);
        assert_eq!(line[1].x - line[0].x, line[2].x - line[1].x);
        assert_eq!((line[1].y, line[2].y), (BOTTOM, TOP), "95,000 and 110,000 are on the scale");
        assert_eq!(
            labels(&chart),
            ["$95,000", "$100,000", "$105,000", "$110,000", "16 Nov", "18 Nov"]
        );
    }

    #[test]
    fn the_description_tells_what_the_line_shows() {
        let chart = chart(&points(&["100000", "95000.5", "110000", "99000"]), None).unwrap();
        assert_eq!(
            chart.alt.as_str(),
            "Line of the equity after 4 runs up to 19 Nov 2026. First $100,000.00 on 16 Nov, \
             lowest $95,000.50 on 17 Nov, highest $110,000.00 on 18 Nov, last $99,000.00 on 19 Nov."
        );
        assert_eq!(
            chart.caption.as_str(),
            "Between $95,000.50 and $110,000.00, 4 runs since 16 Nov."
        );
    }

    #[test]
    fn a_day_is_as_long_as_another_and_a_gap_is_dashed() {
        let mut points = points(&["100", "101", "102"]);
        points.push((on(2026, 12, 16), usd("103")));
        points.push((on(2026, 12, 17), usd("104")));
        let chart = chart(&points, None).unwrap();
        let pieces = pieces(&chart);
        let strokes: Vec<_> = pieces.iter().map(|(stroke, line)| (*stroke, line.len())).collect();
        assert_eq!(strokes, [(Stroke::Dashed, 2), (Stroke::Solid, 3), (Stroke::Solid, 2)]);
        let gap = &pieces[0].1;
        let day = pieces[2].1[1].x - pieces[2].1[0].x;
        assert!((gap[1].x - gap[0].x - 28 * day).abs() <= 28, "28 days are 28 times as long");
        assert!(chart.caption.as_str().ends_with("Dashed: more than a week without a run."));
    }

    #[test]
    fn one_run_is_a_dot_with_its_figure_and_none_is_no_chart() {
        let single = chart(&points(&["100004.16"]), None).unwrap();
        assert_eq!(pieces(&single), Vec::new());
        let labels = labels(&single);
        assert!(labels.contains(&"$100,004 after the first run"), "{labels:?}");
        assert_eq!(labels.iter().filter(|label| **label == "16 Nov").count(), 1);
        assert!(raster::draw(&single.picture).is_some());
        assert!(chart(&Vec::new(), None).is_none());
    }

    #[test]
    fn the_market_is_a_second_line_on_the_same_scale() {
        let own = points(&["100000", "95000", "110000"]);
        let spy = Some(("SPY".to_owned(), points(&["100000", "120000", "90000"])));
        let chart = chart(&own, spy).unwrap();
        let line = |wanted: Ink| {
            chart.picture.shapes.iter().find_map(|shape| match shape {
                Shape::Line { points, ink, .. } if *ink == wanted => Some(points.clone()),
                Shape::Line { .. } | Shape::Bar(..) | Shape::Dot(..) | Shape::Words { .. } => None,
            })
        };
        let (account, market) = (line(Ink::Fill).unwrap(), line(Ink::Mark).unwrap());
        assert_eq!(account[0], market[0], "both begin with the same money");
        assert_eq!((market[1].y, market[2].y), (TOP, BOTTOM), "the scale reaches over both");
        assert!((TOP..BOTTOM).contains(&account[2].y));
        assert!(labels(&chart).contains(&"SPY"));
        assert!(chart.alt.as_str().ends_with("the same payments into SPY, last $90,000.00."));
        assert_eq!(chart.figures.last().unwrap().value.as_str(), "$90,000.00");
        assert!(raster::draw(&chart.picture).is_some());
    }

    #[test]
    fn a_flat_curve_lies_inside_its_scale() {
        for flat in ["100000", "0", "0.01", "1000000000000", "-500"] {
            let chart = chart(&points(&[flat, flat, flat]), None).unwrap();
            let line = &pieces(&chart)[0].1;
            assert!(line.iter().all(|point| point.y == line[0].y), "{flat}");
            assert!(raster::draw(&chart.picture).is_some(), "{flat}");
            let labels = labels(&chart);
            assert_eq!(
                labels[..labels.len() - 2].iter().collect::<std::collections::BTreeSet<_>>().len(),
                labels.len() - 2,
                "no figure stands twice: {labels:?}"
            );
            let negative = labels.iter().any(|label| label.starts_with('−'));
            assert_eq!(negative, flat.starts_with('-'), "{labels:?}");
        }
    }

    #[test]
    fn a_quiet_week_is_not_blown_up() {
        let chart = chart(&points(&["100000", "100010", "100000"]), None).unwrap();
        let line = &pieces(&chart)[0].1;
        assert!((1..10).contains(&(line[0].y - line[1].y)), "{line:?}");
    }

    #[test]
    fn steps_are_one_two_or_five_times_a_power_of_ten() {
        let step = |least: &str| round_step(dec(least)).unwrap().normalize().to_string();
        let least = ["0.001", "0.011", "0.3", "1", "2.1", "5.5", "26", "999", "120000000000"];
        let steps = ["0.01", "0.02", "0.5", "1", "5", "10", "50", "1000", "200000000000"];
        assert_eq!(least.map(step), steps);
    }

    #[test]
    fn a_session_recorded_twice_counts_once_and_order_does_not_matter() {
        let mut report = crate::presentation::sample::trading_day();
        let sorted = format!("{:?}", equity_curve(&report));
        report.equity_curve.reverse();
        let again = report.equity_curve[3];
        report.equity_curve.push(again);
        assert_eq!(format!("{:?}", equity_curve(&report)), sorted);
    }

    fn any_points() -> impl Strategy<Value = Points> {
        let point = (0_i64..9000, any::<i32>(), 0_u32..8);
        prop::collection::btree_map(0_i64..9000, point, 1..260).prop_map(|points| {
            let first = on(2020, 1, 1);
            let equity = |cents: i32, scale| Usd::new(Decimal::new(cents.into(), scale)).unwrap();
            let day = |day| first.checked_add(jiff::Span::new().days(day)).unwrap();
            points
                .into_iter()
                .map(|(at, (_, cents, scale))| (day(at), equity(cents, scale)))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn whatever_happened_the_curve_stays_between_its_lines(points in any_points()) {
            let chart = chart(&points, None).unwrap();
            for (_, line) in pieces(&chart) {
                for point in line {
                    prop_assert!((LEFT..WIDTH - LEFT).contains(&point.x));
                    prop_assert!((TOP..=BOTTOM).contains(&point.y));
                }
            }
            prop_assert!((3..=9).contains(&labels(&chart).len()));
        }
    }
}

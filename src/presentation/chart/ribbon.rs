//! How near each strategy's decisions were to turning, as dots on a ribbon.
//!
//! A ribbon has four stretches of one width, as the letter names them: on the edge, close, clear, far
//! from turning. Inside a stretch a dot lies as far along as its margin is.

use crate::domain::report::RunReport;
use crate::domain::steps::steps;
use crate::domain::symphony::trace::Trace;
use crate::presentation::chart::Chart;
use crate::presentation::chart::picture::{
    Ink, LETTERING, Picture, Point, Shape, Side, WIDTH, width,
};
use crate::presentation::figures::{count, ratio};
use crate::presentation::line::clip;
use crate::presentation::sheet::{Block, Fact, Section};
use crate::presentation::words::{CLEAR, CLOSE, EDGE, confidence};

/// Strategies with a ribbon of their own, in the policy's order.
const STRATEGIES_MAX: usize = 10;
/// Dots on a ribbon, the nearest first: more would be a line.
const DOTS_MAX: usize = 40;
/// Signs of a name.
const NAME_MAX: usize = 14;
const SIDE: i16 = 36;
const GAP: i16 = 28;
const HEADING: i16 = 76;
const ROW: i16 = 66;
const BAND: i16 = 22;
const DOT: i16 = 8;
const NEAREST: i16 = 13;

/// One strategy's decisions.
#[derive(Debug, Clone, PartialEq)]
struct Ribbon {
    name: String,
    /// Margins of all its decisions, the nearest first; never empty.
    margins: Vec<f64>,
}

/// The ribbons of the strategies that compared anything; `None` where none did.
pub(crate) fn ribbon(report: &RunReport) -> Option<Section> {
    let ribbons: Vec<Ribbon> = report
        .signals
        .iter()
        .filter_map(|outcome| {
            let margins = margins(&outcome.result.as_ref().ok()?.trace);
            let name = clip(outcome.strategy.as_str(), NAME_MAX);
            (!margins.is_empty()).then_some(Ribbon { name, margins })
        })
        .take(STRATEGIES_MAX)
        .collect();
    let chart = (!ribbons.is_empty()).then(|| chart(&ribbons))?;
    Section::of("How near the decisions were", vec![Block::Chart(chart)])
}

fn margins(trace: &Trace) -> Vec<f64> {
    let steps = trace.closest().into_iter().filter_map(|at| trace.steps.get(at)?.margin());
    steps.filter(|margin| margin.is_finite()).collect()
}

fn chart(ribbons: &[Ribbon]) -> Chart {
    let told = |ribbon: &Ribbon| {
        let nearest = ribbon.margins.first().copied().unwrap_or_default();
        let near = ribbon.margins.iter().filter(|margin| **margin < CLOSE).count();
        let decisions = count(ribbon.margins.len(), "decision");
        format!(
            "nearest {}, {}; {near} of {decisions} close or nearer",
            ratio(nearest),
            confidence(nearest)
        )
    };
    let list: Vec<String> =
        ribbons.iter().map(|ribbon| format!("{}: {}", ribbon.name, told(ribbon))).collect();
    Chart {
        name: "ribbon",
        picture: picture(ribbons),
        alt: format!("Dots for how far each decision was from turning. {}.", list.join(". "))
            .into(),
        caption:
            "A dot is a decision on the way to the signal, the large one the nearest to turning."
                .into(),
        figures: ribbons
            .iter()
            .map(|ribbon| Fact::new(ribbon.name.as_str(), told(ribbon)))
            .collect(),
    }
}

fn picture(ribbons: &[Ribbon]) -> Picture {
    let names = ribbons.iter().map(|ribbon| width(&ribbon.name)).max().unwrap_or_default();
    let (start, end) = (SIDE + names + GAP, WIDTH - SIDE);
    let stretch = (end - start) / 4;
    let headings = ["on the edge", "close", "clear", "far"];
    let mut shapes = Vec::new();
    for (at, heading) in (0..).zip(headings) {
        let at = Point { x: start + at * stretch, y: HEADING - GAP };
        let text = heading.into();
        shapes.push(Shape::Words { at, side: Side::Start, text, ink: Ink::Dim });
    }
    let mut top = HEADING;
    for ribbon in ribbons {
        let middle = top + ROW / 2;
        let at = Point { x: SIDE, y: middle + LETTERING / 3 };
        let text = ribbon.name.as_str().into();
        shapes.push(Shape::Words { at, side: Side::Start, text, ink: Ink::Text });
        for part in 0..4 {
            let from = Point { x: start + part * stretch, y: middle - BAND / 2 };
            let to = Point { x: from.x + stretch - 6, y: middle + BAND / 2 };
            shapes.push(Shape::Bar(from, to, Ink::Rule));
        }
        let x = |margin: f64| start + along(margin, stretch);
        let dot = |margin: &f64| Point { x: x(*margin), y: middle };
        let others = ribbon.margins.iter().skip(1).take(DOTS_MAX);
        shapes.extend(others.map(|margin| Shape::Dot(dot(margin), DOT, Ink::Fill)));
        let nearest = ribbon.margins.first();
        shapes.extend(nearest.map(|margin| Shape::Dot(dot(margin), NEAREST, Ink::Mark)));
        top += ROW;
    }
    Picture { height: top + SIDE / 2, shapes }
}

/// How far along four stretches of this width a margin lies.
fn along(margin: f64, stretch: i16) -> i16 {
    let bounds = [0.0, EDGE, CLOSE, CLEAR, 1.0];
    let part = bounds.windows(2).zip(0_u8..).find(|(pair, _)| margin < pair[1]);
    let places = match part {
        Some((pair, at)) => f64::from(at) + ((margin - pair[0]) / (pair[1] - pair[0])).max(0.0),
        None => 4.0,
    };
    let most = 4 * stretch;
    let units = steps(places * f64::from(stretch), 1).and_then(|units| i16::try_from(units).ok());
    units.unwrap_or(most).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presentation::chart::raster;
    use crate::presentation::sample::trading_day;

    #[test]
    fn a_dot_lies_in_the_stretch_that_its_word_names() {
        for margin in [0.0, 0.009, 0.01, 0.03, 0.05, 0.19, 0.2, 0.99, 1.0, 7.0] {
            let stretch = along(margin, 100) / 100;
            let words = ["on the edge", "close", "clear", "far from turning", "far from turning"];
            let at = usize::try_from(stretch).unwrap();
            assert_eq!(words[at], confidence(margin), "{margin}");
        }
        assert_eq!([0.005, 0.01, 0.03, 0.6].map(|margin| along(margin, 100)), [50, 100, 150, 350]);
    }

    #[test]
    fn each_strategy_has_its_nearest_decision_in_another_colour() {
        let report = trading_day();
        let Some(Section { blocks, .. }) = ribbon(&report) else { panic!("no ribbon") };
        let [Block::Chart(chart)] = blocks.as_slice() else { panic!("{blocks:?}") };
        let dots = |wanted: Ink| {
            let is = |shape: &&Shape| matches!(shape, Shape::Dot(_, _, ink) if *ink == wanted);
            chart.picture.shapes.iter().filter(is).count()
        };
        let margins: Vec<usize> = report
            .signals
            .iter()
            .filter_map(|outcome| Some(margins(&outcome.result.as_ref().ok()?.trace).len()))
            .filter(|decisions| *decisions > 0)
            .collect();
        assert_eq!(dots(Ink::Mark), margins.len());
        assert_eq!(dots(Ink::Fill), margins.iter().sum::<usize>() - margins.len());
        assert!(raster::draw(&chart.picture).is_some());
    }

    #[test]
    fn strategies_that_compared_nothing_have_no_ribbon() {
        let mut report = trading_day();
        for outcome in &mut report.signals {
            if let Ok(signal) = &mut outcome.result {
                signal.trace.steps.clear();
            }
        }
        assert!(ribbon(&report).is_none());
    }

    #[test]
    fn as_many_strategies_as_there_is_room_for_can_be_drawn() {
        let mut report = trading_day();
        let said = report.signals[0].clone();
        report.signals = vec![said; 60];
        let Some(Section { blocks, .. }) = ribbon(&report) else { panic!("no ribbon") };
        let [Block::Chart(chart)] = blocks.as_slice() else { panic!("{blocks:?}") };
        assert_eq!(chart.figures.len(), STRATEGIES_MAX);
        assert!(raster::draw(&chart.picture).is_some());
    }
}

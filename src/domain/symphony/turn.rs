//! What would turn a decision: the close of one symbol, all else being as it was.
//!
//! Two questions are answered for each comparison. *Instead*: which other last close would have
//! turned it. *Next*: which further close, appended tonight, makes it come out differently from
//! today. The symbol is that of the left side; a right side of the same symbol moves with it and
//! that of any other stays.
//!
//! The answer is found by trying closes with the very functions that decide, further and further
//! away in both directions, and halving the last step down to the neighbouring number. A function
//! that goes on from yesterday's value is only asked for one more day, so that a try costs little.

use crate::domain::indicator::{self, Average, Strength};
use crate::domain::symbol::Symbol;
use crate::domain::symphony::function::Function;
use crate::domain::symphony::measure::Measure;
use crate::domain::symphony::trace::{Edge, Turn};

/// First step away from a close, and by how much each next one is longer, as logarithms.
const STEP: f64 = 0.0005;
const GROWTH: f64 = 1.25;
/// How far closes are tried: up to a thousandfold, and down to a thousandth.
const FAR: f64 = 6.907_755_278_982_137;
/// Halvings after which two numbers are surely neighbours.
const HALVINGS_MAX: u32 = 80;

/// A measure that has seen some closes and is asked for its value after one more.
#[derive(Debug, Clone)]
pub(crate) enum After {
    /// The closes that still count.
    Window {
        measure: Measure,
        closes: Vec<f64>,
    },
    Strength(Strength),
    Average(Average),
    Oscillator(Average, Average),
    Signal([Average; 3]),
}

impl After {
    /// A measure after some closes, of which there is at least one.
    pub(crate) fn closes(measure: Measure, closes: &[f64]) -> Self {
        Self::recursion(measure, closes).unwrap_or_else(|| {
            let counting = measure.closes_needed().saturating_sub(1);
            // A recursion that has not begun needs all there are.
            let all = if measure.function.is_recursive() { closes.len() } else { counting };
            let first = closes.len().saturating_sub(all);
            Self::Window { measure, closes: closes[first..].to_vec() }
        })
    }

    fn recursion(measure: Measure, closes: &[f64]) -> Option<Self> {
        let average = |window| {
            let mut average = Average::start(*closes.first()?, window);
            for close in closes.iter().skip(1) {
                average.next(*close);
            }
            Some(average)
        };
        match (measure.function, measure.windows()) {
            (Function::Rsi, [window]) => {
                let mut strength = Strength::start(closes, *window)?;
                let later = &closes[usize::from(*window) + 1..];
                for close in later {
                    strength.next(*close);
                }
                Some(Self::Strength(strength))
            }
            (Function::ExponentialMovingAveragePrice, [window]) => {
                average(*window).map(Self::Average)
            }
            (Function::PercentagePriceOscillator, [short, long]) => {
                Some(Self::Oscillator(average(*short)?, average(*long)?))
            }
            (Function::PercentagePriceOscillatorSignal, [short, long, smooth]) => {
                let mut gaps = indicator::oscillators(closes, *short, *long);
                let mut signal = Average::start(gaps.next()?, *smooth);
                for gap in gaps {
                    signal.next(gap);
                }
                Some(Self::Signal([average(*short)?, average(*long)?, signal]))
            }
            _ => None,
        }
    }

    /// The value if this is the next close.
    pub(crate) fn then(&mut self, close: f64) -> f64 {
        match self {
            Self::Window { measure, closes } => {
                closes.push(close);
                let value = measure.of(closes).unwrap_or(f64::NAN);
                closes.pop();
                value
            }
            Self::Strength(strength) => strength.clone().next(close),
            Self::Average(average) => average.clone().next(close),
            Self::Oscillator(short, long) => {
                indicator::oscillator(short.clone().next(close), long.clone().next(close))
            }
            Self::Signal([short, long, signal]) => {
                let gap =
                    indicator::oscillator(short.clone().next(close), long.clone().next(close));
                signal.clone().next(gap)
            }
        }
    }

    /// The close between which and either side a deviation grows; no other function has one.
    pub(crate) fn lowest(&self) -> Option<f64> {
        let Self::Window { measure, closes } = self else { return None };
        let count = u32::try_from(closes.len()).map(f64::from).ok()?;
        match measure.function {
            Function::StdevPrice => Some(closes.iter().sum::<f64>() / count),
            Function::StdevReturn => {
                let returns = closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0);
                let mean = returns.sum::<f64>() / (count - 1.0);
                closes.last().map(|close| close * (1.0 + mean))
            }
            Function::CurrentPrice
            | Function::MovingAveragePrice
            | Function::ExponentialMovingAveragePrice
            | Function::MovingAverageReturn
            | Function::CumulativeReturn
            | Function::MaxDrawdown
            | Function::Rsi
            | Function::PercentagePriceOscillator
            | Function::PercentagePriceOscillatorSignal => None,
        }
    }
}

/// One side of a comparison while a close is tried.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    /// Measured on the closes of the symbol that is moved.
    Moves(Measure),
    /// As it is today.
    Stays(f64),
}

/// Which closes of a symbol turn a comparison of two sides that `is` so today; `closes` are the
/// symbol's, today's the last.
pub(crate) fn turn(
    (symbol, closes): (&Symbol, &[f64]),
    sides: [Side; 2],
    is: bool,
    compare: impl Fn(f64, f64) -> bool,
) -> Option<Turn> {
    let (close, before) = closes.split_last()?;
    let edge = |seen: &[f64]| {
        let mut sides = sides.map(|side| match side {
            Side::Moves(measure) => Ok(After::closes(measure, seen)),
            Side::Stays(value) => Err(value),
        });
        let lowest = |side: &Result<After, f64>| side.as_ref().ok().and_then(After::lowest);
        let beside: Vec<f64> = sides.iter().filter_map(lowest).collect();
        nearest(*close, is, &beside, |tried| {
            let [left, right] = &mut sides;
            let value = |side: &mut Result<After, f64>| match side {
                Ok(after) => after.then(tried),
                Err(value) => *value,
            };
            compare(value(left), value(right))
        })
    };
    let (instead, next) = (edge(before), edge(closes));
    Some(Turn { symbol: symbol.clone(), close: *close, instead, next })
}

/// A portfolio's returns while the last of them depends on the close of one symbol.
#[derive(Debug)]
pub(crate) struct Returns {
    pub(crate) measure: Measure,
    /// Returns before the last.
    pub(crate) before: Vec<f64>,
    /// The last one, if the symbol closes at `close`.
    pub(crate) daily: f64,
    /// The part of the portfolio that the symbol is.
    pub(crate) part: f64,
    /// What its return is measured from.
    pub(crate) base: f64,
    pub(crate) close: f64,
}

impl Returns {
    fn then(&mut self, close: f64) -> f64 {
        self.before.push(self.daily + self.part * (close - self.close) / self.base);
        let value = if self.measure.function.is_recursive() {
            let mut index = self.before.clone();
            indicator::build_index(&mut index);
            self.measure.of(&index).unwrap_or(f64::NAN)
        } else {
            let needed = self.measure.returns_needed();
            let start = self.before.len().checked_sub(needed);
            start.map_or(f64::NAN, |start| self.measure.of_returns(&self.before[start..]))
        };
        self.before.pop();
        value
    }

    /// The close between which and either side the deviation of the returns grows.
    fn lowest(&self) -> Option<f64> {
        if self.measure.function != Function::StdevReturn {
            return None;
        }
        let others = self.measure.returns_needed().checked_sub(1)?;
        let others = &self.before[self.before.len().checked_sub(others)?..];
        let mean = indicator::mean_of_returns(others) / 100.0;
        Some(self.close + (mean - self.daily) * self.base / self.part)
    }
}

/// The close nearest to `from` at which the first of two portfolios no longer comes first.
pub(crate) fn nearest_of_returns(
    from: f64,
    mut sides: [Returns; 2],
    is_first: impl Fn(f64, f64) -> bool,
) -> Option<Edge> {
    let beside: Vec<f64> = sides.iter().filter_map(Returns::lowest).collect();
    nearest(from, true, &beside, |close| {
        let [last, rival] = &mut sides;
        is_first(last.then(close), rival.then(close))
    })
}

/// The close nearest to `from` at which something is no longer what it `is`; `None` when it stays
/// so from a thousandth to a thousandfold. `beside` are closes where it might turn and back again.
pub(crate) fn nearest(
    from: f64,
    is: bool,
    beside: &[f64],
    mut holds: impl FnMut(f64) -> bool,
) -> Option<Edge> {
    if holds(from) != is {
        return Some(Edge::at(from, from));
    }
    let mut toward = |sign: f64| {
        let (mut kept, mut step, mut away) = (from, STEP, STEP);
        loop {
            let probe = from * (sign * away.min(FAR)).exp();
            let between =
                |close: &f64| (*close - kept) * sign > 0.0 && (probe - *close) * sign > 0.0;
            let found = beside.iter().copied().find(|close| between(close) && holds(*close) != is);
            let turned = found.or((holds(probe) != is).then_some(probe));
            if let Some(turned) = turned {
                return Some(halve(kept, turned, is, &mut holds));
            }
            if away >= FAR {
                return None;
            }
            kept = probe;
            step *= GROWTH;
            away += step;
        }
    };
    let both = [toward(1.0), toward(-1.0)];
    let far = |close: &f64| (close / from).ln().abs();
    let nearest = both.into_iter().flatten().min_by(|a, b| far(a).total_cmp(&far(b)));
    nearest.map(|close| Edge::at(close, from))
}

/// The first of the numbers from `kept` to `turned` at which it is turned.
fn halve(mut kept: f64, mut turned: f64, is: bool, holds: &mut impl FnMut(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS_MAX {
        let middle = kept + (turned - kept) / 2.0;
        if !(middle > kept.min(turned) && middle < kept.max(turned)) {
            break;
        }
        if holds(middle) == is { kept = middle } else { turned = middle }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSES: [f64; 8] = [100.0, 104.0, 99.0, 101.0, 103.0, 98.0, 102.0, 105.0];

    #[test]
    fn one_more_close_gives_what_the_whole_history_gives() {
        for function in Function::ALL {
            for window in [2, 3, 4] {
                let measure = Measure::with(function, [window, 3, 2]);
                let before = &CLOSES[..7];
                let mut after = After::closes(measure, before);
                for close in [105.0, 88.5] {
                    let whole: Vec<f64> = before.iter().copied().chain([close]).collect();
                    let expected = measure.of(&whole).unwrap();
                    let value = after.then(close);
                    assert_eq!(value.to_bits(), expected.to_bits(), "{measure:?}");
                }
            }
        }
    }

    #[test]
    fn the_nearest_close_that_turns_it_is_found_to_the_last_digit() {
        let edge = nearest(100.0, true, &[], |close| close > 97.3).unwrap();
        assert_eq!(edge.close.to_bits(), 97.3_f64.to_bits());
        assert!((edge.percent + 2.7).abs() < 1e-9);
        let edge = nearest(100.0, false, &[], |close| close >= 101.25).unwrap();
        assert_eq!(edge.close.to_bits(), 101.25_f64.to_bits());
        // Two ways out: the nearer one.
        let edge = nearest(100.0, true, &[], |close| close > 90.0 && close < 108.0).unwrap();
        assert_eq!(edge.close.to_bits(), 108.0_f64.to_bits());
        assert_eq!(nearest(100.0, true, &[], |_| true), None);
        // Already turned where it stands.
        let edge = nearest(100.0, true, &[], |close| close > 100.0).unwrap();
        assert_eq!(edge.close.to_bits(), 100.0_f64.to_bits());
    }

    #[test]
    fn a_dip_between_two_steps_is_not_missed() {
        let dip = |close: f64| (close - 140.0).abs() >= 1e-6;
        assert_eq!(nearest(100.0, true, &[], dip), None);
        let edge = nearest(100.0, true, &[140.0], dip).unwrap();
        assert!((edge.close - 140.0).abs() < 2e-6);
    }

    #[test]
    fn a_deviation_is_lowest_where_it_is_said_to_be() {
        for function in [Function::StdevPrice, Function::StdevReturn] {
            let mut after = After::closes(Measure::over(function, 5), &CLOSES);
            let lowest = after.lowest().unwrap();
            let [at, less, more] =
                [lowest, lowest * 0.999, lowest * 1.001].map(|close| after.then(close));
            assert!(at < less && at < more, "{function:?}");
        }
    }
}

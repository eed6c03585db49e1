//! Comparisons and measures as findings word them.

use crate::domain::symphony::condition::{Comparison, Operand};
use crate::domain::symphony::function::Function;
use crate::domain::symphony::lint::facts::Told;
use crate::domain::symphony::measure::Measure;
use crate::domain::symphony::tree::{SeriesId, Tree};

/// Such as `RSI(10) of SPY > 79`.
pub(crate) fn comparison(tree: &Tree, comparison: &Comparison) -> String {
    let right = match comparison.right {
        Operand::Number(level) => level.value().to_string(),
        Operand::Series(id) => series(tree, id),
    };
    format!("{} {} {right}", series(tree, comparison.left), comparison.relation.sign())
}

/// Such as `RSI(10) of SPY`.
pub(crate) fn series(tree: &Tree, id: SeriesId) -> String {
    let series = tree.series(id);
    format!("{} of {}", series.measure.words(), tree.measured(series.of))
}

/// What was decided on the way, such as `RSI(10) of SPY > 79 does not hold on the way here`.
pub(crate) fn told(tree: &Tree, told: &Told) -> String {
    let holds = if told.holds { "holds" } else { "does not hold" };
    format!("{} {holds} on the way here", comparison(tree, &told.comparison))
}

/// What the values of a measure can be at all.
pub(crate) fn nature(measure: Measure) -> &'static str {
    match (measure.function, measure.windows()) {
        (Function::Rsi, _) => "an RSI lies between 0 and 100",
        (Function::MaxDrawdown, [1]) => "a drawdown within one day is 0",
        (Function::MaxDrawdown, _) => "a drawdown is counted as a positive number, 0 to 100",
        (
            Function::CurrentPrice
            | Function::MovingAveragePrice
            | Function::ExponentialMovingAveragePrice,
            _,
        ) => "a price is never below 0",
        (Function::StdevPrice | Function::StdevReturn, _) => "a deviation is never below 0",
        (Function::MovingAverageReturn | Function::CumulativeReturn, _) => {
            "nothing falls by more than 100 percent"
        }
        (
            Function::PercentagePriceOscillator | Function::PercentagePriceOscillatorSignal,
            [short, long, ..],
        ) if short == long => "the gap between an average and itself is 0",
        (Function::PercentagePriceOscillator | Function::PercentagePriceOscillatorSignal, _) => {
            "one average is never more than 100 percent below another"
        }
    }
}

//! Comparisons of values that have nothing to do with each other.

use crate::domain::symphony::condition::{Comparison, Operand};
use crate::domain::symphony::function::Function;
use crate::domain::symphony::lint::finding::{Code, Finding, Findings, Subject};
use crate::domain::symphony::lint::words;
use crate::domain::symphony::places::Place;
use crate::domain::symphony::tree::{Measured, SeriesId, Tree};

/// What a value is counted in.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    /// The price of a share of this symbol.
    Price(Measured),
    Percent,
    /// 0 to 100.
    Index,
}

/// Looks at both sides of a comparison.
pub(crate) fn look(
    tree: &Tree,
    comparison: &Comparison,
    (place, subject): (&Place, Subject),
    findings: &mut Findings,
) {
    let left = unit(tree, comparison.left);
    let finding = match (left, comparison.right) {
        (Unit::Price(_), Operand::Number(level)) if level.value() > 0.0 => {
            let what =
                format!("{} is compared with a fixed number", words::series(tree, comparison.left));
            Finding::new(
                Code::FixedPrice,
                place,
                what,
                "compare it with an average of its own price",
            )
            .because("adjusted prices are rewritten by every split and dividend, the number is not")
        }
        (Unit::Index, Operand::Number(level)) if level.value() > 0.0 && level.value() < 1.0 => {
            let what = format!(
                "{} is compared with {}",
                words::series(tree, comparison.left),
                level.value()
            );
            let next = "write the level in points, such as 79";
            Finding::new(Code::FractionForPercent, place, what, next)
                .because("an RSI runs from 0 to 100")
        }
        (_, Operand::Number(_)) => return,
        (_, Operand::Series(right)) => {
            let right = unit(tree, right);
            if left == right {
                return;
            }
            let what = format!(
                "{} compares {} with {}",
                words::comparison(tree, comparison),
                left.words(),
                right.words()
            );
            let why = match (left, right) {
                (Unit::Price(_), Unit::Price(_)) => {
                    "what a share costs says how finely a fund is cut, and nothing of its course"
                }
                _ => "the two are not counted in the same unit",
            };
            Finding::new(Code::UnlikeUnits, place, what, "compare values of one kind").because(why)
        }
    };
    findings.add(subject, finding);
}

fn unit(tree: &Tree, id: SeriesId) -> Unit {
    let series = tree.series(id);
    match series.measure.function {
        Function::CurrentPrice
        | Function::MovingAveragePrice
        | Function::ExponentialMovingAveragePrice
        | Function::StdevPrice => Unit::Price(series.of),
        Function::MovingAverageReturn
        | Function::CumulativeReturn
        | Function::StdevReturn
        | Function::MaxDrawdown
        | Function::PercentagePriceOscillator
        | Function::PercentagePriceOscillatorSignal => Unit::Percent,
        Function::Rsi => Unit::Index,
    }
}

impl Unit {
    const fn words(self) -> &'static str {
        match self {
            Self::Price(_) => "a price",
            Self::Percent => "a percentage",
            Self::Index => "an index of 0 to 100",
        }
    }
}

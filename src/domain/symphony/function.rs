//! The language's indicators as a closed list: **the one place to add a function**.
//!
//! A new function needs its variant, its row in each match below and in `measure` (the compiler lists
//! them), and its formula in `domain::indicator`.

/// Longest window accepted: four years of sessions. Longer ones cannot be warmed up with the
/// history a broker offers.
pub const WINDOW_MAX: u16 = 1_000;

/// An indicator of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Function {
    /// The last close.
    CurrentPrice,
    /// Mean of the last closes.
    MovingAveragePrice,
    /// Exponential average of all closes.
    ExponentialMovingAveragePrice,
    /// Sample standard deviation of the last closes, in the unit of price.
    StdevPrice,
    /// Mean of the last daily returns, percent.
    MovingAverageReturn,
    /// Change over a number of days, percent.
    CumulativeReturn,
    /// Sample standard deviation of the last daily returns, percent.
    StdevReturn,
    /// Largest fall from a peak within the last closes, percent and positive.
    MaxDrawdown,
    /// Wilder's relative strength index.
    Rsi,
    /// Gap between a short and a long exponential average, percent of the long one.
    PercentagePriceOscillator,
    /// Exponential average of the percentage price oscillator.
    PercentagePriceOscillatorSignal,
}

/// A parameter of a function: always a number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its key in both encodings.
    pub name: &'static str,
    /// The fewest days that mean anything.
    pub least: u16,
}

const WINDOW: Parameter = Parameter { name: "window", least: 1 };
const SHORT: Parameter = Parameter { name: "short-window", least: 1 };
const LONG: Parameter = Parameter { name: "long-window", least: 1 };
const SMOOTH: Parameter = Parameter { name: "smooth-window", least: 1 };
/// A deviation needs two values.
const SPREAD: Parameter = Parameter { name: "window", least: 2 };

impl Function {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::CurrentPrice,
        Self::MovingAveragePrice,
        Self::ExponentialMovingAveragePrice,
        Self::StdevPrice,
        Self::MovingAverageReturn,
        Self::CumulativeReturn,
        Self::StdevReturn,
        Self::MaxDrawdown,
        Self::Rsi,
        Self::PercentagePriceOscillator,
        Self::PercentagePriceOscillatorSignal,
    ];

    /// Its name in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CurrentPrice => "current-price",
            Self::MovingAveragePrice => "moving-average-price",
            Self::ExponentialMovingAveragePrice => "exponential-moving-average-price",
            Self::StdevPrice => "stdev-price",
            Self::MovingAverageReturn => "moving-average-return",
            Self::CumulativeReturn => "cumulative-return",
            Self::StdevReturn => "stdev-return",
            Self::MaxDrawdown => "max-drawdown",
            Self::Rsi => "rsi",
            Self::PercentagePriceOscillator => "percentage-price-oscillator",
            Self::PercentagePriceOscillatorSignal => "percentage-price-oscillator-signal",
        }
    }

    /// Its name in the step form, where it has one of its own.
    pub const fn step_name(self) -> &'static str {
        match self {
            Self::StdevPrice => "standard-deviation-price",
            Self::StdevReturn => "standard-deviation-return",
            Self::Rsi => "relative-strength-index",
            Self::CurrentPrice
            | Self::MovingAveragePrice
            | Self::ExponentialMovingAveragePrice
            | Self::MovingAverageReturn
            | Self::CumulativeReturn
            | Self::MaxDrawdown
            | Self::PercentagePriceOscillator
            | Self::PercentagePriceOscillatorSignal => self.name(),
        }
    }

    /// The function of a name in either form.
    pub fn named(name: &str) -> Option<Self> {
        let is_named = |function: &Self| function.name() == name || function.step_name() == name;
        Self::ALL.into_iter().find(is_named)
    }

    /// What it has to be told besides a symbol.
    pub const fn parameters(self) -> &'static [Parameter] {
        match self {
            Self::CurrentPrice => &[],
            Self::MovingAveragePrice
            | Self::ExponentialMovingAveragePrice
            | Self::MovingAverageReturn
            | Self::CumulativeReturn
            | Self::MaxDrawdown
            | Self::Rsi => &[WINDOW],
            Self::StdevPrice | Self::StdevReturn => &[SPREAD],
            Self::PercentagePriceOscillator => &[SHORT, LONG],
            Self::PercentagePriceOscillatorSignal => &[SHORT, LONG, SMOOTH],
        }
    }

    /// True when it can score a portfolio, which has returns but no price.
    pub const fn scores_portfolios(self) -> bool {
        match self {
            Self::CurrentPrice
            | Self::MovingAveragePrice
            | Self::ExponentialMovingAveragePrice
            | Self::StdevPrice
            | Self::PercentagePriceOscillator
            | Self::PercentagePriceOscillatorSignal => false,
            Self::MovingAverageReturn
            | Self::CumulativeReturn
            | Self::StdevReturn
            | Self::MaxDrawdown
            | Self::Rsi => true,
        }
    }

    /// True when a value is sums of daily returns: a division for each, unless they are known.
    pub const fn is_of_returns(self) -> bool {
        match self {
            Self::MovingAverageReturn | Self::StdevReturn => true,
            Self::CurrentPrice
            | Self::MovingAveragePrice
            | Self::ExponentialMovingAveragePrice
            | Self::StdevPrice
            | Self::CumulativeReturn
            | Self::MaxDrawdown
            | Self::Rsi
            | Self::PercentagePriceOscillator
            | Self::PercentagePriceOscillatorSignal => false,
        }
    }

    /// True when a value goes on from that of the day before, so that one run over the closes
    /// answers for all of them.
    pub const fn is_recursive(self) -> bool {
        match self {
            Self::ExponentialMovingAveragePrice
            | Self::Rsi
            | Self::PercentagePriceOscillator
            | Self::PercentagePriceOscillatorSignal => true,
            Self::CurrentPrice
            | Self::MovingAveragePrice
            | Self::StdevPrice
            | Self::MovingAverageReturn
            | Self::CumulativeReturn
            | Self::StdevReturn
            | Self::MaxDrawdown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_functions() {
        for function in Function::ALL {
            assert_eq!(Function::named(function.name()), Some(function));
            assert_eq!(Function::named(function.step_name()), Some(function));
        }
        assert_eq!(Function::named("relative-strength-index"), Some(Function::Rsi));
        assert_eq!(Function::named("moving-average-convergence-divergence"), None);
    }
}

//! The language's indicators as a closed list: **the one place to add a function**.
//!
//! A new function needs its variant, its row in each match below (the compiler lists them), and
//! its formula in `domain::indicator`.

use crate::domain::indicator::{self, TooShort};

/// Longest window accepted: four years of sessions. Longer ones cannot be warmed up with the
/// history a broker offers.
pub const WINDOW_MAX: u16 = 1_000;
/// Closes wanted of any symbol, whatever its windows; about a year.
const CLOSES_MIN: usize = 250;
/// How many windows of history Wilder's recursion needs until its start no longer matters.
const RSI_WINDOWS: usize = 10;

/// An indicator of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Function {
    /// The last close.
    CurrentPrice,
    /// Mean of the last closes.
    MovingAveragePrice,
    /// Mean of the last daily returns, percent.
    MovingAverageReturn,
    /// Change over a number of days, percent.
    CumulativeReturn,
    /// Sample standard deviation of the last daily returns, percent.
    StdevReturn,
    /// Wilder's relative strength index.
    Rsi,
}

/// A function with its window; the current price has the window 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Measure {
    /// What is computed.
    pub function: Function,
    /// Over how many days.
    pub window: u16,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::CurrentPrice,
        Self::MovingAveragePrice,
        Self::MovingAverageReturn,
        Self::CumulativeReturn,
        Self::StdevReturn,
        Self::Rsi,
    ];

    /// Its name in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CurrentPrice => "current-price",
            Self::MovingAveragePrice => "moving-average-price",
            Self::MovingAverageReturn => "moving-average-return",
            Self::CumulativeReturn => "cumulative-return",
            Self::StdevReturn => "stdev-return",
            Self::Rsi => "rsi",
        }
    }

    /// The function of a name in the text form.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }

    /// The smallest window that means anything; `None` when it takes no window.
    pub const fn window_min(self) -> Option<u16> {
        match self {
            Self::CurrentPrice => None,
            Self::MovingAveragePrice
            | Self::MovingAverageReturn
            | Self::CumulativeReturn
            | Self::Rsi => Some(1),
            Self::StdevReturn => Some(2),
        }
    }

    /// True when it can score a portfolio, which has returns but no price.
    pub const fn scores_portfolios(self) -> bool {
        match self {
            Self::CurrentPrice | Self::MovingAveragePrice => false,
            Self::MovingAverageReturn | Self::CumulativeReturn | Self::StdevReturn | Self::Rsi => {
                true
            }
        }
    }
}

impl Measure {
    /// Closes without which there is no value.
    pub fn closes_needed(self) -> usize {
        let window = usize::from(self.window);
        match self.function {
            Function::CurrentPrice => 1,
            Function::MovingAveragePrice => window,
            Function::MovingAverageReturn
            | Function::CumulativeReturn
            | Function::StdevReturn
            | Function::Rsi => window + 1,
        }
    }

    /// Closes with which the value is what a longer history would give.
    pub fn closes_wanted(self) -> usize {
        self.closes_needed().max(self.settling()).max(CLOSES_MIN)
    }

    /// Returns of a portfolio with which its value is what a longer history would give.
    pub fn returns_wanted(self) -> usize {
        let settling = self.settling();
        let needed = self.closes_needed().saturating_sub(1);
        if settling == 0 { needed } else { needed.max(settling).max(CLOSES_MIN) }
    }

    fn settling(self) -> usize {
        match self.function {
            Function::Rsi => RSI_WINDOWS * usize::from(self.window),
            Function::CurrentPrice
            | Function::MovingAveragePrice
            | Function::MovingAverageReturn
            | Function::CumulativeReturn
            | Function::StdevReturn => 0,
        }
    }

    /// Its value on the last of some closes.
    ///
    /// # Errors
    /// [`TooShort`] below [`Measure::closes_needed`].
    pub fn of(self, closes: &[f64]) -> Result<f64, TooShort> {
        match self.function {
            Function::CurrentPrice => indicator::current_price(closes),
            Function::MovingAveragePrice => indicator::moving_average_price(closes, self.window),
            Function::MovingAverageReturn => indicator::moving_average_return(closes, self.window),
            Function::CumulativeReturn => indicator::cumulative_return(closes, self.window),
            Function::StdevReturn => indicator::stdev_return(closes, self.window),
            Function::Rsi => indicator::rsi(closes, self.window),
        }
    }

    /// The function in words, such as `RSI(10)`.
    pub fn words(self) -> String {
        let window = self.window;
        let days = if window == 1 { "1 day".to_owned() } else { format!("{window} days") };
        match self.function {
            Function::CurrentPrice => "price".to_owned(),
            Function::MovingAveragePrice => format!("{window}-day average"),
            Function::MovingAverageReturn => format!("mean return over {days}"),
            Function::CumulativeReturn => format!("return over {days}"),
            Function::StdevReturn => format!("volatility over {days}"),
            Function::Rsi => format!("RSI({window})"),
        }
    }

    /// How far apart two values of this measure are, 0 to 1: what confidence is made of.
    ///
    /// Where possible it is roughly the fraction by which one day's price would have to move
    /// to close the gap, so that margins of different functions can be compared:
    ///
    /// | measure | margin |
    /// |---|---|
    /// | RSI | points / 100 |
    /// | price, average price | difference / the right value |
    /// | return over days | points / 100 |
    /// | mean return over w days | points x w / 100: one day moves a mean by 1/w |
    /// | volatility over w days | points x sqrt(w - 1) / 100: one day moves it by at most about 1/sqrt(w - 1) |
    pub fn margin(self, left: f64, right: f64) -> f64 {
        let gap = (left - right).abs();
        let days = f64::from(self.window);
        let margin = match self.function {
            Function::CurrentPrice | Function::MovingAveragePrice => {
                gap / right.abs().max(f64::MIN_POSITIVE)
            }
            Function::Rsi | Function::CumulativeReturn => gap / 100.0,
            Function::MovingAverageReturn => gap * days / 100.0,
            Function::StdevReturn => gap * (days - 1.0).sqrt() / 100.0,
        };
        margin.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(function: Function, window: u16) -> Measure {
        Measure { function, window }
    }

    #[test]
    fn names_lead_back_to_their_functions() {
        for function in Function::ALL {
            assert_eq!(Function::named(function.name()), Some(function));
        }
        assert_eq!(Function::named("relative-strength-index"), None);
    }

    #[test]
    fn history_wanted_is_a_year_or_ten_rsi_windows_or_the_longest_other() {
        assert_eq!(measure(Function::Rsi, 10).closes_wanted(), 250);
        assert_eq!(measure(Function::Rsi, 90).closes_wanted(), 900);
        assert_eq!(measure(Function::MovingAveragePrice, 200).closes_wanted(), 250);
        assert_eq!(measure(Function::CumulativeReturn, 300).closes_wanted(), 301);
        assert_eq!(measure(Function::StdevReturn, 5).returns_wanted(), 5);
        assert_eq!(measure(Function::Rsi, 10).returns_wanted(), 250);
    }

    #[test]
    fn a_measure_says_itself_how_many_closes_it_needs() {
        for function in Function::ALL {
            let measure = measure(function, 7);
            let closes: Vec<f64> = (0..measure.closes_needed()).map(|_| 5.0).collect();
            assert!(measure.of(&closes).is_ok(), "{measure:?}");
            assert!(measure.of(&closes[1..]).is_err(), "{measure:?}");
        }
    }

    #[test]
    fn margins_lie_between_zero_and_one() {
        let near = |left: f64, right: f64| (left - right).abs() < 1e-12;
        assert!(near(measure(Function::Rsi, 10).margin(74.0, 79.0), 0.05));
        assert!(near(measure(Function::CurrentPrice, 1).margin(102.0, 100.0), 0.02));
        assert!(near(measure(Function::CumulativeReturn, 60).margin(-11.0, -10.0), 0.01));
        assert!(near(measure(Function::MovingAverageReturn, 20).margin(0.1, 0.0), 0.02));
        assert!(near(measure(Function::StdevReturn, 5).margin(2.0, 1.0), 0.02));
        for function in Function::ALL {
            for (left, right) in [(0.0, 0.0), (1e9, -1e9), (1.0, 0.0)] {
                assert!((0.0..=1.0).contains(&measure(function, 5).margin(left, right)));
            }
        }
    }
}

//! A function with its windows: what it needs, its values, and how far apart two of them are.

use crate::domain::indicator::{self, TooShort, rolling};
use crate::domain::symphony::function::Function;

/// Closes wanted of any symbol, whatever its windows; about a year.
const CLOSES_MIN: usize = 250;
/// How many windows of history a recursion needs until its start no longer matters.
const SETTLING_WINDOWS: usize = 10;

/// A function with its windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Measure {
    /// What is computed.
    pub function: Function,
    /// Over how many days, in the order of [`Function::parameters`]; the rest is 0.
    windows: [u16; 3],
}

impl Measure {
    /// A function that takes one window; one without takes no notice of it.
    pub const fn over(function: Function, window: u16) -> Self {
        Self::with(function, [window, 0, 0])
    }

    /// A function with its windows in the order of [`Function::parameters`]; more than it has are
    /// dropped.
    pub const fn with(function: Function, mut windows: [u16; 3]) -> Self {
        let mut unused = function.parameters().len();
        while unused < windows.len() {
            windows[unused] = 0;
            unused += 1;
        }
        Self { function, windows }
    }

    /// Its windows, one for each of [`Function::parameters`].
    pub fn windows(&self) -> &[u16] {
        &self.windows[..self.function.parameters().len()]
    }

    /// Closes without which there is no value.
    pub fn closes_needed(self) -> usize {
        let [window, long, smooth] = self.windows.map(usize::from);
        match self.function {
            Function::CurrentPrice => 1,
            Function::MovingAveragePrice
            | Function::ExponentialMovingAveragePrice
            | Function::StdevPrice
            | Function::MaxDrawdown => window,
            Function::MovingAverageReturn
            | Function::CumulativeReturn
            | Function::StdevReturn
            | Function::Rsi => window + 1,
            Function::PercentagePriceOscillator => window.max(long),
            Function::PercentagePriceOscillatorSignal => {
                (window.max(long) + smooth).saturating_sub(1)
            }
        }
    }

    /// Returns of a portfolio without which it has no value.
    pub fn returns_needed(self) -> usize {
        self.closes_needed().saturating_sub(1)
    }

    /// Closes with which the value is what a longer history would give.
    pub fn closes_wanted(self) -> usize {
        self.closes_needed().max(self.settling()).max(CLOSES_MIN)
    }

    /// Returns of a portfolio with which its value is what a longer history would give.
    pub fn returns_wanted(self) -> usize {
        let (settling, needed) = (self.settling(), self.returns_needed());
        if settling == 0 { needed } else { needed.max(settling).max(CLOSES_MIN) }
    }

    fn settling(self) -> usize {
        let [window, long, smooth] = self.windows.map(usize::from);
        if !self.function.is_recursive() {
            return 0;
        }
        SETTLING_WINDOWS * (window.max(long) + smooth)
    }

    /// Its value on the last of some closes.
    ///
    /// # Errors
    /// [`TooShort`] below [`Measure::closes_needed`].
    pub fn of(self, closes: &[f64]) -> Result<f64, TooShort> {
        let [window, ..] = self.windows;
        match self.function {
            Function::CurrentPrice => indicator::current_price(closes),
            Function::MovingAveragePrice => indicator::moving_average_price(closes, window),
            Function::StdevPrice => indicator::stdev_price(closes, window),
            Function::MovingAverageReturn => indicator::moving_average_return(closes, window),
            Function::CumulativeReturn => indicator::cumulative_return(closes, window),
            Function::StdevReturn => indicator::stdev_return(closes, window),
            Function::MaxDrawdown => indicator::max_drawdown(closes, window),
            Function::ExponentialMovingAveragePrice
            | Function::Rsi
            | Function::PercentagePriceOscillator
            | Function::PercentagePriceOscillatorSignal => {
                let short = TooShort { needed: self.closes_needed(), have: closes.len() };
                self.last_of_run(closes).ok_or(short)
            }
        }
    }

    fn last_of_run(self, closes: &[f64]) -> Option<f64> {
        let [window, long, smooth] = self.windows;
        match self.function {
            Function::Rsi => indicator::rsi(closes, window).ok(),
            Function::ExponentialMovingAveragePrice => {
                indicator::exponential_averages(closes, window).last()
            }
            Function::PercentagePriceOscillator => {
                indicator::oscillators(closes, window, long).last()
            }
            Function::PercentagePriceOscillatorSignal => {
                indicator::oscillator_signals(closes, window, long, smooth).last()
            }
            Function::CurrentPrice
            | Function::MovingAveragePrice
            | Function::StdevPrice
            | Function::MovingAverageReturn
            | Function::CumulativeReturn
            | Function::StdevReturn
            | Function::MaxDrawdown => None,
        }
    }

    /// Its value on every close that has one, the first at `closes[closes_needed - 1]`: for a
    /// recursive function one run of the recursion, which starts at the first close given.
    pub fn run(self, closes: &[f64]) -> Vec<f64> {
        let mut values = Vec::new();
        self.run_into(closes, &mut values);
        values
    }

    /// [`Measure::run`] into a list, in place of what is in it.
    pub fn run_into(self, closes: &[f64], values: &mut Vec<f64>) {
        let [window, long, smooth] = self.windows;
        if !matches!(self.function, Function::MovingAveragePrice | Function::StdevPrice) {
            values.clear(); // those two write over what there is
        }
        match self.function {
            Function::Rsi => values.extend(indicator::strengths(closes, window)),
            Function::ExponentialMovingAveragePrice => {
                values.extend(indicator::exponential_averages(closes, window));
            }
            Function::PercentagePriceOscillator => {
                values.extend(indicator::oscillators(closes, window, long));
            }
            Function::PercentagePriceOscillatorSignal => {
                values.extend(indicator::oscillator_signals(closes, window, long, smooth));
            }
            Function::MovingAveragePrice => rolling::means(closes, window, values),
            Function::StdevPrice => rolling::deviations(closes, window, values),
            Function::CurrentPrice
            | Function::MovingAverageReturn
            | Function::CumulativeReturn
            | Function::StdevReturn
            | Function::MaxDrawdown => {
                let ends = self.closes_needed()..=closes.len();
                values.extend(ends.filter_map(|end| self.of(&closes[..end]).ok()));
            }
        }
    }

    /// Its value for a portfolio with these last daily returns, as many as
    /// [`Measure::returns_needed`]. NaN for a function of prices, which the readers refuse for
    /// portfolios, and for a recursive one, which is a [`Measure::run`] over the index.
    pub fn of_returns(self, returns: &[f64]) -> f64 {
        match self.function {
            Function::MovingAverageReturn => indicator::mean_of_returns(returns),
            Function::CumulativeReturn => indicator::compounded(returns),
            Function::StdevReturn => indicator::stdev_of_returns(returns),
            Function::MaxDrawdown => indicator::fall_of_returns(returns),
            Function::Rsi
            | Function::CurrentPrice
            | Function::MovingAveragePrice
            | Function::ExponentialMovingAveragePrice
            | Function::StdevPrice
            | Function::PercentagePriceOscillator
            | Function::PercentagePriceOscillatorSignal => f64::NAN,
        }
    }

    /// The function in words, such as `RSI(10)`.
    pub fn words(self) -> String {
        let [window, long, smooth] = self.windows;
        let days = if window == 1 { "1 day".to_owned() } else { format!("{window} days") };
        match self.function {
            Function::CurrentPrice => "price".to_owned(),
            Function::MovingAveragePrice => format!("{window}-day average"),
            Function::ExponentialMovingAveragePrice => format!("{window}-day exponential average"),
            Function::StdevPrice => format!("price deviation over {days}"),
            Function::MovingAverageReturn => format!("mean return over {days}"),
            Function::CumulativeReturn => format!("return over {days}"),
            Function::StdevReturn => format!("volatility over {days}"),
            Function::MaxDrawdown => format!("drawdown within {days}"),
            Function::Rsi => format!("RSI({window})"),
            Function::PercentagePriceOscillator => format!("PPO({window}, {long})"),
            Function::PercentagePriceOscillatorSignal => {
                format!("PPO signal({window}, {long}, {smooth})")
            }
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
    /// | price, average price, deviation of prices | difference / the right value |
    /// | return over days, drawdown | points / 100 |
    /// | mean return over w days | points x w / 100: one day moves a mean by 1/w |
    /// | volatility over w days | points x sqrt(w - 1) / 100: one day moves it by at most about 1/sqrt(w - 1) |
    /// | PPO over s and l days | points / 100, divided by how far one day moves the averages apart, 2/(s + 1) - 2/(l + 1); its signal over m days moves by 2/(m + 1) of that |
    pub fn margin(self, left: f64, right: f64) -> f64 {
        let gap = (left - right).abs();
        let [days, long, smooth] = self.windows.map(f64::from);
        let moved = |window: f64| 2.0 / (window + 1.0);
        let apart = (moved(days) - moved(long)).abs().max(f64::MIN_POSITIVE);
        let margin = match self.function {
            Function::CurrentPrice
            | Function::MovingAveragePrice
            | Function::ExponentialMovingAveragePrice
            | Function::StdevPrice => gap / right.abs().max(f64::MIN_POSITIVE),
            Function::Rsi | Function::CumulativeReturn | Function::MaxDrawdown => gap / 100.0,
            Function::MovingAverageReturn => gap * days / 100.0,
            Function::StdevReturn => gap * (days - 1.0).sqrt() / 100.0,
            Function::PercentagePriceOscillator => gap / 100.0 / apart,
            Function::PercentagePriceOscillatorSignal => gap / 100.0 / apart / moved(smooth),
        };
        margin.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function whose windows are this one and its double.
    fn measure(function: Function, window: u16) -> Measure {
        Measure::with(function, [window, 2 * window, 4])
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

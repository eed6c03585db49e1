//! Indicators: closes in, one number out, by the formulas of Composer's language.
//!
//! `closes` is always oldest first and adjusted for splits and dividends; the last one is the
//! decision day's. Returns are simple daily returns as plain fractions; results of return
//! functions are in percent. A window counts from 1; a window that makes a formula
//! meaningless (0, or 1 for a standard deviation) gives NaN, which the evaluator refuses.
//!
//! Every window is summed afresh: running sums lose the exact ties that rankings depend on,
//! and running squares lose everything (catastrophic cancellation).
//!
//! A package of its own because it alone is compiled for speed: all else is compiled for size, which
//! is what the function's start costs. What is called here is therefore whole, not a closure or an
//! iterator that is compiled where it is used, wherever time counts.

pub mod rolling;

use wide::f64x4;

/// Fewer values than a formula needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("needs {needed} values, have {have}")]
pub struct TooShort {
    /// Values needed.
    pub needed: usize,
    /// Values given.
    pub have: usize,
}

/// The last close.
///
/// # Errors
/// [`TooShort`] without closes.
pub fn current_price(closes: &[f64]) -> Result<f64, TooShort> {
    Ok(last(closes, 1)?[0])
}

/// Mean of the last `window` closes, the decision day included.
///
/// # Errors
/// [`TooShort`] below `window` closes.
pub fn moving_average_price(closes: &[f64], window: u16) -> Result<f64, TooShort> {
    Ok(mean(last(closes, usize::from(window))?))
}

/// Arithmetic mean of the last `window` daily returns, in percent.
///
/// # Errors
/// [`TooShort`] below `window + 1` closes.
pub fn moving_average_return(closes: &[f64], window: u16) -> Result<f64, TooShort> {
    let closes = last(closes, usize::from(window) + 1)?;
    let [sum, _] = sums_of_returns::<false>(closes, 0.0);
    Ok(sum / f64::from(window) * 100.0)
}

/// Change over the last `window` days, in percent.
///
/// # Errors
/// [`TooShort`] below `window + 1` closes.
pub fn cumulative_return(closes: &[f64], window: u16) -> Result<f64, TooShort> {
    let closes = last(closes, usize::from(window) + 1)?;
    Ok((closes[closes.len() - 1] / closes[0] - 1.0) * 100.0)
}

/// Sample standard deviation (n - 1) of the last `window` daily returns, in percent.
///
/// Not annualised: Composer's recorded holdings contradict both the population formula and an
/// annualised one.
///
/// # Errors
/// [`TooShort`] below `window + 1` closes.
pub fn stdev_return(closes: &[f64], window: u16) -> Result<f64, TooShort> {
    let closes = last(closes, usize::from(window) + 1)?;
    let [sum, _] = sums_of_returns::<false>(closes, 0.0);
    let [off, squares] = sums_of_returns::<true>(closes, sum / f64::from(window));
    Ok(spread(off, squares, f64::from(window)) * 100.0)
}

/// Sample standard deviation (n - 1) of the last `window` closes, in the unit of price.
///
/// # Errors
/// [`TooShort`] below `window` closes.
pub fn stdev_price(closes: &[f64], window: u16) -> Result<f64, TooShort> {
    let closes = last(closes, usize::from(window))?;
    Ok(deviation_around(mean(closes), closes))
}

/// Largest fall from a running peak within the last `window` closes, in percent and positive.
///
/// # Errors
/// [`TooShort`] below `window` closes.
pub fn max_drawdown(closes: &[f64], window: u16) -> Result<f64, TooShort> {
    Ok(deepest_fall(last(closes, usize::from(window))?.iter().copied()))
}

/// [`max_drawdown`] of a history that has returns but no closes. All of `returns` is the window,
/// which is one longer.
pub fn fall_of_returns(returns: &[f64]) -> f64 {
    let mut level = 1.0;
    let later = returns.iter().map(|change| {
        level *= 1.0 + change;
        level
    });
    deepest_fall(std::iter::once(1.0).chain(later))
}

fn deepest_fall(levels: impl Iterator<Item = f64>) -> f64 {
    let (mut peak, mut deepest) = (f64::NAN, f64::NAN);
    for level in levels {
        peak = peak.max(level);
        deepest = deepest.max(1.0 - level / peak);
    }
    deepest * 100.0
}

/// Exponential moving average of every close that has one; the first value belongs to
/// `closes[window - 1]`. Nothing below `window` closes.
///
/// The recursion starts at the first close: `average += 2 / (window + 1) * (close - average)`.
pub fn exponential_averages(closes: &[f64], window: u16) -> impl Iterator<Item = f64> {
    smoothed(closes.iter().copied(), window).skip(usize::from(window).saturating_sub(1))
}

/// Percentage price oscillator of every close that has one: how far the average over `short`
/// stands above that over `long`, in percent of the latter, both exponential. The first value
/// belongs to the close that fills the longer window. Source: Appel's MACD as a percentage.
pub fn oscillators(closes: &[f64], short: u16, long: u16) -> impl Iterator<Item = f64> {
    let average = |window| smoothed(closes.iter().copied(), window);
    let values = average(short).zip(average(long)).map(|(short, long)| oscillator(short, long));
    values.skip(usize::from(short.max(long)).saturating_sub(1))
}

/// Signal line of the percentage price oscillator: the exponential average over `smooth` of
/// [`oscillators`]. The first value belongs to the close that fills both windows.
pub fn oscillator_signals(
    closes: &[f64],
    short: u16,
    long: u16,
    smooth: u16,
) -> impl Iterator<Item = f64> {
    let signal = smoothed(oscillators(closes, short, long), smooth);
    signal.skip(usize::from(smooth).saturating_sub(1))
}

/// Wilder's relative strength index, 0 to 100, of the last close.
///
/// The recursion starts at the first close given, so longer histories settle it: about ten
/// times the window is where the start no longer matters. See [`strengths`].
///
/// # Errors
/// [`TooShort`] below `window + 1` closes.
pub fn rsi(closes: &[f64], window: u16) -> Result<f64, TooShort> {
    let needed = usize::from(window) + 1;
    strengths(closes, window).last().ok_or(TooShort { needed, have: closes.len() })
}

/// Wilder's relative strength index of every close that has one; the first value belongs to
/// `closes[window]`. Nothing below `window + 1` closes.
///
/// On price changes, not percent changes. The first averages of up and down moves are plain
/// means of the first `window` moves; then `average += (move - average) / window`. The index is
/// `100 up / (up + down)`, and 50 when nothing moved. Source: Wilder, New Concepts in Technical
/// Trading Systems (1978), section VI.
pub fn strengths(closes: &[f64], window: u16) -> impl Iterator<Item = f64> {
    let mut strength = Strength::start(closes, window);
    let first = strength.map(Strength::value);
    let later = closes.get(usize::from(window) + 1..).unwrap_or_default().iter();
    let next =
        move |close: &f64| strength.as_mut().map_or(f64::NAN, |strength| strength.next(*close));
    first.into_iter().chain(later.map(next))
}

/// Wilder's recursion after some closes.
#[derive(Debug, Clone, Copy)]
pub struct Strength {
    up: f64,
    down: f64,
    close: f64,
    share: f64,
    keep: f64,
}

impl Strength {
    /// After the first `window` moves; `None` below `window + 1` closes.
    pub fn start(closes: &[f64], window: u16) -> Option<Self> {
        let first = usize::from(window);
        let close = *closes.get(first)?;
        let length = f64::from(window);
        let (mut up, mut down) = (0.0, 0.0);
        for pair in closes[..=first].windows(2) {
            let change = pair[1] - pair[0];
            up += change.max(0.0);
            down += (-change).max(0.0);
        }
        let (share, keep) = (1.0 / length, 1.0 - 1.0 / length);
        Some(Self { up: up / length, down: down / length, close, share, keep })
    }

    /// The index now.
    pub fn value(self) -> f64 {
        let moves = self.up + self.down;
        // Both averages are sums of non-negative terms: their sum is either above zero or exactly
        // zero, or NaN for a meaningless window.
        let index = if moves > 0.0 || moves.is_nan() { 100.0 * self.up / moves } else { 50.0 };
        // Without losses the product's rounding may end a hair above; not `min`, which hides NaN.
        if index > 100.0 { 100.0 } else { index }
    }

    /// The index after one more close.
    pub fn next(&mut self, close: f64) -> f64 {
        let change = close - self.close;
        self.close = close;
        // Two products and a sum: the shortest chain of dependent operations.
        self.up = self.up * self.keep + change.max(0.0) * self.share;
        self.down = self.down * self.keep + (-change).max(0.0) * self.share;
        self.value()
    }
}

/// An exponential average after some values.
#[derive(Debug, Clone, Copy)]
pub struct Average {
    average: f64,
    share: f64,
}

impl Average {
    /// After one value.
    pub fn start(value: f64, window: u16) -> Self {
        let share = if window == 0 { f64::NAN } else { 2.0 / (f64::from(window) + 1.0) };
        Self { average: value, share }
    }

    /// The average after one more value.
    pub fn next(&mut self, value: f64) -> f64 {
        self.average += self.share * (value - self.average);
        self.average
    }
}

/// The gap between two exponential averages, in percent of the second.
pub fn oscillator(short: f64, long: f64) -> f64 {
    (short - long) / long * 100.0
}

/// Arithmetic mean of some daily returns, in percent: [`moving_average_return`] of a history
/// that has returns but no closes. All of `returns` is the window.
pub fn mean_of_returns(returns: &[f64]) -> f64 {
    let [sum, _] = sums_of::<false>(returns, 0.0);
    sum / count(returns) * 100.0
}

/// [`stdev_return`] of a history that has returns but no closes. All of `returns` is the window.
pub fn stdev_of_returns(returns: &[f64]) -> f64 {
    let [sum, _] = sums_of::<false>(returns, 0.0);
    deviation_around(sum / count(returns), returns) * 100.0
}

/// [`cumulative_return`] of a history that has returns but no closes.
pub fn compounded(returns: &[f64]) -> f64 {
    (returns.iter().fold(1.0, |level, change| level * (1.0 + change)) - 1.0) * 100.0
}

/// The index that some daily returns build: starts at 1, one value more than returns.
pub fn index_of(returns: &[f64]) -> Vec<f64> {
    let mut index = returns.to_vec();
    build_index(&mut index);
    index
}

/// Makes daily returns into [`index_of`] them.
pub fn build_index(returns: &mut Vec<f64>) {
    let mut level = 1.0;
    for value in returns.iter_mut() {
        let before = level;
        level *= 1.0 + *value;
        *value = before;
    }
    returns.push(level);
}

fn last(values: &[f64], needed: usize) -> Result<&[f64], TooShort> {
    let short = TooShort { needed, have: values.len() };
    values.len().checked_sub(needed).map(|start| &values[start..]).ok_or(short)
}

/// Taken around the last value, so that level values have that very mean.
fn mean(values: &[f64]) -> f64 {
    let Some(last) = values.last() else { return f64::NAN };
    let [off, _] = sums_of::<false>(values, *last);
    last + off / count(values)
}

/// Two passes: `middle` is the mean of the values.
fn deviation_around(middle: f64, values: &[f64]) -> f64 {
    let [off, squares] = sums_of::<true>(values, middle);
    spread(off, squares, count(values))
}

/// From the sum of distances from the mean and that of their squares, less what the mean's own
/// rounding adds to them. That rounding is nothing beside ordinary moves and all there is beside
/// tiny ones.
fn spread(off: f64, squares: f64, count: f64) -> f64 {
    let squares = squares - off * off / count;
    // Not `max`, which would hide that there is no number.
    (if squares < 0.0 { 0.0 } else { squares } / (count - 1.0)).sqrt()
}

fn count(values: &[f64]) -> f64 {
    u32::try_from(values.len()).map_or(f64::INFINITY, f64::from)
}

/// Sums side by side, so that none waits for the one before it: two of four numbers each.
const LANES: usize = 8;

/// The sum of some values' distances from a middle, and where they are asked for that of the distances'
/// squares; `four` values from a place on, or `one` there.
fn sums<const SQUARES: bool>(
    count: usize,
    four: impl Fn(usize) -> f64x4,
    one: impl Fn(usize) -> f64,
    middle: f64,
) -> [f64; 2] {
    let middles = f64x4::splat(middle);
    let (mut off, mut squares) = ([f64x4::ZERO; 2], [f64x4::ZERO; 2]);
    let whole = count - count % LANES;
    for at in (0..whole).step_by(LANES) {
        for half in 0..2 {
            let apart = four(at + half * LANES / 2) - middles;
            off[half] += apart;
            if SQUARES {
                squares[half] += apart * apart;
            }
        }
    }
    let (mut rest_off, mut rest_squares) = (0.0, 0.0);
    for at in whole..count {
        let apart = one(at) - middle;
        rest_off += apart;
        rest_squares += apart * apart;
    }
    [joined(off) + rest_off, joined(squares) + rest_squares]
}

fn joined(halves: [f64x4; 2]) -> f64 {
    let [low, high] = halves.map(|half| {
        let [one, two, three, four] = half.to_array();
        (one + two) + (three + four)
    });
    low + high
}

/// [`sums`] of some values.
fn sums_of<const SQUARES: bool>(values: &[f64], middle: f64) -> [f64; 2] {
    sums::<SQUARES>(values.len(), |at| four(values, at), |at| values[at], middle)
}

/// [`sums`] of the daily returns of some closes.
fn sums_of_returns<const SQUARES: bool>(closes: &[f64], middle: f64) -> [f64; 2] {
    let (now, before) = (&closes[1..], &closes[..closes.len() - 1]);
    let daily = |at| four(now, at) / four(before, at) - f64x4::ONE;
    sums::<SQUARES>(now.len(), daily, |at| now[at] / before[at] - 1.0, middle)
}

fn four(values: &[f64], at: usize) -> f64x4 {
    f64x4::new([values[at], values[at + 1], values[at + 2], values[at + 3]])
}

/// Exponential averages from the first value on, whether or not the window is filled.
fn smoothed(values: impl Iterator<Item = f64>, window: u16) -> impl Iterator<Item = f64> {
    let mut average: Option<Average> = None;
    values
        .map(move |value| average.get_or_insert_with(|| Average::start(value, window)).next(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close_to(value: f64, expected: f64) -> bool {
        (value - expected).abs() <= 1e-12 * expected.abs().max(1.0)
    }

    #[test]
    fn the_index_follows_wilders_recursion_by_hand() {
        // Moves +1 -1 +2, then -1: first averages over 3 moves are up 1, down 1/3.
        let closes = [10.0, 11.0, 10.0, 12.0, 11.0];
        assert!(close_to(rsi(&closes[..4], 3).unwrap(), 75.0));
        // up = 2/3, down = (2/3 * 1/3 + 1/3) = 5/9: 100 * 6 / 11.
        assert!(close_to(rsi(&closes, 3).unwrap(), 600.0 / 11.0));
        assert_eq!(strengths(&closes, 3).count(), 2);
    }

    #[test]
    fn the_index_is_fifty_when_nothing_moves_and_a_hundred_without_losses() {
        assert!(close_to(rsi(&[5.0; 12], 10).unwrap(), 50.0));
        assert!(close_to(rsi(&[1.0, 2.0, 3.0], 2).unwrap(), 100.0));
        assert!(close_to(rsi(&[3.0, 2.0, 1.0], 2).unwrap(), 0.0));
    }

    #[test]
    fn no_rounding_lifts_the_index_above_a_hundred() {
        let index = |step: f64| rsi(&[1.0, 1.0 + step], 1).unwrap();
        assert!((1..1000).all(|step| index(f64::from(step) / 1000.0) <= 100.0));
    }

    #[test]
    fn returns_are_in_percent_and_windows_count_days() {
        let closes = [100.0, 110.0, 99.0];
        assert!(close_to(cumulative_return(&closes, 1).unwrap(), -10.0));
        assert!(close_to(cumulative_return(&closes, 2).unwrap(), -1.0));
        assert!(close_to(moving_average_return(&closes, 2).unwrap(), 0.0));
        assert!(close_to(moving_average_price(&closes, 2).unwrap(), 104.5));
        assert!(close_to(current_price(&closes).unwrap(), 99.0));
    }

    #[test]
    fn the_deviation_divides_by_one_less_than_the_window() {
        // Returns +10% and -10%: squares 0.01 + 0.01, divided by 1.
        let expected = 0.02_f64.sqrt() * 100.0;
        assert!(close_to(stdev_return(&[100.0, 110.0, 99.0], 2).unwrap(), expected));
        assert!(close_to(stdev_of_returns(&[0.1, -0.1]), expected));
    }

    #[test]
    fn an_exponential_average_starts_at_the_first_close_and_is_given_once_its_window_is_filled() {
        // Shares of a half: 8, (8 + 4) / 2 = 6, (6 + 10) / 2 = 8.
        let averages: Vec<f64> = exponential_averages(&[8.0, 4.0, 10.0], 3).collect();
        assert!(close_to(averages[0], 8.0) && averages.len() == 1);
        assert_eq!(exponential_averages(&[8.0, 4.0], 3).count(), 0);
        // Over one day it is the close itself.
        assert!(exponential_averages(&[8.0, 4.0], 1).eq([8.0, 4.0]));
    }

    #[test]
    fn the_oscillator_is_the_gap_of_two_averages_in_percent_of_the_longer() {
        // Over 1 day 8, 4, 10; over 3 days 8, 6, 8.
        let gaps: Vec<f64> = oscillators(&[8.0, 4.0, 10.0], 1, 3).collect();
        assert!(close_to(gaps[0], 25.0) && gaps.len() == 1);
        // Turned around the whole changes its base as well.
        assert!(close_to(oscillators(&[8.0, 4.0, 10.0], 3, 1).next().unwrap(), -20.0));
        // Filled from the second close on, over 1 and 2 days: 4 against 8 - 8/3, 10 against 76/9.
        let closes = [8.0, 4.0, 10.0];
        let (first, second) = (-25.0, (10.0 / (76.0 / 9.0) - 1.0) * 100.0);
        let signal: Vec<f64> = oscillator_signals(&closes, 1, 2, 2).collect();
        assert!(close_to(signal[0], first + 2.0 / 3.0 * (second - first)), "{signal:?}");
        assert_eq!(signal.len(), 1);
    }

    #[test]
    fn a_drawdown_is_the_deepest_fall_from_a_peak_inside_the_window_and_positive() {
        let closes = [100.0, 50.0, 80.0, 60.0, 90.0];
        assert!(close_to(max_drawdown(&closes, 5).unwrap(), 50.0));
        assert!(close_to(max_drawdown(&closes, 3).unwrap(), 25.0));
        assert!(close_to(max_drawdown(&closes, 2).unwrap(), 0.0));
        assert!(close_to(max_drawdown(&closes, 1).unwrap(), 0.0));
    }

    #[test]
    fn the_deviation_of_prices_is_in_their_unit() {
        assert!(close_to(stdev_price(&[7.0, 1.0, 3.0], 2).unwrap(), 2.0_f64.sqrt()));
    }

    #[test]
    fn one_close_too_few_is_too_short_and_says_how_many() {
        let short = |result: Result<f64, TooShort>| {
            let TooShort { needed, have } = result.unwrap_err();
            (needed, have)
        };
        let closes = [1.0; 5];
        assert_eq!(short(current_price(&[])), (1, 0));
        assert_eq!(short(moving_average_price(&closes, 6)), (6, 5));
        assert_eq!(short(moving_average_return(&closes, 5)), (6, 5));
        assert_eq!(short(cumulative_return(&closes, 5)), (6, 5));
        assert_eq!(short(stdev_return(&closes, 5)), (6, 5));
        assert_eq!(short(rsi(&closes, 5)), (6, 5));
        assert_eq!(short(stdev_price(&closes, 6)), (6, 5));
        assert_eq!(short(max_drawdown(&closes, 6)), (6, 5));
        assert_eq!(oscillators(&closes, 2, 6).count(), 0);
        assert_eq!(oscillator_signals(&closes, 2, 4, 3).count(), 0);
        assert!(rsi(&closes, 4).is_ok() && moving_average_price(&closes, 5).is_ok());
    }

    #[test]
    fn meaningless_windows_give_no_number() {
        assert!(stdev_return(&[1.0, 2.0], 1).unwrap().is_nan());
        assert!(rsi(&[1.0, 2.0], 0).unwrap().is_nan());
        assert!(moving_average_price(&[1.0], 0).unwrap().is_nan());
        assert!(stdev_price(&[1.0], 1).unwrap().is_nan());
        assert!(max_drawdown(&[1.0], 0).unwrap().is_nan());
        assert!(exponential_averages(&[1.0], 0).all(f64::is_nan));
    }

    #[test]
    fn a_history_of_returns_gives_what_its_closes_give() {
        let returns = [0.01, -0.02, 0.015, 0.0];
        let index = index_of(&returns);
        assert_eq!(index.len(), 5);
        assert!(close_to(compounded(&returns), cumulative_return(&index, 4).unwrap()));
        assert!(close_to(mean_of_returns(&returns), moving_average_return(&index, 4).unwrap()));
        assert!(close_to(stdev_of_returns(&returns), stdev_return(&index, 4).unwrap()));
    }
}

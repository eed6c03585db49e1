//! Means and deviations of every window of a series at once.
//!
//! The series is cut into blocks as long as the window, so that each window is the end of one block
//! and the start of the next. Both parts are summed as they grow and added up: a few operations for
//! a value, however long the window. Nothing is ever taken away from a sum, so no rounding is carried
//! from one window to the next, which is what ruins running sums. Within a block everything is
//! measured from its first value, which is inside every window that ends there: what is summed is as
//! large as the moves, whatever the level.

use std::ops::Add;

use wide::{f64x2, f64x4};

/// Share of a sum of squares, for each value of a window, below which what is left of it after the
/// mean is taken out may have lost a digit that counts.
const LEFT_LEAST: f64 = 2e-6;

/// The mean of every full window, the first one ending at `values[window - 1]`.
///
/// Empty below `window` values; NaN throughout for a window of 0.
pub fn means(values: &[f64], window: u16, numbers: &mut Vec<f64>) {
    let share = 1.0 / f64::from(window);
    each_window(
        values,
        window,
        |apart| apart,
        numbers,
        (|anchor, sum: f64| anchor + sum * share, |_, _| {}),
    );
}

/// The sample deviation (n - 1) of every full window, the first one ending at `values[window - 1]`.
///
/// Empty below `window` values; NaN throughout for windows of 0 and 1.
pub fn deviations(values: &[f64], window: u16, numbers: &mut Vec<f64>) {
    let count = f64::from(window);
    let (share, rest) = (1.0 / count, 1.0 / (count - 1.0));
    let least = count * LEFT_LEAST;
    let terms = |apart: f64| f64x2::new([apart, apart * apart]);
    let left = |_, sums: f64x2| {
        let [sum, squares] = sums.to_array();
        let left = squares - sum * sum * share;
        if left < squares * least { f64::NAN } else { left }
    };
    let root = |end: usize, numbers: &mut [f64]| {
        let (blocks, others) = numbers.as_chunks_mut::<4>();
        for block in blocks {
            *block = (f64x4::new(*block) * f64x4::splat(rest)).sqrt().to_array();
        }
        for number in others {
            *number = (*number * rest).sqrt();
        }
        for (end, number) in (end..).zip(numbers) {
            if number.is_nan() {
                let seen = &values[end - usize::from(window)..end];
                *number = crate::stdev_price(seen, window).unwrap_or(f64::NAN);
            }
        }
    };
    each_window(values, window, terms, numbers, (left, root));
}

/// One number for each full window, from its block's first value and the sums, over the window, of
/// the terms of each value's distance from that first value; then something done to all numbers of a
/// block, told where the first one's window ends.
fn each_window<T: Copy + Default + Add<Output = T>>(
    values: &[f64],
    window: u16,
    terms: impl Fn(f64) -> T,
    numbers: &mut Vec<f64>,
    (number, finish): (impl Fn(f64, T) -> f64, impl Fn(usize, &mut [f64])),
) {
    let length = usize::from(window);
    if length == 0 {
        numbers.clear();
        return numbers.resize(values.len(), f64::NAN);
    }
    numbers.resize((values.len() + 1).saturating_sub(length), f64::NAN);
    if numbers.is_empty() {
        return;
    }
    let (first_number, mut numbers) = numbers.split_at_mut(1);
    // Sums of a block from each place to its end, as the block after it measures them.
    let mut ends = vec![T::default(); length + 1];
    let mut coming = ends.clone();
    let (first, later) = values.split_at(length);
    let (anchor, mut whole) = (first[0], T::default());
    for value in first {
        whole = whole + terms(value - anchor);
    }
    first_number[0] = number(anchor, whole);
    finish(length, first_number);
    let next = later.first().copied().unwrap_or(anchor);
    for at in (0..length).rev() {
        ends[at] = ends[at + 1] + terms(first[at] - next);
    }
    let mut start = length;
    for block in later.chunks(length) {
        let (here, further) = numbers.split_at_mut(block.len());
        numbers = further;
        let anchor = block[0];
        let next = values.get(start + length).copied().unwrap_or(anchor);
        let (mut begun, mut end) = (T::default(), T::default());
        let (left, kept) = (&ends[1..=block.len()], &mut coming[..block.len()]);
        for at in 0..block.len() {
            begun = begun + terms(block[at] - anchor);
            here[at] = number(anchor, left[at] + begun);
            let back = block.len() - 1 - at;
            end = end + terms(block[back] - next);
            kept[back] = end;
        }
        finish(start + 1, here);
        std::mem::swap(&mut ends, &mut coming);
        start += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every window by itself, in two passes over exact distances from its first value.
    fn plain(values: &[f64], window: u16) -> (Vec<f64>, Vec<f64>) {
        let count = f64::from(window);
        let each = values.windows(usize::from(window)).map(|seen| {
            let mean = seen.iter().map(|value| value - seen[0]).sum::<f64>() / count;
            let squares: f64 = seen.iter().map(|value| (value - seen[0] - mean).powi(2)).sum();
            (seen[0] + mean, (squares / (count - 1.0)).sqrt())
        });
        each.unzip()
    }

    fn drawn(count: usize, mut next: impl FnMut(f64, f64) -> f64) -> Vec<f64> {
        let mut state = 7_u32;
        let mut value = 100.0;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1_u32 << 24) - 0.5
        };
        (0..count)
            .map(|_| {
                value = next(value, draw());
                value
            })
            .collect()
    }

    #[test]
    fn every_window_is_what_two_passes_over_it_alone_give() {
        let walk = drawn(3_000, |value, move_by| value * (1.0 + 0.04 * move_by));
        let calm = drawn(3_000, |_, move_by| 40_000_000_000.0 + move_by);
        let mut jump = drawn(3_000, |_, move_by| 1e-3 * move_by + 1.0);
        jump[700] = 1e9; // what a running sum never forgets
        jump[1_401] = 1e-9;
        let level = vec![0.1; 300];
        for values in [&walk, &calm, &jump, &level] {
            for window in [1, 2, 3, 7, 20, 200, 299, 1_400] {
                let (mut mean, mut deviation) = (Vec::new(), vec![5.0; 9]);
                means(values, window, &mut mean);
                deviations(values, window, &mut deviation);
                let (plain_mean, plain_deviation) = plain(values, window);
                let same = |ours: &[f64], plain: &[f64], name: &str| {
                    assert_eq!(ours.len(), plain.len(), "{name} {window}");
                    for (at, (ours, plain)) in ours.iter().zip(plain).enumerate() {
                        let apart = (ours - plain).abs() / plain.abs().max(1e-12);
                        let both_none = ours.is_nan() && plain.is_nan();
                        assert!(
                            both_none || apart <= 1e-9,
                            "{name} {window}, {at}: {ours} {plain}"
                        );
                    }
                };
                same(&mean, &plain_mean, "mean");
                same(&deviation, &plain_deviation, "deviation");
            }
        }
    }

    #[test]
    fn what_does_not_move_has_its_own_mean_and_no_deviation() {
        let (mut mean, mut deviation) = (Vec::new(), Vec::new());
        means(&[0.1; 25], 7, &mut mean);
        deviations(&[0.1; 25], 7, &mut deviation);
        assert!(mean.iter().all(|mean| mean.to_bits() == 0.1_f64.to_bits()), "{mean:?}");
        assert_eq!((mean.len(), deviation), (19, vec![0.0; 19]));
    }

    #[test]
    fn there_is_nothing_below_a_window_and_no_number_without_one() {
        let mut numbers = vec![1.0];
        means(&[1.0, 2.0], 3, &mut numbers);
        assert!(numbers.is_empty());
        deviations(&[1.0, 2.0], 0, &mut numbers);
        assert!(numbers.len() == 2 && numbers.iter().all(|number| number.is_nan()));
        deviations(&[1.0, 2.0], 1, &mut numbers);
        assert!(numbers.len() == 2 && numbers.iter().all(|number| number.is_nan()));
    }
}

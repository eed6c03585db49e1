//! A float as a whole number of steps, exactly: the one way from a float to an integer.

/// Bits of a float below its exponent.
const FRACTION_BITS: u64 = 52;
/// What the exponent's bits say of a float whose fraction is a whole number.
const EXPONENT_WHOLE: u64 = 1_075;

/// How many steps of one `per`-th a value has, rounded to the nearest, halves up; the value's exact
/// binary digits decide. `None` for what is negative, not a number or from 2^53 on.
pub(crate) fn steps(value: f64, per: u64) -> Option<u128> {
    let bits = value.to_bits();
    // A sign bit would make this larger than any exponent is.
    let exponent = bits >> FRACTION_BITS;
    let right = EXPONENT_WHOLE.checked_sub(exponent.max(1))?;
    let leading = u64::from(exponent > 0) << FRACTION_BITS;
    let fraction = bits & ((1 << FRACTION_BITS) - 1) | leading;
    let product = u128::from(fraction) * u128::from(per);
    // Beyond so many places nothing is left of a product of 53 and 64 bits.
    let right = u32::try_from(right).ok().filter(|right| *right <= 120);
    let Some(right) = right else { return Some(0) };
    let half = if right == 0 { 0 } else { 1 << (right - 1) };
    Some((product + half) >> right)
}

/// The whole number that a value is, if it is one.
pub(crate) fn whole(value: f64) -> Option<u16> {
    let whole = steps(value, 1).and_then(|whole| u16::try_from(whole).ok())?;
    (f64::from(whole).to_bits() == value.to_bits()).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_by_the_exact_value_and_halves_go_up() {
        assert_eq!(steps(0.3, 1_000_000_000_000), Some(300_000_000_000));
        assert_eq!(steps(1.0 / 3.0, 1_000), Some(333));
        assert_eq!([0.0, 0.49, 0.5, 2.5, 1e15].map(|value| steps(value, 1)), {
            [0, 0, 1, 3, 1_000_000_000_000_000].map(Some)
        });
        assert_eq!([5e-324, 1e-30, f64::MIN_POSITIVE].map(|value| steps(value, 1)), [Some(0); 3]);
        assert_eq!(steps(1e-30, u64::MAX), Some(0));
        assert_eq!(
            steps(9_007_199_254_740_991.0, u64::MAX),
            Some(0x1F_FFFF_FFFF_FFFE_u128 << 64 | 0xFFE0_0000_0000_0001)
        );
    }

    #[test]
    fn what_has_no_place_among_them_has_no_steps() {
        for value in [-1.0, -0.0, f64::NAN, -f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(steps(value, 1), None, "{value}");
        }
    }

    #[test]
    fn only_a_whole_number_is_whole() {
        assert_eq!([0.0, 1.0, 65_535.0].map(whole), [0, 1, 65_535].map(Some));
        assert_eq!([0.5, 65_536.0, -1.0, -0.0, 1e-9, f64::NAN].map(whole), [None; 6]);
    }

    #[test]
    fn many_values_give_what_their_decimal_digits_give() {
        let mut state = 9_u32;
        for _ in 0..20_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = f64::from(state) / f64::from(u32::MAX) * 1.2;
            let digits = format!("{value:.12}").replace('.', "");
            assert_eq!(steps(value, 1_000_000_000_000), digits.parse().ok(), "{value}");
        }
    }
}

//! Money, prices, share quantities and weights as types, so that units cannot be mixed up.
//!
//! Everything here is an exact decimal. Floats enter only through [`Weight::from_ratio`] and
//! leave only inside `market`. Sizes are bounded when a value is parsed, which is why the
//! arithmetic below cannot overflow: the largest product is 1e10 shares at 1e7 dollars.

mod arithmetic;

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use crate::domain::steps::steps;

/// Decimal places of a share quantity; the broker cuts off anything finer.
pub const SHARE_DECIMALS: u32 = 9;
/// Decimal places of a weight.
pub const WEIGHT_DECIMALS: u32 = 9;

const USD_MAX: Decimal = Decimal::from_parts(0xD4A5_1000, 0xE8, 0, false, 0); // 1e12
const PRICE_MAX: Decimal = Decimal::from_parts(10_000_000, 0, 0, false, 0);
const SHARES_MAX: Decimal = Decimal::from_parts(0x540B_E400, 2, 0, false, 0); // 1e10

/// Why a text or number is not a money, price, share or weight value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not a decimal number.
    #[error("not a decimal number: {0:?}")]
    NotANumber(String),
    /// The number lies outside what the type can hold.
    #[error("{what} out of range: {value}")]
    OutOfRange {
        /// The type that refused.
        what: &'static str,
        /// The refused value.
        value: String,
    },
}

/// An amount of US dollars; may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usd(Decimal);

/// A price of one share in US dollars; always above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(Decimal);

/// A quantity of shares; never negative, at most nine decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Shares(Decimal);

/// A fraction from 0 to 1 with at most nine decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Weight(Decimal);

fn parse_decimal(text: &str) -> Result<Decimal, MoneyError> {
    let text = text.trim();
    Decimal::from_str(text)
        .or_else(|_| Decimal::from_scientific(text))
        .map_err(|_| MoneyError::NotANumber(text.chars().take(40).collect()))
}

/// Cut off after some decimals, never rounded up.
fn cut(value: Decimal, decimals: u32) -> Decimal {
    value.trunc_with_scale(decimals).normalize()
}

fn out_of_range(what: &'static str, value: Decimal) -> MoneyError {
    MoneyError::OutOfRange { what, value: value.to_string() }
}

impl Usd {
    /// No money.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// An exact amount.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] beyond a trillion dollars either way.
    pub fn new(value: Decimal) -> Result<Self, MoneyError> {
        if value.abs() > USD_MAX { Err(out_of_range("amount", value)) } else { Ok(Self(value)) }
    }

    /// A whole number of dollars.
    pub const fn dollars(whole: u32) -> Self {
        Self(Decimal::from_parts(whole, 0, 0, false, 0))
    }

    /// A whole number of cents.
    pub const fn cents(cents: u32) -> Self {
        Self(Decimal::from_parts(cents, 0, 0, false, 2))
    }

    /// The exact decimal.
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// True below zero.
    pub fn is_negative(self) -> bool {
        self.0 < Decimal::ZERO
    }

    /// True above zero.
    pub fn is_positive(self) -> bool {
        self.0 > Decimal::ZERO
    }

    /// The amount without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// The amount, or nothing when it is negative.
    #[must_use]
    pub fn at_least_zero(self) -> Self {
        self.max(Self::ZERO)
    }

    /// Rounded to whole cents, halves away from zero, as a broker's statement shows it.
    #[must_use]
    pub fn round_cents(self) -> Self {
        Self(self.0.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero))
    }

    /// Cut off after nine decimals, towards zero, so that amounts shared out never sum to more.
    #[must_use]
    pub fn round_down(self) -> Self {
        Self(cut(self.0, SHARE_DECIMALS))
    }

    /// This amount divided by another, as a plain decimal; `None` when the other is zero.
    pub fn ratio_to(self, whole: Self) -> Option<Decimal> {
        self.0.checked_div(whole.0)
    }

    /// This amount times a plain factor, such as the shrink factor of a budget.
    #[must_use]
    pub fn scaled(self, factor: Decimal) -> Self {
        Self(self.0 * factor)
    }

    /// `part` of `whole` of this amount, cut off after nine decimals; nothing of an empty whole.
    #[must_use]
    pub fn part(self, part: Decimal, whole: Decimal) -> Self {
        let exact = self.0.checked_mul(part).and_then(|product| product.checked_div(whole));
        // A product too large for the type is worked out the other way round.
        let value = exact.or_else(|| part.checked_div(whole)?.checked_mul(self.0));
        Self(value.unwrap_or_default()).round_down()
    }

    /// The shares this amount buys at a price, rounded down to what the broker accepts.
    ///
    /// A negative amount buys none.
    pub fn shares_at(self, price: Price) -> Shares {
        Shares(cut(self.0.max(Decimal::ZERO) / price.0, SHARE_DECIMALS).min(SHARES_MAX))
    }
}

impl Price {
    /// A price above zero.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] at or below zero or above ten million dollars.
    pub fn new(value: Decimal) -> Result<Self, MoneyError> {
        if value > Decimal::ZERO && value <= PRICE_MAX {
            Ok(Self(value))
        } else {
            Err(out_of_range("price", value))
        }
    }

    /// The exact decimal.
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// The smallest step between two order prices: a cent from one dollar up, else a hundredth of a cent.
    ///
    /// Source: SEC Rule 612; Alpaca refuses finer steps with code 42210000.
    pub fn tick(self) -> Decimal {
        if self.0 >= Decimal::ONE { Decimal::new(1, 2) } else { Decimal::new(1, 4) }
    }

    /// The nearest order price at or below this one; `None` when that would be zero.
    pub fn tick_down(self) -> Option<Self> {
        let decimals = self.tick().scale();
        Self::new(self.0.round_dp_with_strategy(decimals, RoundingStrategy::ToZero)).ok()
    }

    /// The nearest order price at or above this one.
    #[must_use]
    pub fn tick_up(self) -> Self {
        let decimals = self.tick().scale();
        Self(self.0.round_dp_with_strategy(decimals, RoundingStrategy::AwayFromZero))
    }

    /// This price times a plain factor; `None` when the result is no price.
    pub fn scaled(self, factor: Decimal) -> Option<Self> {
        Self::new(self.0.checked_mul(factor)?).ok()
    }

    /// The amount as dollars, for differences between prices.
    pub const fn usd(self) -> Usd {
        Usd(self.0)
    }
}

impl Shares {
    /// No shares.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// One share.
    pub const ONE: Self = Self(Decimal::ONE);

    /// A quantity, cut off after nine decimals as the broker does.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] when negative or above ten billion.
    pub fn new(value: Decimal) -> Result<Self, MoneyError> {
        if value < Decimal::ZERO || value > SHARES_MAX {
            return Err(out_of_range("shares", value));
        }
        Ok(Self(cut(value, SHARE_DECIMALS)))
    }

    /// A whole number of shares.
    pub const fn whole(count: u32) -> Self {
        Self(Decimal::from_parts(count, 0, 0, false, 0))
    }

    /// The exact decimal.
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// True when there are none.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// True when the quantity has no fraction.
    pub fn is_whole(self) -> bool {
        self.0.fract().is_zero()
    }

    /// The whole part.
    #[must_use]
    pub fn round_down_whole(self) -> Self {
        Self(self.0.trunc())
    }

    /// What is left after taking `taken`; `None` when more is taken than there is.
    pub fn minus(self, taken: Self) -> Option<Self> {
        (self.0 >= taken.0).then(|| Self(self.0 - taken.0))
    }

    /// What is left after taking up to `taken`, never below none.
    #[must_use]
    pub fn minus_at_most(self, taken: Self) -> Self {
        Self((self.0 - taken.0).max(Decimal::ZERO))
    }

    /// A plain multiple, rounded down to nine decimals; a negative factor gives none.
    #[must_use]
    pub fn scaled_down(self, factor: Decimal) -> Self {
        Self(cut(self.0 * factor.max(Decimal::ZERO), SHARE_DECIMALS).min(SHARES_MAX))
    }

    /// This quantity divided by another, as a plain decimal; `None` when the other is zero.
    pub fn ratio_to(self, whole: Self) -> Option<Decimal> {
        self.0.checked_div(whole.0)
    }
}

impl Weight {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// The whole.
    pub const ONE: Self = Self(Decimal::ONE);

    /// A fraction from 0 to 1, cut off after nine decimals.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] outside 0 to 1.
    pub fn new(value: Decimal) -> Result<Self, MoneyError> {
        if (Decimal::ZERO..=Decimal::ONE).contains(&value) {
            Ok(Self(cut(value, WEIGHT_DECIMALS)))
        } else {
            Err(out_of_range("weight", value))
        }
    }

    /// The one gate by which a computed ratio becomes a weight: rounded down to nine decimals.
    ///
    /// # Errors
    /// [`MoneyError::OutOfRange`] for NaN, infinities and values outside 0 to 1. Sums of floats
    /// may overshoot 1 by a rounding error; up to 1e-9 of that is taken as 1.
    pub fn from_ratio(ratio: f64) -> Result<Self, MoneyError> {
        let refused = || MoneyError::OutOfRange { what: "weight", value: format!("{ratio}") };
        if !(ratio.is_finite() && (0.0..=1.000_000_001).contains(&ratio)) {
            return Err(refused());
        }
        // To twelve decimals first, so that what float noise took from a decimal comes back.
        let billionths = steps(ratio + 0.0, 1_000_000_000_000).ok_or_else(refused)? / 1_000;
        let billionths = i64::try_from(billionths).map_err(|_| refused())?;
        Ok(Self(Decimal::new(billionths, WEIGHT_DECIMALS).min(Decimal::ONE).normalize()))
    }

    /// The exact decimal.
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// True when it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The sum, or `None` above 1.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let sum = self.0 + other.0;
        (sum <= Decimal::ONE).then_some(Self(sum))
    }

    /// What is missing to 1.
    #[must_use]
    pub fn complement(self) -> Self {
        Self(Decimal::ONE - self.0)
    }
}

macro_rules! decimal_text {
    ($($name:ident),+) => {$(
        impl $name {
            /// Reads a decimal text such as `12.5`; the broker's own form.
            ///
            /// # Errors
            /// [`MoneyError`] when it is no number or outside the type's range.
            pub fn parse(text: &str) -> Result<Self, MoneyError> {
                Self::new(parse_decimal(text)?)
            }
        }

        impl FromStr for $name {
            type Err = MoneyError;
            fn from_str(text: &str) -> Result<Self, MoneyError> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0.normalize().to_string())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )+};
}
decimal_text!(Usd, Price, Shares, Weight);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_the_stated_powers_of_ten() {
        assert_eq!(USD_MAX.to_string(), "1000000000000");
        assert_eq!(SHARES_MAX.to_string(), "10000000000");
        assert_eq!(PRICE_MAX.to_string(), "10000000");
    }

    #[test]
    fn a_price_is_above_zero_and_steps_by_its_tick() {
        assert!(Price::parse("0").is_err());
        assert!(Price::parse("-1").is_err());
        assert!(Price::parse("10000001").is_err());
        let price = Price::parse("101.2345").unwrap();
        assert_eq!(price.tick_down().unwrap(), Price::parse("101.23").unwrap());
        assert_eq!(price.tick_up(), Price::parse("101.24").unwrap());
        let penny = Price::parse("0.12345").unwrap();
        assert_eq!(penny.tick_down().unwrap(), Price::parse("0.1234").unwrap());
        assert_eq!(penny.tick_up(), Price::parse("0.1235").unwrap());
        assert_eq!(Price::parse("0.00001").unwrap().tick_down(), None);
        assert_eq!(price.scaled(Decimal::ZERO), None);
    }

    #[test]
    fn shares_are_cut_off_never_rounded_up() {
        assert_eq!(Shares::parse("7.2273576799").unwrap().to_string(), "7.227357679");
        assert_eq!(
            Usd::dollars(10).shares_at(Price::parse("3").unwrap()).to_string(),
            "3.333333333"
        );
        assert_eq!((-Usd::dollars(10)).shares_at(Price::parse("3").unwrap()), Shares::ZERO);
        assert!(Shares::parse("-1").is_err());
        assert_eq!(Shares::whole(2).minus(Shares::whole(3)), None);
        assert_eq!(Shares::whole(2).minus_at_most(Shares::whole(3)), Shares::ZERO);
        assert_eq!(Shares::parse("2.9").unwrap().round_down_whole(), Shares::whole(2));
    }

    #[test]
    fn a_ratio_becomes_a_weight_only_between_zero_and_one() {
        for bad in [f64::NAN, f64::INFINITY, -0.1, 1.1] {
            assert!(Weight::from_ratio(bad).is_err(), "{bad}");
        }
        assert_eq!(Weight::from_ratio(1.0 / 3.0).unwrap().to_string(), "0.333333333");
        assert_eq!(Weight::from_ratio(1.000_000_000_1).unwrap(), Weight::ONE);
        assert_eq!(Weight::parse("0.7").unwrap().checked_add(Weight::parse("0.4").unwrap()), None);
    }

    #[test]
    fn text_goes_in_and_out_unchanged_but_for_trailing_zeros() {
        let cash: Usd = serde_json::from_str("\"-20145.3700\"").unwrap();
        assert_eq!(serde_json::to_string(&cash).unwrap(), "\"-20145.37\"");
        assert_eq!(Usd::parse("1e3").unwrap(), Usd::dollars(1000));
        assert_eq!(Usd::parse("12,5").unwrap_err(), MoneyError::NotANumber("12,5".to_owned()),);
        assert!(Usd::parse("1000000000001").is_err());
        assert_eq!(Usd::parse("1.005").unwrap().round_cents(), Usd::cents(101));
    }
}

//! Which quantities may be added and multiplied, and what comes of it. What is not here does not
//! compile: dollars plus shares, a price times a price.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

use crate::domain::money::{Price, Shares, Usd, WEIGHT_DECIMALS, Weight, cut};

impl Mul<Weight> for Usd {
    type Output = Self;
    fn mul(self, weight: Weight) -> Self {
        Self(self.0 * weight.0)
    }
}

impl Mul<Weight> for Weight {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(cut(self.0 * other.0, WEIGHT_DECIMALS))
    }
}

impl Mul<Price> for Shares {
    type Output = Usd;
    fn mul(self, price: Price) -> Usd {
        Usd(self.0 * price.0)
    }
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Usd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Usd {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Usd {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl Add for Shares {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Shares {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sum for Shares {
    fn sum<I: Iterator<Item = Self>>(quantities: I) -> Self {
        quantities.fold(Self::ZERO, Add::add)
    }
}

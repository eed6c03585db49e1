//! What has come of it: gains of what is held and of what was sold, dividends and fees.

use std::collections::BTreeMap;

use crate::domain::books::SleeveBook;
use crate::domain::books::holding::Holding;
use crate::domain::money::{Price, Usd};
use crate::domain::symbol::Symbol;

/// What has come of something: of one symbol in a sleeve, of a sleeve, of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Profit {
    /// What the shares held are worth.
    pub value: Usd,
    /// What they cost, oldest sold first.
    pub cost: Usd,
    /// Gain of what was sold, oldest first.
    pub realised: Usd,
    /// The same against the average cost.
    pub realised_average: Usd,
    /// Dividends received.
    pub dividends: Usd,
    /// Fees: negative when paid.
    pub fees: Usd,
}

impl SleeveBook {
    /// What has come of all its symbols; shares without a price count at cost.
    pub fn profit(&self, prices: &BTreeMap<Symbol, Price>) -> Profit {
        let each = self.holdings.iter().map(|(symbol, held)| held.profit(prices.get(symbol)));
        each.fold(Profit::default(), Profit::and)
    }
}

impl Holding {
    /// What has come of it; without a price its shares count at cost.
    pub fn profit(&self, price: Option<&Price>) -> Profit {
        let cost = self.cost();
        Profit {
            value: price.map_or(cost, |price| self.shares() * *price),
            cost,
            realised: self.realised,
            realised_average: self.realised_average,
            dividends: self.dividends,
            fees: self.fees,
        }
    }
}

impl Profit {
    /// Gain of what is held.
    pub fn unrealised(self) -> Usd {
        self.value - self.cost
    }

    /// Everything together.
    pub fn total(self) -> Usd {
        self.unrealised() + self.realised + self.dividends + self.fees
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            cost: self.cost + other.cost,
            realised: self.realised + other.realised,
            realised_average: self.realised_average + other.realised_average,
            dividends: self.dividends + other.dividends,
            fees: self.fees + other.fees,
        }
    }
}

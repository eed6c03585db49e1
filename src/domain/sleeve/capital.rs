//! What the sleeves are worth, and how much of the account each may use.
//!
//! E is the equity managed, R stays cash, D = E − R is deployed; a sleeve's capital is its
//! allocation of D. Held sleeves are worth H; due ones share what that leaves, scaled by k.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::domain::money::{Price, Shares, Usd};
use crate::domain::order::{Order, Side};
use crate::domain::plan::Capital;
use crate::domain::plan::listing::Listing;
use crate::domain::policy::Policy;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::snapshot::Snapshot;
use crate::domain::symbol::Symbol;

/// The smallest order, and the smallest entry of a sleeve.
pub const ORDER_MIN: Usd = Usd::dollars(5);
/// What stays cash at the least.
const RESERVE_MIN: Usd = Usd::dollars(100);
/// The smallest resize as a fraction of the equity: a quarter of a percent.
const RESIZE_MIN: Decimal = Decimal::from_parts(25, 0, 0, false, 4);
/// Decimals of the two sides of a shrink: with nine of what shrinks, and ten million dollars, a
/// product has 27 digits.
const SHRINK_DECIMALS: u32 = 4;

/// The reference prices of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Valuation<'a> {
    /// Each symbol today.
    pub listings: &'a BTreeMap<Symbol, Listing>,
}

/// Why the account cannot be valued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValuationError {
    /// A sleeve holds a symbol for which nobody names a price.
    #[error("no price at all for {0}, which a sleeve holds")]
    NoPrice(Symbol),
    /// Somebody else's open buy may spend an amount that nobody can tell.
    #[error("the open order {id} in {symbol} is not ours and its amount is unknown")]
    UnsizedOrder {
        /// The broker's id of the order.
        id: String,
        /// Ticker.
        symbol: Symbol,
    },
}

impl Valuation<'_> {
    /// The reference price of a symbol.
    pub fn price(&self, symbol: &Symbol) -> Option<Price> {
        self.listings.get(symbol)?.reference
    }

    /// The value of shares; nothing for a symbol without any price, which no sleeve may hold
    /// (see [`ValuationError::NoPrice`]).
    pub fn value(&self, symbol: &Symbol, shares: Shares) -> Usd {
        self.price(symbol).map_or(Usd::ZERO, |price| shares * price)
    }

    /// True when nothing may be traded in the symbol today.
    pub fn is_blocked(&self, symbol: &Symbol) -> bool {
        self.listings.get(symbol).is_none_or(|listing| listing.tradable_at().is_none())
    }

    /// The value of several holdings.
    pub fn value_of(&self, shares: &BTreeMap<Symbol, Shares>) -> Usd {
        shares.iter().map(|(symbol, shares)| self.value(symbol, *shares)).sum()
    }

    /// True when shares cannot be sold on their own: less than one of an asset that trades whole.
    pub fn is_dust(&self, symbol: &Symbol, shares: Shares) -> bool {
        let whole_only = self.listings.get(symbol).is_none_or(|listing| !listing.fractionable);
        whole_only && shares < Shares::ONE
    }
}

/// E, R, D and m, with H and k still open.
///
/// # Errors
/// [`ValuationError`] when something that must be counted has no value.
pub fn capital(
    ledger: &Ledger,
    snapshot: &Snapshot,
    policy: &Policy,
    valuation: Valuation<'_>,
) -> Result<Capital, ValuationError> {
    for symbol in ledger.sleeves.values().flat_map(|sleeve| sleeve.shares.keys()) {
        if valuation.price(symbol).is_none() {
            return Err(ValuationError::NoPrice(symbol.clone()));
        }
    }
    let foreign_open_buys = foreign_open_buys(snapshot, policy, valuation)?;
    let sleeves = ledger.sleeves.values().map(|sleeve| valuation.value_of(&sleeve.shares)).sum();
    let counted = snapshot.account.cash - foreign_open_buys + sleeves;
    let equity = policy.capital_limit.map_or(counted, |most| counted.min(most));
    let reserve = (equity * policy.reserve).max(RESERVE_MIN).max(policy.keep_cash);
    Ok(Capital {
        cash: snapshot.account.cash,
        foreign_open_buys,
        sleeves,
        // Foreign shares without any price are worth nothing to the broker's own figure too.
        foreign: valuation.value_of(&ledger.foreign),
        broker_equity: snapshot.account.equity,
        equity,
        reserve,
        deployable: (equity - reserve).at_least_zero().round_down(),
        held: Usd::ZERO,
        scale: Decimal::ONE,
        asked: Usd::ZERO,
        resize_min: equity.scaled(RESIZE_MIN).max(ORDER_MIN),
    })
}

/// By how much wishes shrink so that they fit what is left for them.
///
/// Kept as a fraction and applied product first, so that fitting 600 shares into the money for
/// 600 shares does not give 599.999999999 of them, or one whole share fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shrink {
    left: Decimal,
    wanted: Decimal,
}

impl Shrink {
    /// Shrinks wishes of `wanted` in all to what is left of `whole` after `used`.
    pub fn to_fit(whole: Usd, used: Usd, wanted: Usd) -> Self {
        let left = (whole - used).at_least_zero();
        if left >= wanted {
            return Self { left: Decimal::ONE, wanted: Decimal::ONE };
        }
        // Rounded against the wish, to so few decimals that the products below stay exact.
        let rounding = RoundingStrategy::AwayFromZero;
        Self {
            left: left.decimal().trunc_with_scale(SHRINK_DECIMALS),
            wanted: wanted.decimal().round_dp_with_strategy(SHRINK_DECIMALS, rounding),
        }
    }

    /// The factor, cut off after twelve decimals; for reading.
    pub fn factor(self) -> Decimal {
        (self.left / self.wanted).trunc_with_scale(12).normalize()
    }

    /// True when something has to shrink.
    pub fn is_needed(self) -> bool {
        self.left < self.wanted
    }

    /// An amount of money, shrunk and rounded down.
    pub fn money(self, amount: Usd) -> Usd {
        if self.is_needed() {
            Usd::new(amount.decimal() * self.left / self.wanted).unwrap_or_default().round_down()
        } else {
            amount
        }
    }

    /// A quantity of shares, shrunk and rounded down.
    pub fn shares(self, shares: Shares) -> Shares {
        if self.is_needed() {
            Shares::new(shares.decimal() * self.left / self.wanted).unwrap_or_default()
        } else {
            shares
        }
    }
}

/// What orders of others may still spend.
fn foreign_open_buys(
    snapshot: &Snapshot,
    policy: &Policy,
    valuation: Valuation<'_>,
) -> Result<Usd, ValuationError> {
    let open = snapshot
        .orders
        .iter()
        .filter(|order| order.side == Side::Buy && !order.is_ours() && !order.status.is_terminal());
    open.map(|order| {
        let most = order.limit.or_else(|| market_price(order, policy, valuation));
        let rest = order.shares.map(|shares| shares.minus_at_most(order.filled));
        match (rest, most) {
            (Some(rest), Some(most)) => Ok(rest * most),
            (None, _) | (_, None) => Err(ValuationError::UnsizedOrder {
                id: order.broker_id.clone(),
                symbol: order.symbol.clone(),
            }),
        }
    })
    .sum()
}

/// What an order without a limit may pay: the reference price and a collar more.
fn market_price(order: &Order, policy: &Policy, valuation: Valuation<'_>) -> Option<Price> {
    valuation.price(&order.symbol)?.scaled(Decimal::ONE + policy.limits.collar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shrink_is_exact_where_it_can_be_and_rounds_down_where_it_cannot() {
        let third = Shrink::to_fit(Usd::dollars(5), Usd::dollars(3), Usd::dollars(3));
        assert_eq!(third.shares(Shares::ONE).to_string(), "0.666666666");
        assert_eq!(third.money(Usd::dollars(1)).to_string(), "0.666666666");
        assert_eq!(third.factor().to_string(), "0.666666666666");
        let exact = Shrink::to_fit(Usd::dollars(1800), Usd::ZERO, Usd::dollars(5880));
        assert_eq!(exact.money(Usd::dollars(5880)), Usd::dollars(1800));
    }

    #[test]
    fn a_wish_that_fits_is_left_alone_and_nothing_left_leaves_nothing() {
        let fits = Shrink::to_fit(Usd::dollars(5), Usd::ZERO, Usd::dollars(5));
        assert!(!fits.is_needed());
        assert_eq!(fits.shares(Shares::ONE), Shares::ONE);
        let nothing = Shrink::to_fit(Usd::dollars(5), Usd::dollars(6), Usd::dollars(3));
        assert_eq!(nothing.shares(Shares::ONE), Shares::ZERO);
    }
}

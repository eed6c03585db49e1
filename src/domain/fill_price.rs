//! Whether an execution's price can be true of its order.
//!
//! A limit order is executed at its limit or better. A record that says otherwise, or better by so
//! much that no market gives it, is wrong; and what else such a broker says of the account is not
//! to be traded on.

use rust_decimal::Decimal;

use crate::domain::execution::Attempt;
use crate::domain::money::{Price, Shares};
use crate::domain::order::{ClientOrderId, Side};

/// Further from what was asked no honest execution lies: a limit is at most a few percent from the
/// quote it was made with, attempts last seconds, and exchanges halt a share long before.
const FAR: Decimal = Decimal::from_parts(25, 0, 0, false, 2);
/// An average price may be rounded to a cent.
const ROUNDING: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// An execution that cannot be true.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{side} {filled} by {id} at {price}, {fault} {asked}")]
pub struct BeyondReason {
    /// The attempt.
    pub id: ClientOrderId,
    /// Side.
    pub side: Side,
    /// Shares executed.
    pub filled: Shares,
    /// Their average price, as the broker tells it.
    pub price: Price,
    /// What is wrong with it.
    pub fault: Fault,
    /// The limit it was sent with; the mid of its quote where no limit is known.
    pub asked: Price,
}

/// What is wrong with an execution's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Worse than the limit allows.
    BeyondLimit,
    /// Too far away to be true.
    Far,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BeyondLimit => "beyond its limit of",
            Self::Far => "over 25% away from",
        })
    }
}

/// What is wrong with the price at which an attempt was executed, if anything is.
pub fn beyond_reason(side: Side, attempt: &Attempt) -> Option<BeyondReason> {
    let price = attempt.fill_price.filter(|_| !attempt.filled.is_zero())?;
    let asked = attempt.limit.or(attempt.arrival)?;
    let dearer = price.decimal() - asked.decimal();
    let worse = match side {
        Side::Buy => dearer,
        Side::Sell => -dearer,
    };
    let fault = if attempt.limit.is_some() && worse > ROUNDING {
        Fault::BeyondLimit
    } else if dearer.abs() > asked.decimal() * FAR {
        Fault::Far
    } else {
        return None;
    };
    let (id, filled) = (attempt.id.clone(), attempt.filled);
    Some(BeyondReason { id, side, filled, price, fault, asked })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::AttemptState;
    use crate::domain::run::{AccountName, Mode, RunKey, Slot};
    use crate::domain::symbol::Symbol;

    fn attempt(side: Side, limit: Option<&str>, price: &str) -> Attempt {
        let key = RunKey {
            mode: Mode::Paper,
            account: AccountName::parse("main").unwrap(),
            session: jiff::civil::date(2026, 11, 20),
            slot: Slot::parse("open").unwrap(),
            generation: 0,
        };
        Attempt {
            id: ClientOrderId::of(&key, &Symbol::parse("SPY").unwrap(), side, 1),
            shares: Shares::whole(10),
            limit: limit.map(|limit| Price::parse(limit).unwrap()),
            arrival: Some(Price::parse("100").unwrap()),
            state: AttemptState::Filled,
            filled: Shares::whole(10),
            fill_price: Some(Price::parse(price).unwrap()),
            submitted_at: None,
            ended_at: None,
        }
    }

    fn fault(side: Side, limit: Option<&str>, price: &str) -> Option<Fault> {
        beyond_reason(side, &attempt(side, limit, price)).map(|found| found.fault)
    }

    #[test]
    fn an_execution_at_the_limit_or_somewhat_better_is_true() {
        for (side, prices) in
            [(Side::Buy, ["100.01", "100", "75"]), (Side::Sell, ["99.99", "100", "125"])]
        {
            for price in prices {
                assert_eq!(fault(side, Some("100"), price), None, "{side} at {price}");
            }
        }
    }

    #[test]
    fn an_execution_worse_than_its_limit_is_not() {
        assert_eq!(fault(Side::Buy, Some("100"), "100.011"), Some(Fault::BeyondLimit));
        assert_eq!(fault(Side::Sell, Some("100"), "99.989"), Some(Fault::BeyondLimit));
        assert_eq!(fault(Side::Buy, Some("100"), "150"), Some(Fault::BeyondLimit));
    }

    #[test]
    fn an_execution_that_is_too_good_to_be_true_is_not() {
        assert_eq!(fault(Side::Buy, Some("100"), "74.99"), Some(Fault::Far));
        assert_eq!(fault(Side::Sell, Some("100"), "125.01"), Some(Fault::Far));
    }

    #[test]
    fn without_a_limit_the_quote_alone_judges() {
        assert_eq!(fault(Side::Buy, None, "110"), None);
        assert_eq!(fault(Side::Buy, None, "126"), Some(Fault::Far));
    }

    #[test]
    fn what_was_not_executed_has_no_price_to_judge() {
        let attempt = Attempt { filled: Shares::ZERO, ..attempt(Side::Buy, Some("100"), "900") };
        assert_eq!(beyond_reason(Side::Buy, &attempt), None);
    }

    #[test]
    fn it_is_told_with_its_numbers() {
        let found = beyond_reason(Side::Sell, &attempt(Side::Sell, Some("100"), "50")).unwrap();
        let text = found.to_string();
        assert!(text.starts_with("sell 10 by al1-P-20261120-open-g0-SPY-S-1"), "{text}");
        assert!(text.ends_with("at 50, beyond its limit of 100"), "{text}");
    }
}

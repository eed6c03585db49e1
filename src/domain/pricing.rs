//! The limit ladder: at which price each attempt of an order is sent.
//!
//! An attempt walks from our own side of the book towards the other; the last one is marketable
//! within a collar. Prices follow the fresh quote alone; there is no invented price.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::domain::market::Quote;
use crate::domain::money::Price;
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::Side;
use crate::domain::policy::Urgency;

/// Where an attempt is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// This many hundredths of the way across the spread, from our own side of the book.
    Across(u32),
    /// Beyond the other side, by the collar at most.
    Marketable,
}

/// How far one order may reach: the policy's collar, and the price it was budgeted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Fraction of the fresh quote that the last attempt may go beyond it.
    pub collar: Decimal,
    /// A buy never bids more than this; `None` for sells.
    pub worst: Option<Price>,
}

/// Each rung is tried once, in this order.
const LADDER: [Rung; 4] = [Rung::Across(50), Rung::Across(75), Rung::Across(95), Rung::Marketable];

/// The rungs of an order, first attempt first.
pub fn ladder(urgency: Urgency) -> &'static [Rung] {
    match urgency {
        Urgency::Normal => &LADDER,
        Urgency::High => &LADDER[3..],
    }
}

/// How many attempts an order has.
pub fn attempts(urgency: Urgency) -> u8 {
    match urgency {
        Urgency::Normal => 4,
        Urgency::High => 1,
    }
}

/// The limit price of an attempt, counted from 1, on a tick.
///
/// Inside the spread it is rounded to the nearest tick, a tie to our own side; the marketable
/// limit is rounded towards the quote. On one quote each attempt is at least as willing as the
/// one before. `None` when there is no such attempt or no such price.
pub fn limit(
    side: Side,
    attempt: u8,
    urgency: Urgency,
    quote: &Quote,
    reach: Reach,
) -> Option<Price> {
    let rung = ladder(urgency).get(usize::from(attempt).checked_sub(1)?)?;
    let price = match rung {
        Rung::Across(hundredths) => across(side, *hundredths, quote)?,
        Rung::Marketable => marketable(side, quote, reach.collar)?,
    };
    match (side, reach.worst) {
        (Side::Buy, Some(worst)) => Some(price.min(worst.tick_down()?)),
        (Side::Buy, None) | (Side::Sell, _) => Some(price),
    }
}

/// The furthest price that a buy or sell may name against a quote.
pub fn marketable(side: Side, quote: &Quote, collar: Decimal) -> Option<Price> {
    match side {
        Side::Buy => quote.ask().scaled(Decimal::ONE + collar)?.tick_down(),
        Side::Sell => Some(quote.bid().scaled(Decimal::ONE - collar)?.tick_up()),
    }
}

fn across(side: Side, hundredths: u32, quote: &Quote) -> Option<Price> {
    let (bid, ask) = (quote.bid().decimal(), quote.ask().decimal());
    let way = (ask - bid) * Decimal::new(i64::from(hundredths), 2);
    let (exact, tie) = match side {
        Side::Buy => (bid + way, RoundingStrategy::MidpointTowardZero),
        Side::Sell => (ask - way, RoundingStrategy::MidpointAwayFromZero),
    };
    let tick = Price::new(exact).ok()?.tick().scale();
    let decimals = if is_planted(Mutant::NoTick) { 4 } else { tick };
    Price::new(exact.round_dp_with_strategy(decimals, tie)).ok()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::market::{QuoteReading, QuoteRules};

    fn quote(bid: &str, ask: &str) -> Quote {
        let reading = QuoteReading {
            bid: Price::parse(bid).ok(),
            ask: Price::parse(ask).ok(),
            quoted_at: Some(Timestamp::UNIX_EPOCH),
            ..QuoteReading::default()
        };
        let rules = QuoteRules {
            age_max: std::time::Duration::from_mins(1),
            spread_max: Decimal::new(5, 1),
        };
        reading.judge(Timestamp::UNIX_EPOCH, &rules).unwrap()
    }

    fn reach(worst: Option<&str>) -> Reach {
        Reach { collar: Decimal::new(15, 3), worst: worst.map(|text| Price::parse(text).unwrap()) }
    }

    fn prices(side: Side, quote: &Quote, worst: Option<&str>) -> Vec<String> {
        (1..=4)
            .map(|n| limit(side, n, Urgency::Normal, quote, reach(worst)).unwrap().to_string())
            .collect()
    }

    #[test]
    fn attempts_walk_from_our_own_side_across_the_spread() {
        let quote = quote("100.00", "101.00");
        assert_eq!(prices(Side::Buy, &quote, None), ["100.5", "100.75", "100.95", "102.51"]);
        assert_eq!(prices(Side::Sell, &quote, None), ["100.5", "100.25", "100.05", "98.5"]);
    }

    #[test]
    fn a_penny_spread_waits_once_on_our_own_side_and_then_takes_the_other() {
        let quote = quote("10.00", "10.01");
        assert_eq!(prices(Side::Buy, &quote, None), ["10", "10.01", "10.01", "10.16"]);
        assert_eq!(prices(Side::Sell, &quote, None), ["10.01", "10", "10", "9.85"]);
    }

    #[test]
    fn prices_below_a_dollar_step_by_hundredths_of_a_cent() {
        let quote = quote("0.5000", "0.5010");
        assert_eq!(prices(Side::Buy, &quote, None), ["0.5005", "0.5007", "0.5009", "0.5085"]);
    }

    #[test]
    fn a_buy_never_bids_more_than_it_was_budgeted_with() {
        let quote = quote("100.00", "101.00");
        assert_eq!(
            prices(Side::Buy, &quote, Some("100.809")),
            ["100.5", "100.75", "100.8", "100.8"]
        );
    }

    #[test]
    fn high_urgency_starts_with_the_marketable_limit_and_there_is_no_fifth_attempt() {
        let quote = quote("100.00", "101.00");
        let first = limit(Side::Buy, 1, Urgency::High, &quote, reach(None)).unwrap();
        assert_eq!(first.to_string(), "102.51");
        assert_eq!(limit(Side::Buy, 2, Urgency::High, &quote, reach(None)), None);
        assert_eq!(limit(Side::Buy, 0, Urgency::Normal, &quote, reach(None)), None);
        assert_eq!(limit(Side::Buy, 5, Urgency::Normal, &quote, reach(None)), None);
        for urgency in [Urgency::Normal, Urgency::High] {
            assert_eq!(ladder(urgency).len(), usize::from(attempts(urgency)));
        }
    }
}

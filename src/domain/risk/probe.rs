//! The one order that belongs to no plan: a share of SPY at half its price, to see how a broker
//! treats an id. It cannot be filled before somebody cancels it, so the gate lets it pass as it is.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::domain::money::{Price, Shares};
use crate::domain::order::{ClientOrderId, OrderRequest, Side};
use crate::domain::symbol::Symbol;

/// Part of the bid that is offered.
const PART: Decimal = Decimal::from_parts(5, 0, 0, false, 1);

/// A buy of one share far below a bid, under an id that no run takes for one of its own.
pub fn probe(bid: Price, now: Timestamp) -> Option<OrderRequest> {
    let (symbol, limit) = (Symbol::parse("SPY").ok()?, bid.scaled(PART)?.tick_down()?);
    Some(OrderRequest::new(ClientOrderId::probe(now), symbol, Side::Buy, Shares::ONE, limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_far_below_the_market_and_no_order_of_ours() {
        let now: Timestamp = "2026-11-20T14:35:00Z".parse().unwrap();
        let probe = probe(Price::parse("641.37").unwrap(), now).unwrap();
        assert_eq!((probe.shares(), probe.limit().to_string()), (Shares::ONE, "320.68".to_owned()));
        assert!(ClientOrderId::parse(probe.id().as_str()).is_err());
    }
}

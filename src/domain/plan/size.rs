//! From what sleeves want of a symbol to the size of one order.

use rust_decimal::Decimal;

use crate::domain::money::{Price, Shares};
use crate::domain::order::Side;
use crate::domain::plan::listing::Listing;
use crate::domain::plan::{Action, HoldReason, Part, SkipReason};
use crate::domain::sleeve::attribution::share_out_parts;
use crate::domain::sleeve::capital::ORDER_MIN;

/// What an order is sized by.
#[derive(Debug, Clone)]
pub struct Sizing<'a> {
    /// The symbol today.
    pub listing: &'a Listing,
    /// The plan's reference price.
    pub price: Price,
    /// The broker's whole position, foreign shares included.
    pub position: Shares,
    /// An order's most as a fraction of the median day's volume.
    pub volume_share_max: Decimal,
    /// All who sell want to be rid of the symbol altogether.
    pub exit: bool,
    /// The operator was shown already that a rest of it cannot be sold.
    pub dust_shown: bool,
}

/// A sized wish: what is done, for whom, and whether the market's volume cut it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sized {
    /// An order, or why there is none.
    pub action: Action,
    /// The sleeves' parts; of an order they sum to its size.
    pub parts: Vec<Part>,
    /// The order was cut to a fraction of the median day's volume.
    pub cut_by_volume: bool,
}

/// The order that meets the parts, or the reason why it is not sent.
pub fn size(side: Side, parts: Vec<Part>, sizing: &Sizing<'_>) -> Sized {
    let wanted: Shares = parts.iter().map(|part| part.shares).sum();
    let most = sizing.listing.median_volume.map(|day| day.scaled_down(sizing.volume_share_max));
    let cut_by_volume = most.is_some_and(|most| most < wanted);
    let mut shares = most.map_or(wanted, |most| most.min(wanted));
    if !sizing.listing.fractionable {
        shares = shares.round_down_whole();
    }
    // The broker sells a whole position whatever it is worth.
    let entire = side == Side::Sell && wanted == sizing.position && !cut_by_volume;
    let too_small = shares * sizing.price < ORDER_MIN && !entire;
    if shares.is_zero() || too_small {
        let action = match side {
            Side::Sell if sizing.exit && !cut_by_volume => dust(sizing),
            Side::Sell | Side::Buy if shares.is_zero() && !cut_by_volume => {
                Action::Skip(SkipReason::WholeShares)
            }
            Side::Sell | Side::Buy => Action::Skip(SkipReason::BelowMinimum),
        };
        return Sized { action, parts, cut_by_volume };
    }
    let parts = share_out_parts(shares, &parts);
    let action = match side {
        Side::Sell => Action::Sell(shares),
        Side::Buy => Action::Buy(shares),
    };
    Sized { action, parts, cut_by_volume }
}

/// A rest that cannot be sold is shown once.
const fn dust(sizing: &Sizing<'_>) -> Action {
    if sizing.dust_shown {
        Action::Hold(HoldReason::BelowResize)
    } else {
        Action::Skip(SkipReason::Dust)
    }
}

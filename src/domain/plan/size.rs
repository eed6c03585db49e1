//! From what sleeves want of a symbol to the size of one order.
//!
//! Everything here makes an order smaller or drops it, with the reason; nothing makes it larger.

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
    /// Shares that may still be bought before the symbol outgrows the position limit.
    pub position_room: Shares,
    /// All who sell want to be rid of the symbol altogether.
    pub exit: bool,
    /// The operator was shown already that a rest of it cannot be sold.
    pub dust_shown: bool,
}

/// A sized wish: what is done, for whom, and what cut it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sized {
    /// An order, or why there is none.
    pub action: Action,
    /// The sleeves' parts; of an order they sum to its size.
    pub parts: Vec<Part>,
    /// Why the order is smaller than the wish, in words.
    pub cut: Option<&'static str>,
}

/// The order that meets the parts, or the reason why it is not sent.
pub fn size(side: Side, parts: Vec<Part>, sizing: &Sizing<'_>) -> Sized {
    let wanted: Shares = parts.iter().map(|part| part.shares).sum();
    let (mut shares, cut) = allowed(side, wanted, sizing);
    if !sizing.listing.fractionable {
        shares = shares.round_down_whole();
    }
    // The broker sells a whole position whatever it is worth.
    let entire = side == Side::Sell && wanted == sizing.position && cut.is_none();
    let too_small = shares * sizing.price < ORDER_MIN && !entire;
    if shares.is_zero() || too_small {
        let action = if side == Side::Sell && sizing.exit && cut.is_none() {
            dust(sizing)
        } else if shares.is_zero() && cut.is_none() {
            Action::Skip(SkipReason::WholeShares)
        } else {
            Action::Skip(SkipReason::BelowMinimum)
        };
        return Sized { action, parts, cut };
    }
    let parts = share_out_parts(shares, &parts);
    let action = match side {
        Side::Sell => Action::Sell(shares),
        Side::Buy => Action::Buy(shares),
    };
    Sized { action, parts, cut }
}

/// The shares that the market's volume and the position limit allow.
fn allowed(side: Side, wanted: Shares, sizing: &Sizing<'_>) -> (Shares, Option<&'static str>) {
    let by_volume =
        sizing.listing.median_volume.map_or(wanted, |day| day.scaled_down(sizing.volume_share_max));
    let by_position = match side {
        Side::Buy => sizing.position_room,
        Side::Sell => wanted,
    };
    if wanted <= by_volume.min(by_position) {
        (wanted, None)
    } else if by_volume <= by_position {
        (by_volume, Some("cut to the allowed part of the median day's volume"))
    } else {
        (by_position, Some("cut to the position limit"))
    }
}

/// A rest that cannot be sold is shown once.
const fn dust(sizing: &Sizing<'_>) -> Action {
    if sizing.dust_shown {
        Action::Hold(HoldReason::BelowResize)
    } else {
        Action::Skip(SkipReason::Dust)
    }
}

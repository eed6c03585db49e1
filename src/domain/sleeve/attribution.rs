//! Sharing a quantity out so that not a billionth of a share is made or lost.

use rust_decimal::Decimal;

use crate::domain::money::Shares;
use crate::domain::plan::Part;

/// Shares out `amount` pro rata of `rooms`: each part is cut off after nine decimals, and what
/// that leaves goes to the first with room. No part exceeds its room; the parts sum to `amount`,
/// or to all rooms when `amount` is more than that.
pub fn share_out(amount: Shares, rooms: &[Shares]) -> Vec<Shares> {
    let whole: Shares = rooms.iter().copied().sum();
    let mut rest = amount.min(whole);
    let mut parts: Vec<Shares> = rooms
        .iter()
        .map(|room| {
            let part = pro_rata(amount, *room, whole).min(*room).min(rest);
            rest = rest.minus_at_most(part);
            part
        })
        .collect();
    for (part, room) in parts.iter_mut().zip(rooms) {
        let more = room.minus_at_most(*part).min(rest);
        *part += more;
        rest = rest.minus_at_most(more);
    }
    parts
}

/// The same for named parts; parts that get nothing are left out.
pub fn share_out_parts(amount: Shares, parts: &[Part]) -> Vec<Part> {
    let rooms: Vec<Shares> = parts.iter().map(|part| part.shares).collect();
    parts
        .iter()
        .zip(share_out(amount, &rooms))
        .filter(|(_, shares)| !shares.is_zero())
        .map(|(part, shares)| Part { strategy: part.strategy.clone(), shares })
        .collect()
}

/// `amount` × `part` / `whole`, cut off after nine decimals; nothing of an empty whole.
pub fn pro_rata(amount: Shares, part: Shares, whole: Shares) -> Shares {
    let (amount, part, whole) = (amount.decimal(), part.decimal(), whole.decimal());
    let exact = amount.checked_mul(part).and_then(|product| product.checked_div(whole));
    // A product too large for the type is worked out the other way round.
    let value = exact.or_else(|| part.checked_div(whole)?.checked_mul(amount));
    Shares::new(value.unwrap_or(Decimal::ZERO)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(text: &str) -> Shares {
        Shares::parse(text).unwrap()
    }

    #[test]
    fn the_rounding_remainder_goes_to_the_first_with_room() {
        let parts = share_out(shares("1"), &[shares("1"), shares("1"), shares("1")]);
        assert_eq!(parts, [shares("0.333333334"), shares("0.333333333"), shares("0.333333333")]);
        let parts = share_out(shares("0.000000001"), &[Shares::ZERO, shares("1"), shares("1")]);
        assert_eq!(parts, [Shares::ZERO, shares("0.000000001"), Shares::ZERO]);
    }

    #[test]
    fn nobody_gets_more_than_its_room() {
        assert_eq!(share_out(shares("9"), &[shares("2"), shares("3")]), [shares("2"), shares("3")]);
        assert_eq!(share_out(shares("5"), &[]), Vec::<Shares>::new());
        assert_eq!(share_out(shares("5"), &[Shares::ZERO]), [Shares::ZERO]);
    }
}

//! The geometry of a small chart, in whole pixels and without floats.

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::domain::money::Usd;

/// The lowest and the highest point; `None` with fewer than two points.
pub(crate) fn span(points: &[(Date, Usd)]) -> Option<(Usd, Usd)> {
    if points.len() < 2 {
        return None;
    }
    let low = points.iter().map(|(_, equity)| *equity).min()?;
    let high = points.iter().map(|(_, equity)| *equity).max()?;
    Some((low, high))
}

/// The height of a point in pixels, 0 at the lowest and `full` at the highest.
pub(crate) fn height(equity: Usd, (low, high): (Usd, Usd), full: i64) -> i64 {
    let part = (equity - low).ratio_to(high - low).unwrap_or_default();
    (part * Decimal::from(full)).round().to_i64().unwrap_or_default().clamp(0, full)
}

/// `$98,000.00 to $104,231.50 over 20 runs since 2 Oct.`
pub(crate) fn caption(
    points: &[(Date, Usd)],
    (low, high): (Usd, Usd),
    day: fn(Date) -> String,
    money: fn(Usd) -> String,
) -> String {
    let since = points.first().map(|(session, _)| day(*session)).unwrap_or_default();
    format!("Between {} and {}, {} runs since {since}.", money(low), money(high), points.len())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_lowest_point_lies_at_the_bottom_and_the_highest_at_the_top() {
        let point = |day, equity| (date(2026, 11, day), Usd::dollars(equity));
        let points = [point(18, 110), point(19, 100), point(20, 120)];
        let span = span(&points).unwrap();
        let heights = points.map(|(_, equity)| height(equity, span, 50));
        assert_eq!(heights, [25, 0, 50]);
    }

    #[test]
    fn a_flat_or_single_curve_divides_by_nothing() {
        let point = (date(2026, 11, 20), Usd::dollars(100));
        assert_eq!(span(&[point]), None);
        assert_eq!(height(point.1, span(&[point, point]).unwrap(), 50), 0);
    }
}

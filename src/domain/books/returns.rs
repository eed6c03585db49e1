//! Returns: what a dollar became, with what was paid in and out taken out of it.
//!
//! Time-weighted says how well it was invested, whenever money came and went; money-weighted says what
//! the owner's own money earned. All in decimals, like every other figure of money; both are of the
//! whole span, not of a year.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::domain::books::SleeveBook;
use crate::domain::money::Usd;
use crate::domain::report::EquityPoint;

/// How often the bracket of a day's growth is doubled: up to 82% a day either way.
const DOUBLINGS_MAX: u32 = 13;
/// How often it is halved then: beyond the last digit.
const HALVINGS: u32 = 96;
/// The first guess of how far a day's growth is from one.
const FIRST_STEP: Decimal = Decimal::from_parts(1, 0, 0, false, 4);

/// Equity at the end of a session, and what was paid in (negative: out) since the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The session.
    pub session: Date,
    /// Equity at its end.
    pub equity: Usd,
    /// Cash that came in since the session before; of the first one it does not count.
    pub paid_in: Usd,
}

/// The points of an equity curve, each with the transfers noticed since the one before.
pub fn points(curve: &[EquityPoint], transfers: &BTreeMap<Date, Usd>) -> Vec<Point> {
    let mut noticed = transfers.iter().peekable();
    let point = |at: &EquityPoint| {
        let mut paid_in = Usd::ZERO;
        while let Some((_, amount)) = noticed.next_if(|(day, _)| **day <= at.session) {
            paid_in += *amount;
        }
        Point { session: at.session, equity: at.equity, paid_in }
    };
    curve.iter().map(point).collect()
}

/// The return of a chain of periods, each cleared of what was paid in during it: `points` are oldest
/// first. `None` for fewer than two, or where nothing was there to earn anything.
pub fn time_weighted(points: &[Point]) -> Option<Decimal> {
    if points.len() < 2 {
        return None;
    }
    let growth = points.windows(2).try_fold(Decimal::ONE, |growth, pair| {
        let kept = pair[1].equity - pair[1].paid_in;
        growth.checked_mul(kept.ratio_to(pair[0].equity)?)
    });
    growth.map(|growth| growth - Decimal::ONE)
}

/// The return that every dollar would have had to earn, day by day alike, for the payments to become
/// the last equity. `None` where no growth does that.
pub fn money_weighted(points: &[Point]) -> Option<Decimal> {
    let (first, last) = (points.first()?, points.last()?);
    let days = |from: Date| u32::try_from((last.session - from).get_days()).ok();
    let span = days(first.session).filter(|span| *span > 0)?;
    let mut paid: Vec<(Usd, u32)> = vec![(first.equity, span)];
    for point in &points[1..] {
        paid.push((point.paid_in, days(point.session)?));
    }
    // What the payments come to beyond the last equity: rises with growth where money was paid in.
    let over = |growth: Decimal| {
        paid.iter().try_fold(-last.equity.decimal(), |sum, (amount, days)| {
            sum.checked_add(amount.decimal().checked_mul(power(growth, *days)?)?)
        })
    };
    let start = over(Decimal::ONE)?;
    let rises = start < Decimal::ZERO;
    let mut step = if rises { FIRST_STEP } else { -FIRST_STEP };
    let mut doublings = 0;
    let (mut near, mut far) = loop {
        let growth = Decimal::ONE + step;
        let crossed = match over(growth) {
            Some(over) => (over < Decimal::ZERO) != rises,
            None => rises, // beyond every number: far above
        };
        if crossed {
            break (Decimal::ONE, growth);
        }
        doublings += 1;
        if doublings > DOUBLINGS_MAX {
            return None;
        }
        step += step;
    };
    for _ in 0..HALVINGS {
        let middle = (near + far) / Decimal::TWO;
        let crossed = over(middle).is_none_or(|over| (over < Decimal::ZERO) != rises);
        if crossed { far = middle } else { near = middle }
    }
    power(near, span).map(|growth| growth - Decimal::ONE)
}

/// A sleeve's return over the days remembered: each day's profit on the money it could use since the
/// one before. `None` for fewer than two days, or without money.
pub fn of_sleeve(book: &SleeveBook) -> Option<Decimal> {
    if book.days.len() < 2 {
        return None;
    }
    let growth = book.days.windows(2).try_fold(Decimal::ONE, |growth, pair| {
        let earned = (pair[1].profit - pair[0].profit).ratio_to(pair[0].capital)?;
        growth.checked_mul(Decimal::ONE + earned)
    });
    growth.map(|growth| growth - Decimal::ONE)
}

/// By squaring; `None` beyond every number.
fn power(base: Decimal, exponent: u32) -> Option<Decimal> {
    let (mut result, mut square, mut left) = (Decimal::ONE, base, exponent);
    while left > 0 {
        if left % 2 == 1 {
            result = result.checked_mul(square)?;
        }
        left /= 2;
        if left > 0 {
            square = square.checked_mul(square)?;
        }
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn point(day: i8, equity: u32, paid_in: i64) -> Point {
        let paid_in = Usd::new(Decimal::from(paid_in)).unwrap();
        Point { session: date(2026, 1, day), equity: Usd::dollars(equity), paid_in }
    }

    fn near(value: Option<Decimal>, expected: &str) -> bool {
        (value.unwrap() - expected.parse::<Decimal>().unwrap()).abs() < Decimal::new(1, 20)
    }

    #[test]
    fn what_is_paid_in_is_no_gain() {
        let points = [point(1, 1000, 0), point(2, 1600, 500), point(3, 800, -800)];
        // 1100 / 1000, then 1600 / 1600.
        assert!(near(time_weighted(&points), "0.1"));
        assert_eq!(time_weighted(&points[..1]), None);
        assert_eq!(time_weighted(&[point(1, 0, 0), point(2, 5, 0)]), None);
    }

    #[test]
    fn the_owners_money_earns_by_how_long_it_was_there() {
        // 1000 for two days and 1000 for one, at 10% a day: 1210 + 1100.
        let points = [point(1, 1000, 0), point(2, 2100, 1000), point(3, 2310, 0)];
        assert!(near(money_weighted(&points), "0.21"));
        let lost = [point(1, 1000, 0), point(2, 500, 0)];
        assert!(near(money_weighted(&lost), "-0.5"));
        let still = [point(1, 1000, 0), point(5, 1000, 0)];
        assert!(near(money_weighted(&still), "0"));
        assert_eq!(money_weighted(&[point(1, 1000, 0), point(2, 0, 0)]), None);
    }

    #[test]
    fn a_sleeve_earns_on_the_money_it_could_use() {
        let day = |session, profit, capital| crate::domain::books::Day {
            session: date(2026, 1, session),
            profit: Usd::dollars(profit),
            capital: Usd::dollars(capital),
        };
        let mut book =
            SleeveBook { days: vec![day(1, 5, 100), day(2, 15, 200)], ..SleeveBook::default() };
        assert!(near(of_sleeve(&book), "0.1"));
        book.days.push(day(3, 55, 300));
        assert!(near(of_sleeve(&book), "0.32"));
        book.days.truncate(1);
        assert_eq!(of_sleeve(&book), None);
    }
}

//! What the account is compared with: the market as a whole, and its own holdings left alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::books::returns::Point;
use crate::domain::market::{Histories, History};
use crate::domain::money::{Price, Shares, Usd};
use crate::domain::order::Side;
use crate::domain::symbol::Symbol;

/// The fund that stands for the market.
const MARKET: &str = "SPY";
/// Closes of it that a comparison over a year of sessions needs.
pub const CLOSES_WANTED: usize = 262;

/// The market over the time of the equity curve, dividends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Benchmark {
    /// The fund.
    pub symbol: Symbol,
    /// The session from whose morning on.
    pub since: Date,
    /// Its close before that session.
    pub first: Price,
    /// Its last close.
    pub last: Price,
    /// Its close before each session of the equity curve, by the session.
    #[serde(default)]
    pub closes: BTreeMap<Date, Price>,
}

/// An execution of a run, as far as it moved shares for cash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// Ticker.
    pub symbol: Symbol,
    /// Which way.
    pub side: Side,
    /// How many.
    pub shares: Shares,
    /// What was paid or received.
    pub amount: Usd,
}

/// The fund that stands for the market.
///
/// # Panics
/// Never: the constant is a ticker.
pub fn market() -> Symbol {
    Symbol::parse(MARKET).expect("the constant is a ticker")
}

/// The market since the morning of the first of these sessions; `None` without its closes.
pub fn over(histories: &Histories, sessions: &BTreeSet<Date>) -> Option<Benchmark> {
    let symbol = market();
    let history: &History = histories.get(&symbol)?;
    let before = |session: &Date| {
        let at = history.days().partition_point(|day| day < session).checked_sub(1)?;
        Price::parse(&history.closes().get(at)?.to_string()).ok()
    };
    let since = *sessions.first()?;
    let closes = sessions.iter().filter_map(|session| Some((*session, before(session)?))).collect();
    Some(Benchmark { symbol, since, first: before(&since)?, last: history.last_close()?, closes })
}

impl Benchmark {
    /// Its return.
    pub fn earned(&self) -> Option<Decimal> {
        self.last.usd().ratio_to(self.first.usd()).map(|growth| growth - Decimal::ONE)
    }

    /// What the account's money would have become in it: the equity of the first point, and from then
    /// on every payment in or out on the day on which it was noticed. Ends where a close is missing.
    pub fn instead(&self, points: &[Point]) -> Vec<(Date, Usd)> {
        let mut worth = points.first().map(|first| first.equity).unwrap_or_default();
        let mut before = None;
        let each = points.iter().map_while(|point| {
            let close = self.closes.get(&point.session)?.decimal();
            if let Some(before) = before.replace(close) {
                let grown = worth.decimal().checked_mul(close.checked_div(before)?)?;
                worth = Usd::new(grown.checked_add(point.paid_in.decimal())?).ok()?;
            }
            Some((point.session, worth))
        });
        each.collect()
    }
}

/// What some trades have brought up to now, against leaving everything as it was: bought shares are
/// worth more or less than was paid, sold ones would be. `None` where a price is missing.
pub fn brought(trades: &[Trade], prices: &BTreeMap<Symbol, Price>) -> Option<Usd> {
    let each = trades.iter().map(|trade| {
        let worth = trade.shares * *prices.get(&trade.symbol)?;
        Some(match trade.side {
            Side::Buy => worth - trade.amount,
            Side::Sell => trade.amount - worth,
        })
    });
    each.sum()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_market_is_taken_from_the_close_before_the_first_run() {
        let days: Vec<Date> = date(2026, 1, 5).series(1.day()).take(5).collect();
        let history = History::new(days, vec![100.0, 110.0, 121.0, 120.0, 132.0], vec![]).unwrap();
        let histories = Histories::new(BTreeMap::from([(market(), history)]));
        let since = |day| BTreeSet::from([date(2026, 1, day), date(2026, 1, 31)]);
        let earned = |day| over(&histories, &since(day)).and_then(|market| market.earned());
        assert_eq!(earned(7), "0.2".parse().ok());
        assert_eq!(earned(30), Some(Decimal::ZERO));
        assert_eq!(earned(5), None, "no close before it");
        assert_eq!(over(&Histories::new(BTreeMap::new()), &since(7)), None);
    }

    #[test]
    fn money_paid_in_goes_into_the_market_on_the_day_on_which_it_is_noticed() {
        let close = |text: &str| Price::parse(text).unwrap();
        let point = |day, equity, paid_in| Point {
            session: date(2026, 1, day),
            equity: Usd::dollars(equity),
            paid_in: Usd::dollars(paid_in),
        };
        let days = (5..9).zip(["100", "110", "99", "198"]);
        let mut market = Benchmark {
            symbol: market(),
            since: date(2026, 1, 5),
            first: close("100"),
            last: close("198"),
            closes: days.map(|(day, at)| (date(2026, 1, day), close(at))).collect(),
        };
        let points = [point(5, 1000, 700), point(6, 900, 0), point(7, 1500, 500), point(8, 1, 0)];
        let worth = |market: &Benchmark| -> Vec<Usd> {
            market.instead(&points).into_iter().map(|(_, worth)| worth).collect()
        };
        assert_eq!(worth(&market), [1000, 1100, 1490, 2980].map(Usd::dollars));
        market.closes.remove(&date(2026, 1, 7));
        assert_eq!(worth(&market), [1000, 1100].map(Usd::dollars), "nothing is made up");
    }

    #[test]
    fn what_was_sold_counts_against_what_it_would_be_worth() {
        let trade = |side, amount: u32| Trade {
            symbol: market(),
            side,
            shares: Shares::whole(2),
            amount: Usd::dollars(amount),
        };
        let trades = [trade(Side::Sell, 100), trade(Side::Buy, 90)];
        let prices = |at: u32| BTreeMap::from([(market(), Price::new(Decimal::from(at)).unwrap())]);
        assert_eq!(brought(&trades[..1], &prices(40)), Some(Usd::dollars(20)));
        assert_eq!(brought(&trades[1..], &prices(50)), Some(Usd::dollars(10)));
        assert_eq!(brought(&trades, &prices(70)), Some(Usd::dollars(10)));
        assert_eq!(brought(&trades, &BTreeMap::new()), None);
        assert_eq!(brought(&[], &BTreeMap::new()), Some(Usd::ZERO));
    }
}

//! What one sleeve has of one symbol: the lots it was bought in, and what has come of it so far.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::money::{Shares, Usd};
use crate::domain::sleeve::attribution::share_out;

/// Most lots of one holding; beyond them the two oldest become one.
const LOTS_MAX: usize = 200;

/// A symbol in a sleeve, from its first share on. What was sold counts against the oldest lot (first
/// in, first out), and beside that against the average cost of all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holding {
    /// What is held, oldest first.
    pub lots: Vec<Lot>,
    /// What the shares held cost, where every share sold took the average with it.
    pub average_cost: Usd,
    /// Gain of what was sold, oldest lots first.
    pub realised: Usd,
    /// The same against the average cost.
    pub realised_average: Usd,
    /// Dividends received.
    pub dividends: Usd,
    /// Fees: negative when paid.
    pub fees: Usd,
}

/// Shares bought together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// The session.
    pub since: Date,
    /// What is left of them.
    pub shares: Shares,
    /// What that cost.
    pub cost: Usd,
}

impl Holding {
    /// Shares held.
    pub fn shares(&self) -> Shares {
        self.lots.iter().map(|lot| lot.shares).sum()
    }

    /// What the shares held cost, oldest sold first.
    pub fn cost(&self) -> Usd {
        self.lots.iter().map(|lot| lot.cost).sum()
    }

    /// Adds shares and what they cost.
    pub(super) fn buy(&mut self, since: Date, shares: Shares, cost: Usd) {
        self.average_cost += cost;
        match self.lots.last_mut() {
            Some(last) if last.since == since => {
                last.shares += shares;
                last.cost += cost;
            }
            Some(_) | None => self.lots.push(Lot { since, shares, cost }),
        }
        if self.lots.len() > LOTS_MAX {
            let second = self.lots.remove(1);
            self.lots[0].shares += second.shares;
            self.lots[0].cost += second.cost;
        }
    }

    /// Takes shares out for what was received for them; more than there are bring money without a
    /// cost.
    pub(super) fn sell(&mut self, shares: Shares, proceeds: Usd) {
        let (cost, average) = self.take(shares);
        self.realised += proceeds - cost;
        self.realised_average += proceeds - average;
    }

    /// Takes shares out; the answer is what they cost, by lots and by the average.
    pub(super) fn take(&mut self, shares: Shares) -> (Usd, Usd) {
        let average = part(self.average_cost, shares, self.shares());
        self.average_cost -= average;
        let (mut left, mut cost) = (shares, Usd::ZERO);
        for lot in &mut self.lots {
            let taken = lot.shares.min(left);
            let gone = part(lot.cost, taken, lot.shares);
            lot.shares = lot.shares.minus_at_most(taken);
            lot.cost -= gone;
            left = left.minus_at_most(taken);
            cost += gone;
        }
        self.lots.retain(|lot| !lot.shares.is_zero());
        (cost, average)
    }

    /// Takes over another's lots and gains, as when two tickers become one.
    pub(super) fn add(&mut self, other: Self) {
        self.lots.extend(other.lots);
        self.lots.sort_by_key(|lot| lot.since);
        self.average_cost += other.average_cost;
        self.realised += other.realised;
        self.realised_average += other.realised_average;
        self.dividends += other.dividends;
        self.fees += other.fees;
    }

    /// Makes the lots come to so many shares, as a split does; what they cost stays. Where no share
    /// is left, their cost is lost.
    pub(super) fn scale(&mut self, shares: Shares) {
        if shares.is_zero() {
            return self.sell(self.shares(), Usd::ZERO);
        }
        // Rooms far above any lot share out in proportion, up or down.
        let weights: Vec<Shares> = self.lots.iter().map(|lot| lot.shares).collect();
        let scaled = proportion(shares, &weights);
        for (lot, shares) in self.lots.iter_mut().zip(scaled) {
            lot.shares = shares;
        }
        self.lots.retain(|lot| !lot.shares.is_zero() || !lot.cost.decimal().is_zero());
    }
}

/// `whole` in proportion to some parts; the remainder of the rounding goes to the first.
fn proportion(whole: Shares, parts: &[Shares]) -> Vec<Shares> {
    let sum: Shares = parts.iter().copied().sum();
    if whole <= sum {
        return share_out(whole, parts);
    }
    let factor = whole.ratio_to(sum).unwrap_or_default();
    let mut scaled: Vec<Shares> = parts.iter().map(|part| part.scaled_down(factor)).collect();
    let given: Shares = scaled.iter().copied().sum();
    if let Some(first) = scaled.first_mut() {
        *first += whole.minus_at_most(given);
    }
    scaled
}

/// The part of an amount that some shares of a whole make, cut off after nine decimals; all of it
/// for the whole and beyond.
pub(super) fn part(amount: Usd, shares: Shares, whole: Shares) -> Usd {
    if shares >= whole { amount } else { amount.part(shares.decimal(), whole.decimal()) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn shares(text: &str) -> Shares {
        Shares::parse(text).unwrap()
    }

    fn usd(text: &str) -> Usd {
        Usd::parse(text).unwrap()
    }

    fn held() -> Holding {
        let mut holding = Holding::default();
        holding.buy(date(2026, 1, 5), shares("10"), usd("100"));
        holding.buy(date(2026, 1, 6), shares("30"), usd("600"));
        holding
    }

    #[test]
    fn what_is_sold_is_the_oldest_and_beside_that_an_average() {
        let mut holding = held();
        holding.sell(shares("20"), usd("500"));
        // Ten at 10 and ten at 20 are gone: 300; on average twenty of forty: 350.
        assert_eq!((holding.realised, holding.realised_average), (usd("200"), usd("150")));
        assert_eq!((holding.shares(), holding.cost()), (shares("20"), usd("400")));
        assert_eq!(holding.average_cost, usd("350"));
        holding.sell(shares("20"), usd("500"));
        assert_eq!((holding.realised, holding.realised_average), (usd("300"), usd("300")));
        assert_eq!((holding.lots.len(), holding.average_cost), (0, Usd::ZERO));
    }

    #[test]
    fn not_a_billionth_is_lost_however_often_a_part_is_sold() {
        let mut holding = held();
        for _ in 0..7 {
            holding.sell(shares("5.714285714"), usd("100"));
        }
        // 700 paid, 700 received: what was gained is what the rest still cost.
        assert_eq!(holding.realised, holding.cost());
        assert_eq!(holding.realised_average, holding.average_cost);
        assert_eq!(holding.shares(), shares("0.000000002"));
    }

    #[test]
    fn a_split_changes_the_shares_and_no_cost() {
        let mut holding = held();
        holding.scale(shares("120"));
        assert_eq!(holding.lots[0].shares, shares("30"));
        assert_eq!((holding.shares(), holding.cost()), (shares("120"), usd("700")));
        holding.scale(shares("7"));
        assert_eq!((holding.shares(), holding.cost()), (shares("7"), usd("700")));
        holding.scale(Shares::ZERO);
        assert_eq!((holding.shares(), holding.realised), (Shares::ZERO, usd("-700")));
    }

    #[test]
    fn beyond_so_many_lots_the_oldest_become_one() {
        let mut holding = Holding::default();
        for day in date(2020, 1, 1).series(jiff::Span::new().days(1)).take(LOTS_MAX + 5) {
            holding.buy(day, shares("1"), usd("2"));
        }
        assert_eq!((holding.lots.len(), holding.lots[0].shares), (LOTS_MAX, shares("6")));
        assert_eq!(holding.cost(), usd("410"));
    }
}

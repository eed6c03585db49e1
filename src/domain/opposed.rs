//! What a run's strategies hold against each other: a fund in one sleeve and its opposite in
//! another.
//!
//! Both strategies are right for themselves, so nothing is netted; but the operator should see
//! what cancels out. Said is what is certain: the money that is tied up without any exposure, and
//! the half-spreads of the day. Both funds' fees and daily rebalancing cost more than that.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::execution::OrderOutcome;
use crate::domain::money::{Price, Shares, Usd};
use crate::domain::opposites::{Opposites, opposites};
use crate::domain::plan::{RebalancePlan, SleeveState};
use crate::domain::report::RunReport;
use crate::domain::run::{RunAction, StrategyName};
use crate::domain::symbol::Symbol;

/// A fund and its opposite, held at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opposed {
    /// What both follow.
    pub follows: String,
    /// What rises with it.
    pub bull: Stake,
    /// What falls with it.
    pub bear: Stake,
    /// Exposure on each side that the other cancels.
    pub cancelled: Usd,
    /// Money in both funds that has no exposure therefore.
    pub tied: Usd,
    /// Half of the spread on what was traded of both today; `None` unless both were.
    pub half_spreads: Option<Usd>,
}

/// One side of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stake {
    /// The fund.
    pub symbol: Symbol,
    /// How many times it moves, without a sign.
    pub factor: Decimal,
    /// What all sleeves hold of it.
    pub value: Usd,
    /// The strategies that do.
    pub strategies: Vec<StrategyName>,
}

/// A strategy and the shares of its sleeve.
type Sleeve<'a> = (&'a StrategyName, &'a BTreeMap<Symbol, Shares>);
/// Shares of each symbol, and whose they are.
type Holdings<'a> = BTreeMap<&'a Symbol, (Shares, Vec<StrategyName>)>;

/// The opposites that the sleeves hold after the run; for a preview, that they would hold. A fund
/// without a known price is left out. Of several funds against one, none cancels more than is left
/// of it.
pub fn opposed(report: &RunReport) -> Vec<Opposed> {
    let holdings = holdings(report);
    let values: BTreeMap<&Symbol, Usd> = holdings
        .iter()
        .filter_map(|(symbol, (shares, _))| Some((*symbol, *shares * price(report, symbol)?)))
        .collect();
    let mut left = values.clone();
    let mut found = Vec::new();
    for (bull, bull_value) in &values {
        for (bear, bear_value) in &values {
            let pair = opposites(bull, bear).filter(|pair| pair.tenths[0] > 0);
            let Some(pair) = pair else { continue };
            let factors = factors(pair);
            let [bull_tied, bear_tied, cancelled] = cancelled(factors, left[bull], left[bear]);
            if !cancelled.is_positive() {
                continue;
            }
            for (symbol, tied) in [(bull, bull_tied), (bear, bear_tied)] {
                left.entry(symbol).and_modify(|left| *left -= tied);
            }
            let stake = |symbol: &Symbol, factor: Decimal, value: Usd| Stake {
                symbol: symbol.clone(),
                factor,
                value,
                strategies: holdings[symbol].1.clone(),
            };
            found.push(Opposed {
                follows: pair.follow.to_owned(),
                bull: stake(bull, factors[0], *bull_value),
                bear: stake(bear, factors[1], *bear_value),
                cancelled: cancelled.round_cents(),
                tied: (bull_tied + bear_tied).round_cents(),
                half_spreads: half_spreads(report, bull, bear),
            });
        }
    }
    found
}

/// How many times each of a pair moves, without a sign.
fn factors(pair: Opposites) -> [Decimal; 2] {
    pair.tenths.map(|tenths| Decimal::new(i64::from(tenths.unsigned_abs()), 1))
}

/// Money on the bull's side and on the bear's that cancel out, and the exposure that each has.
fn cancelled([bull_factor, bear_factor]: [Decimal; 2], bull: Usd, bear: Usd) -> [Usd; 3] {
    let exposure = bull.scaled(bull_factor).min(bear.scaled(bear_factor));
    let tied = |value: Usd, factor: Decimal| {
        let part = exposure.decimal().checked_div(factor).and_then(|part| Usd::new(part).ok());
        part.map_or(value, |part| part.min(value))
    };
    [tied(bull, bull_factor), tied(bear, bear_factor), exposure]
}

/// What the sleeves hold, with the strategies that do.
fn holdings(report: &RunReport) -> Holdings<'_> {
    let sleeves: Vec<Sleeve<'_>> = match (report.action, &report.plan, &report.ledger) {
        (RunAction::Preview, Some(plan), _) => wanted(plan).collect(),
        (_, _, Some(ledger)) => {
            ledger.sleeves.iter().map(|(strategy, sleeve)| (strategy, &sleeve.shares)).collect()
        }
        (_, _, None) => Vec::new(),
    };
    let mut holdings = Holdings::new();
    for (strategy, shares) in sleeves {
        for (symbol, shares) in shares.iter().filter(|(_, shares)| !shares.is_zero()) {
            let (held, strategies) = holdings.entry(symbol).or_default();
            *held = [*held, *shares].into_iter().sum();
            strategies.push(strategy.clone());
        }
    }
    holdings
}

/// What each sleeve holds once a plan is done.
fn wanted(plan: &RebalancePlan) -> impl Iterator<Item = Sleeve<'_>> {
    plan.sleeves.iter().filter_map(|sleeve| match sleeve.state {
        SleeveState::Due(_) => Some((&sleeve.strategy, &sleeve.wants)),
        SleeveState::Held(_) => {
            let held = plan.ledger.sleeves.get(&sleeve.strategy)?;
            Some((&sleeve.strategy, &held.shares))
        }
    })
}

fn price(report: &RunReport, symbol: &Symbol) -> Option<Price> {
    let items = report.plan.iter().flat_map(|plan| &plan.items);
    let reference = || items.filter(|item| item.symbol == *symbol).find_map(|item| item.reference);
    report.prices.get(symbol).copied().or_else(reference)
}

/// Half of the spread that the plan expected, on what was executed of both funds.
fn half_spreads(report: &RunReport, bull: &Symbol, bear: &Symbol) -> Option<Usd> {
    let plan = report.plan.as_ref()?;
    let paid = |symbol: &Symbol| {
        let outcomes = report.execution.outcomes().filter(|outcome| outcome.symbol == *symbol);
        let traded: Usd = outcomes.map(OrderOutcome::value).sum();
        let item = plan.items.iter().find(|item| item.symbol == *symbol)?;
        traded.is_positive().then_some(traded.scaled(item.half_spread?))
    };
    Some((paid(bull)? + paid(bear)?).round_cents())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Usd {
        Usd::parse(text).unwrap()
    }

    /// Money tied up in the bull and in the bear, and the exposure that cancels.
    fn of(bull: (&str, &str), bear: (&str, &str)) -> [String; 3] {
        let pair = opposites(&Symbol::parse(bull.0).unwrap(), &Symbol::parse(bear.0).unwrap());
        cancelled(factors(pair.unwrap()), usd(bull.1), usd(bear.1)).map(|money| money.to_string())
    }

    #[test]
    fn equal_exposures_cancel_in_full_and_unequal_ones_to_the_smaller() {
        assert_eq!(of(("TQQQ", "4000"), ("SQQQ", "4000")), ["4000", "4000", "12000"]);
        assert_eq!(of(("TQQQ", "4000"), ("SQQQ", "1000")), ["1000", "1000", "3000"]);
        assert_eq!(of(("TQQQ", "4000"), ("PSQ", "3000")), ["1000", "3000", "3000"]);
        assert_eq!(of(("UVXY", "1000"), ("SVXY", "4000")), ["1000", "3000", "1500"]);
        assert_eq!(of(("TQQQ", "0"), ("SQQQ", "4000")), ["0", "0", "0"]);
    }
}

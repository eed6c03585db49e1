//! The strategies of a trial: tables of wishes for most, decision trees for some.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::domain::hash::sha256_hex;
use crate::domain::market::{Histories, History};
use crate::domain::money::Weight;
use crate::domain::run::StrategyName;
use crate::domain::strategy::{
    Needs, Rebalance, Signal, StrategyEngine, StrategyError, StrategySlot,
};
use crate::domain::symbol::Symbol;
use crate::domain::symphony::SymphonyEngine;
use crate::domain::symphony::trace::Trace;
use crate::simulator::trial::draw::PRICES;
use crate::simulator::trial::lifeline;
use crate::simulator::trial::script::{Engines, Setting, Wish, ticker};

/// Decision trees over the symbols of a trial.
const TREES: [&str; 3] = [
    r#"(defsymphony "Steps" {:rebalance-frequency :daily}
  (if (> (current-price "SPY") (moving-average-price "SPY" {:window 20}))
    [(weight-specified 0.75 (asset "SPY") 0.25 (asset "GLD"))]
    [(asset "BIL")]))"#,
    r#"(defsymphony "Strongest" {:rebalance-frequency :daily}
  (filter (cumulative-return {:window 10}) (select-top 2)
    [(asset "SPY") (asset "QQQ") (asset "GLD") (asset "TLT")]))"#,
    r#"(defsymphony "Calmest" {:rebalance-threshold 0.05}
  (if (< (rsi "QQQ" {:window 10}) 50)
    [(asset "TLT")]
    [(weight-inverse-volatility 14 [(asset "QQQ") (asset "UPRO")])]))"#,
];

/// A strategy whose wish stands in the script.
struct Table {
    name: StrategyName,
    needs: Needs,
    wish: Wish,
}

/// The book of a trial on one day.
pub(super) fn book(setting: &Setting, wishes: &[Wish]) -> Vec<StrategySlot> {
    let slots = setting.strategies.iter().zip(wishes).zip(TREES);
    slots
        .filter_map(|(((name, allocation), wish), tree)| {
            let name = StrategyName::parse(name).ok()?;
            let engine: Result<Box<dyn StrategyEngine>, StrategyError> = match setting.engines {
                Engines::Tables => Ok(Box::new(Table::new(name.clone(), *wish))),
                Engines::Trees => match SymphonyEngine::read(name.clone(), tree) {
                    Ok(engine) => Ok(Box::new(engine)),
                    Err(error) => Err(StrategyError::Unreadable { reason: error.to_string() }),
                },
            };
            Some(StrategySlot { name, allocation: Weight::parse(allocation).ok()?, engine })
        })
        .collect()
}

impl Table {
    fn new(name: StrategyName, wish: Wish) -> Self {
        let nameable: BTreeSet<Symbol> = PRICES.iter().map(|(symbol, _)| ticker(symbol)).collect();
        let closes: BTreeMap<Symbol, usize> = nameable.iter().map(|s| (s.clone(), 2)).collect();
        let hash = sha256_hex(name.as_str().as_bytes());
        Self { name, needs: Needs { closes, nameable, rebalance: Rebalance::Daily, hash }, wish }
    }

    /// As strict as a decision tree: what it names has to have a close of the last session.
    fn weights(
        weights: &[(&str, &str)],
        market: &Histories,
        as_of: Date,
    ) -> Result<Vec<(Symbol, Weight)>, StrategyError> {
        let weigh = |(symbol, weight): &(&str, &str)| {
            let symbol = ticker(symbol);
            match market.get(&symbol).and_then(History::last_day) {
                None => return Err(StrategyError::NoHistory { symbol }),
                Some(last) if last != as_of => {
                    return Err(StrategyError::Stale { symbol, last, expected: as_of });
                }
                Some(_) => {}
            }
            let weight = Weight::parse(weight)
                .map_err(|error| StrategyError::InvalidWeights { reason: error.to_string() })?;
            Ok((symbol, weight))
        };
        weights.iter().map(weigh).collect()
    }
}

impl StrategyEngine for Table {
    fn name(&self) -> &StrategyName {
        &self.name
    }

    fn needs(&self) -> &Needs {
        &self.needs
    }

    fn evaluate(&self, market: &Histories, as_of: Date) -> Result<Signal, StrategyError> {
        let one = Weight::ZERO.complement();
        let (weights, cash) = match self.wish {
            Wish::Weights(weights) => (Self::weights(weights, market, as_of)?, Weight::ZERO),
            Wish::Cash => (Vec::new(), one),
            Wish::Fails => return Err(StrategyError::Timeout { steps: 1 }),
            Wish::Empty => (Vec::new(), Weight::ZERO),
            Wish::TooMuch => (vec![(ticker("SPY"), one), (ticker("BIL"), one)], Weight::ZERO),
            Wish::Panics => lifeline::panics(),
        };
        Ok(Signal {
            strategy: self.name.clone(),
            as_of,
            weights,
            cash,
            trace: Trace::default(),
            confidence: None,
        })
    }
}

//! The book: the built-in strategies, embedded, and those the operator adds.

use std::collections::BTreeMap;

use crate::domain::policy::Policy;
use crate::domain::run::StrategyName;
use crate::domain::strategy::{StrategyEngine, StrategyError, StrategySlot};
use crate::domain::symphony::SymphonyEngine;

/// Names and texts of the strategies that ship with the program.
pub const BUILT_INS: [(&str, &str); 3] = [
    ("nuclear", include_str!("../strategies/nuclear.clj")),
    ("tecl", include_str!("../strategies/tecl.clj")),
    ("klm", include_str!("../strategies/klm.clj")),
];

/// The text of a built-in strategy.
pub fn built_in(name: &str) -> Option<&'static str> {
    BUILT_INS.iter().find(|(built_in, _)| *built_in == name).map(|(_, text)| *text)
}

/// The store's own strategies: the text of each, or why there is none to read.
pub type StrategyFiles = BTreeMap<StrategyName, Result<String, StrategyError>>;

/// The policy's strategies in its order, each with its engine or the reason why it has none.
///
/// A text in `extra`, the store's own, wins over a built-in of the same name. A strategy that
/// cannot be read fails alone.
pub fn slots(policy: &Policy, extra: &StrategyFiles) -> Vec<StrategySlot> {
    let slot = |name: &StrategyName, allocation| {
        let text = match extra.get(name) {
            Some(file) => file.as_deref().map_err(StrategyError::clone),
            None => built_in(name.as_str()).ok_or_else(|| absent(name)),
        };
        let engine = text.and_then(|text| engine(name, text));
        StrategySlot { name: name.clone(), allocation, engine }
    };
    policy.strategies.iter().map(|listed| slot(&listed.name, listed.allocation)).collect()
}

fn absent(name: &StrategyName) -> StrategyError {
    let reason = format!("no strategy {name}: neither built in nor among the store's files");
    StrategyError::Unreadable { reason }
}

fn engine(name: &StrategyName, text: &str) -> Result<Box<dyn StrategyEngine>, StrategyError> {
    match SymphonyEngine::read(name.clone(), text) {
        Ok(engine) => Ok(Box::new(engine)),
        Err(error) => Err(StrategyError::Unreadable { reason: format!("{name}: {error}") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Weight;
    use crate::domain::strategy::Rebalance;

    #[test]
    fn the_default_policy_finds_its_three_strategies() {
        let slots = slots(&Policy::compiled_in(), &BTreeMap::new());
        let rebalances: Vec<Rebalance> =
            slots.iter().map(|slot| slot.engine.as_ref().unwrap().needs().rebalance).collect();
        let threshold = Rebalance::Threshold(Weight::parse("0.1").unwrap());
        assert_eq!(rebalances, [Rebalance::Daily, Rebalance::Daily, threshold]);
        assert_eq!(slots[1].allocation, Weight::parse("0.5").unwrap());
    }

    #[test]
    fn a_text_in_the_store_wins_over_the_built_in_of_its_name() {
        let name = StrategyName::parse("tecl").unwrap();
        let own = "(defsymphony \"Own\" {} (asset \"BIL\"))".to_owned();
        let slots = slots(&Policy::compiled_in(), &BTreeMap::from([(name, Ok(own))]));
        let needs = slots[1].engine.as_ref().unwrap().needs();
        assert_eq!(needs.nameable.len(), 1);
    }

    #[test]
    fn a_strategy_that_cannot_be_read_fails_alone_and_says_where() {
        let policy = Policy::parse(
            "[[strategy]]\nname = \"mine\"\nallocation = \"0.5\"\n\
             [[strategy]]\nname = \"nuclear\"\nallocation = \"0.25\"\n\
             [[strategy]]\nname = \"absent\"\nallocation = \"0.25\"\n",
        )
        .unwrap();
        let mine = StrategyName::parse("mine").unwrap();
        let slots = slots(&policy, &BTreeMap::from([(mine, Ok("(defsymphony".to_owned()))]));
        let failures: Vec<String> = slots
            .iter()
            .map(|slot| slot.engine.as_ref().err().map_or_else(String::new, ToString::to_string))
            .collect();
        assert_eq!(
            failures,
            [
                "mine: line 1, column 1: expected ) to close this bracket, found the end of the text",
                "",
                "no strategy absent: neither built in nor among the store's files",
            ]
        );
    }
}

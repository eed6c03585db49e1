//! The brake on settings: a change that is larger than a day's work waits for the operator's word.
//!
//! A finished run records what it was ruled by; the next one compares. A slip of the hand in a
//! policy or a strategy's text then costs a day and not the account.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::hash::sha256_hex;
use crate::domain::money::Weight;
use crate::domain::policy::Policy;
use crate::domain::run::StrategyName;
use crate::domain::strategy::StrategySlot;

/// A loosened limit is told of in so many runs.
const TOLD_RUNS: u8 = 3;

/// Which changes since the last finished run wait for a confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brake {
    /// Largest sum of all changes of allocations.
    pub allocation_change_max: Decimal,
    /// Largest factor by which a limit may be loosened.
    pub loosening_max: Decimal,
    /// Whether another text of a strategy waits.
    pub strategy_text: TextRule,
}

/// What another text of a strategy calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextRule {
    /// The operator's word.
    Confirm,
    /// Nothing.
    Allow,
}

/// What a run was ruled by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rules {
    /// Allocation of each strategy.
    pub allocations: BTreeMap<StrategyName, Weight>,
    /// SHA-256 of each strategy's text, as last read.
    pub texts: BTreeMap<StrategyName, String>,
    /// The policy's limits by key; a larger one is looser.
    pub limits: BTreeMap<String, Decimal>,
    /// Limits that were loosened lately, with the number of runs that said so.
    #[serde(default)]
    pub loosened: BTreeMap<String, u8>,
}

impl Rules {
    /// The rules of a policy and its strategies, after those of the run before.
    ///
    /// # Panics
    /// Never: limits are plain data that always serialises.
    pub fn of(policy: &Policy, book: &[StrategySlot], before: Option<&Self>) -> Self {
        let known = |name: &StrategyName| before.and_then(|before| before.texts.get(name)).cloned();
        let text = |slot: &StrategySlot| match &slot.engine {
            Ok(engine) => Some(engine.needs().hash.clone()),
            Err(_) => known(&slot.name), // unreadable: it trades nothing until it is another again
        };
        let limits = serde_json::to_value(&policy.limits).expect("limits serialise");
        let limits = limits.as_object().into_iter().flatten().filter_map(|(key, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some((format!("limits.{key}"), text.parse().ok()?))
        });
        let mut rules = Self {
            allocations: book.iter().map(|slot| (slot.name.clone(), slot.allocation)).collect(),
            texts: book.iter().filter_map(|s| Some((s.name.clone(), text(s)?))).collect(),
            limits: limits.collect(),
            loosened: BTreeMap::new(),
        };
        if let Some(before) = before {
            rules.loosened = rules.loosened_since(before);
        }
        rules
    }

    /// Limits that are looser than before, or were found so in one of the runs before.
    fn loosened_since(&self, before: &Self) -> BTreeMap<String, u8> {
        let told = |key: &String| before.loosened.get(key).copied().unwrap_or_default();
        self.limits
            .iter()
            .filter_map(|(key, now)| match before.limits.get(key) {
                Some(then) if now > then => Some((key.clone(), 1)),
                Some(then) if now < then => None,
                _ => (1..TOLD_RUNS).contains(&told(key)).then(|| (key.clone(), told(key) + 1)),
            })
            .collect()
    }

    /// Each change since the run before that waits for the operator's word, in a sentence.
    pub fn beyond(&self, before: &Self, brake: &Brake) -> Vec<String> {
        let mut said = Vec::new();
        let names = || self.allocations.keys().chain(before.allocations.keys());
        let of = |rules: &Self, name| {
            rules.allocations.get(name).map_or(Decimal::ZERO, |weight| weight.decimal())
        };
        let mut moved: Vec<(&StrategyName, Decimal, Decimal)> =
            names().map(|name| (name, of(before, name), of(self, name))).collect();
        moved.sort();
        moved.dedup();
        moved.retain(|(_, then, now)| then != now);
        let sum: Decimal = moved.iter().map(|(_, then, now)| (now - then).abs()).sum();
        if sum > brake.allocation_change_max {
            let each: Vec<String> = moved
                .iter()
                .map(|(name, then, now)| format!("{name} from {then} to {now}"))
                .collect();
            said.push(format!("allocations: {}", each.join(", ")));
        }
        for (name, text) in &self.texts {
            let is_other = before.texts.get(name).is_some_and(|then| then != text);
            match brake.strategy_text {
                TextRule::Confirm if is_other => said.push(format!("the text of {name}")),
                TextRule::Confirm | TextRule::Allow => {}
            }
        }
        for (key, now) in &self.limits {
            let Some(then) = before.limits.get(key) else { continue };
            if *now > then * brake.loosening_max {
                said.push(format!("{key} from {then} to {now}"));
            }
        }
        said
    }

    /// The name of a change: what an operator confirms is this one and no other.
    ///
    /// # Panics
    /// Never: rules are plain data that always serialises.
    pub fn change(&self, before: &Self) -> String {
        let bare = |rules: &Self| Self { loosened: BTreeMap::new(), ..rules.clone() };
        let both = serde_json::to_vec(&(bare(before), bare(self))).expect("rules serialise");
        sha256_hex(&both)[..16].to_owned()
    }
}

//! The policy: what the operator decided, validated.
//!
//! A store's `policy.toml` is laid over the compiled-in default, key by key; lists replace.
//! Unknown keys are refused, so that a misspelt limit is never silently the default.

mod limits;
mod secrecy;
mod telling;
mod timing;

use std::collections::BTreeSet;
use std::time::Duration;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::brake::Brake;
use crate::domain::hash::sha256_hex;
use crate::domain::market::QuoteRules;
use crate::domain::money::{Usd, Weight};
use crate::domain::policy::secrecy::{addresses_in, without, without_source};
use crate::domain::run::StrategyName;
use crate::domain::symbol::Symbol;

pub use crate::domain::policy::limits::Limits;
pub use crate::domain::policy::telling::{
    Channel, ClosedDays, MailPolicy, PushAddress, PushPolicy,
};
pub use crate::domain::policy::timing::Timing;

/// The default policy, as an operator may read it.
pub const DEFAULT_POLICY: &str = include_str!("../../policy.toml");

/// Everything an operator decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Version of this format.
    pub version: u32,
    /// Strategies with their allocations, in the order that breaks ties.
    #[serde(rename = "strategy")]
    pub strategies: Vec<Allocation>,
    /// What becomes of shares that no sleeve owns; `None` is undecided.
    pub adopt: Option<Adopt>,
    /// What happens when sleeves want both sides of a symbol.
    pub conflict: ConflictRule,
    /// How patient the first attempt is.
    pub urgency: Urgency,
    /// What is done about an order whose answer was lost.
    pub submit_mode: SubmitMode,
    /// Part of the equity that stays cash.
    pub reserve: Weight,
    /// Cash that stays in the account in any case.
    pub keep_cash: Usd,
    /// At most this much equity is managed.
    pub capital_limit: Option<Usd>,
    /// Below this equity nothing is traded.
    pub minimum_equity: Usd,
    /// Feed of the daily bars.
    pub bars_feed: String,
    /// Feed of the quotes.
    pub quotes_feed: String,
    /// The risk gate's limits.
    pub limits: Limits,
    /// Changes of settings that wait for a confirmation.
    pub brake: Brake,
    /// Times and waits.
    pub timing: Timing,
    /// The mail.
    pub mail: MailPolicy,
    /// What goes beside the mail when something is critical.
    #[serde(default)]
    pub push: PushPolicy,
}

/// One strategy in the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// Name of a built-in strategy or of a file `strategies/NAME` in the store, ending in
    /// `.clj`, `.edn` or `.json`.
    pub name: StrategyName,
    /// Fraction of the deployable capital.
    pub allocation: Weight,
}

/// Which foreign shares the strategies may take over, once per symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "true, false or a list of symbols was expected, such as [\"SPY\"]")]
pub enum Adopt {
    /// `true`: every symbol a strategy can name; `false`: none.
    All(bool),
    /// These symbols.
    These(BTreeSet<Symbol>),
}

/// What happens when due sleeves want both sides of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictRule {
    /// Shares pass between the sleeves; the rest is one order.
    Net,
    /// The less sure side waits.
    HighestConfidence,
}

/// How patient the first attempt of an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// Limits that walk across the spread.
    Normal,
    /// The marketable limit at once.
    High,
}

/// What is done about an order that nobody knows to have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubmitMode {
    /// It is looked up, and sent again under the same id, which the broker takes only once.
    SameIdRetry,
    /// It is looked up and never sent again: needs no uniqueness of the broker's, and leaves more
    /// orders unknown.
    AtMostOnce,
}

/// Why a policy is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML, an unknown key, a missing key or a value of another kind.
    #[error("policy not readable: {0}")]
    Unreadable(String),
    /// The allocations do not sum to 1.
    #[error("allocations sum to {sum}, not 1: {listed}")]
    AllocationSum {
        /// Their sum.
        sum: Decimal,
        /// Each of them.
        listed: String,
    },
    /// A strategy is listed twice.
    #[error("strategy listed twice: {0}")]
    Repeated(StrategyName),
    /// A value lies outside what makes sense.
    #[error("{key} out of range: {value} (allowed: {allowed})")]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
}

impl Policy {
    /// The compiled-in default.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn compiled_in() -> Self {
        Self::parse("").expect("the compiled-in policy is valid")
    }

    /// The default with `text` laid over it.
    ///
    /// # Errors
    /// [`PolicyError`] naming the key and what is allowed.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let unreadable = |said: String| PolicyError::Unreadable(said);
        let default = DEFAULT_POLICY.parse::<toml::Table>();
        let mut merged = default.map_err(|error| unreadable(error.to_string()))?;
        let over = text.parse::<toml::Table>();
        let over = over.map_err(|error| unreadable(without_source(&error.to_string(), text)))?;
        let hidden = addresses_in(&over);
        lay_over(&mut merged, over);
        let policy: Self = merged
            .try_into()
            .map_err(|error: toml::de::Error| unreadable(without(&error.to_string(), &hidden)))?;
        policy.validate()?;
        Ok(policy)
    }

    /// SHA-256 of the policy in its canonical form, hexadecimal.
    ///
    /// # Panics
    /// Never: a policy always serialises.
    pub fn hash(&self) -> String {
        sha256_hex(&serde_json::to_vec(self).expect("a policy serialises"))
    }

    /// What makes a quote usable under this policy.
    pub fn quote_rules(&self) -> QuoteRules {
        QuoteRules {
            age_max: Duration::from_secs(u64::from(self.limits.quote_age_max_seconds)),
            spread_max: self.limits.spread_max,
        }
    }

    fn validate(&self) -> Result<(), PolicyError> {
        if self.version != 1 {
            return Err(out_of_range("version", self.version, "1"));
        }
        let mut seen = BTreeSet::new();
        for Allocation { name, .. } in &self.strategies {
            if !seen.insert(name) {
                return Err(PolicyError::Repeated(name.clone()));
            }
        }
        let sum: Decimal = self.strategies.iter().map(|slot| slot.allocation.decimal()).sum();
        if sum != Decimal::ONE {
            let listed: Vec<String> = self
                .strategies
                .iter()
                .map(|slot| format!("{} {}", slot.name, slot.allocation))
                .collect();
            return Err(PolicyError::AllocationSum { sum, listed: listed.join(", ") });
        }
        for (key, amount) in [
            ("keep_cash", Some(self.keep_cash)),
            ("minimum_equity", Some(self.minimum_equity)),
            ("capital_limit", self.capital_limit),
        ] {
            if let Some(amount) = amount.filter(|amount| amount.is_negative()) {
                return Err(out_of_range(key, amount, "0 or more"));
            }
        }
        self.limits.validate()?;
        self.brake.validate()?;
        self.push.validate()?;
        self.timing.validate()
    }
}

impl Brake {
    fn validate(&self) -> Result<(), PolicyError> {
        let (change, factor) = (self.allocation_change_max, self.loosening_max);
        if !(Decimal::ZERO..=Decimal::TWO).contains(&change) {
            return Err(out_of_range("brake.allocation_change_max", change, "0 to 2"));
        }
        if !(Decimal::ONE..=Decimal::TEN).contains(&factor) {
            return Err(out_of_range("brake.loosening_max", factor, "1 to 10"));
        }
        Ok(())
    }
}

fn out_of_range(
    key: &'static str,
    value: impl std::fmt::Display,
    allowed: &'static str,
) -> PolicyError {
    PolicyError::OutOfRange { key, value: format!("{value}"), allowed }
}

fn lay_over(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_in_policy_is_the_documented_one() {
        let policy = Policy::compiled_in();
        let listed: Vec<String> =
            policy.strategies.iter().map(|s| format!("{} {}", s.name, s.allocation)).collect();
        assert_eq!(listed, ["nuclear 0.3", "tecl 0.5", "klm 0.2"]);
        assert_eq!(policy.adopt, None);
        assert_eq!(policy.hash().len(), 64);
    }

    #[test]
    fn a_store_policy_is_laid_over_key_by_key() {
        let policy = Policy::parse("adopt = [\"SPY\"]\n[limits]\norders_run_max = 7\n").unwrap();
        assert_eq!(policy.limits.orders_run_max, 7);
        assert_eq!(policy.limits.orders_day_max, Policy::compiled_in().limits.orders_day_max);
        assert!(matches!(policy.adopt, Some(Adopt::These(symbols)) if symbols.len() == 1));
        assert_eq!(Policy::parse("adopt = false").unwrap().adopt, Some(Adopt::All(false)));
    }

    #[test]
    fn allocations_must_sum_to_one_exactly() {
        let text = "[[strategy]]\nname = \"nuclear\"\nallocation = \"0.6\"\n\
                    [[strategy]]\nname = \"tecl\"\nallocation = \"0.06\"\n";
        let error = Policy::parse(text).unwrap_err();
        assert_eq!(error.to_string(), "allocations sum to 0.66, not 1: nuclear 0.6, tecl 0.06");
        let twice =
            text.replace("0.6\"", "0.5\"").replace("0.06", "0.5").replace("tecl", "nuclear");
        assert!(matches!(Policy::parse(&twice), Err(PolicyError::Repeated(_))));
    }

    #[test]
    fn an_unknown_key_and_a_broken_file_are_refused_with_their_place() {
        let error = Policy::parse("[limits]\nposition_mux = \"0.5\"\n").unwrap_err();
        assert!(error.to_string().contains("position_mux"), "{error}");
        assert!(matches!(Policy::parse("reserve = "), Err(PolicyError::Unreadable(_))));
        assert!(matches!(Policy::parse("reserve = \"2\""), Err(PolicyError::Unreadable(_))));
    }

    #[test]
    fn limits_that_would_switch_a_guard_off_are_refused() {
        for text in [
            "version = 2",
            "keep_cash = \"-1\"",
            "[limits]\ncollar = \"0\"",
            "[limits]\norders_run_max = 0",
            "[timing]\nattempt_seconds = 900",
            "[timing]\nopen_guard_seconds = 9000",
        ] {
            assert!(matches!(Policy::parse(text), Err(PolicyError::OutOfRange { .. })), "{text}");
        }
    }
}

//! The operator's policy.

use alchemiser::domain::policy::Policy;
use rust_decimal::Decimal;

/// What is understood has allocations that sum to one and a stable name.
pub(crate) fn enter(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(policy) = Policy::parse(text) else { return };
    let again = Policy::parse(text).expect("what was understood once is understood again");
    assert_eq!(policy.hash(), again.hash());
    let shares = policy.strategies.iter().map(|strategy| strategy.allocation.decimal());
    assert_eq!(shares.sum::<Decimal>(), Decimal::ONE, "{text}");
    assert!(policy.quote_rules().spread_max.is_sign_positive());
}

//! Failures of the world as incidents: who has to act, what it means, what to do.
//!
//! Where an error of a port, the gate or an order becomes words for the operator. What a decision
//! finds is worded in [`crate::domain::notices`].

use crate::application::control::Permission;
use crate::application::journal::JournalError;
use crate::application::ports::{BrokerError, CredentialsError, StoreError};
use crate::application::stop::JOURNAL_CORRUPT;
use crate::domain::code::Code;
use crate::domain::execution::OrderOutcome;
use crate::domain::incident::{Category, Incident};
use crate::domain::risk::{Demand, Refusal};

/// A failure of the broker while doing something, such as "reading the account".
pub fn broker(error: &BrokerError, doing: &str) -> Incident {
    let what = format!("{doing}: {error}");
    let critical = |code, what: String| Incident::new(Category::Critical, code, "broker", what);
    match error {
        BrokerError::Unauthorised(_) => critical(Code::BrokerUnauthorised, what)
            .meaning("The broker does not accept our keys; no order can be sent.")
            .action("Check the key pair in the secret: mode, account, and whether it was rotated."),
        BrokerError::Credentials(error) => credentials(error),
        BrokerError::Unavailable(_) | BrokerError::Ambiguous(_) => {
            critical(Code::BrokerUnreachable, what)
                .meaning("The broker gave no usable answer; nothing was traded because of it.")
                .action("Look at the broker's status page; the next resume or run tries again.")
        }
        BrokerError::RateLimited { .. } => critical(Code::BrokerRateLimited, what)
            .meaning("The broker refused more requests for now.")
            .action("Check that nothing else uses this account's keys; the next resume tries again."),
        BrokerError::Refused { .. } => critical(Code::BrokerRefused, what)
            .meaning("The broker refused a request that every run needs.")
            .action("Read the broker's words; if they name the account, ask the broker's support."),
        BrokerError::Malformed(_) => critical(Code::BrokerMalformed, what)
            .meaning("The broker's answer lacks what no answer may lack, so nothing was traded on it.")
            .action("Compare the answer with the broker's documents: it may have changed its interface."),
    }
}

/// True when the same request may succeed a few minutes later.
pub const fn is_passing(error: &BrokerError) -> bool {
    matches!(
        error,
        BrokerError::Unavailable(_)
            | BrokerError::Ambiguous(_)
            | BrokerError::RateLimited { .. }
            | BrokerError::Credentials(CredentialsError::Unavailable { .. })
    )
}

/// Keys that could not be had.
pub fn credentials(error: &CredentialsError) -> Incident {
    const WRITE: &str =
        "Write the secret as {\"key_id\": \"..\", \"secret_key\": \"..\"} and run again.";
    let (code, action) = match error {
        CredentialsError::Missing { .. } => (Code::SecretMissing, WRITE),
        CredentialsError::Malformed { .. } => (Code::SecretMalformed, WRITE),
        CredentialsError::Denied { .. } => {
            (Code::SecretDenied, "Give the function its right to read the secret, then run again.")
        }
        CredentialsError::Unavailable { .. } => (
            Code::SecretUnavailable,
            "Wait for the place that keeps it; the next resume tries again.",
        ),
    };
    Incident::new(Category::Configuration, code, "credentials", error.to_string())
        .meaning(
            "Without the key pair the broker cannot be asked for anything; nothing was traded.",
        )
        .action(action)
}

/// A failure of the journal.
pub fn journal(error: &JournalError) -> Incident {
    match error {
        JournalError::Store(StoreError::Denied { .. }) => {
            Incident::new(Category::Configuration, Code::StoreDenied, "journal", error.to_string())
                .meaning("Without its records a run cannot know what was already done, so it stops.")
                .action("Give the function its rights on the bucket and its key, then run again.")
        }
        JournalError::Store(StoreError::Unavailable { .. }) => {
            Incident::new(Category::Critical, Code::StoreUnavailable, "journal", error.to_string())
                .meaning("Without its records a run cannot know what was already done, so it stops.")
                .action("Wait for the store; the next resume or run goes on from its last record.")
        }
        JournalError::Corrupt { .. } => {
            Incident::new(Category::Critical, JOURNAL_CORRUPT, "journal", error.to_string())
                .meaning("A record cannot be trusted; nothing is traded on a guess.")
                .action("Restore the record from the bucket's versions, or run the version of the code that wrote it.")
        }
        JournalError::Newer { .. } => {
            Incident::new(Category::Critical, Code::RecordNewer, "journal", error.to_string())
                .meaning("Newer code wrote it; older code would lose what only the newer one keeps, so nothing is traded.")
                .action("Deploy the newer code again; it reads the records of older code too.")
        }
    }
}

/// An order that did not do all it should.
pub fn not_filled(outcome: &OrderOutcome, why: &str) -> Incident {
    let OrderOutcome { symbol, side, planned, .. } = outcome;
    let what = format!("{side} {symbol}: {} of {planned} shares: {why}", outcome.filled());
    Incident::new(Category::Trading, Code::OrderNotFilled, "dealing", what)
        .meaning("The sleeve lacks the difference until its next run.")
        .action("Nothing, unless it repeats.")
        .with("symbol", symbol)
}

/// An order whose end nobody saw.
pub fn unknown_order(outcome: &OrderOutcome) -> Incident {
    let OrderOutcome { symbol, side, .. } = outcome;
    let what = format!("the end of the {side} of {symbol} was not seen");
    let incident = Incident::new(Category::Critical, Code::OrderUnknown, "dealing", what)
        .meaning("The order may still be executed at the broker.")
        .action("Look it up at the broker by its id; the next run books what it finds.")
        .with("symbol", symbol);
    match outcome.attempts.last() {
        Some(attempt) => incident.with("id", &attempt.id),
        None => incident,
    }
}

/// An attempt that the gate refused.
pub fn gate(demand: &Demand, refusal: &Refusal) -> Incident {
    Incident::new(Category::Trading, Code::OrderStopped, "risk", refusal.to_string())
        .meaning("The risk gate stopped this order; the rest of the plan goes on.")
        .action("Read the limit in the report; change the policy only if the limit is wrong.")
        .with("symbol", &demand.symbol)
        .with("rule", refusal.rule)
}

/// Too many orders that the broker would not have.
pub fn many_rejections(count: u32) -> Incident {
    let what = format!("{count} orders were refused or rejected");
    Incident::new(Category::Critical, Code::ManyRejections, "dealing", what)
        .meaning("No more orders are sent.")
        .action("Read the refusals in the report before the next run.")
}

/// More sends and cancels than the plan can need.
pub fn many_writes(count: u32) -> Incident {
    let what = format!("{count} sends and cancels are more than this plan can need");
    Incident::new(Category::Critical, Code::ManyWrites, "dealing", what)
        .meaning("No more orders are sent; open ones of ours are cancelled.")
        .action("Look at the broker's status page and the report's attempts before the next run.")
}

/// Something that forbids every further order.
pub fn locked(code: Code, what: String) -> Incident {
    Incident::new(Category::Critical, code, "dealing", what)
        .meaning("No more orders are sent; open ones of ours are cancelled.")
        .action("Compare the account's orders at the broker with the report before the next run.")
}

/// What the operator's permission means when it is not given.
pub fn not_permitted(permission: &Permission) -> Option<Incident> {
    match permission {
        Permission::Given => None,
        Permission::Halted(halt) => Some(halted(halt.to_string())),
        Permission::Void(why) => Some(halted(why.clone())),
        Permission::Away(why) => Some(no_permission(why.clone())),
    }
}

/// No permission to trade.
pub fn halted(why: String) -> Incident {
    Incident::new(Category::Configuration, Code::Halted, "control", why)
        .meaning("No order is sent: trading needs positive permission.")
        .action("`alchemiser init` gives it the first time; after a halt, end the halt: `alchemiser unhalt`.")
}

/// The control object was away when orders were to be sent.
pub fn no_permission(why: String) -> Incident {
    Incident::new(Category::Critical, Code::ControlUnreadable, "control", why)
        .meaning("No order leaves while nobody can read whether trading is permitted.")
        .action("See to the store; the next resume trades what it still may.")
}

/// The plan was written by other code than ours.
pub fn other_code(theirs: &str, ours: &str) -> Incident {
    let what = format!("the plan was made by code {theirs}, this is {ours}");
    Incident::new(Category::Critical, Code::CodeChanged, "run", what)
        .meaning("Two versions met in one run: its open orders were settled, no more were sent.")
        .action("Let no deployment meet a run; the next run trades what is left over.")
}

/// The time for orders was over between the phases.
pub fn too_late() -> Incident {
    let what = "the time for orders was over before the buys";
    Incident::new(Category::Trading, Code::CutOff, "dealing", what)
        .meaning("The proceeds stay cash until the next run.")
        .action("Nothing, unless it repeats.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::ports::Refusal;

    fn why() -> String {
        "why".to_owned()
    }

    fn broker_errors() -> Vec<(BrokerError, &'static str, bool)> {
        let secret = CredentialsError::Missing { name: why() };
        let denied = CredentialsError::Denied { name: why(), reason: why() };
        let away = CredentialsError::Unavailable { name: why(), reason: why() };
        vec![
            (BrokerError::Unauthorised(why()), "broker-unauthorised", false),
            (BrokerError::Credentials(secret), "secret-missing", false),
            (BrokerError::Credentials(denied), "secret-denied", false),
            (BrokerError::Credentials(away), "secret-unavailable", true),
            (BrokerError::Unavailable(why()), "broker-unreachable", true),
            (BrokerError::Ambiguous(why()), "broker-unreachable", true),
            (BrokerError::RateLimited { retry_at: None }, "broker-rate-limited", true),
            (
                BrokerError::Refused { reason: Refusal::Other, message: why() },
                "broker-refused",
                false,
            ),
            (BrokerError::Malformed(why()), "broker-malformed", false),
        ]
    }

    #[test]
    fn every_failure_says_what_it_means_and_the_one_thing_to_do() {
        let mut all: Vec<Incident> =
            broker_errors().iter().map(|(error, ..)| broker(error, "reading")).collect();
        let denied = StoreError::Denied { key: why(), reason: why() };
        let unavailable = StoreError::Unavailable { key: why(), reason: why() };
        all.push(journal(&JournalError::Store(denied)));
        all.push(journal(&JournalError::Store(unavailable)));
        all.push(journal(&JournalError::Corrupt { key: why(), reason: why() }));
        all.push(journal(&JournalError::Newer { key: why(), version: 9 }));
        all.push(credentials(&CredentialsError::Malformed { name: why(), field: why() }));
        all.push(credentials(&CredentialsError::Unavailable { name: why(), reason: why() }));
        all.push(many_rejections(3));
        all.push(locked(Code::AccountBlocked, why()));
        all.push(halted(why()));
        all.push(too_late());
        all.push(no_permission(why()));
        all.push(other_code("1", "2"));
        for incident in all {
            assert!(!incident.meaning.is_empty() && !incident.action.is_empty(), "{incident:?}");
            assert!(incident.category <= Category::Trading, "{incident:?}");
        }
    }

    #[test]
    fn only_what_may_be_over_in_minutes_is_passing() {
        for (error, code, passing) in broker_errors() {
            assert_eq!(
                (broker(&error, "reading").code.as_str(), is_passing(&error)),
                (code, passing)
            );
        }
    }

    #[test]
    fn a_secret_that_is_missing_is_the_operators_to_mend() {
        let incident = broker(
            &BrokerError::Credentials(CredentialsError::Missing { name: why() }),
            "reading the account",
        );
        assert_eq!(incident.category, Category::Configuration);
    }
}

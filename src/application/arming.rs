//! Reading the arming record: real money moves only under one, and every doubt means no.
//!
//! Asked twice on purpose: before the broker is, for an unarmed program has nothing to ask it, and
//! again with the broker's account whenever an invocation is about to act.

use jiff::Timestamp;

use crate::application::ports::{Store, StoreError};
use crate::application::run::{CLOSING, House, Start, back};
use crate::application::stop::Stop;
use crate::application::trouble;
use crate::domain::account::Account;
use crate::domain::arming::{Arming, part_of_capital};
use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::plan::RebalancePlan;
use crate::domain::policy::Policy;
use crate::domain::report::{LimitUse, RunReport, Verdict};
use crate::domain::run::{AccountName, Mode, RunKey};
use crate::domain::snapshot::Snapshot;

/// Where an account's arming record lies.
pub fn arm_key(mode: Mode, account: &AccountName) -> String {
    format!("control/{mode}/{account}/arm.json")
}

/// Why no arming record is at hand.
#[derive(Debug, thiserror::Error)]
pub enum Unarmed {
    /// There is none.
    #[error("no arming record at {0}")]
    Missing(String),
    /// It is no arming record.
    #[error("arming record {key} not understood: {error}")]
    Malformed {
        /// Its key.
        key: String,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// The store gives no answer.
    #[error("arming record not readable: {0}")]
    Store(#[from] StoreError),
}

/// Reads an account's arming record.
///
/// # Errors
/// [`Unarmed`] when there is none that could be read.
pub async fn arming(
    store: &dyn Store,
    mode: Mode,
    account: &AccountName,
) -> Result<Arming, Unarmed> {
    let key = arm_key(mode, account);
    let record = store.get(&key).await?.ok_or_else(|| Unarmed::Missing(key.clone()))?;
    serde_json::from_slice(&record.bytes).map_err(|error| Unarmed::Malformed { key, error })
}

/// The record that permits this program to use real money; paper needs none.
///
/// # Errors
/// A [`Stop`] that says why not; only a store that is away may answer later.
pub(super) async fn armed(house: &House<'_>, key: &RunKey) -> Result<Option<Arming>, Stop> {
    match key.mode {
        Mode::Paper => return Ok(None),
        Mode::Live => {}
    }
    let arming = arming(house.store, key.mode, &key.account).await.map_err(|error| {
        let passing = matches!(error, Unarmed::Store(StoreError::Unavailable { .. }));
        not_armed(&error, passing)
    })?;
    let permitted = arming.permits(house.code, house.desk.clock.now());
    permitted.map(|()| Some(arming)).map_err(|error| not_armed(&error, false))
}

/// The same for the account that the broker shows.
///
/// # Errors
/// A [`Stop`] that says why not.
pub(super) async fn armed_for(
    house: &House<'_>,
    key: &RunKey,
    account: &Account,
) -> Result<Option<Arming>, Stop> {
    let arming = armed(house, key).await?;
    if let Some(arming) = &arming {
        arming.is_for(account).map_err(|error| not_armed(&error, false))?;
    }
    Ok(arming)
}

fn not_armed(why: &dyn std::fmt::Display, passing: bool) -> Stop {
    let incident = Incident::new(
        Category::Configuration,
        Code::NotArmed,
        "arming",
        format!("mode live is refused: {why}"),
    )
    .meaning("No order is sent: real money needs an arming record for this account and program.")
    .action("Use mode paper, or arm with `alchemiser arm --mode live`.");
    Stop::incident(Verdict::Blocked, incident, passing)
}

/// The policy with the capital that the ramp permits, and how far it is used.
pub(super) fn ramped(
    arming: &Arming,
    snapshot: &Snapshot,
    policy: &Policy,
    sessions: usize,
) -> Option<(Policy, LimitUse)> {
    let part = arming.part_after(sessions)?;
    let most = part_of_capital(part, snapshot);
    let limit = policy.capital_limit.map_or(most, |own| own.min(most));
    let line = LimitUse {
        limit: "arm.ramp".to_owned(),
        what: format!("capital in session {} with real money", sessions + 1),
        used: limit.to_string(),
        allowed: most.to_string(),
        within: true,
    };
    Some((Policy { capital_limit: Some(limit), ..policy.clone() }, line))
}

/// Sessions that an account ended with real money before this run's.
pub(super) fn sessions_before(report: &RunReport) -> usize {
    let earlier = report.equity_curve.iter().filter(|point| point.session < report.key.session);
    earlier.count()
}

/// Until when this invocation may send orders of a plan.
///
/// # Errors
/// What keeps it from sending any, if that is not its own doing.
pub(super) async fn sends_until(
    house: &House<'_>,
    (plan, code): (&RebalancePlan, &str),
    start: &Start,
    report: &RunReport,
) -> Result<Timestamp, Option<Box<Incident>>> {
    match start {
        Start::Settle => return Err(None),
        // What this code would send of the other's plan, nobody has tested together.
        Start::GoOn if code != house.code && !is_planted(Mutant::AnyVersion) => {
            return Err(Some(Box::new(trouble::other_code(code, house.code))));
        }
        Start::GoOn | Start::Fresh(_) => {}
    }
    let armed_until = match report.key.mode {
        Mode::Paper => Timestamp::MAX,
        Mode::Live => {
            let account = house.desk.broker.account().await.map_err(|error| {
                Some(Box::new(trouble::broker(&error, "reading the account to be traded")))
            })?;
            let armed = armed_for(house, &report.key, &account).await;
            let arming = armed.map_err(|stop| stop.incident)?;
            arming.map_or(Timestamp::MIN, |arming| arming.expires)
        }
    };
    let cutoff = plan.session.orders_end(&house.desk.policy.timing);
    let forced_until = report.force.as_ref().map_or(Timestamp::MAX, |force| force.not_after);
    let always = |mutant| is_planted(mutant).then_some(Timestamp::MAX);
    let good_until = always(Mutant::PlanNeverOld).unwrap_or(plan.valid_until);
    let closing = always(Mutant::DeadlineIgnored).unwrap_or(back(house.deadline, CLOSING));
    Ok(good_until.min(cutoff).min(closing).min(forced_until).min(armed_until))
}

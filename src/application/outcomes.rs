//! The records of acting: how each phase ended.

use tokio::try_join;

use crate::application::execute::{Floor, Sent};
use crate::application::journal::JournalError;
use crate::domain::execution::OrderOutcome;
use crate::domain::plan::BuyPlan;

/// What an earlier invocation kept of acting: whether the sells had ended, and the buy plan.
///
/// # Errors
/// [`JournalError`] when the store fails or a record cannot be trusted.
pub(super) async fn kept_before(
    floor: &Floor<'_>,
) -> Result<(bool, Option<BuyPlan>), JournalError> {
    if floor.sent == Sent::Nothing {
        return Ok((false, None)); // nothing was sent of the plan that this invocation just kept
    }
    let (sells, buy_plan) = try_join!(
        floor.journal.read::<Vec<OrderOutcome>>("sells.json"),
        floor.journal.read::<BuyPlan>("buyplan.json")
    )?;
    // Before a buy plan the sells had ended, whether or not that could still be recorded.
    Ok((sells.is_some() || buy_plan.is_some(), buy_plan.map(|kept| kept.body)))
}

/// Keeps the outcomes of the sells.
///
/// # Errors
/// [`JournalError`] when the store fails or the record cannot be trusted.
pub(super) async fn keep_sells(
    floor: &Floor<'_>,
    sells: &Vec<OrderOutcome>,
) -> Result<(), JournalError> {
    floor.journal.keep("sells.json", Some(floor.plan_hash), sells).await.map(|_| ())
}

/// Keeps the outcomes of the buys, if it came to a buy plan.
///
/// # Errors
/// [`JournalError`] when the store fails or the record cannot be trusted.
pub(super) async fn keep_buys(
    floor: &Floor<'_>,
    buys: Option<Vec<OrderOutcome>>,
) -> Result<(), JournalError> {
    let Some(buys) = buys else { return Ok(()) };
    floor.journal.keep("buys.json", Some(floor.plan_hash), &buys).await.map(|_| ())
}

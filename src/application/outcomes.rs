//! The records of acting: how each phase ended.

use tokio::try_join;

use crate::application::floor::{Floor, Sent};
use crate::application::journal::{JournalError, Kept};
use crate::domain::execution::OrderOutcome;
use crate::domain::plan::BuyPlan;

/// What an earlier invocation kept of acting: whether the sells had ended, and the buy plan.
///
/// # Errors
/// [`JournalError`] when the store fails or a record cannot be trusted.
pub(super) async fn kept_before(
    floor: &Floor<'_>,
) -> Result<(bool, Option<Kept<BuyPlan>>), JournalError> {
    if floor.sent == Sent::Nothing {
        return Ok((false, None)); // nothing was sent of the plan that this invocation just kept
    }
    let (sells, buy_plan) = try_join!(
        floor.journal.read_after::<Vec<OrderOutcome>>(floor.plan_hash, "sells.json"),
        floor.journal.read_after::<BuyPlan>(floor.plan_hash, "buyplan.json")
    )?;
    // Before a buy plan the sells had ended, whether or not that could still be recorded.
    Ok((sells.is_some() || buy_plan.is_some(), buy_plan))
}

/// Keeps the outcomes of the sells.
///
/// # Errors
/// [`JournalError`] when the store fails or the record cannot be trusted.
pub(super) async fn keep_sells(
    floor: &Floor<'_>,
    sells: &Vec<OrderOutcome>,
) -> Result<(), JournalError> {
    floor.journal.keep_after(floor.plan_hash, "sells.json", sells).await.map(|_| ())
}

/// Keeps the outcomes of the buys, if it came to a buy plan; that record's hash comes with them.
///
/// # Errors
/// [`JournalError`] when the store fails or the record cannot be trusted.
pub(super) async fn keep_buys(
    floor: &Floor<'_>,
    bought: Option<(String, Vec<OrderOutcome>)>,
) -> Result<(), JournalError> {
    let Some((buy_plan_hash, buys)) = bought else { return Ok(()) };
    floor.journal.keep_after(&buy_plan_hash, "buys.json", &buys).await.map(|_| ())
}

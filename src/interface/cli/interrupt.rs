//! A run from the command line that a person may interrupt.

use tokio::signal;

use crate::application::journal::Journal;
use crate::application::run::{Ended, House, run};
use crate::domain::run::{RunAction, RunRequest};
use crate::interface::cli::Trouble;

/// Runs until the end or an interrupt. The lease is given back then, so that the next call ends
/// the run at once instead of waiting for the lease to run out.
pub(super) async fn run_or_leave(
    request: &RunRequest,
    house: &House<'_>,
) -> Result<Ended, Trouble> {
    tokio::select! {
        ended = Box::pin(run(request, house)) => Ok(ended),
        _ = signal::ctrl_c() => Err(leave(request, house).await),
    }
}

async fn leave(request: &RunRequest, house: &House<'_>) -> Trouble {
    if request.action == RunAction::Preview {
        return Trouble::setting("interrupted; a preview leaves nothing behind", "ask again");
    }
    let key = house.key_of(request).await;
    let next = "the same command ends it from its records";
    let names = (house.writer, house.code);
    match Journal::new(house.store, house.desk.clock, key.clone(), names).abandon().await {
        Ok(()) => Trouble::setting(format!("interrupted; run {key} is left open"), next),
        Err(error) => {
            let what = format!("interrupted; run {key} is left open for some minutes: {error}");
            Trouble::setting(what, next)
        }
    }
}

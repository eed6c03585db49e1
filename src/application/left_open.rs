//! Runs that an earlier invocation left without an end: settled before the next run decides, so
//! that the ledger it starts from knows their fills. Nothing of their plans is sent any more.

use crate::application::chronicle::{blank, take_history};
use crate::application::ending::{Held, Keeping, finish};
use crate::application::journal::history::{History, look_back};
use crate::application::journal::{Claim, Journal, Opening};
use crate::application::run::{Ended, House, Start, act};
use crate::application::stop::Stop;
use crate::domain::run::{RunAction, RunKey, RunRequest};

/// Ends the runs that an earlier invocation left without a final record, by the broker's truth.
pub(super) async fn conclude_left_open(
    history: History,
    house: &House<'_>,
    key: &RunKey,
) -> Result<History, Stop> {
    if history.unfinished.is_empty() {
        return Ok(history);
    }
    for left in &history.unfinished {
        let journal = house.journal(left.clone());
        let Some(open) = journal.read::<RunRequest>("open.json").await? else { continue };
        let epoch = match journal.claim(&open.body, Opening::Forbidden, house.lease(), None).await?
        {
            Claim::Ours { epoch, .. } => epoch,
            Claim::Finished(_) | Claim::NeverOpened => continue,
            Claim::InProgress => return Err(Stop::overlap(left)),
        };
        let concluded = conclude(&journal, house).await;
        let _ = journal.release(epoch).await; // a lease not given back runs out by itself
        concluded?;
    }
    Ok(look_back(house.store, key, None).await?)
}

/// Settles one run that was left open, and ends it.
async fn conclude(journal: &Journal<'_>, house: &House<'_>) -> Result<(), Stop> {
    let now = house.desk.clock.now();
    let key = journal.key().clone();
    let mut report = blank(key, RunAction::Resume, now, (house.code, house.desk.policy));
    take_history(&mut report, &look_back(house.store, journal.key(), None).await?);
    if let Some(record) = journal.plan().await? {
        act(house, journal, record, Start::Settle, &mut report).await?;
    }
    match finish(report, house, Keeping::Final(Held { journal, epoch: None })).await {
        Ended::Reported { kept: Err(error), .. } => Err(error.into()),
        Ended::Reported { .. }
        | Ended::Repeated { .. }
        | Ended::InProgress(_)
        | Ended::NothingOpen(_) => Ok(()),
    }
}

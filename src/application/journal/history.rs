//! What earlier runs of an account left behind: the last final record, and runs left open.

use jiff::ToSpan;
use jiff::civil::Date;
use tokio::join;

use crate::application::instructions::instructions;
use crate::application::journal::listing::{Listing, month as names_begin};
use crate::application::journal::{JournalError, Kept, decode};
use crate::application::ports::Store;
use crate::domain::report::{RunReport, Verdict};
use crate::domain::run::{AccountName, Mode, RunKey, Slot};
use crate::domain::sleeve::instruct::Instruction;

/// Months looked back for the last final record; a longer pause counts as a lost ledger.
pub(super) const MONTHS_MAX: i32 = 18;

/// What the store knows of an account before a run.
#[derive(Debug, Default)]
pub struct History {
    /// The last finished run of any kind.
    pub newest: Option<Kept<RunReport>>,
    /// The last finished run of a day on which the exchange was open.
    pub told: Option<Kept<RunReport>>,
    /// The last finished run that has a ledger.
    pub last: Option<Kept<RunReport>>,
    /// Finished runs of the same session, earlier generations first.
    pub today: Vec<Kept<RunReport>>,
    /// Runs with a plan and no final record, oldest first.
    pub unfinished: Vec<RunKey>,
    /// Whether any other run of the account ever had a plan.
    pub planned: bool,
    /// The operator's instructions about sleeves, oldest first.
    pub instructions: Vec<Instruction>,
}

/// Looks back from a run, which itself is left out; the names of its month may be known already.
///
/// # Errors
/// [`JournalError`] when the store fails or a final record cannot be trusted.
pub async fn look_back(
    store: &dyn Store,
    key: &RunKey,
    listing: Option<&Listing>,
) -> Result<History, JournalError> {
    let whose = (key.mode, &key.account);
    let (runs, instructions) = join!(runs_before(store, key, listing), instructions(store, whose));
    Ok(History { instructions: instructions?, ..runs? })
}

/// The history without what the operator says.
async fn runs_before(
    store: &dyn Store,
    key: &RunKey,
    mut listing: Option<&Listing>,
) -> Result<History, JournalError> {
    let mut history = History::default();
    let mut month = key.session.first_of_month();
    for _ in 0..MONTHS_MAX {
        let names = match listing.take() {
            Some(listing) => listing.names().to_vec(),
            None => store.list(&names_begin(key.mode, &key.account, month)).await?,
        };
        for found in runs_in(&names, key.mode, &key.account).into_iter().rev() {
            if found.key == *key {
                continue;
            }
            history.planned |= found.has_plan;
            if is_later(&found.key, key) {
                continue;
            }
            // All runs of a session are looked at: names of slots do not say which came last.
            if history.last.as_ref().is_some_and(|last| last.body.key.session != found.key.session)
            {
                return Ok(history);
            }
            if !found.is_final {
                if found.has_plan {
                    history.unfinished.insert(0, found.key);
                }
                continue;
            }
            let Some(report) = final_of(store, &found.key).await? else { continue };
            if history.newest.is_none() {
                history.newest = Some(report.clone());
            }
            if history.told.is_none() && report.body.verdict != Verdict::Closed {
                history.told = Some(report.clone());
            }
            if found.key.session == key.session {
                history.today.insert(0, report.clone());
            }
            let is_newer = history
                .last
                .as_ref()
                .is_none_or(|last| last.body.finished_at < report.body.finished_at);
            if report.body.ledger.is_some() && is_newer {
                history.last = Some(report);
            }
        }
        if history.last.is_some() {
            return Ok(history);
        }
        month = month.saturating_sub(1.month());
    }
    Ok(history)
}

/// The last final record of an account before a run, whatever its slot, verdict and ledger.
///
/// # Errors
/// [`JournalError`] when the store fails or that record cannot be trusted.
pub async fn last_final(
    store: &dyn Store,
    key: &RunKey,
) -> Result<Option<Kept<RunReport>>, JournalError> {
    let mut month = key.session.first_of_month();
    for _ in 0..MONTHS_MAX {
        let prefix = format!("runs/{}/{}/{}", key.mode, key.account, month.strftime("%Y-%m"));
        let names = store.list(&prefix).await?;
        let runs = runs_in(&names, key.mode, &key.account);
        let last = runs
            .into_iter()
            .rev()
            .find(|run| run.is_final && run.key != *key && !is_later(&run.key, key));
        if let Some(last) = last {
            return final_of(store, &last.key).await;
        }
        month = month.saturating_sub(1.month());
    }
    Ok(None)
}

/// The reports of an account's runs before one, the newest session first; so many at most.
///
/// # Errors
/// [`JournalError`] when the store fails or a record cannot be trusted.
pub async fn finals_before(
    store: &dyn Store,
    key: &RunKey,
    most: usize,
) -> Result<Vec<RunReport>, JournalError> {
    let mut finals = Vec::new();
    let mut month = key.session.first_of_month();
    for _ in 0..MONTHS_MAX {
        let names = store.list(&names_begin(key.mode, &key.account, month)).await?;
        let runs = runs_in(&names, key.mode, &key.account);
        for run in runs.iter().rev().filter(|run| run.is_final && !is_later(&run.key, key)) {
            if finals.len() >= most {
                return Ok(finals);
            }
            let name = format!("runs/{}/final.json", run.key);
            let Some(record) = store.get(&name).await? else { continue };
            finals.push(decode::<RunReport>(&name, &record)?.2.body);
        }
        month = month.saturating_sub(1.month());
    }
    Ok(finals)
}

/// The runs of an account with a final record in a stretch of days, oldest first; so many at most.
///
/// # Errors
/// [`JournalError`] when the store fails.
pub async fn finals_between(
    store: &dyn Store,
    (mode, account): (Mode, &AccountName),
    (first, last): (Date, Date),
    most: usize,
) -> Result<Vec<RunKey>, JournalError> {
    let mut keys = Vec::new();
    let mut month = first.first_of_month();
    while month <= last && keys.len() < most {
        let names = store.list(&names_begin(mode, account, month)).await?;
        let runs = runs_in(&names, mode, account).into_iter();
        let is_inside = |run: &Found| (first..=last).contains(&run.key.session);
        keys.extend(runs.filter(|run| run.is_final && is_inside(run)).map(|run| run.key));
        month = month.saturating_add(1.month());
    }
    keys.truncate(most);
    Ok(keys)
}

pub(crate) async fn final_of(
    store: &dyn Store,
    key: &RunKey,
) -> Result<Option<Kept<RunReport>>, JournalError> {
    let name = format!("runs/{key}/final.json");
    let Some(record) = store.get(&name).await? else { return Ok(None) };
    let (run, _, report) = decode::<RunReport>(&name, &record)?;
    if run != key.to_string() || report.body.key != *key {
        return Err(JournalError::corrupt(&name, format!("belongs to run {run}")));
    }
    Ok(Some(report))
}

/// A later session, or a later generation of the same run. Another slot of the same day is not
/// later: whatever it planned already came before.
fn is_later(found: &RunKey, key: &RunKey) -> bool {
    found.session > key.session
        || (found.session == key.session
            && found.slot == key.slot
            && found.generation > key.generation)
}

pub(super) struct Found {
    pub(super) key: RunKey,
    pub(super) has_plan: bool,
    pub(super) is_final: bool,
}

/// The runs that a sorted list of record names belongs to, in order.
pub(super) fn runs_in(names: &[String], mode: Mode, account: &AccountName) -> Vec<Found> {
    let mut runs: Vec<Found> = Vec::new();
    for name in names {
        let mut parts = name.splitn(7, '/').skip(3);
        let (Some(session), Some(slot), Some(generation), Some(record)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let (Ok(session), Ok(slot), Some(Ok(generation))) = (
            session.parse::<Date>(),
            Slot::parse(slot),
            generation.strip_prefix('g').map(str::parse),
        ) else {
            continue;
        };
        let key = RunKey { mode, account: account.clone(), session, slot, generation };
        if runs.last().is_none_or(|run| run.key != key) {
            runs.push(Found { key, has_plan: false, is_final: false });
        }
        if let Some(run) = runs.last_mut() {
            run.has_plan |= record == "plan.json";
            run.is_final |= record == "final.json";
        }
    }
    runs.sort_by(|a, b| a.key.cmp(&b.key));
    runs
}

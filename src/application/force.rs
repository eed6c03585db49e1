//! A forced repetition: whether one more generation of a session's run may be opened.
//!
//! It skips nothing: clock, control object, arming, limits and freshness bind it as they bind the
//! scheduled run, and the day's caps count what every generation used up. There is no claim of its
//! own. The run key names the generation, and `open.json` below it is written once, so any number
//! of deliveries open one run; a second record beside it would say the same again, and could one
//! day disagree.

use crate::application::arming::armed;
use crate::application::control::{Permission, permission};
use crate::application::journal::traces::newest_generation;
use crate::application::journal::{Journal, JournalError};
use crate::application::ports::Store;
use crate::application::run::House;
use crate::application::stop::Stop;
use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::Order;
use crate::domain::report::{RunReport, Verdict};
use crate::domain::run::{Force, GENERATION_MAX, RunKey, RunRequest};

/// Longest reason: it is shown in every letter about the run.
const REASON_MAX: usize = 300;

/// Why there is no next generation.
#[derive(Debug, thiserror::Error)]
pub enum NoRepeat {
    /// The scheduled run comes first.
    #[error("run {0} never began: there is nothing to repeat")]
    NeverBegan(RunKey),
    /// Its end comes first.
    #[error("run {0} has no end yet")]
    Unfinished(RunKey),
    /// The session had all it may have.
    #[error("run {0} was the last of its session: {GENERATION_MAX} repetitions are the most")]
    Last(RunKey),
    /// The records give no answer.
    #[error(transparent)]
    Records(#[from] JournalError),
}

/// The generation that a repetition of a session's run would have, by its records.
///
/// # Errors
/// [`NoRepeat`] when there can be none.
pub async fn next_generation(store: &dyn Store, key: &RunKey) -> Result<u8, NoRepeat> {
    match newest_generation(store, key).await? {
        None => Err(NoRepeat::NeverBegan(key.clone())),
        Some((newest, names)) if !names.iter().any(|name| name == "final.json") => {
            Err(NoRepeat::Unfinished(newest))
        }
        Some((newest, _)) if newest.generation >= GENERATION_MAX => Err(NoRepeat::Last(newest)),
        Some((newest, _)) => Ok(newest.generation + 1),
    }
}

/// Whether a forced run may be opened; one that is open already may go on.
///
/// # Errors
/// A [`Stop`] that says in words what is missing.
pub(super) async fn acceptable(
    request: &RunRequest,
    house: &House<'_>,
    journal: &Journal<'_>,
) -> Result<(), Stop> {
    let Some(force) = &request.force else { return Ok(()) };
    if is_planted(Mutant::ForceAnyway) || is_open(journal).await? {
        return Ok(()); // delivered again: the records say what is left to do
    }
    match accepted(force, house, journal).await {
        Err(_) if is_open(journal).await? => Ok(()), // by another delivery, meanwhile
        accepted => accepted,
    }
}

/// A permission that has run out plans nothing any more, whenever its run was opened.
pub(super) fn still_good(force: Option<&Force>, house: &House<'_>) -> Result<(), Stop> {
    let now = house.desk.clock.now();
    match force {
        Some(force) if now >= force.not_after => {
            let what =
                format!("the permission to repeat ended at {}, it is {now}", force.not_after);
            Err(refused(what, "Force again with a later `not_after`."))
        }
        Some(_) | None => Ok(()),
    }
}

async fn is_open(journal: &Journal<'_>) -> Result<bool, Stop> {
    Ok(journal.read::<RunRequest>("open.json").await?.is_some())
}

async fn accepted(force: &Force, house: &House<'_>, journal: &Journal<'_>) -> Result<(), Stop> {
    still_good(Some(force), house)?;
    let Force { generation, reason, .. } = force;
    if reason.trim().is_empty() || reason.chars().count() > REASON_MAX {
        let what = format!("a repetition needs a reason of 1 to {REASON_MAX} characters");
        return Err(refused(what, "Say why in `reason`."));
    }
    if !(1..=GENERATION_MAX).contains(generation) {
        let what = format!("generation {generation} is none of 1 to {GENERATION_MAX}");
        return Err(refused(what, "Name the last finished generation plus one."));
    }
    ended(&RunKey { generation: generation - 1, ..journal.key().clone() }, house).await?;
    armed(house, journal.key()).await?;
    match permission(house.store, journal.key(), house.desk.clock.now()).await {
        Permission::Given => {}
        Permission::Halted(halt) => return Err(refused(halt.to_string(), "End the halt first.")),
        Permission::Away(why) | Permission::Void(why) => {
            return Err(refused(why, "See to the control object, then force again."));
        }
    }
    let open = house.desk.broker.open_orders().await;
    let open = open.map_err(|error| Stop::broker(&error, "reading open orders"))?;
    let ours: Vec<&str> =
        open.iter().filter(|o| Order::is_ours(o)).map(|o| o.client_id.as_str()).collect();
    if ours.is_empty() {
        return Ok(());
    }
    let what = format!("orders of ours are still open: {}", ours.join(", "));
    Err(refused(what, "Let them end, or run `alchemiser cancel-all`; then force again."))
}

/// The generation before has to have ended.
async fn ended(before: &RunKey, house: &House<'_>) -> Result<(), Stop> {
    let journal = house.journal(before.clone());
    if journal.read::<RunReport>("final.json").await?.is_some() {
        return Ok(());
    }
    let (what, action) = if is_open(&journal).await? {
        (format!("run {before} has no end yet"), "Let a resume finish it, then force.")
    } else {
        (format!("run {before} never began"), "Send the event without `force`.")
    };
    Err(refused(what, action))
}

fn refused(what: String, action: &str) -> Stop {
    let incident = Incident::new(Category::Configuration, Code::ForceRefused, "run", what)
        .meaning("The run was not repeated; nothing was traded.")
        .action(action);
    Stop::incident(Verdict::Blocked, incident, false)
}

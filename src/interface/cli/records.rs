//! What concerns the store alone: preparing it, and asking it.

use serde_json::json;

use crate::application::control::{Control, Permission, control_key, permission};
use crate::application::journal::history::look_back;
use crate::application::ports::{Clock, Put, Store};
use crate::domain::policy::DEFAULT_POLICY;
use crate::domain::run::{RunKey, Slot};
use crate::domain::session::exchange_date;
use crate::infrastructure::clock::MachineClock;
use crate::infrastructure::local::store::FolderStore;
use crate::interface::cli::{Place, Trouble, say};
use crate::interface::wiring::policy_key;

/// Gives permission to trade and lays down a policy to edit; what is there already stays.
pub(super) async fn init(place: &Place) -> Result<u8, Trouble> {
    let store = FolderStore::new(&place.store);
    let key = run_key(place)?;
    permit(&store, &key).await?;
    let policy = policy_key(place.mode, &place.account);
    let unwritable = |error| Trouble::setting(error, "check the folder's rights");
    let commented: String = DEFAULT_POLICY
        .lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("# {line}\n") })
        .collect();
    match store.put_once(&policy, commented.as_bytes()).await.map_err(unwritable)? {
        Put::Stored { .. } => {
            say(&format!("wrote {policy}: every line is a default, commented out"));
        }
        Put::Exists(_) => say(&format!("kept {policy} as it is")),
    }
    match permission(&store, &key).await {
        Ok(()) => say(&format!("{}/{} may trade", key.mode, key.account)),
        Err(why) => say(&format!("{}/{} may not trade: {why}", key.mode, key.account)),
    }
    Ok(0)
}

/// Writes the control object if there is none.
pub(super) async fn permit(store: &dyn Store, key: &RunKey) -> Result<(), Trouble> {
    let control = Control { state: Permission::Run, reason: "prepared by init".to_owned() };
    let bytes = serde_json::to_vec(&control).unwrap_or_default();
    let written = store.put_once(&control_key(key), &bytes).await;
    written.map(|_| ()).map_err(|error| Trouble::setting(error, "check the folder's rights"))
}

/// Permission, last run, runs left open.
pub(super) async fn status(place: &Place, as_json: bool) -> Result<u8, Trouble> {
    let store = FolderStore::new(&place.store);
    let mut key = run_key(place)?;
    key.generation = u8::MAX; // looks back over every run up to and including today's
    let unreadable = |error: &dyn std::fmt::Display| {
        Trouble::setting(error, "a record cannot be read: restore it from a copy")
    };
    let permitted = permission(&store, &key).await;
    let history = look_back(&store, &key).await.map_err(|error| unreadable(&error))?;
    let last = history.last.as_ref().map(|kept| &kept.body);
    if as_json {
        say(&json!({
            "account": place.account,
            "mode": place.mode,
            "may_trade": permitted.is_ok(),
            "why_not": permitted.err(),
            "last_run": last.map(|report| report.key.to_string()),
            "verdict": last.map(|report| report.verdict),
            "summary": last.map(|report| report.summary.clone()),
            "equity": last.and_then(|report| report.equity_curve.last()).map(|point| point.equity),
            "left_open": history.unfinished.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
        .to_string());
        return Ok(0);
    }
    match permitted {
        Ok(()) => say(&format!("{}/{} may trade", place.mode, place.account)),
        Err(why) => say(&format!("{}/{} may not trade: {why}", place.mode, place.account)),
    }
    match last {
        None => say("no finished run yet"),
        Some(report) => {
            say(&format!("last run {}: {}, {}", report.key, report.verdict.word(), report.summary));
            if let Some(point) = report.equity_curve.last() {
                say(&format!(
                    "equity {} after session {}",
                    point.equity.round_cents(),
                    point.session
                ));
            }
        }
    }
    for left in &history.unfinished {
        say(&format!("left open: {left}; the next run ends it first"));
    }
    Ok(0)
}

fn run_key(place: &Place) -> Result<RunKey, Trouble> {
    let slot = Slot::parse("open").map_err(|error| Trouble::setting(error, "report this"))?;
    Ok(RunKey {
        mode: place.mode,
        account: place.account.clone(),
        session: exchange_date(MachineClock.now()),
        slot,
        generation: 0,
    })
}

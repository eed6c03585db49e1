//! What concerns the store alone: preparing it, and asking it.

use std::sync::Arc;

use jiff::civil::Date;

use crate::application::control::{Control, Permission, State, control_key, permission};
use crate::application::journal::history::{History, look_back};
use crate::application::ports::{Clock, Put, Store};
use crate::domain::policy::DEFAULT_POLICY;
use crate::domain::run::{Mode, RunKey, Slot};
use crate::domain::session::exchange_date;
use crate::infrastructure::clock::MachineClock;
use crate::interface::cli::report::untrusted;
use crate::interface::cli::status::as_value;
use crate::interface::cli::{Place, Trouble, armer, say};
use crate::interface::connections::open_store;
use crate::interface::wiring::policy_key;

/// Gives permission to trade and lays down a policy to edit; what is there already stays.
pub(super) async fn init(place: &Place, json: bool) -> Result<u8, Trouble> {
    let opened = open(place).await?;
    let store = opened.as_ref();
    let key = run_key(place)?;
    permit(store, &key).await?;
    let policy = policy_key(place.mode, &place.account);
    let unwritable = |error| Trouble::setting(error, "check the rights on the store");
    let commented: String = DEFAULT_POLICY
        .lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("# {line}\n") })
        .collect();
    let put = store.put_once(&policy, commented.as_bytes()).await.map_err(unwritable)?;
    if json {
        let permitted = permission(store, &key, MachineClock.now()).await;
        let history = history(store, place).await?;
        say(&as_value(place, &permitted, &history).to_string());
        return Ok(0);
    }
    let root = &place.store;
    match put {
        Put::Stored { .. } => {
            say(&format!("wrote {root}/{policy}: every line is a default, commented out"));
        }
        Put::Exists(_) => say(&format!("kept {root}/{policy} as it is")),
    }
    say(&may_trade(place, &permission(store, &key, MachineClock.now()).await));
    if let Some(line) = arming_line(store, place).await {
        say(&line);
    }
    Ok(0)
}

/// Whether real money is armed; nothing on paper.
pub(super) async fn arming_line(store: &dyn Store, place: &Place) -> Option<String> {
    match place.mode {
        Mode::Paper => None,
        Mode::Live => {
            let whose = (place.mode, &place.account);
            Some(match armer::standing(store, whose, MachineClock.now()).await {
                Ok(armed) => armed,
                Err(why) => format!("not armed: {why}; see `alchemiser arm`"),
            })
        }
    }
}

pub(super) async fn open(place: &Place) -> Result<Arc<dyn Store>, Trouble> {
    let opened = open_store(&place.store).await;
    opened.map_err(|incident| Trouble::setting(incident.what, &incident.action))
}

/// Writes the control object if there is none.
pub(super) async fn permit(store: &dyn Store, key: &RunKey) -> Result<(), Trouble> {
    let reason = "prepared by init".to_owned();
    let control = Control { state: State::Run, reason, who: None, since: None, until: None };
    let bytes = serde_json::to_vec(&control).unwrap_or_default();
    let written = store.put_once(&control_key(key.mode, &key.account), &bytes).await;
    written.map(|_| ()).map_err(|error| Trouble::setting(error, "check the rights on the store"))
}

/// What the store knows of the account, looking back from the newest run there is: an offline
/// world lives on days of its own.
pub(super) async fn history(store: &dyn Store, place: &Place) -> Result<History, Trouble> {
    let mut key = run_key(place)?;
    key.session = newest_session(store, place).await?.unwrap_or(key.session);
    key.generation = u8::MAX;
    look_back(store, &key, None).await.map_err(|error| untrusted(&error))
}

/// The newest session with any record.
pub(super) async fn newest_session(
    store: &dyn Store,
    place: &Place,
) -> Result<Option<Date>, Trouble> {
    let prefix = format!("runs/{}/{}/", place.mode, place.account);
    let keys = store.list(&prefix).await;
    let keys = keys.map_err(|error| Trouble::setting(error, "check the rights on the store"))?;
    let session = |key: &String| key[prefix.len()..].split('/').next()?.parse().ok();
    Ok(keys.iter().filter_map(session).max())
}

pub(super) fn may_trade(place: &Place, permitted: &Permission) -> String {
    match why_not(permitted) {
        None if place.mode == Mode::Live => {
            format!("{}/{} is not halted", place.mode, place.account) // the arming says the rest
        }
        None => format!("{}/{} may trade", place.mode, place.account),
        Some(why) => format!("{}/{} may not trade: {why}", place.mode, place.account),
    }
}

pub(super) fn why_not(permitted: &Permission) -> Option<String> {
    match permitted {
        Permission::Given => None,
        Permission::Halted(halt) => Some(halt.to_string()),
        Permission::Away(why) | Permission::Void(why) => Some(why.clone()),
    }
}

pub(super) fn run_key(place: &Place) -> Result<RunKey, Trouble> {
    let slot = Slot::parse("open").map_err(|error| Trouble::setting(error, "report this"))?;
    Ok(RunKey {
        mode: place.mode,
        account: place.account.clone(),
        session: exchange_date(MachineClock.now()),
        slot,
        generation: 0,
    })
}

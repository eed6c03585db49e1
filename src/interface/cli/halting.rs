//! Halting and its end: the operator's word in the control object, which every run reads.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use crate::application::control::{Control, Permission, State, control_key};
use crate::application::ports::{Clock, Store};
use crate::infrastructure::clock::MachineClock;
use crate::interface::cli::records::{may_trade, open, why_not};
use crate::interface::cli::{Place, Trouble, say};
use crate::interface::settings::user;

/// What is halted, and why.
#[derive(Debug, Clone, Args)]
pub(super) struct Halt {
    #[command(flatten)]
    place: Place,
    /// Cancel what a run has open at once, instead of letting it work to the end of its attempt.
    #[arg(long)]
    all: bool,
    /// Why; every letter says it until the halt is over.
    #[arg(long, value_name = "WORDS")]
    reason: String,
    /// When the halt ends by itself, such as 2026-12-01T00:00:00Z.
    #[arg(long, value_name = "MOMENT")]
    until: Option<Timestamp>,
    /// Who halts, when it is not the user who calls.
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
}

/// The end of a halt.
#[derive(Debug, Clone, Args)]
pub(super) struct Unhalt {
    #[command(flatten)]
    place: Place,
    /// Why it is over.
    #[arg(long, value_name = "WORDS", default_value = "the halt is over")]
    reason: String,
    /// Who ends it, when it is not the user who calls.
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
}

/// No new orders from now on.
pub(super) async fn halt(halt: &Halt, json: bool) -> Result<u8, Trouble> {
    let now = MachineClock.now();
    if halt.until.is_some_and(|until| until <= now) {
        return Err(Trouble::setting("--until is over already", "name a moment to come"));
    }
    let store = open(&halt.place).await?;
    prepared(store.as_ref(), &halt.place).await?;
    let state = if halt.all { State::HaltAll } else { State::HaltNew };
    let reason = words(&halt.reason)?;
    let who = halt.who.clone().or_else(user);
    let control = Control { state, reason, who, since: Some(now), until: halt.until };
    write(store.as_ref(), &halt.place, control, json).await?;
    if !json {
        say(if halt.all {
            "a run at work cancels its open orders within seconds; nothing is sold"
        } else {
            "a run at work lets its open orders finish their attempt; nothing is sold"
        });
        say(
            "orders that no run has at work: `alchemiser cancel-all`; the end: `alchemiser unhalt`",
        );
    }
    Ok(0)
}

/// Orders may be sent again.
pub(super) async fn unhalt(unhalt: &Unhalt, json: bool) -> Result<u8, Trouble> {
    let store = open(&unhalt.place).await?;
    let now = MachineClock.now();
    let before = prepared(store.as_ref(), &unhalt.place).await?;
    if before.is_some_and(|control| control.at(now) == Permission::Given) {
        let place = &unhalt.place;
        let what = format!("{}/{} is not halted", place.mode, place.account);
        return Err(Trouble::setting(what, "nothing has to be done"));
    }
    let (reason, who) = (words(&unhalt.reason)?, unhalt.who.clone().or_else(user));
    let control = Control { state: State::Run, reason, who, since: Some(now), until: None };
    write(store.as_ref(), &unhalt.place, control, json).await?;
    Ok(0)
}

/// The control object as it is, if it can be understood; a place without one was never prepared,
/// and a halt there would halt nobody.
async fn prepared(store: &dyn Store, place: &Place) -> Result<Option<Control>, Trouble> {
    let key = control_key(place.mode, &place.account);
    let record = store.get(&key).await;
    let record = record.map_err(|error| Trouble::setting(error, "see to the store"))?;
    let Some(record) = record else {
        let what = format!("{}/{key}: no such control object", place.store);
        return Err(Trouble::setting(what, "name the store with --store, or run `init` first"));
    };
    Ok(serde_json::from_slice(&record.bytes).ok())
}

fn words(text: &str) -> Result<String, Trouble> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Trouble::setting("the reason is empty", "say why with --reason"));
    }
    Ok(text.to_owned())
}

async fn write(
    store: &dyn Store,
    place: &Place,
    control: Control,
    as_json: bool,
) -> Result<(), Trouble> {
    let key = control_key(place.mode, &place.account);
    let bytes = serde_json::to_vec_pretty(&control).unwrap_or_default();
    let written = store.put_view(&key, &bytes).await;
    written.map_err(|error| Trouble::setting(error, "check the rights on the store"))?;
    let (state, permission) = (control.state, control.at(MachineClock.now()));
    if as_json {
        let value = json!({
            "account": place.account, "mode": place.mode, "state": state,
            "may_trade": permission == Permission::Given, "why_not": why_not(&permission),
        });
        say(&value.to_string());
    } else {
        say(&may_trade(place, &permission));
    }
    Ok(())
}

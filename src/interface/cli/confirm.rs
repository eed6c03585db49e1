//! Confirming a change of settings: shows what moved since the last finished run, and gives the
//! operator's word for it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::application::brake::confirmed_key;
use crate::domain::book;
use crate::domain::brake::Rules;
use crate::domain::policy::Policy;
use crate::interface::cli::records::{history, open};
use crate::interface::cli::{Place, Trouble, say};
use crate::interface::wiring::{policy_key, strategy_files};

/// What to confirm.
#[derive(Debug, Args)]
pub(super) struct Confirm {
    #[command(flatten)]
    place: Place,
    /// Policy that runs are called with, instead of the store's.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Show the change and confirm nothing.
    #[arg(long)]
    show: bool,
}

/// Shows the change and writes the word for it, once.
pub(super) async fn confirm(asked: &Confirm, as_json: bool) -> Result<u8, Trouble> {
    let place = &asked.place;
    let opened = open(place).await?;
    let store = opened.as_ref();
    let unusable = |error: &dyn std::fmt::Display| {
        Trouble::setting(error, "correct what it names and ask again")
    };
    let text = if let Some(path) = &asked.policy {
        std::fs::read_to_string(path).map_err(|error| unusable(&error))?
    } else {
        let kept = store.get(&policy_key(place.mode, &place.account)).await;
        let kept = kept.map_err(|error| unusable(&error))?;
        kept.map(|kept| String::from_utf8_lossy(&kept.bytes).into_owned()).unwrap_or_default()
    };
    let policy = Policy::parse(&text).map_err(|error| unusable(&error))?;
    let texts = strategy_files(store).await.map_err(|error| unusable(&error))?;
    let history = history(store, place).await?;
    let before = history.last.as_ref().and_then(|last| last.body.rules.as_ref());
    let rules = Rules::of(&policy, &book::slots(&policy, &texts), before);
    let moved = before.map(|before| (rules.beyond(before, &policy.brake), rules.change(before)));
    let Some((moved, change)) = moved.filter(|(moved, _)| !moved.is_empty()) else {
        say(&if as_json {
            json!({ "moved": [], "confirmed": false }).to_string()
        } else {
            "nothing moved that waits for a confirmation".to_owned()
        });
        return Ok(0);
    };
    if !asked.show {
        let key = confirmed_key((place.mode, &place.account), &change);
        let word = json!({ "moved": moved }).to_string();
        store.put_once(&key, word.as_bytes()).await.map_err(|error| unusable(&error))?;
    }
    if as_json {
        say(&json!({ "moved": moved, "change": change, "confirmed": !asked.show }).to_string());
        return Ok(0);
    }
    for line in &moved {
        say(&format!("moved: {line}"));
    }
    say(if asked.show { "not confirmed: shown only" } else { "confirmed: the next run trades" });
    Ok(0)
}

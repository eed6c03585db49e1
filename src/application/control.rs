//! The control object: positive permission to trade. Missing or unreadable means stop.
//!
//! Unlike a record it may be changed, by the operator alone. A run reads it before it keeps a plan
//! and before every round of orders; reading it once would make a halt wait for tomorrow.

use serde::{Deserialize, Serialize};

use crate::application::ports::Store;
use crate::domain::run::RunKey;

/// What the operator permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Trade.
    Run,
    /// No new orders. What a run at work has open is cancelled, as under the next line: a way to let
    /// open orders work on is still to come.
    HaltNew,
    /// No new orders; our open ones are cancelled.
    HaltAll,
}

/// The control object as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// What is permitted.
    pub state: Permission,
    /// Why, in the operator's words.
    pub reason: String,
}

/// Where an account's control object lies.
pub fn control_key(key: &RunKey) -> String {
    format!("control/{}/{}/state.json", key.mode, key.account)
}

/// Reads the permission; the error says in words why there is none.
///
/// # Errors
/// A sentence when the object is missing, unreadable, or says anything but run.
pub async fn permission(store: &dyn Store, key: &RunKey) -> Result<(), String> {
    let name = control_key(key);
    let record = match store.get(&name).await {
        Ok(Some(record)) => record,
        Ok(None) => return Err(format!("no control object at {name}: run `alchemiser init` once")),
        Err(error) => return Err(format!("control object not readable: {error}")),
    };
    match serde_json::from_slice::<Control>(&record.bytes) {
        Ok(Control { state: Permission::Run, .. }) => Ok(()),
        Ok(Control { state: Permission::HaltNew | Permission::HaltAll, reason }) => {
            Err(format!("halted by the operator: {reason}"))
        }
        Err(error) => Err(format!("control object {name} not understood: {error}")),
    }
}

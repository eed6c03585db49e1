//! The operator's instructions about sleeves, as they lie beside the control object.
//!
//! Each is written once, under a name that no other has; the ledger that booked it remembers that
//! name. A run that ends without a ledger booked nothing, and the next one books them.

use crate::application::journal::JournalError;
use crate::application::ports::{Put, Store, StoreError};
use crate::domain::run::{AccountName, Mode};
use crate::domain::sleeve::instruct::Instruction;

/// Instructions read; an operator writes a few in a year.
const INSTRUCTIONS_MAX: usize = 200;

/// What the names of an account's instructions begin with.
fn folder(mode: Mode, account: &AccountName) -> String {
    format!("control/{mode}/{account}/instructions/")
}

/// Every instruction of an account, oldest first.
///
/// # Errors
/// [`JournalError`] when the store fails or one cannot be read: it might have said whose shares
/// must not be sold.
pub async fn instructions(
    store: &dyn Store,
    (mode, account): (Mode, &AccountName),
) -> Result<Vec<Instruction>, JournalError> {
    let names = store.list(&folder(mode, account)).await?;
    if names.len() > INSTRUCTIONS_MAX {
        let (key, reason) = (folder(mode, account), format!("{} instructions", names.len()));
        return Err(JournalError::Corrupt { key, reason });
    }
    let mut list = Vec::new();
    for key in names {
        let Some(record) = store.get(&key).await? else { continue };
        let read = serde_json::from_slice(&record.bytes);
        list.push(read.map_err(|error| JournalError::Corrupt { reason: error.to_string(), key })?);
    }
    Ok(list)
}

/// Writes an instruction; false when another of its name was there first.
///
/// # Errors
/// [`StoreError`] when the store does not take it.
pub async fn write(
    store: &dyn Store,
    (mode, account): (Mode, &AccountName),
    instruction: &Instruction,
) -> Result<bool, StoreError> {
    let key = format!("{}{}.json", folder(mode, account), instruction.id);
    let bytes = serde_json::to_vec_pretty(instruction).unwrap_or_default();
    Ok(matches!(store.put_once(&key, &bytes).await?, Put::Stored { .. }))
}

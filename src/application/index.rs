//! The list of an account's runs beside their pages: a view, kept as its rows and as a page.
//!
//! ```text
//! reports/{mode}/{account}/index.json   the rows, oldest first
//! reports/{mode}/{account}/index.html   the page
//! ```
//! A run adds its own row to those that are there. What two runs at once lose of it, or a damaged file,
//! costs no record: `alchemiser report --index` makes both anew from the final records.

use jiff::ToSpan;
use jiff::civil::Date;
use tokio::join;
use tracing::warn;

use crate::application::journal::JournalError;
use crate::application::journal::history::{final_of, finals_between};
use crate::application::ports::{Store, StoreError};
use crate::domain::report::RunReport;
use crate::domain::run::{AccountName, Mode};
use crate::presentation::{IndexRow, RUNS_MAX, index_html};

/// How far back a list that is made anew looks.
const YEARS_MAX: i64 = 4;
/// Most records read for it.
const RECORDS_MAX: usize = 4000;

/// Where an account's list lies, without its ending.
pub fn place(mode: Mode, account: &AccountName) -> String {
    format!("reports/{mode}/{account}/index")
}

/// Adds a run to its account's list, in place of what was there of it.
///
/// # Errors
/// [`StoreError`] when the list cannot be read or written.
pub(super) async fn add(report: &RunReport, store: &dyn Store) -> Result<(), StoreError> {
    let place = place(report.key.mode, &report.key.account);
    let known = store.get(&format!("{place}.json")).await?;
    let mut rows = known.map_or_else(Vec::new, |known| {
        serde_json::from_slice::<Vec<IndexRow>>(&known.bytes).unwrap_or_else(|error| {
            warn!(%error, "list of runs not readable; `alchemiser report --index` makes it anew");
            Vec::new()
        })
    });
    rows.retain(|row| row.key != report.key);
    rows.push(IndexRow::of(report));
    keep(store, &place, rows).await
}

/// Makes the list anew from the final records; answers how many runs it has, and the records that
/// cannot be read.
///
/// # Errors
/// [`JournalError`] when the store fails.
pub async fn rebuild(
    store: &dyn Store,
    (mode, account): (Mode, &AccountName),
    today: Date,
) -> Result<(usize, Vec<String>), JournalError> {
    let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
    let since = today.saturating_sub(YEARS_MAX.years());
    let keys = finals_between(
        store,
        (mode, account),
        (since, today.saturating_add(YEARS_MAX.years())),
        RECORDS_MAX,
    )
    .await?;
    for key in keys {
        match final_of(store, &key).await {
            Ok(report) => rows.extend(report.map(|kept| IndexRow::of(&kept.body))),
            Err(JournalError::Store(error)) => return Err(error.into()),
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    let runs = rows.len();
    keep(store, &place(mode, account), rows).await?;
    Ok((runs, unreadable))
}

async fn keep(store: &dyn Store, place: &str, mut rows: Vec<IndexRow>) -> Result<(), StoreError> {
    rows.sort_by(|a, b| (a.key.session, &a.key).cmp(&(b.key.session, &b.key)));
    rows.drain(..rows.len().saturating_sub(RUNS_MAX));
    let json = serde_json::to_vec(&rows).unwrap_or_default();
    let (names, html) = (["json", "html"].map(|end| format!("{place}.{end}")), index_html(&rows));
    let (rows, page) =
        join!(store.put_view(&names[0], &json), store.put_view(&names[1], html.as_bytes()));
    rows.and(page)
}

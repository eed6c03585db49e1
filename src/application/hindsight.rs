//! Hindsight: whether the past that the run before decided on is still told in the same way.
//!
//! It reads one more record, and nothing waits for it: not there by the time everything else is,
//! it is done without, as it is when it cannot be read. Whatever it finds is a line of the report,
//! and a warning when a signal would have been another; it never stops a run.

use std::future::Future;
use std::pin::pin;

use tokio::select;
use tracing::info;

use crate::application::journal::history::History;
use crate::application::journal::inputs::closes_of;
use crate::application::ports::Store;
use crate::domain::incident::Incident;
use crate::domain::market::Histories;
use crate::domain::notices;
use crate::domain::revision::{Gap, Hindsight, compare, turned};
use crate::domain::strategy::StrategySlot;

/// The closes that the run before decided on.
///
/// # Errors
/// Why they are not at hand.
pub(super) async fn closes_before(store: &dyn Store, history: &History) -> Result<Histories, Gap> {
    let Some(last) = &history.last else { return Err(Gap::FirstRun) };
    let Some(inputs) = &last.body.inputs else { return Err(Gap::NotKept) };
    match closes_of(store, &last.body.key, inputs).await {
        Ok(Some(closes)) => Ok(closes),
        Ok(None) => Err(Gap::NotKept),
        Err(error) => {
            info!(%error, "the closes of the run before are not compared");
            Err(Gap::Unreadable)
        }
    }
}

/// Waits for what a run needs, and takes what is there of something else by then.
pub(super) async fn beside<T>(
    needed: impl Future<Output = T>,
    other: impl Future<Output = Result<Histories, Gap>>,
) -> (T, Result<Histories, Gap>) {
    let (mut needed, mut other) = (pin!(needed), pin!(other));
    select! {
        biased;
        got = &mut other => (needed.await, got),
        done = &mut needed => (done, Err(Gap::Late)),
    }
}

/// What the closes of now say of the run before, and what the operator should know of it.
pub(super) fn look_back_on(
    history: &History,
    before: &Result<Histories, Gap>,
    now: &Histories,
    book: &[StrategySlot],
) -> (Hindsight, Vec<Incident>) {
    let then = match before {
        Ok(then) => then,
        Err(gap) => return (Hindsight::Missing(*gap), Vec::new()),
    };
    let last = history.last.as_ref().map(|kept| &kept.body);
    let Some((last, data)) = last.and_then(|last| Some((last, last.data.as_ref()?))) else {
        return (Hindsight::Missing(Gap::NotKept), Vec::new());
    };
    let comparison = compare(then, now, data.as_of);
    let turned = turned(book, &last.signals, then, &comparison);
    let incidents: Vec<Incident> = turned.iter().map(notices::of_turned).collect();
    let (revised, turned) = (comparison.revisions.len(), incidents.len());
    info!(run = %last.key, symbols = comparison.symbols, revised, turned, "closes compared");
    let (through, symbols) = (comparison.through, comparison.symbols);
    (Hindsight::Compared { through, symbols, revisions: comparison.revisions }, incidents)
}

//! Confirming: what a decision assumed is asked for before it counts.
//!
//! Flags of assets are asked for one by one, so only of what nobody knows and of what is ordered;
//! flags of shares that are only kept decide nothing, and asking for each would be most of a
//! quiet day's requests. A decision on assumptions says what that is, so one wait is enough.

use std::collections::BTreeSet;
use std::mem::take;

use tokio::join;
use tracing::warn;

use crate::application::desk::Desk;
use crate::application::observe::{Observed, SplitsSought};
use crate::application::trouble;
use crate::domain::incident::Incident;
use crate::domain::plan::RebalancePlan;
use crate::domain::snapshot::Splits;
use crate::domain::symbol::Symbol;

/// Asks for what the snapshot only assumes, and for today's flags of what a drafted plan orders
/// and the snapshot only remembers; true when an answer differs, so that the decision has to be
/// made again.
///
/// # Errors
/// The incident when the broker gives no answer.
pub async fn confirm(
    desk: &Desk<'_>,
    observed: &mut Observed,
    drafted: Option<&RebalancePlan>,
) -> Result<bool, Incident> {
    let orders = drafted.into_iter().flat_map(|plan| &plan.items);
    let orders = orders.filter(|item| item.order().is_some());
    let ordered: BTreeSet<Symbol> = orders.map(|item| item.symbol.clone()).collect();
    let mut asked = take(&mut observed.assumed);
    asked.extend(observed.remembered.intersection(&ordered).cloned());
    let asked: Vec<Symbol> = asked.into_iter().collect();
    let sought = observed.splits.take();
    let (fresh, splits) = join!(desk.broker.assets(&asked), splits(desk, sought));
    let mut fresh = fresh.map_err(|error| trouble::broker(&error, "reading assets"))?;
    let snapshot = &mut observed.snapshot;
    let mut changed = false;
    if let Some(splits) = splits {
        changed |= snapshot.splits != splits;
        snapshot.splits = splits;
    }
    for symbol in asked {
        let known = match fresh.remove(&symbol) {
            Some(flags) => snapshot.assets.insert(symbol.clone(), flags.clone()) == Some(flags),
            None => snapshot.assets.remove(&symbol).is_none(),
        };
        changed |= !known;
        observed.remembered.remove(&symbol);
    }
    Ok(changed)
}

/// The splits that were still to be asked for.
async fn splits(desk: &Desk<'_>, sought: Option<SplitsSought>) -> Option<Splits> {
    let SplitsSought { symbols, first, last } = sought?;
    Some(match desk.market.splits(&symbols, first, last).await {
        Ok(listed) => Splits::Listed(listed.into_iter().collect()),
        Err(error) => {
            warn!(%error, "corporate actions not readable");
            Splits::Unknown
        }
    })
}

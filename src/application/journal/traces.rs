//! What a run left behind, read by somebody who takes no part in it. Writes and claims nothing.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, IgnoredAny};

use crate::application::journal::claim::{Lease, lease_name};
use crate::application::journal::{Journal, JournalError, Kept, PlanRecord};
use crate::application::ports::Store;
use crate::domain::execution::OrderOutcome;
use crate::domain::order::Side;
use crate::domain::plan::BuyPlan;
use crate::domain::run::{RunKey, RunRequest};
use crate::domain::watch::{self, PLANNING_MAX, Phase, Planned, Traces};

/// Records read only for their time, besides those that say something; an ordinary run has twenty.
const TIMES_MAX: usize = 40;

/// The highest generation of a session's run that left a record, with its records' names.
///
/// # Errors
/// [`JournalError`] when the store fails.
pub async fn newest_generation(
    store: &dyn Store,
    key: &RunKey,
) -> Result<Option<(RunKey, Vec<String>)>, JournalError> {
    let RunKey { mode, account, session, slot, .. } = key;
    let prefix = format!("runs/{mode}/{account}/{session}/{slot}/");
    let names = store.list(&prefix).await?;
    let mut generations: BTreeMap<u8, Vec<String>> = BTreeMap::new();
    for name in &names {
        let Some((folder, record)) =
            name.strip_prefix(&prefix).and_then(|rest| rest.split_once('/'))
        else {
            continue;
        };
        if let Some(Ok(generation)) = folder.strip_prefix('g').map(str::parse) {
            generations.entry(generation).or_default().push(record.to_owned());
        }
    }
    let newest = generations.pop_last();
    Ok(newest.map(|(generation, names)| (RunKey { generation, ..key.clone() }, names)))
}

/// What the records of a run without an end say, by the names that [`newest_generation`] found.
///
/// # Errors
/// [`JournalError`] when the store fails or a record cannot be trusted.
pub async fn traces(journal: &Journal<'_>, names: &[String]) -> Result<Traces, JournalError> {
    let mut traces = Traces {
        deliveries: below(names, "deliveries/").count(),
        repeats: below(names, "att/").count(),
        mailed: below(names, "mail/")
            .filter_map(|name| name.strip_prefix("mail/")?.strip_suffix(".json"))
            .map(str::to_owned)
            .collect(),
        ..Traces::default()
    };
    let leases = below(names, "lease/").filter(|name| !name.ends_with(".released")).count();
    let (lease, returned) = (lease_name(leases), format!("lease/{leases:04}.released"));
    if let Some(open) = seen::<RunRequest>(journal, "open.json", &mut traces).await? {
        traces.opened_at = Some(open.at);
        traces.orders_until = open.body.scheduled_for.saturating_add(PLANNING_MAX).ok();
    }
    if let Some(kept) = seen::<Lease>(journal, &lease, &mut traces).await? {
        let returned = names.contains(&returned);
        traces.lease = Some(watch::Lease { until: kept.body.end(kept.at), returned });
    }
    if let Some(kept) = seen::<PlanRecord>(journal, "plan.json", &mut traces).await? {
        let plan = kept.body.plan;
        let (sells, buys) = (plan.orders(Side::Sell).count(), plan.orders(Side::Buy).count());
        traces.plan = Some(Planned { sells, buys, valid_until: plan.valid_until });
        traces.orders_until = Some(plan.valid_until);
    }
    let sells = seen::<Vec<OrderOutcome>>(journal, "sells.json", &mut traces).await?;
    traces.sells = sells.map(|kept| phase(&kept.body));
    let buy_plan = seen::<BuyPlan>(journal, "buyplan.json", &mut traces).await?;
    traces.buy_plan = buy_plan.map(|kept| kept.body.items.len());
    let buys = seen::<Vec<OrderOutcome>>(journal, "buys.json", &mut traces).await?;
    traces.buys = buys.map(|kept| phase(&kept.body));
    let rest = below(names, "mail/")
        .chain(names.iter().map(String::as_str).filter(|name| *name == returned))
        .chain(below(names, "att/"))
        .chain(below(names, "deliveries/"));
    for name in rest.take(TIMES_MAX) {
        seen::<IgnoredAny>(journal, name, &mut traces).await?;
    }
    Ok(traces)
}

fn below<'a>(names: &'a [String], folder: &'a str) -> impl Iterator<Item = &'a str> {
    names.iter().map(String::as_str).filter(move |name| name.starts_with(folder))
}

/// Reads a record and remembers the newest.
async fn seen<T: DeserializeOwned>(
    journal: &Journal<'_>,
    name: &str,
    traces: &mut Traces,
) -> Result<Option<Kept<T>>, JournalError> {
    let kept = journal.read::<T>(name).await?;
    if let Some(kept) = &kept
        && traces.newest.as_ref().is_none_or(|(_, newest)| *newest < kept.at)
    {
        traces.newest = Some((name.to_owned(), kept.at));
    }
    Ok(kept)
}

fn phase(outcomes: &[OrderOutcome]) -> Phase {
    Phase {
        orders: outcomes.len(),
        filled: outcomes.iter().filter(|outcome| outcome.is_filled()).count(),
        unknown: outcomes.iter().filter(|outcome| outcome.is_unknown()).count(),
    }
}

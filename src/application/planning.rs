//! Planning: observe, decide, and keep what the gate approved before anything is sent.

use crate::application::chronicle::{list_items, take_snapshot};
use crate::application::control::permission;
use crate::application::desk::Observation;
use crate::application::journal::history::History;
use crate::application::journal::inputs::Inputs;
use crate::application::journal::{Journal, Kept, PlanRecord};
use crate::application::observe::{Morning, Observed, Stale, confirm, observe};
use crate::application::run::House;
use crate::application::stop::Stop;
use crate::domain::decide::{Decision, decide};
use crate::domain::report::{RunReport, Verdict};
use crate::domain::run::{RunAction, RunKey, RunRequest};
use crate::domain::session::Session;

/// Each confirmation that changes something asks about other symbols; a book names few.
const CONFIRMATIONS_MAX: usize = 20;

/// Observes, decides, and keeps the approved plan; `None` when there is nothing to act on.
pub(super) async fn planned(
    request: &RunRequest,
    house: &House<'_>,
    journal: &Journal<'_>,
    (morning, session, history): (&Morning, Session, &History),
    report: &mut RunReport,
) -> Result<Option<(Kept<PlanRecord>, Observation)>, Stop> {
    let stale = match request.action {
        RunAction::Preview => Stale::Leave,
        RunAction::Trade | RunAction::Resume => Stale::Cancel,
    };
    let observed = observe(&house.desk, (morning, session), house.book, history, stale).await;
    let mut observed = observed.map_err(Stop::observing)?;
    let decision = decided(house, journal.key(), &mut observed).await?;
    let Observed { snapshot, data, .. } = observed;
    take_snapshot(report, &snapshot, data);
    report.signals.clone_from(&decision.signals);
    if !decision.transfers.decimal().is_zero() {
        let today = report.transfers.entry(report.key.session).or_default();
        *today += decision.transfers; // an earlier run of the day may have seen others
    }
    report.limits.clone_from(&decision.limits);
    report.incidents.extend(decision.incidents.iter().cloned());
    report.plan.clone_from(&decision.drafted);
    list_items(&report.key, report.plan.as_ref());
    if let Some(why) = decision.blocked {
        return Err(Stop {
            verdict: Verdict::Blocked,
            summary: why,
            incident: None,
            passing: false,
        });
    }
    let Some(plan) = decision.plan else {
        return Err(Stop::fault("the decision has neither a plan nor a reason"));
    };
    if request.action == RunAction::Preview {
        report.verdict = Verdict::Preview;
        report.summary = String::from("a preview: no order was sent");
        report.ledger = decision.ledger;
        return Ok(None);
    }
    if let Err(why) = permission(house.store, journal.key()).await {
        return Err(Stop::halted(why));
    }
    journal.keep("snapshot.json", None, &Inputs::pack(&snapshot)).await?;
    let record = PlanRecord {
        plan: plan.plan().clone(),
        signals: decision.signals,
        limits: decision.limits,
        incidents: decision.incidents,
        data: report.data.clone(),
        account: report.account.clone(),
        transfers: report.transfers.clone(),
    };
    let kept = journal.keep("plan.json", None, &record).await?;
    Ok(Some((kept, Observation { at: snapshot.now, quotes: snapshot.quotes })))
}

/// The decision, with today's flags of everything it orders.
async fn decided(
    house: &House<'_>,
    key: &RunKey,
    observed: &mut Observed,
) -> Result<Decision, Stop> {
    for _ in 0..CONFIRMATIONS_MAX {
        let decision = decide(&observed.snapshot, house.book, house.desk.policy, key);
        let Some(plan) = &decision.drafted else { return Ok(decision) };
        if !confirm(&house.desk, observed, plan).await.map_err(Stop::observing)? {
            return Ok(decision);
        }
    }
    Err(Stop::fault("the assets' flags change faster than a plan can be made"))
}

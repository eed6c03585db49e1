//! From the market's morning to an approved plan that is kept: observe, decide, keep.
//!
//! Nothing is sent here but cancels of orders that an earlier run left working. The snapshot is
//! kept before the plan, so that no plan is ever without the inputs that explain it.

use jiff::Timestamp;
use tokio::join;

use crate::application::arming::{armed_for, ramped, sessions_before};
use crate::application::brake::brake;
use crate::application::chronicle::{list_items, take_hindsight, take_history, take_snapshot};
use crate::application::confirm::confirm;
use crate::application::control::{Permission, permission};
use crate::application::desk::Observation;
use crate::application::entry::open_session;
use crate::application::hindsight::{beside, closes_before, look_back_on};
use crate::application::journal::chain::{PLAN, look_at_last};
use crate::application::journal::history::History;
use crate::application::journal::inputs::Inputs;
use crate::application::journal::listing::Listing;
use crate::application::journal::turn::Turn;
use crate::application::journal::{FIRST_SNAPSHOT, Journal, JournalError, Kept, PlanRecord};
use crate::application::observe::{Morning, Observed, Sight, look, morning, observe, sweep};
use crate::application::ports::BrokerError;
use crate::application::run::House;
use crate::application::stop::Stop;
use crate::application::trouble;
use crate::domain::arming::Arming;
use crate::domain::decide::{Decision, decide};
use crate::domain::incident::Incident;
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::opposed::opposed;
use crate::domain::plan::RebalancePlan;
use crate::domain::policy::Policy;
use crate::domain::report::{RunReport, Verdict};
use crate::domain::run::{RunAction, RunKey, RunRequest};
use crate::domain::session::Session;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::snapshot::Snapshot;

/// Each confirmation that changes something asks about other symbols; a book names few.
const CONFIRMATIONS_MAX: usize = 20;

/// A plan as it is kept, and what is known beside it.
pub(super) struct Planned {
    /// The plan in the store, whoever wrote it.
    pub(super) kept: Kept<PlanRecord>,
    /// The quotes it was made with.
    pub(super) observed: Observation,
    /// When the operator was last asked while it was kept, and permitted orders.
    pub(super) permitted_at: Option<Timestamp>,
}

/// Observes, decides, and keeps the approved plan; `None` for a preview, which keeps nothing.
pub(super) async fn planned(
    request: &RunRequest,
    house: &House<'_>,
    journal: &Journal<'_>,
    (history, listing): (&History, Option<&Listing>),
    report: &mut RunReport,
) -> Result<Option<Planned>, Stop> {
    let now = house.desk.clock.now();
    let needed = async {
        join!(
            observed(request, house, (journal, history), report),
            permission(house.store, journal.key(), now),
            look_at_last(house.store, history, listing),
        )
    };
    let ((observed, permitted, trusted), before) =
        beside(needed, closes_before(house.store, history)).await;
    trusted?;
    let mut observed = match observed {
        Ok(observed) => observed,
        Err(stop) => {
            report.incidents.extend(forgotten(&permitted));
            return Err(stop);
        }
    };
    report.marks.observed_at = Some(house.desk.clock.now());
    let armed = armed_for(house, journal.key(), &observed.snapshot.account).await;
    let decision = decided_within(&armed, house, report, &mut observed).await?;
    if decision.blocked.is_some() {
        alone(request, journal, history).await?;
    }
    report.marks.decided_at = Some(house.desk.clock.now());
    let Observed { snapshot, data, .. } = observed;
    let now = &snapshot.histories;
    take_snapshot(report, &snapshot, data);
    take_decision(report, &decision);
    if let Some(why) = decision.blocked {
        report.incidents.extend(forgotten(&permitted));
        let verdict = Verdict::Blocked;
        return Err(Stop { verdict, summary: why, incident: None, passing: false });
    }
    brake(house, history, report).await?;
    let Some(plan) = &decision.plan else {
        return Err(Stop::fault("the decision has neither a plan nor a reason"));
    };
    if request.action == RunAction::Preview {
        take_hindsight(report, look_back_on(history, &before, now, house.book));
        take_preview(report, decision.ledger, armed.err());
        report.incidents.extend(forgotten(&permitted));
        return Ok(None);
    }
    armed?;
    Stop::not_permitted(&permitted).map_or(Ok(()), Err)?;
    // Looking back goes on while the records are on their way, so that no order waits for it.
    let (inputs, turn, hindsight) = join!(
        keep_inputs(house, journal, history, &snapshot),
        journal.take_turn(&history.today),
        async { look_back_on(history, &before, now, house.book) },
    );
    in_turn(turn?)?;
    let (inputs, inputs_hash) = inputs?;
    take_hindsight(report, hindsight);
    let record = recorded(plan.plan().clone(), inputs, report);
    let (kept, permitted_at) = keep_plan(house, journal, (record, &inputs_hash)).await?;
    let observed = Observation { at: snapshot.now, quotes: snapshot.quotes };
    Ok(Some(Planned { kept, observed, permitted_at }))
}

/// The plan with what the report says of it so far.
fn recorded(plan: RebalancePlan, inputs: String, report: &RunReport) -> PlanRecord {
    PlanRecord {
        plan,
        inputs,
        signals: report.signals.clone(),
        limits: report.limits.clone(),
        incidents: report.incidents.clone(),
        data: report.data.clone(),
        account: report.account.clone(),
        transfers: report.transfers.clone(),
        books: report.books.clone(),
        benchmark: report.benchmark.clone(),
    }
}

/// Keeps the plan, and asks the operator once more meanwhile. Answers the plan in the store, whoever
/// wrote it, and when orders were permitted.
async fn keep_plan(
    house: &House<'_>,
    journal: &Journal<'_>,
    (record, inputs_hash): (PlanRecord, &str),
) -> Result<(Kept<PlanRecord>, Option<Timestamp>), Stop> {
    let asked_at = house.desk.clock.now();
    let (kept, permitted) = join!(
        journal.keep(PLAN, Some(inputs_hash), &record),
        permission(house.store, journal.key(), asked_at),
    );
    let kept = kept?;
    let kept = if is_planted(Mutant::PlanAgain) { kept.if_mine(record) } else { kept };
    if !kept.mine {
        journal.look_at_plan(&kept).await?;
    }
    // Without it acting asks again, and stops.
    Ok((kept, (permitted == Permission::Given).then_some(asked_at)))
}

/// Nobody else of the session is at work: what another run does to the account meanwhile is neither
/// stale nor unexplained, and is judged when its end can be read.
async fn alone(request: &RunRequest, journal: &Journal<'_>, history: &History) -> Result<(), Stop> {
    if request.action == RunAction::Preview {
        return Ok(());
    }
    in_turn(journal.whose_turn(&history.today).await?)
}

fn in_turn(turn: Turn) -> Result<(), Stop> {
    match turn {
        Turn::Ours => Ok(()),
        Turn::Anothers(run) => Err(Stop::overlap(run)),
    }
}

/// Keeps the inputs of a decision; under a name of its own when an earlier invocation kept others
/// and got no further. Answers the record's name and hash.
async fn keep_inputs(
    house: &House<'_>,
    journal: &Journal<'_>,
    history: &History,
    snapshot: &Snapshot,
) -> Result<(String, String), JournalError> {
    let inputs = Inputs::pack(snapshot);
    let ledger = history.last.as_ref().map(|last| last.hash.as_str());
    let mut name = FIRST_SNAPSHOT.to_owned();
    let mut kept = journal.keep(&name, ledger, &inputs).await?;
    if !kept.mine {
        name = format!("snapshot/{}.json", house.writer);
        kept = journal.keep(&name, ledger, &inputs).await?;
    }
    Ok((name, kept.hash))
}

/// A halt, so that every letter says it even when something else was in the way first: one that
/// was forgotten must not hide behind it.
fn forgotten(permission: &Permission) -> Option<Incident> {
    match permission {
        Permission::Halted(_) => trouble::not_permitted(permission),
        Permission::Given | Permission::Away(_) | Permission::Void(_) => None,
    }
}

/// Everything the decision needs, if the session is on; once more when stale orders of ours had
/// to be cancelled first. A preview touches nothing, not even those.
async fn observed(
    request: &RunRequest,
    house: &House<'_>,
    (journal, history): (&Journal<'_>, &History),
    report: &mut RunReport,
) -> Result<Observed, Stop> {
    let (mut morning, session, mut sight) = looked(request, house, history, report).await?;
    let mut session = session;
    if request.action != RunAction::Preview && sight.shows_orders_of_ours() {
        alone(request, journal, history).await?;
        let swept = sweep(&house.desk, &sight).await;
        if swept.map_err(|error| Stop::broker(&error, "reading orders"))? {
            (morning, session, sight) = looked(request, house, history, report).await?;
        }
    }
    let seen = (&morning, session, sight);
    observe(&house.desk, seen, house.book, history).await.map_err(Stop::observing)
}

async fn looked(
    request: &RunRequest,
    house: &House<'_>,
    history: &History,
    report: &mut RunReport,
) -> Result<(Morning, Session, Sight), Stop> {
    let key = request.key();
    let (morning, sight) = look(&house.desk, &key, house.book, history).await;
    let morning = awake(morning, &key, report)?;
    let session = open_session(&morning, request, house)?;
    Ok((morning, session, sight))
}

/// The morning, if the broker said when it is.
pub(super) fn awake(
    morning: Result<Morning, BrokerError>,
    key: &RunKey,
    report: &mut RunReport,
) -> Result<Morning, Stop> {
    let morning = morning.map_err(|error| Stop::broker(&error, "reading the market's clock"))?;
    report.next_session = morning.calendar.after(key.session).map(|session| session.date);
    Ok(morning)
}

/// What a run with a plan needs before it goes on: a broker that answers, and its past.
pub(super) async fn prepared(
    house: &House<'_>,
    key: &RunKey,
    history: Result<History, JournalError>,
    report: &mut RunReport,
) -> Result<Morning, Stop> {
    let morning = awake(morning(&house.desk, key).await, key, report)?;
    take_history(report, &history?);
    Ok(morning)
}

fn take_decision(report: &mut RunReport, decision: &Decision) {
    report.signals.clone_from(&decision.signals);
    if !decision.transfers.decimal().is_zero() {
        let today = report.transfers.entry(report.key.session).or_default();
        *today += decision.transfers; // an earlier run of the day may have seen others
    }
    report.books.clone_from(&decision.books);
    report.limits.clone_from(&decision.limits);
    report.incidents.extend(decision.incidents.iter().cloned());
    report.plan.clone_from(&decision.drafted);
    list_items(&report.key, report.plan.as_ref());
}

fn take_preview(report: &mut RunReport, ledger: Option<Ledger>, unarmed: Option<Stop>) {
    report.verdict = Verdict::Preview;
    report.summary = String::from("a preview: no order was sent");
    report.ledger = ledger;
    report.opposed = opposed(report);
    report.incidents.extend(unarmed.and_then(|stop| stop.incident).map(|said| *said));
}

/// The decision within the capital that the arming permits.
async fn decided_within(
    armed: &Result<Option<Arming>, Stop>,
    house: &House<'_>,
    report: &RunReport,
    observed: &mut Observed,
) -> Result<Decision, Stop> {
    let (policy, sessions) = (house.desk.policy, sessions_before(report));
    let arming = armed.as_ref().ok().and_then(Option::as_ref);
    let Some((policy, line)) =
        arming.and_then(|arming| ramped(arming, &observed.snapshot, policy, sessions))
    else {
        return decided(house, &report.key, observed, policy).await;
    };
    let mut decision = decided(house, &report.key, observed, &policy).await?;
    decision.limits.push(line);
    Ok(decision)
}

/// The decision, with today's flags of everything it orders.
async fn decided(
    house: &House<'_>,
    key: &RunKey,
    observed: &mut Observed,
    policy: &Policy,
) -> Result<Decision, Stop> {
    for _ in 0..CONFIRMATIONS_MAX {
        let decision = decide(&observed.snapshot, house.book, policy, key);
        let confirmed = confirm(&house.desk, observed, decision.drafted.as_ref()).await;
        if !confirmed.map_err(Stop::observing)? {
            return Ok(decision);
        }
    }
    Err(Stop::fault("the assets' flags change faster than a plan can be made"))
}

//! A run, from request to report: claim, observe, decide, act, close, tell.
//!
//! Each stage either goes on or stops with a verdict; every stop is reported and told. What a
//! run knows is collected in one report on the way, so that a stop at any stage still says
//! everything that was known by then.

use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use crate::application::chronicle::{
    blank, list_items, planned_orders, take_history, take_plan, take_snapshot,
};
use crate::application::close::close;
use crate::application::control::permission;
use crate::application::desk::{Desk, Observation};
use crate::application::ending::{Keeping, finish, is_planned, repeated};
use crate::application::entry::{open_session, permitted, punctual};
use crate::application::execute::{Executed, Floor, Sent, execute};
use crate::application::journal::history::{History, look_back};
use crate::application::journal::inputs::Inputs;
use crate::application::journal::{Claim, Journal, JournalError, Kept, Opening, PlanRecord};
use crate::application::left_open::conclude_left_open;
use crate::application::observe::{Morning, Observed, Stale, confirm, morning, observe};
use crate::application::ports::{Mailer, Store};
use crate::application::stop::Stop;
use crate::application::tell::Mailed;
use crate::domain::decide::{Decision, decide};
use crate::domain::report::{RunReport, Verdict};
use crate::domain::risk::restore;
use crate::domain::run::{RunAction, RunKey, RunRequest};
use crate::domain::session::Session;
use crate::domain::strategy::StrategySlot;

/// Time kept free at the end for the final record and the mail.
const CLOSING: Duration = Duration::from_secs(25);
/// Each confirmation that changes something asks about other symbols; a book names few.
const CONFIRMATIONS_MAX: usize = 20;
/// A lease outlives its holder's deadline by this much.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

/// What every run of an invocation shares.
pub struct House<'a> {
    /// The ways to the market, and the operator's rules.
    pub desk: Desk<'a>,
    /// Durable records.
    pub store: &'a dyn Store,
    /// Mail.
    pub mailer: &'a dyn Mailer,
    /// The strategies in the policy's order.
    pub book: &'a [StrategySlot],
    /// A name for this invocation that no other has.
    pub writer: &'a str,
    /// Version of the code.
    pub code: &'a str,
    /// The invocation is over at this moment.
    pub deadline: Timestamp,
}

/// How an invocation ended.
#[derive(Debug)]
pub enum Ended {
    /// A run came to its end.
    Reported {
        /// Its report.
        report: Box<RunReport>,
        /// What became of the mail.
        mailed: Mailed,
        /// Whether its record is kept; a run without one must be seen to have failed.
        kept: Result<(), JournalError>,
        /// Whether the run stays open for a later invocation, without a final record.
        left_open: bool,
    },
    /// The run had ended before.
    Repeated {
        /// Its report.
        report: Box<RunReport>,
        /// What became of a mail that was still owed.
        mailed: Mailed,
    },
    /// Another invocation works on the run.
    InProgress(RunKey),
    /// There is no open run to resume.
    NothingOpen(RunKey),
}

/// Does what a request asks for.
pub async fn run(request: &RunRequest, house: &House<'_>) -> Ended {
    let key = request.key();
    let now = house.desk.clock.now();
    let mut report = blank(key.clone(), request.action, now, (house.code, house.desk.policy));
    let journal = house.journal(key);
    let mut claimed = None;
    let stop = match stages(request, house, &journal, &mut report, &mut claimed).await {
        Ok(Told::Here) => None,
        Ok(Told::Elsewhere(ended)) => return *ended,
        Err(stop) => Some(stop),
    };
    let left_open = match &stop {
        Some(stop) => stop.passing || (claimed.is_some() && is_planned(&journal).await),
        None => false,
    };
    if let Some(stop) = stop {
        info!(run = %report.key, verdict = stop.verdict.word(), why = %stop.summary, "run stopped");
        report.verdict = stop.verdict;
        report.summary = stop.summary;
        report.incidents.extend(stop.incident.map(|incident| *incident));
    }
    let record = match claimed {
        Some(_) if left_open => Keeping::LeftOpen(&journal),
        Some(_) => Keeping::Final(&journal),
        None => Keeping::Nothing,
    };
    let ended = finish(report, house, record).await;
    if let Some(epoch) = claimed {
        let _ = journal.release(epoch).await; // a lease not given back runs out by itself
    }
    ended
}

enum Told {
    Here,
    Elsewhere(Box<Ended>),
}

async fn stages(
    request: &RunRequest,
    house: &House<'_>,
    journal: &Journal<'_>,
    report: &mut RunReport,
    claimed: &mut Option<usize>,
) -> Result<Told, Stop> {
    permitted(request, house)?;
    if request.action == RunAction::Preview {
        preview(request, house, journal, report).await?;
        return Ok(Told::Here);
    }
    // Claimed before the broker is asked: a repeat does nothing even when it comes late or on a
    // closed day, and a run that could not reach the broker is open for the next resume.
    let key = journal.key().clone();
    let mut due = request.scheduled_for; // a resume's own time does not make an old run young
    match journal.claim(request, opening(request), house.lease()).await? {
        Claim::Ours { epoch, opened } => {
            *claimed = Some(epoch);
            due = due.min(opened.scheduled_for);
        }
        Claim::InProgress => return Ok(Told::elsewhere(Ended::InProgress(key))),
        Claim::NeverOpened => return Ok(Told::elsewhere(Ended::NothingOpen(key))),
        Claim::Finished(kept) => {
            return Ok(Told::elsewhere(repeated(kept.body, house, journal).await));
        }
    }
    if let Some(kept) = journal.read::<PlanRecord>("plan.json").await? {
        // Its fills are booked by carrying it to its end: nothing before that may close it.
        let morning = prepared(house, &key, report).await;
        let morning = morning.map_err(|stop| Stop { passing: true, ..stop })?;
        let start = match open_session(&morning, request, house) {
            Ok(_) => Start::GoOn,
            Err(_) => Start::Settle,
        };
        act(house, journal, kept, start, report).await?;
        return Ok(Told::Here);
    }
    punctual(due, house)?;
    let morning = awake(house, &key, report).await?;
    let session = open_session(&morning, request, house)?;
    let history = look_back(house.store, &key).await?;
    let history = conclude_left_open(history, house, &key).await?;
    take_history(report, &history);
    let at = (&morning, session, &history);
    if let Some((kept, observed)) = planned(request, house, journal, at, report).await? {
        let start = if kept.mine { Start::Fresh(&observed) } else { Start::GoOn };
        act(house, journal, kept, start, report).await?;
    }
    Ok(Told::Here)
}

/// What a run with a plan needs before it goes on: a broker that answers, and its past.
async fn prepared(
    house: &House<'_>,
    key: &RunKey,
    report: &mut RunReport,
) -> Result<Morning, Stop> {
    let morning = awake(house, key, report).await?;
    let history = look_back(house.store, key).await?;
    take_history(report, &history);
    Ok(morning)
}

/// How acting begins.
pub(super) enum Start<'a> {
    /// With a plan just made, from these quotes.
    Fresh(&'a Observation),
    /// With a plan of an earlier invocation, whose orders are taken up and gone on with.
    GoOn,
    /// The same, but nothing is sent any more.
    Settle,
}

/// Everything but orders and records, whatever became of the session's own run.
async fn preview(
    request: &RunRequest,
    house: &House<'_>,
    journal: &Journal<'_>,
    report: &mut RunReport,
) -> Result<(), Stop> {
    punctual(request.scheduled_for, house)?;
    let morning = awake(house, journal.key(), report).await?;
    let session = open_session(&morning, request, house)?;
    let after_all = RunKey { generation: u8::MAX, ..journal.key().clone() };
    let history = look_back(house.store, &after_all).await?;
    if let Some(left) = history.unfinished.first() {
        return Err(Stop::left_open(left));
    }
    take_history(report, &history);
    planned(request, house, journal, (&morning, session, &history), report).await.map(|_| ())
}

async fn awake(house: &House<'_>, key: &RunKey, report: &mut RunReport) -> Result<Morning, Stop> {
    let morning = morning(&house.desk, key).await;
    let morning = morning.map_err(|error| Stop::broker(&error, "reading the market's clock"))?;
    report.next_session = morning.calendar.after(key.session).map(|session| session.date);
    Ok(morning)
}

/// Observes, decides, and keeps the approved plan; `None` when there is nothing to act on.
async fn planned(
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
    report.marks.observed_at = Some(house.desk.clock.now());
    let decision = decided(house, journal.key(), &mut observed).await?;
    report.marks.decided_at = Some(house.desk.clock.now());
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

/// Carries a kept plan out and closes the books.
pub(super) async fn act(
    house: &House<'_>,
    journal: &Journal<'_>,
    kept: Kept<PlanRecord>,
    start: Start<'_>,
    report: &mut RunReport,
) -> Result<(), Stop> {
    let Kept { body: record, hash, .. } = kept;
    let plan = restore(record.plan.clone()).map_err(|refusal| {
        let what = format!("the stored plan breaks a law: {refusal}");
        Stop::critical("journal-corrupt", what)
    })?;
    let timing = &house.desk.policy.timing;
    let cutoff = back(plan.plan().session.close, u64::from(timing.cutoff_seconds));
    let closing = back(house.deadline, CLOSING.as_secs());
    let good_until = plan.plan().valid_until.min(cutoff).min(closing);
    let (observed, no_submit_after) = match start {
        Start::Fresh(observed) => (Some(observed), good_until),
        Start::GoOn => (None, good_until),
        Start::Settle => (None, Timestamp::MIN),
    };
    let floor = Floor {
        desk: &house.desk,
        journal,
        store: house.store,
        plan_hash: &hash,
        observed,
        sent: observed.map_or(Sent::Perhaps, |_| Sent::Nothing),
        no_submit_after,
        end: closing,
    };
    take_plan(report, record);
    info!(run = %report.key, orders = planned_orders(report), "acting");
    let Executed { execution, buy_plan, incidents } = execute(&plan, &floor).await?;
    report.execution = execution;
    report.buy_plan = buy_plan;
    report.incidents.extend(incidents);
    close(house, plan.plan(), report).await;
    report.marks.acted_at = Some(house.desk.clock.now());
    Ok(())
}

fn opening(request: &RunRequest) -> Opening {
    match request.action {
        RunAction::Trade | RunAction::Preview => Opening::Allowed,
        RunAction::Resume => Opening::Forbidden,
    }
}

impl House<'_> {
    pub(super) fn journal(&self, key: RunKey) -> Journal<'_> {
        Journal::new(self.store, self.desk.clock, key, (self.writer, self.code))
    }

    pub(super) fn lease(&self) -> Duration {
        let left = self.deadline.duration_since(self.desk.clock.now());
        Duration::try_from(left).unwrap_or_default() + LEASE_MARGIN
    }
}

impl Told {
    fn elsewhere(ended: Ended) -> Self {
        Self::Elsewhere(Box::new(ended))
    }
}

fn back(moment: Timestamp, seconds: u64) -> Timestamp {
    moment.saturating_sub(Duration::from_secs(seconds)).unwrap_or(Timestamp::MIN)
}

//! A run, from request to report: claim, observe, decide, act, close, tell.
//!
//! Each stage either goes on or stops with a verdict; every stop is reported and told. What a
//! run knows is collected in one report on the way, so that a stop at any stage still says
//! everything that was known by then.

use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use crate::application::chronicle::{
    blank, planned_orders, take_history, take_plan, take_snapshot,
};
use crate::application::close::{close, settled};
use crate::application::control::permission;
use crate::application::desk::Desk;
use crate::application::entry::{in_time, open_session, permitted};
use crate::application::execute::{Executed, Floor, execute};
use crate::application::journal::history::{History, look_back};
use crate::application::journal::inputs::Inputs;
use crate::application::journal::{Claim, Journal, JournalError, Kept, Opening, PlanRecord};
use crate::application::observe::{Morning, Observed, morning, observe};
use crate::application::ports::{Mailer, Store};
use crate::application::stop::Stop;
use crate::application::tell::{Mailed, tell};
use crate::application::trouble;
use crate::domain::decide::decide;
use crate::domain::report::{RunReport, Verdict};
use crate::domain::risk::restore;
use crate::domain::run::{RunAction, RunKey, RunRequest};
use crate::domain::session::Session;
use crate::domain::strategy::StrategySlot;

/// Time kept free at the end for the final record and the mail.
const CLOSING: Duration = Duration::from_secs(25);
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
    // Boxed: the stages' future is too large to lie on a caller's stack.
    let staged = Box::pin(stages(request, house, &journal, &mut report, &mut claimed)).await;
    let stop = match staged {
        Ok(Told::Here) => None,
        Ok(Told::Elsewhere(ended)) => return *ended,
        Err(stop) => Some(stop),
    };
    let passing = stop.as_ref().is_some_and(|stop| stop.passing);
    if let Some(stop) = stop {
        info!(run = %report.key, verdict = stop.verdict.word(), why = %stop.summary, "run stopped");
        report.verdict = stop.verdict;
        report.summary = stop.summary;
        report.incidents.extend(stop.incident.map(|incident| *incident));
    }
    let record = match claimed {
        Some(_) if !passing => Some(&journal),
        _ => None,
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
    match journal.claim(request, opening(request), house.lease()).await? {
        Claim::Ours { epoch, .. } => *claimed = Some(epoch),
        Claim::InProgress => return Ok(Told::elsewhere(Ended::InProgress(key))),
        Claim::NeverOpened => return Ok(Told::elsewhere(Ended::NothingOpen(key))),
        Claim::Finished(kept) => {
            return Ok(Told::elsewhere(repeated(kept.body, house, journal).await));
        }
    }
    if let Some(kept) = journal.read::<PlanRecord>("plan.json").await? {
        // Its fills are booked by carrying it to its end: nothing before that may close it.
        let ready = prepared(house, &key, report).await;
        ready.map_err(|stop| Stop { passing: true, ..stop })?;
        act(house, journal, kept, true, report).await?;
        return Ok(Told::Here);
    }
    in_time(request, house)?;
    let morning = awake(house, &key, report).await?;
    let session = open_session(&morning, request, house)?;
    let history = look_back(house.store, &key).await?;
    let history = conclude_left_open(history, house, &key).await?;
    take_history(report, &history);
    let at = (&morning, session, &history);
    if let Some(kept) = planned(request, house, journal, at, report).await? {
        act(house, journal, kept, false, report).await?;
    }
    Ok(Told::Here)
}

/// What a run with a plan needs before it goes on: a broker that answers, and its past.
async fn prepared(house: &House<'_>, key: &RunKey, report: &mut RunReport) -> Result<(), Stop> {
    awake(house, key, report).await?;
    let history = look_back(house.store, key).await?;
    take_history(report, &history);
    Ok(())
}

/// Everything but orders and records, whatever became of the session's own run.
async fn preview(
    request: &RunRequest,
    house: &House<'_>,
    journal: &Journal<'_>,
    report: &mut RunReport,
) -> Result<(), Stop> {
    in_time(request, house)?;
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
) -> Result<Option<Kept<PlanRecord>>, Stop> {
    let observed = observe(&house.desk, (morning, session), house.book, history).await;
    let Observed { snapshot, data, .. } = observed.map_err(Stop::observing)?;
    take_snapshot(report, &snapshot, data);
    let decision = decide(&snapshot, house.book, house.desk.policy, journal.key());
    report.signals.clone_from(&decision.signals);
    if !decision.transfers.decimal().is_zero() {
        report.transfers.insert(report.key.session, decision.transfers);
    }
    report.limits.clone_from(&decision.limits);
    report.incidents.extend(decision.incidents.iter().cloned());
    report.plan.clone_from(&decision.drafted);
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
    Ok(Some(journal.keep("plan.json", None, &record).await?))
}

/// Carries a kept plan out and closes the books.
async fn act(
    house: &House<'_>,
    journal: &Journal<'_>,
    kept: Kept<PlanRecord>,
    resumed: bool,
    report: &mut RunReport,
) -> Result<(), Stop> {
    let Kept { body: record, hash, mine, .. } = kept;
    let plan = restore(record.plan.clone()).map_err(|refusal| {
        let what = format!("the stored plan breaks a law: {refusal}");
        Stop::critical("journal-corrupt", what)
    })?;
    let timing = &house.desk.policy.timing;
    let cutoff = back(plan.plan().session.close, u64::from(timing.cutoff_seconds));
    let closing = back(house.deadline, CLOSING.as_secs());
    let floor = Floor {
        desk: &house.desk,
        journal,
        store: house.store,
        plan_hash: &hash,
        resumed: resumed || !mine,
        no_submit_after: plan.plan().valid_until.min(cutoff).min(closing),
        end: closing,
    };
    take_plan(report, record);
    info!(run = %report.key, orders = planned_orders(report), "acting");
    let Executed { execution, buy_plan, incidents, unseen } = execute(&plan, &floor).await;
    report.execution = execution;
    report.buy_plan = buy_plan;
    if let Some(why) = unseen {
        return Err(Stop::incident(Verdict::Failed, why, true)); // orders may be there to be booked
    }
    report.incidents.extend(incidents);
    close(house, plan.plan(), report).await;
    Ok(())
}

/// Ends the runs that an earlier invocation left without a final record, by the broker's truth.
async fn conclude_left_open(
    history: History,
    house: &House<'_>,
    key: &RunKey,
) -> Result<History, Stop> {
    if history.unfinished.is_empty() {
        return Ok(history);
    }
    for left in &history.unfinished {
        let journal = house.journal(left.clone());
        let Some(open) = journal.read::<RunRequest>("open.json").await? else { continue };
        let claim = journal.claim(&open.body, Opening::Forbidden, house.lease()).await?;
        let Claim::Ours { epoch, .. } = claim else {
            return Err(Stop::critical("overlap", format!("run {left} is still being worked on")));
        };
        let now = house.desk.clock.now();
        let mut report =
            blank(left.clone(), RunAction::Resume, now, (house.code, house.desk.policy));
        take_history(&mut report, &look_back(house.store, left).await?);
        if let Some(record) = journal.read::<PlanRecord>("plan.json").await? {
            act(house, &journal, record, true, &mut report).await?;
        }
        if let Ended::Reported { kept: Err(error), .. } =
            finish(report, house, Some(&journal)).await
        {
            return Err(error.into());
        }
        let _ = journal.release(epoch).await; // a lease not given back runs out by itself
    }
    Ok(look_back(house.store, key).await?)
}

/// Keeps the report and tells the operator.
async fn finish(mut report: RunReport, house: &House<'_>, journal: Option<&Journal<'_>>) -> Ended {
    settled(&mut report, house);
    let mut kept = Ok(());
    if let Some(journal) = journal {
        match journal.keep("final.json", report.previous.clone().as_deref(), &report).await {
            Ok(stored) => report = stored.body,
            Err(error) => {
                report.incidents.push(trouble::journal(&error));
                kept = Err(error);
            }
        }
    }
    let mailed = tell(&mut report, house, journal).await;
    Ended::Reported { report: Box::new(report), mailed, kept }
}

async fn repeated(mut report: RunReport, house: &House<'_>, journal: &Journal<'_>) -> Ended {
    let mailed = tell(&mut report, house, Some(journal)).await;
    Ended::Repeated { report: Box::new(report), mailed }
}

fn opening(request: &RunRequest) -> Opening {
    match request.action {
        RunAction::Trade | RunAction::Preview => Opening::Allowed,
        RunAction::Resume => Opening::Forbidden,
    }
}

impl House<'_> {
    fn journal(&self, key: RunKey) -> Journal<'_> {
        Journal::new(self.store, self.desk.clock, key, (self.writer, self.code))
    }

    fn lease(&self) -> Duration {
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

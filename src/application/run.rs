//! A run, from request to report: claim, observe, decide, act, close, tell.
//!
//! Each stage either goes on or stops with a verdict; every stop is reported and told. What a
//! run knows is collected in one report on the way, so that a stop at any stage still says
//! everything that was known by then.

use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use crate::application::chronicle::{blank, planned_orders, take_history, take_plan};
use crate::application::close::{close, settled};
use crate::application::desk::{Desk, Observation};
use crate::application::entry::{open_session, permitted, punctual};
use crate::application::execute::{Executed, Floor, Sent, execute};
use crate::application::journal::history::{History, look_back};
use crate::application::journal::{Claim, Journal, JournalError, Kept, Opening, PlanRecord};
use crate::application::observe::morning;
use crate::application::planning::planned;
use crate::application::ports::{Mailer, Store};
use crate::application::stop::Stop;
use crate::application::tell::{Mailed, tell};
use crate::application::trouble;
use crate::domain::report::RunReport;
use crate::domain::risk::restore;
use crate::domain::run::{RunAction, RunKey, RunRequest};
use crate::domain::strategy::StrategySlot;

/// Time kept free at the end for the final record and the mail.
const CLOSING: Duration = Duration::from_secs(25);
/// Record of the letter about a run's end.
const RUN_LETTER: &str = "mail/run.json";
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
        Some(_) if left_open => Record::LeftOpen(&journal),
        Some(_) => Record::Final(&journal),
        None => Record::None,
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

/// What is kept of a run at the end of an invocation.
enum Record<'a> {
    /// Its final record.
    Final(&'a Journal<'a>),
    /// Nothing: a later invocation goes on with it.
    LeftOpen(&'a Journal<'a>),
    /// Nothing: it was never claimed.
    None,
}

/// True unless the run certainly has no plan. A run that may have sent orders ends only once they
/// are settled: a final record without them would leave their fills out of the ledger for good.
async fn is_planned(journal: &Journal<'_>) -> bool {
    !matches!(journal.read::<PlanRecord>("plan.json").await, Ok(None))
}

async fn stages(
    request: &RunRequest,
    house: &House<'_>,
    journal: &Journal<'_>,
    report: &mut RunReport,
    claimed: &mut Option<usize>,
) -> Result<Told, Stop> {
    let key = journal.key().clone();
    permitted(request, house)?;
    let mut due = request.scheduled_for;
    if request.action != RunAction::Preview {
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
        if let Some(record) = journal.read::<PlanRecord>("plan.json").await? {
            take_history(report, &look_back(house.store, &key).await?);
            act(house, journal, record, None, report).await?;
            return Ok(Told::Here);
        }
    }
    punctual(due, house)?;
    let morning = morning(&house.desk, &key)
        .await
        .map_err(|error| Stop::broker(&error, "reading the market's clock"))?;
    report.next_session = morning.calendar.after(key.session).map(|session| session.date);
    let session = open_session(&morning, request, house)?;
    let history = match request.action {
        RunAction::Preview => previewed(house, &key).await?,
        RunAction::Trade | RunAction::Resume => {
            conclude_left_open(look_back(house.store, &key).await?, house, &key).await?
        }
    };
    take_history(report, &history);
    let found = (&morning, session, &history);
    let kept = planned(request, house, journal, found, report).await?;
    if let Some((record, observed)) = kept {
        act(house, journal, record, Some(&observed), report).await?;
    }
    Ok(Told::Here)
}

/// What a preview looks back on: today's run too, once it has ended. It finishes nothing itself.
async fn previewed(house: &House<'_>, key: &RunKey) -> Result<History, Stop> {
    let behind = RunKey { generation: u8::MAX, ..key.clone() };
    let history = look_back(house.store, &behind).await?;
    match history.unfinished.first() {
        None => Ok(history),
        Some(left) => Err(Stop::left_open(left)),
    }
}

/// Carries a kept plan out and closes the books.
async fn act(
    house: &House<'_>,
    journal: &Journal<'_>,
    kept: Kept<PlanRecord>,
    observed: Option<&Observation>,
    report: &mut RunReport,
) -> Result<(), Stop> {
    let Kept { body: record, hash, mine, .. } = kept;
    let observed = observed.filter(|_| mine);
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
        observed,
        sent: observed.map_or(Sent::Perhaps, |_| Sent::Nothing),
        no_submit_after: plan.plan().valid_until.min(cutoff).min(closing),
        end: closing,
    };
    take_plan(report, record);
    info!(run = %report.key, orders = planned_orders(report), "acting");
    let Executed { execution, buy_plan, incidents } = execute(&plan, &floor).await?;
    report.execution = execution;
    report.buy_plan = buy_plan;
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
        let epoch = match journal.claim(&open.body, Opening::Forbidden, house.lease()).await? {
            Claim::Ours { epoch, .. } => epoch,
            Claim::Finished(_) | Claim::NeverOpened => continue,
            Claim::InProgress => {
                let what = format!("run {left} is still being worked on");
                return Err(Stop { passing: true, ..Stop::critical("overlap", what) });
            }
        };
        let concluded = conclude(&journal, house).await;
        let _ = journal.release(epoch).await; // a lease not given back runs out by itself
        concluded?;
    }
    Ok(look_back(house.store, key).await?)
}

/// Settles one run that was left open, and ends it.
async fn conclude(journal: &Journal<'_>, house: &House<'_>) -> Result<(), Stop> {
    let now = house.desk.clock.now();
    let key = journal.key().clone();
    let mut report = blank(key, RunAction::Resume, now, (house.code, house.desk.policy));
    take_history(&mut report, &look_back(house.store, journal.key()).await?);
    if let Some(record) = journal.read::<PlanRecord>("plan.json").await? {
        act(house, journal, record, None, &mut report).await?;
    }
    match finish(report, house, Record::Final(journal)).await {
        Ended::Reported { kept: Err(error), .. } => Err(error.into()),
        Ended::Reported { .. }
        | Ended::Repeated { .. }
        | Ended::InProgress(_)
        | Ended::NothingOpen(_) => Ok(()),
    }
}

/// Keeps the report and tells the operator.
async fn finish(mut report: RunReport, house: &House<'_>, record: Record<'_>) -> Ended {
    settled(&mut report, house);
    let mut kept = Ok(());
    if let Record::Final(journal) = &record {
        match journal.keep("final.json", report.previous.clone().as_deref(), &report).await {
            Ok(stored) => report = stored.body,
            Err(error) => {
                report.incidents.push(trouble::journal(&error));
                kept = Err(error);
            }
        }
    }
    let once = match record {
        Record::Final(journal) => Some((journal, RUN_LETTER.to_owned())),
        // A run that stays open is told of once for each reason, however often it is resumed.
        Record::LeftOpen(journal) => {
            let code = report.incidents.first().map_or("open", |incident| incident.code.as_str());
            Some((journal, format!("mail/{code}.json")))
        }
        Record::None => None,
    };
    let mailed = tell(&mut report, house, once).await;
    Ended::Reported { report: Box::new(report), mailed, kept }
}

async fn repeated(mut report: RunReport, house: &House<'_>, journal: &Journal<'_>) -> Ended {
    let mailed = tell(&mut report, house, Some((journal, RUN_LETTER.to_owned()))).await;
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

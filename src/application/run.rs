//! A run, from request to report: claim, observe, decide, act, close, tell.
//!
//! Each stage either goes on or stops with a verdict; every stop is reported and told. What a
//! run knows is collected in one report on the way, so that a stop at any stage still says
//! everything that was known by then.

use std::time::Duration;

use jiff::Timestamp;
use tokio::join;
use tracing::info;

use crate::application::alarm::Alarm;
use crate::application::arming::{armed, sends_until};
use crate::application::chronicle::{blank, take_history, take_plan};
use crate::application::close::close;
use crate::application::desk::{Desk, Observation, Watch};
use crate::application::ending::{Held, Keeping, finish, is_planned, repeated};
use crate::application::entry::{open_session, permitted, punctual};
use crate::application::execute::{Executed, execute};
use crate::application::floor::{Floor, Sent};
use crate::application::force::{acceptable, still_good};
use crate::application::journal::history::{History, look_back};
use crate::application::journal::listing::Listing;
use crate::application::journal::{
    Before, Claim, Journal, JournalError, Kept, Opening, PlanRecord,
};
use crate::application::left_open::conclude_left_open;
use crate::application::meter::Meter;
use crate::application::observe::morning;
use crate::application::outcomes::keep_buys;
use crate::application::planning::{Planned, awake, planned, prepared};
use crate::application::ports::{Mailer, Messenger, Store};
use crate::application::push::{Pushes, with_pushes};
use crate::application::stop::{JOURNAL_CORRUPT, Stop};
use crate::application::tell::Mailed;
use crate::application::trouble;
use crate::application::withdraw::withdraw;
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::report::{RunReport, Verdict};
use crate::domain::risk::restore;
use crate::domain::run::{RunAction, RunKey, RunRequest};
use crate::domain::strategy::StrategySlot;
use crate::presentation::Pictures;

/// Time kept free at the end for the final record and the mail.
pub(super) const CLOSING: Duration = Duration::from_secs(25);
/// A run that has less time than this leaves the market to a later invocation: what is kept free
/// at the end, and an attempt of ten seconds for each side. With less it would send sells and
/// might not buy.
const ACTING_LEAST: Duration = Duration::from_secs(45);

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
    /// Names of the account's records, when they were listed while this was furnished.
    pub listing: Option<&'a Listing>,
    /// A name for this invocation that no other has.
    pub writer: &'a str,
    /// Version of the code.
    pub code: &'a str,
    /// The invocation is over at this moment.
    pub deadline: Timestamp,
    /// Whether letters show their charts.
    pub pictures: Pictures,
    /// Carries pushes; `None` where none are sent.
    pub messenger: Option<&'a dyn Messenger>,
    /// The pushes of this invocation.
    pub pushes: Pushes<'a>,
    /// What it has used so far.
    pub meter: &'a Meter,
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
    with_pushes(house, Box::pin(done(request, house))).await
}

async fn done(request: &RunRequest, house: &House<'_>) -> Ended {
    let key = house.key_of(request).await;
    let now = house.desk.clock.now();
    let mut report = blank(key.clone(), request.action, now, (house.code, house.desk.policy));
    report.force.clone_from(&request.force);
    let journal = house.journal(key);
    let mut claimed = None;
    let stop = match stages(request, house, &journal, &mut report, &mut claimed).await {
        Ok(Told::Here) => None,
        Ok(Told::Elsewhere(ended)) => return *ended,
        Err(stop) => Some(stop),
    };
    if claimed.is_some() && stop.as_ref().is_some_and(Stop::is_of_the_journal) {
        // What it sent can no longer be carried to its end: at least nothing of it works on.
        if let Err(error) = withdraw(&house.desk).await {
            report.incidents.push(trouble::broker(&error, "cancelling open orders"));
        }
    }
    let left_open = match &stop {
        Some(_) if is_planted(Mutant::EndedWithoutOrders) => false,
        Some(stop) => stop.passing || (claimed.is_some() && is_planned(&journal).await),
        None => false,
    };
    if let Some(stop) = stop {
        info!(run = %report.key, verdict = stop.verdict.word(), why = %stop.summary, "run stopped");
        report.verdict = stop.verdict;
        report.summary = stop.summary;
        report.incidents.extend(stop.incident.map(|incident| *incident));
    }
    let held = Held { journal: &journal, epoch: claimed };
    let keeping = match claimed {
        Some(_) if left_open => Keeping::LeftOpen(held),
        Some(_) => Keeping::Final(held),
        None if request.action == RunAction::Preview => Keeping::Nothing,
        // Only records are asked for before a claim: without them nobody knows what was done.
        None if report.verdict == Verdict::Failed => Keeping::Unclaimed,
        None if left_open => Keeping::LeftOpen(held), // opened, with too little time to act
        None => Keeping::Nothing,
    };
    finish(report, house, keeping).await
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
    let key = journal.key().clone();
    let listing = match house.listing(&key).await {
        Ok(listing) => listing,
        Err(error) => {
            if opening(request) == Opening::Allowed && request.force.is_none() {
                let _ = journal.open(request).await; // so that a resume may try what we cannot
            }
            return Err(error.into());
        }
    };
    acceptable(request, house, journal).await?;
    in_time(request, house, journal, &listing).await?;
    // Claimed before the broker is asked: a repeat does nothing even when it comes late or on a
    // closed day, twenty deliveries at once do not use up the account's requests, and a run that
    // could not reach the broker is open for the next resume.
    let (claim, history) = join!(
        journal.claim(request, opening(request), house.lease(), Some(&listing)),
        look_back(house.store, &key, Some(&listing)),
    );
    let (epoch, opened, before) = match claim? {
        Claim::Ours { epoch, opened, before } => (epoch, opened, before),
        Claim::InProgress => return Ok(Told::elsewhere(Ended::InProgress(key))),
        Claim::NeverOpened => return Ok(Told::elsewhere(Ended::NothingOpen(key))),
        Claim::Finished(kept) => {
            return Ok(Told::elsewhere(repeated(*kept, house, journal).await));
        }
    };
    *claimed = Some(epoch);
    report.force.clone_from(&opened.force); // a resume brings none of its own
    if let Ok(history) = &history {
        take_history(report, history); // whatever stops it from here on is compared with it
    }
    if before == Before::Perhaps
        && !is_planted(Mutant::PlanAgain)
        && let Some(kept) = journal.plan().await?
    {
        // Its fills are booked by carrying it to its end: nothing before that may close it.
        let morning = prepared(house, &key, history, report).await;
        let morning = morning.map_err(|stop| Stop { passing: true, ..stop })?;
        let start = match open_session(&morning, request, house) {
            Ok(_) => Start::GoOn,
            Err(_) => Start::Settle,
        };
        act(house, journal, kept, start, report).await?;
        return Ok(Told::Here);
    }
    // A resume's own time does not make an old run young.
    punctual(request.scheduled_for.min(opened.scheduled_for), house)?;
    still_good(opened.force.as_ref(), house)?;
    armed(house, &key).await?; // before the broker is asked for anything
    let (mut history, mut listing) = (history?, Some(&listing));
    if !history.unfinished.is_empty() && !is_planted(Mutant::LeftOpenForgotten) {
        let morning = awake(morning(&house.desk, &key).await, &key, report)?;
        open_session(&morning, request, house)?;
        history = conclude_left_open(history, house, &key).await?;
        listing = None; // it does not show their ends
    }
    take_history(report, &history);
    trade(request, house, journal, (&history, listing), report).await?;
    Ok(Told::Here)
}

/// Makes a plan and carries it out. The stream is opened meanwhile, for orders must not wait.
async fn trade(
    request: &RunRequest,
    house: &House<'_>,
    journal: &Journal<'_>,
    history: (&History, Option<&Listing>),
    report: &mut RunReport,
) -> Result<(), Stop> {
    let (planned, mut watch) =
        join!(planned(request, house, journal, history, report), Watch::open(&house.desk));
    match planned {
        Ok(Some(Planned { kept, observed, permitted_at })) if kept.mine => {
            let start = Start::Fresh(Box::new(Fresh { observed, permitted_at, watch }));
            act(house, journal, kept, start, report).await
        }
        other => {
            watch.close().await;
            match other? {
                Some(Planned { kept, .. }) => act(house, journal, kept, Start::GoOn, report).await,
                None => Ok(()),
            }
        }
    }
}

/// Stops a run that has too little time left to act, and opens it for the next resume. One that
/// has ended, or that a resume finds never opened, has nothing to act on.
async fn in_time(
    request: &RunRequest,
    house: &House<'_>,
    journal: &Journal<'_>,
    listing: &Listing,
) -> Result<(), Stop> {
    let left = house.deadline.duration_since(house.desk.clock.now());
    let left = Duration::try_from(left).unwrap_or_default();
    let (key, opening) = (journal.key(), opening(request));
    let is_open = opening == Opening::Allowed || listing.shows(key, "open.json");
    if left >= ACTING_LEAST || listing.shows(key, "final.json") || !is_open {
        return Ok(());
    }
    if opening == Opening::Allowed {
        journal.open(request).await?;
    }
    Err(Stop::out_of_time(left))
}

/// How acting begins.
pub(super) enum Start {
    /// With a plan just made.
    Fresh(Box<Fresh>),
    /// With a plan of an earlier invocation, whose orders are taken up and gone on with.
    GoOn,
    /// The same, but nothing is sent any more.
    Settle,
}

/// What is at hand when a plan was just made.
pub(super) struct Fresh {
    /// The quotes it was made with.
    observed: Observation,
    /// When the operator was asked while the plan was kept, and permitted orders.
    permitted_at: Option<Timestamp>,
    /// The open stream.
    watch: Watch,
}

/// Everything but orders and records, whatever became of the session's own run.
async fn preview(
    request: &RunRequest,
    house: &House<'_>,
    journal: &Journal<'_>,
    report: &mut RunReport,
) -> Result<(), Stop> {
    punctual(request.scheduled_for, house)?;
    let after_all = RunKey { generation: u8::MAX, ..journal.key().clone() };
    let listing = house.listing(&after_all).await?;
    let history = look_back(house.store, &after_all, Some(&listing)).await?;
    if let Some(left) = history.unfinished.first() {
        return Err(Stop::left_open(left));
    }
    take_history(report, &history);
    planned(request, house, journal, (&history, Some(&listing)), report).await.map(|_| ())
}

/// Carries a kept plan out and closes the books.
pub(super) async fn act(
    house: &House<'_>,
    journal: &Journal<'_>,
    kept: Kept<PlanRecord>,
    start: Start,
    report: &mut RunReport,
) -> Result<(), Stop> {
    let Kept { body: record, hash, code, .. } = kept;
    let plan = restore(record.plan.clone()).map_err(|refusal| {
        let what = format!("the stored plan breaks a law: {refusal}");
        Stop::critical(JOURNAL_CORRUPT, what)
    })?;
    let endless = is_planted(Mutant::DeadlineIgnored);
    let closing = if endless { Timestamp::MAX } else { back(house.deadline, CLOSING) };
    let until = sends_until(house, (plan.plan(), &code), &start, report).await;
    let (no_submit_after, hindrance) = match until {
        Ok(until) => (until, None),
        Err(hindrance) => (Timestamp::MIN, hindrance),
    };
    let fresh = match start {
        Start::Fresh(fresh) => Some(*fresh),
        Start::GoOn | Start::Settle => None,
    };
    let sent = fresh.as_ref().map_or(Sent::Perhaps, |_| Sent::Nothing);
    let (observed, permitted_at, watch) = fresh.map_or((None, None, None), |fresh| {
        (Some(fresh.observed), fresh.permitted_at, Some(fresh.watch))
    });
    let alarm = Alarm::new(report.standing.as_ref());
    let floor = Floor {
        desk: &house.desk,
        journal,
        store: house.store,
        alarm: &alarm,
        plan_hash: &hash,
        observed: observed.as_ref(),
        permitted_at,
        sent,
        no_submit_after,
        end: closing,
    };
    take_plan(report, record);
    report.incidents.extend(hindrance.map(|incident| *incident));
    report.plan_record = Some(hash.clone());
    info!(run = %report.key, orders = report.planned_orders(), "acting");
    let acting = execute(&plan, &floor, watch);
    let Executed { execution, buy_plan, incidents, limits, unfinished } =
        alarm.beside(acting, house, journal).await?;
    let bought = buy_plan.as_ref().map(|kept| (kept.hash.clone(), execution.buys.clone()));
    report.execution = execution;
    report.buy_plan = buy_plan.map(|kept| kept.body);
    report.incidents.extend(incidents);
    report.limits.extend(limits);
    if let Some(stop) = unfinished {
        return Err(stop);
    }
    let (kept, ()) = join!(keep_buys(&floor, bought), close(house, plan.plan(), report));
    match (kept, sent) {
        (Ok(()), _) => {}
        // All that was sent is in memory, so the run can be ended.
        (Err(error), Sent::Nothing) => report.incidents.push(trouble::journal(&error)),
        (Err(error), Sent::Perhaps) => return Err(error.into()),
    }
    report.marks.acted_at = Some(house.desk.clock.now());
    Ok(())
}

fn opening(request: &RunRequest) -> Opening {
    match request.action {
        RunAction::Trade | RunAction::Preview => Opening::Allowed,
        RunAction::Resume => Opening::Forbidden,
    }
}

impl Told {
    fn elsewhere(ended: Ended) -> Self {
        Self::Elsewhere(Box::new(ended))
    }
}

pub(super) fn back(moment: Timestamp, by: Duration) -> Timestamp {
    moment.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

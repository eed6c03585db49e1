//! At the door: whether the request may run at all, and whether its session is on.
//!
//! Everything that can be refused without looking at the account is refused here. The broker's
//! calendar decides what a session is; no holiday rules of ours do.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::application::observe::Morning;
use crate::application::run::House;
use crate::application::stop::Stop;
use crate::domain::incident::{Category, Incident};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::report::Verdict;
use crate::domain::run::RunRequest;
use crate::domain::session::{Session, exchange_date};

/// An event may be this much ahead of the clock: clocks differ a little.
const AHEAD_MAX: SignedDuration = SignedDuration::from_secs(60);

/// What the request alone forbids.
pub(super) fn permitted(request: &RunRequest, house: &House<'_>) -> Result<(), Stop> {
    let blocked = |incident| Stop::incident(Verdict::Blocked, incident, false);
    let now = house.desk.clock.now();
    if request.scheduled_for.duration_since(now) > AHEAD_MAX {
        let what = format!("the event is for {}, which is still to come", request.scheduled_for);
        return Err(blocked(
            Incident::new(Category::Configuration, "event-early", "run", what)
                .meaning("Nothing was traded.")
                .action("Let the scheduler send its own scheduled time, in UTC."),
        ));
    }
    Ok(())
}

/// A run that was due too long ago gets no plan any more.
pub(super) fn punctual(due: Timestamp, house: &House<'_>) -> Result<(), Stop> {
    let lateness = i64::from(house.desk.policy.timing.lateness_max_seconds);
    let age = house.desk.clock.now().duration_since(due);
    let late = age > SignedDuration::from_secs(lateness) && !is_planted(Mutant::NeverTooLate);
    if late { Err(Stop::late(age)) } else { Ok(()) }
}

/// The session of the run, if it is on and the clocks agree.
pub(super) fn open_session(
    morning: &Morning,
    request: &RunRequest,
    house: &House<'_>,
) -> Result<Session, Stop> {
    let closed = |summary: String| Stop {
        verdict: Verdict::Closed,
        summary,
        incident: None,
        passing: false,
    };
    let Some(session) = morning.session else {
        return Err(closed(format!(
            "the exchange is closed on {}",
            exchange_date(request.scheduled_for)
        )));
    };
    if morning.now >= session.close {
        return Err(closed("the session is over".to_owned()));
    }
    let skew_max = i64::from(house.desk.policy.timing.clock_skew_max_seconds) * 1000;
    if morning.skew_ms.abs() > skew_max && !is_planted(Mutant::SkewIgnored) {
        let what = format!("our clock and the broker's differ by {} ms", morning.skew_ms);
        return Err(Stop::critical("clock-skew", what));
    }
    let guarded =
        session.open + Duration::from_secs(u64::from(house.desk.policy.timing.open_guard_seconds));
    if morning.now < guarded {
        let what = format!("too early: no order before {guarded}");
        return Err(Stop { passing: true, ..Stop::critical("before-open", what) });
    }
    if !morning.is_open {
        let what = "the broker's clock says closed, its calendar says open";
        return Err(Stop::critical("clock-calendar", what.to_owned()));
    }
    Ok(session)
}

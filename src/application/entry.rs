//! At the door: whether the request may run at all, and whether its session is on.
//!
//! Everything that can be refused without looking at the account is refused here. The broker's
//! calendar decides what a session is; no holiday rules of ours do. Where its clock says otherwise,
//! nothing is traded.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::application::observe::Morning;
use crate::application::run::House;
use crate::application::stop::Stop;
use crate::domain::code::Code;
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
            Incident::new(Category::Configuration, Code::EventEarly, "run", what)
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
    let day = exchange_date(request.scheduled_for);
    // The clock speaks of this moment, which is another day's when the event comes late.
    let is_said_open = morning.is_open && exchange_date(morning.now) == day;
    let Some(session) = morning.session else {
        let calendar = format!("the exchange is closed on {day}");
        return Err(if is_said_open { clock_differs("open", &calendar) } else { closed(calendar) });
    };
    if morning.now >= session.close {
        let calendar = format!("the session of {day} closed at {}", session.close);
        let over = || closed("the session is over".to_owned());
        return Err(if is_said_open { clock_differs("open", &calendar) } else { over() });
    }
    let skew_max = i64::from(house.desk.policy.timing.clock_skew_max_seconds) * 1000;
    if morning.skew_ms.abs() > skew_max && !is_planted(Mutant::SkewIgnored) {
        let what = format!("our clock and the broker's differ by {} ms", morning.skew_ms);
        return Err(Stop::critical(Code::ClockSkew, what));
    }
    let guarded =
        session.open + Duration::from_secs(u64::from(house.desk.policy.timing.open_guard_seconds));
    if morning.now < guarded {
        let what = format!("too early: no order before {guarded}");
        return Err(Stop { passing: true, ..Stop::critical(Code::BeforeOpen, what) });
    }
    if !morning.is_open {
        return Err(clock_differs("closed", &format!("the session of {day} is open")));
    }
    Ok(session)
}

/// Two answers of one broker that cannot both be true. Neither is believed: a day off that the
/// calendar forgot and a day that it lost look the same from here.
fn clock_differs(clock: &str, calendar: &str) -> Stop {
    let what = format!("the broker's clock says {clock}, its calendar says {calendar}");
    Stop::critical(Code::ClockCalendar, what)
}

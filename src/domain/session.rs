//! Trading sessions: the days on which the exchange opens, with their hours.
//!
//! The broker's calendar is the authority. What follows from it (the session before, the
//! session of a moment, the cut-off) is worked out here; the exchange's time zone comes from
//! bundled data, so that no machine setting can move a session.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::policy::Timing;

/// One trading session: its New York date and its opening and closing moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Exchange date.
    pub date: Date,
    /// Opening auction, usually 09:30 New York.
    pub open: Timestamp,
    /// Close, usually 16:00 New York, 13:00 on half days.
    pub close: Timestamp,
}

/// Consecutive sessions, oldest first, as the broker's calendar lists them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Calendar(Vec<Session>);

impl Session {
    /// A session from its date and New York wall times; `None` when such a moment does not exist.
    pub fn at(date: Date, open: Time, close: Time) -> Option<Self> {
        let zone = exchange_zone();
        let moment = |time: Time| zone.to_timestamp(date.to_datetime(time)).ok();
        Some(Self { date, open: moment(open)?, close: moment(close)? })
    }

    /// The moment from which on no order leaves, by a clock that may be as slow as is accepted.
    pub fn orders_end(&self, timing: &Timing) -> Timestamp {
        if is_planted(Mutant::NoCutoff) {
            return Timestamp::MAX;
        }
        let before = timing.cutoff_seconds.saturating_add(timing.clock_skew_max_seconds);
        let before = SignedDuration::from_secs(i64::from(before));
        self.close.saturating_sub(before).unwrap_or(self.close)
    }

    /// True from the open up to, not including, the close.
    pub fn is_open_at(&self, now: Timestamp) -> bool {
        self.open <= now && now < self.close
    }
}

impl Calendar {
    /// Sorts the sessions and drops repeats of a date.
    pub fn new(mut sessions: Vec<Session>) -> Self {
        sessions.sort_by_key(|session| session.date);
        sessions.dedup_by_key(|session| session.date);
        Self(sessions)
    }

    /// The sessions, oldest first.
    pub fn sessions(&self) -> &[Session] {
        &self.0
    }

    /// The session of a date, if the exchange opens that day.
    pub fn on(&self, date: Date) -> Option<&Session> {
        self.0.binary_search_by_key(&date, |session| session.date).ok().map(|at| &self.0[at])
    }

    /// The last session before a date.
    pub fn before(&self, date: Date) -> Option<&Session> {
        let at = self.0.partition_point(|session| session.date < date);
        at.checked_sub(1).map(|at| &self.0[at])
    }

    /// The first session after a date.
    pub fn after(&self, date: Date) -> Option<&Session> {
        self.0.get(self.0.partition_point(|session| session.date <= date))
    }

    /// How many sessions lie after `from`, up to and including `to`.
    pub fn sessions_between(&self, from: Date, to: Date) -> usize {
        self.0.iter().filter(|session| from < session.date && session.date <= to).count()
    }
}

/// The exchange's time zone, its rules compiled in: no machine's own data can move the session.
pub const fn exchange_zone() -> TimeZone {
    jiff::tz::get!("America/New_York")
}

/// The New York date of a moment.
pub fn exchange_date(moment: Timestamp) -> Date {
    moment.to_zoned(exchange_zone()).date()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn week() -> Calendar {
        let day = |d| Session::at(d, time(9, 30, 0, 0), time(16, 0, 0, 0)).unwrap();
        Calendar::new(vec![
            day(date(2026, 11, 30)),
            day(date(2026, 11, 25)),
            Session::at(date(2026, 11, 27), time(9, 30, 0, 0), time(13, 0, 0, 0)).unwrap(),
            day(date(2026, 11, 25)),
        ])
    }

    #[test]
    fn neighbours_skip_closed_days() {
        let calendar = week();
        assert_eq!(calendar.sessions().len(), 3);
        assert_eq!(calendar.on(date(2026, 11, 26)), None);
        assert_eq!(calendar.before(date(2026, 11, 26)).unwrap().date, date(2026, 11, 25));
        assert_eq!(calendar.before(date(2026, 11, 25)), None);
        assert_eq!(calendar.after(date(2026, 11, 27)).unwrap().date, date(2026, 11, 30));
        assert_eq!(calendar.sessions_between(date(2026, 11, 25), date(2026, 11, 30)), 2);
    }

    #[test]
    fn a_half_day_closes_at_one_in_new_york() {
        let half = *week().on(date(2026, 11, 27)).unwrap();
        assert_eq!(half.close.to_string(), "2026-11-27T18:00:00Z");
        assert!(half.is_open_at("2026-11-27T17:59:59Z".parse().unwrap()));
        assert!(!half.is_open_at(half.close));
    }

    #[test]
    fn the_exchange_date_is_new_yorks() {
        assert_eq!(exchange_date("2026-11-21T02:00:00Z".parse().unwrap()), date(2026, 11, 20));
        assert_eq!(exchange_date("2026-07-01T04:00:00Z".parse().unwrap()), date(2026, 7, 1));
    }
}

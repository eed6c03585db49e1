//! When the simulated exchange opens: the NYSE's own rules, or the dates of given price files.
//!
//! Rules for 2017 to 2029, checked against the published calendars of 2019 to 2027. Holidays:
//! <https://www.nyse.com/markets/hours-calendars>, NYSE rule 7.2: a holiday on a Saturday closes the
//! Friday, except New Year's Day; one on a Sunday closes the Monday.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday, date, time};

use crate::domain::session::{Calendar, Session};

const FIRST_YEAR: i16 = 2017;
const LAST_YEAR: i16 = 2029;
const OPEN: Time = time(9, 30, 0, 0);
const CLOSE: Time = time(16, 0, 0, 0);
/// The close of a half day.
pub const EARLY_CLOSE: Time = time(13, 0, 0, 0);
/// Days of national mourning.
const MOURNING: [Date; 2] = [date(2018, 12, 5), date(2025, 1, 9)];

static BY_RULE: LazyLock<Calendar> = LazyLock::new(by_rule);

/// The simulated exchange's sessions.
#[derive(Debug, Clone)]
pub struct TradingDays(Calendar);

impl TradingDays {
    /// The NYSE's sessions by its rules.
    pub fn nyse() -> Self {
        Self(BY_RULE.clone())
    }

    /// Sessions on exactly these dates, half days by the rules; the rules go on after the last.
    ///
    /// Prices decide over rules, so that a day without prices is never a session.
    pub fn listed(dates: impl IntoIterator<Item = Date>) -> Self {
        let mut sessions: Vec<Session> = dates.into_iter().filter_map(session_on).collect();
        let last = sessions.iter().map(|session| session.date).max();
        let later = BY_RULE.sessions().iter().filter(|session| Some(session.date) > last);
        sessions.extend(later);
        Self(Calendar::new(sessions))
    }

    /// The same without a session, as when the exchange closes unannounced.
    #[must_use]
    pub fn without(&self, day: Date) -> Self {
        let kept = self.0.sessions().iter().filter(|session| session.date != day);
        Self(Calendar::new(kept.copied().collect()))
    }

    /// The same with a session of one's own hours, in place of the day's.
    #[must_use]
    pub fn with(&self, session: Session) -> Self {
        let mut sessions = self.without(session.date).0.sessions().to_vec();
        sessions.push(session);
        Self(Calendar::new(sessions))
    }

    /// The same with an early close at 13:00 on a day.
    #[must_use]
    pub fn shortened(&self, day: Date) -> Self {
        let short = |session: &Session| {
            let early = Session::at(day, OPEN, EARLY_CLOSE);
            if session.date == day { early.unwrap_or(*session) } else { *session }
        };
        Self(Calendar::new(self.0.sessions().iter().map(short).collect()))
    }

    /// All sessions, oldest first.
    pub fn sessions(&self) -> &[Session] {
        self.0.sessions()
    }

    /// The session of a date.
    pub fn on(&self, day: Date) -> Option<&Session> {
        self.0.on(day)
    }

    /// The session that is open at a moment.
    pub fn open_at(&self, now: Timestamp) -> Option<&Session> {
        self.closing_after(now).filter(|session| session.is_open_at(now))
    }

    /// The last session that had closed by a moment.
    pub fn closed_by(&self, now: Timestamp) -> Option<&Session> {
        let end = self.0.sessions().partition_point(|session| session.close <= now);
        end.checked_sub(1).and_then(|at| self.0.sessions().get(at))
    }

    /// The first session that closes after a moment: the one going on, or the next.
    pub fn closing_after(&self, now: Timestamp) -> Option<&Session> {
        let end = self.0.sessions().partition_point(|session| session.close <= now);
        self.0.sessions().get(end)
    }

    /// The first session that opens after a moment.
    pub fn opening_after(&self, now: Timestamp) -> Option<&Session> {
        let end = self.0.sessions().partition_point(|session| session.open <= now);
        self.0.sessions().get(end)
    }

    /// The session after a date.
    pub fn after(&self, day: Date) -> Option<&Session> {
        self.0.after(day)
    }

    /// The session before a date.
    pub fn before(&self, day: Date) -> Option<&Session> {
        self.0.before(day)
    }
}

fn by_rule() -> Calendar {
    let days = date(FIRST_YEAR, 1, 1).series(jiff::ToSpan::days(1));
    let sessions = days
        .take_while(|day| day.year() <= LAST_YEAR)
        .filter(|day| !is_weekend(*day) && !is_holiday(*day))
        .filter_map(session_on);
    Calendar::new(sessions.collect())
}

fn session_on(day: Date) -> Option<Session> {
    Session::at(day, OPEN, if is_half_day(day) { EARLY_CLOSE } else { CLOSE })
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn is_holiday(day: Date) -> bool {
    let year = day.year();
    let nth = |month, nth, weekday| nth_weekday(year, month, nth, weekday) == Some(day);
    let fixed = |month, dom| observed(date(year, month, dom)) == day;
    nth(1, 3, Weekday::Monday)                                  // Martin Luther King
        || nth(2, 3, Weekday::Monday)                           // Washington
        || nth(5, -1, Weekday::Monday)                          // Memorial Day
        || nth(9, 1, Weekday::Monday)                           // Labor Day
        || nth(11, 4, Weekday::Thursday)                        // Thanksgiving
        || day == good_friday(year)
        || (fixed(1, 1) && date(year, 1, 1).weekday() != Weekday::Saturday)
        || (year >= 2022 && fixed(6, 19))
        || fixed(7, 4)
        || fixed(12, 25)
        || MOURNING.contains(&day)
}

fn is_half_day(day: Date) -> bool {
    let year = day.year();
    let eve = |month, dom| {
        day == date(year, month, dom) && !is_weekend(day) && !is_holiday(day) && {
            // The eve of a holiday that itself falls on a weekday.
            day.tomorrow().is_ok_and(|next| !is_weekend(next))
        }
    };
    let thanksgiving = nth_weekday(year, 11, 4, Weekday::Thursday);
    eve(7, 3) || eve(12, 24) || thanksgiving.and_then(|day| day.tomorrow().ok()) == Some(day)
}

fn observed(holiday: Date) -> Date {
    let weekday = holiday.weekday();
    let moved = if weekday == Weekday::Saturday {
        holiday.yesterday()
    } else if weekday == Weekday::Sunday {
        holiday.tomorrow()
    } else {
        return holiday;
    };
    moved.unwrap_or(holiday)
}

fn nth_weekday(year: i16, month: i8, nth: i8, weekday: Weekday) -> Option<Date> {
    date(year, month, 1).nth_weekday_of_month(nth, weekday).ok()
}

/// The Friday before Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, ch. 8).
#[expect(clippy::many_single_char_names, reason = "the published algorithm's own names")]
fn good_friday(year: i16) -> Date {
    let year_number = i32::from(year);
    let (a, b, c) = (year_number % 19, year_number / 100, year_number % 100);
    let (d, e, f) = (b / 4, b % 4, (b + 8) / 25);
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let days_after_march_1 = h + l - 7 * m + 21; // Easter Sunday
    let friday = jiff::ToSpan::days(i64::from(days_after_march_1) - 2);
    date(year, 3, 1).checked_add(friday).unwrap_or(date(year, 3, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(year: i16) -> usize {
        TradingDays::nyse().sessions().iter().filter(|s| s.date.year() == year).count()
    }

    #[test]
    fn years_have_the_published_number_of_sessions() {
        let known = [(2019, 252), (2020, 253), (2021, 252), (2022, 251), (2023, 250), (2024, 252)];
        for (year, sessions) in known.into_iter().chain([(2025, 250), (2026, 251), (2027, 251)]) {
            assert_eq!(count(year), sessions, "{year}");
        }
    }

    #[test]
    fn the_published_closures_are_no_sessions() {
        let days = TradingDays::nyse();
        let closed = [
            "2019-04-19",
            "2020-04-10",
            "2020-07-03",
            "2021-12-24",
            "2022-06-20",
            "2022-12-26",
            "2023-01-02",
            "2024-03-29",
            "2025-01-09",
            "2025-04-18",
            "2026-04-03",
            "2026-07-03",
            "2026-11-26",
            "2027-03-26",
            "2027-06-18",
            "2027-07-05",
            "2027-12-24",
        ];
        for text in closed {
            assert!(days.on(text.parse().unwrap()).is_none(), "{text}");
        }
        for text in ["2021-06-18", "2021-12-31", "2022-10-10", "2026-11-11", "2027-12-31"] {
            assert!(days.on(text.parse().unwrap()).is_some(), "{text}");
        }
    }

    #[test]
    fn half_days_close_at_one() {
        let days = TradingDays::nyse();
        let halves: Vec<String> = days
            .sessions()
            .iter()
            .filter(|session| session.close.duration_since(session.open).as_hours() < 4)
            .map(|session| session.date.to_string())
            .filter(|text| ("2019".."2028").contains(&text.as_str()))
            .collect();
        let published = [
            "2019-07-03",
            "2019-11-29",
            "2019-12-24",
            "2020-11-27",
            "2020-12-24",
            "2021-11-26",
            "2022-11-25",
            "2023-07-03",
            "2023-11-24",
            "2024-07-03",
            "2024-11-29",
            "2024-12-24",
            "2025-07-03",
            "2025-11-28",
            "2025-12-24",
            "2026-11-27",
            "2026-12-24",
            "2027-11-26",
        ];
        assert_eq!(halves, published);
    }

    #[test]
    fn a_listed_calendar_has_the_listed_days_and_goes_on_by_the_rules() {
        let days = TradingDays::listed([date(2025, 12, 30), date(2026, 1, 2)]);
        let first: Vec<Date> = days.sessions().iter().take(3).map(|s| s.date).collect();
        assert_eq!(first, [date(2025, 12, 30), date(2026, 1, 2), date(2026, 1, 5)]);
    }

    #[test]
    fn an_exchange_can_close_unannounced_or_early() {
        let day = date(2026, 11, 20);
        let days = TradingDays::nyse();
        assert!(days.without(day).on(day).is_none());
        let early = days.shortened(day);
        assert_eq!(early.on(day).unwrap().close.to_string(), "2026-11-20T18:00:00Z");
    }
}

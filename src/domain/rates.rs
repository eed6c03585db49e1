//! How the last thirty days went, in counts: orders filled of planned, attempts refused, runs good.

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::order::AttemptState;
use crate::domain::report::{RunReport, Verdict};

/// Days that count.
const DAYS: i64 = 30;
/// Fewer orders or attempts say nothing about a rate.
const COUNT_LEAST: u32 = 20;
/// Share of the planned orders below which too few are filled.
const FILLED_LEAST: Decimal = Decimal::from_parts(95, 0, 0, false, 2);
/// Share of the attempts above which too many are refused.
const REFUSED_MOST: Decimal = Decimal::from_parts(5, 0, 0, false, 2);

/// What the runs of a session came to; added up, what those of many did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Orders planned.
    pub planned: u32,
    /// Orders filled in full.
    pub filled: u32,
    /// Attempts that left us.
    pub attempts: u32,
    /// Attempts refused or rejected by the broker.
    pub refused: u32,
    /// Runs on days on which the exchange was open.
    pub runs: u32,
    /// Runs after which nobody had to look.
    pub good: u32,
}

/// Counts by session, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rates(pub Vec<(Date, Counts)>);

impl Rates {
    /// Counts a run that has ended, and drops what is older than thirty days before it.
    pub fn count(&mut self, report: &RunReport) {
        let session = report.key.session;
        let from = session.saturating_sub(DAYS.days());
        self.0.retain(|(day, _)| *day > from && *day <= session);
        if matches!(report.verdict, Verdict::Closed | Verdict::Preview) {
            return;
        }
        let counts = Counts::of(report);
        match self.0.last_mut() {
            Some((day, known)) if *day == session => *known = known.and(counts),
            Some(_) | None => self.0.push((session, counts)),
        }
    }

    /// All of it added up.
    pub fn total(&self) -> Counts {
        self.0.iter().fold(Counts::default(), |sum, (_, counts)| sum.and(*counts))
    }
}

impl Counts {
    /// What one run came to.
    pub fn of(report: &RunReport) -> Self {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let outcomes = || report.execution.outcomes();
        let states = || outcomes().flat_map(|outcome| &outcome.attempts).map(|one| one.state);
        let refused =
            |state: &AttemptState| matches!(state, AttemptState::Refused | AttemptState::Rejected);
        Self {
            planned: number(report.planned_orders()),
            filled: number(outcomes().filter(|outcome| outcome.is_filled()).count()),
            attempts: number(states().filter(|state| *state != AttemptState::Drafted).count()),
            refused: number(states().filter(refused).count()),
            runs: 1,
            good: u32::from(report.verdict.is_good()),
        }
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            planned: self.planned.saturating_add(other.planned),
            filled: self.filled.saturating_add(other.filled),
            attempts: self.attempts.saturating_add(other.attempts),
            refused: self.refused.saturating_add(other.refused),
            runs: self.runs.saturating_add(other.runs),
            good: self.good.saturating_add(other.good),
        }
    }

    /// Share of the planned orders that were filled.
    pub fn filled_share(self) -> Option<Decimal> {
        Decimal::from(self.filled).checked_div(self.planned.into())
    }

    /// Share of the attempts that were refused.
    pub fn refused_share(self) -> Option<Decimal> {
        Decimal::from(self.refused).checked_div(self.attempts.into())
    }

    /// Share of the runs that were good.
    pub fn good_share(self) -> Option<Decimal> {
        Decimal::from(self.good).checked_div(self.runs.into())
    }

    /// Whether too few orders are filled, where there are enough to say so.
    pub fn fills_too_little(self) -> bool {
        let share = self.filled_share().filter(|_| self.planned >= COUNT_LEAST);
        share.is_some_and(|share| share < FILLED_LEAST)
    }

    /// Whether too many attempts are refused, where there are enough to say so.
    pub fn is_refused_too_often(self) -> bool {
        let share = self.refused_share().filter(|_| self.attempts >= COUNT_LEAST);
        share.is_some_and(|share| share > REFUSED_MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_need_a_score_of_orders_and_are_strict_at_their_edge() {
        let filled = |filled, planned| Counts { planned, filled, ..Counts::default() };
        assert!(filled(18, 20).fills_too_little() && !filled(19, 20).fills_too_little());
        assert!(!filled(0, 19).fills_too_little());
        let refused = |refused, attempts| Counts { attempts, refused, ..Counts::default() };
        assert!(refused(2, 20).is_refused_too_often() && !refused(1, 20).is_refused_too_often());
        assert!(!refused(19, 19).is_refused_too_often());
        assert_eq!(Counts::default().filled_share(), None);
    }
}

//! The dead-man check: what a look at a session's records can find, and what each finding means.
//!
//! A look judges by the records alone: it cannot ask the broker, and it does not know the
//! calendar. On a holiday a run ends as closed, which is a good end; only Saturdays and Sundays
//! have no run at all. Reading the records is `application::watch`, the letter is `presentation`.

use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::report::{RunReport, Verdict};
use crate::domain::run::RunKey;

const COMPONENT: &str = "watch";
/// Incidents of the run that a look repeats; the run's own letter has all of them.
const SAID_MAX: usize = 4;
/// After its scheduled time a run may still make a plan for 20 minutes, and a plan is good for 15
/// more: without a plan it cannot send an order later than this.
pub const PLANNING_MAX: SignedDuration = SignedDuration::from_mins(35);

/// One look at a session's run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The run: the highest generation with a record, or else the scheduled one.
    pub run: RunKey,
    /// When.
    pub at: Timestamp,
    /// What was found.
    pub finding: Finding,
}

/// How a session's run stands, as far as its records say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "seen")]
pub enum Finding {
    /// On Saturdays and Sundays no run is due.
    NotDue,
    /// It ended well.
    Good(Ending),
    /// It ended, but not well.
    NotGood(Ending),
    /// It has no final record, and an invocation holds its lease.
    AtWork(Traces),
    /// It has no final record, and nobody works on it.
    LeftOpen(Traces),
    /// It left no record at all.
    NeverRan(Before),
    /// The records cannot be read.
    Unreadable(Box<Incident>),
    /// The look itself is not allowed.
    Refused(Box<Incident>),
}

/// What a final record says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// How the run ended, in one word.
    pub verdict: Verdict,
    /// The same in one sentence.
    pub summary: String,
    /// When.
    pub finished_at: Timestamp,
    /// Orders that were sent, each counted once whatever its attempts.
    pub sent: usize,
    /// Those of them whose end was never seen.
    pub unknown: usize,
    /// The run's own incidents, worst first, but no warnings; only the first few.
    pub said: Vec<Incident>,
}

/// What a run without a final record left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Traces {
    /// Invocations that came for it.
    pub deliveries: usize,
    /// When it was opened.
    pub opened_at: Option<Timestamp>,
    /// The last lease.
    pub lease: Option<Lease>,
    /// Its plan.
    pub plan: Option<Planned>,
    /// Its sells, once they were over.
    pub sells: Option<Phase>,
    /// Orders of its buy plan.
    pub buy_plan: Option<usize>,
    /// Its buys, once they were over.
    pub buys: Option<Phase>,
    /// Second and further attempts at its orders.
    pub repeats: usize,
    /// What was mailed about it, each by its code.
    pub mailed: Vec<String>,
    /// No order of it can leave after this.
    pub orders_until: Option<Timestamp>,
    /// The newest of the records that were read, with its time.
    pub newest: Option<(String, Timestamp)>,
}

/// Who may work on a run, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Until when.
    pub until: Timestamp,
    /// Whether it was given back before.
    pub returned: bool,
}

/// A plan that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Sells in it.
    pub sells: usize,
    /// Buys in it.
    pub buys: usize,
    /// No order of it leaves from here on.
    pub valid_until: Timestamp,
}

/// One side's orders, after their phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Orders.
    pub orders: usize,
    /// Those filled in full.
    pub filled: usize,
    /// Those whose end was not seen.
    pub unknown: usize,
}

/// What came before a run that never was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Before {
    /// No final record of the account was found.
    Nothing,
    /// The last final record.
    Final {
        /// Its session.
        session: Date,
        /// How that run ended.
        verdict: Verdict,
        /// When.
        finished_at: Timestamp,
    },
    /// What came before cannot be read.
    Unreadable {
        /// Why.
        why: String,
    },
}

/// Whether a run is due on an exchange date: on every weekday. A closed exchange is for the run to
/// find out, because the broker's calendar decides.
pub fn is_due(session: Date) -> bool {
    !matches!(session.weekday(), Weekday::Saturday | Weekday::Sunday)
}

impl Ending {
    /// What a look repeats of a report.
    pub fn of(report: &RunReport) -> Self {
        let mut said: Vec<Incident> = report
            .incidents
            .iter()
            .filter(|incident| incident.category != Category::Warning)
            .cloned()
            .collect();
        said.sort_by_key(|incident| incident.category);
        said.truncate(SAID_MAX);
        let outcomes = || report.execution.outcomes();
        Self {
            verdict: report.verdict,
            summary: report.summary.clone(),
            finished_at: report.finished_at,
            sent: outcomes().filter(|outcome| !outcome.attempts.is_empty()).count(),
            unknown: outcomes().filter(|outcome| outcome.is_unknown()).count(),
            said,
        }
    }
}

impl Traces {
    /// Whether somebody holds the lease at a moment.
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.lease.is_some_and(|lease| !lease.returned && now < lease.until)
    }

    /// Whether all its orders should have had their end by a moment.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.orders_until.is_none_or(|until| until <= now)
    }

    /// What is known of its orders, in words.
    pub fn orders(&self) -> String {
        let Some(plan) = self.plan else { return "no plan and so no order".to_owned() };
        let mut words = vec![format!("a plan with {} and {}", sells(plan.sells), buys(plan.buys))];
        words.push(match self.sells {
            Some(phase) => format!("sells over, {}", phase.words()),
            None => "no end of the sells".to_owned(),
        });
        match (self.buys, self.buy_plan) {
            (Some(phase), _) => words.push(format!("buys over, {}", phase.words())),
            (None, Some(orders)) => {
                words.push(format!("{} begun and no end of them", buys(orders)));
            }
            (None, None) if self.sells.is_some() => words.push("no buys begun".to_owned()),
            (None, None) => {}
        }
        words.join("; ")
    }
}

impl Phase {
    fn words(self) -> String {
        let Self { orders, filled, unknown } = self;
        match unknown {
            0 => format!("{filled} of {orders} filled"),
            unknown => format!("{filled} of {orders} filled, {unknown} with an end unknown"),
        }
    }
}

impl Finding {
    /// One word for records, logs and the names of what was told.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotDue => "not-due",
            Self::Good(_) => "good",
            Self::NotGood(_) => "not-good",
            Self::AtWork(_) => "at-work",
            Self::LeftOpen(_) => "left-open",
            Self::NeverRan(_) => "never-ran",
            Self::Unreadable(_) => "unreadable",
            Self::Refused(_) => "refused",
        }
    }

    /// True when nobody has to look: no run is due, or the run due ended well.
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::NotDue | Self::Good(_))
    }
}

impl Look {
    /// What was found, in one sentence.
    pub fn sentence(&self) -> String {
        let session = self.run.session;
        match &self.finding {
            Finding::NotDue => format!("no run is due on {}", session.strftime("%A %Y-%m-%d")),
            Finding::Good(ending) | Finding::NotGood(ending) => {
                format!("the run ended {}: {}", ending.verdict.word(), ending.summary)
            }
            Finding::AtWork(traces) => {
                format!("the run has not ended and is being worked on; {}", traces.orders())
            }
            Finding::LeftOpen(traces) => {
                format!("the run has not ended and nobody works on it; {}", traces.orders())
            }
            Finding::NeverRan(before) => {
                format!("no run of {session} left any record; {}", before.words())
            }
            Finding::Unreadable(incident) | Finding::Refused(incident) => incident.what.clone(),
        }
    }

    /// The finding as an incident; `None` when it is good.
    pub fn incident(&self) -> Option<Incident> {
        let mut incident = match &self.finding {
            Finding::NotDue | Finding::Good(_) => return None,
            Finding::NotGood(ending) => self.not_good(ending),
            Finding::AtWork(traces) => self.at_work(traces),
            Finding::LeftOpen(traces) => self.left_open(traces),
            Finding::NeverRan(_) => self.never_ran(),
            Finding::Unreadable(incident) | Finding::Refused(incident) => (**incident).clone(),
        };
        incident.at = Some(self.at);
        Some(incident)
    }

    fn not_good(&self, ending: &Ending) -> Incident {
        let (category, meaning) = match ending.verdict {
            Verdict::Unknown => {
                (Category::Critical, "An order of the run may still be executed at the broker.")
            }
            Verdict::Failed => {
                (Category::Critical, "Something broke on the way; the sleeves are not as wanted.")
            }
            Verdict::Partial => {
                (Category::Trading, "Sleeves lack what was not filled until their next run.")
            }
            Verdict::Blocked
            | Verdict::Done
            | Verdict::NothingToDo
            | Verdict::Closed
            | Verdict::Preview => (Category::Trading, "A guard kept the run from trading."),
        };
        let told =
            ending.said.iter().map(|said| said.action.as_str()).find(|to_do| !to_do.is_empty());
        let read = format!("Read the run's letter, or reports/{}.html in the store.", self.run);
        Incident::new(category, Code::RunNotGood, COMPONENT, self.sentence())
            .meaning(meaning)
            .action(told.map_or(read, str::to_owned))
    }

    /// An invocation that works longer than any order of the run can be good has trouble to see
    /// the orders' ends; before that, it does what it should.
    fn at_work(&self, traces: &Traces) -> Incident {
        let overdue = traces.is_overdue(self.at);
        let category = if overdue { Category::Trading } else { Category::Warning };
        Incident::new(category, Code::RunAtWork, COMPONENT, self.sentence())
            .meaning("Its end is not known yet; the next look tells it.")
            .action("Wait for the run's own letter; if none comes, look at the function's log.")
    }

    fn left_open(&self, traces: &Traces) -> Incident {
        let meaning = match traces.plan {
            None => "Nothing was traded: a plan is kept before the first order leaves.",
            Some(_) => "Orders may have been sent, and no report tells what became of them.",
        };
        Incident::new(Category::Critical, Code::RunLeftOpen, COMPONENT, self.sentence())
            .meaning(meaning)
            .action(
                "Send the function a resume event for this session: it asks the broker and ends the run.",
            )
    }

    fn never_ran(&self) -> Incident {
        Incident::new(Category::Critical, Code::NoRun, COMPONENT, self.sentence())
            .meaning("Nothing was traded: a run leaves a record before it sends anything.")
            .action(
                "Look at the function's log and its failure queue for why; the next run goes on from the last record.",
            )
    }
}

impl Before {
    fn words(&self) -> String {
        match self {
            Self::Nothing => "the account has no final record at all".to_owned(),
            Self::Final { session, verdict, .. } => {
                format!("the last final record is of {session} ({})", verdict.word())
            }
            Self::Unreadable { why } => format!("what came before cannot be read: {why}"),
        }
    }
}

fn sells(count: usize) -> String {
    if count == 1 { "1 sell".to_owned() } else { format!("{count} sells") }
}

fn buys(count: usize) -> String {
    if count == 1 { "1 buy".to_owned() } else { format!("{count} buys") }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_run_is_due_on_every_weekday_holiday_or_not() {
        let due: Vec<i8> = (16..=27).filter(|day| is_due(date(2026, 11, *day))).collect();
        assert_eq!(due, [16, 17, 18, 19, 20, 23, 24, 25, 26, 27]);
    }

    #[test]
    fn a_lease_that_was_given_back_or_ran_out_is_not_held() {
        let now: Timestamp = "2026-11-20T15:00:00Z".parse().unwrap();
        let held = |until: &str, returned| {
            let lease = Some(Lease { until: until.parse().unwrap(), returned });
            Traces { lease, ..Traces::default() }.is_held(now)
        };
        assert!(held("2026-11-20T15:00:01Z", false));
        assert!(!held("2026-11-20T15:00:00Z", false));
        assert!(!held("2026-11-20T15:00:01Z", true));
        assert!(!Traces::default().is_held(now));
    }

    #[test]
    fn a_run_that_says_nothing_of_its_orders_is_overdue() {
        let now: Timestamp = "2026-11-20T15:00:00Z".parse().unwrap();
        let overdue = |until: Option<&str>| {
            let orders_until = until.map(|until| until.parse().unwrap());
            Traces { orders_until, ..Traces::default() }.is_overdue(now)
        };
        assert!(overdue(None) && overdue(Some("2026-11-20T15:00:00Z")));
        assert!(!overdue(Some("2026-11-20T15:00:01Z")));
    }
}

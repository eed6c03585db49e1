//! A day, week or month of an account, as its records tell it.
//!
//! It is a fold over final records, oldest first, each looked at once and let go; only the newest is
//! kept whole. What was before the period gives the equity that it starts from.

use std::collections::BTreeMap;
use std::fmt;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::books::returns::{Point, of_sleeve, points, time_weighted};
use crate::domain::books::{Books, SleeveBook};
use crate::domain::execution::OrderOutcome;
use crate::domain::incident::{Category, Incident};
use crate::domain::money::{Usd, Weight};
use crate::domain::order::Side;
use crate::domain::quality::CostTable;
use crate::domain::rates::Counts;
use crate::domain::report::{EquityPoint, RunReport, Verdict};
use crate::domain::run::{AccountName, Mode, RunAction, RunKey, StrategyName};
use crate::domain::strategy::Signal;
use crate::domain::symbol::Symbol;

/// Kinds of incidents remembered of a period; the records have all.
const INCIDENTS_MAX: usize = 60;

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Span {
    /// One day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A month of the calendar.
    Month,
}

/// A stretch of whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Period {
    /// How long it is.
    pub span: Span,
    /// Its first day.
    pub first: Date,
    /// Its last day.
    pub last: Date,
}

impl Period {
    /// The period that a date lies in.
    pub fn holding(span: Span, date: Date) -> Self {
        let (first, last) = match span {
            Span::Day => (date, date),
            Span::Week => {
                let days = i64::from(date.weekday().to_monday_zero_offset());
                let first = date.saturating_sub(days.days());
                (first, first.saturating_add(6.days()))
            }
            Span::Month => (date.first_of_month(), date.last_of_month()),
        };
        Self { span, first, last }
    }

    /// The newest period that has no session to come when this day ends: the day itself, at a weekend
    /// its week, else the week before, and the month before unless it is the last of its month.
    pub fn newest(span: Span, today: Date) -> Self {
        let this = Self::holding(span, today);
        let is_over = match span {
            Span::Day => true,
            Span::Week => matches!(today.weekday(), Weekday::Saturday | Weekday::Sunday),
            Span::Month => today == this.last,
        };
        if is_over { this } else { Self::holding(span, this.first.saturating_sub(1.day())) }
    }

    /// True for a day of it.
    pub fn holds(&self, date: Date) -> bool {
        (self.first..=self.last).contains(&date)
    }
}

impl fmt::Display for Period {
    /// `2026-11-20`, `2026-W47` or `2026-11`, as records are named.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.span {
            Span::Day => write!(f, "{}", self.first),
            Span::Week => {
                let week = self.first.iso_week_date();
                write!(f, "{}-W{:02}", week.year(), week.week())
            }
            Span::Month => write!(f, "{}", self.first.strftime("%Y-%m")),
        }
    }
}

/// A letter about a period that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodRequest {
    /// Paper or live.
    pub mode: Mode,
    /// The account that it is for, whose records also keep that it was sent.
    pub account: AccountName,
    /// All accounts that it tells of, when it is a digest.
    pub accounts: Vec<AccountName>,
    /// The period.
    pub period: Period,
}

impl PeriodRequest {
    /// Where its page and what became of it lie in the store, without the ending.
    pub fn place(&self) -> String {
        let Self { mode, account, accounts, period } = self;
        let digest = if accounts.is_empty() { "" } else { "-digest" };
        format!("reports/{mode}/{account}/{period}{digest}")
    }
}

/// One run of the period in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunLine {
    /// The run.
    pub key: RunKey,
    /// How it ended.
    pub verdict: Verdict,
    /// The verdict in one sentence.
    pub summary: String,
    /// What it did.
    pub counts: Counts,
    /// Equity after it, if the account could be read.
    pub equity: Option<Usd>,
}

/// An incident of the period, however often it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repeated {
    /// As it was the last time.
    pub incident: Incident,
    /// Runs in which it came.
    pub runs: u32,
    /// The first session.
    pub first: Date,
    /// The last session.
    pub last: Date,
}

/// What a strategy did in the period.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Course {
    /// Signals it gave.
    pub signals: u32,
    /// Times that it could give none.
    pub failures: u32,
    /// Signals whose weights were not those of the one before.
    pub changes: u32,
    /// The smallest margin of all its signals, with its session.
    pub nearest: Option<(f64, Date)>,
    /// What the last signal wanted, cash last.
    #[serde(skip)]
    last: Option<(Vec<(Symbol, Weight)>, Weight)>,
}

/// What the period came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The period.
    pub period: Period,
    /// Its runs, oldest first; previews are none.
    pub runs: Vec<RunLine>,
    /// Orders and runs in counts.
    pub counts: Counts,
    /// Money from sells.
    pub sold: Usd,
    /// Money for buys.
    pub bought: Usd,
    /// What the executions cost.
    pub costs: CostTable,
    /// Incidents by code and component, the worst first.
    pub incidents: Vec<Repeated>,
    /// The strategies.
    pub courses: BTreeMap<StrategyName, Course>,
    /// Sessions known to the records of which none tells a run; of several in a row the first.
    pub missed: Vec<Date>,
    /// Records that cannot be read.
    pub unreadable: u32,
    /// The newest report up to the end of the period, of an open day if there is one.
    #[serde(skip)]
    pub newest: Option<Box<RunReport>>,
    /// The session that the last record announced.
    #[serde(skip)]
    announced: Option<Date>,
}

impl Summary {
    /// A period of which nothing is known yet but the report before it.
    pub fn after(period: Period, before: Option<RunReport>) -> Self {
        Self {
            period,
            runs: Vec::new(),
            counts: Counts::default(),
            sold: Usd::ZERO,
            bought: Usd::ZERO,
            costs: CostTable::default(),
            incidents: Vec::new(),
            courses: BTreeMap::new(),
            missed: Vec::new(),
            unreadable: 0,
            announced: before.as_ref().and_then(|before| before.next_session),
            newest: before.map(Box::new),
        }
    }

    /// Adds the next report; one of another period, or of a preview, changes nothing.
    pub fn add(&mut self, report: RunReport) {
        if !self.period.holds(report.key.session) || report.action == RunAction::Preview {
            return;
        }
        self.note_missed(report.key.session);
        let counts = Counts::of(&report);
        if report.verdict != Verdict::Closed {
            self.counts = self.counts.and(counts);
        }
        let value = |side| -> Usd {
            let orders = report.execution.outcomes().filter(|order| order.side == side);
            orders.map(OrderOutcome::value).sum()
        };
        self.sold += value(Side::Sell);
        self.bought += value(Side::Buy);
        self.costs.count(&report);
        for incident in &report.incidents {
            self.note_incident(incident, report.key.session);
        }
        for outcome in &report.signals {
            let course = self.courses.entry(outcome.strategy.clone()).or_default();
            course.add(outcome.result.as_ref().ok(), report.key.session);
        }
        self.runs.push(RunLine {
            key: report.key.clone(),
            verdict: report.verdict,
            summary: report.summary.clone(),
            counts,
            equity: report.account.as_ref().map(|account| account.equity_after),
        });
        self.announced = report.next_session;
        let is_newer = |known: &RunReport| {
            known.finished_at < report.finished_at && report.verdict != Verdict::Closed
        };
        if self.newest.as_ref().is_none_or(|known| is_newer(known)) {
            self.newest = Some(Box::new(report));
        }
    }

    /// Notes a record that cannot be read, and why.
    pub fn add_unreadable(&mut self, session: Date, why: &Incident) {
        self.unreadable = self.unreadable.saturating_add(1);
        self.note_incident(why, session);
        self.announced = None;
    }

    /// Ends it: what the last record announced and nobody ran is missed, up to the day before today.
    pub fn end(&mut self, today: Date) {
        self.note_missed(today.min(self.period.last.saturating_add(1.day())));
        self.incidents.sort_by_key(|one| (one.incident.category, std::cmp::Reverse(one.runs)));
    }

    /// The session that the last record announced, if it is of the period and before this one.
    fn note_missed(&mut self, session: Date) {
        let is_missed = |date: &Date| *date < session && self.period.holds(*date);
        self.missed.extend(self.announced.filter(is_missed));
    }

    fn note_incident(&mut self, incident: &Incident, session: Date) {
        let known = self.incidents.iter_mut().find(|one| one.incident.is_same(incident));
        if let Some(known) = known {
            known.runs = known.runs.saturating_add(1);
            known.last = session;
            known.incident = incident.clone();
        } else if self.incidents.len() < INCIDENTS_MAX {
            let incident = incident.clone();
            self.incidents.push(Repeated { incident, runs: 1, first: session, last: session });
        }
    }

    /// Equity at the end of the last session before the period, then of each of its sessions, with what
    /// was paid in between.
    pub fn equity(&self) -> Vec<Point> {
        let Some(newest) = &self.newest else { return Vec::new() };
        let by_session: BTreeMap<Date, EquityPoint> =
            newest.equity_curve.iter().map(|point| (point.session, *point)).collect();
        let inside = by_session.values().filter(|point| self.period.holds(point.session));
        let before = by_session.values().rfind(|point| point.session < self.period.first);
        let curve: Vec<EquityPoint> = before.into_iter().chain(inside).copied().collect();
        points(&curve, &newest.transfers)
    }

    /// What the account earned: the change of its equity less what was paid in, and the return without
    /// the payments. `None` without two points.
    pub fn earned(&self) -> Option<(Usd, Option<Decimal>)> {
        let points = self.equity();
        let (first, last) = (points.first()?, points.last()?);
        if points.len() < 2 {
            return None;
        }
        let paid_in: Usd = points.iter().skip(1).map(|point| point.paid_in).sum();
        Some((last.equity - first.equity - paid_in, time_weighted(&points)))
    }

    /// Cash paid in (negative: out) during the period.
    pub fn paid_in(&self) -> Usd {
        self.equity().iter().skip(1).map(|point| point.paid_in).sum()
    }

    /// What the same money would have earned in the market over the same sessions.
    pub fn market(&self) -> Option<(String, Decimal)> {
        let benchmark = self.newest.as_ref()?.benchmark.as_ref()?;
        let points = self.equity();
        let close = |point: &Point| benchmark.closes.get(&point.session);
        let (first, last) = (close(points.first()?)?, close(points.last()?)?);
        let growth = last.usd().ratio_to(first.usd())?;
        Some((benchmark.symbol.to_string(), growth - Decimal::ONE))
    }

    /// What each sleeve earned in the period, with its return; those of old first.
    pub fn sleeves(&self) -> Vec<(StrategyName, Usd, Option<Decimal>)> {
        let Some(books) = self.newest.as_ref().and_then(|newest| newest.books.as_ref()) else {
            return Vec::new();
        };
        let each = books.sleeves.iter().filter_map(|(name, book)| {
            let (profit, rate) = self.of_sleeve(books, book)?;
            Some((name.clone(), profit, rate))
        });
        each.collect()
    }

    fn of_sleeve(&self, books: &Books, book: &SleeveBook) -> Option<(Usd, Option<Decimal>)> {
        let inside = book.days.iter().filter(|day| self.period.holds(day.session));
        let before = book.days.iter().rfind(|day| day.session < self.period.first);
        let days: Vec<_> = before.into_iter().chain(inside).copied().collect();
        let last = days.last().filter(|day| self.period.holds(day.session))?;
        let first = match before {
            Some(day) => day.profit,
            None if books.began >= self.period.first => Usd::ZERO,
            None => return None, // older than what is remembered
        };
        let rate = of_sleeve(&SleeveBook { days: days.clone(), ..SleeveBook::default() });
        Some((last.profit - first, rate))
    }

    /// Sessions of the period in which the exchange was open and a run ended.
    pub fn sessions(&self) -> usize {
        let open = self.runs.iter().filter(|run| run.verdict != Verdict::Closed);
        let mut sessions: Vec<Date> = open.map(|run| run.key.session).collect();
        sessions.dedup();
        sessions.len()
    }

    /// The incidents that are more than a warning, or those that are not.
    pub fn incidents(&self, are_warnings: bool) -> impl Iterator<Item = &Repeated> {
        let is_warning = |one: &&Repeated| one.incident.category == Category::Warning;
        self.incidents.iter().filter(move |one| is_warning(one) == are_warnings)
    }

    /// True when every run ended well and none is missing.
    pub fn is_good(&self) -> bool {
        self.missed.is_empty()
            && self.unreadable == 0
            && !self.runs.is_empty()
            && self.runs.iter().all(|run| run.verdict.is_good())
    }
}

impl Course {
    fn add(&mut self, signal: Option<&Signal>, session: Date) {
        let Some(signal) = signal else {
            self.failures = self.failures.saturating_add(1);
            return;
        };
        self.signals = self.signals.saturating_add(1);
        let wants = (signal.weights.clone(), signal.cash);
        if self.last.as_ref().is_some_and(|last| *last != wants) {
            self.changes = self.changes.saturating_add(1);
        }
        self.last = Some(wants);
        if let Some(margin) = signal.confidence
            && self.nearest.is_none_or(|(nearest, _)| margin < nearest)
        {
            self.nearest = Some((margin, session));
        }
    }
}

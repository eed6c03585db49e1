//! Weeks and digests.

use jiff::civil::date;

use crate::domain::period::{Period, Span, Summary};
use crate::domain::report::RunReport;
use crate::domain::run::{AccountName, Mode};
use crate::presentation::PeriodReport;
use crate::presentation::sample::{bad_day, blocked_day, quiet_day, trading_day};

/// A report moved to a day of the week of the sample.
fn on(day: i8, mut report: RunReport) -> RunReport {
    let moved = date(2026, 11, 20) - date(2026, 11, day);
    report.key.session = date(2026, 11, day);
    report.finished_at -= jiff::SignedDuration::from_hours(i64::from(moved.get_days()) * 24);
    report.next_session = Some(date(2026, 11, day).tomorrow().unwrap());
    let shift = jiff::Span::new().days(8 - i64::from(moved.get_days()));
    for point in &mut report.equity_curve {
        point.session = point.session.checked_add(shift).unwrap();
    }
    report
}

fn summary(reports: Vec<RunReport>) -> Summary {
    let mut summary = Summary::after(Period::holding(Span::Week, date(2026, 11, 20)), None);
    for report in reports {
        summary.add(report);
    }
    summary.end(date(2026, 11, 21));
    summary
}

fn report(accounts: Vec<(&str, Summary)>) -> PeriodReport {
    let accounts = accounts
        .into_iter()
        .map(|(name, summary)| (AccountName::parse(name).unwrap(), summary))
        .collect();
    let period = Period::holding(Span::Week, date(2026, 11, 20));
    PeriodReport { mode: Mode::Paper, period, accounts }
}

/// Three days without trouble.
pub(crate) fn good_week() -> PeriodReport {
    let days = vec![on(18, trading_day()), on(19, quiet_day()), on(20, trading_day())];
    report(vec![("main", summary(days))])
}

/// A week with a bad day, a blocked one and one without a record.
pub(crate) fn bad_week() -> PeriodReport {
    let days = vec![on(16, bad_day()), on(17, blocked_day()), on(20, trading_day())];
    report(vec![("main", summary(days))])
}

/// One of each kind, with a name.
pub(crate) fn periods() -> Vec<(&'static str, PeriodReport)> {
    let of = |report: PeriodReport| report.accounts.into_iter().next().unwrap().1;
    let digest = report(vec![
        ("main", of(good_week())),
        ("second", of(bad_week())),
        ("third", summary(Vec::new())),
    ]);
    let quiet = report(vec![("main", of(good_week())), ("second", of(good_week()))]);
    vec![
        ("week", good_week()),
        ("bad-week", bad_week()),
        ("no-week", report(vec![("main", summary(Vec::new()))])),
        ("digest", digest),
        ("quiet-digest", quiet),
    ]
}

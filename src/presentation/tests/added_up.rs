//! What executions cost, and what a period of runs comes to.

use jiff::civil::{Time, Weekday, date};
use jiff::{SignedDuration, ToSpan};

use crate::domain::books::benchmark::{Benchmark, market};
use crate::domain::execution::OrderOutcome;
use crate::domain::money::{Price, Usd};
use crate::domain::period::{Period, Span, Summary};
use crate::domain::quality::{CostTable, Costs, Quality};
use crate::domain::report::{EquityPoint, RunReport};
use crate::domain::run::{RunAction, StrategyName};
use crate::presentation::sample::{bad_day, closed_day, dec, price, trading_day, usd};

/// The second sell of the sample: TQQQ, 150 at 71.25 and 60.75 at 71.22, found at 71.26.
fn sell() -> (OrderOutcome, RunReport) {
    let mut report = trading_day();
    report.marks.decided_at = report.execution.sells[1].attempts[0]
        .submitted_at
        .map(|sent| sent - SignedDuration::from_millis(1500));
    let plan = report.plan.as_mut().unwrap();
    let item = plan.items.iter_mut().find(|item| item.symbol.as_str() == "TQQQ").unwrap();
    (item.reference, item.half_spread) = (Some(price("71.30")), Some(dec("0.0003")));
    (report.execution.sells[1].clone(), report)
}

#[test]
fn shortfall_counts_from_the_decision_and_cost_from_the_mid_that_was_found() {
    let (order, report) = sell();
    let quality = Quality::of(&order, &report);
    assert_eq!(quality.cost, Some(usd("3.93")));
    assert_eq!(quality.shortfall, Some(usd("12.36")), "0.04 more on each of 210.75");
    assert_eq!(quality.decided, Some(usd("15026.475")));
    assert_eq!(quality.attempts, 2);
    let last = order.attempts.last().unwrap().ended_at.unwrap();
    let since = report.marks.decided_at.unwrap();
    assert_eq!(quality.delay, Some(last.duration_since(since)));
    assert_eq!(quality.stretch(), Time::new(9, 30, 0, 0).ok(), "14:35 UTC is 09:35 in November");
}

#[test]
fn without_a_plan_there_is_no_shortfall_and_without_a_price_no_cost() {
    let (order, mut report) = sell();
    report.plan = None;
    let quality = Quality::of(&order, &report);
    assert_eq!((quality.shortfall, quality.half_spread), (None, None));
    assert_eq!(quality.cost, Some(usd("3.93")));
    let refused = &bad_day().execution.buys[3];
    let quality = Quality::of(refused, &report);
    assert_eq!((quality.price, quality.cost, quality.value), (None, None, None));
}

#[test]
fn a_table_adds_up_what_its_orders_cost() {
    let (_, report) = sell();
    let mut table = CostTable::default();
    table.count(&report);
    table.count(&report);
    let each: Vec<Quality> =
        report.execution.outcomes().map(|order| Quality::of(order, &report)).collect();
    let priced: Vec<_> = each.iter().filter(|quality| quality.cost.is_some()).collect();
    let cost: Usd = priced.iter().filter_map(|quality| quality.cost).sum();
    assert_eq!(table.all.cost, cost + cost);
    assert_eq!(usize::try_from(table.all.orders).unwrap(), 2 * priced.len());
    let by = |costs: Vec<&Costs>| costs.iter().map(|costs| costs.shortfall).sum::<Usd>();
    assert_eq!(by(table.symbols.values().collect()), table.all.shortfall);
    assert_eq!(by(table.stretches.values().collect()), table.all.shortfall);
    assert_eq!(table.symbols.len(), priced.len(), "what has no price is in no row");
    let expected: Usd =
        priced.iter().filter_map(|quality| Some(quality.value?.scaled(quality.half_spread?))).sum();
    assert_eq!(table.all.expected, expected + expected);
}

fn week() -> Period {
    Period::holding(Span::Week, date(2026, 11, 20))
}

/// A report of a day of November 2026 whose record announces the next weekday.
fn day(day: i8, mut report: RunReport) -> RunReport {
    let session = date(2026, 11, day);
    report.key.session = session;
    report.finished_at =
        session.at(14, 36, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    let weekend = i64::from(session.weekday() == Weekday::Friday) * 2;
    report.next_session = Some(session.saturating_add((1 + weekend).days()));
    report
}

fn summary_of(before: Option<RunReport>, reports: Vec<RunReport>) -> Summary {
    let mut summary = Summary::after(week(), before);
    for report in reports {
        summary.add(report);
    }
    summary.end(date(2026, 11, 21));
    summary
}

#[test]
fn periods_are_named_as_records_are() {
    let named = |span, day| Period::holding(span, day).to_string();
    assert_eq!(named(Span::Day, date(2026, 11, 20)), "2026-11-20");
    assert_eq!(named(Span::Week, date(2026, 11, 22)), "2026-W47");
    assert_eq!(named(Span::Week, date(2026, 11, 23)), "2026-W48");
    assert_eq!(named(Span::Week, date(2027, 1, 1)), "2026-W53");
    assert_eq!(named(Span::Month, date(2026, 2, 28)), "2026-02");
}

#[test]
fn the_newest_period_has_no_session_to_come() {
    let newest = |span, day| Period::newest(span, date(2026, 11, day)).to_string();
    assert_eq!(newest(Span::Day, 20), "2026-11-20");
    assert_eq!([20, 21, 22, 23].map(|day| newest(Span::Week, day)), {
        ["2026-W46", "2026-W47", "2026-W47", "2026-W47"]
    });
    assert_eq!([1, 29, 30].map(|day| newest(Span::Month, day)), {
        ["2026-10", "2026-10", "2026-11"]
    });
}

#[test]
fn runs_orders_and_incidents_are_added_up() {
    let days = vec![day(18, bad_day()), day(19, trading_day()), day(20, bad_day())];
    let summary = summary_of(None, days);
    assert_eq!((summary.counts.planned, summary.counts.filled), (24, 6 + 8 + 6));
    assert_eq!((summary.counts.runs, summary.counts.good), (3, 1));
    let told: Vec<_> = summary
        .incidents(false)
        .map(|one| (one.incident.code.as_str(), one.runs, one.first.day(), one.last.day()))
        .collect();
    assert!(told.contains(&("order-not-filled", 2, 18, 20)), "{told:?}");
    assert_eq!(summary.incidents(true).count(), 1);
    assert!(!summary.is_good());
    let klm = &summary.courses[&StrategyName::parse("klm").unwrap()];
    assert_eq!((klm.signals, klm.failures, klm.changes), (1, 2, 0));
}

#[test]
fn a_signal_that_wants_something_else_is_a_change() {
    let mut other = trading_day();
    other.signals[1].result.as_mut().unwrap().weights.clear();
    let same = day(20, other.clone());
    let summary = summary_of(None, vec![day(18, trading_day()), day(19, other), same]);
    let changes: Vec<u32> = summary.courses.values().map(|course| course.changes).collect();
    assert_eq!(changes, [0, 0, 1], "klm, nuclear, tecl");
}

#[test]
fn a_session_that_was_announced_and_nobody_ran_is_missed() {
    let days = |days: &[i8]| days.iter().map(|at| day(*at, trading_day())).collect();
    let missed = |before: Option<i8>, ran: &[i8]| -> Vec<i8> {
        let before = before.map(|at| day(at, trading_day()));
        summary_of(before, days(ran)).missed.iter().map(|date| date.day()).collect()
    };
    assert_eq!(missed(Some(13), &[16, 17, 18, 19, 20]), [0; 0]);
    assert_eq!(missed(Some(13), &[17, 18, 20]), [16, 19]);
    assert_eq!(missed(Some(13), &[]), [16]);
    assert_eq!(missed(None, &[17]), [18], "what came before the first record is not known");
    assert_eq!(missed(Some(12), &[16, 17, 18, 19, 20]), [0; 0], "Friday 13 is another week's");
}

#[test]
fn money_counts_from_the_end_of_the_session_before() {
    let mut report = day(20, trading_day());
    let point = |day, equity| EquityPoint { session: date(2026, 11, day), equity: usd(equity) };
    report.equity_curve =
        vec![point(12, "900"), point(13, "1000"), point(18, "1600"), point(20, "800")];
    report.transfers = [(date(2026, 11, 18), usd("500")), (date(2026, 11, 12), usd("77"))].into();
    let close = |text: &str| Price::parse(text).unwrap();
    report.benchmark = Some(Benchmark {
        symbol: market(),
        since: date(2026, 11, 12),
        first: close("100"),
        last: close("130"),
        closes: [(13, "100"), (18, "110"), (20, "121")]
            .map(|(day, at)| (date(2026, 11, day), close(at)))
            .into(),
    });
    let summary = summary_of(None, vec![report]);
    assert_eq!(summary.paid_in(), usd("500"));
    let (earned, rate) = summary.earned().unwrap();
    assert_eq!(earned, usd("-700"), "800 less 1000 and 500");
    assert_eq!(rate, Some("-0.45".parse().unwrap()), "1100/1000, then 800/1600");
    assert_eq!(summary.market(), Some(("SPY".to_owned(), "0.21".parse().unwrap())));
}

#[test]
fn a_closed_day_is_a_run_but_no_session_and_hides_no_money() {
    let holiday = day(20, closed_day());
    let summary = summary_of(None, vec![day(19, trading_day()), holiday]);
    assert_eq!((summary.runs.len(), summary.sessions(), summary.counts.runs), (2, 1, 1));
    assert!(summary.newest.as_ref().unwrap().account.is_some());
    assert!(summary.is_good());
    assert_eq!(summary.missed, []);
}

#[test]
fn previews_and_other_weeks_do_not_count() {
    let mut preview = day(19, trading_day());
    preview.action = RunAction::Preview;
    let summary = summary_of(None, vec![preview, day(13, trading_day()), day(23, bad_day())]);
    assert_eq!((summary.runs.len(), summary.newest), (0, None));
}

#[test]
fn a_record_that_cannot_be_read_is_told_and_keeps_the_period_from_being_good() {
    let mut summary = Summary::after(week(), None);
    summary.add(day(18, trading_day()));
    let why = bad_day().incidents[1].clone();
    summary.add_unreadable(date(2026, 11, 19), &why);
    summary.add(day(20, trading_day()));
    summary.end(date(2026, 11, 21));
    assert_eq!((summary.unreadable, summary.is_good()), (1, false));
    assert_eq!(summary.missed, [], "it ran, whatever became of its record");
}

//! What a period's letter tells of an account, section by section.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::domain::books::returns::Point;
use crate::domain::money::Usd;
use crate::domain::period::{Course, Repeated, RunLine, Summary};
use crate::domain::report::{EquityPoint, Verdict};
use crate::presentation::chart::equity::curve_of;
use crate::presentation::figures::{change, count, day, day_month, money, percent_change, ratio};
use crate::presentation::incidents::note;
use crate::presentation::line::clip;
use crate::presentation::orders::change_with_rate;
use crate::presentation::period::PeriodReport;
use crate::presentation::sheet::{Block, Fact, Room, Row, Section, Tone};
use crate::presentation::words::{capital, confidence, verdict_tone};

/// Equity at both ends, what came in, and what was earned.
pub(super) fn money_section(summary: &Summary) -> Option<Section> {
    let points = summary.equity();
    let (first, last) = (points.first()?, points.last()?);
    let at = |point: &Point| format!("Equity on {}", day_month(point.session));
    let mut facts = vec![Fact::new(at(first), money(first.equity))];
    if points.len() > 1 {
        facts.push(Fact::new(at(last), money(last.equity)));
    }
    if summary.paid_in() != Usd::ZERO {
        facts.push(Fact::new("Paid in", change(summary.paid_in())));
    }
    if let Some((earned, rate)) = summary.earned() {
        facts.push(Fact::new("Earned", change_with_rate(earned, rate)));
    }
    if let Some((symbol, rate)) = summary.market() {
        facts.push(Fact::new(format!("{symbol} meanwhile"), percent_change(rate)));
    }
    Section::of("Money", vec![Block::Facts(facts)])
}

/// Equity over the period beside the market.
pub(super) fn equity_chart(summary: &Summary) -> Option<Section> {
    let newest = summary.newest.as_ref()?;
    let points = summary.equity();
    let curve: Vec<EquityPoint> = points
        .iter()
        .map(|point| EquityPoint { session: point.session, equity: point.equity })
        .collect();
    let transfers: BTreeMap<Date, Usd> =
        points.iter().map(|point| (point.session, point.paid_in)).collect();
    let chart = curve_of(&curve, &transfers, newest.benchmark.as_ref())?;
    Section::of("Equity", vec![Block::Chart(chart)])
}

/// What each sleeve earned, and how often its strategy changed its mind.
pub(super) fn strategies(summary: &Summary, room: Room) -> Option<Section> {
    let earned = summary.sleeves();
    let names = summary.courses.keys().chain(earned.iter().map(|(name, ..)| name));
    let names: BTreeSet<_> = names.collect();
    let rows = names.into_iter().map(|name| {
        let sleeve = earned.iter().find(|(known, ..)| known == name);
        let profit = sleeve.map(|(_, profit, rate)| change_with_rate(*profit, *rate));
        let row = Row::new(name.as_str(), profit.unwrap_or_default());
        row.under(summary.courses.get(name).map(course).unwrap_or_default())
    });
    Section::of("Strategies", vec![Block::rows(rows.collect(), room)])
}

/// `5 signals, 2 of them new; nearest to turning 0.1% on 25 Nov, on the edge.`
fn course(course: &Course) -> String {
    let number = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let mut text = format!("{}, ", count(number(course.signals), "signal"));
    text.push_str(&match course.changes {
        0 => "all alike".to_owned(),
        changes => count(number(changes), "change"),
    });
    if course.failures > 0 {
        text.push_str(", ");
        text.push_str(&count(number(course.failures), "time"));
        text.push_str(" without one");
    }
    if let Some((margin, session)) = course.nearest {
        let on = day_month(session);
        let word = confidence(margin);
        let nearest = format!("; nearest to turning {} on {on}, {word}", ratio(margin));
        text.push_str(&nearest);
    }
    text.push('.');
    text
}

/// The runs in order, and the sessions without one.
pub(super) fn runs(summary: &Summary, room: Room) -> Option<Section> {
    let missed = summary
        .missed
        .iter()
        .map(|date| (*date, Row::new(day(*date), "no run on record").tone(Tone::Bad)));
    let told = summary.runs.iter().map(|run| (run.key.session, run_row(run, room)));
    let mut rows: Vec<(Date, Row)> = told.chain(missed).collect();
    rows.sort_by_key(|(session, _)| *session);
    let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    if rows.len() > room.rows && !room.is_page() {
        let all = rows.len();
        rows.retain(|row| matches!(row.tone, Tone::Look | Tone::Bad));
        if rows.len() < all {
            let good = format!("{} of {}", all - rows.len(), count(all, "run"));
            rows.push(Row::new(good, "good").tone(Tone::Good));
        }
    }
    Section::of("Runs", vec![Block::rows(rows, room)])
}

fn run_row(run: &RunLine, room: Room) -> Row {
    let repeat = if run.key.generation > 0 {
        format!(", repeat {}", run.key.generation)
    } else {
        String::new()
    };
    let left = format!("{}, {}{repeat}", day(run.key.session), run.key.slot);
    let right = match run.verdict {
        Verdict::Done | Verdict::Partial | Verdict::Unknown => {
            format!("{} {}/{}", run.verdict.word(), run.counts.filled, run.counts.planned)
        }
        Verdict::NothingToDo => "nothing to trade".to_owned(),
        Verdict::Closed | Verdict::Preview | Verdict::Blocked | Verdict::Failed => {
            run.verdict.word().to_owned()
        }
    };
    let row = Row::new(left, right).tone(verdict_tone(run.verdict));
    let row = match run.equity.filter(|_| run.verdict != Verdict::Closed) {
        Some(equity) if room.is_page() => row.under(money(equity)),
        Some(_) | None => row,
    };
    if run.verdict.is_good() { row } else { row.under(clip(&run.summary, room.signs)) }
}

/// What went wrong, once for each kind.
pub(super) fn trouble(report: &PeriodReport, room: Room) -> Option<Section> {
    Section::of("What went wrong", notes(report, false, room))
}

/// What is worth knowing, once for each kind.
pub(super) fn warnings(report: &PeriodReport, room: Room) -> Option<Section> {
    Section::of("Worth knowing", notes(report, true, room))
}

/// The incidents of all accounts, each once, with how often and when it came.
fn notes(report: &PeriodReport, are_warnings: bool, room: Room) -> Vec<Block> {
    let several = report.accounts.len() > 1;
    let all = report.accounts.iter().flat_map(|(account, summary)| {
        summary.incidents(are_warnings).map(move |one| (account, one))
    });
    let mut blocks: Vec<Block> = Vec::new();
    let mut more = 0_usize;
    for (account, one) in all {
        if blocks.len() >= room.rows {
            more += 1;
            continue;
        }
        let mut note = note(&one.incident, room);
        let whose = if several { format!("account {account}, ") } else { String::new() };
        note.small.insert(0, capital(&format!("{whose}{}.", times(one))).into());
        blocks.push(Block::Note(note));
    }
    if more > 0 {
        blocks.push(Block::Prose(format!("And {more} more in the records.").into()));
    }
    blocks
}

/// `in 3 runs, from 23 Nov to 25 Nov`.
fn times(one: &Repeated) -> String {
    let runs = count(usize::try_from(one.runs).unwrap_or(usize::MAX), "run");
    if one.first == one.last {
        return format!("in {runs} on {}", day_month(one.last));
    }
    format!("in {runs}, from {} to {}", day_month(one.first), day_month(one.last))
}

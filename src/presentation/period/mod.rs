//! The letter of a day, a week or a month: of one account in full, of several as a digest.

mod digest;
mod sections;

use crate::domain::period::{Period, Span, Summary};
use crate::domain::run::{AccountName, Mode};
use crate::presentation::answers::{answers, first_of};
use crate::presentation::chart::allocation::allocation;
use crate::presentation::costs;
use crate::presentation::figures::{change, count, day, day_month, dollars, money, percent_change};
use crate::presentation::line::Line;
use crate::presentation::orders::change_with_rate;
use crate::presentation::period::sections::{
    equity_chart, money_section, runs, strategies, trouble, warnings,
};
use crate::presentation::sheet::{Answer, Band, Block, Fact, Room, Section, Sheet, Tone};
use crate::presentation::subject::with_parts;
use crate::presentation::words::{listed, mode as mode_word, verdict_tone};

/// A period of some accounts of one mode.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodReport {
    /// Paper or live.
    pub mode: Mode,
    /// The period.
    pub period: Period,
    /// The accounts with what the period came to in each; at least one.
    pub accounts: Vec<(AccountName, Summary)>,
}

impl PeriodReport {
    /// True when every run of every account ended well and none is missing.
    pub fn is_good(&self) -> bool {
        self.accounts.iter().all(|(_, summary)| summary.is_good())
    }
}

/// The content for so much room.
pub(crate) fn sheet(report: &PeriodReport, room: Room) -> Sheet {
    match report.accounts.as_slice() {
        [(account, summary)] => of_one(report, account, summary, room),
        _ => digest::sheet(report, room),
    }
}

fn of_one(report: &PeriodReport, account: &AccountName, summary: &Summary, room: Room) -> Sheet {
    let equity = summary.newest.as_ref().and_then(|newest| newest.account.as_ref());
    let equity = equity.map(|account| account.equity_after);
    let money_line = match (equity, summary.earned()) {
        (Some(equity), Some((earned, rate))) => {
            format!("{} · {}", money(equity), change_with_rate(earned, rate))
        }
        (Some(equity), None) => money(equity),
        (None, _) => String::new(),
    };
    let sections = [
        trouble(report, room),
        money_section(summary),
        equity_chart(summary),
        strategies(summary, room),
        runs(summary, room),
        costs::over(&summary.costs, room),
        summary.newest.as_ref().and_then(|newest| allocation(newest)),
        warnings(report, room),
        this_letter(report, account),
    ];
    Sheet {
        title: subject(report, &parts(summary)).into(),
        band: Band {
            tone: tone(report),
            verdict: verdict(report).into(),
            when: format!("{} · {account}", name(report.period)).into(),
            headline: headline(summary).into(),
            money: money_line.into(),
        },
        answers: three(summary),
        lead: Line::default(),
        sections: sections.into_iter().flatten().collect(),
    }
}

/// `week of 23 to 29 Nov 2026`, `November 2026`, `Fri 20 Nov 2026`.
fn name(period: Period) -> String {
    let Period { span, first, last } = period;
    match span {
        Span::Day => day(first),
        Span::Week => format!("week of {} to {}", day_month(first), last.strftime("%-d %b %Y")),
        Span::Month => first.strftime("%B %Y").to_string(),
    }
}

/// As short as a subject needs it.
fn short_name(period: Period) -> String {
    match period.span {
        Span::Day => day_month(period.first),
        Span::Week => format!("{} to {}", day_month(period.first), day_month(period.last)),
        Span::Month => period.first.strftime("%b %Y").to_string(),
    }
}

const fn span_word(span: Span) -> &'static str {
    match span {
        Span::Day => "day",
        Span::Week => "week",
        Span::Month => "month",
    }
}

/// `PAPER WEEK OK`, `PAPER MONTH LOOK`, `PAPER DAY NO RUNS`.
fn verdict(report: &PeriodReport) -> String {
    let has_runs = report.accounts.iter().any(|(_, summary)| !summary.runs.is_empty());
    let word = match (report.is_good(), has_runs) {
        (true, _) => "OK",
        (false, true) => "LOOK",
        (false, false) => "NO RUNS",
    };
    format!("{} {} {word}", mode_word(report.mode), span_word(report.period.span)).to_uppercase()
}

fn tone(report: &PeriodReport) -> Tone {
    let verdicts = report.accounts.iter().flat_map(|(_, summary)| &summary.runs);
    let worst = verdicts.map(|run| verdict_tone(run.verdict)).max_by_key(|tone| match tone {
        Tone::Good => 0,
        Tone::Quiet => 1,
        Tone::Look => 2,
        Tone::Bad => 3,
    });
    match worst {
        Some(tone @ (Tone::Look | Tone::Bad)) => tone,
        Some(_) if report.is_good() => Tone::Good,
        Some(_) | None => Tone::Look,
    }
}

fn subject(report: &PeriodReport, parts: &[String]) -> String {
    with_parts(format!("[{}] {}: ", verdict(report), short_name(report.period)), parts)
}

fn parts(summary: &Summary) -> Vec<String> {
    let mut parts = Vec::new();
    let equity = summary.newest.as_ref().and_then(|newest| newest.account.as_ref());
    let rate = summary.earned().and_then(|(_, rate)| rate);
    parts.extend(match (equity, rate) {
        (Some(account), Some(rate)) => {
            Some(format!("{} ({})", dollars(account.equity_after), percent_change(rate)))
        }
        (Some(account), None) => Some(dollars(account.equity_after)),
        (None, _) => None,
    });
    let market = summary.market();
    parts.extend(market.map(|(symbol, rate)| format!("{symbol} {}", percent_change(rate))));
    parts.push(good_part(summary));
    if summary.counts.planned > 0 {
        parts.push(format!("{}/{} filled", summary.counts.filled, summary.counts.planned));
    }
    parts
}

fn good_part(summary: &Summary) -> String {
    if summary.runs.is_empty() {
        return "no run on record".to_owned();
    }
    let good = summary.runs.iter().filter(|run| run.verdict.is_good()).count();
    format!("{good}/{} runs good", summary.runs.len())
}

fn headline(summary: &Summary) -> String {
    let sessions = count(summary.sessions(), "session");
    match (&summary.earned(), summary.runs.is_empty()) {
        (_, true) => "No run is on record".to_owned(),
        (Some((earned, _)), false) => format!("{} in {sessions}", change(*earned)),
        (None, false) => format!("{sessions} on record"),
    }
}

/// The three questions of every letter, for the whole period.
fn three(summary: &Summary) -> Vec<Answer> {
    let answer = |question, text: Line, tone| Answer { question, text, tone };
    let (traded, tone) = traded(summary);
    let Some(newest) = &summary.newest else {
        let nothing = "Nothing is known: no record of this account.";
        return vec![
            answer("Traded", traded.into(), tone),
            answer("Open", nothing.into(), Tone::Look),
            answer(
                "To do",
                "Look whether the schedule is on: alchemiser status".into(),
                Tone::Look,
            ),
        ];
    };
    let mut last = answers(newest).into_iter().skip(1);
    let mut told = vec![answer("Traded", traded.into(), tone)];
    told.extend(last.next());
    let to_do = match (missed(summary), last.next()) {
        (Some(missed), Some(to_do)) if to_do.tone != Tone::Good => {
            let both = [missed.into(), to_do.text];
            Some(answer("To do", first_of(&both).into(), Tone::Look))
        }
        (Some(missed), _) => Some(answer("To do", missed.into(), Tone::Look)),
        (None, to_do) => to_do,
    };
    told.extend(to_do);
    told
}

fn traded(summary: &Summary) -> (String, Tone) {
    let sessions = count(summary.sessions(), "session");
    if summary.runs.is_empty() {
        return ("No, and no run is on record.".to_owned(), Tone::Look);
    }
    let (filled, planned) = (summary.counts.filled, summary.counts.planned);
    if planned == 0 {
        return (format!("No, nothing needed trading in {sessions}."), Tone::Good);
    }
    let text = format!(
        "{}, {filled} of {} filled in {sessions}: sold {}, bought {}.",
        if filled == planned { "Yes" } else { "In part" },
        count(usize::try_from(planned).unwrap_or(usize::MAX), "order"),
        money(summary.sold),
        money(summary.bought)
    );
    (text, if filled == planned { Tone::Good } else { Tone::Look })
}

/// What to do about sessions without a record.
fn missed(summary: &Summary) -> Option<String> {
    let days: Vec<String> = summary.missed.iter().map(|date| day_month(*date)).collect();
    let days = listed(&days, 4);
    (!days.is_empty())
        .then(|| format!("Find out why no run is on record for {days}: alchemiser status"))
}

fn this_letter(report: &PeriodReport, account: &AccountName) -> Option<Section> {
    let PeriodReport { mode, period, .. } = report;
    let span = span_word(period.span);
    let facts = vec![
        Fact::new("Period", period.to_string()),
        Fact::new("Records", format!("runs/{mode}/{account}/")),
        Fact::new(
            "Look again",
            format!(
                "alchemiser report --mode {mode} --account {account} --period {span} --of {}",
                period.first
            ),
        ),
    ];
    Section::of("This letter", vec![Block::Facts(facts)])
}

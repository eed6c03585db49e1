//! Several accounts in one letter: each in a few lines, the worst first.

use crate::domain::money::Usd;
use crate::domain::period::Summary;
use crate::domain::run::AccountName;
use crate::presentation::figures::{change, count, dollars, money};
use crate::presentation::line::Line;
use crate::presentation::orders::change_with_rate;
use crate::presentation::period::sections::{trouble, warnings};
use crate::presentation::period::{
    PeriodReport, good_part, name, span_word, subject, three, tone, verdict,
};
use crate::presentation::sheet::{Answer, Band, Block, Fact, Room, Row, Section, Sheet, Tone};

/// The content for so much room.
pub(super) fn sheet(report: &PeriodReport, room: Room) -> Sheet {
    let accounts = count(report.accounts.len(), "account");
    let total = total(report);
    let good = report.accounts.iter().filter(|(_, summary)| summary.is_good()).count();
    let good = format!("{good}/{} accounts good", report.accounts.len());
    let mut parts = vec![good.clone()];
    parts.extend(total.map(|(equity, earned)| format!("{} ({})", dollars(equity), change(earned))));
    let money_line =
        total.map(|(equity, earned)| format!("{} · {}", money(equity), change(earned)));
    let sections = [
        accounts_section(report, room),
        trouble(report, room),
        warnings(report, room),
        this_letter(report),
    ];
    Sheet {
        title: subject(report, &parts).into(),
        band: Band {
            tone: tone(report),
            verdict: verdict(report).into(),
            when: format!("{} · {accounts}", name(report.period)).into(),
            headline: good.into(),
            money: money_line.unwrap_or_default().into(),
        },
        answers: answers(report),
        lead: Line::default(),
        sections: sections.into_iter().flatten().collect(),
    }
}

/// Equity of all accounts and what they earned; `None` when one is not known.
fn total(report: &PeriodReport) -> Option<(Usd, Usd)> {
    let each = report.accounts.iter().map(|(_, summary)| {
        let equity = summary.newest.as_ref()?.account.as_ref()?.equity_after;
        Some((equity, summary.earned()?.0))
    });
    each.collect::<Option<Vec<_>>>().map(|each| {
        (each.iter().map(|(equity, _)| *equity).sum(), each.iter().map(|(_, earned)| *earned).sum())
    })
}

/// Each question with the answers of the accounts that are not quiet about it.
fn answers(report: &PeriodReport) -> Vec<Answer> {
    let each: Vec<(&AccountName, Vec<Answer>)> =
        report.accounts.iter().map(|(account, summary)| (account, three(summary))).collect();
    let quiet = ["In all accounts.", "Nothing open, nothing unknown.", "Nothing."];
    let questions = ["Traded", "Open", "To do"].into_iter().zip(quiet).enumerate();
    let answer = |(at, (question, quiet)): (usize, (&'static str, &'static str))| {
        let answers = each.iter().filter_map(|(account, three)| Some((*account, three.get(at)?)));
        let loud: Vec<(&AccountName, &Answer)> =
            answers.filter(|(_, answer)| answer.tone != Tone::Good).collect();
        match loud.as_slice() {
            [] => Answer { question, text: quiet_text(report, at, quiet), tone: Tone::Good },
            [(account, first), others @ ..] => {
                let more = match others.len() {
                    0 => String::new(),
                    more => format!(" ({} more below)", count(more, "account")),
                };
                let text = format!("{account}: {}{more}", first.text.as_str());
                Answer { question, text: text.into(), tone: first.tone }
            }
        }
    };
    questions.map(answer).collect()
}

/// Where every account is quiet: of trading, how many did.
fn quiet_text(report: &PeriodReport, question: usize, quiet: &'static str) -> Line {
    if question > 0 {
        return quiet.into();
    }
    let traded = report.accounts.iter().filter(|(_, summary)| summary.counts.filled > 0).count();
    let all = report.accounts.len();
    match traded {
        0 => format!("No, nothing needed trading in {}.", count(all, "account")).into(),
        traded => format!("Yes, {traded} of {} did.", count(all, "account")).into(),
    }
}

fn accounts_section(report: &PeriodReport, room: Room) -> Option<Section> {
    let mut accounts: Vec<_> = report.accounts.iter().collect();
    accounts.sort_by_key(|(_, summary)| summary.is_good());
    let rows = accounts.into_iter().map(|(account, summary)| row(account, summary));
    Section::of("Accounts", vec![Block::rows(rows.collect(), room)])
}

fn row(account: &AccountName, summary: &Summary) -> Row {
    let newest = summary.newest.as_ref().and_then(|newest| newest.account.as_ref());
    let equity = newest.map(|account| money(account.equity_after));
    let earned = summary.earned().map(|(earned, rate)| change_with_rate(earned, rate));
    let tone = if summary.is_good() { Tone::Quiet } else { Tone::Look };
    let orders = format!("{} of {} orders filled", summary.counts.filled, summary.counts.planned);
    let head = earned
        .map_or_else(|| good_part(summary), |earned| format!("{earned}, {}", good_part(summary)));
    let row = Row::new(account.as_str(), equity.unwrap_or_else(|| "not known".to_owned()));
    let row = row.tone(tone).under(format!("{head}, {orders}."));
    three(summary)
        .into_iter()
        .filter(|answer| answer.tone != Tone::Good)
        .fold(row, |row, answer| {
            row.under(format!("{}: {}", answer.question, answer.text.as_str()))
        })
}

fn this_letter(report: &PeriodReport) -> Option<Section> {
    let command =
        format!("--period {} --of {}", span_word(report.period.span), report.period.first);
    let facts = vec![
        Fact::new("Period", report.period.to_string()),
        Fact::new("One account in full", format!("alchemiser report --account NAME {command}")),
    ];
    Section::of("This letter", vec![Block::Facts(facts)])
}

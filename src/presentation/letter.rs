//! The content of a run's letter and of its report, put together.

use crate::domain::report::{RunReport, Verdict};
use crate::presentation::answers::{answers, headline};
use crate::presentation::chart::allocation::allocation;
use crate::presentation::chart::drift::drift;
use crate::presentation::chart::equity::equity_curve;
use crate::presentation::chart::ribbon::ribbon;
use crate::presentation::detail::details;
use crate::presentation::earned;
use crate::presentation::figures::{day, money};
use crate::presentation::incidents::{recovered, trouble, warnings};
use crate::presentation::line::clip;
use crate::presentation::orders::{between, change_with_rate, left_alone, orders};
use crate::presentation::receipt::in_one_line;
use crate::presentation::sheet::{Band, Block, Fact, Room, Section, Sheet};
use crate::presentation::signals::signals;
use crate::presentation::standing::{data, limits, money_section, run_section, sleeves};
use crate::presentation::subject::subject;
use crate::presentation::tally::equity_change;
use crate::presentation::words::{capital, mode, verdict_tone};

/// The content for so much room.
pub(crate) fn sheet(report: &RunReport, room: Room) -> Sheet {
    let sections = if report.verdict == Verdict::Closed && !room.is_page() {
        closed(report, room)
    } else {
        full(report, room)
    };
    Sheet {
        title: subject(report).into(),
        band: band(report),
        answers: answers(report),
        lead: capital(&clip(&report.summary, room.signs)).into(),
        sections,
    }
}

fn band(report: &RunReport) -> Band {
    let key = &report.key;
    let repeat =
        if key.generation > 0 { format!(", repeat {}", key.generation) } else { String::new() };
    let money = match (&report.account, equity_change(report)) {
        (Some(account), Some((change, rate))) if report.verdict != Verdict::Closed => {
            format!("{} · {}", money(account.equity_after), change_with_rate(change, rate))
        }
        _ => String::new(),
    };
    Band {
        tone: verdict_tone(report.verdict),
        verdict: format!("{} {}", mode(key.mode).to_uppercase(), report.verdict.word()).into(),
        when: format!("{}, {}{repeat} · {}", day(key.session), key.slot, key.account).into(),
        headline: headline(report).into(),
        money: money.into(),
    }
}

/// A day without trading needs no more than its reason and the next date.
fn closed(report: &RunReport, room: Room) -> Vec<Section> {
    let mut facts = Vec::new();
    facts.extend(report.next_session.map(|date| Fact::new("Next session", day(date))));
    facts.push(Fact::new("Run", report.key.to_string()));
    facts.push(Fact::new("Receipt", in_one_line(report)));
    [
        trouble(&report.incidents, room),
        Section::of("This run", vec![Block::Facts(facts)]),
        warnings(&report.incidents, room),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn full(report: &RunReport, room: Room) -> Vec<Section> {
    let mut sections: Vec<Section> = [
        trouble(&report.incidents, room),
        recovered(&report.recovered, room),
        money_section(report),
        earned::account(report, room),
        signals(report, room),
        ribbon(report),
        orders(report, room),
        left_alone(report, room),
        between(report, room),
        sleeves(report, room),
        equity_curve(report),
        allocation(report),
        drift(report),
        limits(report, room),
        data(report, room),
        warnings(&report.incidents, room),
        run_section(report, room),
    ]
    .into_iter()
    .flatten()
    .collect();
    if room.is_page() {
        sections.extend(details(report, room));
    }
    sections
}

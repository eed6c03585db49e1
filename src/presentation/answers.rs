//! The three questions of every morning: did it trade, is anything open, must I do something.

use crate::domain::execution::OrderOutcome;
use crate::domain::incident::{Category, Incident};
use crate::domain::order::Side;
use crate::domain::report::{RunReport, Verdict};
use crate::domain::run::RunKey;
use crate::presentation::figures::{count, money, percent};
use crate::presentation::line::{Line, clip};
use crate::presentation::sheet::{Answer, Tone};
use crate::presentation::subject::worst;
use crate::presentation::tally::{Tally, intended, is_open, named};
use crate::presentation::words::verdict_tone;

/// Signs that an answer may take where there is room; plain text cuts it shorter at first.
const ANSWER_MAX: usize = 220;

/// The three answers.
pub(crate) fn answers(report: &RunReport) -> Vec<Answer> {
    let tally = Tally::of(report);
    let (traded, traded_tone) = traded(report, &tally);
    let (open, open_tone) = open(report, &tally);
    let (to_do, to_do_tone) = to_do(report);
    vec![
        Answer { question: "Traded", text: clip(&traded, ANSWER_MAX).into(), tone: traded_tone },
        Answer { question: "Open", text: clip(&open, ANSWER_MAX).into(), tone: open_tone },
        Answer { question: "To do", text: to_do.into(), tone: to_do_tone },
    ]
}

fn traded(report: &RunReport, tally: &Tally) -> (String, Tone) {
    let text = match report.verdict {
        Verdict::Closed => "No, the exchange is closed.".to_owned(),
        Verdict::NothingToDo => "No, nothing needed trading.".to_owned(),
        Verdict::Preview => return (previewed(report), Tone::Quiet),
        Verdict::Done
        | Verdict::Partial
        | Verdict::Blocked
        | Verdict::Failed
        | Verdict::Unknown => {
            if tally.sent == 0 && tally.planned > 0 {
                format!("No, none of {} was sent.", count(tally.planned, "planned order"))
            } else if tally.sent == 0 {
                "No, no order was sent.".to_owned()
            } else {
                sums(tally)
            }
        }
    };
    (text, verdict_tone(report.verdict))
}

fn sums(tally: &Tally) -> String {
    let Tally { filled, planned, sold, bought, .. } = tally;
    let answer = if filled == planned { "Yes" } else { "In part" };
    let turnover =
        tally.turnover.map(|part| format!(", turnover {}", percent(part))).unwrap_or_default();
    format!(
        "{answer}, {filled} of {} filled: sold {}, bought {}{turnover}.",
        count(*planned, "order"),
        money(*sold),
        money(*bought)
    )
}

fn previewed(report: &RunReport) -> String {
    let Some(plan) = &report.plan else {
        return "No, this is a preview, and there is no plan.".to_owned();
    };
    let (sells, buys) = (plan.orders(Side::Sell).count(), plan.orders(Side::Buy).count());
    if sells + buys == 0 {
        return "No, this is a preview: nothing would be traded.".to_owned();
    }
    format!(
        "No, preview: would sell {sells} for {} and buy {buys} for {}.",
        money(intended(report, Side::Sell)),
        money(intended(report, Side::Buy))
    )
}

fn open(report: &RunReport, tally: &Tally) -> (String, Tone) {
    let earlier = unsettled_before(report);
    if tally.unknown > 0 {
        let names = named(report, OrderOutcome::is_unknown);
        return (format!("UNKNOWN: {names}; may still be filled."), Tone::Bad);
    }
    if tally.open > 0 {
        return (format!("Still open: {}.", named(report, is_open)), Tone::Bad);
    }
    if earlier > 0 {
        let orders = count(earlier, "order");
        return (format!("The end of {orders} was not seen; see the record."), Tone::Bad);
    }
    if report.verdict == Verdict::Closed {
        return ("No order was sent.".to_owned(), Tone::Good);
    }
    if report.account.is_none() && !report.verdict.is_good() {
        return ("Not known, the account could not be read.".to_owned(), Tone::Look);
    }
    ("Nothing open, nothing unknown.".to_owned(), Tone::Good)
}

/// Orders that the ledger still waits for, besides those of this run.
fn unsettled_before(report: &RunReport) -> usize {
    let ours =
        |id: &_| report.execution.outcomes().flat_map(|order| &order.attempts).any(|a| a.id == *id);
    report
        .ledger
        .as_ref()
        .map_or(0, |ledger| ledger.unsettled.keys().filter(|id| !ours(*id)).count())
}

fn to_do(report: &RunReport) -> (String, Tone) {
    let actions = actions(report);
    let urgent = !report.verdict.is_good()
        || worst(&report.incidents).is_some_and(|incident| incident.category.is_immediate());
    let tone = if urgent { verdict_tone(report.verdict) } else { Tone::Look };
    match actions.as_slice() {
        [] if report.verdict == Verdict::Partial => {
            ("Nothing, the next run trades what is missing.".to_owned(), Tone::Good)
        }
        [] => ("Nothing.".to_owned(), Tone::Good),
        several => (first_of(several), tone),
    }
}

/// The first action in full, then how many more there are.
pub(crate) fn first_of(actions: &[Line]) -> String {
    let more = match actions.len() {
        0 | 1 => String::new(),
        number => format!(" ({} more below)", number - 1),
    };
    let first = actions.first().map_or("", |action| action.as_str());
    format!("{}{more}", clip(first, ANSWER_MAX.saturating_sub(more.chars().count())))
}

/// What the operator has to do, worst first; empty when nothing is.
pub(crate) fn actions(report: &RunReport) -> Vec<Line> {
    let mut actions = incident_actions(&report.incidents);
    let silent = actions.is_empty();
    match report.verdict {
        Verdict::Unknown if silent => actions.push(Line::from(format!(
            "Look up {} at the broker, then run: {}",
            named(report, OrderOutcome::is_unknown),
            resume_command(&report.key)
        ))),
        Verdict::Failed if silent => {
            let command = status_command(&report.key);
            actions.push(Line::from(format!("Look at the record: {command}")));
        }
        Verdict::Blocked if silent => {
            actions.push("Read why below; nothing trades until the cause is gone.".into());
        }
        Verdict::Unknown
        | Verdict::Failed
        | Verdict::Blocked
        | Verdict::Done
        | Verdict::NothingToDo
        | Verdict::Closed
        | Verdict::Preview
        | Verdict::Partial => {}
    }
    actions
}

/// The actions of incidents that are more than a warning, worst first, each once.
pub(crate) fn incident_actions(incidents: &[Incident]) -> Vec<Line> {
    let mut ordered: Vec<&Incident> = incidents
        .iter()
        .filter(|incident| incident.category != Category::Warning && !incident.action.is_empty())
        .collect();
    ordered.sort_by_key(|incident| incident.category);
    let mut actions: Vec<Line> = Vec::new();
    for incident in ordered {
        let action = Line::from(incident.action.as_str());
        if !action.is_empty() && !actions.contains(&action) {
            actions.push(action);
        }
    }
    actions
}

/// The command that shows a run again.
pub(crate) fn status_command(key: &RunKey) -> String {
    format!("alchemiser status --mode {} --account {}", key.mode, key.account)
}

/// The command that finishes a run.
pub(crate) fn resume_command(key: &RunKey) -> String {
    format!("alchemiser resume --mode {} --account {}", key.mode, key.account)
}

/// The headline of the letter: the run's own summary, or the plain verdict.
pub(crate) fn headline(report: &RunReport) -> String {
    let tally = Tally::of(report);
    match report.verdict {
        Verdict::Done => format!("All {} filled", count(tally.planned, "order")),
        Verdict::NothingToDo => "Nothing to trade today".to_owned(),
        Verdict::Closed => "Market closed".to_owned(),
        Verdict::Preview => "Preview, nothing was sent".to_owned(),
        Verdict::Blocked => "Nothing was traded".to_owned(),
        Verdict::Partial => format!("{} of {} filled", tally.filled, count(tally.planned, "order")),
        Verdict::Failed => "The run broke off".to_owned(),
        Verdict::Unknown => {
            let unknown = count(tally.unknown, "order");
            format!("The end of {unknown} is not known")
        }
    }
}

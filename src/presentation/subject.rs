//! The subject line: the verdict first, then the day, then the figures, in plain ASCII.

use crate::domain::execution::OrderOutcome;
use crate::domain::incident::{Category, Incident};
use crate::domain::order::Side;
use crate::domain::report::{RunReport, Verdict};
use crate::domain::run::RunKey;
use crate::presentation::figures::{count, day_month, dollars, percent, percent_change};
use crate::presentation::line::clip;
use crate::presentation::tally::{Tally, equity_change, intended, named};

/// What a phone shows of a subject at most; also the line length of mail headers.
pub(crate) const SUBJECT_MAX: usize = 78;

/// Signs for the orders whose end is unknown.
const NAMES_MAX: usize = 24;

/// The subject of a run's mail: `[PAPER OK] 20 Nov open: 5/5 filled, turnover 41%, $104,231 (+0.4%)`.
pub fn subject(report: &RunReport) -> String {
    let mode = report.key.mode.as_str().to_uppercase();
    let head = format!("[{mode} {}] {}: ", report.verdict.word(), run_name(&report.key));
    with_parts(head, &subject_parts(report))
}

/// Subject of an alert: `[PAPER CRITICAL] 20 Nov open: broker-unreachable: what happened`.
pub(crate) fn alert_subject(worst: Option<&Incident>, key: Option<&RunKey>) -> String {
    let mode = key.map(|key| format!("{} ", key.mode.as_str().to_uppercase())).unwrap_or_default();
    let run = key.map(|key| format!("{}: ", run_name(key))).unwrap_or_default();
    let (category, text) = match worst {
        Some(incident) => {
            (incident.category.as_str(), format!("{}: {}", incident.code, incident.what))
        }
        None => (Category::Warning.as_str(), "no incident given".to_owned()),
    };
    let head = format!("[{mode}{category}] {run}");
    let room = SUBJECT_MAX.saturating_sub(head.chars().count());
    format!("{head}{}", clip(&text, room))
}

/// `20 Nov open`, with the generation of a forced repeat.
pub(crate) fn run_name(key: &RunKey) -> String {
    let repeat = if key.generation > 0 { format!(" g{}", key.generation) } else { String::new() };
    format!("{} {}{repeat}", day_month(key.session), key.slot)
}

/// The parts in the order of their weight; those that do not fit any more are left out.
pub(crate) fn with_parts(head: String, parts: &[String]) -> String {
    let mut subject = head;
    let mut separator = "";
    for part in parts {
        let part = ascii_signs(part);
        let length = subject.chars().count() + separator.len() + part.chars().count();
        if length > SUBJECT_MAX {
            break;
        }
        subject.push_str(separator);
        subject.push_str(&part);
        separator = ", ";
    }
    clip(&subject, SUBJECT_MAX)
}

/// A subject without typographic signs needs no encoding and reads alike on every device.
fn ascii_signs(text: &str) -> String {
    text.replace('−', "-")
}

fn subject_parts(report: &RunReport) -> Vec<String> {
    let tally = Tally::of(report);
    let mut parts = Vec::new();
    match report.verdict {
        Verdict::Closed => {
            parts.push("market closed".to_owned());
            parts.extend(
                report.next_session.map(|date| format!("next session {}", day_month(date))),
            );
            return parts;
        }
        Verdict::NothingToDo => parts.push("nothing to trade".to_owned()),
        Verdict::Preview => parts.push(preview_part(report)),
        Verdict::Unknown => {
            parts.push(clip(&named(report, OrderOutcome::is_unknown), NAMES_MAX));
            parts.push(filled_part(&tally));
        }
        Verdict::Blocked | Verdict::Failed => {
            parts.push(if tally.sent == 0 { "no orders".to_owned() } else { filled_part(&tally) });
            parts.extend(worst(&report.incidents).map(|incident| clip(&incident.code, 30)));
        }
        Verdict::Done | Verdict::Partial => parts.push(filled_part(&tally)),
    }
    if tally.sent > 0 {
        parts
            .extend(tally.turnover.map(|turnover| format!("turnover {}", whole_percent(turnover))));
    }
    parts.extend(equity_part(report));
    if report.verdict.is_good() {
        parts.splice(1..1, errors(report));
    }
    parts
}

fn filled_part(tally: &Tally) -> String {
    format!("{}/{} filled", tally.filled, tally.planned)
}

fn preview_part(report: &RunReport) -> String {
    let Some(plan) = &report.plan else { return "no plan".to_owned() };
    let (sells, buys) = (plan.orders(Side::Sell).count(), plan.orders(Side::Buy).count());
    let larger = intended(report, Side::Sell).max(intended(report, Side::Buy));
    match larger.ratio_to(plan.capital.deployable) {
        Some(turnover) => {
            format!("would sell {sells}, buy {buys}, turnover {}", whole_percent(turnover))
        }
        None => format!("would sell {sells}, buy {buys}"),
    }
}

fn whole_percent(fraction: rust_decimal::Decimal) -> String {
    let shown = percent(fraction.round_dp(2));
    shown.strip_suffix(".0%").map(|whole| format!("{whole}%")).unwrap_or(shown)
}

fn equity_part(report: &RunReport) -> Option<String> {
    let equity = dollars(report.account.as_ref()?.equity_after);
    let (_, rate) = equity_change(report)?;
    Some(match rate {
        Some(rate) => format!("{equity} ({})", percent_change(rate)),
        None => equity,
    })
}

/// Incidents that are more than a warning: how many are new, and the day of the oldest other.
fn errors(report: &RunReport) -> Vec<String> {
    let errors = || report.incidents.iter().filter(|i| i.category < Category::Notification);
    let new = errors().filter(|incident| !incident.is_standing()).count();
    let oldest = errors().filter(|incident| incident.is_standing()).max_by_key(|i| i.day);
    let new = (new > 0).then(|| count(new, "incident"));
    let oldest = oldest.map(|i| format!("{} day {}", clip(&i.code, 24), i.day));
    new.into_iter().chain(oldest).collect()
}

/// The first of the worst category.
pub(crate) fn worst(incidents: &[Incident]) -> Option<&Incident> {
    incidents.iter().min_by_key(|incident| incident.category)
}

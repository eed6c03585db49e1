//! What each strategy said, and the one condition that decided it.

use crate::domain::plan::{DueReason, RebalancePlan, SleeveState};
use crate::domain::report::RunReport;
use crate::domain::run::StrategyName;
use crate::domain::strategy::{Signal, StrategyOutcome};
use crate::domain::symphony::trace::{Condition, Ranking, Step, Trace, Turn};
use crate::presentation::figures::{compared, percent, ranked, ratio, value};
use crate::presentation::line::{Line, clip};
use crate::presentation::sheet::{Block, Room, Row, Section, Tone};
use crate::presentation::turning::{turns_at, turns_next};
use crate::presentation::words::{capital, confidence, listed, sleeve_state, strategy_error};

/// Longest name of an indicator or group inside a sentence.
const NAME_MAX: usize = 90;
/// Symbols of a signal named in a letter.
const WEIGHTS_MAX: usize = 6;
/// Candidates of a ranking named in a sentence.
const PICKS_MAX: usize = 3;
/// Most steps of a trace on a page.
const STEPS_MAX: usize = 400;

/// The signals of all strategies.
pub(crate) fn signals(report: &RunReport, room: Room) -> Option<Section> {
    let rows = report.signals.iter().map(|outcome| row(outcome, report.plan.as_ref(), room));
    let mut blocks = vec![Block::rows(rows.collect(), room)];
    if room.is_page() {
        blocks.extend(report.signals.iter().filter_map(|outcome| {
            let signal = outcome.result.as_ref().ok()?;
            let title = format!("{}: all that was looked at", outcome.strategy);
            Some(Block::Fold(title.into(), vec![Block::Rows(trace_rows(&signal.trace))]))
        }));
    }
    Section::of("Signals", blocks)
}

fn row(outcome: &StrategyOutcome, plan: Option<&RebalancePlan>, room: Room) -> Row {
    let (allocation, state) = sleeve_lines(&outcome.strategy, plan);
    let row = match &outcome.result {
        Ok(signal) => {
            let wants = wants(signal, if room.is_page() { usize::MAX } else { WEIGHTS_MAX });
            Row::new(outcome.strategy.as_str(), allocation)
                .under(format!("Wants {wants}."))
                .under(decided(signal))
        }
        Err(error) => Row::new(outcome.strategy.as_str(), "no signal")
            .tone(Tone::Look)
            .under(clip(&strategy_error(error), room.signs)),
    };
    row.under(state)
}

fn sleeve_lines(strategy: &StrategyName, plan: Option<&RebalancePlan>) -> (String, String) {
    let sleeve =
        plan.and_then(|plan| plan.sleeves.iter().find(|sleeve| sleeve.strategy == *strategy));
    sleeve.map_or_else(Default::default, |sleeve| {
        let state = sleeve_state(&sleeve.state);
        let told = match sleeve.state {
            SleeveState::Due(DueReason::EverySession) => String::new(),
            SleeveState::Due(_) | SleeveState::Held(_) => format!("Sleeve {state}."),
        };
        (format!("{} of capital", percent(sleeve.allocation.decimal())), told)
    })
}

/// `TQQQ 60.0%, BIL 40.0%`.
pub(crate) fn wants(signal: &Signal, most: usize) -> String {
    let mut texts: Vec<String> = signal
        .weights
        .iter()
        .map(|(symbol, weight)| format!("{symbol} {}", percent(weight.decimal())))
        .collect();
    if !signal.cash.is_zero() {
        texts.push(format!("cash {}", percent(signal.cash.decimal())));
    }
    if texts.is_empty() { "nothing".to_owned() } else { listed(&texts, most) }
}

/// The closest condition and how close it was.
fn decided(signal: &Signal) -> String {
    let closest = deciding(&signal.trace);
    match (closest, signal.confidence) {
        (Some(told), Some(margin)) => {
            format!("{} Confidence {}, {}.", capital(&told), ratio(margin), confidence(margin))
        }
        (Some(told), None) => capital(&told),
        (None, Some(margin)) => format!("Confidence {}, {}.", ratio(margin), confidence(margin)),
        (None, None) => "Nothing was compared, the weights are fixed.".to_owned(),
    }
}

/// The step with the smallest margin, in words.
pub(crate) fn deciding(trace: &Trace) -> Option<String> {
    let closest = trace.steps.get(*trace.closest().first()?)?;
    match closest {
        Step::Condition(condition) => Some(decided_by(condition)),
        Step::Compound(compound) => compound.deciding().map(decided_by),
        Step::Ranking(ranking) => Some(ranked_by(ranking)),
        Step::Group(_) | Step::Weighing(_) => None,
    }
}

/// `RSI(10) of SPY is 78.90, not above 79.00: 0.10 higher would turn it, SPY at 512.31 (+0.4%).`
fn decided_by(condition: &Condition) -> String {
    let [left, right, gap] = compared(condition.left_value, condition.right_value);
    let not = if condition.holds { "" } else { "not " };
    let (relation, turn) = match (condition.comparison.as_str(), condition.holds) {
        (">", true) => ("above", "lower"),
        (">", false) => ("above", "higher"),
        ("<", true) => ("below", "higher"),
        ("<", false) => ("below", "lower"),
        (">=", true) => ("at or above", "lower"),
        (">=", false) => ("at or above", "higher"),
        ("<=", true) => ("at or below", "higher"),
        ("<=", false) => ("at or below", "lower"),
        (other, _) => return plain_condition(condition, other),
    };
    let left_name = clip(&condition.left, NAME_MAX);
    let against = other_side(&condition.right, &right);
    let price = condition.turn.as_ref().map_or_else(String::new, |turn| match turn.instead {
        Some(_) => format!(", {}", turns_at(turn)),
        None => format!(", which {} does", turns_at(turn)),
    });
    format!("{left_name} is {left}, {not}{relation} {against}: {gap} {turn} would turn it{price}.")
}

fn plain_condition(condition: &Condition, comparison: &str) -> String {
    let [left, right, _] = compared(condition.left_value, condition.right_value);
    format!(
        "{} {left} {} {}: {}.",
        clip(&condition.left, NAME_MAX),
        clip(comparison, 4),
        other_side(&condition.right, &right),
        if condition.holds { "yes" } else { "no" }
    )
}

/// The right side with its value; a number is not named twice.
fn other_side(name: &str, value: &str) -> String {
    if name.trim().is_empty() || name.trim().parse::<f64>().is_ok() {
        value.to_owned()
    } else {
        format!("{} at {value}", clip(name, NAME_MAX))
    }
}

fn ranked_by(ranking: &Ranking) -> String {
    let mut picked: Vec<String> = names(&ranking.scores, 0, ranking.picked);
    picked.dedup(); // one listed twice is picked twice, and is one
    let last = ranking.picked.checked_sub(1).and_then(|at| ranking.scores.get(at));
    let next = ranking.scores.get(ranking.picked);
    let by = clip(&ranking.by, NAME_MAX);
    let order = clip(&ranking.order, 12);
    let picks = listed(&picked, PICKS_MAX);
    match (last, next) {
        (Some((last, score)), Some((next, other))) => {
            let [score, other, gap] = ranked(*score, *other);
            let price = ranking.turn.as_ref().filter(|turn| turn.instead.is_some());
            let price = price.map(|turn| format!(" {} would turn it.", turns_at(turn)));
            // The only one is the last one, which is named with its score.
            let picks = if picked.len() > 1 { picks + "; " } else { String::new() };
            format!(
                "Ranked by {by}, {order} first: {picks}{} {score} before {} {other}, {gap}.{}",
                clip(last, NAME_MAX),
                clip(next, NAME_MAX),
                price.unwrap_or_default()
            )
        }
        _ => format!("Ranked by {by}, {order} first: {picks}."),
    }
}

fn names(scores: &[(String, f64)], from: usize, to: usize) -> Vec<String> {
    scores
        .iter()
        .skip(from)
        .take(to.saturating_sub(from))
        .map(|(name, _)| clip(name, NAME_MAX))
        .collect()
}

/// Every step, indented by its depth.
fn trace_rows(trace: &Trace) -> Vec<Row> {
    let mut rows: Vec<Row> = trace.steps.iter().take(STEPS_MAX).map(step_row).collect();
    if trace.steps.len() > STEPS_MAX {
        let more = trace.steps.len() - STEPS_MAX;
        rows.push(Row::new(format!("and {more} more in the record"), ""));
    }
    rows
}

fn step_row(step: &Step) -> Row {
    match step {
        Step::Group(group) => {
            let title = clip(&group.title, NAME_MAX);
            Row::new(format!("{}in \u{201c}{title}\u{201d}", indent(group.depth)), "")
        }
        Step::Weighing(weighing) => {
            let members: Vec<String> = weighing
                .members
                .iter()
                .map(|m| format!("{} {}", clip(&m.name, NAME_MAX), ratio(m.share)))
                .collect();
            let by = clip(&weighing.by, NAME_MAX);
            let head = format!("{}weighed by the inverse of {by}", indent(weighing.depth));
            Row::new(head, "").under(listed(&members, 40))
        }
        Step::Condition(condition) => {
            let text = format!("{}{}", indent(condition.depth), comparison(condition));
            let margin = ratio(condition.margin);
            let row = Row::new(text, format!("{}, margin {margin}", answer(condition.holds)));
            row.under(turning(condition.turn.as_ref()))
        }
        Step::Compound(compound) => {
            let wanted = if compound.operator == "and" { "all" } else { "any" };
            let head = format!("{}{wanted} of {}", indent(compound.depth), compound.written);
            let parts = compound
                .conditions()
                .into_iter()
                .map(|condition| format!("{} {}", comparison(condition), answer(condition.holds)));
            let row = Row::new(head, answer(compound.holds));
            row.under(listed(&parts.collect::<Vec<String>>(), 40))
        }
        Step::Ranking(ranking) => {
            let head = format!(
                "{}{} by {}, {} picked of {}",
                indent(ranking.depth),
                clip(&ranking.order, 12),
                clip(&ranking.by, NAME_MAX),
                ranking.picked,
                ranking.scores.len()
            );
            let margin = ranking.margin.map(|m| format!("margin {}", ratio(m))).unwrap_or_default();
            let row = Row::new(head, margin).under(scores_line(ranking));
            row.under(turning(ranking.turn.as_ref()))
        }
    }
}

/// `RSI(10) of SPY 78.90 > 79.00`
fn comparison(condition: &Condition) -> String {
    let [left, right, _] = compared(condition.left_value, condition.right_value);
    format!(
        "{} {left} {} {}",
        clip(&condition.left, NAME_MAX),
        clip(&condition.comparison, 4),
        other_side(&condition.right, &right)
    )
}

/// `Turns with SPY at 484.93 (−4.05%), or its next close at 486.10 (−3.82%).`
pub(crate) fn turning(turn: Option<&Turn>) -> String {
    let Some(turn) = turn else { return String::new() };
    match (&turn.instead, &turn.next) {
        (None, None) => format!("{} turns it.", capital(&turns_at(turn))),
        _ => format!("Turns with {}, or its {}.", turns_at(turn), turns_next(turn)),
    }
}

fn answer(holds: bool) -> &'static str {
    if holds { "yes" } else { "no" }
}

fn scores_line(ranking: &Ranking) -> Line {
    let scores: Vec<String> = ranking
        .scores
        .iter()
        .map(|(name, score)| format!("{} {}", clip(name, NAME_MAX), value(*score)))
        .collect();
    listed(&scores, 40).into()
}

/// Dots, because spaces at the start of a line are not kept.
fn indent(depth: u16) -> String {
    let depth = usize::from(depth.min(12));
    if depth == 0 { String::new() } else { format!("{} ", "·".repeat(depth)) }
}

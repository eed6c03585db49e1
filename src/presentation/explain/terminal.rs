//! The taken path as a tree of lines for a terminal of a hundred columns, without colours.
//!
//! A ladder of decisions is one trunk and stays at one depth; only where money is split does the
//! trunk branch. Values, margins and the branch not taken stand beside it in columns. Which close
//! would turn a decision is told of the closest few, because of all it is a wall of text.

use crate::domain::strategy::Signal;
use crate::domain::symphony::outline::{Drawing, Piece, Route};
use crate::domain::symphony::trace::{Compound, Condition, Part, Ranking, Step, Turn, Weighing};
use crate::presentation::explain::brief::{NAME_MAX, apart, around, brief, closest, is_leaf};
use crate::presentation::figures::{compared, margin, ratio, statistic, value};
use crate::presentation::line::clip;
use crate::presentation::turning::{turns_at, turns_next};

/// Widest label with figures beside it; under a longer one they stand on the next line.
const LABEL_MAX: usize = 56;
/// Widest word about the branch not taken.
const ELSE_MAX: usize = 24;
/// Most candidates of a ranking shown, and most of those that were passed over.
const SCORES_MAX: usize = 60;
const PASSED_MAX: usize = 12;

/// The tree of a signal's path.
pub(super) fn tree(signal: &Signal, drawing: Option<&Drawing>) -> String {
    let steps = &signal.trace.steps;
    let (closest, told) = closest(&signal.trace);
    let path = Path { steps, drawing, closest, told };
    let trunk = match drawing.and_then(|drawing| drawing.route.as_ref()) {
        Some(route) => path.trunk(route),
        None => steps.iter().map(|step| path.rung(step, None)).collect(),
    };
    let head = format!("{} on the closes of {}", signal.strategy, signal.as_of);
    let figures = ["value", "against", "margin", "", ""].map(str::to_owned);
    let mut lines = vec![Line { lead: head, hang: String::new(), figures }];
    emit(&trunk, "", &mut lines);
    lay_out(&lines)
}

/// A row of the tree with what hangs from it.
#[derive(Default)]
struct Rung {
    row: Row,
    /// Rows below it without a line of their own.
    notes: Vec<Row>,
    inner: Vec<Rung>,
}

/// A label, and beside it: value, other value, margin, mark, branch not taken.
#[derive(Default)]
struct Row {
    label: String,
    figures: [String; 5],
}

/// A row with the lines of the tree before it, and those that go on below it.
struct Line {
    lead: String,
    hang: String,
    figures: [String; 5],
}

struct Path<'s> {
    steps: &'s [Step],
    drawing: Option<&'s Drawing>,
    closest: Option<usize>,
    told: Vec<usize>,
}

impl Path<'_> {
    /// The rungs from a piece on to where it ends or branches.
    fn trunk(&self, route: &Route) -> Vec<Rung> {
        let mut rungs: Vec<Rung> = Vec::new();
        let mut at = Some(route);
        while let Some(here) = at {
            let step = here.step.and_then(|step| self.steps.get(step));
            rungs.extend(step.map(|step| self.rung(step, Some(here))));
            at = match &here.on[..] {
                [] => {
                    rungs.push(Rung::of(self.end(here)));
                    None
                }
                [only] => Some(only),
                several => {
                    if step.is_none() {
                        rungs.push(Rung::of(format!("split in {}", several.len())));
                    }
                    // A ranking and a weighing list their assets themselves.
                    let branch = |on: &&Route| step.is_none() || !on.on.is_empty();
                    let inner = several.iter().filter(branch).map(|on| self.branch(on)).collect();
                    if let Some(last) = rungs.last_mut() {
                        last.inner = inner;
                    }
                    None
                }
            };
        }
        rungs
    }

    /// What is held where the way ends; it may have been too long to be kept whole.
    fn end(&self, route: &Route) -> String {
        let is_leaf = self.drawing.is_some_and(|drawing| is_leaf(&drawing.outline, route.piece));
        let word = if is_leaf { "hold" } else { "and on through" };
        format!("{word} {}  {}", self.name(route.piece), ratio(route.share))
    }

    fn branch(&self, on: &Route) -> Rung {
        let mut rung = Rung::of(format!("{}  {}", ratio(on.share), self.name(on.piece)));
        if !on.on.is_empty() {
            rung.inner = self.trunk(on);
        }
        rung
    }

    fn name(&self, piece: usize) -> String {
        self.drawing.map_or_else(String::new, |drawing| brief(&drawing.outline, piece))
    }

    fn rung(&self, step: &Step, route: Option<&Route>) -> Rung {
        let place = self.steps.iter().position(|other| std::ptr::eq(other, step));
        let marked = place.is_some() && place == self.closest;
        let told = marked || place.is_some_and(|place| self.told.contains(&place));
        let mut rung = match step {
            Step::Group(group) => Rung::of(format!("“{}”", clip(&group.title, NAME_MAX))),
            Step::Condition(condition) => {
                let mut rung = comparison(condition);
                if told {
                    rung.notes.extend(turning(condition.turn.as_ref(), marked, "     "));
                }
                rung
            }
            Step::Compound(compound) => self::compound(compound, told.then_some(marked)),
            Step::Ranking(ranking) => {
                let shares = route.map_or(&[][..], |route| &route.on);
                let mut rung = self::ranking(ranking, shares);
                if told {
                    rung.notes.extend(turning(ranking.turn.as_ref(), marked, ""));
                }
                rung
            }
            Step::Weighing(weighing) => self::weighing(weighing, route),
        };
        if marked {
            rung.row.figures[3].push('◀');
        }
        rung.row.figures[4] = route.map_or_else(String::new, |route| self.not_taken(route));
        rung
    }

    /// What the other branch of a choice would have come to.
    fn not_taken(&self, route: &Route) -> String {
        let Some(drawing) = self.drawing else { return String::new() };
        let Some(Piece::Choice { then, otherwise, .. }) = drawing.outline.pieces.get(route.piece)
        else {
            return String::new();
        };
        let taken = route.on.first().map(|on| on.piece);
        let other = if taken == Some(*then) { *otherwise } else { *then };
        format!("else {}", clip(&brief(&drawing.outline, other), ELSE_MAX))
    }
}

impl Rung {
    fn of(label: String) -> Self {
        Self { row: Row::of(label), ..Self::default() }
    }
}

impl Row {
    fn of(label: String) -> Self {
        Self { label, ..Self::default() }
    }
}

fn comparison(condition: &Condition) -> Rung {
    let verdict = if condition.holds { "yes" } else { "no " };
    let [left, right] = [&condition.left, &condition.right].map(|side| clip(side, NAME_MAX));
    let label = format!("{verdict}  {left} {} {right}", clip(&condition.comparison, 4));
    let [value, against, _] = compared(condition.left_value, condition.right_value);
    // A number on the right is its own name.
    let against = if right.parse::<f64>().is_ok() { String::new() } else { against };
    let figures = [value, against, margin(condition.margin), String::new(), String::new()];
    Rung { row: Row { label, figures }, ..Rung::default() }
}

/// `told` is whether the closest of its parts is told about, and whether that is the closest of all.
fn compound(compound: &Compound, told: Option<bool>) -> Rung {
    let Compound { operator, parts, written, .. } = compound;
    let verdict = if compound.holds { "yes" } else { "no " };
    let wanted = if operator == "and" { "all" } else { "any" };
    let settled = if parts.len() < *written {
        format!(", settled by the first {}", parts.len())
    } else {
        String::new()
    };
    let mut rung = Rung::of(format!("{verdict}  {wanted} of {written}{settled}"));
    let deciding = compound.deciding();
    rung.row.figures[2] = deciding.map_or_else(String::new, |deciding| margin(deciding.margin));
    rung.inner = parts
        .iter()
        .map(|part| match part {
            Part::Condition(condition) => {
                let mut rung = comparison(condition);
                if deciding.is_some_and(|deciding| std::ptr::eq(deciding, condition)) {
                    let turn = condition.turn.as_ref();
                    let notes = told.and_then(|marked| turning(turn, marked, "     "));
                    rung.notes.extend(notes);
                }
                rung
            }
            Part::Compound(compound) => self::compound(compound, None),
        })
        .collect();
    rung
}

fn ranking(ranking: &Ranking, shares: &[Route]) -> Rung {
    let Ranking { by, order, scores, picked, .. } = ranking;
    let (by, order) = (clip(by, NAME_MAX), clip(order, NAME_MAX));
    let label = format!("rank by {by}: the {order} {picked} of {}", scores.len());
    let mut rung = Rung::of(label);
    rung.row.figures[2] = ranking.margin.map_or_else(String::new, margin);
    let (pair, decimals) = around(ranking);
    let shown = (picked + PASSED_MAX).min(SCORES_MAX);
    for (place, (name, score)) in scores.iter().enumerate().take(shown) {
        if place == *picked {
            let apart = apart(pair, decimals);
            rung.notes.push(Row::of(format!("┄┄ cut, {apart} ┄┄")));
        }
        let share =
            shares.get(place).map_or_else(String::new, |on| format!("{}  ", ratio(on.share)));
        let mark = if place < *picked { '●' } else { '○' };
        let mut row = Row::of(format!("{mark} {share}{}", clip(name, NAME_MAX)));
        row.figures[0] = statistic(*score, decimals);
        rung.notes.push(row);
    }
    if scores.len() > shown {
        rung.notes.push(Row::of(format!("  and {} more", scores.len() - shown)));
    }
    rung
}

fn weighing(weighing: &Weighing, route: Option<&Route>) -> Rung {
    let mut rung = Rung::of(format!("weigh by the inverse of {}", clip(&weighing.by, NAME_MAX)));
    for (place, member) in weighing.members.iter().enumerate().take(SCORES_MAX) {
        let share = route.and_then(|route| route.on.get(place)).map_or(member.share, |on| on.share);
        let mut row = Row::of(format!("● {}  {}", ratio(share), clip(&member.name, NAME_MAX)));
        row.figures[0] = value(member.volatility);
        rung.notes.push(row);
    }
    rung
}

/// Which closes would turn it: another one of that day, or the one after.
fn turning(turn: Option<&Turn>, marked: bool, inset: &str) -> Option<Row> {
    let closest = if marked { "closest: " } else { "" };
    let turned = turn.map(|turn| format!("turns with {}, {}", turns_at(turn), turns_next(turn)));
    let words = match (turned, marked) {
        (Some(turned), _) => turned,
        (None, true) => "no one close turns it".to_owned(),
        (None, false) => return None,
    };
    Some(Row::of(format!("{inset}{closest}{words}")))
}

/// The rungs as lines, each with the part of the tree that runs past it.
fn emit(rungs: &[Rung], prefix: &str, lines: &mut Vec<Line>) {
    for (at, rung) in rungs.iter().enumerate() {
        let is_last = at + 1 == rungs.len();
        let (joint, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let below = format!("{prefix}{below}");
        let hang = format!("{below}{}", if rung.inner.is_empty() { "" } else { "│  " });
        let line = |lead: &str, hang: &str, row: &Row| Line {
            lead: format!("{lead}{}", row.label),
            hang: hang.to_owned(),
            figures: row.figures.clone(),
        };
        lines.push(line(&format!("{prefix}{joint}"), &hang, &rung.row));
        lines.extend(rung.notes.iter().map(|note| line(&hang, &hang, note)));
        emit(&rung.inner, &below, lines);
    }
}

/// The lines with their figures in columns; columns without figures take no room.
fn lay_out(lines: &[Line]) -> String {
    let signs = |text: &str| text.chars().count();
    let filled = |line: &&Line| line.figures.iter().any(|figure| !figure.is_empty());
    let labels = lines.iter().filter(filled).map(|line| signs(&line.lead));
    let wide = labels.filter(|width| *width <= LABEL_MAX).max().unwrap_or_default();
    let body = lines.get(1..).unwrap_or_default();
    let widths: [usize; 5] = std::array::from_fn(|column| {
        let used = body.iter().any(|line| !line.figures[column].is_empty());
        let width = lines.iter().map(|line| signs(&line.figures[column])).max();
        if used { width.unwrap_or_default() } else { 0 }
    });
    let mut shown = String::new();
    for line in lines {
        let mut text = line.lead.clone();
        if filled(&line) {
            if signs(&text) > wide {
                shown.push_str(&text);
                shown.push('\n');
                text.clone_from(&line.hang);
            }
            text.extend(std::iter::repeat_n(' ', wide.saturating_sub(signs(&text))));
            for (column, (figure, width)) in line.figures.iter().zip(widths).enumerate() {
                if width == 0 {
                    continue;
                }
                text.push_str(if column == 3 { " " } else { "  " });
                let pad = " ".repeat(width - signs(figure));
                let sides = if column < 3 { [&pad, figure] } else { [figure, &pad] };
                text.extend(sides.map(String::as_str));
            }
        }
        shown.push_str(text.trim_end());
        shown.push('\n');
    }
    shown
}

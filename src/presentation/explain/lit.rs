//! The taken path on the page: every decision with its values, its distance from turning and the
//! branch that was not taken.

use crate::domain::symphony::outline::{Piece, Route};
use crate::domain::symphony::trace::{Compound, Condition, Part, Ranking, Step, Trace, Weighing};
use crate::presentation::explain::brief::{
    NAME_MAX, apart, around, brief, closest, holding, is_leaf,
};
use crate::presentation::explain::sketch::{Light, Met, Sketch, only, unwrapped};
use crate::presentation::figures::{compared, margin, ratio, statistic, value};
use crate::presentation::line::{Line, clip};
use crate::presentation::signals::turning;

/// Most splits within splits, and most branches of one.
const NEST_MAX: usize = 40;
const BRANCHES_MAX: usize = 60;
/// Most candidates of a ranking and most parts of a compound condition that are shown.
const SCORES_MAX: usize = 60;
const PARTS_MAX: usize = 40;
/// From here on a bar has the colour of what is worth a look.
const NEAR: f64 = 0.05;

/// Draws the way that was taken.
pub(super) fn draw(sketch: &mut Sketch<'_>, trace: &Trace, route: &Route) {
    foresee(sketch, route);
    let steps = &trace.steps;
    let (closest, told) = closest(trace);
    Way { sketch, steps, closest, told }.trunk(route, 0);
}

/// Marks what the path will draw, so that a branch before it points there.
fn foresee(sketch: &mut Sketch<'_>, route: &Route) {
    if only(sketch.outline, route.piece).is_none() && !route.on.is_empty() {
        sketch.mark(route.piece, Met::Ahead);
    }
    route.on.iter().for_each(|on| foresee(sketch, on));
}

struct Way<'w, 's> {
    sketch: &'w mut Sketch<'s>,
    steps: &'w [Step],
    closest: Option<usize>,
    told: Vec<usize>,
}

impl Way<'_, '_> {
    /// The rungs from a piece on to where it ends or branches.
    fn trunk(&mut self, route: &Route, nest: usize) {
        self.sketch.out.put("<ol class=\"trunk\">");
        let mut at = Some(route);
        while let Some(here) = at {
            at = self.rung(here, nest);
            self.sketch.spend(Light::Lit);
        }
        self.sketch.out.put("</ol>");
    }

    /// One rung; where the path goes on below it.
    fn rung<'r>(&mut self, route: &'r Route, nest: usize) -> Option<&'r Route> {
        if only(self.sketch.outline, route.piece).is_some() {
            return route.on.first();
        }
        if is_leaf(self.sketch.outline, route.piece) {
            let held = brief(self.sketch.outline, route.piece);
            self.sketch.out.put("<li class=\"held\">hold <b>").text(&held.into()).put("</b> ");
            self.sketch.out.text(&ratio(route.share).into()).put("</li>");
            return None;
        }
        if self.sketch.met(route.piece) == Met::Drawn {
            self.sketch.out.put("<li>");
            self.sketch.instead(route.piece);
            self.sketch.out.put("</li>");
            return None;
        }
        // Nothing behind it: its visits were too many to be kept.
        if self.sketch.room[0] == 0 || nest >= NEST_MAX || route.on.is_empty() {
            self.sketch.out.put("<li>The way goes on: ");
            self.sketch.left_out(route.piece);
            self.sketch.out.put("</li>");
            return None;
        }
        self.sketch.mark(route.piece, Met::Drawn);
        let steps = self.steps;
        match route.step.and_then(|step| steps.get(step)) {
            None => {
                let words = format!("split in {}", route.on.len());
                self.sketch.item("split", route.piece).text(&words.into());
            }
            Some(Step::Group(group)) => {
                let title = clip(&group.title, NAME_MAX);
                self.sketch.item("group", route.piece).text(&title.into());
            }
            Some(Step::Condition(condition)) => self.condition(condition, route),
            Some(Step::Compound(compound)) => self.compound(compound, route),
            Some(Step::Ranking(ranking)) => self.ranking(ranking, route, nest),
            Some(Step::Weighing(weighing)) => self.weighing(weighing, route),
        }
        let on = match &route.on[..] {
            [only] => Some(only),
            several => {
                self.branches(several, route.step.is_some(), nest);
                None
            }
        };
        self.sketch.out.put("</li>");
        on
    }

    /// The branches of a split. What was listed already is not listed again unless it goes on.
    fn branches(&mut self, branches: &[Route], is_listed: bool, nest: usize) {
        let shown: Vec<&Route> =
            branches.iter().filter(|on| !is_listed || !on.on.is_empty()).collect();
        if shown.is_empty() {
            return;
        }
        self.sketch.out.put("<ol class=\"trunk branches\">");
        for on in shown.iter().take(BRANCHES_MAX) {
            let outline = self.sketch.outline;
            self.sketch.out.put("<li><p>").text(&ratio(on.share).into());
            // A group says its title itself.
            if on.on.is_empty()
                || !matches!(outline.pieces.get(on.piece), Some(Piece::Group { .. }))
            {
                self.sketch.out.put(" ").text(&brief(outline, on.piece).into());
            }
            self.sketch.out.put("</p>");
            if !on.on.is_empty() {
                self.trunk(on, nest + 1);
            }
            self.sketch.out.put("</li>");
            self.sketch.spend(Light::Lit);
        }
        if shown.len() > BRANCHES_MAX {
            let words = format!("and {} more", shown.len() - BRANCHES_MAX);
            self.sketch.out.put("<li class=\"left\">").text(&words.into()).put("</li>");
        }
        self.sketch.out.put("</ol>");
    }

    fn condition(&mut self, condition: &Condition, route: &Route) {
        self.begin(route, condition.margin);
        let turn = turning(condition.turn.as_ref());
        self.choice(route, &turn, Some(condition.margin), |way| way.comparison(condition));
    }

    fn compound(&mut self, compound: &Compound, route: &Route) {
        let deciding = compound.deciding();
        let margin = deciding.map(|deciding| deciding.margin);
        self.begin(route, margin.unwrap_or(1.0));
        let turn = turning(deciding.and_then(|deciding| deciding.turn.as_ref()));
        self.choice(route, &turn, margin, |way| way.compound_words(compound));
        self.parts(compound, &mut 0);
    }

    /// A test with the branch that was not taken: what that holds stands beside it, all else is
    /// folded, with what would have led there.
    fn choice(
        &mut self,
        route: &Route,
        turn: &str,
        margin: Option<f64>,
        test: impl FnOnce(&mut Self),
    ) {
        let is_told = route.step.is_some_and(|step| self.told.contains(&step));
        let other = self.not_taken(route);
        let held = other.and_then(|other| holding(self.sketch.outline, other));
        let is_folded = held.is_none() || !is_told && !turn.is_empty();
        self.sketch.out.put(if is_folded {
            "<details><summary class=\"line\">"
        } else {
            "<div class=\"line\">"
        });
        test(self);
        self.sketch.out.put("<span class=\"other\">else <span class=\"then\">");
        match (held.clone(), other) {
            (Some(held), _) => {
                self.sketch.out.text(&held.into());
            }
            (None, Some(other)) => self.sketch.summary(other),
            (None, None) => {}
        }
        self.sketch.out.put("</span></span>");
        self.gauge(margin);
        self.sketch.out.put(if is_folded { "</summary>" } else { "</div>" });
        if is_folded {
            if !is_told && !turn.is_empty() {
                self.sketch.out.put("<p class=\"turn\">").text(&turn.into()).put("</p>");
            }
            self.sketch.spend(Light::Lit);
            if let Some(other) = other.filter(|_| held.is_none()) {
                self.unfolded(other);
            }
            self.sketch.out.put("</details>");
            self.sketch.spend(Light::Dim);
        }
        self.tell(route, turn);
    }

    fn unfolded(&mut self, piece: usize) {
        if self.sketch.met(piece) != Met::New || self.sketch.is_full(0) {
            self.sketch.out.put("<p class=\"turn\">");
            self.sketch.instead(piece);
            self.sketch.out.put("</p>");
        } else {
            self.sketch.trunk(piece, 1);
        }
    }

    fn compound_words(&mut self, compound: &Compound) {
        self.verdict(compound.holds);
        let wanted = if compound.operator == "and" { "all" } else { "any" };
        let (seen, written) = (compound.parts.len(), compound.written);
        let settled = if seen < written {
            format!("{wanted} of {written}, settled by the first {seen}")
        } else {
            format!("{wanted} of {written}")
        };
        self.sketch.out.put("<span class=\"test\">").text(&settled.into()).put("</span>");
    }

    fn parts(&mut self, compound: &Compound, shown: &mut usize) {
        self.sketch.out.put("<ul class=\"parts\">");
        for part in &compound.parts {
            *shown += 1;
            if *shown > PARTS_MAX {
                self.sketch.out.put("<li class=\"left\">and more</li>");
                break;
            }
            self.sketch.out.put("<li><div class=\"line\">");
            match part {
                Part::Condition(condition) => {
                    self.comparison(condition);
                    self.gauge(Some(condition.margin));
                    self.sketch.out.put("</div>");
                }
                Part::Compound(compound) => {
                    self.compound_words(compound);
                    self.gauge(compound.deciding().map(|deciding| deciding.margin));
                    self.sketch.out.put("</div>");
                    self.parts(compound, shown);
                }
            }
            self.sketch.out.put("</li>");
        }
        self.sketch.out.put("</ul>");
    }

    fn ranking(&mut self, ranking: &Ranking, route: &Route, nest: usize) {
        let Ranking { by, order, scores, picked, .. } = ranking;
        self.begin(route, ranking.margin.unwrap_or(1.0));
        self.sketch.out.put("<div class=\"line\"><b class=\"said\">rank</b><span class=\"test\">");
        let words = format!("the {order} {picked} of {} by {}", scores.len(), clip(by, NAME_MAX));
        self.sketch.out.text(&words.into()).put("</span>");
        self.gauge(ranking.margin);
        self.sketch.out.put("</div>");
        self.tell(route, &turning(ranking.turn.as_ref()));
        let (pair, decimals) = around(ranking);
        let finite = scores.iter().map(|(_, score)| *score).filter(|score| score.is_finite());
        let low = finite.clone().fold(0.0, f64::min);
        let high = finite.fold(0.0, f64::max);
        self.sketch.out.put("<ol class=\"scores\">");
        for (place, (name, score)) in scores.iter().enumerate().take(SCORES_MAX) {
            if place == *picked {
                let words = format!("the cut: {}", apart(pair, decimals));
                self.sketch.out.put("<li class=\"cut\">").text(&words.into()).put("</li>");
            }
            self.sketch.out.put(if place < *picked { "<li class=\"picked\">" } else { "<li>" });
            let share = route.on.get(place).map(|on| format!("{} ", ratio(on.share)));
            let words = format!("{}{}", share.unwrap_or_default(), clip(name, NAME_MAX));
            let width = (score - low) / (high - low).max(f64::MIN_POSITIVE);
            self.score(&words, &statistic(*score, decimals), width);
        }
        if scores.len() > SCORES_MAX {
            let words = format!("and {} more", scores.len() - SCORES_MAX);
            self.sketch.out.put("<li class=\"left\">").text(&words.into()).put("</li>");
        }
        self.sketch.out.put("</ol>");
        self.passed_over(route, nest);
    }

    /// The candidates that are trees of their own and were not picked.
    fn passed_over(&mut self, route: &Route, nest: usize) {
        let outline = self.sketch.outline;
        let Some(Piece::Ranking { candidates, .. }) = outline.pieces.get(route.piece) else {
            return;
        };
        let mut passed: Vec<usize> = Vec::new();
        for candidate in candidates.iter().take(SCORES_MAX) {
            let is_new = !passed.contains(candidate)
                && route.on.iter().all(|on| on.piece != *candidate)
                && holding(outline, *candidate).is_none();
            if is_new {
                passed.push(*candidate);
            }
        }
        if passed.is_empty() {
            return;
        }
        self.sketch.spend(Light::Lit);
        self.sketch.out.put("<details class=\"passed\"><summary>");
        let words = format!("the {} that it passed over", passed.len());
        self.sketch.out.text(&words.into()).put("</summary><ol class=\"trunk dim\">");
        for candidate in passed {
            self.sketch.out.put("<li>");
            self.sketch.branch(candidate, nest + 1);
            self.sketch.out.put("</li>");
            self.sketch.spend(Light::Dim);
        }
        self.sketch.out.put("</ol></details>");
    }

    fn weighing(&mut self, weighing: &Weighing, route: &Route) {
        self.begin(route, 1.0);
        let words = format!("by the inverse of {}", clip(&weighing.by, NAME_MAX));
        self.sketch.out.put("<div class=\"line\"><b class=\"said\">weigh</b><span class=\"test\">");
        self.sketch.out.text(&words.into()).put("</span></div><ol class=\"scores\">");
        let highest = weighing.members.iter().map(|member| member.volatility).fold(0.0, f64::max);
        for (member, on) in weighing.members.iter().zip(&route.on).take(SCORES_MAX) {
            self.sketch.out.put("<li class=\"picked\">");
            let words = format!("{} {}", ratio(on.share), clip(&member.name, NAME_MAX));
            let width = member.volatility / highest.max(f64::MIN_POSITIVE);
            self.score(&words, &value(member.volatility), width);
        }
        self.sketch.out.put("</ol>");
    }

    fn score(&mut self, name: &str, figure: &str, width: f64) {
        self.sketch.out.put("<span>").text(&Line::from(name)).put("</span><span class=\"value\">");
        self.sketch.out.text(&Line::from(figure)).put("</span>");
        self.bar(width);
        self.sketch.out.put("</li>");
    }

    /// Begins the entry of a decision.
    fn begin(&mut self, route: &Route, margin: f64) {
        let is_near = margin < NEAR || route.step.is_some() && route.step == self.closest;
        self.sketch.item(if is_near { "rung close" } else { "rung" }, route.piece);
    }

    fn verdict(&mut self, holds: bool) {
        let html = if holds { "<b class=\"said\">yes</b>" } else { "<b class=\"said no\">no</b>" };
        self.sketch.out.put(html);
    }

    /// `RSI(10) of SPY 78.90 > 79`
    fn comparison(&mut self, condition: &Condition) {
        self.verdict(condition.holds);
        let [left, right, _] = compared(condition.left_value, condition.right_value);
        let name = |text: &str| Line::from(clip(text, NAME_MAX));
        self.sketch.out.put("<span class=\"test\">").text(&name(&condition.left)).put(" <b>");
        self.sketch.out.text(&left.into()).put("</b> ").text(&name(&condition.comparison));
        self.sketch.out.put(" ").text(&name(&condition.right));
        // A number on the right is its own name.
        if condition.right.parse::<f64>().is_err() {
            self.sketch.out.put(" <b>").text(&right.into()).put("</b>");
        }
        self.sketch.out.put("</span>");
    }

    /// How far it is from turning.
    fn gauge(&mut self, distance: Option<f64>) {
        let Some(distance) = distance else { return };
        self.bar(distance);
        self.sketch.out.put("<b class=\"margin\">").text(&margin(distance).into()).put("</b>");
    }

    fn bar(&mut self, part: f64) {
        self.sketch.out.put("<span class=\"bar\"><i style=\"width:");
        self.sketch.out.number(hundredths(part)).put("%\"></i></span>");
    }

    /// Tells what would turn it, if it is one of the closest.
    fn tell(&mut self, route: &Route, turn: &str) {
        let Some(step) = route.step.filter(|step| self.told.contains(step)) else { return };
        let is_closest = self.closest == Some(step);
        let turn = if turn.is_empty() { "No one close turns it." } else { turn };
        self.sketch.out.put("<p class=\"turn\">");
        if is_closest {
            self.sketch.out.put("<span class=\"closest\">The closest decision.</span> ");
        }
        self.sketch.out.text(&Line::from(turn)).put("</p>");
    }

    /// The branch of a choice that was not taken.
    fn not_taken(&self, route: &Route) -> Option<usize> {
        let outline = self.sketch.outline;
        let Piece::Choice { then, otherwise, .. } = outline.pieces.get(route.piece)? else {
            return None;
        };
        let taken = route.on.first().map(|on| on.piece);
        Some(unwrapped(outline, if taken == Some(*then) { *otherwise } else { *then }))
    }
}

/// A part of a whole as the width of a bar, in hundredths; never nothing.
#[expect(clippy::as_conversions, clippy::cast_possible_truncation, reason = "from 1 to 100")]
fn hundredths(part: f64) -> i64 {
    if part.is_finite() { (part * 100.0).round().clamp(1.0, 100.0) as i64 } else { 1 }
}

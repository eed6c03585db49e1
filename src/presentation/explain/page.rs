//! The same as a self-contained page: of each strategy what it holds, what was closest, and the
//! whole tree with the taken path lit.

use jiff::civil::Date;

use crate::domain::strategy::Signal;
use crate::domain::symphony::outline::Drawing;
use crate::domain::symphony::trace::Step;
use crate::presentation::explain::Explained;
use crate::presentation::explain::brief::NAME_MAX;
use crate::presentation::explain::lit;
use crate::presentation::explain::sketch::Sketch;
use crate::presentation::figures::{compared, day, hundredths, margin, percent};
use crate::presentation::line::{Line, clip};
use crate::presentation::markup::Markup;
use crate::presentation::page::{SECURED, STYLED};
use crate::presentation::signals::{deciding, wants};
use crate::presentation::words::{capital, confidence, listed, strategy_error};

/// Bytes for the taken paths and for all other branches, of a whole page.
const LIT_BYTES_MAX: usize = 700_000;
const DIM_BYTES_MAX: usize = 900_000;
/// Most strategies with a section of their own.
const STRATEGIES_MAX: usize = 40;
/// Symbols named in a headline.
const NAMED_MAX: usize = 6;
/// Most decisions told as reasons.
const REASONS_MAX: usize = 5;
/// Most holdings listed.
const HOLDINGS_MAX: usize = 200;

/// A page about what strategies said on the closes of one day; `supposed` is what was changed in
/// those closes, in words.
pub(super) fn html(all: &[Explained], as_of: Date, supposed: Option<&str>) -> String {
    let shown = &all[..all.len().min(STRATEGIES_MAX)];
    let mut out = Markup::default();
    let title = match shown {
        [only] => format!("{} on {}", only.outcome.strategy, day(as_of)),
        _ => format!("Strategies on {}", day(as_of)),
    };
    out.put(SECURED)
        .put(STYLED)
        .text(&title.into())
        .put("</title><style>")
        .put(include_str!("page.css"));
    out.put("</style></head><body><main><header class=\"quiet\"><p><b>EXPLAINED</b> <span>");
    out.text(&format!("on the closes of {}", day(as_of)).into()).put("</span></p><h1>");
    let headline = match shown {
        [only] => headline(only),
        several => format!("What {} strategies hold, and why", several.len()),
    };
    out.text(&headline.into()).put("</h1>");
    if let Some(supposed) = supposed {
        out.put("<p class=\"money\">").text(&supposed.trim_end_matches(':').into());
        out.put("</p>");
    }
    out.put("</header>");
    if shown.len() > 1 {
        push_list(&mut out, shown);
    }
    for (number, explained) in shown.iter().enumerate() {
        let room = [LIT_BYTES_MAX, DIM_BYTES_MAX].map(|bytes| bytes / shown.len());
        push_strategy(&mut out, (number, room), explained);
    }
    if all.len() > shown.len() {
        let more = format!("{} more strategies are not shown.", all.len() - shown.len());
        out.put("<section><p>").text(&more.into()).put("</p></section>");
    }
    out.put("</main></body></html>\n");
    out.finish()
}

fn headline(explained: &Explained) -> String {
    let strategy = &explained.outcome.strategy;
    match &explained.outcome.result {
        Ok(signal) => format!("{strategy} holds {}", wants(signal, NAMED_MAX)),
        Err(_) => format!("{strategy} has no signal"),
    }
}

/// The strategies with what they hold, each leading to its section.
fn push_list(out: &mut Markup, all: &[Explained]) {
    out.put("<nav>");
    for (number, explained) in all.iter().enumerate() {
        out.put("<a href=\"#s").number(count(number)).put("\">");
        out.text(&explained.outcome.strategy.as_str().into()).put("</a><span>");
        let told = match &explained.outcome.result {
            Ok(signal) => {
                let sure = signal.confidence.map(|margin| format!(" ({})", confidence(margin)));
                format!("{}{}", wants(signal, NAMED_MAX), sure.unwrap_or_default())
            }
            Err(error) => format!("no signal: {}", strategy_error(error)),
        };
        out.text(&told.into()).put("</span>");
    }
    out.put("</nav>");
}

fn push_strategy(out: &mut Markup, (number, room): (usize, [usize; 2]), explained: &Explained) {
    let outcome = &explained.outcome;
    out.put("<section class=\"strategy\" id=\"s").number(count(number)).put("\"><h2>");
    out.text(&outcome.strategy.as_str().into());
    if let Some(drawing) = &explained.drawing {
        out.put("<small>").text(&clip(&drawing.outline.title, 120).into()).put("</small>");
    }
    out.put("</h2>");
    match &outcome.result {
        Ok(signal) => {
            push_holdings(out, signal);
            if let Some(reason) = reason(signal, explained.drawing.as_ref()) {
                out.put("<p class=\"why\">").text(&reason.into()).put("</p>");
            }
            out.put("<p class=\"why\">").text(&nearest(signal).into()).put("</p>");
        }
        Err(error) => {
            out.put("<p class=\"why\">No signal. ").text(&strategy_error(error).into());
            out.put("</p>");
        }
    }
    let Some(drawing) = &explained.drawing else {
        out.put("<p>It has no tree to show.</p></section>");
        return;
    };
    let mut sketch = Sketch::new(out, &drawing.outline, (number, room));
    if let (Ok(signal), Some(route)) = (&outcome.result, &drawing.route) {
        sketch.out.put("<p class=\"key\">The way it took. A bar is how far a decision is from ");
        sketch.out.put("turning; a line opens to what would turn it and to what it left.</p>");
        lit::draw(&mut sketch, &signal.trace, route);
    } else {
        sketch.out.put("<p class=\"key\">The whole strategy; no way was taken.</p>");
        sketch.trunk(drawing.outline.root, 0);
    }
    let undrawn = sketch.undrawn;
    if undrawn > 0 {
        let words = format!("{undrawn} parts of the strategy, written out, are not drawn.");
        out.put("<p class=\"left\">").text(&words.into()).put("</p>");
    }
    out.put("</section>");
}

fn push_holdings(out: &mut Markup, signal: &Signal) {
    out.put("<div class=\"holds\">");
    let cash = (!signal.cash.is_zero()).then_some(("cash", signal.cash));
    let held = signal.weights.iter().map(|(symbol, weight)| (symbol.as_str(), *weight));
    for (name, weight) in held.chain(cash).take(HOLDINGS_MAX) {
        let weight = weight.decimal();
        out.put("<div><b>").text(&Line::from(name)).put("</b>");
        out.put("<span class=\"bar\"><i style=\"width:").number(hundredths(weight).into());
        out.put("%\"></i></span><span>").text(&percent(weight).into()).put("</span></div>");
    }
    out.put("</div>");
}

/// What led to the holdings, or to where the way splits: rankings, what held, and the last
/// decision.
fn reason(signal: &Signal, drawing: Option<&Drawing>) -> Option<String> {
    let route = drawing?.route.as_ref()?;
    let steps = &signal.trace.steps;
    let (mut said, mut passed): (Vec<(bool, String)>, usize) = (Vec::new(), 0);
    let mut split = None;
    let mut at = Some(route);
    while let Some(here) = at {
        let said_here = here.step.and_then(|step| steps.get(step)).and_then(led);
        said.extend(said_here);
        at = match &here.on[..] {
            [only] => Some(only),
            several => {
                split = several.iter().any(|on| !on.on.is_empty()).then_some(several.len());
                None
            }
        };
    }
    let last = said.len().saturating_sub(1);
    let mut words: Vec<String> = Vec::new();
    for (at, (counts, told)) in said.into_iter().enumerate() {
        if counts || at == last { words.push(told) } else { passed += 1 }
    }
    let earlier = words.len().saturating_sub(REASONS_MAX);
    let words = words.get(earlier..).unwrap_or_default();
    if words.is_empty() {
        return None;
    }
    let split = split.map(|count| format!("; there it splits in {count}")).unwrap_or_default();
    let others = match passed + earlier {
        0 => String::new(),
        1 => " One other decision passed it on.".to_owned(),
        others => format!(" {others} other decisions passed it on."),
    };
    Some(format!("Because {}{split}.{others}", words.join("; ")))
}

/// A decision in words, and whether it held.
fn led(step: &Step) -> Option<(bool, String)> {
    match step {
        Step::Condition(condition) => {
            let [left, against, _] = compared(condition.left_value, condition.right_value);
            let [name, right] = [&condition.left, &condition.right].map(|s| clip(s, NAME_MAX));
            // A number on the right is its own name.
            let is_number = right.parse::<f64>().is_ok();
            let against = if is_number { right } else { format!("{right} {against}") };
            let relation = relation(&condition.comparison, condition.holds);
            Some((condition.holds, format!("{name} {left} is {relation} {against}")))
        }
        Step::Compound(compound) => {
            let wanted = if compound.operator == "and" { "all" } else { "any" };
            let not = if compound.holds { "" } else { "not " };
            let told = format!("{not}{wanted} of {} conditions held", compound.written);
            Some((compound.holds, told))
        }
        Step::Ranking(ranking) => {
            let names = ranking.scores.iter().take(ranking.picked);
            let names: Vec<String> = names.map(|(name, _)| clip(name, NAME_MAX)).collect();
            let by = clip(&ranking.by, NAME_MAX);
            // A title may be a sentence, a symbol is not.
            let quoted = |name: &String| {
                if name.contains(' ') { format!("“{name}”") } else { name.clone() }
            };
            let names: Vec<String> = names.iter().map(quoted).collect();
            let (order, all) = (&ranking.order, ranking.scores.len());
            let told = format!("{} ranked {order} of {all} by {by}", listed(&names, 3));
            Some((true, told))
        }
        Step::Group(_) | Step::Weighing(_) => None,
    }
}

/// How two values compare, in words.
fn relation(comparison: &str, holds: bool) -> &str {
    match (comparison, holds) {
        (">", true) => "above",
        (">", false) => "not above",
        ("<", true) => "below",
        ("<", false) => "not below",
        (">=", true) => "at least",
        (">=", false) => "not at least",
        ("<=", true) => "at most",
        ("<=", false) => "not at most",
        ("=", true) => "exactly",
        ("=", false) => "not",
        (other, _) => other,
    }
}

/// The closest decision and how close it was.
fn nearest(signal: &Signal) -> String {
    let closest = deciding(&signal.trace).map(|told| capital(&told));
    match (closest, signal.confidence) {
        (Some(told), Some(distance)) => {
            format!("Closest: {told} {} away, {}.", margin(distance), confidence(distance))
        }
        (Some(told), None) => told,
        (None, _) => "Nothing was compared, the weights are fixed.".to_owned(),
    }
}

/// A number for an identity within the page.
pub(super) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

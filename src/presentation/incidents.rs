//! What went wrong, worst first: what happened, what it means, and the one thing to do.

use crate::domain::incident::{Category, Incident};
use crate::presentation::figures::{count, moment};
use crate::presentation::guide;
use crate::presentation::line::{Line, clip};
use crate::presentation::sheet::{Block, Note, Room, Section};
use crate::presentation::words;

/// So many incidents of one code are told as one.
const STORM_LEAST: usize = 4;
/// Of so many of them it is said what they were about.
const STORM_NAMED_MAX: usize = 8;
/// Context values below an incident in a letter.
const CONTEXT_MAX: usize = 6;
/// What is right whatever happened; the README's runbook says more.
const RUNBOOK: &str = "Halt; sending the same event again is always safe; the README's runbook has \
                       the steps.";
/// Signs of one context value in a letter.
const CONTEXT_VALUE_MAX: usize = 60;

/// The incidents that are more than a warning.
pub(crate) fn trouble(incidents: &[Incident], room: Room) -> Option<Section> {
    section("What went wrong", incidents, room, |category| category != Category::Warning)
}

/// The warnings.
pub(crate) fn warnings(incidents: &[Incident], room: Room) -> Option<Section> {
    section("Worth knowing", incidents, room, |category| category == Category::Warning)
}

/// What was wrong in the run before and is no longer.
pub(crate) fn recovered(incidents: &[Incident], room: Room) -> Option<Section> {
    let lines = incidents.iter().take(room.rows).map(|incident| {
        let days = count(usize::try_from(incident.day).unwrap_or(usize::MAX), "day");
        let what = clip(&incident.what, room.signs);
        Block::Prose(format!("{}, after {days}: {what}", clip(&incident.code, 60)).into())
    });
    Section::of("No longer wrong", lines.collect())
}

/// `, day 3` from the second day on.
fn day(incident: &Incident) -> String {
    if incident.is_standing() { format!(", day {}", incident.day) } else { String::new() }
}

fn section(
    title: &'static str,
    incidents: &[Incident],
    room: Room,
    which: fn(Category) -> bool,
) -> Option<Section> {
    let mut shown: Vec<&Incident> = incidents.iter().filter(|i| which(i.category)).collect();
    shown.sort_by_key(|incident| incident.category);
    let kinds = kinds(shown);
    let most = if room.is_page() { room.rows } else { (room.rows / 2).max(2) };
    let more: usize = kinds.iter().skip(most).map(Vec::len).sum();
    let mut blocks: Vec<Block> =
        kinds.iter().take(most).flat_map(|kind| storm(kind, room)).collect();
    if more > 0 {
        blocks.push(Block::Prose(format!("And {more} more in the record.").into()));
    }
    Section::of(title, blocks)
}

/// Incidents of one code that ask for one thing side by side, in the order of the first of each; a
/// few stay by themselves.
fn kinds(shown: Vec<&Incident>) -> Vec<Vec<&Incident>> {
    let mut kinds: Vec<Vec<&Incident>> = Vec::new();
    for incident in shown {
        let is_like = |one: &&Incident| one.code == incident.code && one.action == incident.action;
        match kinds.iter_mut().find(|kind| kind.first().is_some_and(is_like)) {
            Some(kind) => kind.push(incident),
            None => kinds.push(vec![incident]),
        }
    }
    let alone = |kind: Vec<_>| kind.into_iter().map(|one| vec![one]).collect::<Vec<_>>();
    let parted = |kind: Vec<_>| if kind.len() < STORM_LEAST { alone(kind) } else { vec![kind] };
    kinds.into_iter().flat_map(parted).collect()
}

/// The first of a kind in full, and what the others were about: a page has each of them.
fn storm(kind: &[&Incident], room: Room) -> Vec<Block> {
    let [first, others @ ..] = kind else { return Vec::new() };
    let mut note = note(first, room);
    if others.is_empty() {
        return vec![Block::Note(note)];
    }
    let about: Vec<String> = others.iter().map(|other| subject_of(other)).collect();
    let like = format!("{} more like it: {}", others.len(), words::listed(&about, STORM_NAMED_MAX));
    note.parts.push(("Also", clip(&like, room.signs).into()));
    let mut blocks = vec![Block::Note(note)];
    if room.is_page() {
        let whats = others
            .iter()
            .take(room.rows)
            .map(|other| Block::Prose(clip(&other.what, room.signs).into()));
        blocks.push(Block::Fold(format!("{} more like it", others.len()).into(), whats.collect()));
    }
    blocks
}

/// What tells an incident from others of its kind: what it is about, else what happened.
fn subject_of(incident: &Incident) -> String {
    let named = incident.context.first().map(|(_, value)| clip(value, CONTEXT_VALUE_MAX));
    named.unwrap_or_else(|| clip(&incident.what, CONTEXT_VALUE_MAX))
}

/// One incident.
pub(crate) fn note(incident: &Incident, room: Room) -> Note {
    let part = |name: &'static str, text: &str| {
        let line = Line::from(clip(text, room.signs));
        (!line.is_empty()).then_some((name, line))
    };
    let page = guide::page(&incident.code);
    let parts = [
        part("What", &incident.what),
        part("Means", &incident.meaning),
        part("Do", &incident.action),
        part("Why", page.filter(|_| room.is_page()).map_or("", |page| page.why)),
        part("Next time", page.filter(|_| room.is_page()).map_or("", |page| page.prevent)),
        part("If unsure", if incident.category.is_immediate() { RUNBOOK } else { "" }),
    ];
    let context = context(incident, room);
    let when = incident.at.map(|at| format!(", {}", moment(at))).unwrap_or_default();
    let noticed = format!("noticed by {}{when}", clip(&incident.component, 60));
    let separator = if context.is_empty() { "" } else { " · " };
    let mut small = vec![Line::from(format!("{context}{separator}{noticed}"))];
    if !room.is_page() && page.is_some() && incident.category < Category::Warning {
        small.push(format!("More: alchemiser incident {}", clip(&incident.code, 60)).into());
    }
    if room.is_page() {
        small
            .push(format!("{}: {}.", incident.category, words::category(incident.category)).into());
    }
    Note {
        tone: words::category_tone(incident.category),
        title: format!("{} · {}{}", incident.category, clip(&incident.code, 60), day(incident))
            .into(),
        parts: parts.into_iter().flatten().collect(),
        small,
    }
}

fn context(incident: &Incident, room: Room) -> String {
    let signs = if room.is_page() { room.signs } else { CONTEXT_VALUE_MAX.min(room.signs) };
    let most = if room.is_page() { room.rows } else { CONTEXT_MAX };
    let texts: Vec<String> = incident
        .context
        .iter()
        .map(|(name, value)| format!("{} {}", clip(name, 40), clip(value, signs)))
        .collect();
    words::listed(&texts, most)
}

//! The mail that does not wait for the run's end: something critical, or wrong settings.

use crate::domain::incident::{Category, Incident};
use crate::domain::run::RunKey;
use crate::presentation::answers::{first_of, incident_actions, status_command};
use crate::presentation::figures::{count, day};
use crate::presentation::incidents::{note, trouble};
use crate::presentation::line::{Line, clip};
use crate::presentation::sheet::{Answer, Band, Block, Fact, Room, Section, Sheet, Tone};
use crate::presentation::subject::{alert_subject, worst};
use crate::presentation::words;

/// Signs of an answer at the top; the whole text stands below.
const ANSWER_MAX: usize = 220;

/// The content of an alert, worst incident first.
pub(crate) fn sheet(incidents: &[Incident], key: Option<&RunKey>, room: Room) -> Sheet {
    let worst = worst(incidents);
    let category = worst.map_or(Category::Warning, |incident| incident.category);
    let mode = key.map(|key| format!("{} ", words::mode(key.mode).to_uppercase()));
    let when = key.map_or_else(
        || "Before any run was named".to_owned(),
        |key| format!("{}, {} · {}", day(key.session), key.slot, key.account),
    );
    Sheet {
        title: alert_subject(worst, key).into(),
        band: Band {
            tone: Tone::Bad,
            verdict: format!("{}{category}", mode.unwrap_or_default()).into(),
            when: when.into(),
            headline: headline(category).into(),
            money: Line::default(),
        },
        answers: worst.map(|incident| answers(incident, incidents)).unwrap_or_default(),
        lead: Line::default(),
        sections: sections(incidents, key, room),
    }
}

const fn headline(category: Category) -> &'static str {
    match category {
        Category::Critical => "Trading stopped",
        Category::Configuration => "Nothing is traded: the settings are wrong",
        Category::Trading => "An order went wrong",
        Category::Data => "Prices cannot be trusted",
        Category::Strategy => "A strategy gave no signal",
        Category::Notification => "A mail could not be sent",
        Category::Warning => "Worth knowing",
    }
}

fn answers(worst: &Incident, all: &[Incident]) -> Vec<Answer> {
    let actions = incident_actions(all);
    let to_do = match actions.as_slice() {
        [] => "Read what happened below.".to_owned(),
        several => first_of(several),
    };
    let answer =
        |question, text: &str, tone| Answer { question, text: clip(text, ANSWER_MAX).into(), tone };
    let meaning = match worst.meaning.as_str() {
        "" => words::category(worst.category),
        given => given,
    };
    vec![
        answer("What", &worst.what, Tone::Bad),
        answer("Means", meaning, Tone::Quiet),
        answer("To do", &to_do, Tone::Bad),
    ]
}

fn sections(incidents: &[Incident], key: Option<&RunKey>, room: Room) -> Vec<Section> {
    let notes: Vec<Block> = incidents
        .iter()
        .filter(|incident| incident.category == Category::Warning)
        .take(room.rows)
        .map(|incident| Block::Note(note(incident, room)))
        .collect();
    let follow = match key {
        Some(_) => "The run's own mail follows when it ends.",
        None => "No run was opened.",
    };
    let mut facts = vec![Fact::new("Incidents", count(incidents.len(), "incident"))];
    facts.extend(key.map(|key| Fact::new("Run", key.to_string())));
    facts.extend(key.map(|key| Fact::new("Look again", status_command(key))));
    [
        trouble(incidents, room),
        Section::of("Also", notes),
        Section::of("Next", vec![Block::Prose(follow.into()), Block::Facts(facts)]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

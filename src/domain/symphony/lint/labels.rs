//! Labels of the step form that stand twice: a key in one map, an id in two nodes.

use std::collections::BTreeMap;

use crate::domain::symphony::form::{Form, What};
use crate::domain::symphony::lint::finding::{Code, Finding, Findings};
use crate::domain::symphony::places::Place;

/// Looks through all maps of a text.
pub(crate) fn look(whole: &Form<'_>, findings: &mut Findings) {
    let mut ids: BTreeMap<&str, Place> = BTreeMap::new();
    let mut left = vec![whole];
    while let Some(form) = left.pop() {
        match &form.what {
            What::List(inside) | What::Vector(inside) => left.extend(inside.iter().rev()),
            What::Map(entries) => {
                keys(form, entries, findings);
                if let Some(id) = id(entries)
                    && let Some(text) = id.text()
                {
                    match ids.get(text) {
                        None => drop(ids.insert(text, id.place())),
                        Some(first) => findings.add((0, 0), repeated_id(&id.place(), first)),
                    }
                }
                left.extend(entries.iter().rev());
            }
            What::Text(_)
            | What::Number(_)
            | What::Keyword(_)
            | What::Symbol(_)
            | What::Nil
            | What::Flag(_) => {}
        }
    }
}

fn keys(map: &Form<'_>, entries: &[Form<'_>], findings: &mut Findings) {
    let mut known: BTreeMap<&str, Place> = BTreeMap::new();
    for entry in entries.chunks_exact(2) {
        let Some(name) = key(&entry[0]) else { continue };
        if let Some(first) = known.get(name) {
            let what = format!("the key {name} stands twice in one map");
            let finding =
                Finding::new(Code::RepeatedKey, &entry[0].place(), what, "keep one of them")
                    .because("the first is read here, and the last by most other programs")
                    .beside(first, "first here");
            findings.add((map.place().start, entry[0].place().start), finding);
        } else {
            known.insert(name, entry[0].place());
        }
    }
}

fn repeated_id(place: &Place, first: &Place) -> Finding {
    let next = "give each node its own id before a tool that goes by ids reads the file";
    Finding::new(Code::RepeatedId, place, "two nodes have one id".to_owned(), next)
        .because("ids are labels and decide nothing here")
        .beside(first, "first here")
}

/// The id of a node: of a map with a step.
fn id<'f, 't>(entries: &'f [Form<'t>]) -> Option<&'f Form<'t>> {
    let find = |name| entries.chunks_exact(2).find(|entry| key(&entry[0]) == Some(name));
    find("step")?;
    find("id").map(|entry| &entry[1])
}

fn key<'f>(form: &'f Form<'_>) -> Option<&'f str> {
    if let What::Keyword(name) = form.what { Some(name) } else { form.text() }
}

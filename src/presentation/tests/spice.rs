//! Text in every place where any text at all may stand, found by trying.
//!
//! No list of fields is kept by hand: whatever a value's stored form takes there without becoming
//! something else is a place where text from outside may come to be shown, now or later.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// No number, name, ticker, date or word of ours.
const PROBE: &str = "x<";

/// A value with the places of its free texts.
pub(crate) struct Spice<T> {
    plain: Value,
    texts: Vec<String>,
    maps: Vec<String>,
    kind: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Spice<T> {
    /// Tries the probe in every place of a value.
    pub(crate) fn of(value: &T) -> Self {
        let plain = serde_json::to_value(value).unwrap();
        // Read and written again, it has to be there: what is passed over is no text either.
        let reads = |changed: Value| {
            let read = serde_json::from_value::<T>(changed.clone());
            read.is_ok_and(|read| serde_json::to_value(read).unwrap() == changed)
        };
        let (mut strings, mut objects) = (Vec::new(), Vec::new());
        walk(&plain, String::new(), &mut strings, &mut objects);
        // Of places that differ in an index alone, and have the same fields beside them, one is tried.
        let mut tried: BTreeMap<(String, String), bool> = BTreeMap::new();
        strings.retain(|place| {
            let beside = plain.pointer(place.rsplit_once('/').unwrap().0).unwrap().as_object();
            let beside: Vec<&str> =
                beside.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            let reads = || reads(with_text(plain.clone(), place, PROBE));
            *tried.entry((folded(place), beside.join(" "))).or_insert_with(reads)
        });
        objects.retain(|place| {
            let mut changed = plain.clone();
            rename(&mut changed, place, PROBE) && reads(changed)
        });
        Self { plain, texts: strings, maps: objects, kind: PhantomData }
    }

    /// The places, array by array: `/incidents/*/what`.
    pub(crate) fn places(&self) -> Vec<String> {
        let mut places: Vec<String> = self.texts.iter().map(|place| folded(place)).collect();
        places.extend(self.maps.iter().map(|place| format!("{}/{{}}", folded(place))));
        places.sort();
        places.dedup();
        places
    }

    /// The value as it was.
    pub(crate) fn with_nothing(&self) -> T {
        serde_json::from_value(self.plain.clone()).unwrap()
    }

    /// The value with this text in all of them.
    pub(crate) fn with(&self, text: &str) -> T {
        let mut value = self.plain.clone();
        for place in &self.texts {
            value = with_text(value, place, text);
        }
        for place in &self.maps {
            rename(&mut value, place, text);
        }
        serde_json::from_value(value).unwrap()
    }
}

/// A place with a star for each index.
fn folded(place: &str) -> String {
    let part = |part: &str| if part.parse::<usize>().is_ok() { "*" } else { part }.to_owned();
    place.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn walk(value: &Value, place: String, strings: &mut Vec<String>, objects: &mut Vec<String>) {
    match value {
        Value::String(_) => strings.push(place),
        Value::Array(parts) => {
            for (at, part) in parts.iter().enumerate() {
                walk(part, format!("{place}/{at}"), strings, objects);
            }
        }
        Value::Object(fields) => {
            for (name, part) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                walk(part, format!("{place}/{name}"), strings, objects);
            }
            objects.push(place); // after its parts: a renamed key moves them
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn with_text(mut value: Value, place: &str, text: &str) -> Value {
    *value.pointer_mut(place).unwrap() = Value::from(text);
    value
}

/// Renames the first key of an object; false when there is none.
fn rename(value: &mut Value, place: &str, name: &str) -> bool {
    let fields = value.pointer_mut(place).and_then(Value::as_object_mut).unwrap();
    let Some(first) = fields.keys().next().cloned() else { return false };
    let moved = fields.remove(&first).unwrap();
    fields.insert(name.to_owned(), moved);
    true
}

//! The record's form: what the schema says, held against records and against itself.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::domain::report::{RECORD_VERSION, RunReport};
use crate::domain::symphony::trace::{Part, Step};
use crate::presentation::sample::{self, bad_day, every_kind, trading_day};

/// Deeper than `and` and `or` may be in each other, by half.
const LEVELS: usize = 24;
const SCHEMA: &str = include_str!("../../domain/record.schema.json");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn form() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

fn faults(record: &Value) -> Vec<String> {
    let form = form();
    form.iter_errors(record).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn record(report: &RunReport) -> Value {
    serde_json::to_value(report).unwrap()
}

/// Every object of the schema that names its fields, with its place.
fn objects(schema: &Value, place: &str, found: &mut Vec<(String, Map<String, Value>)>) {
    match schema {
        Value::Object(fields) => {
            if fields.contains_key("properties") && !place.ends_with("/properties") {
                found.push((place.to_owned(), fields.clone()));
            }
            fields.iter().for_each(|(name, part)| objects(part, &format!("{place}/{name}"), found));
        }
        Value::Array(parts) => {
            let each = parts.iter().enumerate();
            each.for_each(|(at, part)| objects(part, &format!("{place}/{at}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_sample_has_the_form_that_the_schema_says() {
    let mut records = sample::all();
    records.push(("every kind", every_kind()));
    for (name, report) in records {
        assert_eq!(faults(&record(&report)), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_schema_is_of_this_version_and_says_of_every_field_what_it_is() {
    let schema = schema();
    assert_eq!(schema["$defs"]["version"]["const"], json!(RECORD_VERSION));
    assert_eq!(schema["$id"], json!(format!("urn:alchemiser:record:{RECORD_VERSION}")));
    let defs = schema["$defs"].as_object().unwrap();
    for (name, def) in defs {
        assert!(def["description"].as_str().is_some_and(|said| said.len() > 5), "{name}");
    }
    let mut found = Vec::new();
    objects(&schema, "", &mut found);
    assert!(found.len() > 60, "{}", found.len());
    for (place, fields) in found {
        for (field, said) in fields["properties"].as_object().unwrap() {
            // Constants of a choice are explained where the choice is.
            let is_said =
                ["description", "$ref", "const"].iter().any(|word| said.get(word).is_some());
            let refines = place.contains("/oneOf/")
                && defs.keys().any(|def| place.contains(&format!("/{def}/")));
            assert!(is_said || refines, "{place}: {field} is not explained");
        }
    }
}

#[test]
fn the_schema_is_closed_and_only_what_was_not_asked_may_be_missing() {
    let mut found = Vec::new();
    let schema = schema();
    objects(&schema, "", &mut found);
    for (place, fields) in found {
        // Its parts are closed where they are put together.
        let is_part = place.ends_with("Fields") || place.contains("/oneOf/");
        let is_closed = ["additionalProperties", "unevaluatedProperties"]
            .iter()
            .any(|word| fields.get(*word) == Some(&Value::Bool(false)));
        assert!(is_closed || is_part, "{place} is open");
        if place.contains("/oneOf/") {
            continue; // its base requires what is common
        }
        let properties: BTreeSet<&str> =
            fields["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let required: BTreeSet<&str> =
            fields["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let may_miss: Vec<&&str> = properties.difference(&required).collect();
        assert!(may_miss.iter().all(|field| **field == "turn"), "{place}: {may_miss:?}");
        assert!(required.is_subset(&properties), "{place}");
    }
}

/// Every field of a record, by its place.
fn places(record: &Value, place: &str, found: &mut Vec<String>) {
    match record {
        Value::Object(fields) => fields.iter().for_each(|(name, part)| {
            let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
            places(part, &place, found);
            found.push(place);
        }),
        Value::Array(parts) => {
            let each = parts.iter().enumerate();
            each.for_each(|(at, part)| places(part, &format!("{place}/{at}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The object around a place, and the field's name.
fn parent<'v>(record: &'v mut Value, place: &str) -> (&'v mut Map<String, Value>, String) {
    let (around, name) = place.rsplit_once('/').unwrap();
    (record.pointer_mut(around).unwrap().as_object_mut().unwrap(), name.to_owned())
}

#[test]
fn a_record_with_a_field_missing_or_misspelt_or_with_money_as_a_number_is_not_of_the_form() {
    let form = form();
    let whole = record(&every_kind());
    let mut found = Vec::new();
    places(&whole, "", &mut found);
    assert!(found.len() > 1000, "{}", found.len());
    // What is keyed by a name of the account's, and so has no fields of its own.
    let maps = [
        "wants",
        "shares",
        "sleeves",
        "foreign",
        "assets",
        "unsettled",
        "holdings",
        "past",
        "prices",
        "transfers",
        "stale",
        "allocations",
        "texts",
        "limits",
        "loosened",
        "closes",
    ];
    for place in found {
        let around = place.rsplit_once('/').unwrap().0;
        let is_map = maps.contains(&around.rsplit('/').next().unwrap());
        let is_free = place.starts_with("/shapes/") || place.ends_with("/turn");
        if (is_map && around != "/books/foreign") || is_free {
            continue;
        }
        let mut without = whole.clone();
        let (fields, name) = parent(&mut without, &place);
        let value = fields.remove(&name).unwrap();
        assert!(!form.is_valid(&without), "{place} is missing");
        fields_of(&mut without, &place).insert(format!("{name}s"), value.clone());
        assert!(!form.is_valid(&without), "{place} is misspelt");
        let Some(number) = value.as_str().and_then(|text| text.parse::<f64>().ok()) else {
            continue;
        };
        let mut float = whole.clone();
        fields_of(&mut float, &place).insert(name, json!(number));
        assert!(!form.is_valid(&float), "{place} as {number}");
    }
}

fn fields_of<'v>(record: &'v mut Value, place: &str) -> &'v mut Map<String, Value> {
    parent(record, place).0
}

#[test]
fn conditions_deeper_than_a_strategy_may_have_them_are_read_back() {
    let mut report = every_kind();
    let trace = &mut report.signals[0].result.as_mut().unwrap().trace;
    let Step::Compound(compound) = &mut trace.steps[2] else { panic!("{:?}", trace.steps[2]) };
    for _ in 0..LEVELS {
        let inner = Part::Compound(compound.clone());
        compound.parts = vec![inner];
    }
    let stored = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<RunReport>(&stored).unwrap(), report);
}

#[test]
fn a_field_that_the_schema_does_not_know_fails() {
    for (place, field) in
        [("", "bonus"), ("/plan/capital", "bonus"), ("/signals/0/result/Ok", "bonus")]
    {
        let mut strange = record(&trading_day());
        let fields = strange.pointer_mut(place).unwrap().as_object_mut().unwrap();
        fields.insert(field.to_owned(), json!("1"));
        let faults = faults(&strange);
        assert!(faults.iter().any(|fault| fault.contains("bonus")), "{place}: {faults:?}");
    }
}

#[test]
fn an_older_record_is_read_into_this_form_and_a_newer_one_is_not_read() {
    let mut older = record(&bad_day());
    let fields = older.as_object_mut().unwrap();
    for later in
        ["force", "books", "benchmark", "rates", "transfers", "assets", "opposed", "recovered"]
    {
        fields.remove(later).unwrap();
    }
    for later in ["plan_record", "inputs", "rules", "next_session", "marks", "receipt", "shapes"] {
        fields.remove(later).unwrap();
    }
    fields.insert("version".to_owned(), json!(1));
    for incident in older["incidents"].as_array_mut().unwrap() {
        incident.as_object_mut().unwrap().remove("day").unwrap();
    }
    assert!(!faults(&older).is_empty(), "version 1 has not this form");
    let read: RunReport = serde_json::from_value(older).unwrap();
    assert_eq!((read.version, &read.books, read.incidents[0].day), (RECORD_VERSION, &None, 1));
    assert_eq!(faults(&record(&read)), Vec::<String>::new());
    for (version, told) in [
        (json!(0), "a record of version 0"),
        (json!(RECORD_VERSION + 1), "a record of version 3, where 1 to 2 are known"),
        (json!("2"), "invalid type"),
        (json!(2.5), "invalid type"),
        (json!(-1), "invalid value"),
    ] {
        let mut other = record(&trading_day());
        other["version"] = version;
        let error = serde_json::from_value::<RunReport>(other).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

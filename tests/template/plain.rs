//! A transformed template with its references written out, so that rules can read plain values.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Writes out references: parameters by value, resources by name in braces, `{Records.Arn}/runs/*`.
/// What depends on a condition stays as it is.
pub(crate) fn plain(template: &Value, given: &[(&str, &str)]) -> Value {
    let mut known: BTreeMap<String, String> =
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    for (name, parameter) in template["Parameters"].as_object().unwrap() {
        let default = match &parameter["Default"] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => continue,
        };
        known.entry(name.clone()).or_insert(default);
    }
    written(template, &known)
}

fn written(value: &Value, known: &BTreeMap<String, String>) -> Value {
    match value {
        Value::Array(list) => list.iter().map(|item| written(item, known)).collect(),
        Value::Object(fields) => {
            let fields: Map<String, Value> =
                fields.iter().map(|(name, field)| (name.clone(), written(field, known))).collect();
            intrinsic(&fields, known).unwrap_or(Value::Object(fields))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn intrinsic(fields: &Map<String, Value>, known: &BTreeMap<String, String>) -> Option<Value> {
    let (name, value) = (fields.len() == 1).then(|| fields.iter().next()).flatten()?;
    let text = match (name.as_str(), value) {
        ("Ref", Value::String(target)) => named(target, known),
        ("Fn::GetAtt", Value::Array(path)) => {
            let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
            named(&path.join("."), known)
        }
        ("Fn::Sub", Value::String(text)) => substituted(text, known),
        ("Fn::Sub", Value::Array(parts)) => {
            let mut known = known.clone();
            for (name, value) in parts[1].as_object()? {
                known.insert(name.clone(), value.as_str()?.to_owned());
            }
            substituted(parts[0].as_str()?, &known)
        }
        ("Fn::Split", Value::Array(parts)) => {
            return Some(json!(parts[1].as_str()?.split(parts[0].as_str()?).collect::<Vec<_>>()));
        }
        ("Fn::Select", Value::Array(parts)) => {
            let index = usize::try_from(parts[0].as_u64()?).ok()?;
            return parts[1].get(index).cloned();
        }
        _ => return None,
    };
    Some(Value::String(text))
}

fn named(target: &str, known: &BTreeMap<String, String>) -> String {
    known.get(target).cloned().unwrap_or_else(|| format!("{{{target}}}"))
}

fn substituted(text: &str, known: &BTreeMap<String, String>) -> String {
    let mut parts = text.split("${");
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (target, rest) = part.split_once('}').unwrap();
        written += &named(target, known);
        written += rest;
    }
    written
}

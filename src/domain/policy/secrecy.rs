//! Keeping the addresses of pushes out of what is said about a policy that is wrong.
//!
//! The reader of a policy quotes the line that it could not read, or the value that it did not
//! expect. Both may be an address, which is a secret, and what is said is mailed and recorded.

use toml::{Table, Value};

/// Keys whose values are addresses, wherever they were put by mistake.
const KEYS: [&str; 3] = ["push", "ntfy", "webhook"];
const HIDDEN: &str = "(hidden)";

/// The reader's words about a text that is no TOML, without the lines that it quotes, unless the
/// text sets nothing about pushes.
pub(super) fn without_source(said: &str, text: &str) -> String {
    let mut settings = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    if !settings.any(|line| KEYS.iter().any(|key| line.contains(key))) {
        return said.to_owned();
    }
    let is_quoted = |line: &&str| {
        line.split_once('|').is_some_and(|(number, _)| {
            number.bytes().all(|byte| byte == b' ' || byte.is_ascii_digit())
        })
    };
    let lines = said.lines().filter(|line| !is_quoted(line) && !line.contains("://"));
    lines.collect::<Vec<_>>().join("\n")
}

/// What may be an address in a policy, names of fields included.
pub(super) fn addresses_in(policy: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for value in KEYS.iter().filter_map(|key| policy.get(*key)) {
        texts(value, &mut found);
    }
    found
}

/// The reader's words with some texts hidden.
pub(super) fn without(said: &str, hidden: &[String]) -> String {
    let replaced = |said: String, text: &String| said.replace(text.as_str(), HIDDEN);
    hidden.iter().fold(said.to_owned(), replaced)
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|value| texts(value, found)),
        Value::Table(table) => {
            for (name, value) in table {
                if name.contains(['/', '.']) {
                    found.push(name.clone());
                }
                texts(value, found);
            }
        }
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
    found.retain(|text| !text.is_empty());
}

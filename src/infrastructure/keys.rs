//! The shape of a secret: JSON with `key_id` and `secret_key`, wherever it is kept.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::application::ports::{CredentialsError, KeyPair, Secret};

/// Longest key accepted; the broker's have 26 and 44 characters.
const KEY_LENGTH_MAX: usize = 256;

/// Reads a secret's text; errors name the field and what is wrong with it, never its value.
///
/// Other fields are left alone, so that a secret may carry notes.
///
/// # Errors
/// [`CredentialsError::Malformed`].
pub fn parse(name: &str, text: &[u8]) -> Result<KeyPair, CredentialsError> {
    let malformed = |field: &str, what: &str| CredentialsError::Malformed {
        name: name.to_owned(),
        field: format!("{field}{what}"),
    };
    // The parser's own words could quote the text, so they are dropped.
    let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(text) else {
        return Err(malformed("", "not a JSON object with key_id and secret_key"));
    };
    let mut take = |field: &str| {
        let value = match fields.remove(field) {
            None | Some(Value::Null) => return Err(malformed(field, " missing")),
            Some(Value::String(value)) => Zeroizing::new(value),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(malformed(field, " is not a text"));
            }
        };
        if value.trim().is_empty() {
            return Err(malformed(field, " is blank"));
        }
        if !value.chars().all(|c| c.is_ascii_graphic()) {
            return Err(malformed(field, " has spaces, line breaks or foreign characters"));
        }
        if value.len() > KEY_LENGTH_MAX {
            return Err(malformed(field, " is too long"));
        }
        Ok(Secret::new(value.as_str().to_owned()))
    };
    Ok(KeyPair { id: take("key_id")?, secret: take("secret_key")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse("alchemiser/paper/main", text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_key_pair_is_read_and_notes_are_left_alone() {
        let pair =
            parse("x", br#"{"key_id":"PKINVENTED","secret_key":"s3cr3t","note":1}"#).unwrap();
        assert_eq!((pair.id.expose(), pair.secret.expose()), ("PKINVENTED", "s3cr3t"));
    }

    #[test]
    fn a_wrong_secret_names_the_field_and_never_its_value() {
        let cases = [
            ("", "not a JSON object with key_id and secret_key"),
            ("hidden", "not a JSON object with key_id and secret_key"),
            ("\u{feff}{\"key_id\":\"hidden\"}", "not a JSON object with key_id and secret_key"),
            ("[\"hidden\"]", "not a JSON object with key_id and secret_key"),
            (r#"{"secret_key":"hidden"}"#, "key_id missing"),
            (r#"{"key_id":null,"secret_key":"hidden"}"#, "key_id missing"),
            (r#"{"key_id":"hidden","secret_key":7}"#, "secret_key is not a text"),
            (r#"{"key_id":" ","secret_key":"hidden"}"#, "key_id is blank"),
            (
                "{\"key_id\":\"a\",\"secret_key\":\"hidden\\n\"}",
                "secret_key has spaces, line breaks or foreign characters",
            ),
        ];
        for (text, expected) in cases {
            let said = refused(text);
            assert_eq!(said, format!("secret alchemiser/paper/main malformed: {expected}"));
            assert!(!said.contains("hidden"), "{said}");
        }
        let long = format!(r#"{{"key_id":"{}","secret_key":"s"}}"#, "k".repeat(300));
        assert!(refused(&long).ends_with("key_id is too long"));
    }
}

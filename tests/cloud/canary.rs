//! Looks for words that may stand nowhere, in every form in which a program may have spelt them.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The forms of the words that stand in some bytes, each named; empty when none does.
pub(crate) fn traces(words: &[&str], bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes); // the words are plain, so none is lost
    let unfolded = text.split_whitespace().collect::<String>();
    let soft = text.replace("=\r\n", "").replace("=\n", "");
    let texts = [unfolded, soft.replace("=3D", "="), soft, text.into_owned()];
    let mut found = Vec::new();
    for word in words {
        for (name, form) in forms(word) {
            if texts.iter().any(|text| text.contains(&form)) {
                found.push(format!("{word} {name}"));
            }
        }
    }
    found
}

/// A word in every spelling that we look for.
fn forms(word: &str) -> Vec<(&'static str, String)> {
    let json = serde_json::to_string(word).unwrap();
    let json = json.trim_matches('"').to_owned();
    let html = word
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&#39;");
    let mut forms = vec![
        ("plain", word.to_owned()),
        ("JSON-escaped", json.clone()),
        ("JSON-escaped twice", json.replace('\\', "\\\\").replace('"', "\\\"")),
        ("JSON-escaped with slashes", json.replace('/', "\\/")),
        ("HTML-escaped", html),
        ("URL-encoded", url(word, |hex, byte| write!(hex, "%{byte:02X}"))),
        ("URL-encoded in small letters", url(word, |hex, byte| write!(hex, "%{byte:02x}"))),
        ("in hexadecimal", hex(word)),
        ("as Debug shows it", format!("{word:?}").trim_matches('"').to_owned()),
    ];
    for lead in 0..3 {
        for text in [word, &json] {
            forms.push(("in base64", aligned(&STANDARD_NO_PAD, text, lead)));
            forms.push(("in base64 for addresses", aligned(&URL_SAFE_NO_PAD, text, lead)));
        }
    }
    forms
}

/// What of a word's base64 does not depend on what stands before and after it, when so many bytes
/// before it share its first group of three.
fn aligned(engine: &impl Engine, word: &str, lead: usize) -> String {
    let text = engine.encode([&vec![b'x'; lead], word.as_bytes()].concat());
    let bits = (lead * 8, (lead + word.len()) * 8);
    let (first, last) = (bits.0.div_ceil(6), bits.1 / 6);
    text[first..last].to_owned()
}

fn url(word: &str, spell: impl Fn(&mut String, u8) -> std::fmt::Result) -> String {
    let mut text = String::new();
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            spell(&mut text, byte).unwrap();
        }
    }
    text
}

fn hex(word: &str) -> String {
    let mut text = String::new();
    for byte in word.bytes() {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// The scan itself: a canary that it could not find would prove nothing.
#[test]
fn a_word_is_found_in_every_form_and_at_every_place_within_base64() {
    let word = "canary/Secret+Key=\"0001\"&<x>";
    let mut planted: Vec<Vec<u8>> = vec![
        format!("before {word} after").into_bytes(),
        serde_json::json!({ "echo": word }).to_string().into_bytes(),
        serde_json::json!({ "echo": serde_json::json!({ "deep": word }).to_string() })
            .to_string()
            .into_bytes(),
        url(word, |hex, byte| write!(hex, "%{byte:02X}")).into_bytes(),
        url(word, |hex, byte| write!(hex, "%{byte:02x}")).into_bytes(),
        format!("{word:?}").into_bytes(),
        b"canary/Secret+Key=3D\"00=\r\n01\"&<x>".to_vec(),
        b"canary/Secret+Key=&quot;0001&quot;&amp;&lt;x&gt;".to_vec(),
    ];
    planted.push(STANDARD_NO_PAD.encode(planted[1].clone()).into_bytes());
    for lead in 0..7 {
        let text = [&vec![b'{'; lead], word.as_bytes(), b"and more"].concat();
        let encoded = STANDARD_NO_PAD.encode(&text);
        let (one, two) = encoded.split_at(11); // folded as in a mail
        planted.push(format!("{one}\r\n{two}").into_bytes());
        planted.push(URL_SAFE_NO_PAD.encode(&text).into_bytes());
    }
    for bytes in planted {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!traces(&["other", word], &bytes).is_empty(), "{shown}");
    }
    assert_eq!(traces(&[word], b"canary/Secret+Key and nothing more"), Vec::<String>::new());
}

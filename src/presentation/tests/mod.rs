//! What a reader may rely on, whatever a run brought along.

mod added_up;
#[path = "../../../tests/browser/mod.rs"]
mod browser;
mod explained;
mod listed;
mod odd;
mod periods;
mod pictures;
#[path = "../../../tests/python/mod.rs"]
mod python;
mod recorded;
mod safe;
mod said;
mod seen;
mod spice;
mod watched;

use html5gum::{Token, Tokenizer};

/// Tags and attribute names in order: the structure of a document without its text.
pub(crate) fn structure(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::StartTag(tag) => {
                let names = tag.attributes.keys().map(|name| utf8(name));
                tags.push(format!("{} {}", utf8(&tag.name), names.collect::<Vec<_>>().join(" ")));
            }
            Token::EndTag(tag) => tags.push(format!("/{}", utf8(&tag.name))),
            Token::Error(error) => tags.push(format!("error {error:?}")),
            Token::String(_) | Token::Comment(_) | Token::Doctype(_) => {}
        }
    }
    tags
}

/// Attributes that hold words for people, and may hold any.
const WORDS: [&str; 2] = ["alt", "aria-label"];

/// The same with what every attribute says, but for words and for whether a line may be broken: the
/// whole document without its text.
pub(crate) fn anatomy(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::StartTag(tag) => {
                let said = tag.attributes.iter().map(|(name, value)| match utf8(name) {
                    name if WORDS.contains(&name.as_str()) => name,
                    name => format!("{name}={:?}", utf8(value).replace(";white-space:nowrap", "")),
                });
                tags.push(format!("{} {}", utf8(&tag.name), said.collect::<Vec<_>>().join(" ")));
            }
            Token::EndTag(tag) => tags.push(format!("/{}", utf8(&tag.name))),
            Token::Error(error) => tags.push(format!("error {error:?}")),
            Token::Comment(comment) => tags.push(format!("comment {}", utf8(&comment))),
            Token::String(_) | Token::Doctype(_) => {}
        }
    }
    tags
}

/// What a reader sees, on one line.
pub(crate) fn text_of(html: &str) -> String {
    let mut text = String::new();
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::String(part) => text.push_str(&utf8(&part)),
            Token::StartTag(_) | Token::EndTag(_) => text.push(' '),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    on_one_line(&text)
}

pub(crate) fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn utf8(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

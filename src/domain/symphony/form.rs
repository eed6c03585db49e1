//! The text's own structure: brackets, strings, numbers and words, each with its place.
//!
//! This is the part of EDN that symphonies use, and JSON, which is read as the same forms. It
//! knows nothing of strategies. The reader keeps its own stack and refuses deep nesting, so no
//! text can exhaust the machine's stack.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::IgnoredAny;

pub use crate::domain::symphony::read_error::ReadError;
use crate::domain::symphony::read_error::shortened;

/// Largest text read. The largest known symphony has 3.3 MB.
pub const TEXT_BYTES_MAX: usize = 8 << 20;
/// Largest JSON read: the same symphony takes two to three times as many words there.
pub const JSON_BYTES_MAX: usize = 2 * TEXT_BYTES_MAX;
/// Deepest nesting of brackets. The deepest known symphony has 289 levels.
pub const DEPTH_MAX: usize = 400;
/// Most forms in a text: an eight megabyte text of ordinary symphony has about half of that.
const FORMS_MAX: usize = 1_000_000;

/// One form and the bytes it spans.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Form<'t> {
    pub(crate) what: What<'t>,
    pub(crate) span: Range<usize>,
}

/// What a form is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What<'t> {
    List(Vec<Form<'t>>),
    Vector(Vec<Form<'t>>),
    Map(Vec<Form<'t>>),
    Text(Cow<'t, str>),
    Number(f64),
    /// Without its colon.
    Keyword(&'t str),
    Symbol(&'t str),
    Nil,
    Flag(bool),
}

impl Form<'_> {
    /// Its number, if it is one.
    pub(crate) fn number(&self) -> Option<f64> {
        if let What::Number(value) = self.what { Some(value) } else { None }
    }

    /// Its characters, if it is a string.
    pub(crate) fn text(&self) -> Option<&str> {
        if let What::Text(text) = &self.what { Some(text) } else { None }
    }
}

/// The text behind a reading, for errors that show places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'t>(pub(crate) &'t str);

#[derive(Clone, Copy, PartialEq)]
enum Bracket {
    Round,
    Square,
    Curly,
}

struct Open<'t> {
    bracket: Bracket,
    start: usize,
    forms: Vec<Form<'t>>,
}

/// How signs are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Edn,
    Json,
}

/// How much of a dialect is read. JSON says the same in about twice as many words, and a child
/// stands in two brackets there.
struct Limits {
    bytes: usize,
    depth: usize,
    forms: usize,
}

impl<'t> Source<'t> {
    /// The only form of the text.
    pub(crate) fn form(self) -> Result<Form<'t>, ReadError> {
        let dialect = self.dialect();
        let most = dialect.limits().bytes;
        if self.0.len() > most {
            let expected = format!("at most {most} bytes");
            return Err(self.error_at(0, &expected, &format!("{} bytes", self.0.len())));
        }
        if dialect == Dialect::Json {
            self.check_json()?;
        }
        Scan { source: self, dialect, at: 0, stack: Vec::new(), forms: 0 }.only_form()
    }

    /// JSON begins with a map whose first key is in quotes; nothing that is EDN of ours does.
    fn dialect(self) -> Dialect {
        let body = self.0.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let first = body.strip_prefix('{').map(str::trim_start);
        let is_json = first.is_some_and(|inside| inside.starts_with('"'));
        if is_json { Dialect::Json } else { Dialect::Edn }
    }

    /// Refuses what breaks the rules of JSON, so that the scan may be forgiving.
    fn check_json(self) -> Result<(), ReadError> {
        let body = self.0.trim_start_matches('\u{feff}');
        let Err(fault) = serde_json::from_str::<IgnoredAny>(body) else { return Ok(()) };
        let lines_before = body.split_inclusive('\n').take(fault.line().saturating_sub(1));
        let line_start: usize = lines_before.map(str::len).sum();
        let at = self.0.len() - body.len() + line_start + fault.column().saturating_sub(1);
        let said = fault.to_string();
        let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
        Err(self.error_at(at, "well-formed JSON", &format!("a fault: {said}")))
    }

    /// An error at a form, which is shown as found.
    pub(crate) fn refuse(self, form: &Form<'_>, expected: impl fmt::Display) -> ReadError {
        let piece = self.0.get(form.span.clone()).unwrap_or_default();
        self.error(form.span.clone(), &expected.to_string(), &shortened(piece))
    }

    /// An error at a form, with words for what was found.
    pub(crate) fn refuse_as(
        self,
        form: &Form<'_>,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> ReadError {
        self.error(form.span.clone(), &expected.to_string(), &found.to_string())
    }

    fn error(self, span: Range<usize>, expected: &str, found: &str) -> ReadError {
        let before = &self.0[..self.0.floor_char_boundary(span.start)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ReadError {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            expected: expected.to_owned(),
            found: found.to_owned(),
            span,
            hint: None,
        }
    }

    /// An error at one sign, or at the end.
    fn error_at(self, at: usize, expected: &str, found: &str) -> ReadError {
        let at = self.0.floor_char_boundary(at);
        let sign = self.0[at..].chars().next().map_or(0, char::len_utf8);
        self.error(at..at + sign, expected, found)
    }
}

struct Scan<'t> {
    source: Source<'t>,
    dialect: Dialect,
    at: usize,
    stack: Vec<Open<'t>>,
    forms: usize,
}

impl<'t> Scan<'t> {
    fn only_form(mut self) -> Result<Form<'t>, ReadError> {
        let mut only: Option<Form<'t>> = None;
        while let Some(sign) = self.next_sign() {
            let start = self.at;
            let Some(form) = self.step(sign, start)? else { continue };
            self.forms += 1;
            let most = self.dialect.limits().forms;
            if self.forms > most {
                return Err(self.source.refuse(&form, format!("at most {most} forms")));
            }
            match self.stack.last_mut() {
                Some(open) => open.forms.push(form),
                None if only.is_some() => {
                    return Err(self.source.refuse(&form, "the end of the text"));
                }
                None => only = Some(form),
            }
        }
        if let Some(open) = self.stack.last() {
            let closing = open.bracket.closing();
            let expected = format!("{closing} to close this bracket");
            let hint = format!("write {closing} where what it opens ends, or take it out");
            let error = self.source.error_at(open.start, &expected, "the end of the text");
            return Err(error.hinted(Some(hint)));
        }
        only.ok_or_else(|| {
            self.source.error_at(
                self.at,
                "a symphony such as (defsymphony ..)",
                "the end of the text",
            )
        })
    }

    /// The next character that is neither blank nor comment, not yet consumed.
    fn next_sign(&mut self) -> Option<char> {
        loop {
            let rest = &self.source.0[self.at..];
            let sign = rest.chars().next()?;
            let is_blank = sign.is_whitespace() || sign == ',' || sign == '\u{feff}';
            if sign == ';' {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if is_blank || (sign == ':' && self.dialect == Dialect::Json) {
                self.at += sign.len_utf8();
            } else {
                return Some(sign);
            }
        }
    }

    /// Consumes a bracket, a string or a word; a form when one was completed.
    fn step(&mut self, sign: char, start: usize) -> Result<Option<Form<'t>>, ReadError> {
        match sign {
            '(' => self.open(Bracket::Round).map(|()| None),
            '[' => self.open(Bracket::Square).map(|()| None),
            '{' => self.open(Bracket::Curly).map(|()| None),
            ')' => self.close(Bracket::Round).map(Some),
            ']' => self.close(Bracket::Square).map(Some),
            '}' => self.close(Bracket::Curly).map(Some),
            '"' => {
                let text = self.string(start)?;
                Ok(Some(Form { what: What::Text(text), span: start..self.at }))
            }
            _ => self.word(start).map(Some),
        }
    }

    fn open(&mut self, bracket: Bracket) -> Result<(), ReadError> {
        let most = self.dialect.limits().depth;
        if self.stack.len() >= most {
            let expected = format!("at most {most} levels of brackets");
            return Err(self.source.error_at(self.at, &expected, "one more"));
        }
        self.stack.push(Open { bracket, start: self.at, forms: Vec::new() });
        self.at += 1;
        Ok(())
    }

    fn close(&mut self, bracket: Bracket) -> Result<Form<'t>, ReadError> {
        let found = bracket.closing();
        let Some(open) = self.stack.pop() else {
            let hint = "take it out, or write the bracket that it closes".to_owned();
            return Err(self.source.error_at(self.at, "a form", found).hinted(Some(hint)));
        };
        if open.bracket != bracket {
            let closing = open.bracket.closing();
            let opened = self.source.error_at(open.start, "", "");
            let (line, column) = (opened.line, opened.column);
            let hint = format!("first write the {closing} of line {line}, column {column}");
            return Err(self.source.error_at(self.at, closing, found).hinted(Some(hint)));
        }
        self.at += 1;
        let span = open.start..self.at;
        let what = match bracket {
            Bracket::Round => What::List(open.forms),
            Bracket::Square => What::Vector(open.forms),
            Bracket::Curly => What::Map(open.forms),
        };
        Ok(Form { what, span })
    }

    fn string(&mut self, start: usize) -> Result<Cow<'t, str>, ReadError> {
        let body = start + 1;
        let mut changed: Option<String> = None;
        let mut signs = self.source.0[body..].char_indices();
        while let Some((offset, sign)) = signs.next() {
            match sign {
                '"' => {
                    self.at = body + offset + 1;
                    return Ok(match changed {
                        Some(text) => Cow::Owned(text),
                        None => Cow::Borrowed(&self.source.0[body..body + offset]),
                    });
                }
                '\\' => {
                    if self.dialect == Dialect::Json {
                        return self.json_string(start);
                    }
                    let so_far = &self.source.0[body..body + offset];
                    let text = changed.get_or_insert_with(|| so_far.to_owned());
                    let escape = signs.next().map(|(_, escape)| escape);
                    text.push(match escape {
                        Some(plain @ ('"' | '\\')) => plain,
                        Some('n') => '\n',
                        Some('t') => '\t',
                        Some('r') => '\r',
                        other => {
                            let found = other.map_or_else(|| "nothing".into(), String::from);
                            let expected = "one of \" \\ n t r after a backslash";
                            return Err(self.source.error_at(body + offset, expected, &found));
                        }
                    });
                }
                plain => {
                    if let Some(text) = &mut changed {
                        text.push(plain);
                    }
                }
            }
        }
        Err(self.source.error_at(start, "a closing quote", "the end of the text"))
    }

    /// A string of JSON with its escapes.
    fn json_string(&mut self, start: usize) -> Result<Cow<'t, str>, ReadError> {
        let mut strings =
            serde_json::Deserializer::from_str(&self.source.0[start..]).into_iter::<String>();
        let read = strings.next();
        self.at = start + strings.byte_offset();
        let Some(Ok(text)) = read else {
            let expected = "a string whose escapes stand for characters";
            return Err(self.source.error_at(start, expected, "one whose do not"));
        };
        Ok(Cow::Owned(text))
    }

    fn word(&mut self, start: usize) -> Result<Form<'t>, ReadError> {
        let rest = &self.source.0[start..];
        let is_json = self.dialect == Dialect::Json;
        let ends = |c: char| {
            c.is_whitespace()
                || matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | '"' | ';' | ',' | '\u{feff}')
                || (c == ':' && is_json)
        };
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        self.at = start + word.len();
        let what = match word {
            "nil" | "null" => What::Nil,
            "true" => What::Flag(true),
            "false" => What::Flag(false),
            _ => match word.strip_prefix(':') {
                Some("") => {
                    return Err(self.source.error(start..self.at, "a name after the colon", ":"));
                }
                Some(name) => What::Keyword(name),
                None if is_numeric(word) => What::Number(self.number(start, word)?),
                None if word.starts_with(['#', '\\', '\'', '`', '@', '^', '~']) => {
                    let expected = "a bracket, string, number, keyword or name";
                    return Err(self.source.error(start..self.at, expected, &shortened(word)));
                }
                None => What::Symbol(word),
            },
        };
        Ok(Form { what, span: start..self.at })
    }

    fn number(&self, start: usize, word: &str) -> Result<f64, ReadError> {
        let value = word.parse::<f64>().ok().filter(|value| value.is_finite());
        value.ok_or_else(|| {
            self.source.error(start..self.at, "a number such as 79 or -2.5", &shortened(word))
        })
    }
}

fn is_numeric(word: &str) -> bool {
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
}

impl Dialect {
    const fn limits(self) -> Limits {
        match self {
            Self::Edn => Limits { bytes: TEXT_BYTES_MAX, depth: DEPTH_MAX, forms: FORMS_MAX },
            Self::Json => {
                Limits { bytes: JSON_BYTES_MAX, depth: 2 * DEPTH_MAX, forms: 2 * FORMS_MAX }
            }
        }
    }
}

impl Bracket {
    fn closing(self) -> &'static str {
        match self {
            Self::Round => ")",
            Self::Square => "]",
            Self::Curly => "}",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Result<Form<'_>, ReadError> {
        Source(text).form()
    }

    fn complaint(text: &str) -> String {
        form(text).unwrap_err().to_string()
    }

    #[test]
    fn every_kind_of_form_is_read() {
        let read = form("; heading\n[nil, true false -2.5 7 :window > {:a \"b\"} ()]").unwrap();
        let What::Vector(forms) = read.what else { panic!("{read:?}") };
        let kinds: Vec<What<'_>> = forms.into_iter().map(|form| form.what).collect();
        assert_eq!(
            kinds[..7],
            [
                What::Nil,
                What::Flag(true),
                What::Flag(false),
                What::Number(-2.5),
                What::Number(7.0),
                What::Keyword("window"),
                What::Symbol(">"),
            ]
        );
        assert!(matches!(&kinds[7], What::Map(entries) if entries.len() == 2));
        assert_eq!(kinds[8], What::List(vec![]));
    }

    #[test]
    fn strings_keep_escapes_commas_and_any_unicode() {
        let read = form(r#""say \"buy\", ☢ \\ (now); \n""#).unwrap();
        assert_eq!(read.what, What::Text("say \"buy\", ☢ \\ (now); \n".into()));
        assert_eq!(form("\"plain\"").unwrap().what, What::Text(Cow::Borrowed("plain")));
    }

    #[test]
    fn errors_name_line_and_column_in_characters() {
        assert_eq!(
            complaint("[\n  \"☢☢\" \"open"),
            "line 2, column 8: expected a closing quote, found the end of the text"
        );
        assert_eq!(complaint("(a]"), "line 1, column 3: expected ), found ]");
        assert_eq!(
            complaint("\n([a]"),
            "line 2, column 1: expected ) to close this bracket, found the end of the text"
        );
        assert_eq!(complaint("a b"), "line 1, column 3: expected the end of the text, found b");
        assert_eq!(complaint(")"), "line 1, column 1: expected a form, found )");
        assert_eq!(
            complaint(" ; nothing"),
            "line 1, column 11: expected a symphony such as (defsymphony ..), \
             found the end of the text"
        );
        assert!(complaint("1.2.3").ends_with("found 1.2.3"));
        assert!(complaint("1e999").contains("expected a number"));
        assert!(complaint("#{a}").contains("found #"));
        assert!(complaint("\"\\q\"").contains("after a backslash, found q"));
        assert!(complaint(":").contains("a name after the colon"));
    }

    #[test]
    fn a_hundred_thousand_brackets_are_refused_at_the_limit() {
        for bracket in ["(", "[", "{"] {
            let error = form(&bracket.repeat(100_000)).unwrap_err();
            assert_eq!((error.line, error.column), (1, DEPTH_MAX + 1));
            assert_eq!(error.expected, "at most 400 levels of brackets");
        }
    }

    #[test]
    fn json_is_read_as_the_same_forms() {
        let json = "\u{feff}{\"a\" :[1.5,\"x\\u00e9\\n\",null,true],\"b\":{}}";
        let edn = "{:a [1.5 \"xé\\n\" nil true] :b {}}";
        assert_eq!(plain(&form(json).unwrap()), plain(&form(edn).unwrap()));
    }

    /// A form without its places.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all that has nothing inside")]
    fn plain(form: &Form<'_>) -> String {
        let all = |forms: &[Form<'_>]| forms.iter().map(plain).collect::<Vec<_>>().join(" ");
        match &form.what {
            What::Map(forms) => format!("{{{}}}", all(forms)),
            What::Vector(forms) | What::List(forms) => format!("[{}]", all(forms)),
            What::Keyword(name) => format!("Text({name:?})"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn faults_of_json_have_their_place() {
        assert_eq!(
            complaint("{\"a\": [1,\n \"é\", ]}"),
            "line 2, column 7: expected well-formed JSON, found a fault: expected value"
        );
        assert!(complaint("{\"a\": [1, {\"b\": \"c").contains("EOF while parsing a string"));
        assert!(complaint("{\"a\" 1}").contains("expected `:`"));
        assert!(complaint("{\"a\": NaN}").contains("well-formed JSON"));
        assert!(complaint("{\"a\": 1e999}").contains("expected a number such as 79"));
        assert!(complaint("{\"a\": \"\\ud800\"}").contains("escapes"));
        let deep = format!("{}1{}", "{\"a\":".repeat(900), "}".repeat(900));
        assert!(complaint(&deep).contains("at most 800 levels"), "{}", complaint(&deep));
    }

    #[test]
    fn a_text_of_more_than_eight_megabytes_is_refused() {
        assert!(complaint(&"[]".repeat(5 << 20)).contains("expected at most 8388608 bytes"));
        assert!(complaint(&" ".repeat(TEXT_BYTES_MAX + 1)).contains("bytes"));
        let many = format!("[{}]", "0 ".repeat(FORMS_MAX + 1));
        assert!(complaint(&many).contains("expected at most 1000000 forms"));
    }
}

//! The text's own structure: brackets, strings, numbers and words, each with its place.
//!
//! This is the part of EDN that symphonies use, and JSON, which is read as the same forms. It
//! knows nothing of strategies. Forms stand side by side in one room that is given back as a whole:
//! a long text has half a million of them.

use std::fmt;
use std::ops::Range;

use bumpalo::Bump;
use serde::de::IgnoredAny;

pub use crate::domain::symphony::read_error::ReadError;
use crate::domain::symphony::read_error::shortened;
use crate::domain::symphony::scan::{Dialect, Scan};

/// Largest text read. The largest known symphony has 3.3 MB.
pub const TEXT_BYTES_MAX: usize = 8 << 20;
/// Largest JSON read: the same symphony takes two to three times as many words there.
pub const JSON_BYTES_MAX: usize = 2 * TEXT_BYTES_MAX;
/// Deepest nesting of brackets. The deepest known symphony has 289 levels.
pub const DEPTH_MAX: usize = 400;
/// Most forms in a text: an eight megabyte text of ordinary symphony has about half of that.
pub(crate) const FORMS_MAX: usize = 1_000_000;

/// One form and the bytes it spans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Form<'t> {
    pub(crate) what: What<'t>,
    /// First byte, and the one after the last: a text is shorter than four gigabytes.
    span: (u32, u32),
}

/// What a form is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum What<'t> {
    List(&'t [Form<'t>]),
    Vector(&'t [Form<'t>]),
    Map(&'t [Form<'t>]),
    Text(&'t str),
    Number(f64),
    /// Without its colon.
    Keyword(&'t str),
    Symbol(&'t str),
    Nil,
    Flag(bool),
}

impl<'t> Form<'t> {
    /// A form and its place.
    pub(crate) fn new(what: What<'t>, place: Range<usize>) -> Self {
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { what, span: (short(place.start), short(place.end)) }
    }

    /// The bytes it spans.
    pub(crate) fn place(&self) -> Range<usize> {
        let long = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
        long(self.span.0)..long(self.span.1)
    }

    /// Its number, if it is one.
    pub(crate) fn number(&self) -> Option<f64> {
        if let What::Number(value) = self.what { Some(value) } else { None }
    }

    /// Its characters, if it is a string.
    pub(crate) fn text(&self) -> Option<&'t str> {
        if let What::Text(text) = self.what { Some(text) } else { None }
    }
}

/// The text behind a reading, for errors that show places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'t>(pub(crate) &'t str);

impl<'t> Source<'t> {
    /// The only form of the text; what is inside it stands in a room of the caller's.
    pub(crate) fn form(self, room: &'t Bump) -> Result<Form<'t>, ReadError> {
        let dialect = self.dialect();
        let most = dialect.limits().bytes;
        if self.0.len() > most {
            let expected = format!("at most {most} bytes");
            return Err(self.error_at(0, &expected, &format!("{} bytes", self.0.len())));
        }
        if dialect == Dialect::Json {
            self.check_json()?;
        }
        Scan::new(self, dialect, room).only_form()
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
        let piece = self.0.get(form.place()).unwrap_or_default();
        self.error(form.place(), &expected.to_string(), &shortened(piece))
    }

    /// An error at a form, with words for what was found.
    pub(crate) fn refuse_as(
        self,
        form: &Form<'_>,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> ReadError {
        self.error(form.place(), &expected.to_string(), &found.to_string())
    }

    pub(crate) fn error(self, span: Range<usize>, expected: &str, found: &str) -> ReadError {
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
    pub(crate) fn error_at(self, at: usize, expected: &str, found: &str) -> ReadError {
        let at = self.0.floor_char_boundary(at);
        let sign = self.0[at..].chars().next().map_or(0, char::len_utf8);
        self.error(at..at + sign, expected, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(text: &str) -> String {
        Source(text).form(&Bump::new()).unwrap_err().to_string()
    }

    #[test]
    fn every_kind_of_form_is_read() {
        let room = Bump::new();
        let form = |text| Source(text).form(&room);
        let read = form("; heading\n[nil, true false -2.5 7 :window > {:a \"b\"} ()]").unwrap();
        let What::Vector(forms) = read.what else { panic!("{read:?}") };
        let kinds: Vec<What<'_>> = forms.iter().map(|form| form.what).collect();
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
        assert_eq!(kinds[8], What::List(&[]));
    }

    #[test]
    fn strings_keep_escapes_commas_and_any_unicode() {
        let room = Bump::new();
        let form = |text| Source(text).form(&room);
        let read = form(r#""say \"buy\", ☢ \\ (now); \n""#).unwrap();
        assert_eq!(read.what, What::Text("say \"buy\", ☢ \\ (now); \n"));
        assert_eq!(form("\"plain\"").unwrap().what, What::Text("plain"));
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
            let text = bracket.repeat(100_000);
            let error = Source(&text).form(&Bump::new()).unwrap_err();
            assert_eq!((error.line, error.column), (1, DEPTH_MAX + 1));
            assert_eq!(error.expected, "at most 400 levels of brackets");
        }
    }

    #[test]
    fn json_is_read_as_the_same_forms() {
        let json = "\u{feff}{\"a\" :[1.5,\"x\\u00e9\\n\",null,true],\"b\":{}}";
        let edn = "{:a [1.5 \"xé\\n\" nil true] :b {}}";
        let plain = |text| plain(&Source(text).form(&Bump::new()).unwrap());
        assert_eq!(plain(json), plain(edn));
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

//! The scan of a text: from bytes to brackets, strings, numbers and words.
//!
//! It keeps its own stack and refuses deep nesting, so no text can exhaust the machine's stack.

use bumpalo::Bump;

use crate::domain::symphony::form::{
    DEPTH_MAX, FORMS_MAX, Form, JSON_BYTES_MAX, Source, TEXT_BYTES_MAX, What,
};
use crate::domain::symphony::read_error::{ReadError, shortened};

#[derive(Clone, Copy, PartialEq)]
enum Bracket {
    Round,
    Square,
    Curly,
}

struct Open {
    bracket: Bracket,
    start: usize,
    /// Where its first form stands among those that wait.
    first: usize,
}

/// How signs are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Edn,
    Json,
}

/// How much of a dialect is read. JSON says the same in about twice as many words, and a child
/// stands in two brackets there.
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    depth: usize,
    forms: usize,
}

impl Dialect {
    /// How much of it is read.
    pub(crate) const fn limits(self) -> Limits {
        match self {
            Self::Edn => Limits { bytes: TEXT_BYTES_MAX, depth: DEPTH_MAX, forms: FORMS_MAX },
            Self::Json => {
                Limits { bytes: JSON_BYTES_MAX, depth: 2 * DEPTH_MAX, forms: 2 * FORMS_MAX }
            }
        }
    }
}

/// A text on its way to forms.
pub(crate) struct Scan<'t> {
    source: Source<'t>,
    dialect: Dialect,
    at: usize,
    open: Vec<Open>,
    /// Forms whose bracket is not closed yet.
    waiting: Vec<Form<'t>>,
    forms: usize,
    room: &'t Bump,
}

impl<'t> Scan<'t> {
    pub(crate) fn new(source: Source<'t>, dialect: Dialect, room: &'t Bump) -> Self {
        let (open, waiting) = (Vec::new(), Vec::new());
        Self { source, dialect, at: 0, open, waiting, forms: 0, room }
    }

    /// The only form.
    pub(crate) fn only_form(mut self) -> Result<Form<'t>, ReadError> {
        while let Some(sign) = self.next_sign() {
            let start = self.at;
            let Some(form) = self.step(sign, start)? else { continue };
            self.forms += 1;
            let most = self.dialect.limits().forms;
            if self.forms > most {
                return Err(self.source.refuse(&form, format!("at most {most} forms")));
            }
            if self.open.is_empty() && !self.waiting.is_empty() {
                return Err(self.source.refuse(&form, "the end of the text"));
            }
            self.waiting.push(form);
        }
        if let Some(open) = self.open.last() {
            let closing = open.bracket.closing();
            let expected = format!("{closing} to close this bracket");
            let hint = format!("write {closing} where what it opens ends, or take it out");
            let error = self.source.error_at(open.start, &expected, "the end of the text");
            return Err(error.hinted(Some(hint)));
        }
        self.waiting.pop().ok_or_else(|| {
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
                Ok(Some(Form::new(What::Text(text), start..self.at)))
            }
            _ => self.word(start).map(Some),
        }
    }

    fn open(&mut self, bracket: Bracket) -> Result<(), ReadError> {
        let most = self.dialect.limits().depth;
        if self.open.len() >= most {
            let expected = format!("at most {most} levels of brackets");
            return Err(self.source.error_at(self.at, &expected, "one more"));
        }
        self.open.push(Open { bracket, start: self.at, first: self.waiting.len() });
        self.at += 1;
        Ok(())
    }

    fn close(&mut self, bracket: Bracket) -> Result<Form<'t>, ReadError> {
        let found = bracket.closing();
        let Some(open) = self.open.pop() else {
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
        let inside = self.room.alloc_slice_copy(&self.waiting[open.first..]);
        self.waiting.truncate(open.first);
        let what = match bracket {
            Bracket::Round => What::List(inside),
            Bracket::Square => What::Vector(inside),
            Bracket::Curly => What::Map(inside),
        };
        Ok(Form::new(what, open.start..self.at))
    }

    fn string(&mut self, start: usize) -> Result<&'t str, ReadError> {
        let body = &self.source.0[start + 1..];
        let Some(end) = body.bytes().position(|byte| matches!(byte, b'"' | b'\\')) else {
            return Err(self.unclosed(start));
        };
        if body.as_bytes()[end] == b'"' {
            self.at = start + 1 + end + 1;
            return Ok(&body[..end]);
        }
        match self.dialect {
            Dialect::Edn => self.escaped(start, end),
            Dialect::Json => self.json_string(start),
        }
    }

    /// A string with a backslash so many bytes after its opening quote.
    fn escaped(&mut self, start: usize, first: usize) -> Result<&'t str, ReadError> {
        let body = &self.source.0[start + 1..];
        let mut text = String::from(&body[..first]);
        let mut signs = body[first..].char_indices();
        while let Some((offset, sign)) = signs.next() {
            match sign {
                '"' => {
                    self.at = start + 1 + first + offset + 1;
                    return Ok(self.room.alloc_str(&text));
                }
                '\\' => {
                    let escape = signs.next().map(|(_, escape)| escape);
                    text.push(match escape {
                        Some(plain @ ('"' | '\\')) => plain,
                        Some('n') => '\n',
                        Some('t') => '\t',
                        Some('r') => '\r',
                        other => {
                            let found = other.map_or_else(|| "nothing".into(), String::from);
                            let expected = "one of \" \\ n t r after a backslash";
                            let at = start + 1 + first + offset;
                            return Err(self.source.error_at(at, expected, &found));
                        }
                    });
                }
                plain => text.push(plain),
            }
        }
        Err(self.unclosed(start))
    }

    fn unclosed(&self, start: usize) -> ReadError {
        self.source.error_at(start, "a closing quote", "the end of the text")
    }

    /// A string of JSON with its escapes.
    fn json_string(&mut self, start: usize) -> Result<&'t str, ReadError> {
        let mut strings =
            serde_json::Deserializer::from_str(&self.source.0[start..]).into_iter::<String>();
        let read = strings.next();
        self.at = start + strings.byte_offset();
        let Some(Ok(text)) = read else {
            let expected = "a string whose escapes stand for characters";
            return Err(self.source.error_at(start, expected, "one whose do not"));
        };
        Ok(self.room.alloc_str(&text))
    }

    fn word(&mut self, start: usize) -> Result<Form<'t>, ReadError> {
        let word = self.until_it_ends(&self.source.0[start..]);
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
                None if matches!(
                    word.as_bytes(),
                    [b'#' | b'\\' | b'\'' | b'`' | b'@' | b'^' | b'~', ..]
                ) =>
                {
                    let expected = "a bracket, string, number, keyword or name";
                    return Err(self.source.error(start..self.at, expected, &shortened(word)));
                }
                None => What::Symbol(word),
            },
        };
        Ok(Form::new(what, start..self.at))
    }

    /// The word that a text begins with.
    fn until_it_ends(&self, text: &'t str) -> &'t str {
        let is_json = self.dialect == Dialect::Json;
        let ends = |byte: u8| match byte {
            b' ' | b'\t'..=b'\r' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'"' | b';' | b',' => {
                true
            }
            b':' => is_json,
            _ => false,
        };
        let end = text.bytes().position(|byte| ends(byte) || !byte.is_ascii());
        let end = end.unwrap_or(text.len());
        if text.as_bytes().get(end).is_none_or(u8::is_ascii) {
            return &text[..end];
        }
        let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
        let ends = |c: char| u8::try_from(c).is_ok_and(ends) || blank(c);
        &text[..text.find(ends).unwrap_or(text.len())]
    }

    fn number(&self, start: usize, word: &str) -> Result<f64, ReadError> {
        let value = word.parse::<f64>().ok().filter(|value| value.is_finite());
        value.ok_or_else(|| {
            self.source.error(start..self.at, "a number such as 79 or -2.5", &shortened(word))
        })
    }
}

fn is_numeric(word: &str) -> bool {
    let ([b'-' | b'+', unsigned @ ..] | unsigned) = word.as_bytes();
    matches!(unsigned, [b'0'..=b'9' | b'.', ..])
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

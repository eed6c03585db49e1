//! Text that is safe to show: one line, no control or direction characters, of bounded length.
//!
//! Everything that reaches a letter, a page, a subject or a terminal passes through here first.
//! Names and messages come from the broker, from files and from events; none of them may start
//! a header, move the cursor, reverse the reading direction or push the layout apart.

/// Longest line shown whole; longer ones end in an ellipsis.
pub(crate) const LINE_MAX: usize = 900;

/// One line of text that is safe to show, not yet escaped for HTML.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Line(String);

impl Line {
    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// True when there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Signs in the line.
    pub(crate) fn length(&self) -> usize {
        self.0.chars().count()
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self(clip(text, LINE_MAX))
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

/// The text on one line, without control and direction characters, at most `max` signs long.
pub(crate) fn clip(text: &str, max: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max));
    let mut length = 0;
    let mut gap = false;
    for sign in text.chars() {
        if is_hidden(sign) {
            continue;
        }
        if sign.is_whitespace() || sign.is_control() {
            gap = length > 0;
            continue;
        }
        let signs = if gap { 2 } else { 1 };
        if length + signs > max {
            return with_ellipsis(shown, length, max);
        }
        if gap {
            shown.push(' ');
            gap = false;
        }
        shown.push(sign);
        length += signs;
    }
    shown
}

fn with_ellipsis(mut shown: String, length: usize, max: usize) -> String {
    if length == max {
        shown.pop();
    }
    if max > 0 {
        shown.push('…');
    }
    shown
}

/// Signs that are not seen but change how the rest is read.
const fn is_hidden(sign: char) -> bool {
    matches!(
        sign,
        '\u{00AD}'
            | '\u{034F}'
            | '\u{061C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E01EF}'
    )
}

/// Text from a strategy file without signs that could command a terminal: controls, and those that
/// turn the direction of what follows.
pub(crate) fn plain(text: &str) -> String {
    let turns = |sign| matches!(sign, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut plain = String::with_capacity(text.len());
    for sign in text.chars() {
        if sign.is_control() || turns(sign) {
            plain.extend(sign.escape_default());
        } else {
            plain.push(sign);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_cannot_start_a_header() {
        assert_eq!(clip("late\r\nBcc: x@y\u{2028}z\u{85}w", 80), "late Bcc: x@y z w");
    }

    #[test]
    fn the_cursor_and_the_reading_direction_cannot_be_moved() {
        assert_eq!(clip("a\u{1b}[2Jb", 80), "a [2Jb");
        assert_eq!(clip("pay \u{202e}05$\u{202c} n\u{200b}ow", 80), "pay 05$ now");
    }

    #[test]
    fn a_long_text_ends_in_an_ellipsis_within_its_bound() {
        assert_eq!(clip("abcdef", 6), "abcdef");
        assert_eq!(clip("abcdefg", 6), "abcde…");
        assert_eq!(clip("abcde fg", 6), "abcde…");
        assert_eq!(clip("abcdef", 0), "");
        assert_eq!(Line::from("é".repeat(5000)).length(), LINE_MAX);
    }
}

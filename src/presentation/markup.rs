//! HTML that cannot be injected into: markup is compiled in, everything else is escaped.
//!
//! [`Markup::put`] takes only text that is part of the program, by its lifetime; what a run
//! brought along is a [`Line`] and goes through [`Markup::text`].

use crate::presentation::line::Line;

/// HTML under construction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Markup(String);

impl Markup {
    /// Adds markup that is part of the program.
    pub(crate) fn put(&mut self, html: &'static str) -> &mut Self {
        self.0.push_str(html);
        self
    }

    /// Adds text, escaped for an element's content and for a quoted attribute alike.
    pub(crate) fn text(&mut self, line: &Line) -> &mut Self {
        for sign in line.as_str().chars() {
            match sign {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                plain => self.0.push(plain),
            }
        }
        self
    }

    /// Adds a whole number.
    pub(crate) fn number(&mut self, number: i64) -> &mut Self {
        self.0.push_str(&number.to_string());
        self
    }

    /// Bytes so far.
    pub(crate) fn length(&self) -> usize {
        self.0.len()
    }

    /// The finished HTML.
    pub(crate) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text_in_content_and_in_attributes() {
        let mut html = Markup::default();
        html.put("<a title=\"").text(&"\"><script>'&".into()).put("\">").number(-3).put("</a>");
        let expected = "<a title=\"&quot;&gt;&lt;script&gt;&#39;&amp;\">-3</a>";
        assert_eq!(html.finish(), expected);
    }
}

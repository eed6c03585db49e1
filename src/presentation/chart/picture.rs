//! A picture of few shapes, drawn once: a page shows it as SVG, a mail as pixels.
//!
//! One unit is one pixel of the mail's image, which a mail program shows at half its size, so that
//! it stays sharp on a phone. All coordinates are whole: no float decides where a line goes.

use crate::presentation::chart::glyphs::{EM, Glyph, glyph};
use crate::presentation::line::Line;
use crate::presentation::markup::Markup;

/// Width of every picture: twice the column of a letter, which is 560 wide.
pub(crate) const WIDTH: i16 = 1120;
/// Height of a sign's line: 17 in a letter's column, and 10 on a phone, whose column is 334 wide.
pub(crate) const LETTERING: i16 = 34;
/// Lengths of a dashed line's strokes and of the gaps between them.
pub(crate) const DASH: i16 = 10;

/// Shapes on a ground, later ones over earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Its height; its width is [`WIDTH`].
    pub(crate) height: i16,
    /// What is drawn.
    pub(crate) shapes: Vec<Shape>,
}

/// Something drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A filled box from its upper left to its lower right corner.
    Bar(Point, Point, Ink),
    /// A line from point to point, so many units thick.
    Line {
        /// Its corners.
        points: Vec<Point>,
        /// Its thickness.
        thick: i16,
        /// Unbroken, or dashed where nothing is known between its ends.
        stroke: Stroke,
        /// Its colour.
        ink: Ink,
    },
    /// A filled circle: centre and radius.
    Dot(Point, i16, Ink),
    /// Words on a baseline.
    Words {
        /// Where they start or end.
        at: Point,
        /// Which of both.
        side: Side,
        /// What they say.
        text: Line,
        /// Their colour.
        ink: Ink,
    },
}

/// A place, counted from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    /// Units to the right.
    pub(crate) x: i16,
    /// Units down.
    pub(crate) y: i16,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stroke {
    /// Unbroken.
    Solid,
    /// In dashes.
    Dashed,
}

/// Which end of the words is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// They start there.
    Start,
    /// They end there.
    End,
}

/// What a colour is for; a page has its own for light and dark, a mail's image one for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Words that matter.
    Text,
    /// Words that explain.
    Dim,
    /// Lines and tracks in the background.
    Rule,
    /// What is shown.
    Fill,
    /// What it is compared with.
    Mark,
}

impl Ink {
    /// The class that gives it its colour in a page.
    const fn class(self) -> &'static str {
        match self {
            Self::Text => "ink",
            Self::Dim => "dim",
            Self::Rule => "rule",
            Self::Fill => "fill",
            Self::Mark => "mark",
        }
    }
}

/// Words that start or end at a place on a baseline.
pub(crate) fn words((x, y): (i16, i16), side: Side, text: &str, ink: Ink) -> Shape {
    Shape::Words { at: Point { x, y }, side, text: text.into(), ink }
}

/// Units that some words take, by the outlines the mail's image has.
pub(crate) fn width(text: &str) -> i16 {
    text.chars().fold(0, |width, sign| advance(glyph(sign)).saturating_add(width)).min(WIDTH)
}

/// Units from a sign to the next, whole: equal signs then have equal pixels, which compress well.
pub(crate) fn advance(glyph: Glyph) -> i16 {
    let units = i32::from(glyph.advance) * i32::from(LETTERING) + i32::from(EM / 2);
    i16::try_from(units / i32::from(EM)).unwrap_or(WIDTH)
}

/// The picture as inline SVG; a screen reader reads `alt`.
pub(crate) fn push_svg(out: &mut Markup, picture: &Picture, alt: &Line) {
    out.put("<svg class=\"chart\" role=\"img\" viewBox=\"0 0 ").number(WIDTH.into()).put(" ");
    out.number(picture.height.into()).put("\" font-size=\"").number(LETTERING.into());
    out.put("\" aria-label=\"").text(alt).put("\">");
    for shape in &picture.shapes {
        push_shape(out, shape);
    }
    out.put("</svg>");
}

fn push_shape(out: &mut Markup, shape: &Shape) {
    match shape {
        Shape::Bar(from, to, ink) => {
            out.put("<rect class=\"").put(ink.class());
            number(out, "\" x=\"", from.x);
            number(out, "\" y=\"", from.y);
            number(out, "\" width=\"", to.x - from.x);
            number(out, "\" height=\"", to.y - from.y);
            out.put("\"/>");
        }
        Shape::Line { points, thick, stroke, ink } => {
            out.put("<polyline class=\"").put(ink.class());
            number(out, "\" stroke-width=\"", *thick);
            if *stroke == Stroke::Dashed {
                number(out, "\" stroke-dasharray=\"", DASH);
            }
            out.put("\" points=\"");
            for point in points {
                number(out, "", point.x);
                number(out, ",", point.y);
                out.put(" ");
            }
            out.put("\"/>");
        }
        Shape::Dot(at, radius, ink) => {
            out.put("<circle class=\"").put(ink.class());
            number(out, "\" cx=\"", at.x);
            number(out, "\" cy=\"", at.y);
            number(out, "\" r=\"", *radius);
            out.put("\"/>");
        }
        Shape::Words { at, side, text, ink } => {
            out.put("<text class=\"").put(ink.class());
            number(out, "\" x=\"", at.x);
            number(out, "\" y=\"", at.y);
            out.put(match side {
                Side::Start => "\">",
                Side::End => "\" text-anchor=\"end\">",
            });
            out.text(text).put("</text>");
        }
    }
}

fn number(out: &mut Markup, before: &'static str, number: i16) {
    out.put(before).number(number.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_the_description_stay_text() {
        let at = Point { x: 1, y: 2 };
        let text: Line = "</text><script>\"'&".into();
        let words = Shape::Words { at, side: Side::Start, text: text.clone(), ink: Ink::Text };
        let mut out = Markup::default();
        push_svg(&mut out, &Picture { height: 10, shapes: vec![words] }, &text);
        let escaped = "&lt;/text&gt;&lt;script&gt;&quot;&#39;&amp;";
        let expected = format!(
            "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 1120 10\" font-size=\"34\" \
             aria-label=\"{escaped}\"><text class=\"ink\" x=\"1\" y=\"2\">{escaped}</text></svg>"
        );
        assert_eq!(out.finish(), expected);
    }

    #[test]
    fn words_are_as_wide_as_their_signs() {
        assert_eq!(width(""), 0);
        assert_eq!(width("10"), 38, "two signs of 568 thousandths of 34");
        assert_eq!(width(&"W".repeat(9000)), WIDTH, "at most the whole picture");
    }
}

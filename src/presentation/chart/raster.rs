//! A picture as pixels.
//!
//! Mail programs show neither SVG nor the colours of a style sheet inside an image, so the ground
//! is part of it: a dark one, which reads well in a light letter and does not glare in a dark one.

use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke as Pen,
    StrokeDash, Transform,
};

use crate::presentation::chart::glyphs::{EM, Glyph, Step, glyph};
use crate::presentation::chart::picture::{
    DASH, Ink, LETTERING, Picture, Point, Shape, Side, Stroke, WIDTH, advance, width,
};
use crate::presentation::chart::png;

/// Highest picture drawn: its pixels take less than five megabytes of a run's twenty-four.
const HEIGHT_MAX: i16 = 1000;

const GROUND: [u8; 3] = [0x23, 0x2a, 0x31];

/// The picture as a PNG file; `None` when it is empty or too high to be drawn.
pub(crate) fn draw(picture: &Picture) -> Option<Vec<u8>> {
    if picture.shapes.is_empty() || !(1..=HEIGHT_MAX).contains(&picture.height) {
        return None;
    }
    let size = |length: i16| u32::try_from(length).ok();
    let mut pixels = Pixmap::new(size(WIDTH)?, size(picture.height)?)?;
    let [red, green, blue] = GROUND;
    pixels.fill(Color::from_rgba8(red, green, blue, u8::MAX));
    for shape in &picture.shapes {
        draw_shape(&mut pixels, shape);
    }
    png::encode(pixels.width(), pixels.data())
}

const fn colour(ink: Ink) -> [u8; 3] {
    match ink {
        Ink::Text => [0xf2, 0xf0, 0xeb],
        Ink::Dim => [0xa9, 0xb1, 0xb9],
        Ink::Rule => [0x3a, 0x43, 0x4c],
        Ink::Fill => [0x7f, 0xb4, 0xd6],
        Ink::Mark => [0xf0, 0xc4, 0x6c],
    }
}

fn paint(ink: Ink) -> Paint<'static> {
    let [red, green, blue] = colour(ink);
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, u8::MAX);
    paint
}

/// A shape without extent has no pixels; that is no failure.
fn draw_shape(pixels: &mut Pixmap, shape: &Shape) {
    let still = Transform::identity();
    match shape {
        Shape::Bar(from, to, ink) => {
            let [left, top, right, bottom] = [from.x, from.y, to.x, to.y].map(f32::from);
            if let Some(bar) = Rect::from_ltrb(left, top, right, bottom) {
                pixels.fill_rect(bar, &paint(*ink), still, None);
            }
        }
        Shape::Line { points, thick, stroke, ink } => {
            if let Some(path) = open_path(points) {
                pixels.stroke_path(&path, &paint(*ink), &pen(*thick, *stroke), still, None);
            }
        }
        Shape::Dot(at, radius, ink) => {
            let [x, y, radius] = [at.x, at.y, *radius].map(f32::from);
            if let Some(path) = PathBuilder::from_circle(x, y, radius) {
                pixels.fill_path(&path, &paint(*ink), FillRule::Winding, still, None);
            }
        }
        Shape::Words { at, side, text, ink } => {
            let start = match side {
                Side::Start => at.x,
                Side::End => at.x.saturating_sub(width(text.as_str())),
            };
            draw_words(pixels, Point { x: start, y: at.y }, text.as_str(), *ink);
        }
    }
}

fn open_path(points: &[Point]) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (at, point) in points.iter().enumerate() {
        let [x, y] = [point.x, point.y].map(f32::from);
        if at == 0 {
            path.move_to(x, y);
        } else {
            path.line_to(x, y);
        }
    }
    path.finish()
}

fn pen(thick: i16, stroke: Stroke) -> Pen {
    let dash = match stroke {
        Stroke::Solid => None,
        Stroke::Dashed => StrokeDash::new(vec![f32::from(DASH), f32::from(DASH)], 0.0),
    };
    let line_cap = match stroke {
        Stroke::Solid => LineCap::Round,
        Stroke::Dashed => LineCap::Butt,
    };
    Pen { width: f32::from(thick), line_cap, line_join: LineJoin::Round, dash, ..Pen::default() }
}

/// Sign after sign, in the outlines' own units, scaled and turned upright when filled.
fn draw_words(pixels: &mut Pixmap, at: Point, text: &str, ink: Ink) {
    let scale = f32::from(LETTERING) / f32::from(EM);
    let mut x = at.x;
    for sign in text.chars() {
        let glyph = glyph(sign);
        let upright = Transform::from_row(scale, 0.0, 0.0, -scale, f32::from(x), f32::from(at.y));
        if let Some(path) = outline(glyph) {
            pixels.fill_path(&path, &paint(ink), FillRule::Winding, upright, None);
        }
        x = x.saturating_add(advance(glyph));
    }
}

fn outline(glyph: Glyph) -> Option<Path> {
    let mut path = PathBuilder::new();
    for step in glyph.steps() {
        match step {
            Step::Move(to) => {
                let [x, y] = to.map(f32::from);
                path.move_to(x, y);
            }
            Step::Line(to) => {
                let [x, y] = to.map(f32::from);
                path.line_to(x, y);
            }
            Step::Curve(by, to) => {
                let ([by_x, by_y], [x, y]) = (by.map(f32::from), to.map(f32::from));
                path.quad_to(by_x, by_y, x, y);
            }
            Step::Close => path.close(),
        }
    }
    path.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(shapes: Vec<Shape>) -> Pixmap {
        let picture = Picture { height: 60, shapes };
        Pixmap::decode_png(&draw(&picture).unwrap()).unwrap()
    }

    fn colour_at(pixels: &Pixmap, x: u32, y: u32) -> [u8; 3] {
        let pixel = pixels.pixel(x, y).unwrap();
        [pixel.red(), pixel.green(), pixel.blue()]
    }

    /// Columns in which anything is drawn, first and last.
    fn extent(pixels: &Pixmap) -> (u32, u32) {
        let inked = |x: &u32| (0..pixels.height()).any(|y| colour_at(pixels, *x, y) != GROUND);
        let columns: Vec<u32> = (0..pixels.width()).filter(inked).collect();
        (columns[0], columns[columns.len() - 1])
    }

    fn words(at: Point, side: Side, text: &str) -> Shape {
        Shape::Words { at, side, text: text.into(), ink: Ink::Text }
    }

    #[test]
    fn a_bar_is_where_it_should_be_and_nothing_else_is() {
        let (from, to) = (Point { x: 10, y: 20 }, Point { x: 13, y: 22 });
        let pixels = drawn(vec![Shape::Bar(from, to, Ink::Mark)]);
        let inside = |x: u32, y: u32| (10..13).contains(&x) && (20..22).contains(&y);
        for (x, y) in (0..60).flat_map(|y| (0..1120).map(move |x| (x, y))) {
            let expected = if inside(x, y) { colour(Ink::Mark) } else { GROUND };
            assert_eq!(colour_at(&pixels, x, y), expected, "{x} {y}");
        }
    }

    #[test]
    fn words_start_or_end_where_they_are_told_and_stand_upright() {
        let at = Point { x: 500, y: 50 };
        let (from, to) = extent(&drawn(vec![words(at, Side::Start, "L")]));
        assert!((500..505).contains(&from) && to < 525, "{from} {to}");
        let (from, to) = extent(&drawn(vec![words(at, Side::End, "L")]));
        assert!(from > 475 && to < 500, "{from} {to}");
        let letter = drawn(vec![words(at, Side::Start, "L")]);
        let inked = |y: u32| (0..1120).filter(|x| colour_at(&letter, *x, y) != GROUND).count();
        assert!(inked(48) > 2 * inked(30), "the foot of an L is below");
        assert_eq!(inked(52), 0, "nothing below the baseline");
    }

    #[test]
    fn a_picture_of_nothing_or_of_impossible_height_is_none() {
        let dot = || vec![Shape::Dot(Point { x: 1, y: 1 }, 1, Ink::Fill)];
        assert_eq!(draw(&Picture { height: 10, shapes: Vec::new() }), None);
        for height in [-1, 0, HEIGHT_MAX + 1, i16::MAX] {
            assert_eq!(draw(&Picture { height, shapes: dot() }), None, "{height}");
        }
    }

    #[test]
    fn shapes_without_extent_or_beyond_the_edge_do_no_harm() {
        let at = Point { x: i16::MAX, y: i16::MIN };
        let line =
            Shape::Line { points: vec![at], thick: 0, stroke: Stroke::Dashed, ink: Ink::Rule };
        let long = words(at, Side::End, &"W".repeat(900));
        let shapes = vec![Shape::Bar(at, at, Ink::Fill), line, Shape::Dot(at, 0, Ink::Mark), long];
        let pixels = drawn(shapes);
        assert!(pixels.pixels().iter().all(|pixel| pixel.red() == GROUND[0]));
    }
}

//! The signs that a mail's pictures are lettered with.
//!
//! Pixels have no fonts. A real one, read at run time, would cost a reader of font files; the
//! outlines of the seventy signs that tickers, money, percentages and dates need are a page of text.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Units to the em.
pub(crate) const EM: i16 = 1000;

const OUTLINES: &str = include_str!("glyphs.txt");
/// Drawn for a sign that has no outline.
const UNKNOWN: char = '?';
/// What stands between two words; it has no outline, so it is not in the list.
const SPACE: Glyph = Glyph { advance: 249, outline: "" };

/// A sign's outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glyph {
    /// How far the next sign stands from it.
    pub(crate) advance: i16,
    outline: &'static str,
}

/// A step of an outline; y upwards from the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A contour starts here.
    Move([i16; 2]),
    /// A straight line to here.
    Line([i16; 2]),
    /// A curve by way of the first to the second.
    Curve([i16; 2], [i16; 2]),
    /// The contour is closed.
    Close,
}

/// The outline of a sign, or of a question mark.
pub(crate) fn glyph(sign: char) -> Glyph {
    if sign == ' ' {
        return SPACE;
    }
    find(sign).or_else(|| find(UNKNOWN)).unwrap_or(SPACE)
}

fn find(sign: char) -> Option<Glyph> {
    static GLYPHS: LazyLock<BTreeMap<char, Glyph>> =
        LazyLock::new(|| OUTLINES.lines().filter_map(read).collect());
    GLYPHS.get(&sign).copied()
}

/// The sign and outline of a line; none of a comment.
fn read(line: &'static str) -> Option<(char, Glyph)> {
    let sign = line.chars().next().filter(|sign| *sign != '#')?;
    let (advance, outline) = line[sign.len_utf8()..].trim_start().split_once(' ')?;
    Some((sign, Glyph { advance: advance.parse().ok()?, outline }))
}

impl Glyph {
    /// The steps of its outline.
    pub(crate) fn steps(self) -> impl Iterator<Item = Step> {
        let mut words = self.outline.split(' ');
        std::iter::from_fn(move || {
            let first = words.next()?;
            let command = first.chars().next()?;
            let number = |word: &str| word.trim_start_matches(command).parse::<i16>().ok();
            let x = number(first);
            let mut next = || words.next()?.parse::<i16>().ok();
            match command {
                'M' => Some(Step::Move([x?, next()?])),
                'L' => Some(Step::Line([x?, next()?])),
                'Q' => Some(Step::Curve([x?, next()?], [next()?, next()?])),
                'Z' => Some(Step::Close),
                _ => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything a label is made of: tickers, money, percentages, dates, and our own words.
    const LABELS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ.0123456789$,%−+JanFebMarAprMayJunJulAugSepOctNovDec\
        cashothersnowtargetafterthefirstrun";

    #[test]
    fn every_sign_of_a_label_has_a_closed_outline_of_its_own() {
        for sign in LABELS.chars() {
            let found = find(sign).unwrap_or_else(|| panic!("no outline for {sign}"));
            assert!(found.advance > 100, "{sign}");
            let steps: Vec<Step> = found.steps().collect();
            assert!(matches!(steps[0], Step::Move(_)), "{sign}");
            assert_eq!(steps.last(), Some(&Step::Close), "{sign}");
            let commands = found.outline.matches(['M', 'L', 'Q', 'Z']).count();
            assert_eq!(steps.len(), commands, "every step of {sign} is read");
        }
    }

    #[test]
    fn a_sign_without_an_outline_is_a_question_mark() {
        assert_eq!(glyph('Ω'), glyph('?'));
        assert_eq!(glyph('#'), glyph('?'), "a comment is no sign");
    }

    #[test]
    fn digits_are_equally_wide_so_that_figures_stand_in_columns() {
        let advances: Vec<i16> = ('0'..='9').map(|digit| glyph(digit).advance).collect();
        assert!(advances.iter().all(|advance| *advance == advances[0]), "{advances:?}");
    }
}

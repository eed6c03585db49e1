//! Parts of a strategy in a few words: what a branch would hold, or what it would look at next.

use std::fmt::Write;

use crate::domain::symphony::outline::{Outline, Piece, Test};
use crate::domain::symphony::trace::{Ranking, Step, Trace};
use crate::presentation::figures::{self, decimals_between, is_tie, ratio};
use crate::presentation::line::clip;

/// Longest name of a group or an indicator.
pub(super) const NAME_MAX: usize = 80;
/// Longest test in words.
const TEST_MAX: usize = 240;
/// Most assets that are told in one line.
const HOLDINGS_MAX: usize = 4;
/// Of how many decisions it is told what would turn them, and how close they must be.
const TURNS_MAX: usize = 3;
const CLOSE: f64 = 0.1;
/// Most assets that are counted.
const NAMES_MAX: usize = 100;
/// Most pieces that are looked at for what is held.
const LOOKS_MAX: usize = 24;

/// The closest decision of a path, and those of which it is told outright what would turn them: it
/// and a few more that are close, because of all it is a wall of text.
pub(super) fn closest(trace: &Trace) -> (Option<usize>, Vec<usize>) {
    let order = trace.closest();
    let is_close = |at: usize| {
        let margin = trace.steps.get(at).and_then(Step::margin);
        margin.is_some_and(|margin| margin < CLOSE)
    };
    let first = order.first().copied();
    let told = order.into_iter().take(TURNS_MAX);
    (first, told.filter(|at| Some(*at) == first || is_close(*at)).collect())
}

/// `UVXY`, or `UVXY 75.0%, BTAL 25.0%`: what a piece holds where it decides nothing and that is
/// told in one line.
pub(super) fn holding(outline: &Outline, piece: usize) -> Option<String> {
    let mut held = Held { outline, names: Vec::new(), looks: 0 };
    held.look(piece, 1.0)?;
    match &held.names[..] {
        [(name, _)] => Some(name.clone()),
        several => {
            let one = |(name, share): &(String, f64)| format!("{name} {}", ratio(*share));
            Some(several.iter().map(one).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Assets with their parts of a piece, as they are found.
struct Held<'o> {
    outline: &'o Outline,
    names: Vec<(String, f64)>,
    looks: usize,
}

impl Held<'_> {
    fn look(&mut self, piece: usize, share: f64) -> Option<()> {
        self.looks += 1;
        let outline = self.outline;
        match outline.pieces.get(piece).filter(|_| self.looks <= LOOKS_MAX)? {
            Piece::Asset(symbol) => self.add(symbol.to_string(), share),
            Piece::Cash => self.add("cash".to_owned(), share),
            Piece::Group { inner, .. } => self.look(*inner, share),
            Piece::Equal(inner) => {
                let count = u32::try_from(inner.len()).ok().map(f64::from)?;
                inner.iter().try_for_each(|inner| self.look(*inner, share / count))
            }
            Piece::Specified(inner) => {
                let mut weighty = inner.iter().filter(|(weight, _)| *weight > 0.0);
                weighty.try_for_each(|(weight, inner)| self.look(*inner, share * weight))
            }
            Piece::InverseVolatility { .. } | Piece::Choice { .. } | Piece::Ranking { .. } => None,
        }
    }

    fn add(&mut self, name: String, share: f64) -> Option<()> {
        match self.names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += share,
            None => self.names.push((name, share)),
        }
        (self.names.len() <= HOLDINGS_MAX).then_some(())
    }
}

/// Whether a piece is an asset or cash.
pub(super) fn is_leaf(outline: &Outline, piece: usize) -> bool {
    matches!(outline.pieces.get(piece), Some(Piece::Asset(_) | Piece::Cash))
}

/// `UVXY or BTAL`, or how many assets a piece could come to.
pub(super) fn choice(outline: &Outline, piece: usize) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut met = vec![false; outline.pieces.len()];
    let mut left = vec![piece];
    while let Some(piece) = left.pop() {
        let seen = met.get_mut(piece).is_none_or(|met| std::mem::replace(met, true));
        let Some(piece) = outline.pieces.get(piece).filter(|_| !seen) else { continue };
        match piece {
            Piece::Asset(symbol) => names.push(symbol.as_str()),
            Piece::Cash => names.push("cash"),
            Piece::Equal(_)
            | Piece::Specified(_)
            | Piece::InverseVolatility { .. }
            | Piece::Choice { .. }
            | Piece::Group { .. }
            | Piece::Ranking { .. } => {
                let listed = left.len();
                piece.each_inner(|inner| left.push(inner));
                left[listed..].reverse();
            }
        }
        if names.len() >= NAMES_MAX {
            return format!("{NAMES_MAX} assets or more");
        }
    }
    match names.len() {
        0..=3 => names.join(" or "),
        several => format!("one of {several} assets"),
    }
}

/// What a piece is in a few words: what it holds, its title, or what it chooses from.
pub(super) fn brief(outline: &Outline, piece: usize) -> String {
    if let Some(holding) = holding(outline, piece) {
        return holding;
    }
    match outline.pieces.get(piece) {
        None | Some(Piece::Cash) => "cash".to_owned(),
        Some(Piece::Asset(symbol)) => symbol.to_string(),
        Some(Piece::Group { title, .. }) => format!("“{}”", clip(title, NAME_MAX)),
        Some(Piece::Choice { .. }) => choice(outline, piece),
        Some(Piece::Ranking { .. }) => ranked(outline, piece),
        Some(Piece::InverseVolatility { by, members }) => weighed(by, members.len()),
        Some(Piece::Equal(inner)) => split(outline, inner.iter().copied()),
        Some(Piece::Specified(inner)) => split(outline, inner.iter().map(|(_, inner)| *inner)),
    }
}

fn split(outline: &Outline, mut inner: impl ExactSizeIterator<Item = usize>) -> String {
    match (inner.len(), inner.next()) {
        (1, Some(only)) => brief(outline, only),
        (count, _) => format!("split in {count}"),
    }
}

/// `the highest 1 of 3 by RSI(10)`
pub(super) fn ranked(outline: &Outline, piece: usize) -> String {
    let Some(Piece::Ranking { by, order, count, candidates }) = outline.pieces.get(piece) else {
        return String::new();
    };
    format!("the {order} {count} of {} by {}", candidates.len(), clip(by, NAME_MAX))
}

/// `2 by the inverse of volatility over 14 days`
pub(super) fn weighed(by: &str, count: usize) -> String {
    format!("{count} by the inverse of {}", clip(by, NAME_MAX))
}

/// The scores on either side of a ranking's cut, and the decimals that tell them apart.
pub(super) fn around(ranking: &Ranking) -> (Option<(f64, f64)>, usize) {
    let Ranking { scores, picked, .. } = ranking;
    let last = picked.checked_sub(1).and_then(|last| scores.get(last));
    let pair = last.zip(scores.get(*picked)).map(|((_, last), (_, next))| (*last, *next));
    let decimals = pair.filter(|(last, next)| !is_tie(*last, *next));
    (pair, decimals.map_or(2, |(last, next)| decimals_between(last, next)))
}

/// How far the scores on either side of a cut are apart.
pub(super) fn apart(pair: Option<(f64, f64)>, decimals: usize) -> String {
    match pair {
        Some((last, next)) => figures::apart(last, next, decimals),
        None => String::new(),
    }
}

/// `RSI(10) of SPY > 79`; parts of a compound in brackets.
pub(super) fn tested(test: &Test) -> String {
    let mut words = String::new();
    add_test(&mut words, test);
    clip(&words, TEST_MAX)
}

fn add_test(words: &mut String, test: &Test) {
    let (parts, between) = match test {
        Test::Compare { left, comparison, right } => {
            let (left, right) = (clip(left, NAME_MAX), clip(right, NAME_MAX));
            let _ = write!(words, "{left} {comparison} {right}"); // writing to a String cannot fail
            return;
        }
        Test::All(parts) => (parts, " and "),
        Test::Any(parts) => (parts, " or "),
    };
    for (at, part) in parts.iter().enumerate() {
        if words.len() > 4 * TEST_MAX {
            return; // it is cut off anyway
        }
        if at > 0 {
            words.push_str(between);
        }
        let is_plain = matches!(part, Test::Compare { .. });
        words.push_str(if is_plain { "" } else { "(" });
        add_test(words, part);
        words.push_str(if is_plain { "" } else { ")" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::symbol::Symbol;

    fn outline(pieces: Vec<Piece>) -> Outline {
        Outline { title: "t".to_owned(), root: pieces.len() - 1, pieces }
    }

    fn asset(name: &str) -> Piece {
        Piece::Asset(Symbol::parse(name).unwrap())
    }

    #[test]
    fn what_holds_the_same_thing_twice_is_summed_and_what_decides_holds_nothing_yet() {
        let test = Test::Compare { left: "a".into(), comparison: ">".into(), right: "1".into() };
        let outline = outline(vec![
            asset("UVXY"),
            asset("VIXM"),
            Piece::Equal(vec![0, 0, 1]),
            Piece::Group { title: "fear".into(), inner: 2 },
            Piece::Specified(vec![(0.5, 3), (0.0, 5), (0.5, 6)]),
            Piece::Choice { test, then: 0, otherwise: 1 },
            Piece::Cash,
        ]);
        assert_eq!(holding(&outline, 1).unwrap(), "VIXM");
        assert_eq!(holding(&outline, 3).unwrap(), "UVXY 66.7%, VIXM 33.3%");
        assert_eq!(holding(&outline, 4).unwrap(), "UVXY 33.3%, VIXM 16.7%, cash 50.0%");
        assert_eq!(holding(&outline, 5), None);
        assert_eq!(brief(&outline, 5), "UVXY or VIXM");
    }

    #[test]
    fn a_piece_that_doubles_forty_times_is_told_at_once() {
        let mut pieces = vec![asset("A")];
        pieces.extend((0..40).map(|below| Piece::Equal(vec![below, below])));
        let outline = outline(pieces);
        assert_eq!(holding(&outline, 40), None);
        assert_eq!(brief(&outline, 40), "split in 2");
    }

    #[test]
    fn a_test_of_tests_has_brackets_and_an_end() {
        let one = |left: &str| Test::Compare {
            left: left.into(),
            comparison: "<".into(),
            right: "5".into(),
        };
        let nested = Test::Any(vec![one("a"), Test::All(vec![one("b"), one("c")])]);
        assert_eq!(tested(&nested), "a < 5 or (b < 5 and c < 5)");
        let long = Test::All((0..100_000).map(|_| one("RSI(10) of SPY")).collect());
        assert!(tested(&long).chars().count() == TEST_MAX);
    }
}

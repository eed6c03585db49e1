//! The branches that were not taken: dim, folded, each part drawn once, and no more than fits.
//!
//! A ladder of tests is one trunk: at each test the smaller branch is folded and the larger goes
//! on below, so that folds within folds are few.

use crate::domain::symphony::outline::{Outline, Piece};
use crate::presentation::explain::brief::{NAME_MAX, brief, holding, ranked, tested, weighed};
use crate::presentation::explain::page::count;
use crate::presentation::figures::ratio;
use crate::presentation::line::clip;
use crate::presentation::markup::Markup;

/// Most folds within folds; browsers stop nesting at 512 elements.
const NEST_MAX: usize = 80;
/// Most branches in one line.
const PLAIN_MAX: usize = 12;
/// Most branches of one split.
const BRANCHES_MAX: usize = 200;

/// A strategy's section while it is drawn.
pub(super) struct Sketch<'s> {
    pub(super) out: &'s mut Markup,
    pub(super) outline: &'s Outline,
    /// Which section it is; makes its identities differ from those of the others.
    section: usize,
    /// Bytes left for the taken path and for the rest.
    pub(super) room: [usize; 2],
    /// Up to where the page has been taken from that room.
    counted: usize,
    met: Vec<Met>,
    sizes: Vec<u64>,
    /// Parts that found no room.
    pub(super) undrawn: u64,
}

/// Whether a piece has been drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    /// Not yet.
    New,
    /// It is on the taken path, which draws it.
    Ahead,
    /// It stands somewhere above.
    Drawn,
}

/// On which side of the drawing something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Light {
    /// On the taken path.
    Lit,
    /// On a branch that was not taken.
    Dim,
}

impl<'s> Sketch<'s> {
    pub(super) fn new(
        out: &'s mut Markup,
        outline: &'s Outline,
        (section, room): (usize, [usize; 2]),
    ) -> Self {
        let met = vec![Met::New; outline.pieces.len()];
        let (counted, sizes) = (out.length(), outline.sizes());
        Self { out, outline, section, room, counted, met, sizes, undrawn: 0 }
    }

    /// A dim trunk from a piece on to where it ends or branches.
    pub(super) fn trunk(&mut self, piece: usize, nest: usize) {
        self.out.put("<ol class=\"trunk dim\">");
        let (mut at, mut is_other) = (Some(piece), false);
        while let Some(here) = at {
            at = self.rung(here, nest, is_other);
            is_other |= matches!(self.outline.pieces.get(here), Some(Piece::Choice { .. }));
            self.spend(Light::Dim);
        }
        self.out.put("</ol>");
    }

    /// One rung of a dim trunk, which `is_other` than what choices above it led aside to; the piece
    /// that goes on below it.
    fn rung(&mut self, piece: usize, nest: usize, is_other: bool) -> Option<usize> {
        let outline = self.outline;
        if let Some(only) = only(outline, piece) {
            return Some(only);
        }
        if let Some(held) = holding(outline, piece) {
            self.out.put("<li class=\"held\">").put(if is_other { "else " } else { "" });
            self.out.put("<span class=\"then\">").text(&held.into());
            self.out.put("</span></li>");
            return None;
        }
        if self.met(piece) != Met::New || self.is_full(nest) {
            self.out.put("<li>");
            self.instead(piece);
            self.out.put("</li>");
            return None;
        }
        self.mark(piece, Met::Drawn);
        match outline.pieces.get(piece)? {
            Piece::Asset(_) | Piece::Cash => None,
            Piece::Group { title, inner } => {
                self.item("group", piece).text(&clip(title, NAME_MAX).into()).put("</li>");
                Some(*inner)
            }
            Piece::Choice { test, then, otherwise } => {
                let then_goes_on = self.size(*then) > self.size(*otherwise);
                let (word, aside, on) = if then_goes_on {
                    ("unless ", *otherwise, *then)
                } else {
                    ("if ", *then, *otherwise)
                };
                self.item("rung", piece).put(word).text(&tested(test).into()).put(": ");
                self.branch(aside, nest);
                self.out.put("</li>");
                Some(on)
            }
            Piece::Equal(inner) => {
                let shares: Vec<_> = inner.iter().map(|inner| (String::new(), *inner)).collect();
                self.split(piece, format!("equal parts of {}", inner.len()), &shares, nest)
            }
            Piece::Specified(inner) => {
                let share = |(share, inner): &(f64, usize)| (ratio(*share), *inner);
                let shares: Vec<_> = inner.iter().map(share).collect();
                self.split(piece, format!("parts of {}", inner.len()), &shares, nest)
            }
            Piece::InverseVolatility { by, members } => {
                let shares: Vec<_> = members.iter().map(|inner| (String::new(), *inner)).collect();
                self.split(piece, weighed(by, members.len()), &shares, nest)
            }
            Piece::Ranking { candidates, .. } => {
                let shares: Vec<_> =
                    candidates.iter().map(|inner| (String::new(), *inner)).collect();
                self.split(piece, ranked(outline, piece), &shares, nest)
            }
        }
    }

    fn split(
        &mut self,
        piece: usize,
        words: String,
        inner: &[(String, usize)],
        nest: usize,
    ) -> Option<usize> {
        self.item("split", piece).text(&words.into()).put(": ");
        if let Some(plain) = self.plain(inner) {
            self.out.put("<span class=\"then\">").text(&plain.into()).put("</span></li>");
            return None;
        }
        self.out.put("<ol class=\"trunk dim\">");
        for (at, (share, branch)) in inner.iter().enumerate() {
            if at >= BRANCHES_MAX || self.is_full(nest) {
                let left = inner.iter().skip(at).map(|(_, branch)| self.size(*branch));
                self.undrawn = left.fold(self.undrawn, u64::saturating_add);
                let words = format!("and {} more, not drawn", inner.len() - at);
                self.out.put("<li class=\"left\">").text(&words.into()).put("</li>");
                break;
            }
            self.out.put("<li>");
            if !share.is_empty() {
                self.out.text(&share.as_str().into()).put(" ");
            }
            self.branch(*branch, nest + 1);
            self.out.put("</li>");
            self.spend(Light::Dim);
        }
        self.out.put("</ol></li>");
        None
    }

    /// Branches in one line, where each holds something that is told at once.
    fn plain(&self, inner: &[(String, usize)]) -> Option<String> {
        let told = |(share, branch): &(String, usize)| {
            holding(self.outline, *branch).map(|held| format!("{share} {held}").trim().to_owned())
        };
        if inner.len() > PLAIN_MAX {
            return None;
        }
        Some(inner.iter().map(told).collect::<Option<Vec<_>>>()?.join(" · "))
    }

    /// What a branch holds, or the branch folded.
    pub(super) fn branch(&mut self, piece: usize, nest: usize) {
        let piece = unwrapped(self.outline, piece);
        if let Some(held) = holding(self.outline, piece) {
            self.out.put("<span class=\"then\">").text(&held.into()).put("</span>");
        } else if self.met(piece) != Met::New || self.is_full(nest) {
            self.instead(piece);
        } else {
            self.out.put("<details><summary>");
            self.summary(piece);
            self.out.put("</summary>");
            self.trunk(piece, nest + 1);
            self.out.put("</details>");
        }
    }

    /// A piece in a few words with its size.
    pub(super) fn summary(&mut self, piece: usize) {
        let words = format!("{}, {} parts", brief(self.outline, piece), self.size(piece));
        self.out.text(&words.into());
    }

    /// Where a piece stands that is not drawn here; or that there was no room for it.
    pub(super) fn instead(&mut self, piece: usize) {
        if self.met(piece) == Met::New {
            self.left_out(piece);
            return;
        }
        self.out.put("as drawn at <a href=\"#");
        self.name(piece);
        self.out.put("\">").text(&clip(&brief(self.outline, piece), NAME_MAX).into()).put("</a>");
    }

    /// Says that a piece found no room.
    pub(super) fn left_out(&mut self, piece: usize) {
        self.undrawn = self.undrawn.saturating_add(self.size(piece));
        self.out.put("<span class=\"left\">");
        self.summary(piece);
        self.out.put(", not drawn</span>");
    }

    /// Begins an entry of a list that a link can lead to.
    pub(super) fn item(&mut self, class: &'static str, piece: usize) -> &mut Markup {
        self.out.put("<li class=\"").put(class).put("\" id=\"");
        self.name(piece);
        self.out.put("\">")
    }

    fn name(&mut self, piece: usize) {
        self.out.put("s").number(count(self.section)).put("p").number(count(piece));
    }

    pub(super) fn met(&self, piece: usize) -> Met {
        self.met.get(piece).copied().unwrap_or(Met::New)
    }

    pub(super) fn mark(&mut self, piece: usize, met: Met) {
        if let Some(known) = self.met.get_mut(piece) {
            *known = met;
        }
    }

    fn size(&self, piece: usize) -> u64 {
        self.sizes.get(piece).copied().unwrap_or_default()
    }

    pub(super) fn is_full(&self, nest: usize) -> bool {
        nest >= NEST_MAX || self.room[1] == 0
    }

    /// Takes what was written since the last time from the room there is.
    pub(super) fn spend(&mut self, light: Light) {
        let place = usize::from(light == Light::Dim);
        let written = self.out.length() - self.counted;
        self.counted += written;
        self.room[place] = self.room[place].saturating_sub(written);
    }
}

/// The piece that one passes everything on to, or itself.
pub(super) fn unwrapped(outline: &Outline, piece: usize) -> usize {
    let mut piece = piece;
    while let Some(inner) = only(outline, piece) {
        piece = inner;
    }
    piece
}

/// The piece that a weighting of one passes everything on to.
pub(super) fn only(outline: &Outline, piece: usize) -> Option<usize> {
    match outline.pieces.get(piece)? {
        Piece::Equal(inner) => inner.first().copied().filter(|_| inner.len() == 1),
        Piece::Specified(inner) => {
            inner.first().map(|(_, inner)| *inner).filter(|_| inner.len() == 1)
        }
        Piece::Asset(_)
        | Piece::Cash
        | Piece::InverseVolatility { .. }
        | Piece::Choice { .. }
        | Piece::Group { .. }
        | Piece::Ranking { .. } => None,
    }
}

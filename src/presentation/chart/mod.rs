//! Charts: what they show in words and figures, and the picture of it.
//!
//! A chart is content like any other: its words and figures stand for themselves where there are
//! no pictures, and a picture that cannot be drawn costs a letter nothing but the picture.

pub(crate) mod allocation;
pub(crate) mod drift;
pub(crate) mod equity;
mod glyphs;
pub(crate) mod picture;
mod png;
mod raster;
pub(crate) mod ribbon;

use crate::domain::hash::sha256_hex;
use crate::presentation::chart::picture::{Picture, WIDTH};
use crate::presentation::line::Line;
use crate::presentation::sheet::{Block, Fact, Sheet};

/// Most bytes of a letter's images together: with a whole letter they stay below 300 kB. Ours take a
/// fifth; one that does not fit any more is left out, and its figures stand in its place.
const IMAGES_BYTES_MAX: usize = 120_000;
/// Signs of an image's hash in its name; the name only has to differ between letters.
const NAME_HASH_MAX: usize = 16;

/// A chart as content.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    /// Its name in one word of small letters.
    pub(crate) name: &'static str,
    /// What it looks like.
    pub(crate) picture: Picture,
    /// What it shows, with its figures, for those who do not see it.
    pub(crate) alt: Line,
    /// What stands below it.
    pub(crate) caption: Line,
    /// Its figures, for media without pictures.
    pub(crate) figures: Vec<Fact>,
}

/// An image that travels inside a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineImage {
    /// The chart it shows, and its name as a file without the ending.
    pub name: &'static str,
    /// The id by which the letter's HTML shows it: the same picture has the same one.
    pub content_id: String,
    /// Its size in the letter, half of its pixels: width and height.
    pub size: (u16, u16),
    /// A PNG file.
    pub png: Vec<u8>,
}

/// The images of a sheet's charts, without those that cannot be drawn.
pub(crate) fn images(sheet: &Sheet) -> Vec<InlineImage> {
    let blocks = sheet.sections.iter().flat_map(|section| &section.blocks);
    let mut room = IMAGES_BYTES_MAX;
    blocks
        .filter_map(|block| match block {
            Block::Chart(chart) => {
                let image = image(chart)?;
                room = room.checked_sub(image.png.len())?;
                Some(image)
            }
            Block::Prose(_)
            | Block::Facts(_)
            | Block::Rows(_)
            | Block::Note(_)
            | Block::Table(_)
            | Block::Fold(..) => None,
        })
        .collect()
}

fn image(chart: &Chart) -> Option<InlineImage> {
    let png = raster::draw(&chart.picture)?;
    let hash: String = sha256_hex(&png).chars().take(NAME_HASH_MAX).collect();
    let half = |length: i16| u16::try_from(length / 2).ok();
    Some(InlineImage {
        name: chart.name,
        content_id: format!("{}.{hash}@alchemiser", chart.name),
        size: (half(WIDTH)?, half(chart.picture.height)?),
        png,
    })
}

//! A PNG file of opaque pixels with few colours.
//!
//! Written here because the format needs little beside the compressor we have, and because a
//! palette makes a chart's file half as long as red, green and blue of every pixel do.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// Bytes of a pixel as it comes: red, green, blue, alpha.
const PIXEL_BYTES: usize = 4;
/// Pixels looked at together.
const SPAN_BYTES: usize = 16 * PIXEL_BYTES;
/// Eight bits to the pixel, which name a colour of the palette; no interlace.
const HEADER_REST: [u8; 5] = [8, 3, 0, 0, 0];
/// Rows as they are: differences between rows only help pictures of many colours.
const FILTER_NONE: u8 = 0;
/// What the compressor calls balanced; the highest takes twice as long for a tenth.
const LEVEL: u32 = 6;

type Colour = [u8; 3];

/// The file of a picture so many pixels wide, its rows one after the other; alpha is left out.
///
/// From the 257th colour on, a pixel takes the nearest of the colours before. `None` when the
/// pixels are no whole rows or too many for the format.
pub(crate) fn encode(width: u32, pixels: &[u8]) -> Option<Vec<u8>> {
    let row_bytes = usize::try_from(width).ok()?.checked_mul(PIXEL_BYTES)?;
    if row_bytes == 0 || pixels.is_empty() || !pixels.len().is_multiple_of(row_bytes) {
        return None;
    }
    let height = u32::try_from(pixels.len() / row_bytes).ok()?;
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &HEADER_REST].concat();
    let mut palette = Palette::default();
    let content = compressed(pixels.chunks_exact(row_bytes), &mut palette)?;
    let mut file = SIGNATURE.to_vec();
    push_chunk(&mut file, *b"IHDR", &header)?;
    push_chunk(&mut file, *b"PLTE", palette.colours.as_flattened())?;
    push_chunk(&mut file, *b"IDAT", &content)?;
    push_chunk(&mut file, *b"IEND", &[])?;
    Some(file)
}

fn compressed<'a>(rows: impl Iterator<Item = &'a [u8]>, palette: &mut Palette) -> Option<Vec<u8>> {
    let mut compressor = ZlibEncoder::new(Vec::new(), Compression::new(LEVEL));
    let mut line = Vec::new();
    for row in rows {
        line.clear();
        line.push(FILTER_NONE);
        let mut before: &[u8] = &[];
        for span in row.chunks(SPAN_BYTES) {
            if span == before {
                line.extend_from_within(line.len() - span.len() / PIXEL_BYTES..);
                continue; // nine of ten spans: a chart is mostly empty
            }
            for pixel in span.chunks_exact(PIXEL_BYTES) {
                let &[red, green, blue, _] = pixel else { return None };
                line.push(palette.place([red, green, blue]));
            }
            before = span;
        }
        compressor.write_all(&line).ok()?;
    }
    compressor.finish().ok()
}

/// The colours in the order they were met.
#[derive(Debug, Default)]
struct Palette {
    colours: Vec<Colour>,
    places: BTreeMap<Colour, u8>,
}

impl Palette {
    /// The place of a colour, which is added if there is room.
    fn place(&mut self, colour: Colour) -> u8 {
        self.places.get(&colour).copied().unwrap_or_else(|| self.add(colour))
    }

    fn add(&mut self, colour: Colour) -> u8 {
        let place = if let Ok(next) = u8::try_from(self.colours.len()) {
            self.colours.push(colour);
            next
        } else {
            let distance = |(other, _): &(Colour, u8)| {
                other.iter().zip(colour).map(|(a, b)| u32::from(a.abs_diff(b))).sum::<u32>()
            };
            let near = self.colours.iter().copied().zip(0..=u8::MAX).min_by_key(distance);
            near.map(|(_, place)| place).unwrap_or_default()
        };
        self.places.insert(colour, place);
        place
    }
}

/// Length, name, content, and a checksum of the last two.
fn push_chunk(file: &mut Vec<u8>, name: [u8; 4], content: &[u8]) -> Option<()> {
    let mut sum = Crc::new();
    sum.update(&name);
    sum.update(content);
    file.extend(u32::try_from(content.len()).ok()?.to_be_bytes());
    file.extend(name);
    file.extend(content);
    file.extend(sum.sum().to_be_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use tiny_skia::Pixmap;

    use super::*;

    /// Opaque pixels from colours.
    fn pixels(colours: &[Colour]) -> Vec<u8> {
        colours.iter().flat_map(|[red, green, blue]| [*red, *green, *blue, 255]).collect()
    }

    #[test]
    fn a_reader_of_another_hand_gets_the_same_pixels_back() {
        let pixels = pixels(&[[1, 2, 3], [255, 0, 9], [1, 2, 3], [0, 0, 0], [7, 7, 7], [1, 2, 3]]);
        let back = Pixmap::decode_png(&encode(3, &pixels).unwrap()).unwrap();
        assert_eq!((back.width(), back.height(), back.data()), (3, 2, pixels.as_slice()));
    }

    #[test]
    fn long_runs_of_a_colour_and_what_follows_them_come_back_too() {
        for width in [16, 17, 31, 33, 64, 100] {
            let mut colours = vec![[9, 9, 9]; width * 2];
            colours[width - 1] = [1, 2, 3];
            colours[width + 15] = [4, 5, 6];
            let pixels = pixels(&colours);
            let file = encode(u32::try_from(width).unwrap(), &pixels).unwrap();
            assert_eq!(Pixmap::decode_png(&file).unwrap().data(), pixels, "{width}");
        }
    }

    #[test]
    fn a_colour_too_many_becomes_the_nearest_one() {
        let mut colours: Vec<Colour> = (0..=255).map(|level| [level, 0, 0]).collect();
        colours.extend([[100, 1, 0], [255, 9, 9], [4, 0, 0]]);
        let back = Pixmap::decode_png(&encode(7, &pixels(&colours)).unwrap()).unwrap();
        colours.splice(256.., [[100, 0, 0], [255, 0, 0], [4, 0, 0]]);
        assert_eq!(back.data(), pixels(&colours));
    }

    #[test]
    fn what_is_no_rectangle_is_no_picture() {
        assert_eq!(encode(0, &[]), None);
        assert_eq!(encode(2, &[0; 12]), None);
        assert_eq!(encode(u32::MAX, &[0; 8]), None);
    }
}

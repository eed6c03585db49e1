//! What a letter, a page and a terminal show alike: the content, before any markup.
//!
//! The content is decided once; each medium only lays it out. Every text is a [`Line`].

use rust_decimal::Decimal;

use crate::presentation::chart::Chart;
use crate::presentation::figures::hundredths;
use crate::presentation::line::Line;

/// How much a reader should care; each medium has its colours for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    /// All is well.
    Good,
    /// Nothing to see.
    #[default]
    Quiet,
    /// Worth a look.
    Look,
    /// Somebody must look.
    Bad,
}

/// How much room there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// The letter or the whole report.
    pub(crate) depth: Depth,
    /// Most rows of any list.
    pub(crate) rows: usize,
    /// Most signs of any text from outside.
    pub(crate) signs: usize,
}

/// The letter or the whole report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What fits a phone.
    Letter,
    /// Everything there is.
    Page,
}

/// The whole content.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    /// Title of the page; the mail's subject.
    pub(crate) title: Line,
    /// What stands in colour at the top.
    pub(crate) band: Band,
    /// The questions a reader has first.
    pub(crate) answers: Vec<Answer>,
    /// What happened in one sentence; may be empty.
    pub(crate) lead: Line,
    /// The rest.
    pub(crate) sections: Vec<Section>,
}

/// What stands in colour at the top.
#[derive(Debug, Clone)]
pub(crate) struct Band {
    /// Its colour.
    pub(crate) tone: Tone,
    /// The verdict in capitals, with the mode.
    pub(crate) verdict: Line,
    /// Which run it is.
    pub(crate) when: Line,
    /// One short sentence.
    pub(crate) headline: Line,
    /// The account's money in one line; may be empty.
    pub(crate) money: Line,
}

/// A question and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The question in one or two words.
    pub(crate) question: &'static str,
    /// The answer in one sentence.
    pub(crate) text: Line,
    /// How much it matters.
    pub(crate) tone: Tone,
}

/// A heading and what stands below it.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// The heading.
    pub(crate) title: &'static str,
    /// What stands below it.
    pub(crate) blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug, Clone)]
pub(crate) enum Block {
    /// A sentence or two.
    Prose(Line),
    /// Names and values.
    Facts(Vec<Fact>),
    /// A list whose entries have a left and a right side, and lines below.
    Rows(Vec<Row>),
    /// An incident.
    Note(Note),
    /// A table with many columns; stands only in pages.
    Table(Table),
    /// Something that is opened on demand; stands only in pages.
    Fold(Line, Vec<Block>),
    /// A picture with its words and figures.
    Chart(Chart),
}

/// A name and its value.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    /// The name.
    pub(crate) name: Line,
    /// The value.
    pub(crate) value: Line,
}

/// An entry of a list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// Its left side: what it is about.
    pub(crate) left: Line,
    /// Its right side: the figure.
    pub(crate) right: Line,
    /// Lines below.
    pub(crate) under: Vec<Line>,
    /// How much it matters.
    pub(crate) tone: Tone,
    /// Length of its bar in hundredths.
    pub(crate) bar: Option<u8>,
}

/// An incident as shown.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    /// How much it matters.
    pub(crate) tone: Tone,
    /// Category and code.
    pub(crate) title: Line,
    /// What happened, what it means, what to do, by name; none is empty.
    pub(crate) parts: Vec<(&'static str, Line)>,
    /// Small print.
    pub(crate) small: Vec<Line>,
}

/// A table with many columns.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Headings and sides of the columns.
    pub(crate) columns: Vec<(&'static str, Align)>,
    /// Rows, each as long as the columns.
    pub(crate) rows: Vec<Vec<Line>>,
}

/// On which side a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Figures.
    Right,
}

impl Room {
    /// Room of a letter.
    pub(crate) const LETTER: Self = Self { depth: Depth::Letter, rows: 16, signs: 360 };
    /// Room of the whole report: more than any run fills, and still an end.
    pub(crate) const PAGE: Self = Self { depth: Depth::Page, rows: 400, signs: 900 };

    /// True for the whole report.
    pub(crate) fn is_page(self) -> bool {
        self.depth == Depth::Page
    }

    /// A quarter of the room, for letters that came out too long.
    pub(crate) const fn quartered(self) -> Self {
        Self { depth: self.depth, rows: self.rows / 4, signs: self.signs / 4 }
    }
}

impl Section {
    /// A section; `None` when there is nothing in it.
    pub(crate) fn of(title: &'static str, blocks: Vec<Block>) -> Option<Self> {
        let empty = |block: &Block| match block {
            Block::Prose(line) => line.is_empty(),
            Block::Facts(facts) => facts.is_empty(),
            Block::Rows(rows) => rows.is_empty(),
            Block::Table(table) => table.rows.is_empty(),
            Block::Fold(_, blocks) => blocks.is_empty(),
            Block::Note(_) | Block::Chart(_) => false,
        };
        let blocks: Vec<Block> = blocks.into_iter().filter(|block| !empty(block)).collect();
        (!blocks.is_empty()).then_some(Self { title, blocks })
    }
}

impl Fact {
    /// A name and its value.
    pub(crate) fn new(name: impl Into<Line>, value: impl Into<Line>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl Row {
    /// An entry without lines below.
    pub(crate) fn new(left: impl Into<Line>, right: impl Into<Line>) -> Self {
        Self { left: left.into(), right: right.into(), ..Self::default() }
    }

    /// The same with one more line below, unless that is empty.
    #[must_use]
    pub(crate) fn under(mut self, line: impl Into<Line>) -> Self {
        let line = line.into();
        if !line.is_empty() {
            self.under.push(line);
        }
        self
    }

    /// The same, mattering this much.
    #[must_use]
    pub(crate) const fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// The same with a bar for a fraction.
    #[must_use]
    pub(crate) fn bar(mut self, fraction: Option<Decimal>) -> Self {
        self.bar = fraction.map(hundredths);
        self
    }
}

impl Block {
    /// The first rows of a list and, if there are more, a line that says how many.
    pub(crate) fn rows(mut rows: Vec<Row>, room: Room) -> Self {
        if rows.len() > room.rows {
            let more = rows.len() - room.rows;
            rows.truncate(room.rows);
            let place = if room.is_page() { "the record" } else { "the report" };
            rows.push(Row::new(format!("and {more} more in {place}"), ""));
        }
        Self::Rows(rows)
    }
}

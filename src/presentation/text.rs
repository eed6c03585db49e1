//! Plain text: the letter's twin for readers without HTML, and the terminal's report.

use crate::presentation::line::{Line, clip};
use crate::presentation::sheet::{Answer, Block, Fact, Note, Row, Section, Sheet, Table};

/// How plain text is laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Layout {
    /// For any font and any width: nothing is aligned by spaces.
    Flowing,
    /// For a fixed-width font: figures end in this column.
    Columns(usize),
}

/// Column in which a terminal's figures end.
const TERMINAL_COLUMN: usize = 88;
/// Lines of a letter are broken here, as mail programs quote them.
const LETTER_COLUMN: usize = 76;
/// What a mail list previews: the heading and the answers must fit.
const PREVIEW_MAX: usize = 300;
/// Signs that a question takes, with its gap and its line break.
const QUESTION_SIGNS: usize = 10;

impl Layout {
    /// The terminal's.
    pub(crate) const TERMINAL: Self = Self::Columns(TERMINAL_COLUMN);

    const fn width(self) -> usize {
        match self {
            Self::Flowing => LETTER_COLUMN,
            Self::Columns(column) => column,
        }
    }
}

/// The content as plain text, ending in a line break.
pub(crate) fn text(sheet: &Sheet, layout: Layout) -> String {
    let mut out = String::new();
    let band = &sheet.band;
    push(&mut out, "", &format!("{}: {}", band.verdict.as_str(), band.when.as_str()), layout);
    out.push('\n');
    let most = match layout {
        Layout::Flowing => answer_signs(&sheet.answers, out.chars().count()),
        Layout::Columns(_) => usize::MAX,
    };
    for answer in &sheet.answers {
        let question = format!("{}?", answer.question);
        let short = clip(answer.text.as_str(), most);
        push(&mut out, "", &format!("{question:<8} {short}"), layout);
    }
    for answer in sheet.answers.iter().filter(|answer| answer.text.length() > most) {
        out.push('\n');
        push(&mut out, "", &format!("{}: {}", answer.question, answer.text.as_str()), layout);
    }
    for line in [&band.money, &sheet.lead] {
        if !line.is_empty() {
            out.push('\n');
            push(&mut out, "", line.as_str(), layout);
        }
    }
    for section in &sheet.sections {
        push_section(&mut out, section, layout);
    }
    out
}

/// The most signs an answer may have so that all of them stay within the preview.
fn answer_signs(answers: &[Answer], heading: usize) -> usize {
    let room = PREVIEW_MAX.saturating_sub(heading + answers.len() * QUESTION_SIGNS);
    let fits = |most: &usize| {
        answers.iter().map(|answer| answer.text.length().min(*most)).sum::<usize>() <= room
    };
    (0..=PREVIEW_MAX).rev().find(fits).unwrap_or_default()
}

fn push_section(out: &mut String, section: &Section, layout: Layout) {
    out.push('\n');
    push(out, "", &section.title.to_uppercase(), layout);
    for block in &section.blocks {
        push_block(out, block, layout);
    }
}

fn push_block(out: &mut String, block: &Block, layout: Layout) {
    match block {
        Block::Prose(line) => push(out, "  ", line.as_str(), layout),
        Block::Facts(facts) => push_facts(out, facts, layout),
        Block::Rows(rows) => rows.iter().for_each(|row| push_row(out, row, layout)),
        Block::Note(note) => push_note(out, note, layout),
        Block::Table(table) => push_table(out, table, layout),
        Block::Fold(title, blocks) => {
            push(out, "  ", title.as_str(), layout);
            for block in blocks {
                push_block(out, block, layout);
            }
        }
        Block::Chart(chart) => push_facts(out, &chart.figures, layout),
    }
}

fn push_facts(out: &mut String, facts: &[Fact], layout: Layout) {
    for Fact { name, value } in facts {
        push_pair(out, name, value, layout);
    }
}

fn push_row(out: &mut String, row: &Row, layout: Layout) {
    push_pair(out, &row.left, &row.right, layout);
    for line in &row.under {
        push(out, "    ", line.as_str(), layout);
    }
}

fn push_pair(out: &mut String, left: &Line, right: &Line, layout: Layout) {
    if right.is_empty() {
        return push(out, "  ", left.as_str(), layout);
    }
    match layout {
        Layout::Columns(column) if left.length() + right.length() + 4 <= column => {
            out.push_str("  ");
            out.push_str(left.as_str());
            out.push_str(&" ".repeat(column - 2 - left.length() - right.length()));
            out.push_str(right.as_str());
            out.push('\n');
        }
        Layout::Columns(_) | Layout::Flowing => {
            push(out, "  ", &format!("{}: {}", left.as_str(), right.as_str()), layout);
        }
    }
}

fn push_note(out: &mut String, note: &Note, layout: Layout) {
    push(out, "  ", note.title.as_str(), layout);
    for (name, part) in &note.parts {
        push(out, "    ", &format!("{name}: {}", part.as_str()), layout);
    }
    for line in &note.small {
        push(out, "    ", line.as_str(), layout);
    }
}

fn push_table(out: &mut String, table: &Table, layout: Layout) {
    for row in &table.rows {
        let cells: Vec<String> = table
            .columns
            .iter()
            .zip(row)
            .filter(|(_, cell)| !cell.is_empty())
            .map(|((name, _), cell)| format!("{name} {}", cell.as_str()))
            .collect();
        push(out, "  ", &cells.join(", "), layout);
    }
}

/// One paragraph, broken between words; every line starts with the indent.
fn push(out: &mut String, indent: &str, paragraph: &str, layout: Layout) {
    let mut length = 0;
    for word in paragraph.split(' ') {
        let signs = word.chars().count();
        if length == 0 {
            out.push_str(indent);
            length = indent.len();
        } else if length + 1 + signs > layout.width() {
            out.push('\n');
            out.push_str(indent);
            length = indent.len();
        } else {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += signs;
    }
    out.push('\n');
}

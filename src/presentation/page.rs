//! The report as one self-contained HTML file.

use crate::presentation::chart::picture::push_svg;
use crate::presentation::line::Line;
use crate::presentation::markup::Markup;
use crate::presentation::sheet::{Align, Block, Note, Row, Section, Sheet, Table, Tone};

/// What a page's security policy begins with: nothing is loaded, and nothing runs.
pub(crate) const SECURED: &str = concat!(
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">",
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ",
    "style-src 'unsafe-inline'",
);
/// What follows it, up to the title.
pub(crate) const STYLED: &str = concat!(
    "\">",
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">",
    "<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" ",
    "content=\"no-referrer\"><style>",
    include_str!("page.css"),
    "</style><title>"
);
/// The report's content as a page.
pub(crate) fn html(sheet: &Sheet) -> String {
    let mut out = Markup::default();
    out.put(SECURED).put(STYLED).text(&sheet.title).put("</title></head><body><main>");
    push_band(&mut out, sheet);
    out.put("<dl class=\"answers\">");
    for answer in &sheet.answers {
        out.put("<dt>").put(answer.question).put("</dt><dd class=\"").put(class(answer.tone));
        out.put("\">").text(&answer.text).put("</dd>");
    }
    out.put("</dl>");
    if !sheet.lead.is_empty() {
        out.put("<p class=\"lead\">").text(&sheet.lead).put("</p>");
    }
    let (wide, narrow): (Vec<&Section>, Vec<&Section>) =
        sheet.sections.iter().partition(|section| section.blocks.iter().any(is_wide));
    out.put("<div class=\"columns\">");
    for section in narrow {
        push_section(&mut out, section);
    }
    out.put("</div>");
    for section in wide {
        push_section(&mut out, section);
    }
    out.put("</main></body></html>\n");
    out.finish()
}

fn push_band(out: &mut Markup, sheet: &Sheet) {
    let band = &sheet.band;
    out.put("<header class=\"").put(class(band.tone)).put("\"><p><b>").text(&band.verdict);
    out.put("</b> <span>").text(&band.when).put("</span></p><h1>").text(&band.headline);
    out.put("</h1>");
    if !band.money.is_empty() {
        out.put("<p class=\"money\">").text(&band.money).put("</p>");
    }
    out.put("</header>");
}

/// The class that gives a tone its colour.
pub(crate) const fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Quiet => "quiet",
        Tone::Look => "look",
        Tone::Bad => "bad",
    }
}

fn is_wide(block: &Block) -> bool {
    match block {
        Block::Table(_) => true,
        Block::Fold(_, blocks) => blocks.iter().any(is_wide),
        Block::Prose(_) | Block::Facts(_) | Block::Rows(_) | Block::Note(_) | Block::Chart(_) => {
            false
        }
    }
}

fn push_section(out: &mut Markup, section: &Section) {
    out.put("<section><h2>").put(section.title).put("</h2>");
    section.blocks.iter().for_each(|block| push_block(out, block));
    out.put("</section>");
}

fn push_block(out: &mut Markup, block: &Block) {
    match block {
        Block::Prose(line) => {
            out.put("<p>").text(line).put("</p>");
        }
        Block::Facts(facts) => {
            out.put("<dl class=\"facts\">");
            for fact in facts {
                out.put("<div><dt>").text(&fact.name).put("</dt><dd>").text(&fact.value);
                out.put("</dd></div>");
            }
            out.put("</dl>");
        }
        Block::Rows(rows) => {
            out.put("<ul>");
            for row in rows {
                push_row(out, row);
            }
            out.put("</ul>");
        }
        Block::Note(note) => push_note(out, note),
        Block::Table(table) => push_table(out, table),
        Block::Fold(title, blocks) => {
            out.put("<details><summary>").text(title).put("</summary>");
            for block in blocks {
                push_block(out, block);
            }
            out.put("</details>");
        }
        Block::Chart(chart) => {
            push_svg(out, &chart.picture, &chart.alt);
            out.put("<p>").text(&chart.caption).put("</p>");
        }
    }
}

fn push_row(out: &mut Markup, row: &Row) {
    out.put("<li><div class=\"pair\"><b>").text(&row.left).put("</b>");
    out.put("<span class=\"").put(class(row.tone)).put("\">").text(&row.right).put("</span></div>");
    if let Some(bar) = row.bar {
        out.put("<div class=\"bar\"><i style=\"width:").number(bar.into()).put("%\"></i></div>");
    }
    for line in &row.under {
        out.put("<p>").text(line).put("</p>");
    }
    out.put("</li>");
}

fn push_note(out: &mut Markup, note: &Note) {
    out.put("<div class=\"note ").put(class(note.tone)).put("\"><h3>").text(&note.title);
    out.put("</h3><dl>");
    for (name, part) in &note.parts {
        out.put("<dt>").put(name).put("</dt><dd>").text(part).put("</dd>");
    }
    out.put("</dl>");
    for line in &note.small {
        out.put("<p>").text(line).put("</p>");
    }
    out.put("</div>");
}

fn push_table(out: &mut Markup, table: &Table) {
    out.put("<table><thead><tr>");
    for (name, align) in &table.columns {
        out.put(if *align == Align::Right { "<th class=\"right\">" } else { "<th>" });
        out.put(name).put("</th>");
    }
    out.put("</tr></thead><tbody>");
    for row in &table.rows {
        out.put("<tr>");
        for (column, text) in table.columns.iter().zip(row) {
            cell(out, *column, text);
        }
        out.put("</tr>");
    }
    out.put("</tbody></table>");
}

/// A cell with the name that it has where columns are rows.
pub(crate) fn cell(out: &mut Markup, (name, align): (&'static str, Align), text: &Line) {
    out.put("<td data-name=\"").put(name);
    out.put(if align == Align::Right { "\" class=\"right\">" } else { "\">" });
    out.text(text).put("</td>");
}

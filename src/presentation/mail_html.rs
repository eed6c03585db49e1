//! The letter as mail programs show it: tables, styles on the elements, nothing from elsewhere.
//!
//! Mail programs drop scripts, SVG, often the style sheet; what matters is therefore written on
//! each element, and the style sheet only adds the dark colours. Bars are tables, charts are images
//! that travel inside the letter.

use crate::presentation::chart::{Chart, InlineImage};
use crate::presentation::line::Line;
use crate::presentation::markup::Markup;
use crate::presentation::sheet::{Answer, Band, Block, Fact, Note, Row, Section, Sheet, Tone};

/// Longest figure that is kept on one line.
const NOWRAP_MAX: usize = 26;
/// Longest word that is never broken: a phone has room for it beside a name.
const WORD_MAX: usize = 18;

const HEAD: &str = include_str!("mail_head.html");
const TABLE: &str = "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" \
    cellspacing=\"0\" border=\"0\">";

/// The content as a mail's HTML body; a chart without an image shows its figures.
pub(crate) fn html(sheet: &Sheet, images: &[InlineImage]) -> String {
    let mut out = Markup::default();
    out.put("<!doctype html>\n<html lang=\"en\"><head><title>").text(&sheet.title).put("</title>");
    out.put(HEAD);
    push_preview(&mut out, &sheet.answers);
    out.put(
        "<div role=\"main\"><table role=\"presentation\" class=\"bg\" width=\"100%\" cellpadding=\"0\" \
         cellspacing=\"0\" border=\"0\" style=\"background:#f1f0ec\"><tr>\
         <td align=\"center\" style=\"padding:12px 8px 32px\">\
         <table role=\"presentation\" class=\"card\" width=\"100%\" cellpadding=\"0\" \
         cellspacing=\"0\" border=\"0\" style=\"max-width:600px;background:#ffffff;\
         border-radius:8px;text-align:left\">",
    );
    push_band(&mut out, &sheet.band);
    out.put(
        "<tr><td class=\"ink\" style=\"padding:6px 20px 24px;color:#1d2126;font:15px/1.45 \
         -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;\
         font-variant-numeric:tabular-nums;word-break:break-word;overflow-wrap:anywhere\">",
    );
    push_answers(&mut out, &sheet.answers);
    if !sheet.lead.is_empty() {
        out.put("<p class=\"dim\" style=\"margin:14px 0 0;color:#5f666e\">");
        out.text(&sheet.lead).put("</p>");
    }
    for section in &sheet.sections {
        push_section(&mut out, section, images);
    }
    out.put("</td></tr></table></td></tr></table></div></body></html>\n");
    out.finish()
}

/// The line that mail lists show beside the subject.
fn push_preview(out: &mut Markup, answers: &[Answer]) {
    out.put("<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">");
    for answer in answers {
        out.text(&answer.text).put(" ");
    }
    out.put("</div>");
}

fn push_band(out: &mut Markup, band: &Band) {
    out.put(match band.tone {
        Tone::Good => "<tr><td class=\"band\" bgcolor=\"#1f5c46\" style=\"background:#1f5c46;",
        Tone::Quiet => "<tr><td class=\"band\" bgcolor=\"#44505c\" style=\"background:#44505c;",
        Tone::Look => "<tr><td class=\"band\" bgcolor=\"#8a5a0b\" style=\"background:#8a5a0b;",
        Tone::Bad => "<tr><td class=\"band\" bgcolor=\"#9a2222\" style=\"background:#9a2222;",
    });
    out.put(
        "border-radius:8px 8px 0 0;padding:16px 20px 18px;color:#ffffff;font:15px/1.4 \
         -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;\
         font-variant-numeric:tabular-nums;word-break:break-word\">\
         <div style=\"font-size:13px;color:#ffffff\"><b style=\"letter-spacing:.06em\">",
    );
    out.text(&band.verdict).put("</b><br>").text(&band.when).put("</div>");
    out.put("<h1 style=\"margin:0;font-size:24px;line-height:1.2;font-weight:600;padding-top:10px;color:#ffffff\">");
    out.text(&band.headline).put("</h1>");
    if !band.money.is_empty() {
        out.put("<div style=\"font-size:16px;padding-top:6px;color:#ffffff\">");
        out.text(&band.money).put("</div>");
    }
    out.put("</td></tr>");
}

fn push_answers(out: &mut Markup, answers: &[Answer]) {
    out.put(TABLE);
    for answer in answers {
        out.put("<tr><td class=\"dim rule\" valign=\"top\" width=\"64\" style=\"padding:10px 10px 10px 0;border-bottom:1px solid #e4e2dc;color:#5f666e;white-space:nowrap\">");
        out.put(answer.question).put("</td>");
        out.put("<td class=\"rule\" valign=\"top\" style=\"padding:10px 0;border-bottom:1px solid #e4e2dc;font-weight:600\">");
        toned(out, answer.tone, &answer.text);
        out.put("</td></tr>");
    }
    out.put("</table>");
}

fn push_section(out: &mut Markup, section: &Section, images: &[InlineImage]) {
    out.put("<h2 style=\"margin:28px 0 4px;font-size:17px;line-height:1.3;font-weight:600\">");
    out.put(section.title).put("</h2>");
    for block in &section.blocks {
        push_block(out, block, images);
    }
}

fn push_block(out: &mut Markup, block: &Block, images: &[InlineImage]) {
    match block {
        Block::Prose(line) => {
            out.put("<p class=\"dim\" style=\"margin:4px 0;color:#5f666e\">")
                .text(line)
                .put("</p>");
        }
        Block::Facts(facts) => push_facts(out, facts),
        Block::Rows(rows) => rows.iter().for_each(|row| push_row(out, row)),
        Block::Note(note) => push_note(out, note),
        Block::Chart(chart) => push_chart(out, chart, images),
        Block::Fold(..) | Block::Table(_) => {} // stand only in pages
    }
}

fn push_facts(out: &mut Markup, facts: &[Fact]) {
    out.put("<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"margin-bottom:6px\">");
    for fact in facts {
        out.put(
            "<tr><td class=\"dim\" valign=\"top\" style=\"padding:3px 12px 3px 0;color:#5f666e",
        );
        out.put(if has_long_word(&fact.name) {
            "\">"
        } else {
            ";word-break:normal;overflow-wrap:normal\">"
        });
        out.text(&fact.name).put("</td>");
        right_cell(out, &fact.value);
        out.text(&fact.value).put("</td></tr>");
    }
    out.put("</table>");
}

/// Opens the right cell of a pair; a figure stays on one line, a sentence may break.
fn right_cell(out: &mut Markup, value: &Line) {
    out.put(if value.length() <= NOWRAP_MAX && !has_long_word(value) {
        "<td align=\"right\" valign=\"top\" style=\"padding:3px 0;white-space:nowrap\">"
    } else {
        "<td align=\"right\" valign=\"top\" style=\"padding:3px 0\">"
    });
}

fn has_long_word(line: &Line) -> bool {
    line.as_str().split(' ').any(|word| word.chars().count() > WORD_MAX)
}

fn push_row(out: &mut Markup, row: &Row) {
    out.put("<table role=\"presentation\" class=\"rule\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"border-bottom:1px solid #eceae5;padding:5px 0 6px\">");
    if row.right.is_empty() {
        out.put("<tr><td>").text(&row.left).put("</td></tr>");
    } else {
        out.put("<tr><td valign=\"top\" style=\"padding:3px 12px 0 0;font-weight:600\">");
        out.text(&row.left).put("</td>");
        right_cell(out, &row.right);
        toned(out, row.tone, &row.right);
        out.put("</td></tr>");
    }
    if let Some(bar) = row.bar {
        push_bar(out, bar);
    }
    if !row.under.is_empty() {
        out.put("<tr><td class=\"dim\" colspan=\"2\" style=\"color:#5f666e;font-size:14px\">");
        for (at, line) in row.under.iter().enumerate() {
            out.put(if at > 0 { "<br>" } else { "" }).text(line);
        }
        out.put("</td></tr>");
    }
    out.put("</table>");
}

fn push_bar(out: &mut Markup, hundredths: u8) {
    out.put("<tr><td colspan=\"2\" style=\"padding:3px 0 4px\">");
    out.put(TABLE).put("<tr>");
    if hundredths > 0 {
        out.put("<td class=\"fill\" bgcolor=\"#6c7f92\" height=\"5\" width=\"");
        out.number(hundredths.into()).put("%\" style=\"font-size:0;line-height:5px\">&nbsp;</td>");
    }
    if hundredths < 100 {
        out.put("<td class=\"track\" bgcolor=\"#e8e6e0\" height=\"5\" style=\"font-size:0;line-height:5px\">&nbsp;</td>");
    }
    out.put("</tr></table></td></tr>");
}

fn push_note(out: &mut Markup, note: &Note) {
    out.put("<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"margin:8px 0 12px\"><tr><td style=\"padding:0 0 2px 12px;border-left:4px solid ");
    out.put(match note.tone {
        Tone::Good => "#1f6b4a",
        Tone::Quiet => "#6c7f92",
        Tone::Look => "#b57a1b",
        Tone::Bad => "#b03030",
    });
    out.put("\"><div style=\"font-size:13px;font-weight:600\">");
    toned(out, note.tone, &note.title);
    out.put("</div>");
    for (name, part) in &note.parts {
        out.put("<div style=\"padding-top:4px\"><b style=\"font-weight:600\">");
        out.put(name).put(":</b> ").text(part).put("</div>");
    }
    for line in &note.small {
        out.put("<div class=\"dim\" style=\"padding-top:4px;font-size:13px;color:#5f666e\">");
        out.text(line).put("</div>");
    }
    out.put("</td></tr></table>");
}

fn toned(out: &mut Markup, tone: Tone, line: &Line) {
    out.put(match tone {
        Tone::Quiet => "<span>",
        Tone::Good => "<span class=\"good\" style=\"color:#1f6b4a\">",
        Tone::Look => "<span class=\"look\" style=\"color:#8a5a0b\">",
        Tone::Bad => "<span class=\"bad\" style=\"color:#a32626\">",
    });
    out.text(line).put("</span>");
}

/// The image by its id; without one its figures, so that nothing points at what is not there.
fn push_chart(out: &mut Markup, chart: &Chart, images: &[InlineImage]) {
    let Some(image) = images.iter().find(|image| image.name == chart.name) else {
        return push_facts(out, &chart.figures);
    };
    let (width, height) = image.size;
    out.put("<img src=\"cid:").text(&image.content_id.as_str().into()).put("\" width=\"");
    out.number(width.into()).put("\" height=\"").number(height.into()).put("\" alt=\"");
    out.text(&chart.alt).put(
        "\" style=\"display:block;width:100%;max-width:560px;height:auto;border:0;\
         border-radius:6px;margin:8px 0 6px\">",
    );
    out.put("<p class=\"dim\" style=\"margin:4px 0;font-size:13px;color:#5f666e\">");
    out.text(&chart.caption).put("</p>");
}

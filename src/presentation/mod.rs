//! The report as people read it: letter, report page, list of runs, terminal. Pure.
//!
//! Two steps. First the content: the module `letter` and its sections turn a [`RunReport`] into
//! a sheet of safe lines, once for all media, so that mail, text and page cannot disagree. Then
//! the layout: `text`, `mail_html` and `page` put the sheet into their own form. Dates, ids and
//! boundaries come in; the same report gives the same bytes.

mod alert;
mod answers;
mod chart;
mod costs;
mod detail;
mod earned;
pub mod explain;
mod figures;
pub mod findings;
pub mod guide;
mod incidents;
mod index;
mod letter;
mod line;
mod mail_html;
mod markup;
pub mod metrics;
mod mime;
mod orders;
mod page;
mod period;
mod push;
mod receipt;
#[cfg(test)]
mod sample;
mod sheet;
mod signals;
mod standing;
mod subject;
mod tally;
#[cfg(test)]
mod tests;
mod text;
mod turning;
mod watch;
mod words;

pub use crate::presentation::chart::InlineImage;
pub use crate::presentation::index::{IndexRow, RUNS_MAX, index_html};
pub use crate::presentation::mime::{MailParts, mime};
pub use crate::presentation::period::PeriodReport;
pub use crate::presentation::push::push;
pub use crate::presentation::subject::subject;

use crate::domain::incident::Incident;
use crate::domain::report::RunReport;
use crate::domain::run::RunKey;
use crate::domain::watch::Look;
use crate::presentation::sheet::{Room, Sheet};
use crate::presentation::text::Layout;

/// Large mail programs cut a letter off above 102 kB; ours stays below with room for encoding.
const LETTER_BYTES_MAX: usize = 96_000;
/// Signs of a letter's text that are left where it is too large for its carrier.
const BRIEF_SIGNS_MAX: usize = 4_000;
/// How often a letter's room is quartered before it is sent as it is.
const SHRINKS_MAX: usize = 2;

/// A letter without its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Subject, one line of at most 78 signs.
    pub subject: String,
    /// The text twin.
    pub text: String,
    /// The HTML; empty where the text has to do.
    pub html: String,
    /// The images that the HTML shows.
    pub images: Vec<InlineImage>,
}

impl Mail {
    /// What is left of a letter that no carrier takes for its size: the beginning of its text, which
    /// says whether it traded, what is open and what to do, with where the rest is.
    #[must_use]
    pub fn brief(&self, rest: &str) -> Self {
        let mut text = String::new();
        let mut signs = 0;
        for line in self.text.lines() {
            signs += line.chars().count() + 1;
            if signs > BRIEF_SIGNS_MAX {
                break;
            }
            text.push_str(line);
            text.push('\n');
        }
        text.push_str("\nThe mail carrier did not take the whole letter, which was too large. ");
        text.push_str(rest);
        text.push('\n');
        Self { subject: self.subject.clone(), text, html: String::new(), images: Vec::new() }
    }
}

/// Whether a letter's charts are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pictures {
    /// They are, and travel inside the mail.
    Drawn,
    /// They are left out; their words stay.
    LeftOut,
    /// They are left out, and the run's page with them.
    NeitherPage,
}

/// The whole letter of a run.
pub fn letter(report: &RunReport) -> Mail {
    letter_with(report, Pictures::Drawn)
}

/// The whole letter of a run, with or without its charts.
pub fn letter_with(report: &RunReport, pictures: Pictures) -> Mail {
    mail(pictures, |room| letter::sheet(report, room))
}

/// The letter's text twin; its first 300 signs say whether it traded, what is open, what to do.
pub fn letter_text(report: &RunReport) -> String {
    text::text(&letter::sheet(report, Room::LETTER), Layout::Flowing)
}

/// The letter as HTML for mail programs, below 100 kB.
pub fn letter_html(report: &RunReport) -> String {
    letter(report).html
}

/// The whole report as one self-contained HTML file.
pub fn page_html(report: &RunReport) -> String {
    page::html(&letter::sheet(report, Room::PAGE))
}

/// The report for a terminal of ninety columns, without colours.
pub fn terminal(report: &RunReport) -> String {
    text::text(&letter::sheet(report, Room::LETTER), Layout::TERMINAL)
}

/// The mail that does not wait for the run's end; `key` is `None` when no run could be named.
pub fn alert(incidents: &[Incident], key: Option<&RunKey>) -> Mail {
    mail(Pictures::Drawn, |room| alert::sheet(incidents, key, room))
}

/// The mail of a look at a session's run: with what was told of that session before, and with what
/// went wrong with the look itself.
pub fn watch_letter(look: &Look, told: &[String], beside: &[Incident]) -> Mail {
    mail(Pictures::Drawn, |room| watch::sheet(look, told, beside, room))
}

/// The letter of a day, week or month.
pub fn period_letter(report: &PeriodReport) -> Mail {
    mail(Pictures::Drawn, |room| period::sheet(report, room))
}

/// A day, week or month as one self-contained HTML file.
pub fn period_page(report: &PeriodReport) -> String {
    page::html(&period::sheet(report, Room::PAGE))
}

/// A day, week or month for a terminal of ninety columns.
pub fn period_terminal(report: &PeriodReport) -> String {
    text::text(&period::sheet(report, Room::LETTER), Layout::TERMINAL)
}

/// The mail with as much room as keeps its HTML below what mail programs show.
fn mail(pictures: Pictures, content: impl Fn(Room) -> Sheet) -> Mail {
    let mut room = Room::LETTER;
    let mut sheet = content(room);
    let images = match pictures {
        Pictures::Drawn => chart::images(&sheet), // the same whatever the room
        Pictures::LeftOut | Pictures::NeitherPage => Vec::new(),
    };
    let mut html = mail_html::html(&sheet, &images);
    for _ in 0..SHRINKS_MAX {
        if html.len() <= LETTER_BYTES_MAX {
            break;
        }
        room = room.quartered();
        sheet = content(room);
        html = mail_html::html(&sheet, &images);
    }
    Mail {
        subject: sheet.title.as_str().to_owned(),
        text: text::text(&sheet, Layout::Flowing),
        html,
        images,
    }
}

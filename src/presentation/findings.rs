//! What a check of strategy files found: for a terminal with the place underlined, and as one document
//! for programs.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::ops::Range;

use serde_json::{Value, json};

use crate::domain::symphony::lint::{Checked, Finding, Severity};
use crate::presentation::line::plain;

/// Most signs shown of a source line: a symphony of a megabyte may be one line.
const WIDTH: usize = 96;
/// Of these, at most so many before the place.
const BEFORE: usize = 32;
/// How far before a place a line's beginning is looked for.
const REACH: usize = 400;

/// One file that was checked.
#[derive(Debug)]
pub struct CheckedFile<'t> {
    /// Its name as it was given.
    pub name: String,
    /// Its text.
    pub text: &'t str,
    /// What was found in it.
    pub checked: Checked,
}

/// Where a place begins and ends: lines and columns in characters, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spot {
    line: usize,
    column: usize,
}

impl CheckedFile<'_> {
    /// How many findings of a severity there are, each place counted.
    pub fn count(&self, severity: Severity) -> usize {
        let of = self.checked.findings.iter().filter(|one| one.code.severity() == severity);
        of.map(|finding| 1 + finding.more).sum()
    }
}

/// All findings with their places, and a last line that counts them.
pub fn text(files: &[CheckedFile<'_>]) -> String {
    let mut said = String::new();
    for file in files {
        let spots = spots(file.text, &file.checked.findings);
        for finding in &file.checked.findings {
            let shown = fmt::from_fn(|f| write_finding(f, file, finding, &spots));
            let _ = writeln!(said, "{shown}"); // writing to a String cannot fail
        }
        if file.checked.left_out > 0 {
            let (name, more) = (plain(&file.name), file.checked.left_out);
            let _ = writeln!(said, "{name}: and {more} more that are not shown\n");
        }
    }
    said + &summary(files) + "\n"
}

/// One document: the files with their findings, and the counts.
pub fn document(files: &[CheckedFile<'_>]) -> Value {
    let list = files.iter().map(|file| {
        let spots = spots(file.text, &file.checked.findings);
        let findings: Vec<Value> =
            file.checked.findings.iter().map(|finding| object(finding, &spots)).collect();
        json!({
            "file": file.name,
            "errors": file.count(Severity::Error),
            "warnings": file.count(Severity::Warning),
            "left_out": file.checked.left_out,
            "findings": findings,
        })
    });
    json!({
        "errors": total(files, Severity::Error),
        "warnings": total(files, Severity::Warning),
        "files": list.collect::<Vec<_>>(),
    })
}

fn total(files: &[CheckedFile<'_>], severity: Severity) -> usize {
    files.iter().map(|file| file.count(severity)).sum()
}

fn summary(files: &[CheckedFile<'_>]) -> String {
    let counted = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    let found: Vec<String> = [Severity::Error, Severity::Warning]
        .into_iter()
        .map(|severity| (total(files, severity), severity.word()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count, word))
        .collect();
    let found = if found.is_empty() { "nothing found".to_owned() } else { found.join(", ") };
    format!("{found} in {}", counted(files.len(), "file"))
}

fn write_finding(
    f: &mut fmt::Formatter<'_>,
    file: &CheckedFile<'_>,
    finding: &Finding,
    spots: &BTreeMap<usize, Spot>,
) -> fmt::Result {
    let spot = |at: usize| spots.get(&at).copied().unwrap_or(Spot { line: 1, column: 1 });
    let Spot { line, column } = spot(finding.place.start);
    let (severity, code) = (finding.code.severity().word(), finding.code.word());
    let (name, what) = (plain(&file.name), plain(&finding.what));
    writeln!(f, "{name}:{line}:{column}: {severity}: {what} [{code}]")?;
    let number = line.to_string();
    let pad = " ".repeat(number.len());
    if !file.text.is_empty() {
        let (source, from, length) = underlined(file.text, &finding.place);
        writeln!(f, "  {number} | {source}")?;
        writeln!(f, "  {pad} | {}{}", " ".repeat(from), "^".repeat(length))?;
    }
    if let Some(why) = &finding.why {
        writeln!(f, "  {pad} = {}", plain(why))?;
    }
    if let Some(related) = &finding.related {
        let Spot { line, column } = spot(related.place.start);
        writeln!(f, "  {pad} = line {line}, column {column}: {}", plain(&related.what))?;
    }
    if finding.more > 0 {
        let places = if finding.more == 1 { "place" } else { "places" };
        writeln!(f, "  {pad} = the same in {} more {places}", finding.more)?;
    }
    writeln!(f, "  {pad} > {}", plain(&finding.next))
}

fn object(finding: &Finding, spots: &BTreeMap<usize, Spot>) -> Value {
    let spot = |at: usize| spots.get(&at).copied().unwrap_or(Spot { line: 1, column: 1 });
    let (from, to) = (spot(finding.place.start), spot(finding.place.end));
    let related = finding.related.as_ref().map(|related| {
        let Spot { line, column } = spot(related.place.start);
        json!({ "line": line, "column": column, "what": related.what })
    });
    json!({
        "severity": finding.code.severity().word(),
        "code": finding.code.word(),
        "line": from.line,
        "column": from.column,
        "end_line": to.line,
        "end_column": to.column,
        "what": finding.what,
        "why": finding.why,
        "related": related,
        "next": finding.next,
        "more_places": finding.more,
        "also": finding.also.iter().map(|place| {
            let Spot { line, column } = spot(place.start);
            json!({ "line": line, "column": column })
        }).collect::<Vec<_>>(),
    })
}

/// The line and column of every place that is named, found in one pass over the text.
fn spots(text: &str, findings: &[Finding]) -> BTreeMap<usize, Spot> {
    let related = findings.iter().filter_map(|finding| finding.related.as_ref());
    let places = findings.iter().flat_map(|finding| finding.also.iter().chain([&finding.place]));
    let places = places.chain(related.map(|related| &related.place));
    let mut wanted: Vec<usize> = places.flat_map(|place| [place.start, place.end]).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let (mut at, mut here) = (0, Spot { line: 1, column: 1 });
    let mut spots = BTreeMap::new();
    for offset in wanted {
        let piece = text.get(at..text.floor_char_boundary(offset)).unwrap_or_default();
        at += piece.len();
        here = match piece.rsplit_once('\n') {
            Some((before, last)) => Spot {
                line: here.line + before.matches('\n').count() + 1,
                column: last.chars().count() + 1,
            },
            None => Spot { column: here.column + piece.chars().count(), ..here },
        };
        spots.insert(offset, here);
    }
    spots
}

/// The source line around a place, where in it the place begins, and how much of it is shown.
fn underlined(text: &str, place: &Range<usize>) -> (String, usize, usize) {
    let start = text.floor_char_boundary(place.start);
    let end = text.floor_char_boundary(place.end).max(start);
    let on_line = |sign: &char| !matches!(sign, '\n' | '\r');
    let before: Vec<char> = text[..start].chars().rev().take_while(on_line).take(REACH).collect();
    let before = visible(&before.into_iter().rev().collect::<String>());
    let before = last_of(before.trim_start(), BEFORE);
    let room = WIDTH.saturating_sub(before.chars().count());
    let marked: String = text[start..end].chars().take_while(on_line).take(room).collect();
    let rest = &text[start + marked.len()..];
    let room = room.saturating_sub(marked.chars().count());
    let mut after: Vec<char> = rest.chars().take_while(on_line).take(room + 1).collect();
    let is_cut = after.len() > room;
    after.truncate(room);
    let (marked, after) = (visible(&marked), visible(&after.into_iter().collect::<String>()));
    let (from, length) = (before.chars().count(), marked.chars().count().max(1));
    let dots = if is_cut { ".." } else { "" };
    (format!("{before}{marked}{after}{dots}").trim_end().to_owned(), from, length)
}

/// The end of a text that is longer than wanted.
fn last_of(text: &str, most: usize) -> String {
    match text.chars().count().checked_sub(most) {
        None | Some(0) => text.to_owned(),
        Some(over) => format!("..{}", text.chars().skip(over).collect::<String>()),
    }
}

/// Text in which a sign takes one column and commands nothing.
fn visible(text: &str) -> String {
    plain(&text.replace('\t', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::symphony::lint::{Against, check};

    fn said(name: &str, text: &str) -> String {
        let checked = check(text, &Against::default());
        super::text(&[CheckedFile { name: name.to_owned(), text, checked }])
    }

    const TEXT: &str = "(defsymphony \"t\" {}
  (if (> (rsi \"SPY\" {:window 10}) 79)
    [(asset \"UVXY\")]
    [(if (> (rsi \"SPY\" {:window 10}) 85)
      [(asset \"UVXY\") (asset \"UVXY\")]
      [(asset \"BIL\")])]))
";

    #[test]
    fn a_finding_shows_its_line_with_the_place_underlined_and_what_to_do() {
        let expected = "\
t.clj:4:10: warning: RSI(10) of SPY > 85 never holds here [never-holds]
  4 | [(if (> (rsi \"SPY\" {:window 10}) 85)
    |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    = line 2, column 7: RSI(10) of SPY > 79 does not hold on the way here
    > take one of the two tests out, or change the order in which they come

t.clj:5:7: warning: this branch is never taken [unreachable-branch]
  5 | [(asset \"UVXY\") (asset \"UVXY\")]
    | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    = line 4, column 10: its condition never holds
    > correct the condition, or take the branch out

2 warnings in 1 file
";
        assert_eq!(said("t.clj", TEXT), expected);
        assert_eq!(
            said("b.clj", "(defsymphony \"t\" {} ())").lines().last(),
            Some("1 error in 1 file")
        );
        assert_eq!(
            said("c.clj", "(defsymphony \"t\" {} (asset \"BIL\"))"),
            "nothing found in 1 file\n"
        );
    }

    #[test]
    fn the_document_for_programs_says_the_same() {
        let checked = check(TEXT, &Against::default());
        let file = CheckedFile { name: "t.clj".to_owned(), text: TEXT, checked };
        let mut told = document(&[file]);
        let second = told["files"][0]["findings"][1].take();
        let expected = json!({
            "severity": "warning",
            "code": "unreachable-branch",
            "line": 5,
            "column": 7,
            "end_line": 5,
            "end_column": 38,
            "what": "this branch is never taken",
            "why": null,
            "related": { "line": 4, "column": 10, "what": "its condition never holds" },
            "next": "correct the condition, or take the branch out",
            "more_places": 0,
            "also": [],
        });
        assert_eq!(second, expected);
        told["files"][0]["findings"].take();
        let file = json!(
            { "file": "t.clj", "errors": 0, "warnings": 2, "left_out": 0, "findings": null }
        );
        assert_eq!(told, json!({ "errors": 0, "warnings": 2, "files": [file] }));
    }

    #[test]
    fn a_line_of_a_megabyte_is_cut_to_the_width_around_the_place() {
        let many = "(asset \"BIL\" \"\u{1f40c}\") ".repeat(20_000);
        let text = format!("(defsymphony \"t\" {{}} (weight-equal [{many}(asset SPY) {many}]))");
        let said = said("one.clj", &text);
        let lines: Vec<&str> = said.lines().collect();
        assert!(
            lines[0].starts_with("one.clj:1:360043: error: expected a ticker in quotes"),
            "{said}"
        );
        assert!(lines[1].starts_with("  1 | ..") && lines[1].ends_with(".."), "{said}");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH + 12), "{said}");
        let at = lines[2].chars().position(|sign| sign == '^').unwrap();
        assert_eq!(lines[1].chars().skip(at).take(3).collect::<String>(), "SPY");
    }

    #[test]
    fn nothing_in_a_file_commands_the_terminal() {
        let text = "(defsymphony \"t\" {}\r\n\t(assett \"\u{1b}[2J\u{202e}\"))";
        let said = said("\u{1b}]0;x\u{7}.clj", text);
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r', '\t']), "{said}");
        assert!(said.contains("did you mean asset?"), "{said}");
    }
}

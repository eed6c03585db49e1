//! What a reader may rely on in the watch's letters.

use crate::domain::code::Code;
use crate::domain::incident::Incident;
use crate::domain::report::Verdict;
use crate::domain::watch::{Before, Finding, Look};
use crate::presentation::sample::look::{looks, not_recorded};
use crate::presentation::tests::{on_one_line, structure, text_of};
use crate::presentation::{LETTER_BYTES_MAX, Mail, watch_letter};

fn letter_of(look: &Look) -> Mail {
    watch_letter(look, &[], &[])
}

fn letters() -> Vec<(&'static str, Mail)> {
    looks().iter().map(|(name, look)| (*name, letter_of(look))).collect()
}

#[test]
fn every_finding_has_a_subject_of_its_own_that_fits_a_phone() {
    let subjects: Vec<String> = letters().into_iter().map(|(_, mail)| mail.subject).collect();
    assert_eq!(
        subjects,
        [
            "[PAPER WATCH] 20 Nov open: no run due",
            "[PAPER WATCH] 20 Nov open: recovered, the run is OK",
            "[PAPER WATCH] 20 Nov open: the run is BLOCKED, gate-turnover-run",
            "[PAPER WATCH] 20 Nov open: the run is PARTIAL, order-not-filled",
            "[PAPER WATCH] 20 Nov open: the run is UNKNOWN ORDERS, order-unknown",
            "[PAPER WATCH] 20 Nov open: still at work, 8 orders planned",
            "[PAPER WATCH] 20 Nov open: left open, 8 orders planned",
            "[PAPER WATCH] 20 Nov open: left open, no plan",
            "[PAPER WATCH] 20 Nov open: no run, last record of 19 Nov",
            "[PAPER WATCH] 20 Nov open: no run",
            "[PAPER WATCH] 20 Nov open: records not readable, journal-corrupt",
            "[PAPER WATCH] 20 Nov open: not looked at, live-refused",
        ]
    );
    assert!(subjects.iter().all(|subject| subject.chars().count() <= 78 && subject.is_ascii()));
}

#[test]
fn text_and_html_say_the_same() {
    for (name, mail) in letters() {
        let html = text_of(&mail.html);
        let told = on_one_line(&mail.text);
        for words in ["paper/main/2026-11-20/open/g0", "20 Nov 2026 10:00:02 EST"] {
            assert!(html.contains(words) && told.contains(words), "{name}: {words}");
        }
    }
}

#[test]
fn how_far_a_run_came_is_told_step_by_step() {
    let (_, look) = looks().into_iter().find(|(name, _)| *name == "left-open").unwrap();
    let told = on_one_line(&letter_of(&look).text);
    for words in [
        "Plan: 2 sells and 6 buys",
        "Sells: over, 2 of 2 filled",
        "Buy plan: 6 buys",
        "Buys: no record of their end",
        "Last record: att/B/TECL/2.json",
        "23 min 18 s ago",
        "Lease: ran out 09:59:37 EST",
        "Mailed: store-unavailable",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn what_was_told_before_and_what_went_wrong_with_the_look_are_in_the_letter() {
    let (_, look) = looks().swap_remove(1);
    let told = ["never-ran".to_owned(), "left-open".to_owned()];
    let mail = watch_letter(&look, &told, &[not_recorded()]);
    for shown in [on_one_line(&mail.text), text_of(&mail.html)] {
        assert!(shown.contains("never-ran, left-open"), "{shown}");
        assert!(shown.contains("watch-not-recorded"), "{shown}");
    }
}

/// Looks with this text in every place where text comes from outside.
fn spiced(text: &str) -> Vec<Mail> {
    let spice = |incident: &Incident| {
        let spiced = Incident::new(incident.category, Code::Drill, text, text);
        Incident { code: text.to_owned(), ..spiced }.meaning(text).action(text).with(text, text)
    };
    let mut all = looks();
    all.push((
        "what came before",
        Look {
            finding: Finding::NeverRan(Before::Unreadable { why: String::new() }),
            ..all[0].1.clone()
        },
    ));
    let mut mails = Vec::new();
    for (_, mut look) in all {
        match &mut look.finding {
            Finding::Good(ending) | Finding::NotGood(ending) => {
                text.clone_into(&mut ending.summary);
                ending.said = ending.said.iter().map(spice).collect();
            }
            Finding::AtWork(traces) | Finding::LeftOpen(traces) => {
                traces.mailed = vec![text.to_owned()];
                traces.newest.as_mut().unwrap().0 = text.to_owned();
            }
            Finding::NeverRan(Before::Unreadable { why }) => text.clone_into(why),
            Finding::NotDue | Finding::NeverRan(Before::Nothing | Before::Final { .. }) => {}
            Finding::Unreadable(incident) | Finding::Refused(incident) => {
                **incident = spice(incident);
            }
        }
        mails.push(watch_letter(&look, &[text.to_owned()], &[spice(&not_recorded())]));
    }
    mails
}

#[test]
fn no_text_from_outside_changes_a_letters_structure_or_breaks_its_subject() {
    let plain = spiced("x");
    for text in [
        "x<script>alert(1)</script>",
        "x</td></tr></table>",
        "x\r\nBcc: thief@example.com\r\n\r\n",
        "x\u{202e}evil\u{1b}[2J",
        &format!("x{}", "\"&'<".repeat(300)),
    ] {
        for (plain, spiced) in plain.iter().zip(spiced(text)) {
            assert_eq!(structure(&plain.html), structure(&spiced.html), "{text}");
            assert!(!spiced.subject.contains(['\r', '\n', '\u{202e}', '\u{1b}']));
            assert!(spiced.subject.chars().count() <= 78);
            assert!(!spiced.text.contains(['\r', '\u{202e}', '\u{1b}']));
            assert!(spiced.html.len() <= LETTER_BYTES_MAX);
        }
    }
}

#[test]
fn the_colour_follows_the_finding_and_every_bad_one_has_something_to_do() {
    for (name, look) in looks() {
        let mail = letter_of(&look);
        let todo = look.incident().map(|incident| incident.action);
        assert_eq!(todo.is_none(), look.finding.is_good(), "{name}");
        let red = mail.html.contains("#9a2222");
        let bad = match &look.finding {
            Finding::NotGood(ending) => ending.verdict == Verdict::Unknown,
            Finding::NotDue | Finding::Good(_) | Finding::AtWork(_) => false,
            Finding::LeftOpen(_)
            | Finding::NeverRan(_)
            | Finding::Unreadable(_)
            | Finding::Refused(_) => true,
        };
        assert_eq!(red, bad, "{name}");
    }
}

//! What is never let through, and what never grows too long.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use serde_json::Value;

use crate::domain::period::{Period, Span, Summary};
use crate::domain::report::RunReport;
use crate::presentation::explain::{self, Explained};
use crate::presentation::sample::{self, every_kind, key};
use crate::presentation::tests::seen::{letters, pages};
use crate::presentation::tests::spice::Spice;
use crate::presentation::tests::{anatomy, structure, text_of};
use crate::presentation::{
    IndexRow, LETTER_BYTES_MAX, PeriodReport, Pictures, alert, index_html, letter, letter_html,
    letter_with, page_html, period_letter, period_page, period_terminal, terminal,
};

static SPICE: LazyLock<Spice<RunReport>> = LazyLock::new(|| Spice::of(&every_kind()));

/// A run with everything in it, with this text in every place where text may come from outside.
pub(crate) fn spiced(text: &str) -> RunReport {
    SPICE.with(text)
}

/// Text that means harm, and any other; never empty to the eye.
fn hostile() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        "<script>alert(1)</script>",
        "</td></tr></table>",
        "\"><img src=x onerror=alert(1)>",
        "' style='position:fixed",
        "--></style><style>*{display:none}",
        "]]>&lt;&#60;&amp;amp;",
        "\r\nBcc: thief@example.com\r\n\r\n",
        "\u{202e}evil\u{2066}",
        "\u{1b}]0;title\u{7}\u{1b}[2J",
        "\u{0}\u{85}\u{2028}",
        "{{7*7}} ${x} %s",
    ]);
    let long = "[<>&\"'a-zA-Z0-9]{400,600}";
    (prop_oneof![nasty.prop_map(str::to_owned).boxed(), any::<String>().boxed(), long.boxed()])
        .prop_map(|text| format!("x{text}"))
}

static PLAIN: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    let plain = documents(&spiced("x"));
    plain.iter().map(|(_, html)| anatomy(html)).collect()
});

/// Everything that is made of a report as HTML.
fn documents(report: &RunReport) -> Vec<(&'static str, String)> {
    let row = IndexRow { headline: report.summary.clone(), ..IndexRow::of(report) };
    let explained: Vec<Explained> = report
        .signals
        .iter()
        .map(|outcome| Explained { outcome: outcome.clone(), drawing: None })
        .collect();
    let as_of = report.key.session;
    let week = week(report);
    vec![
        ("week", period_letter(&week).html),
        ("page of the week", period_page(&week)),
        ("letter", letter_html(report)),
        ("letter without pictures", letter_with(report, Pictures::LeftOut).html),
        ("page", page_html(report)),
        ("alert", alert(&report.incidents, Some(&key())).html),
        ("index", index_html(&[row, IndexRow::of(report)])),
        ("explained", explain::html(&explained, as_of, Some(&report.summary))),
    ]
}

/// The week of a report, with a record beside it that cannot be read.
fn week(report: &RunReport) -> PeriodReport {
    let period = Period::holding(Span::Week, report.key.session);
    let mut summary = Summary::after(period, None);
    summary.add(report.clone());
    summary.add_unreadable(report.key.session, &report.incidents[0]);
    summary.end(report.key.session);
    let accounts = vec![(report.key.account.clone(), summary)];
    PeriodReport { mode: report.key.mode, period, accounts }
}

/// Everything that is made of it as text.
fn texts(report: &RunReport) -> Vec<(&'static str, String)> {
    let as_of = report.key.session;
    let explained = report.signals.iter().map(|outcome| {
        explain::text(&Explained { outcome: outcome.clone(), drawing: None }, as_of)
    });
    let week = week(report);
    vec![
        ("week", period_letter(&week).text),
        ("terminal of the week", period_terminal(&week)),
        ("letter", letter(report).text),
        ("terminal", terminal(report)),
        ("alert", alert(&report.incidents, None).text),
        ("explained", explained.collect()),
    ]
}

#[test]
fn text_is_put_in_every_place_that_takes_any() {
    assert_eq!(every_kind(), SPICE.with_nothing());
    insta::assert_snapshot!(SPICE.places().join("\n"));
}

#[test]
fn a_run_of_every_kind_leaves_nothing_out_that_a_record_can_hold() {
    let mut seen = BTreeMap::new();
    fill(&serde_json::to_value(every_kind()).unwrap(), String::new(), &mut seen);
    let empty: Vec<&String> =
        seen.iter().filter(|(_, full)| !**full).map(|(place, _)| place).collect();
    assert_eq!(empty, ["/previous"; 0], "null or empty wherever it stands");
}

/// Notes of each place, whichever its index, whether anything ever stands there.
fn fill(value: &Value, place: String, seen: &mut BTreeMap<String, bool>) {
    let is_full = match value {
        Value::Null => false,
        Value::Array(parts) => {
            for part in parts {
                fill(part, format!("{place}/*"), seen);
            }
            !parts.is_empty()
        }
        Value::Object(fields) => {
            for (name, part) in fields {
                let is_name = name.contains(|sign: char| !sign.is_ascii_lowercase() && sign != '_');
                let is_choice = ["Ok", "Err"].contains(&name.as_str());
                let name = if is_name && !is_choice { "{}" } else { name };
                fill(part, format!("{place}/{name}"), seen);
            }
            !fields.is_empty()
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    };
    *seen.entry(place).or_default() |= is_full;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_text_changes_the_structure_of_the_letter_or_the_page(text in hostile()) {
        for (plain, (name, html)) in PLAIN.iter().zip(documents(&spiced(&text))) {
            let spiced = anatomy(&html);
            let differs = plain.iter().zip(&spiced).position(|(a, b)| a != b);
            prop_assert_eq!(differs.map(|at| &spiced[at]), None, "{}", name);
            prop_assert_eq!(plain.len(), spiced.len(), "{}", name);
        }
    }

    #[test]
    fn no_text_moves_the_cursor_turns_the_line_or_breaks_the_subject(text in hostile()) {
        let report = spiced(&text);
        for (name, shown) in documents(&report).into_iter().chain(texts(&report)) {
            let bad = shown.chars().find(|sign| {
                (sign.is_control() && *sign != '\n')
                    || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'..='\u{2029}' | '\u{2066}'..='\u{2069}')
            });
            prop_assert_eq!(bad, None, "{}", name);
        }
        for outcome in &report.signals {
            let line = explain::json_line(outcome, report.key.session);
            prop_assert!(!line.contains(|sign: char| sign.is_ascii_control()));
            prop_assert!(serde_json::from_str::<Value>(&line).unwrap().is_object());
        }
        let mails = [letter(&report), alert(&report.incidents, None), period_letter(&week(&report))];
        for subject in mails.map(|mail| mail.subject) {
            prop_assert!(subject.chars().count() <= 78 && !subject.contains(['\r', '\n']));
        }
    }
}

#[test]
fn what_was_written_is_what_is_read() {
    let report = spiced("5 < 6 & \"so\" isn't <b>it</b>");
    for html in [letter_html(&report), page_html(&report)] {
        assert!(text_of(&html).contains("5 < 6 & \"so\" isn't <b>it</b>"));
        assert!(!html.contains("<b>it"));
    }
}

#[test]
fn letters_and_pages_are_whole_and_load_nothing() {
    let void = ["meta", "br", "img", "link", "input", "hr"];
    let closing = ["rect", "polyline", "circle"]; // close themselves
    let letters =
        letters().into_iter().map(|(name, mail, _)| (format!("{name} letter"), mail.html));
    let documents = letters.chain(pages());
    for (name, html) in documents {
        let mut open = Vec::new();
        for tag in structure(&html) {
            let word = tag.split(' ').next().unwrap().to_owned();
            assert!(!tag.starts_with("error"), "{name}: {tag}");
            let search = word == "script" && name.starts_with("index"); // its hash alone may run
            assert!(
                search || !["script", "link", "iframe", "object", "form"].contains(&word.as_str())
            );
            let image = tag == "img alt height src style width" && name.ends_with("letter");
            assert!(image || (word != "img" && !tag.contains(" src")), "{name}: {tag}");
            assert!(!tag.contains(" on"), "{name}: {tag}");
            match word.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop().as_deref(), Some(closed), "{name}"),
                None if void.contains(&word.as_str()) => {}
                None if closing.contains(&word.as_str()) => {}
                None => open.push(word),
            }
        }
        assert_eq!(open, Vec::<String>::new(), "{name}");
        for address in ["http:", "https:", "//", "url(", "@import"] {
            assert!(!html.contains(address), "{name} names {address}");
        }
    }
}

/// A day on which far too much happened, told in the longest words.
pub(crate) fn overflowing_day() -> RunReport {
    let mut report = spiced(&"\"&'".repeat(300));
    let incident = report.incidents[1].clone();
    report.incidents.extend(std::iter::repeat_n(incident, 200));
    let order = report.execution.buys[1].clone();
    report.execution.buys.extend(std::iter::repeat_n(order, 200));
    let signal = report.signals[0].clone();
    report.signals.extend(std::iter::repeat_n(signal, 40));
    let plan = report.plan.as_mut().unwrap();
    let conflict = plan.conflicts[0].clone();
    plan.conflicts.extend(std::iter::repeat_n(conflict, 200));
    report
}

#[test]
fn a_letter_stays_below_what_mail_programs_show_whatever_happened() {
    let report = overflowing_day();
    let html = letter_html(&report);
    assert!(html.len() <= LETTER_BYTES_MAX, "{}", html.len());
    assert!(html.contains("more in the report"));
    assert!(letter(&report).text.len() <= LETTER_BYTES_MAX);
    let alert = alert(&report.incidents, Some(&key()));
    assert!(alert.html.len() <= LETTER_BYTES_MAX, "{}", alert.html.len());
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    for (_, report) in sample::all() {
        assert_eq!(letter(&report), letter(&report.clone()));
        assert_eq!(page_html(&report), page_html(&report.clone()));
    }
}

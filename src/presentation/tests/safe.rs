//! What is never let through, and what never grows too long.

use std::sync::LazyLock;

use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use crate::domain::code::Code;
use crate::domain::incident::Incident;
use crate::domain::report::RunReport;
use crate::domain::strategy::StrategyError;
use crate::domain::symphony::trace::{Part, Step};
use crate::presentation::sample::{self, bad_day, key};
use crate::presentation::tests::seen::{letters, pages};
use crate::presentation::tests::{structure, text_of};
use crate::presentation::{LETTER_BYTES_MAX, alert, letter, letter_html, page_html, terminal};

/// The bad day with this text in every place where text comes from outside.
pub(crate) fn spiced(text: &str) -> RunReport {
    let mut report = bad_day();
    report.summary = text.to_owned();
    report.code = text.to_owned();
    report.policy_hash = text.to_owned();
    report.previous = Some(text.to_owned());
    let account = report.account.as_mut().unwrap();
    account.ending = text.to_owned();
    account.fingerprint = text.to_owned();
    let data = report.data.as_mut().unwrap();
    data.bars_feed = text.to_owned();
    data.adjustment = text.to_owned();
    data.quotes_feed = text.to_owned();
    for limit in &mut report.limits {
        limit.limit = text.to_owned();
        limit.what = text.to_owned();
        limit.used = text.to_owned();
        limit.allowed = text.to_owned();
    }
    for incident in &mut report.incidents {
        let spiced = Incident {
            code: text.to_owned(),
            ..Incident::new(incident.category, Code::Drill, text, text)
        };
        *incident =
            spiced.meaning(text).action(format!("{} {text}", incident.code)).with(text, text);
    }
    report.signals[2].result = Err(StrategyError::Unreadable { reason: text.to_owned() });
    let signal = report.signals[0].result.as_mut().unwrap();
    for step in &mut signal.trace.steps {
        match step {
            Step::Condition(condition) => {
                condition.left = text.to_owned();
                condition.right = text.to_owned();
            }
            Step::Compound(compound) => {
                text.clone_into(&mut compound.operator);
                for part in &mut compound.parts {
                    let Part::Condition(condition) = part else { continue };
                    condition.left = text.to_owned();
                    condition.comparison = text.to_owned();
                    condition.right = text.to_owned();
                }
            }
            Step::Ranking(ranking) => {
                ranking.by = text.to_owned();
                ranking.order = text.to_owned();
                ranking.scores.iter_mut().for_each(|(name, _)| name.clone_from(&text.to_owned()));
            }
            Step::Group(group) => text.clone_into(&mut group.title),
            Step::Weighing(weighing) => {
                text.clone_into(&mut weighing.by);
                weighing.members.iter_mut().for_each(|member| text.clone_into(&mut member.name));
            }
        }
    }
    let plan = report.plan.as_mut().unwrap();
    plan.items.iter_mut().for_each(|item| item.reason = text.to_owned());
    plan.conflicts.iter_mut().for_each(|conflict| conflict.outcome = text.to_owned());
    report.buy_plan.as_mut().unwrap().cuts[0].reason = text.to_owned();
    report.execution.stopped = Some(text.to_owned());
    report.execution.buys[1].shortfall = Some(text.to_owned());
    report
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

static PLAIN: LazyLock<[Vec<String>; 3]> = LazyLock::new(|| structures(&spiced("x")));

/// Of the letter, the page and the alert.
fn structures(report: &RunReport) -> [Vec<String>; 3] {
    let alert = alert(&report.incidents, Some(&key())).html;
    [letter_html(report), page_html(report), alert].map(|html| structure(&html))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_text_changes_the_structure_of_the_letter_or_the_page(text in hostile()) {
        for (plain, spiced) in PLAIN.iter().zip(structures(&spiced(&text))) {
            let differs = plain.iter().zip(&spiced).position(|(a, b)| a != b);
            prop_assert_eq!(differs.map(|at| &spiced[at]), None);
            prop_assert_eq!(plain.len(), spiced.len());
        }
    }

    #[test]
    fn no_text_moves_the_cursor_turns_the_line_or_breaks_the_subject(text in hostile()) {
        let report = spiced(&text);
        let warned = alert(&report.incidents, None);
        let mail = letter(&report);
        for shown in [&mail.html, &mail.text, &terminal(&report), &page_html(&report), &warned.text] {
            let bad = shown.chars().find(|sign| {
                (sign.is_control() && *sign != '\n')
                    || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'..='\u{2029}' | '\u{2066}'..='\u{2069}')
            });
            prop_assert_eq!(bad, None);
        }
        for subject in [&mail.subject, &warned.subject] {
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
            assert!(!["script", "link", "iframe", "object", "form"].contains(&word.as_str()));
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

//! Every kind of letter and page as its readers get it. What is added to [`letters`] or [`pages`]
//! is held to its first signs, read by parsers of other makers, and shown in a browser.

use std::fs;
use std::path::PathBuf;

use jiff::ToSpan;

use crate::domain::book::BUILT_INS;
use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::report::RunReport;
use crate::presentation::explain::html as explained_html;
use crate::presentation::sample::look::{looks, not_recorded};
use crate::presentation::sample::period::periods;
use crate::presentation::sample::{
    self, bad_day, blocked_day, failed_day, key, trading_day, unknown_day,
};
use crate::presentation::tests::browser::{folder, read_and_shown, said_by_node};
use crate::presentation::tests::explained::{AS_OF, explained};
use crate::presentation::tests::on_one_line;
use crate::presentation::tests::pictures::sent;
use crate::presentation::tests::safe::{overflowing_day, spiced};
use crate::presentation::{
    IndexRow, Mail, Pictures, RUNS_MAX, alert, index_html, letter, letter_with, page_html,
    period_letter, period_page, watch_letter,
};

/// What a mail list shows of a letter beside its subject.
const PREVIEW_MAX: usize = 300;
/// What a phone shows of a subject.
const SUBJECT_MAX: usize = 78;

/// What the letter of a run or a period answers, that of a look at it, and one that does not wait for its end.
const RUN: [&str; 3] = ["Traded?", "Open?", "To do?"];
const LOOK: [&str; 3] = ["Ran?", "Orders?", "To do?"];
const ALERT: [&str; 3] = ["What?", "Means?", "To do?"];

/// A letter of each kind: its name, itself, and the questions that it answers first.
pub(crate) fn letters() -> Vec<(String, Mail, [&'static str; 3])> {
    let mut letters = Vec::new();
    let mut add = |name: &str, mail, asked| letters.push((name.to_owned(), mail, asked));
    for (name, report) in sample::all() {
        add(name, letter(&report), RUN);
    }
    let mut wordy = unknown_day();
    wordy.incidents[0].action = "Look up every order at the broker. ".repeat(12);
    add("wordy", letter(&wordy), RUN);
    let recovered = RunReport { recovered: bad_day().incidents, ..trading_day() };
    add("recovered", letter(&recovered), RUN);
    add("overflowing", letter(&overflowing_day()), RUN);
    add("long words", letter(&spiced(&"W".repeat(300))), RUN);
    add("without pictures", letter_with(&trading_day(), Pictures::LeftOut), RUN);
    add("brief", letter(&overflowing_day()).brief("The report has all of it."), RUN);
    for (name, look) in looks() {
        add(&format!("watch {name}"), watch_letter(&look, &[], &[]), LOOK);
    }
    for (name, report) in periods() {
        add(&format!("period {name}"), period_letter(&report), RUN);
    }
    let told = ["never-ran".to_owned(), "left-open".to_owned()];
    let (_, look) = looks().swap_remove(1);
    add("watch told before", watch_letter(&look, &told, &[not_recorded()]), LOOK);
    let bare = Incident::new(Category::Warning, Code::BooksDiffer, "run", "The run was slow.");
    for (name, incidents, run) in [
        ("critical", failed_day().incidents, Some(key())),
        ("gate", blocked_day().incidents, Some(key())),
        ("unknown", unknown_day().incidents, Some(key())),
        ("several", bad_day().incidents, Some(key())),
        ("refusal", vec![not_recorded()], None),
        ("bare", vec![bare], None),
        ("overflowing", overflowing_day().incidents, Some(key())),
    ] {
        add(&format!("alert {name}"), alert(&incidents, run.as_ref()), ALERT);
    }
    letters
}

/// A page of each kind, with its name.
pub(crate) fn pages() -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = sample::all()
        .iter()
        .map(|(name, report)| (format!("report {name}"), page_html(report)))
        .collect();
    pages.push(("report long words".to_owned(), page_html(&spiced(&"W".repeat(300)))));
    for (name, report) in periods() {
        pages.push((format!("period {name}"), period_page(&report)));
    }
    let rows: Vec<IndexRow> = sample::all().iter().map(|(_, run)| IndexRow::of(run)).collect();
    pages.push(("index".to_owned(), index_html(&rows)));
    pages.push(("index empty".to_owned(), index_html(&[])));
    let all = BUILT_INS.map(|(name, strategy)| explained(name, strategy, 2));
    pages.push(("explained".to_owned(), explained_html(&all, AS_OF, None)));
    let failed = explained(
        "needy",
        "(defsymphony \"t\" {} (if (> (rsi \"UP\" {:window 900}) 79) [(asset \"UP\")] []))",
        2,
    );
    let supposed = Some("supposing UP at 12.00 (+3.00%):");
    pages.push(("explained failed".to_owned(), explained_html(&[failed], AS_OF, supposed)));
    pages
}

#[test]
fn the_first_300_signs_answer_what_a_reader_asks_and_the_subject_fits() {
    for (name, mail, asked) in letters() {
        assert!(mail.subject.chars().count() <= SUBJECT_MAX, "{name}: {}", mail.subject);
        let start = mail.text.split("\n\n").take(2).collect::<Vec<_>>().join("\n\n");
        assert!(start.chars().count() <= PREVIEW_MAX, "{name}: {start}");
        let mut rest = start.as_str();
        let mut answers = Vec::new();
        for question in asked.iter().rev() {
            let found = rest.rsplit_once(question);
            let Some((before, answer)) = found else { panic!("{name}: no {question} {start}") };
            answers.push(on_one_line(answer));
            rest = before;
        }
        let length = |answer: &String| answer.chars().count();
        assert!(answers.iter().all(|answer| length(answer) >= "None.".len()), "{name}: {start}");
        let says_enough = answers[0] == "Nothing." || length(&answers[0]) > 15;
        assert!(says_enough, "{name}: {start}");
    }
}

#[test]
fn every_letter_and_page_is_read_by_other_parsers_and_shown_by_a_browser_without_fault() {
    let folder = folder("samples");
    let (letters, pages) = (letters(), pages());
    for (name, mail, _) in &letters {
        fs::write(folder.join(format!("{name}.eml")), sent(mail)).unwrap();
    }
    for (name, page) in &pages {
        fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
    assert_eq!(read_and_shown(&folder), (letters.len(), pages.len()));
}

#[test]
fn a_list_of_a_thousand_runs_opens_in_under_a_second_and_finds_what_is_asked_for() {
    let row = IndexRow::of(&trading_day());
    let mut rows: Vec<IndexRow> = (0..i64::try_from(RUNS_MAX).unwrap())
        .map(|day| {
            let mut row = row.clone();
            row.key.session = row.key.session.checked_sub(day.days()).unwrap();
            row
        })
        .collect();
    for row in rows.iter_mut().take(7) {
        row.incidents = vec!["order-unknown".to_owned()];
        row.symbols = vec![sample::symbol("ZZZ")];
    }
    let file = folder("list").join("index.html");
    fs::write(&file, index_html(&rows)).unwrap();
    let words = ["order-unknown", "zzz", "TQQQ", "2024", "nothing-of-this-kind"];
    let arguments = [&[file][..], &words.map(PathBuf::from)].concat();
    let said = said_by_node("find.mjs", &arguments);
    let shown: Vec<&str> = said.lines().filter_map(|line| line.split(" shown").next()).collect();
    assert_eq!(shown[..3], ["order-unknown: 7", "zzz: 7", "TQQQ: 993"], "{said}");
    assert_eq!(shown[3..5], ["2024: 311", "nothing-of-this-kind: 0"], "{said}");
    assert!(said.contains("7 of 1000 runs"), "{said}");
    let took = said.lines().find_map(|line| line.strip_prefix("opened in ")?.strip_suffix(" ms"));
    let took: u32 = took.unwrap().parse().unwrap();
    assert!(took < 1000, "{took} ms");
}

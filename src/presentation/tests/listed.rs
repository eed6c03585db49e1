//! Letters of other kinds, the whole report, and the list of runs.

use std::collections::BTreeSet;

use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::market::UnusableQuote;
use crate::domain::plan::{Action, SkipReason};
use crate::domain::report::{RunReport, Verdict};
use crate::presentation::sample::{self, bad_day, closed_day, key, quiet_day, trading_day};
use crate::presentation::tests::{on_one_line, text_of};
use crate::presentation::{
    IndexRow, alert, index_html, letter, letter_text, page_html, subject, words,
};

#[test]
fn the_text_twin_and_the_html_name_the_same_money() {
    for (name, report) in sample::all() {
        let mail = letter(&report);
        let body = mail.text.split("EQUITY OVER THE RUNS").next().unwrap();
        let html = text_of(&mail.html);
        for amount in body.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '+' | '−'))
        {
            let amount = amount.trim_end_matches(['.', ',', ';', ':']);
            if amount.starts_with('$') {
                assert!(html.contains(amount), "{name}: {amount}");
            }
        }
    }
}

#[test]
fn an_alert_names_the_worst_first_and_says_what_to_do() {
    let incidents = [
        Incident::new(Category::Warning, Code::BooksDiffer, "run", "The run was slow."),
        Incident::new(
            Category::Configuration,
            Code::PolicyMalformed,
            "policy",
            "Allocations sum to 1.1.",
        )
        .meaning("Nothing is traded.")
        .action("Correct policy.toml."),
    ];
    let mail = alert(&incidents, Some(&key()));
    assert_eq!(
        mail.subject,
        "[PAPER CONFIGURATION] 20 Nov open: policy-malformed: Allocations sum to 1.1."
    );
    let start: String = mail.text.chars().take(300).collect();
    for part in ["Allocations sum to 1.1.", "Nothing is traded.", "Correct policy.toml."] {
        assert!(start.contains(part), "{start}");
    }
    let nameless = alert(&incidents, None);
    assert!(
        nameless.subject.starts_with("[CONFIGURATION] policy-malformed: "),
        "{}",
        nameless.subject
    );
    assert!(nameless.text.contains("No run was opened."));
}

#[test]
fn the_page_holds_every_attempt_the_hashes_and_the_way_back() {
    let report = trading_day();
    let page = text_of(&page_html(&report));
    for attempt in report.execution.outcomes().flat_map(|order| &order.attempts) {
        assert!(page.contains(attempt.id.as_str()), "{}", attempt.id);
    }
    let plan = report.plan.as_ref().unwrap().hash();
    let record = format!("runs/{}/final.json", report.key);
    for part in [&plan, &report.policy_hash, &record, report.previous.as_ref().unwrap()] {
        assert!(page.contains(part.as_str()), "{part}");
    }
    assert!(page.contains("55.123456789"), "the page shows shares uncut");
    assert!(page.contains("RSI(9) of XLK 66.20 > RSI(9) of KMLM at 48.30"), "the whole trace");
}

#[test]
fn the_list_of_runs_is_newest_first_and_links_only_below_itself() {
    let html = index_html(&[IndexRow::of(&trading_day()), IndexRow::of(&closed_day())]);
    let link = |session: &str| html.find(&format!("href=\"{session}/open/g0.html\"")).unwrap();
    assert!(link("2026-11-26") < link("2026-11-20"));
}

#[test]
fn a_run_is_found_by_its_symbols_sleeves_and_incidents() {
    let text = text_of(&index_html(&[IndexRow::of(&bad_day())]));
    for word in ["PARTIAL", "TQQQ", "order-not-filled", "nuclear $30,604", "$104,231.50", "+0.4%"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(text.contains("Equity over 1 run"));
    let mut unpriced = bad_day();
    unpriced.prices.clear();
    assert_eq!(IndexRow::of(&unpriced).sleeves.len(), 0, "no figure stands in for a missing one");
}

#[test]
fn a_list_holds_a_thousand_runs_and_an_older_row_reads() {
    let row = IndexRow::of(&trading_day());
    let html = index_html(&vec![row.clone(); 1200]);
    assert_eq!(html.matches("<tr>").count(), 1 + 1000);
    let mut old = serde_json::to_value(&row).unwrap();
    for field in ["sleeves", "symbols", "incidents"] {
        old.as_object_mut().unwrap().remove(field);
    }
    assert!(serde_json::from_value::<IndexRow>(old).is_ok());
}

#[test]
fn a_stored_report_reads_back_as_it_was_and_renders_the_same() {
    for (name, report) in sample::all() {
        let stored = serde_json::to_vec(&report).unwrap();
        let back: RunReport = serde_json::from_slice(&stored).unwrap();
        assert_eq!(back, report, "{name}");
        assert_eq!(page_html(&back), page_html(&report), "{name}");
    }
}

#[test]
fn one_share_more_is_another_plan() {
    let plan = trading_day().plan.unwrap();
    let mut other = plan.clone();
    other.items[0].wanted = sample::shares("1");
    assert_ne!(plan.hash(), other.hash());
}

#[test]
fn a_forced_repeat_is_told_apart_from_the_run_it_repeats() {
    let mut repeat = trading_day();
    repeat.key.generation = 1;
    assert_ne!(subject(&repeat), subject(&trading_day()));
    assert!(letter_text(&repeat).contains("repeat 1"));
}

#[test]
fn every_reason_for_a_skip_has_its_own_words() {
    let reasons = [
        SkipReason::UnusableQuote(UnusableQuote::Missing),
        SkipReason::UnusableQuote(UnusableQuote::OneSided),
        SkipReason::UnusableQuote(UnusableQuote::Stale { seconds: 90 }),
        SkipReason::NotTradable,
        SkipReason::SplitSuspect,
        SkipReason::ForeignOrder,
        SkipReason::BelowMinimum,
        SkipReason::WholeShares,
        SkipReason::Dust,
        SkipReason::Budget,
    ];
    let told: BTreeSet<String> = reasons.iter().map(words::skip).collect();
    assert_eq!(told.len(), reasons.len());
    for reason in reasons {
        let mut report = quiet_day();
        report.plan.as_mut().unwrap().items[0].action = Action::Skip(reason.clone());
        let text = on_one_line(&letter_text(&report));
        assert!(text.contains(&words::capital(&words::skip(&reason))), "{reason:?}");
    }
}

#[test]
fn a_good_verdict_with_trouble_counts_it_in_the_subject() {
    let mut report = quiet_day();
    report.incidents = bad_day().incidents;
    assert_eq!(report.verdict, Verdict::NothingToDo);
    assert!(subject(&report).contains("2 incidents"), "{}", subject(&report));
}

#[test]
fn a_storm_of_one_kind_is_one_note_and_the_page_has_each() {
    let mut report = bad_day();
    let stale = |symbol: String| {
        let what = format!("The quote of {symbol} was 412 s old.");
        Incident::new(Category::Data, Code::QuoteUnusable, "observe", what).with("symbol", symbol)
    };
    report.incidents.extend((0..30).map(|number| stale(format!("S{number}"))));
    let letter = on_one_line(&letter_text(&report));
    assert_eq!(letter.matches("DATA · quote-unusable").count(), 1, "{letter}");
    assert!(letter.contains("29 more like it: S1, S2, S3,"), "{letter}");
    assert!(letter.contains("STRATEGY · strategy-data"), "no other is pushed out: {letter}");
    let page = text_of(&page_html(&report));
    for number in [0, 1, 17, 29] {
        assert!(page.contains(&format!("The quote of S{number} was")), "{number}");
    }
    report.incidents.truncate(6);
    let letter = letter_text(&report);
    assert_eq!(letter.matches("DATA · quote-unusable").count(), 3, "three stand by themselves");
    report.incidents.extend((0..4).map(|number| {
        let look = format!("Look for S{number} at the broker.");
        stale(format!("S{number}")).action(look)
    }));
    let letter = on_one_line(&letter_text(&report));
    for number in 0..4 {
        let look = format!("Look for S{number} at the broker.");
        assert!(letter.contains(&look), "nothing that is to be done is folded away: {letter}");
    }
}

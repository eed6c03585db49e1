//! Letters of weeks and digests.

use crate::presentation::sample::period::{bad_week, good_week, periods};
use crate::presentation::tests::text_of;
use crate::presentation::{Mail, period_letter, period_page, period_terminal};

fn letters() -> Vec<(&'static str, Mail)> {
    periods().iter().map(|(name, report)| (*name, period_letter(report))).collect()
}

#[test]
fn the_subject_says_how_the_period_went() {
    let subjects: Vec<String> = letters().into_iter().map(|(_, mail)| mail.subject).collect();
    insta::assert_snapshot!(subjects.join("\n"), @r"
    [PAPER WEEK OK] 16 Nov to 22 Nov: $104,231 (+1.4%), 3/3 runs good
    [PAPER WEEK LOOK] 16 Nov to 22 Nov: $104,231 (+1.4%), 1/3 runs good
    [PAPER WEEK NO RUNS] 16 Nov to 22 Nov: no run on record
    [PAPER WEEK LOOK] 16 Nov to 22 Nov: 1/3 accounts good
    [PAPER WEEK OK] 16 Nov to 22 Nov: 2/2 accounts good, $208,463 (+$2,962.00)
    ");
}

#[test]
fn the_letter_of_a_good_week_reads_like_this() {
    insta::assert_snapshot!(period_letter(&good_week()).text);
}

#[test]
fn the_letter_of_a_bad_week_reads_like_this() {
    insta::assert_snapshot!(period_letter(&bad_week()).text);
}

#[test]
fn the_digest_of_three_accounts_reads_like_this() {
    let (_, digest) = periods().swap_remove(3);
    insta::assert_snapshot!(period_letter(&digest).text);
}

#[test]
fn a_page_has_every_symbol_and_half_hour_that_a_letter_leaves_out() {
    let page = text_of(&period_page(&good_week()));
    for words in ["Against mid", "from 09:30", "TQQQ", "SMR"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let letter = period_terminal(&good_week());
    assert!(!letter.contains("from 09:30"), "{letter}");
}

#[test]
fn a_month_of_good_runs_is_one_line_and_a_bad_one_is_named() {
    let mut month = bad_week();
    let runs = &mut month.accounts[0].1.runs;
    let good = runs.pop().unwrap();
    runs.extend(std::iter::repeat_n(good, 20));
    let letter = period_terminal(&month);
    assert!(letter.contains("20 of 23 runs"), "{letter}");
    assert!(letter.contains("PARTIAL 6/8") && letter.contains("no run on record"), "{letter}");
}

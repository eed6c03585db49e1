//! Weeks and months, told from the records that real runs leave.

use alchemiser::application::index::rebuild;
use alchemiser::application::journal::JournalError;
use alchemiser::application::period::{PeriodPost, tell_period};
use alchemiser::application::tell::Mailed;
use alchemiser::domain::money::Usd;
use alchemiser::domain::period::{Period, PeriodRequest, Span};
use alchemiser::domain::policy::Policy;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::{AccountName, Mode};
use alchemiser::presentation::PeriodReport;
use alchemiser::simulator::exchange::OrderTrouble;
use jiff::civil::date;

use crate::stage::Stage;

fn account(name: &str) -> AccountName {
    AccountName::parse(name).unwrap()
}

/// Tells of the period around 25 November 2026.
async fn told(
    stage: &Stage,
    span: Span,
    accounts: &[&str],
) -> Result<(PeriodReport, Mailed), JournalError> {
    let (policy, clock) = (Policy::compiled_in(), stage.world.clock());
    let post = PeriodPost {
        store: &*stage.shelf,
        mailer: &*stage.post,
        clock: &*clock,
        mail: &policy.mail,
    };
    let request = PeriodRequest {
        mode: Mode::Paper,
        account: account("main"),
        accounts: accounts.iter().map(|name| account(name)).collect(),
        period: Period::holding(span, date(2026, 11, 25)),
    };
    tell_period(&request, &post).await
}

/// The week of Thanksgiving: runs on Friday before it, then on Monday and Tuesday with another
/// wish, none on Wednesday, the holiday, and Friday with an order that is never filled.
async fn thanksgiving() -> Stage {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    stage.next_session();
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ 0.5, BIL 0.5");
    stage.run().await;
    stage.goes_to(date(2026, 11, 26));
    assert_eq!(stage.run().await.verdict(), Verdict::Closed);
    stage.goes_to(date(2026, 11, 27));
    stage.wants("a", "GLD 0.5, BIL 0.5");
    stage.troubles("GLD", 4, OrderTrouble::NeverFilled);
    assert_eq!(stage.run().await.verdict(), Verdict::Partial);
    stage.goes_to(date(2026, 11, 28));
    stage
}

#[tokio::test(flavor = "current_thread")]
async fn a_week_is_told_with_what_it_earned_cost_and_missed() {
    let stage = thanksgiving().await;
    let (report, mailed) = told(&stage, Span::Week, &[]).await.unwrap();
    assert!(matches!(mailed, Mailed::Sent(_)), "{mailed:?}");
    let [(_, week)] = report.accounts.as_slice() else { panic!("{report:?}") };
    assert_eq!((week.runs.len(), week.sessions()), (4, 3));
    assert_eq!(week.missed, [date(2026, 11, 25)], "Wednesday was announced and nobody ran");
    assert_eq!((week.counts.planned, week.counts.filled, week.counts.good), (4, 3, 2));
    assert!(!report.is_good());
    // Against the exchange's own book: all that was executed from Monday on.
    let orders = stage.world.orders();
    let traded: Usd = orders
        .iter()
        .filter(|order| order.submitted_at.to_string().as_str() > "2026-11-23")
        .map(|order| Usd::new(order.value).unwrap())
        .sum();
    assert_eq!(week.sold + week.bought, traded);
    let (earned, _) = week.earned().unwrap();
    let first = week.equity().first().copied().unwrap();
    assert_eq!(first.session, date(2026, 11, 20), "it counts from the Friday before");
    assert_eq!(earned, Usd::new(stage.world.equity()).unwrap() - first.equity);
    let letter = stage.post.last();
    for words in ["[PAPER WEEK LOOK] 23 Nov to 29 Nov", "order-not-filled", "no run on record"] {
        assert!(letter.contains(words), "{words}: {letter}");
    }
    let page = stage.shelf.text("reports/paper/main/2026-W48.html").unwrap();
    assert!(page.contains("from 09:30") && page.contains("QQQ"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_period_is_mailed_once() {
    let stage = thanksgiving().await;
    stage.post.refuses(true);
    let (_, mailed) = told(&stage, Span::Month, &[]).await.unwrap();
    assert!(mailed.has_failed());
    stage.post.refuses(false);
    let letters = || stage.post.subjects().iter().filter(|one| one.contains("MONTH")).count();
    assert!(matches!(told(&stage, Span::Month, &[]).await.unwrap().1, Mailed::Sent(_)));
    assert_eq!(told(&stage, Span::Month, &[]).await.unwrap().1, Mailed::Before);
    assert_eq!(letters(), 1);
    assert!(stage.shelf.text("reports/paper/main/2026-11.json").is_some());
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_that_cannot_be_read_is_told_and_the_others_are_counted() {
    let stage = thanksgiving().await;
    stage.shelf.lay("runs/paper/main/2026-11-24/open/g0/final.json", "{\"version\":");
    let (report, _) = told(&stage, Span::Week, &[]).await.unwrap();
    let week = &report.accounts[0].1;
    assert_eq!((week.runs.len(), week.unreadable), (3, 1));
    assert_eq!(week.incidents[0].incident.code, "journal-corrupt");
    assert!(stage.post.last().contains("journal-corrupt"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_store_that_is_away_is_an_error_and_no_letter_of_nothing() {
    let stage = thanksgiving().await;
    let before = stage.post.subjects().len();
    stage.shelf.fails_to_read(1);
    assert!(matches!(told(&stage, Span::Week, &[]).await, Err(JournalError::Store(_))));
    assert_eq!(stage.post.subjects().len(), before);
}

#[tokio::test(flavor = "current_thread")]
async fn every_run_is_listed_once_and_a_damaged_list_is_made_anew_from_the_records() {
    let stage = thanksgiving().await;
    let html = || stage.shelf.text("reports/paper/main/index.html").unwrap();
    let links = |html: &str| html.matches("/open/g0.html\"").count();
    assert_eq!(links(&html()), 5, "{}", html());
    for words in ["PARTIAL", "order-not-filled", "GLD", "a $", "Market closed"] {
        assert!(html().contains(words), "{words}");
    }
    let whole = html();
    stage.shelf.lay("reports/paper/main/index.json", "[{\"key\":");
    let mut stage = stage;
    stage.goes_to(date(2026, 11, 30));
    stage.run().await;
    let html = || stage.shelf.text("reports/paper/main/index.html").unwrap();
    assert_eq!(links(&html()), 1, "the run goes on with what it knows: itself");
    stage.shelf.lay("runs/paper/main/2026-11-30/open/g0/final.json", "{}");
    let account = account("main");
    let of = (Mode::Paper, &account);
    let (runs, unreadable) = rebuild(&*stage.shelf, of, date(2026, 11, 30)).await.unwrap();
    assert_eq!((runs, unreadable.len()), (5, 1), "{unreadable:?}");
    assert_eq!(html(), whole, "the same rows, from the records alone");
}

#[tokio::test(flavor = "current_thread")]
async fn a_digest_tells_of_every_account_and_of_one_without_records() {
    let stage = thanksgiving().await;
    let (report, _) = told(&stage, Span::Week, &["main", "second"]).await.unwrap();
    assert_eq!(report.accounts.len(), 2);
    let letter = stage.post.last();
    assert!(letter.contains("[PAPER WEEK LOOK] 23 Nov to 29 Nov: 0/2 accounts good"), "{letter}");
    assert!(stage.shelf.text("reports/paper/main/2026-W48-digest.json").is_some());
    let none = told(&stage, Span::Week, &["second"]).await.unwrap().0;
    assert!(none.accounts[0].1.newest.is_none() && !none.is_good());
    assert_eq!(told(&stage, Span::Day, &[]).await.unwrap().0.accounts[0].1.runs.len(), 0);
}

//! A past that is told otherwise than it was when a run decided on it.

use std::time::Duration;

use alchemiser::domain::market::History;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::revision::{Gap, Hindsight};
use alchemiser::domain::run::RunAction;
use alchemiser::domain::symbol::Symbol;
use jiff::civil::{Date, date};

use crate::cut::LEASE_OVER;
use crate::stage::Stage;
use crate::told::Told;

/// Inputs of the first session's run.
const INPUTS: &str = "runs/paper/main/2026-11-20/open/g0/snapshot.json";
/// A day in the average that the first session decides on.
const DAY: Date = date(2026, 11, 17);
/// SPY while KMLM is above its average of five days, else BIL.
const TEXT: &str = "(defsymphony \"Test\" {} (if (> (current-price \"KMLM\") \
    (moving-average-price \"KMLM\" {:window 5})) [(asset \"SPY\")] [(asset \"BIL\")]))";

/// One strategy that looks at KMLM, which rises every day by a dime.
fn stage() -> Stage {
    let stage = Stage::furnished(|world| world.closes("KMLM", &[1.0])).plays("a", "1", "SPY");
    stage.says("a", TEXT);
    tells(&stage, |_, close| close);
    stage
}

/// The exchange tells KMLM's closes so from now on.
fn tells(stage: &Stage, so: impl Fn(Date, f64) -> f64) {
    stage.world.market(|market| {
        let sessions = market.days.sessions().iter().map(|session| session.date);
        let days: Vec<Date> =
            sessions.filter(|day| (date(2026, 9, 1)..=date(2026, 12, 31)).contains(day)).collect();
        let plain = (0..).map(|day| 20.0 + 0.1 * f64::from(day));
        let closes = days.iter().zip(plain);
        let closes = closes.map(|(day, close)| (so(*day, close) * 100.0).round() / 100.0).collect();
        let history = History::new(days, closes, Vec::new()).unwrap();
        market.list(Symbol::parse("KMLM").unwrap(), &history);
    });
}

/// One day's close was wrong by so much.
fn rewritten(by: f64) -> impl Fn(Date, f64) -> f64 {
    move |day, close| if day == DAY { close + by } else { close }
}

/// The second session's run, before which something happened.
async fn second_run(happens: impl FnOnce(&mut Stage)) -> (Stage, Told) {
    let mut stage = stage();
    let first = stage.run().await;
    assert_eq!((first.verdict(), first.sleeves()), (Verdict::Done, "a: SPY 196".to_owned()));
    assert_eq!(hindsight(&first), &Hindsight::Missing(Gap::FirstRun));
    stage.next_session();
    happens(&mut stage);
    let told = stage.run().await;
    assert!(told.is_kept() && told.verdict().is_good(), "{:?}", told.verdict());
    (stage, told)
}

fn hindsight(told: &Told) -> &Hindsight {
    &told.report().data.as_ref().unwrap().hindsight
}

/// How many symbols were told otherwise; `None` when nothing was compared.
fn revised(told: &Told) -> Option<usize> {
    match hindsight(told) {
        Hindsight::Compared { revisions, .. } => Some(revisions.len()),
        Hindsight::Unasked | Hindsight::Missing(_) => None,
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_rewritten_past_that_would_have_turned_a_signal_is_a_warning_once() {
    let (mut stage, told) = second_run(|stage| tells(stage, rewritten(5.0))).await;
    assert_eq!(told.incidents(), ["WARNING history-revised"]);
    let incident = &told.report().incidents[0];
    assert_eq!(
        incident.what,
        "the past was rewritten: a would have decided otherwise on the closes through 2026-11-19"
    );
    assert_eq!(
        incident.meaning,
        "It wanted SPY 100% and would have wanted BIL 100%. KMLM on 2026-11-17: 25.4 then, 30.4 now."
    );
    let letter = stage.post.last();
    assert!(letter.contains("history-revised") && letter.contains("would have wanted BIL 100%"));
    let subject = &stage.post.subjects()[1];
    assert!(subject.starts_with("[PAPER OK] 23 Nov open: 2/2 filled, turnover"), "{subject}");
    assert_eq!(stage.account(), "BIL 980, $2000", "today it decides on what is told now");
    stage.next_session();
    let told = stage.run().await;
    assert_eq!((told.incidents(), revised(&told)), (vec![], Some(0)));
}

#[tokio::test(flavor = "current_thread")]
async fn a_rewritten_past_that_turns_nothing_is_a_line_about_the_data() {
    let (stage, told) = second_run(|stage| tells(stage, rewritten(0.3))).await;
    assert_eq!((told.incidents(), revised(&told)), (vec![], Some(1)));
    let letter = unfolded(&stage.post.last());
    assert!(letter.contains("Closes of the run before"), "{letter}");
    assert!(letter.contains("1 told otherwise now, no signal turns"), "{letter}");
    assert!(letter.contains("$25.40 then, $25.70 now on Tue 17 Nov 2026"), "{letter}");
    let (stage, told) = second_run(|stage| tells(stage, rewritten(0.02))).await;
    assert_eq!((told.incidents(), revised(&told)), (vec![], Some(1)));
    let letter = unfolded(&stage.post.last());
    assert!(!letter.contains("Closes of the run before"), "too little for a letter: {letter}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_dividend_and_a_split_that_rescale_the_past_are_no_news() {
    for factor in [0.9971, 0.1, 0.9999, 10.0] {
        let (_, told) = second_run(|stage| tells(stage, |_, close| close * factor)).await;
        assert_eq!((told.incidents(), revised(&told)), (vec![], Some(0)), "{factor}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_past_that_is_rescaled_only_in_part_is_told_with_what_it_would_have_turned() {
    let (_, told) = second_run(|stage| {
        tells(stage, |day, close| if day < date(2026, 11, 18) { close } else { close * 0.98 });
    })
    .await;
    assert_eq!(told.incidents(), ["WARNING history-revised"]);
    assert!(
        told.report().incidents[0].meaning.ends_with("(2 days from 2026-11-18 to 2026-11-19).")
    );
}

#[tokio::test(flavor = "current_thread")]
async fn without_a_readable_record_of_the_run_before_a_run_is_as_good_and_says_so() {
    let whole = |stage: &Stage| stage.shelf.text(INPUTS).unwrap();
    let gone = second_run(|stage| {
        tells(stage, rewritten(5.0));
        stage.shelf.lose(INPUTS);
    });
    let cut = second_run(|stage| {
        tells(stage, rewritten(5.0));
        let text = whole(stage);
        stage.shelf.lay(INPUTS, &text[..text.len() / 2]);
    });
    let empty = second_run(|stage| {
        tells(stage, rewritten(5.0));
        stage.shelf.lay(INPUTS, "");
    });
    let away = second_run(|stage| {
        tells(stage, rewritten(5.0));
        stage.shelf.hides(INPUTS);
    });
    let ways = [
        (gone.await, Gap::NotKept, "it left none"),
        (cut.await, Gap::Unreadable, "they could not be read"),
        (empty.await, Gap::Unreadable, "they could not be read"),
        (away.await, Gap::Unreadable, "they could not be read"),
    ];
    for ((stage, told), gap, said) in ways {
        assert_eq!((told.incidents(), hindsight(&told)), (vec![], &Hindsight::Missing(gap)));
        assert_eq!(stage.account(), "BIL 980, $2000");
        assert!(stage.post.last().contains(&format!("not compared: {said}")));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_that_comes_late_delays_no_order() {
    let began = |stage: &Stage| stage.world.orders().last().unwrap().created_at;
    let (plain, _) = second_run(|stage| tells(stage, rewritten(5.0))).await;
    let (stage, told) = second_run(|stage| {
        tells(stage, rewritten(5.0));
        stage.shelf.slows(INPUTS, Duration::from_secs(20));
    })
    .await;
    assert_eq!((told.incidents(), hindsight(&told)), (vec![], &Hindsight::Missing(Gap::Late)));
    assert_eq!(began(&stage), began(&plain));
}

#[tokio::test(flavor = "current_thread")]
async fn what_another_text_decided_is_not_held_against_this_one() {
    let (_, told) = second_run(|stage| {
        tells(stage, rewritten(5.0));
        stage.says("a", &TEXT.replace("Test", "Another"));
    })
    .await;
    assert_eq!((told.incidents(), revised(&told)), (vec![], Some(1)));
}

#[tokio::test(flavor = "current_thread")]
async fn what_a_strategy_of_another_policy_decided_is_not_held_against_these() {
    let (_, told) = second_run(|stage| {
        tells(stage, rewritten(5.0));
        stage.says("b", TEXT);
        stage.allocates(&[("b", "1")]);
    })
    .await;
    assert_eq!(told.errors(), [""; 0]);
    assert!(!told.incidents().contains(&"WARNING history-revised".to_owned()));
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_of_before_this_was_looked_at_reads_and_is_not_compared() {
    let (mut stage, _) = second_run(|_| {}).await;
    let mut record = serde_json::to_value(stage.record().unwrap()).unwrap();
    record.as_object_mut().unwrap().remove("inputs").unwrap();
    record["data"].as_object_mut().unwrap().remove("hindsight").unwrap();
    let read: alchemiser::domain::report::RunReport = serde_json::from_value(record).unwrap();
    assert_eq!(read.inputs, None);
    assert_eq!(read.data.unwrap().hindsight, Hindsight::Unasked);
    stage.next_session();
    assert_eq!(revised(&stage.run().await), Some(0));
}

#[tokio::test(flavor = "current_thread")]
async fn a_preview_tells_what_was_rewritten_too_and_the_run_after_it_again() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    tells(&stage, rewritten(5.0));
    let told = stage.invoke(RunAction::Preview).await;
    assert_eq!((told.verdict(), told.incidents()), (Verdict::Preview, vec![WARNING.to_owned()]));
    assert_eq!(stage.run().await.incidents(), [WARNING]);
}

const WARNING: &str = "WARNING history-revised";

#[tokio::test(flavor = "current_thread")]
async fn a_resumed_run_tells_what_its_plan_found() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    tells(&stage, rewritten(5.0));
    stage.shelf.denies("final.json");
    stage.run().await;
    stage.shelf.denies("nothing");
    stage.world.advance(LEASE_OVER);
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!((told.verdict(), told.incidents()), (Verdict::Done, vec![WARNING.to_owned()]));
    stage.next_session();
    assert_eq!(stage.run().await.incidents(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_day_on_which_nothing_may_trade_leaves_the_news_to_the_next_run() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    tells(&stage, rewritten(5.0));
    stage.permits("halt-new");
    let told = stage.run().await;
    assert_eq!(told.incidents(), ["CONFIGURATION halted"]);
    stage.next_session();
    stage.permits("run");
    assert_eq!(stage.run().await.incidents(), [WARNING]);
}

/// A letter without the breaks that its way through the post puts into long lines.
fn unfolded(letter: &str) -> String {
    letter.replace("=\r\n", "").replace("=\n", "")
}

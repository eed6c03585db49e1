//! Strategies that hold a fund and its opposite.

use alchemiser::domain::report::{RunReport, Verdict};
use alchemiser::domain::run::{RunAction, StrategyName};
use alchemiser::presentation::{letter_html, letter_text, page_html};

use crate::stage::Stage;

/// TQQQ at 50 and SQQQ at 20 dollars.
fn stage() -> Stage {
    Stage::furnished(|world| world.price("TQQQ", "50").price("SQQQ", "20"))
}

/// What is held against each other: `TQQQ 49000 a | SQQQ 29400 b: 88200 cancelled, 58800 tied`.
fn opposed(report: &RunReport) -> Vec<String> {
    let line = |opposed: &alchemiser::domain::opposed::Opposed| {
        let stake = |stake: &alchemiser::domain::opposed::Stake| {
            let names: Vec<&str> = stake.strategies.iter().map(StrategyName::as_str).collect();
            format!("{} {} {}", stake.symbol, stake.value, names.join(" "))
        };
        let (bull, bear) = (stake(&opposed.bull), stake(&opposed.bear));
        format!("{bull} | {bear}: {} cancelled, {} tied", opposed.cancelled, opposed.tied)
    };
    report.opposed.iter().map(line).collect()
}

/// The text on one line, as if no line had been broken.
fn flowing(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "current_thread")]
async fn a_bull_and_its_bear_in_two_sleeves_are_told_with_what_they_cost() {
    let stage =
        stage().plays("a", "0.5", "TQQQ").plays("b", "0.3", "SQQQ").plays("c", "0.2", "BIL");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(told.incidents(), [""; 0], "information, nothing to look into");
    let report = stage.record().unwrap();
    assert_eq!(opposed(&report), ["TQQQ 49000 a | SQQQ 29400 b: 88200 cancelled, 58800 tied"]);
    let said = "a holds $49,000.00 of TQQQ (3x), b holds $29,400.00 of SQQQ (−3x), both on the \
                Nasdaq-100: $88,200.00 of exposure cancels out on each side, and $58,800.00 is tied \
                up without any while both funds' fees and daily rebalancing go on.";
    let paid = "Both were traded today; half the spread on that was about $";
    let text = flowing(&letter_text(&report));
    assert!(text.contains(said) && text.contains(paid), "{text}");
    let escaped = said.replace('\'', "&#39;");
    for html in [letter_html(&report), page_html(&report)] {
        let html = flowing(&html);
        assert!(html.contains(said) || html.contains(&escaped), "{html}");
        assert!(html.contains(paid) && html.contains("TQQQ against SQQQ"), "{html}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn half_the_spread_is_told_only_on_a_day_on_which_both_were_traded() {
    let mut stage = stage().plays("a", "0.5", "TQQQ").plays("b", "0.5", "SQQQ");
    let spreads = |report: &RunReport| report.opposed[0].half_spreads.map(|paid| paid.to_string());
    // A cent on each side of 50 and of 20, on 980 and 2450 shares.
    let told = stage.run().await;
    assert_eq!(spreads(told.report()), Some("34.3".to_owned()));
    stage.next_session();
    let told = stage.run().await;
    assert_eq!((told.verdict(), spreads(told.report())), (Verdict::NothingToDo, None));
    let text = letter_text(told.report());
    assert!(text.contains("TQQQ against SQQQ") && !text.contains("half the spread"), "{text}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_preview_tells_what_would_be_held_against_each_other() {
    let stage = stage().plays("a", "0.5", "TQQQ").plays("b", "0.5", "SQQQ");
    let told = stage.invoke(RunAction::Preview).await;
    assert_eq!(told.verdict(), Verdict::Preview);
    assert_eq!(
        opposed(told.report()),
        ["TQQQ 49000 a | SQQQ 49000 b: 147000 cancelled, 98000 tied"]
    );
    let text = flowing(&letter_text(told.report()));
    assert!(text.contains("a would hold $49,000.00 of TQQQ (3x)"), "{text}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_strategy_that_left_its_side_is_no_longer_told() {
    let mut stage = stage().plays("a", "0.5", "TQQQ").plays("b", "0.5", "SQQQ");
    stage.run().await;
    stage.next_session();
    stage.wants("b", "BIL");
    let told = stage.run().await;
    assert_eq!((told.verdict(), opposed(told.report())), (Verdict::Done, vec![]));
    assert!(!letter_text(told.report()).contains("TQQQ against SQQQ"));
}

#[tokio::test(flavor = "current_thread")]
async fn two_funds_against_one_cancel_no_more_than_there_is_of_it() {
    let stage =
        Stage::furnished(|world| world.price("UPRO", "50").price("SSO", "50").price("SPXU", "20"));
    let stage = stage.plays("a", "0.4", "UPRO").plays("b", "0.4", "SSO").plays("c", "0.2", "SPXU");
    let told = stage.run().await;
    // The bear cancels three quarters of SSO, and nothing of it is left for UPRO.
    assert_eq!(opposed(told.report()), ["SSO 39200 b | SPXU 19600 c: 58800 cancelled, 49000 tied"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_of_before_opposites_were_told_reads() {
    let stage = stage().plays("a", "0.5", "TQQQ").plays("b", "0.5", "SQQQ");
    stage.run().await;
    let mut record = serde_json::to_value(stage.record().unwrap()).unwrap();
    record.as_object_mut().unwrap().remove("opposed").unwrap();
    let read: RunReport = serde_json::from_value(record).unwrap();
    assert_eq!(read.opposed, []);
}

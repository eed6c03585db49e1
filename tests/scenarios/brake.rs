//! Settings that moved further than a slip of the hand should: nothing trades without a word.

use alchemiser::application::brake::confirmed_key;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::{AccountName, Mode, RunAction};

use crate::stage::Stage;
use crate::told::Told;

const MOVED: &str = "CONFIGURATION settings-moved";

/// A stage after its first day, with the brake that the policy comes with.
async fn stage() -> Stage {
    let stage = Stage::new().braked().plays("a", "0.6", "SPY").plays("b", "0.4", "BIL");
    let mut stage = stage;
    assert_eq!(stage.run().await.verdict(), Verdict::Done, "the first run needs no word");
    stage.next_session();
    stage
}

fn change(told: &Told) -> String {
    let moved = told.report().incidents.iter().find(|incident| incident.code == "settings-moved");
    let context = &moved.expect("settings moved").context;
    context.iter().find(|(name, _)| name == "change").unwrap().1.clone()
}

fn confirms(stage: &Stage, change: &str) {
    let account = AccountName::parse("main").unwrap();
    stage.shelf.lay(&confirmed_key((Mode::Paper, &account), change), "{}");
}

#[tokio::test(flavor = "current_thread")]
async fn another_text_of_a_strategy_trades_once_it_is_confirmed() {
    let stage = stage().await;
    stage.wants("a", "GLD");
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::Blocked, vec![MOVED.to_owned()]));
    assert_eq!(stage.orders_today(), [""; 0]);
    let letter = stage.post.last().replace("=\r\n", "");
    assert!(letter.contains("the text of a") && letter.contains("alchemiser confirm"), "{letter}");
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!(told.errors(), [MOVED], "a resume is no word");
    confirms(&stage, "0123456789abcdef");
    assert_eq!(stage.invoke(RunAction::Resume).await.errors(), [MOVED], "nor is one for another");
    confirms(&stage, &change(&told));
    assert_eq!(stage.invoke(RunAction::Resume).await.verdict(), Verdict::Done);
    let mut stage = stage;
    stage.next_session();
    assert_eq!(stage.run().await.verdict(), Verdict::NothingToDo, "it is the rule now");
}

#[tokio::test(flavor = "current_thread")]
async fn settings_that_are_put_back_need_no_word() {
    let mut stage = stage().await;
    stage.wants("a", "GLD");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "SPY");
    assert_eq!(stage.run().await.verdict(), Verdict::NothingToDo);
}

#[tokio::test(flavor = "current_thread")]
async fn allocations_may_move_a_little_at_a_time() {
    for (a, b, waits) in [("0.7", "0.3", false), ("0.71", "0.29", true)] {
        let mut stage = stage().await;
        stage.allocates(&[("a", a), ("b", b)]);
        let told = stage.run().await;
        assert_eq!(told.errors().contains(&MOVED.to_owned()), waits, "{a}");
        assert_eq!(stage.orders_today().is_empty(), waits, "{a}");
    }
    let mut stage = stage().await;
    stage.allocates(&[("a", "1")]);
    assert_eq!(stage.run().await.errors(), [MOVED], "one that is left out has moved as well");
}

#[tokio::test(flavor = "current_thread")]
async fn a_limit_that_is_loosened_is_told_of_in_three_runs_and_beyond_twice_it_waits() {
    let mut stage = stage().await.limit("daily_loss_max = \"0.5\"");
    for told_of in [true, true, true, false] {
        let told = stage.run().await;
        assert_eq!(told.errors(), [""; 0]);
        assert_eq!(told.incidents().contains(&"WARNING limits-loosened".to_owned()), told_of);
        stage.next_session();
    }
    let stage = stage.limit("rejections_max = 7");
    let told = stage.run().await;
    assert_eq!(told.errors(), [MOVED]);
    assert!(told.report().summary.contains("limits.rejections_max from 3 to 7"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_preview_shows_what_waits_and_what_would_be_traded() {
    let stage = stage().await;
    stage.wants("a", "GLD");
    let told = stage.invoke(RunAction::Preview).await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::Preview, vec![MOVED.to_owned()]));
    assert!(told.report().plan.is_some());
}

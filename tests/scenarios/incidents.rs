//! What the operator is told when, and how often.

use std::time::Duration;

use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::simulator::exchange::OrderTrouble;

use crate::stage::Stage;
use crate::told::Told;

/// A strategy that cannot be evaluated: nobody has prices of what it looks at.
const FAILING: &str = "(defsymphony \"Test\" {} (if (> (current-price \"NONE\") 1) [(asset \"SPY\")] [(asset \"BIL\")]))";

/// A flip of everything whose sells take ten seconds.
async fn slow_flip() -> Stage {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "GLD 0.5, QQQ 0.5");
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
    stage
}

/// The run, halted by the operator after five seconds.
async fn halted_in_mid_run(stage: &Stage) -> Told {
    let halt = async {
        stage.world.clock().sleep(Duration::from_secs(5)).await;
        stage.permits("halt-new");
        stage.world.clock().sleep(Duration::from_secs(1)).await;
    };
    tokio::join!(stage.run(), halt).0
}

fn alerts(stage: &Stage) -> usize {
    stage.post.subjects().iter().filter(|s| s.starts_with("[PAPER CONFIGURATION]")).count()
}

#[tokio::test(flavor = "current_thread")]
async fn what_stops_a_run_in_its_middle_is_mailed_at_once_and_the_run_mail_follows() {
    let stage = slow_flip().await;
    assert_eq!(halted_in_mid_run(&stage).await.verdict(), Verdict::Partial);
    let subjects = stage.post.subjects();
    assert_eq!(subjects.len(), 3, "yesterday's, the alert and the run's: {subjects:?}");
    assert!(subjects[1].starts_with("[PAPER CONFIGURATION] 23 Nov open: halted"), "{subjects:?}");
    assert!(subjects[2].starts_with("[PAPER PARTIAL]"), "{subjects:?}");
    assert!(!stage.shelf.keys("runs/paper/main/2026-11-23/open/g0/mail/alert.json").is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_resume_does_not_send_the_alert_again() {
    let stage = slow_flip().await;
    stage.shelf.denies("final.json");
    halted_in_mid_run(&stage).await;
    assert_eq!(alerts(&stage), 1);
    stage.shelf.denies("nothing");
    let told = stage.invoke(RunAction::Resume).await;
    assert!(told.errors().contains(&"CONFIGURATION halted".to_owned()), "{:?}", told.errors());
    assert_eq!(alerts(&stage), 1);
    assert!(stage.run().await.is_repeated());
    assert_eq!(alerts(&stage), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn mail_that_is_refused_changes_nothing_of_the_trading() {
    let twin = slow_flip().await;
    let told = halted_in_mid_run(&twin).await;
    let stage = slow_flip().await;
    stage.post.refuses(true);
    let refused = halted_in_mid_run(&stage).await;
    assert_eq!(stage.orders(), twin.orders());
    assert_eq!(stage.account(), twin.account());
    assert_eq!(refused.verdict(), told.verdict());
    assert!(stage.record().is_some());
}

#[tokio::test(flavor = "current_thread")]
async fn what_was_wrong_the_day_before_rings_no_alarm() {
    let mut stage = slow_flip().await;
    halted_in_mid_run(&stage).await;
    stage.permits("run");
    stage.next_session();
    stage.wants("a", "TLT");
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
    let told = halted_in_mid_run(&stage).await;
    assert!(told.errors().contains(&"CONFIGURATION halted".to_owned()), "{:?}", told.errors());
    assert_eq!(alerts(&stage), 1, "{:?}", stage.post.subjects());
    let halted = told.report().incidents.iter().find(|incident| incident.code == "halted");
    assert_eq!(halted.map(|incident| incident.day), Some(2));
}

#[tokio::test(flavor = "current_thread")]
async fn the_same_trouble_is_counted_by_day_and_its_end_is_said_once() {
    let mut stage = Stage::new().plays("a", "0.7", "SPY").plays("b", "0.3", "BIL");
    stage.goes_to("2026-11-24".parse().unwrap());
    stage.run().await;
    stage.says("b", FAILING);
    // Thanksgiving is between the first and the second.
    for (date, news) in [
        ("2026-11-25", "1 incident"),
        ("2026-11-26", "market closed"),
        ("2026-11-27", "strategy-data day 2"),
        ("2026-11-30", "strategy-data day 3"),
    ] {
        stage.goes_to(date.parse().unwrap());
        let told = stage.run().await;
        let subjects = stage.post.subjects();
        assert!(subjects.last().unwrap().contains(news), "{date}: {subjects:?}");
        assert!(told.report().recovered.is_empty(), "{date}");
    }
    stage.wants("b", "BIL");
    for (date, over) in [("2026-12-01", 1), ("2026-12-02", 0)] {
        stage.goes_to(date.parse().unwrap());
        let told = stage.run().await;
        assert_eq!(told.report().recovered.len(), over, "{date}");
        let said = stage.post.last().contains("strategy-data, after 3 days");
        assert_eq!(said, over == 1, "{date}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_letter_that_cannot_wait_says_where_the_runbook_is() {
    let stage = Stage::new().plays("a", "1", "SPY");
    stage.run().await;
    assert!(!stage.post.last().contains("runbook"), "nothing is wrong");
    let stage = Stage::new().plays("a", "1", "SPY");
    stage.world.exchange(|exchange| exchange.identity.trading_blocked = true);
    stage.run().await;
    assert!(stage.post.last().replace("=\r\n", "").contains("runbook"));
}

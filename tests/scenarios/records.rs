//! Records that cannot be trusted stop a run; leases decide who works.

use alchemiser::domain::report::Verdict;

use crate::stage::Stage;

const FOLDER: &str = "runs/paper/main/2026-11-20/open/g0";

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 1")
}

fn envelope(run: &str, version: u32, body: &str) -> String {
    format!(
        "{{\"version\":{version},\"run\":\"{run}\",\"writer\":\"x\",\"code\":\"x\",\"previous\":null,\"body\":{body}}}"
    )
}

const RUN: &str = "paper/main/2026-11-20/open/g0";

#[tokio::test(flavor = "current_thread")]
async fn a_plan_that_cannot_be_trusted_stops_the_run() {
    let other_run = envelope("paper/main/2026-11-19/open/g0", 1, "{}");
    let newer = envelope(RUN, 99, "{}");
    for plan in ["{", "{}", &newer, &envelope(RUN, 1, "{}"), &other_run] {
        let stage = stage();
        stage.shelf.lay(&format!("{FOLDER}/plan.json"), plan);
        let told = stage.run().await;
        let code = if plan == newer { "record-newer" } else { "journal-corrupt" };
        assert!(told.errors().contains(&format!("CRITICAL {code}")), "{plan}: {:?}", told.errors());
        assert!(stage.orders().is_empty(), "{plan}");
        assert!(!told.verdict().is_good(), "{plan}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_lease_that_runs_keeps_others_away_and_one_that_ran_out_does_not() {
    let request = r#"{"action":"trade","mode":"paper","account":"main","slot":"open","scheduled_for":"2026-11-20T14:35:00Z","force":null}"#;
    for (seconds, trades) in [(1500, false), (0, true)] {
        let stage = stage();
        stage.shelf.lay(&format!("{FOLDER}/open.json"), &envelope(RUN, 1, request));
        let lease = format!("{{\"seconds\":{seconds}}}");
        stage.shelf.lay(&format!("{FOLDER}/lease/0001.json"), &envelope(RUN, 1, &lease));
        let told = stage.run().await;
        assert_eq!(told.is_in_progress(), !trades, "{seconds}");
        assert_eq!(stage.orders().len(), usize::from(trades), "{seconds}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_released_lease_is_taken_over_at_once() {
    let stage = stage();
    let lease = "{\"seconds\":1500}";
    stage.shelf.lay(&format!("{FOLDER}/lease/0001.json"), &envelope(RUN, 1, lease));
    stage.shelf.lay(&format!("{FOLDER}/lease/0001.released"), &envelope(RUN, 1, "null"));
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert!(!stage.shelf.keys(&format!("{FOLDER}/lease/0002")).is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_with_more_leases_than_can_be_is_not_worked_on() {
    let stage = stage();
    for epoch in 1..=200 {
        let lease = envelope(RUN, 1, "{\"seconds\":0}");
        stage.shelf.lay(&format!("{FOLDER}/lease/{epoch:04}.json"), &lease);
    }
    let told = stage.run().await;
    assert!(told.errors().contains(&"CRITICAL journal-corrupt".to_owned()));
    assert!(stage.orders().is_empty());
}

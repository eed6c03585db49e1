//! Real money: only under an arming record that fits, and at first with a part of the capital.

use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::simulator::exchange::Fills;

use crate::cut::{Cut, LEASE_OVER, killed_at};
use crate::stage::Stage;

const ARM: &str = "control/live/main/arm.json";

fn hash(digits: &str) -> String {
    digits.repeat(32)
}

/// A stage with real money that nobody armed yet.
fn live() -> Stage {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.runs_code(&format!("0.1.0+{}", hash("ab")));
    stage.goes_live();
    stage
}

/// The account as the broker shows it to a preview, which needs no arming.
async fn fingerprint(stage: &Stage) -> String {
    let told = stage.invoke(RunAction::Preview).await;
    assert_eq!(told.verdict(), Verdict::Preview);
    told.report().account.as_ref().unwrap().fingerprint.clone()
}

fn record(account: &str, more: &str) -> String {
    let code = hash("ab");
    format!(
        r#"{{"account":"{account}","codes":["{code}"],"since":"2026-11-15T00:00:00Z",
        "expires":"2026-12-15T00:00:00Z","who":"ann","reason":"ready","ramp":[]{more}}}"#
    )
}

async fn armed(more: &str) -> Stage {
    let stage = live();
    let account = fingerprint(&stage).await;
    stage.shelf.lay(ARM, &record(&account, more));
    stage
}

#[tokio::test(flavor = "current_thread")]
async fn an_unarmed_program_asks_the_live_broker_nothing_and_sends_nothing() {
    let mut stage = live();
    let requests = stage.world.requests();
    let told = stage.run().await;
    assert_eq!(
        (told.verdict(), told.errors()),
        (Verdict::Blocked, vec!["CONFIGURATION not-armed".to_owned()])
    );
    assert_eq!((stage.world.requests(), stage.orders().len()), (requests, 0));
    assert!(told.report().summary.contains("no arming record"), "{}", told.report().summary);
    assert!(stage.post.subjects()[0].contains("LIVE BLOCKED"), "{:?}", stage.post.subjects());
    stage.forces(1, 10);
    let told = stage.run().await;
    assert_eq!(told.errors(), ["CONFIGURATION not-armed"]);
    assert!(stage.shelf.keys("runs/").iter().all(|key| !key.contains("/g1/")), "not claimed");
}

#[tokio::test(flavor = "current_thread")]
async fn an_arming_that_does_not_fit_in_every_part_permits_nothing() {
    let account = fingerprint(&live()).await;
    let right = record(&account, "");
    let wrong = [
        (right.replace("2026-12-15", "2026-11-20"), "the arming ended"),
        (right.replace("2026-12-15", "2026-12-16"), "30 days at most"),
        (right.replace("2026-11-15", "2026-11-21"), "must have begun"),
        (right.replace(&hash("ab"), &hash("cd")), "a deployment disarms"),
        (right.replace(&account, "0123456789abcdef"), "the arming is for account 0123456789abcdef"),
        (record(&account, r#","max_equity":"99999""#), "is above the 99999"),
        (record(&account, r#","forever":true"#), "not understood"),
        (right.replace("\"ann\"", "1"), "not understood"),
    ];
    for (text, words) in wrong {
        let stage = live();
        stage.shelf.lay(ARM, &text);
        let told = stage.run().await;
        assert_eq!(told.errors(), ["CONFIGURATION not-armed"], "{words}");
        let summary = &told.report().summary;
        assert!(summary.contains("mode live is refused") && summary.contains(words), "{summary}");
        assert_eq!(stage.orders(), [""; 0], "{words}");
    }
    let mut stage = live();
    stage.shelf.lay(ARM, &right);
    stage.runs_code("0.1.0");
    let told = stage.run().await;
    assert_eq!(told.errors(), ["CONFIGURATION not-armed"], "a program without a hash");
}

#[tokio::test(flavor = "current_thread")]
async fn an_armed_program_trades_all_of_the_capital_when_the_ramp_is_over() {
    let stage = armed("").await;
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.errors().len()), (Verdict::Done, 0), "{:?}", told.errors());
    assert_eq!(stage.account(), "BIL 490, SPY 98, $2000");
    assert!(stage.world.orders().iter().all(|order| order.client_id.starts_with("al1-L-")));
}

#[tokio::test(flavor = "current_thread")]
async fn the_first_sessions_with_real_money_use_a_part_of_the_capital() {
    let mut stage = live();
    let account = fingerprint(&stage).await;
    let ramp = r#"[{"sessions":2,"part":"0.1"},{"sessions":1,"part":"0.5"}]"#;
    stage.shelf.lay(ARM, &record(&account, "").replace("[]}", &format!("{ramp}}}")));
    let mut held = Vec::new();
    for _ in 0..4 {
        let told = stage.run().await;
        assert!(told.verdict().is_good(), "{:?}", told.report().summary);
        let ramp = told.report().limits.iter().find(|limit| limit.limit == "arm.ramp");
        held.push((stage.account(), ramp.map(|limit| limit.used.clone())));
        stage.next_session();
    }
    let account = |text: &str| text.to_owned();
    let (tenth, half) = (Some("10000".to_owned()), Some("50000".to_owned()));
    assert_eq!(held[0], (account("BIL 49, SPY 9.8, $90200"), tenth.clone()));
    assert_eq!(held[1], (account("BIL 49, SPY 9.8, $90200"), tenth));
    assert_eq!(held[2], (account("BIL 245, SPY 49, $51000"), half));
    assert_eq!(held[3], (account("BIL 490, SPY 98, $2000"), None));
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_whose_arming_was_withdrawn_is_only_settled() {
    let stage = Stage::furnished(|world| world.fills(Fills::plain()));
    let mut stage = stage.plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.runs_code(&format!("0.1.0+{}", hash("ab")));
    stage.goes_live();
    let account = fingerprint(&stage).await;
    stage.shelf.lay(ARM, &record(&account, ""));
    let requests = stage.world.requests();
    for request in 1..60 {
        assert!(killed_at(&stage, request, Cut::After).await.is_none(), "an order works by then");
        if !stage.orders().is_empty() {
            break;
        }
        stage.world.advance(LEASE_OVER);
        stage.shelf.lose("runs/");
        stage.schedules(stage.world.now());
    }
    assert!(stage.world.requests() > requests && !stage.orders().is_empty());
    let orders = stage.orders().len();
    stage.shelf.lose(ARM);
    stage.world.advance(LEASE_OVER);
    let told = stage.invoke(RunAction::Resume).await;
    assert!(told.errors().contains(&"CONFIGURATION not-armed".to_owned()), "{:?}", told.errors());
    assert!(told.is_kept() && stage.orders().len() == orders, "{:?}", stage.orders());
}

#[tokio::test(flavor = "current_thread")]
async fn an_arming_that_is_away_for_a_moment_leaves_the_day_to_a_resume() {
    let stage = armed("").await;
    stage.shelf.hides(ARM);
    let told = stage.run().await;
    assert_eq!((told.errors(), stage.record()), (vec!["CONFIGURATION not-armed".to_owned()], None));
    stage.shelf.shows();
    assert_eq!(stage.invoke(RunAction::Resume).await.verdict(), Verdict::Done);
}

//! Records that are not what was written: whoever continues from one notices, and stops.

use alchemiser::domain::hash::sha256_hex;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::simulator::exchange::OrderTrouble;
use serde_json::{Value, json};

use crate::stage::Stage;

const DAY: &str = "runs/paper/main/2026-11-23/open/g0";
const DAY_BEFORE: &str = "runs/paper/main/2026-11-20/open/g0";
const CORRUPT: &str = "CRITICAL journal-corrupt";

/// A second day with two attempts on each side that has everything but its final record.
async fn all_but_ended() -> Stage {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ 0.5, GLD 0.5");
    stage.troubles("SPY", 2, OrderTrouble::NeverFilled);
    stage.troubles("QQQ", 2, OrderTrouble::NeverFilled);
    stage.shelf.denies("final.json");
    stage.run().await;
    stage.shelf.denies("nothing");
    assert_eq!(stage.orders_today().len(), 8, "three attempts where the first two did nothing");
    stage
}

/// The same with an altered envelope, its digest made right again: edited with care.
fn with_care(record: &str, edit: impl FnOnce(&mut Value)) -> String {
    let mut envelope: Value = serde_json::from_str(record).unwrap();
    edit(&mut envelope);
    envelope.as_object_mut().unwrap().remove("digest").unwrap();
    let plain = envelope.to_string();
    let rest = format!("\",{}", plain.strip_prefix('{').unwrap());
    format!("{{\"digest\":\"{}{rest}", sha256_hex(rest.as_bytes()))
}

/// Every way in which a record may be another than the one that was written.
fn spoilt(record: &str) -> Vec<(&'static str, String)> {
    let other = json!("paper/main/2026-11-20/open/g0");
    vec![
        ("cut short", record[..record.len() / 2].to_owned()),
        ("empty", String::new()),
        ("of version 0", with_care(record, |envelope| envelope["version"] = json!(0))),
        ("of another form", with_care(record, |envelope| envelope["body"] = json!({"a": 1}))),
        ("torn off", with_care(record, |envelope| envelope["previous"] = Value::Null)),
        ("edited", record.replacen("\"code\":\"", "\"code\":\"x", 1)),
        ("of another run", with_care(record, |envelope| envelope["run"] = other)),
        ("elsewhere", with_care(record, |envelope| envelope["previous"] = json!("ab".repeat(32)))),
    ]
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_that_is_not_what_was_written_stops_the_run_until_it_is_restored() {
    let records = ["plan", "sells", "buyplan", "buys", "att/S/SPY/2", "att/S/SPY/3", "att/B/QQQ/2"];
    for record in records {
        let key = format!("{DAY}/{record}.json");
        let written = all_but_ended().await.shelf.text(&key).unwrap();
        let ways = spoilt(&written);
        let ways = if record == "plan" { &ways[..] } else { &ways[5..] };
        for (how, text) in ways {
            let stage = all_but_ended().await;
            let orders = stage.orders();
            stage.shelf.lay(&key, text);
            let told = stage.invoke(RunAction::Resume).await;
            assert!(told.errors().contains(&CORRUPT.to_owned()), "{record} {how}");
            assert_eq!(stage.orders(), orders, "{record} {how}: nothing is sent");
            stage.shelf.lay(&key, &written);
            let told = stage.invoke(RunAction::Resume).await;
            assert_eq!(told.sleeves(), "a: GLD 244.97795, QQQ 122.488975", "{record} {how}");
            assert!(stage.record().is_some(), "{record} {how}: it ends");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_that_is_gone_stops_the_run() {
    for record in ["snapshot", "att/S/SPY/2", "att/B/QQQ/2"] {
        let stage = all_but_ended().await;
        let orders = stage.orders();
        stage.shelf.lose(&format!("{DAY}/{record}.json"));
        let told = stage.invoke(RunAction::Resume).await;
        assert!(told.errors().contains(&CORRUPT.to_owned()), "{record}");
        assert_eq!(stage.orders(), orders, "{record}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_plan_of_other_inputs_stops_the_run() {
    let stage = all_but_ended().await;
    let key = format!("{DAY}/snapshot.json");
    let snapshot = stage.shelf.text(&key).unwrap();
    stage.shelf.lay(&key, &with_care(&snapshot, |envelope| envelope["code"] = json!("other")));
    let told = stage.invoke(RunAction::Resume).await;
    assert!(told.errors().contains(&CORRUPT.to_owned()));
    assert_eq!(stage.record(), None, "it stays open until the record is restored");
}

#[tokio::test(flavor = "current_thread")]
async fn what_still_works_is_cancelled_when_the_plan_cannot_be_trusted() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ 0.5, GLD 0.5");
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
    let killed = crate::cut::killed_at(&stage, 20, crate::cut::Cut::After).await;
    assert!(killed.is_none());
    assert!(
        stage.orders_today().contains(&"sell SPY 98 #1 new 0".to_owned()),
        "{:?}",
        stage.orders_today()
    );
    stage.shelf.lay(&format!("{DAY}/plan.json"), "{}");
    stage.world.advance(crate::cut::LEASE_OVER);
    let told = stage.invoke(RunAction::Resume).await;
    assert!(told.errors().contains(&CORRUPT.to_owned()));
    let today = stage.orders_today();
    assert_eq!(today, ["sell BIL 490 #1 filled 490", "sell SPY 98 #1 canceled 0"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_last_final_record_that_is_not_what_was_written_stops_the_next_run() {
    for (record, what) in [
        (format!("{DAY_BEFORE}/final.json"), "the ledger"),
        (format!("{DAY_BEFORE}/plan.json"), "its plan"),
        (format!("{DAY_BEFORE}/mail/run.json"), "the letter about it"),
    ] {
        let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
        stage.run().await;
        let written = stage.shelf.text(&record).unwrap();
        let edited = with_care(&written, |envelope| {
            envelope["code"] = json!("other");
            if record.contains("/mail/") {
                envelope["previous"] = json!("ab".repeat(32));
            }
        });
        stage.shelf.lay(&record, &edited);
        stage.next_session();
        stage.wants("a", "GLD");
        let told = stage.run().await;
        assert_eq!(told.errors(), [CORRUPT], "{what}");
        assert_eq!(stage.orders_today(), [""; 0], "{what}");
        stage.shelf.lay(&record, &written);
        stage.next_session();
        assert_eq!(stage.run().await.verdict(), Verdict::Done, "{what}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_final_record_lost_between_two_others_stops_the_next_run() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    for _ in 0..3 {
        stage.run().await;
        stage.next_session();
    }
    let lost = "runs/paper/main/2026-11-23/";
    assert!(!stage.shelf.keys(lost).is_empty());
    stage.shelf.lose(lost);
    assert_eq!(stage.run().await.errors(), [CORRUPT]);
    stage.shelf.lose("runs/paper/main/2026-11-20/"); // older ones may be put away
    stage.next_session();
    assert_eq!(stage.run().await.verdict(), Verdict::NothingToDo);
}

#[tokio::test(flavor = "current_thread")]
async fn a_second_look_at_the_market_leaves_inputs_beside_the_first() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.shelf.denies("plan.json");
    stage.run().await;
    stage.shelf.denies("nothing");
    stage.shelf.lose(&format!("{DAY_BEFORE}/final.json"));
    stage.shelf.lose(&format!("{DAY_BEFORE}/mail"));
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!(told.verdict(), Verdict::Done);
    let inputs = stage.shelf.keys(&format!("{DAY_BEFORE}/snapshot"));
    assert_eq!(inputs.len(), 2, "{inputs:?}");
    let plan: Value =
        serde_json::from_str(&stage.shelf.text(&format!("{DAY_BEFORE}/plan.json")).unwrap())
            .unwrap();
    let named = plan["body"]["inputs"].as_str().unwrap();
    let bytes = stage.shelf.text(&format!("{DAY_BEFORE}/{named}")).unwrap();
    assert!(named.starts_with("snapshot/"));
    assert_eq!(plan["previous"], json!(sha256_hex(bytes.as_bytes())));
}

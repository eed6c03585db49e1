//! What a run stored of its inputs is enough to decide it again, byte for byte.

use alchemiser::application::journal::inputs::Inputs;
use alchemiser::domain::book::{StrategyFiles, slots};
use alchemiser::domain::decide::decide;
use alchemiser::domain::policy::Policy;
use alchemiser::domain::run::{RunAction, StrategyName};

use crate::stage::Stage;

const FOLDER: &str = "runs/paper/main/2026-11-20/open/g0";

fn body(stage: &Stage, record: &str) -> serde_json::Value {
    let text = stage.shelf.text(&format!("{FOLDER}/{record}")).unwrap();
    let envelope: serde_json::Value = serde_json::from_str(&text).unwrap();
    envelope["body"].clone()
}

#[tokio::test(flavor = "current_thread")]
async fn the_stored_inputs_decide_the_stored_plan_again() {
    let stage = Stage::new().plays("a", "0.6", "SPY 0.5, BIL 0.5").plays("b", "0.4", "QQQ 1");
    stage.run().await;
    let inputs: Inputs = serde_json::from_value(body(&stage, "snapshot.json")).unwrap();
    let snapshot = inputs.unpack().unwrap();
    let policy = stage.shelf.text("config/paper/main/policy.toml").unwrap();
    let policy = Policy::parse(&policy).unwrap();
    let files: StrategyFiles = ["a", "b"]
        .into_iter()
        .map(|name| {
            let text = stage.shelf.text(&format!("strategies/{name}.clj")).unwrap();
            (StrategyName::parse(name).unwrap(), Ok(text))
        })
        .collect();
    let key = stage.event(RunAction::Trade).key();
    let again = decide(&snapshot, &slots(&policy, &files), &policy, &key);
    let plan = serde_json::to_value(again.plan.unwrap().plan()).unwrap();
    assert_eq!(plan, body(&stage, "plan.json")["plan"]);
}

#[tokio::test(flavor = "current_thread")]
async fn damaged_inputs_are_refused_and_never_half_read() {
    let stage = Stage::new().plays("a", "1", "SPY 1");
    stage.run().await;
    for damage in ["%%%", "aGVsbG8=", ""] {
        let mut stored = body(&stage, "snapshot.json");
        stored["closes"] = damage.into();
        let inputs: Inputs = serde_json::from_value(stored).unwrap();
        let error = inputs.unpack().unwrap_err();
        assert!(error.to_string().contains("stored closes not readable"), "{error}");
    }
}

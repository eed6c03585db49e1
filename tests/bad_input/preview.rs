//! A preview touches nothing, whatever the store and the broker hold when it comes.

use alchemiser::domain::incident::Category::{Critical, Trading};
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::exchange::OrderTrouble;
use alchemiser::simulator::faults::{Fault, On, Trouble};
use serde_json::json;

use crate::scene::{Scene, event, market};

const CALM: &str = "(defsymphony \"Calm\" {} (asset \"BIL\"))";

#[tokio::test]
async fn a_preview_leaves_no_record_and_sends_no_order() {
    let scene = Scene::of(market().build(), CALM);
    let told = scene.ask(event(&[("action", json!("preview"))])).await;
    assert_eq!(told.response.outcome, "preview");
    assert!(told.mails[0].subject.contains("would sell 0, buy 1"), "{}", told.mails[0].subject);
    assert!(scene.world.orders().is_empty() && !scene.has(""));
}

#[tokio::test]
async fn a_preview_after_the_days_run_shows_what_is_left_to_do() {
    let scene = Scene::of(market().build(), CALM);
    scene.trade().await;
    let orders = scene.world.orders().len();
    let told = scene.ask(event(&[("action", json!("preview"))])).await;
    assert_eq!(told.response.outcome, "preview", "{:?}", told.response.incidents);
    assert!(told.mails[0].subject.contains("would sell 0, buy 0"), "{}", told.mails[0].subject);
    assert_eq!(scene.world.orders().len(), orders);
}

#[tokio::test]
async fn a_preview_does_not_carry_out_a_plan_that_a_run_left_behind() {
    let scene = Scene::of(market().build(), CALM);
    scene.trade().await;
    // The run died after its plan was stored, before its first order.
    for record in ["final.json", "sells.json", "buyplan.json", "buys.json", "mail/run.json"] {
        scene.forget(record);
    }
    let scene = scene.in_world(market().build());
    let told = scene.ask(event(&[("action", json!("preview"))])).await;
    let words = ["paper/main/2026-11-20/open/g0 is still open", "resume it"];
    told.says("blocked", (Trading, "run-left-open"), &words);
    assert!(scene.world.orders().is_empty() && !scene.has("final.json"));
}

#[tokio::test]
async fn a_preview_does_not_cancel_an_order_that_is_at_work() {
    let scene = Scene::of(market().build(), CALM);
    scene.world.fault(Fault::next_order(OrderTrouble::NeverFilled));
    let (cancels, trouble) =
        (On::new(Method::Delete, "/v2/orders*").always(), Trouble::NoConnection);
    scene.world.fault(Fault::request(cancels, trouble));
    let told = scene.trade().await;
    assert_eq!(told.response.outcome, "unknown", "{:?}", told.response.incidents);
    scene.world.clear_faults();
    let open =
        |scene: &Scene| scene.world.orders().iter().filter(|order| order.status.is_open()).count();
    assert_eq!(open(&scene), 1, "an order of the run is still at work");
    let told = scene.ask(event(&[("action", json!("preview"))])).await;
    told.says("blocked", (Critical, "own-order-open"), &["orders of ours are still open"]);
    assert_eq!(open(&scene), 1, "and works on after the preview");
}

//! What the operator or the scheduler got wrong: event, environment, policy, strategy, keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use alchemiser::application::ports::{Credentials, Freshness};
use alchemiser::domain::incident::Category::{Configuration, Critical, Strategy, Trading};
use alchemiser::infrastructure::http::Method;
use alchemiser::infrastructure::local::secrets::SecretFile;
use alchemiser::interface::event::EXAMPLE;
use alchemiser::interface::lambda::{connect, invoke};
use alchemiser::interface::settings::Settings;
use alchemiser::simulator::faults::{Fault, On, Trouble};
use alchemiser::simulator::routes::Keys;
use serde_json::{Value, json};

use crate::scene::{ALL_IN, KEY_ID, SECRET, Scene, event, market};

const CALM: &str = "(defsymphony \"Calm\" {} (asset \"BIL\"))";

fn calm() -> Scene {
    Scene::of(market().build(), CALM)
}

/// Nothing was sent, and the run left no plan behind.
#[track_caller]
fn nothing_traded(scene: &Scene) {
    assert!(scene.world.orders().is_empty() && !scene.has("plan.json"));
}

#[tokio::test]
async fn the_scene_trades_when_nothing_is_wrong() {
    let scene = calm();
    let told = scene.trade().await;
    assert_eq!(
        (told.response.outcome.as_str(), told.response.incidents.as_slice()),
        ("done", &[][..])
    );
    assert!(told.mails[0].subject.starts_with("[PAPER OK] 20 Nov open: 1/1 filled"));
    assert!(scene.world.position("BIL") > 1000.into() && scene.has("final.json"));
}

#[tokio::test]
async fn an_event_that_is_not_ours_is_refused_and_shown_the_right_one() {
    let cases: [(&[(&str, Value)], &str); 7] = [
        (&[("dry_run", json!(true))], "unknown field `dry_run`"),
        (&[("action", json!("liquidate"))], "unknown variant `liquidate`"),
        (&[("mode", json!("real"))], "unknown variant `real`"),
        (&[("slot", Value::Null)], "event field `slot`: missing"),
        (&[("account", json!("../main"))], "not an account name"),
        (&[("scheduled_for", json!("yesterday"))], "event field `scheduled_for`"),
        (&[("period", json!("week"))], "event field `period`: not for this action"),
    ];
    for (changes, words) in cases {
        let scene = calm();
        let told = scene.ask(event(changes)).await;
        let words = [words, EXAMPLE, "Nothing was traded"];
        told.says("refused", (Configuration, "event-refused"), &words);
        assert!(told.mails[0].subject.starts_with("[CONFIGURATION] event-refused"));
        assert_eq!(told.response.run, None);
        nothing_traded(&scene);
    }
}

#[tokio::test]
async fn an_event_of_twenty_one_minutes_ago_no_longer_trades() {
    let scene = calm();
    let told = scene.ask(event(&[("scheduled_for", json!("2026-11-20T14:14:00Z"))])).await;
    told.says("blocked", (Trading, "event-late"), &["21 minutes old", "tomorrow's run goes on"]);
    assert!(told.mails[0].subject.contains("BLOCKED"), "{}", told.mails[0].subject);
    nothing_traded(&scene);
}

#[tokio::test]
async fn an_event_of_the_future_and_mode_live_do_not_trade() {
    let scene = calm();
    let told = scene.ask(event(&[("scheduled_for", json!("2026-11-20T15:35:00Z"))])).await;
    told.says("blocked", (Configuration, "event-early"), &["still to come"]);
    let told = scene.ask(event(&[("mode", json!("live"))])).await;
    told.says(
        "blocked",
        (Configuration, "not-armed"),
        &["mode live is refused: no arming record", "Use mode paper"],
    );
    nothing_traded(&scene);
}

#[tokio::test]
async fn a_policy_that_is_not_right_is_not_followed_at_all() {
    let short = "[[strategy]]\nname = \"mine\"\nallocation = \"0.6\"\n\
                 [[strategy]]\nname = \"tecl\"\nallocation = \"0.06\"\n";
    for (policy, words) in [
        (short, "allocations sum to 0.66, not 1: mine 0.6, tecl 0.06"),
        ("[limits]\nposition_mux = \"0.5\"\n", "unknown field `position_mux`"),
        ("[limits\n", "policy not readable"),
        ("reserve = 0.02\n", "policy not readable"),
        ("adopt = 3\n", "true, false or a list of symbols was expected"),
        ("[limits]\ncollar = \"3\"\n", "limits.collar out of range: 3 (allowed: above 0 to 0.5)"),
    ] {
        let scene = calm();
        scene.policy(policy);
        let told = scene.trade().await;
        told.says("refused", (Configuration, "policy-malformed"), &[words, "Correct the key"]);
        nothing_traded(&scene);
    }
}

#[tokio::test]
async fn a_missing_variable_fails_every_invocation_by_its_name() {
    let known = [
        ("ALCHEMISER_STORE", "out/store"),
        ("ALCHEMISER_MAIL_FROM", "robot@example.com"),
        ("ALCHEMISER_MAIL_TO", "operator@example.com"),
    ];
    let all: BTreeMap<String, String> =
        known.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    for (name, _) in known {
        let mut some = all.clone();
        some.remove(name);
        let settings = Settings::from_variables(&some);
        let connections = connect(settings).await;
        let asked = invoke(event(&[]), "request".to_owned(), 1, connections.as_ref());
        let ended = Box::pin(asked).await;
        let failure = ended.unwrap_err();
        assert_eq!(failure.kind, "Configuration");
        let start = format!("environment variable {name} is missing: ");
        assert!(failure.message.starts_with(&start), "{}", failure.message);
    }
}

#[tokio::test]
async fn a_strategy_that_cannot_be_read_fails_alone_and_its_mail_says_where() {
    let scene = Scene::of(market().build(), CALM);
    scene.put("strategies/broken.clj", "(defsymphony \"B\" {}\n  (assett \"SPY\"))");
    scene.policy(&format!(
        "{}[[strategy]]\nname = \"broken\"\nallocation = \"0.5\"\n",
        ALL_IN.replace("allocation = \"1\"", "allocation = \"0.5\"")
    ));
    let told = scene.trade().await;
    let place = "broken has no signal: broken: line 2, column 3: expected an asset, a group";
    let words = [place, "found (assett \"SPY\")", "Its sleeve is held"];
    told.says("done", (Strategy, "strategy-failed"), &words);
    let symbols: Vec<String> =
        scene.world.orders().iter().map(|order| order.symbol().to_string()).collect();
    assert!(!symbols.is_empty() && symbols.iter().all(|symbol| symbol == "BIL"), "{symbols:?}");
    let half = 50_000.into();
    let spent = rust_decimal::Decimal::from(100_000) - scene.world.cash();
    assert!(spent <= half, "the failed half stays cash: {spent}");
}

#[tokio::test]
async fn a_strategy_of_steps_trades_and_a_doubtful_file_fails_with_its_reason() {
    let steps =
        r#"{"step": "root", "name": "S", "children": [{"step": "asset", "ticker": "BIL"}]}"#;
    let half = ALL_IN.replace("allocation = \"1\"", "allocation = \"0.5\"");
    let policy = format!("{half}[[strategy]]\nname = \"other\"\nallocation = \"0.5\"\n");
    let scene = calm();
    scene.put("strategies/other.json", steps);
    scene.policy(&policy);
    let told = scene.trade().await;
    assert_eq!(told.response.outcome, "done", "{:?}", told.response);
    assert!(scene.world.cash() < 5_000.into(), "both halves are bought");
    for (files, words) in [
        (
            vec![("other.json", b"{\"step\": \"\xff".to_vec())],
            "not UTF-8 text: its byte 10 is none",
        ),
        (vec![("other.json", steps.as_bytes()[..40].to_vec())], "found a fault: EOF"),
        (
            vec![("other.clj", CALM.into()), ("other.json", steps.into())],
            "strategies/other.json is not the only file of other: keep one",
        ),
    ] {
        let scene = calm();
        for (name, bytes) in files {
            scene.put(&format!("strategies/{name}"), bytes);
        }
        scene.policy(&policy);
        let told = scene.trade().await;
        told.says("done", (Strategy, "strategy-failed"), &[words, "Its sleeve is held"]);
    }
}

#[tokio::test]
async fn when_more_than_half_of_the_allocation_fails_nothing_is_traded() {
    for (text, words) in [
        ("(defsymphony", "expected ) to close this bracket"),
        ("(defsymphony \"M\" {} (asset \"BIL\")) junk", "line 1, column"),
    ] {
        let scene = Scene::of(market().build(), text);
        let told = scene.trade().await;
        told.says("blocked", (Strategy, "strategy-failed"), &[words, "mine"]);
        nothing_traded(&scene);
    }
    let scene = calm();
    scene.policy("[[strategy]]\nname = \"absent\"\nallocation = \"1\"\n");
    let told = scene.trade().await;
    let words = ["no strategy absent: neither built in nor among the store's files"];
    told.says("blocked", (Strategy, "strategy-failed"), &words);
    nothing_traded(&scene);
}

#[tokio::test]
async fn a_strategy_without_end_is_stopped_and_nothing_is_traded() {
    let group = |k: i32| {
        let (long, short) = (900 - k, 500 + k);
        format!(
            "(group \"c{k}\" [(if (> (moving-average-price \"SPY\" {{:window {long}}}) \
             (stdev-return \"SPY\" {{:window {short}}})) [(asset \"SPY\")] [(asset \"BIL\")])])"
        )
    };
    let groups: String = (0..80).map(group).collect();
    let endless = format!(
        "(defsymphony \"Endless\" {{}} (if (> (rsi \"SPY\" {{:window 240}}) 101) [(asset \"BIL\")] \
         [(filter (stdev-return {{:window 1000}}) (select-top 1) [{groups}])]))"
    );
    let world = alchemiser::simulator::world::World::builder();
    let scene = Scene::of(world.price("SPY", "600").price("BIL", "91").build(), &endless);
    let told = scene.trade().await;
    let words = ["mine has no signal: evaluation stopped after 20000000 steps"];
    told.says("blocked", (Strategy, "strategy-failed"), &words);
    nothing_traded(&scene);
}

#[tokio::test]
async fn a_secret_that_is_missing_or_blank_names_the_field_and_never_a_value() {
    for (secret, code, words) in [
        (String::new(), "secret-missing", "not found"),
        (json!({ "secret_key": SECRET }).to_string(), "secret-malformed", "key_id missing"),
        (json!({ "key_id": KEY_ID }).to_string(), "secret-malformed", "secret_key missing"),
        (
            json!({ "key_id": KEY_ID, "secret_key": " " }).to_string(),
            "secret-malformed",
            "secret_key is blank",
        ),
        (format!("{KEY_ID}:{SECRET}"), "secret-malformed", "not a JSON object"),
    ] {
        let scene = calm();
        scene.secret(&secret);
        let told = scene.trade().await;
        told.says("failed", (Configuration, code), &[words, "\"key_id\"", "nothing was traded"]);
        nothing_traded(&scene);
        assert_eq!(scene.world.requests(), 0, "without keys nobody is asked");
    }
}

#[tokio::test]
async fn keys_that_the_broker_echoes_are_shown_nowhere() {
    // The scene itself looks for the keys in answer, records and mails.
    let echo = |code: u32| {
        let body = format!("{{\"code\":{code},\"message\":\"you sent {KEY_ID} and {SECRET}\"}}");
        Trouble::Rewrite(Arc::new(move |_| body.clone()))
    };
    let scene = calm();
    scene.world.door(|door| door.keys = Keys::Only { id: "PKNEW".into(), secret: "new".into() });
    scene.world.fault(Fault::request(On::any("/v2/*").always(), echo(40_110_000)));
    let told = scene.trade().await;
    told.says("failed", (Critical, "broker-unauthorised"), &["you sent [key] and [key]"]);
    nothing_traded(&scene);

    let scene = Scene::of(market().cash("50000").build(), CALM);
    let double = |body: String| body.replace("\"50000\"", "\"100000\"");
    let account = On::new(Method::Get, "/v2/account").always();
    scene.world.fault(Fault::request(account, Trouble::Rewrite(Arc::new(double))));
    let orders = On::new(Method::Post, "/v2/orders").always();
    scene.world.fault(Fault::request(orders, echo(40_310_000)));
    let told = scene.trade().await;
    told.says("failed", (Trading, "order-not-filled"), &["you sent [key] and [key]"]);
    assert!(scene.world.orders().is_empty());
}

#[tokio::test]
async fn wrong_keys_are_the_brokers_word_and_end_the_run() {
    let scene = calm();
    scene.secret(&json!({ "key_id": "PKOTHER", "secret_key": "other" }).to_string());
    let told = scene.trade().await;
    let words = ["does not accept our keys", "Check the key pair in the secret"];
    let code = (Critical, "broker-unauthorised");
    told.says("failed", code, &words);
    nothing_traded(&scene);
}

#[tokio::test]
async fn without_permission_in_the_store_nothing_is_traded() {
    for (state, words) in [
        (r#"{"state":"halt-new","reason":"on holiday"}"#, "halted by the operator: on holiday"),
        (r#"{"state":"go","reason":""}"#, "not understood"),
    ] {
        let scene = calm();
        scene.put("control/paper/main/state.json", state);
        let told = scene.trade().await;
        told.says("blocked", (Configuration, "halted"), &[words]);
        nothing_traded(&scene);
    }
}

#[tokio::test]
async fn shares_that_were_there_before_need_the_operators_word() {
    let scene = Scene::of(market().position("BIL", "10").build(), CALM);
    let told = scene.trade().await;
    let words = [
        "the account holds BIL and `adopt` does not say what becomes of them",
        "[\"BIL\"] or true to let the strategies take them over (they may be sold), false to leave them alone",
    ];
    told.says("blocked", (Configuration, "adopt-undecided"), &words);
    nothing_traded(&scene);
    let decided = Scene::of(market().position("BIL", "10").build(), CALM);
    decided.policy(&format!("adopt = false\n{ALL_IN}"));
    assert_eq!(decided.trade().await.response.outcome, "done");
}

#[tokio::test]
async fn a_secret_files_own_words_show_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.json");
    for text in [
        format!("{{\"key_id\":\"{KEY_ID}\",\"secret_key\":{{\"x\":\"{SECRET}\"}}}}"),
        format!("[\"{SECRET}\""),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = SecretFile::new(&path).keys(Freshness::Fresh).await.unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(!said.contains(SECRET) && !said.contains(KEY_ID), "{said}");
    }
}

#[tokio::test]
async fn a_run_that_leaves_no_final_record_is_a_failure_and_told_by_mail() {
    let scene = Scene::of(market().build(), CALM);
    scene.world.fault(Fault::request(On::any("/v2/*").always(), Trouble::NoConnection));
    let (failure, mails) = scene.ask_in_vain(event(&[])).await;
    assert_eq!((failure.kind, mails), ("RunLeftOpen", 1));
    assert!(failure.message.contains("broker unreachable"), "{}", failure.message);
    assert!(!scene.has("final.json"));
    scene.world.clear_faults();
    let told = scene.ask(event(&[("action", json!("resume"))])).await;
    assert_eq!(told.response.outcome, "done");
}

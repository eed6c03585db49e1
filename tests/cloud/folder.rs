//! The function with folders instead of the cloud: records, mail and keys on the machine itself.
//!
//! Asked of the binary that cargo builds for tests, because it needs neither server nor artefact.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::ToSpan;
use jiff::civil::Weekday;
use serde_json::json;

use crate::canary::traces;
use crate::exchange::{ACCOUNT, Exchange, FURNITURE, KEY_ID, SECRET, event_file};
use crate::runtime_api::{Answer, Function};

fn prepare(folder: &Path, url: &str) -> BTreeMap<String, String> {
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    for (key, text) in FURNITURE {
        put(&format!("store/{key}"), text);
    }
    let secret = json!({ "key_id": KEY_ID, "secret_key": SECRET }).to_string();
    [
        ("ALCHEMISER_SECRET_FILE", put("secret.json", &secret)),
        ("ALCHEMISER_STORE", folder.join("store").display().to_string()),
        ("ALCHEMISER_OUTBOX", folder.join("mail").display().to_string()),
        ("ALCHEMISER_BROKER_URL", url.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Every text below a folder.
fn texts(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &texts(&path);
        } else {
            text += &String::from_utf8_lossy(&fs::read(&path).unwrap());
        }
    }
    text
}

fn code(answer: &Answer) -> &str {
    answer.body["incidents"][0]["code"].as_str().unwrap_or_default()
}

fn function(folder: &Path, variables: &BTreeMap<String, String>) -> Function {
    Function::start(Path::new(env!("CARGO_BIN_EXE_lambda")), (folder, "function"), variables)
}

#[test]
fn the_function_answers_every_kind_of_event_in_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let exchange = Exchange::open();
    let mut function = function(folder.path(), &prepare(folder.path(), &exchange.url));

    let answer = function.ask(exchange.event("preview", &[]));
    assert_eq!(
        (answer.outcome(), &answer.body["mode"]),
        ("preview", &json!("paper")),
        "{answer:?}"
    );
    assert_eq!(exchange.orders(), []);

    let answer = function.ask(exchange.event("trade", &[]));
    assert_eq!(answer.outcome(), "done", "{answer:?}");
    assert_eq!(answer.body["run"], exchange.run());
    assert_eq!((&answer.body["mail"], answer.incidents()), (&json!("sent"), vec![]));
    let orders = exchange.orders();
    assert_eq!(orders, [("BIL".to_owned(), "filled"), ("SPY".to_owned(), "filled")]);

    let answer = function.ask(exchange.event("trade", &[]));
    assert_eq!((answer.outcome(), &answer.body["mail"]), ("repeated", &json!("sent before")));
    let answer = function.ask(exchange.event("resume", &[]));
    assert_eq!(answer.outcome(), "repeated", "{answer:?}");

    let old = (exchange.now - 21.minutes()).to_string();
    let old = [("slot", json!("noon")), ("scheduled_for", json!(old))];
    let answer = function.ask(exchange.event("trade", &old));
    assert_eq!((answer.outcome(), code(&answer)), ("blocked", "event-late"));
    let weekend = [Weekday::Saturday, Weekday::Sunday].contains(&exchange.session().weekday());
    let answer = function.ask(exchange.event("watch", &[]));
    assert_eq!(answer.outcome(), if weekend { "not-due" } else { "good" }, "{answer:?}");
    let answer = function.ask(exchange.event("report", &[]));
    assert_eq!((answer.outcome(), &answer.body["mail"]), ("reported", &json!("sent")));
    let answer = function.ask(json!({"detail-type": "Scheduled Event"}));
    assert_eq!((answer.outcome(), code(&answer)), ("refused", "event-refused"));
    let answer = function.ask(exchange.event("trade", &[("mode", json!("live"))]));
    assert_eq!((answer.error, answer.outcome()), (true, "Configuration"));
    assert!(answer.body["errorMessage"].as_str().unwrap().contains("live mode"), "{answer:?}");

    assert_eq!(exchange.orders(), orders);
    assert_eq!(fs::read_dir(folder.path().join("mail")).unwrap().count(), 5);
    let log = function.log();
    assert!(log.contains("\"requestId\":\"function-2\""), "the log names the invocation: {log}");
    fs::remove_file(folder.path().join("secret.json")).unwrap();
    let found = traces(&[KEY_ID, SECRET, ACCOUNT], texts(folder.path()).as_bytes());
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_missing_variable_is_the_answer_to_every_event() {
    let folder = tempfile::tempdir().unwrap();
    let mut variables = prepare(folder.path(), "http://127.0.0.1:9");
    variables.remove("ALCHEMISER_STORE");
    let mut function = function(folder.path(), &variables);
    for _ in 0..2 {
        let answer = function.ask(event_file(Path::new("events/trade.json")));
        assert_eq!((answer.error, answer.outcome()), (true, "Configuration"));
        let message = answer.body["errorMessage"].as_str().unwrap();
        assert!(message.contains("ALCHEMISER_STORE is missing"), "{message}");
    }
    assert!(function.lives());
    assert!(function.log().contains("\"code\":\"environment\""), "{}", function.log());
}

//! Fields that the broker adds, drops or changes: told once, and no order is other for it.

use std::sync::Arc;

use alchemiser::domain::report::Verdict;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::exchange::Hand;
use alchemiser::simulator::faults::{Fault, On, Trouble};
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::told::Told;

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

/// Every answer to this path is changed from now on.
fn changes(stage: &Stage, path: &str, change: fn(&mut Value)) {
    let rewrite = move |body: String| {
        let mut value: Value = serde_json::from_str(&body).unwrap();
        change(&mut value);
        value.to_string()
    };
    let on = On::new(Method::Get, path).always();
    stage.world.fault(Fault::request(on, Trouble::Rewrite(Arc::new(rewrite))));
}

fn each(list: &mut Value, change: impl Fn(&mut serde_json::Map<String, Value>)) {
    for row in list.as_array_mut().unwrap() {
        change(row.as_object_mut().unwrap());
    }
}

fn number(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

/// What is told of changed fields.
fn told(run: &Told) -> Vec<&str> {
    let incidents = run.report().incidents.iter();
    let changed = incidents.filter(|incident| incident.code == "answers-changed");
    changed.map(|incident| incident.what.as_str()).collect()
}

#[tokio::test(flavor = "current_thread")]
async fn fields_that_came_went_or_changed_are_listed_once_and_nothing_trades_otherwise() {
    let mut stage = stage();
    let first = stage.run().await;
    assert_eq!(told(&first), [""; 0], "there is nothing to compare with");
    stage.next_session();
    changes(&stage, "/v2/account", |account| {
        account.as_object_mut().unwrap().remove("sma");
        account["daytrade_count"] = json!(0);
    });
    changes(&stage, "/v2/positions", |list| each(list, |row| row["qty"] = number(&row["qty"])));
    stage.world.set_price("BIL", "110");
    let second = stage.run().await;
    let what = "the broker's answers have changed: account.daytrade_count is new (number); \
                account.sma is gone; position.qty was text, is number";
    assert_eq!(told(&second), [what]);
    assert_eq!(second.incidents().last().unwrap(), "WARNING answers-changed");
    let letter = String::from_utf8(stage.post.letters()[1].raw.clone()).unwrap();
    assert!(letter.contains("answers-changed") && letter.contains("daytrade_count"), "{letter}");
    stage.next_session();
    let third = stage.run().await;
    assert_eq!((told(&third), third.verdict()), (vec![], Verdict::NothingToDo), "once");
    stage.world.clear_faults();
    stage.next_session();
    let fourth = stage.run().await;
    let what = "the broker's answers have changed: account.daytrade_count is gone; position.qty \
                was number, is text";
    assert_eq!(told(&fourth), [what]);
}

#[tokio::test(flavor = "current_thread")]
async fn every_kind_of_answer_is_watched() {
    let all = [
        ("/v2/account", "account"),
        ("/v2/positions", "position"),
        ("/v2/orders", "listed order"),
        ("/v2/account/activities", "fill"),
        ("/v2/assets/SPY", "asset"),
        ("/v2/clock", "clock"),
        ("/v2/calendar", "session"),
        ("/v2/stocks/bars", "bar"),
        ("/v2/stocks/quotes/latest", "quote"),
        ("/v1/corporate-actions", "forward split"),
    ];
    for (path, name) in all {
        let mut stage = stage();
        let announces = |stage: &Stage| stage.world.split("SPY", 1, 1);
        announces(&stage);
        stage.run().await;
        stage.next_session();
        stage.wants("a", "SPY 0.6, BIL 0.4");
        announces(&stage);
        let before = stage.run().await;
        assert_eq!(told(&before), [""; 0], "{path}");
        stage.next_session();
        announces(&stage);
        stage.wants("a", "SPY 0.4, BIL 0.6"); // flags are asked for of what is ordered
        changes(&stage, path, |answer| add(answer, 3));
        let after = stage.run().await;
        let what = told(&after);
        let added = format!("{name}.brand_new is new (texts)");
        assert!(what.len() == 1 && what[0].contains(&added), "{path}: {what:?}");
    }
}

/// A new field in every object that has no object in it.
fn add(value: &mut Value, depth: u32) {
    let Some(below) = depth.checked_sub(1) else { return };
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| add(value, depth)),
        Value::Object(fields) => {
            let is_leaf = fields.values().all(|v| match v {
                Value::Object(inner) => inner.is_empty(),
                Value::Array(list) => list.iter().all(Value::is_string),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
            });
            if is_leaf && !fields.is_empty() {
                fields.insert("brand_new".to_owned(), json!(["a value"]));
            } else {
                fields.values_mut().for_each(|value| add(value, below));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_record_has_names_and_kinds_and_no_value() {
    let mut stage = stage();
    stage.world.exchange(|exchange| "PA3XKLMN12QP".clone_into(&mut exchange.identity.number));
    stage.run().await;
    stage.next_session();
    stage.world.book_cash(Hand::Deposit, "80000");
    changes(&stage, "/v2/account", |account| {
        let number = account["account_number"].as_str().unwrap().to_owned();
        account[&number] = json!({"of": number});
    });
    let told = stage.run().await;
    let shapes = serde_json::to_string(&told.report().shapes).unwrap();
    assert!(shapes.contains(r#""account_number":"text""#), "{shapes}");
    assert!(shapes.contains(r#""(other)":"object"#) && shapes.contains(r#""fill":"#), "{shapes}");
    let is_plain = |c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit();
    assert!(shapes.chars().all(is_plain), "{shapes}");
    let record = serde_json::to_string(told.report()).unwrap();
    assert!(!record.contains("PA3XKLMN12QP"));
    assert!(shapes.len() < 8_000, "{} bytes", shapes.len());
}

#[tokio::test(flavor = "current_thread")]
async fn a_huge_answer_and_a_broken_one_break_nothing() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    changes(&stage, "/v2/account", |account| {
        for n in 0..5_000 {
            account[format!("{n}_{}", "x".repeat(900))] = json!([[{}], n]);
            account[format!("f_{}", letters(n))] = json!(n);
        }
    });
    stage.wants("a", "SPY 0.6, BIL 0.4");
    let garbled = On::new(Method::Get, "/v2/positions");
    stage.world.fault(Fault::request(garbled, Trouble::Garbled));
    let run = stage.run().await;
    assert_eq!(run.verdict(), Verdict::Done);
    let [what] = told(&run)[..] else { panic!("{:?}", run.incidents()) };
    assert!(what.len() < 700 && what.contains("and ") && what.ends_with(" more"), "{what}");
    assert!(!what.contains("position"), "what was not understood is not compared: {what}");
    assert!(serde_json::to_string(&run.report().shapes).unwrap().len() < 12_000);
}

fn letters(mut number: u32) -> String {
    let mut text = String::new();
    while number > 0 {
        text.push(char::from_digit(number % 20 + 10, 36).unwrap());
        number /= 20;
    }
    text
}

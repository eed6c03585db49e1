//! The days of an account, as the artefact lives them when nothing is wrong.

use std::collections::BTreeMap;

use alchemiser::domain::session::exchange_zone;
use jiff::civil::{Date, Weekday};
use serde_json::{Value, json};

use crate::exchange::{NEW_KEY_ID, NEW_SECRET};
use crate::moto::Mail;
use crate::runtime_api::{Function, TIMEOUT};
use crate::stage::{RECIPIENT, SENDER, Stage};

/// Deliveries of one event at the same time.
const DELIVERIES: usize = 20;
/// A tenth of what the template gives the function.
const MEMORY_KIB_MAX: u64 = 24 * 1024;
/// How a picture begins.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The figures of each invocation in a log, oldest first: the lines that become metrics.
fn figures(log: &str) -> Vec<Value> {
    let lines = log.lines().filter_map(|line| line.find("{\"").map(|at| &line[at..]));
    let values = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    values.filter(|value| value["_aws"]["CloudWatchMetrics"].is_array()).collect()
}

/// Asserts that a figure is declared as a metric of ours and has a value.
#[track_caller]
fn metric(line: &Value, name: &str, value: f64) {
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "Alchemiser");
    assert_eq!(directive["Dimensions"], json!([["Mode", "Account"]]));
    let declared = directive["Metrics"].as_array().unwrap().iter().any(|m| m["Name"] == name);
    let differs = (line[name].as_f64().unwrap_or(f64::NAN) - value).abs();
    assert!(declared && differs < 1e-9, "{name}: {line}");
}

/// Asserts that the pictures a letter shows are the pictures it brings.
#[track_caller]
fn pictures_are_there(mail: &Mail) {
    let shown = mail
        .html
        .split("cid:")
        .skip(1)
        .map(|rest| rest.split(['"', '\'']).next().unwrap_or_default().to_owned());
    let brought: BTreeMap<&str, &[u8]> =
        mail.parts.iter().map(|(id, bytes)| (id.as_str(), bytes.as_slice())).collect();
    let mut shown: Vec<String> = shown.collect();
    shown.sort();
    assert_eq!(shown, brought.keys().copied().collect::<Vec<_>>());
    assert!(!brought.is_empty() && brought.values().all(|bytes| bytes.starts_with(PNG)));
    assert!(!mail.html.contains("src=\"http"), "a picture from elsewhere tells who reads the mail");
}

#[test]
fn a_paper_day_is_traded_recorded_and_told_and_the_same_event_again_changes_nothing() {
    let stage = Stage::new();
    let emulator = stage.emulator();
    let event = stage.exchange.event("trade", &[]);
    let answer = emulator.ask(&event);
    assert_eq!(answer.outcome(), "done", "{answer:?}\n{}", emulator.log());
    assert_eq!(answer.body["run"], stage.exchange.run());
    assert_eq!((&answer.body["mail"], answer.incidents()), (&json!("sent"), vec![]));
    stage.traded_once();
    assert_eq!(stage.secret_reads(), 1);

    let last = stage.record("final.json").unwrap();
    assert_eq!(last["body"]["verdict"], "done");
    let plan = stage.record("plan.json").unwrap();
    assert_eq!(plan["writer"], last["writer"]);
    for seen in stage.proxy.seen() {
        let is_record = seen.method == "PUT" && seen.target.contains("/runs/");
        assert_eq!(is_record, seen.write_once, "{seen:?}");
    }
    let page = stage.moto.get(&format!("reports/{}.html", stage.exchange.run())).unwrap();
    assert!(String::from_utf8(page).unwrap().contains("<!doctype html>"));

    let mail = stage.mail();
    assert!(mail.subject.starts_with("[PAPER OK]"), "{}", mail.subject);
    assert!(mail.subject.contains("2/2 filled"), "{}", mail.subject);
    assert_eq!(mail.to, [RECIPIENT]);
    assert!(mail.raw.contains(&format!("From: <{SENDER}>")), "{}", mail.raw);
    for words in ["BIL", "SPY", "swing", "calm", &stage.exchange.run()] {
        assert!(mail.flat().contains(words) && mail.html.contains(words), "{words}: {}", mail.text);
    }
    pictures_are_there(&mail);

    let answer = emulator.ask(&event);
    assert_eq!(answer.outcome(), "repeated", "{answer:?}");
    assert_eq!(answer.body["mail"], "sent before");
    stage.traded_once();
    stage.mail();
    assert_eq!(stage.record("final.json").unwrap(), last);

    let figures = figures(&emulator.log());
    assert_eq!(figures.len(), 2, "one line for each invocation: {}", emulator.log());
    metric(&figures[0], "GoodRun", 1.0);
    metric(&figures[0], "OrdersPlanned", 2.0);
    metric(&figures[0], "OrdersFilled", 2.0);
    metric(&figures[0], "UnknownOrders", 0.0);
    metric(&figures[0], "CriticalIncidents", 0.0);
    metric(&figures[0], "MailFailed", 0.0);
    assert!(figures[1].get("OrdersPlanned").is_none(), "a repetition has no orders of its own");
    assert!(figures.iter().all(|line| line["BudgetUse"].as_f64().is_some_and(|use_| use_ < 50.0)));
}

#[test]
fn of_twenty_deliveries_at_once_one_trades() {
    let stage = Stage::new();
    let names: Vec<String> = (0..DELIVERIES).map(|number| format!("delivery-{number}")).collect();
    // Deliveries of one event may even have one id.
    let mut functions: Vec<_> =
        names.iter().map(|name| stage.function(name).called("delivery")).collect();
    for function in &mut functions {
        function.send(stage.exchange.event("trade", &[]), TIMEOUT);
    }
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for function in &mut functions {
        let answer = function.answer();
        assert!(!answer.error, "{answer:?}\n{}", function.log());
        *outcomes.entry(answer.outcome().to_owned()).or_default() += 1;
    }
    let peaks: Vec<u64> = functions.iter().map(Function::peak_memory).collect();
    assert!(peaks.iter().all(|peak| *peak <= MEMORY_KIB_MAX), "{peaks:?}");
    assert_eq!(outcomes.remove("done"), Some(1), "{outcomes:?}");
    let others = ["in-progress", "repeated"].map(|word| outcomes.remove(word).unwrap_or_default());
    assert_eq!((others.iter().sum::<usize>(), outcomes.len()), (DELIVERIES - 1, 0), "{outcomes:?}");
    stage.traded_once();
    stage.mail();
}

#[test]
fn a_preview_sends_no_order_and_leaves_no_record_of_a_run() {
    let stage = Stage::new();
    let mut function = stage.function("preview");
    let answer = function.ask(stage.exchange.event("preview", &[]));
    assert_eq!(answer.outcome(), "preview", "{answer:?}\n{}", function.log());
    stage.traded_nothing();
    assert_eq!(stage.moto.keys("runs/"), Vec::<String>::new());
    let [page] = stage.moto.keys("previews/").try_into().unwrap();
    let own = format!("previews/{}/{}-", stage.exchange.run(), function.request());
    assert!(page.starts_with(&own), "{page}");
    assert!(stage.mail().subject.starts_with("[PAPER PREVIEW]"), "{}", stage.mail().subject);
    let answer = function.ask(stage.exchange.event("trade", &[]));
    assert_eq!(answer.outcome(), "done", "{answer:?}");
    stage.traded_once();
}

#[test]
fn a_day_is_told_once_from_its_records() {
    let stage = Stage::new();
    let mut function = stage.function("report");
    let answer = function.ask(stage.exchange.event("trade", &[]));
    assert_eq!(answer.outcome(), "done", "{answer:?}");
    stage.traded_once();
    let day = stage.exchange.event("report", &[("period", json!("day"))]);
    let answer = function.ask(day.clone());
    assert_eq!(answer.outcome(), "reported", "{answer:?}\n{}", function.log());
    let subjects: Vec<String> = stage.moto.mails().into_iter().map(|mail| mail.subject).collect();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert!(subjects.iter().any(|one| one.starts_with("[PAPER DAY OK] ")), "{subjects:?}");
    let session = stage.exchange.session();
    let kept = stage.moto.keys(&format!("reports/paper/main/{session}."));
    let place = format!("reports/paper/main/{session}");
    assert_eq!(kept, [format!("{place}.html"), format!("{place}.json")]);
    let answer = function.ask(day);
    assert_eq!((answer.outcome(), &answer.body["mail"]), ("repeated", &json!("sent before")));
    stage.traded_once();
}

/// A record as it was before records carried a digest of themselves: a moved one has another.
fn without_digest(record: &str) -> String {
    match record.strip_prefix("{\"digest\":\"").and_then(|rest| rest.split_once("\",")) {
        Some((_, rest)) => format!("{{{rest}"),
        None => record.to_owned(),
    }
}

#[test]
fn a_watch_says_whether_the_session_has_a_good_record_and_needs_no_keys() {
    let mut stage = Stage::new();
    let mut trader = stage.function("trader");
    assert_eq!(trader.ask(stage.exchange.event("trade", &[])).outcome(), "done");
    let told = stage.moto.mails().len();
    // A look knows no calendar but the week: on a weekend it takes Friday's records, which are
    // today's under another date.
    let [session, missed] = weekdays_before(stage.exchange.session());
    let today = stage.exchange.session().to_string();
    for (key, record) in stage.moto.objects() {
        if key.starts_with("runs/") {
            let record = String::from_utf8(record).unwrap();
            let moved = |text: &str| text.replace(&today, &session.to_string());
            stage.moto.put(&moved(&key), &without_digest(&moved(&record)));
        }
    }
    let (reads, before) = (stage.secret_reads(), stage.proxy.seen().len());
    stage.variables.remove("ALCHEMISER_BROKER_URL");
    let mut watcher = stage.function("watcher");
    let look = |day: Date| {
        let moment = day.at(16, 15, 0, 0).to_zoned(exchange_zone()).unwrap().timestamp();
        stage.exchange.event("watch", &[("scheduled_for", json!(moment.to_string()))])
    };
    let answer = watcher.ask(look(session));
    assert_eq!((answer.outcome(), answer.incidents()), ("good", vec![]), "{}", watcher.log());
    assert_eq!(stage.moto.mails().len(), told, "good news is no news");
    metric(&figures(&watcher.log())[0], "GoodFinalRecord", 1.0);

    let answer = watcher.ask(look(missed));
    assert_eq!(answer.outcome(), "never-ran", "{answer:?}");
    metric(&figures(&watcher.log())[1], "GoodFinalRecord", 0.0);
    let mails = stage.moto.mails();
    assert_eq!(mails.len(), told + 1);
    assert!(mails[told].flat().contains(&missed.to_string()), "{}", mails[told].text);
    watcher.ask(look(missed));
    assert_eq!(stage.moto.mails().len(), told + 1, "the same is not told twice");

    assert_eq!(stage.secret_reads(), reads, "a watch has no business with the keys");
    for seen in stage.proxy.seen().into_iter().skip(before).filter(|seen| seen.method == "PUT") {
        assert!(seen.target.contains("/watch/"), "{seen:?}");
    }
}

/// The two last weekdays before a date, the later one first.
fn weekdays_before(date: Date) -> [Date; 2] {
    let days = std::iter::successors(date.yesterday().ok(), |day| day.yesterday().ok());
    let mut days = days.filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday));
    [(); 2].map(|()| days.next().unwrap())
}

#[test]
fn keys_changed_at_the_broker_and_in_the_secret_need_no_new_process() {
    let stage = Stage::new();
    let mut function = stage.function("rotation");
    let slot = |name: &str| stage.exchange.event("preview", &[("slot", json!(name))]);
    assert_eq!(function.ask(slot("one")).outcome(), "preview");
    stage.exchange.change_keys(NEW_KEY_ID, NEW_SECRET);
    stage.keys(NEW_KEY_ID, NEW_SECRET);
    let answer = function.ask(slot("two"));
    assert_eq!((answer.outcome(), answer.incidents()), ("preview", vec![]), "{}", function.log());
    assert_eq!(function.ask(slot("three")).outcome(), "preview");
    assert_eq!(stage.secret_reads(), 2);
}

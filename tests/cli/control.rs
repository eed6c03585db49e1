//! The operator's controls.

use std::fs;

use alchemiser::domain::order::{ClientOrderId, Side};
use alchemiser::domain::run::{AccountName, Mode, RunKey, Slot};
use alchemiser::domain::symbol::Symbol;
use jiff::civil::date;
use serde_json::Value;

use crate::desk::{Desk, STORE};
use crate::exchange::Exchange;

const CONTROL: &str = "out/paper/store/control/paper/main/state.json";
const ARM: &str = "out/paper/store/control/live/main/arm.json";

#[test]
fn a_blocked_run_is_repeated_with_a_reason_and_as_the_next_generation() {
    let desk = Desk::new();
    desk.call("run --offline --cash 300").is(1, &["PAPER BLOCKED"]);
    let said = desk.call("run --offline --force --reason 'cash was paid in'");
    said.is(0, &["3 of 3 orders filled", "open/g1/final.json", "cash was paid in"]);
    let record = desk.read(&format!("{STORE}/runs/paper/main/2026-11-20/open/g1/final.json"));
    assert_eq!(record["body"]["force"]["generation"], 1);
    assert_eq!(record["body"]["force"]["reason"], "cash was paid in");
}

#[test]
fn a_repetition_without_a_reason_or_a_first_run_is_refused() {
    let desk = Desk::new();
    desk.call("run --offline --force").is(2, &["--reason"]);
    desk.call("run --offline --reason 'a slip'").is(2, &["--force"]);
    desk.call("run --offline --force --reason x --good-for 0").is(2, &["--good-for"]);
    desk.call("run --offline --force --reason x --days 2").is(2, &["--days"]);
    let said = desk.call("run --offline --force --reason 'a slip'");
    said.is(3, &["open/g0 never began", "run without --force"]);
}

#[test]
fn a_resume_without_an_open_run_says_so() {
    let desk = Desk::new();
    desk.call("resume --offline").is(0, &["never opened: nothing to resume"]);
    desk.call("run --offline").is(0, &[]);
    desk.call("resume --offline").is(0, &["ended before, no order was sent"]);
}

#[test]
fn a_halt_is_written_with_who_and_why_and_ended_by_an_unhalt() {
    let desk = Desk::new();
    let nowhere = ["no such control object", "run `init` first"];
    desk.call("halt --reason 'a storm'").is(3, &nowhere);
    desk.call("unhalt").is(3, &nowhere);
    desk.call("init").is(0, &[]);
    desk.call("unhalt").is(3, &["paper/main is not halted"]);
    desk.call("halt").is(2, &["--reason"]);
    desk.call("halt --reason ' '").is(3, &["the reason is empty"]);
    desk.call("halt --reason x --until 2020-01-01T00:00:00Z").is(3, &["over already"]);
    let said = desk.call("halt --reason 'a storm' --who ann");
    said.is(0, &["may not trade: halted since", "by ann: a storm", "finish their attempt"]);
    let control = desk.read(CONTROL);
    assert_eq!((&control["state"], &control["who"]), (&"halt-new".into(), &"ann".into()));
    desk.call("status").is(0, &["may not trade: halted since", "by ann: a storm"]);
    desk.call("halt --all --reason 'a flood'").is(0, &["cancels its open orders"]);
    assert_eq!(desk.read(CONTROL)["state"], "halt-all");
    let said = desk.call("unhalt --json");
    let value: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&value["state"], &value["may_trade"]), (&"run".into(), &true.into()));
    desk.call("status").is(0, &["paper/main may trade"]);
}

#[test]
fn arming_asks_for_clean_sessions_for_a_program_and_for_consent() {
    let desk = Desk::new();
    desk.call("arm --reason ready").is(3, &["paper needs no arming", "--mode live"]);
    let arm = "arm --mode live --fingerprint 0123456789abcdef --reason ready";
    desk.call(arm).is(3, &["no paper session says which program ran it", "--code"]);
    desk.call(&format!("{arm} --code abc")).is(3, &["not 64 hexadecimal digits"]);
    desk.call(&format!("{arm} --days 31")).is(2, &["--days"]);
    desk.call(&format!("{arm} --full-capital")).is(2, &["--because"]);
    desk.call(&format!("{arm} --code this")).is(3, &["0 of 5 clean sessions", "--because"]);
    let forced = format!("{arm} --code this --because 'it is a test'");
    let shown = ["fingerprint 0123456789abcdef", "10% for 5 sessions, 50% for 10 sessions"];
    let said = desk.call(&forced);
    said.is(3, &["Nobody was there to be asked"]);
    said.is(3, &shown);
    assert!(!desk.path(ARM).exists(), "nothing is armed before consent");
    desk.call(&format!("{forced} --yes --max-equity 5000")).is(0, &["armed: out/paper/store/"]);
    let record = desk.read(ARM);
    assert_eq!(record["account"], "0123456789abcdef");
    assert_eq!(
        (record["max_equity"].as_str(), record["ramp"].as_array().unwrap().len()),
        (Some("5000"), 2)
    );
    assert_eq!(record["reason"], "ready; armed because it is a test");
    desk.call("status --mode live").is(0, &["live/main may not trade", "armed until"]);
    desk.call("init --mode live").is(0, &["live/main is not halted", "armed until"]);
}

#[test]
fn arming_wants_the_program_that_was_proven_on_paper() {
    let desk = Desk::new();
    desk.call("run --offline --days 5").is(0, &[]);
    let arm = format!("arm --mode live --fingerprint 01 --reason x --code this --store {STORE}");
    desk.call(&arm).is(3, &["was not run by this program"]);
}

/// Any will do for an exchange without accounts.
const KEYS: (&str, &str) = ("k", "s");

/// Orders one share of SPY at a dollar.
fn order(exchange: &Exchange, client_id: &str) {
    let body = format!(
        r#"{{"symbol":"SPY","qty":"1","side":"buy","type":"limit","limit_price":"1","time_in_force":"day","client_order_id":"{client_id}"}}"#
    );
    let answer = exchange.ask(("POST", "/v2/orders"), KEYS, &body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn cancel_all_cancels_our_orders_and_leaves_others_alone() {
    let desk = Desk::new();
    let exchange = Exchange::new(&desk, "");
    fs::write(desk.path("secret.json"), r#"{"key_id":"k","secret_key":"s"}"#).unwrap();
    let call = format!("cancel-all --broker-url {}", exchange.url());
    desk.call(&call).is(0, &["no open order of ours"]);
    let key = RunKey {
        mode: Mode::Paper,
        account: AccountName::parse("main").unwrap(),
        session: date(2026, 11, 20),
        slot: Slot::parse("open").unwrap(),
        generation: 0,
    };
    let ours = ClientOrderId::of(&key, &Symbol::parse("SPY").unwrap(), Side::Buy, 1);
    order(&exchange, ours.as_str());
    order(&exchange, "by-hand");
    desk.call(&call).is(3, &[ours.as_str(), "Nobody was there to be asked"]);
    desk.call(&format!("{call} --yes")).is(0, &["1 order ended", "others' orders were left alone"]);
    let open = exchange.ask(("GET", "/v2/orders?status=open"), KEYS, "");
    assert!(open.contains("by-hand") && !open.contains(ours.as_str()), "{open}");
    let live = format!("{call} --mode live --yes");
    desk.call(&live).is(3, &["live mode"]);
}

#[test]
fn the_built_in_exchange_passes_the_broker_check() {
    let desk = Desk::new();
    let said = desk.call("check-broker --offline");
    let words =
        ["account", "calendar", "seen by its id", "same id while open", "same id afterwards"];
    said.is(0, &words);
    said.is(0, &["refused: ", "11 checks, all right"]);
    let said: Value =
        serde_json::from_str(&desk.call("check-broker --offline --json").out).unwrap();
    assert_eq!((&said["right"], said["checks"].as_array().unwrap().len()), (&true.into(), 11));
    desk.call("check-broker --mode live").is(3, &["for mode paper only"]);
    desk.call("check-broker").is(1, &["WRONG  account", "secret secret.json not found"]);
    assert!(!desk.path("out").exists(), "it leaves nothing behind");
}

#[test]
fn sleeves_are_shown_and_what_the_next_run_books_is_written_once() {
    let desk = Desk::new();
    desk.call("sleeves show").is(3, &["no run left a ledger"]);
    desk.call("run --offline").is(0, &[]);
    let at = format!("--store {STORE}");
    desk.call(&format!("sleeves show {at}"))
        .is(0, &["after session 2026-11-20", "tecl", "foreign"]);
    let release = format!("sleeves release tecl --reason 'a test' --who ann {at}");
    desk.call(&release).is(0, &["the next run will book it: all of tecl to nobody"]);
    let show = desk.call(&format!("sleeves show {at}"));
    show.is(0, &["next run: all of tecl to nobody, says ann: a test"]);
    let wrong = format!("sleeves assign tecl GLD --reason x {at}");
    desk.call(&wrong).is(3, &["0 GLD are foreign", "sleeves show"]);
    desk.call(&format!("sleeves release nobody --reason x {at}")).is(3, &["no sleeve nobody"]);
    desk.call(&format!("sleeves assign tecl GLD {at}")).is(2, &["--reason"]);
    let json = desk.call(&format!("sleeves show --json {at}"));
    let value: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(value["waiting"].as_array().unwrap().len(), 1);
    assert_eq!(value["waiting"][0]["what"]["kind"], "release");
}

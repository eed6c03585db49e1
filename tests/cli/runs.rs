//! Runs, previews, explanations and what is refused before any of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::desk::{Desk, STORE, json, with_prices};
use crate::exchange::Exchange;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn an_offline_run_trades_once_and_says_so_the_second_time() {
    let desk = Desk::new();
    let first = desk.call("run --offline");
    let words = ["PAPER OK", "3 of 3 orders filled", "subject [PAPER OK] 20 Nov open: 3/3 filled"];
    first.is(0, &words);
    assert_eq!(first.err, "");
    for start in ["record  ", "report  ", "mail    "] {
        let line = first.out.lines().find_map(|line| line.strip_prefix(start)).unwrap();
        assert!(desk.path(line).is_file(), "{line}");
    }
    let before = files(&desk.path("out")).len();
    let second = desk.call("run --offline");
    second.is(0, &["this session is done", "no order was sent", "mail    sent before"]);
    assert_eq!(files(&desk.path("out")).len(), before);
    let status = first.out.lines().find_map(|line| line.strip_prefix("status  alchemiser "));
    desk.call(status.unwrap()).is(0, &["3 of 3 orders filled", "sleeve tecl: "]);

    let again = desk.call("run --offline --json");
    assert_eq!(json(&again.out)["outcome"], "repeated");
    let fresh = desk.call("run --offline --json --fresh");
    assert_eq!((fresh.code, json(&fresh.out)["verdict"].as_str()), (0, Some("done")));
}

#[test]
fn a_preview_leaves_no_run_record_and_a_run_does_not_disturb_it() {
    let desk = Desk::new();
    let words = ["PAPER PREVIEW", "WHAT IT WOULD DO", "report  out/", "would sell 0, buy 3"];
    desk.call("preview --offline").is(0, &words);
    let runs = |path: &PathBuf| path.to_string_lossy().contains("/runs/");
    assert!(!files(&desk.path("out")).iter().any(runs));
    desk.call("run --offline").is(0, &["3 of 3 orders filled"]);
    let after = desk.call("preview --offline");
    after.is(0, &words);
    assert!(!after.out.contains("final.json"), "{}", after.out);
}

#[test]
fn several_sessions_reconcile_and_are_not_run_twice() {
    let desk = Desk::new();
    let said = desk.call("run --offline --days 5 --fresh");
    said.is(0, &["5 sessions checked", "reconcile to the cent every day", "equity "]);
    assert_eq!(said.err, "", "no progress line without a terminal");
    desk.call("run --offline --days 5").is(3, &["2026-11-20 was run before", "--fresh"]);
    let lines = desk.call("run --offline --days 2 --fresh --json");
    let sessions: Vec<Value> =
        lines.out.lines().map(|line| json(line)["session"].clone()).collect();
    assert_eq!(sessions, ["2026-11-20", "2026-11-23"]);
}

#[test]
fn a_store_is_prepared_once_and_its_status_told() {
    let desk = Desk::new();
    desk.call("status").is(3, &["no store at out/paper/store", "alchemiser init"]);
    let policy = "out/paper/store/config/paper/main/policy.toml";
    desk.call("init").is(0, &["wrote", policy, "paper/main may trade"]);
    let text = fs::read_to_string(desk.path(policy)).unwrap();
    assert!(text.lines().all(|line| line.is_empty() || line.starts_with("# ")), "{text}");
    desk.write(policy, "adopt = false\n");
    desk.call("init").is(0, &["kept", "may trade"]);
    assert_eq!(fs::read_to_string(desk.path(policy)).unwrap(), "adopt = false\n");
    desk.call("status").is(0, &["paper/main may trade", "no finished run yet"]);
    desk.call("init --mode live")
        .is(0, &["live/main is not halted", "not armed: no arming record"]);
    desk.write(
        "out/paper/store/control/paper/main/state.json",
        r#"{"state":"halt-all","reason":"x"}"#,
    );
    desk.call("status").is(0, &["may not trade: halted by the operator: x"]);
    let status = json(&desk.call("status --json").out);
    assert_eq!((&status["may_trade"], &status["last_run"]), (&Value::Bool(false), &Value::Null));
}

#[test]
fn status_tells_the_last_run_even_when_it_failed() {
    let desk = Desk::new();
    desk.call("run --offline --cash 300").is(1, &["PAPER BLOCKED", "Smallest equity traded"]);
    let status = desk.call(&format!("status --store {STORE}"));
    status.is(0, &["2026-11-20/open/g0: BLOCKED", "CRITICAL gate-equity-minimum"]);
    let status = json(&desk.call(&format!("status --json --store {STORE}")).out);
    assert_eq!(status["verdict"], "blocked");
    assert_eq!(status["incidents"][0]["code"], "gate-equity-minimum");
}

#[test]
fn a_decision_is_explained_with_the_path_that_led_to_it() {
    let desk = with_prices();
    let said = desk.call("explain --prices prices --date 2026-11-20 --symphony trend.clj");
    said.is(
        0,
        &["trend on the closes of 2026-11-20", "yes", "200-day average of SPY", "SPY  100.0%"],
    );
    let said = desk.call("explain --prices prices --date 2026-11-20 --symphony trend.clj --json");
    let line = json(&said.out);
    assert_eq!((&line["strategy"], &line["weights"]["SPY"]), (&"trend".into(), &1.into()));
    let said = desk.call(
        "explain --prices prices --from 2026-11-18 --to 2026-11-20 --symphony trend.clj --json",
    );
    assert_eq!(said.out.lines().count(), 3);
    let said = desk.call("explain tecl --prices prices --date 2026-11-20");
    said.is(1, &["tecl on the closes of 2026-11-20: no signal", "no closes for"]);
    assert!(!said.out.contains("nuclear"), "one strategy only: {}", said.out);
    let said = desk.call("explain --prices prices --date 2026-11-20 --json");
    let told: Vec<Value> = said.out.lines().map(|line| json(line)["strategy"].clone()).collect();
    assert_eq!((said.code, told), (1, vec!["nuclear".into(), "tecl".into(), "klm".into()]));
}

#[test]
fn a_decision_is_explained_for_another_close_than_the_real_one() {
    let desk = with_prices();
    let line = "explain --prices prices --date 2026-11-20 --symphony trend.clj";
    let real = desk.call(line);
    real.is(0, &["SPY  100.0%", "turns with SPY at "]);
    // The close that is said to turn it does.
    let turn = real.out.split("turns with SPY at ").nth(1).unwrap().split(' ').next().unwrap();
    let said = desk.call(&format!("{line} --what-if SPY={turn}"));
    said.is(0, &["supposing SPY at ", " on 2026-11-20:", "no   price of SPY", "BIL  100.0%"]);
    desk.call(&format!("{line} --what-if SPY=-1% --what-if BIL=+2%")).is(0, &["SPY  100.0%"]);
    let words = ["QQQ has no close on 2026-11-20", "in the price folder"];
    desk.call(&format!("{line} --what-if QQQ=-3%")).is(3, &words);
    desk.call(&format!("{line} --what-if SPY=minus")).is(2, &["such as TQQQ=-3%"]);
}

#[test]
fn a_decision_is_explained_as_a_page() {
    let desk = with_prices();
    let line = "explain --prices prices --date 2026-11-20 --symphony trend.clj";
    let said = desk.call(&format!("{line} --html out.html"));
    said.is(0, &["page  out.html"]);
    let page = fs::read_to_string(desk.path("out.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"), "{page}");
    for words in ["trend holds SPY 100.0%", "200-day average of SPY", "The closest decision."] {
        assert!(page.contains(words), "{words} is missing in: {page}");
    }
    assert_eq!(desk.call(&format!("{line} --html -")).out, page);
    let supposing = desk.call(&format!("{line} --what-if SPY=-40% --html -"));
    supposing.is(0, &["trend holds BIL 100.0%", "supposing SPY at "]);
    // Every strategy of the policy in one page; a failure is told there and by the exit code.
    let said = desk.call("explain --prices prices --date 2026-11-20 --html -");
    said.is(1, &["What 3 strategies hold, and why", "No signal. No closes for", "<nav>"]);
}

#[test]
fn a_page_that_cannot_be_made_says_why() {
    let desk = with_prices();
    let line = "explain --prices prices --symphony trend.clj";
    let said = desk.call(&format!("{line} --date 2026-11-20 --html none/out.html"));
    said.is(3, &["none/out.html: No such file", "name a file that can be written"]);
    desk.call(&format!("{line} --date 2026-11-20 --html prices"))
        .is(3, &["prices: Is a directory"]);
    let days = "--from 2026-11-18 --to 2026-11-20";
    desk.call(&format!("{line} {days} --html out.html")).is(2, &["cannot be used with"]);
    let said = desk.call(&format!("{line} --date 2026-11-20 --json --html out.html"));
    said.is(2, &["cannot be used with"]);
    let said = desk.call("explain nope --prices prices --date 2026-11-20 --html out.html");
    said.is(3, &["no strategy nope in the policy"]);
    assert!(!desk.path("out.html").exists(), "nothing was written");
}

#[test]
fn a_strategy_is_the_same_in_either_encoding() {
    let desk = with_prices();
    let decided =
        desk.call("explain --prices prices --date 2026-11-20 --symphony trend.clj --json");
    let json_text = desk.call("convert trend.clj --to json");
    json_text.is(0, &["\"step\":\"root\""]);
    assert_eq!(json(&json_text.out)["step"], "root");
    desk.write("trend.json", &json_text.out);
    let again = desk.call("explain --prices prices --date 2026-11-20 --symphony trend.json --json");
    assert_eq!((again.code, &again.out), (0, &decided.out));
    let text = desk.call("convert trend.json --to text");
    text.is(0, &["(defsymphony "]);
    desk.write("again.clj", &text.out);
    assert_eq!(desk.call("convert again.clj --to text").out, text.out);
    desk.write("cut.json", &json_text.out[..80]);
    let words = ["cut.json: line 2, column", "expected well-formed JSON, found a fault: EOF"];
    desk.call("convert cut.json --to text").is(3, &words);
}

#[test]
fn what_cannot_be_explained_says_why() {
    let desk = with_prices();
    desk.write("bad.clj", "(defsymphony \"Bad\" {}\n  (assett \"SPY\"))\n");
    let line = "explain --prices prices --date 2026-11-20";
    let place = ["bad.clj: line 2, column 3: expected an asset", "correct the strategy file"];
    desk.call(&format!("{line} --symphony bad.clj")).is(3, &place);
    desk.call(&format!("{line} --symphony none.clj")).is(3, &["none.clj", "No such file"]);
    desk.call(&format!("{line} nope")).is(3, &["no strategy nope in the policy"]);
    desk.call("explain --prices prices --date 2026-11-21").is(3, &["no session on 2026-11-21"]);
    let backwards = "explain --prices prices --from 2026-11-20 --to 2026-11-18";
    desk.call(backwards).is(3, &["2026-11-20 is after 2026-11-18"]);
    desk.call("explain --prices prices").is(2, &["--date"]);
}

#[test]
fn a_broken_row_stops_whatever_reads_the_folder_and_is_named() {
    let desk = with_prices();
    let path = desk.path("prices/BIL.csv");
    let text = fs::read_to_string(&path).unwrap().replacen("2025-09-03,", "2025-09-03;", 1);
    fs::write(&path, text).unwrap();
    let words = ["prices/BIL.csv: line 4: expected `date,close`", "2025-09-03;91.002", "correct"];
    desk.call("run --offline --prices prices").is(3, &words);
    desk.call("preview --offline --prices prices").is(3, &words);
    desk.call("explain --prices prices --date 2026-11-20").is(3, &words);
    desk.call("exchange --prices prices --listen 127.0.0.1:0").is(3, &words);
    assert!(!desk.path("out").exists(), "nothing was begun");
}

#[test]
fn a_wrong_command_line_is_refused_before_anything_happens() {
    let desk = Desk::new();
    for (line, words) in [
        ("run --offlin", "--offline"),
        ("bogus", "unrecognized subcommand"),
        ("run --offline --alias FNGU", "expected A=B, such as FNGU=FNGU_EXT"),
        ("run --offline --alias FNGU=../x", "not the name of a price file"),
        ("run --offline --alias fngu!=X", "--alias"),
        ("run --offline --date yesterday", "expected a date such as 2026-11-20"),
        ("run --offline --cash -5", "expected dollars such as 100000"),
        ("run --offline --days 0", "--days"),
        ("run --offline --slot Open", "not a slot"),
        ("run --offline --mode real", "paper or live"),
        // An option that would be passed over in silence could trade today instead.
        ("run --date 2026-11-20", "--offline"),
        ("run --days 3", "--offline"),
        ("run --fresh", "--offline"),
        ("run --prices prices", "--offline"),
        ("run --offline --store elsewhere", "cannot be used with"),
        ("run --offline --secret elsewhere", "cannot be used with"),
        ("preview --offline --days 3", "unexpected argument"),
    ] {
        desk.call(line).is(2, &[words]);
    }
    for (line, words) in [
        ("run --offline --date 2040-01-02", "no prices around 2040-01-02"),
        ("run --offline --date 2016-01-04", "no prices around 2016-01-04"),
        ("run --offline --mode live", "live mode"),
        ("run --offline --policy none.toml", "none.toml: No such file"),
        ("run --offline --prices none", "cannot read none"),
        ("exchange --listen 0.0.0.0:0", "no loopback address"),
    ] {
        desk.call(line).is(3, &[words]);
    }
    assert_eq!(files(desk.folder()), Vec::<PathBuf>::new());
}

#[test]
fn a_policy_file_is_followed_or_refused_with_its_place() {
    let desk = Desk::new();
    desk.write("policy.toml", "[limits]\nposition_mux = \"0.5\"\n");
    let said = desk.call("run --offline --policy policy.toml");
    said.is(3, &["unknown field `position_mux`", "Correct the key it names"]);
    desk.write("policy.toml", "[[strategy]]\nname = \"tecl\"\nallocation = \"1\"\n");
    let said = desk.call("preview --offline --policy policy.toml");
    said.is(0, &["tecl", "100.0% of capital"]);
    assert!(!said.out.contains("nuclear"), "{}", said.out);
}

#[test]
fn without_keys_the_brokers_world_is_not_entered() {
    let desk = Desk::new();
    desk.call("init").is(0, &[]);
    let said = desk.call("run");
    said.is(1, &["secret secret.json not found", "CONFIGURATION", "no order was sent"]);
    desk.call("run --mode live").is(1, &["mode live is refused"]);
}

#[test]
fn a_closed_day_is_a_quiet_success() {
    let said = Desk::new().call("run --offline --date 2026-11-26");
    said.is(0, &["PAPER CLOSED", "Next session", "Fri 27 Nov 2026"]);
}

#[test]
fn an_interrupted_run_does_not_keep_the_next_call_waiting() {
    let desk = Desk::new();
    let mut child = desk.command("run --offline").stdout(Stdio::null()).spawn().unwrap();
    let plan = desk.path(STORE).join("runs/paper/main/2026-11-20/open/g0/plan.json");
    while !plan.exists() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.is_ok());
    let code = child.wait().unwrap().code().unwrap();
    assert!([0, 3].contains(&code), "interrupted, or done before it noticed: {code}");
    let next = desk.call("run --offline");
    let words = if code == 3 { "orders filled" } else { "this session is done" };
    next.is(0, &[words]);
}

#[test]
fn the_exchange_answers_any_client_until_it_is_stopped() {
    let desk = Desk::new();
    let exchange = Exchange::new(&desk, "--key PKTEST --secret-key hidden");
    let ask = |secret| exchange.ask(("GET", "/v2/clock"), ("PKTEST", secret), "");
    let (right, wrong) = (ask("hidden"), ask("other"));
    assert!(right.starts_with("HTTP/1.1 200") && right.contains("\"is_open\":true"), "{right}");
    assert!(right.contains("2026-11-20T09:35"), "{right}");
    assert!(wrong.starts_with("HTTP/1.1 401"), "{wrong}");
}

#[test]
fn the_help_names_every_command_and_exit_code() {
    let desk = Desk::new();
    let help = desk.call("--help");
    help.is(
        0,
        &["run", "preview", "explain", "check", "init", "status", "exchange", "Exit codes:"],
    );
    for command in ["run", "preview", "explain", "check", "init", "status", "exchange"] {
        desk.call(&format!("{command} --help")).is(0, &["Usage: alchemiser", "--json"]);
    }
    desk.call("run --help").is(0, &["Exit codes:", "The built-in exchange:"]);
    desk.call("").is(2, &["Usage: alchemiser"]);
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_alchemiser"));
    command.args(["init", "--store"]).arg(folder.path().join("store"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && !said.contains("panicked"), "{said}");
}

#[test]
fn status_asks_the_broker_for_positions_and_orders_and_says_what_a_run_would_do() {
    let desk = Desk::new();
    desk.call("init").is(0, &[]);
    let exchange = Exchange::new(&desk, "");
    desk.write("secret.json", r#"{"key_id":"k","secret_key":"s"}"#);
    let by_hand = r#"{"symbol":"SPY","qty":"2","side":"buy","type":"limit","limit_price":"1","time_in_force":"day","client_order_id":"by-hand"}"#;
    let answer = exchange.ask(("POST", "/v2/orders"), ("k", "s"), by_hand);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let status = format!("status --broker --broker-url {}", exchange.url());
    desk.call(&status).is(
        0,
        &[
            "at the broker: cash 100000, equity 100000",
            "no position",
            "open order of others: buy 2 SPY at 1, 0 executed, by-hand",
        ],
    );
    let told = json(&desk.call(&format!("{status} --json")).out);
    assert_eq!(told["broker"]["open_orders"][0]["ours"], false);
    assert_eq!(told["preview"], Value::Null);
    let preview = desk.call(&format!("status --preview --broker-url {}", exchange.url()));
    // The exchange keeps the real calendar: on a weekend a run would do nothing.
    let said = ["PAPER PREVIEW", "PAPER CLOSED"].iter().any(|words| preview.out.contains(words));
    assert!(said && preview.out.contains("Traded?  No"), "{}", preview.out);
    let orders = exchange.ask(("GET", "/v2/orders?status=all"), ("k", "s"), "");
    assert_eq!(orders.matches("client_order_id").count(), 1, "none but the one by hand: {orders}");
    desk.write("secret.json", "{}");
    desk.call(&status).is(3, &["key_id"]);
}

#[test]
fn a_run_is_followed_record_by_record_to_its_end() {
    let desk = Desk::new();
    desk.call("run --offline").is(0, &[]);
    let followed = desk.call(&format!("status --watch --store {STORE}"));
    followed.is(
        0,
        &[
            "run opened",
            "plan kept: 0 to sell, 3 to buy",
            "purchases ended, 3 of 3 in full",
            "[PAPER OK] 20 Nov open: 3/3 filled",
        ],
    );
    let place = |words: &str| followed.out.find(words).unwrap();
    assert!(place("run opened") < place("plan kept") && place("plan kept") < place("purchases"));
    desk.call("run --offline --fresh --cash 300").is(1, &[]);
    desk.call(&format!("status --watch --store {STORE}")).is(1, &["[PAPER BLOCKED]"]);
    let json_lines = desk.call(&format!("status --watch --json --store {STORE}")).out;
    let last = json(json_lines.lines().last().unwrap());
    assert_eq!(last["run"], "paper/main/2026-11-20/open/g0");
}

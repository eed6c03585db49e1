//! Records as other versions wrote them: older ones are gone on from, newer ones stop the run.

use alchemiser::application::journal::final_record;
use alchemiser::domain::hash::sha256_hex;
use alchemiser::domain::report::{RECORD_VERSION, RunReport, Verdict};
use alchemiser::presentation::{letter_text, page_html};
use jiff::civil::date;

use crate::form;
use crate::stage::Stage;

const DAY_BEFORE: &str = "runs/paper/main/2026-11-20/open/g0";

/// The records of a run of Friday, with the bytes that programs of then wrote: by the first that wrote
/// any, and by the last before there were books.
const OLDER: [(&str, &[(&str, &str)]); 2] = [
    ("first", &[("final", include_str!("../fixtures/records/first/final.json"))]),
    (
        "before books",
        &[
            ("final", include_str!("../fixtures/records/before-books/final.json")),
            ("plan", include_str!("../fixtures/records/before-books/plan.json")),
        ],
    ),
];

fn read(name: &str, record: &str) -> RunReport {
    final_record(name, record.as_bytes().to_vec()).unwrap().body
}

/// The account as a run left it.
fn left_by(report: &RunReport) -> Stage {
    let stage = Stage::furnished(|mut world| {
        let account = report.account.as_ref().unwrap();
        for held in &account.positions {
            let (symbol, shares) = (held.symbol.as_str(), held.shares.to_string());
            world = world.price(symbol, &report.prices[&held.symbol].to_string());
            world = world.position(symbol, &shares);
        }
        world.cash(&account.cash_after.to_string())
    });
    stage.plays("a", "1", "SPY 0.5, BIL 0.5")
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_of_an_older_form_is_gone_on_from() {
    for (name, records) in OLDER {
        let before = read(name, records[0].1);
        let mut stage = left_by(&before);
        for (record, text) in records {
            stage.shelf.lay(&format!("{DAY_BEFORE}/{record}.json"), text);
        }
        stage.next_session();
        let told = stage.run().await;
        assert_eq!((told.verdict(), told.errors()), (Verdict::NothingToDo, vec![]), "{name}");
        let report = stage.record().unwrap();
        let sleeves = |report: &RunReport| -> Vec<_> {
            let ledger = report.ledger.as_ref().unwrap();
            ledger
                .sleeves
                .iter()
                .map(|(name, sleeve)| (name.clone(), sleeve.shares.clone()))
                .collect()
        };
        assert_eq!(sleeves(&report), sleeves(&before), "{name}: the ledger is carried on");
        let curve = &report.equity_curve;
        assert_eq!((curve.len(), curve[0]), (2, before.equity_curve[0]), "{name}: so is the curve");
        assert_eq!(report.previous, Some(sha256_hex(records[0].1.as_bytes())), "{name}");
        let books = report.books.unwrap();
        assert_eq!((report.version, books.began), (RECORD_VERSION, date(2026, 11, 23)), "{name}");
    }
}

#[test]
fn a_record_of_an_older_form_is_shown_and_is_of_this_form_once_it_is_read() {
    for (name, records) in OLDER {
        let stored: serde_json::Value = serde_json::from_str(records[0].1).unwrap();
        assert_eq!(
            (&stored["version"], &stored["body"]["version"]),
            (&1.into(), &1.into()),
            "{name}"
        );
        assert!(!form::faults(&stored).is_empty(), "{name} is older");
        let report = read(name, records[0].1);
        let again = serde_json::to_value(&report).unwrap();
        assert_eq!(form::faults(&again), Vec::<String>::new(), "{name}");
        assert!(letter_text(&report).contains("Yes, 2 of 2 orders filled"), "{name}");
        assert!(page_html(&report).contains("al1-P-20261120-open-g0-SPY-B-1-"), "{name}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_record_of_a_newer_form_stops_the_next_run_which_says_what_to_do() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    let key = format!("{DAY_BEFORE}/final.json");
    let ours = stage.shelf.text(&key).unwrap();
    let version = |version: u32| format!("\"version\":{version},\"");
    let parts = ours.split_once(",\"version\"").unwrap().1;
    let theirs = format!("{{\"version\"{parts}")
        .replace(&version(RECORD_VERSION), &version(RECORD_VERSION + 1));
    stage.shelf.lay(&key, &theirs);
    stage.next_session();
    stage.wants("a", "QQQ 1");
    let told = stage.run().await;
    assert_eq!(told.errors(), ["CRITICAL record-newer"]);
    let said = &told.report().incidents[0];
    assert!(said.what.contains(&format!("version {}", RECORD_VERSION + 1)), "{}", said.what);
    assert!(said.action.starts_with("Deploy the newer code"), "{}", said.action);
    assert_eq!(stage.orders_today(), Vec::<String>::new());
    assert!(stage.post.last().contains("record-newer"), "it is mailed");
    stage.shelf.lay(&key, &ours);
    stage.forces(1, 20);
    let told = stage.run().await;
    assert_eq!((told.errors(), told.sleeves()), (vec![], "a: QQQ 245".to_owned()));
}

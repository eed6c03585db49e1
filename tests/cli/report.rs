//! Reports rendered again.

use std::fs;

use crate::desk::{Desk, json};

#[test]
fn a_report_is_rendered_again_from_the_record_alone() {
    let desk = Desk::new();
    let first = desk.call("run --offline");
    let named = |start: &str| {
        let line = first.out.lines().find_map(|line| line.strip_prefix(start)).unwrap();
        line.to_owned()
    };
    let (record, page) = (named("record  "), named("report  "));
    let store = record.split("/runs/").next().unwrap();
    let stored = fs::read_to_string(desk.path(&page)).unwrap();
    desk.call(&format!("report {record} --html again.html")).is(0, &[]);
    assert_eq!(fs::read_to_string(desk.path("again.html")).unwrap(), stored, "byte for byte");
    let folder = record.trim_end_matches("/final.json");
    let run = folder.split("/runs/").nth(1).unwrap();
    let there = format!("--store {store}");
    let by_key = desk.call(&format!("report {run} {there} --html -"));
    assert_eq!(by_key.out.trim_end(), stored.trim_end());
    let newest = desk.call(&format!("report {there}"));
    newest.is(0, &["PAPER OK", "3 of 3 orders filled"]);
    assert_eq!(desk.call(&format!("report {folder}")).out, newest.out);
    desk.call(&format!("report {run} {there} --text -")).is(0, &["Traded?  Yes, 3 of 3"]);
    assert_eq!(json(&desk.call(&format!("report {run} {there} --json")).out)["verdict"], "done");

    let other = "paper/main/2026-11-19/open/g0";
    let missing = desk.call(&format!("report {other} {there}"));
    missing
        .is(3, &["no final record of paper/main/2026-11-19", &format!("the last that are: {run}")]);
    desk.call("report nonsense").is(3, &["not a run such as paper/main/2026-11-20/open/g0"]);
    desk.call("report --store nowhere").is(3, &["no finished run of paper/main in nowhere"]);
    let mut bytes = fs::read(desk.path(&record)).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(desk.path("damaged.json"), bytes).unwrap();
    desk.call("report damaged.json").is(3, &["record not readable", "restore it from"]);
}

#[test]
fn an_incident_is_explained_by_its_code() {
    let desk = Desk::new();
    let words =
        ["order-unknown", "The end of an order of ours was not seen.", "`alchemiser resume`"];
    desk.call("incident order-unknown").is(0, &words);
    desk.call("incident gate-volume-share").is(0, &["gate-volume-share", "refused the whole plan"]);
    let all = desk.call("incident");
    assert!(all.out.lines().count() > 70 && all.out.contains("quote-unusable"), "{}", all.out);
    let page = json(&desk.call("incident halted --json").out);
    assert_eq!((page["code"].as_str(), page["now"].is_string()), (Some("halted"), true));
    desk.call("incident order-unknwon").is(3, &["did you mean order-unknown?"]);
    desk.call("incident nonsense").is(3, &["no incident has the code", "lists them all"]);
}

//! The record of a run as a document: its form, and files that are none.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::{Value, json};

use crate::desk::{Desk, STORE, Said};
use crate::form::{SCHEMA, faults};

/// Final records of a store, oldest first.
fn records(desk: &Desk, days: &[&str]) -> Vec<(String, Value)> {
    let name = |day: &&str| format!("{STORE}/runs/paper/main/{day}/open/g0/final.json");
    days.iter().map(name).map(|name| (name.clone(), desk.read(&name))).collect()
}

/// Three lines: what happened to which file, and what it means with what to do.
#[track_caller]
fn refused(said: &Said, words: &[&str]) {
    said.is(3, words);
    assert!(said.out.is_empty(), "{}", said.out);
    let lines: Vec<&str> = said.err.lines().collect();
    assert!(lines.len() == 2 && lines[1].starts_with("  "), "{}", said.err);
    assert!(said.err.len() < 600, "{}", said.err);
}

#[test]
fn the_schema_is_printed_and_every_record_of_three_days_has_its_form() {
    let desk = Desk::new();
    let printed = desk.call("report --schema");
    printed.is(0, &["\"Prices at which the report values positions.\""]);
    assert_eq!(printed.out.trim_end(), SCHEMA.trim_end());
    desk.call("report --schema paper/main/2026-11-20/open/g0").is(2, &["--schema"]);

    desk.call("run --offline --days 3").is(0, &[]);
    for (name, stored) in records(&desk, &["2026-11-20", "2026-11-23", "2026-11-24"]) {
        assert_eq!(faults(&stored), Vec::<String>::new(), "{name}");
        let shown: Value =
            serde_json::from_str(&desk.call(&format!("report {name} --json")).out).unwrap();
        assert_eq!(shown, stored["body"], "{name}");
        assert_eq!(faults(&shown), Vec::<String>::new(), "{name}");
        for (place, spoilt) in [
            ("/body/account/cash_after", json!(2063.06)),
            ("/body/verdict", json!("fine")),
            ("/body/version", json!(3)),
            ("/body/signals/0/result", json!({"Ok": {}, "Err": {}})),
        ] {
            let mut other = stored.clone();
            *other.pointer_mut(place).unwrap() = spoilt;
            assert!(!faults(&other).is_empty(), "{name}: {place}");
        }
    }
}

/// A file's content that is no record, and what is said of it.
fn broken(whole: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = String::from_utf8(whole.to_vec()).unwrap();
    let open = |record: &str| record.split_once(",\"version\"").unwrap().1.to_owned();
    let bare = format!("{{\"version\"{}", open(&text)); // of before there were digests
    let deep = format!("{{\"version\":{}1{}}}", "[".repeat(9999), "]".repeat(9999));
    let compound = "\"depth\":0,\"operator\":\"and\",\"holds\":true,\"written\":1,\"parts\":[";
    let parts = format!("{{\"part\":\"compound\",{compound}").repeat(200);
    let conditions = format!("{{\"step\":\"compound\",{compound}{parts}{}", "]}".repeat(201));
    vec![
        ("empty", Vec::new(), "EOF while parsing"),
        ("cut short", bare.as_bytes()[..bare.len() / 2].to_vec(), "EOF while parsing"),
        ("cut and digested", whole[..whole.len() / 2].to_vec(), "its digest is of other bytes"),
        ("no text", vec![0xff, 0xfe, 0x00, 0x80, b'{'], "expected value"),
        (
            "text that is none",
            bare.replace("synthetic", "").replacen("main", "\u{0}", 1).into_bytes(),
            "control character",
        ),
        (
            "no utf-8",
            bare.replacen("done", "d\u{f8}ne", 1)
                .chars()
                .map(|c| u8::try_from(c).unwrap_or(0xff))
                .collect(),
            "invalid unicode",
        ),
        ("a list", b"[1,2,3]".to_vec(), "trailing characters"),
        ("another thing", b"{\"hello\":1}".to_vec(), "missing field `version`"),
        (
            "another type",
            bare.replacen("\"verdict\":\"done\"", "\"verdict\":7", 1).into_bytes(),
            "expected value",
        ),
        (
            "a float for money",
            bare.replacen("\"cash_after\":\"", "\"cash_after\":1.5,\"x\":\"", 1).into_bytes(),
            "invalid type: floating point",
        ),
        (
            "a name of another",
            bare.replacen("\"strategy\":\"nuclear\"", "\"strategy\":\"<b>\"", 1).into_bytes(),
            "not a strategy name",
        ),
        (
            "conditions without end",
            bare.replacen("\"steps\":[", &format!("\"steps\":[{conditions},"), 1).into_bytes(),
            "recursion limit exceeded",
        ),
        ("nested without end", deep.into_bytes(), "invalid type: sequence"),
        ("of version 0", bare.replacen(":2,", ":0,", 1).into_bytes(), "no record has version 0"),
        ("of another run", bare.replacen("open/g0", "open/g1", 1).into_bytes(), "belongs to run"),
    ]
}

#[test]
fn a_file_that_is_no_record_is_one_clear_error() {
    let desk = Desk::new();
    desk.call("run --offline").is(0, &[]);
    let name = format!("{STORE}/runs/paper/main/2026-11-20/open/g0/final.json");
    let whole = fs::read(desk.path(&name)).unwrap();
    for (how, bytes, said) in broken(&whole) {
        desk.write("no-record.json", bytes);
        let shown = desk.call("report no-record.json");
        let restore = "its report cannot be shown, and no run goes on from it; restore it from";
        refused(&shown, &["record not readable: no-record.json: ", said, restore]);
        assert!(!shown.err.contains('\u{fffd}'), "{how}");
    }
    let newer = String::from_utf8(whole).unwrap();
    let newer = newer.split_once(",\"version\"").unwrap().1.replacen(":2,", ":9,", 1);
    desk.write("newer.json", format!("{{\"version\"{newer}"));
    let words = ["record of a newer form: newer.json: version 9, this code reads up to 2"];
    refused(&desk.call("report newer.json"), &words);
    refused(&desk.call("report newer.json"), &["call the program of that version"]);
}

#[test]
fn what_is_no_file_of_a_bounded_size_is_not_read() {
    let desk = Desk::new();
    let none = "no record is read from ";
    desk.write("empty/other.json", "{}");
    refused(&desk.call("report empty"), &[none, "empty/final.json: No such file", "name a run"]);
    desk.write("folder/final.json/x", "{}");
    refused(&desk.call("report folder"), &[none, "it is no file"]);
    symlink("nowhere.json", desk.path("dangling.json")).unwrap();
    refused(&desk.call("report dangling.json"), &[none, "dangling.json: No such file"]);
    symlink("loop.json", desk.path("loop.json")).unwrap();
    refused(&desk.call("report loop.json"), &[none, "symbolic links"]);
    symlink("/dev/zero", desk.path("zero.json")).unwrap();
    refused(&desk.call("report zero.json"), &[none, "it is no file"]);
    assert!(Command::new("mkfifo").arg(desk.path("pipe.json")).status().unwrap().success());
    refused(&desk.call("report pipe.json"), &[none, "it is no file"]);
    let huge = fs::File::create(desk.path("huge.json")).unwrap();
    huge.set_len(100_000_000).unwrap();
    refused(&desk.call("report huge.json"), &[none, "more than 32000000 bytes"]);

    desk.call("run --offline").is(0, &[]);
    let folder = format!("{STORE}/runs/paper/main/2026-11-20/open/g0");
    symlink(desk.path(&folder), desk.path("link")).unwrap();
    desk.call("report link").is(0, &["3 of 3 orders filled"]);
}

#[test]
fn a_record_that_is_spoilt_is_told_by_the_report_of_it_of_the_newest_and_by_the_status() {
    let desk = Desk::new();
    desk.call("run --offline").is(0, &[]);
    let name = format!("{STORE}/runs/paper/main/2026-11-20/open/g0/final.json");
    let whole = fs::read_to_string(desk.path(&name)).unwrap();
    let newer = whole.split_once(",\"version\":2").unwrap().1;
    let newer = format!("{{\"version\":3{newer}");
    for (text, what, next) in [
        (&whole[..900], "record not readable: runs/paper/main/2026-11-20", "restore it"),
        (&newer, "record of a newer form: runs/paper/main/2026-11-20", "that version"),
    ] {
        desk.write(&name, text);
        for line in ["report", "status", "report paper/main/2026-11-20/open/g0"] {
            refused(&desk.call(&format!("{line} --store {STORE}")), &[what, next]);
        }
    }
}

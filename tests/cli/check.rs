//! `alchemiser check` on files of every kind.

use std::fs;
use std::path::PathBuf;

use alchemiser::domain::symphony::lint::Code;
use serde_json::{Value, json};

use crate::desk::{Desk, Said};

/// Checks one text.
fn said_of(desk: &Desk, bytes: impl AsRef<[u8]>) -> Said {
    desk.write("mine.clj", bytes);
    desk.call("check mine.clj")
}

fn symphony(body: &str) -> String {
    format!("(defsymphony \"t\" {{}}\n  {body})")
}

const CALM: &str = "(if (> (rsi \"SPY\" {:window 10}) 79) [(asset \"BIL\")] [(asset \"SPY\")])";

#[test]
fn the_exit_code_says_whether_anything_was_found() {
    let desk = Desk::new();
    desk.write("calm.clj", symphony(CALM));
    desk.write("odd.clj", symphony(&CALM.replace("79", "101")));
    desk.write("bad.clj", symphony(&CALM.replace("rsi", "rsii")));
    desk.call("check calm.clj").is(0, &["nothing found in 1 file"]);
    let odd = ["odd.clj:2:7: warning: RSI(10) of SPY > 101 never holds [never-holds]"];
    desk.call("check odd.clj").is(1, &odd);
    desk.call("check odd.clj --allow never-holds --allow unreachable-branch --allow no-cash-leg")
        .is(0, &["nothing found"]);
    let bad = ["bad.clj:2:10: error: expected one of", "did you mean rsi?"];
    desk.call("check bad.clj").is(3, &bad);
    let all = desk.call("check calm.clj odd.clj bad.clj");
    all.is(3, &[odd[0], bad[0], "1 error, 3 warnings in 3 files"]);
    desk.call("check none.clj")
        .is(3, &["none.clj: No such file", "name a strategy file that exists"]);
    desk.call("check calm.clj --allow everything")
        .is(2, &["expected one of never-holds, always-holds"]);
    desk.call("check calm.clj --allow unreadable").is(2, &["expected one of"]);
    desk.call("check ").is(2, &["<FILES>"]);
}

#[test]
fn one_document_is_for_programs() {
    let desk = Desk::new();
    desk.write("odd.clj", symphony(&CALM.replace("79", "101")));
    desk.write("bad.clj", "(defsymphony \"t\" {} (assett \"SPY\"))");
    let said = desk.call("check odd.clj bad.clj --json");
    let document: Value = serde_json::from_str(&said.out).unwrap();
    let never = json!({
        "severity": "warning", "code": "never-holds",
        "line": 2, "column": 7, "end_line": 2, "end_column": 39,
        "what": "RSI(10) of SPY > 101 never holds", "why": "an RSI lies between 0 and 100",
        "related": null, "next": "correct it, or take the test out", "more_places": 0, "also": [],
    });
    assert_eq!(document["files"][0]["findings"][1], never);
    let unknown = json!({
        "severity": "error", "code": "unreadable",
        "line": 1, "column": 21, "end_line": 1, "end_column": 35,
        "what": "expected an asset, a group, an if, a filter or a weighting, found (assett \"SPY\")",
        "why": null, "related": null, "next": "did you mean asset?", "more_places": 0, "also": [],
    });
    let bad = json!(
        { "file": "bad.clj", "errors": 1, "warnings": 0, "left_out": 0, "findings": [unknown] }
    );
    assert_eq!(document["files"][1], bad);
    assert_eq!((&document["errors"], &document["warnings"]), (&json!(1), &json!(3)));
    assert_eq!((said.code, said.out.lines().count()), (3, 1));
}

#[test]
fn the_built_in_strategies_have_no_error() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/strategies");
    let desk = Desk::new();
    for name in ["nuclear", "tecl", "klm"] {
        let path = folder.join(format!("{name}.clj"));
        let said = desk.call(&format!("check --json {}", path.display()));
        let document: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(document["errors"], 0, "{}", said.out);
        assert!(said.code <= 1);
    }
}

#[test]
fn a_strategy_is_held_against_a_list_of_assets_and_a_folder_of_closes() {
    let desk = Desk::new();
    desk.write("calm.clj", symphony(&CALM.replace("(rsi \"SPY\"", "(rsi \"SPX\"")));
    desk.write("assets.txt", "# listed\nSPY\nBIL\n");
    let words = ["calm.clj:2:10: warning: SPX is not in the list of assets", "did you mean SPY?"];
    desk.call("check calm.clj --assets assets.txt").is(1, &words);
    let answer = r#"[{"symbol": "SPX"}, {"symbol": "SPY", "tradable": false}, {"symbol": "BIL"}]"#;
    desk.write("assets.json", answer);
    desk.call("check calm.clj --assets assets.json").is(1, &["SPY is listed and cannot be traded"]);
    desk.call("check calm.clj --assets none.txt").is(3, &["none.txt: No such file"]);
    desk.write("prices/SPX.csv", "date,close\n2026-01-02,10\n2026-01-05,11\n");
    let words = ["RSI(10) of SPX needs 11 closes and there are 2", "[short-history]"];
    desk.call("check calm.clj --prices prices").is(1, &words);
    desk.call("check calm.clj --prices none").is(3, &["correct the price folder"]);
}

/// Bodies with an error, and what has to be said of them.
const BODIES: &[(&str, &[&str])] = &[
    ("(if (> (rsi \"A\" 9) 1e999) [] [])", &["2:22", "a number such as 79", "1e999"]),
    ("(if (> (rsi \"A\" 9) NaN) [] [])", &["2:22", "found NaN"]),
    ("(if (> (rsii \"A\" 9) 5) [] [])", &["2:10", "did you mean rsi?"]),
    ("(if (> (rsi \"A\" {:windw 9}) 5) [] [])", &["2:19", "did you mean window?"]),
    ("(if (> (rsi \"A\" 9) 5) [])", &["2:3", "(if condition [then] [else])"]),
    ("(if (> (rsi \"A\" 9)) [] [])", &["2:7", "a condition such as"]),
    ("(if (> (rsi \"A\" 9 9) 5) [] [])", &["2:19", "a window such as {:window 10}"]),
    ("(if (> (rsi \"A\" 0) 5) [] [])", &["2:19", "a whole number from 1 to 1000, found 0"]),
    ("(if (> (rsi \"A\" 1000000000) 5) [] [])", &["2:19", "found 1000000000"]),
    ("(filter (rsi 9) (select-top 0) [(asset \"A\")])", &["2:31", "from 1 to 1000, found 0"]),
    (
        "(weight-specified 0.6 (asset \"A\") 0.6 (asset \"B\"))",
        &["2:3", "weights that sum to 1, found a sum of 1.2"],
    ),
    ("(weight-specified 60 (asset \"A\") 40 (asset \"B\"))", &["2:21", "0.6 for 60 percent"]),
    ("(asset \"B R K\")", &["2:10", "a ticker such as", "did you mean BRK?"]),
];

#[test]
fn what_cannot_be_read_is_shown_with_its_place_and_what_should_stand_there() {
    let desk = Desk::new();
    for (body, words) in BODIES {
        let said = said_of(&desk, symphony(body));
        let words: Vec<&str> = words.iter().copied().chain(["error: ", "^"]).collect();
        said.is(3, &words);
    }
    let step = |count: &str| {
        let asset = r#"{"step": "asset", "id": "one", "ticker": "BIL"}"#;
        let filter = format!(
            r#"{{"step": "filter", "id": "two", "sort-by-fn": "relative-strength-index",
                "sort-by-fn-params": {{"window": "10"}}, "select-fn": "top", "select-n": {count},
                "children": [{asset}, {{"step": "empty", "id": "one"}}]}}"#
        );
        format!(r#"{{"step": "root", "name": "t", "children": [{filter}]}}"#)
    };
    // Numbers in quotes are how such files come; words in their place are not.
    said_of(&desk, step("\"1\"")).is(1, &["warning: two nodes have one id"]);
    said_of(&desk, step("\"one\"")).is(3, &["a whole number from 1 to 1000, found \"one\""]);
    said_of(&desk, step("1e999")).is(3, &["2:88", "a number such as 79 or -2.5, found 1e999"]);
    said_of(&desk, step("NaN")).is(3, &["well-formed JSON"]);
    said_of(&desk, &step("1")[..200]).is(3, &["well-formed JSON", "EOF"]);
}

#[test]
fn what_is_no_text_or_no_end_of_brackets_is_refused_with_its_place() {
    let desk = Desk::new();
    said_of(&desk, "").is(3, &["mine.clj:1:1: error: expected a symphony"]);
    let cut = symphony(CALM);
    let words = ["error: expected", "to close this bracket", "where what it opens ends"];
    said_of(&desk, &cut[..cut.len() - 20]).is(3, &words);
    let words = ["1:3: error: expected ), found ]", "first write the ) of line 1, column 1"];
    said_of(&desk, "(a]").is(3, &words);
    said_of(&desk, "(a))").is(3, &["1:4: error: expected a form, found )", "take it out"]);
    for bracket in ["(", "[", "{", ")"] {
        said_of(&desk, bracket.repeat(10 << 20))
            .is(3, &["mine.clj:1:1: error: ", "1 error in 1 file"]);
    }
    said_of(&desk, "([".repeat(2 << 20)).is(3, &["1:401: error: expected at most 400 levels"]);
    let deep = format!("{}(asset \"A\"){}", "(group \"g\" [".repeat(50_000), "])".repeat(50_000));
    said_of(&desk, symphony(&deep)).is(3, &["at most 400 levels of brackets"]);
    said_of(&desk, "x".repeat(20 << 20)).is(3, &["1:1: error: expected at most 8388608 bytes"]);
    let mut bytes = symphony(CALM).into_bytes();
    bytes[30] = 0xff;
    let words =
        ["mine.clj:2:11: error: this byte belongs to no character of UTF-8", "save the file"];
    said_of(&desk, bytes).is(3, &words);
    said_of(&desk, b"\xff\xfe(\0d\0").is(3, &["mine.clj:1:1: error: this byte"]);
}

#[test]
fn a_text_of_megabytes_is_checked_in_bounded_time() {
    let rung = "(if (> (rsi \"SPY\" {:window 10}) 101) [(asset \"BIL\")] [(asset \"SPY\")])\n";
    let desk = Desk::new();
    let said = said_of(&desk, symphony(&format!("(weight-equal [{}])", rung.repeat(45_000))));
    said.is(1, &["never-holds", "the same in 44999 more places", "duplicate-candidate"]);
    assert!(said.out.lines().count() < 40, "{}", said.out);
}

#[test]
fn the_help_and_the_readme_name_every_code() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    for code in Code::ALL {
        assert!(readme.contains(&format!("`{}`", code.word())), "{}", code.word());
    }
    Desk::new().call("check --help").is(0, &["--assets", "--prices", "--allow", "Exit codes:"]);
}

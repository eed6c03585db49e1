//! The letters and pages that really come of it, as their readers get them.

use std::fs;
use std::path::Path;

use crate::browser::{folder, read_and_shown};
use crate::desk::with_prices;

/// Copies what is to be read, wherever it lies below a folder; how many letters and pages it was.
fn gather(from: &Path, to: &Path, counts: &mut (usize, usize)) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, to, counts);
            continue;
        }
        let (count, ending) = match path.extension().and_then(|ending| ending.to_str()) {
            Some("eml") => (&mut counts.0, "eml"),
            Some("html") => (&mut counts.1, "html"),
            Some(_) | None => continue,
        };
        *count += 1;
        fs::copy(&path, to.join(format!("{count:02}.{ending}"))).unwrap();
    }
}

#[test]
fn what_runs_send_and_keep_is_read_by_other_parsers_and_shown_by_a_browser_without_fault() {
    let desk = with_prices();
    desk.call("run --offline --days 4").is(0, &["4 sessions checked"]);
    desk.call("run --offline --date 2026-11-26").is(0, &["PAPER CLOSED"]);
    desk.call("run --offline --cash 300 --seed 8").is(1, &["PAPER BLOCKED"]);
    desk.call("preview --offline --seed 9").is(0, &["PAPER PREVIEW"]);
    desk.call("explain --prices prices --date 2026-11-20 --html failed.html").is(1, &["page"]);
    let line = "explain --prices prices --date 2026-11-20 --symphony trend.clj";
    desk.call(&format!("{line} --html explained.html")).is(0, &["page"]);
    let there = folder("runs");
    let mut counts = (0, 0);
    gather(desk.folder(), &there, &mut counts);
    assert!(counts.0 >= 6 && counts.1 >= 8, "too little came of it: {counts:?}");
    assert_eq!(read_and_shown(&there), counts);
}

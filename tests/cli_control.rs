//! The operator's controls as their user meets them: the real binary in an empty folder.
#![expect(clippy::unwrap_used, reason = "a broken expectation ends a test")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Where the default offline run keeps its records.
const OFFLINE: &str = "out/synthetic-7-2026-11-20/store";

/// What a command said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

/// A folder of one's own to call the program in.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Calls the program; words in quotes stay together.
    fn call(&self, line: &str) -> Said {
        let mut words: Vec<String> = Vec::new();
        for (at, part) in line.split('\'').enumerate() {
            if at % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_alchemiser"));
        command.args(words).current_dir(self.0.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        Said { code, out: text(output.stdout), err: text(output.stderr) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }
}

impl Said {
    #[track_caller]
    fn is(&self, code: i32, words: &[&str]) {
        let all = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, code, "{all}");
        for word in words {
            assert!(all.contains(word), "{word:?} is missing in: {all}");
        }
    }
}

#[test]
fn a_blocked_run_is_repeated_with_a_reason_and_as_the_next_generation() {
    let desk = Desk::new();
    desk.call("run --offline --cash 300").is(1, &["PAPER BLOCKED"]);
    let said = desk.call("run --offline --force --reason 'cash was paid in'");
    said.is(0, &["3 of 3 orders filled", "open/g1/final.json", "cash was paid in"]);
    let record = desk.read(&format!("{OFFLINE}/runs/paper/main/2026-11-20/open/g1/final.json"));
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

//! An empty folder to call the program in, and what it says there.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::ToSpan;
use jiff::civil::date;
use serde_json::Value;
use tempfile::TempDir;

/// Where the default offline run keeps its records.
pub(crate) const STORE: &str = "out/synthetic-7-2026-11-20/store";

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A folder of one's own to call the program in.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The program with its words; words in quotes stay together.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alchemiser"));
        for (at, part) in line.split('\'').enumerate() {
            if at % 2 == 1 {
                command.arg(part);
            } else {
                command.args(part.split_whitespace());
            }
        }
        command.current_dir(self.folder()).stdin(Stdio::null());
        command
    }

    /// Calls the program to its end.
    pub(crate) fn call(&self, line: &str) -> Said {
        let output = self.command(line).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap();
        let said = Said { code, out: text(output.stdout), err: text(output.stderr) };
        let all = said.all();
        assert!(!all.contains('\x1b') && !all.contains("panicked"), "{line}: {all}");
        said
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Value {
        json(&fs::read_to_string(self.path(name)).unwrap())
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

impl Said {
    fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// The exit code, and words that stand somewhere in what it said.
    #[track_caller]
    pub(crate) fn is(&self, code: i32, words: &[&str]) {
        let all = self.all();
        assert_eq!(self.code, code, "{all}");
        for word in words {
            assert!(all.contains(word), "{word:?} is missing in: {all}");
        }
    }
}

/// A desk with files of SPY, which rises, and BIL, through Friday 2026-11-20.
pub(crate) fn with_prices() -> Desk {
    let desk = Desk::new();
    for (symbol, from, step) in [("SPY", 500.0, 0.5), ("BIL", 91.0, 0.001)] {
        let mut text = "date,close\n".to_owned();
        let days = date(2025, 9, 1).series(1.day()).take_while(|day| *day <= date(2026, 11, 20));
        let weekdays = days.filter(|day| day.weekday().to_monday_zero_offset() < 5);
        for (at, day) in weekdays.enumerate() {
            let close = from + step * f64::from(u32::try_from(at).unwrap());
            writeln!(text, "{day},{close:.3}").unwrap();
        }
        desk.write(&format!("prices/{symbol}.csv"), &text);
    }
    let trend = "(defsymphony \"Trend\" {} (if (> (current-price \"SPY\") \
                 (moving-average-price \"SPY\" {:window 200})) [(asset \"SPY\")] [(asset \"BIL\")]))";
    desk.write("trend.clj", trend);
    desk
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

//! `make pictures`: what the README shows. Runs some days on the built-in exchange and draws the
//! last letter as a phone shows it and the last report page as a desk does.
#![expect(clippy::unwrap_used, reason = "what fails here is shown as it is")]
#![expect(clippy::print_stdout, reason = "it is here to be read")]

#[path = "mod.rs"]
mod browser;
#[path = "../python/mod.rs"]
mod python;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::browser::{folder, read_and_shown, said, said_by_node};

/// So many sessions, for a curve that is one; the same ones every time.
const DAYS: &str = "19";
/// A reader of the README waits for no more.
const BYTES_MAX: u64 = 120_000;

/// A page, its picture, how large and from which heading on, and in which light.
const DRAWN: [[&str; 4]; 3] = [
    ["letter.eml.html", "letter.png", "390x900", "light"],
    ["letter.eml.html", "letter-dark.png", "390x900@Equity over the runs", "dark"],
    ["report.html", "report.png", "1000x780", "light"],
];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (lived, shown) = (folder("pictures/days"), folder("pictures/shown"));
    let mut program = Command::new(env!("CARGO"));
    program.args(["run", "--quiet", "--locked", "--no-default-features", "--manifest-path"]);
    program.arg(root.join("Cargo.toml")).args(["--", "run", "--offline", "--days", DAYS]);
    said(program.current_dir(&lived));
    fs::copy(last(&lived, "eml"), shown.join("letter.eml")).unwrap();
    fs::copy(last(&lived, "html"), shown.join("report.html")).unwrap();
    read_and_shown(&shown);
    let pictures = root.join("tests/pictures");
    fs::create_dir_all(&pictures).unwrap();
    let drawn = DRAWN.map(|[page, picture, size, light]| {
        [shown.join(page), pictures.join(picture), size.into(), light.into()]
    });
    said_by_node("draw.mjs", &drawn.concat());
    for [_, picture, size, _] in DRAWN {
        let bytes = fs::metadata(pictures.join(picture)).unwrap().len();
        assert!(bytes <= BYTES_MAX, "{picture} has {bytes} bytes, more than {BYTES_MAX}");
        println!("tests/pictures/{picture}: {size}, {bytes} bytes");
    }
}

/// The file of this ending below a folder whose path is the last: days and numbers are in the paths.
fn last(folder: &Path, ending: &str) -> PathBuf {
    files(folder)
        .into_iter()
        .filter(|file| file.extension().is_some_and(|e| e == ending))
        .filter(|file| file.file_stem().is_some_and(|stem| stem != "index"))
        .max()
        .unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

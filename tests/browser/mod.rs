//! Letters and pages as their readers get them: read by parsers of other makers, shown in Debian's
//! browser. What that takes is installed once, the tools under the target folder.

use std::fs;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::python::{environment, made_once, shown, target};

/// Packages of the browser and of fonts as wide as those that readers have.
const PACKAGES: [&str; 3] = ["chromium", "fonts-dejavu-core", "fonts-liberation"];

/// Reads every `.eml` and `.html` below a folder and shows each at two widths, light and dark; says
/// how many mails and pages there were.
pub(crate) fn read_and_shown(folder: &Path) -> (usize, usize) {
    let said = said(Command::new(python()).arg(script("read.py")).arg(folder));
    let counted = last(&said, "read ").replace(" mails and ", " ").replace(" pages", "");
    let mut counts = counted.split(' ').map(|count| count.parse().expect("it says how many"));
    let (mails, pages) = counts.next().zip(counts.next()).expect("it says how many of both");
    let views = said_by_node("look.mjs", &[folder.to_owned()]);
    let expected = format!("{} documents in {} views", mails + pages, (mails + pages) * 4);
    assert_eq!(last(&views, "saw "), expected);
    (mails, pages)
}

/// An empty folder of this name, to lay documents into; they stay there to be looked at.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = target().join("tmp/seen").join(name);
    let _ = fs::remove_dir_all(&folder); // the first time there is none
    fs::create_dir_all(&folder).expect("the target folder is ours");
    folder
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(name)
}

fn python() -> PathBuf {
    environment("letters").join("python")
}

/// What a script said that found no fault: its name, and its arguments behind those of the tools.
pub(crate) fn said_by_node(name: &str, arguments: &[PathBuf]) -> String {
    let (modules, browser) = (modules(), browser());
    said(Command::new("node").arg(script(name)).arg(modules).arg(browser).args(arguments))
}

/// What a command said that found no fault.
pub(crate) fn said(command: &mut Command) -> String {
    let output = command.output();
    assert!(output.is_ok(), "Node, npm and Python are needed: {command:?} {output:?}");
    let output = output.expect("it was looked at");
    assert!(output.status.success(), "{}", shown(&output));
    shown(&output)
}

fn last<'t>(text: &'t str, start: &str) -> &'t str {
    let line = text.lines().rev().find_map(|line| line.strip_prefix(start));
    line.expect("its last line says how much it was")
}

/// The folder in which the packages of `package.json` are installed.
fn modules() -> PathBuf {
    let files = ["package.json", "package-lock.json"];
    let texts = files.map(|name| fs::read_to_string(script(name)).expect("it is in the project"));
    made_once("browser-node", &texts.concat(), |folder| {
        fs::create_dir_all(folder).expect("the target folder is ours");
        for (name, text) in files.iter().zip(&texts) {
            fs::write(folder.join(name), text).expect("the target folder is ours");
        }
        let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        said(Command::new("npm").args(install).current_dir(folder));
    })
}

/// Debian's browser, which is installed if it is not there and we may.
fn browser() -> PathBuf {
    let lock = target().join("tmp/browser.lock");
    let lock = File::create(lock).expect("the target folder is ours");
    lock.lock().expect("nobody holds the lock for ever");
    on_path("chromium").unwrap_or_else(|| {
        let packages = PACKAGES.join(" ");
        let is_root = fs::metadata("/proc/self").is_ok_and(|ours| ours.uid() == 0);
        let wanted = format!(
            "the letters are shown in Debian's chromium, which is not on the PATH: \
             apt-get install -y --no-install-recommends {packages}"
        );
        assert!(is_root && on_path("apt-get").is_some(), "{wanted}");
        let apt = |arguments: &[&str]| {
            let mut command = Command::new("apt-get");
            command.args(["-o", "DPkg::Lock::Timeout=300"]).args(arguments);
            said(command.env("DEBIAN_FRONTEND", "noninteractive"));
        };
        apt(&["update"]);
        apt(&[&["install", "-y", "--no-install-recommends"], &PACKAGES[..]].concat());
        on_path("chromium").expect(&wanted)
    })
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

//! Python environments, and other tools of checks that are not written in Rust: each made once
//! under the target folder, then used again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The `bin` folder of an environment that holds what `tests/python/{name}.txt` lists.
pub(crate) fn environment(name: &str) -> PathBuf {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/python/{name}.txt"));
    let wanted = std::fs::read_to_string(&list).expect("the list of packages is in the project");
    let folder = made_once(&format!("{name}-python"), &wanted, |folder| {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder));
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
        run(Command::new(folder.join("bin/python")).args(install).arg(list));
    });
    folder.join("bin")
}

/// The folder of this name under the target folder, made again only when something else is wanted.
///
/// Tests run as processes side by side: the first makes the folder, the others wait for it.
pub(crate) fn made_once(name: &str, wanted: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let target = target().join("tmp");
    std::fs::create_dir_all(&target).expect("the target folder is ours");
    let (folder, stamp) = (target.join(name), target.join(format!("{name}.txt")));
    let lock =
        File::create(target.join(format!("{name}.lock"))).expect("the target folder is ours");
    lock.lock().expect("nobody holds the lock for ever");
    if std::fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return folder;
    }
    make(&folder);
    std::fs::write(stamp, wanted).expect("the target folder can be written");
    folder
}

/// The folder that cargo builds into, also for an example, which is not told.
pub(crate) fn target() -> PathBuf {
    let ours = std::env::current_exe().expect("a program knows its own place");
    let told = option_env!("CARGO_TARGET_TMPDIR").map(Path::new).and_then(Path::parent);
    let found = told.or_else(|| ours.ancestors().nth(3)); // {target}/debug/examples/{program}
    found.expect("programs lie three folders deep").to_owned()
}

fn run(command: &mut Command) {
    let output = command.output().expect("python3 with its venv module is installed");
    assert!(output.status.success(), "{}", shown(&output));
}

/// All that a command printed.
pub(crate) fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

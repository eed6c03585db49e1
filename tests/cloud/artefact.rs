//! The artefact that `sam build` packs: built once for each state of the sources, then used by all.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use alchemiser::domain::hash::sha256_hex;

use crate::python;

/// Everything the build reads.
const SOURCES: [&str; 6] =
    ["Cargo.toml", "Cargo.lock", "template.yaml", ".cargo", "rust-toolchain.toml", "src"];
/// Cargo's variables that an operator's shell may have too. Those that cargo itself gives to a test
/// would let build scripts run again and make it another build than the operator's.
const OPERATORS: [&str; 4] = ["CARGO_HOME", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR"];
/// Variables of a test run that change what a compiler makes.
const STRANGE: [&str; 6] = ["CARGO", "NEXTEST", "RUSTFLAGS", "RUSTDOC", "RUSTC_W", "LLVM_"];

/// The program that Lambda would start.
///
/// Tests run as processes side by side: the first builds, which takes minutes on a fresh machine,
/// the others wait. The build has a target folder of its own, so that no other cargo waits for it.
pub(crate) fn artefact() -> PathBuf {
    let target = python::target().join("sam");
    fs::create_dir_all(&target).unwrap();
    let (build, stamp) = (target.join("artefact"), target.join("sources"));
    let program = build.join("Trader/bootstrap");
    let lock = File::create(target.join("lock")).unwrap();
    lock.lock().unwrap();
    let sources = fingerprint();
    if program.exists() && fs::read_to_string(&stamp).is_ok_and(|built| built == sources) {
        return program;
    }
    let bin = python::environment("cloud");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([bin.clone()].into_iter().chain(std::env::split_paths(&path)));
    let mut sam = Command::new(bin.join("sam"));
    sam.arg("build").arg("--template-file").arg(root().join("template.yaml"));
    sam.arg("--build-dir").arg(&build).arg("--cache-dir").arg(target.join("cache"));
    sam.current_dir(root()).env("PATH", path.unwrap());
    sam.env("SAM_CLI_TELEMETRY", "0").env("AWS_DEFAULT_REGION", "us-east-1");
    for (name, _) in std::env::vars_os() {
        let begins =
            |list: &[&str]| list.iter().any(|start| name.to_string_lossy().starts_with(start));
        if begins(&STRANGE) && !begins(&OPERATORS) {
            sam.env_remove(&name);
        }
    }
    sam.env("CARGO_TARGET_DIR", &target);
    let output = sam.output().unwrap();
    assert!(output.status.success() && program.exists(), "{}", python::shown(&output));
    fs::write(stamp, sources).unwrap();
    program
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A hash of all sources and of the compiler's version.
fn fingerprint() -> String {
    let mut all = Command::new("rustc").arg("-vV").current_dir(root()).output().unwrap().stdout;
    for source in SOURCES {
        take(&root().join(source), &mut all);
    }
    sha256_hex(&all)
}

fn take(path: &Path, all: &mut Vec<u8>) {
    if path.is_dir() {
        let inside = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        for path in inside.collect::<BTreeSet<_>>() {
            take(&path, all);
        }
    } else if let Ok(bytes) = fs::read(path) {
        all.extend(path.to_string_lossy().as_bytes());
        all.extend(bytes.len().to_le_bytes());
        all.extend(bytes);
    }
}

//! The vendor's own Python client against the look-alike exchange: a second, independent reading
//! of the wire, so that the exchange and our adapter cannot agree on the same mistake.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use alchemiser::simulator::market::{Synthetic, synthetic};
use alchemiser::simulator::server::{Server, Serving};
use alchemiser::simulator::world::World;

const REQUIREMENTS: &str = include_str!("vendor/requirements.txt");
const CHECKS: usize = 15;

#[tokio::test]
async fn the_vendors_client_takes_the_exchange_for_the_broker() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vendor/conformance.py");
    let world = World::builder()
        .market(synthetic(Synthetic::default()))
        .at("2026-11-20T15:00:00Z")
        .cash("100000")
        .position("SPY", "10.5")
        .build();
    let server = Server::start(world, Serving::default()).await.unwrap();
    let (base, stream) = (server.url(), server.stream_url());
    let drive = move || {
        let arguments = [script.to_str().unwrap(), &base, &stream];
        Command::new(interpreter()).args(arguments).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(drive).await.unwrap();
    let shown = show(&output);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains(&format!("{CHECKS} of {CHECKS} passed")), "{shown}");
}

/// A Python that has the vendor's client: made once under the target folder, then used again.
fn interpreter() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vendor-python");
    let (python, stamp) = (folder.join("bin/python"), folder.join("installed.txt"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) {
        return python;
    }
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vendor/requirements.txt");
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(&python).args(install).arg(list));
    std::fs::write(stamp, REQUIREMENTS).expect("the target folder can be written");
    python
}

fn run(command: &mut Command) {
    let output = command.output().expect("python3 with its venv module is installed");
    assert!(output.status.success(), "{}", show(&output));
}

fn show(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

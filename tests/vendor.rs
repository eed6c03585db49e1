//! The vendor's own Python client against the look-alike exchange: a second, independent reading
//! of the wire, so that the exchange and our adapter cannot agree on the same mistake.

#[path = "python/mod.rs"]
mod python;

use std::path::Path;
use std::process::Command;

use alchemiser::simulator::market::{Synthetic, synthetic};
use alchemiser::simulator::server::{Server, Serving};
use alchemiser::simulator::world::World;

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
        Command::new(python::environment("vendor").join("python")).args(arguments).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(drive).await.unwrap();
    let shown = python::shown(&output);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains(&format!("{CHECKS} of {CHECKS} passed")), "{shown}");
}

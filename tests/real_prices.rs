//! The whole job on real closes, by the command an operator would type. Needs the shared prices.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

mod shared {
    use super::*;

    #[test]
    fn the_panic_of_august_2024_is_traded_on_the_golden_weights() {
        let report = run("2024-08-06", &["--json"]);
        assert_eq!(report["verdict"], "done");
        for (strategy, symbol) in [("nuclear", "TQQQ"), ("tecl", "TECL")] {
            let golden = golden(strategy, "2024-08-05");
            assert_eq!(golden, serde_json::json!({symbol: 1.0}), "the golden day is another");
            let signals = report["signals"].as_array().unwrap();
            let said = signals.iter().find(|signal| signal["strategy"] == strategy).unwrap();
            assert_eq!(said["result"]["Ok"]["weights"], serde_json::json!([[symbol, "1"]]));
        }
        // $98,000 to work with: 30% of it in TQQQ and 50% in TECL, each within the smallest resize.
        for (symbol, wanted) in [("TQQQ", 29_400.0), ("TECL", 49_000.0)] {
            let value = bought(&report, symbol);
            assert!((value - wanted).abs() < 250.0, "{symbol}: {value} of {wanted}");
        }
        assert!(report["data"]["stale"].get("FNGU").is_some(), "the report says what is missing");
    }

    #[test]
    fn thirty_sessions_on_real_closes_reconcile_to_the_cent() {
        let told = output("2024-07-01", &["--alias", "FNGU=FNGU_EXT", "--days", "30"]);
        assert!(told.contains("30 sessions checked"), "{told}");
        assert!(told.contains("reconcile to the cent every day"), "{told}");
    }
}

fn data() -> PathBuf {
    let root = std::env::var_os("ALCHEMISER_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    root.join("data")
}

fn golden(strategy: &str, day: &str) -> Value {
    let text = std::fs::read_to_string(data().join("golden_weights.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let name = if strategy == "tecl" { "TECL" } else { "Nuclear" };
    all["strategies"][name]["weights"][day].clone()
}

fn output(date: &str, more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_alchemiser"));
    command.args(["run", "--offline", "--date", date, "--prices"]).arg(data().join("prices"));
    let done = command.args(more).arg("--out").arg(folder.path()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn run(date: &str, more: &[&str]) -> Value {
    serde_json::from_str(&output(date, more)).unwrap()
}

fn bought(report: &Value, symbol: &str) -> f64 {
    let buys = report["execution"]["buys"].as_array().unwrap();
    let order = buys.iter().find(|order| order["symbol"] == symbol).unwrap();
    let number = |value: &Value| value.as_str().map_or(0.0, |text| text.parse::<f64>().unwrap());
    let attempts = order["attempts"].as_array().unwrap();
    attempts.iter().map(|a| number(&a["filled"]) * number(&a["fill_price"])).sum()
}

//! The indicators against other makers', TA-Lib's and numpy's, on real closes.
//!
//! Seeds: TA-Lib's RSI starts like ours with the means of the first window's moves. Its exponential
//! average starts with the mean of the first window, or in another of its modes, used here, with the
//! first close like ours. Its standard deviation divides by the window; the script corrects that.

use std::process::Command;

use alchemiser::domain::symphony::function::Function;
use alchemiser::domain::symphony::measure::Measure;
use serde::Deserialize;

use super::{folder, history};
use crate::claims_something;
use crate::python::{environment, shown};

/// Calm bills, indexes, leveraged funds and volatility.
const SYMBOLS: [&str; 8] = ["SPY", "QQQ", "BIL", "TQQQ", "UVXY", "TLT", "SVXY", "SOXL"];
const WINDOWS: [u16; 5] = [2, 10, 14, 60, 200];

#[derive(Deserialize)]
struct Series {
    symbol: String,
    #[serde(rename = "fn")]
    name: String,
    window: u16,
    tolerance: f64,
    values: Vec<Option<f64>>,
}

#[test]
fn other_libraries_have_the_same_indicators_on_real_closes() {
    let python = environment("indicators").join("python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/goldens/shared/library.py");
    let mut command = Command::new(python);
    command.arg(script).arg(folder().join("prices")).arg(SYMBOLS.join(","));
    command.arg(WINDOWS.map(|window| window.to_string()).join(","));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", shown(&output));
    let mut compared = 0;
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let Series { symbol, name, window, tolerance, values } =
            serde_json::from_str(line).unwrap();
        let measure = Measure::over(Function::named(&name).unwrap(), window);
        let first = measure.closes_needed() - 1;
        assert_eq!(values.iter().position(Option::is_some), Some(first), "{measure:?}");
        let ours = measure.run(history(&symbol).closes());
        assert_eq!(ours.len(), values.len() - first, "{measure:?}");
        for (ours, theirs) in ours.iter().zip(values.iter().skip(first).flatten()) {
            let apart = (ours - theirs).abs() / theirs.abs().max(1e-3);
            assert!(apart <= tolerance, "{symbol} {measure:?}: {ours} {theirs}");
            compared += 1;
        }
    }
    claims_something(compared, 600_000);
}

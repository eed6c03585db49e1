//! The indicators of a million closes beside those of TA-Lib, in one run: nothing but the ratio says
//! much about the code, the rest is the machine's.
//!
//! Both sides are asked in turn, and of each the least of its tries counts. Ours writes into memory
//! that it has used before.

#![expect(clippy::print_stdout, reason = "a benchmark tells its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "the program lives in the machine's time")]
#![allow(dead_code, reason = "the tests' environment has more than a bench needs")]

#[path = "../tests/python/mod.rs"]
mod python;

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use alchemiser::domain::symphony::function::Function;
use alchemiser::domain::symphony::measure::Measure;

const CLOSES: usize = 1_000_000;
const TRIES: usize = 40;
/// Ours takes at most as long as theirs.
const RATIO_MAX: f64 = 1.0;

fn main() {
    let mut close = 100.0;
    let mut state = 1_u32;
    let closes: Vec<f64> = (0..CLOSES)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            close *= 1.0 + (f64::from(state >> 8) / f64::from(1_u32 << 24) - 0.5) * 0.02;
            close
        })
        .collect();
    let python = python::environment("indicators").join("python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/kernels.py");
    let mut theirs = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut asked = theirs.stdin.take().unwrap();
    let mut answers = BufReader::new(theirs.stdout.take().unwrap()).lines();
    for close in &closes {
        asked.write_all(&close.to_le_bytes()).unwrap();
    }
    asked.flush().unwrap();
    assert_eq!(answers.next().unwrap().unwrap(), CLOSES.to_string());

    for (function, window) in
        [(Function::Rsi, 10), (Function::MovingAveragePrice, 200), (Function::StdevPrice, 20)]
    {
        let measure = Measure::over(function, window);
        let mut values = Vec::new();
        let (mut ours, mut talib) = (Duration::MAX, f64::INFINITY);
        for _ in 0..TRIES {
            let start = Instant::now();
            measure.run_into(black_box(&closes), &mut values);
            ours = ours.min(start.elapsed());
            black_box(&values);
            writeln!(asked, "{} {window}", function.name()).unwrap();
            asked.flush().unwrap();
            talib = talib.min(answers.next().unwrap().unwrap().parse().unwrap());
        }
        let ours = ours.as_secs_f64() * 1e9;
        let per = |nanos: f64| nanos / 1e6;
        println!(
            "{}({window}) of a million closes: {:.2} ns a close, TA-Lib {:.2}: {:.2} of it (bound {RATIO_MAX})",
            function.name(),
            per(ours),
            per(talib),
            ours / talib
        );
    }
    drop(asked);
    theirs.wait().unwrap();
}

//! The command line as its user meets it: the real binary in an empty folder.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken expectation ends a test")]

mod check;
mod control;
mod desk;
mod exchange;
mod report;
mod runs;

//! The command line as its user meets it: the real binary in an empty folder.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken expectation ends a test")]

#[path = "../browser/mod.rs"]
mod browser;
mod check;
mod control;
mod desk;
mod exchange;
#[path = "../form/mod.rs"]
mod form;
mod letters;
#[path = "../python/mod.rs"]
mod python;
mod record;
mod report;
mod runs;

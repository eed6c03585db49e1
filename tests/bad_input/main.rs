//! Whatever comes in wrong ends in the right category, without a wrong order, and in a mail that
//! an operator understands.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken expectation ends a test")]

mod market;
mod names;
mod operator;
mod preview;
mod scene;

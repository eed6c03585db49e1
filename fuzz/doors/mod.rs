//! The doors through which text from outside comes in, each as a function of bytes.
//!
//! The fuzz targets hammer at them; an ordinary test sends every kept input through them. A door
//! may refuse whatever it likes. It must not break off, and what it lets in keeps the laws that
//! the rest of the program builds on.

#![allow(dead_code, reason = "a fuzz target uses one of them")]

pub(crate) mod broker;
pub(crate) mod evaluate;
pub(crate) mod event;
pub(crate) mod journal;
pub(crate) mod policy;
pub(crate) mod steps;
pub(crate) mod stream;
pub(crate) mod symphony;

/// Waits for something that waits for nobody outside the process.
fn wait_for<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime of one thread needs nothing").block_on(work)
}

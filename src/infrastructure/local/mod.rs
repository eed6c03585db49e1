//! Offline twins of the cloud's store, mail and secrets.
//!
//! They use the blocking file calls of the standard library: a laptop's disk answers in well
//! under a millisecond, nothing else waits meanwhile, and a thread pool would only add ways to
//! be killed half-way.

pub mod mail;
pub mod secrets;
pub mod store;

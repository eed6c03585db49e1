//! The use case: claim, observe, decide, act, tell. Knows ports, never adapters.

pub mod ports;

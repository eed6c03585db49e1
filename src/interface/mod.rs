//! What people and the cloud touch: settings, wiring, command line, function.
//!
//! Raw texts become types here, once, and everything that is wrong with them is said by name.
//! Ports meet adapters in [`connections`] and [`wiring`] and nowhere else.

pub mod cli;
pub mod code;
pub mod connections;
pub mod event;
pub mod lambda;
pub mod response;
pub mod settings;
pub mod telemetry;
pub mod wiring;

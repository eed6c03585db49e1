//! What people and the cloud touch: settings, wiring, command line, function.

pub mod cli;
pub mod event;
pub mod lambda;
pub mod settings;
pub mod telemetry;
pub mod wiring;

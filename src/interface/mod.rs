//! What people and the cloud touch: settings, wiring, command line, function.

pub mod event;
pub mod settings;

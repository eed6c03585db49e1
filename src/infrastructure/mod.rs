//! Adapters: the only code that meets the world.

pub mod alpaca;
pub mod clock;
pub mod http;
pub mod local;

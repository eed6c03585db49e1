//! Adapters: the only code that meets the world.

pub mod alpaca;
pub mod clock;
pub mod hosts;
pub mod http;
pub mod https;
pub mod keys;
pub mod local;

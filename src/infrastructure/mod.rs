//! Adapters: the only code that meets the world.
//!
//! Each translates between one port and one thing outside, and none knows another. They decide
//! nothing about trading; what an answer cannot say with certainty becomes an error, split by who
//! must act.

pub mod alpaca;
pub mod clock;
pub mod hosts;
pub mod http;
pub mod https;
pub mod keys;
pub mod local;

//! Adapters: the only code that meets the world.
//!
//! Each translates between one port and one thing outside, and none knows another. They decide
//! nothing about trading; what an answer cannot say with certainty becomes an error, split by who
//! must act.

pub mod alpaca;
#[cfg(feature = "aws")]
pub mod aws;
#[cfg(not(feature = "aws"))]
#[path = "no_aws.rs"]
pub mod aws;
pub mod clock;
pub mod hosts;
pub mod http;
pub mod https;
pub mod keys;
pub mod local;
pub mod memory;
pub mod push;

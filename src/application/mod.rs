//! The use case: claim, observe, decide, act, tell. Knows ports, never adapters.

mod chronicle;
mod close;
pub mod control;
mod dealing;
pub mod desk;
mod entry;
pub mod execute;
pub mod journal;
pub mod observe;
mod order_life;
pub mod ports;
pub mod run;
mod stop;
pub mod tell;
pub mod trouble;

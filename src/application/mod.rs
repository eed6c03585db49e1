//! The use case: claim, observe, decide, act, tell. Knows ports, never adapters.
//!
//! In reading order: [`run`] (the story), `entry` (the door), [`journal`], [`observe`],
//! [`execute`], `dealing`, `order_life`, `close`, [`tell`]. Beside them `stop` and [`trouble`] say
//! what a failure means, and `chronicle` collects the report on the way. No rule of trading lives
//! here: those are in the domain.

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
mod planning;
pub mod ports;
pub mod run;
mod sending;
mod stop;
pub mod tell;
pub mod trouble;

//! The use case: claim, observe, decide, act, tell. Knows ports, never adapters.
//!
//! In reading order: [`run`] (the story), `entry` (the door), [`force`], [`journal`], `planning`,
//! [`observe`], `hindsight`, [`confirm`], [`execute`] with `outcomes`, `dealing`, `order_life` with `current`,
//! `close`, `ending`, [`tell`]. Beside them `stop` and [`trouble`] say what a failure means, and
//! `chronicle` collects the report on the way. The operator's word is in [`control`], [`arming`]
//! and [`instructions`]. [`protocol`] is a page without code: what all of them keep to together,
//! and what happens after a break at any point. [`watch`] comes after a run and only reads what it
//! left, and so does [`period`], which tells of a week or a month;
//! [`index`] lists the runs. No rule of trading lives here: those are in the domain.

pub mod alarm;
pub mod arming;
pub mod brake;
mod chronicle;
mod close;
pub mod confirm;
pub mod control;
mod current;
mod dealing;
pub mod desk;
mod ending;
mod entry;
pub mod execute;
pub mod floor;
pub mod force;
mod hindsight;
mod house;
pub mod index;
pub mod instructions;
pub mod journal;
mod left_open;
mod mailing;
pub mod meter;
pub mod observe;
mod order_life;
mod outcomes;
pub mod period;
mod planning;
pub mod ports;
pub mod protocol;
pub mod push;
pub mod run;
mod steps;
mod stop;
pub mod tell;
pub mod trouble;
pub mod watch;
mod withdraw;

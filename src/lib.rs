//! Runs several rotation strategies on one Alpaca account, once a day, and mails what it did and why.
//!
//! One idea: **observe, decide, act, tell.** Everything a run knows is gathered once; one pure
//! function decides; one loop sends the orders; one report is stored and mailed.

pub mod application;
pub mod domain;
pub mod infrastructure;
pub mod interface;
pub mod presentation;
pub mod simulator;

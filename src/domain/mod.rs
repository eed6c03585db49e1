//! The trading rules, pure: no waiting, no reading, no clock, no logging.

pub mod account;
pub mod book;
pub mod decide;
pub mod execution;
pub mod hash;
pub mod incident;
pub mod indicator;
pub mod market;
pub mod money;
pub mod notices;
pub mod order;
pub mod plan;
pub mod policy;
pub mod price_file;
pub mod pricing;
pub mod report;
pub mod risk;
pub mod run;
pub mod session;
pub mod signal;
pub mod sleeve;
pub mod snapshot;
pub mod strategy;
pub mod symbol;
pub mod symphony;
pub mod target;

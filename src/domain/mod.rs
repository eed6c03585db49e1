//! The trading rules, pure: no waiting, no reading, no clock, no logging.
//!
//! Pure, because a rule that can be called on paper can be tested on paper: the same inputs give
//! the same bytes, in a test, in a replay and in the run. In reading order: [`decide`], which calls
//! [`signal`], [`sleeve`], [`target`], [`plan`] and [`risk`]; then [`strategy`] and [`symphony`];
//! then the words of the trade.

pub mod account;
pub mod arming;
pub mod attempts;
pub mod book;
pub mod books;
pub mod brake;
pub mod code;
pub mod decide;
pub mod execution;
pub mod fill_price;
pub mod hash;
pub mod incident;
pub mod market;
pub mod money;
pub mod mutant;
pub mod notices;
pub mod opposed;
pub mod opposites;
pub mod order;
pub mod order_id;
pub mod period;
pub mod plan;
pub mod policy;
pub mod price_file;
pub mod pricing;
pub mod push;
pub mod quality;
pub mod rates;
pub mod receipt;
pub mod report;
pub mod revision;
pub mod risk;
pub mod run;
pub mod session;
pub mod shapes;
pub mod signal;
pub mod sleeve;
pub mod snapshot;
pub(crate) mod spelling;
pub(crate) mod steps;
pub mod strategy;
pub mod symbol;
pub mod symphony;
pub mod target;
pub mod watch;

#[doc(inline)]
pub use alchemiser_indicators as indicator;

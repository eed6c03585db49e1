//! Sleeves: which strategy owns which shares.
//!
//! Sleeves own shares, never cash; shares in no sleeve are foreign and are never sold or
//! counted. Sleeves and foreign shares together are the broker's position, per asset, at the
//! start and the end of every run.

pub mod adopt;
pub mod attribution;
pub mod capital;
pub mod crossing;
pub mod due;
pub mod fold;
pub mod instruct;
pub mod ledger;
pub mod settle;
mod tickers;

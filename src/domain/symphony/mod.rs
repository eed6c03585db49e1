//! The strategy language: text to tree, tree to weights, and the trace of how.

pub mod trace;

//! The report as people read it: letter, HTML, terminal text. Pure.

pub mod explain;

//! Trials: sessions full of trouble, drawn from a seed, lived through in virtual time, and judged.
//!
//! A [`script`] says all that will happen, so that one part of it can be left out and the rest
//! lived through again. [`draw`] makes scripts from seeds. [`shelf`], [`post`] and [`vault`] are the
//! store, the mail and the keys of such a world; [`lifeline`] is what a process of ours hangs on: it
//! can be cut before or after any call that leaves the process. [`truth`] is what really happened,
//! and [`oracle`](crate::simulator::oracle) judges by that alone.
//!
//! Who lives a script through is not said here: the use case lies above this layer.

pub mod cut;
pub mod draw;
pub mod hands;
pub mod lifeline;
pub mod post;
pub mod script;
pub mod shelf;
pub mod shrink;
pub mod truth;
pub mod vault;

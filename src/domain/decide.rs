//! Snapshot in, decision out.

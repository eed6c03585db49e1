//! The scheduled function.

fn main() {}

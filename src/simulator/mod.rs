//! The look-alike exchange, below the broker adapter.

//! The limit ladder: at which price an attempt is sent.

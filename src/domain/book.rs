//! The book: the built-in strategies, embedded, and those the operator adds.

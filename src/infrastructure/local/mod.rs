//! Offline twins: a folder as store, an outbox as mail, a file as secret.

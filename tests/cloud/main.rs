//! The artefact that `sam build` packs, driven as Lambda would drive it: by Amazon's own emulator
//! or by a runtime interface of our own, before a server that speaks Amazon's protocols, a proxy
//! that makes trouble on the way there, and the built-in exchange.
#![cfg(feature = "aws")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a broken expectation ends a test")]
#![expect(clippy::disallowed_methods, reason = "the artefact lives in the machine's time")]

mod artefact;
mod bad_input;
mod canary;
mod days;
mod elf;
mod emulator;
mod exchange;
mod folder;
mod http;
mod leash;
mod moto;
mod proxy;
#[path = "../python/mod.rs"]
mod python;
mod resume;
mod runtime_api;
mod stage;

//! The look-alike exchange, below the broker adapter.
//!
//! It answers the broker's HTTP requests in process ([`world`]) or on a loopback port
//! ([`server`]), so that everything above the transport is production code. Its JSON is an
//! independent reading of the broker's documents: it shares no type and no function with the
//! adapter, so that a misreading shows as a disagreement. Left out on purpose: options, crypto,
//! replacing orders, margin interest and intraday bars.

pub mod calendar;
pub mod exchange;
pub mod faults;
pub mod market;
pub mod oracle;
pub mod random;
pub mod routes;
pub mod server;
pub mod trial;
pub mod world;

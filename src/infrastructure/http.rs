//! The one seam that every broker request passes through.
//!
//! A [`Transport`] carries one request and its answer and decides nothing: no retry, no redirect,
//! no reading of bodies. The simulated exchange implements it too, so that everything above it
//! is the same code in production and in simulation.

use std::time::Duration;

use async_trait::async_trait;

/// HTTP methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Cancels.
    Delete,
    /// Changes.
    Patch,
}

/// Which of the broker's hosts a request goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// Account and orders.
    Trading,
    /// Market data.
    Data,
}

/// One request.
#[derive(Clone)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Host.
    pub host: Host,
    /// Path and query, already percent-encoded, such as `/v2/orders?status=all`.
    pub target: String,
    /// Headers; names in lower case. Values may be secret.
    pub headers: Vec<(&'static str, String)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
    /// The whole exchange must end within this.
    pub timeout: Duration,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body, already unpacked.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection was made: the request had no effect.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The request may have had its effect.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

/// Carries requests.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Carries one request, once.
    async fn carry(&self, request: Request) -> Result<Response, TransportError>;
}

impl Response {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

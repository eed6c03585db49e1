//! The transport over the internet: one client with pinned habits.
//!
//! HTTP/1.1 over several connections rather than one shared one, because large answers arrive
//! sooner that way; certificate roots compiled in, because reading the system's costs more than
//! everything else at start; no proxy, no redirect, no retry, so that a request with keys goes
//! where it was sent, once.

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustls::{ClientConfig, RootCertStore};

use crate::infrastructure::hosts::Hosts;
use crate::infrastructure::http::{Method, Request, Response, Transport, TransportError};

/// Longest answer taken in, unpacked; a full page of bars has about 1.2 MB.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A connection that takes longer than this will not come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// An idle connection older than this may be dead: the function may have been frozen meanwhile.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// Connections kept per host: as many as requests go together, or the next round of requests
/// would wait for handshakes again.
const IDLE_CONNECTIONS_MAX: usize = 12;
/// Longest description of a failure.
const REASON_LENGTH_MAX: usize = 200;
const USER_AGENT: &str = concat!("alchemiser/", env!("CARGO_PKG_VERSION"));

/// Carries requests over HTTPS.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    hosts: Hosts,
}

impl ReqwestTransport {
    /// A transport to these hosts.
    ///
    /// # Errors
    /// [`TransportError::NotSent`] when the client cannot be built.
    pub fn new(hosts: Hosts, tls: &Tls) -> Result<Self, TransportError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(ClientConfig::clone(&tls.0))
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .gzip(true)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build()
            .map_err(|error| TransportError::NotSent(reason(error)))?;
        Ok(Self { client, hosts })
    }
}

impl ReqwestTransport {
    /// The same client on its way to other hosts.
    #[must_use]
    pub fn to(&self, hosts: Hosts) -> Self {
        Self { client: self.client.clone(), hosts }
    }
}

#[async_trait]
impl Transport for ReqwestTransport {
    async fn carry(&self, request: Request) -> Result<Response, TransportError> {
        let url = format!("{}{}", self.hosts.base(request.host), request.target);
        let mut builder = self.client.request(method(request.method), url).timeout(request.timeout);
        for (name, value) in request.headers {
            let mut value = reqwest::header::HeaderValue::try_from(value)
                .map_err(|_| TransportError::NotSent(format!("header {name} not sendable")))?;
            value.set_sensitive(true);
            builder = builder.header(name, value);
        }
        if !request.body.is_empty() {
            builder = builder.body(request.body);
        }
        let answer = builder.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        Ok(Response { status, headers, body: body(answer).await? })
    }
}

/// The answer's body, refused once it grows too long.
async fn body(mut answer: reqwest::Response) -> Result<Vec<u8>, TransportError> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(TransportError::NoAnswer(format!("longer than {ANSWER_BYTES_MAX} bytes")));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Delete => reqwest::Method::DELETE,
        Method::Patch => reqwest::Method::PATCH,
    }
}

/// Only a failure before the connection stood proves that nothing was sent.
fn failed(error: reqwest::Error) -> TransportError {
    if error.is_connect() || error.is_builder() {
        TransportError::NotSent(reason(error))
    } else {
        TransportError::NoAnswer(reason(error))
    }
}

/// The chain of causes in one line, without the address.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let _ = write!(text, ": {inner}"); // writing to a String cannot fail
        cause = inner.source();
    }
    text.chars().take(REASON_LENGTH_MAX).collect()
}

/// Whose certificates are believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trust {
    /// Roots compiled in.
    #[default]
    Compiled,
    /// Roots of the machine, or of the file that `SSL_CERT_FILE` names: for a network that
    /// inspects what passes, or for roots newer than the program.
    System,
}

/// How connections are encrypted and certificates checked: once for requests and stream.
#[derive(Debug, Clone)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Checks certificates against these roots; the cryptography is compiled in.
    ///
    /// # Panics
    /// Never: the provider supports the default protocol versions.
    pub fn new(trust: Trust) -> Self {
        let roots = match trust {
            Trust::Compiled => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
            Trust::System => {
                let mut roots = RootCertStore::empty();
                // Without any root each connection is refused, and says why.
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                roots
            }
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports the default protocol versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self(Arc::new(config))
    }

    /// For whoever opens a connection of their own.
    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

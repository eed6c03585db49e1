//! Carries the cloud libraries' requests over the same make of client as the broker's.
//!
//! One client of HTTPS instead of two: the same certificates are believed, the same cryptography
//! and the same version of the protocol is used, and the program is the smaller for it. Times to
//! answer are kept by the libraries above, which know what a call is.

use std::time::Duration;

use aws_sdk_s3::config::http::{HttpRequest, HttpResponse};
use aws_sdk_s3::config::{HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

use crate::infrastructure::https::{Tls, client};

/// Longest answer taken in; a snapshot of a large book has about a megabyte.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The client.
#[derive(Debug, Clone)]
pub(super) struct Carriage {
    client: reqwest::Client,
}

impl Carriage {
    /// A client that gives up connecting after a time; `None` when it cannot be made.
    pub(super) fn new(tls: &Tls, connect_timeout: Duration) -> Option<Self> {
        // What is signed and summed is what must arrive: nothing is unpacked on the way.
        let client = client(tls, connect_timeout).gzip(false).build().ok()?;
        Some(Self { client })
    }
}

impl HttpClient for Carriage {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Carriage {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.client.clone();
        HttpConnectorFuture::new(async move {
            let request = outgoing(request).await?;
            let answer = client.execute(request).await.map_err(failed)?;
            let status = StatusCode::try_from(answer.status().as_u16());
            let status = status.map_err(|error| ConnectorError::other(error.into(), None))?;
            let headers = answer.headers().clone();
            let body = whole(answer).await?;
            let mut answer = HttpResponse::new(status, SdkBody::from(body));
            for (name, value) in &headers {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                answer.headers_mut().try_append(name.as_str().to_owned(), value).map_err(unfit)?;
            }
            Ok(answer)
        })
    }
}

/// The request as the client sends it. Its body is in memory: we send no streams.
async fn outgoing(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let request = request.try_into_http1x().map_err(unfit)?;
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
    let address = parts.uri.to_string().parse().map_err(unfit)?;
    let mut request = reqwest::Request::new(parts.method, address);
    *request.headers_mut() = parts.headers;
    *request.body_mut() = Some(body.into());
    Ok(request)
}

/// The answer's body, refused once it grows too long for the function's memory.
async fn whole(mut answer: reqwest::Response) -> Result<Vec<u8>, ConnectorError> {
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(ConnectorError::other("an answer without end".into(), None));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn unfit(error: impl std::error::Error + Send + Sync + 'static) -> ConnectorError {
    ConnectorError::user(error.into())
}

fn failed(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

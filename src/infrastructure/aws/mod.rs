//! Adapters of the cloud: records in S3, mail through SES, keys from Secrets Manager.
//!
//! One client of HTTPS for all of them, with the same cryptography as the broker's. Every call has
//! a time to connect, a time for each attempt and a time for all attempts. An error is told by the
//! cloud's code, status and request id, never by its text: an answer may echo what was sent.

mod mail;
mod secrets;
mod store;

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_s3::config::SharedHttpClient;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

use crate::application::ports::{Credentials, Mailer, Store};
use crate::infrastructure::aws::mail::SesCarrier;
use crate::infrastructure::aws::secrets::ManagedSecret;
use crate::infrastructure::aws::store::BucketStore;
use crate::infrastructure::https::Trust;

/// The authorities that sign the cloud's own hosts, as the cloud publishes them at
/// <https://www.amazontrust.com/repository/>. Reading a whole system's roots would cost more than
/// everything else at start.
const ROOTS: &[u8] = include_bytes!("roots.pem");
/// A connection that takes longer than this will not come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// An idle connection older than this may be dead: the function may have been frozen meanwhile.
const IDLE_MAX: Duration = Duration::from_secs(20);
/// Time of one attempt; usual answers take a tenth of a second.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// Time of a call with all its attempts: a record, its page and its mail must fit into the time
/// kept free for them at the end of a run.
const CALL_TIMEOUT: Duration = Duration::from_secs(7);
/// Attempts of a call that changes nothing.
const READ_TRIES: u32 = 3;
/// Longest wait before the second attempt; drawn at random below it, doubled for the third.
const FIRST_WAIT: Duration = Duration::from_millis(300);
/// Codes and request ids are short names; anything longer is something else.
const NAME_LENGTH_MAX: usize = 80;

/// The cloud's services as one process reaches them.
#[derive(Debug, Clone)]
pub struct Cloud {
    s3: aws_sdk_s3::Client,
    ses: aws_sdk_sesv2::Client,
    secrets: aws_sdk_secretsmanager::Client,
}

impl Cloud {
    /// Region, credentials and addresses come from the environment that the cloud's own
    /// libraries read. Nothing is sent yet.
    ///
    /// `None` never: a build without the cloud has another [`Cloud`], which cannot be had.
    pub async fn connect(trust: Trust) -> Option<Self> {
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http_client(trust))
            .retry_config(
                RetryConfig::standard()
                    .with_initial_backoff(FIRST_WAIT)
                    .with_max_attempts(READ_TRIES),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .read_timeout(ATTEMPT_TIMEOUT)
                    .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                    .operation_timeout(CALL_TIMEOUT)
                    .build(),
            )
            .load()
            .await;
        Some(Self {
            s3: aws_sdk_s3::Client::from_conf(s3_config(&config)),
            ses: aws_sdk_sesv2::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
        })
    }

    /// Records in a bucket.
    pub fn store(&self, bucket: &str) -> Arc<dyn Store> {
        Arc::new(BucketStore::new(self.s3.clone(), bucket))
    }

    /// The mail carrier.
    pub fn mailer(&self) -> Arc<dyn Mailer> {
        Arc::new(SesCarrier::new(self.ses.clone()))
    }

    /// The key pair in a secret, remembered once read.
    pub fn secret(&self, name: String) -> Arc<dyn Credentials> {
        Arc::new(ManagedSecret::new(self.secrets.clone(), name))
    }
}

/// A server at an address of one's own serves all buckets under one name.
fn s3_config(config: &SdkConfig) -> aws_sdk_s3::Config {
    aws_sdk_s3::config::Builder::from(config)
        .force_path_style(config.endpoint_url().is_some())
        .build()
}

fn http_client(trust: Trust) -> SharedHttpClient {
    let roots = match trust {
        Trust::Compiled => TrustStore::empty().with_pem_certificate(ROOTS),
        Trust::System => TrustStore::empty().with_native_roots(true),
    };
    let context = TlsContext::builder().with_trust_store(roots).build();
    Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context.expect("a list of roots makes a context"))
        .pool_idle_timeout(IDLE_MAX)
        .build_https()
}

/// How a call failed, as far as callers tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    /// Status of the answer, if one came.
    status: Option<u16>,
    /// The cloud's name for the error; empty without an answer.
    code: String,
    /// All of it in words.
    words: String,
}

fn fault<E>(error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let silent = |words: &str| Fault { status: None, code: String::new(), words: words.to_owned() };
    let (answer, code) = match error {
        SdkError::ConstructionFailure(_) => return silent("the request could not be made"),
        SdkError::TimeoutError(_) => return silent("no answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            return silent("no connection in time");
        }
        SdkError::DispatchFailure(failure) if failure.is_io() => {
            return silent("no connection, or cut off");
        }
        SdkError::DispatchFailure(_) => {
            return silent("not sent: no connection, or no credentials of the function");
        }
        SdkError::ResponseError(failure) => (failure.raw(), None),
        SdkError::ServiceError(failure) => (failure.raw(), failure.err().code()),
        _ => return silent("an unknown kind of failure"),
    };
    let status = answer.status().as_u16();
    let code = code.map(name).unwrap_or_default();
    let shown = if code.is_empty() { "an answer without a code" } else { code.as_str() };
    let request = answer.request_id().map(name).unwrap_or_default();
    let words = format!("{shown} (status {status}, request {request})");
    Fault { status: Some(status), code, words }
}

/// The plain signs of a name that came from outside.
fn name(text: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.chars().filter(plain).take(NAME_LENGTH_MAX).collect()
}

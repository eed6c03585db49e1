//! Records in a bucket, created once and for good.
//!
//! S3 stores an object only if nothing is there when the write says `If-None-Match: *`; of any
//! number of writers exactly one succeeds. A write whose answer is lost meets its own object when
//! it is repeated: the caller sees that by the writer's name within the bytes. Writes are never
//! repeated here, because the caller's repetitions have its clock and its bound.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{Builder, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use jiff::Timestamp;

use crate::application::ports::{Put, Record, Store, StoreError};
use crate::infrastructure::aws::{Fault, fault};

/// Pages of a list, a thousand keys each; a month of runs has about two thousand.
const PAGES_MAX: usize = 100;
/// Nothing but this ever replaces what is there: the write fails if anything is.
const ABSENT: &str = "*";

/// A bucket of records.
#[derive(Debug, Clone)]
pub(super) struct BucketStore {
    s3: Client,
    bucket: String,
}

impl BucketStore {
    /// Records of this bucket.
    pub(super) fn new(s3: Client, bucket: &str) -> Self {
        Self { s3, bucket: bucket.to_owned() }
    }
}

#[async_trait]
impl Store for BucketStore {
    async fn put_once(&self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        let answered = AnsweredAt::default();
        let put = self.s3.put_object().bucket(&self.bucket).key(key).if_none_match(ABSENT);
        let put = put.content_type(content_type(key)).body(ByteStream::from(bytes.to_vec()));
        let put = put.customize().interceptor(answered.clone()).config_override(once());
        let failure = match put.send().await {
            Ok(_) => {
                if let Some(at) = answered.read() {
                    return Ok(Put::Stored { at });
                }
                let stored = self.get(key).await?.ok_or_else(|| vanished(key))?;
                return Ok(Put::Stored { at: stored.at });
            }
            Err(error) => fault(&error),
        };
        if failure.status == Some(412) {
            return Ok(Put::Exists(self.get(key).await?.ok_or_else(|| vanished(key))?));
        }
        Err(failed(key, failure))
    }

    async fn put_view(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let put = self.s3.put_object().bucket(&self.bucket).key(key);
        let put = put.content_type(content_type(key)).body(ByteStream::from(bytes.to_vec()));
        let put = put.customize().config_override(once());
        put.send().await.map(|_| ()).map_err(|error| failed(key, fault(&error)))
    }

    async fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        let object = match self.s3.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => object,
            Err(error) => {
                let failure = fault(&error);
                return if failure.code == "NoSuchKey" {
                    Ok(None)
                } else {
                    Err(failed(key, failure))
                };
            }
        };
        let at = object.last_modified().and_then(moment);
        let at = at.ok_or_else(|| unavailable(key, "an answer without a time".to_owned()))?;
        let body = object.body.collect().await;
        let body = body.map_err(|_| unavailable(key, "the answer broke off".to_owned()))?;
        Ok(Some(Record { bytes: body.to_vec(), at }))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let (mut keys, mut next) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let page = self.s3.list_objects_v2().bucket(&self.bucket).prefix(prefix);
            let page = page.set_continuation_token(next).send().await;
            let page = page.map_err(|error| failed(prefix, fault(&error)))?;
            let objects = page.contents.unwrap_or_default();
            keys.extend(objects.into_iter().filter_map(|object| object.key));
            next = page.next_continuation_token;
            if next.is_none() {
                keys.sort();
                return Ok(keys);
            }
        }
        Err(unavailable(prefix, format!("a list of more than {PAGES_MAX} pages")))
    }
}

/// The time in the head of an answer: the store's own.
#[derive(Debug, Clone, Default)]
struct AnsweredAt(Arc<Mutex<Option<Timestamp>>>);

impl AnsweredAt {
    fn read(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for AnsweredAt {
    fn name(&self) -> &'static str {
        "AnsweredAt"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let at = date.map(|date| date.timestamp());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
        Ok(())
    }
}

/// A call that is sent one time only.
fn once() -> Builder {
    Builder::default().retry_config(RetryConfig::disabled())
}

/// Browsers show what they are told it is.
fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.').map(|(_, ending)| ending) {
        Some("json") => "application/json",
        Some("html") => "text/html; charset=utf-8",
        Some(_) | None => "text/plain; charset=utf-8",
    }
}

fn moment(time: &DateTime) -> Option<Timestamp> {
    let nanoseconds = i32::try_from(time.subsec_nanos()).ok()?;
    Timestamp::new(time.secs(), nanoseconds).ok()
}

/// Whoever has to act: a person where the bucket or the right to it is missing, time where it is
/// slow or two writers met.
fn failed(key: &str, failure: Fault) -> StoreError {
    let wrong_place = matches!(failure.status, Some(301 | 401 | 403 | 404))
        || matches!(failure.code.as_str(), "AuthorizationHeaderMalformed" | "InvalidBucketName");
    let (key, reason) = (key.to_owned(), failure.words);
    if wrong_place {
        StoreError::Denied { key, reason }
    } else {
        StoreError::Unavailable { key, reason }
    }
}

fn unavailable(key: &str, reason: String) -> StoreError {
    StoreError::Unavailable { key: key.to_owned(), reason }
}

fn vanished(key: &str) -> StoreError {
    unavailable(key, "it was there a moment ago and is not now".to_owned())
}

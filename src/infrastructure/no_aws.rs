//! The cloud of a build that has none: it cannot be connected to, so none of it is ever called.

use std::sync::Arc;

use crate::application::ports::{Credentials, Mailer, Store};
use crate::infrastructure::https::Trust;

/// Services that this build cannot reach.
#[derive(Debug, Clone, Copy)]
pub enum Cloud {}

impl Cloud {
    /// Never a cloud.
    #[expect(clippy::unused_async, reason = "the real one waits")]
    pub async fn connect(_: Trust) -> Option<Self> {
        None
    }

    /// Records in a bucket.
    pub fn store(&self, _: &str) -> Arc<dyn Store> {
        match *self {}
    }

    /// The mail carrier.
    pub fn mailer(&self) -> Arc<dyn Mailer> {
        match *self {}
    }

    /// The key pair in a secret.
    pub fn secret(&self, _: String) -> Arc<dyn Credentials> {
        match *self {}
    }
}

//! Keys from a file, or given outright.

use std::io::ErrorKind;
use std::path::PathBuf;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::application::ports::{Credentials, CredentialsError, Freshness, KeyPair, Secret};
use crate::infrastructure::keys;

/// A JSON file with `key_id` and `secret_key`, read anew each time it is asked.
#[derive(Debug, Clone)]
pub struct SecretFile {
    path: PathBuf,
}

/// Keys that need no keeping, for the exchange that runs on this machine.
#[derive(Debug, Clone)]
pub struct StaticKeys {
    pair: KeyPair,
}

impl SecretFile {
    /// Keys kept in this file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl StaticKeys {
    /// These keys.
    pub fn new(id: &str, secret: &str) -> Self {
        let pair =
            KeyPair { id: Secret::new(id.to_owned()), secret: Secret::new(secret.to_owned()) };
        Self { pair }
    }
}

#[async_trait]
impl Credentials for SecretFile {
    async fn keys(&self, _freshness: Freshness) -> Result<KeyPair, CredentialsError> {
        let name = self.path.display().to_string();
        match std::fs::read(&self.path).map(Zeroizing::new) {
            Ok(text) => keys::parse(&name, &text),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(CredentialsError::Missing { name })
            }
            Err(error) => Err(CredentialsError::Unavailable { name, reason: error.to_string() }),
        }
    }
}

#[async_trait]
impl Credentials for StaticKeys {
    async fn keys(&self, _freshness: Freshness) -> Result<KeyPair, CredentialsError> {
        Ok(self.pair.clone())
    }
}

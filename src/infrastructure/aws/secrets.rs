//! Keys from Secrets Manager: read once in a process's life, and once more when the broker
//! refuses them.

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::application::ports::{Credentials, CredentialsError, Freshness, KeyPair};
use crate::infrastructure::aws::fault;
use crate::infrastructure::keys;

/// The key pair in one secret.
#[derive(Debug)]
pub(super) struct ManagedSecret {
    secrets: Client,
    name: String,
    remembered: Mutex<Option<KeyPair>>,
}

impl ManagedSecret {
    pub(super) fn new(secrets: Client, name: String) -> Self {
        Self { secrets, name, remembered: Mutex::default() }
    }

    async fn read(&self) -> Result<KeyPair, CredentialsError> {
        let name = self.name.clone();
        let secret = match self.secrets.get_secret_value().secret_id(&name).send().await {
            Ok(secret) => secret,
            Err(error) => {
                let failure = fault(&error);
                return Err(match failure.code.as_str() {
                    "ResourceNotFoundException" => CredentialsError::Missing { name },
                    "AccessDeniedException" | "UnrecognizedClientException" => {
                        CredentialsError::Denied { name, reason: failure.words }
                    }
                    _ => CredentialsError::Unavailable { name, reason: failure.words },
                });
            }
        };
        let text = match (secret.secret_string, secret.secret_binary) {
            (Some(text), _) => Zeroizing::new(text.into_bytes()),
            (None, Some(bytes)) => Zeroizing::new(bytes.into_inner()),
            (None, None) => Zeroizing::default(),
        };
        keys::parse(&name, &text)
    }
}

#[async_trait]
impl Credentials for ManagedSecret {
    async fn keys(&self, freshness: Freshness) -> Result<KeyPair, CredentialsError> {
        let mut remembered = self.remembered.lock().await; // those who ask meanwhile wait for one read
        if let (Freshness::Remembered, Some(pair)) = (freshness, remembered.as_ref()) {
            return Ok(pair.clone());
        }
        let pair = self.read().await?;
        *remembered = Some(pair.clone());
        Ok(pair)
    }
}

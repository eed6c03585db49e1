//! The keys of a trial: a canary that must show nowhere, and what goes wrong with it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::application::ports::{Credentials, CredentialsError, Freshness, KeyPair, Secret};
use crate::simulator::routes::Keys;
use crate::simulator::trial::script::KeysTrouble;
use crate::simulator::world::World;

/// Key id of the first pair; it must show nowhere.
pub const KEY_ID: &str = "PKCANARY7Q2XW8ZT4M1V";
/// Secret key of the first pair; it must show nowhere.
pub const SECRET_KEY: &str = "canaryQ9s/8vT+3kLmN0pRwXyZ2bCdEfGhJ4uA6i";
/// The pair after a rotation.
pub const ROTATED: (&str, &str) =
    ("PKCANARY0R0T4T3D5K8U", "canaryRotated/7jH+2nBvC5xZ8lKqWe3rTyU9oP");

#[derive(Debug, Clone, Default)]
struct State {
    out_of_reach: u32,
    missing: bool,
    rotated: bool,
}

/// Where the keys are kept.
#[derive(Clone, Default)]
pub struct Vault(Arc<Mutex<State>>);

impl Vault {
    fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Equal keys, kept elsewhere.
    #[must_use]
    pub fn parted(&self) -> Self {
        Self(Arc::new(Mutex::new(self.with(|state| state.clone()))))
    }

    /// The broker takes the keys that are kept here.
    pub fn fit(&self, world: &World) {
        let (id, secret) = self.pair();
        world.door(|door| door.keys = Keys::Only { id, secret });
    }

    fn pair(&self) -> (String, String) {
        let (id, secret) =
            if self.with(|state| state.rotated) { ROTATED } else { (KEY_ID, SECRET_KEY) };
        (id.to_owned(), secret.to_owned())
    }

    /// Some trouble from now on.
    pub fn trouble(&self, trouble: KeysTrouble, world: &World) {
        match trouble {
            KeysTrouble::OutOfReach(calls) => self.with(|state| state.out_of_reach = calls),
            KeysTrouble::Missing => self.with(|state| state.missing = true),
            KeysTrouble::Rotated => {
                self.with(|state| state.rotated = true);
                self.fit(world);
            }
            KeysTrouble::Withdrawn => {
                let nobodys = || "withdrawn".to_owned();
                world.door(|door| door.keys = Keys::Only { id: nobodys(), secret: nobodys() });
            }
        }
    }

    /// No more trouble: the pair kept here opens the door.
    pub fn clear(&self, world: &World) {
        self.with(|state| (state.out_of_reach, state.missing) = (0, false));
        self.fit(world);
    }
}

#[async_trait]
impl Credentials for Vault {
    async fn keys(&self, _freshness: Freshness) -> Result<KeyPair, CredentialsError> {
        let name = "alchemiser/paper/main".to_owned();
        let trouble = self.with(|state| {
            let away = state.out_of_reach > 0;
            state.out_of_reach = state.out_of_reach.saturating_sub(1);
            (away, state.missing)
        });
        match trouble {
            (true, _) => {
                Err(CredentialsError::Unavailable { name, reason: "throttled".to_owned() })
            }
            (false, true) => Err(CredentialsError::Missing { name }),
            (false, false) => {
                let (id, secret) = self.pair();
                Ok(KeyPair { id: Secret::new(id), secret: Secret::new(secret) })
            }
        }
    }
}

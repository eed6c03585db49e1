//! The composition root: what the settings name, connected once in a process's life.
//!
//! Without the cloud's part of the build, records and mail are folders and keys are a file; with
//! it, each of them may be the cloud's.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing::warn;

use crate::application::meter::Machine;
use crate::application::ports::{Clock, Credentials, Freshness, Mailer, Store};
use crate::domain::code::Code;
use crate::domain::incident::Incident;
use crate::domain::run::{AccountName, Mode};
use crate::infrastructure::alpaca::stream::TradeStream;
use crate::infrastructure::aws::Cloud;
use crate::infrastructure::clock::MachineClock;
use crate::infrastructure::hosts::Hosts;
use crate::infrastructure::https::{ReqwestTransport, Tls, Trust};
use crate::infrastructure::local::mail::Outbox;
use crate::infrastructure::local::secrets::SecretFile;
use crate::infrastructure::local::store::FolderStore;
use crate::infrastructure::memory;
use crate::infrastructure::push::PushSender;
use crate::interface::code::of_this_program;
use crate::interface::settings::{Settings, StorePlace};
use crate::interface::wiring::{Outside, configuration};

/// Accounts whose secrets one process remembers; a family has a few.
const ACCOUNTS_MAX: usize = 32;

/// Everything one process is connected to, whatever account an event names.
pub struct Connections {
    settings: Settings,
    /// Known once somebody asks: a start must not wait for it.
    code: OnceLock<String>,
    keys: KeysFrom,
    tls: Tls,
    transport: ReqwestTransport,
    store: Arc<dyn Store>,
    mailer: Arc<dyn Mailer>,
    clock: Arc<dyn Clock>,
    secrets: Mutex<BTreeMap<(Mode, AccountName), Arc<dyn Credentials>>>,
}

/// Where key pairs are kept.
enum KeysFrom {
    /// One file for whatever account.
    File(PathBuf),
    /// A secret for each account.
    Cloud(Cloud),
}

impl Connections {
    /// Connects to what the settings name; nothing is sent yet.
    ///
    /// # Errors
    /// A CONFIGURATION incident when they name what this build cannot reach.
    pub async fn open(settings: &Settings) -> Result<Self, Box<Incident>> {
        let needed = matches!(settings.store, StorePlace::Bucket(_))
            || settings.outbox.is_none()
            || settings.secret_file.is_none();
        let tls = Tls::new(settings.trust);
        let cloud = if needed { Cloud::connect(&tls).await } else { None };
        let store = store_at(&settings.store, cloud.as_ref())?;
        let mailer: Arc<dyn Mailer> = match (&settings.outbox, &cloud) {
            (Some(folder), _) => Arc::new(Outbox::new(folder)),
            (None, Some(cloud)) => cloud.mailer(),
            (None, None) => return Err(no_cloud("no folder is named for the mail")),
        };
        let keys = match (&settings.secret_file, cloud) {
            (Some(file), _) => KeysFrom::File(file.clone()),
            (None, Some(cloud)) => KeysFrom::Cloud(cloud),
            (None, None) => return Err(no_cloud("no file is named for the key pair")),
        };
        let transport = ReqwestTransport::new(hosts(settings, Mode::Paper)?, &tls)
            .map_err(|error| Box::new(configuration(Code::Transport, &error.to_string())))?;
        Ok(Self {
            store,
            mailer,
            clock: Arc::new(MachineClock),
            settings: settings.clone(),
            code: OnceLock::new(),
            keys,
            tls,
            transport,
            secrets: Mutex::default(),
        })
    }

    /// Reads the secret that the settings name ahead of the first event. A failure is told by the
    /// run that needs the keys, which asks again.
    pub async fn prefetch(&self) {
        if let Some((mode, account)) = &self.settings.prefetch
            && let Err(error) = self.credentials(*mode, account).keys(Freshness::Remembered).await
        {
            warn!(%error, "secret not read ahead");
        }
    }

    /// The world of one account.
    ///
    /// # Errors
    /// A CONFIGURATION incident when the settings point the mode to another host than they may.
    pub fn outside(&self, mode: Mode, account: &AccountName) -> Result<Outside, Box<Incident>> {
        let hosts = hosts(&self.settings, mode)?;
        let credentials = self.credentials(mode, account);
        let tls = self.tls.clone();
        Ok(Outside {
            updates: Arc::new(TradeStream::new(&hosts, Arc::clone(&credentials), tls)),
            transport: Arc::new(self.transport.to(hosts)),
            credentials,
            clock: Arc::clone(&self.clock),
            store: Arc::clone(&self.store),
            mailer: Arc::clone(&self.mailer),
            policy_text: None,
            mail_from: self.settings.mail_from.clone(),
            mail_to: self.settings.mail_to.clone(),
            messenger: Some(Arc::new(PushSender::new(&self.tls))),
            machine: Machine { memory: memory::peak, function: self.settings.function },
            code: self.code.get_or_init(of_this_program).clone(),
        })
    }

    /// Time.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    fn credentials(&self, mode: Mode, account: &AccountName) -> Arc<dyn Credentials> {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let whose = (mode, account.clone());
        if let Some(known) = secrets.get(&whose) {
            return Arc::clone(known);
        }
        let new: Arc<dyn Credentials> = match &self.keys {
            KeysFrom::File(file) => Arc::new(SecretFile::new(file.clone())),
            KeysFrom::Cloud(cloud) => cloud.secret(format!("alchemiser/{mode}/{account}")),
        };
        if secrets.len() >= ACCOUNTS_MAX {
            secrets.pop_first();
        }
        secrets.insert(whose, Arc::clone(&new));
        new
    }
}

/// The records of a place, for what concerns them alone.
///
/// # Errors
/// A CONFIGURATION incident when this build cannot reach it.
pub async fn open_store(place: &StorePlace) -> Result<Arc<dyn Store>, Box<Incident>> {
    let cloud = match place {
        StorePlace::Folder(_) => None,
        StorePlace::Bucket(_) => Cloud::connect(&Tls::new(Trust::default())).await,
    };
    store_at(place, cloud.as_ref())
}

fn store_at(place: &StorePlace, cloud: Option<&Cloud>) -> Result<Arc<dyn Store>, Box<Incident>> {
    match (place, cloud) {
        (StorePlace::Folder(folder), _) => Ok(Arc::new(FolderStore::new(folder))),
        (StorePlace::Bucket(bucket), Some(cloud)) => Ok(cloud.store(bucket)),
        (StorePlace::Bucket(_), None) => Err(no_cloud("the store is a bucket")),
    }
}

fn no_cloud(why: &str) -> Box<Incident> {
    let what = format!("{why}, and this build has no part for the cloud");
    Box::new(configuration(Code::NoCloud, &what))
}

/// The broker's hosts, or the one of this machine that the settings name instead.
fn hosts(settings: &Settings, mode: Mode) -> Result<Hosts, Box<Incident>> {
    match &settings.broker_url {
        None => Ok(Hosts::of(mode)),
        Some(url) => Hosts::local(mode, url)
            .map_err(|error| Box::new(configuration(Code::BrokerHost, &error.to_string()))),
    }
}

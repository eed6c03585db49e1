//! One account, all that the function needs around it, and the artefact in the middle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::artefact::artefact;
use crate::emulator::Emulator;
use crate::exchange::{ACCOUNT, Exchange, FURNITURE, KEY_ID, NEW_KEY_ID, NEW_SECRET, SECRET};
use crate::moto::{BUCKET, Mail, Moto};
use crate::proxy::{ERROR_BODY, Proxy};
use crate::runtime_api::Function;

/// Where the keys lie.
pub(crate) const SECRET_NAME: &str = "alchemiser/paper/main";
pub(crate) const SENDER: &str = "alchemiser@example.com";
pub(crate) const RECIPIENT: &str = "operator@example.org";

/// Everything around the function. What it left is searched for the canaries when this ends.
pub(crate) struct Stage {
    pub(crate) exchange: Exchange,
    pub(crate) moto: Moto,
    pub(crate) proxy: Proxy,
    pub(crate) variables: BTreeMap<String, String>,
    folder: PathBuf,
    temporary: Option<TempDir>,
}

impl Stage {
    /// A stage on which nothing is wrong.
    pub(crate) fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut stage = Self::within(temporary.path());
        stage.temporary = Some(temporary);
        stage
    }

    /// The same with its logs in a folder that stays.
    pub(crate) fn within(folder: &Path) -> Self {
        let exchange = Exchange::open();
        let moto = Moto::start(folder);
        let proxy = Proxy::before(&moto.address);
        moto.identity("example.com");
        for (key, text) in FURNITURE {
            moto.put(key, text);
        }
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let variables = BTreeMap::from(
            [
                ("AWS_ACCESS_KEY_ID", "testing"),
                ("AWS_SECRET_ACCESS_KEY", "testing"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ENDPOINT_URL", &format!("http://{}", proxy.address)),
                ("ALCHEMISER_STORE", &format!("s3://{BUCKET}")),
                ("ALCHEMISER_BROKER_URL", &exchange.url),
                ("ALCHEMISER_MAIL_FROM", SENDER),
                ("ALCHEMISER_MAIL_TO", RECIPIENT),
            ]
            .map(text),
        );
        let stage =
            Self { exchange, moto, proxy, variables, folder: folder.to_owned(), temporary: None };
        stage.keys(KEY_ID, SECRET);
        stage
    }

    /// Puts a pair of keys into the secret.
    pub(crate) fn keys(&self, id: &str, secret: &str) {
        let pair = json!({ "key_id": id, "secret_key": secret });
        self.moto.secret(SECRET_NAME, &pair.to_string());
    }

    /// The artefact with our own runtime interface; its log bears a name.
    pub(crate) fn function(&self, name: &str) -> Function {
        Function::start(&artefact(), (&self.folder, name), &self.variables)
    }

    /// The artefact under the emulator.
    pub(crate) fn emulator(&self) -> Emulator {
        Emulator::start(&artefact(), &self.folder, &self.variables)
    }

    /// A record of the day's run.
    pub(crate) fn record(&self, name: &str) -> Option<Value> {
        let bytes = self.moto.get(&format!("runs/{}/{name}", self.exchange.run()))?;
        serde_json::from_slice(&bytes).unwrap()
    }

    /// How often the keys were read.
    pub(crate) fn secret_reads(&self) -> usize {
        self.proxy.seen().iter().filter(|seen| seen.service == "secretsmanager").count()
    }

    /// The only mail so far.
    #[track_caller]
    pub(crate) fn mail(&self) -> Mail {
        let mut mails = self.moto.mails();
        let subjects: Vec<&String> = mails.iter().map(|mail| &mail.subject).collect();
        assert_eq!(mails.len(), 1, "{subjects:?}");
        mails.remove(0)
    }

    /// Asserts that the day's two orders were filled, each once, and nothing else was sent.
    #[track_caller]
    pub(crate) fn traded_once(&self) {
        let filled = ["BIL", "SPY"].map(|symbol| (symbol.to_owned(), "filled"));
        assert_eq!(self.exchange.orders(), filled);
    }

    /// Asserts that no order ever reached the exchange.
    #[track_caller]
    pub(crate) fn traded_nothing(&self) {
        assert_eq!(self.exchange.orders(), []);
    }

    /// Asserts that no word that must not be seen stands in anything the function left: logs,
    /// answers, objects, mails.
    pub(crate) fn shows_nothing_secret(&self) {
        let words = [KEY_ID, SECRET, NEW_KEY_ID, NEW_SECRET, ACCOUNT, ERROR_BODY];
        let mut left: Vec<(String, Vec<u8>)> = self.moto.objects().into_iter().collect();
        for path in files(&self.folder) {
            left.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
        for (number, mail) in self.moto.mails().into_iter().enumerate() {
            let parts = mail.parts.iter().flat_map(|(_, bytes)| bytes.clone());
            let decoded = [mail.subject.as_bytes(), mail.text.as_bytes(), mail.html.as_bytes()];
            left.push((format!("mail {number}, decoded"), decoded.join(&b'\n')));
            left.push((format!("mail {number}, its parts"), parts.collect()));
            left.push((format!("mail {number}"), mail.raw.into_bytes()));
        }
        for (place, bytes) in left {
            let found = crate::canary::traces(&words, &bytes);
            assert!(
                found.is_empty(),
                "{place} shows {found:?}:\n{}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.shows_nothing_secret();
        }
        drop(self.temporary.take());
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    paths.flat_map(below).collect()
}

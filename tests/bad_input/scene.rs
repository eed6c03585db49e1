//! One account on the built-in exchange with its store, outbox and keys, asked like the function.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alchemiser::application::meter::Machine;
use alchemiser::domain::incident::Category;
use alchemiser::infrastructure::local::mail::Outbox;
use alchemiser::infrastructure::local::secrets::SecretFile;
use alchemiser::infrastructure::local::store::FolderStore;
use alchemiser::interface::lambda::{Failure, answer};
use alchemiser::interface::response::Response;
use alchemiser::interface::wiring::{Invocation, Outside};
use alchemiser::simulator::routes::Keys;
use alchemiser::simulator::world::{World, WorldBuilder};
use jiff::ToSpan;
use mail_parser::MessageParser;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Keys no answer, record or mail may ever contain.
pub(crate) const KEY_ID: &str = "PKCANARYINPUTS000001";
pub(crate) const SECRET: &str = "canary-inputs-secret-0001";
/// The session of every scene, a Friday, five minutes after the open.
pub(crate) const SCHEDULED: &str = "2026-11-20T14:35:00Z";

/// A world and what is around it.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) outside: Outside,
    folder: TempDir,
}

/// A mail as its reader sees it.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// What came of an event.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) response: Response,
    pub(crate) mails: Vec<Mail>,
}

/// SPY and BIL with a year of closes, and cash.
pub(crate) fn market() -> WorldBuilder {
    let closes = |from: f64, step: f64| (0..300).map(|day| from + step * f64::from(day)).collect();
    let (spy, bil): (Vec<f64>, Vec<f64>) = (closes(550.0, 0.4), closes(91.0, 0.001));
    World::builder().closes("SPY", &spy).closes("BIL", &bil)
}

/// A policy of one strategy that holds all of its symbol.
pub(crate) const ALL_IN: &str = "urgency = \"high\"\n[limits]\nposition_max = \"1\"\n\
                                 [[strategy]]\nname = \"mine\"\nallocation = \"1\"\n";

impl Scene {
    /// A scene whose account follows one strategy, `mine`.
    pub(crate) fn of(world: World, mine: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        world.door(|door| door.keys = Keys::Only { id: KEY_ID.into(), secret: SECRET.into() });
        let outside = Outside {
            transport: world.transport(),
            credentials: Arc::new(SecretFile::new(folder.path().join("secret.json"))),
            updates: world.updates(),
            clock: world.clock(),
            store: Arc::new(FolderStore::new(folder.path().join("store"))),
            mailer: Arc::new(Outbox::new(folder.path().join("mail"))),
            policy_text: None,
            mail_from: None,
            mail_to: None,
            messenger: None,
            machine: Machine::default(),
            code: "0.1.0".to_owned(),
        };
        let scene = Self { world, outside, folder };
        scene.secret(&json!({ "key_id": KEY_ID, "secret_key": SECRET }).to_string());
        scene.put("control/paper/main/state.json", r#"{"state":"run","reason":"a test"}"#);
        scene.policy(ALL_IN);
        scene.put("strategies/mine.clj", mine);
        scene
    }

    /// Puts a text into the store.
    pub(crate) fn put(&self, key: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.path().join("store").join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces the account's policy.
    pub(crate) fn policy(&self, text: &str) {
        self.put("config/paper/main/policy.toml", text);
    }

    /// Replaces the secret; without a text there is none.
    pub(crate) fn secret(&self, text: &str) {
        let path = self.folder.path().join("secret.json");
        if text.is_empty() { fs::remove_file(path) } else { fs::write(path, text) }.unwrap();
    }

    /// Sends the scheduled trade event.
    pub(crate) async fn trade(&self) -> Told {
        self.ask(event(&[])).await
    }

    /// Sends an event; whatever comes of it must not show a key anywhere.
    pub(crate) async fn ask(&self, event: Value) -> Told {
        let deadline = self.world.now() + 300.seconds();
        let before = files(&self.folder.path().join("mail")).len();
        let invocation = Invocation { writer: format!("request-{before}"), deadline };
        let response = Box::pin(answer(event, invocation, &self.outside)).await.unwrap();
        let mails = files(&self.folder.path().join("mail"));
        let mails: Vec<Mail> = mails.iter().skip(before).map(|path| read(path)).collect();
        let mut shown = format!("{response:?} {mails:?}");
        for path in files(&self.folder.path().join("store")) {
            shown += &String::from_utf8_lossy(&fs::read(path).unwrap());
        }
        for path in files(&self.folder.path().join("mail")) {
            shown += &fs::read_to_string(path).unwrap();
        }
        assert!(!shown.contains(SECRET) && !shown.contains(KEY_ID), "a key is shown");
        Told { response, mails }
    }

    /// Sends an event that must end without a final record; how the function fails then.
    pub(crate) async fn ask_in_vain(&self, event: Value) -> (Failure, usize) {
        let deadline = self.world.now() + 300.seconds();
        let invocation = Invocation { writer: "request-in-vain".to_owned(), deadline };
        let failure = Box::pin(answer(event, invocation, &self.outside)).await.unwrap_err();
        (failure, files(&self.folder.path().join("mail")).len())
    }

    /// The same store, outbox and keys beside another world.
    pub(crate) fn in_world(mut self, world: World) -> Self {
        self.outside.transport = world.transport();
        self.outside.updates = world.updates();
        self.outside.clock = world.clock();
        self.world = world;
        self
    }

    /// Removes a record of this session's run.
    pub(crate) fn forget(&self, record: &str) {
        fs::remove_file(self.run().join(record)).unwrap();
    }

    /// Whether the run of this session left a record of a kind.
    pub(crate) fn has(&self, record: &str) -> bool {
        self.run().join(record).exists()
    }

    fn run(&self) -> PathBuf {
        self.folder.path().join("store/runs/paper/main/2026-11-20/open/g0")
    }
}

impl Told {
    /// Asserts the outcome, the first incident of a code, and that the one mail says these words.
    #[track_caller]
    pub(crate) fn says(&self, outcome: &str, incident: (Category, &str), words: &[&str]) {
        let Response { outcome: came, incidents, mail, .. } = &self.response;
        assert_eq!((came.as_str(), mail.as_str()), (outcome, "sent"), "{incidents:?}");
        let noted: Vec<(Category, &str)> =
            incidents.iter().map(|noted| (noted.category, noted.code.as_str())).collect();
        assert!(noted.contains(&incident), "{noted:?}");
        let [mail] = self.mails.as_slice() else { panic!("not one mail: {:?}", self.mails) };
        let flat = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(flat.contains(word), "the mail does not say {word:?}: {flat}");
        }
    }
}

/// The trade event of the scene's session, with some fields changed or, by null, left out.
pub(crate) fn event(changes: &[(&str, Value)]) -> Value {
    let mut event = json!({
        "action": "trade", "mode": "paper", "account": "main", "slot": "open",
        "scheduled_for": SCHEDULED,
    });
    for (field, value) in changes {
        let fields = event.as_object_mut().unwrap();
        if value.is_null() {
            fields.remove(*field)
        } else {
            fields.insert((*field).to_owned(), value.clone())
        };
    }
    event
}

fn read(path: &Path) -> Mail {
    let raw = fs::read(path).unwrap();
    let message = MessageParser::default().parse(&raw).unwrap();
    let html = message.body_html(0).expect("a mail has both forms").into_owned();
    assert!(message.bcc().is_none() && message.to().unwrap().iter().count() == 1, "{message:?}");
    Mail {
        subject: message.subject().unwrap().to_owned(),
        text: message.body_text(0).unwrap().into_owned(),
        html,
    }
}

/// Every file below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let below = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    paths.into_iter().flat_map(below).collect()
}

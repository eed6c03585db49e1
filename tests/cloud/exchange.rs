//! The built-in exchange on a loopback port, in the machine's own time, open all day today.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use alchemiser::domain::session::{Session, exchange_date, exchange_zone};
use alchemiser::simulator::calendar::TradingDays;
use alchemiser::simulator::market::Market;
use alchemiser::simulator::routes::Keys;
use alchemiser::simulator::server::{Pace, Server, Serving};
use alchemiser::simulator::world::World;
use jiff::civil::{Date, time};
use jiff::{Timestamp, ToSpan};
use serde_json::Value;

/// The broker's keys: seen by the exchange alone. Their signs are such that every way of escaping
/// or encoding them changes something.
pub(crate) const KEY_ID: &str = "PKCANARY/CLOUD+0001";
pub(crate) const SECRET: &str = "canary-cloud/secret+0001=\"<&>\"";
/// The keys after a change of keys.
pub(crate) const NEW_KEY_ID: &str = "PKCANARY/CLOUD+0002";
pub(crate) const NEW_SECRET: &str = "canary-cloud/secret+0002='<&>'";
/// The account's number at the broker, of which only the last three signs may be seen.
pub(crate) const ACCOUNT: &str = "PA3CANARY0815";

/// What the operator has put into the store: permission, policy, and two strategies with an order
/// each. The day is open at all hours, so nothing is guarded at its ends.
pub(crate) const FURNITURE: [(&str, &str); 4] = [
    ("control/paper/main/state.json", r#"{"state":"run","reason":"a test"}"#),
    (
        "config/paper/main/policy.toml",
        r#"
        urgency = "high"
        [[strategy]]
        name = "calm"
        allocation = "0.4"
        [[strategy]]
        name = "swing"
        allocation = "0.6"
        [limits]
        position_max = "1"
        [timing]
        open_guard_seconds = 0
        cutoff_seconds = 1
        "#,
    ),
    ("strategies/calm.clj", r#"(defsymphony "Calm" {} (asset "BIL"))"#),
    (
        "strategies/swing.clj",
        r#"(defsymphony "Swing" {} (if (> (moving-average-price "SPY" {:window 5})
           (moving-average-price "SPY" {:window 20})) [(asset "SPY")] [(asset "BIL")]))"#,
    ),
];

/// A running exchange.
pub(crate) struct Exchange {
    pub(crate) world: World,
    pub(crate) url: String,
    /// The moment it was opened: what events are scheduled for.
    pub(crate) now: Timestamp,
    _end: Sender<()>,
}

impl Exchange {
    /// An exchange that takes our keys and no others.
    pub(crate) fn open() -> Self {
        let now = moment();
        let world = world(now);
        let (url, end) = serve(world.clone());
        Self { world, url, now, _end: end }
    }

    /// Takes this pair of keys from now on, and no other.
    pub(crate) fn change_keys(&self, id: &str, secret: &str) {
        let keys = Keys::Only { id: id.to_owned(), secret: secret.to_owned() };
        self.world.door(|door| door.keys = keys);
    }

    /// The session that everything happens in.
    pub(crate) fn session(&self) -> Date {
        exchange_date(self.now)
    }

    /// The day's run, as records and answers name it.
    pub(crate) fn run(&self) -> String {
        format!("paper/main/{}/open/g0", self.session())
    }

    /// An event file of the project, scheduled for now, with some fields changed.
    pub(crate) fn event(&self, name: &str, changes: &[(&str, Value)]) -> Value {
        let mut event = event_file(&Path::new("events").join(format!("{name}.json")));
        if event.get("scheduled_for").is_some() {
            event["scheduled_for"] = self.now.to_string().into();
        }
        for (field, value) in changes {
            event[*field] = value.clone();
        }
        event
    }

    /// Every order that ever came: symbol and status, sorted.
    pub(crate) fn orders(&self) -> Vec<(String, &'static str)> {
        let orders = self.world.orders();
        let pairs = orders.iter().map(|order| (order.symbol().to_string(), order.status.as_str()));
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort();
        pairs
    }
}

/// An event file, by its path from the project's root.
pub(crate) fn event_file(path: &Path) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Now; in the day's last minutes, the first moment of the next day: no session would be long
/// enough for a test.
fn moment() -> Timestamp {
    let now = Timestamp::now();
    let there = now.to_zoned(exchange_zone());
    if there.time() < time(23, 54, 0, 0) {
        return now;
    }
    let midnight = there.date().tomorrow().unwrap().to_zoned(exchange_zone()).unwrap();
    let wait = midnight.timestamp() + 1.second() - now;
    std::thread::sleep(Duration::try_from(wait).unwrap());
    Timestamp::now()
}

/// An exchange in the machine's own time that is open all day today, whatever day it is.
fn world(now: Timestamp) -> World {
    let session = Session::at(exchange_date(now), time(0, 0, 0, 0), time(23, 59, 0, 0)).unwrap();
    let closes = |from: f64, step: f64| -> Vec<f64> {
        (0..60).map(|day| from + step * f64::from(day)).collect()
    };
    let world = World::builder()
        .market(Market::new(TradingDays::nyse().with(session)))
        .at(&now.to_string())
        .closes("BIL", &closes(91.0, 0.01))
        .closes("SPY", &closes(600.0, 0.5))
        .build();
    world.door(|door| door.keys = Keys::Only { id: KEY_ID.into(), secret: SECRET.into() });
    world.exchange(|exchange| ACCOUNT.clone_into(&mut exchange.identity.number));
    world
}

/// Serves an exchange on a thread of its own, until the other end of the channel is gone.
fn serve(world: World) -> (String, Sender<()>) {
    let ((told, url), (end, ended)) = (channel(), channel::<()>());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let serving = Serving { pace: Pace::Wall, ..Serving::default() };
            let server = Server::start(world, serving).await.unwrap();
            told.send(server.url()).unwrap();
            tokio::task::spawn_blocking(move || ended.recv()).await.unwrap().unwrap_err();
        });
    });
    (url.recv().unwrap(), end)
}

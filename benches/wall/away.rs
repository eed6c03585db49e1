//! What lies outside, so and so far away: exchange, store and mail carrier.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use alchemiser::application::ports::{
    Clock, Letter, MailError, Mailer, Put, Record, Store, StoreError,
};
use alchemiser::simulator::server::{Server, Serving};
use alchemiser::simulator::world::World;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

/// World time that goes with the wall clock.
pub(crate) struct Paced {
    pub(crate) from: Timestamp,
    pub(crate) began: Instant,
}

#[async_trait]
impl Clock for Paced {
    fn now(&self) -> Timestamp {
        self.from + SignedDuration::try_from(self.began.elapsed()).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        pause(duration).await;
    }
}

/// A wait that is true to some tenths of a millisecond, which the runtime's timer is not.
async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::task::spawn_blocking(move || thread::sleep(duration)).await.unwrap();
    }
}

/// Records in memory, a round trip away.
#[derive(Clone)]
pub(crate) struct Shelf {
    pub(crate) records: Arc<Mutex<BTreeMap<String, Record>>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) delay: Duration,
    /// Reads and writes so far.
    pub(crate) counts: Arc<Mutex<(usize, usize)>>,
}

impl Shelf {
    pub(crate) fn lay(&self, key: &str, bytes: &[u8]) {
        let record = Record { bytes: bytes.to_vec(), at: self.clock.now() };
        self.records.lock().unwrap().insert(key.to_owned(), record);
    }

    async fn trip<T>(&self, what: impl FnOnce(&mut BTreeMap<String, Record>) -> T) -> T {
        pause(self.delay / 2).await;
        let done = what(&mut self.records.lock().unwrap());
        pause(self.delay / 2).await;
        done
    }
}

#[async_trait]
impl Store for Shelf {
    async fn put_once(&self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        self.counts.lock().unwrap().1 += 1;
        let record = Record { bytes: bytes.to_vec(), at: self.clock.now() };
        let put = |records: &mut BTreeMap<String, Record>| {
            if let Some(there) = records.get(key) {
                return Put::Exists(there.clone());
            }
            let at = record.at;
            records.insert(key.to_owned(), record);
            Put::Stored { at }
        };
        Ok(self.trip(put).await)
    }

    async fn put_view(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.counts.lock().unwrap().1 += 1;
        let record = Record { bytes: bytes.to_vec(), at: self.clock.now() };
        self.trip(|records| drop(records.insert(key.to_owned(), record))).await;
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Record>, StoreError> {
        self.counts.lock().unwrap().0 += 1;
        Ok(self.trip(|records| records.get(key).cloned()).await)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.counts.lock().unwrap().0 += 1;
        let under = |records: &mut BTreeMap<String, Record>| {
            records.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
        };
        Ok(self.trip(under).await)
    }
}

/// A carrier a round trip away.
pub(crate) struct Post(pub(crate) Duration);

#[async_trait]
impl Mailer for Post {
    async fn send(&self, _letter: &Letter) -> Result<String, MailError> {
        pause(self.0).await;
        Ok("taken".to_owned())
    }
}

/// The exchange on a loopback port, in a thread of its own.
pub(crate) struct Exchange {
    pub(crate) address: SocketAddr,
    _open: tokio::sync::oneshot::Sender<()>,
}

impl Exchange {
    pub(crate) fn open(world: World) -> Self {
        let (tell, told) = channel();
        let (open, closed) = tokio::sync::oneshot::channel::<()>();
        thread::spawn(move || {
            let builder = &mut tokio::runtime::Builder::new_current_thread();
            builder.enable_all().build().unwrap().block_on(async {
                let server = Server::start(world, Serving::default()).await.unwrap();
                tell.send(server.address()).unwrap();
                let _ = closed.await; // until the lap is over
            });
        });
        Self { address: told.recv().unwrap(), _open: open }
    }
}

/// A port that leads to another, half a round trip away; a new connection costs a whole one.
pub(crate) fn relay(to: SocketAddr, round_trip: Duration) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(to).unwrap();
            carry(
                client.try_clone().unwrap(),
                server.try_clone().unwrap(),
                (round_trip, round_trip),
            );
            carry(server, client, (Duration::ZERO, round_trip));
        }
    });
    address
}

/// Carries bytes one way, half a round trip late; the first after the handshake as well.
fn carry(mut from: TcpStream, mut to: TcpStream, (handshake, round_trip): (Duration, Duration)) {
    let (put, take) = channel::<(Instant, Vec<u8>)>();
    to.set_nodelay(true).unwrap();
    let opened = Instant::now();
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let left = Instant::now().max(opened + handshake);
            if put.send((left + round_trip / 2, buffer[..count].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in take {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write); // the other end may have gone first
    });
}

//! What a start costs: time and work of the packed program until it asks for its first event, its
//! size, its first encrypted call, and the memory of a whole day.
//!
//! Times are medians of twenty starts. Work is the processor's own count for the process, so it
//! does not depend on what else the machine does; the yardstick, a Python that imports what such a
//! function needs, runs beside it.

#![expect(clippy::print_stdout, reason = "a benchmark tells its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "the program lives in the machine's time")]
#![allow(dead_code, reason = "the tests' stage has more than a bench needs")]

#[path = "../tests/cloud/artefact.rs"]
mod artefact;
#[path = "../tests/cloud/http.rs"]
mod http;
#[path = "../tests/cloud/leash.rs"]
mod leash;
#[path = "../tests/cloud/moto.rs"]
mod moto;
#[path = "../tests/python/mod.rs"]
mod python;
#[path = "../tests/cloud/runtime_api.rs"]
mod runtime_api;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use alchemiser::domain::session::{Session, exchange_date};
use alchemiser::simulator::market::{Synthetic, synthetic};
use alchemiser::simulator::server::{Pace, Server, Serving};
use alchemiser::simulator::world::World;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use jiff::Timestamp;
use jiff::civil::time;
use serde_json::json;

use crate::moto::Moto;
use crate::runtime_api::Function;

const STARTS: usize = 20;
const FIRST_POLL_MAX: Duration = Duration::from_millis(5);
/// The yardstick's work is at least this many times ours.
const WORK_RATIO_MIN: u32 = 100;
const FIRST_TLS_MAX: Duration = Duration::from_millis(20);
const ZIP_BYTES_MAX: usize = 5_000_000;
const MEMORY_KIB_MAX: u64 = 24 * 1024;

/// One start.
struct Start {
    wall: Duration,
    work: Duration,
}

fn main() {
    let program = artefact::artefact();
    let folder = tempfile::tempdir().unwrap();

    let bytes = fs::read(&program).unwrap();
    let mut zip = DeflateEncoder::new(Vec::new(), Compression::default());
    zip.write_all(&bytes).unwrap();
    let zipped = zip.finish().unwrap().len();
    println!("program {} bytes, zipped {zipped} (bound {ZIP_BYTES_MAX})", bytes.len());

    let plain = median(&program, &BTreeMap::new());
    println!(
        "start to first poll: {:.2} ms wall (bound {:?}), {:.2} ms of work",
        millis(plain.wall),
        FIRST_POLL_MAX,
        millis(plain.work)
    );
    let yardstick = yardstick();
    println!(
        "python3 -c \"import boto3, pandas\": {:.0} ms of work, {:.0} times ours (bound {WORK_RATIO_MIN})",
        millis(yardstick),
        yardstick.as_secs_f64() / plain.work.as_secs_f64()
    );
    let (variables, answered) = secrets(None);
    let ahead = median(&program, &variables);
    assert_eq!(answered.load(Ordering::Relaxed), STARTS, "not every secret was read");
    println!(
        "the same with the secret read ahead, plain loopback: {:.2} ms wall, {:.2} ms of work",
        millis(ahead.wall),
        millis(ahead.work)
    );
    let (variables, answered) = secrets(Some(folder.path()));
    let encrypted = median(&program, &variables);
    assert_eq!(answered.load(Ordering::Relaxed), STARTS, "not every encrypted secret was read");
    let first = encrypted.wall.saturating_sub(plain.wall);
    println!(
        "first HTTPS call of a process, loopback: {:.2} ms (bound {FIRST_TLS_MAX:?})",
        millis(first)
    );
    let memory = day(&program, folder.path());
    println!("peak resident memory of a whole day: {memory} KiB (bound {MEMORY_KIB_MAX})");

    assert!(zipped <= ZIP_BYTES_MAX, "the zip is too large");
    assert!(plain.wall <= FIRST_POLL_MAX, "the first poll comes too late");
    assert!(yardstick >= plain.work * WORK_RATIO_MIN, "a start works too much");
    assert!(first <= FIRST_TLS_MAX, "the first encrypted call takes too long");
    assert!(memory <= MEMORY_KIB_MAX, "a day takes too much memory");
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The median start by its wall time and by its work, each for itself.
fn median(program: &Path, variables: &BTreeMap<String, String>) -> Start {
    let starts: Vec<Start> = (0..STARTS).map(|_| start(program, variables)).collect();
    let middle = |of: fn(&Start) -> Duration| {
        let mut times: Vec<Duration> = starts.iter().map(of).collect();
        times.sort_unstable();
        times[times.len() / 2]
    };
    Start { wall: middle(|start| start.wall), work: middle(|start| start.work) }
}

/// Starts the program and waits until it asks for an event.
fn start(program: &Path, variables: &BTreeMap<String, String>) -> Start {
    let interface = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = Command::new(program);
    command.env_clear();
    command.env("AWS_LAMBDA_RUNTIME_API", interface.local_addr().unwrap().to_string());
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "alchemiser"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("ALCHEMISER_STORE", "s3://records"),
        ("ALCHEMISER_MAIL_FROM", "robot@example.com"),
        ("ALCHEMISER_MAIL_TO", "operator@example.com"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
    ] {
        command.env(name, value);
    }
    command.envs(variables).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    let (connection, _) = interface.accept().unwrap();
    let mut line = String::new();
    BufReader::new(connection).read_line(&mut line).unwrap();
    let wall = began.elapsed();
    assert!(line.starts_with("GET /2018-06-01/runtime/invocation/next"), "{line}");
    let work = work(&child);
    child.kill().unwrap();
    child.wait().unwrap();
    Start { wall, work }
}

/// Time that the processor gave to a process, all its threads together, in the kernel's own count.
fn work(child: &Child) -> Duration {
    let threads = fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
    let nanoseconds = threads.map(|thread| {
        let text = fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
        text.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// The work of a Python that has just imported what a function of its kind would.
fn yardstick() -> Duration {
    let python = python::environment("yardstick").join("python");
    let mut works: Vec<Duration> = (0..STARTS / 4)
        .map(|_| {
            let script =
                "import boto3, pandas; import sys; print('there', flush=True); sys.stdin.read()";
            let mut command = Command::new(&python);
            command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = command.spawn().unwrap();
            let mut said = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
            assert_eq!(said, "there\n");
            let work = work(&child);
            drop(child.stdin.take());
            child.wait().unwrap();
            work
        })
        .collect();
    works.sort_unstable();
    works[works.len() / 2]
}

/// A server that answers each request with a secret, encrypted if there is a folder for the
/// authority's certificate; the variables that lead the program there, and the answers so far.
fn secrets(certificate: Option<&Path>) -> (BTreeMap<String, String>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, value: String| variables.insert(name.to_owned(), value);
    set("ALCHEMISER_PREFETCH", "paper/main".to_owned());
    let tls = certificate.map(|folder| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let path = folder.join("authority.pem");
        fs::write(&path, made.cert.pem()).unwrap();
        set("ALCHEMISER_TRUST", "system".to_owned());
        set("SSL_CERT_FILE", path.display().to_string());
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.unwrap());
        Arc::new(config.unwrap())
    });
    let address = match &tls {
        Some(_) => format!("https://localhost:{port}"),
        None => format!("http://127.0.0.1:{port}"),
    };
    set("AWS_ENDPOINT_URL", address);
    let answered = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&answered);
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            match &tls {
                Some(config) => {
                    let session = rustls::ServerConnection::new(Arc::clone(config)).unwrap();
                    answer(rustls::StreamOwned::new(session, connection));
                }
                None => answer(connection),
            }
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    (variables, answered)
}

/// Answers the one request of a connection.
fn answer(mut connection: impl Read + Write) {
    let mut reader = BufReader::new(&mut connection);
    let request = http::Message::read(&mut reader);
    assert!(matches!(request, Ok(Some(_))), "a request that cannot be read");
    let pair = json!({ "key_id": "PKYARDSTICK", "secret_key": "yardstick" }).to_string();
    let body = json!({
        "ARN": "arn:aws:secretsmanager:us-east-1:0:secret:alchemiser/paper/main-000000",
        "Name": "alchemiser/paper/main",
        "SecretString": pair,
    })
    .to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length";
    write!(connection, "{head}: {}\r\n\r\n{body}", body.len()).unwrap();
    connection.flush().unwrap();
}

/// Peak memory after a day with the three built-in strategies, all the cloud's services in use.
fn day(program: &Path, folder: &Path) -> u64 {
    let now = Timestamp::now();
    let all_day = Session::at(exchange_date(now), time(0, 0, 0, 0), time(23, 59, 0, 0)).unwrap();
    let mut market = synthetic(Synthetic::default());
    market.days = market.days.with(all_day);
    let world = World::builder().market(market).at(&now.to_string()).seed(7).build();
    let (told, url) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let serving = Serving { pace: Pace::Wall, ..Serving::default() };
            let server = Server::start(world, serving).await.unwrap();
            told.send(server.url()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    let moto = Moto::start(folder);
    moto.secret("alchemiser/paper/main", r#"{"key_id":"PKYARDSTICK","secret_key":"yardstick"}"#);
    moto.identity("example.com");
    moto.put("control/paper/main/state.json", r#"{"state":"run","reason":"a bench"}"#);
    let policy = "urgency = \"high\"\n[timing]\nopen_guard_seconds = 0\ncutoff_seconds = 1\n";
    moto.put("config/paper/main/policy.toml", policy);
    let variables = [
        ("ALCHEMISER_STORE", "s3://records".to_owned()),
        ("ALCHEMISER_MAIL_FROM", "robot@example.com".to_owned()),
        ("ALCHEMISER_MAIL_TO", "operator@example.com".to_owned()),
        ("ALCHEMISER_BROKER_URL", url.recv().unwrap()),
        ("AWS_ENDPOINT_URL", format!("http://{}", moto.address)),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "testing".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "testing".to_owned()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
    let mut function = Function::start(program, (folder, "day"), &variables);
    let answer = function.ask(json!({
        "action": "trade", "mode": "paper", "account": "main", "slot": "open",
        "scheduled_for": now.to_string(),
    }));
    assert_eq!(answer.outcome(), "done", "{answer:?}\n{}", function.log());
    function.peak_memory()
}

//! `make invoke`: one event through the artefact of `sam build`, under Amazon's own emulator, with
//! everything around it on this machine. Shows what came of it and stops it all.
#![expect(clippy::unwrap_used, clippy::panic, reason = "what fails here is shown as it is")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is here to be read")]
#![expect(clippy::disallowed_methods, reason = "the artefact lives in the machine's time")]
#![expect(dead_code, reason = "the tests use more of the stage")]

mod artefact;
mod canary;
mod emulator;
mod exchange;
mod http;
mod leash;
mod moto;
mod proxy;
#[path = "../python/mod.rs"]
mod python;
mod runtime_api;
mod stage;

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::stage::Stage;

/// Where logs and mails are kept until the next invocation.
const LEFT: &str = "out/invoke";
/// How often a build says that it goes on.
const BEAT: Duration = Duration::from_secs(10);

fn main() {
    let path = std::env::args().nth(1).unwrap_or_else(|| "events/preview.json".to_owned());
    let file = exchange::event_file(Path::new(&path));
    let left = Path::new(env!("CARGO_MANIFEST_DIR")).join(LEFT);
    let _ = std::fs::remove_dir_all(&left); // the first time there is none
    std::fs::create_dir_all(&left).unwrap();
    waiting("installing python packages, the first time only", || python::environment("cloud"));
    waiting("sam build, some minutes the first time", artefact::artefact);
    let mut stage =
        waiting("starting the protocol server and the exchange", || Stage::within(&left));
    stage.variables.insert("AWS_LAMBDA_LOG_LEVEL".to_owned(), "INFO".to_owned());
    let event = scheduled(file, &path, &stage);
    heading("event");
    println!("{event}");
    let emulator = stage.emulator();
    let began = Instant::now();
    let answer = emulator.ask(&event);
    heading(if answer.error { "error" } else { "answer" });
    println!("{}", serde_json::to_string_pretty(&answer.body).unwrap());
    heading("log");
    emulator.log().lines().filter_map(told).for_each(|line| println!("{line}"));
    let took = began.elapsed().as_millis();
    for (number, mail) in stage.moto.mails().into_iter().enumerate() {
        let kept = left.join(format!("mail-{}.eml", number + 1));
        std::fs::write(&kept, &mail.raw).unwrap();
        heading(&format!("mail to {}, kept as {}", mail.to.join(", "), shown(&kept)));
        println!("{}\n\n{}", mail.subject, mail.text.trim_end());
    }
    heading("objects in the bucket");
    for (key, bytes) in stage.moto.objects() {
        println!("{:>9}  {key}", bytes.len());
    }
    heading("orders at the exchange");
    let orders = stage.exchange.orders();
    if orders.is_empty() {
        println!("none");
    }
    for (symbol, status) in orders {
        println!("{symbol} {status}");
    }
    eprintln!("\nanswered in {took} ms; all of it is stopped again; logs in {LEFT}");
}

/// Does something that takes its time, and says so.
fn waiting<T: Send>(what: &str, work: impl FnOnce() -> T + Send) -> T {
    eprint!("{what} ..");
    let (done, finished) = channel::<()>();
    let result = std::thread::scope(|scope| {
        scope.spawn(move || {
            while matches!(finished.recv_timeout(BEAT), Err(RecvTimeoutError::Timeout)) {
                eprint!(".");
            }
        });
        let result = work();
        drop(done);
        result
    });
    eprintln!(" done");
    result
}

/// The event for now: a date in a file is over, and nothing is traded so late.
fn scheduled(mut event: Value, path: &str, stage: &Stage) -> Value {
    let now = stage.exchange.now.to_string();
    if let Some(moment) = event.get_mut("scheduled_for").filter(|moment| **moment != "now") {
        eprintln!("{path} is scheduled for {moment}; sent as if scheduled for {now}");
        *moment = now.into();
    }
    event
}

/// A line of the log for people; what only the runtime has to say is left out.
fn told(line: &str) -> Option<String> {
    let entry: Value = serde_json::from_str(line.get(line.find('{')?..)?).ok()?;
    if entry.get("_aws").is_some() {
        return Some(format!("METRICS {entry}"));
    }
    let fields = entry.as_object()?;
    let level = fields.get("level")?.as_str()?;
    let hidden = ["level", "timestamp", "message", "target", "requestId", "span", "spans"];
    let rest = fields.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
    let rest: Vec<String> = rest.map(|(name, value)| format!("{name}={value}")).collect();
    let message = fields.get("message").and_then(Value::as_str).unwrap_or_default();
    Some(format!("{level:5} {message}  {}", rest.join("  ")))
}

fn heading(text: &str) {
    println!("\n--- {text}");
}

/// A path as one would type it in the project's folder.
fn shown(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

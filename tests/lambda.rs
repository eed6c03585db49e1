//! The function's own binary, between a small runtime interface and the built-in exchange.
#![cfg(feature = "aws")]
#![expect(clippy::unwrap_used, reason = "a broken expectation ends a test")]
#![expect(clippy::disallowed_methods, reason = "the binary lives in the machine's time")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alchemiser::domain::session::{Session, exchange_date, exchange_zone};
use alchemiser::simulator::calendar::TradingDays;
use alchemiser::simulator::market::Market;
use alchemiser::simulator::routes::Keys;
use alchemiser::simulator::server::{Pace, Server, Serving};
use alchemiser::simulator::world::World;
use jiff::civil::{Weekday, time};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

/// Must be seen nowhere but in the requests to the exchange.
const SECRET: &str = "canary-lambda-secret-0001";
/// No invocation here takes more than a few seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// One answer of the function: whether it is an error, and its body.
type Answer = (bool, Value);

/// The binary with the runtime interface that it asks for events.
struct Function {
    child: Child,
    events: Sender<(String, Value)>,
    answers: Receiver<(String, Answer)>,
    sent: u32,
}

impl Function {
    fn start(folder: &Path, variables: &BTreeMap<&str, String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = listener.local_addr().unwrap().to_string();
        let ((events, waiting), (answered, answers)) = (channel(), channel());
        let waiting = Arc::new(Mutex::new(waiting));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (waiting, answered) = (Arc::clone(&waiting), answered.clone());
                std::thread::spawn(move || converse(&connection, &waiting, &answered));
            }
        });
        let log = fs::File::create(folder.join("log.jsonl")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_lambda"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api)
            .env("AWS_LAMBDA_FUNCTION_NAME", "alchemiser")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
            .envs(variables)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, events, answers, sent: 0 }
    }

    /// Sends an event and waits for its answer; waits aside, so that a server beside it goes on.
    async fn ask(mut self, event: Value) -> (Self, Answer) {
        self.sent += 1;
        let id = format!("request-{}", self.sent);
        self.events.send((id.clone(), event)).unwrap();
        let wait = move || {
            let (answered, answer) = self.answers.recv_timeout(PATIENCE).unwrap();
            assert_eq!(answered, id);
            (self, answer)
        };
        tokio::task::spawn_blocking(wait).await.unwrap()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The runtime interface on one connection: `next` waits for an event, the rest are answers.
fn converse(
    mut connection: &TcpStream,
    waiting: &Mutex<Receiver<(String, Value)>>,
    answered: &Sender<(String, Answer)>,
) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            (reader.read_line(&mut head).ok()? > 0).then_some(())?;
        }
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
        reader.read_exact(&mut body).ok()?;
        let target = head.split(' ').nth(1)?.to_owned();
        if target == "/2018-06-01/runtime/invocation/next" {
            let (id, event) = waiting.lock().unwrap().recv().ok()?;
            let deadline = (Timestamp::now() + 300.seconds()).as_millisecond();
            let body = event.to_string();
            write!(
                connection,
                "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: {id}\r\n\
                 lambda-runtime-deadline-ms: {deadline}\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:0:function:x\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .ok()?;
        } else {
            let mut parts = target.rsplit('/');
            let (kind, id) = (parts.next()?, parts.next()?);
            let answer = (kind == "error", serde_json::from_slice(&body).unwrap());
            answered.send((id.to_owned(), answer)).ok()?;
            write!(connection, "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").ok()?;
        }
    }
}

/// An event file with some fields changed.
fn event(name: &str, changes: &Value) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("events/{name}.json"));
    let mut event: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    for (field, value) in changes.as_object().unwrap() {
        event[field] = value.clone();
    }
    event
}

/// An exchange in the machine's own time that is open all day today, whatever day it is.
fn exchange(now: Timestamp) -> World {
    let session = Session::at(exchange_date(now), time(0, 0, 0, 0), time(23, 59, 0, 0)).unwrap();
    let closes: Vec<f64> = (0..30).map(|day| 90.0 + f64::from(day) / 100.0).collect();
    let world = World::builder()
        .market(Market::new(TradingDays::nyse().with(session)))
        .at(&now.to_string())
        .closes("BIL", &closes)
        .build();
    world.door(|door| door.keys = Keys::Only { id: "PKLAMBDA".into(), secret: SECRET.into() });
    world
}

fn prepare(folder: &Path, url: &str) -> BTreeMap<&'static str, String> {
    let put = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    put("store/control/paper/main/state.json", r#"{"state":"run","reason":"a test"}"#);
    put("store/strategies/calm.clj", r#"(defsymphony "Calm" {} (asset "BIL"))"#);
    let policy = "urgency = \"high\"\n[[strategy]]\nname = \"calm\"\nallocation = \"1\"\n[limits]\nposition_max = \"1\"\n\
                  [timing]\nopen_guard_seconds = 0\ncutoff_seconds = 1\n";
    put("store/config/paper/main/policy.toml", policy);
    let secret = format!(r#"{{"key_id":"PKLAMBDA","secret_key":"{SECRET}"}}"#);
    BTreeMap::from([
        ("ALCHEMISER_SECRET_FILE", put("secret.json", &secret)),
        ("ALCHEMISER_STORE", folder.join("store").display().to_string()),
        ("ALCHEMISER_OUTBOX", folder.join("mail").display().to_string()),
        ("ALCHEMISER_BROKER_URL", url.to_owned()),
    ])
}

/// Every text below a folder, the secret's own file left out.
fn texts(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &texts(&path);
        } else if !path.ends_with("secret.json") {
            text += &String::from_utf8_lossy(&fs::read(&path).unwrap());
        }
    }
    text
}

fn code(answer: &Value) -> &str {
    answer["incidents"][0]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn the_binary_answers_every_kind_of_event_in_one_process() {
    let now = Timestamp::now();
    let late = now.to_zoned(exchange_zone()).time() > time(23, 57, 0, 0);
    let folder = tempfile::tempdir().unwrap();
    let world = exchange(now);
    let serving = Serving { pace: Pace::Wall, ..Serving::default() };
    let server = Server::start(world.clone(), serving).await.unwrap();
    let variables = prepare(folder.path(), &server.url());
    let function = Function::start(folder.path(), &variables);
    let scheduled = json!({ "scheduled_for": now.to_string() });

    let (function, (error, answer)) = function.ask(event("preview", &scheduled)).await;
    assert!(!error && world.orders().is_empty(), "{answer}");
    if late {
        return; // the day's last minutes have no session that is long enough for the rest
    }
    assert_eq!((&answer["outcome"], &answer["mode"]), (&json!("preview"), &json!("paper")));

    let (function, (error, answer)) = function.ask(event("trade", &scheduled)).await;
    assert!(!error, "{answer}");
    assert_eq!(answer["outcome"], "done", "{answer}");
    assert_eq!(answer["run"], format!("paper/main/{}/open/g0", exchange_date(now)));
    assert_eq!((&answer["mail"], &answer["incidents"]), (&json!("sent"), &json!([])));
    assert!(world.position("BIL") > 1000.into());
    let orders = world.orders().len();

    let (function, (_, answer)) = function.ask(event("trade", &scheduled)).await;
    assert_eq!((&answer["outcome"], &answer["mail"]), (&json!("repeated"), &json!("sent before")));
    let (function, (_, answer)) = function.ask(event("resume", &scheduled)).await;
    assert_eq!(answer["outcome"], "repeated", "{answer}");

    let old = json!({ "slot": "noon", "scheduled_for": (now - 21.minutes()).to_string() });
    let (function, (error, answer)) = function.ask(event("trade", &old)).await;
    assert!(!error && answer["outcome"] == "blocked", "{answer}");
    assert_eq!(code(&answer), "event-late");
    let (function, (_, answer)) = function.ask(event("watch", &scheduled)).await;
    let weekend = [Weekday::Saturday, Weekday::Sunday].contains(&exchange_date(now).weekday());
    assert_eq!(answer["outcome"], if weekend { "not-due" } else { "good" }, "{answer}");
    let (function, (_, answer)) = function.ask(event("report", &json!({}))).await;
    assert_eq!(
        (answer["outcome"].as_str(), code(&answer)),
        (Some("refused"), "action-not-available")
    );
    let (function, (error, answer)) = function.ask(json!({"detail-type": "Scheduled Event"})).await;
    assert!(!error && answer["outcome"] == "refused", "{answer}");
    assert_eq!(code(&answer), "event-refused");

    let live = event("trade", &json!({ "mode": "live", "scheduled_for": now.to_string() }));
    let (function, (error, answer)) = function.ask(live).await;
    assert!(error, "{answer}");
    assert_eq!(answer["errorType"], "Configuration");
    assert!(answer["errorMessage"].as_str().unwrap().contains("live mode"), "{answer}");

    drop(function);
    assert_eq!(world.orders().len(), orders);
    assert_eq!(fs::read_dir(folder.path().join("mail")).unwrap().count(), 5);
    let texts = texts(folder.path());
    assert!(texts.contains("\"requestId\":\"request-2\""), "the log names the invocation");
    assert!(!texts.contains(SECRET), "the secret is written somewhere");
}

#[tokio::test]
async fn a_missing_variable_is_the_answer_to_every_event() {
    let folder = tempfile::tempdir().unwrap();
    let mut variables = prepare(folder.path(), "http://127.0.0.1:9");
    variables.remove("ALCHEMISER_STORE");
    let mut function = Function::start(folder.path(), &variables);
    for _ in 0..2 {
        let (asked, (error, answer)) = function.ask(event("trade", &json!({}))).await;
        function = asked;
        assert!(error, "{answer}");
        assert_eq!(answer["errorType"], "Configuration");
        let message = answer["errorMessage"].as_str().unwrap();
        assert!(message.contains("ALCHEMISER_STORE is missing"), "{message}");
    }
    assert!(function.child.try_wait().unwrap().is_none(), "the process lives on");
    let log = fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
    assert!(log.contains("\"code\":\"environment\""), "{log}");
}

//! The function's process with a runtime interface of our own: it can do what the emulator cannot,
//! such as choose deadlines, run twenty processes side by side, and outlive one that is killed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::http::Message;

/// No invocation of a test takes longer.
const PATIENCE: Duration = Duration::from_mins(2);
/// How often it is looked whether a process that owes an answer still lives.
const GLANCE: Duration = Duration::from_millis(50);
/// What the template gives an invocation.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(5);

/// What the function answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// Whether it is an error, which feeds the failure destination.
    pub(crate) error: bool,
    pub(crate) body: Value,
}

/// An event on its way to the process.
struct Delivery {
    id: String,
    event: Value,
    deadline: Timestamp,
}

/// The process with the interface that it asks for events.
pub(crate) struct Function {
    child: Child,
    log: PathBuf,
    name: String,
    events: Sender<Delivery>,
    answers: Receiver<(String, Answer)>,
    sent: u32,
}

impl Answer {
    /// The outcome, or the type of the error.
    pub(crate) fn outcome(&self) -> &str {
        let field = if self.error { "errorType" } else { "outcome" };
        self.body[field].as_str().unwrap_or_default()
    }

    /// Keeps the answer beside a log, for whoever searches all that was said.
    pub(crate) fn keep(&self, log: &Path) {
        let path = log.with_extension("answers");
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{}", self.body).unwrap();
    }

    /// Category and code of each incident.
    pub(crate) fn incidents(&self) -> Vec<(&str, &str)> {
        let list = self.body["incidents"].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter()
            .map(|noted| {
                let word = |field: &str| noted[field].as_str().unwrap_or_default();
                (word("category"), word("code"))
            })
            .collect()
    }
}

impl Function {
    /// Starts the process; its log is a file of a name of its own in a folder.
    pub(crate) fn start(
        program: &Path,
        (folder, name): (&Path, &str),
        variables: &BTreeMap<String, String>,
    ) -> Self {
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
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).unwrap();
        let child = Command::new(program)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api)
            .env("AWS_LAMBDA_FUNCTION_NAME", "alchemiser")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
            .envs(variables)
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { child, log, name: name.to_owned(), events, answers, sent: 0 }
    }

    /// Gives its requests ids by another name than its log's.
    pub(crate) fn called(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Sends an event and waits for its answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, event: Value) -> Answer {
        self.ask_within(event, TIMEOUT)
    }

    /// The same for an invocation that has only so much time.
    #[track_caller]
    pub(crate) fn ask_within(&mut self, event: Value, time: Duration) -> Answer {
        self.send(event, time);
        self.answer()
    }

    /// Sends an event, to be answered within some time.
    pub(crate) fn send(&mut self, event: Value, time: Duration) {
        self.sent += 1;
        let id = self.request();
        let deadline = Timestamp::now() + time;
        self.events.send(Delivery { id, event, deadline }).unwrap();
    }

    /// Waits for the answer to the event sent last.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Answer {
        let began = Instant::now();
        loop {
            match self.answers.recv_timeout(GLANCE) {
                Ok((id, answer)) => {
                    assert_eq!(id, self.request(), "{answer:?}\n{}", self.log());
                    answer.keep(&self.log);
                    return answer;
                }
                Err(RecvTimeoutError::Timeout) => {
                    let ended = self.child.try_wait().unwrap();
                    let waits = ended.is_none() && began.elapsed() < PATIENCE;
                    assert!(waits, "no answer, the process: {ended:?}\n{}", self.log());
                }
                Err(RecvTimeoutError::Disconnected) => unreachable!("the interface outlives us"),
            }
        }
    }

    /// The id of the event sent last: what the function calls itself in its records.
    pub(crate) fn request(&self) -> String {
        format!("{}-{}", self.name, self.sent)
    }

    /// Kills the process where it stands.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The most memory that the process ever held, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    /// Whether the process still lives.
    pub(crate) fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// All that the process has printed so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.child.kill(); // an error says that it is gone already
        let _ = self.child.wait();
    }
}

/// The runtime interface on one connection: `next` waits for an event, the rest are answers.
fn converse(
    mut connection: &TcpStream,
    waiting: &Mutex<Receiver<Delivery>>,
    answered: &Sender<(String, Answer)>,
) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    loop {
        let request = Message::read(&mut reader).ok()??;
        if request.word(1) == "/2018-06-01/runtime/invocation/next" {
            let Delivery { id, event, deadline } = waiting.lock().unwrap().recv().ok()?;
            let body = event.to_string();
            write!(
                connection,
                "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: {id}\r\n\
                 lambda-runtime-deadline-ms: {}\r\n\
                 lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:0:function:x\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                deadline.as_millisecond(),
                body.len()
            )
            .ok()?;
        } else {
            let mut parts = request.word(1).rsplit('/');
            let (kind, id) = (parts.next()?, parts.next()?);
            let body = serde_json::from_slice(&request.body)
                .unwrap_or_else(|_| json!({ "not JSON": request.text() }));
            answered.send((id.to_owned(), Answer { error: kind == "error", body })).ok()?;
            write!(connection, "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").ok()?;
        }
    }
}

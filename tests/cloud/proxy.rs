//! The way from the function to Amazon's protocols, with scripted trouble on it.

use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::json;

use crate::http::Message;

/// Stands in every error answer where no log, record or mail may take it from.
pub(crate) const ERROR_BODY: &str = "canary-error/body+0001=\"quoted\"";

/// Which requests a trouble strikes.
#[derive(Debug, Clone)]
pub(crate) struct On {
    service: &'static str,
    method: &'static str,
    containing: String,
    times: u32,
}

/// What happens to a request.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// This error instead of the service's answer: status, code, message.
    Answer(u16, &'static str, String),
    /// The service is slow.
    Slow(Duration),
    /// Nobody answers, and the service never hears of it.
    Silence,
    /// The connection is cut, and the service never hears of it.
    Cut,
    /// The service does it; the answer is lost.
    Lost,
    /// The service does it; the answer is withheld until the asker is gone.
    Withheld,
}

/// A request that came by, and the status of its answer: none while there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) service: String,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) status: Option<u16>,
    /// Whether the service did it.
    pub(crate) done: bool,
    /// Whether it asked to be refused if anything is there already.
    pub(crate) write_once: bool,
}

/// A running proxy; its threads end with the process.
pub(crate) struct Proxy {
    /// Host and port.
    pub(crate) address: String,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    troubles: Vec<(On, Trouble)>,
    seen: Vec<Seen>,
}

impl On {
    /// Every request to a service.
    pub(crate) fn service(service: &'static str) -> Self {
        Self { service, method: "", containing: String::new(), times: u32::MAX }
    }

    /// Reads of objects whose address contains a text; lists have `prefix=` in theirs.
    pub(crate) fn get(containing: &str) -> Self {
        Self { method: "GET", containing: containing.to_owned(), ..Self::service("s3") }
    }

    /// Writes of objects whose address contains a text.
    pub(crate) fn put(containing: &str) -> Self {
        Self { method: "PUT", containing: containing.to_owned(), ..Self::service("s3") }
    }

    /// Strikes so often and no more.
    pub(crate) fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    fn matches(&self, seen: &Seen) -> bool {
        self.service == seen.service
            && seen.method.contains(self.method)
            && seen.target.contains(&self.containing)
    }
}

impl Proxy {
    /// A proxy before a server.
    pub(crate) fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let all = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&all);
                // Whoever hangs up half-way is part of many a test.
                std::thread::spawn(move || drop(shared.serve(&connection)));
            }
        });
        Self { address, shared }
    }

    /// Scripts some trouble; of those that name a request, the first that is not spent strikes.
    pub(crate) fn trouble(&self, on: On, trouble: Trouble) {
        self.shared.state.lock().unwrap().troubles.push((on, trouble));
    }

    /// Takes back all trouble.
    pub(crate) fn calm(&self) {
        self.shared.state.lock().unwrap().troubles.clear();
    }

    /// Every request so far, oldest first.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.state.lock().unwrap().seen.clone()
    }

    /// Waits until the service has done some request.
    #[track_caller]
    pub(crate) fn until_done(&self, method: &str, containing: &str, patience: Duration) {
        let state = self.shared.state.lock().unwrap();
        let pending = |state: &mut State| {
            let done = |seen: &Seen| {
                seen.done && seen.method == method && seen.target.contains(containing)
            };
            !state.seen.iter().any(done)
        };
        let (state, waited) =
            self.shared.changed.wait_timeout_while(state, patience, pending).unwrap();
        assert!(!waited.timed_out(), "no {method} of {containing} came by: {:#?}", state.seen);
    }
}

impl Shared {
    fn serve(&self, mut connection: &TcpStream) -> std::io::Result<()> {
        let Some(request) = Message::read(&mut BufReader::new(connection))? else { return Ok(()) };
        let service = service(&request);
        let (method, target) = (request.word(0).to_owned(), request.word(1).to_owned());
        let write_once = request.header("if-none-match") == Some("*");
        let seen = Seen { service, method, target, status: None, done: false, write_once };
        let (number, trouble) = self.note(seen);
        let answer = match trouble {
            None => self.forward(number, &request)?,
            Some(Trouble::Slow(delay)) => {
                std::thread::sleep(delay);
                self.forward(number, &request)?
            }
            Some(Trouble::Answer(status, code, message)) => {
                error(status, (code, &message), self.seen(number).service == "s3")
            }
            Some(Trouble::Silence) => return until_gone(connection),
            Some(Trouble::Cut) => return connection.shutdown(Shutdown::Both),
            Some(Trouble::Lost) => {
                self.forward(number, &request)?;
                return connection.shutdown(Shutdown::Both);
            }
            Some(Trouble::Withheld) => {
                self.forward(number, &request)?;
                return until_gone(connection);
            }
        };
        let status = Message::read(&mut answer.as_slice()).ok().flatten().map(|read| read.status());
        self.mark(number, |seen| seen.status = status);
        connection.write_all(&answer)?;
        connection.shutdown(Shutdown::Both)
    }

    /// Notes a request and finds out what befalls it.
    fn note(&self, seen: Seen) -> (usize, Option<Trouble>) {
        let mut state = self.state.lock().unwrap();
        let mut struck = None;
        for (on, trouble) in state.troubles.iter_mut().filter(|(on, _)| on.matches(&seen)) {
            if on.times > 0 {
                on.times -= u32::from(on.times != u32::MAX);
                struck = Some(trouble.clone());
                break;
            }
        }
        state.seen.push(seen);
        (state.seen.len() - 1, struck)
    }

    fn seen(&self, number: usize) -> Seen {
        self.state.lock().unwrap().seen[number].clone()
    }

    fn mark(&self, number: usize, change: impl FnOnce(&mut Seen)) {
        change(&mut self.state.lock().unwrap().seen[number]);
        self.changed.notify_all();
    }

    fn forward(&self, number: usize, request: &Message) -> std::io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(&self.upstream)?;
        server.write_all(&request.forwarded())?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        self.mark(number, |seen| seen.done = true);
        Ok(answer)
    }
}

/// The service that a signed request is for, from the scope of its signature.
fn service(request: &Message) -> String {
    let scope = request.header("authorization").unwrap_or_default().split('/').nth(3);
    scope.unwrap_or_default().to_owned()
}

fn until_gone(mut connection: &TcpStream) -> std::io::Result<()> {
    connection.read_to_end(&mut Vec::new()).map(drop)
}

/// An error as a service spells it, with a canary wherever there is room beside code and message.
fn error(status: u16, (code, message): (&str, &str), xml: bool) -> Vec<u8> {
    let (kind, body) = if xml {
        let host = ERROR_BODY.replace('"', "&quot;");
        let parts =
            format!("<Code>{code}</Code><Message>{message}</Message><HostId>{host}</HostId>");
        ("application/xml", format!("<?xml version=\"1.0\"?><Error>{parts}</Error>"))
    } else {
        let body = json!({"__type": code, "message": message, "detail": ERROR_BODY});
        ("application/json", body.to_string())
    };
    format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-type: {kind}\r\nx-amzn-errortype: {code}\r\n\
         x-amz-request-id: scripted-request\r\nx-amz-id-2: {ERROR_BODY}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

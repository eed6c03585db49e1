//! Amazon's protocols on a loopback port: secrets, objects and mail that live as long as a test.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mail_parser::{MessageParser, MimeHeaders};
use serde_json::{Value, json};

use crate::http::{Message, call};
use crate::leash::Leash;
use crate::python;

/// It answers after about a second; more when the machine is busy compiling.
const STARTING: Duration = Duration::from_mins(2);
/// The bucket of all tests; each has a server of its own.
pub(crate) const BUCKET: &str = "records";

/// A running server, empty at first.
pub(crate) struct Moto {
    /// Host and port.
    pub(crate) address: String,
    _program: Leash,
}

/// A mail that the carrier took.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) raw: String,
    pub(crate) to: Vec<String>,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    /// Images and other parts: content id and bytes.
    pub(crate) parts: Vec<(String, Vec<u8>)>,
}

impl Moto {
    /// Starts a server whose log goes into a folder.
    pub(crate) fn start(folder: &Path) -> Self {
        let program = python::environment("cloud").join("moto_server");
        let log = folder.join("moto.log");
        let options = ["-H", "127.0.0.1", "-p", "0"];
        let prepare = |command: &mut Command| {
            command.args(options);
        };
        let mut program = Leash::start(&program, prepare, &log);
        let address = program.until(("the protocol server", &log), STARTING, |said| {
            let (_, rest) = said.split_once("Running on http://")?;
            rest.split_once(char::is_whitespace).map(|(address, _)| address.to_owned())
        });
        let moto = Self { address, _program: program };
        moto.ask("s3", &format!("PUT /{BUCKET}"), &[], b"");
        moto
    }

    /// Asks a service as whoever owns everything.
    #[track_caller]
    fn ask(&self, service: &str, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Message {
        let answer = self.look(service, request, headers, body);
        assert!(answer.status() < 300, "{request}: {} {}", answer.head, answer.text());
        answer
    }

    fn look(&self, service: &str, request: &str, headers: &[(&str, &str)], body: &[u8]) -> Message {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=testing/20261120/us-east-1/{service}/aws4_request"
        );
        let headers = [&[("authorization", scope.as_str())], headers].concat();
        call(&self.address, request, &headers, body).unwrap()
    }

    /// Creates or replaces a secret.
    pub(crate) fn secret(&self, name: &str, text: &str) {
        let created = self.keep("CreateSecret", &json!({"Name": name, "SecretString": text}));
        if created.status() != 200 {
            let changed =
                self.keep("PutSecretValue", &json!({"SecretId": name, "SecretString": text}));
            assert_eq!(changed.status(), 200, "{}", changed.text());
        }
    }

    /// Removes a secret for good.
    pub(crate) fn forget_secret(&self, name: &str) {
        let body = json!({"SecretId": name, "ForceDeleteWithoutRecovery": true});
        let gone = self.keep("DeleteSecret", &body);
        assert_eq!(gone.status(), 200, "{}", gone.text());
    }

    fn keep(&self, action: &str, body: &Value) -> Message {
        let target = format!("secretsmanager.{action}");
        let headers =
            [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1")];
        self.look("secretsmanager", "POST /", &headers, body.to_string().as_bytes())
    }

    /// Lets an address or a domain send mail.
    pub(crate) fn identity(&self, name: &str) {
        let body = json!({ "EmailIdentity": name }).to_string();
        let kind = [("content-type", "application/json")];
        self.ask("ses", "POST /v2/email/identities", &kind, body.as_bytes());
    }

    /// Writes an object as the operator would.
    pub(crate) fn put(&self, key: &str, text: &str) {
        self.ask("s3", &format!("PUT /{BUCKET}/{key}"), &[], text.as_bytes());
    }

    /// Reads an object.
    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        let answer = self.look("s3", &format!("GET /{BUCKET}/{key}"), &[], b"");
        (answer.status() == 200).then_some(answer.body)
    }

    /// The keys that start with a prefix, in order.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let request = format!("GET /{BUCKET}?list-type=2&prefix={prefix}");
        let list = self.ask("s3", &request, &[], b"").text();
        assert!(!list.contains("<IsTruncated>true"), "more objects than one page shows");
        let keys = list.split("<Key>").skip(1);
        keys.filter_map(|rest| rest.split_once("</Key>")).map(|(key, _)| key.to_owned()).collect()
    }

    /// All objects.
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let keys = self.keys("").into_iter();
        keys.filter_map(|key| self.get(&key).map(|bytes| (key, bytes))).collect()
    }

    /// The mails taken so far, oldest first, read as their reader's program would.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        let state = self.look("moto-api", "GET /moto-api/data.json", &[], b"").body;
        let state: Value = serde_json::from_slice(&state).unwrap();
        let taken = state["ses"]["RawMessage"].as_array().cloned().unwrap_or_default();
        taken.iter().map(Mail::read).collect()
    }
}

impl Mail {
    #[track_caller]
    fn read(taken: &Value) -> Self {
        let raw = taken["raw_data"].as_str().unwrap().to_owned();
        let message = MessageParser::default().parse(raw.as_bytes()).unwrap();
        let part = |part: &mail_parser::MessagePart<'_>| {
            (part.content_id().unwrap_or_default().to_owned(), part.contents().to_vec())
        };
        let mut to: Vec<String> =
            serde_json::from_value(taken["destinations"].clone()).unwrap_or_default();
        to.sort();
        to.dedup(); // the server lists the envelope's and the header's recipients
        Self {
            to,
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap_or_default().into_owned(),
            html: message.body_html(0).unwrap_or_default().into_owned(),
            parts: message.attachments().map(part).collect(),
            raw: raw.clone(),
        }
    }

    /// The text on one line, for words that a line break may part.
    pub(crate) fn flat(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

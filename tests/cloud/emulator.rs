//! The artefact under Amazon's own Runtime Interface Emulator, as its wheel brings it.

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::http::call;
use crate::leash::Leash;
use crate::python;
use crate::runtime_api::Answer;

/// It listens within a few milliseconds; more when the machine is busy compiling.
const STARTING: Duration = Duration::from_secs(30);
/// How often a start is tried: a free port may be taken by another between looking and using.
const STARTS: u32 = 3;
/// Where the emulator takes events.
const INVOKE: &str = "POST /2015-03-31/functions/function/invocations";

/// A running emulator; it starts the function with the first event.
pub(crate) struct Emulator {
    address: String,
    log: PathBuf,
    _program: Leash,
}

impl Emulator {
    /// Starts the emulator; its log, and the function's, go into a folder.
    pub(crate) fn start(
        program: &Path,
        folder: &Path,
        variables: &BTreeMap<String, String>,
    ) -> Self {
        let (emulator, log) = (emulator(), folder.join("emulator.log"));
        for _ in 1..STARTS {
            if let Some(running) = Self::attempt(&emulator, program, &log, variables) {
                return running;
            }
        }
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        panic!("the emulator does not listen: {said}");
    }

    fn attempt(
        emulator: &Path,
        program: &Path,
        log: &Path,
        variables: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let [address, api] = [free_port(), free_port()];
        let prepare = |command: &mut std::process::Command| {
            command
                .args(["--runtime-interface-emulator-address", &address])
                .args(["--runtime-api-address", &api])
                .arg(program)
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("AWS_LAMBDA_FUNCTION_NAME", "alchemiser")
                .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
                .env("AWS_LAMBDA_FUNCTION_TIMEOUT", "300")
                .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
                .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
                .envs(variables);
        };
        let mut leash = Leash::start(emulator, prepare, log);
        let listens = |_: &str| TcpStream::connect(&address).is_ok().then_some(true);
        leash.until(("the emulator", log), STARTING, listens).then_some(())?;
        Some(Self { address, log: log.to_owned(), _program: leash })
    }

    /// All that emulator and function have printed so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Sends an event and waits for its answer.
    pub(crate) fn ask(&self, event: &Value) -> Answer {
        let answer = call(&self.address, INVOKE, &[], event.to_string().as_bytes()).unwrap();
        assert_eq!(answer.status(), 200, "the process died: {}", answer.text());
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        // Unlike the service, the emulator gives errors and answers the same status.
        let answer = Answer { error: body.get("errorType").is_some(), body };
        answer.keep(&self.log);
        answer
    }
}

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().to_string()
}

/// The emulator's program for this machine.
fn emulator() -> PathBuf {
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let inside = format!("site-packages/samcli/local/rapid/aws-lambda-rie-{machine}");
    let library = python::environment("cloud").parent().unwrap().join("lib");
    let versions = std::fs::read_dir(&library).unwrap();
    let found = versions.map(|entry| entry.unwrap().path().join(&inside));
    found.into_iter().find(|path| path.exists()).expect("the wheel brings the emulator")
}

//! Programs that run beside a test and end with it, however it ends.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take to follow the request to end.
const ENDING: Duration = Duration::from_secs(3);
/// How often it is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// Becomes the program, after leaving a watcher behind that ends it when our end of the pipe is
/// closed: by us, or by the system when we are no more.
const SCRIPT: &str = r#"
    exec 3<&0
    { read -r _ <&3; kill -TERM $$; } >/dev/null 2>&1 &
    exec "$@" </dev/null 3<&-
"#;

/// A running program on a leash.
pub(crate) struct Leash(Child);

impl Leash {
    /// Starts a program; what it says goes into a file.
    pub(crate) fn start(program: &Path, prepare: impl FnOnce(&mut Command), log: &Path) -> Self {
        let log = File::create(log).unwrap();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "leash"]).arg(program);
        prepare(&mut command);
        command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
        Self(command.spawn().unwrap())
    }

    /// Waits until something is there; says what it waited for, with the log, when it never comes.
    pub(crate) fn until<T>(
        &mut self,
        (what, log): (&str, &Path),
        patience: Duration,
        mut look: impl FnMut(&str) -> Option<T>,
    ) -> T {
        let began = Instant::now();
        loop {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            if let Some(found) = look(&said) {
                return found;
            }
            let ended = self.0.try_wait().unwrap();
            assert!(ended.is_none() && began.elapsed() < patience, "{what}: {ended:?}\n{said}");
            std::thread::sleep(GLANCE);
        }
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let began = Instant::now();
        while matches!(self.0.try_wait(), Ok(None)) && began.elapsed() < ENDING {
            std::thread::sleep(GLANCE);
        }
        let _ = self.0.kill(); // an error says that it is gone already
        let _ = self.0.wait();
    }
}

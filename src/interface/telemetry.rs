//! Logs: one JSON object a line for the function, plain lines for people.

use std::io::Write;

use tracing::Level;
use tracing_subscriber::EnvFilter;

/// How much a person wants to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Only what went wrong.
    Quiet,
    /// Each stage and each order.
    Verbose,
}

/// JSON lines on standard output at the given level, `info` when it is none.
pub fn for_function(level: Option<&str>) {
    let filter = EnvFilter::new(directives(level));
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false);
    let _ = lines.with_env_filter(filter).try_init(); // a second call keeps the first
}

/// A line as it is, beside the log: for whoever reads figures out of the output.
pub fn emit(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}"); // without a reader there is nobody to tell
}

/// Logs a panic by its place. Its words only where the program's text has them literally: others
/// were made at the time, and of whatever was at hand.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let words = panic.payload().downcast_ref::<&str>().copied().unwrap_or("words withheld");
        tracing::error!(place, words, "the program broke off");
    }));
}

/// Our own level and the request's id around it; of the libraries only warnings, because nobody
/// here vouches for what their finest lines show.
fn directives(level: Option<&str>) -> String {
    let level = match level.map(str::to_ascii_lowercase).as_deref() {
        Some("fatal") => Level::ERROR, // the platform's word for less than we have
        other => other.and_then(|word| word.parse().ok()).unwrap_or(Level::INFO),
    };
    format!("warn,lambda_runtime=info,alchemiser={level}").to_lowercase()
}

/// Plain lines on standard error.
pub fn for_people(detail: Detail) {
    let filter = match detail {
        Detail::Quiet => "off",
        Detail::Verbose => "info",
    };
    let lines = tracing_subscriber::fmt().with_target(false).with_writer(std::io::stderr);
    let _ = lines.with_env_filter(filter).try_init(); // a second call keeps the first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platforms_level_is_ours_and_never_the_libraries() {
        for (given, ours) in [
            (None, "info"),
            (Some("DEBUG"), "debug"),
            (Some("TRACE"), "trace"),
            (Some("FATAL"), "error"),
            (Some("loud"), "info"),
        ] {
            assert_eq!(directives(given), format!("warn,lambda_runtime=info,alchemiser={ours}"));
        }
    }
}

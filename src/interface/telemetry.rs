//! Logs: one JSON object a line for the function, plain lines for people.

use std::io::Write;

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

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
    let lines = fmt::layer().json().flatten_event(true).with_current_span(false);
    let lines = tracing_subscriber::registry().with(lines).with(targets(level));
    let _ = lines.try_init(); // a second call keeps the first
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
fn targets(level: Option<&str>) -> Targets {
    let level = match level.map(str::to_ascii_lowercase).as_deref() {
        Some("fatal") => Level::ERROR, // the platform's word for less than we have
        other => other.and_then(|word| word.parse().ok()).unwrap_or(Level::INFO),
    };
    let libraries = Targets::new().with_default(Level::WARN);
    libraries.with_target("lambda_runtime", Level::INFO).with_target("alchemiser", level)
}

/// Plain lines on standard error.
pub fn for_people(detail: Detail) {
    let most = match detail {
        Detail::Quiet => LevelFilter::OFF,
        Detail::Verbose => LevelFilter::INFO,
    };
    let lines = fmt::layer().with_target(false).with_writer(std::io::stderr);
    let lines = tracing_subscriber::registry().with(lines).with(most);
    let _ = lines.try_init(); // a second call keeps the first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platforms_level_is_ours_and_never_the_libraries() {
        for (given, ours) in [
            (None, Level::INFO),
            (Some("DEBUG"), Level::DEBUG),
            (Some("TRACE"), Level::TRACE),
            (Some("FATAL"), Level::ERROR),
            (Some("loud"), Level::INFO),
        ] {
            let targets = targets(given);
            for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
                let shown = targets.would_enable("alchemiser::application::run", &level);
                assert_eq!(shown, level <= ours, "{given:?} {level}");
                assert_eq!(targets.would_enable("hyper", &level), level <= Level::WARN);
            }
        }
    }
}

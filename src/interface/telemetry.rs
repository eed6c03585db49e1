//! Logs: one JSON object a line for the function, plain lines for people.

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
    let filter = EnvFilter::try_new(level.unwrap_or("info")).unwrap_or_else(|_| "info".into());
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false);
    let _ = lines.with_env_filter(filter).try_init(); // a second call keeps the first
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

//! The event that starts the function.

use alchemiser::domain::incident::Incident;
use alchemiser::domain::run::{Mode, RunAction};
use alchemiser::interface::event::Event;
use jiff::Timestamp;

/// An event is refused with an incident that names a right one, or says in full what to do.
pub(crate) fn enter(bytes: &[u8]) {
    let Ok(event) = serde_json::from_slice(bytes) else { return };
    match Event::parse(event, Timestamp::UNIX_EPOCH) {
        Ok(Event::Run(request)) => {
            assert!(request.force.is_none() || request.action == RunAction::Trade);
            let is_now = String::from_utf8_lossy(bytes).contains("\"now\"");
            assert!(request.mode == Mode::Paper || !is_now || request.force.is_some());
        }
        Ok(Event::Watch(_) | Event::Report { .. } | Event::Drill { .. }) => {}
        Err(error) => {
            let incident = Incident::from(&error);
            assert_eq!(incident.code, "event-refused");
        }
    }
}

//! The words of a push: an incident and its run, cut to what a telephone shows.

use crate::domain::incident::Incident;
use crate::domain::push::{Note, PUSH_VERSION};
use crate::domain::report::Verdict;
use crate::domain::run::RunKey;
use crate::presentation::line::clip;

/// Signs of each text; a telephone shows about so many without a touch.
const TEXT_MAX: usize = 200;
const CODE_MAX: usize = 60;

/// What is pushed about an incident; without a verdict its run is still at work.
pub fn push(incident: &Incident, run: &RunKey, verdict: Option<Verdict>) -> Note {
    Note {
        version: PUSH_VERSION,
        run: run.to_string(),
        verdict: verdict.map(|verdict| verdict.word().to_owned()),
        category: incident.category,
        code: clip(&incident.code, CODE_MAX),
        what: clip(&incident.what, TEXT_MAX),
        action: clip(&incident.action, TEXT_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::code::Code;
    use crate::domain::incident::Category;
    use crate::presentation::sample::key;

    #[test]
    fn a_push_is_short_plain_lines() {
        let what =
            format!("the end of\r\nX-Injected: 1\u{202e} order was not seen {}", "x".repeat(900));
        let incident = Incident::new(Category::Critical, Code::OrderUnknown, "run", what);
        let note = push(&incident.action("Look it up."), &key(), Some(Verdict::Unknown));
        assert_eq!(note.title(), "CRITICAL order-unknown, paper/main/2026-11-20/open/g0");
        assert!(note.what.starts_with("the end of X-Injected: 1 order was not seen xxx"));
        assert!(note.what.chars().count() <= TEXT_MAX && !note.what.contains('\n'));
        assert!(note.text().ends_with("\nDo: Look it up.\nVerdict: UNKNOWN ORDERS"));
        let json = serde_json::to_value(&note).unwrap();
        let names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let form = ["action", "category", "code", "run", "verdict", "version", "what"];
        assert_eq!(names, form);
    }
}

//! The event that starts the function: strict, because a guess could trade.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::period::{Period, PeriodRequest, Span};
use crate::domain::run::{
    AccountName, Force, Mode, NameError, RunAction, RunRequest, Slot, WatchRequest,
};
use crate::domain::session::exchange_date;

/// Most accounts of a digest.
const ACCOUNTS_MAX: usize = 20;
/// What a right event looks like, for the message to whoever sent another.
pub const EXAMPLE: &str = r#"{"action":"trade","mode":"paper","account":"main","slot":"open","scheduled_for":"2026-11-20T14:35:00Z"}"#;

/// An event, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Trade, preview or resume.
    Run(RunRequest),
    /// Look whether the session's run ended well.
    Watch(WatchRequest),
    /// Break off on purpose: shows that a failure is seen where somebody looks.
    Drill {
        /// Paper or live.
        mode: Mode,
        /// Account name.
        account: AccountName,
    },
    /// Send a letter about a period.
    Report(PeriodRequest),
}

/// Why an event is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// A field is unknown, missing or of another kind.
    #[error("event not understood: {0}; a right one is {EXAMPLE}")]
    Shape(String),
    /// A field's value is not allowed.
    #[error("event field `{field}`: {why}; a right event is {EXAMPLE}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    action: Action,
    mode: Mode,
    account: String,
    slot: Option<String>,
    scheduled_for: Option<String>,
    period: Option<Span>,
    accounts: Option<Vec<String>>,
    force: Option<Force>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    Trade,
    Preview,
    Resume,
    Watch,
    Report,
    Drill,
}

impl Event {
    /// Reads an event; `now` stands for the word `now`, which paper mode may use.
    ///
    /// # Errors
    /// [`EventError`] naming the field and showing a right event.
    pub fn parse(event: Value, now: Timestamp) -> Result<Self, EventError> {
        if !event.is_object() {
            return Err(EventError::Shape("not a JSON object".to_owned()));
        }
        for field in ["action", "mode", "period"] {
            let texts = |value: &Value| value.is_string() || value.is_null();
            if !event.get(field).is_none_or(texts) {
                return Err(EventError::Field { field, why: "not a text".to_owned() });
            }
        }
        let raw: Raw =
            serde_json::from_value(event).map_err(|error| EventError::Shape(error.to_string()))?;
        let account = AccountName::parse(&raw.account).map_err(|error| named("account", &error))?;
        if raw.action == Action::Report {
            return report(raw, account, now).map(Self::Report);
        }
        absent("period", raw.period.is_some())?;
        absent("accounts", raw.accounts.is_some())?;
        if raw.action == Action::Drill {
            absent("slot", raw.slot.is_some())?;
            absent("scheduled_for", raw.scheduled_for.is_some())?;
            absent("force", raw.force.is_some())?;
            return Ok(Self::Drill { mode: raw.mode, account });
        }
        absent("force", raw.force.is_some() && raw.action != Action::Trade)?;
        let slot = raw.slot.ok_or_else(|| missing("slot"))?;
        let slot = Slot::parse(&slot).map_err(|error| named("slot", &error))?;
        let scheduled_for = raw.scheduled_for.ok_or_else(|| missing("scheduled_for"))?;
        let scheduled_for = moment(&scheduled_for, raw.mode, now)?;
        let (mode, force) = (raw.mode, raw.force);
        let action = match raw.action {
            Action::Watch => {
                return Ok(Self::Watch(WatchRequest { mode, account, slot, scheduled_for }));
            }
            Action::Trade | Action::Report | Action::Drill => RunAction::Trade, // the latter returned
            Action::Preview => RunAction::Preview,
            Action::Resume => RunAction::Resume,
        };
        Ok(Self::Run(RunRequest { action, mode, account, slot, scheduled_for, force }))
    }

    /// The account that it is about.
    pub fn whose(&self) -> (Mode, &AccountName) {
        match self {
            Self::Run(RunRequest { mode, account, .. })
            | Self::Watch(WatchRequest { mode, account, .. })
            | Self::Report(PeriodRequest { mode, account, .. })
            | Self::Drill { mode, account } => (*mode, account),
        }
    }
}

/// A letter of the newest period that was over when it was scheduled, else now.
fn report(raw: Raw, account: AccountName, now: Timestamp) -> Result<PeriodRequest, EventError> {
    let span = raw.period.ok_or_else(|| missing("period"))?;
    absent("slot", raw.slot.is_some())?;
    absent("force", raw.force.is_some())?;
    let scheduled_for = raw.scheduled_for.map(|text| moment(&text, raw.mode, now)).transpose()?;
    let mut accounts = Vec::new();
    for name in raw.accounts.unwrap_or_default() {
        let name = AccountName::parse(&name).map_err(|error| named("accounts", &error))?;
        if !accounts.contains(&name) {
            accounts.push(name);
        }
    }
    if accounts.len() > ACCOUNTS_MAX {
        let why = format!("{} accounts; at most {ACCOUNTS_MAX}", accounts.len());
        return Err(EventError::Field { field: "accounts", why });
    }
    let period = Period::newest(span, exchange_date(scheduled_for.unwrap_or(now)));
    Ok(PeriodRequest { mode: raw.mode, account, accounts, period })
}

fn moment(text: &str, mode: Mode, now: Timestamp) -> Result<Timestamp, EventError> {
    let field = "scheduled_for";
    if text == "now" {
        return match mode {
            Mode::Paper => Ok(now),
            Mode::Live => {
                Err(EventError::Field { field, why: "`now` is for mode paper only".to_owned() })
            }
        };
    }
    text.parse().map_err(|error: jiff::Error| EventError::Field { field, why: error.to_string() })
}

fn named(field: &'static str, error: &NameError) -> EventError {
    EventError::Field { field, why: error.to_string() }
}

fn missing(field: &'static str) -> EventError {
    EventError::Field { field, why: "missing".to_owned() }
}

fn absent(field: &'static str, present: bool) -> Result<(), EventError> {
    let why = "not for this action".to_owned();
    if present { Err(EventError::Field { field, why }) } else { Ok(()) }
}

impl From<&EventError> for Incident {
    fn from(error: &EventError) -> Self {
        Self::new(Category::Configuration, Code::EventRefused, "event", error.to_string())
            .meaning("Nothing was traded: an event is either understood in full or refused.")
            .action("Correct the schedule's payload, or the test event.")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn right() -> Value {
        serde_json::from_str(EXAMPLE).unwrap()
    }

    fn with(field: &str, value: Value) -> Value {
        let mut event = right();
        event[field] = value;
        event
    }

    fn parse(event: Value) -> Result<Event, EventError> {
        Event::parse(event, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn the_example_is_a_right_event() {
        let Event::Run(request) = parse(right()).unwrap() else { unreachable!("it is a trade") };
        assert_eq!(request.action, RunAction::Trade);
        assert_eq!(request.scheduled_for.to_string(), "2026-11-20T14:35:00Z");
    }

    #[test]
    fn an_unknown_field_or_action_or_mode_is_refused_by_name() {
        for (event, word) in [
            (with("dry_run", json!(true)), "dry_run"),
            (with("action", json!("liquidate")), "liquidate"),
            (with("mode", json!("real")), "real"),
            (with("account", json!("../x")), "account"),
            (with("slot", json!("Open")), "slot"),
            (with("period", json!("week")), "period"),
            (with("scheduled_for", json!("yesterday")), "scheduled_for"),
        ] {
            let error = parse(event).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains(EXAMPLE), "{error}");
        }
    }

    #[test]
    fn every_missing_field_is_refused_by_name() {
        for field in ["action", "mode", "account", "slot", "scheduled_for"] {
            let mut event = right();
            event.as_object_mut().unwrap().remove(field);
            let error = parse(event).unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
    }

    #[test]
    fn nothing_but_an_object_of_texts_is_an_event() {
        let list = json!(["trade", "paper", "main", "open", "2026-11-20T14:35:00Z", null, null]);
        assert!(parse(list).unwrap_err().to_string().contains("not a JSON object"));
        for field in ["action", "mode"] {
            let word = right()[field].as_str().unwrap().to_owned();
            let error = parse(with(field, json!({ word: null }))).unwrap_err().to_string();
            assert!(error.contains(field) && error.contains("not a text"), "{error}");
        }
    }

    #[test]
    fn now_is_for_paper_only() {
        assert!(parse(with("scheduled_for", json!("now"))).is_ok());
        let mut live = with("scheduled_for", json!("now"));
        live["mode"] = json!("live");
        assert!(parse(live).unwrap_err().to_string().contains("paper only"));
    }

    #[test]
    fn another_services_event_is_refused_and_shown_the_right_shape() {
        let event = json!({"version": "0", "source": "aws.events", "detail": {}});
        let error = parse(event).unwrap_err();
        let incident = Incident::from(&error);
        assert_eq!(incident.category, Category::Configuration);
        assert!(incident.what.contains(EXAMPLE));
    }

    #[test]
    fn a_report_has_a_period_and_no_session() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap(); // a Saturday
        let event = |more: Value| {
            let mut event = json!({"action": "report", "mode": "paper", "account": "main"});
            for (field, value) in more.as_object().unwrap() {
                event[field] = value.clone();
            }
            Event::parse(event, now).map(|event| {
                let Event::Report(request) = event else { panic!("{event:?}") };
                format!("{} {}", request.period, request.place())
            })
        };
        let told = |more| event(more).unwrap();
        let late = json!({"period": "week", "scheduled_for": "2026-11-14T12:00:00Z"});
        assert_eq!(told(json!({"period": "week"})), "2026-W47 reports/paper/main/2026-W47");
        assert_eq!(told(late), "2026-W46 reports/paper/main/2026-W46");
        assert_eq!(told(json!({"period": "month"})), "2026-10 reports/paper/main/2026-10");
        let digest = json!({"period": "day", "accounts": ["main", "second", "main"]});
        assert_eq!(told(digest), "2026-11-21 reports/paper/main/2026-11-21-digest");
        let many: Vec<String> = (0..21).map(|number| format!("a{number}")).collect();
        for (wrong, word) in [
            (json!({}), "period"),
            (json!({"period": "year"}), "year"),
            (json!({"period": "week", "slot": "open"}), "slot"),
            (json!({"period": "week", "accounts": ["../x"]}), "accounts"),
            (json!({"period": "week", "accounts": many}), "at most 20"),
        ] {
            let error = event(wrong).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        assert!(parse(with("accounts", json!(["main"]))).is_err(), "not for a trade");
    }
}

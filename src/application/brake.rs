//! Whether the settings moved further than the operator may have meant.
//!
//! ```text
//! control/{mode}/{account}/confirmed/{change}.json   the operator's word for one change
//! ```
//! Written by `alchemiser confirm` alone, once, and never by a run.

use crate::application::journal::JournalError;
use crate::application::journal::history::History;
use crate::application::run::House;
use crate::application::stop::Stop;
use crate::domain::brake::Rules;
use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::report::{RunReport, Verdict};
use crate::domain::run::{AccountName, Mode, RunAction};

/// Where the operator's word for a change lies.
pub fn confirmed_key((mode, account): (Mode, &AccountName), change: &str) -> String {
    format!("control/{mode}/{account}/confirmed/{change}.json")
}

/// Notes what the run is ruled by, and stops it when that moved too far since the last finished
/// run and nobody confirmed it. It stays open then: a resume in time goes on with the word given.
pub(super) async fn brake(
    house: &House<'_>,
    history: &History,
    report: &mut RunReport,
) -> Result<(), Stop> {
    let before = history.last.as_ref().and_then(|last| last.body.rules.as_ref());
    let rules = Rules::of(house.desk.policy, house.book, before);
    report.incidents.extend(loosened(&rules));
    report.rules = Some(rules.clone());
    let Some(before) = before else { return Ok(()) };
    let moved = rules.beyond(before, &house.desk.policy.brake);
    if moved.is_empty() {
        return Ok(());
    }
    let key = &report.key;
    let change = rules.change(before);
    let word = house.store.get(&confirmed_key((key.mode, &key.account), &change)).await;
    if word.map_err(JournalError::Store)?.is_some() {
        return Ok(());
    }
    let what = format!("settings moved since the last run: {}", moved.join("; "));
    let action = format!(
        "If you meant it: `alchemiser confirm --mode {} --account {}`; else put it back.",
        key.mode, key.account
    );
    let incident = Incident::new(Category::Configuration, Code::SettingsMoved, "brake", what)
        .meaning("No order is sent until it is confirmed; a resume within twenty minutes trades.")
        .action(action)
        .with("change", change);
    match report.action {
        RunAction::Preview => {
            report.incidents.push(incident);
            Ok(())
        }
        RunAction::Trade | RunAction::Resume => {
            Err(Stop::incident(Verdict::Blocked, incident, true))
        }
    }
}

fn loosened(rules: &Rules) -> Option<Incident> {
    let keys: Vec<&str> = rules.loosened.keys().map(String::as_str).collect();
    (!keys.is_empty()).then(|| {
        let what = format!("limits were loosened lately: {}", keys.join(", "));
        Incident::new(Category::Warning, Code::LimitsLoosened, "brake", what)
            .meaning("The risk gate lets more pass than before; this is said in three runs.")
            .action("Tighten them again if that was not meant.")
    })
}

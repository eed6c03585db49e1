//! Following a run from outside, record by record; it reads and changes nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::application::journal::final_record;
use crate::application::ports::{Clock, Store, StoreError};
use crate::domain::report::RunReport;
use crate::domain::run::RunKey;
use crate::domain::session::exchange_zone;
use crate::infrastructure::clock::MachineClock;
use crate::interface::cli::records::newest_session;
use crate::interface::cli::{Place, Trouble, say};
use crate::presentation::subject;

/// Between two looks; a look is one list of the run's records.
const LOOK: Duration = Duration::from_secs(1);
/// Looks until nobody waits any more: half an hour, in which every run has ended or was given up.
const LOOKS_MAX: u32 = 1800;

/// Tells each record of the newest session's runs as it appears; 0 when the run that was followed
/// ended well, 1 when somebody has to look.
pub(super) async fn follow(store: &dyn Store, place: &Place, as_json: bool) -> Result<u8, Trouble> {
    let mut told = BTreeSet::new();
    let mut said_waiting = false;
    for _ in 0..LOOKS_MAX {
        let session = newest_session(store, place).await?;
        if let Some(session) = session {
            let prefix = format!("runs/{}/{}/{session}/", place.mode, place.account);
            if let Some(report) = look(store, &prefix, &mut told, as_json).await.map_err(away)? {
                return Ok(u8::from(!report.verdict.is_good()));
            }
        } else if !said_waiting {
            said_waiting = true;
            say("no run yet; waiting for the first record");
        }
        MachineClock.sleep(LOOK).await;
    }
    Err(Trouble::setting("no run ended in half an hour", "look at `alchemiser status`"))
}

fn away(error: StoreError) -> Trouble {
    Trouble::setting(error, "check the store and the rights on it")
}

/// Tells what is new below a session; the report of its newest run once all of its runs have ended.
async fn look(
    store: &dyn Store,
    prefix: &str,
    told: &mut BTreeSet<String>,
    as_json: bool,
) -> Result<Option<RunReport>, StoreError> {
    let names = store.list(prefix).await?;
    let mut news = Vec::new();
    for name in &names {
        if told.contains(name) || words(record_of(name), &Value::Null).is_none() {
            continue;
        }
        let Some(record) = store.get(name).await? else { continue };
        told.insert(name.clone());
        news.push((record.at, name.clone(), record.bytes));
    }
    news.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let mut ended = None;
    for (at, name, bytes) in news {
        let body = serde_json::from_slice::<Value>(&bytes).unwrap_or_default();
        let run = run_of(&name);
        if as_json {
            say(&json!({"at": at, "run": run, "record": record_of(&name)}).to_string());
        } else {
            let clock = at.to_zoned(exchange_zone()).strftime("%H:%M:%S").to_string();
            let words = words(record_of(&name), &body["body"]).unwrap_or_default();
            say(&format!("{clock}  {run}  {words}"));
        }
        if name.ends_with("/final.json")
            && let Ok(kept) = final_record(&name, bytes)
        {
            if !as_json {
                say(&format!("          {run}  {}", subject(&kept.body)));
            }
            ended = Some(kept.body);
        }
    }
    let is_ended = |run: &str| names.contains(&format!("runs/{run}/final.json"));
    let runs: BTreeSet<String> = // what the session's runs share is none
        names.iter().map(|name| run_of(name)).filter(|run| run.parse::<RunKey>().is_ok()).collect();
    if !runs.iter().all(|run| is_ended(run)) {
        return Ok(None);
    }
    if ended.is_some() {
        return Ok(ended);
    }
    let Some(newest) = runs.last() else { return Ok(None) };
    let name = format!("runs/{newest}/final.json");
    let Some(record) = store.get(&name).await? else { return Ok(None) };
    Ok(final_record(&name, record.bytes).ok().map(|kept| kept.body))
}

/// `paper/main/2026-11-20/open/g0` of `runs/paper/main/2026-11-20/open/g0/plan.json`.
fn run_of(name: &str) -> String {
    name.split('/').skip(1).take(RUN_PARTS).collect::<Vec<_>>().join("/")
}

/// Parts of a run's name.
const RUN_PARTS: usize = 5;

fn record_of(name: &str) -> &str {
    name.splitn(RUN_PARTS + 2, '/').nth(RUN_PARTS + 1).unwrap_or_default()
}

/// What a record says in a few words; `None` for those that only keep the others in order.
fn words(record: &str, body: &Value) -> Option<String> {
    let filled = || {
        let orders = body.as_array().map(Vec::as_slice).unwrap_or_default();
        let full = orders.iter().filter(|order| order["shortfall"].is_null()).count();
        format!("{full} of {} in full", orders.len())
    };
    let parts: Vec<&str> = record.split('/').collect();
    match parts.as_slice() {
        ["open.json"] => Some("run opened".to_owned()),
        ["snapshot.json"] => Some("account, prices and signals read".to_owned()),
        ["plan.json"] => {
            let items = body["plan"]["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            let count =
                |what: &str| items.iter().filter(|item| item["action"]["do"] == what).count();
            Some(format!("plan kept: {} to sell, {} to buy", count("sell"), count("buy")))
        }
        ["sells.json"] => Some(format!("sales ended, {}", filled())),
        ["buyplan.json"] => {
            let items = body["items"].as_array().map_or(0, Vec::len);
            Some(format!("money counted: {items} to buy"))
        }
        ["buys.json"] => Some(format!("purchases ended, {}", filled())),
        ["att", side, symbol, attempt] => {
            let side = if *side == "S" { "sell" } else { "buy" };
            Some(format!("{side} {symbol}, attempt {}", attempt.trim_end_matches(".json")))
        }
        ["final.json"] => Some("ended".to_owned()),
        ["mail", "run.json"] => Some("letter taken".to_owned()),
        ["mail", "alert.json"] => Some("alert taken".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_told_by_its_name_and_what_only_orders_others_is_not() {
        let name = "runs/paper/main/2026-11-20/open/g0/att/B/TECL/2.json";
        assert_eq!(run_of(name), "paper/main/2026-11-20/open/g0");
        assert!(run_of(name).parse::<RunKey>().is_ok());
        assert_eq!(words(record_of(name), &Value::Null).unwrap(), "buy TECL, attempt 2");
        let plan = json!({"plan": {"items": [
            {"action": {"do": "sell"}}, {"action": {"do": "buy"}}, {"action": {"do": "hold"}},
        ]}});
        assert_eq!(words("plan.json", &plan).unwrap(), "plan kept: 1 to sell, 1 to buy");
        let outcomes = json!([{"shortfall": null}, {"shortfall": "why"}]);
        assert_eq!(words("sells.json", &outcomes).unwrap(), "sales ended, 1 of 2 in full");
        for quiet in ["lease/0001.json", "deliveries/x.json", "turn/1.json", ""] {
            assert_eq!(words(quiet, &Value::Null), None);
        }
    }
}

//! Arming an account for real money: what is asked for first, and what is shown before it is done.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::json;

use crate::application::arming::{arm_key, arming};
use crate::application::journal::history::finals_before;
use crate::application::ports::{Broker, Clock, Store};
use crate::domain::arming::{Arming, DAYS_MAX, RampStep, code_hash, first_ramp, is_code_hash};
use crate::domain::incident::Category;
use crate::domain::money::{Usd, Weight};
use crate::domain::report::{RunReport, Verdict};
use crate::domain::run::{AccountName, Mode};
use crate::infrastructure::clock::MachineClock;
use crate::interface::cli::asking::Consent;
use crate::interface::cli::online;
use crate::interface::cli::records::{open, run_key};
use crate::interface::cli::{Place, Trouble, cash, say};
use crate::interface::code;
use crate::interface::settings::user;

/// Sessions on paper that have to be clean.
const CLEAN_SESSIONS: usize = 5;
/// Final records looked through for them.
const RECORDS_MAX: usize = 60;

/// What is armed, and why.
#[derive(Debug, Clone, Args)]
pub(super) struct Arm {
    #[command(flatten)]
    place: Place,
    /// JSON file with the broker's `key_id` and `secret_key`, to see which account it opens.
    #[arg(long, value_name = "FILE", default_value = "secret.json")]
    secret: PathBuf,
    /// Fingerprint of the account, instead of asking the broker.
    #[arg(long, value_name = "DIGITS", conflicts_with = "secret")]
    fingerprint: Option<String>,
    /// SHA-256 of a program that may trade, `this` for this one; otherwise the one that ran the
    /// last paper session.
    #[arg(long, value_name = "SHA256")]
    code: Vec<String>,
    /// Days it lasts.
    #[arg(long, default_value_t = DAYS_MAX, value_parser = clap::value_parser!(i64).range(1..=DAYS_MAX))]
    days: i64,
    /// Above this equity nothing is traded.
    #[arg(long, value_name = "DOLLARS", value_parser = cash)]
    max_equity: Option<Usd>,
    /// Use all of the capital from the first session on.
    #[arg(long, requires = "because")]
    full_capital: bool,
    /// Why, for the record.
    #[arg(long, value_name = "WORDS")]
    reason: String,
    /// Why to arm although something that is asked for first is missing.
    #[arg(long, value_name = "WORDS")]
    because: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

/// Arms.
pub(super) async fn arm(arm: &Arm, as_json: bool) -> Result<u8, Trouble> {
    let place = &arm.place;
    if place.mode == Mode::Paper {
        let what = "paper needs no arming";
        return Err(Trouble::setting(what, "for real money say --mode live"));
    }
    let store = open(place).await?;
    let store = store.as_ref();
    let (clean, by) = clean_sessions(store, place).await?;
    let codes = codes(arm, by.as_deref())?;
    let missing = missing(&clean, by.as_deref(), &codes);
    if let (Some(missing), None) = (&missing, &arm.because) {
        return Err(Trouble::setting(missing, "let them run on paper, or say --because \"..\""));
    }
    let reason = match &arm.because {
        Some(because) => format!("{}; armed because {because}", arm.reason),
        None => arm.reason.clone(),
    };
    let account = match &arm.fingerprint {
        Some(digits) => digits.clone(),
        None => shown_by_broker(arm).await?,
    };
    let since = MachineClock.now();
    let expires = since.saturating_add((arm.days * 24).hours()).unwrap_or(since);
    let arming = Arming {
        account,
        codes,
        since,
        expires,
        max_equity: arm.max_equity,
        who: user().unwrap_or_else(|| "the operator".to_owned()),
        reason,
        ramp: if arm.full_capital { Vec::new() } else { first_ramp() },
    };
    if !as_json {
        show(&arming, place, &clean, missing.as_deref());
    }
    let question = format!("This lets {}/{} trade real money.", place.mode, place.account);
    arm.consent.obtain(&question, "live")?;
    let key = arm_key(place.mode, &place.account);
    let bytes = serde_json::to_vec_pretty(&arming).unwrap_or_default();
    let written = store.put_view(&key, &bytes).await;
    written.map_err(|error| Trouble::setting(error, "check the rights on the store"))?;
    if as_json {
        say(&json!({ "armed": true, "record": key, "arming": arming }).to_string());
    } else {
        say(&format!("armed: {}/{key}", place.store));
    }
    Ok(0)
}

/// What the record permits, in words.
fn show(arming: &Arming, place: &Place, clean: &[Date], missing: Option<&str>) {
    say(&format!("account    {}/{}, fingerprint {}", place.mode, place.account, arming.account));
    for code in &arming.codes {
        say(&format!("program    {code}"));
    }
    say(&format!("until      {}", arming.expires.strftime("%Y-%m-%d %H:%M UTC")));
    match arming.max_equity {
        Some(most) => say(&format!("equity     at most {most}")),
        None => say("equity     without a bound"),
    }
    let step = |step: &RampStep| format!("{} for {} sessions", percent(step.part), step.sessions);
    let mut ramp: Vec<String> = arming.ramp.iter().map(step).collect();
    ramp.push("then all of it".to_owned());
    say(&format!("capital    {}", ramp.join(", ")));
    let clean: Vec<String> = clean.iter().map(ToString::to_string).collect();
    say(&format!("clean      {} on paper: {}", clean.len(), clean.join(", ")));
    if let Some(missing) = missing {
        say(&format!("missing    {missing}"));
    }
    say(&format!("reason     {}", arming.reason));
}

fn percent(part: Weight) -> String {
    format!("{}%", (part.decimal() * rust_decimal::Decimal::ONE_HUNDRED).normalize())
}

/// The newest sessions on paper in a row without trouble, and the program of the newest of them.
async fn clean_sessions(
    store: &dyn Store,
    place: &Place,
) -> Result<(Vec<Date>, Option<String>), Trouble> {
    let mut key = run_key(place)?;
    key.mode = Mode::Paper;
    key.generation = u8::MAX;
    let unreadable = |error: &dyn std::fmt::Display| {
        Trouble::setting(error, "a record cannot be read: restore it from a copy")
    };
    let finals =
        finals_before(store, &key, RECORDS_MAX).await.map_err(|error| unreadable(&error))?;
    let mut sessions: Vec<Date> = Vec::new();
    let mut code = None;
    for report in finals.iter().filter(|report| report.verdict != Verdict::Closed) {
        if !is_clean(report) {
            break;
        }
        if code.is_none() {
            code = code_hash(&report.code).map(str::to_owned);
        }
        if sessions.last() != Some(&report.key.session) {
            sessions.push(report.key.session);
        }
    }
    sessions.truncate(CLEAN_SESSIONS);
    Ok((sessions, code))
}

fn is_clean(report: &RunReport) -> bool {
    report.verdict.is_good()
        && report.incidents.iter().all(|incident| incident.category > Category::Critical)
}

fn codes(arm: &Arm, by: Option<&str>) -> Result<BTreeSet<String>, Trouble> {
    let named = arm.code.iter().map(|text| match text.as_str() {
        "this" => {
            let this = code::of_this_program();
            code_hash(&this).map(str::to_owned).ok_or_else(|| {
                Trouble::setting("this program's file is not readable", "name its hash")
            })
        }
        hash if is_code_hash(hash) => Ok(hash.to_owned()),
        other => {
            let what = format!("--code {other}: not 64 hexadecimal digits");
            Err(Trouble::setting(what, "take them from `sha256sum bootstrap`"))
        }
    });
    let mut codes = named.collect::<Result<BTreeSet<String>, Trouble>>()?;
    if codes.is_empty() {
        let what = "no paper session says which program ran it";
        let by = by.ok_or_else(|| Trouble::setting(what, "name the program with --code"))?;
        codes.insert(by.to_owned());
    }
    Ok(codes)
}

/// What is asked for first and is not there.
fn missing(clean: &[Date], by: Option<&str>, codes: &BTreeSet<String>) -> Option<String> {
    if clean.len() < CLEAN_SESSIONS {
        let count = clean.len();
        return Some(format!("{count} of {CLEAN_SESSIONS} clean sessions on paper in this store"));
    }
    let proven = by.is_some_and(|by| codes.iter().all(|code| code == by));
    (!proven).then(|| "the last clean session on paper was not run by this program".to_owned())
}

async fn shown_by_broker(arm: &Arm) -> Result<String, Trouble> {
    let outside = online::outside(&arm.place, &arm.secret, None).await?;
    let broker = outside.broker(arm.place.mode, None);
    let account = broker.account().await.map_err(|error| {
        Trouble::setting(error, "name the key pair's file with --secret, or say --fingerprint")
    })?;
    Ok(account.fingerprint)
}

/// Whether an account is armed, in a line; for whoever asks the store alone.
pub(super) async fn standing(
    store: &dyn Store,
    (mode, account): (Mode, &AccountName),
    now: Timestamp,
) -> Result<String, String> {
    let arming = arming(store, mode, account).await.map_err(|error| error.to_string())?;
    let Arming { expires, since, .. } = arming;
    if now >= expires || now < since {
        return Err(format!("the arming was from {since} to {expires}"));
    }
    let programs: Vec<&str> = arming.codes.iter().map(|code| &code[..code.len().min(12)]).collect();
    Ok(format!(
        "armed until {} for {}",
        expires.strftime("%Y-%m-%d %H:%M UTC"),
        programs.join(", ")
    ))
}

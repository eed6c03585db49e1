//! `alchemiser simulate`: days full of trouble, lived through by the production code and judged.
//!
//! The trouble and the judge are in [`crate::simulator`]; here is what needs the code above it.
//! [`stage`] lives one script through, [`mod@battery`] many on all cores, [`sweep`] kills at every call,
//! `timeline` tells one day to a person.

pub mod battery;
mod engines;
mod furnish;
pub mod stage;
pub mod sweep;
pub mod timeline;

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::interface::cli::simulate::battery::{Battery, Goes, Tally, battery, judged};
use crate::interface::cli::{Trouble, say, say_progress};
use crate::simulator::oracle::CHECKS;
use crate::simulator::trial::draw::{Kind, script};
use crate::simulator::trial::shrink::shrink;

/// Violating seeds that are made smaller and told.
const TOLD_MAX: usize = 5;

/// Days full of trouble.
#[derive(Debug, Clone, Args)]
pub struct Simulate {
    /// How many trials; each is one to six sessions and a calm one after them.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only these kinds of trouble, such as `kills,ambiguity`; `none` for calm days.
    #[arg(long, value_delimiter = ',', value_parser = kind, value_name = "KINDS")]
    faults: Option<Vec<Faults>>,
    /// Live through one seed and tell its timeline.
    #[arg(long, value_name = "SEED", conflicts_with_all = ["seeds", "from"])]
    replay: Option<u64>,
}

/// A kind of trouble as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faults {
    /// This one.
    Of(Kind),
    /// None at all.
    None,
}

fn kind(text: &str) -> Result<Faults, String> {
    if text == "none" {
        return Ok(Faults::None);
    }
    let known = Kind::ALL.iter().find(|(_, name)| *name == text);
    known.map(|(kind, _)| Faults::Of(*kind)).ok_or_else(|| {
        let names: Vec<&str> = Kind::ALL.iter().map(|(_, name)| *name).collect();
        format!("no such kind of trouble; there are: none, {}", names.join(", "))
    })
}

impl Simulate {
    fn kinds(&self) -> Option<Vec<Kind>> {
        let asked = self.faults.as_ref()?;
        let kinds = asked.iter().filter_map(|faults| match faults {
            Faults::Of(kind) => Some(*kind),
            Faults::None => None,
        });
        Some(kinds.collect())
    }
}

/// Runs trials, or one of them with its timeline.
pub(super) fn simulate(asked: &Simulate, as_json: bool) -> Result<u8, Trouble> {
    match asked.replay {
        Some(seed) => replay(seed, asked.kinds().as_deref(), as_json),
        None => Ok(trials(asked, as_json)),
    }
}

fn replay(seed: u64, only: Option<&[Kind]>, as_json: bool) -> Result<u8, Trouble> {
    let drawn = script(seed, only);
    let (truth, violations) = judged(&drawn);
    let Some(truth) = truth else {
        let what = violations.first().map(|violation| violation.what.clone()).unwrap_or_default();
        return Err(Trouble::setting(what, "report this seed"));
    };
    if as_json {
        let accused: Vec<_> = violations.iter().map(|v| json!([v.check, v.what])).collect();
        let print = format!("{:016x}", truth.fingerprint());
        say(&json!({ "seed": seed, "trace": print, "violations": accused }).to_string());
    } else {
        say(&format!("seed {seed}, what is in store:"));
        say(timeline::told(&drawn).trim_end());
        say("");
        say(timeline::timeline(&truth).trim_end());
        say("");
        say(&format!("account at the end: {}", account(&truth.world)));
        if violations.is_empty() {
            say(&format!("nothing violated in {} checks", CHECKS.len()));
        } else {
            say(timeline::accused(&violations).trim_end());
        }
    }
    Ok(u8::from(!violations.is_empty()))
}

fn account(world: &crate::simulator::world::World) -> String {
    let held =
        world.positions().into_iter().map(|(symbol, n)| format!("{symbol} {}", n.normalize()));
    let cash = std::iter::once(format!("cash ${}", world.cash().normalize()));
    held.chain(cash).collect::<Vec<_>>().join(", ")
}

fn trials(asked: &Simulate, as_json: bool) -> u8 {
    let only = asked.kinds();
    let seeds = asked.from..asked.from.saturating_add(asked.seeds);
    let total = asked.seeds;
    let battery_of = Battery { seeds, only: only.clone(), mutant: None };
    let tally = battery(&battery_of, |tally| {
        let Tally { trials, fault_days, violations, .. } = tally;
        let found = violations.len();
        say_progress(&format!(
            "\r{trials} of {total} trials, {fault_days} fault days, {found} violations "
        ));
        Goes::On
    });
    say_progress("\r\x1b[K");
    if as_json {
        say(&table(&tally).to_string());
    } else {
        for (name, value) in rows(&tally) {
            say(&format!("{name:<34}{value:>12}"));
        }
        for (seed, what) in smallest(&tally, only.as_deref()) {
            say(&format!("\nseed {seed}: the smallest trouble that breaks it"));
            say(what.trim_end());
            say(&format!("  again: alchemiser simulate --replay {seed}"));
        }
    }
    u8::from(!tally.is_clean())
}

/// The first violating seeds with what little trouble is enough.
pub fn smallest(tally: &Tally, only: Option<&[Kind]>) -> Vec<(u64, String)> {
    let mut seeds: Vec<u64> = tally.violations.iter().map(|(seed, _)| *seed).collect();
    seeds.dedup();
    let told = seeds.into_iter().take(TOLD_MAX).map(|seed| {
        let of_seed = tally.violations.iter().filter(|(of, _)| *of == seed);
        let checks: Vec<&str> = of_seed.map(|(_, violation)| violation.check).collect();
        let least = shrink(&script(seed, only), |script| {
            judged(script).1.iter().any(|violation| checks.contains(&violation.check))
        });
        let accused = timeline::accused(&judged(&least).1);
        (seed, format!("{}{accused}", timeline::told(&least)))
    });
    told.collect()
}

/// The figures of many trials, in the order in which they are told.
pub fn rows(tally: &Tally) -> Vec<(&'static str, String)> {
    let hours = Duration::from_secs(tally.seconds).as_secs() / 3600;
    vec![
        ("trials", tally.trials.to_string()),
        ("fault days", tally.fault_days.to_string()),
        ("calm days", tally.calm_days.to_string()),
        ("starts of the function", tally.deliveries.to_string()),
        ("killed, stopped or panicked", tally.broken.to_string()),
        ("found another at work", tally.overlaps.to_string()),
        ("orders at the exchange", tally.orders.to_string()),
        ("requests that arrived late", tally.late.to_string()),
        ("letters", tally.letters.to_string()),
        ("hours of work in virtual time", hours.to_string()),
        ("lived through twice", tally.twice.to_string()),
        ("of those, came out differently", tally.unequal.len().to_string()),
        ("checks for each", CHECKS.len().to_string()),
        ("violations", tally.violations.len().to_string()),
    ]
}

fn table(tally: &Tally) -> serde_json::Value {
    let mut table = serde_json::Map::new();
    for (name, value) in rows(tally) {
        table.insert(
            name.replace([' ', ','], "_"),
            value.parse().map_or(json!(value), |n: u64| json!(n)),
        );
    }
    let violations = tally.violations.iter().map(|(seed, v)| json!([seed, v.check, v.what]));
    table.insert("found".to_owned(), violations.collect());
    serde_json::Value::Object(table)
}

//! The strategies' signals on given closes, with the path that led to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;

use crate::domain::book::slots;
use crate::domain::market::Histories;
use crate::domain::money::Weight;
use crate::domain::policy::Policy;
use crate::domain::run::StrategyName;
use crate::domain::signal::evaluate;
use crate::domain::strategy::{StrategyEngine, StrategySlot};
use crate::domain::symbol::Symbol;
use crate::interface::cli::offline::causes;
use crate::interface::cli::strategy_file::read;
use crate::interface::cli::supposing::{Supposed, suppose, supposed};
use crate::interface::cli::{Trouble, alias, day, say};
use crate::presentation::explain::{Explained, html, json_line, text};
use crate::simulator::market::histories;

/// What to explain.
#[derive(Debug, Clone, Args)]
pub(super) struct Explain {
    /// Only this strategy of the policy.
    strategy: Option<StrategyName>,
    /// A strategy file instead of the policy's strategies.
    #[arg(long, value_name = "FILE", conflicts_with = "strategy")]
    symphony: Option<PathBuf>,
    /// Folder of `SYMBOL.csv` files with `date,close`.
    #[arg(long, value_name = "DIR")]
    prices: PathBuf,
    /// Decide on the closes up to and including this session.
    #[arg(long, value_parser = day, conflicts_with_all = ["from", "to"])]
    #[arg(required_unless_present = "from")]
    date: Option<Date>,
    /// First of several sessions.
    #[arg(long, value_parser = day, value_name = "DATE", requires = "to")]
    from: Option<Date>,
    /// Last of several sessions.
    #[arg(long, value_parser = day, value_name = "DATE", requires = "from")]
    to: Option<Date>,
    /// Read a symbol from another's file, such as `FNGU=FNGU_EXT`.
    #[arg(long, value_name = "A=B", value_parser = alias)]
    alias: Vec<(Symbol, String)>,
    /// Decide with another close of that day, such as `TQQQ=-3%` or `TQQQ=52.10`; for several symbols
    /// give it several times.
    #[arg(long, value_name = "SYMBOL=CLOSE", value_parser = supposed)]
    what_if: Vec<Supposed>,
    /// Write it as a page with the whole strategies, the taken paths lit: to a file, or `-` for
    /// standard output. One day only.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to", "json"])]
    html: Option<PathBuf>,
}

/// Explains; the answer is the exit code: 1 when a strategy had no signal.
pub(super) fn explain(what: &Explain, json: bool) -> Result<u8, Trouble> {
    let book = book(what)?;
    let aliases: BTreeMap<Symbol, String> = what.alias.iter().cloned().collect();
    let market = histories(&what.prices, &aliases)
        .map_err(|error| Trouble::setting(causes(&error), "correct the price folder"))?;
    let market = Histories::new(market);
    let (from, to) = match (what.date, what.from, what.to) {
        (Some(date), ..) => (date, date),
        (None, Some(from), Some(to)) => (from, to),
        (None, ..) => return Err(Trouble::setting("no date", "give --date, or --from and --to")),
    };
    if from > to {
        return Err(Trouble::setting(
            format!("{from} is after {to}"),
            "give the earlier day first",
        ));
    }
    let days = sessions(&market, from, to);
    if days.is_empty() {
        let asked = if from == to { format!("on {from}") } else { format!("from {from} to {to}") };
        let asked = format!("no session {asked} in the price folder");
        return Err(Trouble::setting(asked, "choose dates within the files"));
    }
    let mut failed = false;
    for day in days {
        let (market, supposed) = suppose(market.through(day), day, &what.what_if)?;
        let outcomes = evaluate(&book, &market, day);
        failed |= outcomes.iter().any(|outcome| outcome.result.is_err());
        if json {
            for outcome in &outcomes {
                say(&json_line(outcome, day));
            }
            continue;
        }
        let explained: Vec<Explained> = book
            .iter()
            .zip(outcomes)
            .map(|(slot, outcome)| {
                let engine = slot.engine.as_ref().ok();
                Explained { outcome, drawing: engine.and_then(|e| e.drawing(&market, day)) }
            })
            .collect();
        if let Some(path) = &what.html {
            put(path, &html(&explained, day, supposed.as_deref()))?;
            continue;
        }
        if let Some(supposed) = supposed {
            say(&supposed);
        }
        for explained in &explained {
            say(&text(explained, day));
        }
    }
    Ok(u8::from(failed))
}

/// Writes a page to a file, or to standard output for `-`.
fn put(path: &Path, page: &str) -> Result<(), Trouble> {
    if path == Path::new("-") {
        say(page.trim_end());
        return Ok(());
    }
    std::fs::write(path, page).map_err(|error| {
        let said = format!("{}: {error}", path.display());
        Trouble::setting(said, "name a file that can be written")
    })?;
    say(&format!("page  {}", path.display()));
    Ok(())
}

fn book(what: &Explain) -> Result<Vec<StrategySlot>, Trouble> {
    let Some(path) = &what.symphony else {
        let mut book = slots(&Policy::compiled_in(), &BTreeMap::new());
        if let Some(name) = &what.strategy {
            book.retain(|slot| slot.name == *name);
            if book.is_empty() {
                let unknown = format!("no strategy {name} in the policy");
                return Err(Trouble::setting(
                    unknown,
                    "name one of the policy, or give --symphony FILE",
                ));
            }
        }
        return Ok(book);
    };
    let engine = read(path)?;
    let name = engine.name().clone();
    Ok(vec![StrategySlot { name, allocation: Weight::ONE, engine: Ok(Box::new(engine)) }])
}

/// The days on which anything traded, within two dates.
fn sessions(market: &Histories, from: Date, to: Date) -> Vec<Date> {
    let days = market.iter().flat_map(|(_, history)| history.days().iter().copied());
    let mut days: Vec<Date> = days.filter(|day| (from..=to).contains(day)).collect();
    days.sort_unstable();
    days.dedup();
    days
}

//! Sleeves: who owns what, and the operator's word about it.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::application::instructions::write;
use crate::application::journal::history::{History, look_back};
use crate::application::ports::{Clock, Store};
use crate::domain::money::Shares;
use crate::domain::run::StrategyName;
use crate::domain::sleeve::instruct::{Instruction, Move};
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::symbol::Symbol;
use crate::infrastructure::clock::MachineClock;
use crate::interface::cli::records::{newest_session, open, run_key};
use crate::interface::cli::{Place, Trouble, say};
use crate::interface::settings::user;

/// What is asked of the sleeves.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum Sleeves {
    /// Who owns what, as the last run left it, and what the next run is to book.
    Show(Place),
    /// Give foreign shares of a symbol to a strategy; the next run books it.
    Assign(Assign),
    /// Make a sleeve's shares foreign, never to be sold; the next run books it.
    Release(Release),
}

/// Foreign shares for a strategy.
#[derive(Debug, Clone, Args)]
pub(super) struct Assign {
    /// The strategy.
    strategy: StrategyName,
    /// The symbol.
    #[arg(value_parser = symbol)]
    symbol: Symbol,
    /// How many shares; all that are foreign without it.
    #[arg(long, value_parser = shares)]
    shares: Option<Shares>,
    #[command(flatten)]
    because: Because,
    #[command(flatten)]
    place: Place,
}

/// A sleeve's shares for nobody.
#[derive(Debug, Clone, Args)]
pub(super) struct Release {
    /// The strategy.
    strategy: StrategyName,
    /// The symbol; all that the sleeve holds without it.
    #[arg(value_parser = symbol)]
    symbol: Option<Symbol>,
    #[command(flatten)]
    because: Because,
    #[command(flatten)]
    place: Place,
}

/// Why, and who says so.
#[derive(Debug, Clone, Args)]
struct Because {
    /// Why, for the record and the letter.
    #[arg(long, value_name = "WORDS")]
    reason: String,
    /// Who says so, when it is not the user who calls.
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
}

fn symbol(text: &str) -> Result<Symbol, String> {
    Symbol::parse(text).map_err(|error| error.to_string())
}

fn shares(text: &str) -> Result<Shares, String> {
    let shares = Shares::parse(text).ok().filter(|shares| !shares.is_zero());
    shares.ok_or_else(|| "expected a number of shares such as 12.5".to_owned())
}

/// Shows the sleeves, or writes what the next run books.
pub(super) async fn sleeves(what: &Sleeves, as_json: bool) -> Result<u8, Trouble> {
    match what {
        Sleeves::Show(place) => show(place, as_json).await,
        Sleeves::Assign(Assign { strategy, symbol, shares, because, place }) => {
            let (strategy, symbol) = (strategy.clone(), symbol.clone());
            instruct(place, Move::Assign { strategy, symbol, shares: *shares }, because, as_json)
                .await
        }
        Sleeves::Release(Release { strategy, symbol, because, place }) => {
            let (strategy, symbol) = (strategy.clone(), symbol.clone());
            instruct(place, Move::Release { strategy, symbol }, because, as_json).await
        }
    }
}

async fn show(place: &Place, as_json: bool) -> Result<u8, Trouble> {
    let store = open(place).await?;
    let history = history(store.as_ref(), place).await?;
    let (ledger, session) = ledger(&history)?;
    let waiting = waiting(&history, ledger);
    if as_json {
        let sleeves: BTreeMap<_, _> =
            ledger.sleeves.iter().map(|(name, sleeve)| (name, &sleeve.shares)).collect();
        let value = json!({
            "session": session, "sleeves": sleeves, "foreign": ledger.foreign, "waiting": waiting,
        });
        say(&value.to_string());
        return Ok(0);
    }
    say(&format!("after session {session}"));
    for (name, sleeve) in &ledger.sleeves {
        say(&format!("  {name:<24} {}", list(&sleeve.shares)));
    }
    say(&format!("  {:<24} {}", "foreign", list(&ledger.foreign)));
    for Instruction { what, who, reason, .. } in waiting {
        say(&format!("next run: {}, says {who}: {reason}", words(what)));
    }
    Ok(0)
}

/// Writes an instruction that the ledger, as it stands, could follow.
async fn instruct(
    place: &Place,
    what: Move,
    because: &Because,
    as_json: bool,
) -> Result<u8, Trouble> {
    let store = open(place).await?;
    let history = history(store.as_ref(), place).await?;
    follow(&what, ledger(&history)?.0)?;
    let at = MachineClock.now();
    let id = format!("{}-{}", at.strftime("%Y%m%dT%H%M%S%.6f"), std::process::id());
    let id = id.replace('.', "-");
    let who = because.who.clone().or_else(user).unwrap_or_else(|| "the operator".to_owned());
    let instruction = Instruction { id, at, who, reason: because.reason.clone(), what };
    let whose = (place.mode, &place.account);
    let written = write(store.as_ref(), whose, &instruction).await;
    if !written.map_err(|error| Trouble::setting(error, "check the rights on the store"))? {
        return Err(Trouble::setting("another instruction came first", "call again"));
    }
    if as_json {
        say(&json!(instruction).to_string());
    } else {
        say(&format!("the next run will book it: {}", words(&instruction.what)));
        say("it holds the sleeve for that run, and its letter says what it did");
    }
    Ok(0)
}

fn follow(what: &Move, ledger: &Ledger) -> Result<(), Trouble> {
    let (strategy, wrong) = match what {
        Move::Assign { strategy, symbol, shares } => {
            let foreign = ledger.foreign.get(symbol).copied().unwrap_or_default();
            let enough = !foreign.is_zero() && shares.is_none_or(|shares| shares <= foreign);
            (strategy, (!enough).then(|| format!("{foreign} {symbol} are foreign")))
        }
        Move::Release { strategy, symbol } => {
            let held = ledger.sleeves.get(strategy).map(|sleeve| &sleeve.shares);
            let holds = held.is_some_and(|held| match symbol {
                Some(symbol) => held.contains_key(symbol),
                None => !held.is_empty(),
            });
            let what = symbol.as_ref().map_or("anything", Symbol::as_str);
            (strategy, (!holds).then(|| format!("{strategy} does not hold {what}")))
        }
    };
    if !ledger.sleeves.contains_key(strategy) {
        let known: Vec<&str> = ledger.sleeves.keys().map(StrategyName::as_str).collect();
        let what = format!("no sleeve {strategy}; there are {}", known.join(", "));
        return Err(Trouble::setting(what, "name one of them"));
    }
    match wrong {
        Some(wrong) => Err(Trouble::setting(wrong, "look at `alchemiser sleeves show`")),
        None => Ok(()),
    }
}

async fn history(store: &dyn Store, place: &Place) -> Result<History, Trouble> {
    let mut key = run_key(place)?;
    // Looks back from the newest run there is: an offline world lives on days of its own.
    key.session = newest_session(store, place).await?.unwrap_or(key.session);
    key.generation = u8::MAX;
    look_back(store, &key, None)
        .await
        .map_err(|error| Trouble::setting(error, "a record cannot be read: restore it from a copy"))
}

fn ledger(history: &History) -> Result<(&Ledger, jiff::civil::Date), Trouble> {
    let last = history.last.as_ref().map(|kept| &kept.body);
    let ledger = last.and_then(|report| Some((report.ledger.as_ref()?, report.key.session)));
    ledger.ok_or_else(|| {
        Trouble::setting("no run left a ledger in this store", "run once, or name it with --store")
    })
}

fn waiting<'a>(history: &'a History, ledger: &Ledger) -> Vec<&'a Instruction> {
    let all = history.instructions.iter();
    all.filter(|instruction| !ledger.instructed.contains(&instruction.id)).collect()
}

fn list(shares: &BTreeMap<Symbol, Shares>) -> String {
    let list: Vec<String> = shares.iter().map(|(symbol, n)| format!("{n} {symbol}")).collect();
    if list.is_empty() { "nothing".to_owned() } else { list.join(", ") }
}

fn words(what: &Move) -> String {
    match what {
        Move::Assign { strategy, symbol, shares: Some(shares) } => {
            format!("{shares} foreign {symbol} to {strategy}")
        }
        Move::Assign { strategy, symbol, shares: None } => {
            format!("all foreign {symbol} to {strategy}")
        }
        Move::Release { strategy, symbol: Some(symbol) } => {
            format!("{symbol} of {strategy} to nobody")
        }
        Move::Release { strategy, symbol: None } => format!("all of {strategy} to nobody"),
    }
}

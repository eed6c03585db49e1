//! The operator's command line: what can be asked, and the exit codes.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | it went well: traded, nothing to do, closed, done before, worked on by another process |
//! | 1 | it ran, and somebody has to look: partial, blocked, failed, unknown orders |
//! | 2 | the command line is wrong |
//! | 3 | a setting, file or price folder is wrong |
//! | 4 | no final record could be kept |

mod days;
mod exchange;
mod explain;
mod offline;
mod online;
mod records;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;

use crate::domain::run::{AccountName, Mode, RunAction, Slot};
use crate::domain::symbol::Symbol;
use crate::interface::telemetry::{self, Detail};

/// Runs several rotation strategies on one Alpaca account, once a day.
#[derive(Debug, Parser)]
#[command(name = "alchemiser", version, about, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Log each stage and each order to standard error.
    #[arg(long, short, global = true)]
    verbose: bool,
    /// Answer as JSON for programs.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole job: signals, orders, record, report, mail.
    Run(Doing),
    /// Everything but orders.
    Preview(Doing),
    /// The strategies' signals with the path that led to them.
    Explain(explain::Explain),
    /// Prepare a store: permission to trade, and a policy to edit.
    Init(Place),
    /// What the store says: permission, last run, runs left open.
    Status(Place),
    /// The built-in exchange on a loopback port, for any client.
    Exchange(exchange::Listen),
}

/// Which account of which store.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Short name of the account.
    #[arg(long, default_value = "main")]
    account: AccountName,
    /// Paper or live.
    #[arg(long, default_value = "paper", value_parser = mode)]
    mode: Mode,
    /// Folder of the records.
    #[arg(long, default_value = "out/paper/store")]
    store: PathBuf,
}

/// A run or preview, in the broker's world or in the built-in one.
#[derive(Debug, Clone, Args)]
pub struct Doing {
    #[command(flatten)]
    place: Place,
    /// Name of the daily run.
    #[arg(long, default_value = "open")]
    slot: Slot,
    /// Policy laid over the default, instead of the store's.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// File with the broker's key pair.
    #[arg(long, value_name = "FILE", default_value = "secret.json")]
    secret: PathBuf,
    /// Use the built-in exchange: no keys, no network.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    world: WorldChoice,
    /// Folder under which offline worlds keep their records and mail.
    #[arg(long, default_value = "out")]
    out: PathBuf,
    /// Consecutive sessions to run, the ledger carried on.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=5000))]
    days: u32,
    /// Forget an earlier offline run of the same world first.
    #[arg(long)]
    fresh: bool,
}

/// Which prices the built-in exchange shows.
#[derive(Debug, Clone, Args)]
pub struct WorldChoice {
    /// Folder of `SYMBOL.csv` files with `date,close`; without it, prices are made up by a seed.
    #[arg(long, value_name = "DIR")]
    prices: Option<PathBuf>,
    /// Session to trade; decides on the closes before it.
    #[arg(long)]
    date: Option<Date>,
    /// List a symbol from another's file, such as `FNGU=FNGU_EXT`.
    #[arg(long, value_name = "A=B", value_parser = alias)]
    alias: Vec<(Symbol, String)>,
    /// Seed of made-up prices and of executions.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Cash the account starts with.
    #[arg(long, default_value = "100000")]
    cash: String,
}

/// Why a command could not do its work, in words, with the exit code.
#[derive(Debug, thiserror::Error)]
#[error("{what}\n  {next}")]
pub struct Trouble {
    what: String,
    next: String,
    code: u8,
}

impl Trouble {
    /// A setting, file or folder that is wrong, and the one thing to do.
    fn setting(what: impl std::fmt::Display, next: &str) -> Self {
        Self { what: what.to_string(), next: next.to_owned(), code: 3 }
    }
}

/// Runs the command that the process was called with.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    telemetry::for_people(if cli.verbose { Detail::Verbose } else { Detail::Quiet });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(cli)),
        Err(error) => Err(Trouble::setting(error, "free some resources and try again")),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(trouble) => {
            say_wrong(&trouble.to_string());
            ExitCode::from(trouble.code)
        }
    }
}

async fn dispatch(cli: Cli) -> Result<u8, Trouble> {
    let json = cli.json;
    match cli.command {
        Command::Run(doing) if doing.offline => offline::run(&doing, RunAction::Trade, json).await,
        Command::Preview(doing) if doing.offline => {
            offline::run(&doing, RunAction::Preview, json).await
        }
        Command::Run(doing) => online::run(&doing, RunAction::Trade, json).await,
        Command::Preview(doing) => online::run(&doing, RunAction::Preview, json).await,
        Command::Explain(explain) => explain::explain(&explain, json),
        Command::Init(place) => records::init(&place).await,
        Command::Status(place) => records::status(&place, json).await,
        Command::Exchange(listen) => exchange::listen(&listen).await,
    }
}

impl WorldChoice {
    fn aliases(&self) -> BTreeMap<Symbol, String> {
        self.alias.iter().cloned().collect()
    }
}

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "paper" => Ok(Mode::Paper),
        "live" => Ok(Mode::Live),
        _ => Err("paper or live".to_owned()),
    }
}

fn alias(text: &str) -> Result<(Symbol, String), String> {
    let (symbol, file) = text.split_once('=').ok_or("expected A=B, such as FNGU=FNGU_EXT")?;
    let symbol = Symbol::parse(symbol).map_err(|error| error.to_string())?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if file.is_empty() || !file.chars().all(plain) {
        return Err(format!("not the name of a price file: {file}"));
    }
    Ok((symbol, file.to_owned()))
}

/// Prints a line for people or programs.
#[expect(clippy::print_stdout, reason = "the command line's one way to standard output")]
fn say(line: &str) {
    println!("{line}");
}

/// Prints a line about what went wrong or how far it is.
#[expect(clippy::print_stderr, reason = "the command line's one way to standard error")]
fn say_wrong(line: &str) {
    eprintln!("{line}");
}

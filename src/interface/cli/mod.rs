//! The operator's command line: what can be asked, and the exit codes.
//!
//! The exit codes are part of the help.

mod armer;
mod asking;
mod asset_list;
mod cancelling;
mod check;
mod checking;
mod confirm;
mod convert;
mod days;
mod exchange;
mod explain;
mod follow;
mod forcing;
mod halting;
mod incident;
mod interrupt;
mod offline;
mod online;
mod period;
mod records;
mod report;
pub mod simulate;
mod sleeves;
mod status;
mod strategy_file;
mod supposing;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use jiff::civil::Date;

use crate::domain::money::Usd;
use crate::domain::run::{AccountName, Mode, RunAction, Slot};
use crate::domain::symbol::Symbol;
use crate::interface::settings::StorePlace;
use crate::interface::telemetry::{self, Detail};

/// What the exit codes mean, as the help says it.
const EXIT_CODES: &str = "\
Exit codes:
  0  it went well: traded, nothing to do, closed, done before
  1  it ran, and somebody has to look: partial, blocked, failed, unknown orders, no signal,
     a warning found
  2  the command line is wrong
  3  a setting, file or price folder is wrong, or the run was interrupted
  4  no final record could be kept";

/// Options that choose the built-in exchange's world, and mean nothing to the broker's.
const OFFLINE_ONLY: [&str; 5] = ["prices", "date", "alias", "seed", "cash"];

/// Runs several rotation strategies on one Alpaca account, once a day.
#[derive(Debug, Parser)]
#[command(name = "alchemiser", version, about, arg_required_else_help = true)]
#[command(after_help = EXIT_CODES)]
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
    #[command(after_help = EXIT_CODES)]
    Run(Running),
    /// Finish a run that was left open: settle its orders, and send the rest if its plan is good.
    #[command(after_help = EXIT_CODES)]
    Resume(Doing),
    /// Everything but orders: what a run would do now, as report and mail.
    Preview(Doing),
    /// The strategies' signals with the path that led to them.
    Explain(explain::Explain),
    /// A strategy file written out in the other encoding: text or Composer's steps.
    Convert(convert::Convert),
    /// What is wrong with strategy files, or probably not meant, with the place underlined.
    #[command(after_help = EXIT_CODES)]
    Check(check::Check),
    /// Prepare a store: permission to trade, and a policy to edit.
    Init(Place),
    /// How the account stands: permission, last and next run, sleeves, runs left open; with the
    /// broker's side, with what a run would do, or following a run.
    Status(status::Asked),
    /// A run's report, rendered again from its record alone; or a day, week or month.
    Report(report::Shown),
    /// What an incident is, why it happens, what to do now, and how to prevent it.
    Incident(incident::Asked),
    /// No new orders, from now on and until `unhalt`; sells nothing.
    Halt(halting::Halt),
    /// End a halt.
    Unhalt(halting::Unhalt),
    /// Who owns what, and the operator's word about it.
    #[command(subcommand)]
    Sleeves(sleeves::Sleeves),
    /// Cancel our own open orders in the account, and nobody else's.
    CancelAll(cancelling::CancelAll),
    /// Permit real money for one account, one program and some days.
    Arm(Box<armer::Arm>),
    /// Check on a paper account what the protocol assumes of the broker.
    CheckBroker(checking::CheckBroker),
    /// Show what moved in the settings since the last run, and let the next run trade by it.
    Confirm(confirm::Confirm),
    /// The built-in exchange on a loopback port, for any client.
    Exchange(exchange::Listen),
    /// Days full of trouble on the built-in exchange, judged: is everything done exactly once?
    Simulate(simulate::Simulate),
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
    /// Folder of the records, or `s3://bucket`.
    #[arg(long, default_value = "out/paper/store")]
    store: StorePlace,
}

/// A run or preview, in the broker's world or in the built-in one.
#[derive(Debug, Clone, Args)]
pub struct Doing {
    #[command(flatten)]
    place: Place,
    /// Name of the run within its day.
    #[arg(long, default_value = "open")]
    slot: Slot,
    /// Policy laid over the default, instead of the store's.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// JSON file with the broker's `key_id` and `secret_key`.
    #[arg(long, value_name = "FILE", default_value = "secret.json", conflicts_with = "offline")]
    secret: PathBuf,
    /// Use the built-in exchange: no keys, no network.
    #[arg(long)]
    offline: bool,
    #[command(flatten, next_help_heading = "The built-in exchange")]
    world: WorldChoice,
    /// Folder under which offline worlds keep their records and mail.
    #[arg(long, value_name = "DIR", default_value = "out", requires = "offline")]
    out: PathBuf,
    /// Forget what an earlier call left in this world's folder, and start anew.
    #[arg(long, requires = "offline")]
    fresh: bool,
}

/// A run, or several in a row.
#[derive(Debug, Clone, Args)]
pub struct Running {
    #[command(flatten)]
    doing: Doing,
    /// Consecutive sessions to run, the ledger carried on; each is checked against the exchange.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=5000))]
    #[arg(requires = "offline")]
    days: u32,
    #[command(flatten, next_help_heading = "Repeating a finished run")]
    forcing: forcing::Forcing,
}

/// Which prices the built-in exchange shows.
#[derive(Debug, Clone, Args)]
pub struct WorldChoice {
    /// Folder of `SYMBOL.csv` files with `date,close`; without it, prices are made up by a seed.
    #[arg(long, value_name = "DIR")]
    prices: Option<PathBuf>,
    /// Session to trade; decides on the closes before it.
    #[arg(long, value_parser = day)]
    date: Option<Date>,
    /// List a symbol from another's file, such as `FNGU=FNGU_EXT`.
    #[arg(long, value_name = "A=B", value_parser = alias)]
    alias: Vec<(Symbol, String)>,
    /// Seed of made-up prices and of executions.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Cash the account starts with.
    #[arg(long, value_parser = cash, default_value = "100000", allow_negative_numbers = true)]
    cash: Usd,
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
    let cli = Cli::from_arg_matches(&command().get_matches()).unwrap_or_else(|wrong| wrong.exit());
    telemetry::for_people(if cli.verbose { Detail::Verbose } else { Detail::Quiet });
    if let Command::Simulate(asked) = &cli.command {
        // Each core of a simulation has a runtime of its own.
        return exit(simulate::simulate(asked, cli.json));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(cli)),
        Err(error) => Err(Trouble::setting(error, "free some resources and try again")),
    };
    exit(done)
}

fn exit(done: Result<u8, Trouble>) -> ExitCode {
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
        Command::Run(Running { doing, days, forcing }) if doing.offline => match days {
            1 => offline::run(&doing, RunAction::Trade, forcing.wish(), json).await,
            several => days::run(&doing, several, json).await,
        },
        Command::Preview(doing) if doing.offline => {
            offline::run(&doing, RunAction::Preview, None, json).await
        }
        Command::Run(Running { doing, forcing, .. }) => {
            online::run(&doing, RunAction::Trade, forcing.wish(), json).await
        }
        Command::Preview(doing) => online::run(&doing, RunAction::Preview, None, json).await,
        Command::Resume(doing) if doing.offline => {
            offline::run(&doing, RunAction::Resume, None, json).await
        }
        Command::Resume(doing) => online::run(&doing, RunAction::Resume, None, json).await,
        Command::Explain(explain) => explain::explain(&explain, json),
        Command::Convert(convert) => convert::convert(&convert),
        Command::Check(check) => check::check_files(&check, json),
        Command::Init(place) => records::init(&place, json).await,
        Command::Confirm(asked) => confirm::confirm(&asked, json).await,
        Command::Status(asked) => status::status(&asked, json).await,
        Command::Report(shown) => report::report(&shown, json).await,
        Command::Incident(asked) => incident::incident(&asked, json),
        Command::Halt(halt) => halting::halt(&halt, json).await,
        Command::Unhalt(unhalt) => halting::unhalt(&unhalt, json).await,
        Command::Sleeves(what) => sleeves::sleeves(&what, json).await,
        Command::CancelAll(what) => cancelling::cancel_all(&what, json).await,
        Command::Arm(arm) => armer::arm(&arm, json).await,
        Command::CheckBroker(what) => checking::check_broker(&what, json).await,
        Command::Exchange(listen) => exchange::listen(&listen, json).await,
        Command::Simulate(asked) => simulate::simulate(&asked, json),
    }
}

/// The command line with what ties its options together: an option that would be passed over in
/// silence is refused, because a date that is not looked at could trade today.
fn command() -> clap::Command {
    let tied = |command: clap::Command| {
        let command = command.mut_arg("store", |store| store.conflicts_with("offline"));
        OFFLINE_ONLY.into_iter().fold(command, |command, option| {
            command.mut_arg(option, |choice| choice.requires("offline"))
        })
    };
    let doing = ["run", "preview", "resume", "check-broker"];
    doing.into_iter().fold(Cli::command(), |cli, name| cli.mut_subcommand(name, tied))
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

fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "expected a date such as 2026-11-20".to_owned())
}

fn cash(text: &str) -> Result<Usd, String> {
    let amount = Usd::parse(text).ok().filter(|amount| *amount >= Usd::dollars(1));
    amount.ok_or_else(|| "expected dollars such as 100000".to_owned())
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

/// Prints a line for people or programs; a reader that has gone away is no fault of ours.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line about what went wrong or how far it is.
fn say_wrong(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Writes over the terminal's present line.
fn say_progress(line: &str) {
    let _ = write!(std::io::stderr(), "{line}");
}

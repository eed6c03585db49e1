//! Runs on the built-in exchange: the production adapter over a loopback port, virtual time, a
//! folder for records and one for mail. No keys, no network.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::{Date, Time, time};
use jiff::{Timestamp, ToSpan};
use serde_json::json;

use crate::application::journal::JournalError;
use crate::application::meter::Machine;
use crate::application::run::Ended;
use crate::application::tell::{Mailed, page_key};
use crate::domain::report::{RunReport, Verdict};
use crate::domain::run::{Mode, RunAction, RunKey, RunRequest};
use crate::domain::session::exchange_zone;
use crate::infrastructure::hosts::Hosts;
use crate::infrastructure::https::{ReqwestTransport, Tls, Trust};
use crate::infrastructure::local::mail::Outbox;
use crate::infrastructure::local::secrets::StaticKeys;
use crate::infrastructure::local::store::FolderStore;
use crate::interface::cli::forcing::Wish;
use crate::interface::cli::interrupt::run_or_leave;
use crate::interface::cli::{Doing, Trouble, WorldChoice, records, say};
use crate::interface::code::VERSION;
use crate::interface::settings::StorePlace;
use crate::interface::wiring::{Invocation, Outside};
use crate::presentation;
use crate::simulator::market::{Market, Synthetic, folder, synthetic};
use crate::simulator::server::{Pace, Server, Serving};
use crate::simulator::world::World;

/// When the scheduled run starts, New York.
const START: Time = time(9, 35, 0, 0);
/// Session of a made-up market when none is asked for.
const DEFAULT_DATE: Date = jiff::civil::date(2026, 11, 20);
/// Virtual time a run may take, as the function's.
const RUN_SECONDS: i64 = 300;

/// A command's end, told alike wherever the run took place.
pub(super) struct Done {
    ended: Ended,
    store: StorePlace,
}

/// An offline world with what is around it.
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) outside: Outside,
    pub(super) folder: PathBuf,
    _server: Server,
}

/// One session.
pub(super) async fn run(
    doing: &Doing,
    action: RunAction,
    wish: Option<Wish>,
    json: bool,
) -> Result<u8, Trouble> {
    let (stage, date) = Stage::of(doing, action).await?;
    let mut request = request(doing, action, date)?;
    if let Some(wish) = wish {
        let outside = &stage.outside;
        let force = wish.force(&request, outside.store.as_ref(), outside.clock.now()).await?;
        request.force = Some(force);
    }
    stage.answer(&request).await?.tell(json)
}

/// The session's request.
fn request(doing: &Doing, action: RunAction, date: Date) -> Result<RunRequest, Trouble> {
    Ok(RunRequest {
        action,
        mode: doing.place.mode,
        account: doing.place.account.clone(),
        slot: doing.slot.clone(),
        scheduled_for: scheduled(date)?,
        force: None,
    })
}

/// The text of the policy file, if one was named.
pub(super) fn policy_text(doing: &Doing) -> Result<Option<String>, Trouble> {
    let Some(path) = &doing.policy else { return Ok(None) };
    let text = std::fs::read_to_string(path);
    let what = |error| format!("policy {}: {error}", path.display());
    text.map(Some).map_err(|error| Trouble::setting(what(error), "name a policy file that exists"))
}

/// The prices that were chosen.
pub(super) fn market(choice: &WorldChoice) -> Result<Market, Trouble> {
    match &choice.prices {
        Some(path) => folder(path, &choice.aliases())
            .map_err(|error| Trouble::setting(causes(&error), "correct the price folder")),
        None => Ok(synthetic(Synthetic { seed: choice.seed, ..Synthetic::default() })),
    }
}

/// The session to start with.
pub(super) fn first_session(choice: &WorldChoice, market: &Market) -> Result<Date, Trouble> {
    let sessions = market.days.sessions();
    let last = sessions.last().map(|session| session.date);
    let date = match (choice.date, &choice.prices, last) {
        (Some(date), ..) => date,
        (None, Some(_), Some(last)) => last,
        (None, ..) => DEFAULT_DATE,
    };
    match (sessions.first(), last) {
        (Some(first), Some(last)) if first.date < date && date <= last => Ok(date),
        (Some(first), Some(last)) => {
            let what = format!("no prices around {date}: they reach from {} to {last}", first.date);
            Err(Trouble::setting(what, "choose a date within them"))
        }
        _ => Err(Trouble::setting("the market has no session", "give prices of some days")),
    }
}

/// A session's scheduled moment.
pub(super) fn scheduled(date: Date) -> Result<Timestamp, Trouble> {
    let moment = exchange_zone().to_timestamp(date.to_datetime(START));
    moment.map_err(|error| Trouble::setting(error, "choose another date"))
}

/// A fresh world with its market, account and time.
pub(super) fn world(choice: &WorldChoice, market: Market, date: Date) -> Result<World, Trouble> {
    let now = scheduled(date)?.to_string();
    let cash = choice.cash.decimal().to_string();
    Ok(World::builder().market(market).cash(&cash).seed(choice.seed).at(&now).build())
}

impl Stage {
    /// Sets a fresh world up beside the records of its folder; the date is the first session's.
    pub(super) async fn of(doing: &Doing, action: RunAction) -> Result<(Self, Date), Trouble> {
        let market = market(&doing.world)?;
        let date = first_session(&doing.world, &market)?;
        let folder = doing.out.join(world_name(doing, action, date));
        if doing.fresh {
            forget(&folder)?;
        }
        let world = world(&doing.world, market, date)?;
        let policy_text = policy_text(doing)?;
        Ok((Self::around(world, folder, doing.place.mode, policy_text).await?, date))
    }

    /// A fresh world without records of any run.
    pub(super) async fn bare(choice: &WorldChoice, mode: Mode) -> Result<Self, Trouble> {
        let market = market(choice)?;
        let date = first_session(choice, &market)?;
        let nowhere = PathBuf::from("out/nowhere"); // nothing is written there
        Self::around(world(choice, market, date)?, nowhere, mode, None).await
    }

    async fn around(
        world: World,
        folder: PathBuf,
        mode: Mode,
        policy_text: Option<String>,
    ) -> Result<Self, Trouble> {
        let serving = Serving { pace: Pace::Owner, ..Serving::default() };
        let no_port = |error| Trouble::setting(error, "free a loopback port");
        let server = Server::start(world.clone(), serving).await.map_err(no_port)?;
        let hosts = Hosts::local(mode, &server.url())
            .map_err(|error| Trouble::setting(error, "use mode paper offline"))?;
        let transport = ReqwestTransport::new(hosts, &Tls::new(Trust::Compiled))
            .map_err(|error| Trouble::setting(error, "free some resources and try again"))?;
        let store = FolderStore::new(folder.join("store"));
        let outside = Outside {
            transport: Arc::new(transport),
            credentials: Arc::new(StaticKeys::new("offline", "offline")),
            updates: world.updates(),
            clock: world.clock(),
            store: Arc::new(store),
            mailer: Arc::new(Outbox::new(folder.join("mail"))),
            policy_text,
            mail_from: None,
            mail_to: None,
            messenger: None,
            machine: Machine::default(),
            code: VERSION.to_owned(), // worlds of their own; the hash costs a second when built for tests
        };
        Ok(Self { world, outside, folder, _server: server })
    }

    /// One run of one session.
    pub(super) async fn run(
        &self,
        doing: &Doing,
        action: RunAction,
        date: Date,
    ) -> Result<Done, Trouble> {
        self.answer(&request(doing, action, date)?).await
    }

    /// One run as it is asked for.
    async fn answer(&self, request: &RunRequest) -> Result<Done, Trouble> {
        let now = self.outside.clock.now();
        let deadline = now.saturating_add(RUN_SECONDS.seconds()).unwrap_or(now);
        let writer = format!("offline-{}-{}", std::process::id(), now.as_millisecond());
        let wrong = |incident: crate::domain::incident::Incident| {
            Trouble::setting(incident.what, &incident.action)
        };
        let invocation = Invocation { writer, deadline };
        let site = self.outside.furnish(request.mode, &request.account, invocation).await;
        let site = site.map_err(wrong)?;
        let key = request.key();
        records::permit(self.outside.store.as_ref(), &key).await?; // a world of its own: nothing to lose
        let ended = run_or_leave(request, &site.house()).await?;
        Ok(Done::of(ended, StorePlace::Folder(self.folder.join("store"))))
    }
}

impl Done {
    pub(super) const fn of(ended: Ended, store: StorePlace) -> Self {
        Self { ended, store }
    }

    /// The report, when there is one.
    pub(super) const fn report(&self) -> Option<&RunReport> {
        match &self.ended {
            Ended::Reported { report, .. } | Ended::Repeated { report, .. } => Some(report),
            Ended::InProgress(_) | Ended::NothingOpen(_) => None,
        }
    }

    /// Whether the run had ended before.
    pub(super) const fn is_repeated(&self) -> bool {
        matches!(self.ended, Ended::Repeated { .. })
    }

    /// Tells it on the terminal; the answer is the exit code.
    pub(super) fn tell(self, json: bool) -> Result<u8, Trouble> {
        let store = self.store.clone();
        let (report, mailed) = match self.ended {
            Ended::Reported { kept: Err(error), .. } => return Err(no_record(&error)),
            Ended::Reported { report, mailed, kept: Ok(()), .. } => (report, mailed),
            Ended::Repeated { report, mailed } => {
                let code = exit_code(report.verdict);
                if json {
                    say(&json!({ "outcome": "repeated", "run": report.key.to_string() })
                        .to_string());
                } else {
                    say(&format!(
                        "this session is done: run {} ended before, no order was sent",
                        report.key
                    ));
                    told(&report, &mailed, &store);
                }
                return Ok(code);
            }
            Ended::InProgress(key) => {
                let words = format!(
                    "run {key} is being worked on by another process, or one that was killed: \
                     call again in five minutes"
                );
                return Ok(untold(json, "in-progress", &key, &words));
            }
            Ended::NothingOpen(key) => {
                let words = format!("run {key} was never opened: nothing to resume");
                return Ok(untold(json, "nothing-open", &key, &words));
            }
        };
        if json {
            let text = serde_json::to_string(&report);
            say(&text.map_err(|error| Trouble::setting(error, "report this"))?);
        } else {
            say(presentation::terminal(&report).trim_end());
            say("");
            told(&report, &mailed, &store);
        }
        Ok(exit_code(report.verdict))
    }
}

/// An end without a report.
fn untold(json: bool, outcome: &str, key: &RunKey, words: &str) -> u8 {
    if json {
        say(&json!({ "outcome": outcome, "run": key.to_string() }).to_string());
    } else {
        say(words);
    }
    0
}

/// Subject, where record, report and mail lie, and how to look again.
fn told(report: &RunReport, mailed: &Mailed, store: &StorePlace) {
    say(&format!("subject {}", presentation::subject(report)));
    let record = format!("runs/{}/final.json", report.key);
    let is_there = match store {
        StorePlace::Folder(folder) => folder.join(&record).exists(),
        StorePlace::Bucket(_) => true, // a run from the command line keeps it or fails
    };
    let has_record = report.action != RunAction::Preview && is_there;
    if has_record {
        say(&format!("record  {store}/{record}"));
    }
    let page = match store {
        StorePlace::Folder(folder) => page(report, folder).map(|page| page.display().to_string()),
        StorePlace::Bucket(_) if has_record => Some(format!("{store}/{}", page_key(report, ""))),
        StorePlace::Bucket(_) => None,
    };
    if let Some(page) = page {
        say(&format!("report  {page}"));
    }
    match mailed {
        Mailed::Sent(id) => say(&format!("mail    {id}")),
        Mailed::Before => say("mail    sent before"),
        Mailed::Elsewhere => say("mail    being sent by another invocation"),
        Mailed::Silent => say("mail    none wanted"),
        Mailed::Failed(why) => say(&format!("mail    failed: {why}")),
    }
    if has_record {
        let account = &report.key.account;
        say(&format!("status  alchemiser status --account {account} --store {store}"));
    }
}

/// The report's page; a preview's is the newest in its folder.
fn page(report: &RunReport, store: &Path) -> Option<PathBuf> {
    let page = store.join(page_key(report, ""));
    if report.action != RunAction::Preview {
        return page.exists().then_some(page);
    }
    let pages = std::fs::read_dir(page.parent()?).ok()?;
    let pages = pages.filter_map(|entry| Some(entry.ok()?.path()));
    pages.max_by_key(|path| std::fs::metadata(path).and_then(|page| page.modified()).ok())
}

const fn exit_code(verdict: Verdict) -> u8 {
    if verdict.is_good() { 0 } else { 1 }
}

fn no_record(error: &JournalError) -> Trouble {
    Trouble { what: error.to_string(), next: "make the store writable".to_owned(), code: 4 }
}

/// Worlds keep apart, so that no ledger meets another world's positions: by prices, by first
/// session, by slot, and a preview's from a run's.
fn world_name(doing: &Doing, action: RunAction, date: Date) -> String {
    let choice = &doing.world;
    let base = match &choice.prices {
        None => format!("synthetic-{}", choice.seed),
        Some(path) => {
            let name = path.file_name().map_or("prices".into(), |name| name.to_string_lossy());
            let aliases = choice.aliases();
            let names = aliases.keys().map(|symbol| symbol.as_str().into());
            std::iter::once(name).chain(names).collect::<Vec<_>>().join("-")
        }
    };
    let slot = match doing.slot.as_str() {
        "open" => String::new(),
        other => format!("-{other}"),
    };
    let preview = if action == RunAction::Preview { "-preview" } else { "" };
    format!("{base}-{date}{slot}{preview}")
}

fn forget(folder: &Path) -> Result<(), Trouble> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let what = format!("{}: {error}", folder.display());
            Err(Trouble::setting(what, "check the folder's rights"))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// An error with what caused it.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}

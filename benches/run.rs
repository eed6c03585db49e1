//! What a run costs in requests, and how long acting takes, on the built-in exchange at its
//! default settings. Counts and virtual time, so the figures are the same on every machine.

#![expect(clippy::print_stdout, reason = "a benchmark tells its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alchemiser::application::control::{Control, State, control_key};
use alchemiser::application::meter::Machine;
use alchemiser::application::ports::Store;
use alchemiser::application::run::{Ended, run};
use alchemiser::domain::report::RunReport;
use alchemiser::domain::run::{AccountName, Mode, RunAction, RunRequest, Slot};
use alchemiser::infrastructure::http::{Method, Request, Response, Transport, TransportError};
use alchemiser::infrastructure::local::mail::Outbox;
use alchemiser::infrastructure::local::secrets::StaticKeys;
use alchemiser::infrastructure::local::store::FolderStore;
use alchemiser::interface::wiring::{Invocation, Outside};
use alchemiser::simulator::market::{Synthetic, synthetic};
use alchemiser::simulator::world::World;
use async_trait::async_trait;
use jiff::civil::time;

const SESSIONS: usize = 40;
/// Requests that every run makes, whatever it trades.
const FIXED_MAX: usize = 14;
/// Requests for each order sent, its price and its cancellation included.
const PER_ORDER_MAX: usize = 3;
const ACT_P50_MAX: Duration = Duration::from_secs(5);

/// Counts what passes through.
struct Counting {
    inner: Arc<dyn Transport>,
    seen: Mutex<Vec<(Method, String)>>,
}

#[async_trait]
impl Transport for Counting {
    async fn carry(&self, request: Request) -> Result<Response, TransportError> {
        let path = request.target.split('?').next().unwrap_or_default().to_owned();
        self.seen.lock().unwrap().push((request.method, path));
        self.inner.carry(request).await
    }
}

/// Figures of one run.
struct Figures {
    orders: usize,
    pages: usize,
    requests: usize,
    polls: usize,
    act: Option<Duration>,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let runs = runtime.block_on(sessions());
    let traded: Vec<&Figures> = runs.iter().filter(|run| run.orders > 0).collect();
    let mut acts: Vec<Duration> = traded.iter().filter_map(|run| run.act).collect();
    acts.sort_unstable();
    let p50 = acts[acts.len() / 2];
    let left = |run: &&Figures| allowed(run).saturating_sub(run.requests);
    let tightest = runs.iter().min_by_key(left).unwrap();
    println!("sessions {}, with orders {}", runs.len(), traded.len());
    println!(
        "requests without polls, nearest to its bound: {} of {} ({} orders sent, {} bar pages)",
        tightest.requests,
        allowed(tightest),
        tightest.orders,
        tightest.pages
    );
    let mut polls: Vec<usize> = traded.iter().map(|run| run.polls).collect();
    polls.sort_unstable();
    println!("polls p50 {}", polls[polls.len() / 2]);
    println!(
        "act phase p50 {:.1} s, longest {:.1} s",
        p50.as_secs_f64(),
        acts[acts.len() - 1].as_secs_f64()
    );
    assert!(runs.iter().all(|run| run.requests <= allowed(run)), "a run asked too often");
    assert!(p50 < ACT_P50_MAX, "acting takes too long");
}

const fn allowed(run: &Figures) -> usize {
    FIXED_MAX + run.pages + PER_ORDER_MAX * run.orders
}

async fn sessions() -> Vec<Figures> {
    let folder = tempfile::tempdir().unwrap();
    let market = synthetic(Synthetic { seed: 7, ..Synthetic::default() });
    let days: Vec<_> = market.days.sessions().iter().map(|session| session.date).collect();
    let first = days.iter().position(|day| *day == jiff::civil::date(2026, 3, 2)).unwrap();
    let zone = alchemiser::domain::session::exchange_zone();
    let start =
        |day: jiff::civil::Date| zone.to_timestamp(day.to_datetime(time(9, 35, 0, 0))).unwrap();
    let world = World::builder().market(market).at(&start(days[first]).to_string()).seed(7).build();
    let counting = Arc::new(Counting { inner: world.transport(), seen: Mutex::default() });
    let store = Arc::new(FolderStore::new(folder.path().join("store")));
    let outside = Outside {
        transport: counting.clone(),
        credentials: Arc::new(StaticKeys::new("key", "secret")),
        updates: world.updates(),
        clock: world.clock(),
        store: store.clone(),
        mailer: Arc::new(Outbox::new(folder.path().join("mail"))),
        policy_text: None,
        mail_from: None,
        mail_to: None,
        messenger: None,
        machine: Machine::default(),
        code: "0.1.0".to_owned(),
    };
    let mut runs = Vec::new();
    for day in &days[first..first + SESSIONS] {
        let request = RunRequest {
            action: RunAction::Trade,
            mode: Mode::Paper,
            account: AccountName::parse("main").unwrap(),
            slot: Slot::parse("open").unwrap(),
            scheduled_for: start(*day),
            force: None,
        };
        let reason = String::new();
        let control = Control { state: State::Run, reason, who: None, since: None, until: None };
        let control = serde_json::to_vec(&control).unwrap();
        let key = control_key(request.mode, &request.account);
        store.put_once(&key, &control).await.unwrap();
        world.advance_to(start(*day));
        counting.seen.lock().unwrap().clear();
        let deadline = start(*day) + Duration::from_mins(5);
        let invocation = Invocation { writer: format!("bench-{day}"), deadline };
        let site = outside.furnish(Mode::Paper, &request.account, invocation).await.unwrap();
        let Ended::Reported { report, .. } = run(&request, &site.house()).await else { continue };
        runs.push(figures(&report, &counting.seen.lock().unwrap()));
    }
    runs
}

fn figures(report: &RunReport, seen: &[(Method, String)]) -> Figures {
    let count = |method: Method, path: &str| {
        seen.iter().filter(|(m, p)| *m == method && p.starts_with(path)).count()
    };
    // The two lists before the plan belong to observing; every later one is a look for news.
    let lists = seen.iter().filter(|(m, p)| *m == Method::Get && p == "/v2/orders").count();
    let polls = lists.saturating_sub(2);
    let attempts = || report.execution.outcomes().flat_map(|outcome| &outcome.attempts);
    let began = attempts().filter_map(|attempt| attempt.submitted_at).min();
    let ended = attempts().filter_map(|attempt| attempt.ended_at).max();
    let act = began.zip(ended).map(|(began, ended)| ended.duration_since(began).unsigned_abs());
    Figures {
        orders: count(Method::Post, "/v2/orders"),
        pages: count(Method::Get, "/v2/stocks/bars"),
        requests: seen.len() - polls,
        polls,
        act,
    }
}

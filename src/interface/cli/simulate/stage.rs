//! Lives a script through: the production code, started as often as the script says, in a world
//! of its own, until everything that was started has ended, and then once more in peace.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use jiff::civil::{Date, Time, time};
use jiff::{SignedDuration, Timestamp};

use crate::application::desk::Desk;
use crate::application::ports::{Clock, Mailer, Store, TradeUpdates};
use crate::application::run::{Ended, House, run};
use crate::application::tell::Mailed;
use crate::application::watch::{WatchPost, watch};
use crate::domain::policy::Policy;
use crate::domain::run::{AccountName, Force, Mode, RunAction, RunRequest, Slot, WatchRequest};
use crate::domain::session::exchange_zone;
use crate::infrastructure::alpaca::{Alpaca, Connection, Feeds};
use crate::infrastructure::http::Transport;
use crate::interface::cli::simulate::engines;
use crate::interface::cli::simulate::furnish::{policy, world};
use crate::presentation::Pictures;
use crate::simulator::trial::hands::Surroundings;
use crate::simulator::trial::lifeline::{Lifeline, On, Watch};
use crate::simulator::trial::script::{
    Code, Day, Delivery, Engines, Happening, Permit, Script, Task, Turn, What,
};
use crate::simulator::trial::truth::{End, Lived, MailEnd, Process, Truth};
use crate::simulator::world::World;

/// When the scheduled run starts, New York.
const START: Time = time(9, 35, 0, 0);
/// A trial that is settled anyway has its calm end only this often.
const CALM_END_EVERY: u64 = 3;
/// As in production: the broker is asked nothing any more so long before the end.
const RECORDING: SignedDuration = SignedDuration::from_secs(12);

/// Everything a trial is played with.
struct Stage<'a> {
    script: &'a Script,
    around: Surroundings,
    policy: Policy,
    account: AccountName,
    slot: Slot,
    started: AtomicU32,
    processes: RefCell<Vec<Process>>,
    happened: RefCell<Vec<(Timestamp, What)>>,
}

/// Why a script could not be lived through: it was not drawn well.
#[derive(Debug, thiserror::Error)]
#[error("the script of seed {seed} cannot be played: {what}")]
pub struct Unplayable {
    seed: u64,
    what: String,
}

/// Lives a script through and says what really happened.
///
/// # Errors
/// [`Unplayable`] for a script that names what is not there.
pub async fn live(script: &Script) -> Result<Truth, Unplayable> {
    let stage = Stage::of(script)?;
    let mut days = Vec::new();
    let mut date = script.setting.first;
    let calm = calm_end(script);
    let mut calm_end_at = None;
    for (number, day) in script.days.iter().chain([&calm]).enumerate() {
        if number == script.days.len() {
            if !script.seed.is_multiple_of(CALM_END_EVERY) && stage.is_settled() {
                break;
            }
            stage.around.mend();
            calm_end_at = Some(number);
        }
        let due = stage.due(date)?;
        stage.around.world.advance_to(due);
        stage.day(number, day, due).await;
        days.push(Lived { date, due, over: stage.around.world.now() });
        date = match stage.around.world.days().after(date) {
            Some(session) => session.date,
            None => return Err(stage.unplayable("the calendar ends")),
        };
    }
    let Stage { around, processes, happened, .. } = stage;
    Ok(Truth {
        script: script.clone(),
        cash: script.setting.cash,
        days,
        calm_end: calm_end_at,
        deliveries: processes.into_inner(),
        written: around.shelf.written(),
        records: around.shelf.records(),
        damaged: around.shelf.damaged(),
        wiped: around.shelf.was_wiped(),
        letters: around.post.letters(),
        happened: happened.into_inner(),
        world: around.world,
        log: None,
    })
}

/// The session after the last: nothing goes wrong any more, and everything has to come right.
fn calm_end(script: &Script) -> Day {
    let wishes = script.days.last().map(|day| day.wishes.clone()).unwrap_or_default();
    let deliveries =
        [(0, Task::Trade), (360, Task::Resume), (720, Task::Resume), (1620, Task::Watch)];
    let happenings = deliveries.map(|(seconds, action)| Happening {
        after: Duration::from_secs(seconds),
        what: What::Delivery(Delivery::of(action)),
    });
    Day { wishes, moves: Vec::new(), happenings: happenings.to_vec() }
}

impl<'a> Stage<'a> {
    fn of(script: &'a Script) -> Result<Self, Unplayable> {
        let unplayable = |what: String| Unplayable { seed: script.seed, what };
        let policy = policy(script).map_err(unplayable)?;
        let account = AccountName::parse("main").map_err(|e| unplayable(e.to_string()))?;
        let slot = Slot::parse("open").map_err(|e| unplayable(e.to_string()))?;
        let around = Surroundings::of(world(script));
        around.permit(Permit::Run);
        Ok(Self {
            script,
            around,
            policy,
            account,
            slot,
            started: AtomicU32::new(0),
            processes: RefCell::default(),
            happened: RefCell::default(),
        })
    }

    fn unplayable(&self, what: &str) -> Unplayable {
        Unplayable { seed: self.script.seed, what: what.to_owned() }
    }

    fn due(&self, date: Date) -> Result<Timestamp, Unplayable> {
        let due = exchange_zone().to_timestamp(date.to_datetime(START));
        due.map_err(|error| self.unplayable(&error.to_string()))
    }

    /// Whether every run that made a plan has its end, and nothing of ours is at work.
    fn is_settled(&self) -> bool {
        let records = self.around.shelf.records();
        let plans = records.keys().filter_map(|key| key.strip_suffix("plan.json"));
        let ended = |run: &str| records.contains_key(&format!("{run}final.json"));
        let mut runs = plans.filter(|run| !run.ends_with("buy"));
        runs.all(ended) && !self.around.world.orders().iter().any(|order| order.status.is_open())
    }

    /// One session: everything that happens in it, side by side.
    async fn day(&self, number: usize, day: &Day, due: Timestamp) {
        for (symbol, factor) in &day.moves {
            self.around.happen(&What::Market(Turn::Moves(symbol, *factor)));
        }
        let (deliveries, others): (Vec<&Happening>, Vec<&Happening>) =
            day.happenings.iter().partition(|h| matches!(h.what, What::Delivery(_)));
        let (at_once, later): (Vec<&Happening>, Vec<&Happening>) =
            others.into_iter().partition(|happening| happening.after.is_zero());
        for happening in at_once {
            self.happen(happening);
        }
        let processes = deliveries.into_iter().map(|happening| async move {
            if let What::Delivery(delivery) = &happening.what {
                self.until(due, happening.after).await;
                self.process(number, day, delivery, due).await;
            }
        });
        let hands = later.into_iter().map(|happening| async move {
            self.until(due, happening.after).await;
            self.happen(happening);
        });
        join(join_all(processes), join_all(hands)).await;
    }

    fn happen(&self, happening: &Happening) {
        let now = self.around.world.now();
        self.happened.borrow_mut().push((now, happening.what.clone()));
        self.around.happen(&happening.what);
    }

    async fn until(&self, due: Timestamp, after: Duration) {
        let moment = due.saturating_add(after).unwrap_or(due);
        let left = moment.duration_since(self.around.world.now());
        if let Ok(left) = Duration::try_from(left) {
            self.around.world.clock().sleep(left).await;
        }
    }

    /// One start of the function, to its end, whatever that is.
    async fn process(&self, number: usize, day: &Day, delivery: &Delivery, due: Timestamp) {
        let world = &self.around.world;
        let started = world.now();
        let writer = format!("w{}", self.started.fetch_add(1, Ordering::Relaxed));
        let lifeline = Lifeline::new(world, delivery.fate);
        let deadline = started.saturating_add(delivery.lasts).unwrap_or(started);
        let desk = Bench { lifeline: &lifeline, writer: &writer, deadline };
        let work = AssertUnwindSafe(Box::pin(self.work(day, delivery, due, &desk))).catch_unwind();
        let end = tokio::select! {
            biased;
            () = lifeline.killed() => End::Killed,
            done = work => done.unwrap_or(End::Panicked),
            () = world_sleep(world, delivery.lasts) => End::TimedOut,
        };
        self.processes.borrow_mut().push(Process {
            day: number,
            delivery: delivery.clone(),
            started,
            ended: world.now(),
            deadline,
            writer,
            calls: lifeline.calls(),
            sent: lifeline.sent(),
            last_call: lifeline.last_call(),
            end,
        });
    }

    async fn work(&self, day: &Day, delivery: &Delivery, due: Timestamp, at: &Bench<'_>) -> End {
        let around = &self.around;
        let clock: Arc<dyn Clock> =
            Arc::new(Watch { clock: around.world.clock(), skew: delivery.skew });
        let on = |line: &Arc<Lifeline>| Arc::clone(line);
        let transport: Arc<dyn Transport> = Arc::new(On(on(at.lifeline), around.world.transport()));
        let store: On<dyn Store> = On(on(at.lifeline), Arc::new(around.shelf.clone()));
        let mailer: On<dyn Mailer> = On(on(at.lifeline), Arc::new(around.post.clone()));
        let updates: On<dyn TradeUpdates> = On(on(at.lifeline), around.world.updates());
        let code = match delivery.code {
            Code::Usual => "usual",
            Code::Other => "other",
        };
        if delivery.action == Task::Watch {
            let request = self.watch_request(due);
            let mail = &self.policy.mail;
            let (store, mailer, clock) = (&store, &mailer, clock.as_ref());
            let post = WatchPost { store, mailer, clock, mail, writer: at.writer, code };
            let watched = watch(&request, &post).await;
            return answered("watched", false, &watched.incidents, &watched.mailed);
        }
        let feeds =
            Feeds { bars: self.policy.bars_feed.clone(), quotes: self.policy.quotes_feed.clone() };
        let broker = Alpaca::new(
            Connection {
                transport,
                credentials: Arc::new(around.vault.clone()),
                clock: Arc::clone(&clock),
                mode: Mode::Paper,
                deadline: at.deadline.checked_sub(RECORDING).ok(),
            },
            feeds,
        );
        let book = engines::book(&self.script.setting, &day.wishes);
        let house = House {
            desk: Desk {
                broker: &broker,
                market: &broker,
                updates: &updates,
                clock: clock.as_ref(),
                policy: &self.policy,
            },
            store: &store,
            mailer: &mailer,
            book: &book,
            listing: None,
            writer: at.writer,
            code,
            deadline: at.deadline,
            pictures: match self.script.setting.engines {
                Engines::Trees => Pictures::LeftOut,
                Engines::Tables => Pictures::NeitherPage,
            },
        };
        let request = self.request(delivery, due);
        end(run(&request, &house).await)
    }

    fn request(&self, delivery: &Delivery, due: Timestamp) -> RunRequest {
        let late = SignedDuration::try_from(delivery.scheduled_before).unwrap_or_default();
        let (action, force) = match delivery.action {
            Task::Trade | Task::Watch => (RunAction::Trade, None),
            Task::Resume => (RunAction::Resume, None),
            Task::Preview => (RunAction::Preview, None),
            Task::Force { generation } => {
                let not_after = due.saturating_add(Duration::from_hours(1)).unwrap_or(due);
                let reason = "the operator wants it once more".to_owned();
                (RunAction::Trade, Some(Force { generation, reason, not_after }))
            }
        };
        RunRequest {
            action,
            mode: Mode::Paper,
            account: self.account.clone(),
            slot: self.slot.clone(),
            scheduled_for: due.checked_sub(late).unwrap_or(due),
            force,
        }
    }

    fn watch_request(&self, due: Timestamp) -> WatchRequest {
        WatchRequest {
            mode: Mode::Paper,
            account: self.account.clone(),
            slot: self.slot.clone(),
            scheduled_for: due,
        }
    }
}

/// What a process works at.
struct Bench<'a> {
    lifeline: &'a Arc<Lifeline>,
    writer: &'a str,
    deadline: Timestamp,
}

async fn world_sleep(world: &World, duration: Duration) {
    world.clock().sleep(duration).await;
}

fn answered(
    outcome: &str,
    failed: bool,
    incidents: &[crate::domain::incident::Incident],
    mailed: &Mailed,
) -> End {
    let mail = match mailed {
        Mailed::Sent(_) => MailEnd::Sent,
        Mailed::Before | Mailed::Silent => MailEnd::None,
        Mailed::Failed(_) => MailEnd::Failed,
    };
    let incidents = incidents.iter().map(|incident| incident.code.clone()).collect();
    End::Answered { outcome: outcome.to_owned(), failed, incidents, mail }
}

fn end(ended: Ended) -> End {
    match ended {
        Ended::Reported { report, mailed, kept, left_open } => {
            let failed = kept.is_err() || left_open;
            let word = serde_json::to_value(report.verdict).ok();
            let word = word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default();
            answered(&word, failed, &report.incidents, &mailed)
        }
        Ended::Repeated { mailed, .. } => answered("repeated", false, &[], &mailed),
        Ended::InProgress(_) => answered("in-progress", false, &[], &Mailed::Silent),
        Ended::NothingOpen(_) => answered("nothing-open", false, &[], &Mailed::Silent),
    }
}

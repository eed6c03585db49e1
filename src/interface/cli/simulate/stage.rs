//! Lives a script through: the production code, started as often as the script says, in a world
//! of its own, until everything that was started has ended, and then once more in peace.

mod process;

use std::cell::RefCell;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use futures_util::future::{join, join_all};
use jiff::Timestamp;
use jiff::civil::{Date, Time, time};

use crate::domain::policy::Policy;
use crate::domain::run::{AccountName, Slot};
use crate::domain::session::exchange_zone;
use crate::interface::cli::simulate::furnish::{policy, world};
use crate::simulator::trial::cut::Cut;
use crate::simulator::trial::hands::Surroundings;
use crate::simulator::trial::script::{Day, Delivery, Happening, Permit, Script, Task, Turn, What};
use crate::simulator::trial::truth::{Lived, Process, Truth};

/// When the scheduled run starts, New York.
const START: Time = time(9, 35, 0, 0);
/// A trial that is settled anyway has its calm end only this often.
const CALM_END_EVERY: u64 = 3;

/// Everything a trial is played with.
struct Stage<'a> {
    script: &'a Script,
    around: Surroundings,
    policy: Policy,
    account: AccountName,
    slot: Slot,
    cutting: Option<Task>,
    started: AtomicU32,
    alive: AtomicU32,
    processes: RefCell<Vec<Process>>,
    happened: RefCell<Vec<(Timestamp, What)>>,
    days: RefCell<Vec<Lived>>,
    cuts: RefCell<Vec<Cut>>,
}

/// Why a script could not be lived through: it was not drawn well.
#[derive(Debug, thiserror::Error)]
#[error("the script of seed {seed} cannot be played: {what}")]
pub struct Unplayable {
    seed: u64,
    what: String,
}

impl Unplayable {
    pub(super) fn new(script: &Script, what: &dyn std::fmt::Display) -> Self {
        Self { seed: script.seed, what: what.to_string() }
    }
}

/// Lives a script through and says what really happened.
///
/// # Errors
/// [`Unplayable`] for a script that names what is not there.
pub async fn live(script: &Script) -> Result<Truth, Unplayable> {
    Ok(Stage::of(script)?.play(None).await?.0)
}

/// Lives a script through from a cut on.
///
/// # Errors
/// As for [`live`].
pub async fn live_on(script: &Script, cut: &Cut) -> Result<Truth, Unplayable> {
    Ok(Stage::after(script, cut)?.play(Some(cut)).await?.0)
}

/// Lives a script through, from a cut on if there is one, and says where the processes of its last
/// session that do a task might have died.
///
/// # Errors
/// As for [`live`].
pub async fn cuts(
    script: &Script,
    from: Option<&Cut>,
    cutting: Task,
) -> Result<Vec<Cut>, Unplayable> {
    let stage = match from {
        None => Stage::of(script)?,
        Some(cut) => Stage::after(script, cut)?,
    };
    Ok(Stage { cutting: Some(cutting), ..stage }.play(from).await?.1)
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
            cutting: None,
            started: AtomicU32::new(0),
            alive: AtomicU32::new(0),
            processes: RefCell::default(),
            happened: RefCell::default(),
            days: RefCell::default(),
            cuts: RefCell::default(),
        })
    }

    /// The stage as a cut left it.
    fn after(script: &'a Script, cut: &Cut) -> Result<Self, Unplayable> {
        let started = u32::try_from(cut.processes.len()).unwrap_or(u32::MAX);
        Ok(Self {
            around: cut.around.parted(),
            started: AtomicU32::new(started),
            processes: RefCell::new(cut.processes.clone()),
            happened: RefCell::new(cut.happened.clone()),
            days: RefCell::new(cut.days.clone()),
            ..Self::of(script)?
        })
    }

    /// All sessions, from a cut on if there is one, and a calm one after them.
    async fn play(self, from: Option<&Cut>) -> Result<(Truth, Vec<Cut>), Unplayable> {
        let (script, calm) = (self.script, calm_end(self.script));
        let (first, mut date) = from.map_or((0, script.setting.first), |cut| cut.day);
        let mut calm_end_at = None;
        for (number, day) in script.days.iter().chain([&calm]).enumerate().skip(first) {
            if number == script.days.len() {
                if !script.seed.is_multiple_of(CALM_END_EVERY) && self.is_settled() {
                    break;
                }
                self.around.mend();
                calm_end_at = Some(number);
            }
            let due = self.due(date)?;
            let gone_by = from.filter(|cut| cut.day.0 == number).map(|cut| cut.at);
            self.around.world.advance_to(due);
            self.day(&Session { number, date, day, due }, gone_by).await;
            self.days.borrow_mut().push(Lived { date, due, over: self.around.world.now() });
            date = match self.around.world.days().after(date) {
                Some(session) => session.date,
                None => return Err(self.unplayable("the calendar ends")),
            };
        }
        let Stage { around, processes, happened, days, cuts, .. } = self;
        let truth = Truth {
            script: script.clone(),
            cash: script.setting.cash,
            days: days.into_inner(),
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
        };
        Ok((truth, cuts.into_inner()))
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

    /// One session, or what is left of it after a moment: everything that happens in it, side by
    /// side.
    async fn day(&self, of: &Session<'_>, gone_by: Option<Timestamp>) {
        let Session { day, due, .. } = *of;
        if gone_by.is_none() {
            for (symbol, factor) in &day.moves {
                self.around.happen(&What::Market(Turn::Moves(symbol, *factor)));
            }
        }
        let moment = |after| due.saturating_add(after).unwrap_or(due);
        let happenings = day.happenings.iter().enumerate();
        let to_come = happenings.filter(|(_, h)| gone_by.is_none_or(|by| moment(h.after) > by));
        let (deliveries, others): (Vec<_>, Vec<_>) =
            to_come.partition(|(_, h)| matches!(h.what, What::Delivery(_)));
        let (at_once, later): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|(_, happening)| happening.after.is_zero());
        for (_, happening) in at_once {
            self.happen(happening);
        }
        let processes = deliveries.into_iter().map(|(at, happening)| async move {
            if let What::Delivery(delivery) = &happening.what {
                self.until(due, happening.after).await;
                self.process(of, at, delivery).await;
            }
        });
        let hands = later.into_iter().map(|(_, happening)| async move {
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
}

/// One session of a script as it is played.
struct Session<'a> {
    number: usize,
    date: Date,
    day: &'a Day,
    due: Timestamp,
}

//! One start of the function, to its end, whatever that is.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};

use crate::application::desk::Desk;
use crate::application::meter::Meter;
use crate::application::ports::{Clock, Mailer, Store, TradeUpdates};
use crate::application::push::Pushes;
use crate::application::run::{Ended, House, run};
use crate::application::tell::Mailed;
use crate::application::watch::{WatchPost, watch};
use crate::domain::incident::Incident;
use crate::domain::run::{Force, Mode, RunAction, RunRequest, WatchRequest};
use crate::infrastructure::alpaca::{Alpaca, Connection, Feeds};
use crate::infrastructure::http::Transport;
use crate::interface::cli::simulate::engines;
use crate::interface::cli::simulate::stage::{Session, Stage};
use crate::presentation::Pictures;
use crate::simulator::trial::cut::{Cut, Glance, Seen, looking};
use crate::simulator::trial::lifeline::{Lifeline, Look, On, Watch};
use crate::simulator::trial::script::{Code, Delivery, Engines, Task};
use crate::simulator::trial::truth::{End, MailEnd, Process};

/// As in production: the broker is asked nothing any more so long before the end.
const RECORDING: SignedDuration = SignedDuration::from_secs(12);

impl Stage<'_> {
    /// One start of the function, to its end, whatever that is.
    pub(super) async fn process(&self, of: &Session<'_>, happening: usize, delivery: &Delivery) {
        let world = &self.around.world;
        let started = world.now();
        let writer = format!("w{}", self.started.fetch_add(1, Ordering::Relaxed));
        let (look, seen) = self.looked_at(of, delivery).unzip();
        let lifeline = Lifeline::new(world, delivery.fate, look);
        let deadline = started.saturating_add(delivery.lasts).unwrap_or(started);
        let desk = Bench { lifeline: &lifeline, writer: &writer, deadline };
        let work = AssertUnwindSafe(Box::pin(self.work(of, delivery, &desk))).catch_unwind();
        let clock = world.clock();
        let alone = self.alive.fetch_add(1, Ordering::Relaxed) == 0;
        let end = tokio::select! {
            biased;
            () = lifeline.killed() => End::Killed,
            done = work => done.unwrap_or(End::Panicked),
            () = clock.sleep(delivery.lasts) => End::TimedOut,
        };
        self.alive.fetch_sub(1, Ordering::Relaxed);
        let process = Process {
            day: of.number,
            delivery: delivery.clone(),
            started,
            ended: world.now(),
            deadline,
            writer,
            calls: lifeline.calls(),
            sent: lifeline.sent(),
            last_call: lifeline.last_call(),
            end,
        };
        if alone && let Some(seen) = seen {
            self.cut(of, happening, &process, &seen);
        }
        self.processes.borrow_mut().push(process);
    }

    fn looked_at(&self, of: &Session<'_>, delivery: &Delivery) -> Option<(Look, Arc<Mutex<Seen>>)> {
        let is_last = of.number + 1 == self.script.days.len();
        let cutting = self.cutting.filter(|task| is_last && *task == delivery.action);
        cutting.map(|_| looking(&self.around))
    }

    /// Where a process that nobody worked beside might have died.
    fn cut(&self, of: &Session<'_>, happening: usize, lived: &Process, seen: &Mutex<Seen>) {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        for glance in seen.glances.drain(..) {
            let Glance { fate, stands_for, at, calls, last_call, sent, around } = glance;
            let delivery = Delivery { fate, ..lived.delivery.clone() };
            let (ended, end) = (at, End::Killed);
            let died = Process { delivery, ended, calls, sent, last_call, end, ..lived.clone() };
            let mut processes = self.processes.borrow().clone();
            processes.push(died);
            let happened = self.happened.borrow().clone();
            let days = self.days.borrow().clone();
            let day = (of.number, of.date);
            let cut =
                Cut { day, at, happening, fate, stands_for, around, processes, happened, days };
            self.cuts.borrow_mut().push(cut);
        }
    }

    async fn work(&self, of: &Session<'_>, delivery: &Delivery, at: &Bench<'_>) -> End {
        let (around, day, due) = (&self.around, of.day, of.due);
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
            meter: &Meter::default(),
            messenger: None,
            pushes: Pushes::default(),
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

fn answered(outcome: &str, failed: bool, incidents: &[Incident], mailed: &Mailed) -> End {
    let mail = match mailed {
        Mailed::Sent(_) => MailEnd::Sent,
        Mailed::Before | Mailed::Elsewhere | Mailed::Silent => MailEnd::None,
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

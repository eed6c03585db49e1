//! Pushes beside the mail: at most one for a run, however often it is resumed.
//!
//! Whoever makes the record of a push sends it. It goes on beside whatever the invocation does
//! next, and nothing waits for it but the very end, when everything is kept and mailed: there for
//! some seconds at most, because each try is cut off.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::select;
use tracing::{info, warn};

use crate::application::journal::Journal;
use crate::application::ports::{Clock, Messenger, PushError};
use crate::application::run::{Ended, House};
use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::policy::{Channel, PushPolicy};
use crate::domain::push::Note;
use crate::domain::report::RunReport;
use crate::domain::run::RunAction;
use crate::presentation::push;

/// Record of a run's push.
const PUSH: &str = "mail/push.json";
/// How long one try may take.
const TIMEOUT: Duration = Duration::from_secs(3);
/// How often a push is tried on each channel.
const TRIES: u32 = 2;
/// Wait before the second try.
const WAIT: Duration = Duration::from_millis(300);

type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// The pushes of an invocation: that of its run, and of runs that it ended before.
#[derive(Default)]
pub struct Pushes<'a>(Mutex<Progress<'a>>);

#[derive(Default)]
struct Progress<'a> {
    runs: Vec<String>,
    under_way: Vec<Sending<'a>>,
    failures: Vec<String>,
}

/// Does what an invocation has to do with its pushes beside it, and waits for what is left of them.
pub(super) async fn with_pushes(
    house: &House<'_>,
    mut doing: impl Future<Output = Ended> + Unpin,
) -> Ended {
    let mut doing = Pin::new(&mut doing);
    let mut ended = poll_fn(|context| {
        let done = doing.as_mut().poll(context);
        let _ = house.pushes.poll(context); // also what was begun just now
        done
    })
    .await;
    poll_fn(|context| house.pushes.poll(context)).await;
    if let Ended::Reported { report, .. } | Ended::Repeated { report, .. } = &mut ended {
        report.incidents.extend(house.pushes.failure());
    }
    ended
}

impl House<'_> {
    /// Begins to push what is worst at the end of a run, when it cannot wait. A preview is looked
    /// at by whoever asked for it.
    pub(super) async fn push_end(&self, report: &RunReport, journal: Option<&Journal<'_>>) {
        let worst = report.incidents.iter().find(|incident| incident.category.is_immediate());
        if let Some(worst) = worst.filter(|_| report.action != RunAction::Preview) {
            self.begin_push(push(worst, &report.key, Some(report.verdict)), journal).await;
        }
    }

    /// Begins to push, unless this or another invocation of the run did. Without a journal nobody
    /// can know of another.
    pub(super) async fn begin_push(&self, note: Note, journal: Option<&Journal<'_>>) {
        let (policy, clock) = (&self.desk.policy.push, self.desk.clock);
        let Some(messenger) = self.messenger.filter(|_| policy.channels().next().is_some()) else {
            return;
        };
        if !self.pushes.is_first_of(&note.run) {
            return;
        }
        if let Some(journal) = journal {
            match journal.keep(PUSH, None, &note.code).await {
                Ok(kept) if kept.mine => {}
                Ok(_) => return,
                Err(error) => warn!(%error, "push not recorded; a resume may send another"),
            }
        }
        info!(run = %note.run, code = %note.code, "pushing");
        self.pushes.add(Box::pin(sent(policy, messenger, clock, note)));
    }
}

impl<'a> Pushes<'a> {
    fn locked(&self) -> MutexGuard<'_, Progress<'a>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_first_of(&self, run: &str) -> bool {
        let runs = &mut self.locked().runs;
        let is_first = !runs.iter().any(|known| known == run);
        if is_first {
            runs.push(run.to_owned());
        }
        is_first
    }

    fn add(&self, sending: Sending<'a>) {
        self.locked().under_way.push(sending);
    }

    /// Carries all of them on; ready when none is left.
    fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        let Progress { under_way, failures, .. } = &mut *self.locked();
        under_way.retain_mut(|sending| match sending.as_mut().poll(context) {
            Poll::Ready(end) => {
                failures.extend(end.err());
                false
            }
            Poll::Pending => true,
        });
        if under_way.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn failure(&self) -> Option<Incident> {
        let why = self.locked().failures.join("; ");
        if why.is_empty() {
            return None;
        }
        warn!(%why, "push not sent");
        Some(
            Incident::new(Category::Notification, Code::PushNotSent, "push", why)
                .meaning("The mail says the same and more; nothing waited for the push.")
                .action("Check the addresses of `[push]` in the policy, and whether they answer."),
        )
    }
}

/// Sends to every channel at once; tells of all that failed.
async fn sent(
    policy: &PushPolicy,
    messenger: &dyn Messenger,
    clock: &dyn Clock,
    note: Note,
) -> Result<(), String> {
    let note = &note;
    let all = policy.channels().map(|channel| offer(channel, messenger, clock, note));
    let failures: Vec<String> = join_all(all).await.into_iter().filter_map(Result::err).collect();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) }
}

async fn offer(
    channel: Channel<'_>,
    messenger: &dyn Messenger,
    clock: &dyn Clock,
    note: &Note,
) -> Result<(), String> {
    let mut why = String::new();
    for attempt in 1..=TRIES {
        if attempt > 1 {
            clock.sleep(WAIT).await;
        }
        let sent = select! {
            biased;
            sent = messenger.push(channel, note) => sent,
            () = clock.sleep(TIMEOUT) => Err(PushError::Unavailable("no answer in time".to_owned())),
        };
        match sent {
            Ok(()) => return Ok(()),
            Err(error @ PushError::Refused(_)) => {
                return Err(format!("{}: {error}", channel.key()));
            }
            Err(error @ PushError::Unavailable(_)) => why = error.to_string(),
        }
    }
    Err(format!("{}: {why}", channel.key()))
}

//! Pushes beside the mail: once in a run, and nothing waits for them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alchemiser::application::ports::{Clock, Messenger, PushError};
use alchemiser::domain::policy::Channel;
use alchemiser::domain::push::Note;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::simulator::exchange::OrderTrouble;
use async_trait::async_trait;
use jiff::Timestamp;

use crate::stage::Stage;
use crate::told::Told;

const TOPIC: &str = "https://ntfy.example/nobody-guesses-this";
const HOOK: &str = "https://hooks.example/nor-this?key=1";

/// How a channel takes what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taking {
    Well,
    /// It takes the push and never answers.
    Hanging,
    Refusing,
    /// So many times it is out of order.
    Failing(u32),
}

/// A channel that keeps what it gets, with the time.
struct Telephone {
    clock: Arc<dyn Clock>,
    taking: Taking,
    tries: AtomicU32,
    taken: Mutex<Vec<(Timestamp, String, Note)>>,
}

#[async_trait]
impl Messenger for Telephone {
    async fn push(&self, channel: Channel<'_>, note: &Note) -> Result<(), PushError> {
        let tried = self.tries.fetch_add(1, Ordering::Relaxed);
        match self.taking {
            Taking::Refusing => return Err(PushError::Refused("answered 404".to_owned())),
            Taking::Failing(times) if tried < times => {
                return Err(PushError::Unavailable("answered 503".to_owned()));
            }
            Taking::Hanging => self.clock.sleep(Duration::from_hours(1)).await,
            Taking::Well | Taking::Failing(_) => {}
        }
        let known = [TOPIC, HOOK].contains(&channel.address().expose());
        let to = if known { channel.key().to_owned() } else { "elsewhere".to_owned() };
        self.taken.lock().unwrap().push((self.clock.now(), to, note.clone()));
        Ok(())
    }
}

/// A stage whose operator wants pushes.
fn telephoned(stage: Stage, taking: Taking) -> (Stage, Arc<Telephone>) {
    let clock = stage.world.clock();
    let (tries, taken) = (AtomicU32::new(0), Mutex::default());
    let telephone = Arc::new(Telephone { clock, taking, tries, taken });
    let stage = stage.limit(&format!("[push]\nntfy = \"{TOPIC}\"\nwebhook = \"{HOOK}\""));
    (stage.tells(telephone.clone()), telephone)
}

/// A flip of everything whose sells take ten seconds.
async fn slow_flip(taking: Taking) -> (Stage, Arc<Telephone>) {
    let (mut stage, telephone) =
        telephoned(Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5"), taking);
    stage.run().await;
    stage.next_session();
    stage.wants("a", "GLD 0.5, QQQ 0.5");
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
    (stage, telephone)
}

/// The run, halted by the operator after five seconds.
async fn halted_in_mid_run(stage: &Stage) -> Told {
    let halt = async {
        stage.world.clock().sleep(Duration::from_secs(5)).await;
        stage.permits("halt-new");
    };
    tokio::join!(stage.run(), halt).0
}

impl Telephone {
    fn told(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        let line = |(_, to, note): &(Timestamp, String, Note)| {
            format!("{to}: {} {}", note.title(), note.verdict.as_deref().unwrap_or("at work"))
        };
        taken.iter().map(line).collect()
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_stops_a_run_in_its_middle_is_pushed_at_once_and_once() {
    let (stage, telephone) = slow_flip(Taking::Well).await;
    assert_eq!(telephone.told(), [""; 0], "a good day is no push");
    stage.shelf.denies("final.json");
    let told = halted_in_mid_run(&stage).await;
    let run = "CONFIGURATION halted, paper/main/2026-11-23/open/g0 at work";
    let pushes = [format!("push.ntfy: {run}"), format!("push.webhook: {run}")];
    assert_eq!(telephone.told(), pushes);
    let pushed_at = telephone.taken.lock().unwrap()[0].0;
    assert!(pushed_at < told.report().finished_at, "while orders were being settled");
    stage.shelf.denies("nothing");
    stage.invoke(RunAction::Resume).await;
    assert!(stage.run().await.is_repeated());
    assert_eq!(telephone.told(), pushes, "not again by a resume or a repetition");
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_that_ends_critical_is_pushed_with_its_verdict() {
    let (stage, telephone) = telephoned(Stage::new().plays("a", "1", "SPY"), Taking::Well);
    stage.world.exchange(|exchange| exchange.identity.trading_blocked = true);
    let preview = stage.invoke(RunAction::Preview).await;
    assert_eq!((preview.verdict(), telephone.told().len()), (Verdict::Blocked, 0));
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Blocked);
    let run = "CRITICAL gate-account-blocked, paper/main/2026-11-20/open/g0 BLOCKED";
    assert_eq!(telephone.told(), [format!("push.ntfy: {run}"), format!("push.webhook: {run}")]);
    assert!(!told.incidents().iter().any(|said| said.ends_with("push-not-sent")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_push_that_hangs_delays_no_order_no_record_and_no_mail() {
    let (twin, _) = slow_flip(Taking::Well).await;
    let smooth = halted_in_mid_run(&twin).await;
    let (stage, telephone) = slow_flip(Taking::Hanging).await;
    let began = stage.world.now();
    let told = halted_in_mid_run(&stage).await;
    assert_eq!(told.report().marks, smooth.report().marks, "acting ended at the same moment");
    assert_eq!(told.report().finished_at, smooth.report().finished_at);
    assert_eq!(stage.orders(), twin.orders());
    assert_eq!(stage.post.subjects(), twin.post.subjects());
    assert_eq!((telephone.tries.load(Ordering::Relaxed), telephone.told().len()), (4, 0));
    assert!(stage.world.now().duration_since(began).as_secs() < 40);
    let failure = told.report().incidents.last().unwrap();
    assert_eq!(failure.code, "push-not-sent");
    let why = "push.ntfy: push not sent: no answer in time; push.webhook: push not sent: no answer in time";
    assert_eq!(failure.what, why);
}

#[tokio::test(flavor = "current_thread")]
async fn the_mail_and_the_record_are_there_before_a_hanging_push_is_given_up() {
    let (stage, _) = telephoned(Stage::new().plays("a", "1", "SPY"), Taking::Hanging);
    stage.world.exchange(|exchange| exchange.identity.trading_blocked = true);
    let look = async {
        stage.world.clock().sleep(Duration::from_secs(2)).await;
        (stage.post.subjects().len(), stage.record().is_some())
    };
    let (told, seen) = tokio::join!(stage.run(), look);
    assert_eq!((told.verdict(), seen), (Verdict::Blocked, (1, true)));
}

#[tokio::test(flavor = "current_thread")]
async fn a_push_is_tried_twice_and_a_refusal_is_final() {
    for (taking, tries, told) in
        [(Taking::Failing(2), 4, 2), (Taking::Failing(9), 4, 0), (Taking::Refusing, 2, 0)]
    {
        let (stage, telephone) = telephoned(Stage::new().plays("a", "1", "SPY"), taking);
        stage.world.exchange(|exchange| exchange.identity.trading_blocked = true);
        let run = stage.run().await;
        let seen = (telephone.tries.load(Ordering::Relaxed), telephone.told().len());
        assert_eq!(seen, (tries, told), "{taking:?}");
        let failed = run.incidents().contains(&"NOTIFICATION push-not-sent".to_owned());
        assert_eq!(failed, told == 0, "{taking:?}");
        assert!(stage.record().is_some());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn no_record_and_no_mail_knows_where_pushes_go() {
    let (stage, _) = slow_flip(Taking::Refusing).await;
    let told = halted_in_mid_run(&stage).await;
    let mut all = format!("{:?}", told.report());
    for key in stage.shelf.keys("").iter().filter(|key| !key.ends_with("policy.toml")) {
        all.push_str(&stage.shelf.text(key).unwrap());
    }
    for letter in stage.post.letters() {
        all.push_str(&String::from_utf8(letter.raw).unwrap().replace("=\r\n", ""));
    }
    assert!(all.contains("mail/push.json") || !stage.shelf.keys("runs/").is_empty());
    for part in ["nobody-guesses", "nor-this", "ntfy.example", "hooks.example"] {
        assert!(!all.contains(part), "{part}");
    }
    assert!(stage.shelf.keys("runs/").iter().any(|key| key.ends_with("mail/push.json")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_push_to_where_it_may_not_go_is_a_wrong_policy() {
    for address in ["http://ntfy.example/nobody-guesses", "ntfy.example/nobody-guesses"] {
        let stage = Stage::new().plays("a", "1", "SPY");
        let stage = stage.limit(&format!("[push]\nntfy = \"{address}\""));
        assert!(stage.try_invoke(RunAction::Trade).await.is_none(), "{address}");
        assert_eq!(stage.orders(), [""; 0]);
    }
}

//! What is out of reach for a moment: the day is not lost, and the mail says so.

use std::sync::Arc;
use std::time::Duration;

use alchemiser::application::meter::Machine;
use alchemiser::application::ports::{Credentials, CredentialsError, Freshness, KeyPair};
use alchemiser::application::run::{Ended, run};
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::{AccountName, Mode, RunAction};
use alchemiser::infrastructure::local::secrets::StaticKeys;
use alchemiser::interface::lambda::answer;
use alchemiser::interface::wiring::{Invocation, Outside};
use async_trait::async_trait;
use jiff::ToSpan;
use serde_json::json;

use crate::stage::Stage;

/// When the first resume comes.
const RESUME: Duration = Duration::from_mins(6);

/// Keys that cannot be fetched.
struct Away;

#[async_trait]
impl Credentials for Away {
    async fn keys(&self, _: Freshness) -> Result<KeyPair, CredentialsError> {
        let (name, reason) = ("alchemiser/paper/main".to_owned(), "no answer in time".to_owned());
        Err(CredentialsError::Unavailable { name, reason })
    }
}

/// The stage's world with these keys.
fn outside(stage: &Stage, credentials: Arc<dyn Credentials>) -> Outside {
    Outside {
        transport: stage.world.transport(),
        credentials,
        updates: stage.world.updates(),
        clock: stage.world.clock(),
        store: stage.shelf.clone(),
        mailer: stage.post.clone(),
        policy_text: None,
        mail_from: None,
        mail_to: None,
        messenger: None,
        machine: Machine::default(),
        code: "0.1.0".to_owned(),
    }
}

#[tokio::test(flavor = "current_thread")]
async fn keys_out_of_reach_for_a_moment_leave_the_run_to_the_next_resume() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    let outside = outside(&stage, Arc::new(Away));
    let deadline = stage.world.now() + 300.seconds();
    let invocation = Invocation { writer: "without-keys".to_owned(), deadline };
    let account = AccountName::parse("main").unwrap();
    let site = outside.furnish(Mode::Paper, &account, invocation).await.ok().unwrap();
    let ended = run(&stage.event(RunAction::Trade), &site.house()).await;
    assert!(matches!(ended, Ended::Reported { left_open: true, .. }), "{ended:?}");
    assert!(stage.record().is_none());
    stage.world.advance(RESUME);
    let second = stage.invoke(RunAction::Resume).await;
    assert_eq!(second.verdict(), Verdict::Done);
}

#[tokio::test(flavor = "current_thread")]
async fn a_final_record_that_is_not_kept_is_told_as_that_and_the_end_is_told_once() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.shelf.denies("final.json");
    let first = stage.run().await;
    assert!(!first.is_kept());
    let [subject] = stage.post.subjects().try_into().unwrap();
    assert!(subject.starts_with("[PAPER FAILED]"), "{subject}");
    stage.shelf.denies("no such record");
    stage.world.advance(RESUME);
    for _ in 0..2 {
        stage.invoke(RunAction::Resume).await;
    }
    let [_, subject] = stage.post.subjects().try_into().unwrap();
    assert!(subject.contains("2/2 filled") && !subject.contains("FAILED"), "{subject}");
}

#[tokio::test(flavor = "current_thread")]
async fn records_out_of_reach_for_a_moment_leave_the_run_to_the_next_resume() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    let keys = Arc::new(StaticKeys::new("test-key-id", "test-secret"));
    let outside = outside(&stage, keys);
    stage.shelf.fails_to_read(0);
    let event = json!({
        "action": "trade", "mode": "paper", "account": "main", "slot": "open",
        "scheduled_for": stage.event(RunAction::Trade).scheduled_for.to_string(),
    });
    let deadline = stage.world.now() + 300.seconds();
    let invocation = Invocation { writer: "without-records".to_owned(), deadline };
    let failure = Box::pin(answer(event, invocation, &outside)).await.unwrap_err();
    assert_eq!(failure.kind, "RunLeftOpen");
    stage.world.advance(RESUME);
    let second = stage.invoke(RunAction::Resume).await;
    assert_eq!(second.verdict(), Verdict::Done);
}

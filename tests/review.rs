//! What must hold when a run is interrupted, repeated, previewed or cut off from the broker: each
//! claim was broken once.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "scenarios/agree.rs"]
mod agree;
#[path = "form/mod.rs"]
mod form;
#[path = "scenarios/kept.rs"]
#[expect(dead_code, reason = "shared with the scenarios, which use the rest")]
mod kept;
#[path = "scenarios/stage.rs"]
#[expect(dead_code, reason = "shared with the scenarios, which use the rest")]
mod stage;
#[path = "scenarios/told.rs"]
#[expect(dead_code, reason = "shared with the scenarios, which use the rest")]
mod told;

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use alchemiser::application::meter::Machine;
use alchemiser::application::ports::{BrokerError, Clock, TradeUpdates, UpdateStream, Wake};
use alchemiser::application::run::{Ended, run};
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::{RunAction, RunRequest, Slot};
use alchemiser::infrastructure::http::{Request, Response, Transport, TransportError};
use alchemiser::infrastructure::local::secrets::StaticKeys;
use alchemiser::interface::wiring::{Invocation, Outside};
use alchemiser::simulator::exchange::Fills;
use async_trait::async_trait;
use jiff::ToSpan;
use stage::Stage;
use told::Told;

const PLAN: &str = "runs/paper/main/2026-11-20/open/g0/plan.json";
const FINAL: &str = "runs/paper/main/2026-11-20/open/g0/final.json";

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

/// Lets no request through whose path contains the text.
struct Without {
    behind: Arc<dyn Transport>,
    path: &'static str,
}

#[async_trait]
impl Transport for Without {
    async fn carry(&self, request: Request) -> Result<Response, TransportError> {
        if request.target.contains(self.path) {
            return Err(TransportError::NotSent("cut off".to_owned()));
        }
        self.behind.carry(request).await
    }
}

fn without(stage: &Stage, path: &'static str) -> Arc<dyn Transport> {
    Arc::new(Without { behind: stage.world.transport(), path })
}

fn outside(stage: &Stage) -> Outside {
    Outside {
        transport: stage.world.transport(),
        credentials: Arc::new(StaticKeys::new("test-key-id", "test-secret")),
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

async fn invoke(stage: &Stage, outside: &Outside, request: &RunRequest, writer: &str) -> Told {
    let deadline = stage.world.now() + 300.seconds();
    let invocation = Invocation { writer: writer.to_owned(), deadline };
    let site = outside.furnish(request.mode, &request.account, invocation).await.unwrap();
    Told { ended: run(request, &site.house()).await }
}

/// The session's run, killed as soon as something is so.
async fn killed_when(stage: &Stage, is_so: impl Fn(&Stage) -> bool) {
    let mut run = pin!(stage.run());
    let died = std::future::poll_fn(|context| {
        if is_so(stage) {
            return Poll::Ready(true);
        }
        run.as_mut().poll(context).map(|_| false)
    });
    assert!(died.await, "the run ended before");
}

fn is_planned(stage: &Stage) -> bool {
    stage.shelf.text(PLAN).is_some()
}

fn is_bought(stage: &Stage) -> bool {
    let orders = stage.world.orders();
    orders.len() == 2 && orders.iter().all(|order| !order.status.is_open())
}

#[tokio::test(flavor = "current_thread")]
async fn a_preview_of_a_run_that_is_not_finished_neither_sends_nor_finishes_anything() {
    let stage = stage();
    killed_when(&stage, is_planned).await;
    let told = stage.invoke(RunAction::Preview).await;
    assert_eq!(stage.orders(), [""; 0]);
    assert_eq!(told.verdict(), Verdict::Blocked);
    assert_eq!(told.incidents(), ["TRADING run-left-open"]);
    assert_eq!(stage.shelf.text(FINAL), None);
}

#[tokio::test(flavor = "current_thread")]
async fn a_preview_leaves_a_working_order_of_ours_alone() {
    let stage =
        Stage::furnished(|world| world.fills(Fills { inside_spread: 0.0, ..Fills::plain() }))
            .plays("a", "1", "SPY 0.5, BIL 0.5");
    killed_when(&stage, |stage| stage.world.orders().len() == 2).await;
    stage.invoke(RunAction::Preview).await;
    assert!(stage.world.orders().iter().all(|order| order.status.is_open()));
}

#[tokio::test(flavor = "current_thread")]
async fn a_preview_after_the_days_run_sees_what_it_left() {
    let stage = stage();
    stage.run().await;
    let request = stage.event(RunAction::Preview);
    let told = invoke(&stage, &outside(&stage), &request, "preview-1").await;
    assert_eq!((told.verdict(), told.incidents()), (Verdict::Preview, vec![]));
    assert_eq!(told.sleeves(), "a: BIL 490, SPY 98");
    assert_eq!(stage.orders().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_that_met_no_broker_is_traded_by_the_resume() {
    let stage = stage();
    let told = stage.invoke_over(without(&stage, "/v2/"), RunAction::Trade).await;
    assert_eq!(told.verdict(), Verdict::Failed);
    assert_eq!(stage.shelf.text(FINAL), None);
    stage.world.advance(Duration::from_mins(5));
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.account(), "BIL 490, SPY 98, $2000");
}

#[tokio::test(flavor = "current_thread")]
async fn a_resume_does_not_make_an_old_run_young() {
    let mut stage = stage();
    stage.invoke_over(without(&stage, "/v2/"), RunAction::Trade).await;
    stage.world.advance(Duration::from_mins(25));
    stage.schedules(stage.world.now());
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!(
        (told.verdict(), told.incidents()),
        (Verdict::Blocked, vec!["TRADING event-late".to_owned()])
    );
    assert_eq!(stage.orders(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_reason_to_stay_open_is_mailed_once() {
    let stage = stage();
    for action in [RunAction::Trade, RunAction::Resume, RunAction::Resume] {
        stage.invoke_over(without(&stage, "/v2/"), action).await;
    }
    assert_eq!(stage.post.subjects().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_closed_day_is_told_once_however_often_it_is_resumed() {
    let mut stage = stage();
    stage.goes_to(jiff::civil::date(2026, 11, 26)); // Thanksgiving
    assert_eq!(stage.run().await.verdict(), Verdict::Closed);
    assert!(stage.invoke(RunAction::Resume).await.is_repeated());
    assert_eq!(stage.post.subjects().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn an_event_delivered_again_hours_later_raises_no_alarm() {
    let stage = stage();
    stage.run().await;
    stage.world.advance(Duration::from_hours(2));
    let told = stage.run().await;
    assert!(told.is_repeated());
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.post.subjects().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_resume_that_cannot_read_the_orders_does_not_end_the_run_without_them() {
    let mut stage = stage();
    killed_when(&stage, is_bought).await;
    stage.world.advance(Duration::from_mins(20));
    let told = stage.invoke_over(without(&stage, "/v2/orders"), RunAction::Resume).await;
    assert_eq!(told.verdict(), Verdict::Failed);
    assert_eq!(stage.shelf.text(FINAL), None);
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!(told.sleeves(), "a: BIL 490, SPY 98");
    stage.next_session();
    assert_eq!(stage.run().await.verdict(), Verdict::NothingToDo);
}

#[tokio::test(flavor = "current_thread")]
async fn a_resume_after_the_close_still_settles_what_was_sent() {
    let stage = stage();
    killed_when(&stage, is_bought).await;
    stage.world.advance(Duration::from_hours(8));
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!(told.sleeves(), "a: BIL 490, SPY 98");
    assert!(stage.shelf.text(FINAL).is_some());
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_named_close_goes_on_from_the_one_named_open() {
    let stage = stage();
    stage.run().await;
    stage.world.advance(Duration::from_hours(1));
    let slot = Slot::parse("close").unwrap();
    let scheduled_for = stage.world.now();
    let request = RunRequest { slot, scheduled_for, ..stage.event(RunAction::Trade) };
    let told = invoke(&stage, &outside(&stage), &request, "close-1").await;
    assert_eq!((told.verdict(), told.incidents()), (Verdict::NothingToDo, vec![]));
    assert_eq!(told.sleeves(), "a: BIL 490, SPY 98");
}

#[tokio::test(flavor = "current_thread")]
async fn what_was_not_tradable_once_is_bought_when_it_trades_again() {
    let mut stage =
        Stage::furnished(|world| world.not_tradable("SPY")).plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    assert_eq!(stage.account(), "BIL 490, $51000");
    let spy = alchemiser::domain::symbol::Symbol::parse("SPY").unwrap();
    stage.world.exchange(|exchange| exchange.list(&spy).tradable = true);
    stage.next_session();
    stage.run().await;
    assert_eq!(stage.account(), "BIL 490, SPY 98, $2000");
}

/// A stream that never stops talking.
struct Flood(Arc<dyn Clock>);

#[async_trait]
impl TradeUpdates for Flood {
    async fn open(&self) -> Result<Box<dyn UpdateStream>, BrokerError> {
        Ok(Box::new(Self(Arc::clone(&self.0))))
    }
}

#[async_trait]
impl UpdateStream for Flood {
    async fn wait(&mut self, at_most: Duration) -> Wake {
        self.0.sleep(at_most.min(Duration::from_millis(2))).await;
        Wake::Message
    }

    async fn close(&mut self) {}
}

#[tokio::test(flavor = "current_thread")]
async fn a_flood_of_order_messages_does_not_use_up_the_requests() {
    let stage =
        Stage::furnished(|world| world.fills(Fills { inside_spread: 0.0, ..Fills::plain() }))
            .plays("a", "1", "SPY 0.5, BIL 0.5");
    let outside = Outside { updates: Arc::new(Flood(stage.world.clock())), ..outside(&stage) };
    let told = invoke(&stage, &outside, &stage.event(RunAction::Trade), "flood-1").await;
    let Ended::Reported { report, .. } = &told.ended else { panic!("{:?}", told.ended) };
    assert_eq!(report.verdict, Verdict::Done);
    assert!(report.requests < 110, "{} requests", report.requests);
}

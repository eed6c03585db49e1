//! What comes late, comes again, or never comes: events, keys, orders, messages.

use std::sync::Arc;
use std::time::Duration;

use alchemiser::application::meter::Machine;
use alchemiser::application::ports::{Credentials, CredentialsError, Freshness, KeyPair};
use alchemiser::application::run::run;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::{AccountName, Mode, RunAction};
use alchemiser::infrastructure::http::Method;
use alchemiser::interface::wiring::{Invocation, Outside, Site};
use alchemiser::simulator::exchange::OrderTrouble;
use alchemiser::simulator::faults::{Fault, On, StreamTrouble, Trouble};
use async_trait::async_trait;
use jiff::ToSpan;

use crate::cut::LEASE_OVER;
use crate::stage::Stage;
use crate::told::Told;

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

// An event of the day before.

#[tokio::test(flavor = "current_thread")]
async fn an_event_of_a_day_that_was_traded_does_nothing_when_it_comes_again_the_next_day() {
    let mut stage = stage();
    let yesterday = stage.world.now();
    stage.run().await;
    stage.next_session();
    let today = stage.world.now();
    stage.wants("a", "QQQ 0.5, GLD 0.5"); // what a run of today would do
    stage.schedules(yesterday);
    let (records, letters) = (stage.shelf.keys("runs/"), stage.post.subjects().len());
    let told = stage.run().await;
    assert!(told.is_repeated(), "{:?}", told.verdict());
    assert_eq!(told.report().key.session.to_string(), "2026-11-20");
    assert_eq!(stage.orders().len(), 2, "{:?}", stage.orders());
    assert_eq!(stage.shelf.keys("runs/"), records, "not even a trace in today's folder");
    assert_eq!(stage.post.subjects().len(), letters);
    stage.schedules(today);
    assert_eq!(stage.run().await.verdict(), Verdict::Done, "today's own event");
}

#[tokio::test(flavor = "current_thread")]
async fn an_event_of_a_day_that_nobody_traded_is_told_as_late_and_plans_nothing_for_today() {
    let mut stage = stage();
    let yesterday = stage.world.now();
    stage.next_session();
    let today = stage.world.now();
    stage.schedules(yesterday);
    let told = stage.run().await;
    assert_eq!(
        (told.verdict(), told.errors()),
        (Verdict::Blocked, vec!["TRADING event-late".into()])
    );
    assert_eq!(stage.orders(), [""; 0]);
    let records = stage.shelf.keys("runs/");
    assert!(records.iter().all(|name| name.contains("/2026-11-20/")), "{records:?}");
    assert!(!records.iter().any(|name| name.ends_with("/plan.json") || name.contains("/turn/")));
    stage.schedules(today);
    assert_eq!(stage.run().await.verdict(), Verdict::Done, "today's own event");
}

// Keys that do not come.

/// Keys for which one waits in vain: so long, or for ever.
struct Silent {
    stage: alchemiser::simulator::world::World,
    gives_up: Option<Duration>,
}

#[async_trait]
impl Credentials for Silent {
    async fn keys(&self, _: Freshness) -> Result<KeyPair, CredentialsError> {
        match self.gives_up {
            Some(patience) => self.stage.clock().sleep(patience).await,
            None => std::future::pending().await,
        }
        let (name, reason) = ("alchemiser/paper/main".to_owned(), "no answer in time".to_owned());
        Err(CredentialsError::Unavailable { name, reason })
    }
}

async fn without_keys(stage: &Stage, gives_up: Option<Duration>) -> Site {
    let outside = Outside {
        transport: stage.world.transport(),
        credentials: Arc::new(Silent { stage: stage.world.clone(), gives_up }),
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
    };
    let deadline = stage.world.now() + 300.seconds();
    let invocation = Invocation { writer: "without-keys".to_owned(), deadline };
    let account = AccountName::parse("main").unwrap();
    outside.furnish(Mode::Paper, &account, invocation).await.ok().unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn keys_that_are_waited_for_in_vain_are_told_in_time_and_leave_the_run_open() {
    let stage = stage();
    let site = without_keys(&stage, Some(Duration::from_secs(10))).await;
    let begun = stage.world.now();
    let request = stage.event(RunAction::Trade);
    let told = Told { ended: Box::pin(run(&request, &site.house())).await };
    let lasted = stage.world.now().duration_since(begun).as_secs();
    assert!(lasted <= 120, "it may last 300: {lasted} seconds");
    assert_eq!(told.errors(), ["CONFIGURATION secret-unavailable"]);
    assert_eq!((stage.record(), stage.post.subjects().len()), (None, 1));
    stage.world.advance(Duration::from_mins(6));
    assert_eq!(stage.invoke(RunAction::Resume).await.verdict(), Verdict::Done);
}

#[tokio::test(flavor = "current_thread")]
async fn keys_that_never_come_cost_the_invocation_and_not_the_day() {
    let stage = stage();
    let site = without_keys(&stage, None).await;
    let request = stage.event(RunAction::Trade);
    {
        let (house, clock) = (site.house(), stage.world.clock());
        tokio::select! {
            biased;
            ended = Box::pin(run(&request, &house)) => panic!("it ended without keys: {ended:?}"),
            // Shortly before its end an invocation is given up from outside, see `interface::lambda`.
            () = clock.sleep(Duration::from_secs(299)) => {}
        }
    }
    assert_eq!(stage.orders(), [""; 0]);
    stage.world.advance(LEASE_OVER);
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::Done, vec![]));
}

// An order that arrives much later.

#[tokio::test(flavor = "current_thread")]
async fn an_order_whose_first_copy_arrives_much_later_is_executed_once() {
    for seconds in [1, 4, 9, 11, 45, 120] {
        let mut stage = stage();
        let late = Trouble::Late(Duration::from_secs(seconds));
        let post = On::new(Method::Post, "/v2/orders").containing("SPY");
        stage.world.fault(Fault::request(post, late));
        let told = stage.run().await;
        assert_eq!((told.verdict(), told.errors()), (Verdict::Done, vec![]), "{seconds}");
        stage.world.advance(Duration::from_mins(3)); // whatever is still on its way arrives
        assert_eq!(stage.world.position("SPY"), 98.into(), "{seconds}");
        let mut names: Vec<String> =
            stage.world.orders().into_iter().map(|order| order.client_id).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all, "{seconds}: no name twice");
        stage.next_session();
        let told = stage.run().await;
        assert_eq!((told.verdict(), told.errors()), (Verdict::NothingToDo, vec![]), "{seconds}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_that_arrives_after_everybody_gave_it_up_is_booked_by_the_next_run() {
    let mut stage = stage();
    let late = Trouble::Late(Duration::from_secs(250));
    let post = On::new(Method::Post, "/v2/orders").containing("SPY").always();
    stage.world.fault(Fault::request(post, late));
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Unknown, "{:?}", told.errors());
    assert!(told.errors().contains(&"CRITICAL order-unknown".to_owned()), "{:?}", told.errors());
    assert_eq!(stage.world.position("SPY"), 0.into());
    stage.world.advance(Duration::from_mins(10));
    assert_eq!(stage.world.position("SPY"), 98.into(), "one of the copies, once");
    stage.world.clear_faults();
    stage.next_session();
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::NothingToDo, vec![]));
    assert_eq!(told.sleeves(), "a: BIL 490, SPY 98");
}

// Invented messages.

#[tokio::test(flavor = "current_thread")]
async fn messages_of_executions_that_never_were_move_nothing() {
    async fn flip(noise: Option<Duration>) -> (Stage, Told) {
        let mut stage = stage();
        stage.run().await;
        stage.next_session();
        stage.wants("a", "QQQ 0.5, GLD 0.5");
        stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
        if let Some(every) = noise {
            stage.world.fault(Fault::Stream(StreamTrouble::Noisy(every)));
        }
        let told = stage.run().await; // which looks that no buy came before the last sell's end
        (stage, told)
    }
    let (twin, honest) = flip(None).await;
    assert_eq!(honest.verdict(), Verdict::Done);
    for millis in [5, 70, 900] {
        let (stage, told) = flip(Some(Duration::from_millis(millis))).await;
        assert_eq!((told.verdict(), told.errors()), (Verdict::Done, vec![]), "{millis}");
        assert_eq!(told.outcomes(), honest.outcomes(), "{millis}");
        assert_eq!(told.sleeves(), honest.sleeves(), "{millis}");
        assert_eq!(stage.account(), twin.account(), "{millis}");
        let (first, second) = (&stage.orders_today()[0], &stage.orders_today()[1]);
        assert!(first.starts_with("sell") && second.starts_with("sell"), "{first}, {second}");
    }
}

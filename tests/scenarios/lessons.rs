//! What went wrong with other programs of this kind, and the seven faults that a protocol like
//! ours is most often built with: each must show itself here.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alchemiser::application::run::run;
use alchemiser::domain::execution::OrderOutcome;
use alchemiser::domain::order::ClientOrderId;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::{RunAction, RunRequest, Slot};
use alchemiser::infrastructure::http::{Method, Request, Response, Transport, TransportError};
use alchemiser::simulator::exchange::{Fills, Hand, OrderTrouble, Strictness};
use alchemiser::simulator::faults::{Effect, Fault, On, Trouble};
use async_trait::async_trait;
use jiff::ToSpan;
use rust_decimal::Decimal;

use crate::cut::{Cut, LEASE_OVER, killed_at};
use crate::stage::Stage;
use crate::told::Told;

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

/// A flip of everything whose sells take ten seconds.
async fn slow_flip() -> Stage {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ 0.5, GLD 0.5");
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
    stage
}

fn rewriting(path: &str, change: impl Fn(String) -> String + Send + Sync + 'static) -> Fault {
    let on = On::new(Method::Get, path).always();
    Fault::request(on, Trouble::Rewrite(Arc::new(change)))
}

/// Carries everything and remembers the ids of the orders that were sent.
struct Listening {
    inner: Arc<dyn Transport>,
    sent: Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Listening {
    async fn carry(&self, request: Request) -> Result<Response, TransportError> {
        if request.method == Method::Post {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            let id = body["client_order_id"].as_str().unwrap().to_owned();
            self.sent.lock().unwrap().push(id);
        }
        self.inner.carry(request).await
    }
}

fn listening(stage: &Stage) -> Arc<Listening> {
    Arc::new(Listening { inner: stage.world.transport(), sent: Mutex::default() })
}

impl Listening {
    /// The ids sent with a symbol, each as often as it was sent.
    fn sent(&self, symbol: &str) -> Vec<String> {
        let sent = self.sent.lock().unwrap();
        let ours = |id: &&String| {
            let parts = ClientOrderId::parse(id).unwrap().parts().unwrap();
            parts.symbol.as_str() == symbol
        };
        sent.iter().filter(ours).cloned().collect()
    }
}

fn ids(stage: &Stage) -> Vec<String> {
    let mut ids: Vec<String> = stage.world.orders().into_iter().map(|o| o.client_id).collect();
    ids.sort();
    ids
}

// The seven.

#[tokio::test(flavor = "current_thread")]
async fn an_order_has_the_same_name_whoever_sends_it_and_whatever_the_account_holds() {
    let one = stage();
    let other = Stage::furnished(|world| world.cash("50000")).plays("a", "1", "SPY 0.5, BIL 0.5");
    one.run().await;
    other.invoke(RunAction::Preview).await; // another writer's number
    other.run().await;
    assert_eq!(ids(&one).len(), 2);
    assert_eq!(ids(&one), ids(&other));
}

#[tokio::test(flavor = "current_thread")]
async fn two_processes_that_both_believe_in_their_lease_send_each_order_once() {
    for seconds in [0, 1, 3, 6, 9, 11] {
        let stage = slow_flip().await;
        let second = async {
            stage.world.clock().sleep(Duration::from_secs(seconds)).await;
            stage.world.clock().sleep(Duration::from_millis(70)).await;
            let leases = stage.shelf.keys("runs/").into_iter().filter(|k| k.contains("/lease/"));
            leases.for_each(|lease| stage.shelf.lose(&lease));
            stage.invoke(RunAction::Trade).await
        };
        tokio::join!(stage.run(), second);
        let (ids, mut once) = (ids(&stage), ids(&stage));
        once.dedup();
        assert_eq!(ids, once, "{seconds}");
        assert_eq!(stage.world.position("SPY"), Decimal::ZERO, "{seconds}");
        assert!(stage.world.min_cash_seen() >= Decimal::ZERO, "{seconds}");
        assert!(stage.world.min_position_seen("BIL") >= Decimal::ZERO, "{seconds}");
        assert!(stage.world.position("GLD") > Decimal::from(244), "{seconds}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_resume_goes_on_with_the_stored_plan_whatever_the_strategies_say_now() {
    let stage = slow_flip().await;
    let sold = async {
        while stage.orders_today().is_empty() {
            stage.world.clock().sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        biased;
        () = sold => {}
        told = stage.run() => panic!("{:?} before it could die", told.verdict()),
    }
    stage.wants("a", "TLT");
    stage.world.advance(LEASE_OVER);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.world.position("TLT"), Decimal::ZERO);
    assert_eq!(told.sleeves(), "a: GLD 244.98775, QQQ 122.493875");
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_that_no_look_up_finds_is_sent_again_under_its_own_name_only() {
    for effect in [Effect::Done, Effect::None] {
        let stage = stage();
        let on = On::new(Method::Post, "/v2/orders").containing("SPY");
        let trouble = Trouble::Status { status: 504, effect };
        stage.world.fault(Fault::request(on, trouble));
        stage.troubles("SPY", 1, OrderTrouble::Hidden { lookups: 12 });
        let listening = listening(&stage);
        stage.invoke_over(listening.clone(), RunAction::Trade).await;
        let mut sent = listening.sent("SPY");
        assert!(sent.len() > 1, "{effect:?}: {sent:?}");
        sent.dedup();
        assert_eq!(sent.len(), 1, "{effect:?}: {sent:?}");
        assert_eq!(stage.account(), "BIL 490, SPY 98, $2000", "{effect:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn no_attempt_begins_before_the_one_before_it_has_ended_at_the_exchange() {
    let stage = Stage::furnished(|world| world.fills(Fills::plain()));
    let stage = stage.plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.world.exchange(|exchange| exchange.rules.cancel = Duration::from_secs(4));
    stage.run().await;
    let orders = stage.world.orders();
    let attempts: Vec<_> = orders.iter().filter(|o| o.symbol().as_str() == "SPY").collect();
    assert!(attempts.len() > 2, "{:?}", stage.orders());
    for two in attempts.windows(2) {
        assert!(two[0].updated_at <= two[1].created_at, "{:?}", stage.orders());
        assert!(!two[0].status.is_open());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_buying_power_of_a_margin_account_is_not_spent() {
    let stage = slow_flip().await;
    stage.world.exchange(|exchange| {
        exchange.rules.multiplier = 4;
        exchange.rules.strictness = Strictness::Permissive;
    });
    let leave = async {
        stage.world.clock().sleep(Duration::from_secs(5)).await;
        stage.world.book_cash(Hand::Withdrawal, "30000");
        stage.world.clock().sleep(Duration::from_millis(1)).await;
    };
    tokio::join!(stage.run(), leave);
    assert!(stage.world.min_cash_seen() >= Decimal::ZERO, "{}", stage.account());
    assert_eq!(stage.account(), "GLD 169.98775, QQQ 84.993875, $2000");
}

/// The one thing that the protocol takes from the broker on trust. Where it does not hold, a name
/// sent twice is two orders, and this shows it.
#[tokio::test(flavor = "current_thread")]
async fn a_name_that_was_taken_once_is_refused_for_ever() {
    let stage = stage();
    let on = On::new(Method::Post, "/v2/orders").containing("SPY");
    let trouble = Trouble::Status { status: 504, effect: Effect::Done };
    stage.world.fault(Fault::request(on, trouble));
    stage.troubles("SPY", 1, OrderTrouble::Hidden { lookups: 12 });
    let listening = listening(&stage);
    stage.invoke_over(listening.clone(), RunAction::Trade).await;
    assert!(listening.sent("SPY").len() > 1, "the name was sent again");
    let spy = stage.world.orders().into_iter().filter(|o| o.symbol().as_str() == "SPY");
    assert_eq!(spy.count(), 1, "and the exchange took it once");
}

// Orders.

#[tokio::test(flavor = "current_thread")]
async fn a_cancel_that_never_completes_is_followed_by_no_further_attempt() {
    let stage = Stage::furnished(|world| world.fills(Fills::plain()));
    let stage = stage.plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.troubles("SPY", 1, OrderTrouble::CancelStuck);
    let listening = listening(&stage);
    let told = stage.invoke_over(listening.clone(), RunAction::Trade).await;
    assert_eq!(told.verdict(), Verdict::Unknown);
    assert_eq!(listening.sent("SPY").len(), 1);
    assert!(told.errors().contains(&"CRITICAL order-unknown".to_owned()), "{:?}", told.errors());
}

async fn run_in_slot(stage: &Stage, slot: &str) -> Told {
    let (slot, scheduled_for) = (Slot::parse(slot).unwrap(), stage.world.now());
    let request = RunRequest { slot, scheduled_for, ..stage.event(RunAction::Trade) };
    let site = stage.site(stage.world.transport()).await.unwrap();
    Told { ended: run(&request, &site.house()).await }
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_that_an_earlier_run_left_working_is_cancelled_before_the_next_decides() {
    let mut stage = stage();
    stage.works_by_hand("GLD", "buy", "1", "100").await;
    // The process dies with its first order at the exchange, where the price has moved away.
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
    stage.troubles("BIL", 1, OrderTrouble::NeverFilled);
    let sent = async {
        while stage.orders().len() < 3 {
            stage.world.clock().sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        biased;
        () = sent => {}
        told = stage.run() => panic!("{:?} before it could die", told.verdict()),
    }
    stage.world.clear_faults();
    stage.world.advance(Duration::from_mins(30));
    stage.schedules(stage.world.now());
    let told = run_in_slot(&stage, "later").await;
    let orders = stage.orders();
    let canceled = orders.iter().filter(|line| line.contains("#1 canceled 0")).count();
    assert_eq!(canceled, 2, "{orders:?} {:?}", told.incidents());
    assert!(orders.contains(&"buy GLD 1 by hand new 0".to_owned()), "{orders:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_whose_cancel_never_got_through_is_cancelled_before_the_next_run_decides() {
    let stage = Stage::furnished(|world| world.fills(Fills::plain()));
    let mut stage = stage.plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
    let cancels = On::new(Method::Delete, "/v2/orders*").always();
    stage.world.fault(Fault::request(cancels, Trouble::NoConnection));
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Unknown);
    let open = |line: &String| line.ends_with("new 0");
    assert!(stage.orders().iter().any(open), "{:?}", stage.orders());
    stage.world.clear_faults();
    stage.world.advance(Duration::from_mins(30));
    stage.schedules(stage.world.now());
    let told = run_in_slot(&stage, "later").await;
    assert_eq!(told.verdict(), Verdict::Done, "{:?}", told.incidents());
    let orders = stage.world.orders();
    let left = orders.iter().find(|order| order.trouble.is_some()).unwrap();
    assert!(left.canceled_at.is_some(), "{:?}", stage.orders());
    let later = orders.iter().filter(|order| order.created_at > left.updated_at);
    assert!(later.count() > 0 && !orders.iter().any(|order| order.status.is_open()));
}

#[tokio::test(flavor = "current_thread")]
async fn every_further_attempt_bids_more_and_the_last_one_ends_it() {
    let stage = Stage::furnished(|world| world.fills(Fills::plain()).spread("SPY", "0.002"));
    let stage = stage.plays("a", "1", "SPY");
    stage.troubles("SPY", u32::MAX, OrderTrouble::NeverFilled);
    stage.run().await;
    let orders = stage.world.orders();
    let limits: Vec<Decimal> = orders.iter().map(|o| o.asked.kind.limit().unwrap()).collect();
    assert_eq!(limits.len(), 4, "{limits:?}");
    assert!(limits.is_sorted_by(|one, next| one < next), "{limits:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_status_that_nobody_knows_ends_neither_the_order_nor_the_run() {
    let stage = stage();
    let change =
        |body: String| body.replace("\"status\":\"pending_new\"", "\"status\":\"calibrating\"");
    let on = On::any("/v2/orders*").always();
    stage.world.fault(Fault::request(on, Trouble::Rewrite(Arc::new(change))));
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done, "{:?}", told.incidents());
    assert_eq!(stage.account(), "BIL 490, SPY 98, $2000");
}

#[tokio::test(flavor = "current_thread")]
async fn a_fill_whose_price_is_not_known_is_a_fill() {
    let stage = stage();
    stage.world.fault(rewriting("/v2/orders*", |body| {
        let mut orders: serde_json::Value = serde_json::from_str(&body).unwrap();
        for order in orders.as_array_mut().into_iter().flatten() {
            order["filled_avg_price"] = serde_json::Value::Null;
        }
        orders.to_string()
    }));
    let told = stage.run().await;
    assert_eq!(told.outcomes(), ["buy BIL 490 of 490", "buy SPY 98 of 98"]);
    assert_eq!(told.sleeves(), "a: BIL 490, SPY 98");
}

#[tokio::test(flavor = "current_thread")]
async fn a_sale_of_more_than_is_available_is_made_smaller_under_the_same_name() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.wants("a", "BIL");
    // Between the plan and the order a sliver is sold by hand: 98 are asked for, fewer are there.
    let sliver = On::new(Method::Get, "/v2/assets/SPY");
    stage.world.fault(Fault::request(sliver, Trouble::Slow(Duration::from_secs(4))));
    let sale = async {
        stage.world.clock().sleep(Duration::from_secs(2)).await;
        let side = alchemiser::domain::order::Side::Sell;
        stage.world.trade_by_hand("SPY", side, "0.0000002").unwrap();
        stage.world.clock().sleep(Duration::from_millis(1)).await;
    };
    let listening = listening(&stage);
    tokio::join!(stage.invoke_over(listening.clone(), RunAction::Trade), sale);
    let sent = listening.sent("SPY");
    assert_eq!(sent[0], sent[1], "the same name, made smaller");
    assert_eq!(stage.world.position("SPY"), Decimal::ZERO);
    assert!(stage.world.min_position_seen("SPY") >= Decimal::ZERO);
}

// Capital.

#[tokio::test(flavor = "current_thread")]
async fn negative_cash_stops_the_run_and_sells_nothing() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.world.exchange(|exchange| exchange.rules.strictness = Strictness::Permissive);
    stage.world.book_cash(Hand::Withdrawal, "5000");
    stage.wants("a", "GLD");
    let told = run_in_slot(&stage, "open").await;
    assert_eq!(told.verdict(), Verdict::Blocked, "{:?}", told.incidents());
    assert_eq!(stage.orders_today(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn money_that_is_missing_from_the_account_stops_the_run() {
    for field in ["cash", "equity"] {
        let stage = stage();
        let change = move |body: String| {
            let mut account: serde_json::Value = serde_json::from_str(&body).unwrap();
            account.as_object_mut().unwrap().remove(field);
            account.to_string()
        };
        stage.world.fault(rewriting("/v2/account", change));
        let told = stage.run().await;
        assert!(!told.verdict().is_good(), "{field}");
        assert_eq!(stage.orders(), [""; 0], "{field}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn every_item_of_a_plan_is_filled_or_said_to_be_not() {
    let stage = Stage::new().plays("a", "1", "SPY 0.4, BIL 0.3, QQQ 0.2, GLD 0.1");
    stage.troubles("BIL", 1, OrderTrouble::RejectedLater);
    stage.world.halt("QQQ");
    let told = stage.run().await;
    let report = told.report();
    let planned = report.plan.as_ref().unwrap().items.len();
    assert_eq!(planned, 4);
    for item in &report.plan.as_ref().unwrap().items {
        let outcome = report.execution.outcomes().find(|o| o.symbol == item.symbol);
        let filled = outcome.is_some_and(OrderOutcome::is_filled);
        let said = told.report().incidents.iter().any(|i| i.what.contains(item.symbol.as_str()));
        assert!(filled || said, "{}: {:?}", item.symbol, told.incidents());
    }
}

// Scheduling and telling.

#[tokio::test(flavor = "current_thread")]
async fn two_schedules_for_one_slot_five_minutes_apart_trade_once_and_write_once() {
    let mut stage = stage();
    stage.run().await;
    stage.world.advance(Duration::from_mins(5));
    stage.schedules(stage.world.now());
    stage.wants("a", "GLD");
    let again = stage.run().await;
    assert!(again.is_repeated());
    assert_eq!(stage.orders().len(), 2);
    assert_eq!(stage.post.subjects().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn what_was_filled_is_told_as_filled_by_letter_record_and_exchange_alike() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    let part = "0.4".parse().unwrap();
    stage.troubles("SPY", 1, OrderTrouble::PartialThenStop { part });
    stage.troubles("SPY", u32::MAX, OrderTrouble::NeverFilled);
    let told = stage.run().await;
    assert_eq!(told.outcomes(), ["buy BIL 490 of 490", "buy SPY 39 of 98"]);
    assert_eq!(stage.record().as_ref(), Some(told.report()));
    assert_eq!(stage.world.position("SPY"), Decimal::from(39));
    let subject = &stage.post.subjects()[0];
    assert!(subject.contains("PARTIAL") && subject.contains("1/2 filled"), "{subject}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_that_died_after_its_orders_is_told_with_what_they_became() {
    let stage = stage();
    let requests = {
        let twin = self::stage();
        twin.run().await;
        i64::try_from(twin.world.requests()).unwrap()
    };
    killed_at(&stage, requests - 1, Cut::After).await;
    assert_eq!(stage.post.subjects(), [""; 0]);
    stage.world.advance(LEASE_OVER);
    stage.invoke(RunAction::Resume).await;
    let subjects = stage.post.subjects();
    assert_eq!(subjects.len(), 1);
    assert!(subjects[0].starts_with("[PAPER OK]") && subjects[0].contains("2/2"), "{subjects:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn an_event_that_comes_a_day_late_is_of_its_own_day_and_does_not_trade() {
    let mut stage = stage();
    stage.goes_to("2026-11-23".parse().unwrap());
    let today = stage.world.now();
    stage.schedules(today - 72.hours());
    let told = stage.run().await;
    assert!(!told.verdict().is_good() || told.verdict() == Verdict::Closed, "{:?}", told.verdict());
    assert_eq!(told.report().key.session.to_string(), "2026-11-20");
    assert_eq!(stage.orders(), [""; 0]);
    stage.schedules(today);
    assert_eq!(stage.run().await.verdict(), Verdict::Done, "today's event is another run");
}

//! What keeps a run from trading, and what must not.

use std::sync::Arc;
use std::time::Duration;

use alchemiser::application::run::Ended;
use alchemiser::application::tell::Mailed;
use alchemiser::domain::order::Side;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::exchange::OrderTrouble;
use alchemiser::simulator::faults::{Fault, On, Trouble};

use crate::kept::Outage;
use crate::stage::{CONTROL, Stage};

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

fn broker_down(path: &str) -> Fault {
    Fault::request(On::any(path).always(), Trouble::NoConnection)
}

#[tokio::test(flavor = "current_thread")]
async fn without_permission_nothing_is_traded() {
    for state in ["halt-new", "halt-all", "walk"] {
        let stage = stage();
        stage.permits(state);
        let told = stage.run().await;
        assert_eq!(told.verdict(), Verdict::Blocked, "{state}");
        assert_eq!(told.errors(), ["CONFIGURATION halted"], "{state}");
        assert_eq!(stage.orders(), [""; 0], "{state}");
    }
    let stage = stage();
    stage.shelf.lose(CONTROL);
    let told = stage.run().await;
    assert_eq!((told.verdict(), stage.orders().len()), (Verdict::Blocked, 0));
}

#[tokio::test(flavor = "current_thread")]
async fn a_halt_between_sells_and_buys_stops_the_buys() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.wants("a", "GLD 0.5, QQQ 0.5");
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled); // the sells take ten seconds
    let halt = async {
        stage.world.clock().sleep(Duration::from_secs(5)).await;
        stage.permits("halt-new");
        stage.world.clock().sleep(Duration::from_secs(1)).await;
    };
    let (told, ()) = tokio::join!(stage.run(), halt);
    assert_eq!(
        stage.orders_today(),
        ["sell BIL 490 #1 filled 490", "sell SPY 98 #1 canceled 0"],
        "neither a further attempt nor a buy"
    );
    assert_eq!(told.verdict(), Verdict::Partial);
    assert!(told.errors().contains(&"CONFIGURATION halted".to_owned()), "{:?}", told.errors());
    assert_eq!(told.sleeves(), "a: SPY 98");
}

#[tokio::test(flavor = "current_thread")]
async fn a_halt_while_prices_are_slow_to_come_stops_the_orders_that_wait_for_them() {
    let stage = stage();
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled); // its second attempt asks for a price
    let halt = async {
        stage.world.clock().sleep(Duration::from_secs(5)).await;
        let quotes = On::new(Method::Get, "/v2/stocks/*").always();
        stage.world.fault(Fault::request(quotes, Trouble::Slow(Duration::from_secs(4))));
        stage.world.clock().sleep(Duration::from_secs(7)).await;
        stage.permits("halt-new");
        stage.world.clock().sleep(Duration::from_secs(1)).await;
    };
    let (told, ()) = tokio::join!(stage.run(), halt);
    assert_eq!(stage.orders(), ["buy BIL 490 #1 filled 490", "buy SPY 98 #1 canceled 0"]);
    assert!(told.errors().contains(&"CONFIGURATION halted".to_owned()), "{:?}", told.errors());
}

#[tokio::test(flavor = "current_thread")]
async fn a_blocked_account_is_left_alone() {
    let stage = stage();
    stage.world.exchange(|exchange| exchange.identity.trading_blocked = true);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Blocked);
    assert_eq!(told.errors(), ["CRITICAL gate-account-blocked"]);
    assert_eq!(stage.orders(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn an_account_blocked_in_mid_run_gets_no_further_order() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.wants("a", "GLD 0.5, QQQ 0.5");
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
    let block = async {
        stage.world.clock().sleep(Duration::from_secs(5)).await;
        stage.world.exchange(|exchange| exchange.identity.trading_blocked = true);
        stage.world.clock().sleep(Duration::from_secs(1)).await;
    };
    let (told, ()) = tokio::join!(stage.run(), block);
    assert_eq!(stage.orders_today(), ["sell BIL 490 #1 filled 490", "sell SPY 98 #1 canceled 0"]);
    assert!(told.errors().contains(&"CRITICAL account-blocked".to_owned()), "{:?}", told.errors());
}

#[tokio::test(flavor = "current_thread")]
async fn clocks_that_differ_keep_the_run_from_trading() {
    let stage = stage();
    let later = |body: String| body.replace("09:35:0", "09:36:4");
    let on = On::new(Method::Get, "/v2/clock").always();
    stage.world.fault(Fault::request(on, Trouble::Rewrite(Arc::new(later))));
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Blocked);
    assert_eq!(told.errors(), ["CRITICAL clock-skew"]);
    assert_eq!(stage.orders(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn an_event_that_comes_late_does_not_trade() {
    let stage = stage();
    stage.world.advance(Duration::from_mins(21));
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Blocked);
    assert_eq!(told.errors(), ["TRADING event-late"]);
    assert_eq!(stage.orders(), [""; 0]);
    assert_eq!(stage.post.subjects().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_lost_store_with_orders_at_the_broker_stops_everything() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.shelf.lose("runs/");
    stage.wants("a", "GLD 0.5, BIL 0.5");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Blocked);
    assert_eq!(told.errors(), ["CRITICAL ledger-lost"]);
    assert_eq!(stage.orders_today(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_store_lost_on_the_same_day_sends_nothing_twice() {
    let stage = stage();
    stage.run().await;
    stage.shelf.lose("runs/");
    stage.world.advance(Duration::from_mins(1));
    let told = stage.run().await;
    assert_eq!(told.errors(), ["CRITICAL ledger-lost"]);
    assert_eq!(stage.orders().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn a_run_whose_mail_is_refused_is_good_and_on_record() {
    let stage = stage();
    stage.post.refuses(true);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert!(matches!(told.mailed(), Mailed::Failed(_)));
    assert_eq!(told.incidents(), ["NOTIFICATION mail-not-sent"]);
    assert!(told.is_kept() && stage.record().is_some());
    stage.post.refuses(false);
    let told = stage.run().await;
    assert!(told.is_repeated() && matches!(told.mailed(), Mailed::Sent(_)), "owed and sent now");
    assert_eq!(stage.post.subjects().len(), 1);
    assert_eq!(stage.orders().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn a_letter_is_owed_again_as_often_as_those_who_began_it_gave_up() {
    let stage = stage();
    stage.post.refuses(true);
    for attempt in 1..=3 {
        let told = stage.run().await;
        assert!(matches!(told.mailed(), Mailed::Failed(_)), "{attempt}: {:?}", told.mailed());
    }
    stage.post.refuses(false);
    assert!(matches!(stage.run().await.mailed(), Mailed::Sent(_)), "without any wait");
    assert_eq!(stage.run().await.mailed(), &Mailed::Before);
    assert_eq!(stage.post.subjects().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn the_same_event_again_does_nothing() {
    let stage = stage();
    let first = stage.run().await;
    stage.wants("a", "GLD");
    let second = stage.run().await;
    assert!(second.is_repeated() && *second.mailed() == Mailed::Before);
    assert_eq!(second.report(), first.report());
    assert_eq!(stage.orders().len(), 2);
    assert_eq!(stage.post.subjects().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_closed_day_said_twice_is_mailed_once() {
    let mut stage = stage();
    stage.goes_to("2026-11-26".parse().unwrap());
    stage.run().await;
    let second = stage.run().await;
    assert!(second.is_repeated());
    assert_eq!(stage.post.subjects().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_late_event_said_twice_is_mailed_once() {
    let stage = stage();
    stage.world.advance(Duration::from_mins(21));
    stage.run().await;
    stage.run().await;
    assert_eq!(stage.post.subjects().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn the_same_event_again_much_later_does_nothing_either() {
    let mut stage = stage();
    let first = stage.run().await;
    for minutes in [25, 60 * 8, 60 * 24 * 3] {
        stage.world.advance(Duration::from_mins(minutes));
        let again = stage.run().await;
        assert!(again.is_repeated() && *again.mailed() == Mailed::Before, "{minutes}");
        assert_eq!(again.report(), first.report(), "{minutes}");
    }
    assert_eq!(stage.orders().len(), 2);
    assert_eq!(stage.post.subjects().len(), 1);
    stage.goes_to("2026-11-24".parse().unwrap());
    assert_eq!(stage.run().await.verdict(), Verdict::NothingToDo);
}

#[tokio::test(flavor = "current_thread")]
async fn a_preview_after_the_run_touches_neither_the_run_nor_the_market() {
    let stage = stage();
    let part = "0.4".parse().unwrap();
    stage.troubles("SPY", 1, OrderTrouble::PartialThenStop { part });
    stage.troubles("SPY", u32::MAX, OrderTrouble::NeverFilled);
    let first = stage.run().await;
    stage.world.clear_faults();
    let (records, orders) = (stage.shelf.keys("runs/"), stage.orders());
    let told = stage.invoke(RunAction::Preview).await;
    assert_eq!(told.verdict(), Verdict::Preview);
    assert_eq!(told.errors(), [""; 0]);
    let plan = told.report().plan.as_ref().unwrap();
    assert_eq!(plan.orders(Side::Buy).count(), 1, "it would buy the rest");
    assert_eq!((stage.shelf.keys("runs/"), stage.orders()), (records, orders));
    assert_eq!(stage.record().as_ref(), Some(first.report()));
}

#[tokio::test(flavor = "current_thread")]
async fn a_preview_sends_nothing_claims_nothing_and_leaves_the_run_to_trade() {
    let stage = stage();
    let told = stage.invoke(RunAction::Preview).await;
    assert_eq!(told.verdict(), Verdict::Preview);
    assert_eq!(stage.orders(), [""; 0]);
    assert_eq!(stage.shelf.keys("runs/"), [""; 0]);
    assert_eq!(stage.run().await.verdict(), Verdict::Done);
}

#[tokio::test(flavor = "current_thread")]
async fn a_broker_out_of_reach_before_the_plan_is_traded_by_a_resume_in_time() {
    for path in ["/v2/account", "/v2/stocks/bars*", "/v2/positions", "/v2/*"] {
        let stage = stage();
        stage.world.fault(broker_down(path));
        let told = stage.run().await;
        assert_eq!(told.verdict(), Verdict::Failed, "{path}");
        assert_eq!(told.errors(), ["CRITICAL broker-unreachable"], "{path}");
        assert_eq!(stage.record(), None, "{path}: the run stays open");
        stage.world.clear_faults();
        stage.world.advance(Duration::from_mins(10));
        let told = stage.invoke(RunAction::Resume).await;
        assert_eq!(told.verdict(), Verdict::Done, "{path}");
        assert_eq!(stage.account(), "BIL 490, SPY 98, $2000", "{path}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_resume_that_comes_too_late_only_concludes() {
    let stage = stage();
    stage.world.fault(broker_down("/v2/account"));
    stage.run().await;
    stage.world.clear_faults();
    stage.world.advance(Duration::from_mins(21));
    let told = stage.invoke(RunAction::Resume).await;
    assert_eq!(told.verdict(), Verdict::Blocked);
    assert_eq!(told.errors(), ["TRADING event-late"]);
    assert!(told.is_kept());
    assert_eq!(stage.orders(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_resume_of_a_run_that_was_never_opened_opens_none() {
    let stage = stage();
    let told = stage.invoke(RunAction::Resume).await;
    assert!(matches!(told.ended, Ended::NothingOpen(_)));
    assert_eq!(stage.orders(), [""; 0]);
    assert_eq!(stage.shelf.keys("runs/"), [""; 0]);
    assert_eq!(stage.post.subjects(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_store_that_fails_now_and_then_is_asked_again() {
    let whole = stage();
    whole.run().await;
    let writes = whole.shelf.writes();
    assert!(writes > 6, "{writes}");
    for after in 0..writes {
        for takes_effect in [false, true] {
            let stage = stage();
            stage.shelf.fails(Outage { after, times: 2, takes_effect });
            let told = stage.run().await;
            assert_eq!(told.verdict(), Verdict::Done, "write {after}, {takes_effect}");
            assert_eq!(stage.account(), "BIL 490, SPY 98, $2000", "write {after}");
            assert!(told.is_kept() && stage.post.subjects().len() == 1, "write {after}");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_store_that_goes_away_for_good_leaves_a_run_that_is_finished_later() {
    let whole = stage();
    whole.run().await;
    for after in 0..whole.shelf.writes() {
        let stage = stage();
        stage.shelf.fails(Outage { after, times: usize::MAX, takes_effect: false });
        let told = stage.run().await;
        if !told.is_kept() || !told.verdict().is_good() {
            let errors = told.errors();
            assert!(
                errors.contains(&"CRITICAL store-unavailable".to_owned()),
                "{after}: {errors:?}"
            );
        }
        stage.shelf.fails(Outage::default());
        stage.world.advance(Duration::from_secs(400));
        let told = stage.run().await;
        assert_eq!(told.verdict(), Verdict::Done, "write {after}");
        assert_eq!(stage.account(), "BIL 490, SPY 98, $2000", "write {after}");
        assert_eq!(told.sleeves(), "a: BIL 490, SPY 98", "write {after}");
        assert_eq!(stage.orders().len(), 2, "write {after}: {:?}", stage.orders());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_store_that_may_not_be_written_sends_no_order() {
    let stage = stage();
    stage.shelf.denies("plan.json");
    let told = stage.run().await;
    assert_eq!(told.errors(), ["CONFIGURATION store-denied"]);
    assert_eq!(stage.orders(), [""; 0]);
    assert_eq!(stage.post.subjects().len(), 1);
}

//! What happens between runs, and days that are not like others.

use std::time::Duration;

use alchemiser::application::tell::Mailed;
use alchemiser::domain::order::Side;
use alchemiser::domain::report::Verdict;
use alchemiser::simulator::exchange::{Fills, Hand, OrderTrouble};

use crate::stage::Stage;

fn stage() -> Stage {
    Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")
}

/// A day at which the exchange closes at 13:00.
const HALF_DAY: &str = "2026-11-27";

fn at(moment: &str) -> jiff::Timestamp {
    moment.parse().unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn a_second_day_without_news_trades_nothing_and_says_so() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::NothingToDo);
    assert_eq!(stage.orders_today(), [""; 0]);
    assert_eq!(told.incidents(), [""; 0]);
    assert_eq!(
        stage.post.subjects()[1],
        "[PAPER OK] 23 Nov open: nothing to trade, $100,000 (0.0%)"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_deposit_is_put_to_work_and_is_no_gain() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.world.book_cash(Hand::Deposit, "80000");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.account(), "BIL 882, SPY 176.4, $3600");
    assert_eq!(
        told.report().transfers.values().map(ToString::to_string).collect::<Vec<_>>(),
        ["80000"]
    );
    assert_eq!(told.incidents(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_withdrawal_is_raised_by_selling_and_is_no_loss() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.world.book_cash(Hand::Withdrawal, "2000");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.account(), "BIL 480.2, SPY 96.04, $1960");
    stage.next_session();
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::NothingToDo);
    assert_eq!(told.incidents(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_dividend_is_cash_for_everybody() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.world.pay_dividend("SPY", "1.5");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::NothingToDo, "147 dollars are below every minimum");
    assert_eq!(stage.account(), "BIL 490, SPY 98, $2147");
    assert_eq!(told.incidents(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_split_overnight_scales_the_sleeves_and_trades_nothing() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.world.split("SPY", 4, 1);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::NothingToDo);
    assert_eq!(told.sleeves(), "a: BIL 490, SPY 392");
    assert_eq!(stage.account(), "BIL 490, SPY 392, $2000");
    assert_eq!(told.errors(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_reverse_split_with_cash_in_lieu_is_explained() {
    let mut stage =
        Stage::furnished(|world| world.non_fractionable("QQQ")).plays("a", "1", "QQQ 0.5, BIL 0.5");
    stage.run().await;
    stage.next_session();
    stage.world.split("QQQ", 1, 10);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::NothingToDo);
    assert_eq!(told.sleeves(), "a: BIL 490, QQQ 12");
}

#[tokio::test(flavor = "current_thread")]
async fn a_new_ticker_keeps_its_sleeve() {
    let mut stage = Stage::new().plays("a", "0.5", "SPY").plays("b", "0.5", "BIL");
    stage.run().await;
    stage.next_session();
    stage.world.rename("SPY", "SPX");
    stage.wants("a", "SPX");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::NothingToDo);
    assert_eq!(told.sleeves(), "a: SPX 98 | b: BIL 490");
}

#[tokio::test(flavor = "current_thread")]
async fn a_sale_by_hand_holds_its_sleeve_for_one_run() {
    let mut stage = Stage::new().plays("a", "0.5", "SPY").plays("b", "0.5", "BIL");
    stage.run().await;
    stage.next_session();
    stage.world.trade_by_hand("SPY", Side::Sell, "48").unwrap();
    stage.wants("b", "GLD");
    let told = stage.run().await;
    assert_eq!(told.sleeves(), "a: SPY 50 | b: GLD 245");
    assert_eq!(told.incidents(), ["WARNING sleeve-touched"]);
    stage.next_session();
    let told = stage.run().await;
    assert_eq!(stage.orders_today(), ["buy SPY 48 #1 filled 48"]);
    assert_eq!(told.sleeves(), "a: SPY 98 | b: GLD 245");
}

#[tokio::test(flavor = "current_thread")]
async fn a_buy_by_hand_is_foreign() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    stage.world.trade_by_hand("GLD", Side::Buy, "2").unwrap();
    let told = stage.run().await;
    assert_eq!(told.sleeves(), "a: BIL 490, SPY 98 | foreign: GLD 2");
    assert_eq!((told.verdict(), told.incidents().len()), (Verdict::NothingToDo, 0));
}

#[tokio::test(flavor = "current_thread")]
async fn shares_that_vanish_without_a_fact_stop_everything() {
    let mut stage = stage();
    stage.run().await;
    stage.next_session();
    let spy = alchemiser::domain::symbol::Symbol::parse("SPY").unwrap();
    let now = stage.world.now();
    stage.world.exchange(|exchange| exchange.place(&spy, 90.into(), 500.into(), now));
    stage.wants("a", "GLD 0.5, BIL 0.5");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Blocked);
    assert_eq!(stage.orders_today(), [""; 0]);
    assert_eq!(told.errors(), ["CRITICAL position-mismatch"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_half_day_trades_before_its_early_close() {
    let mut stage = stage();
    stage.goes_to(HALF_DAY.parse().unwrap());
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
}

#[tokio::test(flavor = "current_thread")]
async fn after_the_cut_off_of_a_half_day_no_order_leaves() {
    let mut stage = stage();
    let moment = at("2026-11-27T17:58:30Z"); // 90 seconds before the close at 13:00
    stage.schedules(moment);
    stage.world.advance_to(moment);
    let told = stage.run().await;
    assert_eq!(stage.orders(), [""; 0]);
    assert!(!told.verdict().is_good() && told.is_kept(), "{:?}", told.verdict());
}

#[tokio::test(flavor = "current_thread")]
async fn sells_that_end_at_the_cut_off_are_followed_by_no_buy() {
    let mut stage = stage();
    stage.run().await;
    stage.wants("a", "GLD 0.5, BIL 0.5");
    let moment = at("2026-11-27T17:57:25Z"); // five seconds before no order may leave
    stage.schedules(moment);
    stage.world.advance_to(moment);
    stage.troubles("SPY", 1, OrderTrouble::FilledOnCancel);
    let told = stage.run().await;
    assert_eq!(stage.orders_today(), ["sell SPY 98 #1 filled 98"]);
    assert_eq!(told.errors(), ["TRADING cut-off"]);
    assert_eq!(told.sleeves(), "a: BIL 490");
    assert_eq!(told.verdict(), Verdict::Partial);
    stage.goes_to("2026-11-30".parse().unwrap());
    let told = stage.run().await;
    assert_eq!(told.sleeves(), "a: BIL 490, GLD 245", "the next run goes on from there");
}

#[tokio::test(flavor = "current_thread")]
async fn a_closed_day_is_one_quiet_mail() {
    let mut stage = stage();
    stage.goes_to("2026-11-26".parse().unwrap()); // Thanksgiving
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Closed);
    assert_eq!(stage.orders(), [""; 0]);
    assert_eq!(told.incidents(), [""; 0]);
    assert_eq!(
        stage.post.subjects(),
        ["[PAPER CLOSED] 26 Nov open: market closed, next session 27 Nov"]
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_closed_day_can_be_silent() {
    let mut stage = stage().limit("[mail]\nclosed_days = \"silent\"");
    stage.goes_to("2026-11-26".parse().unwrap());
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.mailed()), (Verdict::Closed, &Mailed::Silent));
    assert_eq!(stage.post.subjects(), [""; 0]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_that_is_over_is_closed_too() {
    let mut stage = stage();
    let moment = at("2026-11-27T18:00:01Z");
    stage.schedules(moment);
    stage.world.advance_to(moment);
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.incidents().len()), (Verdict::Closed, 0));
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_left_unknown_is_reported_and_its_late_fill_booked_by_the_next_run() {
    let mut stage = Stage::furnished(|world| world.fills(Fills::plain()));
    stage = stage.plays("a", "0.5", "SPY").plays("b", "0.5", "BIL");
    stage.troubles("SPY", 1, OrderTrouble::CancelStuck);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Unknown);
    assert_eq!(told.errors(), ["CRITICAL order-unknown", "TRADING order-not-filled"]);
    assert_eq!(told.sleeves(), "b: BIL 490");
    assert_eq!(stage.post.subjects().len(), 1);
    stage.world.set_price("SPY", "499");
    stage.world.advance(Duration::from_mins(10));
    assert_eq!(stage.orders()[1], "buy SPY 98 #1 filled 98", "met after the run");
    stage.next_session();
    let told = stage.run().await;
    assert_eq!(told.sleeves(), "a: SPY 98 | b: BIL 490");
    assert_eq!(told.verdict(), Verdict::NothingToDo);
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_left_unknown_that_dies_at_the_close_is_forgotten() {
    let mut stage = Stage::furnished(|world| world.fills(Fills::plain()));
    stage = stage.plays("a", "0.5", "SPY").plays("b", "0.5", "BIL");
    stage.troubles("SPY", 1, OrderTrouble::CancelStuck);
    stage.run().await;
    stage.next_session();
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(told.sleeves(), "a: SPY 97.980792 | b: BIL 490");
}

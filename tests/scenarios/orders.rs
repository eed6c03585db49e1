//! How orders go to the market and come back.

use alchemiser::domain::report::Verdict;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::exchange::{Fills, OrderTrouble, Rules};
use alchemiser::simulator::faults::{Effect, Fault, On, StreamTrouble, Trouble};
use rust_decimal::Decimal;
use std::time::Duration;

use crate::stage::Stage;

/// All orders of a symbol from now on.
const ALL: u32 = u32::MAX;

#[tokio::test(flavor = "current_thread")]
async fn a_first_run_buys_what_the_strategy_wants() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.orders(), ["buy BIL 490 #1 filled 490", "buy SPY 98 #1 filled 98"]);
    assert_eq!(stage.account(), "BIL 490, SPY 98, $2000");
    assert_eq!(told.sleeves(), "a: BIL 490, SPY 98");
    assert_eq!(told.incidents(), [""; 0]);
    assert_eq!(stage.record().as_ref(), Some(told.report()));
    assert_eq!(
        stage.post.subjects(),
        ["[PAPER OK] 20 Nov open: 2/2 filled, turnover 100%, $100,000 (0.0%)"]
    );
}

#[tokio::test(flavor = "current_thread")]
async fn no_buy_is_accepted_before_the_last_sell_has_ended() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ 0.5, GLD 0.5");
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(
        stage.orders_today(),
        [
            "sell BIL 490 #1 filled 490",
            "sell SPY 98 #1 canceled 0",
            "sell SPY 98 #2 filled 98",
            "buy GLD 244.98775 #1 filled 244.98775",
            "buy QQQ 122.493875 #1 filled 122.493875",
        ]
    );
    let orders = stage.world.orders();
    assert!(orders[4].updated_at <= orders[5].created_at, "the last sell ends before a buy begins");
}

#[tokio::test(flavor = "current_thread")]
async fn a_failed_sell_costs_only_its_own_sleeve() {
    let mut stage = Stage::new().plays("a", "0.5", "SPY").plays("b", "0.5", "BIL");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ");
    stage.wants("b", "GLD");
    stage.troubles("SPY", ALL, OrderTrouble::NeverFilled);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Partial);
    assert_eq!(told.outcomes(), ["sell BIL 490 of 490", "sell SPY 0 of 98", "buy GLD 245 of 245"]);
    assert_eq!(told.sleeves(), "a: SPY 98 | b: GLD 245");
    assert_eq!(stage.account(), "GLD 245, SPY 98, $2000");
    assert_eq!(told.errors(), ["TRADING order-not-filled"]);
}

#[tokio::test(flavor = "current_thread")]
async fn the_rest_of_a_partial_fill_goes_out_under_the_next_attempt() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    let part = "0.4".parse().unwrap();
    stage.troubles("SPY", 1, OrderTrouble::PartialThenStop { part });
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(
        stage.orders(),
        ["buy BIL 490 #1 filled 490", "buy SPY 98 #1 canceled 39", "buy SPY 59 #2 filled 59",]
    );
    assert_eq!(stage.account(), "BIL 490, SPY 98, $1997.05");
}

#[tokio::test(flavor = "current_thread")]
async fn a_partial_fill_that_never_gets_its_rest_is_kept_and_said() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    let part = "0.4".parse().unwrap();
    stage.troubles("SPY", 1, OrderTrouble::PartialThenStop { part });
    stage.troubles("SPY", ALL, OrderTrouble::NeverFilled);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Partial);
    assert_eq!(told.sleeves(), "a: BIL 490, SPY 39");
    assert_eq!(told.errors(), ["TRADING order-not-filled"]);
    assert_eq!(stage.account(), "BIL 490, SPY 39, $31500");
}

#[tokio::test(flavor = "current_thread")]
async fn a_refused_order_costs_nothing_but_itself() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    let on = On::new(Method::Post, "/v2/orders").containing("SPY");
    let trouble = Trouble::Status { status: 422, effect: Effect::None };
    stage.world.fault(Fault::request(on, trouble));
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Partial);
    assert_eq!(stage.orders(), ["buy BIL 490 #1 filled 490"], "a refusal is not tried again");
    assert_eq!(told.sleeves(), "a: BIL 490");
    assert_eq!(told.errors(), ["TRADING order-not-filled"]);
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_rejected_after_it_was_accepted_costs_nothing_but_itself() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.troubles("SPY", 1, OrderTrouble::RejectedLater);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Partial);
    assert_eq!(stage.orders(), ["buy BIL 490 #1 filled 490", "buy SPY 98 #1 rejected 0"]);
    assert_eq!(told.errors(), ["TRADING order-not-filled"]);
}

#[tokio::test(flavor = "current_thread")]
async fn three_rejections_end_the_sending() {
    let stage = Stage::new().plays("a", "1", "SPY 0.2, BIL 0.2, QQQ 0.2, GLD 0.2, TLT 0.2");
    for symbol in ["BIL", "GLD", "QQQ"] {
        stage.troubles(symbol, 1, OrderTrouble::RejectedLater);
    }
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Failed);
    assert_eq!(
        stage.orders(),
        [
            "buy BIL 196 #1 rejected 0",
            "buy GLD 98 #1 rejected 0",
            "buy QQQ 49 #1 rejected 0",
            "buy SPY 39.2 #1 canceled 0",
            "buy TLT 245 #1 canceled 0",
        ]
    );
    assert!(told.errors().contains(&"CRITICAL many-rejections".to_owned()), "{:?}", told.errors());
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_executed_before_its_answer_arrives_is_seen() {
    let at_once = Duration::ZERO;
    let fills = Fills { delay: at_once, inside_spread: 1.0, partial: 0.0 };
    let rules = Rules { acknowledge: at_once, fills, ..Rules::default() };
    let stage = Stage::furnished(|world| world.rules(rules)).rule("urgency = \"high\"");
    let stage = stage.plays("a", "1", "SPY 0.5, BIL 0.5");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.account(), "BIL 490, SPY 98, $1980.4");
}

#[tokio::test(flavor = "current_thread")]
async fn a_stream_that_cannot_be_opened_dies_or_is_mute_changes_nothing() {
    use StreamTrouble::{CutAfter, Mute, Refused};
    for trouble in [Refused, Mute, CutAfter(0), CutAfter(1), CutAfter(3)] {
        let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
        stage.world.fault(Fault::Stream(trouble));
        let told = stage.run().await;
        assert_eq!(told.verdict(), Verdict::Done, "{trouble:?}");
        stage.next_session();
        stage.wants("a", "SPY 0.2, BIL 0.8");
        let told = stage.run().await;
        assert_eq!(told.verdict(), Verdict::Done, "{trouble:?}");
        assert_eq!(stage.account(), "BIL 784, SPY 39.2, $2000", "{trouble:?}");
        assert_eq!(told.incidents(), [""; 0], "{trouble:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_symbol_halted_a_moment_ago_is_tried_and_left() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.world.halt("SPY");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Partial);
    assert_eq!(told.sleeves(), "a: BIL 490");
    assert_eq!(told.errors(), ["TRADING order-not-filled"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_symbol_halted_since_yesterday_is_skipped_and_said() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.world.halt("SPY");
    stage.next_session();
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.orders(), ["buy BIL 490 #1 filled 490"]);
    assert_eq!(told.errors(), ["DATA quote-unusable"]);
}

#[tokio::test(flavor = "current_thread")]
async fn an_asset_that_trades_whole_is_ordered_whole() {
    let stage = Stage::furnished(|world| world.non_fractionable("QQQ").price("QQQ", "410"));
    let mut stage = stage.plays("a", "1", "QQQ 0.5, BIL 0.5");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.account(), "BIL 490, QQQ 119, $2210");
    stage.next_session();
    stage.wants("a", "BIL");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(told.outcomes()[0], "sell QQQ 119 of 119");
}

#[tokio::test(flavor = "current_thread")]
async fn an_asset_that_turns_out_to_trade_whole_is_ordered_again_under_the_same_name() {
    let stage = Stage::furnished(|world| world.non_fractionable("QQQ").price("QQQ", "410"));
    let stage = stage.plays("a", "1", "QQQ 0.5, BIL 0.5");
    let says = |body: String| body.replace("\"fractionable\":false", "\"fractionable\":true");
    let on = On::new(Method::Get, "/v2/assets/QQQ");
    stage.world.fault(Fault::request(on, Trouble::Rewrite(std::sync::Arc::new(says))));
    let told = stage.run().await;
    assert_eq!(
        stage.orders(),
        ["buy BIL 490 #1 filled 490", "buy QQQ 119 #1 filled 119"],
        "the same attempt, whole"
    );
    assert_eq!(told.sleeves(), "a: BIL 490, QQQ 119");
}

#[tokio::test(flavor = "current_thread")]
async fn a_full_exit_leaves_no_dust() {
    let stage = Stage::furnished(|world| world.position("GLD", "3.123456789"));
    let stage = stage.rule("adopt = [\"GLD\"]").plays("a", "1", "SPY 0.5, BIL 0.5");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.orders()[0], "sell GLD 3.123456789 #1 filled 3.123456789");
    assert_eq!(stage.world.position("GLD"), Decimal::ZERO);
    assert_eq!(told.sleeves(), "a: BIL 493.060980153, SPY 98.61219603");
}

#[tokio::test(flavor = "current_thread")]
async fn a_rest_below_the_smallest_order_is_dust_and_the_run_is_good() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.501, BIL 0.499");
    let most = OrderTrouble::PartialThenStop { part: "0.99999".parse().unwrap() };
    stage.troubles("SPY", 1, most); // 49 cents are left
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::Done, vec![]));
    assert_eq!(
        stage.orders(),
        ["buy BIL 489.02 #1 filled 489.02", "buy SPY 98.196 #1 canceled 98.19501804"]
    );
    let note = told.report().execution.buys[1].shortfall.clone();
    let words = "the last 0.00098196 shares are worth less than the broker's smallest order of $1";
    assert_eq!(note.as_deref(), Some(words));
    assert!(told.report().summary.contains("2 of 2 orders filled"), "{}", told.report().summary);
    let subject = stage.post.subjects().pop().unwrap();
    assert!(subject.contains("OK") && subject.contains("2/2 filled"), "{subject}");
    assert!(stage.post.last().contains("0.00098196"), "the letter names it");
    stage.next_session();
    let told = stage.run().await;
    assert_eq!((told.verdict(), told.errors()), (Verdict::NothingToDo, vec![]), "nobody is due");
}

#[tokio::test(flavor = "current_thread")]
async fn a_rest_of_a_dollar_and_more_is_still_ordered() {
    let stage = Stage::new().plays("a", "1", "SPY 0.501, BIL 0.499");
    let most = OrderTrouble::PartialThenStop { part: "0.9999".parse().unwrap() };
    stage.troubles("SPY", 1, most); // 4.90 dollars are left
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.world.position("SPY"), "98.196".parse().unwrap());
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_that_fills_while_it_is_cancelled_is_not_sent_again() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.troubles("SPY", 1, OrderTrouble::FilledOnCancel);
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.orders(), ["buy BIL 490 #1 filled 490", "buy SPY 98 #1 filled 98"]);
}

#[tokio::test(flavor = "current_thread")]
async fn an_order_nobody_meets_walks_the_whole_ladder_and_is_met_at_the_touch() {
    let stage =
        Stage::furnished(|world| world.fills(Fills::plain())).plays("a", "1", "SPY 0.5, BIL 0.5");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    let tried: Vec<String> = stage.orders().into_iter().filter(|o| o.contains("SPY")).collect();
    assert_eq!(
        tried,
        [
            "buy SPY 98 #1 canceled 0",
            "buy SPY 98 #2 canceled 0",
            "buy SPY 98 #3 canceled 0",
            "buy SPY 98 #4 filled 98",
        ]
    );
    assert_eq!(stage.account(), "BIL 490, SPY 98, $1980.4", "at the ask, not at the limit");
}

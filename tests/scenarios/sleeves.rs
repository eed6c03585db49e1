//! Who owns what: shared symbols, crossings, foreign shares, failures.

use alchemiser::domain::report::Verdict;

use crate::stage::{Stage, symphony};

#[tokio::test(flavor = "current_thread")]
async fn a_sleeve_that_leaves_a_shared_symbol_sells_only_its_own_part() {
    let mut stage = Stage::new().plays("a", "0.5", "SPY").plays("b", "0.5", "SPY");
    let told = stage.run().await;
    assert_eq!(told.sleeves(), "a: SPY 98 | b: SPY 98");
    assert_eq!(stage.orders(), ["buy SPY 196 #1 filled 196"], "one order for both");
    stage.next_session();
    stage.wants("b", "BIL");
    let told = stage.run().await;
    assert_eq!(stage.orders_today(), ["sell SPY 98 #1 filled 98", "buy BIL 490 #1 filled 490"]);
    assert_eq!(told.sleeves(), "a: SPY 98 | b: BIL 490");
}

#[tokio::test(flavor = "current_thread")]
async fn sleeves_that_swap_their_shares_send_no_order() {
    let mut stage = Stage::new().plays("a", "0.5", "SPY").plays("b", "0.5", "BIL");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "BIL");
    stage.wants("b", "SPY");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::NothingToDo);
    assert_eq!(stage.orders_today(), [""; 0]);
    assert_eq!(told.sleeves(), "a: BIL 490 | b: SPY 98");
    assert_eq!(told.report().plan.as_ref().unwrap().crossings.len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn what_does_not_cross_is_one_order_on_one_side() {
    let mut stage = Stage::new().plays("a", "0.5", "SPY").plays("b", "0.5", "BIL");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "BIL");
    stage.wants("b", "SPY 0.5, BIL 0.5");
    let told = stage.run().await;
    assert_eq!(stage.orders_today(), ["sell SPY 49 #1 filled 49", "buy BIL 245 #1 filled 245"]);
    assert_eq!(told.sleeves(), "a: BIL 490 | b: BIL 245, SPY 49");
}

#[tokio::test(flavor = "current_thread")]
async fn a_strategy_that_fails_is_held_and_the_mail_says_so() {
    let mut stage = Stage::new().plays("a", "0.6", "SPY").plays("b", "0.4", "BIL");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "GLD");
    stage.says("b", "(defsymphony");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(told.sleeves(), "a: GLD 294 | b: BIL 392");
    assert_eq!(told.errors(), ["STRATEGY strategy-failed"]);
    assert!(stage.post.last().contains("strategy-failed"), "{}", stage.post.last());
    assert_eq!(
        stage.post.subjects()[1],
        "[PAPER OK] 23 Nov open: 2/2 filled, 1 incident, turnover 60%, $100,000 (0.0%)"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_strategy_without_data_is_held_too() {
    let mut stage = Stage::new().plays("a", "0.6", "SPY").plays("b", "0.4", "BIL");
    stage.run().await;
    stage.next_session();
    let text = "(defsymphony \"b\" {} (if (> (rsi \"TLT\" {:window 10}) 50) (asset \"TLT\") (asset \"BIL\")))";
    stage.says("b", text);
    stage.world.end_bars("TLT", Some("2026-11-18".parse().unwrap()));
    stage.wants("a", "GLD");
    let told = stage.run().await;
    assert_eq!(told.sleeves(), "a: GLD 294 | b: BIL 392");
    assert_eq!(told.errors(), ["DATA strategy-data"]);
}

#[tokio::test(flavor = "current_thread")]
async fn when_most_of_the_allocation_fails_nothing_is_traded() {
    let mut stage = Stage::new().plays("a", "0.4", "SPY").plays("b", "0.6", "BIL");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "GLD");
    stage.says("b", "(defsymphony");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Blocked);
    assert_eq!(stage.orders_today(), [""; 0]);
    assert_eq!(told.errors(), ["CRITICAL gate-failed-allocation", "STRATEGY strategy-failed"]);
    assert_eq!(told.sleeves(), "no ledger");
    stage.wants("b", "BIL");
    stage.next_session();
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done, "a blocked day costs nothing but itself");
    assert_eq!(told.sleeves(), "a: GLD 196 | b: BIL 588");
}

#[tokio::test(flavor = "current_thread")]
async fn foreign_shares_are_never_touched() {
    let stage = Stage::furnished(|world| world.position("SPY", "7.5").position("TLT", "11"));
    let mut stage = stage.rule("adopt = false").plays("a", "1", "SPY 0.5, BIL 0.5");
    let told = stage.run().await;
    assert_eq!(told.sleeves(), "a: BIL 490, SPY 98 | foreign: SPY 7.5, TLT 11");
    stage.next_session();
    stage.wants("a", "GLD 0.5, BIL 0.5");
    let told = stage.run().await;
    assert_eq!(stage.orders_today(), ["sell SPY 98 #1 filled 98", "buy GLD 245 #1 filled 245"]);
    assert_eq!(told.sleeves(), "a: BIL 490, GLD 245 | foreign: SPY 7.5, TLT 11");
    assert_eq!(stage.account(), "BIL 490, GLD 245, SPY 7.5, TLT 11, $2000");
}

#[tokio::test(flavor = "current_thread")]
async fn a_foreign_open_order_blocks_its_symbol_and_nothing_else() {
    let stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.works_by_hand("SPY", "buy", "2", "450").await;
    let told = stage.run().await;
    assert_eq!(
        stage.orders(),
        ["buy SPY 2 by hand new 0", "buy BIL 485.59 #1 filled 485.59"],
        "the foreign order keeps its money"
    );
    assert_eq!(told.incidents(), ["WARNING foreign-order"]);
    assert_eq!(told.sleeves(), "a: BIL 485.59");
}

#[tokio::test(flavor = "current_thread")]
async fn shares_found_at_the_first_run_must_be_decided_on() {
    let stage = Stage::furnished(|world| world.position("SPY", "10").position("TLT", "3"));
    let stage = stage.plays("a", "1", "SPY 0.5, BIL 0.5");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Blocked);
    assert_eq!(told.errors(), ["CONFIGURATION adopt-undecided"]);
    assert_eq!(stage.orders(), [""; 0]);
    assert!(stage.post.last().contains("adopt"), "the mail says how to decide");
}

#[tokio::test(flavor = "current_thread")]
async fn a_decision_on_adoption_made_later_counts() {
    let stage = Stage::furnished(|world| world.position("SPY", "10").position("TLT", "3"));
    let mut stage = stage.plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    stage.next_session();
    stage.changes_rule("adopt = true");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(stage.orders(), ["buy BIL 514.5 #1 filled 514.5", "buy SPY 92.9 #1 filled 92.9"]);
    assert_eq!(told.sleeves(), "a: BIL 514.5, SPY 102.9 | foreign: TLT 3");
}

#[tokio::test(flavor = "current_thread")]
async fn listed_shares_are_adopted_once_and_others_stay_foreign() {
    let stage = Stage::furnished(|world| world.position("SPY", "10").position("TLT", "100"));
    let stage = stage.rule("adopt = [\"TLT\"]").plays("a", "1", "SPY 0.5, BIL 0.5");
    let told = stage.run().await;
    assert_eq!(stage.orders()[0], "sell TLT 100 #1 filled 100", "nobody wants it");
    assert_eq!(told.sleeves(), "a: BIL 529.2, SPY 105.84 | foreign: SPY 10");
}

#[tokio::test(flavor = "current_thread")]
async fn a_strategy_taken_out_of_the_policy_passes_its_shares_on_or_sells_them() {
    let mut stage = Stage::new().plays("a", "0.5", "SPY").plays("b", "0.5", "SPY 0.5, GLD 0.5");
    stage.run().await;
    stage.next_session();
    stage.allocates(&[("a", "1")]);
    let told = stage.run().await;
    assert_eq!(
        stage.orders_today(),
        ["sell GLD 122.5 #1 filled 122.5", "buy SPY 49 #1 filled 49"],
        "its SPY goes over without an order"
    );
    assert_eq!(told.sleeves(), "a: SPY 196");
}

#[tokio::test(flavor = "current_thread")]
async fn a_weekly_strategy_waits_for_its_week() {
    let mut stage = Stage::new().plays("a", "0.5", "SPY").plays("b", "0.5", "BIL");
    stage.says("b", &symphony("{:rebalance-frequency :weekly}", "BIL"));
    stage.goes_to("2026-11-23".parse().unwrap()); // a Monday
    stage.run().await;
    stage.next_session();
    stage.world.set_price("BIL", "110");
    let told = stage.run().await;
    assert_eq!(told.sleeves(), "a: SPY 98 | b: BIL 490", "the other half grew and it waits");
    stage.goes_to("2026-11-30".parse().unwrap());
    stage.world.set_price("BIL", "110");
    let told = stage.run().await;
    assert_eq!(told.verdict(), Verdict::Done);
    assert_eq!(told.sleeves(), "a: SPY 102.802 | b: BIL 467.281818181");
}

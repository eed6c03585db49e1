//! The rules of capital, sleeves and the plan, each by a small account that shows it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod books;
#[path = "../money/mod.rs"]
mod money;
mod plan_edges;
mod sleeve_edges;

use std::collections::BTreeSet;

use alchemiser::domain::account::{AccountBlock, ActivityKind, AssetId};
use alchemiser::domain::execution::{Attempt, Execution, OrderOutcome};
use alchemiser::domain::incident::Category;
use alchemiser::domain::money::{Shares, Usd};
use alchemiser::domain::order::{AttemptState, ClientOrderId, OrderStatus, Side};
use alchemiser::domain::plan::fund::fund;
use alchemiser::domain::plan::{
    Action, BuyPlan, DueReason, HeldReason, HoldReason, RebalancePlan, SkipReason, SleeveState,
};
use alchemiser::domain::policy::{Adopt, ConflictRule};
use alchemiser::domain::report::EquityPoint;
use alchemiser::domain::risk::{ApprovedPlan, Demand, Permit, Usage, restore};
use alchemiser::domain::sleeve::fold::{LedgerError, carry_forward};
use alchemiser::domain::sleeve::settle::settle;
use alchemiser::domain::snapshot::{Past, Splits};
use alchemiser::domain::strategy::Rebalance;
use jiff::civil::date;
use money::{
    Puppet, TODAY, World, act, after, item, name, order, orders, price, shares, sleeve_shares,
    symbol, usd, weight,
};
use rust_decimal::Decimal;

fn codes(world: &World) -> Vec<String> {
    world.decide().incidents.into_iter().map(|incident| incident.code).collect()
}

fn state(world: &World, who: &str) -> SleeveState {
    let plan = world.decide().drafted.unwrap();
    plan.sleeves.iter().find(|sleeve| sleeve.strategy.as_str() == who).unwrap().state.clone()
}

fn full(_: &alchemiser::domain::symbol::Symbol, _: Side, planned: Shares) -> Shares {
    planned
}

// The whole, worked out by hand.

#[test]
fn a_first_run_from_cash_buys_what_pencil_and_paper_say() {
    let mut world = World::new("100000");
    world.market("TQQQ", "80").market("TECL", "120");
    world.strategy("nuclear", "0.3", &[("TQQQ", "1")]);
    world.strategy("tecl", "0.5", &[("TECL", "1")]);
    world.failing("klm", "0.2");
    let decision = world.decide();
    let plan = decision.plan.as_ref().unwrap().plan();
    let capital = &plan.capital;
    assert_eq!(capital.equity, usd("100000"));
    assert_eq!(capital.reserve, usd("2000"));
    assert_eq!(capital.deployable, usd("98000"));
    assert_eq!(capital.resize_min, usd("250"));
    assert_eq!((capital.held, capital.scale), (Usd::ZERO, Decimal::ONE));
    let sleeves: Vec<String> = plan
        .sleeves
        .iter()
        .map(|s| format!("{} {} {:?}", s.strategy, s.capital, s.state))
        .collect();
    assert_eq!(
        sleeves,
        ["nuclear 29400 Due(FirstTime)", "tecl 49000 Due(FirstTime)", "klm 19600 Held(Failed)"]
    );
    assert_eq!(orders(plan), ["buy 408.333333333 TECL", "buy 367.5 TQQQ"]);
    let acted = act(&world, &decision, &mut full);
    let limits: Vec<String> = acted
        .buy_plan
        .items
        .iter()
        .map(|i| format!("{} {} worst {}", i.symbol, i.shares, i.worst_limit))
        .collect();
    assert_eq!(limits, ["TECL 408.333333333 worst 121.8", "TQQQ 367.5 worst 81.2"]);
    assert_eq!(acted.buy_plan.cuts, []);
    assert_eq!(acted.cash, usd("21600.00000004"));
    assert_eq!(sleeve_shares(&acted.ledger, "nuclear", "TQQQ"), shares("367.5"));
    assert_eq!(sleeve_shares(&acted.ledger, "tecl", "TECL"), shares("408.333333333"));
    assert_eq!(decision.incidents.len(), 1);
    assert_eq!(decision.incidents[0].code, "strategy-failed");
}

// Capital.

#[test]
fn the_reserve_is_the_largest_of_its_three_sources() {
    let mut world = World::new("4000");
    world.market("SPY", "100").strategy("a", "1", &[("SPY", "0.5")]);
    assert_eq!(world.plan().capital.reserve, usd("100"));
    world.policy.keep_cash = usd("700");
    assert_eq!(world.plan().capital.reserve, usd("700"));
    world.policy.keep_cash = Usd::ZERO;
    world.policy.reserve = weight("0.1");
    assert_eq!(world.plan().capital.reserve, usd("400"));
}

#[test]
fn the_capital_limit_bounds_the_equity_managed() {
    let mut world = World::new("100000");
    world.market("SPY", "100").strategy("a", "1", &[("SPY", "0.5")]);
    world.policy.capital_limit = Some(usd("50000"));
    assert_eq!(orders(&world.plan()), ["buy 245 SPY"]);
}

#[test]
fn foreign_open_buys_and_foreign_shares_are_not_ours_to_spend() {
    let mut world = World::new("20000");
    world.market("SPY", "100").market("VTI", "200").strategy("a", "1", &[("SPY", "0.5")]);
    world.foreign("VTI", "50").foreign_order("VTI", Side::Buy, "10");
    world.snapshot.orders[0].limit = Some(price("210"));
    world.snapshot.orders[0].filled = shares("2");
    let plan = world.plan();
    assert_eq!(plan.capital.foreign_open_buys, usd("1680"));
    assert_eq!(plan.capital.equity, usd("18320"));
    assert_eq!(plan.capital.foreign, usd("10000"));
}

#[test]
fn a_foreign_order_of_unknown_amount_stops_everything() {
    let mut world = World::new("20000");
    world.market("SPY", "100").market("VTI", "200").strategy("a", "1", &[("SPY", "0.5")]);
    world.foreign_order("VTI", Side::Buy, "10");
    world.snapshot.orders[0].shares = None;
    assert_eq!(codes(&world), ["foreign-order-unsized"]);
}

#[test]
fn an_unusable_quote_is_replaced_for_valuing_only() {
    let mut world = World::new("10000");
    world.market("SPY", "100").market("QQQ", "50");
    world.strategy("a", "1", &[("SPY", "0.5")]).holds("a", "QQQ", "100");
    world.no_quote("QQQ").revalue();
    let plan = world.plan();
    assert_eq!(plan.capital.sleeves, usd("5000"));
    assert!(matches!(item(&plan, "QQQ").action, Action::Skip(SkipReason::UnusableQuote(_))));
}

#[test]
fn a_held_symbol_without_any_price_stops_everything() {
    let mut world = World::new("10000");
    world.market("SPY", "100").strategy("a", "1", &[("SPY", "0.5")]).holds("a", "QQQ", "100");
    assert_eq!(codes(&world), ["price-missing"]);
}

#[test]
fn due_sleeves_shrink_when_held_ones_take_more_than_their_share() {
    let mut world = World::new("2000");
    world.market("SPY", "100").market("QQQ", "100");
    world.strategy("a", "0.6", &[("SPY", "0.5")]).failing("b", "0.4");
    world.holds("b", "QQQ", "80");
    let plan = world.plan();
    // E 10,000, D 9,800, H 8,000: 1,800 are left for a claim of 5,880.
    assert_eq!(plan.capital.held, usd("8000"));
    assert_eq!(plan.capital.scale, "0.306122448979".parse::<Decimal>().unwrap());
    assert_eq!(plan.sleeves[0].capital, usd("1800"));
    assert_eq!(orders(&plan), ["buy 9 SPY"]);
}

#[test]
fn held_sleeves_beyond_all_capital_leave_nothing_to_the_due() {
    let mut world = World::new("100");
    world.market("SPY", "100").market("QQQ", "100");
    world.strategy("a", "0.6", &[("SPY", "1")]).failing("b", "0.4").holds("b", "QQQ", "99");
    let plan = world.plan();
    assert_eq!(plan.sleeves[0].capital, Usd::ZERO);
    assert_eq!(orders(&plan), Vec::<String>::new());
}

// Due and held.

#[test]
fn a_daily_sleeve_is_due_in_every_session_and_generation() {
    let mut world = World::new("10000");
    world.market("SPY", "100").strategy("a", "1", &[("SPY", "0.5")]);
    assert_eq!(state(&world, "a"), SleeveState::Due(DueReason::FirstTime));
    world.rebalanced("a", TODAY);
    world.key.generation = 1;
    assert_eq!(state(&world, "a"), SleeveState::Due(DueReason::EverySession));
}

#[test]
fn longer_frequencies_are_due_when_the_period_changes() {
    let mut world = World::new("10000");
    world.market("SPY", "100").strategy("a", "1", &[("SPY", "0.5")]);
    let held = SleeveState::Held(HeldReason::NotDue);
    let due = SleeveState::Due(DueReason::NewPeriod);
    for (rule, inside, outside) in [
        (Rebalance::Weekly, date(2026, 11, 16), date(2026, 11, 15)),
        (Rebalance::Monthly, date(2026, 11, 2), date(2026, 10, 30)),
        (Rebalance::Quarterly, date(2026, 10, 1), date(2026, 9, 30)),
        (Rebalance::Yearly, date(2026, 1, 2), date(2025, 11, 20)),
    ] {
        world.rebalances("a", rule).rebalanced("a", inside);
        assert_eq!(state(&world, "a"), held, "{rule:?}");
        world.rebalanced("a", outside);
        assert_eq!(state(&world, "a"), due, "{rule:?}");
    }
}

#[test]
fn a_threshold_sleeve_is_due_for_a_new_symbol_a_leftover_or_a_drift() {
    let mut world = World::new("4000");
    world.market("SPY", "100").market("QQQ", "100").market("TLT", "100");
    world.strategy("a", "1", &[("SPY", "0.5"), ("QQQ", "0.5")]);
    world.rebalances("a", Rebalance::Threshold(weight("0.1"))).rebalanced("a", TODAY);
    world.holds("a", "SPY", "29").holds("a", "QQQ", "29");
    // E 9,800, D 9,604: each weighs 0.302, and 0.396 is not invested.
    assert_eq!(state(&world, "a"), SleeveState::Due(DueReason::Drift(symbol("SPY"))));
    world.holds("a", "SPY", "19").holds("a", "QQQ", "19");
    world.snapshot.account.cash = usd("200");
    world.revalue();
    assert_eq!(state(&world, "a"), SleeveState::Held(HeldReason::NotDue));
    world.holds("a", "TLT", "0.3");
    assert_eq!(state(&world, "a"), SleeveState::Due(DueReason::Leftover(symbol("TLT"))));
    let mut newer = world.clone();
    newer.known().ledger.sleeves.get_mut(&name("a")).unwrap().last.as_mut().unwrap().named =
        BTreeSet::from([symbol("SPY")]);
    assert_eq!(state(&newer, "a"), SleeveState::Due(DueReason::NewSymbol(symbol("QQQ"))));
}

#[test]
fn uninvested_capital_is_a_weight_too() {
    let mut world = World::new("5000");
    world.market("SPY", "100").strategy("a", "1", &[("SPY", "0.6")]);
    world.rebalances("a", Rebalance::Threshold(weight("0.09"))).rebalanced("a", TODAY);
    world.holds("a", "SPY", "50");
    // D 9,800: SPY weighs 0.5102, its target is 0.0898 away; 0.4898 is free, 0.0898 too much.
    assert_eq!(state(&world, "a"), SleeveState::Held(HeldReason::NotDue));
    world.snapshot.account.cash = usd("5100");
    world.revalue();
    assert_eq!(state(&world, "a"), SleeveState::Due(DueReason::Drift(symbol("SPY"))));
}

#[test]
fn a_changed_allocation_or_strategy_and_an_unfinished_rebalance_make_a_sleeve_due() {
    let mut world = World::new("10000");
    world.market("SPY", "100").strategy("a", "1", &[("SPY", "0.5")]);
    world.rebalances("a", Rebalance::Monthly).rebalanced("a", TODAY);
    let last = |world: &mut World, change: &dyn Fn(&mut _)| {
        let sleeve = world.known().ledger.sleeves.get_mut(&name("a")).unwrap();
        change(sleeve.last.as_mut().unwrap());
    };
    let with = |change: &dyn Fn(&mut alchemiser::domain::sleeve::ledger::LastRebalance)| {
        let mut changed = world.clone();
        last(&mut changed, change);
        state(&changed, "a")
    };
    let due = SleeveState::Due;
    assert_eq!(with(&|l| l.allocation = weight("0.9")), due(DueReason::AllocationChanged));
    assert_eq!(with(&|l| l.strategy_hash = "x".into()), due(DueReason::StrategyChanged));
    assert_eq!(with(&|l| l.unfinished = 5), due(DueReason::Unfinished));
    assert_eq!(with(&|l| l.unfinished = 6), SleeveState::Held(HeldReason::NotDue));
}

#[test]
fn a_failed_strategy_is_never_a_reason_to_sell() {
    let mut world = World::new("10000");
    world.market("SPY", "100").market("QQQ", "100");
    world.strategy("a", "0.6", &[("SPY", "0.5")]).failing("b", "0.4").holds("b", "QQQ", "10");
    let plan = world.plan();
    assert_eq!(item(&plan, "QQQ").action, Action::Hold(HoldReason::SleeveHeld));
}

#[test]
fn more_than_half_of_the_allocation_failed_means_no_orders() {
    let mut world = World::new("10000");
    world.market("SPY", "100").strategy("a", "0.5", &[("SPY", "0.5")]).failing("b", "0.5");
    assert!(world.decide().plan.is_some());
    world.of("a").allocation = weight("0.49");
    world.of("b").allocation = weight("0.51");
    assert_eq!(codes(&world), ["strategy-failed", "gate-failed-allocation"]);
}

#[test]
fn an_empty_or_invalid_signal_is_a_failure() {
    let mut world = World::new("10000");
    world.market("SPY", "100").strategy("a", "0.5", &[("SPY", "1")]);
    world.strategy("b", "0.5", &[("SPY", "1")]);
    let failed = |change: &dyn Fn(&mut Puppet)| {
        let mut world = world.clone();
        change(world.of("b"));
        state(&world, "b") == SleeveState::Held(HeldReason::Failed)
    };
    assert!(!failed(&|_| ()));
    assert!(failed(&|b| b.says.as_mut().unwrap().weights.clear()));
    assert!(failed(&|b| b.says.as_mut().unwrap().cash = weight("0.1")));
    assert!(failed(&|b| b.says.as_mut().unwrap().as_of = date(2026, 11, 18)));
    assert!(failed(&|b| b.needs.nameable.clear()));
}

#[test]
fn all_cash_said_explicitly_sells_everything() {
    let mut world = World::new("1000");
    world.market("SPY", "100").strategy("a", "1", &[]).holds("a", "SPY", "90");
    assert_eq!(orders(&world.plan()), ["sell 90 SPY"]);
}

// Targets and minimums.

#[test]
fn exits_have_no_minimum_entries_need_five_dollars_and_resizes_need_m() {
    let mut world = World::new("10000");
    for ticker in ["EXIT", "TINY", "ENTER", "SMALL", "LARGE"] {
        world.market(ticker, "10");
    }
    // D 9,800 after E 10,000 (m 25): 0.0005 of it is 4.90, 0.0006 is 5.88.
    world.strategy(
        "a",
        "1",
        &[("TINY", "0.0005"), ("ENTER", "0.0006"), ("SMALL", "0.05"), ("LARGE", "0.05")],
    );
    world.snapshot.account.cash = usd("9069");
    world.holds("a", "EXIT", "0.6").holds("a", "SMALL", "46.51").holds("a", "LARGE", "45.99");
    let plan = world.plan();
    assert_eq!(plan.capital.equity, usd("10000"));
    assert_eq!(orders(&plan), ["buy 0.588 ENTER", "sell 0.6 EXIT", "buy 3.01 LARGE"]);
    assert_eq!(item(&plan, "SMALL").action, Action::Hold(HoldReason::BelowResize));
}

#[test]
fn blocked_symbols_use_up_their_own_sleeves_capital_first() {
    let mut world = World::new("6000");
    world.market("SPY", "100").market("QQQ", "100").market("OLD", "100");
    world.strategy("a", "0.5", &[("SPY", "1")]).strategy("b", "0.5", &[("QQQ", "1")]);
    world.holds("a", "OLD", "40");
    world.no_quote("OLD").revalue();
    // D 9,800, each may use 4,900. The exit of OLD is blocked: 900 are left for SPY.
    let plan = world.plan();
    assert_eq!(orders(&plan), ["buy 49 QQQ", "buy 9 SPY"]);
    assert_eq!(plan.sleeves[0].waiting, BTreeSet::from([symbol("OLD")]));
}

#[test]
fn a_blocked_entry_leaves_its_money_in_cash() {
    let mut world = World::new("10000");
    world.market("SPY", "100").market("QQQ", "100");
    world.strategy("a", "1", &[("SPY", "0.5"), ("QQQ", "0.5")]);
    world.no_quote("QQQ");
    let plan = world.plan();
    assert_eq!(orders(&plan), ["buy 49 SPY"]);
    assert!(matches!(item(&plan, "QQQ").action, Action::Skip(SkipReason::UnusableQuote(_))));
    assert_eq!(codes(&world), ["quote-unusable"]);
}

#[test]
fn what_may_not_trade_is_skipped_with_its_reason() {
    let blocked = |block: &dyn Fn(&mut World)| {
        let mut world = World::new("9000");
        world.market("SPY", "100").market("QQQ", "100");
        world.strategy("a", "1", &[("QQQ", "0.6"), ("SPY", "0.3")]).holds("a", "SPY", "10");
        block(&mut world);
        item(&world.plan(), "SPY").action.clone()
    };
    assert!(matches!(blocked(&|_| ()), Action::Buy(_)));
    let not_tradable = |world: &mut World| {
        world.snapshot.assets.get_mut(&symbol("SPY")).unwrap().tradable = false;
    };
    assert_eq!(blocked(&not_tradable), Action::Skip(SkipReason::NotTradable));
    let foreign = |world: &mut World| {
        world.foreign_order("SPY", Side::Sell, "1");
    };
    assert_eq!(blocked(&foreign), Action::Skip(SkipReason::ForeignOrder));
    let reserved = |world: &mut World| {
        world.snapshot.positions.get_mut(&symbol("SPY")).unwrap().available = shares("9");
    };
    assert_eq!(blocked(&reserved), Action::Skip(SkipReason::ForeignOrder));
}

#[test]
fn a_move_beyond_forty_percent_is_a_split_until_the_broker_says_otherwise() {
    let mut world = World::new("9000");
    world.market("SPY", "100").strategy("a", "1", &[("SPY", "0.5")]).holds("a", "SPY", "10");
    world.close("SPY", "200");
    world.snapshot.splits = Splits::Unknown;
    assert_eq!(item(&world.plan(), "SPY").action, Action::Skip(SkipReason::SplitSuspect));
    world.snapshot.splits = Splits::Listed(BTreeSet::new());
    assert!(matches!(item(&world.plan(), "SPY").action, Action::Buy(_)));
    world.snapshot.splits = Splits::Listed(BTreeSet::from([symbol("SPY")]));
    assert_eq!(item(&world.plan(), "SPY").action, Action::Skip(SkipReason::SplitSuspect));
    // Closes adjusted, but the position does not show the split yet.
    world.close("SPY", "100");
    assert_eq!(item(&world.plan(), "SPY").action, Action::Skip(SkipReason::SplitSuspect));
    let split = ActivityKind::Split { symbol: symbol("SPY"), new: shares("2"), old: shares("1") };
    world
        .known()
        .ledger
        .sleeves
        .get_mut(&name("a"))
        .unwrap()
        .shares
        .insert(symbol("SPY"), shares("5"));
    world.happened("split", "2026-11-20T05:00:00Z", split);
    assert!(matches!(item(&world.plan(), "SPY").action, Action::Buy(_)));
}

#[test]
fn no_symbol_outgrows_the_position_limit_and_all_wishes_shrink_alike() {
    let mut world = World::new("100000");
    world.market("TECL", "100").market("SPY", "100");
    world.strategy("a", "0.4", &[("TECL", "1")]).strategy("b", "0.6", &[("TECL", "1")]);
    let plan = world.plan();
    assert_eq!(orders(&plan), ["buy 600 TECL"]);
    let parts: Vec<String> =
        item(&plan, "TECL").parts.iter().map(|p| p.shares.to_string()).collect();
    assert_eq!(parts, ["240", "360"]);
    assert!(item(&plan, "TECL").reason.contains("cut to 61.2% by the position limit"));
}

// Crossing.

#[test]
fn the_smaller_side_is_met_in_full_and_the_rest_is_one_order() {
    let mut world = World::new("1000");
    world.market("SPY", "10").market("QQQ", "10");
    world.strategy("a", "0.5", &[("QQQ", "0.8")]).strategy("b", "0.5", &[("SPY", "1")]);
    world.holds("a", "SPY", "900");
    let plan = world.plan();
    // E 10,000: b wants 490 SPY of a's 900; the other 410 are sold.
    assert_eq!(orders(&plan), ["buy 392 QQQ", "sell 410 SPY"]);
    let crossing = &plan.crossings[0];
    assert_eq!(
        (crossing.from.as_str(), crossing.to.as_str(), crossing.shares),
        ("a", "b", shares("490"))
    );
    assert_eq!(sleeve_shares(&plan.ledger, "b", "SPY"), shares("490"));
    assert_eq!(sleeve_shares(&plan.ledger, "a", "SPY"), shares("410"));
    assert_eq!(plan.conflicts.len(), 1);
}

#[test]
fn the_larger_side_is_met_pro_rata() {
    let mut world = World::new("7000");
    world.market("SPY", "10").market("QQQ", "10");
    world.strategy("a", "0.4", &[("QQQ", "1")]);
    world.strategy("b", "0.4", &[("SPY", "1")]).strategy("c", "0.2", &[("SPY", "1")]);
    world.holds("a", "SPY", "300");
    let plan = world.plan();
    // b wants 392, c 196; a gives 300: 200 and 100.
    assert_eq!(sleeve_shares(&plan.ledger, "b", "SPY"), shares("200"));
    assert_eq!(sleeve_shares(&plan.ledger, "c", "SPY"), shares("100"));
    assert_eq!(orders(&plan), ["buy 392 QQQ", "buy 288 SPY"]);
    assert_eq!(item(&plan, "SPY").parts[0].shares, shares("192"));
}

#[test]
fn an_exits_remainder_below_m_passes_to_a_sleeve_that_keeps_the_symbol() {
    let mut world = World::new("1000");
    world.market("SPY", "10").market("QQQ", "10");
    world.strategy("a", "0.5", &[("QQQ", "0.5")]).strategy("b", "0.5", &[("SPY", "1")]);
    world.holds("a", "SPY", "492").holds("b", "QQQ", "408");
    // b wants 490 of a's 492; 2 shares are 20 dollars, below m of 25.
    let plan = world.plan();
    assert_eq!(item(&plan, "SPY").action, Action::Hold(HoldReason::Crossed));
    assert_eq!(sleeve_shares(&plan.ledger, "b", "SPY"), shares("492"));
    assert_eq!(sleeve_shares(&plan.ledger, "a", "SPY"), Shares::ZERO);
}

#[test]
fn an_exits_remainder_is_sold_when_nobody_has_room_for_it() {
    let mut world = World::new("4870");
    world.market("SPY", "10");
    world.strategy("a", "0.5", &[]).strategy("b", "0.5", &[("SPY", "1")]);
    world.policy.limits.position_max = weight("1");
    // E 10,000, m 25: b is 20 dollars above its 4,900 already, a leaves with 10.
    world.holds("a", "SPY", "1").holds("b", "SPY", "492");
    world.foreign("SPY", "1");
    world.snapshot.account.cash = usd("5070");
    world.revalue();
    assert_eq!(world.plan().capital.equity, usd("10000"));
    assert_eq!(orders(&world.plan()), ["sell 1 SPY"]);
}

#[test]
fn under_highest_confidence_the_less_sure_side_waits() {
    let mut world = World::new("1000");
    world.market("SPY", "10").market("QQQ", "10");
    world.strategy("a", "0.5", &[("QQQ", "0.8")]).strategy("b", "0.5", &[("SPY", "1")]);
    world.holds("a", "SPY", "900");
    world.policy.conflict = ConflictRule::HighestConfidence;
    world.confidence("a", 0.4).confidence("b", 0.2);
    let plan = world.plan();
    assert_eq!(orders(&plan), ["buy 392 QQQ", "sell 900 SPY"]);
    assert_eq!(plan.sleeves[1].waiting, BTreeSet::from([symbol("SPY")]));
    world.confidence("b", 0.6);
    let plan = world.plan();
    assert_eq!(orders(&plan), ["buy 392 QQQ"], "with a's 900, SPY is beyond the position limit");
    assert_eq!(plan.conflicts[0].outcome, "the sellers are less sure and wait");
    world.confidence("b", 0.4);
    assert_eq!(orders(&world.plan())[1], "sell 900 SPY", "a tie goes by the policy's order");
}

// Sizes.

#[test]
fn a_sale_of_the_entire_position_uses_the_brokers_quantity() {
    let mut world = World::new("1000");
    world.market("SPY", "100").strategy("a", "1", &[]).holds("a", "SPY", "7.227357679");
    assert_eq!(orders(&world.plan()), ["sell 7.227357679 SPY"]);
    world.whole_shares("SPY");
    assert_eq!(orders(&world.plan()), ["sell 7 SPY"]);
}

#[test]
fn an_entire_position_worth_less_than_an_order_is_sold_all_the_same() {
    let mut world = World::new("1000");
    world.market("SPY", "100").strategy("a", "1", &[]).holds("a", "SPY", "0.01");
    assert_eq!(orders(&world.plan()), ["sell 0.01 SPY"]);
    world.foreign("SPY", "1");
    let plan = world.plan();
    assert_eq!(item(&plan, "SPY").action, Action::Skip(SkipReason::Dust));
}

#[test]
fn foreign_shares_are_never_sold() {
    let mut world = World::new("1000");
    world.market("SPY", "100").strategy("a", "1", &[]).holds("a", "SPY", "5").foreign("SPY", "3");
    assert_eq!(orders(&world.plan()), ["sell 5 SPY"]);
}

#[test]
fn dust_is_shown_once_and_makes_nobody_due() {
    let mut world = World::new("1000");
    world.market("SPY", "100").market("QQQ", "100").whole_shares("SPY");
    world.strategy("a", "1", &[("QQQ", "0.5")]).holds("a", "SPY", "0.5").holds("a", "QQQ", "5.05");
    let decision = world.decide();
    let plan = decision.plan.as_ref().unwrap().plan();
    assert_eq!(item(plan, "SPY").action, Action::Skip(SkipReason::Dust));
    let acted = act(&world, &decision, &mut full);
    assert_eq!(acted.ledger.sleeves[&name("a")].last.as_ref().unwrap().finished, Some(TODAY));
    let mut next = after(&world, &acted);
    assert_eq!(item(&next.plan(), "SPY").action, Action::Hold(HoldReason::BelowResize));
    assert_eq!(codes(&next), Vec::<String>::new());
    next.rebalances("a", Rebalance::Threshold(weight("0.2")));
    assert_eq!(state(&next, "a"), SleeveState::Held(HeldReason::NotDue));
}

#[test]
fn whole_shares_are_rounded_down_and_less_than_one_is_skipped() {
    let mut world = World::new("10000");
    world.market("BIG", "900").market("HUGE", "6000").whole_shares("BIG").whole_shares("HUGE");
    world.strategy("a", "1", &[("BIG", "0.5"), ("HUGE", "0.5")]);
    let plan = world.plan();
    assert_eq!(orders(&plan), ["buy 5 BIG"]);
    assert_eq!(item(&plan, "HUGE").action, Action::Skip(SkipReason::WholeShares));
}

#[test]
fn an_order_is_at_most_a_part_of_the_median_days_volume() {
    let mut world = World::new("100000");
    world.market("THIN", "10").strategy("a", "1", &[("THIN", "0.5")]);
    world.close_with_volume("THIN", "10", Some(90_000.0));
    let plan = world.plan();
    assert_eq!(orders(&plan), ["buy 900 THIN"]);
    assert!(item(&plan, "THIN").reason.contains("median day's volume"));
}

// Buy plan.

#[test]
fn a_failed_sell_costs_only_its_own_sleeve() {
    let mut world = World::new("1000");
    for ticker in ["OLD", "NEW", "BACK", "FORTH"] {
        world.market(ticker, "10");
    }
    world.strategy("a", "0.5", &[("NEW", "1")]).strategy("b", "0.5", &[("FORTH", "1")]);
    world.holds("a", "OLD", "450").holds("b", "BACK", "450");
    let decision = world.decide();
    let acted =
        act(&world, &decision, &mut |symbol, side, planned| match (symbol.as_str(), side) {
            ("OLD", Side::Sell) => shares("100"),
            _ => planned,
        });
    let bought: Vec<String> =
        acted.buy_plan.items.iter().map(|i| format!("{} {}", i.shares, i.symbol)).collect();
    // a still holds 350 OLD: 1,400 of its 4,900 are left.
    assert_eq!(bought, ["490 FORTH", "140 NEW"]);
}

#[test]
fn buys_fit_the_cash_less_the_reserve_and_the_cash_at_their_worst_limits() {
    let mut world = World::new("10000");
    world.market("SPY", "100").market("QQQ", "50");
    world.strategy("a", "1", &[("SPY", "0.5"), ("QQQ", "0.5")]);
    let decision = world.decide();
    let plan = decision.plan.as_ref().unwrap();
    let buy = |cash: &str, policy: &alchemiser::domain::policy::Policy| {
        let bought = fund(plan, &[], usd(cash), policy);
        bought.items.iter().map(|i| format!("{} {}", i.shares, i.symbol)).collect::<Vec<_>>()
    };
    assert_eq!(buy("10000", &world.policy), ["98 QQQ", "49 SPY"]);
    // 5,100 less the reserve of 200 is half of the 9,800 wanted.
    assert_eq!(buy("5100", &world.policy), ["49 QQQ", "24.5 SPY"]);
    assert_eq!(buy("200", &world.policy), Vec::<String>::new());
    assert_eq!(buy("-5", &world.policy), Vec::<String>::new());
    // A collar so wide that the worst limit costs more than the reserve allows for.
    let mut wide = world.policy.clone();
    wide.limits.collar = "0.25".parse().unwrap();
    assert_eq!(buy("9800", &wide), ["78.4 QQQ", "39.2 SPY"]);
}

#[test]
fn a_buy_that_falls_below_its_minimum_is_dropped() {
    let mut world = World::new("10000");
    world.market("SPY", "100").market("QQQ", "50");
    world.strategy("a", "1", &[("SPY", "0.5"), ("QQQ", "0.001")]);
    let decision = world.decide();
    let plan = decision.plan.as_ref().unwrap();
    let bought = fund(plan, &[], usd("2700"), &world.policy);
    assert_eq!(bought.items.len(), 1);
    let dropped = bought.cuts.iter().find(|cut| cut.symbol == symbol("QQQ")).unwrap();
    assert_eq!((dropped.wanted, dropped.allowed), (shares("0.196"), Shares::ZERO));
}

// Settling.

#[test]
fn a_partial_fill_is_shared_pro_rata_with_the_remainder_to_the_first() {
    let mut world = World::new("10000");
    world.market("SPY", "10");
    world.strategy("a", "0.2", &[("SPY", "1")]).strategy("b", "0.4", &[("SPY", "0.5")]);
    world.strategy("c", "0.4", &[("SPY", "0.5")]);
    let decision = world.decide();
    let acted = act(&world, &decision, &mut |_, _, _| shares("1"));
    let parts = ["a", "b", "c"].map(|who| sleeve_shares(&acted.ledger, who, "SPY"));
    assert_eq!(parts, [shares("0.333333334"), shares("0.333333333"), shares("0.333333333")]);
    let last = acted.ledger.sleeves[&name("a")].last.clone().unwrap();
    assert_eq!((last.finished, last.unfinished), (None, 1));
}

#[test]
fn an_order_whose_end_was_not_seen_is_settled_by_the_next_run() {
    let mut world = World::new("10000");
    world.market("SPY", "10").strategy("a", "0.5", &[("SPY", "0.5")]);
    world.strategy("b", "0.5", &[("SPY", "0.5")]);
    let decision = world.decide();
    let plan = decision.plan.as_ref().unwrap().plan();
    let id = ClientOrderId::of(&world.key, &symbol("SPY"), Side::Buy, 1);
    let attempt = Attempt {
        id: id.clone(),
        shares: shares("490"),
        limit: None,
        arrival: None,
        state: AttemptState::Unknown,
        filled: shares("90"),
        fill_price: None,
        submitted_at: None,
        ended_at: None,
    };
    let outcome = OrderOutcome {
        symbol: symbol("SPY"),
        side: Side::Buy,
        planned: shares("490"),
        attempts: vec![attempt],
        shortfall: None,
    };
    let execution = Execution { buys: vec![outcome], ..Execution::default() };
    let (ledger, _) = settle(plan, None, &execution, &decision.signals);
    assert_eq!(sleeve_shares(&ledger, "a", "SPY"), shares("45"));
    assert_eq!(ledger.unsettled[&id].parts[0].shares, shares("200"));

    let mut next = world.clone();
    next.known().ledger = ledger;
    next.receive("SPY", "290");
    let unknown = carry_forward(&next.known().ledger.clone(), &next.snapshot);
    assert!(matches!(unknown, Err(LedgerError::Unsettled(_))), "same session, not shown: unknown");
    let mut known = order(id.as_str(), "SPY", Side::Buy, "490");
    known.filled = shares("290");
    known.status = OrderStatus::Cancelled;
    next.snapshot.orders.push(known);
    // The same executions among the activities must not count again.
    next.happened("f1", "2026-11-20T14:36:00Z", fill(&id, Side::Buy, "290"));
    let carried = carry_forward(&next.known().ledger.clone(), &next.snapshot).unwrap();
    assert_eq!(sleeve_shares(&carried.ledger, "a", "SPY"), shares("145"));
    assert!(carried.ledger.unsettled.is_empty());
}

fn fill(id: &ClientOrderId, side: Side, count: &str) -> ActivityKind {
    ActivityKind::Fill {
        order: format!("broker-{id}"),
        symbol: symbol("SPY"),
        side,
        shares: shares(count),
        price: price("10"),
    }
}

fn hand(ticker: &str, side: Side, count: &str) -> ActivityKind {
    ActivityKind::Fill {
        order: "by-hand".to_owned(),
        symbol: symbol(ticker),
        side,
        shares: shares(count),
        price: price("10"),
    }
}

#[test]
fn an_order_of_an_earlier_session_that_the_broker_does_not_know_is_dead() {
    let mut world = World::new("1000");
    world.market("SPY", "10").strategy("a", "1", &[("SPY", "0.5")]).holds("a", "SPY", "3");
    let mut key = world.key.clone();
    key.session = date(2026, 11, 19);
    let id = ClientOrderId::of(&key, &symbol("SPY"), Side::Buy, 1);
    let unsettled = alchemiser::domain::sleeve::ledger::Unsettled {
        symbol: symbol("SPY"),
        side: Side::Buy,
        booked: Shares::ZERO,
        amount: Usd::ZERO,
        parts: Vec::new(),
    };
    world.known().ledger.unsettled.insert(id, unsettled);
    let carried = carry_forward(&world.known().ledger.clone(), &world.snapshot).unwrap();
    assert!(carried.ledger.unsettled.is_empty());
}

// The ledger carried forward.

#[test]
fn hand_sales_take_foreign_shares_first_and_then_the_sleeves_pro_rata() {
    let mut world = World::new("10000");
    world.market("SPY", "10");
    world.strategy("a", "0.5", &[("SPY", "0.1")]).strategy("b", "0.5", &[("SPY", "0.1")]);
    world.holds("a", "SPY", "40").holds("b", "SPY", "20").foreign("SPY", "10");
    world.snapshot.positions.get_mut(&symbol("SPY")).unwrap().shares = shares("55");
    world.snapshot.positions.get_mut(&symbol("SPY")).unwrap().available = shares("55");
    world.happened("h1", "2026-11-19T18:00:00Z", hand("SPY", Side::Sell, "25"));
    world.happened("h2", "2026-11-19T19:00:00Z", hand("SPY", Side::Buy, "10"));
    world.revalue();
    let decision = world.decide();
    let ledger = decision.ledger.as_ref().unwrap();
    assert_eq!(sleeve_shares(ledger, "a", "SPY"), shares("30"));
    assert_eq!(sleeve_shares(ledger, "b", "SPY"), shares("15"));
    assert_eq!(ledger.foreign[&symbol("SPY")], shares("10"));
    assert_eq!(state(&world, "a"), SleeveState::Held(HeldReason::TouchedByHand));
    let touched = decision.incidents.iter().find(|i| i.code == "sleeve-touched").unwrap();
    assert!(touched.context.contains(&("next run SPY".to_owned(), "30 to 51.205".to_owned())));
    // Held for one run: the ledger after it says so no more.
    let next = after(&world, &act(&world, &decision, &mut full));
    assert_eq!(state(&next, "a"), SleeveState::Due(DueReason::FirstTime));
}

#[test]
fn an_activity_is_booked_once() {
    let mut world = World::new("10000");
    world.market("SPY", "10").strategy("a", "1", &[("SPY", "0.1")]).holds("a", "SPY", "40");
    world.happened("h1", "2026-11-19T18:00:00Z", hand("SPY", Side::Buy, "5"));
    world.snapshot.positions.get_mut(&symbol("SPY")).unwrap().shares = shares("45");
    let ledger = world.known().ledger.clone();
    let once = carry_forward(&ledger, &world.snapshot).unwrap().ledger;
    let twice = carry_forward(&once, &world.snapshot).unwrap().ledger;
    assert_eq!(once, twice);
    assert_eq!(once.foreign[&symbol("SPY")], shares("5"));
    // What happened before the first ledger is in it already.
    world.known().ledger.began = Some("2026-11-19T18:30:00Z".parse().unwrap());
    let late = carry_forward(&world.known().ledger.clone(), &world.snapshot);
    assert!(matches!(late, Err(LedgerError::Mismatch(_))));
}

#[test]
fn splits_scale_all_holders_alike_and_less_than_a_share_may_become_cash() {
    let mut world = World::new("10000");
    world.market("SPY", "10").strategy("a", "1", &[("SPY", "0.1")]);
    world.holds("a", "SPY", "45").foreign("SPY", "30");
    let split = ActivityKind::Split { symbol: symbol("SPY"), new: shares("1"), old: shares("10") };
    world.happened("s1", "2026-11-20T05:00:00Z", split);
    let held = |world: &mut World, count: &str| {
        world.snapshot.positions.get_mut(&symbol("SPY")).unwrap().shares = shares(count);
        let ledger = world.known().ledger.clone();
        carry_forward(&ledger, &world.snapshot).map(|carried| carried.ledger)
    };
    let exact = held(&mut world, "7.5").unwrap();
    assert_eq!(sleeve_shares(&exact, "a", "SPY"), shares("4.5"));
    assert_eq!(exact.foreign[&symbol("SPY")], shares("3"));
    assert!(!exact.sleeves[&name("a")].touched);
    let cash = held(&mut world, "7").unwrap();
    assert_eq!(sleeve_shares(&cash, "a", "SPY"), shares("4.2"));
    assert_eq!(cash.foreign[&symbol("SPY")], shares("2.8"));
    assert!(held(&mut world, "6.5").is_err(), "a whole share is more than cash in lieu");
    let split = ActivityKind::Split { symbol: symbol("SPY"), new: shares("2"), old: shares("1") };
    let mut forward = world.clone();
    forward.snapshot.activities[0].what = split;
    let doubled = held(&mut forward, "150").unwrap();
    assert_eq!(sleeve_shares(&doubled, "a", "SPY"), shares("90"));
    assert_eq!(doubled.foreign[&symbol("SPY")], shares("60"));
    assert!(held(&mut world, "75").is_err(), "not adjusted yet");
}

#[test]
fn a_new_ticker_follows_the_asset_id() {
    let mut world = World::new("10000");
    world.market("META", "10").strategy("a", "1", &[("META", "0.1")]).holds("a", "META", "40");
    let ledger = &mut world.known().ledger;
    let sleeve = ledger.sleeves.get_mut(&name("a")).unwrap();
    let count = sleeve.shares.remove(&symbol("META")).unwrap();
    sleeve.shares.insert(symbol("FB"), count);
    ledger.assets.clear();
    ledger.assets.insert(symbol("FB"), AssetId("id-META".to_owned()));
    let carried = carry_forward(&world.known().ledger.clone(), &world.snapshot).unwrap();
    assert_eq!(sleeve_shares(&carried.ledger, "a", "META"), shares("40"));
    // Without an asset id the account's own entry says it.
    world.known().ledger.assets.clear();
    assert!(carry_forward(&world.known().ledger.clone(), &world.snapshot).is_err());
    let rename = ActivityKind::Rename { from: symbol("FB"), to: symbol("META") };
    world.happened("r1", "2026-11-20T05:00:00Z", rename);
    let carried = carry_forward(&world.known().ledger.clone(), &world.snapshot).unwrap();
    assert_eq!(sleeve_shares(&carried.ledger, "a", "META"), shares("40"));
}

#[test]
fn what_no_fact_explains_is_critical_and_stops_everything() {
    let mut world = World::new("10000");
    world.market("SPY", "10").strategy("a", "1", &[("SPY", "0.1")]).holds("a", "SPY", "40");
    world.receive("SPY", "1");
    let decision = world.decide();
    assert_eq!(decision.incidents[0].code, "position-mismatch");
    assert_eq!(decision.incidents[0].category, Category::Critical);
    assert_eq!(
        decision.blocked.unwrap(),
        "no fact explains these shares: SPY 41, by the ledger 40"
    );
    assert_eq!((decision.plan, decision.drafted, decision.ledger), (None, None, None));
}

#[test]
fn a_lost_ledger_and_an_open_order_of_ours_stop_everything() {
    let mut world = World::new("10000");
    world.market("SPY", "10").strategy("a", "1", &[("SPY", "0.1")]);
    world.snapshot.past = Past::Lost;
    assert_eq!(codes(&world), ["ledger-lost"]);
    world.snapshot.past = Past::First;
    let id = ClientOrderId::of(&world.key, &symbol("SPY"), Side::Buy, 1);
    world.snapshot.orders.push(order(id.as_str(), "SPY", Side::Buy, "1"));
    assert_eq!(codes(&world), ["own-order-open"]);
}

// First run and adoption.

#[test]
fn a_first_run_asks_what_becomes_of_shares_that_a_strategy_can_name() {
    let mut world = World::new("10000");
    world.market("SPY", "10").market("VTI", "10").strategy("a", "1", &[("SPY", "0.1")]);
    world.receive("VTI", "50");
    assert!(world.decide().plan.is_some(), "no strategy can name it");
    world.receive("SPY", "50");
    let decision = world.decide();
    assert_eq!(decision.incidents[0].category, Category::Configuration);
    assert!(decision.incidents[0].action.contains("[\"SPY\"]"));
    // The question stays open whether or not the ledger was kept.
    let mut again = world.clone();
    again.known().ledger = decision.ledger.unwrap();
    assert_eq!(codes(&again), ["adopt-undecided"]);
    again.policy.adopt = Some(Adopt::All(false));
    let plan = again.plan();
    assert_eq!(plan.ledger.foreign[&symbol("SPY")], shares("50"));
    again.known().ledger = plan.ledger;
    again.policy.adopt = None;
    assert!(again.decide().plan.is_some(), "decided once");
}

#[test]
fn adopted_shares_are_passed_on_or_sold_once() {
    let mut world = World::new("5000");
    world.market("SPY", "10").market("QQQ", "10").strategy("a", "1", &[("SPY", "0.5")]);
    world.receive("SPY", "300").receive("QQQ", "200");
    world.policy.adopt = Some(Adopt::These(BTreeSet::from([symbol("SPY"), symbol("QQQ")])));
    let plan = world.plan();
    assert_eq!(orders(&plan), ["sell 200 QQQ", "buy 190 SPY"]);
    assert_eq!(sleeve_shares(&plan.ledger, "a", "SPY"), shares("300"));
    assert_eq!(plan.sleeves[1].state, SleeveState::Due(DueReason::GivenUp));
    let decision = world.decide();
    let mut next = after(&world, &act(&world, &decision, &mut full));
    assert!(!next.known().ledger.sleeves.contains_key(&name("adopted")));
    next.foreign("SPY", "7");
    assert_eq!(next.plan().ledger.foreign[&symbol("SPY")], shares("7"), "acts once per symbol");
}

#[test]
fn the_sleeve_of_a_strategy_taken_out_of_the_policy_is_passed_on_or_sold() {
    let mut world = World::new("5000");
    world.market("SPY", "10").market("QQQ", "10").strategy("a", "1", &[("SPY", "0.5")]);
    world.holds("gone", "SPY", "100").holds("gone", "QQQ", "100");
    assert_eq!(orders(&world.plan()), ["sell 100 QQQ", "buy 243 SPY"]);
}

// The gate.

#[test]
fn every_failed_check_is_listed_and_nothing_trades() {
    let mut world = World::new("10000");
    world.market("SPY", "10").strategy("a", "1", &[("SPY", "0.5")]);
    world.snapshot.account.blocks.insert(AccountBlock::TradingBlocked);
    world.snapshot.account.equity_before = Some(usd("20000"));
    world.policy.limits.orders_run_max = 0;
    let decision = world.decide();
    let codes: BTreeSet<&str> = decision.incidents.iter().map(|i| i.code.as_str()).collect();
    assert_eq!(
        codes,
        BTreeSet::from(["gate-account-blocked", "gate-daily-loss", "gate-orders-run"])
    );
    assert!(decision.plan.is_none() && decision.drafted.is_some());
    assert!(decision.limits.iter().any(|limit| limit.limit == "limits.turnover_run_max"));
}

#[test]
fn losses_are_judged_net_of_transfers() {
    let mut world = World::new("6000");
    world.market("SPY", "10").strategy("a", "1", &[("SPY", "0.5")]);
    world.snapshot.account.equity_before = Some(usd("10000"));
    world.known().equity = vec![
        EquityPoint { session: date(2026, 11, 18), equity: usd("16000") },
        EquityPoint { session: date(2026, 11, 19), equity: usd("10000") },
    ];
    assert_eq!(codes(&world), ["gate-daily-loss", "gate-drawdown"]);
    world.snapshot.account.cash = usd("5900");
    world.snapshot.account.equity = usd("5900");
    assert_eq!(codes(&world), ["gate-daily-loss", "gate-drawdown", "gate-equity-jump"]);
    let transfer = ActivityKind::Transfer { amount: usd("-4000") };
    world.happened("t1", "2026-11-20T05:00:00Z", transfer);
    assert_eq!(codes(&world), Vec::<String>::new());
    assert_eq!(world.decide().transfers, usd("-4000"));
    // Paid out before yesterday's run, so yesterday's equity is without it.
    world.snapshot.activities.clear();
    world.snapshot.account.equity_before = None;
    world.known().equity.truncate(1);
    world.known().transfers.insert(date(2026, 11, 19), usd("-8000"));
    assert_eq!(codes(&world), Vec::<String>::new());
}

#[test]
fn money_that_does_not_add_up_stops_everything() {
    let mut world = World::new("10000");
    world.market("SPY", "10").strategy("a", "1", &[("SPY", "0.5")]);
    world.snapshot.account.equity = usd("10201");
    assert!(world.decide().plan.is_some());
    world.snapshot.account.equity = usd("10205");
    assert_eq!(codes(&world), ["gate-equity-mismatch"]);
    let mut poor = World::new("499.99");
    poor.market("SPY", "10").strategy("a", "1", &[("SPY", "0.5")]);
    assert_eq!(codes(&poor), ["gate-equity-minimum"]);
    let mut debit = World::new("-26");
    debit.market("SPY", "10").strategy("a", "1", &[("SPY", "0.5")]).holds("a", "SPY", "1000");
    assert_eq!(codes(&debit), ["gate-cash-negative"]);
    debit.snapshot.account.cash = usd("-24");
    assert_eq!(orders(&debit.plan()).len(), 1);
}

#[test]
fn going_to_cash_without_a_strategy_saying_so_is_stopped() {
    let mut world = World::new("1000");
    world.market("SPY", "10").market("QQQ", "10").strategy("a", "1", &[("QQQ", "0.6")]);
    world.holds("a", "SPY", "900");
    assert_eq!(orders(&world.plan()), ["buy 588 QQQ", "sell 900 SPY"]);
    world.no_quote("QQQ");
    assert_eq!(codes(&world), ["quote-unusable", "gate-to-cash"]);
}

#[test]
fn a_full_flip_fits_the_turnover_of_a_run_and_a_second_one_that_of_a_day_does_not() {
    let mut world = World::new("10");
    world.market("SPY", "10").market("QQQ", "10").market("TLT", "10");
    world.strategy("a", "1", &[("QQQ", "0.5"), ("TLT", "0.5")]).holds("a", "SPY", "1000");
    assert_eq!(orders(&world.plan()).len(), 3);
    world.known().turnover_today = usd("500");
    assert_eq!(codes(&world), ["gate-turnover-day"]);
}

#[test]
fn what_is_in_the_market_is_shown_beside_what_the_account_has() {
    let mut world = World::new("100");
    world.market("SPY", "100").strategy("a", "1", &[("SPY", "0.5")]).holds("a", "SPY", "9");
    assert_eq!(codes(&world), [""; 0]);
    let shown = world.decide().limits.into_iter().find(|line| line.limit == "exposure").unwrap();
    assert_eq!((shown.used.as_str(), shown.allowed.as_str(), shown.within), ("45%", "100%", true));
}

// Before each attempt.

struct Gate {
    world: World,
    plan: ApprovedPlan,
    buy_plan: BuyPlan,
}

impl Gate {
    /// A plan that sells 90 QQQ and buys 49 SPY at 100.
    fn new() -> Self {
        let mut world = World::new("1000");
        world.market("SPY", "100").market("QQQ", "100").whole_shares("SPY");
        world.strategy("a", "1", &[("SPY", "0.5")]).holds("a", "QQQ", "90");
        let plan = world.decide().plan.unwrap();
        let outcome =
            money::outcome(&world.key, &symbol("QQQ"), Side::Sell, shares("90"), shares("90"));
        let buy_plan = fund(&plan, &[outcome], usd("10000"), &world.policy);
        Self { world, plan, buy_plan }
    }

    fn ask(&self, change: impl Fn(&mut Demand, &mut Permit<'_>)) -> Result<String, &'static str> {
        let quote = self.world.snapshot.quotes[&symbol("SPY")]
            .judge(self.world.snapshot.now, &self.world.policy.quote_rules())
            .unwrap();
        let mut demand = Demand {
            symbol: symbol("SPY"),
            side: Side::Buy,
            attempt: 1,
            shares: shares("49"),
            limit: price("100"),
        };
        let mut permit = Permit {
            buy_plan: Some(&self.buy_plan),
            quote: &quote,
            now: self.world.snapshot.now,
            policy: &self.world.policy,
            usage: Usage::default(),
        };
        change(&mut demand, &mut permit);
        let asked = self.plan.request(&demand, &permit);
        asked.map(|o| format!("{} {} {}", o.side(), o.shares(), o.id())).map_err(|r| r.rule)
    }
}

#[test]
fn an_attempt_within_every_rule_becomes_an_order() {
    let gate = Gate::new();
    let id = ClientOrderId::of(&gate.world.key, &symbol("SPY"), Side::Buy, 1);
    assert_eq!(gate.ask(|_, _| ()), Ok(format!("buy 49 {id}")));
    let sell = gate.ask(|demand, permit| {
        demand.symbol = symbol("QQQ");
        demand.side = Side::Sell;
        demand.shares = shares("90");
        demand.attempt = 4;
        demand.limit = price("98.5");
        permit.buy_plan = None;
    });
    assert!(sell.is_ok(), "{sell:?}");
}

#[test]
fn an_attempt_outside_any_rule_is_refused_by_that_rule() {
    let gate = Gate::new();
    let at = |text: &str| text.parse().unwrap();
    let rule = |change: &dyn Fn(&mut Demand, &mut Permit<'_>)| gate.ask(change).unwrap_err();
    assert_eq!(rule(&|_, p| p.now = at("2026-11-20T14:30:30Z")), "open-guard");
    // Two minutes before the close, and half a minute that our clock may be slow.
    assert_eq!(rule(&|_, p| p.now = at("2026-11-20T20:57:30Z")), "cutoff");
    assert_eq!(rule(&|_, p| p.now = at("2026-11-20T20:57:29Z")), "plan-too-old");
    assert_eq!(rule(&|_, p| p.now = at("2026-11-20T14:50:00Z")), "plan-too-old");
    assert_eq!(rule(&|_, p| p.now = at("2026-11-20T14:36:01Z")), "stale-quote");
    assert_eq!(rule(&|_, p| p.usage.rejections = 3), "rejections");
    assert_eq!(rule(&|_, p| p.usage.unknowns = 2), "unknowns");
    assert_eq!(rule(&|_, p| p.usage.submits_last_second = 10), "submit-rate");
    assert_eq!(rule(&|_, p| p.usage.submits = 8), "submits");
    assert_eq!(rule(&|_, p| p.usage.writes = 26), "writes");
    assert_eq!(rule(&|_, p| p.usage.filled = shares("1")), "larger-than-planned");
    assert_eq!(rule(&|_, p| p.buy_plan = None), "not-funded");
    assert_eq!(rule(&|d, _| d.symbol = symbol("VTI")), "not-planned");
    assert_eq!(rule(&|d, _| d.side = Side::Sell), "not-planned");
    assert_eq!(rule(&|d, _| d.shares = shares("50")), "larger-than-planned");
    assert_eq!(rule(&|d, _| d.shares = shares("48.5")), "not-whole");
    assert_eq!(rule(&|d, _| d.shares = Shares::ZERO), "empty");
    assert_eq!(rule(&|d, _| d.attempt = 5), "attempt");
    assert_eq!(rule(&|d, _| d.attempt = 0), "attempt");
    assert_eq!(rule(&|d, _| d.limit = price("100.005")), "tick");
    assert_eq!(rule(&|d, _| d.limit = price("101.51")), "worst-limit");
    assert_eq!(
        rule(&|d, _| (d.limit, d.shares) = (price("0.5"), shares("1"))),
        "below-broker-minimum"
    );
    let sell = |d: &mut Demand| {
        d.symbol = symbol("QQQ");
        d.side = Side::Sell;
        d.shares = shares("90");
    };
    assert_eq!(rule(&|d, _| (sell(d), d.limit = price("98.49")).1), "collar");
}

#[test]
fn a_stored_plan_that_breaks_a_law_is_not_taken_up_again() {
    let plan = Gate::new().plan.plan().clone();
    assert_eq!(restore(plan.clone()).unwrap().plan(), &plan);
    let broken = |change: &dyn Fn(&mut RebalancePlan)| {
        let mut plan = plan.clone();
        change(&mut plan);
        restore(plan).unwrap_err().rule
    };
    let more = |plan: &mut RebalancePlan| {
        plan.items[0].action = Action::Sell(shares("91"));
        plan.items[0].parts[0].shares = shares("91");
    };
    assert_eq!(broken(&more), "sells-more-than-held");
    assert_eq!(broken(&|plan| plan.items[1].parts[0].shares = shares("48")), "parts");
    assert_eq!(broken(&|plan| plan.items.push(plan.items[0].clone())), "one-side");
    assert_eq!(broken(&|plan| plan.session.date = date(2026, 11, 19)), "session");
    assert_eq!(broken(&|plan| plan.capital.deployable = usd("1")), "over-allocated");
    let held = |plan: &mut RebalancePlan| {
        plan.sleeves[0].state = SleeveState::Held(HeldReason::NotDue);
    };
    assert_eq!(broken(&held), "held-sleeve");
    assert_eq!(broken(&|plan| plan.items[0].reference = None), "no-price");
    let part_of_a_share = |plan: &mut RebalancePlan| {
        let item = &mut plan.items[1];
        (item.action, item.fractionable) = (Action::Buy(shares("48.5")), false);
        item.parts[0].shares = shares("48.5");
    };
    assert_eq!(broken(&part_of_a_share), "whole-shares");
}

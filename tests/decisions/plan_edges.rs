//! The edges of the plan and of the risk gate: what is just allowed, what is just refused, and
//! what the operator reads about it.

use std::collections::BTreeSet;

use crate::money::{TODAY, World, item, name, order, orders, price, shares, symbol, usd, weight};
use alchemiser::domain::account::{AccountBlock, ActivityKind, Asset};
use alchemiser::domain::hash::sha256_hex;
use alchemiser::domain::market::QuoteRules;
use alchemiser::domain::money::{Shares, Usd};
use alchemiser::domain::order::{ClientOrderId, OrderStatus, Side};
use alchemiser::domain::plan::fund::fund;
use alchemiser::domain::plan::{
    Action, HeldReason, HoldReason, RebalancePlan, SkipReason, SleeveState,
};
use alchemiser::domain::policy::{ConflictRule, Policy};
use alchemiser::domain::report::EquityPoint;
use alchemiser::domain::risk::{ApprovedPlan, Demand, Permit, Usage, approve, restore};
use alchemiser::domain::snapshot::{Snapshot, Splits};
use alchemiser::domain::strategy::Rebalance;
use jiff::Timestamp;
use jiff::civil::date;
use rust_decimal::Decimal;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn today(time: &str) -> Timestamp {
    format!("2026-11-20T{time}Z").parse().unwrap()
}

fn codes(world: &World) -> Vec<String> {
    world.decide().incidents.into_iter().map(|incident| incident.code).collect()
}

fn approved(world: &World) -> ApprovedPlan {
    world.decide().plan.unwrap()
}

/// One line of the limits as the report shows it.
fn shown(world: &World, limit: &str) -> String {
    let line = world.decide().limits.into_iter().find(|line| line.limit == limit).unwrap();
    format!("{}: {} of {}", line.what, line.used, line.allowed)
}

fn action(world: &World, ticker: &str) -> Action {
    item(&world.plan(), ticker).action.clone()
}

/// What may be bought with this much cash after the sells.
fn bought(world: &World, cash: &str) -> Vec<String> {
    let buys = fund(&approved(world), &[], usd(cash), &world.policy);
    buys.items.iter().map(|buy| format!("{} {}", buy.shares, buy.symbol)).collect()
}

/// 10,000 in cash, one strategy that wants half of it in SPY at 100: 49 shares.
fn half_in_spy() -> World {
    let mut world = World::new("10000");
    world.market("SPY", "100").strategy("a", "1", &[("SPY", "0.5")]);
    world
}

/// Of a's 900 SPY, 490 pass to b and 410 are sold.
fn crossed() -> World {
    let mut world = World::new("1000");
    world.market("SPY", "10").market("QQQ", "10");
    world.strategy("a", "0.5", &[("QQQ", "0.8")]).strategy("b", "0.5", &[("SPY", "1")]);
    world.holds("a", "SPY", "900");
    world
}

/// Sells 90 QQQ and buys 49 SPY, whose spread is 0.4% and of whose day that is 0.7%.
fn sells_and_buys() -> World {
    let mut world = World::new("1000");
    world.market("SPY", "100").market("QQQ", "100").quote("SPY", "99.8", "100.2");
    world.close_with_volume("SPY", "100", Some(7000.0));
    world.strategy("a", "1", &[("SPY", "0.5")]).holds("a", "QQQ", "90");
    world
}

/// Only half of 10,000 may be invested: a weight of 0.001 is exactly five dollars.
fn five_thousand(weights: &[(&str, &str, &str)]) -> World {
    let mut world = World::new("10000");
    world.policy.keep_cash = usd("5000");
    for (ticker, at, _) in weights {
        world.market(ticker, at);
    }
    let wanted: Vec<(&str, &str)> = weights.iter().map(|(s, _, w)| (*s, *w)).collect();
    world.strategy("a", "1", &wanted);
    world
}

// The plan.

#[test]
fn a_plan_is_hashed_in_its_stored_form() {
    let mut plan = crossed().plan();
    let first = plan.hash();
    assert_eq!(first, sha256_hex(&serde_json::to_vec(&plan).unwrap()));
    plan.items[0].reason.push('.');
    assert_ne!(plan.hash(), first);
}

#[test]
fn what_a_sleeve_owned_before_the_crossings_is_known_after_them() {
    let plan = crossed().plan();
    assert_eq!(plan.owned_before(&name("a"), &symbol("SPY")), shares("900"));
    assert_eq!(plan.owned_before(&name("b"), &symbol("SPY")), Shares::ZERO);
}

#[test]
fn a_plan_is_good_for_fifteen_minutes_and_never_beyond_the_cut_off() {
    for (now, until) in
        [("14:35:00", "14:50:00"), ("20:42:30", "20:57:30"), ("20:50:00", "20:57:30")]
    {
        let mut world = half_in_spy();
        world.snapshot.now = today(now);
        world.quote("SPY", "100", "100");
        assert_eq!(world.plan().valid_until, today(until), "drafted at {now}");
    }
}

#[test]
fn each_sleeve_that_has_a_part_in_a_symbol_is_named_with_what_it_does() {
    let mut world = World::new("6520");
    world.market("SPY", "10");
    // D 9,800: each may use 980, which is 98 shares.
    for (who, weights, held) in [
        ("a", &[("SPY", "1")][..], ""),
        ("b", &[("SPY", "1")], "50"),
        ("c", &[("SPY", "1")], "98"),
        ("d", &[], "30"),
        ("e", &[("SPY", "1")], "150"),
    ] {
        world.strategy(who, "0.1", weights);
        if !held.is_empty() {
            world.holds(who, "SPY", held);
        }
    }
    world.failing("f", "0.1").failing("g", "0.1").holds("f", "SPY", "20");
    assert_eq!(
        item(&world.plan(), "SPY").reason,
        "a enters; b adds; c keeps its shares; d leaves; e trims; f is held"
    );
}

#[test]
fn a_symbol_that_is_exactly_where_it_should_be_is_on_target() {
    let mut world = World::new("5100");
    world.market("SPY", "100").strategy("a", "1", &[("SPY", "0.5")]).holds("a", "SPY", "49");
    assert_eq!(action(&world, "SPY"), Action::Hold(HoldReason::OnTarget));
    world.holds("a", "SPY", "0.1");
    assert_eq!(action(&world, "SPY"), Action::Hold(HoldReason::BelowResize));
}

#[test]
fn what_waits_in_a_conflict_is_not_asked_to_be_invested() {
    let mut world = crossed();
    world.snapshot.account.cash = Usd::ZERO;
    world.holds("b", "SPY", "100").confidence("a", 0.4).confidence("b", 0.2);
    world.policy.conflict = ConflictRule::HighestConfidence;
    // a asks for 3,920 in QQQ; b for 4,900 in SPY, of which it has 1,000 and waits for the rest.
    assert_eq!(world.plan().capital.asked, usd("4920"));
    assert_eq!(shown(&world, "to-cash"), "not invested of what the strategies ask for: 0% of 50%");
}

// Sizes.

#[test]
fn an_entry_of_exactly_five_dollars_is_bought_and_a_smaller_order_is_not() {
    let mut world = five_thousand(&[
        ("EXACT", "10", "0.001"),
        ("LESS", "10", "0.0009999"),
        ("CUT", "3", "0.00114"),
    ]);
    world.whole_shares("CUT");
    assert_eq!(orders(&world.plan()), ["buy 0.5 EXACT"]);
    // 5.70 dollars are an entry; the one whole share they buy costs 3.
    assert_eq!(action(&world, "CUT"), Action::Skip(SkipReason::BelowMinimum));
}

#[test]
fn trimming_less_than_a_whole_share_is_no_dust() {
    let mut world = World::new("5500");
    world.market("BIG", "900").whole_shares("BIG");
    world.strategy("a", "1", &[("BIG", "0.45")]).holds("a", "BIG", "5");
    // D 9,800: 4.9 shares are wanted.
    assert_eq!(action(&world, "BIG"), Action::Skip(SkipReason::WholeShares));
}

#[test]
fn an_exit_too_small_to_sell_is_dust_although_another_sleeve_keeps_the_symbol() {
    let mut world = World::new("5072");
    world.market("SPY", "10").strategy("a", "0.5", &[]).strategy("b", "0.5", &[("SPY", "1")]);
    world.policy.limits.position_max = weight("1");
    // b is 24 dollars above its 4,900 already and has no room below m for a's 4 dollars.
    world.holds("a", "SPY", "0.4").holds("b", "SPY", "492.4");
    assert_eq!(action(&world, "SPY"), Action::Skip(SkipReason::Dust));
}

// The buy plan.

#[test]
fn the_worst_limit_is_the_collar_beyond_the_ask() {
    let mut world = half_in_spy();
    world.quote("SPY", "99.5", "100.5");
    let buys = fund(&approved(&world), &[], usd("10000"), &world.policy);
    // 100.50 and 1.5% of it are 102.0075.
    assert_eq!(buys.items[0].worst_limit, price("102"));
}

#[test]
fn whole_shares_worth_less_than_five_dollars_are_dropped_and_exactly_five_are_bought() {
    let mut cheap = five_thousand(&[("CHEAP", "3", "0.0013")]);
    cheap.whole_shares("CHEAP");
    assert_eq!(bought(&cheap, "5006"), ["2 CHEAP"]);
    assert_eq!(bought(&cheap, "5005.7"), Vec::<String>::new());
    let mut five = five_thousand(&[("FIVE", "5", "0.002")]);
    five.whole_shares("FIVE");
    assert_eq!(bought(&five, "5010"), ["2 FIVE"]);
    assert_eq!(bought(&five, "5007.5"), ["1 FIVE"]);
}

#[test]
fn a_resize_cut_to_exactly_m_is_bought_and_one_cent_less_is_dropped() {
    let mut world = World::new("5150");
    world.market("SPY", "10").strategy("a", "1", &[("SPY", "0.5")]).holds("a", "SPY", "485");
    // E 10,000, m 25, R 200: 50 dollars are to be added.
    assert_eq!(bought(&world, "250"), ["5 SPY"]);
    assert_eq!(bought(&world, "225"), ["2.5 SPY"]);
    assert_eq!(bought(&world, "224.99"), Vec::<String>::new());
}

#[test]
fn what_others_open_buys_may_spend_is_not_spent_twice() {
    let mut world = half_in_spy();
    world.foreign_order("VTI", Side::Buy, "10").snapshot.orders[0].limit = Some(price("100"));
    // E 9,000, R 180, D 8,820: 4,410 are wanted, which is 49% of 9,000.
    assert_eq!(bought(&world, "5590"), ["44.1 SPY"]);
    assert_eq!(bought(&world, "3385"), ["22.05 SPY"]);
    assert!(shown(&world, "exposure").ends_with(": 49% of 100%"));
}

// What may trade.

#[test]
fn orders_that_ended_and_orders_in_other_symbols_block_nothing() {
    let mut world = half_in_spy();
    world.market("VTI", "100");
    world.known();
    let mut earlier = world.key.clone();
    earlier.session = date(2026, 11, 19);
    let ours = ClientOrderId::of(&earlier, &symbol("SPY"), Side::Buy, 1);
    world.snapshot.orders.push(order(ours.as_str(), "SPY", Side::Buy, "1"));
    world.snapshot.orders[0].status = OrderStatus::Filled;
    world.foreign_order("SPY", Side::Sell, "1").foreign_order("VTI", Side::Sell, "1");
    assert_eq!(action(&world, "SPY"), Action::Skip(SkipReason::ForeignOrder));
    world.snapshot.orders[1].status = OrderStatus::Cancelled;
    assert_eq!(orders(&world.plan()), ["buy 49 SPY"]);
}

#[test]
fn a_move_of_exactly_forty_percent_still_trades() {
    for (at, trades) in [("140", true), ("140.01", false), ("60", true), ("59.99", false)] {
        let mut world = half_in_spy();
        world.quote("SPY", at, at);
        world.snapshot.splits = Splits::Unknown;
        let suspect = action(&world, "SPY") == Action::Skip(SkipReason::SplitSuspect);
        assert_eq!(suspect, !trades, "from 100 to {at}");
    }
}

#[test]
fn a_listed_split_waits_until_that_very_split_is_booked() {
    let split = ActivityKind::Split { symbol: symbol("SPY"), new: shares("2"), old: Shares::ONE };
    let transfer = ActivityKind::Transfer { amount: usd("1") };
    for (at, what) in [("2026-10-30T05:00:00Z", split), ("2026-11-20T05:00:00Z", transfer)] {
        let mut world = half_in_spy();
        world.holds("a", "SPY", "10").happened("x", at, what);
        world.snapshot.splits = Splits::Listed(BTreeSet::from([symbol("SPY")]));
        assert_eq!(action(&world, "SPY"), Action::Skip(SkipReason::SplitSuspect), "{at}");
    }
}

// The gate over the account.

#[test]
fn each_block_of_the_account_is_said_in_words() {
    let closed = AccountBlock::NotActive("CLOSED".to_owned());
    let by_owner = AccountBlock::SuspendedByOwner;
    for (block, words) in [
        (closed, "the account's status is CLOSED, not active"),
        (AccountBlock::TradingBlocked, "the broker blocked trading in the account"),
        (AccountBlock::AccountBlocked, "the broker blocked the account"),
        (by_owner, "the owner suspended trading in the account at the broker"),
    ] {
        let mut world = half_in_spy();
        world.snapshot.account.blocks.insert(block);
        assert_eq!(world.decide().blocked.unwrap(), words);
    }
}

#[test]
fn an_equity_that_is_not_above_zero_agrees_with_nothing() {
    for equity in ["0", "-10000"] {
        let mut world = half_in_spy();
        world.snapshot.account.equity = usd(equity);
        let words = format!("the broker's equity is {equity}, ours 10000");
        assert_eq!(world.decide().blocked.unwrap(), words);
    }
}

#[test]
fn what_was_paid_out_up_to_the_close_is_in_the_equity_of_that_close() {
    for (at, expected) in
        [("2026-11-19T21:00:00Z", &["gate-daily-loss"][..]), ("2026-11-19T21:00:01Z", &[])]
    {
        let mut world = half_in_spy();
        world.snapshot.account.equity_before = Some(usd("16000"));
        world.happened("t", at, ActivityKind::Transfer { amount: usd("-6000") });
        assert_eq!(codes(&world), expected, "paid out at {at}");
    }
}

#[test]
fn a_transfer_noticed_by_a_run_is_in_the_equity_that_run_recorded() {
    let mut world = half_in_spy();
    let session = date(2026, 11, 19);
    world.known().equity = vec![EquityPoint { session, equity: usd("10000") }];
    world.known().transfers.insert(session, usd("-8000"));
    assert_eq!(codes(&world), Vec::<String>::new());
}

#[test]
fn an_account_with_nothing_to_deploy_has_no_turnover_to_spare() {
    let mut world = World::new("100");
    world.market("SPY", "100").strategy("a", "1", &[("SPY", "0.5")]);
    world.known();
    assert_eq!(codes(&world), ["gate-equity-minimum"]);
    world.known().turnover_today = usd("0.01");
    assert_eq!(codes(&world), ["gate-turnover-day", "gate-equity-minimum"]);
}

// The gate over the plan.

#[test]
fn the_nearest_to_each_limit_is_shown() {
    let mut world = World::new("10000");
    world.market("SPY", "100").market("QQQ", "50").market("TLT", "10").no_quote("TLT");
    world.quote("SPY", "99.8", "100.2").quote("QQQ", "49.95", "50.05");
    world.close_with_volume("SPY", "100", Some(7000.0));
    world.close_with_volume("QQQ", "50", Some(14_700.0));
    world.strategy("a", "1", &[("SPY", "0.5"), ("QQQ", "0.3"), ("TLT", "0.2")]);
    // 49 of 7,000 shares and 58.8 of 14,700; of 9,800 asked for, 1,960 wait for a quote.
    for (limit, line) in [
        ("limits.spread_max", "widest spread, SPY: 0.4% of 1%"),
        ("limits.volume_share_max", "largest part of a median day's volume, SPY: 0.7% of 1%"),
        ("limits.position_max", "largest position, SPY; targets are cut to it: 49% of 60%"),
        ("to-cash", "not invested of what the strategies ask for: 20% of 50%"),
    ] {
        assert_eq!(shown(&world, limit), line);
    }
}

#[test]
fn an_order_exactly_at_a_limit_passes_and_one_beyond_it_does_not() {
    let world = sells_and_buys();
    let plan = world.plan();
    let rules = |change: &dyn Fn(&mut Snapshot, &mut Policy)| -> Vec<&str> {
        let (mut snapshot, mut policy) = (world.snapshot.clone(), world.policy.clone());
        change(&mut snapshot, &mut policy);
        let refused = approve(plan.clone(), &snapshot, &policy).err();
        refused.iter().flat_map(|r| &r.refusals).map(|refusal| refusal.rule).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(rules(&|_, p| p.limits.spread_max = decimal("0.004")), none);
    assert_eq!(rules(&|_, p| p.limits.spread_max = decimal("0.00399")), ["spread"]);
    assert_eq!(rules(&|_, p| p.limits.volume_share_max = decimal("0.007")), none);
    assert_eq!(rules(&|_, p| p.limits.volume_share_max = decimal("0.00699")), ["volume-share"]);
    // 49 SPY are worth 4,900 of 10,000.
    assert_eq!(rules(&|_, p| p.limits.position_max = weight("0.49")), none);
    assert_eq!(rules(&|_, p| p.limits.position_max = weight("0.4899")), ["position"]);
    let available = |snapshot: &mut Snapshot, count: &str| {
        snapshot.positions.get_mut(&symbol("QQQ")).unwrap().available = shares(count);
    };
    assert_eq!(rules(&|s, _| available(s, "90")), none);
    assert_eq!(rules(&|s, _| available(s, "89.999999999")), ["not-available"]);
    let working = order("other", "SPY", Side::Sell, "1");
    assert_eq!(rules(&|s, _| s.orders.push(working.clone())), ["open-order"]);
    let foreign = |asset: &mut Asset| asset.us_equity = false;
    let unlisted = rules(&|s, _| foreign(s.assets.get_mut(&symbol("SPY")).unwrap()));
    assert_eq!(unlisted, ["not-tradable"]);
}

#[test]
fn a_crossing_needs_two_different_sleeves_that_are_both_due() {
    let plan = crossed().plan();
    let broken = |change: &dyn Fn(&mut RebalancePlan)| {
        let mut plan = plan.clone();
        change(&mut plan);
        restore(plan).map_err(|refusal| refusal.rule).err()
    };
    assert_eq!(broken(&|_| ()), None);
    let held = |plan: &mut RebalancePlan| {
        plan.sleeves[1].state = SleeveState::Held(HeldReason::NotDue);
    };
    assert_eq!(broken(&held), Some("held-sleeve"));
    assert_eq!(broken(&|plan| plan.crossings[0].to = name("a")), Some("held-sleeve"));
    // Both sleeves together may use all of D; a cent in a held one is a cent too much.
    assert_eq!(broken(&|plan| plan.capital.held = usd("0.01")), Some("over-allocated"));
}

// The gate over an attempt.

#[test]
fn an_attempt_on_a_quote_wider_than_the_policy_allows_is_refused() {
    let world = half_in_spy();
    let plan = approved(&world);
    let buy_plan = fund(&plan, &[], usd("10000"), &world.policy);
    let now = world.snapshot.now;
    let loose = QuoteRules { spread_max: decimal("0.5"), ..world.policy.quote_rules() };
    for (bid, ask, refused) in [("99.5", "100.5", None), ("99.49", "100.51", Some("spread"))] {
        let mut quoted = world.clone();
        quoted.quote("SPY", bid, ask);
        let demand = Demand {
            symbol: symbol("SPY"),
            side: Side::Buy,
            attempt: 1,
            shares: shares("49"),
            limit: price("100"),
        };
        let permit = Permit {
            buy_plan: Some(&buy_plan),
            quote: &quoted.snapshot.quotes[&symbol("SPY")].judge(now, &loose).unwrap(),
            now,
            policy: &world.policy,
            usage: Usage::default(),
        };
        let asked = plan.request(&demand, &permit);
        assert_eq!(asked.err().map(|refusal| refusal.rule), refused, "{bid} / {ask}");
    }
}

#[test]
fn an_attempt_taken_up_counts_as_sent_and_a_cancelled_one_as_cancelled_too() {
    let mut usage = Usage::default();
    for (status, submits, writes) in [
        (OrderStatus::Filled, 1, 1),
        (OrderStatus::Cancelled, 2, 3),
        (OrderStatus::PendingCancel, 3, 5),
        (OrderStatus::Working, 4, 6),
    ] {
        usage.take_up(&status);
        assert_eq!((usage.submits, usage.writes), (submits, writes), "{status:?}");
    }
}

#[test]
fn what_a_run_used_up_is_shown_beside_what_it_may() {
    let world = sells_and_buys();
    let usage = Usage { submits: 8, writes: 27, rejections: 1, ..Usage::default() };
    let uses = usage.uses(&world.plan(), &world.policy).into_iter();
    let uses: Vec<String> =
        uses.map(|l| format!("{} {} of {} {}", l.limit, l.used, l.allowed, l.within)).collect();
    // Two orders of four attempts, each sent and cancelled once, and ten to spare.
    assert_eq!(
        uses,
        [
            "attempts 8 of 8 true",
            "writes 27 of 26 false",
            "limits.rejections_max 1 of 3 true",
            "limits.unknowns_max 0 of 2 true",
        ]
    );
}

#[test]
fn holdings_beyond_a_cap_are_shown_and_stop_nothing() {
    // A monthly strategy keeps 110 shares at 10 dollars; the account owes 100.
    let mut world = World::new("-100");
    world.market("SPY", "10").strategy("a", "1", &[("SPY", "0.5")]).holds("a", "SPY", "110");
    world.rebalances("a", Rebalance::Monthly).rebalanced("a", TODAY);
    let shown: Vec<String> = world
        .decide()
        .limits
        .into_iter()
        .filter(|line| ["exposure", "limits.position_max"].contains(&line.limit.as_str()))
        .map(|line| format!("{} {} of {} {}", line.limit, line.used, line.allowed, line.within))
        .collect();
    assert_eq!(shown, ["limits.position_max 110% of 60% true", "exposure 110% of 100% true"]);
}

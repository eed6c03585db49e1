//! The edges of sleeves: what just is and just is not due, dust, passed on, explained or finished.

use std::collections::{BTreeMap, BTreeSet};

use crate::money::{
    TODAY, World, act, after, name, order, orders, price, shares, sleeve_shares, symbol, usd,
    weight,
};
use alchemiser::domain::account::{ActivityKind, AssetId};
use alchemiser::domain::decide::decide;
use alchemiser::domain::money::{Shares, Usd};
use alchemiser::domain::order::{ClientOrderId, OrderStatus, Side};
use alchemiser::domain::plan::{DueReason, HeldReason, Part, SleeveState};
use alchemiser::domain::policy::{Adopt, ConflictRule};
use alchemiser::domain::sleeve::fold::{LedgerError, carry_forward, first};
use alchemiser::domain::sleeve::instruct::{Instruction, Move};
use alchemiser::domain::sleeve::ledger::{LastRebalance, Ledger, Unsettled};
use alchemiser::domain::strategy::{Rebalance, StrategyError};
use alchemiser::domain::symbol::Symbol;
use jiff::Timestamp;
use jiff::civil::{Date, date};

const YESTERDAY: Date = date(2026, 11, 19);
const NOT_DUE: SleeveState = SleeveState::Held(HeldReason::NotDue);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn state(world: &World, who: &str) -> SleeveState {
    let plan = world.decide().drafted.unwrap();
    plan.sleeves.iter().find(|sleeve| sleeve.strategy.as_str() == who).unwrap().state.clone()
}

/// As much cash as makes the equity 10,000: the reserve is 200, D 9,800, m 25.
fn level(world: &mut World) {
    let account = &world.revalue().snapshot.account;
    let value = account.equity - account.cash;
    world.snapshot.account.cash = usd("10000") - value;
    world.revalue();
}

/// What the broker shows of a symbol from now on.
fn broker_shows(world: &mut World, ticker: &str, count: &str) {
    let position = world.snapshot.positions.get_mut(&symbol(ticker)).unwrap();
    position.shares = shares(count);
    position.available = position.shares;
    world.revalue();
}

fn carried(world: &mut World) -> Result<Ledger, LedgerError> {
    let before = world.known().ledger.clone();
    carry_forward(&before, &world.snapshot).map(|carried| carried.ledger)
}

fn unexplained(world: &mut World) -> String {
    match carried(world) {
        Err(LedgerError::Mismatch(what)) => what,
        other => panic!("explained: {other:?}"),
    }
}

fn by_hand(ticker: &str, side: Side, count: &str) -> ActivityKind {
    ActivityKind::Fill {
        order: "by-hand".to_owned(),
        symbol: symbol(ticker),
        side,
        shares: shares(count),
        price: price("10"),
    }
}

/// The strategy `a` wants half of its money in SPY at 100 dollars.
fn half_in_spy(cash: &str) -> World {
    let mut world = World::new(cash);
    world.market("SPY", "100").strategy("a", "1", &[("SPY", "0.5")]);
    world
}

/// The sleeve `a` holds 40 SPY at 10 dollars.
fn holding_forty() -> World {
    let mut world = World::new("10000");
    world.market("SPY", "10").market("QQQ", "10").strategy("a", "1", &[("SPY", "0.5")]);
    world.holds("a", "SPY", "40");
    world
}

// Capital.

#[test]
fn only_open_buys_of_others_may_still_spend_cash() {
    let mut world = half_in_spy("20000");
    world.market("VTI", "200");
    let ours = ClientOrderId::of(&world.key, &symbol("VTI"), Side::Buy, 1);
    for (id, side, status) in [
        ("sells", Side::Sell, OrderStatus::Working),
        ("ended", Side::Buy, OrderStatus::Cancelled),
        (ours.as_str(), Side::Buy, OrderStatus::Cancelled),
    ] {
        let mut other = order(id, "VTI", side, "10");
        other.limit = Some(price("210"));
        other.status = status;
        world.snapshot.orders.push(other);
    }
    assert_eq!(world.plan().capital.foreign_open_buys, Usd::ZERO);
}

#[test]
fn a_foreign_market_order_may_spend_the_reference_price_and_the_collar() {
    let mut world = half_in_spy("20000");
    world.market("VTI", "200").foreign_order("VTI", Side::Buy, "10");
    world.snapshot.orders[0].filled = shares("2");
    let capital = world.plan().capital;
    // The other 8 at 200 and 1.5 percent more.
    assert_eq!((capital.foreign_open_buys, capital.equity), (usd("1624"), usd("18376")));
}

// Crossing.

/// Orders when `a`, which has the QQQ it wants, leaves a number of SPY at 10 dollars, with m at 25
/// and others beside it: name, allocation, weight of SPY and SPY held.
fn leaving(count: &str, others: &[(&str, &str, &str, &str)]) -> Vec<String> {
    let mut world = World::new("10000");
    world.market("SPY", "10").market("QQQ", "10").strategy("a", "0.2", &[("QQQ", "1")]);
    world.holds("a", "QQQ", "196").holds("a", "SPY", count);
    for (who, allocation, of_spy, held) in others {
        let weights: &[_] = if *of_spy == "0" { &[] } else { &[("SPY", *of_spy)] };
        world.strategy(who, allocation, weights);
        if *held != "0" {
            world.holds(who, "SPY", held);
        }
    }
    level(&mut world);
    orders(&world.plan())
}

#[test]
fn an_exits_remainder_passes_only_to_a_sleeve_that_keeps_what_it_has() {
    // 0.8 of 9,800 are 7,840; a quarter of that is 196 shares.
    let beside = |of_spy, held| leaving("2", &[("b", "0.8", of_spy, held)]);
    assert_eq!(beside("0.25", "196"), [""; 0], "keeps");
    assert_eq!(beside("0", "0"), ["sell 2 SPY"], "does not name it");
    assert_eq!(beside("0.0006", "0"), ["sell 2 SPY"], "may not enter with 4.70 dollars");
    assert_eq!(beside("0.25", "206"), ["sell 12 SPY"], "trims 10");
}

#[test]
fn a_receiver_of_an_exits_remainder_stays_a_cent_below_a_resize() {
    let b = ("b", "0.8", "0.25", "196");
    assert_eq!(leaving("2.499", &[b]), [""; 0], "24.99 dollars");
    assert_eq!(leaving("2.4995", &[b]), ["sell 2.4995 SPY"], "24.995 dollars");
}

#[test]
fn an_exits_remainder_of_exactly_m_is_sold() {
    let both = [("b", "0.4", "0.5", "196"), ("c", "0.4", "0.5", "196")];
    assert_eq!(leaving("2.4995", &both), [""; 0]);
    assert_eq!(leaving("2.5", &both), ["sell 2.5 SPY"]);
}

#[test]
fn a_tie_of_confidence_goes_to_the_buyer_that_is_listed_first() {
    let mut world = World::new("1000");
    world.market("SPY", "10").market("QQQ", "10");
    world.strategy("b", "0.5", &[("SPY", "1")]).strategy("a", "0.5", &[("QQQ", "0.8")]);
    world.holds("a", "SPY", "100");
    level(&mut world);
    world.policy.conflict = ConflictRule::HighestConfidence;
    world.confidence("a", 0.4).confidence("b", 0.4);
    let plan = world.plan();
    assert_eq!(plan.conflicts[0].outcome, "the sellers are less sure and wait");
    assert_eq!(orders(&plan), ["buy 392 QQQ", "buy 490 SPY"]);
    assert_eq!(plan.sleeves[1].waiting, BTreeSet::from([symbol("SPY")]));
}

// Due.

/// A threshold strategy rebalanced today, with its holdings at 100 dollars, 9,800 to deploy.
fn drifting(most: &str, weights: &[(&str, &str)], holds: &[(&str, &str)]) -> SleeveState {
    let mut world = World::new("10000");
    world.market("WHOLE", "100").whole_shares("WHOLE").strategy("a", "1", weights);
    world.rebalances("a", Rebalance::Threshold(weight(most))).rebalanced("a", TODAY);
    for (ticker, count) in holds {
        if *ticker != "WHOLE" {
            world.market(ticker, "100");
        }
        world.holds("a", ticker, count);
    }
    level(&mut world);
    state(&world, "a")
}

#[test]
fn a_leftover_makes_due_from_beyond_m_on_and_from_one_whole_share_on() {
    let beside = |ticker, count| {
        let holds = [("SPY", "49"), (ticker, count)];
        drifting("0.2", &[("SPY", "0.5")], &holds)
    };
    let leftover = |ticker| SleeveState::Due(DueReason::Leftover(symbol(ticker)));
    assert_eq!(beside("TLT", "0.25"), NOT_DUE, "exactly m of 25 dollars");
    assert_eq!(beside("TLT", "0.2501"), leftover("TLT"));
    assert_eq!(beside("WHOLE", "0.99"), NOT_DUE, "cannot be sold");
    assert_eq!(beside("WHOLE", "1"), leftover("WHOLE"));
}

#[test]
fn dust_makes_no_sleeve_due_however_low_its_threshold_is() {
    // 9,701 of 9,800 dollars are in SPY, the other 99 cannot be sold.
    let holds = [("SPY", "97.01"), ("WHOLE", "0.99")];
    assert_eq!(drifting("0.01", &[("SPY", "1")], &holds), NOT_DUE);
}

#[test]
fn a_weight_exactly_at_the_threshold_is_no_drift() {
    let with = |held| drifting("0.1", &[("SPY", "0.6")], &[("SPY", held)]);
    assert_eq!(with("49"), NOT_DUE, "0.5 of 0.6");
    assert_eq!(with("48.99"), SleeveState::Due(DueReason::Drift(symbol("SPY"))));
}

#[test]
fn too_much_uninvested_is_a_drift_when_each_symbol_is_near_its_target() {
    let weights = [("SPY", "0.3"), ("QQQ", "0.3")];
    let with = |held| drifting("0.09", &weights, &[("SPY", held), ("QQQ", held)]);
    // Each weighs 0.255, 0.045 too little; 0.49 is free, 0.09 too much.
    assert_eq!(with("24.99"), NOT_DUE);
    assert_eq!(with("24.98"), SleeveState::Due(DueReason::Drift(symbol("SPY"))));
}

// The ledger carried forward.

#[test]
fn what_happened_at_the_moment_of_the_first_ledger_is_in_it_already() {
    let mut world = holding_forty();
    let began = "2026-11-19T14:35:00Z";
    world.known().ledger.began = Some(at(began));
    world.happened("h1", began, by_hand("SPY", Side::Buy, "5"));
    assert!(carried(&mut world).unwrap().foreign.is_empty());
    world.snapshot.activities[0].at = at("2026-11-19T14:35:01Z");
    broker_shows(&mut world, "SPY", "45");
    assert_eq!(carried(&mut world).unwrap().foreign[&symbol("SPY")], shares("5"));
}

#[test]
fn a_hand_sale_may_take_everything_and_not_a_share_more() {
    let mut world = holding_forty();
    world.foreign("SPY", "2").happened(
        "h1",
        "2026-11-20T14:31:00Z",
        by_hand("SPY", Side::Sell, "42"),
    );
    world.snapshot.positions.clear();
    let ledger = carried(&mut world).unwrap();
    assert!(ledger.symbols().is_empty() && ledger.sleeves[&name("a")].touched);
    world.snapshot.activities[0].what = by_hand("SPY", Side::Sell, "43");
    assert_eq!(unexplained(&mut world), "43 SPY were sold by hand and the ledger shows fewer");
}

#[test]
fn a_position_that_the_ledger_never_heard_of_is_not_explained() {
    let mut world = holding_forty();
    world.receive("QQQ", "3");
    assert_eq!(unexplained(&mut world), "QQQ 3, by the ledger 0");
}

#[test]
fn as_many_shares_of_another_asset_are_not_the_ledgers() {
    let mut world = holding_forty();
    world.known().ledger.assets.insert(symbol("SPY"), AssetId("id-OLD".to_owned()));
    assert_eq!(unexplained(&mut world), "SPY is another asset than the ledger's");
}

#[test]
fn a_missing_fraction_is_cash_in_lieu_only_after_a_split() {
    let mut world = holding_forty();
    broker_shows(&mut world, "SPY", "39.5");
    assert_eq!(unexplained(&mut world), "SPY 39.5, by the ledger 40");
    let split = ActivityKind::Split { symbol: symbol("SPY"), new: Shares::ONE, old: Shares::ONE };
    world.happened("s1", "2026-11-20T05:00:00Z", split);
    assert_eq!(sleeve_shares(&carried(&mut world).unwrap(), "a", "SPY"), shares("39.5"));
}

#[test]
fn after_a_split_the_broker_may_have_rounded_up_by_a_millionth() {
    let mut world = holding_forty();
    let (new, old) = (shares("1"), shares("3"));
    world.happened(
        "s1",
        "2026-11-20T05:00:00Z",
        ActivityKind::Split { symbol: symbol("SPY"), new, old },
    );
    for shown in ["13.333333333", "13.333333334", "13.333334333"] {
        broker_shows(&mut world, "SPY", shown);
        assert_eq!(sleeve_shares(&carried(&mut world).unwrap(), "a", "SPY"), shares(shown));
    }
    broker_shows(&mut world, "SPY", "13.333334334");
    assert_eq!(unexplained(&mut world), "SPY 13.333334334, by the ledger 13.333333333");
}

#[test]
fn each_of_two_renames_moves_its_own_ticker() {
    let mut world = World::new("10000");
    world.market("META", "10").market("XYZ", "10").strategy("a", "1", &[("META", "0.5")]);
    world.receive("META", "40").receive("XYZ", "7");
    let before = BTreeMap::from([(symbol("FB"), shares("40")), (symbol("SQ"), shares("7"))]);
    world.known().ledger.sleeves.entry(name("a")).or_default().shares = before;
    for (from, to, when) in
        [("FB", "META", "2026-11-20T05:00:00Z"), ("SQ", "XYZ", "2026-11-20T06:00:00Z")]
    {
        let rename = ActivityKind::Rename { from: symbol(from), to: symbol(to) };
        world.happened(from, when, rename);
    }
    let after = BTreeMap::from([(symbol("META"), shares("40")), (symbol("XYZ"), shares("7"))]);
    assert_eq!(carried(&mut world).unwrap().sleeves[&name("a")].shares, after);
}

#[test]
fn the_ledger_looks_back_a_week_and_not_beyond_its_beginning() {
    let ledger = |began: Option<&str>, until: Option<&str>| Ledger {
        began: began.map(at),
        booked_until: until.map(at),
        ..Ledger::default()
    };
    let until = Some("2026-11-19T14:35:00Z");
    let week = Some(at("2026-11-12T14:35:00Z"));
    assert_eq!(ledger(None, until).look_back(), week);
    assert_eq!(ledger(Some("2026-11-12T14:34:59Z"), until).look_back(), week);
    let later = "2026-11-12T14:35:01Z";
    assert_eq!(ledger(Some(later), until).look_back(), Some(at(later)));
    assert_eq!(ledger(Some(later), None).look_back(), None);
}

#[test]
fn the_ledger_notes_the_assets_of_what_it_holds_and_of_nothing_else() {
    let mut world = holding_forty();
    world.happened("h1", "2026-11-19T18:00:00Z", by_hand("QQQ", Side::Buy, "5"));
    world.receive("QQQ", "5");
    let assets = &mut world.known().ledger.assets;
    assets.remove(&symbol("QQQ"));
    assets.insert(symbol("GONE"), AssetId("id-GONE".to_owned()));
    let id = |ticker: &str| (symbol(ticker), AssetId(format!("id-{ticker}")));
    assert_eq!(carried(&mut world).unwrap().assets, BTreeMap::from([id("QQQ"), id("SPY")]));
}

// Instructions.

fn instructed(world: &mut World, what: Move) {
    let (who, reason) = ("operator".to_owned(), "a test".to_owned());
    let instruction = Instruction { id: "1".to_owned(), at: world.snapshot.now, who, reason, what };
    world.known().instructions.push(instruction);
}

#[test]
fn to_assign_what_nobody_owns_is_refused_and_holds_no_sleeve() {
    let mut world = holding_forty();
    let what = Move::Assign { strategy: name("a"), symbol: symbol("QQQ"), shares: None };
    instructed(&mut world, what);
    let decision = world.decide();
    assert_eq!(decision.incidents[0].code, "instruction-refused");
    assert!(!decision.ledger.unwrap().sleeves[&name("a")].touched);
}

#[test]
fn to_release_one_symbol_leaves_the_others_to_their_sleeve() {
    let mut world = holding_forty();
    world.holds("a", "QQQ", "4");
    instructed(&mut world, Move::Release { strategy: name("a"), symbol: Some(symbol("SPY")) });
    let decision = world.decide();
    assert_eq!(decision.incidents[0].what, "40 SPY of a are foreign now");
    let ledger = decision.ledger.unwrap();
    assert_eq!(ledger.foreign, BTreeMap::from([(symbol("SPY"), shares("40"))]));
    assert_eq!(sleeve_shares(&ledger, "a", "QQQ"), shares("4"));
}

// Settling.

fn last(ledger: &Ledger, who: &str) -> LastRebalance {
    ledger.sleeves[&name(who)].last.clone().unwrap()
}

/// Whether the rebalance of `a` is finished when so much of its one order is executed.
fn finished(world: &World, filled: &str) -> bool {
    let acted = act(world, &world.decide(), &mut |_, _, _| shares(filled));
    last(&acted.ledger, "a").finished.is_some()
}

#[test]
fn a_rebalance_is_finished_when_less_than_a_minimum_is_missing() {
    let enters = half_in_spy("10000");
    // 49 are wanted, m is 25 dollars.
    assert!(!finished(&enters, "48.75"));
    assert!(finished(&enters, "48.7501"));
    let mut leaves = World::new("10000");
    leaves.market("SPY", "100").strategy("a", "1", &[]).holds("a", "SPY", "10");
    assert!(!finished(&leaves, "9.95"), "5 dollars are an order");
    assert!(finished(&leaves, "9.9501"));
}

#[test]
fn a_rebalance_is_finished_when_less_than_one_whole_share_is_missing() {
    let whole = |of_spy, filled| {
        let mut world = World::new("10000");
        world.market("SPY", "100").whole_shares("SPY").strategy("a", "1", &[("SPY", of_spy)]);
        finished(&world, filled)
    };
    // 49.49 are wanted and 49 ordered; then 49 are wanted.
    assert!(whole("0.505", "49"));
    assert!(!whole("0.5", "48"));
}

#[test]
fn unfinished_rebalances_are_counted_once_a_session() {
    let mut world = half_in_spy("10000");
    let nothing = &mut |_: &Symbol, _, _| Shares::ZERO;
    let acted = act(&world, &world.decide(), nothing);
    assert_eq!(last(&acted.ledger, "a").unfinished, 1, "the first of all");
    for (session, before, now) in
        [(YESTERDAY, 0, 1), (YESTERDAY, 2, 3), (TODAY, 0, 1), (TODAY, 2, 2)]
    {
        world.rebalanced("a", session);
        let sleeve = world.known().ledger.sleeves.get_mut(&name("a")).unwrap();
        sleeve.last.as_mut().unwrap().unfinished = before;
        let acted = act(&world, &world.decide(), nothing);
        let last = last(&acted.ledger, "a");
        assert_eq!((last.unfinished, last.finished), (now, Some(session)), "{session} {before}");
    }
}

#[test]
fn a_strategy_without_allocation_has_a_last_rebalance_like_any_other() {
    let mut world = half_in_spy("10000");
    world.strategy("b", "0", &[("SPY", "1")]);
    let acted = act(&world, &world.decide(), &mut |_, _, planned| planned);
    assert_eq!(last(&acted.ledger, "b").finished, Some(TODAY));
}

#[test]
fn adopted_shares_that_were_not_sold_stay_in_their_sleeve() {
    let mut world = World::new("5000");
    world.market("SPY", "10").market("QQQ", "10").strategy("a", "1", &[("SPY", "0.5")]);
    world.receive("QQQ", "200");
    world.policy.adopt = Some(Adopt::These(BTreeSet::from([symbol("QQQ")])));
    let acted = act(&world, &world.decide(), &mut |_, _, _| shares("50"));
    assert_eq!(sleeve_shares(&acted.ledger, "adopted", "QQQ"), shares("150"));
}

#[test]
fn a_strategy_that_cannot_be_read_keeps_its_last_rebalance() {
    let mut world = World::new("10000");
    world.market("SPY", "100");
    world.strategy("a", "0.4", &[]).strategy("b", "0.6", &[("SPY", "0.5")]);
    world.rebalanced("a", YESTERDAY);
    let mut book = world.book();
    book[0].engine = Err(StrategyError::Empty);
    let decision = decide(&world.snapshot, &book, &world.policy, &world.key);
    let acted = act(&world, &decision, &mut |_, _, planned| planned);
    assert_eq!(last(&acted.ledger, "a").finished, Some(YESTERDAY));
}

#[test]
fn a_strategy_taken_out_and_put_back_is_due_at_once() {
    let mut world = half_in_spy("10000");
    world.rebalanced("a", TODAY).holds("a", "SPY", "10");
    world.puppets.clear();
    world.policy.strategies.clear();
    world.strategy("b", "1", &[]);
    let acted = act(&world, &world.decide(), &mut |_, _, planned| planned);
    let mut back = after(&world, &acted);
    back.puppets.clear();
    back.strategy("a", "1", &[("SPY", "0.5")]).rebalances("a", Rebalance::Monthly);
    assert_ne!(state(&back, "a"), NOT_DUE);
}

#[test]
fn a_first_ledger_is_booked_up_to_the_moment_at_which_the_account_was_seen() {
    let world = half_in_spy("10000");
    let ledger = first(&world.snapshot);
    let seen = Some(world.snapshot.now);
    assert_eq!((ledger.began, ledger.booked_until), (seen, seen));
}

/// Carried forward, when an order of the sleeve `a` was left with its end unknown.
fn left_unknown(
    (side, unbooked): (Side, &str),
    status: OrderStatus,
) -> Result<Ledger, LedgerError> {
    let mut world = holding_forty();
    let id = ClientOrderId::of(&world.key, &symbol("SPY"), side, 1);
    let parts = vec![Part { strategy: name("a"), shares: shares(unbooked) }];
    let (booked, amount) = (Shares::ZERO, Usd::ZERO);
    let unsettled = Unsettled { symbol: symbol("SPY"), side, booked, amount, parts };
    world.known().ledger.unsettled.insert(id.clone(), unsettled);
    let mut seen = order(id.as_str(), "SPY", side, unbooked);
    (seen.filled, seen.status) = (shares(unbooked), status);
    world.snapshot.orders.push(seen);
    carry_forward(&world.known().ledger.clone(), &world.snapshot).map(|carried| carried.ledger)
}

#[test]
fn an_order_that_still_works_leaves_the_books_open() {
    let left = left_unknown((Side::Buy, "5"), OrderStatus::PartiallyFilled).unwrap_err();
    assert!(
        matches!(&left, LedgerError::Unsettled(orders) if orders.contains("SPY-B-1")),
        "{left}"
    );
}

#[test]
fn a_sale_of_more_than_a_sleeve_owned_is_no_ledger() {
    let sold = left_unknown((Side::Sell, "41"), OrderStatus::Filled).unwrap_err();
    assert!(matches!(sold, LedgerError::Mismatch(_)));
    assert!(sold.to_string().contains("a sold 41 SPY by al1-P-"), "{sold}");
}

//! The laws of capital, sleeves and the plan, on random accounts.
//!
//! Every law is worked out here from the broker's side, from scratch: sums over positions, cash
//! and prices, never with a function of the plan's own. `LAWS_CASES` sets the number of accounts
//! per law.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod money;

use std::collections::{BTreeMap, BTreeSet};

use alchemiser::domain::account::ActivityKind;
use alchemiser::domain::decide::Decision;
use alchemiser::domain::money::{Shares, Usd, Weight};
use alchemiser::domain::order::Side;
use alchemiser::domain::plan::{RebalancePlan, SleevePlan, SleeveState};
use alchemiser::domain::policy::ConflictRule;
use alchemiser::domain::sleeve::fold::carry_forward;
use alchemiser::domain::sleeve::ledger::Ledger;
use alchemiser::domain::snapshot::Past;
use alchemiser::domain::strategy::Rebalance;
use alchemiser::domain::symbol::Symbol;
use jiff::civil::date;
use money::{World, act, after, name, order, price, shares, sleeve_shares, symbol, usd};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use rust_decimal::Decimal;

const TICKERS: [&str; 5] = ["AAA", "BBB", "CCC", "DDD", "EEE"];
const SLEEVES: [&str; 4] = ["one", "two", "three", "four"];

/// What keeps a symbol from trading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    NoQuote,
    NotTradable,
    ForeignOrder,
    Jump,
}

#[derive(Debug, Clone)]
struct Asset {
    cents: u32,
    half_spread_cents: u32,
    whole: bool,
    trouble: Trouble,
    foreign_millis: u32,
    volume: Option<u32>,
}

#[derive(Debug, Clone)]
struct SleeveCase {
    share: u32,
    fails: bool,
    touched: bool,
    rule: Rebalance,
    rebalanced: Option<bool>,
    confidence: Option<u32>,
    /// Billionths of shares per ticker.
    held: [u64; 5],
    /// Signal weights; the sixth is cash.
    weights: [u32; 6],
}

#[derive(Debug, Clone)]
struct Case {
    cash_cents: i64,
    assets: Vec<Asset>,
    sleeves: Vec<SleeveCase>,
    /// Held by a strategy that was taken out of the policy.
    gone: Option<(usize, u64)>,
    highest_confidence: bool,
    /// How much of each order is executed, in thousandths, used in turn.
    fills: Vec<u32>,
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        12 => Just(Trouble::None),
        1 => Just(Trouble::NoQuote),
        1 => Just(Trouble::NotTradable),
        1 => Just(Trouble::ForeignOrder),
        1 => Just(Trouble::Jump),
    ]
}

fn asset() -> impl Strategy<Value = Asset> {
    let foreign = prop_oneof![3 => Just(0_u32), 1 => 1_u32..5_000];
    let volume = prop_oneof![6 => Just(None), 1 => (1_000_u32..1_000_000).prop_map(Some)];
    (60_u32..90_000, 0_u32..10, any::<bool>(), trouble(), foreign, volume).prop_map(
        |(cents, spread, whole, trouble, foreign_millis, volume)| Asset {
            cents,
            half_spread_cents: spread.min(cents / 400),
            whole,
            trouble,
            foreign_millis,
            volume,
        },
    )
}

fn holding() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(0_u64), 1 => 1_u64..20_000_000, 4 => 20_000_000_u64..200_000_000_000]
}

fn sleeve() -> impl Strategy<Value = SleeveCase> {
    let rule = prop_oneof![
        5 => Just(Rebalance::Daily),
        1 => Just(Rebalance::Weekly),
        1 => Just(Rebalance::Threshold(Weight::parse("0.05").unwrap())),
    ];
    let weight = prop_oneof![2 => Just(0_u32), 3 => 1_u32..1000];
    (
        1_u32..1000,
        proptest::bool::weighted(0.15),
        proptest::bool::weighted(0.1),
        rule,
        proptest::option::of(any::<bool>()),
        proptest::option::of(0_u32..3),
        proptest::array::uniform5(holding()),
        proptest::array::uniform6(weight),
    )
        .prop_map(|(share, fails, touched, rule, rebalanced, confidence, held, weights)| {
            SleeveCase { share, fails, touched, rule, rebalanced, confidence, held, weights }
        })
}

fn case() -> impl Strategy<Value = Case> {
    (
        prop_oneof![1 => -1_000_i64..1_000, 4 => 100_000_i64..10_000_000],
        proptest::collection::vec(asset(), 5),
        proptest::collection::vec(sleeve(), 1..=4),
        proptest::option::weighted(0.3, (0_usize..5, 1_u64..50_000_000_000)),
        any::<bool>(),
        proptest::collection::vec(prop_oneof![Just(1000_u32), Just(0), 0_u32..1000], 1..6),
    )
        .prop_map(|(cash_cents, assets, sleeves, gone, highest_confidence, fills)| Case {
            cash_cents,
            assets,
            sleeves,
            gone,
            highest_confidence,
            fills,
        })
}

fn billionths(count: u64) -> String {
    Decimal::new(i64::try_from(count).unwrap(), 9).to_string()
}

fn cents(count: i64) -> String {
    Decimal::new(count, 2).to_string()
}

/// Exact fractions of `parts` with nine decimals that sum to one; the last takes the rest.
fn fractions(parts: &[u32]) -> Vec<Weight> {
    let sum: u32 = parts.iter().sum();
    let mut rest = Decimal::ONE;
    let mut all: Vec<Weight> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let exact = (Decimal::from(*part) / Decimal::from(sum)).trunc_with_scale(9);
        let value = if index + 1 == parts.len() { rest } else { exact };
        rest -= value;
        all.push(Weight::new(value).unwrap());
    }
    all
}

fn build(case: &Case) -> World {
    let mut world = World::new(&cents(case.cash_cents));
    // The limits that stop a plan are tested by themselves; here plans should get through.
    world.policy.limits.turnover_run_max = Decimal::TEN;
    world.policy.limits.turnover_day_max = Decimal::ONE_HUNDRED;
    world.policy.limits.failed_allocation_max = Weight::ONE;
    world.policy.minimum_equity = Usd::ZERO;
    if case.highest_confidence {
        world.policy.conflict = ConflictRule::HighestConfidence;
    }
    for (ticker, asset) in TICKERS.iter().zip(&case.assets) {
        let at = |cents_: u32| cents(i64::from(cents_));
        world.market(ticker, &at(asset.cents));
        let (bid, ask) =
            (asset.cents - asset.half_spread_cents, asset.cents + asset.half_spread_cents);
        world.quote(ticker, &at(bid), &at(ask));
        world.close_with_volume(ticker, &at(asset.cents), asset.volume.map(f64::from));
        if asset.whole {
            world.whole_shares(ticker);
        }
    }
    let allocations = fractions(&case.sleeves.iter().map(|s| s.share).collect::<Vec<_>>());
    for (who, (sleeve, allocation)) in SLEEVES.iter().zip(case.sleeves.iter().zip(allocations)) {
        add_sleeve(&mut world, who, sleeve, &allocation.to_string());
    }
    if let Some((ticker, count)) = case.gone {
        world.holds("gone", TICKERS[ticker], &billionths(count));
    }
    for (ticker, asset) in TICKERS.iter().zip(&case.assets) {
        if asset.foreign_millis > 0 {
            let count = Decimal::new(i64::from(asset.foreign_millis), 3).to_string();
            world.foreign(ticker, &count);
        }
        add_trouble(&mut world, ticker, asset);
    }
    world.known();
    world.revalue();
    world
}

fn add_sleeve(world: &mut World, who: &str, case: &SleeveCase, allocation: &str) {
    let sum: u32 = case.weights.iter().sum();
    if case.fails || sum == 0 {
        world.failing(who, allocation);
    } else {
        let weights = fractions(&case.weights);
        let texts: Vec<(&str, String)> = TICKERS
            .iter()
            .zip(&weights)
            .filter(|(_, weight)| !weight.is_zero())
            .map(|(ticker, weight)| (*ticker, weight.to_string()))
            .collect();
        let borrowed: Vec<(&str, &str)> = texts.iter().map(|(t, w)| (*t, w.as_str())).collect();
        world.strategy(who, allocation, &borrowed);
        if let Some(confidence) = case.confidence {
            world.confidence(who, f64::from(confidence) / 4.0);
        }
    }
    world.rebalances(who, case.rule);
    if let Some(recent) = case.rebalanced {
        let day = if recent { date(2026, 11, 19) } else { date(2026, 11, 12) };
        world.rebalanced(who, day);
    }
    for (ticker, count) in TICKERS.iter().zip(case.held) {
        if count > 0 {
            world.holds(who, ticker, &billionths(count));
        }
    }
    if case.touched {
        let sleeves = &mut world.known().ledger.sleeves;
        sleeves.entry(name(who)).or_default().touched = true;
    }
}

fn add_trouble(world: &mut World, ticker: &str, asset: &Asset) {
    match asset.trouble {
        Trouble::None => {}
        Trouble::NoQuote => {
            world.no_quote(ticker);
        }
        Trouble::NotTradable => {
            world.snapshot.assets.get_mut(&symbol(ticker)).unwrap().tradable = false;
        }
        Trouble::ForeignOrder => {
            world.snapshot.orders.push(order(ticker, ticker, Side::Sell, "1"));
        }
        Trouble::Jump => {
            world.close(ticker, &cents(i64::from(asset.cents) * 3));
            world.snapshot.splits = alchemiser::domain::snapshot::Splits::Unknown;
        }
    }
}

fn cases(default: u32) -> u32 {
    option_env!("LAWS_CASES").and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs a law on random accounts, and returns how many of them the gate let trade.
fn law(count: u32, check: impl Fn(&Case, &World, &Decision)) {
    let config = Config { cases: cases(count), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let result = runner.run(&case(), |case| {
        let world = build(&case);
        let decision = world.decide();
        check(&case, &world, &decision);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn drafted(decision: &Decision) -> &RebalancePlan {
    decision.drafted.as_ref().expect("every random account can be planned for")
}

fn is_due(sleeve: &SleevePlan) -> bool {
    matches!(sleeve.state, SleeveState::Due(_))
}

fn value(world: &World, holdings: &BTreeMap<Symbol, Shares>) -> Decimal {
    holdings.iter().map(|(s, n)| n.decimal() * world.reference(s).unwrap().decimal()).sum()
}

fn before(world: &World) -> Ledger {
    match &world.snapshot.past {
        Past::Known(known) => known.ledger.clone(),
        Past::First | Past::Lost => unreachable!(),
    }
}

fn total(ledger: &Ledger, symbol: &Symbol) -> Decimal {
    let sleeves = ledger.sleeves.values().filter_map(|sleeve| sleeve.shares.get(symbol));
    sleeves.chain(ledger.foreign.get(symbol)).map(|shares| shares.decimal()).sum()
}

/// The orders filled as the case says, one fraction after the other.
fn fill_by(case: &Case) -> impl FnMut(&Symbol, Side, Shares) -> Shares {
    let mut turn = 0;
    move |_, _, planned| {
        let thousandths = case.fills[turn % case.fills.len()];
        turn += 1;
        planned.scaled_down(Decimal::new(i64::from(thousandths), 3))
    }
}

#[test]
fn due_targets_and_held_value_stay_within_the_larger_of_deployable_and_held() {
    law(2500, |_, world, decision| {
        let plan = drafted(decision);
        let ledger = before(world);
        let m = plan.capital.resize_min.decimal();
        let held: Decimal = plan
            .sleeves
            .iter()
            .filter(|sleeve| !is_due(sleeve))
            .filter_map(|sleeve| ledger.sleeves.get(&sleeve.strategy))
            .map(|sleeve| value(world, &sleeve.shares))
            .sum();
        let claimed: Decimal =
            plan.sleeves.iter().filter(|s| is_due(s)).map(|s| s.capital.decimal()).sum();
        let deployable = plan.capital.deployable.decimal();
        assert!(claimed + held <= deployable.max(held), "{claimed} + {held} > {deployable}");
        for sleeve in plan.sleeves.iter().filter(|sleeve| is_due(sleeve)) {
            // What it wants beyond its capital is only what it already has: shares that wait, and
            // less than a resize in each other symbol.
            let (mut wanted, mut excess) = (Decimal::ZERO, Decimal::ZERO);
            for (symbol, shares) in &sleeve.wants {
                let worth = shares.decimal() * world.reference(symbol).unwrap().decimal();
                wanted += worth;
                excess += if sleeve.waiting.contains(symbol) { worth } else { m };
            }
            let capital = sleeve.capital.decimal();
            assert!(wanted <= capital + excess, "{} wants {wanted}", sleeve.strategy);
        }
        // E, R and D from the broker's figures.
        let sleeves: Decimal = ledger.sleeves.values().map(|s| value(world, &s.shares)).sum();
        let equity = world.snapshot.account.cash.decimal() + sleeves;
        assert_eq!(plan.capital.equity.decimal(), equity);
        let reserve = (equity * Decimal::new(2, 2)).max(Decimal::ONE_HUNDRED);
        assert_eq!(plan.capital.reserve.decimal(), reserve);
    });
}

#[test]
fn allocations_sum_to_at_most_one_and_each_buy_stays_within_its_weight() {
    law(1500, |_, world, decision| {
        let plan = drafted(decision);
        let sum: Decimal = plan.sleeves.iter().map(|s| s.allocation.decimal()).sum();
        assert!(sum <= Decimal::ONE);
        let m = plan.capital.resize_min.decimal();
        let ledger = before(world);
        for sleeve in plan.sleeves.iter().filter(|sleeve| is_due(sleeve)) {
            let puppet = world.puppets.iter().find(|puppet| puppet.name == sleeve.strategy);
            for (symbol, wanted) in &sleeve.wants {
                let own = ledger.sleeves.get(&sleeve.strategy);
                let had = own.map(|own| own.shares_of(symbol)).unwrap_or_default();
                if *wanted <= had {
                    continue;
                }
                let weight = puppet
                    .and_then(|puppet| puppet.says.as_ref().ok())
                    .map(|signal| signal.weight_of(symbol))
                    .unwrap_or_default();
                let price = world.reference(symbol).unwrap().decimal();
                // An exit's remainder may come on top, by less than a resize.
                let most = sleeve.capital.decimal() * weight.decimal() + m;
                assert!(wanted.decimal() * price < most, "{} {symbol}", sleeve.strategy);
            }
        }
    });
}

#[test]
fn no_sleeve_sells_more_than_it_holds_and_every_symbol_has_one_side() {
    law(2000, |_, world, decision| {
        let plan = drafted(decision);
        let ledger = before(world);
        let mut seen = BTreeSet::new();
        for item in &plan.items {
            assert!(seen.insert(&item.symbol), "one item per symbol");
            let Some((side, quantity)) = item.order() else { continue };
            let parts: Decimal = item.parts.iter().map(|part| part.shares.decimal()).sum();
            assert_eq!(parts, quantity.decimal(), "the parts are the order");
            assert!(item.fractionable || quantity.decimal().fract().is_zero());
            let passed = |from: bool, who| -> Decimal {
                plan.crossings
                    .iter()
                    .filter(|c| c.symbol == item.symbol)
                    .filter(|c| if from { &c.from == who } else { &c.to == who })
                    .map(|c| c.shares.decimal())
                    .sum()
            };
            for part in &item.parts {
                let own = ledger.sleeves.get(&part.strategy);
                let own = own.map(|own| own.shares_of(&item.symbol).decimal()).unwrap_or_default();
                if side == Side::Sell {
                    let gone = part.shares.decimal() + passed(true, &part.strategy);
                    assert!(gone <= own, "{} sells {gone} of {own}", part.strategy);
                }
            }
            let position = world.snapshot.positions.get(&item.symbol);
            let position = position.map(|p| p.shares.decimal()).unwrap_or_default();
            let foreign = ledger.foreign.get(&item.symbol).copied().unwrap_or_default();
            if side == Side::Sell {
                assert!(quantity.decimal() <= position - foreign.decimal(), "foreign shares stay");
            }
        }
        for (i, a) in plan.crossings.iter().enumerate() {
            let back = plan.crossings[i + 1..]
                .iter()
                .any(|b| b.symbol == a.symbol && (b.from == a.to || b.to == a.from));
            assert!(!back, "nobody gives and gets the same symbol");
        }
    });
}

#[test]
fn held_sleeves_and_foreign_shares_are_unchanged_by_a_run() {
    law(1500, |case, world, decision| {
        if decision.plan.is_none() {
            return;
        }
        let plan = drafted(decision);
        let ledger = before(world);
        let acted = act(world, decision, &mut fill_by(case));
        assert_eq!(acted.ledger.foreign, ledger.foreign);
        for (who, sleeve) in SLEEVES.iter().zip(&case.sleeves) {
            // Whatever the plan says of itself: failed or touched sleeves are held.
            if sleeve.fails || sleeve.touched {
                let was = ledger.sleeves.get(&name(who)).cloned().unwrap_or_default();
                let is = acted.ledger.sleeves.get(&name(who)).cloned().unwrap_or_default();
                assert_eq!(is.shares, was.shares, "{who} failed or was touched");
            }
        }
        for sleeve in plan.sleeves.iter().filter(|sleeve| !is_due(sleeve)) {
            let was = ledger.sleeves.get(&sleeve.strategy).cloned().unwrap_or_default();
            let is = acted.ledger.sleeves.get(&sleeve.strategy).cloned().unwrap_or_default();
            assert_eq!(is.shares, was.shares, "{} is held", sleeve.strategy);
            assert_eq!(is.last, was.last);
            assert!(!is.touched);
        }
    });
}

#[test]
fn crossing_and_attribution_neither_create_nor_lose_a_share() {
    law(2000, |case, world, decision| {
        let ledger = before(world);
        let plan = drafted(decision);
        for ticker in TICKERS {
            let symbol = symbol(ticker);
            assert_eq!(total(&plan.ledger, &symbol), total(&ledger, &symbol), "crossing {ticker}");
        }
        if decision.plan.is_none() {
            return;
        }
        let acted = act(world, decision, &mut fill_by(case));
        for ticker in TICKERS {
            let symbol = symbol(ticker);
            let mut expected = total(&ledger, &symbol);
            for outcome in acted.execution.outcomes().filter(|o| o.symbol == symbol) {
                let filled = outcome.filled().decimal();
                expected += if outcome.side == Side::Buy { filled } else { -filled };
            }
            assert_eq!(total(&acted.ledger, &symbol), expected, "attribution {ticker}");
        }
        // The next run finds the broker's positions explained, to the last billionth.
        let next = after(world, &acted);
        let carried = carry_forward(&acted.ledger, &next.snapshot);
        assert!(carried.is_ok(), "{carried:?}");
    });
}

#[test]
fn buys_obey_both_cash_tests_whatever_the_sells_brought() {
    law(2000, |case, world, decision| {
        if decision.plan.is_none() {
            return;
        }
        let plan = drafted(decision);
        let acted = act(world, decision, &mut fill_by(case));
        let mut cash = world.snapshot.account.cash.decimal();
        for outcome in &acted.execution.sells {
            let price = world.reference(&outcome.symbol).unwrap().decimal();
            cash += outcome.filled().decimal() * price;
        }
        let (mut at_reference, mut at_worst) = (Decimal::ZERO, Decimal::ZERO);
        for buy in &acted.buy_plan.items {
            at_reference += buy.shares.decimal() * world.reference(&buy.symbol).unwrap().decimal();
            at_worst += buy.shares.decimal() * buy.worst_limit.decimal();
            let planned = plan.item(&buy.symbol).unwrap().order().unwrap();
            assert!(planned.0 == Side::Buy && buy.shares <= planned.1, "at most its plan item");
            assert!(plan.item(&buy.symbol).unwrap().fractionable || buy.shares.is_whole());
            let parts: Decimal = buy.parts.iter().map(|part| part.shares.decimal()).sum();
            assert_eq!(parts, buy.shares.decimal());
        }
        let reserve = plan.capital.reserve.decimal();
        assert!(at_reference <= (cash - reserve).max(Decimal::ZERO), "{at_reference}");
        assert!(at_worst <= cash.max(Decimal::ZERO), "{at_worst} of {cash}");
        // Each sleeve's room: its capital less what it still holds before buying.
        for sleeve in plan.sleeves.iter().filter(|sleeve| is_due(sleeve)) {
            let mut held = Decimal::ZERO;
            let mut bought = Decimal::ZERO;
            for ticker in TICKERS {
                let symbol = symbol(ticker);
                let price = world.reference(&symbol).unwrap().decimal();
                let own = sleeve_shares(&acted.ledger, sleeve.strategy.as_str(), ticker);
                held += own.decimal() * price;
                let parts = acted.buy_plan.items.iter().filter(|b| b.symbol == symbol);
                let parts = parts.flat_map(|b| &b.parts).filter(|p| p.strategy == sleeve.strategy);
                bought += parts.map(|p| p.shares.decimal() * price).sum::<Decimal>();
            }
            // `held` includes what was filled of `bought`; without buys it is what is held.
            let capital = sleeve.capital.decimal();
            let tolerance = Decimal::new(1, 3); // remainders of rounding, billionths of shares
            assert!(bought.is_zero() || held <= capital + tolerance, "{}", sleeve.strategy);
        }
    });
}

#[test]
fn only_nameable_symbols_are_bought_and_only_named_or_held_ones_planned() {
    law(1500, |_, world, decision| {
        let plan = drafted(decision);
        let ledger = before(world);
        let nameable: BTreeSet<Symbol> =
            world.puppets.iter().flat_map(|puppet| puppet.needs.nameable.clone()).collect();
        let held: BTreeSet<Symbol> =
            ledger.sleeves.values().flat_map(|sleeve| sleeve.shares.keys().cloned()).collect();
        for item in &plan.items {
            assert!(nameable.contains(&item.symbol) || held.contains(&item.symbol));
            if matches!(item.order(), Some((Side::Buy, _))) {
                assert!(nameable.contains(&item.symbol), "{} is exit only", item.symbol);
            }
        }
        let owned: BTreeSet<&Symbol> = held.iter().collect();
        let planned: BTreeSet<&Symbol> = plan.items.iter().map(|item| &item.symbol).collect();
        assert!(owned.is_subset(&planned), "everything held is accounted for");
        for item in &plan.items {
            let blocked = TICKERS.iter().position(|t| symbol(t) == item.symbol).unwrap();
            let is_free = world.snapshot.quotes.contains_key(&symbol(TICKERS[blocked]));
            assert!(item.order().is_none() || is_free, "no order without a quote");
        }
    });
}

/// The same account without anything that the law excludes.
fn calm(case: &Case) -> Case {
    let mut case = case.clone();
    for asset in &mut case.assets {
        asset.trouble = Trouble::None;
        asset.volume = None;
    }
    for sleeve in &mut case.sleeves {
        sleeve.rule = Rebalance::Daily;
        sleeve.touched = false;
    }
    case.highest_confidence = false;
    case
}

#[test]
fn a_plan_filled_at_its_prices_leaves_nothing_but_what_the_budget_cut() {
    law(2500, |case, _, _| {
        let world = build(&calm(case));
        let decision = world.decide();
        if decision.plan.is_none() {
            return;
        }
        let acted = act(&world, &decision, &mut |_, _, planned| planned);
        let next = after(&world, &acted).decide();
        let Some(plan) = &next.drafted else { panic!("{:?}", next.blocked) };
        let orders: Vec<_> = plan.items.iter().filter(|item| item.order().is_some()).collect();
        for item in orders {
            let (side, quantity) = item.order().unwrap();
            let cut = acted.buy_plan.cuts.iter().find(|cut| cut.symbol == item.symbol);
            let most = cut.map(|cut| cut.wanted.minus_at_most(cut.allowed)).unwrap_or_default();
            // A cut is rounded down per sleeve: a billionth each may be on top.
            let most = most + shares("0.000000010");
            assert!(
                side == Side::Buy && quantity <= most,
                "{side} {quantity} {} again, the budget cut {most}: {}",
                item.symbol,
                item.reason
            );
        }
    });
}

#[test]
fn the_same_inputs_give_the_same_bytes_in_whatever_order_the_broker_lists_them() {
    law(1000, |case, world, decision| {
        let bytes = |decision: &Decision| {
            let plan = decision.drafted.as_ref();
            format!("{} {decision:?}", serde_json::to_string(&plan).unwrap())
        };
        assert_eq!(bytes(&world.decide()), bytes(decision));
        let mut shuffled = build(case);
        shuffled.snapshot.orders.reverse();
        shuffled.snapshot.activities.reverse();
        assert_eq!(bytes(&shuffled.decide()), bytes(decision));
        let stored = serde_json::to_string(drafted(decision)).unwrap();
        let read: RebalancePlan = serde_json::from_str(&stored).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), stored);
    });
}

/// Something that happens to an account between two runs.
#[derive(Debug, Clone, Copy)]
enum Event {
    HandBuy(usize, u64),
    HandSell(usize, u32),
    Split(usize, u32, u32),
    OurFill(usize, u64),
    Dividend(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let ticker = 0_usize..5;
    prop_oneof![
        (ticker.clone(), 1_u64..50_000_000_000).prop_map(|(t, n)| Event::HandBuy(t, n)),
        (ticker.clone(), 0_u32..=1000).prop_map(|(t, n)| Event::HandSell(t, n)),
        (ticker.clone(), 1_u32..20, 1_u32..20).prop_map(|(t, n, o)| Event::Split(t, n, o)),
        (ticker.clone(), 1_u64..50_000_000_000).prop_map(|(t, n)| Event::OurFill(t, n)),
        ticker.prop_map(Event::Dividend),
    ]
}

/// Plays events at the broker: only totals per symbol, as a broker knows them. Gives the symbols
/// sold beyond the foreign shares, and the foreign shares that are left.
#[expect(clippy::too_many_lines, reason = "one arm for each event")]
fn play(world: &mut World, events: &[Event]) -> (BTreeSet<Symbol>, BTreeMap<Symbol, Decimal>) {
    let mut sold_from_sleeves = BTreeSet::new();
    let mut foreign: BTreeMap<Symbol, Decimal> = BTreeMap::new();
    for (s, n) in &before(world).foreign {
        foreign.insert(s.clone(), n.decimal());
    }
    let mut totals: BTreeMap<Symbol, Decimal> =
        world.snapshot.positions.iter().map(|(s, p)| (s.clone(), p.shares.decimal())).collect();
    for (index, event) in events.iter().enumerate() {
        let at = format!("2026-11-19T{:02}:00:00Z", 15 + index);
        let id = format!("event-{index}");
        let fill = |ticker: usize, side, count: Decimal, order: &str| ActivityKind::Fill {
            order: order.to_owned(),
            symbol: symbol(TICKERS[ticker]),
            side,
            shares: Shares::new(count).unwrap(),
            price: price("10"),
        };
        match *event {
            Event::HandBuy(ticker, count) => {
                let count = Decimal::new(i64::try_from(count).unwrap(), 9);
                *totals.entry(symbol(TICKERS[ticker])).or_default() += count;
                *foreign.entry(symbol(TICKERS[ticker])).or_default() += count;
                world.happened(&id, &at, fill(ticker, Side::Buy, count, "hand"));
            }
            Event::HandSell(ticker, thousandths) => {
                let total = totals.entry(symbol(TICKERS[ticker])).or_default();
                let count = (*total * Decimal::new(i64::from(thousandths), 3)).trunc_with_scale(9);
                *total -= count;
                let own = foreign.entry(symbol(TICKERS[ticker])).or_default();
                if count > *own {
                    sold_from_sleeves.insert(symbol(TICKERS[ticker]));
                }
                *own = (*own - count).max(Decimal::ZERO);
                world.happened(&id, &at, fill(ticker, Side::Sell, count, "hand"));
            }
            Event::Split(ticker, new, old) => {
                let symbol = symbol(TICKERS[ticker]);
                let (new, old) = (Shares::whole(new), Shares::whole(old));
                let total = totals.entry(symbol.clone()).or_default();
                *total = (*total * new.decimal() / old.decimal()).trunc_with_scale(9);
                let own = foreign.entry(symbol.clone()).or_default();
                *own = (*own * new.decimal() / old.decimal()).trunc_with_scale(9);
                world.happened(&id, &at, ActivityKind::Split { symbol, new, old });
            }
            Event::OurFill(ticker, count) => {
                // An execution of ours that the ledger shows already: told again, moves nothing.
                let key = &world.key;
                let ours = alchemiser::domain::order::ClientOrderId::of(
                    key,
                    &symbol(TICKERS[ticker]),
                    Side::Buy,
                    1,
                );
                let mut known = order(ours.as_str(), TICKERS[ticker], Side::Buy, "100");
                known.status = alchemiser::domain::order::OrderStatus::Filled;
                let broker_id = known.broker_id.clone();
                world.snapshot.orders.push(known);
                let count = Decimal::new(i64::try_from(count).unwrap(), 9);
                world.happened(&id, &at, fill(ticker, Side::Buy, count, &broker_id));
            }
            Event::Dividend(ticker) => {
                world.happened(
                    &id,
                    &at,
                    ActivityKind::Dividend {
                        symbol: symbol(TICKERS[ticker]),
                        amount: usd("1.94"),
                        shares: None,
                        date: date(2026, 11, 19),
                    },
                );
            }
        }
    }
    for (symbol, total) in totals {
        if total.is_zero() {
            world.snapshot.positions.remove(&symbol);
            continue;
        }
        let missing = !world.snapshot.positions.contains_key(&symbol);
        if missing {
            world.receive(symbol.as_str(), "1");
        }
        let position = world.snapshot.positions.get_mut(&symbol).unwrap();
        position.shares = Shares::new(total).unwrap();
        position.available = position.shares;
    }
    (sold_from_sleeves, foreign)
}

#[test]
fn a_ledger_follows_hand_trades_splits_and_our_own_fills_to_the_brokers_positions() {
    let config = Config { cases: cases(2000), failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let events = proptest::collection::vec(event(), 0..6);
    let result = runner.run(&(case(), events), |(case, events)| {
        let mut world = build(&calm(&case));
        let ledger = before(&world);
        let (sold, foreign) = play(&mut world, &events);
        let carried = carry_forward(&ledger, &world.snapshot).expect("facts explain it all").ledger;
        for ticker in TICKERS {
            let symbol = symbol(ticker);
            let position = world.snapshot.positions.get(&symbol);
            let position = position.map(|p| p.shares.decimal()).unwrap_or_default();
            assert_eq!(total(&carried, &symbol), position, "{ticker}");
        }
        let splits = events.iter().any(|event| matches!(event, Event::Split(..)));
        for (who, sleeve) in &ledger.sleeves {
            let is = carried.sleeves.get(who).cloned().unwrap_or_default();
            let touched = sleeve.shares.keys().any(|symbol| sold.contains(symbol));
            assert!(!is.touched || touched, "{who} was not touched");
            if !touched && !splits {
                assert_eq!(is.shares, sleeve.shares, "hand buys are foreign");
            }
        }
        for (symbol, expected) in foreign {
            let is = carried.foreign.get(&symbol).copied().unwrap_or_default().decimal();
            let off = (is - expected).abs(); // each split rounds each holder once
            assert!(off < Decimal::new(1, 6), "{symbol}: {is} foreign, not {expected}");
        }
        let mut shuffled = world.snapshot.clone();
        shuffled.activities.reverse();
        shuffled.orders.reverse();
        let same = carry_forward(&ledger, &shuffled).expect("in another order").ledger;
        assert_eq!(same, carried);
        let again = carry_forward(&carried, &world.snapshot).expect("told twice").ledger;
        assert_eq!(again, carried);
        // A share that nothing explains is found, however small.
        let mut odd = world.snapshot.clone();
        if let Some(position) = odd.positions.values_mut().next() {
            position.shares += shares("0.000000001");
            assert!(splits || carry_forward(&ledger, &odd).is_err());
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn most_random_accounts_reach_the_market() {
    // Laws over accounts that the gate all refuses would prove nothing.
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let traded = std::cell::Cell::new(0);
    let result = runner.run(&case(), |case| {
        let decision = build(&case).decide();
        let orders = decision
            .plan
            .is_some_and(|plan| plan.plan().items.iter().any(|item| item.order().is_some()));
        traded.set(traded.get() + u32::from(orders));

        Ok(())
    });
    assert!(result.is_ok());
    assert!(traded.get() > 150, "only {} of 300 trade", traded.get());
}

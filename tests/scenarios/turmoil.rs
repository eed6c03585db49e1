//! People and prices that move while a run is on, and seeded storms of everything at once.

use std::time::Duration;

use alchemiser::domain::order::Side;
use alchemiser::domain::report::Verdict;
use alchemiser::domain::run::RunAction;
use alchemiser::infrastructure::http::Method;
use alchemiser::simulator::exchange::{Fills, Hand, OrderTrouble};
use alchemiser::simulator::faults::{Effect, Fault, On, StreamTrouble, Trouble};

use crate::cut::{Cut, LEASE_OVER, killed_at};
use crate::stage::Stage;

/// A flip of everything whose sells take ten seconds.
async fn slow_flip() -> Stage {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "QQQ 0.5, GLD 0.5");
    stage.troubles("SPY", 1, OrderTrouble::NeverFilled);
    stage
}

async fn after(stage: &Stage, seconds: u64, what: impl FnOnce(&Stage)) {
    stage.world.clock().sleep(Duration::from_secs(seconds)).await;
    what(stage);
    stage.world.clock().sleep(Duration::from_millis(1)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn buys_are_cut_to_the_cash_when_money_leaves_between_the_phases() {
    let stage = slow_flip().await;
    let leave = after(&stage, 5, |stage| stage.world.book_cash(Hand::Withdrawal, "30000"));
    let (told, ()) = tokio::join!(stage.run(), leave);
    assert_eq!(told.verdict(), Verdict::Done, "what was budgeted was bought");
    assert_eq!(stage.account(), "GLD 169.98775, QQQ 84.993875, $2000");
}

#[tokio::test(flavor = "current_thread")]
async fn a_price_that_runs_away_after_the_plan_does_not_overdraw_the_account() {
    for price in ["402", "404", "410", "440", "520"] {
        let stage = slow_flip().await;
        let jump = after(&stage, 5, |stage| stage.world.set_price("QQQ", price));
        let (told, ()) = tokio::join!(stage.run(), jump);
        assert!(!matches!(told.verdict(), Verdict::Unknown), "{price}");
        let mut stage = stage;
        stage.next_session();
        let told = stage.run().await;
        assert!(told.verdict().is_good(), "{price}: {:?}", told.incidents());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn shares_sold_by_hand_after_the_plan_are_not_sold_again() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    stage.next_session();
    stage.wants("a", "BIL 0.5, GLD 0.5");
    let flags = On::new(Method::Get, "/v2/assets/SPY"); // asked for once the plan is drawn
    stage.world.fault(Fault::request(flags, Trouble::Slow(Duration::from_secs(4))));
    let sale = after(&stage, 2, |stage| {
        stage.world.trade_by_hand("SPY", Side::Sell, "90").unwrap();
    });
    let (told, ()) = tokio::join!(stage.run(), sale);
    assert_eq!(stage.world.position("SPY"), rust_decimal::Decimal::ZERO);
    assert!(told.errors().contains(&"CRITICAL position-mismatch-after".to_owned()));
    stage.next_session();
    let told = stage.run().await;
    assert!(told.verdict().is_good(), "{:?}: {}", told.incidents(), told.report().summary);
}

#[tokio::test(flavor = "current_thread")]
async fn keys_withdrawn_in_mid_run_leave_the_books_open_or_right() {
    for after in 0..7 {
        let mut stage = slow_flip().await;
        let on = On::any("/v2/*").after(after * 5).always();
        let trouble = Trouble::Status { status: 401, effect: Effect::None };
        stage.world.fault(Fault::request(on, trouble));
        let told = stage.run().await;
        assert!(!told.errors().is_empty(), "{after}");
        stage.world.clear_faults();
        stage.next_session();
        let told = stage.run().await;
        assert!(told.verdict().is_good(), "{after}: {:?}", told.incidents());
        assert_eq!(told.sleeves().matches("a:").count(), 1, "{after}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_broker_that_goes_away_in_mid_run_leaves_books_that_the_next_run_rights() {
    for after in 0..45 {
        let mut stage = slow_flip().await;
        let on = On::any("/v2/*").after(after * 2).always();
        stage.world.fault(Fault::request(on, Trouble::NoConnection));
        stage.run().await;
        stage.world.clear_faults();
        stage.next_session();
        let told = stage.run().await;
        assert!(
            told.verdict().is_good(),
            "{after}: {:?} {}",
            told.incidents(),
            told.report().summary
        );
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_preview_while_an_earlier_run_is_open_leaves_it_open() {
    let mut stage = slow_flip().await;
    stage.shelf.denies("final.json");
    stage.run().await;
    stage.shelf.denies("nothing");
    stage.next_session();
    let records = stage.shelf.keys("runs/");
    let told = stage.invoke(RunAction::Preview).await;
    assert_eq!(told.verdict(), Verdict::Blocked);
    assert_eq!(told.incidents(), ["TRADING run-left-open"]);
    assert_eq!(stage.shelf.keys("runs/"), records);
    assert!(stage.run().await.verdict().is_good());
}

/// A small generator of its own, so that a storm is the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

const WISHES: [&str; 6] = [
    "SPY 0.5, BIL 0.5",
    "QQQ 0.7, GLD 0.3",
    "BIL 0.25, TLT 0.75",
    "GLD",
    "SPY 0.1, QQQ 0.9",
    "TLT",
];

fn some_trouble(dice: &mut Dice) -> Fault {
    let effect = if dice.roll(2) == 0 { Effect::Done } else { Effect::None };
    let wait = Duration::from_secs(1 + dice.roll(20));
    let trouble = match dice.roll(8) {
        0 => Trouble::TooMany { wait },
        1 => Trouble::Status { status: 500, effect },
        2 => Trouble::Html { status: 502, effect },
        3 => Trouble::NoConnection,
        4 => Trouble::NoAnswer { effect },
        5 => Trouble::CutShort,
        6 => Trouble::Garbled,
        _ => Trouble::Slow(wait),
    };
    let path = ["/v2/orders", "/v2/orders*", "/v2/account", "/v2/positions", "/v2/*"];
    let path = path[usize::try_from(dice.roll(5)).unwrap()];
    let times = 1 + u32::try_from(dice.roll(4)).unwrap();
    let skip = u32::try_from(dice.roll(40)).unwrap();
    let part = "0.35".parse().unwrap();
    let order = match dice.roll(6) {
        0 => OrderTrouble::RejectedLater,
        1 => OrderTrouble::NeverFilled,
        2 => OrderTrouble::PartialThenStop { part },
        3 => OrderTrouble::FilledOnCancel,
        4 => OrderTrouble::Hidden { lookups: 3 },
        _ => OrderTrouble::CancelStuck,
    };
    match dice.roll(5) {
        0 | 1 => Fault::request(On::any(path).after(skip).times(times), trouble),
        2 => Fault::request(On::new(Method::Post, "/v2/orders").after(skip / 8), trouble),
        3 => Fault::next_order(order),
        _ => Fault::Stream(StreamTrouble::CutAfter(u32::try_from(dice.roll(4)).unwrap())),
    }
}

/// Days of wishes and troubles, each with its run and a resume; the laws hold after every run,
/// and the first quiet day finds books that explain every share.
async fn storm(seed: u64) {
    let mut dice = Dice(seed);
    let fills = Fills { inside_spread: 0.05, partial: 0.3, ..Fills::default() };
    let mut stage = Stage::furnished(|world| world.fills(fills).seed(seed).non_fractionable("GLD"));
    stage = stage
        .plays("a", "0.5", WISHES[0])
        .plays("b", "0.3", WISHES[1])
        .plays("c", "0.2", WISHES[2]);
    for _day in 0..4 {
        for name in ["a", "b", "c"] {
            stage.wants(name, WISHES[usize::try_from(dice.roll(6)).unwrap()]);
        }
        for _ in 0..dice.roll(4) {
            stage.world.fault(some_trouble(&mut dice));
        }
        match dice.roll(8) {
            0 => stage.world.book_cash(Hand::Deposit, "5000"),
            1 => stage.world.book_cash(Hand::Withdrawal, "1000"),
            2 => {
                let _ = stage.world.trade_by_hand("BIL", Side::Sell, "3"); // if there are any
            }
            _ => {}
        }
        let cut = if dice.roll(2) == 0 { Cut::Before } else { Cut::After };
        let requests = if dice.roll(2) == 0 { dice.roll(90) + 1 } else { 1000 };
        killed_at(&stage, i64::try_from(requests).unwrap(), cut).await;
        stage.world.advance(LEASE_OVER);
        let _ = stage.try_invoke(RunAction::Resume).await;
        stage.world.clear_faults();
        stage.next_session();
    }
    let told = stage.run().await;
    let errors = told.errors();
    let critical: Vec<&String> = errors.iter().filter(|error| error.starts_with("CRIT")).collect();
    assert!(critical.is_empty(), "seed {seed}: {critical:?} {}", told.report().summary);
    assert!(told.report().ledger.is_some(), "seed {seed}: {}", told.report().summary);
}

#[tokio::test(flavor = "current_thread")]
async fn books_are_right_after_any_storm() {
    for seed in 0..6 {
        storm(seed).await;
    }
}

//! The broker's views of an order, doubled, lost and in any order: the end is the same.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use alchemiser::domain::attempts::Attempts;
use alchemiser::domain::execution::Attempt;
use alchemiser::domain::money::{Price, Shares};
use alchemiser::domain::order::{ClientOrderId, Order, OrderStatus, Side};
use alchemiser::domain::run::{AccountName, Mode, RunKey, Slot};
use alchemiser::domain::symbol::Symbol;
use jiff::Timestamp;
use jiff::civil::date;
use proptest::prelude::*;
use proptest::sample::Index;

/// Shares of the order.
const PLANNED: u32 = 100;

fn id() -> ClientOrderId {
    let key = RunKey {
        mode: Mode::Paper,
        account: AccountName::parse("main").unwrap(),
        session: date(2026, 11, 20),
        slot: Slot::parse("open").unwrap(),
        generation: 0,
    };
    ClientOrderId::of(&key, &Symbol::parse("SPY").unwrap(), Side::Buy, 1)
}

/// The order as the broker shows it when it has this status and so many shares are executed.
fn view(status: OrderStatus, filled: u32) -> Order {
    let moment = |seconds: u32| Timestamp::from_second(1_795_185_300 + i64::from(seconds)).unwrap();
    let price = |filled: u32| Price::parse(&format!("500.{filled:02}")).unwrap();
    Order {
        broker_id: "b1".to_owned(),
        client_id: id().as_str().to_owned(),
        symbol: Symbol::parse("SPY").unwrap(),
        side: Side::Buy,
        shares: Some(Shares::whole(PLANNED)),
        filled: Shares::whole(filled),
        fill_price: (filled > 0).then(|| price(filled)),
        limit: Some(Price::parse("501").unwrap()),
        status,
        submitted_at: Some(moment(0)),
        filled_at: (filled > 0).then(|| moment(filled)),
    }
}

/// What an order can go through, in the order in which it happens; the last view is the end.
fn life() -> impl Strategy<Value = Vec<Order>> {
    let executed = prop::collection::vec(1..PLANNED, 0..4);
    let (cancelled, end) = (any::<bool>(), 0_u8..6);
    (executed, cancelled, end).prop_map(|(mut executed, cancelled, end)| {
        executed.sort_unstable();
        executed.dedup();
        let last = executed.last().copied().unwrap_or(0);
        let mut life = vec![view(OrderStatus::Working, 0)];
        life.extend(executed.iter().map(|filled| view(OrderStatus::PartiallyFilled, *filled)));
        life.push(view(OrderStatus::Other("calibrating".to_owned()), last));
        if cancelled {
            life.push(view(OrderStatus::PendingCancel, last));
        }
        life.push(match end {
            0 => view(OrderStatus::Filled, PLANNED),
            1 => view(OrderStatus::Cancelled, last),
            2 => view(OrderStatus::Expired, last),
            3 => view(OrderStatus::Rejected, last),
            4 => view(OrderStatus::DoneForDay, last),
            _ => view(OrderStatus::Replaced, last),
        });
        life
    })
}

/// The attempt after all these views.
fn after(views: &[Order]) -> Attempt {
    let now = Timestamp::from_second(1_795_185_900).unwrap();
    let symbol = Symbol::parse("SPY").unwrap();
    let mut attempts = Attempts::new(symbol, Side::Buy, Shares::whole(PLANNED));
    attempts.adopt(id(), &views[0], now).unwrap();
    for view in &views[1..] {
        assert!(attempts.seen(view, now).unwrap());
    }
    attempts.list()[0].clone()
}

/// Some of these, any number of times, in any order.
fn some_of(life: &[Order], picks: &[Index]) -> Vec<Order> {
    picks.iter().map(|pick| life[pick.index(life.len())].clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn views_of_an_order_in_any_order_and_number_lead_to_the_same_end(
        life in life(),
        before in prop::collection::vec(any::<Index>(), 0..12),
        later in prop::collection::vec(any::<Index>(), 0..12),
    ) {
        let end = life.last().unwrap().clone();
        let straight = after(&life);
        let mut views = some_of(&life, &before);
        views.push(end);
        views.extend(some_of(&life, &later));
        prop_assert_eq!(after(&views), straight);
    }

    #[test]
    fn an_order_that_has_not_ended_looks_the_same_whatever_came_first(
        life in life(),
        picks in prop::collection::vec(any::<Index>(), 0..12),
        turn in any::<Index>(),
    ) {
        let open = &life[..life.len() - 1];
        let straight = after(open);
        let mut views = open.to_vec();
        views.rotate_left(turn.index(open.len()));
        views.extend(some_of(open, &picks));
        views.reverse();
        prop_assert_eq!(after(&views), straight);
    }
}

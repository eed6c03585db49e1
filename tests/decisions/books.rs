//! The books at the moment of a decision: what they follow, what they keep apart, what they say.

use crate::money::{World, name, order, price, shares, symbol, usd};
use alchemiser::domain::books::Books;
use alchemiser::domain::books::entry::Entry;
use alchemiser::domain::decide::Decision;
use alchemiser::domain::order::{ClientOrderId, OrderStatus, Side};
use alchemiser::domain::plan::Part;
use alchemiser::domain::sleeve::fold::carry_forward;
use alchemiser::domain::sleeve::ledger::{Ledger, Unsettled};
use jiff::civil::{Date, date};

const YESTERDAY: Date = date(2026, 11, 19);

/// One strategy with thirty shares and the rest in cash, with books that own so many of them.
fn world(booked: &str) -> World {
    let mut world = World::new("700");
    world.market("SPY", "10").strategy("a", "1", &[("SPY", "0.3")]).holds("a", "SPY", "30");
    let mut ledger = Ledger::default();
    let sleeve = ledger.sleeves.entry(name("a")).or_default();
    sleeve.shares.insert(symbol("SPY"), shares(booked));
    let cash = world.snapshot.account.cash;
    let books = Books::open(YESTERDAY, cash, &ledger, |_| Some(price("9")));
    world.known().books = Some(books);
    world
}

fn said(decision: &Decision) -> Vec<&str> {
    let differ = decision.incidents.iter().filter(|incident| incident.code == "books-differ");
    differ.map(|incident| incident.what.as_str()).collect()
}

#[test]
fn books_that_own_what_the_ledger_owns_say_nothing() {
    let decision = world("30").decide();
    assert_eq!(said(&decision), [""; 0]);
    let books = decision.books.unwrap();
    assert_eq!((books.began, books.opening), (YESTERDAY, usd("970")));
}

#[test]
fn shares_that_the_books_did_not_know_are_taken_in_and_said() {
    let decision = world("25").decide();
    assert_eq!(said(&decision), ["the books did not own what the ledger owns: SPY of a"]);
    let books = decision.books.unwrap();
    let held = &books.sleeves[&name("a")].holdings[&symbol("SPY")];
    assert_eq!((held.shares(), held.cost()), (shares("30"), usd("275")));
    assert_eq!(books.unassigned, usd("50"), "nobody paid for them");
}

#[test]
fn cash_that_no_entry_explains_is_said_and_kept_apart() {
    let mut world = world("30");
    world.snapshot.account.cash = usd("707.25");
    let decision = world.revalue().decide();
    let words = "the account's cash moved by $7.25 that none of its entries explains";
    assert_eq!(said(&decision), [words]);
    let books = decision.books.unwrap();
    assert_eq!((books.cash, books.difference), (usd("700"), usd("7.25")));
}

#[test]
fn what_an_order_executes_after_its_run_is_booked_without_what_was_booked_then() {
    let mut world = world("30");
    let mut key = world.key.clone();
    key.session = YESTERDAY;
    let id = ClientOrderId::of(&key, &symbol("SPY"), Side::Sell, 1);
    let unsettled = Unsettled {
        symbol: symbol("SPY"),
        side: Side::Sell,
        booked: shares("4"),
        amount: usd("40"),
        parts: vec![Part { strategy: name("a"), shares: shares("6") }],
    };
    world.known().ledger.unsettled.insert(id.clone(), unsettled);
    let mut seen = order(id.as_str(), "SPY", Side::Sell, "10");
    (seen.filled, seen.status) = (shares("10"), OrderStatus::Filled);
    seen.fill_price = Some(price("10.6"));
    world.snapshot.orders.push(seen);
    world.snapshot.positions.get_mut(&symbol("SPY")).unwrap().shares = shares("24");
    let carried = carry_forward(&world.known().ledger.clone(), &world.snapshot).unwrap();
    let late = Entry::Traded {
        holder: Some(name("a")),
        symbol: symbol("SPY"),
        side: Side::Sell,
        shares: shares("6"),
        amount: usd("66"),
    };
    assert_eq!(carried.entries, [late], "106 in all, 40 of them were booked");
}

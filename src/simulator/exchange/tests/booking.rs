//! What is booked from outside.

use super::*;

#[test]
fn equity_is_noted_at_every_close() {
    let mut floor = Floor::at(SESSION).holding("SPY", "10");
    assert_eq!(floor.exchange.last_equity(floor.now), None);
    floor.go_to(EVENING.parse().unwrap());
    floor.go_to("2026-11-24T15:00:00Z".parse().unwrap());
    let days: Vec<String> =
        floor.exchange.closes().iter().map(|(day, _)| day.to_string()).collect();
    assert_eq!(days, ["2026-11-20", "2026-11-23"]);
    let (day, equity) = floor.exchange.last_equity(floor.now).unwrap();
    assert_eq!((day.to_string(), equity), ("2026-11-23".to_owned(), decimal("16000")));
}

fn bookings(floor: &Floor) -> Vec<(&str, Decimal, Option<Decimal>)> {
    let other = |activity: &Activity| match &activity.entry {
        Entry::Other(booking) => Some((booking.code, booking.amount, booking.qty)),
        Entry::Fill(_) => None,
    };
    floor.exchange.activities().iter().filter_map(other).collect()
}

#[test]
fn cash_entries_move_cash_in_their_direction() {
    let mut floor = Floor::at(SESSION).holding("SPY", "4");
    let now = floor.now;
    floor.exchange.book_cash(Hand::Deposit, decimal("500"), now);
    floor.exchange.book_cash(Hand::Withdrawal, decimal("200"), now);
    floor.exchange.book_cash(Hand::Fee, decimal("0.03"), now);
    floor.exchange.pay_dividend(&symbol("SPY"), decimal("0.485"), now);
    floor.exchange.pay_dividend(&symbol("QQQ"), decimal("1"), now);
    assert_eq!(floor.exchange.book().cash, decimal("10301.91"));
    let codes: Vec<&str> = bookings(&floor).iter().map(|row| row.0).collect();
    assert_eq!(codes, ["CSD", "CSW", "FEE", "DIV"]);
    assert_eq!(bookings(&floor)[3].1, decimal("1.94"));
}

#[test]
fn a_split_keeps_the_value_and_pays_out_what_cannot_be_held() {
    let mut floor = Floor::at(SESSION).holding("SPY", "25");
    floor.exchange.list(&symbol("SPY")).fractionable = false;
    let at = floor.submit(buy("1", "590")).unwrap();
    let split = Split { new: 1, old: 10, at: floor.now, bars_at: floor.now, announced: true };
    floor.market.split(&symbol("SPY"), split);
    floor.exchange.book_split(&symbol("SPY"), &split, floor.now, &floor.market);
    assert_eq!(floor.status(at), Status::Canceled);
    assert_eq!(floor.exchange.book().positions[&symbol("SPY")].qty, decimal("2"));
    assert_eq!(floor.exchange.book().positions[&symbol("SPY")].entry, decimal("6000"));
    assert_eq!(floor.exchange.book().cash, decimal("13000"), "half a share at 6000");
    let some = |text: &str| Some(decimal(text));
    assert_eq!(
        bookings(&floor),
        [
            ("SPLIT", Decimal::ZERO, some("-25")),
            ("SPLIT", Decimal::ZERO, some("2.5")),
            ("CIL", decimal("3000"), some("-0.5")),
        ]
    );
}

#[test]
fn a_rename_moves_the_position_and_keeps_the_assets_id() {
    let mut floor = Floor::at(SESSION).holding("SPY", "3");
    let id = floor.exchange.asset("SPY").unwrap().id.clone();
    floor.exchange.book_rename(&symbol("SPY"), &symbol("SPIE"), floor.now);
    assert_eq!(floor.exchange.book().qty(&symbol("SPIE")), decimal("3"));
    assert_eq!(floor.exchange.book().qty(&symbol("SPY")), Decimal::ZERO);
    assert_eq!(floor.exchange.asset("SPIE").unwrap().id, id);
    assert!(floor.exchange.asset("SPY").is_none());
    assert_eq!(bookings(&floor).iter().map(|row| row.0).collect::<Vec<_>>(), ["NC", "NC"]);
}

#[test]
fn a_hand_trades_at_once_and_shows_as_a_foreign_order() {
    let mut floor = Floor::at(SESSION);
    let (now, spy) = (floor.now, symbol("SPY"));
    let traded = floor.exchange.trade_by_hand(&spy, Side::Buy, decimal("2"), (now, &floor.market));
    let at = traded.unwrap();
    assert_eq!((floor.status(at), floor.exchange.book().cash), (Status::Filled, decimal("8800")));
    let refused =
        floor.exchange.trade_by_hand(&spy, Side::Sell, decimal("3"), (now, &floor.market));
    assert!(refused.is_err());
}

#[test]
fn ids_are_found_with_and_without_dashes() {
    let mut floor = Floor::at(SESSION);
    let at = floor.submit(buy("1", "590")).unwrap();
    let id = floor.order(at).id.clone();
    assert_eq!(floor.exchange.find(&id), Some(at));
    assert_eq!(floor.exchange.find(&id.replace('-', "")), Some(at));
    let asset = floor.exchange.asset("SPY").unwrap().id.replace('-', "");
    assert_eq!(floor.exchange.asset(&asset).unwrap().symbol, symbol("SPY"));
}

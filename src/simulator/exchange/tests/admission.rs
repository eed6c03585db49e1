//! What is taken in and what is refused.

use super::*;

#[test]
fn a_client_id_is_taken_for_ever() {
    let mut floor = Floor::at(SESSION);
    let named =
        |qty: &str, price: &str| NewOrder { client_id: Some("a".to_owned()), ..buy(qty, price) };
    let at = floor.submit(named("1", "590")).unwrap();
    let taken = (422, 40_010_001, "client_order_id must be unique".to_owned());
    assert_eq!(floor.refusal(named("2", "591")), taken, "while open");
    floor.cancel(at).unwrap();
    floor.pass(1_000);
    assert_eq!(floor.refusal(named("1", "590")), taken, "after it was cancelled");
    let long = NewOrder { client_id: Some("x".repeat(129)), ..buy("1", "590") };
    assert_eq!(floor.refusal(long).2, "client_order_id must be no more than 128 characters");
}

#[test]
fn open_buys_keep_their_money_from_being_spent_twice() {
    let mut floor = Floor::at(SESSION);
    floor.submit(buy("10", "590")).unwrap();
    let money = floor.exchange.money(floor.exchange.book(), floor.now, &floor.market);
    assert_eq!((money.cash, money.buying_power), (decimal("10000"), decimal("4100")));
    let refusal = floor.submit(buy("7", "590")).unwrap_err();
    assert_eq!(refusal.message, "insufficient buying power");
    let power = ("buying_power", "4100".to_owned());
    assert_eq!(refusal.extras, [power, ("cost_basis", "4130".to_owned())]);
}

#[test]
fn sales_free_no_money_before_they_are_executed() {
    let mut floor = Floor::at(SESSION).holding("SPY", "10");
    floor.exchange.book_cash(Hand::Withdrawal, decimal("10000"), floor.now);
    floor.submit(sell("10", "599")).unwrap();
    let qqq = || order(Side::Buy, "QQQ", "1", limit("510"));
    assert_eq!(floor.refusal(qqq()), forbidden("insufficient buying power"));
    floor.pass(1_000);
    assert_eq!(floor.exchange.book().cash, decimal("5998.8"));
    assert!(floor.submit(qqq()).is_ok());
}

#[test]
fn shares_held_for_an_order_cannot_be_sold_again() {
    let mut floor = Floor::at(SESSION).holding("SPY", "2.5");
    floor.submit(sell("2", "700")).unwrap();
    let refusal = floor.submit(sell("1", "700")).unwrap_err();
    let words = "insufficient qty available for order (requested: 1, available: 0.5)";
    assert_eq!((refusal.status, refusal.message.as_str()), (403, words));
    let extras: Vec<String> = refusal.extras.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(extras, ["available=0.5", "existing_qty=2.5", "held_for_orders=2", "symbol=SPY"]);
    assert!(floor.submit(sell("0.5", "700")).is_ok());
}

#[test]
fn a_sale_of_what_is_not_held_is_refused_unless_permissive() {
    let mut floor = Floor::at(SESSION);
    assert_eq!(floor.refusal(sell("1", "590")), forbidden("account is not allowed to short"));
    let meant = NewOrder { intent: Some(Intent::SellToClose), ..sell("1", "590") };
    let words = "position intent mismatch, inferred: sell_to_open, specified: sell_to_close";
    assert_eq!(floor.refusal(meant), unprocessable(words));
    let margin = Rules { multiplier: 4, no_shorting: false, ..plain() };
    let mut floor = Floor::with(margin, SESSION);
    let words = "fractional orders cannot be sold short";
    assert_eq!(floor.refusal(sell("0.5", "590")), unprocessable(words));
    assert!(floor.submit(sell("1", "590")).is_ok());
    let permissive = Rules { strictness: Strictness::Permissive, ..plain() };
    let mut floor = Floor::with(permissive, SESSION).holding("SPY", "1");
    floor.submit(sell("3", "590")).unwrap();
    floor.submit(order(Side::Buy, "QQQ", "100", limit("510"))).unwrap();
    floor.pass(1_000);
    assert_eq!(floor.exchange.book().position_min[&symbol("SPY")], decimal("-2"));
    assert!(floor.exchange.book().cash_min < Decimal::ZERO);
}

#[test]
fn the_wash_check_follows_the_brokers_matrix() {
    let stop = Kind::Stop(decimal("550"));
    let stop_limit = Kind::StopLimit { stop: decimal("550"), limit: decimal("549") };
    let cases = [
        (limit("650"), limit("600"), false),
        (limit("650"), limit("650"), true),
        (limit("650"), Kind::Market, true),
        (stop, limit("500"), true),
        (stop_limit, limit("500"), false),
        (stop_limit, limit("560"), true),
        (Kind::Market, limit("1"), true),
    ];
    for (selling, buying, washes) in cases {
        let mut floor = Floor::at(EVENING).holding("SPY", "5");
        floor.submit(order(Side::Sell, "SPY", "1", selling)).unwrap();
        let taken = floor.submit(order(Side::Buy, "SPY", "1.5", buying));
        assert_eq!(taken.is_err(), washes, "{selling:?} {buying:?}");
        if let Err(refusal) = taken {
            let words = "potential wash trade detected. use complex orders";
            assert_eq!((refusal.status, refusal.message.as_str()), (403, words));
            assert_eq!(refusal.extras[0].0, "existing_order_id");
        }
        assert!(floor.submit(order(Side::Buy, "QQQ", "1", Kind::Market)).is_ok(), "another symbol");
        assert!(floor.submit(order(Side::Sell, "SPY", "1", limit("700"))).is_ok(), "the same side");
    }
}

#[test]
fn an_order_whose_cancellation_is_on_its_way_still_counts_as_working() {
    let mut floor = Floor::at(SESSION).holding("SPY", "5");
    let at = floor.submit(sell("1", "650")).unwrap();
    floor.pass(1_000);
    floor.cancel(at).unwrap();
    assert!(floor.submit(buy("1", "650")).is_err());
    floor.pass(200);
    assert!(floor.submit(buy("1", "650")).is_ok());
}

#[test]
fn fractions_need_a_fractionable_asset_and_a_day_order() {
    let mut floor = Floor::at(SESSION);
    let gtc = NewOrder { time_in_force: TimeInForce::Gtc, ..buy("0.5", "601") };
    assert_eq!(floor.refusal(gtc), unprocessable("fractional orders must be DAY orders"));
    floor.exchange.list(&symbol("SPY")).fractionable = false;
    let refused = forbidden("asset \"SPY\" is not fractionable");
    assert_eq!(floor.refusal(buy("0.5", "601")), refused);
    assert_eq!(floor.refusal(dollars("50")), refused);
    assert!(floor.submit(buy("1", "601")).is_ok());
    floor.exchange.list(&symbol("SPY")).fractionable = true;
    floor.exchange.rules.fractional_trading = false;
    let refused = forbidden("fractional trading is disabled for this account");
    assert_eq!(floor.refusal(buy("0.5", "601")), refused);
}

#[test]
fn a_buy_below_a_dollar_is_refused_and_a_sale_is_not() {
    let mut floor = Floor::at(SESSION).holding("SPY", "0.001");
    let small = "cost basis must be >= minimal amount of order 1";
    assert_eq!(floor.refusal(buy("0.0016", "600")), forbidden(small));
    assert_eq!(floor.refusal(dollars("0.99")), unprocessable("notional amount must be >= 1.00"));
    let words = "notional value must be limited to 2 decimal places";
    assert_eq!(floor.refusal(dollars("10.001")), unprocessable(words));
    assert!(floor.submit(sell("0.001", "599")).is_ok());
}

#[test]
fn prices_stand_on_the_tick() {
    let mut floor = Floor::at(SESSION);
    let words = "invalid limit_price 290.123. sub-penny increment does not fulfill minimum pricing criteria";
    assert_eq!(floor.refusal(buy("1", "290.123")), unprocessable(words));
    assert!(floor.submit(buy("1", "590.1200")).is_ok(), "trailing zeros do not matter");
    let cheap = |price: &str| order(Side::Buy, "CHEAP", "10", limit(price));
    assert!(floor.submit(cheap("0.4912")).is_ok());
    assert!(floor.submit(cheap("0.49123")).is_err());
}

#[test]
fn quantities_are_cut_after_nine_decimals() {
    let mut floor = Floor::at(SESSION);
    let at = floor.submit(buy("1.0574368657", "601")).unwrap();
    assert_eq!(floor.order(at).qty(), Some(decimal("1.057436865")));
}

#[test]
fn an_order_by_dollars_buys_the_fraction_it_pays_for() {
    let mut floor = Floor::at(SESSION);
    let at = floor.submit(dollars("100")).unwrap();
    floor.pass(1_000);
    assert_eq!((floor.status(at), floor.order(at).qty()), (Status::Filled, None));
    assert_eq!(floor.order(at).filled, decimal("0.166633339"));
    assert_eq!(floor.exchange.book().cash, decimal("9900"));
}

#[test]
fn unknown_inactive_and_untradable_assets_and_blocked_accounts_are_refused() {
    let mut floor = Floor::at(SESSION);
    let nope = order(Side::Buy, "NOPE", "1", Kind::Market);
    assert_eq!(floor.refusal(nope), unprocessable("asset \"NOPE\" not found"));
    floor.exchange.list(&symbol("QQQ")).tradable = false;
    let qqq = || order(Side::Buy, "QQQ", "1", Kind::Market);
    assert_eq!(floor.refusal(qqq()), unprocessable("asset QQQ is not tradable"));
    floor.exchange.list(&symbol("QQQ")).active = false;
    assert_eq!(floor.refusal(qqq()), unprocessable("asset QQQ is not active"));
    floor.exchange.rules.suspended = true;
    assert_eq!(
        floor.refusal(buy("1", "590")),
        forbidden("new orders are rejected by user request")
    );
    floor.exchange.identity.trading_blocked = true;
    assert_eq!(floor.refusal(buy("1", "590")), forbidden("account is not authorized to trade"));
}

#[test]
fn auction_orders_have_their_windows_and_on_paper_the_opening_one_expires() {
    let opg = || NewOrder {
        time_in_force: TimeInForce::Opg,
        ..order(Side::Buy, "SPY", "1", Kind::Market)
    };
    let words = "opg orders must be submitted after 7:00pm and before 9:28am";
    let mut floor = Floor::at(EVENING);
    assert_eq!(floor.refusal(opg()), forbidden(words));
    floor.go_to("2026-11-21T00:00:01Z".parse().unwrap());
    let at = floor.submit(opg()).unwrap();
    floor.go_to("2026-11-23T14:31:00Z".parse().unwrap());
    assert_eq!((floor.status(at), floor.order(at).filled), (Status::Expired, Decimal::ZERO));
}

#[test]
fn a_stop_is_set_off_by_the_price() {
    let mut floor = Floor::at(SESSION).holding("SPY", "5");
    let at = floor.submit(order(Side::Sell, "SPY", "5", Kind::Stop(decimal("580")))).unwrap();
    floor.pass(60_000);
    assert_eq!(floor.status(at), Status::New);
    floor.move_to("SPY", 579.0);
    floor.pass(1_000);
    assert_eq!(floor.status(at), Status::Filled);
}

#[test]
fn fill_or_kill_does_not_wait() {
    let mut floor = Floor::at(SESSION);
    let fok = |price: &str| NewOrder { time_in_force: TimeInForce::Fok, ..buy("1", price) };
    let (away, there) = (floor.submit(fok("590")).unwrap(), floor.submit(fok("601")).unwrap());
    floor.pass(1_000);
    assert_eq!((floor.status(away), floor.status(there)), (Status::Canceled, Status::Filled));
}

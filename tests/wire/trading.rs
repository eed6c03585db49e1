//! Account, positions, orders, assets, calendar and activities.

use std::collections::BTreeSet;

use alchemiser::application::ports::{Broker, BrokerError, Refusal};
use alchemiser::domain::account::{AccountBlock, ActivityKind};
use alchemiser::domain::money::{Price, Shares, Usd};
use alchemiser::domain::order::{ClientOrderId, OrderStatus, Side};
use alchemiser::domain::run::{AccountName, Mode, RunKey, Slot};
use alchemiser::domain::symbol::Symbol;
use jiff::Timestamp;
use jiff::civil::date;
use serde_json::{Value, json};

use crate::script::{World, changed, fields, fixture, ok, status};

fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

fn usd(text: &str) -> Usd {
    Usd::parse(text).unwrap()
}

fn shares(text: &str) -> Shares {
    Shares::parse(text).unwrap()
}

fn our_id() -> ClientOrderId {
    let key = RunKey {
        mode: Mode::Paper,
        account: AccountName::parse("main").unwrap(),
        session: date(2026, 11, 20),
        slot: Slot::parse("open").unwrap(),
        generation: 0,
    };
    ClientOrderId::of(&key, &symbol("SOXL"), Side::Sell, 1)
}

fn with_our_id(body: Vec<u8>) -> Vec<u8> {
    String::from_utf8(body).unwrap().replace("@ID@", our_id().as_str()).into_bytes()
}

fn order_without(field: &str) -> Vec<u8> {
    with_our_id(changed("order", field, None))
}

fn order_with(field: &str, value: Value) -> Vec<u8> {
    with_our_id(changed("order", field, Some(value)))
}

#[tokio::test]
async fn an_account_is_read_and_its_number_never_leaves() {
    let world = World::new([ok(fixture("account"))]);
    let account = world.alpaca().account().await.unwrap();
    assert_eq!((account.cash, account.equity), (usd("20145.37"), usd("100345.37")));
    assert_eq!(account.equity_before, Some(usd("100102.10882")));
    assert_eq!((account.ending.as_str(), account.fingerprint.len()), ("D7Q", 16));
    assert_eq!(account.blocks, BTreeSet::new());
    assert!(!format!("{account:?}").contains("PA3INVENTED"));
    assert_eq!(world.targets(), ["/v2/account"]);
    assert_eq!(world.header(0, "apca-api-key-id"), crate::script::KEY_ID);
}

#[tokio::test]
async fn an_account_needs_only_its_id_status_and_money() {
    for field in fields("account") {
        for value in [None, Some(Value::Null)] {
            let world = World::new([ok(changed("account", &field, value))]);
            let read = world.alpaca().account().await;
            if ["id", "status", "cash", "equity"].contains(&field.as_str()) {
                let error = read.unwrap_err();
                assert_eq!(error, BrokerError::Malformed(format!("account: {field} missing")));
            } else {
                assert_eq!(read.unwrap().cash, usd("20145.37"), "{field}");
            }
        }
    }
    let world = World::new([ok(changed("account", "brand_new", Some(json!({"a": [1]}))))]);
    assert!(world.alpaca().account().await.is_ok());
}

#[tokio::test]
async fn money_may_come_as_a_number_and_stays_exact() {
    let body = String::from_utf8(fixture("account")).unwrap();
    let body = body.replace("\"20145.37\"", "100003.74258806517");
    let account = World::new([ok(body)]).alpaca().account().await.unwrap();
    assert_eq!(account.cash.to_string(), "100003.74258806517");
}

#[tokio::test]
async fn money_that_is_no_number_is_an_error_and_never_zero() {
    for wrong in [json!(""), json!("n/a"), json!([]), json!({}), json!(true), json!("1e99")] {
        let world = World::new([ok(changed("account", "cash", Some(wrong.clone())))]);
        let error = world.alpaca().account().await.unwrap_err();
        assert!(matches!(error, BrokerError::Malformed(_)), "{wrong}: {error:?}");
    }
}

#[tokio::test]
async fn whatever_blocks_an_account_is_listed() {
    for (field, value, block) in [
        ("status", json!("ACTION_REQUIRED"), AccountBlock::NotActive("ACTION_REQUIRED".to_owned())),
        ("status", json!("BRAND_NEW"), AccountBlock::NotActive("BRAND_NEW".to_owned())),
        ("trading_blocked", json!(true), AccountBlock::TradingBlocked),
        ("account_blocked", json!("true"), AccountBlock::AccountBlocked),
        ("trade_suspended_by_user", json!(true), AccountBlock::SuspendedByOwner),
    ] {
        let world = World::new([ok(changed("account", field, Some(value)))]);
        let account = world.alpaca().account().await.unwrap();
        assert_eq!(account.blocks, BTreeSet::from([block]));
    }
    let world = World::new([ok(changed("account", "trading_blocked", Some(json!("maybe"))))]);
    assert!(world.alpaca().account().await.is_err());
}

#[tokio::test]
async fn keys_of_the_other_world_are_refused() {
    let world = World::new([ok(fixture("account"))]);
    let error = world.alpaca_until(Mode::Live, None).account().await.unwrap_err();
    assert!(matches!(error, BrokerError::Unauthorised(_)), "{error:?}");
    let live = changed("account", "account_number", Some(json!("123456789")));
    let error = World::new([ok(live.clone())]).alpaca().account().await.unwrap_err();
    assert!(matches!(error, BrokerError::Unauthorised(_)), "{error:?}");
    assert!(!error.to_string().contains("123456789"));
    assert!(World::new([ok(live)]).alpaca_until(Mode::Live, None).account().await.is_ok());
    let euros = changed("account", "currency", Some(json!("EUR")));
    assert!(World::new([ok(euros)]).alpaca().account().await.is_err());
}

#[tokio::test]
async fn positions_are_read_even_without_prices() {
    let positions = World::new([ok(fixture("positions"))]).alpaca().positions().await.unwrap();
    assert_eq!(positions.len(), 2);
    assert_eq!(positions[0].shares, shares("12.557436865"));
    assert_eq!(positions[0].available, shares("10.5"));
    assert_eq!(positions[0].price, Some(Price::parse("86.348").unwrap()));
    assert_eq!((positions[1].symbol.as_str(), positions[1].price), ("BRK.B", None));
    assert!(World::new([ok("[]")]).alpaca().positions().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_position_needs_its_symbol_asset_and_shares() {
    for field in fields("positions") {
        let world = World::new([ok(changed("positions", &field, None))]);
        let read = world.alpaca().positions().await;
        let needed = ["symbol", "asset_id", "qty", "qty_available"].contains(&field.as_str());
        assert_eq!(read.is_err(), needed, "{field}: {read:?}");
    }
}

#[tokio::test]
async fn a_position_of_a_harmful_name_is_an_error_of_one_plain_line() {
    for name in [
        "<script>alert(1)</script>",
        "X\r\nBcc: thief@example.com",
        "\u{202e}evil",
        "\u{1b}[2J",
        &"W".repeat(500),
    ] {
        let world = World::new([ok(changed("positions", "symbol", Some(json!(name))))]);
        let error = world.alpaca().positions().await.unwrap_err().to_string();
        assert!(error.contains("not a ticker") && error.len() < 200, "{error}");
        assert!(!error.contains(|sign: char| sign.is_control() || sign == '\u{202e}'), "{error}");
    }
}

#[tokio::test]
async fn a_short_position_is_an_error_and_never_a_smaller_list() {
    for (field, value) in [("qty", json!("-3")), ("side", json!("short")), ("qty", json!(-3))] {
        let world = World::new([ok(changed("positions", field, Some(value)))]);
        let error = world.alpaca().positions().await.unwrap_err();
        assert!(error.to_string().contains("of TQQQ is a short position"), "{error}");
    }
    let option = changed("positions", "symbol", Some(json!("AAPL260117C00150000")));
    assert!(World::new([ok(option)]).alpaca().positions().await.is_err());
    assert!(World::new([ok("null")]).alpaca().positions().await.is_err());
}

#[tokio::test]
async fn an_order_is_read_whole() {
    let world = World::new([ok(with_our_id(fixture("order")))]);
    let order = world.alpaca().order(&our_id()).await.unwrap().unwrap();
    assert!(order.is_ours());
    assert_eq!(order.broker_id, "f1a08ee3-8b15-4d31-b04b-944f30a06604");
    assert_eq!((order.symbol.as_str(), order.side), ("SOXL", Side::Sell));
    assert_eq!((order.shares, order.filled), (Some(shares("4")), shares("1")));
    assert_eq!(order.fill_price, Some(Price::parse("86.878").unwrap()));
    assert_eq!(order.limit, Some(Price::parse("86.9").unwrap()));
    assert_eq!(order.status, OrderStatus::PartiallyFilled);
    assert_eq!(order.submitted_at, "2026-11-20T14:35:18.094153596Z".parse().ok());
    assert_eq!(order.filled_at, "2026-11-20T15:35:19.0612Z".parse().ok());
    let target = format!("/v2/orders:by_client_order_id?client_order_id={}", our_id().as_str());
    assert_eq!(world.targets(), [target]);
}

#[tokio::test]
async fn an_order_of_ours_needs_only_id_and_status() {
    for field in fields("order") {
        for body in [order_without(&field), order_with(&field, Value::Null)] {
            let order = World::new([ok(body)]).alpaca().order(&our_id()).await;
            // Without its name it cannot be told from another; without executed shares a
            // partial fill says nothing.
            let needed = ["id", "status", "client_order_id", "filled_qty"];
            assert_eq!(order.is_err(), needed.contains(&field.as_str()), "{field}: {order:?}");
        }
    }
}

#[tokio::test]
async fn executed_shares_are_inferred_only_from_a_status_that_says_it() {
    for (status, filled) in [
        ("new", Some("0")),
        ("pending_new", Some("0")),
        ("filled", Some("4")),
        ("canceled", None),
        ("rejected", None),
        ("pending_cancel", None),
        ("brand_new", None),
    ] {
        let mut body: Value = serde_json::from_slice(&order_without("filled_qty")).unwrap();
        body["status"] = json!(status);
        let order = World::new([ok(body.to_string())]).alpaca().order(&our_id()).await;
        let read = order.ok().flatten().map(|order| order.filled);
        assert_eq!(read, filled.map(shares), "{status}");
    }
}

#[tokio::test]
async fn every_status_has_a_meaning_and_an_unknown_one_is_kept() {
    for (text, expected) in [
        ("new", OrderStatus::Working),
        ("accepted", OrderStatus::Working),
        ("pending_new", OrderStatus::Working),
        ("accepted_for_bidding", OrderStatus::Working),
        ("held", OrderStatus::Working),
        ("stopped", OrderStatus::Working),
        ("suspended", OrderStatus::Working),
        ("calculated", OrderStatus::Working),
        ("pending_replace", OrderStatus::Working),
        ("partially_filled", OrderStatus::PartiallyFilled),
        ("pending_cancel", OrderStatus::PendingCancel),
        ("done_for_day", OrderStatus::DoneForDay),
        ("filled", OrderStatus::Filled),
        ("canceled", OrderStatus::Cancelled),
        ("expired", OrderStatus::Expired),
        ("rejected", OrderStatus::Rejected),
        ("replaced", OrderStatus::Replaced),
        ("pending_review", OrderStatus::Other("pending_review".to_owned())),
    ] {
        let world = World::new([ok(order_with("status", json!(text)))]);
        let order = world.alpaca().order(&our_id()).await.unwrap().unwrap();
        assert_eq!(order.status, expected, "{text}");
    }
}

#[tokio::test]
async fn an_unknown_order_is_none_only_when_the_broker_itself_says_so() {
    let said = r#"{"code":40410000,"message":"order not found for al1"}"#;
    let world = World::new([status(404, said)]);
    assert_eq!(world.alpaca().order(&our_id()).await, Ok(None));
    let page = World::ruled(|_| status(404, "<html>404</html>"));
    assert!(matches!(page.alpaca().order(&our_id()).await, Err(BrokerError::Unavailable(_))));
    let elsewhere = World::new([status(404, r#"{"message":"endpoint not found"}"#)]);
    assert!(elsewhere.alpaca().order(&our_id()).await.is_err());
    let other = World::new([ok(order_with("client_order_id", json!("another")))]);
    assert!(matches!(other.alpaca().order(&our_id()).await, Err(BrokerError::Malformed(_))));
}

/// A page of foreign orders, numbered, one a second.
fn orders_page(numbers: std::ops::Range<i64>) -> Vec<u8> {
    let row = |number: i64| {
        let at = Timestamp::from_second(1_800_000_000 + number).unwrap();
        json!({"id": format!("o{number}"), "client_order_id": format!("x{number}"),
               "symbol": "SPY", "side": "buy", "status": "filled", "qty": "1",
               "filled_qty": "1", "submitted_at": at.to_string()})
    };
    Value::from(numbers.map(row).collect::<Vec<_>>()).to_string().into_bytes()
}

#[tokio::test]
async fn orders_are_paged_to_the_end_and_counted_once() {
    let since: Timestamp = "2026-11-20T14:35:00Z".parse().unwrap();
    let world = World::new([ok(orders_page(0..500)), ok(orders_page(499..700))]);
    let orders = world.alpaca().orders_since(since).await.unwrap();
    assert_eq!(orders.len(), 700);
    assert_eq!(world.alpaca().requests(), 0); // another run, another count
    let targets = world.targets();
    assert!(targets[0].contains("status=all&limit=500&direction=asc"), "{}", targets[0]);
    // `after` is exclusive, so each page starts a moment early.
    assert!(targets[0].ends_with("&after=2026-11-20T14%3A34%3A59.999Z"), "{}", targets[0]);
    assert!(targets[1].ends_with("&after=2027-01-15T08%3A08%3A18.999Z"), "{}", targets[1]);
}

#[tokio::test]
async fn a_list_of_orders_that_never_ends_is_an_error() {
    let stuck = World::ruled(|_| ok(orders_page(0..500)));
    let error = stuck.alpaca().open_orders().await.unwrap_err();
    assert!(matches!(error, BrokerError::Malformed(_)));
    assert_eq!(stuck.targets().len(), 2);
    let endless = std::sync::atomic::AtomicI64::new(0);
    let endless = World::ruled(move |_| {
        let start = endless.fetch_add(500, std::sync::atomic::Ordering::Relaxed);
        ok(orders_page(start..start + 500))
    });
    assert!(endless.alpaca().open_orders().await.is_err());
    assert_eq!(endless.targets().len(), 10);
}

#[tokio::test]
async fn finished_orders_for_options_are_left_out_and_working_ones_are_not_overlooked() {
    let option = |status: &str| {
        json!([{"id": "o1", "status": status, "asset_class": "us_option",
                "symbol": "AAPL260117C00150000", "side": "buy", "filled_qty": "1"}])
        .to_string()
    };
    let done = World::new([ok(option("filled"))]);
    assert_eq!(done.alpaca().open_orders().await, Ok(Vec::new()));
    let working = World::new([ok(option("new"))]);
    assert!(working.alpaca().open_orders().await.is_err());
}

#[tokio::test]
async fn assets_are_asked_for_once_each_and_unknown_ones_are_absent() {
    let world = World::ruled(|request| {
        if request.target.ends_with("/SOXL") {
            ok(fixture("asset"))
        } else {
            status(404, r#"{"code":40410000,"message":"asset not found for NOPE"}"#)
        }
    });
    let alpaca = world.alpaca();
    let wanted = [symbol("SOXL"), symbol("NOPE"), symbol("SOXL")];
    let assets = alpaca.assets(&wanted).await.unwrap();
    assert_eq!(assets.len(), 1);
    let soxl = &assets[&symbol("SOXL")];
    assert!(soxl.tradable && soxl.fractionable && soxl.us_equity);
    assert_eq!(alpaca.requests(), 2);
}

#[tokio::test]
async fn an_asset_needs_what_decides_whether_it_may_be_traded() {
    for field in fields("asset") {
        let world = World::new([ok(changed("asset", &field, None))]);
        let read = world.alpaca().assets(&[symbol("SOXL")]).await;
        let needed = ["id", "symbol", "status", "tradable", "fractionable"];
        assert_eq!(read.is_err(), needed.contains(&field.as_str()), "{field}");
    }
    for (field, value) in [("status", json!("inactive")), ("tradable", json!(false))] {
        let world = World::new([ok(changed("asset", field, Some(value)))]);
        let assets = world.alpaca().assets(&[symbol("SOXL")]).await.unwrap();
        assert!(!assets[&symbol("SOXL")].tradable);
    }
    let other = World::new([ok(fixture("asset"))]);
    assert!(other.alpaca().assets(&[symbol("SPY")]).await.is_err());
}

#[tokio::test]
async fn the_clock_is_read_in_its_own_zone() {
    let clock = World::new([ok(fixture("clock"))]).alpaca().clock().await.unwrap();
    assert!(clock.is_open);
    assert_eq!(clock.now, "2026-11-20T14:35:15.123456789Z".parse().unwrap());
    for field in ["timestamp", "is_open"] {
        let world = World::new([ok(changed("clock", field, None))]);
        assert!(world.alpaca().clock().await.is_err(), "{field}");
    }
}

#[tokio::test]
async fn the_calendar_asks_for_a_day_more_and_keeps_what_was_wanted() {
    let world = World::new([ok(fixture("calendar"))]);
    let calendar = world.alpaca().calendar(date(2026, 11, 25), date(2026, 11, 27)).await.unwrap();
    assert_eq!(world.targets(), ["/v2/calendar?start=2026-11-25&end=2026-11-28"]);
    assert_eq!(calendar.sessions().len(), 2);
    let half = calendar.on(date(2026, 11, 27)).unwrap();
    assert_eq!(half.close, "2026-11-27T18:00:00Z".parse().unwrap());
    for (field, value) in [("close", json!("25:00")), ("open", json!("16:00")), ("date", json!(""))]
    {
        let world = World::new([ok(changed("calendar", field, Some(value)))]);
        let read = world.alpaca().calendar(date(2026, 11, 25), date(2026, 11, 27)).await;
        assert!(read.is_err(), "{field}");
    }
}

#[tokio::test]
async fn activities_have_their_meaning_oldest_first() {
    let since = "2026-11-17T21:00:00Z".parse().unwrap();
    let world = World::new([ok(fixture("activities"))]);
    let activities = world.alpaca().activities_since(since).await.unwrap();
    assert!(activities.is_sorted_by_key(|activity| activity.at));
    let kinds: Vec<ActivityKind> = activities.into_iter().map(|a| a.what).collect();
    let cash = |code: &str, amount| ActivityKind::Cash { code: code.to_owned(), amount };
    let dividend = |amount| ActivityKind::Dividend {
        symbol: symbol("TQQQ"),
        amount,
        shares: Some(shares("4")),
        date: date(2026, 11, 17),
    };
    assert_eq!(
        kinds,
        [
            ActivityKind::Transfer { amount: usd("2500") },
            dividend(usd("1.94")),
            dividend(usd("-0.29")),
            ActivityKind::Fee { symbol: None, amount: usd("-0.03") },
            cash("INT", usd("0.11")),
            ActivityKind::Split { symbol: symbol("SOXL"), new: shares("30"), old: shares("10") },
            ActivityKind::Rename { from: symbol("FNGO"), to: symbol("FNGU") },
            ActivityKind::Unknown { code: "ACATS".to_owned() },
            ActivityKind::Fill {
                order: "f1a08ee3".to_owned(),
                symbol: symbol("SOXL"),
                side: Side::Sell,
                shares: shares("1"),
                price: Price::parse("86.878").unwrap(),
            },
        ]
    );
    let target = &world.targets()[0];
    assert_eq!(
        target,
        "/v2/account/activities?after=2026-11-17T21%3A00%3A00Z&direction=asc&page_size=100"
    );
}

async fn meaning(rows: Value) -> Vec<ActivityKind> {
    let world = World::new([ok(rows.to_string())]);
    let activities = world.alpaca().activities_since(Timestamp::UNIX_EPOCH).await.unwrap();
    activities.into_iter().map(|activity| activity.what).collect()
}

#[tokio::test]
async fn a_split_states_its_rates_or_is_counted_from_both_legs() {
    let leg = |id: &str, qty: &str, more: Value| {
        let mut row = json!({"id": id, "activity_type": "SPLIT", "symbol": "XRPT", "qty": qty,
                             "date": "2026-02-27"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let rates = json!({"details": {"old_rate": "20", "new_rate": "1"}});
    let expected =
        ActivityKind::Split { symbol: symbol("XRPT"), new: shares("1"), old: shares("20") };
    let stated = json!([leg("1", "-33", rates.clone()), leg("2", "1.65", rates.clone())]);
    assert_eq!(meaning(stated).await, std::slice::from_ref(&expected));
    assert_eq!(meaning(json!([leg("1", "-33", rates)])).await, [expected]);
    // Without a group the legs of a day belong together.
    let counted = json!([leg("1", "-33", json!({})), leg("2", "1.65", json!({}))]);
    let expected =
        ActivityKind::Split { symbol: symbol("XRPT"), new: shares("1.65"), old: shares("33") };
    assert_eq!(meaning(counted).await, [expected]);
}

#[tokio::test]
async fn a_change_of_shares_that_is_not_understood_explains_nothing() {
    let unknown = |code: &str| [ActivityKind::Unknown { code: code.to_owned() }];
    let row = |kind: &str, qty: &str| {
        json!({"id": format!("{kind}{qty}"), "activity_type": kind, "symbol": "SOXL", "qty": qty,
               "net_amount": "0", "date": "2026-11-19"})
    };
    assert_eq!(meaning(json!([row("SPLIT", "20")])).await, unknown("SPLIT"));
    assert_eq!(meaning(json!([row("NC", "-2")])).await, unknown("NC"));
    assert_eq!(meaning(json!([row("SPIN", "2")])).await, unknown("SPIN"));
    assert_eq!(meaning(json!([row("BRANDNEW", "2")])).await, unknown("BRANDNEW"));
    let mut stock = row("DIV", "2");
    stock["activity_sub_type"] = json!("SDIV");
    assert_eq!(meaning(json!([stock])).await, unknown("DIV"));
    let mut short = row("FILL", "2");
    short["side"] = json!("exercise");
    assert_eq!(meaning(json!([short])).await, unknown("FILL"));
    let mut undone = row("SPLIT", "2");
    undone["status"] = json!("canceled");
    assert_eq!(meaning(json!([undone])).await, unknown("SPLIT canceled"));
}

#[tokio::test]
async fn cash_of_an_unknown_kind_is_cash_and_cash_taken_back_is_nothing() {
    let row = json!({"id": "1", "activity_type": "BRANDNEW", "net_amount": -1.25, "qty": "0",
                     "date": "2026-11-19"});
    let expected = ActivityKind::Cash { code: "BRANDNEW".to_owned(), amount: usd("-1.25") };
    assert_eq!(meaning(json!([row])).await, [expected]);
    let undone = json!({"id": "1", "activity_type": "DIV", "net_amount": "1", "qty": "4",
                        "symbol": "SPY", "status": "canceled", "date": "2026-11-19"});
    assert_eq!(meaning(json!([undone])).await, []);
    let same_name = json!([
        {"id": "1", "activity_type": "NC", "symbol": "BRIF", "qty": "-4", "date": "2026-02-23"},
        {"id": "2", "activity_type": "NC", "symbol": "BRIF", "qty": "4", "date": "2026-02-23"}]);
    assert_eq!(meaning(same_name).await, []);
}

#[tokio::test]
async fn activities_are_paged_by_their_last_row() {
    let page = |range: std::ops::Range<u32>| {
        let row = |n: u32| {
            json!({"id": format!("{n:04}::a"), "activity_type": "INT",
                                  "net_amount": "0.01", "date": "2026-11-19"})
        };
        ok(Value::from(range.map(row).collect::<Vec<_>>()).to_string())
    };
    let world = World::new([page(0..100), page(100..130)]);
    let activities = world.alpaca().activities_since(Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(activities.len(), 130);
    assert!(world.targets()[1].ends_with("&page_token=0099%3A%3Aa"));
    let stuck = World::ruled(move |_| page(0..100));
    assert!(stuck.alpaca().activities_since(Timestamp::UNIX_EPOCH).await.is_err());
}

#[tokio::test]
async fn a_cancel_is_asked_for_by_the_brokers_id() {
    let world = World::new([status(204, "")]);
    assert_eq!(world.alpaca().cancel("f1a08ee3").await, Ok(()));
    assert_eq!(world.targets(), ["/v2/orders/f1a08ee3"]);
    let said = r#"{"code":42210000,"message":"order is already in \"filled\" state"}"#;
    let late = World::new([status(422, said)]);
    let error = late.alpaca().cancel("f1a08ee3").await.unwrap_err();
    assert!(matches!(error, BrokerError::Refused { reason: Refusal::NotCancelable, .. }));
    let said = r#"{"code":40410000,"message":"order not found for f1a08ee3"}"#;
    let gone = World::new([status(404, said)]);
    let error = gone.alpaca().cancel("f1a08ee3").await.unwrap_err();
    assert!(matches!(error, BrokerError::Refused { reason: Refusal::NotFound, .. }));
}

//! Account, positions, clock, calendar and assets on the wire.

use super::*;

#[test]
fn the_account_shows_money_as_strings() {
    let mut hall = Hall::new();
    hall.post(&buy("a", "601"));
    hall.pass(1_000);
    let account = hall.get("/v2/account");
    assert_eq!(
        (account["cash"].as_str(), account["equity"].as_str()),
        (Some("9399.88"), Some("9999.88"))
    );
    assert_eq!(
        (account["long_market_value"].as_str(), account["multiplier"].as_str()),
        (Some("600"), Some("1"))
    );
    assert!(account.get("pattern_day_trader").is_none(), "gone since July 2026");
}

#[test]
fn a_position_shows_what_is_available_and_null_prices_when_there_are_none() {
    let mut hall = Hall::new();
    let now = hall.now;
    hall.exchange.place(&symbol("SPY"), "2.5".parse().unwrap(), Decimal::from(590), now);
    hall.exchange.place(&symbol("GONE"), Decimal::ONE, Decimal::from(10), now);
    hall.post(&json!({"symbol": "SPY", "qty": "1", "side": "sell", "type": "limit",
        "limit_price": "700", "time_in_force": "day"}));
    let spy = hall.get("/v2/positions/SPY");
    assert_eq!((spy["qty"].as_str(), spy["qty_available"].as_str()), (Some("2.5"), Some("1.5")));
    assert_eq!(
        (spy["market_value"].as_str(), spy["unrealized_pl"].as_str()),
        (Some("1500"), Some("25"))
    );
    let gone = hall.get("/v2/positions/GONE");
    assert!(gone["current_price"].is_null() && gone["market_value"].is_null());
    assert_eq!(hall.get("/v2/positions").as_array().unwrap().len(), 2);
    assert_eq!(hall.fails(Method::Get, "/v2/positions/QQQ", "").2, "position does not exist");
}

#[test]
fn the_clock_speaks_new_york_time() {
    let mut hall = Hall::new();
    let clock = hall.get("/v2/clock");
    assert_eq!(clock["timestamp"], "2026-11-20T10:00:00-05:00");
    assert_eq!(
        (clock["is_open"].as_bool(), clock["next_open"].as_str()),
        (Some(true), Some("2026-11-23T09:30:00-05:00"))
    );
    assert_eq!(clock["next_close"], "2026-11-20T16:00:00-05:00");
    hall.now = "2026-11-26T15:00:00Z".parse().unwrap();
    let holiday = hall.get("/v2/clock");
    assert_eq!(
        (holiday["is_open"].as_bool(), holiday["next_close"].as_str()),
        (Some(false), Some("2026-11-27T13:00:00-05:00"))
    );
}

#[test]
fn the_calendar_lists_sessions_with_half_days_and_settlement() {
    let mut hall = Hall::new();
    let days = hall.get("/v2/calendar?start=2026-11-25&end=2026-11-27");
    assert_eq!(
        days,
        json!([
            {"date": "2026-11-25", "open": "09:30", "close": "16:00", "session_open": "0400",
                "session_close": "2000", "settlement_date": "2026-11-27"},
            {"date": "2026-11-27", "open": "09:30", "close": "13:00", "session_open": "0400",
                "session_close": "1700", "settlement_date": "2026-11-30"},
        ])
    );
    let october = hall.get("/v2/calendar?start=2026-10-09&end=2026-10-09");
    assert_eq!(october[0]["settlement_date"], "2026-10-13", "banks rest on Columbus Day");
}

#[test]
fn assets_are_listed_and_found() {
    let mut hall = Hall::new();
    hall.exchange.list(&symbol("TLT")).active = false;
    assert_eq!(
        hall.get("/v2/assets?status=active&asset_class=us_equity").as_array().unwrap().len(),
        2
    );
    let spy = hall.get("/v2/assets/SPY");
    assert_eq!(
        (spy["class"].as_str(), spy["fractionable"].as_bool()),
        (Some("us_equity"), Some(true))
    );
    assert_eq!(hall.fails(Method::Get, "/v2/assets/NOPE", "").1, 40_410_000);
}

//! Activities, corporate actions and settings on the wire.

use super::*;

#[test]
fn activities_are_paged_by_the_last_id() {
    let mut hall = Hall::new();
    for amount in 1..=5 {
        let now = hall.now;
        hall.exchange.book_cash(Hand::Deposit, Decimal::from(amount), now);
        hall.pass(1_000);
    }
    let amounts = |found: &Value| -> Vec<String> {
        let rows = found.as_array().unwrap().iter();
        rows.map(|row| row["net_amount"].as_str().unwrap().to_owned()).collect()
    };
    let first = hall.get("/v2/account/activities?page_size=2&direction=asc");
    assert_eq!(amounts(&first), ["1", "2"]);
    let token = first[1]["id"].as_str().unwrap();
    let next = format!("/v2/account/activities?page_size=2&direction=asc&page_token={token}");
    assert_eq!(amounts(&hall.get(&next)), ["3", "4"]);
    assert_eq!(amounts(&hall.get("/v2/account/activities/CSD?page_size=1")), ["5"], "newest first");
    assert_eq!(amounts(&hall.get("/v2/account/activities/FILL")), Vec::<String>::new());
    let after = "/v2/account/activities?direction=asc&after=2026-11-20T15:00:03Z";
    assert_eq!(amounts(&hall.get(after)), ["5"], "after is strict");
    assert_eq!(hall.fails(Method::Get, "/v2/account/activities?page_size=101", "").0, 422);
}

#[test]
fn a_fill_and_a_dividend_are_spelt_as_the_broker_does() {
    let mut hall = Hall::new();
    let order = hall.post(&buy("a", "601"));
    hall.pass(1_000);
    let now = hall.now;
    hall.exchange.pay_dividend(&symbol("SPY"), "0.485".parse().unwrap(), now);
    let rows = hall.get("/v2/account/activities");
    let (dividend, fill) = (&rows[0], &rows[1]);
    assert_eq!(
        (fill["activity_type"].as_str(), fill["order_id"].as_str()),
        (Some("FILL"), order["id"].as_str())
    );
    assert_eq!((fill["price"].as_str(), fill["leaves_qty"].as_str()), (Some("600.12"), Some("0")));
    assert!(fill["id"].as_str().unwrap().starts_with("20261120100000"), "New York time");
    assert_eq!(
        (dividend["net_amount"].as_str(), dividend["per_share_amount"].as_str()),
        (Some("0.49"), Some("0.485"))
    );
    assert_eq!(
        (dividend["activity_sub_type"].as_str(), dividend["date"].as_str()),
        (Some("CDIV"), Some("2026-11-20"))
    );
}

#[test]
fn announced_splits_are_corporate_actions() {
    let mut hall = Hall::new();
    let split = Split { new: 1, old: 10, at: hall.now, bars_at: hall.now, announced: true };
    hall.market.split(&symbol("SPY"), split);
    hall.market.split(&symbol("QQQ"), Split { announced: false, ..split });
    let found = hall.get("/v1/corporate-actions?symbols=SPY,QQQ&types=forward_split,reverse_split&start=2026-11-19&end=2026-11-20");
    let rows = found["corporate_actions"]["reverse_splits"].as_array().unwrap();
    assert_eq!((rows.len(), rows[0]["old_rate"].as_i64()), (1, Some(10)));
    assert!(found["corporate_actions"].get("forward_splits").is_none());
}

#[test]
fn settings_are_shown_and_changed() {
    let mut hall = Hall::new();
    assert_eq!(hall.get("/v2/account/configurations")["max_margin_multiplier"], "1");
    let change = r#"{"suspend_trade":true,"max_margin_multiplier":"4"}"#;
    let answer = hall.raw(Method::Patch, "/v2/account/configurations", change);
    assert_eq!(answer.status, 200);
    assert_eq!(hall.get("/v2/account")["trade_suspended_by_user"], true);
    assert_eq!(hall.get("/v2/account")["buying_power"], "40000");
}

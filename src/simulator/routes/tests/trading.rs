//! Orders on the wire, and the front door.

use super::*;

#[test]
fn a_new_order_comes_back_with_every_key_and_nulls() {
    let mut hall = Hall::new();
    let order = hall.post(&buy("a", "590.50"));
    let keys = [
        "id",
        "client_order_id",
        "created_at",
        "updated_at",
        "submitted_at",
        "filled_at",
        "expired_at",
        "expires_at",
        "canceled_at",
        "failed_at",
        "replaced_at",
        "replaced_by",
        "replaces",
        "asset_id",
        "symbol",
        "asset_class",
        "notional",
        "qty",
        "filled_qty",
        "filled_avg_price",
        "order_class",
        "order_type",
        "type",
        "side",
        "position_intent",
        "time_in_force",
        "limit_price",
        "stop_price",
        "status",
        "extended_hours",
        "legs",
        "trail_percent",
        "trail_price",
        "hwm",
        "subtag",
        "source",
    ];
    let mut found: Vec<&str> = order.as_object().unwrap().keys().map(String::as_str).collect();
    found.sort_unstable();
    let mut wanted = keys.to_vec();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    assert_eq!(
        (order["limit_price"].as_str(), order["filled_qty"].as_str()),
        (Some("590.5"), Some("0"))
    );
    assert_eq!(
        (order["order_class"].as_str(), order["status"].as_str()),
        (Some(""), Some("pending_new"))
    );
    assert_eq!(order["expires_at"], "2026-11-20T21:00:00Z");
    assert_eq!(order["position_intent"], "buy_to_open");
}

#[test]
fn numbers_may_come_as_numbers_or_strings() {
    let mut hall = Hall::new();
    let order = json!({"symbol": "SPY", "qty": 1.5, "side": "buy", "type": "limit",
        "limit_price": 590, "time_in_force": "day"});
    assert_eq!(hall.post(&order)["qty"], "1.5");
}

#[test]
fn malformed_orders_are_refused_in_the_brokers_words() {
    let mut hall = Hall::new();
    let mut refused = |change: Value| {
        let mut order = buy("x", "590");
        for (name, value) in change.as_object().unwrap() {
            order[name] = value.clone();
        }
        let (status, code, words) = hall.fails(Method::Post, "/v2/orders", &order.to_string());
        assert_eq!((status, code), (422, 40_010_001), "{words}");
        words
    };
    assert_eq!(refused(json!({"qty": null})), "qty or notional is required");
    assert_eq!(refused(json!({"notional": "5"})), "only one of qty or notional is accepted");
    assert_eq!(refused(json!({"qty": "0"})), "qty must be > 0");
    assert_eq!(refused(json!({"side": "hold"})), "invalid side");
    assert_eq!(refused(json!({"type": "magic"})), "invalid order type");
    assert_eq!(refused(json!({"time_in_force": "ever"})), "invalid time_in_force");
    assert_eq!(refused(json!({"type": "market"})), "market orders require no stop or limit price");
    assert_eq!(refused(json!({"limit_price": null})), "limit orders require a limit price");
    assert_eq!(refused(json!({"limit_price": "0"})), "limit price must be > 0");
    let (status, ..) = hall.fails(Method::Post, "/v2/orders", "{");
    assert_eq!(status, 400);
}

#[test]
fn a_refusal_carries_its_extras() {
    let mut hall = Hall::new();
    let mut order = buy("a", "590");
    order["qty"] = json!("100");
    let response = hall.raw(Method::Post, "/v2/orders", &order.to_string());
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(response.status, 403);
    assert_eq!(
        body,
        json!({"code": 40_310_000, "message": "insufficient buying power",
        "buying_power": "10000", "cost_basis": "59000"})
    );
}

#[test]
fn missing_keys_are_refused_as_json_or_as_a_web_page() {
    let mut hall = Hall::new();
    hall.door.keys = Keys::Only { id: "PK".to_owned(), secret: "other".to_owned() };
    assert_eq!(hall.fails(Method::Get, "/v2/account", ""), (401, 0, "unauthorized.".to_owned()));
    let page = hall.raw(Method::Get, "/v2/clock", "");
    assert_eq!((page.status, page.header("content-type")), (401, Some("text/html")));
}

#[test]
fn every_answer_has_a_request_id_and_the_rate_limit() {
    let mut hall = Hall::new();
    let first = hall.raw(Method::Get, "/v2/account", "");
    assert_eq!(first.header("x-ratelimit-limit"), Some("200"));
    assert_eq!(first.header("x-ratelimit-remaining"), Some("199"));
    assert_eq!(first.header("x-ratelimit-reset"), Some("1795186860"));
    let second = hall.raw(Method::Get, "/v2/nothing", "");
    assert_eq!(second.status, 404);
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[test]
fn the_request_past_the_limit_is_turned_away_until_the_next_minute() {
    let mut hall = Hall::new();
    for _ in 0..200 {
        assert_eq!(hall.raw(Method::Get, "/v2/clock", "").status, 200);
    }
    assert_eq!(hall.fails(Method::Get, "/v2/clock", "").0, 429);
    hall.pass(60_000);
    assert_eq!(hall.raw(Method::Get, "/v2/clock", "").status, 200);
}

#[test]
fn orders_are_listed_by_status_time_and_symbol() {
    let mut hall = Hall::new();
    let start = hall.now;
    for (id, limit) in [("a", "590"), ("b", "601"), ("c", "591")] {
        hall.post(&buy(id, limit));
        hall.pass(1_000);
    }
    let ids = |found: &Value| -> Vec<String> {
        let rows = found.as_array().unwrap().iter();
        rows.map(|order| order["client_order_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&hall.get("/v2/orders")), ["c", "a"], "open, newest first");
    assert_eq!(ids(&hall.get("/v2/orders?status=closed")), ["b"]);
    assert_eq!(ids(&hall.get("/v2/orders?status=all&direction=asc&limit=2")), ["a", "b"]);
    let after = format!("/v2/orders?status=all&direction=asc&after={start}");
    assert_eq!(ids(&hall.get(&after)), ["b", "c"], "after is strict");
    assert_eq!(ids(&hall.get("/v2/orders?status=all&symbols=QQQ")), Vec::<String>::new());
    assert_eq!(hall.fails(Method::Get, "/v2/orders?limit=501", "").0, 422);
}

#[test]
fn orders_are_looked_up_and_cancelled_by_their_ids() {
    let mut hall = Hall::new();
    let order = hall.post(&buy("a b", "590"));
    let id = order["id"].as_str().unwrap().to_owned();
    let found = hall.get("/v2/orders:by_client_order_id?client_order_id=a%20b");
    assert_eq!(found["id"], order["id"]);
    assert_eq!(hall.get(&format!("/v2/orders/{}", id.replace('-', "")))["id"], order["id"]);
    let unknown = "/v2/orders/00000000-0000-4000-8000-000000000000";
    assert_eq!(hall.fails(Method::Get, unknown, "").1, 40_410_000);
    assert_eq!(hall.fails(Method::Get, "/v2/orders/abc", "").0, 422);
    let answer = hall.raw(Method::Delete, &format!("/v2/orders/{id}"), "");
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    hall.pass(1_000);
    let again = hall.fails(Method::Delete, &format!("/v2/orders/{id}"), "");
    assert_eq!(again, (422, 42_210_000, "order is already in \"canceled\" state".to_owned()));
    hall.post(&buy("b", "590"));
    let all = hall.raw(Method::Delete, "/v2/orders", "");
    let items: Value = serde_json::from_slice(&all.body).unwrap();
    assert_eq!((all.status, items[0]["status"].as_i64()), (207, Some(200)));
}

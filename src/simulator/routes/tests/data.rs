//! Bars and quotes on the wire.

use super::*;

#[test]
fn bars_are_paged_over_symbols_by_total_points() {
    let mut hall = Hall::new();
    let target = "/v2/stocks/bars?symbols=SPY,QQQ,NOPE&timeframe=1Day&start=2026-11-12&end=2026-11-19&adjustment=all&feed=sip&limit=4";
    let mut next = target.to_owned();
    let mut pages = Vec::new();
    for _ in 0..5 {
        let page = hall.get(&next);
        let lengths = |name: &str| page["bars"][name].as_array().map_or(0, Vec::len);
        pages.push((lengths("QQQ"), lengths("SPY")));
        match page["next_page_token"].as_str() {
            Some(token) => next = format!("{target}&page_token={token}"),
            None => break,
        }
    }
    assert_eq!(pages, [(4, 0), (2, 2), (0, 4)]);
    let bars = hall.get(&target.replace("&limit=4", ""));
    assert_eq!(bars["bars"]["SPY"][0]["t"], "2026-11-12T05:00:00Z");
    assert!(bars["bars"]["SPY"][0]["c"].is_number() && bars["bars"].get("NOPE").is_none());
}

#[test]
fn consolidated_bars_are_free_after_a_quarter_of_an_hour_only() {
    let mut hall = Hall::new();
    let bars = |feed: &str, end: &str| {
        format!("/v2/stocks/bars?symbols=SPY&timeframe=1Day&start=2026-11-19&feed={feed}&end={end}")
    };
    let refused = hall.fails(Method::Get, &bars("sip", "2026-11-20T14:46:00Z"), "");
    assert_eq!(
        refused,
        (403, 42_210_000, "subscription does not permit querying recent SIP data".to_owned())
    );
    let count = |found: &Value| found["bars"]["SPY"].as_array().unwrap().len();
    assert_eq!(
        count(&hall.get(&bars("sip", "2026-11-20T14:45:00Z"))),
        2,
        "with today's partial bar"
    );
    assert_eq!(count(&hall.get(&bars("iex", "2026-11-20T15:00:00Z"))), 2);
    assert_eq!(count(&hall.get(&bars("iex", "2026-11-20T04:59:59Z"))), 1);
    hall.now = "2026-11-20T14:40:00Z".parse().unwrap();
    assert_eq!(count(&hall.get(&bars("sip", ""))), 1, "a quarter of an hour ago it was not open");
    hall.door.plan = DataPlan::Plus;
    assert_eq!(count(&hall.get(&bars("sip", "2026-11-20T14:46:00Z"))), 2);
}

#[test]
fn wrong_data_requests_are_bad_requests() {
    let mut hall = Hall::new();
    let mut bad = |rest: &str| {
        let target = format!("/v2/stocks/bars?symbols=SPY&timeframe=1Day&{rest}");
        let (status, _, words) = hall.fails(Method::Get, &target, "");
        assert_eq!(status, 400, "{words}");
        words
    };
    assert_eq!(bad("limit=10001"), "invalid limit: larger than the allowed maximum of 10000");
    assert_eq!(bad("adjustment=some"), "invalid adjustment: some");
    assert_eq!(bad("page_token=zz"), "invalid page_token");
    assert_eq!(hall.fails(Method::Get, "/v2/stocks/bars?symbols=%21&timeframe=1Day", "").0, 400);
    assert_eq!(hall.fails(Method::Get, "/v2/stocks/bars?symbols=SPY&timeframe=1Min", "").0, 400);
}

#[test]
fn one_symbols_bars_come_as_a_list() {
    let mut hall = Hall::new();
    let one =
        hall.get("/v2/stocks/SPY/bars?timeframe=1Day&start=2026-11-16&end=2026-11-19&sort=desc");
    assert_eq!((one["symbol"].as_str(), one["bars"].as_array().unwrap().len()), (Some("SPY"), 4));
    assert_eq!(one["bars"][0]["t"], "2026-11-19T05:00:00Z");
}

#[test]
fn a_missing_side_of_a_quote_is_zero() {
    let mut hall = Hall::new();
    let quote = FixedQuote { bid: None, ask: "601".parse().ok(), at: None };
    hall.market.fix_quote(&symbol("SPY"), Some(quote));
    let quotes = hall.get("/v2/stocks/quotes/latest?symbols=SPY,NOPE&feed=iex");
    assert_eq!(
        (quotes["quotes"]["SPY"]["bp"].as_f64(), quotes["quotes"]["SPY"]["ap"].as_f64()),
        (Some(0.0), Some(601.0))
    );
    assert!(quotes["quotes"].get("NOPE").is_none());
    assert_eq!(hall.fails(Method::Get, "/v2/stocks/quotes/latest?symbols=SPY&feed=sip", "").0, 403);
    let late = hall.get("/v2/stocks/trades/latest?symbols=SPY&feed=delayed_sip");
    assert_eq!(late["trades"]["SPY"]["t"], "2026-11-20T14:45:00Z");
    let snapshots = hall.get("/v2/stocks/snapshots?symbols=SPY&feed=iex");
    assert_eq!(snapshots["SPY"]["dailyBar"]["t"], "2026-11-20T05:00:00Z");
}

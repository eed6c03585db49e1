//! Bars, quotes and splits.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use alchemiser::application::ports::{Broker, BrokerError, MarketData};
use alchemiser::domain::market::{QuoteReading, QuoteRules};
use alchemiser::domain::money::Price;
use alchemiser::domain::symbol::Symbol;
use alchemiser::infrastructure::http::Host;
use jiff::civil::{Date, Weekday, date};
use rust_decimal::Decimal;

use crate::script::{World, fixture, ok, status};

fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

fn price(text: &str) -> Option<Price> {
    Price::parse(text).ok()
}

fn wanted(symbols: &[(&str, usize)]) -> BTreeMap<Symbol, usize> {
    symbols.iter().map(|(name, count)| (symbol(name), *count)).collect()
}

const THROUGH: Date = date(2026, 11, 19);

#[tokio::test]
async fn todays_unfinished_bar_is_dropped_and_symbols_without_bars_are_absent() {
    let world = World::new([ok(fixture("bars"))]);
    let alpaca = world.alpaca();
    let want = wanted(&[("SPY", 250), ("TQQQ", 1), ("GONE", 1)]);
    let histories = alpaca.daily(&want, THROUGH).await.unwrap();
    let spy = histories.get(&symbol("SPY")).unwrap();
    assert_eq!(spy.days(), [date(2026, 11, 18), THROUGH]);
    assert_eq!(spy.closes(), [660.1, 663.42]);
    assert_eq!(spy.last_close(), price("663.42"));
    assert_eq!(spy.median_volume(20), Some(58_123_344.0));
    assert_eq!(histories.get(&symbol("TQQQ")).unwrap().closes(), [86.348]);
    assert_eq!(histories.get(&symbol("GONE")), None);
    assert_eq!(alpaca.requests(), 1);
    let target = &world.targets()[0];
    for part in [
        "/v2/stocks/bars?symbols=SPY,GONE,TQQQ&timeframe=1Day&start=2025-11-07T00:00:00Z",
        "&end=2026-11-19T23:59:59Z&adjustment=all&feed=sip&limit=10000&sort=asc",
    ] {
        assert!(target.contains(part), "{target}");
    }
    assert_eq!(world.requests.lock().unwrap()[0].host, Host::Data);
}

#[tokio::test]
async fn only_the_closes_asked_for_are_kept() {
    let world = World::new([ok(fixture("bars"))]);
    let histories = world.alpaca().daily(&wanted(&[("SPY", 1), ("TQQQ", 1)]), THROUGH).await;
    assert_eq!(histories.unwrap().get(&symbol("SPY")).unwrap().closes(), [663.42]);
}

#[tokio::test]
async fn an_end_too_young_for_the_free_feed_is_never_asked_for() {
    let world = World::new([ok(fixture("bars"))]);
    let today = date(2026, 11, 20); // the script starts at 14:35 of that day
    let _ = world.alpaca().daily(&wanted(&[("SPY", 1), ("TQQQ", 1)]), today).await;
    assert!(world.targets()[0].contains("&end=2026-11-20T14:19:00Z&"), "{}", world.targets()[0]);
}

/// Bars of some symbols over so many weekdays, in the broker's shape.
fn page(symbols: &str, bars: usize) -> Vec<u8> {
    let mut days: Vec<Date> = std::iter::successors(Some(THROUGH), |day| day.yesterday().ok())
        .filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday))
        .take(bars)
        .collect();
    days.reverse();
    let mut rows = Vec::new();
    for name in symbols.split(',') {
        let mut row = format!("\"{name}\":[");
        for (nth, day) in days.iter().enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            let close = nth + 1;
            let _ = write!(
                row,
                r#"{comma}{{"c":{close}.25,"h":9,"l":1,"n":7,"o":2,"t":"{day}T05:00:00Z","v":{close},"vw":3.5}}"#
            );
        }
        rows.push(row + "]");
    }
    format!(r#"{{"bars":{{{}}},"next_page_token":null}}"#, rows.join(",")).into_bytes()
}

fn asked(target: &str) -> String {
    let rest = target.split("symbols=").nth(1).unwrap();
    rest.split('&').next().unwrap().to_owned()
}

#[tokio::test]
async fn seventy_symbols_of_300_bars_come_in_three_requests() {
    let names: Vec<String> = (0..70).map(|n| format!("S{n}")).collect();
    let want: BTreeMap<Symbol, usize> = names.iter().map(|name| (symbol(name), 300)).collect();
    let world = World::ruled(|request| ok(page(&asked(&request.target), 310)));
    let alpaca = world.alpaca();
    let histories = alpaca.daily(&want, THROUGH).await.unwrap();
    assert_eq!(alpaca.requests(), 3);
    assert_eq!(histories.iter().count(), 70);
    for (symbol, history) in histories.iter() {
        assert_eq!(history.closes().len(), 300, "{symbol}");
        assert_eq!((history.closes()[0], history.last_day()), (11.25, Some(THROUGH)));
    }
}

#[tokio::test]
async fn pages_that_split_a_symbol_are_put_together() {
    let bar = |day: u32| format!(r#"{{"t":"2026-11-{day}T05:00:00Z","c":{day}.5,"v":1}}"#);
    let world = World::new([
        ok(format!(r#"{{"bars":{{"SPY":[{},{}]}},"next_page_token":"a/b="}}"#, bar(16), bar(17))),
        ok(format!(
            r#"{{"bars":{{"SPY":[{}],"TQQQ":[{}]}},"next_page_token":null}}"#,
            bar(18),
            bar(18)
        )),
    ]);
    let want = wanted(&[("SPY", 9), ("TQQQ", 9)]);
    let histories = world.alpaca().daily(&want, THROUGH).await.unwrap();
    assert_eq!(histories.get(&symbol("SPY")).unwrap().closes(), [16.5, 17.5, 18.5]);
    assert_eq!(histories.get(&symbol("TQQQ")).unwrap().closes(), [18.5]);
    assert!(world.targets()[1].ends_with("&page_token=a%2Fb%3D"));
}

#[tokio::test]
async fn pages_without_end_are_an_error() {
    let loops = World::ruled(|_| ok(r#"{"bars":{},"next_page_token":"again"}"#));
    let want = wanted(&[("SPY", 9)]);
    let error = loops.alpaca().daily(&want, THROUGH).await.unwrap_err();
    assert!(matches!(error, BrokerError::Malformed(_)));
    assert_eq!(loops.targets().len(), 2);
    let count = std::sync::atomic::AtomicU32::new(0);
    let endless = World::ruled(move |_| {
        let n = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        ok(format!(r#"{{"bars":{{}},"next_page_token":"{n}"}}"#))
    });
    assert!(endless.alpaca().daily(&want, THROUGH).await.is_err());
    assert_eq!(endless.targets().len(), 12);
}

#[tokio::test]
async fn bars_of_a_symbol_nobody_asked_for_make_the_answer_wrong() {
    let world = World::new([ok(fixture("bars"))]);
    let error = world.alpaca().daily(&wanted(&[("SPY", 2)]), THROUGH).await.unwrap_err();
    assert!(error.to_string().contains("bars of TQQQ, not asked for"), "{error}");
}

#[tokio::test]
async fn a_bar_that_is_no_price_costs_its_symbol_and_no_other() {
    for close in ["0", "-1", "null", "1e9", "\"n/a\""] {
        let body = format!(
            r#"{{"bars":{{"BAD":[{{"t":"2026-11-19T05:00:00Z","c":{close},"v":1}}],
                         "TEXT":[{{"t":"2026-11-19T05:00:00Z","c":"7.5","v":null}}]}}}}"#
        );
        let world = World::new([ok(body)]);
        let want = wanted(&[("BAD", 1), ("TEXT", 1)]);
        let histories = world.alpaca().daily(&want, THROUGH).await.unwrap();
        assert_eq!(histories.get(&symbol("BAD")), None, "{close}");
        let text = histories.get(&symbol("TEXT")).unwrap();
        assert_eq!((text.closes(), text.median_volume(9)), (&[7.5][..], None));
    }
}

#[tokio::test]
async fn an_answer_without_bars_is_wrong_and_one_with_none_is_empty() {
    let want = wanted(&[("SPY", 2)]);
    for (body, is_ok) in [
        (r#"{"bars":{},"next_page_token":null}"#, true),
        (r#"{"bars":null}"#, true),
        (r#"{"bars":{"SPY":null}}"#, true),
        (r#"{"next_page_token":null}"#, false),
        (r#"{"bars":{"SPY":[{"c":1}]}}"#, false),
        (r#"{"bars":[]}"#, false),
        (r#"{"message":"hello"}"#, false),
    ] {
        let read = World::new([ok(body)]).alpaca().daily(&want, THROUGH).await;
        assert_eq!(read.is_ok(), is_ok, "{body}: {read:?}");
    }
}

#[tokio::test]
async fn a_garbled_page_of_bars_is_asked_for_again_and_counted_once() {
    let whole = page("SPY", 5);
    let world = World::new([ok(whole[..whole.len() / 2].to_vec()), ok(whole)]);
    let histories = world.alpaca().daily(&wanted(&[("SPY", 5)]), THROUGH).await.unwrap();
    assert_eq!(histories.get(&symbol("SPY")).unwrap().closes(), [1.25, 2.25, 3.25, 4.25, 5.25]);
}

#[tokio::test]
async fn quotes_and_trades_make_a_reading_and_a_zero_side_is_none() {
    let world = World::ruled(|request| {
        ok(fixture(if request.target.contains("/quotes/") { "quotes" } else { "trades" }))
    });
    let alpaca = world.alpaca();
    let wanted = [symbol("SPY"), symbol("TQQQ"), symbol("BIL"), symbol("NOPE")];
    let quotes = alpaca.quotes(&wanted, &doubting()).await.unwrap();
    assert_eq!(
        quotes[&symbol("SPY")],
        QuoteReading {
            bid: price("663.41"),
            ask: price("663.44"),
            quoted_at: "2026-11-20T14:35:40.123456789Z".parse().ok(),
            traded: price("663.42"),
            traded_at: "2026-11-20T14:35:41Z".parse().ok(),
        }
    );
    let tqqq = quotes[&symbol("TQQQ")];
    assert_eq!((tqqq.bid, tqqq.ask, tqqq.traded), (None, price("86.36"), None));
    assert_eq!(quotes[&symbol("BIL")].traded, price("91.4"));
    assert!(!quotes.contains_key(&symbol("NOPE")));
    assert_eq!(alpaca.requests(), 2);
    let mut targets = world.targets();
    targets.sort();
    let tail = "/latest?symbols=BIL,NOPE,SPY,TQQQ&feed=iex";
    assert_eq!(targets, [format!("/v2/stocks/quotes{tail}"), format!("/v2/stocks/trades{tail}")]);
}

/// Rules under which no quote is usable by itself.
fn doubting() -> QuoteRules {
    QuoteRules { age_max: Duration::ZERO, spread_max: Decimal::ZERO }
}

#[tokio::test]
async fn trades_are_asked_for_only_where_a_quote_alone_will_not_do() {
    let world = World::ruled(|request| {
        ok(if request.target.contains("/quotes/") {
            fixture("quotes")
        } else {
            br#"{"trades":{}}"#.to_vec()
        })
    });
    let centuries = Duration::from_hours(24 * 36_500);
    let trusting = QuoteRules { age_max: centuries, spread_max: Decimal::ONE };
    let wanted = [symbol("SPY"), symbol("TQQQ"), symbol("BIL")];
    world.alpaca().quotes(&wanted, &trusting).await.unwrap();
    let trades = world.targets().into_iter().find(|target| target.contains("/trades/")).unwrap();
    assert!(trades.contains("symbols=BIL,TQQQ&"), "SPY has a usable quote: {trades}");
}

#[tokio::test]
async fn quotes_do_without_trades_but_not_the_other_way_round() {
    let failing = |part: &'static str| {
        World::ruled(move |request| {
            if request.target.contains(part) {
                status(403, r#"{"code":42210000,"message":"subscription does not permit this"}"#)
            } else {
                ok(fixture(if part == "/trades/" { "quotes" } else { "trades" }))
            }
        })
    };
    let wanted = [symbol("SPY"), symbol("TQQQ"), symbol("BIL")];
    let quotes = failing("/trades/").alpaca().quotes(&wanted, &doubting()).await.unwrap();
    assert_eq!((quotes.len(), quotes[&symbol("SPY")].traded), (2, None));
    assert!(failing("/quotes/").alpaca().quotes(&wanted, &doubting()).await.is_err());
}

#[tokio::test]
async fn a_quote_nobody_asked_for_or_without_sense_makes_the_answer_wrong() {
    let world = World::ruled(|request| {
        ok(fixture(if request.target.contains("/quotes/") { "quotes" } else { "trades" }))
    });
    assert!(world.alpaca().quotes(&[symbol("SPY")], &doubting()).await.is_err());
    let negative = World::ruled(|_| ok(r#"{"quotes":{"SPY":{"bp":-1,"ap":2}},"trades":{}}"#));
    assert!(negative.alpaca().quotes(&[symbol("SPY")], &doubting()).await.is_err());
    let empty = World::ruled(|_| ok(r#"{"quotes":null,"trades":{"SPY":null}}"#));
    assert_eq!(empty.alpaca().quotes(&[symbol("SPY")], &doubting()).await, Ok(BTreeMap::new()));
}

#[tokio::test]
async fn splits_are_those_of_the_days_and_symbols_asked_for() {
    let world = World::new([ok(fixture("splits"))]);
    let wanted: Vec<Symbol> = ["SPY", "TQQQ", "SOXL", "BIL", "XYZ"].map(symbol).to_vec();
    let alpaca = world.alpaca();
    let splits = alpaca.splits(&wanted, date(2026, 11, 19), date(2026, 11, 20)).await.unwrap();
    assert_eq!(splits, ["SOXL", "TQQQ", "XYZ"].map(symbol));
    assert!(world.targets()[0].starts_with("/v1/corporate-actions?symbols=BIL,SOXL,SPY,TQQQ,XYZ&"));
    let none = World::new([ok(r#"{"corporate_actions":{},"next_page_token":null}"#)]);
    let splits = none.alpaca().splits(&wanted, date(2026, 11, 19), date(2026, 11, 20)).await;
    assert_eq!(splits, Ok(Vec::new()));
}

#[tokio::test]
async fn nothing_wanted_costs_nothing() {
    let world = World::new([]);
    let alpaca = world.alpaca();
    assert_eq!(alpaca.daily(&BTreeMap::new(), THROUGH).await.unwrap().iter().count(), 0);
    assert!(alpaca.quotes(&[], &doubting()).await.unwrap().is_empty());
    assert!(alpaca.splits(&[], THROUGH, THROUGH).await.unwrap().is_empty());
    assert!(alpaca.assets(&[]).await.unwrap().is_empty());
    assert_eq!(alpaca.requests(), 0);
}

//! What the market shows: prices, quotes, bars, and what is done to them by hand.

use jiff::civil::date;

use super::*;

fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn week() -> Market {
    let days = vec![date(2026, 11, 17), date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)];
    let history = History::new(days, vec![100.0, 101.0, 102.0, 110.0], Vec::new()).unwrap();
    let mut market = Market::new(TradingDays::nyse());
    market.list(symbol("SPY"), &history);
    market
}

fn near(found: Option<f64>, wanted: f64) -> bool {
    found.is_some_and(|found| (found - wanted).abs() < 1e-9)
}

#[test]
fn a_session_trades_at_the_close_before_and_is_marked_at_its_own() {
    let (market, spy) = (week(), symbol("SPY"));
    assert!(near(market.price(&spy, at("2026-11-20T13:00:00Z")), 102.0));
    assert!(near(market.price(&spy, at("2026-11-20T20:59:59Z")), 102.0));
    assert!(near(market.price(&spy, at("2026-11-20T21:00:00Z")), 110.0));
    assert!(near(market.price(&spy, at("2026-11-23T15:00:00Z")), 110.0));
    assert_eq!(market.price(&spy, at("2026-11-17T15:00:00Z")), None, "no close before");
}

#[test]
fn a_quote_stands_four_basis_points_wide_around_the_price_on_the_tick() {
    let (market, spy) = (week(), symbol("SPY"));
    let touch = market.touch(&spy, at("2026-11-20T15:00:00Z")).unwrap();
    assert_eq!((touch.bid.unwrap().to_string(), touch.ask.unwrap().to_string()), {
        ("101.97".to_owned(), "102.03".to_owned())
    });
    assert_eq!(touch.at, at("2026-11-20T15:00:00Z"));
    let evening = market.touch(&spy, at("2026-11-20T23:00:00Z")).unwrap();
    assert_eq!(evening.at, at("2026-11-20T21:00:00Z"), "no quotes after the close");
}

#[test]
fn a_price_below_a_dollar_is_quoted_in_hundredths_of_a_cent() {
    let mut market = Market::new(TradingDays::nyse());
    market.spread.least = Decimal::new(1, 4);
    market.list_at(symbol("PENNY"), 0.5);
    let touch = market.touch(&symbol("PENNY"), at("2026-11-20T15:00:00Z")).unwrap();
    assert_eq!(touch.bid.unwrap().to_string(), "0.4999");
}

#[test]
fn todays_bar_is_partial_while_the_session_goes_on() {
    let (market, spy) = (week(), symbol("SPY"));
    let day = date(2026, 11, 20);
    let known = |text| (at(text), Adjustment::Split);
    assert_eq!(market.bar(&spy, day, known("2026-11-20T14:00:00Z")), None);
    let morning = market.bar(&spy, day, known("2026-11-20T15:00:00Z")).unwrap();
    let evening = market.bar(&spy, day, known("2026-11-20T22:00:00Z")).unwrap();
    assert!(near(Some(morning.close), 102.0) && near(Some(evening.close), 110.0));
    assert!(morning.volume < evening.volume);
    assert!(evening.high >= evening.close && evening.low <= evening.open);
}

#[test]
fn a_move_by_hand_lasts_until_the_close_where_there_is_a_series() {
    let (mut market, spy) = (week(), symbol("SPY"));
    market.move_to(&spy, 90.0, at("2026-11-20T15:00:00Z"));
    assert!(near(market.price(&spy, at("2026-11-20T14:59:00Z")), 102.0));
    assert!(near(market.price(&spy, at("2026-11-20T16:00:00Z")), 90.0));
    assert!(near(market.price(&spy, at("2026-11-20T21:00:00Z")), 110.0));
}

#[test]
fn a_split_lowers_the_price_and_all_earlier_bars_once_the_data_have_it() {
    let (mut market, spy) = (week(), symbol("SPY"));
    let (at_split, bars_at) = (at("2026-11-20T09:00:00Z"), at("2026-11-20T16:00:00Z"));
    market.split(&spy, Split { new: 2, old: 1, at: at_split, bars_at, announced: true });
    assert!(near(market.price(&spy, at("2026-11-20T15:00:00Z")), 51.0));
    let day = date(2026, 11, 19);
    let early = market.close(&spy, day, (at("2026-11-20T15:00:00Z"), Adjustment::Split));
    let later = market.close(&spy, day, (at("2026-11-20T17:00:00Z"), Adjustment::Split));
    let raw = market.close(&spy, day, (at("2026-11-20T17:00:00Z"), Adjustment::Raw));
    assert!(near(early, 102.0) && near(later, 51.0) && near(raw, 102.0));
}

#[test]
fn a_halted_symbol_keeps_its_last_price_and_an_old_quote() {
    let (mut market, spy) = (week(), symbol("SPY"));
    market.halt(&spy, Some(at("2026-11-20T15:00:00Z")));
    let touch = market.touch(&spy, at("2026-11-20T18:00:00Z")).unwrap();
    assert_eq!(touch.at, at("2026-11-20T15:00:00Z"));
    assert!(near(market.price(&spy, at("2026-11-20T22:00:00Z")), 102.0));
}

fn returns(market: &Market, name: &str, years: std::ops::RangeInclusive<i16>) -> Vec<f64> {
    let now = at("2027-12-31T22:00:00Z");
    let days = market.days.sessions().iter().filter(|s| years.contains(&s.date.year()));
    let closes: Vec<f64> = days
        .filter_map(|s| market.close(&symbol(name), s.date, (now, Adjustment::Split)))
        .collect();
    closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect()
}

fn deviation(values: &[f64]) -> f64 {
    let count = f64::from(u32::try_from(values.len()).unwrap());
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt()
}

#[test]
fn a_synthetic_market_looks_like_one() {
    let market = synthetic(Synthetic::default());
    let spy = returns(&market, "SPY", 2019..=2027);
    let upro = returns(&market, "UPRO", 2019..=2027);
    assert!((0.006..0.022).contains(&deviation(&spy)), "{}", deviation(&spy));
    let ratio = deviation(&upro) / deviation(&spy);
    assert!((2.7..3.2).contains(&ratio), "{ratio}");
    let product: f64 =
        spy.iter().zip(returns(&market, "UVXY", 2019..=2027)).map(|(a, b)| a * b).sum();
    assert!(product < 0.0, "fear rises when shares fall");
    let calm = deviation(&returns(&market, "SPY", 2021..=2021));
    let crash = deviation(&returns(&market, "SPY", 2022..=2022));
    assert!(crash > 1.2 * calm, "{crash} {calm}");
    assert_eq!(market.symbols().count(), 67);
}

#[test]
fn the_same_seed_gives_the_same_market_and_another_seed_another() {
    let last = |seed| {
        let market = synthetic(Synthetic { seed, ..Synthetic::default() });
        market.price(&symbol("TQQQ"), at("2024-03-04T16:00:00Z")).unwrap().to_bits()
    };
    assert_eq!(last(5), last(5));
    assert_ne!(last(5), last(6));
}

#[test]
fn a_folder_of_closes_is_a_market_that_opens_on_their_dates() {
    let path = std::env::temp_dir().join(format!("alchemiser-prices-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    let row = "date,close\n2025-12-30,10\n2025-12-31,11\n";
    std::fs::write(path.join("SPY.csv"), row).unwrap();
    std::fs::write(path.join("FNGU_EXT.csv"), row).unwrap();
    let aliases = BTreeMap::from([(symbol("FNGU"), "FNGU_EXT".to_owned())]);
    let market = folder(&path, &aliases).unwrap();
    let listed: Vec<String> = market.symbols().map(ToString::to_string).collect();
    assert_eq!(listed, ["FNGU", "SPY"]);
    assert_eq!(market.days.sessions()[0].date, date(2025, 12, 30));
    std::fs::write(path.join("SPY.csv"), "date,close\nx\n").unwrap();
    assert!(matches!(folder(&path, &aliases), Err(FolderError::Malformed { .. })));
    std::fs::remove_dir_all(&path).unwrap();
    assert!(matches!(folder(&path, &aliases), Err(FolderError::Unreadable { .. })));
}

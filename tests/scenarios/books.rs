//! The books: a year of everything that can happen to an account, reckoned again from the exchange's own
//! entries.

use std::io::Write;
use std::process::{Command, Stdio};

use alchemiser::domain::books::benchmark::brought;
use alchemiser::domain::books::returns::{Point, money_weighted, points, time_weighted};
use alchemiser::domain::money::Usd;
use alchemiser::domain::order::Side;
use alchemiser::domain::report::RunReport;
use alchemiser::presentation::page_html;
use alchemiser::simulator::exchange::Hand;
use rust_decimal::Decimal;

use crate::python::environment;
use crate::recount::Recount;
use crate::stage::Stage;

/// Prices that walk, the same on every machine.
struct Walk(u32);

impl Walk {
    fn next(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % below
    }
}

const TICKERS: [(&str, i64); 5] =
    [("SPY", 500), ("BIL", 100), ("QQQ", 400), ("GLD", 200), ("TLT", 80)];

#[tokio::test(flavor = "current_thread")]
async fn a_year_of_everything_comes_to_the_cent_that_the_exchanges_own_entries_give() {
    let mut stage = Stage::new()
        .plays("a", "0.4", "SPY 0.6, BIL 0.4")
        .plays("b", "0.4", "QQQ 0.5, GLD 0.5")
        .plays("c", "0.2", "TLT 1")
        .rule("adopt = false");
    let mut walk = Walk(7);
    let mut prices = TICKERS.map(|(ticker, price)| (ticker, Decimal::from(price)));
    let (mut recount, mut opening, mut last) = (Recount::default(), None, None);
    let (mut crossings, mut worst) = (0, Decimal::ZERO);
    let wishes = ["SPY 0.6, BIL 0.4", "QQQ 0.7, TLT 0.3", "GLD 0.5, SPY 0.5", "TLT 0.25, QQQ 0.75"];
    for session in 0..250_u32 {
        for (ticker, price) in &mut prices {
            *price *= Decimal::new(i64::from(9_800 + walk.next(401)), 4);
            *price = price.round_dp(2);
            stage.world.set_price(ticker, &price.to_string());
        }
        happens(&stage, session, &mut prices);
        for name in ["a", "b", "c"] {
            let wish = wishes[usize::try_from(walk.next(4)).unwrap()];
            if walk.next(3) == 0 {
                stage.wants(name, wish);
            }
        }
        if (130..133).contains(&session) {
            stage.says("c", "(defsymphony \"broken\"");
        } else if session == 133 {
            stage.wants("c", "TLT 1");
        }
        let told = stage.run().await;
        let report = told.report();
        let books = report.books.as_ref().unwrap_or_else(|| panic!("{session}: {report:?}"));
        let (activities, orders) = (stage.world.activities(), stage.world.orders());
        recount.goes_on(report, &activities, &orders);
        crossings += report.plan.iter().map(|plan| plan.crossings.len()).sum::<usize>();
        let opening = *opening.get_or_insert(books.opening.decimal());
        let (all, apart) = parts_agree(&recount, report, session);
        worst = worst.max(apart);
        // The account itself: cash to the cent by the broker's own rounding, and every share.
        let held = stage.world.positions().into_iter();
        let value: Decimal =
            held.map(|(symbol, shares)| shares * report.prices[&symbol].decimal()).sum();
        let gained = stage.world.cash() + value - opening - recount.paid_in;
        let off = (gained - all - books.difference.decimal()).abs();
        let fills = Decimal::from(report.execution.outcomes().count() + 1);
        assert!(off <= cent() * fills, "{session}: the account gained {gained}, its parts {all}");
        assert!(
            told.incidents().iter().all(|said| {
                !said.ends_with("books-differ") && !said.ends_with("answers-changed")
            }),
            "{session}: {:?}",
            told.incidents()
        );
        let record = stage.record().unwrap();
        let page = stage.shelf.text(&format!("reports/{}.html", record.key));
        assert_eq!(
            Some(page_html(&record)),
            page,
            "{session}: from the record alone, byte for byte"
        );
        last = Some(record);
        stage.next_session();
    }
    assert!(crossings > 20 && recount.realised.len() >= 4, "{crossings} {:?}", recount.realised);
    assert!(worst < Decimal::new(1, 4), "{worst}");
    returns_agree(&last.unwrap());
}

/// Every holder's profit and realised gain; the answer is what all of them made, and the most that one
/// was apart.
fn parts_agree(recount: &Recount, report: &RunReport, session: u32) -> (Decimal, Decimal) {
    let books = report.books.as_ref().unwrap();
    let (mut all, mut worst) = (recount.nobody, Decimal::ZERO);
    for holder in recount.holders() {
        let ours = books.book_of(&holder).unwrap().profit(&report.prices);
        let theirs = recount.profit(&holder, report);
        let apart = (ours.total().decimal() - theirs).abs();
        assert!(apart < cent(), "{session} {holder:?}: {} {theirs}", ours.total());
        let realised = recount.realised.get(&holder).copied().unwrap_or_default();
        let sold = (ours.realised.decimal() - realised).abs();
        assert!(sold < cent(), "{session} {holder:?}: realised {} {realised}", ours.realised);
        all += theirs;
        worst = worst.max(apart).max(sold);
    }
    (all, worst)
}

fn cent() -> Decimal {
    Decimal::new(1, 2)
}

/// What happens to the account before a session's run.
fn happens(stage: &Stage, session: u32, prices: &mut [(&str, Decimal); 5]) {
    let world = &stage.world;
    match session {
        20 | 90 | 170 => world.book_cash(Hand::Deposit, "12345.67"),
        60 => world.book_cash(Hand::Withdrawal, "1234.56"),
        40 => world.trade_by_hand("GLD", Side::Buy, "6.5").unwrap(),
        41 | 180 if world.position("GLD") > Decimal::TEN => {
            world.trade_by_hand("GLD", Side::Sell, "9.75").unwrap();
        }
        75 => world.trade_by_hand("BIL", Side::Buy, "3.25").unwrap(),
        100 => {
            world.split("TLT", 2, 1);
            prices[4].1 = (prices[4].1 / Decimal::TWO).round_dp(2);
        }
        _ => {}
    }
    match session % 25 {
        5 if session > 0 => world.pay_dividend("SPY", "1.37"),
        9 => world.pay_dividend("TLT", "0.31"),
        13 => world.pay_dividend("GLD", "0.07"),
        17 => world.book_cash(Hand::Fee, "0.43"),
        21 => world.book_cash(Hand::Interest, "1.19"),
        _ => {}
    }
}

/// The returns of the year by another library, from the points of the equity curve.
fn returns_agree(report: &RunReport) {
    let points = points(&report.equity_curve, &report.transfers);
    let paid: Vec<_> = points.iter().filter(|point| point.paid_in != Usd::ZERO).collect();
    assert_eq!((points.len(), paid.len()), (250, 4), "{paid:?}");
    let told = |point: &Point| {
        let (equity, paid_in) = (point.equity.to_string(), point.paid_in.to_string());
        serde_json::json!([point.session, equity, paid_in])
    };
    let told = points.iter().map(told).collect::<serde_json::Value>().to_string();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/returns.py");
    let mut python = Command::new(environment("returns").join("python"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(told.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    let theirs: [f64; 2] = serde_json::from_slice(&output.stdout).unwrap();
    let ours = [time_weighted(&points), money_weighted(&points)];
    for (ours, theirs) in ours.into_iter().zip(theirs) {
        let ours: f64 = ours.unwrap().to_string().parse().unwrap();
        assert!((ours - theirs).abs() <= 1e-9 * theirs.abs(), "{ours} {theirs}");
        assert!(theirs.abs() > 0.01, "a year that earns nothing shows nothing: {theirs}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_letter_says_what_the_last_trades_brought_and_what_the_market_did() {
    let mut stage = Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5");
    stage.run().await;
    stage.next_session();
    stage.world.set_price("SPY", "510");
    let told = stage.run().await;
    let report = told.report();
    let before = report.books.as_ref().unwrap().trades.iter().find(|trades| {
        trades.session.is_some_and(|session| session < report.key.session) && !trades.all.is_empty()
    });
    let brought = brought(&before.unwrap().all, &report.prices);
    assert_eq!(brought, Some(Usd::dollars(980)), "98 SPY were bought at 500, BIL stands still");
    let market = report.benchmark.as_ref().unwrap();
    assert_eq!((market.symbol.as_str(), market.first.to_string()), ("SPY", "500".to_owned()));
    let letter = stage.post.last();
    for words in ["Trades of 20 Nov: +$980.00", "SPY meanwhile: "] {
        assert!(letter.contains(words), "{words}: {letter}");
    }
}

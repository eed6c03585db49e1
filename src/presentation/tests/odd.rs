//! What a record may hold that is odd, and is shown all the same; and what none can hold.

use jiff::civil::{Date, date};

use crate::domain::money::Usd;
use crate::domain::report::{EquityPoint, RunReport};
use crate::presentation::sample::{self, shares, symbol, trading_day, usd};
use crate::presentation::tests::text_of;
use crate::presentation::{LETTER_BYTES_MAX, Mail, letter, page_html, subject, terminal};

/// Everything made of a report, none of which shows a number that is none.
fn shown(report: &RunReport) -> (Mail, String) {
    let (mail, page) = (letter(report), page_html(report));
    for text in [&mail.text, &text_of(&mail.html), &text_of(&page), &terminal(report)] {
        for word in text.split(|sign: char| !sign.is_alphanumeric()) {
            assert!(!["NaN", "inf", "Infinity", "None", "Some"].contains(&word), "{text}");
        }
    }
    assert!(mail.html.len() <= LETTER_BYTES_MAX, "{}", mail.html.len());
    (mail, page)
}

fn names(mail: &Mail) -> Vec<&'static str> {
    mail.images.iter().map(|image| image.name).collect()
}

#[test]
fn sixty_positions_are_on_the_page_and_leave_the_letter_its_size() {
    let mut report = trading_day();
    let account = report.account.as_mut().unwrap();
    let template = account.positions[0].clone();
    account.positions = (0..60)
        .map(|number| {
            let name = symbol(&format!("SHARE{number}"));
            report.prices.insert(name.clone(), sample::price("10"));
            crate::domain::account::Position {
                symbol: name,
                shares: shares("7"),
                ..template.clone()
            }
        })
        .collect();
    let ledger = report.ledger.as_mut().unwrap();
    let held = account.positions.iter().map(|held| (held.symbol.clone(), held.shares)).collect();
    ledger.sleeves.values_mut().next().unwrap().shares = held;
    let (mail, page) = shown(&report);
    let page = text_of(&page);
    for number in 0..60 {
        assert!(page.contains(&format!("SHARE{number}")), "{number}");
    }
    assert!(names(&mail).contains(&"allocation"), "{:?}", names(&mail));
}

#[test]
fn an_equity_of_zero_is_no_divisor() {
    let mut report = trading_day();
    let account = report.account.as_mut().unwrap();
    account.positions.clear();
    for amount in [
        &mut account.cash_before,
        &mut account.cash_after,
        &mut account.equity_before,
        &mut account.equity_after,
    ] {
        *amount = Usd::ZERO;
    }
    account.equity_previous_close = Some(Usd::ZERO);
    report.equity_curve.iter_mut().for_each(|point| point.equity = Usd::ZERO);
    let capital = &mut report.plan.as_mut().unwrap().capital;
    for amount in
        [&mut capital.equity, &mut capital.deployable, &mut capital.asked, &mut capital.sleeves]
    {
        *amount = Usd::ZERO;
    }
    let books = report.books.as_mut().unwrap();
    books.opening = Usd::ZERO;
    for day in books.sleeves.values_mut().flat_map(|book| &mut book.days) {
        day.capital = Usd::ZERO;
    }
    let (mail, _) = shown(&report);
    assert!(subject(&report).ends_with("$0"), "{}", subject(&report));
    assert!(mail.text.contains("Equity now: $0.00"), "{}", mail.text);
}

fn points(of: &[(Date, &str)]) -> Vec<EquityPoint> {
    of.iter()
        .map(|(session, equity)| EquityPoint { session: *session, equity: usd(equity) })
        .collect()
}

#[test]
fn a_curve_of_one_point_with_gaps_or_without_any_is_drawn_or_left_out() {
    let (a, b, c) = (date(2025, 1, 2), date(2025, 1, 3), date(2026, 11, 20));
    for (curve, drawn) in [
        (points(&[]), false),
        (points(&[(c, "104231")]), true),
        (points(&[(c, "0")]), true),
        (points(&[(a, "100"), (b, "110"), (c, "90")]), true),
        (points(&[(c, "5"), (a, "5"), (b, "5")]), true),
        (points(&[(a, "5"), (a, "6"), (a, "7")]), true),
        (points(&[(a, "-500.25"), (b, "999999999999"), (c, "-1")]), true),
        (points(&[(date(1, 1, 1), "1"), (date(9999, 12, 31), "2")]), true),
    ] {
        let mut report = trading_day();
        report.equity_curve.clone_from(&curve);
        let (mail, page) = shown(&report);
        assert_eq!(names(&mail).contains(&"equity"), drawn, "{curve:?}");
        assert_eq!(page.contains("Line of the equity"), drawn, "{curve:?}");
    }
}

#[test]
fn a_number_that_is_none_stands_in_no_record() {
    let stored = serde_json::to_string(&trading_day()).unwrap();
    let whole = |from: &str, to: &str| {
        let spoilt = stored.replacen(from, to, 1);
        assert_ne!(spoilt, stored, "{from}");
        serde_json::from_str::<RunReport>(&spoilt)
    };
    for none in ["NaN", "-inf", "Infinity", "1e99", "", "ten", "0x10", "1,000.00"] {
        let refused = whole("\"equity\":\"98120\"", &format!("\"equity\":\"{none}\""));
        assert!(refused.is_err(), "{none}");
    }
    for none in ["NaN", "null", "1e999", "\"0.176\""] {
        let refused = whole("\"margin\":0.176", &format!("\"margin\":{none}"));
        assert!(refused.is_err(), "{none}");
    }
    assert!(whole("\"margin\":0.176", "\"margin\":0.5").is_ok());
}

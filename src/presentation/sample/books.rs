//! The books of the sample: opened two weeks before its day, with gains, a dividend and a fee.

use std::collections::BTreeMap;

use jiff::civil::date;

use crate::domain::books::Books;
use crate::domain::books::entry::Entry;
use crate::domain::money::{Price, Usd};
use crate::domain::order::Side;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::symbol::Symbol;
use crate::presentation::sample::{shares, strategy, symbol, usd};

/// Books that own what a ledger owns.
pub(crate) fn books(ledger: &Ledger, prices: &BTreeMap<Symbol, Price>) -> Books {
    let (began, before, today) = (date(2026, 11, 3), date(2026, 11, 19), date(2026, 11, 20));
    // What is held now was bought at nine tenths of what it is worth.
    let cheaper = |symbol: &Symbol| {
        let price = prices.get(symbol)?;
        price.scaled("0.9".parse().unwrap())
    };
    let mut books = Books::open(began, usd("40000"), ledger, cheaper);
    let sold = Entry::Traded {
        holder: Some(strategy("klm")),
        symbol: symbol("UVXY"),
        side: Side::Sell,
        shares: shares("0"),
        amount: usd("312.4"),
    };
    let dividend = Entry::Dividend {
        symbol: symbol("BTAL"),
        amount: usd("4.97"),
        shares: None,
        date: date(2026, 11, 12),
    };
    let fee = Entry::Fee { symbol: None, amount: -usd("0.06") };
    books.book(date(2026, 11, 12), &[sold, dividend, fee, Entry::Transfer(Usd::dollars(2500))]);
    let capital = ledger.sleeves.keys().map(|name| (name.clone(), Usd::dollars(30_000))).collect();
    let earlier = prices.iter().map(|(symbol, price)| {
        let price = price.scaled("0.97".parse().unwrap()).unwrap();
        (symbol.clone(), price)
    });
    books.close(began, ledger, (&earlier.clone().collect(), &capital));
    books.close(before, ledger, (&earlier.collect(), &capital));
    books.close(today, ledger, (prices, &capital));
    books
}

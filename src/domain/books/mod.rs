//! The books: what every sleeve paid, received and earned, to the cent, beside the ledger that says
//! which shares it owns.
//!
//! Sleeves own no cash, so the books count flows: a sleeve's profit is what its shares are worth and
//! what it received, less what it paid. Everything that moves shares or cash is an [`Entry`], and the
//! entries come from where the ledger follows the same facts, so that both tell the same story. The
//! sum over all sleeves, the foreign shares and what belongs to nobody is the account's own gain; what
//! the broker's cash differs from the entries is kept as a difference, never spread.
//!
//! Profits count from the day the books were opened: what was held then is taken at that day's price.

pub mod benchmark;
pub mod entry;
mod follow;
pub mod holding;
pub mod profit;
pub mod returns;

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::books::benchmark::Trade;
use crate::domain::books::entry::{Entry, Holder};
use crate::domain::books::holding::{Holding, part};
use crate::domain::books::profit::Profit;
use crate::domain::money::{Price, Shares, Usd};
use crate::domain::order::Side;
use crate::domain::run::StrategyName;
use crate::domain::symbol::Symbol;

/// What the broker's rounding to cents may differ for each entry.
const ROUNDING: Usd = Usd::cents(1);

/// The books of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// The session in which they were opened.
    pub began: Date,
    /// What the account was worth then.
    pub opening: Usd,
    /// The cash that the entries come to.
    pub cash: Usd,
    /// The broker's cash less that, when they were last compared.
    pub difference: Usd,
    /// Entries with cash since then.
    pub unchecked: u32,
    /// Cash paid in (negative: out) since the books were opened.
    pub transfers: Usd,
    /// Interest, fees and dividends that belong to no sleeve.
    pub unassigned: Usd,
    /// The sleeves, those given up included.
    pub sleeves: BTreeMap<StrategyName, SleeveBook>,
    /// Foreign shares.
    pub foreign: SleeveBook,
    /// Who held a symbol since when, oldest first, as far back as dividends ask for it.
    pub past: BTreeMap<Symbol, Vec<HeldSince>>,
    /// What was sold in the last session with sales, by whom.
    pub sales: Vec<Sale>,
    /// What the orders of the last run that had any executed, and of the one before it.
    #[serde(default)]
    pub trades: [Trades; 2],
}

/// One sleeve's part of the books.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SleeveBook {
    /// Every symbol it ever held.
    pub holdings: BTreeMap<Symbol, Holding>,
    /// Where it stood at the end of past sessions, oldest first.
    pub days: Vec<Day>,
}

/// Where a sleeve stood at the end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// The session.
    pub session: Date,
    /// Its profit since the books were opened.
    pub profit: Usd,
    /// The money it could use from then on.
    pub capital: Usd,
}

/// Who held a symbol from a session on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldSince {
    /// At the end of this session.
    pub session: Date,
    /// Holders with their shares; a holder without a name is nobody.
    pub by: Vec<(Holder, Shares)>,
}

/// What the orders of a run executed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Trades {
    /// Its session; `None` before the first.
    pub session: Option<Date>,
    /// Each execution, as far as a later split did not blur it.
    pub all: Vec<Trade>,
}

/// What a sleeve sold of a symbol in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// The session.
    pub session: Date,
    /// Whose.
    pub holder: Holder,
    /// Ticker.
    pub symbol: Symbol,
    /// What came in.
    pub proceeds: Usd,
}

impl Books {
    /// Books some entries, in their order.
    pub fn book(&mut self, session: Date, entries: &[Entry]) {
        for entry in entries {
            self.book_one(session, entry);
        }
    }

    fn book_one(&mut self, session: Date, entry: &Entry) {
        match entry {
            Entry::Traded { holder, symbol, side, shares, amount } => {
                match side {
                    Side::Buy => self.holding(holder, symbol).buy(session, *shares, *amount),
                    Side::Sell => {
                        self.holding(holder, symbol).sell(*shares, *amount);
                        self.sold(Sale {
                            session,
                            holder: holder.clone(),
                            symbol: symbol.clone(),
                            proceeds: *amount,
                        });
                    }
                }
                self.receive(if *side == Side::Buy { -*amount } else { *amount });
            }
            Entry::Passed { from, to, symbol, shares, price } => {
                let giver = self.holding(from, symbol);
                let value = match price {
                    Some(price) => *shares * *price,
                    None => giver.clone().take(*shares).0,
                };
                giver.sell(*shares, value);
                self.holding(to, symbol).buy(session, *shares, value);
            }
            Entry::Scaled { holder, symbol, shares } => {
                for trades in &mut self.trades {
                    trades.all.retain(|trade| trade.symbol != *symbol);
                }
                self.holding(holder, symbol).scale(*shares);
            }
            Entry::Renamed { from, to } => self.rename(from, to),
            Entry::Dividend { symbol, amount, shares, date } => {
                let by = self.held_for(symbol, *shares, *date);
                self.share_out(*amount, symbol, &by, |holding, amount| holding.dividends += amount);
                self.receive(*amount);
            }
            Entry::Fee { symbol, amount } => {
                self.charge(symbol.as_ref(), *amount);
                self.receive(*amount);
            }
            Entry::Transfer(amount) => {
                self.transfers += *amount;
                self.receive(*amount);
            }
            Entry::Cash(amount) => {
                self.unassigned += *amount;
                self.receive(*amount);
            }
        }
    }

    /// Books what a run's orders executed, and keeps it apart to be looked back on.
    pub fn book_run(&mut self, session: Date, entries: &[Entry]) {
        self.book(session, entries);
        let mut all = Vec::new();
        for entry in entries {
            if let Entry::Traded { symbol, side, shares, amount, .. } = entry {
                let (symbol, side, shares, amount) = (symbol.clone(), *side, *shares, *amount);
                all.push(Trade { symbol, side, shares, amount });
            }
        }
        if !all.is_empty() {
            self.trades.rotate_right(1);
            self.trades[0] = Trades { session: Some(session), all };
        }
    }

    fn receive(&mut self, amount: Usd) {
        self.cash += amount;
        self.unchecked = self.unchecked.saturating_add(1);
    }

    fn holding(&mut self, holder: &Holder, symbol: &Symbol) -> &mut Holding {
        let book = match holder {
            Some(strategy) => self.sleeves.entry(strategy.clone()).or_default(),
            None => &mut self.foreign,
        };
        book.holdings.entry(symbol.clone()).or_default()
    }

    fn sold(&mut self, sale: Sale) {
        self.sales.retain(|known| known.session == sale.session);
        self.sales.push(sale);
    }

    fn rename(&mut self, from: &Symbol, to: &Symbol) {
        for book in self.sleeves.values_mut().chain([&mut self.foreign]) {
            let Some(moved) = book.holdings.remove(from) else { continue };
            let known = book.holdings.entry(to.clone()).or_default();
            known.add(moved);
        }
        if let Some(past) = self.past.remove(from) {
            self.past.insert(to.clone(), past);
        }
        let sales = self.sales.iter_mut().map(|sale| &mut sale.symbol);
        let trades = self.trades.iter_mut().flat_map(|trades| &mut trades.all);
        for symbol in sales.chain(trades.map(|trade| &mut trade.symbol)) {
            if symbol == from {
                *symbol = to.clone();
            }
        }
    }

    /// Who held the shares that a dividend was paid for: the entry says how many they were, and the
    /// last close at which all holders together had that many decides; without such a close, the last
    /// at which anybody held one.
    fn held_for(
        &self,
        symbol: &Symbol,
        shares: Option<Shares>,
        date: Date,
    ) -> Vec<(Holder, Shares)> {
        let past = self.past.get(symbol).map(Vec::as_slice).unwrap_or_default();
        let before = || past.iter().rev().filter(|held| held.session < date && !held.by.is_empty());
        let all = |held: &HeldSince| held.by.iter().map(|(_, shares)| *shares).sum::<Shares>();
        let same = shares.and_then(|shares| before().find(|held| all(held) == shares));
        same.or_else(|| before().next()).map(|held| held.by.clone()).unwrap_or_default()
    }

    /// Shares out cash by shares held, cut off after nine decimals; the remainder goes to the first,
    /// and all of it to nobody where nobody held one.
    fn share_out(
        &mut self,
        amount: Usd,
        symbol: &Symbol,
        by: &[(Holder, Shares)],
        give: impl Fn(&mut Holding, Usd),
    ) {
        let whole: Shares = by.iter().map(|(_, shares)| *shares).sum();
        let mut left = amount;
        for (holder, shares) in by.iter().skip(1) {
            let each = part(amount, *shares, whole);
            left -= each;
            give(self.holding(holder, symbol), each);
        }
        match by.first() {
            Some((holder, _)) => give(self.holding(holder, symbol), left),
            None => self.unassigned += left,
        }
    }

    /// A fee is of the last session's sales, by what they brought: regulators charge sales, a day later.
    fn charge(&mut self, symbol: Option<&Symbol>, amount: Usd) {
        let of = |sale: &&Sale| symbol.is_none_or(|symbol| sale.symbol == *symbol);
        let sales: Vec<Sale> = self.sales.iter().filter(of).cloned().collect();
        let whole: Usd = sales.iter().map(|sale| sale.proceeds).sum();
        let mut left = amount;
        for sale in sales.iter().skip(1) {
            let each = amount.part(sale.proceeds.decimal(), whole.decimal());
            left -= each;
            self.holding(&sale.holder, &sale.symbol).fees += each;
        }
        match sales.first() {
            Some(sale) => self.holding(&sale.holder, &sale.symbol).fees += left,
            None => self.unassigned += left,
        }
    }

    /// Compares the cash with the broker's: what more than rounding explains, if it does.
    pub fn compare(&mut self, cash: Usd) -> Option<Usd> {
        let (now, entries) = (cash - self.cash, Decimal::from(self.unchecked));
        let more = now - self.difference;
        (self.difference, self.unchecked) = (now, 0);
        (more.abs() > ROUNDING.scaled(entries)).then_some(more)
    }

    /// A holder's part of the books.
    pub fn book_of(&self, holder: &Holder) -> Option<&SleeveBook> {
        match holder {
            Some(strategy) => self.sleeves.get(strategy),
            None => Some(&self.foreign),
        }
    }

    /// What all holders together have made of their shares.
    pub fn profit(&self, prices: &BTreeMap<Symbol, Price>) -> Profit {
        let all = self.sleeves.values().chain([&self.foreign]);
        all.map(|book| book.profit(prices)).fold(Profit::default(), Profit::and)
    }

    /// The account's gain since the books were opened: that of all holders, what belongs to nobody, and
    /// the difference that nothing explains.
    pub fn gain(&self, prices: &BTreeMap<Symbol, Price>) -> Usd {
        self.profit(prices).total() + self.unassigned + self.difference
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::sleeve::ledger::Ledger;

    fn symbol(ticker: &str) -> Symbol {
        Symbol::parse(ticker).unwrap()
    }

    fn sleeve(name: &str) -> Holder {
        StrategyName::parse(name).ok()
    }

    fn usd(text: &str) -> Usd {
        Usd::parse(text).unwrap()
    }

    fn traded(holder: Holder, side: Side, shares: u32, amount: &str) -> Entry {
        let (symbol, shares) = (symbol("A"), Shares::whole(shares));
        Entry::Traded { holder, symbol, side, shares, amount: usd(amount) }
    }

    /// A holds 30 and b 10 from the 5th on; a sells all of it on the 6th and b buys as many.
    fn books() -> Books {
        let mut books = Books::open(date(2026, 1, 2), usd("1000"), &Ledger::default(), |_| None);
        let held = |a: u32, b: u32| {
            let mut ledger = Ledger::default();
            for (name, shares) in [("a", a), ("b", b)] {
                let name = StrategyName::parse(name).unwrap();
                ledger.credit(&name, &symbol("A"), Shares::whole(shares));
            }
            ledger
        };
        let (a, b) = (sleeve("a"), sleeve("b"));
        let bought =
            [traded(a.clone(), Side::Buy, 30, "300"), traded(b.clone(), Side::Buy, 10, "100")];
        books.book(date(2026, 1, 5), &bought);
        books.close(date(2026, 1, 5), &held(30, 10), (&BTreeMap::new(), &BTreeMap::new()));
        let moved = [traded(a, Side::Sell, 30, "330"), traded(b, Side::Buy, 35, "385")];
        books.book(date(2026, 1, 6), &moved);
        books.close(date(2026, 1, 6), &held(0, 45), (&BTreeMap::new(), &BTreeMap::new()));
        books
    }

    fn dividends(books: &Books) -> [Usd; 2] {
        ["a", "b"].map(|name| {
            let book = books.book_of(&sleeve(name)).unwrap();
            book.profit(&BTreeMap::new()).dividends
        })
    }

    #[test]
    fn a_dividend_goes_to_those_who_held_the_shares_that_it_was_paid_for() {
        let paid = |shares, day| {
            let mut books = books();
            let (symbol, amount, date) = (symbol("A"), usd("4"), date(2026, 1, day));
            let entry = Entry::Dividend { symbol, amount, shares, date };
            books.book(jiff::civil::date(2026, 1, 7), &[entry]);
            dividends(&books)
        };
        assert_eq!(paid(Some(Shares::whole(40)), 7), [usd("3"), usd("1")]);
        assert_eq!(paid(Some(Shares::whole(45)), 7), [usd("0"), usd("4")]);
        assert_eq!(paid(None, 7), [usd("0"), usd("4")], "the last who held any");
        assert_eq!(paid(None, 6), [usd("3"), usd("1")], "those of the close before");
    }

    #[test]
    fn a_fee_is_of_the_last_sales_and_without_any_nobodys() {
        let mut with = books();
        with.book(date(2026, 1, 7), &[Entry::Fee { symbol: None, amount: usd("-0.33") }]);
        let fees = with.book_of(&sleeve("a")).unwrap().profit(&BTreeMap::new()).fees;
        assert_eq!((fees, with.unassigned), (usd("-0.33"), usd("0")));
        let other = Entry::Fee { symbol: Some(symbol("B")), amount: usd("-0.10") };
        with.book(date(2026, 1, 7), &[other]);
        assert_eq!(with.unassigned, usd("-0.10"));
    }

    #[test]
    fn what_passes_without_a_price_passes_at_its_cost() {
        let mut books = books();
        let (from, to, shares) = (sleeve("b"), None, Shares::whole(20));
        let passed = |price| Entry::Passed {
            from: from.clone(),
            to: to.clone(),
            symbol: symbol("A"),
            shares,
            price,
        };
        books.book(date(2026, 1, 7), &[passed(None)]);
        let giver = books.book_of(&sleeve("b")).unwrap().profit(&BTreeMap::new());
        // The oldest twenty cost ten times 10 and ten times 11.
        assert_eq!(books.foreign.profit(&BTreeMap::new()).cost, usd("210"));
        assert_eq!((giver.cost, giver.realised), (usd("275"), usd("0")));
        books.book(date(2026, 1, 7), &[passed(Price::new(Decimal::from(12)).ok())]);
        let foreign = &books.foreign.holdings[&symbol("A")];
        assert_eq!(foreign.lots.last().unwrap().cost, usd("450"));
    }

    #[test]
    fn cash_that_no_entry_explains_is_kept_apart_and_said_once() {
        let mut books = books();
        assert_eq!(books.cash, usd("545"));
        assert_eq!(books.compare(usd("545.03")), None, "four entries may be off by a cent each");
        assert_eq!(books.compare(usd("546.03")), Some(usd("1")));
        assert_eq!(books.compare(usd("546.03")), None);
        assert_eq!((books.difference, books.cash), (usd("1.03"), usd("545")));
    }

    #[test]
    fn a_new_ticker_takes_everything_along() {
        let mut books = books();
        let before = books.profit(&BTreeMap::new());
        let renamed = Entry::Renamed { from: symbol("A"), to: symbol("Z") };
        books.book(date(2026, 1, 7), &[renamed]);
        assert_eq!(books.profit(&BTreeMap::new()), before);
        let shares = Some(Shares::whole(40));
        let dividend = Entry::Dividend {
            symbol: symbol("Z"),
            amount: usd("4"),
            shares,
            date: date(2026, 1, 7),
        };
        books.book(date(2026, 1, 7), &[dividend]);
        assert_eq!(dividends(&books), [usd("3"), usd("1")]);
    }

    #[test]
    fn where_a_fact_is_missing_the_books_follow_the_ledger() {
        let mut books = books();
        let price = |_: &Symbol| Price::new(Decimal::from(10)).ok();
        let name = StrategyName::parse("a").unwrap();
        let mut ledger = Ledger::default();
        ledger.credit(&name, &symbol("A"), Shares::whole(5));
        let earned = books.profit(&BTreeMap::from([(symbol("A"), price(&symbol("A")).unwrap())]));
        let differing = books.follow(date(2026, 1, 7), &ledger, price);
        assert_eq!(differing.len(), 2);
        let prices = BTreeMap::from([(symbol("A"), price(&symbol("A")).unwrap())]);
        assert_eq!(books.profit(&prices).total(), earned.total(), "nobody gains or loses by it");
        assert_eq!(books.unassigned, usd("-400")); // 45 shares less, 5 more
        assert_eq!(books.follow(date(2026, 1, 7), &ledger, price), []);
    }
}

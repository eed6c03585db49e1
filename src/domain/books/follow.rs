//! The books beside the ledger: opened by it, closed with it, and brought in line with it where a fact
//! is missing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;

use crate::domain::books::entry::Holder;
use crate::domain::books::holding::Holding;
use crate::domain::books::{Books, Day, HeldSince, SleeveBook, Trades};
use crate::domain::money::{Price, Shares, Usd};
use crate::domain::run::StrategyName;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::symbol::Symbol;

/// Sessions of which a sleeve's profit is remembered: about a year.
const DAYS_MAX: usize = 260;
/// How long who held what is remembered: a dividend is paid at most some weeks after its shares counted.
const PAST_DAYS: i64 = 100;

impl Books {
    /// Books of an account as it stands: everything at today's prices, and nothing earned yet. Shares
    /// without a price count as nothing.
    pub fn open(
        session: Date,
        cash: Usd,
        ledger: &Ledger,
        price: impl Fn(&Symbol) -> Option<Price>,
    ) -> Self {
        let mut books = Self {
            began: session,
            opening: cash,
            cash,
            difference: Usd::ZERO,
            unchecked: 0,
            transfers: Usd::ZERO,
            unassigned: Usd::ZERO,
            sleeves: BTreeMap::new(),
            foreign: SleeveBook::default(),
            past: BTreeMap::new(),
            sales: Vec::new(),
            trades: [const { Trades { session: None, all: Vec::new() } }; 2],
        };
        for symbol in ledger.symbols() {
            for (holder, shares) in holders(ledger, &symbol) {
                let value = price(&symbol).map_or(Usd::ZERO, |price| shares * price);
                books.opening += value;
                books.holding(&holder, &symbol).buy(session, shares, value);
            }
        }
        books.remember(session, ledger);
        books
    }

    /// Brings the shares in line with a ledger, at today's prices, where a fact was missing: the books
    /// follow the ledger, never the other way. The answer names what did not agree.
    pub fn follow(
        &mut self,
        session: Date,
        ledger: &Ledger,
        price: impl Fn(&Symbol) -> Option<Price>,
    ) -> Vec<(Holder, Symbol)> {
        let mut differing = Vec::new();
        let names = self.sleeves.keys().chain(ledger.sleeves.keys()).cloned().map(Some);
        let all: BTreeSet<Holder> = names.chain([None]).collect();
        let mut symbols = ledger.symbols();
        for book in self.sleeves.values().chain([&self.foreign]) {
            symbols.extend(book.holdings.keys().cloned());
        }
        for holder in &all {
            for symbol in &symbols {
                let owned = owned(ledger, holder, symbol);
                let known = self.book_of(holder).and_then(|book| book.holdings.get(symbol));
                let known = known.map(Holding::shares).unwrap_or_default();
                if owned == known {
                    continue;
                }
                differing.push((holder.clone(), symbol.clone()));
                let worth = |shares: Shares| price(symbol).map_or(Usd::ZERO, |at| shares * at);
                let (less, more) = (known.minus_at_most(owned), owned.minus_at_most(known));
                let holding = self.holding(holder, symbol);
                if more.is_zero() {
                    holding.sell(less, worth(less));
                } else {
                    holding.buy(session, more, worth(more));
                }
                // Nobody paid or received anything: the difference is the account's.
                self.unassigned += worth(more) - worth(less);
            }
        }
        differing
    }

    /// Closes a session: who holds what now, and where each sleeve stands.
    pub fn close(
        &mut self,
        session: Date,
        ledger: &Ledger,
        (prices, capital): (&BTreeMap<Symbol, Price>, &BTreeMap<StrategyName, Usd>),
    ) {
        self.remember(session, ledger);
        for (name, book) in &mut self.sleeves {
            let profit = book.profit(prices).total();
            let capital = capital.get(name).copied().unwrap_or_default();
            book.days.retain(|day| day.session != session);
            book.days.push(Day { session, profit, capital });
            let surplus = book.days.len().saturating_sub(DAYS_MAX);
            book.days.drain(..surplus);
        }
    }

    fn remember(&mut self, session: Date, ledger: &Ledger) {
        let mut symbols = ledger.symbols();
        symbols.extend(self.past.keys().cloned());
        for symbol in symbols {
            let by = holders(ledger, &symbol);
            let known = self.past.entry(symbol).or_default();
            known.retain(|held| held.session < session);
            if known.last().is_none_or(|last| last.by != by) {
                known.push(HeldSince { session, by });
            }
            let from = session.saturating_sub(PAST_DAYS.days());
            let over = known.iter().skip(1).take_while(|next| next.session < from).count();
            known.drain(..over);
        }
        self.past.retain(|_, known| known.iter().any(|held| !held.by.is_empty()));
    }
}

/// Who holds a symbol, by name, foreign shares last.
fn holders(ledger: &Ledger, symbol: &Symbol) -> Vec<(Holder, Shares)> {
    let sleeves = ledger.sleeves.keys().map(|name| Some(name.clone()));
    let all = sleeves.chain([None]).map(|holder| {
        let shares = owned(ledger, &holder, symbol);
        (holder, shares)
    });
    all.filter(|(_, shares)| !shares.is_zero()).collect()
}

fn owned(ledger: &Ledger, holder: &Holder, symbol: &Symbol) -> Shares {
    match holder {
        Some(name) => ledger.sleeves.get(name).map(|sleeve| sleeve.shares_of(symbol)),
        None => ledger.foreign.get(symbol).copied(),
    }
    .unwrap_or_default()
}

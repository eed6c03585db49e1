//! What happened to shares and to cash, one entry each, as the ledger and the orders tell it.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::domain::books::holding::part;
use crate::domain::money::{Price, Shares, Usd};
use crate::domain::order::Side;
use crate::domain::plan::{Crossing, Part};
use crate::domain::run::StrategyName;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::symbol::Symbol;

/// Whose shares: a sleeve's, or nobody's (`None`): the foreign shares of the account.
pub type Holder = Option<StrategyName>;

/// Something that moved shares or cash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Shares were bought or sold for cash.
    Traded {
        /// Whose they are, or were.
        holder: Holder,
        /// Ticker.
        symbol: Symbol,
        /// Which way.
        side: Side,
        /// How many.
        shares: Shares,
        /// What was paid or received for them, not negative.
        amount: Usd,
    },
    /// Shares changed their holder without the market.
    Passed {
        /// Who gave.
        from: Holder,
        /// Who got.
        to: Holder,
        /// Ticker.
        symbol: Symbol,
        /// How many.
        shares: Shares,
        /// At which price; `None` where none is known: at what they cost.
        price: Option<Price>,
    },
    /// A holder has so many shares now, by a split, for the same cost.
    Scaled {
        /// Whose.
        holder: Holder,
        /// Ticker.
        symbol: Symbol,
        /// Shares after it.
        shares: Shares,
    },
    /// An asset has another ticker.
    Renamed {
        /// Ticker before.
        from: Symbol,
        /// Ticker after.
        to: Symbol,
    },
    /// A dividend.
    Dividend {
        /// Ticker.
        symbol: Symbol,
        /// Cash received.
        amount: Usd,
        /// Shares it was paid for, if the broker says.
        shares: Option<Shares>,
        /// The date the entry carries.
        date: Date,
    },
    /// A fee or tax; negative when paid.
    Fee {
        /// Ticker, if the broker says.
        symbol: Option<Symbol>,
        /// Cash received.
        amount: Usd,
    },
    /// Cash paid in (negative: out).
    Transfer(Usd),
    /// Interest and the like.
    Cash(Usd),
}

/// What passed between sleeves by a plan.
pub fn of_crossings(crossings: &[Crossing]) -> Vec<Entry> {
    let passed = crossings.iter().map(|crossing| Entry::Passed {
        from: Some(crossing.from.clone()),
        to: Some(crossing.to.clone()),
        symbol: crossing.symbol.clone(),
        shares: crossing.shares,
        price: Some(crossing.price),
    });
    passed.collect()
}

/// What was handed over between sleeves and foreign shares, as two ledgers of one moment differ.
pub fn of_moves(
    before: &Ledger,
    after: &Ledger,
    price: impl Fn(&Symbol) -> Option<Price>,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    let names = before.sleeves.keys().chain(after.sleeves.keys());
    let names: BTreeSet<&StrategyName> = names.collect();
    for name in names {
        let held = |ledger: &Ledger, symbol: &Symbol| {
            ledger.sleeves.get(name).map(|sleeve| sleeve.shares_of(symbol)).unwrap_or_default()
        };
        let symbols: BTreeSet<Symbol> =
            before.symbols().into_iter().chain(after.symbols()).collect();
        for symbol in symbols {
            let (was, is) = (held(before, &symbol), held(after, &symbol));
            let (given, got) = (was.minus_at_most(is), is.minus_at_most(was));
            let price = price(&symbol);
            let sleeve = || Some(name.clone());
            if !given.is_zero() {
                let (from, to) = (sleeve(), None);
                let symbol = symbol.clone();
                entries.push(Entry::Passed { from, to, symbol, shares: given, price });
            }
            if !got.is_zero() {
                let (from, to) = (None, sleeve());
                entries.push(Entry::Passed { from, to, symbol, shares: got, price });
            }
        }
    }
    entries
}

/// A trade of several sleeves, whose amount is shared out by their shares: cut off after nine
/// decimals, the remainder to the first.
pub fn traded(symbol: &Symbol, side: Side, parts: &[Part], amount: Usd) -> Vec<Entry> {
    let whole: Shares = parts.iter().map(|part| part.shares).sum();
    let mut amounts: Vec<Usd> = parts.iter().map(|each| part(amount, each.shares, whole)).collect();
    let given: Usd = amounts.iter().copied().sum();
    if let Some(first) = amounts.first_mut() {
        *first += amount - given;
    }
    let named = parts.iter().zip(amounts).map(|(part, amount)| Entry::Traded {
        holder: Some(part.strategy.clone()),
        symbol: symbol.clone(),
        side,
        shares: part.shares,
        amount,
    });
    named.collect()
}

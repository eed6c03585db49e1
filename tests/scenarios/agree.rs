//! What holds of the books after every run.

use std::collections::{BTreeMap, BTreeSet};

use alchemiser::domain::books::entry::Holder;
use alchemiser::domain::money::Shares;
use alchemiser::domain::report::RunReport;
use alchemiser::domain::symbol::Symbol;

/// The books own what the ledger owns, and what they say was earned is what the account has more.
pub(crate) fn books_agree(report: &RunReport) {
    let (Some(books), Some(ledger)) = (&report.books, &report.ledger) else { return };
    let names = books.sleeves.keys().chain(ledger.sleeves.keys()).cloned().map(Some);
    let holders: BTreeSet<Holder> = names.chain([None]).collect();
    for holder in holders {
        let owned: BTreeMap<Symbol, Shares> = match &holder {
            Some(name) => ledger.sleeves.get(name).map(|sleeve| sleeve.shares.clone()),
            None => Some(ledger.foreign.clone()),
        }
        .unwrap_or_default();
        let booked = books.book_of(&holder).into_iter().flat_map(|book| &book.holdings);
        let booked: BTreeMap<Symbol, Shares> = booked
            .map(|(symbol, holding)| (symbol.clone(), holding.shares()))
            .filter(|(_, shares)| !shares.is_zero())
            .collect();
        assert_eq!(booked, owned, "{holder:?}: the books own what the ledger owns");
    }
    let strange = |what: &str| what.starts_with("the books did not own");
    let followed = report.incidents.iter().find(|incident| strange(&incident.what));
    assert_eq!(followed, None, "every move of shares has its entry");
    let profit = books.profit(&report.prices);
    let earned = books.opening + books.transfers + profit.total() + books.unassigned;
    assert_eq!(earned, books.cash + profit.value, "opening, paid in and earned are all there is");
    for book in books.sleeves.values().chain([&books.foreign]) {
        for holding in book.holdings.values() {
            let by_lots = holding.realised - holding.cost();
            let by_average = holding.realised_average - holding.average_cost;
            assert_eq!(by_lots, by_average, "both ways of counting cost see the same money");
        }
    }
}

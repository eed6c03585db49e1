//! What the tickers of a ledger are called now.

use std::collections::BTreeMap;

use crate::domain::account::{Activity, ActivityKind, AssetId};
use crate::domain::money::Shares;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::snapshot::Snapshot;
use crate::domain::symbol::Symbol;

/// What the ledger's tickers are called now: by asset id where the broker still shows the asset,
/// else by the account's entries of changed names.
pub(super) struct Tickers(BTreeMap<Symbol, Symbol>);

impl Tickers {
    pub(super) fn read(before: &Ledger, fresh: &[&Activity], snapshot: &Snapshot) -> Self {
        let mut current: BTreeMap<&AssetId, &Symbol> =
            snapshot.assets.values().map(|asset| (&asset.id, &asset.symbol)).collect();
        let held = snapshot.positions.values();
        current.extend(held.map(|position| (&position.asset, &position.symbol)));
        let by_asset: BTreeMap<Symbol, Symbol> = before
            .assets
            .iter()
            .filter_map(|(symbol, id)| Some((symbol.clone(), (*current.get(id)?).clone())))
            .collect();
        let mut tickers = by_asset.clone();
        for activity in fresh {
            let ActivityKind::Rename { from, to } = &activity.what else { continue };
            tickers.entry(from.clone()).or_insert_with(|| from.clone());
            for (symbol, now) in &mut tickers {
                if now == from && !by_asset.contains_key(symbol) {
                    *now = to.clone();
                }
            }
        }
        Self(tickers)
    }

    /// The tickers that changed, before and after.
    pub(super) fn changed(&self) -> impl Iterator<Item = (&Symbol, &Symbol)> {
        self.0.iter().filter(|(from, to)| from != to)
    }

    pub(super) fn now(&self, symbol: &Symbol) -> Symbol {
        self.0.get(symbol).unwrap_or(symbol).clone()
    }

    /// The ledger with every ticker as it is now.
    pub(super) fn applied(&self, before: &Ledger) -> Ledger {
        let mut ledger = before.clone();
        for sleeve in ledger.sleeves.values_mut() {
            sleeve.shares = self.merged(&sleeve.shares);
            if let Some(last) = &mut sleeve.last {
                last.named = last.named.iter().map(|symbol| self.now(symbol)).collect();
            }
        }
        ledger.foreign = self.merged(&ledger.foreign);
        ledger.adopted = ledger.adopted.iter().map(|symbol| self.now(symbol)).collect();
        ledger.dust = ledger.dust.iter().map(|symbol| self.now(symbol)).collect();
        let assets = ledger.assets.into_iter();
        ledger.assets = assets.map(|(symbol, id)| (self.now(&symbol), id)).collect();
        ledger
    }

    fn merged(&self, shares: &BTreeMap<Symbol, Shares>) -> BTreeMap<Symbol, Shares> {
        let mut merged: BTreeMap<Symbol, Shares> = BTreeMap::new();
        for (symbol, shares) in shares {
            *merged.entry(self.now(symbol)).or_default() += *shares;
        }
        merged
    }
}

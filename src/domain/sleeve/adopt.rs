//! What becomes of shares that no sleeve owns: the operator decides, once per symbol.

use std::collections::BTreeSet;

use crate::domain::policy::Adopt;
use crate::domain::run::StrategyName;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::symbol::Symbol;

/// The sleeve that holds adopted shares until they are passed on or sold.
pub const ADOPTED: &str = "adopted";

/// Takes over the foreign shares that the operator named.
///
/// # Errors
/// The foreign symbols that a strategy can name, at the first run, when the operator has not
/// said what becomes of them.
pub fn adopt(
    ledger: &mut Ledger,
    adopt: Option<&Adopt>,
    nameable: &BTreeSet<Symbol>,
) -> Result<(), BTreeSet<Symbol>> {
    let foreign: BTreeSet<Symbol> = ledger.foreign.keys().cloned().collect();
    let chosen: BTreeSet<Symbol> = match adopt {
        Some(Adopt::All(true)) => foreign.intersection(nameable).cloned().collect(),
        Some(Adopt::All(false)) => BTreeSet::new(),
        Some(Adopt::These(symbols)) => foreign.intersection(symbols).cloned().collect(),
        None if ledger.adopt_undecided => {
            let open: BTreeSet<Symbol> = foreign.intersection(nameable).cloned().collect();
            return if open.is_empty() { Ok(()) } else { Err(open) };
        }
        None => return Ok(()),
    };
    ledger.adopt_undecided = false;
    for symbol in chosen {
        if ledger.adopted.insert(symbol.clone())
            && let Some(shares) = ledger.foreign.remove(&symbol)
        {
            ledger.credit(&adopted_name(), &symbol, shares);
        }
    }
    Ok(())
}

/// The name of the sleeve of adopted shares.
///
/// # Panics
/// Never: the constant is a name.
pub fn adopted_name() -> StrategyName {
    StrategyName::parse(ADOPTED).expect("the constant is a name")
}

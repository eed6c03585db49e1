//! What the operator moves between sleeves and foreign shares: a fact like any other, and booked
//! once.
//!
//! An instruction is written once and never changed. The ledger that booked it names it, so no
//! later fold books it again; one that could not be followed is named as well, and said. Shares
//! only change their holder here, so sleeves and foreign shares stay what the broker shows. A
//! sleeve that gained or gave is held for one run, as after a trade by hand: the letter says what
//! the next run would do.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::money::Shares;
use crate::domain::run::StrategyName;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::symbol::Symbol;

/// An operator's instruction as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instruction {
    /// Its name, which no other has; names sort by the time of writing.
    pub id: String,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// What is to be done.
    pub what: Move,
}

/// Shares that change their holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Move {
    /// Foreign shares become a strategy's.
    Assign {
        /// The strategy.
        strategy: StrategyName,
        /// Ticker.
        symbol: Symbol,
        /// How many; all of them without a number.
        shares: Option<Shares>,
    },
    /// A sleeve's shares become foreign, and are not adopted again.
    Release {
        /// The strategy.
        strategy: StrategyName,
        /// Ticker; all of its shares without one.
        symbol: Option<Symbol>,
    },
}

/// Books the instructions that this ledger does not know, oldest first.
pub(in crate::domain) fn instruct(
    ledger: &mut Ledger,
    instructions: &[Instruction],
    strategies: &BTreeSet<&StrategyName>,
) -> Vec<Incident> {
    let mut fresh: Vec<&Instruction> = instructions.iter().collect();
    fresh.retain(|instruction| !ledger.instructed.contains(&instruction.id));
    fresh.sort_by(|a, b| a.id.cmp(&b.id));
    let mut notes = Vec::new();
    for instruction in fresh {
        let done = match &instruction.what {
            Move::Assign { strategy, symbol, shares } => {
                assign(ledger, (strategy, symbol), *shares, strategies)
            }
            Move::Release { strategy, symbol } => release(ledger, strategy, symbol.as_ref()),
        };
        ledger.instructed.insert(instruction.id.clone());
        notes.push(note(instruction, done));
    }
    notes
}

fn assign(
    ledger: &mut Ledger,
    (strategy, symbol): (&StrategyName, &Symbol),
    shares: Option<Shares>,
    strategies: &BTreeSet<&StrategyName>,
) -> Result<String, String> {
    if !strategies.contains(strategy) {
        return Err(format!("no strategy {strategy} in the policy"));
    }
    let foreign = ledger.foreign.get(symbol).copied().unwrap_or_default();
    let wanted = shares.unwrap_or(foreign);
    match foreign.minus(wanted) {
        Some(rest) if !wanted.is_zero() => {
            if rest.is_zero() {
                ledger.foreign.remove(symbol);
            } else {
                ledger.foreign.insert(symbol.clone(), rest);
            }
        }
        Some(_) | None => return Err(format!("{foreign} {symbol} are foreign, not {wanted}")),
    }
    ledger.credit(strategy, symbol, wanted);
    touch(ledger, strategy);
    Ok(format!("{wanted} foreign {symbol} are {strategy}'s now"))
}

fn release(
    ledger: &mut Ledger,
    strategy: &StrategyName,
    symbol: Option<&Symbol>,
) -> Result<String, String> {
    let sleeve = ledger.sleeves.get(strategy);
    let held = sleeve.into_iter().flat_map(|sleeve| sleeve.shares.clone());
    let held: Vec<(Symbol, Shares)> =
        held.filter(|(held, _)| symbol.is_none_or(|symbol| symbol == held)).collect();
    if held.is_empty() {
        let what = symbol.map_or_else(|| "anything".to_owned(), ToString::to_string);
        return Err(format!("{strategy} does not hold {what}"));
    }
    let mut moved = Vec::new();
    for (symbol, shares) in held {
        if ledger.debit(strategy, &symbol, shares).is_some() {
            *ledger.foreign.entry(symbol.clone()).or_default() += shares;
            moved.push(format!("{shares} {symbol}"));
            ledger.adopted.insert(symbol);
        }
    }
    touch(ledger, strategy);
    Ok(format!("{} of {strategy} are foreign now", moved.join(", ")))
}

fn touch(ledger: &mut Ledger, strategy: &StrategyName) {
    if let Some(sleeve) = ledger.sleeves.get_mut(strategy) {
        sleeve.touched = true;
    }
}

fn note(instruction: &Instruction, done: Result<String, String>) -> Incident {
    let Instruction { id, who, reason, .. } = instruction;
    let words = |text: &str| text.chars().take(200).collect::<String>();
    let incident = match done {
        Ok(what) => Incident::new(Category::Warning, Code::InstructionBooked, "ledger", what)
            .meaning("The sleeve is held for this run; the next one may trade it.")
            .action("Nothing, if that is what was meant."),
        Err(why) => {
            let what = format!("an instruction was not followed: {why}");
            Incident::new(Category::Configuration, Code::InstructionRefused, "ledger", what)
                .meaning("The sleeves are as they were; it is not tried again.")
                .action("Look at `alchemiser sleeves show`, and instruct anew.")
        }
    };
    incident.with("instruction", id).with("by", words(who)).with("because", words(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> StrategyName {
        StrategyName::parse(text).unwrap()
    }

    fn symbol(text: &str) -> Symbol {
        Symbol::parse(text).unwrap()
    }

    fn instruction(id: &str, what: Move) -> Instruction {
        let (who, reason) = ("ann".to_owned(), "a test".to_owned());
        Instruction { id: id.to_owned(), at: Timestamp::UNIX_EPOCH, who, reason, what }
    }

    fn assigns(id: &str, shares: Option<u32>) -> Instruction {
        let (strategy, symbol) = (name("a"), symbol("SPY"));
        let shares = shares.map(Shares::whole);
        instruction(id, Move::Assign { strategy, symbol, shares })
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.foreign.insert(symbol("SPY"), Shares::whole(5));
        ledger
    }

    fn book(ledger: &mut Ledger, instructions: &[Instruction]) -> Vec<String> {
        let a = name("a");
        let notes = instruct(ledger, instructions, &BTreeSet::from([&a]));
        notes.into_iter().map(|note| note.what).collect()
    }

    #[test]
    fn an_instruction_is_booked_once_and_holds_its_sleeve() {
        let (mut ledger, list) = (ledger(), [assigns("1", Some(2)), assigns("2", None)]);
        assert_eq!(
            book(&mut ledger, &list),
            ["2 foreign SPY are a's now", "3 foreign SPY are a's now"]
        );
        let booked = ledger.clone();
        assert_eq!((book(&mut ledger, &list).len(), &ledger), (0, &booked));
        assert!(ledger.foreign.is_empty() && ledger.sleeves[&name("a")].touched);
        assert_eq!(ledger.total(&symbol("SPY")), Shares::whole(5));
    }

    #[test]
    fn released_shares_are_foreign_and_not_adopted_again() {
        let mut ledger = ledger();
        book(&mut ledger, &[assigns("1", None)]);
        let what = Move::Release { strategy: name("a"), symbol: None };
        assert_eq!(book(&mut ledger, &[instruction("2", what)]), ["5 SPY of a are foreign now"]);
        assert_eq!(ledger.foreign[&symbol("SPY")], Shares::whole(5));
        assert!(ledger.adopted.contains(&symbol("SPY")) && ledger.owned(&symbol("SPY")).is_zero());
    }

    #[test]
    fn what_cannot_be_followed_changes_nothing_and_is_not_tried_again() {
        let b = Move::Assign { strategy: name("b"), symbol: symbol("SPY"), shares: None };
        let nothing = Move::Release { strategy: name("a"), symbol: Some(symbol("SPY")) };
        for (what, words) in [
            (assigns("1", Some(6)), "5 SPY are foreign, not 6"),
            (instruction("1", b), "no strategy b in the policy"),
            (instruction("1", nothing), "a does not hold SPY"),
        ] {
            let mut books = ledger();
            let said = book(&mut books, std::slice::from_ref(&what));
            assert_eq!(said, [format!("an instruction was not followed: {words}")]);
            assert_eq!(books.foreign, ledger().foreign);
            assert!(book(&mut books, &[what]).is_empty());
        }
    }
}

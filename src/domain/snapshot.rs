//! Everything a run knows before it decides, gathered once.
//!
//! Plain data on purpose: it is stored with the plan, and reading it back must give the same
//! decision again. The policy and the strategies come beside it, not in it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::account::{Account, Activity, Asset, Position};
use crate::domain::books::Books;
use crate::domain::market::{Histories, QuoteReading};
use crate::domain::money::{Price, Usd};
use crate::domain::order::Order;
use crate::domain::report::EquityPoint;
use crate::domain::session::{Calendar, Session};
use crate::domain::sleeve::instruct::Instruction;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::symbol::Symbol;

/// What `decide` sees; nothing else influences a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// When it was complete, by our clock; the door saw that the broker's differs by seconds
    /// at most.
    pub now: Timestamp,
    /// The session traded.
    pub session: Session,
    /// The broker's sessions around it, far enough back for the ledger and the strategies' periods.
    pub calendar: Calendar,
    /// Money and permissions.
    pub account: Account,
    /// Positions by symbol.
    pub positions: BTreeMap<Symbol, Position>,
    /// Orders since the ledger's [`Ledger::look_back`] (of the last weeks when there is none), and
    /// every open one however old; ours and others'. Ours were asked to end; one that did not
    /// stops the decision.
    pub orders: Vec<Order>,
    /// Activities since the ledger's [`Ledger::look_back`], oldest first; those booked already
    /// are recognised.
    pub activities: Vec<Activity>,
    /// Assets held, or named by a signal today; those the broker does not know are absent.
    pub assets: BTreeMap<Symbol, Asset>,
    /// Daily closes of completed sessions.
    pub histories: Histories,
    /// Latest quotes and trades of what may trade.
    pub quotes: BTreeMap<Symbol, QuoteReading>,
    /// What the broker's corporate actions say of splits since the last completed session.
    pub splits: Splits,
    /// What the store says of earlier runs.
    pub past: Past,
}

/// Splits with an ex-date after the last completed session, up to and including the session.
///
/// A price that moved far from the last close is a suspected split. The answer decides: asked
/// and not listed, the move is real and may be traded; listed, the symbol trades only once price
/// and position both show the split; not asked, it does not trade today.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Splits {
    /// The broker could not be asked, or did not answer.
    #[default]
    Unknown,
    /// The broker answered: these symbols split, and no other that we asked for.
    Listed(BTreeSet<Symbol>),
}

/// What the store says of earlier runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Past {
    /// Neither record nor order of ours exists: this is the first run.
    First,
    /// The ledger after the last run.
    Known(Box<Known>),
    /// An order or record of ours exists, but no ledger.
    Lost,
}

/// The last run's end, and what the day has used up already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Who owned which shares.
    pub ledger: Ledger,
    /// Equity at the end of earlier runs, oldest first.
    pub equity: Vec<EquityPoint>,
    /// Cash paid in (negative: out) between the runs, by the session of the run that noticed it.
    #[serde(default)]
    pub transfers: BTreeMap<Date, Usd>,
    /// What every sleeve paid, received and earned; records of older programs have none.
    #[serde(default)]
    pub books: Option<Books>,
    /// Orders sent by earlier generations of this session.
    pub orders_today: u32,
    /// Value bought and sold by earlier generations of this session.
    pub turnover_today: Usd,
    /// The operator's instructions about who owns what, those booked before included.
    #[serde(default)]
    pub instructions: Vec<Instruction>,
}

impl Snapshot {
    /// The price at which shares are valued when there is no usable quote: the broker's own,
    /// else the last close.
    pub fn fallback_price(&self, symbol: &Symbol) -> Option<Price> {
        let broker = self.positions.get(symbol).and_then(|position| position.price);
        broker.or_else(|| self.histories.get(symbol)?.last_close())
    }
}

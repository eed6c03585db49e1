//! Which sleeves trade today, and why.
//!
//! A sleeve is due or held, never half of it. Held is the answer to everything unclear: a failed
//! strategy and a sleeve touched by hand are no reasons to sell.

use jiff::civil::Date;

use crate::domain::money::{Usd, Weight};
use crate::domain::plan::{DueReason, HeldReason, SleeveState};
use crate::domain::run::StrategyName;
use crate::domain::sleeve::capital::Valuation;
use crate::domain::sleeve::ledger::{LastRebalance, Sleeve};
use crate::domain::strategy::{Rebalance, Signal};
use crate::domain::symbol::Symbol;

/// Sessions for which an unfinished rebalance is taken up again.
const UNFINISHED_SESSIONS: u8 = 5;

/// A sleeve with what decides its share of the capital. In the policy's order in lists, the
/// sleeves that are given up last, by name.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    /// The strategy.
    pub strategy: &'a StrategyName,
    /// Its fraction of the deployable capital; zero when it is given up.
    pub allocation: Weight,
    /// SHA-256 of its text; empty when there is none.
    pub hash: &'a str,
    /// When it wants to trade.
    pub rebalance: Rebalance,
    /// What it wants, or why nothing is known of that.
    pub wish: Wish<'a>,
    /// Its shares and its last rebalance.
    pub sleeve: Sleeve,
}

/// What a sleeve's strategy wants.
#[derive(Debug, Clone, Copy)]
pub enum Wish<'a> {
    /// These weights.
    Signal(&'a Signal),
    /// Nobody knows: the strategy failed.
    Failed,
    /// Nothing: the strategy was taken out of the policy, or the shares were adopted.
    GivenUp,
}

impl Claim<'_> {
    /// The weight wanted of a symbol.
    pub fn weight_of(&self, symbol: &Symbol) -> Weight {
        match self.wish {
            Wish::Signal(signal) => signal.weight_of(symbol),
            Wish::Failed | Wish::GivenUp => Weight::ZERO,
        }
    }

    /// How sure its strategy is, as far as it says; `None` when there is no signal.
    pub fn opinion(&self) -> Option<Option<f64>> {
        match self.wish {
            Wish::Signal(signal) => Some(signal.confidence),
            Wish::Failed | Wish::GivenUp => None,
        }
    }

    /// Whether the sleeve trades in a session, and why. `capital` is its share of D.
    pub fn state(
        &self,
        session: Date,
        capital: Usd,
        resize_min: Usd,
        valuation: Valuation<'_>,
    ) -> SleeveState {
        if self.sleeve.touched {
            return SleeveState::Held(HeldReason::TouchedByHand);
        }
        let signal = match self.wish {
            Wish::Signal(signal) => signal,
            Wish::Failed => return SleeveState::Held(HeldReason::Failed),
            Wish::GivenUp => return SleeveState::Due(DueReason::GivenUp),
        };
        let Some(last) = &self.sleeve.last else { return SleeveState::Due(DueReason::FirstTime) };
        let rule = match self.rebalance {
            Rebalance::Daily => Some(DueReason::EverySession),
            Rebalance::Weekly | Rebalance::Monthly | Rebalance::Quarterly | Rebalance::Yearly => {
                let finished = last.finished.map(|date| period(self.rebalance, date));
                (finished != Some(period(self.rebalance, session))).then_some(DueReason::NewPeriod)
            }
            Rebalance::Threshold(most) => {
                let drift = Drift { signal, last, capital, resize_min, valuation };
                drift.due(&self.sleeve, most)
            }
        };
        self.changed(last)
            .or(rule)
            .or_else(|| unfinished(last))
            .map_or(SleeveState::Held(HeldReason::NotDue), SleeveState::Due)
    }

    fn changed(&self, last: &LastRebalance) -> Option<DueReason> {
        if last.allocation != self.allocation {
            Some(DueReason::AllocationChanged)
        } else if last.strategy_hash != self.hash {
            Some(DueReason::StrategyChanged)
        } else {
            None
        }
    }
}

fn unfinished(last: &LastRebalance) -> Option<DueReason> {
    (1..=UNFINISHED_SESSIONS).contains(&last.unfinished).then_some(DueReason::Unfinished)
}

/// A name for the period that a date lies in; equal names are the same period.
fn period(rebalance: Rebalance, date: Date) -> (i16, i8) {
    match rebalance {
        Rebalance::Weekly => {
            let week = date.iso_week_date(); // ISO weeks run from Monday to Sunday
            (week.year(), week.week())
        }
        Rebalance::Quarterly => (date.year(), (date.month() - 1) / 3),
        Rebalance::Yearly => (date.year(), 0),
        // The last two have no periods and are never asked for one.
        Rebalance::Monthly | Rebalance::Daily | Rebalance::Threshold(_) => {
            (date.year(), date.month())
        }
    }
}

/// What a threshold sleeve is measured by.
struct Drift<'a> {
    signal: &'a Signal,
    last: &'a LastRebalance,
    capital: Usd,
    resize_min: Usd,
    valuation: Valuation<'a>,
}

impl Drift<'_> {
    fn due(&self, sleeve: &Sleeve, most: Weight) -> Option<DueReason> {
        if let Some(new) = self.signal.symbols().find(|symbol| !self.last.named.contains(*symbol)) {
            return Some(DueReason::NewSymbol(new.clone()));
        }
        // Dust stays whatever is done, so the rest is measured as if it were not there.
        let (mut capital, mut invested) = (self.capital, Usd::ZERO);
        for (symbol, shares) in &sleeve.shares {
            let value = self.valuation.value(symbol, *shares);
            let named = !self.signal.weight_of(symbol).is_zero();
            if !named && self.valuation.is_dust(symbol, *shares) {
                capital -= value;
                continue;
            }
            invested += value;
            if !named && value > self.resize_min {
                return Some(DueReason::Leftover(symbol.clone()));
            }
        }
        let far = |value: Usd, target: Weight| {
            let weight = value.ratio_to(capital);
            weight.is_some_and(|weight| (weight - target.decimal()).abs() > most.decimal())
        };
        let drifted = self.signal.weights.iter().find(|(symbol, target)| {
            far(self.valuation.value(symbol, sleeve.shares_of(symbol)), *target)
        });
        let first = self.signal.weights.first().map(|(symbol, _)| symbol);
        match drifted {
            Some((symbol, _)) => Some(DueReason::Drift(symbol.clone())),
            None if far(capital - invested, self.signal.cash) => {
                // Too much or too little is invested in all: named after the first symbol.
                let held = sleeve.shares.keys().next();
                first.or(held).map(|symbol| DueReason::Drift(symbol.clone()))
            }
            None => None,
        }
    }
}

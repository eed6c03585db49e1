//! Targets: allocations × signals → what each due sleeve wants to hold.
//!
//! Money first, then shares: a due sleeve wants its capital times the weight of each symbol;
//! symbols blocked today use up their own sleeve's capital first; no symbol may outgrow the
//! position limit; and a change below its minimum is no change.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::domain::money::{Shares, Usd};
use crate::domain::plan::listing::Listing;
use crate::domain::plan::{Capital, SleeveState};
use crate::domain::policy::Policy;
use crate::domain::session::Session;
use crate::domain::sleeve::capital::{ORDER_MIN, Shrink, Valuation};
use crate::domain::sleeve::due::{Claim, Wish};
use crate::domain::symbol::Symbol;

/// What all sleeves want.
#[derive(Debug, Clone)]
pub struct Targets<'a> {
    /// The money it was made from, H and k included.
    pub capital: Capital,
    /// The sleeves, in the order of the claims.
    pub sleeves: Vec<SleeveTarget<'a>>,
    /// Symbols whose targets were cut to the position limit, with the factor.
    pub capped: BTreeMap<Symbol, Decimal>,
}

/// What one sleeve wants.
#[derive(Debug, Clone)]
pub struct SleeveTarget<'a> {
    /// The sleeve.
    pub claim: &'a Claim<'a>,
    /// Whether it trades today, and why.
    pub state: SleeveState,
    /// k × C for a due sleeve, C for a held one.
    pub capital: Usd,
    /// Value of its shares.
    pub value: Usd,
    /// Money aimed at in each symbol that may trade; empty for a held sleeve.
    pub aims: BTreeMap<Symbol, Usd>,
    /// Shares wanted of each symbol, changes below their minimum left out; none is zero.
    pub wants: BTreeMap<Symbol, Shares>,
    /// Symbols in which a change has to wait.
    pub waiting: BTreeSet<Symbol>,
}

/// What all sleeves want, at the plan's reference prices.
pub fn aim<'a>(
    claims: &'a [Claim<'a>],
    capital: Capital,
    session: &Session,
    policy: &Policy,
    valuation: Valuation<'_>,
) -> Targets<'a> {
    let mut targets = claim_capital(claims, capital, session, valuation);
    for sleeve in targets.sleeves.iter_mut().filter(|sleeve| sleeve.is_due()) {
        sleeve.aim_at_symbols(targets.capital.resize_min, valuation);
    }
    cap_positions(&mut targets, policy, valuation);
    let asked: Usd = targets.sleeves.iter().map(|sleeve| sleeve.asked(valuation)).sum();
    targets.capital.asked = asked;
    for sleeve in &mut targets.sleeves {
        if sleeve.is_due() {
            sleeve.want_shares(targets.capital.resize_min, valuation);
        } else {
            sleeve.wants.clone_from(&sleeve.claim.sleeve.shares);
        }
    }
    targets
}

/// Decides who is due, and how much of D each may use.
fn claim_capital<'a>(
    claims: &'a [Claim<'a>],
    mut capital: Capital,
    session: &Session,
    valuation: Valuation<'_>,
) -> Targets<'a> {
    let mut sleeves: Vec<SleeveTarget<'a>> = claims
        .iter()
        .map(|claim| {
            let share = (capital.deployable * claim.allocation).round_down();
            SleeveTarget {
                claim,
                state: claim.state(session.date, share, capital.resize_min, valuation),
                capital: share,
                value: valuation.value_of(&claim.sleeve.shares),
                aims: BTreeMap::new(),
                wants: BTreeMap::new(),
                waiting: BTreeSet::new(),
            }
        })
        .collect();
    let (due, held): (Vec<_>, Vec<_>) = sleeves.iter().partition(|sleeve| sleeve.is_due());
    capital.held = held.iter().map(|sleeve| sleeve.value).sum();
    let claimed = due.iter().map(|sleeve| sleeve.capital).sum();
    let shrink = Shrink::to_fit(capital.deployable, capital.held, claimed);
    capital.scale = shrink.factor();
    for sleeve in sleeves.iter_mut().filter(|sleeve| sleeve.is_due()) {
        sleeve.capital = shrink.money(sleeve.capital);
    }
    Targets { capital, sleeves, capped: BTreeMap::new() }
}

/// Cuts all wishes for a symbol alike so that its value in all sleeves stays within the limit.
///
/// A stop would refuse ordinary days: two strategies may well want the same leveraged fund.
fn cap_positions(targets: &mut Targets<'_>, policy: &Policy, valuation: Valuation<'_>) {
    let most = (targets.capital.equity * policy.limits.position_max).at_least_zero();
    let symbols: BTreeSet<Symbol> =
        targets.sleeves.iter().flat_map(|sleeve| sleeve.aims.keys().cloned()).collect();
    for symbol in symbols {
        let held = targets.sleeves.iter().filter(|sleeve| !sleeve.is_due());
        let fixed: Usd = held
            .map(|sleeve| valuation.value(&symbol, sleeve.claim.sleeve.shares_of(&symbol)))
            .sum();
        let wanted: Usd =
            targets.sleeves.iter().filter_map(|sleeve| sleeve.aims.get(&symbol)).copied().sum();
        let shrink = Shrink::to_fit(most, fixed, wanted);
        if shrink.is_needed() {
            for aim in targets.sleeves.iter_mut().filter_map(|s| s.aims.get_mut(&symbol)) {
                *aim = shrink.money(*aim);
            }
            targets.capped.insert(symbol, shrink.factor());
        }
    }
}

impl SleeveTarget<'_> {
    /// True when its orders are part of the plan.
    pub const fn is_due(&self) -> bool {
        matches!(self.state, SleeveState::Due(_))
    }

    /// Its signal names the symbol.
    pub fn names(&self, symbol: &Symbol) -> bool {
        !self.claim.weight_of(symbol).is_zero()
    }

    /// Every symbol that it holds or its signal names.
    pub fn symbols(&self) -> BTreeSet<Symbol> {
        let mut symbols: BTreeSet<Symbol> = self.claim.sleeve.shares.keys().cloned().collect();
        if let Wish::Signal(signal) = self.claim.wish {
            symbols.extend(signal.symbols().cloned());
        }
        symbols
    }

    /// Money it would have invested today if everything could trade.
    fn asked(&self, valuation: Valuation<'_>) -> Usd {
        if !self.is_due() {
            return self.value;
        }
        let blocked = self.symbols().into_iter().filter(|symbol| valuation.is_blocked(symbol));
        let waiting: Usd = blocked.map(|symbol| self.capital * self.claim.weight_of(&symbol)).sum();
        self.aims.values().copied().sum::<Usd>() + waiting
    }

    fn aim_at_symbols(&mut self, resize_min: Usd, valuation: Valuation<'_>) {
        let mut used = Usd::ZERO;
        let mut blocked_weight = Decimal::ZERO;
        for symbol in self.symbols() {
            let weight = self.claim.weight_of(&symbol);
            let aim = (self.capital * weight).round_down();
            if valuation.is_blocked(&symbol) {
                let held = self.claim.sleeve.shares_of(&symbol);
                let value = valuation.value(&symbol, held);
                used += value.max(aim);
                blocked_weight += weight.decimal();
                if self.change(&symbol, value, aim, resize_min) {
                    self.waiting.insert(symbol.clone());
                }
                if !held.is_zero() {
                    self.wants.insert(symbol, held);
                }
            } else if !weight.is_zero() {
                self.aims.insert(symbol, aim);
            }
        }
        // What the blocked symbols leave is shared by the others and the signal's own cash.
        let others = self.capital.scaled(Decimal::ONE - blocked_weight);
        let shrink = Shrink::to_fit(self.capital, used, others);
        for aim in self.aims.values_mut() {
            *aim = shrink.money(*aim);
        }
    }

    fn want_shares(&mut self, resize_min: Usd, valuation: Valuation<'_>) {
        for symbol in self.symbols() {
            let tradable = valuation.listings.get(&symbol).and_then(Listing::tradable_at);
            let Some(price) = tradable else { continue };
            let aim = self.aims.get(&symbol).copied().unwrap_or_default();
            let held = self.claim.sleeve.shares_of(&symbol);
            let want = if self.change(&symbol, held * price, aim, resize_min) {
                aim.shares_at(price)
            } else {
                held
            };
            if !want.is_zero() {
                self.wants.insert(symbol, want);
            }
        }
    }

    /// Whether going from one value to another is worth it: an exit always is, an entry from five
    /// dollars, a resize from m.
    fn change(&self, symbol: &Symbol, from: Usd, to: Usd, resize_min: Usd) -> bool {
        if !self.names(symbol) {
            from.is_positive()
        } else if from == Usd::ZERO {
            to >= ORDER_MIN
        } else {
            (to - from).abs() >= resize_min
        }
    }
}

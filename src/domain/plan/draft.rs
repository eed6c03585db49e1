//! The plan, drafted from targets: crossings, one item per symbol, the ledger with the crossings.
//!
//! Every symbol that a sleeve holds or wants gets an item, also when nothing is done with it: the
//! reason for doing nothing is part of the plan.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::domain::money::{Price, Shares};
use crate::domain::order::Side;
use crate::domain::plan::listing::Listing;
use crate::domain::plan::size::{Sized, Sizing, size};
use crate::domain::plan::{
    Action, Conflict, Crossing, HoldReason, Part, PlanItem, RebalancePlan, SkipReason, SleevePlan,
};
use crate::domain::policy::Policy;
use crate::domain::run::RunKey;
use crate::domain::sleeve::crossing::{Cross, Netted, Stand, net};
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::snapshot::Snapshot;
use crate::domain::symbol::Symbol;
use crate::domain::target::{SleeveTarget, Targets};

/// What a plan is drafted from besides the targets.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// What the run knows.
    pub snapshot: &'a Snapshot,
    /// The ledger carried forward.
    pub ledger: &'a Ledger,
    /// Each symbol today.
    pub listings: &'a BTreeMap<Symbol, Listing>,
    /// The policy.
    pub policy: &'a Policy,
    /// The run.
    pub key: &'a RunKey,
}

/// The plan that brings the sleeves to their targets.
pub fn draft(mut targets: Targets<'_>, basis: &Basis<'_>) -> RebalancePlan {
    let symbols: BTreeSet<Symbol> =
        targets.sleeves.iter().flat_map(SleeveTarget::symbols).collect();
    let mut drafts = Drafts::default();
    for symbol in &symbols {
        let item = draft_item(symbol, &mut targets, basis, &mut drafts);
        drafts.items.push(item);
    }
    let ledger = booked(basis, &drafts);
    let policy = basis.policy;
    let seconds = |count: u32| SignedDuration::from_secs(i64::from(count));
    let now = basis.snapshot.now;
    let cutoff = basis.snapshot.session.orders_end(&policy.timing);
    RebalancePlan {
        key: basis.key.clone(),
        session: basis.snapshot.session,
        drafted_at: now,
        valid_until: (now + seconds(policy.timing.plan_valid_seconds)).min(cutoff),
        capital: targets.capital,
        sleeves: targets.sleeves.into_iter().map(sleeve_plan).collect(),
        items: drafts.items,
        crossings: drafts.crossings,
        conflicts: drafts.conflicts,
        ledger,
        policy_hash: policy.hash(),
    }
}

#[derive(Default)]
struct Drafts {
    items: Vec<PlanItem>,
    crossings: Vec<Crossing>,
    conflicts: Vec<Conflict>,
}

fn draft_item(
    symbol: &Symbol,
    targets: &mut Targets<'_>,
    basis: &Basis<'_>,
    drafts: &mut Drafts,
) -> PlanItem {
    let listing = &basis.listings[symbol];
    let held = basis.ledger.owned(symbol);
    let (action, parts, reason) = if let Some(price) = listing.tradable_at() {
        draft_tradable(symbol, price, targets, basis, drafts)
    } else {
        let (action, reason) = blocked(symbol, listing, targets);
        (action, Vec::new(), reason)
    };
    let wanted = targets.sleeves.iter().map(|sleeve| wanted(sleeve, symbol)).sum();
    let order = match &action {
        Action::Sell(shares) | Action::Buy(shares) => Some(*shares),
        Action::Hold(_) | Action::Skip(_) => None,
    };
    PlanItem {
        symbol: symbol.clone(),
        action,
        fractionable: listing.fractionable,
        reference: listing.reference,
        half_spread: listing.quote.map(|quote| quote.half_spread().round_dp(9).normalize()),
        volume_share: order
            .zip(listing.median_volume)
            .and_then(|(shares, day)| shares.ratio_to(day))
            .map(|share| share.round_dp(9).normalize()),
        held,
        wanted,
        reason,
        parts,
    }
}

fn wanted(sleeve: &SleeveTarget<'_>, symbol: &Symbol) -> Shares {
    sleeve.wants.get(symbol).copied().unwrap_or_default()
}

/// Nothing may be traded: said as a skip when somebody wanted to.
fn blocked(symbol: &Symbol, listing: &Listing, targets: &Targets<'_>) -> (Action, String) {
    let why = listing.blocked.clone().unwrap_or(SkipReason::NotTradable);
    let waiting: Vec<&str> = targets
        .sleeves
        .iter()
        .filter(|sleeve| sleeve.waiting.contains(symbol))
        .map(|sleeve| sleeve.claim.strategy.as_str())
        .collect();
    if waiting.is_empty() {
        let hold =
            if is_any_due(symbol, targets) { HoldReason::OnTarget } else { HoldReason::SleeveHeld };
        return (Action::Hold(hold), "no change wanted; it could not trade today".to_owned());
    }
    let text = match &why {
        SkipReason::UnusableQuote(quote) => format!("no price to trade on ({quote})"),
        SkipReason::NotTradable => "the broker does not trade it".to_owned(),
        SkipReason::SplitSuspect => "its price moved as in a split".to_owned(),
        SkipReason::ForeignOrder => "another order works in it".to_owned(),
        SkipReason::BelowMinimum
        | SkipReason::WholeShares
        | SkipReason::Dust
        | SkipReason::Budget => "it waits".to_owned(),
    };
    (Action::Skip(why), format!("{text}; {} waits", waiting.join(" and ")))
}

fn is_any_due(symbol: &Symbol, targets: &Targets<'_>) -> bool {
    targets.sleeves.iter().any(|sleeve| sleeve.is_due() && sleeve.symbols().contains(symbol))
}

fn draft_tradable(
    symbol: &Symbol,
    price: Price,
    targets: &mut Targets<'_>,
    basis: &Basis<'_>,
    drafts: &mut Drafts,
) -> (Action, Vec<Part>, String) {
    let (due, mut stands) = stands(symbol, targets);
    let mut reason = describe(&stands, targets, symbol);
    let cross = Cross {
        symbol,
        price,
        rule: basis.policy.conflict,
        resize_min: targets.capital.resize_min,
    };
    let Netted { crossings, sells, buys, conflict } = net(&cross, &mut stands);
    let exit = stands.iter().all(|stand| stand.exit || !sells_some(stand, &sells));
    let has_waiting = stands.iter().any(|stand| stand.waits);
    for (index, stand) in due.into_iter().zip(stands) {
        let sleeve = &mut targets.sleeves[index];
        if stand.want.is_zero() {
            sleeve.wants.remove(symbol);
        } else {
            sleeve.wants.insert(symbol.clone(), stand.want);
        }
        if stand.waits {
            sleeve.waiting.insert(symbol.clone());
            // Its money stays cash by the policy's rule, not by accident.
            targets.capital.asked -= (stand.aim - stand.held * price).at_least_zero();
        }
    }
    let crossed = !crossings.is_empty();
    drafts.crossings.extend(crossings);
    drafts.conflicts.extend(conflict);
    let (side, parts) = if sells.is_empty() { (Side::Buy, buys) } else { (Side::Sell, sells) };
    if parts.is_empty() {
        let hold = if crossed {
            HoldReason::Crossed
        } else if has_waiting {
            HoldReason::Conflict
        } else {
            resting(symbol, price, targets)
        };
        return (Action::Hold(hold), parts, reason);
    }
    let position = basis.snapshot.positions.get(symbol);
    let most = targets.capital.equity * basis.policy.limits.position_max;
    let room = most - basis.ledger.owned(symbol) * price;
    let sized = size(
        side,
        parts,
        &Sizing {
            listing: &basis.listings[symbol],
            price,
            position: position.map(|position| position.shares).unwrap_or_default(),
            volume_share_max: basis.policy.limits.volume_share_max,
            position_room: room.shares_at(price),
            exit,
            dust_shown: basis.ledger.dust.contains(symbol),
        },
    );
    let Sized { action, parts, cut } = sized;
    if let Some(cut) = cut {
        reason.push_str("; ");
        reason.push_str(cut);
    }
    (action, parts, reason)
}

fn sells_some(stand: &Stand, sells: &[Part]) -> bool {
    sells.iter().any(|part| part.strategy == stand.strategy)
}

/// The stands of the due sleeves on a symbol, with their places among the sleeves.
fn stands(symbol: &Symbol, targets: &Targets<'_>) -> (Vec<usize>, Vec<Stand>) {
    let due = targets.sleeves.iter().enumerate().filter(|(_, sleeve)| sleeve.is_due());
    due.map(|(index, sleeve)| {
        let stand = Stand {
            strategy: sleeve.claim.strategy.clone(),
            held: sleeve.claim.sleeve.shares_of(symbol),
            want: wanted(sleeve, symbol),
            aim: sleeve.aims.get(symbol).copied().unwrap_or_default(),
            exit: !sleeve.names(symbol),
            opinion: sleeve.claim.opinion(),
            waits: false,
        };
        (index, stand)
    })
    .unzip()
}

/// Why nothing happens in a symbol in which no due sleeve wants a change.
fn resting(symbol: &Symbol, price: Price, targets: &Targets<'_>) -> HoldReason {
    let below = targets.sleeves.iter().filter(|sleeve| sleeve.is_due()).any(|sleeve| {
        let aim = sleeve.aims.get(symbol).copied().unwrap_or_default();
        let held = sleeve.claim.sleeve.shares_of(symbol);
        !held.is_zero() && aim.shares_at(price) != held
    });
    if !is_any_due(symbol, targets) {
        HoldReason::SleeveHeld
    } else if below {
        HoldReason::BelowResize
    } else {
        HoldReason::OnTarget
    }
}

/// What each sleeve does in a symbol, in one sentence.
fn describe(stands: &[Stand], targets: &Targets<'_>, symbol: &Symbol) -> String {
    let mut words: Vec<String> = stands
        .iter()
        .filter_map(|Stand { strategy, held, want, .. }| {
            let does = match (held.is_zero(), want.is_zero()) {
                (true, true) => return None,
                (true, false) => "enters",
                (false, true) => "leaves",
                (false, false) if want > held => "adds",
                (false, false) if want < held => "trims",
                (false, false) => "keeps its shares",
            };
            Some(format!("{strategy} {does}"))
        })
        .collect();
    let held = targets.sleeves.iter().filter(|sleeve| !sleeve.is_due());
    words.extend(
        held.filter(|sleeve| !sleeve.claim.sleeve.shares_of(symbol).is_zero())
            .map(|sleeve| format!("{} is held", sleeve.claim.strategy)),
    );
    if let Some(factor) = targets.capped.get(symbol) {
        words.push(format!("cut to {}% by the position limit", percent(*factor)));
    }
    words.join("; ")
}

fn percent(fraction: rust_decimal::Decimal) -> rust_decimal::Decimal {
    (fraction * rust_decimal::Decimal::ONE_HUNDRED).round_dp(1).normalize()
}

fn sleeve_plan(sleeve: SleeveTarget<'_>) -> SleevePlan {
    let is_due = sleeve.is_due();
    SleevePlan {
        strategy: sleeve.claim.strategy.clone(),
        allocation: sleeve.claim.allocation,
        state: sleeve.state,
        capital: sleeve.capital,
        value: sleeve.value,
        wants: if is_due { sleeve.wants } else { BTreeMap::new() },
        waiting: sleeve.waiting,
        strategy_hash: sleeve.claim.hash.to_owned(),
    }
}

/// The ledger with the crossings booked and the dust remembered.
fn booked(basis: &Basis<'_>, drafts: &Drafts) -> Ledger {
    let mut ledger = basis.ledger.clone();
    for Crossing { symbol, from, to, shares, .. } in &drafts.crossings {
        // What a sleeve does not own cannot pass on: the law check of the gate would refuse it.
        if ledger.debit(from, symbol, *shares).is_some() {
            ledger.credit(to, symbol, *shares);
        }
    }
    let is_dust = |item: &&PlanItem| matches!(item.action, Action::Skip(SkipReason::Dust));
    let shown = drafts.items.iter().filter(is_dust).map(|item| item.symbol.clone());
    ledger.dust.extend(shown.collect::<Vec<_>>());
    let still: BTreeSet<Symbol> =
        ledger.sleeves.values().flat_map(|sleeve| sleeve.shares.keys().cloned()).collect();
    ledger.dust.retain(|symbol| still.contains(symbol));
    for item in &drafts.items {
        if let Some(asset) = basis.snapshot.assets.get(&item.symbol) {
            ledger.assets.entry(item.symbol.clone()).or_insert_with(|| asset.id.clone());
        }
    }
    ledger
}

//! The one pure function between seeing and acting: a snapshot in, a decision out.
//!
//! It reads in the order of the specification: signals, sleeves, targets, plan, gate. Whatever
//! keeps the account from trading ends it early, with a sentence that says so.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::books::Books;
use crate::domain::books::entry::{Entry, Holder, of_crossings, of_moves};
use crate::domain::incident::Incident;
use crate::domain::money::{Usd, Weight};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::notices;
use crate::domain::plan::RebalancePlan;
use crate::domain::plan::draft::{Basis, draft};
use crate::domain::plan::listing::{Listing, VOLUME_SESSIONS, list};
use crate::domain::policy::{Adopt, Policy};
use crate::domain::report::LimitUse;
use crate::domain::risk::{ApprovedPlan, approve};
use crate::domain::run::RunKey;
use crate::domain::signal::evaluate;
use crate::domain::sleeve::adopt::adopt;
use crate::domain::sleeve::capital::{Valuation, capital};
use crate::domain::sleeve::due::{Claim, Wish};
use crate::domain::sleeve::fold::{Carried, carry_forward, first};
use crate::domain::sleeve::instruct::instruct;
use crate::domain::sleeve::ledger::{Ledger, Sleeve};
use crate::domain::snapshot::{Past, Snapshot};
use crate::domain::strategy::{Rebalance, StrategyOutcome, StrategySlot};
use crate::domain::symbol::Symbol;
use crate::domain::target::aim;

/// What a run decided.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// What each strategy said, in the policy's order.
    pub signals: Vec<StrategyOutcome>,
    /// The ledger carried forward, before any crossing; `None` when it could not be.
    pub ledger: Option<Ledger>,
    /// Cash paid in (negative: out) since the last run.
    pub transfers: Usd,
    /// The books up to the plan, its crossings booked; `None` where there is no ledger.
    pub books: Option<Books>,
    /// The plan, when the gate let it pass.
    pub plan: Option<ApprovedPlan>,
    /// The plan even when the gate refused it, for the report.
    pub drafted: Option<RebalancePlan>,
    /// Use of each limit of the gate.
    pub limits: Vec<LimitUse>,
    /// What the operator should know.
    pub incidents: Vec<Incident>,
    /// Why nothing may be traded, in a sentence.
    pub blocked: Option<String>,
}

/// What has to be observed before a decision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Universe {
    /// Closes wanted of each symbol.
    pub closes: BTreeMap<Symbol, usize>,
    /// Symbols whose quotes and splits are wanted: what may trade.
    pub tradable: BTreeSet<Symbol>,
}

/// Signals, sleeves, targets, plan and gate. The same inputs give the same bytes.
pub fn decide(
    snapshot: &Snapshot,
    book: &[StrategySlot],
    policy: &Policy,
    key: &RunKey,
) -> Decision {
    let as_of = snapshot.calendar.before(snapshot.session.date).map(|session| session.date);
    let as_of = as_of.unwrap_or(snapshot.session.date); // without one nothing is fresh, all fail
    let signals = evaluate(book, &snapshot.histories, as_of);
    let mut decision = Decision { signals, ..Decision::default() };
    decision.incidents.extend(decision.signals.iter().filter_map(notices::of_signal));
    if let Err(stops) = decide_plan(&mut decision, snapshot, book, policy, key) {
        let why: Vec<&str> = stops.iter().map(|stop| stop.what.as_str()).collect();
        decision.blocked = Some(why.join("; "));
        decision.incidents.extend(stops);
    }
    decision
}

/// Everything after the signals; an error is every reason why nothing may be traded.
fn decide_plan(
    decision: &mut Decision,
    snapshot: &Snapshot,
    book: &[StrategySlot],
    policy: &Policy,
    key: &RunKey,
) -> Result<(), Vec<Incident>> {
    let Opened { ledger, carried, entries } = open_ledger(decision, snapshot, book, policy)?;
    let claims = claims(book, &decision.signals, &ledger);
    let listings = list(&traded_symbols(snapshot, &decision.signals, &ledger), snapshot, policy);
    let (mut books, strange) = open_books(&ledger, (&carried, &entries), snapshot, &listings);
    decision.incidents.extend(notices::of_strange_shares(&strange));
    decision.incidents.extend(books.compare(snapshot.account.cash).map(notices::of_books));
    let valuation = Valuation { listings: &listings };
    let capital = capital(&ledger, snapshot, policy, valuation)
        .map_err(|error| vec![notices::of_valuation(&error)])?;
    let targets = aim(&claims, capital, &snapshot.session, policy, valuation);
    let basis = Basis { snapshot, ledger: &ledger, listings: &listings, policy, key };
    decision.incidents.extend(notices::of_touched(&targets, valuation));
    let plan = draft(targets, &basis);
    decision.incidents.extend(notices::of_plan(&plan));
    decision.drafted = Some(plan.clone());
    books.book(snapshot.session.date, &of_crossings(&plan.crossings));
    decision.books = Some(books);
    match approve(plan, snapshot, policy) {
        Ok((plan, limits)) => {
            decision.plan = Some(plan);
            decision.limits = limits;
            Ok(())
        }
        Err(refused) => {
            decision.limits = refused.limits;
            Err(notices::of_refusals(&refused.refusals))
        }
    }
}

/// The ledger as of the snapshot.
struct Opened {
    /// With what the operator moved and adopted.
    ledger: Ledger,
    /// Without that.
    carried: Ledger,
    /// What happened since the run before.
    entries: Vec<Entry>,
}

/// The books as of the snapshot: those of the run before with what happened since, or new ones; and
/// whose shares of what they did not know as the ledger does.
fn open_books(
    ledger: &Ledger,
    (carried, entries): (&Ledger, &[Entry]),
    snapshot: &Snapshot,
    listings: &BTreeMap<Symbol, Listing>,
) -> (Books, Vec<(Holder, Symbol)>) {
    let session = snapshot.session.date;
    let price = |symbol: &Symbol| {
        let listed = listings.get(symbol).and_then(|listing| listing.reference);
        listed.or_else(|| snapshot.fallback_price(symbol))
    };
    let known = if let Past::Known(known) = &snapshot.past { known.books.clone() } else { None };
    let Some(mut books) = known else {
        return (Books::open(session, snapshot.account.cash, ledger, price), Vec::new());
    };
    books.book(session, entries);
    books.book(session, &of_moves(carried, ledger, price));
    let strange = books.follow(session, ledger, price);
    (books, strange)
}

/// The ledger as of the snapshot, with what the operator adopted.
fn open_ledger(
    decision: &mut Decision,
    snapshot: &Snapshot,
    book: &[StrategySlot],
    policy: &Policy,
) -> Result<Opened, Vec<Incident>> {
    let open = snapshot.orders.iter().filter(|order| order.is_ours());
    let open: Vec<&str> = open
        .filter(|order| !order.status.is_terminal())
        .map(|order| order.client_id.as_str())
        .collect();
    if !open.is_empty() {
        return Err(vec![notices::of_open_orders(&open)]);
    }
    let (mut ledger, entries) = match &snapshot.past {
        Past::First => (Ledger { adopt_undecided: true, ..first(snapshot) }, Vec::new()),
        Past::Known(known) => {
            let carried = carry_forward(&known.ledger, snapshot)
                .map_err(|error| vec![notices::of_ledger(&error)])?;
            let Carried { ledger, transfers, notes, entries } = carried;
            decision.transfers = transfers;
            decision.incidents.extend(notes);
            (ledger, entries)
        }
        Past::Lost => return Err(vec![notices::of_lost_ledger()]),
    };
    let carried = ledger.clone();
    if let Past::Known(known) = &snapshot.past {
        let strategies = book.iter().map(|slot| &slot.name).collect();
        let booked = instruct(&mut ledger, &known.instructions, &strategies);
        decision.incidents.extend(booked);
    }
    let adopted = adopt(&mut ledger, policy.adopt.as_ref(), &nameable(book));
    if adopted.is_ok() {
        ledger.adopt_undecided = false;
    }
    decision.ledger = Some(ledger.clone());
    adopted.map_err(|symbols| vec![notices::of_undecided(&symbols)])?;
    Ok(Opened { ledger, carried, entries })
}

/// Every symbol that a strategy of the book may give weight to.
fn nameable(book: &[StrategySlot]) -> BTreeSet<Symbol> {
    let engines = book.iter().filter_map(|slot| slot.engine.as_ref().ok());
    engines.flat_map(|engine| engine.needs().nameable.iter().cloned()).collect()
}

/// The sleeves in the policy's order, then those that are given up, by name.
fn claims<'a>(
    book: &'a [StrategySlot],
    signals: &'a [StrategyOutcome],
    ledger: &'a Ledger,
) -> Vec<Claim<'a>> {
    let policy = book.iter().zip(signals).map(|(slot, outcome)| Claim {
        strategy: &slot.name,
        allocation: slot.allocation,
        hash: &outcome.hash,
        rebalance: match &slot.engine {
            Ok(engine) => engine.needs().rebalance,
            Err(_) => Rebalance::Daily,
        },
        wish: outcome.result.as_ref().map_or(failed(), Wish::Signal),
        sleeve: ledger.sleeves.get(&slot.name).cloned().unwrap_or_default(),
    });
    let listed: BTreeSet<_> = book.iter().map(|slot| &slot.name).collect();
    let given_up = ledger
        .sleeves
        .iter()
        .filter(|(name, sleeve)| !listed.contains(name) && !sleeve.shares.is_empty())
        .map(|(name, sleeve): (_, &Sleeve)| Claim {
            strategy: name,
            allocation: Weight::ZERO,
            hash: "",
            rebalance: Rebalance::Daily,
            wish: Wish::GivenUp,
            sleeve: sleeve.clone(),
        });
    policy.chain(given_up).collect()
}

/// What a failed strategy means for its sleeve: nothing is done with it.
fn failed<'a>() -> Wish<'a> {
    if is_planted(Mutant::FailureSells) { Wish::GivenUp } else { Wish::Failed }
}

/// What the plan looks at: held by sleeves or nobody, named by a signal, or in an open order.
fn traded_symbols(
    snapshot: &Snapshot,
    signals: &[StrategyOutcome],
    ledger: &Ledger,
) -> BTreeSet<Symbol> {
    let named = signals.iter().filter_map(|outcome| outcome.result.as_ref().ok());
    let named = named.flat_map(|signal| signal.symbols().cloned());
    let ordered = snapshot.orders.iter().map(|order| order.symbol.clone());
    ledger.symbols().into_iter().chain(named).chain(ordered).collect()
}

/// What has to be observed: what the strategies look at and may name, what the sleeves hold, and
/// what the operator lists for adoption, which may have to be sold at once.
pub fn universe(book: &[StrategySlot], ledger: Option<&Ledger>, adopt: Option<&Adopt>) -> Universe {
    let mut universe = Universe { closes: BTreeMap::new(), tradable: nameable(book) };
    for engine in book.iter().filter_map(|slot| slot.engine.as_ref().ok()) {
        for (symbol, count) in &engine.needs().closes {
            let most = universe.closes.entry(symbol.clone()).or_default();
            *most = (*most).max(*count);
        }
    }
    if let Some(Adopt::These(symbols)) = adopt {
        universe.tradable.extend(symbols.iter().cloned());
    }
    if let Some(ledger) = ledger {
        universe.tradable.extend(ledger.symbols());
    }
    for symbol in &universe.tradable {
        let most = universe.closes.entry(symbol.clone()).or_default();
        *most = (*most).max(VOLUME_SESSIONS);
    }
    universe
}

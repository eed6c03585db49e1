//! A made-up account and made-up strategies, for tests of the money decisions.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use alchemiser::domain::account::{Account, Activity, ActivityKind, Asset, AssetId, Position};
use alchemiser::domain::decide::{Decision, decide};
use alchemiser::domain::execution::{Attempt, Execution, OrderOutcome};
use alchemiser::domain::market::{Histories, History, QuoteReading};
use alchemiser::domain::money::{Price, Shares, Usd, Weight};
use alchemiser::domain::order::{AttemptState, ClientOrderId, Order, OrderStatus, Side};
use alchemiser::domain::plan::fund::fund;
use alchemiser::domain::plan::{BuyPlan, PlanItem, RebalancePlan};
use alchemiser::domain::policy::{Allocation, Policy};
use alchemiser::domain::run::{AccountName, Mode, RunKey, Slot, StrategyName};
use alchemiser::domain::session::{Calendar, Session};
use alchemiser::domain::sleeve::ledger::{LastRebalance, Ledger};
use alchemiser::domain::sleeve::settle::settle;
use alchemiser::domain::snapshot::{Known, Past, Snapshot, Splits};
use alchemiser::domain::strategy::{
    Needs, Rebalance, Signal, StrategyEngine, StrategyError, StrategySlot,
};
use alchemiser::domain::symbol::Symbol;
use alchemiser::domain::symphony::trace::Trace;
use jiff::Timestamp;
use jiff::civil::{Date, date, time};

pub(crate) const TODAY: Date = date(2026, 11, 20);

pub(crate) fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

pub(crate) fn shares(text: &str) -> Shares {
    Shares::parse(text).unwrap()
}

pub(crate) fn usd(text: &str) -> Usd {
    Usd::parse(text).unwrap()
}

pub(crate) fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

pub(crate) fn weight(text: &str) -> Weight {
    Weight::parse(text).unwrap()
}

pub(crate) fn name(text: &str) -> StrategyName {
    StrategyName::parse(text).unwrap()
}

/// A strategy that says what it was told to say.
#[derive(Debug, Clone)]
pub(crate) struct Puppet {
    pub(crate) name: StrategyName,
    pub(crate) allocation: Weight,
    pub(crate) needs: Needs,
    pub(crate) says: Result<Signal, StrategyError>,
}

impl StrategyEngine for Puppet {
    fn name(&self) -> &StrategyName {
        &self.name
    }

    fn needs(&self) -> &Needs {
        &self.needs
    }

    fn evaluate(&self, _: &Histories, _: Date) -> Result<Signal, StrategyError> {
        self.says.clone()
    }
}

/// Read once: the laws make thousands of accounts.
static COMPILED_IN: LazyLock<Policy> = LazyLock::new(Policy::compiled_in);

/// An account with a market and strategies around it.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) snapshot: Snapshot,
    pub(crate) puppets: Vec<Puppet>,
    pub(crate) policy: Policy,
    pub(crate) key: RunKey,
}

pub(crate) fn session(day: Date) -> Session {
    Session::at(day, time(9, 30, 0, 0), time(16, 0, 0, 0)).unwrap()
}

/// Two weeks of November 2026: the ninth is a Monday.
fn calendar() -> Calendar {
    let days = (9..=13).chain(16..=20).chain(23..=25);
    Calendar::new(days.map(|day| session(date(2026, 11, day))).collect())
}

impl World {
    /// Five minutes after the open of [`TODAY`], nothing held, first run.
    pub(crate) fn new(cash: &str) -> Self {
        let now: Timestamp = "2026-11-20T14:35:00Z".parse().unwrap();
        let mut policy = COMPILED_IN.clone();
        policy.strategies.clear();
        Self {
            snapshot: Snapshot {
                now,
                session: session(TODAY),
                calendar: calendar(),
                account: Account {
                    fingerprint: "f".to_owned(),
                    ending: "123".to_owned(),
                    cash: usd(cash),
                    equity: usd(cash),
                    equity_before: None,
                    blocks: BTreeSet::new(),
                },
                positions: BTreeMap::new(),
                orders: Vec::new(),
                activities: Vec::new(),
                assets: BTreeMap::new(),
                histories: Histories::default(),
                quotes: BTreeMap::new(),
                splits: Splits::Listed(BTreeSet::new()),
                past: Past::First,
            },
            puppets: Vec::new(),
            policy,
            key: RunKey {
                mode: Mode::Paper,
                account: AccountName::parse("main").unwrap(),
                session: TODAY,
                slot: Slot::parse("open").unwrap(),
                generation: 0,
            },
        }
    }

    /// A fractionable asset with a quote without spread and the same close yesterday.
    pub(crate) fn market(&mut self, ticker: &str, at: &str) -> &mut Self {
        let symbol = symbol(ticker);
        let asset = Asset {
            symbol: symbol.clone(),
            id: AssetId(format!("id-{ticker}")),
            tradable: true,
            fractionable: true,
            us_equity: true,
        };
        self.snapshot.assets.insert(symbol.clone(), asset);
        self.close(ticker, at);
        self.quote(ticker, at, at)
    }

    pub(crate) fn quote(&mut self, ticker: &str, bid: &str, ask: &str) -> &mut Self {
        let reading = QuoteReading {
            bid: Some(price(bid)),
            ask: Some(price(ask)),
            quoted_at: Some(self.snapshot.now),
            ..QuoteReading::default()
        };
        self.snapshot.quotes.insert(symbol(ticker), reading);
        self
    }

    pub(crate) fn no_quote(&mut self, ticker: &str) -> &mut Self {
        self.snapshot.quotes.remove(&symbol(ticker));
        self
    }

    pub(crate) fn close(&mut self, ticker: &str, at: &str) -> &mut Self {
        self.close_with_volume(ticker, at, None)
    }

    pub(crate) fn close_with_volume(
        &mut self,
        ticker: &str,
        at: &str,
        volume: Option<f64>,
    ) -> &mut Self {
        let mut all: BTreeMap<Symbol, History> =
            self.snapshot.histories.iter().map(|(s, h)| (s.clone(), h.clone())).collect();
        let history = History::new(
            vec![date(2026, 11, 19)],
            vec![at.parse().unwrap()],
            volume.into_iter().collect(),
        );
        all.insert(symbol(ticker), history.unwrap());
        self.snapshot.histories = Histories::new(all);
        self
    }

    pub(crate) fn whole_shares(&mut self, ticker: &str) -> &mut Self {
        self.snapshot.assets.get_mut(&symbol(ticker)).unwrap().fractionable = false;
        self
    }

    /// Adds a strategy with a signal; what is missing to one is explicit cash.
    pub(crate) fn strategy(
        &mut self,
        who: &str,
        allocation: &str,
        weights: &[(&str, &str)],
    ) -> &mut Self {
        let weights: Vec<(Symbol, Weight)> =
            weights.iter().map(|(s, w)| (symbol(s), weight(w))).collect();
        let sum = weights.iter().fold(Weight::ZERO, |sum, (_, w)| sum.checked_add(*w).unwrap());
        let signal = Signal {
            strategy: name(who),
            as_of: date(2026, 11, 19),
            weights,
            cash: sum.complement(),
            trace: Trace::default(),
            confidence: None,
        };
        self.puppet(who, allocation, Ok(signal))
    }

    pub(crate) fn failing(&mut self, who: &str, allocation: &str) -> &mut Self {
        self.puppet(who, allocation, Err(StrategyError::Empty))
    }

    pub(crate) fn puppet(
        &mut self,
        who: &str,
        allocation: &str,
        says: Result<Signal, StrategyError>,
    ) -> &mut Self {
        let named = says.iter().flat_map(|s| s.symbols().cloned().collect::<Vec<_>>());
        self.puppets.push(Puppet {
            name: name(who),
            allocation: weight(allocation),
            needs: Needs {
                nameable: named.collect(),
                hash: format!("hash-{who}"),
                ..Needs::default()
            },
            says,
        });
        self.policy.strategies.push(Allocation { name: name(who), allocation: weight(allocation) });
        self
    }

    pub(crate) fn of(&mut self, who: &str) -> &mut Puppet {
        self.puppets.iter_mut().find(|puppet| puppet.name.as_str() == who).unwrap()
    }

    /// The last run left a ledger, yesterday after the close.
    pub(crate) fn known(&mut self) -> &mut Known {
        if !matches!(self.snapshot.past, Past::Known(_)) {
            let before: Timestamp = "2026-11-19T14:35:00Z".parse().unwrap();
            let ledger = Ledger {
                began: Some("2026-11-02T14:35:00Z".parse().unwrap()),
                booked_until: Some(before),
                ..Ledger::default()
            };
            self.snapshot.past = Past::Known(Box::new(Known {
                ledger,
                equity: Vec::new(),
                books: None,
                transfers: BTreeMap::new(),
                orders_today: 0,
                turnover_today: Usd::ZERO,
                instructions: Vec::new(),
            }));
        }
        match &mut self.snapshot.past {
            Past::Known(known) => known,
            Past::First | Past::Lost => unreachable!(),
        }
    }

    /// A sleeve holds shares, in the ledger and at the broker.
    pub(crate) fn holds(&mut self, who: &str, ticker: &str, count: &str) -> &mut Self {
        let sleeve = self.known().ledger.sleeves.entry(name(who)).or_default();
        *sleeve.shares.entry(symbol(ticker)).or_default() += shares(count);
        self.receive(ticker, count)
    }

    /// Nobody's shares, in the ledger and at the broker.
    pub(crate) fn foreign(&mut self, ticker: &str, count: &str) -> &mut Self {
        *self.known().ledger.foreign.entry(symbol(ticker)).or_default() += shares(count);
        self.receive(ticker, count)
    }

    /// Shares appear at the broker; the equity follows at the asset's quote or close.
    pub(crate) fn receive(&mut self, ticker: &str, count: &str) -> &mut Self {
        let symbol = symbol(ticker);
        let id = AssetId(format!("id-{ticker}"));
        let position = self.snapshot.positions.entry(symbol.clone()).or_insert_with(|| Position {
            symbol: symbol.clone(),
            asset: id.clone(),
            shares: Shares::ZERO,
            available: Shares::ZERO,
            price: None,
            entry: None,
        });
        position.shares += shares(count);
        position.available = position.shares;
        if let Past::Known(known) = &mut self.snapshot.past {
            known.ledger.assets.insert(symbol, id);
        }
        self.revalue()
    }

    pub(crate) fn reference(&self, symbol: &Symbol) -> Option<Price> {
        let quote = self.snapshot.quotes.get(symbol).copied().unwrap_or_default();
        let usable = quote.judge(self.snapshot.now, &self.policy.quote_rules());
        usable.ok().map(|q| q.mid()).or_else(|| self.snapshot.fallback_price(symbol))
    }

    /// The broker's equity: cash and every position.
    pub(crate) fn revalue(&mut self) -> &mut Self {
        let value: Usd = self
            .snapshot
            .positions
            .iter()
            .filter_map(|(s, position)| Some(position.shares * self.reference(s)?))
            .sum();
        self.snapshot.account.equity = self.snapshot.account.cash + value;
        self
    }

    /// A sleeve was rebalanced and finished on a day, with this signal.
    pub(crate) fn rebalanced(&mut self, who: &str, day: Date) -> &mut Self {
        let puppet = self.of(who).clone();
        let named = puppet.says.iter().flat_map(|s| s.symbols().cloned().collect::<Vec<_>>());
        let last = LastRebalance {
            session: day,
            finished: Some(day),
            unfinished: 0,
            allocation: puppet.allocation,
            strategy_hash: puppet.needs.hash.clone(),
            named: named.collect(),
        };
        self.known().ledger.sleeves.entry(name(who)).or_default().last = Some(last);
        self
    }

    pub(crate) fn rebalances(&mut self, who: &str, rule: Rebalance) -> &mut Self {
        self.of(who).needs.rebalance = rule;
        self
    }

    pub(crate) fn confidence(&mut self, who: &str, confidence: f64) -> &mut Self {
        self.of(who).says.as_mut().unwrap().confidence = Some(confidence);
        self
    }

    /// Somebody else's order, open.
    pub(crate) fn foreign_order(&mut self, ticker: &str, side: Side, count: &str) -> &mut Self {
        let id = format!("foreign-{ticker}");
        self.snapshot.orders.push(order(&id, ticker, side, count));
        self
    }

    pub(crate) fn happened(&mut self, id: &str, at: &str, what: ActivityKind) -> &mut Self {
        let at = at.parse().unwrap();
        self.snapshot.activities.push(Activity { id: id.to_owned(), at, what });
        self
    }

    pub(crate) fn book(&self) -> Vec<StrategySlot> {
        let puppets = self.puppets.iter().cloned();
        puppets
            .map(|puppet| StrategySlot {
                name: puppet.name.clone(),
                allocation: puppet.allocation,
                engine: Ok(Box::new(puppet)),
            })
            .collect()
    }

    pub(crate) fn decide(&self) -> Decision {
        decide(&self.snapshot, &self.book(), &self.policy, &self.key)
    }

    /// The plan, which the gate must have let pass.
    pub(crate) fn plan(&self) -> RebalancePlan {
        let decision = self.decide();
        let Some(plan) = &decision.plan else {
            panic!("blocked: {:?} {:#?}", decision.blocked, decision.incidents)
        };
        plan.plan().clone()
    }
}

pub(crate) fn order(id: &str, ticker: &str, side: Side, count: &str) -> Order {
    Order {
        broker_id: format!("broker-{id}"),
        client_id: id.to_owned(),
        symbol: symbol(ticker),
        side,
        shares: Some(shares(count)),
        filled: Shares::ZERO,
        fill_price: None,
        limit: None,
        status: OrderStatus::Working,
        submitted_at: None,
        filled_at: None,
    }
}

/// An order of the plan as words: `buy 3.5`, `sell 2`, or what it is instead.
pub(crate) fn said(item: &PlanItem) -> String {
    match item.order() {
        Some((side, shares)) => format!("{side} {shares}"),
        None => format!("{:?}", item.action),
    }
}

pub(crate) fn orders(plan: &RebalancePlan) -> Vec<String> {
    let ordered = plan.items.iter().filter(|item| item.order().is_some());
    ordered.map(|item| format!("{} {}", said(item), item.symbol)).collect()
}

pub(crate) fn item<'a>(plan: &'a RebalancePlan, ticker: &str) -> &'a PlanItem {
    plan.item(&symbol(ticker)).unwrap()
}

pub(crate) fn sleeve_shares(ledger: &Ledger, who: &str, ticker: &str) -> Shares {
    let sleeve = ledger.sleeves.get(&name(who));
    sleeve.map(|sleeve| sleeve.shares_of(&symbol(ticker))).unwrap_or_default()
}

/// What an order of a plan came to, in one attempt.
pub(crate) fn outcome(
    key: &RunKey,
    symbol: &Symbol,
    side: Side,
    planned: Shares,
    filled: Shares,
) -> OrderOutcome {
    OrderOutcome {
        symbol: symbol.clone(),
        side,
        planned,
        attempts: vec![Attempt {
            id: ClientOrderId::of(key, symbol, side, 1),
            shares: planned,
            limit: None,
            arrival: None,
            state: if filled == planned { AttemptState::Filled } else { AttemptState::Cancelled },
            filled,
            fill_price: None,
            submitted_at: None,
            ended_at: None,
        }],
        shortfall: None,
    }
}

/// A run acted out at reference prices: `fill` says how much of each order is executed.
pub(crate) struct Acted {
    pub(crate) buy_plan: BuyPlan,
    pub(crate) execution: Execution,
    pub(crate) ledger: Ledger,
    pub(crate) cash: Usd,
}

pub(crate) fn act(
    world: &World,
    decision: &Decision,
    fill: &mut dyn FnMut(&Symbol, Side, Shares) -> Shares,
) -> Acted {
    let approved = decision.plan.as_ref().unwrap();
    let plan = approved.plan();
    let mut cash = world.snapshot.account.cash;
    let mut execution = Execution::default();
    for (item, planned) in plan.orders(Side::Sell) {
        let filled = fill(&item.symbol, Side::Sell, planned);
        cash += filled * item.reference.unwrap();
        execution.sells.push(outcome(&plan.key, &item.symbol, Side::Sell, planned, filled));
    }
    let buy_plan = fund(approved, &execution.sells, cash, &world.policy);
    for item in &buy_plan.items {
        let filled = fill(&item.symbol, Side::Buy, item.shares);
        cash -= filled * item.reference;
        execution.buys.push(outcome(&plan.key, &item.symbol, Side::Buy, item.shares, filled));
    }
    let (ledger, _) = settle(plan, Some(&buy_plan), &execution, &decision.signals);
    Acted { buy_plan, execution, ledger, cash }
}

/// The world after a run, half an hour later: positions moved by the fills, the ledger known.
pub(crate) fn after(world: &World, acted: &Acted) -> World {
    let mut world = world.clone();
    for outcome in acted.execution.outcomes() {
        let id = AssetId(format!("id-{}", outcome.symbol));
        let positions = &mut world.snapshot.positions;
        let position = positions.entry(outcome.symbol.clone()).or_insert_with(|| Position {
            symbol: outcome.symbol.clone(),
            asset: id,
            shares: Shares::ZERO,
            available: Shares::ZERO,
            price: None,
            entry: None,
        });
        position.shares = match outcome.side {
            Side::Sell => position.shares.minus(outcome.filled()).unwrap(),
            Side::Buy => position.shares + outcome.filled(),
        };
        position.available = position.shares;
    }
    world.snapshot.positions.retain(|_, position| !position.shares.is_zero());
    world.snapshot.account.cash = acted.cash;
    world.revalue();
    world.known().ledger = acted.ledger.clone();
    world.key.generation += 1;
    world
}

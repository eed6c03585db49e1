//! Observing: the ports' answers become one snapshot.
//!
//! What does not depend on each other is asked for at once. Only the assets wait for the signals,
//! because they are asked for one by one and only those that may trade are needed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use tracing::{info, warn};

use crate::application::desk::Desk;
use crate::application::journal::history;
use crate::application::ports::BrokerError;
use crate::application::trouble;
use crate::domain::account::Asset;
use crate::domain::decide::{Universe, universe};
use crate::domain::execution::OrderOutcome;
use crate::domain::incident::{Category, Incident};
use crate::domain::market::{Histories, History};
use crate::domain::order::Order;
use crate::domain::plan::RebalancePlan;
use crate::domain::report::{DataReport, EquityPoint};
use crate::domain::run::RunKey;
use crate::domain::session::{Calendar, Session};
use crate::domain::signal::evaluate;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::snapshot::{Known, Past, Snapshot, Splits};
use crate::domain::strategy::{StrategyOutcome, StrategySlot};
use crate::domain::symbol::Symbol;

/// Days back to look for orders of ours when there is no ledger.
const ORDERS_BACK_DAYS: i64 = 30;
/// Days of calendar asked for around the session: enough for the longest period and the ledger.
const CALENDAR_BACK_DAYS: i64 = 100;
const CALENDAR_AHEAD_DAYS: i64 = 10;

/// Wait between two looks at a stale order that is being cancelled.
const SWEEP_WAIT: Duration = Duration::from_millis(500);

/// The market this morning, before anything is claimed.
#[derive(Debug, Clone)]
pub struct Morning {
    /// The broker's time.
    pub now: Timestamp,
    /// Whether the broker says the session is on.
    pub is_open: bool,
    /// Broker's clock minus ours.
    pub skew_ms: i64,
    /// Sessions around the run's date.
    pub calendar: Calendar,
    /// The run's session; `None` on a day without one.
    pub session: Option<Session>,
}

/// What becomes of open orders of ours that an earlier run left at the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// They are cancelled and seen to end: nothing of ours works when a run decides.
    Cancel,
    /// They are left alone: a preview touches nothing.
    Leave,
}

/// Everything a run knows, and what it cost to know it.
#[derive(Debug)]
pub struct Observed {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Symbols whose flags are those of the last run: [`confirm`] asks before one is ordered.
    pub remembered: BTreeSet<Symbol>,
    /// Where the data came from.
    pub data: DataReport,
}

/// Asks the broker for its time and its sessions.
///
/// # Errors
/// [`BrokerError`] when either is not to be had.
pub async fn morning(desk: &Desk<'_>, key: &RunKey) -> Result<Morning, BrokerError> {
    let first = key.session.saturating_sub(CALENDAR_BACK_DAYS.days());
    let last = key.session.saturating_add(CALENDAR_AHEAD_DAYS.days());
    let (clock, calendar) = tokio::join!(desk.broker.clock(), desk.broker.calendar(first, last));
    let (clock, calendar) = (clock?, calendar?);
    let skew = clock.now.duration_since(desk.clock.now());
    Ok(Morning {
        now: clock.now,
        is_open: clock.is_open,
        skew_ms: i64::try_from(skew.as_millis()).unwrap_or(i64::MAX),
        session: calendar.on(key.session).copied(),
        calendar,
    })
}

/// Gathers the snapshot of a session.
///
/// # Errors
/// The incident that keeps the run from knowing enough.
pub async fn observe(
    desk: &Desk<'_>,
    (morning, session): (&Morning, Session),
    book: &[StrategySlot],
    history: &history::History,
    stale: Stale,
) -> Result<Observed, Incident> {
    let last = history.last.as_ref().map(|kept| &kept.body);
    let ledger = last.and_then(|report| report.ledger.as_ref());
    let since = ledger.and_then(Ledger::look_back);
    let since = since.unwrap_or_else(|| back(morning.now, ORDERS_BACK_DAYS));
    let Some(as_of) = morning.calendar.before(session.date).map(|before| before.date) else {
        let what = "the broker's calendar has no session before this one";
        return Err(Incident::new(Category::Critical, "calendar-short", "observe", what));
    };
    let Universe { closes, tradable } = universe(book, ledger, desk.policy.adopt.as_ref());
    let listed: Vec<Symbol> = tradable.into_iter().collect();
    let split_first = as_of.saturating_add(1.day());

    let rules = desk.policy.quote_rules();
    let orders =
        swept(desk, since, stale).await.map_err(|e| trouble::broker(&e, "reading orders"))?;
    let (account, positions, activities, histories, quotes, splits) = tokio::join!(
        desk.broker.account(),
        desk.broker.positions(),
        desk.broker.activities_since(since),
        desk.market.daily(&closes, as_of),
        desk.market.quotes(&listed, &rules),
        desk.market.splits(&listed, split_first, session.date),
    );
    let account = account.map_err(|e| trouble::broker(&e, "reading the account"))?;
    let positions = positions.map_err(|e| trouble::broker(&e, "reading positions"))?;
    let activities = activities.map_err(|e| trouble::broker(&e, "reading activities"))?;
    let histories = histories.map_err(|e| trouble::broker(&e, "reading daily bars"))?;
    let quotes = quotes.map_err(|e| trouble::broker(&e, "reading quotes"))?;
    let splits = match splits {
        Ok(listed) => Splits::Listed(listed.into_iter().collect()),
        Err(error) => {
            warn!(%error, "corporate actions not readable");
            Splits::Unknown
        }
    };
    let signals = evaluate(book, &histories, as_of);
    let mut may_trade: BTreeSet<Symbol> = ledger.iter().flat_map(|l| l.symbols()).collect();
    may_trade.extend(positions.iter().map(|position| position.symbol.clone()));
    may_trade.extend(named(&signals));
    let mut assets = last.map(|report| report.assets.clone()).unwrap_or_default();
    // Only flags that keep nothing from being ordered are remembered: [`confirm`] would never ask
    // for one that does, and what was halted once would stay blocked for ever.
    assets.retain(|symbol, flags| may_trade.contains(symbol) && is_unhindered(flags));
    let remembered: BTreeSet<Symbol> = assets.keys().cloned().collect();
    let asked: Vec<Symbol> = may_trade.difference(&remembered).cloned().collect();
    let fresh = desk.broker.assets(&asked).await;
    assets.extend(fresh.map_err(|e| trouble::broker(&e, "reading assets"))?);

    let data = freshness(desk, (&closes, &histories), as_of, morning.skew_ms);
    info!(%as_of, symbols = data.symbols, stale = data.stale.len(), positions = positions.len(), "observed");
    let past = past(history, &orders);
    let snapshot = Snapshot {
        now: desk.clock.now(),
        session,
        calendar: morning.calendar.clone(),
        account,
        positions: positions.into_iter().map(|p| (p.symbol.clone(), p)).collect(),
        orders,
        activities,
        assets,
        histories,
        quotes,
        splits,
        past,
    };
    Ok(Observed { snapshot, remembered, data })
}

/// Asks for today's flags of what a plan orders and the snapshot only remembers; true when one
/// differs, so that the decision has to be made again. Flags of shares that are only kept
/// decide nothing, and asking for each would be most of a quiet day's requests.
///
/// # Errors
/// The incident when the broker gives no answer.
pub async fn confirm(
    desk: &Desk<'_>,
    observed: &mut Observed,
    plan: &RebalancePlan,
) -> Result<bool, Incident> {
    let orders = plan.items.iter().filter(|item| item.order().is_some());
    let ordered: BTreeSet<Symbol> = orders.map(|item| item.symbol.clone()).collect();
    let asked: Vec<Symbol> = observed.remembered.intersection(&ordered).cloned().collect();
    let mut fresh =
        desk.broker.assets(&asked).await.map_err(|e| trouble::broker(&e, "reading assets"))?;
    let mut changed = false;
    for symbol in asked {
        let flags = fresh.remove(&symbol);
        let known = match flags {
            Some(flags) => {
                observed.snapshot.assets.insert(symbol.clone(), flags.clone()) == Some(flags)
            }
            None => observed.snapshot.assets.remove(&symbol).is_none(),
        };
        changed |= !known;
        observed.remembered.remove(&symbol);
    }
    Ok(changed)
}

fn is_unhindered(flags: &Asset) -> bool {
    flags.tradable && flags.fractionable && flags.us_equity
}

/// Every symbol that a signal gives weight to.
fn named(signals: &[StrategyOutcome]) -> impl Iterator<Item = Symbol> {
    let given = signals.iter().filter_map(|outcome| outcome.result.as_ref().ok());
    given.flat_map(|signal| signal.symbols().cloned())
}

fn freshness(
    desk: &Desk<'_>,
    (closes, histories): (&BTreeMap<Symbol, usize>, &Histories),
    as_of: Date,
    clock_skew_ms: i64,
) -> DataReport {
    let last_day = |symbol| histories.get(symbol).and_then(History::last_day);
    let days = closes.keys().map(|symbol| (symbol.clone(), last_day(symbol)));
    DataReport {
        as_of,
        bars_feed: desk.policy.bars_feed.clone(),
        adjustment: "all".to_owned(),
        quotes_feed: desk.policy.quotes_feed.clone(),
        symbols: histories.iter().count(),
        stale: days.filter(|(_, day)| *day != Some(as_of)).collect(),
        clock_skew_ms,
    }
}

/// All orders since a moment, unless told otherwise after our own open ones were cancelled and seen
/// to end.
async fn swept(desk: &Desk<'_>, since: Timestamp, stale: Stale) -> Result<Vec<Order>, BrokerError> {
    let patience = Duration::from_secs(u64::from(desk.policy.timing.settle_seconds));
    let end = desk.clock.now().saturating_add(patience).unwrap_or(Timestamp::MAX);
    let mut asked = BTreeSet::new();
    loop {
        let (all, open) = tokio::join!(desk.broker.orders_since(since), desk.broker.open_orders());
        let (mut all, open) = (all?, open?);
        for order in open {
            if !all.iter().any(|known| known.broker_id == order.broker_id) {
                all.push(order); // submitted before `since` and still open
            }
        }
        let ours: Vec<&Order> =
            all.iter().filter(|o| o.is_ours() && !o.status.is_terminal()).collect();
        if stale == Stale::Leave || ours.is_empty() || desk.clock.now() >= end {
            return Ok(all);
        }
        for order in ours {
            if asked.contains(&order.broker_id) {
                continue;
            }
            warn!(id = %order.client_id, symbol = %order.symbol, "cancelling a stale order of ours");
            match desk.broker.cancel(&order.broker_id).await {
                Ok(()) => {
                    asked.insert(order.broker_id.clone());
                }
                Err(error) => warn!(%error, id = %order.client_id, "stale order not cancelled yet"),
            }
        }
        desk.clock.sleep(SWEEP_WAIT).await;
    }
}

fn past(history: &history::History, orders: &[Order]) -> Past {
    let Some(kept) = &history.last else {
        let ours = orders.iter().any(Order::is_ours);
        return if ours || history.planned { Past::Lost } else { Past::First };
    };
    let Some(ledger) = kept.body.ledger.clone() else { return Past::Lost };
    let outcomes = || history.today.iter().flat_map(|kept| kept.body.execution.outcomes());
    let equity: Vec<EquityPoint> = kept.body.equity_curve.clone();
    let attempts: usize = outcomes().map(|outcome| outcome.attempts.len()).sum();
    Past::Known(Box::new(Known {
        ledger,
        equity,
        transfers: kept.body.transfers.clone(),
        orders_today: u32::try_from(attempts).unwrap_or(u32::MAX),
        turnover_today: outcomes().map(OrderOutcome::value).sum(),
    }))
}

fn back(moment: Timestamp, days: i64) -> Timestamp {
    moment.saturating_sub((days * 24).hours()).unwrap_or(Timestamp::MIN)
}

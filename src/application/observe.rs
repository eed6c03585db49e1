//! Observing: the ports' answers become one snapshot.
//!
//! What does not depend on each other is asked for at once, the market's clock and calendar
//! included. What only the answers tell to ask for (flags of what may trade, and splits since the
//! last session) is assumed to hinder nothing until [`confirm`] has asked.
//!
//! [`confirm`]: crate::application::confirm::confirm

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use tracing::info;

use crate::application::desk::Desk;
use crate::application::journal::history;
use crate::application::ports::BrokerError;
use crate::application::trouble;
use crate::application::withdraw::{open_of_ours, withdraw_these};
use crate::domain::account::{Account, Activity, Asset, AssetId, MarketClock, Position};
use crate::domain::books::benchmark;
use crate::domain::code::Code;
use crate::domain::decide::{Universe, universe};
use crate::domain::execution::OrderOutcome;
use crate::domain::incident::{Category, Incident};
use crate::domain::market::{Histories, History, QuoteReading};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::Order;
use crate::domain::report::{DataReport, EquityPoint};
use crate::domain::revision::Hindsight;
use crate::domain::run::RunKey;
use crate::domain::session::{Calendar, Session};
use crate::domain::signal::evaluate;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::snapshot::{Known, Past, Snapshot, Splits};
use crate::domain::strategy::{StrategyOutcome, StrategySlot};
use crate::domain::symbol::Symbol;

/// Days back to look for orders of ours when there is no ledger.
const ORDERS_BACK_DAYS: i64 = 30;
/// An answer of the clock that took longer says too little of when it was true.
const CLOCK_WIDTH_MAX: SignedDuration = SignedDuration::from_secs(5);
const CLOCK_ASKS_MAX: u32 = 3;
/// Days of calendar asked for around the session: enough for the longest period and the ledger.
const CALENDAR_BACK_DAYS: i64 = 100;
const CALENDAR_AHEAD_DAYS: i64 = 10;

/// The market this morning.
#[derive(Debug, Clone)]
pub struct Morning {
    /// The broker's time.
    pub now: Timestamp,
    /// Whether the broker says the session is on.
    pub is_open: bool,
    /// Broker's clock minus ours, at most.
    pub skew_ms: i64,
    /// Sessions around the run's date.
    pub calendar: Calendar,
    /// The run's session; `None` on a day without one.
    pub session: Option<Session>,
}

/// The broker's answers of one moment. Each stands for itself: which of them keeps the run from
/// going on is decided by what they mean, not by which came first.
pub struct Sight {
    orders: Answer<Vec<Order>>,
    account: Answer<Account>,
    positions: Answer<Vec<Position>>,
    activities: Answer<Vec<Activity>>,
    histories: Answer<Histories>,
    quotes: Answer<BTreeMap<Symbol, QuoteReading>>,
}

type Answer<T> = Result<T, BrokerError>;

impl Sight {
    /// True when an order of ours is open.
    pub fn shows_orders_of_ours(&self) -> bool {
        self.orders.as_ref().is_ok_and(|orders| !open_of_ours(orders).is_empty())
    }
}

/// Everything a run knows, and what is only assumed so far.
#[derive(Debug)]
pub struct Observed {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Symbols whose flags are those of the last run: asked for before one is ordered.
    pub remembered: BTreeSet<Symbol>,
    /// Symbols whose flags nobody knows yet: asked for before anything is decided.
    pub assumed: BTreeSet<Symbol>,
    /// What to ask for splits, until that is done.
    pub splits: Option<SplitsSought>,
    /// Where the data came from.
    pub data: DataReport,
}

/// Symbols and days in which a split matters, the first and the last included.
#[derive(Debug)]
pub struct SplitsSought {
    /// Symbols that may trade.
    pub symbols: Vec<Symbol>,
    /// The day after the last completed session.
    pub first: Date,
    /// The session.
    pub last: Date,
}

/// Asks the broker for its time and its sessions.
///
/// # Errors
/// [`BrokerError`] when either is not to be had.
pub async fn morning(desk: &Desk<'_>, key: &RunKey) -> Result<Morning, BrokerError> {
    let first = key.session.saturating_sub(CALENDAR_BACK_DAYS.days());
    let last = key.session.saturating_add(CALENDAR_AHEAD_DAYS.days());
    let (clock, calendar) = tokio::join!(clock(desk), desk.broker.calendar(first, last));
    let ((clock, skew), calendar) = (clock?, calendar?);
    Ok(Morning {
        now: clock.now,
        is_open: clock.is_open,
        skew_ms: i64::try_from(skew.as_millis()).unwrap_or(i64::MAX),
        session: calendar.on(key.session).copied(),
        calendar,
    })
}

/// The market's clock, and how far it can be from ours: its time was true at some moment between
/// question and answer, so a process that stood still meanwhile, or waited long, knows little. It
/// asks again then.
async fn clock(desk: &Desk<'_>) -> Result<(MarketClock, SignedDuration), BrokerError> {
    for asked in 1.. {
        let before = desk.clock.now();
        let clock = desk.broker.clock().await?;
        let after = desk.clock.now();
        let (early, late) = (clock.now.duration_since(before), clock.now.duration_since(after));
        if (early - late).abs() <= CLOCK_WIDTH_MAX || asked == CLOCK_ASKS_MAX {
            return Ok((clock, if early.abs() > late.abs() { early } else { late }));
        }
    }
    unreachable!("the loop above returns")
}

/// Asks for all that does not depend on other answers.
///
/// Bars are asked for up to the day before, whatever the calendar says: none lies between that day
/// and the last completed session.
pub async fn look(
    desk: &Desk<'_>,
    key: &RunKey,
    book: &[StrategySlot],
    history: &history::History,
) -> (Answer<Morning>, Sight) {
    let ledger = ledger_of(history);
    let Universe { closes, tradable } = universe(book, ledger, desk.policy.adopt.as_ref());
    let listed: Vec<Symbol> = tradable.into_iter().collect();
    let mut asked = closes;
    asked.entry(benchmark::market()).or_insert(benchmark::CLOSES_WANTED);
    let (since, rules) = (since(desk, history), desk.policy.quote_rules());
    let yesterday = key.session.saturating_sub(1.day());
    let (morning, orders, account, positions, activities, histories, quotes) = tokio::join!(
        morning(desk, key),
        all_orders(desk, since),
        desk.broker.account(),
        desk.broker.positions(),
        desk.broker.activities_since(since),
        desk.market.daily(&asked, yesterday),
        desk.market.quotes(&listed, &rules),
    );
    (morning, Sight { orders, account, positions, activities, histories, quotes })
}

/// Gathers the snapshot of a session.
///
/// # Errors
/// The incident that keeps the run from knowing enough.
pub async fn observe(
    desk: &Desk<'_>,
    (morning, session, sight): (&Morning, Session, Sight),
    book: &[StrategySlot],
    history: &history::History,
) -> Result<Observed, Incident> {
    let ledger = ledger_of(history);
    let Some(as_of) = morning.calendar.before(session.date).map(|before| before.date) else {
        let what = "the broker's calendar has no session before this one";
        return Err(Incident::new(Category::Critical, Code::CalendarShort, "observe", what));
    };
    let Universe { closes, tradable } = universe(book, ledger, desk.policy.adopt.as_ref());
    let listed: Vec<Symbol> = tradable.into_iter().collect();
    let orders = sight.orders.map_err(|e| trouble::broker(&e, "reading orders"))?;
    let account = sight.account.map_err(|e| trouble::broker(&e, "reading the account"))?;
    let positions = sight.positions.map_err(|e| trouble::broker(&e, "reading positions"))?;
    let activities = sight.activities.map_err(|e| trouble::broker(&e, "reading activities"))?;
    let histories = sight.histories.map_err(|e| trouble::broker(&e, "reading daily bars"))?;
    let quotes = sight.quotes.map_err(|e| trouble::broker(&e, "reading quotes"))?;

    let signals = evaluate(book, &histories, as_of);
    let mut may_trade: BTreeSet<Symbol> = ledger.iter().flat_map(|l| l.symbols()).collect();
    may_trade.extend(positions.iter().map(|position| position.symbol.clone()));
    may_trade.extend(named(&signals));
    let mut assets = remembered(history, &may_trade);
    let remembered: BTreeSet<Symbol> = assets.keys().cloned().collect();
    let assumed: BTreeSet<Symbol> = may_trade.difference(&remembered).cloned().collect();
    assets.extend(assumed.iter().map(|symbol| (symbol.clone(), unhindered(symbol, &positions))));
    let first = as_of.saturating_add(1.day());
    let splits = Some(SplitsSought { symbols: listed, first, last: session.date });
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
        splits: Splits::Listed(BTreeSet::new()),
        past,
    };
    Ok(Observed { snapshot, remembered, assumed, splits, data })
}

/// Flags known from the last run. Only those that keep nothing from being ordered are remembered:
/// no plan would order what was halted once, so nobody would ever ask again.
fn remembered(history: &history::History, may_trade: &BTreeSet<Symbol>) -> BTreeMap<Symbol, Asset> {
    let last = history.last.as_ref().map(|kept| &kept.body.assets);
    let mut known = last.cloned().unwrap_or_default();
    known.retain(|symbol, flags| may_trade.contains(symbol) && is_unhindered(flags));
    known
}

/// Flags as they usually are; with an id that no asset has where none is known.
fn unhindered(symbol: &Symbol, positions: &[Position]) -> Asset {
    let held = positions.iter().find(|position| position.symbol == *symbol);
    let id = held.map_or_else(|| AssetId(String::new()), |position| position.asset.clone());
    Asset { symbol: symbol.clone(), id, tradable: true, fractionable: true, us_equity: true }
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
        symbols: closes.keys().filter(|symbol| histories.get(symbol).is_some()).count(),
        stale: days.filter(|(_, day)| *day != Some(as_of)).collect(),
        clock_skew_ms,
        hindsight: Hindsight::Unasked,
    }
}

/// The moment from which orders and bookings matter.
fn since(desk: &Desk<'_>, history: &history::History) -> Timestamp {
    let known = ledger_of(history).and_then(Ledger::look_back);
    known.unwrap_or_else(|| back(desk.clock.now(), ORDERS_BACK_DAYS))
}

fn ledger_of(history: &history::History) -> Option<&Ledger> {
    history.last.as_ref().and_then(|kept| kept.body.ledger.as_ref())
}

/// All orders since a moment, and those still open that were submitted before it.
async fn all_orders(desk: &Desk<'_>, since: Timestamp) -> Answer<Vec<Order>> {
    let (all, open) = tokio::join!(desk.broker.orders_since(since), desk.broker.open_orders());
    let (mut all, open) = (all?, open?);
    for order in open {
        if !all.iter().any(|known| known.broker_id == order.broker_id) {
            all.push(order);
        }
    }
    Ok(all)
}

/// Cancels open orders of ours that an earlier run left, and waits until they are seen to end:
/// nothing of ours works when a run decides. True when there were any, so that everything has to
/// be looked at again.
///
/// # Errors
/// [`BrokerError`] when the orders cannot be read any more.
pub async fn sweep(desk: &Desk<'_>, sight: &Sight) -> Result<bool, BrokerError> {
    let Ok(orders) = &sight.orders else { return Ok(false) }; // observing says why
    let open = open_of_ours(orders);
    let found = !open.is_empty();
    withdraw_these(desk, open).await?;
    Ok(found)
}

fn past(history: &history::History, orders: &[Order]) -> Past {
    let Some(kept) = &history.last else {
        let ours = orders.iter().any(Order::is_ours);
        let ours = ours && !is_planted(Mutant::LostIsFirst);
        return if ours || history.planned { Past::Lost } else { Past::First };
    };
    let Some(ledger) = kept.body.ledger.clone() else { return Past::Lost };
    let outcomes = || history.today.iter().flat_map(|kept| kept.body.execution.outcomes());
    let equity: Vec<EquityPoint> = kept.body.equity_curve.clone();
    let attempts: usize = outcomes().map(|outcome| outcome.attempts.len()).sum();
    Past::Known(Box::new(Known {
        ledger,
        equity,
        books: kept.body.books.clone(),
        transfers: kept.body.transfers.clone(),
        orders_today: u32::try_from(attempts).unwrap_or(u32::MAX),
        turnover_today: outcomes().map(OrderOutcome::value).sum(),
        instructions: history.instructions.clone(),
    }))
}

fn back(moment: Timestamp, days: i64) -> Timestamp {
    moment.saturating_sub((days * 24).hours()).unwrap_or(Timestamp::MIN)
}

//! Dealing: the orders of one phase, in rounds of pricing, sending, waiting and reading.

mod adopting;
mod drafting;
mod permitting;
mod posting;
mod refusals;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{Timestamp, ToSpan};
use tokio::join;
use tracing::{error, info, warn};

use crate::application::control::{Permission, Working, permission};
use crate::application::desk::{News, Watch, settled};
use crate::application::floor::{Floor, Sent};
use crate::application::journal::JournalError;
use crate::application::order_life::OrderLife;
use crate::application::ports::BrokerError;
use crate::application::steps::{Concern, Step, Until};
use crate::application::stop::Stop;
use crate::application::trouble;
use crate::domain::attempts::Attempts;
use crate::domain::execution::OrderOutcome;
use crate::domain::incident::Incident;
use crate::domain::money::{Shares, Usd};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::{ClientOrderId, Order, OrderRequest, Side};
use crate::domain::plan::BuyPlan;
use crate::domain::report::LimitUse;
use crate::domain::risk::usage::writes_max;
use crate::domain::risk::{ApprovedPlan, Usage};
use crate::domain::symbol::Symbol;

/// Requests under way at once; more would only queue at the broker.
const TOGETHER: usize = 8;
/// Orders read from a little before the plan: the broker's clock is not ours.
const READ_BEFORE_PLAN_MINUTES: i64 = 10;

/// The orders of a run, phase by phase, and what they used up.
pub(super) struct Dealing<'a> {
    plan: &'a ApprovedPlan,
    floor: &'a Floor<'a>,
    usage: Usage,
    /// When attempts were drafted within the last second.
    recent: Vec<Timestamp>,
    /// Hashes of the attempts' records that this invocation kept, by name.
    recorded: BTreeMap<String, String>,
    watch: Option<Watch>,
    /// When the operator was last asked, if that permitted orders.
    permitted_at: Option<Timestamp>,
    /// Cash that the broker showed together with the last look at the orders.
    cash: Option<Usd>,
    stopped: Option<Stopped>,
    /// Why nobody can say for the moment whether orders are permitted.
    away: Option<String>,
    /// When the operator was last asked.
    looked_at: Timestamp,
    /// Whether an order was left undone while nobody could say.
    left_over: bool,
    incidents: Vec<Incident>,
}

/// Why no more orders are sent, and what becomes of those at work.
struct Stopped {
    why: String,
    working: Working,
}

enum Ask {
    Submit(OrderRequest),
    Look(ClientOrderId),
    Cancel(String),
}

enum Answer {
    Submitted(Result<Order, BrokerError>),
    Looked(Result<Option<Order>, BrokerError>),
    Cancelled(Result<(), BrokerError>),
    Withheld(JournalError),
}

impl<'a> Dealing<'a> {
    pub(super) fn new(plan: &'a ApprovedPlan, floor: &'a Floor<'a>, watch: Option<Watch>) -> Self {
        Self {
            plan,
            floor,
            usage: Usage::default(),
            recent: Vec::new(),
            recorded: BTreeMap::new(),
            watch,
            permitted_at: floor.permitted_at,
            cash: None,
            stopped: None,
            away: None,
            looked_at: Timestamp::MIN,
            left_over: false,
            incidents: Vec::new(),
        }
    }

    /// Brings the orders of one phase to their end. A phase that ended before only settles.
    ///
    /// # Errors
    /// [`Stop`] when nobody can say what an earlier invocation sent.
    pub(super) async fn phase(
        &mut self,
        side: Side,
        wanted: Vec<(Symbol, Shares)>,
        buy_plan: Option<&BuyPlan>,
        ended_before: bool,
    ) -> Result<Vec<OrderOutcome>, Stop> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let (desk, timing) = (self.floor.desk, &self.floor.desk.policy.timing);
        let order = |(symbol, shares)| OrderLife::new(Attempts::new(symbol, side, shares));
        let mut lives: Vec<OrderLife> = wanted.into_iter().map(order).collect();
        match &mut self.watch {
            Some(watch) => watch.begin(desk),
            None => self.watch = Some(Watch::open(desk).await),
        }
        let last = after(desk.clock.now(), timing.phase_seconds).min(self.floor.no_submit_after);
        let end = after(last, timing.settle_seconds)
            .max(after(desk.clock.now(), timing.settle_seconds))
            .min(self.floor.end);
        if self.floor.sent == Sent::Perhaps {
            self.adopt(&mut lives, end).await?;
        }
        let last = if ended_before { Timestamp::MIN } else { last };
        while desk.clock.now() < end {
            self.draft(&mut lives, buy_plan, self.until(last)).await;
            self.send(&mut lives, buy_plan, self.until(last)).await;
            self.seek(&mut lives, last).await?;
            let (now, until) = (desk.clock.now(), self.until(last));
            let next =
                lives.iter().map(|life| life.step(now, until)).filter_map(|step| match step {
                    Step::Over => None,
                    Step::Wait(until) => Some(until),
                    Step::Draft | Step::Send(_) | Step::Look(_) | Step::Cancel(_) => Some(end),
                });
            let Some(next) = next.min() else { break };
            let news = match &mut self.watch {
                Some(watch) => watch.wait(desk, next.min(end)).await,
                None => News::None,
            };
            let told = news == News::More && is_planted(Mutant::StreamIsTruth);
            if side == Side::Sell && (told || is_planted(Mutant::BuysAtOnce)) {
                break;
            }
            self.read(&mut lives, (side, news)).await;
        }
        self.seek(&mut lives, Timestamp::MIN).await?;
        Ok(lives.into_iter().map(|life| self.conclude(life)).collect())
    }

    /// Until when attempts begin and work, given the phase's own end and what stopped it.
    fn until(&self, last: Timestamp) -> Until {
        match self.stopped.as_ref().map(|stopped| stopped.working) {
            None => Until::both(last),
            Some(Working::Goes) => Until { begins: Timestamp::MIN, works: last },
            Some(Working::Ends) => Until::both(Timestamp::MIN),
        }
    }

    /// Sends what is to be sent, looked up or cancelled, a bounded number at a time.
    async fn send(&mut self, lives: &mut [OrderLife], buy_plan: Option<&BuyPlan>, until: Until) {
        let desk = self.floor.desk;
        let now = desk.clock.now();
        let mut asks: Vec<(usize, Ask)> = Vec::new();
        for (at, life) in lives.iter_mut().enumerate() {
            match life.step(now, until) {
                Step::Send(request) if now < until.begins => {
                    asks.push((at, Ask::Submit(request)));
                }
                Step::Send(_) => life.end("stopped before it was sent"),
                Step::Look(id) => asks.push((at, Ask::Look(id))),
                Step::Cancel(id) => asks.push((at, Ask::Cancel(id))),
                Step::Draft | Step::Wait(_) | Step::Over => {}
            }
        }
        while !asks.is_empty() {
            let rest = asks.split_off(TOGETHER.min(asks.len()));
            self.set_off(lives, &mut asks, until.begins).await;
            let sent = asks.len();
            let answers = join_all(asks.iter().map(|(_, ask)| self.ask(ask))).await;
            for ((at, _), answer) in asks.into_iter().zip(answers) {
                self.take(&mut lives[at], answer, buy_plan, until.begins).await;
            }
            if let Some(watch) = &mut self.watch {
                watch.reset(sent);
            }
            asks = rest;
        }
    }

    async fn ask(&self, ask: &Ask) -> Answer {
        let broker = self.floor.desk.broker;
        match ask {
            Ask::Submit(request) => self.post(request).await,
            Ask::Look(id) => Answer::Looked(broker.order(id).await),
            Ask::Cancel(id) => Answer::Cancelled(broker.cancel(id).await),
        }
    }

    async fn take(
        &mut self,
        life: &mut OrderLife,
        answer: Answer,
        buy_plan: Option<&BuyPlan>,
        last: Timestamp,
    ) {
        let now = self.floor.desk.clock.now();
        let concern = match answer {
            Answer::Submitted(answer) => self.submitted(life, answer),
            Answer::Withheld(error) => self.withheld(life, &error),
            Answer::Looked(found) => match life.looked(found, now) {
                (_, Some(request)) if now < last && self.sends_again() => {
                    self.send_again(life, &request).await
                }
                (concern, _) => concern,
            },
            Answer::Cancelled(answer) => {
                life.cancelling(&answer, now);
                Concern::None
            }
        };
        if let Concern::Fewer(shares) = concern {
            self.reduce(life, shares, buy_plan).await;
        } else {
            self.take_to_heart(life, concern).await;
        }
    }

    /// The same request under the same id, if the operator still permits it.
    async fn send_again(&mut self, life: &mut OrderLife, request: &OrderRequest) -> Concern {
        if !self.has_writes_left() {
            return Concern::None;
        }
        let desk = self.floor.desk;
        if !self.may_send().await {
            return Concern::None; // looked for again, and sent once that is permitted
        }
        life.sending(desk.clock.now());
        self.usage.writes += 1;
        let answer = desk.broker.submit(request).await;
        life.answered(answer, desk.clock.now())
    }

    /// Reads the orders' truth, the operator's word, and the cash when a sell may have just ended.
    async fn read(&mut self, lives: &mut [OrderLife], (side, news): (Side, News)) {
        let now = self.floor.desk.clock.now();
        let cash = async {
            match (side, news) {
                (Side::Sell, News::More) => self.floor.desk.broker.account().await.ok(),
                (Side::Sell, News::None | News::Some) | (Side::Buy, _) => None,
            }
        };
        let (orders, account, permitted) = join!(self.orders(), cash, self.word(now));
        self.heed(permitted, now);
        self.cash = account.map(|account| account.cash);
        let orders = match orders {
            Ok(orders) => orders,
            // The next look tries again, up to the phase's end.
            Err(error) => return warn!(%error, "orders not readable for now"),
        };
        for order in orders {
            for life in lives.iter_mut().filter(|life| *life.attempts.symbol() == order.symbol) {
                let concern = life.seen(&order, now);
                self.concern(concern);
            }
        }
    }

    /// Cash to buy with: that seen with the last look, if it is what the sells must have left.
    pub(super) async fn cash(&self, expected: Usd) -> Result<Usd, BrokerError> {
        match self.cash.and_then(|shown| settled(shown, expected)) {
            Some(cash) => Ok(cash),
            None => self.floor.desk.cash(expected).await,
        }
    }

    /// Asks the operator ahead of a round that begins at once.
    pub(super) async fn ask_permission(&mut self) {
        let asked_at = self.floor.desk.clock.now();
        let permitted = permission(self.floor.store, self.floor.journal.key(), asked_at).await;
        // Without it the round asks, and stops.
        self.permitted_at = (permitted == Permission::Given).then_some(asked_at);
    }

    async fn orders(&self) -> Result<Vec<Order>, BrokerError> {
        let drafted = self.plan.plan().drafted_at;
        let since = drafted.saturating_sub(READ_BEFORE_PLAN_MINUTES.minutes()).unwrap_or(drafted);
        self.floor.desk.broker.orders_since(since).await
    }

    fn concern(&mut self, concern: Concern) {
        match concern {
            Concern::None | Concern::Fewer(_) => {}
            Concern::Refused => {
                self.usage.rejections += 1;
                if self.usage.rejections >= self.floor.desk.policy.limits.rejections_max {
                    self.stop(trouble::many_rejections(self.usage.rejections));
                }
            }
            Concern::Stop(code, what) => self.stop(trouble::locked(code, what)),
        }
    }

    fn conclude(&mut self, mut life: OrderLife) -> OrderOutcome {
        let no_time = || "no time left for another attempt".to_owned();
        let why = self.stopped.as_ref().map(|stopped| &stopped.why).or(self.away.as_ref());
        let why = why.cloned().unwrap_or_else(no_time);
        let unknown = life.give_up(&why, self.floor.desk.clock.now());
        let outcome = life.outcome();
        let OrderOutcome { symbol, side, planned, shortfall, .. } = &outcome;
        let (filled, attempts) = (outcome.filled(), outcome.attempts.len());
        match shortfall {
            None => info!(%symbol, %side, %planned, %filled, attempts, "order filled"),
            Some(rest) if outcome.is_filled() => {
                info!(%symbol, %side, %planned, %filled, attempts, %rest, "order filled");
            }
            Some(why) => {
                error!(%symbol, %side, %planned, %filled, attempts, %why, "order not filled");
                self.left_over |= self.away.is_some();
                self.incidents.push(trouble::not_filled(&outcome, why));
            }
        }
        if unknown {
            self.usage.unknowns += 1;
            let incident = trouble::unknown_order(&outcome);
            if outcome.side == Side::Sell {
                self.floor.alarm.raise(&incident); // after the buys the run's mail says it at once
            }
            self.incidents.push(incident);
            if self.usage.unknowns >= self.floor.desk.policy.limits.unknowns_max {
                let why = "too many unknown orders".to_owned();
                self.stopped.get_or_insert(Stopped { why, working: Working::Ends });
            }
        }
        outcome
    }

    /// No more orders, and none at work.
    pub(super) fn stop(&mut self, incident: Incident) {
        self.stop_with(incident, Working::Ends);
    }

    /// No more orders; said once, however often the reason is met again. The strictest reason
    /// decides what becomes of orders at work.
    fn stop_with(&mut self, incident: Incident, working: Working) {
        let why = incident.what.clone();
        let stopped = self.stopped.get_or_insert(Stopped { why, working });
        if working == Working::Ends {
            stopped.working = working;
        }
        let same = |known: &Incident| known.code == incident.code && known.what == incident.what;
        if !self.incidents.iter().any(same) {
            error!(code = %incident.code, what = %incident.what, "no more orders");
            self.floor.alarm.raise(&incident);
            self.incidents.push(incident);
        }
    }

    pub(super) const fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Sends and cancels so far, and how many the run may have.
    fn writes(&self) -> (u32, u32) {
        (self.usage.writes, writes_max(self.plan.plan(), self.floor.desk.policy))
    }

    /// Closes the stream and hands over why dealing stopped, if it did, what went wrong, and the
    /// use of the limits on sending.
    pub(super) async fn close(self) -> (Option<String>, Vec<Incident>, Vec<LimitUse>) {
        let is_told = self.unfinished().is_some();
        let limits = self.usage.uses(self.plan.plan(), self.floor.desk.policy);
        let mut incidents = self.incidents;
        if let Some(why) = self.away.filter(|_| self.left_over && !is_told) {
            incidents.push(trouble::no_permission(why));
        }
        if let Some(mut watch) = self.watch {
            watch.close().await;
        }
        (self.stopped.map(|stopped| stopped.why), incidents, limits)
    }
}

fn after(moment: Timestamp, seconds: u32) -> Timestamp {
    moment.saturating_add(Duration::from_secs(u64::from(seconds))).unwrap_or(Timestamp::MAX)
}

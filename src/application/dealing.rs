//! Dealing: the orders of one phase, in rounds of pricing, sending, waiting and reading.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use tracing::{error, info, warn};

use crate::application::control::permission;
use crate::application::desk::Watch;
use crate::application::execute::{Floor, Sent};
use crate::application::journal::{AttemptRecord, attempt_name};
use crate::application::order_life::{OrderLife, Step};
use crate::application::ports::BrokerError;
use crate::application::sending::Concern;
use crate::application::stop::Stop;
use crate::application::trouble;
use crate::domain::attempts::Attempts;
use crate::domain::execution::OrderOutcome;
use crate::domain::incident::Incident;
use crate::domain::market::{Quote, UnusableQuote};
use crate::domain::money::Shares;
use crate::domain::order::{ClientOrderId, Order, OrderRequest, Side};
use crate::domain::plan::BuyPlan;
use crate::domain::pricing::{self, Reach};
use crate::domain::risk::{ApprovedPlan, Demand, Permit, Usage};
use crate::domain::symbol::Symbol;

/// Orders read from a little before the plan: the broker's clock is not ours.
const READ_BEFORE_PLAN_MINUTES: i64 = 10;

/// The orders of a run, phase by phase, and what they used up.
pub(super) struct Dealing<'a> {
    plan: &'a ApprovedPlan,
    pub(super) floor: &'a Floor<'a>,
    usage: Usage,
    /// When attempts were drafted within the last second.
    recent: Vec<Timestamp>,
    pub(super) watch: Option<Watch>,
    stopped: Option<String>,
    incidents: Vec<Incident>,
}

impl<'a> Dealing<'a> {
    pub(super) fn new(plan: &'a ApprovedPlan, floor: &'a Floor<'a>) -> Self {
        let usage = Usage::default();
        let recent = Vec::new();
        Self { plan, floor, usage, recent, watch: None, stopped: None, incidents: Vec::new() }
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
        while desk.clock.now() < end {
            let halted = ended_before || self.stopped.is_some();
            let last = if halted { Timestamp::MIN } else { last };
            self.draft(&mut lives, buy_plan, last).await;
            self.send(&mut lives, buy_plan, last).await;
            let now = desk.clock.now();
            let last = if self.stopped.is_some() { Timestamp::MIN } else { last };
            let next =
                lives.iter().map(|life| life.step(now, last)).filter_map(|step| match step {
                    Step::Over => None,
                    Step::Wait(until) => Some(until),
                    Step::Draft | Step::Send(_) | Step::Look(_) | Step::Cancel(_) => Some(end),
                });
            let Some(next) = next.min() else { break };
            if let Some(watch) = &mut self.watch {
                watch.wait(desk, next.min(end)).await;
            }
            self.read(&mut lives).await;
        }
        Ok(lives.into_iter().map(|life| self.conclude(life)).collect())
    }

    /// Prices and approves the next attempt of every order that needs one.
    async fn draft(
        &mut self,
        lives: &mut [OrderLife],
        buy_plan: Option<&BuyPlan>,
        last: Timestamp,
    ) {
        let desk = self.floor.desk;
        let now = desk.clock.now();
        let second = now.saturating_sub(Duration::from_secs(1)).unwrap_or(now);
        self.recent.retain(|sent| *sent > second);
        let most = u64::from(desk.policy.limits.submits_per_second_max);
        let room = usize::try_from(most).unwrap_or(usize::MAX).saturating_sub(self.recent.len());
        let mut waiting: Vec<&mut OrderLife> = lives
            .iter_mut()
            .filter(|life| matches!(life.step(now, last), Step::Draft))
            .take(room) // the others have their turn in a later round
            .collect();
        if waiting.is_empty() {
            return;
        }
        if let Err(why) = permission(self.floor.store, self.floor.journal.key()).await {
            return self.stop(trouble::halted(why));
        }
        let symbols: Vec<Symbol> = waiting.iter().map(|l| l.attempts.symbol().clone()).collect();
        let quotes = match desk.quotes_for_orders(&symbols, self.floor.observed).await {
            Ok(quotes) => quotes,
            Err(error) => return self.stop(trouble::broker(&error, "reading quotes for orders")),
        };
        let lasts = Duration::from_secs(u64::from(desk.policy.timing.attempt_seconds));
        for life in &mut waiting {
            let quote = quotes.get(life.attempts.symbol()).copied();
            let quote = quote.unwrap_or(Err(UnusableQuote::Missing));
            match self.request(life, quote, buy_plan).await {
                Ok((request, quote)) => {
                    self.usage.submits += 1;
                    self.recent.push(now);
                    life.draft(request, quote.mid(), (desk.clock.now(), lasts));
                }
                Err(why) => life.end(why),
            }
        }
    }

    /// The request of an order's next attempt, through price, record and gate.
    async fn request(
        &mut self,
        life: &OrderLife,
        quote: Result<Quote, UnusableQuote>,
        buy_plan: Option<&BuyPlan>,
    ) -> Result<(OrderRequest, Quote), String> {
        let (policy, attempts) = (self.floor.desk.policy, &life.attempts);
        let attempt = u8::try_from(attempts.list().len() + 1).unwrap_or(u8::MAX);
        if attempt > pricing::attempts(policy.urgency) {
            return Err(format!("not filled in {} attempts", attempt - 1));
        }
        let quote = quote.map_err(|unusable| format!("no price to trade on: {unusable}"))?;
        let mut shares = attempts.rest();
        if attempt > 1 {
            let evidence = attempts.list().iter().map(|a| (a.id.clone(), a.filled)).collect();
            let name = attempt_name(attempts.side(), attempts.symbol(), attempt);
            let record = AttemptRecord { shares, evidence };
            match self.floor.journal.keep(&name, Some(self.floor.plan_hash), &record).await {
                Ok(kept) => shares = kept.body.shares.min(shares),
                Err(failed) => {
                    self.stop(trouble::journal(&failed));
                    return Err(format!("attempt not recorded: {failed}"));
                }
            }
        }
        self.approved(life, (attempt, shares), &quote, buy_plan).map(|request| (request, quote))
    }

    pub(super) fn approved(
        &mut self,
        life: &OrderLife,
        (attempt, shares): (u8, Shares),
        quote: &Quote,
        buy_plan: Option<&BuyPlan>,
    ) -> Result<OrderRequest, String> {
        let (policy, attempts) = (self.floor.desk.policy, &life.attempts);
        let (symbol, side) = (attempts.symbol().clone(), attempts.side());
        let item = buy_plan.and_then(|plan| plan.items.iter().find(|item| item.symbol == symbol));
        let worst = item.map(|item| item.worst_limit);
        let reach = Reach { collar: policy.limits.collar, worst };
        let limit = pricing::limit(side, attempt, policy.urgency, quote, reach)
            .ok_or("no limit price within the collar")?;
        let demand = Demand { symbol, side, attempt, shares, limit };
        let now = self.floor.desk.clock.now();
        let submits_last_second = u32::try_from(self.recent.len()).unwrap_or(u32::MAX);
        let usage = Usage { filled: attempts.filled(), submits_last_second, ..self.usage };
        let permit = Permit { buy_plan, quote, now, policy, usage };
        self.plan.request(&demand, &permit).map_err(|refusal| {
            self.incidents.push(trouble::gate(&demand, &refusal));
            refusal.to_string()
        })
    }

    /// Reads the orders' truth.
    async fn read(&mut self, lives: &mut [OrderLife]) {
        let now = self.floor.desk.clock.now();
        let orders = match self.orders().await {
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

    /// Takes up what an earlier invocation sent, once the broker says what that is.
    async fn adopt(&mut self, lives: &mut [OrderLife], end: Timestamp) -> Result<(), Stop> {
        let desk = self.floor.desk;
        let lasts = Duration::from_secs(u64::from(desk.policy.timing.attempt_seconds));
        let orders = loop {
            match self.orders().await {
                Ok(orders) => break orders,
                Err(error) if desk.clock.now() >= end => {
                    return Err(Stop::broker(&error, "reading the orders of this run"));
                }
                Err(error) => warn!(%error, "orders not readable for now"),
            }
            if let Some(watch) = &mut self.watch {
                watch.wait(desk, end).await;
            }
        };
        for life in lives {
            for attempt in 1..=pricing::attempts(desk.policy.urgency) {
                let (symbol, side) = (life.attempts.symbol(), life.attempts.side());
                let id = ClientOrderId::of(self.floor.journal.key(), symbol, side, attempt);
                let Some(order) = orders.iter().find(|o| o.client_id == id.as_str()) else { break };
                self.usage.submits += 1;
                let concern = life.adopt(id, order, (desk.clock.now(), lasts));
                self.concern(concern);
            }
        }
        Ok(())
    }

    async fn orders(&self) -> Result<Vec<Order>, BrokerError> {
        let drafted = self.plan.plan().drafted_at;
        let since = drafted.saturating_sub(READ_BEFORE_PLAN_MINUTES.minutes()).unwrap_or(drafted);
        self.floor.desk.broker.orders_since(since).await
    }

    pub(super) fn concern(&mut self, concern: Concern) {
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
        let why = self.stopped.clone().unwrap_or_else(no_time);
        let unknown = life.give_up(&why, self.floor.desk.clock.now());
        let outcome = life.outcome();
        let OrderOutcome { symbol, side, planned, shortfall, .. } = &outcome;
        let (filled, attempts) = (outcome.filled(), outcome.attempts.len());
        match shortfall {
            None => info!(%symbol, %side, %planned, %filled, attempts, "order filled"),
            Some(why) => {
                error!(%symbol, %side, %planned, %filled, attempts, %why, "order not filled");
                self.incidents.push(trouble::not_filled(&outcome, why));
            }
        }
        if unknown {
            self.usage.unknowns += 1;
            self.incidents.push(trouble::unknown_order(&outcome));
            if self.usage.unknowns >= self.floor.desk.policy.limits.unknowns_max {
                self.stopped.get_or_insert_with(|| "too many unknown orders".to_owned());
            }
        }
        outcome
    }

    /// No more orders; said once, however often the reason is met again.
    pub(super) fn stop(&mut self, incident: Incident) {
        self.stopped.get_or_insert_with(|| incident.what.clone());
        let same = |known: &Incident| known.code == incident.code && known.what == incident.what;
        if !self.incidents.iter().any(same) {
            error!(code = %incident.code, what = %incident.what, "no more orders");
            self.incidents.push(incident);
        }
    }

    pub(super) fn too_late(&mut self) {
        self.stop(trouble::too_late());
    }

    pub(super) const fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Closes the stream and hands over why dealing stopped, if it did, and what went wrong.
    pub(super) async fn close(self) -> (Option<String>, Vec<Incident>) {
        if let Some(mut watch) = self.watch {
            watch.close().await;
        }
        (self.stopped, self.incidents)
    }
}

fn after(moment: Timestamp, seconds: u32) -> Timestamp {
    moment.saturating_add(Duration::from_secs(u64::from(seconds))).unwrap_or(Timestamp::MAX)
}

//! Drafting: how an order's next attempt gets its price, its record and the gate's approval.
//!
//! Nothing is sent here but the same id with fewer shares, which the broker asked for.

use std::time::Duration;

use tokio::join;

use crate::application::dealing::Dealing;
use crate::application::floor::Floor;
use crate::application::journal::{AttemptRecord, JournalError, attempt_name};
use crate::application::order_life::OrderLife;
use crate::application::steps::{Step, Until};
use crate::application::trouble;
use crate::domain::execution::{BROKER_MIN, TOO_LITTLE};
use crate::domain::market::{Quote, UnusableQuote};
use crate::domain::money::Shares;
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::{OrderRequest, Side};
use crate::domain::plan::BuyPlan;
use crate::domain::pricing::{self, Reach};
use crate::domain::risk::{Demand, Permit, Usage};
use crate::domain::symbol::Symbol;

impl Dealing<'_> {
    /// Prices and approves the next attempt of every order that needs one.
    pub(super) async fn draft(
        &mut self,
        lives: &mut [OrderLife],
        buy_plan: Option<&BuyPlan>,
        until: Until,
    ) {
        let desk = self.floor.desk;
        let now = desk.clock.now();
        let second = now.saturating_sub(Duration::from_secs(1)).unwrap_or(now);
        self.recent.retain(|sent| *sent > second);
        let most = u64::from(desk.policy.limits.submits_per_second_max);
        let room = usize::try_from(most).unwrap_or(usize::MAX).saturating_sub(self.recent.len());
        let mut waiting: Vec<&mut OrderLife> = lives
            .iter_mut()
            .filter(|life| matches!(life.step(now, until), Step::Draft))
            .take(room) // the others have their turn in a later round
            .collect();
        if waiting.is_empty() {
            return;
        }
        let symbols: Vec<Symbol> = waiting.iter().map(|l| l.attempts.symbol().clone()).collect();
        let observed = self.floor.observed;
        let (permitted, quotes) =
            join!(self.may_send(), desk.quotes_for_orders(&symbols, observed));
        if !permitted {
            return;
        }
        let quotes = match quotes {
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
        if attempt > 1 && !is_planted(Mutant::AttemptNotKept) {
            let evidence = attempts.list().iter().map(|a| (a.id.clone(), a.filled)).collect();
            let record = AttemptRecord { shares, evidence };
            match self.keep_attempt((attempts.side(), attempts.symbol()), attempt, &record).await {
                Ok(kept) => shares = kept.shares.min(shares),
                Err(failed) => {
                    self.stop(trouble::journal(&failed));
                    return Err(format!("attempt not recorded: {failed}"));
                }
            }
        }
        self.approved(life, (attempt, shares), &quote, buy_plan).map(|request| (request, quote))
    }

    /// Keeps the record of an attempt, after that of the attempt before it.
    async fn keep_attempt(
        &mut self,
        (side, symbol): (Side, &Symbol),
        attempt: u8,
        record: &AttemptRecord,
    ) -> Result<AttemptRecord, JournalError> {
        let Floor { journal, plan_hash, .. } = *self.floor;
        let before = self.recorded.get(&attempt_name(side, symbol, attempt - 1));
        let parent = match before {
            Some(hash) => hash.clone(),
            None => journal.parent_of_attempt((side, symbol), attempt, plan_hash).await?,
        };
        let name = attempt_name(side, symbol, attempt);
        let kept = journal.keep_after(&parent, &name, record).await?;
        self.recorded.insert(name, kept.hash);
        Ok(kept.body)
    }

    /// Looks at the records of the attempts that an earlier invocation sent. One that cannot be
    /// trusted stops every further order; what was sent is carried to its end all the same.
    pub(super) async fn look_at_attempts(&mut self, life: &OrderLife) -> Result<(), JournalError> {
        let (attempts, journal) = (&life.attempts, self.floor.journal);
        let Ok(sent @ 2..) = u8::try_from(attempts.list().len()) else { return Ok(()) };
        let order = (attempts.side(), attempts.symbol());
        match journal.parent_of_attempt(order, sent + 1, self.floor.plan_hash).await {
            Ok(hash) => drop(self.recorded.insert(attempt_name(order.0, order.1, sent), hash)),
            Err(error @ JournalError::Store(_)) => return Err(error),
            Err(broken) => self.stop(trouble::journal(&broken)),
        }
        Ok(())
    }

    fn approved(
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
        let begun = !attempts.filled().is_zero();
        if side == Side::Buy && begun && shares * limit < BROKER_MIN {
            return Err(format!("the rest is {TOO_LITTLE}")); // no rule was broken: it is done
        }
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

    /// The broker would take fewer shares: the same id goes out again with those.
    pub(super) async fn reduce(
        &mut self,
        life: &mut OrderLife,
        shares: Shares,
        buy_plan: Option<&BuyPlan>,
    ) {
        let desk = self.floor.desk;
        let symbol = life.attempts.symbol().clone();
        let attempt = u8::try_from(life.attempts.list().len()).unwrap_or(u8::MAX);
        let request = match desk.quotes(std::slice::from_ref(&symbol)).await {
            Ok(_) if !self.sends_again() => Err("nothing is sent twice".to_owned()),
            Ok(quotes) => match quotes.get(&symbol) {
                Some(Ok(quote)) => self.approved(life, (attempt, shares), quote, buy_plan),
                Some(Err(unusable)) => Err(unusable.to_string()),
                None => Err(UnusableQuote::Missing.to_string()),
            },
            Err(error) => Err(error.to_string()),
        };
        match request {
            Ok(request) => {
                life.reduce(request.clone());
                self.usage.writes += 1;
                let answer = desk.broker.submit(&request).await;
                let concern = life.answered(answer, desk.clock.now());
                self.take_to_heart(life, concern).await;
            }
            Err(why) => life
                .refuse(format!("the broker takes only {shares} shares: {why}"), desk.clock.now()),
        }
    }
}

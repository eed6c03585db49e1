//! The life of an order after it was taken in, and the exchange's day.

use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::domain::order::Side;
use crate::domain::symbol::Symbol;
use crate::simulator::exchange::{
    Entry, Exchange, Execution, Fill, NewOrder, Order, OrderTrouble, Refusal, Status, TimeInForce,
    Update,
};
use crate::simulator::market::{Intraday, Market, Touch};

/// A limit inside the spread is looked at for at most this long before the price is looked at anew.
const INSIDE_SECONDS_MAX: f64 = 100_000.0;
const GTC_DAYS: i64 = 90;

/// What will happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// An order queued while the exchange was closed goes to the market.
    Release(usize),
    /// The market acknowledges an order.
    Acknowledge(usize),
    /// An order is compared with the market; `drawn` when its turn inside the spread has come.
    Match { at: usize, epoch: u32, drawn: bool },
    /// An order is executed whatever the quote.
    Force(usize),
    /// A cancellation takes effect.
    Cancel(usize),
    /// An order's time is over.
    Expire(usize),
    /// A session opens.
    Open(Date),
    /// A session closes.
    Close(Date),
}

/// How an order stands to the market.
enum Reach {
    /// Executable at this price.
    Touch(Decimal),
    /// Inside the spread, at its own limit.
    Inside(Decimal),
    /// Neither.
    Away,
}

impl Exchange {
    /// Takes an order in, or refuses it without a trace.
    ///
    /// # Errors
    /// [`Refusal`] in the broker's words.
    pub fn submit(
        &mut self,
        asked: NewOrder,
        trouble: Option<OrderTrouble>,
        now: Timestamp,
        market: &Market,
    ) -> Result<usize, Refusal> {
        let (asked, intent) = self.admit(asked, now, market)?;
        let session = market.days.closing_after(now);
        let open = session.is_some_and(|session| session.is_open_at(now));
        let close = session.map_or(now, |session| session.close);
        let expires_at = match asked.time_in_force {
            TimeInForce::Gtc => now + SignedDuration::from_hours(24 * GTC_DAYS),
            TimeInForce::Opg => {
                let next = if open { market.days.opening_after(now) } else { session };
                next.map_or(now, |session| session.open + SignedDuration::from_secs(60))
            }
            TimeInForce::Day | TimeInForce::Cls | TimeInForce::Ioc | TimeInForce::Fok => close,
        };
        let client_id = asked.client_id.clone().unwrap_or_else(|| self.random.uuid());
        let hidden_lookups = match trouble {
            Some(OrderTrouble::Hidden { lookups }) => lookups,
            _ => 0,
        };
        let order = Order {
            id: self.random.uuid(),
            client_id,
            asset_id: self.assets.get(&asked.symbol).map_or(String::new(), |a| a.id.clone()),
            asked,
            intent,
            status: if open { Status::PendingNew } else { Status::Accepted },
            filled: Decimal::ZERO,
            value: Decimal::ZERO,
            created_at: now,
            updated_at: now,
            submitted_at: now,
            expires_at,
            filled_at: None,
            canceled_at: None,
            cancel_requested_at: None,
            expired_at: None,
            failed_at: None,
            trouble,
            hidden_lookups,
            epoch: 0,
            triggered: false,
        };
        let at = self.take_in(order);
        self.later(expires_at, Event::Expire(at));
        if open {
            self.announce(at, "pending_new", now);
            self.later(now + signed(self.rules.acknowledge), Event::Acknowledge(at));
        } else {
            self.announce(at, "accepted", now);
            if let Some(session) = session {
                let wait = self.release_wait(at);
                self.later(session.open + wait, Event::Release(at));
            }
        }
        Ok(at)
    }

    /// Asks for an order's cancellation; it takes effect later, and an execution may come first.
    ///
    /// # Errors
    /// [`Refusal`] when the order is finished.
    pub fn cancel(&mut self, at: usize, now: Timestamp, market: &Market) -> Result<(), Refusal> {
        let open = market.days.open_at(now).is_some();
        let wait = signed(self.rules.cancel);
        let Some(order) = self.orders.get_mut(at) else {
            return Err(Refusal::not_found("order not found"));
        };
        match order.status {
            Status::PendingCancel => return Ok(()),
            Status::Canceled if !open => return Ok(()), // seen on paper while the exchange is closed
            Status::Canceled | Status::Filled | Status::Expired | Status::Rejected => {
                let words = format!("order is already in \"{}\" state", order.status.as_str());
                return Err(Refusal::unprocessable(words));
            }
            Status::Accepted | Status::PendingNew | Status::New | Status::PartiallyFilled => {}
        }
        order.cancel_requested_at = Some(now);
        if order.status == Status::Accepted {
            self.finish(at, Status::Canceled, now);
            return Ok(());
        }
        order.status = Status::PendingCancel;
        order.updated_at = now;
        let trouble = order.trouble;
        self.announce(at, "pending_cancel", now);
        if trouble == Some(OrderTrouble::FilledOnCancel) {
            self.later(now + wait / 2, Event::Force(at));
        }
        if trouble != Some(OrderTrouble::CancelStuck) {
            self.later(now + wait, Event::Cancel(at));
        }
        Ok(())
    }

    /// The moment of the next event.
    pub fn next_event(&self) -> Option<Timestamp> {
        self.events.keys().next().map(|(at, _)| *at)
    }

    /// Works off every event up to and including a moment, in order.
    pub fn advance(&mut self, until: Timestamp, market: &Market) {
        while let Some((&(at, _), _)) = self.events.first_key_value() {
            if at > until {
                break;
            }
            if let Some((_, event)) = self.events.pop_first() {
                self.happen(event, at, market);
            }
        }
    }

    /// Compares a symbol's working orders with a price that has changed.
    pub fn reprice(&mut self, symbol: &Symbol, now: Timestamp) {
        let working: Vec<usize> = self.open.iter().copied().collect();
        for at in working {
            if self.orders.get(at).is_some_and(|order| order.symbol() == symbol) {
                self.match_later(at, now);
            }
        }
    }

    /// Plans the session that goes on, or the next one.
    pub(super) fn plan_session(&mut self, now: Timestamp, market: &Market) {
        let Some(session) = market.days.closing_after(now).copied() else { return };
        if session.open > now {
            self.later(session.open, Event::Open(session.date));
        }
        self.later(session.close, Event::Close(session.date));
    }

    fn happen(&mut self, event: Event, now: Timestamp, market: &Market) {
        match event {
            Event::Open(_) => {
                let open: Vec<usize> = self.open.iter().copied().collect();
                for at in open {
                    self.match_later(at, now);
                }
            }
            Event::Close(day) => {
                let equity = self.money(&self.book, now, market).equity;
                self.closes.push((day, equity));
                self.plan_session(now, market);
            }
            Event::Release(at) => self.release(at, now),
            Event::Acknowledge(at) => self.acknowledge(at, now),
            Event::Match { at, epoch, drawn } => {
                if self.orders.get(at).is_some_and(|order| order.epoch == epoch) {
                    self.compare(at, drawn, now, market);
                }
            }
            Event::Force(at) => {
                if let Some(order) = self.working(at) {
                    let limit = order.asked.kind.limit();
                    let price = limit.or_else(|| market.mark(order.symbol(), now));
                    if let Some(price) = price {
                        self.execute(at, price, Decimal::ONE, now);
                    }
                }
            }
            Event::Cancel(at) => {
                if self.working(at).is_some() {
                    self.finish(at, Status::Canceled, now);
                }
            }
            Event::Expire(at) => self.expire(at, now, market),
        }
    }

    fn release(&mut self, at: usize, now: Timestamp) {
        let wait = signed(self.rules.acknowledge);
        let Some(order) = self.orders.get_mut(at) else { return };
        if order.status == Status::Accepted {
            order.status = Status::PendingNew;
            order.submitted_at = now;
            order.updated_at = now;
            self.announce(at, "pending_new", now);
            self.later(now + wait, Event::Acknowledge(at));
        }
    }

    fn acknowledge(&mut self, at: usize, now: Timestamp) {
        let Some(order) = self.orders.get_mut(at) else { return };
        match (order.status, order.trouble) {
            (_, Some(OrderTrouble::Frozen)) => {}
            (Status::PendingNew, Some(OrderTrouble::RejectedLater)) => {
                self.finish(at, Status::Rejected, now);
            }
            (Status::PendingNew, _) => {
                order.status = Status::New;
                order.updated_at = now;
                self.announce(at, "new", now);
                self.match_later(at, now);
            }
            (_, _) => {}
        }
    }

    fn match_later(&mut self, at: usize, now: Timestamp) {
        let delay = self.rules.fills.delay.mul_f64(0.67 + 0.66 * self.random.unit());
        let Some(order) = self.orders.get_mut(at) else { return };
        if !matches!(order.status, Status::New | Status::PartiallyFilled | Status::PendingCancel) {
            return;
        }
        order.epoch += 1;
        let epoch = order.epoch;
        self.later(now + signed(delay), Event::Match { at, epoch, drawn: false });
    }

    fn compare(&mut self, at: usize, drawn: bool, now: Timestamp, market: &Market) {
        let Some(order) = self.working(at) else { return };
        let never = matches!(
            order.trouble,
            Some(OrderTrouble::NeverFilled | OrderTrouble::Frozen | OrderTrouble::FilledOnCancel)
        );
        let (tif, epoch) = (order.asked.time_in_force, order.epoch);
        let halted = market.is_halted(order.symbol());
        let auction = matches!(tif, TimeInForce::Opg | TimeInForce::Cls);
        if never || halted || auction || market.days.open_at(now).is_none() {
            return;
        }
        let touch = market.touch(order.symbol(), now);
        let reach = touch.map_or(Reach::Away, |touch| reach(order, touch));
        let set_off = market.mark(order.symbol(), now).is_some_and(|price| sets_off(order, price));
        if let Some(order) = self.orders.get_mut(at) {
            order.triggered |= set_off;
        }
        match reach {
            Reach::Touch(price) => self.execute_some(at, price, now),
            Reach::Inside(price) if drawn => self.execute_some(at, price, now),
            Reach::Inside(_) | Reach::Away => {
                if matches!(tif, TimeInForce::Ioc | TimeInForce::Fok) {
                    self.finish(at, Status::Canceled, now);
                    return;
                }
                if let (Reach::Inside(_), Some(wait)) = (&reach, self.draw_inside()) {
                    self.later(now + wait, Event::Match { at, epoch, drawn: true });
                }
                if market.intraday == Intraday::Drift {
                    let next_minute = SignedDuration::from_secs(60 - now.as_second() % 60);
                    self.later(now + next_minute, Event::Match { at, epoch, drawn: false });
                }
            }
        }
    }

    /// Seconds until somebody meets a limit inside the spread; `None` for never.
    fn draw_inside(&mut self) -> Option<SignedDuration> {
        let chance = self.rules.fills.inside_spread;
        if chance <= 0.0 {
            return None;
        }
        let seconds = if chance >= 1.0 {
            1.0
        } else {
            ((1.0 - self.random.unit()).ln() / (1.0 - chance).ln()).ceil().max(1.0)
        };
        SignedDuration::try_from_secs_f64(seconds.min(INSIDE_SECONDS_MAX)).ok()
    }

    fn execute_some(&mut self, at: usize, price: Decimal, now: Timestamp) {
        let partial = self.random.chance(self.rules.fills.partial);
        let percent = 30 + i64::try_from(self.random.bits() % 41).unwrap_or_default();
        let share = Decimal::new(percent, 2);
        let Some(order) = self.orders.get_mut(at) else { return };
        let part = match order.trouble {
            Some(OrderTrouble::PartialThenStop { part }) => {
                order.trouble = Some(OrderTrouble::NeverFilled);
                part
            }
            _ if partial && order.asked.time_in_force != TimeInForce::Fok => share,
            _ => Decimal::ONE,
        };
        self.execute(at, price, part, now);
        if self.working(at).is_some() {
            self.match_later(at, now);
        }
    }

    /// Books the execution of a part of what is left of an order.
    fn execute(&mut self, at: usize, price: Decimal, part: Decimal, now: Timestamp) {
        let Some(order) = self.orders.get_mut(at) else { return };
        let left = order.remaining(price);
        let whole = order.qty().is_some_and(|qty| qty.fract().is_zero());
        let decimals = if whole { 0 } else { 9 };
        let some = (left * part).trunc_with_scale(decimals).normalize();
        let qty = if some.is_zero() || some > left { left } else { some };
        if qty <= Decimal::ZERO {
            self.finish(at, Status::Filled, now);
            return;
        }
        order.filled = (order.filled + qty).normalize();
        order.value += qty * price;
        let done = qty == left;
        order.status = match (done, order.status) {
            (true, _) => Status::Filled,
            (false, Status::PendingCancel) => Status::PendingCancel,
            (false, _) => Status::PartiallyFilled,
        };
        (order.filled_at, order.updated_at) = (Some(now), now);
        let (id, symbol, side) = (order.id.clone(), order.symbol().clone(), order.asked.side);
        let (cumulative, leaves) = (order.filled, (left - qty).normalize());
        self.book.trade(&symbol, side, qty, price);
        self.remember(now);
        let position = self.book.qty(&symbol);
        let fill = Fill { order_id: id, symbol, side, qty, cumulative, leaves, price };
        self.record(now, Entry::Fill(fill));
        if done {
            self.open.remove(&at);
        }
        let execution = Execution { id: self.random.uuid(), price, qty, position };
        let event = if done { "fill" } else { "partial_fill" };
        if let Some(order) = self.orders.get(at).cloned() {
            self.updates.push(Update { at: now, event, execution: Some(execution), order });
        }
    }

    /// Executes all that is left of an order at a price.
    pub(super) fn execute_whole(&mut self, at: usize, price: Decimal, now: Timestamp) {
        self.execute(at, price, Decimal::ONE, now);
    }

    fn expire(&mut self, at: usize, now: Timestamp, market: &Market) {
        let Some(order) = self.orders.get(at).filter(|order| order.status.is_open()) else {
            return;
        };
        let auction = order.asked.time_in_force == TimeInForce::Cls;
        match market.mark(order.symbol(), now).filter(|_| auction) {
            Some(price) => self.execute(at, price, Decimal::ONE, now),
            None => self.finish(at, Status::Expired, now),
        }
    }

    /// Puts an order to a final status without an execution.
    pub(super) fn finish(&mut self, at: usize, status: Status, now: Timestamp) {
        let Some(order) = self.orders.get_mut(at) else { return };
        order.status = status;
        order.updated_at = now;
        let event = match status {
            Status::Canceled => {
                order.canceled_at = Some(now);
                "canceled"
            }
            Status::Expired => {
                order.expired_at = Some(now);
                "expired"
            }
            Status::Rejected => {
                order.failed_at = Some(now);
                "rejected"
            }
            Status::Filled => "fill",
            Status::Accepted
            | Status::PendingNew
            | Status::New
            | Status::PartiallyFilled
            | Status::PendingCancel => "restated",
        };
        if !status.is_open() {
            self.open.remove(&at);
        }
        self.announce(at, event, now);
    }

    pub(super) fn take_in(&mut self, order: Order) -> usize {
        let at = self.orders.len();
        self.by_id.insert(order.id.clone(), at);
        self.by_client_id.insert(order.client_id.clone(), at);
        self.orders.push(order);
        self.open.insert(at);
        at
    }

    fn announce(&mut self, at: usize, event: &'static str, now: Timestamp) {
        if let Some(order) = self.orders.get(at).cloned() {
            self.updates.push(Update { at: now, event, execution: None, order });
        }
    }

    fn working(&self, at: usize) -> Option<&Order> {
        self.orders.get(at).filter(|order| order.status.is_open())
    }

    /// Queued fractions trade a moment after the open, whole shares up to two minutes later, as
    /// was measured on the broker's paper venue in October 2026.
    fn release_wait(&mut self, at: usize) -> SignedDuration {
        let spread = 17 + i64::try_from(self.random.bits() % 102).unwrap_or_default();
        let fractional = self.orders.get(at).is_some_and(Order::is_fractional);
        if fractional {
            SignedDuration::from_millis(1_500)
        } else {
            SignedDuration::from_secs(spread)
        }
    }
}

fn reach(order: &Order, touch: Touch) -> Reach {
    let (near, far) = match order.asked.side {
        Side::Buy => (touch.bid, touch.ask),
        Side::Sell => (touch.ask, touch.bid),
    };
    let Some(far) = far else { return Reach::Away };
    let waits = order.asked.kind.stop().is_some() && !order.triggered && !sets_off(order, far);
    if waits {
        return Reach::Away;
    }
    let Some(limit) = order.asked.kind.limit() else { return Reach::Touch(far) };
    let (meets, betters) = match order.asked.side {
        Side::Buy => (limit >= far, near.is_some_and(|bid| limit > bid)),
        Side::Sell => (limit <= far, near.is_some_and(|ask| limit < ask)),
    };
    match (meets, betters) {
        (true, _) => Reach::Touch(far),
        (false, true) => Reach::Inside(limit),
        (false, false) => Reach::Away,
    }
}

/// True when a price sets off the order's stop.
fn sets_off(order: &Order, price: Decimal) -> bool {
    order.asked.kind.stop().is_some_and(|stop| match order.asked.side {
        Side::Buy => price >= stop,
        Side::Sell => price <= stop,
    })
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

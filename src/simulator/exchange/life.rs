//! The life of an order after it was taken in, and the exchange's day.

use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::domain::symbol::Symbol;
use crate::simulator::exchange::{
    Exchange, NewOrder, Order, OrderTrouble, Refusal, Status, TimeInForce, Update,
};
use crate::simulator::market::Market;

/// How long an order good till cancelled stands.
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

    pub(super) fn announce(&mut self, at: usize, event: &'static str, now: Timestamp) {
        if let Some(order) = self.orders.get(at).cloned() {
            self.updates.push(Update { at: now, event, execution: None, order });
        }
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

pub(super) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

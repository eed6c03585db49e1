//! How orders meet the market: what is executed, at which price, how much and when.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use crate::domain::order::Side;
use crate::simulator::exchange::life::{Event, signed};
use crate::simulator::exchange::{
    Entry, Exchange, Execution, Fill, Order, OrderTrouble, Status, TimeInForce, Update,
};
use crate::simulator::market::{Intraday, Market, Touch};

/// A limit inside the spread is looked at for at most this long before the price is looked at anew.
const INSIDE_SECONDS_MAX: f64 = 100_000.0;

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
    pub(super) fn match_later(&mut self, at: usize, now: Timestamp) {
        let delay = self.rules.fills.delay.mul_f64(0.67 + 0.66 * self.random.unit());
        let Some(order) = self.orders.get_mut(at) else { return };
        if !matches!(order.status, Status::New | Status::PartiallyFilled | Status::PendingCancel) {
            return;
        }
        order.epoch += 1;
        let epoch = order.epoch;
        self.later(now + signed(delay), Event::Match { at, epoch, drawn: false });
    }

    pub(super) fn compare(&mut self, at: usize, drawn: bool, now: Timestamp, market: &Market) {
        let Some(order) = self.working(at) else { return };
        let never = matches!(
            order.trouble,
            Some(OrderTrouble::NeverFilled | OrderTrouble::Frozen | OrderTrouble::FilledOnCancel)
        );
        let tif = order.asked.time_in_force;
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
            order.epoch += 1; // an earlier draw inside the spread is void
        }
        let epoch = self.orders.get(at).map_or(0, |order| order.epoch);
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
    pub(super) fn execute(&mut self, at: usize, price: Decimal, part: Decimal, now: Timestamp) {
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

    pub(super) fn working(&self, at: usize) -> Option<&Order> {
        self.orders.get(at).filter(|order| order.status.is_open())
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

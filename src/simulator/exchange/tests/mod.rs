//! What the exchange does with orders, money and time, seen from its own functions.

mod admission;
mod booking;
mod life;

use jiff::SignedDuration;

use super::*;
use crate::domain::order::Side;
use crate::simulator::calendar::TradingDays;
use crate::simulator::market::{FixedQuote, Split};

/// An exchange, its prices and a hand that moves time.
struct Floor {
    exchange: Exchange,
    market: Market,
    now: Timestamp,
}

const SESSION: &str = "2026-11-20T15:00:00Z";
const EVENING: &str = "2026-11-20T22:00:00Z";

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

impl Floor {
    fn with(rules: Rules, now: &str) -> Self {
        let now = now.parse().unwrap();
        let mut market = Market::new(TradingDays::nyse());
        for (name, price) in [("SPY", 600.0), ("QQQ", 500.0), ("CHEAP", 0.5)] {
            market.list_at(symbol(name), price);
        }
        let exchange = Exchange::new(rules, decimal("10000"), 1, now, &market);
        Self { exchange, market, now }
    }

    fn at(now: &str) -> Self {
        Self::with(plain(), now)
    }

    fn holding(mut self, name: &str, qty: &str) -> Self {
        self.exchange.place(&symbol(name), decimal(qty), decimal("600"), self.now);
        self
    }

    fn submit(&mut self, order: NewOrder) -> Result<usize, Refusal> {
        self.exchange.submit(order, None, self.now, &self.market)
    }

    fn troubled(&mut self, order: NewOrder, trouble: OrderTrouble) -> usize {
        self.exchange.submit(order, Some(trouble), self.now, &self.market).unwrap()
    }

    fn refusal(&mut self, order: NewOrder) -> (u16, u32, String) {
        let refusal = self.submit(order).unwrap_err();
        (refusal.status, refusal.code, refusal.message)
    }

    fn pass(&mut self, millis: i64) {
        self.go_to(self.now + SignedDuration::from_millis(millis));
    }

    fn go_to(&mut self, moment: Timestamp) {
        self.exchange.advance(moment, &self.market);
        self.now = moment;
    }

    fn cancel(&mut self, at: usize) -> Result<(), Refusal> {
        self.exchange.cancel(at, self.now, &self.market)
    }

    fn status(&self, at: usize) -> Status {
        self.exchange.orders()[at].status
    }

    fn order(&self, at: usize) -> &Order {
        &self.exchange.orders()[at]
    }

    fn events(&self) -> Vec<&str> {
        self.exchange.updates().iter().map(|update| update.event).collect()
    }

    fn move_to(&mut self, name: &str, price: f64) {
        self.market.move_to(&symbol(name), price, self.now);
        self.exchange.reprice(&symbol(name), self.now);
    }
}

fn plain() -> Rules {
    Rules { fills: Fills::plain(), ..Rules::default() }
}

fn order(side: Side, name: &str, qty: &str, kind: Kind) -> NewOrder {
    NewOrder {
        symbol: symbol(name),
        size: Size::Qty(decimal(qty)),
        side,
        kind,
        time_in_force: TimeInForce::Day,
        client_id: None,
        intent: None,
        extended_hours: false,
    }
}

fn limit(price: &str) -> Kind {
    Kind::Limit(decimal(price))
}

fn buy(qty: &str, price: &str) -> NewOrder {
    order(Side::Buy, "SPY", qty, limit(price))
}

fn sell(qty: &str, price: &str) -> NewOrder {
    order(Side::Sell, "SPY", qty, limit(price))
}

fn dollars(amount: &str) -> NewOrder {
    NewOrder { size: Size::Notional(decimal(amount)), ..order(Side::Buy, "SPY", "1", Kind::Market) }
}

fn forbidden(words: &str) -> (u16, u32, String) {
    (403, 40_310_000, words.to_owned())
}

fn unprocessable(words: &str) -> (u16, u32, String) {
    (422, 42_210_000, words.to_owned())
}

/// Under random orders, cancellations and moves of the price a strict exchange never lets cash or
/// a position fall below zero, and every cent and share is explained by an entry.
#[test]
fn a_strict_exchange_never_gives_away_what_is_not_there() {
    for seed in 0..30 {
        let fills = Fills { inside_spread: 0.2, partial: 0.4, ..Fills::default() };
        let mut floor = Floor::with(Rules { fills, ..Rules::default() }, SESSION);
        let mut random = Random::seeded(seed);
        let mut pick = |count: u64| random.bits() % count;
        for _ in 0..150 {
            let name = ["SPY", "QQQ"][usize::try_from(pick(2)).unwrap()];
            let side = [Side::Buy, Side::Sell][usize::try_from(pick(2)).unwrap()];
            let qty = Decimal::new(i64::try_from(1 + pick(8_000)).unwrap(), 3);
            let price = Decimal::from(480 + pick(140));
            match pick(8) {
                0 => floor.move_to(name, 480.0 + f64::from(u32::try_from(pick(140)).unwrap())),
                1 => {
                    let open: Vec<String> =
                        floor.exchange.open_orders().map(|order| order.id.clone()).collect();
                    for id in open {
                        floor.cancel(floor.exchange.find(&id).unwrap()).unwrap();
                    }
                }
                _ => {
                    let kind = Kind::Limit(price);
                    let _ = floor.submit(order(side, name, &qty.to_string(), kind));
                }
            }
            floor.pass(i64::try_from(pick(2_000)).unwrap());
        }
        let book = floor.exchange.book();
        assert!(book.cash_min >= Decimal::ZERO, "seed {seed}: {}", book.cash_min);
        assert!(book.position_min.values().all(|qty| *qty >= Decimal::ZERO), "seed {seed}");
        assert!(floor.exchange.activities().len() > 10, "seed {seed}: something was traded");
        let (mut cash, mut shares) = (decimal("10000"), BTreeMap::<Symbol, Decimal>::new());
        for activity in floor.exchange.activities() {
            let Entry::Fill(fill) = &activity.entry else { continue };
            let sign = if fill.side == Side::Buy { Decimal::ONE } else { -Decimal::ONE };
            cash -= sign * cents(fill.qty * fill.price);
            *shares.entry(fill.symbol.clone()).or_default() += sign * fill.qty;
        }
        assert_eq!(cash, book.cash, "seed {seed}");
        assert!(shares.iter().all(|(name, qty)| book.qty(name) == *qty), "seed {seed}");
    }
}

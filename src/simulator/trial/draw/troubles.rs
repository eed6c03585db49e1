//! What goes wrong on a day, kind by kind.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::infrastructure::http::Method;
use crate::simulator::exchange::{Hand, OrderTrouble};
use crate::simulator::faults::{Effect, On, StreamTrouble, Trouble};
use crate::simulator::trial::draw::{Dice, Kind, PRICES};
use crate::simulator::trial::script::{
    ByHand, Delivery, Happening, KeysTrouble, Permit, PostTrouble, Task, Turn, What,
};
use crate::simulator::trial::shelf::{ShelfCall, ShelfFault, ShelfTrouble};

/// Dollars that buy something in any trial.
const SPENDABLE: u32 = 20_000;

impl Dice {
    pub(super) fn requests(&mut self, all: &mut Vec<Happening>) {
        let paths: [(Method, &str); 8] = [
            (Method::Get, "/v2/orders*"),
            (Method::Get, "/v2/orders*"),
            (Method::Get, "/v2/account"),
            (Method::Get, "/v2/positions"),
            (Method::Get, "/v2/clock"),
            (Method::Get, "/v2/stocks/*"),
            (Method::Delete, "/v2/orders/*"),
            (Method::Post, "/v2/orders"),
        ];
        for _ in 0..4 {
            if !self.strikes(Kind::Requests, 0.35) {
                continue;
            }
            let (method, path) = self.pick(&paths);
            let skip = self.number(0, 6);
            let times = self.pick(&[1, 1, 2, 4, 12, u32::MAX]);
            let on = On::new(method, path).after(skip).times(times);
            let trouble = match self.below(8) {
                0 => Trouble::TooMany { wait: self.seconds(1, 20) },
                1 => Trouble::Status { status: 500, effect: Effect::None },
                2 => Trouble::Html { status: 502, effect: Effect::None },
                3 => Trouble::NoConnection,
                4 => Trouble::NoAnswer { effect: Effect::None },
                5 => Trouble::Slow(self.seconds(1, 12)),
                6 => Trouble::Garbled,
                _ => Trouble::CutShort,
            };
            self.add(all, What::Request(on, trouble));
        }
    }

    pub(super) fn ambiguity(&mut self, all: &mut Vec<Happening>) {
        for _ in 0..3 {
            if !self.strikes(Kind::Ambiguity, 0.4) {
                continue;
            }
            let skip = self.number(0, 5);
            let times = self.pick(&[1, 1, 2, 3]);
            let on = On::new(Method::Post, "/v2/orders").after(skip).times(times);
            let effect = self.pick(&[Effect::Done, Effect::Done, Effect::None]);
            let trouble = match self.below(6) {
                0 | 1 => Trouble::NoAnswer { effect },
                2 => Trouble::Status { status: 504, effect },
                3 => Trouble::CutShort,
                _ => Trouble::Late(self.seconds(1, 45)),
            };
            self.add(all, What::Request(on, trouble));
            if self.below(3) == 0 {
                let on = On::new(Method::Get, "/v2/orders:by_client_order_id*").times(2);
                let body = "{\"code\":40410000,\"message\":\"order not found\"}";
                let lost = Trouble::Rewrite(std::sync::Arc::new(move |_| body.to_owned()));
                let away = Trouble::Status { status: 503, effect: Effect::None };
                let trouble = if self.below(2) == 0 { lost } else { away };
                self.add(all, What::Request(on, trouble));
            }
        }
    }

    pub(super) fn orders(&mut self, all: &mut Vec<Happening>) {
        for _ in 0..3 {
            if !self.strikes(Kind::Orders, 0.4) {
                continue;
            }
            let symbol = self.pick(&PRICES).0;
            let percent = i64::from(self.number(1, 99));
            let trouble = self.pick(&[
                OrderTrouble::RejectedLater,
                OrderTrouble::Frozen,
                OrderTrouble::CancelStuck,
                OrderTrouble::PartialThenStop { part: Decimal::new(percent, 2) },
                OrderTrouble::PartialThenStop { part: Decimal::new(percent, 2) },
                OrderTrouble::NeverFilled,
                OrderTrouble::FilledOnCancel,
                OrderTrouble::Hidden { lookups: 3 },
            ]);
            let times = self.pick(&[1, 1, 2, 4]);
            self.add(all, What::Order(symbol, times, trouble));
        }
    }

    pub(super) fn stream_and_lag(&mut self, all: &mut Vec<Happening>) {
        if self.strikes(Kind::Stream, 0.6) {
            let trouble = match self.below(5) {
                0 => StreamTrouble::Refused,
                1 => StreamTrouble::Mute,
                2 => StreamTrouble::CutAfter(self.number(0, 6)),
                3 => StreamTrouble::Noisy(Duration::from_millis(u64::from(self.number(30, 2000)))),
                _ => StreamTrouble::Late(Duration::from_millis(u64::from(self.number(100, 9000)))),
            };
            all.push(Happening { after: Duration::ZERO, what: What::Stream(trouble) });
        }
        if self.strikes(Kind::Lag, 0.5) {
            let lag = self.seconds(1, 11);
            self.add(all, What::ReadsLag(lag));
        }
    }

    pub(super) fn store(&mut self, all: &mut Vec<Happening>) {
        let names =
            ["", "plan", "final", "att/", "sells", "buyplan", "buys", "lease", "open", "mail"];
        for _ in 0..3 {
            if self.strikes(Kind::Store, 0.4) {
                let call =
                    self.pick(&[ShelfCall::Put, ShelfCall::Put, ShelfCall::Read, ShelfCall::Any]);
                let what = self.pick(&[
                    ShelfFault::Lost,
                    ShelfFault::AnswerLost,
                    ShelfFault::AnswerLost,
                    ShelfFault::Denied,
                ]);
                let containing = self.pick(&names);
                let (skip, times) = (self.number(0, 6), self.pick(&[1, 1, 3, 9, u32::MAX]));
                let trouble = ShelfTrouble { call, containing, skip, times, what };
                self.add(all, What::Shelf(trouble));
            }
        }
        if self.strikes(Kind::Damage, 0.4) {
            let what = self.pick(&[ShelfFault::Damaged, ShelfFault::Damaged, ShelfFault::Wiped]);
            let containing = self.pick(&names[1..7]);
            let call = ShelfCall::Put;
            let trouble = ShelfTrouble { call, containing, skip: 0, times: 1, what };
            self.add(all, What::Shelf(trouble));
            if what == ShelfFault::Wiped {
                // Cash that a run would spend to which the account looks like a new one.
                let deposit = What::Hand(ByHand::Cash(Hand::Deposit, SPENDABLE));
                all.push(Happening { after: Duration::from_mins(40), what: deposit });
            }
        }
    }

    pub(super) fn mail_and_keys(&mut self, all: &mut Vec<Happening>) {
        if self.strikes(Kind::Mail, 0.5) {
            let trouble =
                self.pick(&[PostTrouble::Refused, PostTrouble::NotTaken, PostTrouble::AnswerLost]);
            let times = self.pick(&[1, 2, 3, 20]);
            self.add(all, What::Post(times, trouble));
        }
        if self.strikes(Kind::Keys, 0.5) {
            let trouble = match self.below(4) {
                0 => KeysTrouble::OutOfReach(self.number(1, 5)),
                1 => KeysTrouble::Missing,
                2 => KeysTrouble::Rotated,
                _ => KeysTrouble::Withdrawn,
            };
            self.add(all, What::Keys(trouble));
        }
    }

    pub(super) fn hands(&mut self, all: &mut Vec<Happening>) {
        for _ in 0..2 {
            if !self.strikes(Kind::Hands, 0.5) {
                continue;
            }
            let symbol = self.pick(&PRICES).0;
            let shares = self.number(1, 40);
            let dollars = self.number(100, 20_000);
            let what = match self.below(7) {
                0 => ByHand::Buys(symbol, shares.min(5)),
                1 => ByHand::Sells(symbol, shares),
                2 => ByHand::Cash(Hand::Deposit, dollars),
                3 => ByHand::Cash(Hand::Withdrawal, dollars),
                4 => ByHand::Cash(Hand::Fee, dollars / 1000 + 1),
                5 => ByHand::PlacesOrder(symbol),
                _ => ByHand::CancelsOurs,
            };
            self.add(all, What::Hand(what));
        }
    }

    pub(super) fn operator(&mut self, all: &mut Vec<Happening>) {
        if self.strikes(Kind::Operator, 0.6) {
            let permit =
                self.pick(&[Permit::HaltNew, Permit::HaltAll, Permit::HaltAll, Permit::Lost]);
            self.add(all, What::Operator(permit));
            if self.below(2) == 0 {
                let after = self.seconds(60, 1500);
                all.push(Happening { after, what: What::Operator(Permit::Run) });
            }
        }
    }

    /// A repetition that the operator orders, sometimes twice, sometimes before its time.
    pub(super) fn force(&mut self, all: &mut Vec<Happening>) {
        if self.strikes(Kind::Operator, 0.4) {
            let after = self.seconds(5, 1800);
            for seconds in [0, 3].into_iter().take(1 + self.below(2)) {
                let delivery = Delivery::of(Task::Force { generation: 1 });
                let after = after + Duration::from_secs(seconds);
                all.push(Happening { after, what: What::Delivery(delivery) });
            }
        }
    }

    pub(super) fn market(&mut self, all: &mut Vec<Happening>) {
        let symbol = self.pick(&PRICES).0;
        if self.strikes(Kind::Prices, 0.6) {
            let turn = match self.below(6) {
                0 => Turn::Moves(symbol, self.pick(&[0.45, 0.8, 0.97, 1.03, 1.3, 2.2])),
                1 => Turn::Moves(symbol, self.pick(&[0.97, 0.985, 1.015, 1.03])),
                2 => Turn::Halts(symbol),
                3 => Turn::NoQuote(symbol),
                4 => Turn::Spread(symbol, self.pick(&[Decimal::new(5, 3), Decimal::new(3, 2)])),
                _ => Turn::Stale(symbol),
            };
            self.add(all, What::Market(turn));
        }
        if self.strikes(Kind::Corporate, 0.6) {
            let turn = match self.below(4) {
                0 => Turn::Pays(symbol, self.number(5, 300)),
                1 => Turn::Untradable(symbol),
                _ => {
                    let (announced, position) = (self.below(3) > 0, self.below(3) > 0);
                    let ratio = self.pick(&[2, 3, 10]);
                    Turn::Splits { symbol, ratio, announced, position }
                }
            };
            all.push(Happening { after: Duration::ZERO, what: What::Market(turn) });
        }
        if self.strikes(Kind::Calendar, 0.6) {
            let turn = match self.below(2) {
                0 => Turn::Closed,
                _ => Turn::ClosesIn(self.seconds(30, 400)),
            };
            all.push(Happening { after: Duration::ZERO, what: What::Market(turn) });
        }
    }
}

//! One order on its way through the market: what to do next, and what an answer means.
//!
//! No waiting and no requests here: `dealing` makes them, and brings the answers back.

use std::time::Duration;

use jiff::Timestamp;

use crate::application::current::Current;
use crate::application::ports::{BrokerError, Refusal};
use crate::application::steps::{Concern, Step, Until};
use crate::application::trouble;
use crate::domain::attempts::Attempts;
use crate::domain::code::Code;
use crate::domain::execution::OrderOutcome;
use crate::domain::money::{Price, Shares};
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::order::{
    AttemptEvent, AttemptState, ClientOrderId, Order, OrderRequest, OrderStatus,
};

/// An order of the plan, its attempts, and the one being worked on.
pub(super) struct OrderLife {
    pub(super) attempts: Attempts,
    current: Option<Current>,
    pub(super) shortfall: Option<String>,
    /// Whether a price beyond reason was said; the broker shows it with every look.
    is_price_said: bool,
    /// Attempts that were known when the next was looked up by its id.
    pub(super) sought: Option<usize>,
}

impl OrderLife {
    pub(super) const fn new(attempts: Attempts) -> Self {
        Self { attempts, current: None, shortfall: None, is_price_said: false, sought: None }
    }

    /// What to do now.
    pub(super) fn step(&self, now: Timestamp, until: Until) -> Step {
        let Some(current) = &self.current else {
            let wanted = self.shortfall.is_none() && !self.attempts.rest().is_zero();
            return if wanted && now < until.begins { Step::Draft } else { Step::Over };
        };
        let until = current.until.min(until.works).max(current.cancel_at);
        match (self.attempts.state(), &current.request, &current.broker_id) {
            (Some(AttemptState::Drafted), Some(request), _) => Step::Send(request.clone()),
            (Some(AttemptState::Sent), Some(request), _) if now >= current.look_at => {
                Step::Look(request.id().clone())
            }
            (Some(AttemptState::Sent), ..) => Step::Wait(current.look_at),
            (Some(AttemptState::Working), _, Some(id)) if now >= until => Step::Cancel(id.clone()),
            (Some(AttemptState::Working), ..) => Step::Wait(until),
            (Some(AttemptState::Cancelling), _, Some(id)) if now >= current.cancel_at => {
                Step::Cancel(id.clone())
            }
            (Some(AttemptState::Cancelling), ..) => Step::Wait(current.cancel_at),
            _ => Step::Wait(Timestamp::MAX), // only the broker can say more
        }
    }

    pub(super) fn draft(
        &mut self,
        request: OrderRequest,
        arrival: Price,
        (now, lasts): (Timestamp, Duration),
    ) {
        self.attempts.draft(&request, Some(arrival));
        self.current = Some(Current::new(Some(request), now, lasts));
    }

    pub(super) fn adopt(
        &mut self,
        id: ClientOrderId,
        order: &Order,
        (now, lasts): (Timestamp, Duration),
    ) -> Concern {
        self.current = Some(Current::new(None, now, lasts));
        let adopted = self.attempts.adopt(id, order, now);
        adopted.map_or_else(|mismatch| differs(&mismatch), |()| self.seen(order, now))
    }

    pub(super) fn reduce(&mut self, request: OrderRequest) {
        self.attempts.reduce(&request);
        if let Some(current) = &mut self.current {
            current.request = Some(request);
            current.reduced = true;
        }
    }

    pub(super) fn end(&mut self, why: impl Into<String>) {
        self.current = None;
        self.shortfall.get_or_insert(why.into());
    }

    /// The broker has no such order, and it is not sent again.
    pub(super) fn refuse(&mut self, why: String, now: Timestamp) {
        self.attempts.on(&AttemptEvent::Refused, now);
        self.end(why);
    }

    pub(super) fn sending(&mut self, now: Timestamp) {
        self.attempts.on(&AttemptEvent::Submitted, now);
        if let Some(current) = &mut self.current {
            current.look_later(now);
        }
    }

    /// Takes the answer to a submission.
    pub(super) fn answered(
        &mut self,
        answer: Result<Order, BrokerError>,
        now: Timestamp,
    ) -> Concern {
        match answer {
            Ok(order) => self.seen(&order, now),
            Err(BrokerError::Refused { reason, message }) => self.refused(&reason, message, now),
            Err(BrokerError::RateLimited { retry_at }) => {
                if let (Some(current), Some(at)) = (&mut self.current, retry_at) {
                    current.look_at = at;
                }
                Concern::None
            }
            Err(error @ (BrokerError::Unauthorised(_) | BrokerError::Credentials(_))) => {
                self.refuse(format!("refused: {error}"), now); // without keys nothing was taken
                Concern::Stop(Code::BrokerUnauthorised, error.to_string())
            }
            Err(error) if is_planted(Mutant::LostMeansRefused) => {
                self.refuse(format!("refused: {error}"), now);
                Concern::Refused
            }
            // Sent, and nobody knows: it is looked up, and only the same id is ever sent again.
            Err(
                BrokerError::Ambiguous(_) | BrokerError::Unavailable(_) | BrokerError::Malformed(_),
            ) => Concern::None,
        }
    }

    fn refused(&mut self, reason: &Refusal, message: String, now: Timestamp) -> Concern {
        let Some(current) = &mut self.current else { return Concern::None };
        let asked = current.request.as_ref().map_or(Shares::ZERO, OrderRequest::shares);
        let fewer = match reason {
            Refusal::DuplicateId if is_planted(Mutant::DuplicateMeansRefused) => None,
            Refusal::DuplicateId => {
                current.look_at = now; // it is there already: adopt it
                return Concern::None;
            }
            Refusal::Shares { available } => *available,
            Refusal::NotFractionable => Some(asked.round_down_whole()),
            Refusal::AccountBlocked
            | Refusal::Funds
            | Refusal::NotTradable
            | Refusal::WashTrade
            | Refusal::NotCancelable
            | Refusal::NotFound
            | Refusal::Subscription
            | Refusal::Invalid
            | Refusal::Other => None,
        };
        let reduced = current.reduced;
        if let Some(fewer) = fewer.filter(|n| !reduced && !n.is_zero() && *n < asked) {
            return Concern::Fewer(fewer);
        }
        self.refuse(format!("refused: {message}"), now);
        if *reason == Refusal::AccountBlocked {
            return Concern::Stop(Code::AccountBlocked, message);
        }
        Concern::Refused
    }

    /// Takes the result of a look: nothing there means that the same request may go out again.
    pub(super) fn looked(
        &mut self,
        found: Result<Option<Order>, BrokerError>,
        now: Timestamp,
    ) -> (Concern, Option<OrderRequest>) {
        if let Some(current) = &mut self.current {
            current.look_later(now);
        }
        match found {
            Ok(Some(order)) => (self.seen(&order, now), None),
            Ok(None) if is_planted(Mutant::NewIdAfterNotFound) => {
                self.attempts.on(&AttemptEvent::Refused, now);
                self.current = None;
                (Concern::None, None)
            }
            Ok(None) => (Concern::None, self.current.as_ref().and_then(|c| c.request.clone())),
            Err(_) => (Concern::None, None),
        }
    }

    /// Takes the answer to a cancellation. Whatever it says, the order's end has to be seen, and
    /// until then the broker is asked again at growing intervals.
    pub(super) fn cancelling(&mut self, answer: &Result<(), BrokerError>, now: Timestamp) {
        let taken = !answer.as_ref().is_err_and(trouble::is_passing);
        if is_planted(Mutant::NextBeforeCancelled) {
            self.attempts.on(&AttemptEvent::Seen(OrderStatus::Cancelled), now);
            self.current = None;
            return;
        }
        if taken {
            self.attempts.on(&AttemptEvent::CancelRequested, now);
        }
        if let Some(current) = &mut self.current {
            current.cancel_later(taken, now);
        }
    }

    /// Takes the broker's view of an attempt. Whatever it means for the order, an execution at a
    /// price that cannot be true stops everything that would be sent on the broker's word.
    pub(super) fn seen(&mut self, order: &Order, now: Timestamp) -> Concern {
        let concern = self.follow(order, now);
        match self.attempts.beyond_reason() {
            Some(execution) if !self.is_price_said => {
                self.is_price_said = true;
                Concern::Stop(Code::FillPrice, execution.to_string())
            }
            Some(_) | None => concern,
        }
    }

    fn follow(&mut self, order: &Order, now: Timestamp) -> Concern {
        let is_last = match self.attempts.seen(order, now) {
            Ok(is_last) => is_last,
            Err(mismatch) => return differs(&mismatch),
        };
        if !is_last {
            return Concern::None;
        }
        let is_over = self.attempts.state().is_some_and(AttemptState::is_terminal);
        if self.current.is_none() && !is_over {
            // It was given up, and turns up after all: it is cancelled at once.
            self.current = Some(Current::new(None, now, Duration::ZERO));
        }
        if let Some(current) = &mut self.current {
            current.broker_id = Some(order.broker_id.clone());
        }
        if is_over {
            let ended_now = self.current.take().is_some(); // later looks see the same end again
            if ended_now && order.status == OrderStatus::Replaced {
                // What took its place is not ours, so the rest is not sent beside it.
                self.end("replaced by another order by hand");
            }
            if ended_now && self.attempts.state() == Some(AttemptState::Rejected) {
                self.end("rejected by the exchange after it was accepted");
                return Concern::Refused;
            }
        }
        Concern::None
    }

    /// Stops looking: what has not ended is unknown. Answers whether that is so.
    pub(super) fn give_up(&mut self, why: &str, now: Timestamp) -> bool {
        let gone = is_planted(Mutant::UnknownMeansGone);
        let gave_up =
            if gone { AttemptEvent::Seen(OrderStatus::Cancelled) } else { AttemptEvent::GaveUp };
        self.attempts.on(&gave_up, now);
        let unknown = self.attempts.state() == Some(AttemptState::Unknown);
        self.end(if unknown { "its end was not seen" } else { why });
        unknown
    }

    pub(super) fn outcome(self) -> OrderOutcome {
        self.attempts.outcome(self.shortfall)
    }
}

fn differs(mismatch: &crate::domain::attempts::Mismatch) -> Concern {
    Concern::Stop(Code::AdoptedOrderDiffers, mismatch.to_string())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::order::Side;
    use crate::domain::run::{AccountName, Mode, RunKey, Slot};
    use crate::domain::symbol::Symbol;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn request() -> OrderRequest {
        let key = RunKey {
            mode: Mode::Paper,
            account: AccountName::parse("main").unwrap(),
            session: date(2026, 11, 20),
            slot: Slot::parse("open").unwrap(),
            generation: 0,
        };
        let symbol = Symbol::parse("SPY").unwrap();
        let id = ClientOrderId::of(&key, &symbol, Side::Buy, 1);
        let (shares, limit) = (Shares::whole(10), Price::parse("500").unwrap());
        OrderRequest::ungated(id, symbol, Side::Buy, shares, limit)
    }

    fn order(status: OrderStatus, filled: u32) -> Order {
        let request = request();
        Order {
            broker_id: "b1".to_owned(),
            client_id: request.id().as_str().to_owned(),
            symbol: request.symbol().clone(),
            side: Side::Buy,
            shares: Some(request.shares()),
            filled: Shares::whole(filled),
            fill_price: None,
            limit: Some(request.limit()),
            status,
            submitted_at: None,
            filled_at: None,
        }
    }

    /// An order whose first attempt was sent just now.
    fn sent() -> OrderLife {
        let request = request();
        let symbol = request.symbol().clone();
        let mut life = OrderLife::new(Attempts::new(symbol, Side::Buy, Shares::whole(10)));
        let arrival = request.limit();
        life.draft(request, arrival, (at(0), Duration::from_secs(10)));
        life.sending(at(0));
        life
    }

    fn working() -> OrderLife {
        let mut life = sent();
        let _ = life.seen(&order(OrderStatus::Working, 0), at(0));
        life
    }

    fn is_cancel(life: &OrderLife, seconds: i64) -> bool {
        matches!(life.step(at(seconds), Until::both(at(1000))), Step::Cancel(_))
    }

    #[test]
    fn a_cancellation_that_did_not_get_through_is_repeated_but_not_at_once() {
        let mut life = working();
        assert!(!is_cancel(&life, 9) && is_cancel(&life, 10));
        life.cancelling(&Err(BrokerError::Ambiguous("no answer".to_owned())), at(10));
        assert!(!is_cancel(&life, 10) && is_cancel(&life, 11));
    }

    #[test]
    fn a_cancellation_without_an_end_is_asked_for_again() {
        let refused = BrokerError::Refused {
            reason: Refusal::NotCancelable,
            message: "order is pending".to_owned(),
        };
        for answer in [Ok(()), Err(refused)] {
            let mut life = working();
            life.cancelling(&answer, at(10));
            assert!(!is_cancel(&life, 11) && is_cancel(&life, 12));
            let _ = life.seen(&order(OrderStatus::Cancelled, 4), at(13));
            assert!(matches!(life.step(at(13), Until::both(at(1000))), Step::Draft));
        }
    }

    #[test]
    fn the_rest_of_an_order_that_a_person_replaced_is_not_sent() {
        let mut life = working();
        let _ = life.seen(&order(OrderStatus::Replaced, 4), at(3));
        assert!(matches!(life.step(at(3), Until::both(at(1000))), Step::Over));
        assert_eq!(life.attempts.rest(), Shares::whole(6));
    }

    #[test]
    fn an_order_that_the_keys_did_not_allow_is_known_not_to_exist() {
        let mut life = sent();
        let concern = life.answered(Err(BrokerError::Unauthorised("401".to_owned())), at(1));
        assert!(matches!(concern, Concern::Stop(Code::BrokerUnauthorised, _)));
        assert!(matches!(life.step(at(1), Until::both(at(1000))), Step::Over));
        assert!(!life.give_up("stopped", at(2)));
        assert_eq!(life.attempts.state(), Some(AttemptState::Refused));
    }

    #[test]
    fn an_order_that_was_given_up_and_turns_up_is_cancelled() {
        let mut life = sent();
        let refused =
            BrokerError::Refused { reason: Refusal::Funds, message: "no funds".to_owned() };
        let _ = life.answered(Err(refused), at(1));
        assert!(matches!(life.step(at(1), Until::both(at(1000))), Step::Over));
        let _ = life.seen(&order(OrderStatus::Working, 0), at(2));
        assert!(is_cancel(&life, 2));
        let _ = life.seen(&order(OrderStatus::Cancelled, 0), at(3));
        assert!(matches!(life.step(at(3), Until::both(at(1000))), Step::Over));
    }

    fn too_many(available: u32) -> Result<Order, BrokerError> {
        let reason = Refusal::Shares { available: Some(Shares::whole(available)) };
        Err(BrokerError::Refused { reason, message: "insufficient qty".to_owned() })
    }

    #[test]
    fn nothing_is_begun_at_the_moment_when_beginning_ends() {
        let symbol = Symbol::parse("SPY").unwrap();
        let life = OrderLife::new(Attempts::new(symbol, Side::Buy, Shares::whole(10)));
        assert!(matches!(life.step(at(999), Until::both(at(1000))), Step::Draft));
        assert!(matches!(life.step(at(1000), Until::both(at(1000))), Step::Over));
    }

    #[test]
    fn between_two_looks_or_cancellations_an_order_waits_for_the_next() {
        let life = sent();
        let next = life.current.as_ref().unwrap().look_at;
        assert!(next > at(0) && next < at(10));
        assert!(
            matches!(life.step(at(0), Until::both(at(1000))), Step::Wait(until) if until == next)
        );
        assert!(matches!(life.step(next, Until::both(at(1000))), Step::Look(_)));
        let mut life = working();
        life.cancelling(&Ok(()), at(10));
        let step = life.step(at(11), Until::both(at(1000)));
        assert!(matches!(step, Step::Wait(until) if until == at(12)));
    }

    #[test]
    fn an_order_of_too_many_shares_is_made_smaller_once() {
        for refused in [0, 10, 11] {
            let concern = sent().answered(too_many(refused), at(1));
            assert!(matches!(concern, Concern::Refused), "{refused} are not fewer than 10");
        }
        let mut life = sent();
        let Concern::Fewer(shares) = life.answered(too_many(9), at(1)) else { panic!() };
        assert_eq!(shares, Shares::whole(9));
        let full = request();
        let (id, symbol) = (full.id().clone(), full.symbol().clone());
        life.reduce(OrderRequest::ungated(id, symbol, Side::Buy, shares, full.limit()));
        let (_, smaller) = life.looked(Ok(None), at(1));
        let again = smaller.map(|request| (request.id().clone(), request.shares()));
        assert_eq!(again, Some((full.id().clone(), shares)), "under the same id");
        assert!(matches!(life.answered(too_many(8), at(2)), Concern::Refused));
        assert!(matches!(life.step(at(2), Until::both(at(1000))), Step::Over));
    }

    #[test]
    fn a_price_beyond_reason_is_said_at_the_first_look_only() {
        let mut life = sent();
        let mut dear = order(OrderStatus::Working, 4);
        dear.fill_price = Some(Price::parse("900").unwrap());
        assert!(matches!(life.seen(&dear, at(1)), Concern::Stop(Code::FillPrice, _)));
        assert!(matches!(life.seen(&dear, at(2)), Concern::None));
    }
}

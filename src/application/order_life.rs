//! One order on its way through the market: what to do next, and what an answer means.
//!
//! No waiting and no requests here: `dealing` makes them, and brings the answers back.

use std::time::Duration;

use jiff::Timestamp;

use crate::application::ports::{BrokerError, Refusal};
use crate::application::sending::Concern;
use crate::application::trouble;
use crate::domain::attempts::Attempts;
use crate::domain::execution::OrderOutcome;
use crate::domain::money::{Price, Shares};
use crate::domain::order::{
    AttemptEvent, AttemptState, ClientOrderId, Order, OrderRequest, OrderStatus,
};

/// Wait before the first look after a lost answer; doubled each time, up to the next line.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
const LOOK_AGAIN_MAX: Duration = Duration::from_secs(5);
/// Wait before a cancellation that the broker took is asked for again; one may get lost.
const CANCEL_AGAIN: Duration = Duration::from_secs(2);

/// When an attempt begins, and how long it works.
type Lasts = (Timestamp, Duration);

/// An order of the plan, its attempts, and the one being worked on.
pub(super) struct OrderLife {
    pub(super) attempts: Attempts,
    current: Option<Current>,
    shortfall: Option<String>,
}

struct Current {
    request: Option<OrderRequest>,
    broker_id: Option<String>,
    until: Timestamp,
    look_at: Timestamp,
    look_wait: Duration,
    cancel_at: Timestamp,
    cancel_wait: Duration,
    reduced: bool,
}

/// What an order needs next.
pub(super) enum Step {
    /// A price and a request for its next attempt.
    Draft,
    /// To be sent, or sent again under the same id.
    Send(OrderRequest),
    /// A look whether the broker has it.
    Look(ClientOrderId),
    /// A cancellation, by the broker's id.
    Cancel(String),
    /// Nothing before this moment, unless the broker has news.
    Wait(Timestamp),
    /// Nothing any more.
    Over,
}

impl OrderLife {
    pub(super) const fn new(attempts: Attempts) -> Self {
        Self { attempts, current: None, shortfall: None }
    }

    /// What to do now; no attempt begins or goes on from `no_submit_after` on.
    pub(super) fn step(&self, now: Timestamp, no_submit_after: Timestamp) -> Step {
        let Some(current) = &self.current else {
            let wanted = self.shortfall.is_none() && !self.attempts.rest().is_zero();
            return if wanted && now < no_submit_after { Step::Draft } else { Step::Over };
        };
        let until = current.until.min(no_submit_after).max(current.cancel_at);
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

    pub(super) fn draft(&mut self, request: OrderRequest, arrival: Price, lasts: Lasts) {
        self.attempts.draft(&request, Some(arrival));
        self.current = Some(Current::new(Some(request), lasts));
    }

    pub(super) fn adopt(&mut self, id: ClientOrderId, order: &Order, lasts: Lasts) -> Concern {
        self.current = Some(Current::new(None, lasts));
        match self.attempts.adopt(id, order, lasts.0) {
            Ok(()) => self.seen(order, lasts.0),
            Err(mismatch) => Concern::differs(&mismatch),
        }
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
        self.look_later(now);
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
                Concern::Stop("broker-unauthorised", error.to_string())
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
        if *reason == Refusal::DuplicateId {
            current.look_at = now; // it is there already: adopt it
            return Concern::None;
        }
        let first = !current.reduced;
        if let Some(fewer) = reason.takes(asked).filter(|n| first && !n.is_zero() && *n < asked) {
            return Concern::Fewer(fewer);
        }
        self.refuse(format!("refused: {message}"), now);
        if *reason == Refusal::AccountBlocked {
            return Concern::Stop("account-blocked", message);
        }
        Concern::Refused
    }

    /// Takes the result of a look: nothing there means that the same request may go out again.
    pub(super) fn looked(
        &mut self,
        found: Result<Option<Order>, BrokerError>,
        now: Timestamp,
    ) -> (Concern, Option<OrderRequest>) {
        self.look_later(now);
        match found {
            Ok(Some(order)) => (self.seen(&order, now), None),
            Ok(None) => (Concern::None, self.current.as_ref().and_then(|c| c.request.clone())),
            Err(_) => (Concern::None, None),
        }
    }

    /// Takes the answer to a cancellation. Whatever it says, the order's end has to be seen, and
    /// until then the broker is asked again at growing intervals.
    pub(super) fn cancelling(&mut self, answer: &Result<(), BrokerError>, now: Timestamp) {
        let taken = !answer.as_ref().is_err_and(trouble::is_passing);
        if taken {
            self.attempts.on(&AttemptEvent::CancelRequested, now);
        }
        if let Some(current) = &mut self.current {
            let wait = current.cancel_wait.max(if taken { CANCEL_AGAIN } else { LOOK_AGAIN });
            current.cancel_at = now.saturating_add(wait).unwrap_or(now);
            current.cancel_wait = (wait * 2).min(LOOK_AGAIN_MAX);
        }
    }

    /// Takes the broker's view of an attempt.
    pub(super) fn seen(&mut self, order: &Order, now: Timestamp) -> Concern {
        let is_last = match self.attempts.seen(order, now) {
            Ok(is_last) => is_last,
            Err(mismatch) => return Concern::differs(&mismatch),
        };
        if !is_last {
            return Concern::None;
        }
        let is_over = self.attempts.state().is_some_and(AttemptState::is_terminal);
        if self.current.is_none() && !is_over {
            // It was given up, and turns up after all: it is cancelled at once.
            self.current = Some(Current::new(None, (now, Duration::ZERO)));
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
        self.attempts.on(&AttemptEvent::GaveUp, now);
        let unknown = self.attempts.state() == Some(AttemptState::Unknown);
        self.end(if unknown { "its end was not seen" } else { why });
        unknown
    }

    pub(super) fn outcome(self) -> OrderOutcome {
        self.attempts.outcome(self.shortfall)
    }

    fn look_later(&mut self, now: Timestamp) {
        if let Some(current) = &mut self.current {
            current.look_at = now.saturating_add(current.look_wait).unwrap_or(now);
            current.look_wait = (current.look_wait * 2).min(LOOK_AGAIN_MAX);
        }
    }
}

impl Current {
    fn new(request: Option<OrderRequest>, (now, lasts): Lasts) -> Self {
        let until = now.saturating_add(lasts).unwrap_or(now);
        Self {
            request,
            broker_id: None,
            until,
            look_at: now,
            look_wait: LOOK_AGAIN,
            cancel_at: Timestamp::MIN,
            cancel_wait: LOOK_AGAIN,
            reduced: false,
        }
    }
}

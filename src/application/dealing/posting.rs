//! Posting: how an approved request leaves, and what may leave a second time.
//!
//! By default the broker's unique ids are the guard, and a request without an answer goes out again
//! under the same id. A policy that does not trust them sends each attempt once in its life: the
//! invocation that wrote the attempt's intent sends it, and every other only looks.

use jiff::Timestamp;

use crate::application::dealing::{Answer, Ask, Dealing};
use crate::application::journal::{IntentRecord, JournalError, intent_name};
use crate::application::order_life::OrderLife;
use crate::application::ports::BrokerError;
use crate::application::steps::Concern;
use crate::application::trouble;
use crate::domain::order::OrderRequest;
use crate::domain::policy::SubmitMode;

impl Dealing<'_> {
    /// Leaves out orders whose time is over or that the operator no longer permits, and counts what
    /// leaves now.
    pub(super) async fn set_off(
        &mut self,
        lives: &mut [OrderLife],
        asks: &mut Vec<(usize, Ask)>,
        begins: Timestamp,
    ) {
        self.permitted_only(asks, begins).await;
        let now = self.floor.desk.clock.now();
        for (at, ask) in asks {
            match ask {
                Ask::Submit(_) => lives[*at].sending(now),
                Ask::Cancel(_) => {}
                Ask::Look(_) => continue,
            }
            self.usage.writes += 1;
        }
    }

    /// Sends a request for the first time, if that is ours to do.
    pub(super) async fn post(&self, request: &OrderRequest) -> Answer {
        let (broker, journal) = (self.floor.desk.broker, self.floor.journal);
        match self.floor.desk.policy.submit_mode {
            SubmitMode::SameIdRetry => return Answer::Submitted(broker.submit(request).await),
            SubmitMode::AtMostOnce => {}
        }
        let Some(parts) = request.id().parts() else {
            return Answer::Looked(broker.order(request.id()).await); // no id of ours: not sent
        };
        let name = intent_name(request.side(), request.symbol(), parts.attempt);
        let (id, shares, limit) = (request.id().clone(), request.shares(), request.limit());
        let intent = IntentRecord { id, shares, limit };
        match journal.keep(&name, Some(self.floor.plan_hash), &intent).await {
            Ok(kept) if kept.mine => Answer::Submitted(broker.submit(request).await),
            Ok(_) => Answer::Looked(broker.order(request.id()).await),
            Err(error) => Answer::Withheld(error),
        }
    }

    /// Whether what was sent may be sent again at all.
    pub(super) fn sends_again(&self) -> bool {
        match self.floor.desk.policy.submit_mode {
            SubmitMode::SameIdRetry => true,
            SubmitMode::AtMostOnce => false,
        }
    }

    /// The answer to a submission.
    pub(super) fn submitted(
        &self,
        life: &mut OrderLife,
        answer: Result<crate::domain::order::Order, BrokerError>,
    ) -> Concern {
        let now = self.floor.desk.clock.now();
        if matches!(answer, Err(BrokerError::RateLimited { .. })) && !self.sends_again() {
            life.refuse("too many requests to the broker, and nothing is sent twice".into(), now);
            return Concern::None;
        }
        life.answered(answer, now)
    }

    /// An attempt that was not sent, for want of the record that permits it.
    pub(super) fn withheld(&mut self, life: &mut OrderLife, error: &JournalError) -> Concern {
        life.refuse(format!("not sent: {error}"), self.floor.desk.clock.now());
        self.stop(trouble::journal(error));
        Concern::None
    }
}

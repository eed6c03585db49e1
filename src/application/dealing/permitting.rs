//! Permitting: what the operator's word means for the orders of a run at work.
//!
//! Asked before every round of orders and, at most once a second, while orders work. A halt stops
//! what is to come, and cancels what works if it says so. A word that is away for a moment keeps
//! orders back without ending anything: they leave when it is back, in this run or a resumed one.

use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use crate::application::control::{Permission, Working, permission};
use crate::application::dealing::{Ask, Dealing};
use crate::application::stop::Stop;
use crate::application::trouble;
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::report::Verdict;

/// A permission read while a record was kept counts for the round that waited for that record,
/// if it began no longer ago than this: a halt comes as late as one request under way makes it.
const PERMITTED_MAX: Duration = Duration::from_secs(1);
/// How often the word is read while orders work.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Dealing<'_> {
    /// Whether orders may leave now; being told so a moment ago will do.
    pub(super) async fn may_send(&mut self) -> bool {
        let now = self.floor.desk.clock.now();
        let lately = |at: Timestamp| now.duration_since(at).unsigned_abs() <= PERMITTED_MAX;
        if self.permitted_at.is_some_and(lately) || is_planted(Mutant::AskedOnce) {
            return true;
        }
        let permitted = permission(self.floor.store, self.floor.journal.key(), now).await;
        let given = permitted == Permission::Given;
        self.heed(Some(permitted), now);
        given && self.stopped.is_none()
    }

    /// Leaves out orders that the operator no longer permits or whose time is over by now: prices,
    /// records, the word itself and the orders before them may have taken their time. They leave in
    /// a later round, or end there.
    pub(super) async fn permitted_only(&mut self, asks: &mut Vec<(usize, Ask)>, begins: Timestamp) {
        let is_order = |(_, ask): &(usize, Ask)| matches!(ask, Ask::Submit(_));
        if !asks.iter().any(is_order) {
            return;
        }
        let permitted = self.may_send().await;
        if !permitted || self.floor.desk.clock.now() >= begins {
            asks.retain(|ask| !is_order(ask));
        }
    }

    /// The operator's word while orders work, unless it was read just now.
    pub(super) async fn word(&self, now: Timestamp) -> Option<Permission> {
        let soon = now.duration_since(self.looked_at).unsigned_abs() < LOOK_EVERY;
        if soon || is_planted(Mutant::AskedOnce) {
            return None;
        }
        Some(permission(self.floor.store, self.floor.journal.key(), now).await)
    }

    /// Does what the word asks for.
    pub(super) fn heed(&mut self, permitted: Option<Permission>, now: Timestamp) {
        let Some(permitted) = permitted else { return };
        self.looked_at = now;
        self.away = None;
        self.permitted_at = (permitted == Permission::Given).then_some(now);
        let working = match &permitted {
            Permission::Given => return,
            Permission::Away(why) => {
                warn!(%why, "no order leaves for now");
                self.away = Some(why.clone());
                return;
            }
            Permission::Halted(halt) => halt.working,
            Permission::Void(_) => Working::Ends,
        };
        if let Some(incident) = trouble::not_permitted(&permitted) {
            self.stop_with(incident, working);
        }
    }

    /// Why a later invocation should go on: the word was away when the time for orders was over,
    /// while the plan is still good. Nothing else may have stopped it, and something is left to do.
    pub(in crate::application) fn unfinished(&self) -> Option<Stop> {
        let why = self.away.as_ref().filter(|_| self.stopped.is_none() && self.left_over)?;
        let may_send = self.floor.no_submit_after > Timestamp::MIN; // else it was only to settle
        let is_good = may_send && self.floor.desk.clock.now() < self.plan.plan().valid_until;
        let incident = trouble::no_permission(why.clone());
        is_good.then(|| Stop::incident(Verdict::Failed, incident, true))
    }
}

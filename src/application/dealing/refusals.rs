//! Refusals kept: an order that the broker would not have leaves no trace there, so the run keeps
//! one. Whoever resumes it counts the refusal and does not ask the broker again.
//!
//! ```text
//! runs/{run}/refused/{S|B}/{SYMBOL}/{k}.json   the broker's words about attempt k
//! ```

use std::collections::BTreeSet;

use tracing::warn;

use crate::application::dealing::Dealing;
use crate::application::journal::{Journal, JournalError, attempt_name};
use crate::application::order_life::OrderLife;
use crate::application::steps::Concern;
use crate::application::trouble;
use crate::domain::order::{AttemptState, Side};
use crate::domain::symbol::Symbol;

/// Refusals of a run, by the names of the attempts.
pub(super) type Refused = BTreeSet<String>;

impl Dealing<'_> {
    /// What an answer to a submission means beyond the order; a refusal is kept.
    pub(super) async fn take_to_heart(&mut self, life: &OrderLife, concern: Concern) {
        let is_refused = life.attempts.state() == Some(AttemptState::Refused);
        if matches!(concern, Concern::Refused) && is_refused {
            let attempt = u8::try_from(life.attempts.list().len()).unwrap_or(u8::MAX);
            let name = name(life.attempts.side(), life.attempts.symbol(), attempt);
            let words = life.shortfall.clone().unwrap_or_default();
            let floor = self.floor;
            if let Err(error) = floor.journal.keep_after(floor.plan_hash, &name, &words).await {
                warn!(%error, %name, "refusal not kept; a resume would ask the broker again");
            }
        }
        self.concern(concern);
    }

    /// Counts an order that the broker refused before and ends it, unless the broker has it after
    /// all: then it was taken up already.
    pub(super) fn recall(&mut self, life: &mut OrderLife, refused: &Refused) {
        let next = u8::try_from(life.attempts.list().len() + 1).unwrap_or(u8::MAX);
        if refused.contains(&name(life.attempts.side(), life.attempts.symbol(), next)) {
            life.end("refused by the broker before this run was resumed");
            self.concern(Concern::Refused);
        }
    }

    /// No order is sent again once the run's sends and cancels are used up.
    pub(super) fn has_writes_left(&mut self) -> bool {
        let (used, most) = self.writes();
        if used >= most {
            self.stop(trouble::many_writes(used));
        }
        used < most
    }
}

/// The refusals that a run keeps.
pub(super) async fn refused(journal: &Journal<'_>) -> Result<Refused, JournalError> {
    Ok(journal.names("refused/").await?.into_iter().collect())
}

fn name(side: Side, symbol: &Symbol, attempt: u8) -> String {
    attempt_name(side, symbol, attempt).replacen("att/", "refused/", 1)
}

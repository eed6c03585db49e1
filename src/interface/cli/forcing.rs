//! The wish to repeat a finished run, from the command line.

use clap::Args;
use jiff::{Timestamp, ToSpan};

use crate::application::force::{NoRepeat, next_generation};
use crate::application::ports::Store;
use crate::domain::run::{Force, RunRequest};
use crate::interface::cli::Trouble;

/// What repeats a run.
#[derive(Debug, Clone, Args)]
pub(super) struct Forcing {
    /// Run once more although this session's run has ended; no limit and no halt is skipped.
    #[arg(long, requires = "reason", conflicts_with = "days")]
    force: bool,
    /// Why, for the record and the letter.
    #[arg(long, value_name = "WORDS", requires = "force")]
    reason: Option<String>,
    /// Minutes for which the permission is good.
    #[arg(long, value_name = "MINUTES", requires = "force", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(i64).range(1..=60))]
    good_for: i64,
}

/// A repetition asked for.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    reason: String,
    minutes: i64,
}

impl Forcing {
    pub(super) fn wish(&self) -> Option<Wish> {
        let reason = self.reason.clone().filter(|_| self.force)?;
        Some(Wish { reason, minutes: self.good_for })
    }
}

impl Wish {
    /// The permission for a request: the next generation by the records of its session.
    pub(super) async fn force(
        self,
        request: &RunRequest,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Force, Trouble> {
        let generation = next_generation(store, &request.key()).await.map_err(|why| {
            let next = match why {
                NoRepeat::NeverBegan(_) => "run without --force",
                NoRepeat::Unfinished(_) => "finish it first: `alchemiser resume`",
                NoRepeat::Last(_) => "the next session goes on from here",
                NoRepeat::Records(_) => "see to the store, then try again",
            };
            Trouble::setting(why, next)
        })?;
        let not_after = now.saturating_add(self.minutes.minutes()).unwrap_or(now);
        Ok(Force { generation, reason: self.reason, not_after })
    }
}

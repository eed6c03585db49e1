//! The end of an invocation: what is kept of the run, and who is told.
//!
//! A run that may have sent orders gets its final record only once they are settled. Until then it
//! stays open, which is told once for each reason, however often it is resumed.

use tokio::join;

use crate::application::close::settled;
use crate::application::journal::{Journal, Kept, PlanRecord};
use crate::application::run::{Ended, House};
use crate::application::tell::{Once, Sent, tell};
use crate::application::trouble;
use crate::domain::mutant::{Mutant, is_planted};
use crate::domain::report::{RunReport, Verdict};

/// Record of the letter about a run's end.
const RUN_LETTER: &str = "mail/run.json";

/// What is kept of a run at the end of an invocation.
pub(super) enum Keeping<'a> {
    /// Its final record.
    Final(Held<'a>),
    /// Nothing: a later invocation goes on with it.
    LeftOpen(Held<'a>),
    /// Nothing: it could not even be claimed, and a later invocation may.
    Unclaimed,
    /// Nothing: there is no run to keep anything of.
    Nothing,
}

/// A run's journal and the lease to be given back, if there is one.
pub(super) struct Held<'a> {
    pub(super) journal: &'a Journal<'a>,
    pub(super) epoch: Option<usize>,
}

/// True unless the run certainly has no plan. A final record without the orders of a plan would
/// leave their fills out of the ledger for good.
pub(super) async fn is_planned(journal: &Journal<'_>) -> bool {
    !matches!(journal.read::<PlanRecord>("plan.json").await, Ok(None))
}

/// Keeps the report and tells the operator.
pub(super) async fn finish(
    mut report: RunReport,
    house: &House<'_>,
    keeping: Keeping<'_>,
) -> Ended {
    settled(&mut report, house);
    let mut kept = Ok(());
    let mut sent_before = Sent::Perhaps { since: None };
    let mut about = None;
    if is_planted(Mutant::MailFirst) && matches!(keeping, Keeping::Final(_)) {
        tell(&mut report, house, None).await;
    }
    if let Keeping::Final(Held { journal, .. }) = &keeping {
        match journal.keep("final.json", report.previous.clone().as_deref(), &report).await {
            Ok(stored) => {
                // It is only sent after this record, by whoever wrote it.
                let theirs = Sent::Perhaps { since: Some(stored.at) };
                sent_before = if stored.mine { Sent::Never } else { theirs };
                about = Some(stored.hash);
                report = stored.body;
            }
            Err(error) => {
                report.verdict = Verdict::Failed; // whatever was traded: a later invocation ends it
                report.summary = format!("{}; its final record is not kept", report.summary);
                report.incidents.insert(0, trouble::journal(&error));
                kept = Err(error);
            }
        }
    }
    let left_open = matches!(keeping, Keeping::LeftOpen(_) | Keeping::Unclaimed);
    let (held, name) = match keeping {
        Keeping::Final(held) if kept.is_ok() => (Some(held), RUN_LETTER.to_owned()),
        Keeping::Final(held) | Keeping::LeftOpen(held) => {
            let code = report.incidents.first().map_or("open", |incident| incident.code.as_str());
            (Some(held), format!("mail/{code}.json"))
        }
        Keeping::Unclaimed | Keeping::Nothing => (None, String::new()),
    };
    let once = held.as_ref().map(|held| Once { journal: held.journal, name, about, sent_before });
    let (mailed, ()) = join!(tell(&mut report, house, once), give_back(held.as_ref()));
    Ended::Reported { report: Box::new(report), mailed, kept, left_open }
}

async fn give_back(held: Option<&Held<'_>>) {
    if let Some(Held { journal, epoch: Some(epoch) }) = held {
        let _ = journal.release(*epoch).await; // a lease not given back runs out by itself
    }
}

/// Tells of a run that had ended before, if that is still owed.
pub(super) async fn repeated(
    Kept { body: mut report, hash, at, .. }: Kept<RunReport>,
    house: &House<'_>,
    journal: &Journal<'_>,
) -> Ended {
    let name = RUN_LETTER.to_owned();
    let sent_before = Sent::Perhaps { since: Some(at) };
    let once = Once { journal, name, about: Some(hash), sent_before };
    let mailed = tell(&mut report, house, Some(once)).await;
    Ended::Repeated { report: Box::new(report), mailed }
}

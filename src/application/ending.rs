//! The end of an invocation: what is kept of the run, and who is told.
//!
//! A run that may have sent orders gets its final record only once they are settled. Until then it
//! stays open, which is told once for each reason, however often it is resumed.

use crate::application::close::settled;
use crate::application::journal::{Journal, PlanRecord};
use crate::application::run::{Ended, House};
use crate::application::tell::tell;
use crate::application::trouble;
use crate::domain::report::RunReport;

/// Record of the letter about a run's end.
const RUN_LETTER: &str = "mail/run.json";

/// What is kept of a run at the end of an invocation.
pub(super) enum Keeping<'a> {
    /// Its final record.
    Final(&'a Journal<'a>),
    /// Nothing: a later invocation goes on with it.
    LeftOpen(&'a Journal<'a>),
    /// Nothing: it could not even be claimed, and a later invocation may.
    Unclaimed,
    /// Nothing: there is no run to keep anything of.
    Nothing,
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
    if let Keeping::Final(journal) = &keeping {
        match journal.keep("final.json", report.previous.clone().as_deref(), &report).await {
            Ok(stored) => report = stored.body,
            Err(error) => {
                report.incidents.push(trouble::journal(&error));
                kept = Err(error);
            }
        }
    }
    let left_open = matches!(keeping, Keeping::LeftOpen(_) | Keeping::Unclaimed);
    let once = match keeping {
        Keeping::Final(journal) => Some((journal, RUN_LETTER.to_owned())),
        Keeping::LeftOpen(journal) => {
            let code = report.incidents.first().map_or("open", |incident| incident.code.as_str());
            Some((journal, format!("mail/{code}.json")))
        }
        Keeping::Unclaimed | Keeping::Nothing => None,
    };
    let mailed = tell(&mut report, house, once).await;
    Ended::Reported { report: Box::new(report), mailed, kept, left_open }
}

/// Tells of a run that had ended before, if that is still owed.
pub(super) async fn repeated(
    mut report: RunReport,
    house: &House<'_>,
    journal: &Journal<'_>,
) -> Ended {
    let mailed = tell(&mut report, house, Some((journal, RUN_LETTER.to_owned()))).await;
    Ended::Repeated { report: Box::new(report), mailed }
}

//! A day, week or month of an account, told from its records.

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::application::period::period_report;
use crate::application::ports::Clock;
use crate::domain::period::{Period, PeriodRequest, Span};
use crate::domain::session::exchange_date;
use crate::infrastructure::clock::MachineClock;
use crate::interface::cli::records::{history, open};
use crate::interface::cli::{Place, Trouble};
use crate::presentation::PeriodReport;

/// What the records of a place tell of the period around a date; the newest record's without one.
pub(super) async fn told(
    place: &Place,
    span: Span,
    of: Option<Date>,
) -> Result<PeriodReport, Trouble> {
    let store = open(place).await?;
    let today = exchange_date(MachineClock.now());
    let of = if let Some(of) = of {
        of
    } else {
        let newest = history(store.as_ref(), place).await?.newest;
        newest.map_or(today, |kept| kept.body.key.session)
    };
    let request = PeriodRequest {
        mode: place.mode,
        account: place.account.clone(),
        accounts: Vec::new(),
        period: Period::holding(span, of),
    };
    period_report(store.as_ref(), &request, today)
        .await
        .map_err(|error| Trouble::setting(error, "check the store and the rights on it"))
}

/// The figures of a period for programs.
pub(super) fn figures(report: &PeriodReport) -> Value {
    let accounts = report.accounts.iter().map(|(account, summary)| {
        let (earned, rate) = summary.earned().unzip();
        json!({
            "account": account,
            "earned": earned,
            "return": rate.flatten(),
            "paid_in": summary.paid_in(),
            "market": summary.market(),
            "sleeves": summary.sleeves(),
            "summary": summary,
        })
    });
    json!({
        "period": report.period.to_string(),
        "first": report.period.first,
        "last": report.period.last,
        "mode": report.mode,
        "good": report.is_good(),
        "accounts": accounts.collect::<Vec<Value>>(),
    })
}

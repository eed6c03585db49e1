//! What came of an invocation, in short texts that a test can compare whole.

use std::fmt::Write;

use alchemiser::application::run::Ended;
use alchemiser::application::tell::Mailed;
use alchemiser::domain::incident::Category;
use alchemiser::domain::report::{RunReport, Verdict};
use alchemiser::domain::sleeve::ledger::Ledger;

/// What came of an invocation.
pub(crate) struct Told {
    pub(crate) ended: Ended,
}

impl Told {
    pub(crate) fn report(&self) -> &RunReport {
        match &self.ended {
            Ended::Reported { report, .. } | Ended::Repeated { report, .. } => report,
            Ended::InProgress(key) => panic!("{key} is in progress"),
            Ended::NothingOpen(key) => panic!("{key} was never opened"),
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        self.report().verdict
    }

    pub(crate) fn is_repeated(&self) -> bool {
        matches!(self.ended, Ended::Repeated { .. })
    }

    pub(crate) fn is_in_progress(&self) -> bool {
        matches!(self.ended, Ended::InProgress(_))
    }

    pub(crate) fn is_kept(&self) -> bool {
        matches!(&self.ended, Ended::Reported { kept: Ok(()), .. })
    }

    pub(crate) fn mailed(&self) -> &Mailed {
        match &self.ended {
            Ended::Reported { mailed, .. } | Ended::Repeated { mailed, .. } => mailed,
            Ended::InProgress(key) | Ended::NothingOpen(key) => panic!("{key}: no mail"),
        }
    }

    /// Every incident with its code, worst first: `CRITICAL order-unknown`.
    pub(crate) fn incidents(&self) -> Vec<String> {
        let all = self.report().incidents.iter();
        all.map(|incident| format!("{} {}", incident.category, incident.code)).collect()
    }

    /// The same without warnings.
    pub(crate) fn errors(&self) -> Vec<String> {
        let all = self.report().incidents.iter();
        let errors = all.filter(|incident| incident.category < Category::Warning);
        errors.map(|incident| format!("{} {}", incident.category, incident.code)).collect()
    }

    /// Who owns what after the run: `a: BIL 490, SPY 98 | foreign: GLD 2`.
    pub(crate) fn sleeves(&self) -> String {
        self.report().ledger.as_ref().map_or_else(|| "no ledger".to_owned(), sleeves)
    }

    /// Every outcome: `sell SPY 98 of 98`.
    pub(crate) fn outcomes(&self) -> Vec<String> {
        let outcomes = self.report().execution.outcomes();
        outcomes
            .map(|o| format!("{} {} {} of {}", o.side, o.symbol, o.filled(), o.planned))
            .collect()
    }
}

pub(crate) fn sleeves(ledger: &Ledger) -> String {
    let mut text = String::new();
    let all = ledger.sleeves.iter().map(|(name, sleeve)| (name.as_str(), &sleeve.shares));
    for (name, shares) in all.chain([("foreign", &ledger.foreign)]) {
        if shares.is_empty() {
            continue;
        }
        let listed: Vec<String> = shares.iter().map(|(s, n)| format!("{s} {n}")).collect();
        let between = if text.is_empty() { "" } else { " | " };
        write!(text, "{between}{name}: {}", listed.join(", ")).unwrap();
    }
    text
}

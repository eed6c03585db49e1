//! A strategy's text looked at before it trades: what cannot be read, and what can be read and is
//! probably not meant.
//!
//! In reading order: `finding` (what is said), `walk` (every way a decision can take) with `facts`
//! (what is known on it) and `units`; `portfolio` (weightings and rankings); `tickers` and `labels`.
//! Only what is certain of the evaluator's own numbers is called certain. A text that cannot be read
//! is not looked at for anything else.

mod facts;
mod finding;
mod labels;
mod portfolio;
#[cfg(test)]
mod tests;
mod tickers;
mod units;
mod walk;
mod words;

pub use crate::domain::symphony::lint::finding::{Code, Finding, Related, Severity};
pub use crate::domain::symphony::lint::tickers::Against;

use bumpalo::Bump;

use crate::domain::symphony::form::Source;
use crate::domain::symphony::lint::finding::Findings;
use crate::domain::symphony::lint::walk::{Reached, Walk};
use crate::domain::symphony::read::survey;
use crate::domain::symphony::tree::Tree;

/// Funds of nothing but Treasury bills, or notes whose rate follows theirs: as good as cash.
const BILLS: [&str; 13] = [
    "BIL", "SHV", "SGOV", "BILS", "GBIL", "TBIL", "XBIL", "XHLF", "TBLL", "CLIP", "VBIL", "USFR",
    "TFLO",
];

/// What there is to say of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// In the order of the text.
    pub findings: Vec<Finding>,
    /// Different findings beyond those.
    pub left_out: usize,
}

impl Checked {
    /// A file that is no text from one of its bytes on.
    pub fn not_text(at: usize) -> Self {
        let what = "this byte belongs to no character of UTF-8".to_owned();
        let next = "save the file as UTF-8";
        // Shown as the sign that stands for what cannot be shown.
        let place = at..at + char::REPLACEMENT_CHARACTER.len_utf8();
        Self { findings: vec![Finding::new(Code::Unreadable, &place, what, next)], left_out: 0 }
    }
}

/// Checks the text of a strategy, in either encoding.
///
/// ```
/// use alchemiser::domain::symphony::lint::{Against, check};
/// let text = r#"(defsymphony "Calm" {}
///   (if (> (rsi "SPY" {:window 10}) 101) [(asset "UVXY")] [(asset "BIL")]))"#;
/// let found = check(text, &Against::default()).findings;
/// let words: Vec<&str> = found.iter().map(|finding| finding.what.as_str()).collect();
/// assert_eq!(words, ["RSI(10) of SPY > 101 never holds", "this branch is never taken"]);
/// ```
pub fn check(text: &str, against: &Against<'_>) -> Checked {
    let room = Bump::new();
    let form = match Source(text).form(&room) {
        Ok(form) => form,
        Err(error) => return Checked { findings: vec![error.into()], left_out: 0 },
    };
    let (tree, mut outline) = match survey(text, &form) {
        Ok(read) => read,
        Err(errors) => {
            let findings = errors.into_iter().map(Finding::from).collect();
            return Checked { findings, left_out: 0 };
        }
    };
    let mut findings = Findings::default();
    labels::look(&form, &mut findings);
    tickers::look(&tree, &outline, against, &mut findings);
    let occurrences = outline.occurrences(&tree);
    let reached = Walk::over(&tree, &occurrences, against, &mut findings);
    if let Some(root) = occurrences.root()
        && !reaches_cash(&tree, &reached)
    {
        let what = "nothing here leads to cash or to Treasury bills".to_owned();
        let next = "give one branch to (asset \"BIL\"), or to nothing: []";
        let finding = Finding::new(Code::NoCashLeg, &root.place, what, next)
            .because("it is invested on every day, whatever happens");
        findings.add((0, 0), finding);
    }
    let (findings, left_out) = findings.sorted();
    Checked { findings, left_out }
}

fn reaches_cash(tree: &Tree, reached: &Reached) -> bool {
    let mut held = tree.symbols.iter().zip(&reached.held).filter(|(_, held)| **held);
    reached.cash || held.any(|(symbol, _)| BILLS.contains(&symbol.as_str()))
}

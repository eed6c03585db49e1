//! The guide: for every code of an incident what it is, why it happens, what to do now, and how to
//! prevent it. Compiled in, so that it is at hand when nothing else is.

use crate::domain::code::Code;

const TEXT: &str = include_str!("guide.md");
/// The page of what the gate refuses, for rules without one of their own.
const GATE: &str = "gate";

/// What the guide says of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The code.
    pub code: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Why it happens.
    pub why: &'static str,
    /// What to do now.
    pub now: &'static str,
    /// How to prevent it.
    pub prevent: &'static str,
}

/// The page of a code as letters and records show it; `None` for one that no program of this version
/// writes.
pub fn page(code: &str) -> Option<Page> {
    let exact = pages().find(|page| page.code == code);
    exact.or_else(|| {
        let is_gate = code.strip_prefix("gate-").is_some_and(|rule| !rule.is_empty());
        pages().find(|page| is_gate && page.code == GATE)
    })
}

/// All pages, in the order of the guide: by code, the gate last.
pub fn pages() -> impl Iterator<Item = Page> {
    TEXT.split("## ").skip(1).map(|section| {
        let (code, body) = section.split_once('\n').unwrap_or((section, ""));
        let part = |name: &str| {
            let line = body.lines().find_map(|line| line.strip_prefix(name));
            line.map_or("", str::trim)
        };
        let (what, why) = (part("What:"), part("Why:"));
        Page { code, what, why, now: part("Now:"), prevent: part("Prevent:") }
    })
}

/// The code that was probably meant.
pub fn meant(code: &str) -> Option<String> {
    crate::domain::spelling::meant(code, pages().map(|page| page.code))
}

/// Every code that a page is owed for.
pub fn owed() -> impl Iterator<Item = String> {
    Code::ALL.iter().map(|code| code.word().into_owned()).chain([GATE.to_owned()])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_has_one_page_and_every_page_a_code() {
        let owed: BTreeSet<String> = owed().collect();
        let codes: Vec<&str> = pages().map(|page| page.code).collect();
        let written: BTreeSet<String> = codes.iter().map(|code| (*code).to_owned()).collect();
        assert_eq!(written.len(), codes.len(), "one page each");
        let missing: Vec<_> = owed.difference(&written).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let more: Vec<_> =
            written.difference(&owed).filter(|code| !code.starts_with("gate-")).collect();
        assert!(more.is_empty(), "{more:?}");
        assert!(codes[..codes.len() - 9].is_sorted(), "by code, the gate last");
    }

    #[test]
    fn every_page_answers_all_four_questions_in_sentences() {
        for page in pages() {
            for part in [page.what, page.why, page.now, page.prevent] {
                let is_sentence = part.ends_with('.') && part.starts_with(char::is_uppercase)
                    || part.starts_with('`');
                assert!(is_sentence && part.len() < 200, "{}: {part:?}", page.code);
            }
        }
        let parts = TEXT.lines().filter(|line| !line.is_empty()).count();
        assert_eq!(parts, 5 * pages().count(), "a line that no page shows");
    }

    #[test]
    fn a_rule_of_the_gate_without_a_page_of_its_own_has_the_gates() {
        assert_eq!(page("gate-writes").unwrap().code, "gate");
        assert_eq!(page("gate-drawdown").unwrap().code, "gate-drawdown");
        assert_eq!((page("gate-"), page("nonsense")), (None, None));
        assert_eq!(meant("order-unknwon").unwrap(), "did you mean order-unknown?");
    }
}

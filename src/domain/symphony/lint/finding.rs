//! What a check found: where, what it means, and the one thing to do.

use std::collections::BTreeMap;

use crate::domain::symphony::form::ReadError;
use crate::domain::symphony::places::Place;

/// Most different findings of one text that are kept; the others are counted.
const FINDINGS_MAX: usize = 500;
/// Most further places of one finding that are kept; the others are counted.
const PLACES_MAX: usize = 20;

/// Whether a text can be used as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It is no strategy.
    Error,
    /// It is one, and probably not the one that was meant.
    Warning,
}

/// What kind of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// The text cannot be read.
    Unreadable,
    /// A comparison that is never true where it stands.
    NeverHolds,
    /// A comparison that is always true where it stands.
    AlwaysHolds,
    /// A branch that is never taken.
    UnreachableBranch,
    /// Both branches of a choice are the same.
    SameBranches,
    /// A child listed more than once in one place.
    DuplicateCandidate,
    /// A ranking that takes all it ranks.
    PicksAll,
    /// Both sides of one index in one weighting.
    SelfCancelling,
    /// A child with no weight.
    WeightOfZero,
    /// A value compared with one of another kind.
    UnlikeUnits,
    /// A price compared with a fixed number.
    FixedPrice,
    /// A level between 0 and 1 for an index that runs to 100.
    FractionForPercent,
    /// A ticker that the list of assets does not have.
    UnknownTicker,
    /// A ticker that cannot be traded.
    NotTradable,
    /// A window longer than what there is of closes.
    ShortHistory,
    /// No way to cash nor to Treasury bills.
    NoCashLeg,
    /// A key that stands twice in one map.
    RepeatedKey,
    /// An id that two nodes have.
    RepeatedId,
}

/// Another place that has to do with it, and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Bytes of the text.
    pub place: Place,
    /// What was decided or written there.
    pub what: String,
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub code: Code,
    /// Bytes of the text it is about.
    pub place: Place,
    /// What is the matter, in one sentence.
    pub what: String,
    /// Why, or what comes of it.
    pub why: Option<String>,
    /// The other place it has to do with.
    pub related: Option<Related>,
    /// The one thing to do.
    pub next: String,
    /// In how many more places the same was found.
    pub more: usize,
    /// The first of those places.
    pub also: Vec<Place>,
}

/// What identifies a finding wherever it occurs: the part of the strategy, and a detail of it.
pub(crate) type Subject = (usize, usize);

/// Findings, each once.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    found: Vec<Finding>,
    known: BTreeMap<(Code, Subject, String), usize>,
    left_out: usize,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Unreadable,
        Self::NeverHolds,
        Self::AlwaysHolds,
        Self::UnreachableBranch,
        Self::SameBranches,
        Self::DuplicateCandidate,
        Self::PicksAll,
        Self::SelfCancelling,
        Self::WeightOfZero,
        Self::UnlikeUnits,
        Self::FixedPrice,
        Self::FractionForPercent,
        Self::UnknownTicker,
        Self::NotTradable,
        Self::ShortHistory,
        Self::NoCashLeg,
        Self::RepeatedKey,
        Self::RepeatedId,
    ];

    /// Its word on a command line and in documents.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NeverHolds => "never-holds",
            Self::AlwaysHolds => "always-holds",
            Self::UnreachableBranch => "unreachable-branch",
            Self::SameBranches => "same-branches",
            Self::DuplicateCandidate => "duplicate-candidate",
            Self::PicksAll => "picks-all",
            Self::SelfCancelling => "self-cancelling",
            Self::WeightOfZero => "weight-of-zero",
            Self::UnlikeUnits => "unlike-units",
            Self::FixedPrice => "fixed-price",
            Self::FractionForPercent => "fraction-for-percent",
            Self::UnknownTicker => "unknown-ticker",
            Self::NotTradable => "not-tradable",
            Self::ShortHistory => "short-history",
            Self::NoCashLeg => "no-cash-leg",
            Self::RepeatedKey => "repeated-key",
            Self::RepeatedId => "repeated-id",
        }
    }

    /// The code of a word.
    pub fn worded(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.word() == word)
    }

    /// How much it matters.
    pub const fn severity(self) -> Severity {
        if matches!(self, Self::Unreadable) { Severity::Error } else { Severity::Warning }
    }
}

impl Severity {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Finding {
    /// A finding at a place.
    pub(crate) fn new(code: Code, place: &Place, what: String, next: &str) -> Self {
        let (place, next) = (place.clone(), next.to_owned());
        Self { code, place, what, why: None, related: None, next, more: 0, also: Vec::new() }
    }

    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    pub(crate) fn beside(mut self, place: &Place, what: impl Into<String>) -> Self {
        self.related = Some(Related { place: place.clone(), what: what.into() });
        self
    }
}

impl From<ReadError> for Finding {
    fn from(error: ReadError) -> Self {
        let ReadError { expected, found, span, hint, .. } = error;
        let what = format!("expected {expected}, found {found}");
        let next = hint.unwrap_or_else(|| "write what is expected there".to_owned());
        Self::new(Code::Unreadable, &span, what, &next)
    }
}

impl Findings {
    /// Adds a finding about a subject; the same about the same is only counted.
    pub(crate) fn add(&mut self, subject: Subject, finding: Finding) {
        let words = match &finding.related {
            Some(related) => format!("{}\n{}", finding.what, related.what),
            None => finding.what.clone(),
        };
        let key = (finding.code, subject, words);
        if let Some(known) = self.known.get(&key) {
            let known = &mut self.found[*known];
            known.more += 1;
            if known.also.len() < PLACES_MAX {
                known.also.push(finding.place);
            }
        } else if self.found.len() < FINDINGS_MAX {
            self.known.insert(key, self.found.len());
            self.found.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    /// All of them in the order of the text, and how many more there were.
    pub(crate) fn sorted(mut self) -> (Vec<Finding>, usize) {
        self.found.sort_by_key(|finding| (finding.place.start, finding.code));
        (self.found, self.left_out)
    }
}

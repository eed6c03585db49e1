//! Planted faults: what this system would do if one of its safeguards were missing.
//!
//! A simulation that has never been shown to catch a fault proves nothing. Each fault here is one
//! line of the real code left out or turned round; the trials have to catch every one of them. They
//! exist only with the feature `mutants`, which a release build refuses, and one is planted for one
//! thread at a time; without the feature the question is a constant no.

#[cfg(feature = "mutants")]
use std::cell::Cell;

#[cfg(all(feature = "mutants", not(debug_assertions)))]
compile_error!("planted faults have no place in a release build");

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident $word:literal),* $(,)?) => {
        /// A safeguard that is missing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mutant {
            $($(#[$doc])* $name),*
        }

        impl Mutant {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in lists.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word),*
                }
            }
        }
    };
}

mutants! {
    /// Order ids are made up anew by every process.
    RandomIds "random-ids",
    /// A resume makes a plan of its own.
    PlanAgain "plan-again",
    /// What is in memory counts more than what the store holds.
    MemoryOverStore "memory-over-store",
    /// An order that is not found after a lost answer is sent under a new id.
    NewIdAfterNotFound "new-id-after-not-found",
    /// The next attempt does not wait for the end of the one before.
    NextBeforeCancelled "next-before-cancelled",
    /// Buys are sized by twice the cash, as buying power would be.
    BuyingPower "buying-power",
    /// Buys are sized by what the sells should have brought.
    PlannedProceeds "planned-proceeds",
    /// The reserve is spent too.
    ReserveSpent "reserve-spent",
    /// Buys do not wait for the sells.
    BuysAtOnce "buys-at-once",
    /// A message on the stream is taken for an execution.
    StreamIsTruth "stream-is-truth",
    /// An attempt is for the whole order, whatever was executed before.
    RestForgetsFills "rest-forgets-fills",
    /// A lost answer is taken for a refusal.
    LostMeansRefused "lost-means-refused",
    /// An id that is taken already is taken for a refusal.
    DuplicateMeansRefused "duplicate-means-refused",
    /// An order whose end was not seen is taken for gone.
    UnknownMeansGone "unknown-means-gone",
    /// Nobody looks for the orders of an earlier process.
    NobodyAdopts "nobody-adopts",
    /// The cut-off before the close is forgotten.
    NoCutoff "no-cutoff",
    /// A plan never grows old.
    PlanNeverOld "plan-never-old",
    /// An event never comes too late.
    NeverTooLate "never-too-late",
    /// Clocks may differ.
    SkewIgnored "skew-ignored",
    /// The operator is asked once, before the plan.
    AskedOnce "asked-once",
    /// No answer from the operator is a yes.
    SilenceIsConsent "silence-is-consent",
    /// A lease never runs out.
    LeaseForEver "lease-for-ever",
    /// The invocation's end is no reason to hurry.
    DeadlineIgnored "deadline-ignored",
    /// The run that was left open is not concluded.
    LeftOpenForgotten "left-open-forgotten",
    /// A run is ended without its orders when they cannot be read.
    EndedWithoutOrders "ended-without-orders",
    /// Lost records are taken for a first day.
    LostIsFirst "lost-is-first",
    /// A strategy that fails is taken to want nothing.
    FailureSells "failure-sells",
    /// A jump of the price is never a split.
    SplitIgnored "split-ignored",
    /// A sleeve is given what was ordered, not what was executed.
    OrderedMeansBought "ordered-means-bought",
    /// Shares that belong to nobody are counted as the first sleeve's.
    ForeignTaken "foreign-taken",
    /// The letter goes out before the final record is kept.
    MailFirst "mail-first",
    /// The run's letter is sent again by every resume.
    MailAgain "mail-again",
    /// The dead-man check finds nothing wrong, ever.
    WatchSleeps "watch-sleeps",
    /// A repetition by force begins whatever became of the run before.
    ForceAnyway "force-anyway",
    /// Limits are not rounded to a tick.
    NoTick "no-tick",
    /// Another version of the code goes on with a plan it did not make.
    AnyVersion "any-version",
    /// The buy plan is not kept before the buys.
    BuyPlanNotKept "buy-plan-not-kept",
    /// An attempt leaves without its record.
    AttemptNotKept "attempt-not-kept",
}

#[cfg(feature = "mutants")]
thread_local! {
    static PLANTED: Cell<Option<Mutant>> = const { Cell::new(None) };
}

/// Plants a fault for this thread, or takes it out.
#[cfg(feature = "mutants")]
pub fn plant(mutant: Option<Mutant>) {
    PLANTED.set(mutant);
}

/// Whether a fault is planted here.
#[cfg(feature = "mutants")]
pub fn is_planted(mutant: Mutant) -> bool {
    PLANTED.get() == Some(mutant)
}

/// Whether a fault is planted here: never.
#[cfg(not(feature = "mutants"))]
pub const fn is_planted(_mutant: Mutant) -> bool {
    false
}

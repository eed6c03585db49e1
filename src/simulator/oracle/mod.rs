//! Judges a trial by what really happened, and by nothing that the product says of itself.
//!
//! Independent on purpose: it reads the exchange's own book, the bytes that the store took and the
//! letters that went out, with a reading of its own of every record and every order id. It shares
//! no function with the code it judges, so that a mistake there is not made here as well.
//!
//! [`orders`] is about what was sent and executed, [`money`] about cash and shares, [`guards`]
//! about when nothing may be sent, [`records`] about what was written, [`telling`] about what the
//! operator learns. Each check has a name; a violation carries it.

pub mod guards;
pub mod money;
pub mod orders;
pub mod reading;
pub mod records;
pub mod telling;

use crate::simulator::oracle::reading::Evidence;
use crate::simulator::trial::truth::Truth;

/// Something that must never happen, and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Name of the check.
    pub check: &'static str,
    /// What was found.
    pub what: String,
}

/// A check by its name, with the invariants it watches over.
pub type Check = (&'static str, &'static str, fn(&Evidence<'_>, &mut Findings));

/// What a check found.
#[derive(Debug, Default)]
pub struct Findings {
    check: &'static str,
    found: Vec<Violation>,
}

/// Every check: name, invariants, function.
pub const CHECKS: &[Check] = &[
    ("ids-are-ours", "I1 I31", orders::ids_are_ours),
    ("plan-before-order", "I1 I6 I12", orders::plan_before_order),
    ("filled-at-most-planned", "I1 I19", orders::filled_at_most_planned),
    ("one-side", "I1b", orders::one_side),
    ("attempts-in-turn", "I14", orders::attempts_in_turn),
    ("same-id-never-larger", "I15", orders::same_id_never_larger),
    ("buys-after-sells", "I16 I17", orders::buys_after_sells),
    ("on-the-tick", "I13", orders::on_the_tick),
    ("attempts-bounded", "I19 I25", orders::attempts_bounded),
    ("none-left-open", "L3", orders::none_left_open),
    ("never-short", "I2", money::never_short),
    ("cash-never-negative", "I3", money::cash_never_negative),
    ("buys-within-budget", "I3 I9", money::buys_within_budget),
    ("foreign-untouched", "I20", money::foreign_untouched),
    ("ledger-is-the-account", "I35", money::ledger_is_the_account),
    ("weights-are-weights", "I9", money::weights_are_weights),
    ("failure-sells-nothing", "I10 I8", guards::failure_sells_nothing),
    ("cash-only-when-said", "I11", guards::cash_only_when_said),
    ("in-session", "I4", guards::in_session),
    ("late-never-trades", "I22", guards::late_never_trades),
    ("skew-never-trades", "I23", guards::skew_never_trades),
    ("halt-stops-orders", "I18", guards::halt_stops_orders),
    ("universe", "I24", guards::universe),
    ("split-waits", "I33", guards::split_waits),
    ("lost-records-stop", "I34", guards::lost_records_stop),
    ("another-version-sends-nothing", "I5", guards::another_version_sends_nothing),
    ("preview-sends-nothing", "I5", guards::preview_sends_nothing),
    ("generations-in-turn", "I21", guards::generations_in_turn),
    ("one-plan", "I1b I29", records::one_plan),
    ("records-never-change", "I29", records::records_never_change),
    ("chain-holds", "I29", records::chain_holds),
    ("every-run-ends", "I6 I32 L1", records::every_run_ends),
    ("final-tells-the-truth", "I27 I26", records::final_tells_the_truth),
    ("secrets-show-nowhere", "I7", telling::secrets_show_nowhere),
    ("ends-in-time", "I25", telling::ends_in_time),
    ("somebody-is-told", "I6 I28 L2", telling::somebody_is_told),
    ("told-once", "I28", telling::told_once),
    ("told-after-the-end", "I6 I27", telling::told_after_the_end),
    ("calm-is-perfect", "I30", telling::calm_is_perfect),
];

/// Everything that is wrong with a trial; nothing for a good one.
pub fn judge(truth: &Truth) -> Vec<Violation> {
    let evidence = Evidence::of(truth);
    let mut findings = Findings::default();
    for (name, _, check) in CHECKS {
        findings.check = name;
        check(&evidence, &mut findings);
    }
    findings.found
}

impl Findings {
    /// Notes a violation of the check at work unless something holds.
    pub fn require(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.found.push(Violation { check: self.check, what: what() });
        }
    }
}

//! Looks of the watch, one of each finding.

use jiff::civil::date;

use crate::domain::code::Code;
use crate::domain::incident::{Category, Incident};
use crate::domain::report::Verdict;
use crate::domain::watch::{Before, Ending, Finding, Lease, Look, Phase, Planned, Traces};
use crate::presentation::sample::{at, bad_day, blocked_day, key, trading_day, unknown_day};

/// One of each finding, with a name.
pub(crate) fn looks() -> Vec<(&'static str, Look)> {
    let findings = vec![
        ("not-due", Finding::NotDue),
        ("recovered", Finding::Good(Ending::of(&trading_day()))),
        ("blocked", Finding::NotGood(Ending::of(&blocked_day()))),
        ("partial", Finding::NotGood(Ending::of(&bad_day()))),
        ("unknown", Finding::NotGood(Ending::of(&unknown_day()))),
        ("at-work", Finding::AtWork(Traces { lease: Some(lease("15:00:05", false)), ..halfway() })),
        ("left-open", Finding::LeftOpen(halfway())),
        ("left-open-early", Finding::LeftOpen(without_plan())),
        ("never-ran", Finding::NeverRan(before())),
        ("never-ran-first", Finding::NeverRan(Before::Nothing)),
        ("unreadable", Finding::Unreadable(Box::new(unreadable()))),
        ("refused", Finding::Refused(Box::new(refused()))),
    ];
    let look = |finding| Look { run: key(), at: at("15:00:02"), finding };
    findings.into_iter().map(|(name, finding)| (name, look(finding))).collect()
}

/// The record of a look could not be written.
pub(crate) fn not_recorded() -> Incident {
    let what = "this look is not on record: store denied watch/paper/main: no right";
    Incident::new(Category::Configuration, Code::WatchNotRecorded, "watch", what)
        .meaning("The watch goes on, but it may tell the same twice.")
        .action("Give the watcher its right to list, read and write below watch/ in the bucket.")
}

fn lease(until: &str, returned: bool) -> Lease {
    Lease { until: at(until), returned }
}

fn halfway() -> Traces {
    Traces {
        deliveries: 4,
        opened_at: Some(at("14:35:02")),
        lease: Some(lease("14:59:37", false)),
        plan: Some(Planned { sells: 2, buys: 6, valid_until: at("14:50:05") }),
        sells: Some(Phase { orders: 2, filled: 2, unknown: 0 }),
        buy_plan: Some(6),
        buys: None,
        repeats: 3,
        mailed: vec!["store-unavailable".to_owned()],
        orders_until: Some(at("14:50:05")),
        newest: Some(("att/B/TECL/2.json".to_owned(), at("14:36:44"))),
    }
}

fn without_plan() -> Traces {
    Traces {
        deliveries: 1,
        opened_at: Some(at("14:35:02")),
        lease: Some(lease("14:40:07", true)),
        mailed: vec!["broker-unreachable".to_owned()],
        orders_until: Some(at("15:10:00")),
        newest: Some(("lease/0001.released".to_owned(), at("14:36:02"))),
        ..Traces::default()
    }
}

fn before() -> Before {
    let finished_at = at("14:35:43") - jiff::SignedDuration::from_hours(24);
    Before::Final { session: date(2026, 11, 19), verdict: Verdict::Done, finished_at }
}

fn unreadable() -> Incident {
    let what = "record not readable: runs/paper/main/2026-11-20/open/g0/final.json: expected value at line 1 column 1";
    Incident::new(Category::Critical, Code::JournalCorrupt, "watch", what)
        .meaning("Whether the run ended well is not known: its records cannot be read.")
        .action("Restore the record from the bucket's versions, or deploy the code that wrote it.")
}

fn refused() -> Incident {
    let what = "mode live is refused: this version cannot be armed";
    Incident::new(Category::Configuration, Code::LiveRefused, "watch", what)
        .meaning("Nothing was looked at, so nobody knows whether a run ended well.")
        .action("Watch mode paper.")
}

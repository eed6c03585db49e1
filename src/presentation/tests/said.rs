//! What is said, and what it is worked out from.

use crate::domain::execution::OrderOutcome;
use crate::domain::order::AttemptState;
use crate::domain::quality::Quality;
use crate::domain::symphony::trace::{Condition, Edge, Ranking, Step, Trace, Turn};
use crate::presentation::sample::{
    self, bad_day, blocked_day, closed_day, failed_day, preview_day, quiet_day, symbol,
    trading_day, unknown_day, usd,
};
use crate::presentation::signals::deciding;
use crate::presentation::tally::Tally;
use crate::presentation::tests::{on_one_line, text_of};
use crate::presentation::{letter_text, page_html, subject, terminal};

#[test]
fn the_subject_says_the_verdict_first() {
    let subjects: Vec<String> = sample::all().iter().map(|(_, report)| subject(report)).collect();
    assert_eq!(
        subjects,
        [
            "[PAPER OK] 20 Nov open: 8/8 filled, 1 incident, turnover 44%, $104,231 (+0.4%)",
            "[PAPER OK] 20 Nov open: nothing to trade, $104,231 (+0.4%)",
            "[PAPER PARTIAL] 20 Nov open: 6/8 filled, turnover 32%, $104,231 (+0.4%)",
            "[PAPER UNKNOWN ORDERS] 20 Nov open: Sell TQQQ, 2/8 filled, turnover 12%",
            "[PAPER BLOCKED] 20 Nov open: no orders, gate-turnover-run, $104,231 (+0.4%)",
            "[PAPER FAILED] 20 Nov open: no orders, broker-unauthorised",
            "[PAPER CLOSED] 26 Nov open: market closed, next session 27 Nov",
            "[PAPER PREVIEW] 20 Nov open: would sell 3, buy 5, turnover 44%, 1 incident",
        ]
    );
}

#[test]
fn the_letter_of_a_trading_day_reads_like_this() {
    insta::assert_snapshot!(unhashed(&letter_text(&trading_day())));
}

#[test]
fn the_letter_of_a_bad_day_reads_like_this() {
    insta::assert_snapshot!(unhashed(&letter_text(&bad_day())));
}

#[test]
fn the_terminal_of_a_quiet_day_reads_like_this() {
    insta::assert_snapshot!(unhashed(&terminal(&quiet_day())));
}

/// The text without the line that changes with every field of the plan.
fn unhashed(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("  Plan")).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_cut_short_at_the_top_stands_in_full_below() {
    let mut report = unknown_day();
    let action =
        format!("Look up TQQQ at the broker {}and then resume", "very carefully ".repeat(9));
    report.incidents[0].action = action.clone();
    let flowing = on_one_line(&letter_text(&report));
    assert!(flowing.contains(&format!("To do: {action}")), "{flowing}");
}

#[test]
fn an_order_whose_end_is_unknown_never_reads_as_nothing_open() {
    for state in [AttemptState::Unknown, AttemptState::Working, AttemptState::Sent] {
        let mut report = trading_day();
        report.execution.sells[1].attempts[1].state = state;
        let text = letter_text(&report);
        assert!(!text.contains("Nothing open"), "{state:?}");
        assert!(text.contains("Sell TQQQ"), "{state:?}");
    }
}

#[test]
fn an_account_that_could_not_be_read_is_not_called_quiet() {
    let mut report = failed_day();
    report.receipt = None; // its figures are known
    let text = letter_text(&report);
    assert!(text.contains("Not known, the account could not be read."), "{text}");
    assert!(!text.contains("$0.00"), "no figure stands in for a missing one: {text}");
}

#[test]
fn every_verdict_but_the_good_ones_names_something_to_do_or_who_does_it() {
    for (name, mut report) in sample::all() {
        report.incidents.clear();
        let text = letter_text(&report);
        let nothing = text.contains("To do?   Nothing.");
        assert_eq!(nothing, report.verdict.is_good(), "{name}: {text}");
    }
}

#[test]
fn a_closed_day_is_a_few_lines_with_the_next_session() {
    let text = letter_text(&closed_day());
    assert!(text.lines().count() <= 12, "{text}");
    let (text, receipt) = text.split_once("Receipt: ").unwrap();
    assert!(text.contains("Next session: Fri 27 Nov 2026") && !text.contains('$'), "{text}");
    assert!(receipt.contains("$0.0195"), "{receipt}");
}

#[test]
fn a_preview_says_that_nothing_was_sent_and_what_would_be() {
    let text = letter_text(&preview_day());
    assert!(text.contains("No, preview: would sell 3 for $27,091.65 and buy 5 for $45,253.56."));
    assert!(!text.contains("not sent"), "{text}");
}

#[test]
fn a_blocked_run_shows_the_orders_it_did_not_send_and_the_limit_that_stopped_it() {
    let text = letter_text(&blocked_day());
    assert!(text.contains("No, none of 8 planned orders was sent."), "{text}");
    assert_eq!(text.matches(": not sent").count(), 8);
    let limits = text.split("LIMITS").nth(1).unwrap();
    assert!(limits.trim_start().starts_with("1 of 10 limits stopped the plan."), "{limits}");
    assert!(limits.contains("Turnover of this run: 118.2% of 100.0%\n    Exceeded"), "{limits}");
}

#[test]
fn a_day_without_trades_says_why_for_every_symbol() {
    let text = letter_text(&quiet_day());
    assert!(text.contains("On target: BWXT, LEU, SMR, SOXL, TECL."), "{text}");
    assert!(text.contains("0.10 higher would turn it"), "{text}");
}

#[test]
fn the_deciding_condition_is_the_one_with_the_smallest_margin() {
    let condition = |left: &str, margin| {
        Step::Condition(Condition {
            depth: 0,
            left: left.to_owned(),
            left_value: 70.0,
            comparison: "<".to_owned(),
            right: "SMA(20) of QQQ".to_owned(),
            right_value: 72.5,
            holds: true,
            margin,
            turn: None,
        })
    };
    let steps = vec![
        condition("A", 0.2),
        condition("B", 0.01),
        condition("C", f64::NAN),
        condition("D", 0.3),
    ];
    assert_eq!(
        deciding(&Trace { steps }).unwrap(),
        "B is 70.00, below SMA(20) of QQQ at 72.50: 2.50 higher would turn it."
    );
    assert_eq!(deciding(&Trace::default()), None);
    let mut decided = condition("RSI(10) of SPY", 0.1);
    let Step::Condition(step) = &mut decided else { panic!("a condition") };
    let instead = Some(Edge { close: 512.301, percent: 0.4123 });
    step.turn = Some(Turn { symbol: symbol("SPY"), close: 510.2, instead, next: None });
    assert_eq!(
        deciding(&Trace { steps: vec![decided.clone()] }).unwrap(),
        "RSI(10) of SPY is 70.00, below SMA(20) of QQQ at 72.50: 2.50 higher would turn it, \
         SPY at 512.31 (+0.41%)."
    );
    let Step::Condition(step) = decided else { panic!("a condition") };
    let turn = step.turn.clone();
    let ranking = Ranking {
        depth: 0,
        by: "return over 20 days".to_owned(),
        order: "highest".to_owned(),
        scores: vec![("SPY".to_owned(), 2.0), ("QQQ".to_owned(), 1.5)],
        picked: 1,
        margin: Some(0.005),
        turn,
    };
    assert_eq!(
        deciding(&Trace { steps: vec![Step::Ranking(ranking)] }).unwrap(),
        "Ranked by return over 20 days, highest first: SPY 2.00 before QQQ 1.50, 0.50 apart. \
         SPY at 512.31 (+0.41%) would turn it."
    );
    let never = step.turn.map(|turn| Turn { instead: None, ..turn });
    let step = Condition { turn: never, comparison: "<=".to_owned(), ..step };
    assert!(deciding(&Trace { steps: vec![Step::Condition(step)] }).unwrap().ends_with(
        "at or below SMA(20) of QQQ at 72.50: 2.50 higher would turn it, which no price of SPY does."
    ));
}

#[test]
fn a_holding_without_a_price_is_said_and_not_valued_at_nothing() {
    let mut report = trading_day();
    report.prices.remove(&symbol("SMR"));
    let text = terminal(&report);
    assert!(text.contains("$19,128.71 or more"), "{text}");
    assert!(text.contains("SMR 310 (no price)"), "{text}");
}

#[test]
fn shortfall_is_measured_from_the_mid_at_the_first_attempt() {
    let report = trading_day();
    let sell = Quality::of(&report.execution.sells[1], &report);
    assert_eq!(sell.cost.unwrap(), usd("3.93")); // 150 x 0.01 and 60.75 x 0.04
    let better = Quality::of(&report.execution.sells[2], &report);
    assert_eq!(better.cost.unwrap(), usd("-0.88")); // sold 88 above the mid by a cent
    let buy = Quality::of(&report.execution.buys[3], &report);
    assert_eq!(buy.cost.unwrap(), usd("1.205")); // bought 120.5 above the mid by a cent
}

#[test]
fn a_fill_without_a_price_has_no_cost_rather_than_none() {
    let mut order: OrderOutcome = trading_day().execution.sells[1].clone();
    order.attempts[1].fill_price = None;
    let quality = Quality::of(&order, &trading_day());
    assert_eq!((quality.price, quality.cost), (None, None));
}

#[test]
fn turnover_and_counts_are_those_of_the_fills() {
    let tally = Tally::of(&bad_day());
    assert_eq!((tally.planned, tally.filled, tally.sent, tally.unknown), (8, 6, 8, 0));
    assert_eq!(tally.bought, usd("32980.65197509714")); // LEU in part, SOXL refused
    let unknown = Tally::of(&unknown_day());
    assert_eq!((unknown.planned, unknown.filled, unknown.unknown), (8, 2, 1));
}

#[test]
fn the_report_shows_sleeves_as_they_were_before_the_crossing() {
    let page = text_of(&page_html(&trading_day()));
    assert!(page.contains("nuclear TECL 32.5 0 −32.5"), "{page}");
    assert!(page.contains("klm TECL 0 52.5 +52.5"), "{page}");
}

//! Runs as they happen, for the tests of what is shown.

mod books;
mod every;
pub(crate) mod look;
pub(crate) mod period;
mod plan;
mod run;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::date;
use rust_decimal::Decimal;

use crate::domain::code::Code;
use crate::domain::execution::Execution;
use crate::domain::incident::{Category, Incident};
use crate::domain::money::{Price, Shares, Usd, Weight};
use crate::domain::order::{AttemptState, Side};
use crate::domain::plan::{Action, HeldReason, HoldReason, SleeveState};
use crate::domain::rates::Rates;
use crate::domain::report::{DataReport, Marks, RECORD_VERSION, RunReport, Verdict};
use crate::domain::revision::Hindsight;
use crate::domain::run::{AccountName, Mode, RunAction, RunKey, Slot, StrategyName};
use crate::domain::shapes::Shapes;
use crate::domain::strategy::StrategyError;
use crate::domain::symbol::Symbol;
use crate::presentation::sample::books::books;
use crate::presentation::sample::plan::{buy_plan, ledger, plan};
use crate::presentation::sample::run::{
    account, equity_curve, execution, limits, outcome, prices, receipt, signals,
};

pub(crate) use crate::presentation::sample::every::every_kind;

/// Three strategies, eight orders, all filled; one symbol skipped, one held, one cut.
pub(crate) fn trading_day() -> RunReport {
    let ledger = ledger([
        ("nuclear", &[("BWXT", "55.123456789"), ("LEU", "33.4"), ("SMR", "310")]),
        ("tecl", &[("TECL", "358.75")]),
        ("klm", &[("BTAL", "14.2"), ("SOXL", "120.5"), ("TECL", "52.5")]),
    ]);
    let books = books(&ledger, &prices());
    RunReport {
        version: RECORD_VERSION,
        key: key(),
        action: RunAction::Trade,
        force: None,
        verdict: Verdict::Done,
        summary: "Every order was filled; SVIX was skipped for want of a fresh quote.".to_owned(),
        started_at: at("14:35:02"),
        finished_at: at("14:35:43.34"),
        code: "0.1.0+81c8cea".to_owned(),
        policy_hash: "c4".repeat(32),
        account: Some(account()),
        signals: signals(),
        plan: Some(plan()),
        buy_plan: Some(buy_plan()),
        execution: execution(),
        ledger: Some(ledger),
        books: Some(books),
        benchmark: None,
        rates: Rates::default(),
        transfers: BTreeMap::new(),
        assets: BTreeMap::new(),
        prices: prices(),
        opposed: Vec::new(),
        limits: limits(),
        data: Some(DataReport {
            as_of: date(2026, 11, 19),
            bars_feed: "sip".to_owned(),
            adjustment: "all".to_owned(),
            quotes_feed: "iex".to_owned(),
            symbols: 42,
            stale: BTreeMap::new(),
            clock_skew_ms: -140,
            hindsight: Hindsight::Unasked,
        }),
        equity_curve: equity_curve(),
        incidents: vec![
            Incident::new(
                Category::Data,
                Code::QuoteUnusable,
                "observe",
                "The quote of SVIX was 412 s old.",
            )
            .meaning("klm holds cash in its place until the next run.")
            .with("symbol", "SVIX"),
        ],
        requests: 37,
        receipt: Some(receipt()),
        shapes: Shapes::default(),
        previous: Some("7b".repeat(32)),
        plan_record: None,
        inputs: None,
        rules: None,
        recovered: Vec::new(),
        standing: None,
        next_session: Some(date(2026, 11, 23)),
        marks: Marks::default(),
    }
}

/// Nothing to trade.
pub(crate) fn quiet_day() -> RunReport {
    let mut report = trading_day();
    report.verdict = Verdict::NothingToDo;
    report.summary = "Every sleeve holds what its strategy wants.".to_owned();
    report.execution = Execution::default();
    report.buy_plan = None;
    report.incidents = Vec::new();
    let ledger = report.ledger.clone().unwrap();
    if let Some(plan) = &mut report.plan {
        plan.crossings.clear();
        plan.conflicts.clear();
        plan.items.retain(|item| !matches!(item.symbol.as_str(), "BIL" | "TQQQ" | "UVXY" | "SVIX"));
        for item in &mut plan.items {
            item.held = ledger.owned(&item.symbol);
            item.wanted = item.held;
            item.parts.clear();
            if item.order().is_some() {
                item.action = Action::Hold(HoldReason::OnTarget);
                item.reason = "within the smallest resize of its target".to_owned();
            }
        }
        plan.ledger = ledger;
    }
    report
}

/// One strategy failed, one order partly filled and one refused.
pub(crate) fn bad_day() -> RunReport {
    let mut report = trading_day();
    report.verdict = Verdict::Partial;
    report.summary = "Two buys were not filled in full; klm had no signal and was held.".to_owned();
    report.signals[2].result = Err(StrategyError::TooShort {
        symbol: "SVIX".to_owned(),
        what: "RSI(60)".to_owned(),
        needed: 61,
        have: 44,
    });
    if let Some(plan) = &mut report.plan {
        plan.sleeves[2].state = SleeveState::Held(HeldReason::Failed);
    }
    report.execution.buys[1] = outcome(
        "LEU",
        Side::Buy,
        Some("four attempts, the last at 1.5% beyond the quote"),
        &[
            (1, AttemptState::Cancelled, "33.4", "0", "", "262.11"),
            (2, AttemptState::Cancelled, "33.4", "12.4", "262.9", "262.5"),
            (3, AttemptState::Cancelled, "21", "0", "", "262.8"),
        ],
    );
    report.execution.buys[3] = outcome(
        "SOXL",
        Side::Buy,
        Some("refused: insufficient buying power"),
        &[(1, AttemptState::Refused, "120.5", "0", "", "56.3")],
    );
    report.incidents = incidents();
    report
}

fn incidents() -> Vec<Incident> {
    let mut incidents = vec![
        Incident::new(
            Category::Warning,
            Code::ActivityUnknown,
            "broker",
            "The account has an entry of the unknown kind SPIN.",
        )
        .meaning("It may move shares or cash; it explains nothing here."),
        Incident::new(
            Category::Strategy,
            Code::StrategyData,
            "klm",
            "RSI(60) of SVIX needs 61 closes, there are 44.",
        )
        .meaning("klm's sleeve is held as it is; nothing of it was sold.")
        .action("Shorten the window in klm.clj or take SVIX out until 9 January.")
        .with("symbol", "SVIX")
        .with("window", 60),
        Incident::new(
            Category::Trading,
            Code::OrderNotFilled,
            "execute",
            "The broker refused to buy SOXL: insufficient buying power.",
        )
        .meaning("$6,784.15 stays in cash; klm tries again at the next run.")
        .action("Look for open orders of your own at the broker; they tie up cash.")
        .with("code", 40_310_000)
        .with("order", "al1-P-20261120-open-g0-SOXL-B-1-5f0e"),
    ];
    for incident in &mut incidents {
        incident.at = Some(at("14:35:21"));
    }
    incidents
}

/// A sell whose end was never seen; the run stopped there.
pub(crate) fn unknown_day() -> RunReport {
    let mut report = trading_day();
    report.verdict = Verdict::Unknown;
    report.summary =
        "The answer to a sell order was lost and the order could not be found again.".to_owned();
    report.execution.sells[1] = outcome(
        "TQQQ",
        Side::Sell,
        Some("no answer within 20 s"),
        &[(1, AttemptState::Unknown, "210.75", "0", "", "71.26")],
    );
    report.execution.buys.clear();
    report.execution.stopped = Some("an order's end is unknown".to_owned());
    report.buy_plan = None;
    report.incidents = vec![
        Incident::new(
            Category::Critical,
            Code::OrderUnknown,
            "execute",
            "No answer to the sell order of TQQQ, and it cannot be found.",
        )
        .meaning("210.75 shares of TQQQ may or may not be sold. No buys were sent.")
        .action(
            "Look up TQQQ at the broker, then run: alchemiser resume --mode paper --account main",
        )
        .with("order", "al1-P-20261120-open-g0-TQQQ-S-1-aa12"),
    ];
    report
}

/// A guard stopped the plan.
pub(crate) fn blocked_day() -> RunReport {
    let mut report = trading_day();
    report.verdict = Verdict::Blocked;
    report.summary = "The risk gate stopped the plan before its first order.".to_owned();
    report.execution = Execution::default();
    report.buy_plan = None;
    report.limits[0].used = "118.2%".to_owned();
    report.limits[0].within = false;
    report.incidents = vec![
        Incident::new(
            Category::Critical,
            Code::Gate("turnover-run"),
            "risk",
            "The plan would turn over 118.2% of the capital; 100.0% is allowed.",
        )
        .meaning("No order was sent; all sleeves stay as they are.")
        .action("Check the strategies' weights; raise limits.turnover_run_max if this is meant."),
    ];
    report
}

/// The keys were refused: nothing is known of the account.
pub(crate) fn failed_day() -> RunReport {
    let mut report = trading_day();
    report.verdict = Verdict::Failed;
    report.summary = "The broker refused the keys.".to_owned();
    report.account = None;
    report.signals = Vec::new();
    report.plan = None;
    report.buy_plan = None;
    report.execution = Execution::default();
    report.ledger = None;
    report.limits = Vec::new();
    report.data = None;
    report.incidents = vec![
        Incident::new(
            Category::Critical,
            Code::BrokerUnauthorised,
            "broker",
            "The broker answered 401 to the account request.",
        )
        .meaning("Nothing was read and nothing was traded.")
        .action("Make new keys at the broker and store them in the secret alchemiser/paper/main."),
    ];
    report
}

/// A holiday.
pub(crate) fn closed_day() -> RunReport {
    let mut report = failed_day();
    report.key.session = date(2026, 11, 26);
    report.verdict = Verdict::Closed;
    report.summary = "Thanksgiving: the exchange does not open.".to_owned();
    report.incidents = Vec::new();
    report.next_session = Some(date(2026, 11, 27));
    report
}

/// A rehearsal of the trading day.
pub(crate) fn preview_day() -> RunReport {
    let mut report = trading_day();
    report.action = RunAction::Preview;
    report.verdict = Verdict::Preview;
    report.summary = "This is what a run would do now.".to_owned();
    report.execution = Execution::default();
    report.buy_plan = None;
    report
}

/// One of each kind, with a name.
pub(crate) fn all() -> Vec<(&'static str, RunReport)> {
    vec![
        ("trading", trading_day()),
        ("quiet", quiet_day()),
        ("bad", bad_day()),
        ("unknown", unknown_day()),
        ("blocked", blocked_day()),
        ("failed", failed_day()),
        ("closed", closed_day()),
        ("preview", preview_day()),
    ]
}

pub(crate) fn usd(text: &str) -> Usd {
    Usd::parse(text).unwrap()
}

pub(crate) fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

pub(crate) fn shares(text: &str) -> Shares {
    Shares::parse(text).unwrap()
}

pub(crate) fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

pub(crate) fn strategy(text: &str) -> StrategyName {
    StrategyName::parse(text).unwrap()
}

pub(crate) fn weight(text: &str) -> Weight {
    Weight::parse(text).unwrap()
}

pub(crate) fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    format!("2026-11-20T{text}Z").parse().unwrap()
}

pub(crate) fn key() -> RunKey {
    RunKey {
        mode: Mode::Paper,
        account: AccountName::parse("main").unwrap(),
        session: date(2026, 11, 20),
        slot: Slot::parse("open").unwrap(),
        generation: 0,
    }
}

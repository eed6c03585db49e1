//! What the sample runs saw and did: signals, fills, limits, account.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::date;

use crate::domain::account::{AssetId, Position};
use crate::domain::execution::{Attempt, Execution, OrderOutcome};
use crate::domain::money::{Price, Usd, Weight};
use crate::domain::order::{AttemptState, ClientOrderId, Side};
use crate::domain::receipt::{Architecture, Function, Receipt, Used};
use crate::domain::report::{AccountReport, EquityPoint, LimitUse};
use crate::domain::strategy::{Signal, StrategyOutcome};
use crate::domain::symbol::Symbol;
use crate::domain::symphony::trace::{Condition, Ranking, Step, Trace};
use crate::presentation::sample::{at, key, price, shares, strategy, symbol, usd, weight};

fn condition(depth: u16, left: (&str, f64), right: (&str, f64), margin: f64) -> Step {
    Step::Condition(Condition {
        depth,
        left: left.0.to_owned(),
        left_value: left.1,
        comparison: ">".to_owned(),
        right: right.0.to_owned(),
        right_value: right.1,
        holds: left.1 > right.1,
        margin,
        turn: None,
    })
}

fn ranking() -> Step {
    Step::Ranking(Ranking {
        depth: 2,
        by: "mean return over 90 days".to_owned(),
        order: "highest".to_owned(),
        scores: [("SMR", 0.41), ("BWXT", 0.37), ("LEU", 0.33), ("EXC", 0.02), ("NLR", 0.01)]
            .map(|(name, score)| (name.to_owned(), score))
            .to_vec(),
        picked: 3,
        margin: Some(0.31),
        turn: None,
    })
}

fn signal(
    name: &str,
    weights: &[(&str, &str)],
    steps: Vec<Step>,
    confidence: f64,
) -> StrategyOutcome {
    StrategyOutcome {
        strategy: strategy(name),
        hash: "9f".repeat(32),
        result: Ok(Signal {
            strategy: strategy(name),
            as_of: date(2026, 11, 19),
            weights: weights.iter().map(|(s, w)| (symbol(s), weight(w))).collect(),
            cash: Weight::ZERO,
            trace: Trace { steps },
            confidence: Some(confidence),
        }),
    }
}

pub(crate) fn signals() -> Vec<StrategyOutcome> {
    let spy = |margin| condition(0, ("RSI(10) of SPY", 61.4), ("79", 79.0), margin);
    vec![
        signal(
            "nuclear",
            &[("SMR", "0.375"), ("BWXT", "0.3375"), ("LEU", "0.2875")],
            vec![
                spy(0.176),
                condition(1, ("price of SPY", 663.41), ("SMA(200) of SPY", 612.2), 0.083),
                ranking(),
            ],
            0.083,
        ),
        signal(
            "tecl",
            &[("TECL", "1")],
            vec![
                condition(0, ("price of SPY", 663.41), ("SMA(200) of SPY", 612.2), 0.083),
                condition(1, ("RSI(10) of TQQQ", 78.9041), ("79", 79.0), 0.00096),
                condition(2, ("RSI(9) of XLK", 66.2), ("RSI(9) of KMLM", 48.3), 0.179),
            ],
            0.00096,
        ),
        signal(
            "klm",
            &[("TECL", "0.333333334"), ("SOXL", "0.333333333"), ("SVIX", "0.333333333")],
            vec![spy(0.176), condition(1, ("RSI(10) of UVXY", 41.2), ("74", 74.0), 0.328)],
            0.176,
        ),
    ]
}

/// One attempt: number, state, shares ordered, shares filled, fill price, mid.
type Shot<'a> = (u8, AttemptState, &'a str, &'a str, &'a str, &'a str);

pub(crate) fn outcome(
    name: &str,
    side: Side,
    shortfall: Option<&str>,
    shots: &[Shot<'_>],
) -> OrderOutcome {
    let attempts: Vec<Attempt> = shots
        .iter()
        .map(|(number, state, ordered, filled, fill, mid)| Attempt {
            id: ClientOrderId::of(&key(), &symbol(name), side, *number),
            shares: shares(ordered),
            limit: Price::parse(mid).ok(),
            arrival: Price::parse(mid).ok(),
            state: *state,
            filled: shares(filled),
            fill_price: Price::parse(fill).ok(),
            submitted_at: Some(at("14:35:06")),
            ended_at: Some(at("14:35:09")),
        })
        .collect();
    let planned = shares(shots[0].2);
    OrderOutcome {
        symbol: symbol(name),
        side,
        planned,
        attempts,
        shortfall: shortfall.map(str::to_owned),
    }
}

pub(crate) fn execution() -> Execution {
    use AttemptState::{Cancelled, Filled};
    use Side::{Buy, Sell};
    Execution {
        sells: vec![
            outcome("BIL", Sell, None, &[(1, Filled, "120", "120", "91.52", "91.52")]),
            outcome(
                "TQQQ",
                Sell,
                None,
                &[
                    (1, Cancelled, "210.75", "150", "71.25", "71.26"),
                    (2, Filled, "60.75", "60.75", "71.22", "71.24"),
                ],
            ),
            outcome("UVXY", Sell, None, &[(1, Filled, "88", "88", "12.41", "12.4")]),
        ],
        buys: vec![
            outcome(
                "BWXT",
                Buy,
                None,
                &[(1, Filled, "55.123456789", "55.123456789", "188.26", "188.2")],
            ),
            outcome("LEU", Buy, None, &[(1, Filled, "33.4", "33.4", "262.3", "262.11")]),
            outcome("SMR", Buy, None, &[(1, Filled, "310", "310", "37.02", "37.02")]),
            outcome("SOXL", Buy, None, &[(1, Filled, "120.5", "120.5", "56.31", "56.3")]),
            outcome("TECL", Buy, None, &[(1, Filled, "61.25", "61.25", "128.44", "128.4")]),
        ],
        stopped: None,
    }
}

fn limit(name: &str, what: &str, used: &str, allowed: &str) -> LimitUse {
    LimitUse {
        limit: name.to_owned(),
        what: what.to_owned(),
        used: used.to_owned(),
        allowed: allowed.to_owned(),
        within: true,
    }
}

/// What a run of the function used.
pub(super) fn receipt() -> Receipt {
    let used = Used { reads: 31, writes: 17, mails: 0, memory_bytes: Some(16_568_320) };
    let function = Function { memory_mb: 256, architecture: Architecture::X86 };
    Receipt::new(used, 1, SignedDuration::from_millis(41_340), Some(function))
}

pub(crate) fn limits() -> Vec<LimitUse> {
    vec![
        limit("turnover_run_max", "Turnover of this run", "42.6%", "100.0%"),
        limit("turnover_day_max", "Turnover of the day, both ways", "69.8%", "200.0%"),
        limit("position_max", "Largest position, TECL", "50.9%", "60.0%"),
        limit("orders_run_max", "Orders of this run", "8", "40"),
        limit("orders_day_max", "Orders of the day", "8", "80"),
        limit("spread_max", "Widest spread traded, UVXY", "0.2%", "1.0%"),
        limit("daily_loss_max", "Loss since the last close", "0.0%", "35.0%"),
        limit("drawdown_max", "Loss from the highest equity", "3.1%", "60.0%"),
        limit("equity_jump_max", "Change since the last record", "0.4%", "40.0%"),
        limit("equity_mismatch_max", "Distance from the broker's equity", "0.0%", "2.0%"),
    ]
}

pub(crate) fn prices() -> BTreeMap<Symbol, Price> {
    [
        ("AAPL", "271"),
        ("BIL", "91.52"),
        ("BTAL", "17.4"),
        ("BWXT", "188.2"),
        ("LEU", "262.11"),
        ("SMR", "37.02"),
        ("SOXL", "56.3"),
        ("TECL", "128.4"),
        ("TQQQ", "71.26"),
        ("UVXY", "12.4"),
    ]
    .into_iter()
    .map(|(name, at)| (symbol(name), price(at)))
    .collect()
}

pub(crate) fn account() -> AccountReport {
    let held = |name: &str, quantity: &str, at: &str| Position {
        symbol: symbol(name),
        asset: AssetId(format!("asset-{name}")),
        shares: shares(quantity),
        available: shares(quantity),
        price: Price::parse(at).ok(),
        entry: None,
    };
    AccountReport {
        ending: "7QX".to_owned(),
        fingerprint: "5a".repeat(32),
        cash_before: usd("6210.4"),
        equity_before: usd("104236.81"),
        equity_previous_close: Some(usd("103816.3")),
        cash_after: usd("3120.77"),
        equity_after: usd("104231.5"),
        positions: vec![
            held("AAPL", "10", "271"),
            held("BTAL", "14.2", "17.4"),
            held("BWXT", "55.123456789", "188.2"),
            held("LEU", "33.4", "262.11"),
            held("SMR", "310", "37.02"),
            held("SOXL", "120.5", "56.3"),
            held("TECL", "411.25", "128.4"),
        ],
    }
}

pub(crate) fn equity_curve() -> Vec<EquityPoint> {
    let steps = [
        98_120, 98_900, 99_410, 98_700, 97_950, 99_020, 100_480, 101_200, 100_900, 101_870,
        102_300, 101_400, 100_210, 101_900, 102_750, 103_420, 102_990, 103_300, 103_816, 104_231,
    ];
    let first = date(2026, 10, 24);
    steps
        .iter()
        .zip(0_i64..)
        .map(|(equity, at)| EquityPoint {
            session: first.checked_add(jiff::Span::new().days(at)).unwrap(),
            equity: Usd::dollars(*equity),
        })
        .collect()
}

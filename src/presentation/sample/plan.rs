//! The plan of the sample runs, and the buy plan after its sells.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{date, time};
use rust_decimal::Decimal;

use crate::domain::market::UnusableQuote;
use crate::domain::money::{Price, Usd};
use crate::domain::plan::{
    Action, BuyItem, BuyPlan, Capital, Conflict, Crossing, Cut, DueReason, HoldReason, Part,
    PlanItem, RebalancePlan, SkipReason, SleevePlan, SleeveState,
};
use crate::domain::session::Session;
use crate::domain::sleeve::ledger::{LastRebalance, Ledger, Sleeve};
use crate::presentation::sample::{at, dec, key, price, shares, strategy, symbol, usd, weight};

fn part(name: &str, quantity: &str) -> Part {
    Part { strategy: strategy(name), shares: shares(quantity) }
}

fn item(name: &str, action: Action, sizes: [&str; 3], parts: Vec<Part>, reason: &str) -> PlanItem {
    let [reference, held, wanted] = sizes;
    PlanItem {
        symbol: symbol(name),
        action,
        reference: Price::parse(reference).ok(),
        fractionable: true,
        half_spread: Some(dec("0.00012")),
        volume_share: Some(dec("0.00004")),
        held: shares(held),
        wanted: shares(wanted),
        reason: reason.to_owned(),
        parts,
    }
}

fn items() -> Vec<PlanItem> {
    let sell = |quantity| Action::Sell(shares(quantity));
    let buy = |quantity| Action::Buy(shares(quantity));
    vec![
        item(
            "BIL",
            sell("120"),
            ["91.52", "120", "0"],
            vec![part("nuclear", "120")],
            "nuclear leaves BIL",
        ),
        item(
            "BTAL",
            Action::Hold(HoldReason::BelowResize),
            ["17.4", "14.2", "14.9"],
            vec![],
            "klm wants 0.7 shares more",
        ),
        item(
            "BWXT",
            buy("55.123456789"),
            ["188.2", "0", "55.123456789"],
            vec![part("nuclear", "55.123456789")],
            "nuclear enters BWXT",
        ),
        item(
            "LEU",
            buy("33.4"),
            ["262.11", "0", "33.4"],
            vec![part("nuclear", "33.4")],
            "nuclear enters LEU",
        ),
        item(
            "SMR",
            buy("310"),
            ["37.02", "0", "310"],
            vec![part("nuclear", "310")],
            "nuclear enters SMR",
        ),
        item(
            "SOXL",
            buy("120.5"),
            ["56.3", "0", "120.5"],
            vec![part("klm", "120.5")],
            "klm enters SOXL",
        ),
        item(
            "SVIX",
            Action::Skip(SkipReason::UnusableQuote(UnusableQuote::Stale { seconds: 412 })),
            ["22.15", "0", "306"],
            vec![part("klm", "306")],
            "klm enters SVIX",
        ),
        item(
            "TECL",
            buy("61.25"),
            ["128.4", "350", "411.25"],
            vec![part("tecl", "41.25"), part("klm", "20")],
            "tecl and klm keep TECL",
        ),
        item(
            "TQQQ",
            sell("210.75"),
            ["71.26", "210.75", "0"],
            vec![part("tecl", "210.75")],
            "tecl leaves TQQQ",
        ),
        item("UVXY", sell("88"), ["12.4", "88", "0"], vec![part("klm", "88")], "klm leaves UVXY"),
    ]
}

fn sleeve(holdings: &[(&str, &str)]) -> Sleeve {
    Sleeve {
        shares: holdings.iter().map(|(s, quantity)| (symbol(s), shares(quantity))).collect(),
        last: Some(LastRebalance {
            session: date(2026, 11, 20),
            finished: Some(date(2026, 11, 20)),
            unfinished: 0,
            allocation: weight("0.5"),
            strategy_hash: "9f".repeat(32),
            named: BTreeSet::new(),
        }),
        touched: false,
    }
}

pub(crate) fn ledger(sleeves: [(&str, &[(&str, &str)]); 3]) -> Ledger {
    Ledger {
        sleeves: sleeves.iter().map(|(name, held)| (strategy(name), sleeve(held))).collect(),
        foreign: BTreeMap::from([(symbol("AAPL"), shares("10"))]),
        ..Ledger::default()
    }
}

fn sleeve_plan(name: &str, allocation: &str, capital: &str, state: SleeveState) -> SleevePlan {
    SleevePlan {
        strategy: strategy(name),
        allocation: weight(allocation),
        state,
        capital: usd(capital),
        value: usd(capital),
        wants: BTreeMap::new(),
        waiting: BTreeSet::new(),
        strategy_hash: "9f".repeat(32),
    }
}

pub(crate) fn plan() -> RebalancePlan {
    let due = || SleeveState::Due(DueReason::EverySession);
    RebalancePlan {
        key: key(),
        session: Session::at(date(2026, 11, 20), time(9, 30, 0, 0), time(16, 0, 0, 0)).unwrap(),
        drafted_at: at("14:35:04"),
        valid_until: at("14:50:04"),
        capital: Capital {
            cash: usd("6210.4"),
            foreign_open_buys: Usd::ZERO,
            sleeves: usd("97605.6"),
            foreign: usd("2710"),
            broker_equity: usd("106526"),
            equity: usd("103816"),
            reserve: usd("2076.32"),
            deployable: usd("101739.68"),
            held: Usd::ZERO,
            scale: Decimal::ONE,
            asked: usd("101739.68"),
            resize_min: usd("259.54"),
        },
        sleeves: vec![
            sleeve_plan("nuclear", "0.3", "30521.904", due()),
            sleeve_plan("tecl", "0.5", "50869.84", due()),
            sleeve_plan("klm", "0.2", "20347.936", due()),
        ],
        items: items(),
        crossings: vec![Crossing {
            symbol: symbol("TECL"),
            from: strategy("nuclear"),
            to: strategy("klm"),
            shares: shares("32.5"),
            price: price("128.4"),
        }],
        conflicts: vec![Conflict {
            symbol: symbol("TECL"),
            sellers: vec![part("nuclear", "32.5")],
            buyers: vec![part("tecl", "41.25"), part("klm", "52.5")],
            outcome: "32.5 shares passed to klm, the rest is one buy order".to_owned(),
        }],
        ledger: ledger([
            ("nuclear", &[("BIL", "120")]),
            ("tecl", &[("TECL", "317.5"), ("TQQQ", "210.75")]),
            ("klm", &[("BTAL", "14.2"), ("TECL", "32.5"), ("UVXY", "88")]),
        ]),
        policy_hash: "c4".repeat(32),
    }
}

pub(crate) fn buy_plan() -> BuyPlan {
    let buy = |name, quantity, reference: &str, parts| BuyItem {
        symbol: symbol(name),
        shares: shares(quantity),
        reference: price(reference),
        worst_limit: price(reference).scaled(dec("1.015")).unwrap(),
        parts,
    };
    BuyPlan {
        cash: usd("33302.11"),
        reserve: usd("2076.32"),
        items: vec![
            buy("BWXT", "55.123456789", "188.2", vec![part("nuclear", "55.123456789")]),
            buy("LEU", "33.4", "262.11", vec![part("nuclear", "33.4")]),
            buy("SMR", "310", "37.02", vec![part("nuclear", "310")]),
            buy("SOXL", "120.5", "56.3", vec![part("klm", "120.5")]),
            buy("TECL", "61.25", "128.4", vec![part("tecl", "41.25"), part("klm", "20")]),
        ],
        cuts: vec![Cut {
            symbol: symbol("SOXL"),
            wanted: shares("121.2"),
            allowed: shares("120.5"),
            reason: "klm's room".to_owned(),
        }],
    }
}

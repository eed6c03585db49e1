//! A run that never was: of every optional thing one, and of every choice as many as fit.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};

use crate::domain::account::{Asset, AssetId};
use crate::domain::books::benchmark::{Benchmark, Trade};
use crate::domain::books::{Books, Day, HeldSince, Sale, Trades};
use crate::domain::brake::Rules;
use crate::domain::market::UnusableQuote;
use crate::domain::opposed::{Opposed, Stake};
use crate::domain::order::{ClientOrderId, Side};
use crate::domain::plan::{
    Action, DueReason, HeldReason, Part, RebalancePlan, SkipReason, SleevePlan, SleeveState,
};
use crate::domain::rates::{Counts, Rates};
use crate::domain::report::{Marks, RunReport};
use crate::domain::revision::{Hindsight, Revision};
use crate::domain::run::Force;
use crate::domain::shapes::Kind;
use crate::domain::sleeve::ledger::{Ledger, Unsettled};
use crate::domain::strategy::{StrategyError, StrategyOutcome};
use crate::domain::symphony::trace::{
    Compound, Condition, Edge, Group, Member, Part as Tested, Ranking, Step, Turn, Weighing,
};
use crate::presentation::sample::{
    at, bad_day, dec, key, price, shares, strategy, symbol, usd, weight,
};

const TODAY: Date = date(2026, 11, 20);
const BEFORE: Date = date(2026, 11, 19);

/// The bad day with everything in it that a record can hold.
pub(crate) fn every_kind() -> RunReport {
    let mut report = bad_day();
    report.force = Some(Force {
        generation: 1,
        reason: "the first run used yesterday's policy".to_owned(),
        not_after: at("15:00:00"),
    });
    report.signals[0].result.as_mut().unwrap().trace.steps = steps();
    report.signals.extend(failures());
    let ledger = report.ledger.as_mut().unwrap();
    complete_ledger(ledger);
    complete_plan(report.plan.as_mut().unwrap(), ledger);
    complete_books(report.books.as_mut().unwrap());
    report.execution.sells[1].shortfall = Some("the broker cancelled it".to_owned());
    report.execution.stopped = Some("an order's end is unknown".to_owned());
    let (first, last) = (price("640.1"), price("663.41"));
    let closes = BTreeMap::from([(BEFORE, first), (TODAY, price("655"))]);
    report.benchmark =
        Some(Benchmark { symbol: symbol("SPY"), since: BEFORE, first, last, closes });
    let counts = Counts { planned: 8, filled: 6, attempts: 12, refused: 1, runs: 1, good: 0 };
    report.rates = Rates(vec![(BEFORE, Counts::default()), (TODAY, counts)]);
    report.transfers = BTreeMap::from([(BEFORE, usd("-250"))]);
    report.assets = BTreeMap::from([(symbol("LEU"), asset())]);
    report.opposed = vec![opposed()];
    report.account.as_mut().unwrap().positions[0].entry = Some(price("201.5"));
    let data = report.data.as_mut().unwrap();
    data.stale = BTreeMap::from([(symbol("OKLO"), Some(BEFORE)), (symbol("NLR"), None)]);
    data.hindsight =
        Hindsight::Compared { through: BEFORE, symbols: 42, revisions: vec![revision()] };
    report.recovered = report.incidents.clone();
    report.shapes.note("account", &[], [("cash", Some(Kind::Text)), ("sma", None)]);
    report.plan_record = Some("1d".repeat(32));
    report.inputs = Some("snapshot.json".to_owned());
    report.rules = Some(rules());
    report.marks = Marks {
        observed_at: Some(at("14:35:03")),
        decided_at: Some(at("14:35:04")),
        acted_at: Some(at("14:35:43")),
    };
    report
}

fn asset() -> Asset {
    Asset {
        symbol: symbol("LEU"),
        id: AssetId("asset-LEU".to_owned()),
        tradable: true,
        fractionable: true,
        us_equity: true,
    }
}

fn turn() -> Turn {
    let edge = |close, percent| Some(Edge { close, percent });
    let (instead, next) = (edge(655.2, -1.24), edge(671.9, 1.28));
    Turn { symbol: symbol("SPY"), close: 663.41, instead, next }
}

fn condition(holds: bool) -> Condition {
    Condition {
        depth: 0,
        left: "RSI(10) of SPY".to_owned(),
        left_value: 61.4,
        comparison: if holds { "<" } else { ">" }.to_owned(),
        right: "79".to_owned(),
        right_value: 79.0,
        holds,
        margin: 0.176,
        turn: Some(turn()),
    }
}

fn compound(parts: Vec<Tested>) -> Compound {
    Compound { depth: 1, operator: "and".to_owned(), holds: true, written: parts.len() + 1, parts }
}

fn steps() -> Vec<Step> {
    let inner = Tested::Compound(compound(vec![Tested::Condition(condition(true))]));
    vec![
        Step::Group(Group { depth: 0, title: "first check".to_owned() }),
        Step::Condition(condition(false)),
        Step::Compound(compound(vec![Tested::Condition(condition(true)), inner])),
        Step::Ranking(Ranking {
            depth: 1,
            by: "mean return over 90 days".to_owned(),
            order: "highest".to_owned(),
            scores: vec![("SMR".to_owned(), 0.41), ("the rest".to_owned(), 0.37)],
            picked: 1,
            margin: Some(0.04),
            turn: Some(turn()),
        }),
        Step::Weighing(Weighing {
            depth: 2,
            by: "volatility over 14 days".to_owned(),
            members: vec![Member { name: "SMR".to_owned(), volatility: 2.1, share: 1.0 }],
        }),
    ]
}

/// Each way in which a strategy can fail, each in a strategy of its own.
fn failures() -> Vec<StrategyOutcome> {
    let errors = [
        StrategyError::NoHistory { symbol: symbol("OKLO") },
        StrategyError::Stale { symbol: symbol("OKLO"), last: BEFORE, expected: TODAY },
        StrategyError::NotFinite { symbol: "OKLO".to_owned(), what: "RSI(10)".to_owned() },
        StrategyError::Timeout { steps: 1_000_000 },
        StrategyError::Empty,
        StrategyError::InvalidWeights { reason: "the weights sum to 0.9, not 1".to_owned() },
        StrategyError::Unreadable { reason: "line 3: a bracket is not closed".to_owned() },
    ];
    let outcomes = errors.into_iter().zip('a'..).map(|(error, name)| StrategyOutcome {
        strategy: strategy(&name.to_string()),
        hash: String::new(),
        result: Err(error),
    });
    outcomes.collect()
}

fn part() -> Part {
    Part { strategy: strategy("klm"), shares: shares("3") }
}

fn complete_ledger(ledger: &mut Ledger) {
    ledger.began = Some(at("14:35:00"));
    ledger.booked_until = Some(at("14:35:44"));
    ledger.booked = BTreeSet::from(["20261120093501338::57bb".to_owned()]);
    ledger.assets = BTreeMap::from([(symbol("LEU"), AssetId("asset-LEU".to_owned()))]);
    ledger.adopted = BTreeSet::from([symbol("AAPL")]);
    ledger.dust = BTreeSet::from([symbol("BTAL")]);
    ledger.instructed = BTreeSet::from(["assign-1".to_owned()]);
    let id = ClientOrderId::of(&key(), &symbol("LEU"), Side::Buy, 3);
    let (order_symbol, side) = (symbol("LEU"), Side::Buy);
    let (booked, amount) = (shares("12.4"), usd("3259.96"));
    let parts = vec![part()];
    let order = Unsettled { symbol: order_symbol.clone(), side, booked, amount, parts };
    ledger.unsettled = BTreeMap::from([(id, order)]);
    for last in ledger.sleeves.values_mut().filter_map(|sleeve| sleeve.last.as_mut()) {
        last.named = BTreeSet::from([order_symbol.clone()]);
    }
}

fn complete_plan(plan: &mut RebalancePlan, ledger: &Ledger) {
    plan.ledger = ledger.clone();
    let due = |why| SleeveState::Due(why);
    let states = [
        due(DueReason::NewSymbol(symbol("LEU"))),
        due(DueReason::Leftover(symbol("BIL"))),
        due(DueReason::Drift(symbol("TECL"))),
        due(DueReason::NewPeriod),
        due(DueReason::FirstTime),
        due(DueReason::AllocationChanged),
        due(DueReason::StrategyChanged),
        due(DueReason::Unfinished),
        due(DueReason::GivenUp),
        SleeveState::Held(HeldReason::NotDue),
        SleeveState::Held(HeldReason::Failed),
        SleeveState::Held(HeldReason::TouchedByHand),
    ];
    let template = plan.sleeves[0].clone();
    for (at, state) in states.into_iter().enumerate() {
        if plan.sleeves.len() <= at {
            let strategy = strategy(&format!("more-{at}"));
            plan.sleeves.push(SleevePlan { strategy, ..template.clone() });
        }
        plan.sleeves[at].state = state;
    }
    plan.sleeves[0].wants = BTreeMap::from([(symbol("LEU"), shares("33.4"))]);
    plan.sleeves[0].waiting = BTreeSet::from([symbol("SVIX")]);
    let wide = UnusableQuote::Wide { bid: price("22"), ask: price("23") };
    for (at, reason) in [SkipReason::UnusableQuote(wide), SkipReason::Dust].into_iter().enumerate()
    {
        let mut item = plan.items[0].clone();
        item.symbol = symbol(&format!("SKIP{at}"));
        item.action = Action::Skip(reason);
        plan.items.push(item);
    }
}

fn complete_books(books: &mut Books) {
    let (holder, sold) = (Some(strategy("klm")), symbol("UVXY"));
    let by = vec![(holder.clone(), shares("88")), (None, shares("1"))];
    books.past = BTreeMap::from([(sold.clone(), vec![HeldSince { session: BEFORE, by }])]);
    let proceeds = usd("1092.08");
    books.sales = vec![Sale { session: TODAY, holder, symbol: sold.clone(), proceeds }];
    let (side, shares) = (Side::Sell, shares("88"));
    let trade = Trade { symbol: sold, side, shares, amount: usd("1092.08") };
    let trades = |session| Trades { session: Some(session), all: vec![trade.clone()] };
    books.trades = [trades(TODAY), trades(BEFORE)];
    let (profit, capital) = (usd("12.5"), usd("0"));
    books.foreign.days = vec![Day { session: BEFORE, profit, capital }];
}

fn opposed() -> Opposed {
    let stake = |name: &str, value: &str| Stake {
        symbol: symbol(name),
        factor: dec("3"),
        value: usd(value),
        strategies: vec![strategy("klm"), strategy("tecl")],
    };
    Opposed {
        follows: "the Nasdaq 100".to_owned(),
        bull: stake("TQQQ", "4000"),
        bear: stake("SQQQ", "1000"),
        cancelled: usd("3000"),
        tied: usd("2000"),
        half_spreads: Some(usd("0.52")),
    }
}

fn revision() -> Revision {
    Revision {
        symbol: symbol("LEU"),
        days: 3,
        first: date(2026, 11, 3),
        last: BEFORE,
        most: date(2026, 11, 12),
        was: Some(price("250")),
        is: Some(price("251.5")),
        rescaled: false,
    }
}

fn rules() -> Rules {
    Rules {
        allocations: BTreeMap::from([(strategy("klm"), weight("0.2"))]),
        texts: BTreeMap::from([(strategy("klm"), "9f".repeat(32))]),
        limits: BTreeMap::from([("limits.position_max".to_owned(), dec("0.6"))]),
        loosened: BTreeMap::from([("limits.position_max".to_owned(), 1)]),
    }
}

//! What the orders came to: counts, money, and the price paid against the price seen.

use rust_decimal::Decimal;

use crate::domain::execution::OrderOutcome;
use crate::domain::money::Usd;
use crate::domain::order::{AttemptState, Side};
use crate::domain::quality::Quality;
use crate::domain::report::RunReport;
use crate::presentation::words;

/// Orders named in a sentence before it counts the rest.
const NAMED_MAX: usize = 3;

/// A run's orders in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Orders that were to be sent.
    pub(crate) planned: usize,
    /// Orders filled in full.
    pub(crate) filled: usize,
    /// Orders of which at least one attempt reached the broker, or may have.
    pub(crate) sent: usize,
    /// Orders whose end was never seen.
    pub(crate) unknown: usize,
    /// Orders that were still open when they were last seen.
    pub(crate) open: usize,
    /// Money from sells, as far as prices are known.
    pub(crate) sold: Usd,
    /// Money for buys, as far as prices are known.
    pub(crate) bought: Usd,
    /// Larger of both, as a fraction of the deployable capital.
    pub(crate) turnover: Option<Decimal>,
    /// Cost against the mid at arrival, over all orders whose prices are known; negative is a gain.
    pub(crate) cost: Option<Usd>,
    /// That cost as a fraction of the value traded.
    pub(crate) cost_rate: Option<Decimal>,
}

impl Tally {
    /// The figures of a run.
    pub(crate) fn of(report: &RunReport) -> Self {
        let outcomes = || report.execution.outcomes();
        let money = |orders: &[OrderOutcome]| orders.iter().map(OrderOutcome::value).sum::<Usd>();
        let (sold, bought) = (money(&report.execution.sells), money(&report.execution.buys));
        let deployable = report.plan.as_ref().map(|plan| plan.capital.deployable);
        let judged: Vec<(Usd, Usd)> = outcomes()
            .filter_map(|order| {
                let quality = Quality::of(order, report);
                quality.cost.zip(quality.value)
            })
            .collect();
        let cost: Option<Usd> =
            (!judged.is_empty()).then(|| judged.iter().map(|(cost, _)| *cost).sum());
        let value: Usd = judged.iter().map(|(_, value)| *value).sum();
        Self {
            planned: report.planned_orders().max(outcomes().count()),
            filled: outcomes().filter(|order| order.is_filled()).count(),
            sent: outcomes().filter(|order| was_sent(order)).count(),
            unknown: outcomes().filter(|order| order.is_unknown()).count(),
            open: outcomes().filter(|order| is_open(order)).count(),
            sold,
            bought,
            turnover: deployable.and_then(|whole| sold.max(bought).ratio_to(whole)),
            cost,
            cost_rate: cost.and_then(|cost| cost.ratio_to(value)),
        }
    }
}

/// Value that the plan would sell and buy, at its reference prices.
pub(crate) fn intended(report: &RunReport, side: Side) -> Usd {
    let Some(plan) = &report.plan else { return Usd::ZERO };
    plan.orders(side).filter_map(|(item, shares)| item.reference.map(|price| shares * price)).sum()
}

fn was_sent(order: &OrderOutcome) -> bool {
    order.attempts.iter().any(|attempt| attempt.state != AttemptState::Drafted)
}

/// True when an attempt was open when last seen; unknown ones are counted by themselves.
pub(crate) fn is_open(order: &OrderOutcome) -> bool {
    order.attempts.iter().any(|attempt| match attempt.state {
        AttemptState::Sent | AttemptState::Working | AttemptState::Cancelling => true,
        AttemptState::Drafted
        | AttemptState::Filled
        | AttemptState::Cancelled
        | AttemptState::Expired
        | AttemptState::Rejected
        | AttemptState::Refused
        | AttemptState::Unknown => false,
    })
}

/// The change of equity that a reader means: since the last close if known, else over the run.
pub(crate) fn equity_change(report: &RunReport) -> Option<(Usd, Option<Decimal>)> {
    let account = report.account.as_ref()?;
    let before = account.equity_previous_close.unwrap_or(account.equity_before);
    let change = account.equity_after - before;
    Some((change, change.ratio_to(before)))
}

/// The orders of a kind by side and symbol: `Sell TQQQ, Buy SMR`.
pub(crate) fn named(report: &RunReport, which: fn(&OrderOutcome) -> bool) -> String {
    let names: Vec<String> = report
        .execution
        .outcomes()
        .filter(|order| which(order))
        .map(|order| format!("{} {}", words::side(order.side), order.symbol))
        .collect();
    words::listed(&names, NAMED_MAX)
}

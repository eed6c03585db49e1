//! What executions cost: the price paid against the price decided on and the mid that was found.
//!
//! All costs are dollars on the shares executed; a gain is negative. What was not executed costs
//! nothing here: the next run trades it, at its own decision price.

use std::collections::BTreeMap;

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::domain::execution::{Attempt, OrderOutcome};
use crate::domain::money::{Price, Shares, Usd};
use crate::domain::order::{AttemptState, Side};
use crate::domain::report::RunReport;
use crate::domain::session::exchange_zone;
use crate::domain::symbol::Symbol;

/// Minutes of a stretch of the day by which costs are told apart.
const STRETCH: i8 = 30;

/// The price of one order against the prices before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quality {
    /// Average price of all executed shares; `None` while any price is missing.
    pub price: Option<Price>,
    /// Price that the plan was sized at.
    pub decision: Option<Price>,
    /// Mid price when its first attempt was priced.
    pub arrival: Option<Price>,
    /// Half the spread that the plan expected to pay, as a fraction of the price.
    pub half_spread: Option<Decimal>,
    /// Value of what was executed at the arrival price.
    pub value: Option<Usd>,
    /// Cost against the arrival price.
    pub cost: Option<Usd>,
    /// Value of what was executed at the decision price.
    pub decided: Option<Usd>,
    /// Cost against the decision price: the shortfall of the execution.
    pub shortfall: Option<Usd>,
    /// Attempts that left us.
    pub attempts: u32,
    /// When the first of them did.
    pub sent_at: Option<Timestamp>,
    /// From the decision to the end of the last attempt.
    pub delay: Option<SignedDuration>,
}

impl Quality {
    /// The quality of an order's fills in a run.
    pub fn of(order: &OrderOutcome, report: &RunReport) -> Self {
        let item = report.plan.as_ref().and_then(|plan| plan.item(&order.symbol));
        let filled = order.filled();
        let priced = |attempt: &&Attempt| attempt.fill_price.is_some();
        let known: Shares = order.attempts.iter().filter(priced).map(|one| one.filled).sum();
        let paid = (!filled.is_zero() && known == filled).then(|| order.value());
        let price =
            paid.and_then(|paid| Price::new(paid.decimal().checked_div(filled.decimal())?).ok());
        let at =
            |price: Option<Price>| price.filter(|_| paid.is_some()).map(|price| filled * price);
        let against = |value: Option<Usd>| {
            paid.zip(value).map(|(paid, value)| match order.side {
                Side::Buy => paid - value,
                Side::Sell => value - paid,
            })
        };
        let (arrival, decision) = (order.arrival(), item.and_then(|item| item.reference));
        let (value, decided) = (at(arrival), at(decision));
        let left = |attempt: &&Attempt| attempt.state != AttemptState::Drafted;
        let sent_at = order.attempts.iter().find_map(|attempt| attempt.submitted_at);
        let ended_at = order.attempts.last().and_then(|attempt| attempt.ended_at);
        let since = report.marks.decided_at.or(sent_at);
        Self {
            price,
            decision,
            arrival,
            half_spread: item.and_then(|item| item.half_spread),
            value,
            cost: against(value),
            decided,
            shortfall: against(decided),
            attempts: u32::try_from(order.attempts.iter().filter(left).count()).unwrap_or(u32::MAX),
            sent_at,
            delay: since.zip(ended_at).map(|(since, ended)| ended.duration_since(since)),
        }
    }

    /// The cost against the arrival price as a fraction of the value there.
    pub fn rate(&self) -> Option<Decimal> {
        self.cost?.ratio_to(self.value?)
    }

    /// The cost against the decision price as a fraction of the value there.
    pub fn shortfall_rate(&self) -> Option<Decimal> {
        self.shortfall?.ratio_to(self.decided?)
    }

    /// The stretch of the day in which it was first sent, by its beginning in New York.
    pub fn stretch(&self) -> Option<Time> {
        let at = self.sent_at?.to_zoned(exchange_zone()).time();
        Time::new(at.hour(), at.minute() / STRETCH * STRETCH, 0, 0).ok()
    }
}

/// What a number of orders cost together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Costs {
    /// Orders of which anything was executed at a known price.
    pub orders: u32,
    /// Their attempts.
    pub attempts: u32,
    /// Their value at the arrival prices.
    pub value: Usd,
    /// Their cost against the arrival prices.
    pub cost: Usd,
    /// The half-spreads that their plans expected.
    pub expected: Usd,
    /// Their value at the decision prices, as far as there were any.
    pub decided: Usd,
    /// Their cost against the decision prices.
    pub shortfall: Usd,
    /// Time from the decisions to the ends, in milliseconds.
    pub delay: i64,
    /// Orders of which that time is known.
    pub timed: u32,
}

impl Costs {
    /// Counts one order; one without known prices costs nothing that could be said.
    pub fn count(&mut self, quality: &Quality) {
        let (Some(value), Some(cost)) = (quality.value, quality.cost) else { return };
        self.orders = self.orders.saturating_add(1);
        self.attempts = self.attempts.saturating_add(quality.attempts);
        self.value += value;
        self.cost += cost;
        self.expected += value.scaled(quality.half_spread.unwrap_or_default());
        if let (Some(decided), Some(shortfall)) = (quality.decided, quality.shortfall) {
            self.decided += decided;
            self.shortfall += shortfall;
        }
        if let Some(delay) = quality.delay {
            let milliseconds = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
            self.delay = self.delay.saturating_add(milliseconds);
            self.timed = self.timed.saturating_add(1);
        }
    }

    /// The cost against the arrival prices as a fraction of the value.
    pub fn rate(&self) -> Option<Decimal> {
        self.cost.ratio_to(self.value)
    }

    /// The expected half-spread as a fraction of the value.
    pub fn expected_rate(&self) -> Option<Decimal> {
        self.expected.ratio_to(self.value)
    }

    /// The shortfall as a fraction of the value at the decision prices.
    pub fn shortfall_rate(&self) -> Option<Decimal> {
        self.shortfall.ratio_to(self.decided)
    }

    /// The average time from a decision to an order's end.
    pub fn delay_each(&self) -> Option<SignedDuration> {
        self.delay.checked_div(self.timed.into()).map(SignedDuration::from_millis)
    }
}

/// What orders cost, over all, by symbol, and by stretch of the day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CostTable {
    /// All together.
    pub all: Costs,
    /// By symbol.
    pub symbols: BTreeMap<Symbol, Costs>,
    /// By the beginning of the half hour in New York in which they were first sent.
    pub stretches: BTreeMap<Time, Costs>,
}

impl CostTable {
    /// Counts the orders of a run.
    pub fn count(&mut self, report: &RunReport) {
        for order in report.execution.outcomes() {
            let quality = Quality::of(order, report);
            self.all.count(&quality);
            self.symbols.entry(order.symbol.clone()).or_default().count(&quality);
            if let Some(stretch) = quality.stretch() {
                self.stretches.entry(stretch).or_default().count(&quality);
            }
        }
        self.symbols.retain(|_, costs| costs.orders > 0);
        self.stretches.retain(|_, costs| costs.orders > 0);
    }
}

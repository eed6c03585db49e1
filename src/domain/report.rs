//! The run report: the one document that is stored, rendered and mailed.
//!
//! It is also what the next run starts from: ledger, equity curve and transfers are read out of
//! the last one, so there is no second place where the state of an account lives.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::account::{Asset, Position};
use crate::domain::books::Books;
use crate::domain::books::benchmark::Benchmark;
use crate::domain::brake::Rules;
use crate::domain::execution::Execution;
use crate::domain::incident::{Category, Incident};
use crate::domain::money::{Price, Usd};
use crate::domain::opposed::Opposed;
use crate::domain::order::Side;
use crate::domain::plan::{BuyPlan, RebalancePlan};
use crate::domain::rates::Rates;
use crate::domain::receipt::Receipt;
use crate::domain::revision::Hindsight;
use crate::domain::run::{Force, RunAction, RunKey};
use crate::domain::shapes::Shapes;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::strategy::StrategyOutcome;
use crate::domain::symbol::Symbol;

/// Version of the form of a run's records; a reader refuses a newer one.
///
/// The form of this one is `record.schema.json`, beside this file. Version 1 is what was written
/// before there was a schema: it lacks the fields that came later, which are read as their defaults.
/// A new field, or a field that means something else, is a new version.
pub const RECORD_VERSION: u32 = 2;

/// How a run ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every order was filled in full.
    Done,
    /// There was nothing to trade.
    NothingToDo,
    /// The exchange is closed.
    Closed,
    /// A preview: no order was to be sent.
    Preview,
    /// A guard kept the run from trading at all.
    Blocked,
    /// Some orders were not filled in full.
    Partial,
    /// Something broke on the way.
    Failed,
    /// At least one order's end was never seen.
    Unknown,
}

/// Everything a run knew, decided, did and noticed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// Version of this form; an older one is read into it.
    #[serde(deserialize_with = "readable")]
    pub version: u32,
    /// The run.
    pub key: RunKey,
    /// What it was asked to do.
    pub action: RunAction,
    /// The permission to repeat a finished run, when it is a repetition.
    #[serde(default)]
    pub force: Option<Force>,
    /// How it ended.
    pub verdict: Verdict,
    /// The verdict in one sentence.
    pub summary: String,
    /// When it began and ended.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Version of the code that ran.
    pub code: String,
    /// SHA-256 of the policy, hexadecimal.
    pub policy_hash: String,
    /// The account before and after; `None` when it could not be read.
    pub account: Option<AccountReport>,
    /// What each strategy said, in the policy's order.
    pub signals: Vec<StrategyOutcome>,
    /// The plan, if there was one.
    pub plan: Option<RebalancePlan>,
    /// The buy plan, if there was one.
    pub buy_plan: Option<BuyPlan>,
    /// What became of the orders.
    pub execution: Execution,
    /// Who owns which shares after the run.
    pub ledger: Option<Ledger>,
    /// What every sleeve paid, received and earned.
    #[serde(default)]
    pub books: Option<Books>,
    /// The market over the time of the equity curve.
    #[serde(default)]
    pub benchmark: Option<Benchmark>,
    /// How the last thirty days went, this run included.
    #[serde(default)]
    pub rates: Rates,
    /// Cash paid in (negative: out) between the runs, by the session of the run that noticed it.
    #[serde(default)]
    pub transfers: BTreeMap<Date, Usd>,
    /// Prices at which the report values positions.
    pub prices: BTreeMap<Symbol, Price>,
    /// Flags of the assets held or targeted, as they were known.
    #[serde(default)]
    pub assets: BTreeMap<Symbol, Asset>,
    /// Funds and their opposites that the sleeves hold at the same time.
    #[serde(default)]
    pub opposed: Vec<Opposed>,
    /// Use of each limit of the risk gate.
    pub limits: Vec<LimitUse>,
    /// Where the data came from and how fresh it was.
    pub data: Option<DataReport>,
    /// Equity at the end of earlier runs, oldest first, this one last.
    pub equity_curve: Vec<EquityPoint>,
    /// What went wrong.
    pub incidents: Vec<Incident>,
    /// What had gone wrong in the run before and did not in this one.
    #[serde(default)]
    pub recovered: Vec<Incident>,
    /// What had gone wrong in the run before, until it is compared with this one.
    #[serde(skip)]
    pub standing: Option<Standing>,
    /// Requests made to the broker.
    pub requests: u32,
    /// What it used and about what that costs.
    #[serde(default)]
    pub receipt: Option<Receipt>,
    /// Which fields the broker's answers have, as far as the runs until this one saw.
    #[serde(default)]
    pub shapes: Shapes,
    /// SHA-256 of the final record before this one, hexadecimal.
    pub previous: Option<String>,
    /// SHA-256 of the record of the plan that was acted on, hexadecimal.
    #[serde(default)]
    pub plan_record: Option<String>,
    /// Name of the record of that plan's inputs, within the run.
    #[serde(default)]
    pub inputs: Option<String>,
    /// What it was ruled by, for the next run to compare.
    #[serde(default)]
    pub rules: Option<Rules>,
    /// The session after this one, if the broker's calendar reaches that far.
    #[serde(default)]
    pub next_session: Option<Date>,
    /// When each stage was over.
    #[serde(default)]
    pub marks: Marks,
}

/// When each stage of a run was over, by our clock; `None` for one that was not reached, or that
/// an earlier invocation went through.
///
/// Observing begins with the run, at [`RunReport::started_at`]. Telling begins at
/// [`RunReport::finished_at`] and ends after the record that holds these marks, so its end is
/// known only to whoever called the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// All that the decision needs was there.
    pub observed_at: Option<Timestamp>,
    /// The decision was made, today's flags of what it orders included.
    pub decided_at: Option<Timestamp>,
    /// The orders had ended and the account after them was read.
    pub acted_at: Option<Timestamp>,
}

/// The account around a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountReport {
    /// Last characters of the account number.
    pub ending: String,
    /// Hash of the account number.
    pub fingerprint: String,
    /// Cash before the run.
    pub cash_before: Usd,
    /// Broker's equity before the run.
    pub equity_before: Usd,
    /// Broker's equity at the previous close, if it says.
    pub equity_previous_close: Option<Usd>,
    /// Cash after the run.
    pub cash_after: Usd,
    /// Broker's equity after the run.
    pub equity_after: Usd,
    /// Positions after the run.
    pub positions: Vec<Position>,
}

/// One limit and how much of it was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitUse {
    /// Key of the limit in the policy.
    pub limit: String,
    /// What it bounds, in words.
    pub what: String,
    /// What was used.
    pub used: String,
    /// What is allowed.
    pub allowed: String,
    /// False when it stopped the plan.
    pub within: bool,
}

/// Where the data came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataReport {
    /// Last completed session, whose closes decide.
    pub as_of: Date,
    /// Feed of the daily bars.
    pub bars_feed: String,
    /// Adjustment of the daily bars.
    pub adjustment: String,
    /// Feed of the quotes.
    pub quotes_feed: String,
    /// Symbols asked for and received.
    pub symbols: usize,
    /// Symbols without a bar of the last completed session, with their last day.
    pub stale: BTreeMap<Symbol, Option<Date>>,
    /// Broker's clock minus ours, in milliseconds.
    pub clock_skew_ms: i64,
    /// Whether the closes of the run before are still told in the same way.
    #[serde(default)]
    pub hindsight: Hindsight,
}

/// Equity at the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EquityPoint {
    /// The session.
    pub session: Date,
    /// Broker's equity.
    pub equity: Usd,
}

/// What had gone wrong in the run before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its session.
    pub session: Date,
    /// Its incidents, each with its day.
    pub incidents: Vec<Incident>,
}

/// The version that a record of this or an older one has once it is read.
fn readable<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        1..=RECORD_VERSION => Ok(RECORD_VERSION),
        other => {
            let told =
                format!("a record of version {other}, where 1 to {RECORD_VERSION} are known");
            Err(serde::de::Error::custom(told))
        }
    }
}

impl RunReport {
    /// Orders that were to be sent: the plan's sells, and the buys that the money reached for.
    pub fn planned_orders(&self) -> usize {
        let Some(plan) = &self.plan else { return 0 };
        let sells = plan.orders(Side::Sell).count();
        let buys = self.buy_plan.as_ref().map(|buy_plan| buy_plan.items.len());
        sells + buys.unwrap_or_else(|| plan.orders(Side::Buy).count())
    }

    /// Counts the days of what went wrong before as well, and notes what is over. What is only
    /// worth knowing comes and goes without that.
    pub fn compare(&mut self) {
        let Some(Standing { session, incidents: standing }) = self.standing.take() else { return };
        let is_new_day = session < self.key.session;
        for incident in &mut self.incidents {
            if let Some(known) = standing.iter().find(|known| known.is_same(incident)) {
                incident.day = known.day.saturating_add(u32::from(is_new_day));
            }
        }
        let is_over = |known: &Incident| !self.incidents.iter().any(|now| now.is_same(known));
        let over = standing.into_iter().filter(|known| known.category < Category::Notification);
        self.recovered = over.filter(is_over).collect();
    }
}

impl Verdict {
    /// The word in the mail's subject.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done | Self::NothingToDo => "OK",
            Self::Closed => "CLOSED",
            Self::Preview => "PREVIEW",
            Self::Blocked => "BLOCKED",
            Self::Partial => "PARTIAL",
            Self::Failed => "FAILED",
            Self::Unknown => "UNKNOWN ORDERS",
        }
    }

    /// True when nobody has to look.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Done | Self::NothingToDo | Self::Closed | Self::Preview)
    }
}

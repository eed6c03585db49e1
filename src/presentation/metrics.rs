//! One line of figures about an invocation, in the form that the cloud's log reader turns into
//! metrics by itself.
//!
//! Embedded metric format: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//! A figure that is not known is left out; it is never zero instead.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value, json};

use crate::domain::incident::Category;
use crate::domain::report::RunReport;
use crate::domain::run::{AccountName, Mode};
use crate::presentation::tally::Tally;

/// Where the figures are found among all others.
pub const NAMESPACE: &str = "Alchemiser";
/// Decimals of a figure; more is noise.
const SCALE: u32 = 3;

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// Hundredths of a whole.
    Percent,
    /// Nothing that the format has a word for.
    None,
}

/// Figures of one invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    mode: Mode,
    account: AccountName,
    figures: Vec<(&'static str, Unit, Decimal)>,
    words: Map<String, Value>,
}

impl Metrics {
    /// No figures yet.
    pub fn new(mode: Mode, account: AccountName) -> Self {
        Self { mode, account, figures: Vec::new(), words: Map::new() }
    }

    /// Adds a figure.
    pub fn add(&mut self, name: &'static str, unit: Unit, figure: impl Into<Decimal>) {
        self.figures.push((name, unit, figure.into()));
    }

    /// Adds a word to look lines up by; it is no metric.
    pub fn say(&mut self, name: &str, word: &str) {
        self.words.insert(name.to_owned(), word.into());
    }

    /// Adds the figures of a run.
    pub fn add_run(&mut self, report: &RunReport) {
        let tally = Tally::of(report);
        let critical = |category| category == Category::Critical;
        let critical = report.incidents.iter().filter(|i| critical(i.category)).count();
        self.say("run", &report.key.to_string());
        self.say("verdict", report.verdict.word());
        self.add("GoodRun", Unit::Count, u64::from(report.verdict.is_good()));
        self.add("OrdersPlanned", Unit::Count, tally.planned);
        self.add("OrdersFilled", Unit::Count, tally.filled);
        self.add("UnknownOrders", Unit::Count, tally.unknown);
        self.add("CriticalIncidents", Unit::Count, critical);
        self.add("BrokerRequests", Unit::Count, report.requests);
        let month = report.rates.total();
        for (name, share) in [
            ("FilledOfPlanned30d", month.filled_share()),
            ("RefusedOfSent30d", month.refused_share()),
            ("GoodOfRuns30d", month.good_share()),
        ] {
            if let Some(share) = share {
                self.add(name, Unit::Percent, share * Decimal::ONE_HUNDRED);
            }
        }
        if let Some(rate) = tally.cost_rate {
            self.add("SlippageBps", Unit::None, rate * Decimal::from(10_000));
        }
        if let Some(data) = &report.data {
            self.add("ClockSkewMs", Unit::Milliseconds, data.clock_skew_ms);
        }
    }

    /// Adds how long each stage of a run took; telling is over now.
    pub fn add_stages(&mut self, report: &RunReport, now: Timestamp) {
        let marks = &report.marks;
        let stages = [
            ("ObserveMs", Some(report.started_at), marks.observed_at),
            ("DecideMs", marks.observed_at, marks.decided_at),
            ("ActMs", marks.decided_at, marks.acted_at),
            ("TellMs", Some(report.finished_at), Some(now)),
        ];
        for (name, begin, end) in stages {
            if let Some((begin, end)) = begin.zip(end) {
                self.add(name, Unit::Milliseconds, milliseconds(end.duration_since(begin)));
            }
        }
    }

    /// Adds how long the invocation took, and how much of its time that was.
    pub fn add_time(&mut self, started: Timestamp, ended: Timestamp, deadline: Timestamp) {
        let took = milliseconds(ended.duration_since(started));
        let whole = milliseconds(deadline.duration_since(started));
        self.add("DurationMs", Unit::Milliseconds, took);
        if let Some(share) = took.checked_div(whole) {
            self.add("BudgetUse", Unit::Percent, share * Decimal::ONE_HUNDRED);
        }
    }

    /// The line, without its end.
    pub fn line(&self, now: Timestamp) -> String {
        let named = |(name, unit, _): &(&str, Unit, Decimal)| {
            let unit = match unit {
                Unit::Count => "Count",
                Unit::Milliseconds => "Milliseconds",
                Unit::Percent => "Percent",
                Unit::None => "None",
            };
            json!({ "Name": name, "Unit": unit })
        };
        let metrics: Vec<Value> = self.figures.iter().map(named).collect();
        let directive = json!({
            "Namespace": NAMESPACE,
            "Dimensions": [["Mode", "Account"]],
            "Metrics": metrics,
        });
        let mut line = self.words.clone();
        let about = json!({ "Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive] });
        line.insert("_aws".to_owned(), about);
        line.insert("Mode".to_owned(), self.mode.as_str().into());
        line.insert("Account".to_owned(), self.account.as_str().into());
        for (name, _, figure) in &self.figures {
            // A figure is for curves and alarms, never for money.
            line.insert((*name).to_owned(), figure.round_dp(SCALE).to_f64().into());
        }
        Value::Object(line).to_string()
    }
}

fn milliseconds(span: SignedDuration) -> Decimal {
    Decimal::from_i128_with_scale(span.as_millis(), 0).max(Decimal::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountName {
        AccountName::parse("main").unwrap()
    }

    #[test]
    fn every_metric_that_is_named_has_its_value_and_its_dimensions() {
        let mut metrics = Metrics::new(Mode::Paper, account());
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let started = at("2026-11-20T14:35:00Z");
        metrics.add_run(&crate::presentation::sample::trading_day());
        metrics.add_time(started, at("2026-11-20T14:35:30Z"), at("2026-11-20T14:40:00Z"));
        let line: Value = serde_json::from_str(&metrics.line(started)).unwrap();
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], "Alchemiser");
        assert_eq!(line["_aws"]["Timestamp"], 1_795_185_300_000_i64);
        for name in directive["Dimensions"][0].as_array().unwrap() {
            assert!(line[name.as_str().unwrap()].is_string(), "{name}");
        }
        let named = directive["Metrics"].as_array().unwrap();
        for metric in named {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
        }
        assert!(named.len() > 8, "{named:?}");
        assert_eq!((&line["DurationMs"], &line["BudgetUse"]), (&json!(30_000.0), &json!(10.0)));
        assert_eq!(line["UnknownOrders"], 0.0);
    }

    #[test]
    fn a_figure_that_is_not_known_is_left_out() {
        let mut metrics = Metrics::new(Mode::Paper, account());
        let mut report = crate::presentation::sample::trading_day();
        report.execution = crate::domain::execution::Execution::default();
        report.data = None;
        metrics.add_run(&report);
        let line = metrics.line(Timestamp::UNIX_EPOCH);
        assert!(!line.contains("SlippageBps") && !line.contains("ClockSkewMs"), "{line}");
    }
}

//! The receipt of a run: what it used, and about what that costs.
//!
//! Prices are the public list prices of the cloud in us-east-1, read 2026-11, before any free
//! allowance: <https://aws.amazon.com/lambda/pricing/>, <https://aws.amazon.com/s3/pricing/>,
//! <https://aws.amazon.com/ses/pricing/>, <https://aws.amazon.com/secrets-manager/pricing/>,
//! <https://aws.amazon.com/eventbridge/pricing/>. Left out are what the stack costs without any
//! run (logs, alarms, metrics, kept bytes) and the looks of the watch.

use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::money::Usd;

/// A gibibyte of memory for a second, on processors of either make.
const GB_SECOND_X86: Decimal = Decimal::from_parts(166_667, 0, 0, false, 10);
const GB_SECOND_ARM: Decimal = Decimal::from_parts(133_334, 0, 0, false, 10);
/// An invocation: $0.20 for a million of the function's, $1.00 of the scheduler's.
const INVOCATION: Decimal = Decimal::from_parts(12, 0, 0, false, 7);
/// A record read: $0.0004 for a thousand.
const READ: Decimal = Decimal::from_parts(4, 0, 0, false, 7);
/// A record written, or a list of records: $0.005 for a thousand.
const WRITE: Decimal = Decimal::from_parts(5, 0, 0, false, 6);
/// A mail to one recipient: $0.10 for a thousand.
const MAIL: Decimal = Decimal::from_parts(1, 0, 0, false, 4);
/// Keeping a secret for a year, at $0.40 a month.
const SECRET_YEAR: Decimal = Decimal::from_parts(48, 0, 0, false, 1);
/// Reading a secret once: $0.05 for ten thousand.
const SECRET_READ: Decimal = Decimal::from_parts(5, 0, 0, false, 6);
/// Sessions that share a year of the secret.
const SESSIONS_A_YEAR: Decimal = Decimal::from_parts(252, 0, 0, false, 0);
const MEGABYTES: Decimal = Decimal::from_parts(1024, 0, 0, false, 0);
const MILLISECONDS: Decimal = Decimal::ONE_THOUSAND;

/// Records that are written once the receipt is made out: the one that holds it, the page, the
/// list of runs twice, the note that the mail was taken, and the lease given back.
const WRITES_AFTER: u32 = 6;
/// Records that are read then: the list of runs.
const READS_AFTER: u32 = 1;

/// What kind of processor a function runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// `x86_64`.
    X86,
    /// `arm64`.
    Arm,
}

/// The function that a run is an invocation of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Memory it is given, in mebibytes; what it costs grows with it.
    pub memory_mb: u32,
    /// What it runs on.
    pub architecture: Architecture,
}

/// What an invocation used until its receipt was made out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Records read.
    pub reads: u32,
    /// Records written, and lists of records.
    pub writes: u32,
    /// Mails, one for each recipient.
    pub mails: u32,
    /// The most memory that the process held, in bytes, where the system says.
    pub memory_bytes: Option<u64>,
}

/// What a run used and costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// What it used, its own mail and what is written after the receipt included.
    pub used: Used,
    /// The function it was an invocation of; `None` on a machine of one's own.
    pub function: Option<Function>,
    /// About what it costs; `None` on a machine of one's own.
    pub cost: Option<Cost>,
}

/// About what a run costs, by what it is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The function's time and start.
    pub function: Usd,
    /// Records read, written and listed.
    pub records: Usd,
    /// Mails.
    pub mail: Usd,
    /// Reading the broker's keys, and the session's share of keeping them.
    pub keys: Usd,
}

impl Receipt {
    /// The receipt of an invocation that took so long and still owes so many mails.
    pub fn new(used: Used, owed: u32, took: SignedDuration, function: Option<Function>) -> Self {
        let used = Used {
            reads: used.reads.saturating_add(READS_AFTER),
            writes: used.writes.saturating_add(WRITES_AFTER),
            mails: used.mails.saturating_add(owed),
            ..used
        };
        let cost = function.map(|function| Cost::new(used, took, function));
        Self { used, function, cost }
    }
}

impl Cost {
    fn new(used: Used, took: SignedDuration, function: Function) -> Self {
        let second = match function.architecture {
            Architecture::X86 => GB_SECOND_X86,
            Architecture::Arm => GB_SECOND_ARM,
        };
        let begun = i64::from(took.subsec_nanos() % 1_000_000 > 0);
        let milliseconds = Decimal::from_i128_with_scale(took.as_millis() + i128::from(begun), 0);
        let size = Decimal::from(function.memory_mb) / MEGABYTES;
        let time = milliseconds.max(Decimal::ZERO) / MILLISECONDS;
        let count = |number: u32, each: Decimal| Decimal::from(number) * each;
        Self {
            function: amount(size * time * second + INVOCATION),
            records: amount(count(used.reads, READ) + count(used.writes, WRITE)),
            mail: amount(count(used.mails, MAIL)),
            keys: amount(SECRET_YEAR / SESSIONS_A_YEAR + SECRET_READ),
        }
    }

    /// All of it.
    pub fn total(&self) -> Usd {
        self.function + self.records + self.mail + self.keys
    }
}

/// To nine decimals: a hundred-thousandth of what is shown.
fn amount(dollars: Decimal) -> Usd {
    Usd::new(dollars).unwrap_or_default().round_down()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USED: Used = Used { reads: 30, writes: 16, mails: 0, memory_bytes: None };

    fn cost(memory_mb: u32, architecture: Architecture, milliseconds: i64) -> Cost {
        let took = SignedDuration::from_millis(milliseconds);
        Receipt::new(USED, 2, took, Some(Function { memory_mb, architecture })).cost.unwrap()
    }

    #[test]
    fn a_run_of_twelve_seconds_costs_two_cents_nearly_all_of_it_for_keeping_the_keys() {
        let cost = cost(256, Architecture::X86, 12_000);
        // 0.25 GB x 12 s x $0.0000166667 + $0.0000012
        assert_eq!(cost.function.to_string(), "0.0000512");
        // 31 x $0.0000004 + (16 + 6) x $0.000005
        assert_eq!(cost.records.to_string(), "0.0001224");
        assert_eq!(cost.mail.to_string(), "0.0002");
        // $4.80 / 252 + $0.000005
        assert_eq!(cost.keys.to_string(), "0.019052619");
        assert_eq!(cost.total().to_string(), "0.019426219");
    }

    #[test]
    fn the_other_make_of_processor_is_a_fifth_cheaper_and_a_begun_millisecond_counts() {
        let (x86, arm) =
            (cost(1024, Architecture::X86, 100_000), cost(1024, Architecture::Arm, 100_000));
        assert_eq!(x86.function.to_string(), "0.00166787");
        assert_eq!(arm.function.to_string(), "0.00133454");
        let function = Some(Function { memory_mb: 1024, architecture: Architecture::X86 });
        let begun = Receipt::new(USED, 0, SignedDuration::from_micros(1_500), function);
        assert_eq!(begun.cost.unwrap().function, cost(1024, Architecture::X86, 2).function);
    }

    #[test]
    fn a_machine_of_ones_own_costs_nothing_that_we_know() {
        let took = SignedDuration::from_secs(9);
        let receipt = Receipt::new(Used { memory_bytes: Some(9), ..USED }, 1, took, None);
        assert_eq!((receipt.cost, receipt.function), (None, None));
        let used = Used { reads: 31, writes: 22, mails: 1, memory_bytes: Some(9) };
        assert_eq!(receipt.used, used);
    }
}

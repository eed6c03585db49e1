//! The end of every run's letter: how long it took, what it asked for, and what that costs.

use rust_decimal::Decimal;

use crate::domain::receipt::{Cost, Receipt};
use crate::domain::report::RunReport;
use crate::presentation::figures::{count, elapsed, small_money};
use crate::presentation::sheet::Fact;

/// Bytes of a mebibyte.
const MEBIBYTE: Decimal = Decimal::from_parts(1_048_576, 0, 0, false, 0);

/// Duration, requests, memory and estimated cost, as far as they are known.
pub(crate) fn receipt(report: &RunReport) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("Took", elapsed(report.started_at, report.finished_at)),
        Fact::new("Requests", requests(report)),
    ];
    if let Some(receipt) = &report.receipt {
        facts.extend(memory(receipt).map(|text| Fact::new("Memory", text)));
        facts.extend(receipt.cost.as_ref().map(|known| Fact::new("Cost", cost(known))));
    }
    facts
}

/// The same in one line, for a day on which nothing happened.
pub(crate) fn in_one_line(report: &RunReport) -> String {
    let records = report.receipt.map_or(0, |r| r.used.reads.saturating_add(r.used.writes));
    let requests = usize::try_from(report.requests.saturating_add(records)).unwrap_or(usize::MAX);
    let took = elapsed(report.started_at, report.finished_at);
    let mut parts = vec![took, count(requests, "request")];
    if let Some(receipt) = &report.receipt {
        parts.extend(memory(receipt));
        parts.extend(receipt.cost.map(|cost| format!("about {}", small_money(cost.total()))));
    }
    parts.join(", ")
}

fn requests(report: &RunReport) -> String {
    let broker = format!("{} to the broker", report.requests);
    report.receipt.as_ref().map_or_else(
        || broker.clone(),
        |receipt| {
            let records = receipt.used.reads.saturating_add(receipt.used.writes);
            format!("{broker}, {records} for records")
        },
    )
}

fn memory(receipt: &Receipt) -> Option<String> {
    let peak = Decimal::from(receipt.used.memory_bytes?).checked_div(MEBIBYTE)?.round_dp(1);
    let of = receipt.function.map(|function| format!(" of {}", function.memory_mb));
    Some(format!("{peak:.1}{} MiB", of.unwrap_or_default()))
}

fn cost(cost: &Cost) -> String {
    let (total, keys) = (small_money(cost.total()), small_money(cost.keys));
    let (function, records) = (small_money(cost.function), small_money(cost.records));
    let mail = small_money(cost.mail);
    format!(
        "about {total}: function {function}, records {records}, mail {mail}, keeping the keys {keys}"
    )
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::receipt::{Architecture, Function, Used};
    use crate::presentation::sample::trading_day;

    fn told(function: Option<Function>, memory_bytes: Option<u64>) -> Vec<String> {
        let used = Used { reads: 30, writes: 16, mails: 0, memory_bytes };
        let mut report = trading_day();
        let took = SignedDuration::from_millis(41_340);
        report.receipt = Some(Receipt::new(used, 1, took, function));
        receipt(&report)
            .iter()
            .map(|fact| format!("{}: {}", fact.name.as_str(), fact.value.as_str()))
            .collect()
    }

    #[test]
    fn a_letter_ends_with_duration_requests_memory_and_cost() {
        let function = Function { memory_mb: 256, architecture: Architecture::X86 };
        let all = [
            "Took: 41.3 s",
            "Requests: 37 to the broker, 53 for records",
            "Memory: 15.8 of 256 MiB",
            "Cost: about $0.0194: function $0.0002, records $0.0001, mail $0.0001, keeping the keys \
             $0.0191",
        ];
        assert_eq!(told(Some(function), Some(16_568_320)), all);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        assert_eq!(told(None, Some(16_568_320))[2..], ["Memory: 15.8 MiB"]);
        assert_eq!(told(None, None).len(), 2);
        let mut report = trading_day();
        report.receipt = None;
        let facts = receipt(&report);
        assert_eq!(facts[1].value.as_str(), "37 to the broker");
        assert_eq!(facts.len(), 2);
    }
}

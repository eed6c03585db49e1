//! The oracle's own reading of order ids and records.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::Date;
use ring::digest::SHA256;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::domain::order::Side;
use crate::simulator::exchange::{Order, Status};
use crate::simulator::trial::script::What;
use crate::simulator::trial::truth::Truth;

/// What our order ids start with.
pub(super) const PREFIX: &str = "al1-";
/// Letters of an id that prove it.
const CHECK_DIGITS: usize = 4;
/// Where a trial's runs keep their records.
pub const RUNS: &str = "runs/paper/main/";

/// The trial with everything read.
pub struct Evidence<'a> {
    /// What happened.
    pub truth: &'a Truth,
    /// Every order with an id of ours, in the order of their arrival.
    pub ours: Vec<Ours>,
    /// Every order without one.
    pub others: Vec<Order>,
    /// What was written of each run, by `session/slot/generation`.
    pub runs: BTreeMap<String, Run>,
}

/// An order of ours as its id and the exchange tell it.
#[derive(Debug, Clone)]
pub struct Ours {
    /// The run it belongs to, as `2026-11-17/open/g0`.
    pub run: String,
    /// The session its id names.
    pub session: Date,
    /// Ticker.
    pub symbol: String,
    /// Side by the id.
    pub side: Side,
    /// Attempt, from 1.
    pub attempt: u8,
    /// The order.
    pub order: Order,
}

/// What was written of one run: the first accepted bytes of each record.
#[derive(Debug, Default)]
pub struct Run {
    /// The records by name, each with its time.
    pub records: BTreeMap<String, (Timestamp, Value)>,
}

impl<'a> Evidence<'a> {
    /// Reads a trial.
    pub fn of(truth: &'a Truth) -> Self {
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        for order in truth.world.orders() {
            match Ours::read(&order) {
                Some(read) => ours.push(read),
                None => others.push(order),
            }
        }
        let mut runs: BTreeMap<String, Run> = BTreeMap::new();
        for written in truth.written.iter().filter(|written| written.once) {
            let Some(rest) = written.key.strip_prefix(RUNS) else { continue };
            let mut parts = rest.splitn(4, '/');
            let (Some(date), Some(slot), Some(generation), Some(name)) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            if name.starts_with("deliveries/") || name == "snapshot.json" {
                continue;
            }
            let run = runs.entry(format!("{date}/{slot}/{generation}")).or_default();
            let value = serde_json::from_slice(&written.bytes).unwrap_or(Value::Null);
            run.records.entry(name.to_owned()).or_insert((written.at, value));
        }
        Self { truth, ours, others, runs }
    }

    /// Orders of ours of one run.
    pub fn of_run<'b>(&'b self, run: &'b str) -> impl Iterator<Item = &'b Ours> {
        self.ours.iter().filter(move |ours| ours.run == run)
    }

    /// True when something in the script makes a check meaningless, such as a person's own sale.
    pub fn any(&self, which: impl Fn(&What) -> bool) -> bool {
        self.truth.happened.iter().any(|(_, what)| which(what))
    }

    /// True when records were damaged or lost: the product has to stop then, not to go on.
    pub fn is_damaged(&self) -> bool {
        self.truth.wiped || !self.truth.damaged.is_empty()
    }
}

impl Ours {
    fn read(order: &Order) -> Option<Self> {
        let (body, check) = order.client_id.rsplit_once('-')?;
        if !digest(body.as_bytes()).starts_with(check) || check.len() != CHECK_DIGITS {
            return None;
        }
        let parts: Vec<&str> = body.strip_prefix(PREFIX)?.split('-').collect();
        let [mode, date, slot, generation, symbol, side, attempt] = parts[..] else { return None };
        if mode != "P" {
            return None;
        }
        let session: Date =
            format!("{}-{}-{}", date.get(..4)?, date.get(4..6)?, date.get(6..8)?).parse().ok()?;
        let side = match side {
            "S" => Side::Sell,
            "B" => Side::Buy,
            _ => return None,
        };
        Some(Self {
            run: format!("{session}/{slot}/{generation}"),
            session,
            symbol: symbol.to_owned(),
            side,
            attempt: attempt.parse().ok()?,
            order: order.clone(),
        })
    }

    /// When nothing more could happen to it; `None` while something could.
    pub fn ended(&self) -> Option<Timestamp> {
        let order = &self.order;
        match order.status {
            Status::Filled => order.filled_at,
            Status::Canceled => order.canceled_at.or(Some(order.updated_at)),
            Status::Expired => order.expired_at,
            Status::Rejected => order.failed_at,
            Status::Accepted
            | Status::PendingNew
            | Status::New
            | Status::PartiallyFilled
            | Status::PendingCancel => None,
        }
    }

    /// Shares ordered.
    pub fn shares(&self) -> Decimal {
        self.order.qty().unwrap_or_default()
    }

    /// For messages.
    pub fn name(&self) -> String {
        format!("{} {} #{} of {}", self.side, self.symbol, self.attempt, self.run)
    }
}

impl Run {
    /// When a record was written.
    pub fn at(&self, name: &str) -> Option<Timestamp> {
        self.records.get(name).map(|(at, _)| *at)
    }

    /// A record's content.
    pub fn body(&self, name: &str) -> Option<&Value> {
        self.records.get(name).and_then(|(_, value)| value.get("body"))
    }

    /// The plan.
    pub fn plan(&self) -> Option<&Value> {
        self.body("plan.json")?.get("plan")
    }

    /// Shares that the plan allows to sell or to buy of a symbol.
    pub fn planned(&self, side: Side, symbol: &str) -> Option<Decimal> {
        let items = self.plan()?.get("items")?.as_array()?;
        let item = items.iter().find(|item| item["symbol"] == symbol)?;
        let word = match side {
            Side::Sell => "sell",
            Side::Buy => "buy",
        };
        let action = item.get("action")?;
        if action.get("do")? == word { decimal(action.get("detail")?) } else { None }
    }

    /// Shares that the buy plan allows to buy of a symbol.
    pub fn funded(&self, symbol: &str) -> Option<Decimal> {
        let items = self.body("buyplan.json")?.get("items")?.as_array()?;
        let item = items.iter().find(|item| item["symbol"] == symbol)?;
        decimal(item.get("shares")?)
    }

    /// The sides of a final record's outcomes, one after the other.
    pub fn outcomes(&self) -> Vec<&Value> {
        let execution = self.body("final.json").and_then(|body| body.get("execution"));
        let side = |name: &str| execution.and_then(|e| e.get(name)).and_then(Value::as_array);
        side("sells").into_iter().chain(side("buys")).flatten().collect()
    }

    /// Whether a record of a phase names a symbol as one whose end was not seen.
    pub fn is_unknown(&self, symbol: &str, side: Side) -> bool {
        let (record, field) = match side {
            Side::Sell => ("sells.json", "sells"),
            Side::Buy => ("buys.json", "buys"),
        };
        let kept = self.body(record).and_then(Value::as_array);
        let last = self.body("final.json").and_then(|body| body.get("execution")?.get(field));
        let all = kept.into_iter().chain(last.and_then(Value::as_array)).flatten();
        let mut of_symbol = all.filter(|outcome| outcome["symbol"] == symbol);
        of_symbol.any(|outcome| {
            let attempts = outcome.get("attempts").and_then(Value::as_array);
            attempts.into_iter().flatten().any(|attempt| attempt["state"] == "unknown")
        })
    }
}

/// A decimal written as text or number.
pub fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A decimal field; zero where there is none.
pub fn amount(value: &Value, field: &str) -> Decimal {
    value.get(field).and_then(decimal).unwrap_or_default()
}

/// SHA-256 of some bytes, hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in ring::digest::digest(&SHA256, bytes).as_ref() {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
    }
    text
}

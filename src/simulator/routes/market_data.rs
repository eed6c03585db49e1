//! Bars, quotes, trades and snapshots of shares.
//!
//! Only daily bars are simulated. The bodies of bars are written as text, because a year of bars
//! of all symbols as a tree of values would cost most of a simulated day.

use std::fmt::Write;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value, json};

use crate::domain::session::{exchange_date, exchange_zone};
use crate::domain::symbol::Symbol;
use crate::simulator::exchange::Refusal;
use crate::simulator::market::{Adjustment, Bar};
use crate::simulator::routes::query::{Query, When};
use crate::simulator::routes::{Answer, DataPlan, Desk};

const LIMIT_DEFAULT: usize = 1_000;
const LIMIT_MAX: usize = 10_000;
const LATEST_SHARES: u32 = 200;
/// Consolidated data are free once they are this old.
const FREE_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// One page of bars.
struct Page {
    rows: Vec<(Symbol, Bar)>,
    next: Option<String>,
}

impl Desk<'_> {
    pub(super) fn market_data(&self, rest: &[&str], query: &Query) -> Result<Answer, Refusal> {
        match rest {
            ["bars"] => self.bars(&query.symbols()?, query, Shape::Many),
            ["quotes", "latest"] => self.latest(query, "quotes", Self::quote),
            ["trades", "latest"] => self.latest(query, "trades", Self::trade),
            ["bars", "latest"] => self.latest(query, "bars", Self::latest_bar),
            ["snapshots"] => {
                let mut body = Map::new();
                for symbol in query.symbols()? {
                    self.insert(&mut body, &symbol, self.snapshot(&symbol));
                }
                Ok(Answer::ok(&Value::Object(body)))
            }
            [name, "bars"] => {
                let symbol = Symbol::parse(name)
                    .map_err(|_| bad_request(format!("invalid symbol: {name}")))?;
                self.bars(&[symbol], query, Shape::One)
            }
            _ => Err(Refusal::not_found("endpoint not found")),
        }
    }

    fn bars(&self, symbols: &[Symbol], query: &Query, shape: Shape) -> Result<Answer, Refusal> {
        if symbols.is_empty() {
            return Err(bad_request("symbols is required"));
        }
        if !matches!(query.get("timeframe"), Some("1Day" | "1D" | "Day" | "D")) {
            return Err(bad_request(
                "invalid timeframe: the simulated exchange has daily bars only",
            ));
        }
        let page = self.page(symbols, query)?;
        let mut body = String::with_capacity(page.rows.len() * 120 + 64);
        match shape {
            Shape::Many => write_by_symbol(&mut body, &page.rows),
            Shape::One => {
                let _ = write!(body, "{{\"symbol\":\"{}\",\"bars\":", symbols[0]); // a String takes all
                write_bars(&mut body, &page.rows);
            }
        }
        let next = page.next.map_or(Value::Null, Value::String);
        let _ = write!(body, ",\"next_page_token\":{next},\"currency\":\"USD\"}}"); // a String takes all
        Ok(Answer::text(body))
    }

    fn page(&self, symbols: &[Symbol], query: &Query) -> Result<Page, Refusal> {
        let limit = match query.get("limit").map(str::parse::<usize>) {
            None => LIMIT_DEFAULT,
            Some(Ok(limit)) if (1..=LIMIT_MAX).contains(&limit) => limit,
            Some(Ok(0) | Err(_)) => return Err(bad_request("invalid limit")),
            Some(Ok(_)) => {
                let words = "invalid limit: larger than the allowed maximum of 10000";
                return Err(bad_request(words));
            }
        };
        let known = self.known_until(query)?;
        let adjustment = match query.get("adjustment").unwrap_or("raw") {
            "raw" | "dividend" => Adjustment::Raw,
            "all" | "split" | "split,dividend" => Adjustment::Split,
            other => return Err(bad_request(format!("invalid adjustment: {other}"))),
        };
        let first = query.when("start")?.map_or_else(|| exchange_date(self.now), first_day);
        let last = query.when("end")?.map_or_else(|| exchange_date(known), last_day);
        let resume = query.get("page_token").map(read_token).transpose()?;
        let descending = query.get("sort") == Some("desc");
        let mut rows = Vec::new();
        for symbol in symbols {
            if resume.as_ref().is_some_and(|(from, _)| symbol < from) {
                continue;
            }
            let mut days: Vec<Date> =
                self.market.sessions_of((first, last), known).map(|session| session.date).collect();
            if descending {
                days.reverse();
            }
            if let Some((from, through)) = &resume
                && from == symbol
            {
                days.retain(|day| if descending { day < through } else { day > through });
            }
            for day in days {
                let Some(bar) = self.market.bar(symbol, day, (known, adjustment)) else { continue };
                if rows.len() == limit {
                    let next =
                        rows.last().map(|(symbol, bar): &(Symbol, Bar)| token(symbol, bar.day));
                    return Ok(Page { rows, next });
                }
                rows.push((symbol.clone(), bar));
            }
        }
        Ok(Page { rows, next: None })
    }

    /// The moment up to which the subscription shows bars.
    fn known_until(&self, query: &Query) -> Result<Timestamp, Refusal> {
        let free = self.now - FREE_AFTER;
        let feed = query.get("feed");
        if !matches!(feed, None | Some("sip" | "iex" | "otc" | "boats")) {
            return Err(bad_request(format!("invalid feed: {}", feed.unwrap_or_default())));
        }
        if self.door.plan == DataPlan::Plus || feed == Some("iex") {
            return Ok(self.now);
        }
        match query.when("end")? {
            Some(When::At(end)) if end > free => Err(subscription()),
            Some(When::On(day)) if day > exchange_date(free) => Err(subscription()),
            Some(_) | None => Ok(free),
        }
    }

    fn latest(
        &self,
        query: &Query,
        name: &str,
        read: fn(&Self, &Symbol, Timestamp) -> Option<Value>,
    ) -> Result<Answer, Refusal> {
        let seen = match query.get("feed") {
            Some("sip") if self.door.plan == DataPlan::Basic => return Err(subscription()),
            Some("delayed_sip") => self.now - FREE_AFTER,
            None | Some("sip" | "iex" | "otc" | "boats" | "overnight") => self.now,
            Some(other) => return Err(bad_request(format!("invalid feed: {other}"))),
        };
        let symbols = query.symbols()?;
        if symbols.is_empty() {
            return Err(bad_request("symbols is required"));
        }
        let mut rows = Map::new();
        for symbol in &symbols {
            self.insert(&mut rows, symbol, read(self, symbol, seen));
        }
        Ok(Answer::ok(&json!({ name: rows })))
    }

    fn insert(&self, rows: &mut Map<String, Value>, symbol: &Symbol, value: Option<Value>) {
        let active = self.exchange.asset(symbol.as_str()).is_some_and(|asset| asset.active);
        if let Some(value) = value.filter(|_| active) {
            rows.insert(symbol.to_string(), value);
        }
    }

    fn quote(&self, symbol: &Symbol, seen: Timestamp) -> Option<Value> {
        let touch = self.market.touch(symbol, seen)?;
        let number = |price: Option<rust_decimal::Decimal>| price.and_then(|p| p.to_f64());
        let size = |price: Option<rust_decimal::Decimal>| price.map_or(0, |_| LATEST_SHARES);
        Some(json!({
            "t": touch.at.to_string(),
            "bp": number(touch.bid).unwrap_or_default(), "bs": size(touch.bid), "bx": "V",
            "ap": number(touch.ask).unwrap_or_default(), "as": size(touch.ask), "ax": "V",
            "c": ["R"], "z": "B",
        }))
    }

    fn trade(&self, symbol: &Symbol, seen: Timestamp) -> Option<Value> {
        let touch = self.market.touch(symbol, seen)?;
        let price = self.market.mark(symbol, seen)?;
        let conditions = ["@"];
        Some(json!({
            "t": touch.at.to_string(), "x": "V", "p": price.to_f64(), "s": LATEST_SHARES,
            "c": conditions, "i": 1, "z": "B",
        }))
    }

    fn latest_bar(&self, symbol: &Symbol, seen: Timestamp) -> Option<Value> {
        let price = self.market.mark(symbol, seen)?.to_f64()?;
        let minute = Timestamp::from_second(seen.as_second().div_euclid(60) * 60).ok()?;
        Some(json!({
            "t": minute.to_string(), "o": price, "h": price, "l": price, "c": price,
            "v": LATEST_SHARES, "n": 1, "vw": price,
        }))
    }

    fn snapshot(&self, symbol: &Symbol) -> Option<Value> {
        let days = &self.market.days;
        let session = days.sessions().iter().rev().find(|session| session.open <= self.now)?;
        let known = (self.now, Adjustment::Raw);
        let daily = |day: Date| {
            let bar = self.market.bar(symbol, day, known)?;
            serde_json::from_str::<Value>(&bar_text(&bar)).ok()
        };
        Some(json!({
            "latestTrade": self.trade(symbol, self.now)?,
            "latestQuote": self.quote(symbol, self.now)?,
            "minuteBar": self.latest_bar(symbol, self.now)?,
            "dailyBar": daily(session.date),
            "prevDailyBar": days.before(session.date).and_then(|session| daily(session.date)),
        }))
    }
}

/// Whether an answer maps symbols to bars or lists one symbol's.
#[derive(Clone, Copy)]
enum Shape {
    Many,
    One,
}

fn write_by_symbol(body: &mut String, rows: &[(Symbol, Bar)]) {
    body.push_str("{\"bars\":{");
    for (number, group) in rows.chunk_by(|a, b| a.0 == b.0).enumerate() {
        let comma = if number == 0 { "" } else { "," };
        if let Some((symbol, _)) = group.first() {
            let _ = write!(body, "{comma}\"{symbol}\":"); // a String takes all
        }
        write_bars(body, group);
    }
    body.push('}');
}

fn write_bars(body: &mut String, rows: &[(Symbol, Bar)]) {
    body.push('[');
    for (number, (_, bar)) in rows.iter().enumerate() {
        if number > 0 {
            body.push(',');
        }
        body.push_str(&bar_text(bar));
    }
    body.push(']');
}

fn bar_text(bar: &Bar) -> String {
    let Bar { start, open, high, low, close, volume, .. } = bar;
    let middle = (open + close) / 2.0;
    format!(
        "{{\"t\":\"{start}\",\"o\":{open},\"h\":{high},\"l\":{low},\"c\":{close},\"v\":{volume},\
         \"n\":{LATEST_SHARES},\"vw\":{middle}}}"
    )
}

/// The first date whose bar, stamped at its midnight in New York, is not before the start.
fn first_day(when: When) -> Date {
    let day = exchange_date(when.start());
    if When::On(day).start() < when.start() { day.tomorrow().unwrap_or(day) } else { day }
}

/// The last date whose bar is not after the end.
fn last_day(when: When) -> Date {
    when.end().to_zoned(exchange_zone()).date()
}

/// Where a page ends: opaque to the client.
fn token(symbol: &Symbol, day: Date) -> String {
    let plain = format!("{symbol}|{day}");
    plain.bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a String takes all
        text
    })
}

fn read_token(token: &str) -> Result<(Symbol, Date), Refusal> {
    let invalid = || bad_request("invalid page_token");
    let byte = |at: usize| token.get(at..at + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
    let bytes: Option<Vec<u8>> = (0..token.len()).step_by(2).map(byte).collect();
    let plain = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)?;
    let (symbol, day) = plain.split_once('|').ok_or_else(invalid)?;
    let symbol = Symbol::parse(symbol).map_err(|_| invalid())?;
    Ok((symbol, day.parse().map_err(|_| invalid())?))
}

pub(super) fn bad_request(message: impl Into<String>) -> Refusal {
    Refusal { status: 400, ..Refusal::malformed(message) }
}

/// The code is the one the broker's own questions page shows, although its prefix is not the status.
fn subscription() -> Refusal {
    let message = "subscription does not permit querying recent SIP data".to_owned();
    Refusal { status: 403, code: 42_210_000, message, extras: Vec::new() }
}

//! Reading what was booked: fills, dividends, fees, transfers, splits and renames.
//!
//! Trades and cash are one row each. A split or rename is a pair of rows that take the old
//! shares away and bring the new ones, linked by a group; newer rows also state the rates or
//! both symbols. Whatever of this cannot be understood and moves shares becomes
//! [`ActivityKind::Unknown`], which explains nothing and so stops trading rather than guess.
//! Shapes: Alpaca's account activities and activity stream pages, read 2026-11.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use crate::domain::account::{Activity, ActivityKind};
use crate::domain::money::{Shares, Usd};
use crate::domain::session::exchange_zone;
use crate::domain::symbol::Symbol;
use crate::infrastructure::alpaca::wire::{Fields, Unreadable, list, side};

/// One row, before pairs are joined.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: String,
    at: Timestamp,
    what: What,
}

#[derive(Debug)]
enum What {
    Done(ActivityKind),
    /// One leg of a change of shares.
    Leg {
        code: String,
        group: String,
        leg: Leg,
    },
    /// Nothing that matters to us.
    Nothing,
}

#[derive(Debug)]
struct Leg {
    symbol: Option<Symbol>,
    /// Whether the shares were taken away; else they were brought.
    gone: bool,
    shares: Shares,
    rates: Option<(Shares, Shares)>,
    symbols: Option<(Symbol, Symbol)>,
}

/// The rows of a page.
pub(super) fn page(body: &[u8]) -> Result<Vec<Row>, Unreadable> {
    list(body, "activity")?.iter().map(row).collect()
}

/// Joins pairs and sorts, oldest first.
pub(super) fn join(rows: Vec<Row>) -> Vec<Activity> {
    let mut activities = Vec::new();
    let mut pairs: BTreeMap<(String, String), (String, Timestamp, Vec<Leg>)> = BTreeMap::new();
    for Row { id, at, what } in rows {
        match what {
            What::Done(what) => activities.push(Activity { id, at, what }),
            What::Nothing => {}
            What::Leg { code, group, leg } => {
                let (_, _, legs) = pairs.entry((code, group)).or_insert((id, at, Vec::new()));
                legs.push(leg);
            }
        }
    }
    for ((code, _), (id, at, legs)) in pairs {
        if let Some(what) = joined(&code, &legs) {
            activities.push(Activity { id, at, what });
        }
    }
    activities.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    activities
}

impl Leg {
    /// What the two legs of a change have in common on their day when no group says so.
    fn likely_group(&self, code: &str) -> String {
        match (&self.symbols, &self.symbol) {
            (Some((from, to)), _) => format!("{from} {to}"),
            (None, Some(symbol)) if code == "SPLIT" => symbol.to_string(),
            _ => self.shares.to_string(),
        }
    }
}

/// What the legs of one change say together; `None` when nothing changed hands.
fn joined(code: &str, legs: &[Leg]) -> Option<ActivityKind> {
    let unknown = || Some(ActivityKind::Unknown { code: code.to_owned() });
    let gone = legs.iter().find(|leg| leg.gone);
    let came = legs.iter().find(|leg| !leg.gone);
    let pair = (legs.len() == 2).then_some(()).and(gone.zip(came));
    let symbols = legs.iter().find_map(|leg| leg.symbols.clone()).or_else(|| {
        pair.and_then(|(gone, came)| Some((gone.symbol.clone()?, came.symbol.clone()?)))
    });
    match code {
        "SPLIT" => {
            let Some(symbol) = legs.iter().find_map(|leg| leg.symbol.clone()) else {
                return unknown();
            };
            if legs.len() > 2 || symbols.is_some_and(|(from, to)| from != to) {
                return unknown(); // units that come apart, or a split under a new name
            }
            let stated = legs.iter().find_map(|leg| leg.rates);
            let counted = pair.map(|(gone, came)| (came.shares, gone.shares));
            match stated.or(counted) {
                Some((new, old)) if !new.is_zero() && !old.is_zero() => {
                    Some(ActivityKind::Split { symbol, new, old })
                }
                _ => unknown(),
            }
        }
        "NC" => match symbols {
            Some((from, to)) if from == to => None, // only the security's number changed
            Some((from, to)) if pair.is_none_or(|(gone, came)| gone.shares == came.shares) => {
                Some(ActivityKind::Rename { from, to })
            }
            _ => unknown(),
        },
        _ => unknown(),
    }
}

fn row(fields: &Fields<'_>) -> Result<Row, Unreadable> {
    let id = fields.need_text("id")?;
    let code = fields.need_text("activity_type")?;
    let at = booked_at(fields)?;
    let what = if fields.text("status")?.as_deref() == Some("canceled") {
        cancelled(fields, &code)?
    } else {
        meaning(fields, &code)?
    };
    Ok(Row { id, at, what })
}

/// An entry that was taken back: its cash never moved; what became of its shares is unclear.
fn cancelled(fields: &Fields<'_>, code: &str) -> Result<What, Unreadable> {
    Ok(if moves_shares(fields, code)? {
        What::Done(ActivityKind::Unknown { code: format!("{code} canceled") })
    } else {
        What::Nothing
    })
}

fn meaning(fields: &Fields<'_>, code: &str) -> Result<What, Unreadable> {
    if code == "FILL" {
        return fill(fields).map(What::Done);
    }
    if matches!(code, "SPLIT" | "SSP" | "NC" | "SC") {
        let code = if matches!(code, "SC" | "NC") { "NC" } else { "SPLIT" };
        return leg(fields, code);
    }
    if moves_shares(fields, code)? {
        return Ok(What::Done(ActivityKind::Unknown { code: code.to_owned() }));
    }
    let Some(amount) = fields.value::<Usd>("net_amount")? else {
        return Ok(What::Done(ActivityKind::Unknown { code: code.to_owned() }));
    };
    // A symbol that is no ticker (an option, say) leaves the cash all the same.
    let symbol = fields.text("symbol")?.and_then(|text| Symbol::parse(&text).ok());
    Ok(What::Done(match (code, symbol) {
        ("DIVFEE" | "FEE" | "CFEE" | "PTC", symbol) => ActivityKind::Fee { symbol, amount },
        (code, Some(symbol)) if code.starts_with("DIV") => {
            let shares = fields.text("qty")?.and_then(|text| Shares::parse(&text).ok());
            ActivityKind::Dividend { symbol, amount, shares, date: booked_on(fields)? }
        }
        ("CSD" | "CSW" | "TRANS" | "JNL" | "JNLC" | "ACATC", _) => {
            ActivityKind::Transfer { amount }
        }
        (code, _) => ActivityKind::Cash { code: code.to_owned(), amount },
    }))
}

/// The quantity of a cash dividend or fee is what it was reckoned on; any other moves shares.
fn moves_shares(fields: &Fields<'_>, code: &str) -> Result<bool, Unreadable> {
    let in_shares = fields.text("activity_sub_type")?.is_some_and(|sub| sub == "SDIV");
    let cash = (code.starts_with("DIV") && !in_shares)
        || matches!(code, "FEE" | "CFEE" | "PTC" | "INT" | "INTNRA");
    let quantity = fields.text("qty")?;
    Ok(!cash && quantity.is_some_and(|quantity| !quantity.trim_matches(['0', '.', '-']).is_empty()))
}

fn fill(fields: &Fields<'_>) -> Result<ActivityKind, Unreadable> {
    let symbol = fields.text("symbol")?.and_then(|text| Symbol::parse(&text).ok());
    let known = fields.text("side")?.as_deref().and_then(side);
    let (Some(symbol), Some(side)) = (symbol, known) else {
        return Ok(ActivityKind::Unknown { code: "FILL".to_owned() });
    };
    Ok(ActivityKind::Fill {
        order: fields.need_text("order_id")?,
        symbol,
        side,
        shares: fields.need("qty")?,
        price: fields.need("price")?,
    })
}

fn leg(fields: &Fields<'_>, code: &str) -> Result<What, Unreadable> {
    let details = fields.inner("details")?;
    let text = |key: &str| match fields.text(key)? {
        None => details.as_ref().map_or(Ok(None), |details| details.text(key)),
        there => Ok(there),
    };
    let symbol = |key: &str| Ok(text(key)?.and_then(|text| Symbol::parse(&text).ok()));
    let shares = |key: &str| Ok(text(key)?.and_then(|text| Shares::parse(&text).ok()));
    let quantity = fields.need_text("qty")?;
    let leg = Leg {
        symbol: symbol("symbol")?,
        gone: quantity.starts_with('-'),
        shares: Shares::parse(quantity.trim_start_matches('-'))
            .map_err(|error| fields.wrong("qty", error))?,
        rates: shares("new_rate")?.zip(shares("old_rate")?),
        symbols: symbol("old_symbol")?.zip(symbol("new_symbol")?),
    };
    let group = match text("group_id")? {
        Some(group) => group,
        None => format!("{} {}", leg.likely_group(code), booked_on(fields)?),
    };
    Ok(What::Leg { code: code.to_owned(), group, leg })
}

fn booked_at(fields: &Fields<'_>) -> Result<Timestamp, Unreadable> {
    for key in ["transaction_time", "created_at"] {
        if let Some(at) = fields.value(key)? {
            return Ok(at);
        }
    }
    let date: Date = fields.need("date")?;
    exchange_zone()
        .to_timestamp(date.to_datetime(Time::midnight()))
        .map_err(|error| fields.wrong("date", error))
}

fn booked_on(fields: &Fields<'_>) -> Result<Date, Unreadable> {
    match fields.value("date")? {
        Some(date) => Ok(date),
        None => Ok(crate::domain::session::exchange_date(booked_at(fields)?)),
    }
}

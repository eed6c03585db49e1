//! The body of a new order, from JSON to a [`NewOrder`]: form only, no rules.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::domain::order::Side;
use crate::domain::symbol::Symbol;
use crate::simulator::exchange::{Intent, Kind, NewOrder, Refusal, Size, TimeInForce};

/// Reads the body of a new order.
pub(super) fn new_order(body: &[u8]) -> Result<NewOrder, Refusal> {
    let fields: Map<String, Value> = serde_json::from_slice(body).map_err(|_| Refusal {
        status: 400,
        ..Refusal::malformed("request body format is invalid")
    })?;
    let symbol = word(&fields, "symbol").ok_or_else(|| Refusal::malformed("symbol is required"))?;
    let symbol = Symbol::parse(&symbol)
        .map_err(|_| Refusal::unprocessable(format!("asset \"{symbol}\" not found")))?;
    let size = ordered_size(&fields)?;
    let direction = match word(&fields, "side").as_deref() {
        Some("buy") => Side::Buy,
        Some("sell") => Side::Sell,
        _ => return Err(Refusal::malformed("invalid side")),
    };
    let kind = kind(&fields)?;
    let class = word(&fields, "order_class").unwrap_or_default();
    if !matches!(class.as_str(), "" | "simple") {
        return Err(Refusal::unprocessable(format!("order class {class} is not simulated")));
    }
    Ok(NewOrder {
        symbol,
        size,
        side: direction,
        kind,
        time_in_force: time_in_force(&fields)?,
        client_id: word(&fields, "client_order_id").filter(|id| !id.is_empty()),
        intent: intent(&fields)?,
        extended_hours: fields.get("extended_hours").and_then(Value::as_bool).unwrap_or(false),
    })
}

fn ordered_size(fields: &Map<String, Value>) -> Result<Size, Refusal> {
    match (number(fields, "qty")?, number(fields, "notional")?) {
        (None, None) => Err(Refusal::malformed("qty or notional is required")),
        (Some(_), Some(_)) => Err(Refusal::malformed("only one of qty or notional is accepted")),
        (Some(qty), None) if qty <= Decimal::ZERO => Err(Refusal::malformed("qty must be > 0")),
        (Some(qty), None) => Ok(Size::Qty(qty)),
        (None, Some(dollars)) => Ok(Size::Notional(dollars)),
    }
}

fn kind(fields: &Map<String, Value>) -> Result<Kind, Refusal> {
    let (limit, stop) = (number(fields, "limit_price")?, number(fields, "stop_price")?);
    if [limit, stop].into_iter().flatten().any(|price| price <= Decimal::ZERO) {
        return Err(Refusal::malformed("limit price must be > 0"));
    }
    let missing = |words: &str| Refusal::malformed(words.to_owned());
    match word(fields, "type").as_deref() {
        Some("market") if limit.is_some() || stop.is_some() => {
            Err(missing("market orders require no stop or limit price"))
        }
        Some("market") => Ok(Kind::Market),
        Some("limit") => {
            limit.map(Kind::Limit).ok_or_else(|| missing("limit orders require a limit price"))
        }
        Some("stop") => {
            stop.map(Kind::Stop).ok_or_else(|| missing("stop orders require a stop price"))
        }
        Some("stop_limit") => match (stop, limit) {
            (Some(stop), Some(limit)) => Ok(Kind::StopLimit { stop, limit }),
            _ => Err(missing("stop limit orders require both stop and limit price")),
        },
        _ => Err(missing("invalid order type")),
    }
}

fn time_in_force(fields: &Map<String, Value>) -> Result<TimeInForce, Refusal> {
    Ok(match word(fields, "time_in_force").as_deref() {
        Some("day") => TimeInForce::Day,
        Some("gtc") => TimeInForce::Gtc,
        Some("opg") => TimeInForce::Opg,
        Some("cls") => TimeInForce::Cls,
        Some("ioc") => TimeInForce::Ioc,
        Some("fok") => TimeInForce::Fok,
        _ => return Err(Refusal::malformed("invalid time_in_force")),
    })
}

fn intent(fields: &Map<String, Value>) -> Result<Option<Intent>, Refusal> {
    Ok(Some(match word(fields, "position_intent").as_deref() {
        None => return Ok(None),
        Some("buy_to_open") => Intent::BuyToOpen,
        Some("buy_to_close") => Intent::BuyToClose,
        Some("sell_to_open") => Intent::SellToOpen,
        Some("sell_to_close") => Intent::SellToClose,
        Some(_) => return Err(Refusal::malformed("invalid position_intent")),
    }))
}

fn word(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// A number sent as a string or as a number.
fn number(fields: &Map<String, Value>, name: &str) -> Result<Option<Decimal>, Refusal> {
    let text = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => String::new(),
    };
    let exact = text.parse().or_else(|_| Decimal::from_scientific(&text));
    exact.map(Some).map_err(|_| Refusal::malformed(format!("invalid {name}")))
}

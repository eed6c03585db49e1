//! How orders, activities and messages are spelt.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use crate::simulator::exchange::{
    Activity, Booking, Entry, Fill, Order, Size, Status, Update, side_word,
};

/// A decimal as the broker writes it: a string without trailing zeros.
pub(super) fn text(value: Decimal) -> Value {
    Value::String(value.normalize().to_string())
}

pub(super) fn maybe(value: Option<Decimal>) -> Value {
    value.map_or(Value::Null, text)
}

pub(super) fn moment(value: Option<Timestamp>) -> Value {
    value.map_or(Value::Null, |at| Value::String(at.to_string()))
}

pub(super) fn order(order: &Order) -> Value {
    let asked = &order.asked;
    let (qty, notional) = match asked.size {
        Size::Qty(qty) => (text(qty), Value::Null),
        Size::Notional(dollars) => (Value::Null, text(dollars)),
    };
    let mut body = json!({
        "id": order.id,
        "client_order_id": order.client_id,
        "created_at": order.created_at.to_string(),
        "updated_at": order.updated_at.to_string(),
        "submitted_at": order.submitted_at.to_string(),
        "filled_at": moment(order.filled_at.filter(|_| order.status == Status::Filled)),
        "expired_at": moment(order.expired_at),
        "expires_at": order.expires_at.to_string(),
        "canceled_at": moment(order.canceled_at),
        "failed_at": moment(order.failed_at),
        "replaced_at": null, "replaced_by": null, "replaces": null,
        "asset_id": order.asset_id,
        "symbol": asked.symbol.as_str(),
        "asset_class": "us_equity",
        "notional": notional,
        "qty": qty,
        "filled_qty": text(order.filled),
        "filled_avg_price": maybe(order.average()),
        "order_class": "",
        "order_type": asked.kind.as_str(),
        "type": asked.kind.as_str(),
        "side": side_word(asked.side),
        "position_intent": order.intent.as_str(),
        "time_in_force": asked.time_in_force.as_str(),
        "limit_price": maybe(asked.kind.limit()),
        "stop_price": maybe(asked.kind.stop()),
        "status": order.status.as_str(),
        "extended_hours": asked.extended_hours,
        "legs": null, "trail_percent": null, "trail_price": null, "hwm": null,
        "subtag": null, "source": null,
    });
    if let Some(at) = order.cancel_requested_at {
        body["cancel_requested_at"] = Value::String(at.to_string());
    }
    body
}

/// A message of the stream of order messages.
pub(in crate::simulator) fn trade_update(update: &Update, number: usize) -> Value {
    let mut data = json!({
        "event": update.event,
        "event_id": format!("01J{number:023}"),
        "at": update.at.to_string(),
        "timestamp": update.at.to_string(),
        "order": order(&update.order),
    });
    if let Some(execution) = &update.execution {
        data["execution_id"] = Value::String(execution.id.clone());
        data["price"] = text(execution.price);
        data["qty"] = text(execution.qty);
        data["position_qty"] = text(execution.position);
    }
    json!({"stream": "trade_updates", "data": data})
}

pub(super) fn activity(activity: &Activity) -> Value {
    match &activity.entry {
        Entry::Fill(entry) => fill(activity, entry),
        Entry::Other(entry) => booking(activity, entry),
    }
}

fn fill(activity: &Activity, fill: &Fill) -> Value {
    let (kind, status) = if fill.leaves.is_zero() {
        ("fill", Status::Filled)
    } else {
        ("partial_fill", Status::PartiallyFilled)
    };
    let micros = Timestamp::from_microsecond(activity.at.as_microsecond());
    json!({
        "activity_type": "FILL",
        "id": activity.id,
        "order_id": fill.order_id,
        "order_status": status.as_str(),
        "type": kind,
        "symbol": fill.symbol.as_str(),
        "side": side_word(fill.side),
        "qty": text(fill.qty),
        "cum_qty": text(fill.cumulative),
        "leaves_qty": text(fill.leaves),
        "price": text(fill.price),
        "transaction_time": micros.unwrap_or(activity.at).to_string(),
    })
}

fn booking(activity: &Activity, booking: &Booking) -> Value {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            body.insert(name.to_owned(), value);
        }
    };
    let words = |text: &str| Value::String(text.to_owned());
    put("activity_type", words(booking.code));
    put("activity_sub_type", booking.sub_code.map_or(Value::Null, words));
    put("id", words(&activity.id));
    put("date", words(&booking.date.to_string()));
    put("net_amount", text(booking.amount));
    put("symbol", booking.symbol.as_ref().map_or(Value::Null, |s| words(s.as_str())));
    put("qty", maybe(booking.qty));
    put("per_share_amount", maybe(booking.per_share));
    put("price", maybe(booking.price));
    put("status", words("executed"));
    put("description", words(&booking.description));
    put("created_at", words(&activity.at.to_string()));
    put("currency", words("USD"));
    put("group_id", booking.group.as_deref().map_or(Value::Null, words));
    Value::Object(body)
}

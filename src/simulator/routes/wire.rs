//! How orders, activities and messages are spelt.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
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

/// A decimal of an order, spelt as [`text`] does.
struct Exact(Decimal);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.normalize())
    }
}

/// An order as the broker shows it. Lists of orders are asked for more often than anything else,
/// so it is written without a tree of values in between.
#[derive(Serialize)]
pub(super) struct OrderBody<'a> {
    id: &'a str,
    client_order_id: &'a str,
    created_at: Timestamp,
    updated_at: Timestamp,
    submitted_at: Timestamp,
    filled_at: Option<Timestamp>,
    expired_at: Option<Timestamp>,
    expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_requested_at: Option<Timestamp>,
    canceled_at: Option<Timestamp>,
    failed_at: Option<Timestamp>,
    replaced_at: (),
    replaced_by: (),
    replaces: (),
    asset_id: &'a str,
    symbol: &'a str,
    asset_class: &'static str,
    notional: Option<Exact>,
    qty: Option<Exact>,
    filled_qty: Exact,
    filled_avg_price: Option<Exact>,
    order_class: &'static str,
    order_type: &'static str,
    r#type: &'static str,
    side: &'static str,
    position_intent: &'static str,
    time_in_force: &'static str,
    limit_price: Option<Exact>,
    stop_price: Option<Exact>,
    status: &'static str,
    extended_hours: bool,
    legs: (),
    trail_percent: (),
    trail_price: (),
    hwm: (),
    subtag: (),
    source: (),
}

pub(super) fn order(order: &Order) -> OrderBody<'_> {
    let asked = &order.asked;
    let (qty, notional) = match asked.size {
        Size::Qty(qty) => (Some(Exact(qty)), None),
        Size::Notional(dollars) => (None, Some(Exact(dollars))),
    };
    OrderBody {
        id: &order.id,
        client_order_id: &order.client_id,
        created_at: order.created_at,
        updated_at: order.updated_at,
        submitted_at: order.submitted_at,
        filled_at: order.filled_at.filter(|_| order.status == Status::Filled),
        expired_at: order.expired_at,
        expires_at: order.expires_at,
        cancel_requested_at: order.cancel_requested_at,
        canceled_at: order.canceled_at,
        failed_at: order.failed_at,
        replaced_at: (),
        replaced_by: (),
        replaces: (),
        asset_id: &order.asset_id,
        symbol: asked.symbol.as_str(),
        asset_class: "us_equity",
        notional,
        qty,
        filled_qty: Exact(order.filled),
        filled_avg_price: order.average().map(Exact),
        order_class: "",
        order_type: asked.kind.as_str(),
        r#type: asked.kind.as_str(),
        side: side_word(asked.side),
        position_intent: order.intent.as_str(),
        time_in_force: asked.time_in_force.as_str(),
        limit_price: asked.kind.limit().map(Exact),
        stop_price: asked.kind.stop().map(Exact),
        status: order.status.as_str(),
        extended_hours: asked.extended_hours,
        legs: (),
        trail_percent: (),
        trail_price: (),
        hwm: (),
        subtag: (),
        source: (),
    }
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

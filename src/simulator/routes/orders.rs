//! Orders: list, look up, submit, cancel.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::simulator::exchange::{Order, Refusal, side_word};
use crate::simulator::routes::query::{Query, When};
use crate::simulator::routes::{Answer, Desk, submit, wire};

const LIST_DEFAULT: usize = 50;
const LIST_MAX: usize = 500;

impl Desk<'_> {
    pub(super) fn submit(&mut self, body: &[u8]) -> Result<Answer, Refusal> {
        let asked = submit::new_order(body)?;
        let at = self.exchange.submit(asked, self.trouble, self.now, self.market)?;
        Ok(Answer::ok(&wire::order(&self.exchange.orders()[at])))
    }

    pub(super) fn orders(&mut self, query: &Query) -> Result<Answer, Refusal> {
        let limit = query.number("limit", (1, LIST_MAX))?.unwrap_or(LIST_DEFAULT);
        let status = query.get("status").unwrap_or("open");
        if !matches!(status, "open" | "closed" | "all") {
            return Err(Refusal::malformed("invalid status"));
        }
        let symbols = query.symbols()?;
        let moment = |name| query.when(name).map(|when| when.map(When::start));
        let (after, until) = (moment("after")?, moment("until")?);
        let wanted = |order: &Order| {
            let open = order.status.is_open();
            let in_status = status == "all" || open == (status == "open");
            let in_time = |at: Timestamp| {
                after.is_none_or(|after| at > after) && until.is_none_or(|until| at < until)
            };
            in_status
                && in_time(order.submitted_at)
                && (symbols.is_empty() || symbols.contains(order.symbol()))
                && query.get("side").is_none_or(|side| side == side_word(order.asked.side))
        };
        let chosen = self.exchange.orders().iter().enumerate().filter(|(_, order)| wanted(order));
        let mut chosen: Vec<usize> = chosen.map(|(at, _)| at).collect();
        chosen.sort_by_key(|at| (self.exchange.orders()[*at].submitted_at, *at));
        if !query.is_ascending() {
            chosen.reverse();
        }
        chosen.retain(|at| self.exchange.look_up(*at));
        chosen.truncate(limit);
        let orders = chosen.iter().map(|at| wire::order(&self.exchange.orders()[*at]));
        Ok(Answer::ok(&orders.collect::<Vec<_>>()))
    }

    pub(super) fn order(&mut self, id: &str) -> Result<Answer, Refusal> {
        let at = self.order_index(id)?;
        if !self.exchange.look_up(at) {
            return Err(order_not_found(id));
        }
        Ok(Answer::ok(&wire::order(&self.exchange.orders()[at])))
    }

    pub(super) fn order_by_client_id(&mut self, query: &Query) -> Result<Answer, Refusal> {
        let Some(id) = query.get("client_order_id") else {
            return Err(Refusal::malformed("client_order_id is required"));
        };
        let found = self.exchange.find_client(id);
        match found.filter(|at| self.exchange.look_up(*at)) {
            Some(at) => Ok(Answer::ok(&wire::order(&self.exchange.orders()[at]))),
            None => Err(order_not_found(id)),
        }
    }

    pub(super) fn cancel(&mut self, id: &str) -> Result<Answer, Refusal> {
        let at = self.order_index(id)?;
        self.exchange.cancel(at, self.now, self.market)?;
        Ok(Answer { status: 204, body: String::new() })
    }

    pub(super) fn cancel_all(&mut self) -> Answer {
        let ids: Vec<String> = self.exchange.open_orders().map(|order| order.id.clone()).collect();
        let mut items = Vec::with_capacity(ids.len());
        for id in ids {
            let at = self.exchange.find(&id);
            let done = at.map(|at| self.exchange.cancel(at, self.now, self.market));
            let status = if matches!(done, Some(Ok(()))) { 200 } else { 500 };
            items.push(json!({"id": id, "status": status}));
        }
        Answer::json(207, &Value::Array(items))
    }

    fn order_index(&self, id: &str) -> Result<usize, Refusal> {
        let plain = id.chars().filter(|c| *c != '-');
        if plain.clone().count() != 32 || !plain.clone().all(|c| c.is_ascii_hexdigit()) {
            return Err(Refusal::malformed("invalid order id"));
        }
        self.exchange.find(id).ok_or_else(|| order_not_found(id))
    }
}

fn order_not_found(id: &str) -> Refusal {
    Refusal::not_found(format!("order not found for {id}"))
}

//! Announced corporate actions.

use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use crate::domain::session::exchange_date;
use crate::simulator::exchange::{Entry, Refusal};
use crate::simulator::routes::query::Query;
use crate::simulator::routes::{Answer, Desk};

impl Desk<'_> {
    pub(super) fn corporate_actions(&self, query: &Query) -> Result<Answer, Refusal> {
        let symbols = query.symbols()?;
        let today = exchange_date(self.now);
        let day = |name| query.when(name).map(|w| w.map_or(today, |w| exchange_date(w.start())));
        let span = day("start")?..=day("end")?;
        let types = query.get("types").unwrap_or_default();
        let asked = |kind: &str| types.is_empty() || types.split(',').any(|t| kind.starts_with(t));
        let named = |symbol| symbols.is_empty() || symbols.contains(symbol);
        let (mut forward, mut reverse, mut dividends) = (Vec::new(), Vec::new(), Vec::new());
        for (symbol, split) in self.market.splits() {
            let ex_date = exchange_date(split.at);
            if !(split.announced && named(symbol) && span.contains(&ex_date)) {
                continue;
            }
            let ex_date = ex_date.to_string();
            let row = json!({
                "symbol": symbol.as_str(), "new_rate": split.new, "old_rate": split.old,
                "ex_date": ex_date, "record_date": ex_date, "payable_date": ex_date,
                "process_date": ex_date,
            });
            if split.new >= split.old { forward.push(row) } else { reverse.push(row) }
        }
        for activity in self.exchange.activities() {
            let Entry::Other(booking) = &activity.entry else { continue };
            let paid = booking.symbol.as_ref().zip(booking.per_share).filter(|(s, _)| named(s));
            if let Some((symbol, rate)) = paid
                && span.contains(&booking.date)
            {
                let date = booking.date.to_string();
                dividends.push(json!({
                    "symbol": symbol.as_str(), "rate": rate.to_f64(), "ex_date": date,
                    "record_date": date, "payable_date": date, "process_date": date,
                }));
            }
        }
        let lists = [
            ("forward_splits", forward),
            ("reverse_splits", reverse),
            ("cash_dividends", dividends),
        ];
        let kept = lists.into_iter().filter(|(kind, rows)| asked(kind) && !rows.is_empty());
        let actions = kept.map(|(kind, rows)| (kind.to_owned(), Value::Array(rows)));
        let actions = Value::Object(actions.collect());
        Ok(Answer::ok(&json!({"corporate_actions": actions, "next_page_token": null})))
    }
}

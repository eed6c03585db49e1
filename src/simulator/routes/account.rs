//! The account: money, positions, settings, history, activities; and the exchange's clock and assets.

use jiff::civil::{Date, Time};
use jiff::{Timestamp, ToSpan};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::session::{exchange_date, exchange_zone};
use crate::domain::symbol::Symbol;
use crate::simulator::exchange::{Asset, Holding, Refusal, cents};
use crate::simulator::routes::query::{Query, When};
use crate::simulator::routes::wire::{self, text};
use crate::simulator::routes::{Answer, Desk};

const PAGE_MAX: usize = 100;
/// What long shares of an ordinary stock must be backed with.
const MAINTENANCE: Decimal = Decimal::from_parts(3, 0, 0, false, 1);

/// A session of the calendar; months of them are asked for each time.
#[derive(Serialize)]
struct SessionBody {
    date: Date,
    open: String,
    close: String,
    session_open: &'static str,
    session_close: String,
    settlement_date: Date,
}

impl Desk<'_> {
    pub(super) fn account(&mut self) -> Answer {
        let (exchange, shown_at) = (&*self.exchange, self.shown_at());
        let money = exchange.money(exchange.book_at(shown_at), self.now, self.market);
        let last = exchange.last_equity(self.now);
        let gross = money.long - money.short;
        let power = text(money.buying_power);
        let identity = &exchange.identity;
        let multiplier = exchange.rules.multiplier;
        Answer::ok(&json!({
            "id": identity.id,
            "account_number": identity.number,
            "status": identity.status,
            "crypto_status": "ACTIVE", "crypto_tier": 1,
            "currency": "USD",
            "cash": text(money.cash),
            "accrued_fees": "0", "pending_reg_taf_fees": "0", "intraday_adjustments": "0",
            "buying_power": power, "effective_buying_power": power,
            "regt_buying_power": text(cents((money.equity * Decimal::TWO - gross).max(Decimal::ZERO))),
            "non_marginable_buying_power":
                text(cents((money.cash - money.reserved).max(Decimal::ZERO))),
            "options_buying_power": "0",
            "multiplier": multiplier.to_string(),
            "equity": text(money.equity),
            "last_equity": text(last.map_or(money.equity, |(_, equity)| equity)),
            "portfolio_value": text(money.equity),
            "long_market_value": text(money.long),
            "short_market_value": text(money.short),
            "position_market_value": text(gross),
            "initial_margin": text(gross / Decimal::TWO),
            "maintenance_margin": text(gross * MAINTENANCE),
            "last_maintenance_margin": "0",
            "sma": "0",
            "balance_asof": last.map_or(Value::Null, |(day, _)| Value::String(day.to_string())),
            "trading_blocked": identity.trading_blocked,
            "transfers_blocked": false,
            "account_blocked": identity.account_blocked,
            "trade_suspended_by_user": exchange.rules.suspended,
            "shorting_enabled": !exchange.rules.no_shorting && multiplier > 1,
            "options_approved_level": 0, "options_trading_level": 0,
            "created_at": exchange.opened_at.to_string(),
            "admin_configurations": {},
            "user_configurations": null,
        }))
    }

    pub(super) fn positions(&mut self) -> Answer {
        let book = self.exchange.book_at(self.shown_at());
        let positions = book.positions.iter();
        let list = positions.map(|(symbol, holding)| self.position_body(symbol, holding));
        Answer::ok(&Value::Array(list.collect()))
    }

    pub(super) fn position(&mut self, name: &str) -> Result<Answer, Refusal> {
        let missing = || Refusal::not_found("position does not exist");
        let asset = self.exchange.asset(name).ok_or_else(missing)?;
        let book = self.exchange.book_at(self.shown_at());
        let holding = book.positions.get(&asset.symbol).ok_or_else(missing)?;
        Ok(Answer::ok(&self.position_body(&asset.symbol, holding)))
    }

    fn position_body(&self, symbol: &Symbol, holding: &Holding) -> Value {
        let price = self.market.mark(symbol, self.now);
        let before = self.market.days.before(exchange_date(self.now));
        let last = before.and_then(|session| self.market.mark(symbol, session.close));
        let held = self.exchange.held_for_orders(symbol, self.now, self.market);
        let value = price.map(|price| (price * holding.qty).round_dp(8));
        let cost = (holding.entry * holding.qty).round_dp(8);
        let gain = value.map(|value| value - cost);
        let share = |part: Option<Decimal>, whole: Option<Decimal>| {
            part?.checked_div(whole?).map(|ratio| ratio.round_dp(12))
        };
        let change = price.zip(last).map(|(price, last)| price - last);
        let day_gain = change.map(|change| (change * holding.qty).round_dp(8));
        let asset_id = self.exchange.asset(symbol.as_str()).map(|asset| asset.id.clone());
        json!({
            "asset_id": asset_id,
            "symbol": symbol.as_str(),
            "exchange": "ARCA",
            "asset_class": "us_equity",
            "asset_marginable": true,
            "qty": text(holding.qty),
            "qty_available": text(holding.qty.abs() - held),
            "avg_entry_price": text(holding.entry),
            "side": if holding.qty < Decimal::ZERO { "short" } else { "long" },
            "market_value": wire::maybe(value),
            "cost_basis": text(cost),
            "unrealized_pl": wire::maybe(gain),
            "unrealized_plpc": wire::maybe(share(gain, Some(cost))),
            "unrealized_intraday_pl": wire::maybe(day_gain),
            "unrealized_intraday_plpc": wire::maybe(share(change, last)),
            "current_price": wire::maybe(price),
            "lastday_price": wire::maybe(last),
            "change_today": wire::maybe(share(change, last)),
        })
    }

    pub(super) fn configurations(&self) -> Answer {
        let rules = &self.exchange.rules;
        Answer::ok(&json!({
            "trade_confirm_email": "all",
            "suspend_trade": rules.suspended,
            "no_shorting": rules.no_shorting,
            "fractional_trading": rules.fractional_trading,
            "max_margin_multiplier": rules.multiplier.to_string(),
            "max_options_trading_level": 0,
            "ptp_no_exception_entry": false,
            "disable_overnight_trading": true,
        }))
    }

    pub(super) fn configure(&mut self, body: &[u8]) -> Result<Answer, Refusal> {
        let invalid = |_| Refusal::malformed("request body format is invalid");
        let fields: Value = serde_json::from_slice(body).map_err(invalid)?;
        let rules = &mut self.exchange.rules;
        let flag = |name: &str, now: bool| fields[name].as_bool().unwrap_or(now);
        rules.suspended = flag("suspend_trade", rules.suspended);
        rules.no_shorting = flag("no_shorting", rules.no_shorting);
        rules.fractional_trading = flag("fractional_trading", rules.fractional_trading);
        if let Some(word) = fields["max_margin_multiplier"].as_str() {
            let known = word.parse().ok().filter(|n| matches!(n, 1 | 2 | 4));
            rules.multiplier =
                known.ok_or_else(|| Refusal::malformed("invalid max_margin_multiplier"))?;
        }
        Ok(self.configurations())
    }

    pub(super) fn portfolio(&self) -> Answer {
        let exchange = &*self.exchange;
        let now = exchange.money(exchange.book(), self.now, self.market).equity;
        let mut rows: Vec<(i64, f64)> = exchange
            .closes()
            .iter()
            .filter_map(|(day, equity)| {
                let session = self.market.days.on(*day)?;
                Some((session.open.as_second(), equity.to_f64()?))
            })
            .collect();
        rows.extend(now.to_f64().map(|equity| (self.now.as_second(), equity)));
        let base = rows.first().map_or(0.0, |row| row.1);
        let equity: Vec<f64> = rows.iter().map(|row| row.1).collect();
        let gain: Vec<f64> = equity.iter().map(|equity| equity - base).collect();
        let share: Vec<Option<f64>> =
            gain.iter().map(|gain| (base > 0.0).then(|| gain / base)).collect();
        Answer::ok(&json!({
            "timestamp": rows.iter().map(|row| row.0).collect::<Vec<_>>(),
            "equity": equity, "profit_loss": gain, "profit_loss_pct": share,
            "base_value": base, "timeframe": "1D", "cashflow": {},
        }))
    }

    pub(super) fn activities(&self, kind: Option<&str>, query: &Query) -> Result<Answer, Refusal> {
        let size = query.number("page_size", (1, PAGE_MAX))?.unwrap_or(PAGE_MAX);
        let kinds = kind.or(query.get("activity_types"));
        let kinds: Vec<&str> = kinds.map_or(Vec::new(), |list| list.split(',').collect());
        let (after, until) = (query.when("after")?, query.when("until")?);
        let day = query.when("date")?;
        let in_time = |at: Timestamp| {
            after.is_none_or(|after| at > after.start())
                && until.is_none_or(|until| at < until.start())
                && day.is_none_or(|day| exchange_date(at) == exchange_date(day.start()))
        };
        let known = self.exchange.activities();
        let mut rows: Vec<_> = known
            .iter()
            .filter(|row| kinds.is_empty() || kinds.contains(&row.code()))
            .filter(|row| in_time(row.at))
            .collect();
        if !query.is_ascending() {
            rows.reverse();
        }
        if let Some(token) = query.get("page_token") {
            let seen = rows.iter().position(|row| row.id == token);
            let seen = seen.ok_or_else(|| Refusal::malformed("invalid page_token"))?;
            rows.drain(..=seen);
        }
        if day.is_none() {
            rows.truncate(size);
        }
        Ok(Answer::ok(&Value::Array(rows.into_iter().map(wire::activity).collect())))
    }

    pub(super) fn clock(&self) -> Answer {
        let days = &self.market.days;
        let local = |at: Timestamp| {
            let zoned = at.to_zoned(exchange_zone());
            zoned.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
        };
        let next_open = days.opening_after(self.now).map(|session| local(session.open));
        let next_close = days.closing_after(self.now).map(|session| local(session.close));
        Answer::ok(&json!({
            "timestamp": local(self.now),
            "is_open": days.open_at(self.now).is_some(),
            "next_open": next_open,
            "next_close": next_close,
        }))
    }

    pub(super) fn calendar(&self, query: &Query) -> Result<Answer, Refusal> {
        let date = |when: When| exchange_date(when.start());
        let first = query.when("start")?.map_or(Date::MIN, date);
        let last = query.when("end")?.map_or(Date::MAX, date);
        let sessions = self.market.days.sessions().iter();
        let chosen = sessions.filter(|session| (first..=last).contains(&session.date));
        let wall = |at: Timestamp| at.to_zoned(exchange_zone()).time();
        let rows = chosen.map(|session| {
            let close = wall(session.close);
            let evening = close.checked_add(4.hours()).unwrap_or(Time::MAX);
            SessionBody {
                date: session.date,
                open: wall(session.open).strftime("%H:%M").to_string(),
                close: close.strftime("%H:%M").to_string(),
                session_open: "0400",
                session_close: evening.strftime("%H%M").to_string(),
                settlement_date: self.settlement(session.date),
            }
        });
        Ok(Answer::ok(&rows.collect::<Vec<_>>()))
    }

    /// The next session on which banks are open too (not on Columbus Day and Veterans Day).
    fn settlement(&self, day: Date) -> Date {
        let next = self.market.days.after(day).map_or(day, |session| session.date);
        let columbus = next.month() == 10
            && (8..=14).contains(&next.day())
            && next.weekday() == jiff::civil::Weekday::Monday;
        let veterans = next.month() == 11 && next.day() == 11;
        if columbus || veterans { self.settlement(next) } else { next }
    }

    pub(super) fn assets(&self, query: &Query) -> Answer {
        let wanted = |asset: &&Asset| {
            let status = if asset.active { "active" } else { "inactive" };
            query.get("status").is_none_or(|wanted| wanted == status)
                && query.get("asset_class").is_none_or(|class| class == "us_equity")
        };
        Answer::ok(&Value::Array(self.exchange.assets().filter(wanted).map(asset_body).collect()))
    }

    pub(super) fn asset(&self, name: &str) -> Result<Answer, Refusal> {
        let name = name.replace("%2F", ".");
        let asset = self.exchange.asset(&name);
        asset
            .map(|asset| Answer::ok(&asset_body(asset)))
            .ok_or_else(|| Refusal::not_found(format!("asset not found for {name}")))
    }
}

fn asset_body(asset: &Asset) -> Value {
    json!({
        "id": asset.id,
        "class": "us_equity",
        "exchange": "ARCA",
        "symbol": asset.symbol.as_str(),
        "name": format!("{} shares", asset.symbol),
        "status": if asset.active { "active" } else { "inactive" },
        "tradable": asset.tradable,
        "marginable": true,
        "maintenance_margin_requirement": 30,
        "margin_requirement_long": "30", "margin_requirement_short": "30",
        "shortable": true, "easy_to_borrow": true, "borrow_status": "easy_to_borrow",
        "fractionable": asset.fractionable,
        "attributes": [],
    })
}

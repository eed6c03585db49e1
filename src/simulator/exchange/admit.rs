//! The rules an order must pass to be taken in, in the order in which the broker checks them.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::domain::order::Side;
use crate::domain::symbol::Symbol;
use crate::simulator::exchange::{
    Asset, Exchange, Intent, Kind, NewOrder, Order, Refusal, Size, Strictness, TimeInForce,
};
use crate::simulator::market::Market;

const CLIENT_ID_LENGTH_MAX: usize = 128;
/// The smallest buy, in dollars.
const COST_MIN: Decimal = Decimal::ONE;
const QTY_DECIMALS: u32 = 9;

impl Exchange {
    /// Checks an order against every rule; the answer is the order with its size cut to nine
    /// decimals, and what it does to the position.
    pub(super) fn admit(
        &self,
        asked: NewOrder,
        now: Timestamp,
        market: &Market,
    ) -> Result<(NewOrder, Intent), Refusal> {
        let asked = cut(asked);
        self.check_client_id(&asked)?;
        let asset = self.check_asset(&asked.symbol)?;
        self.check_account()?;
        self.check_fraction(&asked, asset)?;
        check_prices(&asked)?;
        check_window(&asked, now, market)?;
        self.check_wash(&asked)?;
        let intent = self.check_position(&asked, now, market)?;
        self.check_money(&asked, now, market)?;
        Ok((asked, intent))
    }

    fn check_client_id(&self, asked: &NewOrder) -> Result<(), Refusal> {
        let Some(id) = &asked.client_id else { return Ok(()) };
        if id.chars().count() > CLIENT_ID_LENGTH_MAX {
            let words = "client_order_id must be no more than 128 characters";
            return Err(Refusal::malformed(words));
        }
        if self.find_client(id).is_some() {
            return Err(Refusal::malformed("client_order_id must be unique"));
        }
        Ok(())
    }

    fn check_asset(&self, symbol: &Symbol) -> Result<&Asset, Refusal> {
        let asset = self.assets.get(symbol);
        let asset =
            asset.ok_or_else(|| Refusal::unprocessable(format!("asset \"{symbol}\" not found")))?;
        if !asset.active {
            return Err(Refusal::unprocessable(format!("asset {symbol} is not active")));
        }
        if !asset.tradable {
            return Err(Refusal::unprocessable(format!("asset {symbol} is not tradable")));
        }
        Ok(asset)
    }

    fn check_account(&self) -> Result<(), Refusal> {
        let identity = &self.identity;
        if identity.status != "ACTIVE" || identity.account_blocked || identity.trading_blocked {
            return Err(Refusal::forbidden("account is not authorized to trade"));
        }
        if self.rules.suspended {
            return Err(Refusal::forbidden("new orders are rejected by user request"));
        }
        Ok(())
    }

    fn check_fraction(&self, asked: &NewOrder, asset: &Asset) -> Result<(), Refusal> {
        let fractional = match asked.size {
            Size::Qty(qty) => !qty.fract().is_zero(),
            Size::Notional(_) => true,
        };
        if !fractional {
            return Ok(());
        }
        if !asset.fractionable {
            let words = format!("asset \"{}\" is not fractionable", asked.symbol);
            return Err(Refusal::forbidden(words));
        }
        if !self.rules.fractional_trading {
            return Err(Refusal::forbidden("fractional trading is disabled for this account"));
        }
        if asked.time_in_force != TimeInForce::Day {
            return Err(Refusal::unprocessable("fractional orders must be DAY orders"));
        }
        Ok(())
    }

    /// A new order must not meet a working one of the other side.
    fn check_wash(&self, asked: &NewOrder) -> Result<(), Refusal> {
        let opposite =
            |order: &&Order| order.symbol() == &asked.symbol && order.asked.side != asked.side;
        for order in self.open_orders().filter(opposite) {
            let reason = match (asked.kind.limit(), order.asked.kind.limit()) {
                (Some(new), Some(working)) => {
                    let (bid, offer) = match asked.side {
                        Side::Buy => (new, working),
                        Side::Sell => (working, new),
                    };
                    if bid < offer {
                        continue;
                    }
                    "opposite side limit order exists. price must not cross"
                }
                (None, _) | (_, None) => "opposite side market/stop order exists",
            };
            let words = "potential wash trade detected. use complex orders";
            return Err(Refusal::forbidden(words)
                .with("existing_order_id", &order.id)
                .with("reject_reason", reason));
        }
        Ok(())
    }

    fn check_position(
        &self,
        asked: &NewOrder,
        now: Timestamp,
        market: &Market,
    ) -> Result<Intent, Refusal> {
        let held = self.book.qty(&asked.symbol);
        let inferred = match asked.side {
            Side::Buy if held < Decimal::ZERO => Intent::BuyToClose,
            Side::Buy => Intent::BuyToOpen,
            Side::Sell if held > Decimal::ZERO => Intent::SellToClose,
            Side::Sell => Intent::SellToOpen,
        };
        if let Some(said) = asked.intent.filter(|said| *said != inferred) {
            let (inferred, said) = (inferred.as_str(), said.as_str());
            let words =
                format!("position intent mismatch, inferred: {inferred}, specified: {said}");
            return Err(Refusal::unprocessable(words));
        }
        if self.rules.strictness == Strictness::Permissive {
            return Ok(inferred);
        }
        match inferred {
            Intent::BuyToOpen | Intent::BuyToClose => {}
            Intent::SellToClose => self.check_available(asked, held, now, market)?,
            Intent::SellToOpen => self.check_short(asked)?,
        }
        Ok(inferred)
    }

    fn check_available(
        &self,
        asked: &NewOrder,
        held: Decimal,
        now: Timestamp,
        market: &Market,
    ) -> Result<(), Refusal> {
        let price = market.mark(&asked.symbol, now).unwrap_or(Decimal::ONE);
        let wanted = match asked.size {
            Size::Qty(qty) => qty,
            Size::Notional(dollars) => (dollars / price).trunc_with_scale(QTY_DECIMALS),
        };
        let reserved = self.held_for_orders(&asked.symbol, now, market);
        let available = held - reserved;
        if wanted <= available {
            return Ok(());
        }
        let (wanted, available) = (wanted.normalize(), available.normalize());
        let words = format!(
            "insufficient qty available for order (requested: {wanted}, available: {available})"
        );
        Err(Refusal::forbidden(words)
            .with("available", available)
            .with("existing_qty", held.normalize())
            .with("held_for_orders", reserved.normalize())
            .with("symbol", &asked.symbol))
    }

    fn check_short(&self, asked: &NewOrder) -> Result<(), Refusal> {
        if self.rules.no_shorting || self.rules.multiplier <= 1 {
            return Err(Refusal::forbidden("account is not allowed to short"));
        }
        match asked.size {
            Size::Qty(qty) if qty.fract().is_zero() => Ok(()),
            Size::Qty(_) | Size::Notional(_) => {
                Err(Refusal::unprocessable("fractional orders cannot be sold short"))
            }
        }
    }

    fn check_money(
        &self,
        asked: &NewOrder,
        now: Timestamp,
        market: &Market,
    ) -> Result<(), Refusal> {
        if asked.side == Side::Sell {
            return Ok(());
        }
        let ask = market.touch(&asked.symbol, now).and_then(|touch| touch.ask);
        let price = asked.kind.limit().or(ask).or_else(|| market.mark(&asked.symbol, now));
        let cost = match asked.size {
            Size::Qty(qty) => qty * price.unwrap_or_default(),
            Size::Notional(dollars) => dollars,
        };
        if cost < COST_MIN {
            let words = "cost basis must be >= minimal amount of order 1";
            return Err(Refusal::forbidden(words));
        }
        let power = self.money(&self.book, now, market).buying_power;
        if self.rules.strictness == Strictness::Strict && cost > power {
            return Err(Refusal::forbidden("insufficient buying power")
                .with("buying_power", power.normalize())
                .with("cost_basis", cost.normalize()));
        }
        Ok(())
    }
}

/// The broker silently cuts quantities to nine decimals.
fn cut(mut asked: NewOrder) -> NewOrder {
    if let Size::Qty(qty) = asked.size {
        asked.size = Size::Qty(qty.trunc_with_scale(QTY_DECIMALS).normalize());
    }
    asked
}

fn check_prices(asked: &NewOrder) -> Result<(), Refusal> {
    let named = [("limit_price", asked.kind.limit()), ("stop_price", asked.kind.stop())];
    for (name, price) in named {
        let Some(price) = price else { continue };
        let decimals = if price >= Decimal::ONE { 2 } else { 4 };
        if price.normalize().scale() > decimals {
            let words = "sub-penny increment does not fulfill minimum pricing criteria";
            let price = price.normalize();
            return Err(Refusal::unprocessable(format!("invalid {name} {price}. {words}")));
        }
    }
    if let Size::Notional(dollars) = asked.size {
        if dollars.normalize().scale() > 2 {
            let words = "notional value must be limited to 2 decimal places";
            return Err(Refusal::unprocessable(words));
        }
        if dollars < COST_MIN {
            return Err(Refusal::unprocessable("notional amount must be >= 1.00"));
        }
    }
    Ok(())
}

fn check_window(asked: &NewOrder, now: Timestamp, market: &Market) -> Result<(), Refusal> {
    if asked.extended_hours {
        let stands = matches!(asked.time_in_force, TimeInForce::Day | TimeInForce::Gtc);
        if !(stands && matches!(asked.kind, Kind::Limit(_))) {
            let words = "extended hours order must be DAY or GTC limit orders";
            return Err(Refusal::unprocessable(words));
        }
    }
    // Refused from shortly before the auction until 19:00, three hours after a usual close.
    let (before, words) = match asked.time_in_force {
        TimeInForce::Opg => (2, "opg orders must be submitted after 7:00pm and before 9:28am"),
        TimeInForce::Cls => (10, "cls orders must be submitted after 7:00pm and before 3:50pm"),
        TimeInForce::Day | TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok => return Ok(()),
    };
    let minutes = |count: i64| jiff::SignedDuration::from_mins(count);
    let shut = market.days.sessions().iter().rev().find(|s| s.open - minutes(before) <= now);
    let refused = shut.is_some_and(|session| {
        let auction =
            if asked.time_in_force == TimeInForce::Opg { session.open } else { session.close };
        auction - minutes(before) <= now && now < session.close + minutes(180)
    });
    if refused { Err(Refusal::forbidden(words)) } else { Ok(()) }
}

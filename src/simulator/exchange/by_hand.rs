//! What happens to an account from outside: a person's trades, transfers, corporate actions.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::domain::order::Side;
use crate::domain::session::exchange_date;
use crate::domain::symbol::Symbol;
use crate::simulator::exchange::{
    Booking, Entry, Exchange, Kind, NewOrder, OrderTrouble, Refusal, Size, Status, TimeInForce,
};
use crate::simulator::market::{Market, Split};

/// A cash entry made from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// Cash paid in: `CSD`.
    Deposit,
    /// Cash paid out: `CSW`.
    Withdrawal,
    /// Cash from another account of the owner: `JNLC`.
    Journal,
    /// A fee: `FEE`.
    Fee,
    /// Interest: `INT`.
    Interest,
}

impl Hand {
    const fn code(self) -> &'static str {
        match self {
            Self::Deposit => "CSD",
            Self::Withdrawal => "CSW",
            Self::Journal => "JNLC",
            Self::Fee => "FEE",
            Self::Interest => "INT",
        }
    }
}

impl Exchange {
    /// Books cash; the amount's sign is the direction, except that withdrawals and fees always leave.
    pub fn book_cash(&mut self, hand: Hand, amount: Decimal, now: Timestamp) {
        let amount = match hand {
            Hand::Withdrawal | Hand::Fee => -amount.abs(),
            Hand::Deposit | Hand::Journal | Hand::Interest => amount,
        };
        self.book.credit(amount);
        self.remember(now);
        let booking =
            Booking { code: hand.code(), date: exchange_date(now), amount, ..Booking::default() };
        self.record(now, Entry::Other(booking));
    }

    /// Pays a cash dividend on what is held now.
    pub fn pay_dividend(&mut self, symbol: &Symbol, per_share: Decimal, now: Timestamp) {
        let qty = self.book.qty(symbol);
        if qty.is_zero() {
            return;
        }
        let amount = super::cents(qty * per_share);
        self.book.credit(amount);
        self.remember(now);
        let booking = Booking {
            code: "DIV",
            sub_code: Some("CDIV"),
            date: exchange_date(now),
            amount,
            symbol: Some(symbol.clone()),
            qty: Some(qty),
            per_share: Some(per_share),
            description: format!("Cash dividend {symbol}"),
            ..Booking::default()
        };
        self.record(now, Entry::Other(booking));
    }

    /// Turns a position into what a split makes of it; open orders of the symbol are cancelled.
    ///
    /// The broker books it as two entries, the old shares out and the new shares in. A part of
    /// a share of an asset that only trades whole is paid out.
    pub fn book_split(&mut self, symbol: &Symbol, split: &Split, now: Timestamp, market: &Market) {
        self.cancel_all(symbol, now);
        let Some(holding) = self.book.positions.get(symbol).cloned() else { return };
        let ratio = Decimal::from(split.new) / Decimal::from(split.old);
        let full = (holding.qty * ratio).trunc_with_scale(9).normalize();
        let whole_only = self.assets.get(symbol).is_some_and(|asset| !asset.fractionable);
        let kept = if whole_only { full.trunc() } else { full };
        self.book.set(symbol, kept, (holding.entry / ratio).round_dp(9));
        self.remember(now);
        let price = market.mark(symbol, now);
        let group = Some(self.random.uuid());
        let words = format!("From QTY:{}, To QTY:{full}", holding.qty);
        let forward = split.new >= split.old;
        for (verb, qty) in [("REMOVE", -holding.qty), ("ADD", full)] {
            let booking = Booking {
                code: "SPLIT",
                sub_code: Some(if forward { "FSPLIT" } else { "RSPLIT" }),
                date: exchange_date(now),
                symbol: Some(symbol.clone()),
                qty: Some(qty),
                price,
                description: format!("{verb}, {words}"),
                group: group.clone(),
                ..Booking::default()
            };
            self.record(now, Entry::Other(booking));
        }
        let rest = full - kept;
        if rest > Decimal::ZERO {
            let amount = super::cents(rest * price.unwrap_or_default());
            self.book.credit(amount);
            self.remember(now);
            let booking = Booking {
                code: "CIL",
                date: exchange_date(now),
                amount,
                symbol: Some(symbol.clone()),
                qty: Some(-rest),
                price,
                description: "Cash in lieu of a fractional share".to_owned(),
                group,
                ..Booking::default()
            };
            self.record(now, Entry::Other(booking));
        }
    }

    /// Gives an asset a new ticker; its id stays, its open orders are cancelled.
    pub fn book_rename(&mut self, from: &Symbol, to: &Symbol, now: Timestamp) {
        self.cancel_all(from, now);
        if let Some(mut asset) = self.assets.remove(from) {
            asset.symbol = to.clone();
            self.assets.insert(to.clone(), asset);
        }
        let Some(holding) = self.book.positions.remove(from) else { return };
        let group = Some(self.random.uuid());
        for (symbol, qty) in [(from, -holding.qty), (to, holding.qty)] {
            let booking = Booking {
                code: "NC",
                sub_code: Some("SNC"),
                date: exchange_date(now),
                symbol: Some(symbol.clone()),
                qty: Some(qty),
                price: Some(holding.entry),
                description: format!("Name Change from {from} to {to}"),
                group: group.clone(),
                ..Booking::default()
            };
            self.record(now, Entry::Other(booking));
        }
        self.book.set(to, holding.qty, holding.entry);
        self.remember(now);
    }

    /// A person's market order, executed in the same moment at the price of that moment.
    ///
    /// # Errors
    /// [`Refusal`] as for any order; nothing is executed where there is no price.
    pub fn trade_by_hand(
        &mut self,
        symbol: &Symbol,
        side: Side,
        qty: Decimal,
        at: (Timestamp, &Market),
    ) -> Result<usize, Refusal> {
        let (now, market) = at;
        let asked = NewOrder {
            symbol: symbol.clone(),
            size: Size::Qty(qty),
            side,
            kind: Kind::Market,
            time_in_force: TimeInForce::Day,
            client_id: None,
            intent: None,
            extended_hours: false,
        };
        let order = self.submit(asked, Some(OrderTrouble::NeverFilled), now, market)?;
        if let Some(price) = market.mark(symbol, now) {
            self.execute_whole(order, price, now);
        }
        Ok(order)
    }

    /// Puts a position into the account as if it had always been there: no entry, no cash.
    pub fn place(&mut self, symbol: &Symbol, qty: Decimal, entry: Decimal, now: Timestamp) {
        self.list(symbol);
        self.book.set(symbol, qty, entry);
        self.past.clear();
        self.remember(now);
    }

    fn cancel_all(&mut self, symbol: &Symbol, now: Timestamp) {
        let open: Vec<usize> = self.open.iter().copied().collect();
        for at in open {
            if self.orders.get(at).is_some_and(|order| order.symbol() == symbol) {
                self.finish(at, Status::Canceled, now);
            }
        }
    }
}

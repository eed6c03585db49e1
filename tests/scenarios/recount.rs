//! An account's profits reckoned anew: from the exchange's own entries and from what the plans wanted,
//! with nothing of the program's own books.

use std::collections::{BTreeMap, VecDeque};

use alchemiser::domain::books::entry::Holder;
use alchemiser::domain::order::{ClientOrderId, Side};
use alchemiser::domain::plan::Part;
use alchemiser::domain::report::RunReport;
use alchemiser::domain::symbol::Symbol;
use alchemiser::simulator::exchange::{Activity, Entry, Order};
use rust_decimal::Decimal;

type Place = (Holder, Symbol);

/// What each holder has, and what its money has done.
#[derive(Default)]
pub(crate) struct Recount {
    shares: BTreeMap<Place, Decimal>,
    /// What is held, oldest first: shares, and what one cost.
    lots: BTreeMap<Place, VecDeque<(Decimal, Decimal)>>,
    /// Received less paid.
    flows: BTreeMap<Holder, Decimal>,
    pub(crate) realised: BTreeMap<Holder, Decimal>,
    pub(crate) nobody: Decimal,
    pub(crate) paid_in: Decimal,
    /// The last session's sales.
    sales: Vec<(String, Place, Decimal)>,
    /// Who held what when the last session's run had ended.
    before: BTreeMap<Place, Decimal>,
    seen: usize,
}

impl Recount {
    /// Everything that happened up to the end of a run.
    pub(crate) fn goes_on(
        &mut self,
        report: &RunReport,
        activities: &[Activity],
        orders: &[Order],
    ) {
        let session = report.key.session.to_string();
        let mut ours: BTreeMap<(Side, Symbol), (Decimal, Decimal)> = BTreeMap::new();
        for activity in &activities[self.seen..] {
            match &activity.entry {
                Entry::Fill(fill) => {
                    let order = orders.iter().find(|order| order.id == fill.order_id);
                    let client = order.map(|order| order.client_id.as_str()).unwrap_or_default();
                    let value = fill.qty * fill.price;
                    if ClientOrderId::parse(client).is_ok() {
                        let known = ours.entry((fill.side, fill.symbol.clone())).or_default();
                        *known = (known.0 + fill.qty, known.1 + value);
                    } else {
                        self.by_hand(fill.side, &fill.symbol, (fill.qty, value), &session);
                    }
                }
                Entry::Other(booking) => {
                    let symbol = booking.symbol.clone();
                    match booking.code {
                        "CSD" | "CSW" | "JNLC" => self.paid_in += booking.amount,
                        "FEE" => self.fee(booking.amount),
                        "DIV" => self.dividend(&symbol.unwrap(), booking.amount),
                        "SPLIT" if booking.qty.unwrap() > Decimal::ZERO => {
                            self.split(&symbol.unwrap(), booking.qty.unwrap());
                        }
                        "SPLIT" => {}
                        "INT" | "CIL" => self.nobody += booking.amount,
                        other => panic!("{other}"),
                    }
                }
            }
        }
        self.seen = activities.len();
        let Some(plan) = &report.plan else { return };
        for crossing in &plan.crossings {
            let (shares, price) = (crossing.shares.decimal(), crossing.price.decimal());
            let (from, to) = (Some(crossing.from.clone()), Some(crossing.to.clone()));
            self.trade(&(from, crossing.symbol.clone()), -shares, shares * price);
            self.trade(&(to, crossing.symbol.clone()), shares, -(shares * price));
        }
        for ((side, symbol), (shares, value)) in ours {
            let mut bought = report.buy_plan.iter().flat_map(|plan| &plan.items);
            let parts: &[Part] = match side {
                Side::Sell => &plan.item(&symbol).unwrap().parts,
                Side::Buy => &bought.find(|item| item.symbol == symbol).unwrap().parts,
            };
            let whole: Decimal = parts.iter().map(|part| part.shares.decimal()).sum();
            for part in parts {
                let each = shares * part.shares.decimal() / whole;
                let place = (Some(part.strategy.clone()), symbol.clone());
                let amount = value * part.shares.decimal() / whole;
                match side {
                    Side::Buy => self.trade(&place, each, -amount),
                    Side::Sell => self.sold(&place, each, amount, &session),
                }
            }
        }
        self.before.clone_from(&self.shares);
    }

    /// What the holder has made at these prices.
    pub(crate) fn profit(&self, holder: &Holder, report: &RunReport) -> Decimal {
        let held = self.shares.iter().filter(|((of, _), _)| of == holder);
        let value: Decimal = held
            .map(|((_, symbol), shares)| match report.prices.get(symbol) {
                Some(price) => shares * price.decimal(),
                None => Decimal::ZERO,
            })
            .sum();
        value + self.flows.get(holder).copied().unwrap_or_default()
    }

    pub(crate) fn holders(&self) -> Vec<Holder> {
        self.flows.keys().cloned().collect()
    }

    fn trade(&mut self, place: &Place, shares: Decimal, cash: Decimal) {
        *self.shares.entry(place.clone()).or_default() += shares;
        *self.flows.entry(place.0.clone()).or_default() += cash;
        let lots = self.lots.entry(place.clone()).or_default();
        if shares > Decimal::ZERO {
            lots.push_back((shares, -cash / shares));
            return;
        }
        let (mut left, mut cost) = (-shares, Decimal::ZERO);
        while left > Decimal::ZERO
            && let Some((held, each)) = lots.front_mut()
        {
            let taken = left.min(*held);
            cost += taken * *each;
            *held -= taken;
            left -= taken;
            if held.is_zero() {
                lots.pop_front();
            }
        }
        *self.realised.entry(place.0.clone()).or_default() += cash - cost;
    }

    fn sold(&mut self, place: &Place, shares: Decimal, cash: Decimal, session: &str) {
        self.trade(place, -shares, cash);
        self.sales.retain(|(day, _, _)| day == session);
        self.sales.push((session.to_owned(), place.clone(), cash));
    }

    /// Bought by hand is nobody's; sold by hand is nobody's first, then everybody's.
    fn by_hand(
        &mut self,
        side: Side,
        symbol: &Symbol,
        (shares, value): (Decimal, Decimal),
        session: &str,
    ) {
        let nobody = (None, symbol.clone());
        if side == Side::Buy {
            return self.trade(&nobody, shares, -value);
        }
        let first = shares.min(self.shares.get(&nobody).copied().unwrap_or_default());
        if first > Decimal::ZERO {
            self.sold(&nobody, first, value * first / shares, session);
        }
        let holding = self.holding(symbol);
        let whole: Decimal = holding.iter().map(|(_, shares)| *shares).sum();
        for (place, held) in holding {
            let part = (shares - first) * held / whole;
            if place.0.is_some() && part > Decimal::ZERO {
                self.sold(&place, part, value * part / shares, session);
            }
        }
    }

    fn holding(&self, symbol: &Symbol) -> Vec<(Place, Decimal)> {
        let all = self.shares.iter().filter(|((_, of), shares)| of == symbol && !shares.is_zero());
        all.map(|(place, shares)| (place.clone(), *shares)).collect()
    }

    /// By the shares held when the session before had ended.
    fn dividend(&mut self, symbol: &Symbol, amount: Decimal) {
        let held: Vec<(Place, Decimal)> = self
            .before
            .iter()
            .filter(|((_, of), shares)| of == symbol && !shares.is_zero())
            .map(|(place, shares)| (place.clone(), *shares))
            .collect();
        let whole: Decimal = held.iter().map(|(_, shares)| *shares).sum();
        for ((holder, _), shares) in held {
            *self.flows.entry(holder).or_default() += amount * shares / whole;
        }
    }

    /// By what the last session's sales brought.
    fn fee(&mut self, amount: Decimal) {
        let whole: Decimal = self.sales.iter().map(|(_, _, cash)| *cash).sum();
        if whole.is_zero() {
            self.nobody += amount;
        }
        for (_, (holder, _), cash) in &self.sales {
            *self.flows.entry(holder.clone()).or_default() += amount * cash / whole;
        }
    }

    fn split(&mut self, symbol: &Symbol, total: Decimal) {
        let holding = self.holding(symbol);
        let whole: Decimal = holding.iter().map(|(_, shares)| *shares).sum();
        let factor = total / whole;
        for (place, shares) in holding {
            self.shares.insert(place.clone(), shares * factor);
            for lot in self.lots.entry(place).or_default() {
                *lot = (lot.0 * factor, lot.1 / factor);
            }
        }
    }
}

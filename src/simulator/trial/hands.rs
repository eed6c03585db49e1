//! Everybody but us: the person who trades by hand, the operator, the market, and the one who
//! breaks things. Each happening of a script is done to the world here.

use jiff::SignedDuration;
use rust_decimal::Decimal;

use crate::domain::order::Side;
use crate::domain::session::{Session, exchange_date};
use crate::simulator::exchange::{Hand, Kind, NewOrder, Size, TimeInForce};
use crate::simulator::faults::Fault;
use crate::simulator::market::{FixedQuote, Split, Spread};
use crate::simulator::trial::post::Post;
use crate::simulator::trial::script::{ByHand, Permit, Turn, What, ticker};
use crate::simulator::trial::shelf::Shelf;
use crate::simulator::trial::vault::Vault;
use crate::simulator::world::World;

/// What every order id of ours starts with, as the broker's own screen shows it.
const OURS: &str = "al1-";
/// Where the operator's permission lies.
pub const CONTROL: &str = "control/paper/main/state.json";

/// The world and what is around it.
#[derive(Clone)]
pub struct Surroundings {
    /// The exchange.
    pub world: World,
    /// The store.
    pub shelf: Shelf,
    /// The mail.
    pub post: Post,
    /// The keys.
    pub vault: Vault,
}

/// What processes have done to the world so far, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    requests: usize,
    under_way: usize,
    writes: usize,
    letters: usize,
}

impl Surroundings {
    /// Everything around a world.
    pub fn of(world: World) -> Self {
        let (shelf, post, vault) = (Shelf::new(&world), Post::new(&world), Vault::default());
        vault.fit(&world);
        Self { world, shelf, post, vault }
    }

    /// Surroundings that are equal to these, in which everybody died just now.
    #[must_use]
    pub fn parted(&self) -> Self {
        let world = self.world.parted();
        Self {
            shelf: self.shelf.parted(&world),
            post: self.post.parted(&world),
            vault: self.vault.parted(),
            world,
        }
    }

    /// Counts of all that a process may have done here: equal before and after what did nothing.
    pub fn mark(&self) -> Mark {
        let (requests, under_way) =
            self.world.with(|state| (state.asked_so_far(), state.under_way()));
        let (writes, letters) = (self.shelf.writes(), self.post.offered());
        Mark { requests, under_way, writes, letters }
    }

    /// Lets something happen now; a delivery is none of our business.
    pub fn happen(&self, what: &What) {
        let world = &self.world;
        match what {
            What::Delivery(_) => {}
            What::Request(on, trouble) => {
                world.fault(Fault::request(on.clone(), trouble.clone()));
            }
            What::Order(symbol, times, trouble) => {
                let symbol = Some(ticker(symbol));
                world.fault(Fault::Order { symbol, times: *times, trouble: *trouble });
            }
            What::Stream(trouble) => world.fault(Fault::Stream(*trouble)),
            What::ReadsLag(lag) => world.fault(Fault::ReadsLag(*lag)),
            What::Shelf(trouble) => self.shelf.trouble(trouble),
            What::Post(times, trouble) => self.post.trouble(*times, *trouble),
            What::Keys(trouble) => self.vault.trouble(*trouble, world),
            What::Hand(what) => by_hand(world, *what),
            What::Operator(permit) => self.permit(*permit),
            What::Market(turn) => turns(world, *turn),
        }
    }

    /// Everything that can be mended is.
    pub fn mend(&self) {
        self.world.clear_faults();
        self.shelf.clear();
        self.post.clear();
        self.vault.clear(&self.world);
        self.permit(Permit::Run);
        self.world.exchange(|exchange| exchange.identity.trading_blocked = false);
    }

    /// Writes the control object.
    pub fn permit(&self, permit: Permit) {
        let state = match permit {
            Permit::HaltNew => "halt-new",
            Permit::HaltAll => "halt-all",
            Permit::Run => "run",
            Permit::Lost => return self.shelf.remove(CONTROL),
        };
        let text = format!("{{\"state\":\"{state}\",\"reason\":\"a trial\"}}");
        self.shelf.lay(CONTROL, &text);
    }
}

fn by_hand(world: &World, what: ByHand) {
    let trade = |symbol: &str, side: Side, shares: u32| {
        let _ = world.trade_by_hand(symbol, side, &shares.to_string()); // as the broker allows
    };
    match what {
        ByHand::Buys(symbol, shares) => trade(symbol, Side::Buy, shares),
        ByHand::Sells(symbol, shares) => {
            let held = world.position(symbol).trunc();
            let shares = Decimal::from(shares).min(held);
            if shares > Decimal::ZERO {
                let _ = world.trade_by_hand(symbol, Side::Sell, &shares.to_string());
            }
        }
        ByHand::Cash(hand, dollars) => {
            let most = world.cash().trunc().max(Decimal::ZERO);
            let leaves = matches!(hand, Hand::Withdrawal | Hand::Fee);
            let dollars = Decimal::from(dollars);
            let dollars = if leaves { dollars.min(most) } else { dollars };
            world.book_cash(hand, &dollars.to_string());
        }
        ByHand::PlacesOrder(symbol) => {
            let asked = NewOrder {
                symbol: ticker(symbol),
                size: Size::Qty(Decimal::ONE),
                side: Side::Buy,
                kind: Kind::Limit(Decimal::ONE),
                time_in_force: TimeInForce::Day,
                client_id: None,
                intent: None,
                extended_hours: false,
            };
            world.with(|state| {
                let _ = state.exchange.submit(asked, None, state.now, &state.market);
            });
        }
        ByHand::CancelsOurs => world.with(|state| {
            let orders = state.exchange.orders().iter().enumerate();
            let ours = orders.filter(|(_, o)| o.status.is_open() && o.client_id.starts_with(OURS));
            for at in ours.map(|(at, _)| at).collect::<Vec<_>>() {
                let _ = state.exchange.cancel(at, state.now, &state.market);
            }
        }),
    }
}

fn turns(world: &World, turn: Turn) {
    match turn {
        Turn::Moves(symbol, factor) => {
            world.with(|state| {
                let symbol = ticker(symbol);
                if let Some(price) = state.market.price(&symbol, state.now) {
                    let price = (price * factor * 100.0).round() / 100.0;
                    state.market.move_to(&symbol, price.max(0.01), state.now);
                    state.exchange.reprice(&symbol, state.now);
                }
            });
        }
        Turn::Halts(symbol) => world.halt(symbol),
        Turn::NoQuote(symbol) => world.set_quote(symbol, Some(FixedQuote::default())),
        Turn::Spread(symbol, ratio) => {
            world.set_spread(symbol, Spread { ratio, ..Spread::default() });
        }
        Turn::Stale(symbol) => {
            let today = exchange_date(world.now());
            let days = world.days();
            let last = days.before(today).and_then(|session| days.before(session.date));
            world.end_bars(symbol, last.map(|session| session.date));
        }
        Turn::Splits { symbol, ratio, announced, position } => {
            let at = world.now();
            let split = Split { new: ratio, old: 1, at, bars_at: at, announced };
            world.split_market(symbol, split);
            if position {
                world.split_position(symbol, ratio, 1);
            }
        }
        Turn::Pays(symbol, cents) => {
            world.pay_dividend(symbol, &Decimal::new(i64::from(cents), 2).to_string());
        }
        Turn::Untradable(symbol) => {
            world.exchange(|exchange| exchange.list(&ticker(symbol)).tradable = false);
        }
        Turn::Closed => {
            let today = exchange_date(world.now());
            world.market(|market| market.days = market.days.without(today));
        }
        Turn::ClosesIn(rest) => {
            let now = world.now();
            let rest = SignedDuration::try_from(rest).unwrap_or(SignedDuration::ZERO);
            world.market(|market| {
                if let Some(session) = market.days.open_at(now).copied() {
                    market.days = market.days.with(Session { close: now + rest, ..session });
                }
            });
        }
        Turn::AccountBlocked => {
            world.exchange(|exchange| exchange.identity.trading_blocked = true);
        }
    }
}

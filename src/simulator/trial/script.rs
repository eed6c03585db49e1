//! What happens in a trial, in full: nothing is left to chance once a script is drawn.

mod told;

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::domain::symbol::Symbol;
use crate::simulator::exchange::{Fills, Hand, OrderTrouble};
use crate::simulator::faults::{On, StreamTrouble, Trouble};
use crate::simulator::trial::lifeline::Fate;
use crate::simulator::trial::shelf::ShelfTrouble;

/// A trial.
#[derive(Debug, Clone)]
pub struct Script {
    /// The seed it was drawn from; fills and ids follow it too.
    pub seed: u64,
    /// What stands before the first session.
    pub setting: Setting,
    /// The sessions, one after the other.
    pub days: Vec<Day>,
}

/// Account, venue and strategies.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The first session.
    pub first: Date,
    /// Cash at the start.
    pub cash: Decimal,
    /// How the venue executes.
    pub fills: Fills,
    /// What a request and its answer take.
    pub round_trip: Duration,
    /// The strategies with their allocations, in the policy's order.
    pub strategies: Vec<(&'static str, &'static str)>,
    /// Whether they are decision trees read from text instead of tables of wishes.
    pub engines: Engines,
    /// A symbol that trades in whole shares.
    pub whole: Option<&'static str>,
    /// Lines of the policy, laid over the default.
    pub policy: &'static str,
    /// Its table of times, or nothing.
    pub timing: &'static str,
}

/// What the strategies of a trial are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engines {
    /// Tables: each session's wishes are those of the script.
    Tables,
    /// Decision trees, read and evaluated by the code that does so in production.
    Trees,
}

/// One session.
#[derive(Debug, Clone)]
pub struct Day {
    /// What each strategy wants, in the policy's order.
    pub wishes: Vec<Wish>,
    /// How far each symbol's price has moved over night.
    pub moves: Vec<(&'static str, f64)>,
    /// What happens, in no order.
    pub happenings: Vec<Happening>,
}

/// What a strategy says on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// These weights.
    Weights(&'static [(&'static str, &'static str)]),
    /// Cash alone, said in so many words.
    Cash,
    /// It cannot be evaluated.
    Fails,
    /// It says nothing at all.
    Empty,
    /// Its weights sum to more than one.
    TooMuch,
    /// It breaks off in the middle.
    Panics,
}

/// Something that happens at a moment.
#[derive(Debug, Clone)]
pub struct Happening {
    /// So long after the scheduled time.
    pub after: Duration,
    /// What.
    pub what: What,
}

/// What can happen.
#[derive(Debug, Clone)]
pub enum What {
    /// The function is started.
    Delivery(Delivery),
    /// Requests to the broker go wrong.
    Request(On, Trouble),
    /// Orders of a symbol go wrong after they were taken in.
    Order(&'static str, u32, OrderTrouble),
    /// The stream of order messages goes wrong.
    Stream(StreamTrouble),
    /// Account and positions are shown as they were this long ago.
    ReadsLag(Duration),
    /// The store goes wrong.
    Shelf(ShelfTrouble),
    /// The next letters go wrong.
    Post(u32, PostTrouble),
    /// The keys go wrong.
    Keys(KeysTrouble),
    /// Somebody does something in the account.
    Hand(ByHand),
    /// The operator says something.
    Operator(Permit),
    /// The market does something.
    Market(Turn),
}

/// One start of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What it is asked to do.
    pub action: Task,
    /// What becomes of the process.
    pub fate: Fate,
    /// How long it may take.
    pub lasts: Duration,
    /// How far its clock is off.
    pub skew: SignedDuration,
    /// How long before its start it was scheduled, beyond the session's own time.
    pub scheduled_before: Duration,
    /// Which version of the code is deployed where it runs.
    pub code: Code,
}

/// What a delivery asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// The session's run.
    Trade,
    /// The end of a run left open.
    Resume,
    /// A look at what a run would do.
    Preview,
    /// The dead-man check.
    Watch,
    /// A repetition of the session's run, by the operator's order.
    Force {
        /// Its generation.
        generation: u8,
    },
}

/// Two versions of the code that are deployed side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The usual one.
    Usual,
    /// Another.
    Other,
}

/// What becomes of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostTrouble {
    /// It is refused for good.
    Refused,
    /// It is not taken.
    NotTaken,
    /// It is sent, and the answer is lost.
    AnswerLost,
}

/// What becomes of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysTrouble {
    /// They cannot be fetched for this many calls.
    OutOfReach(u32),
    /// There is no such secret.
    Missing,
    /// They were changed at the broker and in the secret.
    Rotated,
    /// They were withdrawn at the broker.
    Withdrawn,
}

/// What a person does in the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByHand {
    /// Buys at the market.
    Buys(&'static str, u32),
    /// Sells at the market.
    Sells(&'static str, u32),
    /// Moves cash.
    Cash(Hand, u32),
    /// Places an order that waits: far below the market to buy, far above it to sell.
    PlacesOrder(&'static str),
    /// Cancels every working order of ours.
    CancelsOurs,
}

/// What the operator says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// No new orders.
    HaltNew,
    /// No new orders, and none at work.
    HaltAll,
    /// Trade.
    Run,
    /// The control object is gone.
    Lost,
}

/// What the market does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Turn {
    /// A price moves by a factor.
    Moves(&'static str, f64),
    /// Trading in a symbol stops.
    Halts(&'static str),
    /// A symbol has no quote and no trade.
    NoQuote(&'static str),
    /// A symbol's spread is this wide.
    Spread(&'static str, Decimal),
    /// A symbol's bars end some sessions ago.
    Stale(&'static str),
    /// A symbol splits over night: announced or not, the position following or not.
    Splits {
        /// The symbol.
        symbol: &'static str,
        /// New shares for each old one.
        ratio: u32,
        /// Whether the list of corporate actions names it.
        announced: bool,
        /// Whether the position has followed.
        position: bool,
    },
    /// A dividend is paid, in cents a share.
    Pays(&'static str, u32),
    /// A symbol cannot be traded any more.
    Untradable(&'static str),
    /// The exchange is closed on this day.
    Closed,
    /// The exchange closes soon after the run begins.
    ClosesIn(Duration),
    /// The account may not trade.
    AccountBlocked,
}

impl Script {
    /// Every happening that can be left out, in order; deliveries of the plain schedule cannot.
    pub fn removable(&self) -> Vec<(usize, usize)> {
        let all = self.days.iter().enumerate().flat_map(|(day, script)| {
            let happenings = script.happenings.iter().enumerate();
            happenings.filter(|(_, h)| !h.is_plain()).map(move |(at, _)| (day, at))
        });
        all.collect()
    }

    /// The same without one happening.
    #[must_use]
    pub fn without(&self, (day, at): (usize, usize)) -> Self {
        let mut script = self.clone();
        if let Some(day) = script.days.get_mut(day)
            && at < day.happenings.len()
        {
            day.happenings.remove(at);
        }
        script
    }

    /// Whether anything at all goes wrong in it.
    pub fn is_calm(&self) -> bool {
        let odd = |wish: &Wish| !matches!(wish, Wish::Weights(_) | Wish::Cash);
        let trade = What::Delivery(Delivery::of(Task::Trade));
        let once = |day: &Day| {
            let trades: Vec<_> = day.happenings.iter().filter(|h| h.what.is_same(&trade)).collect();
            trades.len() == 1 && trades.iter().all(|happening| happening.after.is_zero())
        };
        self.removable().is_empty()
            && self.setting.timing.is_empty()
            && self.days.iter().all(|day| once(day) && !day.wishes.iter().any(odd))
    }
}

impl Happening {
    /// A delivery that the schedule makes every day, whose process lives.
    pub fn is_plain(&self) -> bool {
        self.what.delivery().is_some_and(Delivery::is_plain)
    }
}

impl What {
    /// The delivery, if it is one.
    pub const fn delivery(&self) -> Option<&Delivery> {
        if let Self::Delivery(delivery) = self { Some(delivery) } else { None }
    }

    /// The delivery, to be changed.
    pub const fn delivery_mut(&mut self) -> Option<&mut Delivery> {
        if let Self::Delivery(delivery) = self { Some(delivery) } else { None }
    }

    /// What the market does, if it is that.
    pub const fn turn(&self) -> Option<Turn> {
        if let Self::Market(turn) = self { Some(*turn) } else { None }
    }

    /// What the operator says, if it is that.
    pub const fn permit(&self) -> Option<Permit> {
        if let Self::Operator(permit) = self { Some(*permit) } else { None }
    }

    /// The store's trouble, if it is that.
    pub const fn shelf(&self) -> Option<&ShelfTrouble> {
        if let Self::Shelf(trouble) = self { Some(trouble) } else { None }
    }

    /// Whether both are the same delivery.
    fn is_same(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Delivery(a), Self::Delivery(b)) if a == b)
    }
}

impl Delivery {
    /// A delivery of the schedule.
    pub const fn of(action: Task) -> Self {
        Self {
            action,
            fate: Fate::Lives,
            lasts: Duration::from_mins(5),
            skew: SignedDuration::ZERO,
            scheduled_before: Duration::ZERO,
            code: Code::Usual,
        }
    }

    fn is_plain(&self) -> bool {
        let scheduled = matches!(self.action, Task::Trade | Task::Resume | Task::Watch);
        scheduled && *self == Self::of(self.action)
    }
}

/// A ticker of a script.
///
/// # Panics
/// When the text is no ticker: scripts are written by hand.
pub fn ticker(text: &str) -> Symbol {
    Symbol::parse(text).expect("a script names a ticker")
}

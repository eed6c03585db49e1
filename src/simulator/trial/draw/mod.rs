//! Scripts from seeds: which kinds of trouble a trial has, how much of each, and when.
//!
//! One seed in ten is calm and has to be perfect. One in ten has a single kind of trouble. Of the
//! rest each draws its own kinds and its own rate, so that some trials are quiet with one odd thing
//! and others are storms.

mod troubles;

use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use crate::simulator::exchange::Fills;
use crate::simulator::random::Random;
use crate::simulator::trial::lifeline::{Edge, Fate};
use crate::simulator::trial::script::{
    Code, Day, Delivery, Engines, Happening, Script, Setting, Task, What, Wish,
};

/// Symbols of a trial, with their first prices.
pub const PRICES: [(&str, &str); 6] =
    [("SPY", "500"), ("BIL", "100"), ("QQQ", "400"), ("GLD", "200"), ("TLT", "80"), ("UPRO", "50")];

/// What the strategies may want.
const WISHES: [&[(&str, &str)]; 8] = [
    &[("SPY", "1")],
    &[("BIL", "1")],
    &[("SPY", "0.5"), ("BIL", "0.5")],
    &[("QQQ", "0.4"), ("GLD", "0.3"), ("TLT", "0.3")],
    &[("GLD", "1")],
    &[("TLT", "0.25"), ("SPY", "0.25"), ("QQQ", "0.5")],
    &[("UPRO", "1")],
    &[("UPRO", "0.6"), ("TLT", "0.4")],
];

/// First sessions: an ordinary week; before a holiday and a half day; the Fridays before the clocks
/// change; the last session of a year.
const FIRSTS: [Date; 6] = [
    date(2026, 11, 17),
    date(2026, 11, 17),
    date(2026, 11, 24),
    date(2026, 3, 6),
    date(2026, 10, 30),
    date(2026, 12, 31),
];

/// Attempts that work for a shorter while than the default.
const PATIENCE: &str = "[timing]\nattempt_seconds = 3\nphase_seconds = 30\n";

/// Sessions of the longest trial, the calm one after them not counted.
pub const SESSIONS_MAX: usize = 6;

/// Calls that a process of ours makes in an ordinary run; kills are drawn a little beyond.
const CALLS: u64 = 64;

/// The kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The same event more than once, late, or not at all.
    Scheduler,
    /// Processes that are killed.
    Kills,
    /// Processes that stand still for minutes, or run out of time.
    Freezes,
    /// Processes that panic.
    Panics,
    /// Requests that fail, are slow, or are refused.
    Requests,
    /// Orders whose answer is lost, or which arrive late.
    Ambiguity,
    /// Orders that are not executed as they should be.
    Orders,
    /// The stream of order messages.
    Stream,
    /// Account and positions shown as they were.
    Lag,
    /// The store.
    Store,
    /// Damaged or lost records.
    Damage,
    /// The mail.
    Mail,
    /// The keys.
    Keys,
    /// Clocks that are off.
    Clocks,
    /// Two versions of the code.
    Versions,
    /// A person in the account.
    Hands,
    /// The operator.
    Operator,
    /// Strategies that fail.
    Strategies,
    /// Prices, quotes and bars.
    Prices,
    /// Splits, dividends, delistings.
    Corporate,
    /// Holidays and early closes.
    Calendar,
}

impl Kind {
    /// All kinds with the names by which a person may ask for them.
    pub const ALL: [(Self, &'static str); 21] = [
        (Self::Scheduler, "scheduler"),
        (Self::Kills, "kills"),
        (Self::Freezes, "freezes"),
        (Self::Panics, "panics"),
        (Self::Requests, "requests"),
        (Self::Ambiguity, "ambiguity"),
        (Self::Orders, "orders"),
        (Self::Stream, "stream"),
        (Self::Lag, "lag"),
        (Self::Store, "store"),
        (Self::Damage, "damage"),
        (Self::Mail, "mail"),
        (Self::Keys, "keys"),
        (Self::Clocks, "clocks"),
        (Self::Versions, "versions"),
        (Self::Hands, "hands"),
        (Self::Operator, "operator"),
        (Self::Strategies, "strategies"),
        (Self::Prices, "prices"),
        (Self::Corporate, "corporate"),
        (Self::Calendar, "calendar"),
    ];

    /// How often a drawn trial has it: what ends most days at once is drawn seldom, so that the
    /// rest is not hidden behind it.
    const fn share(self) -> f64 {
        match self {
            Self::Kills | Self::Ambiguity | Self::Orders | Self::Scheduler => 0.5,
            Self::Requests | Self::Stream | Self::Store | Self::Freezes | Self::Lag => 0.3,
            Self::Mail | Self::Hands | Self::Strategies | Self::Prices => 0.2,
            Self::Keys
            | Self::Panics
            | Self::Operator
            | Self::Corporate
            | Self::Versions
            | Self::Clocks => 0.1,
            Self::Damage | Self::Calendar => 0.05,
        }
    }
}

/// What a trial draws its trouble from.
struct Dice {
    random: Random,
    kinds: Vec<Kind>,
    rate: f64,
}

/// The script of a seed; `only` leaves just these kinds of trouble.
pub fn script(seed: u64, only: Option<&[Kind]>) -> Script {
    let mut random = Random::of(seed, "trial");
    let all = Kind::ALL.map(|(kind, _)| kind);
    let mut kinds: Vec<Kind> = match seed % 10 {
        0 => Vec::new(),
        1 => all.get(below(&mut random, 21)).copied().into_iter().collect(),
        _ => all.into_iter().filter(|kind| random.chance(kind.share())).collect(),
    };
    if let Some(only) = only {
        kinds = only.to_vec();
    }
    let rate = [0.3, 0.6, 1.0, 1.8][below(&mut random, 4)];
    let mut dice = Dice { random, kinds, rate };
    let setting = dice.setting();
    let sessions = 1 + dice.below(SESSIONS_MAX);
    let days = (0..sessions).map(|number| dice.day(number, setting.strategies.len())).collect();
    Script { seed, setting, days }
}

fn below(random: &mut Random, bound: usize) -> usize {
    let bound = u64::try_from(bound.max(1)).unwrap_or(1);
    usize::try_from(random.bits() % bound).unwrap_or_default()
}

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        below(&mut self.random, bound)
    }

    fn number(&mut self, from: u64, to: u64) -> u32 {
        let number = from + self.random.bits() % (to - from).max(1);
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    fn seconds(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_secs(u64::from(self.number(from, to)))
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Whether a kind of trouble strikes now, with a chance that follows the trial's rate.
    fn strikes(&mut self, kind: Kind, chance: f64) -> bool {
        let drawn = self.random.unit(); // always, so that leaving a kind out does not shift the rest
        self.kinds.contains(&kind) && drawn < chance * self.rate
    }

    fn setting(&mut self) -> Setting {
        let inside = self.pick(&[0.0, 0.05, 0.3, 0.6, 1.0]);
        let fills = Fills {
            delay: Duration::from_millis(u64::from(self.number(20, 900))),
            inside_spread: inside,
            partial: self.pick(&[0.0, 0.1, 0.5]),
        };
        let one: &[(&str, &str)] = &[("a", "1")];
        let two: &[(&str, &str)] = &[("a", "0.6"), ("b", "0.4")];
        let three: &[(&str, &str)] = &[("a", "0.5"), ("b", "0.3"), ("c", "0.2")];
        let cash = self.pick(&[2_500, 100_000, 100_000, 1_000_000]);
        let policy = self.pick(&[
            "",
            "",
            "",
            "urgency = \"high\"\n",
            "conflict = \"highest-confidence\"\n",
            "keep_cash = \"700\"\n",
            "submit_mode = \"at-most-once\"\n",
        ]);
        // Some wait as long as in production; the others look as often in less time.
        let timing = self.pick(&["", PATIENCE, PATIENCE, PATIENCE]);
        let timing = if self.kinds.is_empty() { "" } else { timing }; // calm days wait for fills
        let round_trip = Duration::from_millis(u64::from(self.pick(&[2_u8, 10, 80])));
        let engines = if self.below(10) == 0 { Engines::Trees } else { Engines::Tables };
        Setting {
            first: self.pick(&FIRSTS),
            cash: Decimal::from(cash),
            fills,
            round_trip,
            strategies: self.pick(&[one, two, three, three]).to_vec(),
            engines,
            whole: self.pick(&[None, Some("GLD")]),
            policy,
            timing,
        }
    }

    fn day(&mut self, number: usize, strategies: usize) -> Day {
        let wishes = (0..strategies).map(|_| self.wish()).collect();
        let moves = match number {
            0 => Vec::new(),
            _ => PRICES
                .iter()
                .map(|(symbol, _)| (*symbol, self.pick(&[0.97, 0.99, 1.0, 1.0, 1.01, 1.04])))
                .collect(),
        };
        let mut happenings = self.schedule();
        for trouble in [
            Self::requests,
            Self::ambiguity,
            Self::orders,
            Self::stream_and_lag,
            Self::store,
            Self::mail_and_keys,
            Self::hands,
            Self::operator,
            Self::force,
            Self::market,
        ] {
            trouble(self, &mut happenings);
        }
        Day { wishes, moves, happenings }
    }

    fn wish(&mut self) -> Wish {
        let odd = self.pick(&[Wish::Fails, Wish::Fails, Wish::Empty, Wish::TooMuch, Wish::Panics]);
        let usual =
            if self.below(12) == 0 { Wish::Cash } else { Wish::Weights(self.pick(&WISHES)) };
        if self.strikes(Kind::Strategies, 0.25) { odd } else { usual }
    }

    /// The deliveries of a day: the scheduled ones, and what becomes of them.
    fn schedule(&mut self) -> Vec<Happening> {
        let mut all = Vec::new();
        if !self.strikes(Kind::Scheduler, 0.04) {
            let delivery = self.delivery(Task::Trade);
            let after = if self.strikes(Kind::Scheduler, 0.1) {
                self.seconds(60, 2400)
            } else {
                Duration::ZERO
            };
            all.push(Happening { after, what: What::Delivery(delivery) });
        }
        for _ in 0..3 {
            if self.strikes(Kind::Scheduler, 0.25) {
                let near = self.below(2) == 0;
                let after = if near { self.seconds(0, 20) } else { self.seconds(0, 3000) };
                let mut delivery = self.delivery(Task::Trade);
                if self.below(8) == 0 {
                    delivery.action = Task::Preview;
                }
                all.push(Happening { after, what: What::Delivery(delivery) });
            }
        }
        // A resume finds most runs ended; some of those looks are enough.
        let first = self.below(3);
        for minutes in [6, 12, 20].into_iter().skip(first) {
            let delivery = self.delivery(Task::Resume);
            let after = Duration::from_mins(minutes);
            all.push(Happening { after, what: What::Delivery(delivery) });
        }
        if self.below(3) == 0 {
            for minutes in [27, 400] {
                let watch = What::Delivery(Delivery::of(Task::Watch));
                all.push(Happening { after: Duration::from_mins(minutes), what: watch });
            }
        }
        all
    }

    fn delivery(&mut self, action: Task) -> Delivery {
        let mut delivery = Delivery::of(action);
        let call = self.number(1, CALLS);
        if self.strikes(Kind::Kills, 0.4) {
            let edge = self.pick(&[Edge::Before, Edge::After]);
            delivery.fate = Fate::Killed { call, edge };
        }
        if self.strikes(Kind::Freezes, 0.1) {
            delivery.fate = Fate::Frozen { call, lasts: self.seconds(20, 900) };
        }
        if self.strikes(Kind::Freezes, 0.3) {
            // Too little time to begin, or enough to begin and little to end in.
            let scarce = self.below(3) == 0;
            delivery.lasts = if scarce { self.seconds(5, 45) } else { self.seconds(46, 90) };
        }
        if self.strikes(Kind::Panics, 0.25) {
            delivery.fate = Fate::Panics { call };
        }
        if self.strikes(Kind::Clocks, 0.3) {
            let off = i64::from(self.number(1, 90));
            let ahead = self.below(2) == 0;
            delivery.skew = SignedDuration::from_secs(if ahead { off } else { -off });
        }
        if self.strikes(Kind::Versions, 0.4) {
            delivery.code = Code::Other;
        }
        delivery
    }

    /// A moment from which something is in force: mostly the beginning, else during the run.
    fn moment(&mut self) -> Duration {
        if self.below(3) > 0 { Duration::ZERO } else { self.seconds(0, 40) }
    }

    fn add(&mut self, all: &mut Vec<Happening>, what: What) {
        let after = self.moment();
        all.push(Happening { after, what });
    }
}

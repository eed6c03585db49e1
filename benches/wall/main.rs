//! How long a run takes in wall time, against the critical path of its own protocol.
//!
//! A real run (production's transport, stream, journal and strategies) on the exchange at a
//! loopback port, behind a relay that delays every byte by half a round trip r and a new
//! connection by a whole one; records and mail are a round trip `r_a` = r away. The reference model is
//!
//! ```text
//! T = max(3 r_a + s_secret, connect) + [r (1 + rounds) + s_b] + CPU
//!   + [r + s_o + f + n] sells + [r + s_o + f + n] buys + [r + s] final + puts * r_a
//! ```
//! Here the secret was read in init and loopback has neither TLS nor a slow start (rounds = 0); n is
//! the message, which is part of the fixed share, and the read that follows it, for messages only
//! wake. What each wait is there for stands in [`BROKER_WAITS`] and [`STORE_WAITS`]. The servers'
//! times, messages and CPU are measured in the same minutes at r = 0, the fills taken from the
//! exchange's books.

#![expect(clippy::print_stdout, reason = "a benchmark tells its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "a benchmark of wall time reads the wall clock")]

mod away;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alchemiser::application::control::{Control, State, control_key};
use alchemiser::application::meter::Machine;
use alchemiser::application::ports::Clock;
use alchemiser::application::run::{Ended, run};
use alchemiser::domain::order::Side;
use alchemiser::domain::report::{RunReport, Verdict};
use alchemiser::domain::run::{AccountName, Mode, RunAction, RunRequest, Slot};
use alchemiser::domain::session::{exchange_date, exchange_zone};
use alchemiser::infrastructure::alpaca::stream::TradeStream;
use alchemiser::infrastructure::hosts::Hosts;
use alchemiser::infrastructure::https::{ReqwestTransport, Tls, Trust};
use alchemiser::infrastructure::local::secrets::StaticKeys;
use alchemiser::interface::wiring::{Invocation, Outside};
use alchemiser::simulator::exchange::Fills;
use alchemiser::simulator::market::{Market, Synthetic, synthetic};
use alchemiser::simulator::world::World;
use jiff::Timestamp;
use jiff::civil::{Date, date, time};

use crate::away::{Exchange, Paced, Post, Shelf, relay};

const FIRST_DAY: Date = date(2026, 3, 2);
/// Days to look through for one that sells and buys.
const DAYS_MAX: usize = 60;
/// Orders of each side that the measured day has at least.
const ORDERS_MIN: usize = 2;
/// From the exchange's taking an order to its execution, more or less a third.
const FILL: Duration = Duration::from_millis(60);
/// Runs of each setting, in turns so that all see the same machine; the median counts.
const LAPS: usize = 7;
/// Round trips, the one without any first.
const ROUND_TRIPS_MS: [u32; 4] = [0, 2, 10, 80];
/// What may come on top of the model: a twentieth, and so much.
const ON_TOP: Duration = Duration::from_millis(10);

/// Waits for the broker of which each needs the one before.
const BROKER_WAITS: [&str; 8] = [
    "connect, once the store has said that there is something to do: a repeat asks nothing",
    "data: clock, calendar, account, positions, orders, activities, bars and quotes together",
    "flags of what is held or targeted, beyond the reference: the data says what is targeted",
    "sells",
    "n of the sells: their truth is read when the message wakes us, and the cash with it",
    "buys",
    "n of the buys",
    "final: account and positions; the buys' record is put meanwhile",
];
/// Waits for the store and the mail carrier of which each needs the one before.
const STORE_WAITS: [&str; 8] = [
    "policy, strategies and names of records, in place of 3 r_a + s_secret: the rules of the run",
    "put: delivery, open and lease; until it is ours the broker is not asked, lest twenty \
     deliveries use up the account's requests",
    "put: snapshot, so that no plan is ever without its inputs",
    "put: plan, before any order; the operator's permission is read meanwhile",
    "put: sells and buy plan, before any buy; the permission is read meanwhile",
    "put: final record, before the mail",
    "mail, beyond the reference: a run ends by telling; page and lease meanwhile",
    "put: the mail's record, so that it is not sent again",
];

/// One measured run.
struct Lap {
    wall: Duration,
    /// The longest fill of each phase, by the exchange's own books.
    fills: Duration,
    stages: [i128; 4],
    reads: usize,
    writes: usize,
    requests: u32,
    orders: usize,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let days = runtime.block_on(days_before_a_flip());
    let mut laps = ROUND_TRIPS_MS.map(|_| Vec::with_capacity(LAPS));
    for _ in 0..LAPS {
        for (laps, r) in laps.iter_mut().zip(ROUND_TRIPS_MS) {
            laps.push(runtime.block_on(lap(days, Duration::from_millis(u64::from(r)))));
        }
    }
    let laps = laps.map(median);
    println!("broker, r each:");
    for wait in BROKER_WAITS {
        println!("  {wait}");
    }
    println!("store and mail, r_a = r each:");
    for wait in STORE_WAITS {
        println!("  {wait}");
    }
    let [zero, ..] = &laps;
    let Lap { stages: [observe, decide, act, tell], .. } = zero;
    println!(
        "fixed (s_b + s_o + s + messages + CPU, at r = 0): {:.1} ms; with fills: observe {observe}, decide {decide}, act {act}, tell {tell} ms",
        ms(zero.fixed())
    );
    println!(
        "{} orders, {} requests to the broker, {} reads and {} writes of the store",
        zero.orders, zero.requests, zero.reads, zero.writes
    );
    let mut within = true;
    for (lap, r) in laps.iter().zip(ROUND_TRIPS_MS).skip(1) {
        within &= judge(lap, r, zero.fixed());
    }
    assert!(within, "a run takes longer than its critical path");
}

/// Prints the line of a round trip; whether it is within the bound.
fn judge(lap: &Lap, r: u32, fixed: Duration) -> bool {
    let r_for = |waits: usize| Duration::from_millis(u64::from(r)) * u32::try_from(waits).unwrap();
    let (broker, store) = (r_for(BROKER_WAITS.len()), r_for(STORE_WAITS.len()));
    let model = fixed + lap.fills + broker + store;
    let bound = model.mul_f64(1.05) + ON_TOP;
    println!(
        "r {r:>2} ms: {:.1} ms, model {:.1} = fixed {:.1} + fills {:.1} + {} r {:.0} + {} r_a {:.0}, bound {:.1}; found {:.1} round trips",
        ms(lap.wall),
        ms(model),
        ms(fixed),
        ms(lap.fills),
        BROKER_WAITS.len(),
        ms(broker),
        STORE_WAITS.len(),
        ms(store),
        ms(bound),
        (ms(lap.fixed()) - ms(fixed)) / f64::from(r)
    );
    lap.wall <= bound
}

fn median(mut laps: Vec<Lap>) -> Lap {
    laps.sort_by_key(Lap::fixed);
    laps.swap_remove(LAPS / 2)
}

impl Lap {
    /// What is not waiting for fills.
    fn fixed(&self) -> Duration {
        self.wall.saturating_sub(self.fills)
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// How many days of the market are to be run before one that sells and buys.
async fn days_before_a_flip() -> usize {
    let scene = Scene::new();
    for day in 0..DAYS_MAX {
        let report = scene.quiet_day(day).await;
        let sent = |side| report.plan.iter().flat_map(|plan| plan.orders(side)).count();
        let first = report.execution.outcomes().all(|outcome| outcome.attempts.len() == 1);
        let both = sent(Side::Sell) >= ORDERS_MIN && sent(Side::Buy) >= ORDERS_MIN;
        if report.verdict == Verdict::Done && both && first {
            return day;
        }
    }
    unreachable!("the synthetic market turns now and then")
}

/// One run of the day after so many, in wall time and through every delay.
async fn lap(days: usize, round_trip: Duration) -> Lap {
    let scene = Scene::new();
    for day in 0..days {
        scene.quiet_day(day).await;
    }
    let start = scene.start(days);
    scene.world.advance_to(start);
    let exchange = Exchange::open(scene.world.clone());
    let relayed = relay(exchange.address, round_trip);
    let hosts = Hosts::local(Mode::Paper, &format!("http://{relayed}")).unwrap();
    let keys = Arc::new(StaticKeys::new("bench-key", "bench-secret"));
    let clock = Arc::new(Paced { from: start, began: Instant::now() });
    let counts = Arc::new(Mutex::new((0, 0)));
    let store = Shelf {
        records: Arc::clone(&scene.shelf.records),
        clock: clock.clone(),
        delay: round_trip,
        counts: Arc::clone(&counts),
    };
    let tls = Tls::new(Trust::Compiled);
    let outside = Outside {
        transport: Arc::new(ReqwestTransport::new(hosts.clone(), &tls).unwrap()),
        updates: Arc::new(TradeStream::new(&hosts, keys.clone(), tls)),
        credentials: keys,
        clock: clock.clone(),
        mailer: Arc::new(Post(round_trip)),
        store: Arc::new(store),
        ..scene.outside()
    };
    let began = Instant::now();
    let report = scene.run(&outside, start).await;
    let wall = began.elapsed();
    assert_eq!(report.verdict, Verdict::Done, "{} {:?}", report.summary, report.incidents);
    let told = clock.now();
    let stage = |from: Option<Timestamp>, to: Option<Timestamp>| {
        to.unwrap().duration_since(from.unwrap()).as_millis()
    };
    let marks = report.marks;
    let stages = [
        stage(Some(report.started_at), marks.observed_at),
        stage(marks.observed_at, marks.decided_at),
        stage(marks.decided_at, marks.acted_at),
        stage(marks.acted_at, Some(told)),
    ];
    let (reads, writes) = *counts.lock().unwrap();
    let orders = report.execution.outcomes().count();
    let fills = scene.fills(start);
    Lap { wall, fills, stages, reads, writes, requests: report.requests, orders }
}

/// A world, its records, and the rules.
struct Scene {
    world: World,
    shelf: Shelf,
    days: Vec<Date>,
}

impl Scene {
    fn new() -> Self {
        let market: Market = synthetic(Synthetic { seed: 7, ..Synthetic::default() });
        let days: Vec<Date> = market.days.sessions().iter().map(|session| session.date).collect();
        let days: Vec<Date> = days.into_iter().filter(|day| *day >= FIRST_DAY).collect();
        let start = moment(days[0]).to_string();
        let fills = Fills { delay: FILL, inside_spread: 1.0, partial: 0.0 };
        let world = World::builder().market(market).at(&start).seed(7).fills(fills).build();
        let shelf = Shelf {
            records: Arc::default(),
            clock: world.clock(),
            delay: Duration::ZERO,
            counts: Arc::default(),
        };
        Self { world, shelf, days }
    }

    fn start(&self, day: usize) -> Timestamp {
        moment(self.days[day])
    }

    fn outside(&self) -> Outside {
        Outside {
            transport: self.world.transport(),
            credentials: Arc::new(StaticKeys::new("bench-key", "bench-secret")),
            updates: self.world.updates(),
            clock: self.world.clock(),
            store: Arc::new(self.shelf.clone()),
            mailer: Arc::new(Post(Duration::ZERO)),
            policy_text: None,
            mail_from: None,
            mail_to: None,
            messenger: None,
            machine: Machine::default(),
            code: "0.1.0".to_owned(),
        }
    }

    /// A day in virtual time.
    async fn quiet_day(&self, day: usize) -> RunReport {
        self.world.advance_to(self.start(day));
        self.run(&self.outside(), self.start(day)).await
    }

    async fn run(&self, outside: &Outside, scheduled_for: Timestamp) -> RunReport {
        let account = AccountName::parse("main").unwrap();
        let request = RunRequest {
            action: RunAction::Trade,
            mode: Mode::Paper,
            account,
            slot: Slot::parse("open").unwrap(),
            scheduled_for,
            force: None,
        };
        let control = Control {
            state: State::Run,
            reason: String::new(),
            who: None,
            since: None,
            until: None,
        };
        let key = control_key(request.mode, &request.account);
        self.shelf.lay(&key, &serde_json::to_vec(&control).unwrap());
        self.shelf.lay("config/paper/main/policy.toml", b"urgency = \"high\"\n");
        let deadline = scheduled_for + Duration::from_mins(5);
        let writer = format!("bench-{}", exchange_date(scheduled_for));
        let invocation = Invocation { writer, deadline };
        let site = outside.furnish(Mode::Paper, &request.account, invocation).await.unwrap();
        match run(&request, &site.house()).await {
            Ended::Reported { report, .. } => *report,
            Ended::Repeated { .. } | Ended::InProgress(_) | Ended::NothingOpen(_) => {
                unreachable!("nobody else is at work")
            }
        }
    }

    /// The longest fills of sells and buys of the day, together.
    fn fills(&self, start: Timestamp) -> Duration {
        let orders = self.world.orders();
        let longest = |side: Side| {
            let orders = orders.iter().filter(|o| o.created_at >= start && o.asked.side == side);
            orders.map(|o| o.updated_at.duration_since(o.created_at).unsigned_abs()).max()
        };
        longest(Side::Sell).unwrap_or_default() + longest(Side::Buy).unwrap_or_default()
    }
}

fn moment(day: Date) -> Timestamp {
    exchange_zone().to_timestamp(day.to_datetime(time(9, 35, 0, 0))).unwrap()
}

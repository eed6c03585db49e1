//! A world with an operator in it: `Stage::new().plays("a", "1", "SPY 0.5, BIL 0.5")`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use alchemiser::application::meter::Machine;
use alchemiser::application::ports::Messenger;
use alchemiser::application::run::{Ended, run};
use alchemiser::domain::order::{ClientOrderId, Side};
use alchemiser::domain::report::{RunReport, Verdict};
use alchemiser::domain::run::{AccountName, Force, Mode, RunAction, RunRequest, Slot};
use alchemiser::domain::session::{exchange_date, exchange_zone};
use alchemiser::domain::symbol::Symbol;
use alchemiser::infrastructure::http::{Host, Method, Request, Response, Transport};
use alchemiser::infrastructure::local::secrets::StaticKeys;
use alchemiser::interface::wiring::{Invocation, Outside, Site};
use alchemiser::simulator::exchange::{Fills, Order, OrderTrouble};
use alchemiser::simulator::faults::Fault;
use alchemiser::simulator::market::Market;
use alchemiser::simulator::world::{World, WorldBuilder};
use jiff::civil::{Date, time};
use jiff::{Timestamp, ToSpan};
use rust_decimal::Decimal;

use crate::agree::books_agree;
use crate::form;
use crate::kept::{Post, Shelf};
use crate::told::Told;

pub(crate) const POLICY: &str = "config/paper/main/policy.toml";
const LIVE_POLICY: &str = "config/live/main/policy.toml";
const LIVE_CONTROL: &str = "control/live/main/state.json";
pub(crate) const CONTROL: &str = "control/paper/main/state.json";
/// Virtual time an invocation may take, unless told otherwise.
const INVOCATION_SECONDS: i64 = 300;

/// The exchange, the store, the mail, and the operator's strategies and rules.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) post: Arc<Post>,
    strategies: Vec<(String, String)>,
    rules: String,
    limits: String,
    brake: &'static str,
    scheduled_for: Timestamp,
    force: Option<Force>,
    mode: Mode,
    code: String,
    messenger: Option<Arc<dyn Messenger>>,
    writers: AtomicU32,
    seconds: AtomicI64,
}

impl Stage {
    /// $100,000, quiet prices, and a market that meets every limit inside the spread within a
    /// second.
    pub(crate) fn new() -> Self {
        Self::furnished(|world| world)
    }

    /// The same with more: positions, flags, another way of filling.
    pub(crate) fn furnished(more: impl FnOnce(WorldBuilder) -> WorldBuilder) -> Self {
        let fills = Fills { inside_spread: 1.0, ..Fills::plain() };
        let world = World::builder()
            .fills(fills)
            .price("SPY", "500")
            .price("BIL", "100")
            .price("QQQ", "400")
            .price("GLD", "200")
            .price("TLT", "80");
        Self::on(more(world).build(), "position_max = \"1\"\n")
    }

    /// The same at the limits that the policy comes with.
    pub(crate) fn by_default() -> Self {
        let stage = Self::furnished(|world| world.price("IEF", "100").price("VTI", "200"));
        Self { limits: String::new(), ..stage }
    }

    /// The policy as it comes, its own strategies, and another market.
    pub(crate) fn by_default_in(market: Market, now: &str) -> Self {
        Self::on(World::builder().market(market).at(now).build(), "")
    }

    /// The same with the brake on settings that the policy comes with.
    pub(crate) fn braked(self) -> Self {
        Self { brake: "", ..self }
    }

    fn on(world: World, limits: &str) -> Self {
        let shelf = Arc::new(Shelf::new(&world));
        let scheduled_for = world.now();
        let stage = Self {
            world,
            shelf,
            post: Arc::default(),
            strategies: Vec::new(),
            rules: String::new(),
            limits: limits.to_owned(),
            brake: "[brake]\nstrategy_text = \"allow\"\nallocation_change_max = \"2\"\n",
            scheduled_for,
            force: None,
            mode: Mode::Paper,
            code: "0.1.0".to_owned(),
            messenger: None,
            writers: AtomicU32::new(0),
            seconds: AtomicI64::new(INVOCATION_SECONDS),
        };
        stage.permits("run");
        stage
    }

    /// A strategy with its allocation and the weights it always wants: `"SPY 0.5, BIL 0.5"`.
    pub(crate) fn plays(mut self, name: &str, allocation: &str, weights: &str) -> Self {
        self.strategies.push((name.to_owned(), allocation.to_owned()));
        self.wants(name, weights);
        self
    }

    /// Pushes go to this.
    pub(crate) fn tells(self, messenger: Arc<dyn Messenger>) -> Self {
        Self { messenger: Some(messenger), ..self }
    }

    /// A line of the policy before its tables, such as `adopt = true`.
    pub(crate) fn rule(mut self, line: &str) -> Self {
        self.changes_rule(line);
        self
    }

    /// A line of the policy's limits, or of a table that follows them.
    pub(crate) fn limit(mut self, line: &str) -> Self {
        self.limits.push_str(line);
        self.limits.push('\n');
        self.lay_policy();
        self
    }

    pub(crate) fn changes_rule(&mut self, line: &str) {
        self.rules.push_str(line);
        self.rules.push('\n');
        self.lay_policy();
    }

    /// The strategy wants something else from now on.
    pub(crate) fn wants(&self, name: &str, weights: &str) {
        self.says(name, &symphony("{}", weights));
    }

    /// The strategy's own text.
    pub(crate) fn says(&self, name: &str, text: &str) {
        self.shelf.lay(&format!("strategies/{name}.clj"), text);
        self.lay_policy();
    }

    /// The policy lists these strategies from now on.
    pub(crate) fn allocates(&mut self, allocations: &[(&str, &str)]) {
        let pairs = allocations.iter().map(|(name, share)| ((*name).into(), (*share).into()));
        self.strategies = pairs.collect();
        self.lay_policy();
    }

    pub(crate) fn permits(&self, state: &str) {
        let key = if self.mode == Mode::Live { LIVE_CONTROL } else { CONTROL };
        self.shelf.lay(key, &format!("{{\"state\":\"{state}\",\"reason\":\"a test\"}}"));
    }

    fn lay_policy(&self) {
        let mut text = self.rules.clone();
        for (name, share) in &self.strategies {
            write!(text, "[[strategy]]\nname = \"{name}\"\nallocation = \"{share}\"\n").unwrap();
        }
        write!(text, "{}[limits]\n{}", self.brake, self.limits).unwrap();
        let key = if self.mode == Mode::Live { LIVE_POLICY } else { POLICY };
        self.shelf.lay(key, &text);
    }

    /// The session's event, at the scheduled time.
    pub(crate) fn event(&self, action: RunAction) -> RunRequest {
        RunRequest {
            action,
            mode: self.mode,
            account: AccountName::parse("main").unwrap(),
            slot: Slot::parse("open").unwrap(),
            scheduled_for: self.scheduled_for,
            force: self.force.clone().filter(|_| action == RunAction::Trade),
        }
    }

    /// With real money from now on.
    pub(crate) fn goes_live(&mut self) {
        self.mode = Mode::Live;
        self.world.exchange(|exchange| "123456789".clone_into(&mut exchange.identity.number));
        self.lay_policy();
        self.permits("run");
    }

    /// Another version runs from now on.
    pub(crate) fn runs_code(&mut self, code: &str) {
        code.clone_into(&mut self.code);
    }

    /// The event repeats the session's run from now on, for so many minutes.
    pub(crate) fn forces(&mut self, generation: u8, minutes: i64) {
        let not_after = self.world.now() + minutes.minutes();
        self.force = Some(Force { generation, reason: "a test".to_owned(), not_after });
    }

    /// Goes to a later day's scheduled time.
    pub(crate) fn goes_to(&mut self, date: Date) {
        let moment = date.to_datetime(time(9, 35, 0, 0));
        self.scheduled_for = exchange_zone().to_timestamp(moment).unwrap();
        self.world.advance_to(self.scheduled_for);
    }

    /// Goes to the scheduled time of the next session.
    pub(crate) fn next_session(&mut self) {
        let date = self.world.days().after(exchange_date(self.scheduled_for)).unwrap().date;
        self.goes_to(date);
    }

    /// The event is for this moment from now on.
    pub(crate) fn schedules(&mut self, moment: Timestamp) {
        self.scheduled_for = moment;
    }

    /// A person's order at the broker, working until it can be met.
    pub(crate) async fn works_by_hand(&self, symbol: &str, side: &str, qty: &str, limit: &str) {
        let body = serde_json::json!({
            "symbol": symbol, "qty": qty, "side": side, "type": "limit", "limit_price": limit,
            "time_in_force": "day",
        });
        let body = body.to_string().into_bytes();
        let answer = self.by_hand(Method::Post, "/v2/orders", body).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }

    /// A person cancels an order at the broker, whosever it is.
    pub(crate) async fn cancels_by_hand(&self, id: &str) {
        self.by_hand(Method::Delete, &format!("/v2/orders/{id}"), Vec::new()).await;
    }

    async fn by_hand(&self, method: Method, target: &str, body: Vec<u8>) -> Response {
        let keys = [("apca-api-key-id", "test-key-id"), ("apca-api-secret-key", "test-secret")];
        let request = Request {
            method,
            host: Host::Trading,
            target: target.to_owned(),
            headers: keys.map(|(name, value)| (name, value.to_owned())).to_vec(),
            body,
            timeout: Duration::from_secs(5),
        };
        self.world.transport().carry(request).await.unwrap()
    }

    /// Some trouble with orders of a symbol, for the next so many.
    pub(crate) fn troubles(&self, symbol: &str, times: u32, trouble: OrderTrouble) {
        let symbol = Some(Symbol::parse(symbol).unwrap());
        self.world.fault(Fault::Order { symbol, times, trouble });
    }

    /// The session's run.
    pub(crate) async fn run(&self) -> Told {
        self.invoke(RunAction::Trade).await
    }

    pub(crate) async fn invoke(&self, action: RunAction) -> Told {
        self.invoke_over(self.world.transport(), action).await
    }

    /// An invocation whose requests are carried by something else.
    pub(crate) async fn invoke_over(
        &self,
        transport: Arc<dyn Transport>,
        action: RunAction,
    ) -> Told {
        self.try_over(transport, action).await.expect("policy and strategies can be read")
    }

    /// An invocation; `None` when even its policy could not be had.
    pub(crate) async fn try_invoke(&self, action: RunAction) -> Option<Told> {
        self.try_over(self.world.transport(), action).await
    }

    async fn try_over(&self, transport: Arc<dyn Transport>, action: RunAction) -> Option<Told> {
        let request = self.event(action);
        let site = self.site(transport).await?;
        let told = Told { ended: Box::pin(run(&request, &site.house())).await };
        if let Ended::Reported { report, kept: Ok(()), .. } = &told.ended
            && self.record().as_ref() == Some(&**report)
        {
            self.keeps_the_laws(report);
            let stored = self.envelope().expect("the record was just compared");
            assert_eq!(form::faults(&stored), Vec::<String>::new(), "the record has its form");
        }
        Some(told)
    }

    /// An invocation has only so many seconds from now on.
    pub(crate) fn leaves(&self, seconds: i64) {
        self.seconds.store(seconds, Ordering::Relaxed);
    }

    /// What an invocation of its own works with; `None` when even its policy could not be had.
    pub(crate) async fn site(&self, transport: Arc<dyn Transport>) -> Option<Site> {
        let outside = Outside {
            transport,
            credentials: Arc::new(StaticKeys::new("test-key-id", "test-secret")),
            updates: self.world.updates(),
            clock: self.world.clock(),
            store: self.shelf.clone(),
            mailer: self.post.clone(),
            policy_text: None,
            mail_from: None,
            mail_to: None,
            messenger: self.messenger.clone(),
            machine: Machine::default(),
            code: self.code.clone(),
        };
        let number = self.writers.fetch_add(1, Ordering::Relaxed);
        let deadline = self.world.now() + self.seconds.load(Ordering::Relaxed).seconds();
        let invocation = Invocation { writer: format!("test-{number}"), deadline };
        let account = AccountName::parse("main").unwrap();
        outside.furnish(self.mode, &account, invocation).await.ok()
    }

    /// What holds after every run, whatever went wrong.
    pub(crate) fn keeps_the_laws(&self, report: &RunReport) {
        assert!(self.world.min_cash_seen() >= Decimal::ZERO, "cash was never negative");
        let ours: Vec<(Order, ClientOrderId)> = self.ours();
        let mut sent: BTreeMap<(Side, String), Decimal> = BTreeMap::new();
        for (order, id) in &ours {
            assert!(self.world.min_position_seen(order.symbol().as_str()) >= Decimal::ZERO);
            let parts = id.parts().unwrap();
            let same = parts.generation == report.key.generation;
            if same && parts.session == report.key.session {
                *sent.entry((parts.side, parts.symbol.to_string())).or_default() += order.filled;
            }
        }
        let stuck = |order: &Order| order.trouble == Some(OrderTrouble::CancelStuck);
        let ended = ours.iter().filter(|(order, id)| {
            is_of(id, report, Side::Sell) && !order.status.is_open() && !stuck(order)
        });
        let last_sell = ended.map(|(order, _)| order.updated_at).max();
        let buys = ours.iter().filter(|(_, id)| is_of(id, report, Side::Buy));
        if let Some((last_sell, first_buy)) = last_sell.zip(buys.map(|(o, _)| o.created_at).min()) {
            assert!(last_sell <= first_buy, "no buy before the last sell has ended");
        }
        books_agree(report);
        let Some(plan) = &report.plan else { return };
        for ((side, symbol), filled) in sent {
            let orders = plan.orders(side);
            let planned = orders.filter(|(item, _)| item.symbol.as_str() == symbol);
            let planned: Decimal = planned.map(|(_, shares)| shares.decimal()).sum();
            assert!(filled <= planned, "{side} {symbol}: {filled} executed, {planned} planned");
        }
        let explained = report.verdict != Verdict::Unknown
            && report.incidents.iter().all(|said| said.code != "position-mismatch-after");
        if let (Some(ledger), true) = (&report.ledger, explained) {
            let held: BTreeSet<String> =
                self.world.positions().iter().map(|(s, n)| format!("{s} {n}")).collect();
            let known = ledger.symbols().into_iter();
            let known = known.map(|s| format!("{s} {}", ledger.total(&s).decimal().normalize()));
            assert_eq!(known.collect::<BTreeSet<_>>(), held, "sleeves and foreign are positions");
        }
        let unseen = |order: &&Order| order.status.is_open();
        if report.verdict != Verdict::Unknown {
            let open: Vec<Order> =
                ours.iter().map(|(order, _)| order).filter(unseen).cloned().collect();
            assert!(open.is_empty(), "no order of ours is left open: {open:?}");
        }
    }

    fn ours(&self) -> Vec<(Order, ClientOrderId)> {
        let orders = self.world.orders().into_iter();
        orders.filter_map(|o| ClientOrderId::parse(&o.client_id).ok().map(|id| (o, id))).collect()
    }

    /// Every order at the exchange, oldest first: `sell SPY 98 #1 filled 98`.
    pub(crate) fn orders(&self) -> Vec<String> {
        let mut orders = self.world.orders();
        orders.sort_by(|a, b| (a.created_at, a.symbol()).cmp(&(b.created_at, b.symbol())));
        orders.iter().map(line).collect()
    }

    /// The orders of the present session.
    pub(crate) fn orders_today(&self) -> Vec<String> {
        let today = exchange_date(self.scheduled_for);
        let mut orders = self.world.orders();
        orders.sort_by(|a, b| (a.created_at, a.symbol()).cmp(&(b.created_at, b.symbol())));
        orders.iter().filter(|o| exchange_date(o.created_at) == today).map(line).collect()
    }

    /// The account's positions and cash: `BIL 490, SPY 98, $2000`.
    pub(crate) fn account(&self) -> String {
        let positions = self.world.positions();
        let mut parts: Vec<String> =
            positions.iter().map(|(symbol, n)| format!("{symbol} {}", n.normalize())).collect();
        parts.push(format!("${}", self.world.cash().normalize()));
        parts.join(", ")
    }

    /// The record of the present session's run, as stored.
    pub(crate) fn record(&self) -> Option<RunReport> {
        Some(serde_json::from_value(self.envelope()?["body"].clone()).unwrap())
    }

    /// The same in its envelope.
    fn envelope(&self) -> Option<serde_json::Value> {
        let date = exchange_date(self.scheduled_for);
        let generation = self.force.as_ref().map_or(0, |force| force.generation);
        let mode = self.mode;
        let text = format!("runs/{mode}/main/{date}/open/g{generation}/final.json");
        let text = self.shelf.text(&text)?;
        Some(serde_json::from_str(&text).unwrap())
    }
}

fn is_of(id: &ClientOrderId, report: &RunReport, side: Side) -> bool {
    id.parts().is_some_and(|parts| {
        let run = (parts.session, parts.generation);
        run == (report.key.session, report.key.generation) && parts.side == side
    })
}

fn line(order: &Order) -> String {
    let side = order.asked.side;
    let (symbol, filled) = (order.symbol(), order.filled.normalize());
    let qty = order.qty().map_or_else(|| "?".to_owned(), |qty| qty.normalize().to_string());
    let attempt = ClientOrderId::parse(&order.client_id).ok().and_then(|id| id.parts());
    let attempt = attempt.map_or_else(|| "by hand".to_owned(), |p| format!("#{}", p.attempt));
    format!("{side} {symbol} {qty} {attempt} {} {filled}", order.status.as_str())
}

/// A symphony that always wants the same.
pub(crate) fn symphony(meta: &str, weights: &str) -> String {
    let pairs: Vec<(&str, &str)> =
        weights.split(", ").map(|pair| pair.split_once(' ').unwrap_or((pair, ""))).collect();
    let wish = if let [(symbol, "")] = pairs[..] {
        format!("(asset \"{symbol}\")")
    } else {
        let parts = pairs.iter().map(|(symbol, w)| format!("{w} (asset \"{symbol}\")"));
        format!("(weight-specified {})", parts.collect::<Vec<_>>().join(" "))
    };
    format!("(defsymphony \"Test\" {meta} {wish})")
}

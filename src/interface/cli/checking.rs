//! Checking what the protocol assumes of the broker, on a paper account.
//!
//! Above all that a client order id is taken once and never again, not even after its order was
//! cancelled. One share of SPY is ordered far below the market and cancelled; it is not filled.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::ToSpan;
use serde_json::json;

use crate::application::ports::{Broker, BrokerError, MarketData, Refusal};
use crate::domain::market::QuoteRules;
use crate::domain::money::Price;
use crate::domain::order::{Order, OrderRequest};
use crate::domain::policy::Policy;
use crate::domain::risk::probe::probe;
use crate::domain::run::Mode;
use crate::domain::session::exchange_date;
use crate::domain::symbol::Symbol;
use crate::infrastructure::alpaca::Alpaca;
use crate::interface::cli::offline::Stage;
use crate::interface::cli::{Place, Trouble, WorldChoice, online, say};
use crate::interface::wiring::Outside;

/// How often an order is looked at until it has ended.
const LOOKS_MAX: u32 = 20;
const LOOK_WAIT: Duration = Duration::from_secs(1);
/// Days of calendar looked at.
const CALENDAR_DAYS: i64 = 10;

/// Which account, or the built-in exchange.
#[derive(Debug, Clone, Args)]
pub(super) struct CheckBroker {
    #[command(flatten)]
    pub(super) place: Place,
    /// JSON file with the broker's `key_id` and `secret_key`.
    #[arg(long, value_name = "FILE", default_value = "secret.json", conflicts_with = "offline")]
    secret: PathBuf,
    /// Check the built-in exchange: no keys, no network.
    #[arg(long)]
    offline: bool,
    #[command(flatten, next_help_heading = "The built-in exchange")]
    world: WorldChoice,
}

/// One thing looked at.
struct Check {
    name: &'static str,
    is_right: bool,
    saw: String,
}

/// Looks at everything and says what it saw; the answer is the exit code.
pub(super) async fn check_broker(what: &CheckBroker, as_json: bool) -> Result<u8, Trouble> {
    if what.place.mode == Mode::Live {
        let refused = "check-broker places an order, which is for mode paper only";
        return Err(Trouble::setting(refused, "check the paper account; both are one program"));
    }
    let stage;
    let outside = if what.offline {
        stage = Stage::bare(&what.world, what.place.mode).await?;
        stage.outside.clone()
    } else {
        online::outside(&what.place, &what.secret, None).await?
    };
    let broker = outside.broker(what.place.mode, None);
    let mut checks = Vec::new();
    let bid = look(&broker, &outside, &mut checks).await;
    match bid {
        Some(bid) => order(&broker, &outside, bid, &mut checks).await,
        None => checks.push(Check::wrong("order placed", "no quote of SPY to order far below")),
    }
    let wrong = checks.iter().filter(|check| !check.is_right).count();
    if as_json {
        let list = checks
            .iter()
            .map(|check| json!({ "check": check.name, "right": check.is_right, "saw": check.saw }));
        say(&json!({ "right": wrong == 0, "checks": list.collect::<Vec<_>>() }).to_string());
    } else {
        for Check { name, is_right, saw } in &checks {
            say(&format!("{}  {name:<22} {saw}", if *is_right { "ok   " } else { "WRONG" }));
        }
        say(&match wrong {
            0 => format!("{} checks, all right", checks.len()),
            _ => format!(
                "{wrong} of {} checks wrong; if ids are not unique, trade only with \
                          submit_mode = \"at-most-once\"",
                checks.len()
            ),
        });
    }
    Ok(u8::from(wrong > 0))
}

impl Check {
    fn wrong(name: &'static str, saw: impl std::fmt::Display) -> Self {
        Self { name, is_right: false, saw: saw.to_string() }
    }

    fn of(name: &'static str, is_right: bool, saw: impl std::fmt::Display) -> Self {
        Self { name, is_right, saw: saw.to_string() }
    }

    fn read<T>(
        name: &'static str,
        answer: Result<T, BrokerError>,
        judge: impl FnOnce(&T) -> (bool, String),
    ) -> (Self, Option<T>) {
        match answer {
            Ok(answer) => {
                let (is_right, saw) = judge(&answer);
                (Self { name, is_right, saw }, Some(answer))
            }
            Err(error) => (Self::wrong(name, error), None),
        }
    }
}

/// What a run reads; the answer is the bid of SPY, or its last trade.
async fn look(broker: &Alpaca, outside: &Outside, checks: &mut Vec<Check>) -> Option<Price> {
    let spy = spy()?;
    let (check, _) = Check::read("account", broker.account().await, |account| {
        let blocks: Vec<String> = account.blocks.iter().map(|b| format!("{b:?}")).collect();
        let may = if blocks.is_empty() { "may trade".to_owned() } else { blocks.join(", ") };
        let (ending, mark) = (&account.ending, &account.fingerprint);
        let saw = format!("..{ending}, fingerprint {mark}, equity {}, {may}", account.equity);
        (account.blocks.is_empty(), saw)
    });
    checks.push(check);
    let (check, clock) = Check::read("clock", broker.clock().await, |clock| {
        let skew = clock.now.duration_since(outside.clock.now()).as_millis();
        let open = if clock.is_open { "open" } else { "closed" };
        (skew.abs() <= 30_000, format!("{}, {open}, {skew} ms from ours", clock.now))
    });
    checks.push(check);
    let today = exchange_date(clock.map_or_else(|| outside.clock.now(), |clock| clock.now));
    let last = today.saturating_add(CALENDAR_DAYS.days());
    let (check, _) = Check::read("calendar", broker.calendar(today, last).await, |calendar| {
        let next = calendar.on(today).or_else(|| calendar.after(today));
        let saw = next
            .map(|session| format!("{} from {} to {}", session.date, session.open, session.close));
        (next.is_some(), saw.unwrap_or_else(|| "no session".to_owned()))
    });
    checks.push(check);
    let symbols = std::slice::from_ref(&spy);
    let (check, _) = Check::read("asset SPY", broker.assets(symbols).await, |assets| {
        let asset = assets.get(&spy);
        let word = |is: bool, word: &str| format!("{}{word}", if is { "" } else { "not " });
        let saw = asset.map_or_else(
            || "unknown".to_owned(),
            |a| {
                format!(
                    "{}, {}",
                    word(a.tradable, "tradable"),
                    word(a.fractionable, "fractionable")
                )
            },
        );
        (asset.is_some_and(|asset| asset.tradable), saw)
    });
    checks.push(check);
    let rules: QuoteRules = Policy::compiled_in().quote_rules();
    let quotes = broker.quotes(symbols, &rules).await;
    let mut price = None;
    let (check, _) = Check::read("quote SPY", quotes, |quotes| {
        let reading = quotes.get(&spy).copied().unwrap_or_default();
        match reading.judge(outside.clock.now(), &rules) {
            Ok(quote) => {
                price = Some(quote.bid());
                (true, format!("{} to {}", quote.bid(), quote.ask()))
            }
            Err(why) => (false, why.to_string()),
        }
    });
    checks.push(check);
    price
}

/// The life of one order, and of its id.
async fn order(broker: &Alpaca, outside: &Outside, bid: Price, checks: &mut Vec<Check>) {
    let Some(request) = probe(bid, outside.clock.now()) else {
        return checks.push(Check::wrong("order placed", format!("no price far below {bid}")));
    };
    let placed = broker.submit(&request).await;
    let (check, placed) = Check::read("order placed", placed, |order| {
        (true, format!("{} as {}", shown(order), request.id()))
    });
    checks.push(check);
    let Some(placed) = placed else { return };
    let (check, _) = Check::read("seen by its id", broker.order(request.id()).await, |found| {
        let same = found.as_ref().is_some_and(|order| order.broker_id == placed.broker_id);
        (same, found.as_ref().map_or_else(|| "not found".to_owned(), shown))
    });
    checks.push(check);
    checks.push(again("same id while open", broker, &request).await);
    let (check, _) =
        Check::read("cancel asked for", broker.cancel(&placed.broker_id).await, |()| {
            (true, "taken".to_owned())
        });
    checks.push(check);
    let ended = ended(broker, outside, &request).await;
    let is_over = ended.as_ref().is_some_and(|order| order.status.is_terminal());
    let saw = ended.as_ref().map_or_else(|| "not found".to_owned(), shown);
    checks.push(Check::of("seen cancelled", is_over, saw));
    checks.push(again("same id afterwards", broker, &request).await);
}

/// The same id once more: it has to be refused, and is cancelled if it was not.
async fn again(name: &'static str, broker: &Alpaca, request: &OrderRequest) -> Check {
    match broker.submit(request).await {
        Err(BrokerError::Refused { reason: Refusal::DuplicateId, message }) => {
            Check::of(name, true, format!("refused: {message}"))
        }
        Err(error) => Check::wrong(name, error),
        Ok(order) => {
            let cancelled = broker.cancel(&order.broker_id).await;
            let then =
                if cancelled.is_ok() { "its cancel was asked for" } else { "CANCEL IT BY HAND" };
            Check::wrong(name, format!("taken a second time: ids are not unique; {then}"))
        }
    }
}

async fn ended(broker: &Alpaca, outside: &Outside, request: &OrderRequest) -> Option<Order> {
    let mut order = None;
    for _ in 0..LOOKS_MAX {
        order = broker.order(request.id()).await.ok().flatten();
        if order.as_ref().is_some_and(|order: &Order| order.status.is_terminal()) {
            break;
        }
        outside.clock.sleep(LOOK_WAIT).await;
    }
    order
}

fn shown(order: &Order) -> String {
    let limit = order.limit.map(|limit| format!(" at {limit}")).unwrap_or_default();
    format!("{} {}{limit}, {:?}", order.side, order.symbol, order.status).to_lowercase()
}

fn spy() -> Option<Symbol> {
    Symbol::parse("SPY").ok()
}

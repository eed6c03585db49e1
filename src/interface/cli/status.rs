//! How an account stands: by its records, and by the broker when it is asked.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::application::control::{Permission, permission};
use crate::application::journal::history::History;
use crate::application::ports::{Broker, BrokerError, Clock};
use crate::application::run::Ended;
use crate::domain::account::{Account, Position};
use crate::domain::incident::Category;
use crate::domain::money::Usd;
use crate::domain::order::Order;
use crate::domain::report::RunReport;
use crate::domain::run::{RunAction, Slot};
use crate::infrastructure::clock::MachineClock;
use crate::interface::cli::cancelling::line as order_line;
use crate::interface::cli::online::{once, outside};
use crate::interface::cli::records::{arming_line, history, may_trade, open, run_key, why_not};
use crate::interface::cli::{Place, Trouble, follow, say};
use crate::interface::settings::StorePlace;
use crate::presentation::terminal;

/// What is asked about an account.
#[derive(Debug, Clone, Args)]
pub(super) struct Asked {
    #[command(flatten)]
    pub(super) place: Place,
    /// Ask the broker too: cash, equity, positions, open orders.
    #[arg(long)]
    broker: bool,
    /// Say what a run would do now; asks the broker, sends no order.
    #[arg(long, conflicts_with = "watch")]
    preview: bool,
    /// Follow the newest run, record by record, until it has ended; Ctrl-C stops looking.
    #[arg(long)]
    watch: bool,
    /// JSON file with the broker's `key_id` and `secret_key`.
    #[arg(long, value_name = "FILE", default_value = "secret.json")]
    secret: PathBuf,
    /// Origin of an exchange on this machine instead of the broker, for mode paper.
    #[arg(long, value_name = "URL")]
    broker_url: Option<String>,
}

/// The account at the broker.
struct AtBroker {
    account: Account,
    positions: Vec<Position>,
    orders: Vec<Order>,
}

/// Permission, last run with what went wrong in it, sleeves, runs left open; the broker's side and
/// what a run would do, if asked.
pub(super) async fn status(asked: &Asked, as_json: bool) -> Result<u8, Trouble> {
    let place = &asked.place;
    if let StorePlace::Folder(root) = &place.store
        && !root.is_dir()
    {
        let root = root.display();
        let next = "name the store with --store, or prepare one with `alchemiser init`";
        return Err(Trouble::setting(format!("no store at {root}"), next));
    }
    let opened = open(place).await?;
    let store = opened.as_ref();
    if asked.watch {
        return follow::follow(store, place, as_json).await;
    }
    let permitted = permission(store, &run_key(place)?, MachineClock.now()).await;
    let history = history(store, place).await?;
    let broker = if asked.broker { Some(at_broker(asked).await?) } else { None };
    let preview = if asked.preview { Some(preview(asked).await?) } else { None };
    if as_json {
        let mut value = as_value(place, &permitted, &history);
        value["broker"] = broker.as_ref().map_or(Value::Null, broker_value);
        value["preview"] = serde_json::to_value(&preview).unwrap_or_default();
        say(&value.to_string());
        return Ok(0);
    }
    say(&may_trade(place, &permitted));
    if let Some(line) = arming_line(store, place).await {
        say(&line);
    }
    tell(&history);
    if let Some(broker) = broker {
        tell_broker(&broker);
    }
    if let Some(report) = preview {
        say("");
        say(terminal(&report).trim_end());
    }
    Ok(0)
}

fn tell(history: &History) {
    match history.newest.as_ref().map(|kept| &kept.body) {
        None => say("no finished run yet"),
        Some(report) => {
            say(&format!("last run {}: {}, {}", report.key, report.verdict.word(), report.summary));
            for incident in report.incidents.iter().filter(|i| i.category < Category::Warning) {
                say(&format!("  {} {}: {}", incident.category, incident.code, incident.what));
                say(&format!("    {}", incident.action));
            }
            if let Some(next) = report.next_session {
                say(&format!("next session {}", next.strftime("%a %-d %b %Y")));
            }
        }
    }
    if let Some(kept) = &history.last {
        holdings(&kept.body);
    }
    for left in &history.unfinished {
        say(&format!("left open: {left}; the next run ends it first"));
    }
}

/// Equity and sleeves as the last run with a ledger left them, at its prices.
fn holdings(report: &RunReport) {
    if let Some(point) = report.equity_curve.last() {
        say(&format!("equity {} after session {}", point.equity.round_cents(), point.session));
    }
    for (name, sleeve) in report.ledger.iter().flat_map(|ledger| &ledger.sleeves) {
        let held: Vec<String> =
            sleeve.shares.iter().map(|(symbol, shares)| format!("{shares} {symbol}")).collect();
        let held = if held.is_empty() { "nothing".to_owned() } else { held.join(", ") };
        let worth = sleeve
            .shares
            .iter()
            .map(|(symbol, shares)| report.prices.get(symbol).map(|price| *shares * *price));
        let worth: Option<Usd> = worth.sum();
        let worth = worth.map(|worth| format!(", {}", worth.round_cents())).unwrap_or_default();
        say(&format!("  sleeve {name}: {held}{worth}"));
    }
}

async fn at_broker(asked: &Asked) -> Result<AtBroker, Trouble> {
    let outside = outside(&asked.place, &asked.secret, asked.broker_url.clone()).await?;
    let broker = outside.broker(asked.place.mode, None);
    let (account, positions, orders) =
        tokio::join!(broker.account(), broker.positions(), broker.open_orders());
    let wrong = |error: BrokerError| {
        Trouble::setting(error, "check the keys in the secret and the broker's status page")
    };
    let mut positions = positions.map_err(wrong)?;
    positions.sort_by(|a, b| a.symbol.cmp(&b.symbol));
    Ok(AtBroker { account: account.map_err(wrong)?, positions, orders: orders.map_err(wrong)? })
}

fn tell_broker(AtBroker { account, positions, orders }: &AtBroker) {
    let (cash, equity) = (account.cash.round_cents(), account.equity.round_cents());
    say(&format!("at the broker: cash {cash}, equity {equity}, account ending {}", account.ending));
    if !account.blocks.is_empty() {
        say(&format!("  the account is blocked: {:?}", account.blocks));
    }
    for held in positions {
        let worth = held.price.map(|price| (held.shares * price).round_cents().to_string());
        let worth = worth.unwrap_or_else(|| "no price".to_owned());
        say(&format!("  position {}: {} shares, {worth}", held.symbol, held.shares));
    }
    if positions.is_empty() {
        say("  no position");
    }
    for order in orders {
        let whose = if order.is_ours() { "ours" } else { "of others" };
        say(&format!("  open order {whose}: {}", order_line(order)));
    }
    if orders.is_empty() {
        say("  no open order");
    }
}

/// What a run would do now, by the broker's present answers.
async fn preview(asked: &Asked) -> Result<RunReport, Trouble> {
    let outside = outside(&asked.place, &asked.secret, asked.broker_url.clone()).await?;
    let slot = Slot::parse("open").map_err(|error| Trouble::setting(error, "report this"))?;
    match once(outside, &asked.place, (&slot, RunAction::Preview), None).await? {
        Ended::Reported { report, .. } | Ended::Repeated { report, .. } => Ok(*report),
        Ended::InProgress(key) | Ended::NothingOpen(key) => {
            Err(Trouble::setting(format!("{key} is being worked on"), "follow it with --watch"))
        }
    }
}

/// The records' side for programs.
pub(super) fn as_value(place: &Place, permitted: &Permission, history: &History) -> Value {
    let newest = history.newest.as_ref().map(|kept| &kept.body);
    let last = history.last.as_ref().map(|kept| &kept.body);
    json!({
        "account": place.account,
        "mode": place.mode,
        "may_trade": *permitted == Permission::Given,
        "why_not": why_not(permitted),
        "last_run": newest.map(|report| report.key.to_string()),
        "verdict": newest.map(|report| report.verdict),
        "summary": newest.map(|report| report.summary.clone()),
        "incidents": newest.map(|report| report.incidents.clone()),
        "next_session": newest.and_then(|report| report.next_session),
        "equity": last.and_then(|report| report.equity_curve.last()).map(|point| point.equity),
        "sleeves": last.and_then(|report| report.ledger.as_ref()).map(|ledger| &ledger.sleeves),
        "left_open": history.unfinished.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn broker_value(AtBroker { account, positions, orders }: &AtBroker) -> Value {
    let orders: Vec<Value> = orders
        .iter()
        .map(|order| {
            json!({
                "ours": order.is_ours(),
                "id": order.client_id,
                "symbol": order.symbol,
                "side": order.side,
                "shares": order.shares,
                "limit": order.limit,
                "filled": order.filled,
            })
        })
        .collect();
    json!({
        "cash": account.cash,
        "equity": account.equity,
        "blocks": account.blocks,
        "positions": positions,
        "open_orders": orders,
    })
}

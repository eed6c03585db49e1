//! Where the account stands after the run: money, sleeves, limits, data, and the run itself.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::domain::money::{Price, Shares, Usd};
use crate::domain::notices::HISTORY_REVISED;
use crate::domain::report::{DataReport, LimitUse, RunReport};
use crate::domain::revision::{Gap, Hindsight, Revision};
use crate::domain::run::{RunAction, StrategyName};
use crate::domain::sleeve::ledger::{Ledger, Sleeve};
use crate::domain::symbol::Symbol;
use crate::presentation::answers::status_command;
use crate::presentation::earned;
use crate::presentation::figures::{
    count, day, moment, money, percent, percent_change, price, shares,
};
use crate::presentation::line::clip;
use crate::presentation::orders::change_with_rate;
use crate::presentation::receipt::receipt;
use crate::presentation::sheet::{Block, Fact, Room, Row, Section, Tone};
use crate::presentation::words;

/// Limits shown in a letter: those broken and those most used; the report has all.
const LIMITS_MAX: usize = 6;
/// Symbols named in one line.
const NAMED_MAX: usize = 8;
/// A rewritten close that differs by no more is left to the page, in hundredths of a percent.
const REVISION_LEAST_BPS: i64 = 50;
/// Signs of a hash shown in a letter.
const HASH_MAX: usize = 12;

/// Equity and cash, before and after.
pub(crate) fn money_section(report: &RunReport) -> Option<Section> {
    let Some(account) = &report.account else {
        let told = "The account could not be read, so no figures are known.";
        return Section::of("Money", vec![Block::Prose(told.into())]);
    };
    let mut facts = vec![
        Fact::new("Equity before the run", money(account.equity_before)),
        Fact::new("Equity now", money(account.equity_after)),
    ];
    if let Some(before) = account.equity_previous_close {
        let change = account.equity_after - before;
        let text = change_with_rate(change, change.ratio_to(before));
        facts.push(Fact::new("Since the last close", text));
    }
    let during = account.equity_after - account.equity_before;
    facts.push(Fact::new(
        "During the run",
        change_with_rate(during, during.ratio_to(account.equity_before)),
    ));
    facts.push(Fact::new("Cash before", money(account.cash_before)));
    facts.push(Fact::new("Cash now", money(account.cash_after)));
    if let Some(plan) = &report.plan {
        facts.push(Fact::new("Kept as reserve", money(plan.capital.reserve)));
        if plan.capital.foreign.is_positive() {
            facts.push(Fact::new("Not managed here", money(plan.capital.foreign)));
        }
    }
    Section::of("Money", vec![Block::Facts(facts)])
}

/// The sleeves after the run, at the report's prices.
pub(crate) fn sleeves(report: &RunReport, room: Room) -> Option<Section> {
    let ledger = report.ledger.as_ref()?;
    let equity = report.account.as_ref().map(|account| account.equity_after);
    let part = |value: Usd| equity.and_then(|whole| value.ratio_to(whole));
    let mut rows: Vec<Row> = in_policy_order(report, ledger)
        .into_iter()
        .map(|(strategy, sleeve)| {
            let row = holdings_row(strategy.as_str(), &sleeve.shares, report, room);
            let row = row.under(allocation_line(report, strategy));
            row.under(earned::sleeve(report, &Some(strategy.clone())).unwrap_or_default())
        })
        .collect();
    if let Some(account) = &report.account {
        let cash = account.cash_after;
        let row = Row::new("cash", money(cash)).bar(part(cash));
        rows.push(row.under(part(cash).map_or_else(String::new, of_equity)));
    }
    if !ledger.foreign.is_empty() {
        rows.push(
            holdings_row("not managed", &ledger.foreign, report, room)
                .under("Shares of no strategy: never sold, never counted."),
        );
    }
    Section::of("Sleeves after the run", vec![Block::rows(rows, room)])
}

/// The ledger's sleeves in the order of the policy, those given up last.
fn in_policy_order<'a>(
    report: &RunReport,
    ledger: &'a Ledger,
) -> Vec<(&'a StrategyName, &'a Sleeve)> {
    let place = |name: &StrategyName| {
        let place = report.signals.iter().position(|outcome| outcome.strategy == *name);
        place.unwrap_or(usize::MAX)
    };
    let mut sleeves: Vec<_> = ledger.sleeves.iter().collect();
    sleeves.sort_by_key(|(name, _)| place(name));
    sleeves
}

fn allocation_line(report: &RunReport, strategy: &StrategyName) -> String {
    let planned = report
        .plan
        .as_ref()
        .and_then(|plan| plan.sleeves.iter().find(|planned| planned.strategy == *strategy));
    planned.map_or_else(String::new, |planned| {
        let allocation = percent(planned.allocation.decimal());
        format!("Allocation {allocation}; {}.", words::sleeve_state(&planned.state))
    })
}

fn of_equity(part: Decimal) -> String {
    format!("{} of equity", percent(part))
}

fn holdings_row(
    name: &str,
    held: &BTreeMap<Symbol, Shares>,
    report: &RunReport,
    room: Room,
) -> Row {
    let (value, unpriced) = value_of(held, &report.prices);
    let equity = report.account.as_ref().map(|account| account.equity_after);
    let part = equity.and_then(|whole| value.ratio_to(whole));
    let right = if held.is_empty() {
        "empty".to_owned()
    } else if unpriced.is_empty() {
        money(value)
    } else {
        format!("{} or more", money(value))
    };
    let lines: Vec<String> = held
        .iter()
        .map(|(symbol, quantity)| match report.prices.get(symbol) {
            Some(price) => {
                format!("{symbol} {} ({})", shares(*quantity), money(*quantity * *price))
            }
            None => format!("{symbol} {} (no price)", shares(*quantity)),
        })
        .collect();
    let most = if room.is_page() { room.rows } else { NAMED_MAX };
    let listed = words::listed(&lines, most);
    let holdings = match part.filter(|_| !held.is_empty()) {
        Some(part) => format!("{}: {listed}", of_equity(part)),
        None => listed,
    };
    Row::new(name, right)
        .bar(part)
        .tone(if unpriced.is_empty() { Tone::Quiet } else { Tone::Look })
        .under(holdings)
}

fn value_of(
    held: &BTreeMap<Symbol, Shares>,
    prices: &BTreeMap<Symbol, Price>,
) -> (Usd, Vec<Symbol>) {
    let mut value = Usd::ZERO;
    let mut unpriced = Vec::new();
    for (symbol, quantity) in held {
        match prices.get(symbol) {
            Some(price) => value += *quantity * *price,
            None => unpriced.push(symbol.clone()),
        }
    }
    (value, unpriced)
}

/// The limits and how much of each was used; a letter shows the ones that matter.
pub(crate) fn limits(report: &RunReport, room: Room) -> Option<Section> {
    let mut limits: Vec<&LimitUse> = report.limits.iter().collect();
    if !room.is_page() {
        limits.sort_by_key(|limit| (limit.within, std::cmp::Reverse(used_part(limit))));
    }
    let most = if room.is_page() { room.rows } else { LIMITS_MAX.min(room.rows) };
    let rows: Vec<Row> = limits.iter().take(most).map(|limit| limit_row(limit, room)).collect();
    let broken = limits.iter().filter(|limit| !limit.within).count();
    let told = if limits.is_empty() {
        String::new()
    } else if broken > 0 {
        format!("{broken} of {} limits stopped the plan.", limits.len())
    } else if limits.len() > most {
        format!("All {} limits were kept; the most used:", limits.len())
    } else {
        format!("All {} limits were kept.", limits.len())
    };
    Section::of("Limits", vec![Block::Prose(told.into()), Block::Rows(rows)])
}

fn limit_row(limit: &LimitUse, room: Room) -> Row {
    let what = if limit.what.is_empty() { &limit.limit } else { &limit.what };
    let used = format!("{} of {}", clip(&limit.used, 40), clip(&limit.allowed, 40));
    let row = Row::new(words::capital(&clip(what, room.signs)), used);
    let row = if room.is_page() { row.under(clip(&limit.limit, room.signs)) } else { row };
    if limit.within {
        row.bar(used_part(limit))
    } else {
        row.tone(Tone::Bad).under("Exceeded: the plan was stopped.")
    }
}

/// How much of a limit was used, where both figures are numbers of one kind.
fn used_part(limit: &LimitUse) -> Option<Decimal> {
    let number = |text: &str| {
        let text = text.trim().trim_start_matches('$').trim_end_matches('%').replace(',', "");
        text.parse::<Decimal>().ok()
    };
    number(&limit.used)?.checked_div(number(&limit.allowed)?)
}

/// Where the prices came from and how fresh they were.
pub(crate) fn data(report: &RunReport, room: Room) -> Option<Section> {
    let data = report.data.as_ref()?;
    let fresh = data.symbols.saturating_sub(data.stale.len());
    let mut facts = vec![
        Fact::new("Decided on closes of", day(data.as_of)),
        Fact::new("Symbols with that close", format!("{fresh} of {}", data.symbols)),
        Fact::new(
            "Feeds",
            format!(
                "bars {}, {}; quotes {}",
                clip(&data.bars_feed, 20),
                clip(&data.adjustment, 20),
                clip(&data.quotes_feed, 20)
            ),
        ),
    ];
    if room.is_page() || data.clock_skew_ms.abs() >= 1000 {
        let skew = data.clock_skew_ms.to_string().replace('-', "−");
        facts.push(Fact::new("Broker's clock less ours", format!("{skew} ms")));
    }
    facts.extend(hindsight(report, data, room));
    let stale = data.stale.iter().map(|(symbol, last)| {
        let last =
            last.map_or_else(|| "no close at all".to_owned(), |d| format!("last {}", day(d)));
        Row::new(symbol.as_str(), last).tone(Tone::Look)
    });
    let rewritten = revisions(data, room).map(revision_row);
    let rows = Block::rows(stale.chain(rewritten).collect(), room);
    Section::of("Data", vec![Block::Facts(facts), rows])
}

/// What became of the closes that the run before decided on. A letter is silent where nothing
/// worth a look was found.
fn hindsight(report: &RunReport, data: &DataReport, room: Room) -> Option<Fact> {
    let text = match &data.hindsight {
        Hindsight::Unasked => return None,
        Hindsight::Missing(Gap::FirstRun) if !room.is_page() => return None,
        Hindsight::Missing(gap) => format!("not compared: {}", words::gap(*gap)),
        Hindsight::Compared { through, symbols, .. } => {
            let rewritten = revisions(data, room).count();
            if rewritten == 0 && !room.is_page() {
                return None;
            }
            let turned = report.incidents.iter().any(|incident| incident.code == HISTORY_REVISED);
            let turned = if turned { "a signal would have turned" } else { "no signal turns" };
            let verdict = match rewritten {
                0 => "told as they were".to_owned(),
                rewritten => format!("{rewritten} told otherwise now, {turned}"),
            };
            format!("{}, through {}: {verdict}", count(*symbols, "symbol"), day(*through))
        }
    };
    Some(Fact::new("Closes of the run before", text))
}

/// What was rewritten, as far as there is room for it: a letter has what is worth a look.
fn revisions(data: &DataReport, room: Room) -> impl Iterator<Item = &Revision> {
    let all: &[Revision] = match &data.hindsight {
        Hindsight::Compared { revisions, .. } => revisions,
        Hindsight::Unasked | Hindsight::Missing(_) => &[],
    };
    let least = Decimal::new(REVISION_LEAST_BPS, 4);
    let is_large = move |revision: &&Revision| {
        room.is_page() || revision.change().is_none_or(|change| change.abs() > least)
    };
    all.iter().filter(is_large)
}

fn revision_row(revision: &Revision) -> Row {
    let told = |close: Option<Price>| close.map_or_else(|| "no close".to_owned(), price);
    let change = revision.change().map_or_else(|| "rewritten".to_owned(), percent_change);
    let (was, is) = (told(revision.was), told(revision.is));
    let scale = if revision.rescaled { " at the same scale" } else { "" };
    let row = Row::new(revision.symbol.as_str(), change).tone(Tone::Look);
    let row = row.under(format!("{was} then, {is} now{scale} on {}", day(revision.most)));
    let days = count(revision.days, "day");
    let (first, last) = (day(revision.first), day(revision.last));
    if revision.days > 1 { row.under(format!("{days} from {first} to {last}")) } else { row }
}

/// Which run this was, how long it took, and how to look at it again.
pub(crate) fn run_section(report: &RunReport, room: Room) -> Option<Section> {
    let hash = |text: &str| {
        if room.is_page() { text.to_owned() } else { text.chars().take(HASH_MAX).collect() }
    };
    let mut facts = vec![
        Fact::new("Run", report.key.to_string()),
        Fact::new("Started", moment(report.started_at)),
    ];
    facts.extend(lately(report));
    if let Some(force) = &report.force {
        facts.push(Fact::new("Forced because", clip(&force.reason, room.signs)));
        facts.push(Fact::new("Permitted until", moment(force.not_after)));
    }
    if let Some(account) = &report.account {
        facts.push(Fact::new("Account ending", clip(&account.ending, 12)));
    }
    facts.push(Fact::new("Code", clip(&report.code, if room.is_page() { 80 } else { 24 })));
    facts.push(Fact::new("Policy", hash(&report.policy_hash)));
    if let Some(plan) = &report.plan {
        facts.push(Fact::new("Plan", hash(&plan.hash())));
    }
    if report.action == RunAction::Preview {
        facts.push(Fact::new("Look again", status_command(&report.key)));
    } else {
        facts.push(Fact::new("Record", format!("runs/{}/final.json", report.key)));
        facts.push(Fact::new("Look again", format!("alchemiser report {}", report.key)));
    }
    facts.extend(receipt(report));
    Section::of("This run", vec![Block::Facts(facts)])
}

/// How the last thirty days went.
fn lately(report: &RunReport) -> Option<Fact> {
    let total = report.rates.total();
    let good = format!("{} of {} good", total.good, count_of(total.runs, "run"));
    let filled = total.filled_share().map(|share| {
        let orders = count_of(total.planned, "order");
        format!(", {} of {orders} filled ({})", total.filled, percent(share))
    });
    let refused = (total.refused > 0)
        .then(|| format!(", {} of {} refused", total.refused, count_of(total.attempts, "attempt")));
    let text = [Some(good), filled, refused].into_iter().flatten().collect::<String>();
    (total.runs > 0).then(|| Fact::new("The last 30 days", text))
}

fn count_of(number: u32, one: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), one)
}

/// `12.5 TQQQ at $71.25`.
pub(crate) fn position(symbol: &Symbol, quantity: Shares, at: Option<Price>) -> Row {
    let value = at.map_or_else(|| "no price".to_owned(), |at| money(quantity * at));
    let each = at.map(|at| format!(" at {}", price(at))).unwrap_or_default();
    Row::new(symbol.as_str(), value).under(format!("{quantity} shares{each}"))
}

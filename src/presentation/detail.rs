//! What only the whole report shows: the numbers behind the plan, before and after, in full.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::domain::plan::{Action, RebalancePlan};
use crate::domain::report::RunReport;
use crate::domain::run::StrategyName;
use crate::domain::sleeve::ledger::Ledger;
use crate::domain::symbol::Symbol;
use crate::presentation::costs::execution;
use crate::presentation::earned;
use crate::presentation::figures::{basis_points, moment, money, percent, price};
use crate::presentation::line::{Line, clip};
use crate::presentation::orders::{attempts, parts, shares_change};
use crate::presentation::sheet::{Align, Block, Fact, Room, Section, Table};
use crate::presentation::standing::position;
use crate::presentation::words;

/// The sections of the report that a letter does not have.
pub(crate) fn details(report: &RunReport, room: Room) -> Vec<Section> {
    [
        execution(report, room),
        attempts(report, room),
        sleeves_before_and_after(report, room),
        earned::section(report, room),
        plan_items(report, room),
        buy_plan(report, room),
        capital(report),
        positions(report, room),
        replay(report),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn capital(report: &RunReport) -> Option<Section> {
    let plan = report.plan.as_ref()?;
    let capital = &plan.capital;
    let facts = vec![
        Fact::new("Cash at the broker", money(capital.cash)),
        Fact::new("Open buys of others", money(capital.foreign_open_buys)),
        Fact::new("Value of all sleeves", money(capital.sleeves)),
        Fact::new("Managed equity (E)", money(capital.equity)),
        Fact::new("Reserve (R)", money(capital.reserve)),
        Fact::new("Deployable (D = E less R)", money(capital.deployable)),
        Fact::new("In held sleeves (H)", money(capital.held)),
        Fact::new("Scale of due sleeves (k)", capital.scale.normalize().to_string()),
        Fact::new("Smallest resize (m)", money(capital.resize_min)),
        Fact::new("Not managed", money(capital.foreign)),
        Fact::new("Equity by the broker", money(capital.broker_equity)),
        Fact::new("Plan drafted", moment(plan.drafted_at)),
        Fact::new("Plan valid until", moment(plan.valid_until)),
    ];
    Section::of("Money behind the plan", vec![Block::Facts(facts)])
}

fn sleeves_before_and_after(report: &RunReport, room: Room) -> Option<Section> {
    let before = before(report.plan.as_ref()?);
    let after = owned(report.ledger.as_ref()?);
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let rows = keys.into_iter().map(|(owner, symbol)| {
        let key = (owner.clone(), symbol.clone());
        let had = before.get(&key).copied().unwrap_or_default();
        let has = after.get(&key).copied().unwrap_or_default();
        vec![
            Line::from(owner.as_str()),
            symbol.as_str().into(),
            had.normalize().to_string().into(),
            has.normalize().to_string().into(),
            shares_change(had, has).into(),
        ]
    });
    let columns = vec![
        ("Sleeve", Align::Left),
        ("Symbol", Align::Left),
        ("Before", Align::Right),
        ("After", Align::Right),
        ("Change", Align::Right),
    ];
    let rows = rows.take(room.rows).collect();
    Section::of("Sleeves before and after", vec![Block::Table(Table { columns, rows })])
}

type Owned = BTreeMap<(String, Symbol), Decimal>;

fn owned(ledger: &Ledger) -> Owned {
    let sleeves = ledger.sleeves.iter().flat_map(|(strategy, sleeve)| {
        sleeve.shares.iter().map(|(symbol, quantity)| (strategy.to_string(), symbol, quantity))
    });
    let foreign = ledger
        .foreign
        .iter()
        .map(|(symbol, quantity)| ("not managed".to_owned(), symbol, quantity));
    sleeves
        .chain(foreign)
        .map(|(owner, symbol, quantity)| ((owner, symbol.clone()), quantity.decimal()))
        .collect()
}

/// The plan's ledger has the crossings booked already; here they are taken back.
fn before(plan: &RebalancePlan) -> Owned {
    let mut owned = owned(&plan.ledger);
    let mut pass = |owner: &StrategyName, symbol: &Symbol, quantity: Decimal| {
        *owned.entry((owner.to_string(), symbol.clone())).or_default() += quantity;
    };
    for crossing in &plan.crossings {
        pass(&crossing.from, &crossing.symbol, crossing.shares.decimal());
        pass(&crossing.to, &crossing.symbol, -crossing.shares.decimal());
    }
    owned.retain(|_, quantity| !quantity.is_zero());
    owned
}

fn plan_items(report: &RunReport, room: Room) -> Option<Section> {
    let plan = report.plan.as_ref()?;
    let rows = plan.items.iter().map(|item| {
        let action = match &item.action {
            Action::Sell(quantity) => format!("sell {quantity}"),
            Action::Buy(quantity) => format!("buy {quantity}"),
            Action::Hold(why) => format!("hold: {}", words::hold(why)),
            Action::Skip(why) => format!("skip: {}", words::skip(why)),
        };
        vec![
            Line::from(item.symbol.as_str()),
            action.into(),
            item.held.to_string().into(),
            item.wanted.to_string().into(),
            item.reference.map(price).unwrap_or_default().into(),
            item.half_spread.map(basis_points).unwrap_or_default().into(),
            item.volume_share.map(percent).unwrap_or_default().into(),
            parts(&item.parts).into(),
            clip(&item.reason, room.signs).into(),
        ]
    });
    let columns = vec![
        ("Symbol", Align::Left),
        ("Action", Align::Left),
        ("Held", Align::Right),
        ("Wanted", Align::Right),
        ("Reference", Align::Right),
        ("Half-spread", Align::Right),
        ("Of volume", Align::Right),
        ("For", Align::Left),
        ("Why", Align::Left),
    ];
    let rows = rows.take(room.rows).collect();
    Section::of("The plan", vec![Block::Table(Table { columns, rows })])
}

fn buy_plan(report: &RunReport, room: Room) -> Option<Section> {
    let buys = report.buy_plan.as_ref()?;
    let facts = vec![
        Fact::new("Cash after the sells", money(buys.cash)),
        Fact::new("Of it kept", money(buys.reserve)),
    ];
    let rows = buys.items.iter().map(|item| {
        vec![
            Line::from(item.symbol.as_str()),
            item.shares.to_string().into(),
            price(item.reference).into(),
            price(item.worst_limit).into(),
            money(item.shares * item.reference).into(),
            parts(&item.parts).into(),
        ]
    });
    let columns = vec![
        ("Symbol", Align::Left),
        ("Shares", Align::Right),
        ("Reference", Align::Right),
        ("At most", Align::Right),
        ("Value", Align::Right),
        ("For", Align::Left),
    ];
    let table = Table { columns, rows: rows.take(room.rows).collect() };
    Section::of("The buy plan", vec![Block::Facts(facts), Block::Table(table)])
}

fn positions(report: &RunReport, room: Room) -> Option<Section> {
    let account = report.account.as_ref()?;
    let rows = account.positions.iter().map(|held| {
        let at = held.price.or_else(|| report.prices.get(&held.symbol).copied());
        position(&held.symbol, held.shares, at)
    });
    Section::of("Positions at the broker", vec![Block::rows(rows.collect(), room)])
}

fn replay(report: &RunReport) -> Option<Section> {
    let mut facts = vec![
        Fact::new("Form of the record", format!("version {}", report.version)),
        Fact::new("Asked for", words::action(report.action)),
        Fact::new("Finished", moment(report.finished_at)),
    ];
    if let Some(previous) = &report.previous {
        facts.push(Fact::new("Record before this one", clip(previous, 80)));
    }
    if let Some(account) = &report.account {
        facts.push(Fact::new("Account fingerprint", clip(&account.fingerprint, 80)));
    }
    let told = format!(
        "Everything that led to the plan is stored under runs/{}/ beside this report. Deciding is \
         a pure function: the same inputs with the same code give the same plan, and its hash is \
         the one above.",
        report.key
    );
    Section::of("How to check this run", vec![Block::Facts(facts), Block::Prose(told.into())])
}

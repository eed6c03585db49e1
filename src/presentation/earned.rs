//! What came of it: the profit of each sleeve and of the account since the books were opened.

use crate::domain::books::benchmark::brought;
use crate::domain::books::entry::Holder;
use crate::domain::books::profit::Profit;
use crate::domain::books::returns::{money_weighted, of_sleeve, points, time_weighted};
use crate::domain::books::{Books, SleeveBook};
use crate::domain::money::Usd;
use crate::domain::report::RunReport;
use crate::presentation::figures::{change, day_month, day_month_year, money, percent_change};
use crate::presentation::line::Line;
use crate::presentation::orders::change_with_rate;
use crate::presentation::sheet::{Align, Block, Fact, Room, Section, Table};

/// A difference that is worth a line.
const DIFFERENCE_LEAST: Usd = Usd::dollars(1);

/// What the account earned; nothing on the day on which the books were opened.
pub(crate) fn account(report: &RunReport, room: Room) -> Option<Section> {
    let books = report.books.as_ref().filter(|books| books.began < report.key.session)?;
    let began = day_month_year(books.began);
    let curve: Vec<_> =
        report.equity_curve.iter().filter(|p| p.session >= books.began).copied().collect();
    let points = points(&curve, &report.transfers);
    let rate = time_weighted(&points);
    let is_whole = points.first().is_some_and(|first| first.session == books.began);
    let gain = change_with_rate(books.gain(&report.prices), rate.filter(|_| is_whole));
    let mut facts = vec![Fact::new(format!("Since {began}"), gain)];
    if let (Some(first), Some(rate), false) = (points.first(), rate, is_whole) {
        let name = format!("Return since {}", day_month_year(first.session));
        facts.push(Fact::new(name, percent_change(rate)));
    }
    let mut told = String::from("Returns are time-weighted");
    let market = report.benchmark.as_ref();
    if let Some((market, earned)) = market.and_then(|market| Some((market, market.earned()?))) {
        facts.push(Fact::new(format!("{} meanwhile", market.symbol), percent_change(earned)));
        told.push_str(", ");
        told.push_str(market.symbol.as_str());
        told.push_str(" with its dividends");
    }
    if let Some(fact) = last_trades(report, books) {
        facts.push(fact);
        told.push_str(", trades against leaving all as it was");
    }
    told.push('.');
    if room.is_page() {
        let rate = money_weighted(&points).map(percent_change);
        facts.extend(rate.map(|rate| Fact::new("Return, money-weighted", rate)));
        facts.push(Fact::new("Paid in", change(books.transfers)));
        facts.push(Fact::new("By no sleeve", change(books.unassigned)));
    }
    if books.difference.abs() >= DIFFERENCE_LEAST {
        facts.push(Fact::new("Not explained", change(books.difference)));
    }
    Section::of("Earned", vec![Block::Facts(facts), Block::Prose(told.into())])
}

/// What the orders of the run before have brought up to now, against leaving everything as it was.
fn last_trades(report: &RunReport, books: &Books) -> Option<Fact> {
    let mut earlier = books.trades.iter().filter_map(|trades| Some((trades.session?, &trades.all)));
    let (session, trades) = earlier.find(|(session, _)| *session < report.key.session)?;
    let brought = brought(trades, &report.prices).filter(|_| !trades.is_empty())?;
    Some(Fact::new(format!("Trades of {}", day_month(session)), change(brought)))
}

/// What a sleeve earned, in a sentence; nothing on its first day.
pub(crate) fn sleeve(report: &RunReport, holder: &Holder) -> Option<String> {
    let books = report.books.as_ref().filter(|books| books.began < report.key.session)?;
    let book = books.book_of(holder)?;
    if book.holdings.is_empty() {
        return None;
    }
    let since = day_month_year(books.began);
    let total = book.profit(&report.prices).total();
    let rate = of_sleeve(book).filter(|_| begins_with(book, books));
    let today = match &book.days[..] {
        [.., before, last] => {
            format!(", {} since the run before", change(last.profit - before.profit))
        }
        _ => String::new(),
    };
    Some(format!("Earned {} since {since}{today}.", change_with_rate(total, rate)))
}

/// Whether the days that are remembered are all there were.
fn begins_with(book: &SleeveBook, books: &Books) -> bool {
    book.days.first().is_some_and(|first| first.session == books.began)
}

/// Profits by sleeve and symbol.
pub(crate) fn section(report: &RunReport, room: Room) -> Option<Section> {
    let books = report.books.as_ref()?;
    let sleeves = books.sleeves.iter().map(|(name, book)| (name.as_str(), book));
    let mut rows = Vec::new();
    for (name, book) in sleeves.chain([("not managed", &books.foreign)]) {
        let each = book.holdings.iter().map(|(symbol, holding)| {
            row(name, symbol.as_str(), holding.profit(report.prices.get(symbol)))
        });
        let each: Vec<_> = each.collect();
        if each.len() > 1 {
            rows.push(row(name, "all", book.profit(&report.prices)));
        }
        rows.extend(each);
    }
    rows.truncate(room.rows);
    let columns = vec![
        ("Sleeve", Align::Left),
        ("Symbol", Align::Left),
        ("Worth", Align::Right),
        ("Cost", Align::Right),
        ("Open gain", Align::Right),
        ("Sold at a gain of", Align::Right),
        ("by average cost", Align::Right),
        ("Dividends", Align::Right),
        ("Fees", Align::Right),
        ("Earned", Align::Right),
    ];
    let told = format!(
        "Since {}; the oldest shares are sold first, and beside that the gain by average cost.",
        day_month_year(books.began)
    );
    let table = Block::Table(Table { columns, rows });
    Section::of("Profit by sleeve and symbol", vec![Block::Prose(told.into()), table])
}

fn row(name: &str, symbol: &str, profit: Profit) -> Vec<Line> {
    let Profit { value, cost, realised, realised_average, dividends, fees } = profit;
    let figures = [
        money(value),
        money(cost),
        change(profit.unrealised()),
        change(realised),
        change(realised_average),
        money(dividends),
        money(fees),
        change(profit.total()),
    ];
    let names = [Line::from(name), Line::from(symbol)];
    names.into_iter().chain(figures.map(Line::from)).collect()
}

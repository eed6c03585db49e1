//! Daily bars, quotes and splits.
//!
//! Feeds are pinned by the policy, never left to the subscription's best. Bars are asked for
//! adjusted and in full each time: an adjustment changes the past, so old and new never mix.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};
use tracing::warn;

use crate::application::ports::{BrokerError, MarketData};
use crate::domain::market::{Histories, History, QuoteReading, QuoteRules};
use crate::domain::symbol::Symbol;
use crate::infrastructure::alpaca::bars::{self, BARS_A_PAGE, Columns, Group};
use crate::infrastructure::alpaca::door::Call;
use crate::infrastructure::alpaca::shapes::Answer;
use crate::infrastructure::alpaca::wire::{Fields, Unreadable, object};
use crate::infrastructure::alpaca::{Alpaca, encode, page};
use crate::infrastructure::http::{Host, Method};

/// A full page of bars is over a megabyte.
const BARS_TIMEOUT: Duration = Duration::from_secs(15);
const QUOTES_TIMEOUT: Duration = Duration::from_secs(8);
/// Pages of one group, each of which should fit one; the broker may cut them shorter.
const PAGES_MAX: usize = 12;
/// Groups of bars asked for at the same time: more connections, not more bandwidth.
const GROUPS_TOGETHER: usize = 4;
/// Symbols of one request, so that its address stays within what servers accept.
const SYMBOLS_A_REQUEST: usize = 100;
/// Younger consolidated data costs a subscription; a completed session is older.
const FREE_AFTER: SignedDuration = SignedDuration::from_mins(16);
/// The broker filters corporate actions by a date of its own choice, so we ask for more.
const SPLIT_MARGIN_DAYS: i64 = 10;

#[async_trait]
impl MarketData for Alpaca {
    async fn daily(
        &self,
        closes: &BTreeMap<Symbol, usize>,
        through: Date,
    ) -> Result<Histories, BrokerError> {
        let groups = bars::groups(closes, through);
        let answers: Vec<_> = groups.iter().map(|group| self.bars(group, through)).collect();
        let columns: Vec<BTreeMap<Symbol, Columns>> =
            stream::iter(answers).buffer_unordered(GROUPS_TOGETHER).try_collect().await?;
        let mut histories = BTreeMap::new();
        for (symbol, columns) in columns.into_iter().flatten() {
            let count = closes.get(&symbol).copied().unwrap_or_default();
            match columns.history(through, count) {
                Ok(history) if history == History::default() => {}
                Ok(history) => drop(histories.insert(symbol, history)),
                // The strategies that need it fail and name it; the others go on.
                Err(error) => warn!(%symbol, %error, "bars left out"),
            }
        }
        Ok(Histories::new(histories))
    }

    async fn quotes(
        &self,
        symbols: &[Symbol],
        rules: &QuoteRules,
    ) -> Result<BTreeMap<Symbol, QuoteReading>, BrokerError> {
        let symbols: Vec<Symbol> = BTreeSet::from_iter(symbols).into_iter().cloned().collect();
        let mut readings: BTreeMap<Symbol, QuoteReading> = BTreeMap::new();
        for some in symbols.chunks(SYMBOLS_A_REQUEST) {
            readings.extend(self.latest((Answer::Quotes, "quotes"), some, quotes_into).await?);
        }
        let now = self.door.now();
        let usable = |symbol: &Symbol| {
            readings.get(symbol).is_some_and(|reading| reading.judge(now, rules).is_ok())
        };
        let doubtful: Vec<Symbol> = symbols.into_iter().filter(|s| !usable(s)).collect();
        for some in doubtful.chunks(SYMBOLS_A_REQUEST) {
            match self.latest((Answer::Trades, "trades"), some, trades_into).await {
                Ok(trades) => {
                    for (symbol, trade) in trades {
                        let reading = readings.entry(symbol).or_default();
                        (reading.traded, reading.traded_at) = (trade.traded, trade.traded_at);
                    }
                }
                // Trades only stand in for unusable quotes; without them those are skipped.
                Err(error) => warn!(%error, "no last trades"),
            }
        }
        Ok(readings)
    }

    async fn splits(
        &self,
        symbols: &[Symbol],
        first: Date,
        last: Date,
    ) -> Result<Vec<Symbol>, BrokerError> {
        let symbols: Vec<Symbol> = BTreeSet::from_iter(symbols).into_iter().cloned().collect();
        let margin = Span::new().days(SPLIT_MARGIN_DAYS);
        let (start, end) = (first.saturating_sub(margin), last.saturating_add(margin));
        let mut split = BTreeSet::new();
        for some in symbols.chunks(SYMBOLS_A_REQUEST) {
            let target = format!(
                "/v1/corporate-actions?symbols={}&types=forward_split,reverse_split,unit_split&start={start}&end={end}&limit=1000",
                list(some)
            );
            let mut token = None;
            for _ in 0..PAGES_MAX {
                let call = data(paged(&target, token.as_deref()), QUOTES_TIMEOUT);
                let read = |body: &[u8]| splits_page(body, first, last);
                let (mut found, next) = self.door.read((Answer::Splits, &call), read).await?;
                found.retain(|symbol| some.contains(symbol));
                split.append(&mut found);
                token = next;
                if token.is_none() {
                    break;
                }
            }
            if token.is_some() {
                return Err(BrokerError::Malformed("corporate actions without end".to_owned()));
            }
        }
        Ok(split.into_iter().collect())
    }
}

impl Alpaca {
    /// All bars of a group, page after page.
    async fn bars(
        &self,
        group: &Group,
        through: Date,
    ) -> Result<BTreeMap<Symbol, Columns>, BrokerError> {
        let day_end = through.to_datetime(Time::constant(23, 59, 59, 0));
        let day_end = TimeZone::UTC.to_timestamp(day_end).unwrap_or_else(|_| self.door.now());
        let end = day_end.min(self.door.now() - FREE_AFTER);
        let target = format!(
            "/v2/stocks/bars?symbols={}&timeframe=1Day&start={}T00:00:00Z&end={end:.0}&adjustment=all&feed={}&limit={BARS_A_PAGE}&sort=asc",
            list(&group.symbols),
            group.first,
            encode(&self.feeds.bars),
        );
        let mut all: BTreeMap<Symbol, Columns> = BTreeMap::new();
        let mut token: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let call = data(paged(&target, token.as_deref()), BARS_TIMEOUT);
            let read = |body: &[u8]| page::read(body, &group.symbols);
            let page = self.door.read((Answer::Bars, &call), read).await?;
            for (symbol, columns) in page.columns {
                all.entry(symbol).or_default().append(columns);
            }
            match page.next {
                None => return Ok(all),
                Some(next) if token.as_ref() == Some(&next) => break,
                Some(next) => token = Some(next),
            }
        }
        Err(BrokerError::Malformed("pages of bars without end".to_owned()))
    }

    /// The latest of something for each symbol.
    async fn latest(
        &self,
        (answer, what): (Answer, &'static str),
        symbols: &[Symbol],
        into: fn(&Fields<'_>) -> Result<QuoteReading, Unreadable>,
    ) -> Result<Vec<(Symbol, QuoteReading)>, BrokerError> {
        let target = format!(
            "/v2/stocks/{what}/latest?symbols={}&feed={}",
            list(symbols),
            encode(&self.feeds.quotes)
        );
        let read = |body: &[u8]| {
            let fields = object(body, what)?;
            let entries = fields.entries(what)?.into_iter().map(|(name, entry)| {
                let symbol = symbols.iter().find(|symbol| symbol.as_str() == name);
                let symbol = symbol.ok_or_else(|| entry.wrong(&name, "was not asked for"))?;
                Ok((symbol.clone(), into(&entry)?))
            });
            entries.collect()
        };
        self.door.read((answer, &data(target, QUOTES_TIMEOUT)), read).await
    }
}

fn quotes_into(fields: &Fields<'_>) -> Result<QuoteReading, Unreadable> {
    Ok(QuoteReading {
        bid: fields.price("bp")?,
        ask: fields.price("ap")?,
        quoted_at: fields.value("t")?,
        ..QuoteReading::default()
    })
}

fn trades_into(fields: &Fields<'_>) -> Result<QuoteReading, Unreadable> {
    let (traded, traded_at) = (fields.price("p")?, fields.value("t")?);
    Ok(QuoteReading { traded, traded_at, ..QuoteReading::default() })
}

type SplitsPage = (BTreeSet<Symbol>, Option<String>);

fn splits_page(body: &[u8], first: Date, last: Date) -> Result<SplitsPage, Unreadable> {
    let fields = object(body, "corporate actions")?;
    let mut found = BTreeSet::new();
    if let Some(actions) = fields.inner("corporate_actions")? {
        for kind in ["forward_splits", "reverse_splits", "unit_splits"] {
            for row in actions.rows(kind)? {
                let date: Option<Date> = match row.value("ex_date")? {
                    None => row.value("effective_date")?,
                    there => there,
                };
                // A split without a date may be today's.
                if date.is_none_or(|date| (first..=last).contains(&date)) {
                    for key in ["symbol", "old_symbol", "new_symbol"] {
                        let text = row.text(key)?;
                        found.extend(text.and_then(|text| Symbol::parse(&text).ok()));
                    }
                }
            }
        }
    }
    Ok((found, fields.text("next_page_token")?))
}

fn data(target: String, timeout: Duration) -> Call {
    Call { method: Method::Get, host: Host::Data, target, body: Vec::new(), timeout }
}

fn paged(target: &str, token: Option<&str>) -> String {
    match token {
        None => target.to_owned(),
        Some(token) => format!("{target}&page_token={}", encode(token)),
    }
}

fn list(symbols: &[Symbol]) -> String {
    symbols.iter().map(|symbol| encode(symbol.as_str())).collect::<Vec<_>>().join(",")
}

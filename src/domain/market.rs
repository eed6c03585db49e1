//! Prices as the strategies and the plan see them: daily closes in columns, and quotes.
//!
//! A close becomes a float here, once, for the indicators; [`History::last_close`] is the gate
//! back to an exact price. A quote that cannot be traded on is a reason, never a number.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::money::Price;
use crate::domain::symbol::Symbol;

/// Largest close accepted; far above any listed price, far below where float sums lose cents.
const CLOSE_MAX: f64 = 10_000_000.0;

/// Daily closes of one symbol in columns, oldest first, completed sessions only.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// Those of most symbols are the same, and then shared.
    days: Arc<[Date]>,
    closes: Vec<f64>,
    volumes: Vec<f64>,
}

/// The histories of all symbols a run needs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histories(BTreeMap<Symbol, History>);

/// Why columns are no history.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HistoryError {
    /// The columns differ in length.
    #[error("columns differ in length: {days} days, {closes} closes")]
    Ragged {
        /// Length of the day column.
        days: usize,
        /// Length of the close column.
        closes: usize,
    },
    /// Days repeat or go backwards.
    #[error("days not in order at {0}")]
    Unordered(Date),
    /// A close is not a finite price above zero.
    #[error("close not a price on {day}: {close}")]
    BadClose {
        /// The bar's day.
        day: Date,
        /// The refused close.
        close: f64,
    },
}

impl History {
    /// Columns of days and closes; `volumes` may be empty where the source has none.
    ///
    /// # Errors
    /// [`HistoryError`] when the columns differ in length, days do not rise strictly, or a
    /// close is not a finite price above zero.
    pub fn new(days: Vec<Date>, closes: Vec<f64>, volumes: Vec<f64>) -> Result<Self, HistoryError> {
        if days.len() != closes.len() || !(volumes.is_empty() || volumes.len() == days.len()) {
            return Err(HistoryError::Ragged { days: days.len(), closes: closes.len() });
        }
        if let Some(pair) = days.windows(2).find(|pair| pair[0] >= pair[1]) {
            return Err(HistoryError::Unordered(pair[1]));
        }
        for (day, close) in days.iter().zip(&closes) {
            if !(close.is_finite() && *close > 0.0 && *close <= CLOSE_MAX) {
                return Err(HistoryError::BadClose { day: *day, close: *close });
            }
        }
        Ok(Self { days: days.into(), closes, volumes })
    }

    /// Session dates, oldest first.
    pub fn days(&self) -> &[Date] {
        &self.days
    }

    /// Adjusted closes, oldest first, as long as [`History::days`].
    pub fn closes(&self) -> &[f64] {
        &self.closes
    }

    /// Shares traded each day, as long as [`History::days`], or empty where the source has none.
    pub fn volumes(&self) -> &[f64] {
        &self.volumes
    }

    /// The day of the last bar.
    pub fn last_day(&self) -> Option<Date> {
        self.days.last().copied()
    }

    /// The last close as an exact price: the shortest decimal that reads back as the same float,
    /// which is the text the source sent.
    pub fn last_close(&self) -> Option<Price> {
        Price::parse(&self.closes.last()?.to_string()).ok()
    }

    /// The bars up to and including a day.
    #[must_use]
    pub fn through(&self, day: Date) -> Self {
        let end = self.days.partition_point(|d| *d <= day);
        Self {
            days: self.days[..end].into(),
            closes: self.closes[..end].to_vec(),
            volumes: self.volumes.get(..end).unwrap_or_default().to_vec(),
        }
    }

    /// Median number of shares traded a day over the last `sessions`; `None` without volumes.
    pub fn median_volume(&self, sessions: usize) -> Option<f64> {
        let start = self.volumes.len().saturating_sub(sessions);
        let mut recent = self.volumes[start..].to_vec();
        recent.sort_by(f64::total_cmp);
        recent.get(recent.len() / 2).copied()
    }
}

impl Histories {
    /// Histories by symbol.
    pub fn new(mut by_symbol: BTreeMap<Symbol, History>) -> Self {
        let mut calendars: BTreeSet<Arc<[Date]>> = BTreeSet::new();
        for history in by_symbol.values_mut() {
            match calendars.get(&history.days) {
                Some(known) => history.days = Arc::clone(known),
                None => drop(calendars.insert(Arc::clone(&history.days))),
            }
        }
        Self(by_symbol)
    }

    /// The history of a symbol; `None` when the source sent nothing for it.
    pub fn get(&self, symbol: &Symbol) -> Option<&History> {
        self.0.get(symbol)
    }

    /// All histories in the order of their symbols.
    pub fn iter(&self) -> impl Iterator<Item = (&Symbol, &History)> {
        self.0.iter()
    }

    /// Every history up to and including a day.
    #[must_use]
    pub fn through(&self, day: Date) -> Self {
        let cut = |(symbol, history): (&Symbol, &History)| (symbol.clone(), history.through(day));
        Self::new(self.0.iter().map(cut).collect())
    }
}

/// The latest quote and trade of a symbol as the feed sent them; a missing side is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QuoteReading {
    /// Highest bid, if any.
    pub bid: Option<Price>,
    /// Lowest ask, if any.
    pub ask: Option<Price>,
    /// When the quote was made.
    pub quoted_at: Option<Timestamp>,
    /// Price of the last trade, if known.
    pub traded: Option<Price>,
    /// When that trade happened.
    pub traded_at: Option<Timestamp>,
}

/// A price one may trade on: made only by [`QuoteReading::judge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    bid: Price,
    ask: Price,
    at: Timestamp,
    basis: QuoteBasis,
}

/// What a usable quote was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuoteBasis {
    /// A two-sided quote.
    TwoSided,
    /// The last trade, because the quote was unusable.
    LastTrade,
}

/// Why a symbol has no price to trade on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum UnusableQuote {
    /// The feed sent nothing.
    #[error("no quote")]
    Missing,
    /// Bid or ask is missing or zero.
    #[error("one-sided quote")]
    OneSided,
    /// The bid is above the ask.
    #[error("crossed quote: bid {bid}, ask {ask}")]
    Crossed {
        /// The bid.
        bid: Price,
        /// The ask.
        ask: Price,
    },
    /// Older than policy allows.
    #[error("stale quote: {seconds} s old")]
    Stale {
        /// Age in seconds.
        seconds: u64,
    },
    /// The spread is wider than policy allows.
    #[error("wide quote: bid {bid}, ask {ask}")]
    Wide {
        /// The bid.
        bid: Price,
        /// The ask.
        ask: Price,
    },
}

/// What makes a quote usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteRules {
    /// Oldest quote or trade still used.
    pub age_max: Duration,
    /// Widest spread as a fraction of the mid price.
    pub spread_max: Decimal,
}

impl QuoteReading {
    /// The quote if it is two-sided, not crossed, fresh and narrow; else the last trade if that
    /// is fresh; else the reason why the quote is unusable.
    ///
    /// A time up to the age limit ahead of `now` counts as fresh: clocks differ a little.
    pub fn judge(&self, now: Timestamp, rules: &QuoteRules) -> Result<Quote, UnusableQuote> {
        let unusable = match self.two_sided(now, rules) {
            Ok(quote) => return Ok(quote),
            Err(unusable) => unusable,
        };
        match (self.traded, self.traded_at) {
            (Some(price), Some(at)) if age(at, now) <= rules.age_max => {
                Ok(Quote { bid: price, ask: price, at, basis: QuoteBasis::LastTrade })
            }
            _ => Err(unusable),
        }
    }

    fn two_sided(&self, now: Timestamp, rules: &QuoteRules) -> Result<Quote, UnusableQuote> {
        let Some(at) = self.quoted_at else { return Err(UnusableQuote::Missing) };
        let (Some(bid), Some(ask)) = (self.bid, self.ask) else {
            return Err(UnusableQuote::OneSided);
        };
        if bid > ask {
            return Err(UnusableQuote::Crossed { bid, ask });
        }
        let old = age(at, now);
        if old > rules.age_max {
            return Err(UnusableQuote::Stale { seconds: old.as_secs() });
        }
        let quote = Quote { bid, ask, at, basis: QuoteBasis::TwoSided };
        if ask.decimal() - bid.decimal() > quote.mid().decimal() * rules.spread_max {
            return Err(UnusableQuote::Wide { bid, ask });
        }
        Ok(quote)
    }
}

fn age(at: Timestamp, now: Timestamp) -> Duration {
    now.duration_since(at).unsigned_abs()
}

impl Quote {
    /// The bid.
    pub const fn bid(&self) -> Price {
        self.bid
    }

    /// The ask.
    pub const fn ask(&self) -> Price {
        self.ask
    }

    /// When it was made.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// What it was made from.
    pub const fn basis(&self) -> QuoteBasis {
        self.basis
    }

    /// Half-way between bid and ask.
    ///
    /// # Panics
    /// Never: the mean of two prices is a price.
    pub fn mid(&self) -> Price {
        Price::new((self.bid.decimal() + self.ask.decimal()) / Decimal::TWO)
            .expect("the mean of two prices lies between them")
    }

    /// Half the spread as a fraction of the mid price.
    pub fn half_spread(&self) -> Decimal {
        (self.ask.decimal() - self.bid.decimal()) / Decimal::TWO / self.mid().decimal()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn rules() -> QuoteRules {
        QuoteRules { age_max: Duration::from_mins(1), spread_max: Decimal::new(1, 2) }
    }

    fn reading(bid: &str, ask: &str) -> QuoteReading {
        QuoteReading {
            bid: Price::parse(bid).ok(),
            ask: Price::parse(ask).ok(),
            quoted_at: Some(Timestamp::UNIX_EPOCH),
            ..QuoteReading::default()
        }
    }

    #[test]
    fn a_quote_with_a_zero_ask_is_one_sided_and_never_a_price() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(reading("107", "0").judge(now, &rules()), Err(UnusableQuote::OneSided));
        assert_eq!(QuoteReading::default().judge(now, &rules()), Err(UnusableQuote::Missing));
    }

    #[test]
    fn crossed_stale_and_wide_quotes_say_so() {
        let now = Timestamp::from_second(61).unwrap();
        let crossed = reading("10.02", "10.01").judge(now, &rules()).unwrap_err();
        assert_eq!(crossed.to_string(), "crossed quote: bid 10.02, ask 10.01");
        assert_eq!(
            reading("10", "10.01").judge(now, &rules()),
            Err(UnusableQuote::Stale { seconds: 61 })
        );
        let fresh = Timestamp::from_second(60).unwrap();
        assert!(matches!(
            reading("10", "10.2").judge(fresh, &rules()),
            Err(UnusableQuote::Wide { .. })
        ));
        let quote = reading("10", "10.02").judge(fresh, &rules()).unwrap();
        assert_eq!(quote.mid(), Price::parse("10.01").unwrap());
        assert_eq!(quote.basis(), QuoteBasis::TwoSided);
    }

    #[test]
    fn a_fresh_trade_stands_in_for_an_unusable_quote() {
        let mut reading = reading("107", "0");
        reading.traded = Some(Price::parse("106.5").unwrap());
        reading.traded_at = Some(Timestamp::UNIX_EPOCH);
        let quote = reading.judge(Timestamp::UNIX_EPOCH, &rules()).unwrap();
        assert_eq!(
            (quote.mid(), quote.basis()),
            (Price::parse("106.5").unwrap(), QuoteBasis::LastTrade)
        );
        let later = Timestamp::from_second(61).unwrap();
        assert_eq!(reading.judge(later, &rules()), Err(UnusableQuote::OneSided));
    }

    #[test]
    fn a_history_refuses_disorder_and_nonsense() {
        let days = vec![date(2026, 1, 2), date(2026, 1, 5)];
        let history = History::new(days.clone(), vec![10.25, 10.1], vec![]).unwrap();
        assert_eq!(history.last_close().unwrap(), Price::parse("10.1").unwrap());
        assert_eq!(history.through(date(2026, 1, 4)).closes(), [10.25]);
        assert_eq!(history.median_volume(20), None);
        assert!(matches!(
            History::new(vec![days[1], days[0]], vec![1.0, 1.0], vec![]),
            Err(HistoryError::Unordered(_))
        ));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            let error = History::new(days.clone(), vec![1.0, bad], vec![]).unwrap_err();
            assert!(matches!(error, HistoryError::BadClose { .. }), "{bad}");
        }
        assert!(matches!(History::new(days, vec![1.0], vec![]), Err(HistoryError::Ragged { .. })));
    }

    #[test]
    fn the_median_volume_looks_at_recent_sessions_only() {
        let days = (1..=5).map(|d| date(2026, 1, d)).collect();
        let history = History::new(days, vec![1.0; 5], vec![900.0, 1.0, 3.0, 2.0, 5.0]).unwrap();
        assert_eq!(history.median_volume(3), Some(3.0));
    }
}

//! A market out of seeded chance: plausible volatility and correlation, gaps, a crash.
//!
//! A handful of factors moves every symbol; a leveraged fund moves by a multiple of its index
//! each day, which makes it decay as real ones do. Closes are as adjusted data show them: each
//! series ends at a plausible price and is worked backwards from there, so that a fund which
//! decays stands enormously high in the past.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};

use crate::domain::market::History;
use crate::domain::symbol::Symbol;
use crate::simulator::calendar::TradingDays;
use crate::simulator::market::{Intraday, Market};
use crate::simulator::random::Random;

/// What a synthetic market is made from.
#[derive(Debug, Clone, Copy)]
pub struct Synthetic {
    /// Same seed, same prices.
    pub seed: u64,
    /// First date with prices.
    pub first: Date,
    /// Last date with prices.
    pub last: Date,
    /// The year in which the market crashes in spring.
    pub crash: Option<i16>,
}

impl Default for Synthetic {
    fn default() -> Self {
        let (first, last) = (date(2019, 1, 2), date(2027, 12, 31));
        Self { seed: 1, first, last, crash: Some(2022) }
    }
}

/// Closes stay within what a price can be; see `CLOSE_MAX` of the domain.
const CLOSE_RANGE: (f64, f64) = (0.05, 5_000_000.0);
/// No fund loses more than this in a day, nor gains more than four times as much.
const DAY_LOSS_MAX: f64 = 0.85;

/// The day's moves that several symbols share.
#[derive(Debug, Clone, Copy)]
enum Factor {
    Equity,
    Technology,
    Chips,
    Value,
    Finance,
    Energy,
    Biotech,
    Retail,
    SmallCaps,
    Bonds,
    Gold,
    Dollar,
    Trend,
    Nuclear,
    Calm,
    Fear,
    FearMidterm,
}

use Factor as F;

/// Symbol, last close, factor, multiple of it, own volatility a day.
const UNIVERSE: [(&str, f64, Factor, f64, f64); 67] = [
    ("SPY", 680.0, F::Equity, 1.0, 0.0),
    ("UPRO", 115.0, F::Equity, 3.0, 0.0),
    ("SPXL", 220.0, F::Equity, 3.0, 0.0),
    ("SPXU", 50.0, F::Equity, -3.0, 0.0),
    ("DIA", 480.0, F::Value, 1.0, 0.001),
    ("IWM", 250.0, F::SmallCaps, 1.0, 0.0),
    ("TZA", 40.0, F::SmallCaps, -3.0, 0.0),
    ("IOO", 125.0, F::Equity, 1.05, 0.001),
    ("SPLV", 72.0, F::Value, 0.7, 0.002),
    ("VTV", 190.0, F::Value, 1.0, 0.001),
    ("VOOV", 205.0, F::Value, 1.0, 0.001),
    ("VOOG", 440.0, F::Technology, 0.85, 0.001),
    ("VOX", 185.0, F::Technology, 0.9, 0.003),
    ("XLP", 79.0, F::Value, 0.6, 0.004),
    ("XLY", 120.0, F::Retail, 0.9, 0.002),
    ("RETL", 9.0, F::Retail, 3.0, 0.004),
    ("QQQ", 615.0, F::Technology, 1.0, 0.0),
    ("QQQE", 101.0, F::Technology, 0.95, 0.001),
    ("TQQQ", 53.0, F::Technology, 3.0, 0.0),
    ("SQQQ", 67.0, F::Technology, -3.0, 0.0),
    ("QID", 20.0, F::Technology, -2.0, 0.0),
    ("PSQ", 30.0, F::Technology, -1.0, 0.0),
    ("XLK", 144.0, F::Technology, 1.05, 0.002),
    ("TECL", 113.0, F::Technology, 3.15, 0.006),
    ("FNGU", 25.0, F::Technology, 3.6, 0.012),
    ("FNGO", 120.0, F::Technology, 2.4, 0.008),
    ("SOXL", 42.0, F::Chips, 3.0, 0.0),
    ("AAPL", 270.0, F::Technology, 1.0, 0.011),
    ("MSFT", 480.0, F::Technology, 1.0, 0.009),
    ("AMZN", 230.0, F::Technology, 1.1, 0.013),
    ("GOOGL", 310.0, F::Technology, 1.0, 0.012),
    ("NVDA", 186.0, F::Chips, 1.1, 0.016),
    ("TSLA", 450.0, F::Technology, 1.6, 0.028),
    ("XLF", 55.0, F::Finance, 1.0, 0.0),
    ("FAS", 170.0, F::Finance, 3.0, 0.0),
    ("XLE", 45.0, F::Energy, 1.0, 0.0),
    ("ERX", 55.0, F::Energy, 2.0, 0.0),
    ("PDBC", 13.0, F::Energy, 0.5, 0.005),
    ("LABU", 160.0, F::Biotech, 3.0, 0.0),
    ("LABD", 30.0, F::Biotech, -3.0, 0.0),
    ("TLT", 87.0, F::Bonds, 1.0, 0.0),
    ("TMF", 37.0, F::Bonds, 3.0, 0.0),
    ("TMV", 37.0, F::Bonds, -3.0, 0.0),
    ("IEF", 96.0, F::Bonds, 0.45, 0.001),
    ("AGG", 100.0, F::Bonds, 0.35, 0.001),
    ("BND", 74.0, F::Bonds, 0.35, 0.001),
    ("BSV", 79.0, F::Bonds, 0.12, 0.000_5),
    ("BIL", 91.4, F::Calm, 1.0, 0.0),
    ("GLD", 395.0, F::Gold, 1.0, 0.0),
    ("SLV", 64.0, F::Gold, 1.6, 0.010),
    ("UUP", 27.0, F::Dollar, 1.0, 0.0),
    ("KMLM", 27.0, F::Trend, 1.0, 0.0),
    ("FTLS", 70.0, F::Equity, 0.5, 0.002),
    ("BTAL", 15.0, F::Equity, -0.5, 0.006),
    ("SMR", 14.0, F::Nuclear, 1.6, 0.040),
    ("OKLO", 72.0, F::Nuclear, 1.8, 0.045),
    ("LEU", 240.0, F::Nuclear, 1.4, 0.035),
    ("NLR", 125.0, F::Nuclear, 1.0, 0.004),
    ("BWXT", 172.0, F::Nuclear, 0.7, 0.014),
    ("EXC", 44.0, F::Value, 0.5, 0.010),
    ("UVXY", 36.0, F::Fear, 1.5, 0.0),
    ("VIXY", 26.0, F::Fear, 1.0, 0.0),
    ("VXX", 27.0, F::Fear, 1.0, 0.001),
    ("UVIX", 6.5, F::Fear, 2.0, 0.0),
    ("SVXY", 52.0, F::Fear, -0.5, 0.0),
    ("SVIX", 22.0, F::Fear, -1.0, 0.0),
    ("VIXM", 14.5, F::FearMidterm, 1.0, 0.0),
];

/// A market of every symbol that the built-in strategies name.
pub fn synthetic(from: Synthetic) -> Market {
    let days = TradingDays::nyse();
    let dates: Vec<Date> = days
        .sessions()
        .iter()
        .map(|session| session.date)
        .filter(|day| (from.first..=from.last).contains(day))
        .collect();
    let factors = factor_days(from, &dates);
    let mut market = Market::new(days);
    market.intraday = Intraday::Drift;
    for (name, last, factor, multiple, own) in UNIVERSE {
        let mut random = Random::of(from.seed, name);
        let returns: Vec<f64> = factors
            .iter()
            .map(|day| {
                let shared = day[&index(factor)] * multiple;
                (shared + own * random.normal()).clamp(-DAY_LOSS_MAX, 4.0 * DAY_LOSS_MAX)
            })
            .collect();
        let closes = backwards(last, &returns);
        let Ok(symbol) = Symbol::parse(name) else { continue };
        if let Ok(history) = History::new(dates.clone(), closes, Vec::new()) {
            market.list(symbol, &history);
        }
    }
    market
}

/// Closes that end at `last`, each the next one taken back by that day's return.
fn backwards(last: f64, returns: &[f64]) -> Vec<f64> {
    let mut closes = Vec::with_capacity(returns.len());
    let mut close = last;
    for day in returns.iter().rev() {
        closes.push((close * 10_000.0).round() / 10_000.0);
        close = (close / (1.0 + day)).clamp(CLOSE_RANGE.0, CLOSE_RANGE.1);
    }
    closes.reverse();
    closes
}

fn factor_days(from: Synthetic, dates: &[Date]) -> Vec<BTreeMap<u8, f64>> {
    let mut random = Random::of(from.seed, "factors");
    let mut heat: f64 = 1.0; // volatility comes in clusters
    let mut days = Vec::with_capacity(dates.len());
    for day in dates {
        let crashing = from.crash == Some(day.year()) && (2..=4).contains(&day.month());
        heat = (0.94 * heat + 0.06 * (0.4 + 1.2 * random.unit())).clamp(0.5, 3.0);
        let heat = if crashing { heat * 2.6 } else { heat };
        let drift = if crashing { -0.004 } else { 0.000_55 };
        let gap = if random.chance(0.008) { 3.0 } else { 1.0 };
        let mut draw = |deviation: f64| deviation * heat * random.normal();
        let equity = drift + gap * draw(0.009);
        let technology = 1.15 * equity + draw(0.005);
        let bonds = -0.15 * equity + draw(0.008);
        let fear = (-4.2 * equity - 0.002 + draw(0.025)).clamp(-0.3, 0.9);
        let moves = [
            (F::Equity, equity),
            (F::Technology, technology),
            (F::Chips, 1.35 * technology + draw(0.010)),
            (F::Value, 0.8 * equity + draw(0.004)),
            (F::Finance, 1.05 * equity + draw(0.007)),
            (F::Energy, 0.8 * equity + draw(0.013)),
            (F::Biotech, 1.1 * equity + draw(0.016)),
            (F::Retail, 1.2 * equity + draw(0.010)),
            (F::SmallCaps, 1.15 * equity + draw(0.007)),
            (F::Bonds, bonds),
            (F::Gold, 0.000_3 + 0.1 * bonds + draw(0.009)),
            (F::Dollar, -0.1 * equity + draw(0.004)),
            (F::Trend, draw(0.006)),
            (F::Nuclear, 0.000_4 + 1.1 * equity + draw(0.016)),
            (F::Calm, 0.000_15),
            (F::Fear, fear),
            (F::FearMidterm, 0.45 * fear + draw(0.006)),
        ];
        days.push(moves.into_iter().map(|(factor, value)| (index(factor), value)).collect());
    }
    days
}

#[expect(clippy::as_conversions, reason = "a fieldless enum's own number")]
const fn index(factor: Factor) -> u8 {
    factor as u8
}

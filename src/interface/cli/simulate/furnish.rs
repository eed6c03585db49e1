//! What stands before the first session of a trial: the rules, the market, the account.

use jiff::civil::Date;

use crate::domain::market::History;
use crate::domain::money::Usd;
use crate::domain::policy::Policy;
use crate::simulator::calendar::TradingDays;
use crate::simulator::exchange::{Rules, Strictness};
use crate::simulator::market::Market;
use crate::simulator::random::Random;
use crate::simulator::trial::draw::PRICES;
use crate::simulator::trial::script::{Engines, Happening, Script, What, ticker};
use crate::simulator::world::World;

/// Closes before the first session that decision trees look back on.
const CLOSES: usize = 60;

/// The policy: the default, what the script lays over it, and its strategies.
pub(super) fn policy(script: &Script) -> Result<Policy, String> {
    let mut text = script.setting.policy.to_owned();
    for (name, allocation) in &script.setting.strategies {
        let row = format!("[[strategy]]\nname = \"{name}\"\nallocation = \"{allocation}\"\n");
        text.push_str(&row);
    }
    text.push_str("[limits]\nposition_max = \"1\"\n");
    text.push_str(script.setting.timing);
    let mut policy = Policy::parse(&text).map_err(|error| error.to_string())?;
    policy.keep_cash = policy.keep_cash.max(Usd::ZERO);
    Ok(policy)
}

/// The world before the first session: it lets through what the real broker would not, so that
/// a mistake of ours shows instead of being refused.
pub(super) fn world(script: &Script) -> World {
    let setting = &script.setting;
    // The broker holds shares and money for orders at work; only where a person could take those
    // away does the exchange have to say no as well.
    let takes = |happening: &Happening| matches!(happening.what, What::Hand(_));
    let by_hand = script.days.iter().flat_map(|day| &day.happenings).any(takes);
    let strictness = if by_hand { Strictness::Strict } else { Strictness::Permissive };
    let rules = Rules {
        strictness,
        fills: setting.fills,
        multiplier: 2,
        no_shorting: false,
        ..Rules::default()
    };
    let start = format!("{}T05:00:00Z", setting.first);
    let mut market = Market::new(TradingDays::nyse());
    if setting.engines == Engines::Trees {
        for (symbol, price) in PRICES {
            market.list(ticker(symbol), &series(script, &market, (symbol, price)));
        }
    }
    let mut builder = World::builder()
        .market(market)
        .at(&start)
        .cash(&setting.cash.to_string())
        .seed(script.seed)
        .rules(rules)
        .round_trip(setting.round_trip);
    for (symbol, price) in PRICES {
        builder = builder.price(symbol, price);
    }
    if let Some(whole) = setting.whole {
        builder = builder.non_fractionable(whole);
    }
    builder.build()
}

/// A wandering price, some time before the trial and to its end.
fn series(script: &Script, market: &Market, (symbol, price): (&str, &str)) -> History {
    let sessions = market.days.sessions();
    let first = sessions.partition_point(|session| session.date < script.setting.first);
    let from = first.saturating_sub(CLOSES);
    let until = (first + script.days.len() + 2).min(sessions.len());
    let days: Vec<Date> = sessions[from..until].iter().map(|session| session.date).collect();
    let mut random = Random::of(script.seed, symbol);
    let mut close: f64 = price.parse().unwrap_or(1.0);
    let closes = days.iter().map(|_| {
        close = (close * (1.0 + 0.01 * random.normal()) * 100.0).round() / 100.0;
        close
    });
    let closes = closes.collect();
    History::new(days, closes, Vec::new()).unwrap_or_default()
}

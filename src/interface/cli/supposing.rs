//! A day's closes as somebody supposes them: what would the strategies say then?

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::market::{Histories, History};
use crate::domain::symbol::Symbol;
use crate::interface::cli::Trouble;

/// Another close of a symbol.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Supposed {
    symbol: Symbol,
    close: Close,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Close {
    /// So many percent away from the real one.
    Moved(f64),
    At(f64),
}

/// Reads `TQQQ=-3%` or `TQQQ=52.10`.
pub(super) fn supposed(text: &str) -> Result<Supposed, String> {
    let expected = || "expected a move or a close, such as TQQQ=-3% or TQQQ=52.10".to_owned();
    let (symbol, close) = text.split_once('=').ok_or_else(expected)?;
    let symbol = Symbol::parse(symbol).map_err(|error| error.to_string())?;
    let number = |text: &str| {
        let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(expected)
    };
    let close = match close.strip_suffix('%') {
        Some(percent) => Close::Moved(number(percent)?),
        None => Close::At(number(close)?),
    };
    match close {
        Close::Moved(percent) if percent <= -100.0 => {
            Err("a price cannot fall by all it has: more than -100%".to_owned())
        }
        Close::At(price) if price <= 0.0 => Err("a close is above zero".to_owned()),
        Close::Moved(_) | Close::At(_) => Ok(Supposed { symbol, close }),
    }
}

/// The market with the supposed closes on a day, and what they are in words.
pub(super) fn suppose(
    market: Histories,
    day: Date,
    all: &[Supposed],
) -> Result<(Histories, Option<String>), Trouble> {
    if all.is_empty() {
        return Ok((market, None));
    }
    let mut histories: BTreeMap<Symbol, History> =
        market.iter().map(|(symbol, history)| (symbol.clone(), history.clone())).collect();
    let mut words = Vec::new();
    for Supposed { symbol, close } in all {
        let known = histories.get(symbol).filter(|history| history.last_day() == Some(day));
        let (Some(history), Some(real)) = (known, known.and_then(|h| h.closes().last())) else {
            let said = format!("{symbol} has no close on {day} that could be another");
            return Err(Trouble::setting(said, "suppose closes of symbols in the price folder"));
        };
        let other = match close {
            Close::Moved(percent) => real * (1.0 + percent / 100.0),
            Close::At(price) => *price,
        };
        words.push(format!("{symbol} at {other:.4} ({:+.2}%)", (other / real - 1.0) * 100.0));
        let mut closes = history.closes().to_vec();
        if let Some(last) = closes.last_mut() {
            *last = other;
        }
        let changed = History::new(history.days().to_vec(), closes, history.volumes().to_vec());
        let changed = changed.map_err(|error| Trouble::setting(error, "suppose another close"))?;
        histories.insert(symbol.clone(), changed);
    }
    let words = format!("supposing {} on {day}:", words.join(", "));
    Ok((Histories::new(histories), Some(words)))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const DAY: Date = date(2026, 1, 8);

    fn market() -> Histories {
        let days = vec![date(2026, 1, 7), DAY];
        let history = History::new(days, vec![100.0, 50.0], vec![]).unwrap();
        Histories::new(BTreeMap::from([(Symbol::parse("TQQQ").unwrap(), history)]))
    }

    #[test]
    fn a_move_and_a_close_replace_the_last_close_only() {
        for (text, other) in [("TQQQ=-3%", 48.5), ("TQQQ=52.10", 52.1), ("TQQQ=+10%", 55.0)] {
            let all = [supposed(text).unwrap()];
            let (market, words) = suppose(market(), DAY, &all).unwrap();
            let closes = market.get(&Symbol::parse("TQQQ").unwrap()).unwrap().closes().to_vec();
            assert!((closes[1] - other).abs() < 1e-9 && closes.len() == 2, "{closes:?}");
            assert!(words.unwrap().starts_with("supposing TQQQ at "));
        }
        assert_eq!(suppose(market(), DAY, &[]).unwrap(), (market(), None));
    }

    #[test]
    fn what_cannot_be_supposed_says_why() {
        for (text, said) in [
            ("TQQQ", "such as TQQQ=-3%"),
            ("tqqq=5%", "not a ticker"),
            ("TQQQ=x", "such as TQQQ=-3%"),
            ("TQQQ=NaN%", "such as TQQQ=-3%"),
            ("TQQQ=1e999", "such as TQQQ=-3%"),
            ("TQQQ=-100%", "more than -100%"),
            ("TQQQ=0", "above zero"),
        ] {
            assert!(supposed(text).unwrap_err().contains(said), "{text}");
        }
        let none = suppose(market(), DAY, &[supposed("SPY=1%").unwrap()]);
        assert!(none.is_err());
        let later = suppose(market(), date(2026, 1, 9), &[supposed("TQQQ=1%").unwrap()]);
        assert!(later.is_err());
    }
}

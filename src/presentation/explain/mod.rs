//! Why a strategy wants what it wants: the taken path as a tree on a terminal or, within the whole
//! strategy, as a page; and its weights as one line for programs.

mod brief;
mod lit;
mod page;
mod sketch;
mod terminal;

use jiff::civil::Date;

use crate::domain::money::Weight;
use crate::domain::strategy::{Signal, StrategyOutcome};
use crate::domain::symbol::Symbol;
use crate::domain::symphony::outline::Drawing;
use crate::presentation::figures::{margin, percent};
use crate::presentation::line::{LINE_MAX, clip};
use crate::presentation::words::confidence;

/// What a strategy said, with its tree where it has one to show.
#[derive(Debug, Clone)]
pub struct Explained {
    /// What it said.
    pub outcome: StrategyOutcome,
    /// Its tree and the way that was taken.
    pub drawing: Option<Drawing>,
}

/// The decision path as a tree with all values and margins, then the weights; or the failure.
///
/// `as_of` is the session the strategy was asked for, which a failure does not know itself.
pub fn text(explained: &Explained, as_of: Date) -> String {
    let strategy = &explained.outcome.strategy;
    match &explained.outcome.result {
        Ok(signal) => {
            let tree = terminal::tree(signal, explained.drawing.as_ref());
            format!("{tree}\n{}", ending(signal))
        }
        Err(error) => {
            let error = clip(&error.to_string(), LINE_MAX);
            format!("{strategy} on the closes of {as_of}: no signal\n  failed: {error}\n")
        }
    }
}

/// One self-contained page about what strategies said on the closes of a day, below 2 MB: each
/// with its whole tree, the taken path lit. `supposed` says what was changed in those closes.
pub fn html(all: &[Explained], as_of: Date, supposed: Option<&str>) -> String {
    page::html(all, as_of, supposed)
}

/// One line of JSON: `{"strategy", "as_of", "weights": {SYMBOL: number}}`, with `"cash"` beside
/// the weights when there is any; or `{"strategy", "as_of", "error"}`.
pub fn json_line(outcome: &StrategyOutcome, as_of: Date) -> String {
    let strategy = &outcome.strategy;
    match &outcome.result {
        Ok(signal) => {
            // Weights are decimals that read as JSON numbers; symbols need no escapes.
            let one = |(symbol, weight): &(Symbol, Weight)| format!("\"{symbol}\":{weight}");
            let weights = signal.weights.iter().map(one).collect::<Vec<_>>().join(",");
            let cash = Some(signal.cash).filter(|cash| !cash.is_zero());
            let cash = cash.map_or_else(String::new, |cash| format!(",\"cash\":{cash}"));
            let as_of = signal.as_of;
            format!(
                "{{\"strategy\":\"{strategy}\",\"as_of\":\"{as_of}\",\"weights\":{{{weights}}}{cash}}}"
            )
        }
        Err(error) => {
            let error = serde_json::Value::String(error.to_string());
            format!("{{\"strategy\":\"{strategy}\",\"as_of\":\"{as_of}\",\"error\":{error}}}")
        }
    }
}

/// What it holds, and how sure it is.
fn ending(signal: &Signal) -> String {
    let mut held: Vec<(&str, String)> = signal
        .weights
        .iter()
        .map(|(symbol, weight)| (symbol.as_str(), percent(weight.decimal())))
        .collect();
    if !signal.cash.is_zero() {
        held.push(("cash", percent(signal.cash.decimal())));
    }
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
    let names = width(&mut held.iter().map(|(name, _)| name.len()));
    let shares = width(&mut held.iter().map(|(_, share)| share.len()));
    let mut lines: Vec<String> =
        held.iter().map(|(name, share)| format!("{name:names$}  {share:>shares$}")).collect();
    let word = |at: usize| if at == 0 { "holds       " } else { "            " };
    for (at, line) in lines.iter_mut().enumerate() {
        line.insert_str(0, word(at));
    }
    lines.push(match signal.confidence {
        Some(closest) => {
            format!("confidence  {}, {}: the margin of ◀", margin(closest), confidence(closest))
        }
        None => "confidence  nothing was compared".to_owned(),
    });
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;
    use crate::domain::market::{Histories, History};
    use crate::domain::run::StrategyName;
    use crate::domain::strategy::StrategyEngine;
    use crate::domain::symphony::SymphonyEngine;

    const AS_OF: Date = date(2026, 1, 8);

    fn explained(body: &str) -> Explained {
        let text = format!("(defsymphony \"t\" {{}} {body})");
        let name = StrategyName::parse("mine").unwrap();
        let engine = SymphonyEngine::read(name.clone(), &text).unwrap();
        let history = |closes: [f64; 4]| {
            let days = (5..=8).map(|day| date(2026, 1, day)).collect();
            History::new(days, closes.to_vec(), vec![]).unwrap()
        };
        let market = Histories::new(BTreeMap::from([
            (Symbol::parse("UP").unwrap(), history([10.0, 11.0, 12.0, 12.0])),
            (Symbol::parse("DOWN").unwrap(), history([10.0, 9.0, 10.0, 8.0])),
        ]));
        let result = engine.explain(&market, AS_OF);
        let drawing = engine.drawing(&market, AS_OF);
        let hash = engine.needs().hash.clone();
        Explained { outcome: StrategyOutcome { strategy: name, hash, result }, drawing }
    }

    const BODY: &str = "(group \"Which\u{1b}[2J \u{202e}way\" [(weight-equal [\
        (if (> (current-price \"UP\") (moving-average-price \"UP\" {:window 3}))\
         [(filter (cumulative-return {:window 3}) (select-top 1) [(asset \"DOWN\") (asset \"UP\")])]\
         [(asset \"DOWN\")])\
        (if (< (cumulative-return \"DOWN\" {:window 1}) -25) [] \
         [(weight-specified 0.75 (asset \"DOWN\") 0.25 [])])])])";

    #[test]
    fn the_path_is_a_tree_with_its_values_and_margins_in_columns() {
        let expected = "\
mine on the closes of 2026-01-08                          value  against  margin
├─ “Which [2J way”
└─ split in 2
   ├─ 50.0%  DOWN or UP
   │  ├─ yes  price of UP > 3-day average of UP           12.00    11.67   2.86% ◀  else DOWN
   │  │       closest: turns with UP at 11.50 (−4.17%), next close at 12.00 (+0.00%)
   │  ├─ rank by return over 3 days: the highest 1 of 2                   40.00%
   │  │  ● 50.0%  UP                                      20.00
   │  │  ┄┄ cut, 40.00 apart ┄┄
   │  │  ○ DOWN                                          −20.00
   │  └─ hold UP  50.0%
   └─ 50.0%  cash or DOWN
      ├─ no   return over 1 day of DOWN < -25            −20.00            5.00%    else cash
      │       turns with DOWN at 7.50 (−6.25%), next close at 6.00 (−25.00%)
      └─ split in 2
         ├─ 37.5%  DOWN
         └─ 12.5%  cash

holds       UP    50.0%
            DOWN  37.5%
            cash  12.5%
confidence  2.86%, close: the margin of ◀
";
        assert_eq!(text(&explained(BODY), AS_OF), expected);
    }

    #[test]
    fn a_compound_condition_shows_all_that_was_looked_at() {
        let body = "(if (or (< (current-price \"UP\") 5) (and (> (current-price \"UP\") 11) \
                    (> (current-price \"DOWN\") 9)) (> (current-price \"UP\") 10) \
                    (> (current-price \"UP\") 9)) [(asset \"UP\")] [])";
        let expected = "\
mine on the closes of 2026-01-08          value   margin
├─ yes  any of 4, settled by the first 3          20.00% ◀  else cash
│  ├─ no   price of UP < 5                12.00  100.00%
│  ├─ no   all of 2                               11.11%
│  │  ├─ yes  price of UP > 11            12.00    9.09%
│  │  └─ no   price of DOWN > 9            8.00   11.11%
│  └─ yes  price of UP > 10               12.00   20.00%
│          closest: turns with UP at 10.00 (−16.67%), next close at 10.00 (−16.67%)
└─ hold UP  100.0%

holds       UP  100.0%
confidence  20.00%, far from turning: the margin of ◀
";
        assert_eq!(text(&explained(body), AS_OF), expected);
    }

    #[test]
    fn shares_by_volatility_and_several_picks_are_listed_once() {
        let pair = "(group \"pair\" [(weight-equal [(asset \"UP\") (asset \"DOWN\")])])";
        let body = format!(
            "(weight-inverse-volatility 2 [(asset \"UP\") (filter (cumulative-return {{:window 1}}) \
             (select-bottom 2) [(asset \"UP\") {pair} (asset \"DOWN\")])])"
        );
        let expected = "\
mine on the closes of 2026-01-08                        value  margin
└─ weigh by the inverse of volatility over 2 days
   │  ● 63.2%  UP                                        6.43
   │  ● 36.8%  untitled ranking 4                       11.04
   └─ 36.8%  the lowest 2 of 3 by return over 1 day
      └─ rank by return over 1 day: the lowest 2 of 3          10.00% ◀
         │  ● 18.4%  DOWN                              −20.00
         │  ● 18.4%  pair                              −10.00
         │  ┄┄ cut, 10.00 apart ┄┄
         │  ○ UP                                         0.00
         │  closest: turns with UP at 10.80 (−10.00%), next close at 10.80 (−10.00%)
         └─ 18.4%  UP 50.0%, DOWN 50.0%
            ├─ “pair”
            └─ split in 2
               ├─ 9.2%  UP
               └─ 9.2%  DOWN

holds       UP    72.4%
            DOWN  27.6%
confidence  10.00%, clear: the margin of ◀
";
        assert_eq!(text(&explained(&body), AS_OF), expected);
    }

    #[test]
    fn a_label_too_long_for_its_column_has_its_figures_on_the_next_line() {
        let body = "(if (> (percentage-price-oscillator-signal \"UP\" 1 2 2) \
                    (percentage-price-oscillator-signal \"DOWN\" 1 2 2)) [(asset \"UP\")] [])";
        let expected = "\
mine on the closes of 2026-01-08  value  against  margin
├─ yes  PPO signal(1, 2, 2) of UP > PPO signal(1, 2, 2) of DOWN
│                                  2.04    −4.49  29.36% ◀  else cash
│       closest: turns with UP at 9.02 (−24.77%), next close at 9.46 (−21.12%)
└─ hold UP  100.0%

holds       UP  100.0%
confidence  29.36%, far from turning: the margin of ◀
";
        assert_eq!(text(&explained(body), AS_OF), expected);
    }

    #[test]
    fn a_strategy_without_a_tree_shows_what_it_looked_at() {
        let bare = Explained { drawing: None, ..explained(BODY) };
        let expected = "\
mine on the closes of 2026-01-08                    value  against  margin
├─ “Which [2J way”
├─ yes  price of UP > 3-day average of UP           12.00    11.67   2.86% ◀
│       closest: turns with UP at 11.50 (−4.17%), next close at 12.00 (+0.00%)
├─ rank by return over 3 days: the highest 1 of 2                   40.00%
│  ● UP                                             20.00
│  ┄┄ cut, 40.00 apart ┄┄
│  ○ DOWN                                          −20.00
└─ no   return over 1 day of DOWN < -25            −20.00            5.00%
        turns with DOWN at 7.50 (−6.25%), next close at 6.00 (−25.00%)

holds       UP    50.0%
            DOWN  37.5%
            cash  12.5%
confidence  2.86%, close: the margin of ◀
";
        assert_eq!(text(&bare, AS_OF), expected);
    }

    #[test]
    fn a_failure_says_why_and_for_which_day() {
        let body = "(if (> (rsi \"UP\" {:window 10}) 79) [(asset \"UP\")] [])";
        let expected = "mine on the closes of 2026-01-08: no signal\n  \
                        failed: too few closes for UP: RSI(10) needs 11, have 4\n";
        assert_eq!(text(&explained(body), AS_OF), expected);
    }

    #[test]
    fn the_line_for_programs_is_json() {
        assert_eq!(
            json_line(&explained(BODY).outcome, AS_OF),
            r#"{"strategy":"mine","as_of":"2026-01-08","weights":{"UP":0.5,"DOWN":0.375},"cash":0.125}"#
        );
        let failed = explained("(if (> (rsi \"NONE\" {:window 10}) 79) [(asset \"UP\")] [])");
        assert_eq!(
            json_line(&failed.outcome, AS_OF),
            r#"{"strategy":"mine","as_of":"2026-01-08","error":"no closes for NONE"}"#
        );
    }
}

//! Why a strategy wants what it wants: the taken path as an operator reads it on a terminal,
//! and its weights as one line for programs.

use std::fmt::{self, Write};

use jiff::civil::Date;

use crate::domain::money::Weight;
use crate::domain::strategy::{Signal, StrategyOutcome};
use crate::domain::symbol::Symbol;
use crate::domain::symphony::trace::{Compound, Condition, Part, Ranking, Step, Turn, Weighing};
use crate::presentation::turning::{turns_at, turns_next};

/// The decision path with all values and margins, then the weights; or the failure.
///
/// `as_of` is the session the strategy was asked for, which a failure does not know itself.
pub fn text(outcome: &StrategyOutcome, as_of: Date) -> String {
    let strategy = &outcome.strategy;
    match &outcome.result {
        Ok(signal) => format!("{}", fmt::from_fn(|f| write_signal(f, signal))),
        Err(error) => {
            let error = plain(&error.to_string());
            format!("{strategy} on the closes of {as_of}: no signal\n  failed: {error}\n")
        }
    }
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

fn write_signal(f: &mut fmt::Formatter<'_>, signal: &Signal) -> fmt::Result {
    writeln!(f, "{} on the closes of {}", signal.strategy, signal.as_of)?;
    for step in &signal.trace.steps {
        match step {
            Step::Group(group) => {
                let pad = indent(group.depth);
                writeln!(f, "{pad}in \"{}\"", plain(&group.title))?;
            }
            Step::Condition(condition) => write_condition(f, condition, "")?,
            Step::Compound(compound) => write_compound(f, compound, "")?,
            Step::Ranking(ranking) => write_ranking(f, ranking)?,
            Step::Weighing(weighing) => write_weighing(f, weighing)?,
        }
    }
    writeln!(f, "  holds")?;
    let width = signal.symbols().map(|symbol| symbol.as_str().len()).max().unwrap_or(0).max(4);
    for (symbol, weight) in &signal.weights {
        writeln!(f, "    {symbol:width$} {weight}")?;
    }
    if !signal.cash.is_zero() {
        writeln!(f, "    {:width$} {}", "cash", signal.cash)?;
    }
    match signal.confidence {
        Some(confidence) => writeln!(f, "  confidence {confidence:.4} (smallest margin above)"),
        None => writeln!(f, "  confidence: nothing was compared"),
    }
}

/// `inset` stands before a part of a compound condition.
fn write_condition(f: &mut fmt::Formatter<'_>, condition: &Condition, inset: &str) -> fmt::Result {
    let pad = indent(condition.depth) + inset;
    let Condition { left, left_value, comparison, right, right_value, margin, .. } = condition;
    let verdict = if condition.holds { "yes" } else { "no " };
    write!(f, "{pad}{verdict} {} {left_value:.4} {comparison} ", plain(left))?;
    // A number on the right is its own name.
    if right.parse::<f64>().is_ok() {
        write!(f, "{right}")?;
    } else {
        write!(f, "{} {right_value:.4}", plain(right))?;
    }
    writeln!(f, " (margin {margin:.4}{})", turning(condition.turn.as_ref()))
}

/// Which closes would turn it: another one of that day, or the one after.
fn turning(turn: Option<&Turn>) -> String {
    let turned = |turn| format!("; turns with {}, {}", turns_at(turn), turns_next(turn));
    turn.map_or_else(String::new, turned)
}

fn write_compound(f: &mut fmt::Formatter<'_>, compound: &Compound, inset: &str) -> fmt::Result {
    let pad = indent(compound.depth) + inset;
    let Compound { operator, parts, written, .. } = compound;
    let verdict = if compound.holds { "yes" } else { "no " };
    let wanted = if operator == "and" { "all" } else { "any" };
    write!(f, "{pad}{verdict} {wanted} of {written}")?;
    if parts.len() < *written {
        write!(f, ", settled by the first {}", parts.len())?;
    }
    match compound.deciding() {
        Some(condition) => writeln!(f, " (margin {:.4})", condition.margin)?,
        None => writeln!(f)?,
    }
    let inset = format!("{inset}    ");
    for part in parts {
        match part {
            Part::Condition(condition) => write_condition(f, condition, &inset)?,
            Part::Compound(compound) => write_compound(f, compound, &inset)?,
        }
    }
    Ok(())
}

fn write_ranking(f: &mut fmt::Formatter<'_>, ranking: &Ranking) -> fmt::Result {
    let pad = indent(ranking.depth);
    let Ranking { by, order, scores, picked, margin, .. } = ranking;
    write!(f, "{pad}rank by {}: the {order} {picked} of {}", plain(by), scores.len())?;
    if let Some(margin) = margin {
        write!(f, " (margin {margin:.4}{})", turning(ranking.turn.as_ref()))?;
    }
    writeln!(f)?;
    let width = scores.iter().map(|(name, _)| plain(name).chars().count()).max().unwrap_or(0);
    for (place, (name, score)) in scores.iter().enumerate() {
        let mark = if place < *picked { '*' } else { ' ' };
        writeln!(f, "{pad}  {mark} {:width$} {score:.4}", plain(name))?;
    }
    Ok(())
}

fn write_weighing(f: &mut fmt::Formatter<'_>, weighing: &Weighing) -> fmt::Result {
    let pad = indent(weighing.depth);
    writeln!(f, "{pad}weigh by the inverse of {}", plain(&weighing.by))?;
    let names = weighing.members.iter().map(|member| plain(&member.name).chars().count());
    let width = names.max().unwrap_or(0);
    for member in &weighing.members {
        let (name, volatility) = (plain(&member.name), member.volatility);
        writeln!(f, "{pad}    {name:width$} {volatility:.4}: share {:.4}", member.share)?;
    }
    Ok(())
}

fn indent(depth: u16) -> String {
    "  ".repeat(usize::from(depth) + 1)
}

/// Text from a strategy file without signs that could command a terminal: controls, and those that
/// turn the direction of what follows.
pub(crate) fn plain(text: &str) -> String {
    let turns = |sign| matches!(sign, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut plain = String::with_capacity(text.len());
    for sign in text.chars() {
        if sign.is_control() || turns(sign) {
            let _ = write!(plain, "{}", sign.escape_default()); // writing to a String cannot fail
        } else {
            plain.push(sign);
        }
    }
    plain
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

    fn outcome(body: &str) -> StrategyOutcome {
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
        StrategyOutcome { strategy: name, hash: engine.needs().hash.clone(), result }
    }

    const BODY: &str = "(group \"Which\u{1b}[2J way\" [(weight-equal [\
        (if (> (current-price \"UP\") (moving-average-price \"UP\" {:window 3}))\
         [(filter (cumulative-return {:window 3}) (select-top 1) [(asset \"DOWN\") (asset \"UP\")])]\
         [(asset \"DOWN\")])\
        (if (< (cumulative-return \"DOWN\" {:window 1}) -25) [] \
         [(weight-specified 0.75 (asset \"DOWN\") 0.25 [])])])])";

    #[test]
    fn the_path_reads_as_tests_rankings_and_holdings() {
        let expected = "\
mine on the closes of 2026-01-08
  in \"Which\\u{1b}[2J way\"
    yes price of UP 12.0000 > 3-day average of UP 11.6667 (margin 0.0286; \
         turns with UP at 11.50 (−4.17%), next close at 12.00 (+0.00%))
    rank by return over 3 days: the highest 1 of 2 (margin 0.4000; \
         turns with UP at 8.00 (−33.33%), next close at 8.80 (−26.67%))
      * UP   20.0000
        DOWN -20.0000
    no  return over 1 day of DOWN -20.0000 < -25 (margin 0.0500; \
         turns with DOWN at 7.50 (−6.25%), next close at 6.00 (−25.00%))
  holds
    UP   0.5
    DOWN 0.375
    cash 0.125
  confidence 0.0286 (smallest margin above)
";
        assert_eq!(text(&outcome(BODY), AS_OF), expected);
    }

    #[test]
    fn a_compound_condition_shows_all_that_was_looked_at() {
        let body = "(if (or (< (current-price \"UP\") 5) (and (> (current-price \"UP\") 11) \
                    (> (current-price \"DOWN\") 9)) (> (current-price \"UP\") 10) \
                    (> (current-price \"UP\") 9)) [(asset \"UP\")] [])";
        let expected = "\
  yes any of 4, settled by the first 3 (margin 0.2000)
      no  price of UP 12.0000 < 5 (margin 1.0000)
      no  all of 2 (margin 0.1111)
          yes price of UP 12.0000 > 11 (margin 0.0909)
          no  price of DOWN 8.0000 > 9 (margin 0.1111)
      yes price of UP 12.0000 > 10 (margin 0.2000)
  holds
";
        // Without what would turn each: that is shown elsewhere.
        let shown = text(&outcome(body), AS_OF);
        let cut = |line: &str| match (line.find("; "), line.ends_with(')')) {
            (Some(at), true) => format!("{})", &line[..at]),
            _ => line.to_owned(),
        };
        let shown: Vec<String> = shown.lines().map(cut).collect();
        assert!(shown.join("\n").contains(expected), "{shown:#?}");
    }

    #[test]
    fn a_weighing_shows_volatilities_and_shares() {
        let body = "(weight-inverse-volatility 3 [(asset \"UP\") (asset \"DOWN\")])";
        let shown = text(&outcome(body), AS_OF);
        assert!(shown.contains("  weigh by the inverse of volatility over 3 days\n"), "{shown}");
        assert!(shown.contains("      UP   5.5298: share 0.7418\n"), "{shown}");
        assert!(shown.ends_with("  confidence: nothing was compared\n"), "{shown}");
    }

    #[test]
    fn a_failure_says_why_and_for_which_day() {
        let body = "(if (> (rsi \"UP\" {:window 10}) 79) [(asset \"UP\")] [])";
        let expected = "mine on the closes of 2026-01-08: no signal\n  \
                        failed: too few closes for UP: RSI(10) needs 11, have 4\n";
        assert_eq!(text(&outcome(body), AS_OF), expected);
    }

    #[test]
    fn the_line_for_programs_is_json() {
        assert_eq!(
            json_line(&outcome(BODY), AS_OF),
            r#"{"strategy":"mine","as_of":"2026-01-08","weights":{"UP":0.5,"DOWN":0.375},"cash":0.125}"#
        );
        let failed = outcome("(if (> (rsi \"NONE\" {:window 10}) 79) [(asset \"UP\")] [])");
        assert_eq!(
            json_line(&failed, AS_OF),
            r#"{"strategy":"mine","as_of":"2026-01-08","error":"no closes for NONE"}"#
        );
    }
}

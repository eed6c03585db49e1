//! The strategy language: text to tree, tree to weights, and the trace of how.
//!
//! In reading order: `form` and `scan` (brackets and words), `read` and `steps` (forms of either
//! encoding to a tree, by way of `plant`), `tree` and `condition`, `write` (and back), `function` and
//! `measure` (the indicators), `needs` (how much history), `board` (closes side by side), `study`,
//! `nearly` and `past` (values on demand), `evaluate` (today's walk), `parts` (what it hands out),
//! `decided` (without its path), `turn` and `cut` (what would change it), [`trace`], [`outline`] (all
//! of it, to be drawn); [`lint`] with `places`.

mod board;
mod condition;
mod cut;
mod decided;
mod evaluate;
mod fault;
pub mod form;
pub mod function;
pub mod lint;
pub mod measure;
mod nearly;
mod needs;
pub mod outline;
mod parts;
mod past;
mod places;
mod plant;
mod read;
mod read_error;
mod scan;
mod steps;
mod study;
pub mod trace;
mod tree;
mod turn;
mod write;

use std::fmt;

use jiff::civil::Date;

use crate::domain::market::Histories;
use crate::domain::run::StrategyName;
use crate::domain::strategy::{Needs, Signal, StrategyEngine, StrategyError};
use crate::domain::symphony::form::ReadError;
use crate::domain::symphony::outline::{Drawing, Outline};
use crate::domain::symphony::tree::Tree;

pub use crate::domain::symphony::decided::{Decided, Scratch};
pub use crate::domain::symphony::study::STEPS_MAX;
pub use crate::domain::symphony::write::{Encoding, TooLong};

/// A strategy written in the symphony language.
pub struct SymphonyEngine {
    name: StrategyName,
    tree: Tree,
    needs: Needs,
}

impl SymphonyEngine {
    /// Reads a symphony: text, or Composer's steps as JSON or EDN.
    ///
    /// # Errors
    /// [`ReadError`] with line and column, what was expected there and what was found.
    ///
    /// ```
    /// use alchemiser::domain::{run::StrategyName, symphony::SymphonyEngine};
    /// let text = r#"(defsymphony "Calm" {:rebalance-frequency :daily}
    ///   (weight-equal [(if (> (rsi "SPY" {:windw 10}) 79) [(asset "BIL")] [(asset "SPY")])]))"#;
    /// let error = SymphonyEngine::read(StrategyName::parse("calm")?, text).unwrap_err();
    /// let said = "line 2, column 36: expected a window such as {:window 10}, found {:windw 10}";
    /// assert_eq!(error.to_string(), said);
    /// # Ok::<(), alchemiser::domain::run::NameError>(())
    /// ```
    pub fn read(name: StrategyName, text: &str) -> Result<Self, ReadError> {
        let tree = read::read(text)?;
        let needs = needs::of(&tree, text);
        Ok(Self { name, tree, needs })
    }

    /// The title that the text gives it.
    pub fn title(&self) -> &str {
        &self.tree.title
    }

    /// Written out in an encoding; read again, it is the same strategy.
    ///
    /// # Errors
    /// [`TooLong`] for one that shares so many parts that no text of an allowed length holds it.
    pub fn write(&self, encoding: Encoding) -> Result<String, TooLong> {
        write::write(&self.tree, encoding)
    }

    /// How many distinct parts it has, identical ones counted once.
    pub fn size(&self) -> usize {
        self.tree.nodes.len()
    }
}

impl fmt::Debug for SymphonyEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SymphonyEngine({}, {} nodes)", self.name, self.size())
    }
}

impl StrategyEngine for SymphonyEngine {
    fn name(&self) -> &StrategyName {
        &self.name
    }

    fn needs(&self) -> &Needs {
        &self.needs
    }

    fn evaluate(&self, market: &Histories, as_of: Date) -> Result<Signal, StrategyError> {
        self.signal(market, as_of, false)
    }

    fn explain(&self, market: &Histories, as_of: Date) -> Result<Signal, StrategyError> {
        self.signal(market, as_of, true)
    }

    fn drawing(&self, market: &Histories, as_of: Date) -> Option<Drawing> {
        let outline = Outline::of(&self.tree);
        let decision = evaluate::evaluate(&self.tree, false, market, as_of);
        let route = decision.ok().and_then(|decision| outline.follow(&decision.visits));
        Some(Drawing { outline, route })
    }
}

impl SymphonyEngine {
    fn signal(
        &self,
        market: &Histories,
        as_of: Date,
        turns: bool,
    ) -> Result<Signal, StrategyError> {
        let decision = evaluate::evaluate(&self.tree, turns, market, as_of)?;
        Ok(Signal {
            strategy: self.name.clone(),
            as_of,
            weights: decision.weights,
            cash: decision.cash,
            confidence: decision.trace.confidence(),
            trace: decision.trace,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;
    use crate::domain::market::History;
    use crate::domain::money::Weight;
    use crate::domain::symbol::Symbol;
    use crate::domain::symphony::trace::Step;

    const AS_OF: Date = date(2026, 1, 30);

    fn engine(body: &str) -> SymphonyEngine {
        let text = format!("(defsymphony \"t\" {{}} {body})");
        SymphonyEngine::read(StrategyName::parse("mine").unwrap(), &text).unwrap()
    }

    /// Closes on the last days up to `last`, by symbol.
    fn ending(last: Date, columns: &[(&str, &[f64])]) -> BTreeMap<Symbol, History> {
        let history = |closes: &[f64]| {
            let days = last.series(jiff::Span::new().days(-1)).take(closes.len());
            let mut days: Vec<Date> = days.collect();
            days.reverse();
            History::new(days, closes.to_vec(), vec![]).unwrap()
        };
        let rows =
            columns.iter().map(|(name, closes)| (Symbol::parse(name).unwrap(), history(closes)));
        rows.collect()
    }

    fn evaluate(body: &str, columns: &[(&str, &[f64])]) -> Result<Signal, StrategyError> {
        engine(body).evaluate(&Histories::new(ending(AS_OF, columns)), AS_OF)
    }

    fn weights(body: &str, columns: &[(&str, &[f64])]) -> Vec<String> {
        let signal = evaluate(body, columns).unwrap();
        signal.weights.iter().map(|(symbol, weight)| format!("{symbol} {weight}")).collect()
    }

    const A_AND_B: [(&str, &[f64]); 2] = [("A", &[10.0, 11.0, 12.0]), ("B", &[10.0, 9.0, 9.5])];

    #[test]
    fn thirds_are_rounded_down_and_the_remainder_goes_to_the_first_listed() {
        let body = "(weight-equal [(asset \"C\") (asset \"A\") (asset \"B\")])";
        assert_eq!(weights(body, &[]), ["C 0.333333334", "A 0.333333333", "B 0.333333333"]);
    }

    #[test]
    fn a_symbol_reached_twice_is_summed_where_it_was_first_listed() {
        let body = "(weight-equal [(asset \"A\") (asset \"B\") (asset \"A\")])";
        assert_eq!(weights(body, &[]), ["A 0.666666667", "B 0.333333333"]);
    }

    #[test]
    fn a_weight_of_zero_names_nothing_and_needs_no_value() {
        let unneeded = "(if (> (rsi \"B\" {:window 10}) 5) [(asset \"B\")] [])";
        let body = format!("(weight-specified 0 {unneeded} 1 (asset \"A\"))");
        assert_eq!(weights(&body, &[]), ["A 1"]);
    }

    #[test]
    fn cash_and_weights_sum_to_exactly_one() {
        let body = "(weight-equal [(asset \"A\") (asset \"B\") \
                    (if (> (current-price \"A\") 1) [] [(asset \"B\")])])";
        let signal = evaluate(body, &A_AND_B).unwrap();
        let sum = signal
            .weights
            .iter()
            .fold(signal.cash, |sum, (_, weight)| sum.checked_add(*weight).unwrap());
        assert_eq!((signal.cash, sum), (Weight::parse("0.333333333").unwrap(), Weight::ONE));
    }

    #[test]
    fn a_signal_that_names_nothing_is_a_failure() {
        let body = "(if (> (current-price \"A\") 1) [] [(asset \"B\")])";
        assert_eq!(evaluate(body, &A_AND_B), Err(StrategyError::Empty));
    }

    #[test]
    fn equality_goes_to_the_second_branch_of_a_strict_test() {
        let body = "(if (> (current-price \"A\") 12) [(asset \"A\")] [(asset \"B\")])";
        assert_eq!(weights(body, &A_AND_B), ["B 1"]);
    }

    #[test]
    fn only_the_taken_path_needs_its_values() {
        let body = "(if (> (current-price \"A\") 5) [(asset \"A\")] \
                    [(if (> (rsi \"NONE\" {:window 10}) 50) [(asset \"B\")] [])])";
        assert_eq!(weights(body, &A_AND_B), ["A 1"]);
        let reached = body.replace("5)", "50)");
        let symbol = Symbol::parse("NONE").unwrap();
        assert_eq!(evaluate(&reached, &A_AND_B), Err(StrategyError::NoHistory { symbol }));
    }

    #[test]
    fn a_compound_condition_needs_only_what_decides_it() {
        let none = "(> (rsi \"NONE\" {:window 10}) 50)";
        let (yes, no) = ("(> (current-price \"A\") 11)", "(< (current-price \"A\") 11)");
        for (condition, taken) in [
            (format!("(or {yes} {none})"), "A 1"),
            (format!("(and {no} {none})"), "B 1"),
            (format!("(and {yes} (or {no} {yes} {none}))"), "A 1"),
            (format!("(or {no} (and {yes} {no} {none}) (= (current-price \"A\") 12))"), "A 1"),
        ] {
            let body = format!("(if {condition} [(asset \"A\")] [(asset \"B\")])");
            assert_eq!(weights(&body, &A_AND_B), [taken], "{body}");
        }
        let body = format!("(if (or {no} {none}) [(asset \"A\")] [(asset \"B\")])");
        assert!(matches!(evaluate(&body, &A_AND_B), Err(StrategyError::NoHistory { .. })));
    }

    #[test]
    fn a_compound_condition_is_as_close_as_what_would_turn_it_first() {
        // A stands at 12: 0.5 and 2 above, or 0.5 and 2 below, in ratios of the right side.
        let at = |sign: &str, level: &str| format!("({sign} (current-price \"A\") {level})");
        let (near, far) = (at(">", "11.5"), at(">", "10"));
        let (near_not, far_not) = (at(">", "12.5"), at(">", "14"));
        let near_below = 0.5 / 12.5;
        for (condition, expected) in [
            (format!("(and {far} {near})"), 0.5 / 11.5),
            (format!("(or {far_not} {far} {near})"), 0.2),
            (format!("(and {far} {near_not} {far_not})"), near_below),
            (format!("(or {far_not} {near_not})"), near_below),
            (format!("(and {far} (or {near_not} {near}))"), 0.5 / 11.5),
        ] {
            let body = format!("(if {condition} [(asset \"A\")] [(asset \"B\")])");
            let confidence = evaluate(&body, &A_AND_B).unwrap().confidence.unwrap();
            assert!((confidence - expected).abs() < 1e-12, "{condition}: {confidence}");
        }
    }

    #[test]
    fn a_portfolio_is_ranked_by_its_deepest_fall() {
        // The pair returns 0% and then 7.3%; B alone falls by 10%; cash never falls at all.
        let pair = "(group \"pair\" [(weight-equal [(asset \"A\") (asset \"B\")])])";
        let body = format!(
            "(filter (max-drawdown {{:window 3}}) (select-bottom 2) [(asset \"B\") {pair} []])"
        );
        let signal = evaluate(&body, &A_AND_B).unwrap();
        let Step::Ranking(ranking) = &signal.trace.steps[0] else { panic!() };
        let scores: Vec<String> =
            ranking.scores.iter().map(|(n, s)| format!("{n} {s:.4}")).collect();
        assert_eq!(scores, ["pair 0.0000", "cash 0.0000", "B 10.0000"]);
        assert_eq!(signal.cash, Weight::parse("0.5").unwrap());
        // One more day than there is return.
        let error = evaluate(&body.replace(":window 3", ":window 4"), &A_AND_B).unwrap_err();
        assert!(error.to_string().contains("drawdown within 4 days needs 4, have 3"), "{error}");
    }

    #[test]
    fn exponential_averages_and_oscillators_are_compared_like_any_other_value() {
        // Over two days the average of 10, 11, 12 is 10, 10.67, 11.56.
        let ema = "(exponential-moving-average-price \"A\" {:window 2})";
        let body = format!(
            "(if (and (> {ema} 11.555) (< {ema} 11.556) \
             (> (percentage-price-oscillator \"A\" {{:short-window 1, :long-window 2}}) 3.8) \
             (> (percentage-price-oscillator-signal \"A\" 1 2 2) 3.5) \
             (= (stdev-price \"A\" {{:window 3}}) 1)) [(asset \"A\")] [(asset \"B\")])"
        );
        assert_eq!(weights(&body, &A_AND_B), ["A 1"]);
        let short = body.replace("\"A\" 1 2 2", "\"A\" 1 3 2");
        let said = "too few closes for A: PPO signal(1, 3, 2) needs 4, have 3";
        assert_eq!(evaluate(&short, &A_AND_B).unwrap_err().to_string(), said);
    }

    #[test]
    fn a_short_history_is_named_with_its_window() {
        let body = "(if (> (rsi \"A\" {:window 10}) 50) [(asset \"A\")] [])";
        let error = evaluate(body, &A_AND_B).unwrap_err();
        assert_eq!(error.to_string(), "too few closes for A: RSI(10) needs 11, have 3");
    }

    #[test]
    fn a_ranking_needs_every_candidate() {
        let body = "(filter (cumulative-return {:window 2}) (select-top 1) \
                    [(asset \"A\") (asset \"NONE\")])";
        assert!(matches!(evaluate(body, &A_AND_B), Err(StrategyError::NoHistory { .. })));
    }

    #[test]
    fn a_stale_symbol_fails_the_strategy_that_needs_it() {
        let mut market = ending(AS_OF, &A_AND_B);
        market.extend(ending(date(2026, 1, 29), &[("B", &[10.0, 9.0])]));
        let body = "(if (> (current-price \"B\") 5) [(asset \"A\")] [])";
        let error = engine(body).evaluate(&Histories::new(market), AS_OF).unwrap_err();
        let said = "stale closes for B: last 2026-01-29, expected 2026-01-30";
        assert_eq!(error.to_string(), said);
    }

    #[test]
    fn what_happened_after_the_decision_day_is_not_seen() {
        let body = "(if (> (current-price \"A\") 11.5) [(asset \"A\")] [(asset \"B\")])";
        let market = Histories::new(ending(date(2026, 1, 31), &A_AND_B));
        let signal = engine(body).evaluate(&market, AS_OF).unwrap();
        assert_eq!(signal.weight_of(&Symbol::parse("B").unwrap()), Weight::ONE);
    }

    #[test]
    fn ties_keep_the_listed_order_at_either_end() {
        let columns: [(&str, &[f64]); 3] =
            [("A", &[10.0, 11.0]), ("B", &[20.0, 22.0]), ("C", &[10.0, 9.0])];
        for (pick, first) in [("top", ["A 1", "B 1"]), ("bottom", ["C 1", "C 1"])] {
            for (listed, expected) in ["\"A\" \"B\" \"C\"", "\"B\" \"A\" \"C\""].iter().zip(first) {
                let assets = listed.replace("\" \"", "\") (asset \"");
                let body = format!(
                    "(filter (cumulative-return {{:window 1}}) (select-{pick} 1) [(asset {assets})])"
                );
                assert_eq!(weights(&body, &columns), [expected], "{body}");
            }
        }
    }

    #[test]
    fn a_candidate_listed_twice_is_two_candidates_and_its_own_copy_is_no_rival() {
        let body = "(filter (cumulative-return {:window 2}) (select-top 2) \
                    [(asset \"A\") (asset \"B\") (asset \"A\") (asset \"A\")])";
        assert_eq!(weights(body, &A_AND_B), ["A 1"]);
        let signal = evaluate(body, &A_AND_B).unwrap();
        // 20% against -5%: a quarter, not the nothing that lies between two copies of A.
        assert!((signal.confidence.unwrap() - 0.25).abs() < 1e-9, "{signal:?}");
    }

    #[test]
    fn a_portfolio_is_ranked_on_what_it_would_have_held() {
        // The switch holds A after days on which A closed above 10.5, else B. Its returns are
        // those of B (-10%), then A (+9.1%): better than A's neighbour C, worse than A alone.
        let switch = "(group \"switch\" [(if (> (current-price \"A\") 10.5) \
                      [(asset \"A\")] [(asset \"B\")])])";
        let columns: [(&str, &[f64]); 3] =
            [("A", &[10.0, 11.0, 12.0]), ("B", &[10.0, 9.0, 20.0]), ("C", &[10.0, 9.0, 9.0])];
        let body = format!(
            "(filter (cumulative-return {{:window 2}}) (select-top 3) [{switch} (asset \"A\") (asset \"C\")])"
        );
        let signal = evaluate(&body, &columns).unwrap();
        let Step::Ranking(ranking) = &signal.trace.steps[0] else { panic!() };
        let scores: Vec<String> =
            ranking.scores.iter().map(|(n, s)| format!("{n} {s:.4}")).collect();
        assert_eq!(scores, ["A 20.0000", "switch -1.8182", "C -10.0000"]);
        assert_eq!(ranking.margin, None);
    }

    #[test]
    fn a_portfolios_history_ends_where_a_member_is_missing() {
        let body = "(filter (stdev-return {:window 3}) (select-top 1) \
                    [(group \"pair\" [(weight-equal [(asset \"A\") (asset \"B\")])]) (asset \"A\")])";
        let columns: [(&str, &[f64]); 2] =
            [("A", &[1.0, 2.0, 3.0, 2.0, 1.0]), ("B", &[1.0, 2.0, 1.0])];
        let error = evaluate(body, &columns).unwrap_err();
        assert_eq!(
            error.to_string(),
            "too few closes for pair: volatility over 3 days \
             (no return on 2026-01-28: no closes for B) needs 3, have 2"
        );
    }

    #[test]
    fn an_index_of_a_portfolio_uses_its_longest_unbroken_run() {
        // B has no bar on the 27th: the pair has returns on the 29th and 30th only.
        let mut market = ending(AS_OF, &[("A", &[10.0, 11.0, 12.0, 11.0, 13.0, 12.0])]);
        let days = [25, 26, 28, 29, 30].map(|day| date(2026, 1, day)).to_vec();
        let holed = History::new(days, vec![5.0, 5.5, 5.5, 6.0, 6.5], vec![]).unwrap();
        market.insert(Symbol::parse("B").unwrap(), holed);
        let market = Histories::new(market);
        let body = |window: u8| {
            format!(
                "(filter (rsi {{:window {window}}}) (select-top 1) [(group \"pair\" \
                 [(weight-equal [(asset \"A\") (asset \"B\")])]) (asset \"A\")])"
            )
        };
        assert!(engine(&body(2)).evaluate(&market, AS_OF).is_ok());
        let error = engine(&body(3)).evaluate(&market, AS_OF).unwrap_err().to_string();
        assert!(error.ends_with("needs 3, have 2"), "{error}");
    }

    #[test]
    fn a_member_without_any_movement_cannot_be_weighed() {
        let body = "(weight-inverse-volatility 2 [(asset \"A\") (asset \"FLAT\")])";
        let columns: [(&str, &[f64]); 2] = [("A", &[10.0, 11.0, 12.0]), ("FLAT", &[5.0, 5.0, 5.0])];
        let error = evaluate(body, &columns).unwrap_err();
        let said = "not a finite value: inverse of volatility over 2 days of FLAT";
        assert_eq!(error.to_string(), said);
    }

    #[test]
    fn the_deepest_text_that_is_read_can_be_evaluated() {
        let choice = |inner: &str| format!("(if (> (current-price \"A\") 1) [{inner}] [])");
        let levels = tree::DEPTH_MAX - 1;
        let deeper = (0..=levels).fold("(asset \"A\")".to_owned(), |inner, _| choice(&inner));
        let text = format!("(defsymphony \"t\" {{}} {deeper})");
        let error = SymphonyEngine::read(StrategyName::parse("mine").unwrap(), &text).unwrap_err();
        assert_eq!(error.expected, "a strategy with fewer levels");
        let deep = (0..levels).fold("(asset \"A\")".to_owned(), |inner, _| choice(&inner));
        assert_eq!(weights(&deep, &A_AND_B), ["A 1"]);
        let ranking = |inner: &str| {
            format!(
                "(filter (cumulative-return {{:window 1}}) (select-top 1) [{inner} (asset \"B\")])"
            )
        };
        let deep = (0..levels).fold("(asset \"A\")".to_owned(), |inner, _| ranking(&inner));
        let closes: Vec<f64> = (1..=300).map(f64::from).collect();
        let columns: [(&str, &[f64]); 2] = [("A", &closes), ("B", &closes)];
        assert!(matches!(weights(&deep, &columns)[..], [_]));
    }
}

//! The text form of a symphony, read into a tree: **the one place to add a form**.
//!
//! A new form of portfolio is a row in [`Reader::portfolio`], a new kind of test a row in
//! [`Reader::condition`]; a new function needs nothing here (see `function`).

use crate::domain::money::Weight;
use crate::domain::strategy::Rebalance;
use crate::domain::symbol::Symbol;
use crate::domain::symphony::form::{Form, ReadError, Source, What};
use crate::domain::symphony::function::{Function, Measure, WINDOW_MAX};
use crate::domain::symphony::tree::{
    Arena, Candidate, Comparison, Constant, Measured, Node, NodeId, Operand, Pick, Relation,
    Series, SeriesId, SymbolId, TooLarge, Tree,
};

/// How far the weights of `weight-specified` may sum away from 1: float noise, nothing more.
const WEIGHTS_SUM_TOLERANCE: f64 = 1e-9;
const WINDOW_FORM: &str = "a window such as {:window 10}";
const PORTFOLIO_FORM: &str = "an asset, a group, an if, a filter or a weighting";
const CONDITION_FORM: &str = "a condition such as (> (rsi \"SPY\" {:window 10}) 79)";

type Read<T> = Result<T, ReadError>;

/// Reads the text of a symphony.
pub(crate) fn read(text: &str) -> Read<Tree> {
    let source = Source(text);
    let form = source.form()?;
    Reader { source, arena: Arena::default() }.symphony(&form)
}

struct Reader<'t> {
    source: Source<'t>,
    arena: Arena,
}

impl Reader<'_> {
    fn symphony(mut self, form: &Form<'_>) -> Read<Tree> {
        let expected = "(defsymphony \"title\" {:rebalance-frequency :daily} weighting)";
        let (title, meta, body) = match call(form) {
            Some(("defsymphony", [title, meta, body])) => (title, Some(meta), body),
            Some(("defsymphony", [title, body])) => (title, None, body),
            Some(_) | None => return Err(self.source.refuse(form, expected)),
        };
        let What::Text(title) = &title.what else {
            return Err(self.source.refuse(title, "a title in quotes"));
        };
        let rebalance = meta.map_or(Ok(Rebalance::Daily), |meta| self.rebalance(meta))?;
        let root = self.portfolio(body)?;
        Ok(self.arena.into_tree(title.to_string(), rebalance, root))
    }

    fn rebalance(&self, meta: &Form<'_>) -> Read<Rebalance> {
        let keys = ":asset-class, :rebalance-frequency or :rebalance-threshold";
        let What::Map(entries) = &meta.what else {
            return Err(self.source.refuse(meta, format!("a map with {keys}")));
        };
        let mut rebalance = None;
        for entry in entries.chunks(2) {
            let [Form { what: What::Keyword(key), .. }, value] = entry else {
                return Err(self.source.refuse(&entry[0], format!("{keys}, each with a value")));
            };
            let found = match *key {
                "asset-class" if matches!(value.what, What::Text(_)) => continue,
                "asset-class" => {
                    return Err(self.source.refuse(value, "an asset class in quotes"));
                }
                "rebalance-frequency" => self.frequency(value)?,
                "rebalance-threshold" => Rebalance::Threshold(self.fraction(value)?),
                _ => return Err(self.source.refuse(&entry[0], keys)),
            };
            if rebalance.replace(found).is_some() {
                let expected = "one of a frequency or a threshold, once";
                return Err(self.source.refuse(&entry[0], expected));
            }
        }
        Ok(rebalance.unwrap_or_default())
    }

    fn frequency(&self, form: &Form<'_>) -> Read<Rebalance> {
        let word = if let What::Keyword(word) = form.what { word } else { "" };
        match word {
            "daily" => Ok(Rebalance::Daily),
            "weekly" => Ok(Rebalance::Weekly),
            "monthly" => Ok(Rebalance::Monthly),
            "quarterly" => Ok(Rebalance::Quarterly),
            "yearly" => Ok(Rebalance::Yearly),
            _ => {
                let expected = "one of :daily :weekly :monthly :quarterly :yearly";
                Err(self.source.refuse(form, expected))
            }
        }
    }

    fn fraction(&self, form: &Form<'_>) -> Read<Weight> {
        let What::Number(value) = form.what else {
            return Err(self.source.refuse(form, "a fraction from 0 to 1"));
        };
        Weight::from_ratio(value).map_err(|_| self.source.refuse(form, "a fraction from 0 to 1"))
    }

    /// Any form that stands for a portfolio.
    fn portfolio(&mut self, form: &Form<'_>) -> Read<NodeId> {
        match call(form) {
            Some(("weight-equal", children)) => self.equal(form, children),
            Some(("weight-specified", parts)) => self.specified(form, parts),
            Some(("weight-inverse-volatility", parts)) => self.inverse_volatility(form, parts),
            Some(("if", parts)) => self.choice(form, parts),
            Some(("filter", parts)) => self.filter(form, parts),
            Some(("group", parts)) => self.group(form, parts),
            Some(("asset", parts)) => self.asset(form, parts),
            Some(_) | None => Err(self.source.refuse(form, PORTFOLIO_FORM)),
        }
    }

    /// Children, listed in brackets or not; an empty list is for the caller to judge.
    fn portfolios(&mut self, forms: &[Form<'_>]) -> Read<Vec<NodeId>> {
        let mut nodes = Vec::with_capacity(forms.len());
        for form in forms {
            let listed = match &form.what {
                What::Vector(children) => &children[..],
                What::List(_)
                | What::Map(_)
                | What::Text(_)
                | What::Number(_)
                | What::Keyword(_)
                | What::Symbol(_)
                | What::Nil
                | What::Flag(_) => std::slice::from_ref(form),
            };
            for child in listed {
                nodes.push(self.portfolio(child)?);
            }
        }
        Ok(nodes)
    }

    fn equal(&mut self, form: &Form<'_>, children: &[Form<'_>]) -> Read<NodeId> {
        let children = self.portfolios(children)?;
        if children.is_empty() {
            return Err(self.source.refuse(form, "at least one child"));
        }
        self.plant(form, Node::Equal(children.into()))
    }

    fn specified(&mut self, form: &Form<'_>, parts: &[Form<'_>]) -> Read<NodeId> {
        let expected = "pairs such as (weight-specified 0.75 (asset \"SPY\") 0.25 (asset \"BIL\"))";
        let mut children = Vec::with_capacity(parts.len() / 2);
        let mut sum = 0.0;
        for pair in parts.chunks(2) {
            let [weight, child] = pair else { return Err(self.source.refuse(form, expected)) };
            let value = if let What::Number(value) = weight.what { value } else { f64::NAN };
            if !(0.0..=1.0).contains(&value) {
                return Err(self.source.refuse(weight, "a weight from 0 to 1"));
            }
            sum += value;
            children.push((Constant::new(value), self.branch(child)?));
        }
        if (sum - 1.0).abs() > WEIGHTS_SUM_TOLERANCE {
            let found = format!("a sum of {sum}");
            return Err(self.source.refuse_as(form, "weights that sum to 1", found));
        }
        self.plant(form, Node::Specified(children.into()))
    }

    fn inverse_volatility(&mut self, form: &Form<'_>, parts: &[Form<'_>]) -> Read<NodeId> {
        let expected = "(weight-inverse-volatility days [children])";
        let [days, children @ ..] = parts else { return Err(self.source.refuse(form, expected)) };
        let window = self.whole(days, Function::StdevReturn.window_min().unwrap_or(1))?;
        let by = Measure { function: Function::StdevReturn, window };
        let children = self.portfolios(children)?;
        if children.is_empty() {
            return Err(self.source.refuse(form, expected));
        }
        let members = self.candidates(form, children, by)?;
        self.plant(form, Node::InverseVolatility { members, by })
    }

    fn choice(&mut self, form: &Form<'_>, parts: &[Form<'_>]) -> Read<NodeId> {
        let [condition, then, otherwise] = parts else {
            return Err(self.source.refuse(form, "(if condition [then] [else])"));
        };
        let condition = self.condition(condition)?;
        let (then, otherwise) = (self.branch(then)?, self.branch(otherwise)?);
        self.plant(form, Node::If { condition, then, otherwise })
    }

    /// A branch: nothing is cash, one child stands for itself, several share it equally.
    fn branch(&mut self, form: &Form<'_>) -> Read<NodeId> {
        let children = self.portfolios(std::slice::from_ref(form))?;
        match children[..] {
            [] => self.plant(form, Node::Cash),
            [only] => Ok(only),
            _ => self.plant(form, Node::Equal(children.into())),
        }
    }

    fn filter(&mut self, form: &Form<'_>, parts: &[Form<'_>]) -> Read<NodeId> {
        let expected = "(filter (rsi {:window 10}) (select-top 1) [children])";
        let [score, select, children @ ..] = parts else {
            return Err(self.source.refuse(form, expected));
        };
        let by = match call(score) {
            Some((name, parts)) => self.measure(score, name, parts)?,
            None => return Err(self.source.refuse(score, "a score such as (rsi {:window 10})")),
        };
        let (pick, count) = match call(select) {
            Some(("select-top", [count])) => (Pick::Top, self.whole(count, 1)?),
            Some(("select-bottom", [count])) => (Pick::Bottom, self.whole(count, 1)?),
            Some(_) | None => {
                return Err(self.source.refuse(select, "(select-top 1) or (select-bottom 1)"));
            }
        };
        let children = self.portfolios(children)?;
        if children.is_empty() {
            return Err(self.source.refuse(form, expected));
        }
        let candidates = self.candidates(form, children, by)?;
        self.plant(form, Node::Filter { by, pick, count, candidates })
    }

    fn candidates(
        &mut self,
        form: &Form<'_>,
        children: Vec<NodeId>,
        by: Measure,
    ) -> Read<Box<[Candidate]>> {
        let only_assets = children.iter().all(|child| self.arena.is_asset(*child));
        if !only_assets && !by.function.scores_portfolios() {
            let expected = format!("only assets: {} has no meaning for others", by.function.name());
            return Err(self.source.refuse(form, expected));
        }
        let candidate = |child| self.arena.candidate(child, by);
        let candidates: Result<_, TooLarge> = children.into_iter().map(candidate).collect();
        candidates.map_err(|TooLarge| self.too_large(form))
    }

    fn group(&mut self, form: &Form<'_>, parts: &[Form<'_>]) -> Read<NodeId> {
        let expected = "(group \"title\" [one child])";
        let [Form { what: What::Text(title), .. }, children @ ..] = parts else {
            return Err(self.source.refuse(form, expected));
        };
        let [child] = self.portfolios(children)?[..] else {
            return Err(self.source.refuse(form, expected));
        };
        self.plant(form, Node::Group { title: title.as_ref().into(), child })
    }

    fn asset(&mut self, form: &Form<'_>, parts: &[Form<'_>]) -> Read<NodeId> {
        let ([ticker] | [ticker, Form { what: What::Text(_) | What::Nil, .. }]) = parts else {
            return Err(self.source.refuse(form, "(asset \"TICKER\" \"description\")"));
        };
        let symbol = self.symbol(ticker)?;
        self.plant(form, Node::Asset(symbol))
    }

    fn condition(&mut self, form: &Form<'_>) -> Read<Comparison> {
        let Some((sign, [left, right])) = call(form) else {
            return Err(self.source.refuse(form, CONDITION_FORM));
        };
        let relation =
            Relation::signed(sign).ok_or_else(|| self.source.refuse(form, CONDITION_FORM))?;
        let left = self.indicator(left)?;
        let right = if let What::Number(value) = right.what {
            Operand::Number(Constant::new(value))
        } else {
            Operand::Series(self.series(right)?)
        };
        let left = self.arena.series(left).map_err(|TooLarge| self.too_large(form))?;
        Ok(Comparison { left, relation, right })
    }

    fn series(&mut self, form: &Form<'_>) -> Read<SeriesId> {
        let series = self.indicator(form)?;
        self.arena.series(series).map_err(|TooLarge| self.too_large(form))
    }

    /// A function of a symbol, such as `(rsi "SPY" {:window 10})`.
    fn indicator(&mut self, form: &Form<'_>) -> Read<Series> {
        let Some((name, [ticker, window @ ..])) = call(form) else {
            let expected = "an indicator such as (rsi \"SPY\" {:window 10})";
            return Err(self.source.refuse(form, expected));
        };
        let measure = self.measure(form, name, window)?;
        Ok(Series { of: Measured::Closes(self.symbol(ticker)?), measure })
    }

    /// A function name and its window map, if it takes one.
    fn measure(&self, form: &Form<'_>, name: &str, window: &[Form<'_>]) -> Read<Measure> {
        let Some(function) = Function::named(name) else {
            let known = Function::ALL.map(Function::name).join(", ");
            return Err(self.source.refuse_as(form, format!("one of {known}"), name));
        };
        match (function.window_min(), window) {
            (None, []) => Ok(Measure { function, window: 1 }),
            (None, [first, ..]) => Err(self.source.refuse(first, format!("no window for {name}"))),
            (Some(least), [Form { what: What::Map(entries), .. }]) => match &entries[..] {
                [Form { what: What::Keyword("window"), .. }, days] => {
                    Ok(Measure { function, window: self.whole(days, least)? })
                }
                _ => Err(self.source.refuse(&window[0], WINDOW_FORM)),
            },
            (Some(_), [first, ..]) => Err(self.source.refuse(first, WINDOW_FORM)),
            (Some(_), []) => Err(self.source.refuse(form, WINDOW_FORM)),
        }
    }

    fn whole(&self, form: &Form<'_>, least: u16) -> Read<u16> {
        let refused =
            || self.source.refuse(form, format!("a whole number from {least} to {WINDOW_MAX}"));
        let What::Number(value) = form.what else { return Err(refused()) };
        // Through text: the only way from a float to an integer without a silent cast.
        let whole = value.to_string().parse::<u16>().map_err(|_| refused())?;
        if (least..=WINDOW_MAX).contains(&whole) { Ok(whole) } else { Err(refused()) }
    }

    fn symbol(&mut self, form: &Form<'_>) -> Read<SymbolId> {
        let What::Text(text) = &form.what else {
            return Err(self.source.refuse(form, "a ticker in quotes"));
        };
        let plain = plain_ticker(text);
        let symbol = Symbol::parse(plain)
            .map_err(|_| self.source.refuse(form, "a ticker such as \"SPY\" or \"BRK/B\""))?;
        self.arena.symbol(symbol).map_err(|TooLarge| self.too_large(form))
    }

    fn plant(&mut self, form: &Form<'_>, node: Node) -> Read<NodeId> {
        self.arena.node(node).map_err(|TooLarge| self.too_large(form))
    }

    fn too_large(&self, form: &Form<'_>) -> ReadError {
        let expected = "a strategy with fewer distinct parts";
        self.source.refuse_as(form, expected, "one too many")
    }
}

/// The name and the rest of a list that begins with a name.
fn call<'f, 't>(form: &'f Form<'t>) -> Option<(&'t str, &'f [Form<'t>])> {
    let What::List(forms) = &form.what else { return None };
    match forms.split_first() {
        Some((Form { what: What::Symbol(name), .. }, rest)) => Some((name, rest)),
        _ => None,
    }
}

/// Composer's long spelling `EQUITIES::SPY//USD` without its frame.
fn plain_ticker(text: &str) -> &str {
    text.strip_prefix("EQUITIES::").and_then(|rest| rest.strip_suffix("//USD")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(body: &str) -> Tree {
        read(&format!("(defsymphony \"t\" {{}} {body})")).unwrap()
    }

    fn complaint(body: &str) -> String {
        read(&format!("(defsymphony \"t\" {{}}\n{body})")).unwrap_err().to_string()
    }

    fn rebalance(meta: &str) -> Read<Rebalance> {
        read(&format!("(defsymphony \"t\" {meta} (asset \"SPY\"))")).map(|tree| tree.rebalance)
    }

    #[test]
    fn brackets_around_children_are_optional() {
        let listed = tree("(weight-equal [(asset \"A\") (asset \"B\" \"described\")])");
        assert_eq!(listed, tree("(weight-equal (asset \"A\") (asset \"B\" nil))"));
        let condition = "(> (current-price \"A\") 5)";
        let bare = tree(&format!("(if {condition} (asset \"A\") (asset \"B\"))"));
        assert_eq!(bare, tree(&format!("(if {condition} [(asset \"A\")] [(asset \"B\")])")));
    }

    #[test]
    fn a_branch_of_several_children_shares_equally_and_an_empty_one_is_cash() {
        let tree = tree("(if (<= (current-price \"A\") -5.5) [(asset \"A\") (asset \"B\")] [])");
        let Node::If { then, otherwise, condition } = tree.node(tree.root) else { panic!() };
        assert!(matches!(tree.node(*then), Node::Equal(children) if children.len() == 2));
        assert_eq!(tree.node(*otherwise), &Node::Cash);
        assert_eq!(condition.right, Operand::Number(Constant::new(-5.5)));
        assert_eq!(condition.relation, Relation::AtMost);
    }

    #[test]
    fn repeated_parts_of_a_text_are_stored_once() {
        let part = "(group \"g\" [(if (> (rsi \"A\" {:window 10}) 79) [(asset \"B\")] [])])";
        let ladder = tree(&format!("(weight-equal [{part} {part} (group \"h\" [{part}])])"));
        // B, cash, the choice, g, h, the weighting.
        assert_eq!((ladder.nodes.len(), ladder.series.len()), (6, 1));
    }

    #[test]
    fn tickers_come_in_three_spellings() {
        let all = "(weight-equal [(asset \"BRK/B\") (asset \"BRK.B\") \
                   (asset \"EQUITIES::BRK/B//USD\")])";
        assert_eq!(tree(all).symbols, [Symbol::parse("BRK.B").unwrap()]);
    }

    #[test]
    fn meta_says_when_to_rebalance() {
        assert_eq!(rebalance("{}").unwrap(), Rebalance::Daily);
        assert_eq!(
            rebalance("{:asset-class \"EQUITIES\", :rebalance-frequency :weekly}").unwrap(),
            Rebalance::Weekly
        );
        let tenth = Rebalance::Threshold(Weight::parse("0.1").unwrap());
        assert_eq!(rebalance("{:rebalance-threshold 0.1}").unwrap(), tenth);
        for bad in [
            "{:rebalance-threshold 1.5}",
            "{:rebalance-threshold 0.1 :rebalance-frequency :daily}",
            "{:rebalance-frequency :hourly}",
            "{:rebalance-frequency \"daily\"}",
            "{:colour :red}",
            "{:asset-class}",
            "{:asset-class 5}",
            "[]",
        ] {
            assert!(rebalance(bad).is_err(), "{bad}");
        }
    }

    /// What is wrong, and what must be said of it.
    const COMPLAINTS: &[(&str, &str)] = &[
        (
            "(if (> (rsi \"SPY\" {:windw 10}) 79) [] [])",
            "line 2, column 19: expected a window such as {:window 10}, found {:windw 10}",
        ),
        (
            "(if (> (rsi \"SPY\" 10) 79) [] [])",
            "line 2, column 19: expected a window such as {:window 10}, found 10",
        ),
        (
            "(if (> (rsi \"SPY\" ) 79) [] [])",
            "line 2, column 8: expected a window such as {:window 10}, found (rsi \"SPY\" )",
        ),
        (
            "(if (> (rsi \"SPY\" {:window 0}) 79) [] [])",
            "line 2, column 28: expected a whole number from 1 to 1000, found 0",
        ),
        (
            "(if (> (rsi \"SPY\" {:window 10.5}) 79) [] [])",
            "line 2, column 28: expected a whole number from 1 to 1000, found 10.5",
        ),
        (
            "(if (> (rsi \"SPY\" {:window 5000}) 79) [] [])",
            "line 2, column 28: expected a whole number from 1 to 1000, found 5000",
        ),
        (
            "(weight-inverse-volatility 1 [(asset \"A\")])",
            "expected a whole number from 2 to 1000, found 1",
        ),
        (
            "(if (> (current-price \"A\" {:window 3}) 1) [] [])",
            "expected no window for current-price, found {:window 3}",
        ),
        (
            "(if (> (magic \"A\" {:window 3}) 1) [] [])",
            "cumulative-return, stdev-return, rsi, found magic",
        ),
        (
            "(if (= (current-price \"A\") 1) [] [])",
            "expected a condition such as (> (rsi \"SPY\" {:window 10}) 79), found (= (current-price \"A\") 1)",
        ),
        (
            "(if (> 79 (current-price \"A\")) [] [])",
            "expected an indicator such as (rsi \"SPY\" {:window 10}), found 79",
        ),
        (
            "(if (> (current-price \"A\") 1) [])",
            "expected (if condition [then] [else]), found (if (> (current-price \"A\") 1) [])",
        ),
        (
            "(weight-specified 0.5 (asset \"A\") 0.6 (asset \"B\"))",
            "expected weights that sum to 1, found a sum of 1.1",
        ),
        ("(weight-specified 1.5 (asset \"A\"))", "expected a weight from 0 to 1, found 1.5"),
        (
            "(weight-specified -1 (asset \"A\") 2 (asset \"A\"))",
            "expected a weight from 0 to 1, found -1",
        ),
        ("(weight-specified 1)", "expected pairs such as"),
        ("(weight-equal [])", "expected at least one child, found (weight-equal [])"),
        ("(group \"g\" [])", "expected (group \"title\" [one child]), found (group \"g\" [])"),
        ("(group \"g\" [(asset \"A\") (asset \"B\")])", "expected (group \"title\" [one child])"),
        ("(asset \"spy\")", "expected a ticker such as \"SPY\" or \"BRK/B\", found \"spy\""),
        ("(asset SPY)", "expected a ticker in quotes, found SPY"),
        ("(asset \"A\" 5)", "expected (asset \"TICKER\" \"description\")"),
        (
            "(wt-marketcap [(asset \"A\")])",
            "expected an asset, a group, an if, a filter or a weighting",
        ),
        ("\"SPY\"", "expected an asset, a group, an if, a filter or a weighting, found \"SPY\""),
        (
            "(filter (rsi {:window 10}) (select-middle 1) [(asset \"A\")])",
            "expected (select-top 1) or (select-bottom 1), found (select-middle 1)",
        ),
        (
            "(filter (rsi {:window 10}) (select-top 0) [(asset \"A\")])",
            "expected a whole number from 1 to 1000, found 0",
        ),
        (
            "(filter (rsi {:window 10}) (select-top 1) [])",
            "expected (filter (rsi {:window 10}) (select-top 1) [children])",
        ),
        (
            "(filter (current-price) (select-top 1) [(weight-equal [(asset \"A\")])])",
            "expected only assets: current-price has no meaning for others",
        ),
    ];

    #[test]
    fn what_cannot_be_read_is_named_with_its_place_and_what_should_stand_there() {
        for (body, said) in COMPLAINTS {
            let complaint = complaint(body);
            assert!(complaint.contains(said), "{body}\n  said {complaint}\n  not  {said}");
        }
    }

    #[test]
    fn a_text_that_is_no_symphony_is_refused() {
        for text in ["", "(asset \"SPY\")", "(defsymphony)", "(defsymphony t {} (asset \"A\"))"] {
            assert!(read(text).is_err(), "{text}");
        }
        let many = "(defsymphony \"t\" {} (asset \"A\") (asset \"B\"))";
        assert!(read(many).unwrap_err().expected.starts_with("(defsymphony \"title\""));
    }
}

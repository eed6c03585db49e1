//! The readers of a symphony: the text form here, the step form in `steps`: **the one place to
//! add a form**.
//!
//! A new form of portfolio is a row in [`Reader::portfolio`], a new kind of test a row in
//! [`Reader::condition`]; a new function needs nothing here (see `function`).

use bumpalo::Bump;

use crate::domain::spelling::meant;
use crate::domain::strategy::Rebalance;
use crate::domain::symphony::condition::{Condition, Operand, Relation};
use crate::domain::symphony::form::{Form, ReadError, Source, What};
use crate::domain::symphony::function::Function;
use crate::domain::symphony::measure::Measure;
use crate::domain::symphony::places::Places;
use crate::domain::symphony::plant::{Bed, Planted, Read};
use crate::domain::symphony::steps;
use crate::domain::symphony::tree::{Constant, NodeId, Pick, SeriesId, Tree};

const PORTFOLIO_FORM: &str = "an asset, a group, an if, a filter or a weighting";
const PORTFOLIO_WORDS: [&str; 7] = [
    "weight-equal",
    "weight-specified",
    "weight-inverse-volatility",
    "if",
    "filter",
    "group",
    "asset",
];
const CONDITION_FORM: &str = "a condition such as (> (rsi \"SPY\" {:window 10}) 79)";

/// Reads a symphony: text if it begins with a list, steps (JSON or EDN) if with a map.
pub(crate) fn read(text: &str) -> Read<Tree> {
    let (source, room) = (Source(text), Bump::new());
    let form = source.form(&room)?;
    let mut bed = Bed::of(source);
    let planted = plant(&mut bed, &form)?;
    Ok(bed.tree(planted))
}

/// Reads a symphony from the only form of a text with the place of every part, or with every error
/// that can be told from the first.
pub(crate) fn survey(text: &str, form: &Form<'_>) -> Result<(Tree, Places), Vec<ReadError>> {
    let mut bed = Bed::outlined(Source(text));
    let planted = plant(&mut bed, form);
    bed.survey(planted)
}

fn plant(bed: &mut Bed<'_>, form: &Form<'_>) -> Read<Planted> {
    if matches!(form.what, What::Map(_)) {
        return steps::plant(bed, form);
    }
    Reader { bed }.symphony(form)
}

struct Reader<'b, 't> {
    bed: &'b mut Bed<'t>,
}

impl Reader<'_, '_> {
    fn symphony(mut self, form: &Form<'_>) -> Read<Planted> {
        let expected = "(defsymphony \"title\" {:rebalance-frequency :daily} weighting)";
        let (title, meta, body) = match call(form) {
            Some(("defsymphony", [title, meta, body])) => (title, Some(meta), body),
            Some(("defsymphony", [title, body])) => (title, None, body),
            Some(_) | None => return Err(self.bed.source.refuse(form, expected)),
        };
        let title =
            title.text().ok_or_else(|| self.bed.source.refuse(title, "a title in quotes"))?;
        let rebalance = meta.map_or(Ok(Rebalance::Daily), |meta| self.rebalance(meta));
        let rebalance = self.bed.mend(rebalance, |_| Ok(Rebalance::Daily))?;
        let root = self.branch(body)?; // brackets with nothing in them are cash here too
        Ok(Planted { title: title.to_owned(), rebalance, root })
    }

    fn rebalance(&self, meta: &Form<'_>) -> Read<Rebalance> {
        let source = self.bed.source;
        let keys = ":asset-class, :rebalance-frequency or :rebalance-threshold";
        let What::Map(entries) = &meta.what else {
            return Err(source.refuse(meta, format!("a map with {keys}")));
        };
        let mut rebalance = None;
        for entry in entries.chunks(2) {
            let [Form { what: What::Keyword(key), .. }, value] = entry else {
                return Err(source.refuse(&entry[0], format!("{keys}, each with a value")));
            };
            let found = match *key {
                "asset-class" if matches!(value.what, What::Text(_)) => continue,
                "asset-class" => return Err(source.refuse(value, "an asset class in quotes")),
                "rebalance-frequency" => {
                    let word = if let What::Keyword(word) = value.what { word } else { "" };
                    self.bed.frequency(value, word)?
                }
                "rebalance-threshold" => self.bed.threshold(value, value.number())?,
                _ => {
                    let known = ["asset-class", "rebalance-frequency", "rebalance-threshold"];
                    return Err(source.refuse(&entry[0], keys).hinted(meant(key, known)));
                }
            };
            if rebalance.replace(found).is_some() {
                let expected = "one of a frequency or a threshold, once";
                return Err(source.refuse(&entry[0], expected));
            }
        }
        Ok(rebalance.unwrap_or_default())
    }

    /// Any form that stands for a portfolio.
    fn portfolio(&mut self, form: &Form<'_>) -> Read<NodeId> {
        let read = self.planted(form);
        self.bed.mend(read, |bed| bed.cash(form))
    }

    fn planted(&mut self, form: &Form<'_>) -> Read<NodeId> {
        match call(form) {
            Some(("weight-equal", children)) => {
                let children = self.portfolios(children)?;
                self.bed.equal(form, children)
            }
            Some(("weight-specified", parts)) => self.specified(form, parts),
            Some(("weight-inverse-volatility", parts)) => self.inverse_volatility(form, parts),
            Some(("weight-marketcap" | "wt-marketcap", _)) => {
                let expected = "a weighting that is still offered: by market value was withdrawn";
                Err(self.bed.source.refuse(form, expected))
            }
            Some(("if", parts)) => self.choice(form, parts),
            Some(("filter", parts)) => self.filter(form, parts),
            Some(("group", parts)) => self.group(form, parts),
            Some(("asset", parts)) => self.asset(form, parts),
            Some((name, _)) => {
                let hint = meant(name, PORTFOLIO_WORDS);
                Err(self.bed.source.refuse(form, PORTFOLIO_FORM).hinted(hint))
            }
            None => Err(self.bed.source.refuse(form, PORTFOLIO_FORM)),
        }
    }

    /// Children, listed in brackets or not, where an empty pair of brackets among others is cash;
    /// an empty list is for the caller to judge.
    fn portfolios(&mut self, forms: &[Form<'_>]) -> Read<Vec<NodeId>> {
        let mut nodes = Vec::with_capacity(forms.len());
        for form in forms {
            for child in listed(form) {
                nodes.push(self.child(child)?);
            }
        }
        Ok(nodes)
    }

    fn child(&mut self, form: &Form<'_>) -> Read<NodeId> {
        let is_empty = matches!(form.what, What::Vector([]));
        if is_empty { self.bed.cash(form) } else { self.portfolio(form) }
    }

    fn branch(&mut self, form: &Form<'_>) -> Read<NodeId> {
        if let [only] = listed(form) {
            return self.child(only);
        }
        let children = self.portfolios(std::slice::from_ref(form))?;
        self.bed.branch(form, children)
    }

    fn specified(&mut self, form: &Form<'_>, parts: &[Form<'_>]) -> Read<NodeId> {
        let expected = "pairs such as (weight-specified 0.75 (asset \"SPY\") 0.25 (asset \"BIL\"))";
        let mut children: Vec<(Constant, NodeId)> = Vec::with_capacity(parts.len() / 2);
        for pair in parts.chunks(2) {
            let [weight, child] = pair else {
                return Err(self.bed.source.refuse(form, expected));
            };
            children.push((self.bed.weight(weight, weight.number())?, self.branch(child)?));
        }
        self.bed.specified(form, children)
    }

    fn inverse_volatility(&mut self, form: &Form<'_>, parts: &[Form<'_>]) -> Read<NodeId> {
        let expected = "(weight-inverse-volatility days [children])";
        let [days, children @ ..] = parts else {
            return Err(self.bed.source.refuse(form, expected));
        };
        let by = self.bed.volatility(days, days.number())?;
        let children = self.portfolios(children)?;
        self.bed.weighed(form, by, children)
    }

    fn choice(&mut self, form: &Form<'_>, parts: &[Form<'_>]) -> Read<NodeId> {
        let [condition, then, otherwise] = parts else {
            return Err(self.bed.source.refuse(form, "(if condition [then] [else])"));
        };
        let condition = self.condition(condition, 1)?;
        let (then, otherwise) = (self.branch(then)?, self.branch(otherwise)?);
        self.bed.choice(form, condition, then, otherwise)
    }

    fn filter(&mut self, form: &Form<'_>, parts: &[Form<'_>]) -> Read<NodeId> {
        let source = self.bed.source;
        let [score, select, children @ ..] = parts else {
            let expected = "(filter (rsi {:window 10}) (select-top 1) [children])";
            return Err(source.refuse(form, expected));
        };
        let by = match named(score) {
            Some((name, windows)) => self.measure(score, name, windows)?,
            None => return Err(source.refuse(score, "a score such as (rsi {:window 10})")),
        };
        let (pick, count) = match call(select) {
            Some(("select-top", [count])) => (Pick::Top, count),
            Some(("select-bottom", [count])) => (Pick::Bottom, count),
            Some(_) | None => {
                return Err(source.refuse(select, "(select-top 1) or (select-bottom 1)"));
            }
        };
        let count = self.bed.whole(count, count.number(), 1)?;
        let children = self.portfolios(children)?;
        self.bed.ranked(form, by, (pick, count), children)
    }

    fn group(&mut self, form: &Form<'_>, parts: &[Form<'_>]) -> Read<NodeId> {
        let expected = "(group \"title\" [one child])";
        let [Form { what: What::Text(title), .. }, children @ ..] = parts else {
            return Err(self.bed.source.refuse(form, expected));
        };
        let [child] = self.portfolios(children)?[..] else {
            return Err(self.bed.source.refuse(form, expected));
        };
        self.bed.group(form, title, child)
    }

    fn asset(&mut self, form: &Form<'_>, parts: &[Form<'_>]) -> Read<NodeId> {
        let ([ticker] | [ticker, Form { what: What::Text(_) | What::Nil, .. }]) = parts else {
            return Err(self.bed.source.refuse(form, "(asset \"TICKER\" \"description\")"));
        };
        self.bed.asset(form, ticker)
    }

    fn condition(&mut self, form: &Form<'_>, depth: u16) -> Read<Condition> {
        let read = self.tested(form, depth);
        self.bed.mend(read, |_| Ok(Condition::All([].into())))
    }

    fn tested(&mut self, form: &Form<'_>, depth: u16) -> Read<Condition> {
        let source = self.bed.source;
        if let Some((word @ ("and" | "or"), parts)) = call(form) {
            self.bed.check_nesting(form, depth)?;
            let parts: Read<Vec<Condition>> =
                parts.iter().map(|part| self.condition(part, depth + 1)).collect();
            return self.bed.joined(form, word == "and", parts?);
        }
        let Some((sign, [left, right])) = call(form) else {
            return Err(source.refuse(form, CONDITION_FORM));
        };
        let relation = Relation::signed(sign).ok_or_else(|| {
            let hint = Relation::worded(sign).map(|one| format!("did you mean {}?", one.sign()));
            source.refuse(form, CONDITION_FORM).hinted(hint)
        })?;
        let left = self.indicator(left)?;
        let right = match right.number() {
            Some(value) => Operand::Number(Constant::new(value)),
            None => Operand::Series(self.indicator(right)?),
        };
        Ok(self.bed.comparison(form, left, relation, right))
    }

    /// A function of a symbol, such as `(rsi "SPY" {:window 10})`.
    fn indicator(&mut self, form: &Form<'_>) -> Read<SeriesId> {
        let Some((name, [ticker, windows @ ..])) = named(form) else {
            let expected = "an indicator such as (rsi \"SPY\" {:window 10})";
            return Err(self.bed.source.refuse(form, expected));
        };
        let measure = self.measure(form, name, windows)?;
        self.bed.series(form, ticker, measure)
    }

    /// A function name and its windows: a map, or in the older spelling just the numbers.
    fn measure(&self, form: &Form<'_>, name: &str, given: &[Form<'_>]) -> Read<Measure> {
        let function = self.bed.function(form, name)?;
        let parameters = function.parameters();
        let refused = |form| Err(self.bed.source.refuse(form, windows_form(function)));
        let mut found = [None; 3];
        match given {
            [] if parameters.is_empty() => {}
            [] => return refused(form),
            [map @ Form { what: What::Map(entries), .. }] => {
                for entry in entries.chunks(2) {
                    let [Form { what: What::Keyword(key), .. }, days] = entry else {
                        return refused(map);
                    };
                    let known = parameters.iter().position(|parameter| parameter.name == *key);
                    match known {
                        Some(at) if found[at].is_none() => found[at] = Some(days),
                        Some(_) => return refused(map),
                        None => {
                            let hint = meant(key, parameters.iter().map(|one| one.name));
                            return refused(map).map_err(|error| error.hinted(hint));
                        }
                    }
                }
                if found.iter().flatten().count() < parameters.len() {
                    return refused(map);
                }
            }
            numbers if numbers.len() == parameters.len() => {
                for (place, days) in found.iter_mut().zip(numbers) {
                    *place = Some(days);
                }
            }
            [first, ..] => return refused(first),
        }
        let mut windows = [0; 3];
        for ((window, days), parameter) in windows.iter_mut().zip(found).zip(parameters) {
            let Some(days) = days else { continue };
            *window = self.bed.whole(days, days.number(), parameter.least)?;
        }
        Ok(Measure::with(function, windows))
    }
}

/// How the windows of a function are written.
fn windows_form(function: Function) -> String {
    match function.parameters() {
        [] => format!("no window for {}", function.name()),
        [_] => "a window such as {:window 10}".to_owned(),
        several => {
            let named = several.iter().zip([12, 26, 9]);
            let entries: Vec<String> =
                named.map(|(parameter, days)| format!(":{} {days}", parameter.name)).collect();
            format!("windows such as {{{}}}", entries.join(" "))
        }
    }
}

/// What stands in square brackets, or the form alone.
fn listed<'f, 't>(form: &'f Form<'t>) -> &'f [Form<'t>] {
    if let What::Vector(children) = &form.what { children } else { std::slice::from_ref(form) }
}

/// The name and the rest of a list that begins with a name.
fn call<'f, 't>(form: &'f Form<'t>) -> Option<(&'t str, &'f [Form<'t>])> {
    let What::List(forms) = &form.what else { return None };
    match forms.split_first() {
        Some((Form { what: What::Symbol(name), .. }, rest)) => Some((name, rest)),
        _ => None,
    }
}

/// [`call`] of a function, which an exporter that lacks it writes as `((unimplemented "name") ..)`.
fn named<'f, 't>(form: &'f Form<'t>) -> Option<(&'f str, &'f [Form<'t>])> {
    if let Some((name, rest)) = call(form) {
        return Some((name, rest));
    }
    let What::List(forms) = &form.what else { return None };
    let (head, rest) = forms.split_first()?;
    match call(head) {
        Some(("unimplemented", [Form { what: What::Text(name), .. }])) => Some((name, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Weight;
    use crate::domain::symbol::Symbol;
    use crate::domain::symphony::tree::Node;

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
        let Condition::Compare(condition) = condition else { panic!() };
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
    fn functions_are_also_read_in_the_older_and_in_the_exporters_spelling() {
        let with = |condition: &str| tree(&format!("(if (> {condition} 5) [] [(asset \"A\")])"));
        let plain = with("(max-drawdown \"A\" {:window 6})");
        assert_eq!(plain, with("(max-drawdown \"A\" 6)"));
        assert_eq!(plain, with("((unimplemented \"max-drawdown\") \"A\" {:window 6})"));
        assert_eq!(with("(rsi \"A\" 6)"), with("(relative-strength-index \"A\" {:window 6})"));
        let signal = with("(percentage-price-oscillator-signal \"A\" 12 26 9)");
        let named = "{:smooth-window 9, :short-window 12, :long-window 26}";
        assert_eq!(signal, with(&format!("(percentage-price-oscillator-signal \"A\" {named})")));
        let filter = |score| tree(&format!("(filter {score} (select-top 1) [(asset \"A\")])"));
        assert_eq!(filter("(rsi 21)"), filter("(rsi {:window 21})"));
    }

    #[test]
    fn conditions_nest_sixteen_deep_and_no_deeper() {
        let nested = |levels: usize| {
            let inner = "(> (current-price \"A\") 1)";
            let condition = (0..levels).fold(inner.to_owned(), |inner, _| format!("(or {inner})"));
            read(&format!("(defsymphony \"t\" {{}} (if {condition} [] [(asset \"A\")]))"))
        };
        assert!(nested(16).is_ok());
        assert_eq!(nested(17).unwrap_err().expected, "conditions nested at most 16 deep");
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
            "(if (> (rsi \"SPY\" 10 5) 79) [] [])",
            "line 2, column 19: expected a window such as {:window 10}, found 10",
        ),
        (
            "(if (> (rsi \"SPY\" {:window 10 :window 10}) 79) [] [])",
            "expected a window such as {:window 10}, found {:window 10 :window 10}",
        ),
        (
            "(if (> (percentage-price-oscillator \"SPY\" {:short-window 12}) 79) [] [])",
            "expected windows such as {:short-window 12 :long-window 26}, found {:short-window 12}",
        ),
        (
            "(if (> (lower-bollinger \"SPY\" {:window 10}) 79) [] [])",
            "expected a function whose formula is public, found lower-bollinger",
        ),
        ("(if (and) [] [])", "line 2, column 5: expected at least one condition, found (and)"),
        (
            "(asset \"CRYPTO::BTC//USD\")",
            "expected a stock or a fund: coins are not traded here, found \"CRYPTO::BTC//USD\"",
        ),
        ("(asset \"^VIX\")", "expected a stock or a fund: an index cannot be traded"),
        ("(asset \"SP Y\")", "expected a ticker such as \"SPY\" or \"BRK/B\", found \"SP Y\""),
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
            "percentage-price-oscillator, percentage-price-oscillator-signal, found magic",
        ),
        (
            "(if (not= (current-price \"A\") 1) [] [])",
            "expected a condition such as (> (rsi \"SPY\" {:window 10}) 79), found (not= (current-price \"A\") 1)",
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
            "expected a weighting that is still offered: by market value was withdrawn",
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
            "expected at least one child, found (filter",
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

//! The step form of a symphony, Composer's own: maps with a `step`, as JSON or as its EDN twin.
//!
//! Fields that only an editor or a screen needs are passed over. Ids are labels: a repeated one
//! means nothing. A `condition` block wins over the flat fields beside it, and a fixed value over
//! a function left standing beside it; both occur in real files.

use rust_decimal::Decimal;

use crate::domain::spelling::meant;
use crate::domain::strategy::Rebalance;
use crate::domain::symphony::condition::{Condition, Operand, Relation};
use crate::domain::symphony::form::{Form, What};
use crate::domain::symphony::measure::Measure;
use crate::domain::symphony::plant::{Bed, Planted, Read};
use crate::domain::symphony::tree::{Constant, NodeId, Pick, SeriesId};

/// Words for what a step is.
const STEPS: [&str; 8] = [
    "asset",
    "empty",
    "group",
    "wt-cash-equal",
    "wt-cash-specified",
    "wt-inverse-vol",
    "filter",
    "if",
];
/// Stands for each ticker of a `binary-compound` in turn.
const EACH_TICKER: &str = "%";

/// Plants the tree below a `root`.
pub(crate) fn plant(bed: &mut Bed<'_>, form: &Form<'_>) -> Read<Planted> {
    Reader { bed }.root(form)
}

struct Reader<'b, 't> {
    bed: &'b mut Bed<'t>,
}

impl Reader<'_, '_> {
    fn root(mut self, form: &Form<'_>) -> Read<Planted> {
        if word(self.field(form, "step", "the step root")?) != Some("root") {
            return Err(self.bed.source.refuse(form, "a map with the step root"));
        }
        let name = self.field(form, "name", "a name")?;
        let title = self.title(name)?;
        let rebalance = self.rebalance(form);
        let rebalance = self.bed.mend(rebalance, |_| Ok(Rebalance::Daily))?;
        let root = self.only_child(form)?;
        Ok(Planted { title: title.to_owned(), rebalance, root })
    }

    fn title<'f>(&self, name: &'f Form<'_>) -> Read<&'f str> {
        name.text().ok_or_else(|| self.bed.source.refuse(name, "a name in quotes"))
    }

    fn rebalance(&self, form: &Form<'_>) -> Read<Rebalance> {
        let frequency = field(form, "rebalance");
        let width = field(form, "rebalance-corridor-width");
        match (frequency, width) {
            (None, None) => Ok(Rebalance::Daily),
            (Some(frequency), None) if word(frequency) == Some("none") => {
                let expected = "a rebalance-corridor-width beside rebalance none";
                Err(self.bed.source.refuse(frequency, expected))
            }
            (Some(frequency), None) => {
                self.bed.frequency(frequency, word(frequency).unwrap_or_default())
            }
            (Some(frequency), Some(_)) if word(frequency) != Some("none") => {
                let expected = "rebalance none beside a rebalance-corridor-width";
                Err(self.bed.source.refuse(frequency, expected))
            }
            (_, Some(width)) => self.bed.threshold(width, number(width)),
        }
    }

    /// Any node that stands for a portfolio.
    fn portfolio(&mut self, form: &Form<'_>) -> Read<NodeId> {
        let read = self.planted(form);
        self.bed.mend(read, |bed| bed.cash(form))
    }

    fn planted(&mut self, form: &Form<'_>) -> Read<NodeId> {
        let step = self.field(form, "step", "a node with a step")?;
        match word(step) {
            Some("asset") => {
                let ticker = self.field(form, "ticker", "a ticker")?;
                self.bed.asset(form, ticker)
            }
            Some("empty") => self.bed.cash(form),
            Some("group") => {
                let name = self.field(form, "name", "a name")?;
                let child = self.only_child(form)?;
                let title = self.title(name)?;
                self.bed.group(form, title, child)
            }
            Some("wt-cash-equal") => {
                let children = self.portfolios(form)?;
                self.bed.equal(form, children)
            }
            Some("wt-cash-specified") => self.specified(form),
            Some("wt-inverse-vol") => {
                let days = self.field(form, "window-days", "window-days")?;
                let by = self.bed.volatility(days, number(days))?;
                let children = self.portfolios(form)?;
                self.bed.weighed(form, by, children)
            }
            Some("wt-marketcap") => {
                let expected = "a weighting that is still offered: by market value was withdrawn";
                Err(self.bed.source.refuse_as(step, expected, "wt-marketcap"))
            }
            Some("filter") => self.filter(form),
            Some("if") => self.choice(form),
            other => {
                let expected = "a step of asset, empty, group, if, filter or a weighting";
                let hint = meant(other.unwrap_or_default(), STEPS);
                Err(self.bed.source.refuse(step, expected).hinted(hint))
            }
        }
    }

    fn portfolios(&mut self, form: &Form<'_>) -> Read<Vec<NodeId>> {
        let children = self.children(form)?;
        children.iter().map(|child| self.portfolio(child)).collect()
    }

    fn only_child(&mut self, form: &Form<'_>) -> Read<NodeId> {
        let [child] = self.children(form)? else {
            return Err(self.bed.source.refuse(form, "exactly one child"));
        };
        self.portfolio(child)
    }

    fn children<'f, 't>(&self, form: &'f Form<'t>) -> Read<&'f [Form<'t>]> {
        match field(form, "children") {
            None => Ok(&[]),
            Some(children) => self.list(children),
        }
    }

    fn list<'f, 't>(&self, form: &'f Form<'t>) -> Read<&'f [Form<'t>]> {
        if let What::Vector(inside) = &form.what {
            return Ok(inside);
        }
        Err(self.bed.source.refuse(form, "a list in square brackets"))
    }

    fn specified(&mut self, form: &Form<'_>) -> Read<NodeId> {
        let mut children: Vec<(Constant, NodeId)> = Vec::new();
        for child in self.children(form)? {
            let expected = "a child with a weight such as {\"num\": 50, \"den\": 100}";
            let weight = self.field(child, "weight", expected)?;
            let share = match (field(weight, "num"), field(weight, "den")) {
                (Some(part), Some(whole)) => self.share(part, whole),
                _ => return Err(self.bed.source.refuse(weight, expected)),
            };
            children.push((self.bed.weight(weight, share)?, self.portfolio(child)?));
        }
        self.bed.specified(form, children)
    }

    /// A fraction of decimals, worked out exactly, so that 33.3 of 100 is 0.333.
    fn share(&self, part: &Form<'_>, whole: &Form<'_>) -> Option<f64> {
        if let (Some(part), Some(whole)) = (self.decimal(part), self.decimal(whole)) {
            return part.checked_div(whole)?.to_string().parse().ok();
        }
        Some(number(part)? / number(whole)?)
    }

    fn decimal(&self, form: &Form<'_>) -> Option<Decimal> {
        let written = self.bed.source.0.get(form.place())?;
        let text = form.text().unwrap_or(written);
        Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
    }

    fn filter(&mut self, form: &Form<'_>) -> Read<NodeId> {
        let by = self.measure(form, "sort-by")?;
        let select = self.field(form, "select-fn", "select-fn top or bottom")?;
        let pick = match word(select) {
            Some("top") => Pick::Top,
            Some("bottom") => Pick::Bottom,
            Some(_) | None => return Err(self.bed.source.refuse(select, "top or bottom")),
        };
        let count = self.field(form, "select-n", "select-n, how many to take")?;
        let count = self.bed.whole(count, number(count), 1)?;
        let children = self.portfolios(form)?;
        self.bed.ranked(form, by, (pick, count), children)
    }

    /// Conditioned children, of which the first that holds is taken, and one else.
    fn choice(&mut self, form: &Form<'_>) -> Read<NodeId> {
        let children = self.children(form)?;
        let is_else = |child: &&Form<'_>| field(child, "is-else-condition?").is_some_and(is_true);
        let (otherwise, ways): (Vec<_>, Vec<_>) = children.iter().partition(is_else);
        let [otherwise] = otherwise[..] else {
            return Err(self.bed.source.refuse(form, "an if with exactly one else"));
        };
        if ways.is_empty() {
            return Err(self.bed.source.refuse(form, "an if with a condition"));
        }
        let mut conditioned = Vec::with_capacity(ways.len());
        for way in ways {
            let condition = if let Some(block) = field(way, "condition") {
                self.condition(block, 1)?
            } else {
                let read = self.flat_condition(way);
                self.bed.mend(read, |_| Ok(Condition::All([].into())))?
            };
            conditioned.push((way, condition, self.branch(way)?));
        }
        let mut node = self.branch(otherwise)?;
        for (way, condition, then) in conditioned.into_iter().rev() {
            node = self.bed.choice(way, condition, then, node)?;
        }
        Ok(node)
    }

    fn branch(&mut self, form: &Form<'_>) -> Read<NodeId> {
        if word(self.field(form, "step", "a node with a step")?) != Some("if-child") {
            return Err(self.bed.source.refuse(form, "a node with the step if-child"));
        }
        let children = self.portfolios(form)?;
        self.bed.branch(form, children)
    }

    /// A comparison written into the branch itself.
    fn flat_condition(&mut self, form: &Form<'_>) -> Read<Condition> {
        let relation = self.relation(form)?;
        let left = self.flat_side(form, "lhs")?;
        let value = self.field(form, "rhs-val", "rhs-val")?;
        let is_fixed = match field(form, "rhs-fixed-value?") {
            Some(flag) => is_true(flag),
            None => field(form, "rhs-fn").is_none(),
        };
        let right = if is_fixed {
            Operand::Number(self.constant(value)?)
        } else {
            Operand::Series(self.flat_side(form, "rhs")?)
        };
        Ok(self.bed.comparison(value, left, relation, right))
    }

    fn flat_side(&mut self, form: &Form<'_>, side: &str) -> Read<SeriesId> {
        let measure = self.measure(form, side)?;
        let ticker = self.field(form, &format!("{side}-val"), &format!("{side}-val"))?;
        self.bed.series(form, ticker, measure)
    }

    /// A condition of the newer editor.
    fn condition(&mut self, form: &Form<'_>, depth: u16) -> Read<Condition> {
        let read = self.tested(form, depth);
        self.bed.mend(read, |_| Ok(Condition::All([].into())))
    }

    fn tested(&mut self, form: &Form<'_>, depth: u16) -> Read<Condition> {
        let kind = self.field(form, "condition-type", "a condition-type")?;
        match word(kind) {
            Some("binary") => self.binary(form, None),
            Some("compound") => {
                self.bed.check_nesting(form, depth)?;
                let all = self.is_all(form)?;
                let parts = self.list(self.field(form, "conditions", "conditions")?)?;
                let parts: Read<Vec<Condition>> =
                    parts.iter().map(|part| self.condition(part, depth + 1)).collect();
                self.bed.joined(form, all, parts?)
            }
            Some("binary-compound") => {
                self.bed.check_nesting(form, depth)?;
                let all = self.is_all(form)?;
                let tickers = self.list(self.field(form, "tickers", "tickers")?)?;
                let parts: Read<Vec<Condition>> =
                    tickers.iter().map(|ticker| self.binary(form, Some(ticker))).collect();
                self.bed.joined(form, all, parts?)
            }
            Some(_) | None => {
                let expected = "one of binary, compound, binary-compound";
                Err(self.bed.source.refuse(kind, expected))
            }
        }
    }

    /// One comparison, in which `each` stands where the sign for each ticker does.
    fn binary(&mut self, form: &Form<'_>, each: Option<&Form<'_>>) -> Read<Condition> {
        let relation = self.relation(form)?;
        let left = self.side(self.field(form, "lhs", "lhs")?, each)?;
        let right = self.field(form, "rhs", "rhs")?;
        let right = match field(right, "constant") {
            Some(constant) => Operand::Number(self.constant(constant)?),
            None => Operand::Series(self.side(right, each)?),
        };
        Ok(self.bed.comparison(each.unwrap_or(form), left, relation, right))
    }

    fn side(&mut self, form: &Form<'_>, each: Option<&Form<'_>>) -> Read<SeriesId> {
        let function = self.field(form, "fn", "a function as fn")?;
        let measure = self.windows(form, function, field(form, "params"), None)?;
        let ticker = self.field(form, "ticker", "a ticker")?;
        let ticker = each.filter(|_| word(ticker) == Some(EACH_TICKER)).unwrap_or(ticker);
        self.bed.series(form, ticker, measure)
    }

    fn relation(&self, form: &Form<'_>) -> Read<Relation> {
        let comparator = self.field(form, "comparator", "a comparator")?;
        word(comparator).and_then(Relation::worded).ok_or_else(|| {
            self.bed.source.refuse(comparator, "a comparator of gt, gte, lt, lte, eq")
        })
    }

    fn is_all(&self, form: &Form<'_>) -> Read<bool> {
        let operator = self.field(form, "operator", "an operator")?;
        match word(operator) {
            Some("all") => Ok(true),
            Some("any") => Ok(false),
            Some(_) | None => Err(self.bed.source.refuse(operator, "an operator of any, all")),
        }
    }

    fn constant(&self, form: &Form<'_>) -> Read<Constant> {
        let refused = || self.bed.source.refuse(form, "a number such as 79 or \"-2.5\"");
        number(form).map(Constant::new).ok_or_else(refused)
    }

    /// A function in flat fields that begin with a side's name, such as `lhs-fn`.
    fn measure(&self, form: &Form<'_>, side: &str) -> Read<Measure> {
        let key = |rest: &str| format!("{side}-{rest}");
        let function = self.field(form, &key("fn"), &key("fn"))?;
        let (windows, days) = (field(form, &key("fn-params")), field(form, &key("window-days")));
        self.windows(form, function, windows, days)
    }

    /// A function with its windows, or with the older single number of days.
    fn windows(
        &self,
        form: &Form<'_>,
        function: &Form<'_>,
        windows: Option<&Form<'_>>,
        days: Option<&Form<'_>>,
    ) -> Read<Measure> {
        let name = word(function).unwrap_or_default();
        let function = self.bed.function(function, name)?;
        let mut found = [0; 3];
        for (place, parameter) in found.iter_mut().zip(function.parameters()) {
            let given = windows.and_then(|windows| field(windows, parameter.name));
            let given = given.or(days.filter(|_| parameter.name == "window"));
            let given = given.ok_or_else(|| {
                let expected = format!("a {} for {}", parameter.name, function.step_name());
                self.bed.source.refuse(windows.unwrap_or(form), expected)
            })?;
            *place = self.bed.whole(given, number(given), parameter.least)?;
        }
        Ok(Measure::with(function, found))
    }

    fn field<'f, 't>(&self, form: &'f Form<'t>, key: &str, expected: &str) -> Read<&'f Form<'t>> {
        field(form, key).ok_or_else(|| self.bed.source.refuse(form, expected))
    }
}

/// The value of a key of a map, unless it is nothing.
fn field<'f, 't>(form: &'f Form<'t>, key: &str) -> Option<&'f Form<'t>> {
    let What::Map(entries) = &form.what else { return None };
    let found = entries.chunks_exact(2).find(|entry| key_of(&entry[0]) == Some(key));
    found.map(|entry| &entry[1]).filter(|value| value.what != What::Nil)
}

fn key_of<'f>(form: &'f Form<'_>) -> Option<&'f str> {
    if let What::Keyword(name) = form.what { Some(name) } else { form.text() }
}

/// A word as a string or a keyword, with or without a colon of its own.
fn word<'f>(form: &'f Form<'_>) -> Option<&'f str> {
    key_of(form).map(|text| text.strip_prefix(':').unwrap_or(text))
}

/// A number, also one in quotes.
fn number(form: &Form<'_>) -> Option<f64> {
    let quoted = || form.text()?.parse().ok().filter(|value: &f64| value.is_finite());
    form.number().or_else(quoted)
}

fn is_true(form: &Form<'_>) -> bool {
    form.what == What::Flag(true) || word(form) == Some("true")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::symphony::read::read as read_any;
    use crate::domain::symphony::write::{Encoding, write};

    /// A root around one child.
    fn root(child: &str) -> String {
        format!("{{\"step\": \"root\", \"name\": \"t\", \"children\": [{child}]}}")
    }

    fn asset(ticker: &str) -> String {
        format!(
            "{{\"step\": \"asset\", \"id\": \"one\", \"ticker\": \"{ticker}\", \"price\": 5.25, \
             \"has_marketcap\": true, \"exchange\": null, \"weight\": {{\"num\": 7, \"den\": 9}}}}"
        )
    }

    /// An if of two assets with these fields for its condition.
    fn choice(condition: &str) -> String {
        let (then, otherwise) = (asset("THEN"), asset("ELSE"));
        format!(
            "{{\"step\": \"if\", \"children\": [\
             {{\"step\": \"if-child\", \"is-else-condition?\": false, {condition}, \"children\": [{then}]}},\
             {{\"step\": \"if-child\", \"is-else-condition?\": true, \"children\": [{otherwise}]}}]}}"
        )
    }

    /// What a node is as text, on one line and without its frame.
    fn as_text(child: &str) -> String {
        let text = write(&read_any(&root(child)).unwrap(), Encoding::Text).unwrap();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let frame = "(defsymphony \"t\" {:rebalance-frequency :daily} ";
        text.strip_prefix(frame).unwrap().strip_suffix(')').unwrap().to_owned()
    }

    fn complaint(child: &str) -> String {
        read_any(&root(child)).unwrap_err().to_string()
    }

    /// The condition of an if with these fields, as text.
    fn condition(fields: &str) -> String {
        let text = as_text(&choice(fields));
        let branches = " [(asset \"THEN\")] [(asset \"ELSE\")])";
        text.strip_prefix("(if ").unwrap().strip_suffix(branches).unwrap().to_owned()
    }

    const LEFT: &str = "\"lhs-fn\": \"relative-strength-index\", \"lhs-val\": \"SPY\", \
                        \"comparator\": \"gt\"";

    #[test]
    fn nodes_are_what_their_twins_in_text_are() {
        let two = format!("\"children\": [{}, {{\"step\": \"empty\"}}]", asset("A"));
        let cases = [
            (asset("EQUITIES::BRK/B//USD"), "(asset \"BRK.B\")"),
            (
                format!("{{\"step\": \":wt-cash-equal\", {two}}}"),
                "(weight-equal [(asset \"A\") []])",
            ),
            (
                format!("{{\"step\": \"wt-inverse-vol\", \"window-days\": \"14\", {two}}}"),
                "(weight-inverse-volatility 14 [(asset \"A\") []])",
            ),
            (
                format!(
                    "{{\"step\": \"filter\", \"select?\": true, \"sort-by-fn\": \"standard-deviation-return\", \
                     \"sort-by-window-days\": \"10\", \"select-fn\": \"bottom\", \"select-n\": \"1\", {two}}}"
                ),
                "(filter (stdev-return {:window 10}) (select-bottom 1) [(asset \"A\") []])",
            ),
            (
                format!("{{\"step\": \"group\", \"name\": \"g\", \"children\": [{}]}}", asset("A")),
                "(group \"g\" [(asset \"A\")])",
            ),
        ];
        for (step, text) in cases {
            assert_eq!(as_text(&step), text, "{step}");
        }
    }

    #[test]
    fn weights_are_exact_fractions_and_sum_to_one() {
        let child = |num: &str, ticker: &str| {
            let weight =
                format!("{{\"step\": \"asset\", \"weight\": {{\"num\": {num}, \"den\": 100}},");
            asset(ticker).replacen("{\"step\": \"asset\",", &weight, 1)
        };
        let weighed = |a: &str, b: &str| {
            let children = format!("[{}, {}]", child(a, "A"), child(b, "B"));
            format!("{{\"step\": \"wt-cash-specified\", \"children\": {children}}}")
        };
        let text = as_text(&weighed("33.3", "\"66.7\""));
        assert_eq!(text, "(weight-specified 0.333 (asset \"A\") 0.667 (asset \"B\"))");
        let found = "expected weights that sum to 1, found a sum of 1.2";
        assert!(complaint(&weighed("60", "60")).contains(found));
        assert!(complaint(&weighed("160", "-60")).contains("expected a weight from 0 to 1"));
        let without = "{\"step\": \"wt-cash-specified\", \"children\": [{\"step\": \"empty\"}]}";
        assert!(complaint(without).contains("expected a child with a weight such as"));
    }

    #[test]
    fn the_flat_fields_of_a_condition_in_all_their_spellings() {
        let window = "\"lhs-window-days\": \"10\"";
        let expected = "(> (rsi \"SPY\" {:window 10}) 79)";
        let value = "\"rhs-val\": \"79\"";
        for fields in [
            format!("{LEFT}, {window}, {value}, \"rhs-fixed-value?\": true"),
            format!("{LEFT}, {window}, {value}"),
            format!("{LEFT}, {window}, \"rhs-val\": 79, \"rhs-fixed-value?\": \"true\""),
            // The function is a leftover of the editor.
            format!("{LEFT}, {window}, {value}, \"rhs-fixed-value?\": true, \"rhs-fn\": \"magic\""),
            format!("{LEFT}, \"lhs-fn-params\": {{\"window\": 10}}, {window}, {value}"),
        ] {
            assert_eq!(condition(&fields), expected, "{fields}");
        }
        let right = "\"rhs-fn\": \":current-price\", \"rhs-val\": \"QQQ\"";
        assert_eq!(
            condition(&format!("{LEFT}, {window}, {right}")),
            "(> (rsi \"SPY\" {:window 10}) (current-price \"QQQ\"))"
        );
    }

    #[test]
    fn a_condition_block_wins_over_the_flat_fields() {
        let side = |ticker: &str| {
            format!(
                "{{\"fn\": \"max-drawdown\", \"ticker\": \"{ticker}\", \"params\": {{\"window\": 5}}}}"
            )
        };
        let lhs = side("%");
        let (a, b) = (side("A"), side("B"));
        let binary = format!(
            "{{\"condition-type\": \"binary\", \"lhs\": {a}, \"comparator\": \"lte\", \"rhs\": {b}}}"
        );
        let each = format!(
            "{{\"condition-type\": \"binary-compound\", \"operator\": \"any\", \"tickers\": [\"C\", \"D\"], \
             \"lhs\": {lhs}, \"comparator\": \"eq\", \"rhs\": {{\"constant\": \"2.5\"}}}}"
        );
        let compound = format!(
            "\"condition\": {{\"condition-type\": \"compound\", \"operator\": \"all\", \
             \"conditions\": [{binary}, {each}]}}, {LEFT}, \"rhs-val\": \"79\""
        );
        assert_eq!(
            condition(&compound),
            "(and (<= (max-drawdown \"A\" {:window 5}) (max-drawdown \"B\" {:window 5})) \
             (or (= (max-drawdown \"C\" {:window 5}) 2.5) (= (max-drawdown \"D\" {:window 5}) 2.5)))"
        );
    }

    #[test]
    fn a_chain_of_conditions_is_an_if_inside_an_else() {
        let way = |ticker: &str| {
            format!(
                "{{\"step\": \"if-child\", \"is-else-condition?\": false, {LEFT}, \"rhs-val\": 79, \
                 \"lhs-window-days\": 10, \"children\": [{}]}}",
                asset(ticker)
            )
        };
        let otherwise = "{\"step\": \"if-child\", \"is-else-condition?\": true, \"children\": []}";
        let chain = format!("[{}, {}, {otherwise}]", way("A"), way("B"));
        let node = format!("{{\"step\": \"if\", \"children\": {chain}}}");
        let test = "(if (> (rsi \"SPY\" {:window 10}) 79)";
        assert_eq!(as_text(&node), format!("{test} [(asset \"A\")] [{test} [(asset \"B\")] [])])"));
        for children in [format!("[{}]", way("A")), format!("[{otherwise}]"), "[]".to_owned()] {
            let node = format!("{{\"step\": \"if\", \"children\": {children}}}");
            assert!(complaint(&node).contains("expected an if with"), "{children}");
        }
    }

    #[test]
    fn the_edn_twin_is_the_same_strategy() {
        let json = root(&choice(&format!("{LEFT}, \"rhs-val\": 79, \"lhs-window-days\": 10")));
        let edn = "{:step :root, :name \"t\", :children [{:step :if :children [\
             {:step :if-child :is-else-condition? false :lhs-fn :relative-strength-index \
              :lhs-val \"SPY\" :lhs-fn-params {:window 10} :comparator :gt :rhs-val \"79\" \
              :children [{:step :asset :ticker \"THEN\"}]} \
             {:step :if-child :is-else-condition? true :children [{:step :asset :ticker \"ELSE\"}]}]}]}";
        assert_eq!(read_any(&json).unwrap(), read_any(edn).unwrap());
    }

    #[test]
    fn the_root_says_when_to_rebalance() {
        let with = |fields: &str| {
            let text = root(&asset("A")).replacen("\"name\"", &format!("{fields}, \"name\""), 1);
            read_any(&text).map(|tree| tree.rebalance)
        };
        let none = "\"rebalance\": \"none\"";
        let tenth = "\"rebalance-corridor-width\": \"0.1\"";
        let threshold = with(&format!("{none}, {tenth}")).unwrap();
        assert!(matches!(threshold, Rebalance::Threshold(by) if by.to_string() == "0.1"));
        assert_eq!(with("\"rebalance\": \"quarterly\"").unwrap(), Rebalance::Quarterly);
        let nothing = "\"rebalance\": \"daily\", \"rebalance-corridor-width\": null";
        assert_eq!(with(nothing).unwrap(), Rebalance::Daily);
        for (fields, expected) in [
            (none, "a rebalance-corridor-width beside rebalance none"),
            ("\"rebalance\": \"hourly\"", "one of daily, weekly, monthly, quarterly, yearly"),
            (&format!("\"rebalance\": \"daily\", {tenth}"), "rebalance none beside"),
            (&format!("{none}, \"rebalance-corridor-width\": 5"), "a fraction from 0 to 1"),
        ] {
            assert!(with(fields).unwrap_err().expected.starts_with(expected), "{fields}");
        }
    }

    /// What is wrong, and what must be said of it.
    const COMPLAINTS: &[(&str, &str)] = &[
        ("{\"step\": \"wt-marketcap\"}", "column 53: expected a weighting that is still offered"),
        ("{\"step\": \"magic\"}", "expected a step of asset, empty, group"),
        ("{\"stop\": \"asset\"}", "expected a node with a step, found {\"stop\": \"asset\"}"),
        ("5", "expected a node with a step, found 5"),
        ("{\"step\": \"asset\"}", "expected a ticker"),
        ("{\"step\": \"asset\", \"ticker\": \"a b\"}", "expected a ticker such as"),
        ("{\"step\": \"group\", \"name\": \"g\"}", "expected exactly one child"),
        ("{\"step\": \"wt-cash-equal\", \"children\": []}", "expected at least one child"),
        ("{\"step\": \"wt-cash-equal\", \"children\": {}}", "expected a list in square brackets"),
        ("{\"step\": \"wt-inverse-vol\", \"window-days\": 1}", "a whole number from 2 to 1000"),
    ];

    #[test]
    fn what_cannot_be_read_is_named_with_its_place_and_what_should_stand_there() {
        for (step, said) in COMPLAINTS {
            let complaint = complaint(step);
            assert!(complaint.contains(said), "{step}\n  said {complaint}\n  not  {said}");
        }
        let window = |text: &str| {
            complaint(&choice(&format!("{LEFT}, \"rhs-val\": 1, \"lhs-window-days\": {text}")))
        };
        for bad in ["0", "1000000000", "\"ten\"", "\"NaN\"", "\"1e999\"", "[]"] {
            assert!(window(bad).contains("a whole number from 1 to 1000"), "{}", window(bad));
        }
        assert!(window("null").contains("expected a window for relative-strength-index"));
        let other = choice(&format!("{LEFT}, \"rhs-val\": \"1e999\", \"lhs-window-days\": 5"));
        assert!(complaint(&other).contains("expected a number such as 79"));
    }
}

//! A tree written out again, in either encoding.
//!
//! Neither form has labels, so a part that is stored once is written wherever it stands. That
//! can make a small tree long without end; past the length that would be read again it is refused.

use std::fmt::{self, Write};

use rust_decimal::Decimal;

use crate::domain::strategy::Rebalance;
use crate::domain::symphony::condition::{Comparison, Condition, Operand};
use crate::domain::symphony::form::{JSON_BYTES_MAX, TEXT_BYTES_MAX};
use crate::domain::symphony::measure::Measure;
use crate::domain::symphony::tree::{
    Candidate, Constant, Measured, Node, NodeId, Pick, SeriesId, Tree,
};

/// Deepest indentation; real symphonies nest further than a page is wide.
const INDENT_MAX: usize = 40;

/// How a symphony is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The text form, as an operator writes it.
    Text,
    /// The step form as JSON.
    Json,
}

/// The strategy written out is longer than a text that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("written out it has more than {most} bytes, because it repeats parts of itself")]
pub struct TooLong {
    /// Longest text that would be read again.
    pub most: usize,
}

/// A tree in an encoding.
pub(crate) fn write(tree: &Tree, encoding: Encoding) -> Result<String, TooLong> {
    let most = match encoding {
        Encoding::Text => TEXT_BYTES_MAX,
        Encoding::Json => JSON_BYTES_MAX,
    };
    let mut page = Page { tree, text: String::new(), most };
    let written = match encoding {
        Encoding::Text => page.symphony(),
        Encoding::Json => page.root(),
    };
    written.map(|()| page.text).map_err(|fmt::Error| TooLong { most })
}

/// What is written so far; writing fails once it is too long.
struct Page<'m> {
    tree: &'m Tree,
    text: String,
    most: usize,
}

impl Write for Page<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.text.len() + piece.len() > self.most {
            return Err(fmt::Error);
        }
        self.text.push_str(piece);
        Ok(())
    }
}

impl Page<'_> {
    fn line(&mut self, depth: usize) -> fmt::Result {
        write!(self, "\n{:1$}", "", (2 * depth).min(INDENT_MAX))
    }
}

/// The text form.
impl Page<'_> {
    fn symphony(&mut self) -> fmt::Result {
        let Tree { title, rebalance, root, .. } = self.tree;
        write!(self, "(defsymphony {} ", edn(title))?;
        if let Rebalance::Threshold(width) = rebalance {
            write!(self, "{{:rebalance-threshold {width}}}")?;
        } else {
            write!(self, "{{:rebalance-frequency :{}}}", word(*rebalance))?;
        }
        self.line(1)?;
        self.node(*root, 1)?;
        self.write_str(")\n")
    }

    fn node(&mut self, id: NodeId, depth: usize) -> fmt::Result {
        let tree = self.tree;
        match tree.node(id) {
            Node::Asset(symbol) => write!(self, "(asset \"{}\")", tree.symbol(*symbol)),
            Node::Cash => self.write_str("[]"),
            Node::Equal(children) => {
                self.write_str("(weight-equal")?;
                self.children(children.iter().copied(), depth)
            }
            Node::Specified(children) => {
                self.write_str("(weight-specified")?;
                for (weight, child) in children {
                    self.line(depth + 1)?;
                    write!(self, "{} ", weight.value())?;
                    self.node(*child, depth + 1)?;
                }
                self.write_str(")")
            }
            Node::InverseVolatility { members, by } => {
                write!(self, "(weight-inverse-volatility {}", days(*by))?;
                self.children(members.iter().map(|member| member.node), depth)
            }
            Node::If { condition, then, otherwise } => {
                self.write_str("(if ")?;
                self.condition(condition)?;
                for branch in [*then, *otherwise] {
                    self.line(depth + 1)?;
                    let is_cash = *tree.node(branch) == Node::Cash;
                    self.write_str(if is_cash { "" } else { "[" })?;
                    self.node(branch, depth + 1)?;
                    self.write_str(if is_cash { "" } else { "]" })?;
                }
                self.write_str(")")
            }
            Node::Group { title, child } => {
                write!(self, "(group {}", edn(title))?;
                self.children([*child].into_iter(), depth)
            }
            Node::Filter { by, pick, count, candidates } => {
                let (name, end) = (by.function.name(), end(*pick));
                write!(self, "(filter ({name}{}) (select-{end} {count})", windows(*by))?;
                self.children(candidates.iter().map(|candidate| candidate.node), depth)
            }
        }
    }

    fn children(&mut self, nodes: impl Iterator<Item = NodeId>, depth: usize) -> fmt::Result {
        let mut open = "[";
        for node in nodes {
            self.line(depth + 1)?;
            self.write_str(open)?;
            self.node(node, depth + 1)?;
            open = "";
        }
        self.write_str("])")
    }

    fn condition(&mut self, condition: &Condition) -> fmt::Result {
        let (word, parts) = match condition {
            Condition::Compare(Comparison { left, relation, right }) => {
                write!(self, "({} ", relation.sign())?;
                self.series(*left)?;
                self.write_str(" ")?;
                match right {
                    Operand::Number(constant) => write!(self, "{}", constant.value())?,
                    Operand::Series(right) => self.series(*right)?,
                }
                return self.write_str(")");
            }
            Condition::All(parts) => ("and", parts),
            Condition::Any(parts) => ("or", parts),
        };
        write!(self, "({word}")?;
        for part in parts {
            self.write_str(" ")?;
            self.condition(part)?;
        }
        self.write_str(")")
    }

    fn series(&mut self, id: SeriesId) -> fmt::Result {
        let (measure, symbol) = measured(self.tree, id);
        write!(self, "({} \"{symbol}\"{})", measure.function.name(), windows(measure))
    }
}

/// The step form.
impl Page<'_> {
    fn root(&mut self) -> fmt::Result {
        let Tree { title, rebalance, root, .. } = self.tree;
        write!(self, "{{\"step\":\"root\",\"name\":{},", json(title))?;
        write!(self, "\"rebalance\":\"{}\",", word(*rebalance))?;
        if let Rebalance::Threshold(width) = rebalance {
            write!(self, "\"rebalance-corridor-width\":{width},")?;
        }
        self.step_children([(None, *root)].into_iter(), 0)?;
        self.write_str("}\n")
    }

    /// A child, with its weight if it has one of its own.
    fn step(&mut self, (weight, id): (Option<Constant>, NodeId), depth: usize) -> fmt::Result {
        let tree = self.tree;
        self.write_str("{")?;
        if let Some(weight) = weight {
            let (part, whole) = fraction(weight);
            write!(self, "\"weight\":{{\"num\":{part},\"den\":{whole}}},")?;
        }
        match tree.node(id) {
            Node::Asset(symbol) => {
                let symbol = tree.symbol(*symbol);
                write!(self, "\"step\":\"asset\",\"ticker\":\"{symbol}\"")?;
            }
            Node::Cash => self.write_str("\"step\":\"empty\"")?,
            Node::Equal(children) => {
                self.write_str("\"step\":\"wt-cash-equal\",")?;
                self.step_children(plain(children.iter().copied()), depth)?;
            }
            Node::Specified(children) => {
                self.write_str("\"step\":\"wt-cash-specified\",")?;
                let children = children.iter().map(|(weight, child)| (Some(*weight), *child));
                self.step_children(children, depth)?;
            }
            Node::InverseVolatility { members, by } => {
                write!(self, "\"step\":\"wt-inverse-vol\",\"window-days\":{},", days(*by))?;
                self.step_children(plain(nodes(members)), depth)?;
            }
            Node::If { condition, then, otherwise } => {
                self.write_str("\"step\":\"if\",\"children\":[")?;
                self.line(depth + 1)?;
                self.write_str("{\"step\":\"if-child\",\"is-else-condition?\":false,")?;
                self.step_condition(condition)?;
                self.step_children(plain([*then].into_iter()), depth + 1)?;
                self.write_str("},")?;
                self.line(depth + 1)?;
                self.write_str("{\"step\":\"if-child\",\"is-else-condition?\":true,")?;
                self.step_children(plain([*otherwise].into_iter()), depth + 1)?;
                self.write_str("}]")?;
            }
            Node::Group { title, child } => {
                write!(self, "\"step\":\"group\",\"name\":{},", json(title))?;
                self.step_children(plain([*child].into_iter()), depth)?;
            }
            Node::Filter { by, pick, count, candidates } => {
                let (name, end) = (by.function.step_name(), end(*pick));
                write!(self, "\"step\":\"filter\",\"sort-by-fn\":\"{name}\",")?;
                write!(self, "\"sort-by-fn-params\":{},", parameters(*by))?;
                write!(self, "\"select-fn\":\"{end}\",\"select-n\":\"{count}\",")?;
                self.step_children(plain(nodes(candidates)), depth)?;
            }
        }
        self.write_str("}")
    }

    fn step_children(
        &mut self,
        children: impl Iterator<Item = (Option<Constant>, NodeId)>,
        depth: usize,
    ) -> fmt::Result {
        self.write_str("\"children\":[")?;
        for (at, child) in children.enumerate() {
            if at > 0 {
                self.write_str(",")?;
            }
            self.line(depth + 1)?;
            self.step(child, depth + 1)?;
        }
        self.write_str("]")
    }

    /// A comparison in the flat fields that every version knows, anything else as a block.
    fn step_condition(&mut self, condition: &Condition) -> fmt::Result {
        let Condition::Compare(Comparison { left, relation, right }) = condition else {
            self.write_str("\"condition\":")?;
            self.block(condition)?;
            return self.write_str(",");
        };
        self.flat_side("lhs", *left)?;
        write!(self, "\"comparator\":\"{}\",", relation.word())?;
        match right {
            Operand::Number(constant) => {
                let value = constant.value();
                write!(self, "\"rhs-fixed-value?\":true,\"rhs-val\":\"{value}\",")
            }
            Operand::Series(right) => {
                self.write_str("\"rhs-fixed-value?\":false,")?;
                self.flat_side("rhs", *right)
            }
        }
    }

    fn flat_side(&mut self, side: &str, id: SeriesId) -> fmt::Result {
        let (measure, symbol) = measured(self.tree, id);
        let (name, windows) = (measure.function.step_name(), parameters(measure));
        write!(
            self,
            "\"{side}-fn\":\"{name}\",\"{side}-val\":\"{symbol}\",\"{side}-fn-params\":{windows},"
        )
    }

    fn block(&mut self, condition: &Condition) -> fmt::Result {
        let (operator, parts) = match condition {
            Condition::Compare(Comparison { left, relation, right }) => {
                self.write_str("{\"condition-type\":\"binary\",\"lhs\":")?;
                self.side(*left)?;
                write!(self, ",\"comparator\":\"{}\",\"rhs\":", relation.word())?;
                match right {
                    Operand::Number(constant) => {
                        write!(self, "{{\"constant\":{}}}", constant.value())?;
                    }
                    Operand::Series(right) => self.side(*right)?,
                }
                return self.write_str("}");
            }
            Condition::All(parts) => ("all", parts),
            Condition::Any(parts) => ("any", parts),
        };
        write!(self, "{{\"condition-type\":\"compound\",\"operator\":\"{operator}\",")?;
        self.write_str("\"conditions\":[")?;
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                self.write_str(",")?;
            }
            self.block(part)?;
        }
        self.write_str("]}")
    }

    fn side(&mut self, id: SeriesId) -> fmt::Result {
        let (measure, symbol) = measured(self.tree, id);
        let (name, windows) = (measure.function.step_name(), parameters(measure));
        write!(self, "{{\"fn\":\"{name}\",\"ticker\":\"{symbol}\",\"params\":{windows}}}")
    }
}

fn plain(nodes: impl Iterator<Item = NodeId>) -> impl Iterator<Item = (Option<Constant>, NodeId)> {
    nodes.map(|node| (None, node))
}

fn nodes(candidates: &[Candidate]) -> impl Iterator<Item = NodeId> {
    candidates.iter().map(|candidate| candidate.node)
}

/// A series of a condition, which always measures a symbol.
fn measured(tree: &Tree, id: SeriesId) -> (Measure, String) {
    let series = tree.series(id);
    let symbol = match series.of {
        Measured::Closes(symbol) => tree.symbol(symbol).to_string(),
        Measured::Portfolio(node) => tree.label(node),
    };
    (series.measure, symbol)
}

/// ` {:window 10}`, or nothing.
fn windows(measure: Measure) -> String {
    let named = measure.function.parameters().iter().zip(measure.windows());
    let entries: Vec<String> =
        named.map(|(parameter, days)| format!(":{} {days}", parameter.name)).collect();
    if entries.is_empty() { String::new() } else { format!(" {{{}}}", entries.join(" ")) }
}

/// `{"window":10}`.
fn parameters(measure: Measure) -> String {
    let named = measure.function.parameters().iter().zip(measure.windows());
    let entries: Vec<String> =
        named.map(|(parameter, days)| format!("\"{}\":{days}", parameter.name)).collect();
    format!("{{{}}}", entries.join(","))
}

/// The days of a measure that has one window.
fn days(measure: Measure) -> u16 {
    measure.windows().first().copied().unwrap_or_default()
}

/// A weight as hundredths, or as it is where a decimal has no room for it.
fn fraction(weight: Constant) -> (String, u8) {
    let text = weight.value().to_string();
    match Decimal::from_str_exact(&text) {
        Ok(part) => ((part * Decimal::ONE_HUNDRED).normalize().to_string(), 100),
        Err(_) => (text, 1),
    }
}

fn word(frequency: Rebalance) -> &'static str {
    match frequency {
        Rebalance::Daily => "daily",
        Rebalance::Weekly => "weekly",
        Rebalance::Monthly => "monthly",
        Rebalance::Quarterly => "quarterly",
        Rebalance::Yearly => "yearly",
        Rebalance::Threshold(_) => "none",
    }
}

fn end(pick: Pick) -> &'static str {
    match pick {
        Pick::Top => "top",
        Pick::Bottom => "bottom",
    }
}

/// A string of EDN.
fn edn(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A string of JSON.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::symphony::read::read;
    use crate::domain::symphony::tree::Arena;

    /// Every node, function, comparator, spelling and rebalancing there is.
    const TEXTS: [&str; 7] = [
        "(defsymphony \"t\" {} [])",
        "(defsymphony \"Say \\\"buy\\\", \\\\ ☢\" {:rebalance-frequency :weekly} (weight-equal [(asset \"BRK/B\" \"x\") [] (asset \"A\")]))",
        "(defsymphony \"t\" {:rebalance-threshold 0.05} (weight-specified 0.1 (asset \"A\") 0.9 [(asset \"B\") (asset \"C\")] 0 []))",
        "(defsymphony \"t\" {} (if (and (> (rsi \"A\" 10) -2.5) (or (= (current-price \"B\") 1e-7) (<= (max-drawdown \"A\" {:window 5}) (stdev-price \"B\" 20)))) [] [(filter (exponential-moving-average-price 3) (select-bottom 2) (asset \"A\") (asset \"B\"))]))",
        "(defsymphony \"t\" {:rebalance-frequency :yearly} (group \"g\" [(weight-inverse-volatility 20 [(group \"empty\" [[]]) (asset \"A\")])]))",
        "(defsymphony \"t\" {} (if (>= (percentage-price-oscillator \"A\" {:long-window 26 :short-window 12}) (percentage-price-oscillator-signal \"A\" 12 26 9)) (asset \"A\") (if (< (moving-average-return \"A\" 5) (moving-average-price \"B\" 5)) (asset \"A\") (asset \"B\"))))",
        "(defsymphony \"t\" {} (filter (max-drawdown {:window 6}) (select-top 1) [(weight-equal (filter (cumulative-return 5) (select-top 1) (asset \"A\") [])) (if (> (stdev-return \"A\" 9) 1) (asset \"A\") [])]))",
    ];

    #[test]
    fn what_was_read_is_read_again_from_either_encoding() {
        for text in TEXTS {
            let tree = read(text).unwrap();
            for encoding in [Encoding::Text, Encoding::Json] {
                let written = write(&tree, encoding).unwrap();
                let again = read(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
                assert_eq!(again, tree, "{written}");
                assert_eq!(write(&again, encoding).unwrap(), written);
            }
        }
    }

    #[test]
    fn the_built_ins_are_the_same_trees_in_either_encoding() {
        for (name, text) in crate::domain::book::BUILT_INS {
            let tree = read(text).unwrap();
            for encoding in [Encoding::Text, Encoding::Json] {
                assert_eq!(read(&write(&tree, encoding).unwrap()).unwrap(), tree, "{name}");
            }
        }
    }

    #[test]
    fn a_text_is_written_as_an_operator_writes_it() {
        let written = write(&read(TEXTS[2]).unwrap(), Encoding::Text).unwrap();
        let expected = "\
(defsymphony \"t\" {:rebalance-threshold 0.05}
  (weight-specified
    0.1 (asset \"A\")
    0.9 (weight-equal
      [(asset \"B\")
      (asset \"C\")])
    0 []))
";
        assert_eq!(written, expected);
    }

    #[test]
    fn parts_that_repeat_without_end_are_refused() {
        let mut arena = Arena::default();
        let mut node = arena.node(Node::Cash).unwrap();
        for _ in 0..40 {
            node = arena.node(Node::Equal(Box::new([node, node]))).unwrap();
        }
        let tree = arena.into_tree("t".to_owned(), Rebalance::Daily, node);
        for encoding in [Encoding::Text, Encoding::Json] {
            let error = write(&tree, encoding).unwrap_err().to_string();
            assert!(error.contains("because it repeats parts of itself"), "{error}");
        }
    }

    #[test]
    fn a_weight_too_small_for_a_decimal_survives() {
        let text = "(defsymphony \"t\" {} (weight-specified 1 (asset \"A\") 1e-40 (asset \"B\")))";
        let tree = read(text).unwrap();
        assert_eq!(read(&write(&tree, Encoding::Json).unwrap()).unwrap(), tree);
        let third =
            "(defsymphony \"t\" {} (weight-specified 0.333 (asset \"A\") 0.667 (asset \"B\")))";
        let json = write(&read(third).unwrap(), Encoding::Json).unwrap();
        assert!(json.contains("{\"num\":33.3,\"den\":100}"), "{json}");
    }
}

//! A tree being planted: what both readers do alike once a form is understood.

use crate::domain::money::Weight;
use crate::domain::spelling::meant;
use crate::domain::steps::whole;
use crate::domain::strategy::Rebalance;
use crate::domain::symbol::Symbol;
use crate::domain::symphony::condition::{Comparison, Condition, Operand, Relation};
use crate::domain::symphony::form::{Form, ReadError, Source};
use crate::domain::symphony::function::{Function, WINDOW_MAX};
use crate::domain::symphony::measure::Measure;
use crate::domain::symphony::places::{ERRORS_MAX, Places};
use crate::domain::symphony::tree::{
    Arena, Candidate, Constant, Measured, Node, NodeId, Pick, Series, SeriesId, SymbolId, TooLarge,
    Tree,
};

/// How far specified weights may sum away from 1: float noise, nothing more.
const WEIGHTS_SUM_TOLERANCE: f64 = 1e-9;
/// Deepest nesting of `and` and `or`; each step of a trace holds its conditions nested.
pub(crate) const CONDITION_DEPTH_MAX: u16 = 16;
/// Functions that exist and that nobody outside of Composer can compute.
const UNKNOWABLE: [&str; 4] = [
    "moving-average-convergence-divergence",
    "moving-average-convergence-divergence-signal",
    "lower-bollinger",
    "upper-bollinger",
];

pub(crate) type Read<T> = Result<T, ReadError>;

/// The text being read and the tree so far.
pub(crate) struct Bed<'t> {
    pub(crate) source: Source<'t>,
    arena: Arena,
    /// Where what stands, when somebody wants to know.
    outline: Option<Places>,
}

/// What a symphony says besides its parts, and the part that is the whole.
pub(crate) struct Planted {
    pub(crate) title: String,
    pub(crate) rebalance: Rebalance,
    pub(crate) root: NodeId,
}

impl<'t> Bed<'t> {
    /// An empty bed for the tree of a text.
    pub(crate) fn of(source: Source<'t>) -> Self {
        Self { source, arena: Arena::default(), outline: None }
    }

    /// The same, which goes on after an error and keeps where everything stands.
    pub(crate) fn outlined(source: Source<'t>) -> Self {
        Self { outline: Some(Places::default()), ..Self::of(source) }
    }

    /// The finished tree.
    pub(crate) fn tree(self, planted: Planted) -> Tree {
        let Planted { title, rebalance, root } = planted;
        self.arena.into_tree(title, rebalance, root)
    }

    /// The finished tree and its outline, or all that could not be read.
    pub(crate) fn survey(
        mut self,
        planted: Read<Planted>,
    ) -> Result<(Tree, Places), Vec<ReadError>> {
        let outline = self.outline.take().unwrap_or_default();
        match planted {
            Ok(planted) if outline.errors.is_empty() => Ok((self.tree(planted), outline)),
            Err(last) if outline.errors.len() < ERRORS_MAX => {
                Err(outline.errors.into_iter().chain([last]).collect())
            }
            Ok(_) | Err(_) => Err(outline.errors),
        }
    }

    /// Goes on after an error with something in place of what could not be read, where all errors
    /// are wanted.
    pub(crate) fn mend<T>(
        &mut self,
        read: Read<T>,
        instead: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Read<T> {
        match (read, &mut self.outline) {
            (Err(error), Some(outline)) if outline.errors.len() < ERRORS_MAX => {
                outline.errors.push(error);
                instead(self)
            }
            (read, _) => read,
        }
    }

    /// Nothing at all.
    pub(crate) fn cash(&mut self, form: &Form<'_>) -> Read<NodeId> {
        self.plant(form, Node::Cash)
    }

    /// A stock or a fund, in any of the three spellings of its ticker.
    pub(crate) fn asset(&mut self, form: &Form<'_>, ticker: &Form<'_>) -> Read<NodeId> {
        let symbol = self.symbol(form, ticker)?;
        if let Some(outline) = &mut self.outline {
            outline.held.push((symbol, ticker.place()));
        }
        self.plant(form, Node::Asset(symbol))
    }

    /// A titled child.
    pub(crate) fn group(&mut self, form: &Form<'_>, title: &str, child: NodeId) -> Read<NodeId> {
        self.plant(form, Node::Group { title: title.into(), child })
    }

    /// Equal weights.
    pub(crate) fn equal(&mut self, form: &Form<'_>, children: Vec<NodeId>) -> Read<NodeId> {
        if children.is_empty() {
            return Err(self.source.refuse(form, "at least one child"));
        }
        self.plant(form, Node::Equal(children.into()))
    }

    /// A branch: nothing is cash, one child stands for itself, several share it equally.
    pub(crate) fn branch(&mut self, form: &Form<'_>, children: Vec<NodeId>) -> Read<NodeId> {
        match children[..] {
            [] => self.cash(form),
            [only] => Ok(only),
            _ => self.equal(form, children),
        }
    }

    /// Weights as given, which sum to 1.
    pub(crate) fn specified(
        &mut self,
        form: &Form<'_>,
        children: Vec<(Constant, NodeId)>,
    ) -> Read<NodeId> {
        let sum: f64 = children.iter().map(|(weight, _)| weight.value()).sum();
        if (sum - 1.0).abs() > WEIGHTS_SUM_TOLERANCE {
            let found = format!("a sum of {sum}");
            return Err(self.source.refuse_as(form, "weights that sum to 1", found));
        }
        self.plant(form, Node::Specified(children.into()))
    }

    /// A weight of [`Bed::specified`].
    pub(crate) fn weight(&self, form: &Form<'_>, value: Option<f64>) -> Read<Constant> {
        let value = value.filter(|value| (0.0..=1.0).contains(value));
        value.map(Constant::new).ok_or_else(|| {
            let hint = "a weight is a fraction: 0.6 for 60 percent".to_owned();
            self.source.refuse(form, "a weight from 0 to 1").hinted(Some(hint))
        })
    }

    /// Weights by the inverse of each child's volatility.
    pub(crate) fn weighed(
        &mut self,
        form: &Form<'_>,
        by: Measure,
        children: Vec<NodeId>,
    ) -> Read<NodeId> {
        if children.is_empty() {
            return Err(self.source.refuse(form, "at least one child"));
        }
        let members = self.candidates(form, by, children)?;
        self.plant(form, Node::InverseVolatility { members, by })
    }

    /// The best few of some children.
    pub(crate) fn ranked(
        &mut self,
        form: &Form<'_>,
        by: Measure,
        (pick, count): (Pick, u16),
        children: Vec<NodeId>,
    ) -> Read<NodeId> {
        if children.is_empty() {
            return Err(self.source.refuse(form, "at least one child"));
        }
        let only_assets = children.iter().all(|child| self.arena.is_asset(*child));
        if !only_assets && !by.function.scores_portfolios() {
            let expected = format!("only assets: {} has no meaning for others", by.function.name());
            return Err(self.source.refuse(form, expected));
        }
        let candidates = self.candidates(form, by, children)?;
        self.plant(form, Node::Filter { by, pick, count, candidates })
    }

    fn candidates(
        &mut self,
        form: &Form<'_>,
        by: Measure,
        children: Vec<NodeId>,
    ) -> Read<Box<[Candidate]>> {
        let candidate = |child| self.arena.candidate(child, by);
        let candidates: Result<_, TooLarge> = children.into_iter().map(candidate).collect();
        candidates.map_err(|large| self.too_large(form, large))
    }

    /// One of two ways.
    pub(crate) fn choice(
        &mut self,
        form: &Form<'_>,
        condition: Condition,
        then: NodeId,
        otherwise: NodeId,
    ) -> Read<NodeId> {
        self.plant(form, Node::If { condition, then, otherwise })
    }

    /// A comparison of two values.
    pub(crate) fn comparison(
        &mut self,
        form: &Form<'_>,
        left: SeriesId,
        relation: Relation,
        right: Operand,
    ) -> Condition {
        self.note_condition(form);
        Condition::Compare(Comparison { left, relation, right })
    }

    fn note_condition(&mut self, form: &Form<'_>) {
        if let Some(outline) = &mut self.outline {
            outline.note_condition(&form.place());
        }
    }

    /// Conditions of which all, or any, have to hold.
    pub(crate) fn joined(
        &mut self,
        form: &Form<'_>,
        all: bool,
        parts: Vec<Condition>,
    ) -> Read<Condition> {
        if parts.is_empty() {
            return Err(self.source.refuse(form, "at least one condition"));
        }
        self.note_condition(form);
        Ok(if all { Condition::All(parts.into()) } else { Condition::Any(parts.into()) })
    }

    /// Refuses conditions inside conditions inside conditions without end.
    pub(crate) fn check_nesting(&self, form: &Form<'_>, depth: u16) -> Read<()> {
        if depth <= CONDITION_DEPTH_MAX {
            return Ok(());
        }
        let expected = format!("conditions nested at most {CONDITION_DEPTH_MAX} deep");
        Err(self.source.refuse_as(form, expected, "one level more"))
    }

    /// A measure of a symbol's closes.
    pub(crate) fn series(
        &mut self,
        form: &Form<'_>,
        ticker: &Form<'_>,
        measure: Measure,
    ) -> Read<SeriesId> {
        let symbol = self.symbol(form, ticker)?;
        let series = Series { of: Measured::Closes(symbol), measure };
        let series = self.arena.series(series).map_err(|large| self.too_large(form, large))?;
        if let Some(outline) = &mut self.outline {
            outline.looked_at.push((series, form.place()));
        }
        Ok(series)
    }

    /// The function of a name.
    pub(crate) fn function(&self, form: &Form<'_>, name: &str) -> Read<Function> {
        Function::named(name).ok_or_else(|| {
            if UNKNOWABLE.contains(&name) {
                let expected = "a function whose formula is public";
                return self.source.refuse_as(form, expected, name);
            }
            let known = Function::ALL.map(Function::name).join(", ");
            let names = Function::ALL.into_iter().flat_map(|one| [one.name(), one.step_name()]);
            let hint = meant(name, names);
            self.source.refuse_as(form, format!("one of {known}"), name).hinted(hint)
        })
    }

    /// What inverse volatility weighs by: the volatility over a number of days.
    pub(crate) fn volatility(&self, days: &Form<'_>, value: Option<f64>) -> Read<Measure> {
        let function = Function::StdevReturn;
        let least = function.parameters().first().map_or(1, |parameter| parameter.least);
        Ok(Measure::over(function, self.whole(days, value, least)?))
    }

    /// A whole number.
    pub(crate) fn whole(&self, form: &Form<'_>, value: Option<f64>, least: u16) -> Read<u16> {
        let whole = value.and_then(whole);
        whole.filter(|whole| (least..=WINDOW_MAX).contains(whole)).ok_or_else(|| {
            self.source.refuse(form, format!("a whole number from {least} to {WINDOW_MAX}"))
        })
    }

    /// A threshold for rebalancing.
    pub(crate) fn threshold(&self, form: &Form<'_>, value: Option<f64>) -> Read<Rebalance> {
        let width = value.and_then(|value| Weight::from_ratio(value).ok());
        let refused = || self.source.refuse(form, "a fraction from 0 to 1");
        width.map(Rebalance::Threshold).ok_or_else(refused)
    }

    /// A frequency of rebalancing by its word.
    pub(crate) fn frequency(&self, form: &Form<'_>, word: &str) -> Read<Rebalance> {
        match word {
            "daily" => Ok(Rebalance::Daily),
            "weekly" => Ok(Rebalance::Weekly),
            "monthly" => Ok(Rebalance::Monthly),
            "quarterly" => Ok(Rebalance::Quarterly),
            "yearly" => Ok(Rebalance::Yearly),
            _ => {
                let expected = "one of daily, weekly, monthly, quarterly, yearly";
                let known = ["daily", "weekly", "monthly", "quarterly", "yearly"];
                Err(self.source.refuse(form, expected).hinted(meant(word, known)))
            }
        }
    }

    /// The symbol of a ticker somewhere in a form.
    fn symbol(&mut self, form: &Form<'_>, ticker: &Form<'_>) -> Read<SymbolId> {
        if let Some(known) = ticker.text().and_then(|text| self.arena.known_symbol(text)) {
            return Ok(known);
        }
        let symbol = self.spelt(ticker)?;
        self.arena.symbol(symbol).map_err(|large| self.too_large(form, large))
    }

    /// A ticker: plain, a share class in any spelling, or in Composer's long form.
    fn spelt(&self, form: &Form<'_>) -> Read<Symbol> {
        let refused = || self.source.refuse(form, "a ticker in quotes");
        let text = form.text().ok_or_else(refused)?;
        if text.starts_with("CRYPTO::") {
            return Err(self.source.refuse(form, "a stock or a fund: coins are not traded here"));
        }
        if text.starts_with('^') {
            let expected = "a stock or a fund: an index cannot be traded";
            return Err(self.source.refuse(form, expected));
        }
        let plain = text.strip_prefix("EQUITIES::").and_then(|rest| rest.strip_suffix("//USD"));
        Symbol::parse(plain.unwrap_or(text)).map_err(|_| {
            let spelt = text.split_whitespace().collect::<String>().to_uppercase();
            let hint = Symbol::parse(&spelt).ok().map(|symbol| format!("did you mean {symbol}?"));
            self.source.refuse(form, "a ticker such as \"SPY\" or \"BRK/B\"").hinted(hint)
        })
    }

    fn plant(&mut self, form: &Form<'_>, node: Node) -> Read<NodeId> {
        let node = self.arena.node(node).map_err(|large| self.too_large(form, large))?;
        if let Some(outline) = &mut self.outline {
            outline.note_node(node, &form.place());
        }
        Ok(node)
    }

    fn too_large(&self, form: &Form<'_>, large: TooLarge) -> ReadError {
        let (expected, found) = match large {
            TooLarge::Parts => ("a strategy with fewer distinct parts", "one too many"),
            TooLarge::Depth => ("a strategy with fewer levels", "one too deep"),
        };
        self.source.refuse_as(form, expected, found)
    }
}

//! A whole strategy in words, to be drawn, and the way that was taken through it.
//!
//! The outline is the tree with every number and measure written out, parts that repeat still
//! stored once. The way is matched by the numbers of the parts, never by their names, because two
//! parts may have one title.

use serde::Serialize;

use crate::domain::symbol::Symbol;
use crate::domain::symphony::condition::{Condition, Operand};
use crate::domain::symphony::tree::{Candidate, Node, NodeId, SeriesId, Tree};

/// All that a strategy could do and what it did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drawing {
    /// The whole tree.
    pub outline: Outline,
    /// The way through it; `None` when there is no signal.
    pub route: Option<Route>,
}

/// A strategy's tree in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outline {
    /// The title that its text gives it.
    pub title: String,
    /// Number of the piece that is the whole.
    pub root: usize,
    /// Pieces by their numbers, identical ones once; a piece comes after those it is made of.
    pub pieces: Vec<Piece>,
}

/// What stands at a place of the tree: always a portfolio.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Piece {
    /// One asset.
    Asset(Symbol),
    /// Nothing held.
    Cash,
    /// Equal shares of pieces.
    Equal(Vec<usize>),
    /// Given shares of pieces.
    Specified(Vec<(f64, usize)>),
    /// Shares by the inverse of the members' volatility.
    InverseVolatility {
        /// Measure in words, such as `volatility over 14 days`.
        by: String,
        /// Members as listed.
        members: Vec<usize>,
    },
    /// A test and its two branches.
    Choice {
        /// What is tested.
        test: Test,
        /// The piece where it holds.
        then: usize,
        /// The piece where it does not.
        otherwise: usize,
    },
    /// A titled piece.
    Group {
        /// Its title.
        title: String,
        /// What it is.
        inner: usize,
    },
    /// The first few of a ranking, in equal shares.
    Ranking {
        /// Score in words, such as `mean return over 90 days`.
        by: String,
        /// `highest` or `lowest`.
        order: String,
        /// How many are picked.
        count: usize,
        /// Candidates as listed.
        candidates: Vec<usize>,
    },
}

/// A test in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Test {
    /// A comparison of two values.
    Compare {
        /// Left side, such as `RSI(10) of SPY`.
        left: String,
        /// `>`, `<`, `>=`, `<=` or `=`.
        comparison: String,
        /// Right side, or the number.
        right: String,
    },
    /// All have to hold.
    All(Vec<Test>),
    /// One has to hold.
    Any(Vec<Test>),
}

/// A piece that was given a part of the whole, and where that went from there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Route {
    /// Number of the piece.
    pub piece: usize,
    /// Its part of the whole, 0 to 1.
    pub share: f64,
    /// Which step of the trace tells about it; assets, cash and plain weightings have none.
    pub step: Option<usize>,
    /// The pieces it went on to: of a choice the branch taken, of a ranking its picks, best first.
    pub on: Vec<Route>,
}

/// Visits in the order of the walk, and how many steps of the trace they have told so far.
struct Followed<'v> {
    visits: &'v [(NodeId, f64)],
    steps: usize,
}

impl Outline {
    /// A tree in words.
    pub(crate) fn of(tree: &Tree) -> Self {
        let pieces = tree.nodes.iter().map(|node| piece(tree, node)).collect();
        Self { title: tree.title.clone(), root: tree.root.index(), pieces }
    }

    /// The way that a walk took, as far as its visits were kept.
    pub(crate) fn follow(&self, visits: &[(NodeId, f64)]) -> Option<Route> {
        self.route(&mut Followed { visits, steps: 0 })
    }

    fn route(&self, followed: &mut Followed<'_>) -> Option<Route> {
        let ((id, share), later) = followed.visits.split_first()?;
        followed.visits = later;
        let piece = self.pieces.get(id.index())?;
        let tells = match piece {
            Piece::Asset(_) | Piece::Cash | Piece::Equal(_) | Piece::Specified(_) => false,
            Piece::InverseVolatility { .. }
            | Piece::Choice { .. }
            | Piece::Group { .. }
            | Piece::Ranking { .. } => true,
        };
        let step = tells.then_some(followed.steps);
        followed.steps += usize::from(tells);
        let mut on = Vec::new();
        match piece {
            Piece::Asset(_) | Piece::Cash => {}
            Piece::Choice { .. } | Piece::Group { .. } => on.extend(self.route(followed)),
            Piece::Equal(inner) | Piece::InverseVolatility { members: inner, .. } => {
                on.extend(inner.iter().map_while(|_| self.route(followed)));
            }
            Piece::Ranking { count, candidates, .. } => {
                let picked = candidates.iter().take(*count);
                on.extend(picked.map_while(|_| self.route(followed)));
            }
            Piece::Specified(inner) => {
                for (weight, inner) in inner {
                    // What has no weight was passed over.
                    let is_next = |(id, _): &(NodeId, f64)| id.index() == *inner;
                    if *weight > 0.0 && followed.visits.first().is_some_and(is_next) {
                        on.extend(self.route(followed));
                    }
                }
            }
        }
        Some(Route { piece: id.index(), share: *share, step, on })
    }

    /// How many pieces each one consists of, itself included, written out with every repetition.
    pub fn sizes(&self) -> Vec<u64> {
        let mut sizes: Vec<u64> = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let mut size: u64 = 1;
            piece.each_inner(|inner| {
                size = size.saturating_add(sizes.get(inner).copied().unwrap_or_default());
            });
            sizes.push(size);
        }
        sizes
    }
}

impl Piece {
    /// Calls `visit` with the number of every piece it is made of, in listed order.
    pub fn each_inner(&self, mut visit: impl FnMut(usize)) {
        match self {
            Self::Asset(_) | Self::Cash => {}
            Self::Equal(inner)
            | Self::InverseVolatility { members: inner, .. }
            | Self::Ranking { candidates: inner, .. } => inner.iter().copied().for_each(visit),
            Self::Specified(inner) => inner.iter().for_each(|(_, inner)| visit(*inner)),
            Self::Choice { then, otherwise, .. } => {
                visit(*then);
                visit(*otherwise);
            }
            Self::Group { inner, .. } => visit(*inner),
        }
    }
}

fn piece(tree: &Tree, node: &Node) -> Piece {
    let numbers = |candidates: &[Candidate]| {
        candidates.iter().map(|candidate| candidate.node.index()).collect()
    };
    match node {
        Node::Asset(symbol) => Piece::Asset(tree.symbol(*symbol).clone()),
        Node::Cash => Piece::Cash,
        Node::Equal(inner) => Piece::Equal(inner.iter().map(|inner| inner.index()).collect()),
        Node::Specified(inner) => Piece::Specified(
            inner.iter().map(|(weight, inner)| (weight.value(), inner.index())).collect(),
        ),
        Node::InverseVolatility { members, by } => {
            Piece::InverseVolatility { by: by.words(), members: numbers(members) }
        }
        Node::If { condition, then, otherwise } => Piece::Choice {
            test: test(tree, condition),
            then: then.index(),
            otherwise: otherwise.index(),
        },
        Node::Group { title, child } => {
            Piece::Group { title: title.to_string(), inner: child.index() }
        }
        Node::Filter { by, pick, count, candidates } => Piece::Ranking {
            by: by.words(),
            order: pick.words().to_owned(),
            count: usize::from(*count),
            candidates: numbers(candidates),
        },
    }
}

fn test(tree: &Tree, condition: &Condition) -> Test {
    let words = |id: SeriesId| {
        let series = tree.series(id);
        format!("{} of {}", series.measure.words(), tree.measured(series.of))
    };
    match condition {
        Condition::Compare(comparison) => Test::Compare {
            left: words(comparison.left),
            comparison: comparison.relation.sign().to_owned(),
            right: match comparison.right {
                Operand::Number(constant) => constant.value().to_string(),
                Operand::Series(series) => words(series),
            },
        },
        Condition::All(parts) => Test::All(parts.iter().map(|part| test(tree, part)).collect()),
        Condition::Any(parts) => Test::Any(parts.iter().map(|part| test(tree, part)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::{Date, date};

    use super::*;
    use crate::domain::market::{Histories, History};
    use crate::domain::run::StrategyName;
    use crate::domain::strategy::StrategyEngine;
    use crate::domain::symphony::SymphonyEngine;
    use crate::domain::symphony::trace::Step;

    const AS_OF: Date = date(2026, 1, 8);

    fn engine(body: &str) -> SymphonyEngine {
        let text = format!("(defsymphony \"t\" {{}} {body})");
        SymphonyEngine::read(StrategyName::parse("mine").unwrap(), &text).unwrap()
    }

    fn market() -> Histories {
        let history = |closes: [f64; 4]| {
            let days = (5..=8).map(|day| date(2026, 1, day)).collect();
            History::new(days, closes.to_vec(), vec![]).unwrap()
        };
        Histories::new(BTreeMap::from([
            (Symbol::parse("UP").unwrap(), history([10.0, 11.0, 12.0, 12.0])),
            (Symbol::parse("DOWN").unwrap(), history([10.0, 9.0, 10.0, 8.0])),
        ]))
    }

    /// Every piece on the way, with the names of its steps.
    fn told(drawing: &Drawing, steps: &[Step], route: &Route, told: &mut Vec<String>) {
        let piece = &drawing.outline.pieces[route.piece];
        let share = route.share;
        told.push(match (piece, route.step.map(|at| &steps[at])) {
            (Piece::Asset(symbol), None) => format!("{symbol} {share}"),
            (Piece::Cash, None) => format!("cash {share}"),
            (Piece::Equal(inner), None) => format!("equal {}", inner.len()),
            (Piece::Specified(inner), None) => format!("specified {}", inner.len()),
            (Piece::Group { title, .. }, Some(Step::Group(group))) => {
                assert_eq!(*title, group.title);
                format!("group {title}")
            }
            (Piece::Choice { then, .. }, Some(Step::Condition(condition))) => {
                assert_eq!(route.on[0].piece == *then, condition.holds);
                format!("choice {}", condition.holds)
            }
            (Piece::Ranking { .. }, Some(Step::Ranking(ranking))) => {
                assert_eq!(route.on.len(), ranking.picked);
                format!("ranking {}", ranking.scores[0].0)
            }
            (Piece::InverseVolatility { members, .. }, Some(Step::Weighing(weighing))) => {
                assert_eq!(members.len(), weighing.members.len());
                "weighing".to_owned()
            }
            other => panic!("{other:?}"),
        });
        route.on.iter().for_each(|on| self::told(drawing, steps, on, told));
    }

    fn way(body: &str) -> Vec<String> {
        let engine = engine(body);
        let signal = engine.evaluate(&market(), AS_OF).unwrap();
        let drawing = engine.drawing(&market(), AS_OF).unwrap();
        let mut all = Vec::new();
        told(&drawing, &signal.trace.steps, drawing.route.as_ref().unwrap(), &mut all);
        all
    }

    #[test]
    fn the_way_is_that_of_the_trace_with_everything_held_at_its_ends() {
        let body = "(weight-specified 0.5 (group \"first\" [(if (> (current-price \"UP\") 11) \
            [(filter (cumulative-return {:window 3}) (select-bottom 2) \
              [(asset \"UP\") (asset \"DOWN\") []])] [(asset \"UP\")])]) \
            0 (asset \"NONE\") \
            0.5 (weight-inverse-volatility 3 [(asset \"UP\") (group \"last\" [(asset \"DOWN\")])]))";
        let said = way(body);
        let shares: f64 = said
            .iter()
            .filter(|said| said.starts_with("UP") || said.starts_with("DOWN"))
            .chain(said.iter().filter(|said| said.starts_with("cash")))
            .map(|said| said.split(' ').nth(1).unwrap().parse::<f64>().unwrap())
            .sum();
        assert!((shares - 1.0).abs() < 1e-9, "{said:?}");
        let plain: Vec<&str> = said.iter().map(|said| said.split(" 0.").next().unwrap()).collect();
        let expected = [
            "specified 3",
            "group first",
            "choice true",
            "ranking DOWN",
            "DOWN",
            "cash",
            "weighing",
            "UP",
            "group last",
            "DOWN",
        ];
        assert_eq!(plain, expected);
    }

    #[test]
    fn candidates_of_one_title_are_told_apart() {
        let pair = |symbol: &str| format!("(group \"same\" [(asset \"{symbol}\")])");
        let body = format!(
            "(filter (cumulative-return {{:window 2}}) (select-top 1) [{} {}])",
            pair("DOWN"),
            pair("UP")
        );
        assert_eq!(way(&body), ["ranking same", "group same", "UP 1"]);
    }

    #[test]
    fn the_outline_has_every_branch_and_no_signal_has_no_way() {
        let branch = "(if (and (> (current-price \"UP\") 5) (< (rsi \"UP\" {:window 10}) 79.5)) \
                      [(asset \"UP\")] [])";
        let engine = engine(&format!("(weight-equal [{branch} {branch}])"));
        let Drawing { outline, route } = engine.drawing(&market(), AS_OF).unwrap();
        assert_eq!(route, None);
        let compare = |left: &str, comparison: &str, right: &str| Test::Compare {
            left: left.to_owned(),
            comparison: comparison.to_owned(),
            right: right.to_owned(),
        };
        let test = Test::All(vec![
            compare("price of UP", ">", "5"),
            compare("RSI(10) of UP", "<", "79.5"),
        ]);
        let pieces = [
            Piece::Asset(Symbol::parse("UP").unwrap()),
            Piece::Cash,
            Piece::Choice { test, then: 0, otherwise: 1 },
            Piece::Equal(vec![2, 2]),
        ];
        assert_eq!((outline.root, &outline.pieces[..]), (3, &pieces[..]));
        assert_eq!(outline.sizes(), [1, 1, 3, 7]);
    }
}

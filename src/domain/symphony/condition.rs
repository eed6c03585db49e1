//! What decides between two branches: comparisons, alone or joined by `and` and `or`.

use crate::domain::symphony::tree::{Constant, SeriesId};

/// What decides between two branches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Condition {
    Compare(Comparison),
    /// All have to hold; looked at in order, up to the first that does not.
    All(Box<[Condition]>),
    /// One has to hold; looked at in order, up to the first that does.
    Any(Box<[Condition]>),
}

/// Left and right of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Comparison {
    pub(crate) left: SeriesId,
    pub(crate) relation: Relation,
    pub(crate) right: Operand,
}

/// The right side of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operand {
    Number(Constant),
    Series(SeriesId),
}

/// How two values are compared: as written, without rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Relation {
    Above,
    Below,
    AtLeast,
    AtMost,
    Equal,
}

impl Condition {
    /// Calls `visit` with every comparison in it, in written order.
    pub(crate) fn each_comparison(&self, visit: &mut impl FnMut(&Comparison)) {
        match self {
            Self::Compare(comparison) => visit(comparison),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.each_comparison(visit));
            }
        }
    }
}

impl Relation {
    const ALL: [Self; 5] = [Self::Above, Self::Below, Self::AtLeast, Self::AtMost, Self::Equal];

    /// The sign in the text form and in explanations.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::Below => "<",
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::Equal => "=",
        }
    }

    /// Its word in the step form.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Above => "gt",
            Self::Below => "lt",
            Self::AtLeast => "gte",
            Self::AtMost => "lte",
            Self::Equal => "eq",
        }
    }

    /// The relation of a sign.
    pub(crate) fn signed(sign: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|relation| relation.sign() == sign)
    }

    /// The relation of a word.
    pub(crate) fn worded(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|relation| relation.word() == word)
    }

    /// Whether it holds between two numbers; never for NaN.
    #[expect(clippy::float_cmp, reason = "equality as written, without rounding")]
    pub(crate) fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Above => left > right,
            Self::Below => left < right,
            Self::AtLeast => left >= right,
            Self::AtMost => left <= right,
            Self::Equal => left == right,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_goes_to_the_relations_that_name_it() {
        let holding = |relation: Relation| [0.5, 1.0, 1.5].map(|left| relation.holds(left, 1.0));
        assert_eq!(holding(Relation::Above), [false, false, true]);
        assert_eq!(holding(Relation::AtLeast), [false, true, true]);
        assert_eq!(holding(Relation::Below), [true, false, false]);
        assert_eq!(holding(Relation::AtMost), [true, true, false]);
        assert_eq!(holding(Relation::Equal), [false, true, false]);
        assert!(!Relation::AtMost.holds(f64::NAN, 1.0));
    }
}

//! Funds that follow the same thing in opposite directions.
//!
//! Only what the funds' names promise: what they follow and how many times. Fees and what daily
//! rebalancing costs are not known here.

use rust_decimal::Decimal;

use crate::domain::symbol::Symbol;

/// A fund that rises with something and one that falls with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opposite {
    /// The fund that rises with it.
    pub bull: &'static str,
    /// How many times its moves.
    pub bull_factor: Decimal,
    /// The fund that falls with it.
    pub bear: &'static str,
    /// How many times its moves, without the sign.
    pub bear_factor: Decimal,
    /// What both follow.
    pub follows: &'static str,
}

/// What is followed, with the funds that rise and those that fall, each with its factor in tenths.
type Followed = (&'static str, &'static [(&'static str, i64)], &'static [(&'static str, i64)]);

const FOLLOWED: [Followed; 15] = [
    (
        "the Nasdaq-100",
        &[("TQQQ", 30), ("QLD", 20), ("QQQ", 10)],
        &[("SQQQ", 30), ("QID", 20), ("PSQ", 10)],
    ),
    (
        "the S&P 500",
        &[("UPRO", 30), ("SPXL", 30), ("SSO", 20), ("SPY", 10)],
        &[("SPXU", 30), ("SPXS", 30), ("SDS", 20), ("SH", 10)],
    ),
    ("technology shares", &[("TECL", 30)], &[("TECS", 30)]),
    ("semiconductor shares", &[("SOXL", 30)], &[("SOXS", 30)]),
    ("the FANG+ index", &[("FNGU", 30)], &[("FNGD", 30)]),
    ("large innovators", &[("BULZ", 30)], &[("BERZ", 30)]),
    ("the Russell 2000", &[("TNA", 30)], &[("TZA", 30)]),
    ("financial shares", &[("FAS", 30)], &[("FAZ", 30)]),
    ("biotechnology shares", &[("LABU", 30)], &[("LABD", 30)]),
    ("the Dow", &[("UDOW", 30)], &[("SDOW", 30)]),
    ("long Treasuries", &[("TMF", 30)], &[("TMV", 30)]),
    ("short-term VIX futures", &[("UVXY", 15)], &[("SVIX", 10), ("SVXY", 5)]),
    ("energy shares", &[("ERX", 20)], &[("ERY", 20)]),
    ("large Chinese shares", &[("YINN", 30)], &[("YANG", 30)]),
    ("gold miners", &[("NUGT", 20)], &[("DUST", 20)]),
];

/// What two funds follow in opposite directions, in whichever order they are named.
pub fn opposites(a: &Symbol, b: &Symbol) -> Option<Opposite> {
    FOLLOWED.iter().find_map(|(follows, bulls, bears)| {
        let of = |funds: &'static [(&'static str, i64)], symbol: &Symbol| {
            funds.iter().find(|(fund, _)| *fund == symbol.as_str())
        };
        let (bull, bear) =
            of(bulls, a).zip(of(bears, b)).or_else(|| of(bulls, b).zip(of(bears, a)))?;
        Some(Opposite {
            bull: bull.0,
            bull_factor: Decimal::new(bull.1, 1),
            bear: bear.0,
            bear_factor: Decimal::new(bear.1, 1),
            follows,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(name: &str) -> Symbol {
        Symbol::parse(name).unwrap()
    }

    #[test]
    fn a_bull_and_its_bear_are_opposites_in_either_order() {
        let found = opposites(&symbol("SQQQ"), &symbol("TQQQ"));
        assert_eq!(found, opposites(&symbol("TQQQ"), &symbol("SQQQ")));
        let Opposite { bull, bull_factor, bear, bear_factor, follows } = found.unwrap();
        assert_eq!((bull, bear, follows), ("TQQQ", "SQQQ", "the Nasdaq-100"));
        assert_eq!((bull_factor, bear_factor), (Decimal::from(3), Decimal::from(3)));
    }

    #[test]
    fn funds_of_the_same_direction_or_of_something_else_are_not() {
        for (a, b) in [("TQQQ", "QLD"), ("TQQQ", "SPXU"), ("TQQQ", "TQQQ"), ("BIL", "SQQQ")] {
            assert_eq!(opposites(&symbol(a), &symbol(b)), None, "{a} {b}");
        }
    }
}

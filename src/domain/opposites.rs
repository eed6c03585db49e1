//! Funds that move against each other by construction: leveraged and inverse ones of one index.
//!
//! Whoever holds both sides pays two fees and two decays for little or nothing. A closed list, because
//! no broker's answer says what a fund follows; the factors are the daily ones of the funds' names and
//! were not looked up fund by fund, so nothing is traded by them: a wrong row makes or spares a remark.
//! Indexes of two sponsors count as one where they hold much the same shares.

use crate::domain::symbol::Symbol;

/// A fund, what it follows, and how many tenths of its daily move the fund aims at.
struct Fund(&'static str, &'static str, i8);

/// Two funds on opposite sides of one index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opposites {
    /// What both follow.
    pub follow: &'static str,
    /// Tenths of the index's daily move that each aims at: one above zero, one below.
    pub tenths: [i8; 2],
}

/// What two symbols follow from opposite sides, if they do.
///
/// ```
/// use alchemiser::domain::{opposites::opposites, symbol::Symbol};
/// let [bull, bear, other] = ["TQQQ", "SQQQ", "SPXS"].map(|name| Symbol::parse(name).unwrap());
/// let pair = opposites(&bull, &bear).unwrap();
/// assert_eq!((pair.follow, pair.tenths), ("the Nasdaq-100", [30, -30]));
/// assert_eq!(opposites(&bull, &other), None);
/// ```
pub fn opposites(one: &Symbol, other: &Symbol) -> Option<Opposites> {
    let (one, other) = (fund(one)?, fund(other)?);
    let is_pair = one.1 == other.1 && (one.2 > 0) != (other.2 > 0);
    is_pair.then_some(Opposites { follow: one.1, tenths: [one.2, other.2] })
}

/// The place of a fund in the list.
pub(crate) fn number(symbol: &Symbol) -> Option<usize> {
    FUNDS.iter().position(|fund| fund.0 == symbol.as_str())
}

fn fund(symbol: &Symbol) -> Option<&'static Fund> {
    number(symbol).map(|number| &FUNDS[number])
}

/// How many funds the list may have: sets of them are the bits of one number.
const _: () = assert!(FUNDS.len() <= 128);

const SP500: &str = "the S&P 500";
const NASDAQ: &str = "the Nasdaq-100";
const DOW: &str = "the Dow Jones";
const SMALL: &str = "the Russell 2000";
const CHIPS: &str = "semiconductors";
const TECH: &str = "technology shares";
const BIOTECH: &str = "biotechnology shares";
const FINANCE: &str = "financial shares";
const ENERGY: &str = "energy shares";
const DRILLERS: &str = "oil and gas producers";
const INTERNET: &str = "internet shares";
const FANG: &str = "the FANG+ shares";
const BETA: &str = "high-beta shares";
const PROPERTY: &str = "real estate shares";
const CHINA: &str = "Chinese large shares";
const EMERGING: &str = "emerging markets";
const LONG_BONDS: &str = "long Treasury bonds";
const MIDDLE_BONDS: &str = "seven to ten year Treasury notes";
const VOLATILITY: &str = "short-term volatility futures";
const OIL: &str = "crude oil";
const GAS: &str = "natural gas";
const GOLD: &str = "gold";
const SILVER: &str = "silver";
const MINERS: &str = "gold miners";
const JUNIORS: &str = "junior gold miners";
const BITCOIN: &str = "bitcoin";
const TESLA: &str = "Tesla";
const NVIDIA: &str = "Nvidia";

#[rustfmt::skip]
const FUNDS: [Fund; 123] = [
    Fund("SPY", SP500, 10), Fund("VOO", SP500, 10), Fund("IVV", SP500, 10), Fund("SSO", SP500, 20),
    Fund("SPUU", SP500, 20), Fund("UPRO", SP500, 30), Fund("SPXL", SP500, 30), Fund("SH", SP500, -10),
    Fund("SDS", SP500, -20), Fund("SPXU", SP500, -30), Fund("SPXS", SP500, -30),
    Fund("QQQ", NASDAQ, 10), Fund("QQQM", NASDAQ, 10), Fund("QLD", NASDAQ, 20), Fund("TQQQ", NASDAQ, 30),
    Fund("PSQ", NASDAQ, -10), Fund("QID", NASDAQ, -20), Fund("SQQQ", NASDAQ, -30),
    Fund("DIA", DOW, 10), Fund("DDM", DOW, 20), Fund("UDOW", DOW, 30), Fund("DOG", DOW, -10),
    Fund("DXD", DOW, -20), Fund("SDOW", DOW, -30),
    Fund("IWM", SMALL, 10), Fund("UWM", SMALL, 20), Fund("TNA", SMALL, 30), Fund("URTY", SMALL, 30),
    Fund("RWM", SMALL, -10), Fund("TWM", SMALL, -20), Fund("TZA", SMALL, -30), Fund("SRTY", SMALL, -30),
    Fund("SOXX", CHIPS, 10), Fund("SMH", CHIPS, 10), Fund("USD", CHIPS, 20), Fund("SOXL", CHIPS, 30),
    Fund("SSG", CHIPS, -20), Fund("SOXS", CHIPS, -30),
    Fund("XLK", TECH, 10), Fund("ROM", TECH, 20), Fund("TECL", TECH, 30), Fund("REW", TECH, -20),
    Fund("TECS", TECH, -30),
    Fund("XBI", BIOTECH, 10), Fund("LABU", BIOTECH, 30), Fund("LABD", BIOTECH, -30),
    Fund("XLF", FINANCE, 10), Fund("UYG", FINANCE, 20), Fund("FAS", FINANCE, 30), Fund("SEF", FINANCE, -10),
    Fund("SKF", FINANCE, -20), Fund("FAZ", FINANCE, -30),
    Fund("XLE", ENERGY, 10), Fund("ERX", ENERGY, 20), Fund("DIG", ENERGY, 20), Fund("ERY", ENERGY, -20),
    Fund("DUG", ENERGY, -20),
    Fund("XOP", DRILLERS, 10), Fund("GUSH", DRILLERS, 20), Fund("DRIP", DRILLERS, -20),
    Fund("FDN", INTERNET, 10), Fund("WEBL", INTERNET, 30), Fund("WEBS", INTERNET, -30),
    Fund("FNGS", FANG, 10), Fund("FNGO", FANG, 20), Fund("FNGU", FANG, 30), Fund("FNGD", FANG, -30),
    Fund("SPHB", BETA, 10), Fund("HIBL", BETA, 30), Fund("HIBS", BETA, -30),
    Fund("DRN", PROPERTY, 30), Fund("DRV", PROPERTY, -30),
    Fund("FXI", CHINA, 10), Fund("XPP", CHINA, 20), Fund("YINN", CHINA, 30), Fund("YXI", CHINA, -10),
    Fund("FXP", CHINA, -20), Fund("YANG", CHINA, -30),
    Fund("EEM", EMERGING, 10), Fund("EET", EMERGING, 20), Fund("EDC", EMERGING, 30),
    Fund("EUM", EMERGING, -10), Fund("EEV", EMERGING, -20), Fund("EDZ", EMERGING, -30),
    Fund("TLT", LONG_BONDS, 10), Fund("UBT", LONG_BONDS, 20), Fund("TMF", LONG_BONDS, 30),
    Fund("TBF", LONG_BONDS, -10), Fund("TBT", LONG_BONDS, -20), Fund("TMV", LONG_BONDS, -30),
    Fund("IEF", MIDDLE_BONDS, 10), Fund("UST", MIDDLE_BONDS, 20), Fund("TYD", MIDDLE_BONDS, 30),
    Fund("TBX", MIDDLE_BONDS, -10), Fund("PST", MIDDLE_BONDS, -20), Fund("TYO", MIDDLE_BONDS, -30),
    Fund("VXX", VOLATILITY, 10), Fund("VIXY", VOLATILITY, 10), Fund("UVXY", VOLATILITY, 15),
    Fund("UVIX", VOLATILITY, 20), Fund("SVXY", VOLATILITY, -5), Fund("SVIX", VOLATILITY, -10),
    Fund("UCO", OIL, 20), Fund("SCO", OIL, -20),
    Fund("BOIL", GAS, 20), Fund("KOLD", GAS, -20),
    Fund("UGL", GOLD, 20), Fund("GLL", GOLD, -20),
    Fund("AGQ", SILVER, 20), Fund("ZSL", SILVER, -20),
    Fund("GDX", MINERS, 10), Fund("NUGT", MINERS, 20), Fund("DUST", MINERS, -20),
    Fund("GDXJ", JUNIORS, 10), Fund("JNUG", JUNIORS, 20), Fund("JDST", JUNIORS, -20),
    Fund("BITX", BITCOIN, 20), Fund("BITI", BITCOIN, -10), Fund("SBIT", BITCOIN, -20),
    Fund("TSLL", TESLA, 20), Fund("TSLQ", TESLA, -20),
    Fund("NVDL", NVIDIA, 20), Fund("NVDQ", NVIDIA, -20),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn pair(one: &str, other: &str) -> Option<[i8; 2]> {
        let [one, other] = [one, other].map(|name| Symbol::parse(name).unwrap());
        opposites(&one, &other).map(|pair| pair.tenths)
    }

    #[test]
    fn bulls_and_bears_of_one_index_are_opposites_whatever_their_factor() {
        for (bull, bear) in [
            "TQQQ/SQQQ",
            "UPRO/SPXU",
            "SPXL/SPXS",
            "SSO/SDS",
            "SPY/SH",
            "QQQ/PSQ",
            "QLD/QID",
            "TECL/TECS",
            "SOXL/SOXS",
            "LABU/LABD",
            "TMF/TMV",
            "UDOW/SDOW",
            "TNA/TZA",
            "FAS/FAZ",
            "ERX/ERY",
            "YINN/YANG",
            "FNGU/FNGD",
            "UVXY/SVXY",
            "BOIL/KOLD",
            "NUGT/DUST",
            "WEBL/WEBS",
            "UCO/SCO",
            "AGQ/ZSL",
            "TQQQ/PSQ",
        ]
        .map(|pair| pair.split_once('/').unwrap())
        {
            let tenths = pair(bull, bear);
            assert!(tenths.is_some_and(|[up, down]| up > 0 && down < 0), "{bull} {bear}");
        }
        assert_eq!(pair("SVXY", "UVXY"), Some([-5, 15]));
    }

    #[test]
    fn two_bulls_two_indexes_and_one_fund_are_no_opposites() {
        for (one, other) in [("TQQQ", "QLD"), ("TQQQ", "SPXS"), ("TQQQ", "TQQQ"), ("BIL", "SQQQ")] {
            assert_eq!(pair(one, other), None, "{one} {other}");
        }
    }

    #[test]
    fn every_fund_stands_once_and_has_an_opposite() {
        let names: BTreeSet<&str> = FUNDS.iter().map(|fund| fund.0).collect();
        assert_eq!(names.len(), FUNDS.len());
        for name in &names {
            assert!(names.iter().any(|other| pair(name, other).is_some()), "{name}");
        }
    }
}

//! What would turn a decision, in words: the close of one symbol and how far it is.

use crate::domain::symphony::trace::{Edge, Turn};
use crate::presentation::figures::{MINUS, edge_price};

/// `SPY at 484.93 (−4.05%)`, or that no price of SPY does.
pub(crate) fn turns_at(turn: &Turn) -> String {
    match &turn.instead {
        Some(edge) => format!("{} at {}", turn.symbol, at(edge)),
        None => format!("no price of {}", turn.symbol),
    }
}

/// The same for the close of the next session.
pub(crate) fn turns_next(turn: &Turn) -> String {
    match &turn.next {
        Some(edge) => format!("next close at {}", at(edge)),
        None => "no next close".to_owned(),
    }
}

fn at(edge: &Edge) -> String {
    let Edge { close, percent } = *edge;
    let sign = if percent < 0.0 { MINUS } else { '+' };
    format!("{} ({sign}{:.2}%)", edge_price(close, percent), percent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::symbol::Symbol;

    fn turn(instead: Option<(f64, f64)>) -> Turn {
        let edge = |(close, percent)| Edge { close, percent };
        let symbol = Symbol::parse("SPY").unwrap();
        Turn { symbol, close: 500.0, instead: instead.map(edge), next: None }
    }

    #[test]
    fn a_close_is_rounded_to_the_side_on_which_it_turns() {
        assert_eq!(turns_at(&turn(Some((484.931, -3.0138)))), "SPY at 484.93 (−3.01%)");
        assert_eq!(turns_at(&turn(Some((515.061, 3.0122)))), "SPY at 515.07 (+3.01%)");
        assert_eq!(turns_at(&turn(Some((1_484.93, 196.986)))), "SPY at 1,484.93 (+196.99%)");
        assert_eq!(turns_at(&turn(Some((0.41221, -8.1)))), "SPY at 0.4122 (−8.10%)");
        assert_eq!(turns_at(&turn(None)), "no price of SPY");
        assert_eq!(turns_next(&turn(None)), "no next close");
    }
}

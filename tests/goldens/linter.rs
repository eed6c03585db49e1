//! What a check says of conditions and branches, against the plain evaluator.

use std::collections::BTreeMap;
use std::ops::Range;

use alchemiser::domain::symphony::lint::{Against, Code, check};

use crate::generated::Closes;
use crate::trees::{DAYS, Draw, market};
use crate::{claims_something, reference};

/// Symphonies checked.
const TREES: u32 = 6_000;
/// Sessions on which each is evaluated; a ranking goes back over all before them.
const SESSIONS: usize = 3;

/// The text with a mark for the plain evaluator at everything the check is certain of.
fn marked(text: &str, claims: &mut BTreeMap<Code, usize>) -> String {
    let mut marks: Vec<(Range<usize>, String)> = Vec::new();
    for finding in check(text, &Against::default()).findings {
        for place in finding.also.iter().chain([&finding.place]) {
            let said = &text[place.clone()];
            assert_ne!(finding.code, Code::Unreadable, "{}\n{text}", finding.what);
            let mark = if finding.code == Code::NeverHolds {
                format!("(never {said})")
            } else if finding.code == Code::AlwaysHolds {
                format!("(always {said})")
            } else if finding.code == Code::UnreachableBranch {
                "(unreachable)".to_owned()
            } else {
                continue;
            };
            marks.push((place.clone(), mark));
            *claims.entry(finding.code).or_insert(0) += 1;
        }
    }
    marks.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    let mut marked = text.to_owned();
    for (place, mark) in marks {
        marked.replace_range(place, &mark);
    }
    marked
}

#[test]
fn no_branch_called_unreachable_is_walked_and_no_condition_called_certain_comes_out_otherwise() {
    let markets: Vec<Closes> = (1..=4).map(market).collect();
    let mut claims = BTreeMap::new();
    let mut decided = 0;
    for seed in 0..TREES {
        let mut draw = Draw::narrow(seed);
        let text = draw.symphony();
        let before: usize = claims.values().sum();
        let plain = reference::read(&marked(&text, &mut claims));
        if claims.values().sum::<usize>() == before {
            continue;
        }
        let market = &markets[draw.below(markets.len())];
        for _ in 0..SESSIONS {
            let at = DAYS - 1 - draw.below(15);
            let weighed = std::panic::catch_unwind(|| reference::weights(market, &plain, at));
            let weighed = weighed.unwrap_or_else(|_| panic!("seed {seed}, day {at}\n{text}"));
            decided += usize::from(weighed.is_ok());
        }
    }
    for code in [Code::NeverHolds, Code::AlwaysHolds, Code::UnreachableBranch] {
        claims_something(claims.get(&code).copied().unwrap_or(0), 1_000);
    }
    claims_something(decided, 3_000);
}

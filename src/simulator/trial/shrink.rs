//! The smallest trouble that still breaks something: happenings are left out one by one.

use crate::simulator::trial::script::Script;

/// Trials spent on making one script smaller.
const TRIALS_MAX: usize = 400;

/// A script with as little trouble as still makes `breaks` say so; as it was when nothing can go.
pub fn shrink(script: &Script, breaks: impl Fn(&Script) -> bool) -> Script {
    let mut least = script.clone();
    let mut left = TRIALS_MAX;
    // Later sessions first: most of what breaks shows on the day it happens or on the next.
    while least.days.len() > 1 && left > 0 {
        let mut shorter = least.clone();
        shorter.days.pop();
        left -= 1;
        if !breaks(&shorter) {
            break;
        }
        least = shorter;
    }
    loop {
        let before = least.removable().len();
        for at in least.removable().into_iter().rev() {
            if left == 0 {
                return least;
            }
            left -= 1;
            let smaller = least.without(at);
            if breaks(&smaller) {
                least = smaller;
            }
        }
        if least.removable().len() == before {
            return least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::trial::draw::script;

    #[test]
    fn what_does_not_matter_is_left_out_and_what_does_stays() {
        let full = script(23, None);
        let removable = full.removable();
        assert!(removable.len() > 2, "a seed with trouble: {removable:?}");
        let wanted = {
            let (day, at) = removable[removable.len() / 2];
            full.days[day].happenings[at].to_string()
        };
        let says = |script: &Script| {
            let mut all = script.days.iter().flat_map(|day| &day.happenings);
            all.any(|happening| happening.to_string() == wanted)
        };
        let least = shrink(&full, says);
        let left: Vec<String> = least
            .removable()
            .into_iter()
            .map(|(day, at)| least.days[day].happenings[at].to_string())
            .collect();
        assert_eq!(left, [wanted]);
    }
}

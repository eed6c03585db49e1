//! What somebody probably meant who wrote a word that is not known.

/// Longest word that a guess is made for.
const LETTERS_MAX: usize = 48;

/// A question after the known word that is nearest to the one written, if one is near.
pub(crate) fn meant<'k>(written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    if written.is_empty() || written.len() > LETTERS_MAX {
        return None;
    }
    let near = known.into_iter().map(|word| (steps(written, word), word));
    let (steps, word) = near.min_by_key(|(steps, _)| *steps)?;
    let most = (word.chars().count() / 3).max(1);
    (steps <= most).then(|| format!("did you mean {word}?"))
}

/// How many letters have to be added, dropped, changed or swapped with their neighbour to make one
/// word of the other.
fn steps(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for at in 0..from.len() {
        let mut next = vec![at + 1];
        for other in 0..to.len() {
            let changed = row[other] + usize::from(from[at] != to[other]);
            let mut least = changed.min(row[other + 1] + 1).min(next[other] + 1);
            let is_swap =
                at > 0 && other > 0 && (from[at], from[at - 1]) == (to[other - 1], to[other]);
            if is_swap {
                least = least.min(before[other - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_word_is_asked_for_and_a_far_one_is_not() {
        let known = ["rsi", "max-drawdown", "stdev-return", "window"];
        let said = |written| meant(written, known);
        assert_eq!(said("windw").unwrap(), "did you mean window?");
        assert_eq!(said("rsii").unwrap(), "did you mean rsi?");
        assert_eq!(said("max-drawodwn").unwrap(), "did you mean max-drawdown?");
        for far in ["", "magic", "beta", &"window".repeat(9)] {
            assert_eq!(said(far), None, "{far}");
        }
        assert_eq!([steps("abc", "abc"), steps("", "ab"), steps("ab", "ba")], [0, 2, 1]);
    }
}

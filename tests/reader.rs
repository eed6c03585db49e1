//! Whatever text comes, reading ends with a tree or with a place and a reason.
#![expect(clippy::unwrap_used, reason = "a broken expectation ends a test")]

use alchemiser::domain::book::BUILT_INS;
use alchemiser::domain::run::StrategyName;
use alchemiser::domain::symphony::SymphonyEngine;
use alchemiser::domain::symphony::form::{DEPTH_MAX, ReadError};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

fn read(text: &str) -> Result<SymphonyEngine, ReadError> {
    SymphonyEngine::read(StrategyName::parse("mine").unwrap(), text)
}

/// An error points into the text: at most one line and one column past it.
fn points_into(text: &str, error: &ReadError) -> bool {
    let longest = text.split('\n').map(|line| line.chars().count()).max().unwrap_or(0);
    (1..=text.split('\n').count()).contains(&error.line)
        && (1..=longest + 1).contains(&error.column)
        && error.found.chars().count() <= 60
}

/// Changes a text at a place: cuts, repeats, or overwrites some bytes, then mends the UTF-8.
fn mutated(text: &str, place: usize, length: usize, kind: u8, junk: &[u8]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let start = place % bytes.len();
    let end = (start + length).min(bytes.len());
    let piece = bytes[start..end].to_vec();
    match kind % 4 {
        0 => drop(bytes.drain(start..end)),
        1 => drop(bytes.splice(start..start, piece)),
        2 => drop(bytes.splice(start..end, junk.iter().copied())),
        _ => bytes.truncate(start),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        let error = read(&text).err();
        prop_assert!(error.is_some_and(|error| points_into(&text, &error)));
    }

    #[test]
    fn random_words_of_the_language_never_panic(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "(", ")", "[", "]", "{", "}", "defsymphony", "\"t\"", ":window", "10", "-1", "0.5",
                "if", ">", "<", "rsi", "filter", "select-top", "weight-equal", "weight-specified",
                "weight-inverse-volatility", "group", "asset", "\"SPY\"", "current-price", "nil",
            ]),
            0..60,
        ),
    ) {
        let text = words.join(" ");
        if let Err(error) = read(&text) {
            prop_assert!(points_into(&text, &error), "{}", error);
        }
    }

    #[test]
    fn a_mutated_built_in_is_read_or_refused_with_its_place(
        which in 0..BUILT_INS.len(),
        place in any::<usize>(),
        length in 0..40_usize,
        kind in any::<u8>(),
        junk in proptest::collection::vec(any::<u8>(), 0..6),
    ) {
        let text = mutated(BUILT_INS[which].1, place, length, kind, &junk);
        if let Err(error) = read(&text) {
            prop_assert!(points_into(&text, &error), "{}", error);
        }
    }
}

#[test]
fn ten_megabytes_of_brackets_are_refused() {
    for bracket in ["(", "[", "{", ")"] {
        assert!(read(&bracket.repeat(10 << 20)).is_err());
    }
    let error = read(&"([".repeat(2 << 20)).unwrap_err();
    assert_eq!((error.line, error.column), (1, DEPTH_MAX + 1));
}

#[test]
fn the_built_ins_share_their_repeated_parts() {
    let sizes = BUILT_INS.map(|(_, text)| read(text).unwrap().size());
    assert!(sizes.iter().all(|size| (10..400).contains(size)), "{sizes:?}");
}

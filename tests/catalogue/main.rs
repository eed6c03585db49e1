//! The catalogue: every law with what watches over it, every fault with what brings it about,
//! every lesson with its tests. What it names must exist, so that it cannot grow old in silence.

#![cfg(test)]

mod faults;
mod invariants;
mod lessons;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use invariants::INVARIANTS;
use lessons::LESSONS;

/// How many faults there are.
const FAULTS: u16 = 133;
/// How many laws of safety have a number.
const NUMBERED: u16 = 35;
/// Lessons by number: the forty, and the letters of the seven.
const LESSONS_COUNT: usize = 47;

/// Where the simulation's kinds of trouble, checks and mutants have their names.
const SIMULATION: [&str; 3] = ["src/simulator/trial", "src/simulator/oracle", "src/domain"];

/// All sources below a folder as one text.
fn sources(folder: &str) -> String {
    fn gather(folder: &Path, text: &mut String) {
        if !folder.exists() {
            return;
        }
        let mut entries: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                // What the catalogue itself says proves nothing.
                if !path.ends_with("tests/catalogue") {
                    gather(&path, text);
                }
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                text.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut text = String::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut text);
    text
}

/// Every test that the catalogue names.
fn named_tests() -> BTreeSet<&'static str> {
    let of_faults = faults::all().flat_map(|fault| fault.tests);
    let of_laws = INVARIANTS.iter().flat_map(|law| law.tests);
    let of_lessons = LESSONS.iter().flat_map(|(_, _, tests)| *tests);
    of_faults.chain(of_laws).chain(of_lessons).copied().collect()
}

/// Every part of the simulation that the catalogue names.
fn named_parts() -> BTreeSet<&'static str> {
    let of_faults = faults::all().flat_map(|fault| fault.drawn);
    let of_laws = INVARIANTS.iter().flat_map(|law| law.checks.iter().chain(law.mutants));
    of_faults.chain(of_laws).copied().collect()
}

/// What is named and exists nowhere.
fn missing() -> BTreeSet<&'static str> {
    let tests = sources("tests") + &sources("src");
    let parts: String = SIMULATION.iter().map(|folder| sources(folder)).collect();
    let tests = named_tests().into_iter().filter(|name| !tests.contains(&format!("fn {name}(")));
    let no_part = |name: &&str| !parts.contains(&format!("\"{name}\""));
    tests.chain(named_parts().into_iter().filter(no_part)).collect()
}

#[test]
fn what_the_catalogue_names_exists() {
    assert_eq!(missing(), BTreeSet::new(), "named and nowhere to be found");
}

#[test]
fn every_number_is_there_once_and_in_order() {
    let numbers: Vec<u16> = faults::all().map(|fault| fault.number).collect();
    assert_eq!(numbers, (1..=FAULTS).collect::<Vec<u16>>());
    let names: Vec<String> = INVARIANTS.iter().map(|law| law.name.to_owned()).collect();
    let mut expected: Vec<String> = (1..=NUMBERED).map(|number| format!("I{number}")).collect();
    expected.insert(1, "I1b".to_owned());
    expected.extend((1..=3).map(|number| format!("L{number}")));
    assert_eq!(names, expected);
    let lessons: BTreeSet<&str> = LESSONS.iter().map(|(number, ..)| *number).collect();
    assert_eq!((lessons.len(), LESSONS.len()), (LESSONS_COUNT, LESSONS_COUNT));
}

#[test]
fn nothing_is_left_blank() {
    for fault in faults::all() {
        assert!(!fault.what.is_empty() && !fault.tests.is_empty(), "F{}", fault.number);
    }
    for law in INVARIANTS {
        assert!(!law.what.is_empty() && !law.tests.is_empty(), "{}", law.name);
        let watched = !law.checks.is_empty() && !law.mutants.is_empty();
        assert!(watched || law.elsewhere.is_some(), "{} has no oracle and no reason", law.name);
    }
    assert!(LESSONS.iter().all(|(_, what, tests)| !what.is_empty() && !tests.is_empty()));
}

/// The catalogue for people.
fn markdown() -> String {
    let listed = |names: &[&str]| match names {
        [] => "-".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join("<br>"),
    };
    let mut text = "# Laws\n\n| law | says | oracle | mutant | tests |\n|-|-|-|-|-|\n".to_owned();
    for law in INVARIANTS {
        let (checks, mutants) = match law.elsewhere {
            Some(why) => (why.to_owned(), "-".to_owned()),
            None => (listed(law.checks), listed(law.mutants)),
        };
        let tests = listed(law.tests);
        writeln!(text, "| {} | {} | {checks} | {mutants} | {tests} |", law.name, law.what).unwrap();
    }
    text.push_str("\n# Faults\n\n| fault | what | simulated | tests |\n|-|-|-|-|\n");
    for fault in faults::all() {
        let drawn = fault.impossible.map_or_else(|| listed(fault.drawn), str::to_owned);
        let tests = listed(fault.tests);
        writeln!(text, "| F{} | {} | {drawn} | {tests} |", fault.number, fault.what).unwrap();
    }
    text.push_str("\n# Lessons\n\n| lesson | what went wrong | tests |\n|-|-|-|\n");
    for (number, what, tests) in LESSONS {
        writeln!(text, "| {number} | {what} | {} |", listed(tests)).unwrap();
    }
    text
}

#[test]
fn the_catalogue_reads_like_this() {
    insta::assert_snapshot!("catalogue", markdown());
}

//! Every finding where it belongs, and not where it does not.

use std::collections::BTreeMap;

use jiff::civil::date;

use super::*;
use crate::domain::book::BUILT_INS;
use crate::domain::market::{Histories, History};
use crate::domain::symbol::Symbol;

fn text(body: &str) -> String {
    format!("(defsymphony \"t\" {{}} {body})")
}

/// Codes with the text they point at, without the lack of a cash leg.
fn pointed(text: &str, against: &Against<'_>) -> Vec<(&'static str, String)> {
    let found = check(text, against).findings.into_iter();
    let found = found.filter(|one| one.code != Code::NoCashLeg);
    found.map(|one| (one.code.word(), text[one.place.clone()].to_owned())).collect()
}

fn codes(body: &str) -> Vec<&'static str> {
    let found = pointed(&text(body), &Against::default());
    found.into_iter().map(|(code, _)| code).collect()
}

/// A choice between two assets.
fn choice(condition: &str) -> String {
    format!("(if {condition} [(asset \"YES\")] [(asset \"NO\")])")
}

/// `"[(asset \"YES\")]"` and the like: what is found of one condition.
fn condition(condition: &str) -> Vec<&'static str> {
    codes(&choice(condition)).into_iter().filter(|code| *code != "fixed-price").collect()
}

fn finding(body: &str, code: Code) -> Finding {
    let found = check(&text(body), &Against::default()).findings;
    found.into_iter().find(|finding| finding.code == code).unwrap()
}

const NEVER: [&str; 2] = ["never-holds", "unreachable-branch"];
const ALWAYS: [&str; 2] = ["always-holds", "unreachable-branch"];

#[test]
fn a_level_that_no_value_can_pass_is_found_and_the_last_possible_one_is_not() {
    for (sign, level, expected) in [
        (">", "100", &NEVER[..]),
        (">", "99.9", &[]),
        (">=", "100", &[]),
        (">=", "100.1", &NEVER),
        ("<", "0", &NEVER),
        ("<", "1e-9", &["fraction-for-percent"]),
        ("<=", "0", &[]),
        (">=", "0", &ALWAYS),
        ("<=", "100", &ALWAYS),
        ("=", "101", &NEVER),
        ("=", "50", &[]),
    ] {
        let found = condition(&format!("({sign} (rsi \"A\" {{:window 10}}) {level})"));
        assert_eq!(found, expected, "{sign} {level}");
    }
    for (written, expected) in [
        ("(< (max-drawdown \"A\" {:window 10}) -5)", &NEVER[..]),
        ("(> (max-drawdown \"A\" {:window 10}) 5)", &[]),
        ("(> (max-drawdown \"A\" {:window 1}) 0)", &NEVER),
        ("(< (stdev-return \"A\" {:window 10}) 0)", &NEVER),
        ("(> (stdev-return \"A\" {:window 10}) 0)", &[]),
        ("(> (current-price \"A\") 0)", &ALWAYS),
        ("(< (moving-average-price \"A\" {:window 10}) 0)", &NEVER),
        ("(< (cumulative-return \"A\" {:window 10}) -100)", &NEVER),
        ("(< (cumulative-return \"A\" {:window 10}) -99)", &[]),
        ("(> (moving-average-return \"A\" {:window 10}) -101)", &ALWAYS),
        ("(> (percentage-price-oscillator \"A\" 5 5) 0)", &NEVER),
        ("(> (percentage-price-oscillator \"A\" 5 6) 0)", &[]),
        ("(> (rsi \"A\" 10) (rsi \"A\" 10))", &NEVER),
        ("(>= (rsi \"A\" 10) (rsi \"A\" 10))", &ALWAYS),
        ("(> (rsi \"A\" 10) (rsi \"A\" 11))", &[]),
    ] {
        assert_eq!(condition(written), expected, "{written}");
    }
}

#[test]
fn what_was_decided_on_the_way_decides_again() {
    let rsi = |sign: &str, level: &str| format!("({sign} (rsi \"A\" {{:window 10}}) {level})");
    let inside = |outer: &str, inner: &str, branch: usize| {
        let inner = choice(inner);
        let other = "[(asset \"BIL\")]".to_owned();
        let branches = if branch == 0 { [inner, other] } else { [other, inner] };
        codes(&format!("(if {outer} {} {})", branches[0], branches[1]))
    };
    for (outer, inner, branch, expected) in [
        (rsi(">", "79"), rsi(">", "79"), 0, &ALWAYS[..]),
        (rsi(">", "79"), rsi(">", "82.5"), 0, &[]),
        (rsi(">", "79"), rsi(">", "70"), 0, &ALWAYS),
        (rsi(">", "79"), rsi("<", "79"), 0, &NEVER),
        (rsi(">", "79"), rsi("<=", "79"), 0, &NEVER),
        (rsi(">=", "79"), rsi("<=", "79"), 0, &[]),
        (rsi(">=", "79"), rsi("=", "79"), 0, &[]),
        (rsi(">", "79"), rsi(">", "85"), 1, &NEVER),
        (rsi(">", "79"), rsi(">", "70"), 1, &[]),
        (rsi("=", "79"), rsi(">", "70"), 0, &ALWAYS),
        (rsi("=", "79"), rsi(">", "70"), 1, &[]),
    ] {
        assert_eq!(inside(&outer, &inner, branch), expected, "{outer} {inner} {branch}");
    }
    let between = |sign: &str, left: &str, right: &str| {
        format!("({sign} (rsi \"{left}\" {{:window 9}}) (rsi \"{right}\" {{:window 9}}))")
    };
    let of = |sign: &str, name: &str, level: u8| {
        format!("({sign} (rsi \"{name}\" {{:window 9}}) {level})")
    };
    for (outer, inner, branch, expected) in [
        (between(">", "A", "B"), between("<", "B", "A"), 0, &ALWAYS[..]),
        (between(">", "A", "B"), between(">=", "B", "A"), 0, &NEVER),
        (between(">", "A", "B"), between(">", "A", "B"), 1, &NEVER),
        (between(">", "A", "B"), between("<", "A", "B"), 1, &[]),
        (between(">=", "A", "B"), between("<=", "A", "B"), 0, &[]),
        (between(">", "A", "B"), between(">", "B", "C"), 0, &[]),
        // What is above something that is above a level is above it too.
        (
            format!("(and {} {})", of(">", "B", 60), between(">", "A", "B")),
            of("<", "A", 60),
            0,
            &NEVER,
        ),
        (
            format!("(and {} {})", of(">", "A", 60), of("<", "B", 40)),
            between(">", "A", "B"),
            0,
            &ALWAYS,
        ),
        (format!("(or {} {})", of(">", "A", 60), of("<", "B", 40)), between(">", "A", "B"), 0, &[]),
        (
            format!("(or {} {})", of("<", "A", 60), of(">", "B", 40)),
            between(">", "A", "B"),
            1,
            &ALWAYS,
        ),
    ] {
        assert_eq!(inside(&outer, &inner, branch), expected, "{outer} {inner} {branch}");
    }
    // Another window, another ticker, and the other branch know nothing of it.
    let (outer, other) = (rsi(">", "79"), "(< (rsi \"A\" {:window 11}) 20)");
    assert!(inside(&outer, other, 0).is_empty());
}

#[test]
fn parts_of_a_condition_know_the_parts_before_them() {
    let rsi = |sign: &str, level: u8| format!("({sign} (rsi \"A\" {{:window 10}}) {level})");
    let (high, low, not_low) = (rsi(">", 80), rsi("<", 20), rsi(">=", 20));
    for (written, expected) in [
        (format!("(and {high} {low})"), &NEVER[..]),
        (format!("(or {high} {low})"), &[]),
        (format!("(or {not_low} {low})"), &ALWAYS),
        (format!("(and {high} {not_low})"), &["always-holds"]),
        (format!("(or {low} (and {high} {low}))"), &["never-holds"]),
        (format!("(and (or {low} {high}) {high})"), &[]),
    ] {
        assert_eq!(condition(&written), expected, "{written}");
    }
    let found = pointed(&text(&choice(&format!("(and {high} {low})"))), &Against::default());
    assert_eq!(found[0], ("never-holds", low));
    assert_eq!(found[1], ("unreachable-branch", "(asset \"YES\")".to_owned()));
}

#[test]
fn what_is_ranked_by_its_past_is_judged_without_what_is_known_today() {
    let (high, low) = ("(> (rsi \"A\" {:window 10}) 80)", "(< (rsi \"A\" {:window 10}) 20)");
    let group = format!("(group \"g\" [{}])", choice(low));
    let around = |wrapped: &str| format!("(if {high} [{wrapped}] [(asset \"BIL\")])");
    let ranked = format!("(filter (rsi {{:window 5}}) (select-top 1) [{group} (asset \"B\")])");
    assert!(codes(&around(&ranked)).is_empty());
    let weighed = format!("(weight-inverse-volatility 5 [{group} (asset \"B\")])");
    assert!(codes(&around(&weighed)).is_empty());
    assert_eq!(codes(&around(&format!("(weight-equal [{group} (asset \"B\")])"))), NEVER);
    // Inside, one day is one day again.
    let inner = around(&format!("(weight-equal [{group}])"));
    let ranked = format!("(filter (rsi {{:window 5}}) (select-top 1) [{inner} (asset \"B\")])");
    assert_eq!(codes(&ranked), NEVER);
}

#[test]
fn a_reason_names_what_decided_before_and_its_place() {
    let body = "(if (> (rsi \"A\" {:window 10}) 79) [(asset \"U\")] \
                [(if (> (rsi \"A\" {:window 10}) 85) [(asset \"U\")] [(asset \"BIL\")])])";
    let found = finding(body, Code::NeverHolds);
    assert_eq!(found.what, "RSI(10) of A > 85 never holds here");
    let related = found.related.unwrap();
    assert_eq!(related.what, "RSI(10) of A > 79 does not hold on the way here");
    assert_eq!(&text(body)[related.place], "(> (rsi \"A\" {:window 10}) 79)");
    let found = finding(&choice("(< (max-drawdown \"A\" {:window 10}) -5)"), Code::NeverHolds);
    assert_eq!(found.why.unwrap(), "a drawdown is counted as a positive number, 0 to 100");
}

#[test]
fn branches_that_are_the_same_are_found() {
    let of = |otherwise: &str| {
        codes(&format!("(if (> (rsi \"A\" {{:window 10}}) 79) [(asset \"A\")] [{otherwise}])"))
    };
    assert_eq!(of("(asset \"A\" \"described\")"), ["same-branches"]);
    assert!(of("(asset \"B\")").is_empty());
}

#[test]
fn a_child_listed_twice_is_found_and_its_likeness_is_not() {
    let (a, b) = ("(asset \"A\")", "(asset \"B\")");
    let found = pointed(&text(&format!("(weight-equal [{a} {b} {a} {a}])")), &Against::default());
    assert_eq!(found, [("duplicate-candidate", a.to_owned())]);
    let what = finding(&format!("(weight-equal [{a} {b} {a} {a}])"), Code::DuplicateCandidate).what;
    assert_eq!(what, "A is listed 3 times");
    assert!(codes(&format!("(weight-equal [{a} {b} (group \"g\" [{a}])])")).is_empty());
    for around in ["(filter (rsi 5) (select-top 1)", "(weight-inverse-volatility 5"] {
        assert_eq!(codes(&format!("{around} [{a} {a} {b}])")), ["duplicate-candidate"]);
        assert!(codes(&format!("{around} [{a} {b}])")).is_empty());
    }
    assert_eq!(codes(&format!("(weight-specified 0.5 {a} 0.5 {a})")), ["duplicate-candidate"]);
}

#[test]
fn a_ranking_that_takes_all_is_found() {
    let ranked = |count: u8| {
        codes(&format!("(filter (rsi 5) (select-top {count}) [(asset \"A\") (asset \"B\")])"))
    };
    assert_eq!([ranked(1), ranked(2), ranked(3)], [vec![], vec!["picks-all"], vec!["picks-all"]]);
}

#[test]
fn two_sides_of_one_index_are_found_where_both_are_held() {
    let (bull, bear, other) = ("(asset \"TQQQ\")", "(asset \"SQQQ\")", "(asset \"TLT\")");
    let equal = format!("(weight-equal [{bull} {other} {bear}])");
    let found = finding(&equal, Code::SelfCancelling);
    assert_eq!(found.what, "TQQQ (3x) and SQQQ (-3x) are held together");
    assert_eq!(&text(&equal)[found.place], bear);
    let switch = "(if (> (rsi \"A\" 9) 79) [(asset \"TQQQ\")] [(asset \"BIL\")])";
    let sure = format!("(if (> (rsi \"A\" 9) 79) [{bull}] [(weight-equal [{bull} {other}])])");
    for (body, expected) in [
        (format!("(weight-specified 0.5 {bull} 0.5 {bear})"), true),
        (format!("(weight-specified 1 {bull} 0 {bear})"), false),
        (format!("(weight-inverse-volatility 9 {bull} {bear})"), true),
        (format!("(weight-equal [(group \"g\" [{bull}]) (weight-equal [{bear} {other}])])"), true),
        (format!("(weight-equal [{sure} {bear}])"), true),
        (format!("(weight-equal [{switch} {bear}])"), false),
        (format!("(filter (rsi 9) (select-top 1) [{bull} {bear}])"), false),
        (format!("(filter (rsi 9) (select-top 2) [{bull} {other} {bear}])"), true),
        (format!("(weight-equal [{bull} {other}])"), false),
        (format!("(if (> (rsi \"A\" 9) 79) [{bull}] [{bear}])"), false),
    ] {
        let found = codes(&body);
        assert_eq!(found.contains(&"self-cancelling"), expected, "{body}");
    }
    // Found where they meet, not again above.
    let above = format!("(weight-equal [(weight-equal [{bull} {bear}]) {other}])");
    assert_eq!(codes(&above), ["self-cancelling"]);
}

#[test]
fn a_child_without_weight_is_found() {
    let weighted = |one: &str, other: &str| {
        codes(&format!("(weight-specified {one} (asset \"A\") {other} (asset \"B\"))"))
    };
    assert_eq!(weighted("0", "1"), ["weight-of-zero"]);
    assert!(weighted("0.1", "0.9").is_empty());
}

#[test]
fn values_of_unlike_kinds_are_found() {
    for (written, expected) in [
        ("(> (current-price \"A\") (moving-average-price \"A\" 20))", &[][..]),
        ("(> (current-price \"A\") (current-price \"B\"))", &["unlike-units"]),
        ("(> (rsi \"A\" 9) (cumulative-return \"B\" 9))", &["unlike-units"]),
        ("(> (stdev-return \"A\" 9) (max-drawdown \"B\" 9))", &[]),
        ("(> (current-price \"A\") 400)", &["fixed-price"]),
        ("(> (cumulative-return \"A\" 9) 4)", &[]),
        ("(> (rsi \"A\" 9) 0.79)", &["fraction-for-percent"]),
        ("(> (rsi \"A\" 9) 79)", &[]),
    ] {
        assert_eq!(codes(&choice(written)), expected, "{written}");
    }
}

#[test]
fn tickers_are_held_against_the_brokers_list() {
    let listed = ["SPY", "BIL", "OLD"].map(|name| (Symbol::parse(name).unwrap(), name != "OLD"));
    let listed = BTreeMap::from(listed);
    let against = Against { assets: Some(&listed), histories: None };
    let of = |body: &str| pointed(&text(body), &against);
    let measured = "(if (> (rsi \"SPX\" 9) 79) [(asset \"SPY\")] [(asset \"BIL\")])";
    assert_eq!(of(measured), [("unknown-ticker", "(rsi \"SPX\" 9)".to_owned())]);
    let found = check(&text(measured), &against).findings;
    assert_eq!(found[0].next, "did you mean SPY?");
    assert_eq!(of("(asset \"ZZZZ\")"), [("unknown-ticker", "\"ZZZZ\"".to_owned())]);
    assert_eq!(of("(asset \"OLD\")"), [("not-tradable", "\"OLD\"".to_owned())]);
    // What cannot be traded can be measured.
    assert!(of(&measured.replace("SPX", "OLD")).is_empty());
    assert!(of(&measured.replace("SPX", "SPY")).is_empty());
}

#[test]
fn a_window_longer_than_the_history_is_found() {
    let days = date(2026, 1, 1).series(jiff::Span::new().days(1)).take(10).collect();
    let history = History::new(days, vec![5.0; 10], vec![]).unwrap();
    let histories = Histories::new(BTreeMap::from([(Symbol::parse("A").unwrap(), history)]));
    let against = Against { assets: None, histories: Some(&histories) };
    let of = |body: &str| pointed(&text(body), &against);
    assert!(of(&choice("(> (rsi \"A\" 9) 79)")).is_empty());
    let found = of(&choice("(> (rsi \"A\" 10) 79)"));
    assert_eq!(found, [("short-history", "(rsi \"A\" 10)".to_owned())]);
    assert_eq!(of(&choice("(> (rsi \"B\" 9) 79)")).len(), 1);
    let ranked = |days: u8| format!("(filter (rsi {days}) (select-top 1) [(asset \"A\") []])");
    assert!(of(&ranked(9)).is_empty());
    assert_eq!(of(&ranked(10)), [("short-history", "(asset \"A\")".to_owned())]);
}

#[test]
fn a_strategy_that_never_leaves_the_market_is_found() {
    let has_leg = |body: &str| {
        let found = check(&text(body), &Against::default()).findings;
        !found.iter().any(|finding| finding.code == Code::NoCashLeg)
    };
    assert!(!has_leg("(weight-equal [(asset \"SPY\") (asset \"TLT\")])"));
    for leg in ["(asset \"BIL\")", "(asset \"SHV\")", "(asset \"SGOV\")", "[]"] {
        assert!(has_leg(&format!("(weight-equal [(asset \"SPY\") {leg}])")), "{leg}");
    }
    // A leg that is never reached is none.
    let never = "(if (> (rsi \"A\" 9) 101) [(asset \"BIL\")] [(asset \"SPY\")])";
    assert!(!has_leg(never) && !has_leg("(weight-specified 0 (asset \"BIL\") 1 (asset \"A\"))"));
}

#[test]
fn keys_and_ids_that_stand_twice_are_found() {
    let asset = |id: &str, more: &str| {
        format!("{{\"step\":\"asset\",\"id\":\"{id}\",\"ticker\":\"BIL\"{more}}}")
    };
    let root = |one: &str, other: &str| {
        let equal = format!("{{\"step\":\"wt-cash-equal\",\"children\":[{one},{other}]}}");
        format!("{{\"step\":\"root\",\"name\":\"t\",\"children\":[{equal}]}}")
    };
    let of = |text: &str| {
        let found = pointed(text, &Against::default()).into_iter();
        found.filter(|(code, _)| *code != "duplicate-candidate").collect::<Vec<_>>()
    };
    assert!(of(&root(&asset("a", ""), &asset("b", ""))).is_empty());
    let twice = root(&asset("a", ""), &asset("a", ""));
    assert_eq!(of(&twice), [("repeated-id", "\"a\"".to_owned())]);
    let key = root(&asset("a", ",\"ticker\":\"SPY\""), &asset("b", ""));
    assert_eq!(of(&key), [("repeated-key", "\"ticker\"".to_owned())]);
}

#[test]
fn the_same_in_many_places_is_said_once() {
    let part = choice("(> (rsi \"A\" {:window 10}) 101)");
    let rungs: Vec<String> = (0..200).map(|at| format!("(group \"{at}\" [{part}])")).collect();
    let found = check(&text(&format!("(weight-equal [{}])", rungs.join(" "))), &Against::default());
    let said: Vec<(Code, usize)> = found.findings.iter().map(|one| (one.code, one.more)).collect();
    let expected = [(Code::NoCashLeg, 0), (Code::NeverHolds, 199), (Code::UnreachableBranch, 199)];
    assert_eq!((said, found.left_out), (expected.to_vec(), 0));
}

#[test]
fn every_error_of_a_text_is_told_up_to_a_bound() {
    let body = "(weight-equal [(assett \"A\") (if (> (rsii \"A\" {:windw 9}) 79) [(asset \"b\")] \
                [(filter (rsi 0) (select-top 1) [(asset \"A\")])]) (weight-specified 60 (asset \"A\"))])";
    let found = pointed(&text(body), &Against::default());
    let at: Vec<&str> = found.iter().map(|(_, place)| place.as_str()).collect();
    let expected = ["(assett \"A\")", "(rsii \"A\" {:windw 9})", "\"b\"", "0", "60"];
    assert_eq!(at, expected);
    let next: Vec<String> =
        check(&text(body), &Against::default()).findings.into_iter().map(|one| one.next).collect();
    assert_eq!(next[0], "did you mean asset?");
    assert_eq!(next[1], "did you mean rsi?");
    assert_eq!(next[2], "did you mean B?");
    assert_eq!(next[4], "a weight is a fraction: 0.6 for 60 percent");
    let many = "(assett \"A\") ".repeat(50);
    assert_eq!(pointed(&text(&format!("(weight-equal [{many}])")), &Against::default()).len(), 20);
}

#[test]
fn a_text_is_read_exactly_when_the_check_finds_no_error() {
    for (name, text) in BUILT_INS {
        for end in (0..text.len()).step_by(199).chain([text.len()]) {
            let cut = &text[..text.floor_char_boundary(end)];
            let errors = check(cut, &Against::default()).findings.into_iter();
            let first =
                errors.filter(|one| one.code == Code::Unreadable).map(|one| one.what).next();
            let read = crate::domain::symphony::read::read(cut).err();
            let said =
                read.map(|error| format!("expected {}, found {}", error.expected, error.found));
            assert_eq!(first, said, "{name} {end}");
        }
    }
}

use std::collections::BTreeSet;
use std::fmt::Write;

use html5gum::{Token, Tokenizer};
use jiff::civil::{Date, date};

use super::{structure, text_of, utf8};
use crate::domain::book::BUILT_INS;
use crate::domain::market::{Histories, History};
use crate::domain::run::StrategyName;
use crate::domain::strategy::{StrategyEngine, StrategyOutcome};
use crate::domain::symbol::Symbol;
use crate::domain::symphony::SymphonyEngine;
use crate::domain::symphony::outline::{Piece, Route};
use crate::domain::symphony::trace::Step;
use crate::presentation::explain::{Explained, html, text};

pub(crate) const AS_OF: Date = date(2026, 1, 8);
/// Days of made-up closes, enough for every built-in strategy.
const DAYS: i64 = 420;

/// A market in which every symbol goes its own way, a different one for each seed.
fn market(symbols: impl Iterator<Item = Symbol>, seed: u64) -> Histories {
    let days: Vec<Date> =
        (0..DAYS).rev().map(|back| AS_OF - jiff::Span::new().days(back)).collect();
    let history = |at: usize| {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::try_from(at).unwrap();
        let mut close = 100.0;
        let closes = days.iter().map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let drawn = f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(u32::MAX >> 1);
            close *= 1.0 + (drawn - 0.5) * 0.06;
            close
        });
        let closes = closes.collect();
        History::new(days.clone(), closes, vec![]).unwrap()
    };
    Histories::new(symbols.enumerate().map(|(at, symbol)| (symbol, history(at))).collect())
}

pub(crate) fn explained(name: &str, strategy: &str, seed: u64) -> Explained {
    let name = StrategyName::parse(name).unwrap();
    let engine = SymphonyEngine::read(name.clone(), strategy).unwrap();
    let needs = engine.needs();
    let symbols: BTreeSet<Symbol> = needs.closes.keys().chain(&needs.nameable).cloned().collect();
    let market = market(symbols.into_iter(), seed);
    let result = engine.explain(&market, AS_OF);
    let drawing = engine.drawing(&market, AS_OF);
    Explained {
        outcome: StrategyOutcome { strategy: name, hash: needs.hash.clone(), result },
        drawing,
    }
}

fn page(explained: &Explained) -> String {
    html(std::slice::from_ref(explained), AS_OF, None)
}

/// What each decision on a way said, each piece once, as the page draws it.
fn said(steps: &[Step], route: &Route, met: &mut BTreeSet<usize>, all: &mut Vec<String>) {
    if !route.on.is_empty() && !met.insert(route.piece) {
        return;
    }
    match route.step.map(|step| &steps[step]) {
        Some(Step::Condition(condition)) => {
            let verdict = if condition.holds { "yes" } else { "no" };
            all.push(format!("{verdict} {}", condition.left));
        }
        Some(Step::Ranking(ranking)) => all.push(format!("rank {}", ranking.by)),
        Some(Step::Weighing(weighing)) => all.push(format!("weigh {}", weighing.by)),
        Some(Step::Compound(_) | Step::Group(_)) | None => {}
    }
    route.on.iter().for_each(|on| said(steps, on, met, all));
}

/// Verdicts on the page with the beginning of what they are about, and what is held at its ends.
fn lit(html: &str) -> (Vec<String>, BTreeSet<String>) {
    let mut verdicts = Vec::new();
    for part in html.split("<b class=\"said").skip(1) {
        let verdict = part.split(['>', '<']).nth(1).unwrap();
        let test = part.split("<span class=\"test\">").nth(1).unwrap();
        verdicts.push(format!("{verdict} {}", test.split(['<']).next().unwrap()));
    }
    let mut held = BTreeSet::new();
    for part in html.split("hold <b>").skip(1) {
        held.insert(part.split('<').next().unwrap().to_owned());
    }
    for part in html.split("<li class=\"picked\"><span>").skip(1) {
        let name = part.split('<').next().unwrap().split("% ").nth(1).unwrap();
        held.insert(name.to_owned());
    }
    (verdicts, held)
}

#[test]
fn the_lit_path_is_that_of_the_trace_and_ends_at_every_holding() {
    let mut ways = BTreeSet::new();
    for (name, strategy) in BUILT_INS {
        for seed in 1..=12 {
            let explained = explained(name, strategy, seed);
            let signal = explained.outcome.result.as_ref().unwrap();
            let route = explained.drawing.as_ref().unwrap().route.as_ref().unwrap();
            let mut expected = Vec::new();
            said(&signal.trace.steps, route, &mut BTreeSet::new(), &mut expected);
            let page = page(&explained);
            let (verdicts, held) = lit(&page);
            assert_eq!(verdicts.len(), expected.len(), "{name} {seed}");
            for (verdict, expected) in verdicts.iter().zip(&expected) {
                let (word, about) = expected.split_once(' ').unwrap();
                assert!(
                    verdict.starts_with(word) && verdict.contains(about),
                    "{verdict}: {expected}"
                );
            }
            for symbol in signal.symbols() {
                assert!(held.contains(symbol.as_str()), "{name} {seed}: {symbol} of {held:?}");
            }
            ways.insert(expected);
        }
    }
    assert!(ways.len() > 15, "the markets lead to {} ways only", ways.len());
}

#[test]
fn every_decision_of_the_strategy_is_on_its_page_and_every_link_leads_somewhere() {
    for (name, strategy) in BUILT_INS {
        let explained = explained(name, strategy, 5);
        let outline = &explained.drawing.as_ref().unwrap().outline;
        let page = page(&explained);
        let parts = |mark: &str| -> Vec<String> {
            page.split(mark)
                .skip(1)
                .map(|part| part.split('"').next().unwrap().to_owned())
                .collect()
        };
        let ids = parts(" id=\"");
        let unique: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{name}");
        for link in parts("href=\"#") {
            assert!(unique.contains(&link), "{name}: {link}");
        }
        for (at, piece) in outline.pieces.iter().enumerate() {
            if matches!(piece, Piece::Choice { .. } | Piece::Ranking { .. }) {
                assert!(unique.contains(&format!("s0p{at}")), "{name}: {piece:?}");
            }
        }
    }
}

/// A strategy of every form with a title in each place that takes one.
fn titled(title: &str) -> String {
    let title = title.replace('\\', "\\\\").replace('"', "\\\"");
    let group = |inner: &str| format!("(group \"{title}\" [{inner}])");
    let deep = group(
        "(if (> (rsi \"A\" {:window 5}) 99) [(asset \"A\")] [(if (< (rsi \"B\" {:window 5}) 99) \
                      [(asset \"B\")] [(filter (rsi {:window 5}) (select-top 1) [(asset \"A\") (asset \"B\")])])])",
    );
    format!(
        "(defsymphony \"{title}\" {{}} (weight-specified 0.5 (filter (stdev-return {{:window 5}}) \
         (select-top 1) [{deep} {} (asset \"C\")]) 0.5 (weight-inverse-volatility 5 [{deep} (asset \"A\")])))",
        group(
            "(if (or (> (current-price \"A\") 1) (> (rsi \"B\" {:window 3}) 5)) [(asset \"C\")] [(asset \"B\")])"
        ),
    )
}

#[test]
fn no_title_changes_the_structure_of_the_page_or_commands_a_terminal() {
    let plain = structure(&page(&explained("mine", &titled("x"), 3)));
    for title in [
        "x<script>alert(1)</script>",
        "x</li></ol></details>",
        "x\"><img src=x onerror=alert(1)>",
        "x' style='position:fixed",
        "x--></style><style>*{display:none}",
        "x\u{202e}evil\u{2066}",
        "x\u{1b}]0;title\u{7}\u{1b}[2J",
        "x\u{0}\u{85}\u{2028}",
        &"x\"&'".repeat(300),
    ] {
        let explained = explained("mine", &titled(title), 3);
        let page = page(&explained);
        assert_eq!(structure(&page), plain, "{title}");
        for shown in [&page, &text(&explained, AS_OF)] {
            let commands = |sign: &char| {
                (sign.is_control() && *sign != '\n')
                    || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'..='\u{2029}' | '\u{2066}'..='\u{2069}')
            };
            assert_eq!(shown.chars().find(commands), None, "{title}");
        }
    }
    let read = text_of(&page(&explained("mine", &titled("5 < 6 & \"so\""), 3)));
    assert!(read.contains("5 < 6 & \"so\""), "{read}");
}

#[test]
fn a_page_is_whole_and_loads_nothing() {
    let built_ins = BUILT_INS.map(|(name, strategy)| explained(name, strategy, 2));
    let failed = explained(
        "short",
        "(defsymphony \"s\" {} (if (> (rsi \"A\" {:window 900}) 5) [(asset \"A\")] []))",
        1,
    );
    let bare = Explained { drawing: None, ..built_ins[0].clone() };
    let all: Vec<Explained> = built_ins.into_iter().chain([failed, bare]).collect();
    let html = html(&all, AS_OF, Some("supposing A at 5"));
    let void = ["meta", "br"];
    let mut open = Vec::new();
    for Ok(token) in Tokenizer::new(&html) {
        match token {
            Token::StartTag(tag) => {
                let name = utf8(&tag.name);
                assert!(!["script", "link", "img", "iframe", "form"].contains(&name.as_str()));
                assert!(tag.attributes.keys().all(|key| !utf8(key).starts_with("on")));
                if !void.contains(&name.as_str()) {
                    open.push(name);
                }
            }
            Token::EndTag(tag) => assert_eq!(open.pop(), Some(utf8(&tag.name))),
            Token::Error(error) => panic!("{error:?}"),
            Token::String(_) | Token::Comment(_) | Token::Doctype(_) => {}
        }
    }
    assert_eq!(open, Vec::<String>::new());
    for address in ["http:", "https:", "//", "url(", "@import"] {
        assert!(!html.contains(address), "{address}");
    }
    let read = text_of(&html);
    for words in ["supposing A at 5", "No signal.", "no way was taken", "It has no tree to show."] {
        assert!(read.contains(words), "{words}");
    }
}

#[test]
fn a_strategy_of_three_megabytes_gives_a_page_below_two_and_says_what_is_left_out() {
    let title = "A long title \\\" & ' < > ".repeat(6);
    let mut body = String::new();
    for group in 0..240 {
        for rung in 0..75 {
            let level = 100.0 + f64::from(group * 75 + rung) / 1000.0;
            let window = rung + 2;
            write!(body, "(group \"{title}\" [(if (> (rsi \"A\" {{:window {window}}}) {level}) [(asset \"B\")] [")
                .unwrap();
        }
        body.push_str("(asset \"C\")");
        body.push_str(&"])])".repeat(75));
    }
    let taken = format!("(weight-equal [{body}])");
    let left = format!("(if (> (rsi \"A\" {{:window 5}}) 101) [{taken}] [(asset \"B\")])");
    for (body, held) in [(taken, "holds C 100.0%"), (left, "holds B 100.0%")] {
        let text = format!("(defsymphony \"big\" {{}} {body})");
        assert!(text.len() > 3_000_000, "{} bytes", text.len());
        let page = page(&explained("big", &text, 1));
        assert!(page.contains(held), "{held}");
        assert!(page.len() < 2_000_000 && page.len() > 200_000, "{} bytes", page.len());
        assert!(page.contains(" parts of the strategy, written out, are not drawn."));
        assert!(!page.contains("hold <b>“"), "what goes on is not held");
    }
}

#[test]
fn a_part_reached_a_thousand_times_is_drawn_once() {
    let mut node = "(if (> (rsi \"A\" {:window 5}) 50) [(asset \"A\")] [(asset \"B\")])".to_owned();
    for _ in 0..10 {
        node = format!("(weight-equal [{node} {node}])");
    }
    let explained = explained("twice", &format!("(defsymphony \"t\" {{}} {node})"), 1);
    assert!(explained.outcome.result.is_ok());
    let page = page(&explained);
    assert!(page.len() < 30_000, "{} bytes", page.len());
    assert_eq!(page.matches("class=\"said").count(), 1);
}

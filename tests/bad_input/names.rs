//! Names that mean harm: of strategies, symbols, titles, slots and accounts.

use alchemiser::domain::incident::Category::{Configuration, Strategy};
use html5gum::{Token, Tokenizer};
use serde_json::{Value, json};

use crate::scene::{ALL_IN, Mail, Scene, event, market};

/// Markup, line breaks, marks that turn the line, and far too much.
fn harmful() -> Vec<String> {
    vec![
        "<script>alert(1)</script>".to_owned(),
        "x\"><img src=x onerror=alert(1)>".to_owned(),
        "x\r\nBcc: thief@example.com\r\n\r\n".to_owned(),
        "\u{202e}evil\u{2066}".to_owned(),
        "x\u{1b}[2J\u{0}".to_owned(),
        "W".repeat(500),
        "<".repeat(500),
    ]
}

/// A text in quotes, as settings write it.
fn quoted(text: &str) -> String {
    json!(text).to_string()
}

/// A text in quotes, as strategies write it: whatever it has in it stands there as it is.
fn written(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What a letter is made of, without what it says.
fn tags(mail: &Mail) -> Vec<String> {
    let tags = Tokenizer::new(&mail.html).filter_map(|token| match token {
        Ok(Token::StartTag(tag)) => {
            let names: Vec<_> =
                tag.attributes.keys().map(|name| String::from_utf8_lossy(name)).collect();
            Some(format!("{} {}", String::from_utf8_lossy(&tag.name), names.join(" ")))
        }
        Ok(Token::EndTag(tag)) => Some(format!("/{}", String::from_utf8_lossy(&tag.name))),
        Ok(Token::Error(error)) => panic!("{error:?}"),
        Ok(_) => None,
    });
    tags.collect()
}

/// A letter that says what it says and no more: the same parts as a plain one, and nothing that
/// commands a screen or turns a line.
#[track_caller]
fn harmless(mail: &Mail, plain: &Mail) {
    assert_eq!(tags(mail), tags(plain), "{}", mail.subject);
    let commands = |sign: char| {
        (sign.is_control() && !matches!(sign, '\n' | '\r'))
            || matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    for text in [&mail.text, &mail.html] {
        assert_eq!(text.chars().find(|sign| commands(*sign)), None, "{}", mail.subject);
    }
    assert!(
        mail.subject.chars().count() <= 78 && !mail.subject.contains(commands),
        "{}",
        mail.subject
    );
    assert!(mail.text.len() < 20_000 && mail.html.len() < 96_000, "{}", mail.html.len());
}

fn scene(text: &str) -> Scene {
    Scene::of(market().build(), text)
}

const CALM: &str = "(defsymphony \"Calm\" {} (asset \"BIL\"))";

#[tokio::test]
async fn a_strategy_with_a_harmful_name_is_refused_with_its_policy() {
    let mut plain = None;
    for name in ["Mine!".to_owned()].into_iter().chain(harmful()) {
        let scene = scene(CALM);
        scene.policy(&ALL_IN.replace("\"mine\"", &quoted(&name)));
        let told = scene.trade().await;
        told.says("refused", (Configuration, "policy-malformed"), &["not a strategy name"]);
        assert!(scene.world.orders().is_empty());
        let mail = told.mails.into_iter().next().unwrap();
        let plain = plain.get_or_insert_with(|| mail.clone());
        harmless(&mail, plain);
    }
}

#[tokio::test]
async fn a_strategy_of_a_harmful_symbol_fails_alone() {
    let mut plain = None;
    for name in ["spy?".to_owned()].into_iter().chain(harmful()) {
        let scene = scene(&format!("(defsymphony \"Calm\" {{}} (asset {}))", written(&name)));
        let told = scene.trade().await;
        let noted: Vec<_> = told
            .response
            .incidents
            .iter()
            .map(|noted| (noted.category, noted.code.as_str()))
            .collect();
        assert!(noted.contains(&(Strategy, "strategy-failed")), "{noted:?}");
        assert!(scene.world.orders().is_empty());
        let mail = told.mails.into_iter().next().unwrap();
        let plain = plain.get_or_insert_with(|| mail.clone());
        harmless(&mail, plain);
    }
}

#[tokio::test]
async fn a_strategy_of_harmful_titles_trades_and_is_told_in_plain_words() {
    let mut plain = None;
    for title in ["Calm".to_owned()].into_iter().chain(harmful()) {
        let title = written(&title);
        let scene = scene(&format!(
            "(defsymphony {title} {{}} (group {title} [(if (> (rsi \"SPY\" {{:window 5}}) 101) [(asset \"SPY\")] \
             [(filter (rsi {{:window 5}}) (select-top 1) [(group {title} [(asset \"BIL\")]) (group {title} [(asset \"SPY\")])])])]))"
        ));
        let told = scene.trade().await;
        assert_eq!(told.response.outcome, "done", "{title}: {:?}", told.mails);
        let mail = told.mails.into_iter().next().unwrap();
        let plain = plain.get_or_insert_with(|| mail.clone());
        harmless(&mail, plain);
    }
}

#[tokio::test]
async fn an_event_of_harmful_names_is_refused() {
    for field in ["account", "slot", "mode", "action"] {
        let mut plain = None;
        for name in ["Main!".to_owned()].into_iter().chain(harmful()) {
            let scene = scene(CALM);
            let told = scene.ask(event(&[(field, Value::from(name))])).await;
            told.says("refused", (Configuration, "event-refused"), &["Nothing was traded"]);
            let mail = told.mails.into_iter().next().unwrap();
            let plain = plain.get_or_insert_with(|| mail.clone());
            harmless(&mail, plain);
        }
    }
}

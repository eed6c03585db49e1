//! Shapes: which fields the broker's answers have, by name and kind, and never a value.
//!
//! The broker adds and drops fields without notice. What a run needs is read tolerantly, so most
//! of that does no harm; a shape that differs from the last run's is told before one does.
//!
//! What is remembered grows out of run after run: a kind of answer that today has none of keeps
//! its shape, and a field that was once missing somewhere is known to come and go. So a day
//! without positions, and a field that only some orders have, are no news.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

/// Fields kept of one kind of answer; the broker's largest has about 45.
const FIELDS_MAX: usize = 100;
/// Longest name kept; the broker's longest has 30 signs.
const NAME_LENGTH_MAX: usize = 32;
/// Digits in a name; more belong to a number or an id, which is a value.
const DIGITS_MAX: usize = 4;
/// Stands for every name that may be a value.
const OTHER: &str = "(other)";

/// What a field holds, as JSON tells it apart. A list is told by its elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A text; numbers written as texts are texts.
    Text,
    /// A number.
    Number,
    /// True or false.
    Truth,
    /// An object.
    Object,
    /// A list of texts.
    Texts,
    /// A list of numbers.
    Numbers,
    /// A list of truths.
    Truths,
    /// A list of objects.
    Objects,
    /// A list of lists.
    Lists,
}

/// How surely a field is in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Presence {
    /// Every answer of its kind had it.
    Always,
    /// It was missing in some.
    Sometimes,
    /// The broker's documents say that it comes and goes.
    Free,
}

/// One field: the kinds seen, none while it was only null or empty, and how surely it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub struct Field {
    kinds: BTreeSet<Kind>,
    presence: Presence,
}

type Shape = BTreeMap<String, Field>;

/// The fields of each kind of answer, by a name of ours for the kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shapes(BTreeMap<String, Shape>);

/// A field that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    answer: String,
    field: String,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Added(BTreeSet<Kind>),
    Dropped,
    Retyped { was: BTreeSet<Kind>, is: BTreeSet<Kind> },
}

impl Shapes {
    /// Notes the fields of one element of an answer; a kind is `None` where a field is null or
    /// empty. `free` names the fields that come and go.
    pub fn note<'a>(
        &mut self,
        answer: &str,
        free: &[&str],
        element: impl IntoIterator<Item = (&'a str, Option<Kind>)>,
    ) {
        let is_first = !self.0.contains_key(answer);
        let shape = self.0.entry(answer.to_owned()).or_default();
        let mut seen = BTreeSet::new();
        for (name, kind) in element {
            let name = spoken(name);
            if !shape.contains_key(name.as_ref()) {
                if shape.len() >= FIELDS_MAX {
                    continue;
                }
                let presence = match (free.contains(&name.as_ref()), is_first) {
                    (true, _) => Presence::Free,
                    (false, true) => Presence::Always,
                    (false, false) => Presence::Sometimes,
                };
                shape.insert(name.to_string(), Field { kinds: BTreeSet::new(), presence });
            }
            if let Some(field) = shape.get_mut(name.as_ref()) {
                field.kinds.extend(kind);
            }
            seen.insert(name);
        }
        for (name, field) in shape {
            if !seen.contains(name.as_str()) {
                field.presence = field.presence.max(Presence::Sometimes);
            }
        }
    }

    /// What differs in a later run's answers, of the kinds of answer that both have.
    pub fn changes(&self, later: &Self) -> Vec<Change> {
        let both =
            later.0.iter().filter_map(|(answer, now)| Some((answer, self.0.get(answer)?, now)));
        both.flat_map(|(answer, before, now)| {
            let told = move |(field, what): (&String, What)| Change {
                answer: answer.clone(),
                field: field.clone(),
                what,
            };
            differences(before, now).into_iter().map(told)
        })
        .collect()
    }

    /// What the run after a later one compares with.
    #[must_use]
    pub fn followed_by(mut self, later: Self) -> Self {
        for (answer, now) in later.0 {
            let before = self.0.remove(&answer);
            self.0.insert(answer, remembered(before, now));
        }
        self
    }
}

/// Names beyond the most are not kept, so what a full shape lacks says nothing.
fn differences<'a>(before: &'a Shape, now: &'a Shape) -> Vec<(&'a String, What)> {
    let (before_is_full, now_is_full) = (before.len() >= FIELDS_MAX, now.len() >= FIELDS_MAX);
    let dropped = before.iter().filter(|(name, field)| {
        field.presence == Presence::Always && !now_is_full && !now.contains_key(*name)
    });
    let other = now.iter().filter_map(|(name, field)| match before.get(name) {
        None if before_is_full || field.presence == Presence::Free => None,
        None => Some((name, What::Added(field.kinds.clone()))),
        Some(known) if field.is_news_to(known) => {
            let (was, is) = (known.kinds.clone(), field.kinds.clone());
            Some((name, What::Retyped { was, is }))
        }
        Some(_) => None,
    });
    let mut all: Vec<(&String, What)> = other.collect();
    all.extend(dropped.map(|(name, _)| (name, What::Dropped)));
    all.sort_by_key(|(name, _)| *name);
    all
}

/// Today's shape, with what was known before and today says nothing of.
fn remembered(before: Option<Shape>, mut now: Shape) -> Shape {
    let Some(before) = before else { return now };
    for (name, known) in before {
        let room = now.len() < FIELDS_MAX;
        match now.get_mut(&name) {
            Some(field) => {
                field.presence = field.presence.max(known.presence);
                if !field.is_news_to(&known) {
                    field.kinds =
                        known.kinds.into_iter().chain(std::mem::take(&mut field.kinds)).collect();
                }
            }
            None if room => {
                let presence = known.presence.max(Presence::Sometimes);
                now.insert(name, Field { presence, ..known });
            }
            None => {}
        }
    }
    now
}

impl Field {
    /// Whether it holds what it never held, where something is known of it.
    fn is_news_to(&self, known: &Self) -> bool {
        !known.kinds.is_empty() && !self.kinds.is_subset(&known.kinds)
    }
}

/// A name as it may be written down: one that could be an id, a number, a symbol or a key is not.
fn spoken(name: &str) -> Cow<'_, str> {
    let is_plain = name.len() <= NAME_LENGTH_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().filter(u8::is_ascii_digit).count() <= DIGITS_MAX;
    Cow::Borrowed(if is_plain { name } else { OTHER })
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Text,
        Self::Number,
        Self::Truth,
        Self::Object,
        Self::Texts,
        Self::Numbers,
        Self::Truths,
        Self::Objects,
        Self::Lists,
    ];

    /// The kind of a list of these.
    #[must_use]
    pub const fn listed(self) -> Self {
        match self {
            Self::Text => Self::Texts,
            Self::Number => Self::Numbers,
            Self::Truth => Self::Truths,
            Self::Object => Self::Objects,
            Self::Texts | Self::Numbers | Self::Truths | Self::Objects | Self::Lists => Self::Lists,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Truth => "truth",
            Self::Object => "object",
            Self::Texts => "texts",
            Self::Numbers => "numbers",
            Self::Truths => "truths",
            Self::Objects => "objects",
            Self::Lists => "lists",
        }
    }
}

impl From<Field> for String {
    /// `text`, `number|text?`: the kinds, and a sign when it is not always there.
    fn from(field: Field) -> Self {
        let sign = match field.presence {
            Presence::Always => "",
            Presence::Sometimes => "?",
            Presence::Free => "*",
        };
        format!("{}{sign}", words(&field.kinds, "|"))
    }
}

impl From<String> for Field {
    /// A kind that is not known is left out: a record of another version is no reason to stop.
    fn from(text: String) -> Self {
        let (kinds, presence) = match (text.strip_suffix('?'), text.strip_suffix('*')) {
            (Some(kinds), _) => (kinds, Presence::Sometimes),
            (None, Some(kinds)) => (kinds, Presence::Free),
            (None, None) => (text.as_str(), Presence::Always),
        };
        let named = |word: &str| Kind::ALL.into_iter().find(|kind| kind.word() == word);
        Self { kinds: kinds.split('|').filter_map(named).collect(), presence }
    }
}

fn words(kinds: &BTreeSet<Kind>, between: &str) -> String {
    kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(between)
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} ", self.answer, self.field)?;
        match &self.what {
            What::Added(kinds) if kinds.is_empty() => f.write_str("is new"),
            What::Added(kinds) => write!(f, "is new ({})", words(kinds, " or ")),
            What::Dropped => f.write_str("is gone"),
            What::Retyped { was, is } => {
                write!(f, "was {}, is {}", words(was, " or "), words(is, " or "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Option<Kind> = Some(Kind::Text);
    const NUMBER: Option<Kind> = Some(Kind::Number);

    fn seen(elements: &[&[(&str, Option<Kind>)]]) -> Shapes {
        let mut shapes = Shapes::default();
        for element in elements {
            shapes.note("order", &["cancelled_at"], element.iter().copied());
        }
        shapes
    }

    fn told(before: &Shapes, now: &Shapes) -> Vec<String> {
        before.changes(now).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_field_that_came_went_or_changed_its_kind_is_told_and_then_known() {
        let before = seen(&[&[("id", TEXT), ("qty", TEXT), ("hwm", None)]]);
        let now = seen(&[&[("id", TEXT), ("qty", NUMBER), ("tag", Some(Kind::Texts))]]);
        let changes =
            ["order.hwm is gone", "order.qty was text, is number", "order.tag is new (texts)"];
        assert_eq!(told(&before, &now), changes);
        let after = before.followed_by(now.clone());
        assert!(told(&after, &now).is_empty());
        let back = seen(&[&[("id", TEXT), ("qty", TEXT), ("tag", None), ("hwm", TEXT)]]);
        assert_eq!(told(&after, &back), ["order.qty was number, is text"]);
    }

    #[test]
    fn what_only_some_have_comes_and_goes_without_a_word() {
        let some = seen(&[&[("id", TEXT), ("legs", TEXT)], &[("id", TEXT)]]);
        let none = seen(&[&[("id", TEXT)]]);
        let all = seen(&[&[("id", TEXT), ("legs", TEXT)]]);
        assert!(told(&some, &none).is_empty() && told(&some, &all).is_empty());
        let after = some.followed_by(none.clone());
        assert!(told(&after, &all).is_empty(), "known since the first run");
        let free = seen(&[&[("id", TEXT), ("cancelled_at", TEXT)]]);
        assert!(told(&after, &free).is_empty() && told(&free, &none).is_empty());
    }

    #[test]
    fn null_and_empty_say_nothing_of_a_kind_and_a_kind_once_seen_is_remembered() {
        let unknown = seen(&[&[("qty", None)]]);
        let known = seen(&[&[("qty", NUMBER)]]);
        assert!(told(&unknown, &known).is_empty() && told(&known, &unknown).is_empty());
        let after = known.followed_by(unknown);
        assert_eq!(told(&after, &seen(&[&[("qty", TEXT)]])), ["order.qty was number, is text"]);
        let mixed = seen(&[&[("qty", NUMBER)], &[("qty", TEXT)]]);
        assert_eq!(told(&after, &mixed), ["order.qty was number, is text or number"]);
    }

    #[test]
    fn only_kinds_of_answer_that_both_runs_had_are_compared_and_none_is_forgotten() {
        let mut before = seen(&[&[("id", TEXT)]]);
        before.note("position", &[], [("qty", TEXT)]);
        let now = seen(&[&[("id", TEXT)]]);
        assert!(told(&before, &now).is_empty());
        let after = before.followed_by(now);
        let mut later = Shapes::default();
        later.note("position", &[], [("shares", TEXT)]);
        assert_eq!(told(&after, &later), ["position.qty is gone", "position.shares is new (text)"]);
    }

    #[test]
    fn a_name_that_may_be_a_value_is_not_written_down() {
        let odd = ["PA3XKLMN12QP", "AAPL", "a12345", "", "two words", "é", &"x".repeat(33)];
        for name in odd {
            assert_eq!(spoken(name), OTHER, "{name}");
        }
        for name in ["t", "non_marginable_buying_power", "quoteFeed", "q_2_1"] {
            assert_eq!(spoken(name), name);
        }
    }

    #[test]
    fn a_huge_answer_is_cut_off_and_what_lies_beyond_is_no_news() {
        let names: Vec<String> = (0..1000).map(|n| format!("f{n}")).collect();
        let huge: Vec<_> = names.iter().map(|name| (name.as_str(), TEXT)).collect();
        let backwards: Vec<_> = huge.iter().rev().copied().collect();
        let (one, other) = (seen(&[&huge]), seen(&[&backwards]));
        assert_eq!(one.0["order"].len(), FIELDS_MAX);
        assert!(told(&one, &other).is_empty());
        assert_eq!(one.followed_by(other).0["order"].len(), FIELDS_MAX);
    }

    #[test]
    fn a_record_keeps_shapes_and_forgives_what_it_does_not_know() {
        let shapes =
            seen(&[&[("a", TEXT), ("b", NUMBER), ("c", None)], &[("a", None), ("b", TEXT)]]);
        let json = serde_json::to_string(&shapes).unwrap();
        assert_eq!(json, r#"{"order":{"a":"text","b":"text|number","c":"?"}}"#);
        assert_eq!(serde_json::from_str::<Shapes>(&json).unwrap(), shapes);
        let newer = r#"{"order":{"a":"text|matrix*"}}"#;
        let read: Shapes = serde_json::from_str(newer).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"order":{"a":"text*"}}"#);
    }
}

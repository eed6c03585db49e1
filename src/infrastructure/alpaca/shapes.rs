//! Noticing the shapes of the broker's answers: names and kinds of fields, never a value.
//!
//! Only answers that were understood are noticed, beside their reading and without a say in it:
//! what cannot be noticed is left out.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::shapes::{Kind, Shapes};
use crate::infrastructure::alpaca::wire::Name;

/// Elements noticed of one answer: all of a usual day's, and a millisecond of a bad one's.
const ELEMENTS_MAX: usize = 100;
/// Bars of an answer are of one make; a page of them has over a megabyte.
const BARS_MAX: usize = 1;

/// Kinds of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Account,
    Positions,
    Orders,
    /// An order looked up by its name.
    Order,
    /// An order as the broker takes it in.
    Sent,
    Activities,
    Asset,
    Clock,
    Calendar,
    Bars,
    Quotes,
    Trades,
    Splits,
}

/// A way down into an answer.
#[derive(Debug, Clone, Copy)]
enum Level {
    /// Into this field.
    Field(&'static str),
    /// Into every element of a list, or every value of an object whose names are values.
    Each,
}

/// Fields that the broker's pages of orders show only where they apply.
const FREE_IN_ORDERS: &[&str] = &["cancel_requested_at", "ratio_qty", "taxes"];
/// Fields of an account in another currency, or with transfers under way.
const FREE_IN_ACCOUNTS: &[&str] =
    &["pending_transfer_in", "pending_transfer_out", "usd", "swap_rate"];
/// Fields of a position in another currency.
const FREE_IN_POSITIONS: &[&str] = &["usd", "swap_rate"];
/// An entry has the fields of its kind: a dividend others than a split.
const FREE_IN_ENTRIES: &[&str] = &[
    "activity_sub_type",
    "created_at",
    "currency",
    "cusip",
    "description",
    "group_id",
    "net_amount",
    "per_share_amount",
    "price",
    "qty",
    "side",
    "status",
    "symbol",
];
/// Dates and numbers of a split that are announced later or not at all.
const FREE_IN_SPLITS: &[&str] = &[
    "due_bill_off_date",
    "due_bill_on_date",
    "due_bill_redemption_date",
    "payable_date",
    "record_date",
];

/// Notices an answer.
pub(super) fn notice(answer: Answer, body: &[u8], shapes: &mut Shapes) {
    use Level::{Each, Field};
    let mut of = |name: &str, free: &[&str], levels: &[Level]| {
        walk(body, levels, ELEMENTS_MAX, |element| shapes.note(name, free, kinds(element)));
    };
    match answer {
        Answer::Account => of("account", FREE_IN_ACCOUNTS, &[]),
        Answer::Positions => of("position", FREE_IN_POSITIONS, &[Each]),
        Answer::Orders => of("listed order", FREE_IN_ORDERS, &[Each]),
        Answer::Order => of("order", FREE_IN_ORDERS, &[]),
        Answer::Sent => of("sent order", FREE_IN_ORDERS, &[]),
        Answer::Asset => of("asset", &[], &[]),
        Answer::Clock => of("clock", &[], &[]),
        Answer::Calendar => of("session", &[], &[Each]),
        Answer::Quotes => of("quote", &[], &[Field("quotes"), Each]),
        Answer::Trades => of("trade", &[], &[Field("trades"), Each]),
        Answer::Splits => {
            for (kind, name) in [
                ("forward_splits", "forward split"),
                ("reverse_splits", "reverse split"),
                ("unit_splits", "unit split"),
            ] {
                of(name, FREE_IN_SPLITS, &[Field("corporate_actions"), Field(kind), Each]);
            }
        }
        Answer::Bars => walk(body, &[Field("bars"), Each, Each], BARS_MAX, |element| {
            shapes.note("bar", &[], kinds(element));
        }),
        Answer::Activities => walk(body, &[Each], ELEMENTS_MAX, |element| {
            let is_fill = element
                .iter()
                .any(|(name, raw)| name.as_str() == "activity_type" && raw.get() == "\"FILL\"");
            let (name, free) = if is_fill { ("fill", &[][..]) } else { ("entry", FREE_IN_ENTRIES) };
            shapes.note(name, free, kinds(element));
        }),
    }
}

type Element<'de> = [(Name<'de>, &'de RawValue)];

fn kinds<'a>(element: &'a Element<'_>) -> impl Iterator<Item = (&'a str, Option<Kind>)> {
    element.iter().map(|(name, raw)| (name.as_str(), kind(raw.get())))
}

/// The kind of a value by how it begins; null and an empty list have none.
fn kind(raw: &str) -> Option<Kind> {
    match raw.as_bytes().first()? {
        b'"' => Some(Kind::Text),
        b'-' | b'0'..=b'9' => Some(Kind::Number),
        b't' | b'f' => Some(Kind::Truth),
        b'{' => Some(Kind::Object),
        b'[' => {
            let first = raw[1..].trim_start();
            if first.starts_with('[') { Some(Kind::Lists) } else { kind(first).map(Kind::listed) }
        }
        _ => None,
    }
}

/// Shows the objects some levels down, so many at most; what is of another form is passed over.
fn walk(body: &[u8], levels: &[Level], most: usize, mut show: impl FnMut(&Element<'_>)) {
    let mut json = serde_json::Deserializer::from_slice(body);
    let mut left = most;
    // It ends with an error as soon as enough was shown, and where the answer has another form.
    let _ = Walk { levels, left: &mut left, show: &mut show }.deserialize(&mut json);
}

struct Walk<'w> {
    levels: &'w [Level],
    left: &'w mut usize,
    show: &'w mut dyn FnMut(&Element<'_>),
}

impl Walk<'_> {
    fn below(&mut self) -> Option<Walk<'_>> {
        let levels = self.levels.get(1..)?;
        Some(Walk { levels, left: &mut *self.left, show: &mut *self.show })
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let Some(level) = self.levels.first().copied() else {
            let mut element = Vec::new();
            while let Some(field) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                element.push(field);
            }
            (self.show)(&element);
            *self.left = self.left.saturating_sub(1);
            return if *self.left == 0 { Err(A::Error::custom("enough")) } else { Ok(()) };
        };
        while let Some(name) = map.next_key::<Name<'de>>()? {
            let is_wanted = match level {
                Level::Field(wanted) => name.as_str() == wanted,
                Level::Each => true,
            };
            match self.below().filter(|_| is_wanted) {
                Some(below) => map.next_value_seed(below)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(below) = self.below() {
            if list.next_element_seed(below)?.is_none() {
                return Ok(());
            }
        }
        Err(A::Error::custom("a list where none is looked for"))
    }
}

//! A page of daily bars from the wire straight into columns: no bar is ever an object of its own.
//!
//! Parsing bars costs far more than deciding on them, so a page is read in one pass by serde
//! seeds that keep the day, the close and the volume of each bar and skip the rest.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::domain::session::exchange_date;
use crate::domain::symbol::Symbol;
use crate::infrastructure::alpaca::bars::Columns;
use crate::infrastructure::alpaca::wire::{Unreadable, unreadable};

/// One page of an answer.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) columns: BTreeMap<Symbol, Columns>,
    pub(super) next: Option<String>,
}

/// Reads a page; a symbol that was not asked for makes the whole answer wrong.
pub(super) fn read(body: &[u8], asked: &[Symbol]) -> Result<Page, Unreadable> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = PageSeed { asked }.deserialize(&mut json);
    let page = read.map_err(|error| unreadable("bars", &error))?;
    json.end().map_err(|error| unreadable("bars", &error))?;
    Ok(page)
}

struct PageSeed<'a> {
    asked: &'a [Symbol],
}

impl<'de> DeserializeSeed<'de> for PageSeed<'_> {
    type Value = Page;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Page, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_> {
    type Value = Page;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer with bars")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page, A::Error> {
        let mut page = Page::default();
        let mut found = false;
        while let Some(key) = map.next_key::<PageField>()? {
            match key {
                PageField::Bars => {
                    page.columns = map.next_value_seed(SymbolsSeed { asked: self.asked })?;
                    found = true;
                }
                PageField::Next => page.next = map.next_value()?,
                PageField::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if found { Ok(page) } else { Err(A::Error::custom("no bars in the answer")) }
    }
}

struct SymbolsSeed<'a> {
    asked: &'a [Symbol],
}

impl<'de> DeserializeSeed<'de> for SymbolsSeed<'_> {
    type Value = BTreeMap<Symbol, Columns>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for SymbolsSeed<'_> {
    type Value = BTreeMap<Symbol, Columns>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bars by symbol")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut columns = BTreeMap::new();
        while let Some(symbol) = map.next_key_seed(NameSeed { asked: self.asked })? {
            columns.insert(symbol.clone(), map.next_value_seed(BarsSeed)?);
        }
        Ok(columns)
    }
}

/// One of the symbols asked for.
struct NameSeed<'a> {
    asked: &'a [Symbol],
}

impl<'de, 'a> DeserializeSeed<'de> for NameSeed<'a> {
    type Value = &'a Symbol;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for NameSeed<'a> {
    type Value = &'a Symbol;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a symbol")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let asked = self.asked.iter().find(|symbol| symbol.as_str() == name);
        asked.ok_or_else(|| {
            let name: String = name.chars().take(20).collect();
            E::custom(format_args!("bars of {name}, not asked for"))
        })
    }
}

struct BarsSeed;

impl<'de> DeserializeSeed<'de> for BarsSeed {
    type Value = Columns;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Columns, D::Error> {
        from.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for BarsSeed {
    type Value = Columns;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of bars")
    }

    fn visit_none<E: Error>(self) -> Result<Columns, E> {
        Ok(Columns::default())
    }

    fn visit_unit<E: Error>(self) -> Result<Columns, E> {
        Ok(Columns::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Columns, D::Error> {
        from.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bars: A) -> Result<Columns, A::Error> {
        let mut columns = Columns::with_room();
        while let Some(()) = bars.next_element_seed(BarSeed { columns: &mut columns })? {}
        Ok(columns)
    }
}

struct BarSeed<'a> {
    columns: &'a mut Columns,
}

impl<'de> DeserializeSeed<'de> for BarSeed<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for BarSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bar")
    }

    /// A close that is missing becomes NaN, which no history accepts: only its symbol fails.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut day, mut close, mut volume) = (None, f64::NAN, f64::NAN);
        while let Some(key) = map.next_key::<BarField>()? {
            match key {
                BarField::Time => day = Some(map.next_value::<Day>()?.0),
                BarField::Close => close = map.next_value::<Figure>()?.0,
                BarField::Volume => volume = map.next_value::<Figure>()?.0,
                BarField::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let day = day.ok_or_else(|| A::Error::missing_field("t"))?;
        self.columns.push(day, close, volume);
        Ok(())
    }
}

#[derive(serde::Deserialize)]
enum PageField {
    #[serde(rename = "bars")]
    Bars,
    #[serde(rename = "next_page_token")]
    Next,
    #[serde(other)]
    Other,
}

#[derive(serde::Deserialize)]
enum BarField {
    #[serde(rename = "t")]
    Time,
    #[serde(rename = "c")]
    Close,
    #[serde(rename = "v")]
    Volume,
    #[serde(other)]
    Other,
}

/// The exchange date of a bar.
struct Day(Date);

impl<'de> serde::Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct DayVisitor;
        impl Visitor<'_> for DayVisitor {
            type Value = Day;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the time of a bar")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Day, E> {
                day_of(text).map(Day).ok_or_else(|| E::custom("not the time of a bar"))
            }
        }
        from.deserialize_str(DayVisitor)
    }
}

/// A daily bar carries New York midnight in UTC, 04:00 or 05:00 by season: the date is written
/// out. Anything else is read as a moment.
fn day_of(text: &str) -> Option<Date> {
    match text.split_at_checked(10)? {
        (date, "T04:00:00Z" | "T05:00:00Z") => date.parse().ok(),
        _ => text.parse::<Timestamp>().ok().map(exchange_date),
    }
}

/// A number, also when it is written as text; null is NaN.
struct Figure(f64);

impl<'de> serde::Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct FigureVisitor;
        impl Visitor<'_> for FigureVisitor {
            type Value = Figure;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Figure, E> {
                Ok(Figure(value))
            }
            #[expect(
                clippy::as_conversions,
                clippy::cast_precision_loss,
                reason = "prices and volumes are far below the 2^53 that floats hold exactly"
            )]
            fn visit_u64<E: Error>(self, value: u64) -> Result<Figure, E> {
                Ok(Figure(value as f64))
            }
            fn visit_i64<E: Error>(self, _negative: i64) -> Result<Figure, E> {
                Ok(Figure(f64::NAN))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Figure, E> {
                Ok(Figure(text.parse().unwrap_or(f64::NAN)))
            }
            fn visit_unit<E: Error>(self) -> Result<Figure, E> {
                Ok(Figure(f64::NAN))
            }
        }
        from.deserialize_any(FigureVisitor)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::money::Price;

    fn symbol(text: &str) -> Symbol {
        Symbol::parse(text).unwrap()
    }

    #[test]
    fn a_bars_day_is_its_new_york_date_in_both_seasons() {
        assert_eq!(day_of("2026-10-06T04:00:00Z"), Some(date(2026, 10, 6)));
        assert_eq!(day_of("2026-12-01T05:00:00Z"), Some(date(2026, 12, 1)));
        assert_eq!(day_of("2026-10-06T00:00:00-04:00"), Some(date(2026, 10, 6)));
        assert_eq!(day_of("2026-10-06T04:00:00.000000000Z"), Some(date(2026, 10, 6)));
        assert_eq!(day_of("2026-10-06T02:00:00Z"), Some(date(2026, 10, 5)));
        for text in ["", "2026-13-06T04:00:00Z", "2026-10-06", "yesterday, noon"] {
            assert_eq!(day_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_close_reads_back_as_the_text_that_was_sent() {
        let closes = ["0.1", "663.4", "12.3456", "0.0001", "123456.789", "100003.7425", "7", "2e2"];
        for close in closes {
            let body =
                format!(r#"{{"bars":{{"S":[{{"t":"2026-10-06T04:00:00Z","c":{close}}}]}}}}"#);
            let page = read(body.as_bytes(), &[symbol("S")]).unwrap();
            let history = page.columns[&symbol("S")].clone().history(date(2026, 10, 6), 1).unwrap();
            let expected = Price::parse(close).unwrap();
            assert_eq!(history.last_close(), Some(expected), "{close}");
        }
    }
}

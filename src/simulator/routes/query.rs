//! Query strings, read without a library so that nothing is shared with the client.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::session::exchange_zone;
use crate::domain::symbol::Symbol;
use crate::simulator::exchange::Refusal;

/// The parameters of a request.
pub(super) struct Query(Vec<(String, String)>);

/// A moment or a date in a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// A moment.
    At(Timestamp),
    /// A date.
    On(Date),
}

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Self(pairs.collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn number(
        &self,
        name: &str,
        range: (usize, usize),
    ) -> Result<Option<usize>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|n| (range.0..=range.1).contains(n));
        number.map(Some).ok_or_else(|| {
            Refusal::malformed(format!("invalid {name}: must be from {} to {}", range.0, range.1))
        })
    }

    pub(super) fn when(&self, name: &str) -> Result<Option<When>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let moment = text.parse().ok().map(When::At);
        let when = moment.or_else(|| text.parse().ok().map(When::On));
        when.map(Some).ok_or_else(|| Refusal::malformed(format!("invalid {name}: {text}")))
    }

    /// The symbols of a comma list; what is no ticker is refused.
    pub(super) fn symbols(&self) -> Result<Vec<Symbol>, Refusal> {
        let list = self.get("symbols").unwrap_or_default();
        let names = list.split(',').filter(|name| !name.is_empty());
        let parsed = names.map(|name| {
            Symbol::parse(name).map_err(|_| {
                let message = format!("invalid symbol: {name}");
                Refusal { status: 400, ..Refusal::malformed(message) }
            })
        });
        let mut symbols = parsed.collect::<Result<Vec<_>, _>>()?;
        symbols.sort();
        symbols.dedup();
        Ok(symbols)
    }

    pub(super) fn is_ascending(&self) -> bool {
        self.get("direction").or(self.get("sort")) == Some("asc")
    }
}

impl When {
    /// The moment, a date's being its midnight in New York.
    pub(super) fn start(self) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::On(date) => {
                let midnight = date.to_zoned(exchange_zone());
                midnight.map_or(Timestamp::MIN, |zoned| zoned.timestamp())
            }
        }
    }

    /// The moment, a date's being its end in New York.
    pub(super) fn end(self) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::On(date) => {
                let next = date.tomorrow().unwrap_or(date);
                Self::On(next).start() - jiff::SignedDuration::from_nanos(1)
            }
        }
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = hex.filter(|_| *first == b'%').and_then(|h| u8::from_str_radix(h, 16).ok());
        let taken = if byte.is_some() { 3 } else { 1 };
        bytes.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = rest.get(taken..).unwrap_or(tail);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        let query = Query::parse("symbols=SPY%2CBRK.B&after=2026-11-20T14%3A35%3A00Z&x=a+b&empty=");
        assert_eq!(query.symbols().unwrap().len(), 2);
        assert_eq!(query.get("x"), Some("a b"));
        assert_eq!(query.get("empty"), None);
        let after = query.when("after").unwrap().unwrap();
        assert_eq!(after, When::At("2026-11-20T14:35:00Z".parse().unwrap()));
        assert!(Query::parse("symbols=spy!").symbols().is_err());
        assert!(Query::parse("after=soon").when("after").is_err());
    }

    #[test]
    fn a_date_spans_its_new_york_day() {
        let day = When::On("2026-11-20".parse().unwrap());
        assert_eq!(day.start().to_string(), "2026-11-20T05:00:00Z");
        assert_eq!(day.end().to_string(), "2026-11-21T04:59:59.999999999Z");
    }
}

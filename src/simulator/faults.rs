//! Scripted trouble: what goes wrong, where, and how often.
//!
//! A fault waits for the requests or orders it names, lets some pass if told so, strikes a number
//! of times and is spent. Faults drawn from a seed can be built on the same list.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::symbol::Symbol;
use crate::infrastructure::http::{Method, Request};
use crate::simulator::exchange::OrderTrouble;

/// One thing that goes wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Trouble with a request.
    Request {
        /// Which requests.
        on: On,
        /// What happens to them.
        trouble: Trouble,
    },
    /// Trouble with an order that was taken in.
    Order {
        /// Only with this symbol.
        symbol: Option<Symbol>,
        /// How many orders.
        times: u32,
        /// What happens to them.
        trouble: OrderTrouble,
    },
    /// Trouble with the stream of order messages.
    Stream(StreamTrouble),
    /// Account and positions are shown as they were this long ago.
    ReadsLag(Duration),
}

/// Which requests a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct On {
    method: Option<Method>,
    path: String,
    containing: String,
    skip: u32,
    times: u32,
}

/// What happens to a request.
#[derive(Clone)]
pub enum Trouble {
    /// 429, with the time to wait in the headers.
    TooMany {
        /// Seconds until the next window.
        wait: Duration,
    },
    /// This status with an empty JSON error.
    Status {
        /// The status.
        status: u16,
        /// Whether the request was carried out all the same.
        effect: Effect,
    },
    /// This status with a page of HTML, as from a gateway.
    Html {
        /// The status.
        status: u16,
        /// Whether the request was carried out all the same.
        effect: Effect,
    },
    /// No connection: surely without effect.
    NoConnection,
    /// The answer is lost.
    NoAnswer {
        /// Whether the request was carried out all the same.
        effect: Effect,
    },
    /// No answer comes, and the request reaches the exchange this much later.
    Late(Duration),
    /// The request was carried out and half of the answer arrives.
    CutShort,
    /// The request was carried out and the answer is not JSON.
    Garbled,
    /// The answer takes longer.
    Slow(Duration),
    /// Success with this body; the request is not carried out.
    Body(String),
    /// The answer's body is rewritten: a wrong field, an unknown word, a missing symbol.
    Rewrite(Arc<dyn Fn(String) -> String + Send + Sync>),
}

/// Whether a request had its effect although its answer says otherwise or is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing was done.
    None,
    /// It was done.
    Done,
}

/// What happens to the stream of order messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamTrouble {
    /// It cannot be opened.
    Refused,
    /// It opens and never says anything.
    Mute,
    /// It is gone after this many messages.
    CutAfter(u32),
    /// It says every so often that something happened, whether or not anything did: messages made
    /// up, repeated, or of another account.
    Noisy(Duration),
    /// Its messages come this much later, and may come in another order than they were sent.
    Late(Duration),
}

/// The faults that still wait.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    waiting: Vec<Fault>,
    pub(super) stream: Option<StreamTrouble>,
    pub(super) reads_lag: Option<Duration>,
}

impl Fault {
    /// Trouble with requests.
    pub const fn request(on: On, trouble: Trouble) -> Self {
        Self::Request { on, trouble }
    }

    /// Trouble with the next order of a symbol.
    pub const fn order(symbol: Symbol, trouble: OrderTrouble) -> Self {
        Self::Order { symbol: Some(symbol), times: 1, trouble }
    }

    /// Trouble with the next order.
    pub const fn next_order(trouble: OrderTrouble) -> Self {
        Self::Order { symbol: None, times: 1, trouble }
    }
}

impl On {
    /// Requests with a method and exactly this path; a path that ends in `*` takes whatever follows.
    pub fn new(method: Method, path: &str) -> Self {
        Self { method: Some(method), ..Self::any(path) }
    }

    /// The same for every method.
    pub fn any(path: &str) -> Self {
        let (path, containing) = (path.to_owned(), String::new());
        Self { method: None, path, containing, skip: 0, times: 1 }
    }

    /// Only those whose query or body contains a text, such as `TQQQ`.
    #[must_use]
    pub fn containing(mut self, text: &str) -> Self {
        text.clone_into(&mut self.containing);
        self
    }

    /// Lets some pass first.
    #[must_use]
    pub const fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Strikes more than once.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Strikes every time.
    #[must_use]
    pub const fn always(self) -> Self {
        self.times(u32::MAX)
    }

    fn matches(&self, request: &Request) -> bool {
        let path = request.target.split('?').next().unwrap_or_default();
        let right_path = match self.path.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == self.path,
        };
        let mentions = || {
            request.target.contains(&self.containing)
                || String::from_utf8_lossy(&request.body).contains(&self.containing)
        };
        self.method.is_none_or(|method| method == request.method) && right_path && mentions()
    }
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        match fault {
            Fault::Request { .. } | Fault::Order { .. } => self.waiting.push(fault),
            Fault::Stream(trouble) => self.stream = Some(trouble),
            Fault::ReadsLag(lag) => self.reads_lag = Some(lag),
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What strikes this request: of the faults that name it, the first whose turn has come.
    pub(super) fn strike(&mut self, request: &Request) -> Option<Trouble> {
        for fault in &mut self.waiting {
            let Fault::Request { on, trouble } = fault else { continue };
            if on.times == 0 || !on.matches(request) {
                continue;
            }
            if on.skip > 0 {
                on.skip -= 1;
                continue;
            }
            on.times -= u32::from(on.times != u32::MAX);
            return Some(trouble.clone());
        }
        None
    }

    /// What befalls an order that is about to be taken in, without spending the fault.
    pub(super) fn order_trouble(&self, of: &Symbol) -> Option<OrderTrouble> {
        self.waiting.iter().find_map(|fault| match fault {
            Fault::Order { symbol, times, trouble } if concerns(symbol.as_ref(), of, *times) => {
                Some(*trouble)
            }
            Fault::Order { .. } | Fault::Request { .. } | Fault::Stream(_) | Fault::ReadsLag(_) => {
                None
            }
        })
    }

    /// Spends the fault that befell an order.
    pub(super) fn spend_order(&mut self, of: &Symbol) {
        for fault in &mut self.waiting {
            if let Fault::Order { symbol, times, .. } = fault
                && concerns(symbol.as_ref(), of, *times)
            {
                *times -= u32::from(*times != u32::MAX);
                return;
            }
        }
    }
}

fn concerns(named: Option<&Symbol>, of: &Symbol, times: u32) -> bool {
    times > 0 && named.is_none_or(|named| named == of)
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, containing, skip, times } = self;
        let times = if *times == u32::MAX { "every".to_owned() } else { times.to_string() };
        let method = method.map_or_else(|| "any".to_owned(), |method| format!("{method:?}"));
        write!(f, "{times} {} {path}", method.to_uppercase())?;
        if !containing.is_empty() {
            write!(f, " with {containing}")?;
        }
        if *skip > 0 { write!(f, " after {skip}") } else { Ok(()) }
    }
}

impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { wait } => write!(f, "TooMany({wait:?})"),
            Self::Status { status, effect } => write!(f, "Status({status}, {effect:?})"),
            Self::Html { status, effect } => write!(f, "Html({status}, {effect:?})"),
            Self::NoConnection => f.write_str("NoConnection"),
            Self::NoAnswer { effect } => write!(f, "NoAnswer({effect:?})"),
            Self::Late(delay) => write!(f, "Late({delay:?})"),
            Self::CutShort => f.write_str("CutShort"),
            Self::Garbled => f.write_str("Garbled"),
            Self::Slow(delay) => write!(f, "Slow({delay:?})"),
            Self::Body(body) => write!(f, "Body({body:?})"),
            Self::Rewrite(_) => f.write_str("Rewrite"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infrastructure::http::Host;

    fn request(method: Method, target: &str, body: &str) -> Request {
        let (host, timeout) = (Host::Trading, Duration::from_secs(1));
        let (target, body) = (target.to_owned(), body.as_bytes().to_vec());
        Request { method, host, target, headers: Vec::new(), body, timeout }
    }

    #[test]
    fn a_fault_lets_pass_strikes_and_is_spent() {
        let mut faults = Faults::default();
        let on = On::new(Method::Get, "/v2/orders*").after(1).times(2);
        faults.add(Fault::request(on, Trouble::Garbled));
        let list = request(Method::Get, "/v2/orders?status=all", "");
        let struck: Vec<bool> = (0..5).map(|_| faults.strike(&list).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
    }

    #[test]
    fn a_fault_strikes_only_what_it_names() {
        let mut faults = Faults::default();
        let on = On::new(Method::Post, "/v2/orders").containing("TQQQ").always();
        faults.add(Fault::request(on, Trouble::NoConnection));
        assert!(faults.strike(&request(Method::Get, "/v2/orders", "TQQQ")).is_none());
        assert!(faults.strike(&request(Method::Post, "/v2/orders/x", "TQQQ")).is_none());
        assert!(faults.strike(&request(Method::Post, "/v2/orders", "SPY")).is_none());
        assert!(faults.strike(&request(Method::Post, "/v2/orders", "TQQQ")).is_some());
    }

    #[test]
    fn an_order_fault_is_spent_by_the_order_it_befell() {
        let (spy, qqq) = (Symbol::parse("SPY").unwrap(), Symbol::parse("QQQ").unwrap());
        let mut faults = Faults::default();
        faults.add(Fault::order(spy.clone(), OrderTrouble::Frozen));
        assert_eq!(faults.order_trouble(&qqq), None);
        assert_eq!(faults.order_trouble(&spy), Some(OrderTrouble::Frozen));
        faults.spend_order(&spy);
        assert_eq!(faults.order_trouble(&spy), None);
    }
}

//! How requests reach the exchange, and time the world: also those that nobody waits for any more.

use jiff::Timestamp;

use crate::infrastructure::http::{Method, Request, Response};
use crate::simulator::random::continued;
use crate::simulator::routes::Desk;
use crate::simulator::world::{State, ports};

/// A request that would change something, as it reached the exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// When it arrived.
    pub at: Timestamp,
    /// Whether whoever sent it had stopped waiting by then.
    pub late: bool,
    /// What was asked, such as `/v2/orders`.
    pub target: String,
    /// Its body; empty for a cancellation.
    pub body: String,
    /// The exchange's answer.
    pub status: u16,
}

/// Whether somebody waits for the answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    Awaited,
    Late,
}

impl State {
    pub(super) fn advance_to(&mut self, moment: Timestamp) {
        while let Some((&(at, _), _)) = self.under_way.first_key_value() {
            if at > moment {
                break;
            }
            let Some((_, request)) = self.under_way.pop_first() else { break };
            self.pass_to(at);
            self.answer_as(&request, Arrival::Late); // nobody hears the answer
        }
        self.pass_to(moment);
    }

    fn pass_to(&mut self, moment: Timestamp) {
        if moment < self.now {
            return;
        }
        let before = self.exchange.updates().len();
        self.exchange.advance(moment, &self.market);
        self.now = moment;
        self.follow(before);
    }

    /// The moment at which something happens of itself, if any.
    pub(super) fn next_event(&self) -> Option<Timestamp> {
        let arrival = self.under_way.keys().next().map(|(at, _)| *at);
        self.exchange.next_event().into_iter().chain(arrival).min()
    }

    /// A request that would change something leaves somebody who waits; answers its ticket.
    pub(super) fn send_off(&mut self, request: Request, arrives: Timestamp) -> u64 {
        self.tickets += 1;
        self.flying.insert(self.tickets, (arrives, request));
        self.tickets
    }

    /// Requests that would change something and have reached the exchange.
    pub(in crate::simulator) fn asked_so_far(&self) -> usize {
        self.asked.len()
    }

    /// Such requests that are on their way.
    pub(in crate::simulator) fn under_way(&self) -> usize {
        self.flying.len() + self.under_way.len()
    }

    /// It has arrived.
    pub(super) fn arrived(&mut self, ticket: u64) {
        self.flying.remove(&ticket);
    }

    /// Who sent it is gone, and it goes on by itself.
    pub(super) fn deserted(&mut self, ticket: u64) {
        if let Some((arrives, request)) = self.flying.remove(&ticket) {
            self.under_way.insert((arrives, ticket), request);
        }
    }

    /// A request goes on to the exchange although nobody waits for its answer.
    pub(super) fn send_on(&mut self, request: Request, arrives: Timestamp) {
        self.tickets += 1;
        self.under_way.insert((arrives, self.tickets), request);
    }

    /// Answers a request at this moment.
    pub(super) fn answer(&mut self, request: &Request) -> Response {
        self.answer_as(request, Arrival::Awaited)
    }

    fn answer_as(&mut self, request: &Request, arrival: Arrival) -> Response {
        let before = self.exchange.updates().len();
        let orders = self.exchange.orders().len();
        let trouble = ports::ordered_symbol(request)
            .and_then(|symbol| Some((self.faults.order_trouble(&symbol)?, symbol)));
        let mut desk = Desk {
            exchange: &mut self.exchange,
            market: &self.market,
            door: &mut self.door,
            now: self.now,
            trouble: trouble.as_ref().map(|(trouble, _)| *trouble),
        };
        let response = desk.answer(request);
        if let Some((_, symbol)) = trouble
            && self.exchange.orders().len() > orders
        {
            self.faults.spend_order(&symbol);
        }
        if request.method != Method::Get {
            self.asked.push(Asked {
                at: self.now,
                late: arrival == Arrival::Late,
                target: request.target.clone(),
                body: String::from_utf8_lossy(&request.body).into_owned(),
                status: response.status,
            });
        }
        self.requests += 1;
        self.activity += 1;
        let line = format!("{} {:?} {}", self.now, request.method, request.target);
        self.trace = continued(self.trace, line.as_bytes());
        self.trace = continued(self.trace, &response.body);
        self.follow(before);
        response
    }
}

//! Sending: the requests of one round, a bounded number at a time, and what their answers ask for.

use futures_util::future::join_all;
use jiff::Timestamp;

use crate::application::control::permission;
use crate::application::dealing::Dealing;
use crate::application::order_life::{OrderLife, Step};
use crate::application::ports::BrokerError;
use crate::application::trouble;
use crate::domain::attempts::Mismatch;
use crate::domain::market::UnusableQuote;
use crate::domain::money::Shares;
use crate::domain::order::{ClientOrderId, Order, OrderRequest};
use crate::domain::plan::BuyPlan;

/// Requests under way at once; more would only queue at the broker.
const TOGETHER: usize = 8;

enum Ask {
    Submit(OrderRequest),
    Look(ClientOrderId),
    Cancel(String),
}

enum Answer {
    Submitted(Result<Order, BrokerError>),
    Looked(Result<Option<Order>, BrokerError>),
    Cancelled(Result<(), BrokerError>),
}

/// What an answer means beyond the order itself.
pub(super) enum Concern {
    /// Nothing.
    None,
    /// The broker refused the order.
    Refused,
    /// The same id may be sent with this many shares.
    Fewer(Shares),
    /// Nothing more may be sent at all.
    Stop(&'static str, String),
}

impl Concern {
    /// The broker's order under our id is not the one we would have sent.
    pub(super) fn differs(mismatch: &Mismatch) -> Self {
        Self::Stop("adopted-order-differs", mismatch.to_string())
    }
}

impl Dealing<'_> {
    /// Sends what is to be sent, looked up or cancelled, a bounded number at a time.
    pub(super) async fn send(
        &mut self,
        lives: &mut [OrderLife],
        buy_plan: Option<&BuyPlan>,
        last: Timestamp,
    ) {
        let desk = self.floor.desk;
        let now = desk.clock.now();
        let mut asks: Vec<(usize, Ask)> = Vec::new();
        for (at, life) in lives.iter_mut().enumerate() {
            match life.step(now, last) {
                Step::Send(request) if now < last => {
                    life.sending(now);
                    asks.push((at, Ask::Submit(request)));
                }
                Step::Send(_) => life.end("stopped before it was sent"),
                Step::Look(id) => asks.push((at, Ask::Look(id))),
                Step::Cancel(id) => asks.push((at, Ask::Cancel(id))),
                Step::Draft | Step::Wait(_) | Step::Over => {}
            }
        }
        while !asks.is_empty() {
            let rest = asks.split_off(TOGETHER.min(asks.len()));
            let answers = join_all(asks.iter().map(|(_, ask)| self.ask(ask))).await;
            for ((at, _), answer) in asks.into_iter().zip(answers) {
                self.take(&mut lives[at], answer, buy_plan, last).await;
            }
            if let Some(watch) = &mut self.watch {
                watch.reset();
            }
            asks = rest;
        }
    }

    async fn ask(&self, ask: &Ask) -> Answer {
        let broker = self.floor.desk.broker;
        match ask {
            Ask::Submit(request) => Answer::Submitted(broker.submit(request).await),
            Ask::Look(id) => Answer::Looked(broker.order(id).await),
            Ask::Cancel(id) => Answer::Cancelled(broker.cancel(id).await),
        }
    }

    async fn take(
        &mut self,
        life: &mut OrderLife,
        answer: Answer,
        buy_plan: Option<&BuyPlan>,
        last: Timestamp,
    ) {
        let desk = self.floor.desk;
        let now = desk.clock.now();
        let concern = match answer {
            Answer::Submitted(answer) => life.answered(answer, now),
            Answer::Looked(found) => match life.looked(found, now) {
                (_, Some(request)) if now < last => self.send_again(life, &request).await,
                (concern, _) => concern,
            },
            Answer::Cancelled(answer) => {
                life.cancelling(&answer, now);
                Concern::None
            }
        };
        if let Concern::Fewer(shares) = concern {
            self.reduce(life, shares, buy_plan).await;
        } else {
            self.concern(concern);
        }
    }

    /// The same request under the same id, if the operator still permits it.
    async fn send_again(&mut self, life: &mut OrderLife, request: &OrderRequest) -> Concern {
        let desk = self.floor.desk;
        if let Err(why) = permission(self.floor.store, self.floor.journal.key()).await {
            self.stop(trouble::halted(why));
            return Concern::None;
        }
        life.sending(desk.clock.now());
        let answer = desk.broker.submit(request).await;
        life.answered(answer, desk.clock.now())
    }

    /// The broker would take fewer shares: the same id goes out again with those.
    async fn reduce(&mut self, life: &mut OrderLife, shares: Shares, buy_plan: Option<&BuyPlan>) {
        let desk = self.floor.desk;
        let symbol = life.attempts.symbol().clone();
        let attempt = u8::try_from(life.attempts.list().len()).unwrap_or(u8::MAX);
        let request = match desk.quotes(std::slice::from_ref(&symbol)).await {
            Ok(quotes) => match quotes.get(&symbol) {
                Some(Ok(quote)) => self.approved(life, (attempt, shares), quote, buy_plan),
                Some(Err(unusable)) => Err(unusable.to_string()),
                None => Err(UnusableQuote::Missing.to_string()),
            },
            Err(error) => Err(error.to_string()),
        };
        match request {
            Ok(request) => {
                life.reduce(request.clone());
                let answer = desk.broker.submit(&request).await;
                let concern = life.answered(answer, desk.clock.now());
                self.concern(concern);
            }
            Err(why) => life
                .refuse(format!("the broker takes only {shares} shares: {why}"), desk.clock.now()),
        }
    }
}

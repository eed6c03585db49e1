//! The desk: the ways to the market that acting needs, and how it waits for news.
//!
//! Messages only end a wait early; what happened is always read from the broker. So a lost stream
//! costs a second or two and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use crate::application::ports::{
    Broker, BrokerError, Clock, MarketData, TradeUpdates, UpdateStream, Wake,
};
use crate::domain::market::{Quote, QuoteReading, UnusableQuote};
use crate::domain::money::Usd;
use crate::domain::policy::Policy;
use crate::domain::symbol::Symbol;

/// Shortest, first and longest wait between two looks at the broker's orders.
const LOOK_LEAST: Duration = Duration::from_millis(10);
const LOOK_FIRST: Duration = Duration::from_millis(250);
const LOOK_LONGEST: Duration = Duration::from_secs(2);
/// How long cash may lag behind fills before what the broker shows is taken as it is.
const CASH_LAG_MAX: Duration = Duration::from_secs(5);
/// Average prices are rounded, so cash may be some cents off the executions worked out from them;
/// a sale that is not booked yet is worth more.
const CASH_ROUNDING: Usd = Usd::dollars(1);
/// The first news is looked at after this; each later look of a phase waits twice as long for
/// more, up to the longest gathering: a fill in fifty parts must not use up the requests that
/// cancels and further orders need.
const GATHER_FIRST: Duration = Duration::from_millis(1);
const GATHER_LONGEST: Duration = Duration::from_secs(1);
/// Messages taken up between two looks; more than that is no reason not to look.
const MESSAGES_MAX: u32 = 1000;

/// Quotes of the observation go for orders while they are this young.
const OBSERVED_MAX: Duration = Duration::from_secs(5);

/// Each symbol's price to trade on, or why there is none.
pub type Judged = BTreeMap<Symbol, Result<Quote, UnusableQuote>>;

/// The quotes that the plan was made with.
#[derive(Debug)]
pub struct Observation {
    /// As they were read.
    pub quotes: BTreeMap<Symbol, QuoteReading>,
    /// When.
    pub at: Timestamp,
}

/// The ways to the market.
pub struct Desk<'a> {
    /// Account and orders.
    pub broker: &'a dyn Broker,
    /// Quotes.
    pub market: &'a dyn MarketData,
    /// Order messages.
    pub updates: &'a dyn TradeUpdates,
    /// Time.
    pub clock: &'a dyn Clock,
    /// The operator's rules.
    pub policy: &'a Policy,
}

impl Desk<'_> {
    /// Fresh quotes of some symbols, each judged.
    ///
    /// # Errors
    /// [`BrokerError`] when the feed gives no answer.
    pub async fn quotes(&self, symbols: &[Symbol]) -> Result<Judged, BrokerError> {
        let rules = self.policy.quote_rules();
        let readings = self.market.quotes(symbols, &rules).await?;
        let now = self.clock.now();
        let judge = |symbol: &Symbol| {
            let reading = readings.get(symbol).copied().unwrap_or_default();
            (symbol.clone(), reading.judge(now, &rules))
        };
        Ok(symbols.iter().map(judge).collect())
    }

    /// Quotes for orders: those of the observation while they are seconds old, else fresh ones.
    ///
    /// # Errors
    /// [`BrokerError`] when the feed gives no answer.
    pub(super) async fn quotes_for_orders(
        &self,
        symbols: &[Symbol],
        observed: Option<&Observation>,
    ) -> Result<Judged, BrokerError> {
        let now = self.clock.now();
        let fresh =
            |seen: &&Observation| now.duration_since(seen.at).unsigned_abs() <= OBSERVED_MAX;
        let Some(seen) = observed.filter(fresh) else { return self.quotes(symbols).await };
        let rules = self.policy.quote_rules();
        let judge = |symbol: &Symbol| {
            let reading = seen.quotes.get(symbol).copied().unwrap_or_default();
            (symbol.clone(), reading.judge(now, &rules))
        };
        Ok(symbols.iter().map(judge).collect())
    }

    /// Cash to buy with: the smaller of what the broker shows and what is expected, once the
    /// broker shows the expected, but for rounding, or has had time to.
    ///
    /// # Errors
    /// [`BrokerError`] when the account cannot be read.
    pub async fn cash(&self, expected: Usd) -> Result<Usd, BrokerError> {
        let patience = self.clock.now().saturating_add(CASH_LAG_MAX).unwrap_or(Timestamp::MAX);
        let mut wait = LOOK_FIRST;
        loop {
            let shown = self.broker.account().await?.cash;
            if self.clock.now() >= patience {
                return Ok(shown.min(expected));
            }
            if let Some(cash) = settled(shown, expected) {
                return Ok(cash);
            }
            self.clock.sleep(wait).await;
            wait = (wait * 2).min(LOOK_LONGEST);
        }
    }
}

/// Cash to buy with, if the broker shows what is expected already.
pub(super) fn settled(shown: Usd, expected: Usd) -> Option<Usd> {
    (shown >= expected - CASH_ROUNDING).then(|| shown.min(expected))
}

/// Waits for news about orders: by the stream while it is trusted, by looking at growing intervals always.
pub(super) struct Watch {
    stream: Option<Box<dyn UpdateStream>>,
    trusted_until: Timestamp,
    wait: Duration,
    gather: Duration,
    sent: usize,
    heard: usize,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Only time.
    None,
    /// A message, perhaps only that an order was taken.
    Some,
    /// More messages than requests were sent: something was executed, or ended.
    More,
}

impl Watch {
    /// Opens the run's stream; without one, looking alone will do.
    pub(super) async fn open(desk: &Desk<'_>) -> Self {
        let opened = desk.updates.open().await;
        let stream = opened.inspect_err(|error| warn!(%error, "no order stream, polling")).ok();
        let trusted_until = Timestamp::MIN;
        let (wait, gather) = (LOOK_FIRST, GATHER_FIRST);
        let mut watch = Self { stream, trusted_until, wait, gather, sent: 0, heard: 0 };
        watch.begin(desk);
        watch
    }

    /// A new phase begins: the stream is trusted again for its time.
    pub(super) fn begin(&mut self, desk: &Desk<'_>) {
        let trusted = Duration::from_secs(u64::from(desk.policy.timing.stream_seconds));
        self.trusted_until = desk.clock.now().saturating_add(trusted).unwrap_or(Timestamp::MAX);
        self.gather = GATHER_FIRST;
        self.reset(0);
    }

    /// So many requests were sent: look again soon.
    pub(super) const fn reset(&mut self, sent: usize) {
        self.wait = LOOK_FIRST;
        (self.sent, self.heard) = (sent, 0);
    }

    /// Waits until a message, the next look, or `until`, whichever is first. Messages that come
    /// one upon the other are answered by one look.
    pub(super) async fn wait(&mut self, desk: &Desk<'_>, until: Timestamp) -> News {
        let began = desk.clock.now();
        let left: Duration = until.duration_since(began).try_into().unwrap_or_default();
        let at_most = left.clamp(LOOK_LEAST, self.wait);
        let mut end = began.saturating_add(at_most).unwrap_or(began);
        self.wait = (self.wait * 2).min(LOOK_LONGEST);
        let mut messages = 0;
        for _ in 0..MESSAGES_MAX {
            let now = desk.clock.now();
            let left: Duration = end.duration_since(now).try_into().unwrap_or_default();
            if left.is_zero() {
                break;
            }
            let Some(stream) = self.stream.as_mut().filter(|_| now < self.trusted_until) else {
                desk.clock.sleep(left).await;
                break;
            };
            match stream.wait(left).await {
                Wake::Message if messages == 0 => {
                    messages = 1;
                    let heard = desk.clock.now();
                    end = end.min(heard.saturating_add(self.gather).unwrap_or(heard));
                }
                Wake::Message => messages += 1,
                Wake::Silence => break,
                Wake::Lost => {
                    warn!("order stream lost, polling");
                    self.close().await;
                    break;
                }
            }
        }
        if messages == 0 {
            return News::None;
        }
        self.gather = (self.gather * 2).min(GATHER_LONGEST);
        self.heard += messages;
        if self.heard > self.sent { News::More } else { News::Some }
    }

    /// Closes the stream.
    pub(super) async fn close(&mut self) {
        if let Some(mut stream) = self.stream.take() {
            stream.close().await;
        }
    }
}

//! What the use case needs from the world, as small traits that state duties.
//!
//! No port names a broker, a protocol or a file format. Errors are split by who must act.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::account::{Account, Activity, Asset, MarketClock, Position};
use crate::domain::market::{Histories, QuoteReading, QuoteRules};
use crate::domain::money::Shares;
use crate::domain::order::{ClientOrderId, Order, OrderRequest};
use crate::domain::policy::Channel;
use crate::domain::push::Note;
use crate::domain::session::Calendar;
use crate::domain::shapes::Shapes;
use crate::domain::symbol::Symbol;

/// Why the broker did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// The broker understood and said no; asking again will not help.
    #[error("refused by the broker: {message}")]
    Refused {
        /// What kind of no.
        reason: Refusal,
        /// The broker's own words, shortened.
        message: String,
    },
    /// Nobody knows whether it took effect: look before asking again.
    #[error("no usable answer from the broker: {0}")]
    Ambiguous(String),
    /// Too many requests; nothing was done.
    #[error("too many requests to the broker")]
    RateLimited {
        /// When to ask again, if the broker says.
        retry_at: Option<Timestamp>,
    },
    /// The broker cannot be reached or is out of order; nothing was changed by a reading request.
    #[error("broker unreachable: {0}")]
    Unavailable(String),
    /// The keys are wrong or may not do this: a person must act.
    #[error("not authorised by the broker: {0}")]
    Unauthorised(String),
    /// The keys could not be read at all: a person must act.
    #[error("broker credentials: {0}")]
    Credentials(#[from] CredentialsError),
    /// The answer lacks what no answer may lack.
    #[error("answer not understood: {0}")]
    Malformed(String),
}

/// The kinds of refusal that call for different reactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// An order with this client id exists: look it up and adopt it.
    DuplicateId,
    /// Not enough cash or buying power.
    Funds,
    /// More shares than are available; the broker says how many are.
    Shares {
        /// Shares available now.
        available: Option<Shares>,
    },
    /// The asset trades in whole shares.
    NotFractionable,
    /// The asset is unknown or may not be traded.
    NotTradable,
    /// An order on the other side would trade with this one.
    WashTrade,
    /// The order is not in a state that allows this: it ended already.
    NotCancelable,
    /// The account may not trade.
    AccountBlocked,
    /// No such order, position or asset.
    NotFound,
    /// The subscription does not cover the data asked for.
    Subscription,
    /// The request broke a rule of form or price: a fault of ours.
    Invalid,
    /// A refusal we have no name for.
    Other,
}

/// Why the keys could not be had; names the field, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// There is no such secret.
    #[error("secret {name} not found")]
    Missing {
        /// Name of the secret.
        name: String,
    },
    /// The secret is of another shape.
    #[error("secret {name} malformed: {field}")]
    Malformed {
        /// Name of the secret.
        name: String,
        /// The field and what is wrong with it.
        field: String,
    },
    /// The secret may not be read: a person must act.
    #[error("secret {name} denied: {reason}")]
    Denied {
        /// Name of the secret.
        name: String,
        /// Why.
        reason: String,
    },
    /// The secret could not be fetched for now.
    #[error("secret {name} not readable: {reason}")]
    Unavailable {
        /// Name of the secret.
        name: String,
        /// Why.
        reason: String,
    },
}

/// Account, positions and orders at the broker. REST-like: each answer is the truth of its moment.
#[async_trait]
pub trait Broker: Send + Sync {
    /// Money and permissions of the account.
    async fn account(&self) -> Result<Account, BrokerError>;

    /// All positions. A short position must be an error, never a smaller list.
    async fn positions(&self) -> Result<Vec<Position>, BrokerError>;

    /// Every order submitted at or after `since`, in any state, ours and others'.
    ///
    /// Must page to the end; a list cut short is an error.
    async fn orders_since(&self, since: Timestamp) -> Result<Vec<Order>, BrokerError>;

    /// Every order that is not finished, ours and others'.
    async fn open_orders(&self) -> Result<Vec<Order>, BrokerError>;

    /// The order with this client id; `None` when the broker knows none, which right after a
    /// lost answer proves nothing.
    async fn order(&self, id: &ClientOrderId) -> Result<Option<Order>, BrokerError>;

    /// Flags of the given assets; a symbol the broker does not know is absent.
    async fn assets(&self, symbols: &[Symbol]) -> Result<BTreeMap<Symbol, Asset>, BrokerError>;

    /// The broker's time and whether the session is on.
    async fn clock(&self) -> Result<MarketClock, BrokerError>;

    /// Sessions from `first` to `last`, both included.
    async fn calendar(&self, first: Date, last: Date) -> Result<Calendar, BrokerError>;

    /// What was booked after `since`, oldest first. Must page to the end.
    async fn activities_since(&self, since: Timestamp) -> Result<Vec<Activity>, BrokerError>;

    /// Sends an order once. Must never repeat the request by itself.
    ///
    /// # Errors
    /// [`BrokerError::Ambiguous`] whenever the order may exist all the same.
    async fn submit(&self, order: &OrderRequest) -> Result<Order, BrokerError>;

    /// Asks for a cancellation; success means asked, not cancelled.
    async fn cancel(&self, broker_id: &str) -> Result<(), BrokerError>;

    /// Requests made so far, for the report.
    fn requests(&self) -> u32;

    /// Which fields the answers so far had, those about prices included.
    fn shapes(&self) -> Shapes;
}

/// Daily closes and quotes.
#[async_trait]
pub trait MarketData: Send + Sync {
    /// At least `closes` daily closes of each symbol where there are as many, adjusted for splits
    /// and dividends, none later than `through`. A symbol without data is absent.
    async fn daily(
        &self,
        closes: &BTreeMap<Symbol, usize>,
        through: Date,
    ) -> Result<Histories, BrokerError>;

    /// Latest quote of each symbol, with the last trade where the quote alone is not usable under
    /// these rules. A symbol without either is absent.
    async fn quotes(
        &self,
        symbols: &[Symbol],
        rules: &QuoteRules,
    ) -> Result<BTreeMap<Symbol, QuoteReading>, BrokerError>;

    /// Symbols among those given that have a split with an ex-date from `first` to `last`.
    async fn splits(
        &self,
        symbols: &[Symbol],
        first: Date,
        last: Date,
    ) -> Result<Vec<Symbol>, BrokerError>;
}

/// The broker's push messages about orders: a wake-up, never the truth.
#[async_trait]
pub trait TradeUpdates: Send + Sync {
    /// Opens the run's one connection and returns when it listens.
    async fn open(&self) -> Result<Box<dyn UpdateStream>, BrokerError>;
}

/// An open stream of order messages.
#[async_trait]
pub trait UpdateStream: Send {
    /// Waits for the next message about any order, at most this long.
    async fn wait(&mut self, at_most: Duration) -> Wake;

    /// Closes the connection; must be called on every path.
    async fn close(&mut self);
}

/// Why a wait on the stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something happened to an order: read it.
    Message,
    /// Nothing came in the time given.
    Silence,
    /// The stream is gone: go on polling.
    Lost,
}

/// What the store answered to a create-once write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// The bytes are stored, at the store's own time.
    Stored {
        /// When.
        at: Timestamp,
    },
    /// Something else was there first: here it is.
    Exists(Record),
}

/// A stored record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// When it was stored, by the store's own time.
    pub at: Timestamp,
}

/// Why the store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store may not be used: a person must act.
    #[error("store denied {key}: {reason}")]
    Denied {
        /// The key.
        key: String,
        /// Why.
        reason: String,
    },
    /// The store cannot be reached or is out of order; a write may have taken effect.
    #[error("store unavailable at {key}: {reason}")]
    Unavailable {
        /// The key.
        key: String,
        /// Why.
        reason: String,
    },
}

/// Durable records under slash-separated keys.
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes a record that did not exist. Must be atomic: of any number of writers exactly one
    /// stores its bytes, and every other gets those bytes back.
    async fn put_once(&self, key: &str, bytes: &[u8]) -> Result<Put, StoreError>;

    /// Writes a view that may be replaced, such as an index; never a record.
    async fn put_view(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError>;

    /// Reads a record.
    async fn get(&self, key: &str) -> Result<Option<Record>, StoreError>;

    /// Keys that start with a prefix, in order. Must page to the end.
    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError>;
}

/// A mail ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Sender address.
    pub from: String,
    /// Recipient addresses.
    pub to: Vec<String>,
    /// Subject, one line.
    pub subject: String,
    /// The whole message with its headers, as it goes over the wire.
    pub raw: Vec<u8>,
}

/// The mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The carrier said no; offering the same mail again will not help.
    #[error("mail refused: {0}")]
    Refused(String),
    /// The carrier takes no letter of this size; a smaller one it may take.
    #[error("mail too large: {0}")]
    TooLarge(String),
    /// The carrier cannot be reached or is out of order; the mail may have gone all the same.
    #[error("mail not sent: {0}")]
    Unavailable(String),
}

/// Sends mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands a letter over; the answer is the carrier's id for it.
    async fn send(&self, letter: &Letter) -> Result<String, MailError>;
}

/// A push was not taken; the words name no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The other side said no; trying again will not help.
    #[error("push refused: {0}")]
    Refused(String),
    /// The other side cannot be reached or is out of order.
    #[error("push not sent: {0}")]
    Unavailable(String),
}

/// Sends a few words to a channel other than the mail.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Sends once. Must come to an end within some seconds, and must not tell anybody the address.
    async fn push(&self, channel: Channel<'_>, note: &Note) -> Result<(), PushError>;
}

/// The broker's keys.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// The key pair. `fresh` asks past any cache, once, after the broker refused the old pair.
    async fn keys(&self, freshness: Freshness) -> Result<KeyPair, CredentialsError>;
}

/// Whether a remembered answer will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// A remembered answer will do.
    Remembered,
    /// Ask the source again.
    Fresh,
}

/// Key id and secret of a broker account.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// Key id.
    pub id: Secret,
    /// Secret key.
    pub secret: Secret,
}

/// A text that is never shown: no `Display`, wiped when dropped.
#[derive(Clone, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into keeping.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// The only source of time and the only way to wait.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Waits.
    async fn sleep(&self, duration: Duration);
}
